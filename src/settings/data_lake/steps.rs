//! The writes of `dataLake`, and how to see that they took effect.
//!
//! Invariants: each one reads the account right before, writes only over what the plan saw, and sends identities and encryption whole;
//! nothing but what it is about is in its body.

use std::time::Duration;

use async_trait::async_trait;
use url::Url;

use super::block::Access;
use super::observe::uses;
use crate::azure::operations::{Facts, STORAGE_UPDATE_ACCOUNT};
use crate::azure::storage::{self, Account, Change, Encryption, KeySource, PublicNetworkAccess};
use crate::azure::{CallError, Pause, Reader, Seen, Waited, Writer, wait_until};
use crate::plan::{Binds, Hold, ReadBack, Step, StepError};
use crate::settings::encryption_keys::KeyRef;
use crate::terms::ResourceId;
use crate::terms::text::brief;

/// Between two tries while a grant is yet to count.
const AGAIN: Duration = Duration::from_secs(15);
/// What storage answers where the identity may not use the key, or not yet.
const NOT_GRANTED: &str = "KeyVaultAuthenticationFailure";

/// The account, freshly, for a write.
async fn account(reader: &Reader, id: &ResourceId) -> Result<Account, StepError> {
    let found = storage::get(reader, id).await?;
    found.ok_or_else(|| StepError::Stopped(format!("the storage account {} is gone", id.name())))
}

/// Gives the account an identity of its own.
pub(super) struct AssignIdentity {
    pub(super) account: ResourceId,
}

#[async_trait(?Send)]
impl Step for AssignIdentity {
    fn title(&self) -> String {
        format!("give the storage account {} an identity of its own", self.account.name())
    }

    fn operation(&self) -> &'static Facts {
        STORAGE_UPDATE_ACCOUNT.facts()
    }

    fn on(&self) -> Option<ResourceId> {
        Some(self.account.clone())
    }

    fn binds(&self) -> Binds {
        let Self { account } = self;
        Binds::none().and("account", account)
    }

    fn holds(&self) -> Vec<Hold> {
        vec![Hold::resource(&self.account)]
    }

    async fn write(&self, writer: &Writer) -> Result<(), StepError> {
        let live = account(writer.reader(), &self.account).await?;
        if live.identity.has_own() {
            return Ok(());
        }
        let change = Change { identity: Some(live.identity.with_own()), ..Change::default() };
        storage::update(writer, &self.account, &change).await?;
        Ok(())
    }

    async fn read_back(&self, reader: &Reader) -> Result<ReadBack, CallError> {
        let Some(live) = storage::get(reader, &self.account).await? else {
            return Ok(ReadBack::Gone("the account is gone".to_owned()));
        };
        Ok(match (live.identity.has_own(), live.identity.principal_id) {
            (true, Some(_)) => ReadBack::Shown,
            (true, None) => ReadBack::NotYet("Azure doesn't name the identity yet".to_owned()),
            (false, _) => ReadBack::NotYet("the account has no identity of its own".to_owned()),
        })
    }
}

/// A key in a vault that the account uses, as the account names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Former {
    pub(super) vault: String,
    pub(super) name: String,
    pub(super) version: Option<String>,
}

impl std::fmt::Display for Former {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { vault, name, version } = self;
        write!(f, "{name} in {vault}")?;
        version.as_ref().map_or(Ok(()), |version| write!(f, " (version {version})"))
    }
}

impl Former {
    /// The key in a vault that an account uses; none if it uses Microsoft's, or doesn't say which.
    pub(super) fn of(live: &Encryption) -> Option<Self> {
        let key = live.key.as_ref().filter(|_| live.source() == KeySource::KeyVault)?;
        Some(Self { vault: key.vault()?, name: key.name()?.to_owned(), version: key.pinned().map(str::to_owned) })
    }

    /// As it is compared and bound: Azure tells names in any case.
    fn folded(&self) -> String {
        self.to_string().to_lowercase()
    }
}

