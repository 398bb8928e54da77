//! The versions of a secret, read as a ledger: which value was published when, and until when it is protected.
//!
//! Words: a version is *superseded* when the next one is made; its value is *in grace* until `grace` later.
//!
//! Invariants:
//!
//! - two versions of the same second have no order unless the service tells one;
//! - a version whose value wasn't read may hold any value that can have existed when it was made, so doubt makes a
//!   protection longer, never shorter;
//! - the number of versions decides nothing: what wasn't read is in doubt, and never a reason to stop.

use jiff::{SignedDuration, Timestamp};

use super::declared::after;
use super::facts::{Content, Facts, Published, Slots, Version};
use super::fingerprint::Fingerprint;
use super::tags::Tags;
use crate::terms::Slot;

/// How far instants that two clocks wrote down may be off without meaning anything.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

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
    /// A version whose value wasn't read may hold it; the newest such was superseded at this instant.
    Maybe(Timestamp),
    No,
}

/// The slot whose live value a version holds.
fn slot_of(version: &Version, slots: &Slots) -> Option<Slot> {
    let value = version.content.value()?;
    [Slot::Primary, Slot::Secondary].into_iter().find(|slot| slots.value(*slot) == Some(value))
}

/// A version that is no longer current.
pub(super) struct Entry<'a> {
    pub(super) version: &'a Version,
    pub(super) superseded: Timestamp,
    /// Whether it holds no key.
    reservation: bool,
}

impl Entry<'_> {
    /// Whether its value was not read, and could be.
    pub(super) fn is_unread(&self) -> bool {
        !self.reservation && self.version.content == Content::NotRead
    }
}

/// The versions of a secret, newest first.
pub(super) struct Ledger<'a> {
    pub(super) current: &'a Version,
    pub(super) older: Vec<Entry<'a>>,
    /// What could not be read, and why: nothing is made to die then.
    pub(super) gap: Option<String>,
    /// An instant before which none of the live values existed, if one is known.
    born: Option<Timestamp>,
}

