//! The request log: what was asked, never with what token.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use uuid::Uuid;

/// A request that the emulator has seen, in order of arrival.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// Method.
    pub method: String,
    /// The vault, if the request was to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vault: Option<String>,
    /// Path, without the query (which may hold a key).
    pub path: String,
    /// Status of the answer; none while it is under way, and if no answer was sent.
    pub status: Option<u16>,
    /// Application id of the caller, if it sent a token of ours.
    pub caller: Option<Uuid>,
}

/// How many requests are remembered.
const MOST: usize = 10_000;

/// Remembers the latest requests.
#[derive(Debug, Default)]
pub(crate) struct Log(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    seen: VecDeque<Seen>,
    /// How many were forgotten.
    gone: usize,
}

impl Log {
    /// Notes a request; the number finds it again.
    pub(crate) fn arrived(&self, seen: Seen) -> usize {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.seen.push_back(seen);
        if inner.seen.len() > MOST {
            inner.seen.pop_front();
            inner.gone += 1;
        }
        inner.gone + inner.seen.len() - 1
    }

    /// Notes how a request was answered.
    pub(crate) fn answered(&self, number: usize, status: u16) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let index = number.checked_sub(inner.gone);
        if let Some(seen) = index.and_then(|i| inner.seen.get_mut(i)) {
            seen.status = Some(status);
        }
    }

    pub(crate) fn all(&self) -> Vec<Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).seen.iter().cloned().collect()
    }
}