/// Whose key the account is to use.
pub(super) enum To {
    Microsoft,
    Customer {
        key: KeyRef,
        /// The vault's address, as Azure tells it.
        uri: Url,
    },
}

/// Encrypts the account with another key.
pub(super) struct SetEncryption {
    pub(super) account: ResourceId,
    pub(super) to: To,
    /// The key in a vault that it uses before.
    pub(super) from: Option<Former>,
    /// The user-assigned identity that it uses keys as, which it keeps.
    pub(super) acting: Option<String>,
    /// Why it has to wait, as the look before the write showed.
    pub(super) busy: Option<String>,
}

impl SetEncryption {
    fn is_done(&self, live: &Encryption) -> bool {
        match &self.to {
            To::Microsoft => live.source() == KeySource::Microsoft,
            To::Customer { key, uri: _ } => uses(live, key),
        }
    }

    /// What is sent; none if it is so already.
    fn wanted(&self, live: &Account) -> Result<Option<Encryption>, StepError> {
        let name = self.account.name();
        let Some(encryption) = &live.encryption else {
            return Err(StepError::Unread(format!("Azure doesn't tell what {name} is encrypted with")));
        };
        if self.is_done(encryption) {
            return Ok(None);
        }
        let from = Former::of(encryption);
        if from.as_ref().map(Former::folded) != self.from.as_ref().map(Former::folded) {
            let now = from.map_or("Microsoft's key".to_owned(), |from| brief(&from.to_string()));
            return Err(StepError::Stopped(format!("{name} is on {now} by now")));
        }
        if encryption.acting().map(str::to_lowercase) != self.acting.as_ref().map(|id| id.to_lowercase()) {
            return Err(StepError::Stopped(format!("{name} uses its key as another identity by now")));
        }
        Ok(Some(match &self.to {
            To::Microsoft => encryption.with_microsofts(),
            To::Customer { key, uri } => encryption.with_key(uri, &key.name, key.version.as_deref()),
        }))
    }
}

#[async_trait(?Send)]
impl Step for SetEncryption {
    fn title(&self) -> String {
        let name = self.account.name();
        match &self.to {
            To::Microsoft => format!("put the storage account {name} back on Microsoft's key"),
            To::Customer { key, uri: _ } => format!("encrypt the storage account {name} with {key}"),
        }
    }

