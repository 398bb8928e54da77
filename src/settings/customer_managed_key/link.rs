//! Linking an environment to the declared policy, over the one that it is linked to, if any. Pure.
//!
//! Invariants: nothing is linked before all that it rests on stands or is planned before it; what failed once is tried once more, and
//! then left to a person.

use std::collections::BTreeMap;
use std::rc::Rc;

use jiff::Timestamp;
use serde_json::json;

use super::block::{Block, Declared, Protection};
use super::compare::shown;
use super::observe::Observed;
use super::provision::value;
use super::steps::{LINKED, LinkPolicy, Linking};
use super::{codes, demands, notes, retained, risks};
use crate::azure::operations::{ADMIN_GET_ENVIRONMENT, ADMIN_LINK_ENCRYPTION};
use crate::azure::power_platform::environments::{Environment, ProtectionLevel};
use crate::azure::power_platform::operations::Kind;
use crate::azure::power_platform::{LinkStatus, SystemId};
use crate::plan::{
    Action, Address, Direction, Findings, Impact, ManualStep, Mode, Note, Outline, Planned, Waiting, WaitingFor, Work,
};
use crate::settings::block::Block as _;
use crate::settings::lifecycle::{self, Course};
use crate::settings::managed_environment;
use crate::settings::observation::Unreadable;
use crate::settings::setting::Comparing;
use crate::terms::ResourceId;
use crate::terms::text::brief;

/// What is to be linked.
pub(super) struct Wanted<'a> {
    pub(super) declared: &'a Declared,
    pub(super) protection: &'a Protection,
    pub(super) observed: &'a Observed,
    pub(super) live: &'a Environment,
    pub(super) course: &'a Course,
    pub(super) comparing: &'a Comparing<'a>,
}

/// How far what it rests on is.
pub(super) struct Ready {
    pub(super) requires: Vec<Address>,
    pub(super) busy: Option<String>,
    pub(super) system_id: Option<SystemId>,
    pub(super) blocked: bool,
}

/// What a summary says of it.
pub(super) const LOCKS_OUT: &str = "Locks out for up to four days";

/// What users notice.
pub(super) const OUTAGE: &str = "users are locked out while it runs, for up to four days";

/// Why it was begun before and isn't there, for a change that begins it once more; an error is a reason not to.
pub(super) fn once_more(
    course: &Course,
    shows_late: &[Kind],
    what: &str,
    address: &Address,
    comparing: &Comparing<'_>,
) -> Result<Option<String>, Waiting> {
    let waits = |waiting_for, detail| Waiting { address: address.clone(), waiting_for, since: None, detail };
    if let Some(detail) = course.may_be_old(shows_late, comparing.now, what) {
        return Err(waits(WaitingFor::Service, detail));
    }
    match course {
        Course::Failed { times: 1, why } => Ok(Some(why.clone())),
        Course::Failed { times, why } => {
            let detail = format!(
                "{what} failed {times} times in a row, the last time: {why}; palisade doesn't try again until it succeeded once in \
                 the Power Platform admin center"
            );
            Err(waits(WaitingFor::Person, detail))
        }
        _ => Ok(None),
    }
}

/// A failed link of which the list of operations doesn't tell what failed: a first link leaves Microsoft's key, a swap or a revert the
/// key before, so it can't be told what the environment is on, and another outage might be for nothing.
pub(super) fn unexplained(
    live: &Environment,
    course: &Course,
    observed: &Observed,
    address: &Address,
) -> Option<Waiting> {
    let link = live.links.encryption.as_ref().filter(|link| link.status == Some(LinkStatus::Failed))?;
    if matches!(course, Course::Failed { .. }) {
        return None;
    }
    let name = link.policy.as_ref().map_or("a policy", |policy| policy.name());
    let why = match &observed.error {
        Some(Ok(Some(error))) => format!(": {}", brief(error)),
        Some(Err(unreadable)) => format!(", and why could not be read: {}", unreadable.reason),
        Some(Ok(None)) | None => String::new(),
    };
    let detail = format!(
        "Power Platform shows the link to {name} as Failed{why}; palisade can't tell on which key the environment is: look at it in \
         the Power Platform admin center"
    );
    Some(Waiting { address: address.clone(), waiting_for: WaitingFor::Person, since: None, detail })
}

