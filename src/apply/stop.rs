//! Stopping in between, on request.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::Notify;

use crate::clock::Clock;

/// A request to stop, shared with the handler of Ctrl-C.
#[derive(Debug, Clone, Default)]
pub struct Stop(Rc<StopState>);

#[derive(Debug, Default)]
struct StopState {
    requested: Cell<bool>,
    notify: Notify,
}

impl Stop {
    /// Asks the engine to finish the write in flight and to begin nothing new.
    pub fn request(&self) {
        self.0.requested.set(true);
        self.0.notify.notify_waiters();
    }

    pub(super) fn requested(&self) -> bool {
        self.0.requested.get()
    }

    /// Waits, unless and until asked to stop.
    pub(super) async fn or_sleep(&self, clock: &Clock, wait: Duration) {
        if self.requested() {
            return;
        }
        tokio::select! {
            () = clock.sleep(wait) => {}
            () = self.0.notify.notified() => {}
        }
    }
}
