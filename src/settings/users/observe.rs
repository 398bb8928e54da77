//! What the services say about users and roles.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;

use super::assignments::Assignments;
use super::block::{Assignment, Declared, Match, Role};
use super::{assignments, caller, principal};
use crate::azure::customer_insights as ci;
use crate::azure::directory::{Members, Name};
use crate::azure::graph::{DirectoryObject, Found, Key};
use crate::plan::Kind;
use crate::settings::observation::{Observation, Unreadable};
use crate::settings::setting::Observing;
use crate::terms::ObjectId;

/// Everything that comparing needs.
#[derive(Debug, Clone)]
pub struct Observed {
    /// Who has which roles.
    pub assignments: Observation<Assignments>,
    /// The roles that the environment knows, as the service spells them.
    pub roles: Observation<Vec<String>>,
    /// Every id that names the identity that runs palisade.
    pub caller: Observation<BTreeSet<ObjectId>>,
    /// What the directory says about everybody declared and held.
    pub directory: BTreeMap<Name, Found>,
    /// Users of whom the directory says whether they may sign in.
    pub enabled: BTreeMap<ObjectId, bool>,
    /// How many principals a group reaches, for groups that get a role.
    pub counts: BTreeMap<ObjectId, Result<u64, String>>,
    /// Whom a group reaches, for groups on which somebody's access depends.
    pub members: BTreeMap<ObjectId, Members>,
}

/// Asks Customer Insights, then the directory for everybody whom the first answers name.
pub(super) async fn observe(declared: Option<&Declared>, observing: &Observing<'_>) -> Observed {
    let directory = observing.look.directory();
    let mut names: BTreeSet<Name> = declared.into_iter().flat_map(principal::names).collect();
    let (Answers { assignments: listed, roles, named }, ()) =
        tokio::join!(ask(observing), directory.load(names.iter().cloned()));
    let held: Vec<Name> = listed.iter().flat_map(|list| list.held.keys()).copied().map(Name::Id).collect();
    directory.load(held.iter().cloned()).await;
    names.extend(held);
    let applications = maybe_applications(&listed, observing);
    directory.load(applications.iter().cloned()).await;
    names.extend(applications);
    let assignments = listed.and_then(|list| list.fold(&aliases(&names, observing)));
    let accounts = accounts(declared, &assignments, observing);
    directory.load(accounts.iter().cloned()).await;
    names.extend(accounts);
    let known: BTreeMap<Name, Found> = names.into_iter().map(|name| (name.clone(), directory.get(&name))).collect();
    let identity = caller::identity(&observing.look.reader().bearers(), observing.tenant);
    let doubtful = caller::doubtful(&identity, &named);
    directory.load(doubtful.map(Name::Id)).await;
    let doubtful = doubtful.filter(|id| may_be_group(&directory.get(&Name::Id(*id))));
    let members = members(declared, &assignments, doubtful, observing).await;
    let caller = caller::ids(identity, named, doubtful.and_then(|id| members.get(&id)), assignments.as_ref().ok());
    let assignments = assignments.and_then(|list| match &caller {
        Ok(ids) => caller::vouched(&list, &caller::witnesses(&list, ids, &members)).map(|()| list),
        Err(_) => Ok(list),
    });
    let counts = counts(declared, &members, observing).await;
    let enabled = enabled(&known);
    Observed { assignments, roles, caller, directory: known, enabled, counts, members }
}

/// What Customer Insights says.
struct Answers {
    assignments: Observation<Assignments>,
    roles: Observation<Vec<String>>,
    named: caller::Named,
}

async fn ask(observing: &Observing<'_>) -> Answers {
    let instance = match observing.instance {
        Ok(instance) => instance,
        Err(unreadable) => {
            let unread = || unreadable.clone();
            return Answers { assignments: Err(unread()), roles: Err(unread()), named: Err(unread()) };
        }
    };
    let reader = observing.look.reader();
    let (listed, roles, named) = tokio::join!(
        assignments::now(reader, instance),
        ci::list_roles(reader, instance),
        ci::my_principal(reader, instance),
    );
    let assignments = listed.map_err(Unreadable::from);
    Answers { assignments, roles: roles.map_err(Unreadable::from), named: named.map_err(Unreadable::from) }
}

/// Listed ids that aren't in the directory as object ids, and may be application ids.
fn maybe_applications(listed: &Observation<Assignments>, observing: &Observing<'_>) -> BTreeSet<Name> {
    let unknown = listed.iter().flat_map(|list| &list.held).filter(|(id, held)| {
        let found = observing.look.directory().get(&Name::Id(**id));
        matches!(found, Ok(None)) && matches!(held.kind, Kind::App | Kind::Unknown)
    });
    unknown.map(|(id, _)| Name::Key(Key::App(id.uuid()))).collect()
}

/// From application ids to object ids, for all apps that the directory showed.
fn aliases(names: &BTreeSet<Name>, observing: &Observing<'_>) -> BTreeMap<ObjectId, ObjectId> {
    let found = names.iter().filter_map(|name| observing.look.directory().get(name).ok().flatten());
    found.filter_map(|object| Some((ObjectId::from(object.app_id?), object.id))).collect()
}

