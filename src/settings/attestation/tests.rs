//! The rule: declared, seen, age and observed, every combination of them.

use jiff::SignedDuration;
use jiff::civil::Date;
use proptest::prelude::*;
use serde_json::json;

use super::entry::Attestation;
use super::{Doubt, Evidence, Moment, Statement, Trace, Verdict, judge};
use crate::terms::Place;

const TODAY: &str = "2026-11-20";

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn entry(on: &str, days: i64) -> Attestation {
    Attestation {
        setting: "apiAccess".into(),
        saw: json!({}),
        by: "ada@contoso.com".into(),
        on: day(on),
        valid_for: SignedDuration::from_hours(24 * days),
        place: Place { file: "f.yaml".into(), line: 1, column: 1 },
    }
}

fn moment(created: Option<&str>) -> Moment {
    Moment { today: day(TODAY), created: created.map(day) }
}

/// The verdict in one word, for tables.
fn word(verdict: &Verdict<'_, bool>) -> &'static str {
    match verdict {
        Verdict::InSync(Evidence::Attested(_)) => "attested",
        Verdict::InSync(Evidence::Inferred(_)) => "inferred",
        Verdict::Differs { evidence: Evidence::Attested(_), .. } => "differs, attested",
        Verdict::Differs { evidence: Evidence::Inferred(_), .. } => "differs, inferred",
        Verdict::Unknown(Doubt::Missing) => "missing",
        Verdict::Unknown(Doubt::Expired(_)) => "expired",
        Verdict::Unknown(Doubt::Void(..)) => "void",
        Verdict::Unknown(Doubt::Ahead(_)) => "ahead",
        Verdict::Unknown(Doubt::Disputed(..)) => "disputed",
        Verdict::Unknown(Doubt::Contradicted(..)) => "contradicted",
    }
}

/// What it is called, its day, for how many days it counts, since when the environment is there, and why it is worth nothing.
type Age = (&'static str, &'static str, i64, Option<&'static str>, Option<&'static str>);

const AGES: [Age; 9] = [
    ("of today", "2026-11-20", 90, None, None),
    ("on its last day", "2026-08-22", 90, None, None),
    ("one day too old", "2026-08-21", 90, None, Some("expired")),
    ("of tomorrow", "2026-11-21", 90, None, Some("ahead")),
    ("of the day on which the environment came", "2026-10-01", 90, Some("2026-10-01"), None),
    ("a day older than the environment", "2026-09-30", 90, Some("2026-10-01"), Some("void")),
    ("older than the environment, and expired", "2026-01-01", 90, Some("2026-10-01"), Some("void")),
    ("valid for hours, today", "2026-11-20", 0, None, None),
    ("valid for hours, yesterday", "2026-11-19", 0, None, Some("expired")),
];

#[test]
fn every_combination_of_declared_seen_age_and_observed() {
    let sentence = || "it shows".to_owned();
    for (name, on, days, created, worthless) in AGES {
        let entry = entry(on, days);
        for declared in [true, false] {
            for saw in [true, false] {
                let statements = [Statement { entry: &entry, saw, flaw: None }];
                let traces = [
                    Trace::Nothing,
                    Trace::Shows(true, sentence()),
                    Trace::Shows(false, sentence()),
                    Trace::RulesOut(true, sentence()),
                    Trace::RulesOut(false, sentence()),
                ];
                for trace in traces {
                    let verdict = judge(&declared, &trace, &statements, moment(created));
                    let attested = if declared == saw { "attested" } else { "differs, attested" };
                    let expected = match (&trace, worthless) {
                        (Trace::Shows(live, _), None) if *live != saw => "contradicted",
                        (Trace::Shows(live, _), _) if *live == declared => "inferred",
                        (Trace::Shows(..), _) => "differs, inferred",
                        (Trace::RulesOut(value, _), None) if *value == saw => "contradicted",
                        (_, Some(why)) => why,
                        (_, None) => attested,
                    };
                    assert_eq!(word(&verdict), expected, "declared {declared}, saw {saw} {name}, {trace:?}");
                }
            }
        }
    }
    assert_eq!(word(&judge(&true, &Trace::Nothing, &[], moment(None))), "missing");
}

#[test]
fn of_several_entries_the_newest_valid_one_counts() {
    type Entry = (&'static str, i64, bool);
    let cases: [(&[Entry], &str); 9] = [
        (&[("2026-11-01", 90, false), ("2026-11-10", 90, true)], "attested"),
        (&[("2026-11-10", 90, false), ("2026-11-01", 90, true)], "differs, attested"),
        // One of tomorrow, or an expired one that says the same, changes nothing.
        (&[("2026-11-10", 90, true), ("2026-11-21", 90, false)], "attested"),
        (&[("2026-10-01", 90, true), ("2026-11-10", 1, true)], "attested"),
        // A newer one that has expired still shows that the older one was overtaken.
        (&[("2026-10-01", 90, true), ("2026-11-10", 1, false)], "disputed"),
        (&[("2026-11-10", 90, true), ("2026-11-10", 90, true)], "attested"),
        (&[("2026-11-10", 90, true), ("2026-11-10", 90, false)], "disputed"),
        (&[("2026-11-10", 90, true), ("2026-11-10", 1, false)], "disputed"),
        (&[("2026-01-01", 90, true), ("2026-11-21", 90, true)], "expired"),
    ];
    for (entries, expected) in cases {
        for reversed in [false, true] {
            let mut made: Vec<(Attestation, bool)> =
                entries.iter().map(|(on, days, saw)| (entry(on, *days), *saw)).collect();
            if reversed {
                made.reverse();
            }
            let statements: Vec<_> =
                made.iter().map(|(entry, saw)| Statement { entry, saw: *saw, flaw: None }).collect();
            let verdict = judge(&true, &Trace::Nothing, &statements, moment(None));
            assert_eq!(word(&verdict), expected, "{entries:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: prop::test_runner::RngSeed::Fixed(7), ..ProptestConfig::default() })]

    /// Whatever entries there are: a thing is in sync by attestation only if a valid entry, and none that is as new, says that
    /// it was seen as declared; and never if what is observed says otherwise.
    #[test]
    fn no_declaration_that_differs_from_what_was_seen_is_ever_in_sync(
        declared in 0u8..3,
        entries in prop::collection::vec((0i64..400, 0i64..181, 0u8..3), 0..5),
        trace in prop::option::of((any::<bool>(), 0u8..3)),
        created in prop::option::of(0i64..400),
    ) {
        let at = |days: i64| day("2025-11-20").checked_add(SignedDuration::from_hours(24 * days)).unwrap();
        let made: Vec<(Attestation, u8)> = entries
            .iter()
            .map(|(on, days, saw)| (Attestation { on: at(*on), ..entry(TODAY, *days) }, *saw))
            .collect();
        let statements: Vec<_> = made.iter().map(|(entry, saw)| Statement { entry, saw: *saw, flaw: None }).collect();
        let trace = match trace {
            None => Trace::Nothing,
            Some((true, value)) => Trace::Shows(value, String::new()),
            Some((false, value)) => Trace::RulesOut(value, String::new()),
        };
        let moment = Moment { today: at(365), created: created.map(at) };
        match judge(&declared, &trace, &statements, moment) {
            Verdict::InSync(Evidence::Attested(by)) => {
                let newest = statements.iter().filter(|one| one.entry.on == by.on);
                prop_assert!(newest.clone().filter(|one| one.entry.on <= moment.today).all(|one| one.saw == declared));
                prop_assert!(by.on <= moment.today && super::judge::last_day(by) >= moment.today);
                prop_assert!(moment.created.is_none_or(|created| by.on >= created));
                prop_assert!(!matches!(&trace, Trace::RulesOut(value, _) if *value == declared));
                prop_assert!(!matches!(&trace, Trace::Shows(value, _) if *value != declared));
            }
            Verdict::InSync(Evidence::Inferred(_)) => prop_assert_eq!(&trace, &Trace::Shows(declared, String::new())),
            Verdict::Differs { live, .. } => prop_assert_ne!(live, declared),
            Verdict::Unknown(_) => {}
        }
    }
}
