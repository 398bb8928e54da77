//! The guards: rules that every plan must pass.
//!
//! A guard looks at what was found and pushes typed notes; a refusal stops its scope. The apply engine asks the same guards
//! again, on fresh observations, before each write that takes something away.
//!
//! Invariants: guards are functions of their arguments, and doubt counts as danger: where it isn't known who would be locked out,
//! nobody loses anything.

mod administrators;
pub mod codes;
mod removals;

use crate::plan::{Account, Findings, Note, Only};

/// What the guards say about all environments. `allow_removals` is the number of removals that was asked for, if any; `only`
/// is what the run is limited to.
pub fn check(accounts: &[Account], allow_removals: Option<usize>, only: &Only) -> Vec<Note> {
    let of_settings = |account: &Account| -> Vec<Note> {
        account.findings.iter().flat_map(|findings| check_findings(&account.head.key, findings)).collect()
    };
    let each: Vec<(&Account, Vec<Note>)> = accounts.iter().map(|account| (account, of_settings(account))).collect();
    // What is refused removes nothing, so it takes nothing from the budget of others.
    let refused = |(account, notes): &&(&Account, Vec<Note>)| {
        let found = account.findings.iter().flat_map(|findings| &findings.notes);
        let mut all = account.notes.iter().chain(found).chain(notes);
        !all.any(|note| note.refuses() && only.concerns(&note.address))
    };
    let free: Vec<&Account> = each.iter().filter(refused).map(|(account, _)| *account).collect();
    let budget = removals::check(&free, allow_removals, only);
    each.into_iter().flat_map(|(_, notes)| notes).chain(budget).collect()
}

/// What the guards say about one setting of one environment.
pub fn check_findings(scope: &str, findings: &Findings) -> Vec<Note> {
    let mut notes = Vec::new();
    if let Some(administrators) = &findings.administrators {
        administrators::check(scope, administrators, !findings.changes.is_empty(), &mut notes);
    }
    notes
}

/// What a removal led to: whether it left nobody else who can administer the environment, because somebody else removed
/// another Admin at the same time. Nothing can prevent that between the last look and the write; it must not stay quiet.
pub fn check_aftermath(scope: &str, findings: &Findings) -> Option<Note> {
    findings.administrators.as_ref().and_then(|found| administrators::nobody_left(scope, found))
}

/// The same at the moment of a removal, when promises don't count any more: whoever is still to become Admin may never
/// become it, since that change may not be among the approved ones.
pub fn check_removal(scope: &str, findings: &Findings) -> Vec<Note> {
    let mut notes = Vec::new();
    if let Some(administrators) = &findings.administrators {
        administrators::check(scope, &administrators.without_promises(), !findings.changes.is_empty(), &mut notes);
    }
    notes
}
