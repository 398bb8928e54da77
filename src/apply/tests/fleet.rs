//! Environments side by side: who is begun, and when no further one is.

use super::*;
use crate::terms::Scope;

fn fleet(first: &[&str], stop_after: usize) -> Fleet {
    Fleet { first: first.iter().map(|key| Scope::environment(*key)).collect(), stop_after, ..Fleet::default() }
}

fn failing(count: usize, of: usize) -> Rc<World> {
    let does = |n| if n < count { Does::Fail } else { Does::Succeed };
    World::of((0..of).map(|n| item(&format!("e{n}/s/x")).does(does(n))).collect())
}

#[tokio::test]
async fn after_so_many_failures_no_further_environment_is_begun() {
    for stop_after in 1..4 {
        let world = failing(stop_after, 9);
        let report = Shop::with(fleet(&[], stop_after)).run(&world).await;
        assert_eq!(report.summary.failed, stop_after);
        // Those that were begun beside the last one that failed go on.
        assert!(world.writes().len() < 2 * stop_after, "{:?}", world.writes());
        assert!(of(&report, "e8/s/x").1.ends_with(&format!("failed (`--stop-after {stop_after}`)")));
    }
}

/// An environment that waits for another one counts as begun only once it wrote.
#[tokio::test]
async fn whoever_only_waited_is_not_begun_after_too_many_failures() {
    let world =
        World::of(vec![item("a/s/on-it").after(&["b/s/base"]), item("a/s/then"), item("b/s/base").does(Does::Fail)]);
    let mut plan = world.plan(&["a", "b"], Only::default());
    plan.scopes[0].changes.sort_by_key(|change| change.requires.is_empty());
    let report = Shop::with(fleet(&[], 1)).apply(&world, &plan, &seen(&plan)).await;
    assert_eq!(world.writes(), ["b/s/base"]);
    assert_eq!(of(&report, "a/s/on-it").1, "not begun, since 1 environment failed (`--stop-after 1`)");
    // What had written goes on.
    world.set("b/s/base", State::Missing);
    plan.scopes[0].changes.sort_by_key(|change| !change.requires.is_empty());
    let report = Shop::with(fleet(&[], 1)).apply(&world, &plan, &seen(&plan)).await;
    assert_eq!(of(&report, "a/s/then").0, Status::Done);
    assert_eq!(of(&report, "a/s/on-it").1, "it requires b/s/base, which isn't done");
}

#[tokio::test]
async fn the_first_go_one_after_the_other_and_halt_the_others() {
    let world = World::of(["a", "b", "c", "d"].map(|scope| item(&format!("{scope}/s/x"))).into());
    Shop::with(fleet(&["c", "b"], 3)).run(&world).await;
    assert_eq!(world.writes()[..2], ["c/s/x", "b/s/x"]);

    let world = World::of(vec![item("a/s/x"), item("b/s/x").does(Does::Fail), item("tenant/t/x")]);
    let report = Shop::with(fleet(&["b"], 3)).run(&world).await;
    assert_eq!(world.writes(), ["tenant/t/x", "b/s/x"], "the tenant goes before all");
    assert_eq!(of(&report, "a/s/x").1, "not begun, since b goes first (`--first`) and didn't get done");

    // What goes first can't wait for what comes later.
    let world = World::of(vec![item("a/s/x"), item("b/s/x").after(&["a/s/x"])]);
    let report = Shop::with(fleet(&["b"], 3)).run(&world).await;
    assert_eq!(of(&report, "b/s/x").1, "it requires a/s/x, which this run only gets to after it");
    assert_eq!((report.summary.not_started, world.writes().len()), (2, 0));
}

#[tokio::test]
async fn the_tenant_counts_as_no_environment() {
    let world = World::of(vec![item("a/s/x"), item("tenant/t/x").does(Does::Fail)]);
    let report = Shop::with(fleet(&[], 1)).run(&world).await;
    assert_eq!((of(&report, "tenant/t/x").0, of(&report, "a/s/x").0), (Status::Failed, Status::Done));
}

/// Those who wait leave their place to those who are waited for.
#[tokio::test]
async fn with_one_place_all_get_done() {
    let mut items: Vec<Item> =
        (0..5).map(|n| item(&format!("e{n}/s/x")).after(&[&format!("e{}/s/x", n + 1)])).collect();
    items.push(item("e5/s/x"));
    let world = World::of(items);
    let report = Shop::with(Fleet { side_by_side: 1, ..Fleet::default() }).run(&world).await;
    assert_eq!((report.summary.done, world.most_at_once.get()), (6, 1));
}
