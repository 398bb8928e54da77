//! `verify: metadata`: what can be decided from dates and tags, and what a look at the values decides when applying.
//!
//! A run that sees dates only guesses: it asks for a look at the values whenever something may be due. What the look shows
//! and leads to no move is noted on the current version, or the next run would ask again, for ever.
//!
//! Invariants:
//!
//! - dates alone lead to no write but a look at the values;
//! - a look ends in a move, in a note, in a reason that a person has to deal with, or in "could not be read".

use jiff::Timestamp;

use super::assessment::{Assessment, Hold, Move, Spare, State, Warning};
use super::decide::{Case, Decision, not_read};
use super::declared::{Rotation, Verify, after};
use super::facts::{Facts, Version};
use super::ledger::{Issue, Ledger, RESOLUTION};
use super::tags::Looked;

/// What the values ask for, once they were looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolved {
    /// Carry this out.
    Do(Move),
    /// Nothing: a person must, for this reason.
    Person(String),
    /// Nothing: something could not be read.
    Unread(String),
}

/// What the values ask for. `retires` says whether a retirement was approved; `declared` asks for values.
pub fn resolve(declared: &Rotation, facts: &Facts, retires: bool, now: Timestamp) -> Resolved {
    let Assessment { state, active, next, reason, .. } = super::assess(declared, facts, now);
    match next {
        Some(Move::AskPerson(_)) => Resolved::Person(reason),
        // Taking a key away needs an approval that says so: noted, it is what the next plan asks for.
        Some(Move::Retire { .. }) if !retires => Resolved::Do(Move::NoteLook),
        Some(next) => Resolved::Do(next),
        None if state == State::Unknown || active.is_none() => Resolved::Unread(reason),
        None => Resolved::Do(Move::NoteLook),
    }
}

impl Case<'_> {
    /// `verify: metadata`: only dates and tags were read, and what a former look at the values noted.
    pub(super) fn age_only(&self, ledger: &Ledger<'_>) -> Decision {
        if self.declared.verify == Verify::Values {
            return not_read();
        }
        if let Some(reason) = &ledger.gap {
            return Decision::unknown(reason);
        }
        let Version { id, tags, .. } = ledger.current;
        let looked = tags.looked.as_deref().filter(|looked| looked.version == *id);
        let bearer = ledger.newest_marked(&self.declared.instance).unwrap_or(ledger.current);
        let stored_again = looked.is_none() && bearer.id != *id;
        let (issue, spare) = match looked {
            Some(Looked { issued, published, replaced, standby, .. }) => {
                let issue = issued.map_or(Issue::Unknown { published: *published }, Issue::NotBefore);
                (issue, Spare { replaced: *replaced, issued: *standby })
            }
            None => self.by_tags(ledger.current, bearer, ledger.has_a_past()),
        };
        let due = self.due(issue);
        let since = if stored_again { after(bearer.created, RESOLUTION) } else { ledger.current_since() };
        let retire_at = self.retire_at(issue, spare, since);
        let mut decision = Decision {
            issue: Some(issue),
            due: Some(due),
            retire_at,
            warnings: vec![Warning::ValuesNotLookedAt],
            ..Decision::new(State::AgeOnly)
        };
        let retirable = retire_at.is_some_and(|at| at <= self.now);
        if tags.intent.is_some() || due <= self.now || retirable {
            decision.wanted = Some(Move::Resolve);
            decision.holds = match tags.intent {
                Some(_) => self.clock().into_iter().chain(self.window()).collect(),
                None => self.holds(ledger, None),
            };
            if stored_again {
                // Whether grace began anew, too, only the values tell.
                decision.holds.retain(|hold| !matches!(hold, Hold::Grace { .. }));
            }
            decision.next = decision.wanted.filter(|_| decision.holds.is_empty());
        }
        decision
    }

    /// What tags tell where no look was noted. A current version without our mark may hold the very key that the newest one
    /// with it holds, as a job leaves it that stores the key again and again: doubt makes it as old as that one.
    fn by_tags(&self, current: &Version, bearer: &Version, has_a_past: bool) -> (Issue, Spare) {
        let Version { created, tags, .. } = bearer;
        let issued = tags.issued.filter(|issued| issued <= created && bearer.id == current.id);
        let issue = issued.map_or(Issue::Unknown { published: *created }, Issue::NotBefore);
        let replaced = has_a_past && tags.retired.is_none();
        let issued = tags.retired.map(|retired| retired.at);
        (issue, Spare { replaced: replaced.then_some(*created), issued })
    }
}
