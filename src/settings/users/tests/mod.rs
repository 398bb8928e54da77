//! Comparing users: tables. Properties over random declarations and lists are in `properties`.

mod identity;
mod observed;
mod properties;
mod protection;
mod stakes;
mod written;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use uuid::Uuid;

use super::assignments::{Assignments, Held};
use super::block::{Assignment, BreakGlass, Declared, Match, PrincipalRef, Role};
use super::compare::compare;
use super::observe::Observed;
use super::principal;
use crate::azure::customer_insights::Instance;
use crate::azure::directory::{Members, Name};
use crate::azure::graph::DirectoryObject;
use crate::guard;
use crate::plan::{Direction, Findings, Impact, Kind, NoteCode, Severity};
use crate::settings;
use crate::settings::observation::Unreadable;
use crate::settings::setting::Comparing;
use crate::settings::surface::Surface;
use crate::settings::users::codes;
use crate::terms::{EnvironmentHead, Head, ObjectId, Place};

const ADA: u128 = 1;
const GRACE: u128 = 2;
const LINUS: u128 = 3;
const GROUP: u128 = 4;
const PALISADE: u128 = 5;

fn id(number: u128) -> Uuid {
    Uuid::from_u128(0x1abc_0000_0000_4000_8000_0000_0000_0000 | number)
}

fn object_id(number: u128) -> ObjectId {
    ObjectId::from(id(number))
}

/// The people in a group.
fn members(people: &[(u128, Option<bool>)]) -> Members {
    let member = |(number, enabled): &(u128, Option<bool>)| {
        let object = DirectoryObject { account_enabled: *enabled, ..object(*number) };
        (object.id, object)
    };
    Ok(people.iter().map(member).collect())
}

fn app_id(number: u128) -> Uuid {
    Uuid::from_u128(0x2def_0000_0000_4000_8000_0000_0000_0000 | number)
}

fn reference(number: u128) -> PrincipalRef {
    match number {
        GROUP => PrincipalRef::Group { name: "group".into(), id: id(GROUP) },
        PALISADE => PrincipalRef::App { name: "palisade".into(), app_id: app_id(PALISADE) },
        user => PrincipalRef::User { upn: format!("User{user}@contoso.com"), id: None },
    }
}

fn object(number: u128) -> DirectoryObject {
    let (kind, name) = match number {
        GROUP => ("group", "group".to_owned()),
        PALISADE => ("servicePrincipal", "palisade".to_owned()),
        user => ("user", format!("user {user}")),
    };
    DirectoryObject {
        id: object_id(number),
        odata_type: Some(format!("#microsoft.graph.{kind}")),
        display_name: Some(name),
        user_principal_name: (kind == "user").then(|| format!("user{number}@contoso.com")),
        app_id: (kind == "servicePrincipal").then(|| app_id(number)),
        account_enabled: None,
    }
}

fn kind(number: u128) -> Kind {
    match number {
        GROUP => Kind::Group,
        PALISADE => Kind::App,
        _ => Kind::User,
    }
}

/// A declaration and an observation that agree, to be changed by a test.
struct Scene {
    declared: Declared,
    observed: Observed,
}

impl Scene {
    fn of(roles: &[(u128, Role)]) -> Self {
        let declared = Declared {
            matching: Match::Exact,
            assignments: roles.iter().map(|(number, role)| assignment(*number, *role)).collect(),
            break_glass: Vec::new(),
            place: place(),
        };
        let held = roles.iter().map(|(number, role)| entry(*number, &[role.name()])).collect();
        let everybody = [ADA, GRACE, LINUS, GROUP, PALISADE];
        let mut directory = BTreeMap::new();
        for number in everybody {
            directory.insert(principal::name(&reference(number)), Ok(Some(object(number))));
            directory.insert(Name::Id(object_id(number)), Ok(Some(object(number))));
        }
        let roles = [Role::Admin, Role::Contributor, Role::Viewer].map(|role| role.name().to_owned());
        let observed = Observed {
            assignments: Ok(Assignments { held, nameless: 0 }),
            roles: Ok(roles.to_vec()),
            caller: Ok(BTreeSet::from([object_id(PALISADE), ObjectId::from(app_id(PALISADE))])),
            directory,
            enabled: [ADA, GRACE, LINUS].map(|number| (object_id(number), true)).into(),
            counts: BTreeMap::from([(object_id(GROUP), Ok(2))]),
            members: BTreeMap::from([(object_id(GROUP), members(&[(11, Some(true)), (12, Some(true))]))]),
        };
        Self { declared, observed }
    }

