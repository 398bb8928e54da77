//! Role assignments, role definitions, the caller's permissions, access policies, and Resource Graph.

use std::time::Duration;

use jiff::SignedDuration;
use palisade::emulator::ConnectionStatus;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::storage::{connection, error, with};
use crate::support::{
    ARM, Ask, Fixture, GROUP, GROUP_SCOPE, LAKE, NESTED, STRANGER, SUBSCRIPTION, TENANT, VAULT, VIEWER, WORKSPACE,
    grant, start_of_time,
};

const VERSION: &str = "api-version=2022-04-01";
const READER: &str = "acdd72a7-3385-48ef-bd42-f606fba81ae7";
const OWNER: &str = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635";

fn at(scope: &str, rest: &str) -> String {
    let joint = if rest.contains('?') { '&' } else { '?' };
    format!("{scope}/providers/Microsoft.Authorization/{rest}{joint}{VERSION}")
}

fn body(principal: Uuid, kind: Option<&str>) -> Value {
    let definition = format!("/providers/Microsoft.Authorization/roleDefinitions/{READER}");
    let mut properties =
        json!({ "roleDefinitionId": definition, "principalId": principal, "description": "by a test" });
    if let Some(kind) = kind {
        properties["principalType"] = json!(kind);
    }
    json!({ "properties": properties })
}

#[tokio::test]
async fn an_assignment_is_made_once_under_one_name() {
    let f = Fixture::start().await;
    let token = f.admin(ARM).await;
    let put = async |name: Uuid, body: &Value| {
        f.ask("PUT", &at(LAKE, &format!("roleAssignments/{name}")), Ask::token(&token).json(body)).await
    };
    let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let wanted = body(VIEWER.object_id, Some("ServicePrincipal"));
    let made = put(one, &wanted).await;
    assert_eq!(made.status, 201);
    let properties = &made.json()["properties"];
    let definition =
        format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{READER}");
    assert_eq!((&properties["roleDefinitionId"], &properties["scope"]), (&json!(definition), &json!(LAKE)));
    assert_eq!(put(one, &wanted).await.status, 200);
    assert_eq!(error(&put(two, &wanted).await), (409, "RoleAssignmentExists".into()));
    let other = body(STRANGER.object_id, Some("ServicePrincipal"));
    assert_eq!(error(&put(one, &other).await), (409, "RoleAssignmentUpdateNotPermitted".into()));
    // A type that is left out is taken for a user.
    assert_eq!(error(&put(two, &body(STRANGER.object_id, None)).await), (400, "UnmatchedPrincipalType".into()));
    assert_eq!(error(&put(two, &body(Uuid::from_u128(9), Some("User"))).await), (400, "PrincipalNotFound".into()));
    let path = at(LAKE, &format!("roleAssignments/{one}"));
    assert_eq!(f.get(&path, &token).await.json(), made.json());
    assert_eq!(f.ask("DELETE", &path, Ask::token(&token)).await.status, 200);
    assert_eq!(f.ask("DELETE", &path, Ask::token(&token)).await.status, 204);
    assert_eq!(error(&f.get(&path, &token).await), (404, "RoleAssignmentNotFound".into()));
}

#[tokio::test]
async fn a_principal_that_is_still_replicating_is_not_found() {
    let until = start_of_time() + SignedDuration::from_secs(60);
    let f = with(|w| {
        w.replicating_principals.insert(VIEWER.object_id, until);
    })
    .await;
    let token = f.admin(ARM).await;
    let wanted = body(VIEWER.object_id, Some("ServicePrincipal"));
    let path = at(LAKE, &format!("roleAssignments/{}", Uuid::from_u128(1)));
    let reply = f.ask("PUT", &path, Ask::token(&token).json(&wanted)).await;
    assert_eq!(error(&reply), (400, "PrincipalNotFound".into()));
    f.clock.advance(Duration::from_secs(60));
    assert_eq!(f.ask("PUT", &path, Ask::token(&token).json(&wanted)).await.status, 201);
}

