//! Enterprise policies: resources of Azure, which environments are linked to by administration.
//!
//! Invariants: only Azure's own word proves that a policy isn't there; an identity that is named in two ways is named the same;
//! links go by what Power Platform calls a policy, never by its id in Azure; linking and unlinking are sent once.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::environments::named;
use super::ids::optional;
use super::operations::Kind;
use super::words::words;
use super::{EnvironmentId, JSON, Started, SystemId, start};
use crate::azure::access::{Reader, Writer};
use crate::azure::arm;
use crate::azure::call::{Answer, Call};
use crate::azure::error::CallError;
use crate::azure::operations::{
    ADMIN_GET_ENFORCEMENT, ADMIN_LINK_ENCRYPTION, ADMIN_UNLINK_ENCRYPTION, GET_ENTERPRISE_POLICY, GET_PROVIDER,
    LIST_ENTERPRISE_POLICIES, PUT_ENTERPRISE_POLICY,
};
use crate::terms::resource_kinds::ENTERPRISE_POLICY;
use crate::terms::{ObjectId, ResourceId, object_id};

/// The provider that a subscription must have registered.
pub const PROVIDER: &str = "Microsoft.PowerPlatform";

words! {
    /// What a policy is about.
    PolicyKind {
        /// A customer-managed key.
        Encryption = "Encryption",
        /// A virtual network.
        NetworkInjection = "NetworkInjection",
        /// An identity.
        Identity = "Identity",
        /// Customer Lockbox.
        Lockbox = "Lockbox",
        /// Private endpoints.
        PrivateEndpoint = "PrivateEndpoint",
    }
}

words! {
    /// How a policy fares. It can stay undetermined for long after a good link.
    Health {
        /// Nothing is known.
        Undetermined = "Undetermined",
        /// Its key can be reached.
        Healthy = "Healthy",
        /// Something is wrong.
        Warning = "Warning",
        /// Its key can't be reached.
        Unhealthy = "Unhealthy",
    }
}

words! {
    /// Whether a subscription has registered a provider.
    Registered {
        /// It has.
        Yes = "Registered",
        /// It is being registered.
        Registering = "Registering",
        /// It hasn't.
        No = "NotRegistered",
    }
}

/// An enterprise policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Its id in Azure, as the service spells it.
    pub id: ResourceId,
    /// Geography, such as `europe`.
    pub location: String,
    /// What it is about.
    pub kind: PolicyKind,
    /// Whether it has an identity of its own; the service's word, `SystemAssigned` or `None`.
    pub identity: Option<String>,
    /// Object id of that identity; none as long as the service doesn't name one.
    pub principal: Option<ObjectId>,
    /// What Power Platform calls it.
    pub system_id: Option<SystemId>,
    /// How it fares.
    pub health: Option<Health>,
    /// The key, of an encryption policy.
    pub key: Option<Key>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// The key of an encryption policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// `Enabled`, `Disabled`, `NotConfigured`.
    pub state: Option<String>,
    /// Id in Azure of its vault, or of its managed HSM.
    pub vault: Option<ResourceId>,
    /// Its name.
    pub name: Option<String>,
    /// The version that is pinned; without one, the newest enabled version is followed.
    pub version: Option<String>,
}

/// What an encryption policy is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Geography: that of the environments that are to be linked.
    pub location: String,
    /// Id in Azure of the vault.
    pub vault: ResourceId,
    /// Name of the key.
    pub key: String,
    /// The version to pin; without one, the newest enabled version is followed.
    pub version: Option<String>,
}

impl Draft {
    /// What is sent for it, by palisade or by a person: a policy with an identity of its own.
    pub fn body(&self) -> Json {
        let Self { location, vault, key, version } = self;
        let mut named = json!({ "name": key });
        if let Some(version) = version {
            named["version"] = json!(version);
        }
        json!({
            "location": location,
            "kind": PolicyKind::Encryption,
            "identity": { "type": "SystemAssigned" },
            "properties": { "encryption": { "state": "Enabled", "keyVault": { "id": vault.as_str(), "key": named } } },
        })
    }
}

