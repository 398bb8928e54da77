//! Storage accounts: shapes, PATCH, private endpoint connections, buckets.

use palisade::emulator::{Connection, ConnectionStatus, CustomRole, Permission, World};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    ARM, Ask, Fixture, GROUP_SCOPE, LAKE, Reply, STRANGER, SUBSCRIPTION, VIEWER, grant, options, world,
};

pub(crate) const VERSION: &str = "?api-version=2023-05-01";
pub(crate) const ENDPOINT: &str = "/subscriptions/22220000-0000-4000-8000-00000000bbbb/resourceGroups/rg-net/providers/Microsoft.Network/privateEndpoints/pe-1";
const READER: &str = "acdd72a7-3385-48ef-bd42-f606fba81ae7";

pub(crate) async fn with(change: impl FnOnce(&mut World)) -> Fixture {
    let mut world = world();
    change(&mut world);
    Fixture::with(options(world, Vec::new())).await
}

pub(crate) fn connection(name: &str, status: ConnectionStatus) -> Connection {
    Connection {
        name: name.into(),
        private_endpoint: ENDPOINT.into(),
        status,
        description: String::new(),
        decided: None,
        change: None,
    }
}

pub(crate) fn error(reply: &Reply) -> (u16, String) {
    let body = reply.json();
    assert!(body["error"]["message"].is_string(), "{body}");
    (reply.status.as_u16(), body["error"]["code"].as_str().unwrap().to_owned())
}

fn lake(world: &mut World) -> &mut palisade::emulator::StorageAccount {
    world.storage_accounts.get_mut("contosolake").unwrap()
}

pub(crate) fn wish(status: &str) -> Value {
    json!({ "properties": { "privateLinkServiceConnectionState": { "status": status, "description": "by a test" } } })
}

#[tokio::test]
async fn an_account_shows_settings_endpoints_and_connections() {
    let f = with(|w| lake(w).connections.push(connection("lake.1", ConnectionStatus::Pending))).await;
    let token = f.admin(ARM).await;
    let reply = f.get(&format!("{}{VERSION}", LAKE.to_uppercase()), &token).await;
    let account = reply.json();
    assert_eq!(account["id"], LAKE);
    assert_eq!((&account["kind"], &account["sku"]["tier"]), (&json!("StorageV2"), &json!("Standard")));
    let properties = &account["properties"];
    assert_eq!(properties["publicNetworkAccess"], "Enabled");
    assert_eq!(properties["primaryEndpoints"]["dfs"], "https://contosolake.dfs.core.windows.net/");
    assert_eq!(properties["creationTime"], "2026-11-20T12:00:00.0000000Z");
    let listed = f.get(&format!("{LAKE}/privateEndpointConnections{VERSION}"), &token).await.json();
    assert_eq!(properties["privateEndpointConnections"], listed["value"]);
    let expected = json!({
        "id": format!("{LAKE}/privateEndpointConnections/lake.1"), "name": "lake.1",
        "type": "Microsoft.Storage/storageAccounts/privateEndpointConnections",
        "properties": {
            "privateEndpoint": { "id": ENDPOINT },
            "privateLinkServiceConnectionState": { "status": "Pending", "description": "", "actionRequired": "None" },
            "provisioningState": "Succeeded",
        },
    });
    assert_eq!(listed["value"][0], expected);
    for path in [format!("/subscriptions/{SUBSCRIPTION}"), GROUP_SCOPE.to_uppercase()] {
        let path = format!("{path}/providers/Microsoft.Storage/storageAccounts{VERSION}");
        if path.contains("RESOURCEGROUPS") {
            assert_eq!(f.get(&path, &token).await.json()["value"][0], account);
        }
    }
}

