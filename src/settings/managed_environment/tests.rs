//! Comparing, in all cases.

use std::rc::Rc;

use jiff::Timestamp;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::block::Declared;
use super::compare::compare;
use super::observe::Observed;
use super::{codes, steps};
use crate::azure::power_platform::environments::{Environment, ProtectionLevel};
use crate::azure::power_platform::operations::{Kind, Operation, State};
use crate::azure::power_platform::{Link, LinkStatus, Links};
use crate::plan::{Findings, Step as _, WaitingFor};
use crate::settings::binding::each_input_counts;
use crate::settings::hosting::Hosting;
use crate::settings::lifecycle::tests::environment;
use crate::settings::lifecycle::{Course, UnderWay};
use crate::settings::observation::{Observation, Unreadable};
use crate::settings::setting::Comparing;
use crate::settings::surface::Surface;
use crate::terms::{EnvironmentHead, Head, Place};

fn place() -> Place {
    Place { file: "palisade.yaml".into(), line: 1, column: 1 }
}

fn findings(enabled: bool, live: Result<Environment, &str>, course: Option<Observation<Course>>) -> Findings {
    let head = Head::Environment(EnvironmentHead {
        key: "prod".into(),
        instance_id: None,
        environment_id: Some("e".into()),
        name: None,
        business_units: false,
        place: place(),
    });
    let unread = Unreadable::because("not asked");
    let live = live.map(|live| Hosting { live: Rc::new(live), unbound: None }).map_err(Unreadable::because);
    let comparing = Comparing {
        head: &head,
        instance: Err(&unread),
        hosting: live.as_ref(),
        tenant: Uuid::nil(),
        region: None,
        created: None,
        attested: &[],
        elsewhere: &[],
        beside: &crate::settings::blocks::Blocks::default(),
        surface: Surface::EMULATOR,
        now: Timestamp::UNIX_EPOCH,
    };
    compare(&Declared { enabled, place: place() }, &Observed { course }, &comparing)
}

/// `changes unknown waiting in-sync refused`.
fn counts(found: &Findings) -> [usize; 5] {
    let refused = found.notes.iter().filter(|note| note.refuses()).count();
    [found.changes.len(), found.unknown.len(), found.waiting.len(), found.in_sync, refused]
}

