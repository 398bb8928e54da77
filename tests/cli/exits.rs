//! The seven exit codes, one by one, and which wins if several hold.

use serde_json::{Value as Json, json};

use crate::support::{API_ON, EXACT, NOW, PROD, Run, Scene, THREE, give, roles};

const LIST_FORBIDDEN: &str = "- { operation: GET */rbac/assignments, action: { status: { code: 403 } } }\n";

/// A scene where everything is as declared.
fn settled(configuration: &str) -> Scene {
    let scene = Scene::with(configuration);
    scene.emulated(&["apply", "--yes"]).ended(0);
    std::fs::remove_file(scene.path(".palisade/journal.jsonl")).unwrap();
    scene
}

/// A scene in which `zoe` is to be removed, and reads show the old state for ten minutes after a write.
fn stale() -> Scene {
    let scene = settled(EXACT);
    scene.change_world(|world| {
        give(world, PROD, "zoe@contoso.com", "Viewer");
        world.behaviour.stale_reads = "PT10M".parse().unwrap();
    });
    scene
}

#[test]
fn zero_is_in_sync_or_done_or_a_plan_that_can_be_applied() {
    let scene = Scene::with(EXACT);
    scene.emulated(&["plan"]).ended(0);
    scene.emulated(&["apply", "--yes"]).ended(0);
    scene.emulated(&["drift"]).ended(0);
    scene.emulated(&["plan", "--detailed-exitcode"]).ended(0);
}

#[test]
fn one_is_an_error() {
    let scene = Scene::with(EXACT);
    scene.write("broken.yaml", "version: 2\n");
    scene.emulated(&["plan", "-f", "broken.yaml"]).ended(1);
    let token = "- { operation: POST */oauth2/v2.0/token, action: { status: { code: 401 } } }";
    for command in [&["plan"] as &[&str], &["drift"], &["apply", "--yes"]] {
        scene.faulty(token, command).ended(1).complains("signing in failed");
    }
    scene
        .run(&["plan", "--emulator=http://127.0.0.1:9", "--now", NOW])
        .ended(1)
        .complains("no palisade emulator answers");
    scene.run(&["plan", "--emulator=http://10.0.0.1:80"]).ended(1).complains("loopback");
    scene.run(&["plan", "--emulator=https://127.0.0.1:443"]).ended(1).complains("loopback");
    scene.emulated(&["plan", "--emulator-faults", "missing.yaml"]).ended(1).complains("missing.yaml");
    scene.faulty("- { operation: nonsense, action: reset }", &["plan"]).ended(1).complains("rule 1");
}

#[test]
fn two_is_pending_changes_and_only_on_demand() {
    let scene = Scene::with(EXACT);
    scene.emulated(&["plan", "--detailed-exitcode"]).ended(2);
    scene.emulated(&["drift"]).ended(2);
    scene.emulated(&["drift", "--format", "json"]).ended(2);
}

#[test]
fn three_is_unknown_and_never_silent() {
    let scene = Scene::with(EXACT);
    for command in [&["plan"] as &[&str], &["plan", "--detailed-exitcode"], &["drift"]] {
        scene.faulty(LIST_FORBIDDEN, command).ended(3).says("? unknown").says("could not be read");
    }
    scene.faulty(LIST_FORBIDDEN, &["apply", "--yes"]).ended(3).says("? unknown");
}

