//! Answers about something else, and lists that contradict themselves: neither is believed, whoever reads.

use palisade::azure::authorization::{self, Grant, PrincipalType};
use palisade::azure::customer_insights as ci;
use palisade::azure::private_endpoints::{self as endpoints, Target};
use palisade::azure::rights::roles;
use palisade::azure::{CallError, Failure, Writer, graph, key_vault, storage, synapse, vaults};
use palisade::terms::{AzureScope, ObjectId, ResourceId, Slot};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::support::{INSTANCE, LAKE, STRANGER_PRINCIPAL, Services, TENANT, VAULT, WORKSPACE, instance, secret};

const OTHER: &str = "6f2b1c34-0000-4000-8000-00000000a002";
const VERSION: &str = "0123456789abcdef0123456789abcdef";
const LINK: &str = "7a000000-0000-4000-8000-000000000001";

fn id(text: &str) -> ResourceId {
    text.parse().unwrap()
}

fn group() -> ObjectId {
    ObjectId::from(Uuid::from_u128(7))
}

/// Sends a call of the catalogue through its client.
async fn ask(call: &str, writer: &Writer) -> Result<String, CallError> {
    let reader = writer.reader();
    let scope = AzureScope::Resource(id(VAULT));
    let lake = Target::of(&id(LAKE)).unwrap();
    let shown = match call {
        "instances" => format!("{:?}", ci::list_instances(reader).await?),
        "roles" => format!("{:?}", ci::list_roles(reader, &instance()).await?),
        "assignments" => format!("{:?}", ci::list_assignments(reader, &instance()).await?),
        "subscription" => format!("{:?}", ci::api_subscription(reader, &instance()).await?),
        "keys" => format!("{:?}", ci::list_keys(reader, &instance()).await?),
        "regenerate" => format!("{:?}", ci::regenerate_key(writer, &instance(), Slot::Primary).await?),
        "put" => {
            let id = STRANGER_PRINCIPAL.to_string();
            format!("{:?}", ci::put_assignment(writer, &instance(), &id, "app", "Viewer").await?)
        }
        "linked vault" => format!("{:?}", ci::key_vault(reader, &instance()).await?),
        "links" => format!("{:?}", ci::private_links(reader, &instance()).await?),
        "link" => format!("{:?}", ci::private_link(reader, &instance(), LINK).await?),
        "add link" => format!("{:?}", ci::add_private_link(writer, &instance(), &id(LAKE)).await?),
        "vault" => format!("{:?}", vaults::get(reader, &VAULT.parse().unwrap()).await?),
        "account" => format!("{:?}", storage::get(reader, &id(LAKE)).await?),
        "workspace" => format!("{:?}", synapse::get(reader, &id(WORKSPACE)).await?),
        "connections" => format!("{:?}", endpoints::list(reader, &lake).await?),
        "connection" => format!("{:?}", endpoints::get(reader, &lake, "lake.1").await?),
        "role assignments" => {
            format!("{:?}", authorization::assigned_to(reader, &scope, STRANGER_PRINCIPAL.into()).await?)
        }
        "grant" => {
            let (role, principal_id) = (roles::KEY_VAULT_READER.id, STRANGER_PRINCIPAL.into());
            let grant = Grant { scope, role, principal_id, principal_type: PrincipalType::ServicePrincipal };
            format!("{:?}", authorization::grant(writer, &grant, "").await?)
        }
        "secret" => format!("{:?}", key_vault::get_current(reader, &secret()).await?),
        "versions" => format!("{:?}", key_vault::list_versions(reader, &secret()).await?),
        "deleted secret" => format!("{:?}", key_vault::get_deleted(reader, &secret()).await?),
        _ => format!("{:?}", graph::members(reader, group()).await?),
    };
    Ok(shown)
}

/// The error of a call whose answer is this body.
async fn answered(call: &str, operation: &str, body: &Json) -> Result<String, CallError> {
    let rule = json!([{ "operation": operation, "action": { "status": { "code": 200, "body": body } } }]);
    let services = Services::with(|_| {}, &rule.to_string()).await;
    ask(call, &services.admin()).await
}

fn connection(resource: &str, name: &str, status: &str) -> Json {
    json!({
        "id": format!("{resource}/privateEndpointConnections/{name}"), "name": name,
        "properties": { "privateLinkServiceConnectionState": { "status": status } },
    })
}

