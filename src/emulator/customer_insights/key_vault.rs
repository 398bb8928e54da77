//! The Key Vault link, in the style of the product's published operations. No such endpoint of the product is known.
//!
//! What must stay true: what stands in the way of using the vault (firewall, rights) is looked up at each reading, as it can
//! change on the Azure side at any time; what can't be mended there (no such vault, other tenant, other geography) is refused
//! when linking. Linking grants nothing: since July 2026 the page tells the reader to add the rights.

use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::error::ApiError;
use super::{Answer, Visit};
use crate::emulator::SERVICE_APP;
use crate::emulator::call::guid;
use crate::emulator::rights::Plane;
use crate::emulator::seed::derived_id;
use crate::emulator::world::{DefaultAction, KeyVaultLink, Vault, World};
use crate::terms::geographies;

/// What the application needs on a vault that goes by access policies, in each list.
const POLICY: [&str; 2] = ["get", "list"];
/// What the roles Key Vault Reader and Key Vault Secrets User grant, where roles decide.
const DATA_ACTIONS: [&str; 2] =
    ["Microsoft.KeyVault/vaults/secrets/getSecret/action", "Microsoft.KeyVault/vaults/secrets/readMetadata/action"];
const READ: &str = "Microsoft.KeyVault/vaults/read";

pub(super) fn get(visit: &Visit<'_>, id: &str) -> Result<Answer, ApiError> {
    visit.read(|world| {
        let (id, instance) = visit.admin(world, id)?;
        let link = instance.key_vault.as_ref().ok_or_else(not_linked)?;
        Ok(Answer::ok(shown(world, id, link, visit.now)))
    })
}

/// Links, in place of another vault if there was one.
pub(super) fn put(visit: &Visit<'_>, id: &str) -> Result<Answer, ApiError> {
    visit.change(|world| {
        let (id, instance) = visit.admin(world, id)?;
        let body = Value::Object(visit.body()?);
        consent(&body)?;
        let group = text(&body, "resourceGroup")?;
        let subscription = text(&body, "subscriptionId")?;
        let name = text(&body, "keyVaultName")?;
        let asked =
            format!("/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.KeyVault/vaults/{name}");
        let vault = world.vaults.get(&name.to_ascii_lowercase()).filter(|v| v.id.eq_ignore_ascii_case(&asked));
        // Who may not read the vault is told the same as where there is none, as Azure's own lists would.
        let may_read = world.azure_allows(visit.caller.oid, Plane::Management, READ, &asked, visit.now);
        let vault = vault.filter(|_| may_read).ok_or_else(|| not_found("keyVaultName", &asked))?;
        check(world, vault, &instance.metadata.azure_region)?;
        let version = instance.key_vault.as_ref().map_or(0, |link| link.version) + 1;
        let link = KeyVaultLink {
            id: derived_id(world.world, "key-vault-link", &format!("{id}/{version}")),
            vault: vault.id.clone(),
            version,
            created_by: visit.caller_name(world),
            created_utc: visit.now,
        };
        let answer = Answer::ok(shown(world, id, &link, visit.now));
        if let Some(instance) = world.instances.get_mut(&id) {
            instance.key_vault = Some(link);
        }
        Ok(answer)
    })
}

pub(super) fn delete(visit: &Visit<'_>, id: &str) -> Result<Answer, ApiError> {
    visit.change(|world| {
        let (id, instance) = visit.admin(world, id)?;
        if instance.key_vault.is_none() {
            return Err(not_linked());
        }
        if let Some(instance) = world.instances.get_mut(&id) {
            instance.key_vault = None;
        }
        // As other deletes of the product's API that return something.
        Ok(Answer::ok(Value::Bool(true)))
    })
}

fn check(world: &World, vault: &Vault, azure_region: &str) -> Result<(), ApiError> {
    if world.tenant.as_ref().map(|t| t.id) != Some(vault.tenant_id) {
        return Err(refused("keyVaultName", "The Key Vault belongs to another tenant."));
    }
    if geographies::of(&vault.location) != geographies::of(azure_region) {
        let message = format!("The Key Vault lies in {}, the environment in {azure_region}.", vault.location);
        return Err(refused("region", &message));
    }
    Ok(())
}

