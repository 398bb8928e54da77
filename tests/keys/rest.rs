//! Nothing stops rotation or repair for good: whatever a run finds, a later one comes to rest by itself.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use palisade::emulator::{Attributes, Masked, SecretVersion, World};

use crate::live::Moment;
use crate::moves::{Case, DUE, RETIRABLE, in_use, published, rotated, untouched};
use crate::room::{DECLARED, Held, Room, held, secret_mut, slots};
use crate::support::{NOW, PROD, Scene};

const NOTHING: [&str; 0] = [];

fn with(keys: &str) -> String {
    format!("{DECLARED}{keys}")
}

/// A version that somebody stored by hand.
pub(crate) fn stored(number: usize, value: &str, created: Timestamp) -> SecretVersion {
    SecretVersion {
        version: format!("{number:032x}"),
        value: Masked::new(value),
        content_type: None,
        attributes: Attributes { enabled: true, not_before: None, expires: None, created, updated: created },
        tags: None,
    }
}

/// A world whose secret has so many more versions, all older than palisade's.
pub(crate) fn with_a_past(mut world: World, versions: usize) -> World {
    let first: Timestamp = "2025-01-01T00:00:00Z".parse().unwrap();
    let past = (0..versions).map(|number| {
        stored(number, &format!("junk-{number}"), first + SignedDuration::from_hours(i64::try_from(number).unwrap()))
    });
    let secret = secret_mut(&mut world);
    secret.versions = past.chain(std::mem::take(&mut secret.versions)).collect();
    world
}

#[test]
fn any_number_of_versions_holds_up_neither_rotation_nor_retirement_nor_repair() {
    for versions in [51, 300] {
        let room = Room::at(DUE, DECLARED, with_a_past(published(), versions));
        room.apply().ended(0);
        assert_eq!((room.held(), room.regenerated()), (Held::Secondary, [0, 1]), "{versions}");
        let values = room.live.requests().iter().filter(|seen| seen.path.starts_with("/secrets/ci-api-key/0")).count();
        assert_eq!(values, 0, "{versions}: no value of the past was asked for");

        let room = Room::at(RETIRABLE, DECLARED, with_a_past(rotated(), versions));
        room.apply().ended(0);
        assert_eq!((room.held(), room.regenerated()), (Held::Secondary, [1, 0]), "{versions}");
        assert_eq!(room.planned(), NOTHING, "{versions}");

        let room = Room::at(RETIRABLE, DECLARED, with_a_past(rotated(), versions));
        room.regenerate_by_hand("secondary");
        room.apply();
        assert_eq!((room.held(), room.regenerated()), (Held::Primary, [0, 0]), "{versions}");
    }
}

/// Everything after palisade's publication was stored by hand: dead values on top of the live one.
#[test]
fn a_repair_waits_for_no_history() {
    let day = SignedDuration::from_hours(24);
    let mut world = published();
    let tags = secret_mut(&mut world).versions.last().unwrap().tags.clone();
    for number in 0..120_usize {
        let created =
            NOW.parse::<Timestamp>().unwrap() + day + SignedDuration::from_mins(i64::try_from(number).unwrap());
        secret_mut(&mut world).versions.push(stored(number + 1, &format!("junk-{number}"), created));
    }
    secret_mut(&mut world).versions.last_mut().unwrap().tags = tags;
    let room = Room::at("2026-12-01T12:00:00Z", DECLARED, world.clone());
    room.apply().ended(0);
    assert!(room.held().is_live());
    // Neither does it wait for a list that can't be read.
    let list = "- { operation: GET */versions, action: { status: { code: 403 } } }";
    let room = Room::faulty("2026-12-01T12:00:00Z", DECLARED, world, list);
    room.apply();
    assert!(room.held().is_live());
    let room = Room::faulty(DUE, DECLARED, published(), list);
    room.apply().ended(3);
    assert_eq!((room.held(), room.regenerated()), (Held::Primary, [0, 0]));
}

/// A job stores the key that is in force again and again, without a tag.
#[test]
fn a_key_that_is_stored_again_every_hour_is_rotated_all_the_same() {
    let mut world = published();
    let keys = slots(&world).unwrap();
    let first: Timestamp = NOW.parse().unwrap();
    for hour in 1..=(82 * 24 - 1) {
        let created = first + SignedDuration::from_hours(hour);
        secret_mut(&mut world).versions.push(stored(usize::try_from(hour).unwrap(), &keys[0], created));
    }
    let room = Room::at(DUE, DECLARED, world);
    room.apply().ended(0);
    assert_eq!((room.held(), room.regenerated()), (Held::Secondary, [0, 1]));
}

