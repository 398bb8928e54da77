//! The write of `keyVault` that links a vault, and how to see that it took effect.

use async_trait::async_trait;

use crate::azure::customer_insights::{self as ci, AccessState, Instance};
use crate::azure::operations::{Facts, PUT_KEY_VAULT};
use crate::azure::{CallError, Reader, Writer};
use crate::plan::{Binds, ReadBack, Step, StepError};
use crate::terms::VaultId;

/// Links the vault.
pub(super) struct LinkVault {
    pub(super) instance: Instance,
    pub(super) vault: VaultId,
    /// The vault that may be linked before; any other one stops the step.
    pub(super) instead_of: Option<VaultId>,
}

#[async_trait(?Send)]
impl Step for LinkVault {
    fn title(&self) -> String {
        format!("link the vault {}", self.vault.name())
    }

    fn operation(&self) -> &'static Facts {
        PUT_KEY_VAULT.facts()
    }

    fn binds(&self) -> Binds {
        let Self { instance, vault, instead_of } = self;
        let binds = Binds::none().and("instance", instance.id).and("vault", vault);
        instead_of.iter().fold(binds, |binds, vault| binds.and("replaces", vault))
    }

    /// A link replaces the one before, so what is linked is read once more.
    async fn write(&self, writer: &Writer) -> Result<(), StepError> {
        let linked = ci::key_vault(writer.reader(), &self.instance).await?.map(|link| link.vault);
        if let Some(other) = linked.filter(|linked| *linked != self.vault && Some(linked) != self.instead_of.as_ref()) {
            return Err(StepError::Stopped(format!("another vault is linked by now, {other}")));
        }
        Ok(ci::link_key_vault(writer, &self.instance, &self.vault).await?)
    }

    async fn read_back(&self, reader: &Reader) -> Result<ReadBack, CallError> {
        let linked = ci::key_vault(reader, &self.instance).await?;
        Ok(match linked {
            Some(link) if link.vault == self.vault && link.access == AccessState::Accessible => ReadBack::Shown,
            Some(link) if link.vault == self.vault => {
                ReadBack::NotYet(format!("Customer Insights can't use it: {}", link.access))
            }
            Some(link) => ReadBack::NotYet(format!("{} is linked", link.vault.name())),
            None => ReadBack::NotYet("Customer Insights shows no linked vault".to_owned()),
        })
    }
}
