//! Private endpoint connections, on the side of the resource that they lead to.
//!
//! Three providers, one shape: what differs is inside. Storage answers at once; a vault answers and then goes on updating;
//! Synapse answers with a long-running operation. What must stay true: only a connection that was read as pending can be
//! approved (approving is not idempotent, and Rejected is terminal), which [`Connection::pending`] makes sure of; a name
//! proves nothing, as anyone can ask for a connection under any name, so the full id of the endpoint is always at hand.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::access::{Reader, Writer};
use super::arm::{self, LongRunning, Progress};
use super::call::Call;
use super::error::CallError;
use super::operations::{
    Operation, Read, STORAGE_DELETE_CONNECTION, STORAGE_GET_CONNECTION, STORAGE_LIST_CONNECTIONS,
    STORAGE_PUT_CONNECTION, SYNAPSE_DELETE_CONNECTION, SYNAPSE_GET_CONNECTION, SYNAPSE_LIST_CONNECTIONS,
    SYNAPSE_PUT_CONNECTION, VAULT_DELETE_CONNECTION, VAULT_GET_CONNECTION, VAULT_LIST_CONNECTIONS,
    VAULT_PUT_CONNECTION, Write,
};
use crate::terms::text::brief;
use crate::terms::{ResourceId, resource_kinds};

/// A resource that private endpoints can lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    id: ResourceId,
    provider: Provider,
}

/// Who serves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    /// A storage account.
    Storage,
    /// A Synapse workspace.
    Synapse,
    /// A key vault.
    KeyVault,
}

/// The calls of one provider.
struct Calls {
    kind: &'static str,
    /// The parameter of the path that the resource's name goes into.
    name: &'static str,
    list: &'static Operation<Read>,
    get: &'static Operation<Read>,
    put: &'static Operation<Write>,
    delete: &'static Operation<Write>,
}

const STORAGE: Calls = Calls {
    kind: resource_kinds::STORAGE_ACCOUNT,
    name: "accountName",
    list: &STORAGE_LIST_CONNECTIONS,
    get: &STORAGE_GET_CONNECTION,
    put: &STORAGE_PUT_CONNECTION,
    delete: &STORAGE_DELETE_CONNECTION,
};
const SYNAPSE: Calls = Calls {
    kind: resource_kinds::SYNAPSE_WORKSPACE,
    name: "workspaceName",
    list: &SYNAPSE_LIST_CONNECTIONS,
    get: &SYNAPSE_GET_CONNECTION,
    put: &SYNAPSE_PUT_CONNECTION,
    delete: &SYNAPSE_DELETE_CONNECTION,
};
const KEY_VAULT: Calls = Calls {
    kind: resource_kinds::VAULT,
    name: "vaultName",
    list: &VAULT_LIST_CONNECTIONS,
    get: &VAULT_GET_CONNECTION,
    put: &VAULT_PUT_CONNECTION,
    delete: &VAULT_DELETE_CONNECTION,
};

impl Provider {
    const fn calls(self) -> &'static Calls {
        match self {
            Self::Storage => &STORAGE,
            Self::Synapse => &SYNAPSE,
            Self::KeyVault => &KEY_VAULT,
        }
    }
}

impl Target {
    /// The target with this id, if private endpoints of such a resource are known here.
    pub fn of(id: &ResourceId) -> Option<Self> {
        let known = [Provider::Storage, Provider::Synapse, Provider::KeyVault];
        let provider = known.into_iter().find(|provider| id.is_kind(provider.calls().kind))?;
        Some(Self { id: id.clone(), provider })
    }

    /// Its id.
    pub fn id(&self) -> &ResourceId {
        &self.id
    }

    /// Who serves it.
    pub fn provider(&self) -> Provider {
        self.provider
    }

    fn call<E>(&self, operation: &'static Operation<E>) -> Call<E> {
        addressed(Call::of(operation), &self.id, self.provider.calls().name)
    }

