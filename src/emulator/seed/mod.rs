//! Seeding: giving a world what a configuration talks about.
//!
//! Additive: only what the world doesn't have yet is added, nothing is ever changed or removed.
//!
//! Invariants: every seeded id is derived from the tenant and a name, never random, so that two fresh worlds made from one
//! configuration differ only in their own id; all defaults stand in the table `DEFAULTS`; what was added is returned, by name.

mod added;
mod azure;
mod defaults;
mod encryption;
mod power_platform;
mod resources;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::store::StoreError;
use super::world::{
    Access, ApiSubscription, Application, Assignment, CdsOrgInfo, Client, Group, Instance, InstanceMetadata, Masked,
    PrincipalType, Tenant, User, World,
};
use super::{CLIENT_ID, CLIENT_SECRET, SERVICE_APP};
use crate::settings::users::PrincipalRef;

pub use added::{Added, Thing};
use defaults::{DEFAULTS, KeyDefaults, ResourceDefaults, VaultDefaults};

/// What a configuration talks about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wanted {
    /// The tenant.
    pub tenant: Uuid,
    /// Its environments.
    pub environments: Vec<WantedEnvironment>,
    /// The key vaults that it names.
    pub vaults: Vec<WantedVault>,
    /// ARM ids of the storage accounts and Synapse workspaces that it names. Ids of other shapes bring nothing into the world.
    pub resources: Vec<String>,
    /// The keys of vaults that it names.
    pub keys: Vec<WantedKey>,
    /// The enterprise policies that it names and that must be there.
    pub policies: Vec<WantedPolicy>,
    /// Scopes of the resource groups in which something is yet to be created: `/subscriptions/{id}/resourceGroups/{name}`. Others
    /// bring nothing into the world.
    pub resource_groups: Vec<String>,
}

/// A key vault as a configuration names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedVault {
    /// Its ARM id. One that isn't of the shape `/subscriptions/…/resourceGroups/…/providers/Microsoft.KeyVault/vaults/NAME`
    /// brings nothing into the world.
    pub id: String,
}

/// A key as a configuration names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedKey {
    /// ARM id of its vault, which comes with it.
    pub vault: String,
    /// Its name.
    pub name: String,
    /// The version that is pinned: 32 hex digits. One of another shape isn't made.
    pub version: Option<String>,
}

/// An enterprise policy with a key, as a configuration names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedPolicy {
    /// Its ARM id. One that isn't of the shape
    /// `/subscriptions/…/resourceGroups/…/providers/Microsoft.PowerPlatform/enterprisePolicies/NAME` brings nothing into the world.
    pub id: String,
    /// The Power Platform environment in whose geography it lies.
    pub environment_id: String,
    /// ARM id of the key's vault. Vault and key come with the policy.
    pub vault: String,
    /// Name of the key.
    pub key: String,
    /// The version that is pinned.
    pub version: Option<String>,
}

/// One environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedEnvironment {
    /// Its key in the configuration.
    pub key: String,
    /// Customer Insights - Data instance id, if it has one.
    pub instance_id: Option<Uuid>,
    /// Power Platform environment id; empty if it has none.
    pub environment_id: String,
    /// Display name; the key if none.
    pub name: Option<String>,
    /// Whether business unit separation is on.
    pub business_units: bool,
    /// The principals that the configuration names in this environment.
    pub principals: Vec<PrincipalRef>,
}

/// Why a world couldn't be seeded.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// The world belongs to another tenant.
    #[error(
        "the emulator's world is for tenant {world}, the configuration for tenant {wanted}; use another --emulator-state"
    )]
    OtherTenant {
        /// The world's tenant.
        world: Uuid,
        /// The configuration's tenant.
        wanted: Uuid,
    },
    /// The world couldn't be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Adds to `world` what `wanted` talks about and the world doesn't have yet.
pub fn seed(world: &mut World, wanted: &Wanted, now: Timestamp) -> Result<Added, SeedError> {
    let before = world.clone();
    let tenant = found(world, wanted)?;
    populate(world, &tenant, wanted, now);
    Ok(Added::between(&before, world))
}

/// Binds `world` to the tenant and gives it the applications without which nothing can be asked, and nothing else.
pub fn bind(world: &mut World, wanted: &Wanted) -> Result<Added, SeedError> {
    let before = world.clone();
    found(world, wanted)?;
    Ok(Added::between(&before, world))
}

fn found(world: &mut World, wanted: &Wanted) -> Result<Tenant, SeedError> {
    let tenant = tenant(world, wanted)?;
    add_client(world, &tenant);
    add_service(world, &tenant);
    Ok(tenant)
}

