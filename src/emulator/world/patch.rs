//! How a document differs from an earlier one, as operations of JSON Patch (RFC 6902).
//!
//! Of the RFC's operations, `add`, `remove` and `replace` are used.
//!
//! Invariants: applying the differences to the earlier document gives the later one; a list of which one item was added,
//! removed or changed takes a patch of that item's size; an object that the document leaves out while it is empty is made
//! when something is added to it, which the RFC doesn't do.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One step from the earlier document to the later one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum Patch {
    /// Sets a member, or inserts an item before the one at this index.
    Add {
        /// Where.
        path: Pointer,
        /// What.
        value: Value,
    },
    /// Removes a member or an item.
    Remove {
        /// Which.
        path: Pointer,
    },
    /// Replaces a member or an item.
    Replace {
        /// Which.
        path: Pointer,
        /// By what.
        value: Value,
    },
}

/// A place in a document (RFC 6901).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Pointer(String);

impl Pointer {
    pub(super) fn below(&self, token: &str) -> Self {
        Self(format!("{}/{}", self.0, token.replace('~', "~0").replace('/', "~1")))
    }

    /// The place around it, and the last token.
    fn split(&self) -> Option<(&str, String)> {
        let (around, last) = self.0.rsplit_once('/')?;
        Some((around, last.replace("~1", "/").replace("~0", "~")))
    }
}

/// Adds what leads from `was` to `now`.
pub(super) fn differences<T: Serialize + PartialEq>(
    at: &Pointer,
    was: &T,
    now: &T,
    found: &mut Vec<Patch>,
) -> serde_json::Result<()> {
    if was == now {
        return Ok(());
    }
    match (serde_json::to_value(was)?, serde_json::to_value(now)?) {
        (Value::Object(was), Value::Object(now)) => object_differences(at, &was, now, found),
        (Value::Array(was), Value::Array(now)) => list_differences(at, &was, &now, found),
        (_, value) => {
            found.push(Patch::Replace { path: at.clone(), value });
            Ok(())
        }
    }
}

fn object_differences(
    at: &Pointer,
    was: &Map<String, Value>,
    now: Map<String, Value>,
    found: &mut Vec<Patch>,
) -> serde_json::Result<()> {
    let removed = was.keys().filter(|name| !now.contains_key(*name));
    found.extend(removed.map(|name| Patch::Remove { path: at.below(name) }));
    for (name, value) in now {
        let path = at.below(&name);
        match was.get(&name) {
            Some(was) => differences(&path, was, &value, found)?,
            None => found.push(Patch::Add { path, value }),
        }
    }
    Ok(())
}

/// The same for two lists: what both begin and end with stays, and only the items between are told.
pub(super) fn list_differences<T: Serialize + PartialEq>(
    at: &Pointer,
    was: &[T],
    now: &[T],
    found: &mut Vec<Patch>,
) -> serde_json::Result<()> {
    let same = |pairs: &mut dyn Iterator<Item = (&T, &T)>| pairs.take_while(|(was, now)| was == now).count();
    let front = same(&mut was.iter().zip(now));
    let (was, now) = (&was[front..], &now[front..]);
    let back = same(&mut was.iter().rev().zip(now.iter().rev()));
    let (was, now) = (&was[..was.len() - back], &now[..now.len() - back]);
    let item = |index: usize| at.below(&(front + index).to_string());
    for (index, (was, now)) in was.iter().zip(now).enumerate() {
        differences(&item(index), was, now, found)?;
    }
    found.extend((now.len()..was.len()).map(|_| Patch::Remove { path: item(now.len()) }));
    for (index, added) in now.iter().enumerate().skip(was.len()) {
        found.push(Patch::Add { path: item(index), value: serde_json::to_value(added)? });
    }
    Ok(())
}

/// Why a patch doesn't fit a document.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no `{0}` to change")]
pub(crate) struct Misfit(String);

