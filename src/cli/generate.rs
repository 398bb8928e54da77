//! `palisade schema`, `completions`, `man`: made from the code.

use std::rc::Rc;

use anyhow::Context as _;
use clap_complete::Shell;

use super::error::CommandError;
use super::exit::Exit;
use crate::declared;
use crate::ui::Ui;

/// Prints the JSON Schema of configuration files
///
/// Editors use it for completion and hover help: start a file with
/// `# yaml-language-server: $schema=PATH/palisade.schema.json`.
#[derive(Debug, clap::Args)]
pub(super) struct SchemaArgs {}

/// Prints a completion script
#[derive(Debug, clap::Args)]
pub(super) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// Prints the manual page
#[derive(Debug, clap::Args)]
pub(super) struct ManArgs {}

pub(super) fn schema(ui: &Rc<Ui>, SchemaArgs {}: &SchemaArgs) -> Result<Exit, CommandError> {
    ui.result(&format!("{:#}\n", declared::format().schema()));
    Ok(Exit::Done)
}

pub(super) fn completions(
    ui: &Rc<Ui>,
    args: &CompletionsArgs,
    mut command: clap::Command,
) -> Result<Exit, CommandError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "palisade", &mut script);
    ui.result(&String::from_utf8_lossy(&script));
    Ok(Exit::Done)
}

pub(super) fn man(ui: &Rc<Ui>, ManArgs {}: &ManArgs, command: clap::Command) -> Result<Exit, CommandError> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page).context("the manual page can't be made")?;
    ui.result(&String::from_utf8_lossy(&page));
    Ok(Exit::Done)
}
