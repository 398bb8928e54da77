//! Whether a policy's key can be used: what Power Platform finds when it encrypts with it, and what locks environments when it
//! changes.
//!
//! The rules are documented (learn.microsoft.com/power-platform/admin/customer-managed-key and cmk-lock-unlock); the codes are
//! ours, since none is public, and begin with `Emulated`. Invariants: only the identity of the policy counts, and only what the
//! vault goes by: Azure roles or access policies.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::emulator::rights::Plane;
use crate::emulator::world::{
    AccessPolicy, Attributes, DefaultAction, EnterprisePolicy, Key, KeyVersion, PolicyKey, Vault, World,
};

/// What a key must be.
const TYPES: [&str; 2] = ["RSA", "RSA-HSM"];
const SIZES: [u16; 2] = [2048, 3072];
/// What the identity must be able to do, by the names of both vocabularies.
const RIGHTS: [(&str, &str); 3] =
    [("keys/read", "get"), ("keys/wrap/action", "wrapKey"), ("keys/unwrap/action", "unwrapKey")];

/// After how long the service uses a new version: documented as within a day or so.
const PICK_UP: SignedDuration = SignedDuration::from_hours(24);

/// Why a key can't be used: a code of ours, and words.
pub(crate) type Fault = (&'static str, String);

/// Which version of a key counts.
type Choice = fn(&Key, Option<&str>, Timestamp) -> Option<KeyVersion>;

/// Whether an environment can be encrypted with the key of a policy from now on: with its newest enabled version.
pub(crate) fn usable(world: &World, policy: &EnterprisePolicy, now: Timestamp) -> Result<(), Fault> {
    check(world, policy, now, |key, pinned, _| newest(key, pinned).cloned())
}

/// Whether environments that are encrypted with the key of a policy can go on: with the version that is in use.
pub(crate) fn goes_on(world: &World, policy: &EnterprisePolicy, now: Timestamp) -> Result<(), Fault> {
    check(world, policy, now, |key, pinned, now| in_use(key, pinned, now).cloned())
}

fn check(world: &World, policy: &EnterprisePolicy, now: Timestamp, choice: Choice) -> Result<(), Fault> {
    let key =
        policy.encryption.as_ref().ok_or_else(|| ("EmulatedKeyNotConfigured", "The policy has no key.".to_owned()))?;
    let PolicyKey { state, vault, name, version } = key;
    if !state.eq_ignore_ascii_case("Enabled") {
        return Err(("EmulatedKeyNotConfigured", "The encryption of the policy is not enabled.".to_owned()));
    }
    let vault = world.vaults.values().find(|known| known.id.eq_ignore_ascii_case(vault));
    let vault = vault.ok_or_else(|| ("EmulatedKeyVaultNotFound", "The key vault could not be found.".to_owned()))?;
    if !vault.enable_soft_delete || !vault.enable_purge_protection {
        let message = "The key vault must have soft delete and purge protection enabled.";
        return Err(("EmulatedKeyVaultNotProtected", message.to_owned()));
    }
    if is_shut(vault) {
        let message = "The key vault doesn't let trusted Microsoft services in.";
        return Err(("EmulatedKeyVaultNotReachable", message.to_owned()));
    }
    let found = vault.keys.get(&name.to_ascii_lowercase()).filter(|key| key.deleted.is_none());
    let found = found.ok_or_else(|| ("EmulatedKeyNotFound", format!("The key '{name}' could not be found.")))?;
    fits(&choice(found, version.as_deref(), now).ok_or_else(|| disabled(name))?, now)?;
    match policy.system_identity.filter(|identity| may(world, vault, *identity, name, now)) {
        Some(_) => Ok(()),
        None => Err((
            "EmulatedKeyAccessDenied",
            "The identity of the policy may not get, wrap and unwrap with the key.".to_owned(),
        )),
    }
}

/// The version that is in use, if it is enabled: the one that is pinned, or the newest that the service has picked up. Of one that
/// is disabled, when that happened tells whether it had been picked up before; where none had, the newest enabled one is used.
fn in_use<'k>(key: &'k Key, pinned: Option<&str>, now: Timestamp) -> Option<&'k KeyVersion> {
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

fn disabled(name: &str) -> Fault {
    ("EmulatedKeyDisabled", format!("The key '{name}' has no enabled version that could be used."))
}

fn fits(version: &KeyVersion, now: Timestamp) -> Result<(), Fault> {
    let size = version.key_size.unwrap_or_default();
    if !TYPES.contains(&version.kty.as_str()) || !SIZES.contains(&size) {
        let message = format!("A key of type {} with {size} bits is not supported.", version.kty);
        return Err(("EmulatedKeyNotSupported", message));
    }
    let attributes = &version.attributes;
    let active = attributes.not_before.is_none_or(|from| from <= now) && attributes.expires.is_none_or(|end| now < end);
    match active {
        true => Ok(()),
        false => Err(("EmulatedKeyNotActive", "The key is not yet active, or has expired.".to_owned())),
    }
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
