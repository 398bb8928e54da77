//! No change takes what a living environment needs: its policy, its vault, its key.
//!
//! Invariants: what an environment needs is what was observed of it, declared or not; the change of one environment is judged by the needs
//! of all; where it isn't known what an environment needs, nothing that another one loses is judged by it.

use crate::guard::codes;
use crate::plan::{Account, Note, Only};
use crate::terms::{ResourceId, Scope};

/// Checks all scopes together.
pub(super) fn check(accounts: &[Account], only: &Only) -> Vec<Note> {
    let changes = accounts.iter().flat_map(|account| &account.findings).flat_map(|findings| &findings.changes);
    let mut notes = Vec::new();
    for planned in changes.filter(|planned| only.allows(&planned.change.address)) {
        for taken in planned.takes() {
            let dark = living_on(accounts, &taken);
            if dark.is_empty() {
                continue;
            }
            let names: Vec<String> = dark.iter().map(Scope::to_string).collect();
            let message = format!(
                "this would take {} from {}, which can't live without it: an environment that can't reach its key is shut down, and \
                 later deleted",
                taken.name(),
                names.join(", ")
            );
            let note = Note::refusal(codes::WOULD_GO_DARK, planned.change.address.clone(), message);
            notes.push(note.help("put them on another key first, in a change of its own, and wait until that is done"));
        }
    }
    notes
}

/// The scopes that can't live without a resource.
pub(super) fn living_on(accounts: &[Account], resource: &ResourceId) -> Vec<Scope> {
    let needs = |account: &&Account| {
        let needed = account.findings.iter().flat_map(|findings| &findings.lifeline);
        needed.into_iter().any(|needed| needed == resource)
    };
    accounts.iter().filter(needs).map(|account| account.head.scope()).collect()
}
