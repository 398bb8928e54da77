//! The two writes of `users`, and how to see that they took effect.
//!
//! Invariants: a step binds the principal's object id, never a name or a spelling; what the service lists by several
//! spellings is written by each of them.

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::assignments::{self, Assignments};
use super::caller;
use crate::azure::customer_insights::{self as ci, Instance};
use crate::azure::operations::{DELETE_ASSIGNMENT, Facts, PUT_ASSIGNMENT};
use crate::azure::{CallError, Reader, Writer};
use crate::plan::{Binds, ReadBack, Step, StepError};
use crate::terms::ObjectId;

/// Whom a step writes about.
#[derive(Debug, Clone)]
pub(super) struct Subject {
    /// The principal.
    pub(super) id: ObjectId,
    /// The ids under which the service may list it.
    pub(super) listed_as: BTreeSet<ObjectId>,
    /// The texts by which the service lists it now; none if it doesn't.
    pub(super) spellings: BTreeSet<String>,
    /// The ids of which a list must hold at least one to be believed; none if that isn't known.
    pub(super) witnesses: BTreeSet<ObjectId>,
    /// For a person.
    pub(super) label: String,
}

impl Subject {
    fn binds(&self, instance: &Instance) -> Binds {
        // The other ids and the spellings lead to the same principal, by the directory and by the service.
        let Self { id, listed_as: _, spellings: _, witnesses: _, label: _ } = self;
        binds(*id, instance)
    }

    /// Why a list isn't to be believed.
    fn contradiction(&self, list: &Assignments) -> Option<ReadBack> {
        if self.witnesses.is_empty() {
            return None;
        }
        caller::vouched(list, &self.witnesses).err().map(|unreadable| ReadBack::NotYet(unreadable.reason))
    }
}

/// What a principal's removal binds.
pub(super) fn binds(principal: ObjectId, instance: &Instance) -> Binds {
    Binds::none().and("instance", instance.id).and("principal", principal)
}

/// Gives a principal exactly one role.
pub(super) struct GiveRole {
    pub(super) instance: Instance,
    pub(super) subject: Subject,
    pub(super) principal_type: &'static str,
    pub(super) role: String,
    /// Whom the role reaches through a group, as the plan said.
    pub(super) reach: Option<String>,
}

/// Takes a principal's roles away.
pub(super) struct TakeRoles {
    pub(super) instance: Instance,
    pub(super) subject: Subject,
}

#[async_trait(?Send)]
impl Step for GiveRole {
    fn title(&self) -> String {
        format!("give {} the role {}", self.subject.label, self.role)
    }

    fn operation(&self) -> &'static Facts {
        PUT_ASSIGNMENT.facts()
    }

    fn binds(&self) -> Binds {
        let Self { instance, subject, principal_type, role, reach } = self;
        let binds = subject.binds(instance).and("principalType", principal_type).and("role", role);
        reach.iter().fold(binds, |binds, reach| binds.and("members", reach))
    }

    async fn write(&self, writer: &Writer) -> Result<(), StepError> {
        let Self { instance, subject, principal_type, role, reach: _ } = self;
        if subject.spellings.is_empty() {
            let id = subject.id.to_string();
            return Ok(ci::put_assignment(writer, instance, &id, principal_type, role).await?);
        }
        for spelling in &subject.spellings {
            ci::put_assignment(writer, instance, spelling, principal_type, role).await?;
        }
        Ok(())
    }

    async fn read_back(&self, reader: &Reader) -> Result<ReadBack, CallError> {
        let list = assignments::now(reader, &self.instance).await?;
        if let Some(doubt) = self.subject.contradiction(&list) {
            return Ok(doubt);
        }
        let held = list.under(&self.subject.listed_as);
        Ok(match held.iter().find(|held| !held.is_exactly(&self.role)) {
            Some(held) => ReadBack::NotYet(format!("the service shows {} for it", roles(&held.roles))),
            None if held.is_empty() => ReadBack::NotYet("the service doesn't list it".to_owned()),
            None => ReadBack::Shown,
        })
    }
}

#[async_trait(?Send)]
impl Step for TakeRoles {
    fn title(&self) -> String {
        format!("remove {}", self.subject.label)
    }

    fn operation(&self) -> &'static Facts {
        DELETE_ASSIGNMENT.facts()
    }

    fn binds(&self) -> Binds {
        let Self { instance, subject } = self;
        subject.binds(instance)
    }

    async fn write(&self, writer: &Writer) -> Result<(), StepError> {
        for spelling in &self.subject.spellings {
            ci::delete_assignment(writer, &self.instance, spelling).await?;
        }
        Ok(())
    }

    async fn read_back(&self, reader: &Reader) -> Result<ReadBack, CallError> {
        let list = assignments::now(reader, &self.instance).await?;
        if let Some(doubt) = self.subject.contradiction(&list) {
            return Ok(doubt);
        }
        Ok(match list.under(&self.subject.listed_as).first() {
            Some(held) => ReadBack::NotYet(format!("the service still shows {} for it", roles(&held.roles))),
            None if list.nameless > 0 => ReadBack::NotYet(assignments::incomplete(list.nameless).reason),
            None => ReadBack::Shown,
        })
    }
}

fn roles(roles: &BTreeSet<String>) -> String {
    let names: Vec<&str> = roles.iter().map(String::as_str).collect();
    if names.is_empty() { "no role".to_owned() } else { names.join(" and ") }
}
