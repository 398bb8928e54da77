//! What the lines around a mistake of YAML look like, and how they should.
//!
//! A parser says where it could not go on; what a person did is often in the line above. Words: a *level* is a column in which
//! an open map has its keys, or an open list its dashes.
//!
//! Invariants: only lines are looked at, each at most once, so a large file costs no more than reading it; where the lines don't
//! explain the mistake, nothing is said.

mod spelling;

use std::collections::BTreeSet;

pub(super) use spelling::{misspelt, unclosed_quote};

use super::codes;
use super::diagnostic::{Diagnostic, copyable, quoted};
use super::source::Span;
use spelling::spelling;

/// A line that says something.
#[derive(Debug, Clone, Copy)]
struct Line<'a> {
    start: usize,
    /// Spaces before anything else.
    indent: usize,
    /// What follows the indentation, without a comment.
    body: &'a str,
}

impl<'a> Line<'a> {
    fn new(start: usize, text: &'a str) -> Option<Self> {
        let body = text.trim_start_matches(' ');
        let indent = text.len() - body.len();
        let code = body.find(" #").map_or(body, |at| &body[..at]).trim_end();
        (!code.is_empty() && !code.starts_with('#') && !code.starts_with('%') && code != "---" && code != "...")
            .then_some(Self { start, indent, body: code })
    }

    fn is_item(&self) -> bool {
        self.body == "-" || self.body.starts_with("- ")
    }

    /// The line after the dashes of a list.
    fn inner(&self) -> &'a str {
        let mut inner = self.body;
        while let Some(rest) = inner.strip_prefix("- ") {
            inner = rest.trim_start();
        }
        inner
    }

    /// The column in which its key stands.
    fn column(&self) -> usize {
        self.indent + self.body.len() - self.inner().len()
    }

    /// Its key and its value.
    fn pair(&self) -> Option<(&'a str, &'a str)> {
        let inner = self.inner();
        let (key, value) = match inner.strip_suffix(':') {
            Some(key) if !key.contains(": ") => (key, ""),
            _ => inner.split_once(": ")?,
        };
        let plain = !key.is_empty() && !key.contains(|c: char| "{}[]\"',".contains(c));
        plain.then_some((key.trim_end(), value.trim()))
    }

    fn key(&self) -> Option<&'a str> {
        self.pair().map(|(key, _)| key)
    }

    /// Whether its value is complete, so that nothing can be below it.
    fn is_complete(&self) -> bool {
        match self.pair() {
            Some((_, value)) => !value.is_empty() && !value.starts_with(['|', '>', '&', '!']),
            None => true,
        }
    }

    /// What a message calls it.
    fn called(&self) -> String {
        self.key().map_or_else(|| if self.is_item() { "this item".to_owned() } else { "this line".to_owned() }, quoted)
    }

    fn span(&self, file: usize) -> Span {
        let start = self.start + self.column();
        let length = self.key().map_or(self.inner().len(), str::len);
        match self.is_item() && self.key().is_none() {
            true => Span { file, start: self.start + self.indent, end: self.start + self.indent + 1 },
            false => Span { file, start, end: start + length },
        }
    }
}

/// The lines of a text that say something, up to the one that starts at `end`, which is the last.
fn lines(text: &str, end: usize) -> Vec<Line<'_>> {
    let mut start = 0;
    let mut lines = Vec::new();
    for line in text.split_inclusive('\n') {
        if start > end {
            break;
        }
        lines.extend(Line::new(start, line.trim_end_matches(['\n', '\r'])));
        start += line.len();
    }
    lines
}

/// Explains a mistake at byte `at` by the lines around it, the one of `at` last; `after` takes the next line into account,
/// where the parser stopped before the line that it could not read.
pub(super) fn explain(file: usize, at: usize, text: &str, keys: &BTreeSet<&str>, after: bool) -> Option<Diagnostic> {
    let begin = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let mut end = begin;
    if after {
        let mut next = begin;
        for line in text[begin..].split_inclusive('\n') {
            if next > begin && Line::new(next, line.trim_end_matches(['\n', '\r'])).is_some() {
                end = next;
                break;
            }
            next += line.len();
        }
    }
    let lines = lines(text, end);
    let (line, above) = lines.split_last()?;
    if line.start != end {
        return None;
    }
    let neighbours = [Some(line), above.last()];
    let mut neighbours = neighbours.into_iter().flatten();
    neighbours
        .find_map(|line| spelling(line, keys, file))
        .or_else(|| without_colon(line, above, file))
        .or_else(|| indentation(line, above, file))
}

