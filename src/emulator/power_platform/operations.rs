//! Lifecycle operations as the two services show them.

use http::Method;
use http::header::{HeaderValue, RETRY_AFTER};
use serde_json::{Value, json};
use uuid::Uuid;

use super::environments::instant;
use super::error::PlatformError;
use super::lifecycle::State;
use super::page::{Way, page};
use super::{Face, Visit, only};
use crate::emulator::call::{Answer, guid};
use crate::emulator::unserved::NotServed;
use crate::emulator::views::Principal;
use crate::emulator::world::{LifecycleOperation, World};

/// One operation. A caller who doesn't administer finds none; the code is chosen.
pub(super) fn get(visit: &Visit<'_>, environment: Option<&str>, id: &str) -> Result<Answer, PlatformError> {
    only(visit.call, &[Method::GET])?;
    visit.read(|world| {
        let within = environment.map(|id| visit.find(world, id)).transpose()?.map(|it| it.id.to_lowercase());
        let found = guid(id).and_then(|id| Some((id, world.lifecycle_operations.get(&id)?)));
        let found = found.filter(|(_, operation)| {
            visit.administers && within.as_ref().is_none_or(|environment| operation.environment == *environment)
        });
        let (id, operation) = found.ok_or_else(|| {
            let message = format!("The lifecycle operation '{id}' could not be found.");
            PlatformError::new(http::StatusCode::NOT_FOUND, "LifecycleOperationNotFound", message)
        })?;
        let answer = Answer::ok(shown(visit, world, id, operation));
        Ok(match visit.now < operation.ends {
            true => answer.with(RETRY_AFTER, HeaderValue::from(visit.wait(operation.ends))),
            false => answer,
        })
    })
}

/// `GET …/lifecycleOperations?$filter=environment eq '{id}'`. Nothing is served without the filter.
pub(super) fn list_by_filter(visit: &Visit<'_>) -> Result<Answer, PlatformError> {
    only(visit.call, &[Method::GET])?;
    let filter = visit.call.parameter("$filter").unwrap_or_default();
    let quoted = filter.trim().strip_prefix("environment eq '").and_then(|rest| rest.strip_suffix('\''));
    let id = quoted.ok_or_else(|| NotServed::part(visit.call, &format!("$filter={filter}")))?.replace("''", "'");
    visit.read(|world| list(visit, world, &id, Way::Link))
}

pub(super) fn list_of(visit: &Visit<'_>, environment: &str) -> Result<Answer, PlatformError> {
    only(visit.call, &[Method::GET])?;
    visit.read(|world| list(visit, world, environment, Way::Token))
}

/// Newest first.
fn list(visit: &Visit<'_>, world: &World, environment: &str, way: Way) -> Result<Answer, PlatformError> {
    let key = visit.find(world, environment)?.id.to_lowercase();
    let own = world.lifecycle_operations.iter().filter(|(_, operation)| operation.environment == key);
    let mut own: Vec<(&Uuid, &LifecycleOperation)> = own.collect();
    own.sort_by_key(|(id, operation)| (std::cmp::Reverse(operation.started), **id));
    let items = own.into_iter().map(|(id, operation)| shown(visit, world, *id, operation)).collect();
    page(visit, world, items, way)
}

fn shown(visit: &Visit<'_>, world: &World, id: Uuid, operation: &LifecycleOperation) -> Value {
    match visit.face {
        Face::Admin => administered(visit, world, id, operation),
        Face::Published => published(visit, world, id, operation),
    }
}

/// The id of the environment as its creator spelled it.
fn environment<'w>(world: &'w World, operation: &'w LifecycleOperation) -> &'w str {
    let found = world.power_platform_environments.get(&operation.environment);
    found.map_or(operation.environment.as_str(), |environment| environment.id.as_str())
}

fn requester(world: &World, id: Uuid) -> (&str, &'static str) {
    match world.principal(id) {
        Some(Principal::User(_, user)) => (&user.display_name, "User"),
        Some(Principal::Application(_, application)) => (&application.display_name, "ServicePrincipal"),
        Some(Principal::Group(..)) | None => ("", "NotSpecified"),
    }
}

fn administered(visit: &Visit<'_>, world: &World, id: Uuid, operation: &LifecycleOperation) -> Value {
    let LifecycleOperation { kind, started, ends, requested_by, failure, .. } = operation;
    let now = visit.now;
    let stages = operation.stages(now);
    let last = stages.last().map_or(*started, |stage| stage.last);
    let stages: Vec<Value> = stages
        .iter()
        .map(|stage| {
            json!({
                "id": stage.name,
                "name": stage.name,
                "state": { "id": stage.state.word() },
                "firstActionDateTime": instant(stage.began),
                "lastActionDateTime": instant(stage.last),
            })
        })
        .collect();
    let (name, principal) = requester(world, *requested_by);
    let mut shown = json!({
        "id": id,
        "links": {
            "self": { "path": format!("/providers/Microsoft.BusinessAppPlatform/lifecycleOperations/{id}") },
            "environment": {
                "path": format!("/providers/Microsoft.BusinessAppPlatform/environments/{}", environment(world, operation)),
            },
        },
        "type": { "id": kind },
        "typeDisplayName": kind,
        "state": { "id": operation.state(now).word() },
        "createdDateTime": instant(*started),
        "lastActionDateTime": instant(last.min(*ends)),
        "requestedBy": {
            "id": requested_by,
            "displayName": name,
            "type": principal,
            "tenantId": world.tenant.as_ref().map(|tenant| tenant.id),
        },
        "stages": stages,
    });
    if let (State::Failed, Some(failure)) = (operation.state(now), failure) {
        shown["error"] = json!({ "code": failure.code, "message": failure.message });
    }
    shown
}

fn published(visit: &Visit<'_>, world: &World, id: Uuid, operation: &LifecycleOperation) -> Value {
    let LifecycleOperation { kind, started, ends, requested_by, failure, .. } = operation;
    let now = visit.now;
    let state = operation.state(now);
    let stages = operation.stages(now);
    let stages: Vec<Value> = stages
        .iter()
        .map(|stage| {
            let word = if stage.state == State::Running { "InProgress" } else { stage.state.word() };
            json!({ "name": stage.name, "status": word, "startTime": instant(stage.began) })
        })
        .collect();
    let (name, principal) = requester(world, *requested_by);
    let mut shown = json!({
        "operationId": id,
        "name": kind,
        "status": state.published(),
        "startTime": instant(*started),
        "requestedBy": {
            "userId": requested_by,
            "displayName": name,
            "type": principal,
            "tenantId": world.tenant.as_ref().map(|tenant| tenant.id),
        },
        "stageStatuses": stages,
        "updatedEnvironment": { "environmentId": environment(world, operation) },
    });
    if now >= *ends {
        shown["endTime"] = json!(instant(*ends));
    }
    if let (State::Failed, Some(failure)) = (state, failure) {
        shown["errorDetail"] = json!({ "code": failure.code, "fieldErrors": {} });
    }
    shown
}
