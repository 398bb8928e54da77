//! The identities of a storage account.
//!
//! Invariants: an identity is named by its principal id, and one without is no identity that anything could be granted to; whoever sends
//! identities sends all of them, so that none is lost, and the map of user-assigned ones as it was read.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::terms::{ObjectId, object_id};

const SYSTEM: &str = "SystemAssigned";

/// The identities of a storage account.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// `None`, `SystemAssigned`, `UserAssigned`, `SystemAssigned,UserAssigned`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Object id of its own identity; none if it has none, or the service doesn't name it.
    #[serde(default, deserialize_with = "object_id::principal")]
    pub principal_id: Option<ObjectId>,
    /// Those that it was given, by their ARM id as the service spells it.
    #[serde(default, deserialize_with = "map")]
    pub user_assigned_identities: BTreeMap<String, UserAssigned>,
}

/// An identity that an account was given.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct UserAssigned {
    /// Its object id.
    #[serde(deserialize_with = "object_id::principal")]
    pub principal_id: Option<ObjectId>,
}

fn map<'de, D: serde::Deserializer<'de>>(member: D) -> Result<BTreeMap<String, UserAssigned>, D::Error> {
    let map: Option<BTreeMap<String, Option<UserAssigned>>> = Option::deserialize(member)?;
    Ok(map.unwrap_or_default().into_iter().map(|(id, one)| (id, one.unwrap_or_default())).collect())
}

impl Identity {
    /// Whether the account has an identity of its own.
    pub fn has_own(&self) -> bool {
        let words = self.kind.as_deref().unwrap_or_default().split(',');
        words.map(str::trim).any(|word| word.eq_ignore_ascii_case(SYSTEM))
    }

    /// A user-assigned identity by its ARM id.
    pub fn given(&self, id: &str) -> Option<&UserAssigned> {
        self.user_assigned_identities.iter().find(|(known, _)| known.eq_ignore_ascii_case(id)).map(|(_, one)| one)
    }

    /// The same identities, and one of the account's own.
    #[must_use]
    pub fn with_own(&self) -> Self {
        let kind = if self.user_assigned_identities.is_empty() { SYSTEM } else { "SystemAssigned,UserAssigned" };
        Self { kind: Some(kind.to_owned()), ..self.clone() }
    }

    /// What is sent. The principals of identities are the service's to say.
    pub(super) fn body(&self) -> Json {
        let Self { kind, principal_id: _, user_assigned_identities } = self;
        let mut body = json!({ "type": kind.as_deref().unwrap_or("None") });
        if !user_assigned_identities.is_empty() {
            let map = user_assigned_identities.keys().map(|id| (id.clone(), json!({})));
            body["userAssignedIdentities"] = Json::Object(map.collect());
        }
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_own_identity_is_added_to_those_that_are_there() {
        let id = "/subscriptions/x/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/u1";
        let text = json!({ "type": "UserAssigned", "userAssignedIdentities": { id: { "clientId": "c" } } });
        let given: Identity = serde_json::from_value(text).unwrap();
        assert!(!given.has_own() && given.given(&id.to_uppercase()).is_some());
        let both = given.with_own();
        let expected = json!({ "type": "SystemAssigned,UserAssigned", "userAssignedIdentities": { id: {} } });
        assert_eq!((both.has_own(), both.body()), (true, expected));
        for text in [json!({}), json!({ "type": "None", "userAssignedIdentities": null })] {
            let none: Identity = serde_json::from_value(text).unwrap();
            assert_eq!((none.has_own(), none.with_own().body()), (false, json!({ "type": "SystemAssigned" })));
        }
        let spaced = json!({ "type": "SystemAssigned, UserAssigned", "userAssignedIdentities": { id: null } });
        let spaced: Identity = serde_json::from_value(spaced).unwrap();
        assert!(spaced.has_own() && spaced.given(id).is_some());
    }
}
