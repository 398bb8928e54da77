//! Who may do what in Azure: role assignments, and the caller's own rights.
//!
//! What must stay true: an assignment's name is derived from what it grants, so that granting twice is granting once; a
//! principal's type is always sent, since leaving it out means a user. What lists of rights mean is
//! [`rights`]' matter.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::access::{Reader, Writer};
use super::arm;
use super::call::Call;
use super::error::CallError;
use super::operations::{
    CREATE_ROLE_ASSIGNMENT, DELETE_ROLE_ASSIGNMENT, GET_ROLE_ASSIGNMENT, LIST_PERMISSIONS, LIST_ROLE_ASSIGNMENTS,
    LIST_ROLE_DEFINITIONS,
};
use super::rights::{self, Action, Entry, Granted, Holding, Needs};
use crate::terms::text::brief;
use crate::terms::{AzureScope, ObjectId, ResourceId, object_id};

/// A role, granted to a principal at a scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleAssignment {
    /// Its name.
    pub name: Uuid,
    /// The id of the scope that it was granted at, which may lie above the one that was asked about.
    pub scope: String,
    /// The role definition, without the subscription that the service puts before it.
    pub role: Uuid,
    /// Object id of the principal.
    pub principal_id: ObjectId,
    /// `User`, `Group`, `ServicePrincipal` …
    pub principal_type: Option<String>,
    /// Words of its maker.
    pub description: Option<String>,
    /// When it counts; without one, always.
    pub condition: Option<String>,
    /// When it was granted; none if the service doesn't tell.
    pub created: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Wire {
    name: Option<String>,
    properties: WireProperties,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireProperties {
    scope: Option<String>,
    role_definition_id: Option<String>,
    #[serde(default, deserialize_with = "object_id::principal")]
    principal_id: Option<ObjectId>,
    principal_type: Option<String>,
    description: Option<String>,
    condition: Option<String>,
    created_on: Option<String>,
}

impl Wire {
    fn read(self) -> Option<RoleAssignment> {
        let WireProperties {
            scope,
            role_definition_id,
            principal_id,
            principal_type,
            description,
            condition,
            created_on,
        } = self.properties;
        Some(RoleAssignment {
            name: self.name?.parse().ok()?,
            scope: scope?,
            role: last(&role_definition_id?)?,
            principal_id: principal_id?,
            principal_type,
            description,
            condition,
            created: created_on.and_then(|text| text.parse().ok()),
        })
    }
}

/// The GUID at the end of an id: what is before it differs between the places that ask.
fn last(id: &str) -> Option<Uuid> {
    id.rsplit('/').next()?.parse().ok()
}

fn scoped<E>(call: Call<E>, scope: &AzureScope) -> Call<E> {
    call.subpath("scope", &scope.to_string())
}

/// The assignments of one principal that count at a scope: granted there or above, to it or to a group that it is in. The
/// whole list or an error. `GET /{scope}/providers/Microsoft.Authorization/roleAssignments`
pub async fn assigned_to(
    reader: &Reader,
    scope: &AzureScope,
    principal: ObjectId,
) -> Result<Vec<RoleAssignment>, CallError> {
    let filter = format!("atScope() and assignedTo('{principal}')");
    let call = scoped(Call::of(&LIST_ROLE_ASSIGNMENTS), scope).query("$filter", filter);
    let wires: Vec<Wire> = arm::list(reader, call).await?;
    let mut all: Vec<RoleAssignment> = Vec::with_capacity(wires.len());
    let unreadable = |detail: &str| CallError::unreadable(LIST_ROLE_ASSIGNMENTS.facts(), detail);
    for wire in wires {
        let found = wire.read().ok_or_else(|| unreadable(HALF))?;
        if !counts_at(&found.scope, scope) {
            let elsewhere = brief(&found.scope);
            return Err(unreadable(&format!(
                "it lists an assignment at `{elsewhere}`, which doesn't count at {scope}"
            )));
        }
        match all.iter().find(|known| known.name == found.name && known.scope.eq_ignore_ascii_case(&found.scope)) {
            None => all.push(found),
            Some(known) if *known == found => {}
            Some(_) => {
                let name = found.name;
                return Err(unreadable(&format!("it lists the assignment {name} twice and contradicts itself")));
            }
        }
    }
    Ok(all)
}

const HALF: &str = "an assignment lacks a member";

/// Whether what is granted at one scope counts at another: at the same, or above it. Management groups are above all
/// subscriptions that may be in them, which no id tells.
fn counts_at(granted: &str, at: &AzureScope) -> bool {
    let (granted, at) = (granted.trim_end_matches('/').to_lowercase(), at.to_string().to_lowercase());
    let managed = granted.starts_with("/providers/microsoft.management/managementgroups/");
    granted.is_empty()
        || managed
        || at.strip_prefix(&granted).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// What is granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Where.
    pub scope: AzureScope,
    /// Which role definition.
    pub role: Uuid,
    /// To whom: an object id, not an application id.
    pub principal_id: ObjectId,
    /// `User`, `Group` or `ServicePrincipal`.
    pub principal_type: PrincipalType,
}

/// Kinds of principals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrincipalType {
    /// A user.
    User,
    /// A group.
    Group,
    /// An application's service principal, or a managed identity.
    ServicePrincipal,
}

