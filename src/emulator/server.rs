//! From the wire to the services and back: connections, faults, the request log, the headers of every answer.
//!
//! Faults strike here, below the router, so that a reset or a cut answer is real on the wire, for http and https alike, and the
//! same without a wire. What must stay true: a request that was taken up is handled to its end even if the client has gone, as a real service does;
//! control routes are neither logged nor struck.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt as _;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, DATE, HOST, HeaderName, HeaderValue};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;
use url::{Host, Url};

use super::call::{Answer, Call, Origin};
use super::faults::{Action, Faults, Headers, Rule, Strike};
use super::log::Seen;
use super::unserved::{self, NotServed};
use super::{
    Observer, SeenRequest, Shared, StartError, arm, control, customer_insights, entra, gate, graph, key_vault,
    power_platform,
};

/// The largest body that is read.
const LARGEST_BODY: usize = 4 << 20;

/// The headers that an answer repeats from its request.
const ECHOED: [HeaderName; 2] =
    [HeaderName::from_static("x-ms-client-request-id"), HeaderName::from_static("x-ms-correlation-request-id")];

/// The connection ends without an answer.
#[derive(Debug, thiserror::Error)]
#[error("no answer")]
pub(crate) struct Gone;

/// Listens on a loopback address.
pub(crate) async fn listen(address: SocketAddr, scheme: &str) -> Result<(TcpListener, Url), StartError> {
    if !address.ip().is_loopback() {
        return Err(StartError::NotLoopback(address));
    }
    let bind = |source| StartError::Bind { address, source };
    let listener = TcpListener::bind(address).await.map_err(bind)?;
    let bound = listener.local_addr().map_err(bind)?;
    let url = Url::parse(&format!("{scheme}://{bound}/")).map_err(|_| StartError::Url(bound))?;
    Ok((listener, url))
}

/// Everything between the listeners and the services.
pub(crate) struct Server {
    router: Router,
    /// For requests to a vault's host.
    vaults: Router,
    shared: Arc<Shared>,
    faults: Faults,
    observer: Option<Arc<dyn Observer>>,
    stopped: watch::Receiver<bool>,
    /// Dropped with the last task that uses the server, which tells the one who stops it.
    _alive: mpsc::Sender<()>,
}

impl Server {
    pub(crate) fn new(
        shared: Arc<Shared>,
        faults: Vec<Rule>,
        observer: Option<Arc<dyn Observer>>,
        stopped: watch::Receiver<bool>,
        alive: mpsc::Sender<()>,
    ) -> Self {
        let router = Router::new()
            .merge(control::routes())
            .merge(entra::routes())
            .merge(customer_insights::routes())
            .merge(graph::routes())
            .merge(arm::routes())
            .merge(power_platform::routes())
            .fallback(nothing_here)
            .with_state(Arc::clone(&shared));
        let vaults = key_vault::routes().with_state(Arc::clone(&shared));
        Self { router, vaults, shared, faults: Faults::new(faults), observer, stopped, _alive: alive }
    }

