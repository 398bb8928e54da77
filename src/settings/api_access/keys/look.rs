//! Looking at the keys: the live slots, the secret and its versions, as facts.
//!
//! Invariants:
//!
//! - a value becomes a fingerprint as soon as it is read, and only a step that is about to store it keeps it longer, as a
//!   secret;
//! - what can't be read is unknown with its reason;
//! - the vault that is read is the one that the configuration means, in this tenant, at the address to which a key would
//!   be sent.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::block::Keys;
use super::shelf::Shelf;
use crate::azure::customer_insights::{self as ci, ApiAccess, ApiKeys, Instance};
use crate::azure::key_vault::SecretAddress;
use crate::azure::operations::{Facts as Operation, LIST_API_KEYS, SET_SECRET};
use crate::azure::rights::{self, Holding};
use crate::azure::vaults::Vault;
use crate::azure::{Look as Services, Reader};
use crate::rotation::{Access, Facts, Fingerprint, FingerprintKey, Secret, Slots, VaultClock, Verify};
use crate::settings::setting::Observing;
use crate::terms::ObjectId;

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
    /// Values of former versions that were read, by the ids of the versions. A version's value never changes.
    pub(super) values: Rc<RefCell<HashMap<String, Fingerprint>>>,
}

/// What was seen.
#[derive(Debug, Clone)]
pub struct Observed {
    /// How it was looked at.
    pub look: Look,
    /// The facts.
    pub facts: Facts,
    /// Whether a new key could be stored. It has to be known before a key is regenerated: a key that can't be stored is lost.
    pub store_right: Holding,
}

/// The live values behind facts, for the step that stores one of them.
pub(super) struct Live {
    pub(super) facts: Facts,
    /// What time the vault said that it was, where it said so clearly.
    vault_time: Option<Timestamp>,
    pub(super) keys: Option<ApiKeys>,
    vault: Option<Rc<Vault>>,
}

impl Look {
    /// Looks at `keys` of the environment that is being observed.
    pub(in crate::settings::api_access) fn new(keys: &Keys, instance: &Instance, observing: &Observing<'_>) -> Self {
        Self::at(keys, instance.clone(), observing.tenant).as_caller(observing.caller)
    }

    /// Looks at `keys` of an environment in a tenant.
    pub fn at(keys: &Keys, instance: Instance, tenant: Uuid) -> Self {
        let fingerprints = FingerprintKey::derive(&tenant.to_string(), &keys.publish_to.vault.to_string());
        Self {
            keys: keys.clone(),
            instance,
            tenant,
            read: LIST_API_KEYS.facts(),
            caller: None,
            fingerprints,
            values: Rc::default(),
        }
    }

    /// The same for an identity that is known by its object id.
    #[must_use]
    pub fn as_caller(self, caller: Option<ObjectId>) -> Self {
        Self { caller, ..self }
    }

    /// Looks, and keeps fingerprints only.
    pub(in crate::settings::api_access) async fn observe(self, services: &Services) -> Rc<Observed> {
        let live = self.live_in(services, self.keys.rotation.verify).await;
        let store_right = self.may_store_in(services, &live).await;
        let Live { facts, .. } = live;
        Rc::new(Observed { look: self, facts, store_right })
    }

    /// Looks afresh, and keeps the values of the slots for a step that may store one.
    pub(super) async fn live(&self, reader: &Reader, verify: Verify) -> Live {
        self.live_in(&Services::begin(reader, []), verify).await
    }

    async fn live_in(&self, services: &Services, verify: Verify) -> Live {
        let (access, made) = self.access(services).await;
        let (slots, keys) = match (&access, verify) {
            (Access::On, Verify::Values) => self.slots(services.reader()).await,
            (Access::On, Verify::Metadata) | (Access::Off, _) => (Slots::NotRead, None),
            (Access::Unknown(reason), _) => (Slots::Unknown(reason.clone()), None),
        };
        // The slots before the secret, never the other way round: a key that is published between the two reads is then
        // seen as published, and not taken for a standby that may be regenerated.
        let seen = Facts { access, made, slots, secret: Secret::Absent, clock: VaultClock::Agrees };
        self.with_vault(services, verify, seen, keys).await
    }

    /// Looks at the vault alone, afresh: where no operation shows the keys, none is called.
    pub(super) async fn vault_alone(&self, reader: &Reader) -> Live {
        self.with_vault(&Services::begin(reader, []), Verify::Values, unseen(), None).await
    }

