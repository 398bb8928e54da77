//! Customer Insights - Data: environments, API access and its keys; roles, the Key Vault link and private links in files
//! of their own.
//!
//! Shapes: code model of library 1.0.8. No member is documented as required, so all are optional
//! here, and what is needed and missing makes the answer unreadable. Unknown members and unknown role names are kept
//! harmless. What must stay true: only a body that says so proves an absence; a bare 404 doesn't, since the service also
//! answers 404 to those who may not look.

mod key_vault;
mod private_links;
mod rbac;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::Value as Json;
use url::Url;
use uuid::Uuid;

use super::access::{Reader, Writer};
use super::call::Call;
use super::error::{CallError, Failure};
use super::operations::{
    ACTIVATE_API_SUBSCRIPTION, DEACTIVATE_API_SUBSCRIPTION, GET_API_SUBSCRIPTION, GET_INSTANCE, LIST_API_KEYS,
    LIST_INSTANCES, Operation, REGENERATE_PRIMARY_KEY, REGENERATE_SECONDARY_KEY, TRY_API_KEY,
};

use super::refusal::SUBSCRIPTION_KEY;
use crate::terms::Slot;
pub use key_vault::{AccessState, KeyVaultLink, SERVICE_APP, key_vault, link_key_vault, unlink_key_vault};
pub use private_links::{
    LinkEndpoint, PrivateLink, add_private_link, private_link, private_links, remove_private_link,
    validate_private_link,
};
pub use rbac::{
    RoleAssignment, delete_assignment, list_assignments, list_roles, my_principal, put_assignment, same_role,
};

/// What Microsoft's own clients send with a plain JSON object.
const BODY_TYPE: &str = "application/json-patch+json; charset=utf-8";

/// The header that carries a subscription key to the gateway.
const KEY_HEADER: &str = "Ocp-Apim-Subscription-Key";

/// The code that proves that API access is off.
const NO_SUBSCRIPTION: &str = "apiSubscriptionNotFound";

/// How to reach one environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// Its id.
    pub id: Uuid,
    /// Its scale unit; `None` where the service's own base serves it.
    pub scale_unit: Option<Url>,
}

/// One environment in the list of all, in the forms of the scale unit and of the gateway.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InstanceInfo {
    /// Its id. Some entries of the list are errors and have none.
    pub instance_id: Option<Uuid>,
    /// Display name; the service may leave it out of the list.
    pub name: Option<String>,
    /// The tenant. Only the scale-unit form tells it.
    pub tenant_id: Option<Uuid>,
    /// The regional address. Only the scale-unit form tells it.
    pub scale_unit_uri: Option<Url>,
}

/// One environment.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InstanceMetadata {
    /// Its id.
    pub instance_id: Option<Uuid>,
    /// Display name.
    pub name: Option<String>,
    /// `active`, or one of ten other states.
    pub provisioning_state: Option<String>,
    /// Region chosen at creation.
    pub region: Option<String>,
    /// Azure region of its scale unit.
    pub azure_region: Option<String>,
    /// The linked Dataverse organisation.
    pub cds_org_info: Option<CdsOrgInfo>,
    /// The Power Platform environment. The documented model lost this member in version 1.0.4 of the client library; a
    /// service that still sends it can contradict the configuration.
    pub bap_environment_id: Option<String>,
    /// When it was created, as the service writes it.
    created_utc: Option<String>,
}

impl InstanceMetadata {
    /// When it was created; none if the service doesn't tell, or not in a form that can be read.
    pub fn created(&self) -> Option<Timestamp> {
        self.created_utc.as_deref()?.parse().ok()
    }

    /// The address of the linked Dataverse organisation, if the service names one.
    pub fn dataverse(&self) -> Option<&str> {
        self.cds_org_info.as_ref()?.url.as_deref().filter(|url| !url.trim().is_empty())
    }
}

/// A Dataverse organisation.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CdsOrgInfo {
    /// Its address.
    pub url: Option<String>,
}

/// Whether API access is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiAccess {
    /// On.
    On,
    /// Off; the service said so.
    Off,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ApiSubscription {
    is_subscribed: Option<bool>,
    primary_key_regenerated_utc: Option<Timestamp>,
    secondary_key_regenerated_utc: Option<Timestamp>,
}

fn call<E>(operation: &'static Operation<E>, instance: &Instance) -> Call<E> {
    Call::of(operation).base(instance.scale_unit.as_ref()).path("instanceId", &instance.id.to_string())
}

/// All environments that the caller sees. `GET /instances`
///
/// Some entries of the list can be errors; they are skipped, so an environment that isn't in the result
/// isn't proven to be gone. A list that says two things of one environment says nothing.
pub async fn list_instances(reader: &Reader) -> Result<Vec<InstanceInfo>, CallError> {
    let answer = reader.send(Call::of(&LIST_INSTANCES)).await?;
    let entries: Vec<Json> = answer.json()?;
    let mut instances: Vec<InstanceInfo> = Vec::with_capacity(entries.len());
    let mut known: HashMap<Uuid, usize> = HashMap::new();
    for entry in entries {
        let Ok(info) = serde_json::from_value::<InstanceInfo>(entry) else { continue };
        match info.instance_id.and_then(|id| known.get(&id)).and_then(|index| instances.get(*index)) {
            Some(first) if *first == info => continue,
            Some(_) => {
                let id = info.instance_id.unwrap_or_default();
                return Err(answer.unreadable(&format!("it lists the environment {id} twice and contradicts itself")));
            }
            None => {}
        }
        known.extend(info.instance_id.map(|id| (id, instances.len())));
        instances.push(info);
    }
    Ok(instances)
}

