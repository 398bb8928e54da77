//! How a plan ended: what `apply --format json` prints.
//!
//! Fields may be added within a format number, never renamed.

use jiff::Timestamp;
use serde::Serialize;

use super::remaining::Remaining;
use crate::plan::{Action, Address, Change, Held, ManualStep, Plan, Target, Unknown, WaitingFor};
use crate::terms::Scope;

/// The format's name and number.
pub const FORMAT: &str = "palisade.apply/1";

/// How a change ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Status {
    /// The desired state was read back.
    Done,
    /// It was tried, and the desired state wasn't reached.
    Failed,
    /// Nothing was sent for it.
    NotStarted,
    /// The service took it, and its effect doesn't show yet; or a person has to do it.
    Waiting,
    /// A guard, or a state that isn't the approved one, stopped it before anything was sent for it.
    Refused,
}

/// A status with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended.
    pub status: Status,
    /// Why, for a person.
    pub reason: String,
    /// Whether a write was sent.
    pub wrote: bool,
    /// Whether palisade's own part of it is done, and only others keep it from being as declared.
    pub left_to_others: bool,
    /// Whether it isn't known if the change is still to be made, since a look before its write could not be read.
    pub unread: bool,
    /// For whom it waits, where that is known.
    pub waiting_for: Option<WaitingFor>,
    /// Since when the service works on it, where it tells.
    pub since: Option<Timestamp>,
    /// The change that kept it from being made: one that it requires, or an outage that is under way.
    pub held_up_by: Option<Address>,
}

impl Outcome {
    fn new(status: Status, reason: String, wrote: bool) -> Self {
        Self {
            status,
            reason,
            wrote,
            left_to_others: false,
            unread: false,
            waiting_for: None,
            since: None,
            held_up_by: None,
        }
    }

    /// An outcome of a change for which nothing was sent.
    pub fn unsent(status: Status, reason: impl Into<String>) -> Self {
        Self::new(status, reason.into(), false)
    }

    /// An outcome of a change for which nothing was sent, since a look before its write could not be read.
    pub fn unread(reason: impl Into<String>) -> Self {
        Self { unread: true, ..Self::unsent(Status::NotStarted, reason) }
    }

    /// An outcome of a change for which a write was sent.
    pub fn sent(status: Status, reason: impl Into<String>) -> Self {
        Self::new(status, reason.into(), true)
    }

    /// An outcome of a write that the service accepted, and works on for longer than a run waits.
    pub(super) fn under_way(since: Option<Timestamp>, detail: &str) -> Self {
        let began = since.map(|since| format!(" since {since}")).unwrap_or_default();
        let reason = format!("the service accepted it and works on it{began}: {detail}; a later run sees how it ends");
        Self { waiting_for: Some(WaitingFor::Service), since, ..Self::sent(Status::Waiting, reason) }
    }

    /// Whether the service works on the change itself, begun by this run or another one.
    pub(super) fn is_under_way(&self) -> bool {
        let of_itself = self.status == Status::Waiting && self.held_up_by.is_none();
        of_itself && self.waiting_for == Some(WaitingFor::Service)
    }

    /// An outcome of a change that isn't begun since it would end a key, and `other` takes the environment from its users.
    pub(super) fn frozen(other: &Address) -> Self {
        let reason = format!("no key is rotated or retired while {other} is under way; a later run does it");
        Self { waiting_for: Some(WaitingFor::Service), ..Self::unsent(Status::Waiting, reason) }.because_of(other)
    }

    /// An outcome of an approved change that isn't wanted now, since it waits for something.
    pub(super) fn held(held: &Held) -> Self {
        let Held { waiting_for, since, detail: _ } = held;
        let reason = format!("not sent: {held}");
        Self { waiting_for: *waiting_for, since: *since, ..Self::unsent(Status::Waiting, reason) }
    }

    /// An outcome of a change that a person makes.
    pub(super) fn left_to_a_person() -> Self {
        let reason = "a person has to do it: no operation is published";
        Self { waiting_for: Some(WaitingFor::Person), ..Self::unsent(Status::Waiting, reason) }
    }

    /// This outcome, which another change brought about.
    pub(super) fn because_of(self, required: &Address) -> Self {
        Self { held_up_by: Some(required.clone()), ..self }
    }

    /// An outcome of a removal after which who is left could not be read.
    pub(super) fn but_unseen(self, reason: &str) -> Self {
        let reason = format!("{}, but who is left could not be read: {reason}", self.reason);
        Self { status: Status::Failed, reason, ..self }
    }
}

