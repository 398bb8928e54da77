//! Where Customer Insights can't be asked: connections first, then what people saw.

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{LAKE, MICROSOFT, STRANGER, SYNAPSE, Scene, approvals, codes, connection, full, id, place};
use crate::azure::private_endpoints::{Connection, Status};
use crate::azure::rights::Holding;
use crate::plan::{Action, Findings, Mode};
use crate::settings::attestation;
use crate::settings::attestation::Attestation;
use crate::settings::private_links::block::{Approval, Match};
use crate::settings::private_links::endpoints::from_one_source;
use crate::settings::private_links::observe::{Links, Resource};
use crate::settings::surface::Surface;

const OTHER: &str = "/subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg-lake/providers/Microsoft.Storage/storageAccounts/otherlake";

pub(super) fn unread(resource: &str, connections: Vec<Connection>) -> Scene {
    let mut scene = Scene::of(&Status::Approved);
    scene.surface = Surface::cloud(Mode::Automatic);
    scene.observed.links = Links::NotAsked;
    scene.declared.matching = Match::AtLeast;
    scene.declared.links[0].resource = id(resource);
    let lake = scene.lake().clone();
    scene.observed.resources.insert(id(resource), Ok(Some(Resource { connections, ..lake })));
    scene.observed.rights.insert(id(resource), Ok(Holding::Held));
    scene
}

pub(super) fn seen(resources: &[&str], on: &str) -> Attestation {
    let links: Json = resources.iter().map(|resource| json!({ "resource": resource })).collect();
    Attestation {
        setting: "privateLinks".into(),
        saw: json!({ "links": links }),
        by: "ada@contoso.com".into(),
        on: on.parse().unwrap(),
        valid_for: jiff::SignedDuration::from_hours(24 * 90),
        place: place(),
    }
}

fn lake(statuses: [Status; 4]) -> Vec<Connection> {
    let ends = super::ENDS.iter().zip(statuses).enumerate();
    ends.map(|(number, (end, status))| connection(number, MICROSOFT, &full(end), status)).collect()
}

fn workspace(statuses: &[(&str, Status)]) -> Vec<Connection> {
    let named = statuses.iter().enumerate();
    named
        .map(|(number, (end, status))| connection(number, MICROSOFT, &format!("pe-contosows-{end}"), status.clone()))
        .collect()
}

/// What came of it: links in sync, automatic approvals, manual changes, unknown, waiting.
pub(super) type Outcome = (usize, usize, Vec<Action>, usize, usize);

pub(super) fn outcome(findings: &Findings) -> Outcome {
    let manual = findings.changes.iter().filter(|planned| planned.change.mode() == Mode::Manual);
    for planned in manual.clone() {
        let change = &planned.change;
        assert!(planned.steps().is_empty() && change.manual().is_some(), "{}", change.address);
    }
    let actions = manual.map(|planned| planned.change.action).collect();
    (findings.in_sync, approvals(findings).len(), actions, findings.unknown.len(), findings.waiting.len())
}

/// For both kinds of resource: every state of the connections, with every entry.
#[test]
fn connections_win_over_what_was_seen() {
    use Action::{Create, Update};
    use Status::{Approved, Disconnected, Pending, Rejected};
    let all = |status: Status| lake([status.clone(), status.clone(), status.clone(), status]);
    let both = |status: Status| workspace(&[("sql", status.clone()), ("sqlondemand", status)]);
    let cases = [
        (LAKE, all(Approved), (1, 0, 0)),
        (LAKE, all(Pending), (0, 4, 0)),
        (LAKE, all(Rejected), (0, 0, 1)),
        (LAKE, all(Disconnected), (0, 0, 1)),
        (LAKE, lake([Approved, Approved, Approved, Pending]), (0, 1, 0)),
        (SYNAPSE, both(Approved), (1, 0, 0)),
        (SYNAPSE, both(Pending), (0, 2, 0)),
        (SYNAPSE, both(Rejected), (0, 0, 1)),
        (SYNAPSE, both(Disconnected), (0, 0, 1)),
        (SYNAPSE, workspace(&[("sql", Approved), ("dev", Pending)]), (0, 1, 0)),
    ];
    for (resource, connections, (in_sync, approve, waiting)) in cases {
        let attested = [vec![], vec![seen(&[resource], "2026-11-01")], vec![seen(&[], "2026-08-01")]];
        for attested in attested {
            let mut scene = unread(resource, connections.clone());
            scene.attested = attested.clone();
            let findings = scene.findings();
            let expected = (in_sync, approve, vec![], 0, waiting);
            assert_eq!(outcome(&findings), expected, "{resource} {connections:?} {attested:?}");
            assert!(codes(&findings).contains(&attestation::codes::RESTS_ON_INFERENCE));
            assert!(!codes(&findings).contains(&codes::CONNECTIONS_LEFT_BEHIND), "{resource} {connections:?}");
        }
        // A person saw that there is no such link: then whose connections are these?
        let mut scene = unread(resource, connections.clone());
        scene.attested = vec![seen(&[], "2026-11-01")];
        let findings = scene.findings();
        assert_eq!(outcome(&findings), (0, 0, vec![Update], 1, 0), "{resource} {connections:?}");
        assert!(codes(&findings).contains(&attestation::codes::ATTESTATION_CONTRADICTED));
    }
    // Without a connection there is no link, whatever a person saw.
    for resource in [LAKE, SYNAPSE] {
        let mut scene = unread(resource, vec![]);
        assert_eq!(outcome(&scene.findings()), (0, 0, vec![Create], 0, 0), "{resource}");
        scene.attested = vec![seen(&[], "2026-11-01")];
        assert_eq!(outcome(&scene.findings()), (0, 0, vec![Create], 0, 0), "{resource}");
        scene.attested = vec![seen(&[resource], "2026-11-01")];
        assert_eq!(outcome(&scene.findings()), (0, 0, vec![Update], 1, 0), "{resource}");
    }
}

