//! What a file may say: the schema and the words, handed in by whoever knows the settings, and the check of a file against
//! them.
//!
//! Invariants: what the check complains about is dropped from the tree that later stages see, so that one mistake is reported
//! once and hides no other.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::OnceLock;

use jsonschema::Validator;
use serde_json::Value as Json;

use super::aliases::{Dictionary, Vocabulary};
use super::complaint::{self, Complaint, Pointer};
use super::diagnostic::Diagnostics;
use super::fields::{self, FieldHelp, Lookup};
use super::source::Sources;
use super::tree::{Node, Value};
use super::words::{self, Word};

/// What a file may say.
pub struct Format {
    pub(super) schema: Json,
    words: Vec<Word>,
    blocks: Vec<&'static str>,
    dictionary: Dictionary,
    validator: Option<Validator>,
    fields: OnceLock<BTreeMap<String, FieldHelp>>,
}

impl Format {
    /// The format with this JSON Schema of one file, the words that it uses besides the ones of any file, the blocks that
    /// an environment may leave out of `base`, and what people write for keys and values.
    pub(crate) fn new(
        schema: Json,
        words: impl IntoIterator<Item = Word>,
        blocks: Vec<&'static str>,
        vocabulary: Vocabulary,
    ) -> Self {
        let words: Vec<Word> = words::WORDS.iter().copied().chain(words).collect();
        let options = words.iter().fold(jsonschema::options(), |options, word| {
            // A word whose pattern alone doesn't say everything has a format, which its parser checks.
            let format = schema.pointer(&format!("/$defs/{}/format", word.name)).and_then(Json::as_str);
            let check = word.check;
            match format {
                Some(format) => options.with_format(format.to_owned(), move |text: &str| check(text).is_none()),
                None => options,
            }
        });
        let validator = options.should_validate_formats(true).build(&schema).ok();
        let dictionary = Dictionary::new(vocabulary);
        Self { schema, words, blocks, dictionary, validator, fields: OnceLock::new() }
    }

    /// The JSON Schema of one file, draft 2020-12.
    pub fn schema(&self) -> &Json {
        &self.schema
    }

    /// Finds a field by its path, or by any end of its path that only one field has: `users.match`, `match`.
    pub fn field_help(&self, path: &str) -> Lookup {
        fields::look_up(self.fields(), path)
    }

    /// The names of the blocks that `base` and environments share.
    pub(crate) fn blocks(&self) -> &[&'static str] {
        &self.blocks
    }

    /// Every word.
    #[cfg(test)]
    pub(crate) fn words(&self) -> &[Word] {
        &self.words
    }

    /// The word of this name.
    pub(super) fn word(&self, name: &str) -> Option<&Word> {
        self.words.iter().find(|word| word.name == name)
    }

    /// What people write for keys and values.
    pub(super) fn dictionary(&self) -> &Dictionary {
        &self.dictionary
    }

    /// All fields by path. Kept, since a file with thousands of unknown keys asks thousands of times.
    pub(crate) fn fields(&self) -> &BTreeMap<String, FieldHelp> {
        self.fields.get_or_init(|| fields::all(&self.schema))
    }

    /// Every key that a file may have somewhere.
    pub(super) fn keys(&self) -> BTreeSet<&str> {
        self.fields().keys().filter_map(|path| path.rsplit('.').next()).filter(|key| *key != "*").collect()
    }

    /// Reports everything that doesn't fit, and gives back the tree without it.
    pub(super) fn check(&self, root: Node, sources: &Sources, diagnostics: &mut Diagnostics) -> Node {
        let Some(validator) = &self.validator else {
            return root;
        };
        let misplaced = complaint::misplaced(&root, sources, self);
        let root = take_out(root, misplaced, diagnostics);
        let json = root.to_json();
        let errors: Vec<_> = validator.iter_errors(&json).collect();
        let complaints = complaint::describe(&errors, &root, sources, self, diagnostics);
        take_out(root, complaints, diagnostics)
    }
}

/// Reports, and takes out what later checks must not see.
fn take_out(root: Node, complaints: Vec<Complaint>, diagnostics: &mut Diagnostics) -> Node {
    let mut dropped = HashSet::new();
    for Complaint { diagnostic, drop, lost } in complaints {
        diagnostic.into_iter().for_each(|diagnostic| diagnostics.push(diagnostic));
        lost.into_iter().for_each(|lost| diagnostics.lose(lost));
        dropped.extend(drop);
    }
    if dropped.is_empty() { root } else { without(root, &mut Vec::new(), &dropped) }
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
