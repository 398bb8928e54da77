//! Who the caller is, and whom a list, a file and the directory mean.

use super::*;
use crate::azure::Identity;
use crate::azure::customer_insights::RoleAssignment;
use crate::guard;
use crate::settings::users::caller;
use crate::settings::users::codes;

fn identity() -> Result<Identity, String> {
    Ok(Identity { object_id: object_id(PALISADE), applications: BTreeSet::from([ObjectId::from(app_id(PALISADE))]) })
}

fn failed() -> caller::Named {
    Err(Unreadable::because("reset"))
}

#[test]
fn tokens_and_service_must_name_the_same_caller() {
    let own = BTreeSet::from([object_id(PALISADE), ObjectId::from(app_id(PALISADE))]);
    let of_group = || own.iter().copied().chain([object_id(GROUP)]).collect::<BTreeSet<_>>();
    let group = |people: &[(u128, Option<bool>)]| Some(members(people));
    let listed = Scene::usual().observed.assignments.unwrap();
    let known = [
        ("its object id", identity(), Ok(Ok(object_id(PALISADE))), None, own.clone()),
        ("its application id", identity(), Ok(Ok(app_id(PALISADE).into())), None, own.clone()),
        ("a group that holds it", identity(), Ok(Ok(object_id(GROUP))), group(&[(PALISADE, None)]), of_group()),
        ("nothing, but it is listed as Admin", identity(), failed(), None, own.clone()),
    ];
    for (what, identity, named, members, expected) in known {
        assert_eq!(caller::ids(identity, named, members.as_ref(), Some(&listed)), Ok(expected), "{what}");
    }
    // A list shows that the service knows the caller if it shows what only the caller has, the role that let it read the list.
    let mut lesser = Scene::usual();
    lesser.hold(PALISADE, &["Viewer"]);
    let lesser = lesser.observed.assignments.unwrap();
    assert!(caller::ids(identity(), failed(), None, Some(&lesser)).is_err(), "nothing, and it is listed with less");
    let mut unlisted = listed.clone();
    unlisted.held.remove(&object_id(PALISADE));
    let unknown = [
        ("another principal", identity(), Ok(Ok(object_id(ADA))), None),
        ("a group that doesn't hold it", identity(), Ok(Ok(object_id(GROUP))), group(&[(ADA, Some(true))])),
        ("a group that can't be read", identity(), Ok(Ok(object_id(GROUP))), Some(Err("403".into()))),
        ("no id", identity(), Ok(Err(String::new())), None),
        ("not an id", identity(), Ok(Err("palisade".into())), None),
        ("an id that the tokens don't tell", Err("opaque".into()), Ok(Ok(object_id(PALISADE))), None),
        ("nothing, and it isn't listed", identity(), failed(), None),
    ];
    for (what, identity, named, members) in unknown {
        assert!(caller::ids(identity, named, members.as_ref(), Some(&unlisted)).is_err(), "{what}");
    }
}

/// Only Admins may read the list: one that shows no way in which the caller is one contradicts the service.
#[test]
fn a_list_shows_the_caller_or_a_group_that_may_hold_it() {
    let caller = BTreeSet::from([object_id(PALISADE), ObjectId::from(app_id(PALISADE))]);
    let believed_by = |caller: &BTreeSet<ObjectId>, scene: &Scene, groups: &[(u128, Members)]| {
        let list = scene.observed.assignments.as_ref().unwrap();
        let members = groups.iter().map(|(group, members)| (object_id(*group), members.clone())).collect();
        caller::vouched(list, &caller::witnesses(list, caller, &members)).is_ok()
    };
    let believed = |scene: &Scene, groups: &[(u128, Members)]| believed_by(&caller, scene, groups);
    assert!(believed(&Scene::usual(), &[]), "listed itself");
    let mut scene = Scene::usual();
    scene.drop_held(PALISADE);
    assert!(!believed(&scene, &[]), "not listed");
    let holds = || members(&[(11, Some(true)), (PALISADE, None)]);
    assert!(!believed(&scene, &[(GROUP, holds())]), "through a group that isn't Admin");
    scene.hold(GROUP, &["Admin"]);
    let unread = || Err("Microsoft Graph answered 403".to_owned());
    for (what, group, expected) in [
        ("a group that holds it", holds(), true),
        ("a group that could not be read", unread(), true),
        ("a group of others, as far as the directory tells of apps", members(&[(11, Some(true))]), true),
    ] {
        assert_eq!(believed(&scene, &[(GROUP, group)]), expected, "{what}");
    }
    let person = BTreeSet::from([object_id(PALISADE)]);
    assert!(!believed_by(&person, &scene, &[(GROUP, members(&[(11, Some(true))]))]), "a group of others, and a person");
    assert!(believed_by(&person, &scene, &[(GROUP, holds())]), "a group that holds the person");
    scene.observed.assignments.as_mut().unwrap().nameless = 1;
    assert!(believed(&scene, &[]), "an entry may be the caller's");
    let mut by_application = Scene::usual();
    let list = by_application.observed.assignments.as_mut().unwrap();
    let held = list.held.remove(&object_id(PALISADE)).unwrap();
    list.held.insert(app_id(PALISADE).into(), held);
    assert!(believed(&by_application, &[]), "listed by its application id");
}

