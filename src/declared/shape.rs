//! The shape of a file, as the JSON Schema describes it.
//!
//! The doc comments here are the hover help of editors and the pages of `palisade explain FIELD`. What must stay true: a
//! key that `base` may supply is optional here, even where the merged configuration needs it; whether it's there is
//! asked after merging.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::Value as Json;

use super::words::AttestedFor;
use crate::config::words::{Day, EnvironmentId, Guid, Text, UserName};
use crate::terms::{Cloud, Face};

/// Security settings of Dynamics 365 Customer Insights - Data environments. Several files make one configuration; what
/// no file declares isn't managed.
#[derive(Debug, JsonSchema)]
#[schemars(title = "palisade configuration", rename_all = "camelCase", deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "describes the file; values are read part by part, so that one mistake doesn't hide others"
)]
pub(super) struct File {
    /// The version of the file format. Each file says it: `version: 1`.
    #[schemars(schema_with = "version")]
    version: u32,
    /// The Entra tenant that the environments belong to. Stands in one file only.
    tenant: Option<TenantShape>,
    /// What every environment starts from: maps merge key by key, lists are replaced, and `${environment}` in a text
    /// stands for the environment's key. Stands in one file only.
    base: Option<BaseShape>,
    /// The environments, each under a key of its own choosing, which is palisade's name for it.
    environments: Option<BTreeMap<EnvironmentKey, EnvironmentShape>>,
}

fn version(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "integer", "const": 1 })
}

/// The Entra tenant, and how to reach its services.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Tenant", deny_unknown_fields)]
pub(super) struct TenantShape {
    /// The tenant's id. Required.
    #[schemars(example = &"7b1f0c52-0000-4000-8000-0000000000aa")]
    pub(super) id: Guid,
    /// The cloud that the tenant is in.
    #[serde(default)]
    pub(super) cloud: Cloud,
    /// How Customer Insights - Data is reached.
    #[serde(default)]
    pub(super) customer_insights: CustomerInsightsShape,
    /// What to do with operations that Microsoft hasn't published.
    #[serde(default)]
    pub(super) unpublished_operations: UnpublishedOperations,
    /// What people saw of tenant settings that no operation can read.
    #[serde(default)]
    #[schemars(with = "Vec<TenantAttestationShape>")]
    #[expect(dead_code, reason = "read from the tree, with its place")]
    attested: Vec<Json>,
}

/// How Customer Insights - Data is reached.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "CustomerInsights")]
pub(super) struct CustomerInsightsShape {
    /// Which front of the service to call.
    #[serde(default)]
    pub(super) face: Face,
}

/// What to do with operations that Microsoft hasn't published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct UnpublishedOperations {
    /// Operations that are known only from public code, such as Microsoft's own modules.
    pub observed: Policy,
    /// Operations that are known from nowhere public. They are always done by a person.
    #[schemars(with = "AlwaysManual")]
    pub undocumented: Policy,
}

impl Default for UnpublishedOperations {
    fn default() -> Self {
        Self { observed: Policy::Allow, undocumented: Policy::Manual }
    }
}

/// Who carries out an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Policy {
    /// Palisade calls it.
    Allow,
    /// Palisade says what to do, and a person does it.
    Manual,
}

/// Who carries out operations that nothing public describes.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "camelCase")]
#[expect(dead_code, reason = "narrows `Policy` in the schema")]
enum AlwaysManual {
    /// Palisade says what to do, and a person does it.
    Manual,
}

/// What every environment starts from. Each environment's ids and name are its own and don't belong here.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "describes the file; values are read after merging")]
#[schemars(rename = "Base")]
pub(super) struct BaseShape {
    /// Whether business unit separation is on in all environments that don't say otherwise.
    business_units: Option<bool>,
}

