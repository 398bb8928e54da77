//! Whether the lake is reached over the internet.

use super::*;
use crate::plan::{Direction, Impact, Risk};
use crate::settings::consent::Consent;
use crate::settings::private_links::{self, Approval, Link, Match};
use crate::settings::registry;

fn closing(connections: Vec<Connection>) -> Scene {
    Scene::access(Access::Disabled, PublicNetworkAccess::Enabled).with(|scene| scene.account.connections = connections)
}

fn several(sets: &[(Uuid, Status)]) -> Vec<Connection> {
    sets.iter().flat_map(|(from, status)| set(*from, status)).collect()
}

fn elsewhere(environment: &str, resource: ResourceId) -> Elsewhere {
    Elsewhere { setting: "dataLake", ..Elsewhere::of(environment, resource) }
}

fn links(matching: Match, approval: Option<Approval>) -> Blocks {
    let consent = Consent { agreed_by: "ada@contoso.com".into(), agreed_on: "2026-03-02".parse().unwrap() };
    let link = approval.map(|approval| Link { resource: lake(), approval, consent, place: place() });
    let declared = private_links::Declared { matching, links: link.into_iter().collect(), place: place() };
    Blocks::of_scope([registry::block::<private_links::Block>(declared)].into_iter())
}

#[test]
fn every_pair_of_declared_and_live_has_its_answer() {
    use Access::{Disabled, Enabled};
    let other = || PublicNetworkAccess::Other("Sometimes".into());
    let table = [
        (Disabled, PublicNetworkAccess::Disabled, "in sync"),
        (Enabled, PublicNetworkAccess::Enabled, "in sync"),
        (Disabled, PublicNetworkAccess::Enabled, "disable publicNetworkAccess"),
        (Enabled, PublicNetworkAccess::Disabled, "refused lake-private-endpoints"),
        (Disabled, PublicNetworkAccess::SecuredByPerimeter, "error lake-perimeter"),
        (Enabled, PublicNetworkAccess::SecuredByPerimeter, "error lake-perimeter"),
        (Disabled, other(), "unknown publicNetworkAccess"),
        (Enabled, other(), "unknown publicNetworkAccess"),
    ];
    for (declared, live, expected) in table {
        let scene =
            Scene::access(declared, live).with(|scene| scene.account.connections = set(MICROSOFT, &Status::Approved));
        assert_eq!(scene.told(), expected);
    }
    let open = Scene::access(Enabled, PublicNetworkAccess::Disabled);
    assert_eq!(open.told(), "enable publicNetworkAccess");
    let change = open.change("publicNetworkAccess");
    assert_eq!((change.direction, change.risk, change.impact), (Direction::Weakens, Risk::Critical, Impact::None));
    // Connections of others are no reason to keep it shut.
    let others =
        open.with(|scene| scene.account.connections = vec![connection(1, STRANGER, "pe-backup", Status::Approved)]);
    assert_eq!(others.told(), "enable publicNetworkAccess");
    let undeclared =
        Scene::access(Enabled, PublicNetworkAccess::SecuredByPerimeter).with(|scene| scene.declared.access = None);
    assert_eq!(undeclared.told(), "in sync");
}

#[test]
fn closing_takes_a_complete_approved_set_for_each_environment() {
    use Status::{Approved, Disconnected, Pending, Rejected};
    let one = (MICROSOFT, Approved);
    let change = closing(several(std::slice::from_ref(&one))).change("publicNetworkAccess");
    assert_eq!(
        (change.direction, change.risk, change.impact),
        (Direction::Hardens, Risk::Critical, Impact::Interrupts)
    );
    // How many environments besides this one name the account, the sets, and whether it is closed.
    let table = [
        (0, vec![], false),
        (0, vec![(MICROSOFT, Pending)], false),
        (0, vec![one.clone()], true),
        (0, vec![one.clone(), (STRANGER, Approved)], true),
        // Whose the second one is can't be told, so any doubt about it counts.
        (0, vec![one.clone(), (MICROSOFT, Pending)], false),
        (0, vec![one.clone(), (STRANGER, Pending)], false),
        (0, vec![one.clone(), (STRANGER, Rejected)], false),
        (0, vec![one.clone(), (STRANGER, Disconnected)], false),
        (1, vec![one.clone()], false),
        (1, vec![one.clone(), one.clone()], true),
        (1, vec![one.clone(), (STRANGER, Approved)], true),
        (1, vec![one.clone(), (MICROSOFT, Pending)], false),
        (2, vec![one.clone(), one.clone()], false),
    ];
    for (others, sets, closes) in table {
        let scene = closing(several(&sets)).with(|scene| {
            scene.elsewhere = (0..others).map(|number| elsewhere(&format!("e{number}"), lake())).collect();
        });
        let expected = if closes { "disable publicNetworkAccess" } else { "waits publicNetworkAccess" };
        assert_eq!(scene.told(), expected, "{others} others, {sets:?}");
    }
}