    fn one<E>(&self, operation: &'static Operation<E>, connection: &str) -> Call<E> {
        self.call(operation).path("privateEndpointConnectionName", connection)
    }
}

/// Fills subscription, resource group and name of a resource.
pub(super) fn addressed<E>(call: Call<E>, id: &ResourceId, name: &str) -> Call<E> {
    call.path("subscriptionId", &id.subscription().to_string())
        .path("resourceGroupName", id.resource_group())
        .path(name, id.name())
}

/// A private endpoint connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Its name, such as `contosolake.6f2b…`. Chosen by Azure.
    pub name: String,
    /// The full id of the endpoint that asks for the connection; none if the service named none that is an ARM id.
    pub endpoint: Option<ResourceId>,
    /// Where it stands.
    pub status: Status,
    /// Whatever its maker, or whoever approved it, wrote. Proves nothing.
    pub description: String,
    /// `Succeeded` when the service is at rest; others while it works, and after it failed.
    pub provisioning_state: Option<String>,
}

/// Where a connection stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Status {
    /// Somebody has to decide.
    Pending,
    /// Open.
    Approved,
    /// Refused, for good: a new connection has to be made.
    Rejected,
    /// Cut off.
    Disconnected,
    /// A word that isn't known here.
    Other(String),
}

impl From<String> for Status {
    fn from(word: String) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "pending" => Self::Pending,
            "approved" => Self::Approved,
            "rejected" => Self::Rejected,
            "disconnected" => Self::Disconnected,
            _ => Self::Other(word),
        }
    }
}

impl From<Status> for String {
    fn from(status: Status) -> Self {
        status.to_string()
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Pending => "Pending",
            Self::Approved => "Approved",
            Self::Rejected => "Rejected",
            Self::Disconnected => "Disconnected",
            Self::Other(word) => word,
        })
    }
}

/// A connection that was read as pending, with a known endpoint: the only kind that can be approved.
#[derive(Debug, Clone, Copy)]
pub struct Pending<'c> {
    name: &'c str,
}

impl Connection {
    /// This connection, if it can be approved.
    pub fn pending(&self) -> Option<Pending<'_>> {
        (self.status == Status::Pending && self.endpoint.is_some() && self.is_settled())
            .then_some(Pending { name: &self.name })
    }

    /// Whether the service is at rest with it.
    pub fn is_settled(&self) -> bool {
        let state = self.provisioning_state.as_deref().unwrap_or("Succeeded");
        ["succeeded", "ready", "failed", "disconnected"].iter().any(|word| state.eq_ignore_ascii_case(word))
    }
}