/// An id that isn't the caller's own may be that of a group, and is looked up as one.
#[test]
fn only_an_id_that_the_tokens_do_not_name_is_doubtful() {
    let doubtful = |identity, named| caller::doubtful(&identity, &named);
    assert_eq!(doubtful(identity(), Ok(Ok(object_id(GROUP)))), Some(object_id(GROUP)));
    assert_eq!(doubtful(identity(), Ok(Ok(object_id(PALISADE)))), None);
    assert_eq!(doubtful(identity(), Ok(Ok(app_id(PALISADE).into()))), None);
    assert_eq!(doubtful(identity(), Ok(Err("palisade".into()))), None);
    assert_eq!(doubtful(identity(), failed()), None);
    assert_eq!(doubtful(Err("opaque".into()), Ok(Ok(object_id(GROUP)))), None);
}

/// Every id of the caller is protected; while none is known, so is everybody.
#[test]
fn every_id_of_the_caller_is_protected() {
    for number in [PALISADE, ADA, GROUP] {
        let mut scene = Scene::usual();
        scene.observed.caller = Ok(BTreeSet::from([object_id(99), object_id(number)]));
        scene.undeclare(number);
        assert!(errors(&scene.findings()).contains(&guard::codes::SELF_LOCKOUT), "{number}");
    }
}

fn listed(principal: &str, kind: &str, roles: &[&str]) -> RoleAssignment {
    RoleAssignment {
        principal: ObjectId::parse(principal),
        spellings: BTreeSet::from([principal.to_owned()]),
        principal_type: Some(kind.into()),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
    }
}

#[test]
fn an_app_listed_by_its_application_id_is_the_same_principal() {
    let aliases = BTreeMap::from([(ObjectId::from(app_id(PALISADE)), object_id(PALISADE))]);
    let (object, application) = (id(PALISADE).to_string(), app_id(PALISADE).simple().to_string());
    let one = Assignments::of(vec![listed(&application, "app", &["Admin"])]).fold(&aliases).unwrap();
    assert_eq!(one.held[&object_id(PALISADE)].spellings, BTreeSet::from([application.clone()]));

    let agree = vec![listed(&object, "app", &["Admin"]), listed(&application, "app", &["ADMIN"])];
    let both = Assignments::of(agree).fold(&aliases).unwrap();
    assert_eq!(both.held.len(), 1);
    assert_eq!(both.held[&object_id(PALISADE)].spellings, BTreeSet::from([object.clone(), application.clone()]));

    for (first, second) in [("Admin", "Viewer"), ("Viewer", "Admin")] {
        let differ = vec![listed(&object, "app", &[first]), listed(&application, "app", &[second])];
        assert!(Assignments::of(differ).fold(&aliases).is_err(), "{first} and {second}");
    }
}

#[test]
fn what_is_not_an_id_is_nameless() {
    let list = vec![listed("palisade", "app", &["Admin"]), listed("", "user", &["Viewer"])];
    let list = Assignments::of(list);
    assert_eq!((list.held.len(), list.nameless), (0, 2));
}

/// With `id`, the id decides; a name that moved to another person refuses.
#[test]
fn a_user_with_an_id_is_that_person_by_that_name() {
    let with_id = PrincipalRef::User { upn: "USER2@contoso.com".into(), id: Some(id(GRACE)) };
    let mut scene = Scene::usual();
    scene.declared.assignments[2].principal = with_id.clone();
    let name = principal::name(&with_id);
    scene.observed.directory.insert(name.clone(), Ok(Some(object(GRACE))));
    assert_eq!((scene.changes(), errors(&scene.findings())), (Vec::new(), Vec::new()));
    let moved = [
        DirectoryObject { user_principal_name: Some("grace.hopper@contoso.com".into()), ..object(GRACE) },
        DirectoryObject { user_principal_name: None, ..object(GRACE) },
    ];
    for object in moved {
        scene.observed.directory.insert(name.clone(), Ok(Some(object)));
        assert_eq!(errors(&scene.findings()), [codes::PRINCIPAL_MISMATCH]);
    }
    scene.observed.directory.insert(name, Ok(None));
    assert!(errors(&scene.findings()).contains(&codes::PRINCIPAL_NOT_FOUND));
}

