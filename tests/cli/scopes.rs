//! Many environments in one run: one that is refused, fails or waits holds up no other; what a run may do has limits.

use serde_json::json;

use crate::live::Live;
use crate::support::{DEV, EXACT, NOW, PROD, Scene, TEST, THREE, changes, give, roles};

/// Three environments that are in sync, apart from `zoe`, who is to be removed from each.
fn with_zoe() -> Scene {
    let scene = Scene::with(THREE);
    scene.emulated(&["apply", "--yes"]).ended(0);
    scene.change_world(|world| {
        for instance in [PROD, TEST, DEV] {
            give(world, instance, "zoe@contoso.com", "Viewer");
        }
    });
    scene
}

fn has_zoe(scene: &Scene) -> [bool; 3] {
    let world = scene.world();
    [PROD, TEST, DEV].map(|instance| !roles(&world, instance, "zoe@contoso.com").is_empty())
}

fn deleting(scene: &Scene) {
    scene.change_world(|world| {
        world.instances.get_mut(&TEST).unwrap().metadata.provisioning_state = "deleting".to_owned();
    });
}

#[test]
fn a_refused_environment_is_left_out_and_the_others_go_on() {
    let scene = with_zoe();
    deleting(&scene);
    let plan = scene.emulated(&["plan", "--out", "plan.json"]).ended(4);
    plan.says("Refused: test (1 refusal, see above): palisade changes nothing there. Can be applied: prod, dev.");
    let run = scene.emulated(&["apply", "--yes"]).ended(4).says("2 done, 1 refused");
    assert!(run.stderr.contains("test is refused; nothing was done there\n  not-active"), "{}", run.stderr);
    // Like a change, a refusal leads to its line in the file.
    assert!(run.stdout.contains("only `active` ones are changed (palisade.yaml:14:3)"), "{}", run.stdout);
    assert!(run.stderr.contains("only `active` ones are changed (palisade.yaml:14:3)"), "{}", run.stderr);
    assert_eq!(has_zoe(&scene), [false, true, false]);

    // A saved plan approves the others just as well.
    let scene = with_zoe();
    deleting(&scene);
    scene.emulated(&["plan", "--out", "plan.json"]).ended(4);
    scene.emulated(&["apply", "plan.json"]).ended(4).says("2 done, 1 refused");
    assert_eq!(has_zoe(&scene), [false, true, false]);
}

/// An outage isn't for `--yes`, where it is planned; elsewhere it is nobody's business.
#[test]
fn what_yes_does_not_approve_is_left_out_where_it_is() {
    let scene = Scene::with(&format!("{THREE}    apiAccess: {{ enabled: false }}\n"));
    scene.change_world(|world| {
        world.instances.get_mut(&DEV).unwrap().api_subscription.is_subscribed = true;
    });
    let run = scene.emulated(&["apply", "--yes"]).ended(4);
    assert!(run.stderr.contains("dev is refused"), "{}", run.stderr);
    assert!(!run.stderr.contains("prod is refused"), "{}", run.stderr);
    let world = scene.world();
    assert_eq!(roles(&world, PROD, "ada@contoso.com"), ["Admin"]);
    assert_eq!(roles(&world, DEV, "ada@contoso.com"), [""; 0]);
    assert!(world.instances[&DEV].api_subscription.is_subscribed);
}

/// A step that waits for a person has nothing to do with who is removed.
#[test]
fn one_pending_manual_step_stops_no_removal() {
    let scene = with_zoe();
    let configuration = THREE.replacen("base:\n", "base:\n  apiAccess: { enabled: true }\n", 1);
    scene.write("palisade.yaml", &configuration);
    let run = scene.emulated(&["apply", "--yes", "--as-cloud", "--accept-waiting"]);
    assert!(matches!(run.status, Some(0 | 3)), "{run:?}");
    assert_eq!(has_zoe(&scene), [false; 3], "{}", run.stdout);
}

