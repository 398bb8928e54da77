//! The Key Vault that an environment is linked to. Not published: the emulator
//! serves these operations, a person does what they do in a real tenant.

use std::fmt;

use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{BODY_TYPE, Instance, call};
use crate::azure::access::{Reader, Writer};
use crate::azure::error::CallError;
use crate::azure::operations::{DELETE_KEY_VAULT, GET_KEY_VAULT, PUT_KEY_VAULT};
use crate::terms::VaultId;

/// The application that reads linked vaults: "Dynamics 365 AI for Customer Insights".
pub const SERVICE_APP: Uuid = Uuid::from_u128(0x0bfc_4568_a4ba_4c58_bd3e_5d3e_76bd_7fff);

/// The code that proves that nothing is linked.
pub(super) const NOT_FOUND: &str = "resourceNotFound";

/// A linked vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyVaultLink {
    /// The vault. Customer Insights tells subscription, resource group and name; this is the id that they make.
    pub vault: VaultId,
    /// Azure region of the vault.
    pub region: Option<String>,
    /// Whether somebody agreed to the data privacy terms.
    pub consent_accepted: Option<bool>,
    /// Whether Customer Insights can use the vault.
    pub access: AccessState,
}

/// Whether Customer Insights can use a vault, and if not, why.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum AccessState {
    /// It can.
    Accessible,
    /// Its application lacks rights on the vault.
    PermissionsMissing,
    /// The vault's firewall is on.
    FirewallEnabled,
    /// A secret that a connection names is gone.
    SecretMissing,
    /// A word that isn't known here.
    Other(String),
}

impl fmt::Display for AccessState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Accessible => "it can be used",
            Self::PermissionsMissing => "its application lacks rights on the vault",
            Self::FirewallEnabled => "the vault's firewall is on",
            Self::SecretMissing => "a secret that a connection names is gone",
            Self::Other(word) => word,
        })
    }
}

impl From<String> for AccessState {
    fn from(word: String) -> Self {
        match word.as_str() {
            "accessible" => Self::Accessible,
            "permissionsMissing" => Self::PermissionsMissing,
            "firewallEnabled" => Self::FirewallEnabled,
            "secretMissing" => Self::SecretMissing,
            _ => Self::Other(word),
        }
    }
}

/// `LinkedKeyVaultMetadata`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    key_vault_name: Option<String>,
    subscription_id: Option<Uuid>,
    resource_group: Option<String>,
    region: Option<String>,
    consent_accepted: Option<bool>,
    access_state: Option<AccessState>,
}

impl Wire {
    fn read(self) -> Option<KeyVaultLink> {
        let vault = VaultId::in_group(self.subscription_id?, &self.resource_group?, &self.key_vault_name?);
        Some(KeyVaultLink {
            vault: vault.ok()?,
            region: self.region,
            consent_accepted: self.consent_accepted,
            access: self.access_state?,
        })
    }
}

/// The linked vault; none if the service says that there is none. `GET …/manage/keyvault`
pub async fn key_vault(reader: &Reader, instance: &Instance) -> Result<Option<KeyVaultLink>, CallError> {
    let answer = match reader.send(call(&GET_KEY_VAULT, instance)).await {
        Err(error) if error.status() == Some(404) && error.code() == Some(NOT_FOUND) => return Ok(None),
        other => other?,
    };
    answer.json::<Wire>()?.read().map(Some).ok_or_else(|| answer.unreadable("it doesn't say which vault is linked"))
}

/// Links a vault, in place of another one if there was one. `PUT …/manage/keyvault`
///
/// Sends the consent to the data privacy terms: only for a configuration that records one. What is wrong with the vault's
/// firewall or rights doesn't show here but in [`KeyVaultLink::access`].
pub async fn link_key_vault(writer: &Writer, instance: &Instance, vault: &VaultId) -> Result<(), CallError> {
    let body = json!({
        "keyVaultName": vault.name(),
        "subscriptionId": vault.subscription(),
        "resourceGroup": vault.resource_group(),
        "consentAccepted": true,
    });
    writer.send(call(&PUT_KEY_VAULT, instance).json(BODY_TYPE, &body)).await?;
    Ok(())
}

/// Ends the link. What becomes of the connections that use the vault isn't known. `DELETE …/manage/keyvault`
pub async fn unlink_key_vault(writer: &Writer, instance: &Instance) -> Result<(), CallError> {
    writer.send(call(&DELETE_KEY_VAULT, instance)).await?;
    Ok(())
}
