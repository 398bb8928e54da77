//! Runs that don't go well: failures, lost answers, crashes, signals. What is left is accounted for, and the next run heals
//! it.

use serde_json::json;

use crate::live::{Live, Moment};
use crate::process::Running;
use crate::support::{API_ON, EXACT, NOW, PROD, Scene, TEST, THREE, give, roles};

fn count(writes: &[String], end: &str) -> usize {
    writes.iter().filter(|write| write.ends_with(end)).count()
}

/// One environment that fails hides none of the others.
#[test]
fn one_failing_environment_hides_none_of_the_others() {
    let scene = Scene::with(THREE);
    let rules =
        "- { operation: GET /api/instances/6f2b1c34-0000-4000-8000-00000000a002*, action: { status: { code: 500 } } }";
    let plan = scene.faulty(rules, &["plan"]).ended(3);
    for words in [
        "+ create users/ada@contoso.com",
        "\ntest (instance",
        "? unknown test",
        "6 changes",
        "1 environment could not be",
    ] {
        assert!(plan.stdout.contains(words), "`{words}`:\n{}", plan.stdout);
    }
    scene.faulty(rules, &["apply", "--yes"]).ended(3).says("6 done");
    let world = scene.world();
    assert_eq!(roles(&world, PROD, "ada@contoso.com"), ["Admin"]);
    assert_eq!(roles(&world, TEST, "ada@contoso.com"), [""; 0]);
}

#[test]
fn a_failure_while_applying_stops_only_its_environment_and_there_takes_nothing_away() {
    let scene = Scene::with(THREE);
    let rules = "- { operation: PUT *a002/rbac/*, nth: 1, action: { status: { code: 403 } } }";
    let run = scene.faulty(rules, &["apply", "--yes", "--format", "json"]).ended(5);
    let report = run.json();
    assert_eq!(
        report["summary"],
        json!({ "done": 7, "inEffect": 0, "unknown": 0, "failed": 1, "notStarted": 1, "waiting": 0, "refused": 0 })
    );
    let outcomes = run.outcomes();
    let of = |address: &str| outcomes.iter().find(|(found, _)| found == address).unwrap().1.as_str();
    assert_eq!(of("test/users/ada@contoso.com"), "failed");
    assert_eq!(of("test/users/grace@contoso.com"), "done", "adding goes on");
    assert_eq!(of("test/users/creator@contoso.com"), "notStarted", "removing doesn't");
    assert_eq!(of("dev/users/creator@contoso.com"), "done");
    scene.emulated(&["apply", "--yes"]).ended(0);
    scene.emulated(&["drift"]).ended(0);
}

/// The state decides, not the answer.
#[test]
fn an_answer_that_got_lost_after_the_write_took_effect_is_done() {
    let scene = Scene::with(&format!("{EXACT}{API_ON}"));
    let rules = "- { operation: PUT */assignment, nth: 1, action: loseAnswer }\n\
                 - { operation: DELETE */assignment, nth: 1, action: loseAnswer }\n\
                 - { operation: PUT */activate, nth: 1, action: loseAnswer }\n";
    let live = Live::faulty(scene.fresh_world(), rules);
    scene.run(&["apply", "--yes", "--now", NOW, &live.argument()]).ended(0).says("4 done");
    let writes = live.writes();
    assert_eq!(count(&writes, "/activate"), 1, "not repeatable: {writes:#?}");
    assert_eq!(roles(&live.world(), PROD, "creator@contoso.com"), [""; 0]);
    scene.run(&["plan", "--detailed-exitcode", "--now", NOW, &live.argument()]).ended(0);
}

/// A write that isn't repeatable and that may have been lost on the way is looked at, never sent again.
#[test]
fn a_switch_is_never_sent_twice_in_a_run() {
    for action in ["reset", "loseAnswer", "truncate", "{ status: { code: 500 } }", "{ status: { code: 503 } }"] {
        let scene = Scene::with(&format!("{EXACT}{API_ON}"));
        let live = Live::faulty(scene.fresh_world(), &format!("- {{ operation: PUT */activate, action: {action} }}"));
        let run = scene.run(&["apply", "--yes", "--wait", "5s", "--now", NOW, &live.argument()]);
        assert_eq!(count(&live.writes(), "/activate"), 1, "{action}");
        let on = live.world().instances[&PROD].api_subscription.is_subscribed;
        // What happened decides how it ended, whatever was answered; it never ends well without the effect.
        run.ended(if on { 0 } else { 5 });
    }
}

/// A success that took no effect isn't one.
#[test]
fn an_answer_of_success_alone_proves_nothing() {
    let scene = Scene::with(EXACT);
    let rules = "- { operation: PUT */assignment, action: { status: { code: 200, body: [] } } }";
    let run = scene.faulty(rules, &["apply", "--yes", "--wait", "10s", "--format", "json"]).ended(6);
    assert_eq!(
        run.json()["summary"],
        json!({ "done": 0, "inEffect": 0, "unknown": 0, "failed": 0, "notStarted": 0, "waiting": 3, "refused": 0 })
    );
    assert_eq!(roles(&scene.world(), PROD, "creator@contoso.com"), ["Admin"]);
}

