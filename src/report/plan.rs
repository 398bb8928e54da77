//! A plan for a person who has to decide from it.
//!
//! Environments stand in the file's order, changes in the order in which they are made. What takes something away, opens
//! something or could not be read stands out; a change carries its own notes, so that nobody has to look them up below.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use anstyle::Style;

use super::colour::{DANGER, DIM, GOOD, HEADING, HINT, WARNING, paint};
use super::dangers::dangers;
use super::difference::{of_values, on_one_line};
use super::notes::{Heading, note};
use crate::azure::Provenance;
use crate::plan::{
    Action, Address, Change, Direction, Identity, Impact, ManualStep, Mode, Note, Plan, Risk, ScopePlan, Summary,
    Target, WaitingFor,
};
use crate::terms::Place;
use crate::terms::text::{printable, short};

/// What the plan is shown for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Somebody wants to change something.
    Plan,
    /// Somebody looks for drift.
    Drift,
}

/// The whole plan as text, with escape codes for colour.
pub fn text(plan: &Plan, purpose: Purpose) -> String {
    let mut out = format!("{} {}\n", paint(HEADING, "Target:"), target(&plan.target));
    let down: Vec<String> = plan.notes.iter().filter_map(|note| note.bearing.first.as_deref()).map(printable).collect();
    if !down.is_empty() {
        let _ = writeln!(out, "{} {} (see below)", paint(DANGER, "Shut down already:"), down.join(", "));
    }
    for scope in &plan.scopes {
        out.push('\n');
        environment(plan, scope, &mut out);
    }
    let about_the_run = |note: &&Note| !plan.scopes.iter().any(|scope| note.address.belongs_to(&scope.scope));
    for found in plan.notes.iter().filter(about_the_run) {
        out.push('\n');
        note(found, Heading::of(found), &mut out);
    }
    out.push('\n');
    verdict(plan, purpose, &mut out);
    out
}

fn target(target: &Target) -> String {
    match target {
        Target::Cloud { .. } => paint(WARNING, target),
        Target::Emulator { .. } => target.to_string(),
    }
}

fn environment(plan: &Plan, scope: &ScopePlan, out: &mut String) {
    let ScopePlan {
        scope: key,
        identity,
        declaration: _,
        in_sync,
        in_effect: _,
        complete: _,
        listed: _,
        behind: _,
        changes,
        unknown,
        waiting,
    } = scope;
    let _ = writeln!(out, "{} {}", paint(HEADING, key), paint(DIM, format!("({})", which(identity))));

    let widths = Widths::of(changes);
    for entry in changes {
        change(entry, &widths, out);
        for found in plan.notes.iter().filter(|note| note.address == entry.address) {
            // Where both are declared at one place, the change says it.
            let elsewhere = found.source.as_ref().filter(|source| **source != entry.source);
            note(found, Heading { address: false, place: elsewhere }, out);
        }
    }
    for entry in unknown {
        let (address, place) = (entry.address.shown_within_scope(), place(entry.source.as_ref()));
        let _ = writeln!(out, "  {} {address}{place}", paint(DANGER, "? unknown"));
        let operation =
            if entry.operation.is_empty() { String::new() } else { format!(" [{}]", short(&entry.operation)) };
        let _ = writeln!(out, "      {}{}", printable(&entry.reason), paint(DIM, operation));
    }
    for entry in waiting {
        let whom = match entry.waiting_for {
            WaitingFor::Service => "the service",
            WaitingFor::Person => "a person",
        };
        let since = entry.since.map(|since| format!(", since {since}")).unwrap_or_default();
        let address = entry.address.shown_within_scope();
        let _ = writeln!(out, "  {} {address} (for {whom}{since})", paint(WARNING, "… waiting"));
        let _ = writeln!(out, "      {}", printable(&entry.detail));
    }
    let elsewhere =
        |note: &&Note| note.address.belongs_to(key) && !changes.iter().any(|change| change.address == note.address);
    for found in plan.notes.iter().filter(elsewhere) {
        note(found, Heading::of(found), out);
    }
    if *in_sync > 0 {
        let _ = writeln!(out, "  {}", paint(GOOD, format!("{in_sync} in sync")));
    }
}

