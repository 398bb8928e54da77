//! What must be so of a key that encrypts something, and of its vault. Pure.
//!
//! Invariants: what the service doesn't say is no fault of what it is about, and what decides something and isn't said makes it unknown.

use jiff::Timestamp;
use uuid::Uuid;

use super::block::KeyRef;
use super::codes;
use crate::azure::vault_keys::KeyVersion;
use crate::azure::vaults::Vault;
use crate::plan::NoteCode;
use crate::settings::geography::{self, Agreement};
use crate::terms::VaultId;
use crate::terms::text::brief;

/// Something that isn't as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Which refusal it is where the environment is yet to be linked.
    pub code: NoteCode,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub help: String,
    /// What to do instead where an environment is encrypted already, if that is something else: what is made anew under an old name
    /// decrypts nothing.
    keep: Option<String>,
}

impl Fault {
    /// A fault with what to do about it.
    pub fn new(code: NoteCode, what: impl Into<String>, help: impl Into<String>) -> Self {
        Self { code, what: what.into(), help: help.into(), keep: None }
    }

    /// The same with what to do where an environment is encrypted already.
    pub fn or_keep(self, keep: impl Into<String>) -> Self {
        Self { keep: Some(keep.into()), ..self }
    }

    /// What to do for an environment that is encrypted already.
    pub fn to_keep(&self) -> &str {
        self.keep.as_deref().unwrap_or(&self.help)
    }
}

/// What the key is used for.
const OPERATIONS: [&str; 2] = ["wrapKey", "unwrapKey"];

/// What is wrong with the vault of a key.
pub fn of_vault(id: &VaultId, vault: &Vault, tenant: Uuid, here: Option<&str>) -> Vec<Fault> {
    let code = codes::CMK_VAULT_UNFIT;
    let (name, group, subscription) = (id.name(), id.resource_group(), id.subscription());
    let properties = &vault.properties;
    let mut faults = Vec::new();
    if properties.tenant_id != Some(tenant) {
        let found =
            properties.tenant_id.map_or("a tenant that Azure doesn't name".to_owned(), |id| format!("the tenant {id}"));
        let what = format!("the vault {name} belongs to {found}, the environment to {tenant}");
        faults.push(Fault::new(code, what, "name a vault of the environment's own tenant"));
    }
    let turn_on = |flag: &str| {
        format!(
            "turn it on, which can't be undone: `az keyvault update --name {name} --resource-group {group} --subscription {subscription} \
             {flag} true`"
        )
    };
    if properties.enable_soft_delete != Some(true) {
        let is_off = if properties.enable_soft_delete.is_none() { "isn't said to be on" } else { "is off" };
        let what = format!(
            "soft delete {is_off} in the vault {name}: a deleted key would be lost, and the environment's data with it"
        );
        faults.push(Fault::new(code, what, turn_on("--enable-soft-delete")));
    }
    if !properties.purge_protected() {
        let what = format!(
            "purge protection is off in the vault {name}: a deleted key could be purged, and the environment's data with it"
        );
        faults.push(Fault::new(code, what, turn_on("--enable-purge-protection")));
    }
    faults.extend(network(id, vault).map(|what| {
        let help =
            format!(
                "let them in: `az keyvault update --name {name} --resource-group {group} --subscription {subscription} --bypass \
                 AzureServices`"
            );
        Fault::new(code, what, help)
    }));
    if let Some(location) = vault.location.as_deref()
        && let Agreement::Other { resource, environment } = geography::agreement(location, here)
    {
        let what = format!(
            "the vault {name} is in {}, in the geography {resource}; the environment is in {environment}",
            brief(location)
        );
        faults.push(Fault::new(codes::CMK_LOCATION, what, "name a key in a vault of the environment's geography"));
    }
    faults
}

/// Why Power Platform, a trusted service, can't reach the vault, if so.
fn network(id: &VaultId, vault: &Vault) -> Option<String> {
    let properties = &vault.properties;
    let access = properties.public_network_access.as_deref().filter(|word| !word.is_empty());
    let shut = access.is_some_and(|word| !word.eq_ignore_ascii_case("enabled"));
    let acls = properties.network_acls.as_ref();
    let denies = acls
        .and_then(|acls| acls.default_action.as_deref())
        .is_some_and(|action| !action.eq_ignore_ascii_case("allow"));
    // Without a word about it, trusted services are let in.
    let bypass = acls.and_then(|acls| acls.bypass.as_deref()).unwrap_or("AzureServices");
    let let_in = bypass.split(',').any(|word| word.trim().eq_ignore_ascii_case("AzureServices"));
    ((shut || denies) && !let_in).then(|| {
        format!("the network of the vault {} is closed, and trusted Microsoft services aren't let in", id.name())
    })
}

