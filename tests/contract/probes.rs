//! Calls that palisade's clients don't make, and calls that are wrong on purpose: the answers that are left.

use std::sync::{Arc, Mutex};

use jiff::SignedDuration;
use palisade::emulator::{CLIENT_ID, CLIENT_SECRET};
use serde_json::{Value, json};
use uuid::Uuid;

use super::Stage;
use super::clients::pending;
use super::recorder::{Exchange, WRONG};
use super::support::{LAKE, STRANGER, STRANGER_PRINCIPAL, STRANGER_SECRET, TENANT, VAULT, WORKSPACE, grant, vault_of};

pub(crate) const ARM: &str = "https://management.azure.com";
pub(crate) const KEY_VAULT: &str = "https://vault.azure.net";
const STORAGE: &str = "api-version=2023-05-01";
const SYNAPSE: &str = "api-version=2021-06-01";
const VAULTS: &str = "api-version=2023-07-01";
const POLICIES: &str = "api-version=2020-10-30-preview";
const ROLES: &str = "api-version=2022-04-01";
const DATA: &str = "api-version=7.5";
const READER: &str = "acdd72a7-3385-48ef-bd42-f606fba81ae7";

pub(crate) struct Probe {
    stage: Stage,
    http: reqwest::Client,
}

impl Probe {
    pub(crate) async fn token(&self, client: Uuid, secret: &str, resource: &str) -> String {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", &client.to_string()),
            ("client_secret", secret),
            ("scope", &format!("{resource}/.default")),
        ];
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        // Past the recorder: a body with a secret is nobody's business.
        let url = format!("{}{TENANT}/oauth2/v2.0/token", self.stage.services.emulator.http());
        let request = self.http.post(url).header("content-type", "application/x-www-form-urlencoded").body(body);
        let text = request.send().await.unwrap().text().await.unwrap();
        let answer: Value = serde_json::from_str(&text).unwrap();
        answer["access_token"].as_str().unwrap().to_owned()
    }

    /// Sends a call to ARM, or to the vault if the path isn't an ARM id's.
    pub(crate) async fn send(
        &self,
        method: &str,
        target: &str,
        token: Option<&str>,
        body: Option<Value>,
        wrong: bool,
    ) -> (u16, Value) {
        let arm = target.starts_with("/subscriptions") || target.starts_with("/providers");
        let mut request = self.http.request(method.parse().unwrap(), format!("{}{}", self.stage.address, &target[1..]));
        if !arm {
            let port = self.stage.address.port().unwrap();
            request = request.header("host", format!("kv-ci-prod.vault.localhost:{port}"));
        }
        if wrong {
            request = request.header(WRONG, "yes");
        }
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default())
    }
}

pub(crate) async fn probe(exchanges: &Arc<Mutex<Vec<Exchange>>>, throttled: bool) -> Probe {
    let stage = Stage::with(exchanges, |world| {
        world.behaviour.connection_work = SignedDuration::from_secs(30);
        world.behaviour.connection_work_fails = true;
        world.behaviour.arm_throttling = throttled;
        let client = world.applications.iter().find(|(_, a)| a.app_id == CLIENT_ID).map(|(id, _)| *id).unwrap();
        grant(world, client, "00482a5a-887f-4fb3-b363-3b7fe8e74483", VAULT);
        grant(world, client, READER, "/subscriptions/11110000-0000-4000-8000-00000000aaaa");
        vault_of(world).connections = vec![pending("kv.1")];
        world.storage_accounts.get_mut("contosolake").unwrap().connections = vec![pending("lake.1")];
        world.synapse_workspaces.get_mut("contoso-synapse").unwrap().connections = vec![pending("ws.1")];
    })
    .await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    Probe { stage, http }
}

pub(crate) async fn run(exchanges: &Arc<Mutex<Vec<Exchange>>>) {
    let p = probe(exchanges, false).await;
    let token = p.token(CLIENT_ID, CLIENT_SECRET, ARM).await;
    let stranger = p.token(STRANGER, STRANGER_SECRET, ARM).await;
    reads(&p, &token).await;
    writes(&p, &token).await;
    policies(&p, &token, &stranger).await;
    refusals(&p, &token, &stranger).await;
    let data = p.token(CLIENT_ID, CLIENT_SECRET, KEY_VAULT).await;
    keys_and_secrets(&p, &data).await;
    deleted_vaults(&p, &token).await;
    let p = probe(exchanges, true).await;
    let token = p.token(CLIENT_ID, CLIENT_SECRET, ARM).await;
    let mut last = 0;
    for _ in 0..=250 {
        (last, _) = p.send("GET", &format!("{LAKE}?{STORAGE}"), Some(&token), None, true).await;
    }
    assert_eq!(last, 429);
}

