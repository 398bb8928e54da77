//! Approval by scope: what was approved and is wanted, what is in effect, what only time brought.

use std::collections::BTreeMap;

use super::super::NoteCode;
use super::*;
use crate::terms::Scope;

const NOT_ACTIVE: NoteCode = NoteCode::refusal("not-active", "For tests.", "An environment that isn't active.");

/// What the first scope of a fresh plan gets.
fn clearance(approval: &Approval, fresh: &Plan) -> Clearance {
    clear(approval, fresh, now()).unwrap().remove(0)
}

fn saved(plan: &Plan) -> Approval {
    Approval::Saved(Box::new(plan.clone()))
}

/// The usual plan after another run made some of its changes, and something else happened.
fn later(keep: &[usize], change: impl FnOnce(&mut Account)) -> Plan {
    let kept = usual().into_iter().enumerate().filter(|(index, _)| keep.contains(index)).map(|(_, planned)| planned);
    let mut account = account(kept.collect());
    let gone = usual().into_iter().enumerate().filter(|(index, _)| !keep.contains(index)).map(|(_, planned)| planned);
    account.findings[0].in_effect = gone.map(|planned| planned.change.address).collect();
    account.findings[0].complete = vec![Address::written("prod/users")];
    change(&mut account);
    plan_of(&[account], now())
}

fn unknown(address: &str) -> Unknown {
    Unknown {
        address: Address::written(address),
        reason: "it answered 500".into(),
        operation: String::new(),
        source: None,
    }
}

fn rotation(action: Action) -> Planned {
    let key = json!({ "published": "primary" });
    let mut planned =
        planned("prod/apiAccess/keys/secondary", action, Direction::Hardens, key, json!({ "published": "secondary" }));
    planned.change.setting = "apiAccess".into();
    planned.change.subject = "API keys".into();
    planned
}

#[test]
fn a_plan_can_be_finished_and_applied_twice() {
    let all = plan();
    for keep in [vec![0, 1, 2], vec![0, 1], vec![2], vec![]] {
        let clearance = clearance(&saved(&all), &later(&keep, |_| {}));
        assert_eq!(clearance.verdict, Verdict::Proceeds, "{keep:?}");
        assert_eq!(clearance.in_effect.len(), 3 - keep.len(), "{keep:?}");
    }
}

#[test]
fn what_was_approved_and_is_not_read_to_be_in_effect_stops_the_scope() {
    let all = plan();
    type Happens = fn(&mut Account);
    let table: [(&str, Happens, &str); 6] = [
        ("its setting can't be read", |it| unread_users(it), "unread"),
        ("it is gone, and doesn't show", |it| it.findings[0].complete.clear(), "refused"),
        ("the environment can't be read", |it| it.unknown.push(unknown("prod")), "unread"),
        ("it waits", |it| it_waits(it), "proceeds"),
        ("another setting can't be read", |it| it.findings[0].unknown.push(unknown("prod/keyVault")), "proceeds"),
        ("another environment", |it| it.observed.as_mut().unwrap().region = Some("asia".into()), "refused"),
    ];
    for (what, happens, expected) in table {
        let verdict = match clearance(&saved(&all), &later(&[1, 2], happens)).verdict {
            Verdict::Proceeds => "proceeds",
            Verdict::Refused(_) => "refused",
            Verdict::Unread(_) => "unread",
        };
        assert_eq!(verdict, expected, "{what}");
    }
}

fn unread_users(account: &mut Account) {
    account.findings[0].complete.clear();
    account.findings[0].unknown.push(unknown("prod/users"));
}

/// Approved, under way, and holding up nothing else.
fn it_waits(account: &mut Account) {
    account.findings[0].complete.clear();
    account.findings[0].waiting.push(waits("prod/users/zoe"));
}

fn waits(address: &str) -> Waiting {
    Waiting {
        address: Address::written(address),
        waiting_for: WaitingFor::Service,
        since: None,
        detail: "it still shows".into(),
    }
}