/// A conflict or a missing thing means that the state has to be looked at.
#[test]
fn a_conflict_is_decided_by_what_is_there() {
    for code in [404, 409, 412] {
        let scene = Scene::with(EXACT);
        let conflict = format!("- {{ operation: PUT */assignment, action: {{ status: {{ code: {code} }} }} }}");
        scene.faulty(&conflict, &["apply", "--yes"]).ended(5).says("2 failed, 1 not started");
    }
}

/// Two runs remove the same person; the service tells the second one that there is nobody.
#[test]
fn a_removal_that_somebody_else_made_meanwhile_is_done() {
    let scene = Scene::with(EXACT);
    let live = Live::serving(scene.fresh_world());
    let argument = live.argument();
    let in_flight = live.hold(Moment::Before, "DELETE", "/assignment");
    let slow = Running::start(scene.command(&["apply", "--yes", "--now", NOW, "--format", "json", &argument]));
    in_flight.arrived();
    scene.run(&["apply", "--yes", "--now", NOW, &argument]).ended(0).says("1 done");
    in_flight.release();
    let run = slow.end().ended(0);
    assert!(run.stdout.contains("although the write ended with: Customer Insights answered 404"), "{}", run.stdout);
}

#[test]
fn what_is_already_so_when_it_is_looked_at_again_is_not_sent() {
    let scene = Scene::with(EXACT);
    let live = Live::serving(scene.fresh_world());
    let argument = live.argument();
    // Between planning and the first write another run does it all.
    let planned = live.hold(Moment::After, "GET", "/rbac/assignments");
    let slow = Running::start(scene.command(&["apply", "--yes", "--now", NOW, "--format", "json", &argument]));
    planned.arrived();
    scene.run(&["apply", "--yes", "--now", NOW, &argument]).ended(0);
    let writes = live.writes().len();
    planned.release();
    let report = slow.end().ended(0).json();
    assert_eq!(report["summary"]["done"], 3);
    assert_eq!(live.writes().len(), writes);
}

/// The embedded emulator dies, and palisade with it, after the write and before its answer.
#[test]
fn a_crash_between_a_write_and_its_read_back_is_healed_by_the_next_run() {
    let scene = Scene::with(&format!("{EXACT}{API_ON}"));
    for (operation, upn) in [("PUT */activate", None), ("PUT */assignment", Some("ada@contoso.com")), ("DELETE", None)]
    {
        let run = scene.faulty(&format!("- {{ operation: {operation}, action: crash }}"), &["apply", "--yes"]);
        assert_eq!(run.status, None, "it didn't end by itself: {}", run.stderr);
        let journal = scene.journal();
        assert_eq!(journal.last().unwrap()["moment"], "started", "the journal shows that it died in between");
        if let Some(upn) = upn {
            assert_eq!(roles(&scene.killed_world(), PROD, upn), ["Admin"]);
        }
    }
    // All that was left to do was done by the three crashed runs or is done now.
    scene.emulated(&["apply", "--yes"]).ended(0);
    scene.emulated(&["plan", "--detailed-exitcode"]).ended(0);
}

#[test]
fn killed_between_a_write_and_its_read_back_the_next_run_heals() {
    let scene = Scene::with(EXACT);
    let live = Live::serving(scene.fresh_world());
    let argument = live.argument();
    let taken = live.hold(Moment::After, "PUT", "/assignment");
    let running = Running::start(scene.command(&["apply", "--yes", "--now", NOW, &argument]));
    taken.arrived();
    running.signal("KILL");
    assert_eq!(running.end().status, None);
    taken.release();
    let moments: Vec<_> = scene.journal().iter().map(|line| line["moment"].clone()).collect();
    assert_eq!(moments, ["started"]);
    assert_eq!(roles(&live.world(), PROD, "ada@contoso.com"), ["Admin"]);
    scene.run(&["apply", "--yes", "--now", NOW, &argument]).ended(0).says("2 done");
    scene.run(&["plan", "--detailed-exitcode", "--now", NOW, &argument]).ended(0);
    let ada = live.writes().iter().filter(|write| write.starts_with("PUT")).count();
    assert_eq!(ada, 2, "what took effect isn't sent again");
}

