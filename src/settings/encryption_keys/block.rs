//! A key in the file: its vault, its name, its version if it is pinned, and how it is kept up.

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::codes;
use super::lifeline::MARGIN;
use super::words::{KeyName, KeyVersionText};
use crate::config::words::{Duration, Instant, Written as _};
use crate::config::{Diagnostic, Diagnostics, Located, quoted};
use crate::settings::block::{self, Claim};
use crate::settings::names;
use crate::settings::words::VaultText;
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
    /// an outage. Where a policy refers to the key, another version of it needs another policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<KeyVersionText>,
}

/// A key in a Key Vault, and how it is kept up.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "LiveEncryptionKey")]
pub struct LiveKeyBlock {
    /// The vault's Azure resource id. Required.
    #[serde(skip_serializing_if = "Option::is_none")]
    vault: Option<VaultText>,
    /// The key's name, without a version. Required.
    #[schemars(with = "Option<KeyName>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// The version that is used for good. Without it, the newest enabled version is followed, within about a day and without
    /// an outage. Another version of a pinned key needs another policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<KeyVersionText>,
    /// When the vault makes new versions by itself. Without this block, palisade leaves the key's rotation policy as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    rotation: Option<RotationBlock>,
    /// The current version must have been made after this instant: an older one is replaced by a new version, once. In the
    /// future, it does nothing until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    rotated_after: Option<Instant>,
    /// How long before the key expires `plan` and `drift` say so. 30 days if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    warn_before: Option<Duration>,
}

/// The rotation policy of a key, which its vault carries out.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "KeyRotation")]
struct RotationBlock {
    /// How long after a version was made the next one is, in days: 7 at least. Required.
    #[serde(skip_serializing_if = "Option::is_none")]
    rotate_after: Option<Duration>,
    /// For how long versions are valid that are made from then on, in days: 28 more than `rotateAfter` at least. An expired
    /// key locks environments, so leave it out unless a rule demands it; what the policy has then stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    expire_after: Option<Duration>,
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

/// A key's rotation policy, as far as palisade manages it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotation {
    /// Days after which the next version is made.
    pub rotate_after: u32,
    /// Days for which versions are valid; what the policy has stays, if none.
    pub expire_after: Option<u32>,
}

impl std::fmt::Display for Rotation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { rotate_after, expire_after } = self;
        write!(f, "every {rotate_after} days")?;
        expire_after.map_or(Ok(()), |days| write!(f, ", valid for {days} days"))
    }
}

/// How a key is kept up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Upkeep {
    /// Its rotation policy; none leaves it as it is.
    pub rotation: Option<Rotation>,
    /// The current version must be younger than this.
    pub rotated_after: Option<Timestamp>,
    /// How long before it expires that is told; none if the file doesn't say.
    pub warn_before: Option<SignedDuration>,
}

impl Upkeep {
    /// How long before the key expires that is told.
    pub fn margin(&self) -> SignedDuration {
        self.warn_before.unwrap_or(MARGIN)
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

/// The same for a key that something is encrypted with from now on. `claims` gets what everybody who names the key must say alike.
pub fn declare_live_key(
    key: LiveKeyBlock,
    at: Located<'_>,
    claims: &mut Vec<Claim>,
    diagnostics: &mut Diagnostics,
) -> Option<(KeyRef, Upkeep)> {
    let LiveKeyBlock { vault, name, version, rotation, rotated_after, warn_before } = key;
    let pinned = version.is_some();
    let key = declare_key(KeyBlock { vault, name, version }, at, diagnostics);
    let at = at.at(&["key"]);
    let rotation = rotation.and_then(|rotation| declare_rotation(rotation, at.at(&["rotation"]), diagnostics));
    for part in ["rotation", "rotatedAfter"].into_iter().filter(|part| pinned && at.node.entry(part).is_some()) {
        let message = format!("`{part}` has no effect on a key that is pinned to a version");
        let help = "leave `version` out to follow the newest version, in a new policy";
        diagnostics.push(Diagnostic::error(codes::BAD_KEY_ROTATION, at.at(&[part]).span(), message).help(help));
    }
    let warn_before = warn_before.map(|Duration(before)| before);
    let key = key?;
    if let Some(rotation) = rotation {
        claims.push(Claim {
            what: format!("rotation of {}/keys/{}", key.vault, key.name).to_lowercase(),
            called: format!("the key {} of the vault {}", quoted(&key.name), quoted(key.vault.name())),
            how: "declared to be rotated",
            value: Some(rotation.to_string()),
            code: codes::KEY_WITH_TWO_ROTATIONS,
            help: "a key has one rotation policy: declare the same one wherever the key is named",
            span: at.at(&["rotation"]).span(),
        });
    }
    Some((key, Upkeep { rotation, rotated_after: rotated_after.map(|Instant(at)| at), warn_before }))
}

fn days(days: u32) -> SignedDuration {
    SignedDuration::from_hours(24 * i64::from(days))
}

/// For so many days a version that was replaced must stay usable.
pub(super) const KEPT_DAYS: u32 = 28;

/// The rules are those of the service: learn.microsoft.com/azure/key-vault/keys/how-to-configure-key-rotation.
fn declare_rotation(block: RotationBlock, at: Located<'_>, diagnostics: &mut Diagnostics) -> Option<Rotation> {
    const SOONEST: u32 = 7;
    const SHORTEST: u32 = 28;
    let RotationBlock { rotate_after, expire_after } = block;
    if rotate_after.is_none() {
        block::missing(at, "rotation", "rotateAfter", "write `rotation: { rotateAfter: 90d }`", diagnostics);
    }
    let mut whole = |part: &str, Duration(duration): Duration, least: u32| {
        let count = u32::try_from(duration.as_hours() / 24).ok().filter(|count| days(*count) == duration);
        if let Some(count) = count.filter(|count| *count >= least) {
            return Some(count);
        }
        let message =
            format!("`{part}` must be {least} days at least, and whole days, not {}", quoted(&duration.written()));
        let help = match duration.written().strip_suffix('m') {
            Some(number) => {
                format!("`{number}m` is {number} minutes; write days, such as `{part}: 90d`, or `365d` for a year")
            }
            None => format!("write `{part}: {least}d`, or more days"),
        };
        diagnostics.push(Diagnostic::error(codes::BAD_KEY_ROTATION, at.at(&[part]).span(), message).help(help));
        None
    };
    let rotate = rotate_after.map(|rotate| whole("rotateAfter", rotate, SOONEST))?;
    let expire = match expire_after {
        Some(expire) => Some(whole("expireAfter", expire, SHORTEST)?),
        None => None,
    };
    let rotate = rotate?;
    // The vault would take 7 days; whoever encrypts with the key needs a former version for longer.
    if let Some(expire) = expire.filter(|expire| *expire < rotate + KEPT_DAYS) {
        let message = format!(
            "a version is needed for {KEPT_DAYS} days after it is replaced: after {expire} days, it expires too soon"
        );
        let help = format!("write `expireAfter: {}d` or more, or leave it out", rotate + KEPT_DAYS);
        diagnostics
            .push(Diagnostic::error(codes::BAD_KEY_ROTATION, at.at(&["expireAfter"]).span(), message).help(help));
        return None;
    }
    Some(Rotation { rotate_after: rotate, expire_after: expire })
}

/// Whether two references are to the same key, whatever the version.
pub fn same_key(one: &KeyRef, other: &KeyRef) -> bool {
    one.vault == other.vault && one.name.eq_ignore_ascii_case(&other.name)
}
