//! An emulator that lives in the test's own process: its requests can be counted and held.
//!
//! A [`Hold`] catches one call, so that a test can arrange an order of events between processes without sleeping. A watch
//! looks at the world after each call that took effect.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use futures_util::future::BoxFuture;
use palisade::clock::{Clock, Ids};
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

/// Which call is caught.
enum Bait {
    /// The next of this method to a path with this end.
    Call(&'static str, String),
    /// The one that comes after so many others, whatever it is.
    Nth(usize),
}

struct Trap {
    moment: Moment,
    bait: Bait,
    arrived: Sender<()>,
    released: oneshot::Receiver<()>,
}

/// Looks at the world after a call.
type Watch = Box<dyn Fn(&SeenRequest, &World) + Send>;

#[derive(Default)]
struct Traps {
    set: Mutex<Vec<Trap>>,
    watch: Mutex<Option<Watch>>,
    /// Weak, or the emulator would hold itself.
    emulator: OnceLock<Weak<Emulator>>,
}

impl Traps {
    fn caught(&self, moment: Moment, request: &SeenRequest) -> Option<Trap> {
        let mut traps = self.set.lock().unwrap();
        let mut caught = None;
        for (index, trap) in traps.iter_mut().enumerate().filter(|(_, trap)| trap.moment == moment) {
            let fits = match &mut trap.bait {
                Bait::Call(method, path) => *method == request.method && request.path.ends_with(path.as_str()),
                Bait::Nth(0) => true,
                Bait::Nth(others) => {
                    *others -= 1;
                    false
                }
            };
            if fits && caught.is_none() {
                caught = Some(index);
            }
        }
        caught.map(|index| traps.remove(index))
    }

    fn look(&self, request: &SeenRequest) {
        let watch = self.watch.lock().unwrap();
        if let Some(watch) = watch.as_ref()
            && let Some(emulator) = self.emulator.get().and_then(Weak::upgrade)
        {
            watch(request, &emulator.world());
        }
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
        self.look(request);
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
        Self::start(world, rules, Clock::simulated(NOW.parse().unwrap()))
    }

    /// Serves a world by a clock of the test's own.
    pub(crate) fn start(world: World, rules: &str, clock: Clock) -> Self {
        let traps = Arc::new(Traps::default());
        let options = Options {
            http: ([127, 0, 0, 1], 0).into(),
            https: None,
            certificate: None,
            world: Store::memory(world),
            faults: parse_rules(rules).unwrap(),
            clock,
            ids: Ids::random(),
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
        let emulator: Arc<Emulator> = started.recv().unwrap();
        let _ = traps.emulator.set(Arc::downgrade(&emulator));
        Self { emulator, traps, stop: Some(stop), thread: Some(thread) }
    }

    /// The argument that leads palisade here.
    pub(crate) fn argument(&self) -> String {
        format!("--emulator={}", self.origin())
    }

    /// Where it listens, without a slash at the end.
    pub(crate) fn origin(&self) -> String {
        self.emulator.http().as_str().trim_end_matches('/').to_owned()
    }

    /// Holds the next call of this method to a path with this end.
    pub(crate) fn hold(&self, moment: Moment, method: &'static str, path_end: &str) -> Hold {
        self.set(moment, Bait::Call(method, path_end.to_owned()))
    }

    /// Holds the call that comes after so many others, whatever it is.
    pub(crate) fn hold_nth(&self, moment: Moment, others: usize) -> Hold {
        self.set(moment, Bait::Nth(others))
    }

    fn set(&self, moment: Moment, bait: Bait) -> Hold {
        let (arrived_sender, arrived) = channel();
        let (release, released) = oneshot::channel();
        self.traps.set.lock().unwrap().push(Trap { moment, bait, arrived: arrived_sender, released });
        Hold { arrived, release }
    }

    /// From now on, has the world looked at after each call that took effect.
    pub(crate) fn watch(&self, watch: impl Fn(&SeenRequest, &World) + Send + 'static) {
        *self.traps.watch.lock().unwrap() = Some(Box::new(watch));
    }

    pub(crate) fn world(&self) -> World {
        self.emulator.world()
    }

    pub(crate) fn requests(&self) -> Vec<Seen> {
        self.emulator.requests()
    }

    /// The writes so far, as `METHOD path`.
    pub(crate) fn writes(&self) -> Vec<String> {
        let requests = self.requests();
        requests.iter().filter(|seen| is_write(seen)).map(|seen| format!("{} {}", seen.method, seen.path)).collect()
    }
}

/// Tokens, Graph's two look-ups and the list of keys are POSTs that write nothing.
pub(crate) fn is_write(seen: &Seen) -> bool {
    let looks =
        ["/oauth2/v2.0/token", "/v1.0/$batch", "/v1.0/directoryObjects/getByIds", "/apisubscription/listsecrets"];
    seen.method != "GET" && !(seen.method == "POST" && looks.iter().any(|end| seen.path.ends_with(end)))
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
