//! What palisade writes into the tags of secret versions.
//!
//! Words: *slot*, the key slot that the value came from; *issued*, an instant before which the value did not exist;
//! *intent*, a regeneration that is about to be sent; *retired*, the fingerprint of the standby key after its
//! predecessor was retired; *begun*, an instant at which API access was off and about to be switched on; *looked*, what a
//! look at the values showed to a run that otherwise sees dates only.
//!
//! Invariants:
//!
//! - tags never decide which slot is live, equality of values does;
//! - a claim that matters carries the fingerprint of the value that it is about, or is about all values there are;
//! - tags of others are kept on the version that bears them; a new version takes as many as leave room for ours.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use super::fingerprint::Fingerprint;
use crate::terms::Slot;

const SLOT: &str = "palisade-slot";
const ISSUED: &str = "palisade-issued";
const PLAN: &str = "palisade-plan";
const INSTANCE: &str = "palisade-instance";
const INTENT: &str = "palisade-intent";
const RETIRED: &str = "palisade-retired";
const BEGUN: &str = "palisade-begun";
const LOOKED: &str = "palisade-looked";

/// Tags that a vault takes per version.
const LIMIT: usize = 15;

/// Tags that palisade may need at once.
const OURS: usize = 6;

/// What a regeneration is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// The new value is to be published.
    Rotate,
    /// The old value is to die; the new one is for nobody yet.
    Retire,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Self::Rotate => "rotate",
            Self::Retire => "retire",
        }
    }
}

/// Written before a regeneration is sent. If the slot's value is no longer `replaces`, it took place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Intent {
    /// What for.
    pub purpose: Purpose,
    /// The slot to regenerate.
    pub slot: Slot,
    /// The value that goes.
    pub replaces: Fingerprint,
    /// When this was written, and so an instant before which the new value did not exist.
    pub at: Timestamp,
}

/// Written after a retirement, about the value that came in place of the retired one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Retired {
    /// The standby's new value.
    pub standby: Fingerprint,
    /// An instant before which that value did not exist.
    pub at: Timestamp,
}

/// What a look at the values showed, for runs that see dates only (`verify: metadata`). It counts only on the version that
/// it names: tags are easily copied to another one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Looked {
    /// The version whose value it is about.
    pub version: String,
    /// An instant before which the published value did not exist, if one is known.
    pub issued: Option<Timestamp>,
    /// When the published value was first published.
    pub published: Timestamp,
    /// When the standby value was last replaced by another one, if it was ever published.
    pub replaced: Option<Timestamp>,
    /// An instant before which the standby value did not exist, if one is known.
    pub standby: Option<Timestamp>,
}

/// The tags of one version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tags {
    /// The slot that the value was read from.
    pub slot: Option<Slot>,
    /// An instant before which the value did not exist.
    pub issued: Option<Timestamp>,
    /// The intent digest of the plan that published it.
    pub plan: Option<String>,
    /// The instance that the key belongs to.
    pub instance: Option<String>,
    /// A regeneration that was about to be sent.
    pub intent: Option<Intent>,
    /// What a retirement left behind.
    pub retired: Option<Retired>,
    /// An instant at which API access was off and about to be switched on: keys that live later were made later.
    pub begun: Option<Timestamp>,
    /// What a look at the values showed.
    pub looked: Option<Box<Looked>>,
    /// Tags of others, kept as they are.
    pub others: BTreeMap<String, String>,
    /// Names of our own tags that say nothing intelligible. The next write leaves them out.
    pub unintelligible: Vec<String>,
}

