//! `palisade drift`

use std::rc::Rc;

use super::Format;
use super::error::CommandError;
use super::exit::{self, Exit};
use super::inputs::{Connection, Files, Selection};
use super::observe;
use super::plan::document;
use crate::report::plan::{Purpose, text};
use crate::ui::Ui;

/// Looks for drift: a check for cron that can't write
///
/// The same look as `plan`, always with detailed exit codes: 0 means that everything declared was read and is as declared;
/// 2 that something differs; 3 that something could not be read, which is never taken for "fine".
#[derive(Debug, clap::Args)]
#[command(after_help = exit::HELP)]
pub(super) struct Args {
    /// The format of the result; JSON is the plan that would undo the drift
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
    let plan = observe::look(ui, &args.files, &args.selection, &args.connection, None).await?;
    ui.result(&match args.format {
        Format::Text => text(&plan, Purpose::Drift),
        Format::Json => document(&plan)?,
    });
    Ok(Exit::of_plan(&plan, true))
}
