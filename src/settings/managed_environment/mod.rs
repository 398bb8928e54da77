//! `managedEnvironment`: whether Power Platform manages an environment, which customer-managed keys, Customer Lockbox and virtual
//! networks require.
//!
//! Words: an environment is *managed* at the protection level `Standard`; its *extended settings* say what that means in detail.
//!
//! Invariants: only the protection level is asked for, and what that does to the extended settings is reported; an environment
//! isn't made an ordinary one while something that requires a managed one is in use, or may be; nothing is asked for while another
//! operation is under way, and nothing is in sync while one changes it.

mod block;
pub mod codes;
mod compare;
mod notes;
mod observe;
mod risks;
mod steps;
#[cfg(test)]
mod tests;

pub use block::{Block, Declared};
pub use observe::Observed;

use async_trait::async_trait;

use super::setting::{Comparing, Need, Observing, Setting};
use crate::config::Code;
use crate::plan::{Findings, NoteCode, Rated};
use crate::terms::Place;

#[async_trait(?Send)]
impl Setting for Block {
    type Observed = Observed;

    const RISKS: &'static [Rated] = risks::RISKS;
    const CODES: &'static [Code] = &[];
    const NOTES: &'static [NoteCode] = codes::NOTES;
    const NEEDS: &'static [Need] = &[Need::Environment];

    fn places(declared: &Declared) -> Vec<(String, Place)> {
        vec![(String::new(), declared.place.clone())]
    }

    async fn observe(_: Option<&Declared>, observing: &Observing<'_>) -> Observed {
        observe::observe(observing).await
    }

    fn compare(declared: &Declared, observed: &Observed, comparing: &Comparing<'_>) -> Findings {
        compare::compare(declared, observed, comparing)
    }
}