fn syntax(span: Span, message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(codes::YAML_SYNTAX, span, message)
}

/// A key without its colon: the line itself, or the one above, whose lines below it the parser took for more of it.
fn without_colon(line: &Line<'_>, above: &[Line<'_>], file: usize) -> Option<Diagnostic> {
    let is_bare = |line: &&Line<'_>| {
        let inner = line.inner();
        inner.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-') && inner.starts_with(char::is_alphabetic)
    };
    let above = above.last().filter(|above| line.pair().is_some() && above.indent <= line.indent);
    let bare = Some(line).filter(is_bare).or_else(|| above.filter(is_bare))?;
    let key = bare.inner();
    let message = format!("{} has no colon", quoted(key));
    let start = bare.start + bare.column();
    let span = Span { file, start, end: start + key.len() };
    Some(syntax(span, message).help(format!("write `{}:`, and what belongs to it below or behind it", copyable(key))))
}

/// A column in which an open map or list goes on.
struct Level<'a> {
    column: usize,
    /// Whether dashes stand there, rather than keys.
    items: bool,
    line: Line<'a>,
}

/// The levels that are open below the last of these lines, the innermost first.
fn levels<'a>(above: &[Line<'a>]) -> Vec<Level<'a>> {
    let mut levels: Vec<Level<'a>> = Vec::new();
    for line in above.iter().rev() {
        let limit = levels.last().map_or(usize::MAX, |level| level.column);
        if line.column() < limit && line.key().is_some() {
            levels.push(Level { column: line.column(), items: false, line: *line });
        }
        let limit = levels.last().map_or(usize::MAX, |level| level.column);
        if line.is_item() && line.indent < limit {
            levels.push(Level { column: line.indent, items: true, line: *line });
        }
        if line.indent == 0 {
            break;
        }
    }
    levels
}

fn indentation(line: &Line<'_>, above: &[Line<'_>], file: usize) -> Option<Diagnostic> {
    let levels = levels(above);
    let last = above.last()?;
    if let Some(list) = levels.iter().find(|level| level.items).filter(|_| line.body.starts_with('{')) {
        return Some(without_dash(line, list, file));
    }
    let level = |items: bool| levels.iter().find(|level| level.column == line.indent && level.items == items);
    if let Some(list) = level(true).filter(|_| !line.is_item() && line.key().is_some() && level(false).is_none()) {
        return Some(beside_a_dash(line, list, above, file));
    }
    if line.indent > last.column() && last.is_complete() {
        return Some(deeper(line, last, above, file));
    }
    if let Some(shallow) = shallower(line, &levels, above, file) {
        return Some(shallow);
    }
    let same_sort = levels.iter().filter(|level| level.items == line.is_item());
    let mut open: Vec<&Level<'_>> = same_sort.collect();
    if open.is_empty() || open.iter().any(|level| level.column == line.indent) {
        return None;
    }
    open.sort_by_key(|level| level.column.abs_diff(line.indent));
    let nearest = open.first()?;
    let other = open.get(1).filter(|other| other.column.abs_diff(line.indent) <= 2);
    let called = line.called();
    let beside = |level: &Level<'_>| {
        let what = if level.items { "the item above".to_owned() } else { level.line.called() };
        format!("{} to stand beside {what}", spaces(level.column))
    };
    let or = other.map_or_else(String::new, |other| format!(", or by {}", beside(other)));
    let message = format!("{called} is indented by {}, where nothing above begins", spaces(line.indent));
    let label = format!("indented by {}", spaces(nearest.column));
    Some(
        syntax(line.span(file), message)
            .related(nearest.line.span(file), label)
            .help(format!("indent {called} by {}{or}", beside(nearest))),
    )
}

/// An item in braces below a list, without a dash.
fn without_dash(line: &Line<'_>, list: &Level<'_>, file: usize) -> Diagnostic {
    let start = line.start + line.indent;
    let span = Span { file, start, end: start + line.body.len() };
    syntax(span, "this item of the list has no dash")
        .related(list.line.span(file), "an item of the list")
        .help(format!("write `- {}`, with the dash after {}", copyable(line.body), spaces(list.column)))
}

