//! What it means that an approved change isn't wanted any more. Pure.
//!
//! Another run or a person may have made it; or what it was derived from can't be read any more, leads to something else, or is
//! held back.
//!
//! Invariants: a change is in effect only if what it was to bring about was read: at its own address, for the very ids that it
//! binds, or, for a removal, in a collection that was read completely and doesn't list it under any name. That nothing is asked
//! for proves nothing.

use std::fmt;

use jiff::Timestamp;

use super::binds::Binds;
use super::change::{Action, Address, Change};
use super::document::{ScopePlan, Unknown, Waiting, WaitingFor};

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Vanished {
    /// What it was to bring about was read.
    InEffect,
    /// It is in effect, and something that rests on it comes next.
    Next(Box<Change>),
    /// It can't be read; why.
    Unread(String),
    /// It waits for something.
    Waits(Held),
    /// Something else is to be done in its place.
    Instead(Box<Change>),
    /// It isn't asked for, and doesn't show to be in effect.
    Unseen,
}

/// What an approved change waits for that isn't wanted now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// For whom; none if only time brings it back.
    pub waiting_for: Option<WaitingFor>,
    /// Since when, if that is known.
    pub since: Option<Timestamp>,
    /// What exactly.
    pub detail: String,
}

impl From<&Waiting> for Held {
    fn from(waiting: &Waiting) -> Self {
        let Waiting { address: _, waiting_for, since, detail } = waiting;
        Self { waiting_for: Some(*waiting_for), since: *since, detail: detail.clone() }
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { waiting_for: _, since, detail } = self;
        match since {
            Some(since) => write!(f, "under way since {since}: {detail}"),
            None => f.write_str(detail),
        }
    }
}

/// What was found out about one setting, or one scope.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// Differences to be closed.
    pub changes: &'a [&'a Change],
    /// What could not be read.
    pub unknown: &'a [Unknown],
    /// What is under way.
    pub waiting: &'a [Waiting],
    /// The addresses whose declared state was read.
    pub in_effect: &'a [Address],
    /// The collections that were read completely.
    pub complete: &'a [Address],
    /// The members that those list, each as what a removal of it binds.
    pub listed: &'a [Binds],
    /// What stands behind addresses in effect that are names.
    pub behind: &'a [(Address, Binds)],
}

/// What became of `change` of the scope `planned`, which `fresh` doesn't want.
pub(super) fn vanished(change: &Change, planned: &ScopePlan, fresh: &ScopePlan) -> Vanished {
    let changes: Vec<&Change> = fresh.changes.iter().filter(|one| one.setting == change.setting).collect();
    let ScopePlan { unknown, waiting, in_effect, complete, listed, behind, .. } = fresh;
    among(change, planned, Seen { changes: &changes, unknown, waiting, in_effect, complete, listed, behind })
}

/// The same from what was `seen` of its setting alone.
pub fn among(change: &Change, planned: &ScopePlan, seen: Seen<'_>) -> Vanished {
    let concerns = |address: &Address| one_in_the_other(address, &change.address);
    // What only time brings takes no other change's place: a rotation isn't undone because a retirement is due.
    let new = |other: &&&Change| {
        !other.action.comes_with_time() && !planned.changes.iter().any(|one| one.intent() == other.intent())
    };
    let others = || seen.changes.iter().filter(new);
    // Of what was renamed meanwhile, only the ids are the same.
    let same = |other: &Change| change.action == Action::Delete && other.binds == change.binds;
    let instead =
        |other: &&&Change| other.subject == change.subject || change.address.is_in(&other.address) || same(other);
    if shows(change, seen) && !others().any(|other| instead(&other)) {
        return match others().find(|other| concerns(&other.address)) {
            Some(next) => Vanished::Next(Box::new((*next).clone())),
            None => Vanished::InEffect,
        };
    }
    if let Some(unknown) = seen.unknown.iter().find(|one| concerns(&one.address)) {
        return Vanished::Unread(format!("{} could not be read: {}", unknown.address, unknown.reason));
    }
    if let Some(other) = others().find(instead) {
        return Vanished::Instead(Box::new((*other).clone()));
    }
    match seen.waiting.iter().find(|one| concerns(&one.address)) {
        Some(waiting) => Vanished::Waits(waiting.into()),
        None => Vanished::Unseen,
    }
}

/// Whether what the change was to bring about was read.
fn shows(change: &Change, seen: Seen<'_>) -> bool {
    if change.action == Action::Delete {
        let unclear = seen.unknown.iter().any(|unknown| unknown.address.is_in(&change.address));
        let there = seen.listed.contains(&change.binds);
        return !unclear && !there && seen.complete.iter().any(|collection| change.address.is_in(collection));
    }
    // A name that leads to somebody else by now shows nothing of the one whom the change was approved for.
    let moved = |address: &Address| seen.behind.iter().any(|(name, ids)| name == address && !change.binds.covers(ids));
    change.evidence().iter().all(|address| seen.in_effect.contains(address) && !moved(address))
}

fn one_in_the_other(one: &Address, other: &Address) -> bool {
    one.is_in(other) || other.is_in(one)
}
