//! Tables: one named test per row of the specification.

mod clocks;
mod crashes;

use jiff::{SignedDuration, Timestamp};

use super::*;

const INSTANCE: &str = "6f2b1c34-0000-4000-8000-00000000a001";

fn at(days_ago: i64) -> Timestamp {
    now() - SignedDuration::from_hours(24 * days_ago)
}

fn now() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

fn value(name: &str) -> Fingerprint {
    FingerprintKey::derive("t", "v").fingerprint(name.as_bytes())
}

fn declared() -> Rotation {
    Rotation { adopted_on: "2026-01-01".parse().ok(), ..Rotation::new(INSTANCE) }
}

/// A version that palisade stored right after it regenerated the slot.
fn version(slot: Slot, name: &str, days_ago: i64) -> Version {
    let tags =
        Tags { slot: Some(slot), issued: Some(at(days_ago)), instance: Some(INSTANCE.to_owned()), ..Tags::default() };
    Version {
        id: format!("v{days_ago}"),
        created: at(days_ago),
        content: Content::Read(value(name)),
        tags,
        previous: None,
    }
}

fn untagged(version: Version) -> Version {
    Version { tags: Tags::default(), ..version }
}

/// Slots with the values `p` and `s`, and the versions, newest first.
fn facts(versions: Vec<Version>) -> Facts {
    let mut versions = versions.into_iter();
    let secret = match versions.next() {
        None => Secret::Absent,
        Some(current) => Secret::Present(Box::new(Published { current, history: Ok(versions.collect()) })),
    };
    let slots = Slots::Read { primary: value("p"), secondary: value("s") };
    Facts { access: Access::On, made: Vec::new(), slots, secret, clock: VaultClock::Agrees }
}

fn look(declared: &Rotation, facts: &Facts) -> Assessment {
    assess(declared, facts, now())
}

use crate::terms::Slot::{self, Primary as P, Secondary as S};

// Live facts and what the plan says about them.

#[test]
fn young_key_is_settled_and_says_when_it_is_due() {
    let seen = look(&declared(), &facts(vec![version(P, "p", 81 - 14)]));
    assert_eq!((seen.state, seen.active, seen.next), (State::Settled, Some(P), None));
    assert!(seen.due.is_some_and(|due| due > now() && due < at(-16)));
    assert!(
        seen.reason.starts_with("secondary is standby; primary was issued 67 days ago, due in "),
        "{}",
        seen.reason
    );
    assert!(seen.reason.ends_with("; nothing to do"));
    let seen = look(&declared(), &facts(vec![version(S, "s", 3)]));
    assert_eq!((seen.state, seen.active), (State::Settled, Some(S)));
}

#[test]
fn old_key_is_due_and_the_standby_slot_is_rotated() {
    let seen = look(&declared(), &facts(vec![version(P, "p", 89)]));
    assert_eq!((seen.state, seen.next), (State::Due, Some(Move::Rotate { slot: S })));
    assert_eq!(seen.warnings, []);
    let seen = look(&declared(), &facts(vec![version(S, "s", 95), version(P, "old", 200)]));
    assert_eq!(seen.next, Some(Move::Rotate { slot: P }));
    assert_eq!(seen.warnings, [Warning::Overdue { since: at(5) }]);
}

#[test]
fn key_issued_before_rotated_after_is_due() {
    let demanded = Rotation { rotated_after: Some(at(10)), ..declared() };
    assert_eq!(look(&demanded, &facts(vec![version(P, "p", 20)])).next, Some(Move::Rotate { slot: S }));
    // The published key is new enough; nobody knows about the other one, so that one dies next.
    assert_eq!(look(&demanded, &facts(vec![version(P, "p", 10)])).next, Some(Move::Retire { slot: S }));
}

#[test]
fn freshly_flipped_leaves_the_old_slot_alone_for_grace() {
    let flipped = facts(vec![version(P, "p", 3), version(S, "s", 80)]);
    let seen = look(&declared(), &flipped);
    assert_eq!((seen.state, seen.next), (State::InGrace, None));
    assert_eq!(seen.retire_at, Some(at(-4) + SignedDuration::from_secs(1)));
    // Demanded again meanwhile: held.
    let demanded = Rotation { rotated_after: Some(at(1)), ..declared() };
    let seen = look(&demanded, &flipped);
    assert_eq!((seen.state, seen.wanted, seen.next), (State::Due, Some(Move::Rotate { slot: S }), None));
    assert_eq!(seen.holds, [Hold::Grace { until: at(-4) + SignedDuration::from_secs(1) }]);
    assert!(seen.reason.contains("held by grace until 2026-11-24T12:00:01Z"), "{}", seen.reason);
}

