//! What goes on in a Power Platform environment, for every setting that begins something there.
//!
//! Words: a *lifecycle operation* is begun by one call and goes on for minutes, or days; an environment takes one at a time; the
//! *course* is what its own list of operations says.
//!
//! Invariants: a list that isn't whole says nothing, and then nothing is begun, and nothing is in sync; what goes on is neither begun
//! again nor reported as failed; of failures, those count that came after the last success of their kind; a state that isn't known
//! is neither an end nor a beginning; an operation is taken for one that was begun only if it changes the same thing.

mod course;
mod ended;
#[cfg(test)]
pub(in crate::settings) mod tests;

pub use course::{Course, UnderWay};
pub use ended::{Ended, ended};

use jiff::Timestamp;

use super::observation::{Observation, Unreadable};
use super::setting::Observing;
use super::surface::Surface;
use crate::azure::operations::ADMIN_LIST_LIFECYCLE_OPERATIONS;
use crate::azure::power_platform::environments::Environment;
use crate::azure::power_platform::operations::{self, Kind, Operation};
use crate::azure::power_platform::{Conflict, EnvironmentId};
use crate::azure::{CallError, Reader};
use crate::plan::{Hold, Mode, StepError};
use crate::terms::text::brief;

/// The operations on one thing.
#[derive(Debug, Clone, Copy)]
pub struct Family {
    /// Those that palisade begins.
    pub begun: &'static [Kind],
    /// All that change the thing.
    pub all: &'static [Kind],
}

impl Family {
    /// Whether an operation is one that palisade begins.
    fn begins(self, operation: &Operation) -> bool {
        operation.kind.as_ref().is_some_and(|kind| self.begun.contains(kind))
    }

    /// Whether an operation changes the thing.
    fn changed_by(self, operation: &Operation) -> bool {
        operation.kind.as_ref().is_some_and(|kind| self.all.contains(kind))
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
        Course::Succeeded { .. } if course.may_still_show(family.begun, reader.now()) => Ok(()),
        Course::Elsewhere(other) => Err(StepError::Late { reason: other.told(reader.now()), wrote: false }),
        _ => {
            let words = [&conflict.code, &conflict.message].into_iter().flatten().map(|text| brief(text));
            let words: String = words.map(|text| format!(", {text}")).collect();
            let reason = format!("Power Platform refused it (409{words}), and its list shows no operation under way");
            Err(StepError::Ended(reason))
        }
    }
}

/// Why nothing can be begun in the environment now, if so.
pub fn busy(live: &Environment, course: &Course, now: Timestamp) -> Option<String> {
    if let Course::Elsewhere(operation) = course {
        return Some(operation.told(now));
    }
    let at_rest = |state: &&String| ["Ready", "NotSpecified"].iter().any(|rest| state.eq_ignore_ascii_case(rest));
    let state = live.management.as_ref().filter(|state| !at_rest(state))?;
    Some(format!("its management state is `{}`; nothing is begun until it is `Ready`", brief(state)))
}

/// What a change of an environment has to itself: an environment takes one operation at a time.
pub fn hold(id: &EnvironmentId) -> Hold {
    Hold::named(format!("power platform environment {}", id.as_str().to_lowercase()))
}
