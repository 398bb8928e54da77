//! One change, as plans hold and print it.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::binds::Binds;
use super::danger::Danger;
use super::demand::Demand;
use crate::azure::Provenance;
use crate::terms::text::short;
use crate::terms::{Place, Scope, digest};

/// What a change is about, such as `prod/users/ada@contoso.com`. Stable from run to run, unique within a plan.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Address(String);

/// The address of what runs palisade: of no scope, and no environment can have such a key.
const CALLER: &str = "(caller)";

impl Address {
    /// A setting of a scope.
    pub fn setting(scope: &Scope, setting: &str) -> Self {
        Self(format!("{}/{setting}", scope.as_str()))
    }

    /// A part of a setting.
    #[must_use]
    pub fn part(&self, part: &str) -> Self {
        Self(format!("{}/{part}", self.0))
    }

    /// A scope as a whole.
    pub fn scope(scope: &Scope) -> Self {
        Self(scope.as_str().to_owned())
    }

    /// The identity that runs palisade.
    pub fn caller() -> Self {
        Self(CALLER.to_owned())
    }

    /// The address that is written so.
    pub fn written(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The address without its scope, to be shown under the scope's name.
    pub fn shown_within_scope(&self) -> String {
        short(self.within_scope())
    }

    /// The address without its scope.
    pub fn within_scope(&self) -> &str {
        self.0.split_once('/').map_or(self.0.as_str(), |(_, rest)| rest)
    }

    /// The scope that it is in, or is; none for the caller.
    pub fn in_scope(&self) -> Option<Scope> {
        let scope = self.0.split_once('/').map_or(self.0.as_str(), |(scope, _)| scope);
        (scope != CALLER).then(|| Scope::named(scope))
    }

    /// What it is a part of; none for a scope.
    pub(super) fn around(&self) -> Option<Self> {
        self.0.rsplit_once('/').map(|(whole, _)| Self(whole.to_owned()))
    }

    /// Whether it is in a scope, or is it.
    pub fn belongs_to(&self, scope: &Scope) -> bool {
        self.starts_with(scope.as_str())
    }

    /// The setting that it is in, or is; none for a scope.
    pub fn setting_key(&self) -> Option<&str> {
        self.0.split('/').nth(1)
    }

    /// Whether it is a part of another one, or is it.
    pub fn is_in(&self, other: &Address) -> bool {
        self.starts_with(&other.0)
    }

    fn starts_with(&self, whole: &str) -> bool {
        self.0.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The whole address, as it is compared. It may hold a name from a directory: shown is what [`fmt::Display`] makes of it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&short(&self.0))
    }
}

macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$note:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$note])* #[serde(rename = $word)] $variant),+ }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(match self { $(Self::$variant => $word),+ })
            }
        }
    };
}

words! {
    /// What is done.
    Action {
        /// Something that was deleted is brought back.
        Recover = "recover",
        /// Something comes into being.
        Create = "create",
        /// Something becomes something else.
        Update = "update",
        /// Something goes.
        Delete = "delete",
        /// A switch goes on.
        Enable = "enable",
        /// A switch goes off.
        Disable = "disable",
        /// A key is replaced.
        Rotate = "rotate",
        /// A replaced key is made to stop working.
        Retire = "retire",
        /// A key is put where its consumers read it.
        Publish = "publish",
        /// Something that a former run began is finished.
        Resume = "resume",
        /// An environment is joined to a resource.
        Link = "link",
        /// An environment is parted from a resource.
        Unlink = "unlink",
        /// A connection that asked for access gets it.
        Approve = "approve",
        /// A principal gets a right.
        Grant = "grant",
        /// A principal loses a right.
        Revoke = "revoke",
    }
}

impl Action {
    /// Whether the passing of time alone can bring it about: such a change without an approval is left for another run, and
    /// makes no approval of others void.
    pub fn comes_with_time(self) -> bool {
        matches!(self, Self::Rotate | Self::Retire | Self::Resume)
    }

    /// Whether it makes a key stop working, now or in time. While an environment as a whole is being changed, its consumers might
    /// not get the new one.
    pub fn ends_a_key(self) -> bool {
        matches!(self, Self::Rotate | Self::Retire)
    }
}

words! {
    /// How bad a change would be if it were a mistake.
    Risk {
        /// Easily undone, and little is exposed.
        Low = "low",
        /// Exposes or interrupts something that can be put right.
        Elevated = "elevated",
        /// Gives far-reaching access, or opens a way in.
        High = "high",
        /// Can lock people or data out, or opens a resource to every network.
        Critical = "critical",
    }
}

/// One row of the table of risks: what is done, and how bad it would be as a mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rated {
    /// What is done, as an imperative.
    pub what: &'static str,
    /// How bad.
    pub risk: Risk,
}

words! {
    /// What a change does to security.
    Direction {
        /// Fewer doors, or fewer people with keys.
        Hardens = "hardens",
        /// More doors, or more people with keys.
        Weakens = "weakens",
        /// Neither.
        Neutral = "neutral",
    }
}

words! {
    /// What a change does to the people who use the service.
    Impact {
        /// Nobody notices.
        None = "none",
        /// Some lose something they use.
        Interrupts = "interrupts",
        /// All lose something they use.
        Outage = "outage",
        /// Data is lost for good.
        DataLoss = "dataLoss",
    }
}

