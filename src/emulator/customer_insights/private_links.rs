//! Private links, in the style of the product's published operations. No such endpoint of the product is known.
//!
//! Words: a link has *endpoints*, which lie in a subscription of Microsoft's and each ask for one connection on the Azure
//! side. What must stay true: an endpoint's status is the connection's; a link works only while all are approved.

use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::error::ApiError;
use super::key_vault::{consent, not_found, text};
use super::{Answer, Visit};
use crate::emulator::call::guid;
use crate::emulator::rights::Plane;
use crate::emulator::seed::derived_id;
use crate::emulator::views::before;
use crate::emulator::world::{Connection, ConnectionStatus, Instance, LinkEndpoint, PrivateLink, World};

/// A kind of resource that links can lead to.
struct Kind {
    /// Its name here.
    name: &'static str,
    /// Its type in Azure.
    arm: &'static str,
    endpoints: &'static [Endpoint],
}

/// An endpoint of each link.
struct Endpoint {
    /// What follows `pe-{resource}-` in its name.
    suffix: &'static str,
    sub_resource_type: &'static str,
    /// Made by a Synapse network of Microsoft's: named after it, and described by nobody.
    by_synapse: bool,
}

const fn endpoint(suffix: &'static str, sub_resource_type: &'static str, by_synapse: bool) -> Endpoint {
    Endpoint { suffix, sub_resource_type, by_synapse }
}

/// The four of a storage account are from the screenshots. A Synapse workspace was only ever proposed; its two
/// are chosen: the SQL endpoints that a data source would read from.
const KINDS: [Kind; 2] = [
    Kind {
        name: "storageAccount",
        arm: "Microsoft.Storage/storageAccounts",
        endpoints: &[
            endpoint("blob", "blob", false),
            endpoint("blobforsynapse", "blobForSynapse", true),
            endpoint("dfs", "dfs", false),
            endpoint("dfsforsynapse", "dfsForSynapse", true),
        ],
    },
    Kind {
        name: "synapseWorkspace",
        arm: "Microsoft.Synapse/workspaces",
        endpoints: &[endpoint("sql", "sql", false), endpoint("sqlondemand", "sqlOnDemand", false)],
    },
];

pub(super) fn list(visit: &Visit<'_>, id: &str) -> Result<Answer, ApiError> {
    visit.read(|world| {
        let (id, instance) = visit.admin(world, id)?;
        let links = instance.private_links.iter().map(|link| shown(world, id, link, visit.now));
        Ok(Answer::ok(links.collect()))
    })
}

pub(super) fn get(visit: &Visit<'_>, id: &str, link: &str) -> Result<Answer, ApiError> {
    visit.read(|world| {
        let (id, instance) = visit.admin(world, id)?;
        Ok(Answer::ok(shown(world, id, find(instance, link)?, visit.now)))
    })
}

fn find<'i>(instance: &'i Instance, link: &str) -> Result<&'i PrivateLink, ApiError> {
    let found = guid(link).and_then(|id| instance.private_links.iter().find(|l| l.id == id));
    found.ok_or_else(|| not_found("privateLinkId", link))
}

