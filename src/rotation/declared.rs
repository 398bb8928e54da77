//! What is declared about the rotation of one environment's keys.
//!
//! What must stay true: an assessment may rely on what [`Rotation::problems`] rules out only for comfort, never for the
//! safety of consumers.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::window::Window;

/// What happens to a replaced key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Retire {
    /// It is regenerated once its grace is over, so that its old value dies.
    #[default]
    AfterGrace,
    /// It stays valid until the next replacement.
    Keep,
}

/// How live values are looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Verify {
    /// Both keys and the secret are read and compared. Needs the right to read them.
    #[default]
    Values,
    /// Only the secret's age is read; which key is live shows when applying. Needs less rights, and sees less: a key that
    /// somebody replaced by hand goes unnoticed.
    Metadata,
}

/// Somebody who reads the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consumer {
    /// For people.
    pub name: String,
    /// How long it may use what it read.
    pub max_cache: SignedDuration,
}

/// What is declared about rotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    /// The age that no published key may reach.
    pub max_age: SignedDuration,
    /// How long before that a plan may rotate.
    pub renew_before: SignedDuration,
    /// How long a replaced key stays valid at least.
    pub grace: SignedDuration,
    /// What happens to a replaced key.
    pub retire: Retire,
    /// Keys issued before this are compromised.
    pub rotated_after: Option<Timestamp>,
    /// The day from which all consumers read the secret instead of having a key of their own.
    pub adopted_on: Option<Date>,
    /// Who reads the secret.
    pub consumers: Vec<Consumer>,
    /// When rotation and retirement may happen; always if empty.
    pub windows: Vec<Window>,
    /// How live values are looked at.
    pub verify: Verify,
    /// The id of the instance: names the owner of a secret, and spreads the due dates of environments.
    pub instance: String,
}

/// Declarations that can't be met together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A duration that must be longer than nothing.
    #[error("`{0}` must be longer than nothing")]
    NotPositive(&'static str),
    /// Consumers would be given less time than a key lives.
    #[error("`grace` is longer than `maxAge`: a key would be due again while its predecessor is still in grace")]
    GraceAboveMaxAge,
    /// Each new key would be due at once.
    #[error("`renewBefore` must be shorter than `maxAge`, or each new key is due at once")]
    RenewBeforeAboveMaxAge,
    /// A consumer would use a key after its grace.
    #[error("`grace` is shorter than the `maxCache` of {0}, which would use a key after it was retired")]
    GraceBelowCache(String),
    /// A name stands twice.
    #[error("the consumer {0} stands twice")]
    DuplicateConsumer(String),
    /// A window stands twice.
    #[error("the window `{0}` stands twice")]
    DuplicateWindow(String),
}

impl Rotation {
    /// The defaults for an instance.
    pub fn new(instance: impl Into<String>) -> Self {
        Self {
            max_age: SignedDuration::from_hours(90 * 24),
            renew_before: SignedDuration::from_hours(14 * 24),
            grace: SignedDuration::from_hours(7 * 24),
            retire: Retire::AfterGrace,
            rotated_after: None,
            adopted_on: None,
            consumers: Vec::new(),
            windows: Vec::new(),
            verify: Verify::Values,
            instance: instance.into(),
        }
    }

