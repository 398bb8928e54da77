//! Carrying out a plan.
//!
//! Words: an *outcome* is how one change ended; a *listener* hears what happens while it happens; the *journal* is the
//! record that stays.
//!
//! Invariants: before each write the setting is read and guarded afresh, and the change must still be the one that was
//! approved; what it requires must be there, wherever that is; success is what was read back; environments go side by side within
//! a bound, inside one of them there is one write at a time, and so there is to anything that a change must have to itself;
//! before the first one the rights of all of them are looked up; after a failure nothing is taken away in that environment; while
//! an outage is under way there, no key is rotated or retired; what waits holds up only what requires it; whatever happens, the report accounts for every change.

mod board;
mod carry;
mod change;
mod engine;
mod event;
mod holds;
mod journal;
mod looks;
mod preflight;
mod progress;
mod remaining;
mod report;
mod requirements;
mod schedule;
mod stop;
#[cfg(test)]
mod tests;
mod vanished;

pub use engine::{Engine, Fleet};
pub use event::{Event, Listener};
pub use journal::{Entry, Journal, JournalError, Moment};
pub use looks::{Looks, NoLook, Surveyed};
pub use remaining::{Remaining, Still};
pub use report::{Applied, FORMAT, Left, Outcome, RefusedScope, Report, Status, Totals};
pub use stop::Stop;
