//! What goes on in a Power Platform environment, for every setting that begins something there.
//!
//! Words: a *lifecycle operation* is begun by one call and goes on for minutes, or days; an environment takes one at a time; the
//! *course* is what its own list of operations says.
//!
//! Invariants: a list that isn't whole says nothing, and then nothing is begun; what goes on is neither begun again nor reported as
//! failed; of failures, those count that came after the last success of their kind.

use jiff::{SignedDuration, Timestamp};

use super::observation::{Observation, Unreadable};
use super::setting::Observing;
use super::surface::Surface;
use crate::azure::operations::ADMIN_LIST_LIFECYCLE_OPERATIONS;
use crate::azure::power_platform::EnvironmentId;
use crate::azure::power_platform::operations::{self, Kind, Operation, State};
use crate::azure::{CallError, Reader};
use crate::plan::{Hold, Mode, StepError};
use crate::terms::text::brief;

/// What the operations of an environment say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Course {
    /// Nothing goes on, and what was begun last of a kind ended well, or never was.
    Idle,
    /// Something goes on.
    UnderWay(UnderWay),
    /// What was begun last of a kind failed.
    Failed {
        /// How often in a row.
        times: usize,
        /// Why, the last time.
        why: String,
    },
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
        format!("Power Platform is at work on it ({}{age}); nothing else can be begun there meanwhile", self.how_far())
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
    /// What a whole list says, newest first, about operations of some kinds.
    pub fn of(all: &[Operation], kinds: &[Kind]) -> Self {
        if let Some(operation) = all.iter().find(|operation| !operation.state.is_over()) {
            return Self::UnderWay(UnderWay::of(operation));
        }
        let ours = all.iter().filter(|operation| operation.kind.as_ref().is_some_and(|kind| kinds.contains(kind)));
        let since: Vec<&Operation> = ours.take_while(|operation| operation.state != State::Succeeded).collect();
        let failed: Vec<&&Operation> = since.iter().filter(|operation| operation.state == State::Failed).collect();
        match failed.first() {
            None => Self::Idle,
            Some(last) => Self::Failed { times: failed.len(), why: why(last) },
        }
    }
}

/// The operations of an environment, newest first, by whichever contract may be used.
async fn list(reader: &Reader, surface: Surface, id: &EnvironmentId) -> Result<Vec<Operation>, CallError> {
    match surface.mode(ADMIN_LIST_LIFECYCLE_OPERATIONS.facts().provenance) {
        Mode::Automatic => operations::list(reader, id).await,
        Mode::Manual => operations::list_published(reader, id).await,
    }
}

/// What goes on in an environment, and how operations of some kinds ended there.
pub async fn course(observing: &Observing<'_>, id: &EnvironmentId, kinds: &[Kind]) -> Observation<Course> {
    let all = list(observing.look.reader(), observing.surface, id).await.map_err(Unreadable::from)?;
    Ok(Course::of(&all, kinds))
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
    Ok(match ours.or_else(|| all.iter().find(|operation| !operation.state.is_over())) {
        Some(operation) if operation.state == State::Failed => Ended::Failed(why(operation)),
        Some(operation) if !operation.state.is_over() => {
            Ended::NotYet(format!("Power Platform is at work on it ({})", UnderWay::of(operation).how_far()))
        }
        _ => Ended::NotYet("the operation ended, and the environment doesn't show its effect yet".to_owned()),
    })
}

/// What to make of a conflict: an operation of the same kind is adopted, another one stops the change, and what can't be read
/// does as well.
pub async fn conflict(reader: &Reader, id: &EnvironmentId, surface: Surface, kinds: &[Kind]) -> Result<(), StepError> {
    let all = list(reader, surface, id).await.map_err(|error| StepError::Unread(error.to_string()))?;
    match all.iter().find(|operation| !operation.state.is_over()) {
        Some(operation) if operation.kind.as_ref().is_some_and(|kind| kinds.contains(kind)) => Ok(()),
        Some(operation) => Err(StepError::Stopped(UnderWay::of(operation).told(reader.now()))),
        None => Err(StepError::Stopped(
            "the service says that something else is in the way, and doesn't show what".to_owned(),
        )),
    }
}

/// What a change of an environment has to itself: an environment takes one operation at a time.
pub fn hold(id: &EnvironmentId) -> Hold {
    Hold::named(format!("power platform environment {}", id.as_str().to_lowercase()))
}
