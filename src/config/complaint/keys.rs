//! Keys that a map doesn't know, and keys that it lacks.
//!
//! Invariants: a key that isn't known and the one that it was meant as are one mistake; what nothing explains is told beside
//! what is missing.

use std::collections::HashSet;

use serde_json::Value as Json;

use super::{Complaint, Finding, listed};
use crate::config::aliases::plain;
use crate::config::codes;
use crate::config::diagnostic::{Diagnostic, Lost, copyable, quoted};
use crate::config::fields;
use crate::config::homes;
use crate::config::nearest::nearest;
use crate::config::source::Span;
use crate::config::tree::{Entry, Node, Value};

/// The longest value that a hint repeats: ids of resources are shorter.
const LONGEST_VALUE: usize = 300;

/// What a key that isn't known was most likely meant as.
pub(super) enum Meaning<'a> {
    /// One of these keys of the same map.
    Here(Vec<Candidate<'a>>),
    /// A key of the same map, with something else than a colon and a space behind it.
    Glued(Glued<'a>),
    /// Two values of a map as one key with its value: `ada@contoso.com: Admin`.
    Pair(Pair<'a>),
    /// A key of another map: where it belongs, one spot or several that are equally near.
    Elsewhere(Vec<&'a str>),
    /// Nothing that is known.
    Nothing,
}

/// A key that may have been meant.
pub(super) struct Candidate<'a> {
    key: &'a str,
    /// How to write it with its value.
    write: String,
    /// What is wrong with the value under that key, and what to do.
    trouble: Option<String>,
    /// Whether the value has a form that only this key takes, rather than being any text.
    typical: bool,
}

/// Two values of a map that were written as a key and its value.
pub(super) struct Pair<'a> {
    /// The key whose value was written as one.
    value_of: &'a str,
    /// The keys of which one has the other value.
    keys_of: Vec<&'a str>,
    /// The whole map, once for each of these.
    maps: Vec<String>,
}

/// A key and a value in one text: `enabled:true`, `enabled = true`.
pub(super) struct Glued<'a> {
    pub(super) key: &'a str,
    pub(super) value: &'a str,
    /// What is wrong between them, and what belongs there.
    wrong: &'static str,
    how: &'static str,
}

impl<'a> Glued<'a> {
    /// Takes a text apart that begins with one of these keys.
    pub(super) fn in_text(text: &'a str, keys: &[&str]) -> Option<Self> {
        let parts = |at: usize| (text[..at].trim_end(), text[at + 1..].trim_start());
        let known = |at: usize| Some(parts(at)).filter(|(key, _)| keys.contains(key));
        if let Some(at) = text.find([':', '='])
            && let Some((key, value)) = known(at)
        {
            let (wrong, how) = match text[at..].starts_with(':') {
                true => ("has no space after its colon", "a space after the colon"),
                false => ("is followed by `=`, not by a colon", "a colon in place of `=`"),
            };
            return Some(Self { key, value, wrong, how });
        }
        let (key, value) = known(text.find(' ')?).filter(|(_, value)| !value.is_empty())?;
        Some(Self { key, value, wrong: "has no colon", how: "a colon and a space" })
    }

    /// What is wrong, in one sentence.
    pub(super) fn message(&self) -> String {
        format!("{} {}", quoted(self.key), self.wrong)
    }

    pub(super) fn help(&self) -> String {
        let line = copyable(&format!("{}: {}", self.key, self.value));
        format!("write {}: `{}`", self.how, line.trim_end())
    }
}

