//! The budget of removals: more than half of a collection, or more than twenty members in a run, is more often a mistake in a
//! file than an intention.
//!
//! Invariants: what counts is what palisade itself would do in this run; losing the role Admin counts as a removal; a number that
//! was asked for is a limit for the whole run.

use crate::plan::{Account, Address, Findings, Mode, Note, NoteCode, Only};

/// Removals that a run may make without being asked for.
const PER_RUN: usize = 20;

/// Checks all environments together.
pub(super) fn check(accounts: &[Account], allowed: Option<usize>, only: &Only) -> Vec<Note> {
    let found =
        || accounts.iter().flat_map(|account| account.findings.iter().map(|findings| (&account.head.key, findings)));
    let total: usize = found().map(|(_, findings)| removals(findings, only).count()).sum();
    let mut notes = Vec::new();
    for (scope, findings) in found() {
        let Some(first) = removals(findings, only).next() else { continue };
        let (count, size) = (removals(findings, only).count(), findings.collection.unwrap_or_default());
        let too_much = match allowed {
            Some(allowed) if total > allowed => {
                format!("the run would make {}, and `--allow-removals {allowed}` allows {allowed}", spoken(total))
            }
            Some(_) => continue,
            None if size >= 2 && count * 2 > size => {
                format!("the plan removes {count} of {size}, which is more than half of them")
            }
            None if total > PER_RUN => {
                format!("the run would make {}, which is more than {PER_RUN}", spoken(total))
            }
            None => continue,
        };
        let help = format!("if that is what you want, pass `--allow-removals {total}` to `plan` and `apply`");
        let address = Address::setting(scope, first);
        notes.push(Note::refusal(NoteCode::RemovalBudget, address, too_much).help(help));
    }
    notes
}

/// The settings of the removals that palisade would make.
fn removals<'a>(findings: &'a Findings, only: &'a Only) -> impl Iterator<Item = &'a str> {
    let counts = |mode: Mode| mode == Mode::Automatic;
    let planned = findings.changes.iter().filter(move |one| one.removes && counts(one.change.mode));
    planned.filter(move |one| only.allows(&one.change.address)).map(|one| one.change.setting.as_str())
}

fn spoken(count: usize) -> String {
    if count == 1 { "1 removal".to_owned() } else { format!("{count} removals") }
}
