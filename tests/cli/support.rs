//! A scene: a folder of its own in which the binary runs with an empty environment and a known time.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use palisade::declared::load;
use palisade::emulator::{Store, World, seed};
use serde_json::Value as Json;
use tempfile::TempDir;
use uuid::Uuid;

/// The instant at which scenes play.
pub(crate) const NOW: &str = "2026-11-20T12:00:00Z";

pub(crate) const TENANT: Uuid = Uuid::from_u128(0x7b1f_0c52_0000_4000_8000_0000_0000_00aa);
pub(crate) const PROD: Uuid = Uuid::from_u128(0x6f2b_1c34_0000_4000_8000_0000_0000_a001);
pub(crate) const TEST: Uuid = Uuid::from_u128(0x6f2b_1c34_0000_4000_8000_0000_0000_a002);
pub(crate) const DEV: Uuid = Uuid::from_u128(0x6f2b_1c34_0000_4000_8000_0000_0000_a003);
/// The world of every scene, so that what is printed is the same in each run.
pub(crate) const WORLD: Uuid = Uuid::from_u128(0x0000_0000_0000_4000_8000_0000_0000_0001);

/// One environment, whose users are exactly two Admins and palisade.
pub(crate) const EXACT: &str = "\
version: 1
tenant: { id: 7b1f0c52-0000-4000-8000-0000000000aa }
environments:
  prod:
    instanceId: 6f2b1c34-0000-4000-8000-00000000a001
    environmentId: 1bd6bd98-0000-4000-8000-00000000e001
    name: Contoso prod
    users:
      match: exact
      assignments:
        - { user: ada@contoso.com, role: Admin }
        - { user: grace@contoso.com, role: Admin }
        - { app: palisade, id: 8f14e45f-0000-4000-8000-0000000000c1, role: Admin }
";

/// The end of [`EXACT`]: API access as well.
pub(crate) const API_ON: &str = "    apiAccess: { enabled: true }\n";

/// Three environments that differ in nothing but their names and ids.
pub(crate) const THREE: &str = "\
version: 1
tenant: { id: 7b1f0c52-0000-4000-8000-0000000000aa }
base:
  users:
    match: exact
    assignments:
      - { user: ada@contoso.com, role: Admin }
      - { user: grace@contoso.com, role: Admin }
      - { app: palisade, id: 8f14e45f-0000-4000-8000-0000000000c1, role: Admin }
environments:
  prod:
    instanceId: 6f2b1c34-0000-4000-8000-00000000a001
    environmentId: 1bd6bd98-0000-4000-8000-00000000e001
  test:
    instanceId: 6f2b1c34-0000-4000-8000-00000000a002
    environmentId: 1bd6bd98-0000-4000-8000-00000000e002
  dev:
    instanceId: 6f2b1c34-0000-4000-8000-00000000a003
    environmentId: 1bd6bd98-0000-4000-8000-00000000e003
";

/// How a run of the binary ended.
#[derive(Debug)]
pub(crate) struct Run {
    /// The exit status; none if a signal ended it.
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    pub(crate) fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self { status: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }

    /// Makes sure that it ended so, and shows everything if it didn't.
    #[track_caller]
    pub(crate) fn ended(self, status: i32) -> Self {
        assert_eq!(self.status, Some(status), "--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Json {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}\n{}", self.stdout, self.stderr))
    }

    /// Makes sure that standard error says this.
    #[track_caller]
    pub(crate) fn complains(self, words: &str) -> Self {
        assert!(self.stderr.contains(words), "`{words}` is missing:\n{}", self.stderr);
        self
    }

    /// Makes sure that standard output says this.
    #[track_caller]
    pub(crate) fn says(self, words: &str) -> Self {
        assert!(self.stdout.contains(words), "`{words}` is missing:\n{}\n{}", self.stdout, self.stderr);
        self
    }

    /// Status of each change of an apply report, with its address.
    #[track_caller]
    pub(crate) fn outcomes(&self) -> Vec<(String, String)> {
        let report = self.json();
        let text = |value: &Json| value.as_str().unwrap().to_owned();
        let changes = report["changes"].as_array().unwrap().iter();
        changes.map(|change| (text(&change["address"]), text(&change["status"]))).collect()
    }
}

/// The changes of a plan in JSON: action and address.
pub(crate) fn changes(plan: &Json) -> Vec<String> {
    let scopes = plan["scopes"].as_array().unwrap().iter();
    let changes = scopes.flat_map(|scope| scope["changes"].as_array().unwrap());
    let text = |value: &Json| value.as_str().unwrap().to_owned();
    changes.map(|change| format!("{} {}", text(&change["action"]), text(&change["address"]))).collect()
}

