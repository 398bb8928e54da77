//! The world: the state that the emulator serves, as one readable document.
//!
//! Words: the *directory* is users, groups and applications (service principals) of one tenant; a *client* is an
//! application that may ask for tokens; an *instance* is one Customer Insights - Data environment; *earlier* is what an
//! instance showed before its latest writes, kept only as long as the propagation or the stale reads of [`Behaviour`]
//! need it; a *scope* is an ARM id, on which Azure roles are granted. A *table* and a *list* are the
//! collections whose changes can be undone.
//!
//! Invariants: the document has one stable order (struct order, sorted maps), so that equal worlds are equal bytes; nothing
//! in here reads the clock; secrets are masked in `Debug`.

mod authorization;
mod behaviour;
mod change;
mod connections;
mod instances;
mod links;
mod patch;
mod power_platform;
mod resources;
mod rotation;
mod table;
mod vaults;

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::clock::Ids;

pub use authorization::{AzurePrincipalType, CustomRole, Permission, ResourceGroup, RoleAssignment, Subscription};
pub use behaviour::{Behaviour, Bucket, ChallengeResource};
pub(super) use change::Change;
pub use connections::{ArmOperation, Connection, ConnectionChange, ConnectionStatus, Decision};
pub(crate) use connections::{Look, Work};
pub use instances::{ApiSubscription, Assignment, CdsOrgInfo, Instance, InstanceMetadata, PrincipalType};
pub use links::{KeyVaultLink, LinkEndpoint, PrivateLink};
pub(super) use patch::Patch;
pub use power_platform::{
    AdminApplication, EnterprisePolicy, LifecycleFailure, LifecycleOperation, LifecycleWork, LinkKind,
    PlatformDataverse, PlatformEnvironment, PolicyKey, PolicyLink, StaleReads,
};
pub use resources::{StorageAccount, SynapseWorkspace, UserAssignedIdentity};
pub use rotation::{RotationPolicy, RotationTrigger};
pub(crate) use rotation::{later, sooner};
pub use table::{List, Table};
pub use vaults::{
    AccessPolicy, Attributes, DefaultAction, DeletedVault, Deletion, Key, KeyVersion, NetworkAcls, PolicyPermissions,
    Secret, SecretVersion, Vault, VaultObject, VaultSku, Versioned,
};

/// The format number of the document; a file with another one is refused.
pub const FORMAT: &str = "palisade.world/1";

/// Everything that the emulator serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct World {
    /// Always [`FORMAT`].
    pub format: String,
    /// The world's own id; a plan made against one world is refused for another.
    pub world: Uuid,
    /// The tenant; none until the first seeding binds the world to one.
    pub tenant: Option<Tenant>,
    /// How the services behave where the real ones are undocumented, slow or stale.
    #[serde(default)]
    pub behaviour: Behaviour,
    /// Users by object id.
    #[serde(default)]
    pub users: Table<Uuid, User>,
    /// Groups by object id.
    #[serde(default)]
    pub groups: Table<Uuid, Group>,
    /// Applications by the object id of their service principal.
    #[serde(default)]
    pub applications: Table<Uuid, Application>,
    /// Customer Insights - Data instances by instance id.
    #[serde(default)]
    pub instances: Table<Uuid, Instance>,
    /// Azure subscriptions with their resource groups, by subscription id.
    #[serde(default)]
    pub subscriptions: Table<Uuid, Subscription>,
    /// Who holds which role on which Azure scope, in the order in which it was granted.
    #[serde(default)]
    pub role_assignments: List<RoleAssignment>,
    /// Role definitions besides the built-in ones, by id.
    #[serde(default)]
    pub custom_roles: Table<Uuid, CustomRole>,
    /// Key vaults by their name in lower case; names of vaults are unique in the whole of Azure.
    #[serde(default)]
    pub vaults: Table<String, Vault>,
    /// Deleted vaults by their name in lower case, which stays taken until they are purged.
    #[serde(default, skip_serializing_if = "table_is_empty")]
    pub deleted_vaults: Table<String, DeletedVault>,
    /// Storage accounts by their name; it is unique in all of Azure and always in lower case.
    #[serde(default)]
    pub storage_accounts: Table<String, StorageAccount>,
    /// Synapse workspaces by their name in lower case; it is unique in all of Azure, too.
    #[serde(default)]
    pub synapse_workspaces: Table<String, SynapseWorkspace>,
    /// Managed identities that somebody made, by their ARM id in lower case.
    #[serde(default, skip_serializing_if = "table_is_empty")]
    pub user_assigned_identities: Table<String, UserAssignedIdentity>,
    /// Environments of Power Platform by their id in lower case.
    #[serde(default, skip_serializing_if = "table_is_empty")]
    pub power_platform_environments: Table<String, PlatformEnvironment>,
    /// Environments of Power Platform that were deleted, by their id in lower case, and when.
    #[serde(default, skip_serializing_if = "table_is_empty")]
    pub deleted_environments: Table<String, Timestamp>,
    /// Enterprise policies of Power Platform by their ARM id in lower case.
    #[serde(default, skip_serializing_if = "table_is_empty")]
    pub enterprise_policies: Table<String, EnterprisePolicy>,
    /// Lifecycle operations of Power Platform, over or not.
    #[serde(default, skip_serializing_if = "table_is_empty")]
    pub lifecycle_operations: Table<Uuid, LifecycleOperation>,
    /// The applications that administer Power Platform, by application id.
    #[serde(default, skip_serializing_if = "table_is_empty")]
    pub admin_applications: Table<Uuid, AdminApplication>,
    /// Resource providers that a subscription hasn't registered, as `{subscription}/{namespace}` in lower case, and when
    /// registering them ends; none if nobody has asked for it. All others are registered.
    #[serde(default, skip_serializing_if = "table_is_empty")]
    pub unregistered_providers: Table<String, Option<Timestamp>>,
    /// Long-running operations of Azure Resource Manager, over or not.
    #[serde(default, skip_serializing_if = "table_is_empty")]
    pub arm_operations: Table<Uuid, ArmOperation>,
    /// Principals that Azure's roles don't know yet, and until when.
    #[serde(default, skip_serializing_if = "table_is_empty")]
    pub replicating_principals: Table<Uuid, Timestamp>,
    /// What Azure Resource Graph found before the latest writes, oldest first; kept only while `resourceGraphLag` lasts.
    #[serde(default, skip_serializing_if = "list_is_empty")]
    pub earlier_resources: List<Earlier<Vec<Value>>>,
}

