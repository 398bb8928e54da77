//! Vaults by Azure Resource Manager.

use jiff::SignedDuration;
use palisade::azure::{Look, vaults};
use palisade::emulator::{DefaultAction, DeletedVault, Deletion, NetworkAcls, World};
use palisade::terms::VaultId;

use serde_json::{Value as Json, json};

use crate::support::{STRANGER_PRINCIPAL, Services, TENANT, VAULT, grant, start_of_time, vault_of};

const READER: &str = "acdd72a7-3385-48ef-bd42-f606fba81ae7";

fn id(text: &str) -> VaultId {
    text.parse().unwrap()
}

#[tokio::test]
async fn a_vault_is_read_with_its_settings() {
    let services = Services::with(
        |w| {
            vault_of(w).network_acls = Some(NetworkAcls {
                bypass: "AzureServices".into(),
                default_action: DefaultAction::Deny,
                ip_rules: vec!["203.0.113.7".into()],
                virtual_network_rules: Vec::new(),
            });
        },
        "",
    )
    .await;
    let writer = services.admin();
    let vault = vaults::get(writer.reader(), &id(&VAULT.to_lowercase())).await.unwrap().unwrap();
    assert_eq!(vault.id.as_deref(), Some(VAULT));
    assert_eq!(vault.location.as_deref(), Some("westeurope"));
    let properties = vault.properties;
    assert!(properties.purge_protected() && properties.goes_by_roles());
    assert_eq!(properties.tenant_id, Some(TENANT));
    assert_eq!(properties.public_network_access.as_deref(), Some("Enabled"));
    let acls = properties.network_acls.unwrap();
    assert_eq!((acls.default_action.as_deref(), acls.ip_rules[0].value.as_str()), (Some("Deny"), "203.0.113.7"));
    assert!(properties.vault_uri.unwrap().host_str().unwrap().starts_with("kv-ci-prod."));
}

#[tokio::test]
async fn only_resource_managers_word_proves_an_absence() {
    let services = Services::with(
        |w| grant(w, STRANGER_PRINCIPAL, READER, "/subscriptions/11110000-0000-4000-8000-00000000aaaa"),
        "",
    )
    .await;
    let blind = Services::with(|_| {}, "").await;
    let (reader, blind) = (services.stranger(), blind.stranger());
    for absent in [VAULT.replace("kv-ci-prod", "kv-none"), VAULT.replace("rg-secrets", "rg-none")] {
        assert!(vaults::get(&reader, &id(&absent)).await.unwrap().is_none(), "{absent}");
        // Who may not look learns nothing.
        assert_eq!(vaults::get(&blind, &id(&absent)).await.unwrap_err().code(), Some("AuthorizationFailed"));
    }
    let elsewhere = vaults::get(&reader, &id(&VAULT.replace("11110000", "22220000"))).await.unwrap_err();
    assert_eq!(elsewhere.code(), Some("SubscriptionNotFound"));
    for faults in [
        "- { operation: GET /subscriptions/*, action: { status: { code: 404 } } }",
        "- { operation: GET /subscriptions/*, action: { status: { code: 200, body: {} } } }",
        "- { operation: GET /subscriptions/*, action: { status: { code: 200, body: { id: /subscriptions/x, properties: {} } } } }",
        "- { operation: GET /subscriptions/*, action: truncate }",
    ] {
        let services = Services::with(|_| {}, faults).await;
        assert!(vaults::get(services.admin().reader(), &id(VAULT)).await.is_err(), "{faults}");
    }
}

/// A vault whose lists are null is read as one without entries, not as one that can't be read.
#[tokio::test]
async fn null_is_read_as_none() {
    let answer = |properties: &str| {
        let body = format!("{{ id: '{VAULT}', name: kv-ci-prod, properties: {properties} }}");
        format!("- {{ operation: GET */vaults/kv-ci-prod, action: {{ status: {{ code: 200, body: {body} }} }} }}")
    };
    let acls = "{ defaultAction: Deny, ipRules: null, virtualNetworkRules: null }";
    let services = Services::with(|_| {}, &answer(&format!("{{ accessPolicies: null, networkAcls: {acls} }}"))).await;
    let properties = vaults::get(services.admin().reader(), &id(VAULT)).await.unwrap().unwrap().properties;
    let acls = properties.network_acls.unwrap();
    assert!(properties.access_policies.is_empty() && acls.ip_rules.is_empty() && acls.virtual_network_rules.is_empty());
    let entry = "{ tenantId: null, objectId: null, permissions: { keys: null, secrets: [get], certificates: null } }";
    let faults = answer(&format!("{{ accessPolicies: [{entry}, {{ permissions: null }}] }}"));
    let services = Services::with(|_| {}, &faults).await;
    let properties = vaults::get(services.admin().reader(), &id(VAULT)).await.unwrap().unwrap().properties;
    assert_eq!(properties.access_policies[0].permissions.secrets, ["get"]);
    assert_eq!(properties.access_policies[1].permissions, vaults::Permissions::default());
}

const SUBSCRIPTION: &str = "/subscriptions/11110000-0000-4000-8000-00000000aaaa";