#[test]
fn what_only_time_brings_is_left_and_anything_else_stops_the_scope() {
    let all = plan();
    // Approved, and held back by now: it comes back with time, and isn't taken for done.
    let with_rotation = later(&[0, 1, 2], |it| it.findings[0].changes.push(rotation(Action::Rotate)));
    let held = clearance(&saved(&with_rotation), &later(&[0, 1, 2], |_| {}));
    assert_eq!((held.verdict, held.waiting.len(), held.in_effect.len()), (Verdict::Proceeds, 1, 0));
    for action in [Action::Rotate, Action::Retire, Action::Resume] {
        let fresh = later(&[0, 1], |it| it.findings[0].changes.push(rotation(action)));
        let clearance = clearance(&saved(&all), &fresh);
        assert_eq!(clearance.verdict, Verdict::Proceeds, "{action}");
        assert_eq!(clearance.left.len(), 1, "{action}");
    }
    let fresh = later(&[0, 1], |it| it.findings[0].changes.push(rotation(Action::Publish)));
    let Verdict::Refused(lines) = clearance(&saved(&all), &fresh).verdict else { panic!("a publication slipped in") };
    assert!(lines[0].starts_with("+ prod/apiAccess/keys/secondary publish"), "{lines:?}");
}

/// The one refused hides none of the others.
#[test]
fn scopes_are_judged_one_by_one() {
    let named = |key: &str| {
        let mut account = account(usual());
        rename(&mut account, key);
        for planned in &mut account.findings[0].changes {
            planned.change.address = Address::written(&planned.change.address.as_str().replace("prod", key));
        }
        account
    };
    let refusal = |address: Address| Note::refusal(NOT_ACTIVE, address, "it is being deleted");
    let (mut test, prod) = (named("test"), named("prod"));
    test.notes.push(refusal(Address::written("test")));
    let fresh = plan_of(&[test, prod], now());
    let all = clear(&Approval::Seen, &fresh, now()).unwrap();
    assert!(matches!(all[0].verdict, Verdict::Refused(_)));
    assert_eq!(all[1].verdict, Verdict::Proceeds);
    assert!(!all[0].works(&fresh) && all[1].works(&fresh));

    // What is about the target or the caller stops all of them.
    let mut test = named("test");
    test.notes.push(refusal(Address::caller()));
    let all = clear(&Approval::Seen, &plan_of(&[test, named("prod")], now()), now()).unwrap();
    assert!(all.iter().all(|clearance| matches!(clearance.verdict, Verdict::Refused(_))));
}

#[test]
fn yes_approves_nothing_that_has_to_be_seen() {
    let with = |risk: Risk, impact: Impact, by: By| {
        let mut changes = usual();
        let change = &mut changes[0].change;
        (change.risk, change.impact, change.by) = (risk, impact, by);
        clearance(&Approval::Unseen, &plan_of(&[account(changes)], now())).verdict == Verdict::Proceeds
    };
    for (risk, impact, approved) in [
        (Risk::Low, Impact::None, true),
        (Risk::High, Impact::Interrupts, true),
        (Risk::Critical, Impact::None, false),
        (Risk::Low, Impact::Outage, false),
        (Risk::Low, Impact::DataLoss, false),
    ] {
        assert_eq!(with(risk, impact, By::Palisade), approved, "{risk} {impact}");
        assert!(with(risk, impact, by_a_person()), "what a person does, `--yes` doesn't");
    }
}

#[test]
fn digests_approve_what_they_are_of() {
    let all = plan();
    let digests: BTreeMap<String, Option<String>> = all.changes().map(|change| (change.digest.clone(), None)).collect();
    let with_addresses: BTreeMap<String, Option<String>> =
        all.changes().map(|change| (change.digest.clone(), Some(change.address.to_string()))).collect();
    let listed = |digests: &BTreeMap<String, Option<String>>, fresh: &Plan| {
        clearance(&Approval::Changes(digests.clone()), fresh).verdict
    };
    assert_eq!(listed(&digests, &all), Verdict::Proceeds);
    assert_eq!(listed(&digests, &later(&[1], |_| {})), Verdict::Proceeds, "an interrupted run can be finished");
    let unread = later(&[1], |it| it.findings[0].unknown.push(unknown("prod/keyVault")));
    assert!(matches!(listed(&digests, &unread), Verdict::Unread(_)));
    assert_eq!(listed(&with_addresses, &unread), Verdict::Proceeds, "it is about something else");
    let unread = later(&[1], |it| it.findings[0].unknown.push(unknown("prod/users")));
    assert!(matches!(listed(&with_addresses, &unread), Verdict::Unread(_)));
    let fewer: BTreeMap<_, _> = digests.clone().into_iter().skip(1).collect();
    assert!(matches!(listed(&fewer, &all), Verdict::Refused(_)));

    let whole = |digest: &str, fresh: &Plan| clear(&Approval::Intent(digest.to_owned()), fresh, now()).map(drop);
    assert_eq!(whole(&all.intent_digest, &all), Ok(()));
    assert_eq!(whole("sha256:0", &all), Err(Refusal::OtherIntent));
    assert_eq!(whole(&all.intent_digest, &later(&[1], |_| {})), Err(Refusal::OtherIntent));
    assert_eq!(whole(&all.intent_digest, &later(&[], |_| {})), Ok(()), "nothing is wanted any more");
    let due = later(&[0, 1, 2], |it| it.findings[0].changes.push(rotation(Action::Rotate)));
    let cleared = clear(&Approval::Intent(all.intent_digest.clone()), &due, now()).unwrap();
    assert_eq!(
        (cleared[0].left.len(), &cleared[0].verdict),
        (1, &Verdict::Proceeds),
        "what time brought voids nothing"
    );
}

