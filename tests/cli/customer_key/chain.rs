//! From no policy at all to a link, to another key, to another version, and back to Microsoft's key.

use super::*;
use crate::support::changes;

#[test]
fn the_policy_is_made_granted_the_key_and_linked() {
    let scene = Scene::with(&plain());
    let expected = [
        "create prod/customerManagedKey/policy",
        "grant prod/customerManagedKey/grants/kv-cmk",
        "link prod/customerManagedKey",
    ];
    assert_eq!(changes(&planned(&scene, NOW)), expected);
    apply(&scene, NOW).ended(6).says("which may take up to four days; users are locked out meanwhile");
    assert_eq!(link(&scene.world()), is("cmk-eu", "Linking", false));
    apply(&scene, LATER).ended(0).says("3 already in effect").says("nothing was sent");
    scene.emulated_at(LATER, &["plan", "--detailed-exitcode"]).ended(0).says("No changes").says("1 in sync");
    scene.emulated_at(LATER, &["drift"]).ended(0);
    let world = scene.world();
    assert_eq!(link(&world), is("cmk-eu", "Linked", true));
    assert_eq!(operations(&world), ["NewCustomerManagedKey"]);
    assert_eq!(grants(&world), granted(&[("cmk-eu", "kv-cmk")]));
    let [made] = policies(&world)[..] else { panic!("one policy") };
    let own = made.encryption.as_ref().unwrap();
    assert_eq!((made.kind.as_str(), made.location.as_str()), ("Encryption", "europe"));
    assert_eq!((own.vault.as_str(), own.name.as_str(), &own.version), (vault("kv-cmk").as_str(), "pp-key", &None));
}

#[test]
fn with_patience_one_run_does_it_all() {
    let scene = Scene::with(&plain());
    planned(&scene, NOW);
    scene.emulated(&["apply", "approved.plan", "--wait", "2m"]).ended(0).says("3 done");
    assert_eq!(link(&scene.world()), is("cmk-eu", "Linked", true));
}

#[test]
fn yes_approves_no_outage() {
    let scene = Scene::with(&plain());
    scene.emulated(&["apply", "--yes"]).ended(4);
    assert_eq!(policies(&scene.world()).len(), 0);
}

/// The identity of a new policy takes its time to be known, and a grant to count; a link before that would fail.
#[test]
fn what_azure_takes_its_time_for_is_waited_for() {
    let scene = scene(&plain(), |world| {
        world.behaviour.policy_identity_replication = SignedDuration::from_secs(40);
        world.behaviour.azure_role_propagation = SignedDuration::from_mins(4);
    });
    let cloud = |arguments: &[&str]| scene.emulated(&[arguments, &["--as-cloud"]].concat());
    cloud(&["plan", "--out", "approved.plan"]).ended(0);
    let run = cloud(&["apply", "approved.plan", "--wait", "30s"]).ended(6);
    run.says("which passes within minutes").says("it requires prod/customerManagedKey/grants/kv-cmk");
    assert_eq!(operations(&scene.world()), [""; 0]);
    let run = cloud(&["apply", "approved.plan", "--wait", "20m", "--timeout", "1h"]).ended(0);
    assert!(run.stderr.contains("since it may take until 2026-11-20T12:05:40Z to count everywhere"), "{}", run.stderr);
    assert_eq!(operations(&scene.world()), ["NewCustomerManagedKey"]);
    assert_eq!(link(&scene.world()), is("cmk-eu", "Linked", true));
}

#[test]
fn another_key_is_linked_in_place_and_the_former_one_can_still_be_used() {
    let scene = linked(&plain());
    let former = retained("cmk-eu", &key("pp-key", "kv-cmk", ""));
    scene.write("palisade.yaml", &on("cmk-eu-2", &key("pp-key-2", "kv-new", ""), &former));
    let expected = [
        "create prod/customerManagedKey/policy",
        "grant prod/customerManagedKey/grants/kv-cmk",
        "grant prod/customerManagedKey/grants/kv-new",
        "link prod/customerManagedKey",
    ];
    assert_eq!(changes(&planned(&scene, STILL_LATER)), expected);
    apply(&scene, STILL_LATER).ended(6).says("3 done");
    assert_eq!(link(&scene.world()), is("cmk-eu-2", "Linking", true));
    scene.emulated_at(MUCH_LATER, &["plan", "--detailed-exitcode"]).ended(0).says("No changes");
    apply(&scene, MUCH_LATER).ended(0).says("4 already in effect");
    let world = scene.world();
    assert_eq!(link(&world), is("cmk-eu-2", "Linked", true));
    assert_eq!(operations(&world), ["NewCustomerManagedKey", "RotateCustomerManagedKey"]);
    assert_eq!(grants(&world), granted(&[("cmk-eu", "kv-cmk"), ("cmk-eu-2", "kv-cmk"), ("cmk-eu-2", "kv-new")]));
    assert_eq!(policies(&world).len(), 2);
}

