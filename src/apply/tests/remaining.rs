//! What the look after the last write adds to the report: what is news, and what this run isn't done with already.

use super::*;
use crate::apply::remaining::Still;
use crate::apply::report::Applied;
use crate::plan::{Account, Action, Findings, Note, NoteCode, Severity, Unknown, Waiting, derive};

const ERROR: NoteCode = NoteCode::finding("key-expired", "For tests.", "For tests.");
const REFUSAL: NoteCode = NoteCode::refusal("not-active", "For tests.", "For tests.");
const OTHER_ERROR: NoteCode = NoteCode::finding("key-unpublished", "For tests.", "For tests.");
const OTHER_REFUSAL: NoteCode = NoteCode::refusal("tenant-mismatch", "For tests.", "For tests.");

/// A plan of one environment in which this was found.
fn found(world: &Rc<World>, change: impl FnOnce(&mut Account)) -> Plan {
    let mut account = world.account("a");
    account.findings = vec![Findings::default()];
    change(&mut account);
    let Plan { target, config_digest, .. } = world.plan(&["a"], Only::default());
    let derivation =
        crate::plan::Derivation { config_digest, target, now: now(), allow_removals: None, only: Only::default() };
    derive(&derivation, &[account], Vec::new())
}

fn unknown(at: &str) -> Unknown {
    Unknown { address: address(at), reason: "it answered 500".into(), operation: String::new(), source: None }
}

fn waiting(at: &str, waiting_for: WaitingFor) -> Waiting {
    Waiting { address: address(at), waiting_for, since: None, detail: "it goes on".into() }
}

fn note(code: NoteCode, at: &str) -> Note {
    Note::finding(code, Severity::Error, address(at), "look at it")
}

/// What a run told of its changes: one after the other, as `(address, status)`.
fn report(plan: &Plan, changes: &[(&str, Status)]) -> Report {
    let model = plan.changes().next().unwrap();
    let applied = changes.iter().map(|(at, status)| {
        let change = crate::plan::Change { address: address(at), ..model.clone() };
        Applied::of(&plan.scopes[0].scope, &change, Outcome::sent(*status, "as told"))
    });
    Report::of(plan, applied.collect(), Vec::new(), Vec::new())
}

fn addresses(still: &[Still]) -> Vec<&str> {
    still.iter().map(|one| one.address.as_str()).collect()
}

#[test]
fn only_what_is_news_and_not_told_already_is_left() {
    let items = ["a/s/done", "a/s/failed", "a/s/left", "a/s/new", "a/s/due"].map(item);
    let world = World::of(items.to_vec());
    let everything = world.plan(&["a"], Only::default());
    let planned = |world: &Rc<World>| world.findings("a", "s").changes;
    let before = found(&world, |account| {
        account.findings[0].unknown.push(unknown("a/t/known"));
        account.findings[0].notes.extend([note(ERROR, "a/t/one"), note(REFUSAL, "a/t/one")]);
    });
    let mut report = report(&everything, &[("a/s/done", Status::Done), ("a/s/failed", Status::Failed)]);
    report.left.push(Left { address: address("a/s/left"), action: Action::Rotate, reason: "due".into() });
    let after = found(&world, |account| {
        let findings = &mut account.findings[0];
        findings.changes = planned(&world);
        let due = findings.changes.iter_mut().find(|one| one.change.address.as_str() == "a/s/due").unwrap();
        due.change.action = Action::Rotate;
        findings.unknown.extend([unknown("a/t/known"), unknown("a/t/new")]);
        findings.waiting.extend([
            waiting("a/s/failed", WaitingFor::Person),
            waiting("a/u/one", WaitingFor::Person),
            waiting("a/u/two", WaitingFor::Service),
        ]);
        for at in ["a/t/one", "a/t/two"] {
            findings.notes.extend([note(ERROR, at), note(REFUSAL, at)]);
        }
    });
    let left = Remaining::of(&after, &before, &report);
    assert_eq!(addresses(&left.changes), ["a/s/done", "a/s/new"]);
    assert!(left.changes.iter().all(|one| one.action == Some(Action::Create)));
    assert_eq!(addresses(&left.unknown), ["a/t/new"]);
    assert_eq!(addresses(&left.waiting), ["a/u/one", "a/u/two"]);
    let details: Vec<&str> = left.waiting.iter().map(|one| one.detail.as_str()).collect();
    assert_eq!(details, ["for a person: it goes on", "for the service: it goes on"]);
    let findings: Vec<(&str, &str)> =
        left.findings.iter().map(|one| (one.address.as_str(), one.detail.as_str())).collect();
    let refused = "the next plan is refused (not-active): look at it";
    assert_eq!(findings, [("a/t/two", "look at it"), ("a/t/two", refused)]);

    report.look_after(left.clone());
    assert_eq!((report.summary.unknown, &report.remaining), (everything.summary.unknown + 1, &left));
}

/// A code that was told elsewhere, and another one told here, are both no news of this one.
#[test]
fn a_finding_is_known_by_its_code_and_its_place() {
    let world = World::of(vec![item("a/s/one")]);
    let plan = world.plan(&["a"], Only::default());
    for (code, other) in [(ERROR, OTHER_ERROR), (REFUSAL, OTHER_REFUSAL)] {
        let noted = |notes: Vec<Note>| found(&world, |account| account.findings[0].notes.extend(notes));
        let after = noted(vec![note(code, "a/t/one")]);
        for (before, news) in [
            (vec![], true),
            (vec![note(code, "a/t/two")], true),
            (vec![note(other, "a/t/one")], true),
            (vec![note(code, "a/t/one")], false),
        ] {
            let left = Remaining::of(&after, &noted(before.clone()), &report(&plan, &[]));
            assert_eq!(left.findings.len(), usize::from(news), "{code}, before: {before:?}");
        }
    }
}

/// Where something was sent, it is looked again; where nothing was, there is nothing to look for.
#[test]
fn a_report_knows_where_something_was_written() {
    let world = World::of(vec![item("a/s/one"), item("b/s/one")]);
    let plan = world.plan(&["a", "b"], Only::default());
    let scopes: Vec<_> = plan.scopes.iter().map(|scope| scope.scope.clone()).collect();
    let wrote = |outcomes: [Outcome; 2]| {
        let changes = plan
            .scopes
            .iter()
            .zip(outcomes)
            .map(|(scope, outcome)| Applied::of(&scope.scope, &scope.changes[0], outcome));
        let report = Report::of(&plan, changes.collect(), Vec::new(), Vec::new());
        (report.wrote_in(&scopes[0]), report.wrote_in(&scopes[1]), report.wrote())
    };
    let (sent, unsent) =
        (|| Outcome::sent(Status::Failed, "it broke"), || Outcome::unsent(Status::Refused, "not sent"));
    assert_eq!(wrote([sent(), unsent()]), (true, false, true));
    assert_eq!(wrote([unsent(), sent()]), (false, true, true));
    assert_eq!(wrote([unsent(), unsent()]), (false, false, false));
    let done = Report::of(
        &plan,
        vec![
            Applied::of(&scopes[0], &plan.scopes[0].changes[0], Outcome::sent(Status::Done, "it shows")),
            Applied::of(&scopes[1], &plan.scopes[1].changes[0], Outcome::unsent(Status::Done, "nothing to send")),
        ],
        Vec::new(),
        Vec::new(),
    );
    assert_eq!((done.summary.done, done.summary.in_effect), (2, 1));
}
