//! What an answer is about: one that names its subject must name the one that was asked for.
//!
//! Services mix answers up behind caches and gateways, and a key that is regenerated on the strength of another
//! environment's answer cuts people off. Every answer passes here before a client sees it, writes' answers included.
//!
//! Words: the *subject* of a call is what its path leads to: an instance, a principal, a resource, a secret, a version.
//!
//! Invariants: how answers name their subject follows from the catalogue, so that an operation that is added is checked
//! without being mentioned here; ids are compared as the service compares them, without regard to case; an answer that
//! contradicts itself about its subject is refused.

use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::Value as Json;
use serde_json::error::Category;
use url::Url;

use super::operations::{Effect, Facts, GET_OPERATION_STATUS, Service};
use crate::terms::object_id;
use crate::terms::text::brief;

/// How the answers to an operation name their subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Naming {
    /// Not at all, or in a way that only the client of the operation knows.
    Nothing,
    /// Members have the names of the path's parameters. Optional: none of them is documented as required.
    Parameters,
    /// `id` is the path.
    Path,
    /// `id` is the path or what the path lies in: a vault may answer for the policies of one principal.
    PathOrParent,
    /// Each entry of `value` has an `id` below the path.
    Entries,
    /// `id` is the address of the secret, or of a version of it; in lists, that of each entry.
    Secret,
}

fn naming(operation: &Facts) -> Naming {
    let Facts { service, method, path, name, .. } = *operation;
    match service {
        _ if !path.contains('{') => Naming::Nothing,
        Service::CustomerInsights | Service::ScaleUnit | Service::Gateway => Naming::Parameters,
        Service::KeyVault => Naming::Secret,
        // It is at an address of its own, which a header named.
        Service::Arm if name == GET_OPERATION_STATUS.facts().name => Naming::Nothing,
        // It may answer with the operation that goes on.
        Service::Arm if method == "DELETE" => Naming::Nothing,
        Service::Arm if path.contains("/accessPolicies/") => Naming::PathOrParent,
        Service::Arm if path.ends_with('}') => Naming::Path,
        // What holds at a scope may have been granted, or defined, above it.
        Service::Arm if path.starts_with("/{scope}/") => Naming::Nothing,
        Service::Arm => Naming::Entries,
        // Look-ups go by batch, and their client compares each item.
        Service::Graph | Service::Entra | Service::Emulator => Naming::Nothing,
    }
}

/// The members by which answers name subjects.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Named {
    id: Option<Json>,
    instance_id: Option<Json>,
    principal_id: Option<Json>,
    private_link_id: Option<Json>,
}

#[derive(Default, Deserialize)]
struct Page {
    value: Vec<Named>,
}

impl Named {
    fn parameter(&self, name: &str) -> Option<&Json> {
        match name {
            "instanceId" => self.instance_id.as_ref(),
            "principalId" => self.principal_id.as_ref(),
            "privateLinkId" => self.private_link_id.as_ref(),
            _ => None,
        }
    }
}

/// Whether the body of an answer with a success status may be about what was asked for at this path of this address; why
/// not, if not. A body that isn't of the kind that names anything is left to the client.
pub(super) fn check(operation: &Facts, path: &str, url: &Url, body: &[u8]) -> Result<(), String> {
    let naming = naming(operation);
    let path = percent_decode_str(path).decode_utf8_lossy();
    let reads = operation.effect == Effect::Read;
    match (naming, body.trim_ascii_start().first()) {
        (Naming::Nothing, _) => Ok(()),
        (Naming::Parameters, Some(b'{')) => parameters(operation.path, &path, &read::<Named>(body)?, true),
        (Naming::Parameters, Some(b'[')) => {
            let entries: Vec<Named> = read(body)?;
            entries.iter().try_for_each(|entry| parameters(operation.path, &path, entry, false))
        }
        (Naming::Path, Some(b'{')) => one(&read::<Named>(body)?, &path, reads, |found| same(found, &path)),
        (Naming::PathOrParent, Some(b'{')) => {
            let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
            let vault = parent.rsplit_once('/').map_or("", |(vault, _)| vault);
            let fits = |found: &str| [&path, parent, vault].iter().any(|fit| same(found, fit));
            one(&read::<Named>(body)?, &path, reads, fits)
        }
        (Naming::Entries, Some(b'{')) => {
            let Page { value } = read(body)?;
            value.iter().try_for_each(|entry| one(entry, &path, reads, |found| below(found, &path)))
        }
        (Naming::Secret, Some(b'{')) if operation.path.ends_with("/versions") => {
            let Page { value } = read(body)?;
            value.iter().try_for_each(|entry| one(entry, &path, reads, |found| of_secret(found, &path, url)))
        }
        (Naming::Secret, Some(b'{')) => one(&read::<Named>(body)?, &path, reads, |found| of_secret(found, &path, url)),
        (Naming::Parameters | Naming::Path | Naming::PathOrParent | Naming::Entries | Naming::Secret, _) => Ok(()),
    }
}

