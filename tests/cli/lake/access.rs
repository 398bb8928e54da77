//! Closing the lake to the internet, and opening it.

use super::*;

const CLOSED: &str = "      publicNetworkAccess: disabled\n";
const OPEN: &str = "      publicNetworkAccess: enabled\n";

fn linked_and_closed(name: &str, number: u8) -> String {
    environment(name, number, &format!("{}{}", link(), block(CLOSED)))
}

#[test]
fn it_is_closed_once_the_only_environment_is_linked_and_opened_only_without_links() {
    let scene = Scene::with(&file(&[linked_and_closed("prod", 1)]));
    let firewall = account(&scene.world()).properties["networkAcls"].clone();
    let plan = planned(&scene);
    assert_eq!(changes(&plan), ["create prod/privateLinks/contosolake"]);
    apply(&scene).ended(6);
    planned(&scene);
    apply(&scene).ended(6).says("4 done").says("next         disable prod/dataLake/publicNetworkAccess");
    assert_eq!(access(&scene.world()), "Enabled");
    scene.emulated(&["apply", "--yes"]).ended(4).complains("which is critical");
    let plan = planned(&scene);
    assert_eq!(changes(&plan), ["disable prod/dataLake/publicNetworkAccess"]);
    let change = &plan["scopes"][0]["changes"][0];
    assert_eq!(
        (&change["direction"], &change["impact"], &change["risk"]),
        (&json!("hardens"), &json!("interrupts"), &json!("critical"))
    );
    apply(&scene).ended(0);
    in_sync(&scene);
    assert_eq!((access(&scene.world()), &account(&scene.world()).properties["networkAcls"]), ("Disabled", &firewall));

    // Opened again only once the link is gone.
    let reopened = prod(&block(OPEN));
    scene.write("palisade.yaml", &reopened);
    scene.emulated(&["plan"]).ended(4).says("error[lake-private-endpoints]").says("4 private endpoints");
    scene.emulated(&["apply", "--yes"]).ended(4);
    scene.change_world(|world| {
        world.instances.values_mut().for_each(|instance| instance.private_links.clear());
        world.storage_accounts.get_mut("contosolake").unwrap().connections.clear();
    });
    assert_eq!(changes(&planned(&scene)), ["enable prod/dataLake/publicNetworkAccess"]);
    scene.emulated(&["plan"]).says("weakens, CRITICAL");
    apply(&scene).ended(0);
    in_sync(&scene);
    assert_eq!(access(&scene.world()), "Enabled");
}

/// The private link to a closed lake is the environment's only way to its data: it goes only where the account is opened next.
#[test]
fn the_only_way_to_a_lake_is_left_alone_until_the_lake_is_to_be_opened() {
    const NONE: &str = "    privateLinks: { match: exact, links: [] }\n";
    let scene = Scene::with(&file(&[linked_and_closed("prod", 1)]));
    settled(&scene);
    let closed = scene.world();
    assert_eq!(access(&closed), "Disabled");
    for access in [CLOSED, ""] {
        scene.write("palisade.yaml", &prod(&format!("{NONE}{}", block(access))));
        let run = scene.emulated(&["plan"]).ended(4).says("error[would-go-dark] privateLinks/contosolake");
        run.says("the environment would lose its only way to its data").says("Refused: prod");
        scene.emulated(&["apply", "--yes"]).ended(4);
        assert_eq!(scene.world(), closed);
    }
    // The way back: the link goes, what is left of it in Azure is removed by hand, and the account is opened.
    scene.write("palisade.yaml", &prod(&format!("{NONE}{}", block(OPEN))));
    assert_eq!(changes(&planned(&scene)), ["delete prod/privateLinks/contosolake"]);
    scene.emulated(&["plan"]).says("it is opened once no private endpoint leads to contosolake any more");
    scene.emulated(&["apply", "--yes"]).ended(4).complains("which is critical");
    apply(&scene).ended(6);
    let left = scene.emulated(&["plan"]).ended(0);
    if left.stdout.contains("remove in Azure what is left of it") {
        scene.change_world(|world| world.storage_accounts.get_mut("contosolake").unwrap().connections.clear());
    }
    assert_eq!(changes(&planned(&scene)), ["enable prod/dataLake/publicNetworkAccess"]);
    apply(&scene).ended(0);
    in_sync(&scene);
    assert_eq!(access(&scene.world()), "Enabled");
}

/// An account that two environments are linked to can't be opened for one of them, and nobody is told to remove the other one's endpoints.
#[test]
fn what_another_environment_lives_on_is_not_taken_apart() {
    let both = [linked_and_closed("prod", 1), linked_and_closed("test", 2)];
    let scene = Scene::with(&file(&[both[0].clone(), environment("test", 2, &block(CLOSED))]));
    settled(&scene);
    scene.write("palisade.yaml", &file(&both));
    planned(&scene);
    apply(&scene).ended(6);
    let run = scene.emulated(&["plan"]).says("warning[look-alike-connection]");
    run.says("it may be a link of test; remove in Azure only what is known to be nobody's");
    scene.change_world(|world| {
        let lake = world.storage_accounts.get_mut("contosolake").unwrap();
        lake.connections.iter_mut().for_each(|one| one.status = ConnectionStatus::Approved);
    });
    settled(&scene);
    let closed = scene.world();
    assert_eq!(access(&closed), "Disabled");
    const NONE: &str = "    privateLinks: { match: exact, links: [] }\n";
    let leaves = environment("prod", 1, &format!("{NONE}{}", block(OPEN)));
    scene.write("palisade.yaml", &file(&[leaves, environment("test", 2, &link())]));
    let run = scene.emulated(&["plan"]).ended(4).says("error[would-go-dark] privateLinks/contosolake");
    let run = run.says("the account is shared with test, whose private links work only while it is closed");
    assert!(!run.stdout.contains("remove in Azure what is left of it"), "{}", run.stdout);
    scene.emulated(&["apply", "--yes"]).ended(4);
    assert_eq!(scene.world(), closed);
    // One that never had a link can't reach a lake that is closed.
    scene.write("palisade.yaml", &file(&[both[0].clone(), both[1].clone(), environment("dev", 3, &block(""))]));
    scene.emulated(&["drift"]).ended(2).says("error[lake-without-path]").says("2 of 3 complete sets");
}

