//! Secrets of a vault: versions, properties, lists, soft delete, and the texts that must not be accepted.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::SignedDuration;
use palisade::emulator::World;
use serde_json::{Value, json};

use crate::support::{Ask, Fixture, KEY_VAULT, Reply, options, vault_of, world};

const VERSION: &str = "?api-version=7.5";
const NAME: &str = "/secrets/ci-api-key";

struct Vault {
    f: Fixture,
    token: String,
}

impl Vault {
    async fn with(change: impl FnOnce(&mut World)) -> Self {
        let mut world = world();
        change(&mut world);
        let f = Fixture::with(options(world, Vec::new())).await;
        let token = f.admin(KEY_VAULT).await;
        Self { f, token }
    }

    async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Reply {
        let ask = Ask::token(&self.token);
        let ask = body.iter().fold(ask, |ask, body| ask.json(body));
        let path = if path.contains('?') { path.to_owned() } else { format!("{path}{VERSION}") };
        let url = if path.starts_with("http") { path } else { self.f.vault_url("kv-ci-prod", &path) };
        self.f.ask(method, &url, ask).await
    }

    async fn get(&self, path: &str) -> Reply {
        self.ask("GET", path, None).await
    }

    async fn set(&self, value: &str) -> Value {
        let reply = self.ask("PUT", NAME, Some(json!({ "value": value }))).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.json()
    }
}

fn version_of(bundle: &Value) -> &str {
    bundle["id"].as_str().unwrap().rsplit('/').next().unwrap()
}

/// Status, code, inner code.
fn error(reply: &Reply) -> (u16, String, Option<String>) {
    let body = reply.json();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let (code, inner) = (&body["error"]["code"], &body["error"]["innererror"]["code"]);
    assert!(body["error"]["message"].is_string(), "{body}");
    (reply.status.as_u16(), text(code).unwrap(), text(inner))
}

fn refused(status: u16, code: &str, inner: Option<&str>) -> (u16, String, Option<String>) {
    (status, code.to_owned(), inner.map(str::to_owned))
}

#[tokio::test]
async fn each_set_makes_a_version_and_the_last_one_is_current() {
    let v = Vault::with(|_| {}).await;
    let body = json!({ "value": "one", "contentType": "text/plain", "tags": { "slot": "primary" },
        "attributes": { "exp": 1_900_000_000, "nbf": 1_800_000_000 } });
    let first = v.ask("PUT", NAME, Some(body)).await.json();
    let port = v.f.emulator.http().port().unwrap();
    let id = first["id"].as_str().unwrap();
    assert!(id.starts_with(&format!("http://kv-ci-prod.vault.localhost:{port}/secrets/ci-api-key/")), "{id}");
    let version = version_of(&first);
    assert!(
        version.len() == 32 && version.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c)),
        "{version}"
    );
    let now = 1_795_176_000;
    let expected = json!({
        "value": "one", "id": id, "contentType": "text/plain", "tags": { "slot": "primary" },
        "attributes": { "enabled": true, "nbf": 1_800_000_000, "exp": 1_900_000_000, "created": now, "updated": now,
            "recoveryLevel": "Recoverable", "recoverableDays": 90 },
    });
    assert_eq!(first, expected);
    // Not yet valid, and readable all the same.
    for path in [NAME.to_owned(), format!("{NAME}/"), format!("{NAME}/{version}"), NAME.to_uppercase()] {
        assert_eq!(v.get(&path).await.json(), expected, "{path}");
    }
    let second = v.set("two").await;
    assert!(second.get("tags").is_none() && second.get("contentType").is_none(), "{second}");
    assert_eq!(v.get(NAME).await.json(), second);
    assert_eq!(v.get(&format!("{NAME}/{version}")).await.json(), expected);
    let same = v.set("two").await;
    assert_ne!(version_of(&same), version_of(&second));
    let reply = v.get(NAME).await;
    for (name, value) in [("cache-control", "no-cache"), ("x-ms-keyvault-region", "westeurope")] {
        assert_eq!(reply.header(name), Some(value));
    }
}

