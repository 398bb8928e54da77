//! Environments whose key is lost: locked, brought back, or deleted in time.

use jiff::{SignedDuration, Timestamp};
use palisade::emulator::{World, seed};
use serde_json::{Value, json};

use crate::platform::{ADMIN, ENVIRONMENT, POLICIES, Scene, VERSION, environment_of, key_version, refusal};
use crate::support::{Ask, VAULT, grant, start_of_time, vault_of, wanted};

const DAY: u64 = 24 * 60 * 60;

fn at(day: i64) -> Timestamp {
    start_of_time() + SignedDuration::from_hours(24 * day)
}

/// Enables or disables a version at an instant, as a PATCH does.
fn switch(world: &mut World, version: usize, enabled: bool, now: Timestamp) {
    let attributes = &mut vault_of(world).keys.get_mut("pp-key").unwrap().versions[version].attributes;
    (attributes.enabled, attributes.updated) = (enabled, now);
}

async fn runtime(s: &Scene) -> Value {
    s.properties().await["states"]["runtime"]["id"].clone()
}

/// Goes on by days; tokens don't last that long.
async fn pass(s: &mut Scene, seconds: u64) {
    s.advance(seconds);
    s.admin = s.f.admin(ADMIN).await;
    s.arm = s.f.admin(crate::support::ARM).await;
}

async fn linked(sku: &str) -> Scene {
    let s = Scene::with(|world| environment_of(world).sku = sku.into()).await;
    let policy = s.granted("cmk").await;
    s.linked(&policy).await;
    s
}

#[tokio::test]
async fn an_environment_that_stays_locked_is_deleted_if_it_is_for_production_or_a_sandbox() {
    for (sku, days) in [("Production", 30), ("Sandbox", 7)] {
        let mut s = linked(sku).await;
        s.change(|world| switch(world, 0, false, start_of_time()));
        assert_eq!(runtime(&s).await, "Disabled");
        // That the key is back doesn't stop the time.
        pass(&mut s, days * DAY - 1).await;
        s.change(|world| switch(world, 0, true, at(0)));
        assert_eq!(runtime(&s).await, "Disabled", "{sku}");
        pass(&mut s, 1).await;
        for path in [format!("scopes/admin/environments/{ENVIRONMENT}"), format!("environments/{ENVIRONMENT}")] {
            assert_eq!(refusal(&s.ask("GET", &path, None).await), (404, "EnvironmentNotFound".into()), "{path}");
        }
        let all = s.ask("GET", "scopes/admin/environments", None).await.json()["value"].clone();
        assert_eq!(all, json!([]), "{sku}");
        // A configuration that names it doesn't bring it back.
        let mut world = s.f.emulator.world();
        seed(&mut world, &wanted(), start_of_time()).unwrap();
        assert!(world.power_platform_environments.is_empty() && world.deleted_environments.len() == 1);
    }
    for sku in ["Default", "Developer", "Trial"] {
        // A trial can't be linked; it may have become one.
        let mut s = linked("Production").await;
        s.change(|world| environment_of(world).sku = sku.into());
        s.change(|world| switch(world, 0, false, start_of_time()));
        assert_eq!(runtime(&s).await, "Disabled");
        pass(&mut s, 400 * DAY).await;
        assert_eq!(runtime(&s).await, "Disabled", "{sku}");
    }
}

#[tokio::test]
async fn an_environment_that_is_brought_back_begins_anew() {
    let mut s = linked("Sandbox").await;
    s.change(|world| switch(world, 0, false, start_of_time()));
    assert_eq!(runtime(&s).await, "Disabled");
    pass(&mut s, 6 * DAY).await;
    s.change(|world| switch(world, 0, true, at(6)));
    assert_eq!(s.ask("POST", &format!("scopes/admin/environments/{ENVIRONMENT}/enable"), None).await.status, 202);
    s.advance(2);
    assert_eq!(runtime(&s).await, "Enabled");
    s.change(|world| switch(world, 0, false, at(6)));
    assert_eq!(runtime(&s).await, "Disabled");
    pass(&mut s, 6 * DAY).await;
    assert_eq!(runtime(&s).await, "Disabled", "counted from the second lock");
    pass(&mut s, DAY).await;
    assert_eq!(s.ask("GET", &format!("environments/{ENVIRONMENT}"), None).await.status, 404);
}