pub(super) fn plan(wanted: &Wanted<'_>, ready: Ready, findings: &mut Findings) {
    let Wanted { protection, observed, live, course, comparing, .. } = wanted;
    let address = comparing.address(Block::KEY);
    let faults: Vec<_> = demands::of_environment(live).into_iter().chain(demands::disabled(live, course)).collect();
    let unfit = !faults.is_empty();
    findings.notes.extend(faults.into_iter().map(|fault| notes::refused(&address, fault)));
    if demands::is_default(live) {
        findings.notes.push(notes::default_environment(&address, observed.hint.as_ref()));
    }
    let managed = managed(wanted, &address, findings);
    let over = live.links.encryption.as_ref().and_then(|link| link.policy.clone());
    let over = over.filter(|over| *over != protection.policy);
    let former_read = former(wanted, over.as_ref(), &address, findings);
    // Over a link, what succeeded as a first link is the link that shows.
    let shows_late: &[Kind] = if live.links.encryption.is_none() { LINKED } else { &[Kind::RotateCustomerManagedKey] };
    if let Some(waiting) = unexplained(live, course, observed, &address) {
        return findings.waiting.push(waiting);
    }
    let failed = match once_more(course, shows_late, "linking the policy", &address, comparing) {
        Ok(failed) => failed,
        Err(waiting) => return findings.waiting.push(waiting),
    };
    let Some(managed) = managed.filter(|_| !unfit && !ready.blocked && former_read) else { return };
    let requires = ready.requires.into_iter().chain(managed);
    let busy = lifecycle::busy(live, course, comparing.now).or(ready.busy);
    let planned = change(wanted, over, ready.system_id, (failed, busy), address);
    findings.changes.push(planned.requiring(requires));
}

/// Whether it is a Managed Environment, or which change makes it one; none if it can't be one, for a reason that is told.
fn managed(wanted: &Wanted<'_>, address: &Address, findings: &mut Findings) -> Option<Option<Address>> {
    let Wanted { live, comparing, .. } = wanted;
    let declared = comparing.beside.of::<managed_environment::Block>().map(|declared| declared.enabled);
    let unknown = match (&live.protection_level, declared) {
        (Some(ProtectionLevel::Standard), _) => return Some(None),
        (Some(ProtectionLevel::Basic), Some(true)) => {
            return Some(Some(comparing.address(managed_environment::Block::KEY)));
        }
        (Some(ProtectionLevel::Basic), _) => {
            let message = "customer-managed keys need a Managed Environment, and this isn't one";
            let help = format!("declare `{}: {{ enabled: true }}` beside it", managed_environment::Block::KEY);
            findings.notes.push(Note::refusal(codes::CMK_NOT_MANAGED, address.clone(), message).help(help));
            return None;
        }
        (Some(ProtectionLevel::Other(word)), _) => {
            format!("Power Platform says that its protection level is `{}`, which isn't known here", brief(word))
        }
        (None, _) => "Power Platform doesn't say whether it is a Managed Environment".to_owned(),
    };
    findings.unknown.push(Unreadable::from_operation(ADMIN_GET_ENVIRONMENT.facts(), unknown).at(address.clone()));
    None
}

/// That the policy which the environment leaves isn't kept, or not for long enough.
pub(super) fn left_behind(
    declared: &Declared,
    over: &ResourceId,
    observed: &Observed,
    address: &Address,
    now: Timestamp,
) -> Option<Note> {
    if declared.retained.iter().any(|one| one.policy == *over) {
        return retained::kept_too_short(declared, over, address, now);
    }
    let key = observed.former.as_ref().and_then(|former| former.key.as_ref());
    Some(notes::former_unwatched(address, over, key, now))
}

/// Whether enough is known of the policies that came before: their keys are needed by the new policy's identity as well.
fn former(wanted: &Wanted<'_>, over: Option<&ResourceId>, address: &Address, findings: &mut Findings) -> bool {
    let retained = wanted.declared.retained.iter().zip(&wanted.observed.retained);
    let mut in_use = retained.filter(|(one, _)| !retained::is_over(one, wanted.live, wanted.comparing.now));
    // What is wrong with one is told where it is looked at.
    let known = in_use.all(|(one, chain)| chain.policy.is_ok() && retained::of_key(one, chain).is_none());
    let Some(over) = over else { return known };
    findings.notes.extend(left_behind(wanted.declared, over, wanted.observed, address, wanted.comparing.now));
    // What could not be read of the one that is linked now is told where that is looked at.
    let Some(former) = &wanted.observed.former else { return known };
    known && former.policy.is_ok() && former.key.is_some() && former.seen.vault.is_ok()
}

