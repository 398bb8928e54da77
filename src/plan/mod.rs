//! The plan: what would change, why, and what it means for security and for people.
//!
//! Words: a *change* is one difference to be closed; a *step* is one write of a change; *findings* are what comparing one
//! setting of one environment brought; the *intent digest* hashes what a plan would do.
//!
//! What must stay true: everything here is a function of its arguments; the same findings give the same plan, byte for
//! byte, apart from its three instants; what is unknown stands in the plan as unknown and never as a change.

mod approval;
mod binds;
mod change;
pub mod codes;
mod danger;
mod demand;
mod derive;
mod document;
mod findings;
mod hold;
mod lifeline;
mod note;
mod only;
mod order;
mod places;
mod saved;
mod stake;
mod step;
#[cfg(test)]
mod tests;
mod vanished;
mod work;

pub use approval::{Approval, Clearance, Verdict, clear};
pub use binds::Binds;
pub use change::{Action, Address, By, Change, Direction, Impact, ManualStep, Mode, Rated, Risk};
pub use danger::Danger;
pub use demand::Demand;
pub use derive::{Account, Derivation, Observed, Sighting, derive};
pub use document::{FORMAT, Identity, Plan, ScopePlan, Summary, Target, Tool, Unknown, Waiting, WaitingFor};
pub use findings::{Findings, Outline, Planned};
pub use hold::Hold;
pub use lifeline::Lifeline;
pub(crate) use note::notes;
pub use note::{Bearing, CodeName, Note, NoteCode, NoteKind, Severity};
pub use only::{BadPrefix, Only};
pub use places::Places;
pub use saved::{Refusal, VALIDITY, differences, is_plan, parse, render};
pub use stake::{Administrator, Administrators, Kind, Loss, Share, Stake, Unprotected};
pub use step::{ReadBack, Step, StepError};
pub use vanished::{Held, Seen, Vanished, among as vanished_among};
pub use work::Work;
