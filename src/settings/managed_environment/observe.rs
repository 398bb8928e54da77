//! What Power Platform says about what goes on in an environment.

use super::block::Declared;
use crate::azure::power_platform::environments::ProtectionLevel;
use crate::settings::lifecycle::{self, Course};
use crate::settings::observation::Observation;
use crate::settings::setting::Observing;

/// Everything that comparing needs, besides the environment itself.
#[derive(Debug, Clone)]
pub struct Observed {
    /// What goes on in the environment; none where the environment is as declared, or can't be read.
    pub course: Option<Observation<Course>>,
}

/// Asks what goes on, where something would have to be begun.
pub(super) async fn observe(declared: Option<&Declared>, observing: &Observing<'_>) -> Observed {
    let Ok(hosting) = observing.hosting else { return Observed { course: None } };
    let to_begin = declared.is_some_and(|declared| declared.enabled)
        && hosting.live.protection_level == Some(ProtectionLevel::Basic);
    if !to_begin {
        return Observed { course: None };
    }
    Observed { course: Some(lifecycle::course(observing, &hosting.live.id, super::steps::KINDS).await) }
}