#[test]
fn more_than_half_of_a_list_needs_a_number() {
    let scene = Scene::with(EXACT);
    scene.emulated(&["apply", "--yes"]).ended(0);
    scene.change_world(|world| {
        for name in ["x1", "x2", "x3", "x4"] {
            give(world, PROD, &format!("{name}@contoso.com"), "Viewer");
        }
    });
    let refused = scene.emulated(&["plan", "--out", "plan.json"]).ended(4);
    refused.says("error[removal-budget]").says("the plan removes 4 of 7").says("--allow-removals 4");
    scene.emulated(&["apply", "plan.json"]).ended(4);
    scene.emulated(&["apply", "--yes"]).ended(4);
    scene.emulated(&["apply", "--yes", "--allow-removals", "3"]).ended(4).says("the run would make 4 removals");
    // A check that changes nothing has no budget: this is drift, not a refusal.
    scene.emulated(&["drift"]).ended(2);
    let plan = scene.emulated(&["plan", "--allow-removals", "4", "--format", "json", "--out", "plan.json"]).ended(0);
    assert_eq!(plan.json()["allowRemovals"], json!(4));
    scene.emulated(&["apply", "plan.json"]).ended(0).says("4 done");
}

#[test]
fn more_than_twenty_in_a_run_need_a_number() {
    let scene = Scene::with(EXACT);
    scene.emulated(&["apply", "--yes"]).ended(0);
    // Many stay, so that it isn't half of them.
    let stay: String = (0..30).map(|n| format!("        - {{ user: s{n}@contoso.com, role: Viewer }}\n")).collect();
    scene.change_world(|world| {
        (0..30).for_each(|n| give(world, PROD, &format!("s{n}@contoso.com"), "Viewer"));
        (0..21).for_each(|n| give(world, PROD, &format!("x{n}@contoso.com"), "Viewer"));
    });
    scene.write("palisade.yaml", &format!("{EXACT}{stay}"));
    scene.emulated(&["plan"]).ended(4).says("the run would make 21 removals, which is more than 20");
    scene.emulated(&["apply", "--yes", "--allow-removals", "21"]).ended(0).says("21 done");
}

#[test]
fn a_job_that_may_do_one_thing_does_nothing_else() {
    let scene = Scene::with(&THREE.replacen("base:\n", "base:\n  apiAccess: { enabled: true }\n", 1));
    let only = ["--only", "*/apiAccess"];
    let plan = scene.emulated(&[&["plan", "--format", "json"], &only[..]].concat()).ended(0).json();
    assert_eq!(changes(&plan), ["prod", "test", "dev"].map(|scope| format!("enable {scope}/apiAccess")));
    scene.emulated(&[&["plan"], &only[..]].concat()).ended(0).says("Limited to: */apiAccess");
    // What lies outside can't be read, or is refused: this job doesn't mind.
    let users = "- { operation: GET */rbac/assignments, action: { status: { code: 500 } } }";
    scene.faulty(users, &["apply", "--yes", "--only", "prod/apiAccess"]).ended(0).says("1 done");
    scene.emulated(&[&["plan", "--out", "plan.json"], &only[..]].concat()).ended(0);
    scene.emulated(&["apply", "plan.json"]).ended(0).says("2 done");
    assert_eq!(roles(&scene.world(), PROD, "ada@contoso.com"), [""; 0]);
    scene.emulated(&["plan", "--detailed-exitcode"]).ended(2);
    for nothing in ["prod/apiAcess", "nowhere", "*/nothing/keys"] {
        scene.emulated(&["plan", "--only", nothing]).ended(1).complains("leads to nothing");
    }
    scene.emulated(&["plan", "--only", "prod/*"]).ended(1).complains("the beginning of an address");
}

#[test]
fn an_environment_that_goes_first_and_fails_stops_the_others() {
    let failing = "- { operation: PUT *a003/rbac/*, action: { status: { code: 400 } } }";
    let scene = Scene::with(THREE);
    let live = Live::faulty(scene.fresh_world(), failing);
    let run = scene.run(&["apply", "--yes", "--first", "dev", "--now", NOW, &live.argument()]).ended(5);
    run.says("2 failed, 7 not started").says("not begun");
    assert!(live.writes().iter().all(|write| write.contains("a003/")), "{:#?}", live.writes());
    scene.emulated(&["apply", "--yes", "--first", "nobody"]).ended(1).complains("no such environment in this run");
}

