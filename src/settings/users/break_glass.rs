//! `users.breakGlass` in the file: the accounts for an emergency.
//!
//! Invariants: an entry that can't become Admin by what the block declares is told with its place. It is an error where the
//! block itself gives it a smaller role and no group could give it more; who is in a group no file tells.

use std::collections::HashMap;

use super::block::{Assignment, BreakGlass, Match};
use super::words::{PrincipalRef, Role};
use crate::config::words::{PrincipalName, PrincipalText};
use crate::config::{Diagnostic, Diagnostics, Located, quoted};
use crate::settings::users::codes;

/// Reads the list and holds it against the assignments.
pub(super) fn declare(
    written: Vec<PrincipalName>,
    list: Located<'_>,
    (matching, assignments): (Match, &[Assignment]),
    diagnostics: &mut Diagnostics,
) -> Vec<BreakGlass> {
    let mut seen = HashMap::new();
    let mut declared = Vec::new();
    for (index, name) in written.into_iter().enumerate() {
        let item = list.at(&[&index.to_string()]);
        let principal = match name.0 {
            PrincipalText::User(upn) => PrincipalRef::User { upn, id: None },
            PrincipalText::Id(id) => PrincipalRef::Principal { id },
        };
        let first = principal.identities().iter().find_map(|identity| seen.get(identity).copied());
        match first {
            Some(first) => {
                let message = format!("{} is listed twice", quoted(&principal.to_string()));
                diagnostics.push(
                    Diagnostic::error(codes::DUPLICATE_PRINCIPAL, item.span(), message)
                        .related(first, "first here")
                        .help("keep one of the two"),
                );
            }
            None => check(&principal, item, matching, assignments, diagnostics),
        }
        seen.extend(principal.identities().into_iter().map(|identity| (identity, item.span())));
        declared.push(BreakGlass { principal, place: item.place() });
    }
    declared
}

fn check(
    principal: &PrincipalRef,
    item: Located<'_>,
    matching: Match,
    assignments: &[Assignment],
    diagnostics: &mut Diagnostics,
) {
    // Whom a group holds, and which principal a bare id is, no file tells.
    let through_group = assignments.iter().any(|assignment| {
        let group = matches!(assignment.principal, PrincipalRef::Group { .. } | PrincipalRef::Principal { .. });
        assignment.role == Role::Admin && group
    });
    let name = quoted(&principal.to_string());
    let only =
        if through_group { "only a group can make it Admin" } else { "every plan that would remove it is refused" };
    let help = "declare it with the role Admin, or take it out of `breakGlass`";
    let diagnostic = match assignments.iter().find(|one| principal.is(&one.principal)) {
        Some(own) if own.role == Role::Admin => return,
        Some(own) => {
            let message =
                format!("{name} is under `breakGlass` and is declared {}, which is less than Admin", own.role);
            // Under `atLeast`, a group that isn't declared may make it Admin as well.
            match matching == Match::Exact && !through_group {
                true => Diagnostic::error(codes::BREAK_GLASS_BELOW_ADMIN, item.span(), message),
                false => Diagnostic::warning(codes::BREAK_GLASS_BELOW_ADMIN, item.span(), message),
            }
        }
        None if matching == Match::AtLeast => return,
        None if assignments.iter().any(|one| one.role == Role::Admin && principal.may_be(&one.principal)) => return,
        None => {
            let message =
                format!("{name} is under `breakGlass`, but `match: exact` leaves it no role of its own: {only}");
            Diagnostic::warning(codes::BREAK_GLASS_NOT_DECLARED, item.span(), message)
        }
    };
    diagnostics.push(diagnostic.help(help));
}
