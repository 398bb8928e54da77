//! Findings → plan.

use jiff::Timestamp;

use super::change::Direction;
use super::document::{FORMAT, Observed, Plan, ScopePlan, Summary, Target, Tool, Unknown};
use super::findings::{Findings, Planned};
use super::note::Note;
use super::saved::VALIDITY;
use crate::config::EnvironmentHead;

/// Everything that was found out about one environment.
pub struct Account {
    /// What the file says that it is.
    pub head: EnvironmentHead,
    /// What the service says that it is.
    pub observed: Option<Observed>,
    /// What kept palisade from looking at its settings at all.
    pub unknown: Vec<Unknown>,
    /// Notes about the environment itself.
    pub notes: Vec<Note>,
    /// The findings of each declared setting.
    pub findings: Vec<Findings>,
}

/// What a plan is derived from, besides the accounts.
#[derive(Debug, Clone)]
pub struct Derivation {
    /// Hash of the merged configuration.
    pub config_digest: String,
    /// What the plan is for.
    pub target: Target,
    /// The instant that counts as now.
    pub now: Timestamp,
}

impl Account {
    /// The changes with their steps, in the order in which they are to be done: what a change requires before it, what
    /// adds before what takes away, then what hardens before what weakens. Otherwise an environment could be without an
    /// Admin half-way.
    pub fn ordered(&self) -> Vec<&Planned> {
        let mut planned: Vec<_> = self.findings.iter().flat_map(|findings| &findings.changes).collect();
        planned.sort_by_key(|planned| {
            let weakens = planned.change.direction == Direction::Weakens;
            (planned.takes_away, weakens, planned.change.address.clone())
        });
        let mut ordered: Vec<&Planned> = Vec::with_capacity(planned.len());
        while !planned.is_empty() {
            let waits =
                |one: &&Planned| planned.iter().any(|other| one.requires.as_ref() == Some(&other.change.address));
            // A circle can't be ordered; it keeps the order that it has.
            let next = planned.iter().position(|one| !waits(one)).unwrap_or(0);
            ordered.push(planned.remove(next));
        }
        ordered
    }

    fn scope_plan(&self) -> ScopePlan {
        let Self { head, observed, unknown, notes: _, findings } = self;
        let mut unknown = unknown.clone();
        let mut waiting = Vec::new();
        for findings in findings {
            unknown.extend(findings.unknown.iter().cloned());
            waiting.extend(findings.waiting.iter().cloned());
        }
        unknown.sort_by(|a, b| a.address.cmp(&b.address));
        waiting.sort_by(|a, b| a.address.cmp(&b.address));
        ScopePlan {
            scope: head.key.clone(),
            instance_id: head.instance_id.to_string(),
            environment_id: head.environment_id.clone(),
            observed: observed.clone(),
            in_sync: findings.iter().map(|findings| findings.in_sync).sum(),
            changes: self.ordered().into_iter().map(|planned| planned.change.clone()).collect(),
            unknown,
            waiting,
        }
    }
}

/// Makes the plan. `guard_notes` are what the guards said about the same accounts.
pub fn derive(derivation: &Derivation, accounts: &[Account], guard_notes: Vec<Note>) -> Plan {
    let Derivation { config_digest, target, now } = derivation;
    let scopes: Vec<_> = accounts.iter().map(Account::scope_plan).collect();
    let mut notes: Vec<Note> = accounts
        .iter()
        .flat_map(|account| account.notes.iter().chain(account.findings.iter().flat_map(|findings| &findings.notes)))
        .cloned()
        .chain(guard_notes)
        .collect();
    let position = |note: &Note| scopes.iter().position(|scope| note.address.is_in(&scope.scope));
    notes.sort_by(|a, b| {
        (a.severity, position(a), &a.address, a.code).cmp(&(b.severity, position(b), &b.address, b.code))
    });
    notes.dedup();
    // Whole seconds: nobody needs more, and a person can compare them.
    let now = Timestamp::from_second(now.as_second()).unwrap_or(*now);
    let mut plan = Plan {
        format: FORMAT.to_owned(),
        tool: Tool { name: "palisade".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        intent_digest: String::new(),
        config_digest: config_digest.clone(),
        created_at: now,
        assumed_now: now,
        expires_at: now.saturating_add(VALIDITY).unwrap_or(Timestamp::MAX),
        target: target.clone(),
        summary: Summary::of(&scopes),
        scopes,
        notes,
        seal: String::new(),
    };
    plan.intent_digest = plan.computed_intent_digest();
    plan.seal = plan.computed_seal();
    plan
}