/// The names of the endpoints of a workspace aren't published, and those of an account may change: then only a person knows
/// that the link is there, and it counts only if nothing that could be its connection is undecided.
#[test]
fn connections_under_unknown_names_may_be_the_links() {
    use Action::{Create, Update};
    use Status::{Approved, Pending, Rejected};
    for (resource, name) in [(SYNAPSE, "ci-contosows"), (LAKE, "pe-contosolake-table")] {
        let with = |statuses: &[Status]| -> Vec<Connection> {
            let all = statuses.iter().enumerate();
            all.map(|(number, status)| connection(number, MICROSOFT, &format!("{name}{number}"), status.clone()))
                .collect()
        };
        let there = vec![seen(&[resource], "2026-11-01")];
        let cases: [(Vec<Connection>, Vec<Attestation>, Outcome); 7] = [
            (with(&[Approved]), vec![], (0, 0, vec![Update], 1, 0)),
            (with(&[Approved]), there.clone(), (1, 0, vec![], 0, 0)),
            (with(&[Approved, Rejected]), there.clone(), (0, 0, vec![], 0, 1)),
            (with(&[Approved, Pending]), there.clone(), (0, 0, vec![], 0, 1)),
            (with(&[Pending]), there.clone(), (0, 0, vec![], 0, 1)),
            (with(&[Rejected]), there, (0, 0, vec![], 0, 1)),
            (with(&[Approved]), vec![seen(&[], "2026-11-01")], (0, 0, vec![Create], 0, 0)),
        ];
        for (connections, attested, expected) in cases {
            let mut scene = unread(resource, connections.clone());
            scene.attested = attested;
            let findings = scene.findings();
            assert_eq!(outcome(&findings), expected, "{resource} {connections:?}");
            assert!(!codes(&findings).contains(&codes::CONNECTIONS_LEFT_BEHIND), "{resource} {connections:?}");
        }
    }
}

/// That there are no others, no connection tells.
#[test]
fn under_exact_a_person_says_which_other_links_there_are() {
    let approved = || lake([Status::Approved, Status::Approved, Status::Approved, Status::Approved]);
    let mut scene = unread(LAKE, approved());
    scene.declared.matching = Match::Exact;
    let findings = scene.findings();
    assert_eq!(outcome(&findings), (1, 0, vec![Action::Update], 1, 0));
    let change = &findings.changes[0].change;
    assert_eq!(change.address.as_str(), "prod/privateLinks");
    let record = format!(
        "- {{ setting: privateLinks, saw: {{ links: [{{ resource: {LAKE} }}] }}, by: you@example.com, on: 2026-11-20, validFor: 90d }}"
    );
    assert_eq!(change.manual().unwrap().record.as_deref(), Some(record.as_str()));
    scene.attested = vec![seen(&[&LAKE.replace("contosolake", "ContosoLake")], "2026-11-01")];
    assert_eq!(outcome(&scene.findings()), (1, 0, vec![], 0, 0));
    scene.attested = vec![seen(&[LAKE, OTHER], "2026-11-01")];
    let findings = scene.findings();
    assert_eq!(outcome(&findings), (1, 0, vec![Action::Delete], 0, 0));
    assert_eq!(findings.changes[0].change.address.as_str(), "prod/privateLinks/otherlake");
    assert_eq!((findings.changes[0].removes, findings.collection), (true, Some(2)));
    // Rejected is final: a person removes the link and makes it anew.
    let mut scene = unread(LAKE, lake([Status::Rejected, Status::Approved, Status::Approved, Status::Approved]));
    scene.declared.matching = Match::Exact;
    scene.attested = vec![seen(&[LAKE], "2026-11-01")];
    let findings = scene.findings();
    assert_eq!(outcome(&findings), (0, 0, vec![Action::Update], 0, 0));
    let manual = findings.changes[0].change.manual().unwrap();
    assert!(manual.actions[0].contains("Delete") && manual.actions[1].contains("Add Private Link"), "{manual:?}");
}

