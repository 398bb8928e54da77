//! `Microsoft.KeyVault/vaults/keys`: what Azure Resource Manager tells of keys. Only reading is served.
//!
//! What must stay true: no firewall of a vault keeps anybody out here, only rights on the resource do; a deleted key isn't there;
//! the current version is the newest, enabled or not.

use http::Method;
use serde_json::{Map, Value, json};

use super::error::ArmError;
use super::page::page;
use super::{Target, Visit, only, vaults};
use crate::emulator::call::Answer;
use crate::emulator::key_vault;
use crate::emulator::world::{Key, KeyVersion, RotationPolicy, RotationTrigger, Vault, World};

const TYPE: &str = "Microsoft.KeyVault/vaults/keys";
const READ: &str = "Microsoft.KeyVault/vaults/keys/read";

/// `GET {V}/keys/{key}` and `GET {V}/keys/{key}/versions`
pub(super) fn serve(visit: &Visit<'_>, target: &Target<'_>, versions: bool) -> Result<Answer, ArmError> {
    only(visit.call, &[Method::GET])?;
    visit.read(|world| {
        let (vault, key) = find(visit, world, target)?;
        match versions {
            true => {
                let all = key.versions.iter().map(|version| one(visit, vault, key, version, true)).collect();
                page(visit, all, world.behaviour.empty_first_pages)
            }
            false => {
                let current = key.versions.last().ok_or_else(|| missing(target))?;
                Ok(Answer::ok(one(visit, vault, key, current, false)))
            }
        }
    })
}

fn missing(target: &Target<'_>) -> ArmError {
    let name = target.rest.get(3).copied().unwrap_or_default();
    ArmError::resource_not_found(TYPE, name, target.group.unwrap_or_default())
}

fn find<'w>(visit: &Visit<'_>, world: &'w World, target: &Target<'_>) -> Result<(&'w Vault, &'w Key), ArmError> {
    let name = target.rest.get(1).copied().unwrap_or_default();
    let id = format!("{}/providers/{}/{name}", target.scope, vaults::TYPE);
    visit.require(world, READ, &id)?;
    let group = visit.group(world, target)?;
    let vault = world.vaults.get(&name.to_ascii_lowercase()).filter(|vault| vault.id.eq_ignore_ascii_case(&id));
    let vault = vault.ok_or_else(|| ArmError::resource_not_found(vaults::TYPE, name, &group.name))?;
    let asked = target.rest.get(3).copied().unwrap_or_default();
    let key = vault.keys.get(&asked.to_ascii_lowercase()).filter(|key| key.deleted.is_none());
    Ok((vault, key.ok_or_else(|| missing(target))?))
}

fn one(visit: &Visit<'_>, vault: &Vault, key: &Key, version: &KeyVersion, listed: bool) -> Value {
    let KeyVersion { version: number, kty, key_size, crv, key_ops, attributes, tags } = version;
    let id = format!("{}/keys/{}", vault.id, key.name);
    let name = vault.id.rsplit('/').next().unwrap_or_default();
    let address = format!("{}keys/{}", key_vault::address(&visit.call.origin, name), key.name);
    let mut times = Map::from_iter([
        ("enabled".to_owned(), json!(attributes.enabled)),
        ("created".to_owned(), json!(attributes.created.as_second())),
        ("updated".to_owned(), json!(attributes.updated.as_second())),
    ]);
    let optional = [("nbf", attributes.not_before), ("exp", attributes.expires)];
    times.extend(optional.into_iter().filter_map(|(member, at)| Some((member.to_owned(), json!(at?.as_second())))));
    let mut properties = Map::from_iter([
        ("kty".to_owned(), json!(kty)),
        ("keyOps".to_owned(), json!(key_ops)),
        ("keyUri".to_owned(), json!(address)),
        ("keyUriWithVersion".to_owned(), json!(format!("{address}/{number}"))),
        ("attributes".to_owned(), Value::Object(times)),
    ]);
    properties.extend(key_size.map(|size| ("keySize".to_owned(), json!(size))));
    properties.extend(crv.as_ref().map(|curve| ("curveName".to_owned(), json!(curve))));
    if let Some(policy) = vault.rotation_policies.get(&key.name.to_ascii_lowercase()).filter(|_| !listed) {
        properties.insert("rotationPolicy".to_owned(), rotation(policy));
    }
    let (id, name, kind) = match listed {
        true => (format!("{id}/versions/{number}"), number.as_str(), format!("{TYPE}/versions")),
        false => (id, key.name.as_str(), TYPE.to_owned()),
    };
    let mut body = json!({
        "id": id, "name": name, "type": kind, "location": vault.location, "properties": Value::Object(properties),
    });
    if let Some(tags) = tags {
        body["tags"] = json!(tags);
    }
    body
}

/// Resource Manager's words for the actions begin with small letters.
fn rotation(policy: &RotationPolicy) -> Value {
    let RotationPolicy { rotate, notify, expiry_time, created, updated } = policy;
    let action = |kind: &str, trigger: &RotationTrigger| {
        let trigger = match trigger {
            RotationTrigger::TimeAfterCreate(duration) => json!({ "timeAfterCreate": duration }),
            RotationTrigger::TimeBeforeExpiry(duration) => json!({ "timeBeforeExpiry": duration }),
        };
        json!({ "trigger": trigger, "action": { "type": kind } })
    };
    let actions = [("rotate", rotate), ("notify", notify)];
    let actions: Vec<Value> =
        actions.into_iter().filter_map(|(kind, at)| at.as_ref().map(|at| action(kind, at))).collect();
    let mut attributes = json!({ "created": created.as_second(), "updated": updated.as_second() });
    if let Some(expiry) = expiry_time {
        attributes["expiryTime"] = json!(expiry);
    }
    json!({ "attributes": attributes, "lifetimeActions": actions })
}
