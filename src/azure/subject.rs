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
    /// `name`, the last segment of `id`, or `operationId` is the last segment of the path: Power Platform writes its ids with
    /// and without what stands before them.
    Last,
    /// `id` is the address of the secret, or of a version of it; in lists, that of each entry.
    Secret,
    /// `key.kid` is the address of the key, or of a version of it.
    Key,
    /// `id` is an address below that of the key. Optional: that a key's default policy has one isn't documented.
    OfKey,
}

fn naming(operation: &Facts) -> Naming {
    let Facts { service, method, path, name, .. } = *operation;
    match service {
        _ if !path.contains('{') => Naming::Nothing,
        Service::CustomerInsights | Service::ScaleUnit | Service::Gateway => Naming::Parameters,
        Service::KeyVault if path.ends_with("/rotationpolicy") => Naming::OfKey,
        Service::KeyVault if path.contains("keys/") => Naming::Key,
        Service::KeyVault => Naming::Secret,
        Service::PowerPlatformAdmin | Service::PowerPlatform if path.ends_with('}') => Naming::Last,
        Service::PowerPlatformAdmin | Service::PowerPlatform => Naming::Nothing,
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
    name: Option<Json>,
    operation_id: Option<Json>,
    instance_id: Option<Json>,
    principal_id: Option<Json>,
    private_link_id: Option<Json>,
    key: Option<Json>,
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
            value.iter().try_for_each(|entry| one(entry, &path, reads, |found| in_vault(found, &path, url)))
        }
        (Naming::Secret, Some(b'{')) => one(&read::<Named>(body)?, &path, reads, |found| in_vault(found, &path, url)),
        (Naming::OfKey, Some(b'{')) => one(&read::<Named>(body)?, &path, false, |found| in_vault(found, &path, url)),
        (Naming::Key, Some(b'{')) => {
            let id = read::<Named>(body)?.key.and_then(|mut key| key.get_mut("kid").map(Json::take));
            one(&Named { id, ..Named::default() }, &path, reads, |found| in_vault(found, &path, url))
        }
        (Naming::Last, Some(b'{')) => last(&read::<Named>(body)?, &path),
        (Naming::Parameters | Naming::Path | Naming::PathOrParent | Naming::Entries | Naming::Last, _)
        | (Naming::Secret | Naming::Key | Naming::OfKey, _) => Ok(()),
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

/// All members that name something must name what was asked for, and one of them must be there. An operation's `name` is its
/// type, so it counts only where there is no id of an operation.
fn last(named: &Named, path: &str) -> Result<(), String> {
    let asked = path.rsplit('/').next().unwrap_or_default();
    let Named { id, name, operation_id, .. } = named;
    let name = name.as_ref().filter(|_| operation_id.is_none() && !path.to_lowercase().contains("operations/"));
    let members: Vec<&Json> = [id.as_ref(), name, operation_id.as_ref()].into_iter().flatten().collect();
    if members.is_empty() {
        return Err(format!("it doesn't say what it is about; `{}` was asked for", brief(asked)));
    }
    members.into_iter().try_for_each(|member| match member.as_str() {
        Some(found) if found.rsplit('/').next().is_some_and(|last| same_id(last, asked)) => Ok(()),
        found => Err(another(found, asked)),
    })
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
/// resource. What was deleted is listed for all regions, and has its own in its id.
fn below(found: &str, path: &str) -> bool {
    let (found, path) = (found.to_lowercase(), path.to_lowercase());
    let Some((place, kind)) = path.rsplit_once("/providers/") else { return false };
    let Some((within, name)) = found.rsplit_once("/providers/") else { return false };
    let name = without_region(name);
    let inside = within.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let name = name.strip_prefix(kind).and_then(|rest| rest.strip_prefix('/'));
    inside && name.is_some_and(|name| !name.is_empty() && !name.contains('/'))
}

/// `namespace/locations/REGION/type/name` without the region.
fn without_region(name: &str) -> String {
    match name.split('/').collect::<Vec<_>>().as_slice() {
        [namespace, "locations", _, rest @ ..] => format!("{namespace}/{}", rest.join("/")),
        _ => name.to_owned(),
    }
}

/// Whether an address is that of the secret or key at this path of this vault, and of the version that the path names, if it does.
fn in_vault(found: &str, path: &str, url: &Url) -> bool {
    let Ok(found) = found.parse::<Url>() else { return false };
    let found_path = percent_decode_str(found.path()).decode_utf8_lossy();
    let mut found_segments = found_path.split('/').skip(1);
    let mut asked = path.split('/').skip(2).take(2);
    let asked_for = path.split('/').nth(1).unwrap_or_default();
    let collection = found_segments.next() == Some(asked_for.trim_start_matches("deleted"));
    let name = matches!((found_segments.next(), asked.next()), (Some(one), Some(other)) if same(one, other));
    let version = match asked.next() {
        None | Some("versions" | "recover" | "rotate" | "rotationpolicy") => true,
        Some(version) => found_segments.next().is_some_and(|found| same(found, version)),
    };
    found.host_str() == url.host_str() && collection && name && version
}

#[cfg(test)]
mod tests;
