//! The full types of Azure resources that palisade knows.

/// A storage account.
pub const STORAGE_ACCOUNT: &str = "Microsoft.Storage/storageAccounts";
/// A Synapse workspace.
pub const SYNAPSE_WORKSPACE: &str = "Microsoft.Synapse/workspaces";
/// A key vault.
pub const VAULT: &str = "Microsoft.KeyVault/vaults";
