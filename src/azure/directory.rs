//! The directory of one observation: every principal is looked up once, whoever asks.
//!
//! Words: a *batch* is names that are looked up together. One batch is open at a time; it takes in names until it is its
//! turn, and while as many batches are under way as may be, names gather in the open one.
//!
//! Invariants: a look-up that failed stays unknown with its reason, and never reads as "not in the directory"; each name,
//! each group's members and each group's count are asked for once; nothing is locked while a request is under way; what is
//! remembered from an earlier directory was said by the service, and is never an absence or a failure.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use futures_util::FutureExt as _;
use futures_util::future::{join, join_all};
use jiff::Timestamp;
use tokio::sync::Semaphore;

use super::access::Reader;
use super::graph::{self, DirectoryObject, Found, Key};
use super::once::{InFlight, Once};
use crate::terms::ObjectId;

/// Batches under way at a time. More would only make each of them smaller.
const UNDER_WAY: usize = 4;

/// A principal as a configuration names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Name {
    /// By user principal name or application id.
    Key(Key),
    /// By object id.
    Id(ObjectId),
}

/// What earlier directories of a run said of principals that they have, each with the instant before it was said.
#[derive(Debug, Clone, Default)]
pub struct Remembered(HashMap<Name, (DirectoryObject, Timestamp)>);

impl Remembered {
    /// Takes in what a directory has looked up since it `began`. What it didn't find is forgotten.
    pub fn take_in(&mut self, directory: &Directory, began: Timestamp) {
        for (name, look_up) in &*directory.desk.names.borrow() {
            match look_up {
                LookUp::Known(Ok(Some(object))) => {
                    self.0.insert(name.clone(), (object.clone(), began));
                }
                LookUp::Known(_) | LookUp::Coming(_) => {
                    self.0.remove(name);
                }
                LookUp::Remembered(_) => {}
            }
        }
    }

