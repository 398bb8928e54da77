//! Keys in key vaults, as the vaults themselves serve them: rotation, and what was deleted. The operation catalogue names the
//! sources. What a key is, Azure Resource Manager tells as well: see [`vault_keys`](super::vault_keys).
//!
//! Words: a key has *versions*; to *rotate* is to make a new one, on demand or by the key's *rotation policy*, which is a list of
//! *actions*, each with a *trigger*. A key without a policy of its own is answered with the service's default, which doesn't rotate.
//!
//! Invariants: nothing secret of a key is ever in an answer; what palisade doesn't manage of a policy, such as when the service
//! notifies, is kept as it was read, so that writing a policy that was read changes only what is meant; a policy that can't be
//! understood is an error, never one without rotation; only the service's own code proves that a key isn't among the deleted
//! ones; an answer about another key is refused.

mod duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::access::{Reader, Writer};
use super::call::Call;
use super::error::CallError;
use super::key_vault::{API_VERSION, JSON};
use super::operations::{
    GET_DELETED_KEY, GET_ROTATION_POLICY, Operation, RECOVER_KEY, ROTATE_KEY, SET_ROTATION_POLICY, UPDATE_KEY,
};

pub use duration::IsoDuration;

/// The code that proves that there is no such deleted key.
const NOT_FOUND: &str = "KeyNotFound";

/// Where a key is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyAddress {
    /// Name of the vault.
    pub vault: String,
    /// Name of the key.
    pub name: String,
}

/// When a key rotates by itself, and for how long new versions are valid.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RotationPolicy {
    /// When a new version is made; never, if none.
    pub rotate: Option<Trigger>,
    /// For how long versions are valid that are made from now on; without end, if none.
    pub expiry: Option<IsoDuration>,
    /// The other actions, such as notifying, as on the wire.
    pub others: Vec<Json>,
    /// All members, as they were read; what stands above replaces its part of them.
    kept: Kept,
}

/// When an action of a policy happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trigger {
    /// So long after a version was made.
    AfterCreation(IsoDuration),
    /// So long before a version expires.
    BeforeExpiry(IsoDuration),
}

/// What palisade has no word for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Kept {
    policy: Map<String, Json>,
    attributes: Map<String, Json>,
    rotate: Map<String, Json>,
}

/// A deleted key that can be recovered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeletedKey {
    /// When it was deleted.
    pub deleted: Option<Timestamp>,
    /// When the service purges it.
    pub purged: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Deleted {
    deleted_date: Option<i64>,
    scheduled_purge_date: Option<i64>,
}

impl Trigger {
    const AFTER_CREATION: &str = "timeAfterCreate";
    const BEFORE_EXPIRY: &str = "timeBeforeExpiry";

    /// How long after or before.
    pub fn duration(&self) -> &IsoDuration {
        match self {
            Self::AfterCreation(duration) | Self::BeforeExpiry(duration) => duration,
        }
    }

    fn read(trigger: &Json) -> Result<Self, &'static str> {
        let duration = |member: &str| match &trigger[member] {
            Json::Null => Ok(None),
            Json::String(text) => text.parse().map(Some).map_err(|_| "a trigger has no duration"),
            _ => Err("a trigger has no duration"),
        };
        match (duration(Self::AFTER_CREATION)?, duration(Self::BEFORE_EXPIRY)?) {
            (Some(after), None) => Ok(Self::AfterCreation(after)),
            (None, Some(before)) => Ok(Self::BeforeExpiry(before)),
            _ => Err("the action that rotates needs exactly one trigger"),
        }
    }

    fn write(&self) -> Json {
        match self {
            Self::AfterCreation(duration) => json!({ Self::AFTER_CREATION: duration.text() }),
            Self::BeforeExpiry(duration) => json!({ Self::BEFORE_EXPIRY: duration.text() }),
        }
    }
}

impl RotationPolicy {
    /// The same policy with another rotation and expiry; everything else stays.
    #[must_use]
    pub fn with(self, rotate: Option<Trigger>, expiry: Option<IsoDuration>) -> Self {
        Self { rotate, expiry, ..self }
    }

