//! Waits: what the services ask for is honoured, what is waited for is said, and no wait is for ever.

use crate::live::Live;
use crate::support::{EXACT, NOW, PROD, Scene, give, roles};

fn throttled(retry_after: &str) -> String {
    format!(
        "- {{ operation: GET */rbac/assignments, nth: 1, action: {{ status: {{ code: 429, headers: {{ Retry-After: \
         '{retry_after}' }} }} }} }}"
    )
}

/// The instant of the journal's last line: how far the simulated clock went.
fn ended_at(scene: &Scene) -> String {
    // Whole seconds: after a pause, calls keep a small distance.
    format!("{}Z", &scene.journal().last().unwrap()["at"].as_str().unwrap()[..19])
}

#[test]
fn retry_after_is_honoured_as_seconds_and_as_a_date() {
    for (retry_after, wait, end) in [
        ("17", "waiting 17.0 s", "2026-11-20T12:00:17Z"),
        ("Fri, 20 Nov 2026 12:00:41 GMT", "waiting 41.0 s", "2026-11-20T12:00:41Z"),
        ("Fri, 20 Nov 2026 11:00:00 GMT", "waiting 0.0 s", "2026-11-20T12:00:00Z"),
    ] {
        let scene = Scene::with(EXACT);
        let run = scene.faulty(&throttled(retry_after), &["apply", "--yes"]).ended(0);
        assert!(run.stderr.contains(&format!("{wait}: Customer Insights asked to slow down")), "{}", run.stderr);
        assert_eq!(ended_at(&scene), end, "{retry_after}");
    }
}

#[test]
fn a_wait_longer_than_anybody_waits_is_not_begun() {
    let scene = Scene::with(EXACT);
    let run = scene.faulty(&throttled("86400"), &["plan"]).ended(3);
    assert!(run.stdout.contains("asked for 86400 s of patience"), "{}", run.stdout);
    assert!(!run.stderr.contains("waiting"), "{}", run.stderr);
}

#[test]
fn quiet_silences_status_and_nothing_else() {
    let scene = Scene::with(EXACT);
    let loud = scene.faulty(&throttled("5"), &["plan"]).ended(0);
    let quiet = scene.faulty(&throttled("5"), &["plan", "--quiet"]).ended(0);
    assert_ne!(loud.stderr, "");
    assert_eq!(quiet.stderr, "");
    assert_eq!(quiet.stdout, loud.stdout);
    scene.emulated(&["plan", "-q", "-e", "nobody"]).ended(1).complains("error:");
}

#[test]
fn a_service_that_comes_back_is_asked_again_and_one_that_does_not_is_given_up() {
    let scene = Scene::with(EXACT);
    let twice = "- { operation: GET */rbac/assignments, nth: 1, action: reset }\n\
                 - { operation: GET */rbac/assignments, nth: 2, action: { status: { code: 503 } } }";
    let run = scene.faulty(twice, &["plan"]).ended(0);
    assert!(run.stderr.contains("gave no whole answer") && run.stderr.contains("answered 503"), "{}", run.stderr);

    let live = Live::faulty(scene.fresh_world(), "- { operation: GET */rbac/assignments, action: reset }");
    let run = scene.run(&["plan", "--now", NOW, &live.argument()]).ended(3);
    assert!(run.stdout.contains("after 6 tries"), "{}", run.stdout);
    let asked = live.requests().iter().filter(|seen| seen.path.ends_with("/rbac/assignments")).count();
    assert_eq!(asked, 6);
}

/// A throttled write was not carried out, so it is sent again, even if it isn't repeatable.
#[test]
fn a_throttled_write_is_sent_again() {
    let scene = Scene::with(EXACT);
    let rules =
        "- { operation: PUT */assignment, nth: 1, action: { status: { code: 429, headers: { Retry-After: '30' } } } }";
    let run = scene.faulty(rules, &["apply", "--yes"]).ended(0);
    assert!(run.stderr.contains("waiting 30.0 s"), "{}", run.stderr);
    assert_eq!(ended_at(&scene), "2026-11-20T12:00:30Z");
}