/// A connection as the providers write it. All members optional: what is needed and missing makes the answer unreadable.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Wire {
    id: Option<String>,
    name: Option<String>,
    #[serde(default)]
    properties: WireProperties,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WireProperties {
    private_endpoint: Option<WireEndpoint>,
    private_link_service_connection_state: Option<WireState>,
    provisioning_state: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct WireEndpoint {
    id: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct WireState {
    status: Option<String>,
    description: Option<String>,
}

const HALF: &str = "a private endpoint connection lacks its name or its status";

impl Wire {
    /// Items inside a vault have no name of their own; the last segment of the id is it.
    fn read(self, resource: &ResourceId) -> Result<Connection, String> {
        let Self { id, name, properties } = self;
        let WireProperties { private_endpoint, private_link_service_connection_state: state, provisioning_state } =
            properties;
        let named = id.as_deref().and_then(|id| id.rsplit('/').next()).map(str::to_owned);
        let name = name.or(named).filter(|name| !name.is_empty()).ok_or(HALF)?;
        let expected = format!("{resource}/privateEndpointConnections/{name}");
        if let Some(other) = id.filter(|id| id.to_lowercase() != expected.to_lowercase()) {
            return Err(format!("a private endpoint connection has the id of another one, `{}`", brief(&other)));
        }
        let WireState { status, description } = state.ok_or(HALF)?;
        Ok(Connection {
            name,
            endpoint: private_endpoint.and_then(|endpoint| endpoint.id?.parse().ok()),
            status: Status::from(status.ok_or(HALF)?),
            description: description.unwrap_or_default(),
            provisioning_state,
        })
    }
}

/// All connections of a resource, each once, wherever they are listed: on their own or within the resource. A list that
/// says two things of one connection says nothing.
pub(super) fn connections(resource: &ResourceId, wires: Vec<Wire>) -> Result<Vec<Connection>, String> {
    let mut all: Vec<Connection> = Vec::with_capacity(wires.len());
    for wire in wires {
        let connection = wire.read(resource)?;
        match all.iter().find(|known| known.name.eq_ignore_ascii_case(&connection.name)) {
            None => all.push(connection),
            Some(known) if Connection { name: known.name.clone(), ..connection.clone() } == *known => {}
            Some(known) => {
                let name = brief(&known.name);
                return Err(format!("it lists the private endpoint connection {name} twice and contradicts itself"));
            }
        }
    }
    Ok(all)
}

/// All connections of a resource, whoever made them: the whole list or an error.
/// `GET {resource}/privateEndpointConnections`
pub async fn list(reader: &Reader, target: &Target) -> Result<Vec<Connection>, CallError> {
    let operation = target.provider.calls().list;
    let wires: Vec<Wire> = arm::list(reader, target.call(operation)).await?;
    connections(&target.id, wires).map_err(|detail| CallError::unreadable(operation.facts(), &detail))
}

/// One connection; none if ARM says that there is none. `GET {resource}/privateEndpointConnections/{name}`
pub async fn get(reader: &Reader, target: &Target, name: &str) -> Result<Option<Connection>, CallError> {
    let outcome = reader.send(target.one(target.provider.calls().get, name)).await;
    let Some(answer) = arm::found(outcome)? else { return Ok(None) };
    // Key Vault's own way of saying so.
    if answer.status == http::StatusCode::NO_CONTENT {
        return Ok(None);
    }
    let connection = answer.json::<Wire>()?.read(&target.id).map_err(|detail| answer.unreadable(&detail))?;
    match connection.name.eq_ignore_ascii_case(name) {
        true => Ok(Some(connection)),
        false => Err(answer.unreadable(&format!("it is about the connection {}", brief(&connection.name)))),
    }
}

/// Approves a pending connection. `PUT {resource}/privateEndpointConnections/{name}`
///
/// A 400 means that it was no longer pending: read again. What was accepted may still go on: [`settle`].
pub async fn approve(
    writer: &Writer,
    target: &Target,
    pending: Pending<'_>,
    description: &str,
) -> Result<LongRunning, CallError> {
    // Without the endpoint's id, which is read-only: it is what Microsoft's own clients send.
    let state = json!({ "status": "Approved", "description": description });
    let body = json!({ "properties": { "privateLinkServiceConnectionState": state } });
    let call = target.one(target.provider.calls().put, pending.name).json(arm::JSON, &body);
    Ok(LongRunning::of(&writer.send(call).await?))
}

/// Cuts a connection off. `DELETE {resource}/privateEndpointConnections/{name}`
pub async fn remove(writer: &Writer, target: &Target, name: &str) -> Result<LongRunning, CallError> {
    Ok(LongRunning::of(&writer.send(target.one(target.provider.calls().delete, name)).await?))
}

/// Waits until an approval or a removal has ended, no longer than `patience`.
pub async fn settle(
    reader: &Reader,
    target: &Target,
    name: &str,
    operation: &mut LongRunning,
    patience: Duration,
) -> Result<Progress, CallError> {
    let state = async |reader: &Reader| Ok(get(reader, target, name).await?.and_then(|c| c.provisioning_state));
    arm::wait(reader, operation, patience, state).await
}
