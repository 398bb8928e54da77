//! Looking at the secret: what consumers get, the versions there are, and the values that a decision needs.
//!
//! Invariants:
//!
//! - the list of versions is dates and tags, read whole; values are read one by one, and only those that the rotation
//!   asks for, whose number is bounded;
//! - a list that can't be read hides the past, not what consumers get now;
//! - whether the vault's clock agrees is settled right after it answered, before anything else is waited for.

use futures_util::future::join_all;
use jiff::Timestamp;

use super::look::Look;
use crate::azure::key_vault::{self as kv, Lookup, Properties, SecretAddress};
use crate::azure::{CallError, Reader};
use crate::rotation::{Content, Facts, Published, Secret, Tags, VaultClock, Verify, Version, to_read};

/// What the vault showed.
pub(super) struct Shelf {
    pub(super) secret: Secret,
    pub(super) clock: VaultClock,
    /// What time it said that it was, where it said so clearly.
    pub(super) time: Option<Timestamp>,
}

impl Shelf {
    /// Nothing could be read, because.
    pub(super) fn unread(reason: String) -> Self {
        let clock = VaultClock::Unproved("the vault could not be read".to_owned());
        Self { secret: Secret::Unknown(reason), clock, time: None }
    }

    fn seen(reader: &Reader, secret: Secret, served_at: Result<Timestamp, String>) -> Self {
        let time = served_at.as_ref().ok().copied();
        Self { secret, clock: VaultClock::of(served_at, reader.now()), time }
    }
}

impl Look {
    /// The secret with its history. `seen` is what the service showed: which values are read depends on it.
    pub(super) async fn shelf(&self, reader: &Reader, verify: Verify, seen: &Facts) -> Shelf {
        let read = match verify {
            Verify::Values => self.with_values(reader, seen).await,
            Verify::Metadata => self.without_values(reader).await,
        };
        read.unwrap_or_else(|error| Shelf::unread(error.to_string()))
    }

    async fn with_values(&self, reader: &Reader, seen: &Facts) -> Result<Shelf, CallError> {
        let at = self.address();
        let found = match kv::get_current(reader, &at).await? {
            Lookup::Absent => return Ok(absent(reader)),
            Lookup::SoftDeleted(deleted) => return Ok(Shelf::seen(reader, Secret::SoftDeleted, deleted.served_at)),
            Lookup::Forbidden(error) | Lookup::Firewall(error) => return Err(error),
            Lookup::Disabled => None,
            Lookup::Found(secret) => Some(secret),
        };
        let listed = kv::list_versions(reader, &at).await;
        let Some(found) = found else {
            let kv::Versions { items, served_at } = listed?;
            let Some((current, history)) = disabled(items) else {
                let reason = "a disabled secret without versions".to_owned();
                return Ok(Shelf::seen(reader, Secret::Unknown(reason), served_at));
            };
            let mut shelf = Shelf::seen(reader, present(current, Ok(history)), served_at);
            self.fill(reader, &at, seen, &mut shelf).await;
            return Ok(shelf);
        };
        let (history, served_at) = match listed {
            Ok(kv::Versions { mut items, served_at }) => {
                items.retain(|item| item.version != found.properties.version);
                (Ok(newest_first(items).into_iter().map(unread).collect()), served_at)
            }
            Err(error) => (Err(error.to_string()), found.served_at),
        };
        let current = version(found.properties, Content::Read(self.fingerprint(&found.value)));
        let mut shelf = Shelf::seen(reader, present(current, history), served_at);
        self.fill(reader, &at, seen, &mut shelf).await;
        Ok(shelf)
    }

