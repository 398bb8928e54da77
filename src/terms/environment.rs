//! What an environment is: its names and ids.

use uuid::Uuid;

use super::{Place, Scope};

/// What one environment is, apart from its settings: its names and ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentHead {
    /// The key under `environments:`; palisade's name for the environment.
    pub key: String,
    /// Customer Insights - Data instance id. At least one of the two ids is there.
    pub instance_id: Option<Uuid>,
    /// Power Platform environment id. An opaque string: default environments are called `Default-{tenant}`.
    pub environment_id: Option<String>,
    /// The display name that the live environment must have, if the file binds it.
    pub name: Option<String>,
    /// Whether business unit separation is on (it allows the role Marketing Contributor).
    pub business_units: bool,
    /// Where the environment is written.
    pub place: Place,
}

impl EnvironmentHead {
    /// Its scope.
    pub fn scope(&self) -> Scope {
        Scope::environment(&self.key)
    }
}
