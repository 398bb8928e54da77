//! The writes of `privateLinks`, and how to see that they took effect.

use async_trait::async_trait;

use super::endpoints::{self, Standing};
use super::observe;
use crate::azure::customer_insights::{self as ci, Instance, PrivateLink};
use crate::azure::operations::{ADD_PRIVATE_LINK, DELETE_PRIVATE_LINK, Effect, Facts};
use crate::azure::private_endpoints::{self, Connection, Status, Target};
use crate::azure::{CallError, Reader, Writer};
use crate::plan::{Binds, Hold, ReadBack, Step, StepError};
use crate::terms::ResourceId;

/// Adds a link.
pub(super) struct AddLink {
    pub(super) instance: Instance,
    pub(super) resource: ResourceId,
    /// What is left to be done by others once the link is there; none if the next step goes on.
    pub(super) then: Option<String>,
}

/// Removes a link.
pub(super) struct RemoveLink {
    pub(super) instance: Instance,
    pub(super) resource: ResourceId,
    pub(super) link: String,
    /// Whether connections are looked for afterwards.
    pub(super) look: bool,
}

/// Approves one connection that a plan listed.
pub(super) struct Approve {
    pub(super) resource: ResourceId,
    pub(super) connection: String,
    pub(super) endpoint: ResourceId,
    pub(super) description: String,
}

/// Approves the connections of a link that was just added, as far as they come from one subscription.
pub(super) struct ApproveNew {
    pub(super) instance: Instance,
    pub(super) resource: ResourceId,
    pub(super) subscription: uuid::Uuid,
    pub(super) description: String,
}

/// The link that leads to a resource, freshly.
async fn link(reader: &Reader, instance: &Instance, to: &ResourceId) -> Result<Option<PrivateLink>, CallError> {
    let links = ci::private_links(reader, instance).await?;
    Ok(links.into_iter().find(|link| link.resource == *to))
}

/// The connections of a resource, freshly; none if the resource is gone.
async fn connections(reader: &Reader, resource: &ResourceId) -> Result<Vec<Connection>, CallError> {
    Ok(observe::resource(reader, resource).await?.map(|found| found.connections).unwrap_or_default())
}

/// One of them. Read with the resource: that takes no right of its own, and the least role that the product names has none.
async fn connection(reader: &Reader, resource: &ResourceId, name: &str) -> Result<Option<Connection>, CallError> {
    Ok(connections(reader, resource).await?.into_iter().find(|one| one.name.eq_ignore_ascii_case(name)))
}

fn no_target(resource: &ResourceId) -> StepError {
    StepError::Stopped(format!("{resource} is no resource that private links lead to"))
}

#[async_trait(?Send)]
impl Step for AddLink {
    fn title(&self) -> String {
        format!("add a private link to {}", self.resource.name())
    }

    fn operation(&self) -> &'static Facts {
        ADD_PRIVATE_LINK.facts()
    }

    fn binds(&self) -> Binds {
        let Self { instance, resource, then: _ } = self;
        Binds::none().and("instance", instance.id).and("resource", resource)
    }

    fn holds(&self) -> Vec<Hold> {
        vec![Hold::resource(&self.resource)]
    }

    async fn write(&self, writer: &Writer) -> Result<(), StepError> {
        let added = ci::add_private_link(writer, &self.instance, &self.resource).await?;
        added.map(drop).ok_or_else(|| no_target(&self.resource))
    }

    /// The link is there once Customer Insights lists it, and each of its endpoints has asked for its connection.
    async fn read_back(&self, reader: &Reader) -> Result<ReadBack, CallError> {
        let Some(link) = link(reader, &self.instance, &self.resource).await? else {
            return Ok(ReadBack::NotYet("Customer Insights doesn't list it".to_owned()));
        };
        let expected = endpoints::expected(&self.resource);
        if link.endpoints.len() < expected {
            return Ok(ReadBack::NotYet(format!("it has {} of {expected} endpoints", link.endpoints.len())));
        }
        let connections = connections(reader, &self.resource).await?;
        let asked = |endpoint: &&ci::LinkEndpoint| {
            connections.iter().any(|connection| connection.endpoint.as_ref().is_some_and(|id| endpoint.could_be(id)))
        };
        if let Some(silent) = link.endpoints.iter().find(|endpoint| !asked(endpoint)) {
            return Ok(ReadBack::NotYet(format!("{} doesn't show on the Azure side", silent.name)));
        }
        Ok(self.then.clone().map_or(ReadBack::Shown, ReadBack::LeftToOthers))
    }
}

