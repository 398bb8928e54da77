//! How one scope is doing.

use super::report::{Outcome, Status};
use crate::plan::{Address, Change, Impact};
use crate::terms::Scope;

/// What ended in one scope, so far.
#[derive(Default)]
pub(super) struct Progress {
    /// Settings in which a change failed, or turned out to be another one.
    troubled: Vec<String>,
    /// Whether anything was sent.
    pub(super) wrote: bool,
    /// The outage that the service works on, for hours or days.
    outage: Option<Address>,
}

impl Progress {
    pub(super) fn ended(&mut self, change: &Change, outcome: &Outcome) {
        if matches!(outcome.status, Status::Failed | Status::Refused | Status::NotStarted) {
            self.troubled.push(change.setting.clone());
        }
        self.wrote |= outcome.wrote;
        if change.impact == Impact::Outage && outcome.is_under_way() {
            self.outage.get_or_insert_with(|| change.address.clone());
        }
    }

    /// Why a change isn't begun that would end a key: while the environment is down, its consumers might not get the new one.
    pub(super) fn frozen(&self, change: &Change) -> Option<Outcome> {
        self.outage.as_ref().filter(|_| change.action.ends_a_key()).map(Outcome::frozen)
    }

    /// Whether nothing is taken away any more, since a change went wrong: in the same environment, or in the same setting of the
    /// tenant. What merely waits holds up only what requires it.
    pub(super) fn trouble(&self, change: &Change) -> bool {
        let of_tenant = change.address.belongs_to(&Scope::Tenant);
        self.troubled.iter().any(|setting| !of_tenant || *setting == change.setting)
    }
}
