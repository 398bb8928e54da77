//! Environments on a customer's key of which the file says nothing, or nothing about keys.

use super::*;
use crate::support::changes;

const TEST: &str = "1bd6bd98-0000-4000-8000-00000000e002";

/// `prod` and `test` on one key, and the file with these blocks for `prod` and this for the tenant, in which `test` isn't.
fn scene_of_two(tenant: &str, blocks: &str) -> Scene {
    let (policy, key) = (policy("cmk-eu"), key("pp-key", "kv-cmk", ""));
    let block =
        format!("    customerManagedKey: {{ managedBy: customer, policy: {policy}, key: {key}, provision: true }}\n");
    let test = format!(
        "  test:\n    instanceId: 6f2b1c34-0000-4000-8000-00000000a002\n    environmentId: {TEST}\n    name: Contoso test\n{block}"
    );
    let scene = settled(&format!("{}{test}", prod(&block)));
    let file = prod(blocks).replace("00aa }", &format!("00aa{tenant} }}"));
    scene.write("palisade.yaml", &file);
    scene
}

const WATCH_ALL: &str = ", customerManagedKeys: { watch: all }";

fn expires(world: &mut World) {
    let key = world.vaults.get_mut("kv-cmk").unwrap().keys.get_mut("pp-key").unwrap();
    key.versions[0].attributes.expires = Some(at("2026-11-19T08:00:00Z"));
}

/// A run that is limited to one environment says which others name what is lost.
#[test]
fn those_that_were_not_looked_at_are_named_as_such() {
    let (policy, key) = (policy("cmk-eu"), key("pp-key", "kv-cmk", ""));
    let block =
        format!("    customerManagedKey: {{ managedBy: customer, policy: {policy}, key: {key}, provision: true }}\n");
    let test =
        format!("  test:\n    instanceId: 6f2b1c34-0000-4000-8000-00000000a002\n    environmentId: {TEST}\n{block}");
    let scene = settled(&format!("{}{test}", prod(&block)));
    scene.change_world(expires);
    let all = scene.emulated_at(LATER, &["plan"]).ended(0).says("offline without it: prod, test");
    assert!(!all.stdout.contains("not looked at here"), "{}", all.stdout);
    let one = scene.emulated_at(LATER, &["plan", "-e", "prod"]).ended(0);
    one.says("offline without it: prod (named by test as well, not looked at here)");
}

/// Without the block, nothing is planned, and all of it is told.
#[test]
fn a_declared_environment_is_watched_whatever_the_file_says_of_its_key() {
    let scene = scene_of_two("", "");
    scene.emulated_at(LATER, &["drift"]).ended(0);
    scene.change_world(expires);
    for command in [&["plan"] as &[&str], &["plan", "--detailed-exitcode"], &["drift"]] {
        let run =
            scene.emulated_at(LATER, command).ended(if command.len() == 1 && command[0] == "plan" { 0 } else { 2 });
        let locked =
            run.stdout.find("error[cmk-locked] customerManagedKey/runtime: the environment is locked").unwrap();
        let lost =
            run.stdout.find("error[cmk-at-risk] customerManagedKey: the key pp-key in kv-cmk expired at").unwrap();
        assert!(locked < lost, "the locked come first: {}", run.stdout);
        assert!(!run.stdout.contains("Contoso test"), "{}", run.stdout);
    }
    let plan = scene.emulated_at(LATER, &["plan", "--format", "json"]).ended(0).json();
    assert_eq!(changes(&plan), [""; 0]);
}