/// What a scope is, in a few words.
fn which(identity: &Identity) -> String {
    let (instance_id, environment_id, name, region) = match identity {
        Identity::Tenant { tenant_id } => return short(tenant_id),
        Identity::Environment { instance_id, environment_id, name, region, dataverse: _ } => {
            (instance_id, environment_id, name, region)
        }
    };
    let (name, region) = (name.as_deref().map(short), region.as_deref().map(short));
    let id = match (instance_id, environment_id) {
        (Some(instance), _) => Some(format!("instance {}", short(instance))),
        (None, environment) => environment.as_ref().map(|environment| format!("environment {}", short(environment))),
    };
    name.into_iter().chain(region).chain(id).collect::<Vec<_>>().join(", ")
}

struct Widths {
    action: usize,
    address: usize,
    values: usize,
}

impl Widths {
    fn of(changes: &[Change]) -> Self {
        let widest = |width: fn(&Change) -> usize| changes.iter().map(width).max().unwrap_or_default();
        Self {
            action: widest(|change| change.action.to_string().len()),
            address: widest(|change| change.address.shown_within_scope().chars().count()),
            values: widest(|change| values(change).chars().count()),
        }
    }
}

fn change(change: &Change, widths: &Widths, out: &mut String) {
    let Change {
        address,
        setting: _,
        subject,
        action,
        direction,
        risk,
        impact,
        provenance,
        by: _,
        before,
        after,
        preimage: _,
        binds: _,
        due: _,
        approved_as: _,
        shown_at: _,
        dangers: _,
        reason,
        requires,
        permissions: _,
        demands: _,
        source,
        finishes: _,
        digest: _,
    } = change;
    let (sign, style) = sign(*action, *direction);
    let marks = marks(*direction, *risk, *impact, *provenance, change.mode());
    let _ = writeln!(
        out,
        "  {} {:address$}  {:values$}  {}",
        paint(style, format!("{sign} {action:width$}", width = widths.action)),
        address.shown_within_scope(),
        values(change),
        marks.join(", "),
        address = widths.address,
        values = widths.values,
    );
    let _ = writeln!(out, "      {}: {}{}", short(subject), printable(reason), place(Some(source)));
    if on_one_line(before, after).is_none() {
        out.push_str(&of_values(before, after, "        "));
    }
    // Within a setting the order says it.
    let near = |other: &Address| (other.in_scope(), other.setting_key()) == (address.in_scope(), address.setting_key());
    let requires: Vec<String> = requires.iter().filter(|other| !near(other)).map(ToString::to_string).collect();
    if !requires.is_empty() {
        let _ = writeln!(out, "      {} {}", paint(HINT, "after:"), requires.join(", "));
    }
    if let Some(manual) = change.manual() {
        out.push_str(&manual_step(manual, "      "));
    }
}

/// Where something is declared, to be put behind it.
pub(super) fn place(source: Option<&Place>) -> String {
    source.map(|place| format!(" {}", paint(DIM, format!("({place})")))).unwrap_or_default()
}

/// What to know about a change at a glance.
fn marks(direction: Direction, risk: Risk, impact: Impact, provenance: Provenance, mode: Mode) -> Vec<String> {
    let mut marks = vec![match direction {
        Direction::Weakens => paint(WARNING, direction),
        Direction::Hardens => paint(GOOD, direction),
        Direction::Neutral => direction.to_string(),
    }];
    match risk {
        Risk::Low | Risk::Elevated => {}
        Risk::High => marks.push(paint(WARNING, "high risk")),
        Risk::Critical => marks.push(paint(DANGER, "CRITICAL")),
    }
    match impact {
        Impact::None => {}
        Impact::Interrupts => marks.push(paint(WARNING, "interrupts")),
        Impact::Outage => marks.push(paint(DANGER, "OUTAGE")),
        Impact::DataLoss => marks.push(paint(DANGER, "DATA LOSS")),
    }
    match provenance {
        Provenance::Documented => {}
        Provenance::Observed => marks.push("observed operation".to_owned()),
        Provenance::Undocumented => marks.push("undocumented operation".to_owned()),
    }
    if mode == Mode::Manual {
        marks.push(paint(WARNING, "by a person"));
    }
    marks
}

