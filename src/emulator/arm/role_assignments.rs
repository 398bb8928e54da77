//! Role assignments.
//!
//! What must stay true: one principal has one role on one scope once; an assignment's principal, role and scope never change;
//! a scope in the world is a text as its first writer spelled it.

use http::StatusCode;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::authorization::{definition_id, exists, quoted, scope, unserved, unsupported};
use super::error::ArmError;
use super::page::page;
use super::{Target, Visit};
use crate::emulator::call::{Answer, guid};
use crate::emulator::rights::covers;
use crate::emulator::views::Principal;
use crate::emulator::world::{AzurePrincipalType, RoleAssignment, World};

const TYPE: &str = "Microsoft.Authorization/roleAssignments";

/// What `$filter` narrows a list to.
#[derive(Debug, Default)]
struct Filter {
    at_scope: bool,
    principal: Option<Uuid>,
    assigned_to: Option<Uuid>,
}

impl Filter {
    /// `atScope()`, `principalId eq '…'`, `assignedTo('…')`, and `atScope()` with `assignedTo`.
    fn parse(visit: &Visit<'_>, text: &str) -> Result<Self, ArmError> {
        let mut filter = Self::default();
        for part in text.split(" and ").map(str::trim).filter(|part| !part.is_empty()) {
            let inner = part.get(..11).filter(|f| f.eq_ignore_ascii_case("assignedTo(")).and(part.get(11..));
            let holder = inner.and_then(|rest| quoted(rest.strip_suffix(')')?, ""));
            let principal = quoted(part, "principalId eq ");
            match (principal, holder) {
                (Some(id), _) => filter.principal = Some(guid(&id).ok_or_else(|| unserved(visit, text))?),
                (_, Some(id)) => filter.assigned_to = Some(guid(&id).ok_or_else(|| unserved(visit, text))?),
                _ if part.eq_ignore_ascii_case("atScope()") => filter.at_scope = true,
                _ => return Err(unserved(visit, text)),
            }
        }
        if filter.principal.is_some() && (filter.at_scope || filter.assigned_to.is_some()) {
            return Err(unsupported(text));
        }
        Ok(filter)
    }
}

/// Lists at, above and below the scope; with `atScope()` not below.
pub(super) fn list(visit: &Visit<'_>, world: &World, target: &Target<'_>) -> Result<Answer, ArmError> {
    visit.require(world, &format!("{TYPE}/read"), scope(target))?;
    if target.group.is_some() {
        visit.group(world, target)?;
    }
    let filter = Filter::parse(visit, visit.call.parameter("$filter").unwrap_or_default())?;
    let holders = filter.assigned_to.map(|id| {
        let mut holders = world.groups_of(id);
        holders.insert(id);
        holders
    });
    let wanted = |a: &&RoleAssignment| {
        let below = !filter.at_scope && covers(scope(target), &a.scope);
        (covers(&a.scope, scope(target)) || below)
            && filter.principal.is_none_or(|id| a.principal_id == id)
            && holders.as_ref().is_none_or(|h| h.contains(&a.principal_id))
    };
    let items = world.role_assignments.iter().filter(wanted).map(|a| shown(target, a)).collect();
    page(visit, items, world.behaviour.empty_first_pages)
}

/// An assignment on the wire. Taken apart in full, so that a new member can't be forgotten.
fn shown(target: &Target<'_>, assignment: &RoleAssignment) -> Value {
    let RoleAssignment { name, scope, role_definition, principal_id, principal_type, description, created_on } =
        assignment;
    let mut properties = json!({
        "roleDefinitionId": definition_id(target, *role_definition),
        "principalId": principal_id,
        "principalType": principal_type,
        "scope": scope,
        "createdOn": created_on.to_string(),
        "updatedOn": created_on.to_string(),
    });
    if let Some(text) = description {
        properties["description"] = json!(text);
    }
    let id = format!("{}/providers/{TYPE}/{name}", scope.trim_end_matches('/'));
    json!({ "id": id, "name": name, "type": TYPE, "properties": properties })
}

fn named<'w>(world: &'w World, target: &Target<'_>, name: &str) -> Option<&'w RoleAssignment> {
    let name = guid(name)?;
    world.role_assignments.iter().find(|a| a.name == name && a.scope.eq_ignore_ascii_case(scope(target)))
}

pub(super) fn get(visit: &Visit<'_>, world: &World, target: &Target<'_>, name: &str) -> Result<Answer, ArmError> {
    visit.require(world, &format!("{TYPE}/read"), scope(target))?;
    let found = named(world, target, name).ok_or_else(|| {
        let message = format!("The role assignment '{name}' is not found.");
        ArmError::new(StatusCode::NOT_FOUND, "RoleAssignmentNotFound", message)
    })?;
    Ok(Answer::ok(shown(target, found)))
}

