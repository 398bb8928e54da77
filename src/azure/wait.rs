//! Waiting until something shows: look, pause, look again.
//!
//! Invariants: there is one look at least; the waits between looks are no longer than the patience given; a wait that a
//! service asked for is honoured in full or ends the waiting; whoever waits can be stopped.

use std::ops::ControlFlow;
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::Clock;

/// Somebody who can wait.
pub trait Waits {
    /// The present instant.
    fn now(&self) -> Timestamp;

    /// Waits; breaks if it is to wait no longer.
    fn pause(&self, wait: Duration) -> impl Future<Output = ControlFlow<()>>;
}

impl Waits for Clock {
    fn now(&self) -> Timestamp {
        self.now()
    }

    async fn pause(&self, wait: Duration) -> ControlFlow<()> {
        self.sleep(wait).await;
        ControlFlow::Continue(())
    }
}

/// What a look showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen<T, W> {
    /// What was waited for, or that it will never come.
    Shown(T),
    /// Not yet, and why.
    NotYet(W, Pause),
}

/// How long to wait for the next look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pause {
    /// As long as the service asked for. It is never asked sooner.
    Asked(Duration),
    /// As long as seems right; less if less patience is left.
    Chosen(Duration),
}

/// How waiting ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waited<T, W> {
    /// It showed.
    Shown(T),
    /// Patience ran out; what the last look said.
    Late(W),
    /// It was to wait no longer; what the last look said.
    Stopped(W),
}

/// Looks until it shows, for as long as `patience` lasts. An error ends it.
pub async fn wait_until<T, W, E>(
    waits: &impl Waits,
    patience: Duration,
    mut look: impl AsyncFnMut() -> Result<Seen<T, W>, E>,
) -> Result<Waited<T, W>, E> {
    let began = waits.now();
    loop {
        let (why, pause) = match look().await? {
            Seen::Shown(shown) => return Ok(Waited::Shown(shown)),
            Seen::NotYet(why, pause) => (why, pause),
        };
        let spent = Duration::try_from(waits.now().duration_since(began)).unwrap_or_default();
        let left = patience.saturating_sub(spent);
        let wait = match pause {
            Pause::Asked(wait) if wait > left => return Ok(Waited::Late(why)),
            Pause::Chosen(_) if left.is_zero() => return Ok(Waited::Late(why)),
            Pause::Asked(wait) => wait,
            Pause::Chosen(wait) => wait.min(left),
        };
        if waits.pause(wait).await.is_break() {
            return Ok(Waited::Stopped(why));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Looks until `shows`, `pause` apart; tells how it ended, after how many looks and how long.
    async fn waited(shows: u32, pause: Pause, patience: u64) -> (Waited<u32, u32>, u32, i64) {
        let start: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let clock = Clock::simulated(start);
        let mut looks = 0;
        let ended = wait_until(&clock, seconds(patience), async || {
            looks += 1;
            Ok::<_, ()>(if looks == shows { Seen::Shown(looks) } else { Seen::NotYet(looks, pause) })
        });
        let ended = ended.await.unwrap();
        (ended, looks, clock.now().duration_since(start).as_secs())
    }

    #[tokio::test]
    async fn patience_is_used_up_and_no_more() {
        use Pause::{Asked, Chosen};
        use Waited::{Late, Shown};
        assert_eq!(waited(1, Chosen(seconds(4)), 0).await, (Shown(1), 1, 0));
        assert_eq!(waited(9, Chosen(seconds(4)), 0).await, (Late(1), 1, 0));
        assert_eq!(waited(3, Chosen(seconds(4)), 10).await, (Shown(3), 3, 8));
        assert_eq!(waited(9, Chosen(seconds(4)), 10).await, (Late(4), 4, 10));
        assert_eq!(waited(9, Asked(seconds(4)), 10).await, (Late(3), 3, 8));
        assert_eq!(waited(9, Asked(seconds(5)), 10).await, (Late(3), 3, 10));
    }

    /// Is stopped in its second pause.
    struct Impatient(Clock, Cell<u32>);

    impl Waits for Impatient {
        fn now(&self) -> Timestamp {
            self.0.now()
        }

        async fn pause(&self, wait: Duration) -> ControlFlow<()> {
            self.1.set(self.1.get() + 1);
            if self.1.get() == 2 {
                return ControlFlow::Break(());
            }
            self.0.pause(wait).await
        }
    }

    #[tokio::test]
    async fn whoever_waits_can_be_stopped_and_an_error_ends_it() {
        let clock = Clock::simulated("2026-11-20T12:00:00Z".parse().unwrap());
        let who = Impatient(clock, Cell::default());
        let mut looks = 0;
        let ended = wait_until(&who, seconds(60), async || {
            looks += 1;
            Ok::<Seen<(), _>, ()>(Seen::NotYet(looks, Pause::Chosen(seconds(1))))
        });
        assert_eq!(ended.await, Ok(Waited::Stopped(2)));
        let ended = wait_until(&who, seconds(60), async || Err::<Seen<(), ()>, _>("broken")).await;
        assert_eq!(ended, Err("broken"));
    }
}
