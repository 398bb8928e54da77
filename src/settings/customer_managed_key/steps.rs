//! The writes of `customerManagedKey`, and how to see that they took effect.
//!
//! Invariants: a link is made over the one before, never after an unlink; what begins an operation is sent once, and its own success is
//! no effect yet; an operation that goes on is left, for the next run to find.

use std::cell::RefCell;

use async_trait::async_trait;

use super::block::Wanted;
use super::observe::own_key;
use crate::azure::operations::{ADMIN_LINK_ENCRYPTION, ADMIN_UNLINK_ENCRYPTION, Facts, PUT_ENTERPRISE_POLICY};
use crate::azure::power_platform::operations::Kind;
use crate::azure::power_platform::policies::{self, Draft, PolicyKind};
use crate::azure::power_platform::{self as platform, EnvironmentId, LinkStatus, Links, Started, SystemId};
use crate::azure::{CallError, Reader, Writer};
use crate::plan::{Binds, Hold, ReadBack, Step, StepError};
use crate::settings::encryption_keys::KeyRef;
use crate::settings::hosting;
use crate::settings::lifecycle::{self, Ended, Family};
use crate::settings::surface::Surface;
use crate::terms::ResourceId;

/// The first link of an environment.
pub(super) const NEW: Kind = Kind::NewCustomerManagedKey;
/// What links.
pub(super) const LINKED: &[Kind] = &[NEW, Kind::RotateCustomerManagedKey];
/// What changes the key: a reset puts the environment back on Microsoft's, and nothing is left of one that is deleted.
const ALL: &[Kind] = &[
    NEW,
    Kind::RotateCustomerManagedKey,
    Kind::RevertToMicrosoftKey,
    Kind::Reset,
    Kind::Delete,
    Kind::UpdateProtectionStatus,
];

/// What is done to an environment's link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    /// There is none before.
    First,
    /// There is one before. That the service calls this `RotateCustomerManagedKey` isn't documented, so both names count.
    Over,
    /// It is taken away.
    Away,
}

impl Link {
    /// What may have to be done, by what is wanted and what is there.
    pub(super) fn of(wanted: Option<&Wanted>, linked: Option<&platform::Link>) -> Self {
        match (wanted, linked) {
            (Some(Wanted::Microsoft), _) => Self::Away,
            (_, None) => Self::First,
            (_, Some(_)) => Self::Over,
        }
    }

    /// The operations that do it, as Power Platform calls them.
    pub(super) const fn family(self) -> Family {
        let begun: &[Kind] = match self {
            Self::First => &[NEW],
            Self::Over => LINKED,
            Self::Away => &[Kind::RevertToMicrosoftKey],
        };
        Family { begun, all: ALL }
    }
}

/// Creates an enterprise policy with an identity of its own.
pub(super) struct CreatePolicy {
    pub(super) policy: ResourceId,
    pub(super) location: String,
    pub(super) key: KeyRef,
}

impl CreatePolicy {
    fn draft(&self) -> Draft {
        let Self { policy: _, location, key: KeyRef { vault, name, version } } = self;
        Draft {
            location: location.clone(),
            vault: vault.resource().clone(),
            key: name.clone(),
            version: version.clone(),
        }
    }

    /// How a person creates it.
    pub(super) fn by_hand(&self) -> String {
        let version = self.operation().api_version.map(|version| format!("?api-version={version}")).unwrap_or_default();
        format!("`az rest --method put --url '{}{version}' --body '{}'`", self.policy, self.draft().body())
    }
}

#[async_trait(?Send)]
impl Step for CreatePolicy {
    fn title(&self) -> String {
        format!("create the enterprise policy {}", self.policy.name())
    }

