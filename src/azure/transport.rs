//! Sends a call: host check, token, tries and waits, request log.
//!
//! What must stay true: redirects are off; no proxy stands between palisade and an emulator; nothing secret is logged;
//! the number of requests in flight to one host is capped; the HTTP client is built when the first call is made, since
//! that costs more than all of `palisade validate`.

use std::cell::RefCell;
use std::collections::HashMap;
use std::error::Error as _;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, DATE, HeaderName, RETRY_AFTER};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;
use url::Url;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::call::{Answer, Base, Call};
use super::error::{CallError, Failure};
use super::hosts::{Hosts, Loopback};
use super::identity::{Bearers, Claims};
use super::operations::{Facts, Service};
use super::refusal::status_failure;
use super::retry::{self, Decision, Limits, Try};
use super::token::{Token, TokenError, TokenSource};
use crate::clock::Clock;
use crate::terms::Face;

/// The target of the request log.
pub const REQUEST_LOG: &str = "palisade::requests";

/// The largest answer that is read; a longer one is a fault of the service, not data.
const LARGEST_ANSWER: usize = 16 * 1024 * 1024;

/// Somebody who wants to know why nothing happens.
pub trait Notices {
    /// A call waits before its next try.
    fn waiting(&self, waiting: &Waiting<'_>);
}

/// A wait between two tries.
#[derive(Debug)]
pub struct Waiting<'a> {
    /// The service that is called.
    pub service: Service,
    /// Why the last try failed.
    pub failure: &'a Failure,
    /// How long the wait takes.
    pub wait: Duration,
}

/// Hears nothing.
#[derive(Debug, Clone, Copy)]
pub struct Quiet;

impl Notices for Quiet {
    fn waiting(&self, _: &Waiting<'_>) {}
}

/// How a transport behaves.
pub struct Settings {
    /// Where calls go.
    pub hosts: Hosts,
    /// The face of Customer Insights that documented operations use.
    pub face: Face,
    /// The subscription key that the gateway face demands.
    pub subscription_key: Option<SecretString>,
    /// Gets tokens.
    pub tokens: Box<dyn TokenSource>,
    /// Time.
    pub clock: Clock,
    /// Bounds of one call.
    pub limits: Limits,
    /// Requests in flight to one host.
    pub per_host: usize,
    /// Hears about waits.
    pub notices: Rc<dyn Notices>,
}

/// The one way to the services.
pub struct Transport {
    settings: Settings,
    http: RefCell<Option<reqwest::Client>>,
    in_flight: RefCell<HashMap<String, Arc<Semaphore>>>,
    bearers: RefCell<Bearers>,
}

impl Transport {
    /// A transport; makes no connection yet.
    pub fn new(settings: Settings) -> Self {
        Self { settings, http: RefCell::default(), in_flight: RefCell::default(), bearers: RefCell::default() }
    }

    /// The transport's clock.
    pub fn clock(&self) -> &Clock {
        &self.settings.clock
    }

    /// Signs in to Customer Insights, so that a mistake in the credentials shows before anything else does, and says what
    /// that token names; nothing if it is opaque.
    pub async fn caller(&self) -> Result<Option<Claims>, TokenError> {
        let Some(audience) = Service::CustomerInsights.audience() else { return Ok(None) };
        Ok(self.token(audience).await?.claims())
    }

    /// The tokens that this run obtained so far.
    pub fn bearers(&self) -> Bearers {
        self.bearers.borrow().clone()
    }

    /// The only way to a token: each is taken note of.
    async fn token(&self, audience: &'static str) -> Result<Token, TokenError> {
        let token = self.settings.tokens.token(self, audience).await?;
        self.bearers.borrow_mut().note(audience, token.claims());
        Ok(token)
    }

