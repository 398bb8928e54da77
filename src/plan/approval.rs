//! Whether what would be done now was approved, scope by scope. Pure.
//!
//! Words: a change is *wanted* if the fresh plan asks for it; an approved change that isn't wanted is *in effect* if its
//! setting was read and no longer asks for it. What only time brings and wasn't approved is *left* for another run.
//!
//! Invariants: a scope proceeds only if each of its wanted changes was approved, or is left, and every other approved one is
//! read to be in effect; unknown isn't in effect; `--yes` approves nothing that is critical, an outage, or loses data.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::change::{Address, Change, Impact, Mode, Risk};
use super::document::{Plan, ScopePlan};
use super::note::Note;
use super::saved::Refusal;
use super::vanished::{Held, Vanished, vanished};
use crate::terms::Scope;

/// What approves changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Approval {
    /// A saved plan that was reviewed.
    Saved(Box<Plan>),
    /// The digest of a whole intent.
    Intent(String),
    /// The digests of single changes, with their addresses where the list says them.
    Changes(BTreeMap<String, Option<String>>),
    /// `--yes`: whatever the plan turns out to be, apart from what needs to be seen.
    Unseen,
    /// An answer on a terminal, below the plan itself.
    Seen,
}

/// What may be done in one scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clearance {
    /// The scope.
    pub scope: Scope,
    /// Whether it proceeds, and why not.
    pub verdict: Verdict,
    /// Wanted changes that weren't approved and that only time brought.
    pub left: Vec<Address>,
    /// Approved changes that are in effect already.
    pub in_effect: Vec<Change>,
    /// Settings of the tenant that a guard refused, with its words: the others go on.
    pub stopped: Vec<(Address, String)>,
    /// Approved changes of which it could not be read whether they are in effect.
    pub unread: Vec<(Change, String)>,
    /// Approved changes that are under way or held back, with what they wait for.
    pub waiting: Vec<(Change, Held)>,
}

impl Clearance {
    /// Why the setting that an address is in is refused, if it is.
    pub fn stopped(&self, address: &Address) -> Option<&str> {
        let (_, reason) = self.stopped.iter().find(|(setting, _)| address.is_in(setting))?;
        Some(reason)
    }