/// What a person has to do, with every line indented.
pub fn manual_step(manual: &ManualStep, indent: &str) -> String {
    let ManualStep { place, actions, values, shown_by, record } = manual;
    let mut out = format!("{indent}{} {}\n", paint(HINT, "by hand:"), printable(place));
    for action in actions {
        let _ = writeln!(out, "{indent}  - {}", printable(action));
    }
    for (name, value) in values {
        let _ = writeln!(out, "{indent}    {}: {}", printable(name), printable(value));
    }
    let _ = writeln!(out, "{indent}  {} {}", paint(HINT, "done when:"), printable(shown_by));
    if let Some(record) = record {
        let _ = writeln!(out, "{indent}  {} {}", paint(HINT, "then write under `attested`:"), printable(record));
    }
    out
}

fn sign(action: Action, direction: Direction) -> (char, Style) {
    let sign = match action {
        Action::Create | Action::Recover | Action::Enable | Action::Link | Action::Approve | Action::Grant => '+',
        Action::Update | Action::Rotate | Action::Publish | Action::Resume => '~',
        Action::Delete | Action::Disable | Action::Retire | Action::Unlink | Action::Revoke => '-',
    };
    let style = match (sign, direction) {
        ('-', _) => DANGER,
        (_, Direction::Weakens) => WARNING,
        _ => GOOD,
    };
    (sign, style)
}

/// What becomes of the value; where that takes several lines, they stand below.
fn values(change: &Change) -> String {
    on_one_line(&change.before, &change.after).unwrap_or_else(|| "see below".to_owned())
}

fn verdict(plan: &Plan, purpose: Purpose, out: &mut String) {
    if !plan.only.is_everything() {
        let outside = match plan.outside {
            0 => String::new(),
            number => format!(" ({} outside)", count(number, "change", "changes")),
        };
        let _ = writeln!(out, "{} {}{outside}", paint(WARNING, "Limited to:"), short(&plan.only.to_string()));
    }
    let _ = writeln!(out, "{}.", totals(plan, purpose).join("; "));
    for (what, who) in dangers(plan.changes()) {
        let _ = writeln!(out, "{} {}", paint(DANGER, format!("{what}:")), who);
    }
    let (planned, left): (Vec<&Note>, Vec<&Note>) =
        plan.pending_findings().partition(|note| note.bearing.repaired_by.is_some());
    if !left.is_empty() {
        let found = count(left.len(), "finding needs", "findings need");
        let others = match planned.len() {
            0 => String::new(),
            1 => "; a change of this plan puts 1 more right".to_owned(),
            several => format!("; changes of this plan put {several} more right"),
        };
        let _ =
            writeln!(out, "{} {found} to be put right by a person, see above{others}.", paint(DANGER, "Attention:"));
    }
    refused(plan, out);
    if plan.summary.changes > 0 {
        let _ = writeln!(out, "{}", paint(DIM, format!("Intent {}", short(&plan.intent_digest))));
    }
}

