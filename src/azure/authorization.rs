//! Who may do what in Azure: role assignments, and the caller's own rights.
//!
//! What must stay true: an assignment's name is derived from what it grants, so that granting twice is granting once; a
//! principal's type is always sent, since leaving it out means a user; a right is held only if some entry grants it and the same
//! entry doesn't take it out again.

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
use crate::terms::{AzureScope, ObjectId, ResourceId, object_id};

/// Role definitions that palisade grants or looks for; the same in every tenant.
pub mod roles {
    use uuid::Uuid;

    /// Key Vault Reader.
    pub const KEY_VAULT_READER: Uuid = Uuid::from_u128(0x2109_0545_7ca7_4776_b22c_e363_652d_74d2);
    /// Key Vault Secrets User.
    pub const KEY_VAULT_SECRETS_USER: Uuid = Uuid::from_u128(0x4633_458b_17de_408a_b874_0445_c86b_69e6);
    /// Key Vault Crypto Service Encryption User.
    pub const KEY_VAULT_CRYPTO_SERVICE_ENCRYPTION_USER: Uuid =
        Uuid::from_u128(0xe147_488a_f6f5_4113_8e2d_b224_65e6_5bf6);
    /// Storage Account Contributor.
    pub const STORAGE_ACCOUNT_CONTRIBUTOR: Uuid = Uuid::from_u128(0x17d1_049b_9a84_46fb_8f53_8698_81c3_d3ab);
}

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
    let unreadable = || CallError::unreadable(LIST_ROLE_ASSIGNMENTS.facts(), "an assignment lacks a member");
    wires.into_iter().map(|wire| wire.read().ok_or_else(unreadable)).collect()
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
    answer.json::<Wire>()?.read().map(Some).ok_or_else(|| answer.unreadable("an assignment lacks a member"))
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
    pub permissions: Rights,
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

/// What somebody may do: entries that add up.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(transparent)]
pub struct Rights(Vec<Entry>);

/// One entry of a role.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Entry {
    actions: Option<Vec<String>>,
    not_actions: Option<Vec<String>>,
    data_actions: Option<Vec<String>>,
    not_data_actions: Option<Vec<String>>,
}

impl Rights {
    /// Whether an action of the management plane is among them. Deny assignments aren't looked at.
    pub fn allow(&self, action: &str) -> bool {
        self.0.iter().any(|entry| any(&entry.actions, action) && !any(&entry.not_actions, action))
    }

    /// Whether an action of the data plane is among them.
    pub fn allow_data(&self, action: &str) -> bool {
        self.0.iter().any(|entry| any(&entry.data_actions, action) && !any(&entry.not_data_actions, action))
    }
}

fn any(patterns: &Option<Vec<String>>, action: &str) -> bool {
    patterns.iter().flatten().any(|pattern| fits(&pattern.to_lowercase(), &action.to_lowercase()))
}

/// Whether a text fits a pattern in which `*` stands for any run of characters, slashes included.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((front, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(text) = text.strip_prefix(front) else { return false };
    (0..=text.len()).filter(|at| text.is_char_boundary(*at)).any(|at| fits(rest, &text[at..]))
}

/// The caller's own rights on a resource: the whole of them or an error.
/// `GET {resource}/providers/Microsoft.Authorization/permissions`
pub async fn rights(reader: &Reader, resource: &ResourceId) -> Result<Rights, CallError> {
    let scope = AzureScope::Resource(resource.clone());
    arm::list(reader, scoped(Call::of(&LIST_PERMISSIONS), &scope)).await.map(Rights)
}

/// The caller's own rights on a resource group.
/// `GET /subscriptions/{s}/resourceGroups/{rg}/providers/Microsoft.Authorization/permissions`
pub async fn rights_in_group(reader: &Reader, subscription: Uuid, group: &str) -> Result<Rights, CallError> {
    let scope = AzureScope::Group { subscription, group: group.to_owned() };
    arm::list(reader, scoped(Call::of(&LIST_PERMISSIONS), &scope)).await.map(Rights)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_right_is_held_if_an_entry_grants_it_and_does_not_take_it_out_again() {
        let rights: Rights = serde_json::from_value(json!([
            { "actions": ["*"], "notActions": ["Microsoft.Authorization/*/Write"] },
            { "actions": ["Microsoft.Storage/storageAccounts/*"], "dataActions": ["*/readMetadata/action"] },
            {},
        ]))
        .unwrap();
        assert!(rights.allow("microsoft.storage/storageaccounts/privateEndpointConnections/write"));
        assert!(!rights.allow("Microsoft.Authorization/roleAssignments/write"));
        assert!(rights.allow("Microsoft.Authorization/roleAssignments/read"));
        assert!(rights.allow_data("Microsoft.KeyVault/vaults/secrets/readMetadata/action"));
        assert!(!rights.allow_data("Microsoft.KeyVault/vaults/secrets/getSecret/action"));
        assert!(!Rights::default().allow("x"));
    }

    #[test]
    fn the_same_grant_has_the_same_name() {
        let grant = |group: &str, role| Grant {
            scope: AzureScope::Group { subscription: Uuid::nil(), group: group.to_owned() },
            role,
            principal_id: ObjectId::from(Uuid::from_u128(1)),
            principal_type: PrincipalType::ServicePrincipal,
        };
        let one = grant("RG", roles::KEY_VAULT_READER);
        assert_eq!(one.name(), grant("rg", roles::KEY_VAULT_READER).name());
        assert_ne!(one.name(), grant("rg", roles::KEY_VAULT_SECRETS_USER).name());
    }
}
