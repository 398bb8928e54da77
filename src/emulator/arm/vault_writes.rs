//! What changes a vault: PATCH and the access policy verbs.
//!
//! What must stay true: soft delete and purge protection never go off; a verb touches only the entries that it names, found
//! by tenant, object and application id.

use http::StatusCode;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::error::ArmError;
use super::vaults::{self, TYPE};
use super::{Target, Visit};
use crate::emulator::call::{Answer, guid};
use crate::emulator::world::{AccessPolicy, DefaultAction, NetworkAcls, PolicyPermissions, Vault, VaultSku, World};

const WRITE: &str = "Microsoft.KeyVault/vaults/write";
const POLICIES: &str = "Microsoft.KeyVault/vaults/accessPolicies/write";
/// The most entries.
const MOST_POLICIES: usize = 1024;

fn bad(member: &str) -> ArmError {
    let message = format!("The parameter {member} has an invalid value.");
    ArmError::bad_request("BadRequest", message).by_provider()
}

fn find<'w>(visit: &Visit<'_>, world: &'w World, target: &Target<'_>, name: &str) -> Result<&'w Vault, ArmError> {
    let group = visit.group(world, target)?;
    let id = target.resource(TYPE, name);
    let found = world.vaults.get(&name.to_ascii_lowercase()).filter(|v| v.id.eq_ignore_ascii_case(&id));
    found.ok_or_else(|| ArmError::resource_not_found(TYPE, name, &group.name))
}

/// `PATCH V`: at once.
pub(super) fn update(
    visit: &Visit<'_>,
    world: &mut World,
    target: &Target<'_>,
    name: &str,
) -> Result<Answer, ArmError> {
    visit.require(world, WRITE, &target.id())?;
    let mut vault = find(visit, world, target, name)?.clone();
    for (member, value) in visit.body()? {
        match (member.as_str(), value) {
            ("tags", tags) => vault.tags = serde_json::from_value(tags).map_err(|_| bad("tags"))?,
            ("properties", Value::Object(properties)) => set_properties(&mut vault, properties)?,
            (other, _) => return Err(bad(other)),
        }
    }
    let answer = Answer::ok(vaults::resource(&vault, &visit.call.origin, visit.now));
    world.vaults.insert(name.to_ascii_lowercase(), vault);
    Ok(answer)
}

fn set_properties(vault: &mut Vault, properties: Map<String, Value>) -> Result<(), ArmError> {
    for (member, value) in properties {
        match (member.as_str(), value) {
            // Left out and null are the same here.
            (_, Value::Null) => {}
            ("accessPolicies", policies) => vault.access_policies = read_policies(&policies)?,
            ("enableSoftDelete", Value::Bool(on)) if on || !vault.enable_soft_delete => vault.enable_soft_delete = on,
            ("enablePurgeProtection", Value::Bool(true)) => vault.enable_purge_protection = true,
            ("enableRbacAuthorization", Value::Bool(on)) => vault.enable_rbac_authorization = Some(on),
            ("softDeleteRetentionInDays", days) if days == json!(vault.soft_delete_retention_in_days) => {}
            ("tenantId", id) if id.as_str().and_then(guid) == Some(vault.tenant_id) => {}
            ("publicNetworkAccess", Value::String(word)) => vault.public_network_access = Some(word),
            ("networkAcls", acls) => vault.network_acls = Some(read_firewall(&acls)?),
            ("sku", sku) => {
                vault.sku = match sku["name"].as_str().map(str::to_ascii_lowercase).as_deref() {
                    Some("standard") => VaultSku::Standard,
                    Some("premium") => VaultSku::Premium,
                    _ => return Err(bad("sku")),
                };
            }
            // The world doesn't keep these; off is what a vault shows.
            (
                "enabledForDeployment" | "enabledForDiskEncryption" | "enabledForTemplateDeployment",
                Value::Bool(false),
            ) => {}
            (other, _) => return Err(bad(other)),
        }
    }
    Ok(())
}

fn read_firewall(acls: &Value) -> Result<NetworkAcls, ArmError> {
    let texts = |member: &str, key: &str| -> Result<Vec<String>, ArmError> {
        let rules = match &acls[member] {
            Value::Null => return Ok(Vec::new()),
            rules => rules.as_array().ok_or_else(|| bad(member))?,
        };
        rules.iter().map(|r| r[key].as_str().map(str::to_owned).ok_or_else(|| bad(member))).collect()
    };
    let bypass = acls["bypass"].as_str().unwrap_or("AzureServices");
    if !["AzureServices", "None"].contains(&bypass) {
        return Err(bad("networkAcls.bypass"));
    }
    Ok(NetworkAcls {
        bypass: bypass.to_owned(),
        default_action: match acls["defaultAction"].as_str() {
            None | Some("Allow") => DefaultAction::Allow,
            Some("Deny") => DefaultAction::Deny,
            Some(_) => return Err(bad("networkAcls.defaultAction")),
        },
        ip_rules: texts("ipRules", "value")?,
        virtual_network_rules: texts("virtualNetworkRules", "id")?,
    })
}

