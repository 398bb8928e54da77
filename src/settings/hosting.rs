//! The Power Platform environment of an environment: where Power Platform's settings are read and changed.
//!
//! Invariants: that the service doesn't find an environment proves neither that it is gone nor that a right is missing, and both
//! are said; an environment that isn't known to belong to the instance beside it gets no change ([`Hosting::unbound`]).

use std::rc::Rc;

use uuid::Uuid;

use super::codes;
use super::observation::{Observation, Unreadable};
use super::reach::Hosted;
use super::surface::Surface;
use crate::azure::operations::{ADMIN_GET_ENVIRONMENT, ADMIN_LIST_ENVIRONMENTS};
use crate::azure::power_platform::environments::{self, Environment};
use crate::azure::power_platform::{EnvironmentId, may_be_hidden};
use crate::azure::{CallError, Look, Reader};
use crate::guard;
use crate::plan::{Address, Mode, Note, Observed};
use crate::terms::EnvironmentHead;

/// A Power Platform environment that answered.
#[derive(Debug, Clone)]
pub struct Hosting {
    /// What administration says of it.
    pub live: Rc<Environment>,
    /// Why it isn't known to be the instance's, or known not to be; none if it is, or if there is no instance beside it.
    pub unbound: Option<String>,
}

impl Hosting {
    /// What plans show of it, where there is no instance.
    pub fn observed(&self) -> Observed {
        let live = &self.live;
        let dataverse = live.dataverse.as_ref().and_then(|dataverse| dataverse.instance_url.as_deref());
        Observed {
            name: live.display_name.clone(),
            region: live.azure_region.clone().or_else(|| live.location.clone()),
            dataverse: dataverse.map(super::reach::organisation),
        }
    }

    /// A refusal, where the environment belongs to another tenant.
    pub fn another_tenant(&self, head: &EnvironmentHead, tenant: Uuid) -> Option<Note> {
        let found = self.live.tenant.filter(|found| *found != tenant)?;
        let message =
            format!("the Power Platform environment belongs to the tenant {found}, the configuration is for {tenant}");
        let note = Note::refusal(codes::TENANT_MISMATCH, Address::scope(&head.scope()), message);
        Some(note.help("correct `environmentId`, or `tenant.id`"))
    }

    /// A refusal, where the environment has another name than the file binds, and there is no instance to have it.
    pub fn another_name(&self, head: &EnvironmentHead) -> Option<Note> {
        let declared = head.name.as_ref().filter(|declared| self.live.display_name.as_ref() != Some(declared))?;
        let found = self.live.display_name.as_deref().unwrap_or("without a name");
        let message = format!("the live environment is called `{found}`, the configuration says `{declared}`");
        let note = Note::refusal(guard::codes::NAME_MISMATCH, Address::scope(&head.scope()), message);
        Some(note.help("make sure that `environmentId` is right, then correct `name`"))
    }
}

/// What an environment says of its Dataverse organisation: that it has none, or its address. An organisation without an address is
/// neither.
pub(super) fn hosted(live: &Environment) -> Observation<Hosted> {
    match &live.dataverse {
        None => Ok(Hosted { dataverse: None }),
        Some(dataverse) => match &dataverse.instance_url {
            Some(address) => Ok(Hosted { dataverse: Some(address.clone()) }),
            None => Err(Unreadable::because(
                "Power Platform doesn't tell the address of the environment's Dataverse organisation",
            )),
        },
    }
}

/// An environment by whichever contract may be used. The published one doesn't tell all of it.
pub async fn environment(reader: &Reader, id: &EnvironmentId, surface: Surface) -> Result<Environment, CallError> {
    match surface.mode(ADMIN_GET_ENVIRONMENT.facts().provenance) {
        Mode::Automatic => environments::get(reader, id).await,
        Mode::Manual => environments::get_published(reader, id).await.map(Environment::from),
    }
}

/// All environments of the tenant that the identity may administer, by whichever contract may be used.
pub async fn environments(reader: &Reader, surface: Surface) -> Result<Vec<Environment>, CallError> {
    match surface.mode(ADMIN_LIST_ENVIRONMENTS.facts().provenance) {
        Mode::Automatic => environments::list(reader).await,
        Mode::Manual => Ok(environments::list_published(reader).await?.into_iter().map(Environment::from).collect()),
    }
}

/// Reads the environment that the file names.
pub(super) async fn read(look: &Look, head: &EnvironmentHead, surface: Surface) -> Observation<Rc<Environment>> {
    let named = head.environment_id.as_deref().map(EnvironmentId::new);
    let Some(Ok(id)) = named else {
        return Err(Unreadable::because("the configuration names no `environmentId`"));
    };
    let read = match surface.mode(ADMIN_GET_ENVIRONMENT.facts().provenance) {
        Mode::Automatic => look.environment(&id).await,
        Mode::Manual => look.published_environment(&id).await,
    };
    read.map_err(|error| match may_be_hidden(&error) {
        true => {
            let reason = format!(
                "Power Platform finds no environment {id}: there is none, or this identity may not administer it, for which the \
                 service says the same; an app has to be registered with Power Platform by an administrator first"
            );
            Unreadable::from_operation(error.operation, reason)
        }
        false => error.into(),
    })
}

/// For tests of settings that have nothing to do with it.
#[cfg(test)]
pub(crate) fn not_asked() -> Unreadable {
    Unreadable::because("Power Platform was not asked")
}