#[tokio::test]
async fn properties_change_and_values_do_not() {
    let v = Vault::with(|_| {}).await;
    let first = v.set("one").await;
    let second = v.set("two").await;
    v.f.clock.advance(Duration::from_secs(60));
    let path = format!("{NAME}/{}", version_of(&first));
    let patch = json!({ "tags": { "a": "b" }, "attributes": { "enabled": false }, "contentType": "x" });
    let patched = v.ask("PATCH", &path, Some(patch)).await.json();
    assert!(patched.get("value").is_none(), "{patched}");
    assert_eq!((&patched["tags"], &patched["contentType"]), (&json!({ "a": "b" }), &json!("x")));
    let attributes = &patched["attributes"];
    assert_eq!((&attributes["enabled"], &attributes["created"]), (&json!(false), &first["attributes"]["created"]));
    assert_eq!(attributes["updated"].as_i64(), first["attributes"]["updated"].as_i64().map(|s| s + 60));
    assert_eq!(error(&v.get(&path).await), refused(403, "Forbidden", Some("SecretDisabled")));
    // What isn't in the body stays; tags are replaced as a whole.
    let more = v.ask("PATCH", &path, Some(json!({ "tags": { "c": "d" } }))).await.json();
    assert_eq!((&more["tags"], &more["contentType"]), (&json!({ "c": "d" }), &json!("x")));
    assert_eq!(more["attributes"]["enabled"], false);
    assert_eq!(v.get(NAME).await.json()["value"], "two");
    // A disabled current version hides the secret; no older version steps in.
    let current = format!("{NAME}/{}", version_of(&second));
    v.ask("PATCH", &path, Some(json!({ "attributes": { "enabled": true } }))).await;
    v.ask("PATCH", &current, Some(json!({ "attributes": { "enabled": false } }))).await;
    assert_eq!(error(&v.get(NAME).await), refused(403, "Forbidden", Some("SecretDisabled")));
    assert_eq!(v.get(&path).await.json()["value"], "one");
    // Without a version the current one is meant.
    let back = v.ask("PATCH", &format!("{NAME}/"), Some(json!({ "attributes": { "enabled": true } }))).await;
    assert_eq!(version_of(&back.json()), version_of(&second));
    let cases = [
        (current.clone(), json!({ "value": "three" }), refused(400, "BadParameter", None)),
        (current.clone(), json!({ "attributes": { "enabled": "no" } }), refused(400, "BadParameter", None)),
        (current, json!({ "attributes": { "exp": "2027-01-01" } }), refused(400, "BadParameter", None)),
        (format!("{NAME}/{}", "0".repeat(32)), json!({}), refused(404, "SecretNotFound", None)),
        ("/secrets/other/".to_owned(), json!({}), refused(404, "SecretNotFound", None)),
    ];
    for (path, body, expected) in cases {
        assert_eq!(error(&v.ask("PATCH", &path, Some(body.clone())).await), expected, "{path} {body}");
    }
    assert_eq!(v.get(NAME).await.json()["value"], "two");
}