    /// What is not older than an instant, without some names, and without all others of the same principals.
    #[must_use]
    pub fn since(&self, instant: Timestamp, without: &[Name]) -> Self {
        let of = |name: &Name| match name {
            Name::Id(id) => Some(*id),
            Name::Key(_) => self.0.get(name).map(|(object, _)| object.id),
        };
        let ids: BTreeSet<ObjectId> = without.iter().filter_map(of).collect();
        let other = |name: &Name, object: &DirectoryObject| !without.contains(name) && !ids.contains(&object.id);
        let kept = self.0.iter().filter(|(name, (object, at))| *at >= instant && other(name, object));
        Self(kept.map(|(name, said)| (name.clone(), said.clone())).collect())
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Looks principals up and remembers.
pub struct Directory {
    desk: Rc<Desk>,
    members: Once<ObjectId, Members>,
    counts: Once<ObjectId, Result<u64, String>>,
}

/// Whom a group reaches, by object id, or why that isn't known.
pub type Members = Result<BTreeMap<ObjectId, DirectoryObject>, String>;

/// Where names are handed in.
struct Desk {
    reader: Reader,
    /// Names that will be asked for, so that one batch serves all environments.
    expected: RefCell<BTreeSet<Name>>,
    names: RefCell<HashMap<Name, LookUp>>,
    open: RefCell<Option<Open>>,
    turns: Semaphore,
}

/// What became of a name that was handed in.
enum LookUp {
    /// It is in this batch.
    Coming(InFlight<()>),
    /// This is the answer.
    Known(Found),
    /// This was the answer to an earlier look-up.
    Remembered(DirectoryObject),
}

/// The batch that takes in names.
struct Open {
    names: BTreeSet<Name>,
    batch: InFlight<()>,
}

impl Directory {
    /// A directory that will be asked for `expected` names, and perhaps for others.
    pub fn expecting(reader: Reader, expected: impl IntoIterator<Item = Name>) -> Self {
        Self::remembering(reader, expected, Remembered::default())
    }

    /// The same with what an earlier directory said: that isn't asked for again.
    pub(super) fn remembering(
        reader: Reader,
        expected: impl IntoIterator<Item = Name>,
        Remembered(known): Remembered,
    ) -> Self {
        let known = known.into_iter().map(|(name, (object, _))| (name, LookUp::Remembered(object)));
        let desk = Desk {
            reader,
            expected: RefCell::new(expected.into_iter().collect()),
            names: RefCell::new(known.collect()),
            open: RefCell::default(),
            turns: Semaphore::new(UNDER_WAY),
        };
        Self { desk: Rc::new(desk), members: Once::default(), counts: Once::default() }
    }

    /// Looks up all `names` that aren't known yet.
    pub async fn load(&self, names: impl IntoIterator<Item = Name>) {
        let mut names: BTreeSet<Name> = names.into_iter().collect();
        if names.is_empty() {
            return;
        }
        let wanted: Vec<Name> = names.iter().cloned().collect();
        names.append(&mut self.desk.expected.take());
        self.desk.hand_in(names);
        let coming = |name: &Name| match self.desk.names.borrow().get(name) {
            Some(LookUp::Coming(batch)) => Some(batch.clone()),
            Some(LookUp::Known(_) | LookUp::Remembered(_)) | None => None,
        };
        join_all(wanted.iter().filter_map(coming)).await;
    }

    /// What is known about a name that was loaded.
    pub fn get(&self, name: &Name) -> Found {
        match self.desk.names.borrow().get(name) {
            Some(LookUp::Known(found)) => found.clone(),
            Some(LookUp::Remembered(object)) => Ok(Some(object.clone())),
            Some(LookUp::Coming(_)) | None => Err("it was not looked up".to_owned()),
        }
    }

    /// How many principals a group reaches.
    pub async fn count(&self, group: ObjectId) -> Result<u64, String> {
        let reader = self.desk.reader.clone();
        let read = async move { graph::count_members(&reader, group).await.map_err(|error| error.to_string()) };
        self.counts.get(group, || Box::pin(read)).await
    }

    /// Whom a group reaches.
    pub async fn members(&self, group: ObjectId) -> Members {
        let reader = self.desk.reader.clone();
        let read = async move {
            let members = graph::members(&reader, group).await.map_err(|error| error.to_string())?;
            Ok(members.into_iter().map(|member| (member.id, member)).collect())
        };
        self.members.get(group, || Box::pin(read)).await
    }
}

impl Desk {
    /// Puts names that nobody asked for before into the open batch.
    fn hand_in(self: &Rc<Self>, names: BTreeSet<Name>) {
        let known = &mut *self.names.borrow_mut();
        for name in names.into_iter().filter(|name| !known.contains_key(name)).collect::<Vec<_>>() {
            let open = &mut *self.open.borrow_mut();
            let open = open.get_or_insert_with(|| Open { names: BTreeSet::new(), batch: self.clone().batch() });
            open.names.insert(name.clone());
            known.insert(name, LookUp::Coming(open.batch.clone()));
        }
    }

    /// A batch that is looked up once it is its turn. Until then it takes in names.
    fn batch(self: Rc<Self>) -> InFlight<()> {
        let look_up = async move {
            let _turn = self.turns.acquire().await;
            // Lets everybody hand in their names who has them at this moment.
            tokio::task::yield_now().await;
            let Some(Open { names, batch: _ }) = self.open.take() else { return };
            let (mut keys, mut ids) = (Vec::new(), Vec::new());
            for name in names {
                match name {
                    Name::Key(key) => keys.push(key),
                    Name::Id(id) => ids.push(id),
                }
            }
            let reader = &self.reader;
            let by_key = join_all(keys.chunks(graph::BATCH).map(|keys| find(reader, keys)));
            let by_id = join_all(ids.chunks(graph::IDS).map(|ids| by_ids(reader, ids)));
            let (by_key, by_id) = join(by_key, by_id).await;
            let found = by_key.into_iter().chain(by_id).flatten();
            self.names.borrow_mut().extend(found.map(|(name, found)| (name, LookUp::Known(found))));
        };
        look_up.boxed_local().shared()
    }
}

async fn find(reader: &Reader, keys: &[Key]) -> Vec<(Name, Found)> {
    let found = match graph::find(reader, keys).await {
        Ok(found) => found,
        Err(error) => keys.iter().map(|key| (key.clone(), Err(error.to_string()))).collect(),
    };
    found.into_iter().map(|(key, found)| (Name::Key(key), found)).collect()
}

async fn by_ids(reader: &Reader, ids: &[ObjectId]) -> Vec<(Name, Found)> {
    match graph::by_ids(reader, ids).await {
        Err(error) => ids.iter().map(|id| (Name::Id(*id), Err(error.to_string()))).collect(),
        Ok(objects) => {
            let mut objects: HashMap<ObjectId, DirectoryObject> =
                objects.into_iter().map(|object| (object.id, object)).collect();
            ids.iter().map(|id| (Name::Id(*id), Ok(objects.remove(id)))).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::azure::testing::{Answers, reader_over};

    fn id(number: u128) -> ObjectId {
        ObjectId::from(uuid::Uuid::from_u128(number))
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn user(name: &str) -> Name {
        Name::Key(Key::User(name.to_owned()))
    }

    fn said(number: u128, seconds: i64) -> (DirectoryObject, Timestamp) {
        (serde_json::from_value(json!({ "id": id(number) })).unwrap(), at(seconds))
    }

    #[test]
    fn what_is_remembered_is_young_and_about_others() {
        let remembered = Remembered(HashMap::from([
            (user("ada"), said(1, 100)),
            (Name::Id(id(1)), said(1, 100)),
            (Name::Id(id(2)), said(2, 100)),
            (Name::Id(id(3)), said(3, 99)),
        ]));
        let kept = |seconds: i64, without: &[Name]| -> BTreeSet<Name> {
            remembered.since(at(seconds), without).0.into_keys().collect()
        };
        let (one, two, three) = (Name::Id(id(1)), Name::Id(id(2)), Name::Id(id(3)));
        assert_eq!(kept(99, &[]), [user("ada"), one.clone(), two.clone(), three].into());
        assert_eq!(kept(100, &[]), [user("ada"), one.clone(), two.clone()].into());
        assert_eq!(kept(101, &[]), [].into());
        // A principal is left out by all of its names; one that nothing is remembered of leaves out nobody.
        for name in [user("ada"), one.clone()] {
            assert_eq!(kept(100, &[name]), [two.clone()].into());
        }
        assert_eq!(kept(100, &[user("grace"), Name::Id(id(9))]), [user("ada"), one, two].into());
        assert!(!remembered.is_empty() && remembered.since(at(101), &[]).is_empty());
    }

    #[tokio::test]
    async fn only_what_the_service_said_to_be_there_is_remembered() {
        let shows = |numbers: &[u128]| {
            let list: Vec<_> = numbers.iter().map(|number| json!({ "id": id(*number) })).collect();
            Answers::by(move |_| (200, json!({ "value": list })))
        };
        let mut remembered = Remembered::default();
        let first = Directory::expecting(reader_over(shows(&[1, 3])), []);
        first.load([1, 2, 3].map(|number| Name::Id(id(number)))).await;
        remembered.take_in(&first, at(100));
        let names = |remembered: &Remembered| remembered.0.keys().cloned().collect::<BTreeSet<_>>();
        assert_eq!(names(&remembered), [1, 3].map(|number| Name::Id(id(number))).into());

        // It isn't asked for again, and grows no younger by being remembered once more.
        let service = shows(&[]);
        let second = Directory::remembering(reader_over(service.clone()), [], remembered.clone());
        second.load([Name::Id(id(1))]).await;
        assert!(second.get(&Name::Id(id(1))).unwrap().is_some());
        assert_eq!(*service.asked.borrow(), [""; 0]);
        remembered.take_in(&second, at(200));
        assert!(remembered.since(at(101), &[]).is_empty());

        // What is gone, or can't be read any more, is forgotten.
        let third = Directory::expecting(reader_over(shows(&[])), []);
        third.load([Name::Id(id(1))]).await;
        remembered.take_in(&third, at(300));
        assert_eq!(names(&remembered), [Name::Id(id(3))].into());
        let outage = Directory::expecting(reader_over(Answers::by(|_| (403, json!({})))), []);
        outage.load([Name::Id(id(3))]).await;
        remembered.take_in(&outage, at(400));
        assert!(remembered.is_empty());
    }

    /// An outage, or a look-up that isn't allowed, is no word about anybody, by whatever name they are asked for.
    #[tokio::test]
    async fn who_could_not_be_looked_up_is_not_nobody() {
        for status in [403, 404, 503] {
            let directory = Directory::expecting(reader_over(Answers::by(move |_| (status, json!({})))), []);
            let names = [user("ada@contoso.com"), Name::Key(Key::Account(id(1))), Name::Id(id(2))];
            directory.load(names.clone()).await;
            for name in names {
                assert!(directory.get(&name).is_err(), "{name:?} after {status}");
            }
            assert!(directory.members(id(3)).await.is_err() && directory.count(id(3)).await.is_err(), "{status}");
        }
    }
}
