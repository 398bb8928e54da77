//! What `breakGlass` protects, and who counts as another Admin.

use super::*;
use crate::guard;
use crate::settings::users::codes;

fn protect(scene: &mut Scene, number: u128) {
    scene.declared.break_glass.push(BreakGlass { principal: reference(number), place: place() });
}

/// Ada is Admin through the group only.
fn through_group() -> Scene {
    let mut scene = Scene::of(&[(PALISADE, Role::Admin), (GRACE, Role::Admin), (GROUP, Role::Admin)]);
    scene.observed.members.insert(object_id(GROUP), members(&[(ADA, Some(true))]));
    protect(&mut scene, ADA);
    scene
}

#[test]
fn a_protected_principal_may_be_admin_through_a_group() {
    let scene = through_group();
    let findings = scene.findings();
    assert_eq!((errors(&findings), findings.unknown.len()), (vec![], 0));
}

#[test]
fn a_group_that_gives_a_protected_principal_its_role_keeps_it() {
    type Change = fn(&mut Scene);
    let removed: Change = |scene| scene.undeclare(GROUP);
    let lowered: Change = |scene| scene.declared.assignments[2].role = Role::Contributor;
    for change in [removed, lowered] {
        let mut scene = through_group();
        change(&mut scene);
        assert_eq!(errors(&scene.findings()), [guard::codes::BREAK_GLASS]);
        // Who is in it can't be read: it may be the one.
        scene.observed.members.insert(object_id(GROUP), Err("403".into()));
        let findings = scene.findings();
        assert_eq!(errors(&findings), [guard::codes::BREAK_GLASS_UNRESOLVED]);
        assert!(findings.unknown.iter().any(|one| one.address.as_str() == "prod/users/breakGlass/user1@contoso.com"));
        // Somebody else is in it.
        scene.observed.members.insert(object_id(GROUP), members(&[(LINUS, Some(true))]));
        assert_eq!(errors(&scene.findings()), [codes::BREAK_GLASS_NOT_ADMIN]);
        // An own role as high as the group's makes the group dispensable, whoever is in it.
        for unread in [false, true] {
            let mut scene = through_group();
            scene.declared.assignments.push(assignment(ADA, Role::Admin));
            scene.hold(ADA, &["Admin"]);
            change(&mut scene);
            if unread {
                scene.observed.members.insert(object_id(GROUP), Err("403".into()));
            }
            assert_eq!(errors(&scene.findings()), [], "unread: {unread}");
        }
    }
}

/// The directory may show a group without saying that it is one.
#[test]
fn what_may_be_a_group_is_not_removed_as_if_it_held_nobody() {
    let mut scene = through_group();
    scene.undeclare(GROUP);
    let untyped = DirectoryObject { odata_type: None, ..object(GROUP) };
    scene.observed.directory.insert(Name::Id(object_id(GROUP)), Ok(Some(untyped)));
    scene.observed.members.insert(object_id(GROUP), Err("403".into()));
    assert_eq!(errors(&scene.findings()), [guard::codes::BREAK_GLASS_UNRESOLVED]);
}

/// Two groups, each of which would do: together they are needed.
#[test]
fn losses_are_judged_together_and_promises_do_not_count() {
    let second = 40;
    let mut scene = through_group();
    scene
        .observed
        .directory
        .insert(Name::Id(object_id(second)), Ok(Some(DirectoryObject { id: object_id(second), ..object(GROUP) })));
    let (key, held) = entry(GROUP, &["Admin"]);
    assert_eq!(key, object_id(GROUP));
    scene.observed.assignments.as_mut().unwrap().held.insert(object_id(second), held);
    scene.observed.members.insert(object_id(second), members(&[(ADA, Some(true))]));
    assert_eq!(errors(&scene.findings()), [], "one of two");
    scene.undeclare(GROUP);
    assert_eq!(errors(&scene.findings()), [guard::codes::BREAK_GLASS, guard::codes::BREAK_GLASS], "both");
    // The role that the same plan gives isn't there yet.
    scene.declared.assignments.push(assignment(ADA, Role::Admin));
    assert_eq!(errors(&scene.findings()), [guard::codes::BREAK_GLASS, guard::codes::BREAK_GLASS]);
}