const SUBSCRIPTION: &str = "/subscriptions/11110000-0000-4000-8000-00000000aaaa";

async fn reads(p: &Probe, token: &str) {
    let group = "/resourceGroups/rg-lake";
    let provider = |namespace: &str, rest: &str| format!("/providers/{namespace}/{rest}");
    for (kind, version) in [
        ("Microsoft.Storage/storageAccounts", STORAGE),
        ("Microsoft.Synapse/workspaces", SYNAPSE),
        ("Microsoft.KeyVault/vaults", VAULTS),
    ] {
        for scope in [String::new(), group.to_owned()] {
            let path = format!("{SUBSCRIPTION}{scope}{}", provider(kind, ""));
            let (status, _) =
                p.send("GET", &format!("{}?{version}", path.trim_end_matches('/')), Some(token), None, false).await;
            assert_eq!(status, 200, "{path}");
        }
    }
    let roles = |scope: &str, rest: &str| format!("{scope}/providers/Microsoft.Authorization/{rest}?{ROLES}");
    for scope in [SUBSCRIPTION, &format!("{SUBSCRIPTION}{group}"), LAKE] {
        for rest in ["roleAssignments", "roleDefinitions", "permissions", &format!("roleDefinitions/{READER}")] {
            assert_eq!(p.send("GET", &roles(scope, rest), Some(token), None, false).await.0, 200, "{scope} {rest}");
        }
    }
}

fn approval() -> Option<Value> {
    Some(json!({ "properties": { "privateLinkServiceConnectionState": { "status": "Approved", "description": "d" } } }))
}

/// Writes whose work fails, and what the emulator has that the clients don't use.
async fn writes(p: &Probe, token: &str) {
    for (target, version) in [
        (format!("{WORKSPACE}/privateEndpointConnections/ws.1"), SYNAPSE),
        (format!("{VAULT}/privateEndpointConnections/kv.1"), VAULTS),
    ] {
        for method in ["PUT", "DELETE"] {
            let body = if method == "PUT" { approval() } else { None };
            let (status, _) = p.send(method, &format!("{target}?{version}"), Some(token), body.clone(), false).await;
            assert!(status < 300, "{method} {target} {status}");
            assert_eq!(p.send(method, &format!("{target}?{version}"), Some(token), body, true).await.0, 409);
            assert_eq!(p.send("GET", &format!("{target}?{version}"), Some(token), None, false).await.0, 200);
            p.stage.services.clock.advance(std::time::Duration::from_secs(30));
            assert_eq!(p.send("GET", &format!("{target}?{version}"), Some(token), None, false).await.0, 200);
        }
    }
    let patches = [
        (LAKE, STORAGE, json!({ "identity": { "type": "SystemAssigned" }, "tags": { "a": "b" } })),
        (
            LAKE,
            STORAGE,
            json!({ "properties": { "networkAcls": { "defaultAction": "Deny",
            "ipRules": [{ "value": "203.0.113.1" }], "virtualNetworkRules": [{ "id": format!("{SUBSCRIPTION}/x") }] } } }),
        ),
        (WORKSPACE, SYNAPSE, json!({ "properties": { "publicNetworkAccess": "Disabled" } })),
        (
            VAULT,
            VAULTS,
            json!({ "properties": { "networkAcls": { "bypass": "None", "defaultAction": "Deny",
            "ipRules": [{ "value": "203.0.113.1" }], "virtualNetworkRules": [{ "id": format!("{SUBSCRIPTION}/x") }] } } }),
        ),
    ];
    for (target, version, body) in patches {
        let (status, answer) = p.send("PATCH", &format!("{target}?{version}"), Some(token), Some(body), false).await;
        assert_eq!(status, 200, "{answer}");
    }
    // Open again, for what follows.
    let open = json!({ "properties": { "networkAcls": { "bypass": "None", "defaultAction": "Allow" } } });
    p.send("PATCH", &format!("{VAULT}?{VAULTS}"), Some(token), Some(open), false).await;
}

