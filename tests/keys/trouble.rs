//! Services that fail: each write of each move answered wrongly, lost, or refused for a while; a vault that is down; one
//! that throttles.
//!
//! What must stay true is what must stay true of kills: consumers hold a live key at every moment, and the next run ends
//! well without a regeneration too many.

use std::collections::BTreeMap;

use palisade::emulator::{Bucket, Seen};

use crate::live::is_write;
use crate::moves::{Case, DUE, published};
use crate::room::{DECLARED, Held, Room};
use crate::support::Scene;

/// 500 is tried again as 503 is, which the tests of the transport see to.
const TROUBLES: [&str; 5] = [
    "loseAnswer",
    "reset",
    "truncate",
    "{ status: { code: 503 } }",
    "{ status: { code: 429, headers: { Retry-After: '7' } } }",
];

/// Rules that strike a write of a run: `METHOD path`, and which one of its like.
fn writes(requests: &[Seen]) -> Vec<(String, usize)> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let writes = requests.iter().filter(|seen| is_write(seen)).map(|seen| format!("{} {}", seen.method, seen.path));
    writes
        .map(|call| {
            let count = counts.entry(call.clone()).or_default();
            *count += 1;
            (call, *count)
        })
        .collect()
}

#[test]
fn a_write_that_goes_wrong_is_healed_by_the_same_or_the_next_run() {
    let mut ends: BTreeMap<(&str, i32), usize> = BTreeMap::new();
    for case in Case::all() {
        // What the next run does depends on the world alone.
        let mut healed = Vec::new();
        for (call, nth) in writes(&case.undisturbed()) {
            for trouble in TROUBLES {
                let room = case.faulty(&format!("- {{ operation: {call}, nth: {nth}, action: {trouble} }}"));
                let run = room.apply();
                let what = format!("{}: {trouble} at {call}", case.name);
                assert!(matches!(run.status, Some(0 | 5 | 6)), "{what}: {run:?}");
                assert!(case.broken || room.dead() == 0, "{what}");
                *ends.entry((trouble, run.status.unwrap())).or_default() += 1;
                let left = (room.live.world(), room.regenerated());
                if !healed.contains(&left) {
                    healed.push(left);
                    let next = room.apply();
                    assert!(
                        next.status == Some(0) || case.waits() && next.status == Some(6),
                        "{}: {next:?}",
                        case.name
                    );
                    assert_eq!(room.regenerated(), case.regenerates, "{what}");
                    case.ends_well(&room);
                }
            }
        }
    }
    let count: usize = ends.values().sum();
    println!("{count} writes gone wrong; how the first run ended: {ends:?}");
}

/// From the publication on, the vault answers nothing but errors: the new key is alive in its slot and known to nobody.
#[test]
fn a_vault_that_goes_down_before_the_publication_costs_nobody_anything() {
    let case = Case::rotation();
    let requests = case.undisturbed();
    let to_vault = |seen: &&Seen| seen.vault.is_some();
    let before = requests.iter().take_while(|seen| seen.method != "PUT").filter(to_vault).count();
    let rules: String = (before + 1..before + 200)
        .map(|nth| format!("- {{ operation: /secrets/*, nth: {nth}, action: {{ status: {{ code: 503 }} }} }}\n"))
        .collect();
    let room = case.faulty(&rules);
    let run = room.apply().ended(5);
    assert!(run.stdout.contains("failed"), "{}", run.stdout);
    assert_eq!((room.held(), room.regenerated()), (Held::Primary, [0, 1]));

    let back = Room::at(DUE, DECLARED, room.live.world());
    assert_eq!(back.planned(), ["publish prod/apiAccess/keys/secondary"]);
    back.plan().ended(0).says("a former run regenerated secondary and did not publish it; it is published");
    back.apply().ended(0);
    assert_eq!((back.held(), back.regenerated()), (Held::Secondary, [0, 0]));
    case.ends_well(&back);
}

/// The embedded emulator shares the binary's clock, so waiting helps.
#[test]
fn a_vault_that_throttles_makes_it_slow_and_nothing_else() {
    for calls in [1, 4] {
        let scene = Scene::bare();
        scene.write("palisade.yaml", DECLARED);
        let mut world = published();
        world.behaviour.vault_throttle = Some(Bucket { calls, per: "PT10S".parse().unwrap() });
        scene.keep_world(&world);
        let run = scene.emulated_at(DUE, &["apply", "--yes"]).ended(0);
        assert!(run.stderr.contains("asked to slow down"), "{}", run.stderr);
        assert_eq!(crate::room::held(&scene.world()), Held::Secondary);
        scene.emulated_at(DUE, &["plan", "--detailed-exitcode"]).ended(0);
    }
}

/// A secret that reads as disabled for a moment is no rotation that somebody else made.
#[test]
fn what_can_not_be_looked_at_again_is_not_done() {
    let refusal = r#"{"error":{"code":"Forbidden","message":"","innererror":{"code":"SecretDisabled"}}}"#;
    let mut held_up = 0;
    for case in [Case::rotation(), Case::retirement()] {
        for nth in 1..=12 {
            let room = case.faulty(&format!(
                "- {{ operation: GET */secrets/*, nth: {nth}, action: {{ status: {{ code: 403, body: '{refusal}' }} }} }}"
            ));
            let run = room.apply();
            let done = run.stdout.contains("1 done");
            assert!(!done || room.regenerated() == case.regenerates, "{} {nth}: {}", case.name, run.stdout);
            assert_eq!(room.dead(), 0, "{} {nth}", case.name);
            held_up += usize::from(!done);
        }
    }
    assert!(held_up > 4, "{held_up}");
}
