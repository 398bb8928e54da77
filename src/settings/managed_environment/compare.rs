//! Declared against observed, for Managed Environments. Pure.

use std::rc::Rc;

use serde_json::json;

use super::block::{Block, Declared};
use super::observe::Observed;
use super::steps::EnableManaged;
use super::{notes, risks};
use crate::azure::operations::{ADMIN_GET_ENVIRONMENT, PLATFORM_ENABLE_MANAGED};
use crate::azure::power_platform::environments::{Environment, ProtectionLevel};
use crate::plan::{Action, Address, Direction, Findings, Impact, Outline, Planned, Waiting, WaitingFor, Work};
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
    let managed = match &live.protection_level {
        Some(ProtectionLevel::Standard) => true,
        Some(ProtectionLevel::Basic) => false,
        Some(ProtectionLevel::Other(word)) => {
            let reason =
                format!("Power Platform says that its protection level is `{}`, which isn't known here", brief(word));
            findings.unknown.push(Unreadable::from_operation(ADMIN_GET_ENVIRONMENT.facts(), reason).at(address));
            return findings;
        }
        None => {
            let reason = "Power Platform doesn't say whether it is a Managed Environment";
            findings.unknown.push(Unreadable::from_operation(ADMIN_GET_ENVIRONMENT.facts(), reason).at(address));
            return findings;
        }
    };
    findings.notes.extend(live.group.iter().map(|group| notes::by_group(&address, group)));
    match (declared.enabled, managed) {
        (true, true) | (false, false) => findings.settled(address),
        (false, true) => findings.notes.push(notes::in_use(&address, live)),
        (true, false) => enable(declared, live, observed, comparing, address, &mut findings),
    }
    findings
}

fn enable(
    declared: &Declared,
    live: &Environment,
    observed: &Observed,
    comparing: &Comparing<'_>,
    address: Address,
    findings: &mut Findings,
) {
    let course = match &observed.course {
        Some(Ok(course)) => course,
        Some(Err(unreadable)) => {
            findings.unknown.push(unreadable.at(address));
            return;
        }
        None => {
            let reason = "whether another operation is under way in the environment was not read";
            findings.unknown.push(Unreadable::because(reason).at(address));
            return;
        }
    };
    let wait = |waiting_for, since, detail| Waiting { address: address.clone(), waiting_for, since, detail };
    let failed = match course {
        Course::Idle => None,
        Course::UnderWay(operation) => {
            let detail = operation.told(comparing.now);
            findings.waiting.push(wait(WaitingFor::Service, operation.since, detail));
            return;
        }
        Course::Failed { times: 1, why } => Some(why),
        Course::Failed { times, why } => {
            let detail = format!(
                "enabling it failed {times} times in a row, the last time: {why}; a person has to look into it in the Power \
                 Platform admin centre, and palisade doesn't try again"
            );
            findings.waiting.push(wait(WaitingFor::Person, None, detail));
            return;
        }
    };
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
        reason: match failed {
            None => "declared on, currently off".to_owned(),
            Some(why) => format!("declared on, currently off; it was tried before and failed: {why}"),
        },
        source: declared.place.clone(),
        operations: vec![operation],
    };
    let step = EnableManaged::new(live, comparing.surface);
    findings.changes.push(Planned::new(outline, Work::step(Rc::new(step))));
}
