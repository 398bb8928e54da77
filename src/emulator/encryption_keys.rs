//! Whether a key in a vault can be used by the identity of something that is encrypted with it: an enterprise policy's, a storage
//! account's.
//!
//! The rules are documented (learn.microsoft.com/power-platform/admin/customer-managed-key and
//! learn.microsoft.com/azure/storage/common/customer-managed-keys-overview). Invariants: only the identity itself counts, and only what
//! the vault goes by: Azure roles or access policies; what a service answers with is that service's own.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::rights::Plane;
use super::world::{AccessPolicy, Attributes, DefaultAction, Key, KeyVersion, Vault, World};

/// What a key must be, whatever it encrypts.
const TYPES: [&str; 2] = ["RSA", "RSA-HSM"];
/// What the identity must be able to do, by the names of both vocabularies.
const RIGHTS: [(&str, &str); 3] =
    [("keys/read", "get"), ("keys/wrap/action", "wrapKey"), ("keys/unwrap/action", "unwrapKey")];

/// Why a key can't be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Problem {
    /// The vault has no soft delete or no purge protection.
    VaultUnprotected,
    /// The vault keeps trusted services out.
    VaultShut,
    /// There is no such key.
    NoKey,
    /// It has no enabled version that could be used.
    Disabled,
    /// Its type or size isn't supported.
    Unsupported {
        /// `RSA` …
        kty: String,
        /// In bits.
        bits: u16,
    },
    /// Its dates don't allow it yet, or no longer.
    Inactive,
    /// The identity may not use it.
    Denied,
}

impl Problem {
    /// A code and words of ours, where a service has published none.
    pub(super) fn emulated(&self, key: &str) -> (&'static str, String) {
        match self {
            Self::VaultUnprotected => (
                "EmulatedKeyVaultNotProtected",
                "The key vault must have soft delete and purge protection enabled.".to_owned(),
            ),
            Self::VaultShut => {
                ("EmulatedKeyVaultNotReachable", "The key vault doesn't let trusted Microsoft services in.".to_owned())
            }
            Self::NoKey => ("EmulatedKeyNotFound", format!("The key '{key}' could not be found.")),
            Self::Disabled => {
                ("EmulatedKeyDisabled", format!("The key '{key}' has no enabled version that could be used."))
            }
            Self::Unsupported { kty, bits } => {
                ("EmulatedKeyNotSupported", format!("A key of type {kty} with {bits} bits is not supported."))
            }
            Self::Inactive => ("EmulatedKeyNotActive", "The key is not yet active, or has expired.".to_owned()),
            Self::Denied => {
                ("EmulatedKeyAccessDenied", "The identity may not get, wrap and unwrap with the key.".to_owned())
            }
        }
    }
}

/// Which version of a key that isn't pinned counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counts {
    /// The newest enabled one: for what is encrypted from now on.
    Newest,
    /// The one that the service has picked up: for what is encrypted already.
    PickedUp,
}

/// After how long a service uses a new version: documented as within a day or so.
const PICK_UP: SignedDuration = SignedDuration::from_hours(24);

/// The use of a key.
pub(super) struct Use<'a> {
    /// Its vault.
    pub(super) vault: &'a Vault,
    /// Its name.
    pub(super) key: &'a str,
    /// The version that is pinned.
    pub(super) version: Option<&'a str>,
    /// Which version counts otherwise.
    pub(super) counts: Counts,
    /// The sizes that the service supports.
    pub(super) sizes: &'a [u16],
    /// Whose use it is.
    pub(super) identity: Option<Uuid>,
}

