//! What no operation can read: seen by a person, compared with what is declared, and never trusted beyond that.

use palisade::emulator::ConnectionStatus;
use serde_json::Value as Json;

use crate::links::{APPROVE, LAKE, SYNAPSE};
use crate::live::Live;
use crate::support::{API_ON, EXACT, NOW, PROD, Run, Scene, changes};
use crate::{links, vault};

const ENTRY: &str = "by: ada@contoso.com, on: 2026-10-01, validFor: 90d";

/// An environment whose users are as declared, with API access declared like this and seen like that.
fn api_access(declared: bool, attested: &str) -> String {
    format!("{EXACT}    apiAccess: {{ enabled: {declared} }}\n    attested:{attested}\n")
}

fn settled(configuration: &str) -> Scene {
    let scene = Scene::with(configuration);
    scene.emulated(&["apply", "--yes"]);
    scene
}

fn on_a_cloud(scene: &Scene, arguments: &[&str]) -> Run {
    scene.emulated(&[arguments, &["--as-cloud"]].concat())
}

/// The entries that the plan asks for, by address.
fn records(plan: &Json) -> Vec<(String, String)> {
    let changes = plan["scopes"].as_array().unwrap().iter().flat_map(|scope| scope["changes"].as_array().unwrap());
    let record = |change: &Json| {
        let record = change["manual"]["record"].as_str()?;
        Some((change["address"].as_str()?.to_owned(), record.to_owned()))
    };
    changes.filter_map(record).collect()
}

fn codes(plan: &Json) -> Vec<&str> {
    plan["notes"].as_array().unwrap().iter().map(|note| note["code"].as_str().unwrap()).collect()
}

/// Whatever is live: a valid entry that says something else than the declaration is a change for a person, and never exit 0.
#[test]
fn an_entry_counts_for_what_was_seen_and_for_nothing_else() {
    for live in [true, false] {
        let scene = settled(&format!("{EXACT}    apiAccess: {{ enabled: {live} }}\n"));
        for declared in [true, false] {
            for saw in [true, false] {
                let entry = format!(" [{{ setting: apiAccess, saw: {{ enabled: {saw} }}, {ENTRY} }}]");
                scene.write("palisade.yaml", &api_access(declared, &entry));
                let run = on_a_cloud(&scene, &["drift", "--format", "json"]);
                let plan = run.json();
                if declared == saw {
                    run.ended(0);
                    assert_eq!((changes(&plan), codes(&plan)), (vec![], vec!["rests-on-attestation"]));
                    continue;
                }
                run.ended(2);
                let action = if declared { "enable" } else { "disable" };
                assert_eq!(changes(&plan), [format!("{action} prod/apiAccess")], "live {live}, saw {saw}");
                let change = &plan["scopes"][0]["changes"][0];
                assert_eq!(change["mode"], "manual");
                assert_eq!(change["manual"]["where"], "Settings > Permissions > APIs");
                let reason = change["reason"].as_str().unwrap();
                assert!(reason.contains("ada@contoso.com saw `{ enabled: "), "{reason}");
            }
        }
    }
}

#[test]
fn dates_decide_whether_an_entry_counts() {
    let scene = settled(&format!("{EXACT}{API_ON}"));
    for (on, exits, words) in [
        ("2026-11-20", 0, "attested, not read: ada@contoso.com saw `{ enabled: true }` today (2026-11-20)"),
        ("2026-08-22", 0, "90 days ago (2026-08-22); valid until 2026-11-20"),
        ("2026-08-21", 3, "warning[expired-attestation]"),
        ("2026-11-21", 3, "warning[attestation-ahead]"),
    ] {
        let entry = format!(
            " [{{ setting: apiAccess, saw: {{ enabled: true }}, by: ada@contoso.com, on: {on}, validFor: 90d }}]"
        );
        scene.write("palisade.yaml", &api_access(true, &entry));
        on_a_cloud(&scene, &["drift"]).ended(exits).says(words);
        on_a_cloud(&scene, &["plan"]).ended(exits);
        on_a_cloud(&scene, &["apply", "--yes"]).ended(if exits == 0 { 0 } else { 6 });
    }
    // What was seen before the environment came into being was another one.
    let created = "2026-10-02T00:00:00Z".parse().unwrap();
    scene.change_world(|world| world.instances.get_mut(&PROD).unwrap().metadata.created_utc = Some(created));
    scene.write(
        "palisade.yaml",
        &api_access(true, &format!(" [{{ setting: apiAccess, saw: {{ enabled: true }}, {ENTRY} }}]")),
    );
    on_a_cloud(&scene, &["drift"]).ended(3).says("warning[void-attestation]").says("created on 2026-10-02");
}

