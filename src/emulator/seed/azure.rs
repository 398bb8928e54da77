//! Seeding what lies in Azure: subscriptions, resource groups, vaults, and the embedded client's rights on them.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{DEFAULTS, VaultDefaults, derived_id};
use crate::emulator::CLIENT_ID;
use crate::emulator::call::guid;
use crate::emulator::views::before;
use crate::emulator::world::{
    AzurePrincipalType, ResourceGroup, RoleAssignment, Subscription, Tenant, Vault, VaultSku, World,
};

/// Subscription, resource group and name of a vault's ARM id.
fn vault_id(id: &str) -> Option<(Uuid, &str, &str)> {
    let segments: Vec<&str> = id.strip_prefix('/')?.split('/').collect();
    let [s, subscription, g, group, p, namespace, kind, name] = segments.as_slice() else { return None };
    let words = [
        (s, "subscriptions"),
        (g, "resourceGroups"),
        (p, "providers"),
        (namespace, "Microsoft.KeyVault"),
        (kind, "vaults"),
    ];
    let fits =
        words.iter().all(|(found, word)| found.eq_ignore_ascii_case(word)) && !group.is_empty() && !name.is_empty();
    Some((guid(subscription)?, *group, *name)).filter(|_| fits)
}

/// A vault with the subscription and the resource group around it, and the rights of the embedded client. A vault whose name
/// is taken stays as it is, wherever it lies: names are unique in all of Azure.
pub(super) fn add_vault(world: &mut World, tenant: &Tenant, id: &str, now: Timestamp) {
    let Some((subscription, group, name)) = vault_id(id) else { return };
    add_group(world, subscription, group);
    let key = name.to_ascii_lowercase();
    if world.vaults.contains_key(&key) {
        return;
    }
    let VaultDefaults { soft_delete, retention_in_days, purge_protection, azure_roles, public_network_access, roles } =
        DEFAULTS.vault;
    let vault = Vault {
        id: id.to_owned(),
        location: DEFAULTS.azure_region.to_owned(),
        tenant_id: tenant.id,
        sku: VaultSku::Standard,
        tags: BTreeMap::new(),
        enable_soft_delete: soft_delete,
        soft_delete_retention_in_days: retention_in_days,
        enable_purge_protection: purge_protection,
        enable_rbac_authorization: Some(azure_roles),
        access_policies: Vec::new(),
        network_acls: None,
        public_network_access: Some(public_network_access.to_owned()),
        created: now,
        connections: Vec::new(),
        secrets: BTreeMap::new(),
        keys: BTreeMap::new(),
    };
    world.vaults.insert(key, vault);
    for role in roles {
        grant_client(world, tenant, id, role, now);
    }
    let scope = format!("/subscriptions/{subscription}/resourceGroups/{group}");
    grant_client(world, tenant, &scope, DEFAULTS.resource.group_role, now);
}

/// The subscription and the resource group, if the world doesn't have them yet. For every kind of Azure resource.
pub(super) fn add_group(world: &mut World, subscription: Uuid, group: &str) {
    let place = world.subscriptions.get_or_insert_with(subscription, || Subscription {
        display_name: format!("subscription {}", &subscription.simple().to_string()[..8]),
        resource_groups: BTreeMap::new(),
    });
    let made = || ResourceGroup { name: group.to_owned(), location: DEFAULTS.azure_region.to_owned() };
    place.resource_groups.entry(group.to_ascii_lowercase()).or_insert_with(made);
}

/// Gives the embedded client a role, a day ago: what is seeded isn't propagating any more.
pub(super) fn grant_client(world: &mut World, tenant: &Tenant, scope: &str, role: Uuid, now: Timestamp) {
    let Some((principal_id, _)) = world.application(CLIENT_ID) else { return };
    let name = derived_id(tenant.id, "role-assignment", &format!("{scope}/{role}/{principal_id}"));
    if world.role_assignments.iter().all(|a| a.name != name) {
        let created_on = before(now, SignedDuration::from_hours(24));
        world.role_assignments.push(RoleAssignment {
            name,
            scope: scope.to_owned(),
            role_definition: role,
            principal_id,
            principal_type: AzurePrincipalType::ServicePrincipal,
            description: None,
            created_on,
        });
    }
}