impl Finding<'_> {
    /// The keys of this map that the schema doesn't know.
    fn unknown(&self) -> impl Iterator<Item = &Entry> {
        let known = self.known_keys();
        self.node.entries().iter().filter(move |entry| !known.contains(&entry.key.as_str()))
    }

    pub(super) fn unexpected(&self, unexpected: &[String]) -> Vec<Complaint> {
        let unexpected: HashSet<&str> = unexpected.iter().map(String::as_str).collect();
        // Where keys are of one's own choosing; a file itself has keys of its own besides.
        let is_environment = self
            .owner
            .is_some_and(|owner| owner.get("patternProperties").is_some() && owner.get("properties").is_none());
        let mut complaints = Vec::new();
        let mut elsewhere: Vec<(&Entry, Vec<&str>)> = Vec::new();
        let known = self.known_keys();
        let written: Vec<&str> = self.node.entries().iter().map(|entry| entry.key.as_str()).collect();
        for entry in self.node.entries().iter().filter(|entry| unexpected.contains(entry.key.as_str())) {
            if is_environment {
                complaints.push(self.without(entry, bad_environment_key(&entry.key, entry.key_span), Vec::new()));
                continue;
            }
            match self.meaning(entry, &known, &written) {
                Meaning::Elsewhere(homes) => elsewhere.push((entry, homes)),
                Meaning::Here(candidates) => {
                    let lost = candidates.iter().map(|candidate| self.lost_here(candidate.key)).collect();
                    let diagnostic = self.unknown_key(entry).help(did_you_mean(&candidates));
                    complaints.push(self.without(entry, diagnostic, lost));
                }
                Meaning::Glued(glued) => {
                    let diagnostic = Diagnostic::error(codes::UNKNOWN_KEY, entry.key_span, glued.message());
                    let diagnostic = diagnostic.help(glued.help());
                    complaints.push(self.without(entry, diagnostic, vec![self.lost_here(glued.key)]));
                }
                Meaning::Pair(Pair { value_of, keys_of, maps }) => {
                    let lost = keys_of.iter().chain([&value_of]).map(|key| self.lost_here(key)).collect();
                    let lines: Vec<String> = maps.iter().map(|map| format!("`- {map}`")).collect();
                    let diagnostic = self.unknown_key(entry).help(format!("write {}", lines.join(" or ")));
                    complaints.push(self.without(entry, diagnostic, lost));
                }
                Meaning::Nothing => {
                    let diagnostic = self.unknown_key(entry).help(format!("known here: {}", listed(&known)));
                    complaints.push(self.without(entry, diagnostic, Vec::new()));
                }
            }
        }
        complaints.extend(self.elsewhere(elsewhere));
        complaints
    }

    /// A complaint about an entry, which is dropped.
    fn without(&self, entry: &Entry, diagnostic: Diagnostic, lost: Vec<Lost>) -> Complaint {
        Complaint { diagnostic: Some(diagnostic), drop: vec![self.below(&entry.key)], lost }
    }

    pub(super) fn below(&self, key: &str) -> Vec<String> {
        self.path.iter().map(String::as_str).chain([key]).map(str::to_owned).collect()
    }

    fn lost_here(&self, key: &str) -> Lost {
        self.lost_key(key, &self.path, &self.spot_of_map())
    }

    /// What the map is called among the levels of the file.
    pub(super) fn spot_of_map(&self) -> String {
        homes::spot(self.format.fields(), &self.path)
    }

    fn unknown_key(&self, entry: &Entry) -> Diagnostic {
        let place =
            if self.path.is_empty() { "at the top of the file".to_owned() } else { format!("in {}", self.subject()) };
        Diagnostic::error(codes::UNKNOWN_KEY, entry.key_span, format!("unknown key {} {place}", quoted(&entry.key)))
    }

    fn meaning<'a>(&'a self, entry: &'a Entry, known: &[&'a str], written: &[&str]) -> Meaning<'a> {
        if let Some(glued) = self.glued(entry, known) {
            return Meaning::Glued(glued);
        }
        if let Some(same) = known.iter().find(|key| plain(key) == plain(&entry.key)) {
            return Meaning::Here(vec![self.candidate(entry, same, None)]);
        }
        let fields = self.format.fields();
        let meant = self.format.dictionary().meant(&entry.key, known, written);
        if !meant.is_empty() {
            let candidates = meant.iter().map(|meant| self.candidate(entry, meant.key, meant.form));
            return Meaning::Here(best(candidates.collect()));
        }
        let spot = self.spot_of_map();
        // What was seen has the words of its setting, whatever else they are words for.
        let in_file = spot.is_empty() || fields.get(&spot).is_some_and(|field| !field.fields.is_empty());
        let mut homes = if in_file { homes::of(fields, &spot, &entry.key) } else { Vec::new() };
        if homes.is_empty() {
            homes.extend(homes::of_chosen(fields, &entry.value).filter(|home| *home != spot));
        }
        match nearest(&entry.key, known) {
            // One letter off is nearer than another level.
            Some(near) if homes.is_empty() || is_slip(&entry.key, near) => {
                Meaning::Here(vec![self.candidate(entry, near, None)])
            }
            _ if !homes.is_empty() => Meaning::Elsewhere(homes),
            _ => self.pair(entry).map_or(Meaning::Nothing, Meaning::Pair),
        }
    }

    /// Takes an entry of an item for two of its values, if one of them can only be that.
    fn pair<'a>(&'a self, entry: &Entry) -> Option<Pair<'a>> {
        let value = self.sources.text(entry.value.span);
        let root = &self.format.schema;
        let lists = |property: &Json| fields::choices(fields::resolve(root, property)).contains(&value);
        let (value_of, _) = self.properties().find(|(_, property)| self.is_item() && lists(property))?;
        let named = Node { span: entry.key_span, value: Value::String(entry.key.clone()) };
        let word =
            |property: &'a Json| fields::definition(property).filter(|_| self.fitted(property, &named).is_some());
        let fitting: Vec<(&String, &str)> =
            self.properties().filter_map(|(key, property)| Some((key, word(property)?))).collect();
        // A form of its own tells more than any text.
        let typical = fitting.iter().any(|(_, word)| *word != "Text");
        let keys = fitting.iter().filter(|(_, word)| typical != (*word == "Text")).map(|(key, _)| key.as_str());
        let keys_of: Vec<&str> = keys.collect();
        let name = copyable(self.sources.text(entry.key_span));
        let maps = keys_of.iter().map(|key| format!("{{ {key}: {name}, {value_of}: {} }}", copyable(value))).collect();
        (!keys_of.is_empty()).then_some(Pair { value_of, keys_of, maps })
    }

    /// A key with its value behind it that was taken for a key as a whole: up to its end, or up to the first colon in the
    /// braces of its value.
    fn glued<'a>(&'a self, entry: &'a Entry, known: &[&'a str]) -> Option<Glued<'a>> {
        if matches!(entry.value.value, Value::Null) {
            return Glued::in_text(&entry.key, known);
        }
        let whole = self.sources.text(Span { end: entry.value.span.end, ..entry.key_span });
        Glued::in_text(whole, known).filter(|glued| glued.value.starts_with(['{', '[']))
    }

    fn candidate<'a>(&self, entry: &Entry, key: &'a str, form: Option<&str>) -> Candidate<'a> {
        let property = self.owner.and_then(|owner| owner.get("properties")).and_then(|all| all.get(key));
        let scalar = !matches!(entry.value.value, Value::List(_) | Value::Map(_) | Value::Null);
        let raw = copyable(self.sources.text(entry.value.span));
        let scalar = scalar && raw.len() <= LONGEST_VALUE;
        let bare = raw.trim_matches(['"', '\'']);
        let word = property.and_then(fields::definition).and_then(|name| self.format.word(name));
        let maps = property.filter(|_| scalar).map(|property| self.wrapped(property, &entry.value)).unwrap_or_default();
        let wrapped = maps.into_iter().next();
        let (write, trouble) = match (scalar, word.and_then(|word| (word.check)(bare))) {
            (false, _) => (key.to_owned(), None),
            (true, Some(wrong)) => (key.to_owned(), Some(format!("It {}: {}", wrong.message, wrong.advice(Some(key))))),
            (true, None) => match (form, wrapped) {
                (Some(form), _) => (form.replace("{}", &raw), None),
                (None, Some(map)) => (format!("{key}: {map}"), None),
                (None, None) => (format!("{key}: {raw}"), None),
            },
        };
        let typical = word.is_some_and(|word| word.name != "Text") && trouble.is_none();
        Candidate { key, write, trouble, typical }
    }

    /// Says which of these required keys are missing: all in one, since one look at the map mends them.
    pub(super) fn required(&self, missing: &[&str], lost: &[Lost]) -> Option<Diagnostic> {
        let known = self.known_keys();
        let written: Vec<&str> = self.node.entries().iter().map(|entry| entry.key.as_str()).collect();
        let meant: Vec<Meaning<'_>> = self.unknown().map(|entry| self.meaning(entry, &known, &written)).collect();
        let is_meant = |key: &str| {
            meant.iter().any(|meaning| match meaning {
                Meaning::Here(candidates) => candidates.iter().any(|candidate| candidate.key == key),
                Meaning::Glued(glued) => glued.key == key,
                Meaning::Pair(pair) => pair.value_of == key || pair.keys_of.contains(&key),
                Meaning::Elsewhere(_) | Meaning::Nothing => false,
            })
        };
        let spot = self.spot_of_map();
        let of = homes::steps(&spot).last().copied().unwrap_or_default().to_owned();
        let is_lost = |key: &str| lost.iter().any(|lost| lost.is(key, &of, self.node.span));
        // What was seen is asked for after merging, where it is known what is declared, with the whole entry to write.
        let entry_to_write = self.in_attested() && !written.contains(&"saw") && written.contains(&"setting");
        let asked_later = |key: &str| {
            let of_entry = self.in_attested() && self.path.last().is_some_and(|last| last != "saw");
            of_entry && (key == "saw" && written.contains(&"setting") || entry_to_write)
        };
        let missing: Vec<&str> =
            missing.iter().copied().filter(|key| !is_meant(key) && !is_lost(key) && !asked_later(key)).collect();
        if missing.is_empty() {
            return None;
        }
        if missing == ["version"] {
            let message = "the file doesn't say which version of the format it uses".to_owned();
            return Some(self.error(codes::MISSING_KEY, message).help("add `version: 1` at the top"));
        }
        let lines: Vec<String> = missing.iter().map(|key| self.line_to_add(key)).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let values = if lines.len() == 1 { "with the right value" } else { "with the right values" };
        let message = format!("{} has no {}", self.subject(), all_of(&missing));
        let span = self.key_span.unwrap_or(self.node.span);
        Some(Diagnostic::error(codes::MISSING_KEY, span, message).help(format!("add {} {values}", all_of(&lines))))
    }

    /// A key with a value that fits.
    fn line_to_add(&self, key: &str) -> String {
        let property = self.owner.and_then(|owner| owner.get("properties")).and_then(|all| all.get(key));
        let example = property.and_then(|property| fields::example(&self.format.schema, property));
        format!("{key}: {}", example.as_deref().unwrap_or("{ … }"))
    }

    /// Whether this value is empty because what belongs below it stands beside it.
    pub(super) fn is_filled_beside(&self) -> bool {
        let Some((_, map)) = self.path.split_last().filter(|_| matches!(self.node.value, Value::Null)) else {
            return false;
        };
        let fields = self.format.fields();
        let (spot, beside) = (homes::spot(fields, &self.path), homes::spot(fields, map));
        let map = map.iter().try_fold(self.root, |node: &Node, step| node.child(step));
        let known = |key: &str| {
            fields.contains_key(&if beside.is_empty() { key.to_owned() } else { format!("{beside}.{key}") })
        };
        map.is_some_and(|map| {
            let unknown = map.entries().iter().filter(|entry| !known(&entry.key));
            unknown.into_iter().any(|entry| homes::of(fields, &beside, &entry.key).contains(&spot.as_str()))
        })
    }

    /// The properties of the map that belongs here.
    pub(super) fn properties(&self) -> impl Iterator<Item = (&String, &Json)> {
        self.owner.and_then(|owner| owner.get("properties")).and_then(Json::as_object).into_iter().flatten()
    }
}

