//! What an assessment says: the state, what comes next, what holds it up, and why.

use jiff::Timestamp;

use super::ledger::Issue;
use super::tags::Intent;
use crate::terms::Slot;

/// What the facts mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Consumers hold a live key and nothing is to be done.
    Settled,
    /// Consumers hold a live key; its predecessor is still valid for those who haven't read the new one yet.
    InGrace,
    /// The published key is to be replaced.
    Due,
    /// A former run regenerated a key and did not get to what follows.
    Unfinished,
    /// The grace of the replaced key is over.
    Retirable,
    /// Nothing was ever published.
    Unpublished,
    /// What consumers hold is dead: somebody regenerated the published key.
    Outage,
    /// The current version is disabled: consumers get a refusal.
    ConsumersBlocked,
    /// The secret was deleted and can be recovered.
    SoftDeleted,
    /// The secret holds something that isn't a key of this environment.
    Foreign,
    /// The API is switched off: no key works.
    AccessOff,
    /// Both slots hold one value.
    Inconsistent,
    /// Only the age was looked at.
    AgeOnly,
    /// Something could not be read.
    Unknown,
}

/// The one thing that a run does about keys. It regenerates one slot at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Move {
    /// Publishes a live key where there was none; regenerates nothing.
    FirstPublication {
        /// Whose value is published.
        slot: Slot,
    },
    /// Switches the API on and publishes one of the keys that there are then, new or not.
    PublishNewKeys {
        /// Whose value is published.
        slot: Slot,
    },
    /// Regenerates the standby slot and publishes it.
    Rotate {
        /// The standby slot.
        slot: Slot,
    },
    /// Publishes what a former run regenerated.
    FinishRotation {
        /// The standby slot.
        slot: Slot,
    },
    /// Publishes a live key in place of a dead one; regenerates nothing.
    Repair {
        /// Whose value is published.
        slot: Slot,
    },
    /// Regenerates the standby slot, so that its old value dies; publishes nothing.
    Retire {
        /// The standby slot.
        slot: Slot,
    },
    /// Notes a retirement that a former run carried out.
    FinishRetirement {
        /// The standby slot.
        slot: Slot,
    },
    /// Recovers the deleted secret.
    RecoverSecret,
    /// Reads the values when applying, and assesses again: `verify: metadata`.
    Resolve,
    /// Notes what the values showed, so that runs which see dates only know it, too: `verify: metadata`.
    NoteLook,
    /// Does nothing; a person must.
    AskPerson(Why),
}

impl Move {
    /// The slot that it is about.
    pub fn slot(self) -> Option<Slot> {
        match self {
            Self::FirstPublication { slot }
            | Self::PublishNewKeys { slot }
            | Self::Rotate { slot }
            | Self::FinishRotation { slot }
            | Self::Repair { slot }
            | Self::Retire { slot }
            | Self::FinishRetirement { slot } => Some(slot),
            Self::RecoverSecret | Self::Resolve | Self::NoteLook | Self::AskPerson(_) => None,
        }
    }

    /// Whether it makes a key die.
    pub fn regenerates(self) -> bool {
        matches!(self, Self::Rotate { .. } | Self::Retire { .. })
    }
}

/// Why only a person can go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Why {
    /// The current version is disabled; whoever did it had a reason.
    VersionDisabled,
    /// The secret belongs to something else.
    SecretForeign,
    /// What consumers hold is dead, and nothing tells which live key is to follow it.
    NoSuccessor,
}

/// What keeps a wanted regeneration, or its completion, from happening now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hold {
    /// Somebody may still hold the value that would die.
    Grace {
        /// When nobody may any more.
        until: Timestamp,
    },
    /// Consumers may still have a key of their own.
    Adoption {
        /// When none may any more; none if `adoptedOn` isn't declared.
        until: Option<Timestamp>,
    },
    /// The last regeneration was moments ago.
    Gap {
        /// When it is long enough ago.
        until: Timestamp,
    },
    /// No window is open.
    Window {
        /// When one opens.
        opens: Option<Timestamp>,
    },
    /// The vault's clock isn't proved to agree with ours.
    Clock,
}

/// What a person should know besides.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Warning {
    /// The tag names another slot than the values do. The values count.
    TagDisagrees {
        /// What the tag says.
        tagged: Slot,
        /// What the values say.
        live: Slot,
    },
    /// Tags of ours that say nothing intelligible.
    TagsUnintelligible(Vec<String>),
    /// Nobody knows when the published key was issued.
    IssueUnknown,
    /// The published key is older than `maxAge`.
    Overdue {
        /// When it reached that age.
        since: Timestamp,
    },
    /// A former key stopped working before its grace was over: whoever hasn't read the secret since is cut off.
    DeadInGrace {
        /// When nobody should hold it any more.
        until: Timestamp,
    },
    /// The next regeneration will wait for `adoptedOn`, which isn't declared.
    AdoptionUndeclared,
    /// Which slot is live, and whether consumers hold a live key, was not looked at.
    ValuesNotLookedAt,
    /// The intent of a run that came to nothing is still noted.
    StaleIntent(Intent),
}

/// What is known about the value in the standby slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spare {
    /// When it was last replaced by another one, if it was ever published or may have been.
    pub replaced: Option<Timestamp>,
    /// An instant before which it did not exist, if one is known.
    pub issued: Option<Timestamp>,
}

/// What an assessment says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    /// What the facts mean.
    pub state: State,
    /// The slot whose value consumers hold, by equality of values.
    pub active: Option<Slot>,
    /// When the published key came into being, as far as that is known.
    pub issue: Option<Issue>,
    /// What is known about the key in the other slot.
    pub spare: Option<Spare>,
    /// What is to be done, even if something holds it up.
    pub wanted: Option<Move>,
    /// What is to be done now.
    pub next: Option<Move>,
    /// What holds it up.
    pub holds: Vec<Hold>,
    /// When the published key is to be replaced, before holds.
    pub due: Option<Timestamp>,
    /// When the replaced key is to be retired.
    pub retire_at: Option<Timestamp>,
    /// Whether consumers are cut off, or may be.
    pub critical: bool,
    /// Why, for a person.
    pub reason: String,
    /// What a person should know besides.
    pub warnings: Vec<Warning>,
}
