//! What keeps an environment alive that is linked to a policy, whether or not the file says so. Pure.
//!
//! Invariants: an environment on Microsoft's key needs nothing; nothing is planned here; what could not be read of an environment that is
//! known to be on a customer's key is an error, since nobody else watches it.

use super::block::{Block, Declared};
use super::locked;
use super::observe::{Chain, Observed, own_key};
use super::provision::Losses;
use super::{codes, demands, grants, notes};
use crate::azure::power_platform::environments::Environment;
use crate::azure::power_platform::operations::Kind;
use crate::azure::power_platform::policies::Health;
use crate::plan::{Address, Findings, Lifeline, Note, Severity};
use crate::settings::block::Block as _;
use crate::settings::encryption_keys::demands::{Fault, Onset};
use crate::settings::encryption_keys::lifeline::{Checked, InUse, MARGIN};
use crate::settings::encryption_keys::{self as keys, KeyRef, upkeep};
use crate::settings::lifecycle::{Course, UnderWay};
use crate::settings::observation::Unreadable;
use crate::settings::setting::Comparing;
use crate::terms::VaultId;

/// What an environment that is linked to a chain can't live without: the key that its policy refers to, whatever the file says of it.
pub(super) fn lifeline(of: String, chain: &Chain) -> Lifeline {
    let own = chain.policy.as_ref().ok().and_then(|policy| own_key(policy.as_deref()?));
    let key = own.as_ref().or(chain.key.as_ref());
    let vault = key.map(|key| key.vault.resource().clone());
    let needs = [Some(chain.id.clone()), vault, key.and_then(KeyRef::resource)].into_iter().flatten().collect();
    Lifeline { of, needs }
}

/// The chain that the environment is linked to, where the file wants another one, or none: until then it lives on this one.
pub(super) fn left(
    chain: &Chain,
    (live, course): (&Environment, Option<&Course>),
    comparing: &Comparing<'_>,
) -> Findings {
    let address = comparing.address(Block::KEY).part("linked");
    let Checked { faults, unread, doubts } = chain_in_use(chain, live, comparing);
    let mut findings = Findings { notes: upkeep::doubts(&address, &doubts), ..Findings::default() };
    let mut losses = Losses::default();
    losses.unread = !unread.is_empty();
    for fault in &faults {
        losses.lost(fault, false, comparing.now);
        findings.notes.push(notes::at_risk(&address, fault, live, comparing.now));
    }
    findings.unknown.extend(unread.iter().map(|unreadable| unreadable.at(address.clone())));
    if course.is_some_and(|course| locked::is_locked(live, course)) {
        findings.notes.push(locked::note(&comparing.address(Block::KEY), live, &losses, comparing.now));
    }
    findings
}

/// That nothing tells which policy an environment is leaving.
fn leaves_unseen(address: &Address, operation: &UnderWay) -> Option<Note> {
    let swaps = operation.what == Kind::RotateCustomerManagedKey.as_str();
    swaps.then(|| notes::leaves_unseen(address))
}

/// The policies that an environment may be leaving: Power Platform shows the new link at once, and not the one before.
pub(super) fn leaving(
    declared: &Declared,
    observed: &Observed,
    (live, operation): (&Environment, &UnderWay),
    comparing: &Comparing<'_>,
) -> Findings {
    let mut findings = Findings::default();
    let of = comparing.head.scope().to_string();
    let linked = live.links.encryption.as_ref().and_then(|link| link.policy.as_ref());
    let named = declared.retained.iter().zip(&observed.retained);
    let former = named.filter(|(one, chain)| {
        // One that could not be read may well be it.
        let may_be_it = !matches!(chain.policy, Ok(None)) && super::retained::of_key(one, chain).is_none();
        linked != Some(&chain.id) && may_be_it && !super::retained::is_over(one, live, comparing.now)
    });
    for (one, chain) in former {
        findings.lifelines.push(lifeline(of.clone(), chain));
        let address = comparing.address(Block::KEY).part(&super::retained::part(declared, one));
        let Checked { faults, unread, doubts } = chain_in_use(chain, live, comparing);
        findings.notes.extend(upkeep::doubts(&address, &doubts));
        findings.notes.extend(faults.iter().map(|fault| notes::at_risk(&address, fault, live, comparing.now)));
        findings.unknown.extend(unread.iter().map(|unreadable| unreadable.at(address.clone())));
    }
    if findings.lifelines.is_empty() {
        findings.notes.extend(leaves_unseen(&comparing.address(Block::KEY), operation));
    }
    findings
}