/// One Customer Insights - Data instance and the Power Platform environment that hosts it.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "describes the file; `HeadShape` and the blocks are what is read")]
#[schemars(rename = "Environment")]
pub(super) struct EnvironmentShape {
    /// The id of the Customer Insights - Data instance, from its settings page or its address. This or `environmentId` is
    /// required.
    instance_id: Option<Guid>,
    /// The id of the Power Platform environment that hosts the instance. This or `instanceId` is required; where both are
    /// given, they must belong together.
    environment_id: Option<EnvironmentId>,
    /// The display name that the live environment must have. Palisade stops if it has another one: ids are easily
    /// mixed up, names less so.
    name: Option<Text>,
    /// Blocks of `base` that this environment leaves alone: they are neither compared nor changed here.
    unmanaged: Option<Vec<SettingName>>,
    /// Whether business unit separation is on. It allows the role Marketing Contributor.
    business_units: Option<bool>,
    /// What people saw of settings that no operation can read. A setting is in sync while a valid entry says that it was
    /// seen as declared. Of several entries about one setting the newest valid one counts.
    attested: Option<Vec<AttestationShape>>,
}

/// What is read of an environment besides its blocks.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HeadShape {
    pub(super) instance_id: Option<Guid>,
    pub(super) environment_id: Option<EnvironmentId>,
    pub(super) name: Option<Text>,
    #[serde(default)]
    pub(super) business_units: bool,
}

/// What a person saw of a setting that no operation can read.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Attestation")]
pub(super) struct AttestationShape {
    /// The setting that was looked at. Required.
    pub(super) setting: AttestedSetting,
    /// What was seen, in the words of the setting's block. Required. `apiAccess`: `{ enabled: true }`. `keyVault`:
    /// `{ id: … }` with the linked vault, or `{ linked: false }`. `privateLinks`: `{ links: [{ resource: … }] }` with
    /// every link that the page lists, or `{ links: [] }`.
    #[schemars(schema_with = "anything")]
    #[expect(dead_code, reason = "its setting reads it, with its place")]
    saw: Json,
    /// Who looked, by user principal name. Required.
    pub(super) by: UserName,
    /// The day on which they looked (UTC). An entry older than the instance is void. Required.
    pub(super) on: Day,
    /// How long it counts, at most 180 days; after that the setting is unknown. Required.
    pub(super) valid_for: AttestedFor,
}

/// What a person saw of a tenant setting that no operation can read.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields, rename = "TenantAttestation")]
#[expect(dead_code, reason = "describes the file; entries are read like those of environments")]
pub(super) struct TenantAttestationShape {
    /// The setting that was looked at. Required.
    setting: AttestedTenantSetting,
    /// What was seen, in the words of the setting's block. Required.
    #[schemars(schema_with = "anything")]
    saw: Json,
    /// Who looked, by user principal name. Required.
    by: UserName,
    /// The day on which they looked (UTC). Required.
    on: Day,
    /// How long it counts, at most 180 days; after that the setting is unknown. Required.
    valid_for: AttestedFor,
}

fn anything(_: &mut SchemaGenerator) -> Schema {
    Schema::default()
}

/// The name of a setting. The registry says which there are.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(description = "The name of a setting.")]
pub(super) struct SettingName(#[expect(dead_code, reason = "read from the tree, with its place")] String);

/// The name of a setting that no operation can read on a real tenant. The registry says which there are.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(description = "The name of a setting that no operation can read on a real tenant.")]
pub(super) struct AttestedSetting(pub(super) String);

/// The name of a tenant setting that no operation can read. The registry says which there are.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(description = "The name of a tenant setting that no operation can read.")]
pub(super) struct AttestedTenantSetting(#[expect(dead_code, reason = "read from the tree, with its place")] String);

/// An environment's key.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct EnvironmentKey;

impl JsonSchema for EnvironmentKey {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "EnvironmentKey".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // `tenant` is the name of the other scope, in addresses and in reports.
        json_schema!({ "type": "string", "pattern": "^(?!tenant$)[A-Za-z][A-Za-z0-9_-]{0,63}$" })
    }
}
