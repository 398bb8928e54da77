//! How a command ended, and which end wins if several hold.

use std::process::ExitCode;

use crate::apply::{Report, Status};
use crate::plan::Plan;

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
    pub(super) fn of_plan(plan: &Plan, detailed: bool) -> Exit {
        let mut ends = Vec::new();
        if plan.refusals().next().is_some() {
            ends.push(Exit::Refused);
        }
        if plan.summary.unknown > 0 {
            ends.push(Exit::Unknown);
        }
        if detailed && plan.summary.waiting > 0 {
            ends.push(Exit::Waiting);
        }
        if detailed && plan.summary.changes > 0 {
            ends.push(Exit::Changes);
        }
        Exit::worst(ends)
    }

    /// How applying ended. A refusal before anything was written is a refusal; after that the run stopped part-way.
    pub(super) fn of_report(plan: &Plan, report: &Report, accept_waiting: bool) -> Exit {
        let ends = report.changes.iter().map(|applied| match applied.status {
            Status::Done => Exit::Done,
            Status::Failed | Status::NotStarted => Exit::Partial,
            Status::Refused if report.wrote() => Exit::Partial,
            Status::Refused => Exit::Refused,
            Status::Waiting if accept_waiting => Exit::Done,
            Status::Waiting => Exit::Waiting,
        });
        let unknown = (plan.summary.unknown > 0).then_some(Exit::Unknown);
        let waiting = (plan.summary.waiting > 0 && !accept_waiting).then_some(Exit::Waiting);
        Exit::worst(ends.chain(unknown).chain(waiting))
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
