//! Power Platform at the beginning: policies, their keys and rights, and how environments are linked.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use palisade::emulator::{
    AccessPolicy, DefaultAction, LifecycleFailure, LifecycleOperation, LifecycleWork, LinkKind, NetworkAcls,
    PolicyLink, PolicyPermissions, Wanted, WantedPolicy, World,
};
use uuid::Uuid;

use super::declared::{Hosted, Key};
use super::{
    ENCRYPTION_USER, KEY_VAULTS, OTHER_HOSTED, POLICIES, hosted, identity, key, key_vault, policy, vault_of, version,
};
use crate::declared::Declared;
use crate::dice::Dice;
use crate::names::TENANT;
use crate::resources::NOW;

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

fn begin() -> Timestamp {
    NOW.parse().unwrap()
}

fn after(seconds: i64) -> Timestamp {
    begin().checked_add(SignedDuration::from_secs(seconds)).unwrap()
}

/// Everything that a file may name is seeded first, and taken away again where a world lacks it.
pub(crate) fn want(all: &mut Wanted, declared: &Declared) {
    let pins = declared.environments.iter().filter_map(|one| one.hosted.as_ref()?.key.as_ref());
    let pinned = pins.map(|key| key.pinned).next().unwrap_or_default();
    for (environment, wanted) in declared.environments.iter().zip(&mut all.environments) {
        wanted.instance_id = Some(environment.instance());
    }
    all.policies = (0..POLICIES)
        .map(|number| WantedPolicy {
            id: policy(number),
            environment_id: hosted(0),
            vault: key_vault(vault_of(number)),
            key: key(number),
            version: pinned[number].then(|| version(number)),
        })
        .collect();
}

pub(crate) fn furnish(world: &mut World, declared: &Declared, dice: &mut Dice) {
    knobs(world, dice);
    let mut other = world.power_platform_environments[&hosted(0)].clone();
    other.id = hosted(OTHER_HOSTED);
    world.power_platform_environments.insert(hosted(OTHER_HOSTED), other);
    by_policies(world, dice);
    for environment in &declared.environments {
        if let Some(declared) = &environment.hosted {
            environment_of(world, environment.number, declared, dice);
        }
    }
    for number in 0..POLICIES {
        chain(world, number, dice);
    }
    for name in KEY_VAULTS {
        safe(world, name, dice);
    }
    link(world, OTHER_HOSTED, 1, "Linked", true);
    let keys = declared.environments.iter().filter_map(|one| one.hosted.as_ref()?.key.as_ref());
    let created: Vec<usize> = keys.filter(|key| key.provision).filter_map(|key| key.policy).collect();
    for number in 0..POLICIES {
        if !is_linked(world, number) && dice.chance(if created.contains(&number) { 55 } else { 8 }) {
            remove(world, number);
        }
    }
}

fn is_linked(world: &World, number: usize) -> bool {
    let own = world.power_platform_environments.iter().filter(|(id, _)| **id != hosted(OTHER_HOSTED));
    own.flat_map(|(_, found)| found.links.values()).any(|link| link.policy == policy(number))
}

fn knobs(world: &mut World, dice: &mut Dice) {
    let seconds = SignedDuration::from_secs;
    let behaviour = &mut world.behaviour;
    let longest = dice.weighted(&[(40, 4 * DAY), (35, 5), (15, 50), (10, HOUR)]);
    behaviour.encryption_operation_time = seconds(longest);
    behaviour.lifecycle_operation_time = seconds(dice.pick(&[2, 2, 2, 12, 600]));
    behaviour.lifecycle_operations_fail = dice.chance(12);
    behaviour.lifecycle_stale_reads = dice.weighted(&[(70, 0), (15, 1), (15, 4)]);
    behaviour.empty_conflicts = dice.chance(30);
    behaviour.power_platform_page = dice.weighted(&[(60, 100), (25, 1), (15, 2)]);
    behaviour.empty_first_pages = dice.chance(10);
    behaviour.policy_identity_replication = seconds(dice.weighted(&[(60, 0), (25, 8), (15, 300)]));
    behaviour.azure_role_propagation = seconds(dice.weighted(&[(85, 0), (15, 20)]));
}

/// Where access policies decide instead of roles.
fn by_policies(world: &mut World, dice: &mut Dice) {
    let identities: Vec<Uuid> = (0..POLICIES).filter_map(|number| identity(world, number)).collect();
    for name in KEY_VAULTS {
        if dice.chance(68) {
            continue;
        }
        let found = world.vaults.get_mut(name).unwrap();
        found.enable_rbac_authorization = Some(false);
        let entry = |object_id: Uuid, keys: &[&str]| AccessPolicy {
            tenant_id: TENANT,
            object_id,
            application_id: None,
            permissions: PolicyPermissions {
                keys: keys.iter().map(|word| (*word).to_owned()).collect(),
                ..PolicyPermissions::default()
            },
        };
        found.access_policies = vec![entry(Uuid::from_u128(77), &["all"])];
        found.access_policies.extend(identities.iter().map(|one| entry(*one, &["Get", "WrapKey", "UnwrapKey"])));
    }
}

