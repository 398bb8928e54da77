//! Rotation of keys: on demand, by policy, and what is refused.

use std::time::Duration;

use jiff::Timestamp;
use palisade::emulator::World;
use serde_json::{Value, json};

use crate::keys::{ask, vault};
use crate::support::{ARM, Fixture, KEY_VAULT, VAULT, VIEWER, grant, start_of_time, vault_of};

const DAY: u64 = 24 * 60 * 60;
const POLICY: &str = "/keys/pp-key/rotationpolicy";
const READER: &str = "acdd72a7-3385-48ef-bd42-f606fba81ae7";

fn policy(rotate: Value, expiry: Value) -> Value {
    let rotate = json!({ "trigger": rotate, "action": { "type": "rotate" } });
    json!({ "lifetimeActions": [rotate], "attributes": { "expiryTime": expiry } })
}

async fn with_key(change: impl FnOnce(&mut World)) -> (Fixture, String) {
    let (f, token) = vault(change).await;
    let made = ask(&f, &token, "POST", "/keys/pp-key/create", Some(json!({ "kty": "RSA", "key_size": 3072 }))).await;
    assert_eq!(made.status, 200);
    (f, token)
}

/// When the versions of the key were made and when they expire, in days since the beginning.
async fn versions(f: &Fixture, token: &str) -> Vec<(i64, Option<i64>)> {
    let listed = ask(f, token, "GET", "/keys/pp-key/versions", None).await.json();
    let day = |second: i64| (second - start_of_time().as_second()) / i64::try_from(DAY).unwrap();
    let of = |item: &Value| {
        let attributes = &item["attributes"];
        (day(attributes["created"].as_i64().unwrap()), attributes["exp"].as_i64().map(day))
    };
    let mut all: Vec<_> = listed["value"].as_array().unwrap().iter().map(of).collect();
    all.sort_unstable();
    all
}

#[tokio::test]
async fn a_key_without_a_policy_shows_the_default_one() {
    let (f, token) = with_key(|_| {}).await;
    let shown = ask(&f, &token, "GET", POLICY, None).await.json();
    let notify = json!({ "trigger": { "timeBeforeExpiry": "P30D" }, "action": { "type": "Notify" } });
    assert!(shown["id"].as_str().unwrap().ends_with(POLICY), "{shown}");
    assert_eq!((&shown["lifetimeActions"], &shown["attributes"]), (&json!([notify]), &json!({})));
    let set = ask(&f, &token, "PUT", POLICY, Some(policy(json!({ "timeAfterCreate": "P90D" }), json!("P2Y")))).await;
    let set = set.json();
    let rotate = json!({ "trigger": { "timeAfterCreate": "P90D" }, "action": { "type": "Rotate" } });
    let now = start_of_time().as_second();
    assert_eq!(set["lifetimeActions"], json!([rotate, notify.clone()]));
    assert_eq!(set["attributes"], json!({ "expiryTime": "P2Y", "created": now, "updated": now }));
    f.clock.advance(Duration::from_secs(60));
    // What is shown is taken back; instants and id are the service's own.
    let again = ask(&f, &token, "PUT", POLICY, Some(set.clone())).await.json();
    assert_eq!(again["attributes"], json!({ "expiryTime": "P2Y", "created": now, "updated": now + 60 }));
    assert_eq!(ask(&f, &token, "GET", POLICY, None).await.json(), again);
    // The default comes back as it was shown, and the policy is replaced as a whole.
    let plain = ask(&f, &token, "PUT", POLICY, Some(shown)).await.json();
    assert_eq!((&plain["lifetimeActions"], &plain["attributes"]["expiryTime"]), (&json!([notify]), &Value::Null));
    assert_eq!(ask(&f, &token, "GET", "/keys/none/rotationpolicy", None).await.json()["error"]["code"], "KeyNotFound");
}