#[tokio::test]
async fn a_patch_replaces_whole_members_and_leaves_the_rest() {
    let f = Fixture::start().await;
    let token = f.admin(ARM).await;
    let path = format!("{LAKE}{VERSION}");
    let before = f.get(&path, &token).await.json();
    let rule = json!({ "value": "203.0.113.0/24" });
    let body = json!({ "tags": { "a": "b" }, "properties": {
        "publicNetworkAccess": "Disabled", "networkAcls": { "defaultAction": "Deny", "ipRules": [rule] } } });
    let patched = f.ask("PATCH", &path, Ask::token(&token).json(&body)).await;
    let after = f.get(&path, &token).await.json();
    assert_eq!((patched.status.as_u16(), patched.json()), (200, after.clone()));
    let acls = json!({ "bypass": "AzureServices", "defaultAction": "Deny", "virtualNetworkRules": [], "resourceAccessRules": [],
                       "ipRules": [{ "value": "203.0.113.0/24", "action": "Allow" }] });
    assert_eq!((&after["properties"]["networkAcls"], &after["tags"]), (&acls, &json!({ "a": "b" })));
    for kept in ["minimumTlsVersion", "isHnsEnabled", "encryption", "creationTime"] {
        assert_eq!(after["properties"][kept], before["properties"][kept], "{kept}");
    }
    let body = json!({ "properties": { "networkAcls": { "defaultAction": "Deny" } } });
    let replaced = f.ask("PATCH", &path, Ask::token(&token).json(&body)).await.json();
    assert_eq!(replaced["properties"]["networkAcls"]["ipRules"], json!([]));
    let refused = [
        json!({ "properties": { "publicNetworkAccess": "off" } }),
        json!({ "properties": { "networkAcls": { "bypass": "None" } } }),
        json!({ "properties": { "networkAcls": { "defaultAction": "Deny", "ipRules": ["1.2.3.4"] } } }),
        json!({ "properties": { "isHnsEnabled": false } }),
        json!({ "location": "northeurope" }),
    ];
    for body in refused {
        let reply = f.ask("PATCH", &path, Ask::token(&token).json(&body)).await;
        assert_eq!(error(&reply), (400, "InvalidValuesForRequestParameters".into()), "{body}");
    }
    assert_eq!(f.get(&path, &token).await.json()["properties"]["publicNetworkAccess"], "Disabled");
}

#[tokio::test]
async fn an_identity_is_a_principal_of_the_directory() {
    let f = Fixture::start().await;
    let token = f.admin(ARM).await;
    let body = json!({ "identity": { "type": "SystemAssigned" } });
    let reply = f.ask("PATCH", &format!("{LAKE}{VERSION}"), Ask::token(&token).json(&body)).await.json();
    let id: Uuid = reply["identity"]["principalId"].as_str().unwrap().parse().unwrap();
    assert!(f.emulator.world().applications.contains_key(&id));
}

#[tokio::test]
async fn approving_is_not_idempotent_and_rejected_is_terminal() {
    use ConnectionStatus::{Approved, Disconnected, Pending, Rejected};
    let cases = [
        (Pending, "Approved", 200),
        (Pending, "Rejected", 200),
        (Approved, "Approved", 400),
        (Approved, "Rejected", 200),
        (Rejected, "Approved", 400),
        (Rejected, "Rejected", 400),
        (Disconnected, "Approved", 400),
        (Pending, "Pending", 400),
    ];
    for (status, wanted, expected) in cases {
        let f = with(|w| lake(w).connections.push(connection("lake.1", status))).await;
        let token = f.admin(ARM).await;
        let path = format!("{LAKE}/privateEndpointConnections/LAKE.1{VERSION}");
        let reply = f.ask("PUT", &path, Ask::token(&token).json(&wish(wanted))).await;
        assert_eq!(reply.status.as_u16(), expected, "{status:?} -> {wanted}");
        let now = f.get(&path, &token).await.json();
        if expected == 200 {
            assert_eq!(reply.json(), now);
            let state = &now["properties"]["privateLinkServiceConnectionState"];
            assert_eq!((&state["status"], &state["description"]), (&json!(wanted), &json!("by a test")));
        } else {
            assert_eq!(error(&reply).1, "InvalidValuesForRequestParameters");
            assert!(reply.text.contains("privateLinkServiceConnectionState.status"), "{}", reply.text);
            assert_eq!(now["properties"]["privateLinkServiceConnectionState"]["status"], json!(status.as_str()));
        }
    }
}

#[tokio::test]
async fn nobody_can_make_a_connection_here_but_anyone_with_rights_can_cut_one() {
    let f = with(|w| lake(w).connections.push(connection("lake.1", ConnectionStatus::Approved))).await;
    let token = f.admin(ARM).await;
    let other = format!("{LAKE}/privateEndpointConnections/other{VERSION}");
    let reply = f.ask("PUT", &other, Ask::token(&token).json(&wish("Approved"))).await;
    assert_eq!(error(&reply), (404, "ResourceNotFound".into()));
    let path = format!("{LAKE}/privateEndpointConnections/lake.1{VERSION}");
    let mut foreign = wish("Rejected");
    foreign["properties"]["privateEndpoint"] = json!({ "id": "/subscriptions/x" });
    assert_eq!(f.ask("PUT", &path, Ask::token(&token).json(&foreign)).await.status, 400);
    for expected in [200, 204] {
        assert_eq!(f.ask("DELETE", &path, Ask::token(&token)).await.status, expected);
    }
    assert_eq!(error(&f.get(&path, &token).await), (404, "ResourceNotFound".into()));
}