#[async_trait(?Send)]
impl Step for RemoveLink {
    fn title(&self) -> String {
        format!("remove the private link to {}", self.resource.name())
    }

    fn operation(&self) -> &'static Facts {
        DELETE_PRIVATE_LINK.facts()
    }

    fn binds(&self) -> Binds {
        let Self { instance, resource, link, look: _ } = self;
        Binds::none().and("instance", instance.id).and("resource", resource).and("link", link)
    }

    fn holds(&self) -> Vec<Hold> {
        vec![Hold::resource(&self.resource)]
    }

    async fn write(&self, writer: &Writer) -> Result<(), StepError> {
        Ok(ci::remove_private_link(writer, &self.instance, &self.link).await?)
    }

    async fn read_back(&self, reader: &Reader) -> Result<ReadBack, CallError> {
        let links = ci::private_links(reader, &self.instance).await?;
        if links.iter().any(|link| link.id == self.link) {
            return Ok(ReadBack::NotYet("Customer Insights still lists it".to_owned()));
        }
        if !self.look {
            return Ok(ReadBack::Shown);
        }
        // The link is gone, which is what was wanted; what stays on the other side is said, and no reason to fail.
        let left = match connections(reader, &self.resource).await {
            Ok(left) => left,
            Err(error) => {
                return Ok(ReadBack::ShownBut(format!(
                    "whether connections are left behind on {} could not be read: {error}",
                    self.resource.name()
                )));
            }
        };
        let left = left.iter().filter(|one| endpoints::looks_like_ours(&self.resource, one)).count();
        Ok(match left {
            0 => ReadBack::Shown,
            count => ReadBack::ShownBut(format!(
                "{count} of its connections are left behind on {}: remove there what nobody needs",
                self.resource.name()
            )),
        })
    }
}

#[async_trait(?Send)]
impl Step for Approve {
    fn title(&self) -> String {
        format!("approve {} on {}", self.endpoint.name(), self.resource.name())
    }

    fn operation(&self) -> &'static Facts {
        observe::approval_operation(&self.resource)
    }

    fn on(&self) -> Option<ResourceId> {
        Some(self.resource.clone())
    }

    fn binds(&self) -> Binds {
        let Self { resource, connection, endpoint, description: _ } = self;
        Binds::none().and("resource", resource).and("connection", connection).and("endpoint", endpoint)
    }

    fn holds(&self) -> Vec<Hold> {
        vec![Hold::resource(&self.resource)]
    }

    /// The connection is read once more: it must still be the one with the very endpoint that the plan listed.
    async fn write(&self, writer: &Writer) -> Result<(), StepError> {
        let target = Target::of(&self.resource).ok_or_else(|| no_target(&self.resource))?;
        let found = connection(writer.reader(), &self.resource, &self.connection).await?;
        let found = found.ok_or_else(|| StepError::Stopped(format!("the connection {} is gone", self.connection)))?;
        if found.endpoint.as_ref() != Some(&self.endpoint) {
            let now = found.endpoint.as_ref().map_or("no known endpoint", ResourceId::as_str);
            return Err(StepError::Stopped(format!("the connection {} now leads to {now}", self.connection)));
        }
        if found.status == Status::Approved {
            // Somebody was faster. Approving again is refused by the service, and there is nothing left to do.
            return Ok(());
        }
        let Some(pending) = found.pending() else {
            return Err(StepError::Stopped(format!("the connection {} is {} by now", self.connection, found.status)));
        };
        // What goes on after the answer is seen by reading back.
        private_endpoints::approve(writer, &target, pending, &self.description).await?;
        Ok(())
    }

    async fn read_back(&self, reader: &Reader) -> Result<ReadBack, CallError> {
        let found = connection(reader, &self.resource, &self.connection).await?;
        Ok(match found {
            Some(found) if found.status == Status::Approved && found.is_settled() => ReadBack::Shown,
            Some(found) if !found.is_settled() => ReadBack::NotYet("Azure is still at work on it".to_owned()),
            // Final, both of them: waiting changes nothing.
            Some(found) if matches!(found.status, Status::Rejected | Status::Disconnected) => {
                ReadBack::Gone(format!("it is {}", found.status))
            }
            None => ReadBack::Gone("it is gone".to_owned()),
            Some(found) => ReadBack::NotYet(format!("it is {}", found.status)),
        })
    }
}