#[tokio::test]
async fn a_policy_outside_of_the_limits_is_refused_and_the_old_one_stays() {
    let (f, token) = with_key(|_| {}).await;
    let before = ask(&f, &token, "GET", POLICY, None).await.json();
    let action = |kind: &str, trigger: Value| json!({ "trigger": trigger, "action": { "type": kind } });
    let ninety = action("Rotate", json!({ "timeAfterCreate": "P90D" }));
    for body in [
        policy(json!({ "timeAfterCreate": "P6D" }), Value::Null),
        policy(json!({ "timeAfterCreate": "P90D" }), json!("P27D")),
        policy(json!({ "timeAfterCreate": "P90D" }), json!("P96D")),
        policy(json!({ "timeBeforeExpiry": "P6D" }), json!("P90D")),
        policy(json!({ "timeBeforeExpiry": "P84D" }), json!("P90D")),
        policy(json!({ "timeBeforeExpiry": "P30D" }), Value::Null),
        policy(json!({ "timeBeforeExpiry": "P30D", "timeAfterCreate": "P90D" }), json!("P1Y")),
        policy(json!({}), json!("P1Y")),
        policy(json!({ "timeAfterCreate": "90 days" }), json!("P1Y")),
        policy(json!({ "timeAfterCreate": "-P90D" }), json!("P1Y")),
        policy(json!({ "timeAfterCreate": "P90D" }), json!("soon")),
        policy(json!({ "timeAfterCreate": "P90D" }), json!(90)),
        json!({ "lifetimeActions": [ninety.clone(), ninety.clone()] }),
        json!({ "lifetimeActions": [action("Notify", json!({ "timeAfterCreate": "P30D" }))] }),
        json!({ "lifetimeActions": [action("Notify", json!({ "timeBeforeExpiry": "P20D" }))] }),
        json!({ "lifetimeActions": [action("Destroy", json!({ "timeAfterCreate": "P90D" }))] }),
        json!({ "lifetimeActions": [ninety.clone(), ninety.clone(), ninety] }),
        json!({ "lifetimeActions": {} }),
    ] {
        let reply = ask(&f, &token, "PUT", POLICY, Some(body.clone())).await;
        assert_eq!((reply.status.as_u16(), &reply.json()["error"]["code"]), (400, &json!("BadParameter")), "{body}");
    }
    assert_eq!(ask(&f, &token, "GET", POLICY, None).await.json(), before);
    // At the limits.
    for body in [
        policy(json!({ "timeAfterCreate": "P7D" }), Value::Null),
        policy(json!({ "timeAfterCreate": "P21D" }), json!("P28D")),
        policy(json!({ "timeBeforeExpiry": "P7D" }), json!("P28D")),
        policy(json!({ "timeBeforeExpiry": "P21D" }), json!("P28D")),
    ] {
        assert_eq!(ask(&f, &token, "PUT", POLICY, Some(body.clone())).await.status, 200, "{body}");
    }
}

#[tokio::test]
async fn rotating_makes_a_version_like_the_one_before() {
    let (f, token) = with_key(|_| {}).await;
    let before = ask(&f, &token, "GET", "/keys/pp-key", None).await.json();
    let made = ask(&f, &token, "POST", "/keys/pp-key/rotate", None).await.json();
    assert_ne!(made["key"]["kid"], before["key"]["kid"]);
    assert_ne!(made["key"]["n"], before["key"]["n"]);
    assert_eq!((&made["key"]["kty"], &made["key"]["key_ops"]), (&json!("RSA"), &before["key"]["key_ops"]));
    assert_eq!(made["key"]["n"].as_str().unwrap().len(), 512);
    assert!(made["attributes"].get("exp").is_none(), "{made}");
    assert_eq!(ask(&f, &token, "GET", "/keys/pp-key", None).await.json(), made);
    let expiring = policy(json!({ "timeAfterCreate": "P90D" }), json!("P120D"));
    ask(&f, &token, "PUT", POLICY, Some(expiring)).await;
    ask(&f, &token, "POST", "/keys/pp-key/rotate", None).await;
    assert_eq!(versions(&f, &token).await, [(0, None), (0, None), (0, Some(120))]);
    // A key that is disabled or deleted isn't rotated.
    ask(&f, &token, "PATCH", "/keys/pp-key", Some(json!({ "attributes": { "enabled": false } }))).await;
    let disabled = ask(&f, &token, "POST", "/keys/pp-key/rotate", None).await;
    assert_eq!(
        (disabled.status.as_u16(), &disabled.json()["error"]["innererror"]["code"]),
        (403, &json!("KeyDisabled"))
    );
    ask(&f, &token, "DELETE", "/keys/pp-key", None).await;
    for (method, path) in [("POST", "/keys/pp-key/rotate"), ("GET", POLICY)] {
        assert_eq!(ask(&f, &token, method, path, None).await.json()["error"]["code"], "KeyNotFound", "{path}");
    }
    ask(&f, &token, "POST", "/deletedkeys/pp-key/recover", None).await;
    let policy = ask(&f, &token, "GET", POLICY, None).await.json();
    assert_eq!(policy["attributes"]["expiryTime"], "P120D", "it comes back with the key");
}

