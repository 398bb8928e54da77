//! Facts → what holds and what comes next, without the words.
//!
//! Invariants:
//!
//! - what is unknown leads to nothing, except that a dead key is replaced by a live one whatever is unknown of the past;
//! - a slot is regenerated only if nobody may hold its value, and only while the vault's clock is proved to agree;
//! - the live slot is found by comparing values.

use jiff::{SignedDuration, Timestamp};

use super::assessment::{Hold, Move, Spare, State, Warning, Why};
use super::declared::{Retire, Rotation, Verify, after};
use super::facts::{Access, Content, Facts, Published, Secret, Slots};
use super::fingerprint::Fingerprint;
use super::ledger::{EverPublished, Issue, Ledger, RESOLUTION};
use super::rules::Rules;
use super::tags::{Intent, Purpose};
use crate::terms::Slot;

/// The shortest time between two regenerations.
pub(super) const MINIMUM_GAP: SignedDuration = SignedDuration::from_hours(1);

/// An assessment before it is put into words.
#[derive(Debug, Clone)]
pub(super) struct Decision {
    pub(super) state: State,
    pub(super) active: Option<Slot>,
    pub(super) wanted: Option<Move>,
    pub(super) next: Option<Move>,
    pub(super) holds: Vec<Hold>,
    pub(super) due: Option<Timestamp>,
    pub(super) retire_at: Option<Timestamp>,
    pub(super) critical: bool,
    pub(super) warnings: Vec<Warning>,
    /// An intent whose regeneration took place.
    pub(super) pending: Option<Intent>,
    /// When the published key was issued.
    pub(super) issue: Option<Issue>,
    /// What is known about the standby key, where values were read.
    pub(super) spare: Option<Spare>,
    /// What could not be read, and why.
    pub(super) unknown: Option<String>,
}

impl Decision {
    pub(super) fn new(state: State) -> Self {
        let critical =
            matches!(state, State::Outage | State::ConsumersBlocked | State::SoftDeleted | State::Inconsistent);
        Self {
            state,
            active: None,
            wanted: None,
            next: None,
            holds: Vec::new(),
            due: None,
            retire_at: None,
            critical,
            warnings: Vec::new(),
            pending: None,
            issue: None,
            spare: None,
            unknown: None,
        }
    }

    pub(super) fn unknown(reason: impl Into<String>) -> Self {
        Self { unknown: Some(reason.into()), ..Self::new(State::Unknown) }
    }

    fn to_do(state: State, next: Move) -> Self {
        Self { wanted: Some(next), next: Some(next), ..Self::new(state) }
    }

    fn ask(state: State, why: Why) -> Self {
        Self { critical: true, ..Self::to_do(state, Move::AskPerson(why)) }
    }
}

/// What is declared, and when: what every question below depends on.
pub(super) struct Case<'a> {
    pub(super) rules: &'a Rules,
    pub(super) declared: &'a Rotation,
    pub(super) facts: &'a Facts,
    pub(super) now: Timestamp,
}

