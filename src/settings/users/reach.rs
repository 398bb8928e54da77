//! Whom a role for a group reaches: what a plan says of it, and what of that is approved. Pure.
//!
//! Invariants: what is said is what is approved, so a group that grew since is another change; where the members were read, they are
//! approved one by one, else their number; what could not be read is approved as that, and is another thing once it is read.

use serde_json::json;

use super::observe::Observed;
use super::principal::Principal;
use crate::plan::Kind;
use crate::terms::digest;

/// Whom a role reaches.
pub(super) struct Reach {
    /// For a person.
    pub(super) said: String,
    /// What an approval hangs on.
    pub(super) bound: String,
}

/// Whom a role for this principal reaches, if it is a group.
pub(super) fn of(observed: &Observed, principal: &Principal) -> Option<Reach> {
    if principal.kind != Kind::Group {
        return None;
    }
    let spoken = |number: u64| match number {
        1 => "1 member".to_owned(),
        number => format!("{number} members, those of nested groups included"),
    };
    if let Some(Ok(members)) = observed.members.get(&principal.id) {
        let ids: Vec<String> = members.keys().map(ToString::to_string).collect();
        let digest = digest::of_json(&json!(ids));
        let short = digest.get(.."sha256:".len() + 12).unwrap_or(&digest);
        let said = format!("reaches {}", spoken(members.len() as u64));
        return Some(Reach { said, bound: format!("{} ({short})", members.len()) });
    }
    Some(match observed.counts.get(&principal.id) {
        Some(Ok(number)) => Reach { said: format!("reaches {}", spoken(*number)), bound: number.to_string() },
        Some(Err(reason)) => Reach {
            said: format!("how many members it reaches could not be read: {reason}"),
            bound: "not read".to_owned(),
        },
        None => Reach { said: "how many members it reaches was not read".to_owned(), bound: "not read".to_owned() },
    })
}
