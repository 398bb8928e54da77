//! Errors that end a command: what failed and why, what to do, and the exit.
//!
//! What goes wrong while files, journals, plans and worlds are read and written comes as an [`anyhow::Error`], with what was
//! being done as its context; a command adds hints and how it ended.
//!
//! Invariants: every cause is printed, each once; what was left undone on purpose is said last.

use std::fmt;

use super::exit::Exit;
use crate::config::Severity;
use crate::declared::Loaded;
use crate::report::diagnostics::{self, Style};
use crate::ui::Ui;

/// Why a command ended early.
#[derive(Debug)]
pub struct CommandError {
    error: anyhow::Error,
    /// What the failure means for what was to be done.
    consequence: Option<&'static str>,
    hints: Vec<String>,
    frames: Option<String>,
    exit: Exit,
}

impl CommandError {
    /// An error that a person can't do anything about here, or doesn't need a hint for.
    pub fn new(message: impl Into<String>) -> Self {
        anyhow::Error::msg(message.into()).into()
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
        let errors = || loaded.diagnostics.iter().filter(|found| found.severity == Severity::Error);
        let message = match errors().count() {
            1 => "the configuration has a mistake; nothing was done".to_owned(),
            errors => format!("the configuration has {errors} mistakes; nothing was done"),
        };
        let error = Self::new(message).showing(diagnostics::text(&loaded.sources, &loaded.diagnostics, Style::Colour));
        match errors().next() {
            Some(first) => error.hint(format!("`palisade explain {}` says more", first.code.name())),
            None => error,
        }
    }

    /// The same, which a guard's rule or an approval demands rather than a failure.
    pub(super) fn refusing(self) -> Self {
        Self { exit: Exit::Refused, ..self }
    }

    /// Says that nothing was done.
    pub(super) fn before_anything_was_done(self) -> Self {
        Self { consequence: Some("nothing was done"), ..self }
    }

    /// Adds what to do.
    #[must_use]
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Shows something above the error.
    #[must_use]
    pub(super) fn showing(self, frames: String) -> Self {
        Self { frames: (!frames.is_empty()).then_some(frames), ..self }
    }

    /// Shows it, and says how the command ended.
    pub(super) fn show(self, ui: &Ui) -> Exit {
        if let Some(frames) = &self.frames {
            ui.message(frames);
            ui.message(" ");
        }
        ui.error(&self.to_string());
        for hint in &self.hints {
            ui.hint(hint);
        }
        self.exit
    }
}

impl<E: Into<anyhow::Error>> From<E> for CommandError {
    fn from(error: E) -> Self {
        Self { error: error.into(), consequence: None, hints: Vec::new(), frames: None, exit: Exit::Error }
    }
}

/// What failed, and why, and why that: `what: why: why`.
impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        for cause in self.error.chain() {
            let cause = cause.to_string();
            // Some errors name their own cause.
            if !text.ends_with(&cause) {
                text = if text.is_empty() { cause } else { format!("{text}: {cause}") };
            }
        }
        f.write_str(&text)?;
        self.consequence.map_or(Ok(()), |consequence| write!(f, "; {consequence}"))
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;
    use crate::apply::JournalError;

    fn denied() -> std::io::Error {
        std::io::Error::new(std::io::ErrorKind::PermissionDenied, "permission denied")
    }

    #[test]
    fn every_cause_is_told_once_and_in_order() {
        let read = Err::<(), _>(denied()).context("it can't be opened").context("the plan p.json can't be read");
        let error = CommandError::from(read.unwrap_err());
        assert_eq!(error.to_string(), "the plan p.json can't be read: it can't be opened: permission denied");
    }

    #[test]
    fn a_cause_that_is_named_already_is_not_repeated() {
        let error = CommandError::from(JournalError::Io { path: "j".into(), source: denied() });
        let told = error.before_anything_was_done().to_string();
        assert_eq!(told, "the journal j can't be written: permission denied; nothing was done");
    }

    #[test]
    fn a_failure_is_an_error_and_a_refusal_stays_one() {
        assert_eq!(CommandError::from(denied()).exit, Exit::Error);
        assert_eq!(CommandError::from(denied()).refusing().hint("x").before_anything_was_done().exit, Exit::Refused);
    }
}
