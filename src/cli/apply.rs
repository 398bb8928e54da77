//! `palisade apply`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use jiff::SignedDuration;
use uuid::Uuid;

use super::Format;
use super::error::CommandError;
use super::exit::{self, Exit};
use super::inputs::{Connection, Files, Selection};
use super::observe;
use super::session::{Intent, Session};
use crate::apply::{Engine, Journal, Report, Stop};
use crate::config::{Configuration, Environment};
use crate::plan::{NoteCode, Plan, Refusal, ScopePlan, differences, parse};
use crate::report;
use crate::report::plan::{Purpose, text};
use crate::settings::survey::Survey;
use crate::ui::{Progress, Ui};

/// Where the journal is kept.
pub(super) const JOURNAL: &str = ".palisade/journal.jsonl";

/// Makes the live settings what the configuration says
///
/// Observes afresh, derives the plan again, and carries it out only with an approval: a saved PLAN or an intent digest
/// that stands for the very same intent, `--yes`, or a person's answer. Each write is preceded by a fresh look and counts
/// only once its effect was read back.
#[derive(Debug, clap::Args)]
#[command(after_help = exit::HELP)]
pub(super) struct Args {
    /// A plan that `palisade plan --out FILE` saved: an approval of what it says, and of nothing else
    #[arg(value_name = "PLAN", conflicts_with_all = ["approved", "yes"])]
    plan: Option<PathBuf>,
    /// Approves whatever the plan turns out to be, unless a guard refuses it
    #[arg(long)]
    yes: bool,
    /// Approves the intent with this digest, as printed below a plan
    #[arg(long, value_name = "DIGEST", conflicts_with = "yes")]
    approved: Option<String>,
    /// Ends with 0 instead of 6 if all that is missing is under way
    #[arg(long)]
    accept_waiting: bool,
    /// How long the effect of each write is waited for
    #[arg(long, value_name = "DURATION", default_value = "2m", value_parser = patience)]
    wait: Duration,
    /// The format of the report
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    connection: Connection,
}

pub(super) async fn run(ui: &Rc<Ui>, args: &Args) -> Result<Exit, CommandError> {
    let configuration = args.files.configuration()?;
    let approved = args.plan.as_deref().map(read_plan).transpose()?;
    let environments = environments(args, &configuration, approved.as_ref())?;
    let progress = Rc::new(Progress::new(ui.clone(), "reading the live settings"));
    let session = Session::open(&configuration, &args.connection, Intent::Write, progress.clone()).await?;
    let survey = session.survey(&environments);
    let plan = observe::plan(&session, &survey, &configuration, &environments).await;
    progress.end();
    if let Some(approved) = &approved {
        approved.approves(&plan, session.clock.now()).map_err(|refusal| not_approved(&refusal, approved, &plan))?;
    }
    if let Some(digest) = &args.approved
        && *digest != plan.intent_digest
    {
        ui.message(&text(&plan, Purpose::Plan));
        return Err(CommandError::refused(format!(
            "what would be done now has the intent {}, approved is {digest}; nothing was done",
            plan.intent_digest
        ))
        .hint("review the plan above, and approve its intent if it is what you want"));
    }
    if args.format == Format::Text {
        ui.result(&text(&plan, Purpose::Plan));
    }
    if plan.refusals().next().is_some() {
        if args.format == Format::Json {
            ui.result(&json(&Report::refused(&plan, "a guard refused the plan"))?);
        }
        return Err(guarded(&plan));
    }
    let nothing_to_do = plan.summary.changes == 0;
    if !nothing_to_do && approved.is_none() && args.approved.is_none() && !args.yes {
        if args.format == Format::Json {
            // Nobody may be asked about what they haven't seen; standard output is the program's.
            ui.message(&text(&plan, Purpose::Plan));
        }
        confirm(ui, &plan)?;
    }
    if args.yes {
        seen_by_somebody(&plan)?;
    }
    let report = carry_out(ui, args, &session, &survey, &environments, &plan, &progress).await?;
    match args.format {
        Format::Json => ui.result(&json(&report)?),
        Format::Text if nothing_to_do => {}
        Format::Text => ui.result(&format!("\n{}", report::applied::text(&report))),
    }
    Ok(Exit::of_report(&plan, &report, args.accept_waiting))
}

/// The whole plan is refused: an approval is for all of it.
fn guarded(plan: &Plan) -> CommandError {
    let error = CommandError::refused("a guard refused the plan; nothing was done");
    let error = plan.refusals().fold(error, |error, note| error.hint(format!("{}: {}", note.address, note.message)));
    let refused = |scope: &&ScopePlan| plan.refusals().any(|note| note.address.is_in(&scope.scope));
    let others: Vec<_> = plan.scopes.iter().filter(|scope| !refused(scope) && !scope.changes.is_empty()).collect();
    match others.first() {
        None => error,
        Some(_) => {
            let options: Vec<_> = others.iter().map(|scope| format!("-e {}", scope.scope)).collect();
            error.hint(format!("the other environments can be applied on their own, with `{}`", options.join(" ")))
        }
    }
}

/// `--yes` stands for a plan that nobody saw. What only a comparison by eye can settle needs somebody who saw it.
fn seen_by_somebody(plan: &Plan) -> Result<(), CommandError> {
    let Some(note) = plan.notes.iter().find(|note| note.code == NoteCode::EndpointsApart) else { return Ok(()) };
    Err(CommandError::refused(format!(
        "`--yes` doesn't approve endpoints that lie apart, at {}: {}; nothing was done",
        note.address, note.message
    ))
    .hint(
        "compare the full ids in the plan, and approve it with a saved plan, with `--approved DIGEST`, or at a prompt",
    ))
}

