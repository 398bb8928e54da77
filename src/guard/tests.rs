//! The budget of removals, and whose removals count.

use serde_json::{Value as Json, json};

use super::*;
use crate::plan::{
    Action, Administrator, Administrators, Direction, Impact, Kind, Loss, ManualStep, NoteCode, Outline, Places,
    Planned, Rated, Risk, Work,
};
use crate::terms::{EnvironmentHead, Head, ObjectId, Place};

fn place() -> Place {
    Place { file: "palisade.yaml".into(), line: 1, column: 1 }
}

fn address(scope: &str, number: usize) -> Address {
    Address::written(scope).part("users").part(&number.to_string())
}

fn change(scope: &str, number: usize, removes: bool, work: Work) -> Planned {
    let outline = Outline {
        address: address(scope, number),
        setting: "users",
        subject: number.to_string(),
        action: Action::Delete,
        direction: Direction::Hardens,
        risk: Rated { what: "remove it", risk: Risk::Low },
        impact: Impact::None,
        before: json!("there"),
        after: Json::Null,
        reason: "not declared".into(),
        source: place(),
        operations: Vec::new(),
    };
    Planned::new(outline, work).removing(removes)
}

/// An environment in which so many of a collection go.
fn account(scope: &str, removals: usize, of: usize) -> Account {
    let changes = (0..removals).map(|number| change(scope, number, true, Work::Steps(Vec::new()))).collect();
    Account {
        head: Head::Environment(EnvironmentHead {
            key: scope.into(),
            instance_id: None,
            environment_id: Some("e".into()),
            name: None,
            business_units: false,
            place: place(),
        }),
        places: Places::default(),
        declaration: "sha256:d".into(),
        observed: None,
        unknown: Vec::new(),
        notes: Vec::new(),
        findings: vec![Findings { changes, collection: Some(of), ..Findings::default() }],
    }
}

/// The scopes whose removals are refused.
fn over_budget(accounts: &[Account], allowed: Option<usize>, only: &Only) -> Vec<String> {
    let notes = check(accounts, allowed, only);
    let budget = notes.iter().filter(|note| note.code == codes::REMOVAL_BUDGET);
    budget.map(|note| note.address.as_str().to_owned()).collect()
}

fn everything() -> Only {
    Only::default()
}

#[test]
fn more_than_half_of_a_collection_is_too_much_unless_it_is_asked_for() {
    for (removals, of, refused) in
        [(0, 4, false), (1, 1, false), (1, 2, false), (2, 2, true), (2, 4, false), (3, 4, true)]
    {
        let accounts = [account("prod", removals, of)];
        assert_eq!(!over_budget(&accounts, None, &everything()).is_empty(), refused, "{removals} of {of}");
        assert_eq!(over_budget(&accounts, Some(removals), &everything()), [""; 0], "{removals} of {of}");
    }
}

/// A number that was asked for, and the twenty that need no asking, are limits for the whole run.
#[test]
fn the_budget_is_one_for_the_whole_run() {
    let accounts = |one, other| [account("dev", one, 100), account("prod", other, 100), account("test", 0, 100)];
    assert_eq!(over_budget(&accounts(10, 10), None, &everything()), [""; 0]);
    assert_eq!(over_budget(&accounts(10, 11), None, &everything()), ["dev/users", "prod/users"]);
    assert_eq!(over_budget(&accounts(10, 11), Some(21), &everything()), [""; 0]);
    assert_eq!(over_budget(&accounts(2, 1), Some(2), &everything()), ["dev/users", "prod/users"]);
    // What lies outside of the run's limit isn't done, and an environment that is refused removes nothing.
    assert_eq!(over_budget(&accounts(10, 11), None, &"dev".parse().unwrap()), [""; 0]);
    let mut refused = accounts(10, 11);
    let (code, scope) = (NoteCode::refusal("not-now", "For tests.", "For tests."), Address::written("prod"));
    refused[1].notes.push(Note::refusal(code, scope, "not now"));
    assert_eq!(over_budget(&refused, None, &everything()), [""; 0]);
    // A refusal that doesn't concern the run frees nothing.
    refused[1].notes[0].address = Address::written("prod/keyVault");
    assert_eq!(over_budget(&refused, None, &everything()), [""; 0]);
    let only: Only = "*/users".parse().unwrap();
    assert_eq!(over_budget(&refused, None, &only), ["dev/users", "prod/users"]);
}

#[test]
fn only_removals_that_palisade_makes_itself_count() {
    let by_hand = ManualStep {
        place: "Settings".into(),
        actions: Vec::new(),
        values: std::collections::BTreeMap::new(),
        shown_by: String::new(),
        record: None,
    };
    for (removes, work) in [(false, Work::Steps(Vec::new())), (true, Work::person(by_hand))] {
        let mut account = account("prod", 1, 3);
        account.findings[0].changes.push(change("prod", 8, removes, work));
        assert_eq!(over_budget(&[account], None, &everything()), [""; 0]);
    }
}

/// Many Viewers don't make it harmless to lose most Admins.
#[test]
fn more_than_half_of_the_admins_is_too_much() {
    let loss = |number: u128, was_admin| Loss {
        address: address("prod", usize::try_from(number).unwrap()),
        id: ObjectId::from(uuid::Uuid::from_u128(number)),
        kind: Kind::User,
        label: String::new(),
        was_admin,
        lowers: Vec::new(),
        may_lower: Vec::new(),
    };
    let admin = |number: u128| Administrator {
        id: ObjectId::from(uuid::Uuid::from_u128(number)),
        kind: Kind::User,
        label: String::new(),
        told: true,
        persons: [ObjectId::from(uuid::Uuid::from_u128(number))].into(),
    };
    for (lost, refused) in [([false, false], false), ([true, false], false), ([true, true], true)] {
        let mut account = account("prod", 2, 100);
        let stake = Administrators {
            setting: Address::written("prod/users"),
            caller: [ObjectId::from(uuid::Uuid::from_u128(9))].into(),
            caller_unknown: None,
            caller_is_admin: true,
            before: [0, 1, 9].map(admin).into(),
            after: [7, 8, 9].map(admin).into(),
            losses: vec![loss(0, lost[0]), loss(1, lost[1])],
            unprotected: Vec::new(),
        };
        account.findings[0].stakes.push(Stake::Administrators(stake));
        assert_eq!(!over_budget(&[account], None, &everything()).is_empty(), refused, "{lost:?}");
    }
}
