//! What went over the wire, written down and played back.
//!
//! A [`Recorder`] stands before another exchange and keeps a [`Recording`]; a [`Replayer`] answers from one. The catalogue
//! says which operations carry secrets: their bodies are left out, and of their errors only the codes are kept.
//!
//! Invariants: no header of a request is recorded, and of an answer only those that are named here; a body that may hold a
//! secret, or that isn't text, is never recorded, and what is recorded is scrubbed of the secrets that went through before; a replayer never guesses: what wasn't recorded, or was left out, fails as
//! unsendable.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use async_trait::async_trait;
use http::header::{CONTENT_TYPE, DATE, LOCATION, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use url::Url;

use super::{Broken, Exchange, Request, Response};
use crate::azure::operations::Facts;
use crate::azure::refusal;
use crate::azure::secrets::Held;

/// The format of recordings.
const FORMAT: &str = "palisade.recording/1";

/// The headers of answers that are recorded: those that palisade reads, and those by which a service's support finds a call.
const KEPT: [HeaderName; 7] = [
    CONTENT_TYPE,
    DATE,
    LOCATION,
    RETRY_AFTER,
    HeaderName::from_static("azure-asyncoperation"),
    HeaderName::from_static("x-ms-request-id"),
    HeaderName::from_static("request-id"),
];

/// What went over the wire, in the order of the answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Recording {
    format: String,
    /// The exchanges.
    pub exchanges: Vec<Recorded>,
}

/// Why a text is no recording.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// Not the JSON of one.
    #[error("this is no recording: {0}")]
    Malformed(#[from] serde_json::Error),
    /// Of another version.
    #[error("this recording has the format `{0}`; this version of palisade reads `{FORMAT}`")]
    Format(String),
}

/// A request and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Recorded {
    /// The operation's name in the catalogue.
    pub operation: String,
    /// The method.
    pub method: String,
    /// The whole address.
    pub url: Url,
    /// The body; none if there was none, or if it was left out.
    pub sent: Option<String>,
    /// What came of it.
    pub answered: Answered,
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Answered {
    /// A whole answer.
    Whole {
        /// The status.
        status: u16,
        /// Some of the headers.
        headers: Vec<(String, String)>,
        /// The body; none if it was left out.
        body: Option<String>,
    },
    /// There was no connection.
    NotConnected(String),
    /// There was no answer in time.
    TimedOut(String),
    /// The connection ended before the answer.
    Reset(String),
    /// The connection ended within the answer.
    Truncated(String),
    /// The answer was longer than any that is read.
    TooLong,
    /// Nothing could be sent.
    Unsendable(String),
}

impl Recording {
    /// The recording as JSON.
    pub fn to_json(&self) -> String {
        // Strings, numbers and lists: nothing that JSON can't hold.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Reads a recording.
    pub fn from_json(text: &str) -> Result<Self, RecordingError> {
        let recording: Self = serde_json::from_str(text)?;
        if recording.format == FORMAT { Ok(recording) } else { Err(RecordingError::Format(recording.format)) }
    }
}

/// Records what goes through another exchange.
pub struct Recorder {
    inner: Rc<dyn Exchange>,
    recording: RefCell<Recording>,
    held: Held,
}

impl Recorder {
    /// Records what goes through `inner` from now on.
    pub fn new(inner: Rc<dyn Exchange>) -> Self {
        let recording = Recording { format: FORMAT.to_owned(), exchanges: Vec::new() };
        Self { inner, recording: RefCell::new(recording), held: Held::default() }
    }