    fn read(mut policy: Map<String, Json>) -> Result<Self, &'static str> {
        let mut read = Self::default();
        let actions = match policy.remove("lifetimeActions") {
            None | Some(Json::Null) => Vec::new(),
            Some(Json::Array(actions)) => actions,
            Some(_) => return Err("`lifetimeActions` is no list"),
        };
        for action in actions {
            let kind = action["action"]["type"].as_str().ok_or("an action has no type")?;
            match (kind.eq_ignore_ascii_case("Rotate"), action) {
                (false, action) => read.others.push(action),
                (true, _) if read.rotate.is_some() => return Err("it rotates twice"),
                (true, Json::Object(members)) => {
                    read.rotate = Some(Trigger::read(members.get("trigger").unwrap_or(&Json::Null))?);
                    read.kept.rotate = members;
                }
                (true, _) => return Err("an action is no object"),
            }
        }
        read.kept.attributes = match policy.remove("attributes") {
            None | Some(Json::Null) => Map::new(),
            Some(Json::Object(attributes)) => attributes,
            Some(_) => return Err("`attributes` is no object"),
        };
        read.expiry = match read.kept.attributes.remove("expiryTime") {
            None | Some(Json::Null) => None,
            Some(Json::String(text)) => Some(text.parse().map_err(|_| "`expiryTime` is no duration")?),
            Some(_) => return Err("`expiryTime` is no duration"),
        };
        // These are the service's own.
        policy.remove("id");
        for member in ["created", "updated"] {
            read.kept.attributes.remove(member);
        }
        read.kept.policy = policy;
        Ok(read)
    }

    fn write(&self) -> Json {
        let Self { rotate, expiry, others, kept: Kept { policy, attributes, rotate: members } } = self;
        let mut actions = others.clone();
        actions.extend(rotate.as_ref().map(|trigger| {
            let mut action = members.clone();
            action.insert("trigger".to_owned(), trigger.write());
            action.entry("action").or_insert_with(|| json!({ "type": "Rotate" }));
            Json::Object(action)
        }));
        let mut attributes = attributes.clone();
        attributes.extend(expiry.as_ref().map(|expiry| ("expiryTime".to_owned(), json!(expiry.text()))));
        let mut policy = policy.clone();
        policy.insert("lifetimeActions".to_owned(), Json::Array(actions));
        policy.insert("attributes".to_owned(), Json::Object(attributes));
        Json::Object(policy)
    }
}

fn call<E>(operation: &'static Operation<E>, at: &KeyAddress) -> Call<E> {
    Call::of(operation).vault(&at.vault).path("keyName", &at.name).query("api-version", API_VERSION)
}

// ---- reads

/// The rotation policy of a key, the service's default if it has none of its own. `GET /keys/{keyName}/rotationpolicy`
pub async fn rotation_policy(reader: &Reader, at: &KeyAddress) -> Result<RotationPolicy, CallError> {
    let answer = reader.send(call(&GET_ROTATION_POLICY, at)).await?;
    RotationPolicy::read(answer.json()?).map_err(|detail| answer.unreadable(detail))
}

/// A deleted key; `None` if the vault says that there is none of this name. `GET /deletedkeys/{keyName}`
///
/// For seconds after a deletion there is none either.
pub async fn get_deleted(reader: &Reader, at: &KeyAddress) -> Result<Option<DeletedKey>, CallError> {
    let answer = match reader.send(call(&GET_DELETED_KEY, at)).await {
        Err(error) if error.status() == Some(404) && error.code() == Some(NOT_FOUND) => return Ok(None),
        other => other?,
    };
    let Deleted { deleted_date, scheduled_purge_date } = answer.json()?;
    let instant = |seconds: Option<i64>| {
        let instant = seconds.map(Timestamp::from_second).transpose();
        instant.map_err(|_| answer.unreadable("an instant is out of range"))
    };
    Ok(Some(DeletedKey { deleted: instant(deleted_date)?, purged: instant(scheduled_purge_date)? }))
}

// ---- writes

/// Replaces the rotation policy of a key. `PUT /keys/{keyName}/rotationpolicy`
///
/// The expiry holds for versions that are made from then on; those that are there stay as they are.
pub async fn set_rotation_policy(writer: &Writer, at: &KeyAddress, policy: &RotationPolicy) -> Result<(), CallError> {
    writer.send(call(&SET_ROTATION_POLICY, at).json(JSON, &policy.write())).await.map(|_| ())
}

/// Makes a new version of a key, which is then the current one. `POST /keys/{keyName}/rotate`
pub async fn rotate(writer: &Writer, at: &KeyAddress) -> Result<(), CallError> {
    writer.send(call(&ROTATE_KEY, at)).await.map(|_| ())
}

/// Enables a version of a key; all else of it stays. `PATCH /keys/{keyName}/{keyVersion}`
pub async fn enable(writer: &Writer, at: &KeyAddress, version: &str) -> Result<(), CallError> {
    let body = json!({ "attributes": { "enabled": true } });
    writer.send(call(&UPDATE_KEY, at).path("keyVersion", version).json(JSON, &body)).await.map(|_| ())
}

/// Brings a deleted key back with all its versions. `POST /deletedkeys/{keyName}/recover`
///
/// For seconds afterwards it may not be there yet: read back.
pub async fn recover(writer: &Writer, at: &KeyAddress) -> Result<(), CallError> {
    writer.send(call(&RECOVER_KEY, at)).await.map(|_| ())
}

#[cfg(test)]
mod tests;
