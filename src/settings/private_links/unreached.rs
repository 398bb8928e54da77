//! Private links where nothing is known of the instance: what Azure shows of the resources is told all the same. Pure.
//!
//! Invariants: nothing is planned, approved or called in sync; whose a connection is isn't guessed.

use super::block::{Block, Declared, Link};
use super::compare::part;
use super::notes;
use super::observe::Observed;
use crate::azure::private_endpoints::Status;
use crate::plan::{Address, Findings};
use crate::settings::block::Block as _;
use crate::settings::observation::Unreadable;
use crate::settings::setting::Comparing;

/// Compares what can be compared.
pub(super) fn compare(
    declared: &Declared,
    observed: &Observed,
    comparing: &Comparing<'_>,
    unread: &Unreadable,
) -> Findings {
    let setting = comparing.address(Block::KEY);
    let mut findings = Findings::default();
    for link in &declared.links {
        one(link, setting.part(&part(&link.resource)), observed, comparing, &mut findings);
    }
    findings.unknown.push(unread.at(setting));
    findings
}

fn one(link: &Link, address: Address, observed: &Observed, comparing: &Comparing<'_>, findings: &mut Findings) {
    let Link { resource: id, approval: _, consent, place: _ } = link;
    findings.notes.extend(notes::undocumented_type(&address, id));
    findings.notes.extend(consent.check(&address, comparing.now));
    match observed.resources.get(id) {
        Some(Ok(Some(resource))) => {
            findings.notes.extend(notes::region(&address, id.name(), &resource.location, comparing.region));
            findings.notes.extend(notes::unattributed(&address, id, &resource.connections));
            // Whose it is doesn't matter for that: somebody reaches the resource privately.
            if resource.connections.iter().any(|connection| connection.status == Status::Approved) {
                findings.notes.extend(notes::public_access(&address, id, &resource.public));
            }
        }
        Some(Ok(None)) => findings.notes.push(notes::target_missing(&address, id)),
        Some(Err(unreadable)) => findings.unknown.push(unreadable.at(address)),
        None => findings.unknown.push(Unreadable::because("the resource was not read").at(address)),
    }
}
