//! Each way to lose a key, as it is told in plan and drift, and the way back, through the binary.

use palisade::emulator::{Attributes, DefaultAction, DeletedVault, Deletion, Key, KeyVersion, NetworkAcls, Vault};

use super::*;
use crate::support::changes;

const LOST: &str = "2026-11-19T08:00:00Z";
const NEWER: &str = "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b";

/// What is lost, what says so, when that leads to deletion, and what a plan would do; `VERSION` is the version of the key.
struct Trigger {
    name: &'static str,
    lose: fn(&mut World),
    says: &'static str,
    when: &'static str,
    repairs: &'static [&'static str],
    /// Whether the environment is locked by then.
    locked: bool,
}

const UNDATED: &str = "deleted 30 days after that";

const TRIGGERS: &[Trigger] = &[
    Trigger {
        name: "the version is disabled",
        lose: |world| {
            let attributes = attributes(world);
            (attributes.enabled, attributes.updated) = (false, at(LOST));
        },
        says: "the key pp-key in kv-cmk is disabled, since 2026-11-19T08:00:00Z at the latest",
        when: "deleted on 2026-12-19, or sooner",
        repairs: &["enable prod/customerManagedKey/key/VERSION"],
        locked: true,
    },
    Trigger {
        name: "the version expired",
        lose: |world| attributes(world).expires = Some(at(LOST)),
        says: "expired at 2026-11-19T08:00:00Z",
        when: "deleted on 2026-12-19 at the earliest",
        repairs: &[],
        locked: true,
    },
    Trigger {
        name: "the version expires soon",
        lose: |world| attributes(world).expires = Some(at("2026-12-01T13:00:00Z")),
        says: "expires at 2026-12-01T13:00:00Z, in 11 days",
        when: "shut down then, and deleted on 2026-12-31 at the earliest",
        repairs: &[],
        locked: false,
    },
    Trigger {
        name: "the version counts only later",
        lose: |world| {
            let attributes = attributes(world);
            (attributes.not_before, attributes.updated) = (Some(at("2026-12-01T13:00:00Z")), at(LOST));
        },
        says: "can't be used before 2026-12-01T13:00:00Z",
        when: "deleted on 2026-12-19, or sooner",
        repairs: &[],
        locked: true,
    },
    Trigger {
        name: "the key is deleted",
        lose: |world| the_key(world).deleted = Some(deletion()),
        says: "was deleted at 2026-11-19T08:00:00Z; it can be recovered until 2027-02-17T08:00:00Z",
        when: "deleted on 2026-12-19 at the earliest",
        repairs: &["recover prod/customerManagedKey/key/recovered"],
        locked: true,
    },
    Trigger {
        name: "the key is gone",
        lose: |world| drop(the_vault(world).keys.remove("pp-key")),
        says: "has no key pp-key, nor a deleted one",
        when: UNDATED,
        repairs: &[],
        locked: true,
    },
    Trigger {
        name: "the vault is deleted",
        lose: |world| {
            let vault = world.vaults.remove("kv-cmk").unwrap();
            world.role_assignments.retain(|held| !held.scope.ends_with("/kv-cmk"));
            world.deleted_vaults.insert("kv-cmk".to_owned(), DeletedVault { vault, deletion: deletion() });
        },
        says: "the vault kv-cmk was deleted at 2026-11-19T08:00:00Z",
        when: "deleted on 2026-12-19 at the earliest",
        repairs: &["recover prod/customerManagedKey/key/vault"],
        locked: true,
    },
    Trigger {
        name: "the grant is taken",
        lose: |world| world.role_assignments.retain(|held| held.role_definition != ENCRYPTION_USER),
        says: "the identity of the policy cmk-eu may not use the keys in kv-cmk",
        when: UNDATED,
        repairs: &["grant prod/customerManagedKey/grants/kv-cmk"],
        locked: true,
    },
    Trigger {
        name: "the vault goes by access policies",
        lose: |world| the_vault(world).enable_rbac_authorization = Some(false),
        says: "the vault goes by access policies, and none allows it; Azure roles don't count there",
        when: UNDATED,
        repairs: &["grant prod/customerManagedKey/grants/kv-cmk"],
        locked: true,
    },
    Trigger {
        name: "the vault's network is closed to trusted services",
        lose: |world| {
            the_vault(world).network_acls = Some(NetworkAcls {
                bypass: "None".to_owned(),
                default_action: DefaultAction::Deny,
                ip_rules: Vec::new(),
                virtual_network_rules: Vec::new(),
            });
        },
        says: "trusted Microsoft services aren't let in",
        when: UNDATED,
        repairs: &[],
        locked: true,
    },
    Trigger {
        name: "purge protection is off",
        lose: |world| the_vault(world).enable_purge_protection = false,
        says: "purge protection is off",
        when: "an environment that can't reach its key is shut down, and deleted 30 days after that",
        repairs: &[],
        locked: false,
    },
    Trigger {
        name: "the policy is gone",
        lose: |world| world.enterprise_policies.clear(),
        says: "Azure has no enterprise policy cmk-eu in the resource group rg-cmk",
        when: UNDATED,
        repairs: &[],
        locked: true,
    },
    Trigger {
        name: "a former version is disabled too early",
        lose: |world| {
            let versions = &mut the_key(world).versions;
            let mut next = versions[0].clone();
            (next.version, next.attributes.created) = (NEWER.to_owned(), at("2026-11-10T10:00:00Z"));
            versions.push(next);
            let before = &mut versions[0].attributes;
            (before.enabled, before.updated) = (false, at(LOST));
        },
        says: "a former version must stay enabled for 28 days",
        when: UNDATED,
        repairs: &["enable prod/customerManagedKey/key/VERSION"],
        locked: false,
    },
];