#[tokio::test]
async fn rights_are_asked_for_and_refusals_name_them() {
    let f = with(|w| {
        grant(w, VIEWER, READER, GROUP_SCOPE);
        lake(w).connections.push(connection("lake.1", ConnectionStatus::Pending));
        let writer = Uuid::from_u128(0xbeef);
        let actions = vec!["Microsoft.Storage/storageAccounts/privateEndpointConnections/*".to_owned()];
        let permissions = vec![Permission { actions, ..Permission::default() }];
        w.custom_roles.insert(writer, CustomRole { role_name: "Connections".into(), permissions });
        grant(w, STRANGER, &writer.to_string(), LAKE);
    })
    .await;
    let (reader, writer) = (f.token(VIEWER, ARM).await, f.token(STRANGER, ARM).await);
    assert_eq!(f.get(&format!("{LAKE}{VERSION}"), &reader).await.status, 200);
    let path = format!("{LAKE}/privateEndpointConnections/lake.1{VERSION}");
    let reply = f.ask("PUT", &path, Ask::token(&reader).json(&wish("Approved"))).await;
    assert_eq!(error(&reply), (403, "AuthorizationFailed".into()));
    let action = "Microsoft.Storage/storageAccounts/privateEndpointConnections/write";
    for part in [action, &VIEWER.app_id.to_string(), &VIEWER.object_id.to_string(), LAKE] {
        assert!(reply.text.contains(part), "{}", reply.text);
    }
    let reply = f.ask("PUT", &path, Ask::token(&writer).json(&wish("Approved"))).await;
    assert_eq!(error(&reply), (403, "LinkedAuthorizationFailed".into()));
    assert!(reply.text.contains("PrivateEndpointConnectionsApproval/action"));
    assert_eq!(error(&f.get(&format!("{LAKE}{VERSION}"), &writer).await).1, "AuthorizationFailed");
}

/// The least role that the product names for private links. What Azure's own list of rights has besides is asked for by knob.
#[tokio::test]
async fn the_right_to_approve_does_unless_the_knob_says_otherwise() {
    let actions = ["read", "PrivateEndpointConnectionsApproval/action"];
    for strict in [false, true] {
        let f = with(|w| {
            lake(w).connections.push(connection("lake.1", ConnectionStatus::Pending));
            let actions = actions.map(|action| format!("Microsoft.Storage/storageAccounts/{action}")).to_vec();
            let role = Uuid::from_u128(0xbeef);
            let permissions = vec![Permission { actions, ..Permission::default() }];
            w.custom_roles.insert(role, CustomRole { role_name: "Private links".into(), permissions });
            grant(w, STRANGER, &role.to_string(), LAKE);
            w.behaviour.approval_needs_write_right = strict;
            w.behaviour.permissions_need_right = strict;
        })
        .await;
        let token = f.token(STRANGER, ARM).await;
        let path = format!("{LAKE}/privateEndpointConnections/lake.1{VERSION}");
        let reply = f.ask("PUT", &path, Ask::token(&token).json(&wish("Approved"))).await;
        let list = format!("{LAKE}/providers/Microsoft.Authorization/permissions?api-version=2022-04-01");
        let own = f.get(&list, &token).await;
        if strict {
            assert_eq!(error(&reply), (403, "AuthorizationFailed".into()));
            assert!(reply.text.contains("privateEndpointConnections/write"), "{}", reply.text);
            assert_eq!(error(&own), (403, "AuthorizationFailed".into()));
        } else {
            assert_eq!((reply.status, own.status), (http::StatusCode::OK, http::StatusCode::OK), "{}", reply.text);
        }
        // Reading a connection by itself takes a right of its own.
        assert_eq!(error(&f.get(&path, &token).await), (403, "AuthorizationFailed".into()));
    }
}

#[tokio::test]
async fn buckets_are_counted_always_and_refuse_by_knob() {
    let f = with(|w| w.behaviour.arm_throttling = true).await;
    let token = f.admin(ARM).await;
    let path = format!("{LAKE}{VERSION}");
    let first = f.get(&path, &token).await;
    assert_eq!(first.header("x-ms-ratelimit-remaining-subscription-reads"), Some("249"));
    assert_eq!(first.header("x-ms-ratelimit-remaining-subscription-global-reads"), Some("3749"));
    for _ in 1..250 {
        f.get(&path, &token).await;
    }
    let refused = f.get(&path, &token).await;
    assert_eq!(error(&refused), (429, "SubscriptionRequestsThrottled".into()));
    assert_eq!(refused.header("retry-after"), Some("1"));
    let write = f.ask("PATCH", &path, Ask::token(&token).json(&json!({}))).await;
    assert_eq!(
        (write.status.as_u16(), write.header("x-ms-ratelimit-remaining-subscription-writes")),
        (200, Some("199"))
    );
    f.clock.advance(std::time::Duration::from_secs(1));
    let again = f.get(&path, &token).await;
    assert_eq!((again.status.as_u16(), again.header("x-ms-ratelimit-remaining-subscription-reads")), (200, Some("24")));
}