impl PrincipalType {
    const fn as_str(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Group => "Group",
            Self::ServicePrincipal => "ServicePrincipal",
        }
    }
}

impl Grant {
    /// The name of its assignment: derived from what is granted to whom and where, as Microsoft advises.
    pub fn name(&self) -> Uuid {
        let Self { scope, role, principal_id, principal_type: _ } = self;
        let digest = Sha256::new()
            .chain_update(scope.to_string().to_lowercase())
            .chain_update([0])
            .chain_update(role.as_bytes())
            .chain_update(principal_id.uuid().as_bytes())
            .finalize();
        let mut bytes = [0; 16];
        bytes.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        uuid::Builder::from_custom_bytes(bytes).into_uuid()
    }
}

/// Grants a role. That the same was granted before under another name is a success, too.
/// `PUT /{scope}/providers/Microsoft.Authorization/roleAssignments/{roleAssignmentName}`
///
/// It counts only after minutes. `PrincipalNotFound` for a principal that was just made passes, as well.
pub async fn grant(writer: &Writer, grant: &Grant, description: &str) -> Result<(), CallError> {
    let Grant { scope, role, principal_id, principal_type } = grant;
    let body = json!({
        "properties": {
            "roleDefinitionId": format!("/providers/Microsoft.Authorization/roleDefinitions/{role}"),
            "principalId": principal_id,
            "principalType": principal_type.as_str(),
            "description": description,
        },
    });
    let name = grant.name().to_string();
    let call = scoped(Call::of(&CREATE_ROLE_ASSIGNMENT), scope).path("roleAssignmentName", &name);
    match writer.send(call.json(arm::JSON, &body)).await {
        Err(error) if error.status() == Some(409) && error.code() == Some("RoleAssignmentExists") => Ok(()),
        other => other.map(|_| ()),
    }
}

/// One assignment; none if the service says that there is none.
/// `GET /{scope}/providers/Microsoft.Authorization/roleAssignments/{roleAssignmentName}`
pub async fn get(reader: &Reader, scope: &AzureScope, name: Uuid) -> Result<Option<RoleAssignment>, CallError> {
    let call = scoped(Call::of(&GET_ROLE_ASSIGNMENT), scope).path("roleAssignmentName", &name.to_string());
    let Some(answer) = arm::found(reader.send(call).await)? else { return Ok(None) };
    answer.json::<Wire>()?.read().map(Some).ok_or_else(|| answer.unreadable(HALF))
}