#[test]
fn a_former_key_that_died_before_its_grace_was_over_is_told() {
    let warned = |versions| look(&declared(), &facts(versions)).warnings;
    let dead = |until| vec![Warning::DeadInGrace { until }];
    assert_eq!(warned(vec![version(P, "p", 3), version(S, "gone", 80)]), dead(at(-4)));
    assert_eq!(warned(vec![version(P, "p", 3), version(S, "s", 80)]), []);
    assert_eq!(warned(vec![version(P, "p", 7), version(S, "gone", 80)]), [], "grace is over");
}

#[test]
fn old_value_is_retired_after_grace_unless_it_is_kept() {
    let over = facts(vec![version(P, "p", 8), version(S, "s", 90)]);
    let seen = look(&declared(), &over);
    assert_eq!((seen.state, seen.next), (State::Retirable, Some(Move::Retire { slot: S })));
    let kept = Rotation { retire: Retire::Keep, ..declared() };
    assert_eq!(look(&kept, &over).state, State::Settled);
    let demanded = Rotation { rotated_after: Some(at(9)), ..kept };
    assert_eq!(look(&demanded, &over).next, Some(Move::Retire { slot: S }));
}

#[test]
fn retirement_is_over_when_its_note_bears_the_standby_value() {
    let mut current = version(P, "p", 8);
    current.tags.retired = Some(Retired { standby: value("s"), at: at(1) });
    let demanded = Rotation { rotated_after: Some(at(9)), ..declared() };
    assert_eq!(look(&demanded, &facts(vec![current.clone(), version(S, "old", 90)])).state, State::Settled);
    // A note about another value says nothing about this one.
    current.tags.retired = Some(Retired { standby: value("x"), at: at(1) });
    assert_eq!(look(&demanded, &facts(vec![current, version(S, "old", 90)])).next, Some(Move::Retire { slot: S }));
}

#[test]
fn dead_value_is_replaced_by_the_former_one_without_regeneration() {
    let seen = look(&declared(), &facts(vec![version(P, "gone", 3), version(S, "s", 80)]));
    assert_eq!((seen.state, seen.next, seen.critical), (State::Outage, Some(Move::Repair { slot: S }), true));
    assert!(seen.holds.is_empty());
    // The former value wins over the tag's advice.
    let seen = look(&declared(), &facts(vec![version(S, "gone", 3), version(S, "s", 80)]));
    assert_eq!(seen.next, Some(Move::Repair { slot: S }));
}

#[test]
fn nothing_published_means_primary_is_and_nothing_is_regenerated() {
    let seen = look(&declared(), &facts(vec![]));
    assert_eq!((seen.state, seen.next), (State::Unpublished, Some(Move::FirstPublication { slot: P })));
    assert!(!steps(&Move::FirstPublication { slot: P }).contains(&StepKind::Regenerate));
}

#[test]
fn whatever_is_unknown_leads_to_nothing() {
    let good = facts(vec![version(P, "p", 200), version(S, "s", 300)]);
    let why = || "403".to_owned();
    let mut cut = good.clone();
    let mut former = good.clone();
    if let (Secret::Present(cut), Secret::Present(former)) = (&mut cut.secret, &mut former.secret) {
        cut.history = Err(why());
        former.history.as_mut().unwrap()[0].content = Content::Unreadable(why());
    }
    let mut current = version(P, "p", 200);
    current.content = Content::Unreadable(why());
    for unknown in [
        Facts { access: Access::Unknown(why()), ..good.clone() },
        Facts { slots: Slots::Unknown(why()), ..good.clone() },
        Facts { slots: Slots::NotRead, ..good.clone() },
        Facts { secret: Secret::Unknown(why()), ..good.clone() },
        cut,
        former,
        facts(vec![current]),
        // Read while it changed.
        facts(vec![version(P, "p", 20), version(S, "s", 19)]),
    ] {
        let seen = look(&declared(), &unknown);
        assert_eq!((seen.state, seen.wanted, seen.next), (State::Unknown, None, None), "{}", seen.reason);
    }
}