/// The first run switches API access on, and doesn't get to the publication. A year later nobody has been asked.
#[test]
fn keys_that_palisade_made_and_did_not_publish_are_known_to_be_its_own() {
    for (moment, method, end) in [(Moment::After, "PUT", "/activate"), (Moment::Before, "PUT", "/ci-api-key")] {
        let room = Room::at(NOW, DECLARED, untouched());
        let nth = if end == "/activate" { 1 } else { 2 };
        let mut holds: Vec<_> = (0..nth).map(|_| room.live.hold(moment, method, end)).collect();
        let last = holds.pop().unwrap();
        let run = room.begin(&["apply", "--yes"]);
        for hold in holds {
            hold.arrived();
            hold.release();
        }
        last.arrived();
        run.kill();
        let left = room.live.world();
        drop(room);
        drop(last);
        assert!(slots(&left).is_some(), "API access is on");
        comes_to_rest(left, &format!("{moment:?} {method} {end}"));
    }
}

/// Publishes, rotates and retires by itself.
fn comes_to_rest(world: World, what: &str) {
    let next = Room::at(NOW, DECLARED, world);
    next.apply().ended(0);
    assert!(next.held().is_live(), "{what}");
    assert_eq!(next.planned(), NOTHING, "{what}");
    let due = Room::at(DUE, DECLARED, next.live.world());
    due.apply().ended(0);
    assert_eq!((due.held(), due.regenerated()), (Held::Secondary, [0, 1]), "{what}");
    let retirable = Room::at(RETIRABLE, DECLARED, due.live.world());
    retirable.apply().ended(0);
    assert_eq!((retirable.held(), retirable.regenerated()), (Held::Secondary, [1, 0]), "{what}");
}

#[test]
fn two_first_runs_at_once_come_to_rest() {
    let case = Case::first_publication_with_access_off();
    let requests = case.undisturbed();
    let writes = (0..requests.len()).filter(|index| crate::live::is_write(&requests[*index]));
    for others in writes {
        for moment in [Moment::Before, Moment::After] {
            let room = case.room();
            let hold = room.live.hold_nth(moment, others);
            let slow = room.begin(&["apply", "--yes"]);
            hold.arrived();
            room.apply();
            hold.release();
            slow.end();
            comes_to_rest(room.live.world(), &format!("{moment:?} request {others}"));
        }
    }
}

/// API access isn't switched on where its keys couldn't be published.
#[test]
fn without_a_vault_that_can_be_written_api_access_stays_off() {
    type Break = fn(&mut World);
    let cases: [(&str, Break, &str, i32); 5] = [
        ("a vault that can't be read", |_| {}, "- { operation: /secrets/*, action: { status: { code: 503 } } }", 3),
        (
            "a vault's record that can't be read",
            |_| {},
            "- { operation: GET */vaults/kv-ci-prod, action: { status: { code: 500 } } }",
            3,
        ),
        ("no right to write, by policies", |world| crate::refused::policies(world, &["get", "list"]), "[]", 5),
        (
            "no right to write, by roles",
            |world| world.role_assignments.retain(|it| !it.scope.contains("/vaults/")),
            "[]",
            3,
        ),
        ("writes that are refused", |_| {}, "- { operation: PUT /secrets/*, action: { status: { code: 403 } } }", 5),
    ];
    for (what, change, rules, exit) in cases {
        let mut world = untouched();
        change(&mut world);
        let room = Room::faulty(NOW, DECLARED, world, rules);
        let run = room.apply();
        assert!(slots(&room.live.world()).is_none(), "{what}: API access was switched on: {run:?}");
        assert_eq!(run.status, Some(exit), "{what}: {run:?}");
    }
}

/// A secret that a person stored and closed, or another environment's: nothing is switched on over it.
#[test]
fn over_a_secret_that_is_not_ours_api_access_stays_off() {
    let mut world = untouched();
    let mut other = published();
    let mut secret = secret_mut(&mut other).clone();
    secret.versions = vec![stored(1, "somebody's", NOW.parse().unwrap())];
    world.vaults.get_mut("kv-ci-prod").unwrap().secrets.insert("ci-api-key".to_owned(), secret);
    let room = Room::at(NOW, DECLARED, world);
    room.apply().ended(6).says("API access stays off");
    assert!(slots(&room.live.world()).is_none());
}

