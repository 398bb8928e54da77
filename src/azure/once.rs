//! Reads that are made once: whoever asks for the same thing shares one answer, also while it is on its way.
//!
//! Invariants: nothing is locked while a request is under way: askers of different things never wait for one another; an
//! asker that gives up takes nothing from the others, since any of them drives the read on.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::Hash;

use futures_util::FutureExt as _;
use futures_util::future::{LocalBoxFuture, Shared};

/// A read that is under way, or its answer.
pub(super) type InFlight<V> = Shared<LocalBoxFuture<'static, V>>;

/// What was asked for, by key.
pub(super) struct Once<K, V: Clone>(RefCell<HashMap<K, InFlight<V>>>);

impl<K, V: Clone> Default for Once<K, V> {
    fn default() -> Self {
        Self(RefCell::default())
    }
}

impl<K: Hash + Eq, V: Clone + 'static> Once<K, V> {
    /// The answer to the one read of `key`; `read` makes it if nobody asked before.
    pub(super) async fn get(&self, key: K, read: impl FnOnce() -> LocalBoxFuture<'static, V>) -> V {
        let read = self.0.borrow_mut().entry(key).or_insert_with(|| read().shared()).clone();
        read.await
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn askers_of_one_thing_share_its_read_and_askers_of_others_do_not_wait() {
        let (once, reads, gate) = (Once::default(), Rc::new(Cell::new(0)), Rc::new(Notify::new()));
        let slow = || -> LocalBoxFuture<'static, u8> {
            let (reads, gate) = (reads.clone(), gate.clone());
            Box::pin(async move {
                reads.set(reads.get() + 1);
                gate.notified().await;
                7
            })
        };
        let other = async {
            let answer = once.get("other", || Box::pin(async { 1 })).await;
            gate.notify_waiters();
            answer
        };
        assert_eq!(tokio::join!(once.get("slow", slow), once.get("slow", slow), other), (7, 7, 1));
        assert_eq!(once.get("slow", slow).await, 7);
        assert_eq!(reads.get(), 1);
    }

    #[tokio::test]
    async fn who_gives_up_leaves_the_read_to_the_others() {
        let (once, gate) = (Once::default(), Rc::new(Notify::new()));
        let slow = || -> LocalBoxFuture<'static, u8> {
            let gate = gate.clone();
            Box::pin(async move {
                gate.notified().await;
                7
            })
        };
        let mut first = Box::pin(once.get((), slow));
        assert!(futures_util::poll!(&mut first).is_pending());
        let second = once.get((), slow);
        drop(first);
        gate.notify_one();
        assert_eq!(second.await, 7);
    }
}
