//! Declared against observed, for customer-managed keys. Pure.

use serde_json::{Value as Json, json};

use super::block::{Block, Declared, Protection, Wanted};
use super::demands;
use super::link::{self, Ready};
use super::observe::{Chain, Observed};
use super::provision::{self, Goal, Provision, Scene};
use super::{notes, retained, revert, steps};
use crate::azure::power_platform::environments::Environment;
use crate::azure::power_platform::{Link, LinkStatus};
use crate::plan::{Address, Findings, Waiting, WaitingFor};
use crate::settings::block::Block as _;
use crate::settings::lifecycle::Course;
use crate::settings::observation::Unreadable;
use crate::settings::setting::Comparing;
use crate::terms::text::brief;

/// Compares.
pub(super) fn compare(declared: &Declared, observed: &Observed, comparing: &Comparing<'_>) -> Findings {
    let address = comparing.address(Block::KEY);
    let mut findings = Findings::default();
    let live = match comparing.hosting {
        Ok(hosting) => &hosting.live,
        Err(unreadable) => {
            findings.unknown.push(unreadable.at(address));
            return findings;
        }
    };
    let course = match &observed.course {
        Ok(course) => course,
        Err(unreadable) => {
            findings.unknown.push(unreadable.at(address));
            return findings;
        }
    };
    let goes_on = under_way(live, course, &address, comparing, &mut findings);
    match &declared.wanted {
        Wanted::Microsoft => {
            if !goes_on {
                revert::compare(declared, observed, (live, course), comparing, &mut findings);
            }
        }
        Wanted::Customer(protection) => {
            findings.notes.push(notes::connections(&address, comparing));
            let customer = Customer { declared, protection, observed, live, course, comparing };
            findings = customer.compare(goes_on, findings);
        }
    }
    retained::compare(declared, observed, course, comparing, &mut findings);
    findings
}

/// Whether the link is being changed, or may be, which is then told. Whatever it shows now isn't what it will be.
fn under_way(
    live: &Environment,
    course: &Course,
    address: &Address,
    comparing: &Comparing<'_>,
    findings: &mut Findings,
) -> bool {
    let status = live.links.encryption.as_ref().and_then(|link| link.status.as_ref());
    let (since, detail) = match course {
        Course::UnderWay(operation) => {
            findings.notes.extend(notes::overdue(address, operation, comparing));
            let detail = format!("{}; users are locked out, for up to four days", operation.told(comparing.now));
            (operation.since, detail)
        }
        Course::Unclear(what) => {
            let reason = format!("{what}: whether that changes the environment's key can't be told");
            findings.unknown.push(Unreadable::because(reason).at(address.clone()));
            return true;
        }
        _ => match status.filter(|status| status.is_under_way()) {
            Some(status) => {
                let detail = format!("Power Platform says that the link is {status}, and lists no operation on it");
                (None, detail)
            }
            None => return false,
        },
    };
    findings.under_way = Some(detail.clone());
    findings.waiting.push(Waiting { address: address.clone(), waiting_for: WaitingFor::Service, since, detail });
    true
}

/// The customer's key is wanted.
struct Customer<'a> {
    declared: &'a Declared,
    protection: &'a Protection,
    observed: &'a Observed,
    live: &'a Environment,
    course: &'a Course,
    comparing: &'a Comparing<'a>,
}

impl Customer<'_> {
    fn compare(&self, goes_on: bool, findings: Findings) -> Findings {
        let address = self.comparing.address(Block::KEY);
        let Some(chain) = &self.observed.wanted else { return findings };
        let link = self.live.links.encryption.as_ref();
        let own = link.filter(|link| is_to(link, self.protection, chain));
        let in_force = own.is_some_and(|link| link.status == Some(LinkStatus::Linked));
        let goal = if in_force || goes_on { Goal::Keep } else { Goal::Link };
        let Self { protection, observed, live, comparing, .. } = self;
        let scene = Scene { protection, observed, live, comparing, source: &self.declared.place, goal };
        let Provision { findings: made, requires, blocked, busy, system_id } = provision::compare(&scene, chain);
        let refused = made.notes.iter().any(|note| note.refuses());
        let unread = made.unknown.iter().any(|unknown| unknown.address == address.part("policy"));
        let mut findings = findings.and(made);
        if let Some(version) = &protection.key.version {
            findings.notes.push(notes::pinned(&address, version));
        }
        if goes_on {
            return findings;
        }
        if self.course.may_still_show(steps::Link::Away.family().begun, comparing.now) && link.is_some() {
            let detail =
                "Power Platform says that putting it back on Microsoft's key succeeded, and doesn't show it yet";
            findings.waiting.push(Waiting {
                address,
                waiting_for: WaitingFor::Service,
                since: None,
                detail: detail.to_owned(),
            });
            return findings;
        }
        if in_force {
            // Which key the policy refers to is part of what is declared.
            if !refused && !unread {
                findings.settled(address.clone());
                findings.notes.push(notes::services(&address));
                // Of a linked environment, that means that its key can't be reached, as far as can be told.
                let disabled = demands::disabled(live, self.course);
                findings.notes.extend(disabled.map(|fault| notes::at_risk(&address, &fault, live)));
            }
            return findings;
        }
        if let Some(unreadable) = link.and_then(unclear) {
            findings.unknown.push(unreadable.at(address));
            return findings;
        }
        let ready = Ready { requires, busy, system_id, blocked };
        let wanted = link::Wanted {
            protection,
            retained: &self.declared.retained,
            observed,
            live,
            course: self.course,
            comparing,
            source: &self.declared.place,
        };
        link::plan(&wanted, ready, &mut findings);
        findings
    }
}

/// Whether a link leads to the declared policy, by its id in Azure, or by what Power Platform calls it.
fn is_to(link: &Link, protection: &Protection, chain: &Chain) -> bool {
    match (&link.policy, &link.system_id, &chain.policy) {
        (Some(policy), _, _) => *policy == protection.policy,
        (None, Some(linked), Ok(Some(policy))) => policy.system_id.as_ref() == Some(linked),
        _ => false,
    }
}

/// Why it can't be told how a link stands, if so.
fn unclear(link: &Link) -> Option<Unreadable> {
    match &link.status {
        None => Some(Unreadable::because("Power Platform doesn't say how the link to the policy stands")),
        Some(LinkStatus::Other(word)) => Some(Unreadable::because(format!(
            "Power Platform says that the link to the policy is `{}`, which isn't known here",
            brief(word)
        ))),
        Some(_) if link.policy.is_none() => {
            Some(Unreadable::because("Power Platform doesn't tell which policy in Azure the environment is linked to"))
        }
        Some(_) => None,
    }
}

/// A link as plans show it.
pub(super) fn shown(link: Option<&Link>) -> Json {
    let Some(link) = link else { return json!({ "status": "Microsoft's key", "managedBy": "microsoft" }) };
    let name = link.policy.as_ref().map_or("a policy", |policy| policy.name());
    let status = match &link.status {
        Some(LinkStatus::Linked) | None => format!("policy {name}"),
        Some(other) => format!("policy {name}, {other}"),
    };
    json!({ "status": status, "managedBy": "customer", "policy": link.policy })
}
