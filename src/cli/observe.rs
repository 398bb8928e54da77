//! What `plan`, `drift` and `apply` have in common: observe, compare, guard, derive.

use std::rc::Rc;

use super::error::CommandError;
use super::inputs::{Connection, Files, LimitArgs, Selection};
use super::session::{Intent, Session};
use crate::declared::Configuration;
use crate::guard;
use crate::plan::{Derivation, Only, Plan, derive};
use crate::settings::declaration::Declaration;
use crate::settings::survey::Survey;
use crate::ui::{Progress, Ui};

/// What a plan is limited to.
#[derive(Debug, Clone, Default)]
pub(super) struct Limits {
    pub(super) budget: Budget,
    pub(super) only: Only,
}

/// How many removals a run may make.
#[derive(Debug, Clone, Copy, Default)]
pub(super) enum Budget {
    /// As many as are no sign of a mistake.
    #[default]
    Usual,
    /// So many, since somebody asked for it.
    AskedFor(usize),
    /// Any number, since the run removes nothing.
    LooksOnly,
}

impl Budget {
    fn checked(self) -> Option<usize> {
        match self {
            Self::Usual => None,
            Self::AskedFor(number) => Some(number),
            Self::LooksOnly => Some(usize::MAX),
        }
    }

    fn asked_for(self) -> Option<usize> {
        match self {
            Self::AskedFor(number) => Some(number),
            Self::Usual | Self::LooksOnly => None,
        }
    }
}

/// Looks, and only looks: reads the configuration and the live settings, and derives the plan. Without `limits`, for a run that
/// proposes nothing, no budget of removals matters.
pub(super) async fn look(
    ui: &Rc<Ui>,
    files: &Files,
    selection: &Selection,
    connection: &Connection,
    limits: Option<&LimitArgs>,
) -> Result<Plan, CommandError> {
    let configuration = files.configuration()?;
    let scopes = selection.of(ui, &configuration)?;
    let limits = match limits {
        Some(given) => given.limits(&configuration)?,
        None => Limits { budget: Budget::LooksOnly, ..Limits::default() },
    };
    let scopes: Vec<&Declaration> = scopes.into_iter().filter(|one| limits.only.reaches(&one.head.scope())).collect();
    let progress = Rc::new(Progress::new(ui.clone(), "reading the live settings"));
    let session = Session::open(&configuration, connection, Intent::Read, progress.clone()).await?;
    let survey = session.survey();
    let plan = plan(&session, &survey, &configuration, &scopes, &limits).await;
    progress.end();
    Ok(plan)
}

/// Observes these scopes and derives the plan.
pub(super) async fn plan(
    session: &Session,
    survey: &Survey,
    configuration: &Configuration,
    scopes: &[&Declaration],
    limits: &Limits,
) -> Plan {
    let now = session.clock.now();
    let accounts = survey.accounts(scopes, now).await;
    let Limits { budget, only } = limits;
    let mut notes = guard::check(&accounts, budget.checked(), only);
    notes.extend(survey.caller_notes());
    let derivation = Derivation {
        config_digest: configuration.digest.clone(),
        target: session.target.clone(),
        now,
        allow_removals: budget.asked_for(),
        only: only.clone(),
    };
    derive(&derivation, &accounts, notes)
}
