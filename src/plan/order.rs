//! In which order changes are made, over all scopes. Pure.
//!
//! Words: a *circle* is a list of changes each of which requires the next, and the last one the first; a change *cuts off* if it
//! is an outage, or loses data.
//!
//! Invariants: there is one order over all scopes in which each change comes after all that it requires, and the order of each
//! scope is its part of it, so that scopes that wait for each other never wait for ever; what cuts off comes only after all
//! others that don't require it; a circle can't be ordered, and is a refusal of each scope in it.

use std::collections::{BTreeMap, BTreeSet};

use super::change::{Address, Direction, Impact};
use super::codes;
use super::derive::Account;
use super::findings::Planned;
use super::note::Note;

/// The changes of each account, in order, and the circles among them.
pub(super) struct Order<'a> {
    /// In the order of the accounts.
    pub(super) scopes: Vec<Vec<&'a Planned>>,
    /// Each once.
    pub(super) circles: Vec<Vec<&'a Address>>,
}

/// Orders changes: what a change requires before it, then what cuts off last, what adds before what takes away, and what hardens
/// before what weakens. Otherwise something that goes wrong early would leave people without the service, an operation that goes
/// on for days would keep a key from being rotated in time, and an environment could be without an Admin half-way.
pub(super) fn order(accounts: &[Account]) -> Order<'_> {
    let mut waiting: Vec<(usize, &Planned)> = accounts
        .iter()
        .enumerate()
        .flat_map(|(scope, account)| account.findings.iter().flat_map(|it| &it.changes).map(move |one| (scope, one)))
        .collect();
    waiting.sort_by_key(|(scope, planned)| {
        let cuts_off = match planned.change.impact {
            Impact::None | Impact::Interrupts => false,
            Impact::Outage | Impact::DataLoss => true,
        };
        let weakens = planned.change.direction == Direction::Weakens;
        (cuts_off, planned.takes_away, weakens, *scope, &planned.change.address)
    });
    let mut addresses: BTreeSet<&Address> = waiting.iter().map(|(_, planned)| &planned.change.address).collect();
    let mut order = Order { scopes: accounts.iter().map(|_| Vec::new()).collect(), circles: Vec::new() };
    while !waiting.is_empty() {
        let free = |(_, one): &(usize, &Planned)| one.change.requires.iter().all(|other| !addresses.contains(other));
        let next = waiting.iter().position(free).unwrap_or_else(|| {
            let circle = circle(&waiting, &addresses);
            // To tell the other circles, too, it is broken up where it is reported from.
            let first = waiting.iter().position(|(_, one)| circle.first() == Some(&&one.change.address));
            order.circles.push(circle);
            first.unwrap_or(0)
        });
        let (scope, planned) = waiting.remove(next);
        addresses.remove(&planned.change.address);
        order.scopes[scope].push(planned);
    }
    order
}

/// A circle among changes none of which is free: whoever follows what is required comes back somewhere.
fn circle<'a>(waiting: &[(usize, &'a Planned)], addresses: &BTreeSet<&'a Address>) -> Vec<&'a Address> {
    let requires: BTreeMap<&Address, &'a Address> = waiting
        .iter()
        .filter_map(|(_, one)| {
            let next = one.change.requires.iter().find(|other| addresses.contains(other))?;
            Some((&one.change.address, next))
        })
        .collect();
    let mut path: Vec<&'a Address> = waiting.first().map(|(_, one)| &one.change.address).into_iter().collect();
    while let Some(next) = path.last().and_then(|last| requires.get(last)) {
        if let Some(start) = path.iter().position(|seen| seen == next) {
            return path.split_off(start);
        }
        path.push(next);
    }
    path
}

/// A refusal of each scope that has a part in a circle.
pub(super) fn refusals(circle: &[&Address]) -> Vec<Note> {
    let Some(first) = circle.first() else { return Vec::new() };
    let rest: Vec<String> = circle[1..].iter().chain([first]).map(|address| format!("requires {address}")).collect();
    let message = format!("{first} {}", rest.join(", which "));
    let mut told = BTreeSet::new();
    let of_scope = circle.iter().filter(|address| told.insert(address.in_scope()));
    of_scope
        .map(|address| {
            Note::refusal(codes::REQUIREMENT_CIRCLE, (*address).clone(), message.clone())
                .help("none of them can be made first: make one of them by hand, or take one of them out of the file")
        })
        .collect()
}
