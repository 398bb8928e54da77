//! The changes on the side of Customer Insights: a link comes, goes, or is made anew. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde_json::{Value as Json, json};

use super::approvals::{by_somebody, description};
use super::block::{Approval, Block, Link, Match, Saw};
use super::compare::{Comparison, Sides, part};
use super::endpoints;
use super::notes;
use super::observe::Links;
use super::risks;
use super::same_resource;
use super::steps::{AddLink, ApproveNew, RemoveLink};
use crate::azure::Provenance;
use crate::azure::customer_insights::PrivateLink;
use crate::azure::operations::{ADD_PRIVATE_LINK, DELETE_PRIVATE_LINK};
use crate::azure::private_endpoints::Status;
use crate::azure::storage::PublicNetworkAccess;
use crate::plan::{Action, Address, Direction, Impact, ManualStep, Mode, Outline, Planned, Rated, Step, Work};
use crate::settings::attestation;
use crate::settings::block::{self, Block as _};
use crate::settings::data_lake::{self, Access};
use crate::terms::ResourceId;

/// A change of a link, done by a person where Customer Insights can't be asked.
fn planned(
    comparison: &Comparison<'_>,
    outline: Outline,
    steps: Vec<Rc<dyn Step>>,
    by_hand: impl FnOnce() -> ManualStep,
) -> Planned {
    let provenance = outline.operations.iter().map(|operation| operation.provenance).max();
    let mode = match comparison.observed.links {
        Links::NotAsked => Mode::Manual,
        Links::Read(_) => comparison.comparing.surface.mode(provenance.unwrap_or(Provenance::Undocumented)),
    };
    let takes_away = outline.impact != Impact::None;
    Planned::new(outline, Work::of(mode, steps, by_hand)).taking_away(takes_away)
}

fn subject(resource: &ResourceId) -> String {
    format!("the private link to {resource}")
}

/// The steps that make a link, and what they let in.
fn making(comparison: &Comparison<'_>, link: &Link) -> (Vec<Rc<dyn Step>>, Option<uuid::Uuid>) {
    if matches!(comparison.observed.links, Links::NotAsked) {
        // A person makes it; what its connections need is planned once they ask.
        return (Vec::new(), None);
    }
    let instance = comparison.instance.clone();
    let resource = link.resource.clone();
    // A right that can't be seen to be held is tried.
    let lacking =
        !matches!(comparison.observed.rights.get(&resource), Some(Ok(holding)) if holding.lacking().is_none());
    let expected = endpoints::expected(&resource);
    let (then, subscription) = match link.approval {
        Approval::FromSubscription(subscription) if !lacking => (None, Some(subscription)),
        Approval::Listed => {
            let then =
                "its connections are pending; the next plan lists their endpoints, for you to approve".to_owned();
            (Some(then), None)
        }
        Approval::ByOthers | Approval::FromSubscription(_) => (Some(by_somebody(&resource, expected)), None),
    };
    let add = AddLink { instance: instance.clone(), resource: resource.clone(), then };
    let mut steps: Vec<Rc<dyn Step>> = vec![Rc::new(add)];
    if let Some(subscription) = subscription {
        let description = description(comparison.comparing.head);
        steps.push(Rc::new(ApproveNew { instance, resource, subscription, description }));
    }
    (steps, subscription)
}

/// The link as a plan shows it; with the subscription, if its connections are approved in the same run.
fn declared_value(link: &Link, subscription: Option<uuid::Uuid>) -> Json {
    match subscription {
        Some(subscription) => {
            json!({ "status": "Approved", "resource": link.resource, "approveFromSubscription": subscription })
        }
        None => json!({ "status": "Pending", "resource": link.resource }),
    }
}

/// A request opens nothing; approving it does, here or in a later plan.
fn making_direction(subscription: Option<uuid::Uuid>) -> Direction {
    if subscription.is_some() { Direction::Weakens } else { Direction::Neutral }
}

fn making_risk(subscription: Option<uuid::Uuid>) -> Rated {
    if subscription.is_some() { risks::ADD_AND_APPROVE } else { risks::ADD }
}

fn add_by_hand(comparison: &Comparison<'_>, link: &Link) -> ManualStep {
    let Link { resource, approval: _, consent, place: _ } = link;
    let record = record(comparison, Some(resource));
    let connections = format!("private endpoint connections of the link show on {}", resource.name());
    ManualStep {
        place: page(),
        actions: [
            format!("choose Add Private Link, then {}", resource.name()),
            format!("agree to the data privacy terms, as {} did on {}", consent.agreed_by, consent.agreed_on),
        ]
        .into_iter()
        .chain(record.as_ref().map(|_| RECORD.to_owned()))
        .collect(),
        values: values(resource),
        shown_by: match record {
            Some(_) => format!("{connections}, and the entry lists the link"),
            None => connections,
        },
        record,
    }
}

