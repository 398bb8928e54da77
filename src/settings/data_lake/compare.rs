//! Declared against observed, for the data lake. Pure.

use super::block::{Block, Declared};
use super::observe::{Observed, uses};
use super::steps::Former;
use super::{encryption, network, notes};
use crate::azure::storage::{Account, KeySource};
use crate::plan::{Address, Findings, Note};
use crate::settings::block::Block as _;
use crate::settings::setting::Comparing;
use crate::terms::text::brief;

/// The parts of the setting's address, besides its grants.
pub(super) const IDENTITY: &str = "identity";
pub(super) const ENCRYPTION: &str = "encryption";
pub(super) const KEY: &str = "key";
pub(super) const ACCESS: &str = "publicNetworkAccess";

/// Compares.
pub(super) fn compare(declared: &Declared, observed: &Observed, comparing: &Comparing<'_>) -> Findings {
    let address = comparing.address(Block::KEY);
    let mut findings = Findings::default();
    let account = match &observed.account {
        Ok(Some(account)) => account,
        Ok(None) => {
            findings.notes.push(notes::not_found(&address, &declared.account));
            return findings;
        }
        Err(unreadable) => {
            findings.unknown.push(unreadable.at(address));
            return findings;
        }
    };
    findings.notes.extend(notes::facts(&address, account, comparing));
    findings.notes.push(notes::unreadable(&address, &declared.account));
    if declared.wanted.is_none() && declared.access.is_none() {
        findings.settled(address.clone());
    }
    if let Some(wanted) = &declared.wanted {
        encryption::compare(declared, wanted, (account, observed.key.as_ref()), comparing, &mut findings);
    }
    findings.notes.extend(unwatched(declared, account, &address, comparing));
    network::compare(declared, account, comparing, &mut findings);
    findings
}

/// The account is encrypted with a key in a vault that isn't the declared one: by its address alone, nothing of it can be looked at.
fn unwatched(declared: &Declared, account: &Account, address: &Address, comparing: &Comparing<'_>) -> Option<Note> {
    let note = |key: &str| Some(notes::unwatched(&address.part(KEY), &account.id, key));
    let Some((live, former)) = account.encryption.as_ref().and_then(|live| Some((live, Former::of(live)?))) else {
        // Where something is declared of it, that is told there.
        return unnamed(account).filter(|_| declared.wanted.is_none()).and_then(|key| note(&key));
    };
    let declares_it = declared.key().is_some_and(|wanted| uses(live, wanted));
    // Another environment that names the account may declare it for both.
    let key = format!("/vaults/{}/keys/{}", former.vault, former.name).to_lowercase();
    let elsewhere = comparing.elsewhere.iter().filter(|other| other.setting == Block::KEY);
    let declared_elsewhere = elsewhere.into_iter().any(|other| other.resource.as_str().to_lowercase().ends_with(&key));
    if declares_it || declared_elsewhere { None } else { note(&brief(&former.to_string())) }
}

/// The account's key in words, where Azure doesn't tell which one it is; none if it is Microsoft's.
fn unnamed(account: &Account) -> Option<String> {
    let Some(live) = &account.encryption else { return Some("a key of which Azure tells nothing".to_owned()) };
    match live.source() {
        KeySource::Microsoft => None,
        KeySource::KeyVault => Some("a key in a vault that Azure doesn't name".to_owned()),
        KeySource::Other(word) => Some(format!("a key from `{}`, which isn't known here", brief(&word))),
    }
}
