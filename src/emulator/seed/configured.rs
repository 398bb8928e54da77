//! What a configuration talks about.

use super::{Wanted, WantedEnvironment, WantedVault};
use crate::config::words::VAULT;
use crate::config::{Configuration, Environment};

impl From<&Configuration> for Wanted {
    fn from(configuration: &Configuration) -> Self {
        let environments = configuration.environments.iter().map(|environment| {
            let Environment { head, attested: _, blocks, elsewhere: _, digest: _ } = environment;
            WantedEnvironment {
                key: head.key.clone(),
                instance_id: head.instance_id,
                environment_id: head.environment_id.clone(),
                name: head.name.clone(),
                business_units: head.business_units,
                principals: blocks.principals(),
            }
        });
        let named = configuration.environments.iter().flat_map(|environment| environment.blocks.resources());
        let (vaults, resources): (Vec<_>, Vec<_>) = named.partition(|id| id.is_kind(VAULT));
        Self {
            tenant: configuration.tenant.id,
            environments: environments.collect(),
            vaults: vaults.iter().map(|id| WantedVault { id: id.to_string() }).collect(),
            resources: resources.iter().map(ToString::to_string).collect(),
        }
    }
}
