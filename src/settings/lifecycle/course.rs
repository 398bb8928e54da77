//! What an environment's own list of operations says. Pure.

use jiff::{SignedDuration, Timestamp};

use super::Family;
use crate::azure::power_platform::operations::{Kind, Operation, State};
use crate::terms::text::brief;

/// For so long the effect of an operation that succeeded may still be to show. Microsoft's own provider looks for minutes.
const SHOWS_WITHIN: SignedDuration = SignedDuration::from_hours(1);

/// What the operations of an environment say about one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Course {
    /// Nothing goes on, and what was begun last ended well, or never was.
    Idle,
    /// The thing is being changed.
    UnderWay(UnderWay),
    /// Something else goes on, and nothing can be begun meanwhile.
    Elsewhere(UnderWay),
    /// The last operation that changed the thing ended well.
    Succeeded {
        /// Which kind of operation.
        what: Kind,
        /// When, if the service tells.
        at: Option<Timestamp>,
    },
    /// What was begun last failed.
    Failed {
        /// How often in a row.
        times: usize,
        /// Why, the last time.
        why: String,
    },
    /// An operation is in a state that isn't known, or goes on and may change the thing or not; in words.
    Unclear(String),
}

/// An operation that goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnderWay {
    /// What it does, in the service's word.
    pub what: String,
    /// How far it is, in the service's words.
    pub stage: Option<String>,
    /// Since when.
    pub since: Option<Timestamp>,
}

impl UnderWay {
    pub(super) fn of(operation: &Operation) -> Self {
        let stage = operation.stage().map(|stage| format!("{} {}", brief(&stage.name), brief(stage.state.as_str())));
        // The service tells seven digits of a second, which nobody needs.
        let since = operation.created.map(|at| Timestamp::from_second(at.as_second()).unwrap_or(at));
        Self { what: kind(operation), stage, since }
    }

    /// For a person who reads a plan: what goes on, how far it is, and for how long.
    pub fn told(&self, now: Timestamp) -> String {
        let age = self.since.map(|since| format!(", for {}", age(now.duration_since(since)))).unwrap_or_default();
        format!(
            "Power Platform is at work on the environment ({}{age}); nothing else can be begun there meanwhile",
            self.how_far()
        )
    }

    /// For a person who waits: what goes on, and how far it is.
    pub fn how_far(&self) -> String {
        let stage = self.stage.as_ref().map(|stage| format!(", stage {stage}")).unwrap_or_default();
        format!("{}{stage}", self.what)
    }

    /// Whether it is known to go on for longer than it may, by what is documented.
    pub fn overdue(&self, limit: SignedDuration, now: Timestamp) -> bool {
        self.since.is_some_and(|since| now.duration_since(since) > limit)
    }
}

fn kind(operation: &Operation) -> String {
    operation.kind.as_ref().map_or_else(|| "an operation of an unknown kind".to_owned(), |kind| brief(kind.as_str()))
}

/// Minutes, hours or days, whichever is the largest that isn't zero.
fn age(age: SignedDuration) -> String {
    let minutes = age.as_mins().max(0);
    let counted = |number: i64, unit: &str| format!("{number} {unit}{}", if number == 1 { "" } else { "s" });
    match minutes {
        0 => "less than a minute".to_owned(),
        1..60 => counted(minutes, "minute"),
        60..1440 => counted(minutes / 60, "hour"),
        _ => counted(minutes / 1440, "day"),
    }
}

pub(super) fn why(operation: &Operation) -> String {
    let stage = operation.stage().filter(|stage| stage.state == State::Failed);
    let at = stage.map(|stage| format!(" at the stage {}", brief(&stage.name))).unwrap_or_default();
    let words = operation.error.as_ref().and_then(|error| error.message.as_deref().or(error.code.as_deref()));
    let words = words.map_or_else(|| "the service doesn't say why".to_owned(), brief);
    format!("{} failed{at}: {words}", kind(operation))
}

impl Course {
    /// What a whole list says, newest first.
    pub fn of(all: &[Operation], family: Family) -> Self {
        if let Some(unclear) = Self::at_present(all, family) {
            return unclear;
        }
        let ours = || all.iter().filter(|operation| family.begins(operation));
        let since: Vec<&Operation> = ours().take_while(|operation| operation.state != State::Succeeded).collect();
        let failed: Vec<&&Operation> = since.iter().filter(|operation| operation.state == State::Failed).collect();
        let newest = all.iter().find(|operation| family.changed_by(operation));
        match (failed.first(), newest.filter(|newest| newest.state == State::Succeeded)) {
            (Some(last), _) => Self::Failed { times: failed.len(), why: why(last) },
            (None, Some(Operation { kind: Some(what), last_action, created, .. })) => {
                Self::Succeeded { what: what.clone(), at: last_action.or(*created) }
            }
            (None, _) => Self::Idle,
        }
    }

    /// What goes on, or may: of several operations, one that changes the thing, or may change it, says more than any other.
    fn at_present(all: &[Operation], family: Family) -> Option<Self> {
        let going_on = || all.iter().filter(|operation| operation.state.goes_on());
        if let Some(own) = going_on().find(|operation| family.changed_by(operation)) {
            return Some(Self::UnderWay(UnderWay::of(own)));
        }
        if let Some(kindless) = going_on().find(|operation| operation.kind.is_none()) {
            return Some(Self::Unclear(format!("{} goes on", kind(kindless))));
        }
        if let Some(odd) = all.iter().find(|operation| !operation.state.is_over() && !operation.state.goes_on()) {
            let state = brief(odd.state.as_str());
            return Some(Self::Unclear(format!("{} is in the state `{state}`, which isn't known here", kind(odd))));
        }
        going_on().next().map(|other| Self::Elsewhere(UnderWay::of(other)))
    }

    /// Since when what goes on goes on, if something does and the service tells.
    pub fn since(&self) -> Option<Timestamp> {
        match self {
            Self::UnderWay(operation) | Self::Elsewhere(operation) => operation.since,
            Self::Idle | Self::Succeeded { .. } | Self::Failed { .. } | Self::Unclear(_) => None,
        }
    }

    /// Whether an operation of these kinds succeeded last, and its effect may still be to show.
    pub fn may_still_show(&self, kinds: &[Kind], now: Timestamp) -> bool {
        self.shows_by(kinds, now).is_some()
    }

    /// Until when its effect may still be to show, where an operation of these kinds succeeded last.
    fn shows_by(&self, kinds: &[Kind], now: Timestamp) -> Option<Timestamp> {
        match self {
            // What lies in the future by the service's clock is as near.
            Self::Succeeded { what, at: Some(at) }
                if kinds.contains(what) && now.duration_since(*at).abs() < SHOWS_WITHIN =>
            {
                at.checked_add(SHOWS_WITHIN).ok()
            }
            _ => None,
        }
    }

    /// Why nothing is concluded from what the environment shows, while an effect may still be to show: what `did` was.
    pub fn may_be_old(&self, kinds: &[Kind], now: Timestamp, did: &str) -> Option<String> {
        let by = self.shows_by(kinds, now)?;
        Some(format!(
            "Power Platform says that {did} succeeded; what it shows of the environment may be from before, until {by:.0}"
        ))
    }
}