/// The version that is used, if the key can be.
pub(super) fn usable<'a>(world: &World, of: &Use<'a>, now: Timestamp) -> Result<&'a KeyVersion, Problem> {
    let Use { vault, key, version, counts, sizes, identity } = of;
    // Asked for when something is to be encrypted; that it locks what is encrypted already is documented nowhere.
    let protected = vault.enable_soft_delete && vault.enable_purge_protection;
    if *counts == Counts::Newest && !protected {
        return Err(Problem::VaultUnprotected);
    }
    if is_shut(vault) {
        return Err(Problem::VaultShut);
    }
    let found = find(vault, key).ok_or(Problem::NoKey)?;
    let chosen = match counts {
        Counts::Newest => newest(found, *version),
        Counts::PickedUp => picked_up(found, *version, now),
    };
    let version = chosen.ok_or(Problem::Disabled)?;
    let bits = version.key_size.unwrap_or_default();
    if !TYPES.contains(&version.kty.as_str()) || !sizes.contains(&bits) {
        return Err(Problem::Unsupported { kty: version.kty.clone(), bits });
    }
    let attributes = &version.attributes;
    let active = attributes.not_before.is_none_or(|from| from <= now) && attributes.expires.is_none_or(|end| now < end);
    if !active {
        return Err(Problem::Inactive);
    }
    match identity.filter(|identity| may(world, vault, *identity, key, now)) {
        Some(_) => Ok(version),
        None => Err(Problem::Denied),
    }
}

/// A key that isn't deleted.
pub(super) fn find<'v>(vault: &'v Vault, key: &str) -> Option<&'v Key> {
    vault.keys.get(&key.to_ascii_lowercase()).filter(|key| key.deleted.is_none())
}

/// The version that is in use, if it is enabled: the one that is pinned, or the newest that the service has picked up. Of one that
/// is disabled, when that happened tells whether it had been picked up before; where none had, the newest enabled one is used.
fn picked_up<'k>(key: &'k Key, pinned: Option<&str>, now: Timestamp) -> Option<&'k KeyVersion> {
    let picked_up = |version: &&KeyVersion| {
        let Attributes { enabled, created, updated, .. } = &version.attributes;
        let until = if *enabled { now } else { *updated };
        until.duration_since(*created) >= PICK_UP
    };
    match key.versions.iter().rev().find(picked_up).filter(|_| pinned.is_none()) {
        Some(version) => Some(version).filter(|version| version.attributes.enabled),
        None => newest(key, pinned),
    }
}

/// The version that is pinned if it is enabled, else the newest enabled one.
fn newest<'k>(key: &'k Key, pinned: Option<&str>) -> Option<&'k KeyVersion> {
    let wanted = |version: &&KeyVersion| match pinned {
        Some(pinned) => version.version.eq_ignore_ascii_case(pinned),
        None => true,
    };
    key.versions.iter().rev().filter(wanted).find(|version| version.attributes.enabled)
}

/// Whether trusted services are kept out: the network is closed, and the firewall has no exception for them.
fn is_shut(vault: &Vault) -> bool {
    let disabled = vault.public_network_access.as_deref().is_some_and(|word| word.eq_ignore_ascii_case("Disabled"));
    vault.network_acls.as_ref().is_some_and(|acls| {
        let closed = disabled || acls.default_action == DefaultAction::Deny;
        closed && !acls.bypass.split(',').any(|word| word.trim().eq_ignore_ascii_case("AzureServices"))
    })
}

fn may(world: &World, vault: &Vault, identity: Uuid, key: &str, now: Timestamp) -> bool {
    if vault.enable_rbac_authorization == Some(true) {
        let scope = format!("{}/keys/{key}", vault.id);
        return RIGHTS.iter().all(|(action, _)| {
            world.azure_allows(identity, Plane::Data, &format!("Microsoft.KeyVault/vaults/{action}"), &scope, now)
        });
    }
    let groups = world.groups_of(identity);
    let own = |policy: &&AccessPolicy| {
        let named = policy.object_id == identity || groups.contains(&policy.object_id);
        named && policy.tenant_id == vault.tenant_id && policy.application_id.is_none()
    };
    let own: Vec<&AccessPolicy> = vault.access_policies.iter().filter(own).collect();
    RIGHTS.iter().all(|(_, permission)| {
        let mut listed = own.iter().flat_map(|policy| &policy.permissions.keys);
        listed.any(|word| word.eq_ignore_ascii_case(permission) || word.eq_ignore_ascii_case("all"))
    })
}