#[test]
fn a_dead_key_is_replaced_whatever_is_unknown_of_the_past() {
    for history in [
        Err("403".to_owned()),
        Ok(vec![Version { content: Content::Unreadable("500".to_owned()), ..version(S, "s", 9) }]),
    ] {
        let current = version(P, "gone", 3);
        let secret = Secret::Present(Box::new(Published { current, history: history.clone() }));
        let dead = Facts { secret, ..facts(vec![]) };
        assert_eq!(look(&declared(), &dead).next, Some(Move::Repair { slot: S }));
        // Whose secret it is, is then all that may be in doubt.
        let current = untagged(version(P, "gone", 3));
        let secret = Secret::Present(Box::new(Published { current, history: Err("403".to_owned()) }));
        let seen = look(&declared(), &Facts { secret, ..dead });
        assert_eq!((seen.state, seen.next, seen.critical), (State::Unknown, None, true));
    }
}

#[test]
fn without_a_clock_that_agrees_nothing_is_made_to_die_and_a_dead_key_is_replaced() {
    let clocks = [VaultClock::Apart { minutes: 6 }, VaultClock::Unproved("no date".to_owned())];
    for clock in clocks {
        for versions in [vec![version(P, "p", 100)], vec![version(P, "p", 8), version(S, "s", 90)]] {
            let seen = look(&declared(), &Facts { clock: clock.clone(), ..facts(versions) });
            assert!(seen.wanted.is_some_and(Move::regenerates));
            assert_eq!((seen.next, seen.holds), (None, vec![Hold::Clock]));
        }
        let dead = Facts { clock, ..facts(vec![version(P, "gone", 3)]) };
        assert_eq!(look(&declared(), &dead).next, Some(Move::Repair { slot: S }));
    }
    let minutes = |minutes| VaultClock::of(Ok(now() + SignedDuration::from_mins(minutes)), now());
    assert_eq!([minutes(5), minutes(-5)], [VaultClock::Agrees, VaultClock::Agrees]);
    assert_eq!([minutes(6), minutes(-6)], [VaultClock::Apart { minutes: 6 }, VaultClock::Apart { minutes: 6 }]);
}

#[test]
fn equal_slots_are_an_error_and_a_tag_that_disagrees_is_a_warning() {
    let mut same = facts(vec![version(P, "p", 200)]);
    same.slots = Slots::Read { primary: value("p"), secondary: value("p") };
    let seen = look(&declared(), &same);
    assert_eq!((seen.state, seen.next, seen.critical), (State::Inconsistent, None, true));
    let seen = look(&declared(), &facts(vec![version(S, "p", 1)]));
    assert_eq!((seen.state, seen.active), (State::Settled, Some(P)));
    assert_eq!(seen.warnings, [Warning::TagDisagrees { tagged: S, live: P }]);
}

// What decisions add to the table.

#[test]
fn disabled_current_version_is_for_a_person() {
    let mut current = version(P, "p", 3);
    current.content = Content::Disabled;
    for access in [Access::On, Access::Off] {
        let seen = look(&declared(), &Facts { access, ..facts(vec![current.clone(), version(S, "s", 80)]) });
        assert_eq!((seen.state, seen.critical), (State::ConsumersBlocked, true));
        assert_eq!(seen.next, Some(Move::AskPerson(Why::VersionDisabled)));
    }
}

#[test]
fn soft_deleted_secret_is_recovered_and_never_a_first_publication() {
    for access in [Access::On, Access::Off] {
        let seen = look(&declared(), &Facts { access, secret: Secret::SoftDeleted, ..facts(vec![]) });
        assert_eq!((seen.state, seen.next), (State::SoftDeleted, Some(Move::RecoverSecret)));
    }
}

