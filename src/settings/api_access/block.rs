//! `apiAccess` in the file: whether the instance's API can be called.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::keys::{Keys, KeysBlock};
use crate::config::{Diagnostic, Diagnostics, Located};
use crate::settings::api_access::codes;
use crate::settings::block::{self, Claim};
use crate::terms::{Head, Place};

/// Access to the instance's API with keys or tokens. Without this block, palisade leaves API access as it is.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "ApiAccess")]
pub struct Block {
    /// Whether API access is switched on: `true` or `false`, without quotes. Switching it off stops every client that
    /// uses the API. Required.
    #[serde(skip_serializing_if = "Option::is_none")]
    enabled: Option<bool>,
    /// The API keys: where the one in force is published, and when they are replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    keys: Option<KeysBlock>,
}

/// What a person sees of API access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "ApiAccessSaw")]
pub struct Saw {
    /// Whether the page shows API access on: `true` or `false`, without quotes. Required.
    #[schemars(example = true)]
    pub enabled: bool,
}

impl block::Saw for Saw {
    const PLACE: Option<&'static str> = Some("Settings > Permissions > APIs");
    const EXAMPLE: &'static str = "{ enabled: true }";

    fn check(&self, _: Located<'_>, _: &mut Diagnostics) {}
}

/// What the file says about API access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// Whether it is to be on.
    pub enabled: bool,
    /// Where that is written.
    pub place: Place,
    /// What to do about the keys.
    pub keys: Option<Keys>,
}

impl block::Block for Block {
    const KEY: &'static str = "apiAccess";
    type Declared = Declared;
    type Saw = Saw;

    fn declare(self, at: Located<'_>, head: &Head, diagnostics: &mut Diagnostics) -> Declared {
        let Self { enabled, keys } = self;
        if enabled.is_none() {
            block::missing(at, Self::KEY, "enabled", "write `enabled: true` or `enabled: false`", diagnostics);
        }
        if enabled == Some(false) && keys.is_some() {
            let message = "there are no keys while API access is off";
            diagnostics.push(
                Diagnostic::error(codes::KEYS_WITHOUT_ACCESS, at.key_span("keys"), message)
                    .related(at.at(&["enabled"]).span(), "declared as off here")
                    .help("write `enabled: true`, or remove `keys`"),
            );
        }
        let keys = keys.and_then(|keys| keys.declare(at.at(&["keys"]), head, diagnostics));
        Declared { enabled: enabled.unwrap_or_default(), place: at.key_place("enabled"), keys }
    }

    fn claims(declared: &Declared) -> Vec<Claim> {
        declared.keys.iter().map(|keys| keys.claim.clone()).collect()
    }

    fn to_see(declared: &Declared) -> Option<Saw> {
        Some(Saw { enabled: declared.enabled })
    }
}