fn change(
    wanted: &Wanted<'_>,
    over: Option<ResourceId>,
    system_id: Option<SystemId>,
    (failed, busy): (Option<String>, Option<String>),
    address: Address,
) -> Planned {
    let Wanted { declared, protection, observed, live, comparing, .. } = wanted;
    let Protection { policy, key, upkeep: _, provision: _ } = protection;
    let link = live.links.encryption.as_ref();
    let operation = ADMIN_LINK_ENCRYPTION.facts();
    let error = match &observed.error {
        Some(Ok(Some(error))) => Some(format!("Power Platform says of the failed link: {}", brief(error))),
        Some(Err(unreadable)) => Some(format!("why the link failed could not be read: {}", unreadable.reason)),
        Some(Ok(None)) | None => None,
    };
    let mode = comparing.surface.mode(operation.provenance);
    let live_is = match (&over, link) {
        (Some(over), _) if mode == Mode::Manual => {
            format!("by hand, it is taken off the policy {} first, and put on this one then: two outages", over.name())
        }
        (Some(over), _) => format!("linked over the policy {}, in place", over.name()),
        (None, None) => "declared on a customer's key, currently on Microsoft's".to_owned(),
        (None, Some(_)) => "declared, but the link isn't in force".to_owned(),
    };
    let failed = failed.map(|why| format!("it was tried before and failed: {why}"));
    let waits = busy.as_ref().map(|busy| format!("it has to wait: {busy}"));
    let reason = [Some(live_is), Some(OUTAGE.to_owned()), failed, error, waits];
    let outline = Outline {
        address,
        setting: Block::KEY,
        subject: "the environment".to_owned(),
        action: Action::Link,
        direction: if over.is_none() { Direction::Hardens } else { Direction::Neutral },
        risk: if over.is_some() { risks::SWAP } else { risks::LINK },
        impact: Impact::Outage,
        before: shown(link),
        after: json!({ "status": format!("policy {}", policy.name()), "managedBy": "customer", "policy": policy,
                       "key": value(key) }),
        reason: reason.into_iter().flatten().collect::<Vec<_>>().join("; "),
        source: declared.place.clone(),
        operations: vec![operation],
    };
    let linking = Linking::new(&live.id, comparing.surface, busy);
    let by_hand = || by_hand(protection, over.as_ref(), &called(live, comparing));
    let step = LinkPolicy { linking, policy: policy.clone(), system_id, over: over.clone() };
    Planned::new(outline, Work::of(mode, vec![Rc::new(step)], by_hand))
        .dangerous(LOCKS_OUT, "all users")
        .dangerous("Depends on a key of your own", key.to_string())
}

/// What the admin center calls the environment.
pub(super) fn called(live: &Environment, comparing: &Comparing<'_>) -> String {
    live.display_name.as_deref().map_or_else(|| comparing.head.scope().to_string(), brief)
}

/// Where a person finds the policies.
pub(super) const PLACE: &str =
    "Power Platform admin center > Security > Data and privacy > Customer-managed encryption key";

/// Where no unpublished operation may be used, a person links.
fn by_hand(protection: &Protection, over: Option<&ResourceId>, environment: &str) -> ManualStep {
    let name = protection.policy.name();
    let replaced = over.map(|over| {
        format!(
            "the admin center takes the environment off {} first and puts it on the new policy then, each with an outage of its own; \
             keep the former key and its grant",
            over.name()
        )
    });
    let actions = replaced.into_iter().chain([
        format!("open the policy {name} and add the environment {environment}"),
        "confirm that users are locked out meanwhile".to_owned(),
    ]);
    ManualStep {
        place: PLACE.to_owned(),
        actions: actions.collect(),
        values: BTreeMap::from([
            ("Policy".to_owned(), name.to_owned()),
            ("Environment".to_owned(), environment.to_owned()),
        ]),
        shown_by: "Power Platform shows the environment's link as Linked".to_owned(),
        record: None,
    }
}
