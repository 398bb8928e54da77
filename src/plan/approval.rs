//! Whether what would be done now was approved, scope by scope. Pure.
//!
//! Words: a change is *wanted* if the fresh plan asks for it; an approved change that isn't wanted is *in effect* if its
//! setting was read and no longer asks for it. What only time brings and wasn't approved is *left* for another run.
//!
//! Invariants: a scope proceeds only if each of its wanted changes was approved, or is left, and every other approved one is
//! read to be in effect; unknown isn't in effect; `--yes` approves nothing that is critical, an outage, or loses data.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::change::{Address, Change, Impact, Mode, Risk};
use super::document::{Plan, ScopePlan};
use super::note::NoteCode;
use super::saved::Refusal;
use super::vanished::{Vanished, vanished};

/// What approves changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Approval {
    /// A saved plan that was reviewed.
    Saved(Box<Plan>),
    /// The digest of a whole intent.
    Intent(String),
    /// The digests of single changes.
    Changes(BTreeSet<String>),
    /// `--yes`: whatever the plan turns out to be, apart from what needs to be seen.
    Unseen,
    /// An answer on a terminal, below the plan itself.
    Seen,
}

/// What may be done in one scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clearance {
    /// The scope.
    pub scope: String,
    /// Whether it proceeds, and why not.
    pub verdict: Verdict,
    /// Wanted changes that weren't approved and that only time brought.
    pub left: Vec<Address>,
    /// Approved changes that are in effect already.
    pub in_effect: Vec<Change>,
}

impl Clearance {
    /// Whether palisade itself would carry out anything of this scope.
    pub fn works(&self, plan: &Plan) -> bool {
        let carries = |change: &&Change| change.mode == Mode::Automatic && !self.left.contains(&change.address);
        let scope = plan.scopes.iter().find(|scope| scope.scope == self.scope);
        self.verdict == Verdict::Proceeds && scope.is_some_and(|scope| scope.changes.iter().any(|one| carries(&one)))
    }
}

/// Whether a scope proceeds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It does.
    Proceeds,
    /// It doesn't: a guard refused it, or something else would be done than was approved.
    Refused(Vec<String>),
    /// It doesn't: whether an approved change is in effect could not be read.
    Unread(Vec<String>),
}

/// Judges the whole run, then each scope of the fresh plan.
pub fn clear(approval: &Approval, fresh: &Plan, now: Timestamp) -> Result<Vec<Clearance>, Refusal> {
    match approval {
        Approval::Saved(saved) => saved.is_for(fresh, now)?,
        Approval::Intent(digest) if fresh.summary.changes > 0 && *digest != fresh.intent_digest => {
            return Err(Refusal::OtherIntent);
        }
        Approval::Intent(_) | Approval::Changes(_) | Approval::Unseen | Approval::Seen => {}
    }
    Ok(fresh.scopes.iter().map(|scope| clear_scope(approval, fresh, scope)).collect())
}

fn clear_scope(approval: &Approval, fresh: &Plan, scope: &ScopePlan) -> Clearance {
    let mut clearance =
        Clearance { scope: scope.scope.clone(), verdict: Verdict::Proceeds, left: Vec::new(), in_effect: Vec::new() };
    let refusals: Vec<String> =
        fresh.refusals_of(&scope.scope).map(|note| format!("{}: {}", note.code, note.message)).collect();
    match approval {
        Approval::Seen | Approval::Intent(_) => {}
        Approval::Unseen => clearance.verdict = unseen(fresh, scope),
        Approval::Saved(saved) => match saved.scopes.iter().find(|one| one.scope == scope.scope) {
            Some(approved) => against(approved, scope, &mut clearance),
            None => clearance.verdict = Verdict::Refused(vec!["the plan isn't about this environment".to_owned()]),
        },
        Approval::Changes(digests) => listed(digests, fresh, scope, &mut clearance),
    }
    if !refusals.is_empty() {
        // How it differs from what was approved may be why a guard refuses it.
        let differences = match clearance.verdict {
            Verdict::Refused(reasons) => reasons,
            Verdict::Proceeds | Verdict::Unread(_) => Vec::new(),
        };
        clearance.verdict = Verdict::Refused(refusals.into_iter().chain(differences).collect());
    }
    clearance
}

