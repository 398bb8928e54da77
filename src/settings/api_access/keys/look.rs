//! Looking at the keys: the live slots, the secret and its versions, as facts.
//!
//! What must stay true: a value becomes a fingerprint as soon as it is read, and only a step that is about to store it
//! keeps it longer, as a secret; what can't be read is unknown with its reason; the vault that is read is the one that the
//! configuration means, in this tenant, at the address to which a key would be sent.

use std::rc::Rc;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::block::Keys;
use crate::azure::customer_insights::{self as ci, ApiAccess, ApiKeys, Instance};
use crate::azure::key_vault::{self as kv, Lookup, Properties, SecretAddress};
use crate::azure::operations::{Facts as Operation, LIST_API_KEYS, SET_SECRET};
use crate::azure::vaults::{self, AccessPolicy, Vault};
use crate::azure::{CallError, ObjectId, Reader, authorization};
use crate::rotation::{
    Access, Content, Facts, Fingerprint, FingerprintKey, Published, Secret, Slots, Tags, Verify, Version,
};
use crate::settings::setting::Observing;

/// The most versions whose values are read; older ones are too old to matter, and the history then counts as incomplete.
const VERSIONS: usize = 50;

/// How far the vault's clock may be from ours before nothing is regenerated.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);

/// How to look, again and again.
#[derive(Debug, Clone)]
pub struct Look {
    /// What is declared.
    pub keys: Keys,
    /// The environment.
    pub instance: Instance,
    /// The tenant that the vault must be in.
    pub tenant: Uuid,
    /// The operation that shows the keys.
    pub read: &'static Operation,
    /// The object id of the identity that runs palisade.
    caller: Option<ObjectId>,
    fingerprints: FingerprintKey,
}

/// What was seen.
#[derive(Debug, Clone)]
pub struct Observed {
    /// How it was looked at.
    pub look: Look,
    /// The facts.
    pub facts: Facts,
    /// What time the vault says that it is.
    pub vault_clock: Option<Timestamp>,
    /// Whether a new key could be stored.
    pub store_right: StoreRight,
}

/// Whether the identity that runs palisade may store a version of the secret. It has to be known before a key is
/// regenerated: a key that nobody can store is a key lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreRight {
    /// It may.
    Held,
    /// It may not.
    Missing,
    /// Nobody could tell, because.
    Unproved(String),
}

/// The live values behind facts, for the step that stores one of them.
pub(super) struct Live {
    pub(super) facts: Facts,
    pub(super) vault_clock: Option<Timestamp>,
    pub(super) keys: Option<ApiKeys>,
    vault: Option<Vault>,
}

impl Look {
    /// Looks at `keys` of the environment that is being observed.
    pub(in crate::settings::api_access) fn new(keys: &Keys, observing: &Observing<'_>) -> Self {
        let caller = observing.caller;
        Self::at(keys, observing.instance.clone(), observing.tenant).as_caller(caller)
    }

    /// Looks at `keys` of an environment in a tenant.
    pub fn at(keys: &Keys, instance: Instance, tenant: Uuid) -> Self {
        let fingerprints = FingerprintKey::derive(&tenant.to_string(), &keys.publish_to.vault.to_string());
        Self { keys: keys.clone(), instance, tenant, read: LIST_API_KEYS.facts(), caller: None, fingerprints }
    }

    /// The same for an identity that is known by its object id.
    #[must_use]
    pub fn as_caller(self, caller: Option<ObjectId>) -> Self {
        Self { caller, ..self }
    }

    /// Looks, and keeps fingerprints only.
    pub(in crate::settings::api_access) async fn observe(self, reader: &Reader) -> Rc<Observed> {
        let live = self.live(reader, self.keys.rotation.verify).await;
        let store_right = self.may_store(reader, &live).await;
        let Live { facts, vault_clock, .. } = live;
        Rc::new(Observed { look: self, facts, vault_clock, store_right })
    }

    /// Looks, and keeps the values of the slots for a step that may store one.
    pub(super) async fn live(&self, reader: &Reader, verify: Verify) -> Live {
        let access = self.access(reader).await;
        let (slots, keys) = match (&access, verify) {
            (Access::On, Verify::Values) => self.slots(reader).await,
            (Access::On, Verify::Metadata) | (Access::Off, _) => (Slots::NotRead, None),
            (Access::Unknown(reason), _) => (Slots::Unknown(reason.clone()), None),
        };
        // The slots before the secret, never the other way round: a key that is published between the two reads is then
        // seen as published, and not taken for a standby that may be regenerated.
        let (vault, secret, vault_clock) = self.vault(reader, verify).await;
        Live { facts: Facts { access, slots, secret }, vault_clock, keys, vault }
    }

