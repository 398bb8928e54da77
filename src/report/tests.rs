//! Hostile text in any field of a plan, or of an account of a run, does nothing to whoever reads it; and summaries say
//! something, each thing once.

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::colour::{DANGER, DIM, GOOD, HEADING, HINT, WARNING};
use super::difference::of_plans;
use super::plan::{Purpose, text};
use super::{applied, plan};
use crate::apply::{Applied, FORMAT, Left, RefusedScope, Remaining, Report, Status, Still, Totals};
use crate::plan::{
    Action, Address, Direction, Identity, Impact, ManualStep, Note, NoteCode, Outline, Plan, Planned, Rated, Risk,
    ScopePlan, Severity, Summary, Target, Tool, Unknown, Waiting, WaitingFor, Work,
};
use crate::terms::text::visible;
use crate::terms::{Place, Scope};

/// Hides what follows, clears the screen, reorders the line, rings, returns, and begins lines of its own.
const HOSTILE: &str = "\u{1b}[8m\u{9b}2J\u{202e}\u{7}\rx\nNo changes: forged\u{2028}y";

const REFUSAL: NoteCode = NoteCode::refusal("not-now", "For tests.", "For tests.");
const FINDING: NoteCode = NoteCode::finding("by-the-way", "For tests.", "For tests.");

fn place(line: usize) -> Place {
    Place { file: "palisade.yaml".into(), line, column: 1 }
}

fn manual() -> ManualStep {
    ManualStep {
        place: "Settings".into(),
        actions: vec!["Add it".into()],
        values: [("Name".to_owned(), "ada".to_owned())].into(),
        shown_by: "the list has it".into(),
        record: Some("- users".into()),
    }
}

fn planned(address: &str, work: Work) -> Planned {
    let outline = Outline {
        address: Address::written(address),
        setting: "users",
        subject: "ada (user)".into(),
        action: Action::Update,
        direction: Direction::Weakens,
        risk: Rated { what: "change a user", risk: Risk::High },
        impact: Impact::Interrupts,
        before: json!({ "role": "Viewer" }),
        after: json!({ "role": "Admin" }),
        reason: "declared as Admin".into(),
        source: place(3),
        operations: Vec::new(),
    };
    let mut planned = Planned::new(outline, work).dangerous("Gains Admin", "ada (user)");
    planned.change.requires = vec![Address::written("test/apiAccess")];
    planned
}

fn scope(key: &str) -> ScopePlan {
    ScopePlan {
        scope: Scope::environment(key),
        identity: Identity::Environment {
            instance_id: Some("i".into()),
            environment_id: Some("e".into()),
            name: Some("Contoso".into()),
            region: Some("europe".into()),
            dataverse: Some("https://contoso".into()),
        },
        declaration: "sha256:d".into(),
        in_sync: 1,
        in_effect: Vec::new(),
        complete: Vec::new(),
        listed: Vec::new(),
        behind: Vec::new(),
        changes: Vec::new(),
        unknown: Vec::new(),
        waiting: Vec::new(),
    }
}

fn unknown(address: &str) -> Unknown {
    let (address, reason) = (Address::written(address), "answered 503".to_owned());
    Unknown { address, reason, operation: "listUsers".into(), source: Some(place(5)) }
}

fn plan_of(scopes: Vec<ScopePlan>, notes: Vec<Note>) -> Plan {
    Plan {
        format: crate::plan::FORMAT.into(),
        tool: Tool { name: "palisade".into(), version: "0".into() },
        intent_digest: "sha256:i".into(),
        config_digest: "sha256:c".into(),
        created_at: Timestamp::UNIX_EPOCH,
        assumed_now: Timestamp::UNIX_EPOCH,
        expires_at: Timestamp::UNIX_EPOCH,
        target: Target::Emulator { world: "w".into(), tenant: "t".into() },
        allow_removals: None,
        only: crate::plan::Only::default(),
        outside: 0,
        summary: Summary::of(&scopes, &notes),
        scopes,
        notes,
        seal: String::new(),
    }
}

/// A plan with something of each kind.
fn full() -> Plan {
    let mut prod = scope("prod");
    prod.changes = vec![
        planned("prod/users/ada", Work::person(manual())).change,
        planned("prod/users/grace", Work::Steps(Vec::new())).change,
    ];
    prod.unknown = vec![unknown("prod/keyVault"), unknown("prod/users/linus")];
    let (address, detail) = (Address::written("prod/links/one"), "it is created".to_owned());
    prod.waiting = vec![Waiting { address, waiting_for: WaitingFor::Service, since: None, detail }];
    let note = |code, at: &str| {
        let note = Note::finding(code, Severity::Warning, Address::written(at), "what was found").help("what to do");
        Note { source: Some(place(9)), ..note }
    };
    let notes = vec![
        note(REFUSAL, "prod/users/ada"),
        note(FINDING, "prod/keyVault"),
        note(FINDING, "prod"),
        Note { address: Address::caller(), ..note(FINDING, "prod") },
    ];
    let mut other = scope("test");
    other.identity = Identity::Tenant { tenant_id: "t".into() };
    other.changes = vec![planned("test/users/ada", Work::Steps(Vec::new())).change];
    let mut plan = plan_of(vec![prod, other], notes);
    plan.only = "prod".parse().unwrap();
    plan.outside = 1;
    plan
}

