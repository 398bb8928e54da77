//! Who gets into a vault: challenge, network, Azure roles, access policies, throttling.

use std::time::Duration;

use jiff::SignedDuration;
use palisade::emulator::{
    AccessPolicy, Bucket, ChallengeResource, DefaultAction, NetworkAcls, PolicyPermissions, World,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    ARM, Ask, Fixture, GROUP, KEY_VAULT, NESTED, Reply, STRANGER, TENANT, VAULT, VIEWER, grant, options, vault_of,
    world,
};

const SECRETS_USER: &str = "4633458b-17de-408a-b874-0445c86b69e6";
const READER: &str = "21090545-7ca7-4776-b22c-e363652d74d2";
const PATH: &str = "/secrets/ci-api-key?api-version=7.5";

async fn with(change: impl FnOnce(&mut World)) -> Fixture {
    let mut world = world();
    change(&mut world);
    Fixture::with(options(world, Vec::new())).await
}

fn codes(reply: &Reply) -> (u16, String, String) {
    let body = reply.json();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (reply.status.as_u16(), text(&body["error"]["code"]), text(&body["error"]["innererror"]["code"]))
}

async fn ask(f: &Fixture, token: &str, method: &str, path: &str) -> Reply {
    let path = if path.contains('?') { path.to_owned() } else { format!("{path}?api-version=7.5") };
    let ask = Ask::token(token);
    let ask = if ["PUT", "PATCH"].contains(&method) { ask.json(&json!({ "value": "x" })) } else { ask };
    f.ask(method, &f.vault_url("kv-ci-prod", &path), ask).await
}

#[tokio::test]
async fn the_challenge_tells_where_to_get_a_token() {
    for (resource, expected) in [
        (ChallengeResource::Azure, "https://vault.azure.net".to_owned()),
        (ChallengeResource::Local, "http://vault.localhost:PORT".to_owned()),
    ] {
        let f = with(|w| w.behaviour.vault_challenge = resource).await;
        let expected = expected.replace("PORT", &f.emulator.http().port().unwrap().to_string());
        let url = f.vault_url("kv-ci-prod", PATH);
        let reply = f.ask("PUT", &url, Ask::default()).await;
        let challenge =
            format!("Bearer authorization=\"https://login.microsoftonline.com/{TENANT}\", resource=\"{expected}\"");
        assert_eq!(reply.header("www-authenticate"), Some(challenge.as_str()));
        assert_eq!(codes(&reply), (401, "Unauthorized".into(), String::new()));
        assert!(reply.json()["error"]["message"].as_str().unwrap().starts_with("AKV10000: "));
        // A token for what the challenge names is one for the vault.
        let token = f.admin(&expected).await;
        assert_eq!(codes(&f.get(&url, &token).await), (404, "SecretNotFound".into(), String::new()));
    }
    let f = Fixture::start().await;
    let url = f.vault_url("kv-ci-prod", PATH);
    for token in ["x".to_owned(), f.admin(ARM).await] {
        let reply = f.get(&url, &token).await;
        assert!(reply.status == 401 && reply.header("www-authenticate").is_some());
    }
    let token = f.admin(KEY_VAULT).await;
    f.clock.advance(Duration::from_secs(3599));
    assert_eq!(f.get(&url, &token).await.status, 401);
    let unknown = f.get(&f.vault_url("nowhere", PATH), &token).await;
    assert_eq!(codes(&unknown), (404, "NoSuchHost".into(), String::new()));
    let f = with(|w| vault_of(w).tenant_id = Uuid::from_u128(9)).await;
    let foreign = f.get(&f.vault_url("kv-ci-prod", PATH), &f.admin(KEY_VAULT).await).await;
    assert!(foreign.status == 401 && foreign.text.contains("AKV10032"), "{}", foreign.text);
}

