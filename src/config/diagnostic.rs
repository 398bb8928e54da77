//! Mistakes in a configuration, as data.
//!
//! A diagnostic has a stable [`Code`] that `palisade explain` knows. What must stay true: checks push diagnostics and go
//! on, nobody stops at the first; the finished list is in file order; text taken from a file is shortened and freed of
//! control characters by [`quoted`] before it becomes part of a message.

use super::codes::Code;
use super::source::Span;
use crate::config::codes;
use crate::terms::text::visible;

/// More mistakes than this help nobody; the rest is counted.
const SHOWN_AT_MOST: usize = 1000;

/// How bad it is. An error refuses the configuration; a warning changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// The configuration can't be used.
    Error,
    /// Worth a look.
    Warning,
}

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// What kind of mistake.
    pub code: Code,
    /// How bad.
    pub severity: Severity,
    /// What is wrong, in one sentence, naming what a person should write instead where it is short.
    pub message: String,
    /// Where; `None` only if no file was given at all.
    pub span: Option<Span>,
    /// A second place that explains the first ("first defined here").
    pub related: Option<(Span, String)>,
    /// What to do.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A mistake that refuses the configuration.
    pub fn error(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self { code, severity: Severity::Error, message: message.into(), span: Some(span), related: None, help: None }
    }

    /// Something worth a look.
    pub fn warning(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, span, message) }
    }

    /// Adds what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds a second place that explains the first.
    #[must_use]
    pub fn related(mut self, span: Span, label: impl Into<String>) -> Self {
        self.related = Some((span, label.into()));
        self
    }
}

/// Collects mistakes.
#[derive(Debug, Default, Clone)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// Adds a mistake.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// The mistakes.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of them refuses the configuration.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Whether an error was already found inside `span`. Checks that need all of something ("no Admin is listed") stay
    /// silent then: what is missing may be the very thing that is wrong.
    pub fn error_within(&self, span: Span) -> bool {
        self.0.iter().any(|diagnostic| {
            diagnostic.severity == Severity::Error && diagnostic.span.is_some_and(|found| span.contains(found))
        })
    }

    /// Brings the list into file order and drops repetitions: a mistake in `base` is found once per environment.
    pub(crate) fn finish(&mut self) {
        self.0.sort_by(|left, right| {
            (left.span, left.code, &left.message, &left.related).cmp(&(
                right.span,
                right.code,
                &right.message,
                &right.related,
            ))
        });
        self.0.dedup_by(|later, first| {
            (later.code, later.span, &later.message) == (first.code, first.span, &first.message)
        });
        if self.0.len() > SHOWN_AT_MOST {
            let left_out = self.0.len() - SHOWN_AT_MOST;
            self.0.truncate(SHOWN_AT_MOST);
            let last = self.0.last().and_then(|diagnostic| diagnostic.span).unwrap_or(Span::start_of(0));
            self.0.push(
                Diagnostic::error(codes::TOO_MANY_MISTAKES, last, format!("{left_out} more mistakes follow"))
                    .help("correct the ones above and validate again"),
            );
        }
    }
}

/// Text from a file as part of a message: in backticks, on one line, without control characters, not too long.
pub fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    if text.is_empty() {
        return "an empty text".to_owned();
    }
    let mut shown: String = text.chars().take(LONGEST).map(visible).collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}
