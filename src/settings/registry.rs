//! The registry: all settings, for whoever asks all of them the same.
//!
//! Invariants: a setting's line in [`SETTINGS`] is the only place outside its own folder that knows its name; lists of
//! settings come in the registry's order.

use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::rc::Rc;

use futures_util::future::LocalBoxFuture;
use schemars::{JsonSchema as _, Schema, SchemaGenerator};
use serde_json::Value as Json;

use super::block::{Claim, Saw};
use super::blocks::Blocks;
use super::setting::{Comparing, NamedKey, NamedPolicy, Need, Observing, Setting};
use super::users::PrincipalRef;
use super::{
    api_access, customer_managed_key, customer_managed_keys, data_lake, key_vault, managed_environment, private_links,
    users,
};
use crate::azure::directory::Name;
use crate::config::Word;
use crate::config::{self, Code, Diagnostics, Located};
use crate::plan::{Findings, NoteCode, Rated};
use crate::terms::{Head, Place, ResourceId, ScopeKind};

/// Every setting, in the order in which files, plans and reports list them.
pub static SETTINGS: Registry = Registry(&[
    &Entry::<users::Block>::NEW,
    &Entry::<api_access::Block>::NEW,
    &Entry::<key_vault::Block>::NEW,
    &Entry::<private_links::Block>::NEW,
    &Entry::<managed_environment::Block>::NEW,
    &Entry::<customer_managed_key::Block>::NEW,
    &Entry::<data_lake::Block>::NEW,
    &Entry::<customer_managed_keys::Block>::NEW,
]);

/// A list of settings.
#[derive(Clone, Copy)]
pub struct Registry(&'static [&'static dyn Registered]);

impl Registry {
    /// For tests: other settings than those of the program.
    #[cfg(test)]
    pub(crate) const fn of(settings: &'static [&'static dyn Registered]) -> Self {
        Self(settings)
    }

    /// The settings.
    pub fn iter(self) -> impl Iterator<Item = &'static dyn Registered> {
        self.0.iter().copied()
    }

    /// The settings of one kind of scope.
    pub fn in_scope(self, kind: ScopeKind) -> impl Iterator<Item = &'static dyn Registered> {
        self.iter().filter(move |setting| setting.scope() == kind)
    }

    /// The names of the settings of one kind of scope, as they stand in files.
    pub fn names(self, kind: ScopeKind) -> Vec<&'static str> {
        self.in_scope(kind).map(Registered::key).collect()
    }

    /// The setting of this name, in one kind of scope.
    pub fn named(self, kind: ScopeKind, key: &str) -> Option<&'static dyn Registered> {
        self.in_scope(kind).find(|setting| setting.key() == key)
    }

    /// The names of the settings of one kind of scope that people attest.
    pub fn attestable(self, kind: ScopeKind) -> Vec<&'static str> {
        self.in_scope(kind).filter(|setting| setting.look_at().is_some()).map(Registered::key).collect()
    }

    /// Reads and checks each block that the scope at `at` has.
    pub fn declare(self, at: Located<'_>, head: &Head, diagnostics: &mut Diagnostics) -> Blocks {
        Blocks::of_scope(self.in_scope(head.kind()).filter_map(|setting| setting.declare(at, head, diagnostics)))
    }
}

/// A setting, whichever it is.
pub trait Registered: Sync {
    /// Its name, as it stands in files.
    fn key(&self) -> &'static str;

    /// Of what it is a setting.
    fn scope(&self) -> ScopeKind;

    /// How bad each of its changes would be as a mistake.
    fn risks(&self) -> &'static [Rated];

    /// The ids that an environment must have for it to be declared there.
    fn needs(&self) -> &'static [Need];

    /// The codes of mistakes in its block.
    fn codes(&self) -> &'static [Code];

    /// The codes of its notes.
    fn notes(&self) -> &'static [NoteCode];

    /// The words of its block.
    fn words(&self) -> &'static [Word];

    /// The schema of its block, by reference.
    fn schema(&self, generator: &mut SchemaGenerator) -> Schema;

    /// Where a person looks at it, and what an entry about it looks like; none if operations read it.
    fn look_at(&self) -> Option<(&'static str, &'static str)>;

    /// The name of the definition of what is seen of it, which is added to the schema; none if operations read it.
    fn define_saw(&self, generator: &mut SchemaGenerator) -> Option<String>;

    /// Checks what an entry says that was seen of it; what was seen, if it can be read.
    fn check_saw(&self, at: Located<'_>, diagnostics: &mut Diagnostics) -> Option<Json>;

    /// For tests: its block as it is written after it was read, if the scope at `at` has one.
    #[cfg(test)]
    fn rewritten(&self, at: Located<'_>) -> Option<Json>;

    /// Reads and checks its block, if the scope at `at` has it.
    fn declare(&self, at: Located<'_>, head: &Head, diagnostics: &mut Diagnostics) -> Option<Rc<dyn DeclaredBlock>>;

    /// Whether it looks at scopes that don't declare it.
    fn watches(&self) -> bool;

    /// What is to be told of a scope that doesn't declare it.
    fn watch<'a>(&'a self, observing: &'a Observing<'_>, comparing: &'a Comparing<'_>) -> LocalBoxFuture<'a, Findings>;
}

/// A line of the registry.
pub(crate) struct Entry<S>(PhantomData<fn() -> S>);

impl<S> Entry<S> {
    pub(crate) const NEW: Self = Self(PhantomData);
}

impl<S: Setting> Registered for Entry<S> {
    fn key(&self) -> &'static str {
        S::KEY
    }

    fn scope(&self) -> ScopeKind {
        S::SCOPE
    }

    fn risks(&self) -> &'static [Rated] {
        S::RISKS
    }

