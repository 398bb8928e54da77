//! The plan as a document: what `plan --format json` prints and `--out` saves.
//!
//! Fields may be added within a format number, never renamed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::binds::Binds;
use super::change::{Address, Change, Direction, Mode};
use super::note::{Note, NoteKind};
use super::only::Only;
use crate::terms::text::short;
use crate::terms::{Place, Scope, digest};

/// The format's name and number.
pub const FORMAT: &str = "palisade.plan/2";

/// A plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Plan {
    /// [`FORMAT`].
    pub format: String,
    /// What made it.
    pub tool: Tool,
    /// Hash of what it would do.
    pub intent_digest: String,
    /// Hash of the merged configuration.
    pub config_digest: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// The instant that it took for now.
    pub assumed_now: Timestamp,
    /// From when on it isn't accepted as an approval any more.
    pub expires_at: Timestamp,
    /// What it is for.
    pub target: Target,
    /// How many removals the run may make, where more than the usual budget was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_removals: Option<usize>,
    /// The address prefixes that the plan is limited to; empty if it isn't.
    #[serde(default, skip_serializing_if = "Only::is_everything")]
    pub only: Only,
    /// How many changes lie outside of that limit.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub outside: usize,
    /// The tenant first, if it declares anything; then the environments, in the file's order.
    pub scopes: Vec<ScopePlan>,
    /// What to know about it.
    pub notes: Vec<Note>,
    /// Counts.
    pub summary: Summary,
    /// Hash of this document apart from this field. Unkeyed: it catches accidents, no forgers.
    pub seal: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// The program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// What a plan is for. A plan for one target is refused for every other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Target {
    /// A tenant in a cloud.
    Cloud {
        /// The cloud.
        cloud: String,
        /// The tenant's id.
        tenant: String,
    },
    /// A tenant in an emulator's world.
    Emulator {
        /// The world's id.
        world: String,
        /// The tenant's id.
        tenant: String,
    },
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Target::Cloud { cloud, tenant } => write!(f, "tenant {} in the cloud {}", short(tenant), short(cloud)),
            Target::Emulator { world, tenant } => {
                write!(f, "tenant {} in the emulator's world {}", short(tenant), short(world))
            }
        }
    }
}

/// One scope's part of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScopePlan {
    /// The tenant, or the environment's key.
    pub scope: Scope,
    /// What it is, as far as the services tell.
    pub identity: Identity,
    /// Hash of its merged declaration, without what people attest.
    pub declaration: String,
    /// How many declared things are in sync.
    pub in_sync: usize,
    /// The addresses whose declared state was read.
    pub in_effect: Vec<Address>,
    /// The collections that were read completely, so that what they don't list is gone.
    pub complete: Vec<Address>,
    /// The members that those list, each as what a removal of it binds. No part of the document: a saved plan approves, and only
    /// a fresh one says what is there.
    #[serde(skip)]
    pub listed: Vec<Binds>,
    /// What stands behind addresses in effect that are names. No part of the document, for the same reason.
    #[serde(skip)]
    pub behind: Vec<(Address, Binds)>,
    /// What is to be done, in the order in which it is done.
    pub changes: Vec<Change>,
    /// What could not be read.
    pub unknown: Vec<Unknown>,
    /// What is under way.
    pub waiting: Vec<Waiting>,
}

/// What a scope is. Part of each change's digest: another name or region behind an id is another target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Identity {
    /// The tenant.
    Tenant {
        /// Its id.
        tenant_id: String,
    },
    /// An environment.
    Environment {
        /// Customer Insights instance; left out where the file names none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        instance_id: Option<String>,
        /// Power Platform environment; left out where the file names none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        environment_id: Option<String>,
        /// Display name; null if it could not be read.
        name: Option<String>,
        /// Region; null if it could not be read.
        region: Option<String>,
        /// Address of the linked Dataverse organisation; null if there is none, or if it could not be read.
        dataverse: Option<String>,
    },
}

impl std::fmt::Display for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (instance_id, environment_id, name, region, dataverse) = match self {
            Self::Tenant { tenant_id } => return write!(f, "tenant {}", short(tenant_id)),
            Self::Environment { instance_id, environment_id, name, region, dataverse } => {
                (instance_id, environment_id, name, region, dataverse)
            }
        };
        let name = name.as_deref().map_or("without a name".to_owned(), short);
        let region = region.as_deref().map_or("unknown region".to_owned(), short);
        write!(f, "{name} in {region}")?;
        for (what, id) in [("instance", instance_id), ("environment", environment_id), ("Dataverse", dataverse)] {
            if let Some(id) = id {
                write!(f, ", {what} {}", short(id))?;
            }
        }
        Ok(())
    }
}