#[tokio::test]
async fn lists_are_narrowed_by_filters() {
    let f = with(|w| {
        grant(w, VIEWER, READER, GROUP_SCOPE);
        grant(w, VIEWER, READER, LAKE);
        let group = crate::support::Who { app_id: GROUP, object_id: GROUP };
        grant(w, group, READER, GROUP_SCOPE);
    })
    .await;
    let token = f.admin(ARM).await;
    let count = async |scope: &str, filter: &str| {
        let filter = filter.replace(' ', "%20").replace('\'', "%27");
        let path = at(scope, &format!("roleAssignments?$filter={filter}"));
        let reply = f.get(&path, &token).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.json()["value"].as_array().unwrap().len()
    };
    let viewer = VIEWER.object_id;
    // The embedded client is the owner of the group, and nobody else holds anything.
    assert_eq!(count(GROUP_SCOPE, "").await, 4);
    assert_eq!(count(GROUP_SCOPE, "atScope()").await, 3);
    assert_eq!(count(LAKE, "atScope()").await, 4);
    assert_eq!(count(GROUP_SCOPE, &format!("principalId eq '{viewer}'")).await, 2);
    assert_eq!(count(GROUP_SCOPE, &format!("atScope() and assignedTo('{viewer}')")).await, 1);
    assert_eq!(count(LAKE, &format!("assignedTo('{}')", NESTED.object_id)).await, 1);
    let both = format!("roleAssignments?$filter=atScope()%20and%20principalId%20eq%20%27{viewer}%27");
    assert_eq!(error(&f.get(&at(LAKE, &both), &token).await), (400, "UnsupportedQuery".into()));
}

#[tokio::test]
async fn definitions_and_permissions_are_told() {
    let f = with(|w| grant(w, VIEWER, READER, GROUP_SCOPE)).await;
    let token = f.token(VIEWER, ARM).await;
    let named = f.get(&at(LAKE, "roleDefinitions?$filter=roleName%20eq%20%27Owner%27"), &token).await.json();
    assert_eq!((&named["value"][0]["name"], named["value"].as_array().unwrap().len()), (&json!(OWNER), 1));
    let one = f.get(&at(LAKE, &format!("roleDefinitions/{OWNER}")), &token).await.json();
    assert_eq!(one["properties"]["permissions"][0]["actions"], json!(["*"]));
    let mine = f.get(&at(LAKE, "permissions"), &token).await.json();
    assert_eq!(
        mine["value"],
        json!([{ "actions": ["*/read"], "notActions": [], "dataActions": [], "notDataActions": [] }])
    );
    let none = f.get(&at(&LAKE.to_uppercase(), "permissions"), &f.token(STRANGER, ARM).await).await.json();
    assert_eq!(none["value"], json!([]));
    let reply = f.get(&at(LAKE, "roleAssignments"), &f.token(STRANGER, ARM).await).await;
    assert_eq!(error(&reply), (403, "AuthorizationFailed".into()));
}

