//! `palisade plan`

use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::{Context as _, bail};

use super::Format;
use super::error::CommandError;
use super::exit::{self, Exit};
use super::files;
use super::inputs::{Connection, Files, LimitArgs, Selection, apply_command};
use super::observe;
use crate::config::is_stream;
use crate::plan::{Plan, ScopePlan, is_plan as is_one, render};
use crate::report::plan::{Purpose, text};
use crate::ui::Ui;

/// Shows what applying would change, and why
///
/// Reads the live settings, compares them with the configuration, and prints the difference. Changes nothing: what reads
/// has no way to write. A plan that could not read something declared ends with 3, a plan that a guard refuses with 4.
#[derive(Debug, clap::Args)]
#[command(after_help = exit::HELP)]
pub(super) struct Args {
    /// The format of the plan
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Save the plan, as JSON, for `palisade apply FILE`; `-` writes it to standard output, and the text to standard error
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Ends with 2 if changes are pending, and with 6 if something is under way
    #[arg(long)]
    detailed_exitcode: bool,
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    limits: LimitArgs,
    #[command(flatten)]
    connection: Connection,
}

pub(super) async fn run(ui: &Rc<Ui>, args: &Args) -> Result<Exit, CommandError> {
    // Before anything is asked, so that no plan is made in vain.
    if let Some(path) = args.out.as_deref().filter(|path| !is_stream(path)) {
        replaceable(path)?;
    }
    let plan = observe::look(ui, &args.files, &args.selection, &args.connection, Some(&args.limits)).await?;
    let document = document(&plan)?;
    match args.out.as_deref() {
        Some(path) if is_stream(path) => {
            ui.result(&document);
            if args.format == Format::Text {
                ui.message(&text(&plan, Purpose::Plan));
            }
            ui.status(&format!("valid until {}", plan.expires_at));
            offer(ui, args, Path::new("PLAN"), &plan);
            return Ok(Exit::of_plan(&plan, args.detailed_exitcode));
        }
        Some(path) => save(path, &document)?,
        None => {}
    }
    ui.result(&match args.format {
        Format::Text => text(&plan, Purpose::Plan),
        Format::Json => document,
    });
    if let Some(path) = &args.out {
        ui.status(&format!("saved to {}, valid until {}", path.display(), plan.expires_at));
        offer(ui, args, path, &plan);
    }
    Ok(Exit::of_plan(&plan, args.detailed_exitcode))
}

/// The command that applies what was saved, whole enough to copy; none where a guard refuses all of it.
fn offer(ui: &Ui, args: &Args, path: &Path, plan: &Plan) {
    let can_be = |scope: &&ScopePlan| plan.refusals_of(&scope.scope).next().is_none() && !scope.changes.is_empty();
    let (free, left): (Vec<&ScopePlan>, Vec<&ScopePlan>) = plan.scopes.iter().partition(can_be);
    if free.is_empty() {
        return;
    }
    let command = apply_command(path, &args.files, &args.connection);
    let refused = left.iter().filter(|scope| plan.refusals_of(&scope.scope).next().is_some());
    let refused: Vec<String> = refused.map(|scope| scope.scope.to_string()).collect();
    let without = if refused.is_empty() { String::new() } else { format!(" (leaves out {})", refused.join(", ")) };
    ui.status(&format!("apply it with: {command}{without}"));
}

/// The plan as a document.
pub(super) fn document(plan: &Plan) -> anyhow::Result<String> {
    render(plan).context("the plan can't be written as JSON")
}

/// A slip of the hand must not cost a configuration: a plan takes the place of nothing but a plan.
fn replaceable(path: &Path) -> Result<(), CommandError> {
    // Through a link, too: it would be the link that is lost.
    let Ok(found) = std::fs::metadata(path) else { return Ok(()) };
    let is_plan = |text: String| text.trim().is_empty() || is_one(&text);
    if !found.is_file() || files::text(path).is_ok_and(is_plan) {
        return Ok(());
    }
    Err(CommandError::new(format!("{} isn't a plan, and isn't replaced by one; nothing was saved", path.display()))
        .hint("give `--out` another name, or move that file away"))
}

/// Writes the whole file or nothing: half a plan must never lie where an approval is looked for.
pub(super) fn save(path: &Path, document: &str) -> anyhow::Result<()> {
    use std::io::Write as _;
    // Renamed into place, the file would replace a device or a pipe for everybody.
    if std::fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        bail!("{} isn't a regular file, and isn't replaced", path.display());
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    tempfile::NamedTempFile::new_in(folder)
        .and_then(|mut file| {
            file.write_all(document.as_bytes())?;
            file.as_file().sync_all()?;
            file.persist(path).map_err(|error| error.error)
        })
        .map(drop)
        .with_context(|| format!("{} can't be written", path.display()))
}
