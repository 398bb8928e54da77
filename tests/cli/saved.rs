//! A saved plan is an approval: it lets through what it says, on the target it names, for a day, and nothing else.

use std::io::Write as _;
use std::process::Stdio;

use palisade::plan::{parse, render};
use uuid::Uuid;

use crate::live::{Live, Moment};
use crate::process::Running;
use crate::support::{EXACT, NOW, PROD, Run, Scene, changes, give, roles};

/// A scene with a plan in `plan.json`.
fn planned() -> Scene {
    let scene = Scene::with(EXACT);
    scene.emulated(&["plan", "--out", "plan.json"]).ended(0);
    scene
}

/// A run that was refused before it wrote anything.
#[track_caller]
fn refused(scene: &Scene, run: Run) -> Run {
    let run = run.ended(4);
    assert!(run.stderr.contains("nothing was done"), "{}", run.stderr);
    assert!(scene.journal().is_empty());
    assert_eq!(roles(&scene.world(), PROD, "ada@contoso.com"), [""; 0]);
    run
}

#[test]
fn a_saved_plan_applied_twice_says_why_there_is_nothing_to_do() {
    let scene = planned();
    scene.emulated(&["apply", "plan.json"]).ended(0).says("Apply: 3 done");
    scene.emulated(&["plan", "--detailed-exitcode"]).ended(0);
    // What it approved is in effect, and is said to be.
    let again = scene.emulated(&["apply", "plan.json"]).ended(0).says("Everything approved is in effect already");
    let again = again.says("Apply: 3 already in effect.");
    assert_eq!(again.stdout.matches("already in effect; nothing was sent").count(), 3, "{}", again.stdout);
}

#[test]
fn after_the_live_state_moved_it_says_what_differs() {
    let scene = planned();
    scene.change_world(|world| give(world, PROD, "zoe@contoso.com", "Admin"));
    let run = refused(&scene, scene.emulated(&["apply", "plan.json"]));
    assert!(run.stderr.contains("+ prod/users/zoe@contoso.com delete"), "{}", run.stderr);
    assert!(!run.stderr.contains("ada@contoso.com"), "what is the same isn't a difference: {}", run.stderr);
    assert_eq!(roles(&scene.world(), PROD, "zoe@contoso.com"), ["Admin"]);
}

#[test]
fn after_the_environment_got_another_name_it_is_another_target() {
    let scene = Scene::with(&EXACT.replace("    name: Contoso prod\n", ""));
    scene.emulated(&["plan", "--out", "plan.json"]).ended(0);
    scene.change_world(|world| {
        world.instances.get_mut(&PROD).unwrap().metadata.name = Some("Contoso holding".to_owned());
    });
    let run = refused(&scene, scene.emulated(&["apply", "plan.json"]));
    assert!(run.stderr.contains("+ prod is Contoso holding in europe"), "{}", run.stderr);
}

#[test]
fn on_another_world_it_is_refused() {
    let scene = planned();
    let other = "00000000-0000-4000-8000-00000000beef";
    scene.change_world(|world| world.world = Uuid::parse_str(other).unwrap());
    refused(&scene, scene.emulated(&["apply", "plan.json"])).complains(other);
}

#[test]
fn after_the_configuration_changed_it_is_refused() {
    let scene = planned();
    scene.write("palisade.yaml", &EXACT.replace("grace@contoso.com, role: Admin", "grace@contoso.com, role: Viewer"));
    let run = refused(&scene, scene.emulated(&["apply", "plan.json"]));
    assert!(run.stderr.contains("- prod/users/grace@contoso.com create"), "{}", run.stderr);
    assert!(run.stderr.contains("+ prod/users/grace@contoso.com create"), "{}", run.stderr);
    run.complains("the configuration was changed");
}

#[test]
fn a_comment_or_another_layout_is_no_change_of_the_configuration() {
    let scene = planned();
    scene.write("palisade.yaml", &EXACT.replace("    users:\n", "    users: # who may do what\n\n"));
    scene.emulated(&["apply", "plan.json"]).ended(0);
}

#[test]
fn it_expires_after_a_day_and_is_not_accepted_before_it_was_made() {
    let scene = planned();
    let at = |now: &str| refused(&scene, scene.emulated_at(now, &["apply", "plan.json"]));
    at("2026-11-21T12:00:00Z").complains("expired at 2026-11-21T12:00:00Z");
    at("2026-11-21T13:00:00Z").complains("expired");
    at("2026-11-20T11:00:00Z").complains("in the future");
    scene.emulated_at("2026-11-21T11:59:59Z", &["apply", "plan.json"]).ended(0);
}