/// A protected principal is Admin by the plan if a group is that surely holds it, and no less by an unread one that gives less.
#[test]
fn a_group_that_becomes_admin_makes_those_admin_whom_it_holds() {
    for (member, expected) in [(ADA, vec![]), (LINUS, vec![codes::BREAK_GLASS_NOT_ADMIN])] {
        let mut scene = through_group();
        scene.hold(GROUP, &["Contributor"]);
        scene.observed.members.insert(object_id(GROUP), members(&[(member, Some(true))]));
        assert_eq!(errors(&scene.findings()), expected, "{member}");
    }
    let mut scene = through_group();
    scene.declared.assignments[2].role = Role::Contributor;
    scene.hold(GROUP, &["Contributor"]);
    scene.observed.members.insert(object_id(GROUP), Err("403".into()));
    let findings = scene.findings();
    assert_eq!((errors(&findings), findings.unknown.len()), (vec![codes::BREAK_GLASS_NOT_ADMIN], 0));
}

/// Whatever may be a group may be one that holds the protected principal.
#[test]
fn what_can_not_be_looked_up_is_a_group_unless_the_service_says_otherwise() {
    for (kind, doubtful) in [(Kind::Group, true), (Kind::Unknown, true), (Kind::User, false), (Kind::App, false)] {
        let mut scene = Scene::usual();
        protect(&mut scene, ADA);
        scene.undeclare(ADA);
        scene.drop_held(ADA);
        let (id, (_, held)) = (object_id(50), entry(LINUS, &["Viewer"]));
        scene.observed.assignments.as_mut().unwrap().held.insert(id, Held { kind, ..held });
        scene.observed.directory.insert(Name::Id(id), Err("503".into()));
        let refused = errors(&scene.findings()).contains(&guard::codes::BREAK_GLASS_UNRESOLVED);
        assert_eq!(refused, doubtful, "{kind:?}");
    }
}

/// Only what surely stays can make up for what goes, the highest of it.
#[test]
fn what_stays_makes_up_for_what_goes_if_it_surely_allows_as_much() {
    let second = 40;
    let scene = |stays: &str, members_of_it: Members| {
        let mut scene = through_group();
        scene.hold(ADA, &["Viewer"]);
        scene.declared.assignments.push(assignment(ADA, Role::Viewer));
        scene.hold(GROUP, &["Contributor"]);
        scene.undeclare(GROUP);
        let other = DirectoryObject { id: object_id(second), ..object(GROUP) };
        let reference = PrincipalRef::Principal { id: id(second) };
        scene.observed.directory.insert(principal::name(&reference), Ok(Some(other)));
        let (_, held) = entry(GROUP, &[stays]);
        scene.observed.assignments.as_mut().unwrap().held.insert(object_id(second), held);
        scene.observed.members.insert(object_id(second), members_of_it);
        let role = if stays == "Admin" { Role::Admin } else { Role::Viewer };
        scene.declared.assignments.push(Assignment { principal: reference, role, place: place() });
        scene
    };
    let lowered = |scene: &Scene| errors(&scene.findings()).contains(&guard::codes::BREAK_GLASS);
    let ada = || members(&[(ADA, Some(true))]);
    assert!(!lowered(&scene("Admin", ada())));
    assert!(lowered(&scene("Viewer", ada())));
    assert!(lowered(&scene("Admin", members(&[(LINUS, Some(true))]))));
    assert!(lowered(&scene("Admin", Err("403".into()))), "she may not be in it");
}

#[test]
fn a_role_of_a_name_that_is_not_known_is_replaced_by_nothing_else() {
    let mut scene = Scene::usual();
    protect(&mut scene, ADA);
    scene.hold(ADA, &["Admin", "Owner"]);
    assert_eq!(errors(&scene.findings()), [guard::codes::BREAK_GLASS]);
}

#[test]
fn a_protected_principal_below_admin_is_a_finding_and_stops_nothing() {
    for (roles, held) in [(vec!["Viewer"], true), (vec!["CI User"], true), (vec![], false)] {
        let mut scene = Scene::usual();
        scene.declared.matching = Match::AtLeast;
        scene.undeclare(GRACE);
        protect(&mut scene, GRACE);
        match held {
            true => scene.hold(GRACE, &roles),
            false => scene.drop_held(GRACE),
        }
        let findings = scene.findings();
        assert_eq!(errors(&findings), [codes::BREAK_GLASS_NOT_ADMIN], "{roles:?}");
        let note = findings.notes.iter().find(|note| note.code == codes::BREAK_GLASS_NOT_ADMIN).unwrap();
        assert!(!note.refuses());
        assert_eq!(note.address.as_str(), "prod/users/breakGlass/user2@contoso.com");
        // A plan that repairs it doesn't complain, unless it would replace a role that may allow more.
        scene.declared.assignments.push(assignment(GRACE, Role::Admin));
        let expected: &[NoteCode] = if roles == ["CI User"] { &[guard::codes::BREAK_GLASS] } else { &[] };
        assert_eq!(errors(&scene.findings()), expected, "{roles:?}");
        // An incomplete list proves nobody missing.
        if !held {
            scene.undeclare(GRACE);
            scene.observed.assignments.as_mut().unwrap().nameless = 1;
            let findings = scene.findings();
            assert_eq!((errors(&findings), findings.unknown.len()), (vec![], 1));
        }
    }
}