#[tokio::test]
async fn azure_roles_decide_where_the_vault_goes_by_them() {
    let f = with(|w| {
        grant(w, VIEWER, READER, VAULT);
        grant(w, NESTED, SECRETS_USER, &format!("{VAULT}/secrets/ci-api-key"));
        // Counts for nothing in this mode.
        vault_of(w).access_policies.push(AccessPolicy {
            tenant_id: TENANT,
            object_id: STRANGER.object_id,
            application_id: None,
            permissions: PolicyPermissions { secrets: vec!["all".into()], ..PolicyPermissions::default() },
        });
    })
    .await;
    let officer = f.admin(KEY_VAULT).await;
    assert_eq!(ask(&f, &officer, "PUT", "/secrets/ci-api-key").await.status, 200);
    let [reader, user, stranger] =
        [f.token(VIEWER, KEY_VAULT).await, f.token(NESTED, KEY_VAULT).await, f.token(STRANGER, KEY_VAULT).await];
    let cases = [
        ("GET", "/secrets/ci-api-key", [200, 403, 200, 403]),
        ("GET", "/secrets/ci-api-key/versions", [200, 200, 200, 403]),
        ("GET", "/secrets", [200, 200, 403, 403]),
        ("GET", "/secrets/other", [404, 403, 403, 403]),
        ("PUT", "/secrets/ci-api-key", [200, 403, 403, 403]),
        ("PATCH", "/secrets/ci-api-key", [400, 403, 403, 403]),
        ("DELETE", "/secrets/ci-api-key", [200, 403, 403, 403]),
        ("POST", "/deletedsecrets/ci-api-key/recover", [200, 403, 403, 403]),
    ];
    for (method, path, statuses) in cases {
        // The officer last, as it is the one who changes something.
        for (token, expected) in
            [&reader, &user, &stranger, &officer].into_iter().zip([statuses[1], statuses[2], statuses[3], statuses[0]])
        {
            let reply = ask(&f, token, method, path).await;
            assert_eq!(reply.status, expected, "{method} {path}: {}", reply.text);
            if expected == 403 {
                assert_eq!(codes(&reply), (403, "Forbidden".into(), "ForbiddenByRbac".into()));
            }
        }
    }
    let refusal = ask(&f, &stranger, "GET", "/secrets/ci-api-key").await.json()["error"]["message"].to_string();
    for part in [
        "Microsoft.KeyVault/vaults/secrets/getSecret/action",
        "/vaults/kv-ci-prod/secrets/ci-api-key",
        &STRANGER.object_id.to_string(),
        "kv-CI-prod;location=westeurope",
    ] {
        assert!(refusal.contains(part), "{part}: {refusal}");
    }
}

