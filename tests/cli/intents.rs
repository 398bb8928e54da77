//! What an approval hangs on: names that lead elsewhere by now, another vault, another secret.

use crate::support::{EXACT, PROD, Scene, give, roles};

/// A user principal name that moved to another person is another principal.
#[test]
fn a_name_that_moved_to_another_person_is_not_approved() {
    let scene = Scene::with(EXACT);
    let plan = scene.emulated(&["plan", "--out", "plan.json", "--format", "json"]).ended(0).json();
    let digest = plan["intentDigest"].as_str().unwrap().to_owned();
    scene.change_world(|world| {
        let ada = *world.users.iter().find(|(_, user)| user.user_principal_name == "ada@contoso.com").unwrap().0;
        world.users.get_mut(&ada).unwrap().user_principal_name = "ada.lovelace@contoso.com".into();
        give(world, PROD, "ada@contoso.com", "Viewer");
        let new = *world.users.iter().find(|(_, user)| user.user_principal_name == "ada@contoso.com").unwrap().0;
        world.instances.get_mut(&PROD).unwrap().assignments.retain(|held| held.principal_id != new.to_string());
    });
    let run = scene.emulated(&["apply", "plan.json"]).ended(4);
    assert!(run.stderr.contains("+ prod/users/ada@contoso.com create"), "{}", run.stderr);
    assert!(run.stderr.contains("principal is "), "what differs is named: {}", run.stderr);
    scene.emulated(&["apply", "--approved", &digest, "--approved-until", "2026-11-20T13:00:00Z"]).ended(4);
    assert_eq!(roles(&scene.world(), PROD, "ada@contoso.com"), [""; 0]);
}

/// Whom a plan said that a role reaches is part of what was approved, for every role; and a group that is as it was is.
#[test]
fn a_group_that_grew_since_the_plan_is_another_change() {
    for role in ["Admin", "Viewer"] {
        let group = format!("        - {{ group: Team, id: 3b0c2c6e-0000-4000-8000-00000000c001, role: {role} }}\n");
        let scene = Scene::with(&format!("{EXACT}{group}"));
        let plan = scene.emulated(&["plan", "--out", "plan.json", "--format", "json"]).ended(0).json();
        let digest = plan["intentDigest"].as_str().unwrap().to_owned();
        let before = scene.world();
        scene.change_world(|world| {
            give(world, PROD, "eve@contoso.com", "Viewer");
            let eve = *world.users.iter().find(|(_, user)| user.user_principal_name == "eve@contoso.com").unwrap().0;
            world.instances.get_mut(&PROD).unwrap().assignments.retain(|held| held.principal_id != eve.to_string());
            world.groups.values_mut().for_each(|group| {
                group.members.insert(eve);
            });
        });
        let run = scene.emulated(&["apply", "plan.json"]).ended(4);
        assert!(run.stderr.contains("members is 3") && run.stderr.contains("approved was 2"), "{}", run.stderr);
        scene.emulated(&["apply", "--approved", &digest, "--approved-until", "2026-11-20T13:00:00Z"]).ended(4);
        assert!(scene.journal().is_empty());
        scene.keep_world(&before);
        scene.emulated(&["apply", "plan.json"]).ended(0);
    }
}

const KEYS: &str = "\
version: 1
tenant: { id: 7b1f0c52-0000-4000-8000-0000000000aa }
environments:
  prod:
    instanceId: 6f2b1c34-0000-4000-8000-00000000a001
    environmentId: 1bd6bd98-0000-4000-8000-00000000e001
    apiAccess:
      enabled: true
      keys:
        publishTo: { vault: /subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv-ci-prod, secret: ci-api-key }
";

/// A digest that approved a publication approves none to another vault or secret, nor of another environment.
#[test]
fn a_publication_elsewhere_is_another_intent() {
    let digest = |configuration: &str| {
        let scene = Scene::with(configuration);
        scene.emulated(&["plan", "--format", "json"]).ended(0).json()["intentDigest"].as_str().unwrap().to_owned()
    };
    let approved = digest(KEYS);
    assert_eq!(digest(&KEYS.replace("version: 1\n", "version: 1 # a comment\n")), approved);
    let elsewhere = [
        KEYS.replace("kv-ci-prod", "kv-ci-other"),
        KEYS.replace("secret: ci-api-key", "secret: another-key"),
        KEYS.replace("resourceGroups/rg/", "resourceGroups/other/"),
        KEYS.replace("a001", "a009"),
    ];
    for configuration in elsewhere {
        assert_ne!(digest(&configuration), approved, "{configuration}");
        let scene = Scene::with(&configuration);
        let run =
            scene.emulated(&["apply", "--approved", &approved, "--approved-until", "2026-11-20T13:00:00Z"]).ended(4);
        assert!(run.stderr.contains(&approved) && scene.journal().is_empty(), "{}", run.stderr);
    }
}

/// What people attest is no part of an intent: whoever records what they saw voids no approval.
#[test]
fn an_attestation_is_no_part_of_an_intent() {
    let digest = |scene: &Scene| {
        scene.emulated(&["plan", "--format", "json"]).json()["scopes"][0]["changes"][0]["digest"].clone()
    };
    let scene = Scene::with(EXACT);
    let approved = digest(&scene);
    let attested = "    attested: [{ setting: keyVault, saw: { linked: false }, by: ada@contoso.com, on: 2026-11-19, validFor: 90d }]\n";
    scene.write("palisade.yaml", &format!("{EXACT}{attested}"));
    assert_eq!(digest(&scene), approved);
}
