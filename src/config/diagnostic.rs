//! Mistakes in a configuration, as data.
//!
//! A diagnostic has a stable code that `palisade explain` knows. What must stay true: checks push diagnostics and go on;
//! nobody stops at the first; text for a person exists here and nowhere deeper.

use super::source::{Place, Span};

/// How bad it is. An error refuses the configuration; a warning changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// The configuration can't be used.
    Error,
    /// Worth a look.
    Warning,
}

/// The codes of all mistakes. The kebab-case name is a promise: it never changes meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// The same principal stands twice in one list.
    DuplicatePrincipal,
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
    /// Where; `None` only if no file could be read.
    pub span: Option<Span>,
    /// A second place that explains the first ("first defined here").
    pub related: Option<(Span, String)>,
    /// What to do.
    pub help: Option<String>,
    /// The same place for people and programs.
    pub place: Option<Place>,
}

/// Collects mistakes.
#[derive(Debug, Default)]
pub struct Diagnostics(Vec<Diagnostic>);
