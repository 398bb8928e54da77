//! Limiting a run to some addresses: for jobs that may do one thing, such as a nightly rotation.
//!
//! A prefix is an address, or its beginning up to a `/`; `*` stands for every environment.
//!
//! Invariants: a plan that is limited says so in its document; what lies outside is neither done nor judged, apart from what is
//! about the environment itself, or about the whole run.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::change::Address;
use super::document::ScopePlan;
use crate::terms::Scope;

/// Prefixes of addresses; none means everything.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Only(Vec<String>);

/// A text that can't be a prefix of an address.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "write the beginning of an address, such as `prod/apiAccess/keys`, or `*/apiAccess/keys` for every environment"
)]
pub struct BadPrefix;

impl FromStr for Only {
    type Err = BadPrefix;

    /// One prefix.
    fn from_str(text: &str) -> Result<Self, BadPrefix> {
        let text = text.trim_end_matches('/');
        let segments: Vec<&str> = text.split('/').collect();
        let misplaced = segments.iter().skip(1).any(|segment| segment.contains('*'));
        if segments.iter().any(|segment| segment.trim().is_empty()) || misplaced {
            return Err(BadPrefix);
        }
        Ok(Self(vec![text.to_owned()]))
    }
}

impl FromIterator<Only> for Only {
    fn from_iter<T: IntoIterator<Item = Only>>(iter: T) -> Self {
        Self(iter.into_iter().flat_map(|only| only.0).collect())
    }
}

impl Only {
    /// Whether it limits nothing.
    pub fn is_everything(&self) -> bool {
        self.0.is_empty()
    }

    /// A prefix that can't meet anything in these scopes and settings.
    pub fn stranger(&self, scopes: &[&str], settings: &[&str]) -> Option<&str> {
        let leads_nowhere = |prefix: &&String| {
            let mut parts = prefix.split('/');
            let scope = parts.next().is_some_and(|scope| scope == "*" || scopes.contains(&scope));
            !scope || parts.next().is_some_and(|setting| !settings.contains(&setting))
        };
        self.0.iter().find(leads_nowhere).map(String::as_str)
    }

    /// Whether something at this address may be done.
    pub fn allows(&self, address: &Address) -> bool {
        let covers = |prefix: &String| {
            let mut parts = address.as_str().split('/');
            prefix.split('/').all(|wanted| parts.next().is_some_and(|part| wanted == "*" || wanted == part))
        };
        self.is_everything() || self.0.iter().any(covers)
    }

    /// Whether something at this address matters to what may be done: it may be done itself, or it is above it.
    pub fn concerns(&self, address: &Address) -> bool {
        let leads_to = |prefix: &String| {
            let mut wanted = prefix.split('/');
            address.as_str().split('/').all(|part| wanted.next().is_some_and(|wanted| wanted == "*" || wanted == part))
        };
        self.allows(address) || self.0.iter().any(leads_to)
    }

    /// Whether anything in this scope may be done.
    pub fn reaches(&self, scope: &Scope) -> bool {
        self.concerns(&Address::scope(scope))
    }

    /// Leaves in a scope's part of a plan only what matters, and tells how many changes lie outside.
    pub(super) fn narrow(&self, scope: &mut ScopePlan) -> usize {
        if self.is_everything() {
            return 0;
        }
        let changes = scope.changes.len();
        scope.changes.retain(|change| self.allows(&change.address));
        scope.unknown.retain(|unknown| self.concerns(&unknown.address));
        scope.waiting.retain(|waiting| self.concerns(&waiting.address));
        scope.in_effect.retain(|address| self.concerns(address));
        scope.complete.retain(|address| self.concerns(address));
        // What is in sync is counted by setting, not by address.
        scope.in_sync = 0;
        changes - scope.changes.len()
    }
}

impl std::fmt::Display for Only {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_where_a_part_of_an_address_ends() {
        let table = [
            ("prod", "prod/users/ada@contoso.com", true, true),
            ("prod", "production/users", false, false),
            ("prod/apiAccess/keys", "prod/apiAccess/keys/primary", true, true),
            ("prod/apiAccess/keys", "prod/apiAccess", false, true),
            ("prod/apiAccess/keys", "prod/apiAccess/keysX", false, false),
            ("*/apiAccess/keys", "test/apiAccess/keys", true, true),
            ("*/apiAccess/keys", "test/users", false, false),
            ("*/apiAccess/keys", "test", false, true),
            ("prod/apiAccess/", "prod/apiAccess/keys", true, true),
            ("prod/users", "test", false, false),
        ];
        for (prefix, address, allows, concerns) in table {
            let only: Only = prefix.parse().unwrap();
            let mut parts = address.splitn(2, '/');
            let scope = Address::written(parts.next().unwrap());
            let address = parts.next().map_or(scope.clone(), |rest| scope.part(rest));
            assert_eq!((only.allows(&address), only.concerns(&address)), (allows, concerns), "{prefix} {address}");
        }
        for bad in ["", "/", "prod//keys", "prod/*", "prod/us*rs"] {
            assert_eq!(bad.parse::<Only>(), Err(BadPrefix), "{bad}");
        }
        assert!(Only::default().allows(&Address::written("x").part("y")));
    }
}
