use std::fs;

use proptest::prelude::*;
use tempfile::TempDir;
use uuid::Uuid;

use super::*;
use crate::emulator::SeedError;
use crate::emulator::seed::{Wanted, WantedEnvironment, seed};
use crate::emulator::world::{Access, Assignment, Client, Masked, PrincipalType, Tenant, User};

struct Files {
    folder: TempDir,
}

impl Files {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn world(&self) -> PathBuf {
        self.folder.path().join("deep/world.json")
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("deep/world.json.log")
    }

    fn open(&self) -> Store {
        Store::file(self.world()).unwrap()
    }

    /// Both files as a killed process would leave them, opened in a folder of their own.
    fn reopened(base: &[u8], log: Option<&[u8]>) -> Result<World, StoreError> {
        let files = Self::new();
        fs::create_dir_all(files.world().parent().unwrap()).unwrap();
        fs::write(files.world(), base).unwrap();
        if let Some(log) = log {
            fs::write(files.log(), log).unwrap();
        }
        let copy = Store::copy_of(&files.world());
        let opened = Store::file(files.world())?;
        let world = opened.read(World::clone);
        assert_eq!(copy?.unwrap().read(World::clone), world);
        assert!(!files.log().exists());
        drop(opened);
        assert_eq!(fs::read(files.world()).unwrap().last(), Some(&b'\n'));
        assert_eq!(files.open().read(World::clone), world);
        Ok(world)
    }
}

fn bind(world: &mut World) -> Result<(), StoreError> {
    world.tenant = Some(Tenant { id: Uuid::from_u128(7), domain: "example.com".into(), name: "Example".into() });
    Ok(())
}

/// Adds a user, so that each call leaves another world.
fn add_user(world: &mut World) -> Result<(), StoreError> {
    let number = world.users.len();
    world.users.insert(Uuid::from_u128(number as u128), User::new(format!("{number}@example.com"), "x"));
    Ok(())
}

fn seeded(environments: u128) -> World {
    let environment = |number: u128| WantedEnvironment {
        key: format!("e{number}"),
        instance_id: Some(Uuid::from_u128(number + 1)),
        environment_id: String::new(),
        name: None,
        business_units: false,
        principals: Vec::new(),
    };
    let wanted = Wanted {
        tenant: Uuid::from_u128(7),
        environments: (0..environments).map(environment).collect(),
        ..Wanted::default()
    };
    let mut world = World::new(None);
    seed(&mut world, &wanted, "2026-11-20T12:00:00Z".parse().unwrap()).unwrap();
    world
}

#[test]
fn a_world_survives_closing_and_opening() {
    let files = Files::new();
    let store = files.open();
    store.change(bind).unwrap();
    let before = store.read(World::clone);
    drop(store);
    assert_eq!(files.open().read(World::clone), before);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let store = files.open();
        store.change(add_user).unwrap();
        for path in [files.world(), files.log()] {
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
        }
    }
}

#[test]
fn a_clean_end_leaves_the_world_file_alone() {
    let files = Files::new();
    let store = files.open();
    store.change(bind).unwrap();
    assert!(files.log().exists());
    let world = store.read(World::clone);
    drop(store);
    assert!(!files.log().exists());
    let text = serde_json::to_string_pretty(&world).unwrap();
    assert_eq!(fs::read_to_string(files.world()).unwrap(), format!("{text}\n"));
}

#[test]
fn a_failed_change_changes_nothing() {
    let mut world = seeded(2);
    let id = *world.instances.keys().next().unwrap();
    world.users.insert(id, User::new("a@example.com", "a"));
    let store = Store::memory(world.clone());
    let spoil = |world: &mut World| {
        bind(world).unwrap();
        add_user(world).unwrap();
        world.users.remove(&id);
        world.users.insert(id, User::new("b@example.com", "b"));
        world.instances.get_mut(&id).unwrap().assignments.clear();
        world.instances.remove(&id);
        world.custom_roles.insert(id, crate::emulator::CustomRole { role_name: "r".into(), permissions: Vec::new() });
        world.applications.values_mut().for_each(|application| application.display_name.clear());
        world.subscriptions.get_or_insert_with(id, || panic!("within the change"));
    };
    let failed: Result<(), StoreError> = store.change(|world| {
        world.subscriptions.get_or_insert_with(id, || crate::emulator::Subscription {
            display_name: "s".into(),
            resource_groups: std::collections::BTreeMap::new(),
        });
        world.role_assignments.clear();
        spoil(world);
        Err(StoreError::InUse(PathBuf::new()))
    });
    assert!(failed.is_err());
    assert_eq!(store.read(World::clone), world);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        store.change(|world| -> Result<(), StoreError> {
            spoil(world);
            Ok(())
        })
    }));
    assert!(panicked.is_err());
    assert_eq!(store.read(World::clone), world);
}

