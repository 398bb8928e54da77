//! How a command ended, and which end wins if several hold.

use std::process::ExitCode;

use crate::apply::{Applied, Report, Status};
use crate::plan::{Address, Bearing, Mode, Plan};
use crate::terms::Scope;

/// Shown below the help.
pub(super) const HELP: &str = "\
Exit codes:
  0  in sync, or done
  1  error, also wrong usage
  2  changes pending (plan --detailed-exitcode, and drift)
  3  could not determine: something declared could not be read
  4  refused by a guard
  5  apply stopped part-way; the report lists done, failed, not started
  6  accepted and still converging, or waiting for a person";

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// In sync, or done.
    Done,
    /// An error, also wrong usage.
    Error,
    /// Changes are pending.
    Changes,
    /// Something declared could not be read.
    Unknown,
    /// A guard refused.
    Refused,
    /// Stopped part-way.
    Partial,
    /// Accepted and still converging, or waiting for a person.
    Waiting,
}

impl Exit {
    fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Error => 1,
            Exit::Changes => 2,
            Exit::Unknown => 3,
            Exit::Refused => 4,
            Exit::Partial => 5,
            Exit::Waiting => 6,
        }
    }

    /// The end that matters most of several: 5, 1, 4, 3, 6, 2, 0.
    fn worst(ends: impl IntoIterator<Item = Exit>) -> Exit {
        let order =
            [Exit::Partial, Exit::Error, Exit::Refused, Exit::Unknown, Exit::Waiting, Exit::Changes, Exit::Done];
        let ends: Vec<_> = ends.into_iter().collect();
        order.into_iter().find(|exit| ends.contains(exit)).unwrap_or(Exit::Done)
    }

    /// How planning ended. Without `detailed`, pending changes and waiting are no reason for red.
    pub fn of_plan(plan: &Plan, detailed: bool) -> Exit {
        let pending = plan.summary.changes > 0 || plan.pending_findings().next().is_some();
        Exit::worst(
            [
                (plan.summary.refused > 0).then_some(Exit::Refused),
                (plan.summary.unknown > 0).then_some(Exit::Unknown),
                (detailed && plan.summary.waiting > 0).then_some(Exit::Waiting),
                (detailed && pending).then_some(Exit::Changes),
            ]
            .into_iter()
            .flatten(),
        )
    }

    /// How applying ended.
    pub fn of_report(plan: &Plan, report: &Report, accept_waiting: bool) -> Exit {
        let waits = if accept_waiting { Exit::Done } else { Exit::Waiting };
        let changes = report.changes.iter().map(|applied| match applied.status {
            Status::Done => Exit::Done,
            Status::Waiting => waits,
            Status::Failed => Exit::Partial,
            Status::Refused | Status::NotStarted => unsent(report, applied),
        });
        let refused = (plan.summary.refused > 0 || !report.refused.is_empty()).then_some(Exit::Refused);
        // What a person has to look at, by a step that the plan prints, is waited for.
        let by_hand = |address: &Address| {
            plan.changes().any(|change| change.mode() == Mode::Manual && change.address == *address)
        };
        let unknown = plan.scopes.iter().flat_map(|scope| &scope.unknown).map(|unknown| &unknown.address);
        let unknown = unknown.chain(report.remaining.unknown.iter().map(|still| &still.address));
        let unknown = unknown.map(|address| if by_hand(address) { waits } else { Exit::Unknown });
        let remaining = &report.remaining;
        let left = !(remaining.waiting.is_empty() && remaining.changes.is_empty() && remaining.findings.is_empty());
        let put_right = |address: &Address| {
            report.changes.iter().any(|applied| applied.status == Status::Done && applied.address == *address)
        };
        let pending = plan.pending_findings().any(|note| {
            let Bearing { about: _, unless_needed: _, first: _, repaired_by, aside } = &note.bearing;
            !aside && !repaired_by.as_ref().is_some_and(put_right)
        });
        let waiting = plan.summary.waiting > 0 || left || pending;
        Exit::worst(changes.chain(refused).chain(unknown).chain(waiting.then_some(waits)))
    }
}

/// How a change ended for which nothing was sent. Once its scope had written, the run stopped part-way; before that, what kept
/// the change from being sent decides, be it in another scope. The tenant's settings have nothing to do with each other.
fn unsent(report: &Report, applied: &Applied) -> Exit {
    let apart = |other: &Applied| {
        applied.scope == Scope::Tenant && other.address.setting_key() != applied.address.setting_key()
    };
    let of_scope = || {
        let same = |other: &&Applied| other.scope == applied.scope && !apart(other);
        report.changes.iter().filter(same)
    };
    let required = applied.held_up_by.as_ref();
    let elsewhere = required.and_then(|required| report.changes.iter().find(|other| other.address == *required));
    let elsewhere = elsewhere.filter(|other| other.scope != applied.scope && other.status == Status::Refused);
    let any = |status: Status| of_scope().any(|other| other.status == status);
    let unread = of_scope().any(|other| other.unread);
    match applied.status {
        _ if of_scope().any(|other| other.wrote) => Exit::Partial,
        Status::Refused => Exit::Refused,
        _ if elsewhere.is_some() => Exit::Refused,
        _ if applied.unread => Exit::Unknown,
        _ if any(Status::Failed) => Exit::Partial,
        _ if any(Status::Refused) => Exit::Refused,
        _ if unread => Exit::Unknown,
        _ => Exit::Partial,
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_end_wins() {
        use Exit::{Changes, Done, Error, Partial, Refused, Unknown, Waiting};
        let ranking = [Partial, Error, Refused, Unknown, Waiting, Changes, Done];
        for (rank, exit) in ranking.iter().enumerate() {
            for milder in &ranking[rank..] {
                assert_eq!(Exit::worst([*milder, *exit]), *exit);
            }
        }
        assert_eq!(Exit::worst([]), Done);
    }

    #[test]
    fn codes_are_those_of_the_help() {
        let exits =
            [Exit::Done, Exit::Error, Exit::Changes, Exit::Unknown, Exit::Refused, Exit::Partial, Exit::Waiting];
        assert_eq!(exits.map(Exit::code), [0, 1, 2, 3, 4, 5, 6]);
    }
}