/// What may be wrong with a policy, its key, and what its identity may do.
fn chain(world: &mut World, number: usize, dice: &mut Dice) {
    let id = policy(number).to_lowercase();
    match dice.roll(150) {
        0..=4 => {
            let found = world.enterprise_policies.get_mut(&id).unwrap();
            found.encryption.as_mut().unwrap().name = key((number + 1) % 2);
        }
        5..=7 => world.enterprise_policies.get_mut(&id).unwrap().kind = "Identity".to_owned(),
        8..=9 => {
            let found = world.enterprise_policies.get_mut(&id).unwrap();
            found.encryption.as_mut().unwrap().state = "Disabled".to_owned();
        }
        10..=12 => world.enterprise_policies.get_mut(&id).unwrap().location = "unitedstates".to_owned(),
        _ => {}
    }
    let found = world.vaults.get_mut(vault_of(number)).unwrap();
    match dice.roll(150) {
        0..=2 => drop(found.keys.remove(&key(number))),
        3..=6 => found.keys.get_mut(&key(number)).unwrap().versions.last_mut().unwrap().attributes.enabled = false,
        7..=8 => found.keys.get_mut(&key(number)).unwrap().versions.last_mut().unwrap().key_size = Some(4096),
        9..=16 => {
            let versions = &mut found.keys.get_mut(&key(number)).unwrap().versions;
            let mut newer = versions.last().unwrap().clone();
            newer.version = version(number + 50);
            versions.push(newer);
        }
        _ => {}
    }
    // An environment whose key is lost is shut down, and nothing more can be done there.
    if dice.chance(if is_linked(world, number) { 6 } else { 40 }) {
        ungrant(world, number);
    }
}

fn safe(world: &mut World, name: &str, dice: &mut Dice) {
    let found = world.vaults.get_mut(name).unwrap();
    found.enable_soft_delete = true;
    found.enable_purge_protection = !dice.chance(3);
    if dice.chance(9) {
        found.network_acls = Some(NetworkAcls {
            bypass: if dice.chance(60) { "AzureServices" } else { "None" }.to_owned(),
            default_action: DefaultAction::Deny,
            ip_rules: Vec::new(),
            virtual_network_rules: Vec::new(),
        });
    }
}

fn environment_of(world: &mut World, number: usize, declared: &Hosted, dice: &mut Dice) {
    let name = format!("Contoso {}", crate::names::ENVIRONMENTS[number]);
    let sku = dice.weighted(&[(74, "Sandbox"), (15, "Production"), (3, "Trial"), (6, "Default"), (2, "Teams")]);
    let found = world.power_platform_environments.get_mut(&hosted(number)).unwrap();
    (found.display_name, found.sku) = (name, sku.to_owned());
    found.protection_level = if dice.chance(30) { "Basic" } else { "Standard" }.to_owned();
    if dice.chance(4) {
        found.runtime = dice.pick(&["Disabled", "AdminMode"]).to_owned();
    }
    if dice.chance(4) {
        found.group = Some(Uuid::from_u128(0x6000));
    }
    if dice.chance(2) {
        found.dataverse = None;
    }
    let wanted = declared.key.as_ref().and_then(|key| key.policy);
    let aim = wanted.unwrap_or(0);
    let other = dice.pick(&[2, 2, 1 - aim]);
    match dice.weighted(&[(40, 0), (22, 1), (20, 2), (5, 3), (5, 4), (5, 5), (3, 6)]) {
        0 => {}
        1 => link(world, number, aim, "Linked", true),
        2 => link(world, number, other, "Linked", true),
        // A first link that failed, and a revert that did.
        3 => link(world, number, aim, "Failed", false),
        4 => link(world, number, other, "Failed", true),
        5 => {
            let since = dice.pick(&[-60, -DAY, -5 * DAY]);
            let until = dice.pick(&[30, HOUR, 4 * DAY]);
            links(world, number, aim, (after(since), after(until)));
        }
        // An operation that no list tells.
        _ => link(world, number, aim, dice.pick(&["Linking", "Unlinking", "Migrating"]), false),
    }
    past(world, number, declared.key.as_ref(), dice);
}