    /// Sends a call until there is an answer, a refusal, or no patience left.
    pub(super) async fn send<E>(&self, call: &Call<E>) -> Result<Answer, CallError> {
        let facts = call.facts();
        let failed = |failure, attempts, correlation| CallError { operation: facts, failure, attempts, correlation };
        let url = self.address(call).map_err(|detail| failed(Failure::HostRefused { detail }, 0, None))?;
        let started = self.clock().now();
        let mut number = 0;
        loop {
            number += 1;
            let correlation = Uuid::new_v4();
            let (failure, retry_after) = match self.attempt(call, &url, correlation).await {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            let attempt = Try {
                failure: &failure,
                retry_after,
                repeatable: facts.repeatable,
                number,
                elapsed: Duration::try_from(self.clock().now().duration_since(started)).unwrap_or_default(),
                jitter: correlation.as_bytes()[0],
            };
            match retry::decide(&attempt, self.settings.limits) {
                Decision::Wait(wait) => {
                    self.settings.notices.waiting(&Waiting { service: facts.service, failure: &failure, wait });
                    self.clock().sleep(wait).await;
                }
                Decision::Stop => return Err(failed(failure, number, Some(correlation.to_string()))),
                Decision::Impatient(asked) => {
                    let status = match failure {
                        Failure::Status { status, .. } => status,
                        _ => 0,
                    };
                    let throttled = Failure::Throttled { status, seconds: asked.as_secs() };
                    return Err(failed(throttled, number, Some(correlation.to_string())));
                }
            }
        }
    }

    fn address<E>(&self, call: &Call<E>) -> Result<Url, String> {
        let Facts { service, api_version, .. } = *call.facts();
        let hosts = &self.settings.hosts;
        // Such a segment would make another path of it, however it is encoded.
        if call.path.split('/').skip(1).any(|segment| matches!(segment, "" | "." | "..")) {
            return Err("a name in its path is empty, or nothing but dots".to_owned());
        }
        let url = match &call.base {
            Base::Link { to, from } => {
                let from: Url = self.base(service, from)?.parse().map_err(|_| "no address".to_owned())?;
                if to.origin() != from.origin() {
                    return Err(format!("its next page lies on another host, {}", to.host_str().unwrap_or_default()));
                }
                to.clone()
            }
            base => {
                let base = self.base(service, base)?;
                let mut url: Url =
                    format!("{base}{}", call.path).parse().map_err(|_| format!("`{base}` is no address"))?;
                if let Some(version) = api_version {
                    url.query_pairs_mut().append_pair("api-version", version);
                }
                if !call.query.is_empty() {
                    url.query_pairs_mut().extend_pairs(&call.query);
                }
                url
            }
        };
        hosts.check(service, &url).map_err(|refused| refused.to_string())?;
        Ok(url)
    }

    fn base(&self, service: Service, base: &Base) -> Result<String, String> {
        match base {
            Base::Service => Ok(self.settings.hosts.base(service, self.settings.face)),
            Base::ScaleUnit(base) => Ok(format!("{}/api", base.as_str().trim_end_matches('/'))),
            Base::Vault(name) => self.settings.hosts.vault(name).map_err(|refused| refused.to_string()),
            Base::Link { from, .. } => self.base(service, from),
        }
    }

    /// One try, logged.
    async fn attempt<E>(
        &self,
        call: &Call<E>,
        url: &Url,
        correlation: Uuid,
    ) -> Result<Answer, (Failure, Option<Duration>)> {
        // First the token, then a place in the queue: fetching a token may need a place at the same host, and whoever
        // waits for the token must not keep that place taken.
        let request = self.request(call, url, correlation).await;
        let permits = self.permits(url);
        let _permit = permits.acquire().await;
        let began = Instant::now();
        let outcome = match request {
            Ok(request) => self.exchange(call, request, correlation).await,
            Err(failure) => Err((failure, None)),
        };
        let status = match &outcome {
            Ok(answer) => answer.status.as_u16().to_string(),
            Err((Failure::Status { status, .. }, _)) => status.to_string(),
            Err((failure, _)) => format!("{failure:?}").split([' ', '{', '(']).next().unwrap_or_default().to_owned(),
        };
        let Facts { name, method, .. } = *call.facts();
        tracing::debug!(
            target: REQUEST_LOG,
            "{method} {name} -> {status} in {} ms, correlation {correlation}",
            began.elapsed().as_millis()
        );
        outcome
    }

    async fn exchange<E>(
        &self,
        call: &Call<E>,
        request: reqwest::Request,
        correlation: Uuid,
    ) -> Result<Answer, (Failure, Option<Duration>)> {
        let definite = |failure| (failure, None);
        let client = self.client().map_err(definite)?;
        let mut response = client.execute(request).await.map_err(|error| definite(broken(&error)))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = Zeroizing::new(Vec::new());
        while let Some(chunk) = response.chunk().await.map_err(|error| definite(broken(&error)))? {
            append(&mut body, &chunk);
            if body.len() > LARGEST_ANSWER {
                let detail = format!("it is longer than {LARGEST_ANSWER} bytes");
                return Err(definite(Failure::Unreadable { detail }));
            }
        }
        if status.is_success() {
            let correlation = Some(correlation.to_string());
            return Ok(Answer { operation: call.facts(), status, headers, body, correlation });
        }
        let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let wait = text(RETRY_AFTER).and_then(|value| retry::retry_after(value, text(DATE), self.clock().now()));
        Err((status_failure(status.as_u16(), &body), wait))
    }

    async fn request<E>(&self, call: &Call<E>, url: &Url, correlation: Uuid) -> Result<reqwest::Request, Failure> {
        let Facts { service, method, .. } = *call.facts();
        let method: http::Method =
            method.parse().map_err(|_| Failure::NotSent { detail: format!("no method {method}") })?;
        let mut builder = self
            .client()?
            .request(method.clone(), url.clone())
            .header("accept", "application/json")
            .header("x-ms-client-request-id", correlation.to_string());
        if let Some(audience) = service.audience() {
            let token = self.token(audience).await.map_err(Failure::Token)?;
            let text = Zeroizing::new(format!("Bearer {}", token.secret.expose_secret()));
            builder = builder.header(AUTHORIZATION, secret_header(&text)?);
        }
        if service == Service::CustomerInsights
            && self.settings.face == Face::Gateway
            && let Some(key) = &self.settings.subscription_key
        {
            builder = builder.header("Ocp-Apim-Subscription-Key", secret_header(key.expose_secret())?);
        }
        for (name, value) in &call.headers {
            builder = builder.header(*name, *value);
        }
        if let Some((name, value)) = &call.secret_header {
            builder = builder.header(*name, secret_header(value.expose_secret())?);
        }
        match &call.body {
            Some(body) => {
                // The copy is wiped, too, when the HTTP client lets go of it.
                let bytes = Bytes::from_owner(body.bytes.clone());
                builder = builder.header(CONTENT_TYPE, body.content_type).body(bytes);
            }
            None if method == http::Method::GET || method == http::Method::DELETE => {}
            // Microsoft's front ends answer 411 to a write that doesn't say that it has no body, and the HTTP client doesn't.
            None => builder = builder.header(CONTENT_LENGTH, 0),
        }
        builder.build().map_err(|error| Failure::NotSent { detail: error.to_string() })
    }

    fn permits(&self, url: &Url) -> Arc<Semaphore> {
        let host = url.authority().to_owned();
        let per_host = self.settings.per_host.max(1);
        self.in_flight.borrow_mut().entry(host).or_insert_with(|| Arc::new(Semaphore::new(per_host))).clone()
    }

    fn client(&self) -> Result<reqwest::Client, Failure> {
        let mut slot = self.http.borrow_mut();
        if let Some(client) = &*slot {
            return Ok(client.clone());
        }
        let client = build_client(&self.settings.hosts).map_err(|detail| Failure::NotSent { detail })?;
        Ok(slot.insert(client).clone())
    }
}

/// The HTTP client. For an emulator it trusts no certificate at all, since it only ever speaks plain http to loopback.
fn build_client(hosts: &Hosts) -> Result<reqwest::Client, String> {
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

/// Appends to a buffer that may hold a secret: where it must grow, the old memory is wiped before it is let go.
fn append(body: &mut Zeroizing<Vec<u8>>, chunk: &[u8]) {
    let length = body.len() + chunk.len();
    if length > body.capacity() {
        let mut wider = Zeroizing::new(Vec::with_capacity(length.next_power_of_two()));
        wider.extend_from_slice(body);
        *body = wider;
    }
    body.extend_from_slice(chunk);
}

fn trusting_nobody() -> Result<rustls::ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    Ok(config.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth())
}

fn secret_header(value: &str) -> Result<http::HeaderValue, Failure> {
    let mut header = http::HeaderValue::from_str(value)
        .map_err(|_| Failure::NotSent { detail: "a secret holds characters that a header can't carry".to_owned() })?;
    header.set_sensitive(true);
    Ok(header)
}

fn broken(error: &reqwest::Error) -> Failure {
    let mut detail = if error.is_timeout() { "it took too long".to_owned() } else { String::new() };
    let mut cause = error.source();
    while let (Some(inner), true) = (cause, detail.is_empty() || !error.is_timeout()) {
        detail = inner.to_string();
        cause = inner.source();
    }
    match error.is_connect() || error.is_builder() {
        true => Failure::NotSent { detail },
        false => Failure::NoAnswer { detail },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_put_together_from_its_chunks() {
        let mut body = Zeroizing::new(Vec::new());
        for chunk in [b"one".as_slice(), b"", b" and two and three"] {
            append(&mut body, chunk);
        }
        assert_eq!(body.as_slice(), b"one and two and three");
    }
}
