//! `palisade apply`

use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Context as _;

use super::Format;
use super::approve::{self, Approve};
use super::error::CommandError;
use super::exit::{self, Exit};
use super::inputs::{Connection, Files, LimitArgs, Selection, duration};
use super::observe::{self, Limits};
use super::session::{Intent, Session};
use crate::apply::{Engine, Fleet, Journal, RefusedScope, Remaining, Report, Stop, Surveyed};
use crate::declared::Configuration;
use crate::plan::{Approval, Clearance, Plan, clear};
use crate::report;
use crate::report::difference::of_plans;
use crate::report::plan::{Purpose, text};
use crate::settings::declaration::Declaration;
use crate::settings::survey::Survey;
use crate::terms::Scope;
use crate::terms::text::{json as printed, printable};
use crate::ui::{Progress, Ui};

/// How long the effect of a write is waited for without `--wait`.
const PATIENCE: Duration = Duration::from_secs(120);

/// Where the journal is kept.
pub(super) const JOURNAL: &str = ".palisade/journal.jsonl";

/// Apply the configuration to the live environments
///
/// Observes afresh, derives the plan again, and carries out only what is approved, environment by environment: by a saved
/// PLAN, by digests, by `--yes`, or by an answer on a terminal. An environment that a guard refuses is left out, the others
/// go on. Each write is preceded by a fresh look and counts only once its effect was read back.
#[derive(Debug, clap::Args)]
#[command(after_help = exit::HELP)]
pub(super) struct Args {
    /// End with 0 instead of 6 if all that is missing is under way or waits for a person
    #[arg(long)]
    accept_waiting: bool,
    /// How long to wait for the effect of each write [default: 2m], and for operations that go on for hours or days [default: not
    /// at all: they are left under way]; `--timeout` ends either
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    wait: Option<Duration>,
    /// An environment that goes before the others; if it fails, no other one is begun; several with
    /// commas between, or given several times
    #[arg(long, value_name = "ENV", value_delimiter = ',')]
    first: Vec<String>,
    /// Begin no further environment after so many failed
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    stop_after: u16,
    /// The format of the report
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    approve: Approve,
    #[command(flatten)]
    limits: LimitArgs,
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    connection: Connection,
}

pub(super) async fn run(ui: &Rc<Ui>, args: &Args) -> Result<Exit, CommandError> {
    args.approve.alone(&args.limits, &args.selection, &args.files, &args.connection)?;
    if let Some(what) = args.approve.reads_input() {
        args.files.leave_input_for(what)?;
    }
    // First, so that a configuration in the place of a plan is told before a configuration is missed.
    let approval = args.approve.read()?;
    let configuration = args.files.configuration()?;
    let scopes = scopes(ui, args, &configuration, approval.as_ref())?;
    let limits = approve::limits_of(approval.as_ref(), args.limits.limits(&configuration)?);
    let scopes: Vec<&Declaration> = scopes.into_iter().filter(|one| limits.only.reaches(&one.head.scope())).collect();
    let fleet = fleet(args, &scopes)?;
    let progress = Rc::new(Progress::new(ui.clone(), "reading the live settings"));
    let session = Session::open(&configuration, &args.connection, Intent::Write, progress.clone()).await?;
    args.approve.still_holds(session.clock.now())?;
    let survey = session.survey();
    let plan = observe::plan(&session, &survey, &configuration, &scopes, &limits).await;
    progress.end();
    // What isn't begun when the time is over is the next write.
    session.ask_however_late();
    let saved = match &approval {
        Some(Approval::Saved(saved)) => Some(saved.clone()),
        _ => None,
    };
    let clearances = cleared(ui, args, &session, &plan, approval)?;
    let run = Run { ui, args, session: &session, configuration: &configuration, limits: &limits, progress: &progress };
    let mut report = run.carry_out(&survey, &scopes, &plan, &clearances, fleet).await?;
    report.look_after(run.look_again(&scopes, &plan, &report).await);
    match args.format {
        Format::Json => ui.result(&json(&report)?),
        Format::Text => ui.result(&report::applied::text(&report)),
    }
    tell_refusals(ui, &report, saved.as_deref(), &plan);
    // What was done is told nowhere else than in the journal.
    if report.wrote() && ui.failure().is_some() {
        ui.hint(&format!("changes were made; {JOURNAL} has them, and `palisade plan` says what is left"));
        return Ok(Exit::Partial);
    }
    Ok(Exit::of_report(&plan, &report, args.accept_waiting))
}

/// What was left out on purpose must not be missed in a log, whatever the format of the result.
fn tell_refusals(ui: &Ui, report: &Report, saved: Option<&Plan>, fresh: &Plan) {
    let done = if report.wrote() { "nothing was done there" } else { "nothing was done" };
    for RefusedScope { scope, reasons } in &report.refused {
        let reasons: Vec<String> = reasons.iter().map(|reason| printable(reason)).collect();
        ui.error(&format!("{scope} is refused; {done}\n  {}", reasons.join("\n  ")));
        let differences = saved.map(|saved| of_plans(saved, fresh, |one| one == scope)).unwrap_or_default();
        if !differences.is_empty() {
            ui.message(&differences);
        }
        if reasons.iter().any(|reason| reason.starts_with("- ") || reason.starts_with("+ ")) {
            ui.hint("`-` approved, no longer needed; `+` needed, not approved");
            ui.hint("make a new plan with `palisade plan --out FILE`, and review it");
        }
    }
}

