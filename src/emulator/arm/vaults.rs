//! `Microsoft.KeyVault/vaults`: reading vaults, and the routes of what changes them.
//!
//! What must stay true: `enablePurgeProtection` is there only when on, rules of the firewall have no `action`; `vaultUri` is
//! where this very emulator serves the vault.

use http::{Method, StatusCode};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use url::Url;

use super::connections::{self, KEY_VAULT};
use super::error::ArmError;
use super::page::page;
use super::{Provider, Target, Visit, deleted_vaults, long_running, offered, only, vault_keys, vault_writes};
use crate::emulator::api_versions;
use crate::emulator::call::{Answer, guid};
use crate::emulator::key_vault;
use crate::emulator::rights::covers;
use crate::emulator::rotating;
use crate::emulator::world::{AccessPolicy, NetworkAcls, PolicyPermissions, Vault, VaultSku, World};

/// The type on the wire.
pub(super) const TYPE: &str = "Microsoft.KeyVault/vaults";
/// The right to read one, or all below a scope.
const READ: &str = "Microsoft.KeyVault/vaults/read";

pub(super) const PROVIDER: Provider = Provider {
    namespace: "Microsoft.KeyVault",
    types: &["vaults", "vaults/keys", "deletedVaults", "locations", "locations/deletedVaults", "operationResults"],
    locations: &[],
    api_versions: api_versions::KEY_VAULT,
    serve,
};

fn serve(visit: &Visit<'_>, target: &Target<'_>) -> Result<Answer, ArmError> {
    rotating::settle(visit.shared, visit.now)?;
    let lower: Vec<String> = target.rest.iter().map(|s| s.to_ascii_lowercase()).collect();
    let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
    let name = target.rest.get(1).copied().unwrap_or_default();
    let last = target.rest.last().copied().unwrap_or_default();
    let in_group = target.group.is_some();
    match lower.as_slice() {
        ["vaults"] => {
            only(visit.call, &[Method::GET])?;
            visit.read(|world| list(visit, world, target))
        }
        ["vaults", _] if in_group => match visit.call.method {
            Method::PATCH => visit.change(|world| vault_writes::update(visit, world, target, name)),
            Method::PUT => visit.change(|world| deleted_vaults::put(visit, world, target, name)),
            Method::DELETE => visit.change(|world| deleted_vaults::delete(visit, world, target, name)),
            _ => {
                only(visit.call, &[Method::GET, Method::PATCH, Method::DELETE])?;
                visit.read(|world| get(visit, world, target, name))
            }
        },
        ["vaults", _, "keys", _] if in_group => vault_keys::serve(visit, target, false),
        ["vaults", _, "keys", _, "versions"] if in_group => vault_keys::serve(visit, target, true),
        ["vaults", _, "accesspolicies", _] if in_group => {
            offered(visit.call, &[Method::PUT])?;
            visit.change(|world| vault_writes::policies(visit, world, target, (name, last)))
        }
        ["vaults", _, "privateendpointconnections"] if in_group => {
            connections::serve(visit, target, &KEY_VAULT, name, None)
        }
        ["vaults", _, "privateendpointconnections", _] if in_group => {
            connections::serve(visit, target, &KEY_VAULT, name, Some(last))
        }
        ["deletedvaults"] if !in_group => deleted_vaults::list(visit, target),
        ["locations", _, "deletedvaults", _] if !in_group => deleted_vaults::one(visit, target, false),
        ["locations", _, "deletedvaults", _, "purge"] if !in_group => deleted_vaults::one(visit, target, true),
        ["operationresults", _] => {
            only(visit.call, &[Method::GET])?;
            visit.read(|world| operation_result(visit, world, target, last))
        }
        _ => Err(ArmError::not_served(visit.call)),
    }
}

/// Where the `Location` of a removed connection leads: 202, then 204. The address is chosen.
fn operation_result(visit: &Visit<'_>, world: &World, target: &Target<'_>, id: &str) -> Result<Answer, ArmError> {
    let folder = format!("{}/providers/Microsoft.KeyVault/operationResults", target.scope);
    // Who may read what it works on may read how far it is.
    let known = guid(id).and_then(|id| world.arm_operations.get(&id));
    visit.require(world, READ, known.map_or(target.scope.as_str(), |o| o.target.as_str()))?;
    let done = |_: &str| Answer::empty(StatusCode::NO_CONTENT);
    long_running::result(visit, world, (&folder, &target.scope, id), done)
}