/// Takes an assignment away, at the scope that it was granted at.
/// `DELETE /{scope}/providers/Microsoft.Authorization/roleAssignments/{roleAssignmentName}`
pub async fn revoke(writer: &Writer, scope: &AzureScope, name: Uuid) -> Result<(), CallError> {
    let call = scoped(Call::of(&DELETE_ROLE_ASSIGNMENT), scope).path("roleAssignmentName", &name.to_string());
    writer.send(call).await.map(|_| ())
}

/// A role that can be granted.
#[derive(Debug, Clone, Deserialize)]
pub struct RoleDefinition {
    /// Its id.
    pub name: Uuid,
    /// What it is.
    pub properties: RoleProperties,
}

/// What a role is.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RoleProperties {
    /// Display name.
    pub role_name: Option<String>,
    /// What it grants; entries add up.
    #[serde(default)]
    pub permissions: Granted,
}

/// The roles of one display name that can be granted at a scope.
/// `GET /{scope}/providers/Microsoft.Authorization/roleDefinitions`
pub async fn definitions(
    reader: &Reader,
    scope: &AzureScope,
    role_name: &str,
) -> Result<Vec<RoleDefinition>, CallError> {
    let filter = format!("roleName eq '{}'", role_name.replace('\'', "''"));
    arm::list(reader, scoped(Call::of(&LIST_ROLE_DEFINITIONS), scope).query("$filter", filter)).await
}

/// The caller's own rights on a resource: the whole of them or an error.
/// `GET {resource}/providers/Microsoft.Authorization/permissions`
pub async fn granted(reader: &Reader, resource: &ResourceId) -> Result<Granted, CallError> {
    let scope = AzureScope::Resource(resource.clone());
    let entries: Vec<Entry> = arm::list(reader, scoped(Call::of(&LIST_PERMISSIONS), &scope)).await?;
    Ok(entries.into_iter().collect())
}

/// Whether the caller, who has read a resource, holds on it what an operation needs, by what the list of its rights there says.
///
/// A caller who may not read the list may hold the rights all the same; any other failure tells nothing at all.
pub fn holding(
    granted: Result<&Granted, &CallError>,
    resource: &ResourceId,
    needs: &Needs,
) -> Result<Holding, CallError> {
    judged(granted, needs, Action::to_read(resource))
}

/// The same by a list of rights on something that nothing was read of.
pub fn holding_of(granted: Result<&Granted, &CallError>, needs: &Needs) -> Result<Option<Holding>, CallError> {
    match granted {
        Err(error) if arm::is_absent(error) => Ok(None),
        granted => judged(granted, needs, None).map(Some),
    }
}

fn judged(granted: Result<&Granted, &CallError>, needs: &Needs, used: Option<Action>) -> Result<Holding, CallError> {
    match granted {
        Ok(list) => Ok(rights::by_list(needs, list, used)),
        Err(error) if error.status() == Some(403) => Ok(Holding::unproved(needs, rights::unread(error))),
        Err(error) => Err(error.clone()),
    }
}

/// The caller's own rights on a resource group.
/// `GET /subscriptions/{s}/resourceGroups/{rg}/providers/Microsoft.Authorization/permissions`
pub async fn granted_in_group(reader: &Reader, subscription: Uuid, group: &str) -> Result<Granted, CallError> {
    let scope = AzureScope::Group { subscription, group: group.to_owned() };
    let entries: Vec<Entry> = arm::list(reader, scoped(Call::of(&LIST_PERMISSIONS), &scope)).await?;
    Ok(entries.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::azure::rights::roles;

    #[test]
    fn the_same_grant_has_the_same_name() {
        let grant = |group: &str, role| Grant {
            scope: AzureScope::Group { subscription: Uuid::nil(), group: group.to_owned() },
            role,
            principal_id: ObjectId::from(Uuid::from_u128(1)),
            principal_type: PrincipalType::ServicePrincipal,
        };
        let one = grant("RG", roles::KEY_VAULT_READER.id);
        assert_eq!(one.name(), grant("rg", roles::KEY_VAULT_READER.id).name());
        assert_ne!(one.name(), grant("rg", roles::KEY_VAULT_SECRETS_USER.id).name());
    }
}
