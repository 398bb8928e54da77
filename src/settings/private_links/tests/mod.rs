//! Comparing private links: tables; `strangers` has the property that no stranger is ever let in.

mod attested;
mod doubtful;
mod strangers;
mod written;

use std::collections::BTreeMap;

use uuid::Uuid;

use super::block::{Approval, Declared, Link, Match};
use super::compare::compare;
use super::observe::{Links, Observed, Resource};
use crate::azure::customer_insights::{Instance, LinkEndpoint, PrivateLink};
use crate::azure::private_endpoints::{Connection, Status};
use crate::azure::rights::{Action as AzureAction, Doubt, Holding, Right};
use crate::azure::storage::PublicNetworkAccess;
use crate::plan::{Action, Findings, Impact, Mode, NoteCode, Severity, WaitingFor};
use crate::settings;
use crate::settings::attestation::Attestation;
use crate::settings::consent::Consent;
use crate::settings::observation::Unreadable;
use crate::settings::private_links::codes;
use crate::settings::setting::{Comparing, Elsewhere};
use crate::settings::surface::Surface;
use crate::terms::{EnvironmentHead, Head, Place, ResourceId};

const LAKE: &str = "/subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg-lake/providers/Microsoft.Storage/storageAccounts/contosolake";
const SYNAPSE: &str = "/subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg-lake/providers/Microsoft.Synapse/workspaces/contosows";
const ENDS: [&str; 4] = ["blob", "blobforsynapse", "dfs", "dfsforsynapse"];
/// The subscription that Customer Insights' endpoints lie in.
const MICROSOFT: Uuid = Uuid::from_u128(0x8785_9467_0000_4000_8000_0000_0000_0001);
/// Somebody else's.
const STRANGER: Uuid = Uuid::from_u128(0x9999_9999_0000_4000_8000_0000_0000_0001);

fn id(text: &str) -> ResourceId {
    text.parse().unwrap()
}

fn lacking() -> Holding {
    Holding::Lacking(vec![Right::Azure(AzureAction::STORAGE_APPROVE)])
}

fn unproved() -> Holding {
    let rights = vec![Right::Azure(AzureAction::STORAGE_WRITE_CONNECTIONS)];
    Holding::Unproved(Doubt { rights, why: "it isn't granted".into() })
}

fn place() -> Place {
    Place { file: "palisade.yaml".into(), line: 1, column: 1 }
}

fn endpoint_id(subscription: Uuid, name: &str) -> ResourceId {
    id(&format!(
        "/subscriptions/{subscription}/resourceGroups/rg-{}/providers/Microsoft.Network/privateEndpoints/{name}",
        &subscription.to_string()[..4]
    ))
}

fn connection(number: usize, subscription: Uuid, endpoint: &str, status: Status) -> Connection {
    Connection {
        name: format!("contosolake.{number}"),
        endpoint: Some(endpoint_id(subscription, endpoint)),
        status,
        description: String::new(),
        provisioning_state: Some("Succeeded".into()),
    }
}

/// The real endpoint's name: Synapse networks put their own before it.
fn full(end: &str) -> String {
    let front = if end.ends_with("forsynapse") { "prod-weu-01-synapse01." } else { "" };
    format!("{front}pe-contosolake-{end}")
}

fn link(number: usize, resource: &str, status: &Status) -> PrivateLink {
    let endpoint = |end: &&str| LinkEndpoint {
        name: format!("pe-{}-{end}", id(resource).name()),
        sub_resource_type: (*end).to_owned(),
        status: status.clone(),
    };
    PrivateLink {
        id: format!("link-{number}"),
        resource: id(resource),
        consent_accepted: Some(true),
        is_validated: None,
        endpoints: ENDS.iter().map(endpoint).collect(),
    }
}

struct Scene {
    declared: Declared,
    observed: Observed,
    surface: Surface,
    attested: Vec<Attestation>,
    elsewhere: Vec<Elsewhere>,
    region: Option<&'static str>,
}

