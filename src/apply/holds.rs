//! What one change at a time writes to.
//!
//! Invariants: all that a change must have to itself is taken in one order, so that two changes never wait for each other;
//! whoever had to wait knows that others wrote meanwhile.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::plan::Hold;

/// Who writes to what, over all scopes of a run.
#[derive(Default)]
pub(super) struct Holds {
    /// Each with the moment at which it was last let go.
    all: RefCell<BTreeMap<Hold, Arc<Mutex<u64>>>>,
    moment: Cell<u64>,
}

/// What one change has to itself, until it is dropped.
pub(super) struct Taken<'a> {
    holds: &'a Holds,
    names: BTreeSet<Hold>,
    guards: Vec<OwnedMutexGuard<u64>>,
}

impl Holds {
    /// A mark in time: see [`Taken::let_go_since`].
    pub(super) fn moment(&self) -> u64 {
        self.moment.get()
    }

    /// Nothing.
    pub(super) fn nothing(&self) -> Taken<'_> {
        Taken { holds: self, names: BTreeSet::new(), guards: Vec::new() }
    }

    /// All of these, once nobody else has any of them.
    pub(super) async fn take(&self, names: BTreeSet<Hold>) -> Taken<'_> {
        let mut taken = self.nothing();
        for name in &names {
            let hold = self.all.borrow_mut().entry(name.clone()).or_default().clone();
            taken.guards.push(hold.lock_owned().await);
        }
        taken.names = names;
        taken
    }
}

impl Taken<'_> {
    /// Whether these are what is had.
    pub(super) fn are(&self, names: &BTreeSet<Hold>) -> bool {
        self.names == *names
    }

    /// Whether another change let go of any of it after `moment`: what was read before may be old.
    pub(super) fn let_go_since(&self, moment: u64) -> bool {
        self.guards.iter().any(|let_go| **let_go > moment)
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let now = self.holds.moment.get() + 1;
        self.holds.moment.set(now);
        for let_go in &mut self.guards {
            **let_go = now;
        }
    }
}