fn read_policies(policies: &Value) -> Result<Vec<AccessPolicy>, ArmError> {
    // Null is none.
    let none = Vec::new();
    let entries = if policies.is_null() { &none } else { policies.as_array().ok_or_else(|| bad("accessPolicies"))? };
    if entries.len() > MOST_POLICIES {
        return Err(bad("accessPolicies"));
    }
    let id = |entry: &Value, member: &str| entry[member].as_str().and_then(guid);
    let read = |entry: &Value| -> Option<AccessPolicy> {
        Some(AccessPolicy {
            tenant_id: id(entry, "tenantId")?,
            object_id: id(entry, "objectId")?,
            application_id: id(entry, "applicationId"),
            permissions: read_permissions(&entry["permissions"])?,
        })
    };
    entries.iter().map(|entry| read(entry).ok_or_else(|| bad("accessPolicies"))).collect()
}

/// The lists of one entry; null and left out are empty.
fn read_permissions(permissions: &Value) -> Option<PolicyPermissions> {
    let given = permissions.as_object()?.iter().filter(|(_, list)| !list.is_null());
    serde_json::from_value(Value::Object(given.map(|(name, list)| (name.clone(), list.clone())).collect())).ok()
}

/// `PUT V/accessPolicies/{add|replace|remove}`. There is no GET.
pub(super) fn policies(
    visit: &Visit<'_>,
    world: &mut World,
    target: &Target<'_>,
    (name, verb): (&str, &str),
) -> Result<Answer, ArmError> {
    visit.require(world, POLICIES, &target.resource(TYPE, name))?;
    let mut vault = find(visit, world, target, name)?.clone();
    let body = Value::Object(visit.body()?);
    let named = read_policies(&body["properties"]["accessPolicies"])?;
    for entry in named {
        let present = vault.access_policies.iter().position(|p| key(p) == key(&entry));
        match (verb.to_ascii_lowercase().as_str(), present) {
            ("add" | "replace", None) => vault.access_policies.push(entry),
            ("add", Some(at)) => join(&mut vault.access_policies[at].permissions, entry.permissions),
            ("replace", Some(at)) => vault.access_policies[at] = entry,
            ("remove", Some(at)) => {
                if !take(&mut vault.access_policies[at].permissions, &entry.permissions) {
                    vault.access_policies.remove(at);
                }
            }
            ("remove", None) => {}
            _ => return Err(bad("operationKind")),
        }
    }
    if vault.access_policies.len() > MOST_POLICIES {
        return Err(bad("accessPolicies"));
    }
    let answer = Answer::json(
        StatusCode::OK,
        json!({
            "id": format!("{}/accessPolicies/", vault.id),
            "type": "Microsoft.KeyVault/vaults/accessPolicies",
            "location": vault.location,
            "properties": { "accessPolicies": vault.access_policies.iter().map(vaults::policy).collect::<Vec<_>>() },
        }),
    );
    world.vaults.insert(name.to_ascii_lowercase(), vault);
    Ok(answer)
}

fn key(policy: &AccessPolicy) -> (Uuid, Uuid, Option<Uuid>) {
    (policy.tenant_id, policy.object_id, policy.application_id)
}

fn lists(permissions: &mut PolicyPermissions) -> [&mut Vec<String>; 4] {
    let PolicyPermissions { keys, secrets, certificates, storage } = permissions;
    [keys, secrets, certificates, storage]
}

fn join(present: &mut PolicyPermissions, mut more: PolicyPermissions) {
    for (present, more) in lists(present).into_iter().zip(lists(&mut more)) {
        for permission in more.drain(..) {
            if !present.iter().any(|p| p.eq_ignore_ascii_case(&permission)) {
                present.push(permission);
            }
        }
    }
}

/// Takes the named permissions away, all if none is named; whether any is left. What `remove` does with part of an entry isn't
/// known; chosen: it takes that part.
fn take(present: &mut PolicyPermissions, named: &PolicyPermissions) -> bool {
    let mut named = named.clone();
    if lists(&mut named).iter().all(|list| list.is_empty()) {
        return false;
    }
    for (present, named) in lists(present).into_iter().zip(lists(&mut named)) {
        present.retain(|p| !named.iter().any(|n| n.eq_ignore_ascii_case(p)));
    }
    lists(present).iter().any(|list| !list.is_empty())
}
