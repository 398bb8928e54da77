//! What the services say about private links: Customer Insights about the links, Azure about the resources.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;

use super::block::{Approval, Declared, Match};
use crate::azure::customer_insights::{self as ci, PrivateLink};
use crate::azure::operations::{Facts, LIST_PRIVATE_LINKS, STORAGE_PUT_CONNECTION, SYNAPSE_PUT_CONNECTION};
use crate::azure::private_endpoints::{Connection, Status};
use crate::azure::rights::Holding;
use crate::azure::storage::{Account, PublicNetworkAccess};
use crate::azure::synapse::Workspace;
use crate::azure::{CallError, Look, Reader};
use crate::plan::Mode;
use crate::settings::observation::{Observation, Unreadable};
use crate::settings::setting::Observing;
use crate::terms::{ResourceId, resource_kinds};

/// Everything that comparing needs.
#[derive(Debug, Clone)]
pub struct Observed {
    /// The links of the environment.
    pub links: Links,
    /// The resources that declared links lead to, and those of links that `match: exact` removes; none where Azure says that
    /// there is no such resource.
    pub resources: BTreeMap<ResourceId, Observation<Option<Resource>>>,
    /// Whether the identity that runs palisade may approve connections of a resource; asked only where that matters.
    pub rights: BTreeMap<ResourceId, Observation<Holding>>,
}

/// What Customer Insights says.
#[derive(Debug, Clone)]
pub enum Links {
    /// Its list.
    Read(Observation<Vec<PrivateLink>>),
    /// No operation may be used to ask.
    NotAsked,
}

/// A resource on the Azure side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Azure region.
    pub location: String,
    /// Whether it is reached over the internet.
    pub public: PublicNetworkAccess,
    /// All private endpoint connections, whoever made them.
    pub connections: Vec<Connection>,
}

/// Asks both sides.
pub(super) async fn observe(declared: Option<&Declared>, observing: &Observing<'_>) -> Observed {
    let look = observing.look;
    let declared_links = || declared.into_iter().flat_map(|declared| &declared.links);
    let ids: BTreeSet<ResourceId> = declared_links().map(|link| link.resource.clone()).collect();
    let (links, mut resources) = tokio::join!(links(observing), read_all(look, &ids));
    if let Links::Read(Ok(listed)) = &links
        && declared.is_none_or(|declared| declared.matching == Match::Exact)
    {
        let others = listed.iter().map(|link| link.resource.clone()).filter(|id| !ids.contains(id)).collect();
        resources.extend(read_all(look, &others).await);
    }
    let rights = match declared {
        Some(declared) => rights_where_they_matter(declared, &links, &resources, look).await,
        None => BTreeMap::new(),
    };
    Observed { links, resources, rights }
}

async fn links(observing: &Observing<'_>) -> Links {
    let instance = match observing.instance {
        Ok(instance) => instance,
        Err(unreadable) => return Links::Read(Err(unreadable.clone())),
    };
    match observing.surface.mode(LIST_PRIVATE_LINKS.facts().provenance) {
        Mode::Manual => Links::NotAsked,
        Mode::Automatic => {
            Links::Read(ci::private_links(observing.look.reader(), instance).await.map_err(Unreadable::from))
        }
    }
}

async fn read_all(look: &Look, ids: &BTreeSet<ResourceId>) -> BTreeMap<ResourceId, Observation<Option<Resource>>> {
    let read = ids.iter().map(async |id| (id.clone(), remembered(look, id).await.map_err(Unreadable::from)));
    join_all(read).await.into_iter().collect()
}

/// A resource with its connections, in one call for all environments of an observation.
async fn remembered(look: &Look, id: &ResourceId) -> Result<Option<Resource>, CallError> {
    Ok(match id.is_kind(resource_kinds::SYNAPSE_WORKSPACE) {
        true => look.workspace(id).await?.as_deref().map(Resource::from),
        false => look.account(id).await?.as_deref().map(Resource::from),
    })
}

/// A resource with its connections, freshly, in one call.
pub(super) async fn resource(reader: &Reader, id: &ResourceId) -> Result<Option<Resource>, CallError> {
    remembered(&Look::begin(reader, []), id).await
}

impl From<&Workspace> for Resource {
    fn from(workspace: &Workspace) -> Self {
        Self {
            location: workspace.location.clone(),
            public: workspace.public_network_access.clone(),
            connections: workspace.connections.clone(),
        }
    }
}

impl From<&Account> for Resource {
    fn from(account: &Account) -> Self {
        Self {
            location: account.location.clone(),
            public: account.public_network_access.clone(),
            connections: account.connections.clone(),
        }
    }
}

/// Rights are read where something is to be approved, or will be in the run that creates the link.
async fn rights_where_they_matter(
    declared: &Declared,
    links: &Links,
    resources: &BTreeMap<ResourceId, Observation<Option<Resource>>>,
    look: &Look,
) -> BTreeMap<ResourceId, Observation<Holding>> {
    let missing = |id: &ResourceId| match links {
        Links::Read(Ok(listed)) => !listed.iter().any(|link| link.resource == *id),
        Links::Read(Err(_)) | Links::NotAsked => false,
    };
    let asks = |id: &ResourceId| match resources.get(id) {
        Some(Ok(Some(found))) => found.connections.iter().any(|connection| connection.status == Status::Pending),
        _ => false,
    };
    let matters = declared.links.iter().filter(|link| match link.approval {
        Approval::ByOthers => false,
        Approval::Listed => asks(&link.resource),
        Approval::FromSubscription(_) => asks(&link.resource) || missing(&link.resource),
    });
    let read = matters.map(async |link| (link.resource.clone(), right(look, &link.resource).await));
    join_all(read).await.into_iter().collect()
}

/// Whether the caller may approve connections of a resource, which it has just read.
async fn right(look: &Look, id: &ResourceId) -> Observation<Holding> {
    Ok(look.holding(id, &approval_operation(id).needs).await?)
}

/// The operation that approves connections of a resource.
pub(super) fn approval_operation(id: &ResourceId) -> &'static Facts {
    if id.is_kind(resource_kinds::SYNAPSE_WORKSPACE) {
        SYNAPSE_PUT_CONNECTION.facts()
    } else {
        STORAGE_PUT_CONNECTION.facts()
    }
}
