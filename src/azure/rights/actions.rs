//! The actions of Azure's management plane that operations need.
//!
//! Invariants: an action can't be made anywhere else; with each stands the least built-in role that has it (a test compares
//! with the roles' definitions).

use super::roles::{self, Role};
use crate::terms::ResourceId;

/// A right of Azure's management plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Action {
    name: &'static str,
    role: Role,
    source: &'static str,
}

/// The list of all actions of Azure.
const REFERENCE: &str = "learn.microsoft.com/azure/role-based-access-control/permissions";
/// The product's own page names the least that private links take.
const PRODUCT: &str = "learn.microsoft.com/dynamics365/customer-insights/data/private-link";
/// Key Vault's page on recovery says what listing deleted vaults takes; recovering one is writing it.
const RECOVERY: &str = "learn.microsoft.com/azure/key-vault/general/key-vault-recovery";
/// Power Platform's own page says who needs what on a policy.
const POLICIES: &str = "learn.microsoft.com/power-platform/admin/customer-managed-key";
/// The action of another provider, by analogy.
const ANALOGY: &str = "none: by analogy to storage accounts";

const fn action(name: &'static str, role: Role) -> Action {
    Action { name, role, source: REFERENCE }
}

impl Action {
    /// Read a storage account, with its connections.
    pub const STORAGE_READ: Self =
        Self { source: PRODUCT, ..action("Microsoft.Storage/storageAccounts/read", roles::READER) };
    /// Change a storage account.
    pub const STORAGE_WRITE: Self =
        action("Microsoft.Storage/storageAccounts/write", roles::STORAGE_ACCOUNT_CONTRIBUTOR);
    /// Approve connections to a storage account.
    pub const STORAGE_APPROVE: Self = Self {
        source: PRODUCT,
        ..action(
            "Microsoft.Storage/storageAccounts/PrivateEndpointConnectionsApproval/action",
            roles::STORAGE_ACCOUNT_CONTRIBUTOR,
        )
    };
    /// Read connections by themselves.
    pub const STORAGE_READ_CONNECTIONS: Self =
        action("Microsoft.Storage/storageAccounts/privateEndpointConnections/read", roles::READER);
    /// Write a connection.
    pub const STORAGE_WRITE_CONNECTIONS: Self = action(
        "Microsoft.Storage/storageAccounts/privateEndpointConnections/write",
        roles::STORAGE_ACCOUNT_CONTRIBUTOR,
    );
    /// Cut a connection off.
    pub const STORAGE_DELETE_CONNECTIONS: Self = action(
        "Microsoft.Storage/storageAccounts/privateEndpointConnections/delete",
        roles::STORAGE_ACCOUNT_CONTRIBUTOR,
    );

    /// Read a workspace, with its connections.
    pub const SYNAPSE_READ: Self = action("Microsoft.Synapse/workspaces/read", roles::READER);
    /// Change a workspace.
    pub const SYNAPSE_WRITE: Self = action("Microsoft.Synapse/workspaces/write", roles::CONTRIBUTOR);
    /// Approve connections to a workspace.
    pub const SYNAPSE_APPROVE: Self = Self {
        source: ANALOGY,
        ..action("Microsoft.Synapse/workspaces/PrivateEndpointConnectionsApproval/action", roles::CONTRIBUTOR)
    };
    /// Read connections by themselves.
    pub const SYNAPSE_READ_CONNECTIONS: Self =
        action("Microsoft.Synapse/workspaces/privateEndpointConnections/read", roles::READER);
    /// Write a connection.
    pub const SYNAPSE_WRITE_CONNECTIONS: Self =
        action("Microsoft.Synapse/workspaces/privateEndpointConnections/write", roles::CONTRIBUTOR);
    /// Cut a connection off.
    pub const SYNAPSE_DELETE_CONNECTIONS: Self =
        action("Microsoft.Synapse/workspaces/privateEndpointConnections/delete", roles::CONTRIBUTOR);

