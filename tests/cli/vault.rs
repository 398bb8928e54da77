//! The Key Vault link: rights first, then the link; everything that the product demands, before and after.

use palisade::emulator::{DefaultAction, NetworkAcls, Vault, World};
use serde_json::json;
use uuid::Uuid;

use crate::live::Live;
use crate::support::{NOW, PROD, Run, Scene, changes};

pub(crate) const VAULT: &str = "/subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg-ci/providers/Microsoft.KeyVault/vaults/kv-ci";

pub(crate) fn configuration(more: &str) -> String {
    format!(
        "\
version: 1
tenant: {{ id: 7b1f0c52-0000-4000-8000-0000000000aa }}
environments:
  prod:
    instanceId: 6f2b1c34-0000-4000-8000-00000000a001
    environmentId: 1bd6bd98-0000-4000-8000-00000000e001
    name: Contoso prod
    keyVault:
      id: {VAULT}
      dataPrivacyConsent: {{ agreedBy: ada@contoso.com, agreedOn: 2026-03-02 }}
{more}"
    )
}

fn vault(world: &mut World) -> &mut Vault {
    world.vaults.get_mut("kv-ci").unwrap()
}

fn open() -> NetworkAcls {
    NetworkAcls {
        bypass: "AzureServices".into(),
        default_action: DefaultAction::Allow,
        ip_rules: Vec::new(),
        virtual_network_rules: Vec::new(),
    }
}

#[test]
fn roles_are_granted_then_the_vault_is_linked_then_nothing_is_left() {
    let scene = Scene::with(&configuration(""));
    let plan = scene.emulated(&["plan", "--format", "json"]).ended(0).json();
    let expected = [
        "grant prod/keyVault/roles/key-vault-reader",
        "grant prod/keyVault/roles/key-vault-secrets-user",
        "link prod/keyVault",
    ];
    assert_eq!(changes(&plan), expected);
    scene.emulated(&["apply", "--yes"]).ended(0).says("3 done");
    let world = scene.world();
    assert_eq!(world.instances[&PROD].key_vault.as_ref().unwrap().vault, VAULT);
    scene.emulated(&["plan", "--detailed-exitcode"]).ended(0).says("No changes").says("2 in sync");
    scene.emulated(&["apply", "--yes"]).ended(0);
}

#[test]
fn a_vault_that_goes_by_access_policies_gets_one_and_keeps_the_others() {
    let scene = Scene::with(&configuration(""));
    let other = Uuid::from_u128(77);
    scene.change_world(|world| {
        let policy = json!({ "tenantId": "7b1f0c52-0000-4000-8000-0000000000aa", "objectId": other,
                             "permissions": { "keys": ["all"], "secrets": [], "certificates": [], "storage": [] } });
        let vault = vault(world);
        vault.enable_rbac_authorization = Some(false);
        vault.access_policies = vec![serde_json::from_value(policy).unwrap()];
        own(world);
    });
    scene.emulated(&["plan"]).ended(0).says("+ grant keyVault/access-policy  get and list");
    scene.emulated(&["apply", "--yes"]).ended(0).says("2 done");
    let policies = scene.world().vaults["kv-ci"].access_policies.clone();
    assert_eq!(policies.len(), 2);
    assert_eq!(policies[0].object_id, other);
    assert_eq!(policies[1].permissions.secrets, ["get", "list"]);
    scene.emulated(&["plan", "--detailed-exitcode"]).ended(0);
}

/// The embedded client as Owner of the vault.
fn own(world: &mut World) {
    let client = world.applications.iter().find(|(_, app)| app.display_name == "palisade").map(|(id, _)| *id).unwrap();
    let role = json!({ "name": Uuid::from_u128(5), "scope": VAULT, "roleDefinition": "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
                       "principalId": client, "principalType": "ServicePrincipal", "createdOn": "2026-01-01T00:00:00Z" });
    world.role_assignments.push(serde_json::from_value(role).unwrap());
}

/// A code, what spoils the world, and the words for it.
type Demand = (&'static str, fn(&mut World), &'static str);