impl Tags {
    /// Reads the tags that a vault answered. Nothing is an error: what can't be understood claims nothing.
    pub fn parse<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut tags = Self::default();
        for (name, value) in pairs {
            let understood = match name {
                SLOT => keep(&mut tags.slot, Slot::named(value)),
                ISSUED => keep(&mut tags.issued, value.parse().ok()),
                PLAN => keep(&mut tags.plan, Some(value.to_owned())),
                INSTANCE => keep(&mut tags.instance, Some(value.to_owned())),
                INTENT => keep(&mut tags.intent, value.parse().ok()),
                RETIRED => keep(&mut tags.retired, value.parse().ok()),
                BEGUN => keep(&mut tags.begun, value.parse().ok()),
                LOOKED => keep(&mut tags.looked, value.parse().ok().map(Box::new)),
                _ => tags.others.insert(name.to_owned(), value.to_owned()).is_none(),
            };
            if !understood {
                tags.unintelligible.push(name.to_owned());
            }
        }
        tags.unintelligible.sort_unstable();
        tags
    }

    /// All tags as a vault takes them.
    pub fn render(&self) -> BTreeMap<String, String> {
        let Self { slot, issued, plan, instance, intent, retired, begun, looked, others, unintelligible: _ } = self;
        let mut pairs = others.clone();
        let mut add = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                pairs.insert(name.to_owned(), value);
            }
        };
        add(SLOT, slot.map(|slot| slot.to_string()));
        add(ISSUED, issued.map(|issued| issued.to_string()));
        add(PLAN, plan.clone());
        add(INSTANCE, instance.clone());
        add(INTENT, intent.map(|intent| intent.to_string()));
        add(RETIRED, retired.map(|retired| retired.to_string()));
        add(BEGUN, begun.map(|begun| begun.to_string()));
        add(LOOKED, looked.as_ref().map(|looked| looked.to_string()));
        pairs
    }

    /// Whether the value was published by palisade, for an instance with this id.
    pub fn are_ours(&self, instance: &str) -> bool {
        match &self.instance {
            Some(named) => named.eq_ignore_ascii_case(instance),
            None => self.slot.is_some(),
        }
    }

    /// Whether they name this instance.
    pub fn name(&self, instance: &str) -> bool {
        self.instance.as_ref().is_some_and(|named| named.eq_ignore_ascii_case(instance))
    }

    /// Whether they claim that the value belongs to another instance.
    pub fn name_another_instance(&self, instance: &str) -> bool {
        self.instance.as_ref().is_some_and(|named| !named.eq_ignore_ascii_case(instance))
    }

    /// These tags, if a vault takes so many: if need be without the one that only people read.
    #[must_use]
    pub fn fitting(self) -> Option<Self> {
        let fits = |tags: &Self| tags.render().len() <= LIMIT;
        if fits(&self) {
            return Some(self);
        }
        Some(Self { plan: None, ..self }).filter(fits)
    }

    /// As many tags of others as leave room for ours.
    pub fn others_that_fit(&self) -> BTreeMap<String, String> {
        self.others.iter().take(LIMIT - OURS).map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}

fn keep<T>(place: &mut Option<T>, value: Option<T>) -> bool {
    *place = value;
    place.is_some()
}

impl fmt::Display for Intent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { purpose, slot, replaces, at } = self;
        write!(f, "{} {slot} {replaces} {at}", purpose.name())
    }
}

/// A text that isn't what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a tag of palisade")]
pub struct Unintelligible;

impl FromStr for Intent {
    type Err = Unintelligible;

    fn from_str(text: &str) -> Result<Self, Unintelligible> {
        let parts: Vec<&str> = text.split(' ').collect();
        let &[purpose, slot, replaces, at] = parts.as_slice() else { return Err(Unintelligible) };
        Ok(Self {
            purpose: [Purpose::Rotate, Purpose::Retire]
                .into_iter()
                .find(|known| known.name() == purpose)
                .ok_or(Unintelligible)?,
            slot: Slot::named(slot).ok_or(Unintelligible)?,
            replaces: replaces.parse().map_err(|_| Unintelligible)?,
            at: at.parse().map_err(|_| Unintelligible)?,
        })
    }
}

impl fmt::Display for Retired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { standby, at } = self;
        write!(f, "{standby} {at}")
    }
}

/// `-` stands for what isn't known.
impl fmt::Display for Looked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { version, issued, published, replaced, standby } = self;
        let word = |instant: &Option<Timestamp>| instant.map_or("-".to_owned(), |instant| instant.to_string());
        write!(f, "{version} {} {published} {} {}", word(issued), word(replaced), word(standby))
    }
}

impl FromStr for Looked {
    type Err = Unintelligible;

