//! Runs that end in the middle of the chain: the same saved plan finishes it, and nothing is done twice.

use super::*;

fn approved() -> Scene {
    let scene = Scene::with(&prod(&on("kv-cmk", "lake-key", "")));
    planned(&scene);
    scene
}

#[track_caller]
fn finished(scene: &Scene, what: &str) {
    apply(scene).ended(0);
    let world = scene.world();
    assert_eq!(key(&world), is("Microsoft.Keyvault", "kv-cmk lake-key"), "{what}");
    assert_eq!(grants(&world).len(), 1, "{what}");
    in_sync(scene);
}

/// From the last look before the first write on; before that, it is as if the run had never been.
#[test]
fn a_run_that_is_killed_at_any_request_is_finished_by_the_same_plan() {
    let undisturbed = approved();
    let (plan, world) = (undisturbed.read("approved.plan"), undisturbed.world());
    let run = undisturbed.emulated(&["apply", "approved.plan", "-vv"]).ended(0);
    let before = run.stderr.lines().take_while(|line| !line.contains(&format!("PATCH {UPDATE}")));
    // The first request, of the emulator itself, is outside its faults.
    let looks = before.filter(|line| line.contains("palisade::requests: ")).count() - 1;
    let mut stages = Vec::new();
    for request in looks.. {
        let scene = Scene::bare();
        scene.write("palisade.yaml", &prod(&on("kv-cmk", "lake-key", "")));
        scene.write("approved.plan", &plan);
        scene.keep_world(&world);
        let crash = format!("- {{ operation: '*', nth: {request}, action: crash }}");
        let run = scene.faulty(&crash, &["apply", "approved.plan"]);
        if run.status == Some(0) {
            break;
        }
        assert_eq!(run.status, None, "{run:?}");
        let killed = scene.killed_world();
        let stage =
            (account(&killed).system_identity.is_some(), grants(&killed).len(), key(&killed).0.ends_with("vault"));
        finished(&scene, &format!("killed at the request {request}"));
        stages.push(stage);
    }
    stages.dedup();
    assert_eq!(stages, [(false, 0, false), (true, 0, false), (true, 1, false), (true, 1, true)]);
}

/// A write that may or may not have come through is looked for.
#[test]
fn a_lost_answer_changes_nothing_about_the_end() {
    for write in ["PATCH */storageAccounts/*", "PUT */roleAssignments/*"] {
        for (action, nth) in [("reset", 1), ("loseAnswer", 1), ("reset", 2), ("loseAnswer", 2)] {
            let scene = approved();
            let rule = format!("- {{ operation: {write}, nth: {nth}, action: {action} }}");
            scene.faulty(&rule, &["apply", "approved.plan"]);
            finished(&scene, &rule);
        }
    }
}
