//! Storage accounts.
//!
//! What must stay true: an account's embedded connections are as good as a list of them; a firewall's rules are replaced as
//! a whole, never one by one; so is what an account is encrypted with, and what isn't known of it is sent back as it was read;
//! identities are only ever added.

mod encryption;
mod identity;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use super::access::{Reader, Writer};
use super::arm;
use super::call::{Answer, Call};
use super::error::CallError;
use super::operations::{STORAGE_GET_ACCOUNT, STORAGE_LIST, STORAGE_LIST_IN_GROUP, STORAGE_UPDATE_ACCOUNT};
use super::private_endpoints::{Connection, Wire, addressed, connections};
use crate::terms::{AzureScope, ResourceId};

pub use encryption::{ActingIdentity, Encryption, KEY_VAULT, KeySource, KeyVaultProperties, MICROSOFT};
pub use identity::{Identity, UserAssigned};

/// A storage account.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its id as the service spells it.
    pub id: ResourceId,
    /// Azure region.
    pub location: String,
    /// `StorageV2` …
    pub kind: Option<String>,
    /// Tags.
    pub tags: std::collections::BTreeMap<String, String>,
    /// Whether it is reached over the internet. Old accounts say nothing, which means that it is.
    pub public_network_access: PublicNetworkAccess,
    /// Its firewall.
    pub network_acls: Option<NetworkAcls>,
    /// Whether it has directories, as a data lake does.
    pub is_hns_enabled: bool,
    /// `TLS1_2` …
    pub minimum_tls_version: Option<String>,
    /// Whether keys of the account open it, too.
    pub allow_shared_key_access: Option<bool>,
    /// Whether containers can be opened to everybody.
    pub allow_blob_public_access: Option<bool>,
    /// Its identities.
    pub identity: Identity,
    /// What it is encrypted with; none if the service says nothing of it.
    pub encryption: Option<Encryption>,
    /// All private endpoint connections, whoever made them.
    pub connections: Vec<Connection>,
}

/// Whether a resource is reached over the internet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicNetworkAccess {
    /// It is, subject to its firewall.
    Enabled,
    /// It isn't.
    Disabled,
    /// A network security perimeter decides.
    SecuredByPerimeter,
    /// A word that isn't known here.
    Other(String),
}

impl PublicNetworkAccess {
    /// Reads the service's word; its case varies, and none at all is `Enabled`.
    pub fn read(word: Option<&str>) -> Self {
        match word.map(str::to_ascii_lowercase).as_deref() {
            None | Some("" | "enabled") => Self::Enabled,
            Some("disabled") => Self::Disabled,
            Some("securedbyperimeter") => Self::SecuredByPerimeter,
            Some(_) => Self::Other(word.unwrap_or_default().to_owned()),
        }
    }
}

/// The firewall of a storage account. Its rules carry an `action`, unlike a vault's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkAcls {
    /// `None`, or some of `Logging`, `Metrics`, `AzureServices`, joined by commas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bypass: Option<String>,
    /// `Allow` or `Deny`.
    pub default_action: String,
    /// Everything else, kept so that what is sent back is whole.
    #[serde(flatten)]
    pub rules: Map<String, Json>,
}

