//! What isn't served says so: one status, one code and one mark, in the envelope of the service, and never that something is
//! absent.

use palisade::emulator::World;
use serde_json::{Value, json};

use crate::platform;
use crate::support::{
    ARM, Ask, CI, Fixture, GRAPH, GROUP_SCOPE, INSTANCE, KEY_VAULT, LAKE, Reply, SUBSCRIPTION, TENANT, VAULT, VIEWER,
    WORKSPACE, grant, options, world,
};

const OWNER: &str = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635";
const KEY_VAULT_ADMINISTRATOR: &str = "00482a5a-887f-4fb3-b363-3b7fe8e74483";

async fn start() -> Fixture {
    let mut world: World = world();
    grant(&mut world, VIEWER, OWNER, "/");
    grant(&mut world, VIEWER, KEY_VAULT_ADMINISTRATOR, "/");
    Fixture::with(options(world, Vec::new())).await
}

/// Whether an answer says that the emulator doesn't serve what was asked for, and names it.
fn says_so(reply: &Reply, what: &str, asked: &str) {
    let body: Value = reply.json();
    let code = [&body["error"]["code"], &body["errorCode"], &body["error"], &body["code"]];
    assert_eq!(reply.status, 501, "{asked}: {body}");
    assert!(code.contains(&&json!("NotServedByEmulator")), "{asked}: {body}");
    assert_eq!(reply.header("x-emulated-surface"), Some("not-served"), "{asked}");
    assert!(reply.text.contains("The emulator doesn't serve") && reply.text.contains(what), "{asked}: {body}");
}

#[tokio::test]
async fn a_vault_says_what_it_does_not_serve() {
    let f = start().await;
    let token = f.token(VIEWER, KEY_VAULT).await;
    let at = |path: &str| {
        let mark = if path.contains('?') { '&' } else { '?' };
        f.vault_url("kv-ci-prod", &format!("{path}{mark}api-version=7.5"))
    };
    f.ask("POST", &at("/keys/k/create"), Ask::token(&token).json(&json!({ "kty": "RSA" }))).await;
    f.ask("PUT", &at("/secrets/s"), Ask::token(&token).json(&json!({ "value": "v" }))).await;
    let before = f.emulator.world();
    for (method, path, what) in [
        ("DELETE", "/keys/k/rotationpolicy", "DELETE /keys/k/rotationpolicy"),
        ("GET", "/keys/k/rotate", "GET /keys/k/rotate"),
        // Also of a key that isn't there: nothing is said about it.
        ("GET", "/keys/none/attestation", "attestation"),
        ("GET", "/keys/k/attestation", "attestation"),
        ("GET", "/keys/k/0123456789abcdef0123456789abcdef/attestation", "attestation"),
        ("POST", "/keys/k/backup", "backup"),
        ("POST", "/keys/restore", "restore"),
        ("PUT", "/keys/k", "PUT /keys/k"),
        ("POST", "/keys/k/0123456789abcdef0123456789abcdef/wrapkey", "wrapkey"),
        ("DELETE", "/keys/k/0123456789abcdef0123456789abcdef", "DELETE"),
        ("POST", "/secrets/s/backup", "backup"),
        ("POST", "/secrets/s", "POST /secrets/s"),
        ("GET", "/secrets/s/versions/x", "versions/x"),
        ("GET", "/certificates/c", "/certificates/c"),
        ("GET", "/storage", "/storage"),
        ("POST", "/rng", "/rng"),
        ("GET", "/", "GET /"),
        // Options that change the answer.
        ("GET", "/secrets/s?outContentType=application/x-pem-file", "outContentType"),
        ("GET", "/secrets?$filter=x", "$filter"),
        ("DELETE", "/secrets/s?$filter=x", "$filter"),
    ] {
        let reply = f.ask(method, &at(path), Ask::token(&token).json(&json!({}))).await;
        says_so(&reply, what, &format!("{method} {path}"));
    }
    assert_eq!(f.emulator.world(), before, "nothing was done");
}

