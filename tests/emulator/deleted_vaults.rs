//! Vaults that are deleted, recovered and purged.

use std::time::Duration;

use palisade::emulator::{World, seed};
use serde_json::{Value, json};

use crate::support::{
    ARM, Ask, Fixture, GROUP_SCOPE, KEY_VAULT, Reply, SUBSCRIPTION, TENANT, VAULT, VIEWER, grant, options,
    start_of_time, vault_of, wanted, world,
};

/// Key Vault Contributor.
const CONTRIBUTOR: &str = "f25e0fa2-a7c8-4377-a976-54943a77a395";
const DAY: u64 = 24 * 60 * 60;

async fn start(change: impl FnOnce(&mut World)) -> Fixture {
    let mut world = world();
    grant(&mut world, VIEWER, CONTRIBUTOR, &format!("/subscriptions/{SUBSCRIPTION}"));
    change(&mut world);
    Fixture::with(options(world, Vec::new())).await
}

async fn ask(f: &Fixture, method: &str, path: &str, body: Option<Value>) -> Reply {
    let token = f.token(VIEWER, ARM).await;
    let ask = body.iter().fold(Ask::token(&token), |ask, body| ask.json(body));
    f.ask(method, &format!("{path}?api-version=2023-07-01"), ask).await
}

/// Makes the client a Contributor of the subscription, which Key Vault Contributor isn't enough for.
fn let_purge(f: &Fixture) {
    let scope = format!("/subscriptions/{SUBSCRIPTION}");
    f.emulator.change(|world| grant(world, VIEWER, "b24988ac-6180-42a0-ab88-20f7382dd24c", &scope)).unwrap();
}

fn deleted(path: &str) -> String {
    format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.KeyVault/{path}")
}

fn recovering() -> Value {
    let sku = json!({ "family": "A", "name": "standard" });
    json!({ "location": "West Europe", "properties": { "tenantId": TENANT, "sku": sku, "createMode": "recover" } })
}

fn code(reply: &Reply) -> (u16, Value) {
    (reply.status.as_u16(), reply.json()["error"]["code"].clone())
}

#[tokio::test]
async fn a_deleted_vault_is_kept_with_its_name_and_comes_back_without_its_role_assignments() {
    let f = start(|world| {
        let policy = json!({ "tenantId": TENANT, "objectId": VIEWER.object_id, "permissions": { "secrets": ["get"] } });
        vault_of(world).access_policies = vec![serde_json::from_value(policy).unwrap()];
        vault_of(world).tags.insert("a".into(), "b".into());
    })
    .await;
    let secret = f.vault_url("kv-ci-prod", "/secrets/s?api-version=7.5");
    let officer = f.admin(KEY_VAULT).await;
    assert_eq!(f.ask("PUT", &secret, Ask::token(&officer).json(&json!({ "value": "v" }))).await.status, 200);
    let before = ask(&f, "GET", VAULT, None).await.json();
    assert_eq!(ask(&f, "DELETE", VAULT, None).await.status, 200);

    assert_eq!(code(&ask(&f, "GET", VAULT, None).await), (404, json!("ResourceNotFound")));
    assert_eq!(code(&ask(&f, "GET", &format!("{VAULT}/keys/k"), None).await), (404, json!("ResourceNotFound")));
    assert_eq!(f.get(&secret, &officer).await.json()["error"]["code"], "NoSuchHost");
    assert_eq!(ask(&f, "GET", &deleted("vaults"), None).await.json()["value"], json!([]));
    let told = ask(&f, "GET", &deleted("deletedVaults"), None).await.json()["value"].clone();
    let of = &told[0];
    let place = deleted("locations/westeurope/deletedVaults/kv-CI-prod");
    assert_eq!((&of["id"], &of["name"]), (&json!(place), &json!("kv-CI-prod")));
    assert_eq!(
        of["properties"],
        json!({ "vaultId": VAULT, "location": "westeurope", "tags": { "a": "b" }, "purgeProtectionEnabled": true,
                "deletionDate": "2026-11-20T12:00:00Z", "scheduledPurgeDate": "2027-02-18T12:00:00Z" })
    );
    assert_eq!(ask(&f, "GET", &place, None).await.json(), *of);
    assert_eq!(ask(&f, "DELETE", VAULT, None).await.status, 204, "there is none any more");

    // Its name is taken, wherever a vault is to be made.
    let plain = json!({ "location": "westeurope", "properties": { "tenantId": TENANT } });
    let elsewhere = VAULT.replace("rg-Secrets", "rg-Lake");
    assert!(elsewhere.starts_with(GROUP_SCOPE));
    for id in [VAULT, &elsewhere] {
        assert_eq!(code(&ask(&f, "PUT", id, Some(plain.clone())).await), (409, json!("VaultAlreadyExists")), "{id}");
    }
    let_purge(&f);
    assert_eq!(code(&ask(&f, "POST", &format!("{place}/purge"), None).await), (405, json!("MethodNotAllowed")));
    assert_eq!(
        code(&ask(&f, "PUT", &elsewhere, Some(recovering())).await),
        (404, json!("SoftDeletedVaultDoesNotExist")),
        "only where it was"
    );
    for (member, value) in [("location", json!("northeurope")), ("properties", json!({ "createMode": "recover" }))] {
        let mut body = recovering();
        body[member] = value;
        assert_eq!(code(&ask(&f, "PUT", VAULT, Some(body)).await), (400, json!("BadRequest")), "{member}");
    }
    assert_eq!(ask(&f, "PUT", &VAULT.to_lowercase(), Some(recovering())).await.json(), before);
    assert_eq!(ask(&f, "GET", VAULT, None).await.json(), before);
    assert_eq!(ask(&f, "GET", &deleted("deletedVaults"), None).await.json()["value"], json!([]));
    assert!(f.emulator.world().vaults["kv-ci-prod"].secrets.contains_key("s"));
    assert_eq!(f.get(&secret, &officer).await.json()["error"]["innererror"]["code"], "ForbiddenByRbac");
    assert_eq!(code(&ask(&f, "PUT", VAULT, Some(recovering())).await), (404, json!("SoftDeletedVaultDoesNotExist")));
    assert_eq!(ask(&f, "PUT", VAULT, Some(plain)).await.status, 501);
}

