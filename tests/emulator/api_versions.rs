//! Which api-versions are taken, and how the others are refused.

use serde_json::json;

use crate::support::{
    ARM, Ask, Fixture, GROUP_SCOPE, KEY_VAULT, LAKE, VAULT, VIEWER, WORKSPACE, grant, options, world,
};

const OWNER: &str = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635";
const KEY_VAULT_ADMINISTRATOR: &str = "00482a5a-887f-4fb3-b363-3b7fe8e74483";

/// Versions that official clients send, or that are published, for each kind of thing; `{vault}` is a vault's own address.
const TAKEN: [(&str, &[&str]); 9] = [
    (
        LAKE,
        &[
            "2019-06-01",
            "2021-04-01",
            "2021-09-01",
            "2022-05-01",
            "2022-09-01",
            "2023-01-01",
            "2023-04-01",
            "2023-05-01",
            "2024-01-01",
            "2025-01-01",
            "2025-06-01",
            "2025-08-01",
            "2026-06-01",
            "2026-09-01",
        ],
    ),
    (
        VAULT,
        &[
            "2019-09-01",
            "2021-10-01",
            "2022-07-01",
            "2022-11-01",
            "2023-02-01",
            "2023-07-01",
            "2024-04-01-preview",
            "2024-11-01",
            "2025-05-01",
            "2026-02-01",
            "2026-05-15",
        ],
    ),
    (WORKSPACE, &["2019-06-01-preview", "2021-03-01", "2021-06-01", "2021-06-01-preview"]),
    ("/providers/Microsoft.Authorization/roleAssignments", &["2015-07-01", "2018-01-01-preview", "2022-04-01"]),
    ("/providers/Microsoft.ResourceGraph/resources", &["2021-03-01", "2022-10-01", "2024-04-01"]),
    ("/subscriptions", &["2015-11-01", "2016-02-01", "2016-06-01", "2021-01-01", "2022-12-01", "2025-04-01"]),
    ("/tenants", &["2022-12-01"]),
    ("{vault}/secrets", &["2016-10-01", "7.0", "7.5", "7.6", "2025-06-01", "2025-07-01", "2026-04-01"]),
    ("{vault}/keys", &["2016-10-01", "7.0", "7.5", "7.6-preview.2", "7.6", "2025-06-01", "2025-07-01"]),
];

async fn start() -> (Fixture, String, String) {
    let mut world = world();
    grant(&mut world, VIEWER, OWNER, "/");
    grant(&mut world, VIEWER, KEY_VAULT_ADMINISTRATOR, "/");
    let f = Fixture::with(options(world, Vec::new())).await;
    let (arm, vault) = (f.token(VIEWER, ARM).await, f.token(VIEWER, KEY_VAULT).await);
    (f, arm, vault)
}

#[tokio::test]
async fn what_official_clients_send_is_taken() {
    let (f, arm, vault) = start().await;
    for (path, versions) in TAKEN {
        let own = path.contains("{vault}");
        let path = path.replace("{vault}", &f.vault_url("kv-ci-prod", ""));
        for version in versions {
            let ask = Ask::token(if own { &vault } else { &arm });
            let query = path.contains("ResourceGraph");
            let (method, ask) = if query { ("POST", ask.json(&json!({ "query": "resources" }))) } else { ("GET", ask) };
            let reply = f.ask(method, &format!("{path}?api-version={version}"), ask).await;
            assert_eq!(reply.status, 200, "{path} {version}: {}", reply.text);
        }
    }
}

#[tokio::test]
async fn others_are_refused_in_the_services_own_words() {
    let (f, arm, vault) = start().await;
    let cases = [
        (
            format!("{LAKE}?api-version=2014-01-01"),
            "NoRegisteredProviderFound",
            "supported api-versions are '2026-09-01, ",
        ),
        (format!("{LAKE}?api-version=today"), "InvalidApiVersionParameter", "supported versions are '2025-04-01,"),
        ("/subscriptions?api-version=2012-01-01".to_owned(), "InvalidApiVersionParameter", "'2025-04-01,2025-03-01,"),
        ("/subscriptions".to_owned(), "MissingApiVersionParameter", "required for all requests"),
        ("/metadata/endpoints?api-version=2012-01-01".to_owned(), "InvalidApiVersionParameter", "2022-09-01"),
        (
            f.vault_url("kv-ci-prod", "/secrets?api-version=1.0"),
            "BadParameter",
            "latest supported version (2026-04-01)",
        ),
        (f.vault_url("kv-ci-prod", "/keys?api-version=2026-04-01"), "BadParameter", "supported version (2025-07-01)"),
    ];
    for (path, code, words) in cases {
        let token = if path.starts_with("http") { &vault } else { &arm };
        let reply = f.get(&path, token).await;
        let body = reply.json();
        assert_eq!((reply.status.as_u16(), &body["error"]["code"]), (400, &json!(code)), "{path}");
        assert!(body["error"]["message"].as_str().unwrap().contains(words), "{body}");
    }
    // A type that isn't served may well have this version.
    let reply =
        f.get(&format!("{GROUP_SCOPE}/providers/Microsoft.KeyVault/managedHSMs?api-version=2025-05-20"), &arm).await;
    assert_eq!(reply.status, 501, "{}", reply.text);
}
