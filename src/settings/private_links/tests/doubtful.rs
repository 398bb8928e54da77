//! Where Customer Insights can't be asked, and what Azure shows may be a stranger's or another environment's.

use super::attested::{outcome, seen, unread};
use super::{LAKE, MICROSOFT, STRANGER, SYNAPSE, Scene, codes, connection, full, link};
use crate::azure::private_endpoints::{Connection, Status};
use crate::plan::{Action, Findings};
use crate::settings::attestation;
use crate::settings::private_links::block::{Approval, Match};
use crate::settings::private_links::observe::Resource;
use crate::settings::setting::Elsewhere;

/// Connections to a resource: where from, the endpoint's name, and where they stand.
fn asking(list: &[(uuid::Uuid, &str, Status)]) -> Vec<Connection> {
    let numbered = list.iter().enumerate();
    numbered.map(|(number, (from, name, status))| connection(number, *from, name, status.clone())).collect()
}

fn ambiguous(findings: &Findings) -> bool {
    codes(findings).contains(&codes::AMBIGUOUS_CONNECTION)
}

/// Names can be made by anyone: approved or not, candidates from two subscriptions say nothing about the link.
#[test]
fn candidates_from_several_subscriptions_are_never_in_sync() {
    use Status::{Approved, Disconnected, Pending, Rejected};
    for (first, second) in [("sql", "sqlondemand"), ("sql", "sql")] {
        for one in [Approved, Pending, Rejected, Disconnected] {
            for other in [Approved, Pending, Rejected, Disconnected] {
                let connections = asking(&[
                    (STRANGER, &format!("pe-contosows-{first}"), one.clone()),
                    (MICROSOFT, &format!("pe-contosows-{second}"), other.clone()),
                ]);
                for attested in [vec![], vec![seen(&[SYNAPSE], "2026-11-01")]] {
                    let mut scene = unread(SYNAPSE, connections.clone());
                    scene.attested = attested;
                    let findings = scene.findings();
                    assert_eq!(outcome(&findings), (0, 0, vec![], 0, 0), "{connections:?}");
                    assert!(ambiguous(&findings), "{connections:?}");
                    // The file can tell them apart.
                    scene.declared.links[0].approval = Approval::FromSubscription(MICROSOFT);
                    let findings = scene.findings();
                    assert_eq!(findings.in_sync, usize::from(other == Approved), "{connections:?}");
                    assert!(!ambiguous(&findings), "{connections:?}");
                }
            }
        }
    }
    // Under published names, too.
    let mut connections: Vec<Connection> =
        super::ENDS.iter().enumerate().map(|(n, end)| connection(n, MICROSOFT, &full(end), Approved)).collect();
    connections.push(connection(7, STRANGER, &full("blob"), Approved));
    let mut scene = unread(LAKE, connections);
    let findings = scene.findings();
    assert_eq!((findings.in_sync, ambiguous(&findings)), (0, true));
    scene.declared.links[0].approval = Approval::FromSubscription(MICROSOFT);
    assert_eq!(outcome(&scene.findings()), (1, 0, vec![], 0, 0));
}

/// Whatever could be the link's has to be approved, and from one subscription.
#[test]
fn under_unknown_names_every_candidate_counts() {
    use Status::{Approved, Disconnected, Pending, Rejected};
    for (resource, name) in [(SYNAPSE, "ci-contosows"), (LAKE, "pe-contosolake-table")] {
        for other in [Pending, Rejected, Disconnected] {
            let connections = asking(&[(MICROSOFT, name, Approved), (MICROSOFT, name, other)]);
            let mut scene = unread(resource, connections.clone());
            scene.attested = vec![seen(&[resource], "2026-11-01")];
            assert_eq!(outcome(&scene.findings()), (0, 0, vec![], 0, 1), "{connections:?}");
        }
        for other in [Approved, Pending, Rejected, Disconnected] {
            let connections = asking(&[(STRANGER, name, Approved), (MICROSOFT, name, other.clone())]);
            let mut scene = unread(resource, connections.clone());
            scene.attested = vec![seen(&[resource], "2026-11-01")];
            let findings = scene.findings();
            assert_eq!(outcome(&findings), (0, 0, vec![], 0, 0), "{connections:?}");
            assert!(ambiguous(&findings), "{connections:?}");
            scene.declared.links[0].approval = Approval::FromSubscription(MICROSOFT);
            assert_eq!(scene.findings().in_sync, usize::from(other == Approved), "{connections:?}");
            // None of them is from there.
            scene.declared.links[0].approval = Approval::FromSubscription(uuid::Uuid::from_u128(9));
            assert_eq!(outcome(&scene.findings()), (0, 0, vec![Action::Update], 1, 0), "{connections:?}");
        }
    }
}

