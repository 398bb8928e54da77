//! Mistakes in a configuration, as code frames for people and as JSON for programs.
//!
//! What must stay true: nothing from a file reaches the terminal as a control character, and a line of a million
//! characters is shown as the few around the mistake.

use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde_json::{Value, json};

use crate::config::{Diagnostic, Diagnostics, Severity, Source, Sources, Span};
use crate::terms::text::visible;

/// Whether to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// None: for files, pipes and tests.
    Plain,
    /// With escape sequences, for terminals.
    Colour,
}

/// Lines longer than this, in bytes, are cropped before the renderer sees them.
const LONG_LINE: usize = 2000;
/// The most of a long line that a frame shows on each side of the mistake, in bytes.
const AROUND: usize = 60;
/// Two places of one file that are at most this many lines apart share a frame.
const NEAR: usize = 30;

/// Code frames, one per mistake, with an empty line between.
pub fn text(sources: &Sources, diagnostics: &Diagnostics, style: Style) -> String {
    let renderer = match style {
        Style::Plain => Renderer::plain(),
        Style::Colour => Renderer::styled(),
    };
    let renderer = renderer.decor_style(DecorStyle::Ascii);
    let mut text = String::new();
    for diagnostic in diagnostics.iter() {
        text.push_str(&frame(sources, diagnostic, &renderer));
        text.push_str("\n\n");
    }
    text
}

/// A place to show: where, and what to say there. The first of a frame is the mistake itself.
type Mark = (Span, Option<String>);

fn frame(sources: &Sources, diagnostic: &Diagnostic, renderer: &Renderer) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(shown(&diagnostic.message)).id(diagnostic.code.name());
    let mut group = Group::with_title(title);
    let main = diagnostic.span.map(|span| (span, None));
    let related = diagnostic.related.as_ref().map(|(span, label)| (*span, Some(label.clone())));
    match (main, related) {
        (Some(main), Some(related)) if together(sources, main.0, related.0) => {
            group = excerpt(group, sources, &[main, related]);
        }
        (main, related) => {
            for mark in main.into_iter().chain(related) {
                group = excerpt(group, sources, &[mark]);
            }
        }
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(shown(help)));
    }
    let rendered = renderer.render(&[group]);
    // A place that is given apart from its excerpt, as for a long line, leaves an empty separator behind.
    let lines = rendered.lines().filter(|line| anstream::adapter::strip_str(line).to_string().trim() != ":::");
    lines.collect::<Vec<_>>().join("\n")
}

/// Whether two places fit into one excerpt.
fn together(sources: &Sources, one: Span, other: Span) -> bool {
    let source = sources.source(one);
    let lines = [source.line_of(one.start), source.line_of(other.start)];
    let (first, last) = (lines[0].min(lines[1]), lines[0].max(lines[1]));
    one.file == other.file
        && last - first <= NEAR
        && (first..=last).all(|line| source.line_range(line).len() <= LONG_LINE)
}

/// Adds the lines that the marks start in. All marks are in the same file; only a single one may be in a long line.
fn excerpt<'a>(group: Group<'a>, sources: &Sources, marks: &[Mark]) -> Group<'a> {
    let Some((span, _)) = marks.first() else {
        return group;
    };
    let place = sources.place(*span);
    let source = sources.source(*span);
    if source.text.is_empty() {
        return group.element(Origin::path(shown(&place.file)).line(place.line).char_column(place.column));
    }
    let lines = marks.iter().map(|(span, _)| source.line_of(span.start));
    let (first, last) = lines.fold((usize::MAX, 0), |(first, last), line| (first.min(line), last.max(line)));
    if source.line_range(first).len() > LONG_LINE {
        let (line, marked) = cropped(source, *span);
        let origin = Origin::path(shown(&place.file)).line(place.line).char_column(place.column);
        let snippet = Snippet::source(line).line_start(place.line).annotation(annotation(marks, 0, marked));
        return group.element(origin).element(snippet);
    }
    let mut text = String::new();
    let mut annotations = Vec::new();
    for line in first..=last {
        let range = source.line_range(line);
        for (index, (span, _)) in marks.iter().enumerate().filter(|(_, (span, _))| source.line_of(span.start) == line) {
            let start = span.start.clamp(range.start, range.end);
            let end = span.end.clamp(start, range.end);
            let at = text.len() + length(source, range.start..start);
            annotations.push(annotation(marks, index, at..at + length(source, start..end)));
        }
        text.push_str(&part(source, range));
        text.push('\n');
    }
    let snippet = Snippet::source(text).line_start(first + 1).path(shown(&place.file));
    group.element(snippet.annotations(annotations))
}

fn annotation<'a>(marks: &[Mark], index: usize, range: Range<usize>) -> annotate_snippets::Annotation<'a> {
    let label = marks.get(index).and_then(|(_, label)| label.as_deref()).map(shown);
    let kind = if label.is_none() { AnnotationKind::Primary } else { AnnotationKind::Context };
    kind.span(range).label(label)
}

/// The line that `span` starts in, shortened to what is around it, and where the span is in that.
fn cropped(source: &Source, span: Span) -> (String, Range<usize>) {
    let line = source.line_range(source.line_of(span.start));
    let start = span.start.clamp(line.start, line.end);
    let from = boundary(source, start.saturating_sub(AROUND).max(line.start));
    let to = boundary(source, (start + AROUND).min(line.end)).max(start);
    let end = span.end.clamp(start, to);
    let mut text = if from > line.start { "...".to_owned() } else { String::new() };
    text.push_str(&part(source, from..start));
    let at = text.len();
    text.push_str(&part(source, start..end));
    let marked = at..text.len();
    text.push_str(&part(source, end..to));
    text.push_str(if to < line.end { "..." } else { "" });
    (text, marked)
}

fn boundary(source: &Source, mut at: usize) -> usize {
    while !source.text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// A part of the file as it is shown, and how many bytes that takes.
fn part(source: &Source, range: Range<usize>) -> String {
    source.text.get(range).map_or_else(String::new, shown)
}

fn length(source: &Source, range: Range<usize>) -> usize {
    part(source, range).len()
}

fn shown(text: &str) -> String {
    text.chars().map(|character| if character == '\t' { ' ' } else { visible(character) }).collect()
}

/// An array with one object per mistake.
pub fn json(sources: &Sources, diagnostics: &Diagnostics) -> Value {
    diagnostics.iter().map(|diagnostic| object(sources, diagnostic)).collect()
}

fn object(sources: &Sources, diagnostic: &Diagnostic) -> Value {
    let Diagnostic { code, severity, message, span, related, help } = diagnostic;
    let place = span.map(|span| sources.place(span));
    let mut object = json!({
        "code": code,
        "severity": severity,
        "message": message,
        "file": place.as_ref().map(|place| &place.file),
        "line": place.as_ref().map(|place| place.line),
        "column": place.as_ref().map(|place| place.column),
        "help": help,
    });
    if let Some((span, label)) = related {
        object["related"] = json!({ "place": sources.place(*span), "label": label });
    }
    object
}