/// What stands in the way, before linking and as drift afterwards: the text, and that nothing is written.
#[test]
fn each_failing_demand_is_named_and_nothing_is_done() {
    let cases: [Demand; 6] = [
        (
            "vault-firewall",
            |world| vault(world).network_acls = Some(NetworkAcls { default_action: DefaultAction::Deny, ..open() }),
            "the vault's firewall is on: its firewall's default action is `Deny`",
        ),
        (
            "vault-firewall",
            |world| vault(world).public_network_access = Some("Disabled".into()),
            "the vault's firewall is on: its public network access is `Disabled`",
        ),
        (
            "vault-soft-delete",
            |world| vault(world).enable_soft_delete = false,
            "soft delete is off in the vault: a deleted secret stops its connections for good",
        ),
        (
            "vault-geography",
            |world| vault(world).location = "eastus".into(),
            "the vault is in eastus, in the geography unitedstates; the environment is in europe",
        ),
        (
            "vault-tenant",
            |world| vault(world).tenant_id = Uuid::from_u128(9),
            "the vault takes identities of the tenant 00000000-0000-0000-0000-000000000009, the environment is in 7b1f0c52",
        ),
        (
            "vault-not-found",
            |world| drop(world.vaults.remove("kv-ci")),
            "Azure has no vault kv-ci in the resource group rg-ci",
        ),
    ];
    for linked in [false, true] {
        let scene = Scene::with(&configuration(""));
        if linked {
            scene.emulated(&["apply", "--yes"]).ended(0);
        }
        for (code, spoil, words) in cases {
            let mut world = scene.world();
            spoil(&mut world);
            let live = Live::serving(world);
            let run = |arguments: &[&str]| scene.run(&[arguments, &["--now", NOW, &live.argument()]].concat());
            run(&["plan"]).ended(4).says(&format!("error[{code}] ")).says(words).says("help: ");
            run(&["drift"]).ended(4);
            run(&["apply", "--yes"]).ended(4).complains("prod is refused; nothing was done");
            assert_eq!(live.writes(), [""; 0], "{code}");
        }
    }
}

#[test]
fn a_region_that_nobody_knows_is_a_warning_and_not_silence() {
    let scene = Scene::with(&configuration(""));
    scene.change_world(|world| vault(world).location = "atlantis".into());
    scene
        .emulated(&["plan"])
        .ended(0)
        .says("warning[region-mismatch] ")
        .says("`atlantis` isn't a region that palisade knows");
}

#[test]
fn a_right_that_was_taken_away_is_drift_and_is_given_back() {
    let scene = Scene::with(&configuration(""));
    scene.emulated(&["apply", "--yes"]).ended(0);
    let service = |world: &World| {
        let found = world.applications.iter().find(|(_, app)| app.display_name.contains("Customer Insights"));
        found.map(|(id, _)| *id).unwrap()
    };
    scene.change_world(|world| {
        let service = service(world);
        world.role_assignments.retain(|held| held.principal_id != service);
    });
    scene.emulated(&["drift"]).ended(2).says("Drift: 2 changes");
    scene.emulated(&["apply", "--yes"]).ended(0).says("2 done");
    scene.emulated(&["drift"]).ended(0);
}

#[test]
fn another_vault_is_replaced_only_if_the_file_names_it() {
    let scene = Scene::with(&configuration(""));
    scene.emulated(&["apply", "--yes"]).ended(0);
    let new = configuration("").replace("kv-ci", "kv-new");
    scene.write("palisade.yaml", &new);
    scene
        .emulated(&["apply", "--yes"])
        .ended(4)
        .says("error[other-vault-linked]")
        .says("vaults/kv-ci, and the file doesn't allow");
    scene.write("palisade.yaml", &format!("{new}      replaces: {}\n", VAULT.replace("kv-ci", "kv-other")));
    scene.emulated(&["plan"]).ended(4).says("`replaces` allows only /subscriptions/");
    scene.write("palisade.yaml", &format!("{new}      replaces: {}\n", VAULT.to_uppercase()));
    scene.emulated(&["plan"]).ended(0).says("+ link  keyVault").says("kv-ci -> kv-new").says("interrupts");
    scene.emulated(&["apply", "--yes"]).ended(0).says("3 done");
    assert!(scene.world().instances[&PROD].key_vault.as_ref().unwrap().vault.ends_with("kv-new"));
    scene.emulated(&["plan", "--detailed-exitcode"]).ended(0);
}