/// Whoever is wrong about one link may be wrong about all: nothing else rests on that entry.
#[test]
fn an_entry_that_is_wrong_about_one_link_says_nothing_about_others() {
    use Action::Update;
    let other = "/subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg-lake/providers/Microsoft.Storage/storageAccounts/otherlake";
    let approved = super::ENDS.map(|end| (MICROSOFT, full(end)));
    let approved: Vec<_> = approved.iter().map(|(from, name)| (*from, name.as_str(), Status::Approved)).collect();
    // The link is there, and the entry doesn't list it: neither does it prove what else there is.
    for saw in [&[other][..], &[]] {
        let mut scene = unread(LAKE, asking(&approved));
        scene.declared.matching = Match::Exact;
        scene.attested = vec![seen(saw, "2026-11-01")];
        let findings = scene.findings();
        assert_eq!(outcome(&findings), (0, 0, vec![Update, Update], 2, 0), "{saw:?}");
        assert!(!codes(&findings).contains(&attestation::codes::RESTS_ON_ATTESTATION), "{saw:?}");
        assert_eq!(findings.collection, None);
        // An older one doesn't step in.
        scene.attested.push(seen(&[LAKE], "2026-10-01"));
        assert_eq!(outcome(&scene.findings()), (0, 0, vec![Update, Update], 2, 0), "{saw:?}");
        // A newer one does.
        scene.attested.push(seen(&[LAKE], "2026-11-02"));
        assert_eq!(outcome(&scene.findings()), (1, 0, vec![], 0, 0), "{saw:?}");
    }
    // A second link, under names that aren't known, rests on the entry alone: wherever it stands in the file.
    for reversed in [false, true] {
        let mut scene = unread(LAKE, asking(&approved));
        let mut second = scene.declared.links[0].clone();
        second.resource = super::id(SYNAPSE);
        scene.declared.links.push(second);
        if reversed {
            scene.declared.links.reverse();
        }
        let connections = asking(&[(MICROSOFT, "ci-contosows", Status::Approved)]);
        let workspace = Resource { connections, ..scene.lake().clone() };
        scene.observed.resources.insert(super::id(SYNAPSE), Ok(Some(workspace)));
        scene.attested = vec![seen(&[LAKE, SYNAPSE], "2026-11-01")];
        assert_eq!(outcome(&scene.findings()), (2, 0, vec![], 0, 0));
        for saw in [&[SYNAPSE][..], &[]] {
            scene.attested = vec![seen(saw, "2026-11-01")];
            assert_eq!(outcome(&scene.findings()), (0, 0, vec![Update, Update], 2, 0), "{saw:?}");
        }
        // Two entries of one day that differ in one link are both worth nothing.
        scene.declared.matching = Match::Exact;
        scene.attested = vec![seen(&[LAKE, SYNAPSE], "2026-11-01"), seen(&[LAKE, SYNAPSE, other], "2026-11-01")];
        assert_eq!(outcome(&scene.findings()), (1, 0, vec![Update, Update], 2, 0));
    }
}

