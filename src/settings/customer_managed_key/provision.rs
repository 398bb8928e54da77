//! The declared policy, its key, and what its identity may do: what stands, what is missing, and what is made. Pure.
//!
//! Invariants: what is missing is made only where the file says so and the environment is yet to be linked; what is wrong with it then
//! refuses the scope, and of a linked environment it is a finding that people must act on.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::block::{Block, Declared, Protection};
use super::demands;
use super::grants::InVault;
use super::observe::{Chain, Observed};
use super::policy::{self, Standing};
use super::{codes, grants, notes, retained, watch};
use crate::azure::power_platform::SystemId;
use crate::azure::power_platform::environments::Environment;
use crate::azure::rights::Holding;
use crate::plan::{Address, Findings, Note, Planned, Severity, Waiting, WaitingFor};
use crate::settings::block::Block as _;
use crate::settings::encryption_keys::demands::{self as key_demands, Fault, Onset, Repair};
use crate::settings::encryption_keys::lifeline::{Checked, InUse};
use crate::settings::encryption_keys::upkeep::{self, Keeper};
use crate::settings::encryption_keys::{Granted, KeyRef, grants as key_grants, same_key};
use crate::settings::geography::{self, Agreement};
use crate::settings::observation::Unreadable;
use crate::settings::setting::Comparing;
use crate::terms::{ObjectId, Place, VaultId};

/// Whether the environment is yet to be linked to the policy, or is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Goal {
    /// It is to be linked.
    Link,
    /// It is, or is being linked to it: nothing is made, and what stands is looked at.
    Keep,
    /// It isn't, and something goes on there: nothing is made, and nothing is judged yet.
    Wait,
}

/// What everything here looks at.
pub(super) struct Scene<'a> {
    pub(super) declared: &'a Declared,
    pub(super) protection: &'a Protection,
    pub(super) observed: &'a Observed,
    pub(super) live: &'a Environment,
    pub(super) comparing: &'a Comparing<'a>,
    pub(super) source: &'a Place,
    pub(super) goal: Goal,
    /// Whether what was lost is brought back: the environment is linked, and nothing goes on there.
    pub(super) repairs: bool,
}

impl Scene<'_> {
    /// Who keeps the key up.
    pub(super) fn keeper<'k>(&'k self, key: &'k Address) -> Keeper<'k> {
        Keeper { setting: Block::KEY, address: key, source: &self.declared.parts[1], comparing: self.comparing }
    }
}

/// What came of it.
#[derive(Default)]
pub(super) struct Provision {
    pub(super) findings: Findings,
    /// The changes without which nothing is linked.
    pub(super) requires: Vec<Address>,
    /// Nothing can be linked, for a reason that is among the findings.
    pub(super) blocked: bool,
    /// Why linking has to wait.
    pub(super) busy: Option<String>,
    /// What Power Platform calls the policy.
    pub(super) system_id: Option<SystemId>,
    /// What was lost of it.
    pub(super) losses: Losses,
}

/// What was lost of what a linked environment is encrypted with.
#[derive(Debug)]
pub(super) struct Losses {
    /// The changes that bring it back.
    pub(super) repairs: Vec<Address>,
    /// Whether something was lost that no change brings back.
    pub(super) beyond_repair: bool,
    /// Whether part of it could not be read.
    pub(super) unread: bool,
    /// Whether Azure says of the policy that it can't reach its key.
    unhealthy: bool,
    /// Since when the environment can't reach its key, by what was found of it.
    found: Onset,
}

impl Default for Losses {
    fn default() -> Self {
        Self { repairs: Vec::new(), beyond_repair: false, unread: false, unhealthy: false, found: Onset::Never }
    }
}

impl Losses {
    /// What only may happen, or will, keeps nobody from the key now.
    pub(super) fn lost(&mut self, fault: &Fault, repaired: bool, now: Timestamp) {
        if fault.code == codes::CMK_AT_RISK {
            // Said of what is wrong with the key: it is put right with that, and has no date of its own.
            self.unhealthy = true;
        } else if fault.onset.is_past(now) {
            self.found = self.found.sooner(fault.onset);
            self.beyond_repair |= !repaired;
        }
    }

