//! Keys in vaults: rotation, enabling, and what was deleted.

use jiff::SignedDuration;
use palisade::azure::keys::{self, IsoDuration, KeyAddress, Trigger};
use palisade::azure::{CallError, Look, Writer, vault_keys};
use palisade::emulator::{Attributes, Key, KeyVersion, World};
use palisade::plan::{ReadBack, Step as _};
use palisade::settings::encryption_keys::KeyRef;
use palisade::settings::encryption_keys::steps::RotateKey;
use serde_json::{Value as Json, json};

use crate::support::{Services, VAULT, grant, start_of_time, vault_of};

const CRYPTO_OFFICER: &str = "14b46e9e-c2b7-41b4-b07b-48a6ebf60603";
const FIRST: &str = "00000000000000000000000000000001";

fn at(name: &str) -> KeyAddress {
    KeyAddress { vault: "kv-ci-prod".into(), name: name.into() }
}

/// A vault whose officer the client is, with a key of one version, which is disabled.
fn with_key(world: &mut World) {
    let client = *world.applications.iter().find(|(_, it)| it.app_id == palisade::emulator::CLIENT_ID).unwrap().0;
    grant(world, client, CRYPTO_OFFICER, VAULT);
    let created = start_of_time() - SignedDuration::from_hours(24 * 365);
    let version = KeyVersion {
        version: FIRST.into(),
        kty: "RSA".into(),
        key_size: Some(3072),
        crv: None,
        key_ops: vec!["wrapKey".into(), "unwrapKey".into()],
        attributes: Attributes { enabled: false, not_before: None, expires: None, created, updated: created },
        tags: None,
    };
    vault_of(world).keys.insert("pp-key".into(), Key { name: "pp-key".into(), versions: vec![version], deleted: None });
}

async fn services(rules: &str) -> (Services, Writer) {
    let services = Services::with(with_key, rules).await;
    let writer = services.admin();
    (services, writer)
}

/// The error of a call whose answer is this.
async fn answered(operation: &str, status: u16, body: &Json) -> (Services, Writer) {
    let status = json!({ "code": status, "body": body });
    services(&json!([{ "operation": operation, "action": { "status": status } }]).to_string()).await
}

#[tokio::test]
async fn a_policy_is_read_set_and_followed() {
    let (services, writer) = services("").await;
    let reader = writer.reader();
    let mut policy = keys::rotation_policy(reader, &at("pp-key")).await.unwrap();
    assert_eq!((&policy.rotate, &policy.expiry), (&None, &None));
    assert_eq!(policy.others[0]["action"]["type"], "Notify");
    policy.rotate = Some(Trigger::AfterCreation(IsoDuration::of_days(90)));
    policy.expiry = Some("P2Y".parse().unwrap());
    keys::set_rotation_policy(&writer, &at("PP-KEY"), &policy).await.unwrap();
    let read = keys::rotation_policy(reader, &at("pp-key")).await.unwrap();
    assert_eq!(read.rotate.as_ref().and_then(|trigger| trigger.duration().days()), Some(90));
    assert_eq!((read.expiry.as_ref().map(IsoDuration::text), read.others.len()), (Some("P2Y"), 1));
    let wrong = read.clone().with(Some(Trigger::AfterCreation(IsoDuration::of_days(6))), read.expiry.clone());
    let refused = keys::set_rotation_policy(&writer, &at("pp-key"), &wrong).await.unwrap_err();
    assert_eq!((refused.status(), refused.code()), (Some(400), Some("BadParameter")));
    assert_eq!(services.count("PUT", "/rotationpolicy"), 2);
}

