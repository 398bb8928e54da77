//! Declared against observed, for Managed Environments. Pure.

use std::rc::Rc;

use serde_json::json;

use super::block::{Block, Declared};
use super::observe::Observed;
use super::steps::{EnableManaged, FAMILY};
use super::{notes, risks};
use crate::azure::operations::{ADMIN_GET_ENVIRONMENT, PLATFORM_ENABLE_MANAGED};
use crate::azure::power_platform::environments::{Environment, ProtectionLevel};
use crate::azure::power_platform::operations::Kind;
use crate::plan::{Action, Address, Direction, Findings, Impact, Outline, Planned, Waiting, WaitingFor, Work};
use crate::settings::block::Block as _;
use crate::settings::lifecycle::{self, Course};
use crate::settings::observation::{Observation, Unreadable};
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
    let managed = match is_managed(live) {
        Ok(managed) => managed,
        Err(unreadable) => {
            findings.unknown.push(unreadable.at(address));
            return findings;
        }
    };
    findings.notes.extend(live.group.iter().map(|group| notes::by_group(&address, group)));
    let course = match &observed.course {
        Some(Ok(course)) => course,
        Some(Err(unreadable)) => {
            findings.unknown.push(unreadable.at(address));
            return findings;
        }
        None => {
            let reason = "whether an operation is under way in the environment was not read";
            findings.unknown.push(Unreadable::because(reason).at(address));
            return findings;
        }
    };
    match course {
        // Whatever is declared: what is read now isn't what will be.
        Course::UnderWay(operation) => {
            let detail = operation.told(comparing.now);
            findings.waiting.push(Waiting {
                address,
                waiting_for: WaitingFor::Service,
                since: operation.since,
                detail,
            });
            return findings;
        }
        Course::Unclear(what) => {
            let reason = format!("{what}: whether that changes the environment can't be told");
            findings.unknown.push(Unreadable::because(reason).at(address));
            return findings;
        }
        Course::Idle | Course::Elsewhere(_) | Course::Succeeded { .. } | Course::Failed { .. } => {}
    }
    // What shows may be what was before.
    let switched_off = course.may_still_show(&[Kind::DisableGovernanceConfiguration], comparing.now);
    if managed && switched_off {
        let detail = "Power Platform says that switching it off succeeded, and doesn't show it yet".to_owned();
        findings.waiting.push(Waiting { address, waiting_for: WaitingFor::Service, since: None, detail });
        return findings;
    }
    match (declared.enabled, managed) {
        (true, true) | (false, false) => findings.settled(address),
        (false, true) => findings.notes.push(notes::in_use(&address, live)),
        (true, false) => enable(declared, live, course, comparing, address, &mut findings),
    }
    findings
}

/// Whether it is a Managed Environment, by the service's word.
fn is_managed(live: &Environment) -> Observation<bool> {
    let unknown = |reason: String| Err(Unreadable::from_operation(ADMIN_GET_ENVIRONMENT.facts(), reason));
    match &live.protection_level {
        Some(ProtectionLevel::Standard) => Ok(true),
        Some(ProtectionLevel::Basic) => Ok(false),
        Some(ProtectionLevel::Other(word)) => unknown(format!(
            "Power Platform says that its protection level is `{}`, which isn't known here",
            brief(word)
        )),
        None => unknown("Power Platform doesn't say whether it is a Managed Environment".to_owned()),
    }
}

fn enable(
    declared: &Declared,
    live: &Environment,
    course: &Course,
    comparing: &Comparing<'_>,
    address: Address,
    findings: &mut Findings,
) {
    let wait = |waiting_for, since, detail| Waiting { address: address.clone(), waiting_for, since, detail };
    if course.may_still_show(FAMILY.begun, comparing.now) {
        let detail = "Power Platform says that switching it on succeeded, and doesn't show it yet".to_owned();
        findings.waiting.push(wait(WaitingFor::Service, None, detail));
        return;
    }
    let failed = match course {
        Course::Failed { times: 1, why } => Some(why),
        Course::Failed { times, why } => {
            let detail = format!(
                "enabling it failed {times} times in a row, the last time: {why}; palisade doesn't try again until it was enabled \
                 in the Power Platform admin center"
            );
            findings.waiting.push(wait(WaitingFor::Person, None, detail));
            return;
        }
        _ => None,
    };
    let busy = lifecycle::busy(live, course, comparing.now);
    let operation = PLATFORM_ENABLE_MANAGED.facts();
    let outline = Outline {
        address: address.clone(),
        setting: Block::KEY,
        subject: "Managed Environment".to_owned(),
        action: Action::Enable,
        direction: Direction::Hardens,
        risk: risks::ENABLE,
        impact: Impact::None,
        before: json!({ "enabled": false }),
        after: json!({ "enabled": true }),
        reason: match (failed, &busy) {
            (None, None) => "declared on, currently off".to_owned(),
            (Some(why), _) => format!("declared on, currently off; it was tried before and failed: {why}"),
            (None, Some(busy)) => format!("declared on, currently off; it has to wait: {busy}"),
        },
        source: declared.place.clone(),
        operations: vec![operation],
    };
    let step = EnableManaged::new(live, comparing.surface, busy);
    findings.changes.push(Planned::new(outline, Work::step(Rc::new(step))));
}
