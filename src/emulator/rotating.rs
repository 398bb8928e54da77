//! Keys that rotate by themselves.
//!
//! Words: a rotation is *due* when its policy's trigger has come. Invariants: each rotation happens at its own instant, however
//! late it is noticed, so that equal worlds on equal clocks have equal versions; a key that is disabled or deleted rests, which is
//! chosen; a policy counts from when it was set, and a version from when it was changed last.

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::Shared;
use super::store::StoreError;
use super::world::{Attributes, Key, KeyVersion, RotationPolicy, RotationTrigger, Vault, World, later, sooner};

/// Brings keys to the present: makes the versions that are due.
pub(crate) fn settle(shared: &Shared, now: Timestamp) -> Result<(), StoreError> {
    let waiting = |world: &World| -> Vec<String> {
        let vaults = world.vaults.iter().filter(|(_, vault)| due(vault, now).is_some());
        vaults.map(|(name, _)| name.clone()).collect()
    };
    if shared.store.read(|world| waiting(world).is_empty()) {
        return Ok(());
    }
    shared.store.change(|world| {
        let id = world.world;
        for name in waiting(world) {
            if let Some(vault) = world.vaults.get_mut(&name) {
                rotate((id, &name), vault, now);
            }
        }
        Ok(())
    })
}

fn rotate(place: (Uuid, &str), vault: &mut Vault, now: Timestamp) {
    while let Some((key, at)) = due(vault, now) {
        let policy = vault.rotation_policies.get(&key);
        let made = vault.keys.get(&key).and_then(|it| next_version(place, it, policy, at));
        match (vault.keys.get_mut(&key), made) {
            (Some(key), Some(made)) => key.versions.push(made),
            _ => return,
        }
    }
}

/// A key of a vault whose rotation is due, and since when.
fn due(vault: &Vault, now: Timestamp) -> Option<(String, Timestamp)> {
    vault.rotation_policies.iter().find_map(|(name, policy)| {
        let at = next_rotation(vault.keys.get(name)?, policy)?;
        (at <= now).then(|| (name.clone(), at))
    })
}

/// When a key rotates next.
fn next_rotation(key: &Key, policy: &RotationPolicy) -> Option<Timestamp> {
    let Attributes { enabled, expires, created, updated, .. } = &key.current()?.attributes;
    let at = match policy.rotate.as_ref()? {
        RotationTrigger::TimeAfterCreate(duration) => later(*created, duration)?,
        RotationTrigger::TimeBeforeExpiry(duration) => sooner((*expires)?, duration)?,
    };
    // A world file can say anything; what rotates without end never does.
    Some(at.max(policy.updated).max(*updated)).filter(|at| *enabled && at > created)
}

/// The version of a key that comes after the current one: of the same kind, size and use, with its tags, enabled, and valid for as
/// long as the policy says. Without a current version there is none.
pub(crate) fn next_version(
    (world, vault): (Uuid, &str),
    key: &Key,
    policy: Option<&RotationPolicy>,
    at: Timestamp,
) -> Option<KeyVersion> {
    let KeyVersion { version: _, kty, key_size, crv, key_ops, attributes: _, tags } = key.current()?.clone();
    let expiry = policy.and_then(|policy| policy.expiry_time.as_deref());
    let expires = expiry.and_then(|duration| later(at, duration));
    let attributes = Attributes { enabled: true, not_before: None, expires, created: at, updated: at };
    let version = version_id(world, &format!("{vault}/keys/{}/{}", key.name, key.versions.len()), at);
    Some(KeyVersion { version, kty, key_size, crv, key_ops, attributes, tags })
}

/// 32 lower-case hex digits. Derived from what is there and the instant, so that a run on a simulated clock can be repeated.
pub(crate) fn version_id(world: Uuid, place: &str, at: Timestamp) -> String {
    let digest =
        Sha256::new().chain_update(world.as_bytes()).chain_update(format!("{place}/{}", at.as_nanosecond())).finalize();
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