#[tokio::test]
async fn a_version_is_enabled_and_a_new_one_made() {
    let (services, writer) = services("").await;
    let vault = VAULT.parse().unwrap();
    let refused = keys::rotate(&writer, &at("pp-key")).await.unwrap_err();
    assert_eq!(refused.inner_code(), Some("KeyDisabled"));
    keys::enable(&writer, &at("pp-key"), FIRST).await.unwrap();
    let key = vault_keys::get(writer.reader(), &vault, "pp-key").await.unwrap().unwrap();
    assert_eq!((key.enabled, key.updated), (Some(true), Some(services.clock.now())), "{key:?}");
    assert!(key.created.unwrap() < key.updated.unwrap());
    keys::rotate(&writer, &at("pp-key")).await.unwrap();
    let versions = vault_keys::versions(writer.reader(), &vault, "pp-key").await.unwrap();
    assert_eq!(versions.len(), 2);
    let missing = keys::enable(&writer, &at("pp-key"), &"f".repeat(32)).await.unwrap_err();
    assert_eq!(missing.code(), Some("KeyNotFound"));
}

/// A new version is made by each call, so a lost answer isn't asked for again.
#[tokio::test]
async fn rotating_is_not_replayed() {
    let (services, writer) = services("- { operation: POST */rotate, action: loseAnswer }").await;
    keys::enable(&writer, &at("pp-key"), FIRST).await.unwrap();
    keys::rotate(&writer, &at("pp-key")).await.unwrap_err();
    assert_eq!(services.count("POST", "/rotate"), 1);
}

/// Another run may have made the version since the plan looked: the write looks once more, and sends nothing then.
#[tokio::test]
async fn the_step_makes_no_version_that_is_there() {
    let (services, writer) = services("").await;
    keys::enable(&writer, &at("pp-key"), FIRST).await.unwrap();
    let key = KeyRef { vault: VAULT.parse().unwrap(), name: "pp-key".into(), version: None };
    let step = RotateKey { key, after: start_of_time() - SignedDuration::from_hours(1) };
    for _ in 0..2 {
        step.write(&writer).await.unwrap();
        assert_eq!(step.read_back(writer.reader()).await.unwrap(), ReadBack::Shown);
    }
    assert_eq!(services.count("POST", "/rotate"), 1);
}

#[tokio::test]
async fn a_deleted_key_is_found_and_comes_back() {
    let (services, writer) = services("").await;
    let reader = writer.reader();
    assert_eq!(keys::get_deleted(reader, &at("pp-key")).await.unwrap(), None);
    assert_eq!(keys::get_deleted(reader, &at("none")).await.unwrap(), None);
    assert_eq!(keys::recover(&writer, &at("pp-key")).await.unwrap_err().code(), Some("KeyNotFound"));
    let deleted = start_of_time();
    let scheduled_purge = deleted + SignedDuration::from_hours(24 * 90);
    let deletion = palisade::emulator::Deletion { deleted, scheduled_purge };
    services.emulator.change(|world| vault_of(world).keys.get_mut("pp-key").unwrap().deleted = Some(deletion)).unwrap();
    let found = keys::get_deleted(reader, &at("PP-KEY")).await.unwrap().unwrap();
    assert_eq!((found.deleted, found.purged), (Some(deleted), Some(scheduled_purge)));
    let gone = keys::rotation_policy(reader, &at("pp-key")).await.unwrap_err();
    assert_eq!(gone.code(), Some("KeyNotFound"));
    keys::recover(&writer, &at("pp-key")).await.unwrap();
    assert!(keys::rotation_policy(reader, &at("pp-key")).await.is_ok());
}

/// Only the vault's own word proves that there is no deleted key, and nothing proves that there is no policy.
#[tokio::test]
async fn other_refusals_prove_no_absence() {
    let code = |code: &str| json!({ "error": { "code": code, "message": "m" } });
    for (status, body) in [
        (404, code("SecretNotFound")),
        (404, code("ResourceNotFound")),
        (404, json!({})),
        (403, code("Forbidden")),
        (400, code("KeyNotFound")),
    ] {
        let (_services, writer) = answered("GET /deletedkeys/*", status, &body).await;
        assert!(keys::get_deleted(writer.reader(), &at("pp-key")).await.is_err(), "{status} {body}");
    }
    let (_services, writer) = answered("GET */rotationpolicy", 404, &code("KeyNotFound")).await;
    assert!(keys::rotation_policy(writer.reader(), &at("pp-key")).await.is_err());
    let stranger = Services::with(with_key, "").await;
    let denied = keys::get_deleted(&stranger.stranger(), &at("pp-key")).await.unwrap_err();
    assert_eq!(denied.inner_code(), Some("ForbiddenByRbac"));
}

