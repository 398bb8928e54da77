//! What secrets and keys share: versions, lists, soft delete.
//!
//! What must stay true: the right is checked before anything is said about the object; a deleted object is to be had only
//! under its deleted path, and its name can't be used again; where the retention has ended, it is as if it had never been.

use std::collections::BTreeMap;

use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::access::{self, Right};
use super::error::VaultError;
use super::page::page;
use super::{Visit, address, body};
use crate::emulator::call::Answer;
use crate::emulator::rotating::version_id;
use crate::emulator::views::before;
use crate::emulator::world::{Attributes, Deletion, Vault, VaultObject, Versioned, World};

/// How a kind of object is called.
pub(super) struct Names {
    pub(super) noun: &'static str,
    pub(super) collection: &'static str,
    pub(super) deleted_collection: &'static str,
    /// The member that holds the id of an item.
    pub(super) id: &'static str,
    pub(super) not_found: &'static str,
    /// The inner code of the refusal to show a disabled version, where it is refused.
    pub(super) disabled: Option<&'static str>,
}

/// A kind of object, by its versions.
pub(super) trait Stored: Versioned + Clone {
    const NAMES: Names;
    const GET: Right;
    const LIST: Right;
    const UPDATE: Right;
    const DELETE: Right;
    const GET_DELETED: Right;
    const RECOVER: Right;
    const PURGE: Right;

    fn all(vault: &Vault) -> &BTreeMap<String, VaultObject<Self>>;
    fn all_mut(vault: &mut Vault) -> &mut BTreeMap<String, VaultObject<Self>>;
    /// Drops what a vault keeps beside an object that is gone for good.
    fn forget(_: &mut Vault, _: &str) {}
    fn tags(&self) -> Option<&BTreeMap<String, String>>;
    /// The members of an item of a list that are the kind's own.
    fn item(&self) -> Map<String, Value>;
    /// The members of a whole version that are the kind's own.
    fn bundle(&self, id: &str) -> Map<String, Value>;
    /// Changes properties as a PATCH says.
    fn change(&mut self, visit: &Visit<'_>, given: &Map<String, Value>) -> Result<(), VaultError>;
}

fn new_version<V: Stored>(visit: &Visit<'_>, world: Uuid, object: &VaultObject<V>) -> String {
    let VaultObject { name, versions, deleted: _ } = object;
    let place = format!("{}/{}/{name}/{}", visit.vault, V::NAMES.collection, versions.len());
    version_id(world, &place, visit.now)
}

fn below<V: Stored>(name: &str) -> String {
    format!("/{}/{name}", V::NAMES.collection)
}

pub(super) fn not_found<V: Stored>(name: &str) -> VaultError {
    VaultError::not_found(V::NAMES.not_found, V::NAMES.noun, name)
}

/// An object, unless its retention has ended.
fn find<'v, V: Stored>(vault: &'v Vault, name: &str, now: Timestamp) -> Option<&'v VaultObject<V>> {
    V::all(vault).get(&name.to_ascii_lowercase()).filter(|o| o.deleted.is_none_or(|d| now < d.scheduled_purge))
}

/// An object that isn't deleted.
pub(super) fn live<'v, V: Stored>(vault: &'v Vault, name: &str, now: Timestamp) -> Option<&'v VaultObject<V>> {
    find(vault, name, now).filter(|o| o.deleted.is_none())
}

/// A deleted object with its deletion, once the deletion is through.
fn gone<'v, V: Stored>(
    vault: &'v Vault,
    name: &str,
    now: Timestamp,
    delay: SignedDuration,
) -> Result<(&'v VaultObject<V>, Deletion), VaultError> {
    let Names { noun, not_found, .. } = V::NAMES;
    let found = find::<V>(vault, name, now).and_then(|o| Some((o, o.deleted?)));
    let visible = found.filter(|(_, d)| d.deleted <= before(now, delay));
    visible.ok_or_else(|| VaultError::deleted_not_found(not_found, noun, name))
}

/// The position of a version; without one, of the current one.
fn position<V: Stored>(object: &VaultObject<V>, version: Option<&str>) -> Option<usize> {
    match version {
        None => object.versions.len().checked_sub(1),
        Some(version) => object.versions.iter().position(|v| v.version().eq_ignore_ascii_case(version)),
    }
}

// ---- answers

fn epoch(instant: Timestamp) -> Value {
    json!(instant.as_second())
}

