//! Which texts of a body are secrets, by the names of its members.
//!
//! Invariants: no copy of a secret stays in memory that isn't wiped; what isn't published may have any shape, so the names
//! are looked for at every depth.

use std::fmt;

use secrecy::SecretString;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The secrets of a body, in JSON or in a form.
pub(super) fn secrets(body: &[u8]) -> Vec<SecretString> {
    let mut found = Vec::new();
    let mut json = serde_json::Deserializer::from_slice(body);
    // What was found before a mistake counts all the same.
    let is_json = Walk { found: &mut found, secret: true }.deserialize(&mut json).is_ok();
    if !is_json && found.is_empty() {
        let fields = url::form_urlencoded::parse(body).filter(|(name, _)| is_secret(name));
        found.extend(fields.map(|(_, value)| SecretString::from(value.into_owned())));
    }
    found
}

/// Whether a member or field of this name holds a secret.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name == "value" || ["key", "token", "secret", "password", "assertion"].iter().any(|end| name.ends_with(end))
}

/// Collects texts below members with such names. A text that stands alone is one.
struct Walk<'f> {
    found: &'f mut Vec<SecretString>,
    secret: bool,
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        if self.secret {
            self.found.push(SecretString::from(text));
        }
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Walk { found: &mut *self.found, secret: self.secret })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(name) = members.next_key::<String>()? {
            // Labels that people choose, among them `key`.
            if matches!(name.as_str(), "tags" | "attributes") {
                members.next_value::<IgnoredAny>()?;
                continue;
            }
            members.next_value_seed(Walk { found: &mut *self.found, secret: is_secret(&name) })?;
        }
        Ok(())
    }
}