/// Enterprise policies of each kind that is kept, and what is refused.
async fn policies(p: &Probe, token: &str, stranger: &str) {
    let group = VAULT.split("/providers/").next().unwrap();
    let at = |name: &str| format!("{group}/providers/Microsoft.PowerPlatform/enterprisePolicies{name}?{POLICIES}");
    let key = json!({ "id": VAULT, "key": { "name": "pp-key" } });
    let encryption = json!({ "location": "europe", "kind": "Encryption", "identity": { "type": "SystemAssigned" },
                             "properties": { "encryption": { "state": "Enabled", "keyVault": key } } });
    let network = json!({ "location": "europe", "kind": "NetworkInjection", "properties": { "networkInjection": {
        "virtualNetworks": [{ "id": format!("{SUBSCRIPTION}/x"), "subnet": { "name": "pp" } }] } } });
    let identity =
        json!({ "location": "europe", "kind": "Identity", "identity": { "type": "SystemAssigned" }, "properties": {} });
    for (name, body) in [("/probe", encryption), ("/network", network), ("/identity", identity)] {
        for expected in [201, 200] {
            let (status, answer) = p.send("PUT", &at(name), Some(token), Some(body.clone()), false).await;
            assert_eq!(status, expected, "{answer}");
        }
    }
    let tags = Some(json!({ "tags": { "a": "b" } }));
    let whole = format!("{SUBSCRIPTION}/providers/Microsoft.PowerPlatform/enterprisePolicies?{POLICIES}");
    for (method, target, who, body, wrong, expected) in [
        ("GET", at(""), token, None, false, 200),
        ("GET", whole.clone(), token, None, false, 200),
        ("PATCH", at("/probe"), token, tags.clone(), false, 200),
        ("PATCH", at("/none"), token, tags, true, 404),
        ("PUT", at("/bad"), token, Some(json!({ "location": "europe", "kind": "Encryption" })), true, 400),
        ("GET", at("/probe"), stranger, None, true, 403),
        ("GET", at("/none"), token, None, true, 404),
        ("DELETE", at("/probe"), token, None, false, 200),
        ("DELETE", at("/probe"), token, None, false, 204),
    ] {
        let (status, answer) = p.send(method, &target, Some(who), body, wrong).await;
        assert_eq!(status, expected, "{method} {target}: {answer}");
    }
}

async fn refusals(p: &Probe, token: &str, stranger: &str) {
    let bad = Some(json!({ "properties": { "publicNetworkAccess": "off" } }));
    let role = |name: u128| {
        format!("{LAKE}/providers/Microsoft.Authorization/roleAssignments/{}?{ROLES}", Uuid::from_u128(name))
    };
    let assignment = |principal: Uuid| {
        let definition = format!("/providers/Microsoft.Authorization/roleDefinitions/{READER}");
        let properties =
            json!({ "roleDefinitionId": definition, "principalId": principal, "principalType": "ServicePrincipal" });
        Some(json!({ "properties": properties }))
    };
    assert_eq!(p.send("PUT", &role(1), Some(token), assignment(STRANGER_PRINCIPAL), false).await.0, 201);
    let missing = |text: &str, from: &str| text.replace(from, "none");
    let cases = [
        ("GET", format!("{LAKE}?{STORAGE}"), None, None, 401),
        ("GET", LAKE.to_owned(), Some(token), None, 400),
        ("GET", format!("{LAKE}?api-version=2014-01-01"), Some(token), None, 400),
        ("GET", format!("{WORKSPACE}?{SYNAPSE}"), Some(stranger), None, 403),
        ("GET", format!("{LAKE}/privateEndpointConnections/none?{STORAGE}"), Some(token), None, 404),
        ("PUT", format!("{LAKE}/privateEndpointConnections/none?{STORAGE}"), Some(token), approval(), 404),
        ("PUT", format!("{LAKE}/privateEndpointConnections/lake.1?{STORAGE}"), Some(stranger), approval(), 403),
        ("GET", format!("{}?{STORAGE}", missing(LAKE, "contosolake")), Some(token), None, 404),
        ("GET", format!("{}?{STORAGE}", missing(LAKE, "rg-lake")), Some(token), None, 404),
        ("PATCH", format!("{LAKE}?{STORAGE}"), Some(token), bad.clone(), 400),
        ("PATCH", format!("{WORKSPACE}?{SYNAPSE}"), Some(token), bad, 400),
        (
            "PATCH",
            format!("{VAULT}?{VAULTS}"),
            Some(token),
            Some(json!({ "properties": { "enablePurgeProtection": false } })),
            400,
        ),
        (
            "PUT",
            format!("{VAULT}/accessPolicies/add?{VAULTS}"),
            Some(stranger),
            Some(json!({ "properties": { "accessPolicies": [] } })),
            403,
        ),
        ("PUT", role(2), Some(token), assignment(STRANGER_PRINCIPAL), 409),
        ("PUT", role(2), Some(token), assignment(Uuid::from_u128(9)), 400),
        ("GET", role(9), Some(token), None, 404),
        (
            "POST",
            "/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01".to_owned(),
            Some(token),
            Some(json!({ "query": "resources", "options": { "$top": 0 } })),
            400,
        ),
    ];
    for (method, target, token, body, expected) in cases {
        let (status, answer) = p.send(method, &target, token, body, true).await;
        assert_eq!(status, expected, "{method} {target}: {answer}");
    }
}

