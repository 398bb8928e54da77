//! Looking again, just before a write and just after it.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::plan::Findings;
use crate::settings::declaration::Declaration;
use crate::settings::survey::Survey;

/// Looks at one setting, always afresh.
#[async_trait(?Send)]
pub trait Looks {
    /// What is found in one setting of one scope at `now`.
    async fn setting(&self, scope: &str, setting: &str, now: Timestamp) -> Result<Findings, NoLook>;
}

/// Why a setting wasn't looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoLook {
    /// The configuration doesn't have it.
    Undeclared(String),
    /// It could not be read.
    Unread(String),
}

/// Looks by a survey at the environments of the configuration.
pub struct Fresh<'a> {
    /// Reads.
    pub survey: &'a Survey,
    /// The environments, by key.
    pub environments: BTreeMap<&'a str, &'a Declaration>,
}

#[async_trait(?Send)]
impl Looks for Fresh<'_> {
    async fn setting(&self, scope: &str, setting: &str, now: Timestamp) -> Result<Findings, NoLook> {
        let Some(environment) = self.environments.get(scope) else {
            return Err(NoLook::Undeclared("the configuration no longer declares this environment".to_owned()));
        };
        self.survey.setting(environment, setting, now).await.map_err(NoLook::Unread)
    }
}
