//! Deriving, ordering, hashing and refusing plans.

mod approval;
mod order;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::*;
use crate::terms::{EnvironmentHead, Head, Place};

const NOW: &str = "2026-11-20T12:00:00Z";

fn head(key: &str, place: Place) -> Head {
    Head::Environment(EnvironmentHead {
        key: key.into(),
        instance_id: Some(Uuid::from_u128(1)),
        environment_id: Some("e".into()),
        name: None,
        business_units: false,
        place,
    })
}

/// The account of an environment of this name.
fn rename(account: &mut Account, key: &str) {
    let Head::Environment(head) = &mut account.head else { return };
    head.key = key.into();
}

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn planned(address: &str, action: Action, direction: Direction, before: Json, after: Json) -> Planned {
    let outline = Outline {
        address: Address::written(address),
        setting: "users",
        subject: "somebody (user)".into(),
        action,
        direction,
        risk: Rated { what: "change a user", risk: Risk::Low },
        impact: Impact::None,
        before,
        after,
        reason: "a reason".into(),
        source: Place { file: "f.yaml".into(), line: 3, column: 5 },
        operations: Vec::new(),
    };
    let takes_away = matches!(action, Action::Delete | Action::Disable);
    Planned::new(outline, Work::Steps(Vec::new())).taking_away(takes_away)
}

fn by_a_person() -> By {
    let step = ManualStep {
        place: "Settings".into(),
        actions: vec!["choose it".into()],
        values: [("Name".to_owned(), "value".to_owned())].into(),
        shown_by: "the page shows it".into(),
        record: None,
    };
    By::Person { step: Box::new(step) }
}

fn account(changes: Vec<Planned>) -> Account {
    let place = Place { file: "f.yaml".into(), line: 1, column: 1 };
    Account {
        head: head("prod", place.clone()),
        places: [(Address::written("prod"), place)].into_iter().collect(),
        declaration: "sha256:d".into(),
        observed: Some(Observed { name: Some("Contoso".into()), region: Some("europe".into()), dataverse: None }),
        unknown: Vec::new(),
        notes: Vec::new(),
        findings: vec![Findings { changes, in_sync: 2, ..Findings::default() }],
    }
}

fn usual() -> Vec<Planned> {
    let role = |role: &str| json!({ "role": role });
    vec![
        planned("prod/users/zoe", Action::Delete, Direction::Hardens, role("Viewer"), Json::Null),
        planned("prod/users/bob", Action::Update, Direction::Hardens, role("Admin"), role("Viewer")),
        planned("prod/users/ada", Action::Create, Direction::Weakens, Json::Null, role("Admin")),
    ]
}

fn target(world: &str) -> Target {
    Target::Emulator { world: world.into(), tenant: "t".into() }
}

fn plan_of(accounts: &[Account], now: Timestamp) -> Plan {
    derive(
        &Derivation {
            config_digest: "sha256:c".into(),
            target: target("w"),
            now,
            allow_removals: None,
            only: Only::default(),
        },
        accounts,
        Vec::new(),
    )
}

fn plan() -> Plan {
    plan_of(&[account(usual())], now())
}

/// What becomes of the one scope.
fn verdict(approved: &Plan, fresh: &Plan, now: Timestamp) -> Result<Verdict, Refusal> {
    let approval = Approval::Saved(Box::new(approved.clone()));
    clear(&approval, fresh, now).map(|mut all| all.remove(0).verdict)
}

#[test]
fn what_adds_comes_before_what_takes_away_and_hardening_before_weakening() {
    let plan = plan();
    let order: Vec<_> = plan.changes().map(|change| change.address.as_str()).collect();
    assert_eq!(order, ["prod/users/bob", "prod/users/ada", "prod/users/zoe"]);
    assert_eq!(plan.summary, Summary { changes: 3, hardens: 2, weakens: 1, in_sync: 2, ..Summary::default() });
}

#[test]
fn a_downgrade_takes_away_and_comes_last() {
    let mut changes = usual();
    changes[1].takes_away = true;
    let plan = plan_of(&[account(changes)], now());
    let order: Vec<_> = plan.changes().map(|change| change.address.as_str()).collect();
    assert_eq!(order, ["prod/users/ada", "prod/users/bob", "prod/users/zoe"]);
}

#[test]
fn what_a_change_requires_comes_before_it() {
    let mut changes = usual();
    changes[1].change.requires = vec![changes[2].change.address.clone()];
    changes[2].change.requires = vec![changes[0].change.address.clone()];
    let plan = plan_of(&[account(changes)], now());
    let order: Vec<_> = plan.changes().map(|change| change.address.as_str()).collect();
    assert_eq!(order, ["prod/users/zoe", "prod/users/ada", "prod/users/bob"]);
}

#[test]
fn plans_of_the_same_things_differ_only_in_their_instants() {
    let later = now() + SignedDuration::from_hours(3);
    let mut reversed = usual();
    reversed.reverse();
    let (one, two) = (plan(), plan_of(&[account(reversed)], later));
    assert_eq!(one.intent_digest, two.intent_digest);
    assert_ne!(one.seal, two.seal, "the seal covers the instants");
    let blank = |plan: &Plan| {
        let mut json = serde_json::to_value(plan).unwrap();
        for field in ["createdAt", "assumedNow", "expiresAt", "seal"] {
            json[field] = Json::Null;
        }
        json
    };
    assert_eq!(blank(&one), blank(&two));
    assert_ne!(one.created_at, two.created_at);
}

