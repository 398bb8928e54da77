//! `Microsoft.Storage/storageAccounts`.
//!
//! What must stay true: a PATCH replaces whole members, arrays included, and leaves out what it doesn't name; the account
//! shows the same connections as the list below it; a PATCH that is refused in part changes nothing.

use http::Method;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::connections::{self, STORAGE};
use super::error::ArmError;
use super::page::page;
use super::{Provider, Target, Visit, only, storage_encryption, storage_identity};
use crate::emulator::api_versions;
use crate::emulator::call::Answer;
use crate::emulator::rights::covers;
use crate::emulator::unserved::NotServed;
use crate::emulator::world::{StorageAccount, World};

/// The type on the wire.
pub(super) const TYPE: &str = "Microsoft.Storage/storageAccounts";
const READ: &str = "Microsoft.Storage/storageAccounts/read";
const WRITE: &str = "Microsoft.Storage/storageAccounts/write";

pub(super) const PROVIDER: Provider = Provider {
    namespace: "Microsoft.Storage",
    types: &["storageAccounts"],
    locations: &[],
    api_versions: api_versions::STORAGE,
    serve,
};

/// What a member of `properties` may be.
#[derive(Debug, Clone, Copy)]
enum Shape {
    Switch,
    Word(&'static [&'static str]),
    Object,
    Firewall,
}

/// What PATCH can set besides `encryption`, which has rules of its own.
const SETTABLE: &[(&str, Shape)] = &[
    ("accessTier", Shape::Word(&["Hot", "Cool", "Premium", "Cold"])),
    ("allowBlobPublicAccess", Shape::Switch),
    ("allowCrossTenantReplication", Shape::Switch),
    ("allowSharedKeyAccess", Shape::Switch),
    ("allowedCopyScope", Shape::Word(&["PrivateLink", "AAD"])),
    ("azureFilesIdentityBasedAuthentication", Shape::Object),
    ("customDomain", Shape::Object),
    ("defaultToOAuthAuthentication", Shape::Switch),
    ("dnsEndpointType", Shape::Word(&["Standard", "AzureDnsZone"])),
    ("immutableStorageWithVersioning", Shape::Object),
    ("isLocalUserEnabled", Shape::Switch),
    ("isSftpEnabled", Shape::Switch),
    ("keyPolicy", Shape::Object),
    ("largeFileSharesState", Shape::Word(&["Enabled", "Disabled"])),
    ("minimumTlsVersion", Shape::Word(&["TLS1_0", "TLS1_1", "TLS1_2", "TLS1_3"])),
    ("networkAcls", Shape::Firewall),
    ("publicNetworkAccess", Shape::Word(&["Enabled", "Disabled", "SecuredByPerimeter"])),
    ("routingPreference", Shape::Object),
    ("sasPolicy", Shape::Object),
    ("supportsHttpsTrafficOnly", Shape::Switch),
];

/// What PATCH can set in the real service (2026-09-01), and not here.
const UNSERVED: &[&str] = &[
    "allowCrossTenantDelegationSas",
    "allowSharedKeyAccessForServices",
    "dataCollaborationPolicyProperties",
    "dualStackEndpointPreference",
    "enableExtendedGroups",
    "geoPriorityReplicationStatus",
];

fn serve(visit: &Visit<'_>, target: &Target<'_>) -> Result<Answer, ArmError> {
    let lower: Vec<String> = target.rest.iter().map(|s| s.to_ascii_lowercase()).collect();
    let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
    let name = target.rest.get(1).copied().unwrap_or_default();
    let in_group = target.group.is_some();
    match lower.as_slice() {
        ["storageaccounts"] => {
            only(visit.call, &[Method::GET])?;
            visit.read(|world| list(visit, world, target))
        }
        ["storageaccounts", _] if in_group => match visit.call.method {
            Method::PATCH => visit.change(|world| update(visit, world, target, name)),
            _ => {
                only(visit.call, &[Method::GET, Method::PATCH])?;
                visit.read(|world| get(visit, world, target, name))
            }
        },
        ["storageaccounts", _, "privateendpointconnections"] if in_group => {
            connections::serve(visit, target, &STORAGE, name, None)
        }
        ["storageaccounts", _, "privateendpointconnections", _] if in_group => {
            connections::serve(visit, target, &STORAGE, name, target.rest.last().copied())
        }
        _ => Err(ArmError::not_served(visit.call)),
    }
}

