//! Requests over real connections.
//!
//! Invariants: redirects and the client's own retries are off; no proxy stands between palisade and an emulator, whose names
//! lead to loopback; the client is built for the first request, since that costs more than all of `palisade validate`; the
//! number of connections that are kept doesn't grow with the number of hosts.

use std::cell::RefCell;
use std::collections::HashSet;
use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use super::{Broken, Exchange, Gathered, Request, Response};
use crate::azure::hosts::{Hosts, Loopback};

/// How many hosts one client serves. It keeps a connection to each, and with it a file handle; a fleet has a vault for each
/// environment, and a run must do with the 256 handles that some systems give it.
const HOSTS: usize = 32;

/// Speaks HTTP to the hosts of a cloud, or to an emulator on this machine.
pub struct Http {
    hosts: Hosts,
    client: RefCell<Option<Client>>,
}

/// A client, and the hosts that it has connections to. Its idle connections end when the last request through it does.
struct Client {
    client: reqwest::Client,
    hosts: HashSet<String>,
}

impl Http {
    /// Makes no connection yet.
    pub fn new(hosts: &Hosts) -> Self {
        Self { hosts: hosts.clone(), client: RefCell::default() }
    }

    /// The client for a host; a new one where the old one has served enough of them.
    fn client(&self, host: &str) -> Result<reqwest::Client, Broken> {
        let mut slot = self.client.borrow_mut();
        let mut current = slot.take().filter(|current| current.hosts.len() < HOSTS || current.hosts.contains(host));
        let current = match current.take() {
            Some(current) => current,
            None => Client { client: build(&self.hosts).map_err(Broken::Unsendable)?, hosts: HashSet::new() },
        };
        let current = slot.insert(current);
        current.hosts.insert(host.to_owned());
        Ok(current.client.clone())
    }
}

#[async_trait(?Send)]
impl Exchange for Http {
    async fn exchange(&self, request: Request) -> Result<Response, Broken> {
        let Request { operation: _, method, url, headers, body } = request;
        let mut builder = self.client(url.authority())?.request(method, url).headers(headers);
        if let Some(body) = body {
            // Wiped when the HTTP client lets go of it.
            builder = builder.body(Bytes::from_owner(body));
        }
        let mut response = builder.send().await.map_err(|error| unanswered(&error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = Gathered::default();
        while let Some(chunk) = response.chunk().await.map_err(|error| cut(&error))? {
            body.push(&chunk)?;
        }
        Ok(Response { status, headers, body: body.whole() })
    }
}

/// For an emulator it trusts no certificate at all, since it only ever speaks plain http to loopback.
fn build(hosts: &Hosts) -> Result<reqwest::Client, String> {
    let builder = reqwest::Client::builder()
        .user_agent(concat!("palisade/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .connect_timeout(Duration::from_secs(10))
        .timeout(Duration::from_secs(60));
    let builder = match hosts {
        Hosts::Cloud(_) => builder.https_only(true),
        Hosts::Emulator { origin } => {
            let builder = builder.no_proxy().tls_backend_preconfigured(trusting_nobody()?);
            builder.dns_resolver(Arc::new(Loopback::of(origin)))
        }
    };
    builder.build().map_err(|error| error.to_string())
}

fn trusting_nobody() -> Result<rustls::ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    Ok(config.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth())
}

fn unanswered(error: &reqwest::Error) -> Broken {
    let detail = innermost(error);
    if error.is_builder() {
        Broken::Unsendable(detail)
    } else if error.is_connect() {
        Broken::NotConnected(detail)
    } else if error.is_timeout() {
        Broken::TimedOut(detail)
    } else {
        Broken::Reset(detail)
    }
}

fn cut(error: &reqwest::Error) -> Broken {
    let detail = innermost(error);
    if error.is_timeout() { Broken::TimedOut(detail) } else { Broken::Truncated(detail) }
}

fn innermost(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it took too long".to_owned();
    }
    let (mut detail, mut cause) = (String::new(), error.source());
    while let Some(inner) = cause {
        detail = inner.to_string();
        cause = inner.source();
    }
    detail
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::azure::exchange::LARGEST_ANSWER;

    /// An answer without an end, or one that announces a modest length and goes on, doesn't fill the memory.
    #[tokio::test]
    async fn an_answer_that_is_too_long_is_cut_off() {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin: url::Url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        let serve = async {
            let (mut socket, _) = listener.accept().await.unwrap();
            let _ = socket.read(&mut [0; 4096]).await.unwrap();
            socket.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n").await.unwrap();
            let chunk = vec![b'x'; 1024 * 1024];
            // Ends when the client hangs up, at the latest well after the limit.
            for _ in 0..4 * LARGEST_ANSWER / chunk.len() {
                if socket.write_all(&chunk).await.is_err() {
                    return;
                }
            }
        };
        let ask = async {
            let http = Http::new(&Hosts::emulator(&origin).unwrap());
            let operation = crate::azure::operations::LIST_INSTANCES.facts();
            let (method, headers) = (http::Method::GET, http::HeaderMap::new());
            http.exchange(Request { operation, method, url: origin.clone(), headers, body: None }).await
        };
        let (answer, ()) = tokio::join!(ask, serve);
        assert_eq!(answer.err(), Some(Broken::TooLong));
    }

    #[test]
    fn one_client_serves_so_many_hosts_and_no_more() {
        let http = Http::new(&Hosts::emulator(&"http://127.0.0.1:1/".parse().unwrap()).unwrap());
        let served = |http: &Http| http.client.borrow().as_ref().map_or(0, |client| client.hosts.len());
        for number in 0..HOSTS {
            http.client(&format!("kv-{number}")).unwrap();
        }
        assert_eq!(served(&http), HOSTS);
        http.client("kv-0").unwrap();
        assert_eq!(served(&http), HOSTS, "a host that it knows needs no other client");
        http.client("kv-more").unwrap();
        assert_eq!(served(&http), 1);
    }
}
