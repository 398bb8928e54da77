//! The fields of the file format by their dotted paths, for hints and for `palisade explain FIELD`.
//!
//! A path has `*` where a person chooses the key (`environments.*.users.match`), and no indexes. Fields that `base` and
//! environments share are listed under `environments.*` only.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::nearest::nearest;

/// What is known about a field.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FieldHelp {
    /// The full path, such as `environments.*.users.match`.
    pub path: String,
    /// What the field is for.
    pub description: String,
    /// "text", "a list", "`true` or `false`", …
    pub kind: String,
    /// The values that it can have, each with what it means; empty if there are too many to list.
    pub values: Vec<(String, String)>,
    /// The value that is taken where the field is left out.
    pub default: Option<String>,
    /// A value to copy.
    pub example: Option<String>,
    /// The fields below it.
    pub fields: Vec<String>,
}

/// The answer to "what is this field?".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// This one.
    Found(Box<FieldHelp>),
    /// Several fields end like that.
    Ambiguous(Vec<FieldHelp>),
    /// None; the nearest paths.
    Unknown(Vec<String>),
}

pub(super) fn look_up(fields: &BTreeMap<String, FieldHelp>, path: &str) -> Lookup {
    if let Some(help) = fields.get(path) {
        return Lookup::Found(Box::new(help.clone()));
    }
    let ending = format!(".{path}");
    let matching: Vec<&FieldHelp> = fields.values().filter(|field| field.path.ends_with(&ending)).collect();
    match matching.as_slice() {
        [only] => Lookup::Found(Box::new((*only).clone())),
        [] => Lookup::Unknown(suggestions(path, fields)),
        several => Lookup::Ambiguous(several.iter().map(|field| (*field).clone()).collect()),
    }
}

fn suggestions(path: &str, fields: &BTreeMap<String, FieldHelp>) -> Vec<String> {
    let last = |path: &str| path.rsplit('.').next().unwrap_or_default().to_owned();
    let names: Vec<String> = fields.keys().map(|path| last(path)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let Some(near) = nearest(&last(path), &names) else {
        return Vec::new();
    };
    fields.keys().filter(|path| last(path) == near).cloned().collect()
}

/// The values that a schema lists, in order.
pub(super) fn choices(schema: &Json) -> Vec<&str> {
    let listed = |keyword: &str| schema.get(keyword).and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
    let constants = listed("oneOf").iter().filter_map(|choice| choice.get("const"));
    listed("enum").iter().chain(constants).chain(schema.get("const")).filter_map(Json::as_str).collect()
}

/// A value that fits the schema: the field's own example, or that of its kind.
pub(super) fn example<'a>(root: &'a Json, schema: &'a Json) -> Option<String> {
    let target = resolve(root, schema);
    let own = |schema: &'a Json| schema.get("examples").and_then(|examples| examples.get(0));
    let given = own(schema).or_else(|| own(target)).or_else(|| target.get("const"));
    given.map(plain).or_else(|| choices(target).first().map(|choice| (*choice).to_owned())).or_else(|| {
        // A map with all that it needs.
        let keys = target.get("properties").and_then(Json::as_object).into_iter().flatten();
        let pairs = keys.filter(|(key, _)| requires(target, key) || requires_here(target, key));
        let pairs: Vec<String> =
            pairs.map(|(key, schema)| Some(format!("{key}: {}", example(root, schema)?))).collect::<Option<_>>()?;
        (!pairs.is_empty()).then(|| format!("{{ {} }}", pairs.join(", ")))
    })
}

/// All fields of a schema by path.
pub(super) fn all(schema: &Json) -> BTreeMap<String, FieldHelp> {
    let mut fields = BTreeMap::new();
    collect(schema, schema, "", &mut fields);
    let paths: BTreeSet<String> = fields.keys().cloned().collect();
    fields.retain(|path, _| {
        path.strip_prefix("base.").is_none_or(|shared| !paths.contains(&format!("environments.*.{shared}")))
    });
    fields
}

