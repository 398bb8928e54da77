//! Synapse workspaces.

use serde::Deserialize;

use super::access::Reader;
use super::arm;
use super::call::Call;
use super::error::CallError;
use super::operations::{SYNAPSE_GET_WORKSPACE, SYNAPSE_LIST, SYNAPSE_LIST_IN_GROUP};
use super::private_endpoints::{Connection, Wire, addressed, connections};
use super::storage::PublicNetworkAccess;
use crate::terms::{AzureScope, ResourceId};

/// A Synapse workspace.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// Its id as the service spells it.
    pub id: ResourceId,
    /// Azure region.
    pub location: String,
    /// Whether it is reached over the internet.
    pub public_network_access: PublicNetworkAccess,
    /// Whether it has a virtual network of its own.
    pub has_managed_network: bool,
    /// `Succeeded` when the service is at rest.
    pub provisioning_state: Option<String>,
    /// All private endpoint connections, whoever made them.
    pub connections: Vec<Connection>,
}

#[derive(Deserialize)]
struct WireWorkspace {
    id: ResourceId,
    location: String,
    properties: WireProperties,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireProperties {
    public_network_access: Option<String>,
    managed_virtual_network: Option<String>,
    provisioning_state: Option<String>,
    private_endpoint_connections: Option<Vec<Wire>>,
}

impl WireWorkspace {
    fn read(self) -> Result<Workspace, String> {
        let Self { id, location, properties } = self;
        // A workspace that has none may leave the member out.
        let connections = connections(&id, properties.private_endpoint_connections.unwrap_or_default())?;
        Ok(Workspace {
            id,
            location,
            public_network_access: PublicNetworkAccess::read(properties.public_network_access.as_deref()),
            has_managed_network: properties.managed_virtual_network.is_some_and(|name| !name.is_empty()),
            provisioning_state: properties.provisioning_state,
            connections,
        })
    }
}

/// One workspace with its connections; none if ARM says that there is none. `GET …/workspaces/{name}`
pub async fn get(reader: &Reader, id: &ResourceId) -> Result<Option<Workspace>, CallError> {
    let outcome = reader.send(addressed(Call::of(&SYNAPSE_GET_WORKSPACE), id, "workspaceName")).await;
    let Some(answer) = arm::found(outcome)? else { return Ok(None) };
    answer.json::<WireWorkspace>()?.read().map(Some).map_err(|detail| answer.unreadable(&detail))
}

/// All workspaces of a subscription or a resource group that the caller sees: the whole list or an error. `GET …/workspaces`
pub async fn list(reader: &Reader, scope: &AzureScope) -> Result<Vec<Workspace>, CallError> {
    let (operation, call) = match scope {
        AzureScope::Subscription(subscription) => {
            (&SYNAPSE_LIST, Call::of(&SYNAPSE_LIST).path("subscriptionId", &subscription.to_string()))
        }
        AzureScope::Group { subscription, group } => {
            let call = Call::of(&SYNAPSE_LIST_IN_GROUP).path("subscriptionId", &subscription.to_string());
            (&SYNAPSE_LIST_IN_GROUP, call.path("resourceGroupName", group))
        }
        AzureScope::Resource(id) => return Ok(get(reader, id).await?.into_iter().collect()),
    };
    let workspaces: Vec<WireWorkspace> = arm::list(reader, call).await?;
    let read = |wire: WireWorkspace| wire.read().map_err(|detail| CallError::unreadable(operation.facts(), &detail));
    workspaces.into_iter().map(read).collect()
}