#[test]
fn only_what_is_known_to_be_off_is_switched_on() {
    let idle = || Some(Ok(Course::Idle));
    let going_on = |course: fn(UnderWay) -> Course| {
        Some(Ok(course(UnderWay { what: "DisableGovernanceConfiguration".into(), stage: None, since: None })))
    };
    let ended = |what: Kind, at: &str| Some(Ok(Course::Succeeded { what, at: Some(at.parse().unwrap()) }));
    let succeeded = |at: &str| ended(Kind::EnableGovernanceConfiguration, at);
    let off = |at: &str| ended(Kind::DisableGovernanceConfiguration, at);
    let level = |level: ProtectionLevel| Ok(environment("e", Some(level)));
    let odd = || Ok(environment("e", Some(ProtectionLevel::Other("Sturdy".into()))));
    let table = [
        (true, level(ProtectionLevel::Standard), idle(), [0, 0, 0, 1, 0]),
        (true, level(ProtectionLevel::Standard), None, [0, 1, 0, 0, 0]),
        (true, level(ProtectionLevel::Standard), Some(Err(Unreadable::because("403"))), [0, 1, 0, 0, 0]),
        (true, level(ProtectionLevel::Standard), going_on(Course::UnderWay), [0, 0, 1, 0, 0]),
        (true, level(ProtectionLevel::Standard), going_on(Course::Elsewhere), [0, 0, 0, 1, 0]),
        (true, level(ProtectionLevel::Standard), Some(Ok(Course::Unclear("x".into()))), [0, 1, 0, 0, 0]),
        (true, level(ProtectionLevel::Basic), going_on(Course::Elsewhere), [1, 0, 0, 0, 0]),
        (true, level(ProtectionLevel::Basic), Some(Ok(Course::Unclear("x".into()))), [0, 1, 0, 0, 0]),
        (
            true,
            level(ProtectionLevel::Basic),
            Some(Ok(Course::Succeeded { what: Kind::EnableGovernanceConfiguration, at: None })),
            [1, 0, 0, 0, 0],
        ),
        (true, level(ProtectionLevel::Basic), succeeded("1969-12-31T23:30:00Z"), [0, 0, 1, 0, 0]),
        (true, level(ProtectionLevel::Basic), succeeded("1969-12-31T22:30:00Z"), [1, 0, 0, 0, 0]),
        (true, level(ProtectionLevel::Standard), off("1969-12-31T23:30:00Z"), [0, 0, 1, 0, 0]),
        (true, level(ProtectionLevel::Standard), off("1969-12-31T22:30:00Z"), [0, 0, 0, 1, 0]),
        (true, level(ProtectionLevel::Basic), off("1969-12-31T23:30:00Z"), [1, 0, 0, 0, 0]),
        (true, level(ProtectionLevel::Basic), idle(), [1, 0, 0, 0, 0]),
        (true, level(ProtectionLevel::Basic), None, [0, 1, 0, 0, 0]),
        (true, level(ProtectionLevel::Basic), Some(Err(Unreadable::because("403"))), [0, 1, 0, 0, 0]),
        (true, odd(), idle(), [0, 1, 0, 0, 0]),
        (true, Ok(environment("e", None)), idle(), [0, 1, 0, 0, 0]),
        (true, Err("404"), idle(), [0, 1, 0, 0, 0]),
        (false, level(ProtectionLevel::Basic), idle(), [0, 0, 0, 1, 0]),
        (false, level(ProtectionLevel::Basic), None, [0, 1, 0, 0, 0]),
        (false, level(ProtectionLevel::Basic), going_on(Course::UnderWay), [0, 0, 1, 0, 0]),
        (false, level(ProtectionLevel::Standard), idle(), [0, 0, 0, 0, 1]),
        (false, odd(), idle(), [0, 1, 0, 0, 0]),
        (false, Err("404"), None, [0, 1, 0, 0, 0]),
    ];
    for (enabled, live, course, expected) in table {
        let what = format!("{enabled} {:?} {course:?}", live.as_ref().map(|live| &live.protection_level));
        assert_eq!(counts(&findings(enabled, live, course)), expected, "{what}");
    }
}

#[test]
fn what_goes_on_is_waited_for_and_what_failed_twice_is_a_persons() {
    let off = || Ok(environment("e", Some(ProtectionLevel::Basic)));
    let since = Some("1969-12-31T22:00:00Z".parse().unwrap());
    let under_way = UnderWay { what: "NewCustomerManagedKey".into(), stage: Some("Run Running".into()), since };
    let found = findings(true, off(), Some(Ok(Course::UnderWay(under_way))));
    assert_eq!(counts(&found), [0, 0, 1, 0, 0]);
    assert_eq!((found.waiting[0].waiting_for, found.waiting[0].since), (WaitingFor::Service, since));
    assert!(found.waiting[0].detail.contains("(NewCustomerManagedKey, stage Run Running, for 2 hours)"));
    let failed = |times| findings(true, off(), Some(Ok(Course::Failed { times, why: "no capacity".into() })));
    assert_eq!(counts(&failed(1)), [1, 0, 0, 0, 0]);
    assert!(failed(1).changes[0].change.reason.contains("failed: no capacity"));
    assert_eq!((counts(&failed(2)), failed(2).waiting[0].waiting_for), ([0, 0, 1, 0, 0], WaitingFor::Person));
}