/// What is wrong with a key, or with the version of it that is pinned.
pub fn of_key(key: &KeyRef, version: &KeyVersion, sizes: &[u32], now: Timestamp) -> Vec<Fault> {
    let KeyVersion { version: _, kind, size, operations, enabled, not_before, expires, created: _, updated: _ } =
        version;
    let mut faults = Vec::new();
    let mut wrong = |what: String, help: String| {
        faults.push(Fault::new(codes::CMK_KEY_UNFIT, format!("the key {key} {what}"), help));
    };
    let create = || format!("name another key, or create one: {}", create_key(key));
    let set = |flags: &str| {
        format!("`az keyvault key set-attributes --vault-name {} --name {} {flags}`", key.vault.name(), key.name)
    };
    match (kind.as_deref(), size) {
        (None, _) => wrong("has a type that Azure doesn't tell".to_owned(), create()),
        (Some(kind), _) if !["RSA", "RSA-HSM"].iter().any(|known| kind.eq_ignore_ascii_case(known)) => {
            wrong(format!("is of the type {}, not RSA", brief(kind)), create());
        }
        (Some(_), None) => wrong("has a size that Azure doesn't tell".to_owned(), create()),
        (Some(_), Some(size)) if !sizes.contains(size) => {
            let fit: Vec<String> = sizes.iter().map(u32::to_string).collect();
            wrong(format!("has {size} bits, not {}", fit.join(" or ")), create());
        }
        (Some(_), Some(_)) => {}
    }
    let allowed = operations.as_deref().unwrap_or_default();
    let lacks = |one: &&&str| !allowed.iter().any(|word| word.eq_ignore_ascii_case(one));
    let missing: Vec<&str> = OPERATIONS.iter().filter(lacks).copied().collect();
    if operations.is_some() && !missing.is_empty() {
        let all: Vec<&str> = allowed.iter().map(String::as_str).chain(missing.iter().copied()).collect();
        wrong(
            format!("doesn't allow {}", missing.join(" and ")),
            format!("allow it: {}", set(&format!("--ops {}", all.join(" ")))),
        );
    }
    match enabled {
        Some(true) => {}
        Some(false) => wrong("is disabled".to_owned(), format!("enable it: {}", set("--enabled true"))),
        None => wrong("isn't said to be enabled".to_owned(), "look at it in the Azure portal".to_owned()),
    }
    if let Some(from) = not_before.filter(|from| *from > now) {
        wrong(
            format!("can't be used before {from:.0}"),
            format!("set an earlier date: {}", set("--not-before YYYY-MM-DDTHH:MM:SSZ")),
        );
    }
    if let Some(end) = expires.filter(|end| *end <= now) {
        wrong(format!("expired at {end:.0}"), format!("set a later date: {}", set("--expires YYYY-MM-DDTHH:MM:SSZ")));
    }
    faults
}

/// How a person creates a key that fits.
pub fn create_key(key: &KeyRef) -> String {
    format!(
        "`az keyvault key create --vault-name {} --name {} --kty RSA --size 3072 --ops wrapKey unwrapKey`",
        key.vault.name(),
        key.name
    )
}

/// Why a new one is no help.
pub const NOT_ANEW: &str = "what is made anew under its name decrypts nothing";

/// How a person recovers a deleted key.
pub fn recover_key(key: &KeyRef) -> String {
    format!("`az keyvault key recover --vault-name {} --name {}`", key.vault.name(), key.name)
}

/// How a person recovers a deleted vault.
pub fn recover_vault(id: &VaultId) -> String {
    format!("`az keyvault recover --name {} --subscription {}`", id.name(), id.subscription())
}

/// How a person creates a vault that fits.
pub fn create_vault(id: &VaultId, region: Option<&str>) -> String {
    format!(
        "`az keyvault create --name {} --resource-group {} --subscription {} --location {} --retention-days 90 \
         --enable-purge-protection true \
         --enable-rbac-authorization true`",
        id.name(),
        id.resource_group(),
        id.subscription(),
        region.map_or("REGION".to_owned(), brief),
    )
}
