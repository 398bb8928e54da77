//! Key Vault: vaults by Azure Resource Manager, and the secrets inside.
//!
//! The rights on secrets have two names each: a vault goes by Azure's roles or by its own access policies.

use super::super::rights::{Action, Needs, Right, VaultRight};
use super::{Effect, Facts, Operation, Read, Secrets, Service, Write, documented};

const ARM_SPEC: &str =
    "Azure/azure-rest-api-specs, specification/keyvault/resource-manager/Microsoft.KeyVault/stable/2023-07-01";
const ARM_KEYS: &str = "PyPI azure-mgmt-keyvault 14.1.0, KeysOperations";
const VAULT_SPEC: &str = "Azure/azure-rest-api-specs, specification/keyvault/data-plane/Microsoft.KeyVault/stable/7.5";

/// An operation whose answer shows no value.
const fn about_secrets(name: &'static str, method: &'static str, path: &'static str, right: VaultRight) -> Facts {
    documented(Service::KeyVault, VAULT_SPEC, name, method, path, Needs::One(Right::Vault(right)))
}

/// An operation that answers with a secret, or with what could hold its value.
const fn secrets(name: &'static str, method: &'static str, path: &'static str, right: VaultRight) -> Facts {
    about_secrets(name, method, path, right).with_secrets(Secrets::Answer)
}

/// A vault as Azure Resource Manager knows it.
pub const GET_VAULT: Operation<Read> = Operation::read(Facts {
    // The newest whose published description this was written against.
    api_version: Some("2023-07-01"),
    ..documented(
        Service::Arm,
        ARM_SPEC,
        "Vaults_Get",
        "GET",
        "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.KeyVault/vaults/{vaultName}",
        Needs::azure(Action::VAULT_READ),
    )
});

/// A key of a vault as Azure Resource Manager knows it, which a vault's firewall doesn't hide.
const fn arm_keys(name: &'static str, path: &'static str) -> Facts {
    // What ARM tells of keys is in the same version as the vaults, in a document of its own.
    let facts = documented(Service::Arm, ARM_KEYS, name, "GET", path, Needs::azure(Action::VAULT_KEYS_READ));
    Facts { api_version: Some("2023-07-01"), ..facts }
}

/// The current version of a key: what it is and what may be done with it, without any part of the key.
pub const GET_VAULT_KEY: Operation<Read> = Operation::read(arm_keys(
    "Keys_Get",
    "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.KeyVault/vaults/{vaultName}/keys/{keyName}",
));

/// All versions of a key.
pub const LIST_VAULT_KEY_VERSIONS: Operation<Read> = Operation::read(arm_keys(
    "Keys_ListVersions",
    "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.KeyVault/vaults/{vaultName}/keys/{keyName}/versions",
));

/// The current version of a secret, with its value.
pub const GET_SECRET: Operation<Read> =
    Operation::read(secrets("GetSecret, current version", "GET", "/secrets/{secretName}", VaultRight::GetSecret));

/// One version of a secret, with its value.
pub const GET_SECRET_VERSION: Operation<Read> =
    Operation::read(secrets("GetSecret", "GET", "/secrets/{secretName}/{secretVersion}", VaultRight::GetSecret));

/// The versions of a secret, without values, in no order, page by page.
pub const LIST_SECRET_VERSIONS: Operation<Read> = Operation::read(about_secrets(
    "GetSecretVersions",
    "GET",
    "/secrets/{secretName}/versions",
    VaultRight::ListVersions,
));

/// A secret that was deleted and can be recovered, without value.
pub const GET_DELETED_SECRET: Operation<Read> = Operation::read(about_secrets(
    "GetDeletedSecret",
    "GET",
    "/deletedsecrets/{secretName}",
    VaultRight::GetDeletedSecret,
));

/// Makes a new version, which is then the current one. Not repeatable: each call makes one, whatever the value.
pub const SET_SECRET: Operation<Write> = Operation::write(Facts {
    effect: Effect::Write,
    repeatable: false,
    secrets: Secrets::Both,
    ..secrets("SetSecret", "PUT", "/secrets/{secretName}", VaultRight::SetSecret)
});

/// Changes a version's tags and attributes; its value stays.
pub const UPDATE_SECRET: Operation<Write> = Operation::write(Facts {
    effect: Effect::Write,
    ..secrets("UpdateSecret", "PATCH", "/secrets/{secretName}/{secretVersion}", VaultRight::UpdateSecret)
});

/// Brings a deleted secret back with all its versions.
pub const RECOVER_SECRET: Operation<Write> = Operation::write(Facts {
    effect: Effect::Write,
    ..secrets("RecoverDeletedSecret", "POST", "/deletedsecrets/{secretName}/recover", VaultRight::RecoverSecret)
});
