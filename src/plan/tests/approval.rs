//! Approval by scope: what was approved and is wanted, what is in effect, what only time brought.

use std::collections::BTreeMap;

use super::super::NoteCode;
use super::*;

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
