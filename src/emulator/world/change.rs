//! A change of the world that can still be undone.
//!
//! Invariants: unless it is completed, the world is as it was, whether the change failed, panicked or was forgotten; a
//! change costs what it touches, not what there is.

use super::patch::{self, Patch, Pointer};
use super::{Behaviour, Earlier, List, RoleAssignment, Tenant, World};
use serde_json::Value;
use uuid::Uuid;

/// A change under way.
pub(crate) struct Change<'a> {
    world: &'a mut World,
    /// What isn't in tables, as it was; none once the change is completed.
    was: Option<Rest>,
}

/// All but the tables.
struct Rest {
    format: String,
    world: Uuid,
    tenant: Option<Tenant>,
    behaviour: Behaviour,
    role_assignments: List<RoleAssignment>,
    earlier_resources: List<Earlier<Vec<Value>>>,
}

/// Does the same to every table of a world. A table that isn't listed doesn't compile.
macro_rules! tables {
    ($world:expr, $do:ident) => {{
        let World {
            format: _,
            world: _,
            tenant: _,
            behaviour: _,
            users,
            groups,
            applications,
            instances,
            subscriptions,
            role_assignments: _,
            custom_roles,
            vaults,
            deleted_vaults,
            storage_accounts,
            synapse_workspaces,
            user_assigned_identities,
            power_platform_environments,
            deleted_environments,
            enterprise_policies,
            lifecycle_operations,
            admin_applications,
            unregistered_providers,
            arm_operations,
            replicating_principals,
            earlier_resources: _,
        } = $world;
        $do!("users", users);
        $do!("groups", groups);
        $do!("applications", applications);
        $do!("instances", instances);
        $do!("subscriptions", subscriptions);
        $do!("customRoles", custom_roles);
        $do!("vaults", vaults);
        $do!("deletedVaults", deleted_vaults);
        $do!("storageAccounts", storage_accounts);
        $do!("synapseWorkspaces", synapse_workspaces);
        $do!("userAssignedIdentities", user_assigned_identities);
        $do!("powerPlatformEnvironments", power_platform_environments);
        $do!("deletedEnvironments", deleted_environments);
        $do!("enterprisePolicies", enterprise_policies);
        $do!("lifecycleOperations", lifecycle_operations);
        $do!("adminApplications", admin_applications);
        $do!("unregisteredProviders", unregistered_providers);
        $do!("armOperations", arm_operations);
        $do!("replicatingPrincipals", replicating_principals);
    }};
}

impl World {
    /// Makes what is there now what there is.
    pub(crate) fn settle(&mut self) {
        macro_rules! settle {
            ($name:literal, $table:expr) => {
                $table.settle();
            };
        }
        tables!(self, settle);
    }

    fn rest(&self) -> Rest {
        Rest {
            format: self.format.clone(),
            world: self.world,
            tenant: self.tenant.clone(),
            behaviour: self.behaviour.clone(),
            role_assignments: self.role_assignments.clone(),
            earlier_resources: self.earlier_resources.clone(),
        }
    }
}

impl<'a> Change<'a> {
    /// Begins with a settled world.
    pub(crate) fn of(world: &'a mut World) -> Self {
        let was = Some(world.rest());
        Self { world, was }
    }

    /// The world for changing.
    pub(crate) fn world(&mut self) -> &mut World {
        self.world
    }

    /// What has changed so far.
    pub(crate) fn differences(&self) -> serde_json::Result<Vec<Patch>> {
        let mut found = Vec::new();
        let root = Pointer::default();
        macro_rules! differences {
            ($name:literal, $table:expr) => {
                $table.differences(&root.below($name), &mut found)?;
            };
        }
        tables!(&*self.world, differences);
        if let Some(Rest { format, world, tenant, behaviour, role_assignments, earlier_resources }) = &self.was {
            let now = &*self.world;
            patch::differences(&root.below("format"), format, &now.format, &mut found)?;
            patch::differences(&root.below("world"), world, &now.world, &mut found)?;
            patch::differences(&root.below("tenant"), tenant, &now.tenant, &mut found)?;
            patch::differences(&root.below("behaviour"), behaviour, &now.behaviour, &mut found)?;
            role_assignments.differences_to(&now.role_assignments, &root.below("roleAssignments"), &mut found)?;
            earlier_resources.differences_to(&now.earlier_resources, &root.below("earlierResources"), &mut found)?;
        }
        Ok(found)
    }

    /// Makes it final.
    pub(crate) fn complete(mut self) {
        self.world.settle();
        self.was = None;
    }
}