    /// Since when the environment can't reach its key, as far as that is told; never, if nothing is known that keeps it from it.
    pub(super) fn onset(&self) -> Onset {
        match self.found {
            Onset::Never if self.unhealthy => Onset::Untold,
            found => found,
        }
    }
}

impl Provision {
    /// Something isn't as it must be.
    pub(super) fn fault(&mut self, scene: &Scene<'_>, address: &Address, fault: Fault) {
        self.fault_repaired_by(scene, address, fault, None);
    }

    fn fault_repaired_by(&mut self, scene: &Scene<'_>, address: &Address, fault: Fault, repair: Option<&Address>) {
        self.blocked = true;
        self.findings.notes.push(match scene.goal {
            Goal::Wait => return,
            Goal::Link => notes::refused(address, fault),
            // Another key than the declared one isn't as declared, whatever keeps the environment alive.
            Goal::Keep if fault.code == codes::CMK_POLICY_KEY => notes::refused(address, fault),
            Goal::Keep => notes::at_risk(address, &fault, scene.live, scene.comparing.now).repaired_by(repair),
        });
    }

    /// Something that keeps the environment alive was lost. What brings it back is planned, and what is left is for a person.
    fn lost(&mut self, scene: &Scene<'_>, address: &Address, fault: Fault, repair: Option<Planned>) {
        self.losses.lost(&fault, repair.is_some(), scene.comparing.now);
        let by = repair.as_ref().map(|planned| planned.change.address.clone());
        // What else is wrong with what was deleted, such as the grants that went with a vault, shows once it is back.
        self.losses.unread |= matches!(fault.repair, Some(Repair::Vault(_) | Repair::Key(_)));
        self.fault_repaired_by(scene, address, fault, by.as_ref());
        if let Some(planned) = repair {
            self.losses.repairs.push(planned.change.address.clone());
            self.findings.changes.push(planned);
        }
    }

    /// Something isn't as it must be of a key that nothing is encrypted with yet: what was lost can be created as well.
    fn fault_of_new(&mut self, scene: &Scene<'_>, address: &Address, fault: Fault) {
        let Scene { protection: Protection { key, .. }, live, .. } = scene;
        if fault.code == codes::CMK_KEY_EXPIRES {
            let note = Note::finding(fault.code, Severity::Warning, address.clone(), fault.what);
            return self.findings.notes.push(note.help(fault.help));
        }
        let fault = key_demands::of_new(key, fault, live.azure_region.as_deref());
        self.fault(scene, address, fault);
    }

    pub(super) fn unknown(&mut self, address: &Address, unreadable: &Unreadable) {
        self.blocked = true;
        self.losses.unread = true;
        self.findings.unknown.push(unreadable.at(address.clone()));
    }

    pub(super) fn waits(&mut self, address: &Address, waiting_for: WaitingFor, detail: String) {
        self.blocked = true;
        self.findings.waiting.push(Waiting { address: address.clone(), waiting_for, since: None, detail });
    }

    /// Whether a change at this address is planned.
    fn makes(&self, address: &Address) -> bool {
        self.findings.changes.iter().any(|planned| planned.change.address == *address)
    }

    pub(super) fn plan(&mut self, planned: Planned) {
        self.requires.push(planned.change.address.clone());
        self.findings.changes.push(planned);
    }
}

pub(super) fn compare(scene: &Scene<'_>, chain: &Chain) -> Provision {
    let mut provision = Provision::default();
    let standing = policy::compare(scene, chain, &mut provision);
    if matches!(standing, Standing::OtherKey) {
        return provision;
    }
    compare_key(scene, chain, &mut provision);
    compare_grants(scene, &standing, &mut provision);
    if scene.goal == Goal::Keep {
        let explained = provision.losses.onset() != Onset::Never;
        if let Some(fault) = watch::unhealthy(chain, explained) {
            provision.losses.lost(&fault, false, scene.comparing.now);
            provision.fault(scene, &scene.comparing.address(Block::KEY).part("policy"), fault);
        }
    }
    provision
}

