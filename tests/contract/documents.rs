//! Microsoft's OpenAPI documents (swagger 2.0), read as they are: operations, found by method, path and api-version.
//!
//! What must stay true: nothing of a document is kept in this repository, and nothing in one is edited.

use std::collections::HashMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use serde_json::Value;

/// The documents that are compared, below `specification/`: the ones of the api-versions that palisade pins.
const DOCUMENTS: [&str; 11] = [
    "authorization/resource-manager/Microsoft.Authorization/stable/2022-04-01/authorization-RoleAssignmentsCalls.json",
    "authorization/resource-manager/Microsoft.Authorization/stable/2022-04-01/authorization-RoleDefinitionsCalls.json",
    "keyvault/data-plane/Microsoft.KeyVault/stable/7.5/keys.json",
    "keyvault/data-plane/Microsoft.KeyVault/stable/7.5/secrets.json",
    "keyvault/resource-manager/Microsoft.KeyVault/stable/2023-07-01/keyvault.json",
    "powerplatform/resource-manager/Microsoft.PowerPlatform/PowerPlatform/preview/2020-10-30-preview/openapi.json",
    "resourcegraph/resource-manager/Microsoft.ResourceGraph/stable/2022-10-01/resourcegraph.json",
    "storage/resource-manager/Microsoft.Storage/stable/2023-05-01/storage.json",
    "synapse/resource-manager/Microsoft.Synapse/stable/2021-06-01/privateEndpointConnections.json",
    "synapse/resource-manager/Microsoft.Synapse/stable/2021-06-01/workspace.json",
    ARM_TYPES,
];
/// What all of ARM shares, errors among it.
pub(crate) const ARM_TYPES: &str = "common-types/resource-management/v2/types.json";

/// A place in a document: its path below the folder, and a JSON pointer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) file: String,
    pub(crate) pointer: String,
}

/// All documents, loaded as they are needed.
pub(crate) struct Documents {
    folder: PathBuf,
    loaded: HashMap<String, Value>,
    pub(crate) operations: Vec<Operation>,
}

/// A published operation.
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) version: String,
    /// Whether it is on the host of each resource (a vault) instead of ARM's.
    pub(crate) on_own_host: bool,
    /// Where it stands.
    pub(crate) place: Place,
    pub(crate) parameters: Vec<(Place, Value)>,
    /// Whether it may go on after its answer.
    pub(crate) long_running: bool,
    pub(crate) responses: serde_json::Map<String, Value>,
}

impl Documents {
    /// Loads the documents below `folder`.
    pub(crate) fn load(folder: &Path) -> Self {
        let mut documents =
            Self { folder: folder.join("specification"), loaded: HashMap::new(), operations: Vec::new() };
        for file in DOCUMENTS {
            documents.read(file);
            documents.index(file);
        }
        documents
    }

    fn read(&mut self, file: &str) {
        if self.loaded.contains_key(file) {
            return;
        }
        let path = self.folder.join(file);
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let value: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let mut references = Vec::new();
        collect(&value, &mut references);
        self.loaded.insert(file.to_owned(), value);
        for reference in references {
            // Examples aren't part of the contract, and aren't there.
            if let Some((other, _)) = reference.split_once('#').filter(|(other, _)| !other.is_empty()) {
                self.read(&beside(file, other));
            }
        }
    }