/// Whether a word is another one with a letter too many, too few, or changed.
fn is_slip(word: &str, meant: &str) -> bool {
    meant.len() > 3 && strsim::damerau_levenshtein(word, meant) == 1
}

/// Those whose value fits, best those that take no other text; where none does, the first.
fn best(mut candidates: Vec<Candidate<'_>>) -> Vec<Candidate<'_>> {
    if candidates.iter().any(|candidate| candidate.typical) {
        candidates.retain(|candidate| candidate.typical);
    }
    let (fitting, mut others): (Vec<_>, Vec<_>) =
        candidates.into_iter().partition(|candidate| candidate.trouble.is_none());
    if fitting.is_empty() {
        others.truncate(1);
        return others;
    }
    fitting
}

fn did_you_mean(candidates: &[Candidate<'_>]) -> String {
    let written: Vec<String> = candidates.iter().map(|candidate| format!("`{}`", candidate.write)).collect();
    let question = format!("did you mean {}?", written.join(" or "));
    match candidates.iter().find_map(|candidate| candidate.trouble.as_ref()) {
        Some(trouble) => format!("{question} {trouble}"),
        None => question,
    }
}

/// `a`, `b` and `c`.
pub(super) fn all_of(names: &[&str]) -> String {
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and `{last}`", listed(rest)),
        _ => listed(names),
    }
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
