//! What the services say about the vault: Customer Insights about the link, Azure about the vault, and Graph about who reads it.

use std::rc::Rc;

use super::block::Declared;
use super::grants;
use crate::azure::Look;
use crate::azure::authorization::RoleAssignment;
use crate::azure::customer_insights::{self as ci, KeyVaultLink, SERVICE_APP};
use crate::azure::directory::Name;
use crate::azure::graph::{Found, Key};
use crate::azure::operations::GET_KEY_VAULT;
use crate::azure::rights::Holding;
use crate::azure::vaults::Vault;
use crate::plan::Mode;
use crate::settings::observation::{Observation, Unreadable};
use crate::settings::setting::Observing;
use crate::settings::vault_grants;
use crate::terms::VaultId;

/// Everything that comparing needs.
#[derive(Debug, Clone)]
pub struct Observed {
    /// The link.
    pub link: Link,
    /// The declared vault, or the linked one where none is declared; none if there is no such vault, or nothing is linked.
    pub vault: Observation<Option<Rc<Vault>>>,
    /// The service principal of Customer Insights in the tenant.
    pub service: Found,
    /// The roles that it holds on the vault. Empty for vaults that go by access policies.
    pub held: Observation<Rc<[RoleAssignment]>>,
    /// Whether the identity that runs palisade may grant; asked only if something is to be granted.
    pub granting: Option<Observation<Holding>>,
}

/// What Customer Insights says.
#[derive(Debug, Clone)]
pub enum Link {
    /// The linked vault, if there is one.
    Read(Observation<Option<KeyVaultLink>>),
    /// No operation may be used to ask.
    NotAsked,
}

/// Asks all of them.
pub(super) async fn observe(declared: Option<&Declared>, observing: &Observing<'_>) -> Observed {
    let look = observing.look;
    let app = Name::Key(Key::App(SERVICE_APP));
    let declared_vault = async {
        match declared {
            Some(declared) => Some(vault(look, &declared.vault).await),
            None => None,
        }
    };
    let (link, declared_vault, ()) =
        tokio::join!(link(observing), declared_vault, look.directory().load([app.clone()]));
    let linked = match &link {
        Link::Read(Ok(Some(live))) => Some(&live.vault),
        Link::Read(_) | Link::NotAsked => None,
    };
    let vault = match (declared_vault, linked) {
        (Some(vault), _) => vault,
        (None, Some(linked)) => vault(look, linked).await,
        (None, None) => Ok(None),
    };
    let id = declared.map(|declared| &declared.vault).or(linked);
    let service = look.directory().get(&app);
    let mut held = Ok(Rc::default());
    let mut may_grant = None;
    if let (Some(id), Ok(Some(vault)), Ok(Some(service))) = (id, &vault, &service) {
        if vault.properties.goes_by_roles() {
            held = look.roles(id.resource(), service.id).await.map_err(Unreadable::from);
        }
        if let Ok(held) = &held
            && declared.is_some()
            && grants::any_missing(vault, service, held)
        {
            may_grant = Some(granting(look, id, vault).await);
        }
    }
    Observed { link, vault, service, held, granting: may_grant }
}

async fn link(observing: &Observing<'_>) -> Link {
    let instance = match observing.instance {
        Ok(instance) => instance,
        Err(unreadable) => return Link::Read(Err(unreadable.clone())),
    };
    match observing.surface.mode(GET_KEY_VAULT.facts().provenance) {
        Mode::Manual => Link::NotAsked,
        Mode::Automatic => Link::Read(ci::key_vault(observing.look.reader(), instance).await.map_err(Unreadable::from)),
    }
}

async fn vault(look: &Look, id: &VaultId) -> Observation<Option<Rc<Vault>>> {
    look.vault(id).await.map_err(Unreadable::from)
}

/// Whether the caller may grant on the vault, which it has just read.
async fn granting(look: &Look, id: &VaultId, vault: &Vault) -> Observation<Holding> {
    Ok(look.holding(id.resource(), &vault_grants::operation(vault).needs).await?)
}
