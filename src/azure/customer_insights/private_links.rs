//! The private links of an environment, on the side of Customer Insights. Not
//! published: the emulator serves these operations, a person does what they do in a real tenant.
//!
//! Words: a *link* leads to one resource and consists of several *endpoints*; each asks for a private endpoint connection
//! on the Azure side, where somebody has to approve it.

use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::key_vault::NOT_FOUND;
use super::{BODY_TYPE, Instance, call};
use crate::azure::access::{Reader, Writer};
use crate::azure::error::CallError;
use crate::azure::operations::{
    ADD_PRIVATE_LINK, DELETE_PRIVATE_LINK, GET_PRIVATE_LINK, LIST_PRIVATE_LINKS, VALIDATE_PRIVATE_LINK,
};
use crate::azure::private_endpoints::Status;
use crate::terms::{ResourceId, text::brief};

/// A private link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrivateLink {
    /// Its id.
    pub id: String,
    /// The resource. Customer Insights tells its type, subscription, resource group and name; this is the id that they make.
    pub resource: ResourceId,
    /// Whether somebody agreed to the data privacy terms.
    pub consent_accepted: Option<bool>,
    /// Whether it was last found to work.
    pub is_validated: Option<bool>,
    /// Its endpoints.
    pub endpoints: Vec<LinkEndpoint>,
}

/// One endpoint of a private link.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LinkEndpoint {
    /// Its name, such as `pe-contosolake-blob`.
    pub name: String,
    /// `blob`, `blobForSynapse`, `dfs`, `dfsForSynapse` …
    pub sub_resource_type: String,
    /// Where it stands.
    pub status: Status,
}

impl LinkEndpoint {
    /// Whether a private endpoint could be this one, by its name: the very name, or, where a Synapse network made it, the
    /// network's name, a dot and the name. Names can be made by anyone, so this finds candidates and proves nothing.
    pub fn could_be(&self, endpoint: &ResourceId) -> bool {
        let (ours, theirs) = (self.name.to_lowercase(), endpoint.name().to_lowercase());
        let front = theirs.strip_suffix(&ours);
        endpoint.is_kind("Microsoft.Network/privateEndpoints")
            && front.is_some_and(|front| front.is_empty() || front.ends_with('.'))
    }
}

/// The types of resources, here and in Azure.
const TYPES: [(&str, &str); 2] =
    [("storageAccount", "Microsoft.Storage/storageAccounts"), ("synapseWorkspace", "Microsoft.Synapse/workspaces")];

/// `PrivateLinkMetadata`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    private_link_id: Option<String>,
    resource_type: Option<String>,
    resource_name: Option<String>,
    subscription_id: Option<Uuid>,
    resource_group: Option<String>,
    consent_accepted: Option<bool>,
    is_validated: Option<bool>,
    endpoints: Option<Vec<LinkEndpoint>>,
}

impl Wire {
    fn read(self) -> Option<PrivateLink> {
        let named = self.resource_type?;
        let (_, kind) = TYPES.iter().find(|(ours, _)| named.eq_ignore_ascii_case(ours))?;
        let group = self.resource_group?;
        Some(PrivateLink {
            id: self.private_link_id?,
            resource: ResourceId::in_group(self.subscription_id?, &group, kind, &self.resource_name?).ok()?,
            consent_accepted: self.consent_accepted,
            is_validated: self.is_validated,
            endpoints: self.endpoints?,
        })
    }
}

const HALF: &str = "it doesn't say where a private link leads";

/// All private links: the whole list or an error. `GET …/manage/privatelinks`
pub async fn private_links(reader: &Reader, instance: &Instance) -> Result<Vec<PrivateLink>, CallError> {
    let answer = reader.send(call(&LIST_PRIVATE_LINKS, instance)).await?;
    let wires: Vec<Wire> = answer.json()?;
    let mut links: Vec<PrivateLink> = Vec::with_capacity(wires.len());
    for wire in wires {
        // A link of a type that isn't known here makes the list unreadable on purpose: `match: exact` must not overlook it.
        let link = wire.read().ok_or_else(|| answer.unreadable(HALF))?;
        match links.iter().find(|known| known.id == link.id) {
            None => links.push(link),
            Some(known) if *known == link => {}
            Some(_) => {
                let id = brief(&link.id);
                return Err(answer.unreadable(&format!("it lists the private link {id} twice and contradicts itself")));
            }
        }
    }
    Ok(links)
}

/// One private link; none if the service says that there is none. `GET …/manage/privatelinks/{privateLinkId}`
pub async fn private_link(reader: &Reader, instance: &Instance, id: &str) -> Result<Option<PrivateLink>, CallError> {
    let answer = match reader.send(call(&GET_PRIVATE_LINK, instance).path("privateLinkId", id)).await {
        Err(error) if error.status() == Some(404) && error.code() == Some(NOT_FOUND) => return Ok(None),
        other => other?,
    };
    answer.json::<Wire>()?.read().map(Some).ok_or_else(|| answer.unreadable(HALF))
}

/// Adds a private link to a storage account or a Synapse workspace; `None` if it can't lead to such a resource.
/// `POST …/manage/privatelinks`
///
/// Sends the consent to the data privacy terms: only for a configuration that records one. Its connections are pending then.
pub async fn add_private_link(
    writer: &Writer,
    instance: &Instance,
    resource: &ResourceId,
) -> Result<Option<PrivateLink>, CallError> {
    let Some((named, _)) = TYPES.iter().find(|(_, kind)| resource.is_kind(kind)) else { return Ok(None) };
    let body = json!({
        "resourceType": named,
        "resourceName": resource.name(),
        "subscriptionId": resource.subscription(),
        "resourceGroup": resource.resource_group(),
        "consentAccepted": true,
    });
    let answer = writer.send(call(&ADD_PRIVATE_LINK, instance).json(BODY_TYPE, &body)).await?;
    let link = answer.json::<Wire>()?.read().ok_or_else(|| answer.unreadable(HALF))?;
    match link.resource == *resource {
        true => Ok(Some(link)),
        false => Err(answer.unreadable(&format!("it is about a link to {}", link.resource))),
    }
}

/// Removes a private link. Whether its connections on the Azure side go with it isn't known: look there.
/// `DELETE …/manage/privatelinks/{privateLinkId}`
pub async fn remove_private_link(writer: &Writer, instance: &Instance, id: &str) -> Result<(), CallError> {
    writer.send(call(&DELETE_PRIVATE_LINK, instance).path("privateLinkId", id)).await?;
    Ok(())
}

/// Has a private link checked: whether all of its connections are approved and have taken effect, which can take minutes.
/// `POST …/manage/privatelinks/{privateLinkId}/validate`
pub async fn validate_private_link(writer: &Writer, instance: &Instance, id: &str) -> Result<bool, CallError> {
    writer.send(call(&VALIDATE_PRIVATE_LINK, instance).path("privateLinkId", id)).await?.json()
}
