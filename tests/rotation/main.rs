//! The proof of rotation: a walk through everything that can happen in a small world.
//!
//! The walk itself is in `walk`, what can happen in `runner` and `world`. Run with `--nocapture` to see the numbers and
//! the counter-examples.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::disallowed_macros,
    clippy::print_stdout,
    clippy::panic,
    clippy::unwrap_used
)]

mod blind;
mod effects;
mod people;
mod runner;
mod walk;
mod world;

use std::time::Instant;

use palisade::rotation::Rules;
use palisade::terms::Slot;
use runner::{Harm, Luck, State, issued_notes};
use walk::{Scope, Walk, summary, walk};
use world::{Notes, Scale, Shelf, Stored, UNDECLARED, Value, World};

const ALL: &[Harm] = &[
    Harm::Cut,
    Harm::BothSlots,
    Harm::Again,
    Harm::LeftBroken,
    Harm::NotRepaired,
    Harm::Restless,
    Harm::Stuck,
    Harm::Blind,
];

/// Dates don't show what people break.
const BY_DATES: &[Harm] = &[Harm::Cut, Harm::BothSlots, Harm::Again, Harm::LeftBroken, Harm::Restless];

/// What two runners at once may do: one interleaving cuts consumers off until the next comparison.
const WITH_TWO: &[Harm] = &[Harm::BothSlots, Harm::LeftBroken, Harm::NotRepaired, Harm::Restless, Harm::Stuck];

fn empty(scale: Scale) -> World {
    World {
        scale,
        access: true,
        shelf: Shelf::Present,
        versions: Vec::new(),
        lingering: Vec::new(),
        own_keys: false,
        adopted: scale.cache as i8,
        ours: false,
        from_switch: [false; 2],
        rotated_after: None,
        regenerated: [scale.cache; 2],
        loose: [false; 2],
    }
}

/// Keys that palisade issued and just published.
fn settled(scale: Scale) -> World {
    let published =
        Stored { value: Value::Live(Slot::Primary), age: 0, notes: issued_notes(Slot::Primary), reserved: false };
    World { versions: vec![published], ..empty(scale) }
}

/// Keys that consumers have from before palisade came, in an empty vault.
fn before_adoption(scale: Scale) -> World {
    World { own_keys: true, adopted: -1, ..empty(scale) }
}

/// A secret that a person stored by hand.
fn stored_by_hand(scale: Scale) -> World {
    let published = Stored { value: Value::Live(Slot::Secondary), age: 0, notes: Notes::default(), reserved: false };
    World { versions: vec![published], own_keys: true, adopted: -1, ..empty(scale) }
}

/// A world whose API is still off.
fn switched_off(scale: Scale) -> World {
    World { access: false, ..empty(scale) }
}

/// The same, and nobody ever says when consumers were moved to the secret.
fn never_used(scale: Scale) -> World {
    World { adopted: UNDECLARED, ..switched_off(scale) }
}

fn walked(name: &str, scope: Scope, starts: Vec<State>) -> Walk {
    let began = Instant::now();
    let walk = walk(scope, starts);
    println!("{}", summary(name, &walk, began.elapsed().as_secs_f64()));
    walk
}

const LARGE: Scale = Scale { cap: 3, cache: 2, keeps: false, dates: false, reads: None };
const SMALL: Scale = Scale { cap: 2, cache: 1, ..LARGE };
const KEEPS: Scale = Scale { keeps: true, ..SMALL };
/// Only one former value is read, and before a regeneration two.
const SHORT: Scale = Scale { reads: Some([1, 2]), ..SMALL };
const DATES: Scale = Scale { dates: true, ..SMALL };

fn all_rules(harms: &'static [Harm]) -> Scope {
    Scope {
        rules: Rules::ALL,
        harms,
        luck: &[Luck::Fine, Luck::Dies, Luck::DiesAfterwards, Luck::Fails],
        hand_races: false,
        days: true,
        limit: 600_000,
    }
}

#[test]
fn one_runner_never_cuts_a_consumer_off_and_repairs_what_people_break() {
    let starts = [settled(LARGE), before_adoption(LARGE), stored_by_hand(LARGE), switched_off(LARGE), settled(KEEPS)];
    let walk = walked("one runner", all_rules(ALL), starts.map(|world| State::new(world, 1, 1)).into());
    assert!(walk.counter_example.is_none());
}

/// Two deeds of people may combine; the clock is coarser for it.
#[test]
fn one_runner_repairs_what_people_break_twice() {
    let scope = Scope { luck: &[Luck::Fine, Luck::Dies, Luck::DiesAfterwards], ..all_rules(ALL) };
    let walk = walked("one runner, two deeds", scope, vec![State::new(settled(SMALL), 1, 2)]);
    assert!(walk.counter_example.is_none());
}

