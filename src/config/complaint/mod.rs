//! What the schema check found, in a person's terms.
//!
//! Only the kind of a finding and its place are used; the library's own wording is made for people who read schemas.

use std::collections::HashSet;

use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::{JsonType, ValidationError};
use serde_json::Value as Json;

mod values;

use crate::config::codes;
use crate::config::codes::Code;
use crate::config::diagnostic::{Diagnostic, Diagnostics, quoted};
use crate::config::fields;
use crate::config::format::Format;
use crate::config::nearest::nearest;
use crate::config::source::{Sources, Span};
use crate::config::tree::{Entry, Node, Value};

/// The steps from the root to a value.
pub(super) type Pointer = Vec<String>;

/// A mistake, and the value that later stages must not see because of it.
pub(super) struct Complaint {
    /// None if another diagnostic says it better.
    pub(super) diagnostic: Option<Diagnostic>,
    pub(super) drop: Option<Pointer>,
}

/// A finding with everything that describing it takes.
struct Finding<'a> {
    path: Pointer,
    node: &'a Node,
    key_span: Option<Span>,
    sources: &'a Sources,
    format: &'a Format,
    /// Where in the schema the keyword stands that wasn't met, and the schema that the keyword is part of.
    owner_path: &'a str,
    owner: Option<&'a Json>,
}