impl Patch {
    /// Makes the step.
    pub(crate) fn apply(self, document: &mut Value) -> Result<(), Misfit> {
        let (Self::Add { path, .. } | Self::Remove { path } | Self::Replace { path, .. }) = &self;
        let path = path.clone();
        let misfit = || Misfit(path.0.clone());
        let (around, last) = path.split().ok_or_else(misfit)?;
        if matches!(self, Self::Add { .. }) {
            make_member(document, around);
        }
        let done = match document.pointer_mut(around) {
            Some(Value::Object(members)) => self.apply_to_object(members, last),
            Some(Value::Array(items)) => last.parse().ok().and_then(|index| self.apply_to_list(items, index)),
            _ => None,
        };
        done.ok_or_else(misfit)
    }

    fn apply_to_object(self, members: &mut Map<String, Value>, name: String) -> Option<()> {
        match self {
            Self::Add { value, .. } => drop(members.insert(name, value)),
            Self::Remove { .. } => drop(members.remove(&name)?),
            Self::Replace { value, .. } => *members.get_mut(&name)? = value,
        }
        Some(())
    }

    fn apply_to_list(self, items: &mut Vec<Value>, index: usize) -> Option<()> {
        match self {
            Self::Add { value, .. } if index <= items.len() => items.insert(index, value),
            Self::Add { .. } => return None,
            Self::Remove { .. } if index < items.len() => drop(items.remove(index)),
            Self::Remove { .. } => return None,
            Self::Replace { value, .. } => *items.get_mut(index)? = value,
        }
        Some(())
    }
}

/// Makes a member of the document itself that isn't there.
fn make_member(document: &mut Value, path: &str) {
    let Some(name) = path.strip_prefix('/').filter(|name| !name.contains('/')) else { return };
    if let Value::Object(members) = document {
        members.entry(name).or_insert_with(|| Value::Object(Map::new()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn between(was: &Value, now: &Value) -> Vec<Patch> {
        let mut found = Vec::new();
        differences(&Pointer::default().below("x"), was, now, &mut found).unwrap();
        found
    }

    fn documents() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![Just(Value::Null), (0..3i64).prop_map(Value::from), "[a~/]{0,2}".prop_map(Value::from)];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map("[a~/0]{0,2}", inner, 0..4)
                    .prop_map(|m| Value::Object(m.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn differences_lead_from_one_document_to_the_other(was in documents(), now in documents()) {
            let mut document = json!({ "x": was });
            for patch in between(&was, &now) {
                let text = serde_json::to_string(&patch).unwrap();
                serde_json::from_str::<Patch>(&text).unwrap().apply(&mut document).unwrap();
            }
            prop_assert_eq!(document, json!({ "x": now }));
        }
    }

    #[test]
    fn one_item_of_a_long_list_is_one_small_patch() {
        let long: Vec<Value> = (0..500).map(|n| json!({ "id": n, "roles": ["Viewer"] })).collect();
        let with = |change: &dyn Fn(&mut Vec<Value>)| {
            let mut now = long.clone();
            change(&mut now);
            between(&json!(long), &json!(now))
        };
        let added = with(&|list| list.insert(250, json!(7)));
        assert_eq!(added, [Patch::Add { path: Pointer("/x/250".into()), value: json!(7) }]);
        assert_eq!(with(&|list| drop(list.remove(0))), [Patch::Remove { path: Pointer("/x/0".into()) }]);
        let changed = with(&|list| list[499]["roles"][0] = json!("Admin"));
        assert_eq!(changed, [Patch::Replace { path: Pointer("/x/499/roles/0".into()), value: json!("Admin") }]);
    }

    #[test]
    fn what_does_not_fit_is_said() {
        for (path, document) in [("/a/b", json!({})), ("/a/3", json!({ "a": [1] })), ("/a", json!({})), ("", json!({}))]
        {
            let patch = Patch::Remove { path: Pointer(path.into()) };
            assert_eq!(patch.apply(&mut document.clone()), Err(Misfit(path.into())));
        }
        let mut document = json!({});
        Patch::Add { path: Pointer("/operations/a".into()), value: json!(1) }.apply(&mut document).unwrap();
        assert_eq!(document, json!({ "operations": { "a": 1 } }));
    }
}
