//! A call: a catalogue entry with its parameters; and the answer to it.

use std::rc::Rc;

use http::header::DATE;
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::SecretString;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use url::Url;
use zeroize::Zeroizing;

use super::error::{CallError, Failure};
use super::operations::{Facts, Operation};
use super::retry::http_date;
use super::secrets::Held;
use crate::terms::text::brief;

/// What stays as it is in a path segment; all else is percent-encoded, so that a name can't become a path.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'@');

/// One call, ready to be sent by a [`Reader`](super::Reader) or a [`Writer`](super::Writer).
#[derive(Debug, Clone)]
pub struct Call<E: 'static> {
    pub(super) operation: &'static Operation<E>,
    pub(super) base: Base,
    pub(super) path: String,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) headers: Vec<(&'static str, &'static str)>,
    pub(super) secret_header: Option<(&'static str, SecretString)>,
    pub(super) body: Option<Body>,
}

/// Where the path of a call is joined to.
#[derive(Debug, Clone)]
pub(super) enum Base {
    /// The service's own address.
    Service,
    /// An environment's scale unit.
    ScaleUnit(Url),
    /// The vault of this name.
    Vault(String),
    /// Nowhere: this is the whole address, which a header of an answer of the same service named. It may lie on another host
    /// of the service.
    Address(Url),
    /// Nowhere: this is the whole address, from an answer of the same service. Path and query of the call don't count.
    Link {
        /// The address.
        to: Url,
        /// Where the call went that brought it; the link must lead to the same host.
        from: Box<Base>,
    },
}

/// What a call carries. It may hold a secret: it is never logged, and its memory is wiped.
#[derive(Clone)]
pub(super) struct Body {
    pub(super) content_type: &'static str,
    pub(super) bytes: Zeroizing<Vec<u8>>,
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
            base: Base::Service,
            path: operation.facts().path.to_owned(),
            query: Vec::new(),
            headers: Vec::new(),
            secret_header: None,
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

    /// Sends the call to another base of the same service, such as an environment's scale unit. The host is checked all
    /// the same.
    #[must_use]
    pub fn base(mut self, base: Option<&Url>) -> Self {
        self.base = base.cloned().map_or(Base::Service, Base::ScaleUnit);
        self
    }

    /// Sends the call to a vault.
    #[must_use]
    pub fn vault(mut self, name: &str) -> Self {
        self.base = Base::Vault(name.to_owned());
        self
    }

    /// The same call at the address of the next page, as an answer gave it: verbatim, but only on the host that gave it.
    #[must_use]
    pub fn link(mut self, to: Url) -> Self {
        let from = match self.base {
            Base::Link { to: _, from } => from,
            other => Box::new(other),
        };
        self.base = Base::Link { to, from };
        self
    }

    /// The same call at the address that a header of an answer gave it: verbatim, on whichever host of the service.
    #[must_use]
    pub(super) fn at(mut self, address: Url) -> Self {
        self.base = Base::Address(address);
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

    /// Adds a header that holds a secret.
    #[must_use]
    pub fn secret_header(mut self, name: &'static str, value: &SecretString) -> Self {
        self.secret_header = Some((name, value.clone()));
        self
    }

    /// Carries JSON under a content type.
    #[must_use]
    pub fn json(mut self, content_type: &'static str, body: &Json) -> Self {
        self.body = Some(Body { content_type, bytes: body.to_string().into_bytes().into() });
        self
    }

    /// Carries JSON that holds a secret: written once, into memory that is wiped.
    pub fn secret_json(mut self, content_type: &'static str, body: &impl Serialize) -> Result<Self, CallError> {
        let failed = |error: serde_json::Error| CallError {
            operation: self.operation.facts(),
            failure: Failure::NotSent { detail: format!("its body can't be written: {error}") },
            attempts: 0,
            correlation: None,
        };
        // Counted first, since a buffer that grows leaves copies behind.
        let mut length = Length(0);
        serde_json::to_writer(&mut length, body).map_err(failed)?;
        let mut bytes = Zeroizing::new(Vec::with_capacity(length.0));
        serde_json::to_writer(&mut *bytes, body).map_err(failed)?;
        self.body = Some(Body { content_type, bytes });
        Ok(self)
    }

    /// Carries a form.
    #[must_use]
    pub fn form(mut self, fields: &[(&str, &str)]) -> Self {
        let bytes = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish().into_bytes();
        self.body = Some(Body { content_type: "application/x-www-form-urlencoded", bytes: bytes.into() });
        self
    }

    /// What is called.
    pub(super) fn facts(&self) -> &'static Facts {
        self.operation.facts()
    }
}

