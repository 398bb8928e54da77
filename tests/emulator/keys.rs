//! Keys of a vault: as far as customer-managed keys need them, which is reading.

use palisade::emulator::World;
use serde_json::{Value, json};

use crate::support::{Ask, Fixture, KEY_VAULT, Reply, VAULT, VIEWER, grant, options, world};

const CRYPTO_OFFICER: &str = "14b46e9e-c2b7-41b4-b07b-48a6ebf60603";

pub(crate) async fn vault(change: impl FnOnce(&mut World)) -> (Fixture, String) {
    let mut world = world();
    grant(&mut world, VIEWER, CRYPTO_OFFICER, VAULT);
    change(&mut world);
    let f = Fixture::with(options(world, Vec::new())).await;
    let token = f.token(VIEWER, KEY_VAULT).await;
    (f, token)
}

pub(crate) async fn ask(f: &Fixture, token: &str, method: &str, path: &str, body: Option<Value>) -> Reply {
    let ask = body.iter().fold(Ask::token(token), |ask, body| ask.json(body));
    f.ask(method, &f.vault_url("kv-ci-prod", &format!("{path}?api-version=2025-07-01")), ask).await
}

#[tokio::test]
async fn a_key_is_created_read_and_given_new_versions() {
    let (f, token) = vault(|_| {}).await;
    let body = json!({ "kty": "RSA", "key_size": 3072, "attributes": { "exp": 1_900_000_000 }, "tags": { "a": "b" } });
    let created = ask(&f, &token, "POST", "/keys/pp-key/create", Some(body)).await.json();
    let kid = created["key"]["kid"].as_str().unwrap();
    assert!(created.get("id").is_none() && kid.contains("/keys/pp-key/"), "{created}");
    assert_eq!((&created["key"]["kty"], &created["key"]["e"]), (&json!("RSA"), &json!("AQAB")));
    assert_eq!(created["key"]["n"].as_str().unwrap().len(), 512);
    let ops = json!(["encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"]);
    assert_eq!(created["key"]["key_ops"], ops);
    assert_eq!(created["attributes"]["exp"], 1_900_000_000);
    let path = kid.split_once("/keys/").map(|(_, rest)| format!("/keys/{rest}")).unwrap();
    for path in [path.as_str(), "/keys/pp-key/", "/keys/PP-KEY"] {
        assert_eq!(ask(&f, &token, "GET", path, None).await.json(), created, "{path}");
    }
    let second = ask(&f, &token, "POST", "/keys/pp-key/create", Some(json!({ "kty": "RSA" }))).await.json();
    assert_ne!(second["key"]["kid"], created["key"]["kid"]);
    let versions = ask(&f, &token, "GET", "/keys/pp-key/versions", None).await.json();
    let items = versions["value"].as_array().unwrap();
    assert!(items.len() == 2 && items.iter().any(|i| i["kid"] == kid) && items.iter().all(|i| i.get("key").is_none()));
    let list = ask(&f, &token, "GET", "/keys", None).await.json();
    assert!(list["value"][0]["kid"].as_str().unwrap().ends_with("/keys/pp-key"), "{list}");
    // A disabled key still tells that it is disabled.
    let patch = json!({ "attributes": { "enabled": false }, "key_ops": ["wrapKey", "unwrapKey"] });
    let off = ask(&f, &token, "PATCH", "/keys/pp-key/", Some(patch)).await.json();
    assert_eq!(off["key"]["key_ops"], json!(["wrapKey", "unwrapKey"]));
    assert_eq!(ask(&f, &token, "GET", "/keys/pp-key", None).await.json()["attributes"]["enabled"], false);
    ask(&f, &token, "DELETE", "/keys/pp-key", None).await;
    assert_eq!(ask(&f, &token, "GET", "/deletedkeys/pp-key", None).await.json()["key"]["kid"], second["key"]["kid"]);
    let blocked = ask(&f, &token, "POST", "/keys/pp-key/create", Some(json!({ "kty": "RSA" }))).await;
    assert_eq!(blocked.json()["error"]["innererror"]["code"], "ObjectIsDeletedButRecoverable");
    assert_eq!(ask(&f, &token, "POST", "/deletedkeys/pp-key/recover", None).await.status, 200);
}

#[tokio::test]
async fn keys_have_their_own_rights_and_refusals() {
    let (f, token) = vault(|_| {}).await;
    let curve = ask(&f, &token, "POST", "/keys/ec/create", Some(json!({ "kty": "EC", "crv": "P-384" }))).await.json();
    assert_eq!((&curve["key"]["crv"], &curve["key"]["key_ops"]), (&json!("P-384"), &json!(["sign", "verify"])));
    assert!(curve["key"]["x"].is_string() && curve["key"].get("n").is_none());
    for body in [
        json!({}),
        json!({ "kty": "oct" }),
        json!({ "kty": "RSA", "key_size": 1024 }),
        json!({ "kty": "RSA", "key_ops": ["x"] }),
    ] {
        let reply = ask(&f, &token, "POST", "/keys/x/create", Some(body.clone())).await;
        assert_eq!((reply.status.as_u16(), &reply.json()["error"]["code"]), (400, &json!("BadParameter")), "{body}");
    }
    let missing = ask(&f, &token, "GET", "/keys/none", None).await;
    assert_eq!((missing.status.as_u16(), &missing.json()["error"]["code"]), (404, &json!("KeyNotFound")));
    // The secrets' newest api-version isn't one of the keys'.
    let newest = f.vault_url("kv-ci-prod", "/keys/ec?api-version=2026-04-01");
    assert_eq!(f.get(&newest, &token).await.status, 400);
    // The embedded client may do everything with secrets, and nothing with keys.
    let officer = f.admin(KEY_VAULT).await;
    let reply = ask(&f, &officer, "GET", "/keys/ec", None).await;
    assert_eq!(reply.json()["error"]["innererror"]["code"], "ForbiddenByRbac");
}

/// The public part is the same at every address, and can be loaded.
#[tokio::test]
async fn a_public_part_is_the_versions_own() {
    let (f, token) = vault(|_| {}).await;
    let curves = [("P-256", 43), ("P-384", 64), ("P-521", 88), ("P-256K", 43)];
    ask(&f, &token, "POST", "/keys/rsa/create", Some(json!({ "kty": "RSA" }))).await;
    for (crv, length) in curves {
        let body = json!({ "kty": "EC", "crv": crv });
        let made = ask(&f, &token, "POST", &format!("/keys/{crv}/create"), Some(body)).await.json();
        assert_eq!(
            (made["key"]["x"].as_str().unwrap().len(), made["key"]["y"].as_str().unwrap().len()),
            (length, length)
        );
    }
    let other = Fixture::with(options(f.emulator.world(), Vec::new())).await;
    let there = other.token(VIEWER, KEY_VAULT).await;
    for name in ["rsa", "P-256", "P-384", "P-521", "P-256K"] {
        let path = format!("/keys/{name}");
        let (here, there) = (ask(&f, &token, "GET", &path, None).await, ask(&other, &there, "GET", &path, None).await);
        let public = |reply: &Reply| ["n", "e", "x", "y", "crv"].map(|member| reply.json()["key"][member].clone());
        assert_eq!(public(&here), public(&there), "{name}");
        assert_ne!(here.json()["key"]["kid"], there.json()["key"]["kid"]);
        assert_eq!(here.header("strict-transport-security"), Some("max-age=31536000;includeSubDomains"));
    }
}