    fn operation(&self) -> &'static Facts {
        PUT_ENTERPRISE_POLICY.facts()
    }

    fn binds(&self) -> Binds {
        let Self { policy, location, key: KeyRef { vault, name, version } } = self;
        let binds = Binds::none().and("policy", policy).and("location", location).and("vault", vault).and("key", name);
        version.iter().fold(binds, |binds, version| binds.and("version", version))
    }

    fn holds(&self) -> Vec<Hold> {
        vec![Hold::resource(&self.policy)]
    }

    /// One that came into being since is never replaced: whoever made it may mean another key.
    async fn write(&self, writer: &Writer) -> Result<(), StepError> {
        let policy = &self.policy;
        if policies::get(writer.reader(), policy).await?.is_some() {
            return Err(StepError::Stopped(format!("the policy {} is there by now", policy.name())));
        }
        policies::put(writer, policy, &self.draft()).await?;
        Ok(())
    }

    async fn read_back(&self, reader: &Reader) -> Result<ReadBack, CallError> {
        let Some(policy) = policies::get(reader, &self.policy).await? else {
            return Ok(ReadBack::NotYet("Azure doesn't show the policy".to_owned()));
        };
        if policy.kind != PolicyKind::Encryption || own_key(&policy).as_ref() != Some(&self.key) {
            return Ok(ReadBack::Gone("the policy that is there refers to something else".to_owned()));
        }
        Ok(match (policy.principal, policy.system_id) {
            (Some(_), Some(_)) => ReadBack::Shown,
            (None, _) => ReadBack::NotYet("the policy's identity isn't named yet".to_owned()),
            (_, None) => ReadBack::NotYet("the policy's system id isn't named yet".to_owned()),
        })
    }
}

/// What a change of the link rests on.
pub(super) struct Linking {
    pub(super) environment: EnvironmentId,
    pub(super) surface: Surface,
    /// Why it has to wait, as the look before the write showed.
    pub(super) busy: Option<String>,
    /// The operation that was begun, if the service named it.
    begun: RefCell<Option<String>>,
}

impl Linking {
    pub(super) fn new(environment: &EnvironmentId, surface: Surface, busy: Option<String>) -> Self {
        Self { environment: environment.clone(), surface, busy, begun: RefCell::default() }
    }

    fn bound(&self) -> Binds {
        let Self { environment, surface: _, busy: _, begun: _ } = self;
        Binds::none().and("environment", environment.as_str().to_lowercase())
    }

    fn may_begin(&self) -> Result<(), StepError> {
        self.busy.clone().map_or(Ok(()), |reason| Err(StepError::Late { reason, wrote: false }))
    }

    async fn links(&self, reader: &Reader) -> Result<Links, CallError> {
        Ok(hosting::environment(reader, &self.environment, self.surface).await?.links)
    }

    /// A conflict means that something goes on, or that it is as wished: the environment tells which.
    async fn began(
        &self,
        writer: &Writer,
        started: Started,
        link: Link,
        as_wished: impl Fn(&Links) -> bool,
    ) -> Result<(), StepError> {
        match started {
            Started::Accepted(handle) => {
                *self.begun.borrow_mut() = handle.operation_id();
                Ok(())
            }
            Started::Nothing => Ok(()),
            Started::Conflict(conflict) => {
                let links = self.links(writer.reader()).await;
                if as_wished(&links.map_err(|error| StepError::Unread(error.to_string()))?) {
                    return Ok(());
                }
                lifecycle::conflict(writer.reader(), &self.environment, self.surface, link.family(), &conflict).await
            }
        }
    }

    async fn goes_on(&self, reader: &Reader, link: Link) -> Result<ReadBack, CallError> {
        let begun = self.begun.borrow().clone();
        let ended = lifecycle::ended(reader, &self.environment, self.surface, link.family(), begun.as_deref()).await?;
        Ok(match ended {
            Ended::Failed(why) => ReadBack::Gone(why),
            Ended::NotYet(how_far) => ReadBack::NotYet(how_far),
            Ended::Running(operation) => {
                let id = begun.map(|id| format!(", operation {id}")).unwrap_or_default();
                let detail = format!(
                    "Power Platform is at work on it ({}{id}), which may take up to four days; users are locked out meanwhile",
                    operation.how_far()
                );
                ReadBack::UnderWay { since: operation.since, detail }
            }
        })
    }
}

