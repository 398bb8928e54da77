//! Mistakes in a configuration, as code frames for people and as JSON for programs.
//!
//! What must stay true: nothing from a file reaches the terminal as a control character, and a line of a million
//! characters is shown as the few around the mistake.

use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde_json::{Value, json};

use crate::config::{Diagnostic, Diagnostics, Severity, Source, Sources, Span, visible};

/// Whether to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// None: for files, pipes and tests.
    Plain,
    /// With escape sequences, for terminals.
    Colour,
}

/// The most of a line that a frame shows on each side of the mistake, in bytes.
const AROUND: usize = 60;

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

fn frame(sources: &Sources, diagnostic: &Diagnostic, renderer: &Renderer) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = Group::with_title(level.primary_title(shown(&diagnostic.message)).id(diagnostic.code.name()));
    if let Some(span) = diagnostic.span {
        group = excerpt(group, sources, span, None);
    }
    let mut groups = Vec::new();
    if let Some((span, label)) = &diagnostic.related {
        group = excerpt(group, sources, *span, Some(label));
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(shown(help)));
    }
    groups.push(group);
    renderer.render(&groups)
}

/// Adds the line that `span` starts in; the mistake itself without a `label`, an explaining place with one.
fn excerpt<'a>(group: Group<'a>, sources: &Sources, span: Span, label: Option<&str>) -> Group<'a> {
    let place = sources.place(span);
    let origin = Origin::path(shown(&place.file)).line(place.line).char_column(place.column);
    let group = group.element(origin);
    let source = sources.source(span);
    if source.text.is_empty() {
        return group;
    }
    let (line, marked) = cropped(source, span);
    let kind = if label.is_none() { AnnotationKind::Primary } else { AnnotationKind::Context };
    let annotation = kind.span(marked).label(label.map(shown));
    group.element(Snippet::source(line).line_start(place.line).fold(false).annotation(annotation))
}

/// The line that `span` starts in, without control characters and not too long, and where the span is in it.
fn cropped(source: &Source, span: Span) -> (String, Range<usize>) {
    let line = source.line_range(source.line_of(span.start));
    let start = span.start.clamp(line.start, line.end);
    let end = span.end.clamp(start, line.end);
    let from = if line.len() > 2 * AROUND {
        boundary(source, start.saturating_sub(AROUND).max(line.start))
    } else {
        line.start
    };
    let to = if line.len() > 2 * AROUND { boundary(source, (start + AROUND).min(line.end)) } else { line.end };
    let part = |range: Range<usize>| source.text.get(range).map_or_else(String::new, |text| shown(text));
    let before = if from > line.start { format!("...{}", part(from..start)) } else { part(from..start) };
    let marked = part(start..end.min(to));
    let after = if to < line.end { format!("{}...", part(end.min(to)..to)) } else { part(end.min(to)..to) };
    let at = before.len()..before.len() + marked.len();
    (format!("{before}{marked}{after}"), at)
}

fn boundary(source: &Source, mut at: usize) -> usize {
    while !source.text.is_char_boundary(at) {
        at -= 1;
    }
    at
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
