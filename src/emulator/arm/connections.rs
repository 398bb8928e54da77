//! Private endpoint connections in the dialects of the providers.
//!
//! What must stay true: nothing here creates a connection (endpoints do, on somebody else's side); approving is not
//! idempotent, and Rejected is terminal; the connections inside a resource are the same ones as below it.

use http::{Method, StatusCode};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::error::ArmError;
use super::long_running::{self, Places};
use super::page::page;
use super::{Target, Visit, only};
use crate::emulator::call::Answer;
use crate::emulator::seed::derived_id;
use crate::emulator::world::{Connection, ConnectionChange, ConnectionStatus, Decision, Look, Work, World};

/// How a provider speaks of its connections.
pub(super) struct Dialect {
    /// The full type of the resources that have them.
    pub(super) kind: &'static str,
    /// The third member of the state.
    third: &'static str,
    style: Style,
}

/// How a provider goes about a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// It is done with the answer.
    AtOnce,
    /// It answers, and the connection is `Updating` for a while.
    Updating,
    /// It announces a long-running operation.
    LongRunning,
}

pub(super) const STORAGE: Dialect =
    Dialect { kind: "Microsoft.Storage/storageAccounts", third: "actionRequired", style: Style::AtOnce };
pub(super) const SYNAPSE: Dialect =
    Dialect { kind: "Microsoft.Synapse/workspaces", third: "actionsRequired", style: Style::LongRunning };
pub(super) const KEY_VAULT: Dialect =
    Dialect { kind: "Microsoft.KeyVault/vaults", third: "actionsRequired", style: Style::Updating };

impl Dialect {
    fn state(&self, work: Work) -> &'static str {
        match (work, self.style) {
            (Work::Rests, _) => "Succeeded",
            (Work::Decides, Style::Updating) => "Updating",
            (Work::Decides, _) => "Provisioning",
            (Work::Removes, _) => "Deleting",
            (Work::Failed, _) => "Failed",
        }
    }

    /// One connection on the wire.
    fn item(&self, owner: &str, connection: &Connection, look: &Look<'_>, state: &str) -> Value {
        let name = &connection.name;
        json!({
            "id": format!("{owner}/privateEndpointConnections/{name}"),
            "name": name,
            "type": format!("{}/privateEndpointConnections", self.kind),
            "properties": {
                "privateEndpoint": { "id": connection.private_endpoint },
                "privateLinkServiceConnectionState": {
                    "status": look.status.as_str(),
                    "description": look.description,
                    self.third: "None",
                },
                "provisioningState": state,
            },
        })
    }

    /// The connections as the resource itself shows them. Inside a vault they have an etag, and neither name nor type.
    pub(super) fn embedded(&self, owner: &str, connections: &[Connection], now: Timestamp) -> Vec<Value> {
        let mut items = self.items(owner, connections, now);
        if self.style == Style::Updating {
            for members in items.iter_mut().filter_map(Value::as_object_mut) {
                let etag = derived_id(Uuid::nil(), "etag", &json!(members).to_string()).simple().to_string();
                members.retain(|name, _| name != "name" && name != "type");
                members.insert("etag".to_owned(), json!(etag));
            }
        }
        items
    }

    fn items(&self, owner: &str, connections: &[Connection], now: Timestamp) -> Vec<Value> {
        let seen = connections.iter().filter_map(|c| Some((c, c.at(now)?)));
        seen.map(|(c, look)| self.item(owner, c, &look, self.state(look.work))).collect()
    }
}

impl World {
    /// The id and the connections of the resource with this id, if it is one that has connections.
    pub(crate) fn connections(&self, id: &str) -> Option<(&str, &[Connection])> {
        let name = id.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        let account = self.storage_accounts.get(&name).map(|a| (a.id.as_str(), a.connections.as_slice()));
        let workspace = self.synapse_workspaces.get(&name).map(|w| (w.id.as_str(), w.connections.as_slice()));
        let vault = self.vaults.get(&name).map(|v| (v.id.as_str(), v.connections.as_slice()));
        [account, workspace, vault].into_iter().flatten().find(|(known, _)| known.eq_ignore_ascii_case(id))
    }

