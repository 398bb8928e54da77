//! What a request is about, by its method, host and path alone.

use uuid::Uuid;

use crate::platform::OTHER_HOSTED;

/// What a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Token,
    Instances,
    Instance,
    Roles,
    MyRole,
    List,
    Batch,
    ByIds,
    Members,
    Put,
    Delete,
    Api,
    ApiOn,
    ApiOff,
    /// Both keys.
    Keys,
    Regenerate,
    /// A key is tried on the gateway.
    Try,
    /// The current version of a secret.
    Secret,
    Versions,
    Version,
    DeletedSecret,
    SetSecret,
    Tag,
    Recover,
    /// Which vault is linked.
    Linked,
    LinkVault,
    Links,
    AddLink,
    RemoveLink,
    /// A vault as Azure Resource Manager knows it.
    Vault,
    /// Who holds roles on a resource.
    Holders,
    /// What the caller may do on a resource.
    Rights,
    /// A storage account with its connections.
    Account,
    Grant,
    Policy,
    Approve,
    /// An environment as Power Platform's administration knows it, and as its published contract does.
    Hosted,
    PublishedHosted,
    /// What goes on in an environment, and went on.
    Operations,
    EnableManaged,
    LinkKey,
    UnlinkKey,
    EnterprisePolicy,
    CreatePolicy,
    /// What a subscription has registered.
    Provider,
    /// A key of a vault as Azure Resource Manager knows it.
    VaultKey,
    VaultKeyVersions,
    /// A version of a key is enabled.
    EnableKey,
    /// A read of something else.
    Other,
    /// A write that no setting here ever needs.
    Stray,
}

/// A setting of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Setting {
    Users,
    Api,
    Keys,
    KeyVault,
    PrivateLinks,
    Hosted,
}

impl Kind {
    pub(crate) fn of(method: &str, host: &str, path: &str) -> Self {
        let has = |end: &str| path.ends_with(end);
        if host.ends_with(".vault.localhost") {
            return Self::in_vault(method, path);
        }
        if path.starts_with("/subscriptions/") {
            return Self::in_azure(method, path);
        }
        if path.starts_with("/providers/Microsoft.BusinessAppPlatform/") || path.starts_with("/environmentmanagement/")
        {
            return Self::in_platform(method, path);
        }
        match method {
            _ if has("/oauth2/v2.0/token") => Self::Token,
            "GET" if path == "/v1/instances" => Self::Try,
            "GET" if has("/api/instances") => Self::Instances,
            "GET" if has("/rbac/roles") => Self::Roles,
            "GET" if has("/rbac/myrole") => Self::MyRole,
            "GET" if has("/rbac/assignments") => Self::List,
            "GET" if has("/manage/apisubscription") => Self::Api,
            "POST" if has("/manage/apisubscription/listsecrets") => Self::Keys,
            "POST" if has("/regenerateprimarykey") || has("/regeneratesecondarykey") => Self::Regenerate,
            "GET" if has("/manage/keyvault") => Self::Linked,
            "PUT" if has("/manage/keyvault") => Self::LinkVault,
            "GET" if has("/manage/privatelinks") => Self::Links,
            "POST" if has("/manage/privatelinks") => Self::AddLink,
            "DELETE" if path.contains("/manage/privatelinks/") => Self::RemoveLink,
            "GET" if path.contains("/transitiveMembers") => Self::Members,
            "GET" if path.contains("/api/instances/") && path.matches('/').count() == 3 => Self::Instance,
            "POST" if has("/$batch") => Self::Batch,
            "POST" if has("/getByIds") => Self::ByIds,
            "PUT" if has("/assignment") => Self::Put,
            "DELETE" if has("/assignment") => Self::Delete,
            "PUT" if has("/activate") => Self::ApiOn,
            "PUT" if has("/deactivate") => Self::ApiOff,
            "GET" => Self::Other,
            _ => Self::Stray,
        }
    }

    fn in_vault(method: &str, path: &str) -> Self {
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        match (method, segments.as_slice()) {
            ("GET", ["secrets", _]) => Self::Secret,
            ("GET", ["secrets", _, "versions"]) => Self::Versions,
            ("GET", ["secrets", _, _]) => Self::Version,
            ("GET", ["deletedsecrets", _]) => Self::DeletedSecret,
            ("PUT", ["secrets", _]) => Self::SetSecret,
            ("PATCH", ["secrets", _, _]) => Self::Tag,
            ("POST", ["deletedsecrets", _, "recover"]) => Self::Recover,
            ("PATCH", ["keys", _, _]) => Self::EnableKey,
            ("GET", _) => Self::Other,
            _ => Self::Stray,
        }
    }