fn link(instance: &str, link: &str, name: &str) -> Json {
    json!({
        "instanceId": instance, "privateLinkId": link, "resourceType": "storageAccount", "resourceName": name,
        "subscriptionId": "11110000-0000-4000-8000-00000000aaaa", "resourceGroup": "rg-lake", "endpoints": [],
    })
}

fn version(host: &str, name: &str, enabled: bool) -> Json {
    json!({
        "id": format!("http://{host}/secrets/{name}/{VERSION}"), "value": "v",
        "attributes": { "enabled": enabled, "created": 1 },
    })
}

fn assignment(name: &str, scope: &str) -> Json {
    json!({
        "id": format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"), "name": name,
        "properties": {
            "scope": scope, "principalId": STRANGER_PRINCIPAL, "principalType": "ServicePrincipal",
            "roleDefinitionId": format!("/x/{}", roles::KEY_VAULT_READER.id),
        },
    })
}

/// The call, the fault, an answer that is believed, and one that isn't.
type Case = (&'static str, &'static str, Option<Json>, Json);

fn of_instances() -> Vec<Case> {
    let here = INSTANCE.to_string();
    let subscription = |id: &str| json!({ "instanceId": id, "isSubscribed": true });
    let role = |id: &str, roles: Json| json!([{ "principalId": OTHER, "instanceId": id, "roles": roles }]);
    vec![
        (
            "instances",
            "GET */instances",
            Some(
                json!([{ "instanceId": here, "name": "one" }, { "instanceId": here, "name": "one" }, { "errors": 1 }]),
            ),
            json!([{ "instanceId": here, "name": "one" }, { "instanceId": here, "name": "two" }]),
        ),
        ("roles", "GET */rbac/roles", Some(json!([{ "roleName": "Admin" }])), json!([])),
        ("roles", "GET */rbac/roles", None, json!([{ "roleName": "Admin" }, {}])),
        ("assignments", "GET */assignments", Some(role(&here, json!(["Admin"]))), role(OTHER, json!(["Admin"]))),
        ("assignments", "GET */assignments", None, role(&here, Json::Null)),
        ("assignments", "GET */assignments", None, Json::Null),
        ("subscription", "GET */apisubscription", Some(subscription(&here)), subscription(OTHER)),
        ("keys", "POST */listsecrets", None, json!({ "instanceId": OTHER, "primaryKey": "1", "secondaryKey": "2" })),
        (
            "regenerate",
            "POST */regenerateprimarykey",
            Some(json!({ "instanceId": here })),
            json!({ "instanceId": OTHER }),
        ),
        (
            "put",
            "PUT */assignment",
            Some(json!({ "principalId": STRANGER_PRINCIPAL })),
            json!({ "principalId": OTHER }),
        ),
    ]
}

fn of_links() -> Vec<Case> {
    let here = INSTANCE.to_string();
    let vault = |uri: &str| json!({ "id": VAULT, "properties": { "tenantId": TENANT, "vaultUri": uri } });
    vec![
        (
            "linked vault",
            "GET */manage/keyvault",
            None,
            json!({
                "instanceId": OTHER, "keyVaultName": "kv-ci-prod", "resourceGroup": "rg-secrets", "accessState": "accessible",
                "subscriptionId": "11110000-0000-4000-8000-00000000aaaa",
            }),
        ),
        ("links", "GET */privatelinks", Some(json!([link(&here, LINK, "lake")])), json!([link(OTHER, LINK, "lake")])),
        ("links", "GET */privatelinks", None, json!([link(&here, LINK, "lake"), link(&here, LINK, "lake2")])),
        ("link", "GET */privatelinks/*", Some(link(&here, LINK, "lake")), link(&here, OTHER, "lake")),
        ("add link", "POST */privatelinks", Some(link(&here, LINK, "contosolake")), link(&here, LINK, "otherlake")),
        (
            "vault",
            "GET */vaults/kv-ci-prod",
            Some(vault("https://KV-CI-PROD.vault.azure.net/")),
            vault("https://kv-other.vault.azure.net/"),
        ),
    ]
}