#[test]
fn of_several_entries_the_newest_counts_and_a_contradiction_is_unknown() {
    let scene = settled(&format!("{EXACT}{API_ON}"));
    let entry = |saw: bool, on: &str| {
        format!(
            "\n      - {{ setting: apiAccess, saw: {{ enabled: {saw} }}, by: ada@contoso.com, on: {on}, validFor: 90d }}"
        )
    };
    for (first, second, exit) in [
        (entry(false, "2026-10-01"), entry(true, "2026-11-01"), 0),
        (entry(true, "2026-10-01"), entry(false, "2026-11-01"), 2),
        (entry(true, "2026-11-01"), entry(false, "2026-11-01"), 3),
    ] {
        scene.write("palisade.yaml", &api_access(true, &format!("{first}{second}")));
        on_a_cloud(&scene, &["drift"]).ended(exit);
        scene.write("palisade.yaml", &api_access(true, &format!("{second}{first}")));
        on_a_cloud(&scene, &["drift"]).ended(exit);
    }
}

/// For every setting: unknown first, with the entry to write; once it is written, in sync.
#[test]
fn the_entry_that_is_asked_for_is_the_one_that_helps() {
    let scenes = [
        ("prod/apiAccess", format!("{EXACT}{API_ON}")),
        ("prod/keyVault", vault::configuration("")),
        ("prod/privateLinks", links::configuration("exact", &[(LAKE, APPROVE), (SYNAPSE, APPROVE)])),
    ];
    for (address, configuration) in scenes {
        let scene = settled(&configuration);
        scene.emulated(&["apply", "--yes"]).ended(0);
        let run = on_a_cloud(&scene, &["drift", "--format", "json"]);
        let plan = run.json();
        run.ended(3);
        let asked = records(&plan);
        let (_, record) = asked.iter().find(|(of, _)| of == address).unwrap_or_else(|| panic!("{address}: {asked:?}"));
        on_a_cloud(&scene, &["plan"]).ended(3).says(record);
        on_a_cloud(&scene, &["apply", "--yes"]).ended(6).says(record);
        scene.write("palisade.yaml", &format!("{configuration}    attested:\n      {record}\n"));
        on_a_cloud(&scene, &["drift"]).ended(0).says("note[rests-on-attestation]").says("you@example.com saw");
        on_a_cloud(&scene, &["apply", "--yes"]).ended(0);
        // Later it has expired, and who looked is remembered.
        let later = scene.emulated_at("2027-03-01T12:00:00Z", &["drift", "--as-cloud"]).ended(3);
        later.says("expired on 2027-02-18 and is ignored").says("by: you@example.com, on: 2027-03-01, validFor: 90d }");
    }
}

