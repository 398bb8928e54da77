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

use super::setting::{Comparing, Observing, Setting};
use crate::config::Code;
use crate::config::Word;
use crate::plan::{Findings, NoteCode, Rated};
use crate::terms::ResourceId;

#[async_trait(?Send)]
impl Setting for Block {
    type Observed = Option<Observed>;

    const RISKS: &'static [Rated] = risks::RISKS;
    const CODES: &'static [Code] = codes::CODES;
    const NOTES: &'static [NoteCode] = codes::NOTES;
    const WORDS: &'static [Word] = super::words::WORDS;

    fn resources(declared: &Option<Declared>) -> Vec<ResourceId> {
        declared.iter().map(|declared| declared.vault.clone()).collect()
    }

    async fn observe(declared: &Option<Declared>, observing: &Observing<'_>) -> Option<Observed> {
        match declared {
            Some(declared) => Some(observe::observe(declared, observing).await),
            None => None,
        }
    }

    fn compare(declared: &Option<Declared>, observed: &Option<Observed>, comparing: &Comparing<'_>) -> Findings {
        match (declared, observed) {
            (Some(declared), Some(observed)) => compare::compare(declared, observed, comparing),
            _ => Findings::default(),
        }
    }
}
