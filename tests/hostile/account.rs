//! What plans and reports say, as printed for programs, against what was told.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::declared::{Declared, Environment};
use crate::platform;
use crate::shown::{self, whole};
use crate::wire::Exchanged;

fn list<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> + Clone {
    value[name].as_array().into_iter().flatten()
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

/// Whether an address is in an environment.
fn is_in(address: &str, key: &str) -> bool {
    address.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn refusals(plan: &Value) -> impl Iterator<Item = &Value> + Clone {
    list(plan, "notes").filter(|note| note["kind"] == "refusal")
}

/// Whether something refuses an environment, or all of them.
fn is_refused(plan: &Value, key: &str, declared: &Declared) -> bool {
    let of_another =
        |address: &str| declared.environments.iter().any(|one| one.key() != key && is_in(address, one.key()));
    refusals(plan).any(|note| !of_another(text(note, "address")))
}

/// Nothing unknown counts as in sync.
pub(crate) fn plan(plan: &Value, exit: u8, look: &[Exchanged], declared: &Declared) -> Vec<String> {
    let mut wrong = Vec::new();
    for environment in &declared.environments {
        let scopes: Vec<&Value> = list(plan, "scopes").filter(|scope| scope["scope"] == environment.key()).collect();
        let [scope] = scopes.as_slice() else {
            wrong.push(format!("{} is in the plan {} times", environment.key(), scopes.len()));
            continue;
        };
        let most = shown::most(environment, look);
        if scope["inSync"].as_u64().unwrap_or_default() > most {
            wrong.push(format!("{} counts {} in sync, and at most {most} can be", environment.key(), scope["inSync"]));
        }
        let mut addresses: Vec<&str> = list(scope, "changes").map(|change| text(change, "address")).collect();
        addresses.sort_unstable();
        if addresses.windows(2).any(|pair| pair[0] == pair[1]) {
            wrong.push(format!("{} has two changes at one address: {addresses:?}", environment.key()));
        }
        let silent = ["changes", "unknown", "waiting"].iter().all(|name| list(scope, name).next().is_none());
        let noted = list(plan, "notes").any(|note| {
            (note["kind"] == "refusal" || note["severity"] == "error")
                && is_in(text(note, "address"), environment.key())
        });
        if silent && !noted && !whole(environment, look) {
            wrong.push(format!("{} is in sync, and nothing that was told is as declared", environment.key()));
        }
    }
    let any = |name: &str| list(plan, "scopes").any(|scope| list(scope, name).next().is_some());
    let pending = list(plan, "notes").any(|note| note["kind"] == "finding" && note["severity"] == "error");
    let expected = match () {
        () if refusals(plan).next().is_some() => 4,
        () if any("unknown") => 3,
        () if any("waiting") => 6,
        () if any("changes") || pending => 2,
        () => 0,
    };
    if exit != expected {
        wrong.push(format!("the plan ends with {exit}, and not with {expected}"));
    }
    wrong
}

/// A run, and what it was to carry out, as printed for programs.
pub(crate) struct Run<'a> {
    pub(crate) plan: &'a Value,
    pub(crate) report: &'a Value,
    pub(crate) exit: u8,
    pub(crate) declared: &'a Declared,
    pub(crate) log: &'a [Exchanged],
    /// Where in the log the plan began, and the run.
    pub(crate) looked: usize,
    pub(crate) from: usize,
    /// Whether an earlier plan approved it.
    pub(crate) saved: bool,
}

/// Each change is in the report once, and ended as the world shows; each environment for itself.
pub(crate) fn report(run: &Run<'_>) -> Vec<String> {
    let Run { plan, report, exit, declared, log, from, .. } = run;
    let mut wrong = Vec::new();
    for change in list(plan, "scopes").flat_map(|scope| list(scope, "changes")) {
        let same = |applied: &&Value| applied["address"] == change["address"];
        let told: Vec<&Value> = list(report, "changes").filter(same).collect();
        // What only time brought, and nobody approved, is another run's.
        let left = list(report, "left").any(|one| one["address"] == change["address"]);
        match told.as_slice() {
            [] if left => {}
            [one] => wrong.extend(shown::outcome(run, change, one)),
            others => wrong.push(format!("{} is in the report {} times", change["address"], others.len())),
        }
    }
    for (status, told) in [
        ("done", "done"),
        ("failed", "failed"),
        ("notStarted", "notStarted"),
        ("waiting", "waiting"),
        ("refused", "refused"),
    ] {
        let count = list(report, "changes").filter(|one| one["status"] == status).count() as u64;
        if report["summary"][told].as_u64() != Some(count) {
            wrong.push(format!("{status} is counted {} times, and there are {count}", report["summary"][told]));
        }
    }
    for environment in &declared.environments {
        wrong.extend(apart(run, environment));
    }
    let wrote = log[*from..].iter().any(|one| one.kind.is_write());
    let says = list(report, "changes").any(|one| one["wrote"] == true);
    let surely = log[*from..].iter().any(|one| one.kind.is_write() && !platform::shown::is_turned_down(one));
    if surely && !says || says && !wrote {
        wrong.push(format!("writes were sent: {wrote}, and the report says {says}"));
    }
    let open = list(report, "changes").any(|one| matches!(text(one, "status"), "failed" | "refused" | "notStarted"));
    if *exit == 5 && !open {
        wrong.push("the run ended as stopped part-way, and everything was done".to_owned());
    }
    if *exit == 0 {
        let look = &log[run.looked..];
        let lacking = declared.environments.iter().filter(|environment| !whole(environment, look));
        wrong.extend(
            lacking.map(|one| format!("the run ended as done, and nothing told is as declared: {}", one.key())),
        );
    }
    wrong
}

/// What one environment comes to has nothing to do with the others.
fn apart(run: &Run<'_>, environment: &Environment) -> Vec<String> {
    let Run { plan, report, exit, declared, log, from, saved, .. } = run;
    let mut wrong = Vec::new();
    let key = environment.key();
    let own: Vec<&Value> = list(report, "changes").filter(|one| one["scope"] == key).collect();
    let refused = list(report, "refused").any(|scope| scope["scope"] == key);
    if refused && !saved && !is_refused(plan, key, declared) {
        wrong.push(format!("{key} is refused, and nothing refuses it"));
    }
    let id = environment.instance();
    let wrote = log[*from..].iter().any(|one| one.kind.is_write() && one.instance == Some(id));
    if wrote && refused {
        wrong.push(format!("something was written in {key}, which is refused"));
    }
    let is = |one: &Value, status: &str| one["status"] == status;
    let cause = |one: &&&Value| {
        is(one, "failed")
            || is(one, "refused")
            || is(one, "waiting")
            || one["unread"] == true
            || one["heldUpBy"].is_string()
    };
    let idle = own.iter().find(|one| is(one, "notStarted"));
    if let Some(idle) = idle.filter(|_| own.iter().find(cause).is_none()) {
        wrong.push(format!("{} wasn't started, and nothing in {key} went wrong: {}", idle["address"], idle["reason"]));
    }
    let open = own.iter().any(|one| ["failed", "refused", "notStarted"].iter().any(|status| is(one, status)));
    let began = own.iter().any(|one| one["wrote"] == true);
    if began && open && *exit != 5 {
        wrong.push(format!("{key} stopped part-way, and the run ended with {exit}"));
    }
    wrong
}

/// No secret is in anything that is printed or kept.
pub(crate) fn secrets(texts: &[String], secrets: &BTreeSet<String>) -> Vec<String> {
    let within = |secret: &&String| texts.iter().any(|text| text.contains(secret.as_str()));
    secrets.iter().filter(within).map(|secret| format!("a secret was printed: {secret:.12}…")).collect()
}

/// What is sent is in the journal before and after.
pub(crate) fn journal(kept: &str, report: &Value) -> Vec<String> {
    let lines: Vec<Value> = kept.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |applied: &Value| lines.iter().filter(|line| line["address"] == applied["address"]).count();
    let wrong = |applied: &&Value| of(applied) % 2 == 1 || (applied["wrote"] == true && of(applied) == 0);
    list(report, "changes").filter(wrong).map(|one| format!("{} isn't whole in the journal", one["address"])).collect()
}
