//! Role definitions and role assignments: operations 8 to 12.
//!
//! What must stay true: authorisation, checks and the write happen on one state of the world; a write shows in the list
//! at once (or after `staleReads`) and counts for authorisation after `roleWritePropagation`.

use http::StatusCode;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::error::ApiError;
use super::{ADMIN, Answer, Visit};
use crate::emulator::call::guid;
use crate::emulator::views::{Principal, as_of, before};
use crate::emulator::world::{Assignment, Instance, PrincipalType, World};

/// Role names and what they are for; the last one only with business unit separation. Its wire name is UNDOCUMENTED, the
/// printed one is taken.
const ROLES: [(&str, &str); 4] = [
    (ADMIN, "Can do everything in the environment, and manage its users."),
    ("Contributor", "Can configure everything but users, connections and permissions."),
    ("Viewer", "Can look at the environment."),
    ("Marketing Contributor", "Can configure segments, measures and exports."),
];

fn role_names(instance: &Instance) -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    ROLES.iter().take(if instance.business_units { ROLES.len() } else { ROLES.len() - 1 })
}

/// Operation 8.
pub(super) fn roles(visit: &Visit<'_>, id: &str) -> Result<Answer, ApiError> {
    visit.read(|world| {
        let (_, instance) = visit.admin(world, id)?;
        let roles = role_names(instance).map(|(name, text)| json!({ "roleName": name, "description": text }));
        Ok(Answer::ok(Value::Array(roles.collect())))
    })
}

/// Operation 9: any member may ask. The roles are the ones that count, own and through groups.
pub(super) fn my_role(visit: &Visit<'_>, id: &str) -> Result<Answer, ApiError> {
    visit.read(|world| {
        let (id, instance) = visit.member(world, id)?;
        let kind = match world.principal(visit.caller.oid) {
            Some(Principal::User(..)) => PrincipalType::User,
            _ => PrincipalType::App,
        };
        Ok(Answer::ok(json!({
            "principalId": visit.caller.oid,
            "principalType": kind,
            "roles": world.effective_roles(instance, visit.caller.oid, visit.now),
            "instanceId": id,
        })))
    })
}

/// `Get-all-role-assignments`.
pub(super) fn assignments(visit: &Visit<'_>, id: &str) -> Result<Answer, ApiError> {
    visit.read(|world| {
        let (id, instance) = visit.admin(world, id)?;
        let seen = before(visit.now, world.behaviour.stale_reads);
        let seen = as_of(&instance.earlier_assignments, &instance.assignments, seen);
        Ok(Answer::ok(list(id, seen)))
    })
}

/// `Update-a-role-assignment`. The array is the whole list after the write; whether it is in the service is UNDOCUMENTED.
pub(super) fn assign(visit: &Visit<'_>, id: &str, principal: &str) -> Result<Answer, ApiError> {
    visit.change(|world| {
        let (id, instance) = visit.admin(world, id)?;
        let body = visit.body()?;
        let kind = principal_type(world, principal).ok_or_else(|| ApiError::user_not_found(principal))?;
        let roles = wanted_roles(instance, &body)?;
        check_identity(&body, principal, kind)?;
        let mut next = instance.assignments.clone();
        match next.iter_mut().find(|a| a.principal_id.eq_ignore_ascii_case(principal)) {
            Some(present) => present.roles = roles,
            None => {
                next.push(Assignment { principal_id: principal.to_owned(), principal_type: kind, roles });
            }
        }
        check_remaining(world, instance, &next)?;
        let answer = list(id, &next);
        world.set_assignments(id, next, visit.now);
        Ok(Answer::ok(answer))
    })
}

/// `Deletes-a-role-assignment`. No body on success: the operation declares no schema. A principal without a role here is unknown here.
pub(super) fn remove(visit: &Visit<'_>, id: &str, principal: &str) -> Result<Answer, ApiError> {
    visit.change(|world| {
        let (id, instance) = visit.admin(world, id)?;
        let mut next = instance.assignments.clone();
        next.retain(|a| !a.principal_id.eq_ignore_ascii_case(principal));
        if next.len() == instance.assignments.len() {
            return Err(ApiError::user_not_found(principal));
        }
        check_remaining(world, instance, &next)?;
        world.set_assignments(id, next, visit.now);
        Ok(Answer::empty(StatusCode::OK))
    })
}

fn list(instance: Uuid, assignments: &[Assignment]) -> Value {
    let item = |a: &Assignment| {
        let Assignment { principal_id, principal_type, roles } = a;
        json!({ "principalId": principal_id, "principalType": principal_type, "roles": roles, "instanceId": instance })
    };
    assignments.iter().map(item).collect()
}

/// The kind of a principal of the directory. Only object ids are known: that an application is assigned by its service
/// principal's object id is the safer guess, and accepting both would hide the mix-up.
fn principal_type(world: &World, principal: &str) -> Option<PrincipalType> {
    Some(match world.principal(guid(principal)?)? {
        Principal::User(..) => PrincipalType::User,
        Principal::Group(..) => PrincipalType::Group,
        Principal::Application(..) => PrincipalType::App,
    })
}

/// The roles of the body. Names must be spelled as in `rbac/roles`; whether the service minds the case is UNDOCUMENTED,
/// and the stricter reading finds more mistakes.
fn wanted_roles(instance: &Instance, body: &Map<String, Value>) -> Result<Vec<String>, ApiError> {
    let roles = body.get("roles").and_then(Value::as_array).filter(|r| !r.is_empty());
    let roles = roles.ok_or_else(|| ApiError::invalid("roles", "At least one role is needed."))?;
    let mut wanted: Vec<String> = Vec::new();
    for role in roles {
        let known = role.as_str().filter(|r| role_names(instance).any(|(name, _)| name == r));
        let known = known.ok_or_else(|| ApiError::invalid("roles", format!("There is no role {role} here.")))?;
        if !wanted.iter().any(|w| w == known) {
            wanted.push(known.to_owned());
        }
    }
    Ok(wanted)
}

/// `principalId` and `principalType` of the body may be missing, but not differ; `instanceId` is overwritten.
fn check_identity(body: &Map<String, Value>, principal: &str, kind: PrincipalType) -> Result<(), ApiError> {
    let agrees = |member: &str, expected: &str| match body.get(member) {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.eq_ignore_ascii_case(expected),
        Some(_) => false,
    };
    if !agrees("principalId", principal) {
        return Err(ApiError::invalid("principalId", "The principal of the body is not the one of the path."));
    }
    if !agrees("principalType", kind.as_str()) {
        let message = format!("The principal is of type {}.", kind.as_str());
        return Err(ApiError::invalid("principalType", message));
    }
    Ok(())
}

/// The two refusals that are switches: what the service does is UNDOCUMENTED.
fn check_remaining(world: &World, instance: &Instance, next: &[Assignment]) -> Result<(), ApiError> {
    let admin = |a: &&Assignment| a.roles.iter().any(|r| r == ADMIN);
    let owner = instance.owner.to_string();
    let owns = |list: &[Assignment]| list.iter().filter(admin).any(|a| a.principal_id.eq_ignore_ascii_case(&owner));
    let refuse = |message: &str| Err(ApiError::new(StatusCode::CONFLICT, "instanceOperationNotAllowed", message));
    if world.behaviour.refuse_last_admin && next.iter().find(admin).is_none() {
        return refuse("The last administrator of an environment can't be removed.");
    }
    if world.behaviour.refuse_owner_removal && owns(&instance.assignments) && !owns(next) {
        return refuse("The owner of an environment must stay an administrator.");
    }
    Ok(())
}
