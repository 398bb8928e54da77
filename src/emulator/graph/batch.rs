//! `$batch`: up to 20 requests in one.
//!
//! What must stay true: answers come in no promised order (here: reversed, so that nobody relies on one); an item fails
//! on its own; an item whose dependency failed is 424.

use axum::body::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

use super::{GraphError, Visit};
use crate::emulator::call::{Answer, Call, Payload};
use crate::emulator::unserved::NotServed;

/// The most items of a batch.
const MOST: usize = 20;

#[derive(Deserialize)]
struct Batch {
    requests: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    id: String,
    method: String,
    url: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: Option<Value>,
    #[serde(default)]
    depends_on: Vec<String>,
}

pub(super) fn serve(visit: &Visit<'_>, call: &Call) -> Answer {
    if call.method != Method::POST {
        return GraphError::from(NotServed::method(call, &[Method::POST])).answer(visit.trace);
    }
    let batch = match parse(&call.body) {
        Ok(batch) => batch,
        Err(message) => {
            return GraphError::new(StatusCode::BAD_REQUEST, "BadRequest", message).answer(visit.trace);
        }
    };
    let mut statuses: BTreeMap<&str, StatusCode> = BTreeMap::new();
    let mut responses = Vec::new();
    for item in &batch.requests {
        let failed = item.depends_on.iter().any(|id| !statuses.get(id.as_str()).is_some_and(StatusCode::is_success));
        let answer = if failed {
            let message = "A request that this one depends on failed.";
            GraphError::new(StatusCode::FAILED_DEPENDENCY, "FailedDependency", message).answer(visit.trace)
        } else {
            run(visit, call, item)
        };
        statuses.insert(&item.id, answer.status);
        responses.push(response(&item.id, answer));
    }
    responses.reverse();
    Answer::ok(json!({ "responses": responses }))
}

fn parse(body: &[u8]) -> Result<Batch, String> {
    let batch: Batch = serde_json::from_slice(body).map_err(|e| format!("Invalid batch payload format: {e}."))?;
    if batch.requests.is_empty() || batch.requests.len() > MOST {
        return Err(format!("The number of batch items must be between 1 and {MOST}."));
    }
    for (index, item) in batch.requests.iter().enumerate() {
        let earlier = batch.requests.get(..index).unwrap_or_default();
        if earlier.iter().any(|e| e.id == item.id) {
            return Err(format!("The batch item id '{}' stands twice.", item.id));
        }
        if let Some(unknown) = item.depends_on.iter().find(|id| !earlier.iter().any(|e| e.id == **id)) {
            return Err(format!("The batch item '{}' depends on '{unknown}', which doesn't come before it.", item.id));
        }
    }
    Ok(batch)
}

fn run(visit: &Visit<'_>, outer: &Call, item: &Item) -> Answer {
    let bad = |message: &str| GraphError::new(StatusCode::BAD_REQUEST, "BadRequest", message).answer(visit.trace);
    let Ok(method) = item.method.to_ascii_uppercase().parse::<Method>() else {
        return bad("Invalid method.");
    };
    let (mut segments, query) = Call::split(&item.url);
    // Item addresses are relative to the version.
    segments.insert(0, outer.segments.first().cloned().unwrap_or_default());
    let mut headers = HeaderMap::new();
    for (name, value) in &item.headers {
        let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse::<HeaderValue>()) else {
            return bad("Invalid header.");
        };
        headers.insert(name, value);
    }
    let body = item.body.as_ref().map_or_else(Bytes::new, |b| Bytes::from(b.to_string()));
    visit.answer(&Call { method, segments, query, headers, body, origin: outer.origin.clone() })
}

fn response(id: &str, answer: Answer) -> Value {
    let headers: Map<String, Value> = answer
        .headers
        .iter()
        .filter_map(|(name, value)| Some((canonical(name.as_str()), Value::from(value.to_str().ok()?))))
        .collect();
    let body = match answer.body {
        Payload::Empty => Value::Null,
        Payload::Json(body) => body,
        Payload::Text(text) => Value::String(text),
    };
    json!({ "id": id, "status": answer.status.as_u16(), "headers": headers, "body": body })
}

/// `content-type` → `Content-Type`: inside a batch header names are JSON, with the case that Graph gives them.
fn canonical(name: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
    };
    name.split('-').map(word).collect::<Vec<_>>().join("-")
}