/// Shows the plan, and finds out what of it is approved.
fn cleared(
    ui: &Ui,
    args: &Args,
    session: &Session,
    plan: &Plan,
    approval: Option<Approval>,
) -> Result<Vec<Clearance>, CommandError> {
    let asks = approval.is_none();
    let approval = approval.unwrap_or(Approval::Seen);
    let clearances = clear(&approval, plan, session.clock.now()).map_err(|refusal| {
        if matches!(approval, Approval::Intent(_)) {
            ui.message(&text(plan, Purpose::Plan));
        }
        approve::not_approved(&refusal, &approval, plan)
    })?;
    match args.format {
        Format::Text => ui.result(&text(plan, Purpose::Plan)),
        // Nobody may be asked about what they haven't seen; standard output is the program's.
        Format::Json if asks => ui.message(&text(plan, Purpose::Plan)),
        Format::Json => {}
    }
    if asks {
        approve::confirm(ui, plan, &clearances)?;
    }
    Ok(clearances)
}

fn scopes<'a>(
    ui: &Ui,
    args: &Args,
    configuration: &'a Configuration,
    approval: Option<&Approval>,
) -> Result<Vec<&'a Declaration>, CommandError> {
    let Some(Approval::Saved(approved)) = approval else { return args.selection.of(ui, configuration) };
    let planned = |one: &&Declaration| approved.scopes.iter().any(|scope| scope.scope == one.head.scope());
    Ok(configuration.scopes().filter(planned).collect())
}

fn fleet(args: &Args, scopes: &[&Declaration]) -> Result<Fleet, CommandError> {
    let known = |key: &&String| scopes.iter().any(|scope| scope.head.is_environment(key));
    if let Some(stranger) = args.first.iter().find(|key| !known(key)) {
        return Err(CommandError::new(format!("`--first {stranger}`: no such environment in this run")));
    }
    let first = args.first.iter().map(Scope::environment).collect();
    Ok(Fleet { first, stop_after: args.stop_after.into(), ..Fleet::default() })
}

/// What carrying out needs.
struct Run<'a> {
    ui: &'a Rc<Ui>,
    args: &'a Args,
    session: &'a Session,
    configuration: &'a Configuration,
    limits: &'a Limits,
    progress: &'a Progress,
}

impl Run<'_> {
    async fn carry_out(
        &self,
        survey: &Survey,
        scopes: &[&Declaration],
        plan: &Plan,
        clearances: &[Clearance],
        fleet: Fleet,
    ) -> Result<Report, CommandError> {
        // Opened before the first write: what can't be recorded isn't done.
        let journal = match clearances.iter().any(|clearance| clearance.works(plan)) {
            false => Journal::closed(),
            true => Journal::open(Path::new(JOURNAL)).map_err(|error| {
                CommandError::from(error)
                    .before_anything_was_done()
                    .hint("palisade keeps its journal in the current folder")
            })?,
        };
        self.progress.begin("applying");
        let stop = Stop::default();
        let patience = self.args.wait.unwrap_or(PATIENCE);
        let engine = Engine {
            looks: &Surveyed {
                survey,
                declarations: scopes.iter().map(|scope| (scope.head.scope(), *scope)).collect(),
            },
            writer: &self.session.writer(&plan.intent_digest).with_patience(patience),
            clock: &self.session.clock,
            patience,
            patience_under_way: self.args.wait.unwrap_or_default(),
            fleet,
            stop: stop.clone(),
            listener: self.progress,
            journal: &journal,
            run: self.session.clock.new_id().to_string(),
        };
        let report = heeding_interrupts(self.ui, &stop, self.time_left(), engine.run(plan, clearances)).await;
        self.progress.end();
        report.ok_or_else(|| {
            CommandError::partial("stopped at once; what was under way may or may not have taken effect")
                .hint(format!("{JOURNAL} says what was begun; `palisade plan` says what is left"))
        })
    }

    /// Ends when the run's time is over. A pretended clock would go to that very instant if nothing else wanted to be waited for.
    async fn time_left(&self) {
        if self.session.clock.is_simulated() {
            return std::future::pending().await;
        }
        let left = self.session.ends.duration_since(self.session.clock.now());
        self.session.clock.sleep(Duration::try_from(left).unwrap_or_default()).await;
    }

    /// What is left to do where something was written: by a new observation, as the next plan would make it.
    async fn look_again(&self, scopes: &[&Declaration], plan: &Plan, report: &Report) -> Remaining {
        let written: Vec<&Declaration> =
            scopes.iter().filter(|scope| report.wrote_in(&scope.head.scope())).copied().collect();
        if written.is_empty() {
            return Remaining::default();
        }
        self.progress.begin("looking at what is left");
        let survey = self.session.survey();
        let after = observe::plan(self.session, &survey, self.configuration, &written, self.limits).await;
        self.progress.end();
        Remaining::of(&after, plan, report)
    }
}

/// Runs to the end. An interrupt, or the end of the run's time, lets the write in flight finish and asks for nothing new to
/// begin; a further interrupt doesn't wait for that: then there is no report.
async fn heeding_interrupts(
    ui: &Ui,
    stop: &Stop,
    time_left: impl Future<Output = ()>,
    run: impl Future<Output = Report>,
) -> Option<Report> {
    tokio::pin!(run);
    let why = tokio::select! {
        report = &mut run => return Some(report),
        () = super::emulator::interrupted() => "interrupted",
        () = time_left => "the time of `--timeout` is over",
    };
    stop.request();
    ui.warning(&format!("{why}: the write in flight is finished, nothing new is begun; an interrupt stops at once"));
    tokio::select! {
        report = run => Some(report),
        () = super::emulator::interrupted() => None,
    }
}

fn json(report: &Report) -> anyhow::Result<String> {
    printed(report).context("the report can't be written as JSON")
}
