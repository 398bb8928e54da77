//! No change takes what a living environment needs: its policy, its vault, its key.
//!
//! Invariants: what an environment needs is what was observed of it, declared or not; the change of one environment is judged by the needs
//! of all; where it isn't known what an environment needs, nothing that another one loses is judged by it.

use crate::guard::codes;
use crate::plan::{Account, Lifeline, Note, Only};
use crate::terms::ResourceId;

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
            let message = format!(
                "this would take {} from {}, which can't live without it: an environment that can't reach its key is shut down, and \
                 later deleted",
                taken.name(),
                dark.join(", ")
            );
            let note = Note::refusal(codes::WOULD_GO_DARK, planned.change.address.clone(), message);
            notes.push(note.help("put them on another key first, in a change of its own, and wait until that is done"));
        }
    }
    notes
}

/// The environments that can't live without a resource, each once.
pub(super) fn living_on(accounts: &[Account], resource: &ResourceId) -> Vec<String> {
    let lifelines = accounts.iter().flat_map(|account| &account.findings).flat_map(|findings| &findings.lifelines);
    let mut dark: Vec<String> = Vec::new();
    for Lifeline { of, needs } in lifelines {
        if needs.contains(resource) && !dark.contains(of) {
            dark.push(of.clone());
        }
    }
    dark
}
