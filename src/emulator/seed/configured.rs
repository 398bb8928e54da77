//! What a configuration talks about.

use super::{Wanted, WantedEnvironment, WantedPrincipal, WantedVault};
use crate::config::{Configuration, Environment};
use crate::settings::users::PrincipalRef;

impl From<&Configuration> for Wanted {
    fn from(configuration: &Configuration) -> Self {
        let environments = configuration.environments.iter().map(|environment| {
            let Environment { head, attested: _, blocks } = environment;
            WantedEnvironment {
                key: head.key.clone(),
                instance_id: head.instance_id,
                environment_id: head.environment_id.clone(),
                name: head.name.clone(),
                business_units: head.business_units,
                principals: blocks.principals().into_iter().map(WantedPrincipal::from).collect(),
            }
        });
        let vaults = configuration.environments.iter().flat_map(|environment| environment.blocks.vaults());
        Self {
            tenant: configuration.tenant.id,
            environments: environments.collect(),
            vaults: vaults.map(|id| WantedVault { id: id.to_string() }).collect(),
        }
    }
}

impl From<PrincipalRef> for WantedPrincipal {
    fn from(principal: PrincipalRef) -> Self {
        match principal {
            PrincipalRef::User { upn } => Self::User { upn },
            PrincipalRef::Group { name, id } => Self::Group { name, id },
            PrincipalRef::App { name, app_id } => Self::App { name, app_id },
            PrincipalRef::Principal { id } => Self::Principal { id },
        }
    }
}