/// What is no JSON at all is for the client to say, which knows whether it needs any.
fn read<'b, T: Deserialize<'b> + Default>(body: &'b [u8]) -> Result<T, String> {
    match serde_json::from_slice(body) {
        Err(error) if error.classify() == Category::Data => {
            Err(format!("it can't be told what it is about, at byte {}", error.column()))
        }
        other => Ok(other.unwrap_or_default()),
    }
}

/// Compares the members that have the names of the path's parameters. An entry of a list may be of any subject below the
/// first: the first parameter, the instance, holds for all of them.
fn parameters(template: &str, path: &str, named: &Named, alone: bool) -> Result<(), String> {
    let segments = template.split('/').zip(path.split('/'));
    let filled = segments.filter_map(|(name, asked)| Some((name.strip_prefix('{')?.strip_suffix('}')?, asked)));
    for (name, asked) in filled.take(if alone { usize::MAX } else { 1 }) {
        let Some(found) = named.parameter(name) else { continue };
        match found.as_str() {
            Some("") => {}
            Some(found) if same_id(found, asked) => {}
            Some(found) if name == "instanceId" => {
                return Err(format!("it is about another environment, {}", brief(found)));
            }
            found => return Err(another(found, asked)),
        }
    }
    Ok(())
}

fn one(named: &Named, path: &str, required: bool, fits: impl Fn(&str) -> bool) -> Result<(), String> {
    match named.id.as_ref() {
        None if required => Err(format!("it doesn't say what it is about; `{path}` was asked for")),
        None => Ok(()),
        Some(id) => match id.as_str() {
            Some(found) if fits(found) => Ok(()),
            found => Err(another(found, path)),
        },
    }
}

fn another(found: Option<&str>, asked: &str) -> String {
    let found = found.map_or_else(|| "something that isn't a text".to_owned(), |found| format!("`{}`", brief(found)));
    format!("it is about {found}, and `{}` was asked for", brief(asked))
}

fn same_id(found: &str, asked: &str) -> bool {
    match (object_id::id(found), object_id::id(asked)) {
        (Some(found), Some(asked)) => found == asked,
        _ => same(found, asked),
    }
}

fn same(found: &str, asked: &str) -> bool {
    let letters = |text: &str| text.trim_end_matches('/').to_lowercase();
    letters(found) == letters(asked)
}

/// Whether a resource is in a list at this path: in its subscription or resource group, and of its type, or below its
/// resource.
fn below(found: &str, path: &str) -> bool {
    let (found, path) = (found.to_lowercase(), path.to_lowercase());
    let Some((place, kind)) = path.rsplit_once("/providers/") else { return false };
    let Some((within, name)) = found.rsplit_once("/providers/") else { return false };
    let inside = within.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let name = name.strip_prefix(kind).and_then(|rest| rest.strip_prefix('/'));
    inside && name.is_some_and(|name| !name.is_empty() && !name.contains('/'))
}

