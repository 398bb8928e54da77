//! What a setting has to offer besides its block in the file.

use async_trait::async_trait;
use jiff::Timestamp;
use uuid::Uuid;

use super::attestation::Attestation;
use super::block::Block;
use super::blocks::Blocks;
use super::hosting::Hosting;
use super::observation::Unreadable;

use super::surface::Surface;
use super::users::PrincipalRef;
use crate::azure::Look;
use crate::azure::customer_insights::Instance;
use crate::azure::directory::Name;
use crate::azure::power_platform::EnvironmentId;
use crate::config::{Code, Word};
use crate::plan::{Address, Findings, NoteCode, Rated};
use crate::terms::{Head, ObjectId, Place, ResourceId, Scope, ScopeKind};

/// An id of the environment without which a setting can be neither read nor changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// `instanceId`: Customer Insights - Data holds the setting.
    Instance,
    /// `environmentId`: Power Platform holds the setting.
    Environment,
}

/// Observing, and comparing what was observed with what is declared.
#[async_trait(?Send)]
pub trait Setting: Block {
    /// What the services answered.
    type Observed;

    /// How bad each of its changes would be as a mistake: its part of the table that `explain risk` prints.
    const RISKS: &'static [Rated];

    /// The codes of mistakes in its block.
    const CODES: &'static [Code];

    /// The codes of its notes.
    const NOTES: &'static [NoteCode];

    /// The words of its block, besides those of any file.
    const WORDS: &'static [Word] = &[];

    /// Of what it is a setting.
    const SCOPE: ScopeKind = ScopeKind::Environment;

    /// The id that an environment must have for this setting to be declared in it: that of the place where it lives. It is looked
    /// at as soon as that place answers, and knows nothing of the other.
    const NEEDS: &'static [Need];

    /// Where the declaration is written: the block itself under an empty name, and each part that findings can be about under its
    /// address within the setting. Whatever a plan says about one of them leads there.
    fn places(declared: &Self::Declared) -> Vec<(String, Place)>;

    /// The principals that the declaration names, so that one look-up serves all environments.
    fn principals(_declared: &Self::Declared) -> Vec<PrincipalRef> {
        Vec::new()
    }

    /// The names under which the principal is looked up that a part of the setting is about. Where a change adds that part, other
    /// principals needn't be looked up again for it. None where everything is to be read.
    fn names_of(_declared: &Self::Declared, _part: &str) -> Option<Vec<Name>> {
        None
    }

    /// The Azure resources that the declaration names.
    fn resources(_declared: &Self::Declared) -> Vec<ResourceId> {
        Vec::new()
    }

    /// The enterprise policies that the declaration names.
    fn policies(_declared: &Self::Declared) -> Vec<NamedPolicy> {
        Vec::new()
    }

    /// The keys in vaults that the declaration names, besides those of policies.
    fn keys(_declared: &Self::Declared) -> Vec<NamedKey> {
        Vec::new()
    }

    /// Asks the services. Without a declaration, for export, the whole live state as far as the services tell. A service that
    /// doesn't answer leaves its part unknown, and the others are asked all the same.
    async fn observe(declared: Option<&Self::Declared>, observing: &Observing<'_>) -> Self::Observed;

    /// Whether it looks at environments that have the id which it needs and don't declare it.
    const WATCHES: bool = false;

    /// What is to be told of a scope that doesn't declare it. Nothing is planned there, and nothing counts as declared.
    async fn watch(_observing: &Observing<'_>, _comparing: &Comparing<'_>) -> Findings {
        Findings::default()
    }

    /// Compares. A function of its arguments: no services, no clock.
    fn compare(declared: &Self::Declared, observed: &Self::Observed, comparing: &Comparing<'_>) -> Findings;
}

/// An enterprise policy that a file names, with its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedPolicy {
    /// Its Azure resource id.
    pub id: ResourceId,
    /// The vault of its key.
    pub vault: ResourceId,
    /// The name of its key.
    pub key: String,
    /// The version that is pinned.
    pub version: Option<String>,
    /// Whether palisade is to create it.
    pub created: bool,
}

/// A key in a vault that a file names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedKey {
    /// Its vault.
    pub vault: ResourceId,
    /// Its name.
    pub key: String,
    /// The version that is pinned.
    pub version: Option<String>,
}

/// An Azure resource that another environment of the configuration declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elsewhere {
    /// The environment.
    pub environment: Scope,
    /// The setting in which it declares it.
    pub setting: &'static str,
    /// The resource.
    pub resource: ResourceId,
}

#[cfg(test)]
impl Elsewhere {
    /// For tests: what an environment declares in some setting.
    pub fn of(environment: &str, resource: ResourceId) -> Self {
        Self { environment: Scope::environment(environment), setting: "privateLinks", resource }
    }
}

/// What observing may use.
pub struct Observing<'a> {
    /// The observation that this is a part of: what may be asked for by others as well is asked of it.
    pub look: &'a Look,
    /// The instance, or why Customer Insights can't be asked about it.
    pub instance: Result<&'a Instance, &'a Unreadable>,
    /// The Power Platform environment, or why it can't be asked about.
    pub hosting: Result<&'a Hosting, &'a Unreadable>,
    /// The tenant.
    pub tenant: Uuid,
    /// The object id of the identity that runs palisade, as its token names it.
    pub caller: Option<ObjectId>,
    /// The Power Platform environments that other scopes of the configuration are.
    pub declared: &'a [EnvironmentId],
    /// Which operations may be used.
    pub surface: Surface,
}

/// What comparing may use.
pub struct Comparing<'a> {
    /// What it is that declares, as the file describes it.
    pub head: &'a Head,
    /// How to reach the instance, for the steps; or why nothing is known of it.
    pub instance: Result<&'a Instance, &'a Unreadable>,
    /// The Power Platform environment; or why nothing is known of it.
    pub hosting: Result<&'a Hosting, &'a Unreadable>,
    /// The tenant.
    pub tenant: Uuid,
    /// The environment's region, as the service names it; none if it didn't.
    pub region: Option<&'a str>,
    /// When the environment came into being; none if the service doesn't tell.
    pub created: Option<Timestamp>,
    /// What people say that they saw.
    pub attested: &'a [Attestation],
    /// The Azure resources that other environments of the configuration declare.
    pub elsewhere: &'a [Elsewhere],
    /// All that this scope declares.
    pub beside: &'a Blocks,
    /// Which operations may be used.
    pub surface: Surface,
    /// The instant that counts as now.
    pub now: Timestamp,
}

impl Comparing<'_> {
    /// The address of a setting of this scope.
    pub fn address(&self, setting: &str) -> Address {
        Address::setting(&self.head.scope(), setting)
    }
}