fn rotation(after: &str) -> Option<Value> {
    let rotate = json!({ "trigger": { "timeAfterCreate": after }, "action": { "type": "Rotate" } });
    let notify = json!({ "trigger": { "timeBeforeExpiry": "P30D" }, "action": { "type": "Notify" } });
    Some(json!({ "lifetimeActions": [rotate, notify], "attributes": { "expiryTime": "P2Y" } }))
}

/// A vault that is deleted and comes back; last, since its role assignments don't.
async fn deleted_vaults(p: &Probe, token: &str) {
    let provider = format!("{SUBSCRIPTION}/providers/Microsoft.KeyVault");
    let place = format!("{provider}/locations/westeurope/deletedVaults/kv-ci-prod");
    let sku = json!({ "family": "A", "name": "standard" });
    let put = |mode: &str| {
        let properties = json!({ "tenantId": TENANT, "sku": sku, "createMode": mode, "accessPolicies": [] });
        Some(json!({ "location": "westeurope", "properties": properties }))
    };
    for (method, path, body, wrong, expected) in [
        ("PUT", VAULT, put("recover"), true, 404),
        ("DELETE", VAULT, None, false, 200),
        ("DELETE", VAULT, None, false, 204),
        ("GET", VAULT, None, true, 404),
        ("GET", &format!("{provider}/deletedVaults"), None, false, 200),
        ("GET", &place, None, false, 200),
        ("PUT", VAULT, put("default"), true, 409),
        ("POST", &format!("{place}/purge"), None, true, 403),
        ("PUT", VAULT, put("recover"), false, 200),
        ("GET", VAULT, None, false, 200),
        ("GET", &place, None, true, 404),
    ] {
        let (status, answer) = p.send(method, &format!("{path}?{VAULTS}"), Some(token), body, wrong).await;
        assert_eq!(status, expected, "{method} {path}: {answer}");
    }
}

/// The data plane beyond what the clients use: deleted secrets, keys, refusals.
async fn keys_and_secrets(p: &Probe, token: &str) {
    let rsa = Some(json!({ "kty": "RSA", "key_size": 2048 }));
    let value = Some(json!({ "value": "text", "tags": { "a": "b" } }));
    let cases = [
        ("PUT", "/secrets/probe", value.clone(), false, 200),
        ("GET", "/secrets", None, false, 200),
        ("GET", "/secrets/probe/versions", None, false, 200),
        ("DELETE", "/secrets/probe", None, false, 200),
        ("GET", "/deletedsecrets", None, false, 200),
        ("GET", "/deletedsecrets/probe", None, false, 200),
        ("PUT", "/secrets/probe", value, true, 409),
        ("POST", "/deletedsecrets/probe/recover", None, false, 200),
        ("GET", "/secrets/none", None, false, 404),
        ("POST", "/keys/probe/create", rsa, false, 200),
        ("GET", "/keys", None, false, 200),
        ("GET", "/keys/probe/versions", None, false, 200),
        ("GET", "/keys/none", None, true, 404),
        ("GET", "/keys/probe/rotationpolicy", None, false, 200),
        ("PUT", "/keys/probe/rotationpolicy", rotation("P90D"), false, 200),
        ("PUT", "/keys/probe/rotationpolicy", rotation("P3D"), true, 400),
        ("GET", "/keys/probe/rotationpolicy", None, false, 200),
        ("GET", "/keys/none/rotationpolicy", None, true, 404),
        ("POST", "/keys/probe/rotate", None, false, 200),
        ("POST", "/keys/none/rotate", None, true, 404),
        ("PATCH", "/keys/probe", Some(json!({ "attributes": { "enabled": false } })), true, 200),
        ("POST", "/keys/probe/rotate", None, true, 403),
        ("DELETE", "/keys/probe", None, false, 200),
        ("GET", "/deletedkeys", None, false, 200),
        ("GET", "/deletedkeys/probe", None, false, 200),
        ("GET", "/deletedkeys/none", None, true, 404),
        ("POST", "/deletedkeys/probe/recover", None, false, 200),
    ];
    for (method, path, body, wrong, expected) in cases {
        let (status, answer) = p.send(method, &format!("{path}?{DATA}"), Some(token), body, wrong).await;
        assert_eq!(status, expected, "{method} {path}: {answer}");
    }
    assert_eq!(p.send("GET", &format!("/secrets/probe?{DATA}"), None, None, true).await.0, 401);
}
