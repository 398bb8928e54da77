//! What plans, reports, printed texts and the journal say, against the world and what was told.

use std::collections::BTreeSet;

use palisade::apply::{Applied, Report, Status};
use palisade::cli::Exit;
use palisade::plan::{Action, Change, Plan};
use serde_json::Value;
use uuid::Uuid;

use crate::declared::Declared;
use crate::oracle::Seen;
use crate::told::Told;
use crate::trouble::Kind;
use crate::wire::Exchanged;

/// Nothing unknown counts as in sync.
pub(crate) fn plan(plan: &Plan, look: &[Exchanged], declared: &Declared) -> Vec<String> {
    let mut wrong = Vec::new();
    let seen = Seen::of(look);
    let api = declared.api.is_none_or(|wanted| look.iter().any(|one| one.api == Some(wanted)));
    let whole = api && seen.any(|world, list| list.is_as_declared(declared, world));
    let exit = Exit::of_plan(plan, true);
    if exit == Exit::Done && !whole {
        wrong.push("the plan is in sync, and nothing that was told is as declared".to_owned());
    }
    let held = |world: &_, list: &Told| declared.entries.iter().filter(|entry| list.satisfies(entry, world)).count();
    let most = seen.directories.iter().flat_map(|world| seen.lists.iter().map(|list| held(world, list))).max();
    let most = most.unwrap_or_default() + usize::from(declared.api.is_some() && api);
    if plan.summary.in_sync > most {
        wrong.push(format!("the plan counts {} in sync, and at most {most} can be", plan.summary.in_sync));
    }
    let expected = match () {
        () if plan.refusals().next().is_some() => Exit::Refused,
        () if plan.scopes.iter().any(|scope| !scope.unknown.is_empty()) => Exit::Unknown,
        () if plan.changes().next().is_some() || plan.pending_findings().next().is_some() => Exit::Changes,
        () => Exit::Done,
    };
    if exit != expected {
        wrong.push(format!("the plan ends with {exit:?}, and not with {expected:?}"));
    }
    wrong
}

fn principal(change: &Change) -> Option<Uuid> {
    let binds: Value = serde_json::to_value(&change.binds).unwrap();
    binds["principal"].as_str()?.parse().ok()
}

/// Each change is in the report once, and ended as the world shows.
pub(crate) fn report(plan: &Plan, report: &Report, log: &[Exchanged], from: usize, declared: &Declared) -> Vec<String> {
    let mut wrong = Vec::new();
    for change in plan.changes() {
        let told: Vec<&Applied> = report.changes.iter().filter(|applied| applied.address == change.address).collect();
        match told.as_slice() {
            [one] => wrong.extend(outcome(change, one, log, from)),
            others => wrong.push(format!("{} is in the report {} times", change.address, others.len())),
        }
    }
    let count = |status: Status| report.changes.iter().filter(|applied| applied.status == status).count();
    let totals = &report.summary;
    let counts = [
        (Status::Done, totals.done),
        (Status::Failed, totals.failed),
        (Status::NotStarted, totals.not_started),
        (Status::Waiting, totals.waiting),
        (Status::Refused, totals.refused),
    ];
    for (status, told) in counts.into_iter().filter(|(status, told)| count(*status) != *told) {
        wrong.push(format!("{status:?} is counted {told} times, and there are {}", count(status)));
    }
    let wrote = log.iter().skip(from).any(|one| one.kind.is_write());
    if wrote && !report.refused.is_empty() {
        wrong.push("something was written in a scope that is refused".to_owned());
    }
    if wrote != report.wrote() {
        wrong.push(format!("writes were sent: {wrote}, and the report says {}", report.wrote()));
    }
    let open =
        report.changes.iter().any(|one| matches!(one.status, Status::Failed | Status::Refused | Status::NotStarted));
    let exit = Exit::of_report(plan, report, false);
    if wrote && open && exit != Exit::Partial {
        wrong.push(format!("the run stopped part-way, and ended with {exit:?}"));
    }
    if exit == Exit::Partial && !open {
        wrong.push("the run ended as stopped part-way, and everything was done".to_owned());
    }
    if exit == Exit::Done {
        let seen = Seen::of(&log[plan_start(log, from)..]);
        let api = declared.api.is_none_or(|wanted| log.iter().any(|one| one.api == Some(wanted)));
        if !(api && seen.any(|world, list| list.is_as_declared(declared, world))) {
            wrong.push("the run ended as done, and nothing that was told is as declared".to_owned());
        }
    }
    wrong
}

