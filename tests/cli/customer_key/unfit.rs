//! What can't work is refused when it is planned, with its place in the file, and nothing is done.

use palisade::emulator::{EnterprisePolicy, PlatformEnvironment, Vault};

use super::*;
use crate::live::Live;

fn environment(world: &mut World) -> &mut PlatformEnvironment {
    world.power_platform_environments.get_mut(ENVIRONMENT).unwrap()
}

fn of_vault(world: &mut World) -> &mut Vault {
    world.vaults.get_mut("kv-cmk").unwrap()
}

/// A code, what spoils the world, and the words for it.
type Case = (&'static str, fn(&mut World), &'static str);

const CASES: [Case; 7] = [
    (
        "environment-mismatch",
        |world| {
            environment(world).dataverse.as_mut().unwrap().instance_url = "https://fabrikam.crm4.dynamics.com/".into()
        },
        "https://fabrikam.crm4.dynamics.com",
    ),
    ("cmk-environment", |world| environment(world).sku = "Trial".into(), "Trial"),
    (
        "cmk-vault-unfit",
        |world| of_vault(world).tenant_id = Uuid::from_u128(9),
        "belongs to the tenant 00000000-0000-0000-0000-000000000009",
    ),
    (
        "cmk-vault-unfit",
        |world| of_vault(world).enable_purge_protection = false,
        "az keyvault update --name kv-cmk --resource-group rg-cmk --subscription 11110000-0000-4000-8000-00000000aaaa --enable-purge-protection true",
    ),
    ("cmk-location", |world| of_vault(world).location = "eastus".into(), "in the geography unitedstates"),
    (
        "cmk-key-unfit",
        |world| of_vault(world).keys.get_mut("pp-key").unwrap().versions[0].key_size = Some(1024),
        "1024 bits, not 2048 or 3072",
    ),
    (
        "cmk-not-managed",
        |world| environment(world).protection_level = "Basic".into(),
        "managedEnvironment: { enabled: true }",
    ),
];

/// Plans and applies what was approved before the world was spoilt.
#[track_caller]
fn refused(scene: &Scene, world: World, code: &str, words: &str) {
    let live = Live::serving(world);
    let run = |arguments: &[&str]| scene.run(&[arguments, &["--now", NOW, &live.argument()]].concat());
    let plan = run(&["plan"]).ended(4).says(words);
    let line = plan.stdout.lines().find(|line| line.contains(&format!("error[{code}]"))).expect(code);
    let place = match line {
        _ if code == "environment-mismatch" => "4:3",
        _ if line.contains("customerManagedKey/policy:") => "10:7",
        _ if line.contains("customerManagedKey/key:") => "11:7",
        _ => "9:7",
    };
    assert!(line.ends_with(&format!("(palisade.yaml:{place})")), "{line}");
    run(&["apply", "approved.plan"]).ended(4);
    run(&["apply", "--yes"]).ended(4);
    assert_eq!(live.writes(), [""; 0], "{code}");
}

#[test]
fn what_can_not_have_such_a_key_is_refused() {
    let scene = Scene::with(&plain());
    planned(&scene, NOW);
    for (code, spoil, words) in CASES {
        let mut world = scene.world();
        spoil(&mut world);
        refused(&scene, world, code, words);
    }
}

/// The same for a policy that is there.
type PolicyCase = (&'static str, fn(&mut EnterprisePolicy), &'static str);

#[test]
fn a_policy_that_does_not_fit_or_is_not_there_is_refused() {
    let scene = Scene::with(&plain().replace("provision: true", "provision: false"));
    planned(&scene, NOW);
    let cases: [PolicyCase; 2] = [
        ("cmk-policy-unfit", |policy| policy.kind = "NetworkInjection".into(), "NetworkInjection"),
        ("cmk-location", |policy| policy.location = "unitedstates".into(), "a policy can't be moved"),
    ];
    for (code, spoil, words) in cases {
        let mut world = scene.world();
        spoil(world.enterprise_policies.get_mut(&policy("cmk-eu").to_lowercase()).unwrap());
        refused(&scene, world, code, words);
    }
    let mut world = scene.world();
    world.enterprise_policies.remove(&policy("cmk-eu").to_lowercase());
    refused(&scene, world, "cmk-policy-not-found", "write `provision: true` to have it created");
    let mut world = scene.world();
    world.role_assignments.retain(|held| held.role_definition != ENCRYPTION_USER);
    refused(&scene, world, "cmk-grant-missing", "az role assignment create --role");
}
