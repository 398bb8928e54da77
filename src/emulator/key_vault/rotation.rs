//! Rotation of keys: the routes of their policies, and the route that rotates.
//!
//! Words: a policy has at most one action that rotates and one that notifies; a key that never got a policy shows the *default*
//! one, which notifies. What must stay true: a policy that is refused leaves the old one; a new version is of the same kind, size
//! and use as the one before.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::access::{self, Right};
use super::error::VaultError;
use super::keys::right;
use super::objects::{self, live, not_found};
use super::{Visit, address, body};
use crate::emulator::call::Answer;
use crate::emulator::rotating;
use crate::emulator::world::{Key, KeyVersion, RotationPolicy, RotationTrigger, later, sooner};

const GET: Right = right("keyrotationpolicies/read", "getrotationpolicy");
const SET: Right = right("keyrotationpolicies/write", "setrotationpolicy");
const ROTATE: Right = right("keys/rotate/action", "rotate");

/// When the service notifies unless it is told otherwise.
const NOTIFIES: &str = "P30D";
const MOST_ACTIONS: usize = 2;
const SHORTEST_EXPIRY: SignedDuration = SignedDuration::from_hours(28 * 24);
const SHORTEST_TRIGGER: SignedDuration = SignedDuration::from_hours(7 * 24);

/// `GET /keys/{name}/rotationpolicy`
pub(super) fn get(visit: &Visit<'_>, name: &str) -> Result<Answer, VaultError> {
    visit.read(|world, vault| {
        access::require(visit, world, vault, GET, &format!("/keys/{name}"))?;
        let key = live::<KeyVersion>(vault, name, visit.now).ok_or_else(|| not_found::<KeyVersion>(name))?;
        Ok(Answer::ok(shown(visit, key, vault.rotation_policies.get(&name.to_ascii_lowercase()))))
    })
}

/// `PUT /keys/{name}/rotationpolicy`: the whole policy. Without an action that notifies, the service adds its own, as recorded in
/// the tests of Azure/azure-sdk-for-js.
pub(super) fn set(visit: &Visit<'_>, name: &str) -> Result<Answer, VaultError> {
    visit.change(
        |world, vault| access::require(visit, world, vault, SET, &format!("/keys/{name}")),
        |vault| {
            let key = live::<KeyVersion>(vault, name, visit.now).ok_or_else(|| not_found::<KeyVersion>(name))?.clone();
            let (rotate, notify, expiry_time) = read(&body::object(visit.call)?, visit.now)?;
            let at = name.to_ascii_lowercase();
            let created = vault.rotation_policies.get(&at).map_or(visit.now, |policy| policy.created);
            let notify = Some(notify.unwrap_or_else(|| RotationTrigger::TimeBeforeExpiry(NOTIFIES.to_owned())));
            let policy = RotationPolicy { rotate, notify, expiry_time, created, updated: visit.now };
            let answer = Answer::ok(shown(visit, &key, Some(&policy)));
            vault.rotation_policies.insert(at, policy);
            Ok(answer)
        },
    )
}

/// `POST /keys/{name}/rotate`: a new version, whatever the policy says about when.
pub(super) fn rotate(visit: &Visit<'_>, name: &str) -> Result<Answer, VaultError> {
    let world = visit.shared.store.read(|world| world.world);
    visit.change(
        |world, vault| access::require(visit, world, vault, ROTATE, &format!("/keys/{name}")),
        |vault| {
            let mut key =
                live::<KeyVersion>(vault, name, visit.now).ok_or_else(|| not_found::<KeyVersion>(name))?.clone();
            if key.current().is_some_and(|version| !version.attributes.enabled) {
                return Err(VaultError::disabled("rotate", "key", "KeyDisabled"));
            }
            let at = name.to_ascii_lowercase();
            let policy = vault.rotation_policies.get(&at);
            let made = rotating::next_version((world, visit.vault), &key, policy, visit.now);
            let made = made.ok_or_else(|| not_found::<KeyVersion>(name))?;
            key.versions.push(made.clone());
            let answer = Answer::ok(Value::Object(objects::bundle(visit, vault, &key, &made, true)));
            vault.keys.insert(at, key);
            Ok(answer)
        },
    )
}

/// Chosen: a default policy has an id and no instants. That it has an action and empty attributes is from public reports.
fn shown(visit: &Visit<'_>, key: &Key, policy: Option<&RotationPolicy>) -> Value {
    let trigger = |trigger: &RotationTrigger| match trigger {
        RotationTrigger::TimeAfterCreate(duration) => json!({ "timeAfterCreate": duration }),
        RotationTrigger::TimeBeforeExpiry(duration) => json!({ "timeBeforeExpiry": duration }),
    };
    let action = |kind: &str, at: Value| json!({ "trigger": at, "action": { "type": kind } });
    let id = format!("{}keys/{}/rotationpolicy", address(&visit.call.origin, visit.vault), key.name);
    let Some(RotationPolicy { rotate, notify, expiry_time, created, updated }) = policy else {
        let notifies = action("Notify", json!({ "timeBeforeExpiry": NOTIFIES }));
        return json!({ "id": id, "lifetimeActions": [notifies], "attributes": {} });
    };
    let actions = [("Rotate", rotate), ("Notify", notify)];
    let actions: Vec<Value> =
        actions.into_iter().filter_map(|(kind, at)| at.as_ref().map(|at| action(kind, trigger(at)))).collect();
    let mut attributes = json!({ "created": created.as_second(), "updated": updated.as_second() });
    if let Some(expiry) = expiry_time {
        attributes["expiryTime"] = json!(expiry);
    }
    json!({ "id": id, "lifetimeActions": actions, "attributes": attributes })
}

