//! One observation: a pass over the services in which nothing is read twice, whoever asks.
//!
//! Words: a *look* is one observation, and remembers what it read for as long as it lasts; what is *fresh* was read by a look
//! of its own, begun for the purpose.
//!
//! What is *recent* was read afresh, apart from who other principals are: that may be remembered from an earlier look.
//!
//! Invariants: each thing is read at most once in a look, and askers of one thing share the read also while it is under way;
//! but for names that a [`Recent`] is given, nothing is remembered from one look to the next; [`Fresh`] can only be made by a
//! look that begins with it and ends with it.
//!
//! What was read afresh shows its value, and when its look began:
//!
//! ```
//! use palisade::azure::{Fresh, Reader};
//! async fn count(reader: &Reader) -> Fresh<usize> {
//!     Fresh::look(reader, async |look| look.instances().await.map_or(0, |all| all.len())).await
//! }
//! ```
//!
//! A remembered fact can't be declared fresh:
//!
//! ```compile_fail
//! use palisade::azure::Fresh;
//! fn pretend(remembered: usize, at: jiff::Timestamp) -> Fresh<usize> {
//!     Fresh { value: remembered, at }
//! }
//! ```

use std::rc::Rc;

use jiff::Timestamp;
use uuid::Uuid;

use super::access::Reader;
use super::authorization::{self, RoleAssignment};
use super::customer_insights::{self as ci, ApiAccess, Instance, InstanceInfo, InstanceMetadata};
use super::directory::{Directory, Name, Remembered};
use super::error::CallError;
use super::keys::{self, DeletedKey, KeyAddress, RotationPolicy};
use super::once::Once;
use super::power_platform::EnvironmentId;
use super::power_platform::environments::{self, Environment};
use super::power_platform::policies::{self, Policy};
use super::rights::{Granted, Holding, Needs};
use super::storage::{self, Account};
use super::synapse::{self, Workspace};
use super::vault_keys::{self, KeyVersion};
use super::vaults::{self, DeletedVault, Vault};
use crate::terms::{AzureScope, ObjectId, ResourceId, VaultId};

/// What a read of a look brought. Shared by everybody who asks.
pub type Shared<T> = Result<T, CallError>;

/// One observation.
pub struct Look {
    reader: Reader,
    began: Timestamp,
    directory: Directory,
    instances: Once<(), Shared<Rc<[InstanceInfo]>>>,
    instance: Once<Uuid, Shared<Rc<InstanceMetadata>>>,
    api: Once<Uuid, Shared<(ApiAccess, Vec<Timestamp>)>>,
    vaults: Once<VaultId, Shared<Option<Rc<Vault>>>>,
    accounts: Once<ResourceId, Shared<Option<Rc<Account>>>>,
    workspaces: Once<ResourceId, Shared<Option<Rc<Workspace>>>>,
    roles: Once<(ResourceId, ObjectId), Shared<Rc<[RoleAssignment]>>>,
    granted: Once<ResourceId, Shared<Rc<Granted>>>,
    granted_in_groups: Once<(Uuid, String), Shared<Rc<Granted>>>,
    environments: Once<EnvironmentId, Shared<Rc<Environment>>>,
    published: Once<EnvironmentId, Shared<Rc<Environment>>>,
    policies: Once<ResourceId, Shared<Option<Rc<Policy>>>>,
    keys: Once<(VaultId, String), Shared<Option<Rc<KeyVersion>>>>,
    key_versions: Once<(VaultId, String), Shared<Rc<[KeyVersion]>>>,
    rotation_policies: Once<(VaultId, String), Shared<Rc<RotationPolicy>>>,
    deleted_keys: Once<(VaultId, String), Shared<Option<DeletedKey>>>,
    deleted_vaults: Once<Uuid, Shared<Rc<[DeletedVault]>>>,
}

impl Look {
    /// Begins a look. Whoever will be asked about is `expected`, so that few requests serve all environments.
    pub fn begin(reader: &Reader, expected: impl IntoIterator<Item = Name>) -> Self {
        Self::with(reader, Directory::expecting(reader.clone(), expected))
    }

    fn with(reader: &Reader, directory: Directory) -> Self {
        Self {
            reader: reader.clone(),
            began: reader.now(),
            directory,
            instances: Once::default(),
            instance: Once::default(),
            api: Once::default(),
            vaults: Once::default(),
            accounts: Once::default(),
            workspaces: Once::default(),
            roles: Once::default(),
            granted: Once::default(),
            granted_in_groups: Once::default(),
            environments: Once::default(),
            published: Once::default(),
            policies: Once::default(),
            keys: Once::default(),
            key_versions: Once::default(),
            rotation_policies: Once::default(),
            deleted_keys: Once::default(),
            deleted_vaults: Once::default(),
        }
    }

    /// When it began: nothing that it shows is older.
    pub fn began(&self) -> Timestamp {
        self.began
    }

    /// The services, for what belongs to one setting of one environment, and which that setting asks for once.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Who is who.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// The instances that the caller sees.
    pub async fn instances(&self) -> Shared<Rc<[InstanceInfo]>> {
        let reader = self.reader.clone();
        self.instances.get((), || Box::pin(async move { Ok(ci::list_instances(&reader).await?.into()) })).await
    }

