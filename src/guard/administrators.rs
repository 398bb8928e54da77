//! No self-lockout: the caller stays Admin, another Admin remains, no protected principal's role is lowered.
//!
//! Invariants: every id that may be the caller's is protected; another Admin is an enabled person whom the directory shows,
//! and whoever isn't known doesn't count.

use std::collections::BTreeSet;

use crate::guard::codes;
use crate::plan::{Administrator, Administrators, Kind, Loss, Note, Severity, Unprotected};
use crate::terms::ObjectId;

/// Checks one environment.
pub(super) fn check(found: &Administrators, has_changes: bool) -> Vec<Note> {
    let mut notes = Vec::new();
    let setting = &found.setting;
    if has_changes && !found.caller.is_empty() && !found.caller_is_admin {
        let message = "the identity that runs palisade isn't Admin here, so the service would refuse these changes";
        notes.push(
            Note::refusal(codes::NOT_ADMIN, setting.clone(), message)
                .help("grant it Admin under Settings > Permissions > Users, or run as another identity"),
        );
    }
    if !found.losses.is_empty() && found.caller.is_empty() {
        let reason = found.caller_unknown.as_deref().unwrap_or("neither the token nor the service tells");
        let message = format!("which principal runs palisade isn't known, so nothing is taken from anybody: {reason}");
        notes
            .push(Note::refusal(codes::CALLER_UNKNOWN, setting.clone(), message).help(
                "sign in as one principal for all services, with a token that names it; or use `match: atLeast`",
            ));
    }
    notes.extend(found.losses.iter().flat_map(break_glass));
    notes.extend(found.losses.iter().filter_map(|loss| self_lockout(loss, found)));
    unprotected(found, &mut notes);
    notes.extend(other_admins(found));
    notes
}

/// Protected principals whose effective role a loss lowers, or may lower.
fn break_glass(loss: &Loss) -> impl Iterator<Item = Note> {
    let Loss { address, label, lowers, may_lower, .. } = loss;
    let lowers = lowers.iter().map(move |protected| {
        let message = match protected == label {
            true => format!("{label} is protected by `breakGlass` and would lose its role"),
            false => format!("{protected} is protected by `breakGlass` and has its role through {label}"),
        };
        Note::refusal(codes::BREAK_GLASS, address.clone(), message)
            .help("declare it with the role that it has, or take the entry out of `breakGlass` in a change of its own")
    });
    let may_lower = may_lower.iter().map(move |protected| {
        let message = format!(
            "{protected} is protected by `breakGlass`; whether it has its role through {label} could not be read"
        );
        Note::refusal(codes::BREAK_GLASS_UNRESOLVED, address.clone(), message)
            .help("grant Microsoft Graph GroupMember.Read.All to the identity that runs palisade")
    });
    lowers.chain(may_lower)
}

/// The caller itself, or, where it is Admin through a group, any group that could be the one.
fn self_lockout(loss: &Loss, found: &Administrators) -> Option<Note> {
    let direct = found.before.iter().any(|admin| found.caller.contains(&admin.id));
    let through_group =
        found.caller_is_admin && !direct && loss.was_admin && matches!(loss.kind, Kind::Group | Kind::Unknown);
    let message = match found.caller.contains(&loss.id) {
        true if loss.kind == Kind::Group => {
            format!("the identity that runs palisade has its role through {}, which would lose it", loss.label)
        }
        true => format!("{} runs palisade and would lose its role: no later run could repair anything", loss.label),
        false if through_group => {
            format!("the identity that runs palisade is Admin through a group, and {} may be that group", loss.label)
        }
        false => return None,
    };
    Some(
        Note::refusal(codes::SELF_LOCKOUT, loss.address.clone(), message)
            .help("declare the identity itself with the role Admin, or use `match: atLeast`"),
    )
}

/// An entry that leads to nobody who is known may mean one of those who lose something.
fn unprotected(found: &Administrators, notes: &mut Vec<Note>) {
    if found.losses.is_empty() {
        return;
    }
    for Unprotected { address, name, reason } in &found.unprotected {
        let why = match reason {
            None => "isn't in the directory".to_owned(),
            Some(reason) => format!("could not be looked up in the directory: {reason}"),
        };
        let message =
            format!("`{name}` under `breakGlass` {why}; nothing is taken from anybody, since it may be meant");
        notes.push(
            Note::refusal(codes::BREAK_GLASS_UNRESOLVED, address.clone(), message)
                .help("correct the entry, or write the object id"),
        );
    }
}

fn other_admins(found: &Administrators) -> Option<Note> {
    let setting = &found.setting;
    let others = |admins: &[Administrator]| others(found, admins);
    let takes_admins_away = found.losses.iter().any(|loss| loss.was_admin);
    match others(&found.after) {
        0 if takes_admins_away => {
            let (message, help) = match unread(found, &found.after) {
                None => (
                    "no other Admin than the identity that runs palisade would remain".to_owned(),
                    "declare another enabled user, or a group that has one as a member, with the role Admin",
                ),
                Some(who) => (
                    format!(
                        "whether another Admin than the identity that runs palisade would remain could not be read: {who}"
                    ),
                    READ_AGAIN,
                ),
            };
            Some(Note::refusal(codes::LAST_ADMIN, setting.clone(), message).help(help))
        }
        0 | 1 => {
            // Who can't be told is no reason to declare others.
            let (message, help) = match unread(found, &found.after) {
                None => (
                    "fewer than two Admins besides the identity that runs palisade".to_owned(),
                    "declare another user with the role Admin; Microsoft recommends at least two",
                ),
                Some(who) => (
                    format!(
                        "fewer than two Admins are known besides the identity that runs palisade; whether these count could \
                         not be read: {who}"
                    ),
                    READ_AGAIN,
                ),
            };
            Some(Note::finding(codes::FEW_ADMINS, Severity::Warning, setting.clone(), message).help(help))
        }
        _ => None,
    }
}

/// What to do where it isn't known who is Admin.
const READ_AGAIN: &str = "plan again once the directory answers; if it refuses, grant the identity that runs palisade Microsoft \
                          Graph GroupMember.Read.All and User.Read.All first";

/// Other Admins of whom it isn't known who they are, each with the reason.
fn unread(found: &Administrators, admins: &[Administrator]) -> Option<String> {
    let others = admins.iter().filter(|admin| !found.caller.contains(&admin.id));
    let unread = others.filter_map(|admin| Some(format!("{} ({})", admin.label, admin.unread.as_ref()?)));
    let unread: Vec<String> = unread.collect();
    (!unread.is_empty()).then(|| unread.join(", "))
}

/// How many people besides the caller can administer, each counted once.
fn others(found: &Administrators, admins: &[Administrator]) -> usize {
    let persons: BTreeSet<ObjectId> = admins.iter().flat_map(|admin| &admin.persons).copied().collect();
    persons.difference(&found.caller).count()
}

/// That nobody but the caller can administer now.
pub(super) fn nobody_left(found: &Administrators) -> Option<Note> {
    (others(found, &found.before) == 0).then(|| {
        let (message, help) = match unread(found, &found.before) {
            None => (
                "no other Admin is left: another Admin was removed at the same time".to_owned(),
                "declare another user with the role Admin, and apply",
            ),
            Some(who) => (
                format!("whether another Admin than the identity that runs palisade is left could not be read: {who}"),
                READ_AGAIN,
            ),
        };
        Note::refusal(codes::LAST_ADMIN, found.setting.clone(), message).help(help)
    })
}
