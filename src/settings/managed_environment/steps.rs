//! The one write of `managedEnvironment`, and how to see that it took effect.

use std::cell::RefCell;
use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::Value as Json;

use crate::azure::operations::{Facts, PLATFORM_ENABLE_MANAGED};
use crate::azure::power_platform::environments::{self, Environment, ProtectionLevel};
use crate::azure::power_platform::operations::Kind;
use crate::azure::power_platform::{EnvironmentId, Started};
use crate::azure::{CallError, Reader, Writer};
use crate::plan::{Binds, Hold, ReadBack, Step, StepError};
use crate::settings::hosting;
use crate::settings::lifecycle::{self, Ended, Family};
use crate::settings::surface::Surface;
use crate::terms::text::brief;

/// The operations on it, as Power Platform calls them.
pub(super) const FAMILY: Family = Family {
    begun: &[Kind::EnableGovernanceConfiguration],
    all: &[
        Kind::EnableGovernanceConfiguration,
        Kind::UpdateGovernanceConfiguration,
        Kind::DisableGovernanceConfiguration,
    ],
};

/// So many differences of the detailed settings are told by name.
const TOLD: usize = 5;

/// Makes an environment a Managed Environment.
pub(super) struct EnableManaged {
    environment: EnvironmentId,
    surface: Surface,
    /// The detailed settings as they were.
    settings: Option<BTreeMap<String, Json>>,
    /// Why it has to wait, as the look before the write showed.
    busy: Option<String>,
    /// The operation that was begun, if the service named it.
    begun: RefCell<Option<String>>,
}

impl EnableManaged {
    pub(super) fn new(live: &Environment, surface: Surface, busy: Option<String>) -> Self {
        let settings = live.extended_settings.clone();
        Self { environment: live.id.clone(), surface, settings, busy, begun: RefCell::default() }
    }
}

#[async_trait(?Send)]
impl Step for EnableManaged {
    fn title(&self) -> String {
        "make it a Managed Environment".to_owned()
    }

    fn operation(&self) -> &'static Facts {
        PLATFORM_ENABLE_MANAGED.facts()
    }

    fn binds(&self) -> Binds {
        // How it is read and what it was before is no part of what is approved.
        let Self { environment, surface: _, settings: _, busy: _, begun: _ } = self;
        Binds::none().and("environment", environment.as_str().to_lowercase())
    }

    fn holds(&self) -> Vec<Hold> {
        vec![lifecycle::hold(&self.environment)]
    }

    /// A conflict means that something goes on, or that it is managed already: the read-back tells which.
    async fn write(&self, writer: &Writer) -> Result<(), StepError> {
        if let Some(reason) = self.busy.clone() {
            return Err(StepError::Late { reason, wrote: false });
        }
        match environments::enable_managed(writer, &self.environment).await? {
            Started::Accepted(handle) => {
                *self.begun.borrow_mut() = handle.operation_id();
                Ok(())
            }
            Started::Nothing => Ok(()),
            Started::Conflict(conflict) => {
                let live = hosting::environment(writer.reader(), &self.environment, self.surface).await;
                let live = live.map_err(|error| StepError::Unread(error.to_string()))?;
                if live.protection_level == Some(ProtectionLevel::Standard) {
                    return Ok(());
                }
                lifecycle::conflict(writer.reader(), &self.environment, self.surface, FAMILY, &conflict).await
            }
        }
    }

    async fn read_back(&self, reader: &Reader) -> Result<ReadBack, CallError> {
        let live = hosting::environment(reader, &self.environment, self.surface).await?;
        if live.protection_level == Some(ProtectionLevel::Standard) {
            return Ok(match changed(self.settings.as_ref(), live.extended_settings.as_ref()) {
                None => ReadBack::Shown,
                Some(what) => ReadBack::ShownBut(format!("its detailed settings changed with that: {what}")),
            });
        }
        let begun = self.begun.borrow().clone();
        Ok(match lifecycle::ended(reader, &self.environment, self.surface, FAMILY, begun.as_deref()).await? {
            Ended::Failed(why) => ReadBack::Gone(why),
            Ended::Running(operation) => ReadBack::NotYet(format!("it is still under way ({})", operation.how_far())),
            Ended::NotYet(how_far) => ReadBack::NotYet(how_far),
        })
    }
}

/// What differs between the detailed settings, where both are known.
fn changed(before: Option<&BTreeMap<String, Json>>, after: Option<&BTreeMap<String, Json>>) -> Option<String> {
    let (before, after) = (before?, after?);
    let text = |value: Option<&Json>| match value {
        None => "nothing".to_owned(),
        Some(Json::String(text)) => format!("`{}`", brief(text)),
        Some(other) => brief(&other.to_string()),
    };
    let names: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let differing: Vec<String> = names
        .into_iter()
        .filter(|name| before.get(*name) != after.get(*name))
        .map(|name| format!("{} from {} to {}", brief(name), text(before.get(name)), text(after.get(name))))
        .collect();
    let more = differing.len().saturating_sub(TOLD);
    let told = differing.iter().take(TOLD).cloned().collect::<Vec<_>>().join(", ");
    match (differing.is_empty(), more) {
        (true, _) => None,
        (false, 0) => Some(told),
        (false, more) => Some(format!("{told}, and {more} more")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn settings(value: Json) -> BTreeMap<String, Json> {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_change_of_the_detailed_settings_is_told_and_unknown_ones_are_not() {
        let one = settings(json!({ "limitSharingMode": "noLimit", "solutionCheckerMode": "none" }));
        assert_eq!(changed(Some(&one), Some(&one)), None);
        assert_eq!(changed(None, Some(&one)), None);
        let other = settings(json!({ "limitSharingMode": "exclude", "maxLimitUserSharing": "-1" }));
        assert_eq!(
            changed(Some(&one), Some(&other)).unwrap(),
            "limitSharingMode from `noLimit` to `exclude`, maxLimitUserSharing from nothing to `-1`, solutionCheckerMode from \
             `none` to nothing"
        );
        let many = settings((0..8).map(|n| (format!("s{n}"), json!("x"))).collect());
        assert!(
            changed(Some(&settings(json!({}))), Some(&many)).unwrap().ends_with("s4 from nothing to `x`, and 3 more")
        );
    }
}
