//! The versions of a secret, read as a ledger: which value was published when, and until when it is protected.
//!
//! Words: a version is *superseded* when the next one is made; its value is *in grace* until `grace` later. What must
//! stay true: two versions of the same second have no order unless the service tells one, and doubt makes a protection
//! longer, never shorter.

use jiff::{SignedDuration, Timestamp};

use super::declared::after;
use super::facts::{Content, Published, Slots, Version};
use super::fingerprint::Fingerprint;
use super::tags::Slot;

/// Instants of a vault are cut to the second, so something may have happened up to this much later.
pub(super) const RESOLUTION: SignedDuration = SignedDuration::from_secs(1);

/// When a value came into being.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Issue {
    /// Not before this instant, as our tag on the oldest version with the value says.
    NotBefore(Timestamp),
    /// Nobody knows; it was first published at this instant.
    Unknown {
        /// When the oldest known version with the value was made.
        published: Timestamp,
    },
}

impl Issue {
    /// The instant from which its age counts.
    pub fn counts_from(self) -> Timestamp {
        match self {
            Self::NotBefore(instant) | Self::Unknown { published: instant } => instant,
        }
    }

    /// Whether the value is known not to be older than an instant.
    pub fn is_newer_than(self, instant: Timestamp) -> bool {
        matches!(self, Self::NotBefore(issued) if issued >= instant)
    }
}

/// Whether a value was ever published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EverPublished {
    /// Last superseded at this instant.
    Yes(Timestamp),
    /// A version that nobody can read may hold it; the newest such was superseded at this instant.
    Maybe(Timestamp),
    No,
}

/// The slot whose live value a version holds.
fn slot_of(version: &Version, slots: &Slots) -> Option<Slot> {
    let value = version.content.value()?;
    [Slot::Primary, Slot::Secondary].into_iter().find(|slot| slots.value(*slot) == Some(value))
}

/// A version that is no longer current.
struct Entry<'a> {
    version: &'a Version,
    superseded: Timestamp,
}

/// The versions of a secret, newest first.
pub(super) struct Ledger<'a> {
    pub(super) current: &'a Version,
    older: Vec<Entry<'a>>,
}

impl<'a> Ledger<'a> {
    /// Reads a secret as a ledger, or says why it can't be relied on.
    pub(super) fn read(published: &'a Published) -> Result<Self, String> {
        let Published { current, history, complete } = published;
        if !complete {
            return Err("the list of the secret's versions is not complete".to_owned());
        }
        if history.iter().any(|version| version.created > current.created || version.id == current.id) {
            return Err("the secret changed while its versions were being read".to_owned());
        }
        for version in history {
            match &version.content {
                Content::Unreadable(reason) => {
                    return Err(format!("a former version of the secret could not be read: {reason}"));
                }
                Content::NotRead if current.content.value().is_some() => {
                    return Err("the former versions of the secret were not read".to_owned());
                }
                Content::Read(_) | Content::Disabled | Content::NotRead => {}
            }
        }
        let mut versions: Vec<&Version> = history.iter().collect();
        versions.sort_by_key(|version| std::cmp::Reverse(version.created));
        let mut older: Vec<Entry<'_>> = Vec::with_capacity(versions.len());
        for version in versions {
            // Versions of one second were all superseded no later than by the next second's.
            let superseded = match older.last() {
                None => current.created,
                Some(newer) if newer.version.created == version.created => newer.superseded,
                Some(newer) => newer.version.created,
            };
            older.push(Entry { version, superseded });
        }
        Ok(Self { current, older })
    }