#[test]
fn a_change_that_cannot_be_kept_has_not_happened() {
    let files = Files::new();
    let store = files.open();
    store.change(bind).unwrap();
    let before = store.read(World::clone);
    fs::rename(files.log(), files.folder.path().join("elsewhere")).unwrap();
    assert!(matches!(store.change(add_user), Err(StoreError::Io { .. })));
    fs::write(files.log(), "of another program\n").unwrap();
    assert!(matches!(store.change(add_user), Err(StoreError::Io { .. })));
    assert_eq!(store.read(World::clone), before);
    fs::rename(files.folder.path().join("elsewhere"), files.log()).unwrap();
    store.change(add_user).unwrap();
    let after = store.read(World::clone);
    drop(store);
    assert_eq!(files.open().read(World::clone), after);
}

/// What a write puts on file, and how long the log then is.
fn bytes_per_write(environments: u128, assignments: u128) -> u64 {
    let files = Files::new();
    let mut world = seeded(environments);
    world.world = Uuid::from_u128(1);
    let crowd = (0..assignments).map(|number| Assignment {
        principal_id: Uuid::from_u128(0xa000_0000 + number).to_string(),
        principal_type: PrincipalType::User,
        roles: vec!["Viewer".to_owned()],
    });
    let id = Uuid::from_u128(1);
    world.instances.get_mut(&id).unwrap().assignments.extend(crowd);
    drop(files.open());
    fs::write(files.world(), serde_json::to_vec(&world).unwrap()).unwrap();
    let store = files.open();
    let written = |number: u128| {
        let before = fs::metadata(files.log()).map_or(0, |log| log.len());
        let change: Result<(), StoreError> = store.change(|world| {
            let mut next = world.instances[&id].assignments.clone();
            next.push(Assignment {
                principal_id: Uuid::from_u128(number).to_string(),
                principal_type: PrincipalType::User,
                roles: vec!["Viewer".to_owned()],
            });
            world.set_assignments(id, next, "2026-11-20T12:00:00Z".parse().unwrap());
            Ok(())
        });
        change.unwrap();
        fs::metadata(files.log()).unwrap().len() - before
    };
    let first = written(1);
    let second = written(2);
    // The first one has the log's head as well.
    assert!(first > second);
    second
}

#[test]
fn what_a_write_puts_on_file_does_not_depend_on_the_rest_of_the_world() {
    let small = bytes_per_write(1, 100);
    assert!(small < 400, "{small} bytes for one assignment");
    assert_eq!(bytes_per_write(1000, 100), small);
    assert_eq!(bytes_per_write(1, 800), small, "an index of three digits in both");
}

#[test]
fn the_world_is_written_anew_when_the_log_outgrows_it() {
    let files = Files::new();
    let store = files.open();
    let base = fs::read(files.world()).unwrap();
    let mut longest = 0;
    while fs::read(files.world()).unwrap() == base {
        store.change(add_user).unwrap();
        longest = longest.max(fs::metadata(files.log()).map_or(0, |log| log.len()));
    }
    assert!(!files.log().exists());
    assert!((SHORT_LOG - 1000..=SHORT_LOG + 1000).contains(&longest), "{longest}");
    let world = store.read(World::clone);
    assert_eq!(parse(&files.world(), &fs::read_to_string(files.world()).unwrap()).unwrap(), world);
    store.change(add_user).unwrap();
    assert!(files.log().exists());
}

/// Files at each point where a process could be killed, with the world that must come out of them.
struct Point {
    base: Vec<u8>,
    log: Option<Vec<u8>>,
    world: World,
}

