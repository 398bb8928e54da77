//! `users`: who has which role in an environment.
//!
//! Words: a principal is *held* if the
//! service lists a role for it, an *extra* if it is held and not declared. What must stay true: the object id decides who
//! a principal is; a role change is one update, never a delete and a create; as long as anybody declared could not be
//! looked up, no extra is removed, since it might be that very principal.

mod administrators;
mod assignments;
#[cfg(test)]
mod binding;
mod block;
mod break_glass;
mod caller;
pub mod codes;
mod compare;
mod notes;
mod observe;
mod principal;
mod protection;
mod reach;
mod risks;
mod steps;
mod words;

#[cfg(test)]
mod tests;

pub use assignments::{Assignments, Held};
pub use block::{Assignment, Block, BreakGlass, Declared, Match, PrincipalRef, Role};
pub use observe::Observed;
pub(super) use principal::name;

use async_trait::async_trait;

use super::setting::{Comparing, Need, Observing, Setting};
use crate::azure::directory::Name;
use crate::config::Code;
use crate::plan::{Findings, NoteCode, Rated};
use crate::terms::Place;

#[async_trait(?Send)]
impl Setting for Block {
    type Observed = Observed;

    fn places(declared: &Declared) -> Vec<(String, Place)> {
        let assignments = declared.assignments.iter().map(|one| (principal::declared_part(&one.principal), &one.place));
        let protected = declared.break_glass.iter().map(|one| (protection::part(&one.principal), &one.place));
        let parts = assignments.chain(protected).map(|(part, place)| (part, place.clone()));
        std::iter::once((String::new(), declared.place.clone())).chain(parts).collect()
    }

    fn principals(declared: &Declared) -> Vec<PrincipalRef> {
        principal::declared(declared).cloned().collect()
    }

    fn names_of(declared: &Declared, part: &str) -> Option<Vec<Name>> {
        let mut assigned = declared.assignments.iter().map(|assignment| &assignment.principal);
        let principal = assigned.find(|principal| principal::declared_part(principal) == part)?;
        let id = principal::declared_ids(principal).map(Name::Id);
        Some(std::iter::once(principal::name(principal)).chain(id).collect())
    }

    const RISKS: &'static [Rated] = risks::RISKS;
    const CODES: &'static [Code] = codes::CODES;
    const NOTES: &'static [NoteCode] = codes::NOTES;

    const NEEDS: &'static [Need] = &[Need::Instance];

    async fn observe(declared: Option<&Declared>, observing: &Observing<'_>) -> Observed {
        observe::observe(declared, observing).await
    }

    fn compare(declared: &Declared, observed: &Observed, comparing: &Comparing<'_>) -> Findings {
        compare::compare(declared, observed, comparing)
    }
}
