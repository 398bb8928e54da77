//! `Microsoft.KeyVault/deletedVaults`: deleting vaults, finding the deleted ones, recovering and purging them.
//!
//! What must stay true: a deleted vault keeps all that is in it, and its name; nothing of it is served but what stands here. Its
//! role assignments are gone, also when it comes back: learn.microsoft.com/azure/key-vault/general/soft-delete-overview. Where
//! the retention has ended, it is as if it had never been.

use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::error::ArmError;
use super::page::page;
use super::vaults;
use super::{Target, Visit, only};
use crate::emulator::call::{Answer, guid};
use crate::emulator::rights::covers;
use crate::emulator::world::{DeletedVault, Deletion, World};

const WRITE: &str = "Microsoft.KeyVault/vaults/write";
const DELETE: &str = "Microsoft.KeyVault/vaults/delete";
const LIST: &str = "Microsoft.KeyVault/deletedVaults/read";
const GET: &str = "Microsoft.KeyVault/locations/deletedVaults/read";
const PURGE: &str = "Microsoft.KeyVault/locations/deletedVaults/purge/action";

/// `GET {S}/providers/Microsoft.KeyVault/deletedVaults`
pub(super) fn list(visit: &Visit<'_>, target: &Target<'_>) -> Result<Answer, ArmError> {
    only(visit.call, &[Method::GET])?;
    visit.read(|world| {
        visit.require(world, LIST, &target.scope)?;
        let own = |gone: &&DeletedVault| covers(&target.scope, &gone.vault.id) && gone.is_kept(visit.now);
        let items = world.deleted_vaults.values().filter(own).map(|gone| shown(target, gone)).collect();
        page(visit, items, world.behaviour.empty_first_pages)
    })
}

/// `GET {S}/providers/Microsoft.KeyVault/locations/{location}/deletedVaults/{name}`, and `POST …/purge`
pub(super) fn one(visit: &Visit<'_>, target: &Target<'_>, purge: bool) -> Result<Answer, ArmError> {
    let name = target.rest.get(3).copied().unwrap_or_default();
    if !purge {
        only(visit.call, &[Method::GET])?;
        return visit.read(|world| {
            visit.require(world, GET, &target.scope)?;
            Ok(Answer::ok(shown(target, find(visit, world, target, name)?)))
        });
    }
    only(visit.call, &[Method::POST])?;
    visit.change(|world| {
        visit.require(world, PURGE, &target.scope)?;
        if find(visit, world, target, name)?.vault.enable_purge_protection {
            let message = "Operation 'DeletedVaultPurge' is not allowed.";
            return Err(ArmError::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", message).by_provider());
        }
        world.deleted_vaults.remove(&name.to_ascii_lowercase());
        Ok(Answer::empty(StatusCode::OK))
    })
}

/// The code is chosen.
fn find<'w>(
    visit: &Visit<'_>,
    world: &'w World,
    target: &Target<'_>,
    name: &str,
) -> Result<&'w DeletedVault, ArmError> {
    let location = target.rest.get(1).copied().unwrap_or_default();
    let found = world.deleted_vaults.get(&name.to_ascii_lowercase()).filter(|gone| {
        covers(&target.scope, &gone.vault.id) && same_place(&gone.vault.location, location) && gone.is_kept(visit.now)
    });
    found.ok_or_else(|| {
        let message = format!("The specified deleted vault '{name}' does not exist.");
        ArmError::new(StatusCode::NOT_FOUND, "DeletedVaultNotFound", message).by_provider()
    })
}

/// Regions are spelled `West Europe` and `westeurope`.
fn same_place(one: &str, other: &str) -> bool {
    let plain = |text: &str| text.replace(' ', "").to_ascii_lowercase();
    plain(one) == plain(other)
}

fn shown(target: &Target<'_>, gone: &DeletedVault) -> Value {
    let DeletedVault { vault, deletion: Deletion { deleted, scheduled_purge } } = gone;
    let name = vault.id.rsplit('/').next().unwrap_or_default();
    let mut properties = json!({
        "vaultId": vault.id,
        "location": vault.location,
        "tags": vault.tags,
        "deletionDate": whole(*deleted),
        "scheduledPurgeDate": whole(*scheduled_purge),
    });
    if vault.enable_purge_protection {
        properties["purgeProtectionEnabled"] = json!(true);
    }
    let id = format!("{}/providers/Microsoft.KeyVault/locations/{}/deletedVaults/{name}", target.scope, vault.location);
    json!({ "id": id, "name": name, "type": "Microsoft.KeyVault/deletedVaults", "properties": properties })
}

