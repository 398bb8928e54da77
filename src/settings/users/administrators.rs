//! Who administers the environment before and after, for the guards.

use std::collections::{BTreeMap, BTreeSet};

use super::block::Role;
use super::compare::Comparison;
use super::observe::same_role;
use super::principal::{self, Principal};
use crate::azure::directory::Name;
use crate::plan::{Address, Administrator, Administrators, Kind, Loss, Planned};

/// Draws it up from what was compared.
pub(super) fn of(comparison: &Comparison<'_>) -> Administrators {
    let Comparison { observed, list, findings, .. } = comparison;
    let changed: BTreeMap<&Address, &Planned> =
        findings.changes.iter().map(|planned| (&planned.change.address, planned)).collect();
    let (protected, unresolved_break_glass) = protected(comparison);
    let caller = observed.caller.as_ref().ok().cloned();
    let mut found = Administrators { caller, unresolved_break_glass, ..Administrators::default() };
    for (id, held) in &list.held {
        let principal = comparison.held_principal(id, held);
        let planned = changed.get(&comparison.setting.part(&principal.part));
        let admin = administrator(comparison, &principal);
        if held.is_admin() {
            found.before.push(admin.clone());
        }
        let stays = planned.map_or(held.is_admin(), |planned| becomes_admin(planned));
        if stays {
            found.after.push(admin);
        }
        if let Some(planned) = planned.filter(|planned| planned.takes_away) {
            found.losses.push(Loss {
                address: planned.change.address.clone(),
                id: id.clone(),
                kind: principal.kind,
                label: principal.label.clone(),
                was_admin: held.is_admin(),
                break_glass: protected.contains(id),
            });
        }
    }
    found.after.extend(newcomers(comparison));
    found.caller_is_admin = caller_is_admin(comparison, &found);
    found
}

/// A caller that isn't listed itself and was still allowed to read the list, which only Admins may, is Admin through a
/// group.
fn caller_is_admin(comparison: &Comparison<'_>, found: &Administrators) -> bool {
    match found.caller.as_ref().map(|id| comparison.list.held.get(id)) {
        Some(Some(held)) => held.is_admin() || found.before.iter().any(|admin| admin.kind == Kind::Group),
        Some(None) => true,
        None => false,
    }
}

fn becomes_admin(planned: &Planned) -> bool {
    planned.change.after["role"].as_str().is_some_and(|role| same_role(role, Role::Admin.name()))
}

/// Principals that hold nothing yet and are to be Admin.
fn newcomers(comparison: &Comparison<'_>) -> Vec<Administrator> {
    let declared = comparison.declared.assignments.iter().filter(|assignment| assignment.role == Role::Admin);
    let objects = declared.filter_map(|assignment| {
        let object =
            comparison.observed.directory.get(&principal::name(&assignment.principal))?.as_ref().ok()?.as_ref()?;
        Some(Principal::of(object, super::compare::look_up_kind(&assignment.principal)))
    });
    objects
        .filter(|principal| !comparison.list.held.contains_key(&principal.id))
        .filter(|principal| {
            let address = comparison.setting.part(&principal.part);
            comparison.findings.changes.iter().any(|planned| planned.change.address == address)
        })
        .map(|principal| administrator(comparison, &principal))
        .collect()
}

fn administrator(comparison: &Comparison<'_>, principal: &Principal) -> Administrator {
    let members = principal.uuid().and_then(|id| comparison.observed.members.get(&id)?.as_ref().ok().copied());
    Administrator { id: principal.id.clone(), kind: principal.kind, label: principal.label.clone(), members }
}

/// The object ids that `breakGlass` names, and the names that could not be looked up.
fn protected(comparison: &Comparison<'_>) -> (BTreeSet<String>, Vec<String>) {
    let (mut ids, mut unresolved) = (BTreeSet::new(), Vec::new());
    for protected in &comparison.declared.break_glass {
        let name = principal::name(&protected.principal);
        match (&name, comparison.observed.directory.get(&name)) {
            // An object id protects whoever has it, whether or not the directory knows a name for it.
            (Name::Id(id), _) => drop(ids.insert(id.to_string())),
            (Name::Key(_), Some(Ok(Some(object)))) => drop(ids.insert(object.id.to_string())),
            (Name::Key(_), _) => unresolved.push(protected.principal.to_string()),
        }
    }
    (ids, unresolved)
}