#[test]
fn interrupted_it_finishes_the_write_in_flight_and_begins_nothing_new() {
    for signal in ["INT", "TERM"] {
        let scene = Scene::with(EXACT);
        let live = Live::serving(scene.fresh_world());
        let in_flight = live.hold(Moment::Before, "PUT", "/assignment");
        let argument = live.argument();
        let mut running =
            Running::start(scene.command(&["apply", "--yes", "--now", NOW, "--format", "json", &argument]));
        in_flight.arrived();
        running.signal(signal);
        running.complains("the write in flight is finished, nothing new is begun");
        in_flight.release();
        let run = running.end().ended(5);
        let outcomes = run.outcomes();
        let statuses: Vec<_> = outcomes.iter().map(|(_, status)| status.as_str()).collect();
        assert_eq!(statuses, ["done", "notStarted", "notStarted"]);
        assert_eq!(live.writes().len(), 1);
        assert_eq!(roles(&live.world(), PROD, "ada@contoso.com"), ["Admin"]);
        let moments: Vec<_> = scene.journal().iter().map(|line| line["moment"].clone()).collect();
        assert_eq!(moments, ["started", "ended"]);
    }
}

/// Interrupted while the effect of a write is waited for: the wait ends, the write is accounted for.
#[test]
fn interrupted_while_waiting_for_an_effect_it_says_what_was_seen() {
    let scene = Scene::with(EXACT);
    let mut world = scene.fresh_world();
    // The live emulator's clock stands, so the effect never shows.
    world.behaviour.stale_reads = "PT1H".parse().unwrap();
    let live = Live::serving(world);
    let mut running = Running::start(scene.command(&["apply", "--yes", "--format", "json", &live.argument()]));
    running.complains("waiting 1 s, since the service doesn't list it");
    running.signal("INT");
    let run = running.end();
    let report = run.json();
    assert_eq!(report["changes"][0]["status"], "waiting");
    assert!(report["changes"][0]["reason"].as_str().unwrap().contains("when the run was interrupted"), "{report:#}");
    assert_eq!(report["summary"]["notStarted"], 2);
    run.ended(5);
}

/// Without a journal nothing is written.
#[test]
fn the_journal_is_opened_before_the_first_write_and_belongs_to_its_owner() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let scene = Scene::with(EXACT);
    scene.write("elsewhere", "precious");
    symlink(scene.path("elsewhere"), scene.path(".palisade/journal.jsonl")).unwrap();
    scene.emulated(&["apply", "--yes"]).ended(1).complains("symbolic link").complains("nothing was done");
    assert_eq!(scene.read("elsewhere"), "precious");
    assert_eq!(roles(&scene.world(), PROD, "ada@contoso.com"), [""; 0]);

    std::fs::remove_file(scene.path(".palisade/journal.jsonl")).unwrap();
    scene.emulated(&["apply", "--yes"]).ended(0);
    let mode = std::fs::metadata(scene.path(".palisade/journal.jsonl")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    for line in scene.journal() {
        for field in ["at", "run", "target", "address", "step", "operation", "moment"] {
            assert!(line.get(field).is_some(), "`{field}` is missing: {line}");
        }
    }
}

#[test]
fn environments_go_side_by_side_and_inside_of_one_there_is_one_write_at_a_time() {
    let scene = Scene::with(THREE);
    let live = Live::serving(scene.fresh_world());
    let ends = |environment: &str| format!("{environment}/rbac/principals/");
    let first = |environment| {
        let world = live.world();
        let (ada, _) = world.users.iter().find(|(_, user)| user.user_principal_name == "ada@contoso.com").unwrap();
        format!("{}{ada}/assignment", ends(environment))
    };
    // All three first writes are held at the same time: no environment waits for another.
    let holds: Vec<_> = ["a001", "a002", "a003"].map(|end| live.hold(Moment::Before, "PUT", &first(end))).into();
    let running = Running::start(scene.command(&["apply", "--yes", "--now", NOW, &live.argument()]));
    for hold in &holds {
        hold.arrived();
    }
    assert_eq!(live.writes().len(), 3, "one each: {:#?}", live.writes());
    for hold in holds {
        hold.release();
    }
    running.end().ended(0);
    assert_eq!(live.writes().len(), 9);
}

/// Somebody else changed what was approved, between the plan and the write.
#[test]
fn a_change_that_is_no_longer_the_approved_one_is_refused() {
    let scene = Scene::with(EXACT);
    let mut world = scene.fresh_world();
    give(&mut world, PROD, "ada@contoso.com", "Viewer");
    let live = Live::serving(world);
    let other = Scene::with(&EXACT.replace("ada@contoso.com, role: Admin", "ada@contoso.com, role: Contributor"));
    let planned = live.hold(Moment::After, "GET", "/rbac/assignments");
    let command = ["apply", "--yes", "--now", NOW, "--format", "json", &live.argument()];
    let slow = Running::start(scene.command(&command));
    planned.arrived();
    other.run(&["apply", "--yes", "--now", NOW, &live.argument()]).ended(0);
    planned.release();
    let run = slow.end();
    let outcomes = run.outcomes();
    assert_eq!(outcomes[0], ("prod/users/ada@contoso.com".to_owned(), "refused".to_owned()), "{}", run.stdout);
    assert!(run.stdout.contains("it changed since it was approved"), "{}", run.stdout);
    assert_eq!(roles(&live.world(), PROD, "ada@contoso.com"), ["Contributor"]);
}
