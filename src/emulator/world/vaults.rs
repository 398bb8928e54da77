//! Key vaults with what is in them.
//!
//! Words: an *object* is a secret or a key; it has versions, oldest first, of which the last one is the *current* one,
//! enabled or not; a deleted object keeps its versions until it is recovered or purged. What must stay true: a version's
//! value never changes; an object has at least one version; secret values are masked in `Debug`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Connection, Masked, RotationPolicy};

/// A key vault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Vault {
    /// ARM id as its creator spelled it.
    pub id: String,
    /// Azure region.
    pub location: String,
    /// The tenant whose tokens it takes.
    pub tenant_id: Uuid,
    /// What it is made of.
    #[serde(default)]
    pub sku: VaultSku,
    /// Tags of the ARM resource.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// Whether deleted objects can be recovered. Once on it stays on.
    pub enable_soft_delete: bool,
    /// For how long, 7 to 90 days.
    pub soft_delete_retention_in_days: u8,
    /// Whether nobody can purge; on the wire the member is missing when off.
    #[serde(default)]
    pub enable_purge_protection: bool,
    /// Whether Azure roles decide about data, instead of access policies. Old vaults may have neither word.
    #[serde(default)]
    pub enable_rbac_authorization: Option<bool>,
    /// Who may do what, where Azure roles don't decide.
    #[serde(default)]
    pub access_policies: Vec<AccessPolicy>,
    /// The firewall; none is an open one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_acls: Option<NetworkAcls>,
    /// `Enabled`, `Disabled`, `SecuredByPerimeter`, in any case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_network_access: Option<String>,
    /// When it was created.
    pub created: Timestamp,
    /// Private endpoint connections, in the order in which they were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub connections: Vec<Connection>,
    /// Secrets by their name in lower case.
    #[serde(default)]
    pub secrets: BTreeMap<String, Secret>,
    /// Keys by their name in lower case.
    #[serde(default)]
    pub keys: BTreeMap<String, Key>,
    /// The rotation policies of keys that got one, by the key's name in lower case.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rotation_policies: BTreeMap<String, RotationPolicy>,
}

/// What a vault is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum VaultSku {
    /// Software.
    #[default]
    Standard,
    /// With hardware modules.
    Premium,
}

/// What one principal may do in a vault without Azure roles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccessPolicy {
    /// The principal's tenant.
    pub tenant_id: Uuid,
    /// Object id of a user, a group or a service principal.
    pub object_id: Uuid,
    /// Only through this application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application_id: Option<Uuid>,
    /// What is allowed.
    #[serde(default)]
    pub permissions: PolicyPermissions,
}

/// Permissions by kind of object, compared without regard to case; `all` is every one but `purge`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PolicyPermissions {
    /// On keys.
    pub keys: Vec<String>,
    /// On secrets.
    pub secrets: Vec<String>,
    /// On certificates.
    pub certificates: Vec<String>,
    /// On managed storage accounts.
    pub storage: Vec<String>,
}

/// A vault's firewall. Its rules have no `action`, unlike those of storage accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NetworkAcls {
    /// `AzureServices` or `None`.
    pub bypass: String,
    /// What happens to everybody else.
    pub default_action: DefaultAction,
    /// Addresses and ranges (CIDR) that are let in.
    #[serde(default)]
    pub ip_rules: Vec<String>,
    /// ARM ids of subnets that are let in.
    #[serde(default)]
    pub virtual_network_rules: Vec<String>,
}

/// What a firewall does to those that no rule names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DefaultAction {
    /// Lets them in.
    Allow,
    /// Keeps them out.
    Deny,
}

/// An object of a vault: a secret or a key, with all its versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VaultObject<V> {
    /// Its name as its creator spelled it.
    pub name: String,
    /// Its versions, oldest first. The last one is the current one.
    pub versions: Vec<V>,
    /// Present if it was deleted and can still be recovered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<Deletion>,
}

/// A secret.
pub type Secret = VaultObject<SecretVersion>;
/// A key.
pub type Key = VaultObject<KeyVersion>;

/// What versions of all kinds of objects have.
pub trait Versioned {
    /// 32 lower-case hex digits.
    fn version(&self) -> &str;
    /// Its attributes.
    fn attributes(&self) -> &Attributes;
}

/// When a vault, or an object in one, was deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Deletion {
    /// When.
    pub deleted: Timestamp,
    /// When the service purges it.
    pub scheduled_purge: Timestamp,
}

/// A vault that was deleted and can be recovered, with all that is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeletedVault {
    /// The vault as it was.
    pub vault: Vault,
    /// When it was deleted.
    pub deletion: Deletion,
}

impl DeletedVault {
    /// Whether it can still be recovered.
    pub fn is_kept(&self, now: Timestamp) -> bool {
        now < self.deletion.scheduled_purge
    }
}

/// What may be done with a version, and since when it is there. Whole seconds on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Attributes {
    /// Whether it can be used.
    pub enabled: bool,
    /// Not to be used before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// Not to be used from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// When it was made.
    pub created: Timestamp,
    /// When its properties changed last.
    pub updated: Timestamp,
}

/// One version of a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecretVersion {
    /// 32 lower-case hex digits.
    pub version: String,
    /// The value.
    pub value: Masked,
    /// What the value is; a word of its writer's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// Attributes.
    pub attributes: Attributes,
    /// Tags; none if never given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
}

/// One version of a key. Its private part isn't in the world: nothing here computes with keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeyVersion {
    /// 32 lower-case hex digits.
    pub version: String,
    /// `RSA`, `RSA-HSM`, `EC` …
    pub kty: String,
    /// Size in bits, of RSA keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_size: Option<u16>,
    /// Curve, of EC keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crv: Option<String>,
    /// What it may be used for.
    pub key_ops: Vec<String>,
    /// Attributes.
    pub attributes: Attributes,
    /// Tags; none if never given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
}

impl Versioned for SecretVersion {
    fn version(&self) -> &str {
        &self.version
    }

    fn attributes(&self) -> &Attributes {
        &self.attributes
    }
}

impl Versioned for KeyVersion {
    fn version(&self) -> &str {
        &self.version
    }

    fn attributes(&self) -> &Attributes {
        &self.attributes
    }
}

impl<V> VaultObject<V> {
    /// The current version, unless the object has been deleted.
    pub fn current(&self) -> Option<&V> {
        if self.deleted.is_some() { None } else { self.versions.last() }
    }
}
