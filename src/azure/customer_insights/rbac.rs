//! Customer Insights - Data: roles and role assignments.
//!
//! Words: an assignment is *nameless* if what stands for its principal isn't an id; its *spellings* are the texts by which
//! the service lists the principal, which is what it must be asked by.
//!
//! Invariants: a list of assignments that can't be the whole list, or contradicts itself, is unreadable, for whoever
//! observes and whoever reads back; ids are parsed here and nowhere further in.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::json;

use super::{BODY_TYPE, Instance, call};
use crate::azure::access::{Reader, Writer};
use crate::azure::call::Answer;
use crate::azure::error::CallError;
use crate::azure::operations::{DELETE_ASSIGNMENT, GET_MY_ROLE, LIST_ASSIGNMENTS, LIST_ROLES, PUT_ASSIGNMENT};
use crate::terms::{ObjectId, text::brief};

/// One principal's roles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleAssignment {
    /// The principal; none if what stands there isn't an id.
    pub principal: Option<ObjectId>,
    /// The texts by which the service lists the principal.
    pub spellings: BTreeSet<String>,
    /// `user`, `group` or `app`.
    pub principal_type: Option<String>,
    /// Role names, as the service spells them.
    pub roles: BTreeSet<String>,
}

/// Whether two spellings mean one role. How the wire spells roles isn't documented, so letter case and spaces don't count.
pub fn same_role(one: &str, other: &str) -> bool {
    letters(one) == letters(other)
}

fn letters(role: &str) -> String {
    role.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    principal_id: Option<String>,
    principal_type: Option<String>,
    roles: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RoleDefinition {
    role_name: Option<String>,
}

impl Wire {
    fn read(self, answer: &Answer) -> Result<RoleAssignment, CallError> {
        let Self { principal_id, principal_type, roles } = self;
        let Some(roles) = roles else {
            return Err(answer.unreadable("it lists an assignment without saying which roles it is of"));
        };
        let principal = principal_id.as_deref().and_then(ObjectId::parse);
        let spellings = principal_id.into_iter().filter(|_| principal.is_some()).collect();
        Ok(RoleAssignment { principal, spellings, principal_type, roles: roles.into_iter().collect() })
    }
}

impl RoleAssignment {
    /// Takes in another entry of the same principal, unless the two disagree.
    pub fn unite(&mut self, other: RoleAssignment) -> Result<(), String> {
        let RoleAssignment { principal, spellings, principal_type, roles } = other;
        let letters_of = |roles: &BTreeSet<String>| roles.iter().map(|role| letters(role)).collect::<BTreeSet<_>>();
        let kinds = [&self.principal_type, &principal_type].map(|kind| kind.as_deref().map(str::to_lowercase));
        let same_kind = kinds[0].is_none() || kinds[1].is_none() || kinds[0] == kinds[1];
        if !same_kind || letters_of(&self.roles) != letters_of(&roles) {
            let who = principal.or(self.principal).map(|id| id.to_string()).unwrap_or_default();
            let listed = |roles: &BTreeSet<String>| {
                let names: Vec<String> = roles.iter().map(|role| brief(role)).collect();
                names.join(" and ")
            };
            let (one, other) = (listed(&self.roles), listed(&roles));
            return Err(format!("it lists {who} twice and contradicts itself: {one}, and {other}"));
        }
        self.spellings.extend(spellings);
        self.principal_type = self.principal_type.take().or(principal_type);
        Ok(())
    }
}

/// The names of the roles that the environment knows. `GET /instances/{instanceId}/rbac/roles`
pub async fn list_roles(reader: &Reader, instance: &Instance) -> Result<Vec<String>, CallError> {
    let answer = reader.send(call(&LIST_ROLES, instance)).await?;
    let roles: Vec<RoleDefinition> = answer.json()?;
    let names: Option<Vec<String>> = roles.into_iter().map(|role| role.role_name).collect();
    match names {
        // Of a list with gaps nobody can say which role it lacks.
        None => Err(answer.unreadable("it lists a role without its name")),
        Some(names) if names.is_empty() => Err(answer.unreadable("it lists no roles at all")),
        Some(names) => Ok(names),
    }
}

/// The principal whose role the service takes for the caller's own: its id, or the text that stands for one and isn't.
/// `GET /instances/{instanceId}/rbac/myrole`
pub async fn my_principal(reader: &Reader, instance: &Instance) -> Result<Result<ObjectId, String>, CallError> {
    let answer = reader.send(call(&GET_MY_ROLE, instance)).await?;
    let wire: Wire = answer.json()?;
    let text = wire.principal_id.unwrap_or_default();
    Ok(ObjectId::parse(&text).ok_or_else(|| brief(&text)))
}

/// Everybody's assignments, each principal once: the whole list or an error. `GET /instances/{instanceId}/rbac/assignments`
pub async fn list_assignments(reader: &Reader, instance: &Instance) -> Result<Vec<RoleAssignment>, CallError> {
    let answer = reader.send(call(&LIST_ASSIGNMENTS, instance)).await?;
    let wires: Vec<Wire> = answer.json()?;
    // Only those who have a role may ask.
    if wires.is_empty() {
        return Err(answer.unreadable("it lists no assignments at all, not even the caller's own"));
    }
    let mut nameless = Vec::new();
    let mut named: BTreeMap<ObjectId, RoleAssignment> = BTreeMap::new();
    for wire in wires {
        let assignment = wire.read(&answer)?;
        let Some(principal) = assignment.principal else {
            nameless.push(assignment);
            continue;
        };
        match named.get_mut(&principal) {
            Some(first) => first.unite(assignment).map_err(|why| answer.unreadable(&why))?,
            None => drop(named.insert(principal, assignment)),
        }
    }
    Ok(named.into_values().chain(nameless).collect())
}

/// Gives a principal exactly one role. `PUT /instances/{instanceId}/rbac/principals/{principalId}/assignment`
///
/// `principal` is the id as the service lists it; `principal_type` is `user`, `group` or `app`. Whether the answer lists
/// everybody or only this principal isn't documented, so it is ignored: read back.
pub async fn put_assignment(
    writer: &Writer,
    instance: &Instance,
    principal: &str,
    principal_type: &str,
    role: &str,
) -> Result<(), CallError> {
    let body = json!({ "principalId": principal, "principalType": principal_type, "roles": [role] });
    writer.send(call(&PUT_ASSIGNMENT, instance).path("principalId", principal).json(BODY_TYPE, &body)).await?;
    Ok(())
}

/// Takes a principal's roles away. `DELETE /instances/{instanceId}/rbac/principals/{principalId}/assignment`
///
/// `principal` is the id as the service lists it.
pub async fn delete_assignment(writer: &Writer, instance: &Instance, principal: &str) -> Result<(), CallError> {
    writer.send(call(&DELETE_ASSIGNMENT, instance).path("principalId", principal)).await?;
    Ok(())
}
