//! Ids in what people paste in their place: addresses of portals and of services.
//!
//! Words: a text is *pasted* if it is an address or a path rather than an id; what was copied from a browser or from a log.
//!
//! Invariants: only what stands in the text is found; of several ids of one kind none is picked unless the segment before it
//! says what it is.

use uuid::Uuid;

use super::resource_id::ResourceId;
use super::resource_kinds::{STORAGE_ACCOUNT, SYNAPSE_WORKSPACE, VAULT};

/// Segments of a path before the id of a Power Platform environment.
const BEFORE_ENVIRONMENT: [&str; 2] = ["environments", "environment"];
/// Segments before an id that is what the address leads to.
const BEFORE_ID: [&str; 9] =
    ["instances", "instance", "users", "groups", "userid", "groupid", "objectid", "appid", "applications"];

/// The parts of the hosts of services behind the name of a resource, and what kind of resource that is.
const HOSTS: [(&str, &str); 7] = [
    (".vault.", VAULT),
    (".blob.", STORAGE_ACCOUNT),
    (".dfs.", STORAGE_ACCOUNT),
    (".file.", STORAGE_ACCOUNT),
    (".queue.", STORAGE_ACCOUNT),
    (".dev.azuresynapse.", SYNAPSE_WORKSPACE),
    (".sql.azuresynapse.", SYNAPSE_WORKSPACE),
];

/// What of GUIDs a text holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FoundGuid {
    /// None, or several of which nothing says which one is meant.
    Unclear,
    /// This one.
    Id(Uuid),
    /// Only the id of a Power Platform environment, which stands for no instance and no principal.
    OfEnvironment(String),
}

/// The GUID that an address leads to.
pub fn guid_in(text: &str) -> FoundGuid {
    if !is_address(text) {
        return FoundGuid::Unclear;
    }
    let found = guids(text);
    let others: Vec<&(String, Uuid)> =
        found.iter().filter(|(before, _)| !BEFORE_ENVIRONMENT.contains(&before.as_str())).collect();
    let marked = others.iter().find(|(before, _)| BEFORE_ID.contains(&before.as_str()));
    match (marked, others.as_slice(), environment_id_in(text)) {
        (Some((_, id)), ..) | (None, [(_, id)], None) => FoundGuid::Id(*id),
        (None, _, Some(environment)) => FoundGuid::OfEnvironment(environment),
        _ => FoundGuid::Unclear,
    }
}

/// The id of a Power Platform environment in an address of it.
pub fn environment_id_in(text: &str) -> Option<String> {
    let segments = segments(text);
    let mut pairs = segments.iter().zip(segments.iter().skip(1));
    let (_, id) = pairs.find(|(before, _)| BEFORE_ENVIRONMENT.contains(&before.to_ascii_lowercase().as_str()))?;
    let guid = id.get(.."Default-".len()).filter(|start| start.eq_ignore_ascii_case("Default-"));
    let guid = guid.map_or(id.as_str(), |start| &id[start.len()..]);
    is_guid(guid).then(|| id.clone())
}

/// The id of a resource of one of these types, with an address before it or more of a path behind it.
pub fn resource_in(text: &str, kinds: &[&str]) -> Option<ResourceId> {
    let segments = segments(text);
    let start = segments.iter().position(|segment| segment.eq_ignore_ascii_case("subscriptions"))?;
    let id = format!("/{}", segments.get(start..start + 8)?.join("/"));
    let id: ResourceId = id.parse().ok()?;
    kinds.iter().any(|kind| id.is_kind(kind)).then_some(id)
}

/// The type and the name of the resource whose host an address has.
pub fn resource_of_host(text: &str) -> Option<(&'static str, &str)> {
    let host = text.split_once("://").map_or(text, |(_, rest)| rest);
    let host = host.split(['/', '?', '#', ':']).next().unwrap_or_default();
    let (at, kind) = HOSTS.iter().find_map(|(mark, kind)| Some((host.find(mark)?, *kind)))?;
    let name = host.get(..at)?;
    let name = name.strip_suffix("-ondemand").unwrap_or(name);
    let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    plain.then_some((kind, name))
}

/// The name of a secret in its address.
pub fn secret_in(text: &str) -> Option<String> {
    let segments = segments(text);
    let at = segments.iter().position(|segment| segment == "secrets")?;
    is_address(text).then(|| segments.get(at + 1).cloned()).flatten()
}

/// Whether a text is an address or a path.
pub fn is_address(text: &str) -> bool {
    text.contains('/')
}

