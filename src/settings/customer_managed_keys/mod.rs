//! `customerManagedKeys` of the tenant: whether environments that no file declares are watched as well.
//!
//! Invariants: nothing is planned for them; what is told of them changes no exit code of `apply`; declared environments are watched in
//! their own scopes, and not here again; that the environments can't be listed is told, never taken for none.

mod block;
mod compare;
mod observe;

pub use block::{Block, Declared};
pub use observe::{Observed, Undeclared};

use async_trait::async_trait;

use super::block::Block as _;
use super::setting::{Comparing, Need, Observing, Setting};
use crate::config::Code;
use crate::plan::{Findings, NoteCode, Rated};
use crate::terms::{Place, ScopeKind};

#[async_trait(?Send)]
impl Setting for Block {
    type Observed = Observed;

    const RISKS: &'static [Rated] = &[];
    const CODES: &'static [Code] = &[];
    // What is told of an environment has the codes of `customerManagedKey`.
    const NOTES: &'static [NoteCode] = &[];
    const SCOPE: ScopeKind = ScopeKind::Tenant;
    const NEEDS: &'static [Need] = &[];

    fn places(declared: &Declared) -> Vec<(String, Place)> {
        vec![(String::new(), declared.place.clone())]
    }

    async fn observe(_: Option<&Declared>, observing: &Observing<'_>) -> Observed {
        observe::observe(observing).await
    }

    fn compare(_: &Declared, observed: &Observed, comparing: &Comparing<'_>) -> Findings {
        compare::compare(&comparing.address(Block::KEY), observed, comparing)
    }
}
