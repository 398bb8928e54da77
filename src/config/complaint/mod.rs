//! What the schema check found, in a person's terms.
//!
//! Only the kind of a finding and its place are used; the library's own wording is made for people who read schemas.

use std::collections::HashMap;

use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::{JsonType, ValidationError};
use serde_json::Value as Json;

mod keys;
mod levels;
mod shapes;
mod values;

pub(super) use levels::misplaced;

use crate::config::codes;
use crate::config::codes::Code;
use crate::config::diagnostic::{Diagnostic, Diagnostics, Lost, quoted};
use crate::config::fields;
use crate::config::format::Format;
use crate::config::homes;
use crate::config::source::{Sources, Span};
use crate::config::tree::{Node, Value};

/// The steps from the root to a value.
pub(super) type Pointer = Vec<String>;

/// A mistake, and what later stages must not see because of it.
#[derive(Default)]
pub(super) struct Complaint {
    /// None if another diagnostic says it better.
    pub(super) diagnostic: Option<Diagnostic>,
    pub(super) drop: Vec<Pointer>,
    pub(super) lost: Vec<Lost>,
}

/// A finding with everything that describing it takes.
struct Finding<'a> {
    path: Pointer,
    root: &'a Node,
    node: &'a Node,
    key_span: Option<Span>,
    sources: &'a Sources,
    format: &'a Format,
    /// Where in the schema the keyword stands that wasn't met, and the schema that the keyword is part of.
    owner_path: &'a str,
    owner: Option<&'a Json>,
}

/// Describes what the schema check found. A value that is `known` to be wrong isn't described again.
pub(super) fn describe(
    errors: &[ValidationError<'_>],
    root: &Node,
    sources: &Sources,
    format: &Format,
    known: &Diagnostics,
) -> Vec<Complaint> {
    // What one map lacks is one mistake.
    let mut missing: HashMap<&str, Vec<&str>> = HashMap::new();
    for error in errors {
        if let Kind::Required { property } = error.kind() {
            let key = property.as_str().unwrap_or_default();
            missing.entry(error.instance_path().as_str()).or_default().push(key);
        }
    }
    let mut complaints = Vec::new();
    for error in errors {
        if let Kind::AdditionalProperties { unexpected } = error.kind() {
            complaints.extend(Finding::new(error, root, sources, format).unexpected(unexpected));
        }
    }
    let lost: Vec<Lost> = complaints.iter().flat_map(|complaint| complaint.lost.clone()).collect();
    for error in errors {
        let finding = Finding::new(error, root, sources, format);
        match error.kind() {
            Kind::AdditionalProperties { .. } => {}
            Kind::Required { .. } => {
                if let Some(keys) = missing.remove(error.instance_path().as_str()) {
                    complaints.push(finding.complaint(finding.required(&keys, &lost), error.kind()));
                }
            }
            kind => complaints.extend(finding.of_kind(kind, known)),
        }
    }
    for diagnostic in complaints.iter_mut().filter_map(|complaint| complaint.diagnostic.as_mut()) {
        diagnostic.help = diagnostic.help.take().map(|help| format.dictionary().asking(help));
    }
    complaints
}

fn unescape(step: &str) -> String {
    step.replace("~1", "/").replace("~0", "~")
}

fn expected(kind: &TypeKind) -> JsonType {
    match kind {
        TypeKind::Single(one) => *one,
        TypeKind::Multiple(several) => several.iter().next().unwrap_or(JsonType::Null),
    }
}

/// "a list", "text", …
fn called(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Integer(_) | Value::Float(_) => "a number",
        Value::String(_) => "text",
        Value::List(_) => "a list",
        Value::Map(_) => "a map",
    }
}

