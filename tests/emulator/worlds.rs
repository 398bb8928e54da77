//! World files, seeding, starting and stopping, and the fault that ends the process.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::BoxFuture;
use jiff::SignedDuration;
use palisade::clock::Clock;
use palisade::emulator::{
    Added, CLIENT_ID, Observer, SeedError, SeenRequest, StartError, Store, StoreError, User, WantedVault, World,
    parse_rules, seed, start,
};
use palisade::settings::users::PrincipalRef;
use serde_json::json;
use uuid::Uuid;

use crate::support::{
    Ask, BARE, CI, EXPORT_APP, Fixture, GROUP, INSTANCE, TENANT, VAULT, options, start_of_time, user_id, wanted, world,
};

fn assignment() -> String {
    format!("/api/instances/{INSTANCE}/rbac/principals/{BARE}/assignment")
}

fn viewer(token: &str) -> Ask {
    Ask::token(token).json(&json!({ "roles": ["Viewer"] }))
}

fn fresh() -> World {
    let mut world = World::new(None);
    seed(&mut world, &wanted(), start_of_time()).unwrap();
    world
}

#[test]
fn seeding_gives_what_the_configuration_talks_about() {
    let world = fresh();
    let tenant = world.tenant.clone().unwrap();
    assert_eq!((tenant.id, tenant.domain.as_str()), (TENANT, "contoso.com"));
    assert!(world.users.contains_key(&BARE));
    assert_eq!(world.groups[&GROUP].members.len(), 2);
    assert!(world.applications.values().any(|a| a.app_id == EXPORT_APP && a.client.is_none()));
    let instance = &world.instances[&INSTANCE];
    assert_eq!(instance.owner, user_id(&world, "creator@contoso.com"));
    assert!(!instance.api_subscription.is_subscribed);
    let roles: Vec<&str> = instance.assignments.iter().flat_map(|a| &a.roles).map(String::as_str).collect();
    assert_eq!(roles, ["Admin", "Admin"]);
}

#[test]
fn a_seeded_vault_is_protected_and_open_to_the_embedded_client() {
    let mut world = fresh();
    let vault = world.vaults["kv-ci-prod"].clone();
    assert_eq!((vault.id.as_str(), vault.location.as_str(), vault.tenant_id), (VAULT, "westeurope", TENANT));
    assert!(vault.enable_soft_delete && vault.enable_purge_protection && vault.secrets.is_empty());
    assert_eq!((vault.enable_rbac_authorization, vault.soft_delete_retention_in_days), (Some(true), 90));
    let (me, _) = world.applications.iter().find(|(_, a)| a.app_id == CLIENT_ID).unwrap();
    let on_vault = world.role_assignments.iter().filter(|a| a.scope == VAULT);
    let held = on_vault.map(|a| (a.principal_id, a.scope.as_str(), a.role_definition.to_string()));
    let roles = ["acdd72a7-3385-48ef-bd42-f606fba81ae7", "b86a8fe4-44ce-4948-aee5-eccb2c155cd7"];
    assert_eq!(held.collect::<Vec<_>>(), roles.map(|role| (*me, VAULT, role.to_owned())));
    // What is there stays, another spelling of it is the same, and what is no vault brings nothing.
    world.vaults.get_mut("kv-ci-prod").unwrap().enable_purge_protection = false;
    let before = world.clone();
    let mut wanted = wanted();
    wanted.vaults.push(WantedVault { id: VAULT.to_uppercase() });
    wanted.vaults.push(WantedVault { id: VAULT.replace("vaults", "managedHSMs") });
    wanted.vaults.push(WantedVault { id: "kv-ci-prod".into() });
    seed(&mut world, &wanted, start_of_time()).unwrap();
    assert_eq!(world, before);
}

#[test]
fn seeding_twice_changes_nothing() {
    let once = fresh();
    let mut twice = once.clone();
    let later = start_of_time() + SignedDuration::from_hours(24);
    seed(&mut twice, &wanted(), later).unwrap();
    assert_eq!(once, twice);
}

