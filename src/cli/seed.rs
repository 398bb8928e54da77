//! What a configuration talks about, for the emulator's world.

use crate::declared::Configuration;
use crate::emulator::{Wanted, WantedEnvironment, WantedKey, WantedPolicy, WantedVault};
use crate::settings::declaration::Declaration;
use crate::settings::setting::{NamedKey, NamedPolicy};
use crate::terms::resource_kinds::VAULT;

/// Everything that a world needs for this configuration to be planned against it.
pub fn wanted(configuration: &Configuration) -> Wanted {
    let environments = configuration.environments.iter().filter_map(|environment| {
        let Declaration { head, blocks, .. } = environment;
        let head = head.environment()?;
        Some(WantedEnvironment {
            key: head.key.clone(),
            instance_id: head.instance_id,
            environment_id: head.environment_id.clone().unwrap_or_default(),
            name: head.name.clone(),
            business_units: head.business_units,
            principals: blocks.principals(),
        })
    });
    let named = configuration.scopes().flat_map(|scope| scope.blocks.resources());
    let policies: Vec<(String, NamedPolicy)> = configuration.environments.iter().flat_map(policies).collect();
    // What palisade is to create isn't there before.
    let (created, there): (Vec<_>, Vec<_>) = policies.iter().partition(|(_, policy)| policy.created);
    let (vaults, resources): (Vec<_>, Vec<_>) = named.partition(|id| id.is_kind(VAULT));
    Wanted {
        tenant: configuration.tenant.id,
        environments: environments.collect(),
        vaults: vaults.iter().map(|id| WantedVault { id: id.to_string() }).collect(),
        resources: resources.iter().map(ToString::to_string).collect(),
        keys: policies.iter().map(|(_, policy)| key(policy)).chain(named_keys(configuration)).collect(),
        policies: there.into_iter().map(|(environment, policy)| existing(environment, policy)).collect(),
        resource_groups: created.iter().map(|(_, policy)| policy.id.group().to_string()).collect(),
    }
}

/// The policies that an environment names, each with the environment's id in Power Platform.
fn policies(environment: &Declaration) -> Vec<(String, NamedPolicy)> {
    let id = environment.head.environment().and_then(|head| head.environment_id.clone()).unwrap_or_default();
    environment.blocks.policies().into_iter().map(|policy| (id.clone(), policy)).collect()
}

/// The keys that are named without a policy.
fn named_keys(configuration: &Configuration) -> impl Iterator<Item = WantedKey> {
    let named = configuration.scopes().flat_map(|scope| scope.blocks.encryption_keys());
    named.map(|NamedKey { vault, key, version }| WantedKey { vault: vault.to_string(), name: key, version })
}

fn key(NamedPolicy { id: _, vault, key, version, created: _ }: &NamedPolicy) -> WantedKey {
    WantedKey { vault: vault.to_string(), name: key.clone(), version: version.clone() }
}

fn existing(environment: &str, NamedPolicy { id, vault, key, version, created: _ }: &NamedPolicy) -> WantedPolicy {
    WantedPolicy {
        id: id.to_string(),
        environment_id: environment.to_owned(),
        vault: vault.to_string(),
        key: key.clone(),
        version: version.clone(),
    }
}
