//! Mistakes in a configuration, as data.
//!
//! A diagnostic has a stable [`Code`] that `palisade explain` knows. What must stay true: checks push diagnostics and go
//! on, nobody stops at the first; the finished list is in file order; text taken from a file is shortened and freed of
//! control characters by [`quoted`] before it becomes part of a message.

use std::collections::HashSet;

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

/// A key that the file has, but not the tree that later checks see: it was reported, and taken out.
#[derive(Debug, Clone)]
pub(crate) struct Lost {
    /// The key, or what an unknown one was meant as.
    pub(crate) key: String,
    /// The map that it stands in.
    pub(crate) map: Span,
    /// The name of the map that it belongs to: `users`; `*` for an environment. Empty for an item of a list, which only its
    /// place tells from the others.
    pub(crate) of: String,
    /// What it is shared by: the environment; none if it stands in `base`, and so may be missing anywhere.
    pub(crate) within: Option<Span>,
}

impl Lost {
    /// Whether it is `key` of the map at this place, which is called `of`.
    pub(crate) fn is(&self, key: &str, of: &str, at: Span) -> bool {
        let shared = self.of == of && !of.is_empty() && self.within.is_none_or(|within| within.contains(at));
        self.key == key && (self.map == at || shared)
    }
}

/// Collects mistakes.
#[derive(Debug, Default, Clone)]
pub struct Diagnostics {
    found: Vec<Diagnostic>,
    lost: Vec<Lost>,
}

impl Diagnostics {
    /// Adds a mistake.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.found.push(diagnostic);
    }

    /// The mistakes.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.found.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.found.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Whether one of them refuses the configuration.
    pub fn has_errors(&self) -> bool {
        self.found.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Whether an error was already found inside `span`. Checks that need all of something ("no Admin is listed") stay
    /// silent then: what is missing may be the very thing that is wrong.
    pub fn error_within(&self, span: Span) -> bool {
        self.found.iter().any(|diagnostic| {
            diagnostic.severity == Severity::Error && diagnostic.span.is_some_and(|found| span.contains(found))
        })
    }

    /// Notes a key that later checks don't see.
    pub(crate) fn lose(&mut self, lost: Lost) {
        self.lost.push(lost);
    }

    /// Whether one of these keys stands in exactly this map, and was reported.
    pub(crate) fn lost_in(&self, map: Span, keys: &[&str]) -> bool {
        self.lost.iter().any(|lost| lost.map == map && keys.contains(&lost.key.as_str()))
    }

    /// Whether a key that the map `of` at this place doesn't have was written somewhere and reported: then it isn't missing.
    pub(crate) fn lost(&self, at: Span, of: &str, key: &str) -> bool {
        self.lost.iter().any(|lost| lost.is(key, of, at))
    }

    /// The places of errors.
    pub(crate) fn error_spans(&self) -> HashSet<Span> {
        let errors = self.found.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
        errors.filter_map(|diagnostic| diagnostic.span).collect()
    }

    /// Brings the list into file order and drops repetitions: a mistake in `base` is found once per environment.
    pub(crate) fn finish(&mut self) {
        self.found.sort_by(|left, right| {
            (left.span, left.code, &left.message, &left.related).cmp(&(
                right.span,
                right.code,
                &right.message,
                &right.related,
            ))
        });
        self.found.dedup_by(|later, first| {
            (later.code, later.span, &later.message) == (first.code, first.span, &first.message)
        });
        if self.found.len() > SHOWN_AT_MOST {
            let left_out = self.found.len() - SHOWN_AT_MOST;
            self.found.truncate(SHOWN_AT_MOST);
            let last = self.found.last().and_then(|diagnostic| diagnostic.span).unwrap_or(Span::start_of(0));
            self.found.push(
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

/// Text from a file as it is to be copied: in one piece, without control characters.
pub(crate) fn copyable(text: &str) -> String {
    const LONGEST: usize = 400;
    let mut shown: String =
        text.lines().next().unwrap_or_default().trim_end().chars().take(LONGEST).map(visible).collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}