impl Scene {
    /// A declared link whose four connections stand like this on both sides.
    fn of(status: &Status) -> Self {
        let consent = Consent { agreed_by: "ada@contoso.com".into(), agreed_on: "2026-03-02".parse().unwrap() };
        let declared = Link { resource: id(LAKE), approval: Approval::Listed, consent, place: place() };
        let connections = ENDS.iter().enumerate().map(|(n, end)| connection(n, MICROSOFT, &full(end), status.clone()));
        let lake = Resource {
            location: "westeurope".into(),
            public: PublicNetworkAccess::Disabled,
            connections: connections.collect(),
        };
        Self {
            declared: Declared { matching: Match::Exact, links: vec![declared], place: place() },
            observed: Observed {
                links: Links::Read(Ok(vec![link(1, LAKE, status)])),
                resources: BTreeMap::from([(id(LAKE), Ok(Some(lake)))]),
                rights: BTreeMap::from([(id(LAKE), Ok(Holding::Held))]),
            },
            surface: Surface::EMULATOR,
            attested: Vec::new(),
            elsewhere: Vec::new(),
            region: Some("westeurope"),
        }
    }

    fn lake(&mut self) -> &mut Resource {
        self.observed.resources.get_mut(&id(LAKE)).unwrap().as_mut().unwrap().as_mut().unwrap()
    }

    fn links(&mut self) -> &mut Vec<PrivateLink> {
        let Links::Read(Ok(links)) = &mut self.observed.links else { panic!("not read") };
        links
    }

    fn findings(&self) -> Findings {
        let head = Head::Environment(EnvironmentHead {
            key: "prod".into(),
            instance_id: Some(Uuid::from_u128(1)),
            environment_id: Some("e".into()),
            name: Some("Contoso prod".into()),
            business_units: false,
            place: place(),
        });
        let instance = Instance { id: Uuid::from_u128(1), scale_unit: None };
        let comparing = Comparing {
            head: &head,
            instance: Ok(&instance),
            hosting: Err(&crate::settings::hosting::not_asked()),
            tenant: Uuid::from_u128(2),
            region: self.region,
            created: None,
            attested: &self.attested,
            elsewhere: &self.elsewhere,
            beside: &crate::settings::blocks::Blocks::default(),
            surface: self.surface,
            now: "2026-11-20T12:00:00Z".parse().unwrap(),
        };
        compare(&self.declared, &self.observed, &comparing)
    }

    fn changes(&self) -> Vec<String> {
        let line = |change: &crate::plan::Change| format!("{} {}", change.action, change.address);
        self.findings().changes.iter().map(|planned| line(&planned.change)).collect()
    }
}