/// A line that stands where its neighbours do, below a block whose own key is the one that is off.
fn shallower(line: &Line<'_>, levels: &[Level<'_>], above: &[Line<'_>], file: usize) -> Option<Diagnostic> {
    let outer = levels.iter().find(|level| !level.items && level.column < line.indent)?;
    let off = outer.line;
    let before = above.iter().rev().filter(|before| before.start < off.start);
    let before = before.into_iter().find(|before| before.column() <= line.indent)?;
    let beside = before.column() == line.indent && before.key().is_some();
    if off.is_complete() || off.is_item() || line.is_item() || line.key().is_none() || !beside {
        return None;
    }
    let (called, column) = (off.called(), spaces(line.indent));
    let message = format!("{called} is indented by {}, the lines around it by {column}", spaces(off.indent));
    let label = format!("indented by {column}");
    Some(syntax(off.span(file), message).related(line.span(file), label).help(format!("indent {called} by {column}")))
}

/// A line below one that is complete.
fn deeper(line: &Line<'_>, last: &Line<'_>, above: &[Line<'_>], file: usize) -> Diagnostic {
    let (called, upper) = (line.called(), last.called());
    let column = if line.is_item() { last.indent } else { last.column() };
    // The line above is the one that is off, if the one before it stands where this one does.
    let before = above.iter().rev().skip(1).find(|before| before.indent <= line.indent);
    let beside = before.is_some_and(|before| before.column() == line.indent && before.key().is_some());
    let around = beside && !line.is_item() && !last.is_item();
    if around && last.indent < line.indent {
        let message =
            format!("{upper} is indented by {}, the lines around it by {}", spaces(last.indent), spaces(line.indent));
        return syntax(last.span(file), message)
            .related(line.span(file), format!("indented by {}", spaces(line.indent)))
            .help(format!("indent {upper} by {}", spaces(line.indent)));
    }
    let upper = if last.key().is_none() && last.is_item() { "the item".to_owned() } else { upper };
    let message = format!("{called} is indented deeper than {upper} above it, which has a value already");
    let label = match last.is_item() && !line.is_item() {
        true => format!("{upper} stands after {}, the dash included", spaces(column)),
        false => format!("indented by {}", spaces(column)),
    };
    syntax(line.span(file), message).related(last.span(file), label).help(format!(
        "indent {called} by {}, not {}",
        spaces(column),
        line.indent
    ))
}

/// A key in the column of the dashes of a list.
fn beside_a_dash(line: &Line<'_>, list: &Level<'_>, above: &[Line<'_>], file: usize) -> Diagnostic {
    let called = line.called();
    let column = list.line.column();
    let item = above.iter().rev().take_while(|above| above.start >= list.line.start);
    let has_it = item.filter(|above| above.column() == column).any(|above| above.key() == line.key());
    let diagnostic = match has_it {
        true => syntax(line.span(file), format!("{called} begins a new item, but has no `- `")).help(format!(
            "write `- {}`, and indent the other keys of the item by {}",
            copyable(line.body),
            spaces(column)
        )),
        false => {
            syntax(line.span(file), format!("{called} stands in the column of the dash, not of the keys behind it"))
                .help(format!("indent {called} by {}; a new item begins with `- `", spaces(column)))
        }
    };
    diagnostic.related(list.line.span(file), format!("this item has its keys after {}", spaces(column)))
}

/// A tab in the indentation of the line at `at`.
pub(super) fn tab(file: usize, at: usize, text: &str) -> Diagnostic {
    let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let at = text[start..].find('\t').map_or(at, |tab| start + tab);
    let above = lines(text, start.saturating_sub(1));
    let message = "YAML doesn't allow tabs for indentation";
    let span = Span { file, start: at, end: (at + 1).min(text.len()) };
    let diagnostic = Diagnostic::error(codes::TAB_INDENTATION, span, message);
    match above.last().filter(|_| text[start..at].trim().is_empty()) {
        Some(above) => {
            let column = if above.is_complete() { above.column() } else { above.column() + 2 };
            let label = format!("indented by {}", spaces(above.indent));
            let shown = text[at..].lines().next().unwrap_or_default().trim_start();
            let shown = Line::new(0, shown).map_or(shown, |line| line.body);
            diagnostic.related(above.span(file), label).help(format!(
                "write spaces in place of tabs: {} before `{}`; most editors can convert them",
                spaces(column),
                copyable(shown)
            ))
        }
        None => diagnostic.help("write spaces in place of tabs, two for each level; most editors can convert them"),
    }
}

fn spaces(count: usize) -> String {
    match count {
        0 => "no space".to_owned(),
        1 => "1 space".to_owned(),
        count => format!("{count} spaces"),
    }
}
