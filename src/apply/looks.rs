//! Looking again, just before a write and just after it.

use std::collections::BTreeMap;

use async_trait::async_trait;

use crate::azure::Fresh;
use crate::plan::Sighting;
use crate::settings::declaration::Declaration;
use crate::settings::survey::Survey;

/// Looks at one setting, always afresh.
#[async_trait(?Send)]
pub trait Looks {
    /// What is found in one setting of one scope.
    async fn setting(&self, scope: &str, setting: &str) -> Result<Fresh<Sighting>, NoLook>;
}

/// Why a setting wasn't looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoLook {
    /// The configuration doesn't have it.
    Undeclared(String),
    /// It could not be read.
    Unread(String),
}

/// Looks by a survey at what the configuration declares.
pub struct Surveyed<'a> {
    /// Reads.
    pub survey: &'a Survey,
    /// The environments, by key.
    pub environments: BTreeMap<&'a str, &'a Declaration>,
}

#[async_trait(?Send)]
impl Looks for Surveyed<'_> {
    async fn setting(&self, scope: &str, setting: &str) -> Result<Fresh<Sighting>, NoLook> {
        let Some(environment) = self.environments.get(scope) else {
            return Err(NoLook::Undeclared("the configuration no longer declares this environment".to_owned()));
        };
        self.survey.setting(environment, setting).await.map_err(NoLook::Unread)
    }
}
