//! Simulated time: a queue of sleepers, and the rule by which it moves.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// So many turns of the runtime without a sign of life mean that nothing else can go on. A turn lets everything run that is
/// ready, and looks for what came in from outside; one would do if tasks never handed work to each other.
pub const QUIET: u32 = 32;

/// The same while somebody was let go and hasn't noticed: it may be on another thread, or have been forgotten for good.
const UNNOTICED: u32 = 4096;

/// A sleeper's place: its instant, then its arrival.
type Place = (Timestamp, u64);

#[derive(Debug)]
pub(super) struct Simulated(Mutex<State>);

#[derive(Debug)]
struct State {
    now: Timestamp,
    sleepers: BTreeMap<Place, Option<Waker>>,
    arrivals: u64,
    /// Requests under way.
    requests: u64,
    /// Sleepers that serve one of them.
    serving: u64,
    /// Sleepers that were let go and haven't noticed.
    unnoticed: u64,
    /// Counts signs of life.
    signs: u64,
}

impl State {
    /// Whether the first sleeper may go: it is due, or no request keeps the time from moving.
    fn may_move(&self) -> bool {
        let due = self.sleepers.first_key_value().is_some_and(|((instant, _), _)| *instant <= self.now);
        due || self.requests <= self.serving
    }

    /// Takes note of a sign of life; who waits for one looks again.
    fn stir(&mut self) -> Vec<Waker> {
        self.signs += 1;
        self.sleepers.values_mut().filter_map(Option::take).collect()
    }

    /// Lets the first sleeper go, and moves the time if it isn't due yet.
    fn release_first(&mut self) -> Vec<Waker> {
        if let Some(((instant, _), waker)) = self.sleepers.pop_first() {
            self.now = self.now.max(instant);
            self.unnoticed += 1;
            let mut woken: Vec<Waker> = waker.into_iter().collect();
            woken.append(&mut self.stir());
            return woken;
        }
        Vec::new()
    }
}

/// What a sleeper finds when it looks.
enum Found {
    /// It was let go.
    Released,
    /// A request is under way.
    Held,
    /// The number of signs so far.
    Signs(u64),
}

impl Simulated {
    pub(super) fn new(now: Timestamp) -> Self {
        let sleepers = BTreeMap::new();
        Self(Mutex::new(State { now, sleepers, arrivals: 0, requests: 0, serving: 0, unnoticed: 0, signs: 0 }))
    }

    pub(super) fn now(&self) -> Timestamp {
        self.state().now
    }

    pub(super) fn advance(&self, duration: Duration) {
        self.change(|state| {
            state.now = later(state.now, duration);
            state.stir()
        });
    }

    pub(super) fn begin(&self) {
        self.change(|state| {
            state.requests += 1;
            state.stir()
        });
    }

    pub(super) fn end(&self) {
        self.change(|state| {
            state.requests = state.requests.saturating_sub(1);
            state.stir()
        });
    }

    pub(super) async fn sleep(&self, duration: Duration, serving: bool) {
        let sleeper = Sleeper::lie_down(self, duration, serving);
        let mut quiet = 0;
        let mut signs = None;
        loop {
            // Whoever sleeps lets the earliest go, not only the earliest itself: a task that isn't looked at right now can't.
            match sleeper.look().await {
                Found::Released => return,
                Found::Held => continue,
                Found::Signs(seen) if signs == Some(seen) => quiet += 1,
                Found::Signs(seen) => (signs, quiet) = (Some(seen), 0),
            }
            let unnoticed = self.state().unnoticed > 0;
            if quiet < if unnoticed { UNNOTICED } else { QUIET } {
                if unnoticed {
                    std::thread::yield_now();
                }
                tokio::task::yield_now().await;
            } else {
                self.change(|state| match signs {
                    Some(seen) if seen == state.signs && state.may_move() => state.release_first(),
                    _ => Vec::new(),
                });
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakers run outside of the lock: one may poll on the spot.
    fn change(&self, change: impl FnOnce(&mut State) -> Vec<Waker>) {
        let woken = change(&mut self.state());
        woken.into_iter().for_each(Waker::wake);
    }
}

/// A place in the queue, given up when dropped.
struct Sleeper<'a> {
    simulated: &'a Simulated,
    place: Place,
    serving: bool,
}

impl<'a> Sleeper<'a> {
    fn lie_down(simulated: &'a Simulated, duration: Duration, serving: bool) -> Self {
        let mut place = (Timestamp::MAX, 0);
        simulated.change(|state| {
            state.arrivals += 1;
            place = (later(state.now, duration), state.arrivals);
            state.sleepers.insert(place, None);
            state.serving += u64::from(serving);
            state.stir()
        });
        Self { simulated, place, serving }
    }

    /// Waits while a request is under way, for a sign of life.
    async fn look(&self) -> Found {
        let mut waited = false;
        poll_fn(|context| {
            let mut state = self.simulated.state();
            let may_move = state.may_move();
            let signs = state.signs;
            match state.sleepers.get_mut(&self.place) {
                None => Poll::Ready(Found::Released),
                Some(_) if may_move => Poll::Ready(Found::Signs(signs)),
                Some(_) if waited => Poll::Ready(Found::Held),
                Some(waker) => {
                    waited = true;
                    *waker = Some(context.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }
}

impl Drop for Sleeper<'_> {
    fn drop(&mut self) {
        self.simulated.change(|state| {
            if state.sleepers.remove(&self.place).is_none() {
                state.unnoticed = state.unnoticed.saturating_sub(1);
            }
            state.serving = state.serving.saturating_sub(u64::from(self.serving));
            state.stir()
        });
    }
}

fn later(now: Timestamp, duration: Duration) -> Timestamp {
    let step = SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
    now.saturating_add(step).unwrap_or(Timestamp::MAX)
}
