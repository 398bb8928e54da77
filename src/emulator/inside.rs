//! The emulator as an [`Exchange`]: its router inside the process, without sockets.
//!
//! Invariants: a request takes the same way as over a socket, with its faults, its log and its observer; what ends a
//! connection there breaks the exchange here, in the way that a client would see it.

use std::sync::Arc;
use std::sync::Weak;

use async_trait::async_trait;
use axum::body::{Body, Bytes};
use http::header::{CONTENT_LENGTH, HOST, HeaderValue};
use http_body_util::BodyExt as _;
use url::Url;

use super::server::{Gone, Server};
use crate::azure::exchange::{Broken, Exchange, Gathered, Request, Response};

/// Carries requests to an emulator in this process.
#[derive(Clone)]
pub struct Inside {
    /// Gone once the emulator has stopped.
    server: Weak<Server>,
    origin: Url,
}

impl Inside {
    pub(super) fn new(server: &Arc<Server>, origin: Url) -> Self {
        Self { server: Arc::downgrade(server), origin }
    }

    /// Whether a socket under the emulator's address would have been reached.
    fn is_mine(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default();
        let local = host == "localhost" || host.ends_with(".localhost") || Some(host) == self.origin.host_str();
        local && (url.scheme(), url.port()) == (self.origin.scheme(), self.origin.port())
    }
}

#[async_trait(?Send)]
impl Exchange for Inside {
    async fn exchange(&self, request: Request) -> Result<Response, Broken> {
        let Request { operation: _, method, url, headers, body } = request;
        let Some(server) = self.server.upgrade().filter(|_| self.is_mine(&url)) else {
            return Err(Broken::NotConnected(format!("nothing listens at {}", url.authority())));
        };
        let body = body.map_or_else(Bytes::new, Bytes::from_owner);
        let mut inner = http::Request::new(body);
        let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
        *inner.uri_mut() = target.parse().map_err(|_| Broken::Unsendable(format!("`{target}` can't be asked for")))?;
        *inner.method_mut() = method;
        *inner.headers_mut() = headers;
        let host = HeaderValue::from_str(url.authority()).map_err(|error| Broken::Unsendable(error.to_string()))?;
        inner.headers_mut().insert(HOST, host);
        let answer = server.take_up(&self.origin, inner).await;
        let (parts, body) = answer.map_err(|Gone| Broken::Reset(Gone.to_string()))?.into_parts();
        let body = whole(body).await?;
        // A body that ends before its announced length is cut, even if nothing else shows it.
        let announced =
            parts.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
        let response = Response { status: parts.status, headers: parts.headers, body: body.whole() };
        match announced {
            Some(length) if length > response.body.len() => Err(cut()),
            _ => Ok(response),
        }
    }
}

async fn whole(mut body: Body) -> Result<Gathered, Broken> {
    let mut gathered = Gathered::default();
    while let Some(frame) = body.frame().await {
        if let Ok(chunk) = frame.map_err(|_| cut())?.into_data() {
            gathered.push(&chunk)?;
        }
    }
    Ok(gathered)
}

fn cut() -> Broken {
    Broken::Truncated("the connection ended within the answer".to_owned())
}
