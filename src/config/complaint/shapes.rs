//! A map where a list belongs, a list where a map belongs, and one value where either belongs.

use serde_json::Value as Json;

use super::keys::Glued;
use super::{Finding, called, listed};
use crate::config::codes;
use crate::config::diagnostic::{Diagnostic, copyable, quoted};
use crate::config::fields;
use crate::config::tree::{Node, Value};

/// The longest key that people may choose.
const LONGEST_KEY: usize = 64;

impl Finding<'_> {
    pub(super) fn not_a_map(&self) -> Diagnostic {
        let known = self.known_keys();
        if let Some(glued) = Glued::in_text(self.raw(), &known).filter(|_| matches!(self.node.value, Value::String(_)))
        {
            return self.error(codes::WRONG_TYPE, glued.message()).help(glued.help());
        }
        let message = format!("{} must be a map, not {}", self.subject(), called(&self.node.value));
        let help = match &self.node.value {
            Value::List(items) if known.is_empty() => items.first().map(|item| self.keys_of_ones_own(item)),
            Value::List(items) => self.list_of_this_map(items).map(|key| {
                let Some(map) = self.path.last() else { return format!("write `{key}:` above the list") };
                format!("the list belongs under `{key}`: write `{key}:` below `{map}:`, and the list below that")
            }),
            _ => None,
        };
        let wrapped = || {
            let maps = self.wrapped(self.owner?, self.node);
            let lines = maps.iter().map(|map| match self.path.last().filter(|_| !self.is_item()) {
                Some(key) => format!("`{}: {map}`", copyable(key)),
                None => format!("`{map}`"),
            });
            let lines: Vec<String> = lines.collect();
            (!lines.is_empty()).then(|| format!("write {}", lines.join(" or ")))
        };
        self.error(codes::WRONG_TYPE, message).help(help.or_else(wrapped).unwrap_or_else(|| self.keys_to_write()))
    }

    pub(super) fn not_a_list(&self) -> Diagnostic {
        let message = format!("{} must be a list, not {}", self.subject(), called(&self.node.value));
        let help = match &self.node.value {
            Value::Map(entries) => match entries.first().filter(|_| self.is_an_item_of_it()) {
                Some(entry) => {
                    let value = copyable(self.sources.text(entry.value.span));
                    format!(
                        "start the item with `- `: `- {}: {value}`, and indent its other keys by two more spaces",
                        copyable(&entry.key)
                    )
                }
                None => "start each item on a line of its own with `- `".to_owned(),
            },
            _ => self.item_to_write(),
        };
        self.error(codes::WRONG_TYPE, message).help(help)
    }

    /// One value as the list that belongs in its place.
    fn item_to_write(&self) -> String {
        let items = self.owner.and_then(|owner| owner.get("items"));
        let maps = items.map(|items| self.wrapped(items, self.node)).unwrap_or_default();
        let lines: Vec<String> = maps.iter().map(|map| format!("`- {map}`")).collect();
        let is_map = |items: &Json| fields::resolve(&self.format.schema, items).get("properties").is_some();
        match (lines.as_slice(), self.path.last().filter(|_| items.is_some_and(is_map))) {
            ([], None) => format!("write `[{}]`", quoted(self.raw()).trim_matches('`')),
            ([], Some(key)) => format!("write `- {{ key: value, … }}` lines below `{}:`", copyable(key)),
            (lines, Some(key)) => format!("write {} on a line below `{}:`", lines.join(" or "), copyable(key)),
            (lines, None) => format!("write {}", lines.join(" or ")),
        }
    }

    /// How to turn a list into a map whose keys people choose.
    fn keys_of_ones_own(&self, item: &Node) -> String {
        let name = item.entry("name").map(|entry| self.sources.text(entry.value.span)).unwrap_or("NAME");
        let letters = name.trim_matches(['"', '\'']).chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' });
        let key: String = letters.skip_while(|c| !c.is_ascii_alphabetic()).take(LONGEST_KEY).collect();
        let key = if key.is_empty() { "NAME" } else { key.trim_end_matches('-') };
        format!(
            "write `{key}:` in place of the dash, and the keys of the item below it, indented; likewise for each item"
        )
    }

    /// The one key of the map that belongs here under which these items belong.
    fn list_of_this_map(&self, items: &[Node]) -> Option<&str> {
        let takes = |property: &Json| {
            let known = self.keys_of_items(property);
            let keys = items.iter().flat_map(Node::entries).map(|entry| entry.key.as_str());
            keys.into_iter().any(|key| known.contains(&key))
        };
        let mut lists = self.properties().filter(|(_, property)| takes(property)).map(|(key, _)| key.as_str());
        lists.next().filter(|_| lists.next().is_none())
    }

    /// The keys that items of a list know.
    fn keys_of_items(&self, list: &Json) -> Vec<&str> {
        let root = &self.format.schema;
        let name = fields::definition(list).or_else(|| list.get("items").and_then(fields::definition));
        let item = name.and_then(|name| root.get("$defs")?.get(name));
        let properties =
            item.filter(|_| list.get("items").is_some()).and_then(|item| item.get("properties")?.as_object());
        properties.into_iter().flat_map(|map| map.keys()).map(String::as_str).collect()
    }

    /// Whether the map is what an item of the list would be.
    fn is_an_item_of_it(&self) -> bool {
        let items =
            self.owner.and_then(|owner| owner.get("items")).map(|items| fields::resolve(&self.format.schema, items));
        let known = items.and_then(|items| items.get("properties")).and_then(Json::as_object);
        known.is_some_and(|known| self.node.entries().iter().any(|entry| known.contains_key(&entry.key)))
    }

    /// One value as the map that belongs in its place: `{ id: … }`; several if several keys could take it, none if no key is
    /// the obvious one.
    pub(super) fn wrapped(&self, schema: &Json, value: &Node) -> Vec<String> {
        let map = fields::resolve(&self.format.schema, schema);
        let Some(properties) = map.get("properties").and_then(Json::as_object) else { return Vec::new() };
        let fitting: Vec<&String> = properties
            .iter()
            .filter(|(_, property)| self.fitted(property, value).is_some())
            .map(|(key, _)| key)
            .collect();
        let needed: Vec<&String> = fitting.iter().copied().filter(|key| fields::requires(map, key)).collect();
        let is_text = |key: &String| properties.get(key).and_then(fields::definition) == Some("Text");
        let keys = match (needed.as_slice(), fitting.as_slice()) {
            ([_], _) => needed,
            ([], fitting) => fitting.iter().copied().filter(|key| !is_text(key)).collect(),
            _ => Vec::new(),
        };
        let text = |key: &String| properties.get(key).and_then(|property| self.fitted(property, value));
        let others = |key: &String| -> String {
            let others = properties.keys().filter(|other| *other != key && fields::requires(map, other));
            others.map(|other| format!(", {other}: …")).collect()
        };
        let with = |key: &String| format!("{{ {key}: {}{} }}", text(key).unwrap_or_default(), others(key));
        if keys.len() > 2 { Vec::new() } else { keys.into_iter().map(with).collect() }
    }

    /// The value as a key with this schema could have it: as it is, or what it was pasted for.
    pub(super) fn fitted(&self, property: &Json, value: &Node) -> Option<String> {
        let text = self.sources.text(value.span);
        match &value.value {
            Value::Bool(_) => {
                let kind = fields::resolve(&self.format.schema, property).get("type")?;
                (kind == "boolean").then(|| copyable(text))
            }
            Value::List(_) | Value::Map(_) | Value::Null => None,
            _ => {
                let word = fields::definition(property).and_then(|name| self.format.word(name))?;
                match (word.check)(text.trim_matches(['"', '\''])) {
                    None => Some(copyable(text)),
                    Some(wrong) => wrong.meant,
                }
            }
        }
    }

    /// The keys that a map must have, with values that fit.
    fn required_pairs(&self, map: &Json) -> String {
        let properties = map.get("properties").and_then(Json::as_object).into_iter().flatten();
        let required = properties.filter(|(key, _)| fields::requires(map, key));
        let pairs = required
            .filter_map(|(key, property)| Some(format!("{key}: {}", fields::example(&self.format.schema, property)?)));
        pairs.collect::<Vec<_>>().join(", ")
    }

    /// How to write the map that belongs here.
    fn keys_to_write(&self) -> String {
        let known = self.known_keys();
        match self.path.as_slice() {
            [] => "write `version: 1`, `tenant:` and `environments:`, each on a line of its own".to_owned(),
            _ if known.is_empty() => "write `NAME:` lines below it, indented, without dashes".to_owned(),
            _ if self.is_item() => format!("write `- {{ key: value, … }}`; the keys here are {}", listed(&known)),
            [.., key] if self.owner.is_some_and(fields::requires_some) => {
                let pairs = self.owner.map(|map| self.required_pairs(map)).unwrap_or_default();
                format!("write `{key}: {{ {pairs} }}` with the right values")
            }
            _ => format!("write `key: value` lines below it, indented; the keys here are {}", listed(&known)),
        }
    }
}
