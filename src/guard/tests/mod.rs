//! The budget of removals and whose removals count; who is locked out; what stands before a removal.

mod lifelines;

use serde_json::{Value as Json, json};

use super::*;
use crate::azure::testing::{Answers, reader_over};
use crate::plan::{
    Action, Administrator, Administrators, Direction, Impact, Kind, Loss, ManualStep, NoteCode, Observed, Outline,
    Places, Planned, Rated, Risk, Severity, Work,
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
        unread: None,
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

fn id(number: u128) -> ObjectId {
    ObjectId::from(uuid::Uuid::from_u128(number))
}

fn admin(number: u128) -> Administrator {
    Administrator {
        id: id(number),
        kind: Kind::User,
        label: format!("user {number}"),
        unread: None,
        persons: [id(number)].into(),
    }
}

/// Palisade, 9, and these administer. One Admin, 1, has lost the role after the changes.
fn ada_goes(others: &[u128]) -> Administrators {
    let before: Vec<Administrator> = [1, 9].iter().chain(others).copied().map(admin).collect();
    let loss = Loss {
        address: address("prod", 1),
        id: id(1),
        kind: Kind::User,
        label: "ada (user)".into(),
        was_admin: true,
        lowers: Vec::new(),
        may_lower: Vec::new(),
    };
    Administrators {
        setting: Address::written("prod/users"),
        caller: [id(9)].into(),
        caller_unknown: None,
        caller_is_admin: true,
        after: before.iter().filter(|admin| admin.id != id(1)).cloned().collect(),
        before,
        losses: vec![loss],
        unprotected: Vec::new(),
    }
}

fn judged(found: Administrators) -> Vec<Note> {
    check_findings(&Findings { stakes: vec![Stake::Administrators(found)], ..Findings::default() })
}

/// The notes with a code, as `message; help`.
fn told(found: &Administrators, code: NoteCode) -> Vec<String> {
    let notes = judged(found.clone()).into_iter().filter(|note| note.code == code);
    notes.map(|note| format!("{}; {}", note.message, note.help.unwrap_or_default())).collect()
}

/// Where the caller is Admin by a group only, any group may be the one, and so may what the directory doesn't know.
#[test]
fn a_caller_that_is_admin_by_a_group_keeps_every_loser_that_may_be_the_group() {
    let refused = |change: fn(&mut Administrators)| {
        let mut found = ada_goes(&[2, 3]);
        found.before.retain(|admin| admin.id != id(9));
        change(&mut found);
        told(&found, codes::SELF_LOCKOUT)
    };
    let by_group = |reasons: Vec<String>| matches!(reasons.as_slice(), [one] if one.contains("may be that group"));
    assert!(by_group(refused(|found| found.losses[0].kind = Kind::Unknown)));
    assert!(by_group(refused(|found| found.losses[0].kind = Kind::Group)));
    assert_eq!(refused(|_| {}), [""; 0], "a user");
    assert_eq!(refused(|found| found.losses[0].kind = Kind::App), [""; 0], "an app");
    let spared: [fn(&mut Administrators); 3] = [
        |found| found.caller_is_admin = false,
        |found| found.before.push(admin(9)),
        |found| found.losses[0].was_admin = false,
    ];
    for spare in spared {
        let mut found = ada_goes(&[2, 3]);
        found.before.retain(|admin| admin.id != id(9));
        found.losses[0].kind = Kind::Unknown;
        spare(&mut found);
        assert_eq!(told(&found, codes::SELF_LOCKOUT), [""; 0], "{found:?}");
    }
}

#[test]
fn a_caller_that_loses_its_own_entry_is_told_so_whether_it_is_the_caller_or_its_group() {
    for (kind, expected) in [
        (Kind::App, "ada (user) runs palisade and would lose its role"),
        (Kind::Unknown, "ada (user) runs palisade and would lose its role"),
        (Kind::Group, "the identity that runs palisade has its role through ada (user), which would lose it"),
    ] {
        let mut found = ada_goes(&[2, 3]);
        found.caller.insert(id(1));
        found.losses[0].kind = kind;
        let reasons = told(&found, codes::SELF_LOCKOUT);
        assert!(matches!(reasons.as_slice(), [one] if one.starts_with(expected)), "{kind:?}: {reasons:?}");
    }
}

/// Who isn't Admin takes no Admin along when it goes; how few there are stays worth a word.
#[test]
fn only_the_loss_of_an_admin_can_be_the_loss_of_the_last_one() {
    let mut found = ada_goes(&[]);
    assert_eq!(told(&found, codes::LAST_ADMIN).len(), 1);
    assert_eq!(told(&found, codes::FEW_ADMINS), [""; 0]);
    found.losses[0].was_admin = false;
    assert_eq!(told(&found, codes::LAST_ADMIN), [""; 0]);
    let declare = "fewer than two Admins besides the identity that runs palisade; declare another user";
    for others in [&[][..], &[2]] {
        found.after = ada_goes(others).after;
        let reasons = told(&found, codes::FEW_ADMINS);
        assert!(matches!(reasons.as_slice(), [one] if one.starts_with(declare)), "{others:?}: {reasons:?}");
    }
    assert_eq!(told(&ada_goes(&[2, 3]), codes::FEW_ADMINS), [""; 0]);
}

/// Whom the directory doesn't tell isn't counted, and declaring others wouldn't be the remedy.
#[test]
fn few_admins_are_told_from_admins_that_could_not_be_read() {
    let mut found = ada_goes(&[2, 3, 4]);
    for unread in &mut found.after[2..] {
        unread.unread = Some("Microsoft Graph answered 503".into());
        unread.persons = std::collections::BTreeSet::new();
    }
    assert_eq!(
        told(&found, codes::FEW_ADMINS),
        [
            "fewer than two Admins are known besides the identity that runs palisade; whether these count could not be read: \
             user 3 (Microsoft Graph answered 503), user 4 (Microsoft Graph answered 503); plan again once the directory \
             answers; if it refuses, grant the identity that runs palisade Microsoft Graph GroupMember.Read.All and \
             User.Read.All first"
        ]
    );
}

/// An outage isn't absence: it still refuses, and says whom it hides, why, and what to do about that.
#[test]
fn the_last_admin_that_is_known_is_told_from_the_last_one() {
    let mut found = ada_goes(&[2]);
    let hidden = found.before.iter_mut().chain(&mut found.after).filter(|admin| admin.id == id(2));
    for admin in hidden {
        admin.persons = std::collections::BTreeSet::new();
        admin.unread = Some("Microsoft Graph answered 403".into());
    }
    let expected = "whether another Admin than the identity that runs palisade would remain could not be read: user 2 \
                    (Microsoft Graph answered 403); ";
    let refusal = told(&found, codes::LAST_ADMIN).remove(0);
    assert!(refusal.starts_with(expected), "{refusal}");
    assert!(refusal.contains("GroupMember.Read.All") && !refusal.contains("declare another"), "{refusal}");
    found.before.retain(|admin| admin.id != id(1));
    let left = super::administrators::nobody_left(&found).unwrap();
    assert!(
        left.refuses() && left.message.ends_with("is left could not be read: user 2 (Microsoft Graph answered 403)")
    );
    assert!(left.help.unwrap().contains("GroupMember.Read.All"));
    // Who is known to be no other Admin, such as the caller itself, leaves nothing open.
    let mut alone = ada_goes(&[]);
    alone.after.iter_mut().for_each(|admin| admin.unread = Some("503".into()));
    assert!(told(&alone, codes::LAST_ADMIN)[0].starts_with("no other Admin"));
}

#[test]
fn a_protected_loser_and_one_that_carries_a_protected_role_are_told_apart() {
    let mut found = ada_goes(&[2, 3]);
    found.losses[0].lowers = vec!["ada (user)".into(), "grace (user)".into()];
    let reasons = told(&found, codes::BREAK_GLASS);
    assert_eq!(reasons.len(), 2, "{reasons:?}");
    assert!(reasons[0].starts_with("ada (user) is protected by `breakGlass` and would lose its role"), "{reasons:?}");
    assert!(
        reasons[1].starts_with("grace (user) is protected by `breakGlass` and has its role through ada (user)"),
        "{reasons:?}"
    );
}

/// What an environment, a setting or a guard refuses removes nothing; what is only found does.
#[test]
fn whatever_refuses_an_environment_frees_the_budget_and_a_finding_does_not() {
    let (refusal, finding) = (
        NoteCode::refusal("not-now", "For tests.", "For tests."),
        NoteCode::finding("by-the-way", "For tests.", "For tests."),
    );
    let note = |code| Note::finding(code, Severity::Error, Address::written("prod/users"), "said");
    let stake =
        |others: &[u128]| Findings { stakes: vec![Stake::Administrators(ada_goes(others))], ..Findings::default() };
    let noted = |code| Findings { notes: vec![note(code)], ..Findings::default() };
    // What is said of the environment, and what was found in a second setting of it.
    let table = [
        ("nothing", true, None, Findings::default()),
        ("the environment", false, Some(note(refusal)), Findings::default()),
        ("a setting", false, None, noted(refusal)),
        ("a guard", false, None, stake(&[])),
        ("a finding", true, None, noted(finding)),
        ("a guard's finding", true, None, stake(&[2])),
    ];
    for (what, over, said, found) in table {
        let mut accounts = [account("dev", 10, 100), account("prod", 11, 100)];
        accounts[1].notes.extend(said);
        accounts[1].findings.push(found);
        assert_eq!(!over_budget(&accounts, None, &everything()).is_empty(), over, "{what}");
    }
}

/// What a look of its own found.
async fn seen(findings: Findings, observed: Option<Observed>) -> Fresh<Sighting> {
    let reader = reader_over(Answers::by(|_| (404, Json::Null)));
    Fresh::look(&reader, async |_| Sighting { observed, findings }).await
}

/// A removal rests on no Admin that is only promised, and what stands against it is said before it.
#[tokio::test]
async fn the_guards_judge_a_removal_by_those_who_are_admin_already() {
    let mut found = ada_goes(&[]);
    found.after.push(admin(2));
    let findings =
        |found: &Administrators| Findings { stakes: vec![Stake::Administrators(found.clone())], ..Findings::default() };
    let refusals = async |found: &Administrators| -> Vec<String> {
        let notes = check_removal(&seen(findings(found), None).await);
        notes.iter().filter(|note| note.refuses()).map(|note| note.code.to_string()).collect()
    };
    assert!(told(&found, codes::LAST_ADMIN).is_empty(), "the plan counts on the one that it makes");
    assert_eq!(refusals(&found).await, [codes::LAST_ADMIN.name()]);
    assert!(check_aftermath(&seen(findings(&found), None).await).is_none());
    found.before.retain(|admin| admin.id == id(9));
    let left = check_aftermath(&seen(findings(&found), None).await).unwrap();
    assert!(left.code == codes::LAST_ADMIN && left.refuses());
    let safe = ada_goes(&[2]);
    assert_eq!(refusals(&safe).await, [""; 0]);
}

/// Another name is no second refusal of an environment that is refused by itself, and nothing less than that hides it.
#[tokio::test]
async fn an_environment_that_became_another_is_refused_whatever_else_is_noted() {
    let code = NoteCode::refusal("not-now", "For tests.", "For tests.");
    let finding = NoteCode::finding("by-the-way", "For tests.", "For tests.");
    let planned = Identity::Environment {
        instance_id: None,
        environment_id: Some("e".into()),
        name: Some("Contoso prod".into()),
        region: None,
        dataverse: None,
    };
    let other = Observed { name: Some("Contoso test".into()), ..Observed::default() };
    for (note, expected) in [
        (None, true),
        (Some((code, "prod")), false),
        (Some((code, "prod/users")), true),
        (Some((code, "dev")), true),
        (Some((finding, "prod")), true),
    ] {
        let notes = note.map(|(code, at)| Note::finding(code, Severity::Error, Address::written(at), "said"));
        let findings = Findings { notes: notes.into_iter().collect(), ..Findings::default() };
        let read = Anew::All(seen(findings, Some(other.clone())).await);
        let refused = check_identity(&Scope::environment("prod"), &planned, &read);
        assert_eq!(refused.is_some_and(|note| note.code == codes::NAME_MISMATCH), expected, "{note:?}");
    }
}

#[test]
fn the_budget_counts_in_words() {
    let told = |removals| check(&[account("prod", removals, 100)], Some(0), &everything()).remove(0).message;
    assert_eq!(told(1), "the run would make 1 removal, and `--allow-removals 0` allows 0");
    assert_eq!(told(2), "the run would make 2 removals, and `--allow-removals 0` allows 0");
}
