//! The one write of `apiAccess`, and how to see that it took effect.

use async_trait::async_trait;

use crate::azure::customer_insights::{self as ci, ApiAccess, Instance};
use crate::azure::operations::{ACTIVATE_API_SUBSCRIPTION, DEACTIVATE_API_SUBSCRIPTION, Facts};
use crate::azure::{CallError, Reader, Writer};
use crate::plan::{Binds, ReadBack, Step, StepError};

/// Turns API access on or off.
pub(super) struct Switch {
    pub(super) instance: Instance,
    pub(super) enable: bool,
}

#[async_trait(?Send)]
impl Step for Switch {
    fn title(&self) -> String {
        format!("turn API access {}", if self.enable { "on" } else { "off" })
    }

    fn operation(&self) -> &'static Facts {
        if self.enable { ACTIVATE_API_SUBSCRIPTION.facts() } else { DEACTIVATE_API_SUBSCRIPTION.facts() }
    }

    fn binds(&self) -> Binds {
        let Self { instance, enable } = self;
        Binds::none().and("instance", instance.id).and("enabled", enable)
    }

    async fn write(&self, writer: &Writer) -> Result<(), StepError> {
        match self.enable {
            true => ci::activate_api_access(writer, &self.instance).await?,
            false => ci::deactivate_api_access(writer, &self.instance).await?,
        }
        Ok(())
    }

    async fn read_back(&self, reader: &Reader) -> Result<ReadBack, CallError> {
        let live = ci::api_access(reader, &self.instance).await?;
        Ok(match (live == ApiAccess::On) == self.enable {
            true => ReadBack::Shown,
            false => ReadBack::NotYet(format!("the service still says {}", if self.enable { "off" } else { "on" })),
        })
    }
}
