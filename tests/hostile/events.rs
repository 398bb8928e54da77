//! Facts that others change: people in portals, other runs, other tools.

use jiff::Timestamp;
use palisade::emulator::{
    ApiSubscription, Assignment, Connection, ConnectionStatus, Instance, KeyVaultLink, Masked, PrincipalType, World,
};
use uuid::Uuid;

use crate::cast::caller;
use crate::names::{
    OTHER_INSTANCE, PEOPLE, STRANGERS, VAULTS, accounts, app, group, instance, last, person, secret, upn, vault,
    vault_in,
};
use crate::platform::{self, events::Beyond};

/// A fact that others change; where it is about an environment, which.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    Disable(usize),
    DisableAllBut(usize),
    DeleteUser(usize),
    MoveName(usize, usize),
    Empty(usize),
    EmptyAll,
    Join(usize, usize),
    DeleteApp,
    Tenant,
    Gone(usize),
    /// A vault is deleted.
    DeleteVault(usize),
    /// A vault is made anew under its name, empty: here, or in a stranger's subscription.
    AnotherVault(usize, bool),
    /// Whoever may read a vault loses that right.
    Revoke(usize),
    /// A published secret is deleted, or gets a version from somebody else.
    DeleteSecret(usize),
    Publish(usize),
    /// Something inside an environment.
    In(usize, Inside),
    /// Something at an environment's storage account.
    At(usize, usize, Beside),
    /// Something in Power Platform, or about the keys that are used there.
    Beyond(Beyond),
}