fn whole(instant: Timestamp) -> String {
    instant.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `DELETE V`. Without soft delete the vault is gone for good.
pub(super) fn delete(
    visit: &Visit<'_>,
    world: &mut World,
    target: &Target<'_>,
    name: &str,
) -> Result<Answer, ArmError> {
    let (id, key) = (target.id(), name.to_ascii_lowercase());
    visit.require(world, DELETE, &id)?;
    visit.group(world, target)?;
    if world.vaults.get(&key).is_none_or(|vault| !vault.id.eq_ignore_ascii_case(&id)) {
        return Ok(Answer::empty(StatusCode::NO_CONTENT));
    }
    if let Some(vault) = world.vaults.remove(&key).filter(|vault| vault.enable_soft_delete) {
        let retention = SignedDuration::from_hours(24 * i64::from(vault.soft_delete_retention_in_days));
        let scheduled_purge = visit.now.checked_add(retention).unwrap_or(Timestamp::MAX);
        let deletion = Deletion { deleted: visit.now, scheduled_purge };
        world.deleted_vaults.insert(key, DeletedVault { vault, deletion });
    }
    world.role_assignments.retain(|assignment| !covers(&id, &assignment.scope));
    Ok(Answer::empty(StatusCode::OK))
}

/// `PUT V`: only what recovers, and what is refused since the name is taken.
pub(super) fn put(visit: &Visit<'_>, world: &mut World, target: &Target<'_>, name: &str) -> Result<Answer, ArmError> {
    let (id, key) = (target.id(), name.to_ascii_lowercase());
    visit.require(world, WRITE, &id)?;
    visit.group(world, target)?;
    let body = visit.body()?;
    let mode = body.get("properties").and_then(|properties| properties["createMode"].as_str()).unwrap_or_default();
    let gone = world.deleted_vaults.get(&key).filter(|gone| gone.is_kept(visit.now));
    match (mode.eq_ignore_ascii_case("recover"), gone) {
        (true, Some(gone)) if gone.vault.id.eq_ignore_ascii_case(&id) => {
            check(&body, gone)?;
            let vault = gone.vault.clone();
            let answer = Answer::ok(vaults::resource(&vault, &visit.call.origin, visit.now));
            world.deleted_vaults.remove(&key);
            world.vaults.insert(key, vault);
            Ok(answer)
        }
        (true, _) => Err(ArmError::not_deleted(name)),
        (false, Some(_)) => Err(ArmError::vault_exists(name)),
        (false, None) => Err(ArmError::not_served(visit.call)),
    }
}

/// Region and tenant are the vault's own; what else is sent doesn't count.
fn check(body: &Map<String, Value>, gone: &DeletedVault) -> Result<(), ArmError> {
    let bad = |member: &str| {
        let message = format!("The parameter {member} has an invalid value.");
        ArmError::bad_request("BadRequest", message).by_provider()
    };
    let location = body.get("location").and_then(Value::as_str);
    if !location.is_some_and(|location| same_place(location, &gone.vault.location)) {
        return Err(bad("location"));
    }
    let tenant = body.get("properties").and_then(|properties| properties["tenantId"].as_str()).and_then(guid);
    if tenant != Some(gone.vault.tenant_id) {
        return Err(bad("tenantId"));
    }
    Ok(())
}

impl ArmError {
    /// A deleted vault has the name.
    fn vault_exists(name: &str) -> Self {
        let message = format!(
            "The vault name '{name}' is already in use. Vault names are globally unique so it is possible that the name is \
             already taken. If you are sure that the vault name was not taken then it is possible that a vault with the same \
             name was recently deleted but not purged after being placed in a recoverable state. If the vault is in a \
             recoverable state then the vault will need to be purged before reusing the name."
        );
        Self::new(StatusCode::CONFLICT, "VaultAlreadyExists", message).by_provider()
    }

    /// Code and status are chosen.
    fn not_deleted(name: &str) -> Self {
        let message = format!("A soft deleted vault with the name '{name}' does not exist.");
        Self::new(StatusCode::NOT_FOUND, "SoftDeletedVaultDoesNotExist", message).by_provider()
    }
}
