//! What the product demands of a linked vault, and what a person must know. Pure.
//!
//! The demands are checked at each plan, so that a firewall turned on later is found like one that was on from the start.

use super::block::Declared;
use crate::azure::vaults::Vault;
use crate::plan::{Address, Note, NoteCode, Severity};
use crate::settings;
use crate::settings::geography::{self, Agreement};
use crate::settings::key_vault::codes;
use crate::settings::setting::Comparing;
use crate::terms::VaultId;

fn error(code: NoteCode, address: &Address, message: String, help: &str) -> Note {
    Note::refusal(code, address.clone(), message).help(help)
}

pub(super) fn not_found(address: &Address, vault: &VaultId) -> Note {
    let message = format!("Azure has no vault {} in the resource group {}", vault.name(), vault.resource_group());
    let help = "correct `id`, or create the vault; one that was deleted can be recovered while soft delete keeps it";
    error(codes::VAULT_NOT_FOUND, address, message, help)
}

pub(super) fn service_missing(address: &Address) -> Note {
    let message = "the directory has no service principal of Customer Insights (application \
                   0bfc4568-a4ba-4c58-bd3e-5d3e76bd7fff), so nobody can be given rights on the vault"
        .to_owned();
    let help = "it comes into being with the first environment of the tenant; make sure that `tenant.id` is right";
    error(codes::SERVICE_PRINCIPAL_MISSING, address, message, help)
}

pub(super) fn other_linked(address: &Address, declared: &Declared, live: &VaultId) -> Note {
    let allowed = match &declared.replaces {
        Some(replaces) => format!("`replaces` allows only {replaces}"),
        None => "the file doesn't allow to replace it".to_owned(),
    };
    let message = format!("another vault is linked, {live}, and {allowed}");
    let help = "what a relink does to connections that use the linked vault isn't known: look at them first, then write \
                `replaces:` with the id of the linked vault";
    error(codes::OTHER_VAULT_LINKED, address, message, help)
}

pub(super) fn secret_missing(address: &Address) -> Note {
    let message = "Customer Insights misses a secret in the vault that a connection names";
    Note::finding(codes::VAULT_SECRET_MISSING, Severity::Warning, address.clone(), message)
        .help("recover the secret while soft delete keeps it, or choose another one in the connection")
}

/// Everything that the product demands of the vault itself.
pub(super) fn demands(address: &Address, vault: &Vault, comparing: &Comparing<'_>) -> Vec<Note> {
    [
        tenant(address, vault, comparing),
        place(address, vault, comparing),
        firewall(address, vault),
        soft_delete(address, vault),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn tenant(address: &Address, vault: &Vault, comparing: &Comparing<'_>) -> Option<Note> {
    let found = match vault.properties.tenant_id {
        Some(tenant) if tenant == comparing.tenant => return None,
        Some(tenant) => format!("the tenant {tenant}"),
        None => "a tenant that Azure doesn't name".to_owned(),
    };
    let message = format!("the vault takes identities of {found}, the environment is in {}", comparing.tenant);
    let help = "Customer Insights reads vaults of its own tenant only: name one of those";
    Some(error(codes::VAULT_TENANT, address, message, help))
}

fn place(address: &Address, vault: &Vault, comparing: &Comparing<'_>) -> Option<Note> {
    let location = vault.location.as_deref().unwrap_or_default();
    match geography::agreement(location, comparing.region) {
        Agreement::Same => None,
        Agreement::Other { resource, environment } => {
            let message =
                format!("the vault is in {location}, in the geography {resource}; the environment is in {environment}");
            let help = "the product links only vaults of the environment's own geography: create one there";
            Some(error(codes::VAULT_GEOGRAPHY, address, message, help))
        }
        Agreement::Unknown(why) => {
            let message = format!("whether the vault is in the environment's geography can't be told: {why}");
            Some(
                Note::finding(settings::codes::REGION_MISMATCH, Severity::Warning, address.clone(), message)
                    .help("compare with the region under Settings > System > About"),
            )
        }
    }
}

/// Off means that everybody may knock: public access on, and nobody turned away by default.
fn firewall(address: &Address, vault: &Vault) -> Option<Note> {
    let properties = &vault.properties;
    let access = properties.public_network_access.as_deref().filter(|word| !word.is_empty());
    let default = properties.network_acls.as_ref().and_then(|acls| acls.default_action.as_deref());
    let what = match (access, default) {
        (Some(word), _) if !word.eq_ignore_ascii_case("enabled") => format!("its public network access is `{word}`"),
        (_, Some(action)) if !action.eq_ignore_ascii_case("allow") => {
            format!("its firewall's default action is `{action}`")
        }
        _ => return None,
    };
    let message = format!("the vault's firewall is on: {what}");
    let help = "Customer Insights reads linked vaults only with the firewall off, and it must stay off; use a vault that holds \
                nothing but the secrets of connections";
    Some(error(codes::VAULT_FIREWALL, address, message, help))
}

fn soft_delete(address: &Address, vault: &Vault) -> Option<Note> {
    if vault.properties.enable_soft_delete == Some(true) {
        return None;
    }
    let message = "soft delete is off in the vault: a deleted secret stops its connections for good".to_owned();
    let help = "turn it on; it can't be turned off again: `az keyvault update --name NAME --enable-soft-delete true`";
    Some(error(codes::VAULT_SOFT_DELETE, address, message, help))
}