#[tokio::test]
async fn what_cannot_be_a_secret_is_refused_without_quoting_it() {
    let v = Vault::with(|_| {}).await;
    let before = v.f.emulator.world();
    let many: serde_json::Map<_, _> = (0..16).map(|n| (format!("t{n}"), json!("x"))).collect();
    let cases = [
        (NAME, json!({})),
        (NAME, json!({ "value": 7 })),
        (NAME, json!(["hidden-value"])),
        (NAME, json!({ "value": "hidden-value", "tags": many })),
        (NAME, json!({ "value": "hidden-value", "tags": { "a": "x".repeat(257) } })),
        (NAME, json!({ "value": "hidden-value", "tags": { "a": 1 } })),
        (NAME, json!({ "value": "hidden-value", "contentType": "x".repeat(256) })),
        (NAME, json!({ "value": "hidden-value", "attributes": { "exp": 5, "nbf": 5 } })),
        (NAME, json!({ "value": "hidden-value".repeat(2200) })),
        ("/secrets/ci_api_key", json!({ "value": "hidden-value" })),
    ];
    for (path, body) in cases {
        let reply = v.ask("PUT", path, Some(body.clone())).await;
        assert_eq!(error(&reply), refused(400, "BadParameter", None), "{path} {body}");
        assert!(!reply.text.contains("hidden"), "{}", reply.text);
    }
    let ask = Ask { body: Some("{\"value\": \"hidden-value\"".into()), ..Ask::token(&v.token) };
    let ask = ask.header("content-type", "application/json");
    let reply = v.f.ask("PUT", &v.f.vault_url("kv-ci-prod", &format!("{NAME}{VERSION}")), ask).await;
    assert!(reply.status == 400 && !reply.text.contains("hidden"), "{}", reply.text);
    assert_eq!(v.f.emulator.world(), before);
    for (path, expected) in [
        (NAME.to_owned(), refused(404, "SecretNotFound", None)),
        (format!("{NAME}?x=y"), refused(400, "BadParameter", None)),
        (format!("{NAME}?api-version=1.0"), refused(400, "BadParameter", None)),
        ("/certificates/x".to_owned(), refused(501, "NotServedByEmulator", None)),
        (format!("{NAME}/versions/x"), refused(501, "NotServedByEmulator", None)),
        ("/_emulator".to_owned(), refused(501, "NotServedByEmulator", None)),
    ] {
        assert_eq!(error(&v.get(&path).await), expected, "{path}");
    }
}

#[tokio::test]
async fn versions_come_in_pages_of_25_in_no_order_of_time() {
    for empty_first in [false, true] {
        let v = Vault::with(|w| w.behaviour.empty_first_pages = empty_first).await;
        let mut made = Vec::new();
        for number in 0..30 {
            let set = v.set(&format!("hidden-{number}")).await;
            made.push(version_of(&set).to_owned());
        }
        let (mut seen, mut sizes) = (Vec::new(), Vec::new());
        let mut next = Some(v.f.vault_url("kv-ci-prod", &format!("{NAME}/versions{VERSION}")));
        while let Some(link) = next {
            let reply = v.get(&link).await;
            assert!(!reply.text.contains("hidden"), "{}", reply.text);
            let body = reply.json();
            let items = body["value"].as_array().unwrap().clone();
            sizes.push(items.len());
            for item in &items {
                assert!(item.get("value").is_none() && item["attributes"]["created"].is_i64(), "{item}");
                seen.push(version_of(item).to_owned());
            }
            next = body["nextLink"].as_str().map(str::to_owned);
            if let Some(link) = &next {
                let port = v.f.emulator.http().port().unwrap();
                assert!(link.starts_with(&format!("http://kv-ci-prod.vault.localhost:{port}/secrets/")), "{link}");
                assert!(link.contains("skiptoken=") && link.contains("maxresults=25"), "{link}");
            }
        }
        assert_eq!(sizes, if empty_first { vec![0, 25, 5] } else { vec![25, 5] });
        assert_ne!(seen, made);
        assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), made.into_iter().collect());
        for wrong in ["maxresults=26", "maxresults=0", "maxresults=x", "$skiptoken=x"] {
            assert_eq!(v.get(&format!("{NAME}/versions{VERSION}&{wrong}")).await.status, 400, "{wrong}");
        }
        assert_eq!(v.get("/secrets/none/versions").await.json()["value"], json!([]));
    }
}

