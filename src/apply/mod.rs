//! Carrying out a plan.
//!
//! Words: an *outcome* is how one change ended; a *listener* hears what happens while it happens; the *journal* is the
//! record that stays. What must stay true: before each write the setting is read and guarded afresh, and the change must
//! still be the one that was approved; success is what was read back; environments go side by side, inside one of them
//! there is one write at a time; after a failure nothing is taken away from anybody in that environment; whatever
//! happens, the report accounts for every change.

mod engine;
mod event;
mod journal;
mod report;
mod vanished;

pub use engine::{Engine, Stop};
pub use event::{Event, Listener};
pub use journal::{Entry, Journal, JournalError, Moment};
pub use report::{Applied, FORMAT, Outcome, Report, Status, Totals};
