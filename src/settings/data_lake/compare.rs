//! Declared against observed, for the data lake. Pure.

use super::block::{Block, Declared};
use super::observe::{Observed, uses};
use super::steps::Former;
use super::{encryption, network, notes};
use crate::azure::storage::Account;
use crate::plan::{Address, Findings, Note};
use crate::settings::block::Block as _;
use crate::settings::setting::Comparing;

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
    let live = account.encryption.as_ref()?;
    let former = Former::of(live)?;
    let declares_it = declared.key().is_some_and(|wanted| uses(live, wanted));
    // Another environment that names the account may declare it for both.
    let key = format!("/vaults/{}/keys/{}", former.vault, former.name).to_lowercase();
    let elsewhere = comparing.elsewhere.iter().filter(|other| other.setting == Block::KEY);
    let declared_elsewhere = elsewhere.into_iter().any(|other| other.resource.as_str().to_lowercase().ends_with(&key));
    (!declares_it && !declared_elsewhere).then(|| notes::unwatched(&address.part(KEY), &account.id, &former))
}
