//! What lies in Power Platform: Managed Environments, and keys of the customer's own.
//!
//! Words: a *hosted* environment is one of which the file declares something there; a *chain* is an enterprise policy with its key, its
//! vault and what its identity may do.

pub(crate) mod answers;
pub(crate) mod declared;
pub(crate) mod events;
pub(crate) mod furnish;
pub(crate) mod oracle;
pub(crate) mod shown;
pub(crate) mod trouble;

use palisade::emulator::{LifecycleOperation, World};
use uuid::Uuid;

use crate::names::SUBSCRIPTION;

/// One world of so many has something of Power Platform, so that all others are what they were without it.
const EACH: u64 = 5;

/// Whether the world of a seed has something of Power Platform.
pub(crate) fn is_in(seed: u64) -> bool {
    seed % EACH == EACH - 1
}

/// Policies that a file may name. The first two keep their keys in one vault, the third one in another.
pub(crate) const POLICIES: usize = 3;
pub(crate) const KEY_VAULTS: [&str; 2] = ["kv-cmk", "kv-cmk-former"];

/// An environment that is in every such world and in no file.
pub(crate) const OTHER_HOSTED: usize = 0xff;

/// Key Vault Crypto Service Encryption User.
pub(crate) const ENCRYPTION_USER: Uuid = Uuid::from_u128(0xe147_488a_f6f5_4113_8e2d_b224_65e6_5bf6);

/// The id of an environment in Power Platform.
pub(crate) fn hosted(number: usize) -> String {
    if number == OTHER_HOSTED {
        return "1bd6bd98-0000-4000-8000-00000000e0ff".to_owned();
    }
    format!("1bd6bd98-0000-4000-8000-00000000e00{}", number + 1)
}

pub(crate) fn policy(number: usize) -> String {
    let name = ["cmk-one", "cmk-two", "cmk-former"][number];
    format!(
        "/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-cmk/providers/Microsoft.PowerPlatform/enterprisePolicies/{name}"
    )
}

/// The vault that the key of a policy is in.
pub(crate) fn vault_of(policy: usize) -> &'static str {
    KEY_VAULTS[usize::from(policy == 2)]
}

pub(crate) fn key_vault(name: &str) -> String {
    format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-cmk/providers/Microsoft.KeyVault/vaults/{name}")
}

pub(crate) fn key(policy: usize) -> String {
    format!("pp-key-{policy}")
}

pub(crate) fn version(policy: usize) -> String {
    format!("{:032x}", 0xc0de_0000 + policy)
}

/// The operation that is active on an environment.
pub(crate) fn active(world: &World, number: usize, now: jiff::Timestamp) -> Option<&LifecycleOperation> {
    let id = hosted(number);
    world.lifecycle_operations.values().find(|one| one.environment == id && now < one.ends)
}

/// Whether the identity of a policy may use keys in a vault.
pub(crate) fn may_use(world: &World, identity: Uuid, vault: &str) -> bool {
    let Some(found) = world.vaults.get(vault) else { return false };
    if found.enable_rbac_authorization == Some(true) {
        return world.role_assignments.iter().any(|one| {
            let here = found.id.to_lowercase().starts_with(&one.scope.to_lowercase());
            one.principal_id == identity && one.role_definition == ENCRYPTION_USER && here
        });
    }
    let own = found.access_policies.iter().filter(|one| one.object_id == identity && one.application_id.is_none());
    let held: Vec<String> = own.flat_map(|one| &one.permissions.keys).map(|word| word.to_lowercase()).collect();
    ["get", "wrapkey", "unwrapkey"].iter().all(|word| held.iter().any(|one| one == word || one == "all"))
}

/// The identity of a policy.
pub(crate) fn identity(world: &World, number: usize) -> Option<Uuid> {
    world.enterprise_policies.get(&policy(number).to_lowercase())?.system_identity
}
