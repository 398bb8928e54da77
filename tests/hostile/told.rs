//! A list of roles, as an answer told it or as the world has it; and what follows from it and a directory.
//!
//! Words: a *person* is an enabled user of the directory; the *caller* is palisade's own application.

use std::collections::{BTreeMap, BTreeSet};

use palisade::emulator::World;
use serde_json::Value;
use uuid::Uuid;

use crate::cast::caller;
use crate::declared::{Entry, Named, Users};
use crate::names::{group, person, upn};

/// Roles by object id, in small letters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Told {
    pub(crate) held: BTreeMap<Uuid, BTreeSet<String>>,
    pub(crate) nameless: usize,
}

fn letters(role: &str) -> String {
    role.to_lowercase().replace(' ', "")
}

impl Told {
    /// What an answer tells; none if it is no list, contradicts itself, or is about another environment.
    pub(crate) fn read(body: &Value, instance: Uuid) -> Option<Self> {
        let list = body.as_array().filter(|list| !list.is_empty())?;
        let mut told = Self::default();
        for entry in list {
            if entry["instanceId"].as_str().is_some_and(|id| Uuid::parse_str(id) != Ok(instance)) {
                return None;
            }
            let roles = entry["roles"].as_array()?;
            let roles: BTreeSet<String> = roles.iter().filter_map(Value::as_str).map(letters).collect();
            let Some(id) = entry["principalId"].as_str().and_then(|id| Uuid::parse_str(id).ok()) else {
                told.nameless += 1;
                continue;
            };
            if told.held.insert(id, roles.clone()).is_some_and(|first| first != roles) {
                return None;
            }
        }
        Some(told)
    }

    /// What the world has; entries of one principal together.
    pub(crate) fn of(world: &World, instance: Uuid) -> Self {
        let mut told = Self::default();
        for one in world.instances.get(&instance).iter().flat_map(|instance| &instance.assignments) {
            if let Ok(id) = Uuid::parse_str(&one.principal_id) {
                told.held.entry(id).or_default().extend(one.roles.iter().map(|role| letters(role)));
            }
        }
        told
    }

    /// The list after what a write did to one principal.
    pub(crate) fn with(&self, id: Uuid, roles: Option<&BTreeSet<String>>) -> Self {
        let mut after = self.clone();
        match roles {
            Some(roles) => drop(after.held.insert(id, roles.clone())),
            None => drop(after.held.remove(&id)),
        }
        after
    }

    pub(crate) fn is_admin(&self, id: Uuid) -> bool {
        self.held.get(&id).is_some_and(|roles| roles.contains("admin"))
    }

    /// All roles of a principal, its own and those of its groups.
    pub(crate) fn effective(&self, world: &World, id: Uuid) -> BTreeSet<String> {
        let mut holders = BTreeSet::from([id]);
        loop {
            let more =
                world.groups.iter().filter(|(_, group)| group.members.iter().any(|member| holders.contains(member)));
            let more: Vec<Uuid> = more.map(|(id, _)| *id).filter(|id| !holders.contains(id)).collect();
            if more.is_empty() {
                break;
            }
            holders.extend(more);
        }
        // A user that is gone is in no group.
        holders.iter().filter_map(|id| self.held.get(id)).flatten().cloned().collect()
    }

    /// People, other than the caller, who administer.
    pub(crate) fn others(&self, world: &World) -> usize {
        let people = world.users.iter().filter(|(_, user)| user.account_enabled);
        people.filter(|(id, _)| self.effective(world, **id).contains("admin")).count()
    }

    pub(crate) fn caller_is_admin(&self, world: &World) -> bool {
        self.effective(world, caller(world)).contains("admin")
    }

    /// Whether it may be that none of these ids is listed.
    pub(crate) fn may_lack(&self, ids: &BTreeSet<Uuid>) -> bool {
        self.nameless == 0 || ids.iter().any(|id| self.held.contains_key(id))
    }

    /// The ids under which a declared principal may be listed.
    pub(crate) fn ids(named: &Named, world: &World) -> BTreeSet<Uuid> {
        let Some(id) = resolve(named, world) else { return BTreeSet::new() };
        let alias = world.applications.get(&id).map(|application| application.app_id);
        [Some(id), alias].into_iter().flatten().collect()
    }

    /// Whether a declared principal holds its role and no other.
    pub(crate) fn satisfies(&self, entry: &Entry, world: &World) -> bool {
        let ids = Self::ids(&entry.named, world);
        let mut held = ids.iter().filter_map(|id| self.held.get(id)).peekable();
        let role = BTreeSet::from([letters(entry.role)]);
        held.peek().is_some() && held.all(|roles| *roles == role)
    }

    /// Whether everything is as declared.
    pub(crate) fn is_as_declared(&self, declared: &Users, world: &World) -> bool {
        let all = declared.entries.iter().all(|entry| self.satisfies(entry, world));
        let known: BTreeSet<Uuid> = declared.entries.iter().flat_map(|entry| Self::ids(&entry.named, world)).collect();
        all && !(declared.exact && (self.nameless > 0 || self.held.keys().any(|id| !known.contains(id))))
    }
}

/// How much roles allow; an unknown one may allow anything, and counts for nothing here.
pub(crate) fn rank(roles: &BTreeSet<String>) -> usize {
    ["viewer", "marketingcontributor", "contributor", "admin"]
        .iter()
        .rposition(|role| roles.contains(*role))
        .map_or(0, |rank| rank + 1)
}

/// The object id of a declared principal, if the directory has it.
pub(crate) fn resolve(named: &Named, world: &World) -> Option<Uuid> {
    let known = |id: Uuid| {
        (world.users.contains_key(&id) || world.groups.contains_key(&id) || world.applications.contains_key(&id))
            .then_some(id)
    };
    match named {
        Named::User(number) => {
            let name = upn(*number);
            world.users.iter().find(|(_, user)| user.user_principal_name.eq_ignore_ascii_case(&name)).map(|(id, _)| *id)
        }
        Named::Person(number) => known(person(*number)),
        Named::Group(number) => known(group(*number)),
        Named::App(app_id) => world.applications.iter().find(|(_, one)| one.app_id == *app_id).map(|(id, _)| *id),
        Named::Bare(id) => known(*id),
    }
}
