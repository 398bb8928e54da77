//! What each step of a move must see on fresh facts before it acts.
//!
//! A run carries out one move. Before each step it reads everything again and asks [`Run::check`], which either names the
//! one request to send, or ends the run.
//!
//! Switching API access on comes after a note in the vault, on the current version or on a new, disabled one that holds no
//! key. Keys are made by the switch, and nothing about a key tells who made it: without a note, a run that died before it
//! published would leave keys that look like those of people who were there before palisade. A note from before the switch
//! proves the keys that were made right after it ours, and writing it proves that the vault takes what is to follow.
//!
//! Invariants:
//!
//! - a run remembers nothing but its move, and what a step acts on was read for that step;
//! - a run that sees that consumers hold a dead key replaces it before anything else;
//! - API access is switched on only where the vault took a note of it;
//! - what could not be read is a result of its own, apart from what must not be done.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::assessment::{Hold, Move, State};
use super::decide::{Decision, decide};
use super::declared::{Rotation, after, whole_second};
use super::facts::{Access, Facts, SWITCHING, Secret, Version};
use super::fingerprint::Fingerprint;
use super::ledger::Issue;
use super::rules::Rules;
use super::steps::{Check, Request, StepKind};
use super::tags::{Intent, Looked, Purpose, Retired, Tags};
use crate::terms::Slot;

/// How far instants of two clocks may be apart without meaning anything.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

const OLD_VERSION: &str = "the vault still answers the former value";

/// One move on its way, with all that a run remembers of it.
#[derive(Debug, Clone)]
pub struct Run<'a> {
    /// What is declared.
    pub declared: &'a Rotation,
    /// What is carried out.
    pub planned: Move,
    /// The intent digest of the plan, for the tags.
    pub plan: &'a str,
    /// Which rules hold.
    pub rules: Rules,
}

/// What must be seen on fresh facts immediately before a step, and what it then sends.
///
/// The request is sent at once: a run that stood still for longer than a small part of `grace` after its check has to
/// check again. After a failure whose effect isn't known the run goes on to the next step, which looks.
pub fn check_step(run: &Run<'_>, step: StepKind, facts: &Facts, now: Timestamp) -> Check {
    run.check(step, facts, now)
}

impl<'a> Run<'a> {
    /// A run of a move under all rules.
    pub fn new(declared: &'a Rotation, planned: Move, plan: &'a str) -> Self {
        Self { declared, planned, plan, rules: Rules::ALL }
    }

    /// See [`check_step`].
    pub fn check(&self, step: StepKind, facts: &Facts, now: Timestamp) -> Check {
        let fresh = decide(&self.rules, self.declared, facts, now);
        // New keys are an outage until they are published, and publishing them is what this move does next.
        let publishing_new_keys = matches!(self.planned, Move::PublishNewKeys { .. })
            && matches!(step, StepKind::EnableAccess | StepKind::Publish);
        if let Some(heal @ Move::Repair { .. }) = fresh.next
            && self.rules.compare_again
            && !publishing_new_keys
            && (heal != self.planned || step != StepKind::Publish)
        {
            return if heal == self.planned && step == StepKind::ReadVaultBack {
                Check::Wait(OLD_VERSION.to_owned())
            } else {
                Check::Heal(heal)
            };
        }
        if let Some(reason) = &fresh.unknown {
            return Check::Unread(format!("it is no longer known what holds: {reason}"));
        }
        let makes_die = matches!(step, StepKind::TagIntent | StepKind::Regenerate);
        if let Some(reason) = facts.clock.objection().filter(|_| makes_die && fresh.holds.contains(&Hold::Clock)) {
            return Check::Unread(reason);
        }
        Fresh { run: self, facts, decision: &fresh, now }.check(step)
    }
}

/// A run together with what was just read for its next step.
struct Fresh<'a> {
    run: &'a Run<'a>,
    facts: &'a Facts,
    decision: &'a Decision,
    now: Timestamp,
}

fn changed() -> Check {
    Check::Abort("something changed since the plan was made; the next run looks again".to_owned())
}