fn attributes(vault: &Vault, attributes: &Attributes) -> Value {
    let Attributes { enabled, not_before, expires, created, updated } = attributes;
    let mut shown = Map::from_iter([
        ("enabled".to_owned(), json!(enabled)),
        ("created".to_owned(), epoch(*created)),
        ("updated".to_owned(), epoch(*updated)),
        ("recoveryLevel".to_owned(), json!(recovery_level(vault))),
        (
            "recoverableDays".to_owned(),
            json!(if vault.enable_soft_delete { vault.soft_delete_retention_in_days } else { 0 }),
        ),
    ]);
    let optional = [("nbf", not_before), ("exp", expires)];
    shown.extend(optional.into_iter().filter_map(|(member, at)| Some((member.to_owned(), epoch((*at)?)))));
    Value::Object(shown)
}

const fn recovery_level(vault: &Vault) -> &'static str {
    match (vault.enable_soft_delete, vault.enable_purge_protection, vault.soft_delete_retention_in_days < 90) {
        (false, _, _) => "Purgeable",
        (true, false, false) => "Recoverable+Purgeable",
        (true, true, false) => "Recoverable",
        (true, false, true) => "CustomizedRecoverable+Purgeable",
        (true, true, true) => "CustomizedRecoverable",
    }
}

fn id<V: Stored>(visit: &Visit<'_>, collection: &str, name: &str, version: Option<&V>) -> String {
    let base = address(&visit.call.origin, visit.vault);
    match version {
        Some(version) => format!("{base}{collection}/{name}/{}", version.version()),
        None => format!("{base}{collection}/{name}"),
    }
}

fn common<V: Stored>(vault: &Vault, version: &V) -> Map<String, Value> {
    let mut members = Map::from_iter([("attributes".to_owned(), attributes(vault, version.attributes()))]);
    if let Some(tags) = version.tags() {
        members.insert("tags".to_owned(), json!(tags));
    }
    members
}

/// A whole version, with its value where it has one and `with_value` says so.
pub(super) fn bundle<V: Stored>(
    visit: &Visit<'_>,
    vault: &Vault,
    object: &VaultObject<V>,
    version: &V,
    with_value: bool,
) -> Map<String, Value> {
    let id = id(visit, V::NAMES.collection, &object.name, Some(version));
    let mut members = common(vault, version);
    members.extend(version.bundle(&id));
    if !with_value {
        members.remove("value");
    }
    // A key has its id inside.
    if V::NAMES.id == "id" {
        members.insert("id".to_owned(), json!(id));
    }
    members
}

fn item<V: Stored>(
    visit: &Visit<'_>,
    vault: &Vault,
    object: &VaultObject<V>,
    version: &V,
    versioned: bool,
) -> Map<String, Value> {
    let id = id(visit, V::NAMES.collection, &object.name, versioned.then_some(version));
    let mut members = common(vault, version);
    members.extend(version.item());
    members.insert(V::NAMES.id.to_owned(), json!(id));
    members
}

/// The members that a deletion adds.
fn deletion<V: Stored>(visit: &Visit<'_>, object: &VaultObject<V>, deletion: Deletion) -> Map<String, Value> {
    let Deletion { deleted, scheduled_purge } = deletion;
    let recovery = id::<V>(visit, V::NAMES.deleted_collection, &object.name, None);
    Map::from_iter([
        ("recoveryId".to_owned(), json!(recovery)),
        ("deletedDate".to_owned(), epoch(deleted)),
        ("scheduledPurgeDate".to_owned(), epoch(scheduled_purge)),
    ])
}

// ---- operations

/// `GET /{collection}/{name}/{version?}`. A disabled current version is refused, and no older one steps in for it.
pub(super) fn get<V: Stored>(visit: &Visit<'_>, name: &str, version: Option<&str>) -> Result<Answer, VaultError> {
    visit.read(|world, vault| {
        access::require(visit, world, vault, V::GET, &below::<V>(name))?;
        let object = live::<V>(vault, name, visit.now).ok_or_else(|| not_found::<V>(name))?;
        let asked = || version.map_or_else(|| name.to_owned(), |version| format!("{name}/{version}"));
        let at = position(object, version).and_then(|at| object.versions.get(at));
        let found = at.ok_or_else(|| not_found::<V>(&asked()))?;
        match V::NAMES.disabled {
            Some(inner) if !found.attributes().enabled => Err(VaultError::disabled("get", V::NAMES.noun, inner)),
            _ => Ok(Answer::ok(Value::Object(bundle(visit, vault, object, found, true)))),
        }
    })
}