    /// What can't be met together.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (name, value) in [("maxAge", self.max_age), ("renewBefore", self.renew_before), ("grace", self.grace)] {
            if value <= SignedDuration::ZERO {
                problems.push(Problem::NotPositive(name));
            }
        }
        if self.grace > self.max_age {
            problems.push(Problem::GraceAboveMaxAge);
        }
        if self.renew_before >= self.max_age {
            problems.push(Problem::RenewBeforeAboveMaxAge);
        }
        for (index, consumer) in self.consumers.iter().enumerate() {
            if consumer.max_cache > self.grace {
                problems.push(Problem::GraceBelowCache(consumer.name.clone()));
            }
            if self.consumers[..index].iter().any(|earlier| earlier.name == consumer.name) {
                problems.push(Problem::DuplicateConsumer(consumer.name.clone()));
            }
        }
        for (index, window) in self.windows.iter().enumerate() {
            if self.windows[..index].contains(window) {
                problems.push(Problem::DuplicateWindow(window.to_string()));
            }
        }
        problems
    }

    /// How far into the renew window this environment waits, so that many environments don't rotate on one morning.
    /// Only the first half is used: a run that is missed must not make a key too old.
    pub(super) fn jitter(&self) -> SignedDuration {
        let digest: [u8; 32] = Sha256::digest(self.instance.to_ascii_lowercase()).into();
        let [a, b, c, d, ..] = digest;
        let share = i128::from(u32::from_be_bytes([a, b, c, d]));
        let half = i128::from(self.renew_before.as_secs() / 2);
        SignedDuration::from_secs(i64::try_from((half * share) >> 32).unwrap_or(0))
    }

    /// The instant from which no consumer has a key of its own any more: the end of the day everywhere on earth, since
    /// a date alone doesn't say where.
    pub(super) fn adopted(&self) -> Option<Timestamp> {
        let next = self.adopted_on?.tomorrow().ok()?;
        next.at(12, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    }

    /// Whether rotation and retirement may happen at an instant.
    pub(super) fn in_window(&self, now: Timestamp) -> bool {
        self.windows.is_empty() || self.windows.iter().any(|window| window.contains(now))
    }

    /// The first instant from `now` on at which rotation and retirement may happen.
    pub(super) fn window_opens(&self, now: Timestamp) -> Option<Timestamp> {
        match self.windows.is_empty() {
            true => Some(now),
            false => self.windows.iter().filter_map(|window| window.opens(now)).min(),
        }
    }
}

/// `instant` moved by a duration, held at the ends of time.
pub(super) fn after(instant: Timestamp, duration: SignedDuration) -> Timestamp {
    instant.saturating_add(duration).unwrap_or(Timestamp::MAX)
}

/// The second that an instant lies in: what tags and vaults can hold.
pub(super) fn whole_second(instant: Timestamp) -> Timestamp {
    instant.checked_sub(i64::from(instant.subsec_nanosecond()).nanoseconds()).unwrap_or(instant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_have_no_problems_and_each_problem_is_found() {
        assert_eq!(Rotation::new("a").problems(), []);
        let hours = SignedDuration::from_hours;
        let window: Window = "Mon 08:00-15:00 UTC".parse().unwrap();
        let consumer = Consumer { name: "sync".into(), max_cache: hours(200 * 24) };
        let declared = Rotation {
            max_age: hours(10),
            renew_before: hours(10),
            grace: hours(11),
            consumers: vec![consumer.clone(), consumer],
            windows: vec![window.clone(), window],
            ..Rotation::new("a")
        };
        assert_eq!(
            declared.problems(),
            [
                Problem::GraceAboveMaxAge,
                Problem::RenewBeforeAboveMaxAge,
                Problem::GraceBelowCache("sync".into()),
                Problem::GraceBelowCache("sync".into()),
                Problem::DuplicateConsumer("sync".into()),
                Problem::DuplicateWindow("Mon 08:00-15:00 UTC".into()),
            ]
        );
        let declared = Rotation { grace: SignedDuration::ZERO, ..Rotation::new("a") };
        assert_eq!(declared.problems(), [Problem::NotPositive("grace")]);
    }

    #[test]
    fn jitter_spreads_environments_over_the_first_half_of_the_renew_window() {
        let jitters: Vec<_> = (0..200).map(|id| Rotation::new(format!("i{id}")).jitter()).collect();
        assert!(
            jitters
                .iter()
                .all(|jitter| *jitter >= SignedDuration::ZERO && *jitter < SignedDuration::from_hours(7 * 24))
        );
        let early = jitters.iter().filter(|jitter| **jitter < SignedDuration::from_hours(84)).count();
        assert!((70..130).contains(&early), "{early} of 200 in the first half");
        assert_eq!(Rotation::new("ABC").jitter(), Rotation::new("abc").jitter());
    }

    #[test]
    fn a_day_of_adoption_ends_when_it_ends_everywhere() {
        let declared = Rotation { adopted_on: "2026-10-01".parse().ok(), ..Rotation::new("a") };
        assert_eq!(declared.adopted(), "2026-10-02T12:00:00Z".parse().ok());
    }
}
