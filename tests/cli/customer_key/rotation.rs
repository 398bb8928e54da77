//! Keys that get a new version: on demand, by the vault's own policy, for several environments at once, and by runs that die on the way.

use super::*;
use crate::support::changes;

const FIRST: &str = ", rotatedAfter: 2026-11-20T00:00:00Z";
const SECOND: &str = ", rotatedAfter: 2026-11-22T00:00:00Z";
/// A day after the first, when it was picked up, and the second is due.
const DUE_AGAIN: &str = "2026-11-22T12:00:00Z";
const PICKED_UP_AGAIN: &str = "2026-11-23T12:30:00Z";

fn rotating(more: &str) -> String {
    on("cmk-eu", &key("pp-key", "kv-cmk", more), "")
}

/// The versions of the key, and how many of them are enabled.
fn versions(world: &World) -> (usize, usize) {
    let versions = &world.vaults["kv-cmk"].keys["pp-key"].versions;
    (versions.len(), versions.iter().filter(|version| version.attributes.enabled).count())
}

#[test]
fn a_key_is_rotated_once_for_each_demand_and_picked_up_in_its_time() {
    let scene = settled(&plain());
    scene.write("palisade.yaml", &rotating(FIRST));
    assert_eq!(changes(&planned(&scene, LATER)), ["rotate prod/customerManagedKey/key/version"]);
    apply(&scene, LATER).ended(6).says("done         rotate prod/customerManagedKey/key/version");
    assert_eq!(versions(&scene.world()), (2, 2), "the former version stays enabled");
    // A day's converging, in which nothing is done twice.
    for command in [&["plan", "--detailed-exitcode"] as &[&str], &["drift"], &["apply", "--yes"]] {
        scene
            .emulated_at(STILL_LATER, command)
            .ended(6)
            .says("customerManagedKey/key/version (for the service, since 2026-11-20T13:00:00Z)");
    }
    apply(&scene, STILL_LATER).ended(6);
    assert_eq!(versions(&scene.world()), (2, 2));
    scene.emulated_at(DUE_AGAIN, &["plan", "--detailed-exitcode"]).ended(0).says("No changes");

    scene.write("palisade.yaml", &rotating(SECOND));
    assert_eq!(changes(&planned(&scene, DUE_AGAIN)), ["rotate prod/customerManagedKey/key/version"]);
    apply(&scene, DUE_AGAIN).ended(6);
    apply(&scene, DUE_AGAIN).ended(6);
    assert_eq!(versions(&scene.world()), (3, 3));
    scene.emulated_at(PICKED_UP_AGAIN, &["plan", "--detailed-exitcode"]).ended(0);
    // A demand that is still to come asks for nothing yet.
    scene.write("palisade.yaml", &rotating(", rotatedAfter: 2027-06-01T00:00:00Z"));
    scene.emulated_at(PICKED_UP_AGAIN, &["plan", "--detailed-exitcode"]).ended(0);
}

#[test]
fn a_run_that_is_killed_at_any_request_rotates_once_all_the_same() {
    let undisturbed = settled(&plain());
    undisturbed.write("palisade.yaml", &rotating(FIRST));
    planned(&undisturbed, LATER);
    let (plan, world) = (undisturbed.read("approved.plan"), undisturbed.world());
    let mut killed = [0, 0];
    for request in 1.. {
        let scene = Scene::bare();
        scene.write("palisade.yaml", &rotating(FIRST));
        scene.write("approved.plan", &plan);
        scene.keep_world(&world);
        scene.write("faults.yaml", &format!("- {{ operation: '*', nth: {request}, action: crash }}"));
        let run = scene.emulated_at(LATER, &["apply", "approved.plan", "--emulator-faults", "faults.yaml"]);
        if run.status == Some(6) {
            break;
        }
        assert_eq!(run.status, None, "{run:?}");
        let (made, _) = versions(&scene.killed_world());
        killed[made - 1] += 1;
        apply(&scene, LATER).ended(6);
        assert_eq!(versions(&scene.world()), (2, 2), "killed at the request {request}");
    }
    assert!(killed[0] > 3 && killed[1] > 0, "before and after the new version: {killed:?}");
}

#[test]
fn environments_that_share_a_key_share_its_new_version() {
    let block = |demand: &str| {
        let (policy, key) = (policy("cmk-eu"), key("pp-key", "kv-cmk", demand));
        format!("    customerManagedKey: {{ managedBy: customer, policy: {policy}, key: {key}, provision: true }}\n")
    };
    let both = |demand: &str| {
        let block = block(demand);
        let test = "  test:\n    instanceId: 6f2b1c34-0000-4000-8000-00000000a002\n    \
                    environmentId: 1bd6bd98-0000-4000-8000-00000000e002\n";
        format!("{}{test}{block}", prod(&block))
    };
    let scene = settled(&both(""));
    scene.write("palisade.yaml", &both(FIRST));
    assert_eq!(changes(&planned(&scene, LATER)).len(), 2);
    apply(&scene, LATER).ended(6);
    assert_eq!(versions(&scene.world()), (2, 2));
    scene.emulated_at(DUE_AGAIN, &["plan", "--detailed-exitcode"]).ended(0);
}

#[test]
fn the_vaults_own_rotation_is_set_and_works() {
    let scene = settled(&plain());
    scene.write("palisade.yaml", &rotating(", rotation: { rotateAfter: 90d }"));
    assert_eq!(changes(&planned(&scene, LATER)), ["update prod/customerManagedKey/key/rotationPolicy"]);
    // The key is older than that, so the vault rotates it at once.
    apply(&scene, LATER).ended(6).says("done         update prod/customerManagedKey/key/rotationPolicy");
    scene.emulated_at(LATER, &["plan", "--detailed-exitcode"]).ended(6).says("is picked up within about a day");
    scene.emulated_at(DUE_AGAIN, &["plan", "--detailed-exitcode"]).ended(0);
    // By then the vault has rotated the key, without anybody's doing.
    let before = versions(&scene.world()).0;
    scene.emulated_at("2027-02-20T12:00:00Z", &["plan", "--detailed-exitcode"]).ended(0);
    scene.emulated_at("2027-02-20T12:00:00Z", &["apply", "--yes"]).ended(0);
    assert_eq!(versions(&scene.world()).0, before + 1);
    // Versions that expire are told.
    scene.write("palisade.yaml", &rotating(", rotation: { rotateAfter: 90d, expireAfter: 180d }"));
    assert_eq!(changes(&planned(&scene, LATER)), ["update prod/customerManagedKey/key/rotationPolicy"]);
    apply(&scene, LATER).ended(6);
    scene.emulated_at(LATER, &["plan"]).ended(0).says("warning[cmk-versions-expire]");
}
