//! One change, as plans hold and print it.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::azure::Provenance;
use crate::config::Place;
use crate::digest;

/// What a change is about, such as `prod/users/ada@contoso.com`. Stable from run to run, unique within a plan.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Address(String);

impl Address {
    /// A setting of an environment.
    pub fn setting(scope: &str, setting: &str) -> Self {
        Self(format!("{scope}/{setting}"))
    }

    /// A part of a setting.
    #[must_use]
    pub fn part(&self, part: &str) -> Self {
        Self(format!("{}/{part}", self.0))
    }

    /// An environment, or `tenant`.
    pub fn scope(scope: &str) -> Self {
        Self(scope.to_owned())
    }

    /// The address without its environment, for lists that stand under the environment's name.
    pub fn within_scope(&self) -> &str {
        self.0.split_once('/').map_or(self.0.as_str(), |(_, rest)| rest)
    }

    /// Whether it lies in an environment.
    pub fn is_in(&self, scope: &str) -> bool {
        self.0.strip_prefix(scope).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The whole address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
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
        /// Somebody who asked is let in.
        Approve = "approve",
        /// Somebody gets a right.
        Grant = "grant",
    }
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

/// One difference between what is declared and what is observed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
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
    /// What it does to people.
    pub impact: Impact,
    /// How far its operation is public.
    pub provenance: Provenance,
    /// Who does it.
    pub mode: Mode,
    /// What is observed; null if there is nothing.
    pub before: Json,
    /// What is declared; null if there is to be nothing.
    pub after: Json,
    /// Hash of `before`, or of more than `before` shows: for keys, of the fingerprints that were compared.
    pub preimage: String,
    /// Why.
    pub reason: String,
    /// The rights that it takes.
    pub permissions: Vec<String>,
    /// Where it is declared.
    pub source: Place,
}

impl Change {
    /// The part that two plans must agree on to mean the same.
    pub fn intent(&self) -> Json {
        serde_json::json!({
            "address": self.address, "action": self.action, "mode": self.mode,
            "before": self.before, "after": self.after, "preimage": self.preimage,
        })
    }

    /// How this change, which was approved, differs from what would be done now.
    pub fn moved_to(&self, now: &Change) -> String {
        let shown = |change: &Change| (change.action, change.mode, change.before.clone(), change.after.clone());
        if shown(self) == shown(now) {
            return "what it was derived from changed since it was approved, although it reads the same: for keys, other \
                    values or another version of the secret"
                .to_owned();
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