/// Adds a link; its connections are pending then. Chosen: a second link to one resource is refused, as the first one shows it.
pub(super) fn add(visit: &Visit<'_>, id: &str) -> Result<Answer, ApiError> {
    visit.change(|world| {
        let (id, instance) = visit.admin(world, id)?;
        let body = Value::Object(visit.body()?);
        consent(&body)?;
        let named = text(&body, "resourceType")?;
        let kind = KINDS.iter().find(|k| k.name.eq_ignore_ascii_case(named)).ok_or_else(|| {
            let message = "Private links lead to storage accounts and Synapse workspaces.";
            ApiError::new(StatusCode::BAD_REQUEST, "resourceTypeNotSupported", message)
        })?;
        let resource = resource(visit, world, kind, &body)?;
        if instance.private_links.iter().any(|l| l.resource.eq_ignore_ascii_case(&resource)) {
            let message = "A private link leads to this resource already.";
            return Err(ApiError::new(StatusCode::CONFLICT, "storageConflict", message));
        }
        // Never the id of an earlier link: whoever still has that one must not meet this one.
        let past = visit.now.as_nanosecond();
        let link_id = derived_id(world.world, "private-link", &format!("{id}/{resource}/{past}"));
        let author = visit.caller_name(world);
        let endpoints: Vec<LinkEndpoint> =
            kind.endpoints.iter().map(|endpoint| made(world, instance, endpoint, &resource, link_id)).collect();
        let link = PrivateLink {
            id: link_id,
            resource: resource.clone(),
            is_validated: false,
            endpoints,
            version: 1,
            created_by: author.clone(),
            created_utc: visit.now,
        };
        ask(world, &link, kind, &author, visit.now);
        let answer = Answer::json(StatusCode::OK, shown(world, id, &link, visit.now));
        if let Some(instance) = world.instances.get_mut(&id) {
            instance.private_links.push(link);
        }
        Ok(answer)
    })
}

/// The id of the resource, if the caller may link it. Which rights adding needs by itself is UNDOCUMENTED; the pane shows what
/// the caller can read, so reading is asked for, and approving only where the knob says so.
fn resource(visit: &Visit<'_>, world: &World, kind: &Kind, body: &Value) -> Result<String, ApiError> {
    let (subscription, group) = (text(body, "subscriptionId")?, text(body, "resourceGroup")?);
    let name = text(body, "resourceName")?;
    let asked = format!("/subscriptions/{subscription}/resourceGroups/{group}/providers/{}/{name}", kind.arm);
    let may = |action: &str| {
        let action = format!("{}/{action}", kind.arm);
        world.azure_allows(visit.caller.oid, Plane::Management, &action, &asked, visit.now)
    };
    let found = world.connections(&asked).map(|(id, _)| id.to_owned()).filter(|_| may("read"));
    let found = found.ok_or_else(|| not_found("resourceName", &asked))?;
    if world.behaviour.private_link_needs_approval_right && !may("PrivateEndpointConnectionsApproval/action") {
        let message = "The caller lacks rights on the resource: Storage Account Contributor, or a custom role with \
                       PrivateEndpointConnectionsApproval/action.";
        return Err(ApiError::new(StatusCode::FORBIDDEN, "storageAccessForbidden", message));
    }
    Ok(found)
}

/// An endpoint with its id, which lies in a subscription of Microsoft's, one for each scale unit (chosen).
fn made(world: &World, instance: &Instance, endpoint: &Endpoint, resource: &str, link: Uuid) -> LinkEndpoint {
    let account = resource.rsplit('/').next().unwrap_or_default();
    let scale_unit = &instance.scale_unit_id;
    let name = format!("pe-{account}-{}", endpoint.suffix);
    let (group, full) = if endpoint.by_synapse {
        (format!("{scale_unit}-synapse01-network"), format!("{scale_unit}-synapse01.{name}"))
    } else {
        (format!("{scale_unit}-privatelinks"), name.clone())
    };
    let subscription = derived_id(Uuid::nil(), "microsoft-subscription", scale_unit);
    let guid = derived_id(world.world, "connection", &format!("{link}/{}", endpoint.suffix));
    LinkEndpoint {
        private_endpoint: format!(
            "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Network/privateEndpoints/{full}"
        ),
        name,
        sub_resource_type: endpoint.sub_resource_type.to_owned(),
        connection: format!("{account}.{guid}"),
    }
}

/// Asks for the connections on the Azure side.
fn ask(world: &mut World, link: &PrivateLink, kind: &Kind, author: &str, now: Timestamp) {
    let Some((_, connections)) = world.connections_mut(&link.resource, now) else { return };
    for (endpoint, kind) in link.endpoints.iter().zip(kind.endpoints) {
        let description = if kind.by_synapse {
            String::new()
        } else {
            format!("Private endpoint for Dynamics 365 Customer Insights, created by {author}")
        };
        connections.push(Connection {
            name: endpoint.connection.clone(),
            private_endpoint: endpoint.private_endpoint.clone(),
            status: ConnectionStatus::Pending,
            description,
            decided: None,
            change: None,
        });
    }
}