/// Describes one finding of the schema check. A value that is `known` to be wrong isn't described again.
pub(super) fn describe(
    error: &ValidationError<'_>,
    root: &Node,
    sources: &Sources,
    format: &Format,
    known: &Diagnostics,
) -> Vec<Complaint> {
    let path: Pointer = error.instance_path().as_str().split('/').skip(1).map(unescape).collect();
    let (mut node, mut key_span) = (root, None);
    for step in &path {
        key_span = node.entry(step).map(|entry| entry.key_span);
        let Some(child) = node.child(step) else { break };
        node = child;
    }
    let schema_path = error.schema_path().as_str();
    let owner_path = schema_path.rsplit_once('/').map_or("", |(owner, _)| owner);
    let finding =
        Finding { path, node, key_span, sources, format, owner_path, owner: format.schema.pointer(owner_path) };
    let diagnostic = match error.kind() {
        Kind::AdditionalProperties { unexpected } => {
            return finding.unexpected(unexpected);
        }
        // What was seen is asked for after merging, where it is known what is declared.
        Kind::Required { property } if finding.in_attested() && property == "saw" => None,
        // Which settings can be attested is told there as well.
        Kind::Enum { .. } | Kind::FalseSchema if finding.names_an_attested_setting() => None,
        Kind::Required { property } => finding.required(property.as_str().unwrap_or_default()),
        Kind::Type { kind } => Some(finding.wrong_type(expected(kind))),
        Kind::Constant { .. } => Some(finding.wrong_version()),
        // Which of several keys must be there: the check after merging says it.
        Kind::AnyOf { .. } => return Vec::new(),
        Kind::OneOfNotValid { .. } | Kind::OneOfMultipleValid { .. } if finding.choices().is_empty() => {
            return Vec::new();
        }
        Kind::Enum { .. } if finding.word().is_some() => Some(finding.not_the_word()),
        Kind::Enum { .. } | Kind::OneOfNotValid { .. } | Kind::OneOfMultipleValid { .. } => {
            Some(finding.not_among(finding.choices()))
        }
        Kind::Pattern { .. } | Kind::Format { .. } => Some(finding.not_the_word()),
        _ => Some(finding.generic()),
    };
    let scalar = !matches!(node.value, Value::List(_) | Value::Map(_));
    let diagnostic = diagnostic.filter(|_| !(scalar && known.error_within(node.span)));
    vec![Complaint { diagnostic, drop: finding.broken_part(error.kind()) }]
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

impl Finding<'_> {
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

    fn unexpected(&self, unexpected: &[String]) -> Vec<Complaint> {
        let unexpected: HashSet<&str> = unexpected.iter().map(String::as_str).collect();
        let is_environment = self.owner.is_some_and(|owner| owner.get("patternProperties").is_some());
        let entries = self.node.entries().iter();
        let complain = |entry: &Entry| Complaint {
            diagnostic: Some(if is_environment {
                bad_environment_key(&entry.key, entry.key_span)
            } else {
                self.unknown_key(&entry.key, entry.key_span)
            }),
            drop: Some(self.path.iter().chain([&entry.key]).cloned().collect()),
        };
        entries.filter(|entry| unexpected.contains(entry.key.as_str())).map(complain).collect()
    }

    /// The keys that the schema knows for this map.
    fn known_keys(&self) -> Vec<&str> {
        let properties = self.owner.and_then(|owner| owner.get("properties")).and_then(Json::as_object);
        let mut known: Vec<&str> = properties.into_iter().flat_map(|map| map.keys()).map(String::as_str).collect();
        known.sort_unstable();
        known
    }

    fn unknown_key(&self, key: &str, span: Span) -> Diagnostic {
        let known = self.known_keys();
        let place =
            if self.path.is_empty() { "at the top of the file".to_owned() } else { format!("in {}", self.subject()) };
        let help = if let Some(near) = nearest(key, &known) {
            format!("did you mean `{near}`?")
        } else if let Some(home) = fields::home_of(self.format.fields(), key) {
            format!("`{key}` belongs under {home}")
        } else {
            format!("known here: {}", listed(&known))
        };
        Diagnostic::error(codes::UNKNOWN_KEY, span, format!("unknown key {} {place}", quoted(key))).help(help)
    }

    fn required(&self, key: &str) -> Option<Diagnostic> {
        let known = self.known_keys();
        let unknown = self.node.entries().iter().map(|entry| &entry.key).filter(|key| !known.contains(&key.as_str()));
        if unknown.into_iter().any(|written| nearest(written, &[key]).is_some()) {
            // It is there, misspelt, and reported as unknown.
            return None;
        }
        if key == "version" {
            let message = "the file doesn't say which version of the format it uses".to_owned();
            return Some(self.error(codes::MISSING_KEY, message).help("add `version: 1` at the top"));
        }
        let wanted = self.owner.and_then(|owner| owner.get("properties")).and_then(|properties| properties.get(key));
        let example = wanted.and_then(|wanted| fields::example(&self.format.schema, wanted)).unwrap_or_default();
        let span = self.key_span.unwrap_or(self.node.span);
        let message = format!("{} has no `{key}`", self.subject());
        Some(
            Diagnostic::error(codes::MISSING_KEY, span, message)
                .help(format!("add `{key}: {example}` with the right value")),
        )
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
            JsonType::Array => {
                let message = format!("{} must be a list, not {}", self.subject(), called(&self.node.value));
                let help = match &self.node.value {
                    Value::Map(_) => "start each item on a line of its own with `- `".to_owned(),
                    _ => format!("write `[{}]`", quoted(self.raw()).trim_matches('`')),
                };
                self.error(codes::WRONG_TYPE, message).help(help)
            }
            _ => {
                let message = format!("{} must be a map, not {}", self.subject(), called(&self.node.value));
                self.error(codes::WRONG_TYPE, message).help(self.keys_to_write())
            }
        }
    }

    fn no_value(&self, expected: JsonType) -> Diagnostic {
        let help = match expected {
            _ if self.is_item() => "write the item after the dash, or remove the dash".to_owned(),
            JsonType::Object if self.in_attested() => format!("write its keys: {}", listed(&self.known_keys())),
            JsonType::Object if self.known_keys().is_empty() => "write something below it, or remove it".to_owned(),
            JsonType::Object => {
                let keys = listed(&self.known_keys());
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

    /// How to write the map that belongs here.
    fn keys_to_write(&self) -> String {
        let known = self.known_keys();
        match self.path.as_slice() {
            [] => "write `version: 1`, `tenant:` and `environments:`, each on a line of its own".to_owned(),
            _ if known.is_empty() => "write `name:` lines below it, indented, without dashes".to_owned(),
            _ if self.is_item() => format!("write `- {{ key: value, … }}`; the keys here are {}", listed(&known)),
            _ => format!("write `key: value` lines below it, indented; the keys here are {}", listed(&known)),
        }
    }
}

fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn bad_environment_key(key: &str, span: Span) -> Diagnostic {
    let message = if key == "tenant" {
        "an environment can't be called `tenant`: that is the name of the tenant's own scope".to_owned()
    } else {
        format!("{} can't be the key of an environment", quoted(key))
    };
    Diagnostic::error(codes::BAD_ENVIRONMENT_KEY, span, message).help(
        "use letters, digits, `-` and `_`, starting with a letter, at most 64 of them; `name` holds the display name",
    )
}