    /// The same for changing. What is over by `now` has become part of them, and what is removed is gone.
    pub(crate) fn connections_mut(&mut self, id: &str, now: Timestamp) -> Option<(String, &mut Vec<Connection>)> {
        let name = id.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        let account = self.storage_accounts.get_mut(&name).map(|a| (&a.id, &mut a.connections));
        let workspace = self.synapse_workspaces.get_mut(&name).map(|w| (&w.id, &mut w.connections));
        let vault = self.vaults.get_mut(&name).map(|v| (&v.id, &mut v.connections));
        let found = [account, workspace, vault].into_iter().flatten().find(|(known, _)| known.eq_ignore_ascii_case(id));
        let (id, connections) = found?;
        *connections = connections.drain(..).filter_map(|c| c.settled(now)).collect();
        Some((id.clone(), connections))
    }
}

/// The routes `{resource}/privateEndpointConnections[/{name}]`.
pub(super) fn serve(
    visit: &Visit<'_>,
    target: &Target<'_>,
    dialect: &Dialect,
    owner: &str,
    name: Option<&str>,
) -> Result<Answer, ArmError> {
    let id = target.resource(dialect.kind, owner);
    let scene = Scene { visit, target, dialect, owner: &id };
    match (name, &visit.call.method) {
        (None, method) => {
            only(visit.call, &[Method::GET])?;
            debug_assert_eq!(method, Method::GET);
            visit.read(|world| scene.list(world))
        }
        (Some(name), &Method::PUT) => visit.change(|world| scene.decide(world, name)),
        (Some(name), &Method::DELETE) => visit.change(|world| scene.remove(world, name)),
        (Some(name), _) => {
            only(visit.call, &[Method::GET, Method::PUT, Method::DELETE])?;
            visit.read(|world| scene.get(world, name))
        }
    }
}

/// A call about the connections of one resource.
struct Scene<'a> {
    visit: &'a Visit<'a>,
    target: &'a Target<'a>,
    dialect: &'a Dialect,
    /// Id of the resource, as asked for.
    owner: &'a str,
}