/// A lake that is closed is reached over private links alone, by each environment that names it.
#[test]
fn a_closed_lake_needs_a_private_link_for_each_environment() {
    use Status::{Approved, Rejected};
    let one = (MICROSOFT, Approved);
    let table = [
        (0, vec![one.clone()], "in sync"),
        (0, vec![], "error lake-without-path; in sync"),
        (0, vec![(MICROSOFT, Rejected)], "error lake-without-path; in sync"),
        (1, vec![one.clone()], "error lake-without-path; in sync"),
        (1, vec![one.clone(), one], "in sync"),
    ];
    for (others, sets, expected) in table {
        let scene = Scene::access(Access::Disabled, PublicNetworkAccess::Disabled).with(|scene| {
            scene.account.connections = several(&sets);
            scene.elsewhere = (0..others).map(|number| elsewhere(&format!("e{number}"), lake())).collect();
        });
        assert_eq!(scene.told(), expected, "{others} others, {sets:?}");
    }
}

#[test]
fn each_of_the_four_endpoints_counts_and_only_when_it_is_at_rest() {
    for index in 0..4 {
        let mut missing = set(MICROSOFT, &Status::Approved);
        missing.remove(index);
        assert_eq!(closing(missing).told(), "waits publicNetworkAccess", "{index} missing");
        let mut working = set(MICROSOFT, &Status::Approved);
        working[index].provisioning_state = Some("Updating".into());
        assert_eq!(closing(working).told(), "waits publicNetworkAccess", "{index} being changed");
        let mut apart = set(MICROSOFT, &Status::Approved);
        apart[index] = connection(9, STRANGER, apart[index].endpoint.clone().unwrap().name(), Status::Approved);
        assert_eq!(closing(apart).told(), "waits publicNetworkAccess", "{index} from elsewhere");
    }
    let nameless = closing(set(MICROSOFT, &Status::Approved)).with(|scene| {
        scene.account.connections.push(Connection { endpoint: None, ..connection(9, MICROSOFT, "x", Status::Pending) });
    });
    assert_eq!(nameless.told(), "waits publicNetworkAccess");
}

#[test]
fn who_is_waited_for_is_named() {
    let scene = closing(several(&[(MICROSOFT, Status::Approved), (STRANGER, Status::Pending)])).with(|scene| {
        let other = format!("{GROUP}/Microsoft.Storage/storageAccounts/otherlake").parse().unwrap();
        scene.elsewhere = vec![elsewhere("test", lake()), Elsewhere::of("dev", lake()), elsewhere("far", other)];
        scene.elsewhere.push(Elsewhere::of("dev", lake()));
        scene.beside = links(Match::AtLeast, Some(Approval::Listed));
    });
    let detail = scene.findings().waiting[0].detail.clone();
    for part in
        ["(dev, prod, test)", "1 of 3 sets approved", "test declares no private link", "pe-contosolake-blob (Pending)"]
    {
        assert!(detail.contains(part), "{part}: {detail}");
    }
    assert!(!detail.contains("far") && !detail.contains("prod declares"), "{detail}");
}

#[test]
fn what_privatelinks_says_of_the_account_counts_as_well() {
    let approved = || closing(set(MICROSOFT, &Status::Approved));
    let beside = |blocks: Blocks| approved().with(|scene| scene.beside = blocks).told();
    assert_eq!(beside(links(Match::Exact, Some(Approval::Listed))), "disable publicNetworkAccess");
    assert_eq!(beside(links(Match::Exact, Some(Approval::FromSubscription(MICROSOFT)))), "disable publicNetworkAccess");
    assert_eq!(beside(links(Match::Exact, Some(Approval::FromSubscription(STRANGER)))), "waits publicNetworkAccess");
    assert_eq!(beside(links(Match::AtLeast, None)), "disable publicNetworkAccess");
    // The link that is there is to be removed.
    assert_eq!(beside(links(Match::Exact, None)), "waits publicNetworkAccess");
}
