//! Private endpoint connections and the links that ask for them, storage accounts, workspaces.

use std::time::Duration;

use jiff::SignedDuration;
use palisade::azure::arm::Progress;
use palisade::azure::customer_insights::{self as ci, AccessState};
use palisade::azure::private_endpoints::{self as endpoints, Provider, Status, Target};
use palisade::azure::{CallError, Failure, storage, synapse};
use palisade::emulator::{Connection, ConnectionStatus, World};

use crate::support::{LAKE, STRANGER_PRINCIPAL, Services, VAULT, WORKSPACE, grant, instance};
use palisade::terms::{AzureScope, ResourceId, VaultId};

const CONNECTIONS: &str = "GET /subscriptions/*/privateEndpointConnections*";

fn id(text: &str) -> ResourceId {
    text.parse().unwrap()
}

fn target(text: &str) -> Target {
    Target::of(&id(text)).unwrap()
}

fn connection(name: &str, status: ConnectionStatus) -> Connection {
    Connection {
        name: name.into(),
        private_endpoint: "/subscriptions/22220000-0000-4000-8000-00000000bbbb/resourceGroups/rg/providers/Microsoft.Network/privateEndpoints/pe".into(),
        status,
        description: String::new(),
        decided: None,
        change: None,
    }
}

fn workspace(world: &mut World, seconds: i64) {
    world.behaviour.connection_work = SignedDuration::from_secs(seconds);
    world.synapse_workspaces.get_mut("contoso-synapse").unwrap().connections =
        vec![connection("ws.1", ConnectionStatus::Pending)];
}

#[tokio::test]
async fn the_four_connections_of_a_link_are_found_by_name_and_approved_one_by_one() {
    let services = Services::with(|_| {}, "").await;
    let writer = services.admin();
    let link = ci::add_private_link(&writer, &instance(), &id(LAKE)).await.unwrap().unwrap();
    assert_eq!(
        (link.resource.clone(), link.endpoints.len()),
        (id(&LAKE.to_uppercase().replace("/SUBSCRIPTIONS", "/subscriptions")), 4)
    );
    let all = endpoints::list(writer.reader(), &target(LAKE)).await.unwrap();
    for endpoint in &link.endpoints {
        let fits = all.iter().filter(|c| endpoint.could_be(c.endpoint.as_ref().unwrap())).count();
        assert_eq!(fits, 1, "{}", endpoint.name);
    }
    for connection in &all {
        endpoints::approve(&writer, &target(LAKE), connection.pending().unwrap(), "palisade: prod").await.unwrap();
        let again = endpoints::get(writer.reader(), &target(LAKE), &connection.name).await.unwrap().unwrap();
        assert_eq!((&again.status, again.pending().is_none()), (&Status::Approved, true));
    }
    assert!(ci::validate_private_link(&writer, &instance(), &link.id).await.unwrap());
    ci::remove_private_link(&writer, &instance(), &link.id).await.unwrap();
    assert_eq!(ci::private_link(writer.reader(), &instance(), &link.id).await.unwrap(), None);
    assert!(ci::private_links(writer.reader(), &instance()).await.unwrap().is_empty());
    assert_eq!(ci::add_private_link(&writer, &instance(), &id(VAULT)).await.unwrap(), None);
}

#[tokio::test]
async fn a_linked_vault_says_what_stands_in_the_way() {
    let services = Services::with(|_| {}, "").await;
    let writer = services.admin();
    assert_eq!(ci::key_vault(writer.reader(), &instance()).await.unwrap(), None);
    let vault: VaultId = VAULT.parse().unwrap();
    ci::link_key_vault(&writer, &instance(), &vault).await.unwrap();
    let link = ci::key_vault(writer.reader(), &instance()).await.unwrap().unwrap();
    assert_eq!((link.vault, link.access), (vault, AccessState::PermissionsMissing));
    ci::unlink_key_vault(&writer, &instance()).await.unwrap();
    assert_eq!(ci::key_vault(writer.reader(), &instance()).await.unwrap(), None);
}

