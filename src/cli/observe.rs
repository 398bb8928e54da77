//! What `plan`, `drift` and `apply` have in common: observe, compare, guard, derive.

use crate::cli::session::Session;
use crate::config::{Configuration, Environment};
use crate::guard;
use crate::plan::{Derivation, Plan, derive};
use crate::settings::survey::Survey;

/// Observes these environments and derives the plan.
pub(super) async fn plan(
    session: &Session,
    survey: &Survey,
    configuration: &Configuration,
    environments: &[&Environment],
) -> Plan {
    let now = session.clock.now();
    let accounts = survey.accounts(environments, now).await;
    let notes = guard::check(&accounts);
    let derivation = Derivation { config_digest: configuration.digest.clone(), target: session.target.clone(), now };
    derive(&derivation, &accounts, notes)
}
