//! What goes on in a Power Platform environment, for every setting that begins something there.
//!
//! Words: a *lifecycle operation* is begun by one call and goes on for minutes, or days; an environment takes one at a time; the
//! *course* is what its own list of operations says.
//!
//! Invariants: a list that isn't whole says nothing, and then nothing is begun, and nothing is in sync; what goes on is neither begun
//! again nor reported as failed; of failures, those count that came after the last success of their kind; a state that isn't known
//! is neither an end nor a beginning.

use jiff::{SignedDuration, Timestamp};

use super::observation::{Observation, Unreadable};
use super::setting::Observing;
use super::surface::Surface;
use crate::azure::operations::ADMIN_LIST_LIFECYCLE_OPERATIONS;
use crate::azure::power_platform::operations::{self, Kind, Operation, State};
use crate::azure::power_platform::{Conflict, EnvironmentId};
use crate::azure::{CallError, Reader};
use crate::plan::{Hold, Mode, StepError};
use crate::terms::text::brief;

/// For so long the effect of an operation that succeeded may still be to show. Microsoft's own provider looks for minutes.
const SHOWS_WITHIN: SignedDuration = SignedDuration::from_hours(1);

/// The operations on one thing.
#[derive(Debug, Clone, Copy)]
pub struct Family {
    /// Those that palisade begins.
    pub begun: &'static [Kind],
    /// All that change the thing.
    pub all: &'static [Kind],
}

