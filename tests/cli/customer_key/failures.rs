//! Operations that fail, lists that can't be read, conflicts, and effects that show late.

use std::process::Stdio;

use palisade::emulator::{LifecycleOperation, LifecycleWork};

use super::*;
use crate::live::{Live, Moment};
use crate::support::changes;

/// A failure is tried once more, with what the service said of it, and then left to a person.
#[test]
fn what_failed_is_tried_once_more_and_then_left_to_a_person() {
    let scene = scene(&plain(), |world| world.behaviour.lifecycle_operations_fail = true);
    planned(&scene, NOW);
    apply(&scene, NOW).ended(6);
    let run = scene.emulated_at(LATER, &["plan", "--out", "approved.plan"]).ended(0);
    run.says("it was tried before and failed: NewCustomerManagedKey failed at the stage Run: The world says that");
    scene.emulated_at(LATER, &["apply", "approved.plan", "--wait", "5m"]).ended(5).says("failed at the stage Run");
    let run = scene.emulated_at(STILL_LATER, &["plan", "--detailed-exitcode"]).ended(6);
    run.says("customerManagedKey (for a person)").says("failed 2 times in a row");
    sent_no_link(&scene.emulated_at(STILL_LATER, &["apply", "--yes", "-vv"]).ended(6));
    scene.emulated_at(STILL_LATER, &["drift"]).ended(6);
    let world = scene.world();
    assert_eq!(operations(&world), ["NewCustomerManagedKey"; 2]);
    assert_eq!(link(&world), is("cmk-eu", "Failed", false));
}

/// After a swap that failed, the former key is still in force: both ways on are open, and neither begins with an unlink.
#[test]
fn a_swap_that_failed_leaves_the_former_key_in_force() {
    let scene = linked(&plain());
    scene.change_world(|world| world.behaviour.lifecycle_operations_fail = true);
    let former = retained("cmk-eu", &key("pp-key", "kv-cmk", ""));
    let swapped = on("cmk-eu-2", &key("pp-key-2", "kv-cmk", ""), &former);
    scene.write("palisade.yaml", &swapped);
    // The success of less than an hour ago is that of the link which shows.
    planned(&scene, LATER);
    apply(&scene, LATER).ended(6);
    scene.emulated_at(STILL_LATER, &["drift"]).ended(2).says("RotateCustomerManagedKey failed at the stage Run");
    scene.change_world(|world| world.behaviour.lifecycle_operations_fail = false);
    let world = scene.world();
    for (configuration, policy) in [(&swapped, "cmk-eu-2"), (&plain(), "cmk-eu")] {
        scene.keep_world(&world);
        scene.write("palisade.yaml", configuration);
        assert_eq!(changes(&planned(&scene, STILL_LATER)), ["link prod/customerManagedKey"]);
        apply(&scene, STILL_LATER).ended(6);
        apply(&scene, MUCH_LATER).ended(0);
        let world = scene.world();
        assert_eq!(link(&world), is(policy, "Linked", true));
        let swap = "RotateCustomerManagedKey";
        assert_eq!(operations(&world), ["NewCustomerManagedKey", swap, swap]);
    }
}

/// A revert that fails is tried once more, like a link; the customer's key stays in force.
#[test]
fn a_revert_that_failed_is_tried_once_more_and_then_left_to_a_person() {
    let scene = linked(&plain());
    scene.change_world(|world| world.behaviour.lifecycle_operations_fail = true);
    scene.write("palisade.yaml", &prod("    customerManagedKey: { managedBy: microsoft }\n"));
    for now in [LATER, STILL_LATER] {
        assert_eq!(changes(&planned(&scene, now)), ["unlink prod/customerManagedKey"]);
        apply(&scene, now).ended(6);
    }
    let run = scene.emulated_at(MUCH_LATER, &["plan", "--detailed-exitcode"]).ended(6);
    run.says("customerManagedKey (for a person)").says("failed 2 times in a row");
    sent_no_link(&scene.emulated_at(MUCH_LATER, &["apply", "--yes", "-vv"]).ended(6));
    let world = scene.world();
    assert_eq!(operations(&world)[1..], ["RevertToMicrosoftKey", "RevertToMicrosoftKey"]);
    assert_eq!(link(&world), is("cmk-eu", "Failed", true));
}

/// Without the whole list, it isn't known whether something goes on.
#[test]
fn a_list_that_can_not_be_read_to_its_end_is_unknown_and_nothing_is_begun() {
    let list =
        |nth: &str| format!("- {{ operation: GET */lifecycleOperations, {nth}action: {{ status: {{ code: 403 }} }} }}");
    let scene = scene(&plain(), |world| {
        world.behaviour.power_platform_page = 1;
        past(world, "Backup", 0);
        past(world, "Copy", 1);
    });
    planned(&scene, NOW);
    // The first page alone would say that nothing goes on.
    for rules in [list(""), list("nth: 2, ")] {
        scene.faulty(&rules, &["plan"]).ended(3).says("? unknown customerManagedKey").says("403");
        sent_no_link(&scene.faulty(&rules, &["apply", "approved.plan", "-vv"]).ended(3));
        sent_no_link(&scene.faulty(&rules, &["apply", "--yes", "-vv"]).ended(3));
        assert_eq!(policies(&scene.world()).len(), 0);
    }
    // Nor is what is linked known to be in sync.
    apply(&scene, NOW).ended(6);
    scene.emulated_at(LATER, &["drift"]).ended(0);
    scene.emulated_at(LATER, &["drift", "--emulator-faults", "faults.yaml"]).ended(3);
}