impl Drop for Change<'_> {
    fn drop(&mut self) {
        let Some(Rest { format, world, tenant, behaviour, role_assignments, earlier_resources }) = self.was.take()
        else {
            return;
        };
        macro_rules! undo {
            ($name:literal, $table:expr) => {
                $table.undo();
            };
        }
        tables!(&mut *self.world, undo);
        let now = &mut *self.world;
        (now.format, now.world, now.tenant, now.behaviour) = (format, world, tenant, behaviour);
        (now.role_assignments, now.earlier_resources) = (role_assignments, earlier_resources);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::emulator::seed::{Wanted, WantedEnvironment, WantedVault, seed};
    use crate::emulator::world::{
        ArmOperation, CustomRole, DeletedVault, Deletion, EnterprisePolicy, FORMAT, LifecycleOperation, LifecycleWork,
        UserAssignedIdentity,
    };
    use crate::settings::users::PrincipalRef;
    use jiff::Timestamp;

    const GROUP: &str = "/subscriptions/00000000-0000-4000-8000-0000000000a1/resourceGroups/rg/providers";

    /// Something for every part of a world.
    fn fill(world: &mut World) {
        let id = Uuid::from_u128(1);
        let environment = WantedEnvironment {
            key: "e".into(),
            instance_id: Some(id),
            environment_id: "e1".into(),
            name: None,
            business_units: false,
            principals: vec![PrincipalRef::Group { name: "g".into(), id: Uuid::from_u128(2) }],
        };
        let wanted = Wanted {
            tenant: Uuid::from_u128(3),
            environments: vec![environment],
            vaults: vec![WantedVault { id: format!("{GROUP}/Microsoft.KeyVault/vaults/kv") }],
            resources: vec![
                format!("{GROUP}/Microsoft.Storage/storageAccounts/lake"),
                format!("{GROUP}/Microsoft.Synapse/workspaces/ws"),
            ],
            ..Wanted::default()
        };
        let now = Timestamp::UNIX_EPOCH;
        seed(world, &wanted, now).unwrap();
        world.format = format!("{FORMAT}+");
        world.world = id;
        world.behaviour.refuse_last_admin = true;
        world.custom_roles.insert(id, CustomRole { role_name: "r".into(), permissions: Vec::new() });
        world.arm_operations.insert(id, ArmOperation { target: "/".into(), started: now, ends: now, fails: false });
        let deletion = Deletion { deleted: now, scheduled_purge: now };
        let vault = world.vaults.values().next().unwrap().clone();
        world.deleted_vaults.insert("gone".into(), DeletedVault { vault, deletion });
        world.deleted_environments.insert("gone".into(), now);
        world.replicating_principals.insert(id, now);
        let identity = UserAssignedIdentity { id: format!("{GROUP}/x"), principal_id: id, client_id: id };
        world.user_assigned_identities.insert(identity.id.to_lowercase(), identity);
        world.unregistered_providers.insert("s/microsoft.powerplatform".into(), Some(now));
        let policy = EnterprisePolicy {
            id: format!("{GROUP}/Microsoft.PowerPlatform/enterprisePolicies/cmk"),
            location: "europe".into(),
            kind: "Encryption".into(),
            tags: BTreeMap::new(),
            system_identity: None,
            guid: id,
            encryption: None,
            network_injection: None,
            created: now,
            created_by: id,
        };
        world.enterprise_policies.insert(policy.id.to_lowercase(), policy);
        let operation = LifecycleOperation {
            environment: "e1".into(),
            kind: "Enable".into(),
            started: now,
            ends: now,
            requested_by: id,
            work: LifecycleWork::Enable,
            before: None,
            failure: None,
            applied: false,
        };
        world.lifecycle_operations.insert(id, operation);
        world.earlier_resources.push(Earlier { until: now, was: vec![Value::Null] });
    }

    #[test]
    fn every_part_of_a_world_is_told_and_undone() {
        let mut world = World::new(None);
        let before = world.clone();
        let mut change = Change::of(&mut world);
        fill(change.world());
        let after = change.world().clone();
        let differences = change.differences().unwrap();
        drop(change);
        assert_eq!(world, before);

        let mut document = serde_json::to_value(&before).unwrap();
        let (was, now) = (document.clone(), serde_json::to_value(&after).unwrap());
        for (name, part) in now.as_object().unwrap() {
            assert_ne!(was.get(name), Some(part), "`{name}` isn't tried here");
        }
        for patch in differences {
            patch.apply(&mut document).unwrap();
        }
        assert_eq!(document, now);
    }
}
