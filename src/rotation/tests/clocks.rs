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

/// Five minutes are taken for none, in whichever direction; a vault that doesn't say what time it is proves nothing.
#[test]
fn clocks_agree_if_they_are_proved_to_be_no_more_than_five_minutes_apart() {
    let ours = now();
    for (seconds, expected) in [
        (0, VaultClock::Agrees),
        (300, VaultClock::Agrees),
        (-300, VaultClock::Agrees),
        (301, VaultClock::Apart { minutes: 5 }),
        (-301, VaultClock::Apart { minutes: 5 }),
        (-3600, VaultClock::Apart { minutes: 60 }),
    ] {
        let theirs = ours + SignedDuration::from_secs(seconds);
        assert_eq!(VaultClock::of(Ok(theirs), ours), expected, "{seconds}");
        assert_eq!(expected.objection().is_none(), expected == VaultClock::Agrees);
    }
    let unproved = VaultClock::of(Err("the answer has no date".to_owned()), ours);
    assert_eq!(unproved.objection().as_deref(), Some("the vault's clock can't be checked: the answer has no date"));
}