/// A declared environment of whose key the file says nothing.
pub(super) fn compare(observed: &Observed, comparing: &Comparing<'_>) -> Findings {
    let address = comparing.address(Block::KEY);
    match comparing.hosting {
        Ok(hosting) => {
            let watched = Watched { live: &hosting.live, of: comparing.head.scope().to_string(), address };
            watched.compare(observed, comparing)
        }
        Err(unreadable) => Findings { notes: vec![unwatched(&address, unreadable)], ..Findings::default() },
    }
}

/// An environment of whose key the file says nothing.
pub(in crate::settings) struct Watched<'a> {
    /// What administration says of it.
    pub(in crate::settings) live: &'a Environment,
    /// As people know it.
    pub(in crate::settings) of: String,
    /// Under which address it is told.
    pub(in crate::settings) address: Address,
}

impl Watched<'_> {
    /// All that is wrong with what keeps it alive.
    pub(in crate::settings) fn compare(self, observed: &Observed, comparing: &Comparing<'_>) -> Findings {
        let Self { live, of, address } = self;
        let mut findings = Findings::default();
        if live.links.encryption.is_none() {
            return findings;
        }
        let course = observed.course.as_ref();
        let Some(chain) = &observed.former else {
            let unreadable = Unreadable::because("Power Platform doesn't tell which policy in Azure it is linked to");
            findings.notes.push(blind(&address, &unreadable));
            return findings;
        };
        findings.lifelines = vec![lifeline(of, chain)];
        let seen = chain_in_use(chain, live, comparing);
        findings.notes.extend(upkeep::doubts(&address, &seen.doubts));
        if let Ok(Some(policy)) = &chain.policy {
            findings.notes.extend(notes::health(&address, policy));
        }
        let mut losses = Losses::default();
        for fault in &seen.faults {
            losses.lost(fault, false, comparing.now);
            findings.notes.push(notes::at_risk(&address, fault, live, comparing.now));
        }
        losses.unread = !seen.unread.is_empty();
        findings.notes.extend(seen.unread.iter().map(|unreadable| blind(&address, unreadable)));
        match course {
            Ok(course) if locked::is_locked(live, course) => {
                findings.notes.push(locked::note(&address, live, &losses, comparing.now))
            }
            Err(unreadable) if may_be_locked(live) => findings.notes.push(blind(&address, unreadable)),
            _ => {}
        }
        if let Ok(Course::UnderWay(operation)) = course {
            findings.notes.extend(leaves_unseen(&address, operation));
            findings.notes.extend(notes::overdue(&address, operation, comparing));
        }
        findings
    }
}

fn may_be_locked(live: &Environment) -> bool {
    locked::is_locked(live, &Course::Idle)
}

