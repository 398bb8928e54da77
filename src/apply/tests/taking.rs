//! What is looked at after a write: whether it took effect, whether things are left safe, and who is left.

use std::collections::BTreeSet;

use super::*;
use crate::plan::{Administrator, Administrators, Kind, Loss};
use crate::terms::ObjectId;

fn id(number: u128) -> ObjectId {
    ObjectId::from(uuid::Uuid::from_u128(number))
}

/// These people administer, the caller, 1, among them.
fn administrators(people: &[u128]) -> Option<Administrators> {
    let admin = |number: &u128| Administrator {
        id: id(*number),
        kind: Kind::User,
        label: format!("user {number}"),
        unread: None,
        persons: BTreeSet::from([id(*number)]),
    };
    let admins: Vec<Administrator> = people.iter().map(admin).collect();
    Some(Administrators {
        setting: address("a/s"),
        caller: BTreeSet::from([id(1)]),
        caller_unknown: None,
        caller_is_admin: true,
        before: admins.clone(),
        after: admins,
        losses: Vec::new(),
        unprotected: Vec::new(),
    })
}

/// What the service took isn't done until it was read.
#[tokio::test]
async fn a_write_that_can_not_be_read_back_is_not_done() {
    let world = World::of(vec![item("a/s/one").does(Does::Vanish)]);
    let report = Shop::new().run(&world).await;
    let (status, reason) = of(&report, "a/s/one");
    assert_eq!(status, Status::Failed, "{reason}");
    assert!(reason.starts_with("the service took it, but whether it took effect could not be read"), "{reason}");
    assert!(report.changes[0].wrote);
}

/// A change that broke off after a write is left safe by its last step, and stays failed.
#[tokio::test]
async fn a_closing_step_runs_after_one_that_failed_and_changes_no_verdict() {
    let world = World::of(vec![item("a/s/one").does(Does::FailHalfway)]);
    let report = Shop::new().run(&world).await;
    assert_eq!(world.writes(), ["a/s/one first", "a/s/one second", "a/s/one closing"]);
    assert_eq!(of(&report, "a/s/one"), (Status::Failed, "it broke; closing: read back as declared"));
    // What wrote nothing left nothing open.
    let world = World::of(vec![item("a/s/one").does(Does::StopBefore)]);
    let report = Shop::new().run(&world).await;
    assert_eq!(world.writes(), [""; 0]);
    assert_eq!(of(&report, "a/s/one"), (Status::Refused, "not sent: it is another one by now"));
}

/// Another run may have removed another Admin at the same time, which no look before the write can see.
#[tokio::test]
async fn after_a_removal_it_is_looked_who_is_left() {
    let run = async |after: Option<Administrators>, blind: bool| {
        let world = World::of(vec![item("a/s/one").taking_away()]);
        *world.administrators.borrow_mut() = [administrators(&[1, 2, 3]), after];
        world.blind_after_writes.set(blind);
        let report = Shop::new().run(&world).await;
        assert_eq!(world.writes(), ["a/s/one"]);
        let (status, reason) = of(&report, "a/s/one");
        (status, reason.to_owned())
    };
    // Who is left is asked for only where something was taken away.
    for does in [Does::Fail, Does::StopBefore] {
        let failed = World::of(vec![item("a/s/one").taking_away().does(does)]);
        *failed.administrators.borrow_mut() = [administrators(&[1, 2, 3]), administrators(&[1])];
        let report = Shop::new().run(&failed).await;
        assert!(!of(&report, "a/s/one").1.contains("last-admin"), "{does:?}: {:?}", of(&report, "a/s/one"));
    }
    // What isn't at stake before isn't asked for after, and an addition is no loss.
    let additions = World::of(vec![item("a/s/one")]);
    *additions.administrators.borrow_mut() = [administrators(&[1, 2]), administrators(&[1])];
    for world in [World::of(vec![item("a/s/one").taking_away()]), additions] {
        let report = Shop::new().run(&world).await;
        assert_eq!(of(&report, "a/s/one"), (Status::Done, "read back as declared"));
    }
    assert_eq!(run(administrators(&[1, 2]), false).await, (Status::Done, "read back as declared".to_owned()));
    let (status, reason) = run(administrators(&[1]), false).await;
    assert_eq!(status, Status::Failed);
    assert!(reason.contains("last-admin"), "{reason}");
    for (after, blind) in [(None, false), (administrators(&[1, 2]), true)] {
        let (status, reason) = run(after, blind).await;
        assert_eq!(status, Status::Failed);
        assert!(reason.contains("who is left could not be read"), "{reason}");
    }
}

/// In an environment in which something went wrong nothing is taken away any more; in the tenant, that holds for one setting.
#[tokio::test]
async fn after_a_failure_nothing_is_taken_away_there() {
    for does in [Does::Fail, Does::Refuse, Does::Vanish] {
        let world = World::of(vec![
            item("a/s/broken").does(does),
            item("a/t/comes"),
            item("a/t/goes").after(&["a/s/broken", "a/t/comes"]).taking_away(),
            item("a/u/goes").after(&["a/t/comes"]).taking_away(),
            item("b/s/goes").taking_away(),
            item("tenant/s/broken").does(does),
            item("tenant/s/goes").taking_away(),
            item("tenant/t/goes").taking_away(),
        ]);
        let report = Shop::new().run(&world).await;
        for (address, expected) in [
            ("a/t/comes", Status::Done),
            ("a/t/goes", Status::NotStarted),
            ("a/u/goes", Status::NotStarted),
            ("b/s/goes", Status::Done),
            ("tenant/s/goes", Status::NotStarted),
            ("tenant/t/goes", Status::Done),
        ] {
            assert_eq!(of(&report, address).0, expected, "{address} after {does:?}: {:?}", of(&report, address).1);
        }
    }
}

/// A plan may count on an Admin that it makes itself. That change may not be among the approved ones, so a removal may not.
#[tokio::test]
async fn a_removal_does_not_rest_on_an_admin_that_is_only_promised() {
    let table: [(&[u128], bool, Status); 3] =
        [(&[1, 2], true, Status::Refused), (&[1, 2], false, Status::Done), (&[1, 2, 3], true, Status::Done)];
    for (before, takes_away, expected) in table {
        let loss = Loss {
            address: address("a/s/one"),
            id: id(2),
            kind: Kind::User,
            label: "user 2".into(),
            was_admin: true,
            lowers: Vec::new(),
            may_lower: Vec::new(),
        };
        let found = administrators(before).unwrap();
        let after = administrators(&[1, 3]).unwrap().after;
        let found = Administrators { after, losses: vec![loss], ..found };
        let one = item("a/s/one");
        let world = World::of(vec![if takes_away { one.taking_away() } else { one }]);
        *world.administrators.borrow_mut() = [Some(found.clone()), Some(found)];
        let report = Shop::new().run(&world).await;
        let (status, reason) = of(&report, "a/s/one");
        assert_eq!(status, expected, "{before:?}: {reason}");
        assert_eq!(world.writes().is_empty(), expected == Status::Refused, "{before:?}: {reason}");
        assert!(expected != Status::Refused || reason.contains("last-admin"), "{reason}");
    }
}
