//! What keeps something alive that is encrypted with a key: what is wrong with the key, or soon will be, and since when. Pure.
//!
//! Words: a version is *superseded* once a newer one was made; whoever encrypts *picks up* the newer one about a day later.
//!
//! Invariants: what could not be read is told as such, and never as lost; what soft delete keeps is told with the day until which it does.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::block::KeyRef;
use super::codes;
use super::demands::{self, Fault, Onset, Repair};
use super::observe::{Kept, Seen};
use crate::azure::operations::LIST_VAULT_KEY_VERSIONS;
use crate::azure::vault_keys::KeyVersion;
use crate::settings::observation::{Observation, Unreadable};

/// Within this time a new version is picked up: "about a day", as Microsoft's pages say.
pub const PICKED_UP: SignedDuration = SignedDuration::from_hours(24);
/// For so long a superseded version must stay enabled.
pub const VERSIONS_KEPT: SignedDuration = SignedDuration::from_hours(28 * 24);
/// So long before a key expires that is told, unless the file says otherwise.
pub const MARGIN: SignedDuration = SignedDuration::from_hours(30 * 24);

/// A key that something is encrypted with, or is to be.
pub struct InUse<'a> {
    /// The key.
    pub key: &'a KeyRef,
    /// What Azure says of it.
    pub seen: &'a Seen,
    /// The sizes that it may have, in bits.
    pub sizes: &'a [u32],
    /// The tenant that its vault must belong to.
    pub tenant: Uuid,
    /// Where that is what it encrypts.
    pub here: Option<&'a str>,
    /// How long before it expires that is told.
    pub margin: SignedDuration,
    /// Whether something is encrypted with it already.
    pub already: bool,
    /// The instant that counts as now.
    pub now: Timestamp,
}

/// What is wrong with a key in use, and what could not be read of it.
#[derive(Debug, Default)]
pub struct Watch {
    /// What is wrong.
    pub faults: Vec<Fault>,
    /// What could not be read.
    pub unread: Vec<Unreadable>,
}

impl InUse<'_> {
    /// Looks at all of it.
    pub fn watch(&self) -> Watch {
        let mut watch = Watch::default();
        let Self { key, seen, sizes, tenant, here, margin, already, now } = *self;
        let vault = match &seen.vault {
            Ok(Some(vault)) => vault,
            Ok(None) => {
                watch.faults.push(vault_gone(key, seen.kept.as_ref()));
                return watch;
            }
            Err(unreadable) => {
                watch.unread.push(unreadable.clone());
                return watch;
            }
        };
        watch.faults.extend(demands::of_vault(&key.vault, vault, tenant, here));
        match &seen.version {
            Ok(Some(version)) => {
                watch.faults.extend(demands::of_key(key, version, sizes, now));
                watch.faults.extend(demands::expiring(key, version, margin, now));
                match &seen.versions {
                    Ok(all) if already => watch.superseded(key, all, now),
                    Ok(_) => {}
                    Err(unreadable) => watch.unread.push(unreadable.clone()),
                }
            }
            Ok(None) => watch.faults.push(key_gone(key, seen.kept.as_ref())),
            Err(unreadable) => watch.unread.push(unreadable.clone()),
        }
        watch
    }
}

impl Watch {
    /// Versions that are disabled although they may still be in use, or are needed for what was written under them.
    fn superseded(&mut self, key: &KeyRef, all: &[KeyVersion], now: Timestamp) {
        match pairs(all) {
            Ok(pairs) => self.faults.extend(pairs.into_iter().filter_map(|(older, at)| too_early(key, older, at, now))),
            Err(unreadable) => self.unread.push(unreadable),
        }
    }
}

/// Each version that was superseded, with when that was.
fn pairs(all: &[KeyVersion]) -> Observation<Vec<(&KeyVersion, Timestamp)>> {
    if all.len() < 2 {
        return Ok(Vec::new());
    }
    let mut dated = Vec::with_capacity(all.len());
    for version in all {
        let unread = || Unreadable::from_operation(LIST_VAULT_KEY_VERSIONS.facts(), "a version has no date");
        dated.push((version.created.ok_or_else(unread)?, version));
    }
    dated.sort_by_key(|(created, _)| *created);
    Ok(dated.windows(2).filter_map(|two| Some((two.first()?.1, two.last()?.0))).collect())
}