#[tokio::test]
async fn the_list_of_secrets_shows_current_versions_without_their_ids() {
    let v = Vault::with(|_| {}).await;
    v.set("one").await;
    let second = v.set("two").await;
    v.ask("PATCH", &format!("{NAME}/"), Some(json!({ "attributes": { "enabled": false } }))).await;
    v.ask("PUT", "/secrets/Other", Some(json!({ "value": "x", "tags": { "a": "b" } }))).await;
    let list = v.get("/secrets").await.json();
    assert_eq!(list["nextLink"], Value::Null);
    let items = list["value"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    let id = second["id"].as_str().unwrap();
    assert_eq!(items[0]["id"].as_str(), id.rsplit_once('/').map(|(id, _)| id));
    assert_eq!(items[0]["attributes"]["enabled"], false);
    assert!(items[1]["id"].as_str().unwrap().ends_with("/secrets/Other"));
    assert_eq!(items[1]["tags"], json!({ "a": "b" }));
}

#[tokio::test]
async fn a_deleted_secret_keeps_its_name_until_it_is_recovered() {
    let v = Vault::with(|w| w.behaviour.vault_deletion_delay = SignedDuration::from_secs(5)).await;
    v.set("one").await;
    let second = v.set("two").await;
    let deleted = v.ask("DELETE", NAME, None).await.json();
    assert!(deleted.get("value").is_none());
    assert_eq!(deleted["scheduledPurgeDate"].as_i64().unwrap() - deleted["deletedDate"].as_i64().unwrap(), 90 * 86400);
    assert!(deleted["recoveryId"].as_str().unwrap().ends_with("/deletedsecrets/ci-api-key"));
    let path = "/deletedsecrets/ci-api-key";
    let set = || v.ask("PUT", NAME, Some(json!({ "value": "three" })));
    assert_eq!(error(&v.get(NAME).await), refused(404, "SecretNotFound", None));
    assert_eq!(error(&v.get(path).await), refused(404, "SecretNotFound", None));
    assert_eq!(error(&set().await), refused(409, "Conflict", Some("ObjectIsBeingDeleted")));
    let recover = format!("{path}/recover");
    assert_eq!(error(&v.ask("POST", &recover, None).await), refused(409, "Conflict", Some("ObjectIsBeingDeleted")));
    v.f.clock.advance(Duration::from_secs(5));
    assert_eq!(v.get(path).await.json()["recoveryId"], deleted["recoveryId"]);
    assert_eq!(v.get("/deletedsecrets").await.json()["value"].as_array().unwrap().len(), 1);
    assert_eq!(v.get("/secrets").await.json()["value"], json!([]));
    assert_eq!(error(&set().await), refused(409, "Conflict", Some("ObjectIsDeletedButRecoverable")));
    let purge = v.ask("DELETE", path, None).await;
    assert_eq!(purge.status, 403, "the right is missing");
    let recovered = v.ask("POST", &recover, None).await.json();
    assert_eq!((&recovered["id"], recovered.get("value")), (&second["id"], None));
    assert_eq!(v.get(NAME).await.json()["value"], "two");
    assert_eq!(v.get(&format!("{NAME}/versions")).await.json()["value"].as_array().unwrap().len(), 2);
    assert_eq!(v.get(path).await.status, 404);
    assert_eq!(error(&v.ask("POST", &recover, None).await), refused(404, "SecretNotFound", None));
}

#[tokio::test]
async fn purging_needs_a_vault_that_lets_go() {
    for (protected, status) in [(true, 403), (false, 204)] {
        let v = Vault::with(|w| vault_of(w).enable_purge_protection = protected).await;
        v.set("one").await;
        v.ask("DELETE", NAME, None).await;
        let purged = v.ask("DELETE", "/deletedsecrets/ci-api-key", None).await;
        assert_eq!(purged.status, status, "{}", purged.text);
        if !protected {
            assert_eq!(purged.text, "");
            assert_eq!(v.set("two").await["attributes"]["recoveryLevel"], "Recoverable+Purgeable");
        }
        // At the end of the retention the service purges by itself.
        v.ask("DELETE", NAME, None).await;
        v.f.clock.advance(Duration::from_secs(90 * 86400));
        let fresh = Vault { token: v.f.admin(KEY_VAULT).await, f: v.f };
        assert_eq!(fresh.get("/deletedsecrets/ci-api-key").await.status, 404);
        fresh.set("three").await;
        assert_eq!(fresh.get(&format!("{NAME}/versions")).await.json()["value"].as_array().unwrap().len(), 1);
    }
    let v = Vault::with(|w| vault_of(w).enable_soft_delete = false).await;
    v.set("one").await;
    assert!(v.ask("DELETE", NAME, None).await.json().get("recoveryId").is_none());
    assert_eq!(v.get("/deletedsecrets/ci-api-key").await.status, 404);
    assert_eq!(v.set("two").await["attributes"]["recoveryLevel"], "Purgeable");
}