    /// The usual scene: palisade, Ada and Grace are Admins, Linus and the group have less.
    fn usual() -> Self {
        Self::of(&[
            (PALISADE, Role::Admin),
            (ADA, Role::Admin),
            (GRACE, Role::Admin),
            (LINUS, Role::Viewer),
            (GROUP, Role::Contributor),
        ])
    }

    fn hold(&mut self, number: u128, roles: &[&str]) {
        let list = self.observed.assignments.as_mut().unwrap();
        let (key, held) = entry(number, roles);
        list.held.insert(key, held);
    }

    fn drop_held(&mut self, number: u128) {
        self.observed.assignments.as_mut().unwrap().held.remove(&object_id(number));
    }

    fn undeclare(&mut self, number: u128) {
        self.declared.assignments.retain(|assignment| assignment.principal != reference(number));
    }

    fn look_up(&mut self, number: u128, found: crate::azure::graph::Found) {
        self.observed.directory.insert(principal::name(&reference(number)), found);
    }

    fn findings(&self) -> Findings {
        let head = Head::Environment(EnvironmentHead {
            key: "prod".into(),
            instance_id: Some(id(99)),
            environment_id: Some("e".into()),
            name: None,
            business_units: false,
            place: place(),
        });
        let instance = Instance { id: id(99), scale_unit: None };
        let comparing = Comparing {
            head: &head,
            instance: Ok(&instance),
            hosting: Err(&crate::settings::hosting::not_asked()),
            tenant: id(98),
            region: None,
            created: None,
            attested: &[],
            elsewhere: &[],
            beside: &crate::settings::blocks::Blocks::default(),
            surface: Surface::EMULATOR,
            now: Timestamp::UNIX_EPOCH,
        };
        compare(&self.declared, &self.observed, &comparing)
    }

    /// Changes as `action address before -> after direction`.
    fn changes(&self) -> Vec<String> {
        let findings = self.findings();
        let mut lines: Vec<String> = findings
            .changes
            .iter()
            .map(|planned| {
                let change = &planned.change;
                format!(
                    "{} {} {} -> {} {}",
                    change.action, change.address, change.before, change.after, change.direction
                )
            })
            .collect();
        lines.sort();
        lines
    }
}

fn place() -> Place {
    Place { file: "f.yaml".into(), line: 1, column: 1 }
}

fn assignment(number: u128, role: Role) -> Assignment {
    Assignment { principal: reference(number), role, place: place() }
}

fn entry(number: u128, roles: &[&str]) -> (ObjectId, Held) {
    let roles: BTreeSet<String> = roles.iter().map(|role| (*role).to_owned()).collect();
    (object_id(number), Held { kind: kind(number), roles, spellings: BTreeSet::from([id(number).to_string()]) })
}

fn codes(findings: &Findings) -> Vec<(NoteCode, Severity)> {
    let guards = guard::check_findings(findings);
    let mut codes: Vec<_> =
        findings.notes.iter().chain(&guards).map(|note| (settings::codes::of(note), note.severity)).collect();
    codes.sort_unstable();
    codes
}

fn errors(findings: &Findings) -> Vec<NoteCode> {
    codes(findings).into_iter().filter(|(_, severity)| *severity == Severity::Error).map(|(code, _)| code).collect()
}

#[test]
fn what_agrees_is_in_sync_and_silent() {
    let findings = Scene::usual().findings();
    assert_eq!((findings.changes.len(), findings.unknown.len(), findings.in_sync), (0, 0, 5));
    assert_eq!(codes(&findings), []);
}

