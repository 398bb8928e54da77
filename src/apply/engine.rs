//! The engine: change by change, step by step.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::SignedDuration;
use tokio::sync::Notify;

use super::event::{Event, Listener};
use super::journal::{Entry, Journal, Moment};
use super::report::{Applied, Outcome, Report, Status};
use super::vanished;
use crate::azure::{CallError, Writer};
use crate::clock::Clock;
use crate::config::Environment;
use crate::guard;
use crate::plan::{Address, Change, Mode, Note, Plan, Planned, ReadBack, ScopePlan, Step, StepError};
use crate::settings::survey::Survey;

/// A request to stop, shared with whoever hears Ctrl-C.
#[derive(Debug, Clone, Default)]
pub struct Stop(Rc<StopState>);

#[derive(Debug, Default)]
struct StopState {
    requested: Cell<bool>,
    notify: Notify,
}

impl Stop {
    /// Asks the engine to finish the write in flight and to begin nothing new.
    pub fn request(&self) {
        self.0.requested.set(true);
        self.0.notify.notify_waiters();
    }

    fn requested(&self) -> bool {
        self.0.requested.get()
    }

    /// Waits, unless and until somebody asks to stop.
    async fn or_sleep(&self, clock: &Clock, wait: Duration) {
        if self.requested() {
            return;
        }
        tokio::select! {
            () = clock.sleep(wait) => {}
            () = self.0.notify.notified() => {}
        }
    }
}

/// Everything that carrying out a plan needs.
pub struct Engine<'a> {
    /// Reads afresh before each write.
    pub survey: &'a Survey,
    /// Writes.
    pub writer: &'a Writer,
    /// Time.
    pub clock: &'a Clock,
    /// The environments of the configuration, by key.
    pub environments: BTreeMap<&'a str, &'a Environment>,
    /// How long the effect of a write is waited for.
    pub patience: Duration,
    /// Whether to stop.
    pub stop: Stop,
    /// Hears what happens.
    pub listener: &'a dyn Listener,
    /// Keeps what happened.
    pub journal: &'a Journal,
    /// The name of this run in the journal.
    pub run: String,
}

/// How an environment is doing.
#[derive(Default)]
struct Progress {
    /// Set once a change didn't reach its desired state.
    trouble: bool,
}

