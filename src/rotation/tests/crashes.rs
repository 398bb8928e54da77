//! What a run that dies leaves, and properties over random facts.

use super::super::page::crash_matrix;
use super::*;

/// What a decision says is the same, except how far back the past is told.
fn prop_equal(full: &Assessment, read: &Assessment) -> Result<(), proptest::test_runner::TestCaseError> {
    proptest::prop_assert_eq!((full.state, full.active, full.next), (read.state, read.active, read.next));
    proptest::prop_assert_eq!((full.issue, full.due), (read.issue, read.due));
    Ok(())
}

// The crash matrix.

fn next_after(planned: &str, after: StepKind) -> (&'static str, bool) {
    let rows = crash_matrix();
    let row = rows.iter().find(|row| row.planned == planned && row.after == after.name()).unwrap();
    (row.next, row.regenerates)
}

#[test]
fn dies_after_the_plan_or_the_intent() {
    let row = crash_matrix().into_iter().find(|row| row.planned == "rotate").unwrap();
    assert_eq!((row.after, row.next), ("the plan", "rotate"));
    assert_eq!(next_after("rotate", StepKind::TagIntent), ("rotate", true));
}

#[test]
fn dies_after_regenerating_or_fails_to_publish() {
    for step in [StepKind::Regenerate, StepKind::ReadBackChanged, StepKind::Probe] {
        assert_eq!(next_after("rotate", step), ("finish the rotation", false));
    }
}

#[test]
fn dies_after_publishing() {
    for step in [StepKind::Publish, StepKind::ReadVaultBack, StepKind::CompareAgain] {
        assert_eq!(next_after("rotate", step), ("nothing", false));
    }
}

#[test]
fn dies_while_retiring() {
    assert_eq!(next_after("retire", StepKind::Regenerate), ("finish the retirement", false));
    assert_eq!(next_after("retire", StepKind::TagRetired), ("nothing", false));
}

#[test]
fn the_page_lists_every_step_and_what_a_dead_run_leaves() {
    let page = super::page::explanation();
    for step in steps(&Move::Rotate { slot: S }).iter().chain(steps(&Move::Retire { slot: S })) {
        assert!(page.contains(step.name()), "{}", step.name());
    }
    assert!(page.contains("rotate: regenerate the standby key"));
    assert!(page.lines().all(|line| line.len() <= 120 && !line.ends_with(' ')));
}

#[test]
fn dies_while_publishing_for_the_first_time_or_repairing() {
    for planned in ["first publication", "repair"] {
        assert_eq!(next_after(planned, StepKind::Publish), ("nothing", false));
    }
}

proptest::proptest! {
    /// Reading only the values that a decision needs, and however few of them, makes nobody's key die.
    #[test]
    fn what_is_not_read_protects_no_less(
        ages in proptest::collection::vec(0_i64..120, 1..12),
        names in proptest::collection::vec(0_usize..4, 12),
        most in 0_usize..4,
    ) {
        let mut ages = ages;
        ages.sort_unstable();
        ages.dedup();
        let name = |index: usize| ["p", "s", "x", "y"][names[index]];
        let versions: Vec<_> = ages.iter().enumerate().map(|(index, age)| version(P, name(index), *age)).collect();
        let whole = facts(versions.clone());
        let read = |most: [usize; 2]| {
            let mut seen = whole.clone();
            if let Secret::Present(published) = &mut seen.secret {
                published.history.iter_mut().flatten().for_each(|version| version.content = Content::NotRead);
            }
            loop {
                let ids = to_read_at_most(most, &declared(), &seen, now());
                let Secret::Present(published) = &mut seen.secret else { return seen };
                if ids.is_empty() {
                    return seen;
                }
                for version in published.history.iter_mut().flatten().filter(|version| ids.contains(&version.id)) {
                    version.content = versions.iter().find(|known| known.id == version.id).unwrap().content.clone();
                }
            }
        };
        let full = look(&declared(), &whole);
        prop_equal(&full, &look(&declared(), &read([50, 500])))?;
        let few = look(&declared(), &read([most, most]));
        if let Some(next) = few.next.filter(|next| next.regenerates()) {
            let dies = if next.slot() == Some(P) { "p" } else { "s" };
            for (index, _) in ages.iter().enumerate().filter(|(index, _)| name(*index) == dies) {
                proptest::prop_assert!(index > 0 && ages[index - 1] >= 7, "{next:?} {ages:?} {names:?}");
            }
        }
        proptest::prop_assert_eq!(few.critical, full.critical);
    }

    /// Whatever the dates and values: nobody's key is regenerated.
    #[test]
    fn no_move_ever_regenerates_what_somebody_may_hold(
        ages in proptest::collection::vec(0_i64..120, 1..6),
        names in proptest::collection::vec(0_usize..4, 6),
        demanded in proptest::option::of(-5_i64..100),
    ) {
        let mut ages = ages;
        ages.sort_unstable();
        ages.dedup();
        let name = |index: usize| ["p", "s", "x", "y"][names[index]];
        let versions: Vec<_> = ages.iter().enumerate().map(|(index, age)| version(P, name(index), *age)).collect();
        let declared = Rotation { rotated_after: demanded.map(at), ..declared() };
        let seen = look(&declared, &facts(versions));
        if let Some(next) = seen.next.filter(|next| next.regenerates()) {
            let dies = if next.slot() == Some(P) { "p" } else { "s" };
            for (index, _) in ages.iter().enumerate().filter(|(index, _)| name(*index) == dies) {
                proptest::prop_assert!(index > 0 && ages[index - 1] >= 7, "{next:?} {ages:?} {names:?}");
            }
        }
        proptest::prop_assert!(!seen.reason.is_empty());
    }
}

/// A version with as many tags as a vault takes: the same key is stored once more, and nothing else changes.
#[test]
fn full_tags_hold_up_no_rotation() {
    let declared = declared();
    let mut current = version(P, "p", 100);
    current.tags.retired = Some(Retired { standby: value("s"), at: at(90) });
    current.tags.others = (0..11).map(|index| (format!("t{index}"), String::new())).collect();
    let planned = Move::Rotate { slot: S };
    let before = facts(vec![current.clone(), version(S, "gone", 190)]);
    assert_eq!(look(&declared, &before).next, Some(planned));
    let run = Run::new(&declared, planned, "d");
    let Check::Continue(Request::Publish { slot: P, value: again, tags }) =
        run.check(StepKind::TagIntent, &before, now())
    else {
        panic!("{:?}", run.check(StepKind::TagIntent, &before, now()));
    };
    assert_eq!((again, tags.render().len()), (value("p"), 15));
    let stored = Version { id: "new".to_owned(), created: now(), content: Content::Read(again), tags, previous: None };
    let after = facts(vec![stored, current, version(S, "gone", 190)]);
    let go = Check::Continue(Request::Regenerate { slot: S });
    assert_eq!(run.check(StepKind::Regenerate, &after, now()), go, "{:?}", look(&declared, &after));
}
