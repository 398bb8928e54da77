//! Environments: what administration and the Power Platform API say about them, and making them managed.
//!
//! Nearly every member is optional on the wire, so it is here; what a conclusion needs and misses makes it unknown.
//!
//! Invariants: a link is what stands in `enterprisePolicies`, never `protectionStatus.keyManagedBy`, which says `Microsoft`
//! whatever the key; no environment is in a list twice.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value as Json;
use uuid::Uuid;

use super::links::Links;
use super::words::words;
use super::{EnvironmentId, Paging, Started, list as pages, start};
use crate::azure::access::{Reader, Writer};
use crate::azure::call::Call;
use crate::azure::error::CallError;
use crate::azure::operations::{
    ADMIN_GET_ENVIRONMENT, ADMIN_LIST_ENVIRONMENTS, PLATFORM_DISABLE_MANAGED, PLATFORM_ENABLE_MANAGED,
    PLATFORM_GET_ENVIRONMENT, PLATFORM_LIST_ENVIRONMENTS,
};

words! {
    /// What an environment is sold as. The Power Platform API calls it its type.
    Sku {
        /// In use.
        Production = "Production",
        /// For trying out.
        Sandbox = "Sandbox",
        /// For a while.
        Trial = "Trial",
        /// For a while, with a subscription.
        SubscriptionBasedTrial = "SubscriptionBasedTrial",
        /// The tenant's first one.
        Default = "Default",
        /// Of one developer.
        Developer = "Developer",
        /// Of Dataverse for Teams.
        Teams = "Teams",
    }
}

words! {
    /// Whether an environment is a managed one.
    ProtectionLevel {
        /// It isn't.
        Basic = "Basic",
        /// It is.
        Standard = "Standard",
    }
}

words! {
    /// Whether people can use an environment.
    Runtime {
        /// They can.
        Enabled = "Enabled",
        /// They can't: an operation is going on, or its key is lost.
        Disabled = "Disabled",
        /// Only administrators can.
        AdminMode = "AdminMode",
    }
}

/// The Dataverse organisation of an environment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Dataverse {
    /// Its id.
    pub resource_id: Option<String>,
    /// Its address, as the service spells it.
    pub instance_url: Option<String>,
    /// `Ready` when it is.
    pub instance_state: Option<String>,
    /// Display name.
    pub friendly_name: Option<String>,
}

/// An environment, as administration shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// Its id.
    pub id: EnvironmentId,
    /// The tenant that it belongs to.
    pub tenant: Option<Uuid>,
    /// Display name.
    pub display_name: Option<String>,
    /// Geography, such as `europe`: what a policy's location is compared with.
    pub location: Option<String>,
    /// Azure region.
    pub azure_region: Option<String>,
    /// What it is sold as.
    pub sku: Option<Sku>,
    /// Whether it is the tenant's default environment.
    pub is_default: Option<bool>,
    /// When it was created.
    pub created: Option<Timestamp>,
    /// Whether it is managed.
    pub protection_level: Option<ProtectionLevel>,
    /// The settings of a managed environment, by name; none if the service shows none, as for those that a group governs.
    pub extended_settings: Option<BTreeMap<String, Json>>,
    /// The environment group that it is in, and that owns its settings.
    pub group: Option<String>,
    /// Its Dataverse organisation; none if it has none.
    pub dataverse: Option<Dataverse>,
    /// `states.management`: `Ready` at rest.
    pub management: Option<String>,
    /// `states.runtime`.
    pub runtime: Option<Runtime>,
    /// Why the runtime is what it is, in the service's word.
    pub runtime_reason: Option<String>,
    /// Its policies.
    pub links: Links,
}

/// An environment, as the Power Platform API shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Its id.
    pub id: EnvironmentId,
    /// The tenant that it belongs to.
    pub tenant: Option<Uuid>,
    /// Display name.
    pub display_name: Option<String>,
    /// What it is sold as.
    pub sku: Option<Sku>,
    /// Its state, in the service's word.
    pub state: Option<String>,
    /// Geography.
    pub geo: Option<String>,
    /// Azure region.
    pub azure_region: Option<String>,
    /// Whether it is managed.
    pub protection_level: Option<ProtectionLevel>,
    /// The environment group that it is in.
    pub group: Option<String>,
    /// The address of its Dataverse organisation.
    pub dataverse_url: Option<String>,
    /// Its policies, with the error of a link that failed.
    pub links: Links,
}

