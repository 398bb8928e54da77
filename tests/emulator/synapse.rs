//! Synapse workspaces and vaults: the long-running dialects of private endpoint connections.

use std::time::Duration;

use jiff::SignedDuration;
use palisade::emulator::{ConnectionStatus, World};
use serde_json::json;

use crate::storage::{connection, error, wish, with};
use crate::support::{ARM, Ask, Fixture, Reply, VAULT, VIEWER, WORKSPACE, grant};

const VERSION: &str = "?api-version=2021-06-01";
const VAULT_VERSION: &str = "?api-version=2023-07-01";

fn slow(world: &mut World) {
    world.behaviour.connection_work = SignedDuration::from_secs(30);
    world
        .synapse_workspaces
        .get_mut("contoso-synapse")
        .unwrap()
        .connections
        .push(connection("ws.1", ConnectionStatus::Pending));
    world.vaults.get_mut("kv-ci-prod").unwrap().connections.push(connection("kv.1", ConnectionStatus::Pending));
}

fn state(reply: &Reply) -> (String, String) {
    let body = reply.json();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let properties = &body["properties"];
    (text(&properties["privateLinkServiceConnectionState"]["status"]), text(&properties["provisioningState"]))
}

fn pair(status: &str, state: &str) -> (String, String) {
    (status.to_owned(), state.to_owned())
}

async fn approve(f: &Fixture, token: &str) -> Reply {
    let path = format!("{WORKSPACE}/privateEndpointConnections/ws.1{VERSION}");
    f.ask("PUT", &path, Ask::token(token).json(&wish("Approved"))).await
}

#[tokio::test]
async fn approving_goes_on_until_the_status_says_so() {
    let f = with(slow).await;
    let token = f.admin(ARM).await;
    let path = format!("{WORKSPACE}/privateEndpointConnections/ws.1{VERSION}");
    let begun = approve(&f, &token).await;
    assert_eq!((begun.status.as_u16(), state(&begun)), (201, pair("Approved", "Provisioning")));
    assert_eq!(begun.header("retry-after"), Some("30"));
    assert!(begun.json()["properties"]["privateLinkServiceConnectionState"]["actionsRequired"].is_string());
    let status = begun.header("azure-asyncoperation").unwrap().to_owned();
    let result = begun.header("location").unwrap().to_owned();
    assert!(status.contains("/operationStatuses/") && result.contains("/operationResults/"), "{status} {result}");
    assert_eq!(error(&approve(&f, &token).await), (409, "AnotherOperationInProgress".into()));
    f.clock.advance(Duration::from_secs(29));
    let running = f.get(&status, &token).await;
    assert_eq!((running.json()["status"].as_str(), running.header("retry-after")), (Some("InProgress"), Some("1")));
    let running = f.get(&result, &token).await;
    assert_eq!((running.status.as_u16(), running.text.as_str()), (202, ""));
    assert_eq!(state(&f.get(&path, &token).await), pair("Approved", "Provisioning"));
    f.clock.advance(Duration::from_secs(1));
    let done = f.get(&status, &token).await.json();
    assert_eq!((&done["status"], &done["percentComplete"]), (&json!("Succeeded"), &json!(100)));
    assert_eq!(state(&f.get(&result, &token).await), pair("Approved", "Succeeded"));
    assert_eq!(state(&f.get(&path, &token).await), pair("Approved", "Succeeded"));
    assert_eq!(error(&approve(&f, &token).await).0, 400);
}

#[tokio::test]
async fn a_failure_leaves_the_connection_pending() {
    let f = with(|w| {
        slow(w);
        w.behaviour.connection_work_fails = true;
    })
    .await;
    let token = f.admin(ARM).await;
    let begun = approve(&f, &token).await;
    f.clock.advance(Duration::from_secs(30));
    let status = f.get(begun.header("azure-asyncoperation").unwrap(), &token).await.json();
    assert_eq!((&status["status"], status["error"]["code"].is_string()), (&json!("Failed"), true));
    let path = format!("{WORKSPACE}/privateEndpointConnections/ws.1{VERSION}");
    assert_eq!(state(&f.get(&path, &token).await), pair("Pending", "Failed"));
    assert_eq!(approve(&f, &token).await.status, 201);
}