/// An operation on the environment that is over.
fn past(world: &mut World, kind: &str, number: u128) {
    let operation = going_on(kind, "2026-10-01T00:00:00Z", "2026-10-01T00:01:00Z");
    world.lifecycle_operations.insert(Uuid::from_u128(0xbac0 + number), operation);
}

fn going_on(kind: &str, started: &str, ends: &str) -> LifecycleOperation {
    LifecycleOperation {
        environment: ENVIRONMENT.to_owned(),
        kind: kind.to_owned(),
        started: at(started),
        ends: at(ends),
        requested_by: Uuid::nil(),
        work: LifecycleWork::Enable,
        before: None,
        failure: None,
        applied: false,
    }
}

/// Something else begins between the last look and the request: with and without a body, the conflict is no failure.
#[test]
fn a_conflict_with_another_operation_waits() {
    const READ: &str = "GET lifecycle-operations-list";
    let scene = Scene::with(&plain());
    planned(&scene, NOW);
    let world = scene.world();
    let run = scene.emulated(&["apply", "approved.plan", "-vv"]).ended(6);
    let before = run.stderr.split_once(POST_LINK).unwrap().0.matches(READ).count();
    let backup = "{ id: o, type: { id: Backup }, state: { id: Running } }";
    for body in ["", ", body: { code: OperationNotStartable, message: An operation is running. }"] {
        scene.keep_world(&world);
        let conflict = "operation: POST */enterprisePolicies/encryption/link";
        let mut rules = format!("- {{ {conflict}, action: {{ status: {{ code: 409{body} }} }} }}\n");
        for nth in before + 1..before + 9 {
            rules += &format!(
                "- {{ operation: GET */lifecycleOperations, nth: {nth}, action: {{ status: {{ code: 200, body: {{ value: [{backup}] }} }} }} }}\n"
            );
        }
        let run = scene.faulty(&rules, &["apply", "approved.plan", "-vv"]).ended(6).says("2 done, 1 waiting");
        assert_eq!(run.stderr.matches(POST_LINK).count(), 1, "{}", run.stderr);
        run.says("Power Platform is at work on the environment (Backup");
        apply(&scene, LATER).ended(6);
        apply(&scene, STILL_LATER).ended(0);
        assert_eq!(operations(&scene.world()), ["NewCustomerManagedKey"]);
    }
}

/// One that the look finds is waited for, and nothing is sent.
#[test]
fn nothing_is_begun_while_something_else_goes_on() {
    let scene = scene(&plain(), |world| {
        let backup = going_on("Backup", NOW, "2026-11-20T12:30:00Z");
        world.lifecycle_operations.insert(Uuid::from_u128(0xbac0), backup);
    });
    planned(&scene, NOW);
    let run = scene.emulated(&["apply", "approved.plan", "-vv"]).ended(6).says("Backup");
    sent_no_link(&run);
    apply(&scene, LATER).ended(6);
    apply(&scene, STILL_LATER).ended(0);
    assert_eq!(link(&scene.world()), is("cmk-eu", "Linked", true));
}

/// Two runs of one plan: the second one finds at its request that the first one's operation goes on.
#[test]
fn a_conflict_with_the_same_operation_is_no_failure() {
    let (one, other) = (Scene::with(&plain()), Scene::with(&plain()));
    planned(&one, NOW);
    other.write("approved.plan", &one.read("approved.plan"));
    let live = Live::serving(one.world());
    let arguments = ["apply", "approved.plan", "--now", NOW, &live.argument()];
    let hold = live.hold(Moment::Before, "POST", "/enterprisePolicies/Encryption/link");
    let mut late = other.command(&arguments);
    let late = late.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    hold.arrived();
    one.run(&arguments).ended(6);
    hold.release();
    let run = Run::of(&late.wait_with_output().unwrap());
    run.ended(6).says("Power Platform is at work on it (NewCustomerManagedKey").says("2 done, 1 waiting");
    assert_eq!(operations(&live.world()), ["NewCustomerManagedKey"]);
}

/// A success that shows late is waited for, and not begun again.
#[test]
fn a_success_that_shows_late_is_not_repeated() {
    let scene = scene(&plain(), |world| {
        world.behaviour.encryption_operation_time = SignedDuration::from_secs(1);
        world.behaviour.lifecycle_stale_reads = 500;
    });
    planned(&scene, NOW);
    scene.emulated(&["apply", "approved.plan", "--wait", "5s"]).ended(6).says("its effect doesn't show yet");
    let soon = "2026-11-20T12:02:00Z";
    scene.emulated_at(soon, &["plan", "--detailed-exitcode"]).ended(6).says("customerManagedKey (for the service)");
    for arguments in [["apply", "--yes", "-vv"], ["apply", "approved.plan", "-vv"]] {
        sent_no_link(&scene.emulated_at(soon, &arguments).ended(6));
    }
    assert_eq!(operations(&scene.world()), ["NewCustomerManagedKey"]);
}