/// Whether an address is that of the secret at this path of this vault, and of the version that the path names, if it does.
fn of_secret(found: &str, path: &str, url: &Url) -> bool {
    let Ok(found) = found.parse::<Url>() else { return false };
    let found_path = percent_decode_str(found.path()).decode_utf8_lossy();
    let mut found_segments = found_path.split('/').skip(1);
    let mut asked = path.split('/').skip(2).take(2);
    let collection = found_segments.next() == Some("secrets");
    let name = matches!((found_segments.next(), asked.next()), (Some(one), Some(other)) if same(one, other));
    let version = match asked.next() {
        None | Some("versions" | "recover") => true,
        Some(version) => found_segments.next().is_some_and(|found| same(found, version)),
    };
    found.host_str() == url.host_str() && collection && name && version
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::azure::operations::{
        ALL, GET_API_SUBSCRIPTION, GET_SECRET, LIST_ASSIGNMENTS, PUT_ASSIGNMENT, VAULT_UPDATE_ACCESS_POLICY,
    };

    const ONE: &str = "6f2b1c34-0000-4000-8000-00000000a001";
    const OTHER: &str = "6f2b1c34-0000-4000-8000-00000000a002";
    const VAULT: &str = "https://kv-one.vault.azure.net";

    /// The path of an operation with its last parameter filled with a name, and all others with an id.
    fn filled(operation: &Facts, name: &str) -> String {
        let mut path = operation.path.replace("{scope}", &format!("subscriptions/{ONE}"));
        let mut names: Vec<String> = Vec::new();
        for segment in path.split('/').filter(|segment| segment.starts_with('{')) {
            names.push(segment.to_owned());
        }
        let last = names.len().saturating_sub(1);
        for (index, parameter) in names.iter().enumerate() {
            path = path.replacen(parameter.as_str(), if index == last { name } else { ONE }, 1);
        }
        path
    }

    /// An answer of the operation about what is at this path of this vault.
    fn about(operation: &Facts, path: &str, vault: &str) -> Json {
        match naming(operation) {
            Naming::Nothing => Json::Null,
            Naming::Parameters => {
                let segments = operation.path.split('/').zip(path.split('/'));
                segments
                    .filter_map(|(name, value)| Some((name.strip_prefix('{')?.strip_suffix('}')?, value)))
                    .map(|(name, value)| (name.to_owned(), json!(value)))
                    .collect()
            }
            Naming::Path | Naming::PathOrParent => json!({ "id": path.to_uppercase() }),
            Naming::Entries => json!({ "value": [{ "id": format!("{}/one", path.to_uppercase()) }] }),
            Naming::Secret => {
                let mut segments: Vec<&str> = path.split('/').skip(2).collect();
                segments.retain(|segment| !matches!(*segment, "versions" | "recover"));
                let id = format!("{vault}/secrets/{}", segments.join("/").to_uppercase());
                match operation.path.ends_with("/versions") {
                    true => json!({ "value": [{ "id": id }] }),
                    false => json!({ "id": id }),
                }
            }
        }
    }

    fn checked(operation: &Facts, path: &str, body: &Json) -> Result<(), String> {
        check(operation, path, &format!("{VAULT}{path}").parse().unwrap(), body.to_string().as_bytes())
    }

    #[test]
    fn every_operation_that_is_about_something_takes_no_answer_about_something_else() {
        let mut unnamed = Vec::new();
        for operation in ALL.iter().filter(|operation| operation.path.contains('{')) {
            if naming(operation) == Naming::Nothing {
                unnamed.push(operation.name);
                continue;
            }
            let (path, elsewhere) = (filled(operation, OTHER), filled(operation, "another"));
            let right = about(operation, &path, VAULT);
            assert_eq!(checked(operation, &path, &right), Ok(()), "{}: {right}", operation.name);
            let mut wrong = vec![about(operation, &elsewhere, VAULT)];
            if operation.service == Service::KeyVault {
                wrong.push(about(operation, &path, "https://kv-two.vault.azure.net"));
            }
            for wrong in wrong {
                assert!(checked(operation, &path, &wrong).is_err(), "{}: {wrong}", operation.name);
            }
        }
        // Of these the client sees to it, or nothing in the answer can tell.
        assert_eq!(
            unnamed,
            [
                "Microsoft.Storage/PrivateEndpointConnections_Delete",
                "Microsoft.Synapse/PrivateEndpointConnections_Delete",
                "Microsoft.KeyVault/PrivateEndpointConnections_Delete",
                "Microsoft.Authorization/RoleAssignments_ListForScope",
                "Microsoft.Authorization/RoleAssignments_Delete",
                "Microsoft.Authorization/RoleDefinitions_List",
                "Microsoft.Authorization/Permissions_ListForResource",
                "Arm/Azure-AsyncOperation",
                "user-get",
                "serviceprincipal-get",
                "group-count-transitivemembers",
                "group-list-transitivemembers",
                "client-credentials-token",
            ]
        );
    }

    #[test]
    fn a_read_of_a_resource_or_a_secret_says_what_it_is_about() {
        for operation in ALL.iter().filter(|operation| operation.effect == Effect::Read) {
            let path = filled(operation, OTHER);
            let nothing = match naming(operation) {
                Naming::Path | Naming::PathOrParent => json!({}),
                Naming::Entries => json!({ "value": [{}] }),
                Naming::Secret if operation.path.ends_with("/versions") => json!({ "value": [{ "id": null }] }),
                Naming::Secret => json!({}),
                Naming::Nothing | Naming::Parameters => continue,
            };
            assert!(checked(operation, &path, &nothing).is_err(), "{}", operation.name);
        }
    }

    #[test]
    fn ids_are_compared_as_services_spell_them_and_contradictions_are_refused() {
        let instance = |operation: &Facts, body: &str| {
            let path = operation.path.replace("{instanceId}", ONE).replace("{principalId}", OTHER);
            check(operation, &path, &VAULT.parse().unwrap(), body.as_bytes())
        };
        let subscription = GET_API_SUBSCRIPTION.facts();
        let spelled = format!("{{\"instanceId\":\"{{{}}}\"}}", ONE.to_uppercase());
        for fine in [&spelled, "{}", "{\"instanceId\":null}", "{\"instanceId\":\"\"}", "", "true", "{", "<html>"] {
            assert_eq!(instance(subscription, fine), Ok(()), "{fine}");
        }
        let twice = format!("{{\"instanceId\":\"{ONE}\",\"instanceId\":\"{OTHER}\"}}");
        let other = format!("{{\"instanceId\":\"{OTHER}\"}}");
        for refused in [&twice, &other, "{\"instanceId\":7}"] {
            assert!(instance(subscription, refused).is_err(), "{refused}");
        }
        // An entry of a list may be about any principal, but not about another environment.
        let entry = |instance: &str| format!("[{{\"instanceId\":\"{instance}\",\"principalId\":\"{ONE}\"}}]");
        for operation in [LIST_ASSIGNMENTS.facts(), PUT_ASSIGNMENT.facts()] {
            assert_eq!(instance(operation, &entry(ONE)), Ok(()));
            assert!(instance(operation, &entry(OTHER)).is_err());
        }
    }

    #[test]
    fn what_a_path_encodes_and_what_lies_deeper_are_told_apart() {
        let lake = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/lake";
        let list = format!("{lake}/privateEndpointConnections");
        for (found, fits) in [
            (format!("{list}/one"), true),
            (format!("{list}/"), false),
            (format!("{list}/one/two"), false),
            (format!("{lake}2/privateEndpointConnections/one"), false),
        ] {
            assert_eq!(below(&found, &list), fits, "{found}");
        }
        let all = "/subscriptions/s/providers/Microsoft.Storage/storageAccounts";
        assert!(below(lake, all));
        assert!(!below(lake, "/subscriptions/s2/providers/Microsoft.Storage/storageAccounts"));
        assert!(!below(lake, "/subscriptions/s/resourceGroups/r/providers/Microsoft.Storage/storageAccounts"));
        let vault = "/subscriptions/s/resourceGroups/rg%20(1)/providers/Microsoft.KeyVault/vaults/kv";
        let policies = VAULT_UPDATE_ACCESS_POLICY.facts();
        for id in [vault.replace("%20", " "), format!("{}/accessPolicies/", vault.replace("%20", " "))] {
            assert_eq!(checked(policies, &format!("{vault}/accessPolicies/add"), &json!({ "id": id })), Ok(()));
        }
        let secret = |id: &str| checked(GET_SECRET.facts(), "/secrets/key", &json!({ "id": id }));
        assert_eq!(secret(&format!("{VAULT}/secrets/KEY/v1")), Ok(()));
        for id in [format!("{VAULT}/keys/key/v1"), "https://evil/secrets/key/v1".to_owned(), "key".to_owned()] {
            assert!(secret(&id).is_err(), "{id}");
        }
    }

    /// A write that says nothing about its subject contradicts nothing, and so does whatever has no parameters at all.
    #[test]
    fn a_write_needs_no_name_and_a_list_of_everything_has_none() {
        let body = json!({ "id": "/elsewhere", "instanceId": OTHER, "value": [{ "id": "/elsewhere" }] });
        for operation in ALL.iter().filter(|operation| !operation.path.contains('{')) {
            assert_eq!(checked(operation, operation.path, &body), Ok(()), "{}", operation.name);
        }
        for operation in ALL.iter().filter(|operation| operation.effect != Effect::Read) {
            let path = filled(operation, OTHER);
            assert_eq!(checked(operation, &path, &json!({})), Ok(()), "{}", operation.name);
        }
    }

    #[test]
    fn what_an_answer_is_about_instead_is_told() {
        let path = PUT_ASSIGNMENT.facts().path.replace("{instanceId}", ONE).replace("{principalId}", ONE);
        let told = |body: Json| checked(PUT_ASSIGNMENT.facts(), &path, &body).unwrap_err();
        assert_eq!(told(json!({ "instanceId": OTHER })), format!("it is about another environment, {OTHER}"));
        assert_eq!(told(json!({ "principalId": OTHER })), format!("it is about `{OTHER}`, and `{ONE}` was asked for"));
        let odd = format!("it is about something that isn't a text, and `{ONE}` was asked for");
        assert_eq!(told(json!({ "principalId": 7 })), odd);
        for (found, path) in [("x", "y"), ("/providers/x/y", "y"), ("x", "/providers/x")] {
            assert!(!below(found, path), "{found} below {path}");
        }
    }
}
