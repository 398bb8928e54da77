//! How an operation that was begun ended, where its effect doesn't show.
//!
//! Invariants: an operation is taken for the one that was begun by its id, or, where that isn't known or isn't listed, only if it
//! changes the same thing.

use super::course::{UnderWay, why};
use super::{Family, list};
use crate::azure::power_platform::EnvironmentId;
use crate::azure::power_platform::operations::{Operation, State};
use crate::azure::{CallError, Reader};
use crate::settings::surface::Surface;
use crate::terms::text::brief;

/// What an operation that was begun shows so far, where its effect doesn't.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// It failed, and why.
    Failed(String),
    /// It goes on.
    Running(UnderWay),
    /// Its effect is still to show, or it isn't known what became of it; in words.
    NotYet(String),
}

/// Looks for an operation that was begun, by its id. Without one, only its effect can tell how it ended.
pub async fn ended(
    reader: &Reader,
    id: &EnvironmentId,
    surface: Surface,
    family: Family,
    begun: Option<&str>,
) -> Result<Ended, CallError> {
    Ok(Ended::of(&list(reader, surface, id).await?, family, begun))
}

impl Ended {
    /// What a whole list says, newest first.
    pub(super) fn of(all: &[Operation], family: Family, begun: Option<&str>) -> Self {
        let going_on = || all.iter().filter(|operation| operation.state.goes_on());
        let ours = begun.and_then(|begun| all.iter().find(|operation| operation.id.eq_ignore_ascii_case(begun)));
        let Some(operation) = ours.or_else(|| going_on().find(|operation| family.changed_by(operation))) else {
            return Self::NotYet(match going_on().next() {
                Some(other) => {
                    let how_far = UnderWay::of(other).how_far();
                    format!("no effect shows yet, and Power Platform is at work on the environment ({how_far})")
                }
                None => "no effect shows yet, and the environment's list has no operation under way".to_owned(),
            });
        };
        match &operation.state {
            State::Failed => Self::Failed(why(operation)),
            State::Succeeded => Self::NotYet("the operation succeeded, and its effect doesn't show yet".to_owned()),
            state if state.goes_on() => Self::Running(UnderWay::of(operation)),
            state => Self::NotYet(format!("the operation is in the state `{}`", brief(state.as_str()))),
        }
    }
}