/// `GET {RG}/providers/Microsoft.KeyVault/vaults/{name}`
fn get(visit: &Visit<'_>, world: &World, target: &Target<'_>, name: &str) -> Result<Answer, ArmError> {
    let id = target.id();
    visit.require(world, READ, &id)?;
    let group = visit.group(world, target)?;
    let found = world.vaults.get(&name.to_ascii_lowercase()).filter(|v| v.id.eq_ignore_ascii_case(&id));
    let vault = found.ok_or_else(|| ArmError::resource_not_found(TYPE, name, &group.name))?;
    Ok(Answer::ok(resource(vault, &visit.call.origin, visit.now)))
}

/// `GET {S}/providers/Microsoft.KeyVault/vaults` and `GET {RG}/providers/Microsoft.KeyVault/vaults`. Chosen: a list needs the
/// right on the whole scope that it is of, and isn't cut down to what the caller sees.
fn list(visit: &Visit<'_>, world: &World, target: &Target<'_>) -> Result<Answer, ArmError> {
    visit.require(world, READ, &target.scope)?;
    if target.group.is_some() {
        visit.group(world, target)?;
    }
    let below = world.vaults.values().filter(|v| covers(&target.scope, &v.id));
    let items = below.map(|v| resource(v, &visit.call.origin, visit.now)).collect();
    page(visit, items, world.behaviour.empty_first_pages)
}

/// A vault as ARM shows it. Taken apart in full, so that a new member can't be forgotten.
pub(super) fn resource(vault: &Vault, origin: &Url, now: Timestamp) -> Value {
    let Vault {
        id,
        location,
        tenant_id,
        sku,
        tags,
        enable_soft_delete,
        soft_delete_retention_in_days,
        enable_purge_protection,
        enable_rbac_authorization,
        access_policies,
        network_acls,
        public_network_access,
        created: _,
        connections,
        // The data plane's.
        secrets: _,
        keys: _,
        rotation_policies: _,
    } = vault;
    let name = id.rsplit('/').next().unwrap_or_default();
    let sku = match sku {
        VaultSku::Standard => "standard",
        VaultSku::Premium => "premium",
    };
    let mut properties = Map::from_iter(
        [
            ("sku", json!({ "family": "A", "name": sku })),
            ("tenantId", json!(tenant_id)),
            ("accessPolicies", access_policies.iter().map(policy).collect()),
            ("enabledForDeployment", json!(false)),
            ("enabledForDiskEncryption", json!(false)),
            ("enabledForTemplateDeployment", json!(false)),
            ("enableSoftDelete", json!(enable_soft_delete)),
            ("softDeleteRetentionInDays", json!(soft_delete_retention_in_days)),
            ("vaultUri", json!(key_vault::address(origin, name))),
            ("provisioningState", json!("Succeeded")),
        ]
        .map(|(member, value)| (member.to_owned(), value)),
    );
    let connections = KEY_VAULT.embedded(id, connections, now);
    let optional = [
        ("privateEndpointConnections", (!connections.is_empty()).then_some(Value::Array(connections))),
        ("enableRbacAuthorization", enable_rbac_authorization.map(Value::Bool)),
        ("enablePurgeProtection", enable_purge_protection.then_some(Value::Bool(true))),
        ("networkAcls", network_acls.as_ref().map(firewall)),
        ("publicNetworkAccess", public_network_access.clone().map(Value::String)),
    ];
    properties.extend(optional.into_iter().filter_map(|(member, value)| Some((member.to_owned(), value?))));
    json!({ "id": id, "name": name, "type": TYPE, "location": location, "tags": tags, "properties": properties })
}

pub(super) fn policy(policy: &AccessPolicy) -> Value {
    let AccessPolicy { tenant_id, object_id, application_id, permissions } = policy;
    let PolicyPermissions { keys, secrets, certificates, storage } = permissions;
    let mut shown = json!({
        "tenantId": tenant_id,
        "objectId": object_id,
        "permissions": { "keys": keys, "secrets": secrets, "certificates": certificates, "storage": storage },
    });
    if let (Some(application), Some(members)) = (application_id, shown.as_object_mut()) {
        members.insert("applicationId".to_owned(), json!(application));
    }
    shown
}

fn firewall(acls: &NetworkAcls) -> Value {
    let NetworkAcls { bypass, default_action, ip_rules, virtual_network_rules } = acls;
    let addresses: Vec<Value> = ip_rules.iter().map(|value| json!({ "value": value })).collect();
    let subnets: Vec<Value> = virtual_network_rules.iter().map(|id| json!({ "id": id })).collect();
    json!({
        "bypass": bypass,
        "defaultAction": default_action,
        "ipRules": addresses,
        "virtualNetworkRules": subnets,
    })
}
