//! What is at stake with the changes of users: who may be counted on, who keeps what, and how dangerous it is called.

use super::*;
use crate::plan::{Planned, Risk, Stake};

/// Nobody but the caller and Ada is Admin, and Ada goes.
fn ada_goes() -> Scene {
    let mut scene = Scene::of(&[(PALISADE, Role::Admin), (ADA, Role::Admin), (LINUS, Role::Viewer)]);
    scene.undeclare(ADA);
    scene
}

fn refused(scene: &Scene, code: NoteCode) -> bool {
    errors(&scene.findings()).contains(&code)
}

fn planned(findings: &Findings, number: u128) -> &Planned {
    let address = format!("prod/users/user{number}@contoso.com");
    findings.changes.iter().find(|planned| planned.change.address.as_str() == address).unwrap()
}

/// A plan may count on an Admin that it makes itself; a removal, at its moment, may not.
#[test]
fn an_admin_that_is_only_promised_counts_in_the_plan_and_not_at_the_removal() {
    let mut scene = ada_goes();
    assert!(refused(&scene, guard::codes::LAST_ADMIN));
    scene.declared.assignments.push(assignment(GRACE, Role::Admin));
    assert!(!refused(&scene, guard::codes::LAST_ADMIN));
    let mut findings = scene.findings();
    findings.stakes = findings.stakes.iter().map(Stake::without_promises).collect();
    assert!(errors(&findings).contains(&guard::codes::LAST_ADMIN));
    // Nor may one that becomes something less, or one of whom nothing is planned, since the list doesn't prove that she lacks it.
    scene.declared.assignments.last_mut().unwrap().role = Role::Viewer;
    assert!(refused(&scene, guard::codes::LAST_ADMIN));
    scene.declared.assignments.last_mut().unwrap().role = Role::Admin;
    scene.observed.assignments.as_mut().unwrap().nameless = 1;
    assert!(refused(&scene, guard::codes::LAST_ADMIN));
}

/// Who runs palisade must be Admin for changes, itself or through a group, and needn't be known where nobody loses anything.
#[test]
fn a_caller_that_is_not_admin_changes_nothing() {
    let table: [(&str, bool, bool); 4] =
        [("Admin", false, false), ("Viewer", false, true), ("Viewer", true, false), ("", false, false)];
    for (role, group, expected) in table {
        let mut scene = Scene::usual();
        scene.undeclare(PALISADE);
        match role {
            "" => scene.drop_held(PALISADE),
            role => scene.hold(PALISADE, &[role]),
        }
        if group {
            scene.hold(GROUP, &["Admin"]);
        }
        scene.declared.matching = Match::AtLeast;
        assert!(!refused(&scene, guard::codes::NOT_ADMIN), "{role}, {group}: nothing is to be changed");
        scene.drop_held(LINUS);
        assert_eq!(refused(&scene, guard::codes::NOT_ADMIN), expected, "{role}, {group}");
    }
    let mut scene = Scene::usual();
    scene.observed.caller = Err(Unreadable::because("opaque"));
    scene.hold(LINUS, &["Contributor"]);
    assert!(refused(&scene, guard::codes::CALLER_UNKNOWN), "somebody loses something");
    scene.hold(LINUS, &["Viewer"]);
    scene.declared.assignments[3].role = Role::Contributor;
    scene.drop_held(GRACE);
    assert_eq!((scene.changes().len(), errors(&scene.findings())), (2, vec![]), "nobody does");
}

#[test]
fn whoever_is_declared_by_an_id_is_not_removed_while_it_can_not_be_looked_up() {
    let mut scene = Scene::usual();
    let reference = principal::name(&reference(GROUP));
    for name in [reference, Name::Id(object_id(GROUP))] {
        scene.observed.directory.insert(name, Err("503".into()));
    }
    assert_eq!(scene.changes(), [""; 0]);
    assert_eq!(scene.findings().unknown.len(), 1);
}

/// Whoever loses the role Admin keeps it until the new ones have it; others wait for nobody.
#[test]
fn admins_are_granted_before_admins_are_taken() {
    let mut scene = Scene::usual();
    scene.undeclare(GRACE);
    scene.undeclare(LINUS);
    scene.declared.assignments[1].role = Role::Contributor;
    scene.hold(ADA, &["Admin", "Viewer"]);
    scene.declared.assignments.push(assignment(30, Role::Admin));
    scene.declared.assignments.push(assignment(31, Role::Viewer));
    for number in [30, 31] {
        scene.look_up(number, Ok(Some(object(number))));
    }
    let findings = scene.findings();
    let requires =
        |number| planned(&findings, number).change.requires.iter().map(|one| one.as_str()).collect::<Vec<_>>();
    for (number, waits) in [(ADA, true), (GRACE, true), (LINUS, false), (30, false), (31, false)] {
        let expected: &[&str] = if waits { &["prod/users/user30@contoso.com"] } else { &[] };
        assert_eq!(requires(number), expected, "{number}");
    }
}

