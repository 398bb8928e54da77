//! No self-lockout: the caller stays Admin, another Admin remains, protected principals are untouched.

use crate::plan::{Address, Administrator, Administrators, Kind, Loss, Note, NoteCode, Severity};

/// Checks one environment.
pub(super) fn check(scope: &str, found: &Administrators, has_changes: bool, notes: &mut Vec<Note>) {
    let setting = Address::setting(scope, "users");
    if has_changes && found.caller.is_some() && !found.caller_is_admin {
        let message = "the identity that runs palisade isn't Admin here, so the service would refuse these changes";
        notes.push(
            Note::refusal(NoteCode::NotAdmin, setting.clone(), message)
                .help("grant it Admin under Settings > Permissions > Users, or run as another identity"),
        );
    }
    if !found.losses.is_empty() && found.caller.is_none() {
        let message = "which principal runs palisade isn't known, so nothing is taken from anybody";
        notes.push(Note::refusal(NoteCode::CallerUnknown, setting.clone(), message));
    }
    notes.extend(found.losses.iter().filter_map(break_glass));
    notes.extend(found.losses.iter().filter_map(|loss| self_lockout(loss, found)));
    unresolved_break_glass(&setting, found, notes);
    other_admins(&setting, found, notes);
}

fn break_glass(loss: &Loss) -> Option<Note> {
    loss.break_glass.then(|| {
        let message = format!("{} is protected by `breakGlass` and would lose its role", loss.label);
        Note::refusal(NoteCode::BreakGlass, loss.address.clone(), message)
            .help("declare it with the role that it has, or take it off the list in a change of its own")
    })
}

/// The caller itself, or, where it is Admin through a group, any group that could be the one.
fn self_lockout(loss: &Loss, found: &Administrators) -> Option<Note> {
    let caller = found.caller.as_deref()?;
    let direct = found.before.iter().any(|admin| admin.id == caller);
    let through_group =
        found.caller_is_admin && !direct && loss.was_admin && matches!(loss.kind, Kind::Group | Kind::Unknown);
    let message = match loss.id == caller {
        true => format!("{} runs palisade and would lose its role: no later run could repair anything", loss.label),
        false if through_group => {
            format!("the identity that runs palisade is Admin through a group, and {} may be that group", loss.label)
        }
        false => return None,
    };
    Some(
        Note::refusal(NoteCode::SelfLockout, loss.address.clone(), message)
            .help("declare the identity itself with the role Admin, or use `match: atLeast`"),
    )
}

fn unresolved_break_glass(setting: &Address, found: &Administrators, notes: &mut Vec<Note>) {
    for name in &found.unresolved_break_glass {
        let message = format!("`{name}` under `breakGlass` could not be looked up in the directory");
        let note = match found.losses.is_empty() {
            true => Note::finding(NoteCode::BreakGlassNotFound, Severity::Warning, setting.clone(), message),
            false => Note::refusal(NoteCode::BreakGlassUnresolved, setting.clone(), message),
        };
        notes.push(note.help("correct the name, or write the object id"));
    }
}

fn other_admins(setting: &Address, found: &Administrators, notes: &mut Vec<Note>) {
    let others = |admins: &[Administrator]| others(found, admins);
    let takes_admins_away = found.losses.iter().any(|loss| loss.was_admin);
    let note = match others(&found.after) {
        0 if takes_admins_away => {
            let message = "no other Admin than the identity that runs palisade would remain";
            Note::refusal(NoteCode::LastAdmin, setting.clone(), message)
                .help("declare another user, or a group that has members, with the role Admin")
        }
        0 | 1 => {
            let message = "fewer than two Admins besides the identity that runs palisade";
            Note::finding(NoteCode::FewAdmins, Severity::Warning, setting.clone(), message)
                .help("declare another user with the role Admin; Microsoft recommends at least two")
        }
        _ => return,
    };
    notes.push(note);
}

/// How many besides the caller can administer.
fn others(found: &Administrators, admins: &[Administrator]) -> usize {
    admins.iter().filter(|admin| Some(&admin.id) != found.caller.as_ref() && can_administer(admin)).count()
}

/// That nobody but the caller can administer now.
pub(super) fn nobody_left(scope: &str, found: &Administrators) -> Option<Note> {
    (others(found, &found.before) == 0).then(|| {
        let message = "no other Admin is left: another Admin was removed at the same time";
        Note::refusal(NoteCode::LastAdmin, Address::setting(scope, "users"), message)
            .help("declare another user with the role Admin, and apply")
    })
}

/// Whether somebody can sign in and administer. An application can't; a group can if it is known to reach somebody.
fn can_administer(admin: &Administrator) -> bool {
    match admin.kind {
        Kind::User => true,
        Kind::Group => admin.members.is_some_and(|members| members > 0),
        Kind::App | Kind::Unknown => false,
    }
}
