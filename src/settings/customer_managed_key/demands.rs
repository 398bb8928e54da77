//! What must be so before an environment is linked to a policy, and stay so while it is. Pure.
//!
//! The rules are those of Microsoft's page about customer-managed keys and of its module for enterprise policies. Invariants: what the
//! service doesn't say is no fault of what it is about, and what decides something and isn't said makes it unknown.

use jiff::Timestamp;
use uuid::Uuid;

use super::block::{KeyRef, Protection};
use super::codes;
use super::observe::own_key;
use crate::azure::power_platform::environments::{Environment, Runtime, Sku};
use crate::azure::power_platform::policies::{Policy, PolicyKind};
use crate::azure::vault_keys::KeyVersion;
use crate::azure::vaults::Vault;
use crate::plan::NoteCode;
use crate::settings::geography::{self, Agreement};
use crate::settings::lifecycle::Course;
use crate::terms::VaultId;
use crate::terms::text::brief;

/// Something that isn't as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// Which refusal it is where the environment is yet to be linked.
    pub(super) code: NoteCode,
    /// What is wrong.
    pub(super) what: String,
    /// What to do.
    pub(super) help: String,
    /// What to do instead where an environment is encrypted already, if that is something else: what is made anew under an old name
    /// decrypts nothing.
    keep: Option<String>,
}

impl Fault {
    pub(super) fn new(code: NoteCode, what: impl Into<String>, help: impl Into<String>) -> Self {
        Self { code, what: what.into(), help: help.into(), keep: None }
    }

    /// The same with what to do where an environment is encrypted already.
    pub(super) fn or_keep(self, keep: impl Into<String>) -> Self {
        Self { keep: Some(keep.into()), ..self }
    }

    /// What to do for an environment that is encrypted already.
    pub(super) fn to_keep(&self) -> &str {
        self.keep.as_deref().unwrap_or(&self.help)
    }
}

/// Geographies of environments and of policies that fit although they differ.
const FITTING: [(&str, &str); 2] = [("unitedkingdom", "uk"), ("unitedstates", "unitedstateseuap")];
/// Where nothing that a person can do brings it back.
pub(super) const SUPPORT: &str = "open a support request at once: what it was can't be made anew";
/// Bits of an RSA key.
const SIZES: [u32; 2] = [2048, 3072];
/// What the key is used for.
const OPERATIONS: [&str; 2] = ["wrapKey", "unwrapKey"];

/// Whether it is the tenant's default environment.
pub(super) fn is_default(live: &Environment) -> bool {
    live.is_default == Some(true) || live.sku == Some(Sku::Default)
}

/// The geography of a policy for an environment.
pub(super) fn policy_location(location: &str) -> String {
    let location = location.to_lowercase();
    if location == "unitedkingdom" { "uk".to_owned() } else { location }
}

/// Whether a policy in one geography is for environments of another.
fn fits(environment: &str, policy: &str) -> bool {
    let pair =
        |(one, other): &(&str, &str)| environment.eq_ignore_ascii_case(one) && policy.eq_ignore_ascii_case(other);
    environment.eq_ignore_ascii_case(policy) || FITTING.iter().any(pair)
}

/// What keeps the environment itself from being linked, besides that it may be disabled.
pub(super) fn of_environment(live: &Environment) -> Vec<Fault> {
    let code = codes::CMK_ENVIRONMENT;
    let mut faults = Vec::new();
    if let Some(sku @ (Sku::Trial | Sku::SubscriptionBasedTrial | Sku::Teams)) = &live.sku {
        let what = format!("environments of the type {} can't have a customer-managed key", sku.as_str());
        faults.push(Fault::new(
            code,
            what,
            "convert it to a production or sandbox environment, or leave the block out",
        ));
    }
    if live.dataverse.is_none() {
        let help = "add Dataverse to it in the Power Platform admin center, or leave the block out";
        faults.push(Fault::new(code, "an environment without Dataverse can't have a customer-managed key", help));
    }
    faults
}

/// That the environment is disabled. While something goes on there, it may be disabled for that.
pub(super) fn disabled(live: &Environment, course: &Course) -> Option<Fault> {
    if matches!(course, Course::Elsewhere(_)) || live.runtime != Some(Runtime::Disabled) {
        return None;
    }
    let why = live.runtime_reason.as_deref().filter(|why| *why != "NotSpecified");
    let why = why.map(|why| format!(" ({})", brief(why))).unwrap_or_default();
    let what = format!("Power Platform shows the environment as disabled{why}, so it takes no operation");
    let help = "find out why in the Power Platform admin center; if its key can't be reached, restore the key and its grant first, \
                then enable the environment there";
    Some(Fault::new(codes::CMK_ENVIRONMENT, what, help))
}

