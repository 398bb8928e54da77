//! Keys of a vault as Azure Resource Manager knows them: what they are, never the keys themselves.
//!
//! The vault tells the same, but its firewall may keep the caller out; Resource Manager answers whoever reads the vault. The
//! operation catalogue names the sources.
//!
//! Invariants: only Resource Manager's own word proves that there is no such key; nearly every member is optional on the wire, so it
//! is here, and what a conclusion needs and misses makes it unknown; a list of versions is whole or an error.

use jiff::Timestamp;
use serde::Deserialize;
use url::Url;

use super::access::Reader;
use super::arm;
use super::call::Call;
use super::error::CallError;
use super::operations::{GET_VAULT_KEY, LIST_VAULT_KEY_VERSIONS, Read};
use crate::terms::VaultId;

/// A version of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyVersion {
    /// Its version; none if the service doesn't say.
    pub version: Option<String>,
    /// `RSA`, `RSA-HSM`, `EC`, `EC-HSM`, in the service's word.
    pub kind: Option<String>,
    /// Bits, of RSA keys.
    pub size: Option<u32>,
    /// What may be done with it: `wrapKey`, `unwrapKey` …; compare without regard to case. None if the service doesn't say.
    pub operations: Option<Vec<String>>,
    /// Whether it is enabled.
    pub enabled: Option<bool>,
    /// From when on it can be used; always, if none.
    pub not_before: Option<Timestamp>,
    /// Until when it can be used; always, if none.
    pub expires: Option<Timestamp>,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// When its attributes changed last.
    pub updated: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Wire {
    name: Option<String>,
    #[serde(default)]
    properties: Properties,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Properties {
    kty: Option<String>,
    key_size: Option<u32>,
    key_ops: Option<Vec<String>>,
    key_uri_with_version: Option<String>,
    attributes: Attributes,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Attributes {
    enabled: Option<bool>,
    nbf: Option<i64>,
    exp: Option<i64>,
    created: Option<i64>,
    updated: Option<i64>,
}

impl Wire {
    /// Its version is the end of its address with version; in lists of versions it is its name as well.
    fn read(self, key: &str) -> Result<KeyVersion, String> {
        let Self { name, properties } = self;
        let Properties { kty: kind, key_size: size, key_ops: operations, key_uri_with_version, attributes } =
            properties;
        let addressed = match key_uri_with_version.map(|text| text.parse::<Url>()) {
            None => None,
            Some(Err(_)) => return Err("the address of a version is none".to_owned()),
            Some(Ok(address)) => Some(version_in(&address, key)?),
        };
        let named = name.filter(|name| !name.eq_ignore_ascii_case(key));
        if addressed.as_ref().zip(named.as_ref()).is_some_and(|(one, other)| !one.eq_ignore_ascii_case(other)) {
            return Err("it names two versions".to_owned());
        }
        let instant = |seconds: Option<i64>| {
            seconds.map(Timestamp::from_second).transpose().map_err(|_| "an instant of it can't be one".to_owned())
        };
        let Attributes { enabled, nbf, exp, created, updated } = attributes;
        Ok(KeyVersion {
            version: addressed.or(named),
            kind,
            size,
            operations,
            enabled,
            not_before: instant(nbf)?,
            expires: instant(exp)?,
            created: instant(created)?,
            updated: instant(updated)?,
        })
    }
}

fn version_in(address: &Url, key: &str) -> Result<String, String> {
    let segments: Vec<&str> =
        address.path_segments().map(|segments| segments.filter(|s| !s.is_empty()).collect()).unwrap_or_default();
    match segments.as_slice() {
        ["keys", name, version] if name.eq_ignore_ascii_case(key) => Ok((*version).to_owned()),
        _ => Err("it has the address of another key".to_owned()),
    }
}

fn addressed(operation: &'static super::operations::Operation<Read>, vault: &VaultId, key: &str) -> Call<Read> {
    let id = vault.resource();
    Call::of(operation)
        .path("subscriptionId", &id.subscription().to_string())
        .path("resourceGroupName", id.resource_group())
        .path("vaultName", id.name())
        .path("keyName", key)
}

/// The current version of a key; none if Resource Manager says that there is no such key. `GET …/vaults/{name}/keys/{key}`
pub async fn get(reader: &Reader, vault: &VaultId, key: &str) -> Result<Option<KeyVersion>, CallError> {
    let outcome = reader.send(addressed(&GET_VAULT_KEY, vault, key)).await;
    let Some(answer) = arm::found(outcome)? else { return Ok(None) };
    answer.json::<Wire>()?.read(key).map(Some).map_err(|detail| answer.unreadable(&detail))
}

/// All versions of a key, in no order: the whole list or an error. `GET …/vaults/{name}/keys/{key}/versions`
pub async fn versions(reader: &Reader, vault: &VaultId, key: &str) -> Result<Vec<KeyVersion>, CallError> {
    let wires: Vec<Wire> = arm::list(reader, addressed(&LIST_VAULT_KEY_VERSIONS, vault, key)).await?;
    let unreadable = |detail: String| CallError::unreadable(LIST_VAULT_KEY_VERSIONS.facts(), &detail);
    let all: Vec<KeyVersion> =
        wires.into_iter().map(|wire| wire.read(key).map_err(unreadable)).collect::<Result<_, _>>()?;
    let mut seen: Vec<String> = Vec::with_capacity(all.len());
    for version in all.iter().filter_map(|one| one.version.as_deref()) {
        if seen.iter().any(|known| known.eq_ignore_ascii_case(version)) {
            return Err(unreadable("it lists a version twice".to_owned()));
        }
        seen.push(version.to_owned());
    }
    Ok(all)
}
