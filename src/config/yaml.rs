//! From text to the located tree.
//!
//! Reads the event stream of `serde_yaml`'s parser rather than going through serde: only the events know where every
//! value starts and ends, whether it was quoted, and let reading go on after a duplicate key, so that all of them are
//! found. What must stay true: no input makes this panic, recurse deeper than [`DEPTH`] or hold more than [`VALUES`]
//! values; an anchored value counts again each time it is repeated, so a handful of aliases can't grow without bounds.

use std::collections::{BTreeSet, HashMap};

use serde_yaml::granit_parser::{Event, Marker, Options, Parser, ScalarStyle, Span as Mark, StrInput, Tag};

use super::diagnostic::{Diagnostic, Diagnostics, quoted};
use super::scalar;
use super::source::Span;
use super::tree::{Entry, Node, Value};
use super::yaml_errors;
use crate::config::codes;

/// The deepest nesting; the format needs six levels.
pub(super) const DEPTH: usize = 64;
/// The most values in one file, repeated ones counted each time.
pub(super) const VALUES: usize = 200_000;

/// Reads one file, which may have these keys. `None` if there is no tree to go on with; why is among the diagnostics.
pub(super) fn read(file: usize, text: &str, keys: &BTreeSet<&str>, diagnostics: &mut Diagnostics) -> Option<Node> {
    let mut options = Options::default();
    options.emit_unresolved_aliases = true;
    options.emit_comments = false;
    options.flow_nesting_limit = DEPTH;
    options.block_nesting_limit = DEPTH;
    let mut reader = Reader {
        events: Parser::new_from_str_with_options(text, options),
        file,
        text,
        keys,
        anchors: HashMap::new(),
        values: 0,
        diagnostics,
    };
    match reader.document() {
        Ok(root) => root,
        Err(diagnostic) => {
            diagnostics.push(*diagnostic);
            None
        }
    }
}

/// What ends the reading of a file. Boxed, since it travels through every level of the recursion.
type Stop = Box<Diagnostic>;

struct Reader<'a> {
    events: Parser<'a, StrInput<'a>>,
    file: usize,
    text: &'a str,
    keys: &'a BTreeSet<&'a str>,
    anchors: HashMap<usize, Anchored>,
    values: usize,
    diagnostics: &'a mut Diagnostics,
}

/// An anchored value, with what repeating it costs.
struct Anchored {
    node: Node,
    values: usize,
    height: usize,
}

