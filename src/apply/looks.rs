//! Looking again, just before a write and just after it.

use std::collections::BTreeMap;

use async_trait::async_trait;

use crate::azure::Fresh;
use crate::plan::Sighting;
use crate::settings::declaration::Declaration;
use crate::settings::survey::Survey;
use crate::terms::Scope;

/// Looks at one setting, always afresh.
#[async_trait(?Send)]
pub trait Looks {
    /// What is found in one setting of one scope.
    async fn setting(&self, scope: &Scope, setting: &str) -> Result<Fresh<Sighting>, NoLook>;
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
    /// What is declared, by scope.
    pub declarations: BTreeMap<Scope, &'a Declaration>,
}

#[async_trait(?Send)]
impl Looks for Surveyed<'_> {
    async fn setting(&self, scope: &Scope, setting: &str) -> Result<Fresh<Sighting>, NoLook> {
        let Some(declaration) = self.declarations.get(scope) else {
            return Err(NoLook::Undeclared("the configuration no longer declares it".to_owned()));
        };
        self.survey.setting(declaration, setting).await.map_err(NoLook::Unread)
    }
}