#[tokio::test]
async fn only_what_is_pending_with_a_known_endpoint_can_be_approved() {
    use ConnectionStatus::{Approved, Disconnected, Pending, Rejected};
    let services = Services::with(
        |world| {
            let mut strange = connection("strange", Pending);
            strange.private_endpoint = "not an id".into();
            let mut list: Vec<Connection> =
                [Pending, Approved, Rejected, Disconnected].map(|s| connection(s.as_str(), s)).into();
            list.push(strange);
            world.storage_accounts.get_mut("contosolake").unwrap().connections = list;
        },
        "",
    )
    .await;
    let all = endpoints::list(services.admin().reader(), &target(LAKE)).await.unwrap();
    let can: Vec<&str> = all.iter().filter(|c| c.pending().is_some()).map(|c| c.name.as_str()).collect();
    assert_eq!((all.len(), can), (5, vec!["Pending"]));
    let account = storage::get(services.admin().reader(), &id(LAKE)).await.unwrap().unwrap();
    assert_eq!(account.connections, all);
}

/// Approves the workspace's connection and waits, after a rule for what its addresses answer.
async fn approve(seconds: i64, patience: u64, faults: &str) -> (Result<Progress, CallError>, i64) {
    let services = Services::with(|w| workspace(w, seconds), faults).await;
    let writer = services.admin();
    let found = endpoints::list(writer.reader(), &target(WORKSPACE)).await.unwrap();
    let began = services.clock.now();
    let mut accepted = endpoints::approve(&writer, &target(WORKSPACE), found[0].pending().unwrap(), "d").await.unwrap();
    let patience = Duration::from_secs(patience);
    let progress = endpoints::settle(writer.reader(), &target(WORKSPACE), "ws.1", &mut accepted, patience).await;
    (progress, services.clock.now().duration_since(began).as_secs())
}

#[tokio::test]
async fn a_long_running_approval_is_followed_by_whatever_signal_is_left() {
    let gone = |part: &str| {
        format!("- {{ operation: GET /subscriptions/*/{part}/*, action: {{ status: {{ code: 404 }} }} }}\n")
    };
    let refused = gone("operationStatuses").replace("404", "403");
    let both = format!("{}{}", gone("operationStatuses"), gone("operationResults"));
    for faults in ["", &gone("operationStatuses"), &refused, &both] {
        let (progress, waited) = approve(45, 600, faults).await;
        assert!(matches!(progress, Ok(Progress::Done)), "{faults}: {progress:?}");
        assert!((45..=120).contains(&waited), "{faults}: {waited}");
    }
    let (progress, waited) = approve(0, 600, "").await;
    assert_eq!((progress.unwrap(), waited), (Progress::Done, 0));
}

#[tokio::test]
async fn waiting_ends_with_the_patience_and_not_with_a_conclusion() {
    let (progress, waited) = approve(3600, 60, "").await;
    assert!(matches!(progress, Ok(Progress::Running(_))) && waited <= 60, "{progress:?} {waited}");
    // A word that nobody knows is "running".
    let odd = "- { operation: GET /subscriptions/*/operationStatuses/*, action: { status: { code: 200, body: { status: Odd } } } }";
    let (progress, waited) = approve(0, 90, odd).await;
    assert!(matches!(progress, Ok(Progress::Running(_))) && waited <= 90, "{progress:?} {waited}");
    let bare = "- { operation: GET /subscriptions/*/operationStatuses/*, action: { status: { code: 200, body: {} } } }";
    let (progress, _) = approve(0, 90, bare).await;
    assert!(matches!(progress.unwrap_err().failure, Failure::Unreadable { .. }));
}

#[tokio::test]
async fn a_failed_approval_is_told() {
    let services = Services::with(
        |world| {
            workspace(world, 5);
            world.behaviour.connection_work_fails = true;
        },
        "",
    )
    .await;
    let writer = services.admin();
    let found = endpoints::list(writer.reader(), &target(WORKSPACE)).await.unwrap();
    let mut accepted = endpoints::approve(&writer, &target(WORKSPACE), found[0].pending().unwrap(), "d").await.unwrap();
    let patience = Duration::from_secs(60);
    let progress = endpoints::settle(writer.reader(), &target(WORKSPACE), "ws.1", &mut accepted, patience).await;
    assert!(matches!(progress.unwrap(), Progress::Failed { code: Some(_), .. }));
    let read = endpoints::get(writer.reader(), &target(WORKSPACE), "ws.1").await.unwrap().unwrap();
    assert_eq!(read.status, Status::Pending);
}