/// Links an environment to a policy, over the one that it is linked to, if any.
pub(super) struct LinkPolicy {
    pub(super) linking: Linking,
    pub(super) policy: ResourceId,
    /// What Power Platform calls it; none as long as there is no policy.
    pub(super) system_id: Option<SystemId>,
    /// The policy that is linked before.
    pub(super) over: Option<ResourceId>,
}

impl LinkPolicy {
    fn link(&self) -> Link {
        if self.over.is_some() { Link::Over } else { Link::First }
    }

    fn is_linked(&self, links: &Links) -> bool {
        links
            .encryption
            .as_ref()
            .is_some_and(|link| link.policy.as_ref() == Some(&self.policy) && link.status == Some(LinkStatus::Linked))
    }
}

#[async_trait(?Send)]
impl Step for LinkPolicy {
    fn title(&self) -> String {
        format!("link the environment to the enterprise policy {}", self.policy.name())
    }

    fn operation(&self) -> &'static Facts {
        ADMIN_LINK_ENCRYPTION.facts()
    }

    fn binds(&self) -> Binds {
        // What Power Platform calls the policy comes into being with it.
        let Self { linking, policy, system_id: _, over } = self;
        let binds = linking.bound().and("policy", policy);
        over.iter().fold(binds, |binds, over| binds.and("replaces", over))
    }

    fn holds(&self) -> Vec<Hold> {
        vec![lifecycle::hold(&self.linking.environment)]
    }

    async fn write(&self, writer: &Writer) -> Result<(), StepError> {
        self.linking.may_begin()?;
        let Some(system_id) = &self.system_id else {
            let reason = format!("Power Platform has no name for the policy {} yet", self.policy.name());
            return Err(StepError::Late { reason, wrote: false });
        };
        let started = policies::link(writer, &self.linking.environment, system_id).await?;
        self.linking.began(writer, started, self.link(), |links| self.is_linked(links)).await
    }

    async fn read_back(&self, reader: &Reader) -> Result<ReadBack, CallError> {
        if self.is_linked(&self.linking.links(reader).await?) {
            return Ok(ReadBack::Shown);
        }
        self.linking.goes_on(reader, self.link()).await
    }
}

/// Unlinks an environment from the policy that it is linked to: back to Microsoft's key.
pub(super) struct UnlinkPolicy {
    pub(super) linking: Linking,
    /// The policy's id in Azure, if the service tells.
    pub(super) policy: Option<ResourceId>,
    pub(super) system_id: SystemId,
}

#[async_trait(?Send)]
impl Step for UnlinkPolicy {
    fn title(&self) -> String {
        "put the environment back on Microsoft's key".to_owned()
    }

    fn operation(&self) -> &'static Facts {
        ADMIN_UNLINK_ENCRYPTION.facts()
    }

    fn binds(&self) -> Binds {
        let Self { linking, policy, system_id } = self;
        let binds = linking.bound().and("system id", system_id.as_str().to_lowercase());
        policy.iter().fold(binds, |binds, policy| binds.and("policy", policy))
    }

    fn holds(&self) -> Vec<Hold> {
        vec![lifecycle::hold(&self.linking.environment)]
    }

    async fn write(&self, writer: &Writer) -> Result<(), StepError> {
        self.linking.may_begin()?;
        let started = policies::unlink(writer, &self.linking.environment, &self.system_id).await?;
        self.linking.began(writer, started, Link::Away, |links| links.encryption.is_none()).await
    }

    async fn read_back(&self, reader: &Reader) -> Result<ReadBack, CallError> {
        if self.linking.links(reader).await?.encryption.is_none() {
            return Ok(ReadBack::Shown);
        }
        self.linking.goes_on(reader, Link::Away).await
    }
}