#[test]
fn dead_value_with_our_tag_means_the_other_slot_and_without_it_is_foreign() {
    let seen = look(&declared(), &facts(vec![version(P, "gone", 3)]));
    assert_eq!(seen.next, Some(Move::Repair { slot: S }));
    let seen = look(&declared(), &facts(vec![untagged(version(P, "gone", 3))]));
    assert_eq!((seen.state, seen.next), (State::Foreign, Some(Move::AskPerson(Why::SecretForeign))));
    // Overwritten by hand: the history still shows whose it is.
    let seen = look(&declared(), &facts(vec![untagged(version(P, "junk", 3)), version(P, "p", 20)]));
    assert_eq!(seen.next, Some(Move::Repair { slot: P }));
    // Another environment publishes here.
    let mut theirs = version(P, "gone", 3);
    theirs.tags.instance = Some("another".to_owned());
    let seen = look(&declared(), &facts(vec![theirs, version(S, "s", 20)]));
    assert_eq!(seen.next, Some(Move::AskPerson(Why::SecretForeign)));
}

#[test]
fn keys_from_before_palisade_wait_for_adoption_and_grace() {
    let old = facts(vec![untagged(version(P, "p", 100))]);
    let undeclared = Rotation { adopted_on: None, ..declared() };
    let seen = look(&undeclared, &old);
    assert_eq!((seen.state, seen.next), (State::Due, None));
    assert_eq!(seen.holds, [Hold::Adoption { until: None }]);
    assert!(seen.warnings.contains(&Warning::AdoptionUndeclared));
    let recent = Rotation { adopted_on: "2026-11-15".parse().ok(), ..declared() };
    let until = "2026-11-23T12:00:00Z".parse().ok();
    assert_eq!(look(&recent, &old).holds, [Hold::Adoption { until }]);
    assert_eq!(look(&declared(), &old).next, Some(Move::Rotate { slot: S }));
    // Keys that palisade issued need no adoption.
    assert_eq!(look(&undeclared, &facts(vec![version(P, "p", 100)])).next, Some(Move::Rotate { slot: S }));
}

#[test]
fn due_wins_over_retirable() {
    let seen = look(&declared(), &facts(vec![version(P, "p", 100), version(S, "s", 190)]));
    assert_eq!(seen.next, Some(Move::Rotate { slot: S }));
}

#[test]
fn unknown_age_counts_from_the_first_publication_and_never_satisfies_rotated_after() {
    let adopted = facts(vec![untagged(version(P, "p", 20))]);
    let seen = look(&declared(), &adopted);
    assert_eq!((seen.state, seen.warnings), (State::Settled, vec![Warning::IssueUnknown]));
    let demanded = Rotation { rotated_after: Some(at(30)), ..declared() };
    assert_eq!(look(&demanded, &adopted).next, Some(Move::Rotate { slot: S }));
    // A young version of an old value is as old as the value.
    let again = facts(vec![version(P, "p", 8), version(S, "x", 50), version(P, "p", 100)]);
    assert_eq!(look(&declared(), &again).state, State::Due);
    // A claim that is later than the version is no claim.
    let mut liar = version(P, "p", 20);
    liar.tags.issued = Some(at(1));
    assert_eq!(look(&demanded, &facts(vec![liar])).next, Some(Move::Rotate { slot: S }));
}

#[test]
fn rotated_after_in_the_future_does_nothing_until_then() {
    let demanded = Rotation { rotated_after: Some(at(-5)), ..declared() };
    let seen = look(&demanded, &facts(vec![version(P, "p", 20)]));
    assert_eq!((seen.state, seen.next, seen.due), (State::Settled, None, Some(at(-5))));
}

