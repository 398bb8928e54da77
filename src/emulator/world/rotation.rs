//! Rotation policies of keys.
//!
//! Invariants: a policy is kept in the service's own words; durations are those of ISO 8601, counted by the calendar in UTC.

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use serde::{Deserialize, Serialize};

/// When a key rotates by itself, and for how long new versions are valid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RotationPolicy {
    /// When a new version is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotate: Option<RotationTrigger>,
    /// When an event is sent. The emulator sends none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify: Option<RotationTrigger>,
    /// For how long new versions are valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiry_time: Option<String>,
    /// When the first policy of the key was set.
    pub created: Timestamp,
    /// When it was set last.
    pub updated: Timestamp,
}

/// When an action happens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RotationTrigger {
    /// So long after a version was made.
    TimeAfterCreate(String),
    /// So long before a version expires.
    TimeBeforeExpiry(String),
}

impl RotationTrigger {
    /// How long after or before.
    pub fn duration(&self) -> &str {
        match self {
            Self::TimeAfterCreate(duration) | Self::TimeBeforeExpiry(duration) => duration,
        }
    }
}

/// The instant that is so long after another one; none if the text is no duration.
pub(crate) fn later(from: Timestamp, duration: &str) -> Option<Timestamp> {
    let span = span(duration)?;
    from.to_zoned(TimeZone::UTC).checked_add(span).ok().map(|there| there.timestamp())
}

/// The instant that is so long before another one.
pub(crate) fn sooner(from: Timestamp, duration: &str) -> Option<Timestamp> {
    let span = span(duration)?;
    from.to_zoned(TimeZone::UTC).checked_sub(span).ok().map(|there| there.timestamp())
}

/// A duration such as `P90D`; nothing negative, and no other spelling.
fn span(duration: &str) -> Option<Span> {
    let span: Span = duration.parse().ok()?;
    (duration.starts_with('P') && !span.is_negative()).then_some(span)
}
