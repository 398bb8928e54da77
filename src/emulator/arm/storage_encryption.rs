//! What a storage account is encrypted with: Microsoft's key, or one in a vault.
//!
//! The shapes are published, the rules documented (learn.microsoft.com/azure/storage/common/customer-managed-keys-overview). Of the
//! codes, `KeyVaultPolicyError` is quoted in Azure/azure-cli#12346; the others of the vault begin with `Emulated`, but for the one of
//! a missing grant. Invariants: a key is taken only if the vault is protected and the identity that is named may use it; a key without a
//! version follows the newest enabled one, as late as the world's behaviour says; what kind of key a service has stays as it was
//! created.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::Visit;
use super::error::ArmError;
use super::storage_identity;
use crate::emulator::encryption_keys::{self, Counts, Problem, Use};
use crate::emulator::views::before;
use crate::emulator::world::{KeyVersion, StorageAccount, Vault, Versioned, World};

/// The sizes that storage supports.
const SIZES: [u16; 3] = [2048, 3072, 4096];
const KEY: &str = "keyvaultproperties";
const MICROSOFT: &str = "Microsoft.Storage";
const VAULT: &str = "Microsoft.Keyvault";
/// What the service alone sets, and clients may send back.
const OWN: [&str; 3] =
    ["currentVersionedKeyIdentifier", "lastKeyRotationTimestamp", "currentVersionedKeyExpirationTimestamp"];

fn wrong(member: &str) -> ArmError {
    ArmError::invalid_value(&format!("encryption.{member}"))
}

/// Sets what a body says about encryption. What it says already changes nothing.
pub(super) fn set(
    visit: &Visit<'_>,
    world: &World,
    account: &mut StorageAccount,
    value: &Value,
) -> Result<(), ArmError> {
    let present = account.properties.get("encryption").cloned().unwrap_or_else(|| json!({}));
    if within(value, &present) {
        return Ok(());
    }
    let wanted = value.as_object().ok_or_else(|| ArmError::invalid_value("encryption"))?;
    let mut next = present.as_object().cloned().unwrap_or_default();
    for (member, value) in wanted {
        match (member.as_str(), value) {
            ("keySource" | KEY | "identity", _) | (_, Value::Null) => {}
            ("services", services) => check_services(services, &present["services"])?,
            ("requireInfrastructureEncryption", wish) if within(wish, &present[member]) => {}
            (other, _) => return Err(wrong(other)),
        }
    }
    // Replaced as a whole, like every member of an account.
    next.retain(|member, _| ![KEY, "identity"].contains(&member.as_str()));
    match wanted.get("keySource").and_then(Value::as_str) {
        Some(MICROSOFT) => {
            if !wanted.get(KEY).unwrap_or(&Value::Null).is_null() {
                return Err(wrong(KEY));
            }
            next.insert("keySource".to_owned(), json!(MICROSOFT));
        }
        Some(VAULT) => {
            let identity = wanted.get("identity").cloned().unwrap_or_default();
            let key = accept(visit, world, account, wanted.get(KEY).unwrap_or(&Value::Null), &identity)?;
            next.insert("keySource".to_owned(), json!(VAULT));
            next.insert(KEY.to_owned(), key);
            if !identity.is_null() {
                next.insert("identity".to_owned(), identity);
            }
        }
        _ => return Err(wrong("keySource")),
    }
    account.properties.insert("encryption".to_owned(), Value::Object(next));
    Ok(())
}

/// Whether a value says what is there already: clients send it back as they read it, less what only the service sets.
fn within(given: &Value, present: &Value) -> bool {
    match (given, present) {
        (Value::Null, _) => present.is_null(),
        (Value::Object(given), Value::Object(present)) => {
            let said = |(name, value): (&String, &Value)| {
                OWN.contains(&name.as_str()) || within(value, present.get(name).unwrap_or(&Value::Null))
            };
            given.iter().all(said)
        }
        _ => given == present,
    }
}

/// Encryption can't be switched off, and what kind of key a service has is settled at creation.
fn check_services(wanted: &Value, present: &Value) -> Result<(), ArmError> {
    let wanted = wanted.as_object().ok_or_else(|| wrong("services"))?;
    for (service, wish) in wanted.iter().filter(|(_, wish)| !wish.is_null()) {
        let member = |name: &str| wrong(&format!("services.{service}.{name}"));
        if wish["enabled"] == json!(false) {
            return Err(member("enabled"));
        }
        let kind = present[service]["keyType"].as_str().unwrap_or("Service");
        if wish["keyType"].as_str().is_some_and(|asked| asked != kind) {
            return Err(member("keyType"));
        }
    }
    Ok(())
}

