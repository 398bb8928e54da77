//! Facts of Power Platform that others change.

use jiff::{SignedDuration, Timestamp};
use palisade::emulator::{LinkKind, World};
use uuid::Uuid;

use super::{OTHER_HOSTED, furnish, hosted, key, policy, vault_of};

/// A fact that others change: of an environment by its number, or of a policy by its own.
#[derive(Debug, Clone)]
pub(crate) enum Beyond {
    /// Others linked it, at once or within four days.
    Link(usize, usize),
    Begin(usize, usize),
    /// Others put it back on Microsoft's key.
    Revert(usize),
    /// A backup begins that takes so many seconds.
    Backup(usize, i64),
    Unmanage(usize),
    Rename(usize),
    /// It belongs to another organisation from now on.
    Rehost(usize),
    Retype(usize),
    /// It is gone.
    Lost(usize),
    /// Others create it, with another key than the declared one.
    CreatePolicy(usize),
    DeletePolicy(usize),
    /// Made anew under its name, with another identity.
    AnotherPolicy(usize),
    /// Made anew under its name, with another key.
    AnotherKey(usize),
    Ungrant(usize),
    DisableKey(usize),
}

pub(crate) fn happen(event: &Beyond, world: &mut World, now: Timestamp) {
    match event {
        Beyond::Link(number, to) if is_free(world, *number, now) && exists(world, *to) => {
            let linked = in_force(world, *number);
            let kind = if linked { "RotateCustomerManagedKey" } else { "NewCustomerManagedKey" };
            furnish::link(world, *number, *to, "Linked", true);
            furnish::over(world, *number, kind, now, None);
        }
        Beyond::Begin(number, to) if is_free(world, *number, now) && exists(world, *to) => {
            let ends = now.checked_add(SignedDuration::from_hours(96)).unwrap();
            furnish::links(world, *number, *to, (now, ends));
        }
        Beyond::Revert(number) if is_free(world, *number, now) && in_force(world, *number) => {
            if let Some(found) = world.power_platform_environments.get_mut(&hosted(*number)) {
                found.links.clear();
                found.stale = None;
            }
            furnish::over(world, *number, "RevertToMicrosoftKey", now, None);
        }
        Beyond::Backup(number, seconds) if is_free(world, *number, now) => {
            furnish::backup(world, *number, now, SignedDuration::from_secs(*seconds));
        }
        Beyond::Unmanage(number) if is_free(world, *number, now) && !in_force(world, *number) => {
            if let Some(found) = world.power_platform_environments.get_mut(&hosted(*number)) {
                found.protection_level = "Basic".to_owned();
                found.stale = None;
            }
            furnish::over(world, *number, "DisableGovernanceConfiguration", now, None);
        }
        Beyond::Rename(number) => inside(world, *number, |found| found.display_name = "Fabrikam".to_owned()),
        Beyond::Rehost(number) => inside(world, *number, |found| {
            if let Some(dataverse) = &mut found.dataverse {
                dataverse.instance_url = "https://fabrikam.crm4.dynamics.com/".to_owned();
            }
        }),
        Beyond::Retype(number) => inside(world, *number, |found| found.sku = "Trial".to_owned()),
        Beyond::Lost(number) => drop(world.power_platform_environments.remove(&hosted(*number))),
        Beyond::CreatePolicy(number) if !exists(world, *number) => create(world, *number),
        Beyond::DeletePolicy(number) if is_unused(world, *number) => furnish::remove(world, *number),
        Beyond::AnotherPolicy(number) if is_unused(world, *number) => another(world, *number),
        Beyond::AnotherKey(number) if is_unused(world, *number) => {
            let found = world.enterprise_policies.get_mut(&policy(*number).to_lowercase());
            if let Some(key_of) = found.and_then(|found| found.encryption.as_mut()) {
                key_of.name = key((*number + 1) % 2);
            }
        }
        Beyond::Ungrant(number) => furnish::ungrant(world, *number),
        Beyond::DisableKey(number) => {
            let found = world.vaults.get_mut(vault_of(*number)).and_then(|found| found.keys.get_mut(&key(*number)));
            found.into_iter().flat_map(|key| &mut key.versions).for_each(|one| one.attributes.enabled = false);
        }
        _ => {}
    }
}

fn inside(world: &mut World, number: usize, change: impl FnOnce(&mut palisade::emulator::PlatformEnvironment)) {
    if let Some(found) = world.power_platform_environments.get_mut(&hosted(number)) {
        change(found);
    }
}

/// An environment takes one operation at a time, from others as well.
fn is_free(world: &World, number: usize, now: Timestamp) -> bool {
    super::active(world, number, now).is_none()
}

fn exists(world: &World, number: usize) -> bool {
    world.enterprise_policies.contains_key(&policy(number).to_lowercase())
}

fn in_force(world: &World, number: usize) -> bool {
    let found = world.power_platform_environments.get(&hosted(number));
    found.and_then(|found| found.links.get(&LinkKind::Encryption)).is_some_and(|link| link.in_force)
}

/// Azure lets no policy go that an environment is linked to, or is being linked to.
fn is_unused(world: &World, number: usize) -> bool {
    let own = world.power_platform_environments.iter().filter(|(id, _)| **id != hosted(OTHER_HOSTED));
    let links = own.flat_map(|(_, found)| found.links.values());
    let before = world.lifecycle_operations.values().filter(|one| !one.applied).filter_map(|one| one.before.as_ref());
    links.chain(before).all(|link| link.policy != policy(number))
}

fn create(world: &mut World, number: usize) {
    let Some(mut found) = world.enterprise_policies.values().next().cloned() else { return };
    found.id = policy(number);
    if let Some(key_of) = &mut found.encryption {
        key_of.name = key((number + 1) % 2);
    }
    world.enterprise_policies.insert(found.id.to_lowercase(), found);
    another(world, number);
}

fn another(world: &mut World, number: usize) {
    let id = policy(number).to_lowercase();
    let Some(mut found) = world.enterprise_policies.get(&id).cloned() else { return };
    let identity = Uuid::from_u128(0x0bfc_4444_0000_4000_8000_0000_0000_0000 + number as u128);
    found.guid = Uuid::from_u128(0x0bfc_5555_0000_4000_8000_0000_0000_0000 + number as u128);
    let was = found.system_identity.replace(identity).and_then(|was| world.applications.get(&was).cloned());
    if let Some(mut application) = was {
        application.app_id = Uuid::from_u128(identity.as_u128() + 9);
        world.applications.insert(identity, application);
    }
    world.enterprise_policies.insert(id, found);
}
