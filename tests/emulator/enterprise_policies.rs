//! Enterprise policies as resources of Azure.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::platform::{ENCRYPTION_USER, POLICIES, Scene, VERSION, environment_of, policy_body, refusal};
use crate::support::{ARM, Ask, Reply, STRANGER, SUBSCRIPTION, VAULT, grant};

const READER: &str = "acdd72a7-3385-48ef-bd42-f606fba81ae7";

async fn put(s: &Scene, name: &str, body: &Value) -> Reply {
    s.f.ask("PUT", &format!("{POLICIES}/{name}{VERSION}"), Ask::token(&s.arm).json(body)).await
}

async fn ask(s: &Scene, method: &str, name: &str) -> Reply {
    s.f.ask(method, &format!("{POLICIES}/{name}{VERSION}"), Ask::token(&s.arm)).await
}

#[tokio::test]
async fn a_policy_has_an_identity_under_both_names_and_a_system_id() {
    let s = Scene::start().await;
    let policy = s.policy("cmk-EU", "pp-key").await;
    assert_eq!(
        (&policy["name"], &policy["kind"], &policy["location"]),
        (&json!("cmk-EU"), &json!("Encryption"), &json!("europe"))
    );
    let identity = &policy["identity"];
    assert!(
        identity["principalId"].is_string() && identity["principalId"] == identity["systemAssignedIdentityPrincipalId"]
    );
    let system = policy["properties"]["systemId"].as_str().unwrap();
    assert!(system.starts_with("/regions/europe/providers/Microsoft.PowerPlatform/enterprisePolicies/"), "{system}");
    let encryption = &policy["properties"]["encryption"];
    assert_eq!(
        (&encryption["keyVault"]["id"], &encryption["keyVault"]["key"]),
        (&json!(VAULT), &json!({ "name": "pp-key" }))
    );
    let read =
        s.f.get(
            &format!(
                "{}{VERSION}",
                format!("{POLICIES}/CMK-eu").to_uppercase().replace("SUBSCRIPTIONS", "subscriptions")
            ),
            &s.arm,
        )
        .await;
    assert_eq!(read.json(), policy);
    let newer = s.f.get(&format!("{POLICIES}/cmk-eu?api-version=2020-10-30"), &s.arm).await;
    assert_eq!(newer.json(), policy);
    // Sent back as it came, with another key: that is how Microsoft's own module changes one.
    let mut changed = policy.clone();
    changed["properties"]["encryption"]["keyVault"]["key"] =
        json!({ "name": "other", "version": format!("{:032x}", 1) });
    let again = put(&s, "cmk-eu", &changed).await;
    assert_eq!(
        (again.status.as_u16(), &again.json()["properties"]["systemId"]),
        (200, &policy["properties"]["systemId"])
    );
    assert_eq!(again.json()["properties"]["encryption"]["keyVault"]["key"]["name"], "other");
    let patched = s
        .f
        .ask("PATCH", &format!("{POLICIES}/cmk-eu{VERSION}"), Ask::token(&s.arm).json(&json!({ "tags": { "a": "b" } })))
        .await;
    assert_eq!((patched.status.as_u16(), &patched.json()["tags"]["a"]), (200, &json!("b")));
    let list = s.f.get(&format!("{POLICIES}{VERSION}"), &s.arm).await.json();
    assert_eq!(list["value"].as_array().unwrap().len(), 1);
    assert_eq!(ask(&s, "DELETE", "cmk-eu").await.status, 200);
    assert_eq!(ask(&s, "DELETE", "cmk-eu").await.status, 204);
    assert_eq!(refusal(&ask(&s, "GET", "cmk-eu").await), (404, "ResourceNotFound".into()));
    // Under the old name it is another one.
    s.advance(1);
    let new = s.policy("cmk-EU", "pp-key").await;
    assert_ne!(
        (&new["properties"]["systemId"], &new["identity"]["principalId"]),
        (&policy["properties"]["systemId"], &identity["principalId"])
    );
}

