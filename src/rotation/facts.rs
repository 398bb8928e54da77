//! What was read: the facts that an assessment rests on.
//!
//! Slots are read before the secret: that is the order in which the proof tears a reading apart.
//!
//! What must stay true: whatever could not be read is there as unknown with its reason, and is never left out.

use jiff::Timestamp;

use super::fingerprint::Fingerprint;
use super::tags::{Slot, Tags};

/// Everything that was read about the keys of one environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Whether the API is switched on.
    pub access: Access,
    /// The live keys.
    pub slots: Slots,
    /// The secret that consumers read.
    pub secret: Secret,
}

impl Facts {
    /// The value that consumers hold, where it was read.
    pub fn published(&self) -> Option<Fingerprint> {
        match &self.secret {
            Secret::Present(published) => published.current.content.value(),
            _ => None,
        }
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
    /// All other versions, newest first where that is known.
    pub history: Vec<Version>,
    /// Whether the listing of the history ended by itself.
    pub complete: bool,
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

/// The value of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// It was read.
    Read(Fingerprint),
    /// The version is disabled, and nobody can read it.
    Disabled,
    /// It is not to be read: `verify: metadata`.
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
