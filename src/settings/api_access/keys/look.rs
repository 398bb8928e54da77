//! Looking at the keys: the live slots, the secret and its versions, as facts.
//!
//! What must stay true: a value becomes a fingerprint as soon as it is read, and only a step that is about to store it
//! keeps it longer, as a secret; what can't be read is unknown with its reason; the vault that is read is the one that the
//! configuration means, in this tenant, at the address to which a key would be sent.

use std::rc::Rc;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::block::Keys;
use crate::azure::customer_insights::{self as ci, ApiAccess, ApiKeys, Instance};
use crate::azure::key_vault::{self as kv, CurrentSecret, SecretVersion};
use crate::azure::operations::{Facts as Operation, LIST_API_KEYS};
use crate::azure::{CallError, Reader, vaults};
use crate::rotation::{Access, Content, Facts, FingerprintKey, Published, Secret, Slots, Tags, Verify, Version};
use crate::settings::setting::Observing;

/// The most versions whose values are read; older ones are too old to matter, and the history then counts as incomplete.
const VERSIONS: usize = 50;

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
}

/// The live values behind facts, for the step that stores one of them.
pub(super) struct Live {
    pub(super) facts: Facts,
    pub(super) vault_clock: Option<Timestamp>,
    pub(super) keys: Option<ApiKeys>,
}

impl Look {
    /// Looks at `keys` of the environment that is being observed.
    pub(in crate::settings::api_access) fn new(keys: &Keys, observing: &Observing<'_>) -> Self {
        let vault = keys.publish_to.vault.to_string();
        Self {
            keys: keys.clone(),
            instance: observing.instance.clone(),
            tenant: observing.tenant,
            read: LIST_API_KEYS.facts(),
            fingerprints: FingerprintKey::derive(&observing.tenant.to_string(), &vault),
        }
    }

    /// Looks, and keeps fingerprints only.
    pub(in crate::settings::api_access) async fn observe(self, reader: &Reader) -> Rc<Observed> {
        let Live { facts, vault_clock, keys: _ } = self.live(reader, self.keys.rotation.verify).await;
        Rc::new(Observed { look: self, facts, vault_clock })
    }

    /// Looks, and keeps the values of the slots for a step that may store one.
    pub(super) async fn live(&self, reader: &Reader, verify: Verify) -> Live {
        let (access, (secret, vault_clock)) = tokio::join!(self.access(reader), self.secret(reader, verify));
        let (slots, keys) = match (&access, verify) {
            (Access::On, Verify::Values) => self.slots(reader).await,
            (Access::On, Verify::Metadata) => (Slots::NotRead, None),
            (Access::Off, _) => (Slots::NotRead, None),
            (Access::Unknown(reason), _) => (Slots::Unknown(reason.clone()), None),
        };
        Live { facts: Facts { access, slots, secret }, vault_clock, keys }
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
            Ok(keys) => {
                let slots =
                    Slots::Read { primary: self.fingerprint(&keys.primary), secondary: self.fingerprint(&keys.secondary) };
                (slots, Some(keys))
            }
            Err(error) => (Slots::Unknown(error.to_string()), None),
        }
    }

    pub(super) fn fingerprint(&self, value: &SecretString) -> crate::rotation::Fingerprint {
        self.fingerprints.fingerprint(value.expose_secret().as_bytes())
    }
}
