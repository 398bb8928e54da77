//! What keeps something alive that is encrypted with a key: what is wrong with the key, or soon will be, and since when. Pure.
//!
//! Words: a version is *superseded* once a newer one was made; whoever encrypts *picks up* the newer one about a day later.
//!
//! Invariants: what could not be read is told as such, and never as lost; what soft delete keeps is told with the day until which it does.

use std::rc::Rc;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::block::KeyRef;
use super::codes;
use super::demands::{self, Fault, Onset, Repair};
use super::observe::{Kept, Seen};
use crate::azure::keys::{RotationPolicy, Trigger};
use crate::azure::operations::LIST_VAULT_KEY_VERSIONS;
use crate::azure::vault_keys::KeyVersion;
use crate::plan::NoteCode;
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
pub struct Checked {
    /// What is wrong.
    pub faults: Vec<Fault>,
    /// What could not be read.
    pub unread: Vec<Unreadable>,
    /// What Azure doesn't tell anybody.
    pub doubts: Vec<String>,
}

impl InUse<'_> {
    /// Looks at all of it.
    pub fn check(&self) -> Checked {
        let mut checked = Checked::default();
        let Self { key, seen, sizes, tenant, here, margin, already, now } = *self;
        let vault = match &seen.vault {
            Ok(Some(vault)) => vault,
            Ok(None) => {
                checked.faults.push(vault_gone(key, seen.kept.as_ref()));
                return checked;
            }
            Err(unreadable) => {
                checked.unread.push(unreadable.clone());
                return checked;
            }
        };
        checked.doubts.extend(demands::perimeter(&key.vault, vault));
        checked.unread.extend(demands::tenant_untold(&key.vault, vault));
        checked.faults.extend(demands::of_vault(&key.vault, vault, tenant, here));
        match &seen.version {
            Ok(Some(version)) => {
                checked.unread.extend(demands::untold(key, version));
                checked.faults.extend(demands::of_key(key, version, sizes, now));
                let expiring = demands::expiring(key, version, margin, now);
                checked
                    .faults
                    .extend(expiring.and_then(|fault| rotated_in_time(fault, version, seen.rotation.as_ref(), now)));
                checked.last_one(key, version, &seen.versions, now);
                if already && key.version.is_none() {
                    checked.not_picked_up(version, &seen.versions, now);
                }
                match &seen.versions {
                    Ok(all) if already => checked.superseded(key, all, now),
                    Ok(_) => {}
                    Err(unreadable) => checked.unread.push(unreadable.clone()),
                }
            }
            Ok(None) => checked.faults.push(key_gone(key, seen.kept.as_ref())),
            Err(unreadable) => checked.unread.push(unreadable.clone()),
        }
        checked
    }
}

impl Checked {
    /// A version of the last day isn't in use yet, if the one before can be used: what is wrong with it shows once it is picked up.
    fn not_picked_up(&mut self, newest: &KeyVersion, all: &Observation<Rc<[KeyVersion]>>, now: Timestamp) {
        let (Ok(all), Some(created)) = (all, newest.created) else { return };
        let Ok(picked_up) = created.checked_add(PICKED_UP) else { return };
        let usable = |one: &KeyVersion| {
            let active = one.not_before.is_none_or(|from| from <= now) && one.expires.is_none_or(|end| now < end);
            one.version != newest.version && one.enabled == Some(true) && active
        };
        if picked_up <= now || !all.iter().any(usable) {
            return;
        }
        for fault in self.faults.iter_mut().filter(|fault| fault.of_version && fault.onset.is_past(now)) {
            fault.what.push_str("; it isn't in use yet, and is picked up within about a day");
            fault.onset = Onset::At(picked_up);
        }
    }

    /// Adds to what is wrong with the newest version that there is no other one that could take its place.
    fn last_one(&mut self, key: &KeyRef, newest: &KeyVersion, all: &Observation<Rc<[KeyVersion]>>, now: Timestamp) {
        let Ok(all) = all else { return };
        let usable = |one: &&KeyVersion| {
            one.version != newest.version && one.enabled == Some(true) && one.expires.is_none_or(|end| now < end)
        };
        if key.version.is_some() || all.is_empty() || all.iter().any(|one| usable(&one)) {
            return;
        }
        for fault in self.faults.iter_mut().filter(|fault| fault.of_version) {
            fault.what.push_str("; the key has no other enabled version");
        }
    }

    /// Versions that are disabled although they may still be in use, or are needed for what was written under them.
    fn superseded(&mut self, key: &KeyRef, all: &[KeyVersion], now: Timestamp) {
        let pairs = match pairs(all) {
            Ok(pairs) => pairs,
            Err(unreadable) => return self.unread.push(unreadable),
        };
        for (older, at) in pairs.into_iter().filter(|(_, at)| now.duration_since(*at) < VERSIONS_KEPT) {
            if older.enabled.is_none() {
                let why = format!("Azure doesn't say whether the version {} of the key {key} is enabled", named(older));
                self.unread.push(Unreadable::from_operation(LIST_VAULT_KEY_VERSIONS.facts(), why));
            }
            self.faults.extend(too_early(key, older, at, now));
        }
    }
}

