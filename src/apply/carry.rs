//! One step: recorded, sent, and read back.
//!
//! Invariants: a step is in the journal before it is sent and after it is read back; success is what was read back; what the
//! service was seen to work on is never told as a failure because waiting for it ended.

use std::time::Duration;

use jiff::Timestamp;

use super::engine::Engine;
use super::event::Event;
use super::journal::{Entry, Moment};
use super::report::{Outcome, Status};
use crate::azure::operations::Effect;
use crate::plan::{Change, Plan, ReadBack, Step, StepError};

impl Engine<'_> {
    pub(super) async fn step(&self, plan: &Plan, change: &Change, step: &dyn Step) -> Outcome {
        let title = step.title();
        self.listener.hear(&Event::Started { address: &change.address, title: &title });
        if let Err(outcome) = self.record(plan, change, step, None) {
            return outcome;
        }
        let outcome = self.write_and_look(change, step).await;
        let outcome = Outcome { wrote: outcome.wrote && !step.only_looks(), ..outcome };
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
            Err(StepError::Late { reason, wrote: true }) => return Outcome::sent(Status::Waiting, reason),
            Err(StepError::Late { reason, wrote: false }) => return Outcome::unsent(Status::Waiting, reason),
            // A step reads before it writes; what could not be read was followed by no write.
            Err(StepError::Call(error)) if error.operation.effect == Effect::Read => {
                return Outcome::unread(format!("not sent: {error}"));
            }
            Err(StepError::Call(error)) if error.is_ambiguous() || matches!(error.status(), Some(404 | 409 | 412)) => {
                Some(error)
            }
            Err(StepError::Call(error)) => return Outcome::sent(Status::Failed, error.to_string()),
        };
        // What the service refused outright won't come true by waiting: one look tells whether it was so already.
        let final_word = problem.as_ref().is_some_and(|error| !error.is_ambiguous());
        let patience = if final_word { Duration::ZERO } else { self.patience };
        let (look, accepted) = self.look(change, step, patience).await;
        // Whatever the answer to the write was: that the service works on it shows that it took it.
        let problem = problem.filter(|_| !accepted);
        match (look, problem) {
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
            (Look::UnderWay(since, detail), _) => Outcome::under_way(since, &detail),
            (Look::NotShown(detail), None) => {
                let patience = if accepted { self.longest_patience() } else { self.patience };
                let text = format!("the service took it, but {detail} after {}", spoken(patience));
                Outcome::sent(Status::Waiting, text)
            }
            (Look::Interrupted(detail), None) => Outcome::sent(
                Status::Waiting,
                format!("the service took it, but {detail} when the run was interrupted"),
            ),
            (Look::NotShown(detail) | Look::Interrupted(detail), Some(error)) => {
                Outcome::sent(Status::Failed, format!("{error}; {detail}"))
            }
            (Look::Unreadable(unreadable), _) if step.only_looks() => Outcome::unread(unreadable),
            (Look::Unreadable(unreadable), problem) => {
                let took = problem.map_or_else(|| "the service took it".to_owned(), |error| error.to_string());
                Outcome::sent(
                    Status::Failed,
                    format!("{took}, but whether it took effect could not be read: {unreadable}"),
                )
            }
        }
    }

    /// For an effect after the operation was seen under way: of the longer time, some went by meanwhile.
    fn longest_patience(&self) -> Duration {
        self.patience.max(self.patience_under_way)
    }

    /// Reads until the desired state shows, for as long as there is patience: `patience` with an effect that doesn't show, the
    /// engine's own with what is under way. Tells, too, whether it was seen under way.
    async fn look(&self, change: &Change, step: &dyn Step, patience: Duration) -> (Look, bool) {
        let began = self.clock.now();
        let mut under_way: Option<(Option<Timestamp>, String)> = None;
        let mut wait = Duration::from_secs(1);
        loop {
            let look = self.look_once(step).await;
            let (detail, patience, longest) = match &look {
                Look::UnderWay(since, detail) => {
                    under_way = Some((*since, detail.clone()));
                    (detail, self.patience_under_way, LONGEST_WAIT_UNDER_WAY)
                }
                Look::NotShown(detail) | Look::Unreadable(detail) if under_way.is_some() => {
                    (detail, self.longest_patience(), LONGEST_WAIT)
                }
                Look::NotShown(detail) | Look::Unreadable(detail) => (detail, patience, LONGEST_WAIT),
                _ => return (look, under_way.is_some()),
            };
            let spent = Duration::try_from(self.clock.now().duration_since(began)).unwrap_or_default();
            let left = patience.saturating_sub(spent);
            if self.stop.requested() || left.is_zero() {
                let accepted = under_way.is_some();
                return (look.at_the_end(under_way, left.is_zero()), accepted);
            }
            let pause = wait.min(left);
            self.listener.hear(&Event::Waiting { address: &change.address, detail, wait: pause });
            self.stop.or_sleep(self.clock, pause).await;
            wait = (wait * 2).min(longest);
        }
    }

    async fn look_once(&self, step: &dyn Step) -> Look {
        match step.read_back(self.writer.reader()).await {
            Ok(ReadBack::Shown) => Look::Shown(None),
            Ok(ReadBack::ShownBut(detail)) => Look::Shown(Some(detail)),
            Ok(ReadBack::Gone(detail)) => Look::Gone(detail),
            Ok(ReadBack::LeftToOthers(detail)) => Look::LeftToOthers(detail),
            Ok(ReadBack::UnderWay { since, detail }) => Look::UnderWay(since, detail),
            Ok(ReadBack::NotYet(detail)) => Look::NotShown(detail),
            Ok(ReadBack::Unread(reason)) => Look::Unreadable(reason),
            Err(error) => Look::Unreadable(error.to_string()),
        }
    }
}

/// Between two looks for an effect.
const LONGEST_WAIT: Duration = Duration::from_secs(15);
/// Between two looks at what goes on for hours or days.
const LONGEST_WAIT_UNDER_WAY: Duration = Duration::from_secs(60);

enum Look {
    Shown(Option<String>),
    Gone(String),
    LeftToOthers(String),
    UnderWay(Option<Timestamp>, String),
    NotShown(String),
    Interrupted(String),
    Unreadable(String),
}

impl Look {
    /// What the last look means where waiting ends, because patience ran out or by an interrupt. `under_way` is how it was when it
    /// was last seen under way.
    fn at_the_end(self, under_way: Option<(Option<Timestamp>, String)>, ran_out: bool) -> Self {
        match (self, under_way) {
            (Self::NotShown(detail), _) if !ran_out => Self::Interrupted(detail),
            // The service took it; that one look failed doesn't make it a failure.
            (Self::Unreadable(reason), Some((since, detail))) => Self::UnderWay(
                since,
                format!("{detail}, when it was last read; since then it could not be read: {reason}"),
            ),
            (look, _) => look,
        }
    }
}

fn spoken(duration: Duration) -> String {
    match duration.as_secs() {
        seconds if seconds % 60 == 0 && seconds > 0 => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}
