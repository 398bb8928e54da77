//! Seeding environments of Power Platform: active, managed, on Microsoft's key, and bound to their instances by the address of
//! their Dataverse organisation.

use jiff::Timestamp;

use super::{DEFAULTS, WantedEnvironment, derived_id};
use crate::emulator::CLIENT_ID;
use crate::emulator::world::{AdminApplication, CdsOrgInfo, PlatformDataverse, PlatformEnvironment, Tenant, World};

/// The environment that a configuration names, if it does, and the embedded client as an administrator. One whose id is taken
/// stays as it is, and one that was deleted stays so.
pub(super) fn add(world: &mut World, tenant: &Tenant, wanted: &WantedEnvironment, now: Timestamp) {
    let key = wanted.environment_id.to_lowercase();
    let known = world.power_platform_environments.contains_key(&key) || world.deleted_environments.contains_key(&key);
    if key.is_empty() || known {
        return;
    }
    let instance = wanted.instance_id.and_then(|id| world.instances.get(&id));
    let display_name = wanted.name.clone().unwrap_or_else(|| wanted.key.clone());
    let organisation = match instance {
        Some(instance) => instance.metadata.cds_org_info.as_ref().map(|org| bound(tenant, org)),
        None => Some(alone(tenant, wanted, &display_name)),
    };
    let location = instance.map_or(DEFAULTS.region, |instance| instance.metadata.region.as_str());
    let azure_region = instance.map_or(DEFAULTS.azure_region, |instance| instance.metadata.azure_region.as_str());
    let is_default = key.starts_with("default-");
    let environment = PlatformEnvironment {
        id: wanted.environment_id.clone(),
        location: location.to_owned(),
        azure_region: azure_region.to_owned(),
        sku: if is_default { "Default" } else { DEFAULTS.organisation.sku }.to_owned(),
        protection_level: DEFAULTS.protection_level.to_owned(),
        extended_settings: DEFAULTS.extended_settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        group: None,
        dataverse: organisation,
        created: now.checked_sub(DEFAULTS.age).unwrap_or(now),
        runtime: DEFAULTS.runtime.to_owned(),
        locked: false,
        locked_since: None,
        links: Default::default(),
        stale: None,
        display_name,
    };
    world.power_platform_environments.insert(key, environment);
    world.admin_applications.get_or_insert_with(CLIENT_ID, || AdminApplication { registered: now });
}

/// The organisation of an environment that the world has, as an instance tells it.
pub(super) fn organisation(world: &World, environment: &str) -> Option<CdsOrgInfo> {
    let environment = world.power_platform_environments.get(&environment.to_lowercase())?;
    let PlatformDataverse { friendly_name, instance_url, instance_state, .. } = environment.dataverse.as_ref()?;
    Some(CdsOrgInfo {
        friendly_name: friendly_name.clone(),
        url: instance_url.trim_end_matches('/').to_owned(),
        state: instance_state.clone(),
        location: environment.location.clone(),
        environment_sku: environment.sku.clone(),
    })
}

/// The organisation that an instance is linked to.
fn bound(tenant: &Tenant, org: &CdsOrgInfo) -> PlatformDataverse {
    let address = org.url.trim_end_matches('/');
    PlatformDataverse {
        resource_id: derived_id(tenant.id, "org-id", address),
        friendly_name: org.friendly_name.clone(),
        instance_url: format!("{address}/"),
        instance_state: org.state.clone(),
    }
}

/// The organisation of an environment that no instance is known for.
fn alone(tenant: &Tenant, wanted: &WantedEnvironment, name: &str) -> PlatformDataverse {
    let host = derived_id(tenant.id, "org", &wanted.environment_id).simple().to_string();
    let organisation = &DEFAULTS.organisation;
    let org = CdsOrgInfo {
        friendly_name: name.to_owned(),
        url: format!("https://org{}.{}", host.get(..8).unwrap_or(&host), organisation.suffix),
        state: organisation.state.to_owned(),
        location: DEFAULTS.region.to_owned(),
        environment_sku: organisation.sku.to_owned(),
    };
    bound(tenant, &org)
}
