//! One writer at a time to what is shared, and as many as there are places to everything else.

use super::*;

#[tokio::test]
async fn what_is_shared_has_one_writer_at_a_time_and_the_rest_goes_on() {
    let mut items: Vec<Item> = (0..6).map(|n| item(&format!("e{n}/s/shared")).holding("vault")).collect();
    items.extend((6..8).map(|n| item(&format!("e{n}/s/own"))));
    let world = World::of(items);
    let report = Shop::new().run(&world).await;
    assert_eq!((report.summary.done, &*world.wrongs.borrow()), (8, &Vec::<String>::new()));
    assert!(world.most_at_once.get() > 1, "those that share nothing go on meanwhile");
}

/// Two changes that need both of two things, named in either order.
#[tokio::test]
async fn holds_are_taken_in_one_order() {
    let world = World::of(vec![
        item("a/s/one").holding("x").holding("y"),
        item("b/s/two").holding("y").holding("x"),
        item("c/s/three").holding("y"),
    ]);
    let report = Shop::new().run(&world).await;
    assert_eq!((report.summary.done, &*world.wrongs.borrow()), (3, &Vec::<String>::new()));
}

/// Who had to wait for another writer looks again: what was read before is old.
#[tokio::test]
async fn after_another_writer_the_setting_is_looked_at_again() {
    let world = World::of(vec![item("a/s/one").holding("vault"), item("b/s/two").holding("vault")]);
    // Whichever comes first does the work of both.
    world.along.borrow_mut().insert(address("a/s/one"), (address("b/s/two"), State::There));
    world.along.borrow_mut().insert(address("b/s/two"), (address("a/s/one"), State::There));
    let report = Shop::new().run(&world).await;
    let log = world.log.borrow().join("; ");
    assert_eq!((report.summary.done, world.writes().len()), (2, 1), "{log}");
    let other = report.changes.iter().find(|applied| !applied.wrote).unwrap();
    assert_eq!(other.reason, "already in effect; nothing was sent");
    assert_eq!(log.matches("look ").count(), 3);
    let alone = World::of(vec![item("b/s/two").holding("vault")]);
    Shop::new().run(&alone).await;
    let looks = alone.log.borrow().iter().filter(|line| line.starts_with("look")).count();
    assert_eq!(looks, 1, "who didn't wait needn't look again");
}

/// Nothing is kept from others while another environment is waited for.
#[tokio::test]
async fn whoever_waits_for_another_environment_holds_nothing() {
    let world = World::of(vec![
        item("a/s/one").after(&["b/s/two"]).holding("vault"),
        item("b/s/two").holding("vault"),
        item("c/s/three").holding("vault"),
    ]);
    let mut plan = world.plan(&world.scopes(), Only::default());
    // Also where the requirement shows only at the write.
    for known in [true, false] {
        if !known {
            plan.scopes[0].changes[0].requires.clear();
            ["a/s/one", "b/s/two", "c/s/three"].iter().for_each(|it| world.set(it, State::Missing));
        }
        let report = Shop::new().apply(&world, &plan, &seen(&plan)).await;
        assert_eq!((report.summary.done, &*world.wrongs.borrow()), (3, &Vec::<String>::new()));
    }
}