fn environments<'a>(
    args: &Args,
    configuration: &'a Configuration,
    approved: Option<&Plan>,
) -> Result<Vec<&'a Environment>, CommandError> {
    let Some(approved) = approved else { return args.selection.of(configuration) };
    if args.selection.is_given() {
        return Err(CommandError::new("a saved plan says itself which environments it is about")
            .hint("leave out `-e`, or leave out the plan"));
    }
    let planned = |environment: &&Environment| approved.scopes.iter().any(|scope| scope.scope == environment.head.key);
    Ok(configuration.environments.iter().filter(planned).collect())
}

fn read_plan(path: &Path) -> Result<Plan, CommandError> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        CommandError::new(format!("the plan {} can't be read: {error}", path.display()))
            .hint("save one with `palisade plan --out FILE`")
    })?;
    parse(&text).map_err(|refusal| {
        CommandError::refused(format!("{}: {refusal}; nothing was done", path.display()))
            .hint("make a new plan with `palisade plan --out FILE`, and review it")
    })
}

fn not_approved(refusal: &Refusal, approved: &Plan, fresh: &Plan) -> CommandError {
    let mut message = format!("{refusal}; nothing was done");
    if *refusal == Refusal::OtherIntent || *refusal == Refusal::OtherConfiguration {
        for line in differences(approved, fresh) {
            message += &format!("\n  {line}");
        }
    }
    let error = CommandError::refused(message);
    let error = match refusal {
        Refusal::OtherIntent | Refusal::OtherConfiguration => error
            .hint("lines with - were approved and wouldn't be done, lines with + would be done and weren't approved"),
        _ => error,
    };
    error.hint("make a new plan with `palisade plan --out FILE`, and review it")
}

fn confirm(ui: &Ui, plan: &Plan) -> Result<(), CommandError> {
    let changes = match plan.summary.changes {
        1 => "this change".to_owned(),
        several => format!("these {several} changes"),
    };
    let dangers = report::plan::dangers(plan);
    let mind = if dangers.is_empty() { String::new() } else { format!(" ({})", dangers.join(", ")) };
    let question = format!("Make {changes} on {}{mind}? Only `yes` is accepted:", plan.target);
    match ui.ask(&question) {
        Some(answer) if answer == "yes" => Ok(()),
        Some(_) => Err(CommandError::new("not confirmed; nothing was done")),
        None => Err(CommandError::new("nobody is here to confirm the plan; nothing was done")
            .hint("approve it with a saved plan (`palisade apply PLAN`), with `--approved DIGEST`, or with `--yes`")),
    }
}

async fn carry_out(
    ui: &Rc<Ui>,
    args: &Args,
    session: &Session,
    survey: &Survey,
    environments: &[&Environment],
    plan: &Plan,
    progress: &Progress,
) -> Result<Report, CommandError> {
    if plan.summary.changes == 0 {
        return Ok(Report::of(plan, Vec::new()));
    }
    // Opened before the first write: what can't be recorded isn't done.
    let journal = Journal::open(Path::new(JOURNAL)).map_err(|error| {
        CommandError::new(format!("{error}; nothing was done")).hint("palisade keeps its journal in the current folder")
    })?;
    progress.begin("applying");
    let stop = Stop::default();
    let engine = Engine {
        survey,
        writer: &session.writer(&plan.intent_digest),
        clock: &session.clock,
        environments: environments.iter().map(|it| (it.head.key.as_str(), *it)).collect::<BTreeMap<_, _>>(),
        patience: args.wait,
        stop: stop.clone(),
        listener: progress,
        journal: &journal,
        run: Uuid::new_v4().to_string(),
    };
    let report = heeding_interrupts(ui, &stop, engine.run(plan)).await;
    progress.end();
    report.ok_or_else(|| {
        CommandError::partial("stopped at once; what was under way may or may not have taken effect")
            .hint(format!("{JOURNAL} says what was begun; `palisade plan` says what is left"))
    })
}

/// Runs to the end. An interrupt lets the write in flight finish and asks for nothing new to begin; a second one doesn't
/// wait for that: then there is no report.
async fn heeding_interrupts(ui: &Ui, stop: &Stop, run: impl Future<Output = Report>) -> Option<Report> {
    tokio::pin!(run);
    tokio::select! {
        report = &mut run => return Some(report),
        () = super::emulator::interrupted() => {
            stop.request();
            ui.warning("interrupted: the write in flight is finished, nothing new is begun; once more stops at once");
        }
    }
    tokio::select! {
        report = run => Some(report),
        () = super::emulator::interrupted() => None,
    }
}

fn json(report: &Report) -> Result<String, CommandError> {
    let text = serde_json::to_string_pretty(report);
    text.map(|text| text + "\n")
        .map_err(|error| CommandError::new(format!("the report can't be written as JSON: {error}")))
}

fn patience(text: &str) -> Result<Duration, String> {
    let duration: SignedDuration = text.parse().map_err(|_| "write a duration such as 90s or 15m".to_owned())?;
    Duration::try_from(duration).map_err(|_| "a wait can't be negative".to_owned())
}