/// All that is wrong with a policy, its key and its identity's right, where an environment is encrypted with it.
pub(super) fn chain_in_use(chain: &Chain, live: &Environment, comparing: &Comparing<'_>) -> Checked {
    let mut checked = Checked::default();
    let about = Some(chain.id.clone());
    match &chain.policy {
        Ok(Some(policy)) => {
            checked.faults.extend(demands::of_policy(policy, None));
        }
        Ok(None) => {
            let what = format!("Azure has no enterprise policy {} any more", chain.id.name());
            let fault = Fault::new(codes::CMK_POLICY_NOT_FOUND, what, demands::SUPPORT);
            checked.faults.push(fault.onset(Onset::Untold).of(about));
            return checked;
        }
        Err(unreadable) => {
            checked.unread.push(unreadable.clone());
            return checked;
        }
    }
    let Some(key) = &chain.key else {
        checked.unread.push(Unreadable::because("which key the policy refers to can't be told"));
        return checked;
    };
    let here = live.azure_region.as_deref().or(live.location.as_deref());
    let in_use = InUse {
        key,
        seen: &chain.seen,
        sizes: &demands::SIZES,
        tenant: comparing.tenant,
        here,
        margin: MARGIN,
        already: true,
        now: comparing.now,
    };
    let Checked { faults, unread, doubts } = in_use.check();
    checked.faults.extend(faults);
    checked.unread.extend(unread);
    checked.doubts.extend(doubts);
    right(chain, &key.vault, &mut checked);
    let explained = checked.faults.iter().any(|fault| fault.onset.is_past(comparing.now));
    checked.faults.extend(unhealthy(chain, explained));
    checked
}

/// That a policy calls itself unhealthy, without saying why: by itself a reason to worry, beside what explains it merely a sign.
pub(super) fn unhealthy(chain: &Chain, explained: bool) -> Option<Fault> {
    let policy = chain.policy.as_ref().ok()?.as_deref()?;
    if policy.health != Some(Health::Unhealthy) {
        return None;
    }
    let name = chain.id.name();
    let fault = match explained {
        true => {
            let help = "it shows so until its key can be reached again";
            Fault::new(codes::CMK_AT_RISK, format!("Azure shows the policy {name} as Unhealthy as well"), help)
        }
        false => {
            let what = format!(
                "Azure shows the policy {name} as Unhealthy, which it isn't documented to say of anything but its key"
            );
            let help = "look at the key, at the identity's grant on it, and at the network of its vault";
            Fault::new(codes::CMK_AT_RISK, what, help).onset(Onset::Untold)
        }
    };
    Some(fault.of(Some(chain.id.clone())))
}

fn right(chain: &Chain, vault: &VaultId, checked: &mut Checked) {
    let policy = chain.policy.as_ref().ok().and_then(|policy| policy.as_deref());
    let identity = policy.and_then(|policy| policy.principal);
    // That it has no identity at all is told of the policy itself.
    if identity.is_none() && policy.is_some_and(demands::has_identity) {
        let why = format!("Azure doesn't name the identity of the policy {}", chain.id.name());
        checked.unread.push(Unreadable::because(why));
    }
    let Some(own) = &chain.own else { return };
    match (&own.vault, &own.held) {
        (Ok(Some(live)), Ok(_)) if !keys::grants::suffice(live, identity, &own.held) => {
            checked.faults.push(grants::missing(live, vault, &chain.id, identity));
        }
        (_, Err(unreadable)) => checked.unread.push(unreadable.clone()),
        _ => {}
    }
}

/// Whether it is on a customer's key isn't known.
fn unwatched(address: &Address, unreadable: &Unreadable) -> Note {
    let message = format!(
        "whether the environment is on a customer-managed key could not be read, so nothing watches what keeps it alive: {}",
        unreadable.reason
    );
    Note::finding(codes::CMK_UNWATCHED, Severity::Warning, address.clone(), message)
        .help("let this identity read the environment in Power Platform, or leave `environmentId` out")
}

/// It is, and what keeps it alive isn't known.
fn blind(address: &Address, unreadable: &Unreadable) -> Note {
    let message = format!(
        "the environment is on a customer-managed key, and part of what keeps it alive could not be read: {}",
        unreadable.reason
    );
    Note::finding(codes::CMK_UNWATCHED, Severity::Error, address.clone(), message)
        .help("grant the identity that runs palisade Reader on the policy and on the vault of its key")
}
