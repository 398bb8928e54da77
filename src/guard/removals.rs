//! The budget of removals: more than half of a collection, or more than twenty members in a run, is more often a mistake in a
//! file than an intention.
//!
//! Invariants: what counts is what palisade itself would do in this run; losing the role Admin counts as a removal; a number that
//! was asked for is a limit for the whole run.

use crate::guard::codes;
use crate::plan::{Account, Address, Findings, Mode, Note, Only, Planned, Share};

/// Removals that a run may make without being asked for.
const PER_RUN: usize = 20;

/// Checks all environments together.
pub(super) fn check(accounts: &[&Account], allowed: Option<usize>, only: &Only) -> Vec<Note> {
    let found =
        || accounts.iter().flat_map(|account| account.findings.iter().map(|findings| (account.head.scope(), findings)));
    let total: usize = found().map(|(_, findings)| removals(findings, only).count()).sum();
    let mut notes = Vec::new();
    for (scope, findings) in found() {
        let Some(setting) = removals(findings, only).next().map(|planned| planned.change.setting.as_str()) else {
            continue;
        };
        let too_much = match allowed {
            Some(allowed) if total > allowed => {
                format!("the run would make {}, and `--allow-removals {allowed}` allows {allowed}", spoken(total))
            }
            Some(_) => continue,
            None => match too_much_at_once(findings, only) {
                Some(too_much) => too_much,
                None if total > PER_RUN => {
                    format!("the run would make {}, which is more than {PER_RUN}", spoken(total))
                }
                None => continue,
            },
        };
        let help = format!("if that is what you want, pass `--allow-removals {total}` to `plan` and `apply`");
        notes.push(Note::refusal(codes::REMOVAL_BUDGET, Address::setting(&scope, setting), too_much).help(help));
    }
    notes
}

/// More than half of a collection, or of the Admins in it: many Viewers don't make it harmless to lose most Admins.
fn too_much_at_once(findings: &Findings, only: &Only) -> Option<String> {
    let half = |count: usize, size: usize| size >= 2 && count * 2 > size;
    let (count, size) = (removals(findings, only).count(), findings.collection.unwrap_or_default());
    if half(count, size) {
        return Some(format!("the plan removes {count} of {size}, which is more than half of them"));
    }
    findings.stakes.iter().find_map(|stake| {
        let Share { what, lost, of } = stake.share(only);
        half(lost, of).then(|| format!("{lost} of {of} {what}, which is more than half of them"))
    })
}

/// The removals that palisade would make.
fn removals<'a>(findings: &'a Findings, only: &'a Only) -> impl Iterator<Item = &'a Planned> {
    let counts = |planned: &&Planned| planned.removes && planned.change.mode() == Mode::Automatic;
    findings.changes.iter().filter(counts).filter(move |planned| only.allows(&planned.change.address))
}

fn spoken(count: usize) -> String {
    if count == 1 { "1 removal".to_owned() } else { format!("{count} removals") }
}
