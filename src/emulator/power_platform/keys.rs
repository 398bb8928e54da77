//! Whether a policy's key can be used: what Power Platform finds when it encrypts with it, and what locks environments when it
//! changes.
//!
//! The rules are documented (learn.microsoft.com/power-platform/admin/customer-managed-key and cmk-lock-unlock); the codes are
//! ours, since none is public, and begin with `Emulated`. Invariants: only the identity of the policy counts.

use jiff::Timestamp;

use crate::emulator::encryption_keys::{self, Counts, Use};
use crate::emulator::world::{EnterprisePolicy, PolicyKey, World};

/// The sizes that Power Platform supports.
const SIZES: [u16; 2] = [2048, 3072];

/// Why a key can't be used: a code of ours, and words.
pub(crate) type Fault = (&'static str, String);

/// Whether an environment can be encrypted with the key of a policy from now on: with its newest enabled version.
pub(crate) fn usable(world: &World, policy: &EnterprisePolicy, now: Timestamp) -> Result<(), Fault> {
    check(world, policy, now, Counts::Newest)
}

/// Whether environments that are encrypted with the key of a policy can go on: with the version that is in use.
pub(crate) fn goes_on(world: &World, policy: &EnterprisePolicy, now: Timestamp) -> Result<(), Fault> {
    check(world, policy, now, Counts::PickedUp)
}

fn check(world: &World, policy: &EnterprisePolicy, now: Timestamp, counts: Counts) -> Result<(), Fault> {
    let key =
        policy.encryption.as_ref().ok_or_else(|| ("EmulatedKeyNotConfigured", "The policy has no key.".to_owned()))?;
    let PolicyKey { state, vault, name, version } = key;
    if !state.eq_ignore_ascii_case("Enabled") {
        return Err(("EmulatedKeyNotConfigured", "The encryption of the policy is not enabled.".to_owned()));
    }
    let vault = world.vaults.values().find(|known| known.id.eq_ignore_ascii_case(vault));
    let vault = vault.ok_or_else(|| ("EmulatedKeyVaultNotFound", "The key vault could not be found.".to_owned()))?;
    let identity = policy.system_identity;
    let of = Use { vault, key: name, version: version.as_deref(), counts, sizes: &SIZES, identity };
    encryption_keys::usable(world, &of, now).map(drop).map_err(|problem| problem.emulated(name))
}
