//! Vaults on the management plane: shapes, lists, rights, refusals in ARM's envelope.

use palisade::emulator::{
    AccessPolicy, CustomRole, DefaultAction, NetworkAcls, Permission, PolicyPermissions, VaultSku, World,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    ARM, Ask, CI, Fixture, KEY_VAULT, Reply, STRANGER, TENANT, VAULT, VIEWER, Who, grant, options, vault_of, world,
};

const READER: &str = "acdd72a7-3385-48ef-bd42-f606fba81ae7";
const CONTRIBUTOR: &str = "b24988ac-6180-42a0-ab88-20f7382dd24c";
const SECRETS_USER: &str = "4633458b-17de-408a-b874-0445c86b69e6";
const SUBSCRIPTION: &str = "/subscriptions/11110000-0000-4000-8000-00000000aaaa";
const GROUP: &str = "/subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg-Secrets";
const LIST: &str = "/providers/Microsoft.KeyVault/vaults";
const VERSION: &str = "?api-version=2023-07-01";

async fn with(change: impl FnOnce(&mut World)) -> Fixture {
    let mut world = world();
    change(&mut world);
    Fixture::with(options(world, Vec::new())).await
}

fn error(reply: &Reply) -> (u16, String) {
    let body = reply.json();
    assert!(body["error"]["message"].is_string(), "{body}");
    (reply.status.as_u16(), body["error"]["code"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_vault_shows_what_is_set_and_leaves_out_the_rest() {
    let f = Fixture::start().await;
    let token = f.admin(ARM).await;
    let asked = VAULT.to_lowercase().replace("resourcegroups", "RESOURCEGROUPS");
    let reply = f.get(&format!("{asked}{VERSION}"), &token).await;
    let port = f.emulator.http().port().unwrap();
    let expected = json!({
        "id": VAULT, "name": "kv-CI-prod", "type": "Microsoft.KeyVault/vaults", "location": "westeurope", "tags": {},
        "properties": {
            "sku": { "family": "A", "name": "standard" }, "tenantId": TENANT, "accessPolicies": [],
            "enabledForDeployment": false, "enabledForDiskEncryption": false, "enabledForTemplateDeployment": false,
            "enableSoftDelete": true, "softDeleteRetentionInDays": 90, "enablePurgeProtection": true,
            "enableRbacAuthorization": true, "provisioningState": "Succeeded", "publicNetworkAccess": "Enabled",
            "vaultUri": format!("http://kv-ci-prod.vault.localhost:{port}/"),
        },
    });
    assert_eq!(reply.json(), expected);
    for header in ["x-ms-correlation-request-id", "x-ms-routing-request-id", "x-ms-request-id", "date"] {
        assert!(reply.header(header).is_some(), "{header}");
    }
    assert_eq!(reply.header("content-type"), Some("application/json; charset=utf-8"));
    let object = Uuid::from_u128(5);
    let f = with(|w| {
        let vault = vault_of(w);
        vault.enable_purge_protection = false;
        vault.enable_rbac_authorization = None;
        vault.public_network_access = None;
        vault.sku = VaultSku::Premium;
        vault.access_policies.push(AccessPolicy {
            tenant_id: TENANT,
            object_id: object,
            application_id: None,
            permissions: PolicyPermissions { secrets: vec!["Get".into()], ..PolicyPermissions::default() },
        });
        vault.network_acls = Some(NetworkAcls {
            bypass: "AzureServices".into(),
            default_action: DefaultAction::Deny,
            ip_rules: vec!["203.0.113.0/24".into()],
            virtual_network_rules: Vec::new(),
        });
    })
    .await;
    let properties = f.get(&format!("{VAULT}{VERSION}"), &f.admin(ARM).await).await.json()["properties"].clone();
    for missing in ["enablePurgeProtection", "enableRbacAuthorization", "publicNetworkAccess"] {
        assert!(properties.get(missing).is_none(), "{missing}");
    }
    let permissions = json!({ "keys": [], "secrets": ["Get"], "certificates": [], "storage": [] });
    let policy = json!([{ "tenantId": TENANT, "objectId": object, "permissions": permissions }]);
    assert_eq!(properties["accessPolicies"], policy);
    let acls = json!({ "bypass": "AzureServices", "defaultAction": "Deny", "ipRules": [{ "value": "203.0.113.0/24" }],
        "virtualNetworkRules": [] });
    assert_eq!(properties["networkAcls"], acls);
}

#[tokio::test]
async fn refusals_come_in_their_order_and_envelope() {
    let f = with(|w| grant(w, VIEWER, READER, VAULT)).await;
    let token = f.token(VIEWER, ARM).await;
    let elsewhere = VAULT.replace("11110000", "22220000");
    let cases = [
        (VAULT.to_owned(), 400, "MissingApiVersionParameter"),
        (format!("{VAULT}?api-version=tomorrow"), 400, "InvalidApiVersionParameter"),
        (format!("{VAULT}?api-version=2014-01-01"), 400, "NoRegisteredProviderFound"),
        (format!("{elsewhere}{VERSION}"), 404, "SubscriptionNotFound"),
        (format!("/subscriptions/x/resourceGroups/rg{LIST}/kv{VERSION}"), 404, "SubscriptionNotFound"),
        // The caller has rights on the vault only.
        (format!("{GROUP}{LIST}/other{VERSION}"), 403, "AuthorizationFailed"),
        (format!("{GROUP}{LIST}{VERSION}"), 403, "AuthorizationFailed"),
        (format!("{GROUP}/providers/Microsoft.Unknown/things/x{VERSION}"), 501, "NotServedByEmulator"),
        (format!("{VAULT}/secrets/x{VERSION}"), 501, "NotServedByEmulator"),
    ];
    for (path, status, code) in cases {
        assert_eq!(error(&f.get(&path, &token).await), (status, code.to_owned()), "{path}");
    }
    let missing = f.ask("GET", &format!("{VAULT}{VERSION}"), Ask::default()).await;
    assert_eq!(error(&missing), (401, "AuthenticationFailed".into()));
    assert!(missing.header("www-authenticate").unwrap().starts_with("Bearer authorization_uri="));
    for (token, code) in [
        ("x".to_owned(), "InvalidAuthenticationToken"),
        (f.admin(CI).await, "InvalidAuthenticationTokenAudience"),
        (f.admin(KEY_VAULT).await, "InvalidAuthenticationTokenAudience"),
    ] {
        assert_eq!(error(&f.get(&format!("{VAULT}{VERSION}"), &token).await), (401, code.to_owned()));
    }
    // Azure's command line asks for Resource Manager by its older name.
    let older = f.admin("https://management.core.windows.net/").await;
    assert_eq!(f.get(&format!("{VAULT}{VERSION}"), &older).await.status, 200);
}

#[tokio::test]
async fn rights_come_from_roles_on_the_scope_or_above() {
    let custom = Uuid::from_u128(0xc0);
    let f = with(|w| {
        grant(w, VIEWER, READER, &SUBSCRIPTION.to_uppercase().replace("/SUBSCRIPTIONS", "/subscriptions"));
        grant(w, STRANGER, SECRETS_USER, VAULT);
        let actions = vec!["Microsoft.KeyVault/vaults/read".to_owned()];
        let permissions = vec![Permission { actions, ..Permission::default() }];
        w.custom_roles.insert(custom, CustomRole { role_name: "Vault lister".into(), permissions });
    })
    .await;
    let reader = f.token(VIEWER, ARM).await;
    for path in [VAULT.to_owned(), format!("{GROUP}{LIST}"), format!("{SUBSCRIPTION}{LIST}")] {
        assert_eq!(f.get(&format!("{path}{VERSION}"), &reader).await.status, 200, "{path}");
    }
    let gone = [
        (format!("{GROUP}{LIST}/other"), "ResourceNotFound"),
        (format!("{SUBSCRIPTION}/resourceGroups/none{LIST}/kv-CI-prod"), "ResourceGroupNotFound"),
        (format!("{SUBSCRIPTION}/resourceGroups/none{LIST}"), "ResourceGroupNotFound"),
    ];
    for (path, code) in gone {
        assert_eq!(error(&f.get(&format!("{path}{VERSION}"), &reader).await), (404, code.to_owned()), "{path}");
    }
    let data_only = f.get(&format!("{VAULT}{VERSION}"), &f.token(STRANGER, ARM).await).await;
    assert_eq!(error(&data_only), (403, "AuthorizationFailed".into()));
    let message = data_only.json()["error"]["message"].to_string();
    assert!(message.contains(&STRANGER.object_id.to_string()) && message.contains("Microsoft.KeyVault/vaults/read"));
    for (role, status) in [(custom.to_string(), 200), (CONTRIBUTOR.to_owned(), 200), (Uuid::nil().to_string(), 403)] {
        let f = with(|w| {
            let actions = vec!["microsoft.keyvault/VAULTS/read".to_owned()];
            let permissions = vec![Permission { actions, ..Permission::default() }];
            w.custom_roles.insert(custom, CustomRole { role_name: "Vault lister".into(), permissions });
            grant(w, VIEWER, &role, GROUP);
        })
        .await;
        let reply = f.get(&format!("{VAULT}{VERSION}"), &f.token(VIEWER, ARM).await).await;
        assert_eq!(reply.status, status, "{role}");
    }
}

#[tokio::test]
async fn lists_come_in_pages_whose_links_lead_on() {
    for empty_first in [false, true] {
        let f = with(|w| {
            grant(w, Who { ..VIEWER }, READER, SUBSCRIPTION);
            w.behaviour.empty_first_pages = empty_first;
            let model = vault_of(w).clone();
            for number in 0..4 {
                let mut vault = model.clone();
                vault.id = format!("{GROUP}{LIST}/kv-{number}");
                w.vaults.insert(format!("kv-{number}"), vault);
            }
            let mut foreign = model;
            foreign.id = format!("{SUBSCRIPTION}/resourceGroups/rg-Secrets-2{LIST}/kv-foreign");
            w.vaults.insert("kv-foreign".into(), foreign);
        })
        .await;
        let token = f.token(VIEWER, ARM).await;
        for (scope, expected) in [(GROUP, 5), (SUBSCRIPTION, 6)] {
            let mut next = Some(f.url(&format!("{scope}{LIST}{VERSION}&$top=2")));
            let mut names = Vec::new();
            let mut pages = 0;
            while let Some(link) = next {
                assert!(link.starts_with(f.emulator.http().as_str()) && link.contains("api-version=2023-07-01"));
                let body = f.get(&link, &token).await.json();
                names.extend(body["value"].as_array().unwrap().iter().map(|v| v["name"].clone()));
                next = body["nextLink"].as_str().map(str::to_owned);
                assert!(body.get("nextLink").is_none_or(Value::is_string));
                pages += 1;
            }
            names.dedup();
            assert_eq!((names.len(), pages), (expected, 3 + usize::from(empty_first)), "{scope}");
        }
    }
}
