//! From Microsoft's key to one of the customer's, to another one, and back.

use palisade::emulator::Deletion;

use super::*;

const CHAIN: [&str; 3] =
    ["create prod/dataLake/identity", "grant prod/dataLake/grants/kv-cmk", "update prod/dataLake/encryption"];

#[test]
fn from_no_key_to_one_to_another_and_back() {
    let scene = Scene::with(&prod(&on("kv-cmk", "lake-key", "")));
    let before = encryption(&scene.world()).clone();
    assert_eq!(changes(&planned(&scene)), CHAIN);
    scene.emulated(&["apply", "--yes"]).ended(4).complains("which is critical");
    assert_eq!(encryption(&scene.world()), &before);
    apply(&scene).ended(0).says("3 done");
    in_sync(&scene);
    let world = scene.world();
    assert_eq!(key(&world), is("Microsoft.Keyvault", "kv-cmk lake-key"));
    assert_eq!(grants(&world), [("contosolake".to_owned(), "kv-cmk".to_owned())]);
    assert_eq!(encryption(&world)["services"], before["services"]);
    apply(&scene).ended(0).says("3 already in effect");

    // Another key, in another vault.
    scene.write("palisade.yaml", &prod(&on("kv-new", "lake-key-2", "")));
    let plan = planned(&scene);
    assert_eq!(changes(&plan), ["grant prod/dataLake/grants/kv-new", "update prod/dataLake/encryption"]);
    let reason = plan["scopes"][0]["changes"][1]["reason"].as_str().unwrap();
    assert!(reason.contains("keep lake-key in kv-cmk and the grant on it"), "{reason}");
    apply(&scene).ended(0).says("2 done");
    in_sync(&scene);
    assert_eq!(key(&scene.world()), is("Microsoft.Keyvault", "kv-new lake-key-2"));
    assert_eq!(grants(&scene.world()).len(), 2, "the former grant stays");

    // A version of it, for good.
    let version = scene.world().vaults["kv-new"].keys["lake-key-2"].versions[0].version.clone();
    scene.write("palisade.yaml", &prod(&on("kv-new", "lake-key-2", &format!(", version: '{version}'"))));
    assert_eq!(changes(&planned(&scene)), ["update prod/dataLake/encryption"]);
    apply(&scene).ended(0);
    scene.emulated(&["plan", "--detailed-exitcode"]).ended(0).says("warning[lake-key-pinned]");
    assert_eq!(key(&scene.world()), is("Microsoft.Keyvault", &format!("kv-new lake-key-2 {version}")));

    // A missing block changes nothing, and Microsoft's key comes only by the file's own words.
    scene.write("palisade.yaml", &prod(&block("")));
    in_sync(&scene);
    scene.write("palisade.yaml", &prod(&block("      customerManagedKey: { managedBy: microsoft }\n")));
    assert_eq!(changes(&planned(&scene)), ["update prod/dataLake/encryption"]);
    scene.emulated(&["plan"]).says("the key and the grant on it stay");
    apply(&scene).ended(0);
    in_sync(&scene);
    let after = scene.world();
    assert_eq!((key(&after), encryption(&after)), (is("Microsoft.Storage", ""), &before));
    assert_eq!((grants(&after).len(), after.vaults["kv-new"].keys.len()), (2, 1));
}

#[test]
fn identities_that_were_given_stay_and_one_that_is_in_use_is_granted_the_key() {
    let scene = Scene::with(&prod(&on("kv-cmk", "lake-key", "")));
    scene.change_world(|world| drop(given(world)));
    assert_eq!(changes(&planned(&scene)), CHAIN);
    apply(&scene).ended(0);
    in_sync(&scene);
    let world = scene.world();
    assert_eq!((account(&world).user_identities.len(), account(&world).system_identity.is_some()), (1, true));

    let scene = Scene::with(&prod(&on("kv-cmk", "lake-key", "")));
    scene.change_world(|world| {
        let id = given(world).id;
        let lake = world.storage_accounts.get_mut("contosolake").unwrap();
        lake.properties.get_mut("encryption").unwrap()["identity"] = json!({ "userAssignedIdentity": id });
    });
    assert_eq!(changes(&planned(&scene)), CHAIN[1..]);
    apply(&scene).ended(0);
    in_sync(&scene);
    let world = scene.world();
    assert_eq!(account(&world).system_identity, None);
    assert!(encryption(&world)["identity"]["userAssignedIdentity"].as_str().unwrap().ends_with("/id-lake"));
    assert_eq!(grants(&world), [("id-lake".to_owned(), "kv-cmk".to_owned())]);
}

/// The identity of an account takes its time to be known, and a grant to count.
#[test]
fn what_azure_takes_its_time_for_is_waited_for() {
    let scene = Scene::with(&prod(&on("kv-cmk", "lake-key", "")));
    scene.change_world(|world| {
        world.behaviour.policy_identity_replication = jiff::SignedDuration::from_secs(40);
        world.behaviour.azure_role_propagation = jiff::SignedDuration::from_mins(4);
    });
    let cloud = |arguments: &[&str]| scene.emulated(&[arguments, &["--as-cloud"]].concat());
    cloud(&["plan", "--out", "approved.plan"]).ended(0);
    cloud(&["apply", "approved.plan", "--wait", "30s"]).ended(6).says("which passes within minutes");
    assert_eq!(key(&scene.world()), is("Microsoft.Storage", ""));
    cloud(&["apply", "approved.plan", "--wait", "20m", "--timeout", "1h"]).ended(0).says("2 done");
    assert_eq!(key(&scene.world()), is("Microsoft.Keyvault", "kv-cmk lake-key"));
}

