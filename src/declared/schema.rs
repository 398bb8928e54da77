//! The JSON Schema of the file format.
//!
//! The schema is derived from `shape` and from the blocks of the registry, and kept in `schema/palisade.schema.json` for
//! editors.
//!
//! Invariants: the kept file is what [`schema`] gives (a test compares them); no setting is named here.

use schemars::generate::SchemaSettings;
use serde_json::{Value as Json, json};

use super::shape::File;
use crate::settings::registry::Registry;
use crate::terms::ScopeKind;

/// The JSON Schema of one file, draft 2020-12, with the blocks of these settings.
pub(super) fn schema(settings: Registry) -> Json {
    let mut generator = SchemaSettings::draft2020_12().for_deserialize().into_generator();
    let blocks: Vec<(&str, ScopeKind, Json)> = settings
        .iter()
        .map(|setting| (setting.key(), setting.scope(), setting.schema(&mut generator).to_value()))
        .collect();
    let saws: Vec<(&str, ScopeKind, String)> = settings
        .iter()
        .filter_map(|setting| Some((setting.key(), setting.scope(), setting.define_saw(&mut generator)?)))
        .collect();
    let mut schema = generator.into_root_schema_for::<File>().to_value();
    for (key, kind, block) in &blocks {
        let shapes: &[&str] = match kind {
            ScopeKind::Tenant => &["Tenant"],
            ScopeKind::Environment => &["Base", "Environment"],
        };
        for shape in shapes {
            schema["$defs"][shape]["properties"][key] = block.clone();
        }
    }
    schema["$defs"]["SettingName"]["enum"] = settings.names(ScopeKind::Environment).into();
    for (kind, name, entry) in [
        (ScopeKind::Environment, "AttestedSetting", "Attestation"),
        (ScopeKind::Tenant, "AttestedTenantSetting", "TenantAttestation"),
    ] {
        schema["$defs"][name]["enum"] = settings.attestable(kind).into();
        let rules: Vec<Json> = saws.iter().filter(|(_, of, _)| *of == kind).map(saw_of_setting).collect();
        if !rules.is_empty() {
            schema["$defs"][entry]["allOf"] = rules.into();
        }
    }
    // Either id will do, so neither can be required by itself.
    schema["$defs"]["Environment"]["anyOf"] =
        json!([{ "required": ["instanceId"] }, { "required": ["environmentId"] }]);
    // Room for anchors.
    schema["patternProperties"] = json!({ "^x-": { "description": "Ignored: a place for YAML anchors." } });
    without_null(&mut schema);
    on_one_line(&mut schema);
    schema
}

/// Each setting says in which words it is attested.
fn saw_of_setting((setting, _, definition): &(&str, ScopeKind, String)) -> Json {
    json!({
        "if": { "properties": { "setting": { "const": setting } }, "required": ["setting"] },
        "then": { "properties": { "saw": { "$ref": format!("#/$defs/{definition}") } } },
    })
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
