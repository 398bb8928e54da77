//! Seeding what environments are encrypted with: keys of vaults, and the enterprise policies that name them.
//!
//! Invariants: a key is made with every version that is wanted of it, and one that the world has gets none; a policy that is
//! made can be used at once, as far as its vault allows that.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::azure::{self, VAULT, located};
use super::{DEFAULTS, KeyDefaults, Wanted, WantedKey, WantedPolicy, derived_id};
use crate::emulator::CLIENT_ID;
use crate::emulator::key_vault::KEY_OPS;
use crate::emulator::power_platform::policy_geography;
use crate::emulator::views::before;
use crate::emulator::world::{
    Application, Attributes, EnterprisePolicy, Key, KeyVersion, PolicyKey, Tenant, Vault, World,
};

const POLICY: &str = "Microsoft.PowerPlatform/enterprisePolicies";

/// The keys and the policies that a configuration names. A policy brings its key.
pub(super) fn add(world: &mut World, tenant: &Tenant, wanted: &Wanted, now: Timestamp) {
    let is_missing = |policy: &&WantedPolicy| {
        let known = world.enterprise_policies.contains_key(&policy.id.to_lowercase());
        !known && located(&policy.id, POLICY).is_some() && located(&policy.vault, VAULT).is_some()
    };
    let policies: Vec<&WantedPolicy> = wanted.policies.iter().filter(is_missing).collect();
    let brought = policies.iter().map(|policy| {
        let WantedPolicy { id: _, environment_id: _, vault, key, version } = policy;
        WantedKey { vault: vault.clone(), name: key.clone(), version: version.clone() }
    });
    let keys: Vec<WantedKey> = wanted.keys.iter().cloned().chain(brought).collect();
    for key in &keys {
        add_key(world, tenant, key, &keys, now);
    }
    for policy in policies {
        add_policy(world, tenant, policy, now);
    }
}

/// A key with its vault. One that is there stays as it is, deleted or not, and so does a vault of that name elsewhere.
fn add_key(world: &mut World, tenant: &Tenant, wanted: &WantedKey, all: &[WantedKey], now: Timestamp) {
    let Some((subscription, _, vault)) = located(&wanted.vault, VAULT) else { return };
    azure::add_vault(world, tenant, &wanted.vault, now);
    let (vault, key) = (vault.to_ascii_lowercase(), wanted.name.to_ascii_lowercase());
    let is_open = |it: &Vault| it.id.eq_ignore_ascii_case(&wanted.vault) && !it.keys.contains_key(&key);
    if key.is_empty() || !world.vaults.get(&vault).is_some_and(is_open) {
        return;
    }
    let mut versions: Vec<String> = Vec::new();
    for other in all {
        let same = other.vault.eq_ignore_ascii_case(&wanted.vault) && other.name.eq_ignore_ascii_case(&wanted.name);
        let pinned = other.version.as_ref().filter(|version| same && is_version(version));
        versions.extend(pinned.map(|version| version.to_ascii_lowercase()).filter(|it| !versions.contains(it)));
    }
    if versions.is_empty() {
        let name = format!("{}/keys/{key}", wanted.vault);
        versions.push(derived_id(tenant.id, "key-version", &name).simple().to_string());
    }
    let versions = versions.into_iter().map(|it| version(it, now)).collect();
    if let Some(vault) = world.vaults.get_mut(&vault) {
        vault.keys.insert(key, Key { name: wanted.name.clone(), versions, deleted: None });
    }
    azure::grant_client(world, tenant, &wanted.vault, DEFAULTS.key.vault_role, now);
    let subscription = format!("/subscriptions/{subscription}");
    azure::grant_client(world, tenant, &subscription, DEFAULTS.key.subscription_role, now);
}

fn is_version(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn version(version: String, now: Timestamp) -> KeyVersion {
    let KeyDefaults { kty, bits, .. } = DEFAULTS.key;
    let made = before(now, DEFAULTS.age);
    KeyVersion {
        version,
        kty: kty.to_owned(),
        key_size: Some(bits),
        crv: None,
        key_ops: KEY_OPS.map(str::to_owned).into(),
        attributes: Attributes { enabled: true, not_before: None, expires: None, created: made, updated: made },
        tags: None,
    }
}

/// A policy with the subscription and the resource group around it, the embedded client's rights on the group, its identity,
/// and what that holds on the vault of the key.
fn add_policy(world: &mut World, tenant: &Tenant, wanted: &WantedPolicy, now: Timestamp) {
    let WantedPolicy { id, environment_id, vault, key, version } = wanted;
    let Some((subscription, group, name)) = located(id, POLICY) else { return };
    if world.enterprise_policies.contains_key(&id.to_lowercase()) {
        return;
    }
    azure::add_group(world, subscription, group);
    azure::own_group(world, tenant, (subscription, group), now);
    let identity = derived_id(tenant.id, "policy-identity", id);
    let app_id = derived_id(tenant.id, "policy-identity-application", id);
    let application = Application { app_id, display_name: name.to_owned(), client: None };
    world.applications.get_or_insert_with(identity, || application);
    azure::grant(world, tenant, (vault, DEFAULTS.policy_role, identity), now);
    let environment = world.power_platform_environments.get(&environment_id.to_lowercase());
    let location = environment.map_or(DEFAULTS.region, |environment| environment.location.as_str());
    let policy = EnterprisePolicy {
        id: id.clone(),
        location: policy_geography(location).to_owned(),
        kind: "Encryption".to_owned(),
        tags: BTreeMap::new(),
        system_identity: Some(identity),
        guid: derived_id(tenant.id, "enterprise-policy", id),
        encryption: Some(PolicyKey {
            state: "Enabled".to_owned(),
            vault: vault.clone(),
            name: key.clone(),
            version: version.clone(),
        }),
        network_injection: None,
        created: before(now, DEFAULTS.age),
        created_by: world.application(CLIENT_ID).map(|(client, _)| client).unwrap_or_default(),
    };
    world.enterprise_policies.insert(id.to_lowercase(), policy);
}