impl Point {
    fn now(files: &Files, store: &Store) -> Self {
        let (base, log) = (fs::read(files.world()).unwrap(), fs::read(files.log()).ok());
        Self { base, log, world: store.read(World::clone) }
    }

    #[track_caller]
    fn holds(&self) {
        assert_eq!(Files::reopened(&self.base, self.log.as_deref()).unwrap(), self.world);
    }
}

#[derive(Debug, Clone, Copy)]
enum Do {
    AddUser,
    RemoveUser,
    Grant,
    Revoke,
    Rename,
    Save,
}

fn act(store: &Store, action: Do) {
    let changed: Result<(), StoreError> = store.change(|world| {
        let first = *world.instances.keys().next().unwrap();
        let (last_user, _) = world.users.last_key_value().map(|(id, user)| (*id, user.clone())).unzip();
        match action {
            Do::AddUser => add_user(world)?,
            Do::RemoveUser => drop(last_user.and_then(|id| world.users.remove(&id))),
            Do::Grant => world.instances.get_mut(&first).unwrap().assignments.push(Assignment {
                principal_id: world.users.len().to_string(),
                principal_type: PrincipalType::User,
                roles: vec!["Viewer".to_owned()],
            }),
            Do::Revoke => drop(world.instances.get_mut(&first).unwrap().assignments.pop()),
            Do::Rename => {
                world.behaviour.refuse_last_admin ^= true;
                let client = Client { secret: Masked::new("hidden"), graph: Access::Denied };
                let mut applications = world.applications.values_mut();
                applications.next().unwrap().client = Some(client);
            }
            Do::Save => {}
        }
        Ok(())
    });
    changed.unwrap();
    if matches!(action, Do::Save) {
        store.save().unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_kill_at_any_point_leaves_every_answered_change_and_no_other(
        actions in prop::collection::vec(
            prop_oneof![
                Just(Do::AddUser), Just(Do::RemoveUser), Just(Do::Grant), Just(Do::Revoke), Just(Do::Rename), Just(Do::Save)
            ],
            1..8,
        ),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 3),
    ) {
        let files = Files::new();
        let store = files.open();
        let seeding: Result<(), SeedError> = store.change(|world| {
            *world = World { world: world.world, ..seeded(2) };
            Ok(())
        });
        seeding.unwrap();
        store.save().unwrap();
        for action in actions {
            let before = Point::now(&files, &store);
            act(&store, action);
            let after = Point::now(&files, &store);
            after.holds();
            if before.base == after.base {
                // Within the line: the change was never answered.
                let (from, log) = (before.log.as_ref().map_or(0, Vec::len), after.log.unwrap_or_default());
                for cut in cuts.iter().filter(|_| from < log.len()) {
                    let cut = from + cut.index(log.len() - from);
                    Point { base: before.base.clone(), log: Some(log[..cut].to_vec()), world: before.world.clone() }.holds();
                }
            } else {
                // Before the rename, with the log's last line whole or torn; and after it, with the log still there.
                let mut log = before.log.clone().unwrap();
                let from = log.len();
                log.extend(log::contained_in(&digest::of_bytes(&after.base)).unwrap());
                for cut in cuts.iter().map(|cut| from + cut.index(log.len() + 1 - from)) {
                    Point { base: before.base.clone(), log: Some(log[..cut].to_vec()), world: before.world.clone() }.holds();
                }
                Point { base: after.base.clone(), log: Some(log), world: after.world.clone() }.holds();
            }
        }
    }
}

#[test]
fn a_crash_before_the_rename_leaves_no_sibling_behind() {
    let files = Files::new();
    let store = files.open();
    let old = store.read(World::clone);
    // Kept on disk, as a killed process would.
    let (_, leftover) = files::prepare(&files.world(), b"half").unwrap().keep().unwrap();
    drop(store);
    assert_eq!(files.open().read(World::clone), old);
    assert!(!leftover.exists());
}

