//! What a storage account is encrypted with.
//!
//! Invariants: names are spelled as on the wire, some of them all in lower case; what isn't known here is kept as it was read, so
//! that the whole can be sent back.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use url::Url;

/// `keySource` of Microsoft's key.
pub const MICROSOFT: &str = "Microsoft.Storage";
/// `keySource` of a key in a vault. The service spells it so.
pub const KEY_VAULT: &str = "Microsoft.Keyvault";

/// What an account is encrypted with.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Encryption {
    /// [`MICROSOFT`] or [`KEY_VAULT`]; see [`Encryption::source`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_source: Option<String>,
    /// The key in a vault. Where there is none, that is said.
    #[serde(rename = "keyvaultproperties")]
    pub key: Option<KeyVaultProperties>,
    /// Whose use of the key it is, if not the account's own identity's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<ActingIdentity>,
    /// `services`, and whatever else the service says.
    #[serde(flatten)]
    pub rest: Map<String, Json>,
}

/// A key in a vault. Microsoft spells these names in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct KeyVaultProperties {
    /// The vault's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keyvaulturi: Option<String>,
    /// The key's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keyname: Option<String>,
    /// The version that is pinned; empty or missing if the newest is followed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keyversion: Option<String>,
    /// The version that is used now, as the address of the key. Only the service sets it.
    #[serde(rename = "currentVersionedKeyIdentifier", skip_serializing)]
    pub current: Option<String>,
    /// Everything else, such as when it moved to that version. Only the service sets it.
    #[serde(flatten, skip_serializing)]
    pub rest: Map<String, Json>,
}

/// Whose use of the key it is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ActingIdentity {
    /// ARM id of a user-assigned identity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_assigned_identity: Option<String>,
    /// The application through which a vault of another tenant is reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub federated_identity_client_id: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Map<String, Json>,
}

/// Whose key it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// Microsoft's.
    Microsoft,
    /// One in a vault.
    KeyVault,
    /// A word that isn't known here, or none.
    Other(String),
}

impl Encryption {
    /// Whose key it is.
    pub fn source(&self) -> KeySource {
        match self.key_source.as_deref() {
            Some(word) if word.eq_ignore_ascii_case(MICROSOFT) => KeySource::Microsoft,
            Some(word) if word.eq_ignore_ascii_case(KEY_VAULT) => KeySource::KeyVault,
            word => KeySource::Other(word.unwrap_or_default().to_owned()),
        }
    }

    /// ARM id of the user-assigned identity that uses the key, if one does.
    pub fn acting(&self) -> Option<&str> {
        let named = self.identity.as_ref()?.user_assigned_identity.as_deref();
        named.filter(|id| !id.is_empty())
    }

    /// The same with a key in a vault. Who uses it, and everything else, stays.
    #[must_use]
    pub fn with_key(&self, vault: &Url, name: &str, version: Option<&str>) -> Self {
        let key = KeyVaultProperties {
            keyvaulturi: Some(vault.as_str().trim_end_matches('/').to_owned()),
            keyname: Some(name.to_owned()),
            // Empty, not missing: a former one must not stay.
            keyversion: Some(version.unwrap_or_default().to_owned()),
            ..KeyVaultProperties::default()
        };
        Self { key_source: Some(KEY_VAULT.to_owned()), key: Some(key), ..self.settable() }
    }

    /// The same with Microsoft's key, which nobody's identity uses.
    #[must_use]
    pub fn with_microsofts(&self) -> Self {
        Self { key_source: Some(MICROSOFT.to_owned()), key: None, identity: None, ..self.settable() }
    }

    /// What may be sent back: without the instants that only the service sets.
    fn settable(&self) -> Self {
        let mut settable = self.clone();
        let services = settable.rest.get_mut("services").and_then(Json::as_object_mut);
        for service in services.into_iter().flat_map(|services| services.values_mut()) {
            service.as_object_mut().map(|service| service.remove("lastEnabledTime"));
        }
        settable
    }
}

impl KeyVaultProperties {
    /// The vault's name: the first label of its address.
    pub fn vault(&self) -> Option<String> {
        let url: Url = self.keyvaulturi.as_deref()?.parse().ok()?;
        url.host_str()?.split('.').next().map(str::to_lowercase)
    }

    /// The key's name.
    pub fn name(&self) -> Option<&str> {
        self.keyname.as_deref().filter(|name| !name.is_empty())
    }

    /// The version that is pinned.
    pub fn pinned(&self) -> Option<&str> {
        self.keyversion.as_deref().filter(|version| !version.is_empty())
    }

    /// The version that is used now.
    pub fn current_version(&self) -> Option<&str> {
        let mut segments = self.current.as_deref()?.trim_end_matches('/').rsplit('/');
        let version = segments.next()?;
        (segments.nth(1) == Some("keys") && !version.is_empty()).then_some(version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn live() -> Json {
        json!({
            "keySource": "Microsoft.Keyvault",
            "keyvaultproperties": {
                "keyvaulturi": "https://KV-cmk.vault.azure.net/", "keyname": "lake-key", "keyversion": "",
                "currentVersionedKeyIdentifier": "https://kv-cmk.vault.azure.net/keys/lake-key/0a",
                "lastKeyRotationTimestamp": "2026-11-01T00:00:00.0000000Z",
            },
            "identity": { "userAssignedIdentity": "/subscriptions/u", "new": 1 },
            "services": { "blob": { "enabled": true, "keyType": "Account" } },
            "requireInfrastructureEncryption": true,
        })
    }

    #[test]
    fn the_whole_is_sent_back_less_what_only_the_service_sets() {
        let read: Encryption = serde_json::from_value(live()).unwrap();
        let key = read.key.clone().unwrap();
        assert_eq!((read.source(), read.acting()), (KeySource::KeyVault, Some("/subscriptions/u")));
        assert_eq!((key.vault().as_deref(), key.pinned(), key.current_version()), (Some("kv-cmk"), None, Some("0a")));
        let sent = json!(read.with_key(&"https://kv-two.vault.azure.net/".parse().unwrap(), "other", Some("0b")));
        let mut expected = live();
        expected["keyvaultproperties"] =
            json!({ "keyvaulturi": "https://kv-two.vault.azure.net", "keyname": "other", "keyversion": "0b" });
        assert_eq!(sent, expected);
        let mut back = live();
        back["keySource"] = json!("Microsoft.Storage");
        back["keyvaultproperties"] = Json::Null;
        back.as_object_mut().unwrap().remove("identity");
        assert_eq!(json!(read.with_microsofts()), back);
    }

    #[test]
    fn words_are_read_in_any_case_and_others_are_kept() {
        for (word, expected) in [
            (json!("microsoft.storage"), KeySource::Microsoft),
            (json!("Microsoft.KeyVault"), KeySource::KeyVault),
            (json!("Contoso.Keys"), KeySource::Other("Contoso.Keys".into())),
            (Json::Null, KeySource::Other(String::new())),
        ] {
            let read: Encryption = serde_json::from_value(json!({ "keySource": word })).unwrap();
            assert_eq!(read.source(), expected);
        }
        for odd in ["", "https://kv.vault.azure.net/keys/x", "0a", "https://kv.vault.azure.net/secrets/x/0a"] {
            let key = KeyVaultProperties { current: Some(odd.into()), ..KeyVaultProperties::default() };
            assert_eq!(key.current_version(), None, "{odd}");
        }
    }
}