/// No self-lockout: three ways to lose access.
#[test]
fn four_is_a_guards_refusal_and_nothing_is_written() {
    let palisade = "        - { app: palisade, id: 8f14e45f-0000-4000-8000-0000000000c1, role: Admin }\n";
    let grace = "        - { user: grace@contoso.com, role: Admin }\n";
    let ada = "        - { user: ada@contoso.com, role: Admin }\n";
    let viewer = palisade.replace("role: Admin", "role: Viewer");
    let zoe = "        - { user: zoe@contoso.com, role: Viewer }\n";
    let protected = "      breakGlass: [zoe@contoso.com]\n";
    let cases = [
        ("self-lockout", EXACT.replace(palisade, "")),
        ("self-lockout", EXACT.replace(palisade, &viewer)),
        ("last-admin", EXACT.replace(ada, "").replace(grace, "")),
        ("last-admin", EXACT.replace(ada, &ada.replace("Admin", "Viewer")).replace(grace, "")),
        ("break-glass", format!("{EXACT}{protected}")),
        ("break-glass", EXACT.replace("match: exact", "match: atLeast") + zoe + protected),
    ];
    for (code, configuration) in cases {
        let scene = settled(EXACT);
        scene.change_world(|world| give(world, PROD, "zoe@contoso.com", "Contributor"));
        let before = scene.world();
        scene.write("palisade.yaml", &configuration);
        for command in [&["plan"] as &[&str], &["plan", "--detailed-exitcode"], &["drift"]] {
            scene.emulated(command).ended(4).says(&format!("error[{code}]")).says("Refused");
        }
        scene.emulated(&["apply", "--yes"]).ended(4).complains("prod is refused; nothing was done");
        scene.emulated(&["plan", "--out", "plan.json"]).ended(4);
        scene.emulated(&["apply", "plan.json"]).ended(4);
        assert_eq!(scene.world(), before, "{code}");
        assert!(scene.journal().is_empty(), "{code}");
        scene.run(&["explain", code]).ended(0);
    }
}

/// Another environment behind the same id is refused.
#[test]
fn four_is_also_another_environment_than_the_one_meant() {
    let scene = settled(EXACT);
    scene.change_world(|world| {
        give(world, PROD, "zoe@contoso.com", "Viewer");
        world.instances.get_mut(&PROD).unwrap().metadata.name = Some("Fabrikam prod".to_owned());
    });
    scene.emulated(&["drift"]).ended(4).says("error[name-mismatch]").says("Fabrikam prod");
    scene.emulated(&["apply", "--yes"]).ended(4);
    let elsewhere = "- { operation: GET /api/instances, action: { status: { code: 200, body: [ { instanceId: \
                     6f2b1c34-0000-4000-8000-00000000a001, tenantId: 99999999-0000-4000-8000-0000000000aa } ] } } }";
    scene.faulty(elsewhere, &["apply", "--yes"]).ended(4).says("error[tenant-mismatch]");
    scene.change_world(|world| {
        world.instances.get_mut(&PROD).unwrap().metadata.name = Some("Contoso prod".to_owned());
        world.instances.get_mut(&PROD).unwrap().metadata.provisioning_state = "updating".to_owned();
    });
    scene.emulated(&["apply", "--yes"]).ended(4).says("error[not-active]");
    assert_eq!(roles(&scene.world(), PROD, "zoe@contoso.com"), ["Viewer"]);
}

#[test]
fn five_is_a_run_that_stopped_part_way() {
    let scene = Scene::with(EXACT);
    let rules = "- { operation: PUT */assignment, nth: 2, action: { status: { code: 403 } } }";
    let run = scene.faulty(rules, &["apply", "--yes", "--format", "json"]).ended(5);
    let outcomes = run.outcomes();
    let statuses: Vec<_> = outcomes.iter().map(|(_, status)| status.as_str()).collect();
    assert_eq!(statuses, ["done", "failed", "notStarted"]);
    assert_eq!(roles(&scene.world(), PROD, "creator@contoso.com"), ["Admin"], "nothing is taken away after a failure");
    scene.emulated(&["apply", "--yes"]).ended(0);
    scene.emulated(&["drift"]).ended(0);
}

#[test]
fn six_is_taken_and_not_yet_visible() {
    let scene = stale();
    let run = scene.emulated(&["apply", "--yes", "--wait", "30s", "--format", "json"]).ended(6);
    assert_eq!(run.outcomes(), [("prod/users/zoe@contoso.com".to_owned(), "waiting".to_owned())]);
    assert!(run.stdout.contains("after 30 s"), "{}", run.stdout);
    assert_eq!(roles(&scene.world(), PROD, "zoe@contoso.com"), [""; 0], "it did take effect");

    let accepted = stale();
    accepted.emulated(&["apply", "--yes", "--wait", "30s", "--accept-waiting"]).ended(0).says("1 waiting");
    let patient = stale();
    patient.emulated(&["apply", "--yes", "--wait", "15m"]).ended(0).says("1 done");
    patient.emulated_at("2026-11-20T12:30:00Z", &["drift"]).ended(0);
}

