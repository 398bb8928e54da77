//! Runs that end in the middle of the chain: the same saved plan finishes it, and nothing is done twice.

use super::*;

/// While an operation that was begun at [`NOW`] still goes on.
const MEANWHILE: &str = "2026-11-20T12:05:00Z";

/// An approved plan, in a world whose links take twenty minutes.
fn approved() -> Scene {
    let scene = scene(&plain(), |world| world.behaviour.encryption_operation_time = SignedDuration::from_mins(20));
    planned(&scene, NOW);
    scene
}

/// The same plan goes on with it at once, and finds it done later; what there may be only once is there once.
#[track_caller]
fn finished(scene: &Scene, what: &str) {
    gone_on(scene, what);
    apply(scene, LATER).ended(0).says("3 already in effect");
    assert_eq!(link(&scene.world()), is("cmk-eu", "Linked", true), "{what}");
    each_once(scene, what);
}

/// The same plan goes on with it at once.
#[track_caller]
fn gone_on(scene: &Scene, what: &str) {
    apply(scene, MEANWHILE).ended(6);
    each_once(scene, what);
}

#[track_caller]
fn each_once(scene: &Scene, what: &str) {
    let world = scene.world();
    assert_eq!(policies(&world).len(), 1, "{what}");
    assert_eq!(grants(&world), granted(&[("cmk-eu", "kv-cmk")]), "{what}");
    assert_eq!(operations(&world), ["NewCustomerManagedKey"], "{what}");
}

/// From the last look before the first write on; before that, it is as if the run had never been.
#[test]
fn a_run_that_is_killed_at_any_request_is_finished_by_the_same_plan() {
    let undisturbed = approved();
    let (plan, world) = (undisturbed.read("approved.plan"), undisturbed.world());
    let run = undisturbed.emulated(&["apply", "approved.plan", "-vv"]).ended(6);
    let before = run.stderr.lines().take_while(|line| !line.contains(&format!("PUT {PUT_POLICY}")));
    // The first request, of the emulator itself, is outside its faults.
    let looks = before.filter(|line| line.contains("palisade::requests: ")).count() - 1;
    let mut stages = Vec::new();
    for request in looks.. {
        let scene = Scene::bare();
        scene.write("palisade.yaml", &plain());
        scene.write("approved.plan", &plan);
        scene.keep_world(&world);
        let crash = format!("- {{ operation: '*', nth: {request}, action: crash }}");
        let run = scene.faulty(&crash, &["apply", "approved.plan"]);
        if run.status == Some(6) {
            break;
        }
        assert_eq!(run.status, None, "{run:?}");
        let killed = scene.killed_world();
        let stage = (policies(&killed).len(), grants(&killed).len(), operations(&killed).len());
        let what = format!("killed at the request {request}");
        // How it ends is seen once for each stage; after that, that the plan goes on and does nothing twice is what differs.
        match stages.last() == Some(&stage) {
            true => gone_on(&scene, &what),
            false => finished(&scene, &what),
        }
        stages.push(stage);
    }
    assert_eq!(stages[..2], [(0, 0, 0), (1, 0, 0)]);
    stages.dedup();
    assert_eq!(stages, [(0, 0, 0), (1, 0, 0), (1, 1, 0), (1, 1, 1)]);
}

/// A write that may or may not have come through is looked for, and not sent blindly once more.
#[test]
fn a_lost_answer_is_no_reason_to_do_it_twice() {
    const POST: &str = "POST */enterprisePolicies/encryption/link";
    // A policy is sent once, too: what came of it is looked for, and the next run goes on.
    let rules = [
        ("PUT */enterprisePolicies/*", "reset", 5, 0),
        ("PUT */enterprisePolicies/*", "loseAnswer", 6, 1),
        ("PUT */roleAssignments/*", "reset", 6, 1),
        ("PUT */roleAssignments/*", "loseAnswer", 6, 1),
        (POST, "reset", 5, 1),
        (POST, "loseAnswer", 6, 1),
    ];
    for (write, action, ended, links) in rules {
        let scene = approved();
        let rule = format!("- {{ operation: {write}, nth: 1, action: {action} }}");
        let run = scene.faulty(&rule, &["apply", "approved.plan", "-vv"]).ended(ended);
        assert_eq!(run.stderr.matches(POST_LINK).count(), links, "{}", run.stderr);
        finished(&scene, &rule);
    }
}