    fn in_platform(method: &str, path: &str) -> Self {
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        match (method, segments.as_slice()) {
            ("GET", ["providers", _, "scopes", "admin", "environments", _]) => Self::Hosted,
            ("GET", ["environmentmanagement", "environments", _]) => Self::PublishedHosted,
            ("GET", ["providers", _, "lifecycleOperations"]) => Self::Operations,
            ("POST", ["providers", _, "environments", _, "enterprisePolicies", "Encryption", "link"]) => Self::LinkKey,
            ("POST", ["providers", _, "environments", _, "enterprisePolicies", "Encryption", "unlink"]) => {
                Self::UnlinkKey
            }
            ("POST", ["environmentmanagement", "environments", _, "governanceSetting", "enableManaged"]) => {
                Self::EnableManaged
            }
            ("GET", _) => Self::Other,
            _ => Self::Stray,
        }
    }

    fn in_azure(method: &str, path: &str) -> Self {
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        match (method, segments.get(5..8), segments.len()) {
            ("GET", Some(["Microsoft.KeyVault", "vaults", _]), 8) => Self::Vault,
            ("GET", Some(["Microsoft.Storage", "storageAccounts", _]), 8) => Self::Account,
            ("GET", Some(["Microsoft.PowerPlatform", "enterprisePolicies", _]), 8) => Self::EnterprisePolicy,
            ("PUT", Some(["Microsoft.PowerPlatform", "enterprisePolicies", _]), 8) => Self::CreatePolicy,
            ("GET", Some(["Microsoft.KeyVault", "vaults", _]), 10) if segments[8] == "keys" => Self::VaultKey,
            ("GET", Some(["Microsoft.KeyVault", "vaults", _]), 11) if segments[8] == "keys" => Self::VaultKeyVersions,
            ("GET", None, 4) if path.ends_with("/providers/Microsoft.PowerPlatform") => Self::Provider,
            ("GET", ..) if path.ends_with("/roleAssignments") => Self::Holders,
            ("GET", ..) if path.ends_with("/permissions") => Self::Rights,
            ("PUT", ..) if path.contains("/roleAssignments/") => Self::Grant,
            ("PUT", ..) if path.ends_with("/accessPolicies/add") => Self::Policy,
            ("PUT", ..) if path.contains("/privateEndpointConnections/") => Self::Approve,
            ("GET", ..) => Self::Other,
            _ => Self::Stray,
        }
    }

    pub(crate) fn is_write(self) -> bool {
        self.writes().is_some() || self == Self::Stray
    }

    /// The setting that a write is of. Where keys are declared, API access is switched on with them.
    pub(crate) fn writes(self) -> Option<Setting> {
        match self {
            Self::Put | Self::Delete => Some(Setting::Users),
            Self::ApiOn | Self::ApiOff => Some(Setting::Api),
            Self::Regenerate | Self::SetSecret | Self::Tag | Self::Recover => Some(Setting::Keys),
            Self::LinkVault | Self::Grant | Self::Policy => Some(Setting::KeyVault),
            Self::AddLink | Self::RemoveLink | Self::Approve => Some(Setting::PrivateLinks),
            Self::EnableManaged | Self::LinkKey | Self::UnlinkKey | Self::CreatePolicy | Self::EnableKey => {
                Some(Setting::Hosted)
            }
            _ => None,
        }
    }

    /// Whether the world may be another one after it, although it only reads: what is over takes effect then.
    pub(crate) fn is_in_platform(self) -> bool {
        matches!(self, Self::Hosted | Self::PublishedHosted | Self::Operations | Self::EnterprisePolicy)
    }

    pub(crate) fn is_directory(self) -> bool {
        matches!(self, Self::Batch | Self::ByIds | Self::Members)
    }
}

/// The instance that a path is below.
pub(crate) fn instance(path: &str) -> Option<Uuid> {
    let mut segments = path.split('/').skip_while(|segment| *segment != "instances").skip(1);
    Uuid::parse_str(segments.next()?).ok()
}

/// The number of the Power Platform environment that an address names.
pub(crate) fn hosted(address: &str) -> Option<usize> {
    let address = address.to_lowercase();
    let rest = address.split("1bd6bd98-0000-4000-8000-00000000e0").nth(1)?;
    let number = usize::from_str_radix(rest.get(..2)?, 16).ok()?;
    if number == OTHER_HOSTED { Some(number) } else { number.checked_sub(1) }
}
