//! The JSON Schema of the file format, and the check of a file against it.
//!
//! The schema is derived from `shape` and kept in `schema/palisade.schema.json` for editors. What must
//! stay true: the kept file is what [`schema`] gives (a test compares them), and what the check complains about is
//! dropped from the tree that later stages see, so that one mistake is reported once and hides no other.

use std::collections::HashSet;

use jsonschema::Validator;
use schemars::generate::SchemaSettings;
use serde_json::Value as Json;

use super::complaint::{self, Pointer};
use super::diagnostic::Diagnostics;
use super::shape::File;
use super::source::Sources;
use super::tree::{Node, Value};
use super::words;

pub use super::fields::{FieldHelp, Lookup, field_help};

/// The JSON Schema of one file, draft 2020-12.
pub fn schema() -> Json {
    let generator = SchemaSettings::draft2020_12().for_deserialize().into_generator();
    let mut schema = generator.into_root_schema_for::<File>().to_value();
    without_null(&mut schema);
    on_one_line(&mut schema);
    schema
}

/// Doc comments are broken at the code's width; editors show descriptions at their own.
fn on_one_line(schema: &mut Json) {
    match schema {
        Json::Object(keywords) => {
            if let Some(Json::String(text)) = keywords.get_mut("description") {
                *text = text.replace('\n', " ");
            }
            keywords.values_mut().for_each(on_one_line);
        }
        Json::Array(items) => items.iter_mut().for_each(on_one_line),
        _ => {}
    }
}

/// An optional key may be left out, but not be empty: takes `null` out of what derived options accept.
fn without_null(schema: &mut Json) {
    match schema {
        Json::Object(keywords) => {
            keywords.values_mut().for_each(without_null);
            if keywords.get("default").is_some_and(Json::is_null) {
                keywords.remove("default");
            }
            if let Some(Json::Array(types)) = keywords.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    keywords.insert("type".to_owned(), only);
                }
            }
            if let Some(Json::Array(choices)) = keywords.get_mut("anyOf") {
                choices.retain(|choice| choice.get("type").is_none_or(|name| name != "null"));
                if let [Json::Object(only)] = choices.as_slice() {
                    let only = only.clone();
                    keywords.remove("anyOf");
                    // A description at the key says more than the one of its type.
                    for (name, value) in only {
                        keywords.entry(name).or_insert(value);
                    }
                }
            }
        }
        Json::Array(items) => items.iter_mut().for_each(without_null),
        _ => {}
    }
}

/// Checks files against the schema.
pub(super) struct Checker {
    schema: Json,
    validator: Option<Validator>,
}

impl Checker {
    /// Prepares the check.
    pub(super) fn new() -> Self {
        let schema = schema();
        let options = words::FORMATS.iter().fold(jsonschema::options(), |options, (format, name)| {
            let fits = |text: &str| words::WORDS.iter().all(|word| word.name != *name || (word.check)(text).is_none());
            options.with_format(*format, fits)
        });
        let validator = options.should_validate_formats(true).build(&schema).ok();
        Self { schema, validator }
    }

    /// Reports everything that doesn't fit, and gives back the tree without it.
    pub(super) fn check(&self, root: Node, sources: &Sources, diagnostics: &mut Diagnostics) -> Node {
        let Some(validator) = &self.validator else {
            return root;
        };
        let json = root.to_json();
        let mut dropped = HashSet::new();
        let mut found = Vec::new();
        for error in validator.iter_errors(&json) {
            for complaint in complaint::describe(&error, &root, sources, &self.schema, diagnostics) {
                found.extend(complaint.diagnostic);
                dropped.extend(complaint.drop);
            }
        }
        found.into_iter().for_each(|diagnostic| diagnostics.push(diagnostic));
        if dropped.is_empty() { root } else { without(root, &mut Vec::new(), &dropped) }
    }
}

fn without(node: Node, at: &mut Pointer, dropped: &HashSet<Pointer>) -> Node {
    let mut keep = |step: String, value: Node| {
        at.push(step);
        let kept = if dropped.contains(at) { None } else { Some(without(value, at, dropped)) };
        at.pop();
        kept
    };
    let value = match node.value {
        Value::List(items) => Value::List(
            items.into_iter().enumerate().filter_map(|(index, item)| keep(index.to_string(), item)).collect(),
        ),
        Value::Map(entries) => Value::Map(
            entries
                .into_iter()
                .filter_map(|mut entry| {
                    entry.value = keep(entry.key.clone(), entry.value)?;
                    Some(entry)
                })
                .collect(),
        ),
        scalar => scalar,
    };
    Node { value, ..node }
}