#[test]
fn gaining_and_losing_admin_is_called_by_its_name() {
    let mut scene =
        Scene::of(&[(PALISADE, Role::Admin), (ADA, Role::Viewer), (GRACE, Role::Admin), (LINUS, Role::Admin)]);
    scene.hold(ADA, &["Admin"]);
    scene.hold(GRACE, &["Viewer"]);
    scene.hold(30, &["Admin"]);
    scene.hold(31, &["Viewer"]);
    scene.hold(LINUS, &["Admin", "Viewer"]);
    for number in [30, 31] {
        scene.observed.directory.insert(Name::Id(object_id(number)), Ok(Some(object(number))));
    }
    let findings = scene.findings();
    let table = [
        (ADA, Risk::High, Impact::Interrupts, vec!["Loses Admin"], true),
        (GRACE, Risk::High, Impact::None, vec!["Gains Admin"], false),
        (LINUS, Risk::High, Impact::None, vec![], false),
        (30, Risk::High, Impact::Interrupts, vec!["Loses Admin"], true),
        (31, Risk::Elevated, Impact::Interrupts, vec!["Loses access"], true),
    ];
    for (number, risk, impact, dangers, removes) in table {
        let planned = planned(&findings, number);
        let told: Vec<&str> = planned.change.dangers.iter().map(|danger| danger.what.as_str()).collect();
        let seen = (planned.change.risk, planned.change.impact, told, planned.removes);
        assert_eq!(seen, (risk, impact, dangers, removes), "{number}");
    }
}

/// What a list proves: how many there are, and who is missing, unless an entry may be of anybody.
#[test]
fn a_list_with_nameless_entries_is_not_complete() {
    let mut scene = Scene::usual();
    let findings = scene.findings();
    assert_eq!((findings.collection, findings.complete.len(), findings.unknown.len()), (Some(5), 1, 0));
    scene.observed.assignments.as_mut().unwrap().nameless = 1;
    let findings = scene.findings();
    assert_eq!((findings.collection, findings.complete.len(), findings.unknown.len()), (Some(5), 0, 1));
    assert_eq!(findings.unknown[0].address.as_str(), "prod/users");
}

/// An app may be listed by its application id: an entry that the directory doesn't tell may be anybody who was removed.
#[test]
fn a_list_with_an_app_that_the_directory_does_not_tell_is_not_complete() {
    for (kind, complete) in [(Kind::App, 0), (Kind::Unknown, 0), (Kind::User, 1), (Kind::Group, 1)] {
        let mut scene = Scene::usual();
        scene.declared.matching = Match::AtLeast;
        let (_, held) = entry(ADA, &["Viewer"]);
        scene.observed.assignments.as_mut().unwrap().held.insert(object_id(77), Held { kind, ..held });
        assert_eq!(scene.findings().complete.len(), complete, "{kind:?}");
    }
}

/// An Admin that stays one while another role of its goes is no removal and no grant: it waits for nobody, itself least of all.
#[test]
fn an_admin_that_keeps_the_role_waits_for_nobody() {
    let mut scene = Scene::usual();
    scene.hold(ADA, &["Admin", "Owner"]);
    scene.hold(LINUS, &["Contributor"]);
    scene.drop_held(GRACE);
    let findings = scene.findings();
    for number in [ADA, LINUS] {
        let planned = planned(&findings, number);
        assert!(planned.takes_away && !planned.removes && planned.change.requires.is_empty(), "{number}");
    }
}

#[test]
fn what_a_principal_has_is_told_with_the_change() {
    let mut scene = Scene::usual();
    scene.hold(ADA, &["Viewer", "Contributor"]);
    scene.hold(LINUS, &[]);
    let reason = |number| planned(&scene.findings(), number).change.reason.clone();
    assert_eq!(reason(ADA), "declared as Admin, and has Contributor and Viewer");
    assert_eq!(reason(LINUS), "declared as Viewer, and has no role");
}

/// How many others there are, and whom a grant reaches.
#[test]
fn what_a_grant_brings_and_who_is_left_alone_is_told() {
    let messages =
        |scene: &Scene| -> Vec<String> { scene.findings().notes.into_iter().map(|note| note.message).collect() };
    let mut scene = Scene::usual();
    scene.declared.matching = Match::AtLeast;
    assert_eq!(messages(&scene), [""; 0]);
    scene.undeclare(LINUS);
    assert!(messages(&scene)[0].starts_with("1 other principal has a role and isn't declared"));
    scene.undeclare(GROUP);
    assert!(messages(&scene)[0].starts_with("2 other principals have roles and aren't declared"));
    for (number, whom) in [(GRACE, "makes it System Administrator"), (GROUP, "makes every member System Administrator")]
    {
        let mut scene = Scene::usual();
        scene.undeclare(number);
        scene.declared.assignments.push(assignment(number, Role::Admin));
        scene.drop_held(number);
        assert!(messages(&scene)[0].contains(whom), "{:?}", messages(&scene));
    }
    let mut scene = Scene::usual();
    scene.drop_held(GROUP);
    assert_eq!(messages(&scene), ["reaches 2 members, those of nested groups included"], "members that were read");
    scene.observed.members.clear();
    scene.observed.counts.insert(object_id(GROUP), Ok(1));
    assert_eq!(messages(&scene), ["reaches 1 member"]);
    scene.observed.counts.clear();
    assert_eq!(messages(&scene), ["how many members it reaches was not read"]);
}
