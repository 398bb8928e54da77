//! ARM's own routes, and what Azure's command line reads before it signs in.

use serde_json::{Value, json};

use crate::support::{
    ARM, Ask, Fixture, GROUP_SCOPE, LAKE, NESTED, STRANGER, SUBSCRIPTION, TENANT, VAULT, VIEWER, grant, options, world,
};

const READER: &str = "acdd72a7-3385-48ef-bd42-f606fba81ae7";
const CONTRIBUTOR: &str = "b24988ac-6180-42a0-ab88-20f7382dd24c";
const VERSION: &str = "api-version=2022-12-01";

async fn start() -> Fixture {
    let mut world = world();
    grant(&mut world, VIEWER, CONTRIBUTOR, &format!("/subscriptions/{SUBSCRIPTION}"));
    grant(&mut world, NESTED, READER, LAKE);
    Fixture::with(options(world, Vec::new())).await
}

fn names(body: &Value, member: &str) -> Vec<String> {
    body["value"].as_array().unwrap().iter().map(|item| item[member].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn what_is_in_sight_of_the_caller_is_listed() {
    let f = start().await;
    let (all, one, none) = (f.token(VIEWER, ARM).await, f.token(NESTED, ARM).await, f.token(STRANGER, ARM).await);
    let list = async |path: &str, token: &str| f.get(&format!("{path}?{VERSION}"), token).await.json();
    let own = format!("/subscriptions/{SUBSCRIPTION}");
    for token in [&all, &one] {
        let found = list("/subscriptions", token).await;
        assert_eq!(names(&found, "subscriptionId"), [SUBSCRIPTION]);
        assert_eq!(found["value"][0], list(&own, token).await);
        assert_eq!(found["value"][0]["tenantId"], json!(TENANT));
        assert_eq!(found["value"][0]["state"], "Enabled");
    }
    assert_eq!(list("/subscriptions", &none).await["value"], json!([]));
    assert_eq!(list(&own, &none).await["error"]["code"], "SubscriptionNotFound");
    assert_eq!(names(&list(&format!("{own}/resourcegroups"), &all).await, "name"), ["rg-Lake", "rg-Secrets"]);
    assert_eq!(names(&list(&format!("{own}/resourceGroups"), &one).await, "name"), ["rg-Lake"]);
    let resources = list(&format!("{own}/resources"), &all).await;
    assert_eq!(names(&resources, "name"), ["contosolake", "contoso-Synapse", "kv-CI-prod"]);
    assert!(resources["value"][0].get("properties").is_none());
    assert_eq!(names(&list(&format!("{own}/resources"), &one).await, "name"), ["contosolake"]);
    assert_eq!(names(&list(&format!("{GROUP_SCOPE}/resources"), &all).await, "name").len(), 2);
    let filter = "$filter=resourceType%20eq%20%27Microsoft.KeyVault/vaults%27&$top=1";
    let thin = f.get(&format!("{own}/resources?{filter}&api-version=2015-11-01"), &all).await.json();
    assert_eq!(thin["value"][0]["id"], VAULT);
    let by_name = async |name: &str| {
        let filter =
            format!("$filter=resourceType%20eq%20%27Microsoft.KeyVault/vaults%27%20and%20name%20eq%20%27{name}%27");
        names(&f.get(&format!("{own}/resources?{filter}&api-version=2015-11-01"), &all).await.json(), "name")
    };
    assert_eq!((by_name("KV-ci-prod").await, by_name("contosolake").await), (vec!["kv-CI-prod".to_owned()], vec![]));
    for filter in ["tagName%20eq%20%27a%27", "name%20eq%20%27a%27%20or%20name%20eq%20%27b%27"] {
        let reply = f.get(&format!("{own}/resources?{VERSION}&$filter={filter}"), &all).await;
        assert_eq!(reply.status, 501, "{filter}: {}", reply.text);
    }
    let tenants = list("/tenants", &none).await;
    assert_eq!(
        (&tenants["value"][0]["tenantId"], &tenants["value"][0]["defaultDomain"]),
        (&json!(TENANT), &json!("contoso.com"))
    );
}

#[tokio::test]
async fn groups_and_providers_are_shown() {
    let f = start().await;
    let (all, one) = (f.token(VIEWER, ARM).await, f.token(NESTED, ARM).await);
    let group = f.get(&format!("{GROUP_SCOPE}?{VERSION}"), &all).await.json();
    assert_eq!((&group["id"], &group["type"]), (&json!(GROUP_SCOPE), &json!("Microsoft.Resources/resourceGroups")));
    let other = GROUP_SCOPE.replace("rg-Lake", "none");
    assert_eq!(f.get(&format!("{other}?{VERSION}"), &all).await.json()["error"]["code"], "ResourceGroupNotFound");
    assert_eq!(f.get(&format!("{GROUP_SCOPE}?{VERSION}"), &one).await.status, 403);
    for (path, status) in [(GROUP_SCOPE, 204), (other.as_str(), 404)] {
        let reply = f.ask("HEAD", &format!("{path}?{VERSION}"), Ask::token(&all)).await;
        assert_eq!((reply.status.as_u16(), reply.text.as_str()), (status, ""));
    }
    let own = format!("/subscriptions/{SUBSCRIPTION}/providers");
    let listed = f.get(&format!("{own}?{VERSION}"), &all).await.json();
    assert!(names(&listed, "namespace").contains(&"Microsoft.Storage".to_owned()));
    let shown = f.get(&format!("{own}/microsoft.keyvault?{VERSION}"), &all).await.json();
    assert_eq!(
        (&shown["namespace"], &shown["registrationState"]),
        (&json!("Microsoft.KeyVault"), &json!("Registered"))
    );
    assert_eq!(shown["resourceTypes"][0]["resourceType"], "vaults");
    assert_eq!(shown["resourceTypes"][0]["apiVersions"][0], "2026-05-15");
    let register = format!("{own}/Microsoft.KeyVault/register?api-version=2016-02-01");
    assert_eq!(f.ask("POST", &register, Ask::token(&all)).await.json(), shown);
    assert_eq!(f.ask("POST", &register, Ask::token(&one)).await.status, 403);
    assert_eq!(f.get(&format!("{own}/Microsoft.Network?{VERSION}"), &all).await.status, 501);
}

#[tokio::test]
async fn a_client_that_knows_arm_finds_the_rest() {
    let f = start().await;
    let origin = f.url("/");
    let about = f.ask("GET", "/metadata/endpoints?api-version=2022-09-01", Ask::default()).await.json();
    assert_eq!(about["resourceManager"], origin);
    assert_eq!(about["authentication"]["loginEndpoint"], origin.trim_end_matches('/'));
    let port = f.emulator.http().port().unwrap();
    assert_eq!(about["suffixes"]["keyVaultDns"], format!("vault.localhost:{port}"));
    let old = f.ask("GET", "/metadata/endpoints?api-version=2019-05-01", Ask::default()).await.json();
    assert_eq!(old, json!([about]));
    // Graph goes by the emulator's own address there, which is then what tokens are asked for.
    let token = f.admin(origin.trim_end_matches('/')).await;
    assert_eq!(f.get("/v1.0/users", &token).await.status, 200);
}
