//! Both keys at a glance: which one consumers hold, how old each is, and what comes next.
//!
//! Invariants: no value is shown, only fingerprints; which key is in use is told by equal values, never by tags; what
//! couldn't be read is told as unknown.

use jiff::Timestamp;

use super::alone::{Alone, alone};
use super::block::{Keys, SecretPlace};
use super::look::Look;
use crate::azure::{Look as Services, Reader};
use crate::rotation::{Assessment, Facts, Fingerprint, Issue, Move, Rotation, Spare, Verify, assess};
use crate::terms::Slot;

/// Both keys of an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overview {
    /// Where the key in force is published.
    pub published_as: SecretPlace,
    /// The slots; empty where they could not be read.
    pub slots: Vec<SlotView>,
    /// What holds now, for a person.
    pub now: String,
    /// When the published key is to be replaced, if that is known and lies ahead.
    pub rotation_due: Option<Timestamp>,
    /// When the replaced key is to be retired, if that is known and lies ahead.
    pub retirement_due: Option<Timestamp>,
    /// Whether something that was asked for could not be read.
    pub incomplete: bool,
}

/// One slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotView {
    /// Which.
    pub slot: Slot,
    /// Whether consumers hold its key.
    pub standing: Standing,
    /// How old its key is.
    pub age: Age,
    /// The fingerprint of its key.
    pub fingerprint: Fingerprint,
}

/// What a slot is at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Its key is the published one.
    InUse,
    /// Its key isn't the published one.
    Standby,
    /// The published key could not be compared.
    Unknown,
}

/// How old a key is, as far as anything tells: the service gives no dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// It didn't exist before this instant.
    NotBefore(Timestamp),
    /// It was first published then, and may be older.
    Published(Timestamp),
    /// It was published until then, and may be much older.
    PublishedUntil(Timestamp),
    /// Nothing tells.
    Unknown,
}

impl Look {
    /// Looks at both keys and at the secret, and says what holds. Values are compared whatever `verify` says: a person asks.
    pub async fn overview(&self, reader: &Reader) -> Overview {
        let live = self.live(reader, Verify::Values).await;
        of(&self.keys, &live.facts, reader.now())
    }

    /// The same where no operation shows the keys: what the vault alone tells.
    pub async fn overview_alone(&self, reader: &Reader) -> Overview {
        let secret = self.dates_alone(&Services::begin(reader, [])).await;
        let Alone { text, due, unread, .. } = alone(&self.keys, &secret, reader.now());
        let until =
            due.map(|due| format!(", and reaches `maxAge` on {}", due.strftime("%-d %B %Y"))).unwrap_or_default();
        Overview {
            published_as: self.keys.publish_to.clone(),
            slots: Vec::new(),
            now: format!(
                "{text}{until}. Which slot is in use can't be told: Microsoft publishes no operation that shows the keys"
            ),
            rotation_due: None,
            retirement_due: None,
            incomplete: unread,
        }
    }
}

fn of(keys: &Keys, facts: &Facts, now: Timestamp) -> Overview {
    let rotation = Rotation { verify: Verify::Values, ..keys.rotation.clone() };
    let assessment = assess(&rotation, facts, now);
    let view = |slot: Slot| {
        let fingerprint = facts.slots.value(slot)?;
        let standing = match (assessment.active, facts.published()) {
            (Some(active), _) if active == slot => Standing::InUse,
            (Some(_), _) | (None, Some(_)) => Standing::Standby,
            (None, None) => Standing::Unknown,
        };
        Some(SlotView { slot, standing, age: age(&assessment, standing), fingerprint })
    };
    let slots: Vec<SlotView> = [Slot::Primary, Slot::Secondary].into_iter().filter_map(view).collect();
    let ahead = |instant: Option<Timestamp>| instant.filter(|instant| *instant > now);
    Overview {
        published_as: keys.publish_to.clone(),
        incomplete: assessment.state == crate::rotation::State::Unknown,
        slots,
        rotation_due: ahead(assessment.due),
        retirement_due: ahead(assessment.retire_at),
        now: words(&assessment),
    }
}

/// What holds, and what the next apply does. The table above has said already which key is in use.
fn words(assessment: &Assessment) -> String {
    let Assessment { wanted, next, holds, due, active, reason, .. } = assessment;
    let since = due.map(|due| format!(" since {}", due.strftime("%-d %B %Y"))).unwrap_or_default();
    let in_use = active.map_or("the key in use", Slot::name);
    let what = match wanted {
        None if active.is_some() => return "nothing is due".to_owned(),
        Some(Move::Rotate { slot }) => {
            format!(
                "a rotation is due{since}: {slot} is to be regenerated and published; {in_use} keeps working for its grace"
            )
        }
        Some(Move::Retire { slot }) => {
            format!(
                "{slot}, which was replaced, is to be regenerated, so that its old key stops working; {in_use} stays in use"
            )
        }
        _ => return reason.clone(),
    };
    match (next, holds.is_empty()) {
        (Some(_), _) => format!("{what}. The next `palisade apply` does it"),
        (None, false) => format!("{what}. Held up: {reason}"),
        (None, true) => what,
    }
}

fn age(assessment: &Assessment, standing: Standing) -> Age {
    let Spare { replaced, issued } = match standing {
        Standing::InUse => {
            return match assessment.issue {
                Some(Issue::NotBefore(issued)) => Age::NotBefore(issued),
                Some(Issue::Unknown { published }) => Age::Published(published),
                None => Age::Unknown,
            };
        }
        Standing::Standby | Standing::Unknown => match assessment.spare {
            Some(spare) => spare,
            None => return Age::Unknown,
        },
    };
    match (issued, replaced) {
        (Some(issued), _) => Age::NotBefore(issued),
        (None, Some(replaced)) => Age::PublishedUntil(replaced),
        (None, None) => Age::Unknown,
    }
}
