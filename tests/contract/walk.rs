//! Every published operation is asked for: what docs/emulator.md lists is served, and all else says that it isn't.

use std::sync::Arc;

use palisade::emulator::{CLIENT_ID, CLIENT_SECRET};
use serde_json::json;

use super::documents::{Documents, Operation, fits};
use super::probes::{ARM, KEY_VAULT, probe};
use super::support::{LAKE, TENANT};

const GUID: &str = "0b000000-0000-4000-8000-000000000009";

/// The routes of the page: whether on a vault's host, method, path.
fn listed() -> Vec<(bool, String, String)> {
    let page = std::fs::read_to_string("docs/emulator.md").unwrap();
    let list = page.split("### What is served").nth(1).unwrap().split("```").nth(1).unwrap();
    let resources = "/subscriptions/{subscription}/resourceGroups/{group}/providers";
    let (mut on_own_host, mut routes) = (false, Vec::new());
    for line in list.lines().skip(1).filter(|line| !line.is_empty()) {
        match line.strip_prefix("  ").and_then(|route| route.rsplit_once(' ')) {
            None => on_own_host = line.starts_with("Key Vault"),
            Some((methods, path)) => {
                let path = path.replace("{resources}", resources);
                routes.extend(methods.split(' ').map(|method| (on_own_host, method.to_owned(), path.clone())));
            }
        }
    }
    routes
}

fn is_listed(routes: &[(bool, String, String)], on_own_host: bool, method: &str, path: &str) -> bool {
    // These are on every scope.
    let authorization = |path: &str| path.split("/Microsoft.Authorization/").nth(1).map(str::to_owned);
    routes.iter().filter(|(own, listed, _)| *own == on_own_host && listed == method).any(|(_, _, template)| {
        match (authorization(template), authorization(path)) {
            (Some(template), Some(path)) => fits(&template, &path, &|_| false),
            // A version isn't any word.
            _ if template.ends_with("{version}") && path.rsplit('/').next().is_none_or(|last| last.len() != 32) => {
                false
            }
            _ => fits(template, path, &|_| false),
        }
    })
}

/// The path of an operation with values for its parameters.
fn filled(operation: &Operation) -> String {
    let value = |name: &str| match name {
        "subscriptionId" => "11110000-0000-4000-8000-00000000aaaa".to_owned(),
        "resourceGroupName" => "rg-lake".to_owned(),
        "accountName" => "contosolake".to_owned(),
        "workspaceName" => "contoso-synapse".to_owned(),
        "vaultName" => "kv-ci-prod".to_owned(),
        "key-version" | "secret-version" => "0123456789abcdef0123456789abcdef".to_owned(),
        "operationKind" => "add".to_owned(),
        "scope" => LAKE[1..].to_owned(),
        "resourceProviderNamespace" => "Microsoft.Storage".to_owned(),
        "resourceType" => "storageAccounts".to_owned(),
        "resourceName" => "contosolake".to_owned(),
        "parentResourcePath" => String::new(),
        "roleAssignmentId" => format!("{}/providers/Microsoft.Authorization/roleAssignments/{GUID}", &LAKE[1..]),
        "roleId" => format!("{}/providers/Microsoft.Authorization/roleDefinitions/{GUID}", &LAKE[1..]),
        "roleAssignmentName" | "roleDefinitionId" | "operationId" => GUID.to_owned(),
        _ => "sample".to_owned(),
    };
    let segment = |segment: &str| match segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
        Some(name) => value(name),
        None => segment.to_owned(),
    };
    let path = operation.path.split('/').map(segment).collect::<Vec<_>>().join("/");
    path.replace("//", "/")
}

#[tokio::test]
#[expect(clippy::print_stdout, clippy::disallowed_macros, reason = "the counts are for whoever runs this test")]
async fn every_published_operation_is_served_as_listed_or_says_that_it_is_not() {
    let folder = std::env::var_os("PALISADE_SPECS").unwrap();
    let documents = Documents::load(std::path::Path::new(&folder));
    let p = probe(&Arc::default(), false).await;
    let arm = p.token(CLIENT_ID, CLIENT_SECRET, ARM).await;
    let vault = p.token(CLIENT_ID, CLIENT_SECRET, KEY_VAULT).await;
    let routes = listed();
    let (mut served, mut unserved, mut wrong) = (0, 0, Vec::new());
    for operation in &documents.operations {
        let Operation { id, method, version, on_own_host, .. } = operation;
        let path = filled(operation);
        let token = if *on_own_host { &vault } else { &arm };
        let body = (method != "GET").then(|| json!({ "tenantId": TENANT }));
        let (status, answer) = p.send(method, &format!("{path}?api-version={version}"), Some(token), body, true).await;
        let says_not = status == 501 && answer["error"]["code"] == "NotServedByEmulator";
        let refused = answer.to_string();
        let version_refused = refused.contains("api-version") || refused.contains("is not recognized");
        match is_listed(&routes, *on_own_host, method, &path) {
            true if !says_not && !version_refused => served += 1,
            false if says_not => unserved += 1,
            listed => wrong.push(format!("{id}: {method} {path} (listed: {listed}): {status} {answer}")),
        }
    }
    println!("{served} published operations are served, {unserved} say that they aren't");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(served > 30 && unserved > 50);
}
