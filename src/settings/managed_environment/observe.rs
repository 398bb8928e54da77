//! What Power Platform says about what goes on in an environment.

use crate::settings::lifecycle::{self, Course};
use crate::settings::observation::Observation;
use crate::settings::setting::Observing;

/// Everything that comparing needs, besides the environment itself.
#[derive(Debug, Clone)]
pub struct Observed {
    /// What goes on in the environment; none where it can't be read.
    pub course: Option<Observation<Course>>,
}

/// Asks what goes on: what is as declared may be about to change.
pub(super) async fn observe(observing: &Observing<'_>) -> Observed {
    let Ok(hosting) = observing.hosting else { return Observed { course: None } };
    Observed { course: Some(lifecycle::course(observing, &hosting.live.id, super::steps::FAMILY).await) }
}