fn too_early(key: &KeyRef, older: &KeyVersion, at: Timestamp, now: Timestamp) -> Option<Fault> {
    let age = now.duration_since(at);
    if older.enabled != Some(false) || age >= VERSIONS_KEPT {
        return None;
    }
    let name = older.version.clone();
    let shown = name.as_deref().unwrap_or("without a name");
    let (needed, onset) = match age < PICKED_UP {
        true => (
            "which may still be in use: a new version is picked up within about a day",
            older.updated.map_or(Onset::Untold, Onset::At),
        ),
        false => ("which what was written before needs: a former version must stay enabled for 28 days", Onset::Never),
    };
    let what = format!("the version {shown} of the key {key} is disabled, {needed}; it was replaced at {at:.0}");
    let pinned = KeyRef { version: name.clone(), ..key.clone() };
    let help = format!("enable it: {}", demands::enable(&pinned));
    let fault = Fault::new(codes::CMK_KEY_UNFIT, what, help).onset(onset).of(key.resource());
    Some(fault.repaired_by(name.map(Repair::Enable)))
}

/// What soft delete keeps, in words: ` and can be recovered until …`.
fn until(purged: Option<Timestamp>) -> String {
    purged.map(|at| format!("; it can be recovered until {at:.0}")).unwrap_or_default()
}

fn vault_gone(key: &KeyRef, kept: Option<&Observation<Kept>>) -> Fault {
    let (name, group) = (key.vault.name(), key.vault.resource_group());
    let gone = format!("Azure has no vault {name} in the resource group {group}");
    let recover = demands::recover_vault(&key.vault);
    let (what, help, onset, repair) = match kept {
        Some(Ok(Kept::Vault(deleted))) => {
            let since = deleted.deleted.map(|at| format!(" at {at:.0}")).unwrap_or_default();
            let what = format!("the vault {name} was deleted{since}{}", until(deleted.purged));
            let onset = deleted.deleted.map_or(Onset::Untold, Onset::At);
            (what, format!("recover it: {recover}"), onset, Some(Repair::Vault(deleted.clone())))
        }
        Some(Ok(Kept::Nothing | Kept::Key(_))) => {
            let what = format!("{gone}, nor is it among the deleted ones that Azure shows");
            (what, LOST.to_owned(), Onset::Untold, None)
        }
        Some(Err(unreadable)) => {
            let what = format!("{gone}; whether it can be recovered could not be read: {}", unreadable.reason);
            (
                what,
                format!("recover it while soft delete keeps it: {recover}; {}", demands::NOT_ANEW),
                Onset::Untold,
                None,
            )
        }
        None => (
            gone,
            format!("recover it while soft delete keeps it: {recover}; {}", demands::NOT_ANEW),
            Onset::Untold,
            None,
        ),
    };
    let about = Some(key.vault.resource().clone());
    Fault::new(codes::CMK_VAULT_NOT_FOUND, what, help).onset(onset).of(about).repaired_by(repair)
}

fn key_gone(key: &KeyRef, kept: Option<&Observation<Kept>>) -> Fault {
    let (name, vault) = (&key.name, key.vault.name());
    let gone = match &key.version {
        Some(version) => format!("the key {name} in {vault} has no version {version}"),
        None => format!("the vault {vault} has no key {name}"),
    };
    let recover = demands::recover_key(key);
    let (what, help, onset, repair) = match kept {
        Some(Ok(Kept::Key(deleted))) => {
            let since = deleted.deleted.map(|at| format!(" at {at:.0}")).unwrap_or_default();
            let what = format!("the key {name} in {vault} was deleted{since}{}", until(deleted.purged));
            let onset = deleted.deleted.map_or(Onset::Untold, Onset::At);
            (what, format!("recover it: {recover}"), onset, Some(Repair::Key))
        }
        Some(Ok(_)) => (format!("{gone}, nor a deleted one"), LOST.to_owned(), Onset::Untold, None),
        Some(Err(unreadable)) => {
            let what = format!("{gone}; whether it can be recovered could not be read: {}", unreadable.reason);
            (
                what,
                format!("recover it while soft delete keeps it: {recover}; {}", demands::NOT_ANEW),
                Onset::Untold,
                None,
            )
        }
        None => (
            gone,
            format!("recover it while soft delete keeps it: {recover}; {}", demands::NOT_ANEW),
            Onset::Untold,
            None,
        ),
    };
    Fault::new(codes::CMK_KEY_NOT_FOUND, what, help).onset(onset).of(key.resource()).repaired_by(repair)
}

/// What is left to do where nothing can be recovered.
const LOST: &str = "restore a backup of the key if there is one (`az keyvault key restore`), and open a support request at once; what is \
                    created again under its name decrypts nothing";