/// What the published contract tells; it doesn't tell the rest. Where it names no address of Dataverse, it isn't known whether
/// there is an organisation.
impl From<Published> for Environment {
    fn from(published: Published) -> Self {
        let Published {
            id,
            tenant,
            display_name,
            sku,
            state,
            geo,
            azure_region,
            protection_level,
            group,
            dataverse_url,
            links,
        } = published;
        let dataverse = Some(Dataverse { instance_url: dataverse_url, ..Dataverse::default() });
        Self {
            id,
            tenant,
            display_name,
            location: geo,
            azure_region,
            sku,
            is_default: None,
            created: None,
            protection_level,
            extended_settings: None,
            group,
            dataverse,
            management: None,
            // Only these two of its words mean the same as administration's.
            runtime: state.map(|state| Runtime::read(&state)).filter(|runtime| !matches!(runtime, Runtime::Other(_))),
            runtime_reason: None,
            links,
        }
    }
}

#[derive(Deserialize)]
struct Wire {
    name: EnvironmentId,
    location: Option<String>,
    properties: Option<Properties>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Properties {
    tenant_id: Option<Uuid>,
    display_name: Option<String>,
    azure_region: Option<String>,
    environment_sku: Option<Sku>,
    is_default: Option<bool>,
    created_time: Option<String>,
    governance_configuration: Option<Governance>,
    parent_environment_group: Option<Named>,
    linked_environment_metadata: Option<Dataverse>,
    states: Option<States>,
    enterprise_policies: Option<BTreeMap<String, Json>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Governance {
    protection_level: Option<ProtectionLevel>,
    settings: Option<GovernanceSettings>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct GovernanceSettings {
    extended_settings: Option<BTreeMap<String, Json>>,
}

#[derive(Deserialize)]
struct Named {
    id: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct States {
    management: Option<Named>,
    runtime: Option<RuntimeState>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RuntimeState {
    id: Option<Runtime>,
    runtime_reason_code: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WirePublished {
    id: EnvironmentId,
    tenant_id: Option<Uuid>,
    display_name: Option<String>,
    #[serde(rename = "type")]
    sku: Option<Sku>,
    state: Option<String>,
    geo: Option<String>,
    azure_region: Option<String>,
    protection_level: Option<ProtectionLevel>,
    environment_group_id: Option<String>,
    url: Option<String>,
    enterprise_policies: Option<BTreeMap<String, Json>>,
}

impl Wire {
    fn read(self) -> Result<Environment, String> {
        let Self { name: id, location, properties } = self;
        // An answer without them says neither that there is no organisation nor that there is no link.
        let properties = properties.ok_or("it has no `properties`")?;
        let governance = properties.governance_configuration.unwrap_or_default();
        let States { management, runtime } = properties.states.unwrap_or_default();
        let (runtime, runtime_reason) = runtime.map(|it| (it.id, it.runtime_reason_code)).unwrap_or_default();
        Ok(Environment {
            id,
            location,
            tenant: properties.tenant_id,
            display_name: properties.display_name,
            azure_region: properties.azure_region,
            sku: properties.environment_sku,
            is_default: properties.is_default,
            created: properties.created_time.and_then(|text| text.parse().ok()),
            protection_level: governance.protection_level,
            extended_settings: governance.settings.and_then(|settings| settings.extended_settings),
            group: properties.parent_environment_group.and_then(|group| group.id).filter(|id| !id.is_empty()),
            dataverse: properties.linked_environment_metadata,
            management: management.and_then(|state| state.id),
            runtime,
            runtime_reason,
            links: Links::read(properties.enterprise_policies)?,
        })
    }
}

impl WirePublished {
    fn read(self) -> Result<Published, String> {
        Ok(Published {
            id: self.id,
            tenant: self.tenant_id,
            display_name: self.display_name,
            sku: self.sku,
            state: self.state,
            geo: self.geo.filter(|geo| !geo.is_empty()),
            azure_region: self.azure_region.filter(|region| !region.is_empty()),
            protection_level: self.protection_level,
            group: self.environment_group_id.filter(|id| !id.is_empty()),
            dataverse_url: self.url,
            links: Links::read(self.enterprise_policies)?,
        })
    }
}

/// All environments of the tenant: the whole list or an error. `GET …/scopes/admin/environments`
pub async fn list(reader: &Reader) -> Result<Vec<Environment>, CallError> {
    let (wires, answer) = pages::<Wire>(reader, Call::of(&ADMIN_LIST_ENVIRONMENTS), Paging::Links).await?;
    let unreadable = |detail: String| answer.unreadable(&detail);
    let all: Vec<Environment> =
        wires.into_iter().map(|wire| wire.read().map_err(unreadable)).collect::<Result<_, _>>()?;
    once(&all, |environment| &environment.id).map_err(unreadable)?;
    Ok(all)
}

/// One environment. That the service doesn't find it is an error, too: see [`may_be_hidden`](super::may_be_hidden).
/// `GET …/scopes/admin/environments/{id}`
pub async fn get(reader: &Reader, id: &EnvironmentId) -> Result<Environment, CallError> {
    let answer = reader.send(named(Call::of(&ADMIN_GET_ENVIRONMENT), id)).await?;
    answer.json::<Wire>()?.read().map_err(|detail| answer.unreadable(&detail))
}

/// All environments by the published contract: the whole list or an error. `GET /environmentmanagement/environments`
pub async fn list_published(reader: &Reader) -> Result<Vec<Published>, CallError> {
    let (wires, answer) = pages::<WirePublished>(reader, Call::of(&PLATFORM_LIST_ENVIRONMENTS), Paging::Links).await?;
    let unreadable = |detail: String| answer.unreadable(&detail);
    let mut all: Vec<Published> =
        wires.into_iter().map(|wire| wire.read().map_err(unreadable)).collect::<Result<_, _>>()?;
    all.iter_mut().for_each(|environment| environment.links.scrub(&answer));
    once(&all, |environment| &environment.id).map_err(unreadable)?;
    Ok(all)
}

/// One environment by the published contract. The only place that tells why a link failed.
/// `GET /environmentmanagement/environments/{id}`
pub async fn get_published(reader: &Reader, id: &EnvironmentId) -> Result<Published, CallError> {
    let answer = reader.send(named(Call::of(&PLATFORM_GET_ENVIRONMENT), id)).await?;
    let mut published = answer.json::<WirePublished>()?.read().map_err(|detail| answer.unreadable(&detail))?;
    published.links.scrub(&answer);
    Ok(published)
}

/// Makes an environment a managed one; nothing but the protection level is asked for.
/// `POST /environmentmanagement/environments/{id}/governanceSetting/enableManaged`
pub async fn enable_managed(writer: &Writer, id: &EnvironmentId) -> Result<Started, CallError> {
    start(writer, named(Call::of(&PLATFORM_ENABLE_MANAGED), id)).await
}

/// Makes a managed environment an ordinary one. Refused while it uses what only managed ones have.
/// `POST /environmentmanagement/environments/{id}/governanceSetting/disableManaged`
pub async fn disable_managed(writer: &Writer, id: &EnvironmentId) -> Result<Started, CallError> {
    start(writer, named(Call::of(&PLATFORM_DISABLE_MANAGED), id)).await
}

pub(super) fn named<E>(call: Call<E>, id: &EnvironmentId) -> Call<E> {
    call.path("environmentId", id.as_str())
}

/// No environment may be listed twice: which of the two would it be?
fn once<T>(all: &[T], id: impl Fn(&T) -> &EnvironmentId) -> Result<(), String> {
    let mut ids: Vec<&EnvironmentId> = all.iter().map(id).collect();
    ids.sort_unstable();
    match ids.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(format!("it lists the environment {} twice", pair[0])),
        None => Ok(()),
    }
}
