//! The guards: rules that every plan must pass.
//!
//! A guard looks at what was found and pushes typed notes; a refusal stops its scope. The apply engine asks the same guards
//! again, on fresh observations, before each write that takes something away.
//!
//! Invariants: guards are functions of their arguments, and doubt counts as danger: where it isn't known who would be locked out,
//! nobody loses anything; what a removal rests on is [`Fresh`], and what any write rests on is [`Anew`], neither of which an
//! observation of the plan can be.
//!
//! ```
//! use palisade::{azure::Fresh, guard, plan::Sighting};
//! fn before_a_removal(fresh: &Fresh<Sighting>) -> usize {
//!     guard::check_removal(fresh).len()
//! }
//! ```
//!
//! The same with what an earlier observation found doesn't compile:
//!
//! ```compile_fail
//! use palisade::{guard, plan::Sighting};
//! fn before_a_removal(remembered: &Sighting) -> usize {
//!     guard::check_removal(remembered).len()
//! }
//! ```

mod administrators;
pub mod codes;
mod identity;
mod lifelines;
mod removals;
#[cfg(test)]
mod tests;

use crate::azure::{Anew, Fresh};
use crate::plan::{Account, Address, Findings, Identity, Note, Only, Sighting, Stake};
use crate::terms::{ResourceId, Scope};

/// What the guards say about all environments. `allow_removals` is the number of removals that was asked for, if any; `only`
/// is what the run is limited to.
pub fn check(accounts: &[Account], allow_removals: Option<usize>, only: &Only) -> Vec<Note> {
    let of_settings = |account: &Account| -> Vec<Note> { account.findings.iter().flat_map(check_findings).collect() };
    let each: Vec<(&Account, Vec<Note>)> = accounts.iter().map(|account| (account, of_settings(account))).collect();
    // What is refused removes nothing, so it takes nothing from the budget of others.
    let refused = |(account, notes): &&(&Account, Vec<Note>)| {
        let found = account.findings.iter().flat_map(|findings| &findings.notes);
        let mut all = account.notes.iter().chain(found).chain(notes);
        !all.any(|note| note.refuses() && only.concerns(&note.address))
    };
    let free: Vec<&Account> = each.iter().filter(refused).map(|(account, _)| *account).collect();
    let budget = removals::check(&free, allow_removals, only);
    let lifelines = lifelines::check(accounts, only);
    each.into_iter().flat_map(|(_, notes)| notes).chain(budget).chain(lifelines).collect()
}

/// The environments that can't live without a resource, as far as was observed.
pub fn living_on(accounts: &[Account], resource: &ResourceId) -> Vec<String> {
    lifelines::living_on(accounts, resource)
}

/// What the guards say about one setting.
pub fn check_findings(findings: &Findings) -> Vec<Note> {
    findings.stakes.iter().flat_map(|stake| check_stake(stake, findings)).collect()
}

/// The same at the moment of a removal, when promises don't count any more: what is still to come into being may never do so,
/// since that change may not be among the approved ones.
pub fn check_removal(fresh: &Fresh<Sighting>) -> Vec<Note> {
    let Sighting { observed: _, findings } = fresh.value();
    findings.stakes.iter().flat_map(|stake| check_stake(&stake.without_promises(), findings)).collect()
}

/// What a removal led to: whether it left nobody else who can administer the environment, because somebody else removed
/// another Admin at the same time. Nothing can prevent that between the last look and the write; it must not stay quiet.
pub fn check_aftermath(fresh: &Fresh<Sighting>) -> Option<Note> {
    let Sighting { observed: _, findings } = fresh.value();
    findings.stakes.iter().find_map(|stake| match stake {
        Stake::Administrators(found) => administrators::nobody_left(found),
    })
}

fn check_stake(stake: &Stake, findings: &Findings) -> Vec<Note> {
    match stake {
        Stake::Administrators(found) => administrators::check(found, !findings.changes.is_empty()),
    }
}

/// Whether the environment at the moment of a write is the one that the plan saw. What refuses it by itself, such as its
/// state, is said there.
pub fn check_identity(scope: &Scope, planned: &Identity, read: &Anew<Sighting>) -> Option<Note> {
    let Sighting { observed, findings } = read.value();
    let address = Address::scope(scope);
    let refused = findings.notes.iter().any(|note| note.refuses() && note.address == address);
    if refused { None } else { identity::check(scope, planned, observed.as_ref()?) }
}
