//! Whether to try again, and when: one pure decision.
//!
//! What must stay true: a write that isn't repeatable is never replayed once the service may have seen it (anything but a
//! failed connection or a 429); the service's own `Retry-After` is honoured in full or the call gives up; the time spent
//! on one call is bounded.

use std::time::Duration;

use jiff::Timestamp;

use super::error::Failure;

/// The bounds of one call.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Tries in all.
    pub tries: u32,
    /// Time for all tries and the waits between them.
    pub patience: Duration,
}

impl Default for Limits {
    /// Six tries within two minutes: enough for the longest `Retry-After` that throttling usually asks for, short enough
    /// that a person who watches still believes that something happens.
    fn default() -> Self {
        Self { tries: 6, patience: Duration::from_secs(120) }
    }
}

/// One failed try.
#[derive(Debug)]
pub struct Try<'a> {
    /// Why it failed.
    pub failure: &'a Failure,
    /// What the service asked for.
    pub retry_after: Option<Duration>,
    /// Whether the operation may be replayed after it possibly took effect.
    pub repeatable: bool,
    /// The number of this try, from 1.
    pub number: u32,
    /// Time since the first try began.
    pub elapsed: Duration,
    /// A number from 0 to 255 that spreads callers out.
    pub jitter: u8,
}

/// What to do after a failed try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Report the failure.
    Stop,
    /// Report that the service asked for more patience than there is.
    Impatient(Duration),
    /// Wait, then try again.
    Wait(Duration),
}

/// Decides about one failed try.
pub fn decide(attempt: &Try<'_>, limits: Limits) -> Decision {
    if !may_repeat(attempt.failure, attempt.repeatable) || attempt.number >= limits.tries {
        return Decision::Stop;
    }
    let left = limits.patience.saturating_sub(attempt.elapsed);
    match attempt.retry_after {
        Some(asked) if asked > left => Decision::Impatient(asked),
        Some(asked) => Decision::Wait(asked),
        None => match backoff(attempt.number, attempt.jitter) {
            wait if wait > left => Decision::Stop,
            wait => Decision::Wait(wait),
        },
    }
}

fn may_repeat(failure: &Failure, repeatable: bool) -> bool {
    match failure {
        // Nothing reached the service, or it said that it did nothing.
        Failure::NotSent { .. } | Failure::Status { status: 429, .. } => true,
        Failure::Status { status: 408 | 500 | 502 | 503 | 504, .. } | Failure::NoAnswer { .. } => repeatable,
        Failure::Status { .. }
        | Failure::OutOfTime
        | Failure::Unreadable { .. }
        | Failure::Throttled { .. }
        | Failure::Unsendable { .. }
        | Failure::HostRefused { .. }
        | Failure::Token(_) => false,
    }
}

/// Half a second, doubled with each try, give or take a quarter.
fn backoff(number: u32, jitter: u8) -> Duration {
    let base = 500u64 << (number - 1).min(6);
    Duration::from_millis(base * (384 + u64::from(jitter)) / 512)
}

/// Reads `Retry-After`: seconds, or an HTTP date that is compared with the service's own clock where it tells it. The standard
/// knows whole seconds only (RFC 9110, 10.2.3); gateways send fractions all the same.
pub fn retry_after(value: &str, date: Option<&str>, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        // Digits that are too many for a number ask for more than anybody waits.
        return value.parse().ok().map(|seconds| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX));
    }
    let until = http_date(value)?;
    let from = date.and_then(http_date).unwrap_or(now);
    Some(Duration::try_from(until.duration_since(from)).unwrap_or(Duration::ZERO))
}