impl Scene<'_> {
    fn require(&self, world: &World, action: &str, name: Option<&str>) -> Result<(), ArmError> {
        let scope =
            name.map_or_else(|| self.owner.to_owned(), |n| format!("{}/privateEndpointConnections/{n}", self.owner));
        self.visit.require(world, &format!("{}/privateEndpointConnections/{action}", self.dialect.kind), &scope)?;
        self.visit.group(world, self.target).map(|_| ())
    }

    fn owner_missing(&self) -> ArmError {
        let name = self.owner.rsplit('/').next().unwrap_or_default();
        ArmError::resource_not_found(self.dialect.kind, name, self.target.group.unwrap_or_default())
    }

    fn missing(&self, name: &str) -> ArmError {
        let kind = format!("{}/privateEndpointConnections", self.dialect.kind);
        ArmError::resource_not_found(&kind, name, self.target.group.unwrap_or_default())
    }

    fn list(&self, world: &World) -> Result<Answer, ArmError> {
        self.require(world, "read", None)?;
        let (owner, connections) = world.connections(self.owner).ok_or_else(|| self.owner_missing())?;
        let items = self.dialect.items(owner, connections, self.visit.now);
        match self.dialect.style {
            // This list has no pages.
            Style::AtOnce => Ok(Answer::ok(json!({ "value": items }))),
            _ => page(self.visit, items, world.behaviour.empty_first_pages),
        }
    }

    /// Of an absent one of a vault, 204 is documented, too; chosen: 404, as everywhere else.
    fn get(&self, world: &World, name: &str) -> Result<Answer, ArmError> {
        self.require(world, "read", Some(name))?;
        let (owner, connections) = world.connections(self.owner).ok_or_else(|| self.owner_missing())?;
        let found = connections.iter().find(|c| c.name.eq_ignore_ascii_case(name));
        let seen = found.and_then(|c| Some((c, c.at(self.visit.now)?)));
        let (connection, look) = seen.ok_or_else(|| self.missing(name))?;
        let state = self.dialect.state(look.work);
        Ok(Answer::ok(self.dialect.item(owner, connection, &look, state)))
    }

    /// Approves or rejects. The right to approve is asked for and the one to write the connection. For storage accounts the
    /// product promises that the first one does, so there the second one is asked for only by knob.
    fn decide(&self, world: &mut World, name: &str) -> Result<Answer, ArmError> {
        let approval = format!("{}/PrivateEndpointConnectionsApproval/action", self.dialect.kind);
        let caller = self.visit.caller;
        let approves = self.visit.require(world, &approval, self.owner).is_ok();
        let suffices = self.dialect.style == Style::AtOnce && !world.behaviour.approval_needs_write_right;
        match approves && suffices {
            true => drop(self.visit.group(world, self.target)?),
            false => self.require(world, "write", Some(name))?,
        }
        if !approves {
            // Being about the resource that the endpoint leads to, it is refused as a linked one.
            return Err(ArmError::not_linked(caller, &approval, self.owner));
        }
        let body = self.visit.body()?;
        let now = self.visit.now;
        let (id, _) = world.connections_mut(self.owner, now).ok_or_else(|| self.owner_missing())?;
        let connection = Self::find(world, &id, name, now).ok_or_else(|| self.missing(name))?;
        let decision = decision(&body, connection)?;
        if connection.change.as_ref().is_some_and(|c| now < c.ends) {
            return Err(ArmError::busy());
        }
        if self.dialect.style == Style::AtOnce {
            (connection.status, connection.description) = (decision.status, decision.description);
            connection.decided = Some(now);
            let look = connection.at(now).ok_or_else(|| self.missing(name))?;
            return Ok(Answer::ok(self.dialect.item(&id, connection, &look, "Succeeded")));
        }
        let (operation, noted) = long_running::begin(world, &format!("{id}/privateEndpointConnections/{name}"), now);
        let change = ConnectionChange { operation, to: Some(decision), ends: noted.ends, fails: noted.fails };
        let connection = Self::find(world, &id, name, now).ok_or_else(|| self.missing(name))?;
        connection.change = Some(change);
        // The answer is from before the service went to work, however soon that is over.
        let mut begun = connection.clone();
        if let Some(change) = begun.change.as_mut() {
            (change.ends, change.fails) = (Timestamp::MAX, false);
        }
        let look = begun.at(now).ok_or_else(|| self.missing(name))?;
        let item = self.dialect.item(&id, &begun, &look, self.dialect.state(Work::Decides));
        Ok(match self.dialect.style {
            Style::LongRunning => {
                let answer = Answer::json(StatusCode::CREATED, item);
                long_running::announce(self.visit, answer, &self.places(world, &id), operation, noted.ends)
            }
            _ => Answer::ok(item),
        })
    }

    fn remove(&self, world: &mut World, name: &str) -> Result<Answer, ArmError> {
        self.require(world, "delete", Some(name))?;
        let now = self.visit.now;
        let (id, connections) = world.connections_mut(self.owner, now).ok_or_else(|| self.owner_missing())?;
        let Some(connection) = connections.iter().find(|c| c.name.eq_ignore_ascii_case(name)) else {
            return Ok(Answer::empty(StatusCode::NO_CONTENT));
        };
        if connection.change.as_ref().is_some_and(|c| now < c.ends) {
            return Err(ArmError::busy());
        }
        if self.dialect.style == Style::AtOnce {
            connections.retain(|c| !c.name.eq_ignore_ascii_case(name));
            return Ok(Answer::empty(StatusCode::OK));
        }
        let (operation, noted) = long_running::begin(world, &format!("{id}/privateEndpointConnections/{name}"), now);
        let places = self.places(world, &id);
        let connection = Self::find(world, &id, name, now).ok_or_else(|| self.missing(name))?;
        connection.change = Some(ConnectionChange { operation, to: None, ends: noted.ends, fails: noted.fails });
        let answer = match (self.dialect.style, &places.status) {
            // The answer's body is the operation itself, from before it began.
            (Style::LongRunning, status) => {
                let folder = status.as_ref().unwrap_or(&places.result);
                let begun = crate::emulator::world::ArmOperation { ends: Timestamp::MAX, ..noted.clone() };
                Answer::json(StatusCode::ACCEPTED, long_running::body(folder, operation, &begun, now))
            }
            _ => Answer::empty(StatusCode::ACCEPTED),
        };
        Ok(long_running::announce(self.visit, answer, &places, operation, noted.ends))
    }

    fn find<'w>(world: &'w mut World, owner: &str, name: &str, now: Timestamp) -> Option<&'w mut Connection> {
        let (_, connections) = world.connections_mut(owner, now)?;
        connections.iter_mut().find(|c| c.name.eq_ignore_ascii_case(name))
    }

    fn places(&self, world: &World, owner: &str) -> Places {
        places(self.dialect, self.target, owner, world.behaviour.location_only)
    }
}