    /// Looks at the vault alone: where no operation shows the keys, none is called.
    pub(super) async fn vault_alone(&self, reader: &Reader) -> Live {
        let (vault, secret, vault_clock) = self.vault(reader, Verify::Values).await;
        let access = Access::Unknown("no operation shows it".to_owned());
        Live { facts: Facts { access, slots: Slots::NotRead, secret }, vault_clock, keys: None, vault }
    }

    /// Whether a new version could be stored in the vault that was seen.
    pub(super) async fn may_store(&self, reader: &Reader, live: &Live) -> StoreRight {
        match &live.vault {
            Some(vault) => self.store_right(reader, vault).await,
            None => StoreRight::Unproved("the vault could not be read".to_owned()),
        }
    }

    async fn vault(&self, reader: &Reader, verify: Verify) -> (Option<Vault>, Secret, Option<Timestamp>) {
        match self.right_vault(reader).await {
            Err(reason) => (None, Secret::Unknown(reason), None),
            Ok(vault) => {
                let (secret, vault_clock) = self.secret(reader, verify).await;
                (Some(vault), secret, vault_clock)
            }
        }
    }

    async fn access(&self, reader: &Reader) -> Access {
        match ci::api_access(reader, &self.instance).await {
            Ok(ApiAccess::On) => Access::On,
            Ok(ApiAccess::Off) => Access::Off,
            Err(error) => Access::Unknown(error.to_string()),
        }
    }

    async fn slots(&self, reader: &Reader) -> (Slots, Option<ApiKeys>) {
        match ci::list_keys(reader, &self.instance).await {
            Ok(Some(keys)) => {
                let (primary, secondary) = (self.fingerprint(&keys.primary), self.fingerprint(&keys.secondary));
                (Slots::Read { primary, secondary }, Some(keys))
            }
            Ok(None) => (Slots::Unknown("API access was turned off just now".to_owned()), None),
            Err(error) => (Slots::Unknown(error.to_string()), None),
        }
    }

    pub(super) fn fingerprint(&self, value: &SecretString) -> Fingerprint {
        self.fingerprints.fingerprint(value.expose_secret().as_bytes())
    }

    /// Where the key in force is published.
    pub(super) fn address(&self) -> SecretAddress {
        SecretAddress { vault: self.keys.publish_to.vault.name.clone(), name: self.keys.publish_to.secret.clone() }
    }

    /// The secret with its history, and the vault's clock.
    async fn secret(&self, reader: &Reader, verify: Verify) -> (Secret, Option<Timestamp>) {
        let read = match verify {
            Verify::Values => self.with_values(reader).await,
            Verify::Metadata => self.without_values(reader).await,
        };
        read.unwrap_or_else(|error| (Secret::Unknown(error.to_string()), None))
    }

    /// Names of vaults are global: before anything is believed of a vault, or sent to it, its own record must say that it
    /// is the declared one, in this tenant, under the name that makes its address.
    pub(super) async fn right_vault(&self, reader: &Reader) -> Result<Vault, String> {
        let id = &self.keys.publish_to.vault;
        let vault = vaults::get(reader, id).await.map_err(|error| error.to_string())?;
        let vault = vault.ok_or_else(|| format!("there is no vault {id}"))?;
        let properties = &vault.properties;
        if properties.tenant_id != Some(self.tenant) {
            return Err(format!("the vault {} isn't in the tenant {}", id.name, self.tenant));
        }
        let host = properties.vault_uri.as_ref().and_then(url::Url::host_str).unwrap_or_default();
        match host.split('.').next() {
            Some(name) if name.eq_ignore_ascii_case(&id.name) => Ok(vault),
            _ => Err(format!("the vault {} says that its address is `{host}`", id.name)),
        }
    }

    /// From the caller's own rights, or from the vault's access policies, whichever the vault goes by.
    async fn store_right(&self, reader: &Reader, vault: &Vault) -> StoreRight {
        if vault.properties.goes_by_roles() {
            let Ok(resource) = self.keys.publish_to.vault.resource() else {
                return StoreRight::Unproved("the vault's id can't be asked about".to_owned());
            };
            return match authorization::rights(reader, &resource).await {
                Ok(rights) if rights.allow_data(SET_SECRET.facts().permission) => StoreRight::Held,
                Ok(_) => StoreRight::Missing,
                Err(error) => StoreRight::Unproved(error.to_string()),
            };
        }
        let Some(caller) = self.caller else {
            return StoreRight::Unproved("the token doesn't name the identity that runs palisade".to_owned());
        };
        let own = |policy: &&AccessPolicy| policy.object_id == Some(caller);
        let sets = |policy: &AccessPolicy| {
            policy.permissions.secrets.iter().any(|it| it.eq_ignore_ascii_case("set") || it.eq_ignore_ascii_case("all"))
        };
        match vault.properties.access_policies.iter().filter(own).any(sets) {
            true => StoreRight::Held,
            // A policy may name a group that the caller is in.
            false => StoreRight::Unproved("no access policy of the vault names the identity itself".to_owned()),
        }
    }

