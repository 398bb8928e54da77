//! An emulator that lives in the test's own process: its requests can be counted and held.
//!
//! A [`Hold`] catches one call, so that a test can arrange an order of events between processes without sleeping.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use futures_util::future::BoxFuture;
use palisade::clock::Clock;
use palisade::emulator::{Emulator, Observer, Options, Seen, SeenRequest, Store, World, parse_rules, start};
use tokio::sync::oneshot;

use crate::support::NOW;

/// Fails a test that would otherwise hang; nothing waits for it to pass.
const HANGS: Duration = Duration::from_secs(60);

/// Before or after a call took effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    Before,
    After,
}

struct Trap {
    moment: Moment,
    method: &'static str,
    path: String,
    arrived: Sender<()>,
    released: oneshot::Receiver<()>,
}

#[derive(Default)]
struct Traps(Mutex<Vec<Trap>>);

impl Traps {
    fn caught(&self, moment: Moment, request: &SeenRequest) -> Option<Trap> {
        let mut traps = self.0.lock().unwrap();
        let fits =
            |trap: &Trap| trap.moment == moment && trap.method == request.method && request.path.ends_with(&trap.path);
        let index = traps.iter().position(fits)?;
        Some(traps.remove(index))
    }

    async fn pass(&self, moment: Moment, request: &SeenRequest) {
        if let Some(trap) = self.caught(moment, request) {
            let _ = trap.arrived.send(());
            // A test that ended has nothing more to hold.
            let _ = trap.released.await;
        }
    }
}

impl Observer for Traps {
    fn before<'a>(&'a self, request: &'a SeenRequest) -> BoxFuture<'a, ()> {
        Box::pin(self.pass(Moment::Before, request))
    }

    fn after<'a>(&'a self, request: &'a SeenRequest, _: u16) -> BoxFuture<'a, ()> {
        Box::pin(self.pass(Moment::After, request))
    }
}

/// One call that will be, or is, held.
pub(crate) struct Hold {
    arrived: Receiver<()>,
    release: oneshot::Sender<()>,
}

impl Hold {
    /// Waits until the call is here.
    #[track_caller]
    pub(crate) fn arrived(&self) {
        self.arrived.recv_timeout(HANGS).expect("the call never came");
    }

    /// Lets it go on.
    pub(crate) fn release(self) {
        let _ = self.release.send(());
    }
}

/// A running emulator.
pub(crate) struct Live {
    emulator: Arc<Emulator>,
    traps: Arc<Traps>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Live {
    pub(crate) fn serving(world: World) -> Self {
        Self::faulty(world, "[]")
    }

    /// Serves a world in which things go wrong.
    pub(crate) fn faulty(world: World, rules: &str) -> Self {
        let traps = Arc::new(Traps::default());
        let options = Options {
            http: ([127, 0, 0, 1], 0).into(),
            https: None,
            certificate: None,
            world: Store::memory(world),
            faults: parse_rules(rules).unwrap(),
            clock: Clock::simulated(NOW.parse().unwrap()),
            observer: Some(traps.clone()),
        };
        let (ready, started) = channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                ready.send(Arc::new(start(options).await.unwrap())).unwrap();
                let _ = stopped.await;
            });
        });
        Self { emulator: started.recv().unwrap(), traps, stop: Some(stop), thread: Some(thread) }
    }

    /// The argument that leads palisade here.
    pub(crate) fn argument(&self) -> String {
        format!("--emulator={}", self.emulator.http().as_str().trim_end_matches('/'))
    }

    /// Holds the next call of this method to a path with this end.
    pub(crate) fn hold(&self, moment: Moment, method: &'static str, path_end: &str) -> Hold {
        let (arrived_sender, arrived) = channel();
        let (release, released) = oneshot::channel();
        let trap = Trap { moment, method, path: path_end.to_owned(), arrived: arrived_sender, released };
        self.traps.0.lock().unwrap().push(trap);
        Hold { arrived, release }
    }

    pub(crate) fn world(&self) -> World {
        self.emulator.world()
    }

    pub(crate) fn requests(&self) -> Vec<Seen> {
        self.emulator.requests()
    }

    /// The writes so far, as `METHOD path`. Tokens and Graph's two look-ups are POSTs that write nothing.
    pub(crate) fn writes(&self) -> Vec<String> {
        let looks = |seen: &Seen| {
            let posts = ["/oauth2/v2.0/token", "/v1.0/$batch", "/v1.0/directoryObjects/getByIds"];
            seen.method == "GET" || seen.method == "POST" && posts.iter().any(|end| seen.path.ends_with(end))
        };
        let requests = self.requests();
        requests.iter().filter(|seen| !looks(seen)).map(|seen| format!("{} {}", seen.method, seen.path)).collect()
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        // The thread ends with its runtime, and every call that is still held with it.
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