/// One change with its outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Applied {
    /// The environment.
    pub scope: Scope,
    /// The change.
    pub address: Address,
    /// What the address stands for.
    pub subject: String,
    /// What was to be done.
    pub action: Action,
    /// How it ended.
    pub status: Status,
    /// Why.
    pub reason: String,
    /// Whether a write was sent for it.
    pub wrote: bool,
    /// Whether it wasn't started because a look before its write could not be read.
    pub unread: bool,
    /// For whom it waits, where that is known.
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    pub waiting_for: Option<WaitingFor>,
    /// Since when the service works on it, where it tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// The change that kept it from being made: one that it requires, or an outage that is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_up_by: Option<Address>,
    /// What a person has to do, if it waits for that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manual: Option<ManualStep>,
}

impl Applied {
    /// Joins a change with its outcome.
    pub fn of(scope: &Scope, change: &Change, outcome: Outcome) -> Self {
        let Outcome { status, reason, wrote, left_to_others: _, unread, waiting_for, since, held_up_by } = outcome;
        // What has to wait for something else isn't anybody's to do yet.
        let now = status == Status::Waiting && held_up_by.is_none();
        let manual = change.manual().filter(|_| now).cloned();
        Self {
            scope: scope.clone(),
            address: change.address.clone(),
            subject: change.subject.clone(),
            action: change.action,
            status,
            reason,
            wrote,
            unread,
            waiting_for,
            since,
            held_up_by,
            manual,
        }
    }
}

impl Applied {
    /// Whether it got done, or is under way.
    pub(super) fn went_well(&self) -> bool {
        matches!(self.status, Status::Done | Status::Waiting)
    }

    /// Whether it makes its environment count as failed.
    pub(super) fn failed(&self) -> bool {
        self.status == Status::Failed
    }
}

/// A scope in which nothing was begun, since a guard refused it or something else would be done than was approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RefusedScope {
    /// The scope.
    pub scope: Scope,
    /// Why.
    pub reasons: Vec<String>,
}

/// A wanted change without an approval, left for another run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Left {
    /// The change.
    pub address: Address,
    /// What is to be done.
    pub action: Action,
    /// Why it is left.
    pub reason: String,
}

/// The account of a whole run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// [`FORMAT`].
    pub format: &'static str,
    /// The approved intent.
    pub intent_digest: String,
    /// What it was applied to.
    pub target: Target,
    /// Every change of the plan, in its order, and what was approved and is in effect already.
    pub changes: Vec<Applied>,
    /// Scopes in which nothing was begun, and why.
    pub refused: Vec<RefusedScope>,
    /// What only time brought, without an approval.
    pub left: Vec<Left>,
    /// What a look after the last write shows that is left to do.
    pub remaining: Remaining,
    /// What could not be read before anything was done, and may hide changes.
    pub unknown: Vec<Unknown>,
    /// Counts.
    pub summary: Totals,
}

/// Counts over a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// Done, by this run or before it.
    pub done: usize,
    /// Of those, changes that were in effect already, so that nothing was sent.
    pub in_effect: usize,
    /// Failed.
    pub failed: usize,
    /// Not started.
    pub not_started: usize,
    /// Waiting.
    pub waiting: usize,
    /// Refused.
    pub refused: usize,
    /// What could not be read, before anything was done or after it.
    pub unknown: usize,
}

impl Report {
    /// The account of `changes`.
    pub fn of(plan: &Plan, changes: Vec<Applied>, refused: Vec<RefusedScope>, left: Vec<Left>) -> Self {
        let mut summary = Totals::default();
        for applied in &changes {
            *match applied.status {
                Status::Done => &mut summary.done,
                Status::Failed => &mut summary.failed,
                Status::NotStarted => &mut summary.not_started,
                Status::Waiting => &mut summary.waiting,
                Status::Refused => &mut summary.refused,
            } += 1;
            summary.in_effect += usize::from(applied.status == Status::Done && !applied.wrote);
        }
        summary.unknown = plan.summary.unknown;
        Self {
            format: FORMAT,
            intent_digest: plan.intent_digest.clone(),
            target: plan.target.clone(),
            changes,
            refused,
            left,
            remaining: Remaining::default(),
            unknown: plan.scopes.iter().flat_map(|scope| &scope.unknown).cloned().collect(),
            summary,
        }
    }

    /// Adds what a look after the last write shows.
    pub fn look_after(&mut self, remaining: Remaining) {
        self.summary.unknown += remaining.unknown.len();
        self.remaining = remaining;
    }

    /// Whether anything was sent to a service for this scope.
    pub fn wrote_in(&self, scope: &Scope) -> bool {
        self.changes.iter().any(|applied| applied.wrote && applied.scope == *scope)
    }

    /// Whether anything was sent to a service.
    pub fn wrote(&self) -> bool {
        self.changes.iter().any(|applied| applied.wrote)
    }
}
