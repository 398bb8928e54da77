//! The clock as a value: what "now" is, how to wait, and the next id.
//!
//! Everything that asks for the time, waits or needs a new id is handed a [`Clock`] (or its [`Ids`]), so that a run can be
//! repeated and a test that waits fifteen minutes ends at once.
//!
//! A *simulated* clock stands still until nothing else can go on; then it moves to the earliest instant that a sleeper
//! waits for. "Nothing else can go on" can't be proven while sockets and threads are in play, so the rule is:
//!
//! - a request under way is announced ([`Clock::under_way`]), and no time passes meanwhile. A service that shares the clock
//!   and takes its time over a request says so ([`Clock::sleep_serving`]), and then it is that sleeper who counts;
//! - all else must have come to rest: sleepers give way to their runtime again and again, and only after [`QUIET`] turns
//!   during which nobody slept, woke, sent or received does one of them let the earliest go.
//!
//! A task that is busy with something that the clock doesn't know of, on another thread, may find that time has moved.
//!
//! Invariants: nothing else in the crate calls the system clock, sleeps or makes a random id; a simulated clock never goes
//! backwards and never jumps over a sleeper; sleepers wake in order of instant, then of arrival; waits side by side cost the
//! longest of them, not their sum.

mod ids;
mod simulated;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

pub use ids::Ids;
pub use simulated::QUIET;
use simulated::Simulated;

/// A source of instants, waits and ids. Clones share one time and one stream of ids.
#[derive(Debug, Clone)]
pub struct Clock {
    time: Arc<Time>,
    ids: Ids,
}

#[derive(Debug)]
enum Time {
    System,
    Simulated(Simulated),
}

/// A request that is under way: until this is dropped, a simulated clock stands still.
#[derive(Debug)]
pub struct UnderWay(Option<Arc<Time>>);

impl Clock {
    /// The machine's clock; waits take real time, ids are random.
    pub fn system() -> Self {
        Self { time: Arc::new(Time::System), ids: Ids::random() }
    }

    /// A clock that stands at `start` and moves only when everybody waits or somebody advances it. Its ids are the same each
    /// time.
    pub fn simulated(start: Timestamp) -> Self {
        Self { time: Arc::new(Time::Simulated(Simulated::new(start))), ids: Ids::seeded(0) }
    }

    /// The same clock with other ids.
    #[must_use]
    pub fn with_ids(self, ids: Ids) -> Self {
        Self { ids, ..self }
    }

    /// Whether this clock is simulated; a real cloud must never be written to under such a clock.
    pub fn is_simulated(&self) -> bool {
        self.simulation().is_some()
    }

    /// The present instant.
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine for the time")]
    pub fn now(&self) -> Timestamp {
        match &*self.time {
            Time::System => Timestamp::now(),
            Time::Simulated(simulated) => simulated.now(),
        }
    }

    /// An id that wasn't given out before.
    pub fn new_id(&self) -> Uuid {
        self.ids.new_id()
    }

    /// Waits for `duration`.
    pub async fn sleep(&self, duration: Duration) {
        self.lie_down(duration, false).await;
    }

    /// Waits for `duration` on behalf of a request that its sender announced as under way: that request doesn't keep the
    /// time from moving meanwhile.
    pub async fn sleep_serving(&self, duration: Duration) {
        self.lie_down(duration, true).await;
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that really waits")]
    async fn lie_down(&self, duration: Duration, serving: bool) {
        match &*self.time {
            Time::System => tokio::time::sleep(duration).await,
            Time::Simulated(simulated) => simulated.sleep(duration, serving).await,
        }
    }

    /// Announces a request. No simulated time passes before the guard is dropped.
    pub fn under_way(&self) -> UnderWay {
        UnderWay(self.simulation().map(|simulated| {
            simulated.begin();
            Arc::clone(&self.time)
        }))
    }

    /// Moves a simulated clock forward, past sleepers if need be: they wake in their order, and find that it is late. The
    /// system clock takes no orders.
    pub fn advance(&self, duration: Duration) {
        if let Some(simulated) = self.simulation() {
            simulated.advance(duration);
        }
    }

    fn simulation(&self) -> Option<&Simulated> {
        match &*self.time {
            Time::System => None,
            Time::Simulated(simulated) => Some(simulated),
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if let Some(Time::Simulated(simulated)) = self.0.as_deref() {
            simulated.end();
        }
    }
}

#[cfg(test)]
mod tests;
