//! `privateLinks`: storage accounts and Synapse workspaces that an environment reaches over private links.
//!
//! Words: a *link* leads to one *resource* and has several *endpoints* (four for a storage account); each endpoint asks for a
//! private endpoint *connection* on the Azure side, where somebody has to approve it. Microsoft publishes no operation for
//! links; their connections are Azure's, and documented.
//!
//! Invariants: palisade approves a connection only if a plan listed its full endpoint id, or the endpoint lies in the
//! subscription that the file names; a name alone approves nothing; other connections are never touched; a link is in sync
//! once all of its endpoints are approved, whatever a person saw.

mod approvals;
#[cfg(test)]
mod binding;
mod block;
mod changes;
pub mod codes;
mod compare;
mod endpoints;
mod inferred;
mod notes;
mod observe;
mod risks;
mod sets;
mod steps;
#[cfg(test)]
mod tests;
mod unreached;
mod words;

pub(super) use block::same_resource;
pub use block::{Approval, Block, Declared, Link, Match, Saw};
pub(super) use notes::region;
pub use observe::{Links, Observed, Resource};
pub use sets::{Sets, named_like_ours};

use async_trait::async_trait;

use super::setting::{Comparing, Need, Observing, Setting};
use crate::config::Code;
use crate::config::Word;
use crate::plan::{Findings, NoteCode, Rated};
use crate::terms::{Place, ResourceId};

#[async_trait(?Send)]
impl Setting for Block {
    type Observed = Observed;

    const RISKS: &'static [Rated] = risks::RISKS;
    const CODES: &'static [Code] = codes::CODES;
    const NOTES: &'static [NoteCode] = codes::NOTES;
    const WORDS: &'static [Word] = words::WORDS;

    fn places(declared: &Declared) -> Vec<(String, Place)> {
        let links = declared.links.iter().map(|link| (compare::part(&link.resource), link.place.clone()));
        std::iter::once((String::new(), declared.place.clone())).chain(links).collect()
    }

    fn resources(declared: &Declared) -> Vec<ResourceId> {
        declared.links.iter().map(|link| link.resource.clone()).collect()
    }

    const NEEDS: &'static [Need] = &[Need::Instance];

    async fn observe(declared: Option<&Declared>, observing: &Observing<'_>) -> Observed {
        observe::observe(declared, observing).await
    }

    fn compare(declared: &Declared, observed: &Observed, comparing: &Comparing<'_>) -> Findings {
        compare::compare(declared, observed, comparing)
    }
}
