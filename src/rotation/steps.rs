//! The steps of a move, and the requests that they send.

use super::assessment::Move;
use super::fingerprint::Fingerprint;
use super::rules::Rules;
use super::tags::Tags;
use crate::terms::Slot;

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StepKind {
    /// Notes in the vault that API access is off and about to be switched on; proves that the secret can be written.
    NoteSwitch,
    /// Switches the API on.
    EnableAccess,
    /// Notes what is about to be regenerated; proves the right to update the secret.
    TagIntent,
    /// Regenerates the standby slot.
    Regenerate,
    /// Waits until the standby slot shows another value.
    ReadBackChanged,
    /// Tries the new key on a harmless call.
    Probe,
    /// Stores the value that was just read as a new version.
    Publish,
    /// Waits until the vault answers the published value.
    ReadVaultBack,
    /// Compares vault and slots once more.
    CompareAgain,
    /// Notes the standby's new value, which ends a retirement.
    TagRetired,
    /// Notes what the values showed.
    NoteLook,
    /// Recovers the deleted secret.
    Recover,
}

impl StepKind {
    /// The step's name, for progress and diagrams.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoteSwitch => "note that API access is about to be switched on",
            Self::EnableAccess => "switch API access on",
            Self::TagIntent => "note the intent",
            Self::Regenerate => "regenerate the standby key",
            Self::ReadBackChanged => "read back until it changed",
            Self::Probe => "try the new key",
            Self::Publish => "publish what a fresh read returned",
            Self::ReadVaultBack => "read the vault back",
            Self::CompareAgain => "compare vault and slots again",
            Self::TagRetired => "note the retirement",
            Self::NoteLook => "note what the values showed",
            Self::Recover => "recover the secret",
        }
    }
}

impl StepKind {
    /// Whether it leaves a note on the current version.
    pub fn notes(self) -> bool {
        matches!(self, Self::NoteSwitch | Self::TagIntent | Self::TagRetired | Self::NoteLook)
    }
}

/// The one request that a step sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// None: reading was all.
    Nothing,
    /// Switch the API on.
    EnableAccess,
    /// Replace the tags of a version.
    Tag {
        /// The version.
        version: String,
        /// All its tags from now on.
        tags: Tags,
    },
    /// Store a version that holds no key and is disabled, so that nobody can read it.
    Reserve {
        /// The version's tags.
        tags: Tags,
    },
    /// Regenerate a slot.
    Regenerate {
        /// The slot.
        slot: Slot,
    },
    /// Call the service with a key, until it accepts it; the run ends if it doesn't in time.
    Probe {
        /// The slot.
        slot: Slot,
        /// The value, as it was just read.
        value: Fingerprint,
    },
    /// Store a new version: the very bytes that were just read from the slot, which have this fingerprint.
    Publish {
        /// The slot.
        slot: Slot,
        /// The value, as it was just read.
        value: Fingerprint,
        /// The version's tags.
        tags: Tags,
    },
    /// Recover the deleted secret.
    Recover,
}

/// What a check says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "there is one at a time, for a moment")]
pub enum Check {
    /// Send this, then go to the next step.
    Continue(Request),
    /// Not visible yet: read again a little later, for a bounded time. When that is over, do [`StepKind::CompareAgain`]
    /// and end the run.
    Wait(String),
    /// End the run; nothing is broken, and the next run does what is left.
    Abort(String),
    /// End the run: something that the step depends on could not be read.
    Unread(String),
    /// Consumers hold a dead key: drop everything and carry out this move.
    Heal(Move),
}

/// The steps of a move, in order.
pub fn steps(planned: &Move) -> &'static [StepKind] {
    steps_under(&Rules::ALL, planned)
}

/// The steps of a move if only some rules hold. Only the proof varies the rules.
pub fn steps_under(rules: &Rules, planned: &Move) -> &'static [StepKind] {
    use StepKind::*;
    match (planned, rules.intent_first) {
        (Move::FirstPublication { .. } | Move::Repair { .. }, _) => &[Publish, ReadVaultBack, CompareAgain],
        (Move::PublishNewKeys { .. }, _) => &[NoteSwitch, EnableAccess, Publish, ReadVaultBack, CompareAgain],
        (Move::Rotate { .. }, true) => {
            &[TagIntent, Regenerate, ReadBackChanged, Probe, Publish, ReadVaultBack, CompareAgain]
        }
        (Move::Rotate { .. }, false) => &[Regenerate, ReadBackChanged, Probe, Publish, ReadVaultBack, CompareAgain],
        (Move::FinishRotation { .. }, _) => &[Probe, Publish, ReadVaultBack, CompareAgain],
        (Move::Retire { .. }, true) => &[TagIntent, Regenerate, ReadBackChanged, CompareAgain, TagRetired],
        (Move::Retire { .. }, false) => &[Regenerate, ReadBackChanged, CompareAgain, TagRetired],
        (Move::FinishRetirement { .. }, _) => &[CompareAgain, TagRetired],
        (Move::RecoverSecret, _) => &[Recover, CompareAgain],
        (Move::NoteLook, _) => &[NoteLook],
        (Move::Resolve | Move::AskPerson(_), _) => &[],
    }
}