/// Counts what is written to it.
struct Length(usize);

impl std::io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A whole answer with a success status. Its body may hold a secret: it isn't shown by `Debug`, and its memory is wiped.
#[derive(Clone)]
pub struct Answer {
    pub(super) operation: &'static Facts,
    /// The status, one that the operation may be answered with.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    pub(super) body: Zeroizing<Vec<u8>>,
    pub(super) correlation: Option<String>,
    /// The secrets that the run held when it came.
    pub(super) held: Rc<Held>,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { operation, status, headers: _, body, correlation, held: _ } = self;
        write!(f, "{status} with {} bytes to {} ({correlation:?})", body.len(), operation.name)
    }
}

impl Answer {
    /// The service's clock when it answered, or why it doesn't tell: an answer may have no date, one that can't be
    /// understood, or several.
    pub fn served_at(&self) -> Result<Timestamp, String> {
        let mut dates = self.headers.get_all(DATE).iter();
        match (dates.next(), dates.next()) {
            (None, _) => Err("its answer has no Date header".to_owned()),
            (Some(_), Some(_)) => Err("its answer has more than one Date header".to_owned()),
            (Some(date), None) => {
                let understood = date.to_str().ok().and_then(http_date);
                understood.ok_or_else(|| "the Date header of its answer can't be understood".to_owned())
            }
        }
    }

    /// The body as JSON of a known shape.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, CallError> {
        serde_json::from_slice(&self.body).map_err(|error| self.unreadable(&format!("at byte {}", error.column())))
    }

    /// Whether there is no body.
    pub(super) fn is_empty(&self) -> bool {
        self.body.is_empty()
    }

    /// The body as text.
    pub fn text(&self) -> Result<&str, CallError> {
        std::str::from_utf8(&self.body).map_err(|_| self.unreadable("it isn't text"))
    }

    /// The error that says this answer can't be understood.
    pub fn unreadable(&self, detail: &str) -> CallError {
        CallError {
            operation: self.operation,
            failure: Failure::Unreadable { detail: self.held.scrub(detail) },
            attempts: 1,
            correlation: self.correlation.clone(),
        }
    }

    /// Words of the service that say what went wrong inside a successful answer, fit to be shown.
    pub(super) fn words(&self, text: &str) -> String {
        brief(&self.held.scrub(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::azure::operations::{LIST_SECRET_VERSIONS, SET_SECRET};

    #[test]
    fn nothing_that_may_be_secret_shows() {
        #[derive(Serialize)]
        struct Secret {
            value: &'static str,
        }
        let call = Call::of(&SET_SECRET).secret_json("application/json", &Secret { value: "hidden\"value" }).unwrap();
        assert_eq!(call.body.as_ref().unwrap().bytes.as_slice(), br#"{"value":"hidden\"value"}"#);
        let call = call.secret_header("Ocp-Apim-Subscription-Key", &SecretString::from("hidden-key"));
        let answer = Answer {
            operation: SET_SECRET.facts(),
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            body: b"hidden".to_vec().into(),
            correlation: None,
            held: Rc::default(),
        };
        let shown = format!("{call:?} {answer:?}");
        assert!(!shown.contains("hidden"), "{shown}");
        // Nor as a list of bytes.
        assert!(!shown.contains("104, 105"), "{shown}");
    }

    #[test]
    fn only_one_date_that_is_one_tells_the_time() {
        let told = |dates: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for date in dates {
                headers.append(DATE, http::HeaderValue::from_static(date));
            }
            let operation = SET_SECRET.facts();
            let (status, body, held) = (StatusCode::OK, Vec::new().into(), Rc::default());
            Answer { operation, status, headers, body, correlation: None, held }.served_at()
        };
        let good = "Fri, 20 Nov 2026 12:00:00 GMT";
        assert_eq!(told(&[good]), Ok("2026-11-20T12:00:00Z".parse().unwrap()));
        for (dates, why) in [
            (&[][..], "no Date"),
            (&[good, good], "more than one"),
            (&[good, "Fri, 20 Nov 2020 12:00:00 GMT"], "more than one"),
            (&["yesterday"], "can't be understood"),
            (&[""], "can't be understood"),
        ] {
            assert!(told(dates).unwrap_err().contains(why), "{dates:?}");
        }
    }

    #[test]
    fn a_name_can_not_become_a_path() {
        let call = Call::of(&LIST_SECRET_VERSIONS).path("secretName", "../keys/x?y#z");
        assert_eq!(call.path, "/secrets/..%2Fkeys%2Fx%3Fy%23z/versions");
    }
}
