//! Durations as Key Vault writes them: `P90D`, `P2Y`, `P1Y10D`.
//!
//! Invariants: the text stays as it was written; how many days a month or a year has is never guessed.

use std::fmt;
use std::str::FromStr;

use jiff::Span;
use thiserror::Error;

/// A duration in the words of ISO 8601. Compared by its text: `P12W` isn't `P84D`. Where that matters, compare [`Self::days`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IsoDuration {
    text: String,
    days: Option<u32>,
}

/// Why a text is no [`IsoDuration`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` isn't a duration such as P90D")]
pub struct BadDuration(String);

impl IsoDuration {
    /// So many days.
    pub fn of_days(days: u32) -> Self {
        Self { text: format!("P{days}D"), days: Some(days) }
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How many days it is; none if it has months or years, which vary, or hours, which needn't make a whole day.
    pub fn days(&self) -> Option<u32> {
        self.days
    }
}

impl FromStr for IsoDuration {
    type Err = BadDuration;

    fn from_str(text: &str) -> Result<Self, BadDuration> {
        let bad = || BadDuration(text.to_owned());
        // Others read "90 days" and "-P1D" as well.
        if !text.starts_with('P') {
            return Err(bad());
        }
        let span: Span = text.parse().map_err(|_| bad())?;
        let whole = Span::new().try_weeks(span.get_weeks()).and_then(|weeks| weeks.try_days(span.get_days()));
        let pure = whole.is_ok_and(|whole| whole.fieldwise() == span);
        let days = i64::from(span.get_weeks()).checked_mul(7).and_then(|days| days.checked_add(span.get_days().into()));
        let days = days.filter(|_| pure).and_then(|days| u32::try_from(days).ok());
        Ok(Self { text: text.to_owned(), days })
    }
}

impl fmt::Display for IsoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_where_they_are_certain() {
        for (text, days) in [
            ("P90D", Some(90)),
            ("P1W", Some(7)),
            ("P2W3D", Some(17)),
            ("P0Y90D", Some(90)),
            ("P3M", None),
            ("P2Y", None),
            ("P1Y10D", None),
            ("PT48H", None),
            ("P7DT1S", None),
        ] {
            let duration: IsoDuration = text.parse().unwrap();
            assert_eq!((duration.days(), duration.text(), duration.to_string().as_str()), (days, text, text));
        }
        assert_eq!(IsoDuration::of_days(365), "P365D".parse().unwrap());
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "P", "PT", "90D", "-P1D", "P-1D", "90 days", "P1D and more", "P99999999999999D", "p90d"] {
            assert_eq!(
                text.parse::<IsoDuration>().unwrap_err().to_string(),
                format!("`{text}` isn't a duration such as P90D")
            );
        }
    }
}
