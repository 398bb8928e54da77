//! The embedded emulator's world: what it is given and how that is told, and several runs on one of it.

use std::process::Stdio;

use palisade::emulator::{Store, StoreError, User, World};
use uuid::Uuid;

use crate::process::Running;
use crate::support::{EXACT, NOW, PROD, Run, Scene, WORLD, roles};

const STATE: &str = ".palisade/emulator.json";
const LOG: &str = ".palisade/emulator.json.log";

/// A scene without a world.
fn fresh(configuration: &str) -> Scene {
    let scene = Scene::bare();
    scene.write("palisade.yaml", configuration);
    scene
}

/// What a run told about seeding.
fn told(run: &Run) -> Vec<&str> {
    run.stderr.lines().filter(|line| line.starts_with("emulator: ")).collect()
}

fn target(run: &Run) -> String {
    run.json()["target"]["world"].as_str().unwrap().to_owned()
}

#[test]
fn what_seeding_adds_is_told_by_name_and_once() {
    let scene = fresh(EXACT);
    let run = scene.emulated(&["plan"]).ended(0);
    let expected = [
        "emulator: registered its own apps in its world: palisade, Dynamics 365 AI for Customer Insights",
        "emulator: added 3 users to its world: ",
        "emulator: added environment Contoso prod to its world; a real tenant has no such environment unless you make it",
        "emulator: added Power Platform environment Contoso prod to its world; ",
        "emulator: registered palisade as a Power Platform administrator in its world; ",
    ];
    let lines = told(&run);
    assert_eq!(lines.len(), expected.len(), "{lines:#?}");
    assert!(lines.iter().zip(expected).all(|(line, expected)| line.starts_with(expected)), "{lines:#?}");
    for name in ["ada@contoso.com", "grace@contoso.com", "creator@contoso.com"] {
        assert!(lines[1].contains(name), "{lines:#?}");
    }
    assert!(told(&scene.emulated(&["plan"]).ended(0)).is_empty());

    scene.write("palisade.yaml", &EXACT.replace("grace@", "gracce@"));
    scene.emulated(&["plan", "-q"]).ended(0);
    let scene = fresh(EXACT);
    scene.emulated(&["plan", "-q"]).ended(0);
    scene.write("palisade.yaml", &EXACT.replace("grace@", "gracce@"));
    let run = scene.emulated(&["drift"]).ended(2);
    let slip =
        "emulator: added user gracce@contoso.com to its world; a real tenant has no such user unless you make it";
    assert_eq!(told(&run), [slip]);
}

#[test]
fn quiet_runs_and_programs_are_told_nothing_but_the_result() {
    let scene = fresh(EXACT);
    let run = scene.emulated(&["plan", "-q", "--format", "json"]).ended(0);
    assert_eq!(run.stderr, "");
    run.json();
}

#[test]
fn vaults_resources_and_grants_are_told_too() {
    let group = "/subscriptions/00000000-0000-4000-8000-0000000000a1/resourceGroups/rg-ci/providers";
    let consent = "dataPrivacyConsent: { agreedBy: ada@contoso.com, agreedOn: 2026-03-02 }";
    let linked = format!(
        "{EXACT}    keyVault:\n      id: {group}/Microsoft.KeyVault/vaults/kv-ci\n      {consent}\n    privateLinks:\n      match: \
         exact\n      links:\n        - resource: {group}/Microsoft.Storage/storageAccounts/contosolake\n          {consent}\n"
    );
    let scene = fresh(&linked);
    let run = scene.emulated(&["plan"]);
    let lines = told(&run);
    let has = |words: &str| lines.iter().filter(|line| line.contains(words)).count() == 1;
    for words in [
        "added Azure subscription 00000000-0000-4000-8000-0000000000a1 to its world",
        "added resource group rg-ci to its world",
        "added key vault kv-ci to its world",
        "added storage account contosolake to its world",
        "granted palisade 3 Azure roles: Reader on kv-ci, Key Vault Secrets Officer on kv-ci, Owner on rg-ci; a real tenant",
    ] {
        assert!(has(words), "{words}:\n{}\n{}", run.stderr, run.stdout);
    }
}

