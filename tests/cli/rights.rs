//! What the identity that runs palisade may do: the least role that the product names, rights that can't be seen, and rights
//! that a later step lacks.

use palisade::emulator::{ConnectionStatus, CustomRole, Permission, World};
use serde_json::json;
use uuid::Uuid;

use crate::links::{APPROVE, GROUP, LAKE, SYNAPSE, configuration, count};
use crate::live::Live;
use crate::support::{NOW, PROD, Run, Scene};

/// The product's documented minimum for private links.
const MINIMUM: [&str; 2] = [
    "Microsoft.Storage/storageAccounts/read",
    "Microsoft.Storage/storageAccounts/PrivateEndpointConnectionsApproval/action",
];
const IDENTITY: &str = "77770000-0000-4000-8000-00000000b008";
const SECRET: &str = "identity-of-the-emulator-only";

/// Lets an identity in: Admin of the environment, and a custom role with `actions` on the resource group.
fn admit(world: &mut World, actions: &[&str]) {
    let id = Uuid::from_u128(0x7777_0000_0000_4000_8000_0000_0000_0008);
    let application =
        json!({ "appId": IDENTITY, "displayName": "minimum", "client": { "secret": SECRET, "graph": "allowed" } });
    world.applications.insert(id, serde_json::from_value(application).unwrap());
    let admin = json!({ "principalId": id, "principalType": "app", "roles": ["Admin"] });
    world.instances.get_mut(&PROD).unwrap().assignments.push(serde_json::from_value(admin).unwrap());
    let actions = actions.iter().map(|action| (*action).to_owned()).collect();
    let permissions = vec![Permission { actions, ..Permission::default() }];
    world.custom_roles.insert(id, CustomRole { role_name: "Private links".into(), permissions });
    let role = json!({ "name": id, "scope": GROUP, "roleDefinition": id, "principalId": id,
                       "principalType": "ServicePrincipal", "createdOn": "2026-01-01T00:00:00Z" });
    world.role_assignments.push(serde_json::from_value(role).unwrap());
}

fn run(scene: &Scene, arguments: &[&str]) -> Run {
    let mut command = scene.command(&[arguments, &["--now", NOW]].concat());
    command.env("PALISADE_EMULATOR_CLIENT_ID", IDENTITY).env("PALISADE_EMULATOR_CLIENT_SECRET", SECRET);
    Run::of(&command.output().unwrap())
}

fn emulated(scene: &Scene, arguments: &[&str]) -> Run {
    run(scene, &[arguments, &["--emulator"]].concat())
}

/// From nothing to an empty plan, whether or not the identity may read the list of its own rights.
#[test]
fn the_least_role_that_the_product_names_does_for_private_links() {
    for permissions_need_right in [false, true] {
        let scene = Scene::with(&configuration("exact", &[(LAKE, APPROVE)]));
        scene.change_world(|world| {
            admit(world, &MINIMUM);
            world.behaviour.permissions_need_right = permissions_need_right;
            world.behaviour.private_link_needs_approval_right = true;
        });
        emulated(&scene, &["apply", "--yes"]).ended(6).says("the next plan lists their endpoints");
        assert_eq!(count(&scene, ConnectionStatus::Pending), 4);
        let why = if permissions_need_right { "it may not read its own rights there" } else { "sources disagree" };
        emulated(&scene, &["plan", "--out", "plan.json"])
            .ended(0)
            .says("tried, although palisade could not confirm that this identity has")
            .says(why);
        emulated(&scene, &["apply", "plan.json"]).ended(0).says("4 done");
        assert_eq!(count(&scene, ConnectionStatus::Approved), 4);
        emulated(&scene, &["plan", "--detailed-exitcode"]).ended(0).says("No changes");
        emulated(&scene, &["drift"]).ended(0);
    }
}

/// The same in one run, over the wire: what is read takes no right but the one to read the account.
#[test]
fn the_least_role_adds_and_approves_in_one_run() {
    let scene = Scene::with(&configuration("exact", &[(LAKE, "")]));
    scene.emulated(&["apply", "--yes"]).ended(6);
    let subscription = scene.world().instances[&PROD].private_links[0].endpoints[0].private_endpoint[15..51].to_owned();
    let more = format!("approve: true, approveFromSubscription: {subscription}, ");
    scene.write("palisade.yaml", &configuration("exact", &[(LAKE, &more)]));
    scene.change_world(|world| {
        world.instances.get_mut(&PROD).unwrap().private_links.clear();
        world.storage_accounts.get_mut("contosolake").unwrap().connections.clear();
        admit(world, &MINIMUM);
    });
    let live = Live::serving(scene.world());
    let outcome = run(&scene, &["apply", "--yes", &live.argument()]).ended(0);
    outcome.says("1 done").says("tried, although palisade");
    run(&scene, &["plan", "--detailed-exitcode", &live.argument()]).ended(0).says("No changes");
    let requests = live.requests();
    let alone: Vec<&str> = requests
        .iter()
        .filter(|seen| seen.method == "GET" && seen.path.contains("/privateEndpointConnections"))
        .map(|seen| seen.path.as_str())
        .collect();
    assert!(alone.is_empty(), "{alone:?}");
}

