//! Which private endpoint connection belongs to an endpoint of a link, and where it stands. Pure.
//!
//! Anyone can ask for a connection under any name, so a name only finds *candidates*.
//!
//! Invariants: a connection is a link's only if exactly one candidate has the name of an endpoint that Customer Insights lists,
//! or that a link is known to have; where names aren't known, only connections from one subscription are taken for a link's;
//! connections of others are never touched; where a subscription is configured, nothing from elsewhere is a candidate.

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::azure::customer_insights::LinkEndpoint;
use crate::azure::private_endpoints::{Connection, Status};
use crate::terms::{ResourceId, resource_kinds};

/// The endpoints of a link to a storage account: what their names end in, and what they lead to.
const STORAGE_ENDPOINTS: [(&str, &str); 4] =
    [("blob", "blob"), ("blobforsynapse", "blobForSynapse"), ("dfs", "dfs"), ("dfsforsynapse", "dfsForSynapse")];

/// How many endpoints a link to a resource has; at least one where that isn't published.
pub(super) fn expected(resource: &ResourceId) -> usize {
    if resource.is_kind(resource_kinds::STORAGE_ACCOUNT) { STORAGE_ENDPOINTS.len() } else { 1 }
}

/// The endpoints that a link to a resource has, by the names that the product's documentation shows; none where it shows none.
pub(super) fn usual(resource: &ResourceId) -> Vec<LinkEndpoint> {
    if !resource.is_kind(resource_kinds::STORAGE_ACCOUNT) {
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
    connection.endpoint.as_ref().is_some_and(|endpoint| name_within(resource, endpoint).is_some())
}

/// The name of an endpoint of Customer Insights, in lower case and without what a Synapse network puts before it.
fn name_within(resource: &ResourceId, endpoint: &ResourceId) -> Option<String> {
    let start = format!("pe-{}-", resource.name().to_lowercase());
    let name = endpoint.name().to_lowercase();
    if name.starts_with(&start) {
        return Some(name);
    }
    name.rfind(&format!(".{start}")).map(|dot| name[dot + 1..].to_owned())
}

/// What the connections of a resource show of a link to it, where Customer Insights can't be asked.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Shown<'a> {
    /// The link's endpoints, and connections that are named like more of them, but come from elsewhere than the file says.
    Endpoints(Vec<LinkEndpoint>, Vec<Asking<'a>>),
    /// Connections that may be the link's or a stranger's: they come from several subscriptions.
    Mixed(Vec<&'a Connection>),
    /// Connections that may be the link's, under names that aren't known.
    Perhaps(Vec<&'a Connection>),
    /// No connection that could be the link's.
    Nothing,
}

/// What the connections of a resource show of a link to it. Where the names of its endpoints are published, they are looked
/// for; elsewhere they are whatever is named like Customer Insights' own, as long as it comes from one subscription: anyone can
/// ask under one more name. `subscription` is the one that endpoints must come from, if the file names it.
pub(super) fn shown<'a>(resource: &ResourceId, connections: &'a [Connection], subscription: Option<Uuid>) -> Shown<'a> {
    let usual = usual(resource);
    let there = |endpoint: &LinkEndpoint| !candidates(endpoint, connections, None).0.is_empty();
    if usual.iter().any(there) {
        return Shown::Endpoints(usual, Vec::new());
    }
    let alike: Vec<Asking<'a>> = connections
        .iter()
        .filter(|connection| looks_like_ours(resource, connection))
        .filter_map(|connection| Some(Asking { connection, endpoint: connection.endpoint.as_ref()? }))
        .collect();
    if !usual.is_empty() || alike.is_empty() {
        let published = !usual.is_empty();
        let perhaps: Vec<&Connection> = connections
            .iter()
            .filter(|one| !published || looks_like_ours(resource, one))
            .filter(|one| subscription.is_none_or(|wanted| source(one) == Some(wanted)))
            .collect();
        return if perhaps.is_empty() { Shown::Nothing } else { Shown::Perhaps(perhaps) };
    }
    let (ours, strangers): (Vec<_>, Vec<_>) =
        alike.into_iter().partition(|one| subscription.is_none_or(|wanted| one.endpoint.subscription() == wanted));
    let several: Vec<&Connection> = ours.iter().map(|one| one.connection).collect();
    if !from_one_source(&several) {
        return Shown::Mixed(several);
    }
    let names: BTreeSet<String> = ours.iter().filter_map(|one| name_within(resource, one.endpoint)).collect();
    Shown::Endpoints(names.into_iter().map(|name| derived(resource, name)).collect(), strangers)
}

/// The subscription that a connection's endpoint lies in.
fn source(connection: &Connection) -> Option<Uuid> {
    connection.endpoint.as_ref().map(ResourceId::subscription)
}

/// Whether connections come from one subscription at most. Those from several can't be told apart, approved or not: whoever
/// has rights on the resource may have approved a stranger's.
pub(super) fn from_one_source(connections: &[&Connection]) -> bool {
    connections.iter().map(|one| source(one)).collect::<BTreeSet<_>>().len() <= 1
}

/// An endpoint that is known by the name of its connection only.
fn derived(resource: &ResourceId, name: String) -> LinkEndpoint {
    let front = "pe-".len() + resource.name().len() + "-".len();
    let sub_resource_type = name.get(front..).unwrap_or_default().to_owned();
    LinkEndpoint { name, sub_resource_type, status: Status::Other("not asked".to_owned()) }
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
                && from_one_source(&ours.iter().map(|one| one.connection).collect::<Vec<_>>())
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