impl Fresh<'_> {
    fn check(&self, step: StepKind) -> Check {
        match step {
            StepKind::NoteSwitch => self.note_switch().unwrap_or_else(changed),
            StepKind::EnableAccess => match self.facts.access {
                Access::On => Check::Continue(Request::Nothing),
                Access::Off if self.decision.state == State::AccessOff && self.switch_is_noted() => {
                    Check::Continue(Request::EnableAccess)
                }
                _ => changed(),
            },
            StepKind::Recover => match self.facts.secret {
                Secret::SoftDeleted => Check::Continue(Request::Recover),
                Secret::Present(_) => Check::Continue(Request::Nothing),
                _ => changed(),
            },
            StepKind::CompareAgain => self.compare_again(),
            StepKind::Publish => self.publish().unwrap_or_else(changed),
            StepKind::TagIntent => self.tag_intent().unwrap_or_else(changed),
            StepKind::Regenerate => self.regenerate().unwrap_or_else(changed),
            StepKind::ReadBackChanged => self.read_back_changed().unwrap_or_else(changed),
            StepKind::Probe => self.probe().unwrap_or_else(changed),
            StepKind::ReadVaultBack => self.read_vault_back().unwrap_or_else(changed),
            StepKind::TagRetired => self.tag_retired().unwrap_or_else(changed),
            StepKind::NoteLook => self.note_look().unwrap_or_else(changed),
        }
    }

    fn current(&self) -> Option<&Version> {
        match &self.facts.secret {
            Secret::Present(published) => Some(&published.current),
            _ => None,
        }
    }

    /// The slot of the move, with its live value.
    fn slot(&self) -> Option<(Slot, Fingerprint)> {
        let slot = self.run.planned.slot()?;
        Some((slot, self.facts.slots.value(slot)?))
    }

    /// Whether consumers hold the other slot's key.
    fn is_standby(&self, slot: Slot) -> bool {
        self.decision.active == Some(slot.other())
    }

    /// The intent of a regeneration of the move's slot that took place.
    fn done(&self, purpose: Purpose) -> Option<Intent> {
        let slot = self.run.planned.slot()?;
        self.decision.pending.filter(|intent| intent.purpose == purpose && intent.slot == slot)
    }

    fn purpose(&self) -> Option<Purpose> {
        match self.run.planned {
            Move::Rotate { .. } | Move::FinishRotation { .. } => Some(Purpose::Rotate),
            Move::Retire { .. } | Move::FinishRetirement { .. } => Some(Purpose::Retire),
            _ => None,
        }
    }

    /// Whether the note is on the current version, and recent enough to tell whose keys will be made.
    fn switch_is_noted(&self) -> bool {
        let begun = self.current().and_then(|current| current.tags.begun);
        begun.is_some_and(|begun| after(begun, SWITCHING - TOLERANCE) >= self.now)
    }

    /// When API access was about to be switched on, by the note on the current version: nothing was published since.
    fn switched_at(&self) -> Option<Timestamp> {
        let at = self.facts.switched_at(&self.run.declared.instance);
        at.filter(|at| self.current().is_some_and(|current| current.tags.begun == Some(*at)))
    }

    fn note_switch(&self) -> Option<Check> {
        match self.facts.access {
            // Another run of ours was quicker; a person would have left no note.
            Access::On => self.switch_is_noted().then_some(Check::Continue(Request::Nothing)),
            Access::Off if self.decision.state == State::AccessOff => {
                let begun = Some(whole_second(self.now));
                let noted = self.current().and_then(|current| {
                    // No key lives while API access is off, so notes about keys are void.
                    let Tags { slot, issued, plan, instance, others, .. } = current.tags.clone();
                    let instance = instance.or_else(|| Some(self.run.declared.instance.clone()));
                    let tags = Tags { slot, issued, plan, instance, begun, others, ..Tags::default() }.fitting()?;
                    Some(Request::Tag { version: current.id.clone(), tags })
                });
                let instance = Some(self.run.declared.instance.clone());
                let others = self.others();
                let reserve = || Request::Reserve { tags: Tags { instance, begun, others, ..Tags::default() } };
                Some(Check::Continue(noted.unwrap_or_else(reserve)))
            }
            _ => None,
        }
    }

    fn others(&self) -> BTreeMap<String, String> {
        self.current().map(|current| current.tags.others_that_fit()).unwrap_or_default()
    }

    /// Puts our notes on the current version. Where the tags of others leave no room, the same key is stored once more, as
    /// a version with as many of them as fit.
    fn note(&self, tags: Tags) -> Option<Check> {
        let version = self.current()?.id.clone();
        let others = self.others();
        if let Some(tags) = tags.clone().fitting() {
            return Some(Check::Continue(Request::Tag { version, tags }));
        }
        let slot = self.decision.active?;
        let (value, plan) = (self.facts.slots.value(slot)?, Some(self.run.plan.to_owned()));
        let instance = Some(self.run.declared.instance.clone());
        let tags = Tags { slot: Some(slot), plan, instance, others, ..tags };
        Some(Check::Continue(Request::Publish { slot, value, tags }))
    }

    /// Notes what the values showed to a run that otherwise sees dates only.
    fn note_look(&self) -> Option<Check> {
        let (current, issue, spare) = (self.current()?, self.decision.issue?, self.decision.spare?);
        let (issued, published) = match issue {
            Issue::NotBefore(issued) => (Some(issued), current.created),
            Issue::Unknown { published } => (None, published),
        };
        let (version, replaced, standby) = (current.id.clone(), spare.replaced, spare.issued);
        let looked = Some(Box::new(Looked { version, issued, published, replaced, standby }));
        if current.tags.looked == looked && current.tags.intent.is_none() {
            return Some(Check::Continue(Request::Nothing));
        }
        // An intent that led to nothing by now is no reason to look again.
        let intent = self.decision.pending;
        self.note(Tags { intent, looked, ..current.tags.clone() })
    }

    fn tag_intent(&self) -> Option<Check> {
        let (slot, replaces) = self.slot()?;
        let current = self.current()?;
        if self.decision.next != Some(self.run.planned) {
            return None;
        }
        let intent = Intent { purpose: self.purpose()?, slot, replaces, at: whole_second(self.now) };
        self.note(Tags { intent: Some(intent), begun: None, looked: None, ..current.tags.clone() })
    }

    fn regenerate(&self) -> Option<Check> {
        let (slot, value) = self.slot()?;
        let go = Check::Continue(Request::Regenerate { slot });
        if !self.run.rules.fresh_checks {
            return Some(go);
        }
        let noted = self.current()?.tags.intent.is_some_and(|intent| {
            intent.slot == slot && intent.replaces == value && Some(intent.purpose) == self.purpose()
        });
        let wanted = self.decision.next == Some(self.run.planned);
        (wanted && self.is_standby(slot) && (noted || !self.run.rules.intent_first)).then_some(go)
    }

    fn read_back_changed(&self) -> Option<Check> {
        let (slot, value) = self.slot()?;
        if !self.is_standby(slot) {
            return None;
        }
        let intent = self.current()?.tags.intent.filter(|intent| intent.slot == slot);
        match intent {
            Some(intent) if intent.replaces == value => {
                Some(Check::Wait("the service still answers the former key".to_owned()))
            }
            Some(_) => Some(Check::Continue(Request::Nothing)),
            None => (!self.run.rules.intent_first).then_some(Check::Continue(Request::Nothing)),
        }
    }

    fn probe(&self) -> Option<Check> {
        let (slot, value) = self.slot()?;
        let noted = self.done(Purpose::Rotate).is_some() || !self.run.rules.intent_first;
        (self.is_standby(slot) && noted).then_some(Check::Continue(Request::Probe { slot, value }))
    }

    fn publish(&self) -> Option<Check> {
        let (slot, value) = self.slot()?;
        let issued = match self.run.planned {
            Move::Rotate { .. } | Move::FinishRotation { .. } => {
                let noted = self.done(Purpose::Rotate).map(|intent| intent.at);
                if !self.is_standby(slot) || (noted.is_none() && self.run.rules.intent_first) {
                    return None;
                }
                noted.or_else(|| Some(whole_second(self.now)))
            }
            Move::FirstPublication { .. } if self.decision.state == State::Unpublished => self.switched_at(),
            // The keys outlived the switch, and consumers hold one of them.
            Move::PublishNewKeys { .. } if self.outlived() => return Some(Check::Continue(Request::Nothing)),
            // Where keys turn out to have outlived the switch, nothing is known about their age.
            Move::PublishNewKeys { .. } if self.new_keys_are_unpublished() => {
                self.switched_at().filter(|since| !self.may_have_been_published(value, *since))
            }
            Move::Repair { .. } if self.decision.next == Some(self.run.planned) => self.noted_issue(slot, value),
            _ => return None,
        };
        let others = self.others();
        let tags = Tags {
            slot: Some(slot),
            issued,
            plan: Some(self.run.plan.to_owned()),
            instance: Some(self.run.declared.instance.clone()),
            others,
            ..Tags::default()
        };
        Some(Check::Continue(Request::Publish { slot, value, tags }))
    }

    /// Whether API access is on, and the published key works as it is.
    fn outlived(&self) -> bool {
        self.facts.access == Access::On && self.decision.active.is_some()
    }

    fn new_keys_are_unpublished(&self) -> bool {
        self.facts.access == Access::On
            && (self.decision.state == State::Unpublished || matches!(self.decision.next, Some(Move::Repair { .. })))
    }

    /// Whether a version may hold a value. One that was made before the value can have existed doesn't.
    fn may_have_been_published(&self, value: Fingerprint, since: Timestamp) -> bool {
        let Secret::Present(published) = &self.facts.secret else { return false };
        let Ok(history) = &published.history else { return true };
        let known = |version: &Version| version.content.value().map(|held| held == value);
        let in_doubt = |version: &Version| {
            !version.is_reservation(&self.run.declared.instance) && after(version.created, TOLERANCE) >= since
        };
        history.iter().any(|version| known(version).unwrap_or_else(|| in_doubt(version)))
    }

    /// What the current version's tags know about the issue of a value that was never published.
    fn noted_issue(&self, slot: Slot, value: Fingerprint) -> Option<Timestamp> {
        let tags = &self.current()?.tags;
        let retired = tags.retired.filter(|retired| retired.standby == value).map(|retired| retired.at);
        let intent =
            tags.intent.filter(|intent| intent.slot == slot && intent.replaces != value).map(|intent| intent.at);
        let issued = retired.max(intent).max(self.switched_at())?;
        (!self.may_have_been_published(value, issued)).then_some(issued)
    }

    fn read_vault_back(&self) -> Option<Check> {
        let (slot, _) = self.slot()?;
        match (self.decision.active, self.decision.state) {
            (Some(active), _) if active == slot => Some(Check::Continue(Request::Nothing)),
            (Some(_), _) if matches!(self.run.planned, Move::PublishNewKeys { .. }) => {
                Some(Check::Continue(Request::Nothing))
            }
            (Some(_), _) | (None, State::Unpublished) => Some(Check::Wait(OLD_VERSION.to_owned())),
            _ => None,
        }
    }

    fn compare_again(&self) -> Check {
        match (self.decision.active, self.decision.state) {
            (Some(_), _) => Check::Continue(Request::Nothing),
            (None, State::SoftDeleted) => Check::Wait("the secret is still being recovered".to_owned()),
            _ if !self.run.rules.compare_again => Check::Continue(Request::Nothing),
            _ => changed(),
        }
    }

    fn tag_retired(&self) -> Option<Check> {
        let (slot, standby) = self.slot()?;
        let current = self.current()?;
        let noted = self.done(Purpose::Retire).map(|intent| intent.at);
        if !self.is_standby(slot) || (noted.is_none() && self.run.rules.intent_first) {
            return None;
        }
        let retired = Retired { standby, at: noted.unwrap_or(whole_second(self.now)) };
        self.note(Tags { intent: None, retired: Some(retired), looked: None, ..current.tags.clone() })
    }
}