fn codes(findings: &Findings) -> Vec<NoteCode> {
    let mut codes: Vec<_> = findings.notes.iter().map(settings::codes::of).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

fn approvals(findings: &Findings) -> Vec<&crate::plan::Change> {
    let changes = findings.changes.iter().map(|planned| &planned.change);
    changes.filter(|change| change.action == Action::Approve).collect()
}

#[test]
fn what_is_approved_on_both_sides_is_in_sync_and_silent() {
    let findings = Scene::of(&Status::Approved).findings();
    assert_eq!((findings.changes.len(), findings.in_sync, findings.waiting.len()), (0, 1, 0));
    assert_eq!(codes(&findings), []);
}

#[test]
fn each_pending_connection_is_an_approval_with_its_full_endpoint_id() {
    let scene = Scene::of(&Status::Pending);
    let names = ENDS.map(|end| format!("approve prod/privateLinks/contosolake/pe-contosolake-{end}"));
    assert_eq!(scene.changes(), names);
    let findings = scene.findings();
    assert_eq!(findings.in_sync, 0);
    for (change, end) in approvals(&findings).into_iter().zip(ENDS) {
        let endpoint = endpoint_id(MICROSOFT, &full(end)).to_string();
        assert_eq!(
            (&change.before["endpoint"], &change.after["endpoint"]),
            (&endpoint.clone().into(), &endpoint.into())
        );
        assert_eq!((&change.before["status"], &change.after["status"]), (&"Pending".into(), &"Approved".into()));
    }
}

#[test]
fn one_pending_connection_of_four_is_one_approval_and_no_sync() {
    let mut scene = Scene::of(&Status::Approved);
    scene.lake().connections[2].status = Status::Pending;
    scene.links()[0].endpoints[2].status = Status::Pending;
    assert_eq!(scene.changes(), ["approve prod/privateLinks/contosolake/pe-contosolake-dfs"]);
    assert_eq!(scene.findings().in_sync, 0);
}

#[test]
fn a_missing_link_is_created_and_says_who_agreed() {
    let mut scene = Scene::of(&Status::Approved);
    scene.links().clear();
    scene.lake().connections.clear();
    let findings = scene.findings();
    assert_eq!(scene.changes(), ["create prod/privateLinks/contosolake"]);
    let planned = &findings.changes[0];
    assert!(planned.change.reason.contains("ada@contoso.com agreed on 2026-03-02"));
    assert_eq!((planned.takes_away, planned.steps().len(), planned.change.mode()), (false, 1, Mode::Automatic));
}

#[test]
fn approvals_in_the_same_run_are_part_of_the_intent_and_need_the_right() {
    let mut scene = Scene::of(&Status::Approved);
    scene.links().clear();
    scene.lake().connections.clear();
    scene.declared.links[0].approval = Approval::FromSubscription(MICROSOFT);
    let findings = scene.findings();
    assert_eq!(findings.changes[0].change.after["approveFromSubscription"], MICROSOFT.to_string());
    assert_eq!(findings.changes[0].steps().len(), 2);
    scene.observed.rights.insert(id(LAKE), Ok(lacking()));
    let findings = scene.findings();
    assert_eq!(findings.changes[0].change.after.get("approveFromSubscription"), None);
    assert_eq!(findings.changes[0].steps().len(), 1);
    scene.observed.rights.insert(id(LAKE), Err(Unreadable::because("503")));
    assert_eq!((scene.changes().len(), scene.findings().unknown.len()), (0, 1));
}

/// What can't be seen to be allowed is tried, by the same changes, and the plan says so.
#[test]
fn an_unproved_right_is_tried() {
    let proved = Scene::of(&Status::Pending);
    let mut scene = Scene::of(&Status::Pending);
    scene.observed.rights.insert(id(LAKE), Ok(unproved()));
    let (proved, findings) = (proved.findings(), scene.findings());
    let intents = |findings: &Findings| findings.changes.iter().map(|one| one.change.intent()).collect::<Vec<_>>();
    assert_eq!((intents(&findings), findings.waiting.len()), (intents(&proved), 0));
    for (change, proved) in approvals(&findings).into_iter().zip(approvals(&proved)) {
        let doubt = "; tried, although palisade could not confirm that this identity has \
                     Microsoft.Storage/storageAccounts/privateEndpointConnections/write: it isn't granted";
        assert_eq!(change.reason, format!("{}{doubt}", proved.reason));
        let expected = [AzureAction::STORAGE_APPROVE, AzureAction::STORAGE_WRITE_CONNECTIONS].map(AzureAction::name);
        assert_eq!(change.permissions, expected);
    }

    scene.links().clear();
    scene.lake().connections.clear();
    scene.declared.links[0].approval = Approval::FromSubscription(MICROSOFT);
    let findings = scene.findings();
    let created = &findings.changes[0];
    assert_eq!((created.steps().len(), created.change.demands.len()), (2, 1));
    assert!(created.change.reason.contains("tried, although"), "{}", created.change.reason);
    assert_eq!(created.change.permissions.len(), 3, "those of both steps: {:?}", created.change.permissions);
}

#[test]
fn without_the_right_or_the_wish_a_person_is_waited_for() {
    let mut scene = Scene::of(&Status::Pending);
    scene.observed.rights.insert(id(LAKE), Ok(lacking()));
    let mut unwished = Scene::of(&Status::Pending);
    unwished.declared.links[0].approval = Approval::ByOthers;
    for scene in [scene, unwished] {
        let findings = scene.findings();
        assert_eq!((findings.changes.len(), findings.waiting.len(), findings.notes.len()), (0, 1, 0));
        assert_eq!(findings.waiting[0].waiting_for, WaitingFor::Person);
        let detail = &findings.waiting[0].detail;
        assert!(
            detail.contains("4 connections to be approved by somebody with the role Storage Account Contributor on")
        );
        assert!(detail.contains(&endpoint_id(MICROSOFT, "pe-contosolake-blob").to_string()), "{detail}");
    }
}

/// Invariant 12: two candidates for one name, and nothing is approved for it. The other endpoints aren't held up.
#[test]
fn two_connections_by_one_name_are_refused_whatever_their_state() {
    for status in [Status::Pending, Status::Approved, Status::Rejected, Status::Disconnected] {
        let mut scene = Scene::of(&Status::Pending);
        scene.lake().connections.push(connection(9, STRANGER, "x.PE-contosolake-BLOB", status));
        let findings = scene.findings();
        assert_eq!(codes(&findings), [codes::AMBIGUOUS_CONNECTION]);
        let note = &findings.notes[0];
        assert_eq!(
            (note.severity, note.address.as_str()),
            (Severity::Error, "prod/privateLinks/contosolake/pe-contosolake-blob")
        );
        assert!(note.message.contains(&STRANGER.to_string()) && note.message.contains(&MICROSOFT.to_string()));
        assert_eq!(approvals(&findings).len(), 3);
    }
}

#[test]
fn a_stranger_under_the_name_of_what_is_decided_is_never_approved() {
    for (decided, code) in [
        (Status::Approved, codes::LOOK_ALIKE_CONNECTION),
        (Status::Rejected, codes::CONNECTION_ENDED),
        (Status::Disconnected, codes::CONNECTION_ENDED),
    ] {
        let mut scene = Scene::of(&decided);
        scene.lake().connections.push(connection(9, STRANGER, "pe-contosolake-blob", Status::Pending));
        if decided == Status::Disconnected {
            scene.lake().connections.retain(|one| one.name == "contosolake.9");
        }
        let findings = scene.findings();
        assert_eq!(approvals(&findings).len(), 0, "{decided}");
        assert!(codes(&findings).contains(&code), "{decided} {:?}", findings.notes);
    }
}

#[test]
fn with_a_subscription_endpoints_from_elsewhere_do_not_count() {
    let mut scene = Scene::of(&Status::Pending);
    scene.declared.links[0].approval = Approval::FromSubscription(MICROSOFT);
    scene.lake().connections.push(connection(9, STRANGER, "pe-contosolake-blob", Status::Pending));
    let findings = scene.findings();
    assert_eq!(codes(&findings), [codes::LOOK_ALIKE_CONNECTION]);
    assert_eq!(approvals(&findings).len(), 4);
    scene.declared.links[0].approval = Approval::FromSubscription(STRANGER);
    assert_eq!(scene.changes(), ["approve prod/privateLinks/contosolake/pe-contosolake-blob"]);
}

/// A stranger may come before Customer Insights does. The plan lists the full id, and says that something is odd.
#[test]
fn endpoints_of_several_subscriptions_are_pointed_out() {
    let mut scene = Scene::of(&Status::Pending);
    scene.lake().connections[0] = connection(9, STRANGER, "pe-contosolake-blob", Status::Pending);
    assert_eq!(codes(&scene.findings()), [codes::ENDPOINTS_APART]);
    scene.declared.links[0].approval = Approval::FromSubscription(MICROSOFT);
    assert_eq!((scene.changes().len(), codes(&scene.findings())), (3, vec![codes::LOOK_ALIKE_CONNECTION]));
}

#[test]
fn rejected_is_final() {
    let mut scene = Scene::of(&Status::Pending);
    scene.lake().connections[0].status = Status::Rejected;
    scene.links()[0].endpoints[0].status = Status::Rejected;
    assert_eq!(scene.changes(), ["update prod/privateLinks/contosolake"]);
    let findings = scene.findings();
    assert_eq!((findings.changes[0].takes_away, findings.changes[0].steps().len()), (true, 2));
    assert_eq!(findings.changes[0].change.impact, Impact::Interrupts);
    scene.declared.matching = Match::AtLeast;
    let findings = scene.findings();
    assert_eq!((findings.changes.len(), codes(&findings)), (0, vec![codes::CONNECTION_ENDED]));
    assert_eq!(findings.waiting[0].waiting_for, WaitingFor::Person);
}

#[test]
fn what_the_service_is_at_work_on_is_waited_for_and_not_repeated() {
    let mut approving = Scene::of(&Status::Approved);
    approving.lake().connections[1].provisioning_state = Some("Provisioning".into());
    let mut stale = Scene::of(&Status::Approved);
    stale.links()[0].endpoints[1].status = Status::Pending;
    let mut late = Scene::of(&Status::Pending);
    late.lake().connections.clear();
    let mut half = Scene::of(&Status::Approved);
    half.links()[0].endpoints.truncate(2);
    half.lake().connections.truncate(2);
    for scene in [approving, stale, late, half] {
        let findings = scene.findings();
        assert_eq!((findings.changes.len(), findings.in_sync, codes(&findings)), (0, 0, vec![]));
        assert_eq!(findings.waiting[0].waiting_for, WaitingFor::Service, "{:?}", findings.waiting);
    }
}

#[test]
fn links_that_are_not_declared_go_under_exact_and_stay_under_at_least() {
    let other = LAKE.replace("contosolake", "otherlake");
    let mut scene = Scene::of(&Status::Approved);
    scene.links().push(link(2, &other, &Status::Approved));
    assert_eq!(scene.changes(), ["delete prod/privateLinks/otherlake"]);
    let findings = scene.findings();
    assert!(findings.changes[0].takes_away);
    assert_eq!(findings.changes[0].change.impact, Impact::Interrupts);
    scene.declared.matching = Match::AtLeast;
    let findings = scene.findings();
    assert_eq!((findings.changes.len(), codes(&findings)), (0, vec![codes::LINKS_LEFT_ALONE]));
}

#[test]
fn unknown_is_not_absent() {
    let mut scene = Scene::of(&Status::Approved);
    scene.observed.links = Links::Read(Err(Unreadable::because("503")));
    let findings = scene.findings();
    assert_eq!((findings.changes.len(), findings.unknown.len(), findings.in_sync), (0, 2, 0));
    let mut scene = Scene::of(&Status::Approved);
    scene.observed.resources.insert(id(LAKE), Err(Unreadable::because("403")));
    assert_eq!((scene.changes().len(), scene.findings().unknown.len()), (0, 1));
    scene.observed.resources.insert(id(LAKE), Ok(None));
    assert_eq!(codes(&scene.findings()), [codes::LINK_TARGET_MISSING]);
    let mut scene = Scene::of(&Status::Pending);
    scene.observed.rights.insert(id(LAKE), Err(Unreadable::because("503")));
    assert_eq!((scene.changes().len(), scene.findings().unknown.len()), (0, 1));
}

#[test]
fn both_views_together_see_more() {
    let mut scene = Scene::of(&Status::Approved);
    scene.lake().public = PublicNetworkAccess::Enabled;
    scene.lake().connections.push(connection(7, STRANGER, "pe-somebody", Status::Pending));
    scene.region = Some("eastus");
    let expected =
        [codes::OTHER_PRIVATE_ENDPOINTS, codes::PUBLIC_BESIDE_PRIVATE_LINK, settings::codes::REGION_MISMATCH];
    assert_eq!(codes(&scene.findings()), expected);
    scene.region = Some("atlantis");
    assert!(codes(&scene.findings()).contains(&settings::codes::REGION_MISMATCH));

    let mut scene = Scene::of(&Status::Approved);
    scene.links().clear();
    assert_eq!(codes(&scene.findings()), [codes::CONNECTIONS_LEFT_BEHIND]);
    let mut scene = Scene::of(&Status::Approved);
    scene.links()[0].resource = id(&LAKE.replace("rg-lake", "rg-moved"));
    assert_eq!(codes(&scene.findings()), [codes::LINK_LEADS_ELSEWHERE]);
}

#[test]
fn synapse_is_noted_and_has_an_address_of_its_own() {
    let mut scene = Scene::of(&Status::Approved);
    scene.declared.links[0].resource = id(SYNAPSE);
    scene.links().clear();
    let workspace =
        Resource { location: "westeurope".into(), public: PublicNetworkAccess::Disabled, connections: vec![] };
    scene.observed.resources.insert(id(SYNAPSE), Ok(Some(workspace)));
    assert_eq!(scene.changes(), ["create prod/privateLinks/synapse:contosows"]);
    assert_eq!(codes(&scene.findings()), [codes::UNDOCUMENTED_RESOURCE_TYPE]);
}
