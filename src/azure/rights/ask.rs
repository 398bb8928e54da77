//! Asking the services what the caller holds on an Azure resource.
//!
//! Rights on a resource matter only to who has read it, so reading it counts as used.
//!
//! Invariants: one resource costs one list, and one look at the vault if it is one, however many sets are asked about.

use super::super::access::Reader;
use super::super::authorization;
use super::super::error::CallError;
use super::super::vaults::{self, Properties};
use super::{Action, Granted, Holding, Needs, Place, by_list, by_policies};
use crate::terms::{ObjectId, ResourceId, VaultId};

/// What a resource says about its caller.
#[derive(Debug)]
pub struct Asked {
    list: Result<Granted, String>,
    policies: Option<(Properties, Option<ObjectId>)>,
    used: Option<Action>,
}

impl Asked {
    /// Whether `needs` are held there. Whatever could not be read leaves it unproved.
    pub fn holding(&self, needs: &Needs) -> Holding {
        let in_vault = needs.rights().iter().any(|right| right.place() == Place::Vault);
        match (&self.policies, &self.list) {
            (Some((vault, caller)), _) if in_vault => by_policies(needs, vault, *caller),
            (_, Ok(list)) => by_list(needs, list, self.used),
            (_, Err(why)) => Holding::unproved(needs, why),
        }
    }
}

/// Asks what `caller` holds on a resource, for sets of which `needs` are the ones that will be asked about.
pub async fn ask(reader: &Reader, caller: Option<ObjectId>, resource: &ResourceId, needs: &[Needs]) -> Asked {
    let in_vault = |needs: &Needs| needs.rights().iter().any(|right| right.place() == Place::Vault);
    let (mut policies, used) = (None, Action::to_read(resource));
    if needs.iter().any(in_vault) {
        match look(reader, resource).await {
            Ok(vault) => policies = Some(vault).filter(|vault| !vault.goes_by_roles()).map(|vault| (vault, caller)),
            // By which of the two the vault goes isn't known, so no list says anything about what is in it.
            Err(why) => return Asked { list: Err(why), policies: None, used },
        }
    }
    let list = match policies.is_some() && needs.iter().all(in_vault) {
        true => Ok(Granted::default()),
        false => authorization::granted(reader, resource).await.map_err(|error| unread(&error)),
    };
    Asked { list, policies, used }
}

async fn look(reader: &Reader, resource: &ResourceId) -> Result<Properties, String> {
    let id = VaultId::try_from(resource.clone()).map_err(|error| error.to_string())?;
    let vault = vaults::get(reader, &id).await.map_err(|error| error.to_string())?;
    vault.map(|vault| vault.properties).ok_or_else(|| format!("there is no vault {}", id.name()))
}

/// Why a list of rights doesn't tell.
pub(in crate::azure) fn unread(error: &CallError) -> String {
    match error.status() {
        Some(403) => "it may not read its own rights there".to_owned(),
        _ => format!("the list of its rights could not be read: {error}"),
    }
}
