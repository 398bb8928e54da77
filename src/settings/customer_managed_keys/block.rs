//! `tenant.customerManagedKeys` in the file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::{Diagnostics, Located};
use crate::settings::block;
use crate::terms::{Head, Place};

/// Customer-managed keys of environments that the configuration doesn't declare. Without this block, only declared environments are
/// watched.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "CustomerManagedKeys")]
pub struct Block {
    /// Which environments are watched besides the declared ones. Required. What is found is told; nothing is planned for them.
    watch: Watch,
}

/// Which environments are watched besides the declared ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "WatchedEnvironments")]
enum Watch {
    /// All of the tenant that the identity which runs palisade may administer.
    All,
}

/// What the file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// Where it is written.
    pub place: Place,
}

impl block::Block for Block {
    const KEY: &'static str = "customerManagedKeys";
    type Declared = Declared;
    type Saw = block::Readable;

    fn declare(self, at: Located<'_>, _: &Head, _: &mut Diagnostics) -> Declared {
        let Self { watch: Watch::All } = self;
        Declared { place: at.place() }
    }
}
