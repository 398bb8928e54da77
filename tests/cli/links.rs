//! Private links from nothing to approved: who approves what, who waits for whom, and who is never let in.

use palisade::emulator::{Connection, ConnectionStatus, World};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::live::Live;
use crate::support::{NOW, PROD, Run, Scene, changes};

const HEAD: &str = "\
version: 1
tenant: { id: 7b1f0c52-0000-4000-8000-0000000000aa }
environments:
  prod:
    instanceId: 6f2b1c34-0000-4000-8000-00000000a001
    environmentId: 1bd6bd98-0000-4000-8000-00000000e001
    name: Contoso prod
";
pub(crate) const GROUP: &str = "/subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg-lake";
pub(crate) const LAKE: &str = "Microsoft.Storage/storageAccounts/contosolake";
pub(crate) const SYNAPSE: &str = "Microsoft.Synapse/workspaces/contosows";
const CONSENT: &str = "dataPrivacyConsent: { agreedBy: ada@contoso.com, agreedOn: 2026-03-02 }";
const ENDS: [&str; 4] = ["blob", "blobforsynapse", "dfs", "dfsforsynapse"];
/// An identity that may look at everything and approve nothing.
const WATCHER: &str = "77770000-0000-4000-8000-00000000b007";
const SECRET: &str = "watcher-of-the-emulator-only";
const READER: &str = "acdd72a7-3385-48ef-bd42-f606fba81ae7";

pub(crate) fn configuration(matching: &str, links: &[(&str, &str)]) -> String {
    let mut text = format!("{HEAD}    privateLinks:\n      match: {matching}\n      links:\n");
    for (resource, more) in links {
        text += &format!("        - {{ resource: {GROUP}/providers/{resource}, {more}{CONSENT} }}\n");
    }
    if links.is_empty() { text.replace("links:\n", "links: []\n") } else { text }
}

pub(crate) const APPROVE: &str = "approve: true, ";

pub(crate) fn lake(scene: &Scene) -> Vec<(String, ConnectionStatus)> {
    let connections = scene.world().storage_accounts["contosolake"].connections.clone();
    let name = |connection: &Connection| connection.private_endpoint.rsplit('/').next().unwrap().to_owned();
    connections.iter().map(|connection| (name(connection), connection.status)).collect()
}

pub(crate) fn count(scene: &Scene, status: ConnectionStatus) -> usize {
    lake(scene).iter().filter(|(_, found)| *found == status).count()
}

fn plan(scene: &Scene) -> Json {
    scene.emulated(&["plan", "--format", "json"]).json()
}

fn codes(plan: &Json) -> Vec<String> {
    let notes = plan["notes"].as_array().unwrap().iter();
    notes.map(|note| note["code"].as_str().unwrap().to_owned()).collect()
}

/// Somebody asks for a connection to the lake under this name.
fn ask(world: &mut World, number: u32, subscription: &str, endpoint: &str) {
    let lake = world.storage_accounts.get_mut("contosolake").unwrap();
    let id = format!(
        "/subscriptions/{subscription}/resourceGroups/rg/providers/Microsoft.Network/privateEndpoints/{endpoint}"
    );
    let connection = json!({ "name": format!("contosolake.{number}"), "privateEndpoint": id, "status": "Pending" });
    lake.connections.push(serde_json::from_value(connection).unwrap());
}

const STRANGER: &str = "99990000-0000-4000-8000-00000000dddd";

/// Lets the watcher in: Admin of the environment, Reader of the resource group.
fn admit_watcher(world: &mut World) {
    let id = Uuid::from_u128(0x7777_0000_0000_4000_8000_0000_0000_0001);
    let application =
        json!({ "appId": WATCHER, "displayName": "watcher", "client": { "secret": SECRET, "graph": "allowed" } });
    world.applications.insert(id, serde_json::from_value(application).unwrap());
    let admin = json!({ "principalId": id, "principalType": "app", "roles": ["Admin"] });
    world.instances.get_mut(&PROD).unwrap().assignments.push(serde_json::from_value(admin).unwrap());
    let role = json!({ "name": id, "scope": GROUP, "roleDefinition": READER, "principalId": id,
                       "principalType": "ServicePrincipal", "createdOn": "2026-01-01T00:00:00Z" });
    world.role_assignments.push(serde_json::from_value(role).unwrap());
}

