//! Rights that the identity which runs palisade lacks: found before anything is written, with what a person can run.

use palisade::emulator::RoleAssignment;
use serde_json::json;

use super::*;
use crate::support::changes;

const WATCHER: Uuid = Uuid::from_u128(0x7777_0000_0000_4000_8000_0000_0000_0001);
const READER: &str = "acdd72a7-3385-48ef-bd42-f606fba81ae7";
const CONTRIBUTOR: &str = "b24988ac-6180-42a0-ab88-20f7382dd24c";
const USER_ACCESS_ADMINISTRATOR: &str = "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9";

/// An identity with Admin in Customer Insights, the administration of Power Platform, and one role in the resource group.
fn admit(world: &mut World, roles: &[(&str, &str)]) {
    let application =
        json!({ "appId": WATCHER, "displayName": "watcher", "client": { "secret": "s", "graph": "allowed" } });
    world.applications.insert(WATCHER, serde_json::from_value(application).unwrap());
    let admin = json!({ "principalId": WATCHER, "principalType": "app", "roles": ["Admin"] });
    let instance = world.instances.get_mut(&crate::support::PROD).unwrap();
    instance.assignments.push(serde_json::from_value(admin).unwrap());
    let registered = *world.admin_applications.values().next().unwrap();
    world.admin_applications.insert(WATCHER, registered);
    for (number, (role, scope)) in roles.iter().enumerate() {
        let name = Uuid::from_u128(0x7777 + number as u128);
        let role = json!({ "name": name, "scope": scope, "roleDefinition": role, "principalId": WATCHER,
                           "principalType": "ServicePrincipal", "createdOn": "2026-01-01T00:00:00Z" });
        world.role_assignments.push(serde_json::from_value::<RoleAssignment>(role).unwrap());
    }
}

fn watched(scene: &Scene, arguments: &[&str]) -> Run {
    let mut command = scene.command(&[arguments, &["--emulator", "--now", NOW]].concat());
    command.env("PALISADE_EMULATOR_CLIENT_ID", WATCHER.to_string()).env("PALISADE_EMULATOR_CLIENT_SECRET", "s");
    Run::of(&command.output().unwrap())
}

/// How much of the chain there is.
fn made(scene: &Scene) -> (usize, usize, usize) {
    let world = scene.world();
    (policies(&world).len(), grants(&world).len(), operations(&world).len())
}

#[test]
fn an_identity_that_may_not_create_policies_waits_for_a_person() {
    let scene = scene(&plain(), |world| {
        admit(world, &[(READER, GROUP), (USER_ACCESS_ADMINISTRATOR, &vault("kv-cmk"))]);
    });
    let run = watched(&scene, &["plan", "--out", "approved.plan"]).ended(0);
    let run = run.says("waiting customerManagedKey/policy (for a person)").says("with the role Contributor");
    let command =
        format!("`az rest --method put --url '{}?api-version=2020-10-30-preview' --body '{{", policy("cmk-eu"));
    let body = run.stdout.split_once(&command).expect(&run.stdout).1.split_once("'`").unwrap().0;
    let body: Json = serde_json::from_str(&format!("{{{body}")).unwrap();
    assert_eq!(body["properties"]["encryption"]["keyVault"]["key"]["name"], "pp-key");
    // Nothing is granted to an identity that there isn't.
    assert_eq!(changes(&watched(&scene, &["plan", "--format", "json"]).ended(0).json()), [""; 0]);
    watched(&scene, &["apply", "approved.plan"]).ended(6);
    assert_eq!(made(&scene), (0, 0, 0));
}

/// Only a policy that is there has an identity to grant something to: it is made, and the command names it.
#[test]
fn an_identity_that_may_not_grant_waits_for_a_person() {
    let scene = scene(&plain(), |world| admit(world, &[(CONTRIBUTOR, GROUP)]));
    let run = watched(&scene, &["plan", "--out", "approved.plan"]).ended(0);
    run.says("waiting customerManagedKey/grants/kv-cmk (for a person)").says("az role assignment create");
    let run = watched(&scene, &["apply", "approved.plan"]).ended(6);
    assert_eq!(made(&scene), (1, 0, 0));
    let world = scene.world();
    let identity = policies(&world)[0].system_identity.unwrap();
    let vault = vault("kv-cmk");
    run.says(&format!(
        "`az role assignment create --role \"Key Vault Crypto Service Encryption User\" --assignee-object-id {identity} \
         --assignee-principal-type ServicePrincipal --scope {vault}`"
    ));
    // Once a person did that, the rest is done.
    scene.change_world(|world| {
        let role = json!({ "name": identity, "scope": vault, "roleDefinition": ENCRYPTION_USER, "principalId": identity,
                           "principalType": "ServicePrincipal", "createdOn": "2026-11-20T11:00:00Z" });
        world.role_assignments.push(serde_json::from_value::<RoleAssignment>(role).unwrap());
    });
    let plan = watched(&scene, &["plan", "--format", "json", "--out", "approved.plan"]).ended(0).json();
    assert_eq!(changes(&plan), ["link prod/customerManagedKey"]);
    watched(&scene, &["apply", "approved.plan"]).ended(6);
    assert_eq!(made(&scene), (1, 1, 1));
}

/// The rights were there when it was planned, and when it was read again: they are asked about once more before the first write,
/// and what rests on what can't be done isn't begun.
#[test]
fn a_right_that_is_lost_meanwhile_is_found_before_the_first_write() {
    let scene = Scene::with(&plain());
    planned(&scene, NOW);
    let none = "status: { code: 200, body: { value: [{ actions: ['*/read'], notActions: [] }] } }";
    let path = "*/kv-cmk/providers/Microsoft.Authorization/permissions";
    let rule = format!("- {{ operation: GET {path}, nth: 2, action: {{ {none} }} }}");
    let run = scene.faulty(&rule, &["apply", "approved.plan", "-vv"]).ended(6);
    assert!(!run.stderr.contains("RoleAssignments_Create"), "{}", run.stderr);
    sent_no_link(&run);
    run.says("not begun, since this identity lacks Microsoft.Authorization/roleAssignments/write")
        .says("it requires prod/customerManagedKey/grants/kv-cmk, which waits");
    let (_, grants, operations) = made(&scene);
    assert_eq!((grants, operations), (0, 0));
}
