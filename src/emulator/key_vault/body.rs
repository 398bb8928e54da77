//! What writers send: attributes, tags, names.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::error::VaultError;
use crate::emulator::call::Call;
use crate::emulator::world::Attributes;

/// Tags of one object. 15 is documented; of the lengths that documents of different years print, the smaller one is taken.
const MOST_TAGS: usize = 15;
const LONGEST_TAG: usize = 256;
const LONGEST_NAME: usize = 127;

/// The body as an object.
pub(super) fn object(call: &Call) -> Result<Map<String, Value>, VaultError> {
    if call.media_type().as_deref() != Some("application/json") {
        return Err(VaultError::bad_parameter("The content type must be application/json."));
    }
    // The error of the parser isn't repeated: it could quote a secret.
    match serde_json::from_slice(&call.body) {
        Ok(Value::Object(body)) => Ok(body),
        _ => Err(VaultError::bad_parameter("The body must be a JSON object.")),
    }
}

/// Letters, digits and dashes.
pub(super) fn check_name(noun: &str, name: &str) -> Result<(), VaultError> {
    let fine = !name.is_empty() && name.len() <= LONGEST_NAME;
    if fine && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        return Ok(());
    }
    let message =
        format!("The request URI contains an invalid name: {name}. A {noun}'s name has letters, digits and dashes.");
    Err(VaultError::bad_parameter(message))
}

/// A text member that may be missing.
pub(super) fn text<'b>(body: &'b Map<String, Value>, member: &str) -> Result<Option<&'b str>, VaultError> {
    match body.get(member) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(VaultError::bad_parameter(format!("Property {member} has an invalid value."))),
    }
}

/// The tags, if any are given; they replace the old ones as a whole.
pub(super) fn tags(body: &Map<String, Value>) -> Result<Option<BTreeMap<String, String>>, VaultError> {
    let given = match body.get("tags") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Object(given)) => given,
        Some(_) => return Err(VaultError::bad_parameter("Property tags has an invalid value.")),
    };
    if given.len() > MOST_TAGS {
        return Err(VaultError::bad_parameter(format!("Too many tags: {}. The most is {MOST_TAGS}.", given.len())));
    }
    let mut tags = BTreeMap::new();
    for (name, value) in given {
        let value = value.as_str().ok_or_else(|| VaultError::bad_parameter("The value of a tag must be a text."))?;
        if name.is_empty() || name.chars().count() > LONGEST_TAG || value.chars().count() > LONGEST_TAG {
            let message = format!("The name and the value of a tag have at most {LONGEST_TAG} characters.");
            return Err(VaultError::bad_parameter(message));
        }
        tags.insert(name.clone(), value.to_owned());
    }
    Ok(Some(tags))
}

/// The attributes of a new version.
pub(super) fn new_attributes(body: &Map<String, Value>, now: Timestamp) -> Result<Attributes, VaultError> {
    let start = Attributes { enabled: true, not_before: None, expires: None, created: now, updated: now };
    changed_attributes(body, &start, now)
}

/// The attributes after a change: members that are missing stay as they were.
pub(super) fn changed_attributes(
    body: &Map<String, Value>,
    was: &Attributes,
    now: Timestamp,
) -> Result<Attributes, VaultError> {
    let invalid = |member: &str| VaultError::bad_parameter(format!("Attribute {member} has an invalid value."));
    let mut attributes = Attributes { updated: now, ..was.clone() };
    let given = match body.get("attributes") {
        None | Some(Value::Null) => return Ok(attributes),
        Some(Value::Object(given)) => given,
        Some(_) => return Err(VaultError::bad_parameter("Property attributes has an invalid value.")),
    };
    match given.get("enabled") {
        None | Some(Value::Null) => {}
        Some(enabled) => attributes.enabled = enabled.as_bool().ok_or_else(|| invalid("enabled"))?,
    }
    for (member, place) in [("nbf", &mut attributes.not_before), ("exp", &mut attributes.expires)] {
        match given.get(member) {
            None | Some(Value::Null) => {}
            Some(value) => {
                let second = value.as_i64().and_then(|s| Timestamp::from_second(s).ok());
                *place = Some(second.ok_or_else(|| invalid(member))?);
            }
        }
    }
    if let (Some(from), Some(until)) = (attributes.not_before, attributes.expires)
        && until <= from
    {
        return Err(VaultError::bad_parameter("Attribute exp must be later than nbf."));
    }
    Ok(attributes)
}