impl<'a> Reader<'a> {
    fn document(&mut self) -> Result<Option<Node>, Stop> {
        let mut root = None;
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => break,
                (Event::DocumentStart(..), mark) if root.is_some() => {
                    return Err(Box::new(
                        Diagnostic::error(
                            codes::SEVERAL_DOCUMENTS,
                            self.span(mark),
                            "a second YAML document starts here",
                        )
                        .help("put each document in a file of its own and give palisade the folder"),
                    ));
                }
                (Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd, _) => {}
                (event, mark) => root = Some(self.node(event, mark, 1)?),
            }
        }
        Ok(root)
    }

    fn next(&mut self) -> Result<(Event<'a>, Mark), Stop> {
        match self.events.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => {
                let at = self.offset(error.marker());
                Err(Box::new(yaml_errors::describe(error.kind(), self.file, at, self.text, self.keys)))
            }
            None => Ok((Event::StreamEnd, Mark::default())),
        }
    }

    /// Reads the value that `event` starts.
    fn node(&mut self, event: Event<'a>, mark: Mark, depth: usize) -> Result<Node, Stop> {
        let span = self.span(mark);
        let tag_span = mark.tag_span().map_or(span, |tag| self.span(tag));
        if depth > DEPTH {
            return Err(Box::new(yaml_errors::too_deep(span)));
        }
        let before = self.values;
        self.count(1, span)?;
        let (anchor, node) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                (anchor, Node { span, value: self.scalar(&text, style, tag.as_deref(), tag_span) })
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.refuse_tag(tag.as_deref(), "seq", tag_span);
                (anchor, self.list(span, depth)?)
            }
            Event::MappingStart(_, anchor, tag) => {
                self.refuse_tag(tag.as_deref(), "map", tag_span);
                (anchor, self.map(span, depth)?)
            }
            Event::Alias(id) => return self.repeat(id, span, depth),
            _ => {
                let shown = quoted(self.text.get(span.start..span.end).unwrap_or_default());
                self.diagnostics.push(unknown_anchor(span, &shown, self.text));
                (0, Node { span, value: Value::Null })
            }
        };
        if anchor != 0 {
            let anchored = Anchored { values: self.values - before, height: height(&node), node: node.clone() };
            self.anchors.insert(anchor, anchored);
        }
        Ok(node)
    }

    fn list(&mut self, mut span: Span, depth: usize) -> Result<Node, Stop> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd | Event::StreamEnd, mark) => {
                    span.end = self.span(mark).end.max(span.end);
                    return Ok(Node { span, value: Value::List(items) });
                }
                (event, mark) => items.push(self.node(event, mark, depth + 1)?),
            }
        }
    }

    fn map(&mut self, mut span: Span, depth: usize) -> Result<Node, Stop> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut seen: HashMap<String, Span> = HashMap::new();
        let mut merged: Vec<Node> = Vec::new();
        let mut repeated: Vec<(String, Span, Span)> = Vec::new();
        loop {
            let (event, mark) = match self.next()? {
                (Event::MappingEnd | Event::StreamEnd, mark) => {
                    span.end = self.span(mark).end.max(span.end);
                    break;
                }
                key => key,
            };
            let is_merge = matches!(&event, Event::Scalar(text, ScalarStyle::Plain, _, None) if text == "<<");
            let key = self.node(event, mark, depth + 1)?;
            let (event, mark) = self.next()?;
            let value = self.node(event, mark, depth + 1)?;
            let Some(name) = self.key_name(&key) else {
                continue;
            };
            if let Some(first) = seen.get(&name) {
                repeated.push((name, *first, key.span));
                continue;
            }
            seen.insert(name.clone(), key.span);
            if is_merge {
                self.collect_merged(value, &mut merged);
            } else {
                entries.push(Entry { key: name, key_span: key.span, value });
            }
        }
        self.report_repeated(&repeated, span);
        for entry in merged.into_iter().flat_map(Node::into_entries) {
            // What the map itself says wins, then the first of several merged maps.
            if !seen.contains_key(&entry.key) {
                seen.insert(entry.key.clone(), entry.key_span);
                entries.push(entry);
            }
        }
        Ok(Node { span, value: Value::Map(entries) })
    }

    /// Keys that a map has twice are one mistake: often a second item of a list whose dash is missing.
    fn report_repeated(&mut self, repeated: &[(String, Span, Span)], map: Span) {
        let Some((_, first, second)) = repeated.first() else { return };
        let names: Vec<String> = repeated.iter().take(5).map(|(name, ..)| quoted(name)).collect();
        let message = match names.as_slice() {
            [name] => format!("the key {name} is defined twice in this map"),
            names => format!("the keys {} are defined twice in this map", names.join(", ")),
        };
        let in_list = self.text.get(..map.start).is_some_and(|before| before.trim_end().ends_with('-'));
        let help = match in_list {
            true => "keep one of the two; if a second item of the list begins here, write `- ` before it",
            false => "keep one of the two",
        };
        self.diagnostics
            .push(Diagnostic::error(codes::DUPLICATE_KEY, *second, message).related(*first, "first here").help(help));
    }

    fn key_name(&mut self, key: &Node) -> Option<String> {
        match &key.value {
            Value::String(name) => Some(name.clone()),
            Value::Null if key.span.start == key.span.end => self.refuse_key(key.span),
            Value::List(_) | Value::Map(_) => self.refuse_key(key.span),
            // `1:` or `true:`; the schema check will say that no such key is known.
            Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) => {
                Some(self.text.get(key.span.start..key.span.end).unwrap_or_default().to_owned())
            }
        }
    }

    fn refuse_key(&mut self, span: Span) -> Option<String> {
        self.diagnostics.push(
            Diagnostic::error(codes::BAD_KEY, span, "a key must be a plain word, not a list, a map or nothing")
                .help("write `key: value`, one per line"),
        );
        None
    }

    /// Takes the value of a merge key apart: a map, or a list of maps.
    fn collect_merged(&mut self, value: Node, merged: &mut Vec<Node>) {
        match value.value {
            Value::Map(_) => merged.push(value),
            Value::List(items) if items.iter().all(|item| matches!(item.value, Value::Map(_))) => merged.extend(items),
            _ => self.diagnostics.push(
                Diagnostic::error(codes::BAD_MERGE_KEY, value.span, "`<<` can only merge a map, or a list of maps")
                    .help("write `<<: *name` where `&name` marks a map"),
            ),
        }
    }

    fn repeat(&mut self, id: usize, span: Span, depth: usize) -> Result<Node, Stop> {
        let Some(anchored) = self.anchors.get(&id) else {
            // The anchor is still open: the value would contain itself.
            let shown = quoted(self.text.get(span.start..span.end).unwrap_or_default());
            self.diagnostics.push(
                Diagnostic::error(
                    codes::UNKNOWN_ANCHOR,
                    span,
                    format!("the alias {shown} stands inside the value it repeats"),
                )
                .help("write the value out"),
            );
            return Ok(Node { span, value: Value::Null });
        };
        let (values, height, node) = (anchored.values, anchored.height, &anchored.node);
        if depth + height > DEPTH + 1 {
            return Err(Box::new(yaml_errors::too_deep(span)));
        }
        if self.values + values > VALUES {
            return Err(Box::new(yaml_errors::too_many(span)));
        }
        let node = node.clone();
        self.values += values;
        Ok(node)
    }

    fn count(&mut self, values: usize, span: Span) -> Result<(), Stop> {
        self.values += values;
        if self.values > VALUES { Err(Box::new(yaml_errors::too_many(span))) } else { Ok(()) }
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, tag: Option<&Tag>, span: Span) -> Value {
        let quoted = style != ScalarStyle::Plain;
        match tag {
            None if quoted => Value::String(text.to_owned()),
            None => scalar::plain(text),
            Some(tag) if tag.is_yaml_core_schema_tag("str") => Value::String(text.to_owned()),
            // Reported once, as a tag; what the text says without it is good enough to go on with.
            Some(_) => {
                self.refuse_tag(tag, "str", span);
                scalar::plain(text)
            }
        }
    }

    /// Only the tag that says what the value is anyway is let through.
    fn refuse_tag(&mut self, tag: Option<&Tag>, accepted: &str, span: Span) {
        if let Some(tag) = tag.filter(|tag| !tag.is_yaml_core_schema_tag(accepted)) {
            self.diagnostics.push(
                Diagnostic::error(
                    codes::UNSUPPORTED_TAG,
                    span,
                    format!("the tag {} isn't supported", quoted(&tag.original())),
                )
                .help("remove the tag; text that must stay text goes in quotes"),
            );
        }
    }

    fn span(&self, mark: Mark) -> Span {
        let start = self.offset(&mark.start);
        Span { file: self.file, start, end: self.offset(&mark.end).max(start) }
    }

    fn offset(&self, marker: &Marker) -> usize {
        let mut at = marker.byte_offset().unwrap_or(0).min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }
}

fn height(node: &Node) -> usize {
    match &node.value {
        Value::List(items) => 1 + items.iter().map(height).max().unwrap_or(0),
        Value::Map(entries) => 1 + entries.iter().map(|entry| height(&entry.value)).max().unwrap_or(0),
        _ => 1,
    }
}

fn unknown_anchor(span: Span, shown: &str, text: &str) -> Diagnostic {
    let name = shown.trim_matches('`').trim_start_matches('*').to_owned();
    let later = text.contains(&format!("&{name}"));
    let help = if later {
        format!("move `&{name}` above this line: an anchor must stand before its aliases, in the same file")
    } else {
        format!("mark a value above with `&{name}`, or put the text in quotes if it starts with a star")
    };
    Diagnostic::error(codes::UNKNOWN_ANCHOR, span, format!("the alias {shown} has no anchor before it")).help(help)
}
