//! Ids of Azure resources: `/subscriptions/{id}/resourceGroups/{group}/providers/{provider}/{type}/{name}`.
//!
//! What must stay true: letter case makes no difference to what an id means (azure reference section 10, 4), and is kept
//! as it was written; an id of one type never passes for another.

use std::fmt;
use std::hash::{Hash, Hasher};

use uuid::Uuid;

/// The type of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ResourceType {
    /// `Microsoft.KeyVault/vaults`
    Vault,
    /// `Microsoft.Storage/storageAccounts`
    StorageAccount,
    /// `Microsoft.Synapse/workspaces`
    SynapseWorkspace,
}

impl ResourceType {
    const ALL: [Self; 3] = [Self::Vault, Self::StorageAccount, Self::SynapseWorkspace];

    /// The provider and the type, as they stand in ids.
    pub fn path(self) -> &'static str {
        match self {
            Self::Vault => "Microsoft.KeyVault/vaults",
            Self::StorageAccount => "Microsoft.Storage/storageAccounts",
            Self::SynapseWorkspace => "Microsoft.Synapse/workspaces",
        }
    }

    /// What a person calls it.
    pub fn called(self) -> &'static str {
        match self {
            Self::Vault => "Key Vault",
            Self::StorageAccount => "storage account",
            Self::SynapseWorkspace => "Synapse workspace",
        }
    }
}

/// The id of a top-level resource in a resource group.
#[derive(Debug, Clone)]
pub struct ResourceId {
    /// The subscription.
    pub subscription: Uuid,
    /// The resource group's name.
    pub resource_group: String,
    /// The type.
    pub resource_type: ResourceType,
    /// The resource's name.
    pub name: String,
}

impl ResourceId {
    /// Reads an id; `None` if it isn't one of a type that palisade knows.
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.strip_prefix('/')?.split('/').collect();
        let [subscriptions, subscription, groups, group, providers, provider, kind, name] = parts.as_slice() else {
            return None;
        };
        let words = [(subscriptions, "subscriptions"), (groups, "resourceGroups"), (providers, "providers")];
        if words.iter().any(|(part, word)| !part.eq_ignore_ascii_case(word)) || group.is_empty() || name.is_empty() {
            return None;
        }
        let path = format!("{provider}/{kind}");
        let resource_type = ResourceType::ALL.into_iter().find(|known| known.path().eq_ignore_ascii_case(&path))?;
        let subscription = Uuid::try_parse(subscription).ok().filter(|_| subscription.len() == 36)?;
        Some(Self { subscription, resource_group: (*group).to_owned(), resource_type, name: (*name).to_owned() })
    }

    fn folded(&self) -> (Uuid, String, ResourceType, String) {
        let Self { subscription, resource_group, resource_type, name } = self;
        (*subscription, resource_group.to_lowercase(), *resource_type, name.to_lowercase())
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { subscription, resource_group, resource_type, name } = self;
        let path = resource_type.path();
        write!(f, "/subscriptions/{subscription}/resourceGroups/{resource_group}/providers/{path}/{name}")
    }
}

impl PartialEq for ResourceId {
    fn eq(&self, other: &Self) -> bool {
        self.folded() == other.folded()
    }
}

impl Eq for ResourceId {}

impl PartialOrd for ResourceId {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ResourceId {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.folded().cmp(&other.folded())
    }
}

impl Hash for ResourceId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.folded().hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "/subscriptions/0b1f0c52-0000-4000-8000-00000000005a/resourceGroups/rg-ci/providers/Microsoft.KeyVault/vaults/kv-ci";

    #[test]
    fn case_makes_no_difference_and_is_kept() {
        let id = ResourceId::parse(ID).unwrap();
        let shouted = ResourceId::parse(&ID.to_uppercase()).unwrap();
        assert_eq!(id, shouted);
        assert_eq!(id.to_string(), ID);
        assert_eq!(shouted.name, "KV-CI");
    }

    #[test]
    fn what_is_not_a_whole_id_is_refused() {
        let wrong = [
            "",
            "/",
            "kv-ci",
            &ID[1..],
            &format!("{ID}/secrets/x"),
            &ID.replace("kv-ci", ""),
            &ID.replace("KeyVault", "KeyVaults"),
            &ID.replace("0b1f0c52-", ""),
        ];
        for text in wrong {
            assert!(ResourceId::parse(text).is_none(), "{text}");
        }
    }
}
