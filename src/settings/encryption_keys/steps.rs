//! The writes on keys and vaults, and how to see that they took effect.
//!
//! Invariants: what is brought back is what was there before, under its own name; a key is rotated only if its newest version is still
//! too old at that moment, so that it gets one new version however many environments ask for it; a rotation policy keeps what palisade
//! doesn't manage of it. All of it is read back by Azure Resource Manager, which no vault's firewall hides, but for rotation policies.

use async_trait::async_trait;
use jiff::Timestamp;
use uuid::Uuid;

use super::block::{KeyRef, Rotation};
use crate::azure::keys::{self, IsoDuration, KeyAddress, RotationPolicy, Trigger};
use crate::azure::operations::{Facts, RECOVER_KEY, RECOVER_VAULT, ROTATE_KEY, SET_ROTATION_POLICY, UPDATE_KEY};
use crate::azure::vault_keys::{self, KeyVersion};
use crate::azure::{CallError, Reader, Writer, vaults};
use crate::plan::{Binds, Hold, ReadBack, Step, StepError};
use crate::terms::{ResourceId, VaultId};

fn place(key: &KeyRef) -> KeyAddress {
    KeyAddress { vault: key.vault.name().to_owned(), name: key.name.clone() }
}

/// A key, without a version.
fn bound(key: &KeyRef) -> Binds {
    let KeyRef { vault, name, version: _ } = key;
    Binds::none().and("vault", vault).and("key", name.to_lowercase())
}

fn lost_at(binds: Binds, lost: Option<Timestamp>) -> Binds {
    lost.iter().fold(binds, |binds, lost| binds.and("lost", format!("{lost:.0}")))
}

/// Enables a version of a key.
pub struct EnableVersion {
    /// The key.
    pub key: KeyRef,
    /// The version.
    pub version: String,
    /// When it was changed last. An approval is for this loss: what is disabled once more later is another one.
    pub lost: Option<Timestamp>,
}

#[async_trait(?Send)]
impl Step for EnableVersion {
    fn title(&self) -> String {
        format!("enable the version {} of the key {} in {}", self.version, self.key.name, self.key.vault.name())
    }

    fn operation(&self) -> &'static Facts {
        UPDATE_KEY.facts()
    }

    fn on(&self) -> Option<ResourceId> {
        Some(self.key.vault.resource().clone())
    }

    fn binds(&self) -> Binds {
        let Self { key, version, lost } = self;
        lost_at(bound(key).and("version", version.to_lowercase()), *lost)
    }

    fn holds(&self) -> Vec<Hold> {
        vec![Hold::resource(self.key.vault.resource())]
    }

    async fn write(&self, writer: &Writer) -> Result<(), StepError> {
        Ok(keys::enable(writer, &place(&self.key), &self.version).await?)
    }

    async fn read_back(&self, reader: &Reader) -> Result<ReadBack, CallError> {
        let all = vault_keys::versions(reader, &self.key.vault, &self.key.name).await?;
        let is_it = |one: &&KeyVersion| {
            one.version.as_deref().is_some_and(|version| version.eq_ignore_ascii_case(&self.version))
        };
        Ok(match all.iter().find(is_it).map(|one| one.enabled) {
            Some(Some(true)) => ReadBack::Shown,
            Some(_) => ReadBack::NotYet("Azure doesn't show it enabled".to_owned()),
            None => ReadBack::Gone("the key has no such version any more".to_owned()),
        })
    }
}

/// Recovers a deleted key.
pub struct RecoverKey {
    /// The key.
    pub key: KeyRef,
    /// When it was deleted. An approval is for this loss.
    pub lost: Option<Timestamp>,
}

#[async_trait(?Send)]
impl Step for RecoverKey {
    fn title(&self) -> String {
        format!("recover the key {} in {}", self.key.name, self.key.vault.name())
    }

    fn operation(&self) -> &'static Facts {
        RECOVER_KEY.facts()
    }

    fn on(&self) -> Option<ResourceId> {
        Some(self.key.vault.resource().clone())
    }

    fn binds(&self) -> Binds {
        let Self { key, lost } = self;
        lost_at(bound(key), *lost)
    }

    fn holds(&self) -> Vec<Hold> {
        vec![Hold::resource(self.key.vault.resource())]
    }

    async fn write(&self, writer: &Writer) -> Result<(), StepError> {
        // Somebody else may have recovered it since the plan looked.
        match vault_keys::get(writer.reader(), &self.key.vault, &self.key.name).await? {
            Some(_) => Ok(()),
            None => Ok(keys::recover(writer, &place(&self.key)).await?),
        }
    }

    async fn read_back(&self, reader: &Reader) -> Result<ReadBack, CallError> {
        Ok(match vault_keys::get(reader, &self.key.vault, &self.key.name).await? {
            Some(_) => ReadBack::Shown,
            None => ReadBack::NotYet("Azure doesn't show the key".to_owned()),
        })
    }
}

/// Recovers a deleted vault, with all that was in it.
pub struct RecoverVault {
    /// The vault.
    pub vault: VaultId,
    /// Where it was.
    pub location: String,
    /// The tenant that it belongs to.
    pub tenant: Uuid,
    /// When it was deleted. An approval is for this loss.
    pub lost: Option<Timestamp>,
}

#[async_trait(?Send)]
impl Step for RecoverVault {
    fn title(&self) -> String {
        format!("recover the vault {}", self.vault.name())
    }

