//! Operations that take days: left at once, found again, and nothing else is begun meanwhile.

use super::*;
use crate::support::changes;

const KEYS: &str = "    apiAccess:
      enabled: true
      keys:
        publishTo:
          vault: /subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg-secrets/providers/Microsoft.KeyVault/vaults/kv-ci-prod
          secret: ci-api-key
";
/// A day before the published key is to be rotated.
const BEGUN: &str = "2027-02-03T12:00:00Z";
const TWO_DAYS: &str = "2027-02-05T12:00:00Z";
const FIVE_DAYS: &str = "2027-02-08T12:00:00Z";
const ELEVEN_DAYS: &str = "2027-02-14T12:00:00Z";

fn published(world: &World) -> usize {
    world.vaults["kv-ci-prod"].secrets["ci-api-key"].versions.len()
}

/// A scene with a published key, whose environment is being linked from [`BEGUN`] on.
fn begun_at_last() -> Scene {
    let scene = Scene::with(&prod(KEYS));
    scene.emulated(&["apply", "--yes"]).ended(0);
    scene.change_world(|world| world.behaviour.encryption_operation_time = SignedDuration::from_hours(96));
    scene.write("palisade.yaml", &(plain() + KEYS));
    planned(&scene, BEGUN);
    apply(&scene, BEGUN).ended(6);
    scene
}

#[test]
fn an_operation_of_days_is_left_and_waited_for_with_all_that_must_not_happen_meanwhile() {
    let scene = begun_at_last();
    let begun = scene.world();
    // The published key's time has come, and it has to wait as well.
    let plan = scene.emulated_at(TWO_DAYS, &["plan", "--format", "json"]).ended(0).json();
    assert_eq!(changes(&plan), [""; 0]);
    let waiting = plan["scopes"][0]["waiting"].as_array().unwrap();
    let link = waiting.iter().find(|one| one["address"] == "prod/customerManagedKey").unwrap();
    assert_eq!((link["for"].as_str(), &link["since"].as_str().unwrap()[..16]), (Some("service"), &BEGUN[..16]));
    let detail = link["detail"].as_str().unwrap();
    assert!(detail.contains("NewCustomerManagedKey, stage Run Running, for 2 days"), "{detail}");
    assert!(waiting.iter().any(|one| one["address"].as_str().unwrap().starts_with("prod/apiAccess/keys")), "{plan}");
    scene.emulated_at(TWO_DAYS, &["plan", "--detailed-exitcode"]).ended(6);
    scene.emulated_at(TWO_DAYS, &["drift"]).ended(6);
    sent_no_link(&scene.emulated_at(TWO_DAYS, &["apply", "--yes", "-vv"]).ended(6));
    // The same plan says the same while it is valid.
    let run = scene.emulated_at("2027-02-04T11:00:00Z", &["apply", "approved.plan", "-vv"]).ended(6);
    sent_no_link(&run);
    let world = scene.world();
    assert_eq!(world.lifecycle_operations, begun.lifecycle_operations);
    assert_eq!(published(&world), published(&begun));
    assert_eq!(world.instances, begun.instances);
}

#[test]
fn an_operation_beyond_its_days_is_told_and_what_waited_comes_afterwards() {
    let scene = begun_at_last();
    let before = published(&scene.world());
    scene.emulated_at("2027-02-07T11:00:00Z", &["plan"]).ended(0).says("for 3 days");
    scene.change_world(|world| {
        let operation = world.lifecycle_operations.values_mut().next().unwrap();
        operation.ends = at("2027-02-13T12:00:00Z");
    });
    let run = scene.emulated_at("2027-02-07T11:00:00Z", &["drift", "--format", "json"]).ended(6);
    assert!(!run.stdout.contains("cmk-overdue"), "{}", run.stdout);
    scene.emulated_at(FIVE_DAYS, &["plan"]).ended(0).says("error[cmk-overdue]").says("open a support request");
    scene.emulated_at(FIVE_DAYS, &["drift"]).ended(6).says("cmk-overdue");
    sent_no_link(&scene.emulated_at(FIVE_DAYS, &["apply", "--yes", "-vv"]).ended(6));
    assert_eq!(published(&scene.world()), before);
    let plan = scene.emulated_at(ELEVEN_DAYS, &["plan", "--format", "json"]).ended(0).json();
    assert_eq!(changes(&plan), ["rotate prod/apiAccess/keys/secondary"]);
    scene.emulated_at(ELEVEN_DAYS, &["apply", "--yes"]).ended(0);
    let world = scene.world();
    assert_eq!(link(&world), is("cmk-eu", "Linked", true));
    assert!(published(&world) > before);
    assert_eq!(operations(&world), ["NewCustomerManagedKey"]);
}
