//! What takes days is submitted, left at once or waited for, and adopted by the next run from what it observes.

use super::carry::{Heard, Scripted, answered, carried_for, not_yet, refused, reset, step, unreadable};
use super::*;
use crate::azure::CallError;
use crate::plan::{Action, ReadBack, StepError, Verdict};

const MINUTE: Duration = Duration::from_secs(60);

/// How a step ends whose effect is waited for for a minute and whose operation is waited for for an hour, after how many seconds.
async fn ends(step: &Scripted, heard: &Heard) -> (Outcome, i64) {
    let shop = Shop::new();
    let journal = Journal::open(&shop.folder.path().join("journal.jsonl")).unwrap();
    let outcome = carried_for(&shop, step, heard, &journal, [MINUTE, 60 * MINUTE]).await;
    (outcome, shop.clock.now().duration_since(now()).as_secs())
}

fn under_way() -> Result<ReadBack, CallError> {
    Ok(ReadBack::UnderWay { since: Some(now()), detail: "it is being made".to_owned() })
}

/// What shows in turn: so many times that it is under way, and then this for ever.
fn shows(times: usize, last: Result<ReadBack, CallError>) -> Vec<Result<ReadBack, CallError>> {
    (0..times).map(|_| under_way()).chain([last]).collect()
}

#[tokio::test]
async fn what_is_under_way_is_waited_for_where_the_run_has_the_patience() {
    for writes in [Ok(()), refused(reset()), refused(answered(409))] {
        let writes = || -> Result<(), StepError> { writes.clone() };
        let (heard, shown) = (Heard::default(), step(writes(), shows(9, Ok(ReadBack::Shown))));
        let (outcome, seconds) = ends(&shown, &heard).await;
        assert_eq!((outcome.status, outcome.reason.as_str()), (Status::Done, "read back as declared"));
        assert_eq!((shown.read.get(), seconds), (10, 1 + 2 + 4 + 8 + 16 + 32 + 60 * 3));
        assert_eq!(*heard.waits.borrow(), [1, 2, 4, 8, 16, 32, 60, 60, 60]);

        let (outcome, seconds) = ends(&step(writes(), vec![under_way()]), &Heard::default()).await;
        assert_eq!(
            (outcome.status, outcome.waiting_for, outcome.since),
            (Status::Waiting, Some(WaitingFor::Service), Some(now()))
        );
        assert_eq!(seconds, 3600, "as long as the run was told, and no longer");

        // It ended, and its effect shows late: that is waited for, too, whatever the answer to the write was.
        let late = [shows(7, not_yet()), vec![not_yet(), Ok(ReadBack::Shown)]].concat();
        assert_eq!(ends(&step(writes(), late), &Heard::default()).await.0.status, Status::Done);
        let (outcome, seconds) = ends(&step(writes(), shows(7, not_yet())), &Heard::default()).await;
        assert_eq!((outcome.status, seconds), (Status::Waiting, 3600));
        assert_eq!(outcome.reason, "the service took it, but it doesn't show after 60 min");

        let gone = step(writes(), shows(1, Ok(ReadBack::Gone("it failed".to_owned()))));
        assert_eq!(ends(&gone, &Heard::default()).await.0.status, Status::Failed);
    }
    // What was never under way has the shorter time.
    assert_eq!(ends(&step(Ok(()), vec![not_yet()]), &Heard::default()).await.1, 60);
}

/// The service accepted it: neither an interrupt nor a look that could not be read makes that a failure.
#[tokio::test]
async fn what_is_under_way_when_the_waiting_ends_is_no_failure() {
    for shows in [vec![under_way()], shows(1, unreadable())] {
        for writes in [Ok(()), refused(reset())] {
            let heard = Heard { stop_at_wait: Some(Stop::default()), ..Heard::default() };
            let interrupted = step(writes.clone(), shows.clone());
            let (outcome, seconds) = ends(&interrupted, &heard).await;
            assert_eq!((interrupted.read.get(), seconds), (2, 0), "no further wait is begun");
            assert_eq!((outcome.status, outcome.waiting_for), (Status::Waiting, Some(WaitingFor::Service)));
            let (outcome, _) = ends(&step(writes, shows.clone()), &Heard::default()).await;
            assert_eq!((outcome.status, outcome.since), (Status::Waiting, Some(now())), "{}", outcome.reason);
        }
    }
    let (outcome, _) = ends(&step(Ok(()), shows(1, unreadable())), &Heard::default()).await;
    insta::assert_snapshot!(outcome.reason, @"the service accepted it and works on it since 2026-11-20T12:00:00Z: it is being made, when it was last read; since then it could not be read: Customer Insights answered 503 to GET /instances/{instanceId}/rbac/myrole; a later run sees how it ends");
}

