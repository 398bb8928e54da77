//! Putting an environment back on Microsoft's key. Pure.
//!
//! Invariants: only the file's own words take an environment off its key, never a block that is missing; policy, key and grant stay.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::json;

use super::block::{Block, Declared};
use super::compare::shown;
use super::link::{LOCKS_OUT, OUTAGE, PLACE, called, left_behind, once_more, unexplained};
use super::observe::{Chain, Observed};
use super::steps::{self, LINKED, Linking, UnlinkPolicy};
use super::{demands, notes, risks};
use crate::azure::operations::ADMIN_UNLINK_ENCRYPTION;
use crate::azure::power_platform::environments::Environment;
use crate::azure::power_platform::{Link, LinkStatus, SystemId};
use crate::plan::{
    Action, Address, Direction, Findings, Impact, ManualStep, Outline, Planned, Waiting, WaitingFor, Work,
};
use crate::settings::block::Block as _;
use crate::settings::lifecycle::{self, Course};
use crate::settings::observation::Unreadable;
use crate::settings::setting::Comparing;
use crate::terms::text::brief;

pub(super) fn compare(
    declared: &Declared,
    observed: &Observed,
    (live, course): (&Environment, &Course),
    comparing: &Comparing<'_>,
    findings: &mut Findings,
) {
    let address = comparing.address(Block::KEY);
    let Some(link) = &live.links.encryption else {
        if let Some(detail) = course.may_be_old(LINKED, comparing.now, "linking a policy") {
            return findings.waiting.push(Waiting { address, waiting_for: WaitingFor::Service, since: None, detail });
        }
        return findings.settled(address);
    };
    match &link.status {
        Some(LinkStatus::Linked) => {}
        Some(LinkStatus::Failed) => {
            if let Some(waiting) = unexplained(live, course, observed, &address) {
                return findings.waiting.push(waiting);
            }
        }
        status => {
            let word = status.as_ref().map(|status| format!(" (`{}`)", brief(status.as_str()))).unwrap_or_default();
            let reason = format!("how the link to the policy stands can't be told{word}");
            return findings.unknown.push(Unreadable::because(reason).at(address));
        }
    }
    if let Some(fault) = demands::disabled(live, course) {
        return findings.notes.push(notes::refused(&address, fault));
    }
    let failed = match once_more(
        course,
        steps::Link::Away.family().begun,
        "putting it back on Microsoft's key",
        &address,
        comparing,
    ) {
        Ok(failed) => failed,
        Err(waiting) => return findings.waiting.push(waiting),
    };
    let Some(system_id) = system_id(link, observed) else {
        let reason =
            "what Power Platform calls the linked policy could not be read, without which nothing can be unlinked";
        return findings.unknown.push(Unreadable::because(reason).at(address));
    };
    let busy = lifecycle::busy(live, course, comparing.now);
    let left = link.policy.as_ref();
    findings.notes.extend(left.and_then(|left| left_behind(declared, left, observed, &address, comparing.now)));
    findings.changes.push(change(declared, (live, link), system_id, (failed, busy), comparing, address));
}

/// What Power Platform calls the linked policy: its own word, else what the policy in Azure says.
fn system_id(link: &Link, observed: &Observed) -> Option<SystemId> {
    let chains = observed.former.iter().chain(&observed.retained);
    let of_policy = |chain: &Chain| {
        let is_linked = link.policy.as_ref() == Some(&chain.id);
        chain.policy.as_ref().ok()?.as_ref()?.system_id.clone().filter(|_| is_linked)
    };
    link.system_id.clone().or_else(|| chains.into_iter().find_map(of_policy))
}

fn change(
    declared: &Declared,
    (live, link): (&Environment, &Link),
    system_id: SystemId,
    (failed, busy): (Option<String>, Option<String>),
    comparing: &Comparing<'_>,
    address: Address,
) -> Planned {
    let operation = ADMIN_UNLINK_ENCRYPTION.facts();
    let waits = busy.as_ref().map(|busy| format!("it has to wait: {busy}"));
    let reason = [
        Some("declared on Microsoft's key, currently on a customer's".to_owned()),
        Some(OUTAGE.to_owned()),
        Some("policy, key and grant stay: backups need them for 30 days".to_owned()),
        failed.map(|why| format!("it was tried before and failed: {why}")),
        waits,
    ];
    let outline = Outline {
        address,
        setting: Block::KEY,
        subject: "the environment".to_owned(),
        action: Action::Unlink,
        direction: Direction::Weakens,
        risk: risks::REVERT,
        impact: Impact::Outage,
        before: shown(Some(link)),
        after: json!({ "status": "Microsoft's key", "managedBy": "microsoft" }),
        reason: reason.into_iter().flatten().collect::<Vec<_>>().join("; "),
        source: declared.place.clone(),
        operations: vec![operation],
    };
    let linking = Linking::new(&live.id, comparing.surface, busy);
    let step = UnlinkPolicy { linking, policy: link.policy.clone(), system_id };
    let by_hand = || by_hand(link, &called(live, comparing));
    Planned::new(outline, Work::of(comparing.surface.mode(operation.provenance), vec![Rc::new(step)], by_hand))
        .taking_away(true)
        .dangerous(LOCKS_OUT, "all users")
        .dangerous("Goes back to Microsoft's key", "the environment")
}

fn by_hand(link: &Link, environment: &str) -> ManualStep {
    let name = link.policy.as_ref().map_or("the linked policy", |policy| policy.name());
    ManualStep {
        place: PLACE.to_owned(),
        actions: vec![
            format!("open the policy {name} and remove the environment {environment}"),
            "confirm that users are locked out meanwhile".to_owned(),
            "keep the policy, its key and its grant for 30 days".to_owned(),
        ],
        values: BTreeMap::from([("Environment".to_owned(), environment.to_owned())]),
        shown_by: "Power Platform shows no linked policy".to_owned(),
        record: None,
    }
}
