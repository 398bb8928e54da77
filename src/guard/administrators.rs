//! No self-lockout: the caller stays Admin, another Admin remains, protected principals are untouched.

use crate::plan::{Address, Administrator, Administrators, Kind, Loss, Note, NoteCode, Severity};

/// Checks one environment.
pub(super) fn check(scope: &str, found: &Administrators, has_changes: bool, notes: &mut Vec<Note>) {
    let setting = Address::setting(scope, "users");
    if has_changes && found.caller.is_some() && !found.caller_is_admin {
        notes.push(Note {
            code: NoteCode::NotAdmin,
            severity: Severity::Error,
            address: setting.clone(),
            message: "the identity that runs palisade isn't Admin here, so the service would refuse these changes"
                .into(),
            help: Some(
                "give it the role Admin under Settings > Permissions > Users, or run as another identity".into(),
            ),
        });
    }
    if !found.losses.is_empty() && found.caller.is_none() {
        notes.push(Note {
            code: NoteCode::CallerUnknown,
            severity: Severity::Error,
            address: setting.clone(),
            message: "it isn't known which principal runs palisade, so nobody may lose anything".into(),
            help: None,
        });
    }
    notes.extend(found.losses.iter().filter_map(break_glass));
    notes.extend(found.losses.iter().filter_map(|loss| self_lockout(loss, found)));
    unresolved_break_glass(&setting, found, notes);
    other_admins(&setting, found, notes);
}

fn break_glass(loss: &Loss) -> Option<Note> {
    loss.break_glass.then(|| Note {
        code: NoteCode::BreakGlass,
        severity: Severity::Error,
        address: loss.address.clone(),
        message: format!("{} is protected by `breakGlass` and would lose its role", loss.label),
        help: Some("declare it with the role that it has, or take it off the list in a change of its own".into()),
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
    Some(Note {
        code: NoteCode::SelfLockout,
        severity: Severity::Error,
        address: loss.address.clone(),
        message,
        help: Some("declare the identity itself with the role Admin, or use `match: atLeast`".into()),
    })
}

fn unresolved_break_glass(setting: &Address, found: &Administrators, notes: &mut Vec<Note>) {
    for name in &found.unresolved_break_glass {
        let severity = if found.losses.is_empty() { Severity::Warning } else { Severity::Error };
        notes.push(Note {
            code: NoteCode::BreakGlassUnresolved,
            severity,
            address: setting.clone(),
            message: format!("`{name}` under `breakGlass` could not be looked up in the directory"),
            help: Some("correct the name, or write the object id".into()),
        });
    }
}

fn other_admins(setting: &Address, found: &Administrators, notes: &mut Vec<Note>) {
    let others = |admins: &[Administrator]| others(found, admins);
    let takes_admins_away = found.losses.iter().any(|loss| loss.was_admin);
    let (code, severity, message, help) = match others(&found.after) {
        0 if takes_admins_away => (
            NoteCode::LastAdmin,
            Severity::Error,
            "no other Admin than the identity that runs palisade would remain",
            "declare another user, or a group that has members, with the role Admin",
        ),
        0 | 1 => (
            NoteCode::FewAdmins,
            Severity::Warning,
            "fewer than two Admins besides the identity that runs palisade",
            "declare another user with the role Admin; Microsoft recommends two at least",
        ),
        _ => return,
    };
    let (message, help) = (message.to_owned(), Some(help.to_owned()));
    notes.push(Note { code, severity, address: setting.clone(), message, help });
}

/// How many besides the caller can administer.
fn others(found: &Administrators, admins: &[Administrator]) -> usize {
    admins.iter().filter(|admin| Some(&admin.id) != found.caller.as_ref() && can_administer(admin)).count()
}

/// That nobody but the caller can administer now.
pub(super) fn nobody_left(scope: &str, found: &Administrators) -> Option<Note> {
    (others(found, &found.before) == 0).then(|| Note {
        code: NoteCode::LastAdmin,
        severity: Severity::Error,
        address: Address::setting(scope, "users"),
        message: "no other Admin is left: another Admin was removed at the same time".to_owned(),
        help: Some("declare another user with the role Admin, and apply".to_owned()),
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
