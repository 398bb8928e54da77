//! Azure subscriptions, resource groups and role assignments.
//!
//! Words: an *entry* of a role grants actions (management plane) and data actions (data plane), each less what it takes
//! back. Built-in roles aren't in the world: they are the same everywhere.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An Azure subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Subscription {
    /// Display name.
    pub display_name: String,
    /// Resource groups by their name in lower case.
    #[serde(default)]
    pub resource_groups: BTreeMap<String, ResourceGroup>,
}

/// A resource group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResourceGroup {
    /// Its name as its creator spelled it.
    pub name: String,
    /// Azure region.
    pub location: String,
}

/// A role, granted to a principal on a scope and all that lies below.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RoleAssignment {
    /// Its own id (the last segment of its ARM id).
    pub name: Uuid,
    /// ARM id of the scope, compared without regard to case; `/` is everything.
    pub scope: String,
    /// Id of the role definition (the last segment of its ARM id): built-in or custom.
    pub role_definition: Uuid,
    /// Object id of the principal. A group grants to its members.
    pub principal_id: Uuid,
    /// Kind of the principal.
    pub principal_type: AzurePrincipalType,
    /// Words of its creator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// When it was made.
    pub created_on: Timestamp,
}

/// `principalType` of an Azure role assignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AzurePrincipalType {
    /// A user.
    User,
    /// A group.
    Group,
    /// An application or a managed identity.
    ServicePrincipal,
    /// A group of another tenant.
    ForeignGroup,
    /// A device.
    Device,
}

/// A role that the tenant made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CustomRole {
    /// Display name.
    pub role_name: String,
    /// What it grants; entries add up.
    pub permissions: Vec<Permission>,
}

/// One entry of a role. `*` stands for any run of characters; case doesn't matter.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Permission {
    /// Granted on the management plane.
    pub actions: Vec<String>,
    /// Taken out of that.
    pub not_actions: Vec<String>,
    /// Granted on the data plane.
    pub data_actions: Vec<String>,
    /// Taken out of that.
    pub not_data_actions: Vec<String>,
}
