//! Keeping a key up: its rotation policy, rotation on demand, and bringing back what was lost. Pure.
//!
//! Invariants: a repair is never made without a person's own approval, since the loss may be a lockdown on purpose, and its reason says so
//! first; what rests on a key that isn't there, or isn't read, isn't planned.

use std::collections::BTreeSet;
use std::rc::Rc;

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::block::{KEPT_DAYS, KeyRef, Rotation, Upkeep};
use super::codes;
use super::demands::{Fault, Repair};
use super::lifeline::{PICKED_UP, VERSIONS_KEPT};
use super::observe::Seen;
use super::steps::{EnableVersion, RecoverKey, RecoverVault, RotateKey, SetRotation, newest, rotates};
use crate::azure::keys::{IsoDuration, RotationPolicy};
use crate::azure::operations::{RECOVER_KEY, RECOVER_VAULT, ROTATE_KEY, SET_ROTATION_POLICY, UPDATE_KEY};
use crate::azure::vault_keys::KeyVersion;
use crate::plan::{
    Action, Address, Direction, Findings, Impact, Note, Outline, Planned, Rated, Risk, Severity, Step, Waiting,
    WaitingFor, Work,
};
use crate::settings::observation::{Observation, Unreadable};
use crate::settings::setting::Comparing;
use crate::terms::Place;

/// Undoing a loss, which may have been meant.
pub const REPAIR: Rated = Rated {
    what: "bring back a key, a vault or a grant that something is encrypted with, which may undo a lockdown on purpose",
    risk: Risk::Critical,
};
/// Making a new version.
pub const ROTATE: Rated =
    Rated { what: "make a new version of a key that something is encrypted with", risk: Risk::Elevated };
/// Deciding when the vault makes new ones.
pub const SET: Rated = Rated { what: "set when a vault makes new versions of a key", risk: Risk::Elevated };

/// What the reason of every repair begins with.
pub const LOCKDOWN: &str = "if this was lost on purpose, as a lockdown, don't approve this: it undoes the lockdown";
/// What a summary says of a repair.
pub const UNLOCKS: &str = "May undo a lockdown on purpose";

/// For which setting a key is kept up, and where.
#[derive(Clone, Copy)]
pub struct Keeper<'a> {
    /// The setting.
    pub setting: &'static str,
    /// The address of the key.
    pub address: &'a Address,
    /// Where it is declared.
    pub source: &'a Place,
    /// What comparing may use.
    pub comparing: &'a Comparing<'a>,
}