fn watcher(scene: &Scene, arguments: &[&str]) -> Run {
    let mut command = scene.command(&[arguments, &["--emulator", "--now", NOW]].concat());
    command.env("PALISADE_EMULATOR_CLIENT_ID", WATCHER).env("PALISADE_EMULATOR_CLIENT_SECRET", SECRET);
    Run::of(&command.output().unwrap())
}

#[test]
fn both_kinds_of_resource_come_from_nothing_to_approved() {
    let scene = Scene::with(&configuration("exact", &[(LAKE, APPROVE), (SYNAPSE, APPROVE)]));
    let first = plan(&scene);
    assert_eq!(changes(&first), ["create prod/privateLinks/contosolake", "create prod/privateLinks/synapse:contosows"]);
    assert!(codes(&first).contains(&"undocumented-resource-type".to_owned()), "{:?}", codes(&first));
    scene.emulated(&["plan", "--detailed-exitcode"]).ended(2);
    let run = scene.emulated(&["apply", "--yes", "--format", "json"]).ended(6);
    assert!(run.outcomes().iter().all(|(_, status)| status == "waiting"), "{}", run.stdout);
    run.says("the next plan lists their endpoints");

    let second = plan(&scene);
    let list = changes(&second);
    assert_eq!(list.len(), 6);
    for end in ENDS {
        assert!(list.contains(&format!("approve prod/privateLinks/contosolake/pe-contosolake-{end}")), "{list:?}");
    }
    for change in second["scopes"][0]["changes"].as_array().unwrap() {
        let endpoint = change["after"]["endpoint"].as_str().unwrap();
        assert!(endpoint.contains("/providers/Microsoft.Network/privateEndpoints/"), "{endpoint}");
        assert_eq!(change["before"]["endpoint"], endpoint);
    }
    scene.emulated(&["plan", "--out", "plan.json"]).ended(0);
    scene.emulated(&["apply", "plan.json"]).ended(0).says("6 done");
    assert_eq!(count(&scene, ConnectionStatus::Approved), 4);
    let description = &scene.world().storage_accounts["contosolake"].connections[0].description;
    assert_eq!(description, "Approved by palisade for the environment prod (Contoso prod)");
    scene.emulated(&["plan", "--detailed-exitcode"]).ended(0).says("2 in sync");
    scene.emulated(&["apply", "--yes"]).ended(0);
}

#[test]
fn a_synapse_approval_that_takes_its_time_is_left_and_neither_repeated_nor_alarmed_about() {
    let scene = Scene::with(&configuration("exact", &[(SYNAPSE, APPROVE)]));
    scene.emulated(&["apply", "--yes"]).ended(6);
    scene.change_world(|world| world.behaviour.connection_work = jiff::SignedDuration::from_hours(2));
    let run = scene.emulated(&["apply", "--yes", "--wait", "1m"]).ended(6);
    run.says("the service took it, but Azure is still at work on it after 1 min");
    let later = |now, arguments: &[&str]| scene.emulated_at(now, arguments);
    let waiting = later("2026-11-20T12:30:00Z", &["plan", "--format", "json"]).ended(0).json();
    assert_eq!((changes(&waiting).len(), &waiting["summary"]["waiting"]), (0, &json!(1)));
    assert_eq!(waiting["scopes"][0]["waiting"][0]["for"], "service");
    let writes = scene.journal().len();
    later("2026-11-20T12:30:00Z", &["apply", "--yes"]).ended(6);
    assert_eq!(scene.journal().len(), writes, "nothing was sent again");
    later("2026-11-20T14:30:00Z", &["plan", "--detailed-exitcode"]).ended(0).says("1 in sync");
}

#[test]
fn a_synapse_approval_that_fails_later_is_planned_again() {
    let scene = Scene::with(&configuration("exact", &[(SYNAPSE, APPROVE)]));
    scene.emulated(&["apply", "--yes"]).ended(6);
    scene.change_world(|world| world.behaviour.connection_work_fails = true);
    scene.emulated(&["apply", "--yes", "--wait", "0s"]);
    scene.change_world(|world| world.behaviour.connection_work_fails = false);
    assert_eq!(changes(&plan(&scene)).len(), 2);
    scene.emulated(&["apply", "--yes"]).ended(0);
    scene.emulated(&["plan", "--detailed-exitcode"]).ended(0);
}

