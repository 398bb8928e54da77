//! `dataLake`: the storage account that an environment keeps its data in: whose key encrypts it, and whether it is open to the internet.
//!
//! Words: the *lake* is the storage account; the *holder* is whose identity uses the lake's key: the account itself, or a user-assigned
//! identity that its encryption names; a *set* is the four private endpoints of one environment's link to the lake.
//!
//! Invariants: public access is closed only once as many complete sets are approved as environments name the lake, and doubt counts as
//! not approved; its firewall is never touched; identities are only added, and encryption is sent whole; another key is set in place,
//! never over Microsoft's; palisade creates no key and no vault, and takes no grant away; what can't be undone is never planned
//! backwards.

mod block;
pub mod codes;
mod compare;
mod customer;
mod encryption;
mod network;
mod notes;
mod observe;
mod risks;
mod steps;
#[cfg(test)]
mod tests;
mod words;

pub use block::{Access, Block, Declared};
pub use observe::Observed;

use async_trait::async_trait;

use super::encryption_keys::{KeyRef, grants};
use super::setting::{Comparing, NamedKey, Need, Observing, Setting};
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
    const NEEDS: &'static [Need] = &[Need::Instance];

    fn places(declared: &Option<Declared>) -> Vec<(String, Place)> {
        let Some(declared) = declared else { return Vec::new() };
        let [key, access] = declared.parts.clone();
        let grants = declared.key().map(|key| grants::part(&key.vault));
        let of_key =
            [compare::IDENTITY, compare::ENCRYPTION, compare::KEY].map(str::to_owned).into_iter().chain(grants);
        let of_key = of_key.map(|part| (part, key.clone()));
        [(String::new(), declared.place.clone()), (compare::ACCESS.to_owned(), access)]
            .into_iter()
            .chain(of_key)
            .collect()
    }

    fn resources(declared: &Option<Declared>) -> Vec<ResourceId> {
        let key = |key: &KeyRef| [Some(key.vault.resource().clone()), key.resource()];
        let named = declared.iter().flat_map(|declared| {
            let keys = declared.key().into_iter().flat_map(key).flatten();
            std::iter::once(declared.account.clone()).chain(keys)
        });
        named.collect()
    }

    fn keys(declared: &Option<Declared>) -> Vec<NamedKey> {
        let key = declared.as_ref().and_then(Declared::key);
        let named = key.map(|KeyRef { vault, name, version }| NamedKey {
            vault: vault.resource().clone(),
            key: name.clone(),
            version: version.clone(),
        });
        named.into_iter().collect()
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