#[test]
fn one_changed_byte_anywhere_is_noticed() {
    let scene = planned();
    let text = scene.read("plan.json");
    assert_eq!(render(&parse(&text).unwrap()).unwrap(), text);
    let mut forged = text.clone().into_bytes();
    for position in 0..forged.len() {
        let byte = forged[position];
        // The neighbour in the table keeps a digit a digit and a letter a letter, mostly: the likeliest forgery.
        for other in [byte ^ 1, b' '] {
            forged[position] = other;
            let accepted = std::str::from_utf8(&forged).is_ok_and(|text| parse(text).is_ok());
            assert!(!accepted || other == byte, "byte {position}, `{}`, is not protected", char::from(byte));
        }
        forged[position] = byte;
    }
    for position in (0..text.len()).step_by(97) {
        let shorter = format!("{}{}", &text[..position], &text[position + 1..]);
        assert!(parse(&shorter).is_err(), "byte {position} may be missing");
    }
    assert!(parse(&format!("{text}\n")).is_err() && parse(text.trim_end()).is_err());
}

#[test]
fn a_forged_or_foreign_file_is_refused() {
    let scene = planned();
    let text = scene.read("plan.json");
    let forgeries = [
        text.replacen("\"Admin\"", "\"Viewer\"", 1),
        text.replacen("ada@", "eve@", 1),
        text.replacen("2026-11-21", "2027-11-21", 1),
        text.replacen("palisade.plan/2", "palisade.plan/1", 1),
        text[..text.len() / 2].to_owned(),
        "{}".to_owned(),
        String::new(),
    ];
    for (number, forgery) in forgeries.iter().enumerate() {
        assert_ne!(*forgery, text, "forgery {number}");
        scene.write("forged.json", forgery);
        refused(&scene, scene.emulated(&["apply", "forged.json"])).complains("forged.json");
    }
    scene.emulated(&["apply", "missing.json"]).ended(1).complains("missing.json");
    std::fs::write(scene.path("forged.json"), [0xff, 0xfe, 0x00]).unwrap();
    scene.emulated(&["apply", "forged.json"]).complains("forged.json").status.filter(|status| *status != 0).unwrap();
    assert!(scene.journal().is_empty());
}

#[test]
fn a_digest_approves_as_a_file_does() {
    let scene = Scene::with(EXACT);
    let digest = scene.emulated(&["plan", "--format", "json"]).ended(0).json()["intentDigest"].clone();
    let digest = digest.as_str().unwrap();
    scene.emulated(&["plan"]).ended(0).says(&format!("Intent {digest}\n"));
    let wrong = format!("{}0", &digest[..digest.len() - 1]);
    let wrong = if wrong == digest { format!("{}1", &digest[..digest.len() - 1]) } else { wrong };
    let until = ["--approved-until", "2026-11-20T13:00:00Z"];
    for other in [wrong.as_str(), &digest[..digest.len() - 1], "", "sha256:"] {
        let run = refused(&scene, scene.emulated(&[&["apply", "--approved", other], &until[..]].concat()));
        assert!(run.stderr.contains(digest), "what would be done is named: {}", run.stderr);
        assert!(run.stderr.contains("ada@contoso.com"), "and shown: {}", run.stderr);
    }
    // A digest says nothing of when it was given, so whoever passes it on says until when it holds.
    scene.emulated(&["apply", "--approved", digest]).ended(1).complains("--approved-until");
    let approve = [&["apply", "--approved", digest], &until[..]].concat();
    let late = refused(&scene, scene.emulated_at("2026-11-20T13:00:00Z", &approve));
    late.complains("the approval expired at 2026-11-20T13:00:00Z");
    scene.emulated_at("2026-11-20T12:59:59Z", &approve).ended(0);
    scene.emulated(&approve).ended(0);
}

/// A list of digests approves single changes, and lets an interrupted run be finished.
#[test]
fn a_list_of_digests_approves_what_it_lists() {
    let scene = Scene::with(EXACT);
    let plan = scene.emulated(&["plan", "--format", "json"]).ended(0).json();
    let digests = plan["scopes"][0]["changes"].as_array().unwrap().iter();
    let lines: Vec<_> =
        digests.map(|change| format!("{} {}\n", change["digest"].as_str().unwrap(), change["address"])).collect();
    let approve = ["apply", "--approved", "approved.txt", "--approved-until", "2026-11-20T13:00:00Z"];
    scene.write("approved.txt", &lines[1..].concat());
    refused(&scene, scene.emulated(&approve)).complains("+ prod/users/ada@contoso.com create");
    scene.write("approved.txt", &format!("# reviewed on Friday\n{}", lines.concat()));
    let failing = "- { operation: PUT */assignment, nth: 2, action: { status: { code: 403 } } }";
    scene.faulty(failing, &approve).ended(5).says("1 done, 1 failed, 1 not started");
    scene.emulated(&approve).ended(0).says("2 done");
    scene.emulated(&approve).ended(0);
    scene.write("approved.txt", "sha256:1234\n");
    scene.emulated(&approve).ended(1).complains("line 1 doesn't begin with a digest");
    scene.emulated(&["apply", "--approved", "nowhere.txt", "--approved-until", NOW]).ended(1).complains("nowhere.txt");
}