#[test]
fn fresh_worlds_differ_only_in_their_id() {
    let (one, mut other) = (fresh(), fresh());
    assert_ne!(one.world, other.world);
    other.world = one.world;
    assert_eq!(serde_json::to_string_pretty(&one).unwrap(), serde_json::to_string_pretty(&other).unwrap());
}

#[test]
fn seeding_adds_and_leaves_the_rest() {
    let mut world = fresh();
    let instance = world.instances.get_mut(&INSTANCE).unwrap();
    instance.assignments.clear();
    instance.metadata.name = Some("Renamed".into());
    let before = world.clone();
    let mut wanted = wanted();
    wanted.environments[0].principals.push(PrincipalRef::User { upn: "new@fabrikam.com".into(), id: None });
    // Known under another kind: stays what it is.
    wanted.environments[0].principals.push(PrincipalRef::Principal { id: GROUP });
    seed(&mut world, &wanted, start_of_time()).unwrap();
    assert_eq!(world.instances, before.instances);
    assert_eq!(world.groups, before.groups);
    assert_eq!(world.users.len(), before.users.len() + 1);
}

#[test]
fn a_world_belongs_to_one_tenant() {
    let mut world = fresh();
    let mut other = wanted();
    other.tenant = Uuid::from_u128(1);
    let error = seed(&mut world, &other, start_of_time()).unwrap_err();
    assert!(matches!(error, SeedError::OtherTenant { .. }));
    assert!(error.to_string().contains("--emulator-state"));
}

#[test]
fn a_tenant_without_users_gets_the_example_domain() {
    let mut world = World::new(None);
    let mut bare = wanted();
    bare.environments[0].principals.clear();
    bare.environments[0].name = None;
    seed(&mut world, &bare, start_of_time()).unwrap();
    assert_eq!(world.tenant.unwrap().domain, "example.com");
    assert_eq!(world.instances[&INSTANCE].metadata.name.as_deref(), Some("prod"));
}

#[tokio::test]
async fn only_loopback_is_listened_on() {
    for address in ["0.0.0.0:0", "192.0.2.1:0", "[::]:0"] {
        let mut options = options(world(), Vec::new());
        options.http = address.parse().unwrap();
        assert!(matches!(start(options).await, Err(StartError::NotLoopback(_))), "{address}");
    }
}

#[tokio::test]
async fn a_stopped_emulator_lets_go_of_its_world() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("world.json");
    let store = Store::file(&path).unwrap();
    let seeding: Result<Added, SeedError> = store.change(|w| seed(w, &wanted(), start_of_time()));
    seeding.unwrap();
    let mut options = options(world(), Vec::new());
    options.world = store;
    let f = Fixture::with(options).await;
    let token = f.admin(CI).await;
    assert!(matches!(Store::file(&path), Err(StoreError::InUse(_))));
    let written = f.ask("PUT", &assignment(), viewer(&token)).await;
    assert_eq!(written.status, 200);
    let kept = f.emulator.world();
    f.emulator.stop().await;
    assert_eq!(Store::file(&path).unwrap().read(World::clone), kept);
}

/// Notes whether the write was on disk when its answer was about to leave.
struct OnDisk {
    path: PathBuf,
    seen: AtomicBool,
}

impl Observer for OnDisk {
    fn before<'a>(&'a self, _: &'a SeenRequest) -> BoxFuture<'a, ()> {
        Box::pin(async {})
    }

    fn after<'a>(&'a self, request: &'a SeenRequest, _: u16) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            if request.method == "PUT" {
                let kept = Store::copy_of(&self.path).unwrap().unwrap().read(World::clone);
                let written = kept.instances[&INSTANCE].assignments.iter().any(|a| a.principal_id == BARE.to_string());
                self.seen.store(written, Ordering::SeqCst);
            }
        })
    }
}

