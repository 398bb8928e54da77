//! The plan as a document: what `plan --format json` prints and `--out` saves.
//!
//! Fields may be added within a format number, never renamed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::change::{Address, Change, Direction, Mode};
use super::note::{Note, Severity};
use crate::digest;

/// The format's name and number.
pub const FORMAT: &str = "palisade.plan/1";

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
    /// The environments, in the file's order.
    pub scopes: Vec<ScopePlan>,
    /// What to know about it.
    pub notes: Vec<Note>,
    /// Counts.
    pub summary: Summary,
    /// Hash of this document apart from the three instants and this field.
    pub seal: String,
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
            Target::Cloud { cloud, tenant } => write!(f, "tenant {tenant} in the cloud {cloud}"),
            Target::Emulator { world, tenant } => write!(f, "tenant {tenant} in the emulator's world {world}"),
        }
    }
}

/// One environment's part of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScopePlan {
    /// The environment's key.
    pub scope: String,
    /// Customer Insights instance.
    pub instance_id: String,
    /// Power Platform environment.
    pub environment_id: String,
    /// What the service says that it is; null if that could not be read.
    pub observed: Option<Observed>,
    /// How many declared things are as declared.
    pub in_sync: usize,
    /// What is to be done, in the order in which it is done.
    pub changes: Vec<Change>,
    /// What could not be read.
    pub unknown: Vec<Unknown>,
    /// What is under way.
    pub waiting: Vec<Waiting>,
}

/// The environment as the service describes it. Part of the intent: another name behind an id is another target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Observed {
    /// Display name.
    pub name: Option<String>,
    /// Region.
    pub region: Option<String>,
    /// Address of the linked Dataverse organisation.
    pub dataverse: Option<String>,
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
    /// What is as declared.
    pub in_sync: usize,
}

impl Plan {
    /// Every change, in the order of environments.
    pub fn changes(&self) -> impl Iterator<Item = &Change> {
        self.scopes.iter().flat_map(|scope| &scope.changes)
    }

    /// Notes that refuse the plan.
    pub fn refusals(&self) -> impl Iterator<Item = &Note> {
        self.notes.iter().filter(|note| note.severity == Severity::Error)
    }

    /// What the plan would do and to what, without instants and words: equal intents are equal here.
    pub fn intent(&self) -> Json {
        let scopes = self.scopes.iter().filter(|scope| !scope.changes.is_empty()).map(|scope| {
            json!({
                "scope": scope.scope, "instanceId": scope.instance_id, "environmentId": scope.environment_id,
                "observed": scope.observed, "changes": scope.changes.iter().map(Change::intent).collect::<Json>(),
            })
        });
        json!({ "target": self.target, "scopes": scopes.collect::<Json>() })
    }

    pub(super) fn computed_intent_digest(&self) -> String {
        digest::of_json(&self.intent())
    }

    pub(super) fn computed_seal(&self) -> String {
        let Ok(mut document) = serde_json::to_value(self) else { return String::new() };
        for field in ["createdAt", "assumedNow", "expiresAt", "seal"] {
            document[field] = Json::Null;
        }
        digest::of_json(&document)
    }
}

impl Summary {
    /// Counts.
    pub fn of(scopes: &[ScopePlan]) -> Self {
        let mut summary = Self::default();
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
                summary.manual += usize::from(change.mode == Mode::Manual);
            }
        }
        summary
    }
}
