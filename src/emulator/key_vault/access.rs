//! Who may do what in a vault: network first, then Azure roles or access policies, whichever the vault goes by.

use std::net::IpAddr;

use uuid::Uuid;

use super::Visit;
use super::error::VaultError;
use crate::emulator::gate::Caller;
use crate::emulator::rights::Plane;
use crate::emulator::world::{AccessPolicy, DefaultAction, PolicyPermissions, Vault, World};

/// One right in both vocabularies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Right {
    /// The data action, below `Microsoft.KeyVault/vaults/`.
    pub(super) action: &'static str,
    /// `secret` or `key`.
    pub(super) noun: &'static str,
    /// The permission of an access policy.
    pub(super) permission: &'static str,
}

/// The vault's name, from its id.
pub(super) fn name_of(vault: &Vault) -> &str {
    vault.id.rsplit('/').next().unwrap_or_default()
}

/// The network in front of a vault. A private endpoint or a trusted service can't call an emulator, so there is no way
/// around it.
pub(super) fn network(world: &World, vault: &Vault, caller: Caller) -> Result<(), VaultError> {
    if vault.public_network_access.as_deref().is_some_and(|word| word.eq_ignore_ascii_case("Disabled")) {
        return Err(VaultError::by_connection(caller, vault));
    }
    let address = world.behaviour.client_address;
    match &vault.network_acls {
        Some(acls) if acls.default_action == DefaultAction::Deny => {
            match acls.ip_rules.iter().any(|rule| within(address, rule)) {
                true => Ok(()),
                false => Err(VaultError::by_firewall(caller, vault, address)),
            }
        }
        _ => Ok(()),
    }
}

/// Whether an address is the rule's, or in its range.
fn within(address: IpAddr, rule: &str) -> bool {
    let (base, bits) = rule.split_once('/').map_or((rule, None), |(base, bits)| (base, Some(bits)));
    let widest = if address.is_ipv4() { 32 } else { 128 };
    let (Ok(base), Ok(bits)) = (base.parse::<IpAddr>(), bits.map_or(Ok(widest), str::parse::<u32>)) else {
        return false;
    };
    let number = |address: IpAddr| match address {
        IpAddr::V4(v4) => (4, u128::from(v4.to_bits())),
        IpAddr::V6(v6) => (6, v6.to_bits()),
    };
    let ((kind, base), (asked, address)) = (number(base), number(address));
    let differing = widest.saturating_sub(bits);
    kind == asked && bits <= widest && (differing == 128 || base >> differing == address >> differing)
}

/// Whether the caller has a right in a vault, on one object (`below` is such as `/secrets/NAME`) or on all of them.
pub(super) fn require(
    visit: &Visit<'_>,
    world: &World,
    vault: &Vault,
    right: Right,
    below: &str,
) -> Result<(), VaultError> {
    let Right { action, noun, permission } = right;
    if vault.enable_rbac_authorization == Some(true) {
        let action = format!("Microsoft.KeyVault/vaults/{action}");
        let scope = format!("{}{below}", vault.id);
        return match world.azure_allows(visit.caller.oid, Plane::Data, &action, &scope, visit.now) {
            true => Ok(()),
            false => Err(VaultError::by_rbac(visit.caller, &action, &scope, vault)),
        };
    }
    match vault.access_policies.iter().any(|policy| grants(world, vault, policy, visit.caller, noun, permission)) {
        true => Ok(()),
        false => Err(VaultError::by_policy(visit.caller, noun, permission, vault)),
    }
}

fn grants(world: &World, vault: &Vault, policy: &AccessPolicy, caller: Caller, noun: &str, permission: &str) -> bool {
    let AccessPolicy { tenant_id, object_id, application_id, permissions } = policy;
    let PolicyPermissions { keys, secrets, certificates: _, storage: _ } = permissions;
    let held = |id: &Uuid| *id == caller.oid || world.groups_of(caller.oid).contains(id);
    // That `all` leaves out `purge` is chosen: the careful reading.
    let allowed = |list: &[String]| {
        list.iter()
            .any(|p| p.eq_ignore_ascii_case(permission) || p.eq_ignore_ascii_case("all") && permission != "purge")
    };
    *tenant_id == vault.tenant_id
        && held(object_id)
        && application_id.is_none_or(|id| id == caller.app_id)
        && allowed(if noun == "key" { keys } else { secrets })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_name_addresses_and_ranges() {
        let address: IpAddr = "203.0.113.7".parse().unwrap();
        for rule in ["203.0.113.7", "203.0.113.0/24", "203.0.113.7/32", "0.0.0.0/0"] {
            assert!(within(address, rule), "{rule}");
        }
        for rule in ["203.0.113.8", "203.0.113.8/30", "203.0.112.0/24", "::/0", "203.0.113.7/33", "x"] {
            assert!(!within(address, rule), "{rule}");
        }
        assert!(within("2001:db8::1".parse().unwrap(), "2001:db8::/32") && within("::1".parse().unwrap(), "::/0"));
    }
}
