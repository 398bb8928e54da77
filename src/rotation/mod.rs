//! Rotation of an environment's two API keys, as one pure function of what is declared, what was read, and the instant.
//!
//! Words: the slot whose value consumers read from the vault is *active*, the other one *standby*; a replaced value is in
//! *grace* until nobody may use it any more; to *rotate* is to regenerate the standby slot and publish it; to *retire* is
//! to regenerate the standby slot so that its old value dies.
//!
//! Invariants:
//!
//! - there is no state of our own: slots, versions and their tags are all there is, and equality of values decides;
//! - what is unknown leads to no write, except that a dead key is replaced by a live one whatever is unknown of the past;
//! - no number of versions is too large to act, and whatever holds a move up ends by itself or names a person;
//! - a slot is regenerated only while nobody may hold its value, and one at most per run;
//! - a run that dies anywhere leaves something from which the next one goes on, without regenerating again;
//! - nothing here reads a clock, a file, the environment or a random number.
//!
//! [`to_read`] says whose values are still to be read; [`assess`] says what holds and what comes next; [`steps`] lists what a move does; [`check_step`] decides, on facts
//! read for that step, what it sends. `tests/rotation.rs` walks through everything that can happen.

mod assessment;
mod checks;
mod dates;
mod decide;
mod declared;
mod facts;
mod fingerprint;
mod ledger;
pub mod page;
mod reading;
mod rules;
mod steps;
mod tags;
#[cfg(test)]
mod tests;
mod window;
mod words;

pub use assessment::{Assessment, Hold, Move, Spare, State, Warning, Why};
pub use checks::{Run, check_step};
pub use dates::{Resolved, resolve};
pub use declared::{Consumer, Problem, Retire, Rotation, Verify};
pub use facts::{Access, Content, Facts, Published, Secret, Slots, VaultClock, Version};
pub use fingerprint::{Fingerprint, FingerprintKey, NotAFingerprint};
pub use ledger::Issue;
pub use reading::{to_read, to_read_at_most};
pub use rules::Rules;
pub use steps::{Check, Request, StepKind, steps, steps_under};
pub use tags::{Intent, Looked, Purpose, Retired, Tags, Unintelligible};
pub use window::{Window, WindowProblem};

use jiff::Timestamp;

/// Says what the facts mean, what comes next, and why.
pub fn assess(declared: &Rotation, facts: &Facts, now: Timestamp) -> Assessment {
    assess_under(&Rules::ALL, declared, facts, now)
}

/// [`assess`] if only some rules hold. Only the proof varies the rules.
pub fn assess_under(rules: &Rules, declared: &Rotation, facts: &Facts, now: Timestamp) -> Assessment {
    let decision = decide::decide(rules, declared, facts, now);
    let reason = words::reason(&decision, now);
    let decide::Decision {
        state, active, issue, spare, wanted, next, holds, due, retire_at, critical, warnings, ..
    } = decision;
    Assessment { state, active, issue, spare, wanted, next, holds, due, retire_at, critical, reason, warnings }
}
