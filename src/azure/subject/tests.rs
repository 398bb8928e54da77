//! Answers about something else.

use serde_json::json;

use super::*;
use crate::azure::operations::{
    ALL, GET_API_SUBSCRIPTION, GET_SECRET, LIST_ASSIGNMENTS, PUT_ASSIGNMENT, VAULT_UPDATE_ACCESS_POLICY,
};

const ONE: &str = "6f2b1c34-0000-4000-8000-00000000a001";
const OTHER: &str = "6f2b1c34-0000-4000-8000-00000000a002";
const VAULT: &str = "https://kv-one.vault.azure.net";

/// The path of an operation with its last parameter filled with a name, and all others with an id.
fn filled(operation: &Facts, name: &str) -> String {
    let mut path = operation.path.replace("{scope}", &format!("subscriptions/{ONE}"));
    let mut names: Vec<String> = Vec::new();
    for segment in path.split('/').filter(|segment| segment.starts_with('{')) {
        names.push(segment.to_owned());
    }
    let last = names.len().saturating_sub(1);
    for (index, parameter) in names.iter().enumerate() {
        path = path.replacen(parameter.as_str(), if index == last { name } else { ONE }, 1);
    }
    path
}

/// An answer of the operation about what is at this path of this vault.
fn about(operation: &Facts, path: &str, vault: &str) -> Json {
    match naming(operation) {
        Naming::Nothing => Json::Null,
        Naming::Parameters => {
            let segments = operation.path.split('/').zip(path.split('/'));
            segments
                .filter_map(|(name, value)| Some((name.strip_prefix('{')?.strip_suffix('}')?, value)))
                .map(|(name, value)| (name.to_owned(), json!(value)))
                .collect()
        }
        Naming::Path | Naming::PathOrParent => json!({ "id": path.to_uppercase() }),
        Naming::Last => json!({ "id": path.to_uppercase() }),
        Naming::Entries => json!({ "value": [{ "id": format!("{}/one", path.to_uppercase()) }] }),
        kind @ (Naming::Secret | Naming::Key | Naming::OfKey) => {
            let mut segments: Vec<&str> = path.split('/').skip(2).collect();
            segments.retain(|segment| !matches!(*segment, "versions" | "recover" | "rotate" | "rotationpolicy"));
            let collection = if kind == Naming::Secret { "secrets" } else { "keys" };
            let id = format!("{vault}/{collection}/{}", segments.join("/").to_uppercase());
            match operation.path.ends_with("/versions") {
                true => json!({ "value": [{ "id": id }] }),
                false if kind == Naming::Key => json!({ "key": { "kid": id } }),
                false => json!({ "id": id }),
            }
        }
    }
}

fn checked(operation: &Facts, path: &str, body: &Json) -> Result<(), String> {
    check(operation, path, &format!("{VAULT}{path}").parse().unwrap(), body.to_string().as_bytes())
}

#[test]
fn every_operation_that_is_about_something_takes_no_answer_about_something_else() {
    let mut unnamed = Vec::new();
    for operation in ALL.iter().filter(|operation| operation.path.contains('{')) {
        if naming(operation) == Naming::Nothing {
            unnamed.push(operation.name);
            continue;
        }
        let (path, elsewhere) = (filled(operation, OTHER), filled(operation, "another"));
        let right = about(operation, &path, VAULT);
        assert_eq!(checked(operation, &path, &right), Ok(()), "{}: {right}", operation.name);
        let mut wrong = vec![about(operation, &elsewhere, VAULT)];
        if operation.service == Service::KeyVault {
            wrong.push(about(operation, &path, "https://kv-two.vault.azure.net"));
        }
        for wrong in wrong {
            assert!(checked(operation, &path, &wrong).is_err(), "{}: {wrong}", operation.name);
        }
    }
    // Of these the client sees to it, or nothing in the answer can tell.
    assert_eq!(
        unnamed,
        [
            "Microsoft.Storage/PrivateEndpointConnections_Delete",
            "Microsoft.Synapse/PrivateEndpointConnections_Delete",
            "Microsoft.KeyVault/PrivateEndpointConnections_Delete",
            "Microsoft.Authorization/RoleAssignments_ListForScope",
            "Microsoft.Authorization/RoleAssignments_Delete",
            "Microsoft.Authorization/RoleDefinitions_List",
            "Microsoft.Authorization/Permissions_ListForResource",
            "Arm/Azure-AsyncOperation",
            "environments-lifecycle-operations-enforcement",
            "environments-encryption-link",
            "environments-encryption-unlink",
            "platform-enable-managed",
            "platform-disable-managed",
            "platform-operations-list",
            "user-get",
            "serviceprincipal-get",
            "group-count-transitivemembers",
            "group-list-transitivemembers",
            "client-credentials-token",
        ]
    );
}

#[test]
fn a_read_of_a_resource_or_a_secret_says_what_it_is_about() {
    for operation in ALL.iter().filter(|operation| operation.effect == Effect::Read) {
        let path = filled(operation, OTHER);
        let nothing = match naming(operation) {
            Naming::Path | Naming::PathOrParent | Naming::Last => json!({}),
            Naming::Entries => json!({ "value": [{}] }),
            Naming::Secret if operation.path.ends_with("/versions") => json!({ "value": [{ "id": null }] }),
            Naming::Secret => json!({}),
            Naming::Key => json!({ "key": {} }),
            Naming::Nothing | Naming::Parameters | Naming::OfKey => continue,
        };
        assert!(checked(operation, &path, &nothing).is_err(), "{}", operation.name);
    }
}