#[test]
fn a_vault_that_is_declared_in_place_of_the_seen_one_is_not_in_sync() {
    let scene = settled(&vault::configuration(""));
    let seen = format!("    attested: [{{ setting: keyVault, saw: {{ id: {} }}, {ENTRY} }}]\n", vault::VAULT);
    let elsewhere = vault::configuration(&seen).replace("id: /subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg-ci/providers/Microsoft.KeyVault/vaults/kv-ci\n", "id: /subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg-ci/providers/Microsoft.KeyVault/vaults/kv-new\n");
    scene.write("palisade.yaml", &elsewhere);
    let run = on_a_cloud(&scene, &["drift", "--format", "json"]);
    let plan = run.json();
    run.ended(4);
    assert!(codes(&plan).contains(&"other-vault-linked"), "{:?}", codes(&plan));
    assert!(changes(&plan).contains(&"link prod/keyVault".to_owned()), "{:?}", changes(&plan));
    // Allowed to be replaced, it is a step for a person, with what the page is to show.
    scene.write(
        "palisade.yaml",
        &elsewhere.replace("      dataPrivacy", &format!("      replaces: {}\n      dataPrivacy", vault::VAULT)),
    );
    let run = on_a_cloud(&scene, &["drift", "--format", "json"]);
    let plan = run.json();
    run.ended(2);
    let changes = plan["scopes"][0]["changes"].as_array().unwrap();
    let link = changes.iter().find(|change| change["address"] == "prod/keyVault").unwrap();
    assert_eq!((&link["mode"], &link["impact"]), (&Json::from("manual"), &Json::from("interrupts")));
    assert_eq!(link["manual"]["values"]["Key vault"], "kv-new");
    assert_eq!(link["before"]["status"], "kv-ci");
}

/// With and without an entry: the connections decide.
#[test]
fn a_link_to_a_workspace_is_approved_and_then_in_sync() {
    let configuration = links::configuration("atLeast", &[(SYNAPSE, APPROVE)]);
    let resource = format!("{}/providers/{SYNAPSE}", links::GROUP);
    let entry = format!(
        "    attested: [{{ setting: privateLinks, saw: {{ links: [{{ resource: {resource} }}] }}, {ENTRY} }}]\n"
    );
    for attested in ["", &entry] {
        let scene = Scene::with(&configuration);
        // A person adds the link.
        scene.emulated(&["apply", "--yes"]).ended(6);
        scene.write("palisade.yaml", &format!("{configuration}{attested}"));
        let run = on_a_cloud(&scene, &["drift", "--format", "json"]);
        let plan = run.json();
        run.ended(2);
        let approvals =
            ["sql", "sqlondemand"].map(|end| format!("approve prod/privateLinks/synapse:contosows/pe-contosows-{end}"));
        assert_eq!(changes(&plan), approvals);
        assert!(!codes(&plan).contains(&"connections-left-behind"), "{:?}", codes(&plan));
        let live = Live::serving(scene.world());
        let run =
            |arguments: &[&str]| scene.run(&[arguments, &["--as-cloud", "--now", NOW, &live.argument()]].concat());
        run(&["apply", "--yes"]).ended(0).says("2 done");
        let plan = run(&["drift", "--format", "json"]).ended(0).json();
        assert_eq!(changes(&plan), [""; 0]);
        assert!(codes(&plan).contains(&"rests-on-inference") && !codes(&plan).contains(&"connections-left-behind"));
        assert!(!live.requests().iter().any(|seen| seen.path.contains("/manage/")), "{:#?}", live.requests());
        // Cut off later, it isn't in sync any more, whatever a person saw once.
        let mut world = live.world();
        world.synapse_workspaces.get_mut("contosows").unwrap().connections[0].status = ConnectionStatus::Disconnected;
        scene.keep_world(&world);
        let drift = on_a_cloud(&scene, &["drift"]);
        assert_ne!(drift.status, Some(0), "{}", drift.stdout);
        drift.says("warning[connection-ended]");
        world.synapse_workspaces.get_mut("contosows").unwrap().connections.clear();
        scene.keep_world(&world);
        let drift = on_a_cloud(&scene, &["drift"]);
        assert_ne!(drift.status, Some(0), "{}", drift.stdout);
    }
}

