//! Storage accounts and Synapse workspaces as the world keeps them.
//!
//! Words: the *properties* are the members of `properties` on the wire that somebody can set, spelled and shaped as there;
//! what the service adds (endpoints, states, connections) is not among them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::Connection;

/// A storage account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StorageAccount {
    /// ARM id as its creator spelled it.
    pub id: String,
    /// Azure region.
    pub location: String,
    /// `StorageV2` …
    pub kind: String,
    /// `Standard_LRS` …
    pub sku: String,
    /// Tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// Object id of the system-assigned identity, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_identity: Option<Uuid>,
    /// ARM ids of the user-assigned identities that it was given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub user_identities: Vec<String>,
    /// When it was created.
    pub created: Timestamp,
    /// What can be set.
    #[serde(default)]
    pub properties: BTreeMap<String, Value>,
    /// Private endpoint connections, in the order in which they were asked for.
    #[serde(default)]
    pub connections: Vec<Connection>,
}

/// A managed identity that somebody made, for any number of resources. It is a principal of the directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UserAssignedIdentity {
    /// ARM id as its creator spelled it.
    pub id: String,
    /// Object id of its service principal.
    pub principal_id: Uuid,
    /// Application id.
    pub client_id: Uuid,
}

/// A Synapse workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SynapseWorkspace {
    /// ARM id as its creator spelled it.
    pub id: String,
    /// Azure region.
    pub location: String,
    /// Tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// Object id of its system-assigned identity; every workspace has one.
    pub system_identity: Uuid,
    /// What the service calls it inside.
    pub workspace_uid: Uuid,
    /// What can be set.
    #[serde(default)]
    pub properties: BTreeMap<String, Value>,
    /// Private endpoint connections, in the order in which they were asked for.
    #[serde(default)]
    pub connections: Vec<Connection>,
}