fn find<'w>(
    visit: &Visit<'_>,
    world: &'w World,
    target: &Target<'_>,
    name: &str,
) -> Result<&'w StorageAccount, ArmError> {
    let group = visit.group(world, target)?;
    let id = target.resource(TYPE, name);
    let found = world.storage_accounts.get(&name.to_ascii_lowercase()).filter(|a| a.id.eq_ignore_ascii_case(&id));
    found.ok_or_else(|| ArmError::resource_not_found(TYPE, name, &group.name))
}

/// `GET B`
fn get(visit: &Visit<'_>, world: &World, target: &Target<'_>, name: &str) -> Result<Answer, ArmError> {
    visit.require(world, READ, &target.id())?;
    Ok(Answer::ok(resource(find(visit, world, target, name)?, world, visit.now)))
}

/// Both lists.
fn list(visit: &Visit<'_>, world: &World, target: &Target<'_>) -> Result<Answer, ArmError> {
    visit.require(world, READ, &target.scope)?;
    if target.group.is_some() {
        visit.group(world, target)?;
    }
    let below = world.storage_accounts.values().filter(|a| covers(&target.scope, &a.id));
    let items = below.map(|a| resource(a, world, visit.now)).collect();
    page(visit, items, world.behaviour.empty_first_pages)
}

/// `PATCH B`: at once. The identity comes before the encryption that uses it, in whatever order the body has them.
fn update(visit: &Visit<'_>, world: &mut World, target: &Target<'_>, name: &str) -> Result<Answer, ArmError> {
    visit.require(world, WRITE, &target.id())?;
    let mut account = find(visit, world, target, name)?.clone();
    let mut body = visit.body()?;
    if let Some(identity) = body.remove("identity").filter(|identity| !identity.is_null()) {
        storage_identity::set(visit, world, &mut account, &identity)?;
    }
    for (member, value) in body {
        match (member.as_str(), value) {
            ("tags", tags) => account.tags = read_tags(tags)?,
            ("kind", Value::String(kind)) if kind == "StorageV2" => account.kind = kind,
            ("sku", sku) => {
                account.sku =
                    sku["name"].as_str().map(str::to_owned).ok_or_else(|| ArmError::invalid_value("sku.name"))?;
            }
            ("properties", Value::Object(properties)) => set_properties(visit, world, &mut account, properties)?,
            (other, _) => return Err(ArmError::invalid_value(other)),
        }
    }
    let answer = Answer::ok(resource(&account, world, visit.now));
    world.storage_accounts.insert(name.to_ascii_lowercase(), account);
    Ok(answer)
}

/// Replaced as a whole; the bounds are those of the model.
fn read_tags(tags: Value) -> Result<std::collections::BTreeMap<String, String>, ArmError> {
    let tags: std::collections::BTreeMap<String, String> =
        serde_json::from_value(tags).map_err(|_| ArmError::invalid_value("tags"))?;
    let fits = tags.len() <= 15 && tags.iter().all(|(key, value)| key.len() <= 128 && value.len() <= 256);
    if fits { Ok(tags) } else { Err(ArmError::invalid_value("tags")) }
}

fn set_properties(
    visit: &Visit<'_>,
    world: &World,
    account: &mut StorageAccount,
    properties: Map<String, Value>,
) -> Result<(), ArmError> {
    for (member, value) in properties {
        if member == "encryption" {
            if !value.is_null() {
                storage_encryption::set(visit, world, account, &value)?;
            }
            continue;
        }
        let Some((_, shape)) = SETTABLE.iter().find(|(known, _)| *known == member) else {
            let known = UNSERVED.contains(&member.as_str());
            let unserved = || NotServed::part(visit.call, &format!("properties.{member}")).into();
            return Err(if known { unserved() } else { ArmError::invalid_value(&member) });
        };
        let value = match (shape, value) {
            (_, Value::Null) => {
                account.properties.remove(&member);
                continue;
            }
            (Shape::Switch, value @ Value::Bool(_)) | (Shape::Object, value @ Value::Object(_)) => value,
            (Shape::Word(words), Value::String(word)) if words.contains(&word.as_str()) => Value::String(word),
            (Shape::Firewall, Value::Object(acls)) => firewall(&acls)?,
            _ => return Err(ArmError::invalid_value(&member)),
        };
        account.properties.insert(member, value);
    }
    Ok(())
}

