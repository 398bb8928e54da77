//! A request and an answer as the services see them: decoded path segments and query, whole bodies.
//!
//! The services route by hand below their prefix, since their paths are case-insensitive, some have keys in brackets
//! (`/users('ada@contoso.com')`), and Graph's `$batch` runs requests inside a request.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, Method, StatusCode};
use percent_encoding::percent_decode_str;
use serde_json::Value;
use url::Url;
use uuid::Uuid;

/// The address under which the client reached the emulator; put on each request by the server.
#[derive(Debug, Clone)]
pub(crate) struct Origin(pub(crate) Url);

/// An id as the services write it, in any case. The other spellings that a parser would take (no dashes, braces) are other
/// texts to a service that keeps ids as text.
pub(crate) fn guid(text: &str) -> Option<Uuid> {
    Uuid::parse_str(text).ok().filter(|id| id.to_string().eq_ignore_ascii_case(text))
}

/// The query of a call. It notes what was read of it, since what nobody reads isn't served.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    /// Decoded, in their order.
    pairs: Vec<(String, String)>,
    read: Arc<[AtomicBool]>,
}

impl Query {
    fn parse(text: &str) -> Self {
        let pairs: Vec<_> = url::form_urlencoded::parse(text.as_bytes()).into_owned().collect();
        let read = pairs.iter().map(|_| AtomicBool::new(false)).collect();
        Self { pairs, read }
    }

    /// The first value of a parameter; names are compared without regard to case.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let mut found = None;
        for ((known, value), read) in self.pairs.iter().zip(self.read.iter()) {
            if known.eq_ignore_ascii_case(name) {
                read.store(true, Ordering::Relaxed);
                found = found.or(Some(value.as_str()));
            }
        }
        found
    }

    /// The name of a parameter that nobody has read.
    pub(crate) fn unread(&self) -> Option<&str> {
        let mut pairs = self.pairs.iter().zip(self.read.iter());
        pairs.find(|(_, read)| !read.load(Ordering::Relaxed)).map(|((name, _), _)| name.as_str())
    }

    /// All parameters but one, for a link that replaces it.
    pub(crate) fn without(&self, name: &str) -> impl Iterator<Item = (&str, &str)> {
        let kept = self.pairs.iter().filter(move |(known, _)| !known.eq_ignore_ascii_case(name));
        kept.map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) method: Method,
    /// Decoded segments of the path, without empty ones.
    pub(crate) segments: Vec<String>,
    pub(crate) query: Query,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) origin: Url,
}

impl Call {
    /// Splits a path with an optional query.
    pub(crate) fn split(target: &str) -> (Vec<String>, Query) {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let decode = |segment: &str| percent_decode_str(segment).decode_utf8_lossy().into_owned();
        let segments = path.split('/').filter(|s| !s.is_empty()).map(decode).collect();
        (segments, Query::parse(query))
    }

    /// A query parameter; names are compared without regard to case.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.get(name)
    }

    /// A header, if it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|v| v.to_str().ok())
    }

    /// The media type of the body, in lower case and without parameters.
    pub(crate) fn media_type(&self) -> Option<String> {
        let value = self.header(CONTENT_TYPE.as_str())?;
        value.split(';').next().map(|m| m.trim().to_ascii_lowercase())
    }
}

impl<S: Send + Sync> FromRequest<S> for Call {
    type Rejection = Answer;

    async fn from_request(request: Request, _: &S) -> Result<Self, Answer> {
        let (parts, body) = request.into_parts();
        let target = parts.uri.path_and_query().map_or("/", |p| p.as_str());
        let (segments, query) = Self::split(target);
        let Some(Origin(origin)) = parts.extensions.get::<Origin>().cloned() else {
            return Err(Answer::empty(StatusCode::INTERNAL_SERVER_ERROR));
        };
        // The server has already collected and bounded the body.
        let body = to_bytes(body, usize::MAX).await.map_err(|_| Answer::empty(StatusCode::BAD_REQUEST))?;
        Ok(Self { method: parts.method, segments, query, headers: parts.headers, body, origin })
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Payload,
}

/// The body of an answer.
#[derive(Debug, Clone)]
pub(crate) enum Payload {
    Empty,
    Json(Value),
    Text(String),
}

impl Answer {
    pub(crate) fn empty(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), body: Payload::Empty }
    }

    pub(crate) fn json(status: StatusCode, body: Value) -> Self {
        Self { body: Payload::Json(body), ..Self::empty(status) }
            .with(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"))
    }

    pub(crate) fn ok(body: Value) -> Self {
        Self::json(StatusCode::OK, body)
    }

    pub(crate) fn text(status: StatusCode, body: String) -> Self {
        Self { body: Payload::Text(body), ..Self::empty(status) }
            .with(CONTENT_TYPE, HeaderValue::from_static("text/plain"))
    }

    pub(crate) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let body = match self.body {
            Payload::Empty => Body::empty(),
            Payload::Json(value) => Body::from(value.to_string()),
            Payload::Text(text) => Body::from(text),
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}