words! {
    /// Who does it.
    Mode {
        /// Palisade.
        Automatic = "automatic",
        /// A person, by the plan's instructions, since no operation is published.
        Manual = "manual",
    }
}

/// What a person does where no operation may be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ManualStep {
    /// Where: `Settings > Permissions > APIs`.
    #[serde(rename = "where")]
    pub place: String,
    /// What to do there, as imperatives in order.
    #[serde(rename = "do")]
    pub actions: Vec<String>,
    /// Which values to enter or choose, by the name that the product shows.
    pub values: BTreeMap<String, String>,
    /// What will show that it is done.
    pub shown_by: String,
    /// The entry to write under `attested`, if only a person's word can show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
}

/// Who makes a change. In documents: `mode`, and beside it `manual` for what a person does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mode")]
pub enum By {
    /// Palisade.
    #[serde(rename = "automatic")]
    Palisade,
    /// A person, by these instructions.
    #[serde(rename = "manual")]
    Person {
        /// What the person does.
        #[serde(rename = "manual")]
        step: Box<ManualStep>,
    },
}

/// One difference between what is declared and what is observed.
// No `deny_unknown_fields`, which serde doesn't have beside `flatten`: a plan that isn't written again byte for byte is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// What it is about.
    pub address: Address,
    /// The setting's key.
    pub setting: String,
    /// What the address stands for, in a person's words: `Ada Lovelace (user)`.
    pub subject: String,
    /// What is done.
    pub action: Action,
    /// What it does to security.
    pub direction: Direction,
    /// How bad it would be if it were a mistake.
    pub risk: Risk,
    /// What it does to people.
    pub impact: Impact,
    /// What to know before agreeing to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dangers: Vec<Danger>,
    /// How far its operation is public.
    pub provenance: Provenance,
    /// Who does it.
    #[serde(flatten)]
    pub by: By,
    /// What is observed; null if there is nothing.
    pub before: Json,
    /// What is declared; null if there is to be nothing.
    pub after: Json,
    /// Hash of `before`, or of more than `before` shows: for keys, of the fingerprints that were compared.
    pub preimage: String,
    /// Every id that its writes depend on.
    pub binds: Binds,
    /// What is due, where that alone is approved: its values depend on when one looks and on who looks, so an approval doesn't
    /// hang on them; the binds say what is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<String>,
    /// The address that stands in an approval, where it is another one: part of the change's own may depend on who looks, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_as: Option<Address>,
    /// The addresses at which it shows that the change is in effect, where they are others than its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shown_at: Vec<Address>,
    /// Why.
    pub reason: String,
    /// The changes that must be made before it, wherever they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<Address>,
    /// The rights that it takes, by their stable names.
    pub permissions: Vec<String>,
    /// The rights that its steps take on Azure resources. Not written down: they are derived with the steps.
    #[serde(skip)]
    pub demands: Vec<Demand>,
    /// Where it is declared.
    pub source: Place,
    /// The digests of what may be left of it if a run stops half-way: approved with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub finishes: Vec<String>,
    /// Hash of what is approved with it: target, scope, declaration, and [`Change::intent`]. Made with the plan.
    pub digest: String,
}

impl Change {
    /// Who does it.
    pub fn mode(&self) -> Mode {
        match self.by {
            By::Palisade => Mode::Automatic,
            By::Person { .. } => Mode::Manual,
        }
    }

    /// What a person does, if a person does it.
    pub fn manual(&self) -> Option<&ManualStep> {
        match &self.by {
            By::Palisade => None,
            By::Person { step } => Some(step),
        }
    }

    /// What it would do, without instants and words: two changes with the same intent are the same to whoever approves.
    pub fn intent(&self) -> Json {
        match &self.due {
            Some(due) => json!({
                "address": self.approved_address(), "action": self.action, "mode": self.mode(), "due": due,
                "binds": self.binds,
            }),
            None => json!({
                "address": self.address, "action": self.action, "mode": self.mode(), "before": self.before,
                "after": self.after, "binds": self.binds,
            }),
        }
    }

    /// The address that stands in an approval.
    pub fn approved_address(&self) -> &str {
        self.approved_as.as_ref().unwrap_or(&self.address).as_str()
    }

    /// The addresses at which it shows that the change is in effect.
    pub(super) fn evidence(&self) -> &[Address] {
        match self.shown_at.as_slice() {
            [] => std::slice::from_ref(&self.address),
            others => others,
        }
    }

    /// What it would do, on one line: for lists of differences.
    pub fn line(&self) -> String {
        let by_hand = if self.mode() == Mode::Manual { " (by a person)" } else { "" };
        let what = match &self.due {
            Some(due) => due.clone(),
            None => format!("{} -> {}", self.before, self.after),
        };
        format!("{} {}: {what}{by_hand}", self.approved_address(), self.action)
    }

    /// How this change, which was approved, differs from what would be done now.
    pub fn moved_to(&self, now: &Change) -> String {
        let shown = |change: &Change| (change.action, change.mode(), change.before.clone(), change.after.clone());
        if shown(self) == shown(now) {
            return format!(
                "what it depends on changed since it was approved, although it reads the same: {}",
                now.binds.differences(&self.binds)
            );
        }
        format!(
            "it changed since it was approved: {} of {} to {} was approved, now it would be {} of {} to {}",
            self.action, self.before, self.after, now.action, now.before, now.after
        )
    }

    /// The hash that binds a change to what was observed.
    pub fn preimage_of(before: &Json) -> String {
        digest::of_json(before)
    }
}
