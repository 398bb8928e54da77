//! What `breakGlass` protects: the effective role of a principal, its own and through groups. Pure.
//!
//! Words: a principal's *sources* are the entries of the list that give it a role: its own, and those of groups that hold
//! it; a source is *doubtful* if it may be such a group and its members could not be read.
//!
//! Invariants: what is only planned counts for nothing; a doubtful source never makes a principal Admin and is never
//! removed as if it held nobody.

use std::collections::{BTreeMap, BTreeSet};

use super::administrators::becomes_admin;
use super::assignments::{Held, incomplete};
use super::block::{BreakGlass, PrincipalRef};
use super::compare::{Comparison, rank};
use super::notes;
use super::principal::{self, Principal};
use crate::azure::customer_insights::same_role;
use crate::azure::directory::Name;
use crate::plan::{Address, Kind};
use crate::settings::observation::Unreadable;
use crate::terms::ObjectId;

/// One entry of `breakGlass`.
pub(super) struct Protected {
    /// Its own address.
    pub(super) address: Address,
    /// As the file names it.
    pub(super) name: String,
    /// For a person.
    pub(super) label: String,
    /// Its object id, from the file or from the directory.
    pub(super) id: Option<ObjectId>,
    /// Whether the directory has it, or why that isn't known.
    pub(super) exists: Result<bool, String>,
}

/// Whom `breakGlass` names.
pub(super) fn all(comparison: &Comparison<'_>) -> Vec<Protected> {
    comparison.declared.break_glass.iter().map(|entry| one(comparison, entry)).collect()
}

/// The part of the setting that a protected principal is.
pub(super) fn part(principal: &PrincipalRef) -> String {
    format!("breakGlass/{}", principal::declared_part(principal))
}

fn one(comparison: &Comparison<'_>, entry: &BreakGlass) -> Protected {
    let BreakGlass { principal, place: _ } = entry;
    let name = principal::name(principal);
    let protected = Protected {
        address: comparison.setting.part(&part(principal)),
        name: principal.to_string(),
        label: principal.to_string(),
        id: principal::declared_ids(principal),
        exists: Err("it was not looked up".to_owned()),
    };
    match comparison.observed.directory.get(&name) {
        Some(Ok(Some(object))) => {
            let Principal { id, label, .. } = Principal::of(object, super::compare::look_up_kind(principal));
            Protected { id: Some(id), label, exists: Ok(true), ..protected }
        }
        Some(Ok(None)) => Protected { exists: Ok(false), ..protected },
        Some(Err(reason)) => Protected { exists: Err(reason.clone()), ..protected },
        None => protected,
    }
}

/// An entry of the list that gives a principal its role, or may do so.
struct Source<'a> {
    id: ObjectId,
    held: &'a Held,
    doubtful: bool,
}

fn sources<'a>(comparison: &'a Comparison<'_>, id: ObjectId) -> Vec<Source<'a>> {
    let of = |(holder, held): (&ObjectId, &'a Held)| {
        let sure = *holder == id || through(comparison, *holder, held, id)?;
        Some(Source { id: *holder, held, doubtful: !sure })
    };
    comparison.list.held.iter().filter_map(of).collect()
}

/// Whether an entry is of a group that holds a principal: surely, perhaps (`false`), or not (`None`).
fn through(comparison: &Comparison<'_>, holder: ObjectId, held: &Held, id: ObjectId) -> Option<bool> {
    match comparison.observed.directory.get(&Name::Id(holder)) {
        Some(Ok(Some(object))) if matches!(principal::kind_of(object), Kind::User | Kind::App) => return None,
        // Nobody is in a group that is gone.
        Some(Ok(None)) => return None,
        Some(Ok(Some(_))) => {}
        Some(Err(_)) | None if matches!(held.kind, Kind::Group | Kind::Unknown) => {}
        Some(Err(_)) | None => return None,
    }
    match comparison.observed.members.get(&holder) {
        Some(Ok(members)) => members.contains_key(&id).then_some(true),
        Some(Err(_)) | None => Some(false),
    }
}