#[test]
fn a_vault_that_goes_by_access_policies_gets_one() {
    let scene = Scene::with(&prod(&on("kv-cmk", "lake-key", "")));
    scene.change_world(|world| world.vaults.get_mut("kv-cmk").unwrap().enable_rbac_authorization = Some(false));
    planned(&scene);
    apply(&scene).ended(0).says("3 done");
    in_sync(&scene);
    let world = scene.world();
    let [entry] = &world.vaults["kv-cmk"].access_policies[..] else { panic!("one entry") };
    assert_eq!(Some(entry.object_id), account(&world).system_identity);
    assert_eq!(entry.permissions.keys, ["get", "wrapKey", "unwrapKey"]);
}

#[test]
fn a_vault_or_a_key_that_would_not_do_is_refused_and_nothing_is_written() {
    type Spoil = fn(&mut World);
    let table: [(Spoil, &str, &str, &str); 3] = [
        (|world| vault(world).enable_purge_protection = false, "cmk-vault-unfit", "--enable-purge-protection true", ""),
        (|world| delete(world), "cmk-key-not-found", "az keyvault key recover", "recover prod/dataLake/key/"),
        (
            |world| version(world).attributes.enabled = false,
            "cmk-key-unfit",
            "--enabled true",
            "enable prod/dataLake/key/",
        ),
    ];
    for (spoil, code, command, repair) in table {
        let scene = Scene::with(&prod(&on("kv-cmk", "lake-key", "")));
        scene.change_world(spoil);
        let run = scene.emulated(&["plan"]).ended(4).says(&format!("error[{code}]"));
        run.says(command);
        scene.emulated(&["apply", "--yes"]).ended(4);
        assert!(account(&scene.world()).system_identity.is_none());
        // In use, the same is an error of its own.
        let scene = Scene::with(&prod(&on("kv-cmk", "lake-key", "")));
        settled(&scene);
        scene.change_world(spoil);
        scene.emulated(&["drift"]).ended(2).says("error[lake-at-risk]").says("1 in sync");
        let planned = changes(&scene.emulated(&["plan", "--format", "json"]).json());
        assert!(planned.iter().all(|change| !repair.is_empty() && change.starts_with(repair)), "{planned:?}");
        assert_eq!(planned.len(), usize::from(!repair.is_empty()));
        // What may be a lockdown on purpose is undone by nobody but a person.
        scene.emulated(&["apply", "--yes"]).ended(if repair.is_empty() { 6 } else { 4 });
    }
}

fn vault(world: &mut World) -> &mut palisade::emulator::Vault {
    world.vaults.get_mut("kv-cmk").unwrap()
}

fn delete(world: &mut World) {
    let deleted = Deletion { deleted: NOW.parse().unwrap(), scheduled_purge: "2027-02-18T12:00:00Z".parse().unwrap() };
    vault(world).keys.get_mut("lake-key").unwrap().deleted = Some(deleted);
}

fn version(world: &mut World) -> &mut palisade::emulator::KeyVersion {
    vault(world).keys.get_mut("lake-key").unwrap().versions.last_mut().unwrap()
}

#[test]
fn a_new_version_is_followed_by_the_service_and_told_if_it_isnt() {
    let scene = Scene::with(&prod(&on("kv-cmk", "lake-key", "")));
    settled(&scene);
    scene.change_world(|world| {
        let mut next = version(world).clone();
        next.version = "0b".repeat(16);
        next.attributes.created = NOW.parse().unwrap();
        vault(world).keys.get_mut("lake-key").unwrap().versions.push(next);
        world.behaviour.storage_key_check = jiff::SignedDuration::from_hours(24);
    });
    scene.emulated_at("2026-11-20T20:00:00Z", &["plan", "--detailed-exitcode"]).ended(0);
    scene.emulated_at("2026-11-21T13:00:00Z", &["plan", "--detailed-exitcode"]).ended(0).says("No changes");
    scene.change_world(|world| world.behaviour.storage_key_check = jiff::SignedDuration::from_hours(24 * 30));
    let run = scene.emulated_at("2026-11-21T13:30:00Z", &["plan"]).ended(0);
    assert!(!run.stdout.contains("lake-key-behind"), "{}", run.stdout);
    scene.emulated_at("2026-11-21T15:00:00Z", &["plan"]).ended(0).says("warning[lake-key-behind]");
}

/// One write at a time on the account; what the other one did is in effect.
#[test]
fn environments_that_share_a_lake_encrypt_it_once() {
    let lake = on("kv-cmk", "lake-key", "");
    let scene = Scene::with(&file(&[environment("prod", 1, &lake), environment("test", 2, &lake)]));
    assert_eq!(changes(&planned(&scene)).len(), 6);
    apply(&scene).ended(0);
    in_sync(&scene);
    let world = scene.world();
    assert_eq!((key(&world), grants(&world).len()), (is("Microsoft.Keyvault", "kv-cmk lake-key"), 1));
    let writes = scene.journal().iter().filter(|entry| entry["moment"] == "started").count();
    assert_eq!(writes, 3, "each step once");
}

#[test]
fn a_caller_without_rights_waits_for_a_person() {
    let scene = Scene::with(&prod(&on("kv-cmk", "lake-key", "")));
    scene.change_world(|world| {
        let vault_owner = |held: &palisade::emulator::RoleAssignment| held.scope.ends_with("/rg-cmk");
        world.role_assignments.retain(|held| !vault_owner(held));
    });
    let run = scene.emulated(&["plan"]).ended(0);
    run.says("waiting dataLake/grants/kv-cmk (for a person)").says("az role assignment create");
}
