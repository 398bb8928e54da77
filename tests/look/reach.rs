//! What one service hides of another: an instance that doesn't answer leaves what Azure tells.

use palisade::plan::Plan;

use crate::scene::{LAKE, PROD, Scene, everything};

/// The id that a reset gives.
const NEW: &str = "6f2b1c34-0000-4000-8000-00000000a0ff";

const WAYS: [&str; 5] = [
    "{ status: { code: 403 } }",
    "{ status: { code: 404 } }",
    "{ status: { code: 500 } }",
    "reset",
    "{ status: { code: 200, body: '<html>' } }",
];

fn codes(plan: &Plan) -> Vec<String> {
    plan.notes.iter().map(|note| note.code.to_string()).collect()
}

fn unknown(plan: &Plan) -> Vec<&str> {
    plan.scopes[0].unknown.iter().map(|unknown| unknown.address.as_str()).collect()
}

/// A vault with soft delete off and a firewall, and a pending connection, in a world where everything else is fine.
async fn scene(faults: &str) -> Scene {
    let change = |world: &mut palisade::emulator::World| {
        world.vaults.get_mut("kv-ci").unwrap().public_network_access = Some("Disabled".to_owned());
        let endpoint = "/subscriptions/99990000-0000-4000-8000-00000000dddd/resourceGroups/rg/providers/Microsoft.Network/privateEndpoints/pe-contosolake-blob";
        let connection =
            serde_json::json!({ "name": "contosolake.1", "privateEndpoint": endpoint, "status": "Pending" });
        let lake = world.storage_accounts.get_mut("contosolake").unwrap();
        lake.connections.push(serde_json::from_value(connection).unwrap());
    };
    Scene::with(&everything(), change, faults, None).await
}

#[tokio::test]
async fn an_instance_that_can_not_be_read_hides_nothing_that_azure_tells() {
    for operation in ["GET /api/instances".to_owned(), format!("GET /api/instances/{PROD}")] {
        for way in WAYS {
            let scene = scene(&format!("- {{ operation: {operation}, action: {way} }}")).await;
            let plan = scene.plan().await;
            let what = format!("{operation} {way}");
            assert_eq!(plan.summary.changes, 0, "{what}");
            let codes = codes(&plan);
            for expected in ["vault-firewall", "region-mismatch", "connections-unattributed"] {
                assert!(codes.iter().any(|code| code == expected), "{what}: {codes:?}");
            }
            // One line for the cause, with the settings that it leaves unknown.
            let unknown: Vec<_> = unknown(&plan);
            assert_eq!(unknown.iter().filter(|address| **address == "prod").count(), 1, "{what}: {unknown:?}");
            let cause = &plan.scopes[0].unknown[0].reason;
            for setting in ["users", "apiAccess", "keyVault", "privateLinks"] {
                assert!(!unknown.contains(&format!("prod/{setting}").as_str()), "{what}: {unknown:?}");
                assert!(cause.contains(setting), "{what}: {cause}");
            }
            // What is missing in Azure is told, and not planned.
            assert!(unknown.contains(&"prod/keyVault/roles/key-vault-reader"), "{what}: {unknown:?}");
            let dark = ["/rbac/", "/manage/"];
            let asked = scene.emulator.requests();
            assert!(!asked.iter().any(|seen| dark.iter().any(|part| seen.path.contains(part))), "{what}");
        }
    }
}

#[tokio::test]
async fn a_published_key_shows_its_age_without_the_instance() {
    let scene = Scene::of(&everything()).await;
    let plan = scene.plan().await;
    let report = scene.apply(&plan).await;
    assert_eq!(report.summary.failed, 0, "{report:?}");
    let world = scene.emulator.world();
    for (days, expected) in [(10, "rotation-schedule"), (100, "rotation-warning")] {
        let faults = format!("- {{ operation: GET /api/instances/{PROD}, action: {{ status: {{ code: 403 }} }} }}");
        let again = Scene::with(&everything(), |empty| *empty = world.clone(), &faults, None).await;
        again.clock.advance(std::time::Duration::from_secs(days * 86400));
        let plan = again.plan().await;
        let note = plan.notes.iter().find(|note| note.address.as_str() == "prod/apiAccess/keys");
        assert_eq!(note.map(|note| note.code.to_string()).as_deref(), Some(expected), "{:?}", plan.notes);
        assert!(note.unwrap().message.contains(&format!("{days} days old")), "{note:?}");
        assert_eq!(again.count("GET", "/secrets/ci-api-key"), 0, "no value is read for an age");
        assert_eq!(plan.summary.changes, 0);
    }
}