#[test]
fn what_requires_it_is_named_where_it_is_to_be_switched_off() {
    let link = Link {
        policy: None,
        system_id: None,
        policy_id: Some("p".into()),
        status: Some(LinkStatus::Linked),
        error: None,
    };
    let mut live = environment("e", Some(ProtectionLevel::Standard));
    let message = |live: Environment| findings(false, Ok(live), Some(Ok(Course::Idle))).notes[0].message.clone();
    assert!(message(live.clone()).contains("palisade can't read whether Customer Lockbox is in use"));
    live.links = Links { encryption: Some(link.clone()), network_injection: Some(link), identity: None };
    assert!(message(live).contains("it uses a customer-managed key (a policy) and a virtual network (a policy)"));
}

#[test]
fn a_group_is_said_to_decide() {
    let mut live = environment("e", Some(ProtectionLevel::Standard));
    live.group = Some("g".into());
    assert!(
        findings(true, Ok(live), Some(Ok(Course::Idle))).notes.iter().any(|note| note.code == codes::MANAGED_BY_GROUP)
    );
}

#[test]
fn an_approval_hangs_on_the_environment() {
    let step = |id: &str, settings: Json| {
        let mut live = environment(id, None);
        live.extended_settings = serde_json::from_value(settings).unwrap();
        steps::EnableManaged::new(&live, Surface::EMULATOR, None)
    };
    each_input_counts(
        Rc::new(step("one", json!({}))),
        vec![("environment", Rc::new(step("two", json!({}))))],
        vec![Rc::new(step("ONE", json!({ "limitSharingMode": "x" })))],
    );
    assert_eq!(step("one", json!({})).holds(), step("ONE", json!({})).holds());
}

#[test]
fn the_course_is_what_came_after_the_last_success() {
    let operation = |kind: &str, state: State| Operation {
        id: Uuid::nil().to_string(),
        kind: Some(Kind::read(kind)),
        state,
        environment: None,
        created: None,
        last_action: None,
        requested_by: None,
        stages: Vec::new(),
        error: None,
    };
    let course = |all: &[(&str, State)]| {
        let all: Vec<Operation> = all.iter().map(|(kind, state)| operation(kind, state.clone())).collect();
        match Course::of(&all, steps::FAMILY) {
            Course::Idle => "idle".to_owned(),
            Course::UnderWay(under_way) => format!("ours {}", under_way.what),
            Course::Elsewhere(under_way) => under_way.what,
            Course::Succeeded { what, at: _ } => format!("succeeded {what}"),
            Course::Failed { times, why: _ } => times.to_string(),
            Course::Unclear(what) => what,
        }
    };
    const OURS: &str = "EnableGovernanceConfiguration";
    let failed = || (OURS, State::Failed);
    const OFF: &str = "DisableGovernanceConfiguration";
    // Newest first.
    assert_eq!(course(&[]), "idle");
    assert_eq!(course(&[("Copy", State::Running), failed()]), "Copy");
    assert_eq!(course(&[failed(), ("Copy", State::NotStarted)]), "Copy");
    assert_eq!(course(&[(OFF, State::Running)]), "ours DisableGovernanceConfiguration");
    let odd = || ("Copy", State::Other("Paused".into()));
    assert_eq!(course(&[failed(), odd()]), "Copy is in the state `Paused`, which isn't known here");
    let kindless = Operation { kind: None, ..operation("", State::Running) };
    let unclear = Course::of(&[kindless], steps::FAMILY);
    assert_eq!(unclear, Course::Unclear("an operation of an unknown kind goes on".to_owned()));
    assert_eq!(course(&[odd(), (OURS, State::Running)]), "ours EnableGovernanceConfiguration");
    assert_eq!(course(&[failed(), (OURS, State::Succeeded), failed()]), "1");
    assert_eq!(course(&[failed(), ("Copy", State::Succeeded), failed()]), "2");
    assert_eq!(course(&[(OURS, State::Canceled), failed()]), "1");
    assert_eq!(course(&[("Copy", State::Failed)]), "idle");
    assert_eq!(course(&[(OURS, State::Succeeded), failed(), failed()]), "succeeded EnableGovernanceConfiguration");
    assert_eq!(
        course(&[(OFF, State::Succeeded), (OURS, State::Succeeded)]),
        "succeeded DisableGovernanceConfiguration"
    );
}
