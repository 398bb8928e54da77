//! Whether the lake is reached over the internet. Pure.
//!
//! Invariants: it is closed only once as many complete sets of private endpoints are approved as environments name the lake, and no
//! connection that may be one of them is open; it is opened only where none leads to it.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::json;

use super::block::{Access, Block, Declared};
use super::compare::ACCESS;
use super::steps::SetAccess;
use super::{notes, risks};
use crate::azure::operations::STORAGE_UPDATE_ACCOUNT;
use crate::azure::storage::{Account, PublicNetworkAccess};
use crate::plan::{Action, Address, Direction, Findings, Impact, Outline, Planned, Waiting, WaitingFor, Work};
use crate::settings::block::Block as _;
use crate::settings::observation::Unreadable;
use crate::settings::private_links::{self, Match, Sets};
use crate::settings::setting::Comparing;
use crate::terms::text::brief;

pub(super) fn compare(declared: &Declared, account: &Account, comparing: &Comparing<'_>, findings: &mut Findings) {
    let address = comparing.address(Block::KEY).part(ACCESS);
    let word = declared.access.map(Access::word);
    if account.public_network_access == PublicNetworkAccess::Disabled && declared.access != Some(Access::Enabled) {
        let users = users(declared, comparing);
        let complete: usize = Sets::of(&declared.account, &account.connections).by_subscription.values().sum();
        if complete < users.len() {
            let names: Vec<&str> = users.keys().map(String::as_str).collect();
            findings.notes.push(notes::without_path(&address, &declared.account, &names, complete));
        }
    }
    match (declared.access, &account.public_network_access) {
        (_, PublicNetworkAccess::SecuredByPerimeter) => {
            findings.notes.push(notes::perimeter(&address, &declared.account, word));
        }
        (None, _) => {}
        (Some(_), PublicNetworkAccess::Other(word)) => {
            let why = format!("Azure says that public network access is `{}`, which isn't known here", brief(word));
            findings.unknown.push(Unreadable::because(why).at(address));
        }
        (Some(Access::Disabled), PublicNetworkAccess::Disabled)
        | (Some(Access::Enabled), PublicNetworkAccess::Enabled) => {
            findings.settled(address);
        }
        (Some(Access::Disabled), PublicNetworkAccess::Enabled) => {
            close(declared, account, address, comparing, findings)
        }
        (Some(Access::Enabled), PublicNetworkAccess::Disabled) => open(declared, account, address, comparing, findings),
    }
}

/// The environments that name the lake, each with whether it declares a private link to it.
pub(super) fn users(declared: &Declared, comparing: &Comparing<'_>) -> BTreeMap<String, bool> {
    let links = comparing.beside.of::<private_links::Block>();
    let own = links.is_some_and(|links| links.links.iter().any(|link| same(declared, &link.resource)));
    let mut users = BTreeMap::from([(comparing.head.scope().to_string(), own)]);
    for other in comparing.elsewhere.iter().filter(|other| same(declared, &other.resource)) {
        *users.entry(other.environment.to_string()).or_default() |= other.setting == private_links::Block::KEY;
    }
    users
}

fn same(declared: &Declared, resource: &crate::terms::ResourceId) -> bool {
    private_links::same_resource(&declared.account, resource)
}

fn close(declared: &Declared, account: &Account, address: Address, comparing: &Comparing<'_>, findings: &mut Findings) {
    let users = users(declared, comparing);
    let sets = Sets::of(&declared.account, &account.connections);
    let lacking = lacking(declared, &users, &sets, comparing);
    if !lacking.is_empty() {
        let detail = format!(
            "public access stays open until every environment that names {} ({}) is linked to it, with four approved private endpoints \
             each: {}",
            declared.account.name(),
            users.keys().map(String::as_str).collect::<Vec<_>>().join(", "),
            lacking.join("; ")
        );
        findings.waiting.push(Waiting { address, waiting_for: WaitingFor::Person, since: None, detail });
        return;
    }
    let reason = format!(
        "declared disabled, currently enabled; the private endpoints of {} are approved; everyone who comes over the internet loses \
         access, and firewall rules stay as they are",
        users.keys().map(String::as_str).collect::<Vec<_>>().join(", "),
    );
    findings.changes.push(change(declared, Access::Disabled, address, reason));
}