/// One environment. `GET /instances/{instanceId}`
pub async fn get_instance(reader: &Reader, instance: &Instance) -> Result<InstanceMetadata, CallError> {
    let answer = reader.send(call(&GET_INSTANCE, instance)).await?;
    let metadata: InstanceMetadata = answer.json()?;
    match metadata.instance_id {
        Some(id) if id == instance.id => Ok(metadata),
        _ => Err(answer.unreadable("it describes another environment")),
    }
}

/// Whether API access is on. Not published: served by the emulator.
pub async fn api_access(reader: &Reader, instance: &Instance) -> Result<ApiAccess, CallError> {
    Ok(api_subscription(reader, instance).await?.0)
}

/// [`api_access`], and when the keys in force were made, as far as the service says.
pub async fn api_subscription(reader: &Reader, instance: &Instance) -> Result<(ApiAccess, Vec<Timestamp>), CallError> {
    let answer = match reader.send(call(&GET_API_SUBSCRIPTION, instance)).await {
        Err(error) if error.status() == Some(404) && error.code() == Some(NO_SUBSCRIPTION) => {
            return Ok((ApiAccess::Off, Vec::new()));
        }
        other => other?,
    };
    let ApiSubscription { is_subscribed, primary_key_regenerated_utc, secondary_key_regenerated_utc } =
        answer.json()?;
    let made = primary_key_regenerated_utc.into_iter().chain(secondary_key_regenerated_utc).collect();
    match is_subscribed {
        Some(true) => Ok((ApiAccess::On, made)),
        Some(false) => Ok((ApiAccess::Off, Vec::new())),
        None => Err(answer.unreadable("`isSubscribed` is missing")),
    }
}

/// The keys of the API subscription.
#[derive(Debug, Clone)]
pub struct ApiKeys {
    /// The primary key.
    pub primary: SecretString,
    /// The secondary key.
    pub secondary: SecretString,
}

impl ApiKeys {
    /// The key in a slot.
    pub fn get(&self, slot: Slot) -> &SecretString {
        match slot {
            Slot::Primary => &self.primary,
            Slot::Secondary => &self.secondary,
        }
    }
}

/// What the gateway made of a key.
#[derive(Debug, Clone)]
pub enum KeyCheck {
    /// It let the call through.
    Accepted,
    /// It said that the key isn't good.
    Refused,
    /// Something else went wrong, which says nothing about the key.
    Unknown(CallError),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Secrets {
    primary_key: Option<SecretString>,
    secondary_key: Option<SecretString>,
}

/// Both keys; `None` where the service says that API access is off.
/// `POST /instances/{instanceId}/manage/apisubscription/listsecrets`. Not published: served by the emulator, in
/// the form that API Management has for it.
pub async fn list_keys(reader: &Reader, instance: &Instance) -> Result<Option<ApiKeys>, CallError> {
    let answer = match reader.send(call(&LIST_API_KEYS, instance)).await {
        Err(error) if error.status() == Some(404) && error.code() == Some(NO_SUBSCRIPTION) => return Ok(None),
        other => other?,
    };
    let Secrets { primary_key, secondary_key } = answer.json()?;
    let whole = |key: Option<SecretString>| key.filter(|key| !key.expose_secret().is_empty());
    match (whole(primary_key), whole(secondary_key)) {
        (Some(primary), Some(secondary)) => Ok(Some(ApiKeys { primary, secondary })),
        _ => Err(answer.unreadable("a key is missing")),
    }
}

/// Makes a new key in one slot; what was there dies. The answer has no body: read the keys again.
/// `POST /instances/{instanceId}/manage/apisubscription/regenerateprimarykey` or `…/regeneratesecondarykey`. Not published.
pub async fn regenerate_key(writer: &Writer, instance: &Instance, slot: Slot) -> Result<(), CallError> {
    let operation = match slot {
        Slot::Primary => &REGENERATE_PRIMARY_KEY,
        Slot::Secondary => &REGENERATE_SECONDARY_KEY,
    };
    writer.send(call(operation, instance)).await?;
    Ok(())
}

/// Tries a key on a harmless call, the list of environments. `GET /v1/instances` on the gateway.
///
/// The gateway looks at the key before it looks at the token, and says so in words; so a success proves the
/// key good, and only a 401 with those words proves it dead. A 401 without them may be about the token.
pub async fn check_key(reader: &Reader, key: &SecretString) -> KeyCheck {
    match reader.send(Call::of(&TRY_API_KEY).secret_header(KEY_HEADER, key)).await {
        Ok(_) => KeyCheck::Accepted,
        Err(error) => match &error.failure {
            // Without it, the refusal may be about the token that went with the call.
            Failure::Status { status: 401, inner: Some(inner), .. } if inner == SUBSCRIPTION_KEY => KeyCheck::Refused,
            _ => KeyCheck::Unknown(error),
        },
    }
}

/// Turns API access on. Not published.
pub async fn activate_api_access(writer: &Writer, instance: &Instance) -> Result<(), CallError> {
    writer.send(call(&ACTIVATE_API_SUBSCRIPTION, instance)).await?;
    Ok(())
}

/// Turns API access off, for every client. Not published.
pub async fn deactivate_api_access(writer: &Writer, instance: &Instance) -> Result<(), CallError> {
    writer.send(call(&DEACTIVATE_API_SUBSCRIPTION, instance)).await?;
    Ok(())
}