/// Says what the facts mean and what comes next.
pub(super) fn decide(rules: &Rules, declared: &Rotation, facts: &Facts, now: Timestamp) -> Decision {
    let case = Case { rules, declared, facts, now };
    let published = match (&facts.access, &facts.secret) {
        (Access::Unknown(reason), _) | (_, Secret::Unknown(reason)) => return Decision::unknown(reason),
        // A deleted name takes no new version, so recovering comes before everything else.
        (_, Secret::SoftDeleted) => return Decision::to_do(State::SoftDeleted, Move::RecoverSecret),
        (Access::On, Secret::Absent) => return case.first_publication(),
        (Access::Off, Secret::Absent) => return case.new_keys(),
        (_, Secret::Present(published)) => published,
    };
    let reserved = published.current.is_reservation(&declared.instance);
    match &published.current.content {
        Content::Unreadable(reason) => return Decision::unknown(reason),
        Content::Disabled if !reserved => return Decision::ask(State::ConsumersBlocked, Why::VersionDisabled),
        Content::Disabled | Content::NotRead | Content::Read(_) => {}
    }
    let ledger = match Ledger::read(published, facts, &declared.instance) {
        Ok(ledger) => ledger,
        Err(reason) => return Decision { critical: case.seems_dead(published), ..Decision::unknown(reason) },
    };
    if facts.access == Access::Off {
        return case.off(&ledger, published);
    }
    if reserved {
        return case.reserved(&ledger);
    }
    let Slots::Read { primary, secondary } = facts.slots else {
        return match &facts.slots {
            Slots::Unknown(reason) => Decision::unknown(reason),
            _ => case.age_only(&ledger),
        };
    };
    if primary == secondary {
        return Decision::new(State::Inconsistent);
    }
    let Some(current) = published.current.content.value() else { return case.age_only(&ledger) };
    let live = match rules.values_decide {
        true => ledger.live_slot(&facts.slots),
        false => ledger.current.tags.slot,
    };
    match (live, &ledger.gap) {
        (None, _) => case.outage(&ledger, published),
        (Some(_), Some(reason)) => Decision::unknown(reason),
        (Some(active), None) => {
            let standby = if active == Slot::Primary { secondary } else { primary };
            case.live(&ledger, active, current, standby)
        }
    }
}

