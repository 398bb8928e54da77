//! What is planned for an environment that isn't known to be the one that is meant: nothing.
//!
//! Invariants: a service that could not be read is told once, for the environment, with the settings that it leaves unknown; what
//! another service showed stays; a change becomes unknown, never silence.

use super::hosting::Hosting;
use super::observation::{Observation, Unreadable};
use super::reach::Reached;
use super::registry::Reviewed;
use super::setting::Need;
use crate::plan::{Account, Address, Planned, Unknown};
use crate::terms::{EnvironmentHead, Head};

/// Gives an account its findings, without what must not be planned.
pub(super) fn told(
    account: &mut Account,
    reviewed: Vec<Reviewed>,
    instance: &Observation<Reached>,
    hosting: &Observation<Hosting>,
) {
    let (needs, findings): (Vec<_>, Vec<_>) = reviewed.into_iter().map(|it| (it.needs, it.findings)).unzip();
    account.findings = findings;
    let Head::Environment(head) = account.head.clone() else { return };
    if let (Some(_), Err(unreadable)) = (head.instance_id, instance) {
        tell_once(account, &head, &concerned(&needs, Need::Instance), unreadable, "the instance can't be read");
    }
    let in_platform = concerned(&needs, Need::Environment);
    match hosting {
        Err(unreadable) if head.instance_id.is_none() || in_platform.contains(&true) => {
            tell_once(account, &head, &in_platform, unreadable, "the Power Platform environment can't be read");
        }
        _ => {
            let Some(why) = obstacle(hosting) else { return };
            hold(account, &in_platform, &why);
        }
    }
}

/// Which settings can't do without an id.
fn concerned(needs: &[&'static [Need]], need: Need) -> Vec<bool> {
    needs.iter().map(|needs| needs.contains(&need)).collect()
}

/// Why nothing may be changed in Power Platform, if so.
pub(super) fn obstacle(hosting: &Observation<Hosting>) -> Option<String> {
    match hosting {
        Err(unreadable) => Some(unreadable.reason.clone()),
        Ok(Hosting { unbound: Some(why), .. }) => Some(why.clone()),
        Ok(Hosting { unbound: None, .. }) => None,
    }
}

/// What could not be read is told for the environment, with the settings that it leaves unknown. What else was seen stays; but
/// nothing is planned in them for an environment that may be another one than the file means.
fn tell_once(account: &mut Account, head: &EnvironmentHead, concerned: &[bool], unreadable: &Unreadable, why: &str) {
    let is_cause = |unknown: &Unknown| unknown.reason == unreadable.reason && unknown.operation == unreadable.operation;
    let mut settings: Vec<String> = Vec::new();
    for (findings, _) in account.findings.iter_mut().zip(concerned).filter(|(_, concerned)| **concerned) {
        let (same, others): (Vec<_>, _) = std::mem::take(&mut findings.unknown).into_iter().partition(is_cause);
        let name = |unknown: &Unknown| unknown.address.within_scope().split('/').next().map(str::to_owned);
        settings.extend(same.iter().filter_map(name));
        findings.unknown = others;
    }
    hold(account, concerned, why);
    settings.dedup();
    if account.notes.is_empty() {
        let mut whole = unreadable.at(Address::scope(&head.scope()));
        if !settings.is_empty() {
            whole.reason = format!("{} (not read for this reason: {})", whole.reason, settings.join(", "));
        }
        account.unknown.push(whole);
    }
}

/// The changes of these settings become unknown.
fn hold(account: &mut Account, concerned: &[bool], why: &str) {
    for (findings, _) in account.findings.iter_mut().zip(concerned).filter(|(_, concerned)| **concerned) {
        let planned = std::mem::take(&mut findings.changes).into_iter();
        findings.unknown.extend(planned.map(|planned| held_back(planned, why)));
    }
}

fn held_back(planned: Planned, why: &str) -> Unknown {
    let change = planned.change;
    let reason = format!("nothing is planned while {why}; seen elsewhere: {}", change.reason);
    Unreadable::because(reason).at(change.address)
}