    /// Looks at dates and tags of the secret, and at nothing else.
    pub(super) async fn dates_alone(&self, services: &Services) -> Secret {
        self.with_vault(services, Verify::Metadata, unseen(), None).await.facts.secret
    }

    /// Adds what the vault shows to what the service showed.
    async fn with_vault(&self, services: &Services, verify: Verify, seen: Facts, keys: Option<ApiKeys>) -> Live {
        let (vault, shelf) = match self.right_vault(services).await {
            Err(reason) => (None, Shelf::unread(reason)),
            Ok(vault) => (Some(vault), self.shelf(services.reader(), verify, &seen).await),
        };
        let Shelf { secret, clock, time } = shelf;
        Live { facts: Facts { secret, clock, ..seen }, vault_time: time, keys, vault }
    }

    /// Whether a new version could be stored in the vault that was seen, afresh.
    pub(super) async fn may_store(&self, reader: &Reader, live: &Live) -> Holding {
        self.may_store_in(&Services::begin(reader, []), live).await
    }

    async fn may_store_in(&self, services: &Services, live: &Live) -> Holding {
        match &live.vault {
            Some(vault) => self.store_right(services, vault).await,
            None => Holding::unproved(&SET_SECRET.facts().needs, "the vault could not be read"),
        }
    }

    /// Whether API access is on, and when the keys were made.
    async fn access(&self, services: &Services) -> (Access, Vec<Timestamp>) {
        match services.api_subscription(&self.instance).await {
            Ok((ApiAccess::On, made)) => (Access::On, made),
            Ok((ApiAccess::Off, made)) => (Access::Off, made),
            Err(error) => (Access::Unknown(error.to_string()), Vec::new()),
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
        let place = &self.keys.publish_to;
        SecretAddress { vault: place.vault.name().to_owned(), name: place.secret.clone() }
    }

    /// Names of vaults are global: before anything is believed of a vault, or sent to it, its own record must say that it
    /// is the declared one, in this tenant, under the name that makes its address.
    pub(super) async fn right_vault(&self, services: &Services) -> Result<Rc<Vault>, String> {
        let id = &self.keys.publish_to.vault;
        let vault = services.vault(id).await.map_err(|error| error.to_string())?;
        let vault = vault.ok_or_else(|| format!("there is no vault {id}"))?;
        let properties = &vault.properties;
        if properties.tenant_id != Some(self.tenant) {
            return Err(format!("the vault {} isn't in the tenant {}", id.name(), self.tenant));
        }
        let host = properties.vault_uri.as_ref().and_then(url::Url::host_str).unwrap_or_default();
        match host.split('.').next() {
            Some(name) if name.eq_ignore_ascii_case(id.name()) => Ok(vault),
            _ => Err(format!("the vault {} says that its address is `{host}`", id.name())),
        }
    }

    /// From the caller's own rights, or from the vault's access policies, whichever the vault goes by.
    async fn store_right(&self, services: &Services, vault: &Vault) -> Holding {
        let needs = &SET_SECRET.facts().needs;
        if !vault.properties.goes_by_roles() {
            return rights::by_policies(needs, &vault.properties, self.caller);
        }
        let asked = services.holding(self.keys.publish_to.vault.resource(), needs).await;
        asked.unwrap_or_else(|error| Holding::unproved(needs, error.to_string()))
    }
}

/// What is known before anything was asked.
fn unseen() -> Facts {
    let access = Access::Unknown("no operation shows it".to_owned());
    let (slots, made, clock) = (Slots::NotRead, Vec::new(), VaultClock::Agrees);
    Facts { access, made, slots, secret: Secret::Absent, clock }
}

#[cfg(test)]
impl Live {
    /// What was seen of the slots alone.
    pub(super) fn of(facts: Facts, keys: ApiKeys) -> Self {
        Self { facts, vault_time: None, keys: Some(keys), vault: None }
    }
}

impl Live {
    /// An instant before everything that happens from now on, by whichever of the two clocks is behind.
    pub(super) fn began(&self, reader: &Reader) -> Timestamp {
        let now = self.vault_time.map_or(reader.now(), |theirs| theirs.min(reader.now()));
        Timestamp::from_second(now.as_second()).unwrap_or(now)
    }
}
