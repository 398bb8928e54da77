//! What people attest, for what no operation can read.
//!
//! What must stay true: an attestation counts from its day until `validFor` is over, and never before or after. It says
//! what somebody saw on a day, and nothing about what the file declared then; every plan that rests on one says so.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::config::Attestation;
use crate::plan::{Address, Note, NoteCode, Severity};

/// The newest attestation of a setting that counts at `now`.
pub(super) fn valid<'a>(attested: &'a [Attestation], setting: &str, now: Timestamp) -> Option<&'a Attestation> {
    let today = day(now);
    let holds = |one: &&Attestation| one.setting == setting && one.on <= today && today <= end(one);
    attested.iter().filter(holds).max_by_key(|one| one.on)
}

/// Says that something rests on an attestation.
pub(super) fn note(attestation: &Attestation, address: Address, now: Timestamp) -> Note {
    let Attestation { setting: _, by, on, valid_for: _, place: _ } = attestation;
    let message = format!(
        "rests on the word of {by}, given on {on}, {}; palisade can't tell whether the declaration was changed since",
        age(*on, day(now))
    );
    Note::finding(NoteCode::RestsOnAttestation, Severity::Info, address, message)
}

/// Says that a setting is attested, but that it doesn't count at `now`, where that is so.
pub(super) fn lapsed(attested: &[Attestation], setting: &str, address: Address, now: Timestamp) -> Option<Note> {
    if valid(attested, setting, now).is_some() {
        return None;
    }
    let newest = attested.iter().filter(|one| one.setting == setting).max_by_key(|one| one.on)?;
    let Attestation { setting: _, by, on, valid_for: _, place: _ } = newest;
    let message = match *on > day(now) {
        true => format!("the attestation of {by} is dated {on}, which is in the future, and counts for nothing"),
        false => format!("the attestation of {by} of {on} ran out on {}, and counts for nothing", end(newest)),
    };
    let note = Note::finding(NoteCode::ExpiredAttestation, Severity::Warning, address, message);
    Some(note.help("look again in the product, and renew the entry under `attested`"))
}

fn day(now: Timestamp) -> Date {
    now.to_zoned(TimeZone::UTC).date()
}

/// The last day on which it counts.
fn end(attestation: &Attestation) -> Date {
    attestation.on.checked_add(attestation.valid_for).unwrap_or(Date::MAX)
}

fn age(on: Date, today: Date) -> String {
    match (today - on).get_days() {
        0 => "today".to_owned(),
        1 => "a day ago".to_owned(),
        days => format!("{days} days ago"),
    }
}
