//! The world: the state that the emulator serves, as one readable document.
//!
//! Words: the *directory* is users, groups and applications (service principals) of one tenant; a *client* is an
//! application that may ask for tokens; an *instance* is one Customer Insights - Data environment; *earlier* is what an
//! instance showed before its latest writes, kept only as long as the propagation or the stale reads of [`Behaviour`]
//! need it. What must stay true: the document has one stable order (struct order, sorted maps), so that equal worlds are
//! equal bytes; nothing in here reads the clock; secrets are masked in `Debug`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The format number of the document; a file with another one is refused.
pub const FORMAT: &str = "palisade.world/1";

/// Everything that the emulator serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct World {
    /// Always [`FORMAT`].
    pub format: String,
    /// The world's own id; a plan made against one world is refused for another.
    pub world: Uuid,
    /// The tenant; none until the first seeding binds the world to one.
    pub tenant: Option<Tenant>,
    /// How the services behave where the real ones are undocumented, slow or stale.
    #[serde(default)]
    pub behaviour: Behaviour,
    /// Users by object id.
    #[serde(default)]
    pub users: BTreeMap<Uuid, User>,
    /// Groups by object id.
    #[serde(default)]
    pub groups: BTreeMap<Uuid, Group>,
    /// Applications by the object id of their service principal.
    #[serde(default)]
    pub applications: BTreeMap<Uuid, Application>,
    /// Customer Insights - Data instances by instance id.
    #[serde(default)]
    pub instances: BTreeMap<Uuid, Instance>,
}

/// An Entra tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tenant {
    /// Tenant id.
    pub id: Uuid,
    /// Its verified domain, as in user principal names.
    pub domain: String,
    /// Display name.
    pub name: String,
}

/// Knobs for what the real services leave open (customer-insights-api.md, sections 8.1 and 12).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Behaviour {
    /// Refuse to remove or downgrade the last Admin. Whether the service does is UNDOCUMENTED.
    pub refuse_last_admin: bool,
    /// Refuse to remove or downgrade the owner. Whether the service does is UNDOCUMENTED.
    pub refuse_owner_removal: bool,
    /// A role write is listed at once but counts for authorisation only after this long (documented: up to 15 minutes).
    pub role_write_propagation: SignedDuration,
    /// Reads of role assignments and of the API subscription show the earlier state for this long after a write.
    pub stale_reads: SignedDuration,
    /// How long an access token lives.
    pub token_lifetime: SignedDuration,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            refuse_last_admin: false,
            refuse_owner_removal: false,
            role_write_propagation: SignedDuration::ZERO,
            stale_reads: SignedDuration::ZERO,
            token_lifetime: SignedDuration::from_secs(3599),
        }
    }
}

/// A user of the tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct User {
    /// User principal name.
    pub user_principal_name: String,
    /// Display name.
    pub display_name: String,
}

/// A security group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Group {
    /// Display name; several groups may share one.
    pub display_name: String,
    /// Object ids of the direct members: users, groups, service principals.
    #[serde(default)]
    pub members: BTreeSet<Uuid>,
}

/// An application with its service principal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Application {
    /// Application (client) id.
    pub app_id: Uuid,
    /// Display name.
    pub display_name: String,
    /// Present if the application may ask for tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<Client>,
}

/// What an application needs to ask for tokens, and what it may do with them outside Customer Insights.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Client {
    /// Client secret.
    pub secret: Masked,
    /// Whether it may read the directory through Microsoft Graph.
    pub graph: Access,
}

/// Whether something is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Access {
    /// Yes.
    Allowed,
    /// No.
    Denied,
}

/// A text that is written to the world file but never shown by `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Masked(String);

impl Masked {
    /// Wraps a secret text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Masked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"***\"")
    }
}

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
}

/// The stored part of `InstanceMetadata` (customer-insights-api.md, section 5.4). Members are there even when null, as
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

/// `CdsOrgInfo` (section 5.5).
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

/// `principalType` of a role assignment (section 5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PrincipalType {
    /// A user.
    User,
    /// A group.
    Group,
    /// An application; its id is the service principal's object id (UNDOCUMENTED, the safer guess of section 8.1).
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

/// A state that was replaced, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Earlier<T> {
    /// When it was replaced.
    pub until: Timestamp,
    /// What it was.
    pub was: T,
}

impl World {
    /// An empty world with a random id; bound to `tenant`, or by the first seeding.
    pub fn new(tenant: Option<Tenant>) -> Self {
        Self {
            format: FORMAT.to_owned(),
            world: Uuid::new_v4(),
            tenant,
            behaviour: Behaviour::default(),
            users: BTreeMap::new(),
            groups: BTreeMap::new(),
            applications: BTreeMap::new(),
            instances: BTreeMap::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_show_in_debug() {
        let client = Client { secret: Masked::new("hidden-text"), graph: Access::Allowed };
        assert!(!format!("{client:?}").contains("hidden-text"));
    }

    #[test]
    fn a_document_may_leave_out_what_has_a_default() {
        let text = r#"{ "format": "palisade.world/1", "world": "00000000-0000-4000-8000-000000000001", "tenant": null,
                        "behaviour": { "roleWritePropagation": "PT15M", "refuseLastAdmin": true } }"#;
        let world: World = serde_json::from_str(text).unwrap();
        let expected = Behaviour {
            refuse_last_admin: true,
            role_write_propagation: SignedDuration::from_mins(15),
            ..Behaviour::default()
        };
        assert_eq!(world.behaviour, expected);
        let knobs = serde_json::to_value(&world.behaviour).unwrap();
        assert_eq!((&knobs["roleWritePropagation"], &knobs["staleReads"]), (&"PT15M".into(), &"PT0S".into()));
    }
}
