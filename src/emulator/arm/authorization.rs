//! `Microsoft.Authorization`: routes, role definitions and the caller's permissions. Role assignments
//! are next door.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::error::ArmError;
use super::page::page;
use super::{Provider, Target, Visit, only, role_assignments};
use crate::emulator::api_versions;
use crate::emulator::built_in_roles::{BuiltIn, ROLES};
use crate::emulator::call::{Answer, guid};
use crate::emulator::unserved::NotServed;
use crate::emulator::world::{CustomRole, Permission, World};

const DEFINITIONS: &str = "Microsoft.Authorization/roleDefinitions";

pub(super) const PROVIDER: Provider = Provider {
    namespace: "Microsoft.Authorization",
    types: &["roleAssignments", "roleDefinitions", "permissions"],
    locations: &[],
    api_versions: api_versions::AUTHORIZATION,
    serve,
};

fn serve(visit: &Visit<'_>, target: &Target<'_>) -> Result<Answer, ArmError> {
    let lower: Vec<String> = target.rest.iter().map(|s| s.to_ascii_lowercase()).collect();
    let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
    let last = target.rest.last().copied().unwrap_or_default();
    match lower.as_slice() {
        ["roleassignments"] => {
            only(visit.call, &[Method::GET])?;
            visit.read(|world| role_assignments::list(visit, world, target))
        }
        ["roleassignments", _] => match visit.call.method {
            Method::PUT => visit.change(|world| role_assignments::create(visit, world, target, last)),
            Method::DELETE => visit.change(|world| role_assignments::delete(visit, world, target, last)),
            _ => {
                only(visit.call, &[Method::GET, Method::PUT, Method::DELETE])?;
                visit.read(|world| role_assignments::get(visit, world, target, last))
            }
        },
        ["roledefinitions"] => {
            only(visit.call, &[Method::GET])?;
            visit.read(|world| definitions(visit, world, target))
        }
        ["roledefinitions", _] => {
            only(visit.call, &[Method::GET])?;
            visit.read(|world| definition(visit, world, target, last))
        }
        ["permissions"] => {
            only(visit.call, &[Method::GET])?;
            visit.read(|world| permissions(visit, world, target))
        }
        _ => Err(ArmError::not_served(visit.call)),
    }
}

/// The scope of a path: where it isn't about a subscription, everything.
pub(super) fn scope<'t>(target: &'t Target<'_>) -> &'t str {
    if target.scope.is_empty() { "/" } else { &target.scope }
}

/// The id of a role definition, as seen from the target: led by its subscription.
pub(super) fn definition_id(target: &Target<'_>, role: Uuid) -> String {
    if target.scope.is_empty() {
        return format!("/providers/{DEFINITIONS}/{role}");
    }
    format!("/subscriptions/{}/providers/{DEFINITIONS}/{role}", target.subscription)
}

fn entry(permission: &Permission) -> Value {
    let Permission { actions, not_actions, data_actions, not_data_actions } = permission;
    json!({
        "actions": actions,
        "notActions": not_actions,
        "dataActions": data_actions,
        "notDataActions": not_data_actions,
    })
}

fn built_in_entry(role: &BuiltIn) -> Value {
    let BuiltIn { id: _, name: _, actions, not_actions, data_actions } = role;
    json!({ "actions": actions, "notActions": not_actions, "dataActions": data_actions, "notDataActions": [] })
}

fn entries(world: &World, role: Uuid) -> Vec<Value> {
    let built_in = ROLES.iter().find(|known| known.id == role).map(|known| vec![built_in_entry(known)]);
    let custom = || world.custom_roles.get(&role).map(|known| known.permissions.iter().map(entry).collect());
    built_in.or_else(custom).unwrap_or_default()
}

/// A definition on the wire: id, name, whether it is built in.
fn shown(world: &World, target: &Target<'_>, role: Uuid, name: &str, built_in: bool) -> Value {
    let assignable = if built_in { "/".to_owned() } else { format!("/subscriptions/{}", target.subscription) };
    json!({
        "id": definition_id(target, role),
        "name": role,
        "type": DEFINITIONS,
        "properties": {
            "roleName": name,
            "description": "",
            "type": if built_in { "BuiltInRole" } else { "CustomRole" },
            "permissions": entries(world, role),
            "assignableScopes": [assignable],
        },
    })
}

