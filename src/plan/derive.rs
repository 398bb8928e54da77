//! Findings → plan.

use jiff::Timestamp;
use serde_json::Value as Json;

use super::change::{Address, Change};
use super::document::{FORMAT, Identity, Plan, ScopePlan, Summary, Target, Tool, Unknown};
use super::findings::{Findings, Planned};
use super::note::Note;
use super::only::Only;
use super::order::{self, Order, order};
use super::places::Places;
use super::saved::VALIDITY;
use crate::terms::{Head, TenantHead};

/// Everything that was found out about one environment.
pub struct Account {
    /// What the file says that it is.
    pub head: Head,
    /// Where it is declared, with its settings and their parts.
    pub places: Places,
    /// Hash of its merged declaration, without what people attest.
    pub declaration: String,
    /// What the service says that it is.
    pub observed: Option<Observed>,
    /// What kept palisade from looking at its settings at all.
    pub unknown: Vec<Unknown>,
    /// Notes about the environment itself.
    pub notes: Vec<Note>,
    /// The findings of each declared setting.
    pub findings: Vec<Findings>,
}

/// The environment as the service describes it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Observed {
    /// Display name.
    pub name: Option<String>,
    /// Region.
    pub region: Option<String>,
    /// Address of the linked Dataverse organisation.
    pub dataverse: Option<String>,
}

/// One setting of an environment, looked at again for a write.
pub struct Sighting {
    /// What the service says that the environment is; none where it must not be touched anyway.
    pub observed: Option<Observed>,
    /// What was found, with whatever refuses the environment as a whole.
    pub findings: Findings,
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
    /// How many removals the run may make, where more than the usual budget was asked for.
    pub allow_removals: Option<usize>,
    /// What the plan is limited to.
    pub only: Only,
}

impl Account {
    fn scope_plan(&self, ordered: Vec<&Planned>) -> ScopePlan {
        let Self { head, places, declaration, observed, unknown, notes: _, findings } = self;
        let mut unknown = unknown.clone();
        let mut waiting = Vec::new();
        for findings in findings {
            unknown.extend(findings.unknown.iter().cloned());
            waiting.extend(findings.waiting.iter().cloned());
        }
        for entry in &mut unknown {
            entry.source = places.nearest(&entry.address).cloned();
        }
        unknown.sort_by(|a, b| a.address.cmp(&b.address));
        waiting.sort_by(|a, b| a.address.cmp(&b.address));
        ScopePlan {
            scope: head.scope(),
            identity: identity(head, observed.clone().unwrap_or_default()),
            declaration: declaration.clone(),
            in_sync: findings.iter().map(|findings| findings.in_sync).sum(),
            in_effect: sorted(findings.iter().flat_map(|findings| &findings.in_effect)),
            complete: sorted(findings.iter().flat_map(|findings| &findings.complete)),
            listed: findings.iter().flat_map(|findings| &findings.listed).cloned().collect(),
            behind: findings.iter().flat_map(|findings| &findings.behind).cloned().collect(),
            changes: ordered.into_iter().map(|planned| planned.change.clone()).collect(),
            unknown,
            waiting,
        }
    }
}

fn identity(head: &Head, Observed { name, region, dataverse }: Observed) -> Identity {
    match head {
        Head::Tenant(TenantHead { id, place: _ }) => Identity::Tenant { tenant_id: id.to_string() },
        Head::Environment(head) => Identity::Environment {
            instance_id: head.instance_id.map(|id| id.to_string()),
            environment_id: head.environment_id.clone(),
            name,
            region,
            dataverse,
        },
    }
}

fn sorted<'a>(addresses: impl Iterator<Item = &'a Address>) -> Vec<Address> {
    let mut addresses: Vec<Address> = addresses.cloned().collect();
    addresses.sort();
    addresses.dedup();
    addresses
}

/// Makes the plan. `guard_notes` are what the guards said about the same accounts.
pub fn derive(derivation: &Derivation, accounts: &[Account], guard_notes: Vec<Note>) -> Plan {
    let Derivation { config_digest, target, now, allow_removals, only } = derivation;
    let Order { scopes: ordered, circles } = order(accounts);
    let mut scopes: Vec<_> =
        accounts.iter().zip(ordered).map(|(account, ordered)| account.scope_plan(ordered)).collect();
    let mut outside = 0;
    for (scope, account) in scopes.iter_mut().zip(accounts) {
        outside += only.narrow(scope);
        let digest = |intent: &Json| scope.digest(intent, target, *allow_removals);
        let rest = |change: &Change| -> Vec<String> {
            let planned = account.findings.iter().flat_map(|findings| &findings.changes);
            let same = planned.filter(|planned| planned.change.address == change.address);
            same.flat_map(|planned| planned.remainders.iter().map(digest)).collect()
        };
        let digests: Vec<_> = scope.changes.iter().map(|change| (digest(&change.intent()), rest(change))).collect();
        for (change, (digest, finishes)) in scope.changes.iter_mut().zip(digests) {
            (change.digest, change.finishes) = (digest, finishes);
        }
    }
    let mut notes: Vec<Note> = accounts
        .iter()
        .flat_map(|account| account.notes.iter().chain(account.findings.iter().flat_map(|findings| &findings.notes)))
        .cloned()
        .chain(guard_notes)
        .chain(circles.iter().flat_map(|circle| order::refusals(circle)))
        // What is about the run itself, such as the caller, concerns every limit, and so does what is down already.
        .filter(|note| {
            only.concerns(&note.address)
                || note.bearing.first.is_some()
                || !scopes.iter().any(|scope| note.address.belongs_to(&scope.scope))
        })
        .collect();
    for note in &mut notes {
        note.source = accounts.iter().find_map(|account| account.places.nearest(&note.address)).cloned();
    }
    let position = |note: &Note| scopes.iter().position(|scope| note.address.belongs_to(&scope.scope));
    notes.sort_by(|a, b| {
        let rank = |note: &Note| (note.severity, note.bearing.first.is_none(), position(note));
        rank(a).cmp(&rank(b)).then_with(|| (&a.address, &a.code).cmp(&(&b.address, &b.code)))
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
        allow_removals: *allow_removals,
        only: only.clone(),
        outside,
        summary: Summary::of(&scopes, &notes),
        scopes,
        notes,
        seal: String::new(),
    };
    plan.intent_digest = plan.computed_intent_digest();
    plan.seal = plan.computed_seal();
    plan
}