/// The order is 5, 1, 4, 3, 6, 2.
#[test]
fn of_several_ends_the_worst_wins() {
    let two_and_three = "- { operation: GET *a002/rbac/assignments, action: { status: { code: 403 } } }\n";
    let four = |scene: &Scene| {
        scene.change_world(|world| {
            let dev = world.instances.get_mut(&crate::support::DEV).unwrap();
            dev.metadata.provisioning_state = "deleting".to_owned();
        });
    };
    // Pending and unknown.
    let scene = Scene::with(THREE);
    scene.faulty(two_and_three, &["drift"]).ended(3);
    // Pending, unknown, refused.
    four(&scene);
    scene.faulty(two_and_three, &["drift"]).ended(4);
    scene.faulty(two_and_three, &["plan"]).ended(4);
    // An error before all that.
    scene.write("faults.yaml", two_and_three);
    scene.emulated(&["drift", "--emulator-faults", "faults.yaml", "-e", "nobody"]).ended(1);

    // Waiting and unknown; accepting the wait leaves the unknown.
    for accept in [&[] as &[&str], &["--accept-waiting"]] {
        let scene = settled(THREE);
        scene.change_world(|world| {
            give(world, PROD, "zoe@contoso.com", "Viewer");
            world.behaviour.stale_reads = "PT10M".parse().unwrap();
        });
        let arguments = [&["apply", "--yes", "--wait", "1s"], accept].concat();
        scene.faulty(two_and_three, &arguments).ended(3).says("1 waiting");
    }

    // An addition that doesn't show yet holds up the removal that requires it: all of it waits.
    let scene = Scene::with(EXACT);
    scene.change_world(|world| world.behaviour.stale_reads = "PT10M".parse().unwrap());
    let run = scene.emulated(&["apply", "--yes", "--wait", "1s"]).ended(6);
    run.says("Apply: 3 waiting.").says("it requires prod/users/ada@contoso.com, which waits");

    // Failed, and unknown elsewhere.
    let scene = Scene::with(THREE);
    let five = "- { operation: PUT *a001/rbac/*, action: { status: { code: 400 } } }\n";
    scene.faulty(&format!("{two_and_three}{five}"), &["apply", "--yes"]).ended(5);
}

/// A refusal after something was written is a run that stopped part-way.
#[test]
fn a_refusal_half_way_is_five_and_before_anything_was_written_four() {
    let moved = |scene: &Scene, nth: u32| {
        let world = scene.world();
        let held = world.instances[&PROD].assignments.iter().map(|held| {
            let mut held = json!(held);
            held["roles"] = json!(["Contributor"]);
            held
        });
        let body: Json = held.collect();
        format!(
            "- {{ operation: GET */rbac/assignments, nth: {nth}, action: {{ status: {{ code: 200, body: {body} }} }} }}"
        )
    };
    let statuses = |run: &Run| run.outcomes().into_iter().map(|(_, status)| status).collect::<Vec<_>>();
    // Reads of the list: the plan, then a look and a read-back for each of two grants, then the look before the removal.
    let scene = Scene::with(EXACT);
    let run = scene.faulty(&moved(&scene, 6), &["apply", "--yes", "--format", "json"]);
    assert_eq!(statuses(&run), ["done", "done", "refused"], "{}", run.stdout);
    assert_eq!(roles(&scene.world(), PROD, "creator@contoso.com"), ["Admin"]);
    run.ended(5);

    let scene = settled(EXACT);
    scene.change_world(|world| give(world, PROD, "zoe@contoso.com", "Viewer"));
    let run = scene.faulty(&moved(&scene, 2), &["apply", "--yes", "--format", "json"]);
    assert_eq!(statuses(&run), ["refused"], "{}", run.stdout);
    run.ended(4);
}

#[test]
fn waiting_for_a_person_is_no_error_of_the_run() {
    // No operation may be used, and nobody attested: that is unknown, not waiting.
    let scene = settled(&format!("{EXACT}{API_ON}"));
    scene.emulated(&["drift", "--as-cloud"]).ended(3).says("Settings > Permissions > APIs");
}
