//! The engine: scope by scope, change by change.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};

use super::event::{Event, Listener};
use super::journal::Journal;
use super::preflight;
use super::report::{Applied, Left, Outcome, RefusedScope, Report, Status};
use super::stop::Stop;
use super::vanished;
use crate::azure::Writer;
use crate::clock::Clock;
use crate::guard;
use crate::plan::{Address, Change, Clearance, Findings, Mode, Note, Plan, Planned, ScopePlan, Verdict};
use crate::settings::declaration::Declaration;
use crate::settings::survey::Survey;

/// Environments worked on side by side.
const SIDE_BY_SIDE: usize = 8;

/// Everything that carrying out a plan needs.
pub struct Engine<'a> {
    /// Reads afresh before each write.
    pub survey: &'a Survey,
    /// Writes.
    pub writer: &'a Writer,
    /// Time.
    pub clock: &'a Clock,
    /// The environments of the configuration, by key.
    pub environments: BTreeMap<&'a str, &'a Declaration>,
    /// How long the effect of a write is waited for.
    pub patience: Duration,
    /// In which order environments are worked on, and when no further one is begun.
    pub fleet: Fleet,
    /// Whether to stop.
    pub stop: Stop,
    /// Hears what happens.
    pub listener: &'a dyn Listener,
    /// Keeps what happened.
    pub journal: &'a Journal,
    /// The name of this run in the journal.
    pub run: String,
}

/// How a run goes about many environments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fleet {
    /// Environments that go before the others, one after the other. If one of them fails, no other one is begun.
    pub first: Vec<String>,
    /// After so many failed environments no further one is begun.
    pub stop_after: usize,
}

impl Default for Fleet {
    fn default() -> Self {
        Self { first: Vec::new(), stop_after: 3 }
    }
}

/// How an environment is doing.
#[derive(Default)]
struct Progress {
    /// How each change that this run took up ended.
    ended: BTreeMap<Address, Status>,
}

impl Progress {
    /// Whether a change failed, or turned out to be another one: then nothing is taken away any more. What merely waits holds
    /// up only what requires it.
    fn trouble(&self) -> bool {
        self.ended.values().any(|status| matches!(status, Status::Failed | Status::Refused | Status::NotStarted))
    }
}

