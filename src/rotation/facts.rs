//! What was read: the facts that an assessment rests on.
//!
//! Slots are read before the secret: that is the order in which the proof tears a reading apart.
//!
//! Invariants:
//!
//! - whatever could not be read is there as unknown with its reason, and is never left out;
//! - a clock that isn't proved to agree is a value of its own, not an absent difference.

use jiff::{SignedDuration, Timestamp};

use super::declared::after;
use super::fingerprint::Fingerprint;
use super::tags::Tags;
use crate::terms::Slot;

/// Everything that was read about the keys of one environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Whether the API is switched on.
    pub access: Access,
    /// When the service says that it made the two live keys, as far as it says so. Only ever evidence beside a note of our
    /// own.
    pub made: Vec<Timestamp>,
    /// The live keys.
    pub slots: Slots,
    /// The secret that consumers read.
    pub secret: Secret,
    /// Whether the vault's clock can be relied on.
    pub clock: VaultClock,
}

/// How far the vault's clock may be from ours.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);

/// For so long after a note that API access is about to be switched on it may be; keys that are made meanwhile are ours.
pub(super) const SWITCHING: SignedDuration = SignedDuration::from_hours(1);

/// Whether instants of the vault can be compared with ours. Ages and grace are counted from both, so a key is made to die
/// only where the two are proved to agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VaultClock {
    /// It agrees with ours.
    Agrees,
    /// It doesn't.
    Apart {
        /// By so many minutes.
        minutes: i64,
    },
    /// The vault didn't say what time it is, or not clearly, because.
    Unproved(String),
}

impl VaultClock {
    /// Compares what the vault says with what we say.
    pub fn of(theirs: Result<Timestamp, String>, ours: Timestamp) -> Self {
        match theirs.map(|theirs| theirs.duration_since(ours).abs()) {
            Ok(apart) if apart <= CLOCK_SKEW => Self::Agrees,
            Ok(apart) => Self::Apart { minutes: apart.as_mins() },
            Err(reason) => Self::Unproved(reason),
        }
    }

    /// Why nothing may be made to die, if that is so.
    pub fn objection(&self) -> Option<String> {
        match self {
            Self::Agrees => None,
            Self::Apart { minutes } => {
                Some(format!("the vault's clock and this machine's differ by {minutes} minutes"))
            }
            Self::Unproved(reason) => Some(format!("the vault's clock can't be checked: {reason}")),
        }
    }
}

impl Facts {
    /// The value that consumers hold, where it was read.
    pub fn published(&self) -> Option<Fingerprint> {
        match &self.secret {
            Secret::Present(published) => published.current.content.value(),
            _ => None,
        }
    }

    /// The instant of a note that API access was about to be switched on, if the keys were made right after it: then they
    /// are ours, and none of them is older. Keys that were made at another time may have been there before, or be another's
    /// doing; a single one that was replaced since tells nothing.
    pub(super) fn switched_at(&self, instance: &str) -> Option<Timestamp> {
        let Secret::Present(published) = &self.secret else { return None };
        let notes = published.versions().filter(|version| version.tags.are_ours(instance));
        let made_right_after = |begun: &Timestamp| {
            let (from, to) = (after(*begun, -CLOCK_SKEW), after(*begun, SWITCHING));
            self.made.len() == 2
                && self.made.iter().all(|made| *made >= from)
                && self.made.iter().any(|made| *made <= to)
        };
        notes.filter_map(|version| version.tags.begun).filter(made_right_after).max()
    }

    /// The slot whose value consumers hold.
    pub fn active(&self) -> Option<Slot> {
        let published = self.published()?;
        [Slot::Primary, Slot::Secondary].into_iter().find(|slot| self.slots.value(*slot) == Some(published))
    }
}

/// Whether the API is switched on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// It is.
    On,
    /// It isn't: no key works.
    Off,
    /// Not known, because.
    Unknown(String),
}

/// The live keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Slots {
    /// Both were read.
    Read {
        /// The primary key.
        primary: Fingerprint,
        /// The secondary key.
        secondary: Fingerprint,
    },
    /// They are not to be read: `verify: metadata`.
    NotRead,
    /// Not known, because.
    Unknown(String),
}

impl Slots {
    /// The value in a slot, where it is known.
    pub fn value(&self, slot: Slot) -> Option<Fingerprint> {
        match (self, slot) {
            (Self::Read { primary, .. }, Slot::Primary) => Some(*primary),
            (Self::Read { secondary, .. }, Slot::Secondary) => Some(*secondary),
            _ => None,
        }
    }
}

/// The secret that consumers read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Secret {
    /// There is none, and none that was deleted and could be recovered.
    Absent,
    /// It was deleted and can be recovered.
    SoftDeleted,
    /// It is there.
    Present(Box<Published>),
    /// Not known, because.
    Unknown(String),
}

/// A secret with its versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// What the service answers when no version is named.
    pub current: Version,
    /// All other versions, newest first where that is known; or why they could not be listed.
    pub history: Result<Vec<Version>, String>,
}

impl Published {
    /// Whether palisade published a key here for an instance, or is about to. A place that it once reserved is no sign of
    /// whose the versions are that came after it.
    pub fn is_ours(&self, instance: &str) -> bool {
        let published = |version: &Version| version.tags.are_ours(instance) && !version.is_reservation(instance);
        self.current.is_reservation(instance) || self.versions().any(published)
    }

    /// All versions that were seen, the current one first.
    pub fn versions(&self) -> impl Iterator<Item = &Version> {
        std::iter::once(&self.current).chain(self.history.iter().flatten())
    }
}

/// One version of the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The service's name for it.
    pub id: String,
    /// When it was made, in whole seconds by the vault's clock.
    pub created: Timestamp,
    /// Its value.
    pub content: Content,
    /// Its tags.
    pub tags: Tags,
    /// The version that it followed, where the service says so.
    pub previous: Option<String>,
}

impl Version {
    /// Whether it holds no key: a run made it, disabled, before it switched API access on.
    pub fn is_reservation(&self, instance: &str) -> bool {
        self.tags.begun.is_some() && self.tags.slot.is_none() && self.tags.name(instance)
    }
}

/// The value of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// It was read.
    Read(Fingerprint),
    /// The version is disabled, and nobody can read it.
    Disabled,
    /// It was not read: `verify: metadata`, or no decision needed it. It may be any value.
    NotRead,
    /// Not known, because.
    Unreadable(String),
}

impl Content {
    /// The value, if it was read.
    pub fn value(&self) -> Option<Fingerprint> {
        match self {
            Self::Read(value) => Some(*value),
            _ => None,
        }
    }
}
