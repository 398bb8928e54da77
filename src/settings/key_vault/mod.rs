//! `keyVault`: the vault whose secrets an environment's connections use.
//!
//! Words: the *link* is Customer Insights' side, for which Microsoft publishes no operation; the *rights* are
//! those of its service principal on the vault; the *demands* are what the product asks of a vault (geography, tenant,
//! firewall off).
//!
//! Invariants: a vault is linked only with the rights in place and a recorded consent; another linked vault is replaced only
//! if the file names it; palisade never unlinks a vault and never takes a right away; that the rights are there proves no link.

#[cfg(test)]
mod binding;
mod block;
pub mod codes;
mod compare;
mod grants;
mod notes;
mod observe;
mod risks;
mod steps;
#[cfg(test)]
mod tests;

pub use block::{Block, Declared};
pub use observe::{Link, Observed};

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
    const WORDS: &'static [Word] = super::words::WORDS;

    fn places(declared: &Option<Declared>) -> Vec<(String, Place)> {
        declared.iter().map(|declared| (String::new(), declared.place.clone())).collect()
    }

    fn resources(declared: &Option<Declared>) -> Vec<ResourceId> {
        declared.iter().map(|declared| declared.vault.resource().clone()).collect()
    }

    const NEEDS: &'static [Need] = &[Need::Instance];

    async fn observe(declared: Option<&Option<Declared>>, observing: &Observing<'_>) -> Observed {
        observe::observe(declared.and_then(Option::as_ref), observing).await
    }

    fn compare(declared: &Option<Declared>, observed: &Observed, comparing: &Comparing<'_>) -> Findings {
        match declared {
            Some(declared) => compare::compare(declared, observed, comparing),
            None => Findings::default(),
        }
    }
}
