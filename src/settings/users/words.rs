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

/// Who is meant. Equality looks at names as well; [`PrincipalRef::identity`] is what decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrincipalRef {
    /// A person.
    User {
        /// The user principal name, as written.
        upn: String,
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
    /// What two spellings of the same principal have in common. Application ids and object ids are different numbers
    /// for different things, so they never meet.
    pub fn identity(&self) -> String {
        match self {
            PrincipalRef::User { upn } => upn.to_lowercase(),
            PrincipalRef::Group { id, .. } | PrincipalRef::Principal { id } => id.to_string(),
            PrincipalRef::App { app_id, .. } => format!("app:{app_id}"),
        }
    }
}

impl fmt::Display for PrincipalRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PrincipalRef::User { upn } => formatter.write_str(upn),
            PrincipalRef::Group { name, .. } | PrincipalRef::App { name, .. } => formatter.write_str(name),
            PrincipalRef::Principal { id } => write!(formatter, "{id}"),
        }
    }
}
