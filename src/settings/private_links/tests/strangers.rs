//! Whatever lies about on the Azure side, only endpoints of the link are approved.

use proptest::prelude::*;

use super::{ENDS, MICROSOFT, STRANGER, Scene, approvals, connection, full};
use crate::azure::private_endpoints::Status;
use crate::settings::private_links::block::{Approval, Match};
use crate::settings::private_links::observe::Links;
use crate::terms::ResourceId;

fn statuses() -> impl Strategy<Value = Status> {
    prop::sample::select(vec![Status::Pending, Status::Approved, Status::Rejected, Status::Disconnected])
}

/// Connections as an attacker, another team, or time may have left them.
fn strangers() -> impl Strategy<Value = Vec<(bool, usize, u8, Status)>> {
    prop::collection::vec((any::<bool>(), 0usize..4, 0u8..4, statuses()), 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: prop::test_runner::RngSeed::Fixed(7), ..ProptestConfig::default() })]

    /// Whatever lies about on the Azure side, an approval is for a pending connection that is alone under a name that
    /// Customer Insights lists as pending; with a subscription configured, it is one of its endpoints.
    #[test]
    fn no_endpoint_that_is_not_the_links_is_ever_approved(
        ours in prop::collection::vec(prop::option::of(statuses()), 4),
        told in prop::collection::vec(statuses(), 4),
        strangers in strangers(),
        approval in prop::sample::select(vec![Approval::ByOthers, Approval::Listed, Approval::FromSubscription(MICROSOFT)]),
        exact in any::<bool>(),
        asked in any::<bool>(),
    ) {
        let mut scene = Scene::of(&Status::Pending);
        scene.declared.links[0].approval = approval;
        scene.declared.matching = if exact { Match::Exact } else { Match::AtLeast };
        for (endpoint, status) in scene.links()[0].endpoints.iter_mut().zip(&told) {
            endpoint.status = status.clone();
        }
        let mut connections = Vec::new();
        for (number, status) in ours.iter().enumerate() {
            connections.extend(status.clone().map(|s| connection(number, MICROSOFT, &full(ENDS[number]), s)));
        }
        for (number, (foreign, end, style, status)) in strangers.iter().enumerate() {
            let name = match style {
                0 => full(ENDS[*end]),
                1 => format!("PE-ContosoLake-{}", ENDS[*end]),
                2 => format!("evil.pe-contosolake-{}", ENDS[*end]),
                _ => format!("evilpe-contosolake-{}", ENDS[*end]),
            };
            let subscription = if *foreign { STRANGER } else { MICROSOFT };
            connections.push(connection(10 + number, subscription, &name, status.clone()));
        }
        scene.lake().connections = connections.clone();
        let listed = &scene.links()[0].endpoints.clone();
        if !asked {
            scene.observed.links = Links::NotAsked;
        }
        let findings = scene.findings();
        for change in approvals(&findings) {
            let endpoint: ResourceId = change.after["endpoint"].as_str().unwrap().parse().unwrap();
            let endpoint_of = listed.iter().find(|one| change.address.as_str().ends_with(&format!("/{}", one.name))).unwrap();
            prop_assert!(!asked || endpoint_of.status == Status::Pending);
            prop_assert!(endpoint_of.could_be(&endpoint));
            let candidates: Vec<_> = connections
                .iter()
                .filter(|one| one.endpoint.as_ref().is_some_and(|id| endpoint_of.could_be(id)))
                .filter(|one| match approval {
                    Approval::FromSubscription(s) => one.endpoint.as_ref().unwrap().subscription() == s,
                    _ => true,
                })
                .collect();
            prop_assert_eq!(candidates.len(), 1);
            prop_assert_eq!(&candidates[0].status, &Status::Pending);
            prop_assert_eq!(candidates[0].endpoint.as_ref(), Some(&endpoint));
            prop_assert_ne!(approval, Approval::ByOthers);
        }
        let all_open = told.iter().all(|status| *status == Status::Approved);
        prop_assert!(!asked || findings.in_sync == 0 || all_open);
    }
}
