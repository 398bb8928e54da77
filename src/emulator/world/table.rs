//! Collections of the world that can undo a change.
//!
//! Words: a *table* is a sorted map whose entries are *touched* by a change under way; a *list* keeps the order of its
//! items and is shared until it is written.
//!
//! Invariants: a table knows the earlier value of every entry that was touched since it was settled, since each way to
//! write goes through [`Table`]'s own methods; undoing brings those values back; keeping track costs what is touched, not
//! what there is; on file a table is a plain object and a list a plain array.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::patch::{self, Patch, Pointer};

/// A sorted map of the world. It reads like a `BTreeMap`.
pub struct Table<K, V> {
    entries: BTreeMap<K, V>,
    /// What touched entries were when the table was settled last; none for one that wasn't there.
    earlier: BTreeMap<K, Option<V>>,
}

impl<K: Ord + Clone, V: Clone> Table<K, V> {
    /// An empty one.
    pub const fn new() -> Self {
        Self { entries: BTreeMap::new(), earlier: BTreeMap::new() }
    }

    /// Adds an entry, or replaces it.
    pub fn insert(&mut self, key: K, value: V) {
        let was = self.entries.insert(key.clone(), value);
        self.earlier.entry(key).or_insert(was);
    }

    /// Removes an entry and returns it.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let (key, was) = self.entries.remove_entry(key)?;
        self.earlier.entry(key).or_insert_with(|| Some(was.clone()));
        Some(was)
    }

    /// An entry for writing. It counts as touched.
    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        self.touch(key);
        self.entries.get_mut(key)
    }

    /// An entry for writing, made if there is none.
    pub fn get_or_insert_with(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        self.touch(&key);
        self.entries.entry(key).or_insert_with_key(|key| {
            self.earlier.entry(key.clone()).or_insert(None);
            make()
        })
    }

    /// Removes all entries.
    pub fn clear(&mut self) {
        for (key, was) in std::mem::take(&mut self.entries) {
            self.earlier.entry(key).or_insert(Some(was));
        }
    }

    /// All entries for writing. All count as touched.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        for (key, value) in &self.entries {
            self.earlier.entry(key.clone()).or_insert_with(|| Some(value.clone()));
        }
        self.entries.values_mut()
    }

    fn touch<Q: Ord + ?Sized>(&mut self, key: &Q)
    where
        K: Borrow<Q>,
    {
        if !self.earlier.contains_key(key)
            && let Some((key, value)) = self.entries.get_key_value(key)
        {
            self.earlier.insert(key.clone(), Some(value.clone()));
        }
    }

    /// What is there now is what there is: nothing before it can come back.
    pub(super) fn settle(&mut self) {
        self.earlier.clear();
    }

    /// Takes back what happened since the table was settled.
    pub(super) fn undo(&mut self) {
        for (key, was) in std::mem::take(&mut self.earlier) {
            match was {
                Some(value) => self.entries.insert(key, value),
                None => self.entries.remove(&key),
            };
        }
    }

    /// What happened since the table was settled.
    pub(super) fn differences(&self, at: &Pointer, found: &mut Vec<Patch>) -> serde_json::Result<()>
    where
        K: fmt::Display,
        V: Serialize + PartialEq,
    {
        for (key, was) in &self.earlier {
            let at = at.below(&key.to_string());
            match (was, self.entries.get(key)) {
                (None, None) => {}
                (None, Some(now)) => found.push(Patch::Add { path: at, value: serde_json::to_value(now)? }),
                (Some(_), None) => found.push(Patch::Remove { path: at }),
                (Some(was), Some(now)) => patch::differences(&at, was, now, found)?,
            }
        }
        Ok(())
    }
}

impl<K: Ord + Clone, V: Clone> Default for Table<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K, V> Deref for Table<K, V> {
    type Target = BTreeMap<K, V>;

    fn deref(&self) -> &Self::Target {
        &self.entries
    }
}

/// A copy is settled.
impl<K: Ord + Clone, V: Clone> Clone for Table<K, V> {
    fn clone(&self) -> Self {
        Self { entries: self.entries.clone(), earlier: BTreeMap::new() }
    }
}

impl<K: PartialEq, V: PartialEq> PartialEq for Table<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.entries == other.entries
    }
}

impl<K: Eq, V: Eq> Eq for Table<K, V> {}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for Table<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.entries.fmt(f)
    }
}

impl<'a, K, V> IntoIterator for &'a Table<K, V> {
    type Item = (&'a K, &'a V);
    type IntoIter = std::collections::btree_map::Iter<'a, K, V>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.iter()
    }
}

impl<K: Serialize, V: Serialize> Serialize for Table<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.entries.serialize(serializer)
    }
}

impl<'de, K: Deserialize<'de> + Ord, V: Deserialize<'de>> Deserialize<'de> for Table<K, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self { entries: BTreeMap::deserialize(deserializer)?, earlier: BTreeMap::new() })
    }
}

/// A list of the world. It reads and writes like a `Vec`; a copy costs nothing until one of the two is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List<T>(Arc<Vec<T>>);

impl<T> List<T> {
    /// An empty one.
    pub fn new() -> Self {
        Self(Arc::new(Vec::new()))
    }
}

impl<T: Serialize + PartialEq> List<T> {
    /// How the list became `now`.
    pub(super) fn differences_to(&self, now: &Self, at: &Pointer, found: &mut Vec<Patch>) -> serde_json::Result<()> {
        if Arc::ptr_eq(&self.0, &now.0) || self == now {
            return Ok(());
        }
        // A document may leave out an empty list, which then has no place for an item.
        if self.is_empty() || now.is_empty() {
            found.push(Patch::Add { path: at.clone(), value: serde_json::to_value(now)? });
            return Ok(());
        }
        patch::list_differences(at, &self.0, &now.0, found)
    }
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Deref for List<T> {
    type Target = Vec<T>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<T: Clone> DerefMut for List<T> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        Arc::make_mut(&mut self.0)
    }
}

impl<T: Serialize> Serialize for List<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(|items| Self(Arc::new(items)))
    }
}
