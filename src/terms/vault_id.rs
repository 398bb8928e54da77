//! Ids of key vaults.
//!
//! Invariants: whatever is a [`VaultId`] has the form, the type and a name that a vault can have, so a host can be made
//! from it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};
use thiserror::Error;
use uuid::Uuid;

use super::names::{VAULT_NAMES, is_vault_name};
use super::resource_id::{BadId, ResourceId};
use super::resource_kinds::VAULT;

/// The ARM id of a vault. Compared without regard to case; shown as it was written.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct VaultId(ResourceId);

/// Why something is no [`VaultId`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BadVaultId {
    /// It isn't the id of a resource.
    #[error("not the id of a key vault: {0}")]
    Form(#[from] BadId),
    /// It is the id of another resource.
    #[error("the id of a key vault is needed, not of `{0}`")]
    Kind(String),
    /// No vault can have the name.
    #[error("`{0}` can't be the name of a key vault: {VAULT_NAMES}")]
    Name(String),
}

impl VaultId {
    /// The id of a vault in a resource group.
    pub fn in_group(subscription: Uuid, group: &str, name: &str) -> Result<Self, BadVaultId> {
        ResourceId::in_group(subscription, group, VAULT, name)?.try_into()
    }

    /// The same id in the general form.
    pub fn resource(&self) -> &ResourceId {
        &self.0
    }

    /// The subscription.
    pub fn subscription(&self) -> Uuid {
        self.0.subscription()
    }

    /// The resource group's name.
    pub fn resource_group(&self) -> &str {
        self.0.resource_group()
    }

    /// The name, which is unique in all of Azure and makes the vault's host.
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// The text as it was written.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl TryFrom<ResourceId> for VaultId {
    type Error = BadVaultId;

    fn try_from(id: ResourceId) -> Result<Self, BadVaultId> {
        match id {
            id if !id.is_kind(VAULT) => Err(BadVaultId::Kind(id.kind())),
            id if !is_vault_name(id.name()) => Err(BadVaultId::Name(id.name().to_owned())),
            id => Ok(Self(id)),
        }
    }
}

impl From<VaultId> for ResourceId {
    fn from(id: VaultId) -> Self {
        id.0
    }
}

impl FromStr for VaultId {
    type Err = BadVaultId;

    fn from_str(text: &str) -> Result<Self, BadVaultId> {
        text.parse::<ResourceId>()?.try_into()
    }
}

impl fmt::Display for VaultId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for VaultId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl<'de> Deserialize<'de> for VaultId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        ResourceId::deserialize(deserializer)?.try_into().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const ID: &str = "/subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg-1/providers/Microsoft.KeyVault/vaults/kv-CI";

    #[test]
    fn an_id_is_taken_apart_compared_without_regard_to_case_and_shown_as_written() {
        let id: VaultId = ID.parse().unwrap();
        assert_eq!((id.resource_group(), id.name(), id.as_str()), ("rg-1", "kv-CI", ID));
        let shouted: VaultId = ID.to_uppercase().parse().unwrap();
        assert_eq!(shouted.to_string(), ID.to_uppercase());
        assert_eq!(HashSet::from([id.clone(), shouted]).len(), 1);
        assert_eq!(VaultId::in_group(id.subscription(), "RG-1", "kv-ci").unwrap(), id);
        let text = serde_json::to_string(&id).unwrap();
        assert_eq!(text, format!("\"{ID}\""));
        assert_eq!(serde_json::from_str::<VaultId>(&text).unwrap().as_str(), ID);
        assert!(serde_json::from_str::<VaultId>(&text.replace("kv-CI", "kv-")).is_err());
        assert_eq!(ResourceId::from(id), ID.parse().unwrap());
    }

    #[test]
    fn form_type_and_name_are_told_apart() {
        let form = |text: &str| matches!(text.parse::<VaultId>(), Err(BadVaultId::Form(_)));
        for text in ["", "kv-ci", &ID[1..], &ID.replace("11110000", "x"), &ID.replace("rg-1", ""), &format!("{ID}/x")] {
            assert!(form(text), "{text}");
        }
        for (kind, text) in [
            ("Microsoft.KeyVault/managedHSMs", ID.replace("vaults", "managedHSMs")),
            ("Microsoft.Storage/vaults", ID.replace("Microsoft.KeyVault", "Microsoft.Storage")),
            ("Microsoft.KeyVault/vaults/secrets", format!("{ID}/secrets/kv-CI")),
        ] {
            assert_eq!(text.parse::<VaultId>(), Err(BadVaultId::Kind(kind.to_owned())), "{text}");
        }
        for name in ["kv", "1kv", "kv-ci-conn-", "-kv", "kv.evil", "kv_ci", "kvé", &"k".repeat(25)] {
            assert_eq!(ID.replace("kv-CI", name).parse::<VaultId>(), Err(BadVaultId::Name(name.to_owned())), "{name}");
        }
        for name in ["kv1", "K-1", "kv-ci-conn", &"k".repeat(24)] {
            assert!(ID.replace("kv-CI", name).parse::<VaultId>().is_ok(), "{name}");
        }
    }
}
