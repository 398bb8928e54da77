//! An assessment of the keys as findings. Pure.

use std::rc::Rc;

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::look::Observed;
use super::notes::{clock, note, notes, schedule, store_right};
use super::steps;
use crate::azure::operations::{
    ACTIVATE_API_SUBSCRIPTION, Facts as Operation, RECOVER_SECRET, REGENERATE_PRIMARY_KEY, REGENERATE_SECONDARY_KEY,
    SET_SECRET, UPDATE_SECRET,
};
use crate::plan::{
    Action, Address, Change, Direction, Findings, Impact, Outline, Planned, Rated, Severity, Unknown, Waiting,
    WaitingFor, Work,
};
use crate::rotation::{Access, Assessment, Content, Facts, Hold, Move, Secret, State, Verify, Warning, assess};
use crate::settings::api_access::{OPENS, SUBJECT, codes, risks};
use crate::settings::observation::Unreadable;
use crate::settings::setting::Comparing;
use crate::terms::{Slot, digest};

/// The part of the keys' address under which the publication of a live key shows.
const PUBLISHED: &str = "published";

/// Compares. `setting` is the address of `apiAccess`; where API access has to be turned on first, the keys' change is the
/// setting's own.
pub(in crate::settings::api_access) fn compare(
    observed: &Rc<Observed>,
    comparing: &Comparing<'_>,
    setting: &Address,
) -> Findings {
    let address = setting.part("keys");
    let look = &observed.look;
    let assessment = assess(&look.keys.rotation, &observed.facts, comparing.now);
    let mut findings = Findings { notes: notes(&assessment, &address), ..Findings::default() };
    findings.notes.extend(clock(&observed.facts, &address));
    if assessment.holds == [Hold::Clock] {
        findings.unknown.push(unknown(&address, "nothing is regenerated unless the vault's clock is proved to agree"));
        return findings;
    }
    findings.in_effect = in_effect(observed, &assessment, &address);
    match (assessment.state, assessment.next) {
        (State::Unknown, _) => findings.unknown.push(unknown(&address, &assessment.reason)),
        (State::Inconsistent, _) => findings.notes.push(note(
            codes::KEYS_INCONSISTENT,
            Severity::Error,
            &address,
            "both API keys have the same value".to_owned(),
        )),
        (_, None) => match held(&assessment) {
            None => findings.in_sync = 1,
            Some(waiting_for) => {
                let detail = schedule(&assessment);
                findings.waiting.push(Waiting { address, waiting_for, since: None, detail });
            }
        },
        (_, Some(Move::AskPerson(_))) => findings.waiting.push(Waiting {
            address,
            waiting_for: WaitingFor::Person,
            since: None,
            detail: assessment.reason.clone(),
        }),
        (_, Some(next)) => {
            findings.notes.extend(store_right(&observed.store_right, next, &address));
            findings.changes.push(planned(observed, &assessment, next, setting, comparing));
        }
    }
    findings
}

/// What was read to be so: that a live key is published, and that nothing is due. Where only dates are read, a published version
/// counts, as far as it goes: the plan says that values weren't looked at.
fn in_effect(observed: &Observed, assessment: &Assessment, keys: &Address) -> Vec<Address> {
    let only_dates = observed.look.keys.rotation.verify == Verify::Metadata;
    let published = only_dates && matches!(observed.facts.secret, Secret::Present(_));
    let live = !assessment.critical && (assessment.active.is_some() || published);
    let settled = live && assessment.next.is_none() && assessment.wanted.is_none();
    let published = live.then(|| keys.part(PUBLISHED));
    published.into_iter().chain(settled.then(|| keys.clone())).collect()
}

/// Whom a key waits for that ought to have been replaced by now. A hold that ends by itself before `maxAge` is over is no
/// more than the schedule.
pub(super) fn held(assessment: &Assessment) -> Option<WaitingFor> {
    let never = |hold: &Hold| matches!(hold, Hold::Adoption { until: None } | Hold::Window { opens: None });
    let overdue = |warning: &Warning| matches!(warning, Warning::Overdue { .. });
    assessment.wanted?;
    match assessment.holds.iter().any(never) {
        true => Some(WaitingFor::Person),
        false => assessment.warnings.iter().any(overdue).then_some(WaitingFor::Service),
    }
}

