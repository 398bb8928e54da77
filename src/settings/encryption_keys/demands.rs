//! What must be so of a key that encrypts something, and of its vault. Pure.
//!
//! Invariants: what decides something and isn't said is unknown ([`untold`]), but for what Azure leaves out where it is off: soft delete
//! and purge protection.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::block::KeyRef;
use super::codes;
use crate::azure::operations::LIST_VAULT_KEY_VERSIONS;
use crate::azure::vault_keys::KeyVersion;
use crate::azure::vaults::{DeletedVault, Vault};
use crate::plan::NoteCode;
use crate::settings::geography::{self, Agreement};
use crate::settings::observation::Unreadable;
use crate::terms::text::brief;
use crate::terms::{ResourceId, VaultId};

/// Something that isn't as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Which refusal it is where nothing is encrypted with the key yet.
    pub code: NoteCode,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub help: String,
    /// What to do instead where something is encrypted with the key already, if that is something else: what is created again under an
    /// old name decrypts nothing.
    keep: Option<String>,
    /// When whoever encrypts with the key loses it.
    pub onset: Onset,
    /// The resource that is at fault; none if it isn't one that others could hang on as well.
    pub about: Option<ResourceId>,
    /// What brings the key back, where an operation does.
    pub repair: Option<Repair>,
    /// Whether another version of the key could help.
    pub(super) of_version: bool,
}

/// When whoever encrypts with a key loses it, as far as that is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Onset {
    /// Not by that alone.
    Never,
    /// By now, or at any moment.
    Untold,
    /// At this instant, in the past or in the future.
    At(Timestamp),
    /// By this instant, which is past; it may have been sooner: Azure tells only when something was changed last.
    Within(Timestamp),
}

impl Onset {
    /// The sooner one of two losses.
    #[must_use]
    pub fn sooner(self, other: Self) -> Self {
        match (self, other) {
            (Self::Never, one) | (one, Self::Never) => one,
            (Self::Untold, _) | (_, Self::Untold) => Self::Untold,
            (Self::At(one), Self::At(other)) => Self::At(one.min(other)),
            (Self::At(one) | Self::Within(one), Self::At(other) | Self::Within(other)) => Self::Within(one.min(other)),
        }
    }

    /// Whether the key is lost by now.
    pub fn is_past(self, now: Timestamp) -> bool {
        match self {
            Self::Never => false,
            Self::Untold => true,
            Self::At(at) | Self::Within(at) => at <= now,
        }
    }
}

/// What brings a key back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repair {
    /// The version is enabled, which was changed last at this instant.
    Enable(String, Option<Timestamp>),
    /// The key is recovered that was deleted at this instant.
    Key(Option<Timestamp>),
    /// The deleted vault is recovered.
    Vault(DeletedVault),
}

impl Fault {
    /// A fault with what to do about it.
    pub fn new(code: NoteCode, what: impl Into<String>, help: impl Into<String>) -> Self {
        let (what, help) = (what.into(), help.into());
        Self { code, what, help, keep: None, onset: Onset::Never, about: None, repair: None, of_version: false }
    }

    /// The same with what to do where something is encrypted already.
    #[must_use]
    pub fn or_keep(self, keep: impl Into<String>) -> Self {
        Self { keep: Some(keep.into()), ..self }
    }

