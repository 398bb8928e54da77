//! `palisade validate`

use std::path::PathBuf;
use std::rc::Rc;

use anyhow::Context as _;

use super::Format;
use super::error::CommandError;
use super::exit::Exit;
use super::inputs::Files;
use crate::declared;
use crate::report::diagnostics::{self, Style};
use crate::terms::text;
use crate::ui::Ui;

/// Checks the configuration, offline
///
/// Reports every mistake at once, in the order of the files. Needs no account and no network.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A file, a folder with files, or `-` for standard input: the same as `-f`
    #[arg(value_name = "PATH", conflicts_with = "file")]
    paths: Vec<PathBuf>,
    /// The format of the result
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    files: Files,
}

pub(super) fn run(ui: &Rc<Ui>, args: &Args) -> Result<Exit, CommandError> {
    let loaded = if args.paths.is_empty() { args.files.load()? } else { declared::load(&args.paths) };
    if args.format == Format::Json {
        let json = diagnostics::json(&loaded.sources, &loaded.diagnostics);
        ui.result(&text::json(&json).context("the findings can't be written as JSON")?);
        return Ok(if loaded.configuration.is_some() { Exit::Done } else { Exit::Error });
    }
    let Some(configuration) = &loaded.configuration else { return Err(CommandError::configuration(&loaded)) };
    if !loaded.diagnostics.is_empty() {
        ui.message(&diagnostics::text(&loaded.sources, &loaded.diagnostics, Style::Colour));
    }
    let environments = configuration.environments.len();
    let noun = if environments == 1 { "environment" } else { "environments" };
    ui.result(&format!("The configuration is valid: {environments} {noun} in tenant {}.\n", configuration.tenant.id));
    Ok(Exit::Done)
}
