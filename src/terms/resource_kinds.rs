//! The full types of Azure resources that palisade knows.

/// A storage account.
pub const STORAGE_ACCOUNT: &str = "Microsoft.Storage/storageAccounts";
/// A Synapse workspace.
pub const SYNAPSE_WORKSPACE: &str = "Microsoft.Synapse/workspaces";
/// A key vault.
pub const VAULT: &str = "Microsoft.KeyVault/vaults";
/// A managed HSM, which holds keys as vaults do.
pub const MANAGED_HSM: &str = "Microsoft.KeyVault/managedHSMs";
/// An enterprise policy of Power Platform.
pub const ENTERPRISE_POLICY: &str = "Microsoft.PowerPlatform/enterprisePolicies";