/// A key as plans show it.
pub(super) fn value(key: &KeyRef) -> Json {
    let KeyRef { vault, name, version } = key;
    match version {
        Some(version) => json!({ "vault": vault, "name": name, "version": version }),
        None => json!({ "vault": vault, "name": name }),
    }
}

fn compare_key(scene: &Scene<'_>, chain: &Chain, provision: &mut Provision) {
    let address = scene.comparing.address(Block::KEY).part("key");
    let Scene { protection, live, comparing, goal, .. } = scene;
    let here = live.azure_region.as_deref().or(live.location.as_deref());
    if let Ok(Some(vault)) = &chain.seen.vault
        && let Agreement::Unknown(why) = geography::agreement(vault.location.as_deref().unwrap_or_default(), here)
    {
        let message = format!("whether the vault is in the environment's geography can't be told: {why}");
        let code = crate::settings::codes::REGION_MISMATCH;
        provision.findings.notes.push(Note::finding(code, Severity::Warning, address.clone(), message));
    }
    let in_use = InUse {
        key: &protection.key,
        seen: &chain.seen,
        sizes: &demands::SIZES,
        tenant: comparing.tenant,
        here,
        margin: protection.upkeep.margin(),
        already: *goal == Goal::Keep,
        now: comparing.now,
    };
    let Checked { faults, unread, doubts } = in_use.check();
    provision.findings.notes.extend(upkeep::doubts(&address, &doubts));
    unread.iter().for_each(|unreadable| provision.unknown(&address, unreadable));
    for fault in faults {
        match goal {
            Goal::Keep => {
                let repair = scene.keeper(&address).repair(&protection.key, &fault).filter(|_| scene.repairs);
                provision.lost(scene, &address, fault, repair);
            }
            Goal::Link => provision.fault_of_new(scene, &address, fault),
            Goal::Wait => {}
        }
    }
    provision.findings.in_effect.extend(scene.keeper(&address).standing(&chain.seen));
}

/// The grants, vault by vault: what one of its keys lacks, the vault's grant gives to all.
fn compare_grants(scene: &Scene<'_>, standing: &Standing, provision: &mut Provision) {
    let mut vaults: BTreeMap<&VaultId, Vec<&Granted>> = BTreeMap::new();
    for granted in scene.observed.grants.iter().filter(|granted| is_needed(scene, &granted.key)) {
        vaults.entry(&granted.key.vault).or_default().push(granted);
    }
    for (id, keys) in vaults {
        let address = grants::address(id, scene.comparing);
        match keys.first().map(|granted| &granted.vault) {
            Some(Ok(Some(vault))) => {
                compare_grant(scene, InVault { id, vault, keys: &keys }, standing, &address, provision)
            }
            Some(Err(unreadable)) => provision.unknown(&address, unreadable),
            // Of the vault of the declared key that is told elsewhere; in one that is gone, nothing can be granted.
            Some(Ok(None)) | None => {}
        }
    }
}

/// Whether the policy's identity needs a key: its own, that of the policy that is linked now, and those of former ones while backups
/// need them.
fn is_needed(scene: &Scene<'_>, key: &KeyRef) -> bool {
    let Scene { declared, protection, observed, live, comparing, .. } = scene;
    let former = observed.former.as_ref().and_then(|chain| chain.key.as_ref());
    // A key that is declared by mistake is granted to nobody.
    let retained = declared.retained.iter().zip(&observed.retained);
    let kept = retained
        .filter(|(one, chain)| !retained::is_over(one, live, comparing.now) && retained::of_key(one, chain).is_none())
        .map(|(one, _)| &one.key);
    std::iter::once(&protection.key).chain(former).chain(kept).any(|needed| same_key(needed, key))
}