fn populate(world: &mut World, tenant: &Tenant, wanted: &Wanted, now: Timestamp) {
    let named = || wanted.environments.iter().flat_map(|e| &e.principals);
    // Users with an id first, since the same user may stand elsewhere without; bare ids last, since the same id may stand
    // elsewhere with its kind.
    let mut principals: Vec<&PrincipalRef> = named().collect();
    principals.sort_by_key(|principal| match principal {
        PrincipalRef::User { id: Some(_), .. } => 0,
        PrincipalRef::User { id: None, .. } | PrincipalRef::Group { .. } | PrincipalRef::App { .. } => 1,
        PrincipalRef::Principal { .. } => 2,
    });
    for principal in principals {
        add_principal(world, tenant, principal);
    }
    let creator = add_user(world, tenant, &format!("creator@{}", tenant.domain));
    for environment in &wanted.environments {
        if let Some(id) = environment.instance_id.filter(|id| !world.instances.contains_key(id)) {
            let mut instance = instance(world, tenant, (id, environment), creator, now);
            // An environment that was there before is the one that the instance belongs to.
            if let Some(organisation) = power_platform::organisation(world, &environment.environment_id) {
                instance.metadata.cds_org_info = Some(organisation);
            }
            world.instances.insert(id, instance);
        }
        power_platform::add(world, tenant, environment, now);
    }
    for vault in &wanted.vaults {
        azure::add_vault(world, tenant, &vault.id, now);
    }
    for id in &wanted.resources {
        resources::add(world, tenant, id, now);
    }
    for scope in &wanted.resource_groups {
        azure::add_group_to_write_in(world, tenant, scope, now);
    }
    // After the environments, whose geography is that of their policies.
    encryption::add(world, tenant, wanted, now);
}

