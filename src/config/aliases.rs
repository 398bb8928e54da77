//! Words that people bring from elsewhere, for keys and values of the file.
//!
//! Words: an *alias* is what another program calls a key; a *stranger* is a value of another program. Both tables are handed
//! in with the format.
//!
//! Invariants: a table only ever makes a hint; no file is read differently because of it.

use std::collections::HashMap;

/// What people write for keys and values, and what they mean by it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Vocabulary {
    pub(crate) keys: &'static [Alias],
    pub(crate) values: &'static [Stranger],
    pub(crate) statements: &'static [Statement],
}

/// Keys under which a person states something: palisade never makes a value up for them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Statement {
    pub(crate) keys: &'static [&'static str],
    /// What help writes in place of the values.
    pub(crate) blanks: &'static [&'static str],
    /// What the person must do before.
    pub(crate) ask: &'static str,
}

/// What other programs call a key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Alias {
    /// The words, in any spelling: case, `-` and `_` make no difference.
    pub(crate) words: &'static [&'static str],
    /// The keys that can be meant. Those count that a map knows and that aren't written there yet.
    pub(crate) meant: &'static [Meant],
}

/// A key that can be meant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Meant {
    pub(crate) key: &'static str,
    /// Meant for sure beside one of these keys, and not without; anywhere, if there are none.
    pub(crate) beside: &'static [&'static str],
    /// How to write it, where that takes more than the key: `{}` is the value.
    pub(crate) form: Option<&'static str>,
}

/// Values of another program.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stranger {
    /// The definition in the schema whose values are meant.
    pub(crate) of: &'static str,
    /// The values, in any spelling.
    pub(crate) values: &'static [&'static str],
    /// The value that comes nearest.
    pub(crate) meant: &'static str,
    /// Whose values they are, and what the nearest one means.
    pub(crate) why: &'static str,
}

/// A key that is meant anywhere.
pub(crate) const fn key(key: &'static str) -> Meant {
    Meant { key, beside: &[], form: None }
}

/// A vocabulary that answers quickly.
#[derive(Debug)]
pub(super) struct Dictionary {
    statements: &'static [Statement],
    keys: HashMap<String, Vec<&'static Meant>>,
    values: HashMap<(&'static str, String), &'static Stranger>,
}

impl Dictionary {
    pub(super) fn new(vocabulary: Vocabulary) -> Self {
        let mut keys: HashMap<String, Vec<&Meant>> = HashMap::new();
        for (word, alias) in vocabulary.keys.iter().flat_map(|alias| alias.words.iter().map(move |word| (word, alias)))
        {
            keys.entry(plain(word)).or_default().extend(alias.meant);
        }
        let values = vocabulary.values.iter();
        let values = values.flat_map(|one| one.values.iter().map(move |value| ((one.of, plain(value)), one)));
        Self { statements: vocabulary.statements, keys, values: values.collect() }
    }

    /// The keys that a word can stand for in a map that knows `known` and holds `written`.
    pub(super) fn meant(&self, word: &str, known: &[&str], written: &[&str]) -> Vec<&'static Meant> {
        let meant = self.keys.get(&plain(word)).map_or(&[][..], Vec::as_slice);
        let possible =
            meant.iter().copied().filter(|meant| known.contains(&meant.key) && !written.contains(&meant.key));
        let beside = |meant: &&'static Meant| {
            meant.beside.iter().any(|key| written.iter().any(|other| *other != word && plain(other) == plain(key)))
        };
        let (sure, rest): (Vec<&'static Meant>, Vec<&'static Meant>) = possible.partition(beside);
        match sure.is_empty() {
            true => rest.into_iter().filter(|meant| meant.beside.is_empty()).collect(),
            false => sure,
        }
    }

    /// The same help; where it writes what only a person can state, with what the person must do before.
    pub(super) fn asking(&self, help: String) -> String {
        let writes = |statement: &&Statement| {
            let has = |texts: &[&str], behind: &str| texts.iter().any(|text| help.contains(&format!("{text}{behind}")));
            has(statement.keys, ": ") && has(statement.blanks, "")
        };
        let asked = self.statements.iter().find(writes);
        match asked {
            Some(statement) if help.ends_with('?') => format!("{help} ({})", statement.ask),
            Some(statement) => format!("{help}; {}", statement.ask),
            None => help,
        }
    }

    /// What a person must do before they write this key, if it is a statement of theirs.
    pub(super) fn asks(&self, key: &str) -> Option<&'static str> {
        self.statements.iter().find(|statement| statement.keys.contains(&key)).map(|statement| statement.ask)
    }

    /// What is known of a value that a definition doesn't list.
    pub(super) fn stranger(&self, of: &str, value: &str) -> Option<&'static Stranger> {
        let value = plain(value);
        self.values
            .iter()
            .find(|((definition, written), _)| *definition == of && *written == value)
            .map(|(_, one)| *one)
    }
}

/// A word without case and punctuation.
pub(super) fn plain(word: &str) -> String {
    word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: &[Alias] = &[Alias {
        words: &["objectId"],
        meant: &[
            Meant { key: "id", beside: &["user", "email"], form: None },
            key("principal"),
            Meant { key: "app", beside: &[], form: Some("app: NAME, id: {}") },
        ],
    }];

    #[test]
    fn a_word_means_what_the_keys_beside_it_say() {
        let dictionary = Dictionary::new(Vocabulary { keys: KEYS, values: &[], statements: &[] });
        let meant = |word: &str, known: &[&str], written: &[&str]| -> Vec<&str> {
            dictionary.meant(word, known, written).iter().map(|meant| meant.key).collect()
        };
        let known = ["id", "principal", "user"];
        assert_eq!(meant("object_id", &known, &["object_id", "user"]), ["id"]);
        assert_eq!(meant("OBJECTID", &known, &["OBJECTID", "E-Mail"]), ["id"]);
        assert_eq!(meant("objectId", &known, &["objectId"]), ["principal"]);
        assert_eq!(meant("objectId", &known, &["objectId", "principal"]), [""; 0]);
        assert_eq!(meant("objectId", &["id"], &["objectId"]), [""; 0]);
        assert_eq!(meant("id", &known, &["id"]), [""; 0]);
    }
}
