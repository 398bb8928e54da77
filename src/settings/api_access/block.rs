//! `apiAccess` in the file: whether the instance's API can be called.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::{Diagnostics, EnvironmentHead, Located, Place};
use crate::settings::blocks;

/// Access to the instance's API with keys or tokens. Without this block, palisade leaves API access as it is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "ApiAccess")]
pub struct Block {
    /// Whether API access is switched on: `true` or `false`, without quotes. Switching it off stops every client that
    /// uses the API. Required.
    enabled: Option<bool>,
}

/// What the file says about API access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// Whether it is to be on.
    pub enabled: bool,
    /// Where that is written.
    pub place: Place,
}

impl blocks::Block for Block {
    const KEY: &'static str = "apiAccess";
    type Declared = Declared;

    fn declare(self, at: Located<'_>, _: &EnvironmentHead, diagnostics: &mut Diagnostics) -> Declared {
        if self.enabled.is_none() {
            blocks::missing(at, Self::KEY, "enabled", "write `enabled: true` or `enabled: false`", diagnostics);
        }
        Declared { enabled: self.enabled.unwrap_or_default(), place: at.key_place("enabled") }
    }
}
