//! A call: a catalogue entry with its parameters; and the answer to it.

use http::{HeaderMap, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use url::Url;

use super::error::{CallError, Failure};
use super::operations::{Facts, Operation};

/// What stays as it is in a path segment; all else is percent-encoded, so that a name can't become a path.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'@');

/// One call, ready to be sent by a [`Reader`](super::Reader) or a [`Writer`](super::Writer).
#[derive(Debug, Clone)]
pub struct Call<E: 'static> {
    pub(super) operation: &'static Operation<E>,
    pub(super) base: Option<Url>,
    pub(super) address: Option<Url>,
    pub(super) path: String,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) headers: Vec<(&'static str, &'static str)>,
    pub(super) body: Option<Body>,
}

/// What a call carries. A form may hold a secret: it is never logged.
#[derive(Clone)]
pub(super) struct Body {
    pub(super) content_type: &'static str,
    pub(super) bytes: Vec<u8>,
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes of {}", self.bytes.len(), self.content_type)
    }
}

impl<E> Call<E> {
    /// A call of `operation` at its service's own base.
    pub fn of(operation: &'static Operation<E>) -> Self {
        Self {
            operation,
            base: None,
            address: None,
            path: operation.facts().path.to_owned(),
            query: Vec::new(),
            headers: Vec::new(),
            body: None,
        }
    }

    /// Fills a parameter of the path.
    #[must_use]
    pub fn path(mut self, name: &str, value: &str) -> Self {
        let encoded = utf8_percent_encode(value, SEGMENT).to_string();
        self.path = self.path.replace(&format!("{{{name}}}"), &encoded);
        self
    }

    /// Fills a parameter of the path that is itself a path, such as the scope of a role assignment.
    #[must_use]
    pub fn subpath(mut self, name: &str, value: &str) -> Self {
        let segments = value.split('/').filter(|segment| !segment.is_empty());
        let encoded: Vec<String> = segments.map(|s| utf8_percent_encode(s, SEGMENT).to_string()).collect();
        self.path = self.path.replace(&format!("{{{name}}}"), &encoded.join("/"));
        self
    }

    /// Sends the call to an address that an answer named, such as the next page, in place of path and query. The host is
    /// checked all the same.
    #[must_use]
    pub fn at(mut self, address: Url) -> Self {
        self.address = Some(address);
        self
    }

    /// Sends the call to another base of the same service, such as an environment's scale unit. The host is checked all
    /// the same.
    #[must_use]
    pub fn base(mut self, base: Option<&Url>) -> Self {
        self.base = base.cloned();
        self
    }

    /// Adds a query parameter.
    #[must_use]
    pub fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Carries JSON under a content type.
    #[must_use]
    pub fn json(mut self, content_type: &'static str, body: &Json) -> Self {
        self.body = Some(Body { content_type, bytes: body.to_string().into_bytes() });
        self
    }

    /// Carries a form.
    #[must_use]
    pub fn form(mut self, fields: &[(&str, &str)]) -> Self {
        let bytes = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish().into_bytes();
        self.body = Some(Body { content_type: "application/x-www-form-urlencoded", bytes });
        self
    }

    /// What is called.
    pub(super) fn facts(&self) -> &'static Facts {
        self.operation.facts()
    }
}

/// A whole answer with a success status.
#[derive(Debug, Clone)]
pub struct Answer {
    pub(super) operation: &'static Facts,
    /// The status, 2xx.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    pub(super) body: Vec<u8>,
    pub(super) correlation: Option<String>,
}

impl Answer {
    /// The body as JSON of a known shape.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, CallError> {
        serde_json::from_slice(&self.body).map_err(|error| self.unreadable(&format!("at byte {}", error.column())))
    }

    /// The body as text.
    pub fn text(&self) -> Result<&str, CallError> {
        std::str::from_utf8(&self.body).map_err(|_| self.unreadable("it isn't text"))
    }

    /// The error that says this answer can't be understood.
    pub fn unreadable(&self, detail: &str) -> CallError {
        CallError {
            operation: self.operation,
            failure: Failure::Unreadable { detail: detail.to_owned() },
            attempts: 1,
            correlation: self.correlation.clone(),
        }
    }
}