fn remove_by_hand(comparison: &Comparison<'_>, resource: &ResourceId) -> ManualStep {
    ManualStep {
        place: page(),
        actions: vec![format!("select the link to {} and choose Delete", resource.name()), RECORD.to_owned()],
        values: values(resource),
        shown_by: "the page no longer lists the link, and neither does the entry".to_owned(),
        record: record(comparison, None),
    }
}

const RECORD: &str = "record under `attested` every link that the page lists then";

/// Where a person does what no operation does.
fn page() -> String {
    <Saw as block::Saw>::PLACE.unwrap_or_default().to_owned()
}

/// What the page shows of a resource.
pub(super) fn values(resource: &ResourceId) -> BTreeMap<String, String> {
    let values = [
        ("Subscription", resource.subscription().to_string()),
        ("Resource group", resource.resource_group().to_owned()),
        ("Resource", resource.name().to_owned()),
    ];
    values.map(|(name, value)| (name.to_owned(), value)).into()
}

/// The entry that is due once a person has done it. None where connections alone show a link that was `added`, and no entry
/// says otherwise.
fn record(comparison: &Comparison<'_>, added: Option<&ResourceId>) -> Option<String> {
    let Comparison { declared, comparing, .. } = comparison;
    let shows_elsewhere =
        added.is_some_and(|resource| !endpoints::usual(resource).is_empty() && !comparison.shared(resource));
    let attested = comparing.attested.iter().any(|entry| entry.setting == Block::KEY);
    let needed = attested || !shows_elsewhere || declared.matching == Match::Exact;
    needed.then(|| attestation::entry::<Block>(&Saw::of(declared), comparing))
}

/// The link isn't there. `seen` says how that is known, where Customer Insights didn't say it.
pub(super) fn create(comparison: &mut Comparison<'_>, link: &Link, address: Address, seen: Option<String>) {
    if let Some(Err(unreadable)) = comparison.observed.rights.get(&link.resource) {
        comparison.findings.unknown.push(unreadable.at(address));
        return;
    }
    let planned = created(comparison, link, address, seen);
    comparison.findings.changes.push(planned);
}

fn created(comparison: &Comparison<'_>, link: &Link, address: Address, seen: Option<String>) -> Planned {
    let (steps, subscription) = making(comparison, link);
    let seen = seen.map(|seen| format!(": {seen}")).unwrap_or_default();
    let outline = Outline {
        address,
        setting: Block::KEY,
        subject: subject(&link.resource),
        action: Action::Create,
        direction: making_direction(subscription),
        risk: making_risk(subscription),
        impact: Impact::None,
        before: Json::Null,
        after: declared_value(link, subscription),
        reason: format!(
            "declared, but missing{seen}; {} agreed on {} to its data privacy terms",
            link.consent.agreed_by, link.consent.agreed_on
        ),
        source: link.place.clone(),
        operations: vec![ADD_PRIVATE_LINK.facts()],
    };
    doubted(comparison, link, subscription, planned(comparison, outline, steps, || add_by_hand(comparison, link)))
}

/// A change that approves connections in the same run says so if that could not be confirmed to be allowed.
fn doubted(comparison: &Comparison<'_>, link: &Link, subscription: Option<uuid::Uuid>, planned: Planned) -> Planned {
    match comparison.observed.rights.get(&link.resource) {
        Some(Ok(holding)) if subscription.is_some() => planned.in_doubt(holding),
        _ => planned,
    }
}

/// A connection was rejected, which is final: the link goes and comes again. One change, so that the first half is never
/// carried out without the second one in view; a run that stops in between leaves a missing link, which the next one creates.
pub(super) fn recreate(comparison: &mut Comparison<'_>, sides: &Sides<'_>, ended: &[(String, Status)]) {
    let link = sides.declared;
    let (making, subscription) = making(comparison, link);
    let remove = sides.live.map(|live| RemoveLink {
        instance: comparison.instance.clone(),
        resource: link.resource.clone(),
        link: live.id.clone(),
        look: false,
    });
    let states: serde_json::Map<String, Json> =
        ended.iter().map(|(name, status)| (name.clone(), json!(status.to_string()))).collect();
    let names: Vec<&str> = ended.iter().map(|(name, _)| name.as_str()).collect();
    let worst = ended.first().map(|(_, status)| status.to_string()).unwrap_or_default();
    let outline = Outline {
        address: sides.address.clone(),
        setting: Block::KEY,
        subject: subject(&link.resource),
        action: Action::Update,
        direction: making_direction(subscription),
        risk: risks::RECREATE,
        // What of the link works stops until its new connections are approved.
        impact: Impact::Interrupts,
        before: json!({ "status": worst, "endpoints": states }),
        after: declared_value(link, subscription),
        reason: format!("{} can't be approved any more, so the link is removed and made anew", names.join(", ")),
        source: link.place.clone(),
        operations: vec![ADD_PRIVATE_LINK.facts()],
    };
    let steps = remove.into_iter().map(|step| Rc::new(step) as Rc<dyn Step>).chain(making).collect();
    let by_hand = || {
        let mut then = add_by_hand(comparison, link);
        then.actions.insert(0, format!("select the link to {} and choose Delete", link.resource.name()));
        then
    };
    let rest = created(comparison, link, sides.address.clone(), None).change;
    let planned = planned(comparison, outline, steps, by_hand).leaving(&rest);
    let planned = doubted(comparison, link, subscription, planned);
    comparison.findings.changes.push(planned);
}