impl Case<'_> {
    /// Whether what consumers hold is dead as far as can be seen.
    fn seems_dead(&self, published: &Published) -> bool {
        let Slots::Read { primary, secondary } = &self.facts.slots else { return false };
        published.current.content.value().is_some_and(|value| value != *primary && value != *secondary)
    }

    fn first_publication(&self) -> Decision {
        match &self.facts.slots {
            Slots::Read { primary, secondary } if primary == secondary => Decision::new(State::Inconsistent),
            Slots::Unknown(reason) => Decision::unknown(reason),
            Slots::NotRead if self.declared.verify == Verify::Values => not_read(),
            Slots::Read { .. } | Slots::NotRead => {
                Decision::to_do(State::Unpublished, Move::FirstPublication { slot: Slot::Primary })
            }
        }
    }

    fn new_keys(&self) -> Decision {
        Decision::to_do(State::AccessOff, Move::PublishNewKeys { slot: Slot::Primary })
    }

    /// The current version holds no key: a run made it before it switched API access on, and got no further; or another run
    /// made it a moment after this one had published.
    fn reserved(&self, ledger: &Ledger<'_>) -> Decision {
        match ledger.last_live_slot(&self.facts.slots) {
            Some(slot) => Decision::to_do(State::Outage, Move::Repair { slot }),
            None => self.first_publication(),
        }
    }

    /// The API is off: what was published is dead for now. Whether keys outlive that isn't published, so both are expected.
    fn off(&self, ledger: &Ledger<'_>, published: &Published) -> Decision {
        let instance = &self.declared.instance;
        match (&ledger.gap, published.is_ours(instance) && !ledger.current.tags.name_another_instance(instance)) {
            (_, true) => self.new_keys(),
            (Some(reason), false) => Decision::unknown(reason),
            (None, false) => Decision::ask(State::Foreign, Why::SecretForeign),
        }
    }

    /// What consumers hold is in neither slot. Any live key helps them, so what can't be read of the past holds nothing up
    /// unless it is all that could tell whose secret this is, or which key follows.
    fn outage(&self, ledger: &Ledger<'_>, published: &Published) -> Decision {
        let (instance, slots) = (&self.declared.instance, &self.facts.slots);
        let last_live = ledger.last_live_slot(slots);
        let ours = ledger.held_a_live_key(slots) || published.is_ours(instance);
        let tagged = || ledger.versions().find_map(|version| version.tags.slot).map(Slot::other);
        let foreign = ledger.current.tags.name_another_instance(instance);
        match (last_live.or_else(tagged).filter(|_| ours && !foreign), &ledger.gap) {
            (Some(slot), _) => Decision::to_do(State::Outage, Move::Repair { slot }),
            (None, Some(reason)) if !foreign => Decision { critical: true, ..Decision::unknown(reason) },
            (None, _) if foreign || !ours => Decision::ask(State::Foreign, Why::SecretForeign),
            (None, _) => Decision::ask(State::Outage, Why::NoSuccessor),
        }
    }

    /// Consumers hold a live key.
    fn live(&self, ledger: &Ledger<'_>, active: Slot, current: Fingerprint, standby: Fingerprint) -> Decision {
        let slot = active.other();
        let tags = &ledger.current.tags;
        let pending =
            tags.intent.filter(|intent| self.rules.intent_first && intent.slot == slot && intent.replaces != standby);
        let issue = ledger.issue(current);
        let due = issue.map(|issue| self.due(issue));
        let spare = self.spare(ledger, standby);
        let retire_at = issue.and_then(|issue| self.retire_at(issue, spare, ledger.current_since()));
        let mut decision = Decision {
            active: Some(active),
            pending,
            issue,
            spare: Some(spare),
            due,
            retire_at,
            warnings: self.warnings(ledger, active, issue, pending),
            ..Decision::new(State::Settled)
        };
        let (state, wanted) = match pending.map(|intent| intent.purpose) {
            Some(Purpose::Rotate) => (State::Unfinished, Some(Move::FinishRotation { slot })),
            Some(Purpose::Retire) => (State::Unfinished, Some(Move::FinishRetirement { slot })),
            None if due.is_some_and(|due| due <= self.now) => (State::Due, Some(Move::Rotate { slot })),
            None => match retire_at {
                Some(at) if at <= self.now => (State::Retirable, Some(Move::Retire { slot })),
                Some(_) => (State::InGrace, None),
                None => (State::Settled, None),
            },
        };
        let dead = ledger.dead_in_grace([current, standby], self.declared.grace).filter(|until| *until > self.now);
        decision.warnings.extend(dead.map(|until| Warning::DeadInGrace { until }));
        decision.state = state;
        decision.wanted = wanted;
        decision.next = wanted;
        match wanted {
            Some(Move::FinishRotation { .. }) => decision.holds.extend(self.window()),
            Some(wanted) if wanted.regenerates() => decision.holds = self.holds(ledger, Some(standby)),
            _ => {}
        }
        if !decision.holds.is_empty() {
            decision.next = None;
        }
        decision
    }

    /// When the published key is to be replaced.
    pub(super) fn due(&self, issue: Issue) -> Timestamp {
        let Rotation { max_age, renew_before, rotated_after, .. } = self.declared;
        let window = after(after(issue.counts_from(), *max_age), -*renew_before);
        let by_age = after(window, self.declared.jitter());
        match rotated_after {
            Some(instant) if !issue.is_newer_than(*instant) => by_age.min(*instant),
            _ => by_age,
        }
    }

    /// What is known about the value in the standby slot.
    fn spare(&self, ledger: &Ledger<'_>, standby: Fingerprint) -> Spare {
        let noted = ledger.noted_issue(standby);
        let replaced = match ledger.ever_published(standby) {
            EverPublished::Yes(superseded) => Some(superseded),
            EverPublished::Maybe(superseded) if noted.is_none() => Some(superseded),
            EverPublished::Maybe(_) | EverPublished::No => None,
        };
        let known = |issue| match issue {
            Issue::NotBefore(issued) => Some(issued),
            Issue::Unknown { .. } => None,
        };
        Spare { replaced, issued: noted.or_else(|| ledger.issue(standby).and_then(known)) }
    }

    /// When the value in the standby slot is to die, if it is to.
    pub(super) fn retire_at(&self, active: Issue, spare: Spare, since_current: Timestamp) -> Option<Timestamp> {
        let Spare { replaced, issued } = spare;
        let replaced = replaced.map(|superseded| after(after(superseded, RESOLUTION), self.declared.grace));
        // Compromised keys die in two runs: first the published one is replaced, then, after grace, the other one.
        let compromised = self
            .declared
            .rotated_after
            .filter(|instant| active.is_newer_than(*instant) && issued.is_none_or(|issued| issued < *instant));
        let since_current = after(since_current, self.declared.grace);
        let wanted = match self.declared.retire {
            Retire::AfterGrace => replaced.into_iter().chain(compromised).min(),
            Retire::Keep => compromised,
        };
        wanted.map(|at| at.max(since_current).max(replaced.unwrap_or(at)))
    }

    /// What keeps the standby slot from being regenerated now.
    pub(super) fn holds(&self, ledger: &Ledger<'_>, standby: Option<Fingerprint>) -> Vec<Hold> {
        let Rotation { grace, .. } = self.declared;
        let mut holds = Vec::new();
        let since_current = after(ledger.current_since(), *grace);
        let protected = standby.and_then(|value| ledger.protected_until(value, *grace));
        let until = protected.map_or(since_current, |until| until.max(since_current));
        if self.rules.spare_published && until > self.now {
            holds.push(Hold::Grace { until });
        }
        if !self.keys_are_known_to_be_ours(ledger) {
            let until = self.declared.adopted().map(|adopted| after(adopted, *grace));
            if until.is_none_or(|until| until > self.now) {
                holds.push(Hold::Adoption { until });
            }
        }
        let tags = &ledger.current.tags;
        let regenerated = tags.retired.map(|retired| retired.at).max(tags.issued);
        if let Some(until) = regenerated.map(|at| after(at, MINIMUM_GAP)).filter(|until| *until > self.now) {
            holds.push(Hold::Gap { until });
        }
        holds.extend(self.clock());
        holds.extend(self.window());
        holds
    }

    /// Ages and grace are counted from instants of two clocks, so nothing is made to die unless they agree.
    pub(super) fn clock(&self) -> Option<Hold> {
        self.facts.clock.objection().map(|_| Hold::Clock)
    }

    /// Whether palisade once issued a key, or had both made, so that no consumer can have one from before.
    fn keys_are_known_to_be_ours(&self, ledger: &Ledger<'_>) -> bool {
        let instance = &self.declared.instance;
        self.facts.switched_at(instance).is_some()
            || ledger.versions().any(|version| version.tags.issued.is_some() && version.tags.are_ours(instance))
    }

    pub(super) fn window(&self) -> Option<Hold> {
        let closed = !self.declared.in_window(self.now);
        closed.then(|| Hold::Window { opens: self.declared.window_opens(self.now) })
    }

    fn warnings(&self, ledger: &Ledger<'_>, live: Slot, issue: Option<Issue>, pending: Option<Intent>) -> Vec<Warning> {
        let tags = &ledger.current.tags;
        let mut warnings = Vec::new();
        if let Some(tagged) = tags.slot.filter(|tagged| *tagged != live) {
            warnings.push(Warning::TagDisagrees { tagged, live });
        }
        if !tags.unintelligible.is_empty() {
            warnings.push(Warning::TagsUnintelligible(tags.unintelligible.clone()));
        }
        if let Some(issue) = issue {
            if matches!(issue, Issue::Unknown { .. }) {
                warnings.push(Warning::IssueUnknown);
            }
            let since = after(issue.counts_from(), self.declared.max_age);
            if since <= self.now {
                warnings.push(Warning::Overdue { since });
            }
        }
        if self.declared.adopted_on.is_none() && !self.keys_are_known_to_be_ours(ledger) {
            warnings.push(Warning::AdoptionUndeclared);
        }
        if let Some(intent) = tags.intent.filter(|_| pending.is_none()) {
            warnings.push(Warning::StaleIntent(intent));
        }
        warnings
    }
}

pub(super) fn not_read() -> Decision {
    Decision::unknown("the keys were not read")
}
