//! How an apply ended, for a person.

use std::fmt::Write as _;

use super::colour::{DANGER, GOOD, WARNING, paint};
use crate::apply::{Report, Status};
use crate::text::printable;

/// The report as text, with escape codes for colour: what didn't get done first, since that is what somebody has to act on.
pub fn text(report: &Report) -> String {
    let mut out = String::new();
    let order = [Status::Failed, Status::Refused, Status::NotStarted, Status::Waiting, Status::Done];
    for status in order {
        for applied in report.changes.iter().filter(|applied| applied.status == status) {
            let (style, word) = match status {
                Status::Done => (GOOD, "done"),
                Status::Failed => (DANGER, "failed"),
                Status::NotStarted => (WARNING, "not started"),
                Status::Waiting => (WARNING, "waiting"),
                Status::Refused => (DANGER, "refused"),
            };
            let word = paint(style, format!("{word:<11}"));
            let (address, subject) = (printable(applied.address.as_str()), printable(&applied.subject));
            let _ = writeln!(out, "{word}  {} {address}: {subject}", applied.action);
            if status != Status::Done || applied.reason != "read back as declared" {
                let _ = writeln!(out, "             {}", printable(&applied.reason));
            }
        }
    }
    let totals = report.summary;
    let _ = writeln!(
        out,
        "\nApply: {} done, {} failed, {} refused, {} not started, {} waiting.",
        totals.done, totals.failed, totals.refused, totals.not_started, totals.waiting
    );
    if totals.failed + totals.refused + totals.not_started > 0 {
        let _ = writeln!(out, "Look at what is left with `palisade plan`; what was done stays done.");
    }
    out
}