#[tokio::test]
async fn a_deleted_vault_is_purged_on_demand_or_when_its_time_is_over() {
    let f = start(|world| vault_of(world).enable_purge_protection = false).await;
    let place = deleted("locations/westeurope/deletedVaults/kv-ci-prod");
    ask(&f, "DELETE", VAULT, None).await;
    let shown = ask(&f, "GET", &place, None).await.json();
    assert!(shown["properties"].get("purgeProtectionEnabled").is_none());
    assert_eq!(code(&ask(&f, "GET", &place.replace("westeurope", "uksouth"), None).await).0, 404);
    assert_eq!(code(&ask(&f, "POST", &format!("{place}/purge"), None).await), (403, json!("AuthorizationFailed")));
    let_purge(&f);
    assert_eq!(ask(&f, "POST", &format!("{place}/purge"), None).await.status, 200);
    assert_eq!(code(&ask(&f, "GET", &place, None).await), (404, json!("DeletedVaultNotFound")));

    let f = start(|_| {}).await;
    ask(&f, "DELETE", VAULT, None).await;
    // A configuration that names it doesn't bring it back; after its time it is made anew.
    let mut kept = f.emulator.world();
    seed(&mut kept, &wanted(), start_of_time()).unwrap();
    assert!(!kept.vaults.contains_key("kv-ci-prod"));
    f.clock.advance(Duration::from_secs(90 * DAY - 1));
    assert_eq!(ask(&f, "GET", &place, None).await.status, 200);
    f.clock.advance(Duration::from_secs(1));
    assert_eq!(ask(&f, "GET", &deleted("deletedVaults"), None).await.json()["value"], json!([]));
    assert_eq!(code(&ask(&f, "PUT", VAULT, Some(recovering())).await), (404, json!("SoftDeletedVaultDoesNotExist")));
    seed(&mut kept, &wanted(), f.clock.now()).unwrap();
    assert!(kept.vaults.contains_key("kv-ci-prod"));
}

#[tokio::test]
async fn without_soft_delete_a_vault_is_gone_for_good() {
    let f = start(|world| vault_of(world).enable_soft_delete = false).await;
    assert_eq!(ask(&f, "DELETE", VAULT, None).await.status, 200);
    let world = f.emulator.world();
    assert!(world.vaults.is_empty() && world.deleted_vaults.is_empty());
    assert!(world.role_assignments.iter().all(|assignment| !assignment.scope.contains("kv-CI-prod")));
}

#[tokio::test]
async fn deleting_and_listing_take_rights() {
    let f = Fixture::with(options(world(), Vec::new())).await;
    let place = deleted("locations/westeurope/deletedVaults/kv-ci-prod");
    for (method, path, body) in [
        ("DELETE", VAULT, None),
        ("PUT", VAULT, Some(recovering())),
        ("GET", &deleted("deletedVaults"), None),
        ("GET", &place, None),
        ("POST", &format!("{place}/purge"), None),
    ] {
        assert_eq!(code(&ask(&f, method, path, body).await), (403, json!("AuthorizationFailed")), "{method} {path}");
    }
    assert!(f.emulator.world().deleted_vaults.is_empty());
}
