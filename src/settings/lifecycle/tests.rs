//! What a list of operations says about one that was begun, and about what goes on.

use jiff::SignedDuration;

use super::*;
use crate::azure::power_platform::Links;
use crate::azure::power_platform::environments::ProtectionLevel;
use crate::azure::power_platform::operations::{Stage, State};

const FAMILY: Family =
    Family { begun: &[Kind::NewCustomerManagedKey], all: &[Kind::NewCustomerManagedKey, Kind::RevertToMicrosoftKey] };

fn now() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

/// An environment of which little is known.
pub(in crate::settings) fn environment(id: &str, level: Option<ProtectionLevel>) -> Environment {
    Environment {
        id: EnvironmentId::new(id).unwrap(),
        tenant: None,
        display_name: Some("Contoso prod".into()),
        location: Some("europe".into()),
        azure_region: Some("westeurope".into()),
        sku: None,
        is_default: None,
        created: None,
        protection_level: level,
        extended_settings: None,
        group: None,
        dataverse: None,
        management: None,
        runtime: None,
        runtime_reason: None,
        links: Links::default(),
    }
}

fn operation(id: &str, kind: &str, state: State) -> Operation {
    Operation {
        id: id.into(),
        kind: (!kind.is_empty()).then(|| Kind::read(kind)),
        state: state.clone(),
        environment: None,
        created: Some(now()),
        last_action: None,
        requested_by: None,
        stages: vec![Stage { name: "Run".into(), state }],
        error: None,
    }
}

const OURS: &str = "NewCustomerManagedKey";

/// An answer that was lost leaves no id: what goes on for another reason must not pass for what was asked for.
#[test]
fn only_an_operation_on_the_same_thing_is_taken_for_one_that_was_begun() {
    let ended = |all: &[(&str, &str, State)], begun: Option<&str>| {
        let all: Vec<Operation> = all.iter().map(|(id, kind, state)| operation(id, kind, state.clone())).collect();
        match Ended::of(&all, FAMILY, begun) {
            Ended::Failed(why) => format!("failed: {why}"),
            Ended::Running(operation) => format!("running: {}", operation.how_far()),
            Ended::NotYet(words) => words,
        }
    };
    let running = |kind: &'static str| ("b", kind, State::Running);
    let nothing = "no effect shows yet, and the environment's list has no operation under way";
    let at_work = |what: &str| {
        format!("no effect shows yet, and Power Platform is at work on the environment ({what}, stage Run Running)")
    };
    // Without an id, or with one that isn't listed.
    for begun in [None, Some("gone")] {
        assert_eq!(ended(&[], begun), nothing);
        assert_eq!(ended(&[running("Backup")], begun), at_work("Backup"));
        assert_eq!(ended(&[running("")], begun), at_work("an operation of an unknown kind"));
        assert_eq!(ended(&[running(OURS)], begun), "running: NewCustomerManagedKey, stage Run Running");
        assert_eq!(
            ended(&[running("Backup"), ("a", OURS, State::NotStarted)], begun),
            "running: NewCustomerManagedKey, stage Run NotStarted"
        );
        // What is over may be of a former run.
        assert_eq!(ended(&[("a", OURS, State::Failed)], begun), nothing);
    }
    let a = |state: State| ended(&[running("Backup"), running(OURS), ("a", OURS, state)], Some("A"));
    assert_eq!(a(State::Failed), "failed: NewCustomerManagedKey failed at the stage Run: the service doesn't say why");
    assert_eq!(a(State::Succeeded), "the operation succeeded, and its effect doesn't show yet");
    assert_eq!(a(State::NotStarted), "running: NewCustomerManagedKey, stage Run NotStarted");
    assert_eq!(a(State::Canceled), "the operation is in the state `Canceled`");
    assert_eq!(a(State::Other("Paused".into())), "the operation is in the state `Paused`");
}

#[test]
fn what_goes_on_is_overdue_only_where_it_is_known_since_when() {
    let limit = SignedDuration::from_hours(96);
    let course = |kind: &str, since: Option<Timestamp>| {
        Course::of(&[Operation { created: since, ..operation("a", kind, State::Running) }], FAMILY)
    };
    let long_ago = now() - limit - SignedDuration::from_secs(1);
    for (since, overdue) in [(Some(now()), false), (Some(now() - limit), false), (Some(long_ago), true), (None, false)]
    {
        for kind in [OURS, "Backup"] {
            let course = course(kind, since);
            assert_eq!(course.since(), since);
            let (Course::UnderWay(operation) | Course::Elsewhere(operation)) = course else { panic!("{course:?}") };
            assert_eq!(operation.overdue(limit, now()), overdue, "{since:?}");
        }
    }
    let over = [operation("a", OURS, State::Failed)];
    assert_eq!(Course::of(&over, FAMILY).since(), None);
}

#[test]
fn nothing_is_begun_while_something_else_goes_on_or_the_environment_is_not_ready() {
    let busy = |management: Option<&str>, course: &Course| {
        let mut live = environment("e", None);
        live.management = management.map(str::to_owned);
        busy(&live, course, now())
    };
    let backup = Course::of(&[operation("a", "Backup", State::Running)], FAMILY);
    assert!(busy(Some("Ready"), &backup).unwrap().contains("(Backup, stage Run Running, for less than a minute)"));
    for ready in [None, Some("Ready"), Some("ready"), Some("NotSpecified")] {
        assert_eq!(busy(ready, &Course::Idle), None, "{ready:?}");
    }
    let deleting = busy(Some("Deleting"), &Course::Idle);
    assert_eq!(deleting.unwrap(), "its management state is `Deleting`; nothing is begun until it is `Ready`");
}

/// An environment takes one operation at a time, and its list may say otherwise.
#[test]
fn of_several_operations_that_go_on_the_one_that_matters_is_told() {
    let course = |all: &[(&str, State)]| {
        let all: Vec<Operation> = all.iter().map(|(kind, state)| operation("a", kind, state.clone())).collect();
        match Course::of(&all, FAMILY) {
            Course::UnderWay(own) => format!("own {}", own.what),
            Course::Elsewhere(other) => format!("other {}", other.what),
            Course::Unclear(words) => words,
            course => format!("{course:?}"),
        }
    };
    let odd = || State::Other("Deferred".into());
    const BACK: &str = "RevertToMicrosoftKey";
    assert_eq!(course(&[("Backup", State::Running), (BACK, State::Running)]), "own RevertToMicrosoftKey");
    assert_eq!(course(&[("", State::Running), (BACK, State::NotStarted)]), "own RevertToMicrosoftKey");
    assert_eq!(course(&[("Backup", State::Running), ("", State::Running)]), "an operation of an unknown kind goes on");
    let unknown = "RevertToMicrosoftKey is in the state `Deferred`, which isn't known here";
    assert_eq!(course(&[("Backup", State::Running), (BACK, odd())]), unknown);
    assert_eq!(course(&[("Copy", State::Running), ("Backup", State::Running)]), "other Copy");
}
