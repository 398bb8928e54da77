//! What seeded things are like where a configuration doesn't say: one table.

use jiff::SignedDuration;
use uuid::Uuid;

use crate::emulator::built_in_roles;

/// What a seeded environment is like, one entry per setting.
pub(super) struct Defaults {
    pub(super) region: &'static str,
    pub(super) azure_region: &'static str,
    pub(super) scale_unit: &'static str,
    pub(super) instance_type: &'static str,
    pub(super) provisioning_state: &'static str,
    /// How long ago it was created: a configuration names things that people have been using.
    pub(super) age: SignedDuration,
    pub(super) organisation: Organisation,
    /// `managedEnvironment`: of the Power Platform environment.
    pub(super) protection_level: &'static str,
    pub(super) extended_settings: [(&'static str, &'static str); 4],
    pub(super) runtime: &'static str,
    /// `users`: creator and caller hold this role, nobody else holds any.
    pub(super) first_role: &'static str,
    /// `apiAccess`.
    pub(super) api_access: bool,
    /// Domain of a tenant whose configuration names no user.
    pub(super) domain: &'static str,
    /// Users that fill seeded groups; each group gets two of them.
    pub(super) members: [&'static str; 4],
    /// Storage accounts and Synapse workspaces: `privateLinks`, `dataLake`.
    pub(super) resource: ResourceDefaults,
    /// Vaults: `keyVault`, and where `apiAccess` publishes to.
    pub(super) vault: VaultDefaults,
    /// Keys of vaults: `customerManagedKey`.
    pub(super) key: KeyDefaults,
    /// What the identity of an enterprise policy holds on the vault of its key.
    pub(super) policy_role: Uuid,
}

pub(super) struct ResourceDefaults {
    pub(super) kind: &'static str,
    pub(super) sku: &'static str,
    pub(super) public_network_access: &'static str,
    pub(super) minimum_tls_version: &'static str,
    /// What the embedded client holds on each resource group that a resource is seeded into.
    pub(super) group_role: Uuid,
}

pub(super) struct VaultDefaults {
    pub(super) soft_delete: bool,
    pub(super) retention_in_days: u8,
    pub(super) purge_protection: bool,
    pub(super) azure_roles: bool,
    pub(super) public_network_access: &'static str,
    /// What the embedded client holds on each.
    pub(super) roles: [Uuid; 2],
}

pub(super) struct KeyDefaults {
    pub(super) kty: &'static str,
    pub(super) bits: u16,
    /// What the embedded client holds on the vault of each: rotating, enabling, recovering.
    pub(super) vault_role: Uuid,
    /// What it holds on the subscription, whose deleted vaults are listed there.
    pub(super) subscription_role: Uuid,
}

pub(super) struct Organisation {
    pub(super) state: &'static str,
    pub(super) sku: &'static str,
    pub(super) suffix: &'static str,
}

pub(super) const DEFAULTS: Defaults = Defaults {
    region: "europe",
    azure_region: "westeurope",
    scale_unit: "prod-weu-01",
    instance_type: "production",
    provisioning_state: "active",
    age: SignedDuration::from_hours(365 * 24),
    organisation: Organisation { state: "Ready", sku: "Production", suffix: "crm4.dynamics.com" },
    protection_level: "Standard",
    extended_settings: [
        ("excludeEnvironmentFromAnalysis", "false"),
        ("limitSharingMode", "noLimit"),
        ("maxLimitUserSharing", "-1"),
        ("solutionCheckerMode", "none"),
    ],
    runtime: "Enabled",
    first_role: "Admin",
    api_access: false,
    domain: "example.com",
    members: ["analyst", "marketer", "operator", "steward"],
    resource: ResourceDefaults {
        kind: "StorageV2",
        sku: "Standard_LRS",
        public_network_access: "Enabled",
        minimum_tls_version: "TLS1_2",
        group_role: built_in_roles::OWNER,
    },
    vault: VaultDefaults {
        soft_delete: true,
        retention_in_days: 90,
        purge_protection: true,
        azure_roles: true,
        public_network_access: "Enabled",
        roles: [built_in_roles::READER, built_in_roles::KEY_VAULT_SECRETS_OFFICER],
    },
    key: KeyDefaults {
        kty: "RSA",
        bits: 3072,
        vault_role: built_in_roles::KEY_VAULT_CRYPTO_OFFICER,
        subscription_role: built_in_roles::READER,
    },
    policy_role: built_in_roles::KEY_VAULT_CRYPTO_SERVICE_ENCRYPTION_USER,
};