    fn index(&mut self, file: &str) {
        let document = &self.loaded[file];
        let version = document["info"]["version"].as_str().unwrap_or_default().to_owned();
        let on_own_host = document.get("x-ms-parameterized-host").is_some();
        let mut found = Vec::new();
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            let shared = item["parameters"].as_array().cloned().unwrap_or_default();
            for (method, operation) in item.as_object().into_iter().flatten().filter(|(m, _)| *m != "parameters") {
                let own = operation["parameters"].as_array().cloned().unwrap_or_default();
                let place = Place { file: file.to_owned(), pointer: String::new() };
                let parameters = shared.iter().chain(&own).map(|p| self.resolve(&place, p)).collect();
                found.push(Operation {
                    id: operation["operationId"].as_str().unwrap_or_default().to_owned(),
                    method: method.to_uppercase(),
                    path: path.split('?').next().unwrap_or_default().to_owned(),
                    version: version.clone(),
                    on_own_host,
                    place: place.clone(),
                    parameters,
                    long_running: operation["x-ms-long-running-operation"] == true,
                    responses: operation["responses"].as_object().cloned().unwrap_or_default(),
                });
            }
        }
        self.operations.extend(found);
    }

    /// Follows references from a place until there is none.
    pub(crate) fn resolve(&self, from: &Place, value: &Value) -> (Place, Value) {
        match value["$ref"].as_str() {
            None => (from.clone(), value.clone()),
            Some(reference) => {
                let place = target(&from.file, reference);
                let found = self.at(&place).clone();
                self.resolve(&place, &found)
            }
        }
    }

    /// What stands at a place.
    pub(crate) fn at(&self, place: &Place) -> &Value {
        let document = self.loaded.get(&place.file).unwrap_or_else(|| panic!("{} isn't loaded", place.file));
        document.pointer(&place.pointer).unwrap_or_else(|| panic!("{}#{} is missing", place.file, place.pointer))
    }

    /// The definitions of a document.
    pub(crate) fn definitions(&self, file: &str) -> impl Iterator<Item = (&String, &Value)> {
        self.loaded[file]["definitions"].as_object().into_iter().flatten()
    }

    /// The operation that a request is for: the one with the most literal path among those that fit. Those whose whole path is
    /// a parameter fit everything, and so say nothing.
    pub(crate) fn find(&self, on_own_host: bool, method: &str, path: &str, version: &str) -> Option<&Operation> {
        let fits = |o: &&Operation| {
            let same = o.on_own_host == on_own_host && o.method == method && o.version == version;
            same && o.literal_segments() > 0 && o.fits(path)
        };
        self.operations.iter().filter(fits).max_by_key(|o| o.literal_segments())
    }
}

impl Operation {
    fn fits(&self, path: &str) -> bool {
        let is_path =
            |name: &str| self.parameters.iter().any(|(_, p)| p["name"] == name && p["x-ms-skip-url-encoding"] == true);
        fits(&self.path, path, &is_path)
    }

    fn literal_segments(&self) -> usize {
        self.path.split('/').filter(|s| !s.is_empty() && !s.starts_with('{')).count()
    }

    /// Where it is published, in brief.
    pub(crate) fn source(&self) -> String {
        let name = self.place.file.rsplit('/').next().unwrap_or_default();
        format!("{name} {}", self.version)
    }
}

/// Whether a path fits a template. Literals are compared without regard to case. A parameter that is a path itself takes any
/// number of segments: none for the parent of a resource that has none.
pub(crate) fn fits(template: &str, path: &str, is_path: &dyn Fn(&str) -> bool) -> bool {
    fn segments(text: &str) -> Vec<&str> {
        text.split('/').filter(|s| !s.is_empty()).collect()
    }
    fits_segments(&segments(template), &segments(path), is_path)
}

fn fits_segments(template: &[&str], segments: &[&str], is_path: &dyn Fn(&str) -> bool) -> bool {
    let Some((first, rest)) = template.split_first() else { return segments.is_empty() };
    match first.strip_prefix('{').and_then(|f| f.strip_suffix('}')) {
        // "This URI fragment is optional": the current version, then.
        Some("secret-version" | "key-version") if segments.is_empty() => rest.is_empty(),
        Some(name) if is_path(name) => {
            let least = usize::from(name != "parentResourcePath");
            (least..=segments.len()).any(|n| fits_segments(rest, &segments[n..], is_path))
        }
        Some(_) => segments.split_first().is_some_and(|(_, left)| fits_segments(rest, left, is_path)),
        None => segments
            .split_first()
            .is_some_and(|(segment, left)| segment.eq_ignore_ascii_case(first) && fits_segments(rest, left, is_path)),
    }
}

/// The place that a reference in a file leads to.
pub(crate) fn target(file: &str, reference: &str) -> Place {
    let (other, pointer) = reference.split_once('#').unwrap_or((reference, ""));
    let file = if other.is_empty() { file.to_owned() } else { beside(file, other) };
    Place { file, pointer: pointer.to_owned() }
}

fn beside(file: &str, other: &str) -> String {
    let mut parts: Vec<String> = Vec::new();
    let joined = Path::new(file).parent().unwrap_or(Path::new("")).join(other);
    for component in joined.components() {
        match component {
            Component::ParentDir => drop(parts.pop()),
            Component::Normal(part) => parts.push(part.to_string_lossy().into_owned()),
            _ => {}
        }
    }
    parts.join("/")
}

fn collect(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match value.as_str() {
                    Some(reference) if name == "$ref" => found.push(reference.to_owned()),
                    _ if name == "x-ms-examples" => {}
                    _ => collect(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        _ => {}
    }
}