    /// Reads values of former versions for as long as a decision needs more of them.
    async fn fill(&self, reader: &Reader, at: &SecretAddress, seen: &Facts, shelf: &mut Shelf) {
        let mut facts = seen.clone();
        facts.clock = shelf.clock.clone();
        facts.secret = std::mem::replace(&mut shelf.secret, Secret::Absent);
        loop {
            let ids = to_read(&self.keys.rotation, &facts, reader.now());
            let Secret::Present(published) = &mut facts.secret else { break };
            let Ok(history) = &mut published.history else { break };
            if ids.is_empty() {
                break;
            }
            let contents = join_all(ids.iter().map(|id| self.earlier(reader, at, id))).await;
            for (id, content) in ids.iter().zip(contents) {
                if let Some(version) = history.iter_mut().find(|version| version.id == *id) {
                    version.content = content;
                }
            }
        }
        shelf.secret = facts.secret;
    }

    async fn earlier(&self, reader: &Reader, at: &SecretAddress, id: &str) -> Content {
        let known = self.values.borrow().get(id).copied();
        if let Some(value) = known {
            return Content::Read(value);
        }
        match kv::get_version(reader, at, id).await {
            Ok(Lookup::Found(secret)) => {
                let value = self.fingerprint(&secret.value);
                self.values.borrow_mut().insert(id.to_owned(), value);
                Content::Read(value)
            }
            Ok(Lookup::Disabled) => Content::Disabled,
            Ok(Lookup::Absent | Lookup::SoftDeleted(_)) => Content::Unreadable("it is gone".to_owned()),
            Ok(Lookup::Forbidden(error) | Lookup::Firewall(error)) | Err(error) => {
                Content::Unreadable(error.to_string())
            }
        }
    }

    /// What the list of versions tells: ages and tags. The newest version is taken for the current one; a tie of two is
    /// left to the assessment.
    async fn without_values(&self, reader: &Reader) -> Result<Shelf, CallError> {
        let at = self.address();
        let kv::Versions { items, served_at } = kv::list_versions(reader, &at).await?;
        let mut items = newest_first(items).into_iter().map(unread);
        let Some(current) = items.next() else {
            return Ok(match kv::get_deleted(reader, &at).await? {
                Some(_) => Shelf::seen(reader, Secret::SoftDeleted, served_at),
                None => Shelf::seen(reader, Secret::Absent, served_at),
            });
        };
        let history = Ok(items.collect());
        Ok(Shelf::seen(reader, present(current, history), served_at))
    }
}

fn present(current: Version, history: Result<Vec<Version>, String>) -> Secret {
    Secret::Present(Box::new(Published { current, history }))
}

/// Refusals don't tell the time, and nothing is made to die where nothing is published.
fn absent(reader: &Reader) -> Shelf {
    Shelf::seen(reader, Secret::Absent, Err("there is no secret yet".to_owned()))
}

/// The current version of a secret that reads as disabled, and the others: one of the newest second's that is disabled.
fn disabled(items: Vec<Properties>) -> Option<(Version, Vec<Version>)> {
    let mut items = newest_first(items);
    let newest = items.first()?.created;
    let current = items.iter().position(|item| item.created == newest && !item.enabled).unwrap_or(0);
    let current = version(items.remove(current), Content::Disabled);
    Some((current, items.into_iter().map(unread).collect()))
}

/// Of two of one second, the one that can be read is taken for the newer one, since a run stores a key right after it
/// reserved a place for it; then the one whose key was issued later.
fn newest_first(mut items: Vec<Properties>) -> Vec<Properties> {
    items.sort_by_cached_key(|item| {
        let issued = tags(item).issued;
        std::cmp::Reverse((item.created, item.enabled, issued, item.version.clone()))
    });
    items
}

/// A version as the list tells it.
fn unread(properties: Properties) -> Version {
    let content = if properties.enabled { Content::NotRead } else { Content::Disabled };
    version(properties, content)
}

fn version(properties: Properties, content: Content) -> Version {
    let tags = tags(&properties);
    let Properties { version: id, created, previous, .. } = properties;
    Version { id, created, content, tags, previous }
}

fn tags(properties: &Properties) -> Tags {
    Tags::parse(properties.tags.iter().map(|(name, value)| (name.as_str(), value.as_str())))
}
