//! Two runs at once in one world. There is no lock, so one order of events can leave consumers with a dead key: it is
//! repaired by the survivor, or by the next run, and here it is measured for how long.
//!
//! One run is held at a write, before or after it takes effect; the other one goes from its beginning to its end; then the
//! first goes on. What two runs of one person can do, a request that was still on its way when its sender was killed can do
//! as well.

use std::collections::BTreeMap;

use palisade::emulator::Seen;

use crate::live::{Moment, is_write};
use crate::moves::Case;
use crate::room::{Held, Room};

/// For so many requests at most, of all runs together, consumers held a dead key until the survivor had repaired it.
const LONGEST_WITH_A_SURVIVOR: usize = 20;

/// So many requests of the next run at most, if nobody survives.
const LONGEST_OF_THE_NEXT_RUN: usize = 30;

/// Both runs and what came of them.
struct Interleaved {
    what: String,
    /// Requests that took effect while consumers held a dead key.
    dead: usize,
    regenerated: [usize; 2],
    holds: Held,
    ends: [i32; 2],
}

fn positions(requests: &[Seen]) -> Vec<usize> {
    (0..requests.len()).filter(|index| is_write(&requests[*index])).collect()
}

/// One run held at its request number `others`, the other one from beginning to end meanwhile.
fn interleave(case: &Case, moment: Moment, others: usize) -> (Interleaved, Room) {
    let room = case.room();
    let hold = room.live.hold_nth(moment, others);
    let slow = room.begin(&["apply", "--yes"]);
    hold.arrived();
    let quick = room.apply();
    hold.release();
    let slow = slow.end();
    let seen = Interleaved {
        what: format!("{}: {moment:?} request {others}", case.name),
        dead: room.dead(),
        regenerated: room.regenerated(),
        holds: room.held(),
        ends: [slow.status.unwrap(), quick.status.unwrap()],
    };
    for run in [&slow, &quick] {
        assert!(!run.stderr.contains("panicked"), "{}: {}", seen.what, run.stderr);
    }
    (seen, room)
}

/// What had been dead before doesn't count.
fn undamaged() -> Vec<Case> {
    let cases = Case::all().into_iter();
    cases.filter(|case| !case.broken).collect()
}

#[test]
fn two_runs_at_once_leave_consumers_with_a_key_that_works() {
    let mut worst: BTreeMap<&str, usize> = BTreeMap::new();
    let mut ends: BTreeMap<[i32; 2], usize> = BTreeMap::new();
    for case in undamaged() {
        for others in positions(&case.undisturbed()) {
            for moment in [Moment::Before, Moment::After] {
                let (seen, room) = interleave(&case, moment, others);
                let Interleaved { what, dead, regenerated, holds, ends: ended } = &seen;
                assert!(holds.is_live(), "{what}: the survivor has repaired it");
                assert!(*dead <= LONGEST_WITH_A_SURVIVOR, "{what}: {dead} requests");
                assert!(regenerated.iter().all(|count| *count <= 2), "{what}: {regenerated:?}");
                assert_ne!(ended[0], 6, "{what}: nothing is under way any more");
                assert!(ended[0] != 4 || moment == Moment::Before, "{what}: a run that wrote is never just refused");
                assert!(regenerated.contains(&0), "{what}: both slots within grace, {regenerated:?}");
                *ends.entry(*ended).or_default() += 1;
                let longest = worst.entry(case.name).or_default();
                *longest = (*longest).max(*dead);
                room.apply().ended(0);
                assert!(room.held().is_live(), "{what}");
            }
        }
    }
    println!("longest with a dead key, in requests: {worst:?}; exit codes of the held and the other run: {ends:?}");
}

/// The look just before a regeneration is what it rests on: whatever another run did until then is seen, and nothing is
/// regenerated. From that look to the request itself, a few reads later, nothing protects.
#[test]
fn what_another_run_did_before_the_last_look_is_seen() {
    for case in [Case::rotation(), Case::retirement()] {
        let requests = case.undisturbed();
        let end = if case.regenerates[0] > 0 { "/regenerateprimarykey" } else { "/regeneratesecondarykey" };
        let write = requests.iter().position(|seen| seen.path.ends_with(end)).unwrap();
        let begins = |seen: &Seen| seen.path.ends_with("/manage/apisubscription") || seen.path.ends_with("/kv-ci-prod");
        let last_of_two = (0..write).rfind(|index| begins(&requests[*index])).unwrap();
        let (seen, room) = interleave(&case, Moment::Before, last_of_two - 1);
        assert_eq!((seen.dead, seen.regenerated), (0, case.regenerates), "{}", seen.what);
        room.apply().ended(0);
        case.ends_well(&room);
    }
}

/// A regeneration that is still on its way when its sender dies, and lands after the next run has published that slot.
#[test]
fn a_regeneration_that_lands_after_its_sender_died_is_repaired_by_the_next_run() {
    {
        let case = Case::rotation();
        let room = case.room();
        let hold = room.live.hold(Moment::Before, "POST", "/regeneratesecondarykey");
        let landed = room.live.hold(Moment::After, "POST", "/regeneratesecondarykey");
        let run = room.begin(&["apply", "--yes"]);
        hold.arrived();
        run.kill();
        // The next run's own regeneration is the first to land.
        let next = room.begin(&["apply", "--yes"]);
        landed.arrived();
        landed.release();
        next.end().ended(0);
        assert_eq!((room.held(), room.dead()), (Held::Secondary, 0), "{}", case.name);
        let landed = room.live.hold(Moment::After, "POST", "/regeneratesecondarykey");
        hold.release();
        landed.arrived();
        assert_eq!(room.held(), Held::Dead, "{}", case.name);
        landed.release();
        let before = room.dead();
        room.apply().ended(0);
        let dead = room.dead() - before;
        println!("{}: dead for {dead} requests of the next run", case.name);
        assert!(dead <= LONGEST_OF_THE_NEXT_RUN, "{}: {dead}", case.name);
        assert_eq!((room.held(), room.regenerated()), (Held::Primary, [0, 2]), "{}: repaired, not rotated", case.name);
    }
}