#[derive(Debug, Clone)]
pub(crate) enum Inside {
    Strip(usize),
    StripAllBut(usize),
    StripGroup(usize),
    /// Another run takes Admin from everybody but the caller.
    StripAdmins,
    DemoteCaller,
    Grant(usize, &'static str),
    Rename,
    State(&'static str),
    Region,
    Dataverse,
    SwitchApi,
    /// Regenerates the primary or the secondary key.
    Regenerate(bool),
    /// Links this vault.
    LinkVault(usize),
    Unlink,
    /// Removes all private links, with their connections or without.
    RemoveLinks,
}

#[derive(Debug, Clone)]
pub(crate) enum Beside {
    /// Each pending connection leads to a stranger's endpoint from now on.
    Repoint,
    /// A stranger asks under the name of each endpoint.
    Ask,
    Decide(ConnectionStatus),
    Gone,
    /// Another endpoint of Microsoft's asks under each name: another environment's.
    Twin,
}

/// Makes an event happen. The tenant that the service names is no part of the world.
pub(crate) fn happen(event: &Event, world: &mut World, now: Timestamp) {
    let us = caller(world);
    match event {
        Event::Tenant => {}
        Event::Disable(one) => disable(world, |id| id == person(*one)),
        Event::DisableAllBut(one) => disable(world, |id| id != person(*one)),
        Event::DeleteUser(one) => drop(world.users.remove(&person(*one))),
        Event::MoveName(one, other) if one != other => {
            for (number, name) in [(*one, format!("{}-old@contoso.com", PEOPLE[*one])), (*other, upn(*one))] {
                if let Some(user) = world.users.get_mut(&person(number)) {
                    user.user_principal_name = name;
                }
            }
        }
        Event::MoveName(..) => {}
        Event::Empty(one) => {
            if let Some(group) = world.groups.get_mut(&group(*one)) {
                group.members.clear();
            }
        }
        Event::EmptyAll => world.groups.values_mut().for_each(|group| group.members.retain(|member| *member == us)),
        Event::Join(set, one) => {
            if let Some(group) = world.groups.get_mut(&group(*set)) {
                group.members.insert(person(*one));
            }
        }
        Event::DeleteApp => drop(world.applications.remove(&app(0))),
        Event::Gone(one) => drop(world.instances.remove(&instance(*one))),
        Event::In(one, inside) => {
            if let Some(instance) = world.instances.get_mut(&instance(*one)) {
                happen_inside(inside, instance, us);
            }
        }
        Event::Beyond(beyond) => platform::events::happen(beyond, world, now),
        Event::At(environment, one, beside) => happen_beside(&accounts(*environment)[*one], beside, world),
        _ => happen_in_vault(event, world),
    }
}

fn is(one: &Assignment, id: Uuid) -> bool {
    Uuid::parse_str(&one.principal_id) == Ok(id)
}

/// The events that are about the environment itself.
fn happen_inside(event: &Inside, instance: &mut Instance, us: Uuid) {
    let list = &mut instance.assignments;
    match event {
        Inside::Strip(one) => list.retain(|held| !is(held, person(*one))),
        Inside::StripAllBut(one) => list.retain(|held| is(held, person(*one)) || is(held, us)),
        Inside::StripGroup(one) => list.retain(|held| !is(held, group(*one))),
        Inside::StripAdmins => {
            list.retain(|held| is(held, us) || !held.roles.iter().any(|role| role == "Admin"));
        }
        Inside::DemoteCaller => {
            for held in list.iter_mut().filter(|held| is(held, us)) {
                held.roles = vec!["Viewer".to_owned()];
            }
        }
        Inside::Grant(one, role) => {
            list.retain(|held| !is(held, person(*one)));
            let (principal_id, roles) = (person(*one).to_string(), vec![(*role).to_owned()]);
            list.push(Assignment { principal_id, principal_type: PrincipalType::User, roles });
        }
        Inside::Rename => instance.metadata.name = Some("Fabrikam".to_owned()),
        Inside::State(state) => instance.metadata.provisioning_state = (*state).to_owned(),
        Inside::Region => instance.metadata.region = "moon".to_owned(),
        Inside::Dataverse => {
            if let Some(organisation) = instance.metadata.cds_org_info.as_mut() {
                organisation.url = "https://fabrikam.crm4.dynamics.com".to_owned();
            }
        }
        Inside::LinkVault(one) => link(instance, vault(*one)),
        Inside::Unlink => instance.key_vault = None,
        Inside::RemoveLinks => instance.private_links.clear(),
        Inside::SwitchApi | Inside::Regenerate(_) => happen_to_keys(event, &mut instance.api_subscription),
    }
}

fn happen_to_keys(event: &Inside, api: &mut ApiSubscription) {
    api.version += 1;
    let new = |text: &str, version: i64| Some(Masked::new(format!("{text}-key-of-others-{version:04}")));
    match event {
        Inside::Regenerate(true) if api.is_subscribed => api.primary_key = new("primary", api.version),
        Inside::Regenerate(false) if api.is_subscribed => api.secondary_key = new("secondary", api.version),
        Inside::SwitchApi => {
            api.is_subscribed = !api.is_subscribed;
            let on = api.is_subscribed;
            let key = |text: &str| new(text, api.version).filter(|_| on);
            (api.primary_key, api.secondary_key) = (key("primary"), key("secondary"));
        }
        _ => {}
    }
}

/// The vault that an environment's connections use, from now on.
pub(crate) fn link(instance: &mut Instance, vault: String) {
    let version = instance.key_vault.as_ref().map_or(0, |link| link.version) + 1;
    let created_utc = instance.metadata.updated_utc.unwrap_or_default();
    let id = Uuid::from_u128(0x0bfc_0000_0000_4000_8000_0000_0000_0000 + version.unsigned_abs() as u128);
    instance.key_vault = Some(KeyVaultLink { id, vault, version, created_by: "ada@contoso.com".into(), created_utc });
}

/// A stranger's endpoint of the same name as another one.
pub(crate) fn strangers(endpoint: &str) -> String {
    let name = last(endpoint);
    format!("/subscriptions/{STRANGERS}/resourceGroups/rg-evil/providers/Microsoft.Network/privateEndpoints/{name}")
}

fn happen_beside(account: &str, event: &Beside, world: &mut World) {
    if matches!(event, Beside::Gone) {
        world.storage_accounts.remove(account);
        return;
    }
    let Some(account) = world.storage_accounts.get_mut(account) else { return };
    let pending = |one: &&mut Connection| one.status == ConnectionStatus::Pending;
    match event {
        Beside::Repoint => {
            for one in account.connections.iter_mut().filter(pending) {
                one.private_endpoint = strangers(&one.private_endpoint);
            }
        }
        Beside::Decide(status) => account.connections.iter_mut().filter(pending).for_each(|one| one.status = *status),
        Beside::Ask | Beside::Twin => {
            let copy = |(number, one): (usize, &Connection)| {
                let private_endpoint = match event {
                    Beside::Twin => one.private_endpoint.replace("privatelinks", "privatelinks-2"),
                    _ => strangers(&one.private_endpoint),
                };
                let name = format!("{}.stranger{number}", account.id.rsplit('/').next().unwrap_or_default());
                Connection { name, private_endpoint, status: ConnectionStatus::Pending, ..one.clone() }
            };
            let more: Vec<Connection> = account.connections.iter().enumerate().map(copy).collect();
            account.connections.extend(more);
        }
        Beside::Gone => {}
    }
}

fn happen_in_vault(event: &Event, world: &mut World) {
    match event {
        Event::DeleteVault(one) => drop(world.vaults.remove(VAULTS[*one])),
        Event::AnotherVault(one, here) => {
            if let Some(found) = world.vaults.get_mut(VAULTS[*one]) {
                found.secrets.clear();
                found.access_policies.clear();
                if !here {
                    found.id = vault_in(STRANGERS, VAULTS[*one]);
                }
            }
            if *here {
                let scope = vault(*one);
                world.role_assignments.retain(|held| held.scope != scope);
            }
        }
        Event::Revoke(one) => {
            let scope = vault(*one);
            world.role_assignments.retain(|held| held.scope != scope);
            if let Some(found) = world.vaults.get_mut(VAULTS[*one]) {
                found.access_policies.clear();
            }
        }
        Event::DeleteSecret(one) => {
            if let Some(found) = world.vaults.get_mut(VAULTS[0]) {
                found.secrets.remove(&secret(*one));
            }
        }
        Event::Publish(one) => {
            let foreign = world.instances.get(&OTHER_INSTANCE).and_then(|one| one.api_subscription.primary_key.clone());
            let found = world.vaults.get_mut(VAULTS[0]).and_then(|vault| vault.secrets.get_mut(&secret(*one)));
            if let (Some(secret), Some(value)) = (found, foreign)
                && let Some(mut version) = secret.versions.last().cloned()
            {
                version.version = format!("{:0>32}", format!("f{}", secret.versions.len()));
                (version.value, version.tags) = (value, None);
                secret.versions.push(version);
            }
        }
        _ => {}
    }
}

fn disable(world: &mut World, whom: impl Fn(Uuid) -> bool) {
    let ids: Vec<Uuid> = world.users.keys().copied().filter(|id| whom(*id)).collect();
    for id in ids {
        world.users.get_mut(&id).unwrap().account_enabled = false;
    }
}