/// `GET /{collection}`: the current versions' attributes, ids without version, disabled ones included.
pub(super) fn list<V: Stored>(visit: &Visit<'_>) -> Result<Answer, VaultError> {
    visit.read(|world, vault| {
        access::require(visit, world, vault, V::LIST, "")?;
        let objects = V::all(vault).values().filter_map(|o| Some((o, o.current()?))).collect();
        let show = |(o, version)| Value::Object(item(visit, vault, o, version, false));
        page(visit, objects, show, world.behaviour.empty_first_pages)
    })
}

/// `GET /{collection}/{name}/versions`. The order is no order of time (nobody documents one), so they come by their ids. Of
/// an object that isn't there the list is empty: chosen, so that no client takes this list for a proof.
pub(super) fn versions<V: Stored>(visit: &Visit<'_>, name: &str) -> Result<Answer, VaultError> {
    visit.read(|world, vault| {
        access::require(visit, world, vault, V::LIST, &below::<V>(name))?;
        let found = live::<V>(vault, name, visit.now);
        let mut versions: Vec<_> = found.into_iter().flat_map(|o| o.versions.iter().map(move |v| (o, v))).collect();
        versions.sort_by_key(|(_, version)| version.version());
        let show = |(o, version)| Value::Object(item(visit, vault, o, version, true));
        page(visit, versions, show, world.behaviour.empty_first_pages)
    })
}

/// Adds a version, and the object if it isn't there. `made` gets the version's id, and is called after the right is checked.
pub(super) fn add<V: Stored>(
    visit: &Visit<'_>,
    name: &str,
    right: Right,
    made: impl FnOnce(String) -> Result<V, VaultError>,
) -> Result<Answer, VaultError> {
    let (world, delay) = visit.shared.store.read(|w| (w.world, w.behaviour.vault_deletion_delay));
    visit.change(
        |world, vault| access::require(visit, world, vault, right, &below::<V>(name)),
        |vault| {
            let noun = V::NAMES.noun;
            if let Some(deleted) = find::<V>(vault, name, visit.now).and_then(|o| o.deleted) {
                return Err(match deleted.deleted <= before(visit.now, delay) {
                    true => VaultError::recoverable(noun, name),
                    false => VaultError::being_deleted(noun, name),
                });
            }
            let present = live::<V>(vault, name, visit.now).cloned();
            if present.is_none() {
                V::forget(vault, name);
            }
            let mut object =
                present.unwrap_or_else(|| VaultObject { name: name.to_owned(), versions: Vec::new(), deleted: None });
            let made = made(new_version(visit, world, &object))?;
            object.versions.push(made.clone());
            let answer = Answer::ok(Value::Object(bundle(visit, vault, &object, &made, true)));
            V::all_mut(vault).insert(name.to_ascii_lowercase(), object);
            Ok(answer)
        },
    )
}

/// `PATCH /{collection}/{name}/{version?}`. A disabled version can be changed, or it could never be enabled again.
pub(super) fn update<V: Stored>(visit: &Visit<'_>, name: &str, version: Option<&str>) -> Result<Answer, VaultError> {
    visit.change(
        |world, vault| access::require(visit, world, vault, V::UPDATE, &below::<V>(name)),
        |vault| {
            let given = body::object(visit.call)?;
            let object = live::<V>(vault, name, visit.now).ok_or_else(|| not_found::<V>(name))?;
            let mut object = object.clone();
            let at = position(&object, version).and_then(|at| object.versions.get_mut(at));
            let changed = at.ok_or_else(|| not_found::<V>(name))?;
            changed.change(visit, &given)?;
            let changed = changed.clone();
            let answer = Answer::ok(Value::Object(bundle(visit, vault, &object, &changed, false)));
            V::all_mut(vault).insert(name.to_ascii_lowercase(), object);
            Ok(answer)
        },
    )
}

