//! What the identity of a policy is granted. Pure.

use super::block::{Block, Protection};
use super::risks;
use crate::azure::vaults::Vault;
use crate::plan::{Address, Planned};
use crate::settings::block::Block as _;
use crate::settings::encryption_keys::demands::Fault;
use crate::settings::encryption_keys::grants::{self, Granting, Holder};
use crate::settings::encryption_keys::{Granted, same_key, upkeep};
use crate::settings::setting::Comparing;
use crate::terms::{ObjectId, Place, ResourceId, VaultId};

/// A vault, and the keys in it that an identity needs.
#[derive(Clone, Copy)]
pub(super) struct InVault<'a> {
    pub(super) id: &'a VaultId,
    pub(super) vault: &'a Vault,
    pub(super) keys: &'a [&'a Granted],
}

/// The identity of a policy.
pub(super) fn holder(policy: &ResourceId, identity: Option<ObjectId>) -> Holder<'_> {
    Holder { resource: policy, called: format!("the policy {}", policy.name()), identity }
}

/// That it may not use the keys of a vault.
pub(super) fn missing(vault: &Vault, id: &VaultId, policy: &ResourceId, identity: Option<ObjectId>) -> Fault {
    grants::missing(&holder(policy, identity), vault, id)
}

/// The change that grants it.
pub(super) fn plan(
    protection: &Protection,
    InVault { id, vault, keys }: InVault<'_>,
    identity: Option<ObjectId>,
    comparing: &Comparing<'_>,
    source: &Place,
) -> Planned {
    let granting = Granting {
        holder: holder(&protection.policy, identity),
        setting: Block::KEY,
        address: address(id, comparing),
        risk: risks::GRANT,
        reason: reason(protection, keys),
        source,
    };
    grants::plan(granting, vault, id, comparing)
}

/// The same for an environment that lost it.
pub(super) fn repair(
    protection: &Protection,
    InVault { id, vault, keys: _ }: InVault<'_>,
    (identity, address): (Option<ObjectId>, Address),
    what: &str,
    (comparing, source): (&Comparing<'_>, &Place),
) -> Planned {
    let holder = holder(&protection.policy, identity);
    let called = holder.called.clone();
    let reason = format!("{}; {what}", upkeep::LOCKDOWN);
    let granting = Granting { holder, setting: Block::KEY, address, risk: upkeep::REPAIR, reason, source };
    grants::plan(granting, vault, id, comparing).dangerous(upkeep::UNLOCKS, format!("{called} on {}", id.name()))
}

/// Which keys it is for, and why.
fn reason(protection: &Protection, keys: &[&Granted]) -> String {
    let own = |granted: &&&Granted| same_key(&granted.key, &protection.key);
    let names = |keys: Vec<&&Granted>| keys.into_iter().map(|granted| granted.key.name.clone()).collect::<Vec<_>>();
    let (own, former): (Vec<&&Granted>, Vec<&&Granted>) = keys.iter().partition(own);
    let own = names(own).into_iter().map(|key| format!("Power Platform uses {key} as the identity of the policy"));
    let former = match names(former) {
        former if former.is_empty() => None,
        former => Some(format!("backups need the former key {}, under the new policy as well", former.join(" and "))),
    };
    own.chain(former).collect::<Vec<_>>().join("; ")
}

/// The address of a grant on a vault.
pub(super) fn address(vault: &VaultId, comparing: &Comparing<'_>) -> Address {
    comparing.address(Block::KEY).part(&grants::part(vault))
}