#[tokio::test]
async fn a_policy_rotates_by_the_clock_however_late_that_is_noticed() {
    let (f, token) = with_key(|_| {}).await;
    let after = policy(json!({ "timeAfterCreate": "P90D" }), json!("P120D"));
    ask(&f, &token, "PUT", POLICY, Some(after)).await;
    f.clock.advance(Duration::from_secs(90 * DAY - 1));
    let token = f.token(VIEWER, KEY_VAULT).await;
    assert_eq!(versions(&f, &token).await, [(0, None)]);
    f.clock.advance(Duration::from_secs(91 * DAY));
    let token = f.token(VIEWER, KEY_VAULT).await;
    assert_eq!(versions(&f, &token).await, [(0, None), (90, Some(210)), (180, Some(300))]);
    // Set long after the key was made, a policy counts from then; and one that counts from the expiry needs one.
    let before = policy(json!({ "timeBeforeExpiry": "P30D" }), json!("P60D"));
    ask(&f, &token, "PUT", POLICY, Some(before)).await;
    f.clock.advance(Duration::from_secs(120 * DAY));
    let token = f.token(VIEWER, KEY_VAULT).await;
    let all = versions(&f, &token).await;
    assert_eq!(all[3..], [(270, Some(330)), (300, Some(360))]);
    // A key that is disabled rests.
    ask(&f, &token, "PATCH", "/keys/pp-key", Some(json!({ "attributes": { "enabled": false } }))).await;
    f.clock.advance(Duration::from_secs(400 * DAY));
    let token = f.token(VIEWER, KEY_VAULT).await;
    assert_eq!(versions(&f, &token).await.len(), all.len());
    ask(&f, &token, "PATCH", "/keys/pp-key", Some(json!({ "attributes": { "enabled": true } }))).await;
    assert_eq!(versions(&f, &token).await[all.len()..], [(700, Some(760))], "no sooner than it is enabled again");
}

#[tokio::test]
async fn resource_manager_tells_the_policy_and_what_is_due() {
    let (f, token) = with_key(|world| grant(world, VIEWER, READER, VAULT)).await;
    let arm = async || {
        let url = f.url(&format!("{VAULT}/keys/pp-key?api-version=2023-07-01"));
        f.get(&url, &f.token(VIEWER, ARM).await).await.json()["properties"].clone()
    };
    assert!(arm().await.get("rotationPolicy").is_none());
    let after = policy(json!({ "timeAfterCreate": "P90D" }), json!("P120D"));
    ask(&f, &token, "PUT", POLICY, Some(after)).await;
    let told = arm().await;
    assert_eq!(told["rotationPolicy"]["attributes"]["expiryTime"], "P120D");
    let rotate = json!({ "trigger": { "timeAfterCreate": "P90D" }, "action": { "type": "rotate" } });
    assert_eq!(told["rotationPolicy"]["lifetimeActions"][0], rotate);
    f.clock.advance(Duration::from_secs(100 * DAY));
    let created = Timestamp::from_second(arm().await["attributes"]["created"].as_i64().unwrap()).unwrap();
    assert_eq!(created, start_of_time() + jiff::SignedDuration::from_hours(90 * 24));
}

#[tokio::test]
async fn rotating_and_policies_have_rights_of_their_own() {
    let (f, _) = with_key(|_| {}).await;
    let officer = f.admin(KEY_VAULT).await;
    let set = policy(json!({ "timeAfterCreate": "P90D" }), Value::Null);
    let asked = [("GET", POLICY, None), ("PUT", POLICY, Some(set)), ("POST", "/keys/pp-key/rotate", None)];
    for (method, path, body) in asked.clone() {
        let reply = ask(&f, &officer, method, path, body).await;
        assert_eq!(reply.json()["error"]["innererror"]["code"], "ForbiddenByRbac", "{method} {path}");
    }
    for (permissions, allowed) in [
        (json!(["get", "update", "create"]), [false, false, false]),
        (json!(["GetRotationPolicy"]), [true, false, false]),
        (json!(["setrotationpolicy", "rotate"]), [false, true, true]),
        (json!(["all"]), [true, true, true]),
    ] {
        f.emulator
            .change(|world| {
                let vault = vault_of(world);
                vault.enable_rbac_authorization = Some(false);
                let policy = json!({ "tenantId": vault.tenant_id, "objectId": VIEWER.object_id, "permissions": { "keys": permissions } });
                vault.access_policies = vec![serde_json::from_value(policy).unwrap()];
            })
            .unwrap();
        let token = f.token(VIEWER, KEY_VAULT).await;
        for ((method, path, body), allowed) in asked.clone().into_iter().zip(allowed) {
            let reply = ask(&f, &token, method, path, body).await;
            let inner = reply.json()["error"]["innererror"]["code"].clone();
            assert_eq!(inner == "AccessDenied", !allowed, "{method} {path} with {permissions}");
        }
    }
}
