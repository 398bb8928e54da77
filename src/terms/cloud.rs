//! Clouds, and the fronts of Customer Insights - Data. The words are those of the file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The cloud that a tenant is in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Cloud {
    /// The public cloud.
    #[default]
    Public,
    /// Government Community Cloud.
    Gcc,
    /// Government Community Cloud High.
    GccHigh,
    /// The United States Department of Defense.
    Dod,
    /// The cloud operated by 21Vianet in China.
    China,
}

/// A front of Customer Insights - Data.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Face {
    /// The instance's own scale unit: needs a bearer token only.
    #[default]
    ScaleUnit,
    /// The API gateway: also needs a subscription key.
    Gateway,
}