#[test]
fn a_mistyped_entry_is_told_and_lets_nothing_be_taken() {
    for by_id in [false, true] {
        let mut scene = Scene::usual();
        let principal = match by_id {
            true => PrincipalRef::Principal { id: id(77) },
            false => PrincipalRef::User { upn: "Adda@contoso.com".into(), id: None },
        };
        scene.declared.break_glass.push(BreakGlass { principal: principal.clone(), place: place() });
        scene.observed.directory.insert(principal::name(&principal), Ok(None));
        let findings = scene.findings();
        assert_eq!(errors(&findings), [codes::BREAK_GLASS_NOT_FOUND]);
        assert!(findings.notes.iter().all(|note| !note.refuses()));
        assert!(findings.notes[0].address.as_str().starts_with("prod/users/breakGlass/"));
        scene.undeclare(LINUS);
        assert_eq!(errors(&scene.findings()), [codes::BREAK_GLASS_NOT_FOUND, guard::codes::BREAK_GLASS_UNRESOLVED]);
        scene.observed.directory.insert(principal::name(&principal), Err("503".into()));
        let findings = scene.findings();
        assert_eq!((errors(&findings), findings.unknown.len()), (vec![guard::codes::BREAK_GLASS_UNRESOLVED], 1));
    }
}

/// Another Admin is an enabled person other than the caller whom the directory shows.
#[test]
fn only_an_enabled_person_other_than_the_caller_is_another_admin() {
    type Change = fn(&mut Scene);
    let remaining: [(&str, Change, bool); 12] = [
        ("an enabled person", |_| {}, false),
        ("a disabled person", |scene| scene.observed.enabled.extend([(object_id(GRACE), false)]), true),
        (
            "a person of whom nothing is known",
            |scene| scene.observed.enabled.retain(|id, _| *id != object_id(GRACE)),
            true,
        ),
        ("a group with an enabled person", |scene| only_group(scene, members(&[(11, Some(true))])), false),
        ("a group with disabled people", |scene| only_group(scene, members(&[(11, Some(false)), (12, None)])), true),
        ("an empty group", |scene| only_group(scene, members(&[])), true),
        ("a group that holds only an empty group", |scene| only_group(scene, members(&[(GROUP, None)])), true),
        ("a group that holds only the caller", |scene| only_group(scene, members(&[(PALISADE, Some(true))])), true),
        ("a group whose members can't be read", |scene| only_group(scene, Err("403".into())), true),
        ("an app", |scene| only_entry(scene, Kind::App, Some("servicePrincipal")), true),
        ("an app that the directory doesn't tell", |scene| only_entry(scene, Kind::App, None), true),
        ("something of an unknown kind", |scene| only_entry(scene, Kind::Unknown, None), true),
    ];
    for (what, change, refused) in remaining {
        let mut scene = Scene::of(&[(PALISADE, Role::Admin), (ADA, Role::Admin), (GRACE, Role::Admin)]);
        change(&mut scene);
        scene.undeclare(ADA);
        assert_eq!(errors(&scene.findings()).contains(&guard::codes::LAST_ADMIN), refused, "{what}");
    }
}

/// Grace isn't there; a group is Admin instead.
fn only_group(scene: &mut Scene, members: Members) {
    scene.undeclare(GRACE);
    scene.drop_held(GRACE);
    scene.declared.assignments.push(assignment(GROUP, Role::Admin));
    scene.hold(GROUP, &["Admin"]);
    scene.observed.members.insert(object_id(GROUP), members);
}