/// A key that works shows that API access is on, whatever a person saw.
#[test]
fn a_published_key_that_works_speaks_louder_than_an_entry() {
    let keys = format!(
        "{EXACT}    apiAccess:\n      enabled: true\n      keys: {{ publishTo: {{ vault: {}, secret: ci-api-key }} }}\n",
        vault::VAULT
    );
    let scene = Scene::with(&keys);
    scene.emulated(&["apply", "--yes"]).ended(0);
    let plan = on_a_cloud(&scene, &["plan", "--format", "json"]).json();
    assert!(codes(&plan).contains(&"rests-on-inference"), "{:?}", codes(&plan));
    assert_eq!(changes(&plan), [""; 0]);
    let entry = format!("    attested: [{{ setting: apiAccess, saw: {{ enabled: false }}, {ENTRY} }}]\n");
    scene.write("palisade.yaml", &format!("{keys}{entry}"));
    let run = on_a_cloud(&scene, &["plan", "--format", "json"]);
    let plan = run.json();
    run.ended(3);
    assert!(codes(&plan).contains(&"attestation-contradicted"), "{:?}", codes(&plan));
    assert_eq!(changes(&plan), ["update prod/apiAccess"]);
}

/// Two environments declare one account, and only one has the link: connections can't tell which.
#[test]
fn environments_that_share_an_account_need_an_entry_each() {
    let prod = links::configuration("atLeast", &[(LAKE, APPROVE)]);
    let scene = Scene::with(&prod);
    scene.emulated(&["apply", "--yes"]).ended(6);
    scene.emulated(&["apply", "--yes"]).ended(0);
    on_a_cloud(&scene, &["drift"]).ended(0);
    let block = &prod[prod.find("    privateLinks:").unwrap()..];
    let both = |first: &str, second: &str| {
        format!(
            "{prod}{first}  test:\n    instanceId: 6f2b1c34-0000-4000-8000-00000000a002\n    \
             environmentId: 1bd6bd98-0000-4000-8000-00000000e002\n{block}{second}"
        )
    };
    let there = format!("[{{ resource: {}/providers/{LAKE} }}]", links::GROUP);
    let entry =
        |links: &str| format!("    attested: [{{ setting: privateLinks, saw: {{ links: {links} }}, {ENTRY} }}]\n");
    scene.write("palisade.yaml", &both("", ""));
    on_a_cloud(&scene, &["drift"]).ended(3);
    scene.write("palisade.yaml", &both(&entry(&there), &entry("[]")));
    let run = on_a_cloud(&scene, &["drift", "--format", "json"]);
    let plan = run.json();
    run.ended(2);
    assert_eq!(changes(&plan), ["create test/privateLinks/contosolake"]);
    assert!(!codes(&plan).contains(&"attestation-contradicted"), "{:?}", codes(&plan));
    scene.write("palisade.yaml", &both(&entry(&there), &entry(&there)));
    on_a_cloud(&scene, &["drift"]).ended(0).says("note[rests-on-attestation]");
}

/// Rights that a later run grants don't turn an old entry into a proof: somebody has to look again.
#[test]
fn granting_rights_doesnt_renew_an_entry() {
    let configuration = vault::configuration("");
    let scene = settled(&configuration);
    let seen = format!("    attested: [{{ setting: keyVault, saw: {{ id: {} }}, {ENTRY} }}]\n", vault::VAULT);
    scene.write("palisade.yaml", &vault::configuration(&seen));
    scene.change_world(|world| world.role_assignments.retain(|held| !held.scope.ends_with("/vaults/kv-ci")));
    on_a_cloud(&scene, &["drift"]).ended(3).says("attestation-contradicted");
    on_a_cloud(&scene, &["apply", "--yes"]);
    on_a_cloud(&scene, &["drift"]).ended(3).says("only since 2026-11-20");
    let again = seen.replace("on: 2026-10-01", "on: 2026-11-20");
    scene.write("palisade.yaml", &vault::configuration(&again));
    on_a_cloud(&scene, &["drift"]).ended(0);
}