#[tokio::test]
async fn arm_says_what_it_does_not_serve() {
    let f = start().await;
    let token = f.token(VIEWER, ARM).await;
    let before = f.emulator.world();
    let roles = format!("{GROUP_SCOPE}/providers/Microsoft.Authorization");
    let graph = "/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01";
    for (method, path, what) in [
        ("POST", format!("{LAKE}/listKeys?api-version=2023-05-01"), "listKeys"),
        ("DELETE", format!("{LAKE}?api-version=2023-05-01"), "DELETE"),
        ("PUT", format!("{LAKE}?api-version=2023-05-01"), "PUT"),
        ("GET", format!("{LAKE}/blobServices/default?api-version=2023-05-01"), "blobServices"),
        ("GET", format!("{LAKE}?api-version=2023-05-01&$expand=geoReplicationStats"), "$expand"),
        ("PATCH", format!("{LAKE}?api-version=2023-05-01&$expand=x"), "$expand"),
        ("GET", format!("{LAKE}?api-version=2023-05-01&useResourceGraph=true"), "useResourceGraph"),
        ("GET", format!("{VAULT}/privateLinkResources?api-version=2023-07-01"), "privateLinkResources"),
        ("GET", format!("{VAULT}/keys?api-version=2023-07-01"), "/keys"),
        ("PUT", format!("{VAULT}/keys/k?api-version=2023-07-01"), "/keys/k"),
        ("GET", format!("{VAULT}/secrets/s?api-version=2023-07-01"), "/secrets/s"),
        ("PUT", format!("{VAULT}?api-version=2023-07-01"), "PUT"),
        ("GET", format!("{WORKSPACE}/keys?api-version=2021-06-01"), "/keys"),
        ("GET", format!("{roles}/denyAssignments?api-version=2022-04-01"), "denyAssignments"),
        ("GET", format!("{roles}/roleAssignments?api-version=2022-04-01&$filter=roleName eq 'x'"), "$filter"),
        ("GET", format!("{roles}/roleDefinitions?api-version=2022-04-01&$filter=x eq 'y'"), "$filter"),
        // Read as one text, this would find nothing.
        (
            "GET",
            format!("{roles}/roleDefinitions?api-version=2022-04-01&$filter=roleName eq 'a' and type eq 'b'"),
            "$filter",
        ),
        ("GET", format!("{roles}/permissions?api-version=2022-04-01&$filter=x"), "$filter"),
        ("GET", format!("{GROUP_SCOPE}/providers/Microsoft.Network/virtualNetworks?api-version=2022-01-01"), "Network"),
        ("GET", format!("{GROUP_SCOPE}/providers/Microsoft.Unknown/things/x?api-version=2022-01-01"), "Unknown"),
        ("POST", "/batch?api-version=2020-06-01".to_owned(), "/batch"),
        ("GET", graph.to_owned(), "GET"),
    ] {
        let reply = f.ask(method, &path, Ask::token(&token).json(&json!({}))).await;
        says_so(&reply, what, &format!("{method} {path}"));
    }
    for (body, what) in [
        (json!({ "query": "resources", "options": { "resultFormat": "table" } }), "resultFormat"),
        (json!({ "query": "resources", "managementGroups": ["m"] }), "managementGroups"),
        (json!({ "query": "resources", "facets": [{ "expression": "type" }] }), "facets"),
        (json!({ "query": "resources | summarize count()" }), "summarize"),
    ] {
        let reply = f.ask("POST", graph, Ask::token(&token).json(&body)).await;
        says_so(&reply, what, &body.to_string());
    }
    let path = format!("{LAKE}?api-version=2023-05-01");
    let body = json!({ "properties": { "enableExtendedGroups": true } });
    says_so(&f.ask("PATCH", &path, Ask::token(&token).json(&body)).await, "enableExtendedGroups", "PATCH");
    assert_eq!(f.emulator.world(), before, "nothing was done");
    // What is sent back as it was read is no change.
    let encryption = f.get(&path, &token).await.json()["properties"]["encryption"].clone();
    let same = json!({ "properties": { "encryption": { "keySource": encryption["keySource"], "services": encryption["services"] } } });
    assert_eq!(f.ask("PATCH", &path, Ask::token(&token).json(&same)).await.status, 200);
    // What the real service doesn't offer either is refused in its own words.
    let refused = f.get(&format!("{VAULT}/accessPolicies/add?api-version=2023-07-01"), &token).await;
    assert_eq!((refused.status.as_u16(), refused.header("allow")), (405, Some("PUT")));
}

#[tokio::test]
async fn graph_says_what_it_does_not_serve() {
    let f = Fixture::start().await;
    let token = f.admin(GRAPH).await;
    for (method, path, what) in [
        ("GET", "/v1.0/devices", "/v1.0/devices"),
        ("GET", "/v1.0", "/v1.0"),
        ("GET", "/v1.0/me", "/v1.0/me"),
        ("GET", "/v1.0/users/ada@contoso.com/manager", "manager"),
        ("POST", "/v1.0/users", "POST"),
        ("DELETE", "/v1.0/users/ada@contoso.com", "DELETE"),
        ("GET", "/v1.0/$batch", "$batch"),
        ("GET", "/v1.0/users?$filter=startswith(displayName,'a')", "$filter"),
        ("GET", "/v1.0/users?$filter=displayName eq 'a' or displayName eq 'b'", "$filter"),
        ("GET", "/v1.0/users?$filter=mail eq 'a'", "$filter"),
        ("GET", "/v1.0/users?$orderby=displayName", "$orderby"),
        ("GET", "/v1.0/users?$search=x", "$search"),
        ("GET", "/v1.0/users/ada@contoso.com?$expand=manager", "$expand"),
        ("GET", "/v1.0/users?$select=mail", "$select"),
    ] {
        says_so(&f.ask(method, path, Ask::token(&token)).await, what, &format!("{method} {path}"));
    }
    let batch = json!({ "requests": [{ "id": "1", "method": "GET", "url": "/users?$orderby=displayName" }] });
    let reply = f.ask("POST", "/v1.0/$batch", Ask::token(&token).json(&batch)).await.json();
    let item = &reply["responses"][0];
    assert_eq!((&item["status"], &item["body"]["error"]["code"]), (&json!(501), &json!("NotServedByEmulator")));
}

