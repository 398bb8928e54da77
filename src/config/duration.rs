//! Lengths of time: a number and a unit, and what people write instead.
//!
//! Invariants: what a suggestion says is read as the length that was written, or the suggestion says which length it takes.

use jiff::SignedDuration;

use super::codes;
use super::diagnostic::quoted;
use super::words::{Written, Wrong};

const UNITS: &str = "write a number and a unit: `90d` for days, `12h` for hours, `30m` for minutes";

impl Written for SignedDuration {
    fn written(&self) -> String {
        match self.as_mins() {
            minutes if minutes % (24 * 60) == 0 => format!("{}d", minutes / (24 * 60)),
            minutes if minutes % 60 == 0 => format!("{}h", minutes / 60),
            minutes => format!("{minutes}m"),
        }
    }
}

pub(crate) fn parse_duration(text: &str) -> Result<SignedDuration, Wrong> {
    read(text).ok_or_else(|| wrong(text))
}

fn read(text: &str) -> Option<SignedDuration> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let minutes = match &text[digits.len()..] {
        "d" => Some(24 * 60),
        "h" => Some(60),
        "m" => Some(1),
        _ => None,
    };
    let fits = (1..=5).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    match (minutes, digits.parse::<i64>()) {
        (Some(minutes), Ok(count)) if fits && !digits.starts_with('0') => {
            Some(SignedDuration::from_mins(count * minutes))
        }
        _ => None,
    }
}

fn wrong(text: &str) -> Wrong {
    let not_one = format!("must be a duration, not {}", quoted(text));
    let bad = |message: String, help: &str| Wrong::new(codes::BAD_DURATION, message, help);
    let plain: String = text.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect();
    if plain.starts_with('-') && plain[1..].starts_with(|c: char| c.is_ascii_digit()) {
        return bad(format!("must be longer than zero, not {}", quoted(text)), UNITS);
    }
    let parts = parts(&plain);
    let total = parts.iter().try_fold(0_i64, |total, part| total.checked_add(part.minutes?));
    match (parts.as_slice(), total) {
        ([], _) => bad(not_one, UNITS),
        ([Part { count, unit: "", .. }], _) => match count.trim_start_matches('0') {
            "" => bad(format!("must be longer than zero, not {}", quoted(text)), UNITS),
            count if count.len() > 5 => bad(not_one, UNITS),
            count => bad(
                format!("has no unit: {} could be days, hours or minutes", quoted(text)),
                &format!("write `{count}d` for days, `{count}h` for hours or `{count}m` for minutes"),
            ),
        },
        (_, Some(0)) => bad(format!("must be longer than zero, not {}", quoted(text)), UNITS),
        (_, Some(minutes)) => {
            let meant = SignedDuration::from_mins(minutes).written();
            if read(&meant).is_none() {
                return bad(format!("must be at most 99999 of a unit, not {}", quoted(text)), UNITS);
            }
            let exact = parts.iter().all(|part| part.exact);
            let why = if exact { "" } else { "a month is taken for 30 days here, a year for 365" };
            bad(not_one, why).meaning(meant)
        }
        (_, None) => bad(not_one, UNITS),
    }
}

/// A number and its unit, as people write it.
struct Part<'a> {
    count: &'a str,
    unit: &'a str,
    /// What it comes to, where that is a whole number of minutes.
    minutes: Option<i64>,
    /// Whether every unit of this name has the same length.
    exact: bool,
}

/// `1d12h`, `90days`, `pt12h`: the parts of a text without spaces, in lower case. Empty if it has another form.
fn parts(text: &str) -> Vec<Part<'_>> {
    let iso = text.strip_prefix('p');
    let (mut rest, mut clock) = (iso.unwrap_or(text), false);
    let mut parts = Vec::new();
    while !rest.is_empty() {
        if let Some(time) = rest.strip_prefix('t').filter(|_| iso.is_some() && !clock) {
            (rest, clock) = (time, true);
            continue;
        }
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let after = &rest[digits..];
        let letters = after.len() - after.trim_start_matches(|c: char| c.is_ascii_alphabetic()).len();
        // An ISO duration has one letter for each unit.
        let letters = if iso.is_some() { letters.min(1) } else { letters };
        let (count, unit) = (&rest[..digits], &after[..letters]);
        let months = iso.is_some() && !clock && unit == "m";
        let Some((seconds, exact)) = (if months { Some((30 * 86_400, false)) } else { seconds(unit) }) else {
            return Vec::new();
        };
        if digits == 0 || (unit.is_empty() && !(parts.is_empty() && after.is_empty())) {
            return Vec::new();
        }
        let total = count.parse::<i64>().ok().and_then(|count| count.checked_mul(seconds));
        let minutes = total.filter(|total| total % 60 == 0).map(|total| total / 60);
        parts.push(Part { count, unit, minutes, exact });
        rest = &after[letters..];
    }
    parts
}

/// How long a unit is, and whether it always is.
fn seconds(unit: &str) -> Option<(i64, bool)> {
    Some(match unit {
        "" => (0, true),
        "s" | "sec" | "secs" | "second" | "seconds" => (1, true),
        "m" | "min" | "mins" | "minute" | "minutes" => (60, true),
        "h" | "hr" | "hrs" | "hour" | "hours" => (3600, true),
        "d" | "day" | "days" => (86_400, true),
        "w" | "wk" | "week" | "weeks" => (7 * 86_400, true),
        "mo" | "mon" | "month" | "months" => (30 * 86_400, false),
        "y" | "yr" | "year" | "years" => (365 * 86_400, false),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_people_write_is_turned_into_what_to_write() {
        for (text, meant) in [
            ("90 days", Some("90d")),
            ("90D", Some("90d")),
            ("90 d", Some("90d")),
            ("007d", Some("7d")),
            ("2w", Some("14d")),
            ("3 months", Some("90d")),
            ("P3M", Some("90d")),
            ("P90D", Some("90d")),
            ("PT12H", Some("12h")),
            ("PT30M", Some("30m")),
            ("P1DT12H", Some("36h")),
            ("1d12h", Some("36h")),
            ("120s", Some("2m")),
            ("1y", Some("365d")),
            ("90", None),
            ("0d", None),
            ("-1d", None),
            ("90s", None),
            ("1.5d", None),
            ("24:00", None),
            ("ninety days", None),
            ("999999d", None),
            ("d", None),
            ("", None),
            ("P", None),
            ("∞", None),
            ("9999999999999999999d", None),
        ] {
            let wrong = parse_duration(text).unwrap_err();
            assert_eq!(wrong.meant.as_deref(), meant, "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_suggested_is_read(text in "[-pPtT0-9 .:]{0,4}[a-zA-Z]{0,3}[0-9]{0,4} ?[a-z]{0,6}é?") {
            if let Some(meant) = parse_duration(&text).err().and_then(|wrong| wrong.meant) {
                prop_assert!(parse_duration(&meant).is_ok(), "{} -> {}", text, meant);
            }
        }
    }
}
