//! The pace of calls to one host: what all of them learn from one that was told to slow down. Pure.
//!
//! Words: a *pause* is what a service asks for with a 429; *spacing* is the time between two calls that palisade keeps by
//! itself once a pause was asked for, so that it doesn't run into the next one.
//!
//! Invariants: while a pause lasts, no call is due; without a 429, no call waits; spacing grows once per pause, however many
//! calls were under way when it began, and goes away by itself.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// The first spacing, and the longest one.
const SHORTEST: Duration = Duration::from_millis(10);
const LONGEST: Duration = Duration::from_secs(1);
/// After so many answers in a row the spacing is tried a quarter shorter.
const PATIENT_FOR: u32 = 40;

/// What is known of one host.
#[derive(Debug, Clone, Default)]
pub(super) struct Pace {
    /// The earliest instant for the next call; none before the first pause.
    due: Option<Timestamp>,
    /// When the last pause ends.
    paused_until: Option<Timestamp>,
    spacing: Duration,
    /// Answers since the spacing changed.
    in_a_row: u32,
    /// Answers in all.
    answered: u64,
}

impl Pace {
    /// Takes the next place: none if a call may go now, else how long it has to wait before it asks again.
    pub(super) fn take(&mut self, now: Timestamp) -> Option<Duration> {
        if let Some(due) = self.due.filter(|due| *due > now) {
            return Some(Duration::try_from(due.duration_since(now)).unwrap_or_default());
        }
        self.due = (!self.spacing.is_zero()).then(|| later(now, self.spacing));
        None
    }

    /// The service answered something else than a 429.
    pub(super) fn answered(&mut self) {
        self.answered += 1;
        self.in_a_row += 1;
        if self.in_a_row >= PATIENT_FOR && !self.spacing.is_zero() {
            self.in_a_row = 0;
            self.spacing = self.spacing * 3 / 4;
            if self.spacing < SHORTEST {
                self.spacing = Duration::ZERO;
            }
        }
    }

    /// The service asked for a pause.
    pub(super) fn throttled(&mut self, now: Timestamp, pause: Duration) {
        let is_new = self.paused_until.is_none_or(|until| until <= now);
        let until = later(now, pause);
        self.paused_until = self.paused_until.max(Some(until));
        self.due = self.due.max(Some(until));
        if is_new {
            self.in_a_row = 0;
            self.spacing = (self.spacing * 3 / 2).clamp(SHORTEST, LONGEST);
        }
    }

    /// How many answers there were: a call that is told to slow down while others get through hasn't failed.
    pub(super) fn progress(&self) -> u64 {
        self.answered
    }
}

