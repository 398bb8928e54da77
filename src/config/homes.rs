//! Where a key belongs that stands at the wrong level.
//!
//! Words: a *spot* is a map of the file by its pattern, such as `environments.*.users` (`base` is like an environment); the
//! *home* of a key is the nearest spot that knows it.
//!
//! Invariants: knows every level that the schema describes, and nothing but what the schema says.

use std::collections::BTreeMap;

use super::fields::FieldHelp;
use super::tree::{Node, Value};

/// The spot of the map that a pointer leads to.
pub(super) fn spot(fields: &BTreeMap<String, FieldHelp>, pointer: &[String]) -> String {
    let mut spot = String::new();
    for step in pointer.iter().filter(|step| step.parse::<usize>().is_err()) {
        let join = |step: &str| if spot.is_empty() { step.to_owned() } else { format!("{spot}.{step}") };
        let (named, chosen) = (join(step), join("*"));
        spot = match () {
            () if fields.contains_key(&named) => named,
            () if fields.contains_key(&chosen) => chosen,
            () => named,
        };
    }
    like_an_environment(&spot)
}

fn like_an_environment(spot: &str) -> String {
    match spot.strip_prefix("base") {
        Some(rest) if rest.is_empty() || rest.starts_with('.') => format!("environments.*{rest}"),
        _ => spot.to_owned(),
    }
}

/// The homes of a key, seen from a spot: the nearest ones, which are several only if they are equally near.
pub(super) fn of<'a>(fields: &'a BTreeMap<String, FieldHelp>, spot: &str, key: &str) -> Vec<&'a str> {
    let ending = format!(".{key}");
    let homes = fields.keys().filter_map(|path| if path == key { Some("") } else { path.strip_suffix(&ending) });
    let homes: Vec<(usize, &str)> =
        homes.filter(|home| *home != "base").map(|home| (distance(spot, home), home)).collect();
    let nearest = homes.iter().map(|(distance, _)| *distance).min();
    homes.into_iter().filter(|(distance, _)| Some(*distance) == nearest).map(|(_, home)| home).collect()
}

/// How many levels up and down lead from one spot to the other.
fn distance(from: &str, to: &str) -> usize {
    let (from, to) = (steps(from), steps(to));
    let common = from.iter().zip(&to).take_while(|(one, other)| one == other).count();
    from.len() + to.len() - 2 * common
}

pub(super) fn steps(spot: &str) -> Vec<&str> {
    spot.split('.').filter(|step| !step.is_empty()).collect()
}

/// Where a map with these keys belongs, if it is one whose key people choose: an environment.
pub(super) fn of_chosen<'a>(fields: &'a BTreeMap<String, FieldHelp>, value: &Node) -> Option<&'a str> {
    let mut chosen = fields.keys().filter_map(|path| path.strip_suffix(".*"));
    chosen.find(|parent| is_chosen(fields, parent, value))
}

/// Whether a value is an environment, wherever it stands.
pub(super) fn has_home(fields: &BTreeMap<String, FieldHelp>, value: &Node) -> bool {
    of_chosen(fields, value).is_some()
}

/// Whether a value is what belongs under a chosen key of `parent`.
pub(super) fn is_chosen(fields: &BTreeMap<String, FieldHelp>, parent: &str, value: &Node) -> bool {
    let known = fields.get(&format!("{parent}.*")).map_or(&[][..], |field| field.fields.as_slice());
    match &value.value {
        Value::Map(entries) => entries.iter().any(|entry| known.contains(&entry.key)),
        _ => false,
    }
}

/// What a person calls a home, seen from a spot: "under `users`".
pub(super) fn called(fields: &BTreeMap<String, FieldHelp>, home: &str, spot: &str, environment: &str) -> String {
    let is_list = fields.get(home).is_some_and(|field| field.kind == "a list");
    let of_environment = home.strip_prefix("environments.*.");
    let name = of_environment.unwrap_or(home);
    match (home, of_environment) {
        ("", _) => "at the top of the file".to_owned(),
        ("environments.*", _) => format!("under an environment such as `environments.{environment}`"),
        _ if is_list => format!("in the items of `{name}`"),
        (_, Some(_)) if !spot.starts_with("environments.*") => {
            format!("under `{name}` of an environment such as `environments.{environment}`")
        }
        _ => format!("under `{name}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields() -> BTreeMap<String, FieldHelp> {
        let paths = [
            "tenant",
            "tenant.id",
            "environments",
            "environments.*",
            "environments.*.users",
            "environments.*.users.match",
            "environments.*.users.list",
            "environments.*.users.list.id",
            "environments.*.links",
            "environments.*.links.match",
        ];
        let help = |path: &str| FieldHelp {
            path: path.to_owned(),
            description: String::new(),
            kind: String::new(),
            values: Vec::new(),
            default: None,
            example: None,
            fields: Vec::new(),
        };
        paths.into_iter().map(|path| (path.to_owned(), help(path))).collect()
    }

    #[test]
    fn the_home_of_a_key_is_the_nearest_spot_that_knows_it() {
        let fields = fields();
        for (at, key, expected) in [
            ("environments.*", "match", vec!["environments.*.links", "environments.*.users"]),
            ("environments.*.users", "links", vec!["environments.*"]),
            ("environments", "users", vec!["environments.*"]),
            ("", "users", vec!["environments.*"]),
            ("", "id", vec!["tenant"]),
            ("environments.*.users", "id", vec!["environments.*.users.list"]),
            ("environments.*.users.list", "environments", vec![""]),
            ("tenant", "colour", vec![]),
        ] {
            assert_eq!(of(&fields, at, key), expected, "{key} at {at}");
        }
    }

    #[test]
    fn a_spot_has_a_star_for_chosen_keys_and_base_is_like_an_environment() {
        let pointer = |path: &str| -> Vec<String> { steps(path).iter().map(|step| (*step).to_owned()).collect() };
        for (path, expected) in [
            ("environments.prod.users.list.0", "environments.*.users.list"),
            ("base.users", "environments.*.users"),
            ("base", "environments.*"),
            ("tenant", "tenant"),
            ("", ""),
        ] {
            assert_eq!(spot(&fields(), &pointer(path)), expected, "{path}");
        }
    }
}