/// What the list of operations tells of before.
fn past(world: &mut World, number: usize, key: Option<&Key>, dice: &mut Dice) {
    let linked = world.power_platform_environments[&hosted(number)].links.contains_key(&LinkKind::Encryption);
    let kind = match key {
        Some(Key { policy: None, .. }) => "RevertToMicrosoftKey",
        None => "EnableGovernanceConfiguration",
        Some(_) if linked && dice.chance(70) => "RotateCustomerManagedKey",
        Some(_) => "NewCustomerManagedKey",
    };
    let failed = |world: &mut World, days: i64| {
        over(
            world,
            number,
            kind,
            after(-days * DAY),
            Some(LifecycleFailure {
                stage: "Run".to_owned(),
                code: "Failed".to_owned(),
                message: "it didn't work".to_owned(),
            }),
        );
    };
    match dice.weighted(&[(50, 0), (12, 1), (18, 2), (8, 3), (6, 4), (6, 5)]) {
        1 => failed(world, 2),
        2 => {
            failed(world, 3);
            failed(world, 2);
        }
        3 => {
            failed(world, 9);
            over(world, number, kind, after(-8 * DAY), None);
            failed(world, 2);
        }
        4 => over(world, number, "NewCustomerManagedKey", after(-20 * DAY), None),
        5 if super::active(world, number, begin()).is_none() => {
            backup(world, number, begin(), SignedDuration::from_secs(dice.pick(&[20, 3 * HOUR])));
        }
        _ => {}
    }
}

/// How an environment shows a link.
pub(crate) fn link(world: &mut World, number: usize, to: usize, status: &str, in_force: bool) {
    let Some(system_id) = world.enterprise_policies.get(&policy(to).to_lowercase()).map(|one| one.system_id()) else {
        return;
    };
    let error = (status == "Failed").then(|| "it didn't work".to_owned());
    let link = PolicyLink { policy: policy(to), system_id, status: status.to_owned(), error, in_force };
    if let Some(found) = world.power_platform_environments.get_mut(&hosted(number)) {
        found.links.insert(LinkKind::Encryption, link);
        found.stale = None;
    }
}

/// Others are linking an environment.
pub(crate) fn links(world: &mut World, number: usize, to: usize, (started, ends): (Timestamp, Timestamp)) {
    let found = world.power_platform_environments.get(&hosted(number));
    let before = found.and_then(|found| found.links.get(&LinkKind::Encryption).cloned());
    let in_force = before.as_ref().is_some_and(|link| link.in_force);
    let kind = if in_force { "RotateCustomerManagedKey" } else { "NewCustomerManagedKey" };
    link(world, number, to, "Linking", in_force);
    let work = LifecycleWork::Link(policy(to));
    operation(world, number, (kind, work), (started, ends), LifecycleOperation { before, ..blank() });
}

/// An operation that is over.
pub(crate) fn over(world: &mut World, number: usize, kind: &str, at: Timestamp, failure: Option<LifecycleFailure>) {
    let started = at.checked_sub(SignedDuration::from_secs(600)).unwrap();
    let work = LifecycleWork::Govern("Standard".to_owned(), BTreeMap::new());
    operation(world, number, (kind, work), (started, at), LifecycleOperation { failure, applied: true, ..blank() });
}

/// Others are at work on something else.
pub(crate) fn backup(world: &mut World, number: usize, now: Timestamp, time: SignedDuration) {
    let Some(found) = world.power_platform_environments.get(&hosted(number)) else { return };
    let work = LifecycleWork::Govern(found.protection_level.clone(), BTreeMap::new());
    operation(world, number, ("Backup", work), (now, now.checked_add(time).unwrap()), blank());
}

fn blank() -> LifecycleOperation {
    LifecycleOperation {
        environment: String::new(),
        kind: String::new(),
        started: begin(),
        ends: begin(),
        requested_by: Uuid::from_u128(77),
        work: LifecycleWork::Unlink,
        before: None,
        failure: None,
        applied: false,
    }
}

fn operation(
    world: &mut World,
    number: usize,
    (kind, work): (&str, LifecycleWork),
    (started, ends): (Timestamp, Timestamp),
    rest: LifecycleOperation,
) {
    let id = Uuid::from_u128(0x0bfc_3333_0000_4000_8000_0000_0000_0000 + world.lifecycle_operations.len() as u128);
    let one = LifecycleOperation { environment: hosted(number), kind: kind.to_owned(), started, ends, work, ..rest };
    world.lifecycle_operations.insert(id, one);
}

/// A policy goes, and its identity with it; what was granted to that stays behind.
pub(crate) fn remove(world: &mut World, number: usize) {
    if let Some(found) = world.enterprise_policies.remove(&policy(number).to_lowercase())
        && let Some(identity) = found.system_identity
    {
        world.applications.remove(&identity);
    }
}

/// The identity of a policy may not use its key any more.
pub(crate) fn ungrant(world: &mut World, number: usize) {
    let Some(identity) = identity(world, number) else { return };
    let scope = key_vault(vault_of(number));
    world
        .role_assignments
        .retain(|one| one.principal_id != identity || one.role_definition != ENCRYPTION_USER || one.scope != scope);
    if let Some(found) = world.vaults.get_mut(vault_of(number)) {
        found.access_policies.retain(|one| one.object_id != identity);
    }
}