/// Reads an HTTP date.
pub(super) fn http_date(value: &str) -> Option<Timestamp> {
    Timestamp::try_from(httpdate::parse_http_date(value).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(status: u16) -> Failure {
        Failure::Status { status, code: None, inner: None, message: None }
    }

    fn lost() -> Failure {
        Failure::NoAnswer { detail: "reset".into() }
    }

    fn after(failure: &Failure, repeatable: bool, retry_after: Option<u64>) -> Decision {
        let attempt = Try {
            failure,
            retry_after: retry_after.map(Duration::from_secs),
            repeatable,
            number: 1,
            elapsed: Duration::from_secs(20),
            jitter: 128,
        };
        decide(&attempt, Limits::default())
    }

    #[test]
    fn a_write_that_is_not_repeatable_is_replayed_only_when_nothing_happened() {
        let waits = |decision| matches!(decision, Decision::Wait(_));
        assert!(waits(after(&Failure::NotSent { detail: String::new() }, false, None)));
        assert!(waits(after(&status(429), false, Some(1))));
        for ambiguous in [status(500), status(502), status(503), status(504), status(408), lost()] {
            assert_eq!(after(&ambiguous, false, Some(1)), Decision::Stop, "{ambiguous:?}");
            assert!(waits(after(&ambiguous, true, Some(1))), "{ambiguous:?}");
        }
    }

    #[test]
    fn what_the_service_refuses_is_not_asked_again() {
        for refused in [400, 401, 403, 404, 409, 412, 415, 301] {
            assert_eq!(after(&status(refused), true, Some(1)), Decision::Stop, "{refused}");
        }
    }

    #[test]
    fn retry_after_is_honoured_in_full_or_not_at_all() {
        assert_eq!(after(&status(429), true, Some(17)), Decision::Wait(Duration::from_secs(17)));
        assert_eq!(after(&status(429), true, Some(100)), Decision::Wait(Duration::from_secs(100)));
        assert_eq!(after(&status(429), true, Some(101)), Decision::Impatient(Duration::from_secs(101)));
    }

    #[test]
    fn tries_end() {
        let failure = lost();
        let mut attempt = Try {
            failure: &failure,
            retry_after: None,
            repeatable: true,
            number: 6,
            elapsed: Duration::ZERO,
            jitter: 0,
        };
        assert_eq!(decide(&attempt, Limits::default()), Decision::Stop);
        attempt.number = 5;
        assert_eq!(decide(&attempt, Limits::default()), Decision::Wait(Duration::from_secs(6)));
        attempt.elapsed = Duration::from_secs(119);
        assert_eq!(decide(&attempt, Limits::default()), Decision::Stop);
    }

    #[test]
    fn retry_after_comes_as_seconds_or_as_a_date() {
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let seconds = |value, date| retry_after(value, date, now).map(|wait| wait.as_secs());
        assert_eq!(seconds("17", None), Some(17));
        assert_eq!(seconds("Fri, 20 Nov 2026 12:00:30 GMT", None), Some(30));
        assert_eq!(seconds("Fri, 20 Nov 2026 11:59:30 GMT", None), Some(0));
        let skewed = Some("Fri, 20 Nov 2026 12:00:20 GMT");
        assert_eq!(seconds("Fri, 20 Nov 2026 12:00:30 GMT", skewed), Some(10));
        for nothing in ["soon", "", "-3", "1.2.3", ".", "1e3", "inf", "NaN"] {
            assert_eq!(seconds(nothing, None), None, "{nothing}");
        }
        assert_eq!(retry_after("0.25", None, now), Some(Duration::from_millis(250)));
        assert_eq!(retry_after("99999999999999999999999", None, now), Some(Duration::MAX));
    }

    /// Half a second, doubled with each try up to the seventh, give or take a quarter; a wait that just fits is waited.
    #[test]
    fn waits_without_a_word_from_the_service_double_and_spread() {
        for (number, jitter, millis) in [(1, 0, 375), (1, 128, 500), (1, 255, 624), (2, 128, 1000), (7, 128, 32_000)] {
            assert_eq!(backoff(number, jitter), Duration::from_millis(millis), "{number}, {jitter}");
        }
        assert_eq!(backoff(40, 128), backoff(7, 128));
        let failure = lost();
        let elapsed = Duration::from_secs(120) - Duration::from_millis(500);
        let attempt = Try { failure: &failure, retry_after: None, repeatable: true, number: 1, elapsed, jitter: 128 };
        assert_eq!(decide(&attempt, Limits::default()), Decision::Wait(Duration::from_millis(500)));
        let late = Try { elapsed: elapsed + Duration::from_millis(1), ..attempt };
        assert_eq!(decide(&late, Limits::default()), Decision::Stop);
    }
}
