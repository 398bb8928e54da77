//! What `plan`, `drift` and `apply` have in common: observe, compare, guard, derive.

use std::rc::Rc;

use super::error::CommandError;
use super::inputs::{Connection, Files, Selection};
use super::session::{Intent, Session};
use crate::config::{Configuration, Environment};
use crate::guard;
use crate::plan::{Derivation, Plan, derive};
use crate::settings::survey::Survey;
use crate::ui::{Progress, Ui};

/// Looks, and only looks: reads the configuration and the live settings, and derives the plan.
pub(super) async fn look(
    ui: &Rc<Ui>,
    files: &Files,
    selection: &Selection,
    connection: &Connection,
) -> Result<Plan, CommandError> {
    let configuration = files.configuration()?;
    let environments = selection.of(&configuration)?;
    let progress = Rc::new(Progress::new(ui.clone(), "reading the live settings"));
    let session = Session::open(&configuration, connection, Intent::Read, progress.clone()).await?;
    let survey = session.survey(&environments);
    let plan = plan(&session, &survey, &configuration, &environments).await;
    progress.end();
    Ok(plan)
}

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
    let derivation = Derivation {
        config_digest: configuration.digest.clone(),
        target: session.target.clone(),
        now,
        allow_removals: None,
    };
    derive(&derivation, &accounts, notes)
}
