//! What is told of one environment, and concerns others: a policy, a vault or a key is often that of several.
//!
//! Invariants: a finding about a resource that keeps environments alive names all of them that the run looked at, declared to be encrypted
//! with it or not; nothing is called no longer needed that one of them needs.

use std::collections::{BTreeSet, HashMap};

use super::declaration::Declaration;
use crate::guard;
use crate::plan::Account;
use crate::terms::ResourceId;

/// Adds the names to what was found. `scopes` are those that were looked at.
pub(super) fn name(accounts: &mut [Account], scopes: &[&Declaration]) {
    let unseen = unseen(scopes);
    for index in 0..accounts.len() {
        let Some(account) = accounts.get(index) else { continue };
        let about =
            account.findings.iter().flat_map(|findings| &findings.notes).filter_map(|note| note.bearing.about.clone());
        let names: Vec<_> = about.map(|about| (guard::living_on(accounts, &about), about)).collect();
        let Some(account) = accounts.get_mut(index) else { continue };
        for findings in &mut account.findings {
            findings.notes.retain_mut(|note| {
                let Some(about) = &note.bearing.about else { return true };
                let living =
                    names.iter().find(|(_, one)| one == about).map(|(living, _)| living.as_slice()).unwrap_or_default();
                if living.is_empty() {
                    return true;
                }
                note.message = format!("{}; offline without it: {}", note.message, living.join(", "));
                if let Some(others) = unseen.get(about) {
                    let others: Vec<&str> = others.iter().map(String::as_str).collect();
                    note.message =
                        format!("{} (named by {} as well, not looked at here)", note.message, others.join(", "));
                }
                !note.bearing.unless_needed
            });
        }
    }
}

/// The environments of the configuration that weren't looked at, by what they name.
fn unseen(scopes: &[&Declaration]) -> HashMap<ResourceId, BTreeSet<String>> {
    let seen: BTreeSet<_> = scopes.iter().map(|scope| scope.head.scope()).collect();
    let mut unseen: HashMap<ResourceId, BTreeSet<String>> = HashMap::new();
    for other in scopes.iter().flat_map(|scope| &scope.elsewhere).filter(|other| !seen.contains(&other.environment)) {
        unseen.entry(other.resource.clone()).or_default().insert(other.environment.to_string());
    }
    unseen
}
