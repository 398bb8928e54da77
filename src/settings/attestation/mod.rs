//! What people attest, for what no operation can read: one rule for all settings.
//!
//! Words: an *entry* is one item of `attested`: what a person saw, who, when, and for how long that counts. A *statement* is
//! an entry, as far as it is about the thing that is judged. A *trace* is what the services show of that thing elsewhere. A
//! *doubt* is why it isn't known.
//!
//! Invariants: an entry counts only for what it says was seen, so a declaration that differs from it is never in sync; it
//! counts from its day until `validFor` is over, and never for an environment that was created later; what is observed wins;
//! an entry that is wrong about one part of its setting counts for no part; whatever isn't known is asked of a person, with the entry to write.

pub mod codes;
pub(crate) mod entry;
mod judge;
mod report;
#[cfg(test)]
mod tests;

pub use entry::Attestation;
pub(super) use judge::{Doubt, Evidence, Moment, Statement, Trace, Verdict, judge, spread};
pub(super) use report::{LOOK, Look, entry, evidence, look, seen};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::de::DeserializeOwned;

use super::setting::Comparing;

impl Moment {
    /// The moment of a comparison.
    pub(super) fn of(comparing: &Comparing<'_>) -> Self {
        Self { today: day(comparing.now), created: comparing.created.map(day) }
    }
}

/// The day of an instant, in UTC.
pub(super) fn day(instant: Timestamp) -> Date {
    instant.to_zoned(TimeZone::UTC).date()
}

/// What people say about a setting, in its own words.
pub(super) fn statements<'a, S: DeserializeOwned>(attested: &'a [Attestation], setting: &str) -> Vec<Statement<'a, S>> {
    let about = attested.iter().filter(|entry| entry.setting == setting);
    // Checked when the file was read; what can't be read says nothing.
    about
        .filter_map(|entry| Some(Statement { entry, saw: serde_json::from_value(entry.saw.clone()).ok()?, flaw: None }))
        .collect()
}

impl<'a, T> Statement<'a, T> {
    /// What the same entry says about a part of the thing.
    pub(super) fn about<P>(&self, part: impl FnOnce(&T) -> P) -> Statement<'a, P> {
        Statement { entry: self.entry, saw: part(&self.saw), flaw: self.flaw.clone() }
    }
}