#[test]
fn the_effect_of_a_write_is_waited_for_and_what_is_seen_meanwhile_is_said() {
    let scene = Scene::with(EXACT);
    scene.emulated(&["apply", "--yes"]).ended(0);
    scene.change_world(|world| {
        give(world, PROD, "zoe@contoso.com", "Viewer");
        world.behaviour.stale_reads = "PT20S".parse().unwrap();
    });
    let run = scene.emulated(&["apply", "--yes"]).ended(0);
    assert!(run.stderr.contains("since the service still shows Viewer for it"), "{}", run.stderr);
    assert!(ended_at(&scene).as_str() >= "2026-11-20T12:00:20Z", "{}", ended_at(&scene));
}

/// Tokens that run out while a run waits are renewed.
#[test]
fn a_token_that_runs_out_is_renewed() {
    let scene = Scene::with(EXACT);
    scene.change_world(|world| {
        world.behaviour.stale_reads = "PT10M".parse().unwrap();
        world.behaviour.token_lifetime = "PT6M".parse().unwrap();
    });
    scene.emulated(&["apply", "--yes", "--wait", "20m"]).ended(0).says("3 done");
}

/// A service that takes longer than the run has time for: what it would have told is unknown, and the others are heard.
#[test]
fn a_run_ends_in_its_time() {
    let scene = Scene::with(EXACT);
    let slow = "- { operation: GET */rbac/assignments, action: { delay: { by: PT1H } } }";
    scene.write("faults.yaml", slow);
    let run = scene.run(&["plan", "--emulator", "--emulator-faults", "faults.yaml", "--timeout", "1s"]).ended(3);
    assert!(run.stdout.contains("the time of this run is over (`--timeout`)"), "{}", run.stdout);
    assert!(run.stdout.contains("Contoso prod"), "what answered is told: {}", run.stdout);

    // No further write is begun; the one that was sent is seen through.
    scene.write("faults.yaml", "- { operation: PUT */assignment, nth: 1, action: { delay: { by: PT2S } } }");
    let arguments = ["apply", "--yes", "--emulator", "--emulator-faults", "faults.yaml", "--timeout", "1s"];
    let run = scene.run(&arguments).ended(5).says("1 done, 2 not started");
    assert!(run.stderr.contains("the time of `--timeout` is over"), "{}", run.stderr);
    scene.run(&["plan", "--timeout", "soon"]).ended(1).complains("write a duration such as 90s");
}

/// Signing in takes part of the run's time, with its tries, and so do tokens that are fetched later.
#[test]
fn a_token_that_does_not_come_is_not_waited_for_beyond_the_runs_time() {
    let scene = Scene::with(EXACT);
    let slow = |nth: u8| format!("- {{ operation: POST */token, nth: {nth}, action: {{ delay: {{ by: PT30S }} }} }}");
    let over = "the time of this run is over (`--timeout`)";
    let in_a_second = ["--emulator", "--emulator-faults", "faults.yaml", "--timeout", "1s"];
    for command in [&["plan"][..], &["apply", "--yes"]] {
        scene.write("faults.yaml", &slow(1));
        let run = scene.run(&[command, &in_a_second].concat()).ended(1).complains("signing in failed");
        assert!(run.stderr.contains(over), "{command:?}: {}", run.stderr);
    }
    scene.write("faults.yaml", &slow(2));
    let run = scene.run(&[&["plan"][..], &in_a_second].concat()).ended(3);
    assert!(run.stdout.contains(over), "{}", run.stdout);
    let busy =
        "- { operation: POST */token, nth: 1, action: { status: { code: 503, headers: { Retry-After: '50' } } } }";
    let run = scene.faulty(busy, &["plan", "--timeout", "20s"]).ended(1).complains("signing in failed");
    assert!(run.stderr.contains(over) && !run.stderr.contains("waiting"), "{}", run.stderr);
}

/// What was changed must not look as if nothing had been.
#[test]
fn a_report_that_can_not_be_written_after_changes_is_no_plain_error() {
    let scene = Scene::with(EXACT);
    let full = || std::fs::File::options().write(true).open("/dev/full").unwrap();
    let run = |arguments: &[&str]| {
        let output =
            scene.command(&[arguments, &["--emulator", "--now", NOW]].concat()).stdout(full()).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, stderr) = run(&["apply", "--yes"]);
    assert_eq!(code, Some(5), "{stderr}");
    assert!(stderr.contains("standard output") && stderr.contains("changes were made"), "{stderr}");
    assert_eq!(roles(&scene.world(), PROD, "ada@contoso.com"), ["Admin"]);
    // Where nothing was changed, it is one.
    assert_eq!(run(&["apply", "--yes"]).0, Some(1));
    assert_eq!(run(&["plan"]).0, Some(1));
}