#[test]
fn a_role_change_is_one_update() {
    let mut scene = Scene::usual();
    scene.hold(LINUS, &["Contributor"]);
    assert_eq!(
        scene.changes(),
        [r#"update prod/users/user3@contoso.com {"role":"Contributor"} -> {"role":"Viewer"} hardens"#]
    );
    let findings = scene.findings();
    assert!(findings.changes[0].takes_away);
    assert_eq!(findings.changes[0].change.impact, Impact::Interrupts);
    assert_eq!(findings.changes[0].steps().len(), 1);
}

#[test]
fn every_kind_of_difference_is_seen() {
    let mut scene = Scene::usual();
    scene.drop_held(GRACE);
    scene.hold(ADA, &["Viewer"]);
    scene.undeclare(LINUS);
    scene.hold(GROUP, &["Contributor", "Viewer"]);
    let group = id(GROUP);
    assert_eq!(
        scene.changes(),
        [
            r#"create prod/users/user2@contoso.com null -> {"role":"Admin"} weakens"#.to_owned(),
            r#"delete prod/users/user3@contoso.com {"role":"Viewer"} -> null hardens"#.to_owned(),
            format!(
                r#"update prod/users/group:{group} {{"roles":["Contributor","Viewer"]}} -> {{"role":"Contributor"}} neutral"#
            ),
            r#"update prod/users/user1@contoso.com {"role":"Viewer"} -> {"role":"Admin"} weakens"#.to_owned(),
        ]
    );
}

#[test]
fn a_role_that_palisade_does_not_know_may_allow_anything() {
    let mut scene = Scene::usual();
    scene.hold(LINUS, &["CI User", "Viewer"]);
    let findings = scene.findings();
    assert!(findings.changes[0].takes_away);
    assert_eq!(findings.changes[0].change.direction, Direction::Hardens);
}

#[test]
fn spelling_of_roles_does_not_matter() {
    let mut scene = Scene::usual();
    scene.hold(LINUS, &["viewer"]);
    scene.hold(ADA, &["ADMIN"]);
    assert_eq!(scene.changes(), Vec::<String>::new());
}

#[test]
fn at_least_leaves_others_alone_and_says_so() {
    let mut scene = Scene::usual();
    scene.declared.matching = Match::AtLeast;
    scene.undeclare(LINUS);
    let findings = scene.findings();
    assert_eq!(findings.changes.len(), 0);
    assert_eq!(codes(&findings), [(codes::LEFT_ALONE, Severity::Info)]);
}

#[test]
fn an_unreadable_list_is_unknown_and_nothing_else() {
    let mut scene = Scene::usual();
    scene.undeclare(LINUS);
    scene.observed.assignments = Err(Unreadable::because("403"));
    let findings = scene.findings();
    assert_eq!((findings.changes.len(), findings.unknown.len(), findings.in_sync), (0, 1, 0));
    assert_eq!(findings.unknown[0].address.as_str(), "prod/users");
}

#[test]
fn nobody_is_removed_while_somebody_declared_could_not_be_looked_up() {
    let mut scene = Scene::usual();
    scene.undeclare(LINUS);
    scene.look_up(GRACE, Err("503".into()));
    let findings = scene.findings();
    assert_eq!(findings.changes.len(), 0);
    // Grace herself, Linus, and Grace again as an extra: nobody knows that it's her.
    assert_eq!(findings.unknown.len(), 3, "{:?}", findings.unknown);
}

#[test]
fn a_list_with_nameless_entries_proves_no_absence() {
    let mut scene = Scene::usual();
    scene.drop_held(GRACE);
    scene.observed.assignments.as_mut().unwrap().nameless = 1;
    let findings = scene.findings();
    assert_eq!(findings.changes.len(), 0);
    assert!(findings.unknown.iter().any(|unknown| unknown.address.as_str() == "prod/users/user2@contoso.com"));
}

#[test]
fn without_the_environments_roles_no_role_is_given() {
    let mut scene = Scene::usual();
    scene.drop_held(GRACE);
    scene.observed.roles = Err(Unreadable::because("500"));
    let findings = scene.findings();
    assert_eq!((findings.changes.len(), findings.unknown.len(), findings.in_sync), (0, 1, 4));
    scene.observed.roles = Ok(vec!["Viewer".into()]);
    assert_eq!(errors(&scene.findings()), [codes::ROLE_UNAVAILABLE]);
}

#[test]
fn names_must_belong_to_ids() {
    let mut scene = Scene::usual();
    scene.look_up(GRACE, Ok(None));
    scene.look_up(GROUP, Ok(Some(DirectoryObject { display_name: Some("others".into()), ..object(GROUP) })));
    scene.look_up(PALISADE, Ok(Some(DirectoryObject { display_name: Some("imposter".into()), ..object(PALISADE) })));
    let errors = errors(&scene.findings());
    for expected in [codes::PRINCIPAL_NOT_FOUND, codes::PRINCIPAL_MISMATCH] {
        assert!(errors.contains(&expected), "{errors:?}");
    }
    assert_eq!(errors.iter().filter(|code| **code == codes::PRINCIPAL_MISMATCH).count(), 2);
}

#[test]
fn one_principal_under_two_names_is_an_error() {
    let mut scene = Scene::usual();
    scene.declared.assignments.push(Assignment {
        principal: PrincipalRef::Principal { id: id(ADA) },
        role: Role::Viewer,
        place: place(),
    });
    assert_eq!(errors(&scene.findings()), [codes::PRINCIPAL_TWICE]);
}

#[test]
fn granting_admin_and_groups_says_what_it_reaches() {
    let mut scene = Scene::usual();
    scene.drop_held(GRACE);
    scene.drop_held(GROUP);
    let notes = scene.findings().notes;
    assert_eq!(notes.len(), 2);
    assert!(notes[0].message.contains("System Administrator"), "{notes:?}");
    assert!(notes[1].message.contains("2 members"), "{notes:?}");
    scene.observed.members.insert(object_id(GROUP), Err("403".into()));
    scene.observed.counts.insert(object_id(GROUP), Err("403".into()));
    assert!(scene.findings().notes[1].message.contains("could not be read: 403"));
}

/// Invariant 2, through the guards: what a plan may not do.
#[test]
fn palisade_never_locks_itself_out() {
    let mut scene = Scene::usual();
    scene.undeclare(PALISADE);
    assert_eq!(errors(&scene.findings()), [guard::codes::SELF_LOCKOUT]);

    let mut scene = Scene::usual();
    scene.declared.assignments[0].role = Role::Viewer;
    assert_eq!(errors(&scene.findings()), [guard::codes::SELF_LOCKOUT]);

    let mut scene = Scene::usual();
    scene.undeclare(ADA);
    scene.undeclare(GRACE);
    assert_eq!(errors(&scene.findings()), [guard::codes::LAST_ADMIN]);

    let mut scene = Scene::usual();
    scene.undeclare(LINUS);
    scene.declared.break_glass.push(BreakGlass { principal: reference(LINUS), place: place() });
    // Not Admin is a finding; that it would lose what it has refuses.
    assert_eq!(errors(&scene.findings()), [guard::codes::BREAK_GLASS, codes::BREAK_GLASS_NOT_ADMIN]);
    scene.look_up(LINUS, Err("503".into()));
    let findings = scene.findings();
    assert_eq!(errors(&findings), [guard::codes::BREAK_GLASS_UNRESOLVED]);
    assert_eq!(findings.unknown[0].address.as_str(), "prod/users/breakGlass/user3@contoso.com");

    let mut scene = Scene::usual();
    scene.undeclare(LINUS);
    scene.observed.caller = Err(Unreadable::because("500"));
    assert_eq!(errors(&scene.findings()), [guard::codes::CALLER_UNKNOWN]);
}

#[test]
fn an_admin_through_a_group_keeps_every_admin_group() {
    let mut scene = Scene::of(&[(ADA, Role::Admin), (GRACE, Role::Admin), (GROUP, Role::Admin)]);
    scene.undeclare(GROUP);
    assert_eq!(errors(&scene.findings()), [guard::codes::SELF_LOCKOUT]);
}