    /// What an instance says of itself.
    pub async fn instance(&self, instance: &Instance) -> Shared<Rc<InstanceMetadata>> {
        let (reader, instance) = (self.reader.clone(), instance.clone());
        let key = instance.id;
        self.instance
            .get(key, || Box::pin(async move { ci::get_instance(&reader, &instance).await.map(Rc::new) }))
            .await
    }

    /// Whether an instance's API access is on, and when its keys were made, as far as the service says.
    pub async fn api_subscription(&self, instance: &Instance) -> Shared<(ApiAccess, Vec<Timestamp>)> {
        let (reader, instance) = (self.reader.clone(), instance.clone());
        let key = instance.id;
        self.api.get(key, || Box::pin(async move { ci::api_subscription(&reader, &instance).await })).await
    }

    /// A vault; none if Azure says that there is none.
    pub async fn vault(&self, id: &VaultId) -> Shared<Option<Rc<Vault>>> {
        let (reader, id) = (self.reader.clone(), id.clone());
        let key = id.clone();
        self.vaults.get(key, || Box::pin(async move { Ok(vaults::get(&reader, &id).await?.map(Rc::new)) })).await
    }

    /// A storage account; none if Azure says that there is none.
    pub async fn account(&self, id: &ResourceId) -> Shared<Option<Rc<Account>>> {
        let (reader, id) = (self.reader.clone(), id.clone());
        let key = id.clone();
        self.accounts.get(key, || Box::pin(async move { Ok(storage::get(&reader, &id).await?.map(Rc::new)) })).await
    }

    /// A Synapse workspace; none if Azure says that there is none.
    pub async fn workspace(&self, id: &ResourceId) -> Shared<Option<Rc<Workspace>>> {
        let (reader, id) = (self.reader.clone(), id.clone());
        let key = id.clone();
        self.workspaces.get(key, || Box::pin(async move { Ok(synapse::get(&reader, &id).await?.map(Rc::new)) })).await
    }

    /// A Power Platform environment, as administration shows it. That it isn't found is an error, too.
    pub async fn environment(&self, id: &EnvironmentId) -> Shared<Rc<Environment>> {
        let (reader, id) = (self.reader.clone(), id.clone());
        let key = id.clone();
        self.environments.get(key, || Box::pin(async move { environments::get(&reader, &id).await.map(Rc::new) })).await
    }

    /// The same by the published contract, which tells less of it.
    pub async fn published_environment(&self, id: &EnvironmentId) -> Shared<Rc<Environment>> {
        let (reader, id) = (self.reader.clone(), id.clone());
        let key = id.clone();
        let read = async move { Ok(Rc::new(environments::get_published(&reader, &id).await?.into())) };
        self.published.get(key, || Box::pin(read)).await
    }

    /// An enterprise policy; none if Azure says that there is none.
    pub async fn policy(&self, id: &ResourceId) -> Shared<Option<Rc<Policy>>> {
        let (reader, id) = (self.reader.clone(), id.clone());
        let key = id.clone();
        self.policies.get(key, || Box::pin(async move { Ok(policies::get(&reader, &id).await?.map(Rc::new)) })).await
    }

    /// The current version of a key; none if Azure says that there is no such key.
    pub async fn key(&self, vault: &VaultId, name: &str) -> Shared<Option<Rc<KeyVersion>>> {
        let (reader, vault, name) = (self.reader.clone(), vault.clone(), name.to_owned());
        let key = (vault.clone(), name.to_lowercase());
        let read = async move { Ok(vault_keys::get(&reader, &vault, &name).await?.map(Rc::new)) };
        self.keys.get(key, || Box::pin(read)).await
    }

    /// All versions of a key, in no order.
    pub async fn key_versions(&self, vault: &VaultId, name: &str) -> Shared<Rc<[KeyVersion]>> {
        let (reader, vault, name) = (self.reader.clone(), vault.clone(), name.to_owned());
        let key = (vault.clone(), name.to_lowercase());
        let read = async move { Ok(vault_keys::versions(&reader, &vault, &name).await?.into()) };
        self.key_versions.get(key, || Box::pin(read)).await
    }

    /// When a key rotates by itself, as its vault says.
    pub async fn rotation_policy(&self, vault: &VaultId, name: &str) -> Shared<Rc<RotationPolicy>> {
        let (reader, at) = (self.reader.clone(), address(vault, name));
        let read = async move { keys::rotation_policy(&reader, &at).await.map(Rc::new) };
        self.rotation_policies.get((vault.clone(), name.to_lowercase()), || Box::pin(read)).await
    }

    /// A deleted key; none if its vault says that there is none of this name.
    pub async fn deleted_key(&self, vault: &VaultId, name: &str) -> Shared<Option<DeletedKey>> {
        let (reader, at) = (self.reader.clone(), address(vault, name));
        let read = async move { keys::get_deleted(&reader, &at).await };
        self.deleted_keys.get((vault.clone(), name.to_lowercase()), || Box::pin(read)).await
    }

