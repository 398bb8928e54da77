use std::cell::RefCell;
use std::collections::BTreeSet;

use futures_util::future::{join, join_all};
use jiff::SignedDuration;
use proptest::prelude::*;

use super::*;

fn start() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

fn seconds(clock: &Clock) -> i64 {
    clock.now().duration_since(start()).as_secs()
}

/// Waits again and again, and writes down who woke when.
async fn sleeper(clock: &Clock, who: usize, waits: &[u64], log: &RefCell<Vec<(usize, i64)>>) {
    for wait in waits {
        clock.sleep(Duration::from_secs(*wait)).await;
        log.borrow_mut().push((who, seconds(clock)));
    }
}

#[tokio::test]
async fn a_simulated_wait_moves_the_time_and_all_clones_see_it() {
    let clock = Clock::simulated(start());
    let other = clock.clone();
    clock.sleep(Duration::from_secs(900)).await;
    assert_eq!(other.now(), start() + SignedDuration::from_secs(900));
}

#[tokio::test]
async fn waits_side_by_side_cost_the_longest_and_interleave() {
    let (clock, log) = (Clock::simulated(start()), RefCell::default());
    join(sleeper(&clock, 0, &[10], &log), sleeper(&clock, 1, &[4, 4, 4], &log)).await;
    assert_eq!(log.into_inner(), [(1, 4), (1, 8), (0, 10), (1, 12)]);
}

/// What real time would do: the earliest first; of two at one instant, the one that lay down first.
fn model(tasks: &[Vec<u64>]) -> Vec<(usize, i64)> {
    let mut queue: BTreeSet<(i64, usize, usize, usize)> = BTreeSet::new();
    let (mut arrivals, mut log) = (0, Vec::new());
    let mut lie_down = |queue: &mut BTreeSet<_>, now: i64, who: usize, next: usize| {
        if let Some(wait) = tasks[who].get(next) {
            arrivals += 1;
            queue.insert((now + i64::try_from(*wait).unwrap(), arrivals, who, next));
        }
    };
    for who in 0..tasks.len() {
        lie_down(&mut queue, 0, who, 0);
    }
    while let Some((now, _, who, next)) = queue.pop_first() {
        log.push((who, now));
        lie_down(&mut queue, now, who, next + 1);
    }
    log
}

/// Runs it on one thread; the sleepers in one task, or each in its own.
fn run(tasks: &[Vec<u64>], spawned: bool) -> (Vec<(usize, i64)>, i64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let clock = Clock::simulated(start());
    let local = tokio::task::LocalSet::new();
    let log = std::rc::Rc::new(RefCell::new(Vec::new()));
    let sleepers = tasks.iter().cloned().enumerate().map(|(who, waits)| {
        let (clock, log) = (clock.clone(), log.clone());
        async move { sleeper(&clock, who, &waits, &log).await }
    });
    local.block_on(&runtime, async {
        if spawned {
            join_all(sleepers.map(tokio::task::spawn_local)).await;
        } else {
            join_all(sleepers).await;
        }
    });
    (log.take(), seconds(&clock))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sleepers_wake_as_in_real_time(
        tasks in proptest::collection::vec(proptest::collection::vec(0u64..6, 0..5), 1..8),
        spawned in any::<bool>(),
    ) {
        let (woken, end) = run(&tasks, spawned);
        prop_assert_eq!(&woken, &model(&tasks));
        let longest = tasks.iter().map(|waits| waits.iter().sum::<u64>()).max().unwrap_or_default();
        prop_assert_eq!(end, i64::try_from(longest).unwrap());
    }
}

#[tokio::test]
async fn advancing_wakes_whom_it_passes_in_their_order() {
    let (clock, log) = (Clock::simulated(start()), RefCell::default());
    // A request under way keeps the time where it is, so that it is the advance that wakes.
    let request = clock.under_way();
    let advance = async {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert_eq!(seconds(&clock), 0);
        clock.advance(Duration::from_secs(20));
    };
    let waits =
        join_all([sleeper(&clock, 0, &[7], &log), sleeper(&clock, 1, &[5], &log), sleeper(&clock, 2, &[7], &log)]);
    join(waits, advance).await;
    drop(request);
    assert_eq!(log.into_inner(), [(1, 20), (0, 20), (2, 20)]);
}

#[tokio::test]
async fn no_time_passes_while_a_request_is_under_way_unless_its_server_sleeps() {
    let clock = Clock::simulated(start());
    let answered = async {
        let request = clock.under_way();
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
        let turns = seconds(&clock);
        clock.sleep_serving(Duration::from_secs(3)).await;
        let served = seconds(&clock);
        drop(request);
        (turns, served)
    };
    let (slept, answered) = join(
        async {
            clock.sleep(Duration::from_secs(1)).await;
            seconds(&clock)
        },
        answered,
    )
    .await;
    assert_eq!((slept, answered), (1, (0, 3)));
}

#[tokio::test]
async fn a_sleeper_that_nobody_looks_at_holds_nobody_up() {
    let clock = Clock::simulated(start());
    let mut forgotten = Box::pin(clock.sleep(Duration::from_secs(5)));
    assert!(futures_util::poll!(&mut forgotten).is_pending());
    clock.sleep(Duration::from_secs(10)).await;
    assert_eq!(seconds(&clock), 10);
    forgotten.await;
    assert_eq!(seconds(&clock), 10);
}

#[tokio::test]
async fn a_sleeper_that_leaves_is_not_waited_for() {
    let clock = Clock::simulated(start());
    let mut left = Box::pin(clock.sleep(Duration::from_secs(5)));
    assert!(futures_util::poll!(&mut left).is_pending());
    drop(left);
    clock.sleep(Duration::from_secs(1)).await;
    assert_eq!(seconds(&clock), 1);
}

/// As with an emulator on another thread: the client waits for an answer, another of its tasks sleeps.
#[tokio::test]
async fn sleepers_on_two_threads_share_one_time() {
    let clock = Clock::simulated(start());
    let request = clock.under_way();
    let mut sleep = Box::pin(clock.sleep(Duration::from_secs(10)));
    assert!(futures_util::poll!(&mut sleep).is_pending());
    let thread = clock.clone();
    let served = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(thread.sleep_serving(Duration::from_secs(30)));
        drop(request);
        thread.now()
    });
    sleep.await;
    // Most likely 10; but how soon a woken thread runs is the machine's affair.
    assert!((10..=30).contains(&seconds(&clock)));
    assert_eq!(served.join().unwrap(), start() + SignedDuration::from_secs(30));
}

#[test]
fn seeded_ids_repeat_and_clones_share_the_stream() {
    let (ids, again) = (Ids::seeded(7), Ids::seeded(7));
    let clone = ids.clone();
    let given: Vec<_> = [&ids, &clone, &ids].iter().map(|ids| ids.new_id()).collect();
    assert_eq!(given, [again.new_id(), again.new_id(), again.new_id()]);
    assert_eq!(given.iter().collect::<BTreeSet<_>>().len(), 3);
    assert_ne!(Ids::seeded(8).new_id(), given[0]);
    assert!(given.iter().all(|id| id.get_version_num() == 4));
    assert_ne!(Ids::random().new_id(), Ids::random().new_id());
    assert_eq!(Clock::simulated(start()).new_id(), Clock::simulated(start()).new_id());
}
