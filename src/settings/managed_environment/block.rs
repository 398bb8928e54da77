//! `managedEnvironment` in the file: whether Power Platform manages the environment.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::{Diagnostics, Located};
use crate::settings::block;
use crate::terms::{Head, Place};

/// Whether the Power Platform environment is a Managed Environment, which customer-managed keys, Customer Lockbox and virtual
/// networks require. Without this block, palisade leaves that as it is.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "ManagedEnvironment")]
pub struct Block {
    /// Whether it is managed: `true` or `false`, without quotes. Its detailed settings, such as sharing limits, aren't touched.
    /// Required.
    #[serde(skip_serializing_if = "Option::is_none")]
    enabled: Option<bool>,
}

/// What the file says about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// Whether it is to be managed.
    pub enabled: bool,
    /// Where that is written.
    pub place: Place,
}

impl block::Block for Block {
    const KEY: &'static str = "managedEnvironment";
    type Declared = Declared;
    type Saw = block::Readable;

    fn declare(self, at: Located<'_>, _: &Head, diagnostics: &mut Diagnostics) -> Declared {
        let Self { enabled } = self;
        if enabled.is_none() {
            block::missing(at, Self::KEY, "enabled", "write `enabled: true` or `enabled: false`", diagnostics);
        }
        Declared { enabled: enabled.unwrap_or_default(), place: at.key_place("enabled") }
    }
}
