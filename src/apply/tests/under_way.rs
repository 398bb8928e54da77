//! What takes days is submitted, left at once, and adopted by the next run from what it observes.

use super::*;
use crate::plan::Verdict;

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
