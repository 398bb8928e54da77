//! What seeding added to a world, as a value for those who tell people.
//!
//! Invariants: it is the difference of two worlds, so that no part of seeding can add something unnoticed; kinds come in one
//! order, and names in the world's.

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::emulator::built_in_roles;
use crate::emulator::world::{
    AdminApplication, Application, EnterprisePolicy, List, RoleAssignment, Subscription, Table, Vault, World,
};
use crate::emulator::{CLIENT_ID, SERVICE_APP};

/// What seeding added.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Added(Vec<(Thing, Vec<String>)>);

/// A kind of thing that a world can be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thing {
    /// An application that every world has: palisade's client, and Customer Insights itself.
    OwnApplication,
    /// A user, by user principal name.
    User,
    /// A group.
    Group,
    /// An application.
    Application,
    /// A Customer Insights - Data instance.
    Environment,
    /// A Power Platform environment.
    PowerPlatformEnvironment,
    /// Palisade's client as an administrator of Power Platform.
    PowerPlatformAdministrator,
    /// An Azure subscription.
    Subscription,
    /// A resource group.
    ResourceGroup,
    /// A key vault.
    Vault,
    /// A key, with its vault.
    Key,
    /// A storage account.
    StorageAccount,
    /// A Synapse workspace.
    SynapseWorkspace,
    /// An enterprise policy.
    EnterprisePolicy,
    /// An Azure role that palisade's client holds, with its scope.
    Role,
    /// An Azure role that the identity of an enterprise policy holds, with its scope and the policy.
    IdentityRole,
}

impl Added {
    /// What `now` has and `before` didn't have.
    pub(super) fn between(before: &World, now: &World) -> Self {
        // Seeding gives none of what isn't named here, and what it had given would have to be told.
        let World {
            format: _,
            world: _,
            tenant: _,
            behaviour: _,
            users,
            groups,
            applications: _,
            instances,
            subscriptions,
            role_assignments,
            custom_roles: _,
            vaults,
            storage_accounts,
            synapse_workspaces,
            user_assigned_identities: _,
            power_platform_environments,
            enterprise_policies,
            lifecycle_operations: _,
            admin_applications,
            unregistered_providers: _,
            arm_operations: _,
            replicating_principals: _,
            // Seeding deletes nothing.
            deleted_vaults: _,
            deleted_environments: _,
            earlier_resources: _,
        } = now;
        let (own_applications, others) = new_applications(before, now);
        let (roles, identity_roles) = new_roles(&before.role_assignments, role_assignments, enterprise_policies);
        let subscription_ids = subscriptions.keys().filter(|id| !before.subscriptions.contains_key(*id));
        let all = [
            (Thing::OwnApplication, own_applications),
            (Thing::User, new(&before.users, users, |it| it.user_principal_name.clone())),
            (Thing::Group, new(&before.groups, groups, |it| it.display_name.clone())),
            (Thing::Application, others),
            (Thing::Environment, new(&before.instances, instances, |it| it.metadata.name.clone().unwrap_or_default())),
            (
                Thing::PowerPlatformEnvironment,
                new(&before.power_platform_environments, power_platform_environments, |it| it.display_name.clone()),
            ),
            (Thing::PowerPlatformAdministrator, administrators(before, admin_applications)),
            (Thing::Subscription, subscription_ids.map(ToString::to_string).collect()),
            (Thing::ResourceGroup, resource_groups(&before.subscriptions, subscriptions)),
            (Thing::Vault, new(&before.vaults, vaults, |it| last(&it.id))),
            (Thing::Key, keys(&before.vaults, vaults)),
            (Thing::StorageAccount, new(&before.storage_accounts, storage_accounts, |it| last(&it.id))),
            (Thing::SynapseWorkspace, new(&before.synapse_workspaces, synapse_workspaces, |it| last(&it.id))),
            (Thing::EnterprisePolicy, new(&before.enterprise_policies, enterprise_policies, |it| last(&it.id))),
            (Thing::Role, roles),
            (Thing::IdentityRole, identity_roles),
        ];
        Self(all.into_iter().filter(|(_, names): &(Thing, Vec<String>)| !names.is_empty()).collect())
    }

