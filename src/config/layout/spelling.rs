//! Spaces, colons and quotes that a line lacks.
//!
//! Invariants: a word is taken for a key without its colon only if a file may have such a key.

use std::collections::BTreeSet;

use super::{Line, lines, syntax};
use crate::config::diagnostic::{Diagnostic, copyable, quoted};
use crate::config::source::Span;

/// A space or a colon that is missing in the line at byte `at` itself.
pub(in crate::config) fn misspelt(file: usize, at: usize, text: &str, keys: &BTreeSet<&str>) -> Option<Diagnostic> {
    let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let line = Line::new(start, text[start..].lines().next().unwrap_or_default())?;
    spelling(&line, keys, file)
}

/// The quote above byte `at` whose text runs on over the end of its line.
pub(in crate::config) fn unclosed_quote(file: usize, at: usize, text: &str) -> Option<Diagnostic> {
    let lines = lines(text, at);
    let (line, column) = lines.iter().rev().find_map(|line| Some((line, opens(line.body)?)))?;
    let (quote, opened) = (&line.body[column..=column], &line.body[column..]);
    let start = line.start + line.indent + column;
    let message = "the text in quotes that begins here isn't closed";
    let help = match line.pair() {
        // Inside of brackets, the text may end before the line does.
        Some((key, value)) if value == opened => {
            format!("add the closing quote: `{}: {}{quote}`", copyable(key), copyable(value))
        }
        _ => "add the closing quote".to_owned(),
    };
    Some(syntax(Span { file, start, end: start + 1 }, message).help(help))
}

/// Where a text in quotes begins that doesn't end in this line.
fn opens(line: &str) -> Option<usize> {
    let bytes = line.as_bytes();
    let mut open: Option<usize> = None;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        match open.and_then(|open| bytes.get(open)) {
            Some(b'"') if *byte == b'\\' => at += 1,
            Some(quote) if byte == quote => open = None,
            None if matches!(byte, b'"' | b'\'') && before.is_none_or(|before| b" [{,-'".contains(before)) => {
                open = Some(at);
            }
            _ => {}
        }
        at += 1;
    }
    open
}

/// A space or a colon that is missing in a line.
pub(super) fn spelling(line: &Line<'_>, keys: &BTreeSet<&str>, file: usize) -> Option<Diagnostic> {
    let inner = line.inner();
    let dashed = inner.strip_prefix('-').filter(|rest| !rest.starts_with(['-', ' ']) && !rest.is_empty());
    if let Some(rest) = dashed {
        let message = "a space is missing after the dash";
        return Some(syntax(line.span(file), message).help(format!("write `- {}`", copyable(rest))));
    }
    let (first, rest) = inner.split_once(' ').unwrap_or((inner, ""));
    let rest = rest.trim_start();
    let unpaired = line.pair().is_none() && !rest.is_empty() && !rest.starts_with(':') || rest.starts_with(['{', '[']);
    if keys.contains(first) && unpaired {
        let start = line.start + line.column();
        let span = Span { file, start, end: start + first.len() };
        let help = format!("write `{}: {}`", copyable(first), copyable(rest));
        return Some(syntax(span, format!("{} has no colon", quoted(first))).help(help));
    }
    let word = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let (key, value) = inner.split_once(':')?;
    let glued = key.chars().all(word) && !key.is_empty() && !value.is_empty() && !value.starts_with([' ', '/', ':']);
    glued.then(|| {
        let start = line.start + line.column();
        let span = Span { file, start, end: start + key.len() + 1 };
        let message = format!("a space is missing after the colon of {}", quoted(key));
        syntax(span, message).help(format!("write a space after the colon: `{key}: {}`", copyable(value)))
    })
}
