//! Answers that aren't the truth, and how they are made of true ones.

use http::StatusCode;
use palisade::azure::exchange::{Request, Response};
use serde_json::{Value, json};

/// An answer that isn't the truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lie {
    /// This status, and nothing is done.
    Status(u16),
    /// Done, and then this status.
    StatusAfter(u16),
    /// Nothing is done, and a success is told.
    Pretend,
    Reset,
    LoseAnswer,
    Truncate,
    /// What is true of another environment.
    OtherInstance,
    /// The truth, said to be of another environment.
    Renamed,
    Empty,
    Null,
    Html,
    NoRoles,
    NoId,
    Twice,
    /// What the same request was answered with before.
    Stale,
    /// An error that quotes the whole request.
    Echo(u16),
    /// A member less somewhere.
    LessAMember,
    /// Ids of two principals exchanged.
    Swapped,
    /// One look-up of several fails.
    Item(u16),
    /// One element of a list less, and it says that there is more elsewhere, in either of the two words for it.
    Elsewhere,
    NextElsewhere,
    /// A resource without the member that lists its connections.
    NoConnections,
    /// The same link once more, under another id.
    SecondLink,
    /// One key is missing.
    HalfAKey,
    /// The answer names another resource.
    OtherResource,
    /// Words that aren't known: how a link stands, how far an operation is.
    UnknownWord,
    /// Operations without their states.
    NoStates,
}

pub(crate) fn response(code: u16, body: Vec<u8>) -> Response {
    let status = StatusCode::from_u16(code).unwrap();
    let mut headers = http::HeaderMap::new();
    headers.insert("content-type", "application/json".parse().unwrap());
    Response { status, headers, body: body.into() }
}

/// An error that quotes headers and body of its request.
pub(crate) fn echo(request: &Request) -> Vec<u8> {
    let headers = request.headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap_or_default()));
    let headers: Vec<String> = headers.collect();
    let body = request.body.as_ref().map(|body| String::from_utf8_lossy(body).into_owned()).unwrap_or_default();
    let message = format!("refused: {} {}", headers.join("; "), body);
    json!({ "error": { "code": "bad", "message": message }, "message": message, "error_description": message })
        .to_string()
        .into()
}

pub(crate) fn replace(answer: &mut Response, this: &str, by: &str) {
    let text = String::from_utf8_lossy(&answer.body).replace(this, by);
    answer.body = text.into_bytes().into();
}

pub(crate) fn distort(lie: Lie, body: &mut Value) {
    let elsewhere = "http://localhost/v1.0/groups/elsewhere";
    match (lie, body) {
        (Lie::NoRoles, Value::Array(list)) => {
            if let Some(last) = list.last_mut() {
                last["roles"] = Value::Null;
            }
        }
        (Lie::NoId, Value::Array(list)) => {
            if let Some(first) = list.first_mut() {
                first["principalId"] = Value::Null;
            }
        }
        (Lie::Twice, Value::Array(list)) => {
            if let Some(mut first) = list.first().cloned() {
                first["roles"] = json!(["Marketing Contributor"]);
                list.push(first);
            }
        }
        (Lie::SecondLink, Value::Array(list)) => {
            if let Some(mut first) = list.first().cloned() {
                first["privateLinkId"] = json!("9d1e7a55-0000-4000-8000-00000000cccc");
                list.push(first);
            }
        }
        (Lie::Elsewhere | Lie::NextElsewhere, Value::Object(object)) => {
            if let Some(Value::Array(list)) = object.get_mut("value") {
                list.pop();
                let word = if lie == Lie::Elsewhere { "@odata.nextLink" } else { "nextLink" };
                object.insert(word.to_owned(), json!(elsewhere));
            }
        }
        (Lie::NoConnections, body) => {
            if let Some(properties) = body["properties"].as_object_mut() {
                properties.remove("privateEndpointConnections");
            }
        }
        (Lie::HalfAKey, body) if body.is_object() => body["secondaryKey"] = Value::Null,
        (Lie::OtherResource, body) => {
            if let Some(id) = body["id"].as_str() {
                body["id"] = json!(format!("{id}-other"));
            }
        }
        (Lie::UnknownWord | Lie::NoStates, body) => reword(lie, body),
        (Lie::LessAMember, body) => less(body),
        (Lie::Swapped, body) => {
            if let Some(list) = body["responses"].as_array_mut().filter(|list| list.len() > 1) {
                let first = list[0]["body"].take();
                list[0]["body"] = list[1]["body"].take();
                list[1]["body"] = first;
            }
        }
        (Lie::Item(status), body) => {
            // Answers come in no order; the one that was asked for first is as good as any.
            let items = body["responses"].as_array_mut();
            if let Some(item) = items.and_then(|items| items.iter_mut().find(|item| item["id"] == "0")) {
                item["status"] = json!(status);
                item["body"] = json!({ "error": { "code": "Refused", "message": "no" } });
            }
        }
        _ => {}
    }
}

fn reword(lie: Lie, body: &mut Value) {
    let word = if lie == Lie::NoStates { Value::Null } else { json!("Migrating") };
    let operations = body["value"].as_array_mut().into_iter().flatten();
    operations.filter(|one| one["state"].is_object()).for_each(|one| one["state"]["id"] = word.clone());
    let properties = &mut body["properties"];
    if properties["enterprisePolicies"]["customerManagedKeys"].is_object() {
        properties["enterprisePolicies"]["customerManagedKeys"]["linkStatus"] = word.clone();
    }
    if properties["governanceConfiguration"].is_object() {
        properties["governanceConfiguration"]["protectionLevel"] = word.clone();
    }
    if body["registrationState"].is_string() {
        body["registrationState"] = word;
    }
}

/// Takes the last member of the innermost last object.
fn less(body: &mut Value) {
    match body {
        Value::Array(list) => {
            if let Some(last) = list.last_mut() {
                less(last);
            }
        }
        Value::Object(object) => {
            let inner =
                object.iter().find(|(_, value)| value.is_array() || value.is_object()).map(|(name, _)| name.clone());
            match inner {
                Some(name) if object[&name].as_array().is_none_or(|list| list.iter().any(Value::is_object)) => {
                    less(&mut object[&name])
                }
                _ => {
                    if let Some(last) = object.keys().next_back().cloned() {
                        object.remove(&last);
                    }
                }
            }
        }
        _ => {}
    }
}
