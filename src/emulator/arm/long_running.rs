//! Long-running operations of providers: how an answer announces one, and the two addresses that tell how far it is.
//!
//! What must stay true: an operation ends by the clock alone; its addresses live as long as the world; ids are derived from
//! the world, so that a run against one world can be repeated.

use http::StatusCode;
use http::header::{HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Visit;
use super::error::ArmError;
use crate::emulator::call::{Answer, guid};
use crate::emulator::seed::derived_id;
use crate::emulator::world::{ArmOperation, World};

const ASYNC_OPERATION: HeaderName = HeaderName::from_static("azure-asyncoperation");
/// What an operation says that ends in failure; no document has an example.
const FAILURE: (&str, &str) = ("PrivateEndpointConnectionOperationFailed", "The operation on the connection failed.");

/// Notes an operation that begins now and lasts as long as the knob says.
pub(super) fn begin(world: &mut World, target: &str, now: Timestamp) -> (Uuid, ArmOperation) {
    let id = derived_id(world.world, "arm-operation", &format!("{target}#{}", world.arm_operations.len()));
    let operation = ArmOperation {
        target: target.to_owned(),
        started: now,
        ends: now.saturating_add(world.behaviour.connection_work).unwrap_or(Timestamp::MAX),
        fails: world.behaviour.connection_work_fails,
    };
    world.arm_operations.insert(id, operation.clone());
    (id, operation)
}

/// Where an operation can be asked about: the folder of its status and of its result.
pub(super) struct Places {
    pub(super) status: Option<String>,
    pub(super) result: String,
}

/// Adds the headers that announce an operation.
pub(super) fn announce(visit: &Visit<'_>, answer: Answer, places: &Places, id: Uuid, ends: Timestamp) -> Answer {
    let answer = match &places.status {
        Some(folder) => with_address(visit, answer, ASYNC_OPERATION, folder, id),
        None => answer,
    };
    with_wait(visit, with_address(visit, answer, LOCATION, &places.result, id), ends)
}

/// Absolute, with the api-version of the call.
fn with_address(visit: &Visit<'_>, answer: Answer, name: HeaderName, folder: &str, id: Uuid) -> Answer {
    let origin = visit.call.origin.as_str().trim_end_matches('/');
    let version = visit.call.parameter("api-version").unwrap_or_default();
    match HeaderValue::from_str(&format!("{origin}{folder}/{id}?api-version={version}")) {
        Ok(value) => answer.with(name, value),
        Err(_) => answer,
    }
}

/// The real service asks for ten seconds and more; chosen: the time that is really left, so that nobody waits for nothing.
fn with_wait(visit: &Visit<'_>, answer: Answer, ends: Timestamp) -> Answer {
    let left = ends.duration_since(visit.now);
    let seconds = left.as_secs().max(0) + i64::from(left.subsec_nanos() > 0);
    answer.with(RETRY_AFTER, HeaderValue::from(seconds))
}

/// The operation resource: also the body of an answer that announces a removal.
pub(super) fn body(folder: &str, id: Uuid, operation: &ArmOperation, now: Timestamp) -> Value {
    let ArmOperation { target: _, started, ends, fails } = operation;
    let over = now >= *ends;
    let status = match (over, fails) {
        (false, _) => "InProgress",
        (true, false) => "Succeeded",
        (true, true) => "Failed",
    };
    let mut shown = json!({
        "id": format!("{folder}/{id}"),
        "name": id,
        "status": status,
        "startTime": started.to_string(),
        "percentComplete": if over { 100 } else { 0 },
    });
    if let (true, Some(members)) = (over, shown.as_object_mut()) {
        members.insert("endTime".to_owned(), json!(ends.to_string()));
        if *fails {
            let (code, message) = FAILURE;
            members.insert("error".to_owned(), json!({ "code": code, "message": message }));
        }
    }
    shown
}

fn operation<'w>(world: &'w World, id: &str, below: &str) -> Result<(Uuid, &'w ArmOperation), ArmError> {
    let found = guid(id).and_then(|id| Some((id, world.arm_operations.get(&id)?)));
    let below = format!("{}/", below.to_ascii_lowercase());
    found.filter(|(_, o)| o.target.to_ascii_lowercase().starts_with(&below)).ok_or_else(|| {
        let message = format!("The operation '{id}' was not found.");
        ArmError::new(StatusCode::NOT_FOUND, "OperationNotFound", message)
    })
}

/// What `Azure-AsyncOperation` leads to: always 200.
pub(super) fn status(
    visit: &Visit<'_>,
    world: &World,
    folder: &str,
    below: &str,
    id: &str,
) -> Result<Answer, ArmError> {
    let (id, operation) = operation(world, id, below)?;
    let answer = Answer::ok(body(folder, id, operation, visit.now));
    Ok(if visit.now < operation.ends { with_wait(visit, answer, operation.ends) } else { answer })
}

/// What `Location` leads to: 202 while it goes on, then `done`, or the failure as an error.
pub(super) fn result(
    visit: &Visit<'_>,
    world: &World,
    (folder, below, id): (&str, &str, &str),
    done: impl FnOnce(&str) -> Answer,
) -> Result<Answer, ArmError> {
    let (id, operation) = operation(world, id, below)?;
    if visit.now < operation.ends {
        let answer = Answer::empty(StatusCode::ACCEPTED);
        return Ok(with_wait(visit, with_address(visit, answer, LOCATION, folder, id), operation.ends));
    }
    if operation.fails {
        let (code, message) = FAILURE;
        return Err(ArmError::bad_request(code, message).by_provider());
    }
    Ok(done(&operation.target))
}
