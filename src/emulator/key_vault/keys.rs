//! Keys: what they have that secrets don't. Nothing here computes with keys: there are no cryptographic operations, and no
//! private part.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::access::Right;
use super::error::VaultError;
use super::objects::{Names, Stored};
use super::public_part::{self, CURVES};
use super::{Visit, body, objects};
use crate::emulator::call::Answer;
use crate::emulator::world::{Key, KeyVersion, Vault};

/// What an RSA key may be used for unless its maker says less.
pub(crate) const KEY_OPS: [&str; 6] = ["encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"];
const SIZES: [u16; 3] = [2048, 3072, 4096];

pub(super) const fn right(action: &'static str, permission: &'static str) -> Right {
    Right { action, noun: "key", permission }
}

const CREATE: Right = right("keys/create/action", "create");

impl Stored for KeyVersion {
    const NAMES: Names = Names {
        noun: "key",
        collection: "keys",
        deleted_collection: "deletedkeys",
        id: "kid",
        not_found: "KeyNotFound",
        // A disabled key can't be used, but its attributes can be read: chosen, as Microsoft's own check of a
        // customer-managed key reads them to see whether it is enabled.
        disabled: None,
    };
    const GET: Right = right("keys/read", "get");
    const LIST: Right = right("keys/read", "list");
    const UPDATE: Right = right("keys/update/action", "update");
    const DELETE: Right = right("keys/delete", "delete");
    const GET_DELETED: Right = right("keys/read", "get");
    const RECOVER: Right = right("keys/recover/action", "recover");
    const PURGE: Right = right("keys/purge/action", "purge");

    fn all(vault: &Vault) -> &BTreeMap<String, Key> {
        &vault.keys
    }

    fn all_mut(vault: &mut Vault) -> &mut BTreeMap<String, Key> {
        &mut vault.keys
    }

    fn forget(vault: &mut Vault, name: &str) {
        vault.rotation_policies.remove(&name.to_ascii_lowercase());
    }

    fn tags(&self) -> Option<&BTreeMap<String, String>> {
        self.tags.as_ref()
    }

    fn item(&self) -> Map<String, Value> {
        Map::new()
    }

    fn bundle(&self, id: &str) -> Map<String, Value> {
        let mut key = json!({ "kid": id, "kty": self.kty, "key_ops": self.key_ops });
        if let Some(members) = key.as_object_mut() {
            match &self.crv {
                Some(crv) => {
                    let curve = CURVES.iter().find(|known| known.name == crv).unwrap_or(&CURVES[0]);
                    let (x, y) = public_part::point(&self.version, curve);
                    members.extend(
                        [("crv", curve.name.into()), ("x", x), ("y", y)]
                            .map(|(name, text)| (name.to_owned(), json!(text))),
                    );
                }
                None => {
                    let modulus = public_part::modulus(&self.version, self.key_size.unwrap_or(SIZES[0]));
                    members.insert("n".to_owned(), json!(modulus));
                    members.insert("e".to_owned(), json!("AQAB"));
                }
            }
        }
        Map::from_iter([("key".to_owned(), key)])
    }

    /// `{key_ops, attributes, tags}`.
    fn change(&mut self, visit: &Visit<'_>, given: &Map<String, Value>) -> Result<(), VaultError> {
        let key_ops = key_ops(given)?;
        self.attributes = body::changed_attributes(given, &self.attributes, visit.now)?;
        self.tags = body::tags(given)?.or(self.tags.take());
        if let Some(key_ops) = key_ops {
            self.key_ops = key_ops;
        }
        Ok(())
    }
}

fn key_ops(given: &Map<String, Value>) -> Result<Option<Vec<String>>, VaultError> {
    let invalid = || VaultError::bad_parameter("Property key_ops has an invalid value.");
    match given.get("key_ops") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(ops)) => {
            let known =
                |op: &Value| op.as_str().filter(|op| KEY_OPS.contains(op) || *op == "import").map(str::to_owned);
            ops.iter().map(|op| known(op).ok_or_else(invalid)).collect::<Result<_, _>>().map(Some)
        }
        Some(_) => Err(invalid()),
    }
}

/// `POST /keys/{name}/create`: a key, or a new version of it.
pub(super) fn create(visit: &Visit<'_>, name: &str) -> Result<Answer, VaultError> {
    body::check_name("key", name)?;
    let made = |version| {
        let given = body::object(visit.call)?;
        let kty = body::text(&given, "kty")?.unwrap_or_default();
        let (key_size, crv) = match kty {
            "RSA" | "RSA-HSM" => (Some(size(&given)?), None),
            "EC" | "EC-HSM" => (None, Some(curve(&given)?)),
            _ => return Err(VaultError::bad_parameter("Property kty is missing or not supported here.")),
        };
        let signs_only = crv.is_some();
        let usual = KEY_OPS.iter().filter(|op| !signs_only || ["sign", "verify"].contains(op));
        Ok(KeyVersion {
            version,
            kty: kty.to_owned(),
            key_size,
            crv,
            key_ops: key_ops(&given)?.unwrap_or_else(|| usual.map(|op| (*op).to_owned()).collect()),
            attributes: body::new_attributes(&given, visit.now)?,
            tags: body::tags(&given)?,
        })
    };
    objects::add(visit, name, CREATE, made)
}

fn size(given: &Map<String, Value>) -> Result<u16, VaultError> {
    match given.get("key_size") {
        None | Some(Value::Null) => Ok(SIZES[0]),
        Some(size) => {
            let size = size.as_u64().and_then(|s| u16::try_from(s).ok()).filter(|s| SIZES.contains(s));
            size.ok_or_else(|| VaultError::bad_parameter("Property key_size has an invalid value."))
        }
    }
}

fn curve(given: &Map<String, Value>) -> Result<String, VaultError> {
    let crv = body::text(given, "crv")?.unwrap_or(CURVES[0].name);
    let known = CURVES.iter().any(|known| known.name == crv);
    known.then(|| crv.to_owned()).ok_or_else(|| VaultError::bad_parameter("Property crv has an invalid value."))
}