fn collect(root: &Json, schema: &Json, path: &str, fields: &mut BTreeMap<String, FieldHelp>) {
    let schema = resolve(root, schema);
    if let Some(items) = schema.get("items") {
        return collect(root, items, path, fields);
    }
    let join = |key: &str| {
        if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
    };
    for (key, field) in schema.get("properties").and_then(Json::as_object).into_iter().flatten() {
        let path = join(key);
        fields.insert(path.clone(), describe(root, field, &path));
        collect(root, field, &path, fields);
    }
    // A file's own `x-` keys are nothing to explain.
    let chosen = schema.get("patternProperties").filter(|_| schema.get("properties").is_none());
    for environment in chosen.and_then(Json::as_object).into_iter().flat_map(|map| map.values()) {
        let path = join("*");
        fields.insert(path.clone(), describe(root, environment, &path));
        collect(root, environment, &path, fields);
    }
}

fn describe(root: &Json, field: &Json, path: &str) -> FieldHelp {
    let target = resolve(root, field);
    let text = |schema: &Json, keyword: &str| schema.get(keyword).and_then(Json::as_str).map(str::to_owned);
    let below = target.get("items").map_or(target, |items| resolve(root, items));
    let fields =
        below.get("properties").and_then(Json::as_object).map_or_else(Vec::new, |map| map.keys().cloned().collect());
    let meaning = |choice: &str| {
        let listed = target.get("oneOf").and_then(Json::as_array).into_iter().flatten();
        listed
            .into_iter()
            .find(|one| one.get("const").is_some_and(|value| value == choice))
            .and_then(|one| text(one, "description"))
    };
    let kind = match text(target, "type").as_deref() {
        Some("boolean") => "`true` or `false`",
        Some("array") => "a list",
        Some("object") => "a map",
        Some("integer") => "a number",
        _ if path.is_empty() => "a file",
        // Which map it is depends on the setting.
        None if choices(target).is_empty() => "a map",
        _ => "text",
    };
    FieldHelp {
        path: path.to_owned(),
        description: text(field, "description").or_else(|| text(target, "description")).unwrap_or_default(),
        kind: kind.to_owned(),
        values: choices(target)
            .into_iter()
            .map(|choice| (choice.to_owned(), meaning(choice).unwrap_or_default()))
            .collect(),
        default: field.get("default").filter(|default| !default.is_object()).map(plain),
        // Where the values are listed, singling one out would read like advice.
        example: if choices(target).is_empty() { example(root, field) } else { None },
        fields,
    }
}

fn plain(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Whether a map of the finished configuration must have a key. One that `base` may supply is only described so.
pub(super) fn requires(map: &Json, key: &str) -> bool {
    let listed = map.get("required").and_then(Json::as_array).is_some_and(|keys| keys.iter().any(|one| one == key));
    let described = || map.get("properties")?.get(key)?.get("description")?.as_str();
    listed || described().is_some_and(|text| text.trim_end().ends_with("Required."))
}

/// Whether a map that takes the first choice everywhere needs a key: `Required for ...` names that choice.
fn requires_here(map: &Json, key: &str) -> bool {
    let description = || map.get("properties")?.get(key)?.get("description")?.as_str();
    description().is_some_and(|text| text.contains("Required for "))
}

/// Whether the schema itself lists keys that a map must have.
pub(super) fn requires_some(map: &Json) -> bool {
    map.get("required").and_then(Json::as_array).is_some_and(|keys| !keys.is_empty())
}

/// The definition that a schema refers to.
pub(super) fn definition(schema: &Json) -> Option<&str> {
    schema.get("$ref").and_then(Json::as_str).and_then(|reference| reference.strip_prefix("#/$defs/"))
}

/// Follows a reference to a definition.
pub(super) fn resolve<'a>(root: &'a Json, schema: &'a Json) -> &'a Json {
    let name = schema.get("$ref").and_then(Json::as_str).and_then(|reference| reference.strip_prefix('#'));
    name.and_then(|name| root.pointer(name)).unwrap_or(schema)
}