#[tokio::test]
async fn what_takes_long_is_left_at_once_and_adopted_by_the_next_run() {
    let world = World::of(vec![
        item("a/s/lockdown").does(Does::StartWork),
        item("a/s/on-it").after(&["a/s/lockdown"]),
        item("a/s/other"),
    ]);
    let shop = Shop::new();
    let approved = world.plan(&["a"], Only::default());
    let report = shop.apply(&world, &approved, &seen(&approved)).await;
    let (status, reason) = of(&report, "a/s/lockdown");
    assert_eq!(status, Status::Waiting);
    insta::assert_snapshot!(reason, @"the service accepted it and works on it since 2026-11-20T12:00:00Z: it is being made; a later run sees how it ends");
    assert_eq!(of(&report, "a/s/on-it"), (Status::Waiting, "it requires a/s/lockdown, which waits"));
    assert_eq!(of(&report, "a/s/other").0, Status::Done);
    let json = serde_json::to_value(&report).unwrap();
    let told = json["changes"].as_array().unwrap().iter().find(|one| one["address"] == "a/s/lockdown").unwrap();
    assert_eq!(
        (&told["for"], &told["since"], &told["wrote"]),
        (&"service".into(), &"2026-11-20T12:00:00Z".into(), &true.into())
    );
    let reads = world.log.borrow().iter().filter(|line| *line == "read a/s/lockdown").count();
    assert_eq!((reads, shop.clock.now()), (1, now()), "it isn't polled until patience ends");
    let journal = shop.journal();
    let line = journal.lines().find(|line| line.contains("lockdown") && line.contains("ended")).unwrap();
    assert!(line.contains(r#""status":"waiting""#) && line.contains("works on it since"), "{line}");

    // The next run: nothing is planned twice, and no alarm is raised.
    let fresh = world.plan(&["a"], Only::default());
    assert_eq!(fresh.changes().map(|change| change.address.as_str()).collect::<Vec<_>>(), ["a/s/on-it"]);
    assert_eq!((fresh.summary.waiting, fresh.summary.unknown, fresh.notes.len()), (1, 0, 0));
    assert_eq!(fresh.scopes[0].waiting[0].since, Some(now()));
    // Neither is the approval void, nor is anything of it repeated.
    let cleared = clear(&Approval::Saved(Box::new(approved.clone())), &fresh, now()).unwrap();
    assert_eq!((&cleared[0].verdict, cleared[0].waiting.len(), cleared[0].in_effect.len()), (&Verdict::Proceeds, 1, 1));
    let report = shop.apply(&world, &fresh, &cleared).await;
    let (status, reason) = of(&report, "a/s/lockdown");
    assert_eq!((status, reason), (Status::Waiting, "not sent: under way since 2026-11-20T12:00:00Z: it is being made"));
    assert_eq!(of(&report, "a/s/on-it").0, Status::Waiting);
    assert_eq!(world.writes(), ["a/s/lockdown", "a/s/other"], "nothing was sent again");
    // Without an approval that names it, the fresh look shows it.
    let report = shop.apply(&world, &fresh, &seen(&fresh)).await;
    assert_eq!(of(&report, "a/s/on-it"), (Status::Waiting, "it requires a/s/lockdown, which waits: it is being made"));

    world.set("a/s/lockdown", State::There);
    let fresh = world.plan(&["a"], Only::default());
    assert_eq!((fresh.summary.waiting, fresh.summary.in_sync), (0, 2));
    let cleared = clear(&Approval::Saved(Box::new(approved)), &fresh, now()).unwrap();
    let report = shop.apply(&world, &fresh, &cleared).await;
    assert_eq!((report.summary.done, report.summary.waiting), (3, 0), "{:?}", statuses(&report));
    assert_eq!(world.writes(), ["a/s/lockdown", "a/s/other", "a/s/on-it"]);
}

/// Keys that are rotated come first; those that can't, since they cut off as well, aren't begun while the service is at work.
#[tokio::test]
async fn no_key_is_rotated_or_retired_after_an_outage_that_goes_on() {
    let items = |lockdown: Item| {
        vec![
            lockdown,
            item("a/s/rotate").acting(Action::Rotate),
            item("a/t/later").acting(Action::Rotate).cutting_off(),
            item("a/t/publish").acting(Action::Publish).cutting_off(),
            item("a/t/retire").acting(Action::Retire).cutting_off(),
            item("b/t/rotate").acting(Action::Rotate).cutting_off(),
        ]
    };
    let lockdown = || item("a/s/lockdown").does(Does::StartWork);
    let world = World::of(items(lockdown().cutting_off()));
    let report = Shop::new().run(&world).await;
    assert_eq!(
        statuses(&report),
        [
            ("a/s/rotate", Status::Done),
            ("a/s/lockdown", Status::Waiting),
            ("a/t/later", Status::Waiting),
            ("a/t/publish", Status::Done),
            ("a/t/retire", Status::Waiting),
            ("b/t/rotate", Status::Done),
        ]
    );
    let later = &report.changes[2];
    assert_eq!((later.wrote, later.waiting_for), (false, Some(WaitingFor::Service)));
    assert_eq!(later.reason, "no key is rotated or retired while a/s/lockdown is under way; a later run does it");
    let writes: Vec<String> = world.writes().into_iter().filter(|write| write.starts_with("a/")).collect();
    assert_eq!(writes, ["a/s/rotate", "a/s/lockdown", "a/t/publish"]);

    // Nothing is kept from anybody by what cuts nobody off, or by what is done.
    for other in [lockdown(), item("a/s/lockdown").cutting_off()] {
        let report = Shop::new().run(&World::of(items(other))).await;
        let waits =
            |one: &&str| report.changes.iter().any(|it| it.address == address(one) && it.status == Status::Waiting);
        assert_eq!(["a/t/later", "a/t/retire"].iter().filter(|one| waits(one)).count(), 0);
    }

    // Nor does it matter which run began it.
    let world = World::of(items(lockdown().cutting_off()));
    let approved = world.plan(&["a"], Only::default());
    world.set("a/s/lockdown", State::UnderWay);
    let report = Shop::new().apply(&world, &approved, &seen(&approved)).await;
    assert_eq!((of(&report, "a/s/lockdown").0, of(&report, "a/t/later").0), (Status::Waiting, Status::Waiting));
    let fresh = world.plan(&["a"], Only::default());
    let cleared = clear(&Approval::Saved(Box::new(approved)), &fresh, now()).unwrap();
    world.set("a/s/rotate", State::Missing);
    let report = Shop::new().apply(&world, &fresh, &cleared).await;
    assert_eq!((of(&report, "a/t/later").0, of(&report, "a/t/retire").0), (Status::Waiting, Status::Waiting));
}

/// It may begin between the plan and the write, by another run.
#[tokio::test]
async fn what_another_run_began_meanwhile_is_not_sent_again() {
    let world = World::of(vec![item("a/s/lockdown").does(Does::StartWork)]);
    let plan = world.plan(&["a"], Only::default());
    world.set("a/s/lockdown", State::UnderWay);
    let report = Shop::new().apply(&world, &plan, &seen(&plan)).await;
    assert_eq!(of(&report, "a/s/lockdown").0, Status::Waiting);
    assert_eq!(report.changes[0].waiting_for, Some(WaitingFor::Service));
    assert_eq!(world.writes().len(), 0);
}

/// The checklist is in the report itself.
#[tokio::test]
async fn what_a_person_does_is_told_with_where_what_values_and_what_shows_it() {
    let world = World::of(vec![item("a/s/by-hand").does(Does::NeedAPerson)]);
    let report = Shop::new().run(&world).await;
    let json = serde_json::to_value(&report).unwrap();
    insta::assert_json_snapshot!(json["changes"][0], @r#"
    {
      "action": "create",
      "address": "a/s/by-hand",
      "for": "person",
      "manual": {
        "do": [
          "choose it"
        ],
        "shownBy": "the page shows it",
        "values": {
          "Name": "value"
        },
        "where": "Settings > Somewhere"
      },
      "reason": "a person has to do it: no operation is published",
      "scope": "a",
      "status": "waiting",
      "subject": "a/s/by-hand",
      "unread": false,
      "wrote": false
    }
    "#);
}
