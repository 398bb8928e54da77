//! A key in the file: its vault, its name, and its version if it is pinned.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::words::{KeyName, KeyVersionText};
use crate::config::{Diagnostic, Diagnostics, Located};
use crate::settings::words::VaultText;
use crate::settings::{block, names};
use crate::terms::{ResourceId, VaultId};

/// A key in a Key Vault.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "EncryptionKey")]
pub struct KeyBlock {
    /// The vault's Azure resource id. Required.
    #[serde(skip_serializing_if = "Option::is_none")]
    vault: Option<VaultText>,
    /// The key's name, without a version. Required.
    // Taken as it is, since `${environment}` may have put in what the name can't hold; judged in `declare`.
    #[schemars(with = "Option<KeyName>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// The version that is used for good. Without it, the newest enabled version is followed, within about a day and without
    /// an outage. Another version of a pinned key needs another policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<KeyVersionText>,
}

/// A key, or a version of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyRef {
    /// Its vault.
    pub vault: VaultId,
    /// Its name.
    pub name: String,
    /// The pinned version; none if the newest is followed.
    pub version: Option<String>,
}

impl KeyRef {
    /// The key as a resource of Azure.
    pub fn resource(&self) -> Option<ResourceId> {
        format!("{}/keys/{}", self.vault, self.name).parse().ok()
    }
}

impl std::fmt::Display for KeyRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { vault, name, version } = self;
        write!(f, "{name} in {}", vault.name())?;
        version.as_ref().map_or(Ok(()), |version| write!(f, " (version {version})"))
    }
}

/// `at` is what has the key.
pub fn declare_key(key: KeyBlock, at: Located<'_>, diagnostics: &mut Diagnostics) -> Option<KeyRef> {
    let KeyBlock { vault, name, version } = key;
    let at = at.at(&["key"]);
    let missing = ["vault", "name"].into_iter().filter(|key| at.node.entry(key).is_none());
    let help = "write `key: { vault: /subscriptions/…/vaults/NAME, name: NAME }`";
    missing.for_each(|key| block::missing(at, "key", key, help, diagnostics));
    let vault = vault.and_then(|vault| names::vault(vault, at.at(&["vault"]).span(), diagnostics));
    let name = name?;
    if let Some(wrong) = KeyName::check(&name) {
        diagnostics.push(
            Diagnostic::error(wrong.code, at.at(&["name"]).span(), format!("`name` {}", wrong.message))
                .help(wrong.advice(Some("name"))),
        );
    }
    Some(KeyRef { vault: vault?, name, version: version.map(|KeyVersionText(version)| version.to_lowercase()) })
}

/// Whether two references are to the same key, whatever the version.
pub fn same_key(one: &KeyRef, other: &KeyRef) -> bool {
    one.vault == other.vault && one.name.eq_ignore_ascii_case(&other.name)
}