impl Keeper<'_> {
    fn outline(&self, part: &str, action: Action, risk: Rated) -> Outline {
        Outline {
            address: self.address.part(part),
            setting: self.setting,
            subject: String::new(),
            action,
            direction: Direction::Neutral,
            risk,
            impact: Impact::None,
            before: Json::Null,
            after: Json::Null,
            reason: String::new(),
            source: self.source.clone(),
            operations: Vec::new(),
        }
    }

    /// The addresses at which it shows that what could be brought back is there.
    pub fn standing(&self, seen: &Seen) -> Vec<Address> {
        let Seen { vault, version, versions, rotation: _, kept: _ } = seen;
        let mut stands = Vec::new();
        if matches!(vault, Ok(Some(_))) {
            stands.push(self.address.part("vault"));
        }
        let Ok(Some(version)) = version else { return stands };
        stands.push(self.address.part("recovered"));
        let all = versions.iter().flat_map(|all| all.iter()).chain([version]);
        let enabled = all.filter(|version| version.enabled == Some(true));
        let names: BTreeSet<String> = enabled.filter_map(|one| Some(one.version.as_deref()?.to_lowercase())).collect();
        stands.extend(names.iter().map(|name| self.address.part(name)));
        stands
    }

    /// The change that brings back what a fault says is lost, if an operation does.
    pub fn repair(&self, key: &KeyRef, fault: &Fault) -> Option<Planned> {
        let (vault, name) = (key.vault.name(), &key.name);
        let (outline, step): (Outline, Rc<dyn Step>) = match fault.repair.as_ref()? {
            Repair::Enable(version, lost) => (
                Outline {
                    subject: format!("the version {version} of the key {name} in {vault}"),
                    before: json!({ "status": "disabled" }),
                    after: json!({ "status": "enabled" }),
                    operations: vec![UPDATE_KEY.facts()],
                    ..self.outline(&version.to_lowercase(), Action::Enable, REPAIR)
                },
                Rc::new(EnableVersion { key: key.clone(), version: version.clone(), lost: *lost }),
            ),
            Repair::Key(lost) => (
                Outline {
                    subject: format!("the key {name} in {vault}"),
                    before: json!({ "status": "deleted" }),
                    after: json!({ "status": key.to_string() }),
                    operations: vec![RECOVER_KEY.facts()],
                    ..self.outline("recovered", Action::Recover, REPAIR)
                },
                Rc::new(RecoverKey { key: key.clone(), lost: *lost }),
            ),
            Repair::Vault(deleted) => (
                Outline {
                    subject: format!("the vault {vault}"),
                    before: json!({ "status": "deleted" }),
                    after: json!({ "status": vault, "vault": key.vault }),
                    operations: vec![RECOVER_VAULT.facts()],
                    ..self.outline("vault", Action::Recover, REPAIR)
                },
                Rc::new(RecoverVault {
                    vault: key.vault.clone(),
                    location: deleted.location.clone(),
                    tenant: self.comparing.tenant,
                    lost: deleted.deleted,
                }),
            ),
        };
        let reason = format!("{LOCKDOWN}; {}", fault.what);
        let whose = match &fault.repair {
            Some(Repair::Vault(_)) => format!("all that is in {vault}"),
            _ => key.to_string(),
        };
        Some(Planned::new(Outline { reason, ..outline }, Work::step(step)).dangerous(UNLOCKS, whose))
    }

    /// The rotation policy and the rotation on demand of a key that is there. `in_use` is whether something is encrypted with it already;
    /// `since` is when that began, if it is told: what was made before needn't be picked up.
    pub fn rotation(
        &self,
        (key, upkeep): (&KeyRef, &Upkeep),
        seen: &Seen,
        policy: Option<&Observation<Rc<RotationPolicy>>>,
        (in_use, since): (bool, Option<Timestamp>),
    ) -> Findings {
        let mut findings = Findings::default();
        // A key that is disabled may be so on purpose: nothing makes a version of it that isn't.
        let enabled = |version: &KeyVersion| version.enabled == Some(true);
        if !matches!((&seen.vault, &seen.version), (Ok(Some(_)), Ok(Some(version))) if enabled(version)) {
            return findings;
        }
        if let Some((rotation, policy)) = upkeep.rotation.zip(policy) {
            self.policy(key, rotation, policy, &mut findings);
        }
        if key.version.is_none() {
            self.versions((key, upkeep.rotated_after), &seen.versions, (in_use, since), &mut findings);
        }
        findings
    }

    fn policy(
        &self,
        key: &KeyRef,
        rotation: Rotation,
        policy: &Observation<Rc<RotationPolicy>>,
        findings: &mut Findings,
    ) {
        let address = self.address.part("rotationPolicy");
        let live = match policy {
            Ok(live) => live,
            Err(unreadable) => return findings.unknown.push(unreadable.at(address)),
        };
        let kept = live.expiry.as_ref().filter(|_| rotation.expire_after.is_none());
        if rotation.expire_after.is_some() || kept.is_some() {
            findings.notes.push(expires(&address, key, rotation, kept));
        }
        if rotates(live, rotation) {
            return findings.settled(address);
        }
        if let Some(days) = kept.and_then(IsoDuration::days).filter(|days| *days < rotation.rotate_after + KEPT_DAYS) {
            let message = format!(
                "new versions of the key {key} expire after {days} days by its rotation policy, too soon where it is rotated {rotation}: a version is needed for {KEPT_DAYS} days after it is \
                 replaced"
            );
            let help =
                format!("declare `expireAfter: {}d` or more, or rotate sooner", rotation.rotate_after + KEPT_DAYS);
            return findings.notes.push(Note::refusal(codes::CMK_ROTATION_POLICY, address, message).help(help));
        }
        let shown = live.rotate.as_ref().map_or("not rotated".to_owned(), |trigger| format!("{}", trigger.duration()));
        let outline = Outline {
            subject: format!("the rotation policy of {} in {}", key.name, key.vault.name()),
            direction: Direction::Hardens,
            before: json!({ "status": shown }),
            after: json!({ "status": rotation.to_string() }),
            reason: "the vault makes a new version by itself, at once if the newest one is older than that; whoever encrypts with the key \
                     picks it up within about a day, without an outage"
                .to_owned(),
            operations: vec![SET_ROTATION_POLICY.facts()],
            ..self.outline("rotationPolicy", Action::Update, SET)
        };
        findings.changes.push(Planned::new(outline, Work::step(Rc::new(SetRotation { key: key.clone(), rotation }))));
    }

    fn versions(
        &self,
        (key, after): (&KeyRef, Option<Timestamp>),
        versions: &Observation<Rc<[KeyVersion]>>,
        (in_use, since): (bool, Option<Timestamp>),
        findings: &mut Findings,
    ) {
        let now = self.comparing.now;
        let address = self.address.part("version");
        let due = after.filter(|after| *after <= now);
        let all = match versions {
            Ok(all) => all,
            // What a watched key's versions say is told by whoever watches it.
            Err(_) if due.is_none() => return,
            Err(unreadable) => return findings.unknown.push(unreadable.at(address)),
        };
        let Some(made) = newest(all) else {
            if due.is_some() {
                let reason = "when the versions of the key were made isn't told";
                findings.unknown.push(Unreadable::because(reason).at(address));
            }
            return;
        };
        match due {
            Some(after) if made < after => {
                return findings.changes.push(self.rotate(key, made, after));
            }
            Some(_) => findings.settled(address.clone()),
            None => {}
        }
        let picked_up = since.is_some_and(|since| made <= since) || now.duration_since(made) >= PICKED_UP;
        if in_use && all.len() > 1 && !picked_up {
            let kept = made.saturating_add(VERSIONS_KEPT).unwrap_or(Timestamp::MAX);
            let detail = format!(
                "the new version of the key {key} is picked up within about a day; the one before must stay enabled until {kept:.0}"
            );
            findings.waiting.push(Waiting { address, waiting_for: WaitingFor::Service, since: Some(made), detail });
        }
    }

    fn rotate(&self, key: &KeyRef, made: Timestamp, after: Timestamp) -> Planned {
        let outline = Outline {
            subject: format!("the key {} in {}", key.name, key.vault.name()),
            direction: Direction::Hardens,
            before: json!({ "status": format!("version of {made:.0}") }),
            after: json!({ "status": format!("version made after {after:.0}") }),
            reason: format!(
                "`rotatedAfter` is {after:.0}, and the newest version was made before; the new one is picked up within about a day, \
                 without an outage, and the one before must stay enabled for 28 days"
            ),
            operations: vec![ROTATE_KEY.facts()],
            ..self.outline("version", Action::Rotate, ROTATE)
        };
        Planned::new(outline, Work::step(Rc::new(RotateKey { key: key.clone(), after })))
    }
}

/// That versions made from now on expire.
fn expires(address: &Address, key: &KeyRef, rotation: Rotation, kept: Option<&IsoDuration>) -> Note {
    let message = match (rotation.expire_after, kept) {
        (Some(days), _) => format!("versions of the key {key} expire {days} days after they are made"),
        (None, kept) => format!(
            "versions of the key {key} expire by its rotation policy{}, which the file doesn't manage",
            kept.map(|kept| format!(" ({kept})")).unwrap_or_default()
        ),
    };
    let message = format!("{message}; an expired key locks every environment that is encrypted with it");
    Note::finding(codes::CMK_VERSIONS_EXPIRE, Severity::Warning, address.clone(), message)
}

/// What nobody can read, and somebody has to know.
pub fn doubts(address: &Address, doubts: &[String]) -> Vec<Note> {
    let note = |doubt: &String| {
        Note::finding(codes::CMK_PERIMETER, Severity::Warning, address.clone(), doubt)
            .help("make sure that the perimeter lets in who encrypts with the key, before it is enforced")
    };
    doubts.iter().map(note).collect()
}