/// Two people each have another Admin removed: one after the other, the second may not.
#[test]
fn of_two_plans_that_remove_another_admin_each_only_the_first_applies() {
    let (scene, live) = two_removals();
    scene.run(&["apply", "-f", "without-ada.yaml", "ada.json", "--now", NOW, &live.argument()]).ended(0);
    let second = scene.run(&["apply", "-f", "without-grace.yaml", "grace.json", "--now", NOW, &live.argument()]);
    second.ended(4).complains("+ prod/users/ada@contoso.com create");
    assert_eq!(admins(&live), (0, 1));
}

/// The same, interleaved: the second run has planned and is about to look again when the first one ends.
#[test]
fn a_removal_looks_again_just_before_it_writes() {
    let (scene, live) = two_removals();
    let argument = live.argument();
    // The second list that the run asks for is the one before its write.
    let second_look = {
        let first_look = live.hold(Moment::After, "GET", "/rbac/assignments");
        let command = ["apply", "-f", "without-grace.yaml", "grace.json", "--now", NOW, "--format", "json", &argument];
        let slow = Running::start(scene.command(&command));
        first_look.arrived();
        let second_look = live.hold(Moment::Before, "GET", "/rbac/assignments");
        first_look.release();
        second_look.arrived();
        scene.run(&["apply", "-f", "without-ada.yaml", "ada.json", "--now", NOW, &argument]).ended(0);
        second_look.release();
        slow.end().ended(4)
    };
    assert_eq!(second_look.outcomes(), [("prod/users/grace@contoso.com".to_owned(), "refused".to_owned())]);
    assert!(second_look.stdout.contains("last-admin"), "{}", second_look.stdout);
    assert_eq!(admins(&live), (0, 1));
}

/// What remains: between the last look and the write nothing protects, since the service knows no conditional write. The
/// window is one request long; what it let through isn't undone, but the run that did it says so, and so does the next.
#[test]
fn between_the_last_look_and_the_write_is_a_window_that_does_not_stay_quiet() {
    let (scene, live) = two_removals();
    let argument = live.argument();
    let write = live.hold(Moment::Before, "DELETE", "/assignment");
    let command = ["apply", "-f", "without-grace.yaml", "grace.json", "--now", NOW, &argument];
    let slow = Running::start(scene.command(&command));
    write.arrived();
    scene.run(&["apply", "-f", "without-ada.yaml", "ada.json", "--now", NOW, &argument]).ended(0);
    write.release();
    slow.end().ended(5).says("no other Admin is left: another Admin was removed at the same time");
    assert_eq!(admins(&live), (0, 0), "palisade itself is still Admin, so this can be repaired");
    let drift = scene.run(&["drift", "-f", "without-ada.yaml", "--now", NOW, &argument]).ended(2);
    drift.says("create users/grace@contoso.com").says("few-admins");
}

/// A world in which ada and grace are the Admins besides palisade, and two plans: one removes ada, one removes grace.
fn two_removals() -> (Scene, Live) {
    let scene = Scene::with(EXACT);
    let mut world = scene.fresh_world();
    let creator = world.users.iter().find(|(_, user)| user.user_principal_name == "creator@contoso.com").unwrap().0;
    let creator = creator.to_string();
    world.instances.get_mut(&PROD).unwrap().assignments.retain(|held| held.principal_id != creator);
    give(&mut world, PROD, "ada@contoso.com", "Admin");
    give(&mut world, PROD, "grace@contoso.com", "Admin");
    let live = Live::serving(world);
    for gone in ["ada", "grace"] {
        let text = EXACT.replace(&format!("        - {{ user: {gone}@contoso.com, role: Admin }}\n"), "");
        scene.write(&format!("without-{gone}.yaml"), &text);
        let (file, out) = (format!("without-{gone}.yaml"), format!("{gone}.json"));
        let arguments = ["plan", "-f", &file, "--out", &out, "--format", "json", "--now", NOW, &live.argument()];
        let plan = scene.run(&arguments).ended(0).json();
        assert_eq!(changes(&plan), [format!("delete prod/users/{gone}@contoso.com")]);
    }
    (scene, live)
}

/// Whether ada and grace are Admins.
fn admins(live: &Live) -> (usize, usize) {
    let world = live.world();
    (roles(&world, PROD, "ada@contoso.com").len(), roles(&world, PROD, "grace@contoso.com").len())
}

