//! `Microsoft.Synapse/workspaces`.

use http::{Method, StatusCode};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::connections::{self, SYNAPSE};
use super::error::ArmError;
use super::page::page;
use super::{Provider, Target, Visit, long_running, only};
use crate::emulator::api_versions;
use crate::emulator::call::Answer;
use crate::emulator::rights::covers;
use crate::emulator::world::{SynapseWorkspace, World};

/// The type on the wire.
pub(super) const TYPE: &str = "Microsoft.Synapse/workspaces";
const READ: &str = "Microsoft.Synapse/workspaces/read";
const WRITE: &str = "Microsoft.Synapse/workspaces/write";

/// What PATCH can set. A password is taken and never kept.
const SETTABLE: [&str; 5] = [
    "managedVirtualNetworkSettings",
    "workspaceRepositoryConfiguration",
    "purviewConfiguration",
    "publicNetworkAccess",
    "sqlAdministratorLoginPassword",
];

pub(super) const PROVIDER: Provider = Provider {
    namespace: "Microsoft.Synapse",
    types: &["workspaces"],
    locations: &[],
    api_versions: api_versions::SYNAPSE,
    serve,
};

fn serve(visit: &Visit<'_>, target: &Target<'_>) -> Result<Answer, ArmError> {
    let lower: Vec<String> = target.rest.iter().map(|s| s.to_ascii_lowercase()).collect();
    let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
    let name = target.rest.get(1).copied().unwrap_or_default();
    let last = target.rest.last().copied().unwrap_or_default();
    let in_group = target.group.is_some();
    match lower.as_slice() {
        ["workspaces"] => {
            only(visit.call, &[Method::GET])?;
            visit.read(|world| list(visit, world, target))
        }
        ["workspaces", _] if in_group => match visit.call.method {
            Method::PATCH => visit.change(|world| update(visit, world, target, name)),
            _ => {
                only(visit.call, &[Method::GET, Method::PATCH])?;
                visit.read(|world| get(visit, world, target, name))
            }
        },
        ["workspaces", _, "privateendpointconnections"] if in_group => {
            connections::serve(visit, target, &SYNAPSE, name, None)
        }
        ["workspaces", _, "privateendpointconnections", _] if in_group => {
            connections::serve(visit, target, &SYNAPSE, name, Some(last))
        }
        ["workspaces", _, "operationstatuses" | "operationresults", _] if in_group => {
            only(visit.call, &[Method::GET])?;
            visit.read(|world| operation(visit, world, target, name, last))
        }
        _ => Err(ArmError::not_served(visit.call)),
    }
}

fn find<'w>(
    visit: &Visit<'_>,
    world: &'w World,
    target: &Target<'_>,
    name: &str,
) -> Result<&'w SynapseWorkspace, ArmError> {
    let group = visit.group(world, target)?;
    let id = target.resource(TYPE, name);
    let found = world.synapse_workspaces.get(&name.to_ascii_lowercase()).filter(|w| w.id.eq_ignore_ascii_case(&id));
    found.ok_or_else(|| ArmError::resource_not_found(TYPE, name, &group.name))
}

fn get(visit: &Visit<'_>, world: &World, target: &Target<'_>, name: &str) -> Result<Answer, ArmError> {
    visit.require(world, READ, &target.id())?;
    Ok(Answer::ok(resource(find(visit, world, target, name)?, world, visit.now)))
}

fn list(visit: &Visit<'_>, world: &World, target: &Target<'_>) -> Result<Answer, ArmError> {
    visit.require(world, READ, &target.scope)?;
    if target.group.is_some() {
        visit.group(world, target)?;
    }
    let below = world.synapse_workspaces.values().filter(|w| covers(&target.scope, &w.id));
    let items = below.map(|w| resource(w, world, visit.now)).collect();
    page(visit, items, world.behaviour.empty_first_pages)
}

/// Documented as long-running; chosen: done with the answer, which a 200 without headers says.
fn update(visit: &Visit<'_>, world: &mut World, target: &Target<'_>, name: &str) -> Result<Answer, ArmError> {
    visit.require(world, WRITE, &target.id())?;
    find(visit, world, target, name)?;
    let body = visit.body()?;
    let Some(workspace) = world.synapse_workspaces.get_mut(&name.to_ascii_lowercase()) else {
        return Err(ArmError::resource_not_found(TYPE, name, target.group.unwrap_or_default()));
    };
    if let Some(tags) = body.get("tags") {
        workspace.tags = serde_json::from_value(tags.clone()).map_err(|_| ArmError::invalid_value("tags"))?;
    }
    let properties = body.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    for (member, value) in properties {
        if !SETTABLE.contains(&member.as_str()) {
            return Err(ArmError::invalid_value(&member));
        }
        let word = value.as_str().unwrap_or_default();
        if member == "publicNetworkAccess" && !["Enabled", "Disabled"].contains(&word) {
            return Err(ArmError::invalid_value(&member));
        }
        if member != "sqlAdministratorLoginPassword" {
            workspace.properties.insert(member, value);
        }
    }
    let workspace = workspace.clone();
    Ok(Answer::ok(resource(&workspace, world, visit.now)))
}

/// Operation status and result. What is to be seen there needs the right to read the workspace, chosen.
fn operation(visit: &Visit<'_>, world: &World, target: &Target<'_>, name: &str, id: &str) -> Result<Answer, ArmError> {
    let owner = target.resource(TYPE, name);
    visit.require(world, READ, &owner)?;
    let owner = &find(visit, world, target, name)?.id;
    let word = target.rest.get(2).copied().unwrap_or_default();
    let folder = format!("{owner}/{word}");
    if word.eq_ignore_ascii_case("operationStatuses") {
        return long_running::status(visit, world, &folder, owner, id);
    }
    long_running::result(visit, world, (&folder, owner, id), |changed| {
        let name = changed.rsplit('/').next().unwrap_or_default();
        let look = connections::shown(world, &SYNAPSE, owner, name, visit.now);
        look.map_or_else(|| Answer::empty(StatusCode::NO_CONTENT), Answer::ok)
    })
}

/// A workspace as ARM shows it. Taken apart in full, so that a new member can't be forgotten.
pub(super) fn resource(workspace: &SynapseWorkspace, world: &World, now: Timestamp) -> Value {
    let SynapseWorkspace { id, location, tags, system_identity, workspace_uid, properties, connections } = workspace;
    let name = id.rsplit('/').next().unwrap_or_default();
    let mut shown: Map<String, Value> = properties.clone().into_iter().collect();
    let added = [
        ("provisioningState", json!("Succeeded")),
        ("workspaceUID", json!(workspace_uid)),
        ("privateEndpointConnections", Value::Array(SYNAPSE.embedded(id, connections, now))),
        (
            "connectivityEndpoints",
            json!({
                "web": format!("https://web.azuresynapse.net?workspace={id}"),
                "dev": format!("https://{name}.dev.azuresynapse.net"),
                "sqlOnDemand": format!("{name}-ondemand.sql.azuresynapse.net"),
                "sql": format!("{name}.sql.azuresynapse.net"),
            }),
        ),
    ];
    shown.extend(added.map(|(member, value)| (member.to_owned(), value)));
    json!({
        "id": id,
        "name": name,
        "type": TYPE,
        "location": location,
        "tags": tags,
        "identity": {
            "type": "SystemAssigned",
            "principalId": system_identity,
            "tenantId": world.tenant.as_ref().map(|t| t.id),
        },
        "properties": shown,
    })
}