/// A folder with a configuration.
pub(crate) struct Scene {
    folder: TempDir,
}

impl Scene {
    /// A folder with nothing in it.
    pub(crate) fn bare() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// A folder with `palisade.yaml` and a world that knows what it talks about.
    pub(crate) fn with(configuration: &str) -> Self {
        let scene = Self::bare();
        scene.write("palisade.yaml", configuration);
        scene.keep_world(&scene.fresh_world());
        scene
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// A world as the embedded emulator would seed it, but with a known id.
    pub(crate) fn fresh_world(&self) -> World {
        let loaded = load(&[self.path("palisade.yaml")]);
        let configuration = loaded.configuration.expect("a scene's configuration is valid");
        let mut world = World::new(None);
        world.world = WORLD;
        seed(&mut world, &palisade::cli::wanted(&configuration), NOW.parse().unwrap()).unwrap();
        world
    }

    pub(crate) fn keep_world(&self, world: &World) {
        self.write(".palisade/emulator.json", &serde_json::to_string_pretty(world).unwrap());
    }

    /// The world that the embedded emulator keeps here. After a run that ended by itself its file is all there is.
    #[track_caller]
    pub(crate) fn world(&self) -> World {
        assert!(!self.path(".palisade/emulator.json.log").exists(), "a run left its log");
        serde_json::from_str(&self.read(".palisade/emulator.json")).unwrap()
    }

    /// The same after a run that was killed: its log belongs to the world, too.
    pub(crate) fn killed_world(&self) -> World {
        Store::copy_of(&self.path(".palisade/emulator.json")).unwrap().unwrap().read(World::clone)
    }

    /// Changes that world behind palisade's back.
    pub(crate) fn change_world(&self, change: impl FnOnce(&mut World)) {
        let mut world = self.world();
        change(&mut world);
        self.keep_world(&world);
    }

    /// The binary in this folder, in an environment that holds nothing but a home.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
        command.args(arguments).current_dir(self.folder.path()).env_clear().env("HOME", self.folder.path());
        command.stdin(Stdio::null());
        command
    }

    /// Runs to the end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        Run::of(&self.command(arguments).output().unwrap())
    }

    /// Runs against the embedded emulator, at the scene's instant.
    pub(crate) fn emulated(&self, arguments: &[&str]) -> Run {
        self.emulated_at(NOW, arguments)
    }

    pub(crate) fn emulated_at(&self, now: &str, arguments: &[&str]) -> Run {
        self.run(&[arguments, &["--emulator", "--now", now]].concat())
    }

    /// Runs against the embedded emulator, in which things go wrong.
    pub(crate) fn faulty(&self, rules: &str, arguments: &[&str]) -> Run {
        self.write("faults.yaml", rules);
        self.emulated(&[arguments, &["--emulator-faults", "faults.yaml"]].concat())
    }

    /// The journal's lines.
    pub(crate) fn journal(&self) -> Vec<Json> {
        let text = fs::read_to_string(self.path(".palisade/journal.jsonl")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// Somebody's roles in an environment of a world, by user principal name; empty if there are none.
pub(crate) fn roles(world: &World, instance: Uuid, upn: &str) -> Vec<String> {
    let (id, _) = world.users.iter().find(|(_, user)| user.user_principal_name == upn).expect("a user of the world");
    let held = world.instances[&instance].assignments.iter();
    held.filter(|assignment| assignment.principal_id == id.to_string()).flat_map(|held| held.roles.clone()).collect()
}

/// Gives a user of the world, made if need be, a role.
pub(crate) fn give(world: &mut World, instance: Uuid, upn: &str, role: &str) {
    let known = world.users.iter().find(|(_, user)| user.user_principal_name == upn).map(|(id, _)| *id);
    let id = known.unwrap_or_else(|| {
        let id = Uuid::from_u128(0xadd0_0000_0000_4000_8000_0000_0000_0000 + world.users.len() as u128);
        let user = serde_json::json!({ "userPrincipalName": upn, "displayName": upn.split('@').next() });
        world.users.insert(id, serde_json::from_value(user).unwrap());
        id
    });
    let assignment = serde_json::json!({ "principalId": id, "principalType": "user", "roles": [role] });
    let assignments = &mut world.instances.get_mut(&instance).unwrap().assignments;
    assignments.retain(|held| held.principal_id != id.to_string());
    assignments.push(serde_json::from_value(assignment).unwrap());
}