#[tokio::test]
async fn customer_insights_and_entra_say_what_they_do_not_serve() {
    let f = Fixture::start().await;
    let token = f.admin(CI).await;
    for (method, path, what) in [
        ("GET", format!("/api/instances/{INSTANCE}/manage/nothing"), "manage/nothing"),
        ("GET", format!("/api/instances/{INSTANCE}/measures"), "measures"),
        ("POST", format!("/api/instances/{INSTANCE}/rbac/assignments"), "POST"),
        ("DELETE", format!("/api/instances/{INSTANCE}"), "DELETE"),
        ("GET", format!("/api/instances/{INSTANCE}?proxy=true"), "proxy"),
        ("GET", "/v1/instances/x/manage/apisubscription".to_owned(), "apisubscription"),
        ("DELETE", "/v1/instances".to_owned(), "DELETE"),
        ("GET", format!("/{TENANT}/oauth2/v2.0/token"), "GET"),
        ("GET", format!("/{TENANT}/oauth2/v2.0/authorize"), "authorize"),
        ("POST", format!("/{TENANT}/oauth2/token"), "oauth2/token"),
        ("GET", format!("/{TENANT}/federationmetadata/2007-06/federationmetadata.xml"), "federationmetadata"),
        ("GET", "/elsewhere".to_owned(), "/elsewhere"),
    ] {
        says_so(&f.ask(method, &path, Ask::token(&token)).await, what, &format!("{method} {path}"));
    }
    for grant in ["password", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"] {
        let reply = f.token_reply(&TENANT.to_string(), &[("grant_type", grant)]).await;
        says_so(&reply, grant, grant);
    }
}

/// The page's list of routes is true: each of them is served, with every method that it names.
#[tokio::test]
async fn what_the_page_says_is_served_is_served() {
    let f = start().await;
    let page = std::fs::read_to_string("docs/emulator.md").unwrap();
    let list = page.split("### What is served").nth(1).unwrap().split("```").nth(1).unwrap();
    let (arm, vault) = (f.token(VIEWER, ARM).await, f.token(VIEWER, KEY_VAULT).await);
    let graph = f.admin(GRAPH).await;
    let (admin, platform) = (f.admin(platform::ADMIN).await, f.admin(platform::PLATFORM).await);
    let (mut service, mut asked) = ("", 0);
    for line in list.lines().skip(1).filter(|line| !line.is_empty()) {
        let Some(route) = line.strip_prefix("  ") else {
            service = line;
            continue;
        };
        let (methods, path) = route.rsplit_once(' ').unwrap();
        let path = path
            .replace("{resources}", &format!("{GROUP_SCOPE}/providers"))
            .replace("{admin}", "/providers/Microsoft.BusinessAppPlatform")
            .replace("{subscription}", SUBSCRIPTION)
            .replace("{group}", "rg-Lake")
            .replace("{tenant}", &TENANT.to_string())
            .replace("{version}", "0123456789abcdef0123456789abcdef")
            .replace("{id}", "0b000000-0000-4000-8000-000000000009")
            .replace("{location}", "westeurope")
            .replace("{name}", "sample");
        let version = match path.split("Microsoft.").nth(1).and_then(|rest| rest.split('/').next()) {
            _ if service.starts_with("Key Vault") => "7.5",
            Some("Authorization") => "2022-04-01",
            Some("ResourceGraph") => "2022-10-01",
            Some("Synapse") => "2021-06-01",
            Some("Storage") if path.contains("storageAccounts") => "2023-05-01",
            Some("KeyVault") => "2023-07-01",
            Some("PowerPlatform") => "2020-10-30-preview",
            Some("BusinessAppPlatform") => "2019-10-01",
            _ if service == "Power Platform API" => "2024-10-01",
            _ if path == "/metadata/endpoints" => "2022-09-01",
            _ => "2022-12-01",
        };
        for method in methods.split(' ') {
            let (url, token) = match service {
                _ if service.starts_with("Key Vault") => {
                    (f.vault_url("kv-ci-prod", &format!("{path}?api-version={version}")), &vault)
                }
                "Azure Resource Manager" => (format!("{path}?api-version={version}"), &arm),
                // The list is one environment's.
                _ if path.ends_with("/lifecycleOperations") => {
                    (format!("{path}?api-version={version}&$filter=environment eq 'x'"), &admin)
                }
                _ if service.starts_with("Power Platform adm") => (format!("{path}?api-version={version}"), &admin),
                "Power Platform API" => (format!("{path}?api-version={version}"), &platform),
                _ => (path.clone(), &graph),
            };
            let reply = f.ask(method, &url, Ask::token(token).json(&json!({}))).await;
            assert!(reply.status != 501 && reply.status != 405, "{method} {url}: {}", reply.text);
            asked += 1;
        }
    }
    assert!(asked > 90, "only {asked} routes were found");
}