fn planned(
    observed: &Observed,
    assessment: &Assessment,
    next: Move,
    setting: &Address,
    comparing: &Comparing<'_>,
) -> Planned {
    let look = &observed.look;
    let Kind { mut action, direction, mut risk, mut impact, operations } = kind(next);
    if only_retires(assessment, next, comparing.now) {
        (action, risk, impact) = (Action::Retire, risks::RETIRE, Impact::Interrupts);
    }
    let enabling = matches!(next, Move::PublishNewKeys { .. });
    let (before, after) = values(assessment, next);
    let address = match (enabling, next.slot()) {
        (true, _) => setting.clone(),
        (false, Some(slot)) => setting.part("keys").part(slot.name()),
        (false, None) => setting.part("keys"),
    };
    let retires = action == Action::Retire;
    let outline = Outline {
        address,
        setting: "apiAccess",
        subject: format!("API keys, published as {}", look.keys.publish_to),
        action,
        direction,
        risk,
        impact,
        before,
        after,
        reason: assessment.reason.clone(),
        source: look.keys.place.clone(),
        operations,
    };
    // Keys are compared only where their operations may be used.
    let work = Work::Steps(steps::of(observed, next, retires));
    let mut planned = Planned::new(outline, work).taking_away(retires);
    planned.change.preimage = preimage(&observed.facts);
    if enabling {
        planned = planned.dangerous(OPENS, SUBJECT);
    }
    let keys = setting.part("keys");
    planned.change.due = Some(due(next, retires).to_owned());
    // Which slot is meant depends on when one looks.
    planned.change.approved_as = (!enabling).then(|| keys.clone());
    planned.change.shown_at = shown_at(action, setting);
    let rest = rest(next, retires).map(|(action, due)| Change {
        // What is left is about the keys, whichever change it is of.
        address: keys.clone(),
        action,
        due: Some(due.to_owned()),
        approved_as: None,
        shown_at: shown_at(action, setting),
        ..planned.change.clone()
    });
    match rest {
        Some(rest) => planned.leaving(&rest),
        None => planned,
    }
}

/// What is published before and after, as plans show it.
fn values(assessment: &Assessment, next: Move) -> (Json, Json) {
    let published = |slot: Option<Slot>| slot.map_or(Json::Null, |slot| json!(slot.name()));
    // A dead key, a deleted secret and one that wasn't looked at are not nothing.
    let (mut before, mut after) = match (assessment.state, next) {
        (_, Move::Resolve) => (json!({ "published": "not looked at" }), json!({ "published": "shows when applying" })),
        (State::SoftDeleted, _) => (json!({ "published": "deleted" }), json!({ "published": "recovered" })),
        (State::Outage, _) => {
            (json!({ "published": "a dead key" }), json!({ "published": published(after(assessment, next)) }))
        }
        _ => (
            json!({ "published": published(assessment.active) }),
            json!({ "published": published(after(assessment, next)) }),
        ),
    };
    if matches!(next, Move::PublishNewKeys { .. }) {
        before["enabled"] = json!(false);
        after["enabled"] = json!(true);
    }
    if let Some(intended) = regenerated(next) {
        after["regenerated"] = json!(intended.name());
    }
    (before, after)
}

/// Where it shows that a change is in effect: that a live key is published and, for what time brought, that nothing is due any
/// more.
fn shown_at(action: Action, setting: &Address) -> Vec<Address> {
    let keys = setting.part("keys");
    match action {
        _ if action.comes_with_time() => vec![keys],
        Action::Enable => vec![setting.clone(), keys.part("published")],
        _ => vec![keys.part("published")],
    }
}

/// What may be left of a move if a run stops half-way.
fn rest(next: Move, retires: bool) -> Option<(Action, &'static str)> {
    match next {
        Move::PublishNewKeys { .. } => Some((Action::Publish, FIRST_PUBLICATION)),
        Move::Retire { .. } => Some((Action::Resume, RETIREMENT)),
        Move::Resolve if retires => Some((Action::Resume, RETIREMENT)),
        Move::Rotate { .. } | Move::Resolve => Some((Action::Publish, REST_OF_ROTATION)),
        _ => None,
    }
}

const FIRST_PUBLICATION: &str = "first publication";
const RETIREMENT: &str = "retirement";
const REST_OF_ROTATION: &str = "publication of a regenerated key";