#[test]
fn foreign_files_are_refused_and_left_alone() {
    let files = Files::new();
    drop(files.open());
    let cases = [
        ("", "EOF"),
        ("[1]", "no `format"),
        (r#"{"format":"palisade.world/9"}"#, "palisade.world/9"),
        (r#"{"format":"palisade.world/1","world":7}"#, "line 1"),
        (r#"{"format":"palisade.world/1","world":"00000000-0000-4000-8000-000000000001","tenant":null,"x":1}"#, "`x`"),
    ];
    for (text, reason) in cases {
        fs::write(files.world(), text).unwrap();
        for error in [Store::file(files.world()).unwrap_err(), Store::copy_of(&files.world()).unwrap_err()] {
            assert!(error.to_string().contains(reason), "{error}");
        }
        assert_eq!(fs::read_to_string(files.world()).unwrap(), text);
    }
}

#[test]
fn a_log_of_nothing_is_refused_and_left_alone() {
    let files = Files::new();
    let store = files.open();
    store.change(bind).unwrap();
    let (base, log) = (fs::read(files.world()).unwrap(), fs::read_to_string(files.log()).unwrap());
    drop(store);
    let edited = String::from_utf8(base.clone()).unwrap().replace("PT59M59S", "PT1H");
    let cases = [
        (Some(edited.as_bytes()), log.clone(), "another state of the world file"),
        (Some(&base), "precious".to_owned(), "isn't a log"),
        (Some(&base), "precious\n".to_owned(), "line 1"),
        (Some(&base), log.replace("world-log/1", "world-log/2"), "world-log/2"),
        (Some(&base), log.replace("\"change\"", "\"chance\""), "line 2"),
        (Some(&base), log.replace("/tenant", "/tenant/x"), "/tenant/x"),
        (None, log.clone(), "the world file is gone"),
    ];
    for (base, log, reason) in cases {
        match base {
            Some(base) => fs::write(files.world(), base).unwrap(),
            None => fs::remove_file(files.world()).unwrap(),
        }
        fs::write(files.log(), &log).unwrap();
        let error = Store::file(files.world()).unwrap_err();
        assert!(matches!(error, StoreError::ForeignLog { .. }) && error.to_string().contains(reason), "{error}");
        assert_eq!(fs::read_to_string(files.log()).unwrap(), log);
        assert_eq!(fs::read(files.world()).ok().as_deref(), base);
    }
}

#[test]
fn a_world_has_one_owner_and_readers_get_a_copy() {
    let files = Files::new();
    assert!(Store::copy_of(&files.world()).unwrap().is_none());
    let first = files.open();
    first.change(bind).unwrap();
    assert!(matches!(Store::file(files.world()), Err(StoreError::InUse(_))));
    let copy = Store::copy_of(&files.world()).unwrap().unwrap();
    assert_eq!(copy.read(World::clone), first.read(World::clone));
    copy.change(add_user).unwrap();
    drop(copy);
    let before = first.read(World::clone);
    first.let_go().unwrap();
    let second = files.open();
    assert_eq!(second.read(World::clone), before);
    first.change(add_user).unwrap();
    drop(first);
    drop(second);
    assert_eq!(files.open().read(World::clone), before);
}

#[cfg(unix)]
#[test]
fn symbolic_links_are_refused() {
    let files = Files::new();
    let store = files.open();
    let target = files.folder.path().join("target.json");
    fs::write(&target, "{}").unwrap();
    std::os::unix::fs::symlink(&target, files.log()).unwrap();
    assert!(matches!(store.change(bind), Err(StoreError::Symlink(_))));
    drop(store);
    assert!(matches!(Store::file(files.world()), Err(StoreError::Symlink(_))));
    fs::remove_file(files.log()).unwrap();
    fs::remove_file(files.world()).unwrap();
    std::os::unix::fs::symlink(&target, files.world()).unwrap();
    assert!(matches!(Store::file(files.world()), Err(StoreError::Symlink(_))));
    assert_eq!(fs::read_to_string(&target).unwrap(), "{}");
}

#[cfg(unix)]
#[test]
fn only_a_regular_file_is_a_world() {
    let files = Files::new();
    fs::create_dir_all(files.world().parent().unwrap()).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(files.world()).unwrap();
    let error = Store::file(files.world()).unwrap_err();
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "it isn't a regular file");
}