/// Two environments, of which one isn't linked yet: neither closes what the other one needs.
#[test]
fn it_stays_open_until_every_environment_that_names_it_is_linked() {
    let both = [linked_and_closed("prod", 1), environment("test", 2, &block(CLOSED))];
    let scene = Scene::with(&file(&both));
    settled(&scene);
    let run = scene.emulated(&["plan", "--detailed-exitcode"]).ended(6);
    let said = run.says("1 of 2 sets approved; test declares no private link to it");
    assert_eq!(said.stdout.matches("waiting dataLake/publicNetworkAccess").count(), 2, "{}", said.stdout);
    assert_eq!(access(&scene.world()), "Enabled");

    // The other one's link is there, and three of its four connections are approved.
    scene.write("palisade.yaml", &file(&[linked_and_closed("prod", 1), linked_and_closed("test", 2)]));
    planned(&scene);
    apply(&scene).ended(6);
    scene.change_world(|world| {
        let lake = world.storage_accounts.get_mut("contosolake").unwrap();
        let pending = lake.connections.iter_mut().filter(|one| one.status == ConnectionStatus::Pending);
        pending.take(3).for_each(|one| one.status = ConnectionStatus::Approved);
    });
    let run = scene.emulated(&["plan"]);
    assert!(run.stdout.contains("1 of 2 sets approved; not approved: "), "{}", run.stdout);
    assert_eq!(access(&scene.world()), "Enabled");
    scene.change_world(|world| {
        let lake = world.storage_accounts.get_mut("contosolake").unwrap();
        lake.connections.iter_mut().for_each(|one| one.status = ConnectionStatus::Approved);
    });
    assert_eq!(
        changes(&planned(&scene)),
        ["disable prod/dataLake/publicNetworkAccess", "disable test/dataLake/publicNetworkAccess"]
    );
    apply(&scene).ended(0).says("already in effect");
    in_sync(&scene);
    assert_eq!(access(&scene.world()), "Disabled");
    let writes = scene.journal();
    let closing = writes.iter().filter(|entry| entry["operation"] == UPDATE && entry["moment"] == "started").count();
    assert_eq!(closing, 1, "the second one found it closed");
}

/// A plan that was approved while all were linked isn't carried out once one isn't any more.
#[test]
fn a_link_that_is_lost_after_the_plan_keeps_it_open() {
    let scene = Scene::with(&file(&[linked_and_closed("prod", 1)]));
    planned(&scene);
    apply(&scene).ended(6);
    planned(&scene);
    apply(&scene).ended(6);
    planned(&scene);
    for end in ENDS {
        let before = scene.world();
        scene.change_world(|world| {
            let lake = world.storage_accounts.get_mut("contosolake").unwrap();
            let found = lake.connections.iter_mut().find(|one| one.private_endpoint.ends_with(&format!("-{end}")));
            found.unwrap().status = ConnectionStatus::Disconnected;
        });
        let run = apply(&scene);
        assert_ne!(run.status, Some(0), "{}", run.stdout);
        assert_eq!(access(&scene.world()), "Enabled", "{end}");
        scene.keep_world(&before);
    }
    apply(&scene).ended(0);
    assert_eq!(access(&scene.world()), "Disabled");
}

#[test]
fn a_perimeter_is_told_and_never_changed() {
    for declared in [CLOSED, OPEN] {
        let scene = Scene::with(&prod(&block(declared)));
        scene.change_world(|world| {
            let lake = world.storage_accounts.get_mut("contosolake").unwrap();
            lake.properties.insert("publicNetworkAccess".into(), json!("SecuredByPerimeter"));
        });
        let plan = scene.emulated(&["plan", "--format", "json"]).ended(0).json();
        assert!(changes(&plan).is_empty() && codes(&plan).contains(&"lake-perimeter".to_owned()), "{plan}");
        scene.emulated(&["drift"]).ended(2).says("error[lake-perimeter]");
        scene.emulated(&["apply", "--yes"]).ended(6);
        assert_eq!(access(&scene.world()), "SecuredByPerimeter");
    }
}

#[test]
fn what_could_not_be_read_is_neither_closed_nor_open() {
    let scene = Scene::with(&prod(&block(CLOSED)));
    let rule = "- { operation: 'GET */storageAccounts/contosolake', action: { status: { code: 403 } } }";
    let run = scene.faulty(rule, &["plan"]);
    assert_eq!(run.status, Some(3), "{}\n{}", run.stdout, run.stderr);
}

/// What the example says is what happens.
#[test]
fn the_example_comes_true() {
    let scene = Scene::bare();
    scene.write("data-lake.yaml", include_str!("../../../examples/data-lake.yaml"));
    let run = |arguments: &[&str]| scene.emulated(&[arguments, &["-f", "data-lake.yaml"]].concat());
    for ended in [6, 6, 0] {
        run(&["plan", "--out", "lake.plan"]).ended(0);
        run(&["apply", "lake.plan"]).ended(ended);
    }
    run(&["plan", "--detailed-exitcode"]).ended(0).says("3 in sync");
    let world = scene.world();
    assert_eq!((key(&world), access(&world)), (is("Microsoft.Keyvault", "kv-cmk lake-key"), "Disabled"));
}
