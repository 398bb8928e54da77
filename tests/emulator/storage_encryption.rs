//! Identities of storage accounts, and the keys that these are encrypted with.

use jiff::SignedDuration;
use palisade::emulator::{
    AccessPolicy, Application, AzurePrincipalType, DefaultAction, KeyVersion, NetworkAcls, PolicyPermissions,
    RoleAssignment, UserAssignedIdentity, Wanted, WantedKey, World, seed,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::storage::{VERSION, error, with};
use crate::support::{
    ARM, Ask, Fixture, GROUP_SCOPE, LAKE, Reply, STRANGER, VAULT, grant, start_of_time, vault_of, wanted,
};

const GIVEN: &str = "/subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg-Lake/providers/\
                     Microsoft.ManagedIdentity/userAssignedIdentities/id-lake";
const CRYPTO_USER: &str = "e147488a-f6f5-4113-8e2d-b22465e65bf6";
const STORAGE_CONTRIBUTOR: &str = "17d1049b-9a84-46fb-8f53-869881c3d3ab";
const GIVEN_PRINCIPAL: Uuid = Uuid::from_u128(0x1de0_0001);

/// A key in the vault, and an identity that can be given.
fn furnish(world: &mut World) {
    let key = WantedKey { vault: VAULT.into(), name: "lake-key".into(), version: None };
    seed(world, &Wanted { keys: vec![key], ..wanted() }, start_of_time()).unwrap();
    let identity = UserAssignedIdentity {
        id: GIVEN.into(),
        principal_id: GIVEN_PRINCIPAL,
        client_id: Uuid::from_u128(0x1de0_0002),
    };
    let application = Application { app_id: identity.client_id, display_name: "id-lake".into(), client: None };
    world.applications.insert(GIVEN_PRINCIPAL, application);
    world.user_assigned_identities.insert(GIVEN.to_lowercase(), identity);
}

fn allow(world: &mut World, principal: Uuid, now: jiff::Timestamp) {
    world.role_assignments.push(RoleAssignment {
        name: principal,
        scope: VAULT.into(),
        role_definition: CRYPTO_USER.parse().unwrap(),
        principal_id: principal,
        principal_type: AzurePrincipalType::ServicePrincipal,
        description: None,
        created_on: now,
    });
}

async fn patch(f: &Fixture, body: &Value) -> Reply {
    let token = f.admin(ARM).await;
    f.ask("PATCH", &format!("{LAKE}{VERSION}"), Ask::token(&token).json(body)).await
}

async fn account(f: &Fixture) -> Value {
    f.get(&format!("{LAKE}{VERSION}"), &f.admin(ARM).await).await.json()
}

/// A body for a key of the vault, as clients send it: whole.
async fn wish(f: &Fixture, version: &str, identity: Option<&str>) -> Value {
    let mut encryption = account(f).await["properties"]["encryption"].clone();
    encryption["keySource"] = json!("Microsoft.Keyvault");
    encryption["keyvaultproperties"] =
        json!({ "keyvaulturi": "https://kv-ci-prod.vault.azure.net", "keyname": "lake-key", "keyversion": version });
    if let Some(id) = identity {
        encryption["identity"] = json!({ "userAssignedIdentity": id });
    }
    json!({ "properties": { "encryption": encryption } })
}

fn own(account: &Value) -> Uuid {
    account["identity"]["principalId"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn identities_merge_by_name_and_go_by_type() {
    let f = with(furnish).await;
    let given = json!({ GIVEN: {} });
    let steps = [
        (json!({ "type": "UserAssigned", "userAssignedIdentities": given }), "UserAssigned", 1),
        // Without a map, those that are there stay.
        (json!({ "type": "SystemAssigned, UserAssigned" }), "SystemAssigned,UserAssigned", 1),
        (
            json!({ "type": "SystemAssigned,UserAssigned", "userAssignedIdentities": { GIVEN.to_uppercase(): {} } }),
            "SystemAssigned,UserAssigned",
            1,
        ),
        (json!({ "type": "SystemAssigned" }), "SystemAssigned", 0),
        (
            json!({ "type": "SystemAssigned,UserAssigned", "userAssignedIdentities": given }),
            "SystemAssigned,UserAssigned",
            1,
        ),
    ];
    for (identity, kind, count) in steps {
        let reply = patch(&f, &json!({ "identity": identity })).await;
        let shown = account(&f).await;
        assert_eq!((reply.status.as_u16(), reply.json()), (200, shown.clone()), "{identity}");
        let map = shown["identity"]["userAssignedIdentities"].as_object().map_or(0, serde_json::Map::len);
        assert_eq!((&shown["identity"]["type"], map), (&json!(kind), count), "{identity}");
    }
    let principal = own(&account(&f).await);
    assert_eq!(account(&f).await["identity"]["userAssignedIdentities"][GIVEN]["principalId"], json!(GIVEN_PRINCIPAL));
    assert!(f.emulator.world().applications.contains_key(&principal));
    // Null takes one away, and a type that names such identities needs one.
    let away =
        json!({ "identity": { "type": "SystemAssigned,UserAssigned", "userAssignedIdentities": { GIVEN: null } } });
    assert_eq!(error(&patch(&f, &away).await).1, "InvalidValuesForRequestParameters");
    patch(&f, &json!({ "identity": { "type": "None" } })).await;
    assert!(account(&f).await.get("identity").is_none());
    assert!(!f.emulator.world().applications.contains_key(&principal));
}

#[tokio::test]
async fn an_identity_is_given_by_who_may_assign_it_and_only_if_it_exists() {
    let f = with(|w| {
        furnish(w);
        grant(w, STRANGER, STORAGE_CONTRIBUTOR, LAKE);
    })
    .await;
    let other = GIVEN.replace("id-lake", "id-none");
    let body = |id: &str| json!({ "identity": { "type": "UserAssigned", "userAssignedIdentities": { id: {} } } });
    assert_eq!(error(&patch(&f, &body(&other)).await), (400, "FailedIdentityOperation".into()));
    let token = f.token(STRANGER, ARM).await;
    let reply = f.ask("PATCH", &format!("{LAKE}{VERSION}"), Ask::token(&token).json(&body(GIVEN))).await;
    assert_eq!(error(&reply), (403, "LinkedAuthorizationFailed".into()));
    assert!(account(&f).await.get("identity").is_none());
    // Nothing of the identities themselves is served.
    let reply = f.get(&format!("{GIVEN}?api-version=2023-01-31"), &f.admin(ARM).await).await;
    assert_eq!(error(&reply), (501, "NotServedByEmulator".into()));
}

#[tokio::test]
async fn a_key_is_taken_once_the_identity_may_use_it_and_given_back() {
    let f = with(furnish).await;
    let before = account(&f).await["properties"]["encryption"].clone();
    assert_eq!(error(&patch(&f, &wish(&f, "", None).await).await), (400, "KeyVaultAuthenticationFailure".into()));
    patch(&f, &json!({ "identity": { "type": "SystemAssigned" } })).await;
    assert_eq!(error(&patch(&f, &wish(&f, "", None).await).await).1, "KeyVaultAuthenticationFailure");
    let principal = own(&account(&f).await);
    f.emulator.change(|w| allow(w, principal, start_of_time())).unwrap();
    let reply = patch(&f, &wish(&f, "", None).await).await;
    let encryption = account(&f).await["properties"]["encryption"].clone();
    assert_eq!((reply.status.as_u16(), &reply.json()["properties"]["encryption"]), (200, &encryption));
    let key = &encryption["keyvaultproperties"];
    let version = f.emulator.world().vaults["kv-ci-prod"].keys["lake-key"].versions[0].version.clone();
    let current = format!("https://kv-ci-prod.vault.azure.net/keys/lake-key/{version}");
    assert_eq!(key["currentVersionedKeyIdentifier"], json!(current));
    assert_eq!(key["lastKeyRotationTimestamp"], "2026-11-20T12:00:00.0000000Z");
    assert_eq!(
        (&encryption["keySource"], &encryption["services"]),
        (&json!("Microsoft.Keyvault"), &before["services"])
    );
    // Clients may send back all of it with something else.
    let body = json!({ "properties": { "encryption": encryption, "minimumTlsVersion": "TLS1_3" } });
    assert_eq!(patch(&f, &body).await.json()["properties"]["encryption"], encryption);
    let back = json!({ "keySource": "Microsoft.Storage", "keyvaultproperties": null, "services": before["services"] });
    assert_eq!(patch(&f, &json!({ "properties": { "encryption": back } })).await.status.as_u16(), 200);
    let after = account(&f).await;
    assert_eq!((&after["properties"]["encryption"], own(&after)), (&before, principal));
}

#[tokio::test]
async fn a_grant_counts_late_and_an_access_policy_at_once() {
    let f = with(|w| {
        furnish(w);
        w.behaviour.azure_role_propagation = SignedDuration::from_mins(5);
    })
    .await;
    patch(&f, &json!({ "identity": { "type": "SystemAssigned" } })).await;
    let principal = own(&account(&f).await);
    f.emulator.change(|w| allow(w, principal, start_of_time())).unwrap();
    assert_eq!(error(&patch(&f, &wish(&f, "", None).await).await).1, "KeyVaultAuthenticationFailure");
    f.clock.advance(std::time::Duration::from_mins(5));
    assert_eq!(patch(&f, &wish(&f, "", None).await).await.status.as_u16(), 200);
    let g = with(furnish).await;
    patch(&g, &json!({ "identity": { "type": "SystemAssigned" } })).await;
    let principal = own(&account(&g).await);
    let change = |w: &mut World| {
        let tenant_id = vault_of(w).tenant_id;
        vault_of(w).enable_rbac_authorization = Some(false);
        let keys = ["get", "wrapKey", "unwrapKey"].map(str::to_owned).to_vec();
        let permissions = PolicyPermissions { keys, ..PolicyPermissions::default() };
        let policy = AccessPolicy { tenant_id, object_id: principal, application_id: None, permissions };
        vault_of(w).access_policies.push(policy);
    };
    g.emulator.change(change).unwrap();
    assert_eq!(patch(&g, &wish(&g, "", None).await).await.status.as_u16(), 200);
}

#[tokio::test]
async fn the_identity_that_is_named_is_the_one_that_counts() {
    let f = with(|w| {
        furnish(w);
        allow(w, GIVEN_PRINCIPAL, start_of_time());
    })
    .await;
    // It must be one of the account's.
    assert_eq!(error(&patch(&f, &wish(&f, "", Some(GIVEN)).await).await).1, "InvalidValuesForRequestParameters");
    patch(&f, &json!({ "identity": { "type": "UserAssigned", "userAssignedIdentities": { GIVEN: {} } } })).await;
    let reply = patch(&f, &wish(&f, "", Some(GIVEN)).await).await;
    assert_eq!(reply.status.as_u16(), 200, "{}", reply.text);
    assert_eq!(reply.json()["properties"]["encryption"]["identity"]["userAssignedIdentity"], GIVEN);
    // Whole: without the identity, it would be the account's own, which there is none of.
    let mut body = wish(&f, "", None).await;
    body["properties"]["encryption"]["identity"] = Value::Null;
    assert_eq!(error(&patch(&f, &body).await).1, "KeyVaultAuthenticationFailure");
}

#[tokio::test]
async fn vaults_and_keys_must_be_fit_and_bodies_well_formed() {
    type Spoil = fn(&mut World);
    let spoils: [(Spoil, &str); 7] = [
        (|w| vault_of(w).enable_purge_protection = false, "KeyVaultPolicyError"),
        (
            |w| {
                vault_of(w).network_acls = Some(NetworkAcls {
                    bypass: "None".into(),
                    default_action: DefaultAction::Deny,
                    ip_rules: Vec::new(),
                    virtual_network_rules: Vec::new(),
                });
            },
            "EmulatedKeyVaultNotReachable",
        ),
        (|w| drop(vault_of(w).keys.remove("lake-key")), "EmulatedKeyNotFound"),
        (|w| key(w).attributes.enabled = false, "EmulatedKeyDisabled"),
        (|w| key(w).key_size = Some(1024), "EmulatedKeyNotSupported"),
        (|w| key(w).attributes.expires = Some(start_of_time()), "EmulatedKeyNotActive"),
        (|w| drop(w.vaults.remove("kv-ci-prod")), "EmulatedKeyVaultNotFound"),
    ];
    for (spoil, code) in spoils {
        let f = with(furnish).await;
        patch(&f, &json!({ "identity": { "type": "SystemAssigned" } })).await;
        let principal = own(&account(&f).await);
        f.emulator.change(|w| allow(w, principal, start_of_time())).unwrap();
        f.emulator.change(spoil).unwrap();
        let before = account(&f).await;
        assert_eq!(error(&patch(&f, &wish(&f, "", None).await).await), (400, code.into()));
        assert_eq!(account(&f).await, before, "{code}");
    }
    let f = with(furnish).await;
    let spelled = json!({ "keyVaultUri": "https://kv-ci-prod.vault.azure.net", "keyName": "lake-key" });
    for wrong in [
        json!({ "keySource": "Microsoft.KeyVault", "keyvaultproperties": {} }),
        json!({ "keySource": "Microsoft.Keyvault" }),
        json!({ "keySource": "Microsoft.Keyvault", "keyvaultproperties": spelled }),
        json!({ "keySource": "Microsoft.Storage", "keyvaultproperties": { "keyname": "x" } }),
        json!({ "keySource": "Microsoft.Storage", "services": { "blob": { "enabled": false } } }),
        json!({ "keySource": "Microsoft.Storage", "services": { "blob": { "keyType": "Service" } } }),
        json!({ "keySource": "Microsoft.Storage", "requireInfrastructureEncryption": true }),
    ] {
        let reply = patch(&f, &json!({ "properties": { "encryption": wrong } })).await;
        assert_eq!(error(&reply), (400, "InvalidValuesForRequestParameters".into()), "{wrong}");
    }
}

fn key(world: &mut World) -> &mut KeyVersion {
    vault_of(world).keys.get_mut("lake-key").unwrap().versions.last_mut().unwrap()
}

#[tokio::test]
async fn a_new_version_is_followed_after_a_day_and_a_pinned_one_stays() {
    for pinned in [false, true] {
        let f = with(furnish).await;
        patch(&f, &json!({ "identity": { "type": "SystemAssigned" } })).await;
        let principal = own(&account(&f).await);
        f.emulator.change(|w| allow(w, principal, start_of_time())).unwrap();
        let first = f.emulator.world().vaults["kv-ci-prod"].keys["lake-key"].versions[0].version.clone();
        let reply = patch(&f, &wish(&f, if pinned { &first } else { "" }, None).await).await;
        assert_eq!(reply.status.as_u16(), 200, "{}", reply.text);
        let next = "0b".repeat(16);
        let change = |w: &mut World| {
            let mut version = key(w).clone();
            version.version = next.clone();
            (version.attributes.created, version.attributes.updated) = (start_of_time(), start_of_time());
            vault_of(w).keys.get_mut("lake-key").unwrap().versions.push(version);
        };
        f.emulator.change(change).unwrap();
        let used = |account: &Value| {
            let key = &account["properties"]["encryption"]["keyvaultproperties"];
            let current = key["currentVersionedKeyIdentifier"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
            (current, key["lastKeyRotationTimestamp"].as_str().unwrap().to_owned())
        };
        let day = "2026-11-20T12:00:00.0000000Z".to_owned();
        assert_eq!(used(&account(&f).await), (first.clone(), day.clone()));
        f.clock.advance(std::time::Duration::from_hours(24));
        let expected = if pinned { (first, day) } else { (next, "2026-11-21T12:00:00.0000000Z".to_owned()) };
        assert_eq!(used(&account(&f).await), expected);
    }
}

#[tokio::test]
async fn roles_know_a_new_identity_late_if_the_world_says_so() {
    let f = with(|w| {
        furnish(w);
        w.behaviour.policy_identity_replication = SignedDuration::from_mins(2);
    })
    .await;
    patch(&f, &json!({ "identity": { "type": "SystemAssigned" } })).await;
    let principal = own(&account(&f).await);
    let token = f.admin(ARM).await;
    let path = format!(
        "{GROUP_SCOPE}/providers/Microsoft.Authorization/roleAssignments/{}?api-version=2022-04-01",
        Uuid::from_u128(7)
    );
    let body = json!({ "properties": {
        "principalId": principal, "principalType": "ServicePrincipal",
        "roleDefinitionId": format!("/providers/Microsoft.Authorization/roleDefinitions/{CRYPTO_USER}") } });
    let refused = f.ask("PUT", &path, Ask::token(&token).json(&body)).await;
    assert_eq!(error(&refused).1, "PrincipalNotFound");
    f.clock.advance(std::time::Duration::from_mins(2));
    assert_eq!(f.ask("PUT", &path, Ask::token(&token).json(&body)).await.status.as_u16(), 201);
}
