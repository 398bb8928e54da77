//! Each fault on the wire, what every answer carries, the observer, the control routes.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use palisade::emulator::{CLIENT_ID, Observer, SeenRequest, parse_rules};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::support::{Ask, BARE, CI, Fixture, INSTANCE, options, world};

async fn faulty(rules: &str) -> (Fixture, String) {
    let f = Fixture::with(options(world(), parse_rules(rules).unwrap())).await;
    let token = f.admin(CI).await;
    (f, token)
}

fn assignment() -> String {
    format!("/api/instances/{INSTANCE}/rbac/principals/{BARE}/assignment")
}

fn put(token: &str) -> Ask {
    Ask::token(token).json(&json!({ "roles": ["Viewer"] }))
}

fn assigned(f: &Fixture) -> bool {
    let world = f.emulator.world();
    world.instances[&INSTANCE].assignments.iter().any(|a| a.principal_id == BARE.to_string())
}

#[tokio::test]
async fn a_status_replaces_the_handling_for_the_nth_call() {
    let rules = "- operation: PUT */assignment\n  nth: 1\n  action: { status: { code: 503, body: { a: 1 }, \
                 headers: { Retry-After: '5' } } }\n";
    let (f, token) = faulty(rules).await;
    let struck = f.ask("PUT", &assignment(), put(&token)).await;
    assert_eq!((struck.status.as_u16(), struck.header("retry-after")), (503, Some("5")));
    assert_eq!(struck.json(), json!({ "a": 1 }));
    assert!(struck.header("x-ms-request-id").is_some() && !assigned(&f));
    assert_eq!(f.ask("PUT", &assignment(), put(&token)).await.status, 200);
    assert!(assigned(&f));
}

#[tokio::test]
async fn a_delay_passes_on_the_emulators_clock() {
    let (f, token) = faulty("- { operation: GET /api/instances, action: { delay: { by: PT10M } } }").await;
    let before = f.clock.now();
    assert_eq!(f.get("/api/instances", &token).await.status, 200);
    assert_eq!(f.clock.now().duration_since(before).as_mins(), 10);
}

#[tokio::test]
async fn a_reset_answers_nothing_and_does_nothing() {
    let (f, token) = faulty("- { operation: PUT, nth: 1, action: reset }").await;
    assert!(f.try_ask("PUT", &assignment(), put(&token)).await.is_err());
    assert!(!assigned(&f));
    assert_eq!(f.emulator.requests().last().unwrap().status, None);
}

#[tokio::test]
async fn a_truncated_answer_has_its_full_length_but_not_its_body() {
    let (f, token) = faulty("- { operation: GET /api/instances, action: truncate }").await;
    let response = f.http.get(f.url("/api/instances")).bearer_auth(&token).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.content_length().unwrap() > 100);
    assert!(response.text().await.is_err());
}

#[tokio::test]
async fn a_lost_answer_was_still_an_effect() {
    let (f, token) = faulty("- { operation: PUT, nth: 1, action: loseAnswer }").await;
    assert!(f.try_ask("PUT", &assignment(), put(&token)).await.is_err());
    assert!(assigned(&f));
}

#[tokio::test]
async fn faults_are_the_same_over_https() {
    let folder = tempfile::tempdir().unwrap();
    let rules = "- { operation: GET /a, action: reset }\n- { operation: GET /b, action: truncate }";
    let mut options = options(world(), parse_rules(rules).unwrap());
    options.https = Some(([127, 0, 0, 1], 0).into());
    options.certificate = Some(folder.path().join("emulator.pem"));
    let f = Fixture::with(options).await;
    let pem = std::fs::read(f.emulator.certificate().unwrap()).unwrap();
    let certificate = reqwest::Certificate::from_pem(&pem).unwrap();
    let client = reqwest::Client::builder().no_proxy().add_root_certificate(certificate).build().unwrap();
    let url = |path: &str| f.emulator.https().unwrap().join(path).unwrap();
    assert!(client.get(url("/a")).send().await.is_err());
    let cut = client.get(url("/b")).send().await.unwrap();
    assert_eq!(cut.status(), 501);
    assert!(cut.text().await.is_err());
}

/// Holds every write until it is let go, before or after it took effect.
struct Gate {
    after: bool,
    arrived: Notify,
    open: Notify,
}

impl Gate {
    fn hold(&self, request: &SeenRequest) -> BoxFuture<'_, ()> {
        let write = request.method == "PUT";
        Box::pin(async move {
            if write {
                self.arrived.notify_one();
                self.open.notified().await;
            }
        })
    }
}

impl Observer for Gate {
    fn before<'a>(&'a self, request: &'a SeenRequest) -> BoxFuture<'a, ()> {
        if self.after { Box::pin(async {}) } else { self.hold(request) }
    }