    fn needs(&self) -> &'static [Need] {
        S::NEEDS
    }

    fn codes(&self) -> &'static [Code] {
        S::CODES
    }

    fn notes(&self) -> &'static [NoteCode] {
        S::NOTES
    }

    fn words(&self) -> &'static [Word] {
        S::WORDS
    }

    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<S>()
    }

    fn look_at(&self) -> Option<(&'static str, &'static str)> {
        S::Saw::PLACE.map(|place| (place, S::Saw::EXAMPLE))
    }

    fn define_saw(&self, generator: &mut SchemaGenerator) -> Option<String> {
        S::Saw::PLACE?;
        generator.subschema_for::<S::Saw>();
        Some(S::Saw::schema_name().into_owned())
    }

    fn check_saw(&self, at: Located<'_>, diagnostics: &mut Diagnostics) -> Option<Json> {
        let saw: S::Saw = config::typed(at, diagnostics)?;
        saw.check(at, diagnostics);
        serde_json::to_value(saw).ok()
    }

    #[cfg(test)]
    fn rewritten(&self, at: Located<'_>) -> Option<Json> {
        at.node.entry(S::KEY)?;
        let block: S = config::typed(at.at(&[S::KEY]), &mut Diagnostics::default())?;
        serde_json::to_value(block).ok()
    }

    fn declare(&self, at: Located<'_>, head: &Head, diagnostics: &mut Diagnostics) -> Option<Rc<dyn DeclaredBlock>> {
        at.node.entry(S::KEY)?;
        let at = at.at(&[S::KEY]);
        let block: S = config::typed(at, diagnostics)?;
        Some(Rc::new(Declared::<S>(block.declare(at, head, diagnostics))))
    }

    fn watches(&self) -> bool {
        S::WATCHES
    }

    fn watch<'a>(&'a self, observing: &'a Observing<'_>, comparing: &'a Comparing<'_>) -> LocalBoxFuture<'a, Findings> {
        Box::pin(S::watch(observing, comparing))
    }
}

/// A block that a scope declares, whichever setting it belongs to.
pub trait DeclaredBlock: fmt::Debug {
    /// The setting's name.
    fn key(&self) -> &'static str;

    /// The ids that it can't do without.
    fn needs(&self) -> &'static [Need];

    /// What only this scope may have.
    fn claims(&self) -> Vec<Claim>;

    /// What a look at the setting shows where everything is as declared.
    fn to_see(&self) -> Option<Json>;

    /// Where it is written, with the parts of it.
    fn places(&self) -> Vec<(String, Place)>;

    /// The principals that it names.
    fn principals(&self) -> Vec<PrincipalRef>;

    /// The names of the principal that a part of it is about, if it is about one.
    fn names_of(&self, part: &str) -> Option<Vec<Name>>;

    /// The Azure resources that it names.
    fn resources(&self) -> Vec<ResourceId>;

    /// The enterprise policies that it names.
    fn policies(&self) -> Vec<NamedPolicy>;

    /// The keys in vaults that it names, besides those of policies.
    fn encryption_keys(&self) -> Vec<NamedKey>;

    /// Observes and compares.
    fn review<'a>(&'a self, observing: &'a Observing<'_>, comparing: &'a Comparing<'_>)
    -> LocalBoxFuture<'a, Findings>;

    /// What the setting itself made of its block.
    fn declared(&self) -> &dyn Any;

    /// Whether another block declares the same.
    fn same(&self, other: &dyn DeclaredBlock) -> bool;
}

struct Declared<S: Setting>(S::Declared);

/// For tests of other settings: a block as if it had been read.
#[cfg(test)]
pub(super) fn block<S: Setting>(declared: S::Declared) -> Rc<dyn DeclaredBlock> {
    Rc::new(Declared::<S>(declared))
}

impl<S: Setting> fmt::Debug for Declared<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl<S: Setting> DeclaredBlock for Declared<S> {
    fn key(&self) -> &'static str {
        S::KEY
    }

    fn needs(&self) -> &'static [Need] {
        S::NEEDS
    }

    fn claims(&self) -> Vec<Claim> {
        S::claims(&self.0)
    }

    fn to_see(&self) -> Option<Json> {
        S::to_see(&self.0).and_then(|saw| serde_json::to_value(saw).ok())
    }

    fn places(&self) -> Vec<(String, Place)> {
        S::places(&self.0)
    }

    fn principals(&self) -> Vec<PrincipalRef> {
        S::principals(&self.0)
    }

    fn names_of(&self, part: &str) -> Option<Vec<Name>> {
        S::names_of(&self.0, part)
    }

    fn resources(&self) -> Vec<ResourceId> {
        S::resources(&self.0)
    }

    fn policies(&self) -> Vec<NamedPolicy> {
        S::policies(&self.0)
    }

    fn encryption_keys(&self) -> Vec<NamedKey> {
        S::keys(&self.0)
    }

    fn review<'a>(
        &'a self,
        observing: &'a Observing<'_>,
        comparing: &'a Comparing<'_>,
    ) -> LocalBoxFuture<'a, Findings> {
        Box::pin(async move {
            let observed = S::observe(Some(&self.0), observing).await;
            S::compare(&self.0, &observed, comparing)
        })
    }

    fn declared(&self) -> &dyn Any {
        &self.0
    }

    fn same(&self, other: &dyn DeclaredBlock) -> bool {
        other.declared().downcast_ref::<S::Declared>().is_some_and(|other| self.0 == *other)
    }
}
