//! What the services say about users and roles.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::block::{Declared, Role};
use super::principal;
use crate::azure::customer_insights::{self as ci, RoleAssignment};
use crate::azure::directory::Name;
use crate::azure::graph::{DirectoryObject, Found};
use crate::azure::operations::LIST_ASSIGNMENTS;
use crate::plan::Kind;
use crate::settings::observation::{Observation, Unreadable};
use crate::settings::setting::Observing;

/// Everything that comparing needs.
#[derive(Debug, Clone)]
pub struct Observed {
    /// Who has which roles.
    pub assignments: Observation<Assignments>,
    /// The roles that the environment knows, as the service spells them.
    pub roles: Observation<Vec<String>>,
    /// The object id of the identity that runs palisade, lower case.
    pub caller: Observation<String>,
    /// What the directory says about everybody declared and held.
    pub directory: BTreeMap<Name, Found>,
    /// How many principals a group reaches, for groups that are or become Admin or get a role.
    pub members: BTreeMap<Uuid, Result<u64, String>>,
}

/// The list of role assignments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Assignments {
    /// By object id, lower case.
    pub held: BTreeMap<String, Held>,
    /// Entries that name no principal: as long as there are any, the list doesn't prove that somebody is missing.
    pub nameless: usize,
}

/// One principal's roles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// What the service says that it is.
    pub kind: Kind,
    /// Role names, as the service spells them.
    pub roles: BTreeSet<String>,
}

/// Whether two spellings mean one role. How the wire spells roles isn't documented, so letter case and
/// spaces don't count.
pub(super) fn same_role(one: &str, other: &str) -> bool {
    let letters =
        |role: &str| role.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect::<String>();
    letters(one) == letters(other)
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
    /// Reads the service's list: several entries for one principal are one.
    pub(super) fn of(list: Vec<RoleAssignment>) -> Self {
        let mut assignments = Self::default();
        for RoleAssignment { principal_id, principal_type, roles } in list {
            let Some(id) = principal_id.filter(|id| !id.trim().is_empty()) else {
                assignments.nameless += 1;
                continue;
            };
            let kind = principal::kind_of_wire(principal_type.as_deref());
            let held = assignments
                .held
                .entry(id.trim().to_lowercase())
                .or_insert_with(|| Held { kind, roles: BTreeSet::new() });
            held.roles.extend(roles.unwrap_or_default());
        }
        assignments
    }
}

/// Asks Customer Insights, then the directory for everybody whom the first answers name.
pub(super) async fn observe(declared: &Declared, observing: &Observing<'_>) -> Observed {
    let Observing { reader, instance, directory, .. } = observing;
    let (assignments, roles, me, ()) = tokio::join!(
        ci::list_assignments(reader, instance),
        ci::list_roles(reader, instance),
        ci::my_role(reader, instance),
        directory.load(reader, principal::names(declared)),
    );
    let assignments: Observation<_> = match assignments {
        // Whoever may ask has a role, so a list of nobody isn't the list.
        Ok(list) if list.is_empty() => {
            Err(Unreadable::because("the service lists no assignments at all, not even the caller's own"))
        }
        Ok(list) if list.iter().any(|one| one.roles.is_none()) => {
            Err(Unreadable::because("the service lists an assignment without saying which roles it is of"))
        }
        other => other.map(Assignments::of).map_err(Unreadable::from),
    };
    let list = assignments.iter().flat_map(|list| list.held.keys());
    let held: Vec<Name> = list.filter_map(|id| id.parse().ok()).map(Name::Id).collect();
    directory.load(reader, held.iter().cloned()).await;
    let names: BTreeSet<Name> = principal::names(declared).into_iter().chain(held).collect();
    let known: BTreeMap<Name, Found> = names.into_iter().map(|name| (name.clone(), directory.get(&name))).collect();
    let members = count_members(declared, &assignments, observing).await;
    let caller = caller(me, observing.caller);
    Observed { assignments, roles: roles.map_err(Unreadable::from), caller, directory: known, members }
}

/// Who the service takes palisade for: what it says itself, else what the token says.
fn caller(me: Result<RoleAssignment, crate::azure::CallError>, token: Option<&str>) -> Observation<String> {
    match (me.map(|me| me.principal_id), token) {
        (Ok(Some(id)), _) => Ok(id.to_lowercase()),
        (_, Some(id)) => Ok(id.to_lowercase()),
        (Err(error), None) => Err(error.into()),
        (Ok(None), None) => Err(Unreadable::because("the service names no principal for the caller")),
    }
}

async fn count_members(
    declared: &Declared,
    assignments: &Observation<Assignments>,
    observing: &Observing<'_>,
) -> BTreeMap<Uuid, Result<u64, String>> {
    let mut groups: BTreeSet<Uuid> = BTreeSet::new();
    for assignment in &declared.assignments {
        let name = principal::name(&assignment.principal);
        if let Ok(Some(DirectoryObject { id, odata_type: Some(kind), .. })) = observing.directory.get(&name)
            && kind == "#microsoft.graph.group"
        {
            groups.insert(id);
        }
    }
    if let Ok(list) = assignments {
        let admins = list.held.iter().filter(|(_, held)| held.kind == Kind::Group && held.is_admin());
        groups.extend(admins.filter_map(|(id, _)| id.parse::<Uuid>().ok()));
    }
    let counts =
        groups.into_iter().map(async |group| (group, observing.directory.members(observing.reader, group).await));
    futures_util::future::join_all(counts).await.into_iter().collect()
}

/// The list again, freshly, for reading back after a write.
pub(super) async fn assignments_now(
    reader: &crate::azure::Reader,
    instance: &ci::Instance,
) -> Result<Assignments, crate::azure::CallError> {
    ci::list_assignments(reader, instance).await.map(Assignments::of)
}

/// The reason why an incomplete list proves nothing about who is missing.
pub(super) fn incomplete(nameless: usize) -> Unreadable {
    Unreadable::from_operation(
        LIST_ASSIGNMENTS.facts(),
        format!(
            "{nameless} entries of the service's list name no principal, so it isn't certain who is missing from it"
        ),
    )
}