fn of_resources() -> Vec<Case> {
    let account = |id: &str, connections: &[Json]| json!({ "id": id, "location": "x", "properties": { "privateEndpointConnections": connections } });
    let other_lake = LAKE.replace("contosolake", "otherlake");
    vec![
        (
            "account",
            "GET */storageAccounts/contosolake",
            Some(account(&LAKE.to_uppercase(), &[])),
            account(&other_lake, &[]),
        ),
        (
            "account",
            "GET */storageAccounts/contosolake",
            Some(account(LAKE, &[connection(LAKE, "l.1", "Pending"), connection(LAKE, "l.1", "Pending")])),
            account(LAKE, &[connection(LAKE, "l.1", "Pending"), connection(LAKE, "l.1", "Approved")]),
        ),
        (
            "account",
            "GET */storageAccounts/contosolake",
            None,
            account(LAKE, &[connection(&other_lake, "l.1", "Pending")]),
        ),
        ("workspace", "GET */workspaces/contoso-synapse", None, account(&WORKSPACE.replace("contoso", "other"), &[])),
        (
            "workspace",
            "GET */workspaces/contoso-synapse",
            None,
            account(WORKSPACE, &[connection(LAKE, "l.1", "Pending")]),
        ),
        (
            "connections",
            "GET */privateEndpointConnections",
            Some(json!({ "value": [connection(LAKE, "l.1", "Pending")] })),
            json!({ "value": [connection(&other_lake, "l.1", "Pending")] }),
        ),
        ("connections", "GET */privateEndpointConnections", None, json!({ "value": null })),
        (
            "connection",
            "GET */privateEndpointConnections/*",
            Some(connection(LAKE, "LAKE.1", "Pending")),
            connection(LAKE, "lake.2", "Pending"),
        ),
    ]
}

fn of_rights_and_secrets() -> Vec<Case> {
    let kv = "kv-ci-prod.vault.localhost";
    let person = |enabled: bool| json!({ "id": OTHER, "displayName": "Ada", "accountEnabled": enabled });
    vec![
        (
            "role assignments",
            "GET */roleAssignments",
            Some(json!({ "value": [assignment(OTHER, VAULT), assignment(OTHER, &VAULT[..51])] })),
            json!({ "value": [assignment(OTHER, LAKE)] }),
        ),
        (
            "role assignments",
            "GET */roleAssignments",
            None,
            json!({ "value": [assignment(OTHER, VAULT), {
                "name": OTHER,
                "properties": { "scope": VAULT, "principalId": OTHER, "roleDefinitionId": format!("/x/{OTHER}") },
            }] }),
        ),
        ("grant", "PUT */roleAssignments/*", None, assignment(OTHER, VAULT)),
        (
            "secret",
            "GET /secrets/*",
            Some(version(kv, "ci-api-key", true)),
            version("kv-other.vault.localhost", "ci-api-key", true),
        ),
        (
            "versions",
            "GET */versions",
            Some(json!({ "value": [version(kv, "ci-api-key", true), version(kv, "ci-api-key", true)] })),
            json!({ "value": [version(kv, "ci-api-key", true), version(kv, "ci-api-key", false)] }),
        ),
        ("deleted secret", "GET /deletedsecrets/*", Some(version(kv, "ci-api-key", true)), version(kv, "other", true)),
        (
            "members",
            "GET */transitiveMembers",
            Some(json!({ "value": [person(true), person(true)] })),
            json!({ "value": [person(true), person(false)] }),
        ),
    ]
}

#[tokio::test]
async fn an_answer_about_something_else_or_that_contradicts_itself_is_not_believed() {
    let mut believed = Vec::new();
    for (call, operation, right, wrong) in
        [of_instances(), of_links(), of_resources(), of_rights_and_secrets()].concat()
    {
        if let Some(right) = right {
            let read = answered(call, operation, &right).await;
            assert!(read.is_ok(), "{call}: {right}: {}", read.unwrap_err());
        }
        match answered(call, operation, &wrong).await {
            Ok(read) => believed.push(format!("{call}: {read}")),
            Err(error) => {
                assert!(matches!(error.failure, Failure::Unreadable { .. }), "{call}: {error}");
                assert!(error.is_ambiguous(), "a write may have taken effect all the same: {call}");
            }
        }
    }
    assert!(believed.is_empty(), "{believed:#?}");
}