fn shown(world: &World, instance: Uuid, link: &KeyVaultLink, now: Timestamp) -> Value {
    let KeyVaultLink { id, vault: vault_id, version, created_by, created_utc } = link;
    let segments: Vec<&str> = vault_id.split('/').collect();
    let name = segments.last().copied().unwrap_or_default();
    let vault = world.vaults.get(&name.to_ascii_lowercase()).filter(|v| v.id.eq_ignore_ascii_case(vault_id));
    json!({
        "linkedKeyVaultMetadataId": id,
        "keyVaultName": name,
        "subscriptionId": segments.get(2),
        "resourceGroup": segments.get(4),
        "region": vault.map(|v| &v.location),
        "tenantId": vault.map(|v| v.tenant_id),
        "authorizationModel": vault.map(|v| if goes_by_roles(v) { "azureRbac" } else { "accessPolicy" }),
        "consentAccepted": true,
        "accessState": vault.map_or("permissionsMissing", |v| access_state(world, v, now)),
        "version": version,
        "createdBy": created_by,
        "createdUtc": created_utc,
        "instanceId": instance,
    })
}

fn goes_by_roles(vault: &Vault) -> bool {
    vault.enable_rbac_authorization == Some(true)
}

/// The causes that the docs list, the firewall first. No connection of this world names a secret, so
/// `secretMissing` can't be.
fn access_state(world: &World, vault: &Vault, now: Timestamp) -> &'static str {
    let closed = vault.public_network_access.as_deref().is_some_and(|word| !word.eq_ignore_ascii_case("enabled"));
    let denies = vault.network_acls.as_ref().is_some_and(|acls| acls.default_action == DefaultAction::Deny);
    if closed || denies {
        return "firewallEnabled";
    }
    let Some((service, _)) = world.application(SERVICE_APP) else { return "permissionsMissing" };
    let may = |plane, action: &str| world.azure_allows(service, plane, action, &vault.id, now);
    let granted = if goes_by_roles(vault) {
        may(Plane::Management, READ) && DATA_ACTIONS.iter().all(|action| may(Plane::Data, action))
    } else {
        vault.access_policies.iter().filter(|p| p.object_id == service && p.application_id.is_none()).any(|policy| {
            let p = &policy.permissions;
            [&p.keys, &p.secrets, &p.certificates].iter().all(|list| {
                let has =
                    |wanted: &str| list.iter().any(|l| l.eq_ignore_ascii_case(wanted) || l.eq_ignore_ascii_case("all"));
                POLICY.iter().all(|wanted| has(wanted))
            })
        })
    };
    if granted { "accessible" } else { "permissionsMissing" }
}

/// The codes of the published vocabulary that come closest; none of it mentions Key Vault.
pub(super) fn not_found(parameter: &str, asked: &str) -> ApiError {
    let message = "The resource doesn't exist, or the caller may not see it.";
    ApiError::new(StatusCode::NOT_FOUND, "resourceNotFound", message).about(json!({ parameter: asked }))
}

fn not_linked() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "resourceNotFound", "No Key Vault is linked to this environment.")
}

pub(super) fn refused(parameter: &str, message: &str) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "invalidResourceProperty", message).about(json!({ "parameter": parameter }))
}

/// "I agree" is mandatory.
pub(super) fn consent(body: &Value) -> Result<(), ApiError> {
    match body["consentAccepted"].as_bool() {
        Some(true) => Ok(()),
        _ => Err(refused("consentAccepted", "The data privacy terms must be agreed to.")),
    }
}

/// A member that must be there.
pub(super) fn text<'b>(body: &'b Value, member: &'static str) -> Result<&'b str, ApiError> {
    let found = body[member].as_str().filter(|t| !t.is_empty() && !t.contains('/'));
    let found = found.filter(|t| member != "subscriptionId" || guid(t).is_some());
    let message = format!("`{member}` is missing or malformed.");
    found.ok_or_else(|| {
        ApiError::new(StatusCode::BAD_REQUEST, "missingResourceProperty", message).about(json!({ "parameter": member }))
    })
}