fn later(now: Timestamp, by: Duration) -> Timestamp {
    let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
    now.saturating_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A service with a bucket that holds `burst` calls and gets one back each `refill`.
    struct Bucket {
        burst: u32,
        refill: Duration,
        credit: Duration,
        at: Timestamp,
    }

    fn start() -> Timestamp {
        "2026-11-20T12:00:00Z".parse().unwrap()
    }

    impl Bucket {
        fn new(burst: u32, refill: Duration) -> Self {
            Self { burst, refill, credit: refill * burst, at: start() }
        }

        fn takes(&mut self, now: Timestamp) -> bool {
            let since = Duration::try_from(now.duration_since(self.at)).unwrap();
            (self.credit, self.at) = ((self.credit + since).min(self.refill * self.burst), now);
            match self.credit.checked_sub(self.refill) {
                Some(rest) => self.credit = rest,
                None => return false,
            }
            true
        }
    }

    /// Sends `calls` calls, eight at a time, each of which takes `trip`; how long that took, and how many refusals there were.
    fn run(calls: usize, trip: Duration, mut bucket: Bucket, pause: Duration) -> (Duration, u64) {
        let (mut pace, mut now) = (Pace::default(), start());
        let (mut done, mut refused) = (0, 0);
        // When each call is answered, and what.
        let mut under_way: Vec<(Timestamp, bool)> = Vec::new();
        while done < calls {
            let may_send = under_way.len() < 8.min(calls - done);
            let wait = if may_send { pace.take(now) } else { None };
            if may_send && wait.is_none() {
                under_way.push((later(now, trip), bucket.takes(now)));
                continue;
            }
            let answer = under_way.iter().map(|(at, _)| *at).min();
            now = answer.into_iter().chain(wait.map(|wait| later(now, wait))).min().unwrap();
            let (over, still): (Vec<_>, Vec<_>) = under_way.into_iter().partition(|(at, _)| *at <= now);
            under_way = still;
            for (_, taken) in over {
                if taken {
                    done += 1;
                    pace.answered();
                } else {
                    refused += 1;
                    pace.throttled(now, pause);
                }
            }
        }
        (Duration::try_from(now.duration_since(start())).unwrap(), refused)
    }

    #[test]
    fn without_a_refusal_nothing_waits() {
        let bucket = Bucket::new(1000, Duration::from_millis(1));
        let (took, refused) = run(400, Duration::from_millis(10), bucket, Duration::from_secs(1));
        assert_eq!((took, refused), (Duration::from_millis(500), 0));
    }

    #[test]
    fn a_slow_service_is_used_at_a_good_part_of_its_rate() {
        // 25 calls a second and a burst of one: the least that 500 calls can take is 20 seconds.
        let bucket = Bucket::new(1, Duration::from_millis(40));
        let (took, refused) = run(500, Duration::from_millis(5), bucket, Duration::from_secs(1));
        assert!(took < Duration::from_secs(60), "{took:?}");
        assert!(refused < 100, "{refused}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { rng_seed: proptest::test_runner::RngSeed::Fixed(11), ..ProptestConfig::with_cases(64) })]

        /// Whatever the service allows, all calls get through, within a bounded multiple of what it allows.
        #[test]
        fn every_call_gets_through(burst in 1..20u32, refill in 1..200u64, trip in 1..200u64, pause in 0..3000u64) {
            let refill = Duration::from_millis(refill);
            let bucket = Bucket::new(burst, refill);
            let (took, _) = run(200, Duration::from_millis(trip), bucket, Duration::from_millis(pause));
            let least = (refill * 200).max(Duration::from_millis(trip) * 25);
            prop_assert!(took < least * 20 + Duration::from_secs(60), "{took:?} of at least {least:?}");
        }
    }

    fn millis(wait: u64) -> Duration {
        Duration::from_millis(wait)
    }

    /// When a call may go, and when the next one may that asks in the same moment: their distance is the spacing.
    fn spacing(pace: &mut Pace, now: Timestamp) -> Duration {
        assert_eq!(pace.take(now), None);
        pace.take(now).unwrap_or_default()
    }

    #[test]
    fn while_a_pause_lasts_no_call_is_due_and_the_longest_one_counts() {
        let mut pace = Pace::default();
        assert_eq!(spacing(&mut pace, start()), Duration::ZERO);
        pace.throttled(start(), millis(2000));
        pace.throttled(start(), millis(1000));
        assert_eq!(pace.take(start()), Some(millis(2000)));
        assert_eq!(pace.take(later(start(), millis(1999))), Some(millis(1)));
        // Both were under way when the one pause began: the spacing grew once.
        assert_eq!(spacing(&mut pace, later(start(), millis(2000))), SHORTEST);
        // A pause that outlasts the one before counts from its own beginning, and is the same one as long as that goes on.
        let mut pace = Pace::default();
        pace.throttled(start(), millis(1000));
        pace.throttled(later(start(), millis(999)), millis(1000));
        pace.throttled(later(start(), millis(1500)), millis(100));
        assert_eq!(pace.take(later(start(), millis(1000))), Some(millis(999)));
        assert_eq!(spacing(&mut pace, later(start(), millis(1999))), SHORTEST);
    }

    #[test]
    fn spacing_grows_with_each_pause_up_to_a_second() {
        let (mut pace, mut now) = (Pace::default(), start());
        let mut seen = Vec::new();
        for _ in 0..14 {
            pace.throttled(now, millis(1000));
            // A pause that begins the moment the last one ends is a new one.
            now = later(now, millis(1000));
            seen.push(pace.clone());
        }
        let spaced: Vec<Duration> = seen.iter_mut().map(|pace| spacing(pace, later(now, millis(9000)))).collect();
        assert_eq!(spaced[..3], [millis(10), millis(15), Duration::from_micros(22_500)]);
        assert_eq!(spaced[12..], [LONGEST, LONGEST]);
    }

    #[test]
    fn spacing_goes_away_with_answers_in_a_row_and_not_with_others() {
        let spaced = |answers: &[u32]| {
            let (mut pace, mut now) = (Pace::default(), start());
            for so_many in answers {
                for _ in 0..*so_many {
                    pace.answered();
                }
                pace.throttled(now, millis(1000));
                now = later(now, millis(1000));
            }
            (pace, now)
        };
        let after = |before: &[u32], answers: u32| {
            let (mut pace, now) = spaced(before);
            (0..answers).for_each(|_| pace.answered());
            (spacing(&mut pace, now), pace.progress())
        };
        // Two pauses: 15 ms.
        assert_eq!(after(&[0, 0], 39), (millis(15), 39));
        assert_eq!(after(&[0, 0], 40), (Duration::from_micros(11_250), 40));
        assert_eq!(after(&[0, 0], 79), (Duration::from_micros(11_250), 79));
        assert_eq!(after(&[0, 0], 80), (Duration::ZERO, 80));
        // A new pause begins the row anew; one more call that the same pause hits doesn't.
        assert_eq!(after(&[0, 39], 39), (millis(15), 78));
        assert_eq!(after(&[0, 39], 40), (Duration::from_micros(11_250), 79));
        let mut pace = Pace::default();
        pace.throttled(start(), millis(1000));
        (0..39).for_each(|_| pace.answered());
        pace.throttled(start(), millis(1000));
        pace.answered();
        assert_eq!(spacing(&mut pace, later(start(), millis(1000))), Duration::ZERO);
    }
}
