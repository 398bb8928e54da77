//! What a change requires, checked before its first write.
//!
//! Words: a requirement is *met* if it was done in this run, read back, and not undone since, if a fresh read shows it to be in effect, or if the
//! collection that it would be in was read completely and doesn't ask for it.
//!
//! Invariants: unknown isn't met; whatever isn't met keeps the change from being sent, and is named.

use super::board::Part;
use super::looks::NoLook;
use super::progress::Progress;
use super::report::{Outcome, Status};
use super::schedule::{Place, Run};
use crate::plan::{Address, Change, Findings, Mode, Planned, ScopePlan};

impl Run<'_> {
    /// Waits until those of these changes have ended that are part of this run.
    pub(super) async fn after(
        &self,
        scope: &ScopePlan,
        requires: &[Address],
        progress: &Progress,
        place: &mut Place<'_>,
    ) -> Result<(), Outcome> {
        for required in requires.iter().filter(|required| self.board.part(required) == Part::Pending) {
            if !place.while_away(self.board.ended(&scope.scope, required)).await {
                let reason = format!("it requires {required}, which this run only gets to after it");
                return Err(Outcome::unsent(Status::NotStarted, reason).because_of(required));
            }
            if let Some(outcome) = self.interrupted().or_else(|| self.not_resumed(progress, place)) {
                return Err(outcome);
            }
        }
        Ok(())
    }

    /// Whether a person may be told to make a change now. What another person has to do first stands on the same list.
    pub(super) async fn ready_for_a_person(
        &self,
        scope: &ScopePlan,
        change: &Change,
        progress: &Progress,
        place: &mut Place<'_>,
    ) -> Result<(), Outcome> {
        self.after(scope, &change.requires, progress, place).await?;
        for required in &change.requires {
            let other = self.plan.changes().find(|other| other.address == *required);
            match self.board.part(required) {
                Part::Ended(Status::Waiting) if other.is_some_and(|other| other.mode() == Mode::Manual) => {}
                Part::Ended(status) => ended(required, status, &Findings::default())?,
                Part::None if self.plan.scopes.iter().any(|scope| scope.in_effect.contains(required)) => {}
                Part::None | Part::Pending => return Err(not_in_this_run(required)),
            }
        }
        Ok(())
    }

    /// Checks those requirements of a change that are no part of this run, by fresh looks. `own` are those at its own setting.
    pub(super) async fn elsewhere(&self, planned: &Planned, own: &Findings) -> Result<(), Outcome> {
        let of = |address: &Address| (address.in_scope(), address.setting_key().map(str::to_owned));
        for required in planned.change.requires.iter().filter(|one| self.board.part(one) == Part::None) {
            if of(required) == of(&planned.change.address) {
                shown(required, own)?;
                continue;
            }
            let setting = required.setting_key().unwrap_or_default();
            let Some(scope) = required.in_scope() else { return Err(not_in_this_run(required)) };
            match self.engine.looks.setting(&scope, setting).await {
                Ok(fresh) => shown(required, &fresh.value().findings)?,
                Err(NoLook::Unread(reason)) => return Err(unread(required, &reason)),
                Err(NoLook::Undeclared(_)) => return Err(not_in_this_run(required)),
            }
        }
        Ok(())
    }
}

/// What it means for a change how one that it requires ended in this run. What was done may have been undone by somebody else:
/// then it is asked for again, in the change's `own` setting.
pub(super) fn ended(required: &Address, status: Status, own: &Findings) -> Result<(), Outcome> {
    let undone = own.changes.iter().any(|planned| planned.change.address == *required);
    let (status, how) = match status {
        Status::Done if undone => (Status::NotStarted, "which was done and doesn't show any more"),
        Status::Done => return Ok(()),
        Status::Waiting => (Status::Waiting, "which waits"),
        Status::Failed | Status::NotStarted => (Status::NotStarted, "which isn't done"),
        Status::Refused => (Status::NotStarted, "which was refused"),
    };
    Err(Outcome::unsent(status, format!("it requires {required}, {how}")).because_of(required))
}

/// Whether a requirement is met by what is found in its setting; else how the change ends that has it.
pub(super) fn shown(required: &Address, findings: &Findings) -> Result<(), Outcome> {
    let Findings { changes, unknown, waiting, in_effect, complete, .. } = findings;
    if changes.iter().any(|planned| planned.change.address == *required) {
        return Err(not_in_this_run(required));
    }
    let unread_at = |at: &dyn Fn(&Address) -> bool| {
        let unknown = unknown.iter().find(|unknown| at(&unknown.address));
        unknown.map_or(Ok(()), |unknown| Err(unread(required, &unknown.reason)))
    };
    unread_at(&|address| address == required)?;
    if in_effect.contains(required) {
        return Ok(());
    }
    let concerns = |address: &Address| address.is_in(required) || required.is_in(address);
    unread_at(&concerns)?;
    if let Some(held) = waiting.iter().find(|waiting| concerns(&waiting.address)) {
        let reason = format!("it requires {required}, which waits: {}", held.detail);
        let outcome = Outcome::unsent(Status::Waiting, reason).because_of(required);
        return Err(Outcome { waiting_for: Some(held.waiting_for), ..outcome });
    }
    if complete.iter().any(|collection| required.is_in(collection)) {
        return Ok(());
    }
    let reason = format!("it requires {required}, which doesn't show to be in effect");
    Err(Outcome::unsent(Status::Waiting, reason).because_of(required))
}

fn unread(required: &Address, reason: &str) -> Outcome {
    let reason = format!("not sent: it requires {required}, and whether that is in effect could not be read: {reason}");
    Outcome::unread(reason).because_of(required)
}

fn not_in_this_run(required: &Address) -> Outcome {
    let reason = format!("it requires {required}, which isn't part of this run");
    Outcome::unsent(Status::Waiting, reason).because_of(required)
}