/// The whole firewall: what a body leaves out is gone.
fn firewall(acls: &Map<String, Value>) -> Result<Value, ArmError> {
    const BYPASS: [&str; 4] = ["None", "Logging", "Metrics", "AzureServices"];
    let wrong = |member: &str| ArmError::invalid_value(&format!("networkAcls.{member}"));
    let action = acls.get("defaultAction").and_then(Value::as_str).filter(|a| ["Allow", "Deny"].contains(a));
    let bypass = acls.get("bypass").and_then(Value::as_str).unwrap_or("AzureServices");
    if !bypass.split(',').all(|word| BYPASS.contains(&word.trim())) {
        return Err(wrong("bypass"));
    }
    let mut shown = json!({ "bypass": bypass, "defaultAction": action.ok_or_else(|| wrong("defaultAction"))? });
    for (member, key) in [("ipRules", "value"), ("virtualNetworkRules", "id"), ("resourceAccessRules", "resourceId")] {
        let mut rules = acls.get(member).cloned().unwrap_or_else(|| json!([]));
        let rules = rules.as_array_mut().ok_or_else(|| wrong(member))?;
        for rule in rules.iter_mut() {
            let rule = rule.as_object_mut().filter(|r| r.get(key).is_some_and(Value::is_string));
            let rule = rule.ok_or_else(|| wrong(member))?;
            if member != "resourceAccessRules" {
                rule.entry("action").or_insert_with(|| json!("Allow"));
            }
            if member == "virtualNetworkRules" {
                rule.insert("state".to_owned(), json!("Succeeded"));
            }
        }
        shown[member] = json!(rules);
    }
    Ok(shown)
}

/// An account as ARM shows it. Taken apart in full, so that a new member can't be forgotten.
pub(super) fn resource(account: &StorageAccount, world: &World, now: Timestamp) -> Value {
    let StorageAccount {
        id,
        location,
        kind,
        sku,
        tags,
        system_identity: _,
        user_identities: _,
        created,
        properties,
        connections,
    } = account;
    let name = id.rsplit('/').next().unwrap_or_default();
    let created = created.strftime("%Y-%m-%dT%H:%M:%S.%7fZ").to_string();
    let endpoint = |service: &str| format!("https://{name}.{service}.core.windows.net/");
    let mut shown: Map<String, Value> = properties.clone().into_iter().collect();
    if let Some(encryption) = shown.get_mut("encryption") {
        *encryption = storage_encryption::shown(encryption, world, now);
    }
    let added = [
        ("provisioningState", json!("Succeeded")),
        ("creationTime", json!(created)),
        ("keyCreationTime", json!({ "key1": created, "key2": created })),
        ("primaryLocation", json!(location)),
        ("statusOfPrimary", json!("available")),
        (
            "primaryEndpoints",
            json!({ "blob": endpoint("blob"), "dfs": endpoint("dfs"), "file": endpoint("file"),
                    "queue": endpoint("queue"), "table": endpoint("table"), "web": endpoint("z6.web") }),
        ),
        ("privateEndpointConnections", Value::Array(STORAGE.embedded(id, connections, now))),
    ];
    shown.extend(added.map(|(member, value)| (member.to_owned(), value)));
    let tier = sku.split('_').next().unwrap_or_default();
    let mut resource = json!({
        "id": id,
        "name": name,
        "type": TYPE,
        "location": location,
        "kind": kind,
        "sku": { "name": sku, "tier": tier },
        "tags": tags,
        "properties": shown,
    });
    if let Some(identity) = storage_identity::shown(account, world) {
        resource["identity"] = identity;
    }
    resource
}