/// The vault is deleted, and the client reads what its subscription has.
fn gone(world: &mut World) {
    let client = *world.applications.iter().find(|(_, it)| it.app_id == palisade::emulator::CLIENT_ID).unwrap().0;
    grant(world, client, READER, SUBSCRIPTION);
    let deletion = deletion();
    let vault = world.vaults.remove("kv-ci-prod").unwrap();
    world.deleted_vaults.insert("kv-ci-prod".into(), DeletedVault { vault, deletion });
}

fn deletion() -> Deletion {
    let deleted = start_of_time() - SignedDuration::from_hours(24);
    Deletion { deleted, scheduled_purge: deleted + SignedDuration::from_hours(24 * 90) }
}

#[tokio::test]
async fn a_deleted_vault_is_found_among_the_deleted_ones_and_comes_back() {
    let services = Services::with(
        |world| {
            gone(world);
            world.behaviour.empty_first_pages = true;
        },
        "",
    )
    .await;
    let writer = services.admin();
    let vault = id(&VAULT.to_uppercase().replace("/SUBSCRIPTIONS", "/subscriptions"));
    assert!(vaults::get(writer.reader(), &vault).await.unwrap().is_none());
    let look = Look::begin(writer.reader(), []);
    let found = look.deleted_vault(&vault).await.unwrap().unwrap();
    assert_eq!((found.id.as_str(), found.location.as_str()), (VAULT, "westeurope"));
    assert_eq!((found.deleted, found.purged), (Some(deletion().deleted), Some(deletion().scheduled_purge)));
    assert_eq!(found.purge_protected, Some(true));
    let other = id(&VAULT.replace("kv-ci-prod", "kv-other"));
    assert_eq!(look.deleted_vault(&other).await.unwrap(), None);
    assert_eq!(services.count("GET", "/deletedVaults"), 2, "one list of two pages for all vaults of a subscription");

    vaults::recover(&writer, &vault, &found.location, TENANT).await.unwrap();
    assert!(vaults::get(writer.reader(), &vault).await.unwrap().is_some());
    assert_eq!(vaults::deleted(writer.reader(), &vault).await.unwrap(), None);
    let again = vaults::recover(&writer, &vault, &found.location, TENANT).await.unwrap_err();
    assert_eq!(again.code(), Some("SoftDeletedVaultDoesNotExist"));
}

/// Half a list, one that can't be read, or one of which any entry is unclear, proves nothing.
#[tokio::test]
async fn a_list_of_deleted_vaults_is_whole_or_an_error() {
    let entry = |name: &str, properties: Json| {
        let place = format!("{SUBSCRIPTION}/providers/Microsoft.KeyVault/locations/westeurope/deletedVaults/{name}");
        json!({ "id": place, "name": name, "properties": properties })
    };
    let other = json!({ "vaultId": VAULT.replace("kv-ci-prod", "kv-other"), "location": "westeurope" });
    let another = entry("kv-other", other.clone());
    let elsewhere = json!({ "id": SUBSCRIPTION.replace("1111", "2222") + "/providers/Microsoft.KeyVault/locations/westeurope/deletedVaults/kv-other", "properties": other });
    let dated = json!({ "vaultId": VAULT, "location": "westeurope", "deletionDate": "yesterday" });
    let page = |entries: &[Json]| json!({ "value": entries });
    for (body, fine) in [
        (page(&[]), true),
        (page(std::slice::from_ref(&another)), true),
        (json!({ "value": [another], "nextLink": "" }), true),
        (page(&[another.clone(), another.clone()]), false),
        (page(&[entry("kv-ci-prod", json!({ "location": "westeurope" }))]), false),
        (page(&[entry("kv-ci-prod", json!({ "vaultId": "kv-ci-prod", "location": "westeurope" }))]), false),
        (page(&[entry("kv-ci-prod", json!({ "vaultId": VAULT, "location": null }))]), false),
        (page(&[entry("kv-ci-prod", dated)]), false),
        (page(&[json!({ "name": "kv-ci-prod" })]), false),
        (page(&[elsewhere]), false),
        (json!({}), false),
        (json!({ "value": null }), false),
        (Json::Null, false),
        (json!({ "value": [], "nextLink": "https://evil.net/next" }), false),
    ] {
        let rule =
            json!([{ "operation": "GET */deletedVaults", "action": { "status": { "code": 200, "body": body } } }]);
        let services = Services::with(gone, &rule.to_string()).await;
        let read = vaults::deleted(services.admin().reader(), &id(VAULT)).await;
        assert_eq!(read.is_ok(), fine, "{body}: {read:?}");
        assert!(read.is_err() || read.unwrap().is_none(), "{body}");
    }
    for faults in [
        "- { operation: GET */deletedVaults, action: truncate }",
        "- { operation: GET */deletedVaults, action: { status: { code: 404 } } }",
        "- { operation: GET */deletedVaults, action: { status: { code: 404, body: { error: { code: ResourceNotFound, message: m } } } } }",
        "- { operation: GET */deletedVaults, action: { status: { code: 403 } } }",
    ] {
        let services = Services::with(gone, faults).await;
        assert!(vaults::deleted(services.admin().reader(), &id(VAULT)).await.is_err(), "{faults}");
    }
    let blind = Services::with(gone, "").await;
    let denied = vaults::deleted(&blind.stranger(), &id(VAULT)).await.unwrap_err();
    assert_eq!(denied.code(), Some("AuthorizationFailed"));
}
