//! One order over all scopes, and circles.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// Accounts of these scopes with these changes, each of which requires some.
fn accounts(changes: &[(String, bool, Vec<String>)]) -> Vec<Account> {
    let mut scopes: BTreeMap<&str, Vec<Planned>> = BTreeMap::new();
    for (address, takes_away, requires) in changes {
        let action = if *takes_away { Action::Delete } else { Action::Create };
        let mut planned = planned(address, action, Direction::Neutral, Json::Null, json!("x"));
        planned.change.requires = requires.iter().map(|other| Address::written(other)).collect();
        scopes.entry(address.split('/').next().unwrap()).or_default().push(planned);
    }
    let named = |(key, changes): (&str, Vec<Planned>)| {
        let mut account = account(changes);
        rename(&mut account, key);
        account
    };
    scopes.into_iter().map(named).collect()
}

fn change(address: &str, requires: &[&str]) -> (String, bool, Vec<String>) {
    (address.to_owned(), false, requires.iter().map(|&other| other.to_owned()).collect())
}

#[test]
fn a_circle_is_a_refusal_of_each_scope_in_it_and_of_no_other() {
    let found = accounts(&[
        change("dev/s/x", &["dev/s/y"]),
        change("dev/s/y", &["prod/s/x", "dev/s/free"]),
        change("dev/s/free", &[]),
        change("prod/s/x", &["dev/s/x"]),
        change("qa/s/on-it", &["prod/s/x"]),
        change("test/s/self", &["test/s/self"]),
    ]);
    let plan = plan_of(&found, now());
    let refusals: Vec<String> = plan.refusals().map(|note| format!("{}: {}", note.address, note.message)).collect();
    insta::assert_snapshot!(refusals.join("\n"), @r"
    dev/s/x: dev/s/x requires dev/s/y, which requires prod/s/x, which requires dev/s/x
    prod/s/x: dev/s/x requires dev/s/y, which requires prod/s/x, which requires dev/s/x
    test/s/self: test/s/self requires test/s/self
    ");
    assert!(plan.refusals().all(|note| note.code == codes::REQUIREMENT_CIRCLE));
    assert_eq!(plan.changes().count(), 6, "none is left out");
}

#[test]
fn what_another_scope_requires_comes_first_in_its_own() {
    let plan = plan_of(
        &accounts(&[
            // Alone, what takes away would come last in each; scopes that go by that would wait for each other.
            change("a/s/add", &["b/s/drop"]),
            ("a/s/drop".into(), true, vec![]),
            change("b/s/add", &["a/s/drop"]),
            ("b/s/drop".into(), true, vec![]),
        ]),
        now(),
    );
    let order: Vec<_> = plan.changes().map(|change| change.address.as_str()).collect();
    assert_eq!(order, ["a/s/drop", "a/s/add", "b/s/add", "b/s/drop"]);
}

/// Whatever goes wrong before leaves people working, and no key waits for days.
#[test]
fn what_cuts_off_comes_after_all_others_that_do_not_require_it() {
    let with = |address: &str, action, direction, impact| {
        let mut planned = planned(address, action, direction, Json::Null, json!("x"));
        planned.change.impact = impact;
        planned
    };
    let (hardens, weakens) = (Direction::Hardens, Direction::Weakens);
    let outage = with("prod/s/outage", Action::Update, hardens, Impact::Outage);
    let key = with("prod/t/rotate", Action::Rotate, hardens, Impact::None);
    let opens = with("prod/t/open", Action::Update, weakens, Impact::Interrupts);
    let removal = with("prod/t/remove", Action::Delete, hardens, Impact::Interrupts);
    let lost = with("prod/s/lost", Action::Update, hardens, Impact::DataLoss);
    let outage_that_takes = with("prod/a/off", Action::Disable, hardens, Impact::Outage);
    let requires = |one: &Planned, other: &Planned| one.clone().requiring([other.change.address.clone()]);
    let order = |changes: Vec<Planned>| {
        let plan = plan_of(&[account(changes)], now());
        let order: Vec<_> = plan.changes().map(|change| change.address.within_scope().to_owned()).collect();
        order.join(" ")
    };
    let table = [
        (vec![outage.clone(), key.clone()], "t/rotate s/outage"),
        (vec![outage.clone(), removal.clone(), opens.clone(), key.clone()], "t/rotate t/open t/remove s/outage"),
        // Among those that cut off, the order is the usual one.
        (
            vec![outage_that_takes.clone(), outage.clone(), lost.clone(), removal.clone()],
            "t/remove s/lost s/outage a/off",
        ),
        // What is required comes first, and what doesn't require it still comes before it.
        (vec![requires(&key, &outage), opens.clone(), outage.clone()], "t/open s/outage t/rotate"),
        (vec![requires(&outage, &removal), removal.clone(), key.clone()], "t/rotate t/remove s/outage"),
    ];
    for (changes, expected) in table {
        assert_eq!(order(changes), expected);
    }
}

#[test]
fn a_saved_plan_says_what_is_required_and_that_voids_no_approval() {
    let with = plan_of(&accounts(&[change("a/s/x", &["b/s/y"]), change("b/s/y", &[])]), now());
    let without = plan_of(&accounts(&[change("a/s/x", &[]), change("b/s/y", &[])]), now());
    assert_eq!(serde_json::to_value(&with).unwrap()["scopes"][0]["changes"][0]["requires"], json!(["b/s/y"]));
    assert_eq!(with.intent_digest, without.intent_digest);
    assert_eq!(parse(&render(&with).unwrap()).unwrap(), with);
}

/// A manual change without its fields is no plan.
#[test]
fn a_manual_change_says_where_what_and_what_shows_it() {
    let mut changes = usual();
    changes[0].change.by = by_a_person();
    let text = render(&plan_of(&[account(changes)], now())).unwrap();
    let json: Json = serde_json::from_str(&text).unwrap();
    let change = &json["scopes"][0]["changes"][2];
    assert_eq!((&change["mode"], &change["manual"]["where"]), (&json!("manual"), &json!("Settings")));
    assert!(serde_json::from_value::<Change>(change.clone()).is_ok());
    let mut bare = change.clone();
    bare.as_object_mut().unwrap().remove("manual");
    assert!(serde_json::from_value::<Change>(bare).is_err());
    for field in ["where", "do", "values", "shownBy"] {
        let mut lacking = change.clone();
        lacking["manual"].as_object_mut().unwrap().remove(field);
        assert!(serde_json::from_value::<Change>(lacking).is_err(), "{field}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Scopes that work side by side, each in its own order, and wait for what they require, all come to their end.
    #[test]
    fn no_scope_waits_for_ever(
        sketches in proptest::collection::vec((0..4_usize, any::<bool>(), proptest::collection::vec(0..32_usize, 0..3)), 1..20)
    ) {
        let mut changes: Vec<(String, bool, Vec<String>)> = Vec::new();
        for (number, (scope, takes_away, requires)) in sketches.into_iter().enumerate() {
            let requires = requires.iter().filter_map(|at| changes.get(at % number.max(1))).map(|one| one.0.clone());
            let requires = requires.collect();
            changes.push((format!("{}/s/{number}", ["a", "b", "c", "d"][scope]), takes_away, requires));
        }
        let plan = plan_of(&accounts(&changes), now());
        prop_assert_eq!(plan.refusals().count(), 0);
        prop_assert_eq!(plan.changes().count(), changes.len());
        let mut queues: Vec<std::collections::VecDeque<&Change>> =
            plan.scopes.iter().map(|scope| scope.changes.iter().collect()).collect();
        let mut done: Vec<&Address> = Vec::new();
        while queues.iter().any(|queue| !queue.is_empty()) {
            let ready = |queue: &&mut std::collections::VecDeque<&Change>| {
                queue.front().is_some_and(|change| change.requires.iter().all(|other| done.contains(&other)))
            };
            let next = queues.iter_mut().find(ready).and_then(|queue| queue.pop_front());
            prop_assert!(next.is_some(), "all wait for each other: {queues:?}");
            done.extend(next.map(|change| &change.address));
        }
    }
}
