//! Power Platform as the world keeps it: environments, enterprise policies, and the operations that change environments.
//!
//! Words: a link is *in force* if the environment is encrypted with the policy's key, whatever became of the last operation on
//! it; an environment is *locked* if its key was found to be lost, and stays so until it is enabled again. Invariants: what an
//! operation comes to is settled when it is accepted, and takes effect when it ends, by the clock alone.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// An environment of Power Platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlatformEnvironment {
    /// Its id as its creator spelled it: a GUID, or `Default-{tenant}`.
    pub id: String,
    /// Display name.
    pub display_name: String,
    /// Geography, such as `europe`.
    pub location: String,
    /// Azure region.
    pub azure_region: String,
    /// `Production`, `Sandbox`, `Trial`, `Teams`, `Default` …
    pub sku: String,
    /// `Standard` if it is managed, else `Basic`.
    pub protection_level: String,
    /// The settings of a managed environment; all are texts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extended_settings: BTreeMap<String, String>,
    /// The environment group that it is in, and that owns those settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Uuid>,
    /// Its Dataverse organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataverse: Option<PlatformDataverse>,
    /// When it was created.
    pub created: Timestamp,
    /// `Enabled`, `Disabled` or `AdminMode`, apart from what a lock or an operation does to it.
    pub runtime: String,
    /// Whether its key was found to be lost.
    #[serde(default)]
    pub locked: bool,
    /// Since when it is locked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locked_since: Option<Timestamp>,
    /// The policies that it is linked to.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub links: BTreeMap<LinkKind, PolicyLink>,
    /// What reads show for some more requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale: Option<StaleReads>,
}

impl PlatformEnvironment {
    /// Its key is back, or another one took its place.
    pub(crate) fn unlock(&mut self) {
        self.locked = false;
        self.locked_since = None;
    }
}

/// The Dataverse organisation of an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlatformDataverse {
    /// Its id.
    pub resource_id: Uuid,
    /// Display name.
    pub friendly_name: String,
    /// Its address, with a slash at the end as the service writes it.
    pub instance_url: String,
    /// `Ready` …
    pub instance_state: String,
}

/// What an environment can be linked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LinkKind {
    /// A customer-managed key.
    Encryption,
    /// A virtual network.
    NetworkInjection,
    /// An identity.
    Identity,
}

/// A link to an enterprise policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicyLink {
    /// The policy's id in Azure.
    pub policy: String,
    /// What Power Platform calls it.
    pub system_id: String,
    /// `Linking`, `Unlinking`, `Linked`, `Failed`.
    pub status: String,
    /// Why the last operation failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Whether the environment is encrypted with its key.
    pub in_force: bool,
}

/// What an environment showed before an operation succeeded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StaleReads {
    /// For how many more reads.
    pub left: u32,
    /// Its links.
    pub links: BTreeMap<LinkKind, PolicyLink>,
    /// Whether it was managed.
    pub protection_level: String,
}

/// An enterprise policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EnterprisePolicy {
    /// ARM id as its creator spelled it.
    pub id: String,
    /// Geography, such as `europe`.
    pub location: String,
    /// `Encryption`, `NetworkInjection`, `Identity` …
    pub kind: String,
    /// Tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// Object id of its system-assigned identity, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_identity: Option<Uuid>,
    /// The GUID at the end of its system id.
    pub guid: Uuid,
    /// The key, of an encryption policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption: Option<PolicyKey>,
    /// The virtual networks, as on the wire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_injection: Option<Value>,
    /// When it was created.
    pub created: Timestamp,
    /// Who created it: object id.
    pub created_by: Uuid,
}

/// The key of an encryption policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicyKey {
    /// `Enabled`, `Disabled`, `NotConfigured`.
    pub state: String,
    /// ARM id of the vault.
    pub vault: String,
    /// Name of the key.
    pub name: String,
    /// The version that is pinned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

impl EnterprisePolicy {
    /// What Power Platform calls it.
    pub fn system_id(&self) -> String {
        format!("/regions/{}/providers/Microsoft.PowerPlatform/enterprisePolicies/{}", self.location, self.guid)
    }
}

/// A lifecycle operation, over or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LifecycleOperation {
    /// The environment's id in lower case.
    pub environment: String,
    /// Type id, such as `NewCustomerManagedKey`.
    pub kind: String,
    /// When it was accepted.
    pub started: Timestamp,
    /// When it ends.
    pub ends: Timestamp,
    /// Object id of who asked for it.
    pub requested_by: Uuid,
    /// What it does if it succeeds.
    pub work: LifecycleWork,
    /// The encryption link before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<PolicyLink>,
    /// How it fails, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<LifecycleFailure>,
    /// Whether it has ended and taken effect.
    #[serde(default)]
    pub applied: bool,
}

/// What an operation does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LifecycleWork {
    /// Links the environment to the encryption policy with this ARM id.
    Link(String),
    /// Unlinks it from its encryption policy.
    Unlink,
    /// Sets the protection level, and these settings if any are given.
    Govern(String, BTreeMap<String, String>),
    /// Brings it back from a lock.
    Enable,
}

/// How an operation fails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LifecycleFailure {
    /// The stage at which: `Validate`, `Prepare`, `Run`, `Finalize`.
    pub stage: String,
    /// A code.
    pub code: String,
    /// Words.
    pub message: String,
}

/// An application that administers Power Platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AdminApplication {
    /// When it was registered.
    pub registered: Timestamp,
}
