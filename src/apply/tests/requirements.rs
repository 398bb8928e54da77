//! A requirement is met before the first write, wherever it is; or the change isn't started, and says for what.

use super::*;
use crate::apply::requirements::shown;
use crate::plan::{Findings, Note, NoteCode, Unknown, Waiting};

const NOT_NOW: NoteCode = NoteCode::refusal("not-now", "For tests.", "Something that must not be touched.");

#[tokio::test]
async fn what_is_required_of_another_environment_is_done_before() {
    let world = World::of(vec![
        item("a/s/one").after(&["c/t/base"]),
        item("b/s/two").after(&["a/s/one"]),
        item("c/t/base").after(&["tenant/u/first"]),
        item("tenant/u/first"),
    ]);
    let report = Shop::new().run(&world).await;
    assert_eq!(report.summary.done, 4, "{:?}", statuses(&report));
    assert_eq!(world.writes(), ["tenant/u/first", "c/t/base", "a/s/one", "b/s/two"]);
    assert_eq!(*world.wrongs.borrow(), [""; 0]);
}

#[tokio::test]
async fn what_is_not_done_keeps_only_those_back_that_require_it() {
    let table = [
        (Does::Fail, Status::Failed, Status::NotStarted, "it requires b/s/base, which isn't done"),
        (Does::Refuse, Status::Refused, Status::NotStarted, "it requires b/s/base, which was refused"),
        (Does::StartWork, Status::Waiting, Status::Waiting, "it requires b/s/base, which waits"),
        (Does::NeedAPerson, Status::Waiting, Status::Waiting, "it requires b/s/base, which waits"),
    ];
    for (does, base, dependent, reason) in table {
        let world = World::of(vec![
            item("a/s/on-it").after(&["b/s/base"]),
            item("a/s/other"),
            item("b/s/base").does(does),
            item("c/s/on-that").after(&["a/s/on-it"]),
        ]);
        let report = Shop::new().run(&world).await;
        assert_eq!(of(&report, "b/s/base").0, base, "{does:?}");
        assert_eq!(of(&report, "a/s/on-it"), (dependent, reason), "{does:?}");
        assert_eq!(of(&report, "a/s/other").0, Status::Done, "{does:?}");
        assert_eq!(of(&report, "c/s/on-that").0, dependent, "{does:?}");
        let held_up = report.changes.iter().find(|one| one.address == address("a/s/on-it")).unwrap();
        assert_eq!((held_up.wrote, &held_up.held_up_by), (false, &Some(address("b/s/base"))));
    }
}

/// Somebody else may undo it between the two.
#[tokio::test]
async fn what_was_done_in_this_run_must_still_be_so_at_the_write() {
    let items = || vec![item("a/s/base"), item("a/s/other"), item("a/s/then").after(&["a/s/base"])];
    let world = World::of(items());
    assert_eq!(Shop::new().run(&world).await.summary.done, 3);
    let world = World::of(items());
    world.along.borrow_mut().insert(address("a/s/other"), (address("a/s/base"), State::Missing));
    let report = Shop::new().run(&world).await;
    let reason = "it requires a/s/base, which was done and doesn't show any more";
    assert_eq!(of(&report, "a/s/then"), (Status::NotStarted, reason));
    assert_eq!(world.writes(), ["a/s/base", "a/s/other"]);
}

/// `-e` and `--only` may leave out what is required; then a fresh look decides, at the write.
#[tokio::test]
async fn what_is_no_part_of_the_run_must_be_read_to_be_in_effect() {
    let table = [
        (State::There, Status::Done, "read back as declared"),
        (State::Missing, Status::Waiting, "it requires b/t/base, which isn't part of this run"),
        (State::UnderWay, Status::Waiting, "it requires b/t/base, which waits: it is being made"),
        (
            State::Unread,
            Status::NotStarted,
            "not sent: it requires b/t/base, and whether that is in effect could not be read: it answered 500",
        ),
    ];
    let only: Only = "*/s".parse().unwrap();
    for (state, status, reason) in table {
        for (scopes, only) in [(&["a"][..], Only::default()), (&["a", "b"][..], only.clone())] {
            let world = World::of(vec![item("a/s/on-it").after(&["b/t/base"]), item("b/t/base")]);
            let plan = world.plan(scopes, only);
            // How it stood when the plan was made decides nothing.
            world.set("b/t/base", state);
            let report = Shop::new().apply(&world, &plan, &seen(&plan)).await;
            assert_eq!(of(&report, "a/s/on-it"), (status, reason), "{state:?} {scopes:?}");
            let unread = report.changes.iter().find(|one| one.address == address("a/s/on-it")).unwrap().unread;
            assert_eq!(unread, state == State::Unread);
        }
    }
    let world = World::of(vec![item("a/s/on-it").after(&["b/t/base"])]);
    let report = Shop::new().run(&world).await;
    assert_eq!(of(&report, "a/s/on-it"), (Status::Waiting, "it requires b/t/base, which isn't part of this run"));
}