    fn operation(&self) -> &'static Facts {
        STORAGE_UPDATE_ACCOUNT.facts()
    }

    fn on(&self) -> Option<ResourceId> {
        Some(self.account.clone())
    }

    fn binds(&self) -> Binds {
        let Self { account, to, from, acting, busy: _ } = self;
        let binds = Binds::none().and("account", account);
        let binds = match to {
            To::Microsoft => binds.and("key", "Microsoft's"),
            // Its address follows from the vault.
            To::Customer { key: KeyRef { vault, name, version }, uri: _ } => {
                let binds = binds.and("vault", vault).and("key", name);
                version.iter().fold(binds, |binds, version| binds.and("version", version))
            }
        };
        let binds = from.iter().fold(binds, |binds, from| binds.and("replaces", from.folded()));
        acting.iter().fold(binds, |binds, id| binds.and("identity", id.to_lowercase()))
    }

    fn holds(&self) -> Vec<Hold> {
        vec![Hold::resource(&self.account)]
    }

    /// A grant that Azure shows may be unknown to storage for a while.
    async fn write(&self, writer: &Writer) -> Result<(), StepError> {
        if let Some(reason) = self.busy.clone() {
            return Err(StepError::Late { reason, wrote: false });
        }
        // Whatever another run or a person sets meanwhile must not be written over.
        let attempt = async || {
            let live = account(writer.reader(), &self.account).await?;
            let Some(encryption) = self.wanted(&live)? else { return Ok::<_, StepError>(Seen::Shown(())) };
            let change = Change { encryption: Some(encryption), ..Change::default() };
            match storage::update(writer, &self.account, &change).await {
                Err(error) if error.code() == Some(NOT_GRANTED) => Ok(Seen::NotYet((), Pause::Chosen(AGAIN))),
                other => Ok(other.map(|_| Seen::Shown(()))?),
            }
        };
        match wait_until(writer.reader(), writer.patience(), attempt).await? {
            Waited::Shown(()) => Ok(()),
            Waited::Late(()) | Waited::Stopped(()) => Err(StepError::Late {
                reason: format!(
                    "Azure Storage may not use the key yet ({NOT_GRANTED}); a new grant counts within minutes"
                ),
                wrote: false,
            }),
        }
    }

    async fn read_back(&self, reader: &Reader) -> Result<ReadBack, CallError> {
        let Some(live) = storage::get(reader, &self.account).await? else {
            return Ok(ReadBack::Gone("the account is gone".to_owned()));
        };
        let Some(encryption) = live.encryption else {
            return Ok(ReadBack::Unread("Azure doesn't tell what the account is encrypted with".to_owned()));
        };
        let named = encryption.key.as_ref().is_some_and(|key| key.current_version().is_some());
        Ok(match (self.is_done(&encryption), &self.to) {
            (true, To::Microsoft) => ReadBack::Shown,
            (true, To::Customer { .. }) if named => ReadBack::Shown,
            (true, To::Customer { .. }) => ReadBack::NotYet("Azure doesn't tell which version is used".to_owned()),
            (false, _) => {
                let now = Former::of(&encryption).map_or("Microsoft's key".to_owned(), |from| brief(&from.to_string()));
                ReadBack::NotYet(format!("the account is on {now}"))
            }
        })
    }
}

/// Opens or closes public network access.
pub(super) struct SetAccess {
    pub(super) account: ResourceId,
    pub(super) to: Access,
}

impl SetAccess {
    fn wanted(&self) -> PublicNetworkAccess {
        match self.to {
            Access::Disabled => PublicNetworkAccess::Disabled,
            Access::Enabled => PublicNetworkAccess::Enabled,
        }
    }
}

#[async_trait(?Send)]
impl Step for SetAccess {
    fn title(&self) -> String {
        let verb = if self.to == Access::Disabled { "close" } else { "open" };
        format!("{verb} public network access to the storage account {}", self.account.name())
    }

    fn operation(&self) -> &'static Facts {
        STORAGE_UPDATE_ACCOUNT.facts()
    }

    fn on(&self) -> Option<ResourceId> {
        Some(self.account.clone())
    }

    fn binds(&self) -> Binds {
        let Self { account, to } = self;
        Binds::none().and("account", account).and("publicNetworkAccess", to.word())
    }

    fn holds(&self) -> Vec<Hold> {
        vec![Hold::resource(&self.account)]
    }

    async fn write(&self, writer: &Writer) -> Result<(), StepError> {
        let live = account(writer.reader(), &self.account).await?.public_network_access;
        if live == self.wanted() {
            return Ok(());
        }
        if !matches!(live, PublicNetworkAccess::Enabled | PublicNetworkAccess::Disabled) {
            return Err(StepError::Stopped(format!(
                "access to {} is decided by other rules by now",
                self.account.name()
            )));
        }
        let change = Change { public_network_access: Some(self.wanted()), ..Change::default() };
        storage::update(writer, &self.account, &change).await?;
        Ok(())
    }

    async fn read_back(&self, reader: &Reader) -> Result<ReadBack, CallError> {
        let Some(live) = storage::get(reader, &self.account).await? else {
            return Ok(ReadBack::Gone("the account is gone".to_owned()));
        };
        Ok(match live.public_network_access == self.wanted() {
            true => ReadBack::Shown,
            false => ReadBack::NotYet("the account doesn't show it".to_owned()),
        })
    }
}