/// What the refusal says to write is taken as it stands.
#[test]
fn another_key_under_the_same_policy_is_refused_with_what_to_write() {
    let scene = linked(&plain());
    let other = key("pp-key-2", "kv-cmk", "");
    scene.write("palisade.yaml", &on("cmk-eu", &other, ""));
    let run = scene.emulated_at(STILL_LATER, &["plan", "--format", "json"]).ended(4);
    let plan = run.json();
    let notes = plan["notes"].as_array().unwrap();
    let refusal = notes.iter().find(|note| note["code"] == "cmk-policy-key").unwrap();
    let help = refusal["help"].as_str().unwrap();
    let text = help.split('`').find(|text| text.starts_with("retained: ")).unwrap();
    scene.emulated_at(STILL_LATER, &["apply", "--yes"]).ended(4).says("error[cmk-policy-key]");
    assert_eq!(operations(&scene.world()).len(), 1);
    scene.write("palisade.yaml", &on("cmk-eu-2", &other, &format!("      {text}\n")));
    let plan = planned(&scene, STILL_LATER);
    assert_eq!(changes(&plan).last().unwrap(), "link prod/customerManagedKey");
    assert!(!codes(&plan).contains(&"cmk-former-unwatched".to_owned()), "{plan}");
    // Without it, the former key would be lost sight of.
    scene.write("palisade.yaml", &on("cmk-eu-2", &other, ""));
    assert!(codes(&planned(&scene, STILL_LATER)).contains(&"cmk-former-unwatched".to_owned()));
}

const ONE: &str = "11111111111111111111111111111111";
const TWO: &str = "22222222222222222222222222222222";

#[test]
fn a_pinned_version_stays_and_another_one_takes_another_policy() {
    let pinned = |version: &str| key("pp-key", "kv-cmk", &format!(", version: '{version}'"));
    let scene = linked(&on("cmk-eu", &pinned(ONE), ""));
    let version = |world: &World, policy_name: &str| {
        let policy = &world.enterprise_policies[&policy(policy_name).to_lowercase()];
        policy.encryption.as_ref().unwrap().version.clone()
    };
    assert_eq!(version(&scene.world(), "cmk-eu").as_deref(), Some(ONE));
    scene.emulated_at(LATER, &["plan", "--detailed-exitcode"]).ended(0).says("warning[cmk-pinned]");
    scene.change_world(|world| {
        let key = world.vaults.get_mut("kv-cmk").unwrap().keys.get_mut("pp-key").unwrap();
        let mut second = key.versions[0].clone();
        second.version = TWO.to_owned();
        key.versions.push(second);
    });
    // A newer version changes nothing of a pinned key.
    scene.emulated_at(LATER, &["plan", "--detailed-exitcode"]).ended(0);
    scene.write("palisade.yaml", &on("cmk-eu", &pinned(TWO), ""));
    scene.emulated_at(LATER, &["plan"]).ended(4).says("error[cmk-policy-key]").says(ONE);
    scene.write("palisade.yaml", &on("cmk-eu-2", &pinned(TWO), &retained("cmk-eu", &pinned(ONE))));
    planned(&scene, STILL_LATER);
    apply(&scene, STILL_LATER).ended(6);
    scene.emulated_at(MUCH_LATER, &["plan", "--detailed-exitcode"]).ended(0);
    let world = scene.world();
    assert_eq!(version(&world, "cmk-eu-2").as_deref(), Some(TWO));
    assert_eq!(operations(&world), ["NewCustomerManagedKey", "RotateCustomerManagedKey"]);
}

