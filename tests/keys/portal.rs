//! Somebody regenerates a key in the portal: before a run, between plan and apply, and at the requests of a run.
//!
//! What must stay true: the plan says what happened; what is put right is put right by publishing, never by regenerating;
//! an approval of something else is no approval of it.

use crate::live::Moment;
use crate::moves::{Case, DUE, published, rotated};
use crate::room::{DECLARED, Dice, Held, Room};
use crate::support::Run;

/// Weeks before the first key falls due.
const QUIET: &str = "2026-12-01T12:00:00Z";

/// For so many requests at most, of the run and the next one, consumers hold the key that somebody killed during a run.
const LONGEST: usize = 56;

/// What a plan says, without what depends on everything.
pub(crate) fn without_digests(run: &Run) -> String {
    let lines = run.stdout.lines().filter(|line| !line.starts_with("Intent "));
    lines.map(|line| format!("{line}\n")).collect()
}

#[test]
fn what_an_engineer_sees_when_the_published_key_was_regenerated() {
    let room = Room::at(QUIET, DECLARED, published());
    room.regenerate_by_hand("primary");
    assert_eq!(room.held(), Held::Dead);
    insta::assert_snapshot!(without_digests(&room.plan().ended(0)), @r"
    Target: tenant 7b1f0c52-0000-4000-8000-0000000000aa in the emulator's world 00000000-0000-4000-8000-000000000001

    prod (Contoso prod, europe, instance 6f2b1c34-0000-4000-8000-00000000a001)
      ~ publish apiAccess/keys/secondary  a dead key -> secondary  neutral
          API keys, published as ci-api-key in kv-ci-prod: consumers hold a key that is in neither slot, so their calls fail: somebody regenerated the published key; secondary is published, nothing is regenerated (palisade.yaml:11:9)
      warning[consumers-cut-off] apiAccess/keys: whoever uses the published key is cut off until then (palisade.yaml:11:9)
      1 in sync

    Plan: 1 change (1 neutral); 1 in sync.
    ");
    let drift = room.run(&["drift"]).ended(2);
    assert!(drift.stdout.contains("consumers-cut-off"), "{}", drift.stdout);
    insta::assert_snapshot!(room.apply().ended(0).stderr, @r#"
    prod/apiAccess/keys/secondary: publish what a fresh read returned (secondary)
    prod/apiAccess/keys/secondary: compare vault and slots again (secondary)
    prod/apiAccess/keys/secondary: done
    "#);
    assert_eq!((room.held(), room.regenerated()), (Held::Secondary, [0, 0]));
    insta::assert_snapshot!(without_digests(&room.plan().ended(0)), @r"
    Target: tenant 7b1f0c52-0000-4000-8000-0000000000aa in the emulator's world 00000000-0000-4000-8000-000000000001

    prod (Contoso prod, europe, instance 6f2b1c34-0000-4000-8000-00000000a001)
      warning[rotation-warning] apiAccess/keys: nobody knows when the published key was issued; its age counts from its publication (palisade.yaml:11:9)
      warning[rotation-warning] apiAccess/keys: a former key stopped working before its grace was over at 2026-12-08T12:00:00Z: whoever hasn't read the secret since it was replaced is cut off (palisade.yaml:11:9)
      note[rotation-schedule] apiAccess/keys: primary is standby; secondary was first published just now, nobody knows when it was issued, due in 76 days; nothing to do; next rotation due 2027-02-15T20:38:07Z
      2 in sync

    No changes: everything declared was read and is in sync; 2 in sync.
    ");
}

#[test]
fn what_an_engineer_sees_when_the_standby_key_was_regenerated() {
    let room = Room::at(QUIET, DECLARED, published());
    room.regenerate_by_hand("secondary");
    insta::assert_snapshot!(without_digests(&room.plan().ended(0)), @"
    Target: tenant 7b1f0c52-0000-4000-8000-0000000000aa in the emulator's world 00000000-0000-4000-8000-000000000001

    prod (Contoso prod, europe, instance 6f2b1c34-0000-4000-8000-00000000a001)
      note[rotation-schedule] apiAccess/keys: secondary is standby; primary was issued 11 days ago, due in 65 days; nothing to do; next rotation due 2027-02-04T20:38:07Z
      2 in sync

    No changes: everything declared was read and is in sync; 2 in sync.
    ");
    // In the middle of a grace, those who still use the former key are cut off; there is nothing to repair in the vault.
    let mut room = Room::at(DUE, DECLARED, rotated());
    room.later(24);
    room.regenerate_by_hand("primary");
    insta::assert_snapshot!(without_digests(&room.plan().ended(0)), @r"
    Target: tenant 7b1f0c52-0000-4000-8000-0000000000aa in the emulator's world 00000000-0000-4000-8000-000000000001

    prod (Contoso prod, europe, instance 6f2b1c34-0000-4000-8000-00000000a001)
      warning[rotation-warning] apiAccess/keys: a former key stopped working before its grace was over at 2027-02-17T12:00:00Z: whoever hasn't read the secret since it was replaced is cut off (palisade.yaml:11:9)
      note[rotation-schedule] apiAccess/keys: primary is standby; secondary was issued 24 hours ago, due in 75 days; nothing to do; next rotation due 2027-04-27T20:38:07Z
      2 in sync

    No changes: everything declared was read and is in sync; 2 in sync.
    ");
}

#[test]
fn what_an_engineer_sees_when_both_keys_were_regenerated() {
    let room = Room::at(QUIET, DECLARED, published());
    room.regenerate_by_hand("primary");
    room.regenerate_by_hand("secondary");
    insta::assert_snapshot!(without_digests(&room.plan().ended(0)), @r"
    Target: tenant 7b1f0c52-0000-4000-8000-0000000000aa in the emulator's world 00000000-0000-4000-8000-000000000001

    prod (Contoso prod, europe, instance 6f2b1c34-0000-4000-8000-00000000a001)
      ~ publish apiAccess/keys/secondary  a dead key -> secondary  neutral
          API keys, published as ci-api-key in kv-ci-prod: consumers hold a key that is in neither slot, so their calls fail: somebody regenerated the published key; secondary is published, nothing is regenerated (palisade.yaml:11:9)
      warning[consumers-cut-off] apiAccess/keys: whoever uses the published key is cut off until then (palisade.yaml:11:9)
      1 in sync

    Plan: 1 change (1 neutral); 1 in sync.
    ");
    room.apply().ended(0);
    assert_eq!((room.held().is_live(), room.regenerated()), (true, [0, 0]));
}

/// An approved rotation is one of the keys and the secret that it names, whichever slot is the standby; it is no approval of a
/// repair.
#[test]
fn a_saved_plan_approves_what_is_due_and_no_repair() {
    for (slot, repair) in [("primary", true), ("secondary", false)] {
        let room = Room::at(DUE, DECLARED, published());
        room.run(&["plan", "--out", "plan.json"]).ended(0).says("rotate apiAccess/keys/secondary");
        room.regenerate_by_hand(slot);
        let writes = room.live.writes().len();
        let run = room.run(&["apply", "plan.json"]);
        if repair {
            let run = run.ended(4);
            assert!(run.stderr.contains("+ prod/apiAccess/keys publish"), "{}", run.stderr);
            assert_eq!(room.live.writes().len(), writes, "nothing done");
            room.apply().ended(0);
        } else {
            run.ended(0).says("1 done");
        }
        assert_eq!(room.held(), Held::Secondary, "{slot}");
    }
}

/// Between the trial of the new key and its publication: what was tried is dead by then, and isn't published.
#[test]
fn what_is_published_is_what_a_fresh_read_returned() {
    for case in [Case::rotation(), Case::rotation_by_metadata(), Case::finish_of_a_rotation()] {
        let room = case.room();
        let tried = room.live.hold(Moment::After, "GET", "/v1/instances");
        let run = room.begin(&["apply", "--yes"]);
        tried.arrived();
        room.regenerate_by_hand("secondary");
        tried.release();
        run.end().ended(0);
        assert_eq!((room.held(), room.dead()), (Held::Secondary, 0), "{}", case.name);
        assert_eq!(room.regenerated(), case.regenerates, "{}", case.name);
    }
}

/// At the requests of a run, sampled by a fixed seed.
#[test]
fn whenever_it_happens_during_a_run_it_is_repaired_without_regenerating() {
    let mut dice = Dice::seeded(3);
    let (mut count, mut longest) = (0, 0);
    for case in [Case::rotation(), Case::retirement(), Case::repair(), Case::first_publication_with_access_on()] {
        let requests = case.undisturbed().len();
        for slot in ["primary", "secondary"] {
            let mut others = dice.roll(8) as usize;
            while others < requests {
                longest = longest.max(by_hand_during(&case, slot, others));
                count += 1;
                others += 9 + dice.roll(18) as usize;
            }
        }
    }
    assert!(longest <= LONGEST, "{longest} requests");
    println!("{count} keys regenerated by hand during runs; dead for at most {longest} requests, of two runs");
}

/// Tells for how many requests consumers then held a dead key.
fn by_hand_during(case: &Case, slot: &str, others: usize) -> usize {
    let what = format!("{}: {slot} before request {others}", case.name);
    let room = case.room();
    let hold = room.live.hold_nth(Moment::Before, others);
    let run = room.begin(&["apply", "--yes"]);
    hold.arrived();
    room.regenerate_by_hand(slot);
    let before = room.dead();
    hold.release();
    let run = run.end();
    assert!(matches!(run.status, Some(0 | 4 | 5 | 6)) && !run.stderr.contains("panicked"), "{what}: {run:?}");
    let regenerated = room.regenerated();
    assert!(regenerated.contains(&0) && regenerated.iter().all(|times| *times <= 1), "{what}: {regenerated:?}");
    let next = room.apply();
    assert!(matches!(next.status, Some(0 | 6)), "{what}: {next:?}");
    assert!(room.held().is_live(), "{what}");
    let after = room.regenerated();
    assert!(after.contains(&0) && after.iter().all(|times| *times <= 1), "{what}: {after:?}");
    room.dead() - before
}
