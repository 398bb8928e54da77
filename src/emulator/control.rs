//! The emulator's own routes, under `/_emulator`: for clients that must know whom they talk to.
//!
//! They are outside the request log and the faults, need no token, and say nothing secret.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};
use http::StatusCode;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::Shared;
use super::call::{Answer, Call};

/// The prefix of these routes.
pub(crate) const PREFIX: &str = "/_emulator";

pub(crate) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/_emulator", get(identity))
        .route("/_emulator/clock", post(clock))
        .route("/_emulator/requests", get(requests))
}

async fn identity(State(shared): State<Arc<Shared>>) -> Answer {
    let (world, tenant) = shared.store.read(|w| (w.world, w.tenant.as_ref().map(|t| t.id)));
    Answer::ok(json!({ "world": world, "tenant": tenant, "now": shared.clock.now() }))
}

async fn clock(State(shared): State<Arc<Shared>>, call: Call) -> Answer {
    let refuse = |status, message: &str| Answer::json(status, json!({ "error": { "message": message } }));
    if !shared.clock.is_simulated() {
        return refuse(StatusCode::CONFLICT, "the emulator runs on the machine's clock, which takes no orders");
    }
    let body: Option<Value> = serde_json::from_slice(&call.body).ok();
    let step = body.as_ref().and_then(|b| b.get("advance")).and_then(Value::as_str);
    let step = step.and_then(|text| text.parse::<SignedDuration>().ok());
    match step.and_then(|s| std::time::Duration::try_from(s).ok()) {
        Some(step) => {
            shared.clock.advance(step);
            Answer::ok(json!({ "now": shared.clock.now() }))
        }
        None => refuse(StatusCode::BAD_REQUEST, "`advance` must be a duration such as PT5M, and not negative"),
    }
}

async fn requests(State(shared): State<Arc<Shared>>) -> Answer {
    Answer::ok(json!(shared.log.all()))
}