/// What keeps a policy from being linked: to this environment, or to any.
pub(super) fn of_policy(policy: &Policy, live: Option<&Environment>) -> Vec<Fault> {
    let mut faults = Vec::new();
    if policy.kind != PolicyKind::Encryption {
        let what =
            format!("the policy {} is of the kind {}, not Encryption", policy.id.name(), brief(policy.kind.as_str()));
        faults.push(Fault::new(codes::CMK_POLICY_UNFIT, what, "name another policy: a policy's kind can't be changed"));
        return faults;
    }
    if policy.identity.as_deref().is_none_or(|identity| !identity.eq_ignore_ascii_case("SystemAssigned")) {
        let what =
            format!("the policy {} has no system-assigned identity, so nothing can use the key", policy.id.name());
        let help = "name another policy, or let palisade create one (`provision: true`)";
        faults.push(Fault::new(codes::CMK_POLICY_UNFIT, what, help).or_keep(SUPPORT));
    }
    if let Some(state) = policy.key.as_ref().and_then(|key| key.state.as_deref())
        && !state.eq_ignore_ascii_case("Enabled")
    {
        let what = format!("the encryption of the policy {} is {}", policy.id.name(), brief(state));
        faults.push(Fault::new(codes::CMK_POLICY_UNFIT, what, "name a policy whose encryption is enabled"));
    }
    let location = live.and_then(|live| live.location.as_deref());
    if let Some(location) = location.filter(|location| !fits(location, &policy.location)) {
        let what = format!(
            "the policy {} is in {}, the environment in {}",
            policy.id.name(),
            brief(&policy.location),
            brief(location)
        );
        let help = format!("name a policy in `{}`; a policy can't be moved", policy_location(location));
        faults.push(Fault::new(codes::CMK_LOCATION, what, help));
    }
    faults
}

/// Whether the policy refers to the declared key. If not, the file has to say how to get there.
pub(super) fn of_policys_key(policy: &Policy, wanted: &Protection, now: Timestamp) -> Option<Fault> {
    if policy.kind != PolicyKind::Encryption {
        return None;
    }
    let own = own_key(policy);
    if own.as_ref().is_some_and(|own| same_key(own, &wanted.key)) {
        return None;
    }
    let (what, former) = match own {
        Some(own) => {
            let version = own.version.as_ref().map(|it| format!(", version: {it}")).unwrap_or_default();
            let until = now.to_zoned(jiff::tz::TimeZone::UTC).date().saturating_add(jiff::ToSpan::days(31));
            let retained = format!(
                "`retained: [{{ policy: {}, key: {{ vault: {}, name: {}{version} }}, until: {until} }}]`",
                policy.id, own.vault, own.name
            );
            (format!("it refers to {own}"), format!(", and keep the former one with {retained}"))
        }
        None => {
            let vault = policy.key.as_ref().and_then(|key| key.vault.as_ref());
            let vault = vault.map_or("no key that palisade can tell".to_owned(), |id| {
                format!("a key of {} ({})", brief(id.name()), brief(&id.kind()))
            });
            (format!("it refers to {vault}"), String::new())
        }
    };
    let what =
        format!("the policy {} is declared with {}, but {what}; a policy keeps its key", policy.id.name(), wanted.key);
    let help = format!(
        "write the id of a new policy under `policy`, with `provision: true` to have it created{former}; it is then linked over the \
         old one, in place"
    );
    Some(Fault::new(codes::CMK_POLICY_KEY, what, help))
}

/// Whether two references lead to the same key and version.
fn same_key(one: &KeyRef, other: &KeyRef) -> bool {
    let KeyRef { vault, name, version } = one;
    *vault == other.vault && name.eq_ignore_ascii_case(&other.name) && *version == other.version
}

/// What is wrong with the vault of a key.
pub(super) fn of_vault(id: &VaultId, vault: &Vault, tenant: Uuid, live: &Environment) -> Vec<Fault> {
    let code = codes::CMK_VAULT_UNFIT;
    let (name, group) = (id.name(), id.resource_group());
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
            "turn it on, which can't be undone: `az keyvault update --name {name} --resource-group {group} {flag} true`"
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
            format!("let them in: `az keyvault update --name {name} --resource-group {group} --bypass AzureServices`");
        Fault::new(code, what, help)
    }));
    let here = live.azure_region.as_deref().or(live.location.as_deref());
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
pub(super) fn of_key(key: &KeyRef, version: &KeyVersion, now: Timestamp) -> Vec<Fault> {
    let KeyVersion { version: _, kind, size, operations, enabled, not_before, expires, created: _ } = version;
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
        (Some(_), Some(size)) if !SIZES.contains(size) => wrong(format!("has {size} bits, not 2048 or 3072"), create()),
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
pub(super) fn create_key(key: &KeyRef) -> String {
    format!(
        "`az keyvault key create --vault-name {} --name {} --kty RSA --size 3072 --ops wrapKey unwrapKey`",
        key.vault.name(),
        key.name
    )
}

/// Why a new one is no help.
pub(super) const NOT_ANEW: &str = "what is made anew under its name decrypts nothing";

/// How a person recovers a deleted key.
pub(super) fn recover_key(key: &KeyRef) -> String {
    format!("`az keyvault key recover --vault-name {} --name {}`", key.vault.name(), key.name)
}

/// How a person recovers a deleted vault.
pub(super) fn recover_vault(id: &VaultId) -> String {
    format!("`az keyvault recover --name {}`", id.name())
}

/// How a person creates a vault that fits.
pub(super) fn create_vault(id: &VaultId, live: &Environment) -> String {
    format!(
        "`az keyvault create --name {} --resource-group {} --location {} --retention-days 90 --enable-purge-protection true \
         --enable-rbac-authorization true`",
        id.name(),
        id.resource_group(),
        live.azure_region.as_deref().map_or("REGION".to_owned(), brief),
    )
}