/// Grace isn't there; something else that is listed as this kind is Admin instead.
fn only_entry(scene: &mut Scene, kind: Kind, odata_type: Option<&str>) {
    scene.undeclare(GRACE);
    scene.drop_held(GRACE);
    let (id, reference) = (object_id(50), PrincipalRef::Principal { id: id(50) });
    let (_, held) = entry(GRACE, &["Admin"]);
    scene.observed.assignments.as_mut().unwrap().held.insert(id, Held { kind, ..held });
    let found = odata_type.map(|kind| DirectoryObject {
        id,
        odata_type: Some(format!("#microsoft.graph.{kind}")),
        user_principal_name: None,
        account_enabled: Some(true),
        ..object(GRACE)
    });
    let found = found.map_or(Err("503".to_owned()), |object| Ok(Some(object)));
    scene.observed.directory.insert(Name::Id(id), found);
    scene.declared.assignments.push(Assignment { principal: reference, role: Role::Admin, place: place() });
}

/// Where the caller is Admin through a group, whatever may be that group stays.
#[test]
fn a_caller_that_is_admin_through_a_group_keeps_whatever_may_be_it() {
    for (kind, refused) in [(Kind::Group, true), (Kind::Unknown, true), (Kind::User, false), (Kind::App, false)] {
        for role in ["Admin", "Viewer"] {
            let mut scene = Scene::of(&[(ADA, Role::Admin), (GRACE, Role::Admin), (LINUS, Role::Admin)]);
            let (id, (_, held)) = (object_id(50), entry(GRACE, &[role]));
            scene.observed.assignments.as_mut().unwrap().held.insert(id, Held { kind, ..held });
            scene.observed.directory.insert(Name::Id(id), Err("503".into()));
            let locked_out = errors(&scene.findings()).contains(&guard::codes::SELF_LOCKOUT);
            assert_eq!(locked_out, refused && role == "Admin", "{kind:?}, {role}");
        }
    }
}

/// A person who runs palisade isn't another Admin, alone or in a group.
#[test]
fn a_person_who_runs_palisade_is_not_another_admin() {
    let mut scene = Scene::of(&[(ADA, Role::Admin), (GRACE, Role::Admin), (GROUP, Role::Admin)]);
    scene.observed.caller = Ok(BTreeSet::from([object_id(ADA)]));
    scene.observed.members.insert(object_id(GROUP), members(&[(ADA, Some(true))]));
    scene.undeclare(GRACE);
    assert_eq!(errors(&scene.findings()), [guard::codes::LAST_ADMIN]);
    scene.observed.members.insert(object_id(GROUP), members(&[(ADA, Some(true)), (12, Some(true))]));
    assert_eq!(errors(&scene.findings()), []);
}

/// In an outage of the directory nobody is missing.
#[test]
fn admins_whom_the_directory_does_not_tell_are_said_to_be_unknown() {
    let few = |scene: &Scene| {
        let notes = guard::check_findings(&scene.findings());
        notes.into_iter().find(|note| note.code == guard::codes::FEW_ADMINS).map(|note| note.message)
    };
    let mut scene = Scene::usual();
    assert_eq!(few(&scene), None);
    scene.observed.enabled.clear();
    let message = few(&scene).unwrap();
    assert!(message.contains("whether these count could not be read"), "{message}");
    // A group counts as told if its members are.
    let with_group = |members: Members| {
        let mut scene = Scene::of(&[(PALISADE, Role::Admin), (ADA, Role::Admin), (GROUP, Role::Admin)]);
        scene.observed.members.insert(object_id(GROUP), members);
        few(&scene).unwrap()
    };
    assert!(with_group(Err("403".into())).ends_with("whether these count could not be read: group (group) (403)"));
    let mut becomes = Scene::of(&[(PALISADE, Role::Admin), (ADA, Role::Admin), (GROUP, Role::Admin)]);
    becomes.hold(GROUP, &["Contributor"]);
    becomes.observed.members.insert(object_id(GROUP), Err("403".into()));
    assert!(few(&becomes).unwrap().ends_with("could not be read: group (group) (403)"), "told once");
    assert_eq!(with_group(members(&[])), "fewer than two Admins besides the identity that runs palisade");
    scene = Scene::of(&[(PALISADE, Role::Admin), (ADA, Role::Admin)]);
    assert_eq!(few(&scene).unwrap(), "fewer than two Admins besides the identity that runs palisade");
}