    fn after<'a>(&'a self, request: &'a SeenRequest, _: u16) -> BoxFuture<'a, ()> {
        if self.after { self.hold(request) } else { Box::pin(async {}) }
    }
}

#[tokio::test]
async fn an_observer_holds_a_call_before_or_after_its_effect() {
    for after in [false, true] {
        let gate = Arc::new(Gate { after, arrived: Notify::new(), open: Notify::new() });
        let mut options = options(world(), Vec::new());
        options.observer = Some(gate.clone());
        let f = Fixture::with(options).await;
        let token = f.admin(CI).await;
        let path = assignment();
        let writing = f.ask("PUT", &path, put(&token));
        let watching = async {
            gate.arrived.notified().await;
            let effect = assigned(&f);
            gate.open.notify_one();
            effect
        };
        let (reply, effect) = tokio::join!(writing, watching);
        assert_eq!((reply.status.as_u16(), effect), (200, after));
    }
}

#[tokio::test]
async fn a_client_that_leaves_does_not_undo_its_write() {
    let gate = Arc::new(Gate { after: false, arrived: Notify::new(), open: Notify::new() });
    let mut options = options(world(), Vec::new());
    options.observer = Some(gate.clone());
    let f = Fixture::with(options).await;
    let token = f.admin(CI).await;
    let path = assignment();
    tokio::select! {
        _ = f.ask("PUT", &path, put(&token)) => unreachable!("the gate is shut"),
        () = gate.arrived.notified() => {}
    }
    assert!(!assigned(&f));
    gate.open.notify_one();
    while !assigned(&f) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn every_answer_is_dated_and_numbered_and_repeats_the_clients_ids() {
    let f = Fixture::start().await;
    let token = f.admin(CI).await;
    for path in ["/api/instances", "/v1.0/users", "/v1/instances", "/nowhere", "/_emulator"] {
        let ask = Ask::token(&token).header("x-ms-client-request-id", "c1").header("x-ms-correlation-request-id", "c2");
        let reply = f.ask("GET", path, ask).await;
        assert_eq!(reply.header("date"), Some("Fri, 20 Nov 2026 12:00:00 GMT"), "{path}");
        assert!(reply.header("x-ms-request-id").is_some(), "{path}");
        assert_eq!(reply.header("x-ms-client-request-id"), Some("c1"), "{path}");
        assert_eq!(reply.header("x-ms-correlation-request-id"), Some("c2"), "{path}");
    }
}

#[tokio::test]
async fn control_routes_say_who_is_talking_and_are_not_struck() {
    let (f, token) = faulty("- { operation: GET *, action: reset }").await;
    let world = f.emulator.world();
    let tenant = world.tenant.unwrap().id;
    let identity = f.ask("GET", "/_emulator", Ask::default()).await.json();
    assert_eq!(identity, json!({ "world": world.world, "tenant": tenant, "now": "2026-11-20T12:00:00Z" }));
    let advance = |step: Value| f.ask("POST", "/_emulator/clock", Ask::default().json(&json!({ "advance": step })));
    assert_eq!(advance(json!("PT5M")).await.json(), json!({ "now": "2026-11-20T12:05:00Z" }));
    for wrong in [json!("-PT5M"), json!("soon"), json!(5), json!(null)] {
        assert_eq!(advance(wrong).await.status, 400);
    }
    assert!(f.try_ask("GET", "/api/instances", Ask::token(&token)).await.is_err());
    let requests = f.ask("GET", "/_emulator/requests", Ask::default()).await;
    assert!(!requests.text.contains(&token));
    let seen = requests.json();
    assert_eq!(seen.as_array().unwrap().len(), 2);
    assert_eq!(seen[1], json!({ "method": "GET", "path": "/api/instances", "status": null, "caller": CLIENT_ID }));
}

#[tokio::test]
async fn bodies_have_a_limit() {
    let f = Fixture::start().await;
    let token = f.admin(CI).await;
    let ask = Ask { body: Some("x".repeat((4 << 20) + 1)), ..put(&token) };
    // The server may answer, or hang up while the client still writes; it never takes the body.
    if let Ok(reply) = f.try_ask("PUT", &assignment(), ask).await {
        assert_eq!(reply.status, 413);
    }
    assert!(f.emulator.requests().iter().all(|r| r.method != "PUT"));
}

#[tokio::test]
async fn the_machines_clock_takes_no_orders() {
    let mut options = options(world(), Vec::new());
    options.clock = palisade::clock::Clock::system();
    let f = Fixture::with(options).await;
    let reply = f.ask("POST", "/_emulator/clock", Ask::default().json(&json!({ "advance": "PT5M" }))).await;
    assert_eq!(reply.status, 409);
}