#[tokio::test]
async fn what_is_no_policy_is_refused() {
    let s = Scene::start().await;
    let with = |path: &[&str], value: Value| {
        let mut body = policy_body("pp-key");
        let mut at = &mut body;
        for name in path {
            at = &mut at[*name];
        }
        *at = value;
        body
    };
    let input = "InputValidationError";
    for (body, code) in [
        (with(&["location"], json!("westeurope")), "LocationNotAvailableForResourceType"),
        (with(&["location"], json!(null)), "LocationRequired"),
        (with(&["kind"], json!("Wishes")), input),
        (with(&["identity"], json!({ "type": "None" })), input),
        (with(&["identity"], json!(null)), input),
        (with(&["properties", "encryption"], json!(null)), input),
        (with(&["properties", "encryption", "keyVault", "id"], json!("https://kv.vault.azure.net")), input),
        (with(&["properties", "encryption", "keyVault", "key", "name"], json!("")), input),
        (with(&["properties", "networkInjection"], json!({ "virtualNetworks": { "value": [] } })), input),
        (with(&["properties", "wishes"], json!(1)), input),
    ] {
        let reply = put(&s, "cmk", &body).await;
        assert_eq!(refusal(&reply), (400, code.to_owned()), "{body}");
    }
    s.policy("cmk", "pp-key").await;
    assert_eq!(refusal(&put(&s, "cmk", &with(&["kind"], json!("Identity"))).await), (400, input.into()));
    let reply = put(&s, "other", &with(&["kind"], json!("Wishes"))).await;
    assert_eq!(reply.json()["error"]["namespace"], "Quartz.EnterprisePolicy");
}

#[tokio::test]
async fn a_policy_that_is_linked_stays_as_it_is() {
    let s = Scene::start().await;
    let (one, two) = (s.granted("one").await, s.granted("two").await);
    let refused = async |name: &str| {
        let put = put(&s, name, &policy_body("other")).await;
        assert_eq!(refusal(&put), (400, "EnterprisePolicyUpdateNotAllowed".into()), "{name}");
        let delete = ask(&s, "DELETE", name).await;
        assert_eq!(refusal(&delete), (400, "EnterprisePolicyDeleteNotAllowed".into()), "{name}");
        assert!(delete.text.contains("linked to 1 environment"), "{}", delete.text);
    };
    assert_eq!(s.link(&one).await.status, 202);
    refused("one").await;
    s.advance(5);
    refused("one").await;
    let tags = Ask::token(&s.arm).json(&json!({ "tags": { "a": "b" } }));
    assert_eq!(s.f.ask("PATCH", &format!("{POLICIES}/one{VERSION}"), tags).await.status, 200);
    // While it is replaced, both are in use.
    assert_eq!(s.link(&two).await.status, 202);
    refused("one").await;
    refused("two").await;
    s.advance(5);
    refused("two").await;
    assert_eq!(ask(&s, "DELETE", "one").await.status, 200);
    // A link that failed and was never in force holds nothing.
    let s = Scene::with(|world| world.behaviour.lifecycle_operations_fail = true).await;
    let policy = s.granted("one").await;
    assert_eq!(s.link(&policy).await.status, 202);
    s.advance(5);
    assert_eq!(ask(&s, "DELETE", "one").await.status, 200);
}

#[tokio::test]
async fn an_identity_appears_in_the_directory_late() {
    let s = Scene::with(|world| world.behaviour.policy_identity_replication = SignedDuration::from_secs(90)).await;
    let policy = s.policy("cmk", "pp-key").await;
    let path = format!(
        "{VAULT}/providers/Microsoft.Authorization/roleAssignments/0b000000-0000-4000-8000-000000000009?api-version=2022-04-01"
    );
    let body = json!({ "properties": { "principalType": "ServicePrincipal",
        "roleDefinitionId": format!("/providers/Microsoft.Authorization/roleDefinitions/{ENCRYPTION_USER}"),
        "principalId": policy["identity"]["principalId"] } });
    let grant = async || s.f.ask("PUT", &path, Ask::token(&s.arm).json(&body)).await;
    assert_eq!(refusal(&grant().await), (400, "PrincipalNotFound".into()));
    s.advance(90);
    assert_eq!(grant().await.status, 201);
    s.linked(&policy).await;
}

