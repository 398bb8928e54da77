//! The steps of a move, and what each must see on fresh facts before it acts.
//!
//! A run carries out one move. Before each step it reads everything again and asks [`Run::check`], which either names the
//! one request to send, or ends the run. What must stay true: a run remembers nothing but its move; what a step acts on
//! was read for that step; whoever sees that consumers hold a dead key replaces it before anything else.

use jiff::Timestamp;

use super::assessment::{Move, State};
use super::decide::{Decision, decide};
use super::declared::{Rotation, whole_second};
use super::facts::{Access, Facts, Secret, Version};
use super::fingerprint::Fingerprint;
use super::rules::Rules;
use super::tags::{Intent, Purpose, Retired, Slot, Tags};

const OLD_VERSION: &str = "the vault still answers the former value";

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StepKind {
    /// Switches the API on.
    EnableAccess,
    /// Notes what is about to be regenerated; proves the right to update the secret.
    TagIntent,
    /// Regenerates the standby slot.
    Regenerate,
    /// Waits until the standby slot shows another value.
    ReadBackChanged,
    /// Tries the new key on a harmless call.
    Probe,
    /// Stores the value that was just read as a new version.
    Publish,
    /// Waits until the vault answers the published value.
    ReadVaultBack,
    /// Compares vault and slots once more.
    CompareAgain,
    /// Notes the standby's new value, which ends a retirement.
    TagRetired,
    /// Recovers the deleted secret.
    Recover,
}

impl StepKind {
    /// The step's name, for progress and diagrams.
    pub fn name(self) -> &'static str {
        match self {
            Self::EnableAccess => "switch API access on",
            Self::TagIntent => "note the intent",
            Self::Regenerate => "regenerate the standby key",
            Self::ReadBackChanged => "read back until it changed",
            Self::Probe => "try the new key",
            Self::Publish => "publish what a fresh read returned",
            Self::ReadVaultBack => "read the vault back",
            Self::CompareAgain => "compare vault and slots again",
            Self::TagRetired => "note the retirement",
            Self::Recover => "recover the secret",
        }
    }
}

/// The one request that a step sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// None: reading was all.
    Nothing,
    /// Switch the API on.
    EnableAccess,
    /// Replace the tags of a version.
    Tag {
        /// The version.
        version: String,
        /// All its tags from now on.
        tags: Tags,
    },
    /// Regenerate a slot.
    Regenerate {
        /// The slot.
        slot: Slot,
    },
    /// Call the service with a key; the run ends if the service refuses it.
    Probe {
        /// The slot.
        slot: Slot,
        /// The value, as it was just read.
        value: Fingerprint,
    },
    /// Store a new version: the very bytes that were just read from the slot, which have this fingerprint.
    Publish {
        /// The slot.
        slot: Slot,
        /// The value, as it was just read.
        value: Fingerprint,
        /// The version's tags.
        tags: Tags,
    },
    /// Recover the deleted secret.
    Recover,
}

/// What a check says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Check {
    /// Send this, then go to the next step.
    Continue(Request),
    /// Not visible yet: read again a little later, for a bounded time. When that is over, do [`StepKind::CompareAgain`]
    /// and end the run.
    Wait(String),
    /// End the run; nothing is broken, and the next run does what is left.
    Abort(String),
    /// Consumers hold a dead key: drop everything and carry out this move.
    Heal(Move),
}

/// The steps of a move, in order.
pub fn steps(planned: &Move) -> &'static [StepKind] {
    steps_under(&Rules::ALL, planned)
}

/// The steps of a move if only some rules hold. Only the proof varies the rules.
pub fn steps_under(rules: &Rules, planned: &Move) -> &'static [StepKind] {
    use StepKind::*;
    match (planned, rules.intent_first) {
        (Move::FirstPublication { .. } | Move::Repair { .. }, _) => &[Publish, ReadVaultBack, CompareAgain],
        (Move::PublishNewKeys { .. }, _) => &[EnableAccess, Publish, ReadVaultBack, CompareAgain],
        (Move::Rotate { .. }, true) => {
            &[TagIntent, Regenerate, ReadBackChanged, Probe, Publish, ReadVaultBack, CompareAgain]
        }
        (Move::Rotate { .. }, false) => &[Regenerate, ReadBackChanged, Probe, Publish, ReadVaultBack, CompareAgain],
        (Move::FinishRotation { .. }, _) => &[Probe, Publish, ReadVaultBack, CompareAgain],
        (Move::Retire { .. }, true) => &[TagIntent, Regenerate, ReadBackChanged, CompareAgain, TagRetired],
        (Move::Retire { .. }, false) => &[Regenerate, ReadBackChanged, CompareAgain, TagRetired],
        (Move::FinishRetirement { .. }, _) => &[CompareAgain, TagRetired],
        (Move::RecoverSecret, _) => &[Recover, CompareAgain],
        (Move::Resolve | Move::AskPerson(_), _) => &[],
    }
}

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
            return Check::Abort(format!("it is no longer known what holds: {reason}"));
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
            StepKind::EnableAccess => match self.facts.access {
                Access::On => Check::Continue(Request::Nothing),
                Access::Off if self.decision.state == State::AccessOff => Check::Continue(Request::EnableAccess),
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

    fn tag_intent(&self) -> Option<Check> {
        let (slot, replaces) = self.slot()?;
        let current = self.current()?;
        if self.decision.next != Some(self.run.planned) {
            return None;
        }
        let intent = Intent { purpose: self.purpose()?, slot, replaces, at: whole_second(self.now) };
        let tags = Tags { intent: Some(intent), ..current.tags.clone() };
        Some(Check::Continue(Request::Tag { version: current.id.clone(), tags }))
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
            Move::FirstPublication { .. } if self.decision.state == State::Unpublished => None,
            // Where keys turn out to have outlived the switch, nothing is known about their age.
            Move::PublishNewKeys { since, .. } if self.new_keys_are_unpublished() => {
                (!self.was_published(value)).then(|| whole_second(since))
            }
            Move::Repair { .. } if self.decision.next == Some(self.run.planned) => self.noted_issue(slot, value),
            _ => return None,
        };
        let others = self.current().map(|current| current.tags.others_that_fit()).unwrap_or_default();
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

    fn new_keys_are_unpublished(&self) -> bool {
        self.facts.access == Access::On
            && (self.decision.state == State::Unpublished || matches!(self.decision.next, Some(Move::Repair { .. })))
    }

    fn was_published(&self, value: Fingerprint) -> bool {
        match &self.facts.secret {
            Secret::Present(published) => {
                published.history.iter().any(|version| version.content.value() == Some(value))
            }
            _ => false,
        }
    }

    /// What the current version's tags know about the issue of a value that was never published.
    fn noted_issue(&self, slot: Slot, value: Fingerprint) -> Option<Timestamp> {
        if self.was_published(value) {
            return None;
        }
        let tags = &self.current()?.tags;
        let retired = tags.retired.filter(|retired| retired.standby == value).map(|retired| retired.at);
        let intent =
            tags.intent.filter(|intent| intent.slot == slot && intent.replaces != value).map(|intent| intent.at);
        retired.max(intent)
    }

    fn read_vault_back(&self) -> Option<Check> {
        let (slot, _) = self.slot()?;
        match (self.decision.active, self.decision.state) {
            (Some(active), _) if active == slot => Some(Check::Continue(Request::Nothing)),
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
        let tags = Tags { intent: None, retired: Some(retired), ..current.tags.clone() };
        Some(Check::Continue(Request::Tag { version: current.id.clone(), tags }))
    }
}
