//! The vault's clock, looked at once more right before a key dies.

use super::*;

/// What the step of a rotation that is due does by a fresh look with this clock.
fn check(step: StepKind, clock: VaultClock) -> Check {
    let mut current = version(P, "p", 89);
    if step == StepKind::Regenerate {
        let intent = Intent { purpose: Purpose::Rotate, slot: S, replaces: value("s"), at: now() };
        current.tags.intent = Some(intent);
    }
    let facts = Facts { clock, ..facts(vec![current]) };
    Run::new(&declared(), Move::Rotate { slot: S }, "plan").check(step, &facts, now())
}

/// A clock that went wrong since the plan was made leaves unknown what holds; it is no change that somebody else made.
#[test]
fn nothing_is_begun_that_makes_a_key_die_unless_the_clocks_agree() {
    for step in [StepKind::TagIntent, StepKind::Regenerate] {
        assert!(matches!(check(step, VaultClock::Agrees), Check::Continue(_)), "{step:?}");
        for clock in [VaultClock::Apart { minutes: 6 }, VaultClock::Unproved("no date".to_owned())] {
            let reason = clock.objection().unwrap();
            assert_eq!(check(step, clock), Check::Unread(reason), "{step:?}");
        }
    }
}