    /// All versions, newest first as far as that is known.
    pub(super) fn versions(&self) -> impl Iterator<Item = &'a Version> {
        std::iter::once(self.current).chain(self.older.iter().map(|entry| entry.version))
    }

    /// The slot whose live value is the current one.
    pub(super) fn live_slot(&self, slots: &Slots) -> Option<Slot> {
        slot_of(self.current, slots)
    }

    /// Whether any version ever held a live key.
    pub(super) fn held_a_live_key(&self, slots: &Slots) -> bool {
        self.versions().any(|version| slot_of(version, slots).is_some())
    }

    /// The slot that consumers held last and that is still alive; none if two claim it with equal right.
    pub(super) fn last_live_slot(&self, slots: &Slots) -> Option<Slot> {
        let slot_of = |version: &Version| slot_of(version, slots);
        let first = self.older.iter().find(|entry| slot_of(entry.version).is_some())?;
        let tied: Vec<_> = self
            .older
            .iter()
            .filter(|entry| entry.version.created == first.version.created)
            .filter_map(|entry| Some((entry.version, slot_of(entry.version)?)))
            .collect();
        if tied.iter().all(|(_, slot)| *slot == tied[0].1) {
            return Some(tied[0].1);
        }
        // The links tell which one the others led to.
        let depth = |version: &Version| self.depth(version);
        let depths: Option<Vec<_>> = tied.iter().map(|(version, slot)| Some((depth(version)?, *slot))).collect();
        depths?.into_iter().min_by_key(|(depth, _)| *depth).map(|(_, slot)| slot)
    }

    /// How many links lead from the current version to this one, if they do.
    fn depth(&self, version: &Version) -> Option<usize> {
        let mut at = self.current;
        for depth in 0..=self.older.len() {
            if at.id == version.id {
                return Some(depth);
            }
            let previous = at.previous.as_deref()?;
            at = self.older.iter().map(|entry| entry.version).find(|older| older.id == previous)?;
        }
        None
    }

    /// When a published value came into being.
    pub(super) fn issue(&self, value: Fingerprint) -> Option<Issue> {
        let holds = |version: &&Version| version.content.value() == Some(value);
        let published = self.versions().filter(holds).map(|version| version.created).min()?;
        let oldest = self.versions().filter(holds).filter(|version| version.created == published);
        // A claim later than the version itself is nonsense, and no claim at all is no knowledge.
        let claims: Option<Vec<_>> = oldest
            .map(|version| version.tags.issued.filter(|issued| *issued <= after(published, RESOLUTION)))
            .collect();
        let issued = claims.and_then(|claims| claims.into_iter().min());
        Some(issued.map_or(Issue::Unknown { published }, |issued| Issue::NotBefore(issued.min(published))))
    }

    /// When the current version replaced the one before, at the latest.
    pub(super) fn current_since(&self) -> Timestamp {
        after(self.current.created, RESOLUTION)
    }

    /// Until when a value may be held by somebody who read it before it was superseded. Versions that nobody can read
    /// now may hold any value.
    pub(super) fn protected_until(&self, value: Fingerprint, grace: SignedDuration) -> Option<Timestamp> {
        let may_hold = |entry: &&Entry<'_>| entry.version.content.value().is_none_or(|held| held == value);
        let superseded = self.older.iter().filter(may_hold).map(|entry| entry.superseded).max()?;
        Some(after(after(superseded, RESOLUTION), grace))
    }

    /// Until when somebody may hold a former value that is none of these live ones: dead before its grace was over.
    pub(super) fn dead_in_grace(&self, live: [Fingerprint; 2], grace: SignedDuration) -> Option<Timestamp> {
        let dead = |entry: &&Entry<'_>| entry.version.content.value().is_some_and(|held| !live.contains(&held));
        let superseded = self.older.iter().filter(dead).map(|entry| entry.superseded).max()?;
        Some(after(superseded, grace))
    }

    /// Whether a value was published before.
    pub(super) fn ever_published(&self, value: Fingerprint) -> EverPublished {
        let superseded = |held: Option<Fingerprint>| {
            self.older.iter().filter(|entry| entry.version.content.value() == held).map(|entry| entry.superseded).max()
        };
        match (superseded(Some(value)), superseded(None)) {
            (Some(at), _) => EverPublished::Yes(at),
            (None, Some(at)) => EverPublished::Maybe(at),
            (None, None) => EverPublished::No,
        }
    }
}