/// Nothing is said about a principal's last administrator; the world has no such notion.
pub(super) fn delete(
    visit: &Visit<'_>,
    world: &mut World,
    target: &Target<'_>,
    name: &str,
) -> Result<Answer, ArmError> {
    visit.require(world, &format!("{TYPE}/delete"), scope(target))?;
    let Some(found) = named(world, target, name).cloned() else { return Ok(Answer::empty(StatusCode::NO_CONTENT)) };
    world.role_assignments.retain(|a| a.name != found.name);
    Ok(Answer::ok(shown(target, &found)))
}

pub(super) fn create(
    visit: &Visit<'_>,
    world: &mut World,
    target: &Target<'_>,
    name: &str,
) -> Result<Answer, ArmError> {
    visit.require(world, &format!("{TYPE}/write"), scope(target))?;
    if target.group.is_some() {
        visit.group(world, target)?;
    }
    let name = guid(name).ok_or_else(|| {
        let message = format!("The role assignment ID '{name}' is not valid. The role assignment ID must be a GUID.");
        ArmError::bad_request("InvalidRoleAssignmentId", message)
    })?;
    let body = visit.body()?;
    let properties = body.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    let wanted = read(visit, world, target, name, &properties)?;
    let conflict = |code, message: &str| ArmError::new(StatusCode::CONFLICT, code, message).by_provider();
    if let Some(at) = world.role_assignments.iter().position(|a| a.name == name) {
        let present = &mut world.role_assignments[at];
        if !same(present, &wanted) {
            let message = "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.";
            return Err(conflict("RoleAssignmentUpdateNotPermitted", message));
        }
        present.description = wanted.description;
        return Ok(Answer::ok(shown(target, &world.role_assignments[at])));
    }
    if world.role_assignments.iter().any(|a| same(a, &wanted)) {
        return Err(conflict("RoleAssignmentExists", "The role assignment already exists."));
    }
    let answer = Answer::json(StatusCode::CREATED, shown(target, &wanted));
    world.role_assignments.push(wanted);
    Ok(answer)
}

fn same(one: &RoleAssignment, other: &RoleAssignment) -> bool {
    one.scope.eq_ignore_ascii_case(&other.scope)
        && (one.role_definition, one.principal_id) == (other.role_definition, other.principal_id)
}

/// The assignment that a body asks for, if role and principal are known.
fn read(
    visit: &Visit<'_>,
    world: &World,
    target: &Target<'_>,
    name: Uuid,
    properties: &Map<String, Value>,
) -> Result<RoleAssignment, ArmError> {
    let text = |member: &str| properties.get(member).and_then(Value::as_str);
    let invalid = |member: &str| {
        ArmError::bad_request("InvalidRequestContent", format!("The request content has no valid '{member}'."))
    };
    // Only the last segment counts: a definition has one id in all subscriptions.
    let role = text("roleDefinitionId").and_then(|id| guid(id.rsplit('/').next()?));
    let role_definition = role.ok_or_else(|| invalid("roleDefinitionId"))?;
    let principal_id = text("principalId").and_then(guid).ok_or_else(|| invalid("principalId"))?;
    if !exists(world, role_definition) {
        let message = format!("The specified role definition with ID '{role_definition}' does not exist.");
        return Err(ArmError::bad_request("RoleDefinitionDoesNotExist", message).by_provider());
    }
    // Left out means a user in this version.
    let sent = properties.get("principalType").cloned().unwrap_or_else(|| json!("User"));
    let principal_type: AzurePrincipalType = serde_json::from_value(sent).map_err(|_| invalid("principalType"))?;
    check_principal(visit, world, principal_id, principal_type)?;
    Ok(RoleAssignment {
        name,
        scope: scope(target).to_owned(),
        role_definition,
        principal_id,
        principal_type,
        description: text("description").map(str::to_owned),
        created_on: visit.now,
    })
}

fn check_principal(visit: &Visit<'_>, world: &World, id: Uuid, claimed: AzurePrincipalType) -> Result<(), ArmError> {
    let replicating = world.replicating_principals.get(&id).is_some_and(|until| visit.now < *until);
    let known = world.principal(id).filter(|_| !replicating);
    let kind = match known {
        Some(Principal::User(..)) => AzurePrincipalType::User,
        Some(Principal::Group(..)) => AzurePrincipalType::Group,
        Some(Principal::Application(..)) => AzurePrincipalType::ServicePrincipal,
        None => {
            let tenant = world.tenant.as_ref().map(|t| t.id).unwrap_or_default();
            let message = format!(
                "Principal {} does not exist in the directory {tenant}. Check that you have the correct principal ID. If \
                 you are creating this principal and then immediately assigning a role, this error might be related to a \
                 replication delay. In this case, set the role assignment principalType property to a value, such as \
                 ServicePrincipal, User, or Group.",
                id.simple()
            );
            return Err(ArmError::bad_request("PrincipalNotFound", message).by_provider());
        }
    };
    if kind == claimed {
        return Ok(());
    }
    let message =
        format!("The PrincipalId '{}' has type '{kind:?}', which is different from the specified one.", id.simple());
    Err(ArmError::bad_request("UnmatchedPrincipalType", message).by_provider())
}