    /// What went through so far.
    pub fn recording(&self) -> Recording {
        self.recording.borrow().clone()
    }
}

#[async_trait(?Send)]
impl Exchange for Recorder {
    async fn exchange(&self, request: Request) -> Result<Response, Broken> {
        self.held.note_request(&request);
        let Request { operation, method, url, headers: _, body } = &request;
        let operation = *operation;
        let (method, url) = (method.to_string(), url.clone());
        let sent = body.as_ref().filter(|_| !operation.secrets.in_request()).and_then(|body| text(body));
        let sent = self.held.scrub_all(sent);
        let outcome = self.inner.exchange(request).await;
        let answered = match &outcome {
            Ok(response) => {
                self.held.note_answer(operation, &response.body);
                whole(operation, response, &self.held)
            }
            Err(broken) => broken.clone().into(),
        };
        let recorded = Recorded { operation: operation.name.to_owned(), method, url, sent, answered };
        self.recording.borrow_mut().exchanges.push(recorded);
        outcome
    }
}

fn whole(operation: &Facts, response: &Response, held: &Held) -> Answered {
    let Response { status, headers, body } = response;
    let named = |name: &HeaderName| {
        let texts = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
        texts.map(|value| (name.to_string(), held.scrub(value))).collect::<Vec<_>>()
    };
    let headers = KEPT.iter().flat_map(named).collect();
    let body = match operation.secrets.in_answer() {
        false => text(body),
        true if status.is_success() => None,
        true => Some(refusal::codes_only(body)),
    };
    let body = held.scrub_all(body);
    Answered::Whole { status: status.as_u16(), headers, body }
}

fn text(body: &[u8]) -> Option<String> {
    std::str::from_utf8(body).ok().map(str::to_owned)
}

impl From<Broken> for Answered {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Unsendable(detail) => Self::Unsendable(detail),
            Broken::NotConnected(detail) => Self::NotConnected(detail),
            Broken::TimedOut(detail) => Self::TimedOut(detail),
            Broken::Reset(detail) => Self::Reset(detail),
            Broken::Truncated(detail) => Self::Truncated(detail),
            Broken::TooLong => Self::TooLong,
        }
    }
}

/// Answers from a recording: each request gets the first answer that was recorded for the same method, address and body
/// and wasn't given yet.
pub struct Replayer {
    left: RefCell<Vec<Recorded>>,
    stand_ins: BTreeMap<&'static str, String>,
}

impl Replayer {
    /// Plays a recording.
    pub fn new(recording: Recording) -> Self {
        Self { left: RefCell::new(recording.exchanges), stand_ins: BTreeMap::new() }
    }

    /// Gives a body that stands in for what recordings leave out of successful answers to `operation`.
    #[must_use]
    pub fn standing_in(mut self, operation: &Facts, body: &str) -> Self {
        self.stand_ins.insert(operation.name, body.to_owned());
        self
    }

    /// What wasn't asked for.
    pub fn left(&self) -> Vec<Recorded> {
        self.left.borrow().clone()
    }
}

#[async_trait(?Send)]
impl Exchange for Replayer {
    async fn exchange(&self, request: Request) -> Result<Response, Broken> {
        let Request { operation, method, url, headers: _, body } = request;
        let sent = body.filter(|_| !operation.secrets.in_request()).and_then(|body| text(&body));
        let fits = |recorded: &Recorded| {
            recorded.operation == operation.name
                && recorded.method == method.as_str()
                && recorded.url == url
                && recorded.sent == sent
        };
        let found = {
            let mut left = self.left.borrow_mut();
            left.iter().position(fits).map(|index| left.remove(index))
        };
        let Some(Recorded { answered, .. }) = found else {
            return Err(Broken::Unsendable(format!("the recording has no (further) answer to {method} {url}")));
        };
        let (status, headers, body) = match answered {
            Answered::Whole { status, headers, body } => (status, headers, body),
            Answered::NotConnected(detail) => return Err(Broken::NotConnected(detail)),
            Answered::TimedOut(detail) => return Err(Broken::TimedOut(detail)),
            Answered::Reset(detail) => return Err(Broken::Reset(detail)),
            Answered::Truncated(detail) => return Err(Broken::Truncated(detail)),
            Answered::TooLong => return Err(Broken::TooLong),
            Answered::Unsendable(detail) => return Err(Broken::Unsendable(detail)),
        };
        let Some(body) = body.or_else(|| self.stand_ins.get(operation.name).cloned()) else {
            return Err(Broken::Unsendable(format!(
                "the recording leaves out the answer to {method} {url}: it may hold a secret"
            )));
        };
        let status = StatusCode::from_u16(status).map_err(|error| Broken::Unsendable(error.to_string()))?;
        Ok(Response { status, headers: parsed(&headers), body: body.into_bytes().into() })
    }
}

fn parsed(headers: &[(String, String)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse::<HeaderValue>()) {
            map.append(name, value);
        }
    }
    map
}
