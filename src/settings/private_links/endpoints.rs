//! Which private endpoint connection belongs to an endpoint of a link, and where it stands. Pure.
//!
//! Anyone can ask for a connection under any name, so a name only finds *candidates*. What must stay true (invariant 12 of
//! the design): a connection is a link's only if Customer Insights lists the endpoint and exactly one candidate has its name;
//! somebody else's connections are never touched; where a subscription is configured, nothing from elsewhere is a candidate.

use uuid::Uuid;

use crate::azure::arm::ResourceId;
use crate::azure::customer_insights::LinkEndpoint;
use crate::azure::private_endpoints::{Connection, Status};
use crate::azure::storage;

/// The endpoints of a link to a storage account: what their names end in, and what they lead to.
const STORAGE_ENDPOINTS: [(&str, &str); 4] =
    [("blob", "blob"), ("blobforsynapse", "blobForSynapse"), ("dfs", "dfs"), ("dfsforsynapse", "dfsForSynapse")];

/// How many endpoints a link to a resource has; at least one where that isn't published.
pub(super) fn expected(resource: &ResourceId) -> usize {
    if resource.is_kind(storage::KIND) { STORAGE_ENDPOINTS.len() } else { 1 }
}

/// The endpoints that a link to a resource has, by the names that the product's documentation shows; none where it shows none.
pub(super) fn usual(resource: &ResourceId) -> Vec<LinkEndpoint> {
    if !resource.is_kind(storage::KIND) {
        return Vec::new();
    }
    let name = resource.name().to_lowercase();
    let endpoint = |(end, kind): (&str, &str)| LinkEndpoint {
        name: format!("pe-{name}-{end}"),
        sub_resource_type: kind.to_owned(),
        status: Status::Other("not asked".to_owned()),
    };
    STORAGE_ENDPOINTS.map(endpoint).into()
}

/// Whether a connection is named like one of Customer Insights, whichever environment it is of.
pub(super) fn looks_like_ours(resource: &ResourceId, connection: &Connection) -> bool {
    let Some(endpoint) = &connection.endpoint else { return false };
    let start = format!("pe-{}-", resource.name().to_lowercase());
    let name = endpoint.name().to_lowercase();
    name.starts_with(&start) || name.contains(&format!(".{start}"))
}

/// Where an endpoint stands.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Standing<'a> {
    /// Approved, on both sides.
    Open,
    /// The service is at work, in words.
    Settling(String),
    /// Pending: somebody has to decide about this connection.
    Asks(Asking<'a>),
    /// Rejected or cut off, which is final.
    Ended(Status),
    /// Several connections could be it.
    Ambiguous(Vec<&'a Connection>),
    /// Only connections from another subscription than the configured one have its name.
    Elsewhere,
}

/// A pending connection that is the link's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asking<'a> {
    pub(super) connection: &'a Connection,
    pub(super) endpoint: &'a ResourceId,
}

/// The connections that could be an endpoint's by name, those of a configured subscription and those from elsewhere.
pub(super) fn candidates<'a>(
    endpoint: &LinkEndpoint,
    connections: &'a [Connection],
    subscription: Option<Uuid>,
) -> (Vec<Asking<'a>>, Vec<Asking<'a>>) {
    let named = connections.iter().filter_map(|connection| {
        let id = connection.endpoint.as_ref().filter(|id| endpoint.could_be(id))?;
        Some(Asking { connection, endpoint: id })
    });
    named.partition(|one| subscription.is_none_or(|wanted| one.endpoint.subscription() == wanted))
}

/// Where an endpoint stands. `told` says whether Customer Insights told about the endpoint; otherwise it is a usual one.
pub(super) fn standing<'a>(
    endpoint: &LinkEndpoint,
    told: bool,
    connections: &'a [Connection],
    subscription: Option<Uuid>,
) -> Standing<'a> {
    let (ours, elsewhere) = candidates(endpoint, connections, subscription);
    if told {
        // Only an endpoint that Customer Insights itself calls pending can be the one that asks: whoever uses the name of
        // one that was rejected, or is open already, is somebody else.
        match &endpoint.status {
            Status::Pending => {}
            Status::Rejected | Status::Disconnected => return Standing::Ended(endpoint.status.clone()),
            Status::Approved => {
                let open = ours.iter().chain(&elsewhere).find(|one| one.connection.status == Status::Approved);
                let not_yet = || Standing::Settling("is approved in Customer Insights, and not in Azure".to_owned());
                return open.map_or_else(not_yet, |one| opened(one.connection));
            }
            Status::Other(word) => return Standing::Settling(format!("is in the state `{word}`")),
        }
    }
    match ours.as_slice() {
        [] if !elsewhere.is_empty() => Standing::Elsewhere,
        [] => Standing::Settling("doesn't show on the Azure side".to_owned()),
        [one] => match &one.connection.status {
            Status::Approved if told => {
                Standing::Settling("is approved in Azure, and pending in Customer Insights".to_owned())
            }
            Status::Approved => opened(one.connection),
            _ if !one.connection.is_settled() => Standing::Settling("is being changed in Azure".to_owned()),
            Status::Pending => Standing::Asks(*one),
            Status::Rejected | Status::Disconnected => Standing::Ended(one.connection.status.clone()),
            Status::Other(word) => Standing::Settling(format!("is in the state `{word}`")),
        },
        // Nothing is to be approved, and nobody can tell them apart: several environments may use one resource.
        [first, rest @ ..]
            if !told
                && first.connection.status == Status::Approved
                && rest.iter().all(|one| one.connection.status == Status::Approved) =>
        {
            opened(first.connection)
        }
        // What is rejected counts as well: it may have been the link's own.
        several => Standing::Ambiguous(several.iter().map(|one| one.connection).collect()),
    }
}

fn opened(connection: &Connection) -> Standing<'_> {
    match connection.is_settled() {
        true => Standing::Open,
        false => Standing::Settling("is being approved in Azure".to_owned()),
    }
}