#[tokio::test]
async fn policies_take_rights_and_a_registered_provider() {
    let s = Scene::with(|world| {
        grant(world, STRANGER, READER, POLICIES.split("/providers/").next().unwrap());
        let key = format!("{SUBSCRIPTION}/microsoft.powerplatform");
        world.unregistered_providers.insert(key, None);
        let client = world.applications.iter().find(|(_, a)| a.app_id == palisade::emulator::CLIENT_ID).unwrap();
        let own = crate::support::Who { app_id: palisade::emulator::CLIENT_ID, object_id: *client.0 };
        grant(world, own, "b24988ac-6180-42a0-ab88-20f7382dd24c", &format!("/subscriptions/{SUBSCRIPTION}"));
    })
    .await;
    let provider = format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.PowerPlatform");
    let state = async || s.f.get(&format!("{provider}?api-version=2021-04-01"), &s.arm).await.json();
    let first = state().await;
    assert_eq!(first["registrationState"], "NotRegistered");
    let locations = first["resourceTypes"][0]["locations"].as_array().unwrap();
    assert!(locations.contains(&json!("europe")) && locations.contains(&json!("unitedstates")));
    assert_eq!(refusal(&put(&s, "cmk", &policy_body("pp-key")).await), (409, "MissingSubscriptionRegistration".into()));
    let registered = s.f.ask("POST", &format!("{provider}/register?api-version=2016-02-01"), Ask::token(&s.arm)).await;
    assert_eq!(registered.json()["registrationState"], "Registering");
    s.advance(10);
    assert_eq!(state().await["registrationState"], "Registered");
    s.policy("cmk", "pp-key").await;
    let reader = s.f.token(STRANGER, ARM).await;
    assert_eq!(s.f.get(&format!("{POLICIES}/cmk{VERSION}"), &reader).await.status, 200);
    for method in ["PUT", "PATCH", "DELETE"] {
        let ask = Ask::token(&reader).json(&policy_body("pp-key"));
        let reply = s.f.ask(method, &format!("{POLICIES}/cmk{VERSION}"), ask).await;
        assert_eq!(refusal(&reply), (403, "AuthorizationFailed".into()), "{method}");
    }
    let whole = format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.PowerPlatform/enterprisePolicies{VERSION}");
    assert_eq!(s.f.get(&whole, &reader).await.status, 403);
    assert_eq!(s.f.get(&whole, &s.arm).await.json()["value"].as_array().unwrap().len(), 1);
    let listed =
        s.f.get(&format!("/subscriptions/{SUBSCRIPTION}/resources?api-version=2021-04-01"), &s.arm).await.json();
    let kinds: Vec<&str> = listed["value"].as_array().unwrap().iter().map(|it| it["type"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"Microsoft.PowerPlatform/enterprisePolicies"), "{kinds:?}");
}

#[tokio::test]
async fn a_world_without_power_platform_still_reads() {
    let s = Scene::start().await;
    let mut document = serde_json::to_value(s.f.emulator.world()).unwrap();
    let members = document.as_object_mut().unwrap();
    for name in [
        "powerPlatformEnvironments",
        "enterprisePolicies",
        "lifecycleOperations",
        "adminApplications",
        "unregisteredProviders",
    ] {
        members.remove(name);
    }
    let knobs = document["behaviour"].as_object_mut().unwrap();
    for name in [
        "lifecycleOperationTime",
        "encryptionOperationTime",
        "lifecycleOperationsFail",
        "lifecycleStaleReads",
        "emptyConflicts",
        "powerPlatformPage",
        "policyIdentityReplication",
    ] {
        assert!(knobs.remove(name).is_some(), "{name}");
    }
    let mut world: palisade::emulator::World = serde_json::from_value(document).unwrap();
    assert!(world.power_platform_environments.is_empty());
    // Seeding adds what is missing, and says so.
    let added =
        palisade::emulator::seed(&mut world, &crate::support::wanted(), crate::support::start_of_time()).unwrap();
    let things: Vec<_> = added.things().map(|(thing, names)| (thing, names.to_vec())).collect();
    use palisade::emulator::Thing::{PowerPlatformAdministrator, PowerPlatformEnvironment};
    assert_eq!(
        things,
        [
            (PowerPlatformEnvironment, vec!["Contoso prod".to_owned()]),
            (PowerPlatformAdministrator, vec!["palisade".to_owned()]),
        ]
    );
    assert_eq!(environment_of(&mut world).protection_level, "Standard");
}