#[test]
fn access_switched_on_again_publishes_new_keys_in_the_same_run() {
    let off = Facts { access: Access::Off, ..facts(vec![version(S, "gone", 3)]) };
    let seen = look(&declared(), &off);
    let planned = Move::PublishNewKeys { slot: P };
    assert_eq!((seen.state, seen.next), (State::AccessOff, Some(planned)));
    let declared = declared();
    let run = Run::new(&declared, planned, "d");
    // Nothing is switched on before the vault has taken a note of it.
    assert!(matches!(check_step(&run, StepKind::EnableAccess, &off, now()), Check::Abort(_)));
    let Check::Continue(Request::Tag { tags, .. }) = check_step(&run, StepKind::NoteSwitch, &off, now()) else {
        panic!("a note on the current version");
    };
    assert_eq!(tags.begun, Some(now()));
    let noted = Version { tags, ..version(S, "gone", 3) };
    let off = Facts { access: Access::Off, ..facts(vec![noted]) };
    assert_eq!(check_step(&run, StepKind::EnableAccess, &off, now()), Check::Continue(Request::EnableAccess));
    let on = Facts { access: Access::On, made: vec![now(); 2], ..off };
    let check = check_step(&run, StepKind::Publish, &on, now());
    assert!(matches!(
        check,
        Check::Continue(Request::Publish { slot: P, value: published, tags })
            if published == value("p") && tags.issued == Some(now())
    ));
    // Keys that outlived the switch are published already, whichever slot's it is, and nothing is done twice.
    for (slot, key) in [(P, "p"), (S, "s")] {
        let alive = Facts { access: Access::On, ..facts(vec![version(slot, key, 3)]) };
        for step in [StepKind::Publish, StepKind::ReadVaultBack, StepKind::CompareAgain] {
            assert_eq!(check_step(&run, step, &alive, now()), Check::Continue(Request::Nothing), "{slot} {step:?}");
        }
    }
}

#[test]
fn windows_bound_rotation_retirement_and_completion_but_never_repair() {
    let closed = Rotation { windows: vec!["Mon-Thu 08:00-15:00 UTC".parse().unwrap()], ..declared() };
    let opens = "2026-11-23T08:00:00Z".parse().ok();
    for case in [vec![version(P, "p", 100)], vec![version(P, "p", 8), version(S, "s", 90)]] {
        let seen = look(&closed, &facts(case));
        assert_eq!((seen.next, seen.holds), (None, vec![Hold::Window { opens }]));
    }
    let seen = look(&closed, &facts(vec![version(P, "gone", 100)]));
    assert_eq!(seen.next, Some(Move::Repair { slot: S }));
}

#[test]
fn metadata_tells_age_only_and_says_so() {
    let blind = Rotation { verify: Verify::Metadata, ..declared() };
    let mut current = version(P, "p", 20);
    current.content = Content::NotRead;
    let old =
        Version { created: at(100), tags: Tags { issued: Some(at(100)), ..current.tags.clone() }, ..current.clone() };
    let unread = |version| Facts { slots: Slots::NotRead, ..facts(vec![version]) };
    let seen = look(&blind, &unread(current));
    assert_eq!((seen.state, seen.next, seen.warnings), (State::AgeOnly, None, vec![Warning::ValuesNotLookedAt]));
    assert_eq!(look(&blind, &unread(old)).next, Some(Move::Resolve));
}

#[test]
fn versions_of_one_second_have_no_order_but_the_one_that_links_tell() {
    let mut first = version(P, "p", 5);
    let mut second = version(S, "s", 5);
    (first.id, second.id) = ("a".to_owned(), "b".to_owned());
    let mut current = version(P, "gone", 3);
    // No links: the tag of the dead version decides.
    let seen = look(&declared(), &facts(vec![current.clone(), first.clone(), second.clone()]));
    assert_eq!(seen.next, Some(Move::Repair { slot: S }));
    // Links: the later of the two does.
    current.previous = Some("a".to_owned());
    first.previous = Some("b".to_owned());
    let seen = look(&declared(), &facts(vec![current.clone(), second.clone(), first.clone()]));
    assert_eq!(seen.next, Some(Move::Repair { slot: P }));
    // Neither links nor a tag that tells: nobody guesses.
    let nobody = [current, first, second].map(|version| Version { previous: None, ..untagged(version) });
    assert_eq!(look(&declared(), &facts(nobody.into())).next, Some(Move::AskPerson(Why::NoSuccessor)));
}

#[test]
fn disabled_former_versions_may_hold_anything() {
    let mut former = version(S, "?", 90);
    former.content = Content::Disabled;
    let demanded = Rotation { rotated_after: Some(at(1)), ..declared() };
    let fresh = facts(vec![version(P, "p", 3), former.clone()]);
    assert_eq!(look(&demanded, &fresh).holds.len(), 1);
    assert_eq!(look(&declared(), &facts(vec![version(P, "p", 8), former])).next, Some(Move::Retire { slot: S }));
}
