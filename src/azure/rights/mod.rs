//! Rights as data: what an operation takes, where, who has it, and whether the caller holds it.
//!
//! Words: an *action* is a right of Azure's management plane; a *vault right* is one in a vault, which has two names: a data
//! action where the vault goes by Azure roles, a permission where it goes by access policies; what an operation [`Needs`] is a
//! set of rights; a [`Holding`] is what is known about the caller's side of it.
//!
//! Invariants: nothing outside of this room and the catalogue spells an action or the name of a role (a test looks); each
//! right names its source; that a right isn't held is said only after a complete read that shows it.

mod actions;
mod ask;
mod granted;
mod holding;
mod needs;
pub mod roles;

use std::fmt;

pub use actions::Action;
pub(super) use ask::unread;
pub use ask::{Asked, ask};
pub use granted::{Entry, Granted};
pub use holding::{Doubt, Holding, by_list, by_policies};
pub use needs::{Need, Needs};

use roles::Role;

/// One right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Right {
    /// An action on an Azure resource.
    Azure(Action),
    /// What a vault lets a principal do with the secrets and keys in it.
    Vault(VaultRight),
    /// A role in an environment of Customer Insights.
    CustomerInsights(CustomerInsightsRole),
    /// An application permission of Microsoft Graph.
    Graph(GraphPermission),
    /// To administer Power Platform: a role in Entra, or, for an application, its registration as an administrator, which no
    /// role shows.
    PowerPlatformAdministrator,
}

/// A right in a vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VaultRight {
    /// Read the value of a secret.
    GetSecret,
    /// See which versions there are.
    ListVersions,
    /// See a deleted secret.
    GetDeletedSecret,
    /// Make a new version.
    SetSecret,
    /// Change tags and attributes of a version.
    UpdateSecret,
    /// Bring a deleted secret back.
    RecoverSecret,
    /// See when a key rotates by itself.
    GetRotationPolicy,
    /// Decide when a key rotates by itself.
    SetRotationPolicy,
    /// Make a new version of a key.
    RotateKey,
    /// Change attributes of a version of a key.
    UpdateKey,
    /// See a deleted key.
    GetDeletedKey,
    /// Bring a deleted key back.
    RecoverKey,
}

/// A kind of what is in a vault. Access policies list the permissions on each kind by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VaultObjects {
    /// Secrets.
    Secrets,
    /// Keys.
    Keys,
}

impl fmt::Display for VaultObjects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Secrets => "secrets",
            Self::Keys => "keys",
        })
    }
}