/// `DELETE /{collection}/{name}`: all versions at once. Without soft delete they are gone for good.
pub(super) fn delete<V: Stored>(visit: &Visit<'_>, name: &str) -> Result<Answer, VaultError> {
    visit.change(
        |world, vault| access::require(visit, world, vault, V::DELETE, &below::<V>(name)),
        |vault| {
            let mut object = live::<V>(vault, name, visit.now).ok_or_else(|| not_found::<V>(name))?.clone();
            let current = object.current().cloned().ok_or_else(|| not_found::<V>(name))?;
            let mut members = bundle(visit, vault, &object, &current, false);
            let key = name.to_ascii_lowercase();
            if !vault.enable_soft_delete {
                V::all_mut(vault).remove(&key);
                V::forget(vault, name);
                return Ok(Answer::ok(Value::Object(members)));
            }
            let retention = SignedDuration::from_hours(24 * i64::from(vault.soft_delete_retention_in_days));
            let scheduled_purge = visit.now.checked_add(retention).unwrap_or(Timestamp::MAX);
            let deleted = Deletion { deleted: visit.now, scheduled_purge };
            object.deleted = Some(deleted);
            members.extend(deletion(visit, &object, deleted));
            V::all_mut(vault).insert(key, object);
            Ok(Answer::ok(Value::Object(members)))
        },
    )
}

/// `GET /deleted{collection}`
pub(super) fn list_deleted<V: Stored>(visit: &Visit<'_>) -> Result<Answer, VaultError> {
    visit.read(|world, vault| {
        access::require(visit, world, vault, V::LIST, "")?;
        let delay = world.behaviour.vault_deletion_delay;
        let names = V::all(vault).values().map(|o| o.name.as_str());
        let found = names.filter_map(|name| gone::<V>(vault, name, visit.now, delay).ok());
        let found = found.filter_map(|(object, deleted)| Some((object, object.versions.last()?, deleted))).collect();
        let show = |(object, version, deleted)| {
            let mut members = item(visit, vault, object, version, false);
            members.extend(deletion(visit, object, deleted));
            Value::Object(members)
        };
        page(visit, found, show, world.behaviour.empty_first_pages)
    })
}

/// `GET /deleted{collection}/{name}`: 404 until the deletion is through.
pub(super) fn get_deleted<V: Stored>(visit: &Visit<'_>, name: &str) -> Result<Answer, VaultError> {
    visit.read(|world, vault| {
        access::require(visit, world, vault, V::GET_DELETED, &below::<V>(name))?;
        let (object, deleted) = gone::<V>(vault, name, visit.now, world.behaviour.vault_deletion_delay)?;
        let current = object.versions.last().ok_or_else(|| not_found::<V>(name))?;
        let mut members = bundle(visit, vault, object, current, false);
        members.extend(deletion(visit, object, deleted));
        Ok(Answer::ok(Value::Object(members)))
    })
}

/// Checks a write to a deleted object, which can't be done while the deletion is under way.
fn require_gone<V: Stored>(
    visit: &Visit<'_>,
    world: &World,
    vault: &Vault,
    right: Right,
    name: &str,
) -> Result<(), VaultError> {
    access::require(visit, world, vault, right, &below::<V>(name))?;
    let delay = world.behaviour.vault_deletion_delay;
    let gone = gone::<V>(vault, name, visit.now, delay);
    let under_way = find::<V>(vault, name, visit.now).is_some_and(|o| o.deleted.is_some());
    match gone {
        Ok(_) => Ok(()),
        Err(_) if under_way => Err(VaultError::being_deleted(V::NAMES.noun, name)),
        Err(error) => Err(error),
    }
}

/// `POST /deleted{collection}/{name}/recover`: all versions come back as they were.
pub(super) fn recover<V: Stored>(visit: &Visit<'_>, name: &str) -> Result<Answer, VaultError> {
    visit.change(
        |world, vault| require_gone::<V>(visit, world, vault, V::RECOVER, name),
        |vault| {
            let mut object = find::<V>(vault, name, visit.now).ok_or_else(|| not_found::<V>(name))?.clone();
            object.deleted = None;
            let current = object.current().cloned().ok_or_else(|| not_found::<V>(name))?;
            let answer = Answer::ok(Value::Object(bundle(visit, vault, &object, &current, false)));
            V::all_mut(vault).insert(name.to_ascii_lowercase(), object);
            Ok(answer)
        },
    )
}

/// `DELETE /deleted{collection}/{name}`
pub(super) fn purge<V: Stored>(visit: &Visit<'_>, name: &str) -> Result<Answer, VaultError> {
    visit.change(
        |world, vault| require_gone::<V>(visit, world, vault, V::PURGE, name),
        |vault| {
            if vault.enable_purge_protection {
                return Err(VaultError::purge_protected(V::NAMES.noun));
            }
            V::all_mut(vault).remove(&name.to_ascii_lowercase());
            V::forget(vault, name);
            Ok(Answer::empty(StatusCode::NO_CONTENT))
        },
    )
}