/// What somebody else becomes, or what a group stays, is no promise to the protected one.
#[test]
fn only_a_role_that_reaches_the_protected_principal_is_promised_to_it() {
    let mut scene = Scene::usual();
    protect(&mut scene, LINUS);
    scene.declared.assignments[3].role = Role::Contributor;
    scene.drop_held(GRACE);
    assert_eq!(scene.changes().len(), 2);
    assert_eq!(errors(&scene.findings()), [codes::BREAK_GLASS_NOT_ADMIN], "Grace becomes Admin, Linus Contributor");
    let mut scene = Scene::usual();
    protect(&mut scene, LINUS);
    scene.drop_held(GRACE);
    scene.observed.members.insert(object_id(GROUP), members(&[(LINUS, Some(true))]));
    assert_eq!(errors(&scene.findings()), [codes::BREAK_GLASS_NOT_ADMIN], "the group stays Contributor");
}

/// What a role of an unknown name allows is kept by the very same role, and by no other.
#[test]
fn an_own_role_of_an_unknown_name_makes_up_for_the_same_one_of_a_group() {
    for (own, lowered) in [("ci user", false), ("Viewer", true)] {
        let mut scene = Scene::usual();
        protect(&mut scene, ADA);
        scene.declared.matching = Match::AtLeast;
        scene.undeclare(ADA);
        scene.hold(ADA, &[own]);
        scene.hold(GROUP, &["CI User", "Contributor"]);
        scene.observed.members.insert(object_id(GROUP), members(&[(ADA, Some(true))]));
        // Contributor stays with the group, so only the other role counts.
        assert_eq!(errors(&scene.findings()).contains(&guard::codes::BREAK_GLASS), lowered, "{own}");
    }
}

/// An app may sign in, and can't be signed in as.
#[test]
fn an_app_in_a_group_is_not_another_admin() {
    let mut scene = Scene::of(&[(PALISADE, Role::Admin), (ADA, Role::Admin), (GROUP, Role::Admin)]);
    scene.undeclare(ADA);
    let app = DirectoryObject { id: object_id(60), account_enabled: Some(true), ..object(PALISADE) };
    scene.observed.members.insert(object_id(GROUP), Ok([(app.id, app)].into()));
    assert_eq!(errors(&scene.findings()), [guard::codes::LAST_ADMIN]);
    scene.observed.members.insert(object_id(GROUP), members(&[(11, Some(true))]));
    assert_eq!(errors(&scene.findings()), []);
}

/// Whoever isn't known gets its reason told, and is told to be unknown.
#[test]
fn why_somebody_is_not_known_is_told() {
    let message = |scene: &Scene, code: NoteCode| {
        let notes = guard::check_findings(&scene.findings());
        notes.into_iter().find(|note| note.code == code).map(|note| note.message).unwrap_or_default()
    };
    let mut scene = through_group();
    scene.declared.break_glass.clear();
    scene.undeclare(GROUP);
    scene.observed.caller = Err(Unreadable::because("the token is opaque"));
    assert!(message(&scene, guard::codes::CALLER_UNKNOWN).ends_with(": the token is opaque"));
    assert_eq!(errors(&scene.findings()), [guard::codes::CALLER_UNKNOWN], "a group of nobody that is known");
    let mut scene = Scene::usual();
    scene.undeclare(LINUS);
    protect(&mut scene, LINUS);
    scene.look_up(LINUS, Err("the directory answered 503".into()));
    assert!(message(&scene, guard::codes::BREAK_GLASS_UNRESOLVED).contains(": the directory answered 503;"));
    let mut scene = Scene::of(&[(PALISADE, Role::Admin), (ADA, Role::Admin), (GRACE, Role::Admin)]);
    only_entry(&mut scene, Kind::Unknown, None);
    let unknown = format!("whether these count could not be read: {} (", object_id(50));
    assert!(message(&scene, guard::codes::FEW_ADMINS).contains(&unknown));
    scene = Scene::of(&[(PALISADE, Role::Admin), (ADA, Role::Admin), (GRACE, Role::Admin)]);
    only_entry(&mut scene, Kind::App, None);
    assert!(!message(&scene, guard::codes::FEW_ADMINS).contains("could not be read"), "an app is known not to count");
}

#[test]
fn a_protected_principal_is_told_what_it_has() {
    for (roles, told) in [(&["Viewer", "Contributor"][..], "it has Contributor and Viewer"), (&[], "it has no role")] {
        let mut scene = Scene::usual();
        scene.declared.matching = Match::AtLeast;
        scene.undeclare(LINUS);
        protect(&mut scene, LINUS);
        scene.hold(LINUS, roles);
        let findings = scene.findings();
        let note = findings.notes.iter().find(|note| note.code == codes::BREAK_GLASS_NOT_ADMIN).unwrap();
        assert!(note.message.ends_with(told) && note.help.is_some(), "{note:?}");
    }
}