fn deletion() -> Deletion {
    Deletion { deleted: at(LOST), scheduled_purge: at("2027-02-17T08:00:00Z") }
}

fn the_vault(world: &mut World) -> &mut Vault {
    world.vaults.get_mut("kv-cmk").unwrap()
}

fn the_key(world: &mut World) -> &mut Key {
    the_vault(world).keys.get_mut("pp-key").unwrap()
}

fn version(world: &mut World) -> &mut KeyVersion {
    the_key(world).versions.last_mut().unwrap()
}

fn attributes(world: &mut World) -> &mut Attributes {
    &mut version(world).attributes
}

/// The changes of a plan, the version of the key by a word.
fn told(plan: &Json, version: &str) -> Vec<String> {
    changes(plan).iter().map(|change| change.replace(version, "VERSION")).collect()
}

fn errors(plan: &Json) -> Vec<String> {
    let notes = plan["notes"].as_array().unwrap().iter().filter(|note| note["severity"] == "error");
    notes.map(|note| note["message"].as_str().unwrap().to_owned()).collect()
}

/// Runs in the world as it is: what it lacks stays missing.
fn strictly(scene: &Scene, now: &str, arguments: &[&str]) -> Run {
    scene.emulated_at(now, &[arguments, &["--emulator-strict"]].concat())
}

#[test]
fn every_loss_is_told_with_its_date_and_what_can_be_brought_back_is() {
    let scene = settled(&plain());
    let whole = scene.world();
    let version = whole.vaults["kv-cmk"].keys["pp-key"].versions[0].version.clone();
    for Trigger { name, lose, says, when, repairs, locked } in TRIGGERS {
        scene.keep_world(&whole);
        scene.change_world(lose);
        let drift = strictly(&scene, LATER, &["drift"]).ended(2);
        let plan = strictly(&scene, LATER, &["plan", "--format", "json", "--out", "approved.plan"]).ended(0).json();
        let said: Vec<String> = errors(&plan).into_iter().filter(|error| error.contains(says)).collect();
        let [error] = &said[..] else { panic!("{name}: {:#?}", errors(&plan)) };
        assert!(error.contains(when) && error.ends_with("; offline without it: prod"), "{name}: {error}");
        assert!(drift.stdout.contains(error), "{name}: {}", drift.stdout);
        // Beside its cause, the policy's own word is merely a sign of it.
        let unhealthy = |error: &&String| error.contains("Unhealthy");
        if let Some(sign) = errors(&plan).iter().find(unhealthy) {
            assert_eq!(sign, "Azure shows the policy cmk-eu as Unhealthy as well; offline without it: prod", "{name}");
        }
        let on_top = drift.stdout.lines().nth(1) == Some("Shut down already: prod (see below)");
        assert_eq!(on_top, *locked, "{name}: {}", drift.stdout);
        assert_eq!(codes(&plan)[0] == "cmk-locked", *locked, "{name}: {:?}", codes(&plan));
        // A person is asked to enable the environment once all is back that palisade brings back, and not where it can't. What else
        // is wrong with what was deleted is looked at by a later plan.
        let in_full = *locked && !repairs.is_empty() && !name.ends_with("is deleted");
        let by_person = in_full.then_some("resume prod/customerManagedKey/runtime");
        let expected: Vec<&str> = repairs.iter().copied().chain(by_person).collect();
        assert_eq!(told(&plan, &version), expected, "{name}");
        // What may be a lockdown on purpose is undone by nobody but a person.
        let before = scene.world();
        strictly(&scene, LATER, &["apply", "--yes"]).ended(if repairs.is_empty() { 6 } else { 4 });
        let after = scene.world();
        assert_eq!((&after.vaults, &after.role_assignments), (&before.vaults, &before.role_assignments), "{name}");
        if !repairs.is_empty() {
            bring_back(&scene, name);
        }
    }
}

