//! Principals and roles, as files write them.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A role in Customer Insights - Data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize, JsonSchema)]
// The example that hints repeat: nobody should be made an Admin by following a hint.
#[schemars(extend("examples" = ["Viewer"]))]
pub enum Role {
    /// May do everything, including giving roles.
    Admin,
    /// May change data and configuration, but not give roles.
    Contributor,
    /// A contributor within a business unit. Needs `businessUnits: true`.
    #[serde(rename = "Marketing Contributor")]
    MarketingContributor,
    /// May look.
    Viewer,
}

impl Role {
    /// The role's name, as the service and the file write it.
    pub fn name(self) -> &'static str {
        match self {
            Role::Admin => "Admin",
            Role::Contributor => "Contributor",
            Role::MarketingContributor => "Marketing Contributor",
            Role::Viewer => "Viewer",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Who is meant. Equality looks at names as well; [`PrincipalRef::identities`] decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrincipalRef {
    /// A person.
    User {
        /// The user principal name, as written.
        upn: String,
        /// The object id, where the file gives one. Then it decides, and the name must be its own.
        id: Option<Uuid>,
    },
    /// A group.
    Group {
        /// The display name, for readers.
        name: String,
        /// The object id.
        id: Uuid,
    },
    /// An app.
    App {
        /// The display name, for readers.
        name: String,
        /// The application (client) id.
        app_id: Uuid,
    },
    /// Any principal.
    Principal {
        /// The object id.
        id: Uuid,
    },
}

impl PrincipalRef {
    /// What two entries for the same principal have in common. Application ids and object ids are different numbers for
    /// different things, so they never meet.
    pub fn identities(&self) -> Vec<String> {
        match self {
            PrincipalRef::User { upn, id } => id.iter().map(Uuid::to_string).chain([upn.to_lowercase()]).collect(),
            PrincipalRef::Group { id, .. } | PrincipalRef::Principal { id } => vec![id.to_string()],
            PrincipalRef::App { app_id, .. } => vec![format!("app:{app_id}")],
        }
    }

    /// Whether two entries name the same principal, as far as a file tells.
    pub fn is(&self, other: &Self) -> bool {
        let identities = self.identities();
        other.identities().iter().any(|identity| identities.contains(identity))
    }

    /// Whether two entries may name the same principal in different ways, which only the directory tells.
    pub fn may_be(&self, other: &Self) -> bool {
        let bare = |one: &Self| matches!(one, PrincipalRef::Principal { .. });
        let without_object_id =
            |one: &Self| matches!(one, PrincipalRef::User { id: None, .. } | PrincipalRef::App { .. });
        (bare(self) && without_object_id(other)) || (bare(other) && without_object_id(self))
    }
}

impl fmt::Display for PrincipalRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PrincipalRef::User { upn, id: _ } => formatter.write_str(upn),
            PrincipalRef::Group { name, .. } | PrincipalRef::App { name, .. } => formatter.write_str(name),
            PrincipalRef::Principal { id } => write!(formatter, "{id}"),
        }
    }
}