/// The links to a resource aren't declared, one as a rule, and `match: exact` says that the list is complete.
pub(super) fn remove(comparison: &mut Comparison<'_>, links: &[&PrivateLink]) {
    let Some(live) = links.first() else { return };
    let address = comparison.setting.part(&part(&live.resource));
    let found = match comparison.observed.resources.get(&live.resource) {
        Some(Ok(Some(found))) => Some(found),
        _ => None,
    };
    let connections = found.map_or(0, |found| {
        found.connections.iter().filter(|one| endpoints::looks_like_ours(&live.resource, one)).count()
    });
    // Only a resource that is known to be open to the internet can be reached without the link.
    let only_way = found.is_none_or(|found| found.public != PublicNetworkAccess::Enabled);
    if only_way && is_lake(comparison, &live.resource) {
        return comparison.findings.notes.push(notes::only_way_to_the_lake(
            &address,
            &live.resource,
            &others(comparison, &live.resource),
        ));
    }
    let others = others(comparison, &live.resource);
    comparison.findings.notes.extend(notes::removal(&address, &live.resource, connections, &others));
    let open = links.iter().flat_map(|link| &link.endpoints).all(|endpoint| endpoint.status == Status::Approved);
    let status = if open { "Approved" } else { "Pending" };
    let step = |link: &&PrivateLink| -> Rc<dyn Step> {
        let (instance, resource) = (comparison.instance.clone(), link.resource.clone());
        Rc::new(RemoveLink { instance, resource, link: link.id.clone(), look: true })
    };
    let steps: Vec<Rc<dyn Step>> = links.iter().map(step).collect();
    let ids: Vec<&str> = links.iter().map(|link| link.id.as_str()).collect();
    let outline = Outline {
        address,
        setting: Block::KEY,
        subject: subject(&live.resource),
        action: Action::Delete,
        // A way to the resource is closed, for whoever loads data over it.
        direction: Direction::Hardens,
        risk: if only_way { risks::REMOVE_ONLY_WAY } else { risks::REMOVE },
        impact: Impact::Interrupts,
        before: json!({ "status": status, "resource": live.resource, "link": ids.join(", ") }),
        after: Json::Null,
        reason: "not declared, and `match: exact` removes every other link".to_owned(),
        source: comparison.declared.place.clone(),
        operations: vec![DELETE_PRIVATE_LINK.facts()],
    };
    let planned = planned(comparison, outline, steps, || remove_by_hand(comparison, &live.resource)).removing(true);
    comparison.findings.changes.push(planned);
}

/// Whether the environment keeps its data there, and the account isn't opened once the link is gone: the file doesn't say so, or the links
/// of other environments stand against it.
fn is_lake(comparison: &Comparison<'_>, resource: &ResourceId) -> bool {
    let lake = comparison.comparing.beside.of::<data_lake::Block>().and_then(Option::as_ref);
    let opened = |access: Option<Access>| access == Some(Access::Enabled) && others(comparison, resource).is_empty();
    lake.is_some_and(|lake| same_resource(&lake.account, resource) && !opened(lake.access))
}

/// The other environments of the configuration that name a resource.
pub(super) fn others(comparison: &Comparison<'_>, resource: &ResourceId) -> Vec<String> {
    let elsewhere = comparison.comparing.elsewhere.iter().filter(|other| same_resource(&other.resource, resource));
    let names: BTreeSet<String> = elsewhere.map(|other| other.environment.to_string()).collect();
    names.into_iter().collect()
}

/// The link isn't declared, `match: exact` says that the list is complete, and a person saw it.
pub(super) fn remove_seen(comparison: &mut Comparison<'_>, resource: &ResourceId, seen: &str) {
    if is_lake(comparison, resource) {
        let address = comparison.setting.part(&part(resource));
        return comparison.findings.notes.push(notes::only_way_to_the_lake(
            &address,
            resource,
            &others(comparison, resource),
        ));
    }
    let outline = Outline {
        address: comparison.setting.part(&part(resource)),
        setting: Block::KEY,
        subject: subject(resource),
        action: Action::Delete,
        direction: Direction::Hardens,
        // Whether the resource is open to the internet wasn't read.
        risk: risks::REMOVE_ONLY_WAY,
        impact: Impact::Interrupts,
        before: json!({ "status": "Listed", "resource": resource }),
        after: Json::Null,
        reason: format!("not declared, and `match: exact` removes every other link: {seen}"),
        source: comparison.declared.place.clone(),
        operations: vec![DELETE_PRIVATE_LINK.facts()],
    };
    let planned = planned(comparison, outline, Vec::new(), || remove_by_hand(comparison, resource)).removing(true);
    comparison.findings.changes.push(planned);
}