    /// Read a vault's settings.
    pub const VAULT_READ: Self = action("Microsoft.KeyVault/vaults/read", roles::READER);
    /// Read what keys of a vault are, without what is secret of them.
    pub const VAULT_KEYS_READ: Self = action("Microsoft.KeyVault/vaults/keys/read", roles::READER);
    /// Change a vault's settings.
    pub const VAULT_WRITE: Self = action("Microsoft.KeyVault/vaults/write", roles::KEY_VAULT_CONTRIBUTOR);
    /// List the deleted vaults of a subscription.
    pub const DELETED_VAULTS_READ: Self =
        Self { source: RECOVERY, ..action("Microsoft.KeyVault/deletedVaults/read", roles::READER) };
    /// Change a vault's access policies.
    pub const VAULT_WRITE_POLICIES: Self =
        action("Microsoft.KeyVault/vaults/accessPolicies/write", roles::KEY_VAULT_CONTRIBUTOR);
    /// Approve connections to a vault.
    pub const VAULT_APPROVE: Self =
        action("Microsoft.KeyVault/vaults/PrivateEndpointConnectionsApproval/action", roles::KEY_VAULT_CONTRIBUTOR);
    /// Read connections by themselves.
    pub const VAULT_READ_CONNECTIONS: Self =
        action("Microsoft.KeyVault/vaults/privateEndpointConnections/read", roles::READER);
    /// Write a connection.
    pub const VAULT_WRITE_CONNECTIONS: Self =
        action("Microsoft.KeyVault/vaults/privateEndpointConnections/write", roles::KEY_VAULT_CONTRIBUTOR);
    /// Cut a connection off.
    pub const VAULT_DELETE_CONNECTIONS: Self =
        action("Microsoft.KeyVault/vaults/privateEndpointConnections/delete", roles::KEY_VAULT_CONTRIBUTOR);

    /// Read who has which role.
    pub const READ_ASSIGNMENTS: Self = action("Microsoft.Authorization/roleAssignments/read", roles::READER);
    /// Grant a role.
    pub const WRITE_ASSIGNMENTS: Self =
        action("Microsoft.Authorization/roleAssignments/write", roles::USER_ACCESS_ADMINISTRATOR);
    /// Take a role away.
    pub const DELETE_ASSIGNMENTS: Self =
        action("Microsoft.Authorization/roleAssignments/delete", roles::USER_ACCESS_ADMINISTRATOR);
    /// Read what roles grant.
    pub const READ_DEFINITIONS: Self = action("Microsoft.Authorization/roleDefinitions/read", roles::READER);
    /// Read what the caller may do.
    pub const READ_PERMISSIONS: Self = action("Microsoft.Authorization/permissions/read", roles::READER);

    /// Read an enterprise policy of Power Platform, which linking an environment to it takes as well.
    pub const ENTERPRISE_POLICY_READ: Self =
        Self { source: POLICIES, ..action("Microsoft.PowerPlatform/enterprisePolicies/read", roles::READER) };
    /// Create or change an enterprise policy.
    pub const ENTERPRISE_POLICY_WRITE: Self =
        Self { source: POLICIES, ..action("Microsoft.PowerPlatform/enterprisePolicies/write", roles::CONTRIBUTOR) };
    /// Read whether a subscription has registered a resource provider.
    pub const READ_PROVIDERS: Self = action("Microsoft.Resources/subscriptions/providers/read", roles::READER);

    /// The action that reading a resource takes; none for kinds that aren't known here.
    pub fn to_read(resource: &ResourceId) -> Option<Self> {
        let known = [Self::STORAGE_READ, Self::SYNAPSE_READ, Self::VAULT_READ, Self::ENTERPRISE_POLICY_READ];
        known.into_iter().find(|action| action.name.strip_suffix("/read").is_some_and(|kind| resource.is_kind(kind)))
    }

    /// As Azure spells it.
    pub const fn name(self) -> &'static str {
        self.name
    }

    pub(super) const fn role(self) -> Role {
        self.role
    }

    pub(super) const fn source(self) -> &'static str {
        self.source
    }
}
