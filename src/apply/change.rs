//! One change: looked at afresh, then carried out step by step.
//!
//! Invariants: before the first write the very change that was approved must still be to be made, all that it requires must be
//! there, and what it writes to must be its own; all of that is read after the last wait.

use std::collections::BTreeSet;

use super::board::Part;
use super::holds::Taken;
use super::looks::NoLook;
use super::progress::Progress;
use super::report::{Outcome, Status};
use super::requirements;
use super::schedule::{Place, Run};
use super::vanished;
use crate::azure::Anew;
use crate::guard;
use crate::plan::{Action, Address, Change, Findings, Mode, Note, Planned, ScopePlan, Sighting};

/// A change that is still the approved one.
struct Approved {
    planned: Planned,
    /// What its setting looks like now.
    fresh: Anew<Sighting>,
}

/// Why a change isn't begun.
enum NotYet {
    /// This is how it ends.
    Ended(Outcome),
    /// These must end before.
    After(Vec<Address>),
}

impl From<Outcome> for NotYet {
    fn from(outcome: Outcome) -> Self {
        Self::Ended(outcome)
    }
}

impl Run<'_> {
    pub(super) async fn change(
        &self,
        scope: &ScopePlan,
        change: &Change,
        progress: &Progress,
        place: &mut Place<'_>,
    ) -> Outcome {
        if let Some(outcome) = self.interrupted().or_else(|| self.not_resumed(progress, place)) {
            return outcome;
        }
        if change.mode() == Mode::Manual {
            let ready = self.ready_for_a_person(scope, change, progress, place).await;
            return ready.err().unwrap_or_else(Outcome::left_to_a_person);
        }
        if let Some(outcome) = progress.frozen(change) {
            return outcome;
        }
        let (Approved { planned, fresh }, taken) = match self.ready(scope, change, progress, place).await {
            Ok(ready) => ready,
            Err(outcome) => return outcome,
        };
        let outcome = self.steps(change, &planned).await;
        drop(taken);
        let at_stake = !fresh.value().findings.stakes.is_empty();
        if at_stake && planned.takes_away && outcome.status == Status::Done && outcome.wrote {
            return self.aftermath(scope, change, outcome).await;
        }
        outcome
    }

    pub(super) fn interrupted(&self) -> Option<Outcome> {
        let interrupted = || Outcome::unsent(Status::NotStarted, "the run was interrupted before it");
        self.engine.stop.requested().then(interrupted)
    }

    /// Waits until the change may be made, with all that it must have to itself.
    async fn ready(
        &self,
        scope: &ScopePlan,
        change: &Change,
        progress: &Progress,
        place: &mut Place<'_>,
    ) -> Result<(Approved, Taken<'_>), Outcome> {
        let mut requires = change.requires.clone();
        let mut taken = self.holds.nothing();
        loop {
            self.after(scope, &requires, progress, place).await?;
            let moment = self.holds.moment();
            let approved = match self.still_approved(scope, change, progress).await {
                Ok(approved) => approved,
                Err(NotYet::Ended(outcome)) => return Err(outcome),
                // Nothing is kept from others while these are waited for.
                Err(NotYet::After(others)) => {
                    taken = self.holds.nothing();
                    requires = others;
                    continue;
                }
            };
            let holds: BTreeSet<_> = approved.planned.holds();
            if !taken.are(&holds) {
                drop(taken);
                taken = self.holds.take(holds).await;
                if taken.let_go_since(moment) {
                    continue;
                }
            }
            self.elsewhere(&approved.planned, &approved.fresh.value().findings).await?;
            return Ok((approved, taken));
        }
    }

    async fn steps(&self, change: &Change, planned: &Planned) -> Outcome {
        let mut outcome = Outcome::unsent(Status::Done, "there was nothing to send");
        let mut wrote = false;
        for step in planned.steps() {
            if outcome.status == Status::Done {
                outcome = self.engine.step(self.plan, change, step.as_ref()).await;
                wrote |= outcome.wrote;
            } else if step.closes() && wrote {
                let closing = self.engine.step(self.plan, change, step.as_ref()).await;
                outcome.reason = format!("{}; {}: {}", outcome.reason, step.title(), closing.reason);
            }
        }
        Outcome { wrote, ..outcome }
    }

    /// Looks once more after a removal: of two runs that each remove an Admin, neither can see the other's write coming.
    async fn aftermath(&self, scope: &ScopePlan, change: &Change, outcome: Outcome) -> Outcome {
        let looked = self.engine.looks.setting(&scope.scope, &change.setting).await;
        let fresh = match looked {
            Ok(fresh) => fresh,
            Err(NoLook::Undeclared(reason) | NoLook::Unread(reason)) => return outcome.but_unseen(&reason),
        };
        let findings = &fresh.value().findings;
        if findings.stakes.is_empty() {
            let unread = findings.unknown.first().map(|unknown| unknown.reason.as_str());
            let refused = findings.notes.iter().find(|note| note.refuses()).map(|note| note.message.as_str());
            return outcome.but_unseen(unread.or(refused).unwrap_or("the service doesn't say"));
        }
        match guard::check_aftermath(&fresh) {
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
    ) -> Result<Approved, NotYet> {
        let refused = |reason: String| Outcome::unsent(Status::Refused, reason);
        let fresh = self.look(scope, change).await.map_err(|why| match why {
            NoLook::Undeclared(reason) => refused(reason),
            NoLook::Unread(reason) => Outcome::unread(format!("not sent: {reason}")),
        })?;
        let findings = &fresh.value().findings;
        let planned = found(findings, change);
        if planned.is_some_and(|planned| planned.takes_away) && progress.trouble(change) {
            let reason = "nothing is taken away in this environment after an earlier change in it failed";
            return Err(Outcome::unsent(Status::NotStarted, reason).into());
        }
        // Before the guards: what waits for an Admin to be added is no plan to go without one.
        if let Some(planned) = planned {
            self.on_the_board(planned, findings)?;
        }
        let guards = match (planned, fresh.fresh()) {
            (Some(planned), Some(fresh)) if planned.takes_away => guard::check_removal(fresh),
            (Some(planned), None) if planned.takes_away => {
                return Err(Outcome::unread("not sent: what it rests on wasn't read afresh".to_owned()).into());
            }
            _ => guard::check_findings(findings),
        };
        let identity = guard::check_identity(&scope.scope, &scope.identity, &fresh);
        // As for the plan: what lies outside of its limit is another run's.
        let refuses = |note: &&Note| note.refuses() && self.plan.only.concerns(&note.address);
        if let Some(note) = identity.iter().chain(&findings.notes).chain(&guards).find(refuses) {
            return Err(refused(format!("{}: {}", note.code, note.message)).into());
        }
        let Some(planned) = planned else { return Err(vanished::outcome(change, scope, findings).into()) };
        if planned.change.intent() != change.intent() {
            return Err(refused(change.moved_to(&planned.change)).into());
        }
        Ok(Approved { planned: planned.clone(), fresh })
    }

    /// What the setting of a change shows now: all of it, if something is taken away.
    async fn look(&self, scope: &ScopePlan, change: &Change) -> Result<Anew<Sighting>, NoLook> {
        let looks = self.engine.looks;
        let adds = matches!(change.action, Action::Create | Action::Update);
        if adds {
            let seen = looks.addition(&scope.scope, &change.setting, &change.address).await?;
            if !found(&seen.value().findings, change).is_some_and(|planned| planned.takes_away) {
                return Ok(seen);
            }
        }
        looks.setting(&scope.scope, &change.setting).await.map(Anew::All)
    }

    /// What a change requires, and this run takes up, must have ended, and well; `own` are the findings of its setting now.
    fn on_the_board(&self, planned: &Planned, own: &Findings) -> Result<(), NotYet> {
        let requires = &planned.change.requires;
        if requires.iter().any(|required| self.board.part(required) == Part::Pending) {
            return Err(NotYet::After(requires.clone()));
        }
        for required in requires {
            if let Part::Ended(status) = self.board.part(required) {
                requirements::ended(required, status, own)?;
            }
        }
        Ok(())
    }
}

/// The change as it is wanted now: the same intent, else the same address.
fn found<'a>(findings: &'a Findings, change: &Change) -> Option<&'a Planned> {
    let same = |planned: &&Planned| planned.change.intent() == change.intent();
    let there = |planned: &&Planned| planned.change.address == change.address;
    findings.changes.iter().find(same).or_else(|| findings.changes.iter().find(there))
}