impl Engine<'_> {
    /// Carries the plan out and accounts for every change.
    pub async fn run(&self, plan: &Plan) -> Report {
        let scopes = join_all(plan.scopes.iter().map(|scope| self.scope(plan, scope))).await;
        Report::of(plan, scopes.into_iter().flatten().collect())
    }

    async fn scope(&self, plan: &Plan, scope: &ScopePlan) -> Vec<Applied> {
        let mut progress = Progress::default();
        let mut applied = Vec::with_capacity(scope.changes.len());
        for change in &scope.changes {
            let outcome = self.change(plan, scope, change, &progress).await;
            progress.trouble |= outcome.status != Status::Done && !outcome.left_to_others;
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
        let Approved { planned, administers } = match self.still_approved(scope, change, progress).await {
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
        if administers && planned.takes_away && outcome.status == Status::Done && wrote {
            return self.aftermath(scope, change, outcome).await;
        }
        outcome
    }

    /// Looks once more after a removal: of two runs that each remove somebody, neither can see the other's write coming.
    async fn aftermath(&self, scope: &ScopePlan, change: &Change, outcome: Outcome) -> Outcome {
        let Some(environment) = self.environments.get(scope.scope.as_str()) else { return outcome };
        let findings = match self.survey.setting(environment, &change.setting, self.clock.now()).await {
            Ok(findings) => findings,
            Err(reason) => return outcome.but_unseen(&reason),
        };
        if findings.administrators.is_none() {
            let reason = findings.unknown.first().map_or("the service doesn't say", |unknown| unknown.reason.as_str());
            return outcome.but_unseen(reason);
        }
        match guard::check_aftermath(&scope.scope, &findings) {
            Some(note) => {
                Outcome::sent(Status::Failed, format!("{}, but {}: {}", outcome.reason, note.code, note.message))
            }
            None => outcome,
        }
    }

    /// Reads the setting afresh; the very change that was approved must still be to be made.
    async fn still_approved(
        &self,
        scope: &ScopePlan,
        change: &Change,
        progress: &Progress,
    ) -> Result<Approved, Outcome> {
        let refused = |reason: String| Outcome::unsent(Status::Refused, reason);
        let failed = |reason: String| Outcome::unsent(Status::Failed, format!("not sent: {reason}"));
        let Some(environment) = self.environments.get(scope.scope.as_str()) else {
            return Err(refused("the configuration doesn't declare this environment any more".to_owned()));
        };
        let findings = self.survey.setting(environment, &change.setting, self.clock.now()).await.map_err(failed)?;
        let planned = findings.changes.iter().find(|planned| planned.change.address == change.address);
        if planned.is_some_and(|planned| planned.takes_away) && progress.trouble {
            return Err(Outcome::unsent(
                Status::NotStarted,
                "nothing is taken away in this environment after an earlier change in it didn't get done",
            ));
        }
        let guards = match planned {
            Some(planned) if planned.takes_away => guard::check_removal(&scope.scope, &findings),
            _ => guard::check_findings(&scope.scope, &findings),
        };
        let refusal = findings.notes.iter().chain(&guards).find(|note| Note::refuses(note));
        if let Some(note) = refusal {
            return Err(refused(format!("{}: {}", note.code, note.message)));
        }
        let wanted = |address: &&Address| findings.changes.iter().any(|other| other.change.address == **address);
        if let Some(address) = planned.and_then(|planned| planned.requires.iter().find(wanted)) {
            return Err(Outcome::unsent(Status::NotStarted, format!("{address} must be done before it, and isn't")));
        }
        match planned {
            Some(planned) if planned.change.intent() == change.intent() => {
                Ok(Approved { planned: planned.clone(), administers: findings.administrators.is_some() })
            }
            Some(Planned { change: now, .. }) => Err(refused(change.moved_to(now))),
            None => Err(vanished::outcome(change, scope, &findings)),
        }
    }

    async fn step(&self, plan: &Plan, change: &Change, step: &dyn Step) -> Outcome {
        let title = step.title();
        self.listener.hear(&Event::Started { address: &change.address, title: &title });
        if let Err(outcome) = self.record(plan, change, step, None) {
            return outcome;
        }
        let outcome = self.write_and_look(change, step).await;
        match self.record(plan, change, step, Some(&outcome)) {
            Ok(()) => outcome,
            Err(Outcome { reason, .. }) => Outcome::sent(Status::Failed, format!("{}, but {reason}", outcome.reason)),
        }
    }

    fn record(&self, plan: &Plan, change: &Change, step: &dyn Step, outcome: Option<&Outcome>) -> Result<(), Outcome> {
        let entry = Entry {
            at: self.clock.now(),
            run: &self.run,
            target: &plan.target,
            address: &change.address,
            step: &step.title(),
            operation: step.operation().name,
            moment: if outcome.is_some() { Moment::Ended } else { Moment::Started },
            status: outcome.map(|outcome| outcome.status),
            reason: outcome.map(|outcome| outcome.reason.as_str()),
        };
        self.journal.write(&entry).map_err(|error| Outcome::unsent(Status::Failed, error.to_string()))
    }

    /// Success is what was read back. An answer that got lost, or a conflict, is no failure yet: the state decides.
    async fn write_and_look(&self, change: &Change, step: &dyn Step) -> Outcome {
        let problem = match step.write(self.writer).await {
            Ok(()) => None,
            Err(StepError::Stopped(reason)) => return Outcome::unsent(Status::Refused, format!("not sent: {reason}")),
            Err(StepError::Unread(reason)) => return Outcome::unread(format!("not sent: {reason}")),
            Err(StepError::Ended(reason)) => return Outcome::sent(Status::Failed, reason),
            Err(StepError::Call(error)) if error.is_ambiguous() || matches!(error.status(), Some(404 | 409 | 412)) => {
                Some(error)
            }
            Err(StepError::Call(error)) => return Outcome::sent(Status::Failed, error.to_string()),
        };
        // What the service refused outright won't come true by waiting: one look tells whether it was so already.
        let final_word = problem.as_ref().is_some_and(|error| !error.is_ambiguous());
        let patience = if final_word { Duration::ZERO } else { self.patience };
        match (self.look(change, step, patience).await, problem) {
            (Look::Shown(more), problem) => {
                let although = problem.map(|error| format!(", although the write ended with: {error}"));
                let more = more.map(|more| format!("; {more}"));
                let text = format!("read back as declared{}{}", although.unwrap_or_default(), more.unwrap_or_default());
                Outcome::sent(Status::Done, text)
            }
            (Look::Gone(detail), problem) => {
                let took = problem.map_or_else(|| "the service took it".to_owned(), |error| error.to_string());
                Outcome::sent(Status::Failed, format!("{took}, but then {detail}"))
            }
            (Look::LeftToOthers(detail), _) => Outcome {
                left_to_others: true,
                ..Outcome::sent(Status::Waiting, format!("the service did it; {detail}"))
            },
            (Look::NotShown(detail), None) => Outcome::sent(
                Status::Waiting,
                format!("the service took it, but {detail} after {}", spoken(self.patience)),
            ),
            (Look::Interrupted(detail), None) => Outcome::sent(
                Status::Waiting,
                format!("the service took it, but {detail} when the run was interrupted"),
            ),
            (Look::NotShown(detail) | Look::Interrupted(detail), Some(error)) => {
                Outcome::sent(Status::Failed, format!("{error}; {detail}"))
            }
            (Look::Unreadable(unreadable), problem) => {
                let took = problem.map_or_else(|| "the service took it".to_owned(), |error| error.to_string());
                Outcome::sent(
                    Status::Failed,
                    format!("{took}, but whether it took effect could not be read: {unreadable}"),
                )
            }
        }
    }

    /// Reads until the desired state shows, for as long as there is patience.
    async fn look(&self, change: &Change, step: &dyn Step, patience: Duration) -> Look {
        let patience = SignedDuration::try_from(patience).unwrap_or(SignedDuration::MAX);
        let end = self.clock.now().saturating_add(patience).unwrap_or(jiff::Timestamp::MAX);
        let mut wait = Duration::from_secs(1);
        loop {
            let seen = match step.read_back(self.writer.reader()).await {
                Ok(ReadBack::Shown) => return Look::Shown(None),
                Ok(ReadBack::ShownBut(detail)) => return Look::Shown(Some(detail)),
                Ok(ReadBack::Gone(detail)) => return Look::Gone(detail),
                Ok(ReadBack::LeftToOthers(detail)) => return Look::LeftToOthers(detail),
                Ok(ReadBack::NotYet(detail)) => Ok(detail),
                Err(error) => Err(error),
            };
            if self.stop.requested() || self.clock.now() >= end {
                return match seen {
                    Err(error) => Look::Unreadable(error),
                    Ok(detail) if self.clock.now() >= end => Look::NotShown(detail),
                    Ok(detail) => Look::Interrupted(detail),
                };
            }
            let detail = seen.unwrap_or_else(|error| error.to_string());
            self.listener.hear(&Event::Waiting { address: &change.address, detail: &detail, wait });
            self.stop.or_sleep(self.clock, wait).await;
            wait = (wait * 2).min(Duration::from_secs(15));
        }
    }
}

/// A change that is still the approved one.
struct Approved {
    planned: Planned,
    /// Whether its setting decides who administers the environment.
    administers: bool,
}

enum Look {
    Shown(Option<String>),
    Gone(String),
    LeftToOthers(String),
    NotShown(String),
    Interrupted(String),
    Unreadable(CallError),
}

fn spoken(duration: Duration) -> String {
    match duration.as_secs() {
        seconds if seconds % 60 == 0 && seconds > 0 => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}
