//! What is declared about times, each of it end to end: one slot per run, spread due dates, windows, instants, grace.

use std::collections::BTreeSet;

use palisade::emulator::{Behaviour, World};
use serde_json::Value as Json;

use crate::moves::{DUE, RETIRABLE, in_use, published, rotated};
use crate::room::{DECLARED, Held, Room, held, secret, slots};
use crate::support::{NOW, Scene};

const NOTHING: [&str; 0] = [];

fn with(keys: &str) -> String {
    format!("{DECLARED}{keys}")
}

/// Rotation and retirement due at once, since everything is compromised: three runs, one slot each.
#[test]
fn one_slot_per_run_and_a_second_one_only_after_grace() {
    let configuration = with("        rotatedAfter: 2026-11-21T00:00:00Z\n");
    let mut room = Room::at("2026-11-28T12:00:01Z", &configuration, published());
    assert_eq!(room.planned(), ["rotate prod/apiAccess/keys/secondary"]);
    room.apply().ended(0);
    assert_eq!((room.held(), room.regenerated()), (Held::Secondary, [0, 1]));
    assert_eq!(room.planned(), NOTHING);
    room.later(6 * 24);
    assert_eq!(room.planned(), NOTHING);
    room.plan().says("its former key may be retired in 24 hours");
    room.later(25);
    assert_eq!(room.planned(), ["retire prod/apiAccess/keys/primary"]);
    room.apply().ended(0);
    assert_eq!((room.held(), room.regenerated()), (Held::Secondary, [1, 1]));
    assert_eq!(room.planned(), NOTHING, "what is declared holds, and demands nothing more");
}

#[test]
fn a_future_rotated_after_does_nothing_until_then_and_grace_holds_a_past_one() {
    let configuration = with("        rotatedAfter: 2026-12-10T00:00:00Z\n");
    let mut room = Room::at("2026-12-09T23:00:00Z", &configuration, published());
    assert_eq!(room.planned(), NOTHING);
    room.later(2);
    assert_eq!(room.planned(), ["rotate prod/apiAccess/keys/secondary"]);
    // An hour after the first publication, another one would leave nobody time.
    let leaked = with("        rotatedAfter: 2026-11-20T12:30:00Z\n");
    let room = Room::at("2026-11-20T13:00:00Z", &leaked, published());
    assert_eq!(room.planned(), NOTHING);
    room.plan().ended(0).says("held by grace until 2026-11-27T12:00:01Z");
}

#[test]
fn windows_hold_rotation_and_retirement_and_never_a_repair() {
    let configuration = with("        windows: [\"Mon-Thu 08:00-15:00 Europe/Berlin\"]\n");
    // 2027-02-12 is a Friday.
    let mut room = Room::at("2027-02-12T12:00:00Z", &configuration, published());
    assert_eq!(room.planned(), NOTHING);
    room.plan().ended(0).says("held until a window opens at 2027-02-15T07:00:00Z");
    room.regenerate_by_hand("primary");
    assert_eq!(room.planned(), ["publish prod/apiAccess/keys/secondary"]);
    room.apply().ended(0);
    assert_eq!((room.held(), room.regenerated()), (Held::Secondary, [0, 0]));
    let mut room2 = Room::at("2027-02-15T06:59:59Z", &configuration, published());
    assert_eq!(room2.planned(), NOTHING);
    room2.later(1);
    assert_eq!(room2.planned(), ["rotate prod/apiAccess/keys/secondary"]);
    room.later(1);
    let retiring = Room::at("2027-02-20T12:00:00Z", &configuration, rotated());
    assert_eq!(retiring.planned(), NOTHING);
    retiring.plan().ended(0).says("held until a window opens at 2027-02-22T07:00:00Z");
}

/// Keys that were in use before palisade came: consumers may hold either of them.
#[test]
fn keys_that_were_in_use_wait_for_adoption_and_grace() {
    let room = Room::at(NOW, DECLARED, in_use());
    room.apply().ended(0);
    let adopted = room.live.world();
    let at = |now: &str, keys: &str| Room::at(now, &with(keys), adopted.clone());
    let late = "2027-02-20T12:00:00Z";
    let undeclared = at(late, "");
    assert_eq!(undeclared.planned(), NOTHING);
    undeclared.plan().ended(0).says("held until `adoptedOn` says since when").says("keys were in use before palisade");
    let declared = "        adoptedOn: 2027-02-15\n";
    let waiting = at(late, declared);
    assert_eq!(waiting.planned(), NOTHING);
    // The end of that day everywhere on earth, and a week of grace.
    waiting.plan().ended(0).says("held until 2027-02-23T12:00:00Z");
    assert_eq!(at("2027-02-23T12:00:01Z", declared).planned(), ["rotate prod/apiAccess/keys/secondary"]);
}