#[test]
fn an_identity_without_approval_rights_waits_for_one_that_has_them() {
    let scene = Scene::with(&configuration("exact", &[(LAKE, APPROVE)]));
    scene.change_world(admit_watcher);
    watcher(&scene, &["apply", "--yes"]).ended(6);
    assert_eq!(count(&scene, ConnectionStatus::Pending), 4);
    for arguments in [&["plan", "--detailed-exitcode"] as &[&str], &["drift"], &["apply", "--yes"]] {
        watcher(&scene, arguments)
            .ended(6)
            .says("… waiting privateLinks/contosolake (for a person)")
            .says(
                "4 connections to be approved by somebody with the role Storage Account Contributor on /subscriptions/",
            )
            .says("this identity lacks Microsoft.Storage/storageAccounts/PrivateEndpointConnectionsApproval/action");
    }
    watcher(&scene, &["plan"]).ended(0);
    watcher(&scene, &["apply", "--yes", "--accept-waiting"]).ended(0);
    assert_eq!(count(&scene, ConnectionStatus::Pending), 4);
    scene.emulated(&["apply", "--yes"]).ended(0).says("4 done");
    watcher(&scene, &["plan", "--detailed-exitcode"]).ended(0).says("No changes");
}

#[test]
fn without_approve_palisade_only_says_what_it_waits_for() {
    let scene = Scene::with(&configuration("exact", &[(LAKE, "")]));
    scene.emulated(&["apply", "--yes"]).ended(6).says("4 connections to be approved by somebody with the role");
    scene.emulated(&["drift"]).ended(6).says("`approve` isn't on");
    assert_eq!(count(&scene, ConnectionStatus::Approved), 0);
}

/// Invariant 12: a name alone approves nothing.
#[test]
fn a_look_alike_from_another_subscription_is_never_approved() {
    let scene = Scene::with(&configuration("exact", &[(LAKE, APPROVE)]));
    scene.emulated(&["apply", "--yes"]).ended(6);
    // Approved by a person while nothing was odd; then somebody else asks under the name of one that is still pending.
    scene.emulated(&["plan", "--out", "plan.json"]).ended(0);
    scene.change_world(|world| ask(world, 1, STRANGER, "pe-contosolake-dfs"));
    let refused = scene.emulated(&["plan"]).ended(4).says("error[ambiguous-connection]");
    assert!(refused.stdout.contains(STRANGER), "{}", refused.stdout);
    scene.emulated(&["apply", "plan.json"]).ended(4).complains("ambiguous-connection");
    scene.emulated(&["apply", "--yes"]).ended(4);
    assert_eq!(count(&scene, ConnectionStatus::Pending), 5);

    // The subscription of Customer Insights' endpoints settles it.
    let subscription = scene.world().instances[&PROD].private_links[0].endpoints[0].private_endpoint[15..51].to_owned();
    scene.write(
        "palisade.yaml",
        &configuration("exact", &[(LAKE, &format!("approve: true, approveFromSubscription: {subscription}, "))]),
    );
    scene.emulated(&["apply", "--yes"]).ended(0).says("4 done").says("warning[look-alike-connection]");
    let pending: Vec<_> = lake(&scene).into_iter().filter(|(_, status)| *status == ConnectionStatus::Pending).collect();
    assert_eq!(pending, [("pe-contosolake-dfs".to_owned(), ConnectionStatus::Pending)]);
    scene.emulated(&["plan", "--detailed-exitcode"]).ended(0).says("warning[look-alike-connection]");
}