/// Where two environments declare one resource, a connection may be either's: only what a person saw decides, as long as
/// there are connections at all.
#[test]
fn of_a_shared_resource_only_a_person_knows_whose_the_connections_are() {
    use Action::{Create, Update};
    let connections = |resource: &str, status: &Status| {
        let names = match resource {
            LAKE => super::ENDS.map(full).to_vec(),
            _ => vec!["pe-contosows-sql".to_owned(), "pe-contosows-sqlondemand".to_owned()],
        };
        let list: Vec<_> = names.iter().map(|name| (MICROSOFT, name.as_str(), status.clone())).collect();
        asking(&list)
    };
    for resource in [LAKE, SYNAPSE] {
        // The other environment may spell it differently.
        for elsewhere in [resource.replace("contoso", "Contoso"), resource.replace("rg-lake", "rg-other")] {
            let elsewhere = vec![Elsewhere::of("test", elsewhere.parse().unwrap())];
            let cases = [
                (Status::Approved, None, (0, 0, vec![Update], 1, 0)),
                (Status::Pending, None, (0, 0, vec![Update], 1, 0)),
                (Status::Approved, Some(&[resource][..]), (1, 0, vec![], 0, 0)),
                (Status::Rejected, Some(&[resource][..]), (0, 0, vec![], 0, 1)),
                (Status::Approved, Some(&[][..]), (0, 0, vec![Create], 0, 0)),
                (Status::Pending, Some(&[][..]), (0, 0, vec![Create], 0, 0)),
            ];
            for (status, saw, expected) in cases {
                let mut scene = unread(resource, connections(resource, &status));
                scene.elsewhere = elsewhere.clone();
                scene.attested = saw.iter().map(|saw| seen(saw, "2026-11-01")).collect();
                let findings = scene.findings();
                assert_eq!(outcome(&findings), expected, "{resource} {status} {saw:?}");
                assert!(
                    !codes(&findings).contains(&attestation::codes::ATTESTATION_CONTRADICTED),
                    "{resource} {status} {saw:?}"
                );
                // Once added, the entry has to say so: no connection does.
                let record = findings.changes.iter().filter_map(|planned| planned.change.manual()?.record.as_ref());
                assert_eq!(record.count(), expected.2.len(), "{resource} {status} {saw:?}");
            }
            // Without any connection, neither has a link.
            let mut scene = unread(resource, vec![]);
            scene.elsewhere = elsewhere.clone();
            let findings = scene.findings();
            assert_eq!(outcome(&findings), (0, 0, vec![Create], 0, 0), "{resource}");
            assert!(findings.changes[0].change.manual().unwrap().record.is_some());
            scene.attested = vec![seen(&[resource], "2026-11-01")];
            assert_eq!(outcome(&scene.findings()), (0, 0, vec![Update], 1, 0), "{resource}");
        }
    }
}

/// The entry to write is one that could be true: the one that was just ruled out can't help.
#[test]
fn the_entry_to_write_leaves_out_what_is_ruled_out() {
    let approved = super::ENDS.map(full);
    let approved: Vec<_> = approved.iter().map(|name| (MICROSOFT, name.as_str(), Status::Approved)).collect();
    let records = |scene: &super::Scene| -> Vec<(String, String)> {
        let findings = scene.findings();
        let manual = findings.changes.iter().filter_map(|planned| planned.change.manual().cloned());
        manual
            .filter(|manual| manual.actions[0].starts_with("look"))
            .map(|one| (one.record.unwrap(), one.shown_by))
            .collect()
    };
    let entry = |links: &str| {
        format!(
            "- {{ setting: privateLinks, saw: {{ links: {links} }}, by: ada@contoso.com, on: 2026-11-20, validFor: 90d }}"
        )
    };
    for resource in [LAKE, SYNAPSE] {
        let mut scene = unread(resource, vec![]);
        scene.attested = vec![seen(&[resource], "2026-11-01")];
        let records = records(&scene);
        assert_eq!(records.len(), 1);
        assert_eq!(records[0].0, entry("[]"), "{resource}");
        assert!(records[0].1.contains("isn't ruled out"), "{}", records[0].1);
        // It helps.
        scene.attested = vec![seen(&[], "2026-11-20")];
        assert_eq!(outcome(&scene.findings()), (0, 0, vec![Action::Create], 0, 0), "{resource}");
    }
    // One of two is ruled out, and whether there are others isn't known.
    let mut scene = unread(LAKE, asking(&approved));
    scene.declared.matching = Match::Exact;
    let mut second = scene.declared.links[0].clone();
    second.resource = super::id(SYNAPSE);
    scene.declared.links.push(second);
    let workspace = Resource { connections: vec![], ..scene.lake().clone() };
    scene.observed.resources.insert(super::id(SYNAPSE), Ok(Some(workspace)));
    scene.attested = vec![seen(&[LAKE, SYNAPSE], "2026-11-01")];
    let due = entry(&format!("[{{ resource: {LAKE} }}]"));
    assert_eq!(records(&scene).iter().map(|(record, _)| record).collect::<Vec<_>>(), [&due, &due]);
}