#[test]
fn undeclared_environments_are_told_in_the_tenants_account_and_change_nothing() {
    let scene = scene_of_two(WATCH_ALL, "");
    scene.emulated_at(LATER, &["drift"]).ended(0).says("tenant (7b1f0c52-0000-4000-8000-0000000000aa)\n  1 in sync");
    let whole = scene.world();
    scene.change_world(expires);
    let run = scene.emulated_at(LATER, &["drift"]).ended(2);
    run.says(&format!("error[cmk-locked] customerManagedKeys/{TEST}/runtime: Contoso test: the environment is locked"));
    let run = scene.emulated_at(LATER, &["plan"]).ended(0);
    let run = run.says(&format!(
        "error[cmk-at-risk] customerManagedKeys/{TEST}: Contoso test: the key pp-key in kv-cmk expired at"
    ));
    let run = run
        .says("offline without it: Contoso test, prod")
        .says("error[cmk-at-risk] customerManagedKey: the key pp-key");
    let about_declared = format!("customerManagedKeys/{ENVIRONMENT}");
    assert!(!run.stdout.contains(&about_declared), "a declared one isn't told twice: {}", run.stdout);
    // Under `-e`, the tenant's own account is left out, as ever.
    let run = scene.emulated_at(LATER, &["plan", "-e", "prod"]).ended(0);
    assert!(!run.stdout.contains("Contoso test"), "{}", run.stdout);

    // One that nobody declares goes offline alone: told by plan and drift, and no matter of apply's.
    scene.keep_world(&whole);
    scene.change_world(|world| {
        let environment = world.power_platform_environments.get_mut(TEST).unwrap();
        (environment.locked, environment.locked_since) = (true, Some(at(NOW)));
    });
    scene.emulated_at(LATER, &["drift"]).ended(2).says("Contoso test: the environment is locked");
    scene.emulated_at(LATER, &["plan", "--detailed-exitcode"]).ended(2);
    scene.emulated_at(LATER, &["apply", "--yes"]).ended(0);
}

/// A list that can't be read is no list without environments.
#[test]
fn environments_that_cannot_be_listed_are_told_of() {
    let scene = scene_of_two(WATCH_ALL, "");
    scene.write("faults.yaml", "- { operation: GET */scopes/admin/environments, action: { status: { code: 403 } } }");
    let faulty =
        |command: &[&str]| scene.emulated_at(LATER, &[command, &["--emulator-faults", "faults.yaml"]].concat());
    let run = faulty(&["plan"])
        .ended(0)
        .says("error[cmk-unwatched] customerManagedKeys: the environments of the tenant could not be listed");
    assert!(!run.stdout.contains("1 in sync"), "{}", run.stdout);
    faulty(&["drift"]).ended(2);
    faulty(&["apply", "--yes"]).ended(0);
}

/// What keeps an environment alive is looked at even if Customer Insights doesn't answer, and without its id.
#[test]
fn the_tripwire_does_not_need_customer_insights() {
    let scene = scene_of_two("", "    apiAccess: { enabled: true }\n");
    scene.change_world(expires);
    scene.write("faults.yaml", "- { operation: GET */api/instances, action: { status: { code: 503 } } }");
    let run = scene.emulated_at(LATER, &["plan", "--emulator-faults", "faults.yaml"]);
    let run = run.ended(3).says("error[cmk-at-risk] customerManagedKey: the key pp-key in kv-cmk expired at");
    run.says("error[cmk-locked]");
}

/// Whose key cannot be read isn't known to live on.
#[test]
fn what_cannot_be_read_of_a_key_in_use_is_told() {
    let scene = scene_of_two("", "");
    for (read, code) in
        [("GET */enterprisePolicies/*", 2), ("GET */vaults/kv-cmk/keys/*", 2), ("GET */roleAssignments", 2)]
    {
        scene.write("faults.yaml", &format!("- {{ operation: {read}, action: {{ status: {{ code: 403 }} }} }}"));
        let run = scene.emulated_at(LATER, &["drift", "--emulator-faults", "faults.yaml"]).ended(code);
        run.says("error[cmk-unwatched] customerManagedKey: the environment is on a customer-managed key, and part of what keeps it alive could not be read");
    }
    // Whether it is on such a key at all.
    scene.write("faults.yaml", "- { operation: GET */environments/*, action: { status: { code: 404 } } }");
    let run = scene.emulated_at(LATER, &["plan", "--emulator-faults", "faults.yaml"]);
    run.says("warning[cmk-unwatched] customerManagedKey: whether the environment is on a customer-managed key could not be read");
}
