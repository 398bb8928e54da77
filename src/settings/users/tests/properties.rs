//! What holds for any people, declared and there.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{GROUP, PALISADE, Scene, app_id, entry, errors, id};
use crate::plan::Action;
use crate::settings::users::assignments::Assignments;
use crate::settings::users::block::{Match, Role};

fn roles() -> impl Strategy<Value = Role> {
    prop_oneof![Just(Role::Admin), Just(Role::Contributor), Just(Role::Viewer)]
}

fn people() -> impl Strategy<Value = BTreeMap<u128, Role>> {
    prop::collection::btree_map(1u128..=5, roles(), 0..=5)
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: prop::test_runner::RngSeed::Fixed(7), ..ProptestConfig::default() })]

    /// Carrying out all changes leaves nothing to do, whatever was there before.
    #[test]
    fn carried_out_changes_leave_no_difference(wanted in people(), there in people(), exact in any::<bool>()) {
        let mut scene = scene(&wanted, &there, exact);
        let findings = scene.findings();
        for planned in &findings.changes {
            let number = (1..=5).find(|number| planned.change.address.as_str().ends_with(&part(*number))).unwrap();
            match planned.change.action {
                Action::Delete => scene.drop_held(number),
                _ => scene.hold(number, &[planned.change.after["role"].as_str().unwrap()]),
            }
        }
        let after = scene.findings();
        prop_assert_eq!(after.changes.len(), 0);
        prop_assert_eq!(after.in_sync, wanted.len());
        let addresses: BTreeSet<_> = findings.changes.iter().map(|planned| &planned.change.address).collect();
        prop_assert_eq!(addresses.len(), findings.changes.len(), "addresses are unique");
    }

    /// Whatever can't be looked up, nobody whom that could be is removed, and nobody declared is taken for missing.
    #[test]
    fn unknown_never_removes(wanted in people(), there in people(), dark in prop::collection::btree_set(1u128..=5, 1..=3)) {
        let mut scene = scene(&wanted, &there, true);
        for number in &dark {
            scene.look_up(*number, Err("503".into()));
        }
        let by_name = dark.iter().any(|number| *number != GROUP && wanted.contains_key(number));
        let findings = scene.findings();
        let removed = findings.changes.iter().filter(|planned| planned.change.action == Action::Delete).count();
        prop_assert!(!by_name || removed == 0);
        prop_assert!(findings.in_sync <= wanted.keys().filter(|number| !dark.contains(number)).count());
    }

    /// A plan that passes the guards leaves palisade an Admin, with another one beside it.
    #[test]
    fn what_the_guards_let_pass_locks_nobody_out(wanted in people(), there in people(), exact in any::<bool>()) {
        let mut there = there;
        there.insert(PALISADE, Role::Admin);
        let scene = scene(&wanted, &there, exact);
        let findings = scene.findings();
        prop_assume!(errors(&findings).is_empty());
        let mut after = there.clone();
        for planned in &findings.changes {
            let number = (1..=5).find(|number| planned.change.address.as_str().ends_with(&part(*number))).unwrap();
            match planned.change.action {
                Action::Delete => drop(after.remove(&number)),
                _ => drop(after.insert(number, wanted[&number])),
            }
        }
        prop_assert_eq!(after.get(&PALISADE), Some(&Role::Admin));
        let admins = |people: &BTreeMap<u128, Role>| people.iter().filter(|(number, role)| **number != PALISADE && **role == Role::Admin).count();
        prop_assert!(admins(&after) >= 1 || admins(&there) == 0);
    }
}

fn scene(wanted: &BTreeMap<u128, Role>, there: &BTreeMap<u128, Role>, exact: bool) -> Scene {
    let wanted: Vec<_> = wanted.iter().map(|(number, role)| (*number, *role)).collect();
    let mut scene = Scene::of(&wanted);
    scene.declared.matching = if exact { Match::Exact } else { Match::AtLeast };
    scene.observed.assignments = Ok(Assignments {
        held: there.iter().map(|(number, role)| entry(*number, &[role.name()])).collect(),
        nameless: 0,
    });
    scene
}

fn part(number: u128) -> String {
    match number {
        GROUP => format!("group:{}", id(GROUP)),
        PALISADE => format!("app:{}", app_id(PALISADE)),
        user => format!("user{user}@contoso.com"),
    }
}
