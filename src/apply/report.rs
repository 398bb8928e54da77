//! How a plan ended: what `apply --format json` prints.
//!
//! Fields may be added within a format number, never renamed.

use serde::Serialize;

use super::remaining::Remaining;
use crate::plan::{Action, Address, Change, Plan, Target};

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
}

impl Outcome {
    /// An outcome of a change for which nothing was sent.
    pub fn unsent(status: Status, reason: impl Into<String>) -> Self {
        Self { status, reason: reason.into(), wrote: false, left_to_others: false, unread: false }
    }

    /// An outcome of a change for which nothing was sent, since a look before its write could not be read.
    pub fn unread(reason: impl Into<String>) -> Self {
        Self { unread: true, ..Self::unsent(Status::NotStarted, reason) }
    }

    /// An outcome of a change for which a write was sent.
    pub fn sent(status: Status, reason: impl Into<String>) -> Self {
        Self { status, reason: reason.into(), wrote: true, left_to_others: false, unread: false }
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
    pub scope: String,
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
}

impl Applied {
    /// Joins a change with its outcome.
    pub fn of(scope: &str, change: &Change, outcome: Outcome) -> Self {
        let Outcome { status, reason, wrote, left_to_others: _, unread } = outcome;
        Self {
            scope: scope.to_owned(),
            address: change.address.clone(),
            subject: change.subject.clone(),
            action: change.action,
            status,
            reason,
            wrote,
            unread,
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
    pub scope: String,
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
    /// Counts.
    pub summary: Totals,
}

/// Counts over a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// Done.
    pub done: usize,
    /// Failed.
    pub failed: usize,
    /// Not started.
    pub not_started: usize,
    /// Waiting.
    pub waiting: usize,
    /// Refused.
    pub refused: usize,
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
        }
        Self {
            format: FORMAT,
            intent_digest: plan.intent_digest.clone(),
            target: plan.target.clone(),
            changes,
            refused,
            left,
            remaining: Remaining::default(),
            summary,
        }
    }

    /// Whether anything was sent to a service.
    pub fn wrote(&self) -> bool {
        self.changes.iter().any(|applied| applied.wrote)
    }
}
