//! Customer Insights - Data instances as the world keeps them.
//!
//! What must stay true: no key outlives the state that it belongs to, but for what a knob of
//! [`Behaviour`](super::Behaviour) keeps visible.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Earlier, KeyVaultLink, Masked, PrivateLink};

/// One Customer Insights - Data instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Instance {
    /// What `GET /instances/{instanceId}` shows, apart from the id.
    pub metadata: InstanceMetadata,
    /// The scale unit that hosts it.
    pub scale_unit_id: String,
    /// The Power Platform environment that hosts it; no Customer Insights operation shows it.
    pub environment_id: String,
    /// Object id of the owner; no operation shows it either.
    pub owner: Uuid,
    /// Whether business unit separation is on, which brings the role Marketing Contributor.
    #[serde(default)]
    pub business_units: bool,
    /// Role assignments in the order in which they were made.
    #[serde(default)]
    pub assignments: Vec<Assignment>,
    /// Earlier lists of role assignments, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier_assignments: Vec<Earlier<Vec<Assignment>>>,
    /// API access.
    #[serde(default)]
    pub api_subscription: ApiSubscription,
    /// Earlier states of API access, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier_api_subscriptions: Vec<Earlier<ApiSubscription>>,
    /// The Key Vault that it is linked to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_vault: Option<KeyVaultLink>,
    /// Private links, in the order in which they were added.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub private_links: Vec<PrivateLink>,
}

/// The stored part of `InstanceMetadata`. Members are there even when null, as
/// the service's models have no required member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InstanceMetadata {
    /// Display name.
    pub name: Option<String>,
    /// `production`, `sandbox`, `trial` …
    pub instance_type: String,
    /// `active`, `updating` …
    pub provisioning_state: String,
    /// Region chosen at creation.
    pub region: String,
    /// Azure region of the scale unit.
    pub azure_region: String,
    /// The linked Dataverse organisation.
    pub cds_org_info: Option<CdsOrgInfo>,
    /// Business audience.
    #[serde(default)]
    pub is_b2_b: bool,
    /// Consumer audience.
    #[serde(default)]
    pub is_b2_c: bool,
    /// Own Power BI.
    #[serde(default)]
    pub is_byo_pbi: bool,
    /// Own Synapse.
    #[serde(default)]
    pub is_byo_synapse: bool,
    /// Dataverse managed lake, or Dataverse on an own lake.
    #[serde(default)]
    pub is_cds_mdl_or_cds_byodl: bool,
    /// End of a trial.
    #[serde(default)]
    pub expiry_time_utc: Option<Timestamp>,
    /// Platform type; its vocabulary is UNDOCUMENTED.
    #[serde(default)]
    pub platform_type: Option<String>,
    /// Counts the writes of the stored object.
    pub version: i64,
    /// UPN of the last writer.
    pub updated_by: Option<String>,
    /// Last write.
    pub updated_utc: Option<Timestamp>,
    /// E-mail of the creator.
    pub created_by: Option<String>,
    /// Creation.
    pub created_utc: Option<Timestamp>,
}

/// `CdsOrgInfo`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CdsOrgInfo {
    /// Display name.
    pub friendly_name: String,
    /// Address of the organisation.
    pub url: String,
    /// State, such as `Ready`.
    pub state: String,
    /// Geography.
    pub location: String,
    /// `Production`, `Sandbox` …
    pub environment_sku: String,
}

/// Who holds which roles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Assignment {
    /// Object id of the principal as the writer spelled it; compared without regard to case.
    pub principal_id: String,
    /// Kind of the principal.
    pub principal_type: PrincipalType,
    /// Role names.
    pub roles: Vec<String>,
}

/// `principalType` of a role assignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PrincipalType {
    /// A user.
    User,
    /// A group.
    Group,
    /// An application; its id is the service principal's object id (UNDOCUMENTED: the safer guess).
    App,
}

impl PrincipalType {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
            Self::App => "app",
        }
    }
}

/// API access of an instance. `version` outlives switching off, so that keys never come back.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ApiSubscription {
    /// Whether API access is on.
    pub is_subscribed: bool,
    /// Primary key, while on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary_key: Option<Masked>,
    /// Secondary key, while on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secondary_key: Option<Masked>,
    /// When the primary key was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary_key_regenerated_utc: Option<Timestamp>,
    /// When the secondary key was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secondary_key_regenerated_utc: Option<Timestamp>,
    /// Counts the writes.
    pub version: i64,
}