#[tokio::test]
async fn a_write_is_on_disk_before_its_answer_leaves() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("world.json");
    std::fs::write(&path, serde_json::to_string(&world()).unwrap()).unwrap();
    let observer = Arc::new(OnDisk { path: path.clone(), seen: AtomicBool::new(false) });
    let mut options = options(world(), Vec::new());
    options.world = Store::file(&path).unwrap();
    options.observer = Some(observer.clone());
    let f = Fixture::with(options).await;
    let token = f.admin(CI).await;
    assert_eq!(f.ask("PUT", &assignment(), viewer(&token)).await.status, 200);
    assert!(observer.seen.load(Ordering::SeqCst));
}

#[tokio::test]
async fn a_write_that_cannot_be_kept_is_an_error_and_no_effect() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/world.json");
    let store = Store::file(&path).unwrap();
    let seeding: Result<Added, SeedError> = store.change(|w| seed(w, &wanted(), start_of_time()));
    seeding.unwrap();
    let mut options = options(world(), Vec::new());
    options.world = store;
    let f = Fixture::with(options).await;
    let token = f.admin(CI).await;
    let before = f.emulator.world();
    std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
    let reply = f.ask("PUT", &assignment(), viewer(&token)).await;
    let body = reply.json();
    assert_eq!((reply.status.as_u16(), &body["errorCode"]), (500, &json!("internalServerError")));
    assert_eq!(body["exceptionCulprit"], "system");
    assert_eq!(f.emulator.world(), before);
}

#[tokio::test]
async fn writes_side_by_side_are_all_kept() {
    let mut world = world();
    let ids: Vec<Uuid> = (1..=20).map(|n| Uuid::from_u128(0xabcd_0000 + n)).collect();
    for id in &ids {
        let user = User::new(format!("{id}@contoso.com"), id.to_string());
        world.users.insert(*id, user);
    }
    let f = Fixture::with(options(world, Vec::new())).await;
    let token = f.admin(CI).await;
    let path = |id: &Uuid| format!("/api/instances/{INSTANCE}/rbac/principals/{id}/assignment");
    let paths: Vec<String> = ids.iter().map(path).collect();
    let writes = paths.iter().map(|path| f.ask("PUT", path, viewer(&token)));
    let replies = futures_util::future::join_all(writes).await;
    assert!(replies.iter().all(|r| r.status == 200));
    let assignments = &f.emulator.world().instances[&INSTANCE].assignments;
    assert!(ids.iter().all(|id| assignments.iter().any(|a| a.principal_id == id.to_string())));
}

/// Not a test of its own: the process that [`a_crash_comes_after_the_effect`] starts. It writes, and never sees the answer.
#[tokio::test]
async fn crashing_process() {
    let Ok(path) = std::env::var("PALISADE_TEST_CRASH") else { return };
    let mut options = options(world(), parse_rules("- { operation: PUT, action: crash }").unwrap());
    options.world = Store::file(path).unwrap();
    options.clock = Clock::simulated(start_of_time());
    let f = Fixture::with(options).await;
    let token = f.admin(CI).await;
    f.ask("PUT", &assignment(), viewer(&token)).await;
}

#[test]
fn a_crash_comes_after_the_effect() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("world.json");
    let store = Store::file(&path).unwrap();
    let seeding: Result<Added, SeedError> = store.change(|w| seed(w, &wanted(), start_of_time()));
    seeding.unwrap();
    drop(store);
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "worlds::crashing_process"])
        .env("PALISADE_TEST_CRASH", &path)
        .output()
        .unwrap();
    assert!(!output.status.success());
    let world = Store::file(&path).unwrap().read(World::clone);
    let assignments = &world.instances[&INSTANCE].assignments;
    assert!(assignments.iter().any(|a| a.principal_id == BARE.to_string()));
    assert!(world.applications.values().any(|a| a.app_id == CLIENT_ID));
}