#[tokio::test]
async fn some_operations_name_a_location_only() {
    let f = with(|w| {
        slow(w);
        w.behaviour.location_only = true;
    })
    .await;
    let token = f.admin(ARM).await;
    let begun = approve(&f, &token).await;
    assert!(begun.header("azure-asyncoperation").is_none() && begun.header("location").is_some());
}

#[tokio::test]
async fn a_removal_answers_with_its_operation() {
    let f = with(slow).await;
    let token = f.admin(ARM).await;
    let path = format!("{WORKSPACE}/privateEndpointConnections/ws.1{VERSION}");
    let begun = f.ask("DELETE", &path, Ask::token(&token)).await;
    assert_eq!((begun.status.as_u16(), begun.json()["status"].as_str().unwrap()), (202, "InProgress"));
    assert_eq!(state(&f.get(&path, &token).await).1, "Deleting");
    f.clock.advance(Duration::from_secs(30));
    assert_eq!(f.get(begun.header("location").unwrap(), &token).await.status, 204);
    assert_eq!(error(&f.get(&path, &token).await), (404, "ResourceNotFound".into()));
    assert_eq!(f.ask("DELETE", &path, Ask::token(&token)).await.status, 204);
}

#[tokio::test]
async fn a_workspace_shows_its_connections_and_takes_a_patch() {
    let f = with(slow).await;
    let token = f.admin(ARM).await;
    let path = format!("{WORKSPACE}{VERSION}");
    let listed = f.get(&format!("{WORKSPACE}/privateEndpointConnections{VERSION}"), &token).await.json();
    let workspace = f.get(&path, &token).await.json();
    assert_eq!(workspace["properties"]["privateEndpointConnections"], listed["value"]);
    assert_eq!((&workspace["id"], &workspace["identity"]["type"]), (&json!(WORKSPACE), &json!("SystemAssigned")));
    let body = json!({ "properties": { "publicNetworkAccess": "Disabled" } });
    let patched = f.ask("PATCH", &path, Ask::token(&token).json(&body)).await.json();
    assert_eq!(patched["properties"]["publicNetworkAccess"], "Disabled");
    for body in
        [json!({ "properties": { "publicNetworkAccess": "no" } }), json!({ "properties": { "workspaceUID": "x" } })]
    {
        assert_eq!(error(&f.ask("PATCH", &path, Ask::token(&token).json(&body)).await).0, 400, "{body}");
    }
}

#[tokio::test]
async fn a_vault_is_updating_for_a_while_and_embeds_connections_without_names() {
    let f = with(|w| {
        slow(w);
        grant(w, VIEWER, "f25e0fa2-a7c8-4377-a976-54943a77a395", VAULT);
    })
    .await;
    let token = f.token(VIEWER, ARM).await;
    let path = format!("{VAULT}/privateEndpointConnections/kv.1{VAULT_VERSION}");
    let begun = f.ask("PUT", &path, Ask::token(&token).json(&wish("Approved"))).await;
    assert_eq!((begun.status.as_u16(), state(&begun)), (200, pair("Approved", "Updating")));
    assert_eq!(state(&f.get(&path, &token).await), pair("Approved", "Updating"));
    f.clock.advance(Duration::from_secs(30));
    assert_eq!(state(&f.get(&path, &token).await), pair("Approved", "Succeeded"));
    let vault = f.get(&format!("{VAULT}{VAULT_VERSION}"), &token).await.json();
    let embedded = vault["properties"]["privateEndpointConnections"][0].as_object().unwrap();
    let members: Vec<&str> = embedded.keys().map(String::as_str).collect();
    assert_eq!(members, ["etag", "id", "properties"]);
    let begun = f.ask("DELETE", &path, Ask::token(&token)).await;
    assert_eq!((begun.status.as_u16(), begun.text.as_str()), (202, ""));
    f.clock.advance(Duration::from_secs(30));
    assert_eq!(f.get(&path, &token).await.status, 404);
}