/// An id that looks like any other but depends only on the tenant and the name.
pub(crate) fn derived_id(tenant: Uuid, kind: &str, name: &str) -> Uuid {
    let digest = Sha256::new()
        .chain_update(tenant.as_bytes())
        .chain_update(kind.as_bytes())
        .chain_update([0])
        .chain_update(name.to_lowercase().as_bytes())
        .finalize();
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

fn tenant(world: &mut World, wanted: &Wanted) -> Result<Tenant, SeedError> {
    if let Some(tenant) = &world.tenant {
        if tenant.id != wanted.tenant {
            return Err(SeedError::OtherTenant { world: tenant.id, wanted: wanted.tenant });
        }
        return Ok(tenant.clone());
    }
    let upn = wanted.environments.iter().flat_map(|e| &e.principals).find_map(|p| match p {
        PrincipalRef::User { upn, id: _ } => upn.rsplit_once('@').map(|(_, domain)| domain.to_lowercase()),
        _ => None,
    });
    let domain = upn.filter(|d| !d.is_empty()).unwrap_or_else(|| DEFAULTS.domain.to_owned());
    let name = domain.split('.').next().unwrap_or(&domain).to_owned();
    let tenant = Tenant { id: wanted.tenant, domain, name };
    world.tenant = Some(tenant.clone());
    Ok(tenant)
}

fn add_client(world: &mut World, tenant: &Tenant) {
    if world.application(CLIENT_ID).is_none() {
        let application = Application {
            app_id: CLIENT_ID,
            display_name: "palisade".to_owned(),
            client: Some(Client { secret: Masked::new(CLIENT_SECRET), graph: Access::Allowed }),
        };
        world.applications.insert(derived_id(tenant.id, "app", &CLIENT_ID.to_string()), application);
    }
}

/// Customer Insights' own application, which reads linked vaults. Present in every tenant that has the product.
fn add_service(world: &mut World, tenant: &Tenant) {
    if world.application(SERVICE_APP).is_none() {
        let display_name = "Dynamics 365 AI for Customer Insights".to_owned();
        let application = Application { app_id: SERVICE_APP, display_name, client: None };
        world.applications.insert(derived_id(tenant.id, "app", &SERVICE_APP.to_string()), application);
    }
}

fn add_user(world: &mut World, tenant: &Tenant, upn: &str) -> Uuid {
    if let Some((id, _)) = world.users.iter().find(|(_, u)| u.user_principal_name.eq_ignore_ascii_case(upn)) {
        return *id;
    }
    let id = derived_id(tenant.id, "user", upn);
    world.users.insert(id, User::new(upn, display_name(upn)));
    id
}

fn display_name(upn: &str) -> &str {
    upn.split('@').next().unwrap_or(upn)
}

fn add_principal(world: &mut World, tenant: &Tenant, principal: &PrincipalRef) {
    match principal {
        PrincipalRef::User { upn, id: None } => {
            add_user(world, tenant, upn);
        }
        PrincipalRef::User { upn, id: Some(id) } => {
            let named = world.users.values().any(|user| user.user_principal_name.eq_ignore_ascii_case(upn));
            if !named && world.principal(*id).is_none() {
                world.users.insert(*id, User::new(upn, display_name(upn)));
            }
        }
        PrincipalRef::Group { name, id } => {
            if world.principal(*id).is_none() {
                let members = group_members(*id).map(|m| add_user(world, tenant, &format!("{m}@{}", tenant.domain)));
                let group = Group { display_name: name.clone(), members: members.into_iter().collect() };
                world.groups.insert(*id, group);
            }
        }
        PrincipalRef::App { name, app_id } => {
            if world.application(*app_id).is_none() {
                let id = derived_id(tenant.id, "app", &app_id.to_string());
                let application = Application { app_id: *app_id, display_name: name.clone(), client: None };
                world.applications.insert(id, application);
            }
        }
        PrincipalRef::Principal { id } => {
            if world.principal(*id).is_none() {
                let name = format!("principal-{id}");
                let user_principal_name = format!("{name}@{}", tenant.domain);
                world.users.insert(*id, User::new(user_principal_name, name));
            }
        }
    }
}

/// Two different members, by the group's id.
fn group_members(group: Uuid) -> [&'static str; 2] {
    let names = DEFAULTS.members;
    let byte = |index: usize| usize::from(Sha256::digest(group.as_bytes())[index]);
    let first = byte(0) % names.len();
    let second = (first + 1 + byte(1) % (names.len() - 1)) % names.len();
    [names[first], names[second]]
}

fn instance(
    world: &World,
    tenant: &Tenant,
    (id, wanted): (Uuid, &WantedEnvironment),
    creator: Uuid,
    now: Timestamp,
) -> Instance {
    let name = wanted.name.clone().unwrap_or_else(|| wanted.key.clone());
    let admin = |id: Uuid, principal_type| Assignment {
        principal_id: id.to_string(),
        principal_type,
        roles: vec![DEFAULTS.first_role.to_owned()],
    };
    let caller = world.application(CLIENT_ID).map(|(id, _)| admin(id, PrincipalType::App));
    let assignments = std::iter::once(admin(creator, PrincipalType::User)).chain(caller).collect();
    let author = world.users.get(&creator).map(|u| u.user_principal_name.clone());
    Instance {
        metadata: metadata(tenant, id, name, author, now),
        scale_unit_id: DEFAULTS.scale_unit.to_owned(),
        environment_id: wanted.environment_id.clone(),
        owner: creator,
        business_units: wanted.business_units,
        assignments,
        earlier_assignments: Vec::new(),
        api_subscription: ApiSubscription { is_subscribed: DEFAULTS.api_access, ..ApiSubscription::default() },
        earlier_api_subscriptions: Vec::new(),
        key_vault: None,
        private_links: Vec::new(),
    }
}

fn metadata(tenant: &Tenant, id: Uuid, name: String, author: Option<String>, now: Timestamp) -> InstanceMetadata {
    let organisation = &DEFAULTS.organisation;
    let host = derived_id(tenant.id, "org", &id.to_string()).simple().to_string();
    let host = host.get(..8).unwrap_or(&host);
    InstanceMetadata {
        cds_org_info: Some(CdsOrgInfo {
            friendly_name: name.clone(),
            url: format!("https://org{host}.{}", organisation.suffix),
            state: organisation.state.to_owned(),
            location: DEFAULTS.region.to_owned(),
            environment_sku: organisation.sku.to_owned(),
        }),
        name: Some(name),
        instance_type: DEFAULTS.instance_type.to_owned(),
        provisioning_state: DEFAULTS.provisioning_state.to_owned(),
        region: DEFAULTS.region.to_owned(),
        azure_region: DEFAULTS.azure_region.to_owned(),
        is_b2_b: false,
        is_b2_c: true,
        is_byo_pbi: false,
        is_byo_synapse: false,
        is_cds_mdl_or_cds_byodl: true,
        expiry_time_utc: None,
        platform_type: None,
        version: 1,
        updated_by: author.clone(),
        updated_utc: Some(now),
        created_by: author,
        created_utc: now.checked_sub(DEFAULTS.age).ok(),
    }
}