/// What rotates, what notifies, and how long new versions are valid.
type Read = (Option<RotationTrigger>, Option<RotationTrigger>, Option<String>);

fn read(given: &Map<String, Value>, now: Timestamp) -> Result<Read, VaultError> {
    let invalid = |member: &str| VaultError::bad_parameter(format!("Property {member} has an invalid value."));
    let none = Vec::new();
    let actions = match given.get("lifetimeActions") {
        None | Some(Value::Null) => &none,
        Some(actions) => actions.as_array().ok_or_else(|| invalid("lifetimeActions"))?,
    };
    if actions.len() > MOST_ACTIONS {
        return Err(VaultError::bad_parameter(format!("A policy has at most {MOST_ACTIONS} lifetime actions.")));
    }
    let (mut rotate, mut notify) = (None, None);
    for action in actions {
        let trigger = read_trigger(&action["trigger"], now)?;
        let kind = action["action"]["type"].as_str().unwrap_or_default().to_ascii_lowercase();
        let place = match kind.as_str() {
            "rotate" => &mut rotate,
            "notify" => &mut notify,
            _ => return Err(invalid("action")),
        };
        if place.replace(trigger).is_some() {
            return Err(VaultError::bad_parameter(format!("A policy has at most one action of the type {kind}.")));
        }
    }
    let expiry = match given.get("attributes").map(|attributes| &attributes["expiryTime"]) {
        None | Some(Value::Null) => None,
        Some(text) => Some(text.as_str().ok_or_else(|| invalid("expiryTime"))?.to_owned()),
    };
    check(rotate.as_ref(), notify.as_ref(), expiry.as_deref(), now)?;
    Ok((rotate, notify, expiry))
}

fn read_trigger(trigger: &Value, now: Timestamp) -> Result<RotationTrigger, VaultError> {
    let text = |member: &str| trigger[member].as_str().filter(|text| later(now, text).is_some()).map(str::to_owned);
    let given = |member: &str| !trigger[member].is_null();
    match (given("timeAfterCreate"), given("timeBeforeExpiry")) {
        (true, false) => text("timeAfterCreate").map(RotationTrigger::TimeAfterCreate),
        (false, true) => text("timeBeforeExpiry").map(RotationTrigger::TimeBeforeExpiry),
        _ => None,
    }
    .ok_or_else(|| VaultError::bad_parameter("A trigger has one of timeAfterCreate and timeBeforeExpiry, a duration."))
}

/// The limits that are documented, counted from now. The texts are chosen.
fn check(
    rotate: Option<&RotationTrigger>,
    notify: Option<&RotationTrigger>,
    expiry: Option<&str>,
    now: Timestamp,
) -> Result<(), VaultError> {
    let refuse = |message: &str| Err(VaultError::bad_parameter(message));
    let end = match expiry.map(|text| later(now, text)) {
        None => None,
        Some(None) => return refuse("Attribute expiryTime has an invalid value."),
        Some(Some(end)) if end.duration_since(now) < SHORTEST_EXPIRY => {
            return refuse("Attribute expiryTime must be at least 28 days.");
        }
        Some(end) => end,
    };
    // Chosen: the action that the service itself adds is taken back, as it came.
    let own = RotationTrigger::TimeBeforeExpiry(NOTIFIES.to_owned());
    match (notify, end) {
        (Some(RotationTrigger::TimeAfterCreate(_)), _) => return refuse("timeAfterCreate only applies to Rotate."),
        (Some(notify), None) if *notify != own => return refuse("timeBeforeExpiry needs an expiryTime."),
        _ => {}
    }
    let instant = match (rotate, end) {
        (None, _) => return Ok(()),
        (Some(RotationTrigger::TimeAfterCreate(duration)), _) => later(now, duration),
        (Some(RotationTrigger::TimeBeforeExpiry(duration)), Some(end)) => sooner(end, duration),
        (Some(RotationTrigger::TimeBeforeExpiry(_)), None) => return refuse("timeBeforeExpiry needs an expiryTime."),
    };
    match instant {
        Some(at) if at.duration_since(now) < SHORTEST_TRIGGER => {
            refuse("A key can't be rotated sooner than 7 days after its creation.")
        }
        Some(at) if end.is_some_and(|end| end.duration_since(at) < SHORTEST_TRIGGER) => {
            refuse("A key must be rotated at least 7 days before it expires.")
        }
        Some(_) => Ok(()),
        None => refuse("A trigger has an invalid duration."),
    }
}