    /// Whether palisade itself would carry out anything of this scope.
    pub fn works(&self, plan: &Plan) -> bool {
        let stopped = |change: &Change| self.stopped(&change.address).is_some();
        let carries = |change: &&Change| {
            change.mode() == Mode::Automatic && !self.left.contains(&change.address) && !stopped(change)
        };
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
    let mut left = Vec::new();
    match approval {
        Approval::Saved(saved) => saved.is_for(fresh, now)?,
        Approval::Intent(digest) => left = left_of_intent(digest, fresh).ok_or(Refusal::OtherIntent)?,
        Approval::Changes(_) | Approval::Unseen | Approval::Seen => {}
    }
    let mut clearances: Vec<Clearance> = fresh.scopes.iter().map(|scope| clear_scope(approval, fresh, scope)).collect();
    for clearance in &mut clearances {
        clearance.left.extend(left.iter().filter(|address| address.belongs_to(&clearance.scope)).cloned());
    }
    Ok(clearances)
}

/// More changes than these, brought by time, are left all together or not at all.
const SINGLE_OUT: usize = 10;

/// The changes that only time brought after the intent with this digest was approved; none if it is another intent. A digest
/// doesn't say of which changes it is, so they are found by leaving out one set after the other.
fn left_of_intent(digest: &str, fresh: &Plan) -> Option<Vec<Address>> {
    let timed: Vec<&Change> = fresh.changes().filter(|change| change.action.comes_with_time()).collect();
    let all = (1_u32 << timed.len().min(SINGLE_OUT)) - 1;
    let single = timed.len() <= SINGLE_OUT;
    let sets = if single { (0..=all).collect() } else { vec![0, all] };
    sets.into_iter().find_map(|set| {
        let left = |index: usize| if single { set >> index & 1 == 1 } else { set == all };
        let left: Vec<&Change> = (0..timed.len()).filter(|index| left(*index)).map(|index| timed[index]).collect();
        let kept: Vec<&Change> =
            fresh.changes().filter(|change| !left.iter().any(|one| one.address == change.address)).collect();
        let fits = kept.is_empty() || super::document::digest_of(kept.iter().copied()) == digest;
        fits.then(|| left.iter().map(|change| change.address.clone()).collect())
    })
}

fn clear_scope(approval: &Approval, fresh: &Plan, scope: &ScopePlan) -> Clearance {
    let mut clearance = Clearance {
        scope: scope.scope.clone(),
        verdict: Verdict::Proceeds,
        left: Vec::new(),
        in_effect: Vec::new(),
        unread: Vec::new(),
        waiting: Vec::new(),
        stopped: Vec::new(),
    };
    let words = |note: &Note| {
        let place = note.source.as_ref().map(|place| format!(" ({place})")).unwrap_or_default();
        format!("{}: {}{place}", note.code, note.message)
    };
    let of_setting = |note: &&Note| scope.scope == Scope::Tenant && note.address.setting_key().is_some();
    let (of_settings, refusals): (Vec<&Note>, Vec<&Note>) = fresh.refusals_of(&scope.scope).partition(of_setting);
    let refusals: Vec<String> = refusals.into_iter().map(words).collect();
    let setting = |note: &Note| Address::setting(&Scope::Tenant, note.address.setting_key().unwrap_or_default());
    clearance.stopped = of_settings.into_iter().map(|note| (setting(note), words(note))).collect();
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
    let automatic = scope.changes.iter().filter(|change| change.mode() == Mode::Automatic);
    let dangerous = automatic.filter_map(|change| {
        let why = match (change.risk, change.impact) {
            (_, Impact::DataLoss) => "loses data",
            (_, Impact::Outage) => "is an outage",
            (Risk::Critical, _) => "is critical",
            _ => return None,
        };
        Some(format!("`--yes` doesn't approve {} of {}, which {why}: save a plan with `plan --out FILE`, read it, and `apply FILE`", change.action, change.address))
    });
    let doubtful = fresh.notes.iter().filter(|note| note.needs_eyes);
    let doubtful = doubtful.filter(|note| note.address.belongs_to(&scope.scope)).map(|note| {
        format!("`--yes` doesn't approve what only a person can judge, at {}: {}", note.address, note.message)
    });
    let reasons: Vec<String> = dangerous.chain(doubtful).collect();
    if reasons.is_empty() { Verdict::Proceeds } else { Verdict::Refused(reasons) }
}

/// A scope against the one that a saved plan approved.
fn against(approved: &ScopePlan, fresh: &ScopePlan, clearance: &mut Clearance) {
    let unread: Vec<String> = fresh
        .unknown
        .iter()
        .filter(|unknown| unknown.address == Address::scope(&fresh.scope))
        .map(|unknown| format!("{}: {}", unknown.address, unknown.reason))
        .collect();
    if !unread.is_empty() {
        let seen = |change: &Change| fresh.changes.iter().any(|one| one.address == change.address);
        let why = unread.join("; ");
        let lost = approved.changes.iter().filter(|change| !seen(change));
        clearance.unread = lost.map(|change| (change.clone(), why.clone())).collect();
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
    let covers = |one: &Change, change: &Change| one.digest == change.digest || one.finishes.contains(&change.digest);
    let approves = |change: &Change| approved.changes.iter().any(|one| covers(one, change));
    let mut surplus = Vec::new();
    for change in fresh.changes.iter().filter(|change| !approves(change)) {
        match change.action.comes_with_time() {
            true => clearance.left.push(change.address.clone()),
            false => surplus.push(format!("+ {}", wanted_line(change, &approved.changes))),
        }
    }
    let (mut gone, mut unread) = (Vec::new(), Vec::new());
    for change in &approved.changes {
        // Wanted still, or what a run that stopped half-way left of it.
        if fresh.changes.iter().any(|one| covers(change, one)) {
            continue;
        }
        match vanished(change, approved, fresh) {
            Vanished::InEffect | Vanished::Next(_) => clearance.in_effect.push(change.clone()),
            Vanished::Unread(reason) => {
                clearance.unread.push((change.clone(), reason.clone()));
                unread.push(reason);
            }
            Vanished::Waits(held) => clearance.waiting.push((change.clone(), held)),
            // A window closed, or the date is no longer reached: that comes back with time.
            Vanished::Unseen if change.action.comes_with_time() => {
                let detail = "it isn't due now, or is held back".to_owned();
                clearance.waiting.push((change.clone(), Held { waiting_for: None, since: None, detail }));
            }
            Vanished::Instead(_) => gone.push(format!("- {}", change.line())),
            Vanished::Unseen => gone.push(format!("- {} (no longer asked for, and not in effect)", change.line())),
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

/// A scope against a list of digests. What was approved and isn't wanted must be in effect: as long as something could not be
/// read that may be such a change, it can't be told.
fn listed(digests: &BTreeMap<String, Option<String>>, fresh: &Plan, scope: &ScopePlan, clearance: &mut Clearance) {
    let mut surplus = Vec::new();
    for change in scope.changes.iter().filter(|change| !digests.contains_key(&change.digest)) {
        match change.action.comes_with_time() {
            true => clearance.left.push(change.address.clone()),
            false => surplus.push(format!("+ {}", change.line())),
        }
    }
    let unmatched: Vec<Option<&str>> = digests
        .iter()
        .filter(|(digest, _)| !fresh.changes().any(|change| change.digest == **digest))
        .map(|(_, address)| address.as_deref())
        .collect();
    let may_be = |address: &Address| {
        unmatched.iter().any(|one| match one {
            Some(approved) => {
                let approved = Address::written(approved);
                address.is_in(&approved) || approved.is_in(address)
            }
            None => true,
        })
    };
    // What a person is to look at was approved as such, and is still wanted.
    let asked = |address: &Address| scope.changes.iter().any(|change| change.address == *address);
    let unread = scope.unknown.iter().filter(|one| may_be(&one.address) && !asked(&one.address));
    let unread: Vec<String> = unread.map(|unknown| format!("{}: {}", unknown.address, unknown.reason)).collect();
    clearance.verdict = match surplus.is_empty() {
        false => Verdict::Refused(surplus),
        true if !unread.is_empty() => Verdict::Unread(unread),
        true => Verdict::Proceeds,
    };
}
