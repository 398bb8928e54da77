//! What Azure says of keys and their vaults, and of who may use them.

use std::rc::Rc;

use super::block::KeyRef;
use super::grants;
use crate::azure::Look;
use crate::azure::authorization::RoleAssignment;
use crate::azure::keys::{DeletedKey, RotationPolicy};
use crate::azure::operations::LIST_VAULT_KEY_VERSIONS;
use crate::azure::rights::Holding;
use crate::azure::vault_keys::KeyVersion;
use crate::azure::vaults::{DeletedVault, Vault};
use crate::settings::observation::{Observation, Unreadable};
use crate::settings::vault_grants;
use crate::terms::{ObjectId, VaultId};

/// The rights of an identity on a key that it needs.
#[derive(Debug, Clone)]
pub struct Granted {
    /// The key.
    pub key: KeyRef,
    /// Its vault; none if Azure has none.
    pub vault: Observation<Option<Rc<Vault>>>,
    /// The roles that count for the key. Empty where access policies decide, or where there is no identity yet.
    pub held: Observation<Rc<[RoleAssignment]>>,
    /// Whether the caller may grant in the vault; asked only if something is to be granted.
    pub granting: Option<Observation<Holding>>,
}

/// What Azure says of a key and of what it hangs on.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The vault; none if Azure has none.
    pub vault: Observation<Option<Rc<Vault>>>,
    /// The key's pinned version, else its current one; none if the vault has none.
    pub version: Observation<Option<KeyVersion>>,
    /// All versions, in no order: what was in use before the current one is needed for a while. Asked only of a key that follows the
    /// newest version.
    pub versions: Observation<Rc<[KeyVersion]>>,
    /// When the vault makes new versions by itself; asked only of a key that follows the newest version, which expires.
    pub rotation: Option<Observation<Rc<RotationPolicy>>>,
    /// What soft delete keeps of it; asked only where the vault or the key is missing.
    pub kept: Option<Observation<Kept>>,
}

/// What soft delete keeps of a key that isn't there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// Its vault, with all that was in it.
    Vault(DeletedVault),
    /// The key.
    Key(DeletedKey),
    /// Nothing.
    Nothing,
}

impl Seen {
    /// For a key that nothing names.
    pub fn nothing() -> Self {
        Self { vault: Ok(None), version: Ok(None), versions: Ok(Rc::default()), rotation: None, kept: None }
    }
}

/// Asks for all of it.
pub async fn see(look: &Look, key: &KeyRef) -> Seen {
    let (vault, version) = tokio::join!(vault(look, &key.vault), version(look, key));
    let kept = match (&vault, &version) {
        (Ok(None), _) => Some(look.deleted_vault(&key.vault).await.map(|it| it.map_or(Kept::Nothing, Kept::Vault))),
        (Ok(Some(_)), Ok(None)) => {
            Some(look.deleted_key(&key.vault, &key.name).await.map(|it| it.map_or(Kept::Nothing, Kept::Key)))
        }
        _ => None,
    };
    let kept = kept.map(|kept| kept.map_err(Unreadable::from));
    let versions = match (&version, &key.version) {
        (Ok(Some(_)), None) => look.key_versions(&key.vault, &key.name).await.map_err(Unreadable::from),
        _ => Ok(Rc::default()),
    };
    let rotation = match (&version, &key.version) {
        (Ok(Some(newest)), None) if newest.expires.is_some() => {
            Some(look.rotation_policy(&key.vault, &key.name).await.map_err(Unreadable::from))
        }
        _ => None,
    };
    Seen { vault, version, versions, rotation, kept }
}

/// A vault; none if Azure has none.
async fn vault(look: &Look, id: &VaultId) -> Observation<Option<Rc<Vault>>> {
    look.vault(id).await.map_err(Unreadable::from)
}

/// The pinned version of a key, else its current one; none if the vault has none.
async fn version(look: &Look, key: &KeyRef) -> Observation<Option<KeyVersion>> {
    let KeyRef { vault, name, version } = key;
    let Some(pinned) = version else {
        return Ok(look.key(vault, name).await.map_err(Unreadable::from)?.as_deref().cloned());
    };
    let all = match look.key_versions(vault, name).await {
        Ok(all) => all,
        // Of a key that isn't there, there are no versions, either; only the key's own absence proves that.
        Err(error) if error.status() == Some(404) && look.key(vault, name).await.is_ok_and(|key| key.is_none()) => {
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    };
    if let Some(nameless) = all.iter().find(|one| one.version.is_none()) {
        let made = nameless.created.map(|at| format!(" of {at:.0}")).unwrap_or_default();
        let reason = format!("a version{made} of the key {name} has no name, so it can't be told which it is");
        return Err(Unreadable::from_operation(LIST_VAULT_KEY_VERSIONS.facts(), reason));
    }
    let is_pinned =
        |one: &&KeyVersion| one.version.as_deref().is_some_and(|version| version.eq_ignore_ascii_case(pinned));
    Ok(all.iter().find(is_pinned).cloned())
}

/// What an identity may do with a key; and, where `grants` says that something is to be granted, whether the caller may do that.
pub async fn granted(look: &Look, key: KeyRef, identity: Option<ObjectId>, provision: bool) -> Granted {
    let vault = vault(look, &key.vault).await;
    let by_roles = matches!(&vault, Ok(Some(vault)) if vault.properties.goes_by_roles());
    // Roles on the key alone count as well as those on its vault.
    let held = match (identity, key.resource()) {
        (Some(identity), Some(id)) if by_roles => look.roles(&id, identity).await.map_err(Unreadable::from),
        _ => Ok(Rc::default()),
    };
    let granting = match &vault {
        Ok(Some(live)) if provision && !grants::suffice(live, identity, &held) => {
            let needs = vault_grants::operation(live).needs;
            Some(look.holding(key.vault.resource(), &needs).await.map_err(Unreadable::from))
        }
        _ => None,
    };
    Granted { key, vault, held, granting }
}
