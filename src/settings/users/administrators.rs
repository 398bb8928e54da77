//! Who administers the environment before and after, for the guards.

use std::collections::{BTreeMap, BTreeSet};

use super::assignments::Held;
use super::block::Role;
use super::compare::Comparison;
use super::principal::{self, Principal};
use super::protection::{self, Protected};
use crate::azure::customer_insights::same_role;
use crate::azure::directory::Name;
use crate::azure::graph::DirectoryObject;
use crate::plan::{Address, Administrator, Administrators, Kind, Loss, Planned, Unprotected};
use crate::terms::ObjectId;

/// Draws it up from what was compared.
pub(super) fn of(comparison: &Comparison<'_>) -> Administrators {
    let Comparison { observed, list, .. } = comparison;
    let (caller, caller_unknown) = match &observed.caller {
        Ok(ids) => (ids.clone(), None),
        Err(unreadable) => (BTreeSet::new(), Some(unreadable.reason.clone())),
    };
    let mut found = Administrators {
        setting: comparison.setting.clone(),
        caller,
        caller_unknown,
        caller_is_admin: false,
        before: Vec::new(),
        after: Vec::new(),
        losses: Vec::new(),
        unprotected: Vec::new(),
    };
    for (id, held) in &list.held {
        let principal = comparison.held_principal(*id, held);
        let planned = planned(comparison, *id);
        let admin = administrator(comparison, &principal);
        if held.is_admin() {
            found.before.push(admin.clone());
        }
        if planned.map_or(held.is_admin(), becomes_admin) {
            found.after.push(admin);
        }
        if let Some(planned) = planned.filter(|planned| planned.takes_away) {
            found.losses.push(Loss {
                address: planned.change.address.clone(),
                id: *id,
                kind: principal.kind,
                label: principal.label.clone(),
                was_admin: held.is_admin(),
                lowers: Vec::new(),
                may_lower: Vec::new(),
            });
        }
    }
    found.after.extend(newcomers(comparison));
    found.caller_is_admin = caller_is_admin(comparison, &found);
    protect(comparison, &mut found);
    found
}

/// The change that is about a principal.
fn planned<'a>(comparison: &'a Comparison<'_>, id: ObjectId) -> Option<&'a Planned> {
    let address: &Address = comparison.changed.get(&id)?;
    comparison.findings.changes.iter().find(|planned| planned.change.address == *address)
}

/// Says of each loss whose protected role it lowers.
fn protect(comparison: &Comparison<'_>, found: &mut Administrators) {
    let after: BTreeMap<ObjectId, BTreeSet<String>> = found
        .losses
        .iter()
        .map(|loss| {
            let kept = planned(comparison, loss.id).and_then(|planned| planned.change.after["role"].as_str());
            (loss.id, kept.map(str::to_owned).into_iter().collect())
        })
        .collect();
    for Protected { address, name, label, id, exists } in protection::all(comparison) {
        if let Some(id) = id {
            let (surely, perhaps) = protection::lowered(comparison, id, &after);
            for loss in &mut found.losses {
                loss.lowers.extend(surely.contains(&loss.id).then(|| label.clone()));
                loss.may_lower.extend(perhaps.contains(&loss.id).then(|| label.clone()));
            }
        }
        match exists {
            Ok(true) => {}
            Ok(false) => found.unprotected.push(Unprotected { address, name, reason: None }),
            Err(reason) => found.unprotected.push(Unprotected { address, name, reason: Some(reason) }),
        }
    }
}

/// A caller that isn't listed itself and was still allowed to read the list, which only Admins may, is Admin through a
/// group.
fn caller_is_admin(comparison: &Comparison<'_>, found: &Administrators) -> bool {
    let own: Vec<&Held> = comparison.list.under(&found.caller);
    let through_group = found.before.iter().any(|admin| admin.kind == Kind::Group);
    !found.caller.is_empty() && (own.is_empty() || own.iter().any(|held| held.is_admin()) || through_group)
}

/// Whether a change makes its principal Admin.
pub(super) fn becomes_admin(planned: &Planned) -> bool {
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
        .filter(|principal| planned(comparison, principal.id).is_some())
        .map(|principal| administrator(comparison, &principal))
        .collect()
}

fn administrator(comparison: &Comparison<'_>, principal: &Principal) -> Administrator {
    let observed = comparison.observed;
    let unread = match principal.kind {
        Kind::User if observed.enabled.contains_key(&principal.id) => None,
        Kind::User => Some("whether it may sign in could not be read".to_owned()),
        Kind::Group => match observed.members.get(&principal.id) {
            Some(Ok(_)) => None,
            Some(Err(reason)) => Some(reason.clone()),
            None => Some("its members were not read".to_owned()),
        },
        Kind::App => None,
        Kind::Unknown => match observed.directory.get(&Name::Id(principal.id)) {
            Some(Err(reason)) => Some(reason.clone()),
            Some(Ok(_)) | None => Some("the directory doesn't say what it is".to_owned()),
        },
    };
    let persons = match principal.kind {
        Kind::User => match observed.enabled.get(&principal.id) {
            Some(true) => BTreeSet::from([principal.id]),
            Some(false) | None => BTreeSet::new(),
        },
        Kind::Group => match observed.members.get(&principal.id) {
            Some(Ok(members)) => {
                members.values().filter(|member| is_enabled_person(member)).map(|one| one.id).collect()
            }
            Some(Err(_)) | None => BTreeSet::new(),
        },
        Kind::App | Kind::Unknown => BTreeSet::new(),
    };
    Administrator { id: principal.id, kind: principal.kind, label: principal.label.clone(), persons, unread }
}

/// Of a member that may not be read, Graph gives the id only.
fn is_enabled_person(member: &DirectoryObject) -> bool {
    principal::kind_of(member) == Kind::User && member.account_enabled == Some(true)
}
