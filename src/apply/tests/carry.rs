//! One step: what was sent, what was read back, and what becomes of it.

use std::cell::{Cell, RefCell};

use async_trait::async_trait;

use super::*;
use crate::azure::operations::{Facts, GET_MY_ROLE, PUT_ASSIGNMENT};
use crate::azure::{CallError, Failure, Reader};
use crate::plan::{Binds, ReadBack, Step, StepError};

/// A step whose write ends as it is told to, and whose read-back shows one thing after another, the last one for ever.
pub(super) struct Scripted {
    writes: Result<(), StepError>,
    shows: Vec<Result<ReadBack, CallError>>,
    only_looks: bool,
    sent: Cell<usize>,
    pub(super) read: Cell<usize>,
}

#[async_trait(?Send)]
impl Step for Scripted {
    fn title(&self) -> String {
        "give ada the role Viewer".to_owned()
    }

    fn operation(&self) -> &'static Facts {
        PUT_ASSIGNMENT.facts()
    }

    fn binds(&self) -> Binds {
        Binds::none()
    }

    fn only_looks(&self) -> bool {
        self.only_looks
    }

    async fn write(&self, _: &Writer) -> Result<(), StepError> {
        self.sent.set(self.sent.get() + 1);
        self.writes.clone()
    }

    async fn read_back(&self, _: &Reader) -> Result<ReadBack, CallError> {
        let now = self.read.get();
        self.read.set(now + 1);
        self.shows[now.min(self.shows.len() - 1)].clone()
    }
}

pub(super) fn step(writes: Result<(), StepError>, shows: Vec<Result<ReadBack, CallError>>) -> Scripted {
    Scripted { writes, shows, only_looks: false, sent: Cell::new(0), read: Cell::new(0) }
}

fn error(operation: &'static Facts, failure: Failure) -> CallError {
    CallError { operation, failure, attempts: 1, correlation: None }
}

pub(super) fn answered(status: u16) -> Failure {
    Failure::Status { status, code: None, inner: None, message: None }
}

pub(super) fn reset() -> Failure {
    Failure::NoAnswer { detail: "the connection was reset".into() }
}

pub(super) fn refused(failure: Failure) -> Result<(), StepError> {
    Err(error(PUT_ASSIGNMENT.facts(), failure).into())
}

pub(super) fn unreadable() -> Result<ReadBack, CallError> {
    Err(error(GET_MY_ROLE.facts(), answered(503)))
}

pub(super) fn not_yet() -> Result<ReadBack, CallError> {
    Ok(ReadBack::NotYet("it doesn't show".to_owned()))
}

/// Hears what happens, and asks to stop at the first wait if it is to.
#[derive(Default)]
pub(super) struct Heard {
    pub(super) started: Cell<usize>,
    pub(super) waits: RefCell<Vec<u64>>,
    pub(super) stop_at_wait: Option<Stop>,
}

impl Listener for Heard {
    fn hear(&self, event: &Event<'_>) {
        match event {
            Event::Started { .. } => self.started.set(self.started.get() + 1),
            Event::Waiting { wait, .. } => {
                self.waits.borrow_mut().push(wait.as_secs());
                if let Some(stop) = &self.stop_at_wait {
                    stop.request();
                }
            }
            Event::Ended { .. } => {}
        }
    }
}

/// Carries the step out with a minute of patience.
async fn carried(shop: &Shop, step: &Scripted, heard: &Heard, journal: &Journal) -> Outcome {
    carried_for(shop, step, heard, journal, [Duration::from_secs(60), Duration::ZERO]).await
}

