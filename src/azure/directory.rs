//! The directory of one run: every principal is looked up once, whoever asks.
//!
//! What must stay true: a look-up that failed stays unknown with its reason; it never reads as "nobody".

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use tokio::sync::{Mutex, OnceCell};

use super::access::Reader;
use super::graph::{self, DirectoryObject, Found, Key};
use crate::terms::ObjectId;

/// A principal as a configuration names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Name {
    /// By user principal name or application id.
    Key(Key),
    /// By object id.
    Id(ObjectId),
}

/// Looks principals up and remembers.
#[derive(Default)]
pub struct Directory {
    /// Names that will be asked for, so that one batch serves all environments.
    expected: BTreeSet<Name>,
    first: OnceCell<()>,
    keys: RefCell<HashMap<Key, Found>>,
    ids: RefCell<HashMap<ObjectId, Found>>,
    members: RefCell<HashMap<ObjectId, Members>>,
    counts: RefCell<HashMap<ObjectId, Result<u64, String>>>,
    /// One look-up at a time: whoever comes second finds what the first one brought.
    asking: Mutex<()>,
}

impl Directory {
    /// A directory that will be asked for `expected` names, and perhaps for others.
    pub fn expecting(expected: impl IntoIterator<Item = Name>) -> Self {
        Self { expected: expected.into_iter().collect(), ..Self::default() }
    }

    /// Looks up all `names` that aren't known yet.
    pub async fn load(&self, reader: &Reader, names: impl IntoIterator<Item = Name>) {
        let names: BTreeSet<Name> = names.into_iter().collect();
        let _asking = self.asking.lock().await;
        self.first.get_or_init(|| self.look_up(reader, &self.expected)).await;
        self.look_up(reader, &names).await;
    }

    async fn look_up(&self, reader: &Reader, names: &BTreeSet<Name>) {
        let (mut keys, mut ids) = (Vec::new(), Vec::new());
        for name in names {
            match name {
                Name::Key(key) if !self.keys.borrow().contains_key(key) => keys.push(key.clone()),
                Name::Id(id) if !self.ids.borrow().contains_key(id) => ids.push(*id),
                Name::Key(_) | Name::Id(_) => {}
            }
        }
        let (by_key, by_id) = tokio::join!(find(reader, &keys), by_ids(reader, &ids));
        self.keys.borrow_mut().extend(by_key);
        self.ids.borrow_mut().extend(by_id);
    }

    /// What is known about a name that was loaded.
    pub fn get(&self, name: &Name) -> Found {
        let known = match name {
            Name::Key(key) => self.keys.borrow().get(key).cloned(),
            Name::Id(id) => self.ids.borrow().get(id).cloned(),
        };
        known.unwrap_or_else(|| Err("it was not looked up".to_owned()))
    }

    /// How many principals a group reaches.
    pub async fn count(&self, reader: &Reader, group: ObjectId) -> Result<u64, String> {
        if let Some(known) = self.counts.borrow().get(&group) {
            return known.clone();
        }
        let count = graph::count_members(reader, group).await.map_err(|error| error.to_string());
        self.counts.borrow_mut().insert(group, count.clone());
        count
    }

    /// Whom a group reaches.
    pub async fn members(&self, reader: &Reader, group: ObjectId) -> Members {
        if let Some(known) = self.members.borrow().get(&group) {
            return known.clone();
        }
        let members = graph::members(reader, group).await.map_err(|error| error.to_string());
        let members = members.map(|members| members.into_iter().map(|member| (member.id, member)).collect());
        self.members.borrow_mut().insert(group, members.clone());
        members
    }
}

/// Whom a group reaches, by object id, or why that isn't known.
pub type Members = Result<BTreeMap<ObjectId, DirectoryObject>, String>;

async fn find(reader: &Reader, keys: &[Key]) -> Vec<(Key, Found)> {
    if keys.is_empty() {
        return Vec::new();
    }
    graph::find(reader, keys)
        .await
        .unwrap_or_else(|error| keys.iter().map(|key| (key.clone(), Err(error.to_string()))).collect())
}

async fn by_ids(reader: &Reader, ids: &[ObjectId]) -> Vec<(ObjectId, Found)> {
    if ids.is_empty() {
        return Vec::new();
    }
    match graph::by_ids(reader, ids).await {
        Err(error) => ids.iter().map(|id| (*id, Err(error.to_string()))).collect(),
        Ok(objects) => {
            let mut objects: HashMap<ObjectId, DirectoryObject> =
                objects.into_iter().map(|object| (object.id, object)).collect();
            ids.iter().map(|id| (*id, Ok(objects.remove(id)))).collect()
        }
    }
}