#[test]
fn unknown_is_not_in_effect_and_silence_proves_nothing() {
    let required = address("a/s/x/y");
    let unknown = |at: &str| {
        vec![Unknown { address: address(at), reason: String::new(), operation: String::new(), source: None }]
    };
    let waiting = |at: &str| {
        let detail = String::new();
        vec![Waiting { address: address(at), waiting_for: WaitingFor::Person, since: None, detail }]
    };
    let none = Findings::default;
    let there = || Findings { in_effect: vec![required.clone()], ..none() };
    let table = [
        ("it shows", there(), None),
        ("nothing is said of it", none(), Some(Status::Waiting)),
        (
            "something below it shows",
            Findings { in_effect: vec![address("a/s/x/y/z")], ..none() },
            Some(Status::Waiting),
        ),
        ("its collection was read", Findings { complete: vec![address("a/s/x")], ..none() }, None),
        ("another collection was read", Findings { complete: vec![address("a/s/v")], ..none() }, Some(Status::Waiting)),
        ("it can't be read", Findings { unknown: unknown("a/s/x/y"), ..there() }, Some(Status::NotStarted)),
        ("its setting can't be read", Findings { unknown: unknown("a/s"), ..none() }, Some(Status::NotStarted)),
        (
            "its collection was read, but for a part of it",
            Findings { unknown: unknown("a/s/x/y/z"), complete: vec![address("a/s")], ..none() },
            Some(Status::NotStarted),
        ),
        ("its neighbour can't be read", Findings { unknown: unknown("a/s/x/w"), ..there() }, None),
        (
            "it waits",
            Findings { waiting: waiting("a/s/x"), complete: vec![address("a/s")], ..none() },
            Some(Status::Waiting),
        ),
    ];
    for (what, findings, expected) in table {
        assert_eq!(shown(&required, &findings).err().map(|outcome| outcome.status), expected, "{what}");
    }
}

/// Requirements that a fresh look brings, and the plan didn't know, are waited for, too; and never for ever.
#[tokio::test]
async fn requirements_that_show_only_at_the_write_count() {
    let world = World::of(vec![item("a/s/one").after(&["b/s/two"]), item("b/s/two")]);
    let mut plan = world.plan(&["a", "b"], Only::default());
    plan.scopes[0].changes[0].requires.clear();
    let report = Shop::new().apply(&world, &plan, &seen(&plan)).await;
    assert_eq!((report.summary.done, world.writes()), (2, vec!["b/s/two".to_owned(), "a/s/one".to_owned()]));

    let circle = World::of(vec![item("a/s/one").after(&["b/s/two"]), item("b/s/two").after(&["a/s/one"])]);
    let mut plan = circle.plan(&["a", "b"], Only::default());
    for scope in &mut plan.scopes {
        scope.changes[0].requires.clear();
    }
    plan.notes.clear();
    let report = Shop::new().apply(&circle, &plan, &seen(&plan)).await;
    assert_eq!((report.summary.not_started, circle.writes().len()), (2, 0), "{:?}", statuses(&report));
}

#[tokio::test]
async fn a_circle_is_refused_and_nothing_of_it_is_sent() {
    let world = World::of(vec![
        item("a/s/one").after(&["b/s/two"]),
        item("b/s/two").after(&["a/s/one"]),
        item("c/s/on-it").after(&["a/s/one"]),
        item("d/s/free"),
    ]);
    let report = Shop::new().run(&world).await;
    assert_eq!(report.refused.len(), 2);
    assert_eq!(report.refused[0].reasons, ["requirement-circle: a/s/one requires b/s/two, which requires a/s/one"]);
    assert_eq!(of(&report, "c/s/on-it"), (Status::NotStarted, "it requires a/s/one, which was refused"));
    assert_eq!(world.writes(), ["d/s/free"]);
}

/// A setting of the tenant that is refused, or fails, stops what requires it, and nothing else.
#[tokio::test]
async fn the_tenants_settings_stop_only_what_requires_them() {
    let world = World::of(vec![
        item("a/s/free"),
        item("a/s/on-it").after(&["tenant/t/lock"]),
        item("tenant/t/lock"),
        Item { takes_away: true, ..item("tenant/u/other") },
    ]);
    let plan = world.plan(&world.scopes(), Only::default());
    let refusal = Note::refusal(NOT_NOW, address("tenant/t/lock"), "not now");
    let mut refused = plan.clone();
    refused.notes.push(refusal);
    let report = Shop::new().apply(&world, &refused, &seen(&refused)).await;
    assert_eq!(of(&report, "tenant/t/lock"), (Status::Refused, "not-now: not now"));
    assert_eq!(of(&report, "a/s/on-it"), (Status::NotStarted, "it requires tenant/t/lock, which was refused"));
    assert_eq!(world.writes(), ["tenant/u/other", "a/s/free"]);

    let mut whole = plan;
    whole.notes.push(Note::refusal(NOT_NOW, address("tenant"), "not now"));
    let report = Shop::new().apply(&world, &whole, &seen(&whole)).await;
    assert_eq!(report.refused.iter().map(|scope| scope.scope.as_str()).collect::<Vec<_>>(), ["tenant"]);
}