/// The same with so much patience: for an effect, and for what is under way.
pub(super) async fn carried_for(
    shop: &Shop,
    step: &Scripted,
    heard: &Heard,
    journal: &Journal,
    [patience, patience_under_way]: [Duration; 2],
) -> Outcome {
    let world = World::of(vec![item("a/s/one")]);
    let plan = world.plan(&["a"], Only::default());
    let engine = Engine {
        looks: &Looking { world: world.clone(), reader: shop.writer.reader().clone() },
        writer: &shop.writer,
        clock: &shop.clock,
        patience,
        patience_under_way,
        fleet: Fleet::default(),
        stop: heard.stop_at_wait.clone().unwrap_or_default(),
        listener: heard,
        journal,
        run: "test".into(),
    };
    engine.step(&plan, plan.changes().next().unwrap(), step).await
}

async fn ends(step: &Scripted) -> (Status, String, bool) {
    let shop = Shop::new();
    let journal = Journal::open(&shop.folder.path().join("journal.jsonl")).unwrap();
    let Outcome { status, reason, wrote, .. } = carried(&shop, step, &Heard::default(), &journal).await;
    (status, reason, wrote)
}

/// Success is what was read back, whatever the answer to the write was.
#[tokio::test]
async fn what_a_write_led_to_decides_and_not_its_answer() {
    let shown = || vec![Ok(ReadBack::Shown)];
    for failure in [reset(), answered(500), answered(404), answered(409), answered(412)] {
        let (status, reason, wrote) = ends(&step(refused(failure.clone()), shown())).await;
        assert_eq!((status, wrote), (Status::Done, true), "{failure:?}: {reason}");
        assert!(reason.starts_with("read back as declared, although the write ended with: "), "{reason}");
        let (status, reason, wrote) = ends(&step(refused(failure.clone()), vec![not_yet()])).await;
        assert_eq!((status, wrote), (Status::Failed, true), "{failure:?}: {reason}");
        assert!(reason.ends_with("; it doesn't show"), "{reason}");
    }
    for failure in [answered(400), answered(403), answered(429)] {
        let refused = step(refused(failure.clone()), shown());
        let (status, reason, _) = ends(&refused).await;
        assert_eq!((status, refused.read.get()), (Status::Failed, 0), "{failure:?}: {reason}");
    }
    let but = step(Ok(()), vec![Ok(ReadBack::ShownBut("2 connections are left".into()))]);
    let expected = "read back as declared; 2 connections are left".to_owned();
    assert_eq!(ends(&but).await, (Status::Done, expected, true));
    let left = step(Ok(()), vec![Ok(ReadBack::LeftToOthers("a person approves".into()))]);
    let shop = Shop::new();
    let journal = Journal::open(&shop.folder.path().join("journal.jsonl")).unwrap();
    let left = carried(&shop, &left, &Heard::default(), &journal).await;
    assert!(left.left_to_others && left.status == Status::Waiting, "{left:?}");
}

/// A clean write whose effect can't be read isn't done; nor is a look that could not be read a failure.
#[tokio::test]
async fn what_can_not_be_read_back_is_not_done() {
    for shows in [unreadable(), Ok(ReadBack::Unread("the vault answered 503".into()))] {
        let (status, reason, wrote) = ends(&step(Ok(()), vec![shows.clone()])).await;
        assert_eq!((status, wrote), (Status::Failed, true), "{reason}");
        assert!(reason.starts_with("the service took it, but whether it took effect could not be read: "), "{reason}");
        let only_looks = Scripted { only_looks: true, ..step(Ok(()), vec![shows]) };
        let shop = Shop::new();
        let journal = Journal::open(&shop.folder.path().join("journal.jsonl")).unwrap();
        let looked = carried(&shop, &only_looks, &Heard::default(), &journal).await;
        assert!(looked.unread && !looked.wrote && looked.status == Status::NotStarted, "{looked:?}");
    }
    // A look that succeeded wrote nothing either, and what could not be read before a write was followed by none.
    let looks = Scripted { only_looks: true, ..step(Ok(()), vec![Ok(ReadBack::Shown)]) };
    assert_eq!(ends(&looks).await, (Status::Done, "read back as declared".to_owned(), false));
    let blind = step(Err(error(GET_MY_ROLE.facts(), reset()).into()), vec![Ok(ReadBack::Shown)]);
    let (status, reason, wrote) = ends(&blind).await;
    assert_eq!((status, wrote, blind.read.get()), (Status::NotStarted, false, 0), "{reason}");
    assert!(reason.starts_with("not sent: "), "{reason}");
}

