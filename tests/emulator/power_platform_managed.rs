//! Managed environments, and environments that are locked since their key is lost.

use palisade::emulator::{LinkKind, PolicyLink};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::platform::{ENVIRONMENT, POLICIES, Scene, VERSION, environment_of, refusal};
use crate::support::{Reply, vault_of};

async fn configure(s: &Scene, body: Value) -> Reply {
    s.ask("POST", &format!("environments/{ENVIRONMENT}/governanceConfiguration"), Some(body)).await
}

async fn switch(s: &Scene, verb: &str) -> Reply {
    s.publicly("POST", &format!("environments/{ENVIRONMENT}/governanceSetting/{verb}")).await
}

async fn governance(s: &Scene) -> Value {
    s.properties().await["governanceConfiguration"].clone()
}

#[tokio::test]
async fn the_published_switch_asks_for_the_level_alone() {
    let s = Scene::with(|world| environment_of(world).protection_level = "Basic".into()).await;
    let before = governance(&s).await["settings"].clone();
    let reply = switch(&s, "enableManaged").await;
    assert_eq!((reply.status.as_u16(), reply.text.as_str()), (202, ""));
    let location = reply.header("location").unwrap().to_owned();
    assert!(location.starts_with(&s.f.url("/environmentmanagement/operations/")), "{location}");
    let poll = async || s.f.get(&location, &s.platform).await.json();
    assert_eq!(poll().await["status"], "Queued");
    // Another start has to wait.
    assert_eq!(refusal(&switch(&s, "enableManaged").await), (409, "OperationNotStartable".into()));
    s.advance(1);
    assert_eq!(poll().await["status"], "InProgress");
    s.advance(1);
    let last = poll().await;
    assert_eq!(
        (&last["status"], &last["updatedEnvironment"]["environmentId"]),
        (&json!("Succeeded"), &json!(ENVIRONMENT))
    );
    let after = governance(&s).await;
    assert_eq!((&after["protectionLevel"], &after["settings"]), (&json!("Standard"), &before));
    // Already so, by an answer that could be "busy", too.
    assert_eq!(refusal(&switch(&s, "enableManaged").await), (409, "EmulatedAlreadyGoverned".into()));
    assert_eq!(switch(&s, "disableManaged").await.status, 202);
    let rehearsal = switch(&s, "enableManaged?ValidateOnly=true").await;
    assert_eq!(rehearsal.status, 501);
}

#[tokio::test]
async fn settings_are_texts_and_those_that_are_not_sent_stay() {
    let s = Scene::start().await;
    let sent = json!({ "protectionLevel": "Standard", "settings": { "extendedSettings": { "limitSharingMode": "excludeSharingToSecurityGroups" } } });
    assert_eq!(configure(&s, sent.clone()).await.status, 202);
    assert_eq!(s.operation().await["type"]["id"], "UpdateGovernanceConfiguration");
    s.advance(2);
    let settings = governance(&s).await["settings"]["extendedSettings"].clone();
    assert_eq!(settings["limitSharingMode"], "excludeSharingToSecurityGroups");
    assert_eq!(settings["solutionCheckerMode"], "none");
    assert_eq!(configure(&s, sent).await.status, 204);
    assert_eq!(refusal(&configure(&s, json!({ "protectionLevel": "Standard" })).await).0, 409);
    let number =
        json!({ "protectionLevel": "Standard", "settings": { "extendedSettings": { "maxLimitUserSharing": 5 } } });
    assert_eq!(refusal(&configure(&s, number).await), (400, "InvalidRequestContent".into()));
    assert_eq!(refusal(&configure(&s, json!({ "protectionLevel": "High" })).await), (400, "BadRequest".into()));
    assert_eq!(configure(&s, json!({ "protectionLevel": "Basic" })).await.status, 202);
    assert_eq!(s.operation().await["type"]["id"], "DisableGovernanceConfiguration");
}