fn is_guid(text: &str) -> bool {
    text.len() == 36 && Uuid::try_parse(text).is_ok_and(|id| !id.is_nil())
}

/// The parts of an address between slashes and what else separates them, with slashes that were escaped.
fn segments(text: &str) -> Vec<String> {
    let text = text.replace("%2F", "/").replace("%2f", "/");
    let separates = |c: char| matches!(c, '/' | '?' | '#' | '&' | '=') || c.is_whitespace();
    text.split(separates).filter(|segment| !segment.is_empty()).map(str::to_owned).collect()
}

/// The GUIDs of an address, each with the segment before it.
fn guids(text: &str) -> Vec<(String, Uuid)> {
    let segments = segments(text);
    let guid = |(index, segment): (usize, &String)| {
        let id = is_guid(segment).then(|| Uuid::try_parse(segment).ok()).flatten()?;
        let before = index.checked_sub(1).and_then(|before| segments.get(before));
        Some((before.map(|before| before.to_ascii_lowercase()).unwrap_or_default(), id))
    };
    segments.iter().enumerate().filter_map(guid).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "6f2b1c34-0000-4000-8000-00000000a001";
    const OTHER: &str = "1bd6bd98-0000-4000-8000-00000000e001";
    const VAULT_ID: &str = "/subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv-ci";

    #[test]
    fn the_id_that_an_address_leads_to_is_found() {
        let id = FoundGuid::Id(ID.parse().unwrap());
        for (text, expected) in [
            (format!("https://api.ci.ai.dynamics.com/v1/instances/{ID}"), id.clone()),
            (format!("https://home.ci.ai.dynamics.com/app/{ID}/home?x=1"), id.clone()),
            (format!("https://x/environments/{OTHER}/instances/{ID}"), id.clone()),
            (format!("https://entra.microsoft.com/#view/Blade/~/overview/userId/{ID}"), id),
            (format!("https://x/environments/{OTHER}/hub"), FoundGuid::OfEnvironment(OTHER.to_owned())),
            (format!("https://x/{OTHER}/{ID}"), FoundGuid::Unclear),
            (format!("Default-{ID}"), FoundGuid::Unclear),
            ("https://contoso.crm4.dynamics.com".to_owned(), FoundGuid::Unclear),
        ] {
            assert_eq!(guid_in(&text), expected, "{text}");
        }
    }

    #[test]
    fn an_environment_is_found_with_and_without_the_prefix_of_the_default_one() {
        for id in [OTHER.to_owned(), format!("Default-{OTHER}")] {
            assert_eq!(environment_id_in(&format!("https://x/environments/{id}/hub")), Some(id));
        }
        assert_eq!(environment_id_in("https://x/environments/é/hub"), None);
    }

    #[test]
    fn a_resource_is_found_behind_an_address_and_before_more_of_a_path() {
        let portal = format!("https://portal.azure.com/#@contoso.com/resource{VAULT_ID}/overview");
        let escaped = format!("https://portal.azure.com/#view/x/id/{}", VAULT_ID.replace('/', "%2F"));
        let managed = format!("https://management.azure.com{VAULT_ID}?api-version=2023-07-01");
        for text in [portal, escaped, managed, VAULT_ID[1..].to_owned(), format!("{VAULT_ID}/secrets/x")] {
            assert_eq!(resource_in(&text, &[VAULT]).map(|id| id.to_string()).as_deref(), Some(VAULT_ID), "{text}");
            assert_eq!(resource_in(&text, &[STORAGE_ACCOUNT]), None, "{text}");
        }
    }

    #[test]
    fn a_host_says_type_and_name() {
        for (text, expected) in [
            ("https://kv-ci.vault.azure.net/secrets/x/1", Some((VAULT, "kv-ci"))),
            ("kv-ci.vault.usgovcloudapi.net", Some((VAULT, "kv-ci"))),
            ("https://contosolake.dfs.core.windows.net", Some((STORAGE_ACCOUNT, "contosolake"))),
            ("contoso-ondemand.sql.azuresynapse.net", Some((SYNAPSE_WORKSPACE, "contoso"))),
            ("https://.vault.azure.net", None),
            ("https://example.com/kv.vault.azure.net", None),
        ] {
            assert_eq!(resource_of_host(text), expected, "{text}");
        }
        assert_eq!(secret_in("https://kv-ci.vault.azure.net/secrets/ci-api-key/1").as_deref(), Some("ci-api-key"));
        assert_eq!(secret_in("secrets"), None);
    }
}
