//! The customer's key for the lake: what stands, what is missing, and what is done. Pure.
//!
//! Invariants: what is wrong with a key that is yet to be used refuses the scope, and of one that is in use it is a finding that people
//! must act on; the identity that uses the key is kept, and named by its resource.

use std::rc::Rc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};

use super::block::{Block, Declared};
use super::compare::{ENCRYPTION, IDENTITY, KEY};
use super::encryption::{Change, shown};
use super::network::users;
use super::observe::{Holder, Key, holder, principal};
use super::steps::{AssignIdentity, Former, SetEncryption, To};
use super::{notes, risks};
use crate::azure::operations::STORAGE_UPDATE_ACCOUNT;
use crate::azure::rights::Holding;
use crate::azure::storage::{Account, Encryption};
use crate::azure::vault_keys::KeyVersion;
use crate::azure::vaults::Vault;
use crate::plan::{
    Action, Address, Direction, Findings, Impact, Lifeline, Note, Outline, Planned, Severity, Waiting, WaitingFor, Work,
};
use crate::settings::block::Block as _;
use crate::settings::encryption_keys::demands::{self, Fault, Onset};
use crate::settings::encryption_keys::grants::{self, Granting};
use crate::settings::encryption_keys::lifeline::{Checked, InUse, MARGIN};
use crate::settings::encryption_keys::upkeep::{self, Keeper};
use crate::settings::encryption_keys::{KeyRef, codes};
use crate::settings::observation::Unreadable;
use crate::settings::setting::Comparing;
use crate::terms::ResourceId;
use crate::terms::text::brief;

/// Bits of an RSA key.
const SIZES: [u32; 3] = [2048, 3072, 4096];
/// Storage looks for a new version about once a day.
const GRACE: SignedDuration = SignedDuration::from_hours(26);

/// The customer's key is wanted.
pub(super) struct Lake<'a> {
    pub(super) declared: &'a Declared,
    pub(super) account: &'a Account,
    pub(super) live: &'a Encryption,
    pub(super) wanted: &'a KeyRef,
    pub(super) key: &'a Key,
    pub(super) comparing: &'a Comparing<'a>,
    pub(super) in_force: bool,
}

/// What the encryption has to wait for.
#[derive(Default)]
struct Before {
    requires: Vec<Address>,
    /// It can't be changed, for a reason that is among the findings.
    blocked: bool,
    busy: Option<String>,
}

