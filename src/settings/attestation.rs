//! What people attest, for what no operation can read.
//!
//! What must stay true: an attestation counts from its day until `validFor` is over, and never before or after.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::config::Attestation;
use crate::plan::{Address, Note, NoteCode, Severity};

/// The newest attestation of a setting that counts at `now`.
pub(super) fn valid<'a>(attested: &'a [Attestation], setting: &str, now: Timestamp) -> Option<&'a Attestation> {
    let today = now.to_zoned(TimeZone::UTC).date();
    let holds = |one: &&Attestation| {
        one.setting == setting && one.on <= today && today <= one.on.checked_add(one.valid_for).unwrap_or(Date::MAX)
    };
    attested.iter().filter(holds).max_by_key(|one| one.on)
}

/// Says that something rests on an attestation.
pub(super) fn note(attestation: &Attestation, address: Address) -> Note {
    let Attestation { setting: _, by, on, valid_for: _, place: _ } = attestation;
    let message = format!("{by} attested on {on} that it is as declared");
    Note { code: NoteCode::RestsOnAttestation, severity: Severity::Info, address, message, help: None }
}