    fn from_str(text: &str) -> Result<Self, Unintelligible> {
        let parts: Vec<&str> = text.split(' ').collect();
        let &[version, issued, published, replaced, standby] = parts.as_slice() else { return Err(Unintelligible) };
        let instant = |text: &str| match text {
            "-" => Ok(None),
            text => text.parse().map(Some).map_err(|_| Unintelligible),
        };
        Ok(Self {
            version: version.to_owned(),
            issued: instant(issued)?,
            published: published.parse().map_err(|_| Unintelligible)?,
            replaced: instant(replaced)?,
            standby: instant(standby)?,
        })
    }
}

impl FromStr for Retired {
    type Err = Unintelligible;

    fn from_str(text: &str) -> Result<Self, Unintelligible> {
        let (standby, at) = text.split_once(' ').ok_or(Unintelligible)?;
        Ok(Self { standby: standby.parse().map_err(|_| Unintelligible)?, at: at.parse().map_err(|_| Unintelligible)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Tags {
        let at = "2026-11-20T12:00:00Z".parse().unwrap();
        Tags {
            slot: Some(Slot::Secondary),
            issued: Some(at),
            plan: Some("sha256:00".into()),
            instance: Some("6f2b".into()),
            intent: Some(Intent {
                purpose: Purpose::Rotate,
                slot: Slot::Primary,
                replaces: "0123456789ab".parse().unwrap(),
                at,
            }),
            retired: Some(Retired { standby: "ba9876543210".parse().unwrap(), at }),
            begun: Some(at),
            looked: Some(Box::new(Looked {
                version: "0af1".into(),
                issued: None,
                published: at,
                replaced: Some(at),
                standby: None,
            })),
            others: [("cost-center".to_owned(), "42".to_owned())].into(),
            unintelligible: Vec::new(),
        }
    }

    #[test]
    fn what_is_rendered_is_parsed() {
        let rendered = sample().render();
        assert_eq!(rendered["palisade-intent"], "rotate primary 0123456789ab 2026-11-20T12:00:00Z");
        assert_eq!(rendered["palisade-retired"], "ba9876543210 2026-11-20T12:00:00Z");
        assert_eq!(rendered["palisade-looked"], "0af1 - 2026-11-20T12:00:00Z 2026-11-20T12:00:00Z -");
        let parsed = Tags::parse(rendered.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        assert_eq!(parsed, sample());
        // What a vault takes: 256 characters.
        assert!(rendered.iter().all(|(name, value)| name.len() <= 256 && value.len() <= 256));
    }

    #[test]
    fn tags_of_others_are_kept_and_nonsense_claims_nothing() {
        let tags = Tags::parse([
            (SLOT, "tertiary"),
            (ISSUED, "yesterday"),
            (INTENT, "rotate primary 0123 2026-11-20T12:00:00Z"),
            (RETIRED, "ba9876543210"),
            ("owner", "data"),
        ]);
        assert_eq!(tags.slot, None);
        assert_eq!(tags.intent, None);
        assert_eq!(tags.unintelligible, [INTENT, ISSUED, RETIRED, SLOT]);
        assert_eq!(tags.render(), [("owner".to_owned(), "data".to_owned())].into());
    }

    #[test]
    fn whose_they_are() {
        let mut tags = sample();
        assert!(tags.are_ours("6F2B") && !tags.name_another_instance("6F2B"));
        assert!(!tags.are_ours("7a") && tags.name_another_instance("7a"));
        tags.instance = None;
        assert!(tags.are_ours("7a") && !tags.name_another_instance("7a"));
        tags.others = (0..10).map(|index| (format!("t{index}"), String::new())).collect();
        assert_eq!(tags.others_that_fit().len(), 9);
    }

    #[test]
    fn what_does_not_fit_loses_the_plan_first_and_never_a_tag_of_others() {
        let with = |others: usize| {
            let others = (0..others).map(|index| (format!("t{index}"), String::new())).collect();
            Tags { retired: None, begun: None, looked: None, others, ..sample() }
        };
        // Ours are slot, issued, plan, instance and intent.
        assert_eq!(with(10).fitting(), Some(with(10)));
        assert_eq!(with(11).fitting(), Some(Tags { plan: None, ..with(11) }));
        assert_eq!(with(12).fitting(), None);
    }
}