/// The number of removals that was asked for is approved with each change.
#[test]
fn the_budget_is_part_of_what_is_approved() {
    let with = |allow_removals: Option<usize>| {
        let derivation = Derivation {
            config_digest: "sha256:c".into(),
            target: target("w"),
            now: now(),
            allow_removals,
            only: Only::default(),
        };
        derive(&derivation, &[account(usual())], Vec::new()).intent_digest
    };
    assert_ne!(with(None), with(Some(3)));
    assert_ne!(with(Some(4)), with(Some(3)));
}

/// The usual environment under another name.
fn named(key: &str, changes: Vec<Planned>) -> Account {
    let mut account = account(changes);
    rename(&mut account, key);
    for planned in &mut account.findings[0].changes {
        planned.change.address = Address::written(&planned.change.address.as_str().replace("prod", key));
    }
    account
}

/// What would be rotated, so many at once.
fn rotations(count: usize) -> Vec<Planned> {
    let one = |number: usize| {
        let mut planned = rotation(Action::Rotate);
        planned.change.address = Address::written(&format!("prod/apiAccess/keys/{number}"));
        planned
    };
    (0..count).map(one).collect()
}

/// What a scope proceeds with may be nothing: then no journal is needed.
#[test]
fn a_scope_works_if_palisade_itself_would_change_something() {
    let cleared = |account: Account| {
        let fresh = plan_of(&[named("test", Vec::new()), account], now());
        let all = clear(&Approval::Seen, &fresh, now()).unwrap();
        assert!(!all[0].works(&fresh), "nothing is to be done in the other one");
        (all[1].clone(), fresh)
    };
    let (clearance, fresh) = cleared(account(usual()));
    assert!(clearance.works(&fresh));
    let left = fresh.changes().map(|change| change.address.clone()).collect();
    assert!(!Clearance { left, ..clearance.clone() }.works(&fresh), "all of it is left");
    let stopped = vec![(Address::written("prod/users"), "refused".to_owned())];
    assert!(!Clearance { stopped, ..clearance.clone() }.works(&fresh), "its setting is refused");
    let stopped = vec![(Address::written("prod/keyVault"), "refused".to_owned())];
    assert!(Clearance { stopped, ..clearance.clone() }.works(&fresh), "another setting is refused");
    assert!(!Clearance { scope: Scope::environment("dev"), ..clearance.clone() }.works(&fresh), "no such scope");
    assert!(!Clearance { verdict: Verdict::Unread(Vec::new()), ..clearance }.works(&fresh));
    let mut by_hand = usual();
    by_hand.iter_mut().for_each(|planned| planned.change.by = by_a_person());
    let (clearance, fresh) = cleared(account(by_hand));
    assert!(!clearance.works(&fresh), "a person does all of it");
}

/// A digest doesn't say of which changes it is: what time brought is found by leaving it out, and nothing else is left.
#[test]
fn a_digest_leaves_what_time_brought_and_nothing_that_was_approved() {
    let with = |rotations: Vec<Planned>| {
        plan_of(&[account(usual().into_iter().chain(rotations).collect()), named("test", usual())], now())
    };
    let left = |digest: &str, fresh: &Plan| {
        let cleared = clear(&Approval::Intent(digest.to_owned()), fresh, now());
        cleared.map(|all| all.iter().map(|clearance| clearance.left.len()).collect::<Vec<_>>())
    };
    for due in [1, 2, 10, 11, 40] {
        let fresh = with(rotations(due));
        assert_eq!(left(&with(Vec::new()).intent_digest, &fresh), Ok(vec![due, 0]), "{due}, and none approved");
        assert_eq!(left(&fresh.intent_digest, &fresh), Ok(vec![0, 0]), "{due}, and all approved");
        assert_eq!(left("sha256:0", &fresh), Err(Refusal::OtherIntent), "{due}");
    }
    for due in [2, 10] {
        let (mut approved, fresh) = (rotations(due), with(rotations(due)));
        approved.remove(0);
        let cleared = clear(&Approval::Intent(with(approved).intent_digest), &fresh, now()).unwrap();
        assert_eq!(cleared[0].left, [Address::written("prod/apiAccess/keys/0")], "{due}");
    }
    // Too many to be told apart: all or none.
    let (mut approved, fresh) = (rotations(11), with(rotations(11)));
    approved.remove(0);
    assert_eq!(left(&with(approved).intent_digest, &fresh), Err(Refusal::OtherIntent));
}