#[tokio::test]
async fn an_answer_about_another_key_is_no_answer() {
    let [here, there] = ["kv-ci-prod", "kv-other"].map(|name| format!("http://{name}.vault.localhost"));
    let policy = |id: Json| json!({ "id": id, "lifetimeActions": [] });
    for (body, fine) in [
        (policy(json!(format!("{here}/keys/PP-KEY/rotationpolicy"))), true),
        (json!({ "lifetimeActions": null }), true),
        (json!({}), true),
        (policy(json!(format!("{here}/keys/another/rotationpolicy"))), false),
        (policy(json!(format!("{there}/keys/pp-key/rotationpolicy"))), false),
        (policy(json!(format!("{here}/secrets/pp-key/rotationpolicy"))), false),
        (policy(json!("pp-key")), false),
        (policy(json!(7)), false),
        (json!({ "lifetimeActions": [{ "action": { "type": "Rotate" }, "trigger": null }] }), false),
        (json!({ "attributes": { "expiryTime": "soon" } }), false),
        (json!([]), false),
        (Json::Null, false),
    ] {
        let (_services, writer) = answered("GET */rotationpolicy", 200, &body).await;
        let read = keys::rotation_policy(writer.reader(), &at("pp-key")).await;
        assert_eq!(read.is_ok(), fine, "{body}: {read:?}");
    }
    let kid = |host: &str, name: &str| json!({ "key": { "kid": format!("{host}/keys/{name}/{FIRST}") } });
    let mut late = kid(&here, "pp-key");
    late["deletedDate"] = json!(99_999_999_999_999_999_i64);
    for (body, fine) in [
        (kid(&here, "PP-key"), true),
        (kid(&here, "another"), false),
        (kid(&there, "pp-key"), false),
        (json!({ "key": { "kid": null } }), false),
        (json!({ "key": null }), false),
        (json!({ "recoveryId": format!("{here}/deletedkeys/pp-key") }), false),
        (late, false),
    ] {
        let (_services, writer) = answered("GET /deletedkeys/*", 200, &body).await;
        let read = keys::get_deleted(writer.reader(), &at("pp-key")).await;
        assert_eq!(read.is_ok(), fine, "{body}: {read:?}");
    }
    // The answers to writes need no name, but a wrong one is refused.
    let written = async |operation: &str, body: &Json| -> Result<(), CallError> {
        let (_services, writer) = answered(operation, 200, body).await;
        let at = at("pp-key");
        match operation {
            "POST */rotate" => keys::rotate(&writer, &at).await,
            "PATCH /keys/*" => keys::enable(&writer, &at, FIRST).await,
            _ => keys::recover(&writer, &at).await,
        }
    };
    for operation in ["POST */rotate", "PATCH /keys/*", "POST */recover"] {
        assert!(written(operation, &kid(&here, "another")).await.is_err(), "{operation}");
        assert!(written(operation, &json!({})).await.is_ok(), "{operation}");
    }
    let other = json!({ "key": { "kid": format!("{here}/keys/pp-key/{}", "f".repeat(32)) } });
    assert!(written("PATCH /keys/*", &other).await.is_err(), "another version");
}

/// In one look each thing is read once.
#[tokio::test]
async fn a_look_reads_each_of_them_once() {
    let (services, writer) = services("").await;
    let look = Look::begin(writer.reader(), []);
    let vault = VAULT.parse().unwrap();
    for name in ["pp-key", "PP-KEY"] {
        assert!(look.rotation_policy(&vault, name).await.unwrap().rotate.is_none());
        assert_eq!(look.deleted_key(&vault, name).await.unwrap(), None);
    }
    for path in ["/rotationpolicy", "/deletedkeys/"] {
        assert_eq!(services.count("GET", path), 1, "{path}");
    }
}
