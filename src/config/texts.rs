//! Checks of every text in a file: placeholders, and quotes.

use std::collections::HashSet;

use super::diagnostic::{Diagnostic, Diagnostics, quoted};
use super::scalar;
use super::source::{Sources, Span};
use super::tree::{Node, Value};
use crate::config::codes;

/// The one placeholder there is.
pub(crate) const ENVIRONMENT: &str = "${environment}";

/// Reports placeholders other than `${environment}`.
pub(super) fn check_placeholders(node: &Node, sources: &Sources, diagnostics: &mut Diagnostics) {
    match &node.value {
        Value::String(text) => {
            for placeholder in placeholders(text).filter(|found| *found != ENVIRONMENT) {
                let message = format!("{} isn't a placeholder that palisade knows", quoted(placeholder));
                let span = part_of(node.span, placeholder, sources);
                diagnostics.push(
                    Diagnostic::error(codes::UNKNOWN_PLACEHOLDER, span, message)
                        .help("only `${environment}` is replaced, by the environment's key; variables of the shell or of CI are not"),
                );
            }
        }
        Value::List(items) => items.iter().for_each(|item| check_placeholders(item, sources, diagnostics)),
        Value::Map(entries) => entries.iter().for_each(|entry| check_placeholders(&entry.value, sources, diagnostics)),
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) => {}
    }
}

fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("${").map(|(at, _)| {
        let rest = &text[at..];
        let end = rest.find('}').map_or(rest.len(), |end| end + 1);
        &rest[..end]
    })
}

/// The part of a scalar as written that says `part`; the whole scalar if escapes hide it.
fn part_of(span: Span, part: &str, sources: &Sources) -> Span {
    sources.text(span).find(part).map_or(span, |at| Span {
        start: span.start + at,
        end: span.start + at + part.len(),
        ..span
    })
}

/// Reports texts that other YAML readers would take for something else because they have no quotes.
pub(super) fn check_quotes(root: &Node, sources: &Sources, diagnostics: &mut Diagnostics) {
    let known = diagnostics.error_spans();
    quotes(root, "", sources, &known, diagnostics);
}

/// What is wrong in a text that is `known` to be an error goes with it: two remedies would contradict each other.
fn quotes(node: &Node, key: &str, sources: &Sources, known: &HashSet<Span>, diagnostics: &mut Diagnostics) {
    match &node.value {
        _ if known.contains(&node.span) => {}
        // A value that goes over its span's text unchanged was written without quotes.
        Value::String(text) if sources.text(node.span) == text => {
            // Where a date belongs, a date is what every reader sees.
            if let Some(meaning) = scalar::other_readers_disagree(text).filter(|_| !names_an_instant(key)) {
                let message = format!("{} without quotes is {} to other YAML readers", quoted(text), as_read(meaning));
                let help = format!("write \"{}\"", quoted(text).trim_matches('`'));
                diagnostics.push(Diagnostic::error(codes::UNQUOTED_TEXT, node.span, message).help(help));
            }
        }
        Value::List(items) => items.iter().for_each(|item| quotes(item, key, sources, known, diagnostics)),
        Value::Map(entries) => {
            // What was seen has no texts that readers could differ about; its setting judges the whole.
            let judged = entries.iter().filter(|entry| entry.key != "saw");
            judged.for_each(|entry| quotes(&entry.value, &entry.key, sources, known, diagnostics));
        }
        _ => {}
    }
}

/// Keys under which a day or an instant stands: `on`, `until`, `agreedOn`, `rotatedAfter`.
fn names_an_instant(key: &str) -> bool {
    key == "on" || key == "until" || key.ends_with("On") || key.ends_with("After")
}

fn as_read(meaning: &str) -> String {
    if meaning.contains(' ') { meaning.to_owned() } else { format!("`{meaning}`") }
}