/// Removes a link, and its connections with it unless the knob leaves them behind.
pub(super) fn remove(visit: &Visit<'_>, id: &str, link: &str) -> Result<Answer, ApiError> {
    visit.change(|world| {
        let (id, instance) = visit.admin(world, id)?;
        let link = find(instance, link)?.clone();
        if !world.behaviour.private_link_removal_leaves_connections
            && let Some((_, connections)) = world.connections_mut(&link.resource, visit.now)
        {
            connections.retain(|c| !link.endpoints.iter().any(|e| is_of(e, c)));
        }
        if let Some(instance) = world.instances.get_mut(&id) {
            instance.private_links.retain(|l| l.id != link.id);
        }
        Ok(Answer::ok(Value::Bool(true)))
    })
}

fn is_of(endpoint: &LinkEndpoint, connection: &Connection) -> bool {
    endpoint.connection == connection.name && endpoint.private_endpoint == connection.private_endpoint
}

/// Whether all connections are approved, and have been for long enough to have taken effect.
pub(super) fn validate(visit: &Visit<'_>, id: &str, link: &str) -> Result<Answer, ApiError> {
    visit.change(|world| {
        let (id, instance) = visit.admin(world, id)?;
        let link = find(instance, link)?;
        let effective = before(visit.now, world.behaviour.private_link_propagation);
        let works = link.endpoints.iter().all(|endpoint| {
            let found = connection(world, link, endpoint).and_then(|c| c.at(visit.now));
            found.is_some_and(|look| {
                look.status == ConnectionStatus::Approved && look.decided.is_none_or(|at| at <= effective)
            })
        });
        let link = link.id;
        let links = world.instances.get_mut(&id).map(|i| i.private_links.iter_mut());
        for found in links.into_iter().flatten().filter(|l| l.id == link && l.is_validated != works) {
            (found.is_validated, found.version) = (works, found.version + 1);
        }
        Ok(Answer::ok(Value::Bool(works)))
    })
}

fn connection<'w>(world: &'w World, link: &PrivateLink, endpoint: &LinkEndpoint) -> Option<&'w Connection> {
    let (_, connections) = world.connections(&link.resource)?;
    connections.iter().find(|c| is_of(endpoint, c))
}

/// `PrivateLinkMetadata`. Taken apart in full, so that a new member can't be forgotten.
fn shown(world: &World, instance: Uuid, link: &PrivateLink, now: Timestamp) -> Value {
    let PrivateLink { id, resource, is_validated, endpoints, version, created_by, created_utc } = link;
    let segments: Vec<&str> = resource.split('/').collect();
    let arm = segments.get(6..8).map(|parts| parts.join("/")).unwrap_or_default();
    let kind = KINDS.iter().find(|k| k.arm.eq_ignore_ascii_case(&arm)).map(|k| k.name);
    let endpoints: Vec<Value> = endpoints
        .iter()
        .map(|endpoint| {
            // A connection that is gone on the Azure side is `Disconnected` on the endpoint's.
            let found = connection(world, link, endpoint).and_then(|c| c.at(now));
            let status = found.map_or(ConnectionStatus::Disconnected, |look| look.status);
            json!({
                "name": endpoint.name,
                "subResourceType": endpoint.sub_resource_type,
                "status": status.as_str().to_ascii_lowercase(),
            })
        })
        .collect();
    json!({
        "privateLinkId": id,
        "resourceType": kind,
        "resourceName": segments.last(),
        "subscriptionId": segments.get(2),
        "resourceGroup": segments.get(4),
        "consentAccepted": true,
        "isValidated": is_validated,
        "endpoints": endpoints,
        "version": version,
        "createdBy": created_by,
        "createdUtc": created_utc,
        "instanceId": instance,
    })
}