/// Where the last look at everything began before, or at, a place.
fn plan_start(log: &[Exchanged], from: usize) -> usize {
    log[..from].iter().rposition(|one| one.kind == Kind::Instances).unwrap_or_default()
}

/// Nothing is done that wasn't read back, and nothing was sent unless the report says so.
fn outcome(change: &Change, applied: &Applied, log: &[Exchanged], from: usize) -> Vec<String> {
    let mut wrong = Vec::new();
    let id = principal(change);
    let mine = |one: &Exchanged| match id {
        Some(_) => matches!(one.kind, Kind::Put | Kind::Delete) && is_of(one, id),
        None => one.kind == Kind::ApiSwitch,
    };
    let last = log.iter().enumerate().skip(from).rfind(|(_, one)| mine(one)).map(|(index, _)| index);
    if last.is_some() != applied.wrote {
        wrong.push(format!("{}: sent {}, told {}", change.address, last.is_some(), applied.wrote));
    }
    if applied.status != Status::Done {
        return wrong;
    }
    let since = last.map_or_else(|| plan_start(log, from), |last| last + 1);
    let shown = match id {
        None => log[since..].iter().any(|one| one.api == Some(change.action == Action::Enable)),
        Some(id) => {
            let role = change.after["role"].as_str().map(|role| BTreeSet::from([role.to_lowercase().replace(' ', "")]));
            let shows = |one: &Exchanged| {
                let alias = one.before.applications.get(&id).map(|application| application.app_id);
                let ids: BTreeSet<Uuid> = [Some(id), alias].into_iter().flatten().collect();
                one.told.as_ref().is_some_and(|told| {
                    let held: Vec<_> = ids.iter().filter_map(|id| told.held.get(id)).collect();
                    match &role {
                        None => held.is_empty() && told.nameless == 0,
                        Some(role) => !held.is_empty() && held.iter().all(|roles| *roles == role),
                    }
                })
            };
            log[since..].iter().any(shows)
        }
    };
    if !shown {
        wrong.push(format!("{} is done by the report, and nothing shows it: {}", change.address, applied.reason));
    }
    wrong.extend(id.zip(last).and_then(|(id, last)| nobody_left(change, id, last, log)));
    wrong
}

fn is_of(one: &Exchanged, id: Option<Uuid>) -> bool {
    let alias = id.and_then(|id| one.before.applications.get(&id)).map(|application| application.app_id);
    one.principal.is_some() && (one.principal == id || one.principal == alias)
}

/// A removal after which nobody else is Admin, and stays so, must not stay quiet.
fn nobody_left(change: &Change, id: Uuid, last: usize, log: &[Exchanged]) -> Option<String> {
    let write = &log[last];
    let was = Told::of(&write.before).is_admin(id) && !Told::of(&write.after).is_admin(id);
    let later = &log[last + 1..];
    let nobody =
        |one: &Exchanged| [&one.before, &one.after].into_iter().all(|world| Told::of(world).others(world) == 0);
    let seen = Seen::of(later);
    let quiet = was && later.iter().all(nobody) && !seen.any(|world, list| list.others(world) > 0);
    quiet.then(|| format!("{} is done by the report, and no other Admin is left", change.address))
}

/// No secret is in anything that is printed or kept.
pub(crate) fn secrets(texts: &[String], secrets: &BTreeSet<String>) -> Vec<String> {
    let within = |secret: &&String| texts.iter().any(|text| text.contains(secret.as_str()));
    secrets.iter().filter(within).map(|secret| format!("a secret was printed: {secret:.12}…")).collect()
}

/// What is sent is in the journal before and after.
pub(crate) fn journal(text: &str, report: &Report) -> Vec<String> {
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |applied: &Applied| lines.iter().filter(|line| line["address"] == applied.address.as_str()).count();
    let wrong = |applied: &&Applied| of(applied) % 2 == 1 || (applied.wrote && of(applied) == 0);
    report
        .changes
        .iter()
        .filter(wrong)
        .map(|applied| format!("{} isn't whole in the journal", applied.address))
        .collect()
}