impl Lake<'_> {
    fn address(&self, part: &str) -> Address {
        self.comparing.address(Block::KEY).part(part)
    }

    pub(super) fn compare(&self, findings: &mut Findings) {
        let address = self.address(ENCRYPTION);
        let holder = holder(self.account);
        if let Holder::Unfit(why) = &holder {
            return findings.notes.push(notes::unfit_holder(&address, why));
        }
        let mut before = Before::default();
        self.identity(&holder, &mut before, findings);
        let vault = self.demands(&holder, &mut before, findings);
        // To an identity that isn't there, nothing can be granted.
        let nobody = self.in_force && principal(self.account).is_none();
        if let Some(vault) = vault.filter(|_| !nobody) {
            self.grant(&holder, vault, &mut before, findings);
        }
        findings.notes.extend(self.wanted.version.iter().map(|version| notes::pinned(&address, version)));
        if self.in_force {
            findings.settled(address);
            return self.followed(findings);
        }
        match vault.map(|vault| &vault.properties.vault_uri) {
            Some(Some(uri)) if !before.blocked => findings.changes.push(self.encrypt(uri.clone(), before)),
            Some(None) => {
                let why = format!("Azure doesn't tell the address of the vault {}", self.wanted.vault.name());
                findings.unknown.push(Unreadable::because(why).at(address));
            }
            _ => {}
        }
    }

    /// Something isn't as it must be.
    fn fault(&self, address: &Address, fault: Fault, before: &mut Before, findings: &mut Findings) {
        before.blocked = true;
        findings.notes.push(match self.in_force {
            true => notes::at_risk(address, &fault, self.comparing.now),
            false => notes::refused(address, fault),
        });
    }

    fn unknown(&self, address: &Address, unreadable: &Unreadable, before: &mut Before, findings: &mut Findings) {
        before.blocked = true;
        findings.unknown.push(unreadable.at(address.clone()));
    }

    fn identity(&self, holder: &Holder, before: &mut Before, findings: &mut Findings) {
        let address = self.address(IDENTITY);
        let name = self.account.id.name();
        let has = match holder {
            Holder::Account => self.account.identity.has_own(),
            Holder::Given(_) | Holder::Unfit(_) => true,
        };
        match (has, principal(self.account)) {
            (true, Some(_)) => findings.in_effect.push(address),
            (true, None) => {
                before.blocked = true;
                let detail = format!("Azure doesn't name the identity of {name} yet, as which it uses the key");
                findings.waiting.push(Waiting { address, waiting_for: WaitingFor::Service, since: None, detail });
            }
            (false, _) if self.in_force => {
                let what = format!("{name} has no identity of its own any more, as which it uses the key");
                let help = format!(
                    "give it one, which the next plan grants the key: {}",
                    notes::update(&self.account.id, "--identity-type SystemAssigned")
                );
                let fault = Fault::new(super::codes::LAKE_AT_RISK, what, help).onset(Onset::Untold);
                self.fault(&address, fault.of(Some(self.declared.account.clone())), before, findings);
            }
            (false, _) => {
                before.requires.push(address.clone());
                findings.changes.push(self.assign(address));
            }
        }
    }

    fn assign(&self, address: Address) -> Planned {
        let given: Vec<&str> = self.account.identity.user_assigned_identities.keys().map(String::as_str).collect();
        let stay = match given.len() {
            0 => String::new(),
            1 => "; its user-assigned identity stays".to_owned(),
            several => format!("; its {several} user-assigned identities stay"),
        };
        let outline = Outline {
            address,
            setting: Block::KEY,
            subject: format!("the storage account {}", self.account.id.name()),
            action: Action::Create,
            direction: Direction::Neutral,
            risk: risks::IDENTITY,
            impact: Impact::None,
            before: Json::Null,
            after: json!({ "status": "an identity of its own" }),
            reason: format!(
                "Azure Storage uses {} as an identity of the account's own, and it has none{stay}",
                self.wanted.name
            ),
            source: self.declared.parts[0].clone(),
            operations: vec![STORAGE_UPDATE_ACCOUNT.facts()],
        };
        Planned::new(outline, Work::step(Rc::new(AssignIdentity { account: self.declared.account.clone() })))
    }

    /// What is wrong with vault and key; the vault, if there is one. What brings a key in use back is planned.
    fn demands(&self, holder: &Holder, before: &mut Before, findings: &mut Findings) -> Option<&Vault> {
        let (address, key, seen) = (self.address(KEY), self.wanted, &self.key.seen);
        let in_use = InUse {
            key,
            seen,
            sizes: &SIZES,
            tenant: self.comparing.tenant,
            // Storage and its key may be in different regions.
            here: None,
            margin: MARGIN,
            already: self.in_force,
            now: self.comparing.now,
        };
        let Checked { faults, unread, doubts } = in_use.check();
        findings.notes.extend(upkeep::doubts(&address, &doubts));
        unread.iter().for_each(|unreadable| self.unknown(&address, unreadable, before, findings));
        for fault in faults {
            if self.in_force {
                let repair = self.keeper(&address).repair(key, &fault);
                self.lost(&address, fault, repair, before, findings);
            } else if fault.code == codes::CMK_KEY_EXPIRES {
                let note = Note::finding(fault.code, Severity::Warning, address.clone(), fault.what);
                findings.notes.push(note.help(fault.help));
            } else {
                let fault = demands::of_new(key, fault, Some(&self.account.location));
                self.fault(&address, fault, before, findings);
            }
        }
        findings.in_effect.extend(self.keeper(&address).standing(seen));
        if self.in_force {
            let given = match holder {
                Holder::Given(given) => Some(given.clone()),
                Holder::Account | Holder::Unfit(_) => None,
            };
            let own = [Some(key.vault.resource().clone()), key.resource(), Some(self.declared.account.clone()), given];
            let needs: Vec<ResourceId> = own.into_iter().flatten().collect();
            let users = users(self.declared, self.comparing).into_keys();
            findings.lifelines.extend(users.map(|of| Lifeline { of, needs: needs.clone() }));
        }
        seen.vault.as_ref().ok()?.as_deref()
    }

    fn keeper<'k>(&'k self, key: &'k Address) -> Keeper<'k> {
        Keeper { setting: Block::KEY, address: key, source: &self.declared.parts[0], comparing: self.comparing }
    }

    /// Something is wrong with the key in use, and this brings it back, if anything does.
    fn lost(
        &self,
        address: &Address,
        fault: Fault,
        repair: Option<Planned>,
        before: &mut Before,
        findings: &mut Findings,
    ) {
        before.blocked = true;
        let by = repair.as_ref().map(|planned| planned.change.address.clone());
        findings.notes.push(notes::at_risk(address, &fault, self.comparing.now).repaired_by(by.as_ref()));
        findings.changes.extend(repair);
    }

    fn grant(&self, holder: &Holder, vault: &Vault, before: &mut Before, findings: &mut Findings) {
        let id = &self.wanted.vault;
        let address = self.address(&grants::part(id));
        let granted = &self.key.granted;
        let identity = principal(self.account);
        if let Err(unreadable) = &granted.held {
            return self.unknown(&address, unreadable, before, findings);
        }
        if grants::suffice(vault, identity, &granted.held) {
            before.busy = grants::counts_late(granted, self.comparing)
                .map(|at| format!("the grant on {} may take until {at:.0} to count everywhere", id.name()));
            return findings.in_effect.push(address);
        }
        let holder = match holder {
            Holder::Given(given) => grants::Holder {
                resource: given,
                called: format!("the user-assigned identity {}", given.name()),
                identity,
            },
            Holder::Account | Holder::Unfit(_) => {
                let account = &self.declared.account;
                grants::Holder {
                    resource: account,
                    called: format!("the storage account {}", account.name()),
                    identity,
                }
            }
        };
        let missing = grants::missing(&holder, vault, id);
        if self.in_force {
            let held = granted.granting.as_ref().and_then(|granting| granting.as_ref().ok());
            let holding = held.filter(|holding| holding.lacking().is_none());
            let repair = holding.map(|holding| self.regrant(holder, vault, (&address, &missing), holding));
            return self.lost(&address, missing, repair, before, findings);
        }
        match &granted.granting {
            Some(Ok(holding)) => match holding.lacking() {
                Some(why) => {
                    before.blocked = true;
                    let detail = format!("{}, and {why}; {}", missing.what, missing.help);
                    findings.waiting.push(Waiting { address, waiting_for: WaitingFor::Person, since: None, detail });
                }
                None => findings.changes.push(self.plan_grant(holder, vault, address, holding, before)),
            },
            Some(Err(unreadable)) => self.unknown(&address, unreadable, before, findings),
            None => {
                let unread = Unreadable::because("this identity's rights on the vault were not read");
                self.unknown(&address, &unread, before, findings);
            }
        }
    }

    /// The grant that was lost, once more.
    fn regrant(
        &self,
        holder: grants::Holder<'_>,
        vault: &Vault,
        (address, missing): (&Address, &Fault),
        holding: &Holding,
    ) -> Planned {
        let what = format!("{} on {}", holder.called, self.wanted.vault.name());
        let granting = Granting {
            reason: format!("{}; {}", upkeep::LOCKDOWN, missing.what),
            holder,
            setting: Block::KEY,
            address: address.clone(),
            risk: upkeep::REPAIR,
            source: &self.declared.parts[0],
        };
        let planned = grants::plan(granting, vault, &self.wanted.vault, self.comparing);
        planned.in_doubt(holding).dangerous(upkeep::UNLOCKS, what)
    }

    fn plan_grant(
        &self,
        holder: grants::Holder<'_>,
        vault: &Vault,
        address: Address,
        holding: &Holding,
        before: &mut Before,
    ) -> Planned {
        let granting = Granting {
            reason: format!("Azure Storage uses {} as the identity of {}", self.wanted.name, holder.called),
            holder,
            setting: Block::KEY,
            address: address.clone(),
            risk: risks::GRANT,
            source: &self.declared.parts[0],
        };
        let planned = grants::plan(granting, vault, &self.wanted.vault, self.comparing);
        let planned = planned.requiring(before.requires.clone()).in_doubt(holding);
        before.requires.push(address);
        planned
    }

    fn encrypt(&self, uri: url::Url, before: Before) -> Planned {
        let Before { requires, blocked: _, busy } = before;
        let KeyRef { vault, name, version } = self.wanted;
        let former = Former::of(self.live);
        let from = former.as_ref().map(|former| brief(&former.to_string()));
        let was = match &from {
            None => format!("declared on {}, currently on Microsoft's key", self.wanted),
            Some(from) => format!(
                "declared on {}, currently on {from}; set in place, and nothing is encrypted anew: keep {from} and the grant on it for \
                 what was written before",
                self.wanted
            ),
        };
        let waits = busy.as_ref().map(|busy| format!("it has to wait: {busy}"));
        let mut after =
            json!({ "status": self.wanted.to_string(), "managedBy": "customer", "vault": vault, "key": name });
        if let Some(version) = version {
            after["version"] = json!(version);
        }
        let (direction, risk) = match from {
            Some(_) => (Direction::Neutral, risks::SWITCH),
            None => (Direction::Hardens, risks::ENCRYPT),
        };
        let reason = std::iter::once(was).chain(waits).collect::<Vec<_>>().join("; ");
        let change = Change { direction, risk, before: shown(self.live), after, reason };
        let step = SetEncryption {
            account: self.declared.account.clone(),
            to: To::Customer { key: self.wanted.clone(), uri },
            from: former,
            acting: self.live.acting().map(str::to_owned),
            busy,
        };
        let planned = change.plan(self.declared, self.address(ENCRYPTION), step).requiring(requires);
        planned.dangerous("Depends on a key of your own", format!("{} on {}", self.account.id.name(), self.wanted))
    }

    /// Whether the account moved to the newest version that it can use, in time.
    fn followed(&self, findings: &mut Findings) {
        let address = self.address(ENCRYPTION).part("version");
        // A key that isn't there has no versions, one that is pinned follows none, and what can't be read is told already.
        let (Ok(Some(_)), None, Ok(versions)) = (&self.key.seen.version, &self.wanted.version, &self.key.seen.versions)
        else {
            return;
        };
        let now = self.comparing.now;
        let newest = versions.iter().filter(|one| can_be_used(one, now)).max_by_key(|one| one.created);
        let Some(newest) = newest else { return };
        let used = self.live.key.as_ref().and_then(|key| key.current_version());
        // One that came to count later than it was made can't have been followed sooner.
        let counts = newest
            .created
            .map(|created| created.max(newest.not_before.unwrap_or(created)).max(newest.updated.unwrap_or(created)));
        let (Some(used), Some(version), Some(created)) = (used, newest.version.as_deref(), counts) else {
            let why = "Azure doesn't tell which version of the key the account uses, or which one is the newest";
            return findings.unknown.push(Unreadable::because(why).at(address));
        };
        let late = created.saturating_add(GRACE).is_ok_and(|due| due < now);
        if !used.eq_ignore_ascii_case(version) && late {
            findings.notes.push(notes::behind(&address, self.wanted, (used, version), created));
        }
    }
}

fn can_be_used(version: &KeyVersion, now: Timestamp) -> bool {
    let KeyVersion { enabled, not_before, expires, .. } = version;
    *enabled == Some(true) && not_before.is_none_or(|from| from <= now) && expires.is_none_or(|end| now < end)
}