impl VaultRight {
    /// Its name where the vault goes by Azure roles.
    pub const fn data_action(self) -> &'static str {
        match self {
            Self::GetSecret => "Microsoft.KeyVault/vaults/secrets/getSecret/action",
            Self::ListVersions | Self::GetDeletedSecret => "Microsoft.KeyVault/vaults/secrets/readMetadata/action",
            Self::SetSecret => "Microsoft.KeyVault/vaults/secrets/setSecret/action",
            Self::UpdateSecret => "Microsoft.KeyVault/vaults/secrets/update/action",
            Self::RecoverSecret => "Microsoft.KeyVault/vaults/secrets/recover/action",
            Self::GetRotationPolicy => "Microsoft.KeyVault/vaults/keyrotationpolicies/read",
            Self::SetRotationPolicy => "Microsoft.KeyVault/vaults/keyrotationpolicies/write",
            Self::RotateKey => "Microsoft.KeyVault/vaults/keys/rotate/action",
            Self::UpdateKey => "Microsoft.KeyVault/vaults/keys/update/action",
            Self::GetDeletedKey => "Microsoft.KeyVault/vaults/keys/read",
            Self::RecoverKey => "Microsoft.KeyVault/vaults/keys/recover/action",
        }
    }

    /// Its name where the vault goes by access policies: a permission on its [objects](Self::objects).
    pub const fn permission(self) -> &'static str {
        match self {
            Self::GetSecret | Self::GetDeletedSecret | Self::GetDeletedKey => "get",
            Self::ListVersions => "list",
            Self::SetSecret | Self::UpdateSecret => "set",
            Self::RecoverSecret | Self::RecoverKey => "recover",
            Self::GetRotationPolicy => "getrotationpolicy",
            Self::SetRotationPolicy => "setrotationpolicy",
            Self::RotateKey => "rotate",
            Self::UpdateKey => "update",
        }
    }

    /// What it is a right on.
    pub const fn objects(self) -> VaultObjects {
        match self {
            Self::GetSecret
            | Self::ListVersions
            | Self::GetDeletedSecret
            | Self::SetSecret
            | Self::UpdateSecret
            | Self::RecoverSecret => VaultObjects::Secrets,
            Self::GetRotationPolicy
            | Self::SetRotationPolicy
            | Self::RotateKey
            | Self::UpdateKey
            | Self::GetDeletedKey
            | Self::RecoverKey => VaultObjects::Keys,
        }
    }

    const fn role(self) -> Role {
        match self {
            Self::GetSecret => roles::KEY_VAULT_SECRETS_USER,
            Self::ListVersions | Self::GetDeletedSecret | Self::GetRotationPolicy | Self::GetDeletedKey => {
                roles::KEY_VAULT_READER
            }
            Self::SetSecret | Self::UpdateSecret | Self::RecoverSecret => roles::KEY_VAULT_SECRETS_OFFICER,
            Self::SetRotationPolicy | Self::RotateKey | Self::UpdateKey | Self::RecoverKey => {
                roles::KEY_VAULT_CRYPTO_OFFICER
            }
        }
    }
}

/// A role in Customer Insights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CustomerInsightsRole {
    /// Whichever.
    Any,
    /// Admin.
    Admin,
}

/// An application permission of Microsoft Graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GraphPermission {
    /// Read all users.
    Users,
    /// Read all groups' members.
    GroupMembers,
    /// Read all applications and service principals.
    Applications,
    /// Read the whole directory.
    Directory,
}

impl GraphPermission {
    const fn name(self) -> &'static str {
        match self {
            Self::Users => "User.Read.All",
            Self::GroupMembers => "GroupMember.Read.All",
            Self::Applications => "Application.Read.All",
            Self::Directory => "Directory.Read.All",
        }
    }
}

/// Where a right is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// On the Azure resource that the call is about.
    Resource,
    /// In the vault, on the objects in it.
    Vault,
    /// In the environment.
    Environment,
    /// In the directory of the tenant.
    Directory,
    /// In the whole of Power Platform.
    PowerPlatform,
}

impl Place {
    /// Who can give a right there.
    pub const fn granted_by(self) -> &'static str {
        match self {
            Self::Resource => "an Owner or a User Access Administrator of the resource",
            Self::Vault => "an Owner or a User Access Administrator of the vault, or in an access policy of it",
            Self::Environment => "an Admin of the environment",
            Self::Directory => "an administrator of the directory",
            Self::PowerPlatform => "a Power Platform administrator, who registers the application as one",
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resource => "the resource",
            Self::Vault => "the vault",
            Self::Environment => "the environment",
            Self::Directory => "the directory",
            Self::PowerPlatform => "Power Platform",
        })
    }
}

impl Right {
    /// Its stable name, for programs: an action is its own, the others are led by their service.
    pub fn id(self) -> String {
        match self {
            Self::Azure(action) => action.name().to_owned(),
            Self::Vault(right) => right.data_action().to_owned(),
            Self::CustomerInsights(CustomerInsightsRole::Any) => "CustomerInsights/AnyRole".to_owned(),
            Self::CustomerInsights(CustomerInsightsRole::Admin) => "CustomerInsights/Admin".to_owned(),
            Self::Graph(permission) => format!("MicrosoftGraph/{}", permission.name()),
            Self::PowerPlatformAdministrator => "PowerPlatform/Administrator".to_owned(),
        }
    }

