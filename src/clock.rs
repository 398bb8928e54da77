//! The clock as a value: what "now" is, and how to wait.
//!
//! Everything that asks for the time or waits is handed a [`Clock`], so that a run can be repeated byte for byte and a
//! test that waits fifteen minutes ends at once. What must stay true: nothing else in the crate calls the system clock
//! or sleeps, and a simulated clock never goes backwards.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// A source of instants and waits. Clones share one time.
#[derive(Debug, Clone)]
pub struct Clock(Arc<Source>);

#[derive(Debug)]
enum Source {
    System,
    Simulated(Mutex<Timestamp>),
}

impl Clock {
    /// The machine's clock; waits take real time.
    pub fn system() -> Self {
        Self(Arc::new(Source::System))
    }

    /// A clock that stands at `start` and moves only when somebody waits on it or advances it.
    pub fn simulated(start: Timestamp) -> Self {
        Self(Arc::new(Source::Simulated(Mutex::new(start))))
    }

    /// Whether this clock is simulated; a real cloud must never be written to under such a clock.
    pub fn is_simulated(&self) -> bool {
        matches!(*self.0, Source::Simulated(_))
    }

    /// The present instant.
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine for the time")]
    pub fn now(&self) -> Timestamp {
        match &*self.0 {
            Source::System => Timestamp::now(),
            Source::Simulated(now) => *now.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Waits for `duration`: really on the system clock, by moving the time on a simulated one.
    pub async fn sleep(&self, duration: Duration) {
        match &*self.0 {
            Source::System => tokio::time::sleep(duration).await,
            Source::Simulated(_) => {
                self.advance(duration);
                tokio::task::yield_now().await;
            }
        }
    }

    /// Moves a simulated clock forward; the system clock takes no orders.
    pub fn advance(&self, duration: Duration) {
        if let Source::Simulated(now) = &*self.0 {
            let mut now = now.lock().unwrap_or_else(PoisonError::into_inner);
            let step = SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
            *now = now.saturating_add(step).unwrap_or(Timestamp::MAX);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_simulated_wait_moves_the_time_and_all_clones_see_it() {
        let start: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let clock = Clock::simulated(start);
        let other = clock.clone();
        clock.sleep(Duration::from_secs(900)).await;
        assert_eq!(other.now(), start + SignedDuration::from_secs(900));
    }
}
