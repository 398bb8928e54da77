//! What a configuration talks about, for the emulator's world.

use crate::declared::Configuration;
use crate::emulator::{Wanted, WantedEnvironment, WantedVault};
use crate::settings::declaration::Declaration;
use crate::terms::resource_kinds::VAULT;

/// Everything that a world needs for this configuration to be planned against it.
pub fn wanted(configuration: &Configuration) -> Wanted {
    let environments = configuration.environments.iter().filter_map(|environment| {
        let Declaration { head, attested: _, blocks, elsewhere: _, instances_elsewhere: _, digest: _ } = environment;
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
    let (vaults, resources): (Vec<_>, Vec<_>) = named.partition(|id| id.is_kind(VAULT));
    Wanted {
        tenant: configuration.tenant.id,
        environments: environments.collect(),
        vaults: vaults.iter().map(|id| WantedVault { id: id.to_string() }).collect(),
        resources: resources.iter().map(ToString::to_string).collect(),
        keys: Vec::new(),
        policies: Vec::new(),
        resource_groups: Vec::new(),
    }
}