/// An instance that names another Power Platform environment than the file is another one.
#[tokio::test]
async fn ids_that_do_not_belong_together_refuse_the_environment() {
    for (named, refused) in
        [("1bd6bd98-0000-4000-8000-00000000e001", false), ("1bd6bd98-0000-4000-8000-00000000e002", true)]
    {
        let body = format!(
            "{{ instanceId: {PROD}, name: prod, provisioningState: active, region: europe, bapEnvironmentId: {named} }}"
        );
        let faults = format!(
            "- {{ operation: GET /api/instances/{PROD}, action: {{ status: {{ code: 200, body: {body} }} }} }}"
        );
        let scene = Scene::with(&everything(), |_| {}, &faults, None).await;
        let plan = scene.plan().await;
        assert_eq!(
            codes(&plan).iter().any(|code| code == "environment-mismatch"),
            refused,
            "{named}: {:?}",
            plan.notes
        );
    }
}

/// Nothing of an instance of another tenant is asked for; what Azure tells of declared resources is.
#[tokio::test]
async fn an_instance_of_another_tenant_is_refused_and_not_asked() {
    let body = format!("[{{ instanceId: {PROD}, tenantId: 99999999-0000-4000-8000-0000000000aa }}]");
    let faults = format!("- {{ operation: GET /api/instances, action: {{ status: {{ code: 200, body: {body} }} }} }}");
    let scene = scene(&faults).await;
    let plan = scene.plan().await;
    let codes = codes(&plan);
    assert!(["tenant-mismatch", "vault-firewall"].iter().all(|code| codes.iter().any(|one| one == code)), "{codes:?}");
    assert_eq!(plan.summary.changes, 0);
    let asked = scene.emulator.requests();
    assert!(!asked.iter().any(|seen| seen.path.contains(PROD)));
    assert!(asked.iter().any(|seen| LAKE.ends_with(seen.path.rsplit('/').next().unwrap())));
}

#[tokio::test]
async fn an_environment_with_a_new_instance_id_is_found_by_its_name() {
    let text = everything().replace("    users:\n", "    name: Contoso prod\n    users:\n");
    let reset = |world: &mut palisade::emulator::World| {
        let instance = world.instances.remove(&PROD.parse().unwrap()).unwrap();
        world.instances.insert(NEW.parse().unwrap(), instance);
    };
    let plan = Scene::with(&text, reset, "[]", None).await.plan().await;
    let unknown = &plan.scopes[0].unknown[0];
    for expected in ["`Contoso prod`", NEW, "Dataverse https://", "write `instanceId:"] {
        assert!(unknown.reason.contains(expected), "{}", unknown.reason);
    }
    assert_eq!(unknown.source.as_ref().map(|place| place.line), Some(4));
    assert_eq!(plan.summary.changes, 0, "a candidate is never used");

    // One that is another environment of the file isn't named.
    let other = text.replace(
        "environments:\n",
        &format!("environments:\n  other:\n    instanceId: {NEW}\n    apiAccess: {{ enabled: false }}\n"),
    );
    let plan = Scene::with(
        &other,
        |world| {
            world.instances.remove(&PROD.parse().unwrap()).unwrap();
            world.instances.get_mut(&NEW.parse().unwrap()).unwrap().metadata.name = Some("Contoso prod".to_owned());
        },
        "[]",
        None,
    )
    .await
    .plan()
    .await;
    assert!(!plan.scopes[1].unknown[0].reason.contains(NEW), "{:?}", plan.scopes[1].unknown);

    // One of another name isn't named.
    let renamed = |world: &mut palisade::emulator::World| {
        reset(world);
        world.instances.get_mut(&NEW.parse().unwrap()).unwrap().metadata.name = Some("Fabrikam".to_owned());
    };
    let plan = Scene::with(&text, renamed, "[]", None).await.plan().await;
    assert!(!plan.scopes[0].unknown[0].reason.contains(NEW), "{:?}", plan.scopes[0].unknown);
}
