//! What a setting has to offer besides its block in the file.

use async_trait::async_trait;
use jiff::Timestamp;
use uuid::Uuid;

use super::attestation::Attestation;
use super::block::Block;
use super::surface::Surface;
use super::users::PrincipalRef;
use crate::azure::Reader;
use crate::azure::customer_insights::Instance;
use crate::azure::directory::Directory;
use crate::config::Code;
use crate::config::Word;
use crate::plan::{Address, Findings, NoteCode, Rated};
use crate::terms::{EnvironmentHead, ObjectId, ResourceId};

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

    /// The principals that the declaration names, so that one look-up serves all environments.
    fn principals(_declared: &Self::Declared) -> Vec<PrincipalRef> {
        Vec::new()
    }

    /// The Azure resources that the declaration names.
    fn resources(_declared: &Self::Declared) -> Vec<ResourceId> {
        Vec::new()
    }

    /// Asks the services. Gets a [`Reader`]: observing can't write.
    async fn observe(declared: &Self::Declared, observing: &Observing<'_>) -> Self::Observed;

    /// Compares. A function of its arguments: no services, no clock.
    fn compare(declared: &Self::Declared, observed: &Self::Observed, comparing: &Comparing<'_>) -> Findings;
}

/// What observing may use.
pub struct Observing<'a> {
    /// The services.
    pub reader: &'a Reader,
    /// The environment.
    pub instance: &'a Instance,
    /// The tenant.
    pub tenant: Uuid,
    /// Who is who.
    pub directory: &'a Directory,
    /// The object id of the identity that runs palisade, as its token names it.
    pub caller: Option<ObjectId>,
    /// Which operations may be used.
    pub surface: Surface,
}

/// What comparing may use.
pub struct Comparing<'a> {
    /// The environment, as the file describes it.
    pub head: &'a EnvironmentHead,
    /// How to reach it, for the steps.
    pub instance: &'a Instance,
    /// The tenant.
    pub tenant: Uuid,
    /// The environment's region, as the service names it; none if it didn't.
    pub region: Option<&'a str>,
    /// When the environment came into being; none if the service doesn't tell.
    pub created: Option<Timestamp>,
    /// What people say that they saw.
    pub attested: &'a [Attestation],
    /// The Azure resources that other environments of the configuration declare.
    pub elsewhere: &'a [ResourceId],
    /// Which operations may be used.
    pub surface: Surface,
    /// The instant that counts as now.
    pub now: Timestamp,
}

impl Comparing<'_> {
    /// The address of a setting of this environment.
    pub fn address(&self, setting: &str) -> Address {
        Address::setting(&self.head.key, setting)
    }
}
