//! The blocks that one scope declares, for whoever asks all of them the same.
//!
//! Invariants: they come in the registry's order.

use std::fmt;
use std::rc::Rc;

use futures_util::future::join_all;
use serde_json::Value as Json;

use super::block::{Block, Claim};
use super::registry::DeclaredBlock;
use super::setting::{Comparing, NamedKey, NamedPolicy, Need, Observing};
use super::users::PrincipalRef;
use crate::azure::directory::Name;
use crate::plan::{Address, Findings};
use crate::terms::{Place, ResourceId, Scope};

/// The blocks that a scope declares, in the registry's order. A setting without one isn't managed.
#[derive(Clone, Default)]
pub struct Blocks(Vec<Rc<dyn DeclaredBlock>>);

impl fmt::Debug for Blocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.iter().map(|block| (block.key(), block))).finish()
    }
}

impl PartialEq for Blocks {
    fn eq(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.0.iter().zip(&other.0).all(|(one, other)| one.same(other.as_ref()))
    }
}

impl Eq for Blocks {}

impl Blocks {
    /// Those of a scope, in the registry's order.
    pub(super) fn of_scope(blocks: impl Iterator<Item = Rc<dyn DeclaredBlock>>) -> Self {
        Self(blocks.collect())
    }

    /// What is declared of one setting, in its own words.
    pub fn of<B: Block>(&self) -> Option<&B::Declared> {
        self.named(B::KEY)?.declared().downcast_ref()
    }

    /// Whether nothing is declared.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The settings that are declared.
    pub fn keys(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|block| block.key())
    }

    fn named(&self, setting: &str) -> Option<&Rc<dyn DeclaredBlock>> {
        self.0.iter().find(|block| block.key() == setting)
    }

    /// Whether a setting, or any of them, can't do without an id of the environment.
    pub fn need(&self, need: Need, setting: Option<&str>) -> bool {
        let asked = self.0.iter().filter(|block| setting.is_none_or(|key| key == block.key()));
        asked.into_iter().any(|block| block.needs().contains(&need))
    }

    /// What only this scope may have.
    pub fn claims(&self) -> Vec<Claim> {
        self.0.iter().flat_map(|block| block.claims()).collect()
    }

    /// What a look at a setting shows where everything is as declared; none if the setting isn't declared.
    pub fn to_see(&self, setting: &str) -> Option<Json> {
        self.named(setting)?.to_see()
    }

    /// Where they are written, with their parts.
    pub fn places(&self, scope: &Scope) -> Vec<(Address, Place)> {
        let blocks = self.0.iter().map(|block| (Address::setting(scope, block.key()), block.places()));
        let parts = |(setting, places): (Address, Vec<(String, Place)>)| {
            places.into_iter().map(move |(part, place)| match part.as_str() {
                "" => (setting.clone(), place),
                part => (setting.part(part), place),
            })
        };
        blocks.flat_map(parts).collect()
    }

    /// The principals that they name.
    pub fn principals(&self) -> Vec<PrincipalRef> {
        self.0.iter().flat_map(|block| block.principals()).collect()
    }

    /// The names of the principal that an address is about, if it is about one.
    pub fn names_of(&self, address: &Address) -> Option<Vec<Name>> {
        let setting = address.setting_key()?;
        let part = address.within_scope().strip_prefix(setting)?.strip_prefix('/')?;
        self.named(setting)?.names_of(part)
    }

    /// The Azure resources that they name.
    pub fn resources(&self) -> Vec<ResourceId> {
        self.resources_by_setting().map(|(_, resource)| resource).collect()
    }

    /// The same, each with the setting that names it.
    pub fn resources_by_setting(&self) -> impl Iterator<Item = (&'static str, ResourceId)> {
        self.0.iter().flat_map(|block| block.resources().into_iter().map(|resource| (block.key(), resource)))
    }

    /// The keys in vaults that they name, besides those of policies.
    pub fn encryption_keys(&self) -> Vec<NamedKey> {
        self.0.iter().flat_map(|block| block.encryption_keys()).collect()
    }

    /// The enterprise policies that they name.
    pub fn policies(&self) -> Vec<NamedPolicy> {
        self.0.iter().flat_map(|block| block.policies()).collect()
    }

    /// Observes and compares them side by side: those of which `wanted` says so, by their names and the ids that they can't do
    /// without. Findings come in the registry's order, each with its place in it.
    pub async fn review(
        &self,
        observing: &Observing<'_>,
        comparing: &Comparing<'_>,
        wanted: impl Fn(&str, &[Need]) -> bool,
    ) -> Vec<Reviewed> {
        let blocks = self.0.iter().enumerate().filter(|(_, block)| wanted(block.key(), block.needs()));
        let reviewed = blocks.map(async |(place, block)| {
            let findings = block.review(observing, comparing).await;
            Reviewed { place, needs: block.needs(), findings }
        });
        join_all(reviewed).await
    }
}

/// What came of one setting.
pub struct Reviewed {
    /// Its place among those that the scope declares.
    pub place: usize,
    /// The ids that it can't do without.
    pub needs: &'static [Need],
    /// What was found.
    pub findings: Findings,
}