#[tokio::test]
async fn access_policies_decide_elsewhere() {
    let policy = |object_id, secrets: &[&str]| AccessPolicy {
        tenant_id: TENANT,
        object_id,
        application_id: None,
        permissions: PolicyPermissions {
            secrets: secrets.iter().map(|p| (*p).to_owned()).collect(),
            ..PolicyPermissions::default()
        },
    };
    let f = with(|w| {
        let vault = vault_of(w);
        vault.enable_rbac_authorization = Some(false);
        vault.enable_purge_protection = false;
        vault.access_policies = vec![
            policy(VIEWER.object_id, &["Get", "List"]),
            // NESTED is its member.
            policy(GROUP, &["all"]),
            AccessPolicy { application_id: Some(Uuid::from_u128(1)), ..policy(STRANGER.object_id, &["all"]) },
        ];
    })
    .await;
    let [viewer, group, stranger] =
        [f.token(VIEWER, KEY_VAULT).await, f.token(NESTED, KEY_VAULT).await, f.token(STRANGER, KEY_VAULT).await];
    // Roles count for nothing in this mode.
    let officer = f.admin(KEY_VAULT).await;
    let cases = [
        (&group, "PUT", "/secrets/ci-api-key", 200),
        (&viewer, "GET", "/secrets/ci-api-key", 200),
        (&viewer, "GET", "/secrets", 200),
        (&viewer, "PUT", "/secrets/ci-api-key", 403),
        (&stranger, "GET", "/secrets/ci-api-key", 403),
        (&officer, "GET", "/secrets/ci-api-key", 403),
        (&group, "DELETE", "/secrets/ci-api-key", 200),
        (&group, "DELETE", "/deletedsecrets/ci-api-key", 403),
        (&viewer, "GET", "/keys", 403),
    ];
    for (token, method, path, status) in cases {
        let reply = ask(&f, token, method, path).await;
        assert_eq!(reply.status, status, "{method} {path}: {}", reply.text);
        if status == 403 {
            assert_eq!(codes(&reply), (403, "Forbidden".into(), "AccessDenied".into()), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn the_network_is_in_front_of_the_rights_and_behind_the_token() {
    let firewall = |rules: &[&str]| NetworkAcls {
        bypass: "AzureServices".into(),
        default_action: DefaultAction::Deny,
        ip_rules: rules.iter().map(|r| (*r).to_owned()).collect(),
        virtual_network_rules: Vec::new(),
    };
    for (rules, inner) in [
        (vec![], "ForbiddenByFirewall"),
        (vec!["198.51.100.0/24"], "ForbiddenByFirewall"),
        (vec!["203.0.113.0/24"], ""),
    ] {
        let f = with(|w| vault_of(w).network_acls = Some(firewall(&rules))).await;
        let url = f.vault_url("kv-ci-prod", PATH);
        assert_eq!(f.ask("GET", &url, Ask::default()).await.status, 401);
        let found = codes(&f.get(&url, &f.admin(KEY_VAULT).await).await);
        assert_eq!(found.2, inner, "{rules:?} {found:?}");
        // The management plane isn't behind the vault's firewall.
        assert_eq!(f.get(&format!("{VAULT}?api-version=2023-07-01"), &f.admin(ARM).await).await.status, 200);
    }
    let f = with(|w| vault_of(w).public_network_access = Some("disabled".into())).await;
    let found = codes(&f.get(&f.vault_url("kv-ci-prod", PATH), &f.admin(KEY_VAULT).await).await);
    assert_eq!(found, (403, "Forbidden".into(), "ForbiddenByConnection".into()));
}

#[tokio::test]
async fn new_roles_count_only_after_their_propagation() {
    let f = with(|w| {
        w.behaviour.azure_role_propagation = SignedDuration::from_mins(10);
        grant(w, VIEWER, SECRETS_USER, VAULT);
    })
    .await;
    let token = f.token(VIEWER, KEY_VAULT).await;
    assert_eq!(ask(&f, &f.admin(KEY_VAULT).await, "PUT", "/secrets/ci-api-key").await.status, 200, "seeded long ago");
    f.clock.advance(Duration::from_secs(599));
    assert_eq!(ask(&f, &token, "GET", "/secrets/ci-api-key").await.status, 403);
    f.clock.advance(Duration::from_secs(1));
    assert_eq!(ask(&f, &token, "GET", "/secrets/ci-api-key").await.status, 200);
}

#[tokio::test]
async fn a_throttled_vault_says_when_to_come_back() {
    let bucket = Bucket { calls: 2, per: SignedDuration::from_secs(10) };
    let f = with(|w| w.behaviour.vault_throttle = Some(bucket)).await;
    let token = f.admin(KEY_VAULT).await;
    f.clock.advance(Duration::from_millis(1500));
    for expected in [404, 404, 429] {
        assert_eq!(ask(&f, &token, "GET", "/secrets/ci-api-key").await.status, expected);
    }
    let reply = ask(&f, &token, "GET", "/secrets/ci-api-key").await;
    assert_eq!((codes(&reply).0, reply.header("retry-after")), (429, Some("10")));
    f.clock.advance(Duration::from_secs(10));
    assert_eq!(ask(&f, &token, "GET", "/secrets/ci-api-key").await.status, 404);
}

#[tokio::test]
async fn a_vault_is_served_over_https_under_its_own_name() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = world();
    world.behaviour.vault_challenge = ChallengeResource::Local;
    let mut options = options(world, Vec::new());
    options.https = Some(([127, 0, 0, 1], 0).into());
    options.certificate = Some(folder.path().join("emulator.pem"));
    let f = Fixture::with(options).await;
    let pem = std::fs::read(f.emulator.certificate().unwrap()).unwrap();
    let host = "kv-ci-prod.vault.localhost";
    let client = reqwest::Client::builder()
        .no_proxy()
        .add_root_certificate(reqwest::Certificate::from_pem(&pem).unwrap())
        .resolve(host, ([127, 0, 0, 1], 0).into())
        .build()
        .unwrap();
    let port = f.emulator.https().unwrap().port().unwrap();
    let url = format!("https://{host}:{port}/secrets/ci-api-key/?api-version=7.5");
    let challenge = client.put(&url).send().await.unwrap();
    let header = challenge.headers()["www-authenticate"].to_str().unwrap().to_owned();
    assert!(header.ends_with(&format!("resource=\"https://vault.localhost:{port}\"")), "{header}");
    let token = f.admin(&format!("https://vault.localhost:{port}")).await;
    let body = json!({ "value": "one" }).to_string();
    let request = client.put(&url).bearer_auth(token).header("content-type", "application/json").body(body);
    let made: Value = serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap();
    assert!(made["id"].as_str().unwrap().starts_with(&format!("https://{host}:{port}/secrets/ci-api-key/")), "{made}");
}
