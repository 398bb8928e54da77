//! A run that dies half-way can be finished by what approved it.

use crate::live::Moment;
use crate::moves::Case;
use crate::support::{PROD, give};

/// The saved plan of a move, killed after one of its writes, approves what is left of it.
#[test]
fn a_saved_plan_finishes_what_a_killed_run_began() {
    let table = [
        (Case::first_publication_with_access_off(), "PUT", "/activate"),
        (Case::rotation(), "POST", "/regeneratesecondarykey"),
        (Case::rotation_by_metadata(), "POST", "/regeneratesecondarykey"),
        (Case::retirement(), "POST", "/regenerateprimarykey"),
        (Case::retirement_by_metadata(), "POST", "/regenerateprimarykey"),
    ];
    for (case, method, end) in table {
        let room = case.room();
        room.run(&["plan", "--out", "plan.json"]).ended(0);
        let write = room.live.hold(Moment::After, method, end);
        let run = room.begin(&["apply", "plan.json"]);
        write.arrived();
        run.kill();
        write.release();
        let again = room.run(&["apply", "plan.json"]);
        assert_eq!(again.status, Some(case.exit()), "{}: {again:?}", case.name);
        assert_eq!((room.held(), room.regenerated()), (case.ends, case.regenerates), "{}", case.name);
        room.run(&["apply", "plan.json"]).ended(case.exit()).says("Everything approved is in effect already");
    }
}

/// What is held back until a window opens isn't in effect, although nothing asks for it.
#[test]
fn a_rotation_that_a_window_holds_back_waits() {
    let mut case = Case::rotation();
    case.configuration = format!("{}        windows: [\"Mon-Thu 08:00-15:00 Europe/Berlin\"]\n", case.configuration);
    let mut room = case.room();
    room.run(&["plan", "--out", "plan.json"]).ended(0).says("rotate apiAccess/keys/secondary");
    room.later(8);
    room.run(&["apply", "plan.json"]).ended(6).says("it isn't due now, or is held back");
    assert_eq!(room.regenerated(), [0, 0]);
    room.later(13);
    room.run(&["apply", "plan.json"]).ended(0).says("1 done");
    assert_eq!(room.regenerated(), [0, 1]);
}

/// A rotation that fell due after the approval of something else is left, and named.
#[test]
fn what_time_brought_is_left_for_another_run() {
    let case = Case::rotation();
    let users = "    users: { assignments: [{ user: ada@contoso.com, role: Viewer }] }\n";
    let configuration = format!("{}{users}", case.configuration);
    let mut world = case.world.clone();
    give(&mut world, PROD, "ada@contoso.com", "Contributor");
    let room = crate::room::Room::at("2027-01-01T12:00:00Z", &configuration, world);
    // Not due yet: the plan holds the one user only.
    room.run(&["plan", "--out", "plan.json"]).ended(0).says("1 change");
    let digest = room.run(&["plan", "--format", "json"]).json()["intentDigest"].as_str().unwrap().to_owned();
    let due = crate::room::Room::at(crate::moves::DUE, &configuration, room.live.world());
    let run = due.run(&["apply", "--approved", &digest, "--approved-until", "2027-12-31T00:00:00Z"]).ended(0);
    run.says("1 done").says("left").says("rotate prod/apiAccess/keys/secondary");
    assert_eq!(due.regenerated(), [0, 0]);
}