#[test]
fn a_strict_run_adds_nothing() {
    let scene = fresh(EXACT);
    let run = scene.emulated(&["plan", "--emulator-strict"]);
    let lines = told(&run);
    assert_eq!(lines.len(), 2, "{}", run.stderr);
    assert!(lines[1].contains("has no environments, and --emulator-strict adds none"), "{}", run.stderr);
    assert!(scene.world().users.is_empty() && scene.world().instances.is_empty());
    assert_ne!(run.status, Some(0), "what isn't there can't be planned");

    // A name that the world doesn't have is missing, as on a real tenant.
    let scene = Scene::with(EXACT);
    scene.write("palisade.yaml", &EXACT.replace("grace@", "gracce@"));
    let run = scene.emulated(&["plan", "--emulator-strict"]);
    assert!(told(&run).is_empty(), "{}", run.stderr);
    assert!(run.stdout.contains("gracce@contoso.com") && run.status != Some(0), "{}{}", run.stdout, run.stderr);
    assert!(scene.world().users.values().all(|user| user.user_principal_name != "gracce@contoso.com"));

    scene
        .run(&["plan", "--emulator-strict", "--emulator=http://127.0.0.1:1"])
        .ended(1)
        .complains("`--emulator-strict` is for");
    scene.run(&["plan", "--emulator-strict"]).ended(1).complains("add `--emulator`");
}

#[test]
fn the_next_command_is_as_strict() {
    let scene = Scene::with(EXACT);
    let run = scene.emulated(&["plan", "--emulator-strict", "--out", "plan.json"]).ended(0);
    run.complains("apply it with: palisade apply plan.json --emulator --emulator-strict");
}

#[test]
fn plans_side_by_side_on_a_fresh_folder_share_one_world() {
    let scene = fresh(EXACT);
    let plan = || {
        let mut command = scene.command(&["plan", "--format", "json", "--emulator", "--now", NOW]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let plans: Vec<_> = (0..8).map(|_| plan()).collect();
    let ended = plans.into_iter().map(|plan| Run::of(&plan.wait_with_output().unwrap()).ended(0));
    let worlds: Vec<String> = ended.map(|run| target(&run)).collect();
    assert_eq!(worlds, vec![scene.world().world.to_string(); 8]);
    assert!(!scene.path(LOG).exists());
}

#[test]
fn a_plan_reads_the_world_that_another_run_has() {
    let scene = Scene::with(EXACT);
    // As an apply that waits at its prompt: it has the world, and has written to it.
    let other = Store::file(scene.path(STATE)).unwrap();
    let written: Result<(), StoreError> = other.change(|world| {
        world.instances.get_mut(&PROD).unwrap().metadata.name = Some("Contoso prod".to_owned());
        world.users.insert(Uuid::from_u128(5), User::new("linus@contoso.com", "linus"));
        world.behaviour.refuse_owner_removal = true;
        Ok(())
    });
    written.unwrap();
    let files = || (scene.read(STATE), scene.read(LOG));
    let before = files();
    scene.write("palisade.yaml", &EXACT.replace("grace@", "linus@").replace("ada@", "new@"));
    let run = scene.emulated(&["plan", "--format", "json"]).ended(0);
    assert_eq!(target(&run), WORLD.to_string());
    assert_eq!(told(&run).len(), 1, "linus is there, new isn't: {}", run.stderr);
    assert_eq!(files(), before);
    let run = scene.emulated(&["apply", "--yes"]).ended(1);
    run.complains("emulator.json is in use by another process; waited 3 s for it").complains("--emulator-state FILE");
    assert_eq!(files(), before);
    let kept = other.read(World::clone);
    drop(other);
    assert_eq!(scene.world(), kept);
    assert!(!scene.path(LOG).exists());
}

#[test]
fn what_a_killed_emulator_answered_is_there_for_the_next_run() {
    let scene = Scene::with(EXACT);
    let mut command = scene.command(&["emulator", "--ready-file", "ready.json", "--now", NOW]);
    command.args(["--world", STATE]);
    let mut running = Running::start(command);
    running.says("The emulator listens on http://127.0.0.1:");
    let ready: serde_json::Value = serde_json::from_str(&scene.read("ready.json")).unwrap();
    let argument = format!("--emulator={}", ready["http"].as_str().unwrap());
    scene.run(&["apply", "--yes", "--now", NOW, &argument]).ended(0);
    running.kill();
    let file: World = serde_json::from_str(&scene.read(STATE)).unwrap();
    assert!(roles(&file, PROD, "ada@contoso.com").is_empty() && scene.path(LOG).exists());
    assert_eq!(roles(&scene.killed_world(), PROD, "ada@contoso.com"), ["Admin"]);
    scene.emulated(&["plan", "--detailed-exitcode"]).ended(0);
    assert_eq!(roles(&scene.world(), PROD, "ada@contoso.com"), ["Admin"]);
    assert!(!scene.path(LOG).exists());
}