/// What the operations of an environment say about one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Course {
    /// Nothing goes on, and what was begun last ended well, or never was.
    Idle,
    /// The thing is being changed.
    UnderWay(UnderWay),
    /// Something else goes on, and nothing can be begun meanwhile.
    Elsewhere(UnderWay),
    /// What was begun last ended well.
    Succeeded {
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
    fn of(operation: &Operation) -> Self {
        let stage = operation.stage().map(|stage| format!("{} {}", brief(&stage.name), brief(stage.state.as_str())));
        Self { what: kind(operation), stage, since: operation.created }
    }

    /// For a person who reads a plan: what goes on, how far it is, and for how long.
    pub fn told(&self, now: Timestamp) -> String {
        let age = self.since.map(|since| format!(", for {}", age(now.duration_since(since)))).unwrap_or_default();
        format!(
            "Power Platform is at work on the environment ({}{age}); nothing else can be begun there meanwhile",
            self.how_far()
        )
    }

    /// For a person who waits.
    fn how_far(&self) -> String {
        let stage = self.stage.as_ref().map(|stage| format!(", stage {stage}")).unwrap_or_default();
        format!("{}{stage}", self.what)
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

fn why(operation: &Operation) -> String {
    let stage = operation.stage().filter(|stage| stage.state == State::Failed);
    let at = stage.map(|stage| format!(" at the stage {}", brief(&stage.name))).unwrap_or_default();
    let words = operation.error.as_ref().and_then(|error| error.message.as_deref().or(error.code.as_deref()));
    let words = words.map_or_else(|| "the service doesn't say why".to_owned(), brief);
    format!("{} failed{at}: {words}", kind(operation))
}

impl Course {
    /// What a whole list says, newest first.
    pub fn of(all: &[Operation], family: Family) -> Self {
        let is_of =
            |operation: &&Operation, kinds: &[Kind]| operation.kind.as_ref().is_some_and(|kind| kinds.contains(kind));
        if let Some(operation) = all.iter().find(|operation| operation.state.goes_on()) {
            let under_way = UnderWay::of(operation);
            if operation.kind.is_none() {
                return Self::Unclear(format!("{} goes on", under_way.what));
            }
            return if is_of(&operation, family.all) { Self::UnderWay(under_way) } else { Self::Elsewhere(under_way) };
        }
        if let Some(operation) = all.iter().find(|operation| !operation.state.is_over()) {
            let state = brief(operation.state.as_str());
            return Self::Unclear(format!("{} is in the state `{state}`, which isn't known here", kind(operation)));
        }
        let ours = || all.iter().filter(|operation| is_of(operation, family.begun));
        let since: Vec<&Operation> = ours().take_while(|operation| operation.state != State::Succeeded).collect();
        let failed: Vec<&&Operation> = since.iter().filter(|operation| operation.state == State::Failed).collect();
        match (failed.first(), all.iter().find(|operation| is_of(operation, family.all))) {
            (Some(last), _) => Self::Failed { times: failed.len(), why: why(last) },
            (None, Some(newest)) if is_of(&newest, family.begun) && newest.state == State::Succeeded => {
                Self::Succeeded { at: newest.last_action.or(newest.created) }
            }
            (None, _) => Self::Idle,
        }
    }

    /// Whether the effect of an operation that succeeded may still be to show.
    pub fn may_still_show(&self, now: Timestamp) -> bool {
        matches!(self, Self::Succeeded { at: Some(at) } if now.duration_since(*at) < SHOWS_WITHIN)
    }
}

/// The operations of an environment, newest first, by whichever contract may be used.
async fn list(reader: &Reader, surface: Surface, id: &EnvironmentId) -> Result<Vec<Operation>, CallError> {
    match surface.mode(ADMIN_LIST_LIFECYCLE_OPERATIONS.facts().provenance) {
        Mode::Automatic => operations::list(reader, id).await,
        Mode::Manual => operations::list_published(reader, id).await,
    }
}

/// What goes on in an environment, and how operations of one family ended there.
pub async fn course(observing: &Observing<'_>, id: &EnvironmentId, family: Family) -> Observation<Course> {
    let all = list(observing.look.reader(), observing.surface, id).await.map_err(Unreadable::from)?;
    Ok(match (Course::of(&all, family), observing.surface.mode(ADMIN_LIST_LIFECYCLE_OPERATIONS.facts().provenance)) {
        // The published contract doesn't say by which words it calls them: another word may mean the same thing.
        (Course::Elsewhere(other), Mode::Manual) => Course::Unclear(format!("{} goes on", other.what)),
        (course, _) => course,
    })
}

/// What an operation that was begun shows so far, where its effect doesn't.
pub enum Ended {
    /// It failed, and why.
    Failed(String),
    /// It goes on, or its effect is still to show.
    NotYet(String),
}

/// Looks for an operation that was begun, by its id. Without one, only its effect can tell how it ended.
pub async fn ended(
    reader: &Reader,
    id: &EnvironmentId,
    surface: Surface,
    begun: Option<&str>,
) -> Result<Ended, CallError> {
    let all = list(reader, surface, id).await?;
    let ours = begun.and_then(|begun| all.iter().find(|operation| operation.id.eq_ignore_ascii_case(begun)));
    Ok(match ours.or_else(|| all.iter().find(|operation| operation.state.goes_on())) {
        Some(operation) if operation.state == State::Failed => Ended::Failed(why(operation)),
        Some(operation) if operation.state == State::Succeeded => {
            Ended::NotYet("the operation succeeded, and its effect doesn't show yet".to_owned())
        }
        Some(operation) if operation.state.goes_on() => {
            Ended::NotYet(format!("it is still under way ({})", UnderWay::of(operation).how_far()))
        }
        Some(operation) => {
            Ended::NotYet(format!("the operation is in the state `{}`", brief(operation.state.as_str())))
        }
        None => Ended::NotYet("no effect shows yet, and the environment's list has no operation under way".to_owned()),
    })
}

/// What to make of a conflict, after the environment was read again: an operation on the same thing is adopted, another one is
/// waited for by a later run, and a refusal that the list doesn't explain is told in the service's words.
pub async fn conflict(
    reader: &Reader,
    id: &EnvironmentId,
    surface: Surface,
    family: Family,
    conflict: &Conflict,
) -> Result<(), StepError> {
    let all = list(reader, surface, id).await.map_err(|error| StepError::Unread(error.to_string()))?;
    let course = Course::of(&all, family);
    match &course {
        Course::UnderWay(_) => Ok(()),
        Course::Succeeded { .. } if course.may_still_show(reader.now()) => Ok(()),
        Course::Elsewhere(other) => Err(StepError::Late { reason: other.told(reader.now()), wrote: false }),
        _ => {
            let words = [&conflict.code, &conflict.message].into_iter().flatten().map(|text| brief(text));
            let words: String = words.map(|text| format!(", {text}")).collect();
            let reason = format!("Power Platform refused it (409{words}), and its list shows no operation under way");
            Err(StepError::Ended(reason))
        }
    }
}

/// What a change of an environment has to itself: an environment takes one operation at a time.
pub fn hold(id: &EnvironmentId) -> Hold {
    Hold::named(format!("power platform environment {}", id.as_str().to_lowercase()))
}