#[test]
fn a_saved_plan_approves_each_scope_by_its_own_part() {
    let test = || named("test", usual().into_iter().take(1).collect());
    let both = plan_of(&[test(), account(usual())], now());
    let verdicts = |approved: &Plan| {
        let all = clear(&saved(approved), &both, now()).unwrap();
        all.into_iter().map(|clearance| clearance.verdict).collect::<Vec<_>>()
    };
    assert_eq!(verdicts(&both), [Verdict::Proceeds, Verdict::Proceeds]);
    let refused = Verdict::Refused(vec!["the plan isn't about this environment".to_owned()]);
    assert_eq!(verdicts(&plan_of(&[test()], now())), [Verdict::Proceeds, refused]);
}

/// How it differs may be why a guard refuses it: both are told.
#[test]
fn a_refused_scope_is_told_the_differences_as_well() {
    let fresh = later(&[0, 1, 2], |it| {
        it.notes.push(Note::refusal(NOT_ACTIVE, Address::written("prod"), "it is being deleted"));
        it.findings[0].changes.push(rotation(Action::Publish));
    });
    let Verdict::Refused(reasons) = clearance(&saved(&plan()), &fresh).verdict else { panic!("it isn't refused") };
    assert!(reasons[0].starts_with("not-active: it is being deleted"), "{reasons:?}");
    assert!(reasons[1].starts_with("+ prod/apiAccess/keys/secondary publish") && reasons.len() == 2, "{reasons:?}");
}

#[test]
fn yes_approves_nothing_that_only_a_person_can_judge() {
    const DOUBTFUL: NoteCode = NoteCode::finding("doubtful", "For tests.", "For tests.").that_needs_eyes();
    const PLAIN: NoteCode = NoteCode::finding("plain", "For tests.", "For tests.");
    for (code, at, approved) in
        [(DOUBTFUL, "prod/users", false), (DOUBTFUL, "test/users", true), (PLAIN, "prod/users", true)]
    {
        let mut accounts = [account(usual()), named("test", usual())];
        let note = Note::finding(code, Severity::Warning, Address::written(at), "look at it");
        accounts[usize::from(at.starts_with("test"))].notes.push(note);
        let fresh = plan_of(&accounts, now());
        let verdict = clearance(&Approval::Unseen, &fresh).verdict;
        assert_eq!(verdict == Verdict::Proceeds, approved, "{code} at {at}: {verdict:?}");
        assert_eq!(clearance(&Approval::Seen, &fresh).verdict, Verdict::Proceeds);
    }
}

/// Each approved change that can't be told to be in effect is accounted for, and none that is still wanted.
#[test]
fn what_could_not_be_read_of_an_approval_is_accounted_for() {
    let unread: fn(&mut Account) = |it| it.unknown.push(unknown("prod"));
    for (what, happens) in [("its setting", unread_users as fn(&mut Account)), ("the environment", unread)] {
        let found = clearance(&saved(&plan()), &later(&[1, 2], happens));
        let lost: Vec<&str> = found.unread.iter().map(|(change, _)| change.address.as_str()).collect();
        assert_eq!(lost, ["prod/users/zoe"], "{what}");
        assert!(found.unread[0].1.contains("it answered 500"), "{what}: {:?}", found.unread);
    }
}

