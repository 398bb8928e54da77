//! Secrets: what they have that keys don't.
//!
//! Getting a secret whose `nbf` or `exp` says otherwise works: both are information, not gates. `previousVersion` is answered
//! only for secrets that stand behind a certificate, of which there are none here.

use std::collections::BTreeMap;

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::access::Right;
use super::error::VaultError;
use super::objects::{Names, Stored};
use super::{Visit, body, objects};
use crate::emulator::call::Answer;
use crate::emulator::world::{Masked, Secret, SecretVersion, Vault};

/// 25 kB (documented).
const LONGEST_VALUE: usize = 25 * 1024;
/// Documented.
const LONGEST_CONTENT_TYPE: usize = 255;

const fn right(action: &'static str, permission: &'static str) -> Right {
    Right { action, noun: "secret", permission }
}

const SET: Right = right("secrets/setSecret/action", "set");

impl Stored for SecretVersion {
    const NAMES: Names = Names {
        noun: "secret",
        collection: "secrets",
        deleted_collection: "deletedsecrets",
        id: "id",
        not_found: "SecretNotFound",
        disabled: Some("SecretDisabled"),
    };
    const GET: Right = right("secrets/getSecret/action", "get");
    const LIST: Right = right("secrets/readMetadata/action", "list");
    const UPDATE: Right = right("secrets/update/action", "set");
    const DELETE: Right = right("secrets/delete", "delete");
    const GET_DELETED: Right = right("secrets/readMetadata/action", "get");
    const RECOVER: Right = right("secrets/recover/action", "recover");
    const PURGE: Right = right("secrets/purge/action", "purge");

    fn all(vault: &Vault) -> &BTreeMap<String, Secret> {
        &vault.secrets
    }

    fn all_mut(vault: &mut Vault) -> &mut BTreeMap<String, Secret> {
        &mut vault.secrets
    }

    fn tags(&self) -> Option<&BTreeMap<String, String>> {
        self.tags.as_ref()
    }

    fn item(&self) -> Map<String, Value> {
        let content_type = self.content_type.as_ref().map(|t| ("contentType".to_owned(), json!(t)));
        content_type.into_iter().collect()
    }

    fn bundle(&self, _: &str) -> Map<String, Value> {
        let mut members = self.item();
        members.insert("value".to_owned(), json!(self.value.expose()));
        members
    }

    /// `{contentType, attributes, tags}`. The value of a version never changes; that a body with one is refused, instead of
    /// the member being ignored, is chosen.
    fn change(&mut self, visit: &Visit<'_>, given: &Map<String, Value>) -> Result<(), VaultError> {
        if given.contains_key("value") {
            return Err(VaultError::bad_parameter("Property value can't be changed."));
        }
        let content_type = content_type(given)?;
        self.attributes = body::changed_attributes(given, &self.attributes, visit.now)?;
        self.content_type = content_type.or(self.content_type.take());
        self.tags = body::tags(given)?.or(self.tags.take());
        Ok(())
    }
}

fn content_type(given: &Map<String, Value>) -> Result<Option<String>, VaultError> {
    let text = body::text(given, "contentType")?;
    if text.is_some_and(|t| t.chars().count() > LONGEST_CONTENT_TYPE) {
        let message = format!("Property contentType has at most {LONGEST_CONTENT_TYPE} characters.");
        return Err(VaultError::bad_parameter(message));
    }
    Ok(text.map(str::to_owned))
}

/// `PUT /secrets/{name}`: always a new version, also for a value that is there already.
pub(super) fn set(visit: &Visit<'_>, name: &str) -> Result<Answer, VaultError> {
    body::check_name("secret", name)?;
    let made = |version| {
        let given = body::object(visit.call)?;
        let value = body::text(&given, "value")?;
        let value = value.ok_or_else(|| VaultError::bad_parameter("Property value is required."))?;
        if value.len() > LONGEST_VALUE {
            let message = format!("Property value has at most {LONGEST_VALUE} bytes.");
            return Err(VaultError::new(StatusCode::BAD_REQUEST, "BadParameter", message));
        }
        Ok(SecretVersion {
            version,
            value: Masked::new(value),
            content_type: content_type(&given)?,
            attributes: body::new_attributes(&given, visit.now)?,
            tags: body::tags(&given)?,
        })
    };
    objects::add(visit, name, SET, made)
}