#[tokio::test]
async fn what_counts_for_a_key_is_listed_at_the_key() {
    let key = format!("{VAULT}/keys/pp-key");
    let group = VAULT.split_once("/providers/").unwrap().0.to_owned();
    let scopes = [key.clone(), VAULT.to_owned(), group, format!("/subscriptions/{SUBSCRIPTION}")];
    let f = with(|w| {
        scopes.iter().for_each(|scope| grant(w, VIEWER, READER, scope));
        for elsewhere in ["keys/pp", "keys/pp-key2", "secrets/pp-key"] {
            grant(w, VIEWER, READER, &format!("{VAULT}/{elsewhere}"));
        }
    })
    .await;
    let token = f.admin(ARM).await;
    let list = async || {
        let filter = format!("atScope()%20and%20assignedTo(%27{}%27)", VIEWER.object_id);
        let reply = f.get(&at(&key, &format!("roleAssignments?$filter={filter}")), &token).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        let all = reply.json()["value"].as_array().unwrap().clone();
        all.iter().map(|it| it["properties"]["scope"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(list().await, scopes);
    let path = at(&key, &format!("roleAssignments/{}", Uuid::from_u128(1)));
    let mut wanted = body(VIEWER.object_id, Some("ServicePrincipal"));
    wanted["properties"]["roleDefinitionId"] =
        json!("/providers/Microsoft.Authorization/roleDefinitions/e147488a-f6f5-4113-8e2d-b22465e65bf6");
    let made = f.ask("PUT", &path, Ask::token(&token).json(&wanted)).await;
    assert_eq!((made.status.as_u16(), &made.json()["properties"]["scope"]), (201, &json!(key)));
    assert_eq!(list().await.iter().filter(|scope| **scope == key).count(), 2);
    assert_eq!(f.ask("DELETE", &path, Ask::token(&token)).await.status, 200);
    assert_eq!(list().await, scopes);
}

#[tokio::test]
async fn permissions_on_a_group_are_told_if_there_is_one() {
    let f = with(|w| grant(w, VIEWER, READER, LAKE)).await;
    let (owner, other) = (f.admin(ARM).await, f.token(VIEWER, ARM).await);
    let entry = json!({ "actions": ["*"], "notActions": [], "dataActions": [], "notDataActions": [] });
    for scope in [GROUP_SCOPE.to_owned(), GROUP_SCOPE.replace("rg-Lake", "RG-LAKE")] {
        assert_eq!(f.get(&at(&scope, "permissions"), &owner).await.json()["value"], json!([entry]), "{scope}");
    }
    // What is held below doesn't count.
    assert_eq!(f.get(&at(GROUP_SCOPE, "permissions"), &other).await.json()["value"], json!([]));
    for token in [&owner, &other] {
        let reply = f.get(&at(&GROUP_SCOPE.replace("rg-Lake", "rg-None"), "permissions"), token).await;
        assert_eq!(error(&reply), (404, "ResourceGroupNotFound".into()));
    }
}

#[tokio::test]
async fn access_policies_are_changed_one_principal_at_a_time() {
    let f = with(|w| grant(w, VIEWER, "f25e0fa2-a7c8-4377-a976-54943a77a395", VAULT)).await;
    let token = f.token(VIEWER, ARM).await;
    let put = async |verb: &str, object: Uuid, secrets: &[&str]| {
        let entry = json!({ "tenantId": TENANT, "objectId": object, "permissions": { "secrets": secrets } });
        let body = json!({ "properties": { "accessPolicies": [entry] } });
        let path = format!("{VAULT}/accessPolicies/{verb}?api-version=2023-07-01");
        f.ask("PUT", &path, Ask::token(&token).json(&body)).await
    };
    let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let secrets =
        |index: usize| f.emulator.world().vaults["kv-ci-prod"].access_policies[index].permissions.secrets.clone();
    assert_eq!(put("add", one, &["get"]).await.status, 200);
    put("add", two, &["get"]).await;
    put("add", one, &["Get", "list"]).await;
    assert_eq!((secrets(0), secrets(1)), (vec!["get".to_owned(), "list".into()], vec!["get".to_owned()]));
    put("replace", one, &["set", "delete"]).await;
    put("remove", one, &["SET"]).await;
    assert_eq!(secrets(0), ["delete"]);
    put("remove", one, &[]).await;
    assert_eq!(f.emulator.world().vaults["kv-ci-prod"].access_policies.len(), 1);
    assert_eq!(put("revoke", two, &[]).await.status, 400);
    let path = format!("{VAULT}/accessPolicies/add?api-version=2023-07-01");
    for entries in [json!(null), json!([{ "tenantId": TENANT, "objectId": two, "permissions": { "secrets": null } }])] {
        let body = json!({ "properties": { "accessPolicies": entries } });
        let reply = f.ask("PUT", &path, Ask::token(&token).json(&body)).await;
        assert_eq!(reply.status, 200, "null is none: {}", reply.text);
    }
    assert_eq!(f.get(&path, &token).await.status, 405);
    let patch = async |properties: Value| {
        let path = format!("{VAULT}?api-version=2023-07-01");
        f.ask("PATCH", &path, Ask::token(&token).json(&json!({ "properties": properties }))).await.status.as_u16()
    };
    assert_eq!(patch(json!({ "enablePurgeProtection": false })).await, 400);
    assert_eq!(patch(json!({ "enableSoftDelete": false })).await, 400);
    assert_eq!(
        patch(json!({ "networkAcls": { "defaultAction": "Deny" }, "enableRbacAuthorization": null })).await,
        200
    );
    let vault = f.emulator.world().vaults["kv-ci-prod"].clone();
    assert_eq!((vault.enable_rbac_authorization, vault.access_policies.len()), (Some(true), 1));
}

#[tokio::test]
async fn resource_graph_finds_what_the_caller_may_read_late_and_in_pages() {
    let f = with(|w| {
        w.behaviour.resource_graph_lag = SignedDuration::from_secs(30);
        w.behaviour.arm_throttling = true;
        grant(w, VIEWER, READER, LAKE);
        let lake = w.storage_accounts.get_mut("contosolake").unwrap();
        lake.connections =
            vec![connection("lake.1", ConnectionStatus::Pending), connection("lake.2", ConnectionStatus::Pending)];
    })
    .await;
    let (admin, viewer) = (f.admin(ARM).await, f.token(VIEWER, ARM).await);
    let ask = async |token: &str, query: &str, options: Value| {
        let body = json!({ "subscriptions": [SUBSCRIPTION], "query": query, "options": options });
        let path = "/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01";
        f.ask("POST", path, Ask::token(token).json(&body)).await
    };
    let all = "resources | project id, type, location";
    let found = ask(&viewer, all, json!({})).await;
    let row = json!({ "id": LAKE, "type": "microsoft.storage/storageaccounts", "location": "westeurope" });
    assert_eq!((&found.json()["data"], found.header("x-ms-user-quota-remaining")), (&json!([row]), Some("14")));
    let first = ask(&admin, all, json!({ "$top": 2 })).await.json();
    assert_eq!((&first["count"], &first["resultTruncated"]), (&json!(2), &json!("true")));
    let second = ask(&admin, all, json!({ "$top": 2, "$skipToken": first["$skipToken"] })).await.json();
    assert_eq!((&second["count"], &second["resultTruncated"]), (&json!(1), &json!("false")));
    let query = "resources | mv-expand c = properties.privateEndpointConnections | project id, c = tostring(c.id), \
                 status = c.properties.privateLinkServiceConnectionState.status";
    let path = format!("{LAKE}/privateEndpointConnections/lake.2?api-version=2023-05-01");
    f.ask("DELETE", &path, Ask::token(&admin)).await;
    let stale = ask(&admin, query, json!({})).await.json();
    assert_eq!((&stale["totalRecords"], &stale["data"][0]["status"]), (&json!(2), &json!("Pending")));
    f.clock.advance(Duration::from_secs(30));
    assert_eq!(ask(&admin, query, json!({})).await.json()["totalRecords"], 1);
    assert_eq!(error(&ask(&admin, "resources | summarize count()", json!({})).await).0, 501);
    let mut last = ask(&viewer, all, json!({})).await;
    for _ in 1..=15 {
        last = ask(&viewer, all, json!({})).await;
    }
    assert_eq!((last.status.as_u16(), last.header("retry-after")), (429, Some("5")));
    assert!(f.get(&format!("{WORKSPACE}?api-version=2021-06-01"), &viewer).await.status == 403);
}