/// `--yes` stands for a plan that no person saw.
fn unseen(fresh: &Plan, scope: &ScopePlan) -> Verdict {
    let automatic = scope.changes.iter().filter(|change| change.mode == Mode::Automatic);
    let dangerous = automatic.filter_map(|change| {
        let why = match (change.risk, change.impact) {
            (_, Impact::DataLoss) => "loses data",
            (_, Impact::Outage) => "is an outage",
            (Risk::Critical, _) => "is critical",
            _ => return None,
        };
        Some(format!("`--yes` doesn't approve {} of {}, which {why}", change.action, change.address))
    });
    let apart = fresh.notes.iter().filter(|note| note.code == NoteCode::EndpointsApart);
    let apart = apart
        .filter(|note| note.address.is_in(&scope.scope))
        .map(|note| format!("`--yes` doesn't approve endpoints that lie apart, at {}: {}", note.address, note.message));
    let reasons: Vec<String> = dangerous.chain(apart).collect();
    if reasons.is_empty() { Verdict::Proceeds } else { Verdict::Refused(reasons) }
}

/// A scope against the one that a saved plan approved.
fn against(approved: &ScopePlan, fresh: &ScopePlan, clearance: &mut Clearance) {
    let unread: Vec<String> = fresh
        .unknown
        .iter()
        .filter(|unknown| unknown.address.as_str() == fresh.scope)
        .map(|unknown| format!("{}: {}", unknown.address, unknown.reason))
        .collect();
    if !unread.is_empty() {
        clearance.verdict = Verdict::Unread(unread);
        return;
    }
    if approved.identity != fresh.identity && !(approved.changes.is_empty() && fresh.changes.is_empty()) {
        clearance.verdict = Verdict::Refused(vec![
            format!("- {} is {}", fresh.scope, approved.identity),
            format!("+ {} is {}", fresh.scope, fresh.identity),
        ]);
        return;
    }
    let approves = |change: &Change| approved.changes.iter().any(|one| one.digest == change.digest);
    let mut surplus = Vec::new();
    for change in fresh.changes.iter().filter(|change| !approves(change)) {
        match change.action.comes_with_time() {
            true => clearance.left.push(change.address.clone()),
            false => surplus.push(format!("+ {}", wanted_line(change, &approved.changes))),
        }
    }
    let (mut gone, mut unread) = (Vec::new(), Vec::new());
    for change in &approved.changes {
        if fresh.changes.iter().any(|one| one.digest == change.digest) {
            continue;
        }
        match vanished(change, approved, fresh) {
            Vanished::InEffect | Vanished::Next(_) => clearance.in_effect.push(change.clone()),
            Vanished::Unread(reason) => unread.push(reason),
            Vanished::Waits(detail) => gone.push(format!("- {} (it waits: {detail})", change.line())),
            Vanished::Instead(_) => gone.push(format!("- {}", change.line())),
        }
    }
    clearance.verdict = if !surplus.is_empty() || !gone.is_empty() {
        Verdict::Refused(gone.into_iter().chain(surplus).collect())
    } else if !unread.is_empty() {
        Verdict::Unread(unread)
    } else {
        Verdict::Proceeds
    };
}

/// A wanted change on one line; where an approved one reads the same, with the ids in which the two differ.
fn wanted_line(change: &Change, approved: &[Change]) -> String {
    let line = change.line();
    match approved.iter().find(|one| one.line() == line).map(|one| change.binds.differences(&one.binds)) {
        Some(differences) if !differences.is_empty() => format!("{line} ({differences})"),
        _ => line,
    }
}

/// A scope against a list of digests. The list doesn't say which change of which scope a digest was of, so as long as anything
/// in the scope is unknown, those that aren't wanted can't be taken for being in effect.
fn listed(digests: &BTreeSet<String>, fresh: &Plan, scope: &ScopePlan, clearance: &mut Clearance) {
    let mut surplus = Vec::new();
    for change in scope.changes.iter().filter(|change| !digests.contains(&change.digest)) {
        match change.action.comes_with_time() {
            true => clearance.left.push(change.address.clone()),
            false => surplus.push(format!("+ {}", change.line())),
        }
    }
    let unmatched = digests.iter().any(|digest| !fresh.changes().any(|change| change.digest == *digest));
    let unread = scope.unknown.iter().map(|unknown| format!("{}: {}", unknown.address, unknown.reason));
    clearance.verdict = match surplus.is_empty() {
        false => Verdict::Refused(surplus),
        true if unmatched && !scope.unknown.is_empty() => Verdict::Unread(unread.collect()),
        true => Verdict::Proceeds,
    };
}