/// The waits grow up to a quarter of a minute, and end with the patience; a refusal isn't waited for at all.
#[tokio::test]
async fn an_effect_is_waited_for_as_long_as_there_is_patience() {
    let shop = Shop::new();
    let journal = Journal::open(&shop.folder.path().join("journal.jsonl")).unwrap();
    let (late, heard) = (step(Ok(()), vec![not_yet()]), Heard::default());
    let outcome = carried(&shop, &late, &heard, &journal).await;
    assert_eq!((outcome.status, outcome.wrote), (Status::Waiting, true));
    assert_eq!(outcome.reason, "the service took it, but it doesn't show after 1 min");
    assert_eq!(heard.started.get(), 1);
    assert_eq!(*heard.waits.borrow(), [1, 2, 4, 8, 15, 15, 15]);
    let (shop, heard) = (Shop::new(), Heard::default());
    let outcome = carried_for(&shop, &late, &heard, &journal, [Duration::from_secs(15), Duration::ZERO]).await;
    assert_eq!(outcome.reason, "the service took it, but it doesn't show after 15 s");
    assert_eq!(*heard.waits.borrow(), [1, 2, 4, 8], "no wait after the very end of the patience");
    let heard = Heard::default();
    let outcome = carried_for(&shop, &late, &heard, &journal, [Duration::ZERO; 2]).await;
    assert_eq!(
        (outcome.reason.as_str(), heard.waits.borrow().len()),
        ("the service took it, but it doesn't show after 0 s", 0)
    );
    let (conflict, heard) = (step(refused(answered(409)), vec![not_yet(), Ok(ReadBack::Shown)]), Heard::default());
    let outcome = carried(&shop, &conflict, &heard, &journal).await;
    assert_eq!((outcome.status, conflict.read.get()), (Status::Failed, 1), "a final word");
    let (lost, heard) = (step(refused(reset()), vec![unreadable(), not_yet(), Ok(ReadBack::Shown)]), Heard::default());
    let outcome = carried(&shop, &lost, &heard, &journal).await;
    assert_eq!((outcome.status, lost.read.get()), (Status::Done, 3), "{}", outcome.reason);
}

#[tokio::test]
async fn an_interrupt_ends_the_waiting_and_says_so() {
    for (shows, status, told) in [
        (not_yet(), Status::Waiting, "it doesn't show when the run was interrupted"),
        (unreadable(), Status::Failed, "could not be read"),
    ] {
        let shop = Shop::new();
        let journal = Journal::open(&shop.folder.path().join("journal.jsonl")).unwrap();
        let heard = Heard { stop_at_wait: Some(Stop::default()), ..Heard::default() };
        let late = step(Ok(()), vec![shows]);
        let outcome = carried(&shop, &late, &heard, &journal).await;
        assert_eq!((outcome.status, heard.waits.borrow().len(), late.read.get()), (status, 1, 2), "{}", outcome.reason);
        assert!(outcome.reason.contains(told), "{}", outcome.reason);
    }
}

/// What can't be recorded isn't done.
#[tokio::test]
async fn nothing_is_sent_that_the_journal_does_not_take() {
    let shop = Shop::new();
    let unsent = step(Ok(()), vec![Ok(ReadBack::Shown)]);
    let outcome = carried(&shop, &unsent, &Heard::default(), &Journal::closed()).await;
    assert_eq!((outcome.status, outcome.wrote, unsent.sent.get()), (Status::Failed, false, 0), "{outcome:?}");
}