    /// Where it is needed.
    pub const fn place(self) -> Place {
        match self {
            Self::Azure(_) => Place::Resource,
            Self::Vault(_) => Place::Vault,
            Self::CustomerInsights(_) => Place::Environment,
            Self::Graph(_) => Place::Directory,
            Self::PowerPlatformAdministrator => Place::PowerPlatform,
        }
    }

    /// The least built-in Azure role that has it; none where no such role does.
    pub const fn role(self) -> Option<Role> {
        match self {
            Self::Azure(action) => Some(action.role()),
            Self::Vault(right) => Some(right.role()),
            Self::CustomerInsights(_) | Self::Graph(_) | Self::PowerPlatformAdministrator => None,
        }
    }

    /// Where it can be looked up that this is its name and what it is needed for.
    pub const fn source(self) -> &'static str {
        match self {
            Self::Azure(action) => action.source(),
            Self::Vault(_) => "learn.microsoft.com/azure/key-vault/general/rbac-guide",
            Self::CustomerInsights(_) => "learn.microsoft.com/dynamics365/customer-insights/data/user-roles",
            Self::Graph(_) => "learn.microsoft.com/graph/permissions-reference",
            Self::PowerPlatformAdministrator => {
                "learn.microsoft.com/power-platform/admin/powerplatform-api-create-service-principal"
            }
        }
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Azure(action) => f.write_str(action.name()),
            Self::Vault(right) => {
                let (action, permission, objects) = (right.data_action(), right.permission(), right.objects());
                write!(f, "{action} (by access policies: {permission} on {objects})")
            }
            Self::CustomerInsights(CustomerInsightsRole::Any) => {
                f.write_str("any Customer Insights role in the environment")
            }
            Self::CustomerInsights(CustomerInsightsRole::Admin) => {
                f.write_str("Customer Insights role Admin in the environment")
            }
            Self::Graph(permission) => write!(f, "Microsoft Graph {}", permission.name()),
            Self::PowerPlatformAdministrator => f.write_str("Power Platform administrator"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_right_has_a_stable_name_a_place_and_words() {
        let table = [
            (
                Right::Azure(Action::STORAGE_APPROVE),
                "Microsoft.Storage/storageAccounts/PrivateEndpointConnectionsApproval/action",
                "the resource",
                Some("Storage Account Contributor"),
                "Microsoft.Storage/storageAccounts/PrivateEndpointConnectionsApproval/action",
            ),
            (
                Right::Vault(VaultRight::UpdateSecret),
                "Microsoft.KeyVault/vaults/secrets/update/action",
                "the vault",
                Some("Key Vault Secrets Officer"),
                "Microsoft.KeyVault/vaults/secrets/update/action (by access policies: set on secrets)",
            ),
            (
                Right::Vault(VaultRight::SetRotationPolicy),
                "Microsoft.KeyVault/vaults/keyrotationpolicies/write",
                "the vault",
                Some("Key Vault Crypto Officer"),
                "Microsoft.KeyVault/vaults/keyrotationpolicies/write (by access policies: setrotationpolicy on keys)",
            ),
            (
                Right::CustomerInsights(CustomerInsightsRole::Admin),
                "CustomerInsights/Admin",
                "the environment",
                None,
                "Customer Insights role Admin in the environment",
            ),
            (
                Right::Graph(GraphPermission::Users),
                "MicrosoftGraph/User.Read.All",
                "the directory",
                None,
                "Microsoft Graph User.Read.All",
            ),
            (
                Right::PowerPlatformAdministrator,
                "PowerPlatform/Administrator",
                "Power Platform",
                None,
                "Power Platform administrator",
            ),
        ];
        for (right, id, place, role, words) in table {
            assert_eq!((right.id().as_str(), right.to_string().as_str()), (id, words));
            assert_eq!((right.place().to_string().as_str(), right.role().map(|role| role.name)), (place, role));
        }
    }
}
