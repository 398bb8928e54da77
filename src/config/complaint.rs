//! What the schema check found, in a person's terms.
//!
//! Only the kind of a finding and its place are used; the library's own wording is made for people who read schemas.

use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::{JsonType, ValidationError};
use serde_json::Value as Json;

use super::codes::Code;
use super::diagnostic::{Diagnostic, quoted};
use super::fields;
use super::nearest::nearest;
use super::source::{Sources, Span};
use super::tree::{Node, Value};
use super::words::{WORDS, Word};

/// The steps from the root to a value.
pub(super) type Pointer = Vec<String>;

/// A mistake, and the value that later stages must not see because of it.
pub(super) struct Complaint {
    pub(super) diagnostic: Diagnostic,
    pub(super) drop: Option<Pointer>,
}

/// A finding with everything that describing it takes.
struct Finding<'a> {
    path: Pointer,
    node: &'a Node,
    key_span: Option<Span>,
    sources: &'a Sources,
    schema: &'a Json,
    /// Where in the schema the keyword stands that wasn't met, and the schema that the keyword is part of.
    owner_path: &'a str,
    owner: Option<&'a Json>,
}

/// Describes one finding of the schema check; none if a later stage says it better.
pub(super) fn describe(error: &ValidationError<'_>, root: &Node, sources: &Sources, schema: &Json) -> Vec<Complaint> {
    let path: Pointer = error.instance_path().as_str().split('/').skip(1).map(unescape).collect();
    let (mut node, mut key_span) = (root, None);
    for step in &path {
        key_span = node.entry(step).map(|entry| entry.key_span);
        let Some(child) = node.child(step) else { break };
        node = child;
    }
    let schema_path = error.schema_path().as_str();
    let owner_path = schema_path.rsplit_once('/').map_or("", |(owner, _)| owner);
    let finding = Finding { path, node, key_span, sources, schema, owner_path, owner: schema.pointer(owner_path) };
    let diagnostic = match error.kind() {
        Kind::AdditionalProperties { unexpected } => {
            return unexpected.iter().map(|key| finding.unexpected(key)).collect();
        }
        Kind::Required { property } => finding.required(property.as_str().unwrap_or_default()),
        Kind::Type { kind } => finding.wrong_type(expected(kind)),
        Kind::Constant { .. } => finding.wrong_version(),
        Kind::Enum { .. } => finding.not_among(finding.choices()),
        Kind::OneOfNotValid { .. } | Kind::OneOfMultipleValid { .. } => {
            let choices = finding.choices();
            if choices.is_empty() {
                // Which of several keys must be there: the setting's own check says it.
                return Vec::new();
            }
            finding.not_among(choices)
        }
        Kind::Pattern { .. } | Kind::Format { .. } => finding.not_the_word(),
        _ => finding.generic(),
    };
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

    /// The part of the tree to drop: a list item as a whole, or a key with its value.
    fn broken_part(&self, kind: &Kind) -> Option<Pointer> {
        let last_index = self.path.iter().rposition(|step| step.parse::<usize>().is_ok());
        match (last_index, kind) {
            (Some(index), _) => Some(self.path[..=index].to_vec()),
            (None, Kind::Required { .. }) => None,
            (None, _) => Some(self.path.clone()),
        }
    }

    fn unexpected(&self, key: &str) -> Complaint {
        let span = self.node.entry(key).map_or(self.node.span, |entry| entry.key_span);
        let drop = Some(self.path.iter().cloned().chain([key.to_owned()]).collect());
        let is_environment = self.owner.is_some_and(|owner| owner.get("patternProperties").is_some());
        let diagnostic = if is_environment { bad_environment_key(key, span) } else { self.unknown_key(key, span) };
        Complaint { diagnostic, drop }
    }

    fn unknown_key(&self, key: &str, span: Span) -> Diagnostic {
        let mut known: Vec<&str> = self
            .owner
            .and_then(|owner| owner.get("properties"))
            .and_then(Json::as_object)
            .map_or_else(Vec::new, |map| map.keys().map(String::as_str).collect());
        known.sort_unstable();
        let place =
            if self.path.is_empty() { "at the top of the file".to_owned() } else { format!("in {}", self.subject()) };
        let help = if let Some(near) = nearest(key, &known) {
            format!("did you mean `{near}`?")
        } else if let Some(home) = fields::home_of(self.schema, key) {
            format!("`{key}` belongs under {home}")
        } else {
            let known: Vec<String> = known.iter().map(|key| format!("`{key}`")).collect();
            format!("known here: {}", known.join(", "))
        };
        Diagnostic::error(Code::UnknownKey, span, format!("unknown key {} {place}", quoted(key))).help(help)
    }

    fn required(&self, key: &str) -> Diagnostic {
        if key == "version" {
            return self
                .error(Code::MissingKey, "the file doesn't say which version of the format it uses".to_owned())
                .help("add `version: 1` at the top");
        }
        let wanted = self.owner.and_then(|owner| owner.get("properties")).and_then(|properties| properties.get(key));
        let example = wanted.and_then(|wanted| fields::example(self.schema, wanted)).unwrap_or_else(|| "…".to_owned());
        let span = self.key_span.unwrap_or(self.node.span);
        Diagnostic::error(Code::MissingKey, span, format!("{} has no `{key}`", self.subject()))
            .help(format!("add `{key}:` with a value such as `{example}`"))
    }

    fn wrong_version(&self) -> Diagnostic {
        self.error(
            Code::WrongVersion,
            format!("this palisade reads version 1 of the file format, not {}", quoted(self.raw())),
        )
        .help("write `version: 1`; a file for a newer version needs a newer palisade")
    }

    fn wrong_type(&self, expected: JsonType) -> Diagnostic {
        if matches!(self.node.value, Value::Null) {
            return self.error(Code::NoValue, format!("{} has no value", self.subject())).help(
                if self.path.is_empty() {
                    "write the configuration"
                } else {
                    "write a value, or remove the key: what isn't declared isn't managed"
                },
            );
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
                self.error(Code::WrongType, message).help(help)
            }
            _ => {
                let message = format!("{} must be a map, not {}", self.subject(), called(&self.node.value));
                let help = match &self.node.value {
                    Value::List(_) => "write `key: value` lines without dashes",
                    _ => "write `key: value` lines, indented below it",
                };
                self.error(Code::WrongType, message).help(help)
            }
        }
    }

    fn not_a_boolean(&self) -> Diagnostic {
        let raw = self.raw().to_ascii_lowercase();
        let meant = match raw.as_str() {
            "true" | "yes" | "on" | "y" | "1" => Some("true"),
            "false" | "no" | "off" | "n" | "0" => Some("false"),
            _ => None,
        };
        let shown = match &self.node.value {
            Value::List(_) | Value::Map(_) => called(&self.node.value).to_owned(),
            _ => quoted(self.sources.text(self.node.span)),
        };
        let help =
            meant.map_or("write `true` or `false`".to_owned(), |meant| format!("write `{meant}`, without quotes"));
        self.error(Code::NotABoolean, format!("{} must be `true` or `false`, not {shown}", self.subject())).help(help)
    }

    fn not_a_text(&self) -> Diagnostic {
        match (&self.node.value, self.word()) {
            (Value::List(_) | Value::Map(_), word) => {
                let wanted = word.map_or("text", |word| word.called);
                let message = format!("{} must be {wanted}, not {}", self.subject(), called(&self.node.value));
                self.error(Code::WrongType, message).help("write one value on the same line")
            }
            (_, Some(word)) if word.name != "Text" => self.not_this_word(word, self.raw()),
            _ if !self.choices().is_empty() => self.not_among(self.choices()),
            (value, _) => {
                let message = format!(
                    "{} must be text, and {} without quotes is {}",
                    self.subject(),
                    quoted(self.raw()),
                    called(value)
                );
                self.error(Code::UnquotedText, message)
                    .help(format!("write \"{}\"", quoted(self.raw()).trim_matches('`')))
            }
        }
    }

    fn word(&self) -> Option<&'static Word> {
        WORDS.iter().find(|word| self.owner_path.strip_prefix("/$defs/").is_some_and(|name| name == word.name))
    }

    fn not_the_word(&self) -> Diagnostic {
        let text = match &self.node.value {
            Value::String(text) => text,
            _ => self.raw(),
        };
        self.word().map_or_else(|| self.generic(), |word| self.not_this_word(word, text))
    }

    fn not_this_word(&self, word: &Word, text: &str) -> Diagnostic {
        match (word.check)(text) {
            Some(wrong) => self.error(wrong.code, format!("{} {}", self.subject(), wrong.message)).help(wrong.help),
            // Right when read as text, but another type without quotes.
            None => self
                .error(Code::UnquotedText, format!("{} must be {}, written as text", self.subject(), word.called))
                .help(format!("write \"{text}\"")),
        }
    }

    /// The values that the schema allows here; none if it isn't about values.
    fn choices(&self) -> Vec<&str> {
        self.owner.map_or_else(Vec::new, fields::choices)
    }

    fn not_among(&self, choices: Vec<&str>) -> Diagnostic {
        if matches!(self.node.value, Value::Null) {
            return self.wrong_type(JsonType::String);
        }
        let shown = match &self.node.value {
            Value::List(_) | Value::Map(_) => called(&self.node.value).to_owned(),
            _ => quoted(self.raw()),
        };
        let listed: Vec<String> = choices.iter().map(|choice| format!("`{choice}`")).collect();
        let help = match nearest(self.raw(), &choices) {
            Some(near) => format!("did you mean `{near}`? Allowed: {}", listed.join(", ")),
            None => format!("allowed: {}", listed.join(", ")),
        };
        self.error(Code::UnknownValue, format!("{} can't be {shown}", self.subject())).help(help)
    }

    /// For keywords that the schema doesn't use today.
    fn generic(&self) -> Diagnostic {
        self.error(Code::WrongType, format!("{} isn't what belongs here", self.subject()))
            .help("`palisade explain FIELD` describes each field")
    }
}

fn bad_environment_key(key: &str, span: Span) -> Diagnostic {
    let message = if key == "tenant" {
        "an environment can't be called `tenant`: that is the name of the tenant's own scope".to_owned()
    } else {
        format!("{} can't be the key of an environment", quoted(key))
    };
    Diagnostic::error(Code::BadEnvironmentKey, span, message).help(
        "use letters, digits, `-` and `_`, starting with a letter, at most 64 of them; `name` holds the display name",
    )
}
