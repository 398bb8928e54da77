//! How an apply ended, for a person.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::colour::{DANGER, DIM, GOOD, WARNING, paint};
use super::plan::manual_step;
use crate::apply::{Applied, Left, RefusedScope, Remaining, Report, Status};
use crate::plan::{Address, Unknown};
use crate::terms::text::{printable, short};

/// The report as text, with escape codes for colour: what didn't get done first, since that is what somebody has to act on.
pub fn text(report: &Report) -> String {
    let mut out = String::new();
    // Why is told as an error, whatever the format of the report.
    for RefusedScope { scope, reasons: _ } in &report.refused {
        let _ = writeln!(out, "{}  {scope}: nothing was changed there", paint(DANGER, "refused    "));
    }
    let order = [Status::Failed, Status::Refused, Status::NotStarted, Status::Waiting, Status::Done];
    for status in order {
        for applied in report.changes.iter().filter(|applied| applied.status == status) {
            // Said once for the whole environment.
            if status != Status::Refused || !report.refused.iter().any(|scope| scope.scope == applied.scope) {
                change(applied, &mut out);
            }
        }
    }
    for Left { address, action, reason } in &report.left {
        let _ = writeln!(out, "{} {action} {address}: {}", paint(DIM, "left       "), printable(reason));
    }
    unread(report, &mut out);
    remaining(&report.remaining, &mut out);
    totals(report, &mut out);
    if out.is_empty() { out } else { format!("\n{out}") }
}

fn change(applied: &Applied, out: &mut String) {
    let Applied {
        scope: _,
        address,
        subject,
        action,
        status,
        reason,
        wrote: _,
        unread,
        // The reason says them.
        waiting_for: _,
        since: _,
        held_up_by: _,
        manual,
    } = applied;
    let (style, word) = match status {
        Status::Done => (GOOD, "done"),
        Status::Failed => (DANGER, "failed"),
        Status::NotStarted if *unread => (DANGER, "not read"),
        Status::NotStarted => (WARNING, "not started"),
        Status::Waiting => (WARNING, "waiting"),
        Status::Refused => (DANGER, "refused"),
    };
    let word = paint(style, format!("{word:<11}"));
    let _ = writeln!(out, "{word}  {action} {address}: {}", short(subject));
    if *status != Status::Done || reason != "read back as declared" {
        let _ = writeln!(out, "             {}", printable(reason));
    }
    if let Some(manual) = manual {
        out.push_str(&manual_step(manual, "             "));
    }
}

/// What could not be read before anything was done, a line for each setting: an outage makes the same of all its parts.
fn unread(report: &Report, out: &mut String) {
    let mut settings: Vec<(Address, &Unknown, usize)> = Vec::new();
    for unknown in &report.unknown {
        let setting = setting_of(&unknown.address);
        match settings.iter_mut().find(|(known, ..)| *known == setting) {
            Some((.., others)) => *others += 1,
            None => settings.push((setting, unknown, 0)),
        }
    }
    for (setting, unknown, others) in settings {
        let more = if others == 0 { String::new() } else { format!(" (and {others} more there)") };
        let _ = writeln!(out, "{}  {}", paint(DANGER, "not read   "), setting);
        let _ = writeln!(out, "             {}{more}", printable(&unknown.reason));
    }
}

/// The address of the setting that something is in, or of its scope.
fn setting_of(address: &Address) -> Address {
    Address::written(&address.as_str().split('/').take(2).collect::<Vec<_>>().join("/"))
}

/// What a look after the last write shows.
fn remaining(remaining: &Remaining, out: &mut String) {
    let Remaining { waiting, unknown, changes, findings } = remaining;
    let kinds = [
        (DANGER, "not read", unknown),
        (DANGER, "attention", findings),
        (WARNING, "waiting", waiting),
        (WARNING, "next", changes),
    ];
    for (style, word, all) in kinds {
        for one in all {
            let action = one.action.map(|action| format!("{action} ")).unwrap_or_default();
            let word = paint(style, format!("{word:<11}"));
            let _ = writeln!(out, "{word}  {action}{}", one.address);
            let _ = writeln!(out, "             {}", printable(&one.detail));
        }
    }
}

fn totals(report: &Report, out: &mut String) {
    if report.changes.is_empty() && out.is_empty() {
        return;
    }
    let totals = report.summary;
    let counts = [
        (totals.done - totals.in_effect, "done"),
        (totals.in_effect, "already in effect"),
        (totals.failed, "failed"),
        (totals.refused, "refused"),
        (totals.not_started, "not started"),
        (totals.waiting, "waiting"),
    ];
    let counts = counts.into_iter().filter(|(number, _)| *number > 0);
    let mut counts: Vec<String> = counts.map(|(number, word)| format!("{number} {word}")).collect();
    // Environments of which no change is in the account, since what was approved there isn't wanted any more.
    let silent = |scope: &&RefusedScope| !report.changes.iter().any(|applied| applied.scope == scope.scope);
    match report.refused.iter().filter(silent).count() {
        0 => {}
        1 => counts.push("1 environment refused".to_owned()),
        several => counts.push(format!("{several} environments refused")),
    }
    let before = report.unknown.iter().map(|unknown| &unknown.address);
    let unread: BTreeSet<Address> =
        before.chain(report.remaining.unknown.iter().map(|still| &still.address)).map(setting_of).collect();
    let unread: Vec<String> = unread.iter().map(ToString::to_string).collect();
    let unread = if unread.is_empty() { String::new() } else { format!("; could not be read: {}", unread.join(", ")) };
    if !counts.is_empty() || !unread.is_empty() {
        let counts = if counts.is_empty() { "nothing was done".to_owned() } else { counts.join(", ") };
        let _ = writeln!(out, "\nApply: {counts}{unread}.");
    }
    let nothing_new = report.changes.iter().all(|applied| applied.status == Status::Done) && !report.wrote();
    if nothing_new && !report.changes.is_empty() && report.refused.is_empty() {
        let _ = writeln!(out, "Everything approved is in effect already; nothing was sent.");
    }
    if totals.failed + totals.refused + totals.not_started > 0 {
        let kept = if totals.done > 0 { "Completed changes are kept. " } else { "" };
        let _ = writeln!(out, "{kept}Run `palisade plan` to see what remains.");
    }
}