impl Engine<'_> {
    /// Carries out what was cleared, and accounts for every change of the plan.
    pub async fn run(&self, plan: &Plan, clearances: &[Clearance]) -> Report {
        let (failed, halted) = (Cell::new(0), RefCell::new(None));
        let ended: RefCell<BTreeMap<&str, Vec<Applied>>> = RefCell::default();
        let work = async |scope| {
            let reason = halted.borrow().clone().or_else(|| self.too_many(failed.get()));
            let applied = match reason {
                Some(reason) => refuse(scope, Status::NotStarted, &reason),
                None => self.scope(plan, scope, clearances).await,
            };
            failed.set(failed.get() + usize::from(applied.iter().any(Applied::failed)));
            ended.borrow_mut().insert(scope.scope.as_str(), applied);
        };
        let first = |scope: &&ScopePlan| self.fleet.first.contains(&scope.scope);
        for key in &self.fleet.first {
            let Some(scope) = plan.scopes.iter().find(|scope| scope.scope == *key) else { continue };
            work(scope).await;
            let went_well = ended.borrow()[key.as_str()].iter().all(Applied::went_well);
            if !went_well || !proceeds(clearances, key) {
                halted.replace(Some(format!("not begun, since {key} goes first (`--first`) and didn't get done")));
            }
        }
        let others = plan.scopes.iter().filter(|scope| !first(scope));
        // No more at a time than may fail: of those that were begun already, each may.
        let side_by_side = SIDE_BY_SIDE.min(self.fleet.stop_after.max(1));
        stream::iter(others).for_each_concurrent(side_by_side, work).await;
        let mut ended = ended.into_inner();
        let applied = plan.scopes.iter().filter_map(|scope| ended.remove(scope.scope.as_str())).flatten().collect();
        Report::of(plan, applied, refused(clearances), left(plan, clearances))
    }

    /// Why no further environment is begun.
    fn too_many(&self, failed: usize) -> Option<String> {
        (failed >= self.fleet.stop_after.max(1)).then(|| {
            let environments = if failed == 1 { "1 environment".to_owned() } else { format!("{failed} environments") };
            format!("not begun, since {environments} failed (`--stop-after {}`)", self.fleet.stop_after)
        })
    }

    async fn scope(&self, plan: &Plan, scope: &ScopePlan, clearances: &[Clearance]) -> Vec<Applied> {
        let Some(clearance) = clearances.iter().find(|clearance| clearance.scope == scope.scope) else {
            return refuse(scope, Status::Refused, "it wasn't approved");
        };
        let Clearance { scope: _, verdict, left, in_effect, waiting } = clearance;
        let mut applied: Vec<Applied> = in_effect.iter().map(|change| in_effect_already(scope, change)).collect();
        applied.extend(waiting.iter().map(|(change, detail)| {
            Applied::of(&scope.scope, change, Outcome::unsent(Status::Waiting, format!("not sent: {detail}")))
        }));
        match verdict {
            Verdict::Proceeds => {}
            Verdict::Refused(reasons) => {
                applied.extend(refuse(scope, Status::Refused, &reasons.join("; ")));
                return applied;
            }
            Verdict::Unread(reasons) => {
                let unread = |change: &Change| {
                    let outcome =
                        Outcome::unread(format!("an approved change could not be read: {}", reasons.join("; ")));
                    Applied::of(&scope.scope, change, outcome)
                };
                applied.extend(scope.changes.iter().map(unread));
                return applied;
            }
        }
        let mut progress = Progress::default();
        let changes = scope.changes.iter().filter(|change| !left.contains(&change.address));
        let mut held_back = preflight::held_back(self.writer.reader(), changes.clone()).await;
        for change in changes {
            let outcome = match held_back.remove(&change.address) {
                Some(outcome) => outcome,
                None => self.change(plan, scope, change, &progress).await,
            };
            // What is left to others isn't done, and holds up nothing.
            progress.ended.insert(change.address.clone(), outcome.status);
            self.listener.hear(&Event::Ended { address: &change.address, outcome: &outcome });
            applied.push(Applied::of(&scope.scope, change, outcome));
        }
        applied
    }

    async fn change(&self, plan: &Plan, scope: &ScopePlan, change: &Change, progress: &Progress) -> Outcome {
        if self.stop.requested() {
            return Outcome::unsent(Status::NotStarted, "the run was interrupted before it");
        }
        if change.mode == Mode::Manual {
            return Outcome::unsent(Status::Waiting, "a person has to do it: no operation is published");
        }
        let Approved { planned, at_stake } = match self.still_approved(plan, scope, change, progress).await {
            Ok(approved) => approved,
            Err(outcome) => return outcome,
        };
        let mut outcome = Outcome::unsent(Status::Done, "there was nothing to send");
        let mut wrote = false;
        for step in &planned.steps {
            if outcome.status == Status::Done {
                outcome = self.step(plan, change, step.as_ref()).await;
                wrote |= outcome.wrote;
            } else if step.closes() && wrote {
                let closing = self.step(plan, change, step.as_ref()).await;
                outcome.reason = format!("{}; {}: {}", outcome.reason, step.title(), closing.reason);
            }
        }
        let outcome = Outcome { wrote, ..outcome };
        if at_stake && planned.takes_away && outcome.status == Status::Done && wrote {
            return self.aftermath(scope, change, outcome).await;
        }
        outcome
    }

    /// Looks once more after a removal: of two runs that each remove an Admin, neither can see the other's write coming.
    async fn aftermath(&self, scope: &ScopePlan, change: &Change, outcome: Outcome) -> Outcome {
        let Some(environment) = self.environments.get(scope.scope.as_str()) else { return outcome };
        let findings = match self.survey.setting(environment, &change.setting, self.clock.now()).await {
            Ok(findings) => findings,
            Err(reason) => return outcome.but_unseen(&reason),
        };
        if findings.stakes.is_empty() {
            let reason = findings.unknown.first().map_or("the service doesn't say", |unknown| unknown.reason.as_str());
            return outcome.but_unseen(reason);
        }
        match guard::check_aftermath(&findings) {
            Some(note) => {
                Outcome::sent(Status::Failed, format!("{}, but {}: {}", outcome.reason, note.code, note.message))
            }
            None => outcome,
        }
    }

    /// Reads the setting afresh; the very change that was approved must still be to be made.
    async fn still_approved(
        &self,
        plan: &Plan,
        scope: &ScopePlan,
        change: &Change,
        progress: &Progress,
    ) -> Result<Approved, Outcome> {
        let refused = |reason: String| Outcome::unsent(Status::Refused, reason);
        let Some(environment) = self.environments.get(scope.scope.as_str()) else {
            return Err(refused("the configuration no longer declares this environment".to_owned()));
        };
        let unread = |reason: String| Outcome::unread(format!("not sent: {reason}"));
        let findings = self.survey.setting(environment, &change.setting, self.clock.now()).await.map_err(unread)?;
        let planned = found(&findings, change);
        if planned.is_some_and(|planned| planned.takes_away) && progress.trouble() {
            return Err(Outcome::unsent(
                Status::NotStarted,
                "nothing is taken away in this environment after an earlier change in it failed",
            ));
        }
        // Before the guards: what waits for an Admin to be added is no plan to go without one.
        if let Some(outcome) = planned.and_then(|planned| held_up(planned, progress)) {
            return Err(outcome);
        }
        let guards = match planned {
            Some(planned) if planned.takes_away => guard::check_removal(&findings),
            _ => guard::check_findings(&findings),
        };
        // As for the plan: what lies outside of its limit is another run's.
        let refuses = |note: &&Note| note.refuses() && plan.only.concerns(&note.address);
        if let Some(note) = findings.notes.iter().chain(&guards).find(refuses) {
            return Err(refused(format!("{}: {}", note.code, note.message)));
        }
        let Some(planned) = planned else { return Err(vanished::outcome(change, scope, &findings)) };
        if planned.change.intent() != change.intent() {
            return Err(refused(change.moved_to(&planned.change)));
        }
        let wanted = |address: &&Address| findings.changes.iter().any(|other| other.change.address == **address);
        if let Some(required) = planned.requires.iter().find(wanted) {
            let reason = format!("it requires {required}, which isn't part of this run");
            return Err(Outcome::unsent(Status::Waiting, reason));
        }
        Ok(Approved { planned: planned.clone(), at_stake: !findings.stakes.is_empty() })
    }
}