/// While Customer Insights' own request is away, a stranger's is the only one of that name: only somebody who read the ids may
/// let it in.
#[test]
fn endpoints_that_lie_apart_need_eyes() {
    let scene = Scene::with(&configuration("exact", &[(LAKE, APPROVE)]));
    scene.emulated(&["apply", "--yes"]).ended(6);
    scene.change_world(|world| {
        let elsewhere = |id: &mut String| {
            if id.ends_with("/pe-contosolake-dfs") {
                let own = id[15..51].to_owned();
                *id = id.replace(&own, STRANGER);
            }
        };
        let lake = world.storage_accounts.get_mut("contosolake").unwrap();
        lake.connections.iter_mut().for_each(|connection| elsewhere(&mut connection.private_endpoint));
        let link = &mut world.instances.get_mut(&PROD).unwrap().private_links[0];
        link.endpoints.iter_mut().for_each(|endpoint| elsewhere(&mut endpoint.private_endpoint));
    });
    scene.emulated(&["plan", "--out", "plan.json"]).ended(0).says("warning[endpoints-apart]").says(STRANGER);
    scene.emulated(&["apply", "--yes"]).ended(4).complains("`--yes` doesn't approve what only a person can judge");
    assert_eq!(count(&scene, ConnectionStatus::Approved), 0);
    scene.emulated(&["apply", "plan.json"]).ended(0).says("4 done");
}

/// The plan's approval is for one endpoint: another one behind the same connection name is not it.
#[test]
fn a_connection_that_was_exchanged_after_the_plan_is_not_approved() {
    let scene = Scene::with(&configuration("exact", &[(LAKE, APPROVE)]));
    scene.emulated(&["apply", "--yes"]).ended(6);
    scene.emulated(&["plan", "--out", "plan.json"]).ended(0);
    scene.change_world(|world| {
        let connections = &mut world.storage_accounts.get_mut("contosolake").unwrap().connections;
        let endpoint = &mut connections[0].private_endpoint;
        *endpoint = endpoint.replace(&endpoint[15..51].to_owned(), STRANGER);
    });
    scene.emulated(&["apply", "plan.json"]).ended(4);
    assert_eq!(count(&scene, ConnectionStatus::Approved), 0);
}

#[test]
fn endpoints_of_a_named_subscription_are_approved_in_the_run_that_creates_the_link() {
    let scene = Scene::with(&configuration("exact", &[(LAKE, APPROVE)]));
    scene.emulated(&["apply", "--yes"]).ended(6);
    let subscription = scene.world().instances[&PROD].private_links[0].endpoints[0].private_endpoint[15..51].to_owned();
    let more = format!("approve: true, approveFromSubscription: {subscription}, ");
    for (subscription, approved) in [(more, 4), (format!("approve: true, approveFromSubscription: {STRANGER}, "), 0)] {
        let scene = Scene::with(&configuration("exact", &[(LAKE, &subscription), (SYNAPSE, &subscription)]));
        scene.change_world(|world| ask(world, 1, STRANGER, "pe-somebody-else"));
        let run = scene.emulated(&["apply", "--yes", "--wait", "5s"]);
        assert_eq!(count(&scene, ConnectionStatus::Approved), approved, "{}", run.stdout);
        match approved {
            4 => {
                run.ended(0).says("2 done");
                scene.emulated(&["plan", "--detailed-exitcode"]).ended(0);
            }
            _ => assert_eq!(run.status, Some(6), "{}", run.stdout),
        }
    }
}

#[test]
fn lost_answers_change_nothing_about_the_end() {
    let scene = Scene::with(&configuration("exact", &[(LAKE, APPROVE)]));
    scene.faulty("- { operation: POST */privatelinks, nth: 1, action: loseAnswer }", &["apply", "--yes"]).ended(6);
    assert_eq!(scene.world().instances[&PROD].private_links.len(), 1);
    let lost = "- { operation: PUT */privateEndpointConnections/*, nth: 2, action: loseAnswer }";
    scene.faulty(lost, &["apply", "--yes"]).ended(0).says("4 done");
    assert_eq!(count(&scene, ConnectionStatus::Approved), 4);
    let puts = scene
        .journal()
        .iter()
        .filter(|line| line["operation"] == "Microsoft.Storage/PrivateEndpointConnections_Put")
        .count();
    assert_eq!(puts, 8, "four approvals, each with two lines");

    let subscription = scene.world().instances[&PROD].private_links[0].endpoints[0].private_endpoint[15..51].to_owned();
    let more = format!("approve: true, approveFromSubscription: {subscription}, ");
    let scene = Scene::with(&configuration("exact", &[(LAKE, &more)]));
    scene.faulty(lost, &["apply", "--yes"]).ended(0);
    scene.emulated(&["plan", "--detailed-exitcode"]).ended(0);
}