/// The names of a workspace's endpoints aren't known, so a stranger may ask under one more; they don't ask from Microsoft's
/// subscription.
#[test]
fn a_stranger_under_one_more_name_is_never_approved() {
    let mut connections = workspace(&[("sql", Status::Approved), ("dev", Status::Pending)]);
    connections.push(connection(7, STRANGER, "pe-contosows-web", Status::Pending));
    // Approved or not, nobody can tell them apart.
    let findings = unread(SYNAPSE, connections.clone()).findings();
    assert_eq!((approvals(&findings).len(), findings.in_sync), (0, 0));
    assert!(codes(&findings).contains(&codes::AMBIGUOUS_CONNECTION));
    connections[0].status = Status::Pending;
    let findings = unread(SYNAPSE, connections.clone()).findings();
    assert_eq!((approvals(&findings).len(), findings.in_sync), (0, 0));
    assert!(codes(&findings).contains(&codes::AMBIGUOUS_CONNECTION));
    // The file can.
    let mut scene = unread(SYNAPSE, connections);
    scene.declared.links[0].approval = Approval::FromSubscription(MICROSOFT);
    assert_eq!(approvals(&scene.findings()).len(), 2);
    scene.declared.links[0].approval = Approval::FromSubscription(Uuid::from_u128(9));
    let findings = scene.findings();
    assert_eq!((outcome(&findings), findings.notes.iter().any(|note| note.refuses())), ((0, 0, vec![], 0, 1), false));
}

fn statuses() -> impl Strategy<Value = Status> {
    prop::sample::select(vec![Status::Pending, Status::Approved, Status::Rejected, Status::Disconnected])
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: prop::test_runner::RngSeed::Fixed(7), ..ProptestConfig::default() })]

    /// Whatever connections there are and whatever a person saw: a link is in sync only if all that could be its connections are
    /// approved and from one subscription, nothing from another subscription than the approved ones is approved, and no working
    /// connection is called left behind.
    #[test]
    fn a_workspace_is_in_sync_only_with_its_connections_approved(
        connections in prop::collection::vec((any::<bool>(), 0usize..4, statuses()), 0..5),
        saw in prop::option::of(any::<bool>()),
    ) {
        let names = ["pe-contosows-sql", "prod-weu-01-synapse01.pe-contosows-dev", "pe-contosows-web", "ci-contosows"];
        let made: Vec<Connection> = connections
            .iter()
            .enumerate()
            .map(|(number, (foreign, name, status))| {
                let subscription = if *foreign { STRANGER } else { MICROSOFT };
                connection(number, subscription, names[*name], status.clone())
            })
            .collect();
        let mut scene = unread(SYNAPSE, made.clone());
        scene.attested =
            saw.iter().map(|there| seen(if *there { &[SYNAPSE] } else { &[] }, "2026-11-01")).collect();
        let findings = scene.findings();
        let alike = |one: &&Connection| one.endpoint.as_ref().unwrap().name().contains("pe-contosows-");
        let open: Vec<_> = made.iter().filter(|one| one.status == Status::Approved).collect();
        if findings.in_sync > 0 {
            prop_assert!(saw != Some(false));
            let candidates: Vec<_> = if made.iter().any(|one| alike(&one)) {
                made.iter().filter(alike).collect()
            } else {
                made.iter().collect()
            };
            prop_assert!(candidates.iter().all(|one| one.status == Status::Approved), "{:?}", candidates);
            prop_assert!(!candidates.is_empty() && from_one_source(&candidates), "{:?}", candidates);
        }
        for change in approvals(&findings) {
            let subscription = change.after["endpoint"].as_str().unwrap().split('/').nth(2).unwrap().to_owned();
            let of = |one: &&Connection| one.endpoint.as_ref().unwrap().subscription().to_string() == subscription;
            prop_assert!(open.iter().filter(|one| alike(one)).count() == 0 || open.iter().any(of));
        }
        prop_assert!(!codes(&findings).contains(&codes::CONNECTIONS_LEFT_BEHIND));
        let nothing = findings.in_sync == 0
            && findings.changes.is_empty()
            && findings.unknown.is_empty()
            && findings.waiting.is_empty()
            && !findings.notes.iter().any(|note| note.refuses());
        prop_assert!(!nothing, "nothing is said about the link");
    }
}
