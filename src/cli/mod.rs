//! The command line: one file per command, each with its arguments and a short `run`.
//!
//! What must stay true: results go to standard output and everything else to standard error; a command says how it ended
//! with an [`Exit`], and only `main` turns that into a code; commands that don't need the services don't build a client.

mod apply;
mod approve;
mod drift;
mod emulator;
mod error;
mod exit;
mod explain;
mod files;
mod generate;
mod inputs;
mod keys;
mod observe;
mod plan;
mod seed;
mod session;
mod validate;
mod world;

use std::ffi::OsString;
use std::process::ExitCode;
use std::rc::Rc;

use anstream::ColorChoice;
use anyhow::Context as _;
use clap::{CommandFactory as _, Parser, Subcommand, ValueEnum};

pub use error::CommandError;
pub use exit::Exit;
pub use seed::wanted;

use crate::ui::{Manner, Ui, start_log};

/// Security settings of Dynamics 365 Customer Insights environments as code
///
/// People write YAML; palisade compares it with the live services, prints a plan, and applies it. What isn't declared
/// isn't managed. Try it without an account: `palisade plan -f examples/contoso.yaml --emulator`.
#[derive(Debug, Parser)]
#[command(name = "palisade", version, max_term_width = 110, after_help = exit::HELP)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    /// When to use colour
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    color: Colour,
    /// Logs what happens to standard error; twice: each request; three times: everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// Leaves out status lines
    #[arg(short, long, global = true)]
    quiet: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    Plan(plan::Args),
    Apply(apply::Args),
    Drift(drift::Args),
    Validate(validate::Args),
    Keys(keys::Args),
    Explain(explain::Args),
    Schema(generate::SchemaArgs),
    Completions(generate::CompletionsArgs),
    Man(generate::ManArgs),
    Emulator(emulator::Args),
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Colour {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The format of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

/// Runs the program.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return usage(&error).into(),
    };
    let colour = match cli.color {
        Colour::Auto => ColorChoice::Auto,
        Colour::Always => ColorChoice::Always,
        Colour::Never => ColorChoice::Never,
    };
    let ui = Rc::new(Ui::new(Manner { colour, quiet: cli.quiet, verbosity: cli.verbose }));
    start_log(cli.verbose);
    let exit = run(&ui, cli.command).unwrap_or_else(|error| error.show(&ui));
    match ui.failure() {
        Some(kind) => {
            ui.error(&format!("the result could not be written to standard output: {kind}"));
            // Something was changed: that is what whoever looks at the code has to know.
            if exit == Exit::Partial { exit.into() } else { Exit::Error.into() }
        }
        None => exit.into(),
    }
}

/// Help and version are results, too: a closed pipe is no reason to fail, and a full disk is one.
fn usage(error: &clap::Error) -> Exit {
    let printed = error.print();
    if error.use_stderr() {
        return Exit::Error;
    }
    match printed {
        Err(failure) if failure.kind() != std::io::ErrorKind::BrokenPipe => {
            let ui = Ui::new(Manner { colour: ColorChoice::Auto, quiet: false, verbosity: 0 });
            ui.error(&format!("the result could not be written to standard output: {}", failure.kind()));
            Exit::Error
        }
        _ => Exit::Done,
    }
}

fn run(ui: &Rc<Ui>, command: Command) -> Result<Exit, CommandError> {
    match command {
        Command::Plan(args) => in_runtime(plan::run(ui, &args)),
        Command::Apply(args) => in_runtime(apply::run(ui, &args)),
        Command::Drift(args) => in_runtime(drift::run(ui, &args)),
        Command::Keys(args) => in_runtime(keys::run(ui, &args)),
        Command::Emulator(args) => in_runtime(emulator::run(ui, &args)),
        Command::Validate(args) => validate::run(ui, &args),
        Command::Explain(args) => explain::run(ui, &args),
        Command::Schema(args) => generate::schema(ui, &args),
        Command::Completions(args) => generate::completions(ui, &args, Cli::command()),
        Command::Man(args) => generate::man(ui, &args, Cli::command()),
    }
}

/// One thread does it all: the services are what is waited for.
fn in_runtime(command: impl Future<Output = Result<Exit, CommandError>>) -> Result<Exit, CommandError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the program can't start its event loop")?;
    let exit = runtime.block_on(command);
    runtime.shutdown_background();
    exit
}