#[tokio::test]
async fn an_operation_elsewhere_sees_no_token() {
    let elsewhere = "- { operation: PUT /subscriptions/*, action: { status: { code: 201, body: {}, headers: { azure-asyncoperation: 'https://evil.example/status', location: 'http://localhost:1/' } } } }";
    let (progress, _) = approve(0, 60, elsewhere).await;
    // The rest is read from the connection itself, which the substituted answer left as it was.
    assert_eq!(progress.unwrap(), Progress::Done);
}

#[tokio::test]
async fn only_arms_word_proves_that_something_is_not_there() {
    let services = Services::with(|_| {}, "").await;
    let admin = services.admin();
    let reader = admin.reader();
    assert!(storage::get(reader, &id(&LAKE.replace("contosolake", "none"))).await.unwrap().is_none());
    assert!(synapse::get(reader, &id(&WORKSPACE.replace("contoso-synapse", "none"))).await.unwrap().is_none());
    assert!(endpoints::get(reader, &target(LAKE), "none").await.unwrap().is_none());
    for faults in [
        "- { operation: GET /subscriptions/*, action: { status: { code: 404 } } }",
        "- { operation: GET /subscriptions/*, action: { status: { code: 404, body: { error: { code: NotServedByEmulator, message: m } } } } }",
        "- { operation: GET /subscriptions/*, action: { status: { code: 200, body: {} } } }",
        "- { operation: GET /subscriptions/*, action: { status: { code: 200, body: { id: x, name: y } } } }",
    ] {
        let services = Services::with(|_| {}, faults).await;
        let admin = services.admin();
        let reader = admin.reader();
        assert!(storage::get(reader, &id(LAKE)).await.is_err(), "{faults}");
        assert!(synapse::get(reader, &id(WORKSPACE)).await.is_err(), "{faults}");
        assert!(endpoints::get(reader, &target(LAKE), "x").await.is_err(), "{faults}");
        assert!(endpoints::list(reader, &target(LAKE)).await.is_err(), "{faults}");
    }
    for answer in [
        "{ value: [ { name: x } ] }",
        "{ value: [], nextLink: 'https://evil.example/' }",
        "{ value: [], nextLink: 'nowhere' }",
    ] {
        let faults =
            format!("- {{ operation: '{CONNECTIONS}', action: {{ status: {{ code: 200, body: {answer} }} }} }}");
        let services = Services::with(|_| {}, &faults).await;
        assert!(endpoints::list(services.admin().reader(), &target(LAKE)).await.is_err(), "{answer}");
    }
}

#[tokio::test]
async fn lists_go_on_to_their_last_page_and_need_the_right() {
    let services = Services::with(
        |world| {
            world.behaviour.empty_first_pages = true;
            let lake = world.storage_accounts["contosolake"].clone();
            for number in 0..230 {
                let name = format!("lake{number:03}");
                let id = lake.id.replace("contosolake", &name);
                world.storage_accounts.insert(name, palisade::emulator::StorageAccount { id, ..lake.clone() });
            }
            grant(world, STRANGER_PRINCIPAL, "acdd72a7-3385-48ef-bd42-f606fba81ae7", LAKE);
        },
        "",
    )
    .await;
    let admin = services.admin();
    let scope = id(LAKE).group();
    assert_eq!(storage::list(admin.reader(), &scope).await.unwrap().len(), 231);
    let refused = storage::list(&services.stranger(), &scope).await.unwrap_err();
    assert_eq!(refused.code(), Some("AuthorizationFailed"));
    assert_eq!(storage::list(&services.stranger(), &AzureScope::Resource(id(LAKE))).await.unwrap().len(), 1);
    assert_eq!(target(VAULT).provider(), Provider::KeyVault);
}

#[tokio::test]
async fn a_change_of_an_account_keeps_the_rules_that_it_was_given() {
    let services = Services::with(|_| {}, "").await;
    let writer = services.admin();
    let account = storage::get(writer.reader(), &id(LAKE)).await.unwrap().unwrap();
    let mut acls = account.network_acls.unwrap();
    acls.default_action = "Deny".into();
    acls.rules.insert("ipRules".into(), serde_json::json!([{ "value": "203.0.113.0/24", "action": "Allow" }]));
    let change = storage::Change { network_acls: Some(acls.clone()), ..storage::Change::default() };
    let changed = storage::update(&writer, &id(LAKE), &change).await.unwrap();
    assert_eq!(
        (changed.network_acls, changed.public_network_access),
        (Some(acls), storage::PublicNetworkAccess::Enabled)
    );
}
