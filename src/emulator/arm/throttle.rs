//! The token buckets of ARM and the quota of Resource Graph.
//!
//! Words: a *bucket* holds calls and fills up again evenly; each principal has one per subscription and kind of call, and all
//! principals of a subscription share one that is fifteen times as big. What must stay true: counting never refuses by
//! itself; who counts decides.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use http::Method;
use http::header::{HeaderName, HeaderValue};
use jiff::Timestamp;
use uuid::Uuid;

use crate::emulator::call::{Call, guid};

/// How many times bigger the bucket of all principals is.
const SHARED: f64 = 15.0;
/// Resource Graph: queries of a principal in a window of seconds.
const QUERIES: (u32, i64) = (15, 5);

/// The three kinds of calls that are counted apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Reads,
    Writes,
    Deletes,
}

impl Kind {
    fn of(method: &Method) -> Self {
        match *method {
            Method::GET | Method::HEAD => Self::Reads,
            Method::DELETE => Self::Deletes,
            _ => Self::Writes,
        }
    }

    /// Size, and calls that come back each second.
    const fn bucket(self) -> (f64, f64) {
        match self {
            Self::Reads => (250.0, 25.0),
            Self::Writes | Self::Deletes => (200.0, 10.0),
        }
    }

    const fn headers(self) -> [&'static str; 3] {
        match self {
            Self::Reads => [
                "x-ms-ratelimit-remaining-subscription-reads",
                "x-ms-ratelimit-remaining-subscription-global-reads",
                "x-ms-ratelimit-remaining-tenant-reads",
            ],
            Self::Writes => [
                "x-ms-ratelimit-remaining-subscription-writes",
                "x-ms-ratelimit-remaining-subscription-global-writes",
                "x-ms-ratelimit-remaining-tenant-writes",
            ],
            Self::Deletes => [
                "x-ms-ratelimit-remaining-subscription-deletes",
                "x-ms-ratelimit-remaining-subscription-global-deletes",
                "x-ms-ratelimit-remaining-tenant-deletes",
            ],
        }
    }
}

/// Subscription, principal (none: all of them) and kind.
type Key = (Option<Uuid>, Option<Uuid>, Kind);

/// What is left in the buckets.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    levels: Mutex<HashMap<Key, (f64, Timestamp)>>,
    windows: Mutex<HashMap<Uuid, (Timestamp, u32)>>,
}

/// What taking a call out of the buckets says.
pub(super) struct Taken {
    /// What is left, as every answer tells it.
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    /// Seconds until the next call, if a bucket was empty.
    pub(super) wait: Option<i64>,
}

impl Throttle {
    /// Takes one call.
    pub(super) fn take(&self, call: &Call, principal: Uuid, now: Timestamp) -> Taken {
        let kind = Kind::of(&call.method);
        let subscription = match call.segments.as_slice() {
            [word, id, ..] if word.eq_ignore_ascii_case("subscriptions") => guid(id),
            _ => None,
        };
        let [own, shared, tenant] = kind.headers();
        let (size, refill) = kind.bucket();
        let mut levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        let mut take = |key: Key, times: f64| {
            let (level, at) = levels.entry(key).or_insert((size * times, now));
            let gone = now.duration_since(*at).as_secs_f64().max(0.0);
            (*level, *at) = ((*level + gone * refill * times).min(size * times), now);
            let fits = *level >= 1.0;
            if fits {
                *level -= 1.0;
            }
            (level.floor(), fits)
        };
        let (left, fits) = take((subscription, Some(principal), kind), 1.0);
        let mut counted = vec![(if subscription.is_some() { own } else { tenant }, left)];
        let mut all_fit = fits;
        if subscription.is_some() {
            let (left, fits) = take((subscription, None, kind), SHARED);
            counted.push((shared, left));
            all_fit &= fits;
        }
        let header = |(name, left): (&'static str, f64)| {
            Some((HeaderName::from_static(name), HeaderValue::from_str(&left.to_string()).ok()?))
        };
        // A whole second brings more than one call back.
        Taken { headers: counted.into_iter().filter_map(header).collect(), wait: (!all_fit).then_some(1) }
    }

    /// Takes one query of Resource Graph: what is left, seconds until the window ends, and whether there was one left.
    pub(super) fn query(&self, principal: Uuid, now: Timestamp) -> (u32, i64, bool) {
        let (queries, seconds) = QUERIES;
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, taken) = windows.entry(principal).or_insert((now, 0));
        let gone = now.duration_since(*since).as_secs();
        if !(0..seconds).contains(&gone) {
            (*since, *taken) = (now, 0);
        }
        let fits = *taken < queries;
        if fits {
            *taken += 1;
        }
        (queries - *taken, seconds - now.duration_since(*since).as_secs(), fits)
    }
}
