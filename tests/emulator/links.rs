//! The Key Vault link and private links of an environment, and the Azure side that they share state with.

use std::time::Duration;

use jiff::SignedDuration;
use palisade::emulator::{AccessPolicy, DefaultAction, NetworkAcls, PolicyPermissions, SERVICE_APP, World};
use serde_json::{Value, json};

use crate::storage::{VERSION, wish, with};
use crate::support::{
    ARM, Ask, CI, Fixture, INSTANCE, LAKE, Reply, SUBSCRIPTION, TENANT, VIEWER, WORKSPACE, Who, grant, principal_of,
    vault_of,
};

const READER: &str = "21090545-7ca7-4776-b22c-e363652d74d2";
const USER: &str = "4633458b-17de-408a-b874-0445c86b69e6";

fn manage(route: &str) -> String {
    format!("/api/instances/{INSTANCE}/manage/{route}")
}

fn lake() -> Value {
    json!({ "resourceType": "storageAccount", "resourceName": "contosolake", "subscriptionId": SUBSCRIPTION,
            "resourceGroup": "rg-lake", "consentAccepted": true })
}

fn vault() -> Value {
    json!({ "keyVaultName": "kv-ci-prod", "subscriptionId": SUBSCRIPTION, "resourceGroup": "RG-secrets", "consentAccepted": true })
}

/// Status and code of the product's error body.
fn refusal(reply: &Reply) -> (u16, String) {
    assert_eq!(reply.header("x-emulated-surface"), Some("undocumented"));
    (reply.status.as_u16(), reply.json()["errorCode"].as_str().unwrap_or_default().to_owned())
}

async fn add(f: &Fixture, token: &str) -> Value {
    let reply = f.ask("POST", &manage("privatelinks"), Ask::token(token).json(&lake())).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()
}

