//! What a setting belongs to: the tenant, or one environment.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use super::text::short;
use super::{EnvironmentHead, Place};

/// How the tenant's scope is written. No environment may have this key.
const TENANT: &str = "tenant";

/// The tenant, or one environment by its key. The tenant comes first wherever scopes are in order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// The tenant.
    Tenant,
    /// An environment, by its key in the configuration.
    Environment(String),
}

impl Scope {
    /// The environment with this key.
    pub fn environment(key: impl Into<String>) -> Self {
        Self::Environment(key.into())
    }

    /// The scope that is written so.
    pub fn named(text: &str) -> Self {
        if text == TENANT { Self::Tenant } else { Self::Environment(text.to_owned()) }
    }

    /// As addresses and documents write it; shown is what [`fmt::Display`] makes of it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Tenant => TENANT,
            Self::Environment(key) => key,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&short(self.as_str()))
    }
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::named(&String::deserialize(deserializer)?))
    }
}

/// A kind of scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ScopeKind {
    /// The tenant.
    Tenant,
    /// Environments.
    Environment,
}

/// What a scope is: its names and ids, and where it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Head {
    /// The tenant.
    Tenant(TenantHead),
    /// An environment.
    Environment(EnvironmentHead),
}

/// The tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantHead {
    /// Its id.
    pub id: Uuid,
    /// Where it is written.
    pub place: Place,
}

impl Head {
    /// Which scope it is.
    pub fn scope(&self) -> Scope {
        match self {
            Self::Tenant(_) => Scope::Tenant,
            Self::Environment(head) => head.scope(),
        }
    }

    /// Where it is written.
    pub fn place(&self) -> &Place {
        match self {
            Self::Tenant(head) => &head.place,
            Self::Environment(head) => &head.place,
        }
    }

    /// Of which kind it is.
    pub fn kind(&self) -> ScopeKind {
        match self {
            Self::Tenant(_) => ScopeKind::Tenant,
            Self::Environment(_) => ScopeKind::Environment,
        }
    }

    /// Whether it is the environment with this key.
    pub fn is_environment(&self, key: &str) -> bool {
        self.environment().is_some_and(|head| head.key == key)
    }

    /// The environment, if it is one.
    pub fn environment(&self) -> Option<&EnvironmentHead> {
        match self {
            Self::Tenant(_) => None,
            Self::Environment(head) => Some(head),
        }
    }

    /// For a person: `the environment prod (Contoso prod)`.
    pub fn label(&self) -> String {
        match self {
            Self::Tenant(TenantHead { id, place: _ }) => format!("the tenant {id}"),
            Self::Environment(EnvironmentHead { key, name: Some(name), .. }) => {
                format!("the environment {key} ({name})")
            }
            Self::Environment(EnvironmentHead { key, name: None, .. }) => format!("the environment {key}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_read_as_it_is_written_and_the_tenant_comes_first() {
        for scope in [Scope::Tenant, Scope::environment("prod"), Scope::environment("Tenant")] {
            let written = serde_json::to_value(&scope).unwrap();
            assert_eq!(serde_json::from_value::<Scope>(written).unwrap(), scope);
        }
        assert!(Scope::Tenant < Scope::environment("a"));
    }
}