/// One name for two principals: neither is taken for the other, and no address stands for both.
#[test]
fn a_name_that_leads_to_two_principals_removes_neither() {
    let mut scene = Scene::usual();
    let twin = 30;
    let other = DirectoryObject { id: object_id(twin), ..object(LINUS) };
    let (_, held) = entry(LINUS, &["Viewer"]);
    scene.observed.assignments.as_mut().unwrap().held.insert(object_id(twin), held);
    scene.observed.directory.insert(Name::Id(object_id(twin)), Ok(Some(other)));
    scene.drop_held(LINUS);
    assert_eq!(scene.changes(), [r#"create prod/users/user3@contoso.com null -> {"role":"Viewer"} weakens"#]);
    let unknown = &scene.findings().unknown;
    assert_eq!(unknown.len(), 1, "{unknown:?}");
}

/// The object id is part of the intent: who has a name when the plan is applied must be who had it when it was made.
#[test]
fn a_step_binds_the_principal_that_the_name_led_to() {
    let intents = |scene: &Scene| {
        let findings = scene.findings();
        findings.changes.iter().map(|planned| planned.change.intent()).collect::<Vec<_>>()
    };
    let mut scene = Scene::usual();
    scene.drop_held(GRACE);
    let before = intents(&scene);
    assert_eq!(before[0]["binds"]["principal"], serde_json::json!(id(GRACE)));
    scene.look_up(GRACE, Ok(Some(DirectoryObject { id: object_id(31), ..object(GRACE) })));
    assert_ne!(intents(&scene), before);
}

/// Listed by the service, declared nowhere.
const STRANGER: u128 = 6;

/// Only the directory itself can say that it doesn't have somebody.
#[test]
fn who_could_not_be_looked_up_is_not_said_to_be_missing() {
    let outage = || Err("Microsoft Graph answered 503".to_owned());
    for (found, missing) in [(outage(), false), (Ok(None), true)] {
        let mut scene = Scene::usual();
        let held = scene.observed.assignments.as_mut().unwrap();
        held.held.extend([entry(STRANGER, &["Admin"])]);
        scene.observed.directory.insert(Name::Id(object_id(STRANGER)), found.clone());
        if !missing {
            scene.observed.directory.values_mut().for_each(|one| *one = found.clone());
        }
        let findings = scene.findings();
        let changes = findings.changes.iter().map(|planned| &planned.change.subject);
        let unknown = findings.unknown.iter().map(|unknown| &unknown.reason);
        let told: Vec<&String> =
            changes.chain(unknown).chain(findings.notes.iter().map(|note| &note.message)).collect();
        assert_eq!(told.iter().any(|words| words.contains("not in the directory")), missing, "{told:#?}");
        let named = format!("{} (user", object_id(STRANGER));
        assert!(told.iter().any(|words| words.contains(&named)), "{told:#?}");
    }
}

/// Grace under an id that nobody has; Grace herself is listed under her own.
fn with_a_wrong_id() -> Scene {
    let mut scene = Scene::usual();
    let wrong = PrincipalRef::User { upn: "USER2@contoso.com".into(), id: Some(id(70)) };
    scene.observed.directory.insert(principal::name(&wrong), Ok(None));
    scene.declared.assignments[2].principal = wrong;
    scene
}

/// The file means a person by her name, so she isn't one that the file doesn't know, whatever her id.
#[test]
fn who_has_the_name_of_a_user_with_a_wrong_id_is_named_and_not_removed() {
    let mut scene = with_a_wrong_id();
    let findings = scene.findings();
    assert_eq!((scene.changes(), errors(&findings)), (Vec::new(), vec![codes::PRINCIPAL_MISMATCH]));
    let note = findings.notes.iter().find(|note| note.code == codes::PRINCIPAL_MISMATCH).unwrap();
    let named = format!(
        "the user USER2@contoso.com with the id {} isn't in the directory; user2@contoso.com has the id {}",
        id(70),
        id(GRACE)
    );
    assert!(note.message == named && note.help.is_some(), "{note:?}");
    // Who has the very id isn't a namesake.
    let found = scene.observed.directory.get_mut(&Name::Id(object_id(GRACE))).unwrap();
    *found = Ok(Some(DirectoryObject { id: object_id(70), ..object(GRACE) }));
    scene.observed.directory.remove(&principal::name(&reference(GRACE)));
    assert!(errors(&scene.findings()).contains(&codes::PRINCIPAL_NOT_FOUND));
}

/// Of two declarations of one principal the first one counts; the second changes nothing.
#[test]
fn a_principal_that_is_declared_twice_gets_no_second_role() {
    let mut scene = Scene::usual();
    let principal = PrincipalRef::Principal { id: id(ADA) };
    scene.declared.assignments.push(Assignment { principal, role: Role::Viewer, place: place() });
    assert_eq!((scene.changes(), errors(&scene.findings())), (Vec::new(), vec![codes::PRINCIPAL_TWICE]));
}

/// A list with a nameless entry shows what it shows: who is listed by name is compared.
#[test]
fn a_nameless_entry_hides_nobody_who_is_listed() {
    let mut scene = Scene::usual();
    scene.observed.assignments.as_mut().unwrap().nameless = 1;
    scene.hold(LINUS, &["Contributor"]);
    assert_eq!(scene.changes().len(), 1);
    let told = |scene: &Scene| scene.findings().unknown[0].reason.clone();
    assert!(told(&scene).starts_with("1 entry of the service's list"), "{}", told(&scene));
    scene.observed.assignments.as_mut().unwrap().nameless = 2;
    assert!(told(&scene).starts_with("2 entries of the service's list"), "{}", told(&scene));
}

/// An app under its two ids with roles here and none there is a contradiction; twice without roles is none.
#[test]
fn two_entries_of_an_app_agree_also_about_having_no_role() {
    let aliases = BTreeMap::from([(ObjectId::from(app_id(PALISADE)), object_id(PALISADE))]);
    let fold = |first: &[&str], second: &[&str]| {
        let (object, app) = (id(PALISADE).to_string(), app_id(PALISADE).to_string());
        Assignments::of(vec![listed(&object, "app", first), listed(&app, "app", second)]).fold(&aliases)
    };
    assert!(fold(&[], &["Admin"]).is_err() && fold(&["Admin"], &[]).is_err());
    let both = fold(&[], &[]).unwrap();
    assert_eq!(both.held[&object_id(PALISADE)].spellings.len(), 2);
}

/// Whoever doesn't agree with the file about a name is told which of the two has it, and what to do.
#[test]
fn a_name_that_is_not_its_own_is_told_in_full() {
    let told = |scene: &Scene| -> Vec<String> {
        let notes = scene.findings().notes;
        assert!(notes.iter().all(|note| note.help.is_some()), "{notes:?}");
        notes.into_iter().map(|note| note.message).collect()
    };
    let mut scene = Scene::usual();
    // A person that is called like the group.
    let person = DirectoryObject { id: object_id(GROUP), display_name: Some("group".into()), ..object(ADA) };
    scene.look_up(GROUP, Ok(Some(person)));
    scene.look_up(PALISADE, Ok(None));
    scene.look_up(GRACE, Ok(None));
    let (group, app) = (id(GROUP), app_id(PALISADE));
    assert_eq!(
        told(&scene)[..3],
        [
            format!("the app `palisade` with the application id {app} isn't in the directory"),
            "the user User2@contoso.com isn't in the directory".to_owned(),
            format!("the id {group} of the group `group` belongs to group (user), which isn't a group"),
        ]
    );
    let mut scene = Scene::usual();
    scene.look_up(GROUP, Ok(None));
    assert_eq!(told(&scene), [format!("the group `group` with the id {group} isn't in the directory")]);
    let principal = PrincipalRef::Principal { id: id(71) };
    scene.observed.directory.insert(principal::name(&principal), Ok(None));
    scene.declared.assignments[4].principal = principal;
    assert!(told(&scene).contains(&format!("a principal with the id {} isn't in the directory", id(71))));
}

/// Somebody whom the directory shows only under another name than the id is called by that name.
#[test]
fn who_is_known_by_another_look_up_is_called_by_its_name() {
    let mut scene = Scene::usual();
    scene.undeclare(PALISADE);
    scene.observed.directory.remove(&Name::Id(object_id(PALISADE)));
    let subjects = |scene: &Scene| {
        let findings = scene.findings();
        findings.changes.iter().map(|planned| planned.change.subject.clone()).collect::<Vec<_>>()
    };
    assert_eq!(subjects(&scene), ["palisade (app)"]);
    scene.observed.directory.remove(&principal::name(&reference(PALISADE)));
    assert_eq!(subjects(&scene), [format!("{} (app)", object_id(PALISADE))]);
}
