//! Whose key encrypts the lake. Pure.
//!
//! Invariants: what isn't known of the encryption is never taken for Microsoft's key; one change leads from key to key; the former key is
//! named as one to be kept.

use std::rc::Rc;

use serde_json::{Value as Json, json};

use super::block::{Block, Declared, Wanted};
use super::compare::ENCRYPTION;
use super::customer::Lake;
use super::observe::{Key, uses};
use super::risks;
use super::steps::{Former, SetEncryption, To};
use crate::azure::operations::STORAGE_UPDATE_ACCOUNT;
use crate::azure::storage::{Account, Encryption, KeySource};
use crate::plan::{Action, Address, Direction, Findings, Impact, Outline, Planned, Rated, Work};
use crate::settings::block::Block as _;
use crate::settings::observation::Unreadable;
use crate::settings::setting::Comparing;
use crate::terms::text::brief;

pub(super) fn compare(
    declared: &Declared,
    wanted: &Wanted,
    (account, key): (&Account, Option<&Key>),
    comparing: &Comparing<'_>,
    findings: &mut Findings,
) {
    let address = comparing.address(Block::KEY).part(ENCRYPTION);
    let name = account.id.name();
    let unknown = |why: String| Unreadable::because(why).at(address.clone());
    let Some(live) = &account.encryption else {
        return findings.unknown.push(unknown(format!("Azure doesn't tell what {name} is encrypted with")));
    };
    match live.source() {
        KeySource::Other(word) => {
            let why =
                format!("Azure says that the key of {name} comes from `{}`, which isn't known here", brief(&word));
            return findings.unknown.push(unknown(why));
        }
        KeySource::KeyVault if Former::of(live).is_none() => {
            let why = format!("Azure says that {name} is encrypted with a key in a vault, and doesn't name it");
            return findings.unknown.push(unknown(why));
        }
        KeySource::KeyVault | KeySource::Microsoft => {}
    }
    match (wanted, key) {
        (Wanted::Microsoft, _) => revert(declared, live, address, findings),
        (Wanted::Customer(wanted), Some(key)) => {
            let in_force = uses(live, wanted);
            let lake = Lake { declared, account, live, wanted, key, comparing, in_force };
            lake.compare(findings);
        }
        (Wanted::Customer(_), None) => findings.unknown.push(unknown("the key was not read".to_owned())),
    }
}

/// What the lake is encrypted with, as plans show it.
pub(super) fn shown(live: &Encryption) -> Json {
    match Former::of(live) {
        Some(former) => json!({ "status": brief(&former.to_string()), "managedBy": "customer" }),
        None => microsofts(),
    }
}

fn microsofts() -> Json {
    json!({ "status": "Microsoft's key", "managedBy": "microsoft" })
}

fn revert(declared: &Declared, live: &Encryption, address: Address, findings: &mut Findings) {
    let Some(former) = Former::of(live) else { return findings.settled(address) };
    let named = brief(&former.to_string());
    let change = Change {
        direction: Direction::Weakens,
        risk: risks::REVERT,
        before: shown(live),
        after: microsofts(),
        reason: format!(
            "declared on Microsoft's key, currently on {named}; the key and the grant on it stay, and nothing is encrypted anew: keep \
             them for what was written before"
        ),
    };
    let step = SetEncryption {
        account: declared.account.clone(),
        to: To::Microsoft,
        from: Some(former),
        acting: live.acting().map(str::to_owned),
        busy: None,
    };
    findings.changes.push(change.plan(declared, address, step));
}

/// What is said of a change of the encryption.
pub(super) struct Change {
    pub(super) direction: Direction,
    pub(super) risk: Rated,
    pub(super) before: Json,
    pub(super) after: Json,
    pub(super) reason: String,
}

impl Change {
    pub(super) fn plan(self, declared: &Declared, address: Address, step: SetEncryption) -> Planned {
        let Self { direction, risk, before, after, reason } = self;
        let outline = Outline {
            address,
            setting: Block::KEY,
            subject: format!("the storage account {}", declared.account.name()),
            action: Action::Update,
            direction,
            risk,
            impact: Impact::None,
            before,
            after,
            reason,
            source: declared.parts[0].clone(),
            operations: vec![STORAGE_UPDATE_ACCOUNT.facts()],
        };
        Planned::new(outline, Work::step(Rc::new(step)))
    }
}