/// A list that doesn't even show the right to read what was just read proves nothing, neither for the plan nor before the write.
#[test]
fn a_list_that_can_not_be_whole_is_no_proof() {
    let scene = Scene::with(&configuration("exact", &[(LAKE, APPROVE)]));
    scene.emulated(&["apply", "--yes"]).ended(6);
    let rule = "- { operation: GET */permissions, action: { status: { code: 200, body: { value: [] } } } }";
    let run = scene.faulty(rule, &["apply", "--yes"]).ended(0).says("4 done");
    run.says("the list of its rights isn't complete: it doesn't show Microsoft.Storage/storageAccounts/read");
}

/// A service that asks for more than the product promises refuses at the write, and the report says what is missing and who
/// grants it.
#[test]
fn a_right_that_turns_out_to_be_missing_is_named_with_its_role() {
    let scene = Scene::with(&configuration("exact", &[(LAKE, APPROVE)]));
    scene.change_world(|world| {
        admit(world, &MINIMUM);
        world.behaviour.approval_needs_write_right = true;
    });
    emulated(&scene, &["apply", "--yes"]).ended(6);
    let run = emulated(&scene, &["apply", "--yes", "--format", "json"]).ended(5);
    let report = run.json();
    let failed = report["changes"][0]["reason"].as_str().unwrap();
    for words in [
        "AuthorizationFailed",
        "Microsoft.Storage/storageAccounts/privateEndpointConnections/write",
        "the role Storage Account Contributor has it, granted by an Owner or a User Access Administrator of the resource",
    ] {
        assert!(failed.contains(words), "`{words}`: {failed}");
    }
    assert_eq!(count(&scene, ConnectionStatus::Pending), 4);
}

/// For Synapse no page promises that less does: lacking is proved, and waited for.
#[test]
fn a_complete_list_without_the_right_is_proof() {
    let scene = Scene::with(&configuration("exact", &[(SYNAPSE, APPROVE)]));
    scene.change_world(|world| {
        let actions = [
            "Microsoft.Synapse/workspaces/read",
            "Microsoft.Synapse/workspaces/PrivateEndpointConnectionsApproval/action",
        ];
        admit(world, &actions);
    });
    emulated(&scene, &["apply", "--yes"]).ended(6);
    emulated(&scene, &["plan", "--detailed-exitcode"])
        .ended(6)
        .says("2 connections to be approved by somebody with the role Contributor on /subscriptions/")
        .says("this identity lacks Microsoft.Synapse/workspaces/privateEndpointConnections/write");
}

/// The list of rights as of the second look: whoever was more at the first one is a reader by then.
const READER_BY_THEN: &str = "- { operation: GET */permissions, nth: 2, action: { status: { code: 200, body: \
                              { value: [{ actions: ['*/read'], notActions: [], dataActions: [], notDataActions: [] }] } } } }";

/// The step that lacks the right is the second one; the first one isn't sent either.
#[test]
fn nothing_of_a_change_is_sent_whose_later_step_lacks_a_right() {
    let subscription = "87859467-0000-4000-8000-000000000001";
    let more = format!("approve: true, approveFromSubscription: {subscription}, ");
    let scene = Scene::with(&configuration("exact", &[(LAKE, &more)]));
    let run = scene.faulty(READER_BY_THEN, &["apply", "--yes", "--format", "json"]).ended(6);
    assert_eq!(run.outcomes(), [("prod/privateLinks/contosolake".to_owned(), "waiting".to_owned())]);
    let reason = run.json()["changes"][0]["reason"].as_str().unwrap().to_owned();
    for words in [
        "not begun, since this identity lacks Microsoft.Storage/storageAccounts/PrivateEndpointConnectionsApproval/action on /sub",
        "the role Storage Account Contributor has it",
    ] {
        assert!(reason.contains(words), "`{words}`: {reason}");
    }
    assert!(scene.world().instances[&PROD].private_links.is_empty() && scene.journal().is_empty());
    scene.emulated(&["plan"]).ended(0).says("+ create privateLinks/contosolake");
}

/// What requires a change that must not begin doesn't begin either.
#[test]
fn nothing_that_requires_a_grant_is_sent_without_the_right_to_grant() {
    let scene = Scene::with(&crate::vault::configuration(""));
    let run = scene.faulty(READER_BY_THEN, &["apply", "--yes", "--format", "json"]).ended(6);
    let statuses: Vec<String> = run.outcomes().into_iter().map(|(_, status)| status).collect();
    assert_eq!(statuses, ["waiting", "waiting", "waiting"], "{}", run.stdout);
    run.says("the role User Access Administrator has it, granted by an Owner").says("which waits");
    let world = scene.world();
    assert!(world.instances[&PROD].key_vault.is_none() && scene.journal().is_empty());
}