/// Why the lake can't be closed yet. Whose a set is can't be told, so that every doubt counts.
fn lacking(declared: &Declared, users: &BTreeMap<String, bool>, sets: &Sets, comparing: &Comparing<'_>) -> Vec<String> {
    let Sets { by_subscription, open } = sets;
    let complete: usize = by_subscription.values().sum();
    let mut lacking = Vec::new();
    if complete < users.len() {
        let sets = if users.len() == 1 { "set" } else { "sets" };
        lacking.push(format!("{complete} of {} {sets} approved", users.len()));
        let unlinked: Vec<&str> = users.iter().filter(|(_, linked)| !**linked).map(|(name, _)| name.as_str()).collect();
        if !unlinked.is_empty() {
            let verb = if unlinked.len() == 1 { "declares" } else { "declare" };
            lacking.push(format!("{} {verb} no private link to it", unlinked.join(", ")));
        }
    }
    if !open.is_empty() {
        lacking.push(format!(
            "not approved: {}; approve what is needed, and remove in Azure only what is known to be nobody's",
            open.join(", ")
        ));
    }
    let Some(links) = comparing.beside.of::<private_links::Block>() else { return lacking };
    match links.links.iter().find(|link| same(declared, &link.resource)) {
        Some(link) => {
            let from = link.approval.subscription();
            if let Some(from) = from.filter(|from| complete >= users.len() && !by_subscription.contains_key(from)) {
                lacking.push(format!("no approved set of endpoints comes from the subscription {from}"));
            }
        }
        None if own_link_goes(declared, comparing) => {
            lacking.push(
                "`privateLinks` with `match: exact` doesn't list it, so this environment's link is removed".to_owned(),
            );
        }
        None => {}
    }
    lacking
}

/// Whether this environment's own link to the lake is removed, if there is one.
fn own_link_goes(declared: &Declared, comparing: &Comparing<'_>) -> bool {
    let links = comparing.beside.of::<private_links::Block>();
    links.is_some_and(|links| {
        links.matching == Match::Exact && !links.links.iter().any(|link| same(declared, &link.resource))
    })
}

fn open(declared: &Declared, account: &Account, address: Address, comparing: &Comparing<'_>, findings: &mut Findings) {
    let endpoints = private_links::named_like_ours(&declared.account, &account.connections);
    if !endpoints.is_empty() && own_link_goes(declared, comparing) && users(declared, comparing).len() == 1 {
        let detail = format!(
            "it is opened once no private endpoint leads to {} any more: `match: exact` removes the link; remove in Azure what is left \
             of it: {}",
            declared.account.name(),
            endpoints.join(", ")
        );
        return findings.waiting.push(Waiting { address, waiting_for: WaitingFor::Person, since: None, detail });
    }
    if !endpoints.is_empty() {
        return findings.notes.push(notes::still_linked(&address, &declared.account, &endpoints));
    }
    let reason =
        "declared enabled, currently disabled; every network reaches the account then, subject to its firewall";
    findings.changes.push(change(declared, Access::Enabled, address, reason.to_owned()));
}

fn change(declared: &Declared, to: Access, address: Address, reason: String) -> Planned {
    let name = declared.account.name();
    let (action, direction, risk, impact, from, danger) = match to {
        Access::Disabled => (
            Action::Disable,
            Direction::Hardens,
            risks::CLOSE,
            Impact::Interrupts,
            Access::Enabled,
            "Cuts off everyone who comes over the internet",
        ),
        Access::Enabled => (
            Action::Enable,
            Direction::Weakens,
            risks::OPEN,
            Impact::None,
            Access::Disabled,
            "Opens to every network, subject to the firewall",
        ),
    };
    let outline = Outline {
        address,
        setting: Block::KEY,
        subject: format!("public network access to {name}"),
        action,
        direction,
        risk,
        impact,
        before: json!(from.word()),
        after: json!(to.word()),
        reason,
        source: declared.parts[1].clone(),
        operations: vec![STORAGE_UPDATE_ACCOUNT.facts()],
    };
    let step = SetAccess { account: declared.account.clone(), to };
    Planned::new(outline, Work::step(Rc::new(step))).dangerous(danger, format!("the storage account {name}"))
}
