//! Words of the file as a whole.

use jiff::SignedDuration;

use super::codes;
use crate::config::quoted;
use crate::config::words::{Wrong, parse_duration, words};

words! {
    /// How long an attestation holds: a number and `d` (days), `h` (hours) or `m` (minutes), at most 180 days.
    AttestedFor(SignedDuration), called "a duration of at most 180 days",
        { "pattern": "^(([1-9][0-9]?|1[0-7][0-9]|180)d|([1-9][0-9]{0,2}|[1-3][0-9]{3}|4[0-2][0-9]{2}|43[01][0-9]|4320)h|[1-9][0-9]{0,4}m)$", "examples": ["90d"] }, parse_valid_for;
}

/// The longest time for which a person's word counts.
const LONGEST_WORD: SignedDuration = SignedDuration::from_hours(180 * 24);

fn parse_valid_for(text: &str) -> Result<SignedDuration, Wrong> {
    let read = parse_duration(text);
    // What was meant may be too long for an attestation.
    let length = match &read {
        Ok(length) => Some(*length),
        Err(wrong) => wrong.meant.as_deref().and_then(|meant| parse_duration(meant).ok()),
    };
    if length.is_none_or(|length| length <= LONGEST_WORD) {
        return read;
    }
    let message = format!("must be at most 180 days, not {}", quoted(text));
    let help = "palisade has nothing but the attestation to go by, so a person has to look again by then";
    Err(Wrong::new(codes::VALID_TOO_LONG, message, help).meaning("180d"))
}