fn table_is_empty<K, V>(table: &Table<K, V>) -> bool {
    table.is_empty()
}

fn list_is_empty<T>(list: &List<T>) -> bool {
    list.is_empty()
}

/// An Entra tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tenant {
    /// Tenant id.
    pub id: Uuid,
    /// Its verified domain, as in user principal names.
    pub domain: String,
    /// Display name.
    pub name: String,
}

/// A user of the tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct User {
    /// User principal name.
    pub user_principal_name: String,
    /// Display name.
    pub display_name: String,
    /// Whether the user may sign in.
    #[serde(default = "enabled", skip_serializing_if = "is_enabled")]
    pub account_enabled: bool,
}

fn enabled() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_enabled(enabled: &bool) -> bool {
    *enabled
}

impl User {
    /// A user who may sign in.
    pub fn new(user_principal_name: impl Into<String>, display_name: impl Into<String>) -> Self {
        Self {
            user_principal_name: user_principal_name.into(),
            display_name: display_name.into(),
            account_enabled: true,
        }
    }
}

/// A security group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Group {
    /// Display name; several groups may share one.
    pub display_name: String,
    /// Object ids of the direct members: users, groups, service principals.
    #[serde(default)]
    pub members: BTreeSet<Uuid>,
}

/// An application with its service principal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Application {
    /// Application (client) id.
    pub app_id: Uuid,
    /// Display name.
    pub display_name: String,
    /// Present if the application may ask for tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<Client>,
}

/// What an application needs to ask for tokens, and what it may do with them outside Customer Insights.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Client {
    /// Client secret.
    pub secret: Masked,
    /// Whether it may read the directory through Microsoft Graph.
    pub graph: Access,
}

/// Whether something is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Access {
    /// Yes.
    Allowed,
    /// No.
    Denied,
}

/// A text that is written to the world file but never shown by `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Masked(String);

impl Masked {
    /// Wraps a secret text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Masked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"***\"")
    }
}

/// A state that was replaced, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Earlier<T> {
    /// When it was replaced.
    pub until: Timestamp,
    /// What it was.
    pub was: T,
}

impl World {
    /// An empty world with a random id; bound to `tenant`, or by the first seeding.
    pub fn new(tenant: Option<Tenant>) -> Self {
        Self {
            format: FORMAT.to_owned(),
            world: Ids::random().new_id(),
            tenant,
            behaviour: Behaviour::default(),
            users: Table::new(),
            groups: Table::new(),
            applications: Table::new(),
            instances: Table::new(),
            subscriptions: Table::new(),
            role_assignments: List::new(),
            custom_roles: Table::new(),
            vaults: Table::new(),
            deleted_vaults: Table::new(),
            storage_accounts: Table::new(),
            synapse_workspaces: Table::new(),
            user_assigned_identities: Table::new(),
            power_platform_environments: Table::new(),
            deleted_environments: Table::new(),
            enterprise_policies: Table::new(),
            lifecycle_operations: Table::new(),
            admin_applications: Table::new(),
            unregistered_providers: Table::new(),
            arm_operations: Table::new(),
            replicating_principals: Table::new(),
            earlier_resources: List::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    #[test]
    fn secrets_do_not_show_in_debug() {
        let client = Client { secret: Masked::new("hidden-text"), graph: Access::Allowed };
        assert!(!format!("{client:?}").contains("hidden-text"));
    }

    #[test]
    fn a_document_may_leave_out_what_has_a_default() {
        let text = r#"{ "format": "palisade.world/1", "world": "00000000-0000-4000-8000-000000000001", "tenant": null,
                        "behaviour": { "roleWritePropagation": "PT15M", "refuseLastAdmin": true } }"#;
        let world: World = serde_json::from_str(text).unwrap();
        let expected = Behaviour {
            refuse_last_admin: true,
            role_write_propagation: SignedDuration::from_mins(15),
            ..Behaviour::default()
        };
        assert_eq!(world.behaviour, expected);
        let knobs = serde_json::to_value(&world.behaviour).unwrap();
        assert_eq!((&knobs["roleWritePropagation"], &knobs["staleReads"]), (&"PT15M".into(), &"PT0S".into()));
    }
}