impl<'a> Ledger<'a> {
    /// Reads a secret as a ledger, or says why it can't be relied on at all.
    pub(super) fn read(published: &'a Published, facts: &Facts, instance: &str) -> Result<Self, String> {
        let Published { current, history } = published;
        let (history, unlisted) = match history {
            Ok(history) => (history.as_slice(), None),
            Err(reason) => (&[][..], Some(format!("the versions of the secret could not be listed: {reason}"))),
        };
        if history.iter().any(|version| version.created > current.created || version.id == current.id) {
            return Err("the secret changed while its versions were being read".to_owned());
        }
        let unreadable = history.iter().find_map(|version| match &version.content {
            Content::Unreadable(reason) => Some(format!("a former version of the secret could not be read: {reason}")),
            Content::Read(_) | Content::Disabled | Content::NotRead => None,
        });
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
            older.push(Entry { version, superseded, reservation: version.is_reservation(instance) });
        }
        Ok(Self { current, older, gap: unlisted.or(unreadable), born: facts.switched_at(instance) })
    }

    /// All versions, newest first as far as that is known.
    pub(super) fn versions(&self) -> impl Iterator<Item = &'a Version> {
        std::iter::once(self.current).chain(self.older.iter().map(|entry| entry.version))
    }

    /// The tags of all versions.
    fn tags(&self) -> impl Iterator<Item = &'a Tags> {
        self.versions().map(|version| &version.tags)
    }

    /// The slot whose live value is the current one.
    pub(super) fn live_slot(&self, slots: &Slots) -> Option<Slot> {
        slot_of(self.current, slots)
    }

    /// Whether any version ever held a live key.
    pub(super) fn held_a_live_key(&self, slots: &Slots) -> bool {
        self.versions().any(|version| slot_of(version, slots).is_some())
    }

    /// Whether a key was ever published before the current one.
    pub(super) fn has_a_past(&self) -> bool {
        self.older.iter().any(|entry| !entry.reservation)
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

    /// The newest version that palisade published, by its tags.
    pub(super) fn newest_marked(&self, instance: &str) -> Option<&'a Version> {
        self.versions().find(|version| version.tags.slot.is_some() && version.tags.are_ours(instance))
    }

    /// The oldest version that is known to hold a value.
    pub(super) fn oldest_with(&self, value: Fingerprint) -> Option<&'a Version> {
        self.versions().filter(|version| version.content.value() == Some(value)).min_by_key(|version| version.created)
    }

    /// When a published value came into being.
    pub(super) fn issue(&self, value: Fingerprint) -> Option<Issue> {
        let published = self.oldest_with(value)?.created;
        let oldest = self.versions().filter(|it| it.content.value() == Some(value) && it.created == published);
        // A claim later than the version itself is nonsense, and no claim at all is no knowledge.
        let claims: Option<Vec<_>> = oldest
            .map(|version| version.tags.issued.filter(|issued| *issued <= after(published, RESOLUTION)))
            .collect();
        let issued = claims.and_then(|claims| claims.into_iter().min());
        Some(issued.map_or(Issue::Unknown { published }, |issued| Issue::NotBefore(issued.min(published))))
    }

    /// An instant before which a value did not exist, by the note of a retirement, whichever version bears it: the note
    /// names the value.
    pub(super) fn noted_issue(&self, value: Fingerprint) -> Option<Timestamp> {
        let notes = self.tags().filter_map(|tags| tags.retired);
        notes.filter(|retired| retired.standby == value).map(|retired| retired.at).max()
    }

    /// An instant before which a live value did not exist, so that no older version holds it.
    pub(super) fn exists_since(&self, value: Fingerprint) -> Option<Timestamp> {
        self.noted_issue(value).max(self.born)
    }

    /// Since when consumers get the current value, at the latest. Storing the same value again replaces nothing.
    pub(super) fn current_since(&self) -> Timestamp {
        let mut since = self.current.created;
        let value = self.current.content.value();
        for second in self.older.chunk_by(|a, b| a.version.created == b.version.created) {
            let same = |entry: &Entry<'_>| entry.version.content.value() == value;
            if value.is_none() {
                break;
            }
            // Of several in one second, the same value may have been the last; another one that may be held is protected
            // for itself.
            if second.iter().any(same) {
                since = second[0].version.created;
            }
            if !second.iter().all(|entry| entry.reservation || same(entry)) {
                break;
            }
        }
        after(since, RESOLUTION)
    }

    /// Whether a version that was read, or one in doubt, may hold a value that didn't exist before an instant.
    fn may_hold(entry: &Entry<'_>, value: Fingerprint, since: Option<Timestamp>) -> bool {
        match entry.version.content.value() {
            _ if entry.reservation => false,
            Some(held) => held == value,
            None => since.is_none_or(|since| after(entry.version.created, TOLERANCE) >= since),
        }
    }

    /// Until when a value may be held by somebody who read it before it was superseded. Versions whose value isn't known
    /// may hold any.
    pub(super) fn protected_until(&self, value: Fingerprint, grace: SignedDuration) -> Option<Timestamp> {
        let since = self.exists_since(value);
        let held = self.older.iter().filter(|entry| Self::may_hold(entry, value, since));
        Some(after(after(held.map(|entry| entry.superseded).max()?, RESOLUTION), grace))
    }

    /// Until when somebody may hold a former value that is none of these live ones: dead before its grace was over.
    pub(super) fn dead_in_grace(&self, live: [Fingerprint; 2], grace: SignedDuration) -> Option<Timestamp> {
        let dead = |entry: &&Entry<'_>| {
            !entry.reservation && entry.version.content.value().is_some_and(|held| !live.contains(&held))
        };
        let superseded = self.older.iter().filter(dead).map(|entry| entry.superseded).max()?;
        Some(after(superseded, grace))
    }

    /// Whether a value was published before.
    pub(super) fn ever_published(&self, value: Fingerprint) -> EverPublished {
        let since = self.exists_since(value);
        let held = || self.older.iter().filter(|entry| Self::may_hold(entry, value, since));
        let known = held().filter(|entry| entry.version.content.value() == Some(value));
        match (known.map(|entry| entry.superseded).max(), held().map(|entry| entry.superseded).max()) {
            (Some(at), _) => EverPublished::Yes(at),
            (None, Some(at)) => EverPublished::Maybe(at),
            (None, None) => EverPublished::No,
        }
    }

    /// Former versions whose value wasn't read and may be this live one, newest first. `since` is another instant before
    /// which it did not exist.
    pub(super) fn in_doubt(&self, value: Fingerprint, since: Option<Timestamp>) -> impl Iterator<Item = &Entry<'a>> {
        let since = self.exists_since(value).max(since);
        self.older.iter().filter(move |entry| entry.is_unread() && Self::may_hold(entry, value, since))
    }
}
