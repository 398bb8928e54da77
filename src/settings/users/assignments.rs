//! Who has which roles, by object id.
//!
//! Words: an app may be listed by its application id, an *alias* of its object id.
//!
//! Invariants: a principal has one entry; a list that contradicts itself isn't one; whoever observes and whoever reads back
//! see the same list.

use std::collections::{BTreeMap, BTreeSet};

use super::block::Role;
use super::principal;
use crate::azure::customer_insights::{self as ci, Instance, RoleAssignment, same_role};
use crate::azure::operations::LIST_ASSIGNMENTS;
use crate::azure::{CallError, Reader};
use crate::plan::Kind;
use crate::settings::observation::Unreadable;
use crate::terms::ObjectId;

/// The list of role assignments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Assignments {
    /// By object id.
    pub held: BTreeMap<ObjectId, Held>,
    /// Entries whose principal isn't an id: as long as there are any, the list doesn't prove that somebody is missing.
    pub nameless: usize,
}

/// One principal's roles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// What the service says that it is.
    pub kind: Kind,
    /// Role names, as the service spells them.
    pub roles: BTreeSet<String>,
    /// The texts by which the service lists the principal, which is what it must be asked by.
    pub spellings: BTreeSet<String>,
}

impl Held {
    /// Whether it may administer the environment.
    pub fn is_admin(&self) -> bool {
        self.roles.iter().any(|role| same_role(role, Role::Admin.name()))
    }

    /// Whether it has this role and no other.
    pub(super) fn is_exactly(&self, role: &str) -> bool {
        !self.roles.is_empty() && self.roles.iter().all(|held| same_role(held, role))
    }
}

impl Assignments {
    /// What the service lists, each principal under the id that the service gives it.
    pub(super) fn of(list: Vec<RoleAssignment>) -> Self {
        let mut assignments = Self::default();
        for RoleAssignment { principal, spellings, principal_type, roles } in list {
            match principal {
                Some(id) => {
                    let kind = principal::kind_of_wire(principal_type.as_deref());
                    assignments.held.insert(id, Held { kind, roles, spellings });
                }
                None => assignments.nameless += 1,
            }
        }
        assignments
    }

    /// Puts what is listed under an alias to its principal. `aliases` leads from application ids to object ids.
    pub(super) fn fold(mut self, aliases: &BTreeMap<ObjectId, ObjectId>) -> Result<Self, Unreadable> {
        for (alias, id) in aliases {
            let Some(entry) = self.held.remove(alias) else { continue };
            let Some(first) = self.held.get_mut(id) else {
                self.held.insert(*id, entry);
                continue;
            };
            let roles: Vec<&str> = first.roles.iter().map(String::as_str).collect();
            if roles.is_empty() && !entry.roles.is_empty() || !roles.iter().all(|role| entry.is_exactly(role)) {
                let reason = format!(
                    "the service lists the app {id} under its object id and under its application id {alias}, with \
                     different roles"
                );
                return Err(Unreadable::from_operation(LIST_ASSIGNMENTS.facts(), reason));
            }
            first.spellings.extend(entry.spellings);
        }
        Ok(self)
    }

    /// What is listed under any of these ids.
    pub(super) fn under<'a>(&'a self, ids: &'a BTreeSet<ObjectId>) -> Vec<&'a Held> {
        ids.iter().filter_map(|id| self.held.get(id)).collect()
    }
}

/// The list, freshly.
pub(super) async fn now(reader: &Reader, instance: &Instance) -> Result<Assignments, CallError> {
    ci::list_assignments(reader, instance).await.map(Assignments::of)
}

/// The reason why an incomplete list proves nothing about who is missing.
pub(super) fn incomplete(nameless: usize) -> Unreadable {
    let entries = if nameless == 1 { "1 entry" } else { &format!("{nameless} entries") };
    Unreadable::from_operation(
        LIST_ASSIGNMENTS.facts(),
        format!(
            "{entries} of the service's list can't be told to be of any principal, so it isn't certain who is missing"
        ),
    )
}