/// What is approved is never approved again: the service refuses that.
#[test]
fn what_somebody_else_approved_meanwhile_is_not_sent() {
    let scene = Scene::with(&configuration("exact", &[(LAKE, APPROVE)]));
    scene.emulated(&["apply", "--yes"]).ended(6);
    scene.change_world(|world| {
        for connection in &mut world.storage_accounts.get_mut("contosolake").unwrap().connections {
            connection.status = ConnectionStatus::Approved;
        }
    });
    let live = Live::serving(scene.world());
    scene.run(&["apply", "--yes", "--now", NOW, &live.argument()]).ended(0);
    assert_eq!(live.writes(), [""; 0]);
}

#[test]
fn a_rejected_connection_is_asked_for_again_only_where_the_file_alone_decides() {
    let reject = |world: &mut World| {
        world.storage_accounts.get_mut("contosolake").unwrap().connections[0].status = ConnectionStatus::Rejected;
    };
    let scene = Scene::with(&configuration("atLeast", &[(LAKE, APPROVE)]));
    scene.emulated(&["apply", "--yes"]).ended(6);
    scene.change_world(reject);
    let run =
        scene.emulated(&["drift"]).ended(6).says("warning[connection-ended]").says("must be removed and made anew");
    assert!(run.stdout.contains("pe-contosolake-blob is Rejected"), "{}", run.stdout);

    let scene = Scene::with(&configuration("exact", &[(LAKE, APPROVE)]));
    scene.emulated(&["apply", "--yes"]).ended(6);
    scene.change_world(reject);
    scene.emulated(&["plan"]).ended(0).says("~ update privateLinks/contosolake").says("interrupts");
    scene.emulated(&["apply", "--yes"]).ended(6);
    assert_eq!(count(&scene, ConnectionStatus::Pending), 4);
    scene.emulated(&["apply", "--yes"]).ended(0);
    scene.emulated(&["plan", "--detailed-exitcode"]).ended(0);
}

#[test]
fn links_go_only_under_exact_and_what_stays_behind_is_said() {
    let scene = Scene::with(&configuration("exact", &[(LAKE, APPROVE)]));
    scene.emulated(&["apply", "--yes"]).ended(6);
    scene.write("palisade.yaml", &configuration("atLeast", &[]));
    scene.emulated(&["drift"]).ended(0).says("note[links-left-alone]");
    scene.write("palisade.yaml", &configuration("exact", &[]));
    scene.change_world(|world| world.behaviour.private_link_removal_leaves_connections = true);
    scene.emulated(&["plan"]).ended(0).says("- delete privateLinks/contosolake").says("note[connections-left-behind]");
    let run = scene.emulated(&["apply", "--yes", "--format", "json"]).ended(0);
    run.says("4 of its connections are left behind on contosolake");
    assert_eq!(scene.world().instances[&PROD].private_links.len(), 0);
    assert_eq!(count(&scene, ConnectionStatus::Pending), 4);
    scene.emulated(&["plan", "--detailed-exitcode"]).ended(0);
    // Declared again, the ones left behind are seen, and are nobody's.
    scene.write("palisade.yaml", &configuration("exact", &[(LAKE, APPROVE)]));
    scene.emulated(&["plan"]).ended(0).says("warning[connections-left-behind]");
}

#[test]
fn what_only_both_views_show_is_noted() {
    let scene = Scene::with(&configuration("exact", &[(LAKE, APPROVE)]));
    scene.emulated(&["apply", "--yes"]).ended(6);
    scene.change_world(|world| ask(world, 1, STRANGER, "pe-analytics"));
    scene.emulated(&["plan"]).ended(0).says("warning[public-beside-private-link]").says(
        "note[other-private-endpoints] privateLinks/contosolake: contosolake has 1 other private endpoint connection",
    );
    scene.change_world(|world| {
        world.storage_accounts.get_mut("contosolake").unwrap().location = "eastus".to_owned();
    });
    scene.emulated(&["plan"]).ended(0).says("warning[region-mismatch]");
    scene.change_world(|world| drop(world.storage_accounts.remove("contosolake")));
    let live = Live::serving(scene.world());
    scene.run(&["plan", "--now", NOW, &live.argument()]).ended(4).says("error[link-target-missing]");
}