/// Where texts are, as pointers, but for values before and after a change, which may take several lines.
fn texts(json: &Json, at: &str, found: &mut Vec<String>) {
    match json {
        Json::String(_) => found.push(at.to_owned()),
        Json::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| texts(item, &format!("{at}/{index}"), found));
        }
        Json::Object(members) => {
            let members = members.iter().filter(|(name, _)| !["before", "after"].contains(&name.as_str()));
            members.for_each(|(name, member)| texts(member, &format!("{at}/{name}"), found));
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

/// The text with more behind each of its parts, so that addresses still belong to their scopes.
fn marked(text: &str, more: &str) -> String {
    text.split('/').map(|part| format!("{part}{more}")).collect::<Vec<_>>().join("/")
}

/// The plan with more in every text that may be anything.
fn with_texts(plan: &Plan, more: &str, wanted: impl Fn(&str) -> bool) -> Plan {
    let mut document = serde_json::to_value(plan).unwrap();
    let mut pointers = Vec::new();
    texts(&document, "", &mut pointers);
    for pointer in pointers.iter().filter(|pointer| wanted(pointer)) {
        let mut tried = document.clone();
        let text = tried.pointer_mut(pointer).unwrap();
        *text = json!(marked(text.as_str().unwrap(), more));
        if serde_json::from_value::<Plan>(tried.clone()).is_ok() {
            document = tried;
        }
    }
    let mut plan: Plan = serde_json::from_value(document).unwrap();
    let wanted_more = if wanted("/values") { more } else { "" };
    for step in plan.scopes.iter_mut().flat_map(|scope| &mut scope.changes).filter_map(|change| match &mut change.by {
        crate::plan::By::Palisade => None,
        crate::plan::By::Person { step } => Some(step),
    }) {
        let values = std::mem::take(&mut step.values);
        step.values = values.into_iter().map(|(name, value)| (marked(&name, wanted_more), value)).collect();
    }
    plan
}

/// An account with something of each kind, with more in every text.
fn account(more: &str) -> Report {
    let text = |text: &str| marked(text, more);
    let address = |address: &str| Address::written(&text(address));
    let scope = |key: &str| Scope::environment(text(key));
    let change = |status, key: &str| Applied {
        scope: scope(key),
        address: address(&format!("{key}/users/ada")),
        subject: text("ada (user)"),
        action: Action::Update,
        status,
        reason: text("why"),
        wrote: true,
        unread: false,
        waiting_for: None,
        since: None,
        held_up_by: Some(address("prod/users/grace")),
        manual: Some(ManualStep {
            place: text("Settings"),
            actions: vec![text("Add it")],
            values: [(text("Name"), text("ada"))].into(),
            shown_by: text("the list has it"),
            record: Some(text("- users")),
        }),
    };
    let still = || vec![Still { address: address("prod/users/ada"), detail: text("why"), action: None }];
    let unread =
        Unknown { address: address("prod/users/ada"), reason: text("503"), operation: text("o"), source: None };
    Report {
        format: FORMAT,
        intent_digest: text("sha256:i"),
        target: Target::Cloud { cloud: text("public"), tenant: text("t") },
        changes: vec![change(Status::Failed, "prod"), change(Status::Refused, "prod"), change(Status::Waiting, "prod")],
        refused: vec![RefusedScope { scope: scope("test"), reasons: vec![text("why")] }],
        left: vec![Left { address: address("prod/keys/one"), action: Action::Rotate, reason: text("why") }],
        remaining: Remaining { waiting: still(), unknown: still(), changes: still(), findings: still() },
        unknown: vec![unread],
        summary: Totals { failed: 1, refused: 1, waiting: 1, unknown: 1, ..Totals::default() },
    }
}

/// The text without the colours that reports use.
fn bare(text: &str) -> String {
    let styles = [DANGER, WARNING, GOOD, HINT, HEADING, DIM];
    let codes = styles.iter().flat_map(|style| [format!("{style}"), format!("{style:#}")]);
    codes.fold(text.to_owned(), |text, code| text.replace(&code, ""))
}

#[track_caller]
fn steers_nothing(text: &str) {
    for line in bare(text).lines() {
        assert!(line.chars().all(|one| visible(one) == one), "{line:?}");
        assert!(!line.starts_with("No changes: forged"), "{line:?}");
    }
}

#[test]
fn no_text_of_a_plan_steers_the_terminal_or_begins_a_line() {
    let (benign, hostile) = (full(), with_texts(&full(), HOSTILE, |_| true));
    for purpose in [Purpose::Plan, Purpose::Drift] {
        let shown = text(&hostile, purpose);
        steers_nothing(&shown);
        assert_eq!(shown.lines().count(), text(&benign, purpose).lines().count(), "{}", bare(&shown));
        assert!(shown.matches("forged").count() > 40, "{shown}");
    }
}

#[test]
fn no_value_of_a_plan_steers_the_terminal() {
    let mut plan = full();
    let value = |more: &str| json!({ format!("role{HOSTILE}"): format!("{HOSTILE}{more}"), "list": [HOSTILE, more] });
    let mut was = full();
    for (now, was) in plan.scopes.iter_mut().zip(&mut was.scopes) {
        for (now, was) in now.changes.iter_mut().zip(&mut was.changes) {
            (now.before, now.after) = (value("a"), value("b"));
            (was.before, was.after) = (value("c"), value("d"));
        }
    }
    let hostile = with_texts(&plan, HOSTILE, |_| true);
    steers_nothing(&text(&hostile, Purpose::Plan));
    let differences = of_plans(&with_texts(&was, HOSTILE, |_| true), &hostile, |_| true);
    assert!(!differences.is_empty());
    steers_nothing(&differences);
}

#[test]
fn no_text_of_an_account_steers_the_terminal_or_begins_a_line() {
    let shown = applied::text(&account(HOSTILE));
    steers_nothing(&shown);
    assert_eq!(shown.lines().count(), applied::text(&account("")).lines().count(), "{}", bare(&shown));
}

#[test]
fn a_name_or_an_address_takes_no_more_than_its_part_of_a_line() {
    let long = "x".repeat(5000);
    let names = ["address", "subject", "who", "what", "scope", "name", "region", "instanceId", "tenantId", "only"];
    let named = |pointer: &str| {
        let mut parts = pointer.split('/').filter(|part| part.parse::<usize>().is_err());
        parts.next_back().is_some_and(|last| names.contains(&last) || last == "requires")
    };
    let plan = text(&with_texts(&full(), &long, named), Purpose::Plan);
    let mut account = account("");
    for applied in &mut account.changes {
        applied.address = Address::written(&format!("prod/users/{long}"));
        applied.subject.clone_from(&long);
    }
    account.refused[0].scope = Scope::environment(long.as_str());
    account.left[0].address = Address::written(&format!("prod/{long}"));
    account.unknown[0].address = Address::written(&format!("prod/{long}"));
    account.remaining.changes[0].address = Address::written(&format!("prod/{long}"));
    for shown in [plan, applied::text(&account)] {
        assert!(shown.contains("x…"), "{shown}");
        for line in bare(&shown).lines() {
            assert!(line.chars().count() < 1000, "{} characters: {line}", line.chars().count());
        }
    }
}

/// The line of a plan that sums it up.
fn summary(plan: &Plan) -> String {
    let shown = bare(&plan::text(plan, Purpose::Plan));
    shown.rsplit("\n\n").next().unwrap().lines().next().unwrap().to_owned()
}

#[test]
fn a_plan_with_nothing_but_a_note_is_summed_up_in_words() {
    for code in [REFUSAL, FINDING] {
        let note = Note::finding(code, Severity::Error, Address::written("prod/users"), "not now");
        let prod = ScopePlan { in_sync: 0, ..scope("prod") };
        let line = summary(&plan_of(vec![prod], vec![note]));
        assert_eq!(line, "Nothing that palisade can change.", "{code}");
    }
}

#[test]
fn an_environment_that_can_not_be_read_for_two_reasons_is_one() {
    let mut prod = scope("prod");
    prod.unknown = vec![unknown("prod"), unknown("prod"), unknown("prod/users/ada"), unknown("prod/users/grace")];
    let line = summary(&plan_of(vec![prod], Vec::new()));
    assert!(line.starts_with("Incomplete: 1 environment and 1 setting could not be read;"), "{line}");
}

#[test]
fn what_could_not_be_read_in_a_run_is_listed_once() {
    let mut report = account("");
    report.remaining.unknown.extend(report.remaining.unknown.clone());
    let shown = bare(&applied::text(&report));
    assert!(shown.contains("; could not be read: prod/users.\n"), "{shown}");
}
