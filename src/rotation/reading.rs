//! Whose values a decision needs: a secret may have hundreds of versions, and each value is a request.
//!
//! The list of versions tells dates and tags. Values are read until the decision is settled: those of versions that bear
//! our mark, since they tell most, then those that consumers may still hold, then the others, from the newest on.
//!
//! Invariants:
//!
//! - the number of values that are read is bounded, however many versions there are;
//! - what stays unread is in doubt, and doubt only ever makes a protection longer, or an age greater.

use jiff::Timestamp;

use super::assessment::{Hold, State};
use super::decide::decide;
use super::declared::{Rotation, after};
use super::facts::{Access, Content, Facts, Secret};
use super::fingerprint::Fingerprint;
use super::ledger::{Entry, EverPublished, Ledger, RESOLUTION};
use super::rules::Rules;
use crate::terms::Slot;

/// Values of former versions that one look reads at most.
const MOST: usize = 50;

/// As many if nothing but doubt about the past keeps a key from being regenerated. Whoever stores more versions within
/// `grace` holds the rotation up for as long.
const MOST_TO_REGENERATE: usize = 500;

/// Values that are asked for at once.
const BATCH: usize = 10;

/// The versions whose values are to be read next, by their ids; none once the decision is settled.
pub fn to_read(declared: &Rotation, facts: &Facts, now: Timestamp) -> Vec<String> {
    to_read_at_most([MOST, MOST_TO_REGENERATE], declared, facts, now)
}

/// [`to_read`] with other bounds. Only the proof varies them.
pub fn to_read_at_most(most: [usize; 2], declared: &Rotation, facts: &Facts, now: Timestamp) -> Vec<String> {
    let (Access::On, Secret::Present(published)) = (&facts.access, &facts.secret) else { return Vec::new() };
    let reserved = published.current.is_reservation(&declared.instance);
    let Ok(ledger) = Ledger::read(published, facts, &declared.instance) else { return Vec::new() };
    if ledger.current.content.value().is_none() && !reserved {
        return Vec::new();
    }
    let was_read = |entry: &&Entry<'_>| matches!(entry.version.content, Content::Read(_) | Content::Unreadable(_));
    let read = ledger.older.iter().filter(was_read).count();
    let wanted = Wanted { declared, facts, ledger: &ledger, now };
    let mut ids = match ledger.live_slot(&facts.slots).filter(|_| !reserved) {
        Some(active) => wanted.of_a_live_key(active),
        None => wanted.of_a_dead_key(),
    };
    let most = if wanted.regenerates() { most[1] } else { most[0] };
    ids.truncate(most.saturating_sub(read).min(BATCH));
    ids
}

struct Wanted<'a> {
    declared: &'a Rotation,
    facts: &'a Facts,
    ledger: &'a Ledger<'a>,
    now: Timestamp,
}

impl Wanted<'_> {
    /// Whether nothing but grace, which doubt may have made longer, holds up a regeneration.
    fn regenerates(&self) -> bool {
        let decision = decide(&Rules::ALL, self.declared, self.facts, self.now);
        let by_grace = |hold: &Hold| matches!(hold, Hold::Grace { .. });
        matches!(decision.state, State::Due | State::Retirable)
            && decision.holds.iter().any(by_grace)
            && decision.holds.iter().all(by_grace)
    }

    /// Consumers hold a live key: how old it is, and who may hold the other one.
    fn of_a_live_key(&self, active: Slot) -> Vec<String> {
        let (ledger, slots) = (self.ledger, &self.facts.slots);
        let (Some(current), Some(standby)) = (slots.value(active), slots.value(active.other())) else {
            return Vec::new();
        };
        let mut entries: Vec<&Entry<'_>> = Vec::new();
        if !matches!(ledger.ever_published(standby), EverPublished::Yes(_)) {
            entries.extend(ledger.in_doubt(standby, None));
        }
        entries.extend(self.may_be_the_first_publication(current, active));
        // Whoever read a value before it was replaced may hold it for so long.
        let in_grace = |entry: &Entry<'_>| after(after(entry.superseded, RESOLUTION), self.declared.grace) > self.now;
        entries.extend(ledger.older.iter().filter(|entry| entry.is_unread() && in_grace(entry)));
        entries.sort_by_key(|entry| {
            let rank = match (entry.version.tags.are_ours(&self.declared.instance), in_grace(entry)) {
                (true, _) => 0,
                (false, true) => 1,
                (false, false) => 2,
            };
            (rank, std::cmp::Reverse(entry.version.created))
        });
        distinct(entries)
    }

    /// Versions that may hold the current value and be older than any that is known to.
    fn may_be_the_first_publication(&self, value: Fingerprint, active: Slot) -> impl Iterator<Item = &Entry<'_>> {
        let oldest = self.ledger.oldest_with(value);
        // A claim counts here if it was written for the slot: tags are easily copied.
        let claimed = oldest.filter(|version| version.tags.slot == Some(active));
        let since = claimed.and_then(|version| version.tags.issued);
        let older = move |entry: &&Entry<'_>| oldest.is_none_or(|oldest| entry.version.created <= oldest.created);
        self.ledger.in_doubt(value, since).filter(older)
    }

    /// Consumers hold a dead key: which live one they held last.
    fn of_a_dead_key(&self) -> Vec<String> {
        let slots = &self.facts.slots;
        let [primary, secondary] = [Slot::Primary, Slot::Secondary].map(|slot| slots.value(slot));
        let live = |entry: &&Entry<'_>| {
            let value = entry.version.content.value();
            value.is_some() && (value == primary || value == secondary)
        };
        let last = self.ledger.older.iter().find(live).map(|entry| entry.version.created);
        let newer = |entry: &&Entry<'_>| last.is_none_or(|last| entry.version.created >= last);
        distinct(self.ledger.older.iter().filter(|entry| entry.is_unread()).filter(newer).collect())
    }
}

fn distinct(entries: Vec<&Entry<'_>>) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for entry in entries {
        if !ids.contains(&entry.version.id) {
            ids.push(entry.version.id.clone());
        }
    }
    ids
}
