//! A year at each maximum: more versions than anybody reads, tags up to the vault's limit, one hour a week, the longest grace,
//! keys and reads that show late. Consumers hold a live key at the end of each run, and a year later nobody was asked.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use palisade::emulator::World;

use crate::moves::untouched;
use crate::rest::{stored, with_a_past};
use crate::room::{DECLARED, Held, Room, held, secret, secret_mut, slots};
use crate::support::{PROD, Run, Scene};

/// A Monday.
const FIRST_DAY: &str = "2026-11-23T12:00:30Z";
const WEEK: u64 = 168;
const RUNS: usize = 53;
/// Runs of a year with one a fortnight, where a run is long. A due date has room for that: `renewBefore` is 14 days.
const FEWER: usize = 27;

/// What a year came to.
#[derive(Default)]
struct Year {
    ends: BTreeMap<i32, usize>,
    values: BTreeSet<String>,
    held: BTreeSet<String>,
}

impl Year {
    fn note(&mut self, run: &Run, world: &World) {
        *self.ends.entry(run.status.unwrap()).or_default() += 1;
        if run.status != Some(0) {
            println!("{}{}", run.stdout, run.stderr);
        }
        assert!(held(world).is_live(), "{run:?}");
        self.values.extend(slots(world).unwrap());
        let current = secret(world).and_then(|secret| secret.current()).unwrap();
        self.held.insert(current.value.expose().to_owned());
    }

    /// How many keys consumers held in turn, and how many there were in all.
    fn tell(self, name: &str, world: &World) -> (usize, usize, BTreeMap<i32, usize>) {
        let versions = secret(world).map_or(0, |secret| secret.versions.len());
        let (published, made) = (self.held.len(), self.values.len());
        println!("{name}: runs ended {:?}; {made} keys, {published} published, {versions} versions", self.ends);
        (published, made, self.ends)
    }
}

/// So many runs in a year, and what happens to the world before each.
fn year(
    name: &str,
    keys: &str,
    (runs, past): (usize, usize),
    mut before: impl FnMut(&mut World, Timestamp),
) -> (usize, usize, BTreeMap<i32, usize>) {
    let configuration = format!("{DECLARED}{keys}");
    let first = Room::at(FIRST_DAY, &configuration, untouched());
    first.apply().ended(0);
    let mut room = Room::at(FIRST_DAY, &configuration, with_a_past(first.live.world(), past));
    let mut year = Year::default();
    for _ in 0..runs {
        let now = room.now;
        room = room.changed(|world| before(world, now));
        let run = room.apply();
        year.note(&run, &room.live.world());
        room.later(interval(runs));
    }
    // The last run did all there was to do, as the next one's plan shows at the same instant.
    let last = room.apply();
    year.note(&last, &room.live.world());
    *year.ends.entry(last.status.unwrap()).or_default() -= 1;
    room.run(&["plan", "--detailed-exitcode"]).ended(0);
    year.tell(name, &room.live.world())
}

const GOOD: [(i32, usize); 1] = [(0, RUNS)];
const FEWER_GOOD: [(i32, usize); 1] = [(0, FEWER)];

/// Hours between so many runs in a year.
const fn interval(runs: usize) -> u64 {
    if runs == RUNS { WEEK } else { 2 * WEEK }
}

/// A job stores the key in force again, several times a week, beside 150 versions from before.
fn stored_again_and_again(keys: &str) {
    let mut number = 1_000_000;
    let (published, made, ends) = year(&format!("versions {keys}"), keys, (FEWER, 150), |world, now| {
        let value = secret_mut(world).current().unwrap().value.expose().to_owned();
        let hours: Vec<i64> = (4..336).step_by(40).collect();
        for hours in hours.into_iter().rev() {
            number += 1;
            let created = now - SignedDuration::from_hours(hours);
            let current = secret(world).unwrap().current().unwrap().attributes.created;
            if created > current {
                secret_mut(world).versions.push(stored(number, &value, created));
            }
        }
    });
    assert_eq!(ends, BTreeMap::from(FEWER_GOOD), "{keys}");
    assert_eq!(published, 5, "{keys}");
    assert!(made >= published, "{made} made");
}

#[test]
fn a_year_with_hundreds_of_versions() {
    stored_again_and_again("");
}

#[test]
fn a_year_with_hundreds_of_versions_by_metadata() {
    stored_again_and_again("        verify: metadata\n");
}

/// Somebody gives each version as many tags as a vault takes.
#[test]
fn a_year_with_all_the_tags_that_a_vault_takes() {
    for keys in ["", "        verify: metadata\n"] {
        let (published, made, ends) = year(&format!("tags {keys}"), keys, (RUNS, 0), |world, _| {
            let tags = secret_mut(world).versions.last_mut().unwrap().tags.get_or_insert_default();
            for number in 0.. {
                if tags.len() == 15 {
                    break;
                }
                tags.insert(format!("theirs-{number:02}"), String::new());
            }
        });
        assert_eq!((published, ends), (5, BTreeMap::from(GOOD)), "{keys}");
        assert_eq!(made, 10, "{keys}: two at first, then each rotation and each retirement makes one");
    }
}

#[test]
fn a_year_with_one_hour_a_week() {
    let keys = "        windows: [\"Mon 12:00-13:00 UTC\"]\n";
    let (published, made, ends) = year("one hour a week", keys, (RUNS, 0), |_, _| {});
    assert_eq!((published, made, ends), (5, 10, BTreeMap::from(GOOD)));
}

/// A replaced key lives as long as a key may, so the next one is due before its predecessor may die.
#[test]
fn a_year_with_the_longest_grace() {
    let keys = "        grace: 90d\n        consumers: [{ name: slow, maxCache: 90d }]\n";
    let (published, _, ends) = year("the longest grace", keys, (RUNS, 0), |_, _| {});
    assert!(published >= 4, "{published}");
    assert!(ends.keys().all(|end| matches!(end, 0 | 6)), "{ends:?}");
}

/// By one clock, which waits move.
#[test]
fn a_year_with_keys_and_reads_that_show_late() {
    for keys in ["", "        verify: metadata\n"] {
        let scene = Scene::bare();
        scene.write("palisade.yaml", &format!("{DECLARED}{keys}"));
        let mut world = untouched();
        world.behaviour.api_key_propagation = SignedDuration::from_secs(70);
        world.behaviour.stale_reads = SignedDuration::from_secs(45);
        scene.keep_world(&world);
        let mut now: Timestamp = FIRST_DAY.parse().unwrap();
        let mut year = Year::default();
        for _ in 0..FEWER {
            let run = scene.emulated_at(&now.to_string(), &["apply", "--yes"]);
            year.note(&run, &scene.world());
            now += SignedDuration::from_hours(i64::try_from(interval(FEWER)).unwrap());
        }
        let (published, made, ends) = year.tell(&format!("late {keys}"), &scene.world());
        assert_eq!((published, made, ends), (5, 10, BTreeMap::from(FEWER_GOOD)), "{keys}");
        assert_ne!(held(&scene.world()), Held::Dead);
        assert!(scene.world().instances[&PROD].api_subscription.is_subscribed);
    }
}