    /// Takes connections until the emulator stops.
    pub(crate) async fn accept(self: Arc<Self>, listener: TcpListener, tls: Option<TlsAcceptor>, origin: Url) {
        let mut stopped = self.stopped.clone();
        loop {
            tokio::select! {
                _ = stopped.changed() => return,
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        tokio::spawn(Arc::clone(&self).connection(stream, tls.clone(), origin.clone()));
                    }
                    // Out of descriptors, or a client that left at once: the next one may fare better.
                    Err(_) => tokio::task::yield_now().await,
                },
            }
        }
    }

    async fn connection(self: Arc<Self>, stream: TcpStream, tls: Option<TlsAcceptor>, origin: Url) {
        // Without it, small answers wait for the client's acknowledgements.
        let _ = stream.set_nodelay(true);
        let mut stopped = self.stopped.clone();
        let serve = async {
            match tls {
                None => self.serve(stream, origin).await,
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        self.serve(stream, origin).await;
                    }
                }
            }
        };
        tokio::select! {
            _ = stopped.changed() => {}
            () = serve => {}
        }
    }

    async fn serve(self: Arc<Self>, stream: impl AsyncRead + AsyncWrite + Unpin, origin: Url) {
        let service = service_fn(|request| Arc::clone(&self).request(origin.clone(), request));
        // An error here is a client that left, or a connection that a fault ended.
        // Every answer has a date of the emulator's own clock, unless a fault takes it away.
        let mut http = hyper::server::conn::http1::Builder::new();
        let _ = http.auto_date_header(false).serve_connection(TokioIo::new(stream), service).await;
    }

    /// One request from a connection: read in full, then handled by a task of its own.
    async fn request(self: Arc<Self>, origin: Url, request: Request<Incoming>) -> Result<Response<Body>, Gone> {
        let (parts, body) = request.into_parts();
        match Limited::new(body, LARGEST_BODY).collect().await {
            Ok(body) => self.take_up(&origin, Request::from_parts(parts, body.to_bytes())).await,
            Err(_) => Ok(self.too_large(&parts.headers)),
        }
    }

    fn too_large(&self, headers: &HeaderMap) -> Response<Body> {
        let answer = Answer::empty(StatusCode::PAYLOAD_TOO_LARGE);
        self.finish(axum::response::IntoResponse::into_response(answer), headers)
    }

    /// One whole request, from wherever it came.
    pub(crate) async fn take_up(
        self: Arc<Self>,
        origin: &Url,
        request: Request<Bytes>,
    ) -> Result<Response<Body>, Gone> {
        let headers = request.headers().clone();
        if request.body().len() > LARGEST_BODY {
            return Ok(self.too_large(&headers));
        }
        let origin = reached(origin, &headers);
        let mut request = request.map(Body::from);
        request.extensions_mut().insert(Origin(origin));
        let mut stopped = self.stopped.clone();
        let task = tokio::spawn(async move {
            tokio::select! {
                _ = stopped.changed() => Err(Gone),
                response = self.handle(request, &headers) => response,
            }
        });
        task.await.unwrap_or(Err(Gone))
    }

    async fn handle(&self, request: Request<Body>, headers: &HeaderMap) -> Result<Response<Body>, Gone> {
        let path = request.uri().path().to_owned();
        let vault = request.extensions().get::<Origin>().and_then(|o| key_vault::vault_of(&o.0)).map(str::to_owned);
        if vault.is_none() && (path == control::PREFIX || path.starts_with("/_emulator/")) {
            return Ok(self.finish(self.route(request).await?, headers));
        }
        let seen = SeenRequest {
            method: request.method().to_string(),
            vault,
            path,
            query: request.uri().query().map(str::to_owned),
            caller: gate::peek(&self.shared, headers).map(|claims| claims.appid),
        };
        let number = self.shared.log.arrived(Seen {
            method: seen.method.clone(),
            vault: seen.vault.clone(),
            path: seen.path.clone(),
            status: None,
            caller: seen.caller,
        });
        let (response, replaced) = self.struck(&seen, request).await?;
        self.shared.log.answered(number, response.status().as_u16());
        Ok(replace(self.finish(response, headers), replaced))
    }

    /// Handles a request, or lets a fault have it; tells which headers the answer is to have instead of its own.
    async fn struck(&self, seen: &SeenRequest, request: Request<Body>) -> Result<(Response<Body>, Headers), Gone> {
        if let Some(observer) = &self.observer {
            observer.before(seen).await;
        }
        let Strike { delay, headers, action } = self.faults.strike(&seen.method, &seen.path);
        if let Ok(delay) = Duration::try_from(delay)
            && !delay.is_zero()
        {
            self.shared.clock.sleep_serving(delay).await;
        }
        match &action {
            Some(Action::Reset) => return Err(Gone),
            Some(Action::Status { code, body, headers: its }) => {
                return Ok((substitute(*code, body.as_ref(), its), headers));
            }
            Some(Action::Quote { code }) => {
                let body = quote(request).await?;
                return Ok((substitute(*code, Some(&body), &BTreeMap::new()), headers));
            }
            _ => {}
        }
        let response = self.route(request).await?;
        if let Some(observer) = &self.observer {
            observer.after(seen, response.status().as_u16()).await;
        }
        match action {
            Some(Action::LoseAnswer) => Err(Gone),
            Some(Action::Truncate) => Ok((truncate(response).await?, headers)),
            // Abort, not exit: nothing may run any more, no destructor and no flush, as when the power goes.
            Some(Action::Crash) => std::process::abort(),
            _ => Ok((response, headers)),
        }
    }

    async fn route(&self, request: Request<Body>) -> Result<Response<Body>, Gone> {
        let vault = request.extensions().get::<Origin>().is_some_and(|o| key_vault::vault_of(&o.0).is_some());
        let router = if vault { &self.vaults } else { &self.router };
        router.clone().oneshot(request).await.map(unserved::marked).map_err(|never| match never {})
    }

    /// What every answer carries.
    fn finish(&self, mut response: Response<Body>, request: &HeaderMap) -> Response<Body> {
        let headers = response.headers_mut();
        let date = self.shared.clock.now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let id = self.shared.ids.new_id().to_string();
        for (name, value) in [(DATE, date), (HeaderName::from_static("x-ms-request-id"), id)] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.entry(name).or_insert(value);
            }
        }
        for name in ECHOED {
            if let Some(value) = request.get(&name) {
                headers.insert(name, value.clone());
            }
        }
        response
    }
}