/// Where the operations of a resource are asked about. A vault names a `Location` only, one of its subscription and region.
fn places(dialect: &Dialect, target: &Target<'_>, owner: &str, location_only: bool) -> Places {
    match dialect.style {
        Style::LongRunning => Places {
            status: (!location_only).then(|| format!("{owner}/operationStatuses")),
            result: format!("{owner}/operationResults"),
        },
        _ => Places {
            status: None,
            result: format!("/subscriptions/{}/providers/Microsoft.KeyVault/operationResults", target.subscription),
        },
    }
}

/// What the body decides about a connection. Which steps are refused is documented for storage; for the others it isn't known,
/// and chosen alike. Rejecting what is approved is allowed by the state table of Private Link.
fn decision(body: &Map<String, Value>, connection: &Connection) -> Result<Decision, ArmError> {
    use ConnectionStatus::{Approved, Disconnected, Pending, Rejected};
    const STATUS: &str = "privateLinkServiceConnectionState.status";
    let properties = &Value::Object(body.clone())["properties"];
    let state = &properties["privateLinkServiceConnectionState"];
    let endpoint = properties["privateEndpoint"]["id"].as_str();
    if endpoint.is_some_and(|id| !id.eq_ignore_ascii_case(&connection.private_endpoint)) {
        return Err(ArmError::invalid_value("privateEndpoint.id"));
    }
    let wanted = match state["status"].as_str().map(str::to_ascii_lowercase).as_deref() {
        Some("approved") => Approved,
        Some("rejected") => Rejected,
        _ => return Err(ArmError::invalid_value(STATUS)),
    };
    match (connection.status, wanted) {
        (Pending, _) | (Approved, Rejected) => {}
        (Approved | Rejected | Disconnected, _) => return Err(ArmError::invalid_value(STATUS)),
    }
    let description = state["description"].as_str().unwrap_or_default().to_owned();
    Ok(Decision { status: wanted, description })
}

/// A connection as it is at `now`, for the result of an operation on it.
pub(super) fn shown(world: &World, dialect: &Dialect, owner: &str, name: &str, now: Timestamp) -> Option<Value> {
    let (owner, connections) = world.connections(owner)?;
    let connection = connections.iter().find(|c| c.name.eq_ignore_ascii_case(name))?;
    let look = connection.at(now)?;
    Some(dialect.item(owner, connection, &look, dialect.state(look.work)))
}
