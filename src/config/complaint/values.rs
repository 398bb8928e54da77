//! Values that aren't what belongs there.

use jsonschema::JsonType;

use super::{Finding, called, listed};
use crate::config::codes;
use crate::config::diagnostic::{Diagnostic, copyable, quoted};
use crate::config::fields;
use crate::config::nearest::nearest;
use crate::config::tree::Value;
use crate::config::words::{Word, Wrong};

impl Finding<'_> {
    pub(super) fn not_a_boolean(&self) -> Diagnostic {
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
        let in_quotes = self.sources.text(self.node.span).starts_with(['"', '\'']);
        let help = match meant {
            Some(meant) if in_quotes => format!("write {}, without quotes", self.line(meant)),
            Some(meant) => format!("write {}", self.line(meant)),
            None => "write `true` or `false`".to_owned(),
        };
        self.error(codes::NOT_ABOOLEAN, format!("{} must be `true` or `false`, not {shown}", self.subject())).help(help)
    }

    pub(super) fn not_a_text(&self) -> Diagnostic {
        match (&self.node.value, self.word()) {
            (Value::List(_) | Value::Map(_), word) => {
                let wanted = word.map_or("text", |word| word.called);
                let message = format!("{} must be {wanted}, not {}", self.subject(), called(&self.node.value));
                if let Some(each) = word.and_then(|word| self.one_item_for_each(word)) {
                    return self.error(codes::WRONG_TYPE, message).help(each);
                }
                let bare = self.raw().trim_start_matches("- ").trim_matches(['{', '}', '[', ']']).trim();
                let help = match word {
                    Some(word) if (word.check)(bare).is_none() => {
                        format!("write `{bare}` on the same line, without dash, brackets or braces")
                    }
                    _ => "write one value on the same line".to_owned(),
                };
                self.error(codes::WRONG_TYPE, message).help(help)
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
                self.error(codes::UNQUOTED_TEXT, message)
                    .help(format!("write \"{}\"", quoted(self.raw()).trim_matches('`')))
            }
        }
    }

    /// How to write an item for each of several values of one key.
    fn one_item_for_each(&self, word: &Word) -> Option<String> {
        let [.., list, index, key] = self.path.as_slice() else { return None };
        let is_item = index.parse::<usize>().is_ok();
        let values = self.node.items().iter().map(|item| self.sources.text(item.span));
        let values: Vec<&str> = values.filter(|text| (word.check)(text.trim_matches(['"', '\''])).is_none()).collect();
        if !is_item || values.len() < 2 || values.len() != self.node.items().len() {
            return None;
        }
        let lines: Vec<String> = values.iter().take(5).map(|value| format!("`{key}: {}`", copyable(value))).collect();
        Some(format!("write an item of {} for each: {}", quoted(list), lines.join(", ")))
    }

    pub(super) fn word(&self) -> Option<&Word> {
        self.format.word(self.owner_path.strip_prefix("/$defs/")?)
    }

    pub(super) fn not_the_word(&self) -> Diagnostic {
        let text = match &self.node.value {
            Value::String(text) => text,
            _ => self.raw(),
        };
        self.word().map_or_else(|| self.generic(), |word| self.not_this_word(word, text))
    }

    pub(super) fn not_this_word(&self, word: &Word, text: &str) -> Diagnostic {
        match (word.check)(text) {
            Some(wrong) => {
                let wrong = spaced(word, text).unwrap_or(wrong);
                let key = self.path.last().filter(|_| !self.is_item()).map(String::as_str);
                self.error(wrong.code, format!("{} {}", self.subject(), wrong.message)).help(wrong.advice(key))
            }
            // Right when read as text, but another type without quotes.
            None => self
                .error(codes::UNQUOTED_TEXT, format!("{} must be {}, written as text", self.subject(), word.called))
                .help(format!("write \"{text}\"")),
        }
    }

    /// The line with another value.
    fn line(&self, value: &str) -> String {
        match self.path.last().filter(|_| !self.is_item()) {
            Some(key) => format!("`{}: {value}`", copyable(key)),
            None => format!("`{value}`"),
        }
    }

    /// The values that the schema allows here; none if it isn't about values.
    pub(super) fn choices(&self) -> Vec<&str> {
        self.owner.map_or_else(Vec::new, fields::choices)
    }

    pub(super) fn not_among(&self, choices: Vec<&str>) -> Diagnostic {
        if matches!(self.node.value, Value::Null) {
            return self.no_value(JsonType::String);
        }
        let shown = match &self.node.value {
            Value::List(_) | Value::Map(_) => called(&self.node.value).to_owned(),
            _ => quoted(self.raw()),
        };
        let allowed = listed(&choices);
        let definition = self.owner_path.strip_prefix("/$defs/").unwrap_or_default();
        let help = match (self.format.dictionary().stranger(definition, self.raw()), nearest(self.raw(), &choices)) {
            _ if choices.len() == 1 => format!("only {allowed} is possible here"),
            (_, Some(near)) => format!("did you mean {}? Allowed: {allowed}", self.line(near)),
            (Some(stranger), None) => {
                format!("{}: write {} if that is meant. Allowed: {allowed}", stranger.why, self.line(stranger.meant))
            }
            (None, None) => format!("allowed: {allowed}"),
        };
        self.error(codes::UNKNOWN_VALUE, format!("{} can't be {shown}", self.subject())).help(help)
    }

    /// For keywords that the schema doesn't use today.
    pub(super) fn generic(&self) -> Diagnostic {
        self.error(codes::WRONG_TYPE, format!("{} isn't what belongs here", self.subject()))
            .help("`palisade explain FIELD` describes each field")
    }
}

/// What is wrong with a text that has space or a line break where the word has none.
fn spaced(word: &Word, text: &str) -> Option<Wrong> {
    let (trimmed, wrong) = (text.trim(), (word.check)(text)?);
    let bare = (word.check)(trimmed).is_none();
    let breaks = text.contains(['\n', '\r']);
    let shown = match (trimmed.lines().next(), trimmed.lines().count()) {
        (Some(first), 2..) => format!("{}, which goes on in the next line", quoted(first)),
        _ => quoted(trimmed),
    };
    let message = match (breaks, bare) {
        (true, true) => format!("must be {} without a line break behind it: {shown}", word.called),
        (true, false) => format!("must be {} on one line, not {shown}", word.called),
        (false, true) => format!("must be {} without spaces around it: {shown}", word.called),
        (false, false) => return None,
    };
    let wrong = Wrong { message, ..wrong };
    Some(if bare { Wrong { help: String::new(), ..wrong }.meaning(trimmed) } else { wrong })
}