/// Approves what is planned until nothing more is, and enables the environment as a person does.
#[track_caller]
fn bring_back(scene: &Scene, name: &str) {
    for _ in 0..3 {
        let run = strictly(scene, LATER, &["apply", "approved.plan"]);
        let plan = strictly(scene, LATER, &["plan", "--format", "json", "--out", "approved.plan"]).ended(0).json();
        if changes(&plan).is_empty() {
            run.ended(0);
            return;
        }
        run.ended(6);
        if changes(&plan) == ["resume prod/customerManagedKey/runtime"] {
            assert!(
                errors(&plan)[0].contains("nothing that was read is known to keep it from its key any more"),
                "{name}: {plan}"
            );
            scene.change_world(|world| {
                let environment = world.power_platform_environments.get_mut(ENVIRONMENT).unwrap();
                (environment.locked, environment.locked_since) = (false, None);
            });
            strictly(scene, LATER, &["plan", "--detailed-exitcode"]).ended(0).says("No changes");
            strictly(scene, LATER, &["drift"]).ended(0);
            return;
        }
    }
    panic!("{name}: it never comes back");
}

fn disabled(configuration: &str) -> Scene {
    let scene = settled(configuration);
    scene.change_world(|world| {
        let attributes = attributes(world);
        (attributes.enabled, attributes.updated) = (false, at(LOST));
    });
    scene
}

/// Nobody is told to enable an environment before its key is back.
#[test]
fn a_person_is_not_sent_before_the_repair_is_made() {
    let scene = disabled(&plain());
    strictly(&scene, LATER, &["plan", "--out", "approved.plan"]).ended(0);
    scene.write("faults.yaml", "- { operation: PATCH */keys/*, action: { status: { code: 403 } } }");
    let run = strictly(&scene, LATER, &["apply", "approved.plan", "--emulator-faults", "faults.yaml"]).ended(5);
    let report = run.stdout.split("\n\n").last().unwrap();
    assert!(!run.stdout.contains("waiting      resume"), "{report}");
    run.says("which isn't done");
    // Nor where the run is limited to that step.
    let limit = ["plan", "--only", "prod/customerManagedKey/runtime", "--out", "limited.plan"];
    strictly(&scene, LATER, &limit).ended(0);
    let run = strictly(&scene, LATER, &["apply", "limited.plan"]).ended(6);
    run.says("which isn't part of this run");
    // A limit to something else doesn't hide that the environment is down.
    let run = strictly(&scene, LATER, &["plan", "--only", "prod/managedEnvironment", "--detailed-exitcode"]).ended(2);
    run.says("Shut down already: prod").says("error[cmk-locked]");
}

/// What brings a vault back may be applied again: that somebody is to enable the environment then is no other intent.
#[test]
fn a_plan_that_brings_a_vault_back_can_be_applied_again() {
    let scene = settled(&plain());
    scene.change_world(|world| {
        let vault = world.vaults.remove("kv-cmk").unwrap();
        world.deleted_vaults.insert("kv-cmk".to_owned(), DeletedVault { vault, deletion: deletion() });
    });
    strictly(&scene, LATER, &["plan", "--out", "approved.plan"]).ended(0);
    strictly(&scene, LATER, &["apply", "approved.plan"]).ended(6).says("done         recover");
    strictly(&scene, LATER, &["apply", "approved.plan"]).ended(6).says("already in effect");
}

/// A refusal of something else holds the whole environment up; the plan says how what was lost is brought back all the same.
#[test]
fn a_repair_beside_a_refusal_is_planned_by_a_limit() {
    const NOWHERE: &str = "    privateLinks:
      links:
        - resource: /subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg-lake/providers/Microsoft.Storage/storageAccounts/nowhere
          dataPrivacyConsent: { agreedBy: ada@contoso.com, agreedOn: 2026-03-02 }
";
    let scene = disabled(&plain());
    scene.write("palisade.yaml", &(plain() + NOWHERE));
    let run = strictly(&scene, LATER, &["plan"]).ended(4).says("error[link-target-missing]");
    run.says("what brings back what was lost there isn't refused: plan it with `--only prod/customerManagedKey`");
    strictly(&scene, LATER, &["plan", "--out", "approved.plan", "--only", "prod/customerManagedKey"]).ended(0);
    strictly(&scene, LATER, &["apply", "approved.plan"]).ended(6).says("done         enable");
    assert!(scene.world().vaults["kv-cmk"].keys["pp-key"].versions[0].attributes.enabled);
}

/// The file names the policy that is linked as a former one, with another key: what the environment lives on is the policy's own.
#[test]
fn a_mistake_about_the_former_key_hides_nothing() {
    let scene = disabled(&plain());
    let former = retained("cmk-eu", &key("pp-kye", "kv-cmk", ""));
    scene.write("palisade.yaml", &on("cmk-eu-2", &key("pp-key-2", "kv-cmk", ""), &former));
    let run = scene.emulated_at(LATER, &["plan"]).ended(4).says("error[cmk-policy-key]");
    let run = run.says("error[cmk-at-risk] customerManagedKey/linked: the key pp-key in kv-cmk is disabled");
    assert!(!run.stdout.contains("no key pp-kye"), "{}", run.stdout);
}