#[derive(Deserialize)]
struct Wire {
    id: ResourceId,
    location: String,
    kind: PolicyKind,
    identity: Option<WireIdentity>,
    tags: Option<BTreeMap<String, String>>,
    #[serde(default)]
    properties: Properties,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireIdentity {
    #[serde(rename = "type")]
    kind: Option<String>,
    /// What the service answers.
    #[serde(default, deserialize_with = "object_id::principal")]
    principal_id: Option<ObjectId>,
    /// What the published document says.
    #[serde(default, deserialize_with = "object_id::principal")]
    system_assigned_identity_principal_id: Option<ObjectId>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Properties {
    #[serde(alias = "SystemId", deserialize_with = "optional")]
    system_id: Option<SystemId>,
    health_status: Option<Health>,
    encryption: Option<Encryption>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Encryption {
    state: Option<String>,
    key_vault: Option<KeyVault>,
}

#[derive(Deserialize)]
struct KeyVault {
    id: Option<String>,
    key: Option<WireKey>,
}

#[derive(Deserialize)]
struct WireKey {
    name: Option<String>,
    version: Option<String>,
}

impl Wire {
    fn read(self) -> Result<Policy, String> {
        let Self { id, location, kind, identity, tags, properties } = self;
        if !id.is_kind(ENTERPRISE_POLICY) {
            return Err(format!("`{id}` is no enterprise policy"));
        }
        let (identity, live, published) =
            identity.map(|it| (it.kind, it.principal_id, it.system_assigned_identity_principal_id)).unwrap_or_default();
        if live.zip(published).is_some_and(|(live, published)| live != published) {
            return Err("it names two identities".to_owned());
        }
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let key = properties.encryption.map(|Encryption { state, key_vault }| {
            let (vault, key) = key_vault.map(|KeyVault { id, key }| (id, key)).unwrap_or_default();
            let (name, version) = key.map(|WireKey { name, version }| (name, version)).unwrap_or_default();
            let vault = vault.and_then(|text| text.parse().ok());
            Key { state, vault, name: given(name), version: given(version) }
        });
        Ok(Policy {
            id,
            location,
            kind,
            identity,
            principal: live.or(published),
            system_id: properties.system_id,
            health: properties.health_status,
            key,
            tags: tags.unwrap_or_default(),
        })
    }
}

fn parsed(answer: &Answer) -> Result<Policy, CallError> {
    answer.json::<Wire>()?.read().map_err(|detail| answer.unreadable(&detail))
}

fn addressed<E>(call: Call<E>, id: &ResourceId) -> Call<E> {
    call.path("subscriptionId", &id.subscription().to_string())
        .path("resourceGroupName", id.resource_group())
        .path("enterprisePolicyName", id.name())
}

/// One policy; none if Azure says that there is none. `GET …/enterprisePolicies/{name}`
pub async fn get(reader: &Reader, id: &ResourceId) -> Result<Option<Policy>, CallError> {
    let outcome = reader.send(addressed(Call::of(&GET_ENTERPRISE_POLICY), id)).await;
    arm::found(outcome)?.as_ref().map(parsed).transpose()
}

/// The policies of a resource group: the whole list or an error. `GET …/enterprisePolicies`
pub async fn list(reader: &Reader, subscription: Uuid, group: &str) -> Result<Vec<Policy>, CallError> {
    let call = Call::of(&LIST_ENTERPRISE_POLICIES).path("subscriptionId", &subscription.to_string());
    let wires: Vec<Wire> = arm::list(reader, call.path("resourceGroupName", group)).await?;
    let unreadable = |detail: String| CallError::unreadable(LIST_ENTERPRISE_POLICIES.facts(), &detail);
    wires.into_iter().map(|wire| wire.read().map_err(unreadable)).collect()
}

/// Creates an encryption policy with an identity of its own. One that an environment is linked to can't be replaced.
/// `PUT …/enterprisePolicies/{name}`
///
/// The identity may be missing from the answer, and appears in the directory late.
pub async fn put(writer: &Writer, id: &ResourceId, draft: &Draft) -> Result<Policy, CallError> {
    parsed(&writer.send(addressed(Call::of(&PUT_ENTERPRISE_POLICY), id).json(arm::JSON, &draft.body())).await?)
}

/// Links an environment to an encryption policy, over the one that it is linked to, if any.
/// `POST …/environments/{id}/enterprisePolicies/Encryption/link`
pub async fn link(writer: &Writer, environment: &EnvironmentId, policy: &SystemId) -> Result<Started, CallError> {
    start(writer, about(named(Call::of(&ADMIN_LINK_ENCRYPTION), environment), policy)).await
}

/// Unlinks an environment from the encryption policy that it is linked to: back to a key of Microsoft's.
/// `POST …/environments/{id}/enterprisePolicies/Encryption/unlink`
pub async fn unlink(writer: &Writer, environment: &EnvironmentId, policy: &SystemId) -> Result<Started, CallError> {
    start(writer, about(named(Call::of(&ADMIN_UNLINK_ENCRYPTION), environment), policy)).await
}

fn about<E>(call: Call<E>, policy: &SystemId) -> Call<E> {
    call.json(JSON, &json!({ "SystemId": policy.as_str() }))
}

/// What an environment says beforehand about operations. A hint: it was seen to contradict itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enforcement {
    allowed: Vec<Kind>,
    disallowed: Vec<(Kind, Option<String>)>,
}

/// What is said beforehand about one operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hint {
    /// It would be taken.
    Allowed,
    /// It wouldn't, and why, as far as that is said.
    Disallowed(Option<String>),
    /// Nothing, or both.
    Silent,
}

impl Enforcement {
    /// What is said about an operation.
    pub fn says(&self, kind: &Kind) -> Hint {
        let disallowed = self.disallowed.iter().find(|(known, _)| known == kind);
        match (self.allowed.contains(kind), disallowed) {
            (true, None) => Hint::Allowed,
            (false, Some((_, why))) => Hint::Disallowed(why.clone()),
            (false, None) | (true, Some(_)) => Hint::Silent,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireEnforcement {
    allowed_operations: Vec<Rule>,
    disallowed_operations: Vec<Rule>,
}

#[derive(Deserialize)]
struct Rule {
    #[serde(rename = "type")]
    kind: RuleKind,
    reason: Option<Json>,
}

#[derive(Deserialize)]
struct RuleKind {
    id: Kind,
}

/// Which operations an environment would take. `GET …/environments/{id}/lifecycleOperationsEnforcement`
pub async fn enforcement(reader: &Reader, environment: &EnvironmentId) -> Result<Enforcement, CallError> {
    let answer = reader.send(named(Call::of(&ADMIN_GET_ENFORCEMENT), environment)).await?;
    let WireEnforcement { allowed_operations, disallowed_operations } = answer.json()?;
    let why = |rule: &Rule| rule.reason.as_ref()?["message"].as_str().map(|words| answer.words(words));
    Ok(Enforcement {
        allowed: allowed_operations.into_iter().map(|rule| rule.kind.id).collect(),
        disallowed: disallowed_operations.into_iter().map(|rule| (rule.kind.id.clone(), why(&rule))).collect(),
    })
}

/// What a subscription says about Power Platform's provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// Whether it is registered.
    pub state: Registered,
    /// The geographies that policies can be in; empty if the service doesn't say.
    pub locations: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireProvider {
    registration_state: Registered,
    resource_types: Option<Vec<ResourceType>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResourceType {
    resource_type: String,
    locations: Option<Vec<String>>,
}

/// Whether a subscription has registered Power Platform's provider. `GET /subscriptions/{s}/providers/Microsoft.PowerPlatform`
pub async fn registration(reader: &Reader, subscription: Uuid) -> Result<Registration, CallError> {
    let call = Call::of(&GET_PROVIDER).path("subscriptionId", &subscription.to_string());
    let answer = reader.send(call.path("resourceProviderNamespace", PROVIDER)).await?;
    let WireProvider { registration_state: state, resource_types } = answer.json()?;
    let policies = |it: &ResourceType| it.resource_type.eq_ignore_ascii_case("enterprisePolicies");
    let found = resource_types.unwrap_or_default().into_iter().find(policies);
    Ok(Registration { state, locations: found.and_then(|it| it.locations).unwrap_or_default() })
}
