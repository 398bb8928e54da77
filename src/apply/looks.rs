//! Looking again, just before a write and just after it.

use std::collections::BTreeMap;

use async_trait::async_trait;

use crate::azure::{Anew, Fresh};
use crate::plan::{Address, Sighting};
use crate::settings::declaration::Declaration;
use crate::settings::survey::Survey;
use crate::terms::Scope;

/// Looks at one setting, always afresh.
#[async_trait(?Send)]
pub trait Looks {
    /// What is found in one setting of one scope.
    async fn setting(&self, scope: &Scope, setting: &str) -> Result<Fresh<Sighting>, NoLook>;

    /// The same for a change that adds what is at an address.
    async fn addition(&self, scope: &Scope, setting: &str, address: &Address) -> Result<Anew<Sighting>, NoLook>;
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

impl Surveyed<'_> {
    fn declaration(&self, scope: &Scope) -> Result<&Declaration, NoLook> {
        let undeclared = || NoLook::Undeclared("the configuration no longer declares it".to_owned());
        self.declarations.get(scope).copied().ok_or_else(undeclared)
    }
}

#[async_trait(?Send)]
impl Looks for Surveyed<'_> {
    async fn setting(&self, scope: &Scope, setting: &str) -> Result<Fresh<Sighting>, NoLook> {
        self.survey.setting(self.declaration(scope)?, setting).await.map_err(NoLook::Unread)
    }

    async fn addition(&self, scope: &Scope, setting: &str, address: &Address) -> Result<Anew<Sighting>, NoLook> {
        self.survey.addition(self.declaration(scope)?, setting, address).await.map_err(NoLook::Unread)
    }
}