/// No service is here, unless the path is one of ARM's or Power Platform's in another case than the routes are.
async fn nothing_here(shared: State<Arc<Shared>>, call: Call) -> Answer {
    if arm::is_ours(&call) {
        return arm::serve(shared, call).await;
    }
    if power_platform::is_ours(&call) {
        return power_platform::serve(shared, call).await;
    }
    let NotServed { message } = NotServed::route(&call);
    Answer::json(unserved::STATUS, json!({ "error": { "code": unserved::CODE, "message": message } }))
}

/// The origin that the client used, if its `Host` is a name of this machine, else the listener's. Links in answers start
/// with it, since a client may follow only links to where it already is.
fn reached(listener: &Url, headers: &HeaderMap) -> Url {
    let host = headers.get(HOST).and_then(|h| h.to_str().ok());
    let url = host.and_then(|h| Url::parse(&format!("{}://{h}/", listener.scheme())).ok());
    let local = |url: &Url| match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    url.filter(local).unwrap_or_else(|| listener.clone())
}

fn substitute(code: u16, body: Option<&Value>, headers: &BTreeMap<String, String>) -> Response<Body> {
    let mut response = Response::new(body.map_or_else(Body::empty, |b| Body::from(b.to_string())));
    *response.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if body.is_some() {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    }
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse::<HeaderValue>()) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// An error, as each of the services would write it, that quotes a request.
async fn quote(request: Request<Body>) -> Result<Value, Gone> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Gone)?.to_bytes();
    let headers =
        parts.headers.iter().map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())));
    let sent = headers.chain([String::from_utf8_lossy(&body).into_owned()]).collect::<Vec<_>>().join("; ");
    let encoded: String = url::form_urlencoded::byte_serialize(sent.as_bytes()).collect();
    let message = format!("not understood: {sent} | {encoded} | {}", STANDARD.encode(&sent));
    let error = json!({ "code": "BadRequest", "message": message });
    Ok(json!({ "error": error, "error_description": message, "message": message }))
}

/// The answer with other values of some headers.
fn replace(mut response: Response<Body>, replaced: Headers) -> Response<Body> {
    for (name, values) in replaced {
        let Ok(name) = name.parse::<HeaderName>() else { continue };
        response.headers_mut().remove(&name);
        for value in values.iter().filter_map(|value| value.parse::<HeaderValue>().ok()) {
            response.headers_mut().append(name.clone(), value);
        }
    }
    response
}

/// Half of the body under the full length. An empty body can't be cut, so then the connection just ends.
async fn truncate(response: Response<Body>) -> Result<Response<Body>, Gone> {
    let (mut parts, body) = response.into_parts();
    let whole = body.collect().await.map_err(|_| Gone)?.to_bytes();
    if whole.is_empty() {
        return Err(Gone);
    }
    parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(whole.len()));
    let half = whole.slice(..whole.len() / 2);
    let cut =
        futures_util::stream::once(async move { Ok::<Bytes, Gone>(half) }).chain(futures_util::stream::once(async {
            // The first half is written only while the body has nothing more to give.
            tokio::task::yield_now().await;
            Err(Gone)
        }));
    Ok(Response::from_parts(parts, Body::from_stream(cut)))
}
