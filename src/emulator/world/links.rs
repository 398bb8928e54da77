//! What an instance is linked to: a Key Vault, and resources over private links. How a link stands is never kept here: it is what the Azure side says at that instant.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A link to a Key Vault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeyVaultLink {
    /// Its own id.
    pub id: Uuid,
    /// ARM id of the vault.
    pub vault: String,
    /// Counts the writes.
    pub version: i64,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_utc: Timestamp,
}

/// A private link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PrivateLink {
    /// Its own id.
    pub id: Uuid,
    /// ARM id of the storage account or the Synapse workspace.
    pub resource: String,
    /// Whether it was found to work.
    #[serde(default)]
    pub is_validated: bool,
    /// Its endpoints.
    pub endpoints: Vec<LinkEndpoint>,
    /// Counts the writes.
    pub version: i64,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_utc: Timestamp,
}

/// An endpoint of a private link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LinkEndpoint {
    /// Its name, such as `pe-contosolake-blob`.
    pub name: String,
    /// `blob`, `blobForSynapse` …
    pub sub_resource_type: String,
    /// ARM id of the private endpoint, in Microsoft's own subscription.
    pub private_endpoint: String,
    /// Name of the connection that it asked for.
    pub connection: String,
}
