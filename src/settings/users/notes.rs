//! What a person must know about a comparison of users.

use std::collections::BTreeSet;

use super::block::{Assignment, PrincipalRef, Role};
use super::compare::{Comparison, Target};
use super::principal::Principal;
use super::reach;
use crate::azure::graph::DirectoryObject;
use crate::plan::{Address, Kind, Note, NoteCode, Severity};
use crate::settings::users::codes;
use crate::terms::text::{brief, printable};

fn note(code: NoteCode, severity: Severity, address: Address, message: String, help: Option<&str>) -> Note {
    let note = Note::finding(code, severity, address, message);
    match help {
        Some(help) => note.help(help),
        None => note,
    }
}

/// A declared principal that the directory doesn't have. `namesake` has its name, under another id.
pub(super) fn not_found(address: Address, principal: &PrincipalRef, namesake: Option<&Principal>) -> Note {
    if let Some(namesake) = namesake {
        let message =
            format!("{} isn't in the directory; {} has the id {}", described(principal), namesake.part, namesake.id);
        let help = "find out which of the two is meant, and correct the other";
        return note(codes::PRINCIPAL_MISMATCH, Severity::Error, address, message, Some(help));
    }
    let message = format!("{} isn't in the directory", described(principal));
    let help = "correct the name or the id; a new principal must be in the directory before it can be given a role";
    note(codes::PRINCIPAL_NOT_FOUND, Severity::Error, address, message, Some(help))
}

fn described(principal: &PrincipalRef) -> String {
    match principal {
        PrincipalRef::User { upn, id: None } => format!("the user {upn}"),
        PrincipalRef::User { upn, id: Some(id) } => format!("the user {upn} with the id {id}"),
        PrincipalRef::Group { name, id } => format!("the group `{name}` with the id {id}"),
        PrincipalRef::App { name, app_id } => format!("the app `{name}` with the application id {app_id}"),
        PrincipalRef::Principal { id } => format!("a principal with the id {id}"),
    }
}

/// Names are for readers, ids decide: if the two disagree, the reader was told something else than what is done.
pub(super) fn mismatch(
    address: &Address,
    declared: &PrincipalRef,
    found: &Principal,
    object: &DirectoryObject,
) -> Option<Note> {
    let live = object.display_name.as_deref().map_or_else(|| "without a name".to_owned(), printable);
    let live = live.as_str();
    let message = match declared {
        PrincipalRef::User { upn, id: Some(id) } if !is_named(object, upn) => {
            let name = object.user_principal_name.as_deref().map_or_else(|| live.to_owned(), printable);
            format!("the id {id} belongs to the user {name}, not to {upn}")
        }
        PrincipalRef::Group { name, id } if found.kind != Kind::Group => {
            format!("the id {id} of the group `{name}` belongs to {}, which isn't a group", found.label)
        }
        PrincipalRef::Group { name, id } if live != name => {
            format!("the id {id} belongs to the group `{live}`, not to `{name}`")
        }
        PrincipalRef::App { name, app_id } if live != name => {
            format!("the application id {app_id} belongs to the app `{live}`, not to `{name}`")
        }
        PrincipalRef::User { .. }
        | PrincipalRef::Group { .. }
        | PrincipalRef::App { .. }
        | PrincipalRef::Principal { .. } => return None,
    };
    let help = "find out which of the two is meant, and correct the other";
    Some(note(codes::PRINCIPAL_MISMATCH, Severity::Error, address.clone(), message, Some(help)))
}

pub(super) fn is_named(object: &DirectoryObject, upn: &str) -> bool {
    object.user_principal_name.as_deref().is_some_and(|name| name.to_lowercase() == upn.to_lowercase())
}

pub(super) fn break_glass_not_found(address: Address, name: &str) -> Note {
    let message = format!("`{name}` is under `breakGlass` and isn't in the directory: the entry protects nobody");
    note(
        codes::BREAK_GLASS_NOT_FOUND,
        Severity::Error,
        address,
        message,
        Some("correct the name, or write the object id"),
    )
}

pub(super) fn break_glass_not_admin(address: Address, label: &str, roles: &BTreeSet<String>) -> Note {
    let has = match roles.is_empty() {
        true => "no role".to_owned(),
        false => roles.iter().map(|role| brief(role)).collect::<Vec<_>>().join(" and "),
    };
    let message = format!("{label} is under `breakGlass` and isn't Admin; it has {has}");
    let help = "declare it with the role Admin, or grant it Admin under Settings > Permissions > Users";
    note(codes::BREAK_GLASS_NOT_ADMIN, Severity::Error, address, message, Some(help))
}

pub(super) fn twice(address: Address, first: &Assignment, second: &Assignment, found: &Principal) -> Note {
    let message = format!(
        "{} (line {}) and {} (line {}) are the same principal, {}",
        first.principal, first.place.line, second.principal, second.place.line, found.label
    );
    note(codes::PRINCIPAL_TWICE, Severity::Error, address, message, Some("keep one of the two"))
}

pub(super) fn role_unavailable(address: Address, role: Role, known: &[String]) -> Note {
    let message = format!("the environment has no role {role}; it knows {}", known.join(", "));
    let help = "Marketing Contributor needs business unit separation; for the others, ask who changed the roles";
    note(codes::ROLE_UNAVAILABLE, Severity::Error, address, message, Some(help))
}

pub(super) fn cannot_hold_roles(address: Address, found: &Principal) -> Note {
    let message = format!("{} is neither a user, nor a group, nor an app, so it can't be given a role", found.label);
    note(codes::PRINCIPAL_MISMATCH, Severity::Error, address, message, None)
}

/// What else happens when a role is granted.
pub(super) fn granting(comparison: &Comparison<'_>, address: &Address, target: &Target<'_>) -> Vec<Note> {
    let Target { assignment, principal } = target;
    let mut notes = Vec::new();
    if assignment.role == Role::Admin {
        let whom = if principal.kind == Kind::Group { "every member" } else { "it" };
        let message =
            format!("the role Admin also makes {whom} System Administrator in the linked Dataverse environment");
        notes.push(note(codes::GRANTS_DATAVERSE_ADMIN, Severity::Warning, address.clone(), message, None));
    }
    if let Some(reach) = reach::of(comparison.observed, principal) {
        notes.push(note(codes::GROUP_REACH, Severity::Info, address.clone(), reach.said, None));
    }
    notes
}

pub(super) fn left_alone(setting: &Address, others: usize) -> Option<Note> {
    let message = match others {
        0 => return None,
        1 => "1 other principal has a role and isn't declared; `match: atLeast` leaves it alone".to_owned(),
        _ => format!("{others} other principals have roles and aren't declared; `match: atLeast` leaves them alone"),
    };
    Some(note(codes::LEFT_ALONE, Severity::Info, setting.clone(), message, None))
}