fn totals(plan: &Plan, purpose: Purpose) -> Vec<String> {
    let Summary { changes, hardens, weakens, neutral, manual, unknown, waiting, refused, findings: _, in_sync } =
        plan.summary;
    let mut parts = Vec::new();
    if changes > 0 {
        let what = if purpose == Purpose::Drift { "Drift" } else { "Plan" };
        let kinds = [(hardens, "hardening"), (weakens, "weakening"), (neutral, "neutral"), (manual, "by a person")];
        let kinds = kinds.into_iter().filter(|(number, _)| *number > 0);
        let kinds: Vec<String> = kinds.map(|(number, kind)| format!("{number} {kind}")).collect();
        parts.push(format!("{what}: {} ({})", count(changes, "change", "changes"), kinds.join(", ")));
    } else if unknown > 0 {
        let unread = unread(plan);
        let text = format!("Incomplete: {unread} could not be read; there may be changes that palisade can't see");
        parts.push(paint(DANGER, text));
    }
    if changes > 0 && unknown > 0 {
        parts.push(paint(DANGER, format!("{} could not be read", unread(plan))));
    }
    if waiting > 0 {
        parts.push(paint(WARNING, format!("{waiting} waiting")));
    }
    if parts.is_empty() && refused == 0 && plan.pending_findings().next().is_none() {
        parts.push(match plan.notes.iter().any(|note| note.weaker_evidence) {
            _ if !plan.only.is_everything() => "Nothing to do within that limit; the rest was not judged".to_owned(),
            false => paint(GOOD, "No changes: everything declared was read and is in sync"),
            true => paint(WARNING, "No changes found; the notes say what was not read"),
        });
    }
    if in_sync > 0 {
        parts.push(format!("{in_sync} in sync"));
    }
    if parts.is_empty() {
        parts.push("Nothing that palisade can change".to_owned());
    }
    parts
}

/// What could not be read: settings, each once, and environments as a whole.
fn unread(plan: &Plan) -> String {
    let unknown = || plan.scopes.iter().flat_map(|scope| &scope.unknown).map(|unknown| &unknown.address);
    let settings: BTreeSet<_> =
        unknown().filter_map(|address| Some((address.in_scope(), address.setting_key()?))).collect();
    let whole: BTreeSet<_> = unknown().filter(|address| address.setting_key().is_none()).collect();
    let parts = [(whole.len(), "environment", "environments"), (settings.len(), "setting", "settings")];
    let parts = parts.into_iter().filter(|(number, ..)| *number > 0);
    parts.map(|(number, one, many)| count(number, one, many)).collect::<Vec<_>>().join(" and ")
}

/// Which environments are left out, and which can be applied all the same.
fn refused(plan: &Plan, out: &mut String) {
    if plan.summary.refused == 0 {
        return;
    }
    let (stopped, free): (Vec<&ScopePlan>, Vec<&ScopePlan>) =
        plan.scopes.iter().partition(|scope| plan.refusals_of(&scope.scope).next().is_some());
    let names =
        |scopes: &[&ScopePlan]| scopes.iter().map(|scope| scope.scope.to_string()).collect::<Vec<_>>().join(", ");
    let free: Vec<&ScopePlan> = free.into_iter().filter(|scope| !scope.changes.is_empty()).collect();
    let errors = count(plan.summary.refused, "refusal", "refusals");
    let others = if free.is_empty() { String::new() } else { format!(" Can be applied: {}.", names(&free)) };
    let _ = writeln!(
        out,
        "{} {} ({errors}, see above): palisade changes nothing there.{others}",
        paint(DANGER, "Refused:"),
        names(&stopped)
    );
    for scope in stopped {
        if let Some(setting) = repairing(plan, scope) {
            let limit = format!("--only {}/{setting}", scope.scope);
            let _ = writeln!(
                out,
                "  {} what brings back what was lost there isn't refused: plan it with `{limit}`",
                paint(HINT, "help:")
            );
        }
    }
}

/// The setting of a scope that is to bring back what something lives on, and that nothing refuses.
fn repairing<'p>(plan: &'p Plan, scope: &ScopePlan) -> Option<&'p str> {
    let mut repairs = plan.notes.iter().filter_map(|note| note.bearing.repaired_by.as_ref());
    let setting = repairs.find(|address| address.belongs_to(&scope.scope))?.setting_key()?;
    let refused =
        plan.refusals_of(&scope.scope).any(|note| note.address.setting_key().is_none_or(|key| key == setting));
    (!refused).then_some(setting)
}

fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