    /// A deleted vault; none if it isn't among the deleted ones of its subscription, which are listed once for all.
    pub async fn deleted_vault(&self, id: &VaultId) -> Shared<Option<DeletedVault>> {
        let (reader, subscription) = (self.reader.clone(), id.subscription());
        let read = async move { Ok(vaults::list_deleted(&reader, subscription).await?.into()) };
        let all = self.deleted_vaults.get(subscription, || Box::pin(read)).await?;
        Ok(all.iter().find(|vault| vault.id == *id).cloned())
    }

    /// The roles of one principal that count on a resource.
    pub async fn roles(&self, resource: &ResourceId, principal: ObjectId) -> Shared<Rc<[RoleAssignment]>> {
        let (reader, scope) = (self.reader.clone(), AzureScope::Resource(resource.clone()));
        let read = async move { Ok(authorization::assigned_to(&reader, &scope, principal).await?.into()) };
        self.roles.get((resource.clone(), principal), || Box::pin(read)).await
    }

    /// Whether the caller holds in a resource group what an operation needs on something that is yet to come into being there.
    pub async fn holding_in_group(&self, resource: &ResourceId, needs: &Needs) -> Shared<Option<Holding>> {
        let (reader, subscription, group) =
            (self.reader.clone(), resource.subscription(), resource.resource_group().to_owned());
        let key = (subscription, group.to_lowercase());
        let read = async move { authorization::granted_in_group(&reader, subscription, &group).await.map(Rc::new) };
        let granted = self.granted_in_groups.get(key, || Box::pin(read)).await;
        authorization::holding_of(granted.as_deref(), needs)
    }

    /// Whether the caller, who has read a resource, holds on it what an operation needs.
    pub async fn holding(&self, resource: &ResourceId, needs: &Needs) -> Shared<Holding> {
        let (reader, id) = (self.reader.clone(), resource.clone());
        let read = async move { authorization::granted(&reader, &id).await.map(Rc::new) };
        let granted = self.granted.get(resource.clone(), || Box::pin(read)).await;
        authorization::holding(granted.as_deref(), resource, needs)
    }
}

fn address(vault: &VaultId, name: &str) -> KeyAddress {
    KeyAddress { vault: vault.name().to_owned(), name: name.to_owned() }
}

/// Something that was read for the purpose, and when that began. What a write rests on is of this type, so that nothing
/// remembered can stand in for it.
#[derive(Debug, Clone)]
pub struct Fresh<T> {
    value: T,
    at: Timestamp,
}

impl<T> Fresh<T> {
    /// Begins a look, has `read` answer from it, and ends it.
    pub async fn look(reader: &Reader, read: impl AsyncFnOnce(Look) -> T) -> Self {
        let look = Look::begin(reader, []);
        let at = look.began();
        Self { value: read(look).await, at }
    }

    /// What was read.
    pub fn value(&self) -> &T {
        &self.value
    }

    /// When the look began.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// What was read, for whoever doesn't need to know that it is fresh.
    pub fn into_value(self) -> T {
        self.value
    }
}

impl<T, E> Fresh<Result<T, E>> {
    /// What was read, if it could be read.
    pub fn transpose(self) -> Result<Fresh<T>, E> {
        let Self { value, at } = self;
        value.map(|value| Fresh { value, at })
    }
}

/// What was read for a write that adds something, when that began. Who its own principal is was asked again, and so was
/// everything else; who the others are may be remembered. Nothing may be taken away on the strength of it.
#[derive(Debug, Clone)]
pub struct Recent<T> {
    value: T,
    at: Timestamp,
}

impl<T> Recent<T> {
    /// Begins a look that remembers names, has `read` answer from it, and ends it.
    pub async fn look(reader: &Reader, remembered: Remembered, read: impl AsyncFnOnce(Look) -> T) -> Self {
        let look = Look::with(reader, Directory::remembering(reader.clone(), [], remembered));
        let at = look.began();
        Self { value: read(look).await, at }
    }
}

impl<T, E> Recent<Result<T, E>> {
    /// What was read, if it could be read.
    pub fn transpose(self) -> Result<Recent<T>, E> {
        let Self { value, at } = self;
        value.map(|value| Recent { value, at })
    }
}

/// What was read for a write.
#[derive(Debug, Clone)]
pub enum Anew<T> {
    /// All of it, which every write can rest on.
    All(Fresh<T>),
    /// All that a write rests on that adds something.
    Own(Recent<T>),
}

impl<T> Anew<T> {
    /// What was read.
    pub fn value(&self) -> &T {
        match self {
            Self::All(fresh) => fresh.value(),
            Self::Own(recent) => &recent.value,
        }
    }

    /// When the look began.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::All(fresh) => fresh.at(),
            Self::Own(recent) => recent.at,
        }
    }

    /// What was read, if all of it was read afresh.
    pub fn fresh(&self) -> Option<&Fresh<T>> {
        match self {
            Self::All(fresh) => Some(fresh),
            Self::Own(_) => None,
        }
    }
}