/// Tells who is protected and isn't Admin, or isn't there.
pub(super) fn report(comparison: &mut Comparison<'_>) {
    for protected in all(comparison) {
        let Protected { address, name, label, id, exists } = &protected;
        match exists {
            Err(reason) => {
                let reason = format!("{name} could not be looked up in the directory: {reason}");
                comparison.findings.unknown.push(Unreadable::because(reason).at(address.clone()));
            }
            Ok(false) => comparison.findings.notes.push(notes::break_glass_not_found(address.clone(), name)),
            Ok(true) => {
                let Some(id) = *id else { continue };
                match standing(comparison, id, label) {
                    Standing::Admin => {}
                    Standing::Unknown(unreadable) => comparison.findings.unknown.push(unreadable.at(address.clone())),
                    Standing::Below(roles) => {
                        let note = notes::break_glass_not_admin(address.clone(), label, &roles);
                        comparison.findings.notes.push(note);
                    }
                }
            }
        }
    }
}

enum Standing {
    /// It is Admin, or the plan makes it Admin.
    Admin,
    /// It has less: these roles.
    Below(BTreeSet<String>),
    /// It isn't known.
    Unknown(Unreadable),
}

fn standing(comparison: &Comparison<'_>, id: ObjectId, label: &str) -> Standing {
    let sources = sources(comparison, id);
    let promised = |holder: &ObjectId| {
        let address = comparison.changed.get(holder);
        let mut planned = comparison.findings.changes.iter();
        address.is_some_and(|address| planned.any(|one| one.change.address == *address && becomes_admin(one)))
    };
    let groups = comparison.observed.members.iter();
    let mut groups = groups.filter(|(_, members)| members.as_ref().is_ok_and(|members| members.contains_key(&id)));
    if sources.iter().any(|source| !source.doubtful && source.held.is_admin())
        || promised(&id)
        || groups.any(|(group, _)| promised(group))
    {
        return Standing::Admin;
    }
    if sources.iter().any(|source| source.doubtful && source.held.is_admin()) {
        let reason = format!("whether {label} is Admin through a group could not be read: its members are unknown");
        return Standing::Unknown(Unreadable::because(reason));
    }
    if comparison.list.nameless > 0 {
        return Standing::Unknown(incomplete(comparison.list.nameless));
    }
    Standing::Below(sources.iter().flat_map(|source| source.held.roles.iter().cloned()).collect())
}

/// What the losses of a plan do to one protected principal: the entries whose loss lowers its role, and those of which that
/// isn't known. `after` holds the roles that each loser keeps.
pub(super) fn lowered(
    comparison: &Comparison<'_>,
    id: ObjectId,
    after: &BTreeMap<ObjectId, BTreeSet<String>>,
) -> (Vec<ObjectId>, Vec<ObjectId>) {
    let sources = sources(comparison, id);
    let sure = sources.iter().filter(|source| !source.doubtful);
    let kept: BTreeSet<&String> = sure.flat_map(|source| after.get(&source.id).unwrap_or(&source.held.roles)).collect();
    let lowers = |source: &&Source<'_>| {
        after.contains_key(&source.id) && source.held.roles.iter().any(|role| !still_allowed(role, &kept))
    };
    let (doubtful, sure): (Vec<_>, Vec<_>) = sources.iter().filter(lowers).partition(|source| source.doubtful);
    let ids = |sources: Vec<&Source<'_>>| sources.into_iter().map(|source| source.id).collect();
    (ids(sure), ids(doubtful))
}

/// Whether what a role allows is allowed by those that stay. What a role of an unknown name allows isn't known, so only the
/// same one replaces it.
fn still_allowed(role: &str, kept: &BTreeSet<&String>) -> bool {
    let highest = kept.iter().filter_map(|kept| rank(kept)).max();
    kept.iter().any(|kept| same_role(kept, role)) || rank(role).is_some_and(|rank| Some(rank) <= highest)
}