    fn operation(&self) -> &'static Facts {
        RECOVER_VAULT.facts()
    }

    fn binds(&self) -> Binds {
        let Self { vault, location, tenant, lost } = self;
        let binds = Binds::none().and("vault", vault).and("location", location.to_lowercase()).and("tenant", tenant);
        lost_at(binds, *lost)
    }

    fn holds(&self) -> Vec<Hold> {
        vec![Hold::resource(self.vault.resource())]
    }

    async fn write(&self, writer: &Writer) -> Result<(), StepError> {
        match vaults::get(writer.reader(), &self.vault).await? {
            Some(_) => Ok(()),
            None => Ok(vaults::recover(writer, &self.vault, &self.location, self.tenant).await?),
        }
    }

    async fn read_back(&self, reader: &Reader) -> Result<ReadBack, CallError> {
        Ok(match vaults::get(reader, &self.vault).await? {
            Some(_) => ReadBack::Shown,
            None => ReadBack::NotYet("Azure doesn't show the vault".to_owned()),
        })
    }
}

/// Whether a policy rotates as declared.
pub fn rotates(policy: &RotationPolicy, declared: Rotation) -> bool {
    let Rotation { rotate_after, expire_after } = declared;
    let rotates = matches!(&policy.rotate, Some(Trigger::AfterCreation(after)) if after.days() == Some(rotate_after));
    let expires = |days: u32| policy.expiry.as_ref().and_then(IsoDuration::days) == Some(days);
    rotates && expire_after.is_none_or(expires)
}

/// Sets when a key is rotated by its vault; the rest of its policy stays.
pub struct SetRotation {
    /// The key.
    pub key: KeyRef,
    /// When.
    pub rotation: Rotation,
}

#[async_trait(?Send)]
impl Step for SetRotation {
    fn title(&self) -> String {
        format!("set the rotation policy of the key {} in {}", self.key.name, self.key.vault.name())
    }

    fn operation(&self) -> &'static Facts {
        SET_ROTATION_POLICY.facts()
    }

    fn on(&self) -> Option<ResourceId> {
        Some(self.key.vault.resource().clone())
    }

    fn binds(&self) -> Binds {
        let Self { key, rotation } = self;
        bound(key).and("rotation", rotation)
    }

    fn holds(&self) -> Vec<Hold> {
        vec![Hold::resource(self.key.vault.resource())]
    }

    async fn write(&self, writer: &Writer) -> Result<(), StepError> {
        let place = place(&self.key);
        let mut policy = keys::rotation_policy(writer.reader(), &place).await?;
        let Rotation { rotate_after, expire_after } = self.rotation;
        policy.rotate = Some(Trigger::AfterCreation(IsoDuration::of_days(rotate_after)));
        if let Some(days) = expire_after {
            policy.expiry = Some(IsoDuration::of_days(days));
        }
        Ok(keys::set_rotation_policy(writer, &place, &policy).await?)
    }

    async fn read_back(&self, reader: &Reader) -> Result<ReadBack, CallError> {
        let policy = keys::rotation_policy(reader, &place(&self.key)).await?;
        Ok(match rotates(&policy, self.rotation) {
            true => ReadBack::Shown,
            false => ReadBack::NotYet("the key's rotation policy doesn't show it".to_owned()),
        })
    }
}

/// When the newest version of a key was made; none if one of them doesn't tell.
pub fn newest(all: &[KeyVersion]) -> Option<Timestamp> {
    all.iter().map(|one| one.created).collect::<Option<Vec<_>>>()?.into_iter().max()
}

/// Makes a new version of a key.
pub struct RotateKey {
    /// The key.
    pub key: KeyRef,
    /// The newest version must be younger than this.
    pub after: Timestamp,
}

impl RotateKey {
    async fn is_young(&self, reader: &Reader) -> Result<Option<bool>, CallError> {
        let all = vault_keys::versions(reader, &self.key.vault, &self.key.name).await?;
        Ok(newest(&all).map(|newest| newest >= self.after))
    }
}

#[async_trait(?Send)]
impl Step for RotateKey {
    fn title(&self) -> String {
        format!("make a new version of the key {} in {}", self.key.name, self.key.vault.name())
    }

    fn operation(&self) -> &'static Facts {
        ROTATE_KEY.facts()
    }

    fn on(&self) -> Option<ResourceId> {
        Some(self.key.vault.resource().clone())
    }

    fn binds(&self) -> Binds {
        let Self { key, after } = self;
        bound(key).and("after", format!("{after:.0}"))
    }

    fn holds(&self) -> Vec<Hold> {
        vec![Hold::resource(self.key.vault.resource())]
    }

    async fn write(&self, writer: &Writer) -> Result<(), StepError> {
        match self.is_young(writer.reader()).await? {
            Some(true) => Ok(()),
            Some(false) => Ok(keys::rotate(writer, &place(&self.key)).await?),
            None => Err(StepError::Unread("when the versions of the key were made isn't told".to_owned())),
        }
    }

    async fn read_back(&self, reader: &Reader) -> Result<ReadBack, CallError> {
        Ok(match self.is_young(reader).await? {
            Some(true) => ReadBack::Shown,
            Some(false) | None => ReadBack::NotYet("Azure doesn't show a new version".to_owned()),
        })
    }
}
