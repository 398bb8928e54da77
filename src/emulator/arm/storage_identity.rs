//! The identities of a storage account: its own, and those that it was given.
//!
//! Invariants: a PATCH merges the map of user-assigned identities, in which null takes one away; a type without `UserAssigned` takes
//! all of them away, one without `SystemAssigned` the account's own; only identities of the world can be given, and only by who may
//! assign them.

use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::Visit;
use super::error::ArmError;
use crate::emulator::rights::Plane;
use crate::emulator::seed::derived_id;
use crate::emulator::world::{Application, StorageAccount, UserAssignedIdentity, World};

const ASSIGN: &str = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action";

/// Sets what a body says about identities.
pub(super) fn set(
    visit: &Visit<'_>,
    world: &mut World,
    account: &mut StorageAccount,
    identity: &Value,
) -> Result<(), ArmError> {
    let wrong = |member: &str| ArmError::invalid_value(member);
    let words = identity["type"].as_str().ok_or_else(|| wrong("identity.type"))?;
    let words: Vec<&str> = words.split(',').map(str::trim).collect();
    let (own, given) = match words.as_slice() {
        ["None"] => (false, false),
        ["SystemAssigned"] => (true, false),
        ["UserAssigned"] => (false, true),
        ["SystemAssigned", "UserAssigned"] => (true, true),
        _ => return Err(wrong("identity.type")),
    };
    let none = Map::new();
    let map = match &identity["userAssignedIdentities"] {
        Value::Null => &none,
        Value::Object(map) if given => map,
        _ => return Err(wrong("identity.userAssignedIdentities")),
    };
    match given {
        true => merge(visit, world, &mut account.user_identities, map)?,
        false => account.user_identities.clear(),
    }
    if given && account.user_identities.is_empty() {
        return Err(wrong("identity.userAssignedIdentities"));
    }
    match (own, account.system_identity) {
        (true, None) => account.system_identity = Some(new(world, account, visit.now)),
        // What was granted to it stays behind, as in Azure.
        (false, Some(gone)) => {
            world.applications.remove(&gone);
            account.system_identity = None;
        }
        (true, Some(_)) | (false, None) => {}
    }
    Ok(())
}

/// A principal of the directory, which Azure's roles may know late.
fn new(world: &mut World, account: &StorageAccount, now: Timestamp) -> Uuid {
    let object_id = derived_id(world.world, "identity", &account.id);
    let app_id = derived_id(world.world, "identity-application", &account.id);
    let display_name = account.id.rsplit('/').next().unwrap_or_default().to_owned();
    world.applications.get_or_insert_with(object_id, || Application { app_id, display_name, client: None });
    let late = world.behaviour.policy_identity_replication;
    if late.is_positive() {
        world.replicating_principals.insert(object_id, now.saturating_add(late).unwrap_or(Timestamp::MAX));
    }
    object_id
}

fn merge(
    visit: &Visit<'_>,
    world: &World,
    present: &mut Vec<String>,
    map: &Map<String, Value>,
) -> Result<(), ArmError> {
    for (id, value) in map {
        let at = present.iter().position(|known| known.eq_ignore_ascii_case(id));
        match (value, at) {
            (Value::Null, Some(at)) => {
                present.remove(at);
            }
            (Value::Null, None) | (Value::Object(_), Some(_)) => {}
            // Whether the right is asked for again for one that is there already isn't published; here it isn't.
            (Value::Object(_), None) => {
                if !world.azure_allows(visit.caller.oid, Plane::Management, ASSIGN, id, visit.now) {
                    return Err(ArmError::not_linked(visit.caller, ASSIGN, id));
                }
                let known = find(world, id).ok_or_else(|| unknown(id))?;
                present.push(known.id.clone());
            }
            _ => return Err(ArmError::invalid_value("identity.userAssignedIdentities")),
        }
    }
    Ok(())
}

fn unknown(id: &str) -> ArmError {
    let message = format!("The identity '{id}' could not be found.");
    ArmError::new(StatusCode::BAD_REQUEST, "FailedIdentityOperation", message)
}

/// An identity of the world by its ARM id.
pub(super) fn find<'w>(world: &'w World, id: &str) -> Option<&'w UserAssignedIdentity> {
    world.user_assigned_identities.get(&id.to_lowercase())
}

/// The identities as ARM shows them; none if there are none.
pub(super) fn shown(account: &StorageAccount, world: &World) -> Option<Value> {
    let StorageAccount { system_identity, user_identities, .. } = account;
    let kind = match (system_identity.is_some(), user_identities.is_empty()) {
        (false, true) => return None,
        (true, true) => "SystemAssigned",
        (false, false) => "UserAssigned",
        (true, false) => "SystemAssigned,UserAssigned",
    };
    let mut identity = json!({ "type": kind });
    if let Some(principal) = system_identity {
        identity["principalId"] = json!(principal);
        identity["tenantId"] = json!(world.tenant.as_ref().map(|tenant| tenant.id));
    }
    if !user_identities.is_empty() {
        let map = user_identities.iter().map(|id| {
            let known = find(world, id).map(|UserAssignedIdentity { id: _, principal_id, client_id }| {
                json!({ "principalId": principal_id, "clientId": client_id })
            });
            (id.clone(), known.unwrap_or_else(|| json!({})))
        });
        identity["userAssignedIdentities"] = Value::Object(map.collect());
    }
    Some(identity)
}