impl ApproveNew {
    /// Where each endpoint of the link stands, by name.
    async fn look(&self, reader: &Reader) -> Result<Vec<(String, Look)>, CallError> {
        let Some(link) = link(reader, &self.instance, &self.resource).await? else { return Ok(Vec::new()) };
        let connections = connections(reader, &self.resource).await?;
        let subscription = Some(self.subscription);
        let looks = link.endpoints.iter().map(|endpoint| {
            let look = match endpoints::standing(endpoint, true, &connections, subscription) {
                Standing::Open => Look::Open,
                Standing::Asks(asking) => Look::Asks(asking.connection.name.clone(), asking.endpoint.clone()),
                Standing::Settling(detail) => Look::Other(format!("{} {detail}", endpoint.name)),
                Standing::Ended(status) => Look::Other(format!("{} is {status}", endpoint.name)),
                Standing::Ambiguous(_) => Look::Other(format!("several connections could be {}", endpoint.name)),
                Standing::Elsewhere => {
                    Look::Other(format!("{} isn't from the subscription {}", endpoint.name, self.subscription))
                }
            };
            (endpoint.name.clone(), look)
        });
        Ok(looks.collect())
    }
}

enum Look {
    Open,
    Asks(String, ResourceId),
    Other(String),
}

#[async_trait(?Send)]
impl Step for ApproveNew {
    fn title(&self) -> String {
        format!("approve its connections from the subscription {}", self.subscription)
    }

    fn operation(&self) -> &'static Facts {
        observe::approval_operation(&self.resource)
    }

    fn on(&self) -> Option<ResourceId> {
        Some(self.resource.clone())
    }

    fn binds(&self) -> Binds {
        let Self { instance, resource, subscription, description: _ } = self;
        let binds = Binds::none().and("instance", instance.id).and("resource", resource);
        binds.and("approveFromSubscription", subscription)
    }

    fn holds(&self) -> Vec<Hold> {
        vec![Hold::resource(&self.resource)]
    }

    /// One connection after the other. An answer that got lost is no reason to leave out the rest: reading back decides. Once
    /// one approval was sent, whatever ends the step ends it part-way.
    async fn write(&self, writer: &Writer) -> Result<(), StepError> {
        let (mut lost, mut wrote) = (None, false);
        for (_, look) in self.look(writer.reader()).await? {
            let Look::Asks(connection, endpoint) = look else { continue };
            let (resource, description) = (self.resource.clone(), self.description.clone());
            match (Approve { resource, connection, endpoint, description }).write(writer).await {
                Err(StepError::Call(error)) if error.operation.effect != Effect::Read && error.is_ambiguous() => {
                    (lost, wrote) = (Some(error), true);
                }
                Err(error) if wrote => return Err(StepError::Ended(error.to_string())),
                outcome => {
                    outcome?;
                    wrote = true;
                }
            }
        }
        lost.map_or(Ok(()), |error| Err(error.into()))
    }

    async fn read_back(&self, reader: &Reader) -> Result<ReadBack, CallError> {
        let looks = self.look(reader).await?;
        if looks.len() < endpoints::expected(&self.resource) {
            return Ok(ReadBack::NotYet("the link doesn't show with all of its endpoints".to_owned()));
        }
        let open = looks.iter().find_map(|(name, look)| match look {
            Look::Open => None,
            Look::Asks(..) => Some(format!("{name} is still pending")),
            Look::Other(detail) => Some(detail.clone()),
        });
        Ok(open.map_or(ReadBack::Shown, ReadBack::NotYet))
    }
}