#[tokio::test]
async fn a_group_owns_the_settings_and_what_is_in_use_keeps_an_environment_managed() {
    let s = Scene::with(|world| environment_of(world).group = Some(Uuid::from_u128(7))).await;
    let properties = s.properties().await;
    assert_eq!(properties["governanceConfiguration"]["settings"], json!(null));
    assert_eq!(properties["parentEnvironmentGroup"]["id"], json!(Uuid::from_u128(7)));
    assert_eq!(refusal(&switch(&s, "disableManaged").await), (409, "EmulatedGovernedByGroup".into()));
    for kind in [LinkKind::Encryption, LinkKind::NetworkInjection] {
        let s = Scene::with(|world| {
            let link = PolicyLink {
                policy: format!("{POLICIES}/other"),
                system_id: "/regions/europe/providers/Microsoft.PowerPlatform/enterprisePolicies/x".into(),
                status: "Linked".into(),
                error: None,
                in_force: kind != LinkKind::Encryption,
            };
            environment_of(world).links.insert(kind, link);
        })
        .await;
        assert_eq!(
            refusal(&switch(&s, "disableManaged").await),
            (409, "EmulatedManagedFeaturesInUse".into()),
            "{kind:?}"
        );
    }
}

async fn health(s: &Scene) -> Value {
    s.f.get(&format!("{POLICIES}/cmk{VERSION}"), &s.arm).await.json()["properties"]["healthStatus"].clone()
}

async fn runtime(s: &Scene) -> Value {
    s.properties().await["states"]["runtime"]["id"].clone()
}

#[tokio::test]
async fn an_environment_whose_key_is_lost_is_locked_until_it_is_enabled_again() {
    let s = Scene::start().await;
    let policy = s.granted("cmk").await;
    assert_eq!(health(&s).await, "Undetermined");
    s.linked(&policy).await;
    assert_eq!((health(&s).await, runtime(&s).await), (json!("Healthy"), json!("Enabled")));
    let enable = async || s.ask("POST", &format!("scopes/admin/environments/{ENVIRONMENT}/enable"), None).await;
    assert_eq!(enable().await.status, 204);
    let set = |enabled: bool| {
        s.change(|world| {
            vault_of(world).keys.get_mut("pp-key").unwrap().versions[0].attributes.enabled = enabled;
        });
    };
    set(false);
    assert_eq!((health(&s).await, runtime(&s).await), (json!("Unhealthy"), json!("Disabled")));
    // The link is still what it was.
    assert_eq!(s.standing().await.0, "Linked");
    for reply in [s.link(&policy).await, s.linking("unlink", &policy).await, switch(&s, "disableManaged").await] {
        assert_eq!(refusal(&reply), (400, "InvalidLifecycleOperationRequest".into()));
    }
    // As long as the key is lost, enabling fails.
    let reply = enable().await;
    assert_eq!((reply.status.as_u16(), reply.header("x-emulated-surface")), (202, Some("undocumented")));
    s.advance(2);
    let operation = s.operation().await;
    assert_eq!(
        (&operation["type"]["id"], &operation["error"]["code"]),
        (&json!("Enable"), &json!("EmulatedKeyDisabled"))
    );
    // The key is back, and that alone doesn't unlock.
    set(true);
    assert_eq!((health(&s).await, runtime(&s).await), (json!("Healthy"), json!("Disabled")));
    assert_eq!(enable().await.status, 202);
    s.advance(2);
    assert_eq!(runtime(&s).await, "Enabled");
    assert_eq!(s.linking("unlink", &policy).await.status, 202);
}

#[tokio::test]
async fn a_key_that_is_lost_while_another_is_linked_is_the_one_in_force() {
    let s = Scene::start().await;
    let (one, two) = (s.granted("cmk").await, s.granted("two").await);
    s.linked(&one).await;
    assert_eq!(s.link(&two).await.status, 202);
    let identity: Uuid = one["identity"]["principalId"].as_str().unwrap().parse().unwrap();
    s.change(|world| world.role_assignments.retain(|assignment| assignment.principal_id != identity));
    assert_eq!(runtime(&s).await, "Disabled");
    assert!(environment_of(&mut s.f.emulator.world()).locked);
    // With the second policy's key, the environment can be used again.
    s.advance(5);
    assert_eq!(runtime(&s).await, "Enabled");
}
