//! `apiAccess.keys` in the file: where consumers read the key in force, and when keys are replaced.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::times;
use super::words::{SecretName, WindowText};
use crate::config::words::{Day, Duration, Instant, Text};
use crate::config::{Diagnostic, Diagnostics, Located, quoted};
use crate::rotation::{Consumer, Retire, Rotation, Verify};
use crate::settings::api_access::codes;
use crate::settings::block::{self, Claim};
use crate::settings::names;
use crate::settings::words::VaultText;
use crate::terms::{Head, Place, VaultId};

/// The two API keys of the environment: palisade publishes the one in force as a secret, and replaces them in turn, so
/// that a consumer which reads the secret always holds a key that works. Without this block, keys are left as they are.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "ApiKeys")]
pub(crate) struct KeysBlock {
    /// The Key Vault secret from which consumers read the key in force. Required.
    #[serde(skip_serializing_if = "Option::is_none")]
    publish_to: Option<PublishToBlock>,
    /// How live keys are looked at.
    #[serde(default)]
    verify: Verify,
    /// The age that no published key may reach. 90 days if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_age: Option<Duration>,
    /// How long before that age a plan may replace the key. 14 days if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    renew_before: Option<Duration>,
    /// How long a replaced key stays valid at least. 7 days if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    grace: Option<Duration>,
    /// What happens to a replaced key.
    #[serde(default)]
    retire: Retire,
    /// Keys issued before this instant are taken for compromised: they are replaced and retired. In the future, it does
    /// nothing until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    rotated_after: Option<Instant>,
    /// The day from which all consumers read the secret instead of having a key of their own. Needed before the first
    /// replacement where keys were in use before palisade published one.
    #[serde(skip_serializing_if = "Option::is_none")]
    adopted_on: Option<Day>,
    /// Who reads the secret, and how long they may use what they read.
    #[serde(default)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    consumers: Vec<ConsumerBlock>,
    /// When keys may be replaced and retired: days, hours and a time zone. Always if left out. Repairs don't wait.
    #[serde(default)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    windows: Vec<WindowText>,
}

/// A secret in a Key Vault.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "PublishTo")]
struct PublishToBlock {
    /// The vault's Azure resource id. Required.
    #[serde(skip_serializing_if = "Option::is_none")]
    vault: Option<VaultText>,
    /// The secret's name. Required.
    // Taken as it is, since `${environment}` may have put in what the name can't hold; judged in `declare`.
    #[schemars(with = "Option<SecretName>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

/// Somebody who reads the secret.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Consumer")]
struct ConsumerBlock {
    /// A name for people.
    name: Text,
    /// The longest time for which it uses what it read.
    max_cache: Duration,
}

/// A secret in a vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretPlace {
    /// The vault.
    pub vault: VaultId,
    /// The secret's name.
    pub secret: String,
}

impl std::fmt::Display for SecretPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { vault, secret } = self;
        write!(f, "{secret} in {}", vault.name())
    }
}

/// What the file says about the keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    /// Where the key in force is published.
    pub publish_to: SecretPlace,
    /// When keys are replaced.
    pub rotation: Rotation,
    /// What nobody else may publish to.
    pub claim: Claim,
    /// Where the block is written.
    pub place: Place,
}

impl KeysBlock {
    /// Checks the block; `None` if it doesn't say where to publish to, which is then reported.
    pub(in crate::settings::api_access) fn declare(
        self,
        at: Located<'_>,
        head: &Head,
        diagnostics: &mut Diagnostics,
    ) -> Option<Keys> {
        let help = "write `publishTo: { vault: /subscriptions/…/vaults/NAME, secret: NAME }`";
        let Some(PublishToBlock { vault, secret }) = self.publish_to else {
            block::missing(at, "keys", "publishTo", help, diagnostics);
            return None;
        };
        let (Some(vault), Some(secret)) = (vault, secret) else {
            let to = at.at(&["publishTo"]);
            let missing = ["vault", "secret"].into_iter().filter(|key| to.node.entry(key).is_none());
            missing.for_each(|key| block::missing(to, "publishTo", key, help, diagnostics));
            return None;
        };
        let vault = names::vault(vault, at.at(&["publishTo", "vault"]).span(), diagnostics);
        let secret_at = at.at(&["publishTo", "secret"]);
        if let Some(wrong) = SecretName::check(&secret) {
            diagnostics.push(
                Diagnostic::error(wrong.code, secret_at.span(), format!("`secret` {}", wrong.message))
                    .help(wrong.advice(Some("secret"))),
            );
        }
        // Without an instance there is an error, and what comes of it is never handed out.
        let instance = head.environment().and_then(|environment| environment.instance_id);
        let defaults = Rotation::new(instance.map(|id| id.to_string()).unwrap_or_default());
        let rotation = Rotation {
            max_age: self.max_age.map_or(defaults.max_age, |it| it.0),
            renew_before: self.renew_before.map_or(defaults.renew_before, |it| it.0),
            grace: self.grace.map_or(defaults.grace, |it| it.0),
            retire: self.retire,
            rotated_after: self.rotated_after.map(|it| it.0),
            adopted_on: self.adopted_on.map(|Day(day): Day| -> Date { day }),
            consumers: self
                .consumers
                .into_iter()
                .map(|ConsumerBlock { name, max_cache }| Consumer { name: name.0, max_cache: max_cache.0 })
                .collect(),
            windows: self.windows.into_iter().map(|it| it.0).collect(),
            verify: self.verify,
            ..defaults
        };
        times::judge(&rotation, at, diagnostics);
        let vault = vault?;
        let claim = Claim {
            what: format!("{vault}/secrets/{secret}").to_lowercase(),
            called: format!("the secret {} of the vault {}", quoted(&secret), quoted(vault.name())),
            how: "published to",
            value: None,
            code: codes::SHARED_SECRET,
            help: "give each environment a secret of its own; in `base`, `${environment}` makes the difference",
            span: secret_at.span(),
        };
        Some(Keys { publish_to: SecretPlace { vault, secret }, rotation, claim, place: at.place() })
    }
}
