//! Ids of Power Platform, which are texts.
//!
//! Invariants: two spellings of one id that differ only in case are equal, and sort and hash alike; an id is shown as it was
//! written; none is empty, since without one, reading an environment is listing them.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// Why a text is no id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("an id of Power Platform can't be empty")]
pub struct EmptyId;

macro_rules! id {
    ($(#[$about:meta])* $name:ident) => {
        $(#[$about])*
        #[derive(Debug, Clone)]
        pub struct $name(String);

        impl $name {
            /// Takes a text for an id.
            pub fn new(text: impl Into<String>) -> Result<Self, EmptyId> {
                let text = text.into();
                if text.trim().is_empty() { Err(EmptyId) } else { Ok(Self(text)) }
            }

            /// The text as it was written.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Whether another text is the same id.
            pub fn is(&self, other: &str) -> bool {
                folded(&self.0).eq(folded(other))
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.is(&other.0)
            }
        }

        impl Eq for $name {}

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        impl Ord for $name {
            fn cmp(&self, other: &Self) -> Ordering {
                folded(&self.0).cmp(folded(&other.0))
            }
        }

        impl Hash for $name {
            fn hash<H: Hasher>(&self, state: &mut H) {
                folded(&self.0).for_each(|c| c.hash(state));
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::new(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
            }
        }
    };
}

id! {
    /// The id of an environment: any text. Default environments are called `Default-{tenant}`.
    EnvironmentId
}

id! {
    /// What Power Platform calls an enterprise policy, and links by:
    /// `/regions/{location}/providers/Microsoft.PowerPlatform/enterprisePolicies/{guid}`. Not its id in Azure.
    SystemId
}

fn folded(text: &str) -> impl Iterator<Item = char> {
    text.chars().flat_map(char::to_lowercase)
}

/// Reads an empty text like none.
pub(super) fn optional<'de, D: Deserializer<'de>, T: TryFrom<String>>(member: D) -> Result<Option<T>, D::Error> {
    Ok(Option::<String>::deserialize(member)?.and_then(|text| T::try_from(text).ok()))
}

impl TryFrom<String> for SystemId {
    type Error = EmptyId;

    fn try_from(text: String) -> Result<Self, EmptyId> {
        Self::new(text)
    }
}

impl TryFrom<String> for EnvironmentId {
    type Error = EmptyId;

    fn try_from(text: String) -> Result<Self, EmptyId> {
        Self::new(text)
    }
}
