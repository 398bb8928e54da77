//! Vaults by Azure Resource Manager.

use palisade::azure::vaults;
use palisade::emulator::{DefaultAction, NetworkAcls};
use palisade::terms::VaultId;

use crate::support::{STRANGER_PRINCIPAL, Services, TENANT, VAULT, grant, vault_of};

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