/// What a person switched on is a person's, also after a run of ours had noted that it would.
#[test]
fn keys_that_a_person_had_made_still_wait_for_adoption() {
    let room = Room::at(NOW, DECLARED, untouched());
    let hold = room.live.hold(Moment::Before, "PUT", "/activate");
    let run = room.begin(&["apply", "--yes"]);
    hold.arrived();
    run.kill();
    let noted = room.live.world();
    drop(room);
    drop(hold);
    assert!(slots(&noted).is_none());
    // A week later, a person does it in the portal.
    let by_hand = Room::at("2026-11-27T12:00:00Z", &DECLARED[..DECLARED.find("      keys:").unwrap()], noted);
    by_hand.apply().ended(0);
    for world in [by_hand.live.world(), in_use()] {
        let room = Room::at("2026-12-01T12:00:00Z", DECLARED, world);
        room.apply().ended(0);
        assert!(room.held().is_live());
        let late = Room::at("2027-04-01T12:00:00Z", DECLARED, room.live.world());
        late.plan().ended(0).says("held until `adoptedOn` says since when");
        late.apply().ended(6);
        assert_eq!(late.regenerated(), [0, 0]);
    }
}

const METADATA: &str = "        verify: metadata\n";

/// Runs once a day, and tells what each run regenerated, and with what it ended.
fn days(room: &mut Room, days: usize) -> (BTreeMap<i32, usize>, [usize; 2]) {
    let mut ends = BTreeMap::new();
    for _ in 0..days {
        *ends.entry(room.apply().status.unwrap()).or_default() += 1;
        assert!(room.held().is_live());
        room.later(24);
    }
    (ends, room.regenerated())
}

#[test]
fn the_same_key_stored_twice_is_no_reason_to_look_again_and_again() {
    for configuration in [with(METADATA), DECLARED.to_owned()] {
        let mut world = published();
        let keys = slots(&world).unwrap();
        secret_mut(&mut world).versions.push(stored(1, &keys[0], "2026-11-21T12:00:00Z".parse().unwrap()));
        let mut room = Room::at("2026-11-29T12:00:00Z", &configuration, world);
        assert_eq!(days(&mut room, 20), (BTreeMap::from([(0, 20)]), [0, 0]), "{configuration}");
        assert_eq!(room.planned(), NOTHING);
    }
}

/// One rotation and one retirement, whatever is declared besides.
#[test]
fn compromised_keys_die_in_one_rotation_and_one_retirement() {
    for verify in ["", METADATA] {
        for retire in ["", "        retire: keep\n"] {
            let configuration = with(&format!("{verify}{retire}        rotatedAfter: 2026-12-01T00:00:00Z\n"));
            let mut room = Room::at("2026-12-02T12:00:00Z", &configuration, published());
            let ends = days(&mut room, 30);
            assert_eq!(ends, (BTreeMap::from([(0, 30)]), [1, 1]), "{verify}{retire}");
            assert_eq!(room.planned(), NOTHING);
        }
    }
}

/// The published key is new enough, and nobody knows how old the other one is.
#[test]
fn a_standby_key_of_unknown_age_is_retired_once_where_keys_are_compromised() {
    for verify in ["", METADATA] {
        for retire in ["", "        retire: keep\n"] {
            let configuration = with(&format!("{verify}{retire}        rotatedAfter: 2026-11-20T00:00:00Z\n"));
            let mut room = Room::at("2026-11-29T12:00:00Z", &configuration, published());
            let ends = days(&mut room, 30);
            assert_eq!(ends, (BTreeMap::from([(0, 30)]), [0, 1]), "{verify}{retire}");
            // Somebody stores the key again: what was found out about the other one still holds.
            let keys = slots(&room.live.world()).unwrap();
            let again = stored(1, &keys[0], room.now);
            let mut room = room.changed(|world| secret_mut(world).versions.push(again));
            room.later(24 * 10);
            let ends = days(&mut room, 10);
            assert_eq!(ends.0, BTreeMap::from([(0, 10)]), "{verify}{retire}");
            assert!(verify == METADATA || ends.1 == [0, 0], "{ends:?}");
        }
    }
}