/// What is left of a version's expiry where the vault rotates it before that, or may.
fn rotated_in_time(
    fault: Fault,
    version: &KeyVersion,
    rotation: Option<&Observation<Rc<RotationPolicy>>>,
    now: Timestamp,
) -> Option<Fault> {
    let Some(rotation) = rotation else { return Some(fault) };
    let due = match rotation {
        Ok(policy) => match (&policy.rotate, version.created, version.expires) {
            (Some(Trigger::AfterCreation(after)), Some(created), _) => {
                after.days().map(|days| (created, i64::from(days)))
            }
            (Some(Trigger::BeforeExpiry(before)), _, Some(expires)) => {
                before.days().map(|days| (expires, -i64::from(days)))
            }
            _ => None,
        },
        Err(unreadable) => {
            let mut fault = fault;
            fault.what = format!(
                "{}; whether the vault rotates it before that could not be read: {}",
                fault.what, unreadable.reason
            );
            return Some(fault);
        }
    };
    let due = due.and_then(|(at, days)| at.checked_add(SignedDuration::from_hours(24 * days)).ok());
    // One that is due already was not carried out.
    let in_time = due.zip(version.expires).is_some_and(|(due, expires)| now < due && due < expires);
    (!in_time).then_some(fault)
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

fn named(version: &KeyVersion) -> &str {
    version.version.as_deref().unwrap_or("without a name")
}

/// What is wrong with a version that was superseded so lately that it is still needed.
fn too_early(key: &KeyRef, older: &KeyVersion, at: Timestamp, now: Timestamp) -> Option<Fault> {
    let shown = named(older);
    let pinned = KeyRef { version: older.version.clone(), ..key.clone() };
    let in_use = now.duration_since(at) < PICKED_UP;
    let needed = match in_use {
        true => "which may still be in use: a new version is picked up within about a day",
        false => "which what was written before needs: a former version must stay enabled for 28 days",
    };
    let tell = |how: String, onset: Onset, help: String| {
        let what = format!("the version {shown} of the key {key} {how}, {needed}; it was replaced at {at:.0}");
        let onset = if in_use { onset } else { Onset::Never };
        Fault::new(codes::CMK_KEY_UNFIT, what, help).onset(onset).of(key.resource())
    };
    if older.enabled == Some(false) {
        let onset = older.updated.map_or(Onset::Untold, Onset::Within);
        let fault = tell("is disabled".to_owned(), onset, format!("enable it: {}", demands::enable(&pinned)));
        return Some(fault.repaired_by(older.version.clone().map(|name| Repair::Enable(name, older.updated))));
    }
    let end = older.expires.filter(|end| *end <= now)?;
    Some(tell(
        format!("expired at {end:.0}"),
        Onset::At(end),
        format!("set a later date: {}", demands::extend(&pinned, now)),
    ))
}

/// What soft delete keeps, in words: ` and can be recovered until …`.
fn until(purged: Option<Timestamp>) -> String {
    purged.map(|at| format!("; it can be recovered until {at:.0}")).unwrap_or_default()
}

fn vault_gone(key: &KeyRef, kept: Option<&Observation<Kept>>) -> Fault {
    let (name, group) = (key.vault.name(), key.vault.resource_group());
    let deleted = match kept {
        Some(Ok(Kept::Vault(deleted))) => Some((deleted.deleted, deleted.purged, Repair::Vault(deleted.clone()))),
        _ => None,
    };
    let gone = Gone {
        code: codes::CMK_VAULT_NOT_FOUND,
        absent: format!("Azure has no vault {name} in the resource group {group}"),
        nowhere: ", nor is it among the deleted ones that Azure shows",
        called: format!("the vault {name}"),
        recover: demands::recover_vault(&key.vault),
        deleted,
    };
    gone.fault(kept).of(Some(key.vault.resource().clone()))
}

fn key_gone(key: &KeyRef, kept: Option<&Observation<Kept>>) -> Fault {
    let (name, vault) = (&key.name, key.vault.name());
    let deleted = match kept {
        Some(Ok(Kept::Key(deleted))) => Some((deleted.deleted, deleted.purged, Repair::Key(deleted.deleted))),
        _ => None,
    };
    let gone = Gone {
        code: codes::CMK_KEY_NOT_FOUND,
        absent: match &key.version {
            Some(version) => format!("the key {name} in {vault} has no version {version}"),
            None => format!("the vault {vault} has no key {name}"),
        },
        nowhere: ", nor a deleted one",
        called: format!("the key {name} in {vault}"),
        recover: demands::recover_key(key),
        deleted,
    };
    gone.fault(kept).of(key.resource())
}

/// Something that isn't there, and how it may come back.
struct Gone {
    code: NoteCode,
    /// That it isn't there.
    absent: String,
    /// That it isn't among what was deleted, either.
    nowhere: &'static str,
    called: String,
    /// How a person recovers it.
    recover: String,
    /// When it was deleted, when it will be purged, and what brings it back, where soft delete keeps it.
    deleted: Option<(Option<Timestamp>, Option<Timestamp>, Repair)>,
}

impl Gone {
    fn fault(self, kept: Option<&Observation<Kept>>) -> Fault {
        let Self { code, absent, nowhere, called, recover, deleted } = self;
        if let Some((since, purged, repair)) = deleted {
            let (when, until) = (since.map(|at| format!(" at {at:.0}")).unwrap_or_default(), until(purged));
            let fault =
                Fault::new(code, format!("{called} was deleted{when}{until}"), format!("recover it: {recover}"));
            return fault.onset(since.map_or(Onset::Untold, Onset::At)).repaired_by(Some(repair));
        }
        let recover = || format!("recover it while soft delete keeps it: {recover}; {}", demands::NOT_ANEW);
        let (what, help) = match kept {
            Some(Ok(_)) => (format!("{absent}{nowhere}"), lost()),
            Some(Err(unreadable)) => {
                (format!("{absent}; whether it can be recovered could not be read: {}", unreadable.reason), recover())
            }
            None => (absent, recover()),
        };
        Fault::new(code, what, help).onset(Onset::Untold)
    }
}

/// What is left to do where nothing can be recovered.
fn lost() -> String {
    format!(
        "restore a backup of the key if there is one (`az keyvault key restore`), and open a support request at once; {}",
        demands::NOT_ANEW
    )
}