impl ScopePlan {
    /// The digest of one of its changes: what is approved with it.
    pub(super) fn digest(&self, intent: &Json, target: &Target, allow_removals: Option<usize>) -> String {
        digest::of_json(&json!({
            "target": target, "identity": self.identity, "declaration": self.declaration, "allowRemovals": allow_removals,
            "change": intent,
        }))
    }
}

/// Something declared that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Unknown {
    /// What.
    pub address: Address,
    /// Why.
    pub reason: String,
    /// The operation that would have told; empty if there is none.
    pub operation: String,
    /// Where it is declared. Filled in when the plan is derived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Place>,
}

/// Whom something waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum WaitingFor {
    /// The service works on it.
    Service,
    /// A person has to do something.
    Person,
}

/// Something that is under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Waiting {
    /// What.
    pub address: Address,
    /// Whom it waits for.
    #[serde(rename = "for")]
    pub waiting_for: WaitingFor,
    /// Since when, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// What exactly.
    pub detail: String,
}

/// Counts over a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Summary {
    /// Changes.
    pub changes: usize,
    /// Changes that harden.
    pub hardens: usize,
    /// Changes that weaken.
    pub weakens: usize,
    /// Changes that do neither.
    pub neutral: usize,
    /// Changes that a person has to make.
    pub manual: usize,
    /// What could not be read.
    pub unknown: usize,
    /// What is under way.
    pub waiting: usize,
    /// Notes that stop something.
    pub refused: usize,
    /// Notes that stop nothing.
    pub findings: usize,
    /// What is in sync.
    pub in_sync: usize,
}

impl Plan {
    /// Every change, in the order of environments.
    pub fn changes(&self) -> impl Iterator<Item = &Change> {
        self.scopes.iter().flat_map(|scope| &scope.changes)
    }

    /// Notes that stop something.
    pub fn refusals(&self) -> impl Iterator<Item = &Note> {
        self.notes.iter().filter(|note| note.refuses())
    }

    /// Notes that stop a scope: its own, and those that are about no scope of the plan, such as the target and the caller.
    pub fn refusals_of<'a>(&'a self, scope: &'a Scope) -> impl Iterator<Item = &'a Note> {
        self.refusals().filter(move |note| note.address.belongs_to(scope) || self.stops_all(note))
    }

    /// Whether a refusal is about the whole run.
    pub fn stops_all(&self, note: &Note) -> bool {
        note.refuses() && !self.scopes.iter().any(|scope| note.address.belongs_to(&scope.scope))
    }

    /// What a person has to put right, although no change of this plan does it.
    pub fn pending_findings(&self) -> impl Iterator<Item = &Note> {
        self.notes.iter().filter(|note| note.kind == NoteKind::Finding && note.severity == super::Severity::Error)
    }

    /// The hash of what the plan would do: equal intents have equal digests, whoever looked and whenever.
    pub(super) fn computed_intent_digest(&self) -> String {
        digest_of(self.changes())
    }

    /// Whether each change's digest is the hash of what the change says.
    pub(super) fn digests_hold(&self) -> bool {
        let holds = |scope: &ScopePlan, change: &Change| {
            change.digest == scope.digest(&change.intent(), &self.target, self.allow_removals)
        };
        self.scopes.iter().all(|scope| scope.changes.iter().all(|change| holds(scope, change)))
    }

    pub(super) fn computed_seal(&self) -> String {
        let Ok(mut document) = serde_json::to_value(self) else { return String::new() };
        document["seal"] = Json::Null;
        digest::of_json(&document)
    }
}

/// The digest of an intent that consists of these changes.
pub(super) fn digest_of<'a>(changes: impl Iterator<Item = &'a Change>) -> String {
    let mut digests: Vec<&str> = changes.map(|change| change.digest.as_str()).collect();
    digests.sort_unstable();
    digest::of_json(&json!(digests))
}

impl Summary {
    /// Counts.
    pub fn of(scopes: &[ScopePlan], notes: &[Note]) -> Self {
        let refused = notes.iter().filter(|note| note.refuses()).count();
        let mut summary = Self { refused, findings: notes.len() - refused, ..Self::default() };
        for scope in scopes {
            summary.changes += scope.changes.len();
            summary.unknown += scope.unknown.len();
            summary.waiting += scope.waiting.len();
            summary.in_sync += scope.in_sync;
            for change in &scope.changes {
                match change.direction {
                    Direction::Hardens => summary.hardens += 1,
                    Direction::Weakens => summary.weakens += 1,
                    Direction::Neutral => summary.neutral += 1,
                }
                summary.manual += usize::from(change.mode() == Mode::Manual);
            }
        }
        summary
    }
}