    async fn with_values(&self, reader: &Reader) -> Result<(Secret, Option<Timestamp>), CallError> {
        let at = self.address();
        let current = match kv::get_current(reader, &at).await? {
            Lookup::Absent => return Ok((Secret::Absent, None)),
            Lookup::SoftDeleted(_) => return Ok((Secret::SoftDeleted, None)),
            Lookup::Forbidden(error) | Lookup::Firewall(error) => return Err(error),
            Lookup::Disabled => None,
            Lookup::Found(secret) => Some(secret),
        };
        let versions = kv::list_versions(reader, &at).await?;
        let mut items = newest_first(versions.items);
        let current = match current {
            Some(secret) => {
                items.retain(|item| item.version != secret.properties.version);
                version(secret.properties, Content::Read(self.fingerprint(&secret.value)))
            }
            // The service answers "disabled" for the newest version, whichever that is.
            None if items.is_empty() => {
                return Ok((Secret::Unknown("a disabled secret without versions".to_owned()), None));
            }
            None => version(items.remove(0), Content::Disabled),
        };
        let complete = items.len() <= VERSIONS;
        items.truncate(VERSIONS);
        let history = join_all(items.into_iter().map(|item| self.earlier(reader, &at, item))).await;
        let published = Published { current, history, complete };
        Ok((Secret::Present(Box::new(published)), versions.served_at))
    }

    async fn earlier(&self, reader: &Reader, at: &SecretAddress, item: Properties) -> Version {
        if !item.enabled {
            return version(item, Content::Disabled);
        }
        let content = match kv::get_version(reader, at, &item.version).await {
            Ok(Lookup::Found(secret)) => Content::Read(self.fingerprint(&secret.value)),
            Ok(Lookup::Disabled) => Content::Disabled,
            Ok(Lookup::Absent | Lookup::SoftDeleted(_)) => Content::Unreadable("it is gone".to_owned()),
            Ok(Lookup::Forbidden(error) | Lookup::Firewall(error)) | Err(error) => {
                Content::Unreadable(error.to_string())
            }
        };
        version(item, content)
    }

    /// What the list of versions tells: ages and tags. The newest version is taken for the current one; a tie of two is
    /// left to the assessment.
    async fn without_values(&self, reader: &Reader) -> Result<(Secret, Option<Timestamp>), CallError> {
        let at = self.address();
        let versions = kv::list_versions(reader, &at).await?;
        let mut items = newest_first(versions.items);
        if items.is_empty() {
            let secret = match kv::get_deleted(reader, &at).await? {
                Some(_) => Secret::SoftDeleted,
                None => Secret::Absent,
            };
            return Ok((secret, versions.served_at));
        }
        let seen = |item: Properties| {
            let content = if item.enabled { Content::NotRead } else { Content::Disabled };
            version(item, content)
        };
        let current = seen(items.remove(0));
        let history = items.into_iter().map(seen).collect();
        let published = Published { current, history, complete: true };
        Ok((Secret::Present(Box::new(published)), versions.served_at))
    }
}

impl Live {
    /// An instant before everything that happens from now on, by whichever of the two clocks is behind.
    pub(super) fn began(&self, reader: &Reader) -> Timestamp {
        let now = self.vault_clock.map_or(reader.now(), |theirs| theirs.min(reader.now()));
        Timestamp::from_second(now.as_second()).unwrap_or(now)
    }

    /// Ages are counted from instants of two clocks, so before anything is regenerated the two must agree.
    pub(super) fn agree_on_time(&self, now: Timestamp) -> Result<(), String> {
        match skew(self.vault_clock, now) {
            Some(minutes) => Err(format!("the vault's clock and this machine's differ by {minutes} minutes")),
            None => Ok(()),
        }
    }
}

/// By how many minutes the vault's clock is off, if by too many.
pub(super) fn skew(vault_clock: Option<Timestamp>, now: Timestamp) -> Option<i64> {
    let apart = vault_clock?.duration_since(now).abs();
    (apart > CLOCK_SKEW).then(|| apart.as_mins())
}

fn newest_first(mut items: Vec<Properties>) -> Vec<Properties> {
    items.sort_by(|a, b| (b.created, &b.version).cmp(&(a.created, &a.version)));
    items
}

fn version(properties: Properties, content: Content) -> Version {
    let Properties { version: id, created, tags, previous, .. } = properties;
    let tags = Tags::parse(tags.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    Version { id, created, content, tags, previous }
}