#[test]
fn what_can_not_be_read_is_unknown_and_changes_nothing() {
    let scene = Scene::with(&configuration("exact", &[(LAKE, APPROVE)]));
    scene.emulated(&["apply", "--yes"]).ended(6);
    for operation in ["GET */privatelinks", "GET */storageAccounts/*", "GET */permissions"] {
        let rule = format!("- {{ operation: {operation}, action: {{ status: {{ code: 500 }} }} }}");
        scene.faulty(&rule, &["apply", "--yes"]).ended(3).says("? unknown privateLinks/contosolake");
        assert_eq!(count(&scene, ConnectionStatus::Pending), 4);
    }
    // Who may not read their own rights may have them all the same: the plan says so, and it is tried.
    let rule = "- { operation: GET */permissions, action: { status: { code: 403 } } }";
    let run = scene.faulty(rule, &["apply", "--yes"]).ended(0).says("it may not read its own rights there");
    run.says("tried, although palisade could not confirm").says("4 done");
    assert_eq!(count(&scene, ConnectionStatus::Pending), 0);
}

#[test]
fn on_a_cloud_a_person_adds_the_link_and_palisade_approves() {
    let scene = Scene::with(&configuration("atLeast", &[(LAKE, APPROVE)]));
    let run = scene.emulated(&["apply", "--yes", "--as-cloud"]).ended(6);
    run.says("by hand: Settings > Permissions > Private Links").says("choose Add Private Link, then contosolake");
    assert_eq!(scene.world().instances[&PROD].private_links.len(), 0);
    scene.emulated(&["apply", "--yes"]).ended(6);
    let live = Live::serving(scene.world());
    scene.run(&["apply", "--yes", "--as-cloud", "--now", NOW, &live.argument()]).ended(0).says("4 done");
    assert!(!live.requests().iter().any(|seen| seen.path.contains("/manage/")), "{:#?}", live.requests());
    let again = scene.run(&["plan", "--detailed-exitcode", "--as-cloud", "--now", NOW, &live.argument()]);
    again.ended(0).says("note[rests-on-inference]");
}

/// What the example's comment promises.
#[test]
fn the_example_runs() {
    let scene = Scene::bare();
    scene.write("private-link.yaml", include_str!("../../examples/private-link.yaml"));
    let run = |arguments: &[&str]| scene.emulated(&[arguments, &["-f", "private-link.yaml"]].concat());
    run(&["plan"]).ended(0).says("+ create privateLinks/contosolake").says("+ link   keyVault");
    run(&["apply", "--yes"]).ended(6).says("3 done").says("1 waiting");
    run(&["plan"]).ended(0).says("Plan: 4 changes");
    run(&["apply", "--yes"]).ended(0).says("4 done");
    run(&["plan", "--detailed-exitcode"]).ended(0).says("3 in sync");
}

/// A link that waits for its approval is no trouble: what else is declared is carried out, removals included.
#[test]
fn a_link_that_waits_for_approval_holds_nothing_else_up() {
    let links = configuration("exact", &[(LAKE, APPROVE)]).replace(HEAD, "");
    let scene = Scene::with(&format!("{}{links}", crate::support::EXACT));
    let run = scene.emulated(&["apply", "--yes", "--format", "json"]).ended(6);
    for (address, status) in run.outcomes() {
        let expected = if address == "prod/privateLinks/contosolake" { "waiting" } else { "done" };
        assert_eq!(status, expected, "{address}");
    }
    assert!(run.outcomes().iter().any(|(address, _)| address == "prod/users/creator@contoso.com"));
    // The look after the last write shows what the link brought: that is for a plan to list, and for a person to approve.
    let report = run.json();
    let left: Vec<_> = report["remaining"]["changes"].as_array().unwrap().iter().map(|one| &one["action"]).collect();
    assert_eq!(left, [&json!("approve"); 4], "{report}");
}