/// Users that stay or become Admin and of whom no answer told yet whether they may sign in.
fn accounts(declared: Option<&Declared>, list: &Observation<Assignments>, observing: &Observing<'_>) -> BTreeSet<Name> {
    let object = |name: &Name| observing.look.directory().get(name).ok().flatten();
    let admins = assigned(declared).filter(|assignment| assignment.role == Role::Admin);
    let named = admins.filter_map(|assignment| object(&principal::name(&assignment.principal)));
    // Whoever isn't declared goes, under `exact`.
    let stay = declared.is_none_or(|declared| declared.matching == Match::AtLeast);
    let held = list.iter().flat_map(|list| &list.held).filter(|(_, held)| stay && held.is_admin());
    let held = held.filter_map(|(id, _)| object(&Name::Id(*id)));
    let objects: Vec<DirectoryObject> = named.chain(held).collect();
    let told: BTreeSet<ObjectId> =
        objects.iter().filter(|object| object.account_enabled.is_some()).map(|object| object.id).collect();
    let users = objects.iter().filter(|object| principal::kind_of(object) == Kind::User);
    users.filter(|user| !told.contains(&user.id)).map(|user| Name::Key(Key::Account(user.id))).collect()
}

/// Whether a user may sign in, from all answers about it; of two that differ, the worse one counts.
fn enabled(known: &BTreeMap<Name, Found>) -> BTreeMap<ObjectId, bool> {
    let mut enabled = BTreeMap::new();
    for object in known.values().filter_map(|found| found.as_ref().ok()?.as_ref()) {
        if let Some(told) = object.account_enabled {
            enabled.entry(object.id).and_modify(|known| *known &= told).or_insert(told);
        }
    }
    enabled
}

/// Whom those groups reach on which somebody's access depends: groups that are or become Admin, the group that the service
/// takes for the caller, and, where somebody is protected, every group that holds a role.
async fn members(
    declared: Option<&Declared>,
    list: &Observation<Assignments>,
    doubtful: Option<ObjectId>,
    observing: &Observing<'_>,
) -> BTreeMap<ObjectId, Members> {
    let protects = declared.is_some_and(|declared| !declared.break_glass.is_empty());
    let held = list.iter().flat_map(|list| &list.held);
    let held = held.filter(|(id, held)| {
        let found = observing.look.directory().get(&Name::Id(**id));
        let group = match &found {
            Ok(Some(object)) => matches!(principal::kind_of(object), Kind::Group | Kind::Unknown),
            Ok(None) => false,
            Err(_) => matches!(held.kind, Kind::Group | Kind::Unknown),
        };
        group && (protects || held.is_admin())
    });
    let mut groups: BTreeSet<ObjectId> = held.map(|(id, _)| *id).collect();
    groups.extend(declared_groups(declared, observing).filter(|(role, _)| *role == Role::Admin).map(|(_, id)| id));
    groups.extend(doubtful);
    let reads = groups.into_iter().map(async |group| (group, observing.look.directory().members(group).await));
    join_all(reads).await.into_iter().collect()
}

fn may_be_group(found: &Found) -> bool {
    match found {
        Ok(Some(object)) => principal::kind_of(object) == Kind::Group,
        Ok(None) => false,
        Err(_) => true,
    }
}

fn assigned(declared: Option<&Declared>) -> impl Iterator<Item = &Assignment> {
    declared.into_iter().flat_map(|declared| &declared.assignments)
}

fn declared_groups(declared: Option<&Declared>, observing: &Observing<'_>) -> impl Iterator<Item = (Role, ObjectId)> {
    assigned(declared).filter_map(|assignment| {
        let object = observing.look.directory().get(&principal::name(&assignment.principal)).ok()??;
        (principal::kind_of(&object) == Kind::Group).then_some((assignment.role, object.id))
    })
}

async fn counts(
    declared: Option<&Declared>,
    members: &BTreeMap<ObjectId, Members>,
    observing: &Observing<'_>,
) -> BTreeMap<ObjectId, Result<u64, String>> {
    let groups: BTreeSet<ObjectId> = declared_groups(declared, observing).map(|(_, id)| id).collect();
    let counts = groups.into_iter().map(async |group| {
        let count = match members.get(&group) {
            Some(Ok(members)) => Ok(members.len() as u64),
            _ => observing.look.directory().count(group).await,
        };
        (group, count)
    });
    join_all(counts).await.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The id that the service names may be a group's unless the directory says otherwise.
    #[test]
    fn only_the_directorys_word_says_that_something_is_no_group() {
        let kind = |kind: &str| -> Found {
            let id = "1abc0000-0000-4000-8000-000000000001";
            Ok(serde_json::from_value(json!({ "id": id, "@odata.type": format!("#microsoft.graph.{kind}") })).unwrap())
        };
        for (found, expected) in
            [(kind("group"), true), (kind("user"), false), (Ok(None), false), (Err("503".to_owned()), true)]
        {
            assert_eq!(may_be_group(&found), expected, "{found:?}");
        }
    }
}