#[test]
fn a_replaced_key_that_is_kept_stays_alive_until_the_next_rotation() {
    let configuration = with("        retire: keep\n");
    let mut room = Room::at(RETIRABLE, &configuration, rotated());
    assert_eq!(room.planned(), NOTHING);
    room.later(30 * 24);
    assert_eq!(room.planned(), NOTHING);
    room.later(60 * 24);
    assert_eq!(room.planned(), ["rotate prod/apiAccess/keys/primary"]);
    room.apply().ended(0);
    assert_eq!((room.held(), room.regenerated()), (Held::Primary, [1, 0]));
}

#[test]
fn a_longer_grace_holds_a_retirement_longer() {
    let mut room = Room::at(RETIRABLE, &with("        grace: 21d\n"), rotated());
    assert_eq!(room.planned(), NOTHING);
    room.plan().ended(0).says("retirement due 2027-03-03T12:00:01Z");
    room.later(13 * 24 + 1);
    assert_eq!(room.planned(), ["retire prod/apiAccess/keys/primary"]);
}

/// Twelve environments that were set up at one time.
#[test]
fn due_dates_of_environments_are_spread_within_the_renew_window() {
    let head = "version: 1\ntenant: { id: 7b1f0c52-0000-4000-8000-0000000000aa }\nenvironments:\n";
    let environment = |number: usize| {
        format!(
            "  e{number}:\n    instanceId: 6f2b1c34-0000-4000-8000-0000000{number:05x}\n    environmentId: \
             1bd6bd98-0000-4000-8000-0000000{number:05x}\n    apiAccess:\n      enabled: true\n      keys:\n        \
             publishTo:\n          vault: /subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg-secrets/\
             providers/Microsoft.KeyVault/vaults/kv-ci-prod\n          secret: ci-key-{number}\n"
        )
    };
    let text: String = std::iter::once(head.to_owned()).chain((1..=12).map(environment)).collect();
    let scene = Scene::with(&text);
    scene.emulated(&["apply", "--yes"]).ended(0).says("12 done");
    let plan = scene.emulated(&["plan", "--format", "json"]).ended(0).json();
    let due = due_dates(&plan);
    assert_eq!(due.len(), 12, "{due:?}");
    let days: BTreeSet<&str> = due.iter().map(|instant| &instant[..10]).collect();
    // Ninety days less the renew window of fourteen, and at most half of that window later.
    let (first, last) = (due.iter().min().unwrap().as_str(), due.iter().max().unwrap().as_str());
    assert!(("2027-02-04".."2027-02-12").contains(&first) && ("2027-02-04".."2027-02-12").contains(&last), "{due:?}");
    assert!(days.len() >= 4, "{days:?}");
}

fn due_dates(plan: &Json) -> BTreeSet<String> {
    let notes = plan["notes"].as_array().unwrap().iter();
    let message = |note: &Json| note["message"].as_str().unwrap().to_owned();
    notes.filter_map(|note| Some(message(note).split("next rotation due ").nth(1)?[..20].to_owned())).collect()
}

/// Whether keys outlive the time without API access isn't published. If they don't, what is published then is not an old one;
/// if they do, the published one works again, and it is no younger than it was.
#[test]
fn access_that_is_switched_on_again_leaves_a_live_key_published() {
    let off = |world: World, outlive: bool| {
        let access = DECLARED.find("      enabled: true").unwrap();
        let world = World { behaviour: Behaviour { api_keys_outlive_access: outlive, ..world.behaviour }, ..world };
        let room = Room::at(DUE, &format!("{}      enabled: false\n", &DECLARED[..access]), world);
        // An outage needs somebody who saw it.
        room.apply().ended(4);
        room.run(&["plan", "--out", "plan.json"]).ended(0).says("OUTAGE");
        room.run(&["apply", "plan.json"]).ended(0);
        room.live.world()
    };
    let world = rotated();
    let before = (slots(&world), held(&world), secret(&world).map(|secret| secret.versions.len()));
    for outlive in [false, true] {
        let room = Room::at(DUE, DECLARED, off(world.clone(), outlive));
        assert_eq!(room.planned(), ["enable prod/apiAccess"]);
        room.apply().ended(0);
        assert_eq!(room.regenerated(), [0, 0]);
        let after = room.live.world();
        if outlive {
            assert_eq!((slots(&after), held(&after), secret(&after).map(|secret| secret.versions.len())), before);
        } else {
            assert_eq!(room.held(), Held::Primary);
            assert_ne!(slots(&after), before.0);
            room.plan().ended(0).says("primary was issued just now");
        }
    }
}