/// A vault comes back with its keys, but not with the role assignments on it.
#[tokio::test]
async fn a_vault_that_was_deleted_needs_its_grant_again() {
    let s = Scene::with(|world| {
        let client = *world.applications.iter().find(|(_, it)| it.app_id == palisade::emulator::CLIENT_ID).unwrap().0;
        let who = crate::support::Who { app_id: palisade::emulator::CLIENT_ID, object_id: client };
        let group = VAULT.split("/providers/").next().unwrap();
        grant(world, who, "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", group);
    })
    .await;
    let policy = s.granted("cmk").await;
    s.linked(&policy).await;
    let vault = format!("{VAULT}?api-version=2023-07-01");
    assert_eq!(s.f.ask("DELETE", &vault, Ask::token(&s.arm)).await.status, 200);
    assert_eq!(runtime(&s).await, "Disabled");
    let health = async || {
        let reply = s.f.get(&format!("{POLICIES}/cmk{VERSION}"), &s.arm).await;
        reply.json()["properties"]["healthStatus"].clone()
    };
    assert_eq!(health().await, "Unhealthy");
    let enable = async || {
        let reply = s.ask("POST", &format!("scopes/admin/environments/{ENVIRONMENT}/enable"), None).await;
        assert_eq!(reply.status, 202);
        s.advance(2);
        (s.operation().await["error"]["code"].clone(), runtime(&s).await)
    };
    assert_eq!(enable().await, (json!("EmulatedKeyVaultNotFound"), json!("Disabled")));
    let tenant = s.f.emulator.world().tenant.unwrap().id;
    let body = json!({ "location": "westeurope", "properties": { "tenantId": tenant, "createMode": "recover" } });
    assert_eq!(s.f.ask("PUT", &vault, Ask::token(&s.arm).json(&body)).await.status, 200);
    assert_eq!(enable().await, (json!("EmulatedKeyAccessDenied"), json!("Disabled")));
    s.grant(&policy);
    assert_eq!(health().await, "Healthy");
    assert_eq!(runtime(&s).await, "Disabled", "until it is enabled again");
    assert_eq!(enable().await, (Value::Null, json!("Enabled")));
}

/// The service follows new versions about a day later. Until then the one before is in use.
#[tokio::test]
async fn the_version_in_use_must_stay_enabled_until_the_next_one_is_picked_up() {
    let rotated = async |hours: u64| {
        let mut s = linked("Production").await;
        pass(&mut s, 10 * DAY).await;
        s.change(|world| {
            let mut newer = key_version(2, "RSA", 2048);
            (newer.attributes.created, newer.attributes.updated) = (at(10), at(10));
            vault_of(world).keys.get_mut("pp-key").unwrap().versions.push(newer);
        });
        pass(&mut s, hours * 60 * 60).await;
        assert_eq!(runtime(&s).await, "Enabled");
        s
    };
    let s = rotated(23).await;
    let now = s.f.clock.now();
    s.change(|world| switch(world, 0, false, now));
    assert_eq!(runtime(&s).await, "Disabled", "the new one isn't picked up yet");

    let s = rotated(23).await;
    s.change(|world| switch(world, 1, false, now));
    assert_eq!(runtime(&s).await, "Enabled", "what isn't in use isn't needed");

    let mut s = rotated(24).await;
    let now = s.f.clock.now();
    s.change(|world| switch(world, 0, false, now));
    assert_eq!(runtime(&s).await, "Enabled", "the old one isn't needed any more");
    s.change(|world| switch(world, 0, true, now));
    pass(&mut s, DAY).await;
    let now = s.f.clock.now();
    s.change(|world| switch(world, 1, false, now));
    assert_eq!(runtime(&s).await, "Disabled", "the old one doesn't step in for one that was in use");
    s.change(|world| switch(world, 1, true, now));
    assert_eq!(s.ask("POST", &format!("scopes/admin/environments/{ENVIRONMENT}/enable"), None).await.status, 202);
    s.advance(2);
    assert_eq!(runtime(&s).await, "Enabled");
}