    /// The kinds of which something was added, with its names.
    pub fn things(&self) -> impl Iterator<Item = (Thing, &[String])> {
        self.0.iter().map(|(thing, names)| (*thing, names.as_slice()))
    }
}

/// The names of what is new in a table.
fn new<K: Ord, V>(before: &Table<K, V>, now: &Table<K, V>, name: impl Fn(&V) -> String) -> Vec<String> {
    now.iter().filter(|(key, _)| !before.contains_key(key)).map(|(_, value)| name(value)).collect()
}

/// The names of the new applications: those that every world has, and the others. The identity of a workspace or of a policy
/// comes with it.
fn new_applications(before: &World, now: &World) -> (Vec<String>, Vec<String>) {
    let of_workspaces = now.synapse_workspaces.values().map(|it| it.system_identity);
    let of_policies = now.enterprise_policies.values().filter_map(|it| it.system_identity);
    let identities: BTreeSet<Uuid> = of_workspaces.chain(of_policies).collect();
    let new = now.applications.iter().filter(|(id, _)| !before.applications.contains_key(*id));
    let (own, others) = new
        .filter(|(id, _)| !identities.contains(*id))
        .map(|(_, application)| application)
        .partition::<Vec<_>, _>(|application| [CLIENT_ID, SERVICE_APP].contains(&application.app_id));
    let named = |all: Vec<&Application>| all.into_iter().map(|it| it.display_name.clone()).collect();
    (named(own), named(others))
}

fn administrators(before: &World, now: &Table<Uuid, AdminApplication>) -> Vec<String> {
    let new = now.keys().filter(|id| !before.admin_applications.contains_key(*id));
    new.map(|id| if *id == CLIENT_ID { "palisade".to_owned() } else { id.to_string() }).collect()
}

fn resource_groups<K: Ord>(before: &Table<K, Subscription>, now: &Table<K, Subscription>) -> Vec<String> {
    let groups = now.iter().flat_map(|(id, subscription)| {
        let known = before.get(id).map(|known| &known.resource_groups);
        let known = move |name: &String| known.is_some_and(|known| known.contains_key(name));
        subscription.resource_groups.iter().filter(move |(name, _)| !known(name)).map(|(_, group)| group.name.clone())
    });
    groups.collect()
}

fn keys(before: &Table<String, Vault>, now: &Table<String, Vault>) -> Vec<String> {
    let keys = now.iter().flat_map(|(id, vault)| {
        let known = before.get(id).map(|known| &known.keys);
        let new = vault.keys.iter().filter(move |(name, _)| !known.is_some_and(|known| known.contains_key(*name)));
        new.map(|(_, key)| format!("{} in {}", key.name, last(&vault.id)))
    });
    keys.collect()
}

/// The new roles: those of palisade's client, and those of the identities of policies.
fn new_roles(
    before: &List<RoleAssignment>,
    now: &List<RoleAssignment>,
    policies: &Table<String, EnterprisePolicy>,
) -> (Vec<String>, Vec<String>) {
    let known: BTreeSet<_> = before.iter().map(|assignment| assignment.name).collect();
    let role = |id| built_in_roles::ROLES.iter().find(|role| role.id == id).map_or("a role", |role| role.name);
    let (mut own, mut of_identities) = (Vec::new(), Vec::new());
    for assignment in now.iter().filter(|assignment| !known.contains(&assignment.name)) {
        let granted = format!("{} on {}", role(assignment.role_definition), last(&assignment.scope));
        match policies.values().find(|policy| policy.system_identity == Some(assignment.principal_id)) {
            Some(policy) => of_identities.push(format!("{granted} to the identity of {}", last(&policy.id))),
            None => own.push(granted),
        }
    }
    (own, of_identities)
}

/// The name of a resource, of its ARM id.
fn last(id: &str) -> String {
    id.rsplit('/').next().unwrap_or(id).to_owned()
}
