//! Environments that are shut down since they can't reach their key. Pure.
//!
//! No service says that an environment is locked: it is told from one that is being changed by its operations. Nor is there an operation
//! that unlocks: once key and grant are back, a person enables the environment again. Which reason it gives
//! for a locked one isn't recorded anywhere, so any reason may be that. Invariants: nobody is asked to enable one that would be locked again
//! at once, or of whose key that isn't known.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::json;

use super::block::{Block, Declared};
use super::link::called;
use super::provision::Losses;
use super::{codes, notes};
use crate::azure::operations::ADMIN_GET_ENVIRONMENT;
use crate::azure::power_platform::environments::{Environment, Runtime};
use crate::plan::{
    Action, Address, Binds, Direction, Findings, Impact, ManualStep, Note, Outline, Planned, Severity, Work,
};
use crate::settings::block::Block as _;
use crate::settings::encryption_keys::demands::Onset;
use crate::settings::encryption_keys::upkeep::{LOCKDOWN, REPAIR, UNLOCKS};
use crate::settings::lifecycle::Course;
use crate::settings::setting::Comparing;
use crate::terms::text::brief;

/// A linked environment.
pub(super) struct Locked<'a> {
    pub(super) live: &'a Environment,
    pub(super) course: &'a Course,
    pub(super) losses: &'a Losses,
    pub(super) declared: &'a Declared,
}

/// Whether an environment is shut down, and nothing that goes on there explains it.
pub(super) fn is_locked(live: &Environment, course: &Course) -> bool {
    let goes_on = matches!(course, Course::UnderWay(_) | Course::Elsewhere(_) | Course::Unclear(_));
    live.runtime == Some(Runtime::Disabled) && !goes_on
}

pub(super) fn compare(locked: &Locked<'_>, comparing: &Comparing<'_>, findings: &mut Findings) {
    let Locked { live, course, losses, declared } = locked;
    let address = comparing.address(Block::KEY).part("runtime");
    if !is_locked(live, course) {
        if live.runtime == Some(Runtime::Enabled) {
            findings.in_effect.push(address);
        }
        return;
    }
    findings.notes.push(note(&comparing.address(Block::KEY), live, losses, comparing.now));
    let lost = losses.onset() != Onset::Never && losses.repairs.is_empty();
    if losses.beyond_repair || losses.unread || lost {
        return;
    }
    let name = called(live, comparing);
    let step = ManualStep {
        place: "Power Platform admin center > Manage > Environments".to_owned(),
        actions: vec![
            format!("open the environment {name}"),
            "choose Re-enable environment; it takes up to five minutes".to_owned(),
        ],
        values: BTreeMap::from([("Environment".to_owned(), name)]),
        shown_by: "Power Platform shows the environment's runtime state as Enabled".to_owned(),
        record: None,
    };
    let outline = Outline {
        address,
        setting: Block::KEY,
        subject: "the environment".to_owned(),
        // It needs no approval of its own: an approval of what comes before it stays one.
        action: Action::Resume,
        direction: Direction::Neutral,
        risk: REPAIR,
        impact: Impact::None,
        before: json!({ "status": "shut down" }),
        after: json!({ "status": "enabled" }),
        reason: format!(
            "{LOCKDOWN}; no operation is public that enables an environment, so a person does, once its key can be reached"
        ),
        source: declared.place.clone(),
        operations: vec![ADMIN_GET_ENVIRONMENT.facts()],
    };
    let binds = Binds::none().and("environment", live.id.as_str().to_lowercase());
    let planned = Planned::new(outline, Work::Person { step: Box::new(step), binds });
    findings.changes.push(planned.dangerous(UNLOCKS, "the environment").requiring(losses.repairs.iter().cloned()));
}

/// That it is shut down, and when it is deleted.
pub(super) fn note(setting: &Address, live: &Environment, losses: &Losses, now: Timestamp) -> Note {
    let called = setting.in_scope().map_or_else(|| setting.to_string(), |scope| scope.to_string());
    let address = setting.part("runtime");
    let why = live.runtime_reason.as_deref().filter(|why| *why != "NotSpecified");
    let why = why.map(|why| format!(" ({})", brief(why))).unwrap_or_default();
    let deleted = notes::deletion(losses.onset(), live, now);
    let (consequence, help) = match (losses.onset(), losses.unread) {
        (Onset::Never, false) => (
            format!(
                "nothing that was read is known to keep it from its key any more; until a person enables it, it stays shut down, and {deleted}"
            ),
            "enable it in the Power Platform admin center (Re-enable environment)",
        ),
        (Onset::Never, true) => (
            format!("whether it can reach its key could not be read; {deleted}"),
            "let this identity read its policy, its vault and its key, and plan again",
        ),
        _ => (
            format!("it can't reach its key, and {deleted}"),
            "bring its key and its grant back first, then enable it in the Power Platform admin center (Re-enable environment)",
        ),
    };
    let message = format!(
        "the environment is locked: Power Platform shows it as disabled{why}, and no operation explains it; {consequence}"
    );
    Note::finding(codes::CMK_LOCKED, Severity::Error, address, message).help(help).first(called)
}