fn compare_grant(
    scene: &Scene<'_>,
    on: InVault<'_>,
    standing: &Standing,
    address: &Address,
    provision: &mut Provision,
) {
    let InVault { id, vault, keys } = on;
    let identity = standing.identity();
    if let Some(unreadable) = keys.iter().find_map(|granted| granted.held.as_ref().err()) {
        return provision.unknown(address, unreadable);
    }
    if keys.iter().all(|granted| key_grants::suffice(vault, identity, &granted.held)) {
        if let Some(at) = keys.iter().filter_map(|granted| key_grants::counts_late(granted, scene.comparing)).max() {
            let reason = format!("the grant on {} may take until {at:.0} to count everywhere", id.name());
            provision.busy.get_or_insert(reason);
        }
        provision.findings.in_effect.push(address.clone());
        return;
    }
    if scene.goal == Goal::Wait {
        return;
    }
    match standing {
        Standing::There(_) => {}
        Standing::Coming if scene.goal == Goal::Link && scene.protection.provision => {}
        // An approval of it must not be taken for void: what it rests on may come yet.
        Standing::Waits(waiting_for) => {
            let detail = "there is no policy yet whose identity could use the key".to_owned();
            return provision.waits(address, *waiting_for, detail);
        }
        Standing::Unread(unreadable) => return provision.unknown(address, unreadable),
        Standing::Coming | Standing::Refused | Standing::OtherKey => return,
    }
    let missing = || grants::missing(vault, id, &scene.protection.policy, identity);
    if scene.goal == Goal::Keep {
        let lacks = |granted: &&&Granted| !key_grants::suffice(vault, identity, &granted.held);
        let is_own = |granted: &&&Granted| same_key(&granted.key, &scene.protection.key);
        let (own, former): (Vec<&&Granted>, Vec<&&Granted>) = keys.iter().filter(lacks).partition(is_own);
        if !own.is_empty() {
            let repair = scene.repairs.then(|| regrant(scene, on, identity, address)).flatten();
            provision.lost(scene, address, missing(), repair);
        } else if !former.is_empty() {
            provision.findings.notes.push(notes::former_key(address, &missing()));
        }
        return;
    }
    if !scene.protection.provision {
        return provision.fault(scene, address, missing());
    }
    match keys.iter().find_map(|granted| granted.granting.as_ref()) {
        Some(Ok(holding)) => grant(scene, on, identity, (address, holding), provision),
        Some(Err(unreadable)) => provision.unknown(address, unreadable),
        None => provision.unknown(address, &Unreadable::because("this identity's rights on the vault were not read")),
    }
}

/// The grant that is lost, once more; none where the caller can't make it, or may not be able to.
fn regrant(scene: &Scene<'_>, on: InVault<'_>, identity: Option<ObjectId>, address: &Address) -> Option<Planned> {
    let Scene { protection, comparing, source, .. } = scene;
    let holding = on.keys.iter().find_map(|granted| granted.granting.as_ref())?.as_ref().ok()?;
    if holding.lacking().is_some() {
        return None;
    }
    let missing = grants::missing(on.vault, on.id, &protection.policy, identity);
    let planned = grants::repair(protection, on, (identity, address.clone()), &missing.what, (comparing, source));
    Some(planned.in_doubt(holding))
}

fn grant(
    scene: &Scene<'_>,
    on: InVault<'_>,
    identity: Option<ObjectId>,
    (address, holding): (&Address, &Holding),
    provision: &mut Provision,
) {
    let Scene { protection, comparing, source, .. } = scene;
    if let Some(why) = holding.lacking() {
        let Fault { what, help, .. } = grants::missing(on.vault, on.id, &protection.policy, identity);
        return provision.waits(address, WaitingFor::Person, format!("{what}, and {why}; {help}"));
    }
    let created = Some(comparing.address(Block::KEY).part("policy")).filter(|policy| provision.makes(policy));
    let planned = grants::plan(protection, on, identity, comparing, source);
    provision.plan(planned.requiring(created).in_doubt(holding));
}
