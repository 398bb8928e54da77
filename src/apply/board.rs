//! The board on which a run's changes show how they ended, for those that require them.
//!
//! Words: a *turn* is a part of the run that is over before the next one begins; a change *ends* once, with a status.
//!
//! Invariants: whoever waits here waits for a change that ends without them: not for one of their own scope, of a later turn, or
//! of a scope that waits for them; so no wait lasts for ever.

use std::cell::RefCell;
use std::collections::BTreeMap;

use tokio::sync::watch;

use super::report::Status;
use crate::plan::Address;
use crate::terms::Scope;

/// How this run's changes are doing.
pub(super) struct Board {
    /// None for what hasn't ended.
    changes: watch::Sender<BTreeMap<Address, Option<Status>>>,
    /// In which turn each scope is worked on.
    turns: BTreeMap<Scope, usize>,
    /// For what each waiting scope waits.
    waits: RefCell<BTreeMap<Scope, Address>>,
}

/// What the board says of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// It is no part of this run.
    None,
    /// It hasn't ended.
    Pending,
    /// It ended so.
    Ended(Status),
}

impl Board {
    pub(super) fn new(changes: BTreeMap<Address, Option<Status>>, turns: BTreeMap<Scope, usize>) -> Self {
        Self { changes: watch::Sender::new(changes), turns, waits: RefCell::default() }
    }

    pub(super) fn part(&self, address: &Address) -> Part {
        match self.changes.borrow().get(address) {
            None => Part::None,
            Some(None) => Part::Pending,
            Some(Some(status)) => Part::Ended(*status),
        }
    }

    /// A change ended: who waits for it goes on.
    pub(super) fn post(&self, address: &Address, status: Status) {
        self.changes.send_if_modified(|changes| match changes.get_mut(address) {
            Some(ended) => ended.replace(status) != Some(status),
            None => false,
        });
    }

    /// Waits, on behalf of a scope, until a change has ended; false if that would be for ever.
    #[must_use]
    pub(super) async fn ended(&self, scope: &Scope, address: &Address) -> bool {
        if self.for_ever(scope, address) {
            return false;
        }
        self.waits.borrow_mut().insert(scope.clone(), address.clone());
        let mut changes = self.changes.subscribe();
        let ended = changes.wait_for(|changes| changes.get(address).is_none_or(Option::is_some)).await.is_ok();
        self.waits.borrow_mut().remove(scope);
        ended
    }

    /// Whether a change can't end before a scope that would wait for it goes on.
    fn for_ever(&self, scope: &Scope, address: &Address) -> bool {
        let turn = |scope: &Scope| self.turns.get(scope).copied().unwrap_or_default();
        let waits = self.waits.borrow();
        let mut next = Some(address);
        // Each scope waits for one change at most, so the way leads on by one of them at a time.
        for _ in 0..=waits.len() {
            let Some(other) = next.and_then(Address::in_scope) else { return false };
            if other == *scope || turn(&other) > turn(scope) {
                return true;
            }
            // What has ended by now holds that scope up no more, even if it hasn't come to notice.
            next = waits.get(&other).filter(|held_up_by| self.part(held_up_by) == Part::Pending);
        }
        false
    }
}
