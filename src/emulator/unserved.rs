//! What the emulator says where it has no answer: one status and one code, in the envelope of whichever service was asked.
//!
//! Words: a request is *served* if its path, its method and every option of its query are. Invariants: what isn't served is
//! never answered with a service's own words for something absent; no option is passed over, since the answer would be to
//! another question; a write that isn't served changes nothing.

use axum::body::Body;
use http::header::{HeaderName, HeaderValue};
use http::{Method, Response, StatusCode};

use super::call::{Answer, Call};

/// The status. A 404 would say that there is no such thing, and a 400 or 405 that the service itself refuses.
pub(crate) const STATUS: StatusCode = StatusCode::NOT_IMPLEMENTED;
/// The code.
pub(crate) const CODE: &str = "NotServedByEmulator";

/// Why there is no answer. Each service turns it into an error of its own.
#[derive(Debug)]
pub(crate) struct NotServed {
    /// For people.
    pub(crate) message: String,
}

impl NotServed {
    fn new(call: &Call, rest: &str) -> Self {
        let Call { method, .. } = call;
        Self { message: format!("The emulator doesn't serve {method} /{}{rest}.", call.segments.join("/")) }
    }

    /// No route takes the path.
    pub(crate) fn route(call: &Call) -> Self {
        Self::new(call, "")
    }

    /// The path is served, for other methods.
    pub(crate) fn method(call: &Call, served: &[Method]) -> Self {
        let names: Vec<&str> = served.iter().map(Method::as_str).collect();
        Self::new(call, &format!("; here it serves {}", names.join(", ")))
    }

    /// The route is served, without this part: an option of the query, a member of the body.
    pub(crate) fn part(call: &Call, part: &str) -> Self {
        Self::new(call, &format!(" with {part}"))
    }
}

/// Serves a call, but not one with an option that serving it doesn't read. The options of a write are all read before, by the
/// gates, so that nothing is done that has to be taken back.
pub(crate) fn heeding<E: From<NotServed>>(call: &Call, serve: impl FnOnce() -> Result<Answer, E>) -> Result<Answer, E> {
    let read_in_full = || call.query.unread().map_or(Ok(()), |name| Err(NotServed::part(call, name)));
    if !matches!(call.method, Method::GET | Method::HEAD) {
        read_in_full()?;
    }
    let answer = serve()?;
    read_in_full()?;
    Ok(answer)
}

/// Marks an answer that says so, whatever its envelope. Nothing else is answered with this status.
pub(crate) fn marked(mut response: Response<Body>) -> Response<Body> {
    if response.status() == STATUS {
        let surface = HeaderName::from_static("x-emulated-surface");
        response.headers_mut().insert(surface, HeaderValue::from_static("not-served"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(method: Method, target: &str) -> Call {
        let (segments, query) = Call::split(target);
        let origin = url::Url::parse("http://localhost/").unwrap();
        Call { method, segments, query, headers: http::HeaderMap::new(), body: axum::body::Bytes::new(), origin }
    }

    #[test]
    fn only_calls_whose_options_are_all_read_are_answered() {
        let ask = |method: Method, target: &str| {
            let call = call(method, target);
            let mut served = false;
            let answer = heeding(&call, || {
                served = true;
                call.query.get("read");
                Ok::<_, NotServed>(Answer::empty(StatusCode::OK))
            });
            (served, answer.map(|answer| answer.status.as_u16()).map_err(|refused| refused.message))
        };
        assert_eq!(ask(Method::GET, "/a?READ=1&read=2"), (true, Ok(200)));
        assert_eq!(ask(Method::PUT, "/a"), (true, Ok(200)));
        let refused = |method: &str| Err(format!("The emulator doesn't serve {method} /a/b with $x."));
        assert_eq!(ask(Method::GET, "/a/b?read=1&$x=2"), (true, refused("GET")));
        // What writes isn't begun.
        assert_eq!(ask(Method::PUT, "/a/b?$x=2"), (false, refused("PUT")));
    }
}