#[derive(Deserialize)]
struct WireAccount {
    id: ResourceId,
    location: String,
    kind: Option<String>,
    #[serde(default)]
    tags: Option<std::collections::BTreeMap<String, String>>,
    identity: Option<Identity>,
    properties: WireProperties,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireProperties {
    public_network_access: Option<String>,
    network_acls: Option<NetworkAcls>,
    is_hns_enabled: Option<bool>,
    minimum_tls_version: Option<String>,
    allow_shared_key_access: Option<bool>,
    allow_blob_public_access: Option<bool>,
    encryption: Option<Encryption>,
    private_endpoint_connections: Option<Vec<Wire>>,
}

impl WireAccount {
    fn read(self) -> Result<Account, String> {
        let Self { id, location, kind, tags, identity, properties } = self;
        // An account that has none may leave the member out.
        let connections = connections(&id, properties.private_endpoint_connections.unwrap_or_default())?;
        Ok(Account {
            id,
            location,
            kind,
            tags: tags.unwrap_or_default(),
            public_network_access: PublicNetworkAccess::read(properties.public_network_access.as_deref()),
            network_acls: properties.network_acls,
            is_hns_enabled: properties.is_hns_enabled.unwrap_or_default(),
            minimum_tls_version: properties.minimum_tls_version,
            allow_shared_key_access: properties.allow_shared_key_access,
            allow_blob_public_access: properties.allow_blob_public_access,
            identity: identity.unwrap_or_default(),
            encryption: properties.encryption,
            connections,
        })
    }
}

fn account(answer: &Answer) -> Result<Account, CallError> {
    answer.json::<WireAccount>()?.read().map_err(|detail| answer.unreadable(&detail))
}

/// One account with its connections; none if ARM says that there is none. `GET …/storageAccounts/{name}`
pub async fn get(reader: &Reader, id: &ResourceId) -> Result<Option<Account>, CallError> {
    let outcome = reader.send(addressed(Call::of(&STORAGE_GET_ACCOUNT), id, "accountName")).await;
    arm::found(outcome)?.as_ref().map(account).transpose()
}

/// All accounts of a subscription or a resource group that the caller sees, with their connections: the whole list or an
/// error. For finding; read the single account before writing. `GET …/storageAccounts`
pub async fn list(reader: &Reader, scope: &AzureScope) -> Result<Vec<Account>, CallError> {
    let (operation, call) = match scope {
        AzureScope::Subscription(subscription) => {
            (&STORAGE_LIST, Call::of(&STORAGE_LIST).path("subscriptionId", &subscription.to_string()))
        }
        AzureScope::Group { subscription, group } => {
            let call = Call::of(&STORAGE_LIST_IN_GROUP).path("subscriptionId", &subscription.to_string());
            (&STORAGE_LIST_IN_GROUP, call.path("resourceGroupName", group))
        }
        AzureScope::Resource(id) => return Ok(get(reader, id).await?.into_iter().collect()),
    };
    let accounts: Vec<WireAccount> = arm::list(reader, call).await?;
    let read = |wire: WireAccount| wire.read().map_err(|detail| CallError::unreadable(operation.facts(), &detail));
    accounts.into_iter().map(read).collect()
}

/// What is changed in an account; what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// Whether it is reached over the internet.
    pub public_network_access: Option<PublicNetworkAccess>,
    /// The whole firewall: rules that are left out are gone.
    pub network_acls: Option<NetworkAcls>,
    /// All identities that it is to have.
    pub identity: Option<Identity>,
    /// All that is to be said of what it is encrypted with.
    pub encryption: Option<Encryption>,
}

/// Changes an account and returns what it is now. `PATCH …/storageAccounts/{name}`
pub async fn update(writer: &Writer, id: &ResourceId, change: &Change) -> Result<Account, CallError> {
    let Change { public_network_access, network_acls, identity, encryption } = change;
    let mut properties = Map::new();
    if let Some(access) = public_network_access {
        let word = match access {
            PublicNetworkAccess::Enabled => "Enabled",
            PublicNetworkAccess::Disabled => "Disabled",
            PublicNetworkAccess::SecuredByPerimeter => "SecuredByPerimeter",
            PublicNetworkAccess::Other(word) => word,
        };
        properties.insert("publicNetworkAccess".to_owned(), word.into());
    }
    if let Some(acls) = network_acls {
        properties.insert("networkAcls".to_owned(), json!(acls));
    }
    if let Some(encryption) = encryption {
        properties.insert("encryption".to_owned(), json!(encryption));
    }
    let mut body = Map::new();
    if let Some(identity) = identity {
        body.insert("identity".to_owned(), identity.body());
    }
    if !properties.is_empty() || body.is_empty() {
        body.insert("properties".to_owned(), Json::Object(properties));
    }
    let call = addressed(Call::of(&STORAGE_UPDATE_ACCOUNT), id, "accountName");
    account(&writer.send(call.json(arm::JSON, &Json::Object(body))).await?)
}
