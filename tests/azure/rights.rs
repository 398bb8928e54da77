//! Role assignments, rights, access policies, Resource Graph.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use palisade::azure::authorization::{self, Grant, PrincipalType, roles};
use palisade::azure::private_endpoints::Status;
use palisade::azure::vaults::{self, Permissions, PolicyEntry, VaultId};
use palisade::azure::{resource_graph, storage};
use palisade::emulator::{Connection, ConnectionStatus};
use uuid::Uuid;

use crate::support::{LAKE, STRANGER_PRINCIPAL, Services, TENANT, VAULT, grant, start_of_time};
use palisade::terms::{AzureScope, ResourceId};

const SUBSCRIPTION: Uuid = Uuid::from_u128(0x1111_0000_0000_4000_8000_0000_0000_aaaa);

fn id(text: &str) -> ResourceId {
    text.parse().unwrap()
}

fn wish() -> Grant {
    Grant {
        scope: AzureScope::Resource(id(VAULT)),
        role: roles::KEY_VAULT_READER,
        principal_id: STRANGER_PRINCIPAL.into(),
        principal_type: PrincipalType::ServicePrincipal,
    }
}

#[tokio::test]
async fn a_grant_is_made_once_and_found_by_its_name() {
    let services = Services::with(|_| {}, "").await;
    let writer = services.admin();
    for _ in 0..2 {
        authorization::grant(&writer, &wish(), "palisade: prod").await.unwrap();
    }
    let held = authorization::assigned_to(writer.reader(), &wish().scope, STRANGER_PRINCIPAL.into()).await.unwrap();
    assert_eq!((held.len(), held[0].role, held[0].description.as_deref()), (1, wish().role, Some("palisade: prod")));
    let one = authorization::get(writer.reader(), &wish().scope, wish().name()).await.unwrap().unwrap();
    assert_eq!(one, held[0]);
    authorization::revoke(&writer, &wish().scope, one.name).await.unwrap();
    assert_eq!(authorization::get(writer.reader(), &wish().scope, one.name).await.unwrap(), None);
    assert!(
        authorization::assigned_to(writer.reader(), &wish().scope, STRANGER_PRINCIPAL.into()).await.unwrap().is_empty()
    );
}

#[tokio::test]
async fn the_same_grant_under_another_name_is_a_success() {
    let services = Services::with(|w| grant(w, STRANGER_PRINCIPAL, &wish().role.to_string(), VAULT), "").await;
    authorization::grant(&services.admin(), &wish(), "palisade: prod").await.unwrap();
    assert_eq!(services.count("PUT", "/roleAssignments/"), 1);
}

#[tokio::test]
async fn a_principal_that_is_new_is_not_found_for_a_while() {
    let until = start_of_time() + SignedDuration::from_secs(60);
    let services = Services::with(
        |w| {
            w.replicating_principals.insert(STRANGER_PRINCIPAL, until);
        },
        "",
    )
    .await;
    let refused = authorization::grant(&services.admin(), &wish(), "d").await.unwrap_err();
    assert_eq!(refused.code(), Some("PrincipalNotFound"));
}

#[tokio::test]
async fn rights_are_the_callers_own() {
    let action = "Microsoft.Storage/storageAccounts/PrivateEndpointConnectionsApproval/action";
    let services =
        Services::with(|w| grant(w, STRANGER_PRINCIPAL, "acdd72a7-3385-48ef-bd42-f606fba81ae7", LAKE), "").await;
    let admin = services.admin();
    assert!(authorization::rights(admin.reader(), &id(LAKE)).await.unwrap().allow(action));
    let theirs = authorization::rights(&services.stranger(), &id(LAKE)).await.unwrap();
    assert!(!theirs.allow(action) && theirs.allow("Microsoft.Storage/storageAccounts/read"));
    let in_group = authorization::rights_in_group(&services.stranger(), SUBSCRIPTION, "rg-lake").await.unwrap();
    assert!(!in_group.allow("Microsoft.Storage/storageAccounts/read"));
    let owner = authorization::definitions(admin.reader(), &AzureScope::Resource(id(LAKE)), "Owner").await.unwrap();
    assert!(owner.len() == 1 && owner[0].properties.permissions.allow(action));
}

#[tokio::test]
async fn an_access_policy_is_added_and_taken_away_without_touching_others() {
    let services = Services::with(|_| {}, "").await;
    let writer = services.admin();
    let vault: VaultId = VAULT.parse().unwrap();
    let entry = |object: u128, secrets: &[&str]| PolicyEntry {
        tenant_id: TENANT,
        object_id: Uuid::from_u128(object).into(),
        permissions: Permissions {
            secrets: secrets.iter().map(|s| (*s).to_owned()).collect(),
            ..Permissions::default()
        },
    };
    for (object, secrets) in [(1, ["get"].as_slice()), (2, &["get"]), (1, &["get", "list"])] {
        vaults::add_policy(&writer, &vault, &entry(object, secrets)).await.unwrap();
    }
    let policies = async || vaults::get(writer.reader(), &vault).await.unwrap().unwrap().properties.access_policies;
    assert_eq!(policies().await.iter().map(|p| p.permissions.secrets.len()).collect::<Vec<_>>(), [2, 1]);
    vaults::remove_policy(&writer, &vault, &entry(1, &["get", "list"])).await.unwrap();
    assert_eq!(policies().await.len(), 1);
    let change = vaults::Change { public_network_access: Some("Disabled".into()), ..vaults::Change::default() };
    vaults::update(&writer, &vault, &change).await.unwrap();
    let read = vaults::get(writer.reader(), &vault).await.unwrap().unwrap().properties;
    assert_eq!((read.public_network_access.as_deref(), read.access_policies.len()), (Some("Disabled"), 1));
}

#[tokio::test]
async fn resource_graph_finds_connections_of_all_kinds_or_says_that_it_could_not() {
    let services = Services::with(
        |world| {
            let connection = |name: &str| Connection {
                name: name.into(),
                private_endpoint: "/subscriptions/e".into(),
                status: ConnectionStatus::Pending,
                description: String::new(),
                decided: None,
                change: None,
            };
            world.vaults.get_mut("kv-ci-prod").unwrap().connections = vec![connection("kv.1")];
            world.storage_accounts.get_mut("contosolake").unwrap().connections = vec![connection("lake.1")];
        },
        "",
    )
    .await;
    let admin = services.admin();
    let subscriptions = BTreeSet::from([SUBSCRIPTION]);
    let found = resource_graph::connections(admin.reader(), &subscriptions).await.unwrap();
    let names: Vec<&str> = found.iter().map(|f| f.connection.rsplit('/').next().unwrap()).collect();
    assert_eq!((names, &found[0].status), (vec!["lake.1", "kv.1"], &Status::Pending));
    assert_eq!(resource_graph::find(admin.reader(), &subscriptions, storage::KIND).await.unwrap(), [id(LAKE)]);
    assert!(resource_graph::connections(&services.stranger(), &subscriptions).await.unwrap().is_empty());
    for answer in ["{ data: [], resultTruncated: 'true' }", "{ data: [ {} ] }", "{ data: [], $skipToken: same }"] {
        let faults =
            format!("- {{ operation: POST /providers/*, action: {{ status: {{ code: 200, body: {answer} }} }} }}");
        let services = Services::with(|_| {}, &faults).await;
        let refused = resource_graph::connections(services.admin().reader(), &subscriptions).await;
        assert!(refused.is_err(), "{answer}");
    }
}
