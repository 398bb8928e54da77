//! The seam between palisade and the wire: one request, one answer.
//!
//! Every request goes through an [`Exchange`], those for tokens included. Above the seam, in the transport, is all that is
//! the same whatever carries the requests: the host check, tokens, retries, the cap on requests in flight, the request log.
//! Below it: [`Http`] for real connections, the emulator's router inside the process, and a [`Recorder`] and a [`Replayer`].
//!
//! Invariants: an exchange sends what it is given, once, and follows no redirect; an answer is whole and no longer than
//! [`LARGEST_ANSWER`], or it is [`Broken`]; what is broken says whether the request may have reached the service.

mod http;
mod recording;

use std::fmt;

use ::http::{HeaderMap, Method, StatusCode};
use async_trait::async_trait;
use thiserror::Error;
use url::Url;
use zeroize::Zeroizing;

use super::operations::Facts;

pub use self::http::Http;
pub use self::recording::{Answered, Recorded, Recorder, Recording, RecordingError, Replayer};

/// The largest answer that is read; a longer one is a fault of the service, not data.
pub const LARGEST_ANSWER: usize = 16 * 1024 * 1024;

/// Carries requests.
#[async_trait(?Send)]
pub trait Exchange {
    /// Sends a request once, and waits for its whole answer.
    async fn exchange(&self, request: Request) -> Result<Response, Broken>;
}

/// A request as it goes out. It may hold secrets: they aren't shown, and the body's memory is wiped.
#[derive(Clone)]
pub struct Request {
    /// What is called.
    pub operation: &'static Facts,
    /// The method.
    pub method: Method,
    /// The whole address.
    pub url: Url,
    /// The headers; those with secrets are marked as sensitive.
    pub headers: HeaderMap,
    /// The body, if it has one.
    pub body: Option<Zeroizing<Vec<u8>>>,
}

/// An answer as it came in, of any status.
#[derive(Clone)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Zeroizing<Vec<u8>>,
}

/// Why there is no whole answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Broken {
    /// Nothing can be sent, and it would be the same another time.
    #[error("{0}")]
    Unsendable(String),
    /// No connection was made.
    #[error("{0}")]
    NotConnected(String),
    /// There was no answer in time.
    #[error("{0}")]
    TimedOut(String),
    /// The connection ended before there was an answer.
    #[error("{0}")]
    Reset(String),
    /// The connection ended in the middle of the answer.
    #[error("{0}")]
    Truncated(String),
    /// The answer is longer than [`LARGEST_ANSWER`].
    #[error("it is longer than {LARGEST_ANSWER} bytes")]
    TooLong,
}

/// Whether the service has seen a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// Certainly not.
    No,
    /// Nobody can tell.
    Perhaps,
    /// It has begun to answer.
    Yes,
}

impl Broken {
    /// Whether the service has seen the request.
    pub fn sent(&self) -> Sent {
        match self {
            Self::Unsendable(_) | Self::NotConnected(_) => Sent::No,
            Self::TimedOut(_) | Self::Reset(_) => Sent::Perhaps,
            Self::Truncated(_) | Self::TooLong => Sent::Yes,
        }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operation: _, method, url, headers, body } = self;
        write!(f, "{method} {url} with {headers:?} and {} bytes", body.as_ref().map_or(0, |body| body.len()))
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with {} bytes", self.status, self.body.len())
    }
}

/// Puts a body together from its chunks. It may hold a secret: where it must grow, the old memory is wiped before it is let
/// go.
#[derive(Default)]
pub struct Gathered(Zeroizing<Vec<u8>>);

impl Gathered {
    /// Appends a chunk.
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), Broken> {
        let Self(body) = self;
        let length = body.len().saturating_add(chunk.len());
        if length > LARGEST_ANSWER {
            return Err(Broken::TooLong);
        }
        if length > body.capacity() {
            let mut wider = Zeroizing::new(Vec::with_capacity(length.next_power_of_two()));
            wider.extend_from_slice(body);
            *body = wider;
        }
        body.extend_from_slice(chunk);
        Ok(())
    }

    /// The whole body.
    pub fn whole(self) -> Zeroizing<Vec<u8>> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::azure::operations::SET_SECRET;

    #[test]
    fn an_answer_is_put_together_from_its_chunks_up_to_a_length() {
        let mut body = Gathered::default();
        for chunk in [b"one".as_slice(), b"", b" and two and three"] {
            body.push(chunk).unwrap();
        }
        assert_eq!(body.0.as_slice(), b"one and two and three");
        let rest = vec![0; LARGEST_ANSWER - body.0.len()];
        body.push(&rest).unwrap();
        assert_eq!(body.push(b"!"), Err(Broken::TooLong));
    }

    #[test]
    fn nothing_that_may_be_secret_shows() {
        let mut token = ::http::HeaderValue::from_static("hidden");
        token.set_sensitive(true);
        let request = Request {
            operation: SET_SECRET.facts(),
            method: Method::PUT,
            url: "https://kv.vault.azure.net/secrets/x".parse().unwrap(),
            headers: HeaderMap::from_iter([(::http::header::AUTHORIZATION, token)]),
            body: Some(b"hidden".to_vec().into()),
        };
        let body = b"hidden".to_vec().into();
        let response = Response { status: StatusCode::OK, headers: HeaderMap::new(), body };
        let shown = format!("{request:?} {response:?}");
        assert!(!shown.contains("hidden") && !shown.contains("104, 105"), "{shown}");
    }
}
