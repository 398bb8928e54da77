//! The two writes of `users`, and how to see that they took effect.

use async_trait::async_trait;

use super::observe::{self, Assignments};
use crate::azure::customer_insights::{self as ci, Instance};
use crate::azure::operations::{DELETE_ASSIGNMENT, Facts, PUT_ASSIGNMENT};
use crate::azure::{CallError, Reader, Writer};
use crate::plan::{Binds, ReadBack, Step, StepError};

/// Gives a principal exactly one role.
pub(super) struct GiveRole {
    pub(super) instance: Instance,
    pub(super) principal_id: String,
    pub(super) principal_type: &'static str,
    pub(super) role: String,
    pub(super) label: String,
}

/// Takes a principal's roles away.
pub(super) struct TakeRoles {
    pub(super) instance: Instance,
    pub(super) principal_id: String,
    pub(super) label: String,
}

#[async_trait(?Send)]
impl Step for GiveRole {
    fn title(&self) -> String {
        format!("give {} the role {}", self.label, self.role)
    }

    fn operation(&self) -> &'static Facts {
        PUT_ASSIGNMENT.facts()
    }

    fn binds(&self) -> Binds {
        let Self { instance, principal_id, principal_type, role, label: _ } = self;
        let binds = Binds::none().and("instance", instance.id).and("principal", principal_id);
        binds.and("principalType", principal_type).and("role", role)
    }

    async fn write(&self, writer: &Writer) -> Result<(), StepError> {
        let Self { instance, principal_id, principal_type, role, label: _ } = self;
        Ok(ci::put_assignment(writer, instance, principal_id, principal_type, role).await?)
    }

    async fn read_back(&self, reader: &Reader) -> Result<ReadBack, CallError> {
        let list = observe::assignments_now(reader, &self.instance).await?;
        let held = list.held.get(&self.principal_id);
        Ok(match held {
            Some(held) if held.is_exactly(&self.role) => ReadBack::Shown,
            Some(held) => ReadBack::NotYet(format!("the service shows {} for it", roles(&held.roles))),
            None => ReadBack::NotYet("the service doesn't list it".to_owned()),
        })
    }
}

#[async_trait(?Send)]
impl Step for TakeRoles {
    fn title(&self) -> String {
        format!("remove {}", self.label)
    }

    fn operation(&self) -> &'static Facts {
        DELETE_ASSIGNMENT.facts()
    }

    fn binds(&self) -> Binds {
        let Self { instance, principal_id, label: _ } = self;
        Binds::none().and("instance", instance.id).and("principal", principal_id)
    }

    async fn write(&self, writer: &Writer) -> Result<(), StepError> {
        Ok(ci::delete_assignment(writer, &self.instance, &self.principal_id).await?)
    }

    async fn read_back(&self, reader: &Reader) -> Result<ReadBack, CallError> {
        let Assignments { held, nameless } = observe::assignments_now(reader, &self.instance).await?;
        Ok(match held.get(&self.principal_id) {
            Some(held) => ReadBack::NotYet(format!("the service still shows {} for it", roles(&held.roles))),
            None if nameless > 0 => ReadBack::NotYet(observe::incomplete(nameless).reason),
            None => ReadBack::Shown,
        })
    }
}

fn roles(roles: &std::collections::BTreeSet<String>) -> String {
    let names: Vec<&str> = roles.iter().map(String::as_str).collect();
    if names.is_empty() { "no role".to_owned() } else { names.join(" and ") }
}