impl<'a> Finding<'a> {
    fn new(error: &'a ValidationError<'_>, root: &'a Node, sources: &'a Sources, format: &'a Format) -> Self {
        let path: Pointer = error.instance_path().as_str().split('/').skip(1).map(unescape).collect();
        let (mut node, mut key_span) = (root, None);
        for step in &path {
            key_span = node.entry(step).map(|entry| entry.key_span);
            let Some(child) = node.child(step) else { break };
            node = child;
        }
        let schema_path = error.schema_path().as_str();
        let owner_path = schema_path.rsplit_once('/').map_or("", |(owner, _)| owner);
        Self { path, root, node, key_span, sources, format, owner_path, owner: format.schema.pointer(owner_path) }
    }
}

impl Finding<'_> {
    /// Describes a finding that is about this one value.
    fn of_kind(&self, kind: &Kind, known: &Diagnostics) -> Option<Complaint> {
        let diagnostic = match kind {
            // Which settings can be attested is told after merging.
            Kind::Enum { .. } | Kind::FalseSchema if self.names_an_attested_setting() => None,
            Kind::Type { .. } if self.is_filled_beside() => None,
            Kind::Type { kind } => Some(self.wrong_type(expected(kind))),
            Kind::Constant { .. } => Some(self.wrong_version()),
            // Which of several keys must be there: the check after merging says it.
            Kind::AnyOf { .. } => return None,
            Kind::OneOfNotValid { .. } | Kind::OneOfMultipleValid { .. } if self.choices().is_empty() => {
                return None;
            }
            Kind::Enum { .. } if self.word().is_some() => Some(self.not_the_word()),
            Kind::Enum { .. } | Kind::OneOfNotValid { .. } | Kind::OneOfMultipleValid { .. } => {
                Some(self.not_among(self.choices()))
            }
            Kind::Pattern { .. } | Kind::Format { .. } => Some(self.not_the_word()),
            _ => Some(self.generic()),
        };
        let scalar = !matches!(self.node.value, Value::List(_) | Value::Map(_));
        let diagnostic = diagnostic.filter(|_| !(scalar && known.error_within(self.node.span)));
        Some(self.complaint(diagnostic, kind))
    }

    /// What is said, and what is dropped with it.
    fn complaint(&self, diagnostic: Option<Diagnostic>, kind: &Kind) -> Complaint {
        let drop = self.broken_part(kind);
        let lost = drop.as_deref().and_then(|pointer| self.lost(pointer)).into_iter().collect();
        Complaint { diagnostic, drop: drop.into_iter().collect(), lost }
    }

    /// The key at the end of a pointer, as later checks would miss it.
    fn lost(&self, pointer: &[String]) -> Option<Lost> {
        let (key, map) = pointer.split_last().filter(|(key, _)| key.parse::<usize>().is_err())?;
        let of = homes::spot(self.format.fields(), map);
        Some(self.lost_key(key, map, &of))
    }

    /// A key that stands in the map at `map`, and belongs to the spot `of`.
    fn lost_key(&self, key: &str, map: &[String], of: &str) -> Lost {
        let at = |steps: &[String]| steps.iter().try_fold(self.root, |node, step| node.child(step));
        let in_list = map.iter().any(|step| step.parse::<usize>().is_ok());
        let of = if in_list && homes::spot(self.format.fields(), map) == of { "" } else { of };
        Lost {
            key: key.to_owned(),
            map: at(map).unwrap_or(self.node).span,
            of: homes::steps(of).last().copied().unwrap_or_default().to_owned(),
            within: match map {
                [base, ..] if base == "base" => None,
                [environments, key, ..] => at(&[environments.clone(), key.clone()]).map(|node| node.span),
                _ => Some(self.root.span),
            },
        }
    }

    /// What the message calls the value.
    fn subject(&self) -> String {
        match self.path.as_slice() {
            [] => "the file".to_owned(),
            [.., list, index] if index.parse::<usize>().is_ok() => {
                format!("item {} of {}", index.parse::<usize>().unwrap_or(0) + 1, quoted(list))
            }
            [.., key] => quoted(key),
        }
    }

    /// Where to point: the value, or its key where the value is empty.
    fn spot(&self) -> Span {
        let span = self.node.span;
        if span.start == span.end || matches!(self.node.value, Value::Null) {
            self.key_span.unwrap_or(span)
        } else {
            span
        }
    }

    fn error(&self, code: Code, message: String) -> Diagnostic {
        Diagnostic::error(code, self.spot(), message)
    }

    /// The value as written, without quotes.
    fn raw(&self) -> &str {
        let text = self.sources.text(self.node.span);
        text.lines().next().unwrap_or_default().trim_matches(['"', '\''])
    }

    /// Whether it is about an entry of `attested`. Such an entry is looked at once more after merging, mistakes and all.
    fn in_attested(&self) -> bool {
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        matches!(path.as_slice(), ["environments", _, "attested", _, ..] | ["tenant", "attested", _, ..])
    }

    fn names_an_attested_setting(&self) -> bool {
        self.in_attested() && self.path.last().is_some_and(|key| key == "setting")
    }

    /// The part of the tree to drop: a list item as a whole, or a key with its value.
    fn broken_part(&self, kind: &Kind) -> Option<Pointer> {
        if self.in_attested() {
            return None;
        }
        let last_index = self.path.iter().rposition(|step| step.parse::<usize>().is_ok());
        match (last_index, kind) {
            (Some(index), _) => Some(self.path[..=index].to_vec()),
            (None, Kind::Required { .. }) => None,
            (None, _) => Some(self.path.clone()),
        }
    }

    /// The keys that the schema knows for this map.
    fn known_keys(&self) -> Vec<&str> {
        let properties = self.owner.and_then(|owner| owner.get("properties")).and_then(Json::as_object);
        let mut known: Vec<&str> = properties.into_iter().flat_map(|map| map.keys()).map(String::as_str).collect();
        known.sort_unstable();
        known
    }

    fn wrong_version(&self) -> Diagnostic {
        let written = quoted(self.sources.text(self.node.span));
        let help = if self.raw() == "1" {
            "write `version: 1`, without quotes"
        } else {
            "write `version: 1`; a file for a newer version needs a newer palisade"
        };
        self.error(codes::WRONG_VERSION, format!("the version must be the number 1, not {written}")).help(help)
    }

    fn wrong_type(&self, expected: JsonType) -> Diagnostic {
        if matches!(self.node.value, Value::Null) {
            return self.no_value(expected);
        }
        match expected {
            JsonType::Boolean => self.not_a_boolean(),
            JsonType::Integer | JsonType::Number => self.wrong_version(),
            JsonType::String => self.not_a_text(),
            JsonType::Array => self.not_a_list(),
            _ => self.not_a_map(),
        }
    }

    fn no_value(&self, expected: JsonType) -> Diagnostic {
        let help = match expected {
            _ if self.is_item() => "write the item after the dash, or remove the dash".to_owned(),
            JsonType::Object if self.in_attested() => format!("write its keys: {}", listed(&self.known_keys())),
            JsonType::Object if self.known_keys().is_empty() => "write something below it, or remove it".to_owned(),
            JsonType::Object => {
                let keys = listed(&self.known_keys());
                let asks = self.path.last().and_then(|key| self.format.dictionary().asks(key));
                if let Some(asks) = asks {
                    return self
                        .error(codes::NO_VALUE, format!("{} has no value", self.subject()))
                        .help(format!("write its keys ({keys}); {asks}"));
                }
                format!("write its keys below it, indented ({keys}), or remove it: what isn't declared isn't managed")
            }
            JsonType::Array => "write a list, such as `[]`, or remove the key".to_owned(),
            JsonType::Boolean => "write `true` or `false`".to_owned(),
            JsonType::Integer => "write `version: 1`".to_owned(),
            _ => match self.owner.and_then(|owner| fields::example(&self.format.schema, owner)) {
                Some(example) => format!("write a value such as `{example}`"),
                None => "write a value, or remove the key".to_owned(),
            },
        };
        self.error(codes::NO_VALUE, format!("{} has no value", self.subject())).help(help)
    }

    /// Whether the value stands in a list.
    fn is_item(&self) -> bool {
        self.path.last().is_some_and(|step| step.parse::<usize>().is_ok())
    }
}

fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
