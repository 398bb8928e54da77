//! What is left to do after a run, by a look of its own. Pure.
//!
//! A repair that was read back may leave keys that wait for a person; a link that was added brings connections that aren't
//! approved. A plan at the same instant would say so, and so does the report.

use serde::Serialize;

use super::report::{Applied, Report, Status};
use crate::plan::{Action, Address, Note, Plan, WaitingFor};

/// What is left to do.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Remaining {
    /// What waits.
    pub waiting: Vec<Still>,
    /// What could not be read.
    pub unknown: Vec<Still>,
    /// Changes that a new plan would hold.
    pub changes: Vec<Still>,
    /// What a person has to put right: findings, and what refuses the next plan.
    pub findings: Vec<Still>,
}

/// One thing that is left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Still {
    /// What.
    pub address: Address,
    /// What about it.
    pub detail: String,
    /// What a new plan would do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
}

impl Remaining {
    /// What `after`, a plan of scopes in which something was written, shows beyond what `before` and the report say already.
    pub fn of(after: &Plan, before: &Plan, report: &Report) -> Self {
        let still = |address: &Address, detail: String| Still { address: address.clone(), detail, action: None };
        let told = |address: &Address| {
            let open = |one: &Applied| one.address == *address && one.status != Status::Done;
            report.changes.iter().any(open) || report.left.iter().any(|left| left.address == *address)
        };
        let known =
            |note: &&Note| before.pending_findings().any(|one| one.code == note.code && one.address == note.address);
        let mut remaining = Self::default();
        for scope in &after.scopes {
            for waiting in scope.waiting.iter().filter(|one| !told(&one.address)) {
                let whom = match waiting.waiting_for {
                    WaitingFor::Service => "for the service",
                    WaitingFor::Person => "for a person",
                };
                remaining.waiting.push(still(&waiting.address, format!("{whom}: {}", waiting.detail)));
            }
            // What the plan said already isn't said again; what can't be read since then is news, also where something waits.
            let was_unknown = |address: &Address| {
                before.scopes.iter().flat_map(|scope| &scope.unknown).any(|unknown| unknown.address == *address)
            };
            let unknown = scope.unknown.iter().filter(|one| !was_unknown(&one.address));
            remaining.unknown.extend(unknown.map(|one| still(&one.address, one.reason.clone())));
            // What only time brings is another run's to do.
            let wanted =
                scope.changes.iter().filter(|change| !told(&change.address) && !change.action.comes_with_time());
            remaining.changes.extend(
                wanted.map(|change| Still {
                    action: Some(change.action),
                    ..still(&change.address, change.reason.clone())
                }),
            );
        }
        let findings = after.pending_findings().filter(|note| !known(note) && !note.bearing.aside);
        remaining.findings.extend(findings.map(|note| still(&note.address, note.message.clone())));
        let was_refused =
            |note: &&Note| before.refusals().any(|one| one.code == note.code && one.address == note.address);
        let refused = after.refusals().filter(|note| !was_refused(note));
        remaining.findings.extend(
            refused.map(|note| {
                still(&note.address, format!("the next plan is refused ({}): {}", note.code, note.message))
            }),
        );
        remaining
    }
}