#[test]
fn only_the_files_own_words_put_it_back_on_microsofts_key() {
    let scene = linked(&plain());
    scene.write("palisade.yaml", &prod(""));
    scene.emulated_at(STILL_LATER, &["plan", "--detailed-exitcode"]).ended(0);
    scene.write("palisade.yaml", &prod("    customerManagedKey: { managedBy: microsoft }\n"));
    let before = scene.world();
    assert_eq!(changes(&planned(&scene, STILL_LATER)), ["unlink prod/customerManagedKey"]);
    scene.emulated_at(STILL_LATER, &["apply", "--yes"]).ended(4);
    apply(&scene, STILL_LATER).ended(6);
    assert_eq!(link(&scene.world()), is("cmk-eu", "Unlinking", true));
    scene.emulated_at(MUCH_LATER, &["plan", "--detailed-exitcode"]).ended(0);
    apply(&scene, MUCH_LATER).ended(0).says("1 already in effect");
    let world = scene.world();
    assert_eq!(link(&world), None);
    assert_eq!(operations(&world), ["NewCustomerManagedKey", "RevertToMicrosoftKey"]);
    assert_eq!(world.enterprise_policies, before.enterprise_policies);
    assert_eq!(world.vaults, before.vaults);
    assert_eq!(world.role_assignments, before.role_assignments);
}

#[test]
fn a_vault_that_goes_by_access_policies_gets_one() {
    let scene = scene(&plain(), |world| {
        world.vaults.get_mut("kv-cmk").unwrap().enable_rbac_authorization = Some(false);
    });
    planned(&scene, NOW);
    scene.emulated(&["apply", "approved.plan", "--wait", "2m"]).ended(0).says("3 done");
    let world = scene.world();
    let [entry] = &world.vaults["kv-cmk"].access_policies[..] else { panic!("one entry") };
    assert_eq!(entry.permissions.keys, ["get", "wrapKey", "unwrapKey"]);
    assert_eq!((Some(entry.object_id), grants(&world).len()), (policies(&world)[0].system_identity, 0));
    scene.emulated_at(LATER, &["plan", "--detailed-exitcode"]).ended(0);
}

/// What an environment must be first is part of the same plan.
#[test]
fn an_environment_is_made_a_managed_one_first() {
    let scene = scene(&(plain() + "    managedEnvironment: { enabled: true }\n"), |world| {
        world.power_platform_environments.get_mut(ENVIRONMENT).unwrap().protection_level = "Basic".into();
    });
    let all = changes(&planned(&scene, NOW));
    assert_eq!((all[0].as_str(), all.len()), ("create prod/customerManagedKey/policy", 4));
    let run = scene.emulated(&["apply", "approved.plan", "--wait", "2m", "--format", "json"]).ended(0);
    assert!(run.outcomes().iter().all(|(_, status)| status == "done"), "{}", run.stdout);
    assert_eq!(operations(&scene.world()), ["EnableGovernanceConfiguration", "NewCustomerManagedKey"]);
}

#[test]
fn two_environments_share_one_policy() {
    let both = include_str!("../../../examples/customer-managed-key.yaml");
    let scene = Scene::with(both);
    assert_eq!(changes(&planned(&scene, NOW)).len(), 6);
    apply(&scene, NOW).ended(6);
    assert_eq!(begun(&scene, PUT_POLICY), 1);
    apply(&scene, LATER).ended(0);
    scene.emulated_at(LATER, &["plan", "--detailed-exitcode"]).ended(0).says("4 in sync");
    let world = scene.world();
    assert_eq!(policies(&world).len(), 1);
    assert_eq!(grants(&world), granted(&[("cmk-eu", "kv-cmk")]));
    assert_eq!(operations(&world), ["NewCustomerManagedKey"; 2]);
    let linked = world.power_platform_environments.values().filter(|environment| {
        environment.links.get(&LinkKind::Encryption).is_some_and(|link| link.status == "Linked" && link.in_force)
    });
    assert_eq!(linked.count(), 2);
}

#[test]
fn a_policy_has_one_key_for_all_its_environments() {
    let policy = policy("cmk-eu");
    let other = key("pp-key-2", "kv-cmk", "");
    let second = format!(
        "  sandbox:\n    environmentId: 1bd6bd98-0000-4000-8000-00000000e004\n    customerManagedKey:\n      managedBy: customer\n      \
         policy: {policy}\n      key: {other}\n"
    );
    let scene = Scene::bare();
    scene.write("palisade.yaml", &format!("{}{second}", plain()));
    scene.run(&["validate"]).ended(1).complains("error[policy-with-two-keys]").complains("palisade.yaml:17:15");
}
