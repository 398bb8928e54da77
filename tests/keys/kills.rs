//! The binary killed at the request boundaries of every move, once before the service took the request up and once after
//! it took effect.
//!
//! At the instant of the kill, consumers hold a live key unless somebody else had broken that; the next run goes on from
//! whatever is there, and then nothing is left to do. Kills that leave the very same world need one next run only: what a
//! run does depends on the world alone. The boundaries of writes are all taken, those of reads, which leave what was there,
//! by a fixed seed; with `PALISADE_EVERY_BOUNDARY` in the environment, all of them.

use std::collections::BTreeMap;

use palisade::emulator::{Seen, World};

use crate::live::{Moment, is_write};
use crate::moves::Case;
use crate::room::{Dice, Held, Room, held};

/// One in so many boundaries of reads.
const SAMPLED: u64 = 24;

/// Kills at each boundary, and heals.
fn kill_everywhere(case: &Case) {
    let requests = case.undisturbed();
    let mut kills = 0;
    let mut worlds: Vec<(World, [usize; 2])> = Vec::new();
    let mut died_with: BTreeMap<String, usize> = BTreeMap::new();
    for (moment, others) in boundaries(&requests) {
        let (world, regenerated) = killed_at(case, moment, others);
        kills += 1;
        let holding = held(&world);
        assert!(case.broken || holding.is_live(), "{}: {moment:?} request {others}, {holding:?}", case.name);
        *died_with.entry(format!("{holding:?}")).or_default() += 1;
        if !worlds.contains(&(world.clone(), regenerated)) {
            heals(case, &world, regenerated);
            worlds.push((world, regenerated));
        }
    }
    let writes = requests.iter().filter(|seen| is_write(seen)).count();
    assert_eq!(worlds.len(), writes + 1, "{}: each write leaves a world of its own, a read none", case.name);
    println!(
        "{}: {} requests, {writes} of them writes; {kills} kills left {} worlds, consumers held {died_with:?}",
        case.name,
        requests.len(),
        worlds.len(),
    );
}

/// Where to kill: next to each write, and sampled elsewhere.
fn boundaries(requests: &[Seen]) -> Vec<(Moment, usize)> {
    let mut dice = Dice::seeded(requests.len() as u64);
    let every = std::env::var_os("PALISADE_EVERY_BOUNDARY").is_some();
    let writes = |index: usize| requests.get(index).is_some_and(is_write);
    let mut chosen = Vec::new();
    for moment in [Moment::Before, Moment::After] {
        for index in 0..requests.len() {
            let next_to_a_write = writes(index) || index > 0 && writes(index - 1);
            let edge = index == 0 || index + 1 == requests.len();
            if every | next_to_a_write | edge | (dice.roll(SAMPLED) == 0) {
                chosen.push((moment, index));
            }
        }
    }
    chosen
}

/// What is left when the run dies at a boundary. A request that is held before it was taken up never is.
fn killed_at(case: &Case, moment: Moment, others: usize) -> (World, [usize; 2]) {
    let room = case.room();
    let hold = room.live.hold_nth(moment, others);
    let run = room.begin(&["apply", "--yes"]);
    hold.arrived();
    run.kill();
    let left = (room.live.world(), room.regenerated());
    // The emulator first: letting go of the request would have it handled after all.
    drop(room);
    drop(hold);
    left
}

/// The next run, at once and a day later.
fn heals(case: &Case, world: &World, before: [usize; 2]) {
    for hours in [0, 24] {
        let mut room = Room::at(case.now, &case.configuration, world.clone());
        room.later(hours);
        let next = room.apply();
        assert!(next.status == Some(0) || case.waits() && next.status == Some(6), "{}: {next:?}", case.name);
        let regenerated = room.regenerated();
        let all = [before[0] + regenerated[0], before[1] + regenerated[1]];
        assert_eq!(all, case.regenerates, "{}: regenerated in all, {hours} hours later", case.name);
        case.ends_well(&room);
    }
}

macro_rules! killed_everywhere {
    ($($name:ident)+) => {$(
        #[test]
        fn $name() {
            kill_everywhere(&Case::$name());
        }
    )+};
}

killed_everywhere! {
    first_publication_with_access_off
    first_publication_with_access_on
    rotation
    rotation_by_metadata
    retirement
    retirement_by_metadata
    repair
    finish_of_a_rotation
    finish_of_a_retirement
    recovery
}

#[test]
fn what_consumers_hold_is_told_apart() {
    let mut world = crate::moves::published();
    assert_eq!(held(&world), Held::Primary);
    crate::room::secret_mut(&mut world).versions.last_mut().unwrap().attributes.enabled = false;
    assert_eq!(held(&world), Held::Blocked);
    assert_eq!(held(&crate::moves::untouched()), Held::Nothing);
}
