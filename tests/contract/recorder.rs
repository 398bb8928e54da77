//! A loopback proxy between a client and the emulator that remembers what went through, bodies included.
//!
//! It passes `Host` on, so that links in answers lead back to it, and the hosts of vaults stay what they are.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use http::HeaderMap;
use http::header::HOST;
use url::Url;

/// A request that is wrong on purpose carries this: then only its answer is compared.
pub(crate) const WRONG: &str = "x-contract-wrong";

/// What went through.
#[derive(Debug, Clone)]
pub(crate) struct Exchange {
    pub(crate) method: String,
    pub(crate) host: String,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) sent: Vec<u8>,
    pub(crate) wrong: bool,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) got: Vec<u8>,
}

/// The proxy.
#[derive(Clone)]
pub(crate) struct Recorder {
    target: Url,
    http: reqwest::Client,
    exchanges: Arc<Mutex<Vec<Exchange>>>,
}

impl Recorder {
    /// Starts in front of an emulator; the address is where clients go.
    pub(crate) async fn start(target: &Url, exchanges: Arc<Mutex<Vec<Exchange>>>) -> Url {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let recorder = Self { target: target.clone(), http, exchanges };
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(pass).with_state(recorder);
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        format!("http://{address}/").parse().unwrap()
    }
}

async fn pass(State(recorder): State<Recorder>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let sent = to_bytes(body, usize::MAX).await.unwrap().to_vec();
    let target = parts.uri.path_and_query().map_or("/", |p| p.as_str());
    let base = recorder.target.as_str().trim_end_matches('/');
    let mut headers = parts.headers.clone();
    let wrong = headers.remove(WRONG).is_some();
    let host = headers.get(HOST).and_then(|h| h.to_str().ok()).unwrap_or_default().to_owned();
    let request = recorder.http.request(parts.method.clone(), format!("{base}{target}"));
    let answer = request.headers(headers).body(sent.clone()).send().await.unwrap();
    let (status, headers) = (answer.status(), answer.headers().clone());
    let got = answer.bytes().await.unwrap().to_vec();
    let query = parts.uri.query().unwrap_or_default();
    recorder.exchanges.lock().unwrap().push(Exchange {
        method: parts.method.to_string(),
        host,
        path: parts.uri.path().to_owned(),
        query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        sent,
        wrong,
        status: status.as_u16(),
        headers: headers.clone(),
        got: got.clone(),
    });
    let mut response = Response::new(Body::from(got));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}
