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

/// The type of vaults.
pub(super) const VAULT: &str = "Microsoft.KeyVault/vaults";

/// Subscription, resource group and name of the ARM id of a resource of this type.
pub(super) fn located<'i>(id: &'i str, kind: &str) -> Option<(Uuid, &'i str, &'i str)> {
    let segments: Vec<&str> = id.strip_prefix('/')?.split('/').collect();
    let [s, subscription, g, group, p, namespace, own, name] = segments.as_slice() else { return None };
    let words = [(s, "subscriptions"), (g, "resourceGroups"), (p, "providers")];
    let fits = words.iter().all(|(found, word)| found.eq_ignore_ascii_case(word))
        && format!("{namespace}/{own}").eq_ignore_ascii_case(kind)
        && !group.is_empty()
        && !name.is_empty();
    Some((guid(subscription)?, *group, *name)).filter(|_| fits)
}

/// Subscription and name of a resource group's scope.
fn group_scope(scope: &str) -> Option<(Uuid, &str)> {
    let segments: Vec<&str> = scope.strip_prefix('/')?.split('/').collect();
    let [s, subscription, g, group] = segments.as_slice() else { return None };
    let fits = s.eq_ignore_ascii_case("subscriptions") && g.eq_ignore_ascii_case("resourceGroups") && !group.is_empty();
    Some((guid(subscription)?, *group)).filter(|_| fits)
}

/// A vault with the subscription and the resource group around it, and the rights of the embedded client. A vault whose name
/// is taken stays as it is, wherever it lies, deleted or not: names are unique in all of Azure.
pub(super) fn add_vault(world: &mut World, tenant: &Tenant, id: &str, now: Timestamp) {
    let Some((subscription, group, name)) = located(id, VAULT) else { return };
    add_group(world, subscription, group);
    let key = name.to_ascii_lowercase();
    if world.vaults.contains_key(&key) || world.deleted_vaults.get(&key).is_some_and(|gone| gone.is_kept(now)) {
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
        created: before(now, DEFAULTS.age),
        connections: Vec::new(),
        secrets: BTreeMap::new(),
        keys: BTreeMap::new(),
        rotation_policies: BTreeMap::new(),
    };
    world.vaults.insert(key, vault);
    for role in roles {
        grant_client(world, tenant, id, role, now);
    }
    own_group(world, tenant, (subscription, group), now);
}

/// The subscription and the resource group, if the world doesn't have them yet, and whether the group is new. For every kind
/// of Azure resource.
pub(super) fn add_group(world: &mut World, subscription: Uuid, group: &str) -> bool {
    let place = world.subscriptions.get_or_insert_with(subscription, || Subscription {
        display_name: format!("subscription {}", &subscription.simple().to_string()[..8]),
        resource_groups: BTreeMap::new(),
    });
    let key = group.to_ascii_lowercase();
    if place.resource_groups.contains_key(&key) {
        return false;
    }
    let made = ResourceGroup { name: group.to_owned(), location: DEFAULTS.azure_region.to_owned() };
    place.resource_groups.insert(key, made);
    true
}

/// A resource group for what is yet to be created in it. One that is there stays as it is, with whatever rights the embedded
/// client has on it.
pub(super) fn add_group_to_write_in(world: &mut World, tenant: &Tenant, scope: &str, now: Timestamp) {
    let Some((subscription, group)) = group_scope(scope) else { return };
    if add_group(world, subscription, group) {
        own_group(world, tenant, (subscription, group), now);
    }
}

/// Gives the embedded client its role on a resource group.
pub(super) fn own_group(world: &mut World, tenant: &Tenant, (subscription, group): (Uuid, &str), now: Timestamp) {
    let scope = format!("/subscriptions/{subscription}/resourceGroups/{group}");
    grant_client(world, tenant, &scope, DEFAULTS.resource.group_role, now);
}

/// Gives the embedded client a role on a scope.
pub(super) fn grant_client(world: &mut World, tenant: &Tenant, scope: &str, role: Uuid, now: Timestamp) {
    if let Some((client, _)) = world.application(CLIENT_ID) {
        grant(world, tenant, (scope, role, client), now);
    }
}

/// Gives a service principal a role on a scope, a day ago: what is seeded isn't propagating any more.
pub(super) fn grant(
    world: &mut World,
    tenant: &Tenant,
    (scope, role, principal_id): (&str, Uuid, Uuid),
    now: Timestamp,
) {
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
