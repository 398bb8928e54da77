//! What the services say about the vault: Customer Insights about the link, Azure about the vault, and Graph about who reads it.

use super::block::Declared;
use super::grants;
use crate::azure::authorization::{self, RoleAssignment};
use crate::azure::customer_insights::{self as ci, KeyVaultLink, SERVICE_APP};
use crate::azure::directory::Name;
use crate::azure::graph::{DirectoryObject, Found, Key};
use crate::azure::operations::GET_KEY_VAULT;
use crate::azure::rights::Holding;
use crate::azure::vaults::{self, Vault, VaultId};
use crate::azure::{CallError, Reader};
use crate::plan::Mode;
use crate::settings::observation::{Observation, Unreadable};
use crate::settings::setting::Observing;
use crate::terms::AzureScope;

/// Everything that comparing needs.
#[derive(Debug, Clone)]
pub struct Observed {
    /// The link.
    pub link: Link,
    /// The declared vault; none if Azure says that there is none.
    pub vault: Observation<Option<Vault>>,
    /// The service principal of Customer Insights in the tenant.
    pub service: Found,
    /// The roles that it holds on the vault. Empty for vaults that go by access policies.
    pub held: Observation<Vec<RoleAssignment>>,
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
pub(super) async fn observe(declared: &Declared, observing: &Observing<'_>) -> Observed {
    let Observing { reader, instance, directory, surface, .. } = observing;
    let app = Name::Key(Key::App(SERVICE_APP));
    let link = async {
        match surface.mode(GET_KEY_VAULT.facts().provenance) {
            Mode::Manual => Link::NotAsked,
            Mode::Automatic => Link::Read(ci::key_vault(reader, instance).await.map_err(Unreadable::from)),
        }
    };
    let (link, vault, ()) = tokio::join!(link, vault(reader, declared), directory.load(reader, [app.clone()]));
    let service = directory.get(&app);
    let mut held = Ok(Vec::new());
    if let (Ok(Some(vault)), Ok(Some(service))) = (&vault, &service)
        && vault.properties.goes_by_roles()
    {
        held = roles(reader, declared, service).await.map_err(Unreadable::from);
    }
    let mut may_grant = None;
    if let (Ok(Some(vault)), Ok(Some(service)), Ok(held)) = (&vault, &service, &held)
        && grants::any_missing(vault, service, held)
    {
        may_grant = Some(granting(reader, declared, vault).await);
    }
    Observed { link, vault, service, held, granting: may_grant }
}

/// The declared vault, freshly.
pub(super) async fn vault(reader: &Reader, declared: &Declared) -> Observation<Option<Vault>> {
    let id: VaultId =
        declared.vault.as_str().parse().map_err(|error: vaults::NoVaultId| Unreadable::because(error.to_string()))?;
    vaults::get(reader, &id).await.map_err(Unreadable::from)
}

/// The roles that the service principal holds on the vault, freshly.
async fn roles(
    reader: &Reader,
    declared: &Declared,
    service: &DirectoryObject,
) -> Result<Vec<RoleAssignment>, CallError> {
    authorization::assigned_to(reader, &AzureScope::Resource(declared.vault.clone()), service.id).await
}

/// Whether the caller may grant on the vault, which it has just read.
async fn granting(reader: &Reader, declared: &Declared, vault: &Vault) -> Observation<Holding> {
    let needs = &grants::operation(vault).needs;
    Ok(authorization::holding(reader, &declared.vault, needs).await?)
}