/// API access is switched on by a run, whatever dies on the way, or by people.
#[test]
fn keys_that_palisade_makes_need_nobody_to_say_whose_they_are() {
    let starts = vec![State::new(never_used(SMALL), 1, 1), State::new(never_used(KEEPS), 1, 1)];
    let walk = walked("first runs", all_rules(ALL), starts);
    assert!(walk.counter_example.is_none());
    let luck = &[Luck::Fine, Luck::Dies, Luck::DiesAfterwards, Luck::Fails];
    let scope = Scope { luck, days: false, ..all_rules(WITH_TWO) };
    let walk = walked("two first runs", scope, vec![State::new(never_used(SMALL), 2, 0)]);
    assert!(walk.counter_example.is_none());
}

/// What lies beyond the values that are read is in doubt: it makes holds longer, and harms nobody.
#[test]
fn a_history_that_is_not_read_to_its_end_harms_nobody() {
    let harms = &[Harm::Cut, Harm::BothSlots, Harm::Again, Harm::LeftBroken, Harm::Restless, Harm::Blind];
    let starts = vec![State::new(settled(SHORT), 1, 1), State::new(stored_by_hand(SHORT), 1, 1)];
    let walk = walked("a history that is not read to its end", all_rules(harms), starts);
    assert!(walk.counter_example.is_none());
}

#[test]
fn runs_that_see_dates_only_come_to_rest() {
    let keeps = Scale { keeps: true, ..DATES };
    let starts = [settled(DATES), stored_by_hand(DATES), settled(keeps), never_used(DATES)];
    let walk = walked("dates only", all_rules(BY_DATES), starts.map(|world| State::new(world, 1, 1)).into());
    assert!(walk.counter_example.is_none());
}

#[test]
fn two_runners_leave_no_outage_behind() {
    let scope = Scope { luck: &[Luck::Fine, Luck::Dies, Luck::DiesAfterwards], ..all_rules(WITH_TWO) };
    let walk = walked("two runners", scope, vec![State::new(settled(SMALL), 2, 0)]);
    assert!(walk.counter_example.is_none());
    // Steps are readings, checks and requests, of both runners together.
    assert_eq!(walk.broken_steps, [10, 15]);
}

/// A person who stores a key by hand between a run's reading and its sending is a second writer, and what holds for two
/// runners holds then.
#[test]
fn a_person_who_stores_a_key_by_hand_meanwhile_is_healed_like_a_second_runner() {
    let scope = Scope { hand_races: true, ..all_rules(WITH_TWO) };
    let walk = walked("one runner, stored by hand meanwhile", scope, vec![State::new(settled(SMALL), 1, 1)]);
    assert!(walk.counter_example.is_none());
    assert_eq!(walk.broken_steps, [9, 16]);
}

/// Walks without one of the rules until the harm shows.
fn without(name: &str, rules: Rules, harms: &'static [Harm], start: State) {
    let luck = if harms == [Harm::LeftBroken] { &[Luck::Fine][..] } else { &[Luck::Fine, Luck::Dies][..] };
    let walk = walked(name, Scope { rules, luck, ..all_rules(harms) }, vec![start]);
    assert_eq!(walk.counter_example.map(|(harm, _)| harm), Some(harms[0]), "{name}");
}

#[test]
fn each_rule_prevents_a_harm() {
    let one = |people| State::new(settled(SMALL), 1, people);
    let by_tag = Rules { values_decide: false, ..Rules::ALL };
    without("the slot by its tag", by_tag, &[Harm::Cut], one(1));
    without("the slot by its tag", by_tag, &[Harm::NotRepaired], one(1));
    let careless = Rules { spare_published: false, ..Rules::ALL };
    without("no look at what is published", careless, &[Harm::Cut], one(1));
    let marker_afterwards = Rules { intent_first: false, ..Rules::ALL };
    without("a marker after the act", marker_afterwards, &[Harm::Again], one(0));
    let stale = Rules { fresh_checks: false, ..Rules::ALL };
    without("no fresh look before regenerating", stale, &[Harm::Cut], one(1));
    let trusting = Rules { compare_again: false, ..Rules::ALL };
    without("no second comparison", trusting, &[Harm::LeftBroken], State::new(settled(SMALL), 2, 0));
}

/// What the documentation shows is what the code does. `PALISADE_BLESS=1` writes it.
#[test]
fn the_documentation_shows_what_the_code_does() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/rotation.md");
    let text = std::fs::read_to_string(path).unwrap();
    let mut updated = text.clone();
    let diagram = format!("```mermaid\n{}```\n", palisade::rotation::page::diagram());
    for (name, generated) in [("diagram", diagram), ("crash matrix", palisade::rotation::page::crash_table())] {
        let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->"));
        let from = updated.find(&begin).unwrap() + begin.len();
        let to = updated.find(&end).unwrap();
        updated.replace_range(from..to, &generated);
    }
    if std::env::var_os("PALISADE_BLESS").is_some() {
        std::fs::write(path, &updated).unwrap();
    } else {
        assert!(text == updated, "docs/rotation.md is out of date: run this test with PALISADE_BLESS=1");
    }
}