/// A note that a run left which then did nothing.
#[test]
fn a_note_that_led_to_nothing_is_no_reason_to_look_again_and_again() {
    let room = Room::at(DUE, &with(METADATA), published());
    let hold = room.live.hold(Moment::Before, "POST", "/regeneratesecondarykey");
    let run = room.begin(&["apply", "--yes"]);
    hold.arrived();
    run.kill();
    let left = room.live.world();
    drop(room);
    drop(hold);
    let long = with(&format!("{METADATA}        maxAge: 365d\n"));
    let mut room = Room::at(DUE, &long, left);
    assert_eq!(days(&mut room, 10), (BTreeMap::from([(0, 10)]), [0, 0]));
    assert_eq!(room.planned(), NOTHING);
}

/// Services whose effects show late, by one clock that waits move.
#[test]
fn what_shows_late_is_waited_for_as_long_as_the_caller_says() {
    type Slow = fn(&mut World, SignedDuration);
    let propagation: Slow = |world, by| world.behaviour.api_key_propagation = by;
    let stale: Slow = |world, by| world.behaviour.stale_reads = by;
    for configuration in [DECLARED.to_owned(), with(METADATA)] {
        for (name, slow) in [("propagation", propagation), ("stale reads", stale)] {
            for seconds in [20, 60, 100, 600] {
                let scene = Scene::bare();
                scene.write("palisade.yaml", &configuration);
                let mut world = published();
                slow(&mut world, SignedDuration::from_secs(seconds));
                scene.keep_world(&world);
                let what = format!("{name} of {seconds} s: {configuration}");
                let first = scene.emulated_at(DUE, &["apply", "--yes"]);
                let wanted = if seconds < 120 { 0 } else { 6 };
                assert_eq!(first.status, Some(wanted), "{what}: {first:?}");
                let patient = scene.emulated_at("2027-02-10T13:00:00Z", &["apply", "--yes", "--wait", "15m"]);
                assert_eq!(patient.status, Some(0), "{what}: {patient:?}");
                assert_eq!(held(&scene.world()), Held::Secondary, "{what}");
                let keys = &scene.world().instances[&PROD].api_subscription;
                assert_eq!(keys.version, world.instances[&PROD].api_subscription.version + 1, "{what}: once");
            }
        }
    }
}

/// A vault that stops answering before anything was written: nothing is known, and nothing was refused.
#[test]
fn a_vault_that_fails_before_the_first_write_could_not_be_read() {
    for case in [Case::rotation(), Case::retirement(), Case::rotation_by_metadata(), Case::finish_of_a_rotation()] {
        let requests = case.undisturbed();
        let first = requests.iter().position(crate::live::is_write).unwrap();
        let reads = requests[..first].iter().filter(|seen| seen.path.starts_with("/secrets/")).count();
        for from in 1..=reads {
            let rules: String = (from..from + 200)
                .map(|nth| {
                    format!("- {{ operation: GET /secrets/*, nth: {nth}, action: {{ status: {{ code: 403 }} }} }}\n")
                })
                .collect();
            let room = case.faulty(&rules);
            let run = room.apply();
            assert_eq!(room.live.writes(), NOTHING, "{}: from read {from}", case.name);
            assert_eq!(run.status, Some(3), "{}: from read {from}: {run:?}", case.name);
        }
    }
}

/// Ages and grace are counted from two clocks: nothing dies unless the vault's is proved to agree.
#[test]
fn without_one_good_date_nothing_is_rotated_or_retired_and_repairs_go_on() {
    let good = "Wed, 10 Feb 2027 12:00:00 GMT";
    let late = "Thu, 18 Feb 2027 12:00:00 GMT";
    for dates in [
        "[]".to_owned(),
        "[yesterday]".to_owned(),
        "['']".to_owned(),
        format!("['{good}', '{late}']"),
        format!("['{late}', '{late}']"),
    ] {
        let rules = format!("- {{ operation: /secrets/*, action: {{ headers: {{ Date: {dates} }} }} }}");
        for case in [Case::rotation(), Case::retirement(), Case::rotation_by_metadata(), Case::retirement_by_metadata()]
        {
            let room = case.faulty(&rules);
            room.apply().ended(3).says("clock-skew");
            assert_eq!(
                (room.live.writes(), room.regenerated()),
                (NOTHING.map(str::to_owned).to_vec(), [0, 0]),
                "{dates}: {}",
                case.name
            );
        }
        for case in
            [Case::repair(), Case::recovery(), Case::first_publication_with_access_off(), Case::finish_of_a_rotation()]
        {
            let room = case.faulty(&rules);
            room.apply();
            assert_eq!(room.held(), case.ends, "{dates}: {}", case.name);
        }
    }
}
