//! Keys at the wrong level, up or down.
//!
//! Invariants: keys that stand in one map and belong into one other are one mistake; what stands below them isn't looked at,
//! and what they would have brought to their home isn't missing there.

use super::keys::all_of;
use super::{Complaint, Finding};
use crate::config::codes;
use crate::config::diagnostic::{Diagnostic, copyable, quoted};
use crate::config::format::Format;
use crate::config::homes;
use crate::config::source::Sources;
use crate::config::tree::{Entry, Node, Value};

/// As many keys are named in one message.
const MOST_NAMED: usize = 8;
/// The map whose keys people choose.
const ENVIRONMENTS: &str = "environments";

/// Keys that stand where people choose keys, and belong elsewhere: a block beside the environments, say. To be taken out
/// before the schema is asked, which would take them for environments.
pub(in crate::config) fn misplaced(root: &Node, sources: &Sources, format: &Format) -> Vec<Complaint> {
    let Some(environments) = root.entry(ENVIRONMENTS) else {
        return Vec::new();
    };
    let finding = Finding {
        path: vec![ENVIRONMENTS.to_owned()],
        root,
        node: &environments.value,
        key_span: Some(environments.key_span),
        sources,
        format,
        owner_path: "",
        owner: None,
    };
    let fields = format.fields();
    let entries = environments.value.entries().iter();
    let entries = entries.filter(|entry| match &entry.value.value {
        Value::Null => false,
        Value::Map(inner) => !inner.is_empty() && !homes::is_chosen(fields, ENVIRONMENTS, &entry.value),
        _ => true,
    });
    let found = entries.map(|entry| (entry, homes::of(fields, ENVIRONMENTS, &entry.key)));
    finding.elsewhere(found.filter(|(_, homes)| !homes.is_empty()).collect())
}