fn statuses(link: &Value) -> Vec<&str> {
    link["endpoints"].as_array().unwrap().iter().map(|e| e["status"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_private_link_asks_for_four_connections() {
    let f = Fixture::start().await;
    let (ci, arm) = (f.admin(CI).await, f.admin(ARM).await);
    let link = add(&f, &ci).await;
    let names: Vec<&str> = link["endpoints"].as_array().unwrap().iter().map(|e| e["name"].as_str().unwrap()).collect();
    let expected =
        ["pe-contosolake-blob", "pe-contosolake-blobforsynapse", "pe-contosolake-dfs", "pe-contosolake-dfsforsynapse"];
    assert_eq!((names.as_slice(), statuses(&link)), (expected.as_slice(), vec!["pending"; 4]));
    let path = format!("{LAKE}/privateEndpointConnections{VERSION}");
    let connections = f.get(&path, &arm).await.json();
    let connections = connections["value"].as_array().unwrap();
    assert_eq!(connections.len(), 4);
    for (connection, name) in connections.iter().zip(names) {
        let by_synapse = name.ends_with("synapse");
        let (front, guid) = connection["name"].as_str().unwrap().split_once('.').unwrap();
        assert!(front == "contosolake" && guid.parse::<uuid::Uuid>().is_ok());
        let properties = &connection["properties"];
        let endpoint = properties["privateEndpoint"]["id"].as_str().unwrap();
        assert!(!endpoint.contains(SUBSCRIPTION) && endpoint.ends_with(name), "{endpoint}");
        assert_eq!(endpoint.contains("/prod-weu-01-synapse01.pe-"), by_synapse, "{endpoint}");
        let description = properties["privateLinkServiceConnectionState"]["description"].as_str().unwrap();
        assert_eq!(description.is_empty(), by_synapse, "{description}");
        assert!(by_synapse || description.contains("Customer Insights") && description.ends_with("palisade"));
    }
    let again = f.ask("POST", &manage("privatelinks"), Ask::token(&ci).json(&lake())).await;
    assert_eq!(refusal(&again), (409, "storageConflict".into()));
    let synapse = json!({ "resourceType": "synapseWorkspace", "resourceName": "contoso-synapse",
                          "subscriptionId": SUBSCRIPTION, "resourceGroup": "rg-lake", "consentAccepted": true });
    let link = f.ask("POST", &manage("privatelinks"), Ask::token(&ci).json(&synapse)).await.json();
    assert_eq!(statuses(&link), ["pending"; 2]);
    let path = format!("{WORKSPACE}/privateEndpointConnections?api-version=2021-06-01");
    assert_eq!(f.get(&path, &arm).await.json()["value"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_private_link_works_once_all_are_approved_and_have_taken_effect() {
    let f = with(|w| w.behaviour.private_link_propagation = SignedDuration::from_mins(5)).await;
    let (ci, arm) = (f.admin(CI).await, f.admin(ARM).await);
    let link = add(&f, &ci).await;
    let path = manage(&format!("privatelinks/{}", link["privateLinkId"].as_str().unwrap()));
    let validate = async || f.ask("POST", &format!("{path}/validate"), Ask::token(&ci)).await.json();
    let list = f.get(&format!("{LAKE}/privateEndpointConnections{VERSION}"), &arm).await.json();
    for (done, connection) in list["value"].as_array().unwrap().iter().enumerate() {
        assert_eq!(validate().await, json!(false));
        let path = format!("{}{VERSION}", connection["id"].as_str().unwrap());
        assert_eq!(f.ask("PUT", &path, Ask::token(&arm).json(&wish("Approved"))).await.status, 200, "{done}");
    }
    assert_eq!(statuses(&f.get(&path, &ci).await.json()), ["approved"; 4]);
    assert_eq!(validate().await, json!(false));
    f.clock.advance(Duration::from_secs(300));
    assert_eq!(validate().await, json!(true));
    assert_eq!(f.get(&path, &ci).await.json()["isValidated"], json!(true));
    let cut = format!("{}{VERSION}", list["value"][0]["id"].as_str().unwrap());
    f.ask("DELETE", &cut, Ask::token(&arm)).await;
    assert_eq!(statuses(&f.get(&path, &ci).await.json())[0], "disconnected");
}

#[tokio::test]
async fn removing_a_private_link_takes_its_connections_along_or_leaves_them() {
    for leaves in [false, true] {
        let f = with(|w| w.behaviour.private_link_removal_leaves_connections = leaves).await;
        let (ci, arm) = (f.admin(CI).await, f.admin(ARM).await);
        let link = add(&f, &ci).await;
        let path = manage(&format!("privatelinks/{}", link["privateLinkId"].as_str().unwrap()));
        assert_eq!(f.ask("DELETE", &path, Ask::token(&ci)).await.json(), json!(true));
        assert_eq!(refusal(&f.get(&path, &ci).await), (404, "resourceNotFound".into()));
        let list = f.get(&format!("{LAKE}/privateEndpointConnections{VERSION}"), &arm).await.json();
        assert_eq!(list["value"].as_array().unwrap().len(), if leaves { 4 } else { 0 });
        // A new link isn't taken for the old one.
        let new = add(&f, &ci).await;
        assert_eq!(statuses(&new), ["pending"; 4]);
    }
}

#[tokio::test]
async fn private_links_are_refused_with_a_reason() {
    let f = Fixture::start().await;
    let ci = f.admin(CI).await;
    let with = |member: &str, value: Value| {
        let mut body = lake();
        body[member] = value;
        body
    };
    let cases = [
        (with("consentAccepted", json!(false)), (400, "invalidResourceProperty")),
        (with("resourceType", json!("fabricWorkspace")), (400, "resourceTypeNotSupported")),
        (with("resourceName", json!("other")), (404, "resourceNotFound")),
        (with("resourceName", Value::Null), (400, "missingResourceProperty")),
        (with("subscriptionId", json!("x")), (400, "missingResourceProperty")),
    ];
    for (body, (status, code)) in cases {
        let reply = f.ask("POST", &manage("privatelinks"), Ask::token(&ci).json(&body)).await;
        assert_eq!(refusal(&reply), (status, code.to_owned()), "{body}");
    }
    let viewer = f.token(VIEWER, CI).await;
    for route in ["privatelinks", "keyvault"] {
        assert_eq!(refusal(&f.get(&manage(route), &viewer).await), (403, "userIsNotInstanceAdministrator".into()));
        assert_eq!(f.get(&format!("/v1/instances/{INSTANCE}/manage/{route}"), &ci).await.status, 501);
    }
}

/// Makes a client Admin of the environment.
fn promote(world: &mut World, who: Who) {
    let instance = world.instances.get_mut(&INSTANCE).unwrap();
    let id = who.object_id.to_string();
    instance.assignments.iter_mut().find(|a| a.principal_id == id).unwrap().roles = vec!["Admin".into()];
}

#[tokio::test]
async fn whoever_links_must_see_the_resource_and_by_knob_may_approve() {
    for (role, strict, expected) in [
        (None, false, (404, "resourceNotFound")),
        (Some("acdd72a7-3385-48ef-bd42-f606fba81ae7"), false, (200, "")),
        (Some("acdd72a7-3385-48ef-bd42-f606fba81ae7"), true, (403, "storageAccessForbidden")),
        (Some("17d1049b-9a84-46fb-8f53-869881c3d3ab"), true, (200, "")),
    ] {
        let f = with(|w| {
            promote(w, VIEWER);
            w.behaviour.private_link_needs_approval_right = strict;
            if let Some(role) = role {
                grant(w, VIEWER, role, LAKE);
            }
        })
        .await;
        let token = f.token(VIEWER, CI).await;
        let reply = f.ask("POST", &manage("privatelinks"), Ask::token(&token).json(&lake())).await;
        assert_eq!(refusal(&reply), (expected.0, expected.1.to_owned()), "{role:?} {strict}");
    }
}

async fn access_state(f: &Fixture, token: &str) -> String {
    f.get(&manage("keyvault"), token).await.json()["accessState"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_vault_is_linked_and_what_stands_in_the_way_shows() {
    let service = |w: &World| Who { app_id: SERVICE_APP, object_id: principal_of(w, SERVICE_APP) };
    let f = Fixture::start().await;
    let ci = f.admin(CI).await;
    assert_eq!(refusal(&f.get(&manage("keyvault"), &ci).await), (404, "resourceNotFound".into()));
    let linked = f.ask("PUT", &manage("keyvault"), Ask::token(&ci).json(&vault())).await.json();
    for (member, value) in [
        ("keyVaultName", json!("kv-CI-prod")),
        ("resourceGroup", json!("rg-Secrets")),
        ("region", json!("westeurope")),
        ("tenantId", json!(TENANT)),
        ("authorizationModel", json!("azureRbac")),
        ("accessState", json!("permissionsMissing")),
    ] {
        assert_eq!(linked[member], value, "{member}");
    }
    assert_eq!(f.ask("DELETE", &manage("keyvault"), Ask::token(&ci)).await.json(), json!(true));
    assert_eq!(refusal(&f.ask("DELETE", &manage("keyvault"), Ask::token(&ci)).await).0, 404);

    let policy = |w: &mut World, certificates: &[&str]| {
        let (object_id, list) =
            (service(w).object_id, |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect());
        let permissions = PolicyPermissions {
            keys: list(&["Get", "List"]),
            secrets: list(&["all"]),
            certificates: list(certificates),
            storage: Vec::new(),
        };
        let vault = vault_of(w);
        vault.enable_rbac_authorization = None;
        vault.access_policies.push(AccessPolicy { tenant_id: TENANT, object_id, application_id: None, permissions });
    };
    let roles = |w: &mut World, roles: &[&str]| {
        let service = service(w);
        roles.iter().for_each(|role| grant(w, service, role, crate::support::VAULT));
    };
    let firewall = NetworkAcls {
        bypass: "AzureServices".into(),
        default_action: DefaultAction::Deny,
        ip_rules: Vec::new(),
        virtual_network_rules: Vec::new(),
    };
    type Case<'a> = (&'a str, Box<dyn FnOnce(&mut World) + 'a>);
    let cases: Vec<Case<'_>> = vec![
        ("permissionsMissing", Box::new(|w| roles(w, &[USER]))),
        ("accessible", Box::new(|w| roles(w, &[READER, USER]))),
        ("accessible", Box::new(|w| policy(w, &["get", "LIST"]))),
        ("permissionsMissing", Box::new(|w| policy(w, &["get"]))),
        ("firewallEnabled", Box::new(|w| vault_of(w).public_network_access = Some("disabled".into()))),
        ("firewallEnabled", Box::new(move |w| vault_of(w).network_acls = Some(firewall))),
    ];
    for (index, (expected, change)) in cases.into_iter().enumerate() {
        let f = with(change).await;
        let ci = f.admin(CI).await;
        f.ask("PUT", &manage("keyvault"), Ask::token(&ci).json(&vault())).await;
        assert_eq!(access_state(&f, &ci).await, expected, "{index}");
    }
}

#[tokio::test]
async fn a_vault_of_another_geography_or_tenant_is_refused() {
    type Change = fn(&mut World);
    let cases: [(Change, u16); 4] = [
        (|w| vault_of(w).location = "northeurope".into(), 200),
        (|w| vault_of(w).location = "uksouth".into(), 400),
        (|w| vault_of(w).tenant_id = uuid::Uuid::from_u128(1), 400),
        (|w| w.vaults.clear(), 404),
    ];
    for (change, expected) in cases {
        let f = with(change).await;
        let ci = f.admin(CI).await;
        let reply = f.ask("PUT", &manage("keyvault"), Ask::token(&ci).json(&vault())).await;
        assert_eq!(reply.status, expected, "{}", reply.text);
    }
    let f = Fixture::start().await;
    let ci = f.admin(CI).await;
    let mut body = vault();
    body["consentAccepted"] = Value::Null;
    let reply = f.ask("PUT", &manage("keyvault"), Ask::token(&ci).json(&body)).await;
    assert_eq!(refusal(&reply), (400, "invalidResourceProperty".into()));
}
