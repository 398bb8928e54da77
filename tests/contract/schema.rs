//! From swagger's schemas to JSON Schema, with everything that they refer to.
//!
//! Words: a schema is taken *open* where others are composed of it (`allOf`), and *closed* where it is the whole of a value, so
//! that a misspelled member is noticed. What must stay true: an open enum (`modelAsString`) takes any text; what is read-only
//! isn't demanded of a request, and a request that sends it is at fault; null stands only where `x-nullable` says so.

use std::collections::BTreeMap;

use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};

use super::documents::{Documents, Place, target};

/// Which way a body goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// To the service.
    Request,
    /// From the service.
    Response,
}

/// Keywords that mean the same in both worlds.
const KEPT: [&str; 13] = [
    "type",
    "format",
    "pattern",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "uniqueItems",
    "multipleOf",
    "minProperties",
    "maxProperties",
];

struct Bundle<'d> {
    documents: &'d Documents,
    way: Way,
    definitions: BTreeMap<String, Value>,
}

/// A validator for the schema that stands in a document.
pub(crate) fn validator(documents: &Documents, from: &Place, schema: &Value, way: Way) -> Validator {
    let mut bundle = Bundle { documents, way, definitions: BTreeMap::new() };
    let root = bundle.convert(from, schema, true);
    let whole = json!({ "allOf": [root], "$defs": bundle.definitions });
    let options = jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
    options.build(&whole).unwrap_or_else(|e| panic!("{}#{}: {e}", from.file, from.pointer))
}

impl Bundle<'_> {
    fn convert(&mut self, from: &Place, schema: &Value, closed: bool) -> Value {
        if let Some(reference) = schema["$ref"].as_str() {
            return self.refer(&target(&from.file, reference), closed);
        }
        let mut made = Map::new();
        for keyword in KEPT {
            if let Some(value) = schema.get(keyword) {
                made.insert(keyword.to_owned(), value.clone());
            }
        }
        let open_enum = schema["x-ms-enum"]["modelAsString"] == true;
        if let Some(members) = schema.get("enum").filter(|_| !open_enum) {
            made.insert("enum".to_owned(), members.clone());
        }
        if let Some(items) = schema.get("items") {
            let items = self.convert(from, items, true);
            made.insert("items".to_owned(), items);
        }
        let parts: Vec<Value> = schema["allOf"].as_array().cloned().unwrap_or_default();
        if !parts.is_empty() {
            let parts = parts.iter().map(|part| self.convert(from, part, false)).collect();
            made.insert("allOf".to_owned(), parts);
        }
        self.members(from, schema, &mut made);
        match schema.get("additionalProperties") {
            Some(more @ Value::Object(_)) => {
                let more = self.convert(from, more, true);
                made.insert("additionalProperties".to_owned(), more);
            }
            Some(more) => drop(made.insert("additionalProperties".to_owned(), more.clone())),
            // A schema without a member says nothing about its members.
            None if closed && (schema.get("properties").is_some() || !parts.is_empty()) => {
                made.insert("unevaluatedProperties".to_owned(), json!(false));
            }
            None => {}
        }
        if schema["x-nullable"] == true {
            return json!({ "anyOf": [{ "type": "null" }, made] });
        }
        Value::Object(made)
    }

    fn members(&mut self, from: &Place, schema: &Value, made: &mut Map<String, Value>) {
        let mut members = Map::new();
        let mut read_only = Vec::new();
        for (name, member) in schema["properties"].as_object().into_iter().flatten() {
            let (_, resolved) = self.documents.resolve(from, member);
            if member["readOnly"] == true || resolved["readOnly"] == true {
                read_only.push(name.clone());
            }
            let value = if self.way == Way::Request && read_only.contains(name) {
                json!(false)
            } else {
                self.convert(from, member, true)
            };
            members.insert(name.clone(), value);
        }
        if !members.is_empty() {
            made.insert("properties".to_owned(), Value::Object(members));
        }
        let needed = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let needed: Vec<&str> =
            needed.filter(|n| self.way == Way::Response || !read_only.iter().any(|r| r == n)).collect();
        if !needed.is_empty() {
            made.insert("required".to_owned(), json!(needed));
        }
    }

    fn refer(&mut self, place: &Place, closed: bool) -> Value {
        let name = format!("{}#{}{}", place.file, place.pointer, if closed { "" } else { " open" });
        let name = name.replace(['~', '/', '#', '%', ' '], "_");
        if !self.definitions.contains_key(&name) {
            // Before its contents, which may refer to it.
            self.definitions.insert(name.clone(), json!(true));
            let schema = self.documents.at(place).clone();
            let made = match schema["discriminator"].as_str() {
                Some(member) if closed => self.one_of_its_kinds(place, &schema, member),
                _ => self.convert(place, &schema, closed),
            };
            self.definitions.insert(name.clone(), made);
        }
        json!({ "$ref": format!("#/$defs/{name}") })
    }

    /// A schema with a discriminator: the kind that its member names, with the members of that kind.
    fn one_of_its_kinds(&mut self, place: &Place, schema: &Value, member: &str) -> Value {
        let documents = self.documents;
        let kinds: Vec<(Place, String)> = documents
            .definitions(&place.file)
            .filter(|(_, definition)| {
                let parts = definition["allOf"].as_array().into_iter().flatten();
                parts.filter_map(|p| p["$ref"].as_str()).any(|r| target(&place.file, r) == *place)
            })
            .map(|(name, definition)| {
                let word = definition["x-ms-discriminator-value"].as_str().unwrap_or(name).to_owned();
                (Place { file: place.file.clone(), pointer: format!("/definitions/{name}") }, word)
            })
            .collect();
        let mut made: Vec<Value> = Vec::new();
        for (kind, word) in &kinds {
            let definition = documents.at(kind).clone();
            let shape = self.convert(kind, &definition, true);
            made.push(json!({ "allOf": [shape, { "properties": { member: { "const": word } } }] }));
        }
        let words: Vec<&str> = kinds.iter().map(|(_, word)| word.as_str()).collect();
        let base = self.convert(place, schema, true);
        made.push(json!({ "allOf": [base, { "properties": { member: { "not": { "enum": words } } } }] }));
        json!({ "anyOf": made })
    }
}