/// The change as it is wanted now: the same intent, else the same address.
fn found<'a>(findings: &'a Findings, change: &Change) -> Option<&'a Planned> {
    let same = |planned: &&Planned| planned.change.intent() == change.intent();
    let there = |planned: &&Planned| planned.change.address == change.address;
    findings.changes.iter().find(same).or_else(|| findings.changes.iter().find(there))
}

/// What a change requires, and this run took up, must be done.
fn held_up(planned: &Planned, progress: &Progress) -> Option<Outcome> {
    planned.requires.iter().find_map(|required| match progress.ended.get(required) {
        Some(Status::Done) | None => None,
        Some(Status::Waiting) => Some(Outcome::unsent(Status::Waiting, format!("it requires {required}, which waits"))),
        Some(Status::Failed | Status::NotStarted | Status::Refused) => {
            Some(Outcome::unsent(Status::NotStarted, format!("it requires {required}, which isn't done")))
        }
    })
}

/// A change that is still the approved one.
struct Approved {
    planned: Planned,
    /// Whether its setting decides over something that the guards look at.
    at_stake: bool,
}

/// Every change of a scope, none of them begun.
fn refuse(scope: &ScopePlan, status: Status, reason: &str) -> Vec<Applied> {
    let outcome = || Outcome::unsent(status, reason);
    scope.changes.iter().map(|change| Applied::of(&scope.scope, change, outcome())).collect()
}

fn in_effect_already(scope: &ScopePlan, change: &Change) -> Applied {
    Applied::of(&scope.scope, change, Outcome::unsent(Status::Done, "already in effect; nothing was sent"))
}

/// Whether a scope is one that nothing keeps from being worked on.
fn proceeds(clearances: &[Clearance], scope: &str) -> bool {
    clearances.iter().any(|clearance| clearance.scope == scope && clearance.verdict == Verdict::Proceeds)
}

fn refused(clearances: &[Clearance]) -> Vec<RefusedScope> {
    let reasons = |clearance: &Clearance| match &clearance.verdict {
        Verdict::Refused(reasons) => Some(RefusedScope { scope: clearance.scope.clone(), reasons: reasons.clone() }),
        Verdict::Proceeds | Verdict::Unread(_) => None,
    };
    clearances.iter().filter_map(reasons).collect()
}

/// What this run leaves for another one.
fn left(plan: &Plan, clearances: &[Clearance]) -> Vec<Left> {
    let is_left = |change: &&Change| clearances.iter().any(|clearance| clearance.left.contains(&change.address));
    let left = |change: &Change| Left {
        address: change.address.clone(),
        action: change.action,
        reason: "it fell due after the approval; it needs a new one".to_owned(),
    };
    plan.changes().filter(is_left).map(left).collect()
}