/// Names alone would hide the difference.
#[test]
fn an_entry_about_a_namesake_is_told_by_its_full_id() {
    let approved = super::ENDS.map(full);
    let approved: Vec<_> = approved.iter().map(|name| (MICROSOFT, name.as_str(), Status::Approved)).collect();
    let elsewhere = LAKE.replace("rg-lake", "rg-other");
    let mut scene = unread(LAKE, asking(&approved));
    scene.attested = vec![seen(&[&elsewhere], "2026-11-01")];
    let findings = scene.findings();
    assert_eq!(outcome(&findings), (0, 0, vec![Action::Update], 1, 0));
    for text in [
        &findings.unknown[0].reason,
        &findings.notes.iter().find(|note| note.code == attestation::codes::ATTESTATION_CONTRADICTED).unwrap().message,
    ] {
        assert!(text.contains(&format!("`{{ links: [{{ resource: {elsewhere} }}] }}`")), "{text}");
        assert!(text.contains(LAKE), "{text}");
    }
    // The same resource in other letters is named by its name.
    scene.attested = vec![seen(&[&LAKE.replace("contosolake", "ContosoLake"), SYNAPSE], "2026-08-01")];
    scene.declared.matching = Match::Exact;
    let reason = &scene.findings().unknown[0].reason;
    assert!(reason.contains("`{ links: [{ resource: ContosoLake }, { resource: contosows }] }`"), "{reason}");
    // Two entries that differ in the resource group alone.
    scene.attested = vec![seen(&[LAKE], "2026-11-01"), seen(&[&elsewhere], "2026-11-01")];
    scene.elsewhere = vec![Elsewhere::of("test", super::id(LAKE))];
    let reason = &scene.findings().unknown[0].reason;
    assert!(reason.contains(LAKE) && reason.contains(&elsewhere), "{reason}");
}

/// Which of the two works can't be told; where neither is wanted, both go in one change.
#[test]
fn several_links_to_one_resource_are_one_thing() {
    let other = LAKE.replace("contosolake", "otherlake");
    let mut scene = Scene::of(&Status::Approved);
    scene.links().extend([link(2, &other, &Status::Approved), link(3, &other.to_uppercase(), &Status::Approved)]);
    let findings = scene.findings();
    assert_eq!((scene.changes(), findings.unknown.len()), (vec!["delete prod/privateLinks/otherlake".to_owned()], 0));
    assert_eq!(findings.changes[0].steps().len(), 2);
    assert_eq!(findings.changes[0].change.before["link"], "link-2, link-3");
    for matching in [Match::Exact, Match::AtLeast] {
        let mut scene = Scene::of(&Status::Pending);
        scene.declared.matching = matching;
        scene.links().push(link(2, LAKE, &Status::Approved));
        let findings = scene.findings();
        assert_eq!((findings.changes.len(), findings.in_sync, findings.in_effect.len()), (0, 0, 0));
        let [unknown] = findings.unknown.as_slice() else { panic!("{:?}", findings.unknown) };
        assert!(unknown.reason.contains("2 private links to it, link-1 and link-2"), "{}", unknown.reason);
    }
}