/// Another environment behind the name is told as such, unless nothing was and nothing is to be done in it.
#[test]
fn another_environment_refuses_whatever_would_be_done_in_it() {
    let elsewhere = |keep: &[usize]| later(keep, |it| it.observed.as_mut().unwrap().region = Some("asia".into()));
    let nothing = plan_of(&[account(Vec::new())], now());
    for (approved, fresh) in
        [(plan(), elsewhere(&[0, 1, 2])), (plan(), elsewhere(&[])), (nothing.clone(), elsewhere(&[0, 1, 2]))]
    {
        let verdict = clearance(&saved(&approved), &fresh).verdict;
        let Verdict::Refused(reasons) = verdict else { panic!("{verdict:?}") };
        assert!(reasons.len() == 2 && reasons[0].starts_with("- prod is "), "{reasons:?}");
        assert!(reasons[1].starts_with("+ prod is ") && reasons[1].contains("asia"), "{reasons:?}");
    }
    assert_eq!(clearance(&saved(&nothing), &elsewhere(&[])).verdict, Verdict::Proceeds);
}

/// What a run that stopped half-way left of an approved change was approved with it.
#[test]
fn the_rest_of_an_approved_change_is_approved() {
    let rest = later(&[0, 1], |it| it.findings[0].changes.push(rotation(Action::Publish)));
    let mut approved = plan();
    assert!(matches!(clearance(&saved(&approved), &rest).verdict, Verdict::Refused(_)));
    let digest = rest.changes().find(|change| change.action == Action::Publish).unwrap().digest.clone();
    let ada = approved.scopes[0].changes.iter_mut().find(|change| change.action == Action::Create).unwrap();
    ada.finishes.push(digest);
    let clearance = clearance(&saved(&approved), &rest);
    assert_eq!((clearance.verdict, clearance.in_effect.len()), (Verdict::Proceeds, 0));
}

/// Of two changes that read the same, the ids in which they differ are told; others are told without ids.
#[test]
fn what_reads_like_an_approved_change_is_told_with_its_ids() {
    let bound = |principal: &str| {
        let mut changes = usual();
        for planned in &mut changes {
            planned.change.binds = Binds::none().and("principal", principal);
        }
        plan_of(&[account(changes)], now())
    };
    let reasons = |approved: &Plan, fresh: &Plan| match clearance(&saved(approved), fresh).verdict {
        Verdict::Refused(reasons) => reasons,
        other => panic!("{other:?}"),
    };
    let told = reasons(&bound("one"), &bound("two"));
    let added = told.iter().find(|line| line.starts_with('+')).unwrap();
    assert!(added.contains(" (") && added.contains("two"), "{told:?}");
    let told = reasons(&bound("one"), &later(&[0, 1, 2], |it| it.findings[0].changes.push(rotation(Action::Publish))));
    let added = told.iter().find(|line| line.contains("publish")).unwrap();
    assert!(!added.contains(" ("), "{told:?}");
    // Another declaration makes another approval of it, with the same ids.
    let told = reasons(&plan(), &later(&[0, 1, 2], |it| it.declaration = "sha256:other".into()));
    let added: Vec<&String> = told.iter().filter(|line| line.starts_with('+')).collect();
    assert!(added.len() == 3 && added.iter().all(|line| !line.contains(" (")), "{told:?}");
}

/// As long as something could not be read that may be an approved change, it can't be told; what is asked for as approved can.
#[test]
fn what_could_not_be_read_stops_a_list_of_digests_only_where_it_may_be_meant() {
    let all = plan();
    let without_addresses: BTreeMap<String, Option<String>> =
        all.changes().map(|change| (change.digest.clone(), None)).collect();
    let with_addresses: BTreeMap<String, Option<String>> =
        all.changes().map(|change| (change.digest.clone(), Some(change.address.to_string()))).collect();
    let proceeds = |digests: &BTreeMap<String, Option<String>>, keep: &[usize], unread: &str| {
        let fresh = later(keep, |it| it.findings[0].unknown.push(unknown(unread)));
        clearance(&Approval::Changes(digests.clone()), &fresh).verdict == Verdict::Proceeds
    };
    assert!(proceeds(&without_addresses, &[0, 1, 2], "prod/keyVault"), "all that was approved is wanted");
    assert!(!proceeds(&without_addresses, &[1], "prod/keyVault"));
    assert!(proceeds(&without_addresses, &[1], "prod/users/bob"), "what is asked for at that address was approved");
    assert!(!proceeds(&with_addresses, &[1, 2], "prod/users/zoe/member"), "a part of what was approved");
    assert!(!proceeds(&with_addresses, &[1, 2], "prod/users"), "the whole that it is a part of");
    assert!(proceeds(&with_addresses, &[1, 2], "prod/users/eve"));
}
