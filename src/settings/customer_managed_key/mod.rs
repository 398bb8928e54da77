//! `customerManagedKey`: whose key encrypts an environment, Microsoft's or the customer's.
//!
//! Words: an environment is *linked* to an enterprise *policy*, which refers to a key in a vault and uses it as its own *identity*; the
//! three together are the *chain*. To *swap* is to link another policy over the one before.
//!
//! Invariants: an environment is taken off its key only where the file says `managedBy: microsoft`; another policy is linked over the
//! one before, in place; palisade creates no key and no vault, never changes the key of a policy, and takes no grant, key or policy
//! away; nothing is begun while an operation goes on, or where it can't be read whether one does; only `Linked` to the declared
//! policy, with the declared key, is in sync.

mod block;
pub mod codes;
mod compare;
mod demands;
mod grants;
mod link;
mod locked;
mod notes;
mod observe;
mod policy;
mod provision;
mod retained;
mod revert;
mod risks;
mod steps;
#[cfg(test)]
mod tests;
mod watch;
mod words;

pub(crate) use block::ManagedBy;
pub use block::{Block, Declared};
pub use observe::Observed;
pub(in crate::settings) use watch::Watched;

use async_trait::async_trait;

use super::setting::{Comparing, NamedPolicy, Need, Observing, Setting};
use crate::config::{Code, Word};
use crate::plan::{Findings, NoteCode, Rated};
use crate::terms::{Place, ResourceId};

#[async_trait(?Send)]
impl Setting for Block {
    type Observed = Observed;

    const RISKS: &'static [Rated] = risks::RISKS;
    const CODES: &'static [Code] = codes::CODES;
    const NOTES: &'static [NoteCode] = codes::NOTES;
    const WORDS: &'static [Word] = words::WORDS;
    const NEEDS: &'static [Need] = &[Need::Environment];

    fn places(declared: &Option<Declared>) -> Vec<(String, Place)> {
        let Some(declared) = declared else { return Vec::new() };
        let retained = declared.retained.iter().map(|one| (retained::part(declared, one), one.place.clone()));
        let [policy, key] = declared.parts.clone();
        let own = [(String::new(), declared.place.clone()), ("policy".to_owned(), policy), ("key".to_owned(), key)];
        own.into_iter().chain(retained).collect()
    }

    fn resources(declared: &Option<Declared>) -> Vec<ResourceId> {
        let named = declared.iter().flat_map(Declared::policies);
        named
            .flat_map(|(policy, key)| [policy.clone(), key.vault.resource().clone()].into_iter().chain(key.resource()))
            .collect()
    }

    fn policies(declared: &Option<Declared>) -> Vec<NamedPolicy> {
        let created = |id: &ResourceId| {
            let protection = declared.as_ref().and_then(observe::protection);
            protection.is_some_and(|protection| protection.provision && protection.policy == *id)
        };
        let named = declared.iter().flat_map(Declared::policies).map(|(id, key)| NamedPolicy {
            id: id.clone(),
            vault: key.vault.resource().clone(),
            key: key.name.clone(),
            version: key.version.clone(),
            created: created(id),
        });
        named.collect()
    }

    const WATCHES: bool = true;

    async fn watch(observing: &Observing<'_>, comparing: &Comparing<'_>) -> Findings {
        // An environment that is linked to no policy is on Microsoft's key, which needs nothing: it costs no further request.
        match observing.hosting {
            Ok(hosting) if hosting.live.links.encryption.is_none() => Findings::default(),
            _ => watch::compare(&observe::observe(None, observing).await, comparing),
        }
    }

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
