//! A note for a person: what was found, and what to do about it.

use std::fmt::Write as _;

use super::colour::{DANGER, HINT, WARNING, paint};
use super::plan::place;
use crate::plan::{Note, Severity};
use crate::terms::Place;
use crate::terms::text::{printable, short};

/// What a note begins and ends with, besides its words.
pub(super) struct Heading<'a> {
    /// Whether it says what it is about.
    pub(super) address: bool,
    /// Where that is declared.
    pub(super) place: Option<&'a Place>,
}

impl<'a> Heading<'a> {
    /// Of a note that stands by itself.
    pub(super) fn of(note: &'a Note) -> Self {
        Self { address: true, place: note.source.as_ref() }
    }
}

/// Writes a note.
pub(super) fn note(note: &Note, heading: Heading<'_>, out: &mut String) {
    let Note {
        code,
        kind: _,
        severity,
        weaker_evidence: _,
        needs_eyes: _,
        address,
        message,
        help,
        source: _,
        bearing: _,
    } = note;
    let (style, word) = match severity {
        Severity::Error => (DANGER, "error"),
        Severity::Warning => (WARNING, "warning"),
        Severity::Info => (HINT, "note"),
    };
    let indent = if heading.address { "  " } else { "      " };
    let about = match heading.address {
        true if address.as_str().contains('/') => format!("{}: ", address.shown_within_scope()),
        _ => String::new(),
    };
    // What is merely good to know needs no looking up.
    let place = place(heading.place.filter(|_| *severity != Severity::Info));
    let code = paint(style, format!("{word}[{}]", short(&code.to_string())));
    let _ = writeln!(out, "{indent}{code} {about}{}{place}", printable(message));
    if let Some(help) = help {
        let _ = writeln!(out, "{indent}  {} {}", paint(HINT, "help:"), printable(help));
    }
}