#[test]
fn after_so_many_failed_environments_no_further_one_is_begun() {
    let head = "version: 1\ntenant: { id: 7b1f0c52-0000-4000-8000-0000000000aa }\nbase:\n  apiAccess: { enabled: true }\nenvironments:\n";
    let environments: String = (1..=20)
        .map(|n| {
            format!(
                "  e{n:02}: {{ instanceId: 6f2b1c34-0000-4000-8000-0000000000{n:02}, environmentId: \
                 1bd6bd98-0000-4000-8000-0000000000{n:02} }}\n"
            )
        })
        .collect();
    let scene = Scene::with(&format!("{head}{environments}"));
    let failing = "- { operation: PUT */activate, action: { status: { code: 400 } } }";
    let count = |arguments: &[&str]| {
        let live = Live::faulty(scene.fresh_world(), failing);
        let arguments = [&["apply", "--yes", "--now", NOW, "--format", "json"], arguments].concat();
        let argument = live.argument();
        let report = scene.run(&[&arguments[..], &[argument.as_str()]].concat()).ended(5).json();
        (report["summary"]["failed"].as_u64().unwrap(), report["summary"]["notStarted"].as_u64().unwrap())
    };
    let (failed, not_started) = count(&[]);
    assert!((3..=10).contains(&failed), "{failed} failed; as many as were begun side by side may");
    assert_eq!(failed + not_started, 20);
    assert_eq!(count(&["--stop-after", "100"]), (20, 0));
}

/// One service doesn't answer about one environment.
fn blind(instance: uuid::Uuid) -> String {
    format!("- {{ operation: GET */instances/{instance}, action: {{ status: {{ code: 403 }} }} }}")
}

#[test]
fn an_environment_that_goes_first_and_cannot_be_read_stops_the_others() {
    let scene = with_zoe();
    let run = scene.faulty(&blind(DEV), &["apply", "--yes", "--first", "dev"]).ended(5);
    run.says("not begun, since dev goes first").says("2 not started");
    assert_eq!(has_zoe(&scene), [true; 3]);
    let one_setting = format!("- {{ operation: GET */{DEV}/rbac/assignments, action: {{ status: {{ code: 403 }} }} }}");
    scene.faulty(&one_setting, &["apply", "--yes", "--first", "dev"]).says("not begun, since dev goes first");
    assert_eq!(has_zoe(&scene), [true; 3]);
}

#[test]
fn what_was_approved_and_cannot_be_read_is_in_the_account() {
    let scene = with_zoe();
    scene.emulated(&["plan", "--out", "plan.json"]).ended(0);
    for (done, words) in [(2, "2 done, 1 not started"), (0, "2 already in effect, 1 not started")] {
        let run = scene.faulty(&blind(TEST), &["apply", "plan.json"]).ended(3).says(words);
        assert!(run.stdout.contains("not read     delete test/users/zoe@contoso.com"), "{done}: {}", run.stdout);
        assert!(!run.stdout.contains("Everything approved is in effect"), "{done}: {}", run.stdout);
        assert_eq!(has_zoe(&scene), [false, true, false]);
    }
    let run = scene.faulty(&blind(TEST), &["apply", "plan.json", "--format", "json"]).ended(3);
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((&report["unknown"][0]["address"], report["summary"]["notStarted"].as_u64()), (&json!("test"), Some(1)));
}

#[test]
fn an_environment_that_power_platform_does_not_show_is_not_called_in_sync() {
    let one = "version: 1\ntenant: { id: 7b1f0c52-0000-4000-8000-0000000000aa }\nenvironments:\n  prod:\n    \
               environmentId: 1bd6bd98-0000-4000-8000-00000000e001\n    name: Whatever\n";
    let scene = Scene::with(one);
    scene.emulated(&["drift"]).ended(0);
    scene.change_world(|world| world.admin_applications.clear());
    let run = scene.emulated(&["drift"]).ended(3).says("1 environment could not be read");
    assert!(!run.stdout.contains("No changes"), "{}", run.stdout);
}