fn all(world: &World) -> impl Iterator<Item = (Uuid, &str, bool)> {
    let built_in = ROLES.iter().map(|role| (role.id, role.name, true));
    built_in.chain(world.custom_roles.iter().map(|(id, CustomRole { role_name, .. })| (*id, role_name.as_str(), false)))
}

/// Whether the world knows a role.
pub(super) fn exists(world: &World, role: Uuid) -> bool {
    all(world).any(|(id, ..)| id == role)
}

/// `$filter`: `roleName eq '…'`, `type eq '…'`, `atScopeAndBelow()`.
fn definitions(visit: &Visit<'_>, world: &World, target: &Target<'_>) -> Result<Answer, ArmError> {
    visit.require(world, &format!("{DEFINITIONS}/read"), scope(target))?;
    let filter = visit.call.parameter("$filter").unwrap_or_default().trim();
    let named = quoted(filter, "roleName eq ");
    let kind = quoted(filter, "type eq ");
    if !filter.is_empty() && named.is_none() && kind.is_none() && !filter.eq_ignore_ascii_case("atScopeAndBelow()") {
        return Err(unserved(visit, filter));
    }
    let wanted = |(_, name, built_in): &(Uuid, &str, bool)| {
        let own = if *built_in { "BuiltInRole" } else { "CustomRole" };
        named.as_ref().is_none_or(|n| n.eq_ignore_ascii_case(name))
            && kind.as_ref().is_none_or(|k| k.eq_ignore_ascii_case(own))
    };
    let items =
        all(world).filter(wanted).map(|(id, name, built_in)| shown(world, target, id, name, built_in)).collect();
    page(visit, items, world.behaviour.empty_first_pages)
}

fn definition(visit: &Visit<'_>, world: &World, target: &Target<'_>, id: &str) -> Result<Answer, ArmError> {
    visit.require(world, &format!("{DEFINITIONS}/read"), scope(target))?;
    let found = guid(id).and_then(|id| all(world).find(|(known, ..)| *known == id));
    let (id, name, built_in) = found.ok_or_else(|| {
        let message = format!("The specified role definition with ID '{id}' does not exist.");
        ArmError::new(StatusCode::NOT_FOUND, "RoleDefinitionDoesNotExist", message)
    })?;
    Ok(Answer::ok(shown(world, target, id, name, built_in)))
}

/// What the caller may do on a scope. Unless the knob says so, asking needs no right, and who has none gets an empty list.
fn permissions(visit: &Visit<'_>, world: &World, target: &Target<'_>) -> Result<Answer, ArmError> {
    if world.behaviour.permissions_need_right {
        visit.require(world, "Microsoft.Authorization/permissions/read", scope(target))?;
    }
    if target.group.is_some() {
        visit.group(world, target)?;
    }
    let held = world.roles_held(visit.caller.oid, scope(target), visit.now);
    let items = held.flat_map(|role| entries(world, role)).collect();
    page(visit, items, world.behaviour.empty_first_pages)
}

/// The text in quotes after `front`, which is compared without regard to case; a doubled quote is one.
pub(super) fn quoted(filter: &str, front: &str) -> Option<String> {
    let start = filter.get(..front.len()).filter(|start| start.eq_ignore_ascii_case(front))?;
    let text = filter.get(start.len()..)?.trim().strip_prefix('\'')?.strip_suffix('\'')?;
    // A single quote would end the text, and something else would follow.
    let alone = !text.replace("''", "").contains('\'');
    alone.then(|| text.replace("''", "'"))
}

/// A filter that isn't served.
pub(super) fn unserved(visit: &Visit<'_>, filter: &str) -> ArmError {
    NotServed::part(visit.call, &format!("$filter={filter}")).into()
}

/// Filters that the service itself refuses: of role assignments, no other goes together with `principalId`.
pub(super) fn unsupported(filter: &str) -> ArmError {
    ArmError::bad_request("UnsupportedQuery", format!("The filter '{filter}' is not supported.")).by_provider()
}