/// What is due, whoever looks: neither the slot nor a value.
fn due(next: Move, retires: bool) -> &'static str {
    match next {
        Move::FirstPublication { .. } => FIRST_PUBLICATION,
        Move::PublishNewKeys { .. } => "API access on, and publication of its keys",
        Move::Repair { .. } => "publication of a working key",
        Move::FinishRotation { .. } => REST_OF_ROTATION,
        Move::RecoverSecret => "recovery of the secret",
        Move::Retire { .. } | Move::FinishRetirement { .. } => RETIREMENT,
        Move::Resolve if retires => RETIREMENT,
        Move::Rotate { .. } | Move::Resolve | Move::NoteLook | Move::AskPerson(_) => "rotation",
    }
}

/// Whether a move whose slot shows only when applying can be no replacement: the published key isn't due.
fn only_retires(assessment: &Assessment, next: Move, now: Timestamp) -> bool {
    next == Move::Resolve && assessment.due.is_none_or(|due| due > now)
}

struct Kind {
    action: Action,
    direction: Direction,
    risk: Rated,
    impact: Impact,
    operations: Vec<&'static Operation>,
}

fn kind(next: Move) -> Kind {
    let (publish, tag) = (SET_SECRET.facts(), UPDATE_SECRET.facts());
    let regenerate = |slot| match slot {
        Slot::Primary => REGENERATE_PRIMARY_KEY.facts(),
        Slot::Secondary => REGENERATE_SECONDARY_KEY.facts(),
    };
    let (action, direction, risk, impact, operations) = match next {
        Move::FirstPublication { .. } | Move::Repair { .. } | Move::FinishRotation { .. } => {
            (Action::Publish, Direction::Neutral, risks::PUBLISH, Impact::None, vec![publish])
        }
        Move::PublishNewKeys { .. } => {
            let operations = vec![ACTIVATE_API_SUBSCRIPTION.facts(), publish];
            (Action::Enable, Direction::Weakens, risks::OPEN_ACCESS, Impact::None, operations)
        }
        Move::Rotate { slot } => {
            let operations = vec![tag, regenerate(slot), publish];
            (Action::Rotate, Direction::Hardens, risks::ROTATE, Impact::None, operations)
        }
        Move::Retire { slot } => {
            (Action::Retire, Direction::Hardens, risks::RETIRE, Impact::Interrupts, vec![tag, regenerate(slot)])
        }
        Move::FinishRetirement { .. } => (Action::Resume, Direction::Neutral, risks::FINISH, Impact::None, vec![tag]),
        Move::RecoverSecret => {
            (Action::Recover, Direction::Neutral, risks::RECOVER, Impact::None, vec![RECOVER_SECRET.facts()])
        }
        // Which slot it is, only the values tell, which are read when applying.
        Move::Resolve => {
            let operations = vec![tag, regenerate(Slot::Primary), regenerate(Slot::Secondary), publish];
            (Action::Rotate, Direction::Hardens, risks::ROTATE, Impact::None, operations)
        }
        Move::NoteLook => (Action::Resume, Direction::Neutral, risks::FINISH, Impact::None, vec![tag]),
        Move::AskPerson(_) => (Action::Resume, Direction::Neutral, risks::FINISH, Impact::None, Vec::new()),
    };
    Kind { action, direction, risk, impact, operations }
}

/// The slot that consumers read afterwards.
fn after(assessment: &Assessment, next: Move) -> Option<Slot> {
    match next {
        Move::Retire { .. } | Move::FinishRetirement { .. } => assessment.active,
        other => other.slot(),
    }
}

fn regenerated(next: Move) -> Option<Slot> {
    next.slot().filter(|_| next.regenerates())
}

/// Binds the change to the values that were read, by their fingerprints.
fn preimage(facts: &Facts) -> String {
    let slot = |slot| facts.slots.value(slot).map(|value| value.to_string());
    let (version, value) = match &facts.secret {
        Secret::Present(published) => {
            let value = match &published.current.content {
                Content::Read(value) => Some(value.to_string()),
                _ => None,
            };
            (Some(published.current.id.clone()), value)
        }
        _ => (None, None),
    };
    digest::of_json(&json!({
        "access": matches!(facts.access, Access::On), "primary": slot(Slot::Primary), "secondary": slot(Slot::Secondary),
        "version": version, "published": value,
    }))
}

fn unknown(address: &Address, reason: &str) -> Unknown {
    Unreadable::because(reason).at(address.clone())
}