/// The key as the account keeps it, if it can be used.
fn accept(
    visit: &Visit<'_>,
    world: &World,
    account: &StorageAccount,
    key: &Value,
    identity: &Value,
) -> Result<Value, ArmError> {
    let member = |name: &str| wrong(&format!("{KEY}.{name}"));
    let given = key.as_object().ok_or_else(|| wrong(KEY))?;
    if let Some(unknown) =
        given.keys().find(|name| !["keyvaulturi", "keyname", "keyversion"].contains(&name.as_str()) && !is_own(name))
    {
        return Err(member(unknown));
    }
    let text = |name: &str| given.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let uri = text("keyvaulturi").ok_or_else(|| member("keyvaulturi"))?;
    let name = text("keyname").ok_or_else(|| member("keyname"))?;
    let version = text("keyversion");
    let vault = vault(world, uri).ok_or_else(|| {
        ArmError::bad_request("EmulatedKeyVaultNotFound", "The key vault could not be found.").by_provider()
    })?;
    let identity = acting(world, account, identity)?;
    let of = Use { vault, key: name, version, counts: Counts::Newest, sizes: &SIZES, identity };
    let used = encryption_keys::usable(world, &of, visit.now).map_err(|problem| refused(&problem, name))?;
    let mut key = json!({
        "keyvaulturi": uri,
        "keyname": name,
        "currentVersionedKeyIdentifier": identifier(uri, name, used),
        "lastKeyRotationTimestamp": instant(visit.now),
    });
    // Without one, the service shows an empty text or nothing; here it is nothing.
    if let Some(version) = version {
        key["keyversion"] = json!(version);
    }
    Ok(key)
}

fn is_own(name: &str) -> bool {
    OWN.contains(&name)
}

/// Whose use of the key it is: the identity that is named, else the account's own.
fn acting(world: &World, account: &StorageAccount, identity: &Value) -> Result<Option<Uuid>, ArmError> {
    let named = match identity {
        Value::Null => None,
        Value::Object(members) => match members.get("federatedIdentityClientId").is_none_or(Value::is_null) {
            true => members.get("userAssignedIdentity").and_then(Value::as_str).filter(|id| !id.is_empty()),
            // A vault of another tenant isn't in the world.
            false => return Err(wrong("identity.federatedIdentityClientId")),
        },
        _ => return Err(wrong("identity")),
    };
    let Some(named) = named else { return Ok(account.system_identity) };
    let given = account.user_identities.iter().any(|known| known.eq_ignore_ascii_case(named));
    let known = storage_identity::find(world, named).filter(|_| given);
    known.map(|identity| Some(identity.principal_id)).ok_or_else(|| wrong("identity.userAssignedIdentity"))
}

/// A vault by its address, of which the first label is its name, wherever it is served.
fn vault<'w>(world: &'w World, uri: &str) -> Option<&'w Vault> {
    let host = uri.strip_prefix("https://").or_else(|| uri.strip_prefix("http://"))?;
    let name = host.split(['.', '/', ':']).next().unwrap_or_default();
    world.vaults.get(&name.to_ascii_lowercase())
}

fn refused(problem: &Problem, name: &str) -> ArmError {
    let (code, message) = match problem {
        Problem::VaultUnprotected => ("KeyVaultPolicyError", "Keyvault policy recoverable is not set".to_owned()),
        // As reported by many; no published list has the code.
        Problem::Denied => (
            "KeyVaultAuthenticationFailure",
            "The operation failed because of authentication issue on the keyvault.".to_owned(),
        ),
        other => other.emulated(name),
    };
    ArmError::bad_request(code, message).by_provider()
}

fn identifier(uri: &str, name: &str, version: &KeyVersion) -> String {
    format!("{}/keys/{name}/{}", uri.trim_end_matches('/'), version.version())
}

fn instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%7fZ").to_string()
}

/// The encryption as the account shows it: a key that is followed is of the version that storage has found by now.
pub(super) fn shown(encryption: &Value, world: &World, now: Timestamp) -> Value {
    let mut shown = encryption.clone();
    if let Some(key) = shown.get_mut(KEY).and_then(Value::as_object_mut) {
        follow(key, world, now);
    }
    shown
}

fn follow(key: &mut Map<String, Value>, world: &World, now: Timestamp) {
    let text = |name: &str| key.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (uri, name) = (text("keyvaulturi"), text("keyname"));
    if !text("keyversion").is_empty() {
        return;
    }
    let Some(found) = vault(world, &uri).and_then(|vault| encryption_keys::find(vault, &name)) else { return };
    let check = world.behaviour.storage_key_check;
    let seen = before(now, check);
    let newest = |version: &&KeyVersion| version.attributes.enabled && version.attributes.created <= seen;
    let Some(newest) = found.versions.iter().rev().find(newest) else { return };
    let present = text(OWN[0]);
    let present = present.rsplit('/').next().unwrap_or_default();
    let at = |version: &str| found.versions.iter().position(|one| one.version.eq_ignore_ascii_case(version));
    if at(present) < at(&newest.version) {
        let since = newest.attributes.created.saturating_add(check).unwrap_or(now);
        key.insert(OWN[0].to_owned(), json!(identifier(&uri, &name, newest)));
        key.insert(OWN[1].to_owned(), json!(instant(since)));
    }
}