#[test]
fn ids_are_compared_as_services_spell_them_and_contradictions_are_refused() {
    let instance = |operation: &Facts, body: &str| {
        let path = operation.path.replace("{instanceId}", ONE).replace("{principalId}", OTHER);
        check(operation, &path, &VAULT.parse().unwrap(), body.as_bytes())
    };
    let subscription = GET_API_SUBSCRIPTION.facts();
    let spelled = format!("{{\"instanceId\":\"{{{}}}\"}}", ONE.to_uppercase());
    for fine in [&spelled, "{}", "{\"instanceId\":null}", "{\"instanceId\":\"\"}", "", "true", "{", "<html>"] {
        assert_eq!(instance(subscription, fine), Ok(()), "{fine}");
    }
    let twice = format!("{{\"instanceId\":\"{ONE}\",\"instanceId\":\"{OTHER}\"}}");
    let other = format!("{{\"instanceId\":\"{OTHER}\"}}");
    for refused in [&twice, &other, "{\"instanceId\":7}"] {
        assert!(instance(subscription, refused).is_err(), "{refused}");
    }
    // An entry of a list may be about any principal, but not about another environment.
    let entry = |instance: &str| format!("[{{\"instanceId\":\"{instance}\",\"principalId\":\"{ONE}\"}}]");
    for operation in [LIST_ASSIGNMENTS.facts(), PUT_ASSIGNMENT.facts()] {
        assert_eq!(instance(operation, &entry(ONE)), Ok(()));
        assert!(instance(operation, &entry(OTHER)).is_err());
    }
}

#[test]
fn what_a_path_encodes_and_what_lies_deeper_are_told_apart() {
    let lake = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/lake";
    let list = format!("{lake}/privateEndpointConnections");
    for (found, fits) in [
        (format!("{list}/one"), true),
        (format!("{list}/"), false),
        (format!("{list}/one/two"), false),
        (format!("{lake}2/privateEndpointConnections/one"), false),
    ] {
        assert_eq!(below(&found, &list), fits, "{found}");
    }
    let all = "/subscriptions/s/providers/Microsoft.Storage/storageAccounts";
    assert!(below(lake, all));
    assert!(!below(lake, "/subscriptions/s2/providers/Microsoft.Storage/storageAccounts"));
    assert!(!below(lake, "/subscriptions/s/resourceGroups/r/providers/Microsoft.Storage/storageAccounts"));
    let gone = "/subscriptions/s/providers/Microsoft.KeyVault/deletedVaults";
    for (found, fits) in [
        ("/subscriptions/s/providers/Microsoft.KeyVault/locations/westeurope/deletedVaults/kv", true),
        ("/subscriptions/s2/providers/Microsoft.KeyVault/locations/westeurope/deletedVaults/kv", false),
        ("/subscriptions/s/providers/Microsoft.KeyVault/locations/westeurope/deletedManagedHSMs/kv", false),
        ("/subscriptions/s/providers/Microsoft.KeyVault/locations/deletedVaults/kv", false),
    ] {
        assert_eq!(below(found, gone), fits, "{found}");
    }
    let vault = "/subscriptions/s/resourceGroups/rg%20(1)/providers/Microsoft.KeyVault/vaults/kv";
    let policies = VAULT_UPDATE_ACCESS_POLICY.facts();
    for id in [vault.replace("%20", " "), format!("{}/accessPolicies/", vault.replace("%20", " "))] {
        assert_eq!(checked(policies, &format!("{vault}/accessPolicies/add"), &json!({ "id": id })), Ok(()));
    }
    let secret = |id: &str| checked(GET_SECRET.facts(), "/secrets/key", &json!({ "id": id }));
    assert_eq!(secret(&format!("{VAULT}/secrets/KEY/v1")), Ok(()));
    for id in [format!("{VAULT}/keys/key/v1"), "https://evil/secrets/key/v1".to_owned(), "key".to_owned()] {
        assert!(secret(&id).is_err(), "{id}");
    }
}

/// A write that says nothing about its subject contradicts nothing, and so does whatever has no parameters at all.
#[test]
fn a_write_needs_no_name_and_a_list_of_everything_has_none() {
    let body = json!({ "id": "/elsewhere", "instanceId": OTHER, "value": [{ "id": "/elsewhere" }] });
    for operation in ALL.iter().filter(|operation| !operation.path.contains('{')) {
        assert_eq!(checked(operation, operation.path, &body), Ok(()), "{}", operation.name);
    }
    for operation in ALL.iter().filter(|operation| operation.effect != Effect::Read) {
        let path = filled(operation, OTHER);
        assert_eq!(checked(operation, &path, &json!({})), Ok(()), "{}", operation.name);
    }
}

#[test]
fn what_an_answer_is_about_instead_is_told() {
    let path = PUT_ASSIGNMENT.facts().path.replace("{instanceId}", ONE).replace("{principalId}", ONE);
    let told = |body: Json| checked(PUT_ASSIGNMENT.facts(), &path, &body).unwrap_err();
    assert_eq!(told(json!({ "instanceId": OTHER })), format!("it is about another environment, {OTHER}"));
    assert_eq!(told(json!({ "principalId": OTHER })), format!("it is about `{OTHER}`, and `{ONE}` was asked for"));
    let odd = format!("it is about something that isn't a text, and `{ONE}` was asked for");
    assert_eq!(told(json!({ "principalId": 7 })), odd);
    for (found, path) in [("x", "y"), ("/providers/x/y", "y"), ("x", "/providers/x")] {
        assert!(!below(found, path), "{found} below {path}");
    }
}
