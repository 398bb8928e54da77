//! Ids of the directory, parsed once where a service's answer comes in.
//!
//! Services spell one id in many ways: without hyphens, in braces, in capitals, with white space around it. Two texts
//! that mean one id become one [`ObjectId`], so that nothing further in compares texts. Configuration files have one form
//! only and are stricter.
//!
//! Invariants: an [`ObjectId`] is never the id of zeros, which services use for "none"; what isn't an id gives `None`
//! where it is read, never a text that could be taken for one.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

/// A principal's object id. Role assignments of Customer Insights may also list an app by its application id; such an
/// entry is keyed by that id until the directory tells which principal it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ObjectId(Uuid);

impl ObjectId {
    /// The id that a text of a service means, if it means one.
    pub fn parse(text: &str) -> Option<Self> {
        id(text).map(Self)
    }

    /// The bare id.
    pub const fn uuid(self) -> Uuid {
        self.0
    }
}

/// The id that a text of a service means, whatever it is an id of; `None` for the id of zeros.
pub(crate) fn id(text: &str) -> Option<Uuid> {
    let bare = trimmed(text);
    let bare = inside(bare, '{', '}').or_else(|| inside(bare, '(', ')')).unwrap_or(bare);
    Uuid::try_parse(trimmed(bare)).ok().filter(|id| !id.is_nil())
}

fn trimmed(text: &str) -> &str {
    // A byte order mark and a space of no width are neither white space nor control characters by their class.
    text.trim_matches(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '\u{feff}' | '\u{200b}'))
}

fn inside(text: &str, open: char, close: char) -> Option<&str> {
    text.strip_prefix(open)?.strip_suffix(close)
}

/// Reads an id that a service spells in any way; a text that isn't an id is none.
pub(crate) fn lenient<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Uuid>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.as_deref().and_then(id))
}

/// The same for the id of a principal.
pub(crate) fn principal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ObjectId>, D::Error> {
    Ok(lenient(deserializer)?.map(ObjectId))
}

impl From<Uuid> for ObjectId {
    fn from(id: Uuid) -> Self {
        Self(id)
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(id) = self;
        fmt::Display::fmt(id, f)
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<'de> Deserialize<'de> for ObjectId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("it isn't an id"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_spellings_of_an_id_are_one_id_and_nothing_else_is() {
        let id = Uuid::from_u128(0x9d1e_7a55_0000_4000_8000_0000_0000_d001);
        let spellings = [
            id.to_string(),
            id.to_string().to_uppercase(),
            id.simple().to_string(),
            id.braced().to_string(),
            format!("{{{}}}", id.simple()),
            format!("({id})"),
            id.urn().to_string(),
            format!(" \t{id}\r\n"),
            format!("{{ {id} }}"),
            format!("\u{feff}{id}\u{a0}\u{200b}"),
        ];
        for text in spellings {
            assert_eq!(ObjectId::parse(&text), Some(ObjectId(id)), "{text:?}");
            assert_eq!(serde_json::from_value::<ObjectId>(text.clone().into()).unwrap(), ObjectId(id), "{text:?}");
        }
        let zeros = Uuid::nil().to_string();
        for text in
            ["", "  ", "{}", "ada@contoso.com", &id.to_string()[1..], &format!("{{{id}"), &format!("x{id}"), &zeros]
        {
            assert_eq!(ObjectId::parse(text), None, "{text:?}");
            assert!(serde_json::from_value::<ObjectId>(text.into()).is_err(), "{text:?}");
        }
    }
}