/// A device that a file is renamed over is gone for everybody.
#[cfg(unix)]
#[test]
fn a_plan_replaces_nothing_but_a_file() {
    let scene = planned();
    std::fs::create_dir(scene.path("folder")).unwrap();
    std::os::unix::net::UnixListener::bind(scene.path("socket")).unwrap();
    for path in ["folder", "socket"] {
        scene.emulated(&["plan", "--out", path]).ended(1).complains("isn't a regular file");
        assert!(!scene.path(path).is_file());
    }
}

#[test]
fn flags_beside_a_plan_are_a_misunderstanding() {
    let scene = planned();
    for (flags, words) in [
        (vec!["--yes"], "a saved plan is an approval already"),
        (
            vec!["--approved", "sha256:1", "--approved-until", "2027-01-01T00:00:00Z"],
            "a saved plan is an approval already",
        ),
        (vec!["--only", "prod/users"], "a saved plan says itself what it covers; `--only`"),
        (vec!["--allow-removals", "7"], "a saved plan says itself what it covers; `--allow-removals`"),
        (vec!["-e", "prod"], "a saved plan says itself what it covers; `-e`"),
    ] {
        let run = scene.emulated(&[&["apply", "plan.json"], flags.as_slice()].concat()).ended(1).complains(words);
        assert!(run.stderr.contains("`palisade apply plan.json --emulator --now "), "{}", run.stderr);
    }
    assert!(scene.journal().is_empty());
}

#[test]
fn a_plan_can_go_through_standard_output_and_input() {
    let scene = Scene::with(EXACT);
    let run = scene.emulated(&["plan", "--out", "-"]).ended(0);
    let plan = parse(&run.stdout).unwrap();
    assert_eq!(plan.summary.changes, 3);
    assert!(run.stderr.contains("create users/ada@contoso.com"), "the text is for a person: {}", run.stderr);
    assert!(run.stderr.contains("apply it with: palisade apply PLAN --emulator"), "{}", run.stderr);
    assert!(!scene.path("-").exists());
    let json = scene.emulated(&["plan", "--out", "-", "--format", "json"]).ended(0);
    assert_eq!(parse(&json.stdout).unwrap().intent_digest, plan.intent_digest);

    let mut command = scene.command(&["apply", "-", "--emulator", "--now", NOW]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(run.stdout.as_bytes()).unwrap();
    Run::of(&child.wait_with_output().unwrap()).ended(0).says("Apply: 3 done");
}

/// A slip of the hand costs no file.
#[test]
fn a_plan_takes_the_place_of_nothing_but_a_plan() {
    let scene = Scene::with(EXACT);
    scene.write("notes.txt", "mine");
    for file in ["palisade.yaml", "notes.txt", ".palisade/emulator.json"] {
        let before = scene.read(file);
        scene.emulated(&["plan", "--out", file]).ended(1).complains("isn't a plan, and isn't replaced by one");
        assert_eq!(scene.read(file), before, "{file}");
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("notes.txt", scene.path("link.txt")).unwrap();
        scene.emulated(&["plan", "--out", "link.txt"]).ended(1).complains("isn't a plan, and isn't replaced by one");
        assert!(scene.path("link.txt").is_symlink());
    }
    scene.write("empty.json", "");
    for _ in 0..2 {
        scene.emulated(&["plan", "--out", "empty.json"]).ended(0);
    }
    parse(&scene.read("empty.json")).unwrap();
}

/// The command that is offered can be copied as it is.
#[test]
fn the_offered_command_works_as_it_is() {
    let scene = Scene::with(EXACT);
    let run = scene.run(&["plan", "--emulator", "--now", "2027-03-01T00:00:00Z", "--out=-x.json"]).ended(0);
    let command = run.stderr.lines().find_map(|line| line.split("apply it with: palisade ").nth(1)).unwrap();
    assert_eq!(command, "apply ./-x.json --emulator --now 2027-03-01T00:00:00Z");
    scene.run(&command.split(' ').collect::<Vec<_>>()).ended(0).says("Apply: 3 done.");
}

#[test]
fn what_is_no_plan_is_told_as_what_it_is() {
    let scene = planned();
    let plan = scene.read("plan.json");
    scene.write("cut.json", &plan[..plan.len() / 2]);
    scene.write("empty.json", "");
    scene.write("elsewhere/other.yaml", EXACT);
    for (file, words) in [
        ("cut.json", "it is cut off in line"),
        ("empty.json", "it is empty"),
        ("elsewhere/other.yaml", "is a configuration, not a saved plan"),
    ] {
        scene.emulated(&["apply", file]).complains(words);
    }
    // Also where no configuration is at hand.
    std::fs::remove_file(scene.path("palisade.yaml")).unwrap();
    scene.emulated(&["apply", "elsewhere/other.yaml"]).complains("is a configuration, not a saved plan");
    assert!(scene.journal().is_empty());
}
