//! Key Vault: vaults by Azure Resource Manager, and the secrets and keys inside.
//!
//! The rights on secrets and keys have two names each: a vault goes by Azure's roles or by its own access policies.

use super::super::rights::{Action, Needs, Right, VaultRight};
use super::{Effect, Facts, Operation, Read, Secrets, Service, Write, documented};

const ARM_SPEC: &str =
    "Azure/azure-rest-api-specs, specification/keyvault/resource-manager/Microsoft.KeyVault/stable/2023-07-01";
const ARM_KEYS: &str = "PyPI azure-mgmt-keyvault 14.1.0, KeysOperations";
const VAULT_SPEC: &str = "Azure/azure-rest-api-specs, specification/keyvault/data-plane/Microsoft.KeyVault/stable/7.5";

/// An operation in a vault whose answer shows no value of a secret. What is secret of a key never leaves the vault.
const fn in_vault(name: &'static str, method: &'static str, path: &'static str, right: VaultRight) -> Facts {
    documented(Service::KeyVault, VAULT_SPEC, name, method, path, Needs::One(Right::Vault(right)))
}

/// An operation that answers with a secret, or with what could hold its value.
const fn secrets(name: &'static str, method: &'static str, path: &'static str, right: VaultRight) -> Facts {
    in_vault(name, method, path, right).with_secrets(Secrets::Answer)
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

/// The deleted vaults of a subscription that can be recovered, page by page.
pub const LIST_DELETED_VAULTS: Operation<Read> = Operation::read(Facts {
    api_version: Some("2023-07-01"),
    ..documented(
        Service::Arm,
        ARM_SPEC,
        "Vaults_ListDeleted",
        "GET",
        "/subscriptions/{subscriptionId}/providers/Microsoft.KeyVault/deletedVaults",
        Needs::azure(Action::DELETED_VAULTS_READ),
    )
});

/// Brings a deleted vault back with all that is in it: the route that makes vaults, with `createMode`. Not repeatable: nobody says
/// what it does to a vault that is back.
pub const RECOVER_VAULT: Operation<Write> = Operation::write(Facts {
    api_version: Some("2023-07-01"),
    effect: Effect::Write,
    repeatable: false,
    ..documented(
        Service::Arm,
        ARM_SPEC,
        "Vaults_CreateOrUpdate (recover)",
        "PUT",
        "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.KeyVault/vaults/{vaultName}",
        Needs::azure(Action::VAULT_WRITE),
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
pub const LIST_SECRET_VERSIONS: Operation<Read> =
    Operation::read(in_vault("GetSecretVersions", "GET", "/secrets/{secretName}/versions", VaultRight::ListVersions));

/// A secret that was deleted and can be recovered, without value.
pub const GET_DELETED_SECRET: Operation<Read> =
    Operation::read(in_vault("GetDeletedSecret", "GET", "/deletedsecrets/{secretName}", VaultRight::GetDeletedSecret));

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

/// When a key rotates by itself, and for how long new versions are valid. A key without a policy of its own has the default one.
pub const GET_ROTATION_POLICY: Operation<Read> = Operation::read(in_vault(
    "GetKeyRotationPolicy",
    "GET",
    "/keys/{keyName}/rotationpolicy",
    VaultRight::GetRotationPolicy,
));

/// Replaces the rotation policy of a key. Versions that exist stay as they are.
pub const SET_ROTATION_POLICY: Operation<Write> = Operation::write(Facts {
    effect: Effect::Write,
    ..in_vault("UpdateKeyRotationPolicy", "PUT", "/keys/{keyName}/rotationpolicy", VaultRight::SetRotationPolicy)
});

/// Makes a new version of a key. Not repeatable: each call makes one.
pub const ROTATE_KEY: Operation<Write> = Operation::write(Facts {
    effect: Effect::Write,
    repeatable: false,
    ..in_vault("RotateKey", "POST", "/keys/{keyName}/rotate", VaultRight::RotateKey)
});

/// Changes attributes of a version of a key; what is left out stays.
pub const UPDATE_KEY: Operation<Write> = Operation::write(Facts {
    effect: Effect::Write,
    ..in_vault("UpdateKey", "PATCH", "/keys/{keyName}/{keyVersion}", VaultRight::UpdateKey)
});

/// A key that was deleted and can be recovered.
pub const GET_DELETED_KEY: Operation<Read> =
    Operation::read(in_vault("GetDeletedKey", "GET", "/deletedkeys/{keyName}", VaultRight::GetDeletedKey));

/// Brings a deleted key back with all its versions. Not repeatable: a key that is back isn't found among the deleted ones.
pub const RECOVER_KEY: Operation<Write> = Operation::write(Facts {
    effect: Effect::Write,
    repeatable: false,
    ..in_vault("RecoverDeletedKey", "POST", "/deletedkeys/{keyName}/recover", VaultRight::RecoverKey)
});
