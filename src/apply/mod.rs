//! Carrying out a plan.
//!
//! Words: an *outcome* is how one change ended; a *listener* hears what happens while it happens; the *journal* is the
//! record that stays.
//!
//! Invariants: before each write the setting is read and guarded afresh, and the change must still be the one that was
//! approved; success is what was read back; environments go side by side within a bound, inside one of them there is one write
//! at a time, and before the first one the rights of all of them are looked up; after a failure nothing is taken away in that environment; what waits holds up only what requires it; whatever
//! happens, the report accounts for every change.

mod carry;
mod engine;
mod event;
mod journal;
mod preflight;
mod remaining;
mod report;
mod stop;
mod vanished;

pub use engine::{Engine, Fleet};
pub use event::{Event, Listener};
pub use journal::{Entry, Journal, JournalError, Moment};
pub use remaining::Remaining;
pub use report::{Applied, FORMAT, Left, Outcome, RefusedScope, Report, Status, Totals};
pub use stop::Stop;
