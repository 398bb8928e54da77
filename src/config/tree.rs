//! The located tree: a YAML document as values that know where they stand.

use serde_json::Value as Json;

use super::source::{Sources, Span};
use crate::terms::Place;

/// A value with its place. After merging, each node still names the file it came from.
#[derive(Debug, Clone)]
pub struct Node {
    /// Where the value is written.
    pub span: Span,
    /// The value.
    pub value: Value,
}

/// What a node can be. Merge keys and aliases are resolved before this tree is made.
#[derive(Debug, Clone)]
pub enum Value {
    /// `null`, `~`, or nothing.
    Null,
    /// `true` or `false`; `yes`, `no`, `on`, `off` are strings here.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Float(f64),
    /// Text.
    String(String),
    /// A list.
    List(Vec<Node>),
    /// A map, in the file's order; keys are unique.
    Map(Vec<Entry>),
}

/// One key of a map with its value.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key is written.
    pub key_span: Span,
    /// The value.
    pub value: Node,
}

impl Node {
    /// The entry of a map.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|entry| entry.key == key),
            _ => None,
        }
    }

    /// The value below this one that a list index or a map key names.
    pub fn child(&self, step: &str) -> Option<&Node> {
        match &self.value {
            Value::Map(_) => self.entry(step).map(|entry| &entry.value),
            Value::List(items) => items.get(step.parse::<usize>().ok()?),
            _ => None,
        }
    }

    /// The entries of a map; nothing for anything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; nothing for anything else.
    pub fn items(&self) -> &[Node] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// Takes the entries of a map.
    pub(super) fn into_entries(self) -> Vec<Entry> {
        match self.value {
            Value::Map(entries) => entries,
            _ => Vec::new(),
        }
    }

    /// The same data without places.
    pub fn to_json(&self) -> Json {
        match &self.value {
            Value::Null => Json::Null,
            Value::Bool(value) => Json::from(*value),
            Value::Integer(value) => Json::from(*value),
            Value::Float(value) => Json::from(*value),
            Value::String(value) => Json::from(value.as_str()),
            Value::List(items) => items.iter().map(Node::to_json).collect(),
            Value::Map(entries) => entries
                .iter()
                .map(|entry| (entry.key.clone(), entry.value.to_json()))
                .collect::<serde_json::Map<_, _>>()
                .into(),
        }
    }
}

/// A node together with the files it points into, for asking "where is this written?".
#[derive(Debug, Clone, Copy)]
pub struct Located<'a> {
    /// The node.
    pub node: &'a Node,
    /// The files.
    pub sources: &'a Sources,
    /// The key that the node is the value of, if there is one.
    key: Option<Span>,
}

impl<'a> Located<'a> {
    /// A node that isn't the value of a key.
    pub fn new(node: &'a Node, sources: &'a Sources) -> Self {
        Self { node, sources, key: None }
    }

    /// Follows keys and indexes (`["assignments", "3", "role"]`) as far as they lead; where a step is missing, stays at
    /// the last value there was, so that a complaint about something missing points at what should hold it.
    pub fn at(self, path: &[&str]) -> Located<'a> {
        let mut located = self;
        for step in path {
            let Some(node) = located.node.child(step) else {
                break;
            };
            let key = located.node.entry(step).map(|entry| entry.key_span);
            located = Located { node, key, ..located };
        }
        located
    }

    /// Where the value is written.
    pub fn span(self) -> Span {
        self.node.span
    }

    /// Where to point if something is missing in the value: its key, if it has one.
    pub fn spot(self) -> Span {
        self.key.unwrap_or(self.node.span)
    }

    /// Where `key` of this map is written; the map itself if it has no such key.
    pub fn key_span(self, key: &str) -> Span {
        self.node.entry(key).map_or(self.node.span, |entry| entry.key_span)
    }

    /// Line and column of the value.
    pub fn place(self) -> Place {
        self.sources.place(self.node.span)
    }

    /// Line and column of a key of this map.
    pub fn key_place(self, key: &str) -> Place {
        self.sources.place(self.key_span(key))
    }

    /// What is written there, quotes included.
    pub fn text(self) -> &'a str {
        self.sources.text(self.node.span)
    }
}
