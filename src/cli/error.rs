//! Errors that end a command, with their hints and their exit.

use super::exit::Exit;
use crate::declared::Loaded;
use crate::report::diagnostics::{self, Style};
use crate::ui::Ui;

/// Why a command ended early.
#[derive(Debug)]
pub struct CommandError {
    message: String,
    hints: Vec<String>,
    frames: Option<String>,
    exit: Exit,
}

impl CommandError {
    /// An error that a person can't do anything about here, or doesn't need a hint for.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hints: Vec::new(), frames: None, exit: Exit::Error }
    }

    /// A refusal: nothing was done, on purpose.
    pub(super) fn refused(message: impl Into<String>) -> Self {
        Self { exit: Exit::Refused, ..Self::new(message) }
    }

    /// A run that ended in the middle.
    pub(super) fn partial(message: impl Into<String>) -> Self {
        Self { exit: Exit::Partial, ..Self::new(message) }
    }

    /// A configuration with mistakes.
    pub(super) fn configuration(loaded: &Loaded) -> Self {
        let errors = loaded.diagnostics.iter().filter(|found| found.severity == crate::config::Severity::Error).count();
        let message = match errors {
            1 => "the configuration has a mistake; nothing was done".to_owned(),
            errors => format!("the configuration has {errors} mistakes; nothing was done"),
        };
        let frames = Some(diagnostics::text(&loaded.sources, &loaded.diagnostics, Style::Colour));
        let first = loaded.diagnostics.iter().next().map(|found| found.code.name());
        let hints = first.map(|code| format!("`palisade explain {code}` says more")).into_iter().collect();
        Self { frames, hints, ..Self::new(message) }
    }

    /// Adds what to do.
    #[must_use]
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Shows it, and says how the command ended.
    pub(super) fn show(self, ui: &Ui) -> Exit {
        let Self { message, hints, frames, exit } = self;
        if let Some(frames) = frames {
            ui.message(&frames);
            ui.message(" ");
        }
        ui.error(&message);
        for hint in hints {
            ui.hint(&hint);
        }
        exit
    }
}