#[test]
fn the_intent_is_what_would_be_done_and_to_what() {
    let digest = |accounts: &[Account]| plan_of(accounts, now()).intent_digest;
    let usual_digest = digest(&[account(usual())]);

    let mut words = usual();
    words[0].change.reason = "another reason".into();
    assert_eq!(digest(&[account(words)]), usual_digest);

    let mut before = usual();
    before[0].change.before = json!({ "role": "Contributor" });
    assert_ne!(digest(&[account(before)]), usual_digest);

    let mut renamed = account(usual());
    renamed.observed.as_mut().unwrap().name = Some("Fabrikam".into());
    assert_ne!(digest(&[renamed]), usual_digest);

    let derivation = Derivation {
        config_digest: "sha256:c".into(),
        target: target("other"),
        now: now(),
        allow_removals: None,
        only: Only::default(),
    };
    assert_ne!(derive(&derivation, &[account(usual())], Vec::new()).intent_digest, usual_digest);
}

#[test]
fn a_saved_plan_comes_back_as_it_was() {
    let plan = plan();
    assert_eq!(parse(&render(&plan).unwrap()).unwrap(), plan);
}

/// Every byte counts: whatever is flipped, the file doesn't pass as an approval.
#[test]
fn a_plan_that_differs_in_one_byte_is_refused() {
    let bytes = render(&plan()).unwrap().into_bytes();
    for at in 0..bytes.len() {
        for flip in [1u8, 2, 32] {
            let mut tampered = bytes.clone();
            tampered[at] ^= flip;
            let Ok(text) = String::from_utf8(tampered) else { continue };
            let outcome = parse(&text);
            assert!(outcome.is_err(), "byte {at} ^ {flip} passed: {:?}", &text[at.saturating_sub(20)..at + 10]);
        }
    }
    let whole = render(&plan()).unwrap();
    assert!(parse(&whole[..whole.len() - 1]).is_err());
    assert!(parse(&format!("{whole}\n")).is_err());
    assert!(parse("").is_err());
}

#[test]
fn a_forger_who_mends_seal_and_digest_still_needs_the_same_intent() {
    let mut forged = plan();
    forged.scopes[0].changes.remove(0);
    forged.summary = Summary::of(&forged.scopes, &forged.notes);
    forged.intent_digest = forged.computed_intent_digest();
    forged.seal = forged.computed_seal();
    let forged = parse(&render(&forged).unwrap()).unwrap();
    assert!(matches!(verdict(&forged, &plan(), now()), Ok(Verdict::Refused(_))));
}

#[test]
fn an_approval_is_for_one_target_one_configuration_one_intent_and_a_day() {
    let approved = plan();
    let accept = |change: fn(&mut Plan)| {
        let mut fresh = plan();
        change(&mut fresh);
        verdict(&approved, &fresh, now())
    };
    assert_eq!(accept(|_| {}), Ok(Verdict::Proceeds));
    assert!(matches!(accept(|fresh| fresh.target = target("other")), Err(Refusal::OtherTarget { .. })));
    assert_eq!(accept(|fresh| fresh.config_digest.push('x')), Err(Refusal::OtherConfiguration));
    assert!(matches!(accept(|fresh| fresh.scopes[0].changes[0].digest.push('x')), Ok(Verdict::Refused(_))));
    assert_eq!(verdict(&approved, &plan(), now() + VALIDITY - SignedDuration::from_secs(1)), Ok(Verdict::Proceeds));
    assert_eq!(verdict(&approved, &plan(), now() + VALIDITY), Err(Refusal::Expired(approved.expires_at)));
    let early = now() - SignedDuration::from_mins(6);
    assert_eq!(verdict(&approved, &plan(), early), Err(Refusal::FromTheFuture(approved.created_at)));
}

#[test]
fn differences_say_what_was_approved_and_what_would_be_done() {
    let mut moved = usual();
    moved[0].change.before = json!({ "role": "Contributor" });
    moved[0].change.preimage = Change::preimage_of(&moved[0].change.before);
    let fresh = plan_of(&[account(moved)], now());
    assert_eq!(
        differences(&plan(), &fresh),
        [
            r#"- prod/users/zoe delete: {"role":"Viewer"} -> null"#,
            r#"+ prod/users/zoe delete: {"role":"Contributor"} -> null"#,
        ]
    );
}

/// What was looked at, and by whom, is no part of an approval; every id that the writes depend on is.
#[test]
fn ids_that_writes_depend_on_are_approved_and_what_was_looked_at_is_not() {
    let mut seen = usual();
    seen[0].change.preimage = "sha256:0123456789abcdef".to_owned();
    assert_eq!(verdict(&plan(), &plan_of(&[account(seen)], now()), now()), Ok(Verdict::Proceeds));

    let mut moved = usual();
    moved[0].change.binds = Binds::none().and("principal", "somebody else");
    let verdict = verdict(&plan(), &plan_of(&[account(moved)], now()), now());
    assert!(matches!(verdict, Ok(Verdict::Refused(_))), "{verdict:?}");

    let due = |address: &str, due: &str| {
        let mut changes = usual();
        changes[0].change.address = Address::written(address);
        changes[0].change.before = json!({ "published": address });
        changes[0].change.due = Some(due.to_owned());
        changes[0].change.approved_as = Some(Address::written("prod/apiAccess/keys"));
        plan_of(&[account(changes)], now()).intent_digest
    };
    let keys = "prod/apiAccess/keys";
    assert_eq!(due(&format!("{keys}/primary"), "rotation"), due(&format!("{keys}/secondary"), "rotation"));
    assert_eq!(due(&format!("{keys}/primary"), "rotation"), due(keys, "rotation"));
    assert_ne!(due(keys, "rotation"), due(keys, "retirement"));
}