/// Once a grant fails, linking would only fail later, in a connection.
#[test]
fn nothing_is_linked_while_a_grant_is_missing() {
    let scene = Scene::with(&configuration(""));
    let rule = "- { operation: PUT */roleAssignments/*, nth: 2, action: { status: { code: 400 } } }";
    let run = scene.faulty(rule, &["apply", "--yes", "--format", "json"]).ended(5);
    let statuses: Vec<_> = run.outcomes().into_iter().map(|(_, status)| status).collect();
    assert_eq!(statuses, ["done", "failed", "notStarted"]);
    assert!(scene.world().instances[&PROD].key_vault.is_none());
    scene.emulated(&["apply", "--yes"]).ended(0).says("2 done");
}

#[test]
fn lost_answers_change_nothing_about_the_end() {
    let scene = Scene::with(&configuration(""));
    let rules = "- { operation: PUT */roleAssignments/*, nth: 1, action: loseAnswer }\n\
                 - { operation: PUT */manage/keyvault, nth: 1, action: loseAnswer }";
    scene.faulty(rules, &["apply", "--yes"]).ended(0).says("3 done");
    // The retries took their time, and a grant made then counts from then on.
    scene.emulated_at("2026-11-20T13:00:00Z", &["plan", "--detailed-exitcode"]).ended(0);
}

#[test]
fn whoever_may_not_grant_waits_for_somebody_who_may() {
    let scene = Scene::with(&configuration(""));
    let watcher = Uuid::from_u128(0x7777_0000_0000_4000_8000_0000_0000_0001);
    scene.change_world(|world| {
        let application = json!({ "appId": watcher, "displayName": "watcher", "client": { "secret": "s", "graph": "allowed" } });
        world.applications.insert(watcher, serde_json::from_value(application).unwrap());
        let admin = json!({ "principalId": watcher, "principalType": "app", "roles": ["Admin"] });
        world.instances.get_mut(&PROD).unwrap().assignments.push(serde_json::from_value(admin).unwrap());
        let role = json!({ "name": watcher, "scope": VAULT, "roleDefinition": "acdd72a7-3385-48ef-bd42-f606fba81ae7",
                           "principalId": watcher, "principalType": "ServicePrincipal", "createdOn": "2026-01-01T00:00:00Z" });
        world.role_assignments.push(serde_json::from_value(role).unwrap());
    });
    let run = |arguments: &[&str]| {
        let mut command = scene.command(&[arguments, &["--emulator", "--now", NOW]].concat());
        command.env("PALISADE_EMULATOR_CLIENT_ID", watcher.to_string()).env("PALISADE_EMULATOR_CLIENT_SECRET", "s");
        Run::of(&command.output().unwrap())
    };
    run(&["apply", "--yes"])
        .ended(6)
        .says("… waiting keyVault/rights (for a person)")
        .says("somebody with the role User Access Administrator on /subscriptions/")
        .says("the roles Key Vault Reader and Key Vault Secrets User");
    assert!(scene.world().instances[&PROD].key_vault.is_none());
    scene.emulated(&["apply", "--yes"]).ended(0);
    run(&["plan", "--detailed-exitcode"]).ended(0);
}

#[test]
fn on_a_cloud_palisade_grants_and_a_person_links_and_records() {
    let scene = Scene::with(&configuration(""));
    let run = scene.emulated(&["apply", "--yes", "--as-cloud"]).ended(6).says("2 done").says("1 waiting");
    run.says("Settings > Permissions > Key Vault").says("Subscription: 11110000-0000-4000-8000-00000000aaaa");
    // Looked at, and not linked yet: a step for a person.
    let attested = |saw: &str| {
        format!(
            "    attested: [{{ setting: keyVault, saw: {saw}, by: ada@contoso.com, on: 2026-11-20, validFor: 90d }}]\n"
        )
    };
    scene.write("palisade.yaml", &configuration(&attested("{ linked: false }")));
    scene.emulated(&["drift", "--as-cloud"]).ended(2).says("+ link keyVault").says("choose the vault kv-ci");
    scene.write("palisade.yaml", &configuration(&attested(&format!("{{ id: {VAULT} }}"))));
    scene
        .emulated(&["drift", "--as-cloud"])
        .ended(0)
        .says("note[rests-on-attestation] keyVault: attested, not read: ada@contoso.com saw `{ id: kv-ci }` today");
    // Somebody takes the rights away: then it can't be in use.
    scene.change_world(|world| world.role_assignments.retain(|held| !held.scope.ends_with("/vaults/kv-ci")));
    scene.emulated(&["plan", "--as-cloud"]).says("warning[attestation-contradicted]");
}