impl Finding<'_> {
    /// One complaint for all entries with the same home.
    pub(super) fn elsewhere(&self, entries: Vec<(&Entry, Vec<&str>)>) -> Vec<Complaint> {
        let sure: Vec<&str> = entries
            .iter()
            .filter_map(|(_, homes)| if let [only] = homes.as_slice() { Some(*only) } else { None })
            .collect();
        let mut groups: Vec<(Vec<&str>, Vec<&Entry>)> = Vec::new();
        for (entry, homes) in entries {
            // Of several homes, the one where its neighbours belong, or that waits for its keys.
            let waits = |home: &&&str| {
                let entry = homes::steps(home).last().and_then(|name| self.node.entry(name));
                entry.is_some_and(|entry| matches!(entry.value.value, Value::Null))
            };
            let chosen = homes.iter().find(|home| sure.contains(home)).or_else(|| homes.iter().find(waits));
            let homes = chosen.map_or(homes.clone(), |home| vec![*home]);
            match groups.iter_mut().find(|(known, _)| *known == homes) {
                Some((_, group)) => group.push(entry),
                None => groups.push((homes, vec![entry])),
            }
        }
        groups.into_iter().filter_map(|(homes, group)| self.group(&homes, &group)).collect()
    }

    fn group(&self, homes: &[&str], entries: &[&Entry]) -> Option<Complaint> {
        let fields = self.format.fields();
        let (first, home) = (entries.first()?, homes.first()?);
        let spot = self.spot_of_map();
        let environment = self.environment();
        let keys: Vec<String> = entries.iter().take(MOST_NAMED).map(|entry| copyable(&entry.key)).collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let belongs = if keys.len() == 1 { "belongs" } else { "belong" };
        let called: Vec<String> = homes.iter().map(|home| homes::called(fields, home, &spot, environment)).collect();
        let here = match self.path.as_slice() {
            [] => "at the top of the file".to_owned(),
            [.., last] if last.parse::<usize>().is_ok() => format!("in {}", self.subject()),
            _ => format!("directly under {}", self.subject()),
        };
        let keys = all_of(&keys);
        let waiting = self.waiting_above(first, home);
        // A map of the same name elsewhere takes them, and moving them below this one would change nothing.
        let last = self.path.iter().rev().find(|step| step.parse::<usize>().is_err());
        let namesake =
            homes.len() == 1 && homes::steps(home).last().copied() == last.map(String::as_str) && *home != spot;
        let message = match waiting {
            None if namesake => format!("{keys} {belongs} {} only, and not in {}", called.join(" or "), self.subject()),
            Some(waiting) => format!("{keys} {belongs} under {}, not beside it", quoted(&waiting.key)),
            None => format!("{keys} {belongs} {}, not {here}", called.join(" or ")),
        };
        let help = match (waiting, homes) {
            (Some(waiting), _) => {
                format!("indent {} below `{}:`, by two more spaces", it(entries), copyable(&waiting.key))
            }
            (None, [_]) if namesake => format!("remove {} here", it(entries)),
            (None, [_]) => self.way_to(home, &spot, entries),
            _ => format!("move {} to the one that is meant", it(entries)),
        };
        let lost =
            entries.iter().flat_map(|entry| homes.iter().map(|home| self.lost_key(&entry.key, &self.path, home)));
        Some(Complaint {
            diagnostic: Some(Diagnostic::error(codes::UNKNOWN_KEY, first.key_span, message).help(help)),
            drop: entries.iter().copied().chain(waiting).map(|entry| self.below(&entry.key)).collect(),
            lost: lost.collect(),
        })
    }

    /// The environment, or the `base`, right above an entry that is empty because what belongs below it stands beside it.
    fn waiting_above(&self, first: &Entry, home: &str) -> Option<&Entry> {
        let entries = self.node.entries();
        let at = entries.iter().position(|entry| entry.key_span == first.key_span)?;
        let above = entries.get(at.checked_sub(1)?)?;
        let is_home = homes::spot(self.format.fields(), &self.below(&above.key)) == home;
        (is_home && home == "environments.*" && matches!(above.value.value, Value::Null)).then_some(above)
    }

    /// The first environment of the file, to name one.
    fn environment(&self) -> &str {
        let fields = self.format.fields();
        match self.path.as_slice() {
            [environments, key, ..] if environments == ENVIRONMENTS => key,
            _ => {
                let all = self.root.entry(ENVIRONMENTS).map_or(&[][..], |entry| entry.value.entries());
                let first = all.iter().find(|entry| homes::is_chosen(fields, ENVIRONMENTS, &entry.value));
                first.map_or("NAME", |entry| entry.key.as_str())
            }
        }
    }

    /// How to move entries from this map to their home.
    fn way_to(&self, home: &str, spot: &str, entries: &[&Entry]) -> String {
        let it = it(entries);
        let below = match spot {
            "" => Some(home).filter(|home| !home.is_empty()),
            spot => home.strip_prefix(spot).and_then(|rest| rest.strip_prefix('.')),
        };
        let base = self.path.first().is_some_and(|first| first == "base");
        match below.filter(|rest| !rest.contains('.') && *rest != "*") {
            Some(child) => return self.down_to(child, home, entries),
            None if home == "environments.*" && base && self.path.len() == 1 => {
                return format!("write {it} under each environment; `base` holds what all of them share");
            }
            None => {}
        }
        if let Some(column) = self.column_of(home) {
            return match column {
                (key, 0) => format!("write {it} at the start of a line, like `{key}`"),
                (key, spaces) => format!("indent {it} like `{key}`, by {spaces} spaces"),
            };
        }
        let shared = entries.iter().all(|entry| self.format.blocks().contains(&entry.key.as_str()));
        match home {
            "environments.*" if shared => {
                format!("move {it} below `{}:`, or below `base:` if every environment shares {it}", self.environment())
            }
            "environments.*" => format!("move {it} below `{}:`", self.environment()),
            "" => format!("write {it} at the start of a line"),
            _ => match homes::steps(home).last() {
                Some(name) if self.is_list(home) => format!("write {it} in an item of `{name}`"),
                Some(name) => format!("move {it} below `{name}:`"),
                None => format!("move {it} there"),
            },
        }
    }

    fn is_list(&self, home: &str) -> bool {
        self.format.fields().get(home).is_some_and(|field| field.kind == "a list")
    }

    /// How to move entries below a key of this very map.
    fn down_to(&self, child: &str, home: &str, entries: &[&Entry]) -> String {
        let it = it(entries);
        let is_list = self.is_list(home);
        let scalar = |entry: &&&Entry| !matches!(entry.value.value, Value::List(_) | Value::Map(_) | Value::Null);
        match self.node.entry(child).map(|entry| &entry.value.value) {
            _ if is_list => format!("write {it} in each item of `{child}`"),
            Some(Value::Null) => format!("indent {it} below `{child}:`, by two more spaces"),
            Some(_) => format!("move {it} below `{child}:`, indented like the other keys there"),
            None if entries.iter().filter(scalar).count() == entries.len() => {
                let pairs = entries.iter().map(|entry| {
                    format!("{}: {}", copyable(&entry.key), copyable(self.sources.text(entry.value.span)))
                });
                format!("write `{child}: {{ {} }}`", pairs.collect::<Vec<_>>().join(", "))
            }
            None => format!("write `{child}:` on a line before {it}, and indent {it} by two more spaces"),
        }
    }

    /// The key above this map that stands at the level of `home`, and how far it is indented.
    fn column_of(&self, home: &str) -> Option<(&str, usize)> {
        let fields = self.format.fields();
        let depth = (0..self.path.len()).rev().find(|depth| homes::spot(fields, &self.path[..*depth]) == home)?;
        let map = self.path[..depth].iter().try_fold(self.root, |node, step| node.child(step))?;
        let entry = map.entry(self.path.get(depth)?)?;
        Some((&entry.key, self.sources.place(entry.key_span).column - 1))
    }
}

fn it(entries: &[&Entry]) -> &'static str {
    if entries.len() == 1 { "it" } else { "them" }
}
