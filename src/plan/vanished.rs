//! What it means that an approved change isn't wanted any more. Pure.
//!
//! Another run or a person may have made it; or what it was derived from can't be read any more, or leads to something else.
//!
//! Invariants: only the first counts as being in effect.

use super::change::{Address, Change};
use super::document::{ScopePlan, Unknown, Waiting};

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Vanished {
    /// Its setting was read, and no longer asks for it.
    InEffect,
    /// It can't be read; why.
    Unread(String),
    /// It waits for something; for what.
    Waits(String),
    /// Something else is to be done in its place.
    Instead(Box<Change>),
    /// It is in effect, and something that rests on it comes next.
    Next(Box<Change>),
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
}

/// What became of `change` of the scope `planned`, which `fresh` doesn't want.
pub(super) fn vanished(change: &Change, planned: &ScopePlan, fresh: &ScopePlan) -> Vanished {
    let of_setting = |address: &Address| same_setting(address, &change.address);
    let changes: Vec<&Change> = fresh.changes.iter().filter(|one| one.setting == change.setting).collect();
    let unknown: Vec<Unknown> = fresh.unknown.iter().filter(|one| of_setting(&one.address)).cloned().collect();
    let waiting: Vec<Waiting> = fresh.waiting.iter().filter(|one| of_setting(&one.address)).cloned().collect();
    among(change, planned, Seen { changes: &changes, unknown: &unknown, waiting: &waiting })
}

/// The same from what was `seen` of its setting alone. What is unknown or waits anywhere in the setting may be why, unless it
/// already was when the plan was made and is beside the point.
pub fn among(change: &Change, planned: &ScopePlan, seen: Seen<'_>) -> Vanished {
    let concerns = |address: &Address| one_in_the_other(address, &change.address);
    let was_unknown = |address: &Address| planned.unknown.iter().any(|unknown| unknown.address == *address);
    let was_waiting = |address: &Address| planned.waiting.iter().any(|waiting| waiting.address == *address);
    let unknown = seen.unknown.iter().find(|one| concerns(&one.address) || !was_unknown(&one.address));
    if let Some(unknown) = unknown {
        return Vanished::Unread(format!("{} could not be read: {}", unknown.address, unknown.reason));
    }
    // What only time brings takes no other change's place: a rotation isn't undone because a retirement is due.
    let new = |other: &&&Change| {
        !other.action.comes_with_time() && !planned.changes.iter().any(|one| one.intent() == other.intent())
    };
    let instead = |other: &&&Change| other.subject == change.subject || change.address.is_in(other.address.as_str());
    let others = || seen.changes.iter().filter(new);
    if let Some(other) = others().find(instead) {
        return Vanished::Instead(Box::new((*other).clone()));
    }
    if let Some(waiting) = seen.waiting.iter().find(|one| concerns(&one.address) || !was_waiting(&one.address)) {
        return Vanished::Waits(waiting.detail.clone());
    }
    match others().find(|other| concerns(&other.address)) {
        Some(next) => Vanished::Next(Box::new((*next).clone())),
        None => Vanished::InEffect,
    }
}

/// Whether two addresses lie in one setting of one scope, or one is the whole scope.
fn same_setting(one: &Address, other: &Address) -> bool {
    let setting = |address: &Address| address.as_str().split('/').take(2).map(str::to_owned).collect::<Vec<_>>();
    let (one, other) = (setting(one), setting(other));
    one.first() == other.first() && (one.len() < 2 || other.len() < 2 || one.get(1) == other.get(1))
}

fn one_in_the_other(one: &Address, other: &Address) -> bool {
    one.is_in(other.as_str()) || other.is_in(one.as_str())
}