    /// The same with something else to do.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: help.into(), ..self }
    }

    /// The same with when the key is lost by it.
    #[must_use]
    pub fn onset(self, onset: Onset) -> Self {
        Self { onset, ..self }
    }

    /// The same with the resource at fault.
    #[must_use]
    pub fn of(self, resource: Option<ResourceId>) -> Self {
        Self { about: resource, ..self }
    }

    /// The same with what brings the key back.
    #[must_use]
    pub fn repaired_by(self, repair: Option<Repair>) -> Self {
        Self { repair, ..self }
    }

    /// What to do for what is encrypted already.
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
    if let Some(found) = properties.tenant_id.filter(|found| *found != tenant) {
        let what = format!("the vault {name} belongs to the tenant {found}, the configuration is for {tenant}");
        faults.push(Fault::new(code, what, "name a vault of the same tenant").onset(Onset::Untold));
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
            "soft delete {is_off} in the vault {name}: a deleted key would be lost, and all data that it encrypts"
        );
        faults.push(Fault::new(code, what, turn_on("--enable-soft-delete")));
    }
    if !properties.purge_protected() {
        let what = format!(
            "purge protection is off in the vault {name}: a deleted key could be purged, and all data that it encrypts lost"
        );
        faults.push(Fault::new(code, what, turn_on("--enable-purge-protection")));
    }
    faults.extend(network(id, vault).map(|what| {
        let help =
            format!(
                "let them in: `az keyvault update --name {name} --resource-group {group} --subscription {subscription} --bypass \
                 AzureServices`"
            );
        Fault::new(code, what, help).onset(Onset::Untold)
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
    faults.into_iter().map(|fault| fault.of(Some(id.resource().clone()))).collect()
}

/// That a network security perimeter decides who reaches the vault, whose rules come before the vault's own.
pub fn perimeter(id: &VaultId, vault: &Vault) -> Option<String> {
    let access = vault.properties.public_network_access.as_deref()?;
    access.eq_ignore_ascii_case("SecuredByPerimeter").then(|| {
        format!(
            "a network security perimeter decides who reaches the vault {}, and whether it lets trusted Microsoft services in isn't told",
            id.name()
        )
    })
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

/// That Azure doesn't tell which tenant a vault belongs to.
pub fn tenant_untold(id: &VaultId, vault: &Vault) -> Option<Unreadable> {
    let untold = || Unreadable::because(format!("Azure doesn't tell which tenant the vault {} belongs to", id.name()));
    vault.properties.tenant_id.is_none().then(untold)
}

/// What decides whether a key can be used, and isn't told of it.
pub fn untold(key: &KeyRef, version: &KeyVersion) -> Option<Unreadable> {
    let KeyVersion { kind, size, enabled, .. } = version;
    let parts =
        [("whether it is enabled", enabled.is_none()), ("its type", kind.is_none()), ("its size", size.is_none())];
    let rsa = kind.as_deref().is_none_or(|kind| kind.to_ascii_uppercase().starts_with("RSA"));
    let missing: Vec<&str> =
        parts.into_iter().filter(|(what, none)| *none && (rsa || *what != "its size")).map(|(what, _)| what).collect();
    (!missing.is_empty()).then(|| {
        let reason = format!("Azure doesn't tell {} of the key {key}", missing.join(", "));
        Unreadable::from_operation(LIST_VAULT_KEY_VERSIONS.facts(), reason)
    })
}

/// What is wrong with a key, or with the version of it that is pinned.
pub fn of_key(key: &KeyRef, version: &KeyVersion, sizes: &[u32], now: Timestamp) -> Vec<Fault> {
    let mut faults = Vec::new();
    let KeyVersion { version: name, enabled, not_before, expires, updated, .. } = version;
    let unfit = |what: String, help: String| Fault::new(codes::CMK_KEY_UNFIT, format!("the key {key} {what}"), help);
    let changed = updated.map_or(Onset::Untold, Onset::Within);
    if *enabled == Some(false) {
        let since = updated.map(|at| format!(", since {at:.0} at the latest")).unwrap_or_default();
        let fault = unfit(format!("is disabled{since}"), format!("enable it: {}", enable(key)));
        faults.push(fault.onset(changed).repaired_by(name.clone().map(|name| Repair::Enable(name, *updated))));
    }
    if let Some(from) = not_before.filter(|from| *from > now) {
        let help = format!("set an earlier date: {}", set(key, &format!("--not-before {now:.0}")));
        faults.push(unfit(format!("can't be used before {from:.0}"), help).onset(changed));
    }
    if let Some(end) = expires.filter(|end| *end <= now) {
        let fault = unfit(format!("expired at {end:.0}"), format!("set a later date: {}", set(key, &later(now))));
        faults.push(fault.onset(Onset::At(end)));
    }
    let material = of_material(key, version, sizes);
    let of_version = faults.into_iter().map(|fault| Fault { of_version: true, ..fault });
    material.into_iter().chain(of_version).map(|fault| fault.of(key.resource())).collect()
}

/// What of a version can't be changed any more, and what may be done with it.
fn of_material(key: &KeyRef, version: &KeyVersion, sizes: &[u32]) -> Vec<Fault> {
    let KeyVersion {
        version: _,
        kind,
        size,
        operations,
        enabled: _,
        not_before: _,
        expires: _,
        created: _,
        updated: _,
    } = version;
    let mut faults = Vec::new();
    let mut wrong = |what: String, help: String| {
        faults.push(Fault::new(codes::CMK_KEY_UNFIT, format!("the key {key} {what}"), help).onset(Onset::Untold));
    };
    let create = || format!("name another key, or create one: {}", create_key(key));
    match (kind.as_deref(), size) {
        (Some(kind), _) if !["RSA", "RSA-HSM"].iter().any(|known| kind.eq_ignore_ascii_case(known)) => {
            wrong(format!("is of the type {}, not RSA", brief(kind)), create());
        }
        (None, _) | (Some(_), None) => {}
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
            format!("allow it: {}", set(key, &format!("--ops {}", all.join(" ")))),
        );
    }
    faults
}

/// How a person enables a key, or a version of it.
pub fn enable(key: &KeyRef) -> String {
    set(key, "--enabled true")
}

/// How a person changes the attributes of a key.
fn set(key: &KeyRef, flags: &str) -> String {
    let version = key.version.as_ref().map(|version| format!(" --version {version}")).unwrap_or_default();
    format!("`az keyvault key set-attributes --vault-name {} --name {}{version} {flags}`", key.vault.name(), key.name)
}

/// How a person gives a key, or a version of it, a later date.
pub fn extend(key: &KeyRef, now: Timestamp) -> String {
    set(key, &later(now))
}

/// A date that is far enough away.
fn later(now: Timestamp) -> String {
    let later = now.saturating_add(SignedDuration::from_hours(2 * 365 * 24)).unwrap_or(Timestamp::MAX);
    format!("--expires {later:.0}")
}

/// That a key expires within the margin.
pub fn expiring(key: &KeyRef, version: &KeyVersion, margin: SignedDuration, now: Timestamp) -> Option<Fault> {
    let end = version.expires.filter(|end| *end > now && end.duration_since(now) <= margin)?;
    let help = match key.version {
        None => format!(
            "make a new version: `az keyvault key rotate --vault-name {} --name {}`; or set a later date: {}",
            key.vault.name(),
            key.name,
            set(key, &later(now))
        ),
        Some(_) => format!("set a later date: {}", set(key, &later(now))),
    };
    let days = end.duration_since(now).as_hours() / 24;
    let left = match days {
        0 => "less than a day".to_owned(),
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    };
    let fault = Fault::new(codes::CMK_KEY_EXPIRES, format!("the key {key} expires at {end:.0}, in {left}"), help);
    Some(Fault { of_version: true, ..fault.onset(Onset::At(end)).of(key.resource()) })
}

/// What to do about a fault of a key that nothing is encrypted with yet: what isn't there can be created as well.
pub fn of_new(key: &KeyRef, fault: Fault, region: Option<&str>) -> Fault {
    if fault.repair.is_some() {
        return fault;
    }
    let help = match fault.code {
        code if code == codes::CMK_VAULT_NOT_FOUND => format!(
            "correct `key.vault`, recover the vault if it was deleted ({}), or create it: {}",
            recover_vault(&key.vault),
            create_vault(&key.vault, region)
        ),
        code if code == codes::CMK_KEY_NOT_FOUND => format!(
            "correct `key`, recover the key if it was deleted ({}), or create it: {}",
            recover_key(key),
            create_key(key)
        ),
        _ => return fault,
    };
    fault.help(help)
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
pub const NOT_ANEW: &str = "what is created again under its name decrypts nothing";

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
