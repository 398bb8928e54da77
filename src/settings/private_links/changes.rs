//! The changes on the side of Customer Insights: a link comes, goes, or is made anew. Pure.

use std::rc::Rc;

use serde_json::{Value as Json, json};

use super::approvals::{by_somebody, description};
use super::block::{Approval, Block, Link};
use super::compare::{Comparison, Sides, part};
use super::endpoints;
use super::notes;
use super::observe::{Resource, Right};
use super::risks;
use super::steps::{AddLink, ApproveNew, RemoveLink};
use crate::azure::Provenance;
use crate::azure::arm::ResourceId;
use crate::azure::customer_insights::PrivateLink;
use crate::azure::operations::{ADD_PRIVATE_LINK, DELETE_PRIVATE_LINK};
use crate::azure::private_endpoints::Status;
use crate::azure::storage::PublicNetworkAccess;
use crate::plan::{Action, Address, Direction, Impact, ManualStep, Outline, Planned, Rated, Step};
use crate::settings::blocks::Block as _;

/// Where a person does what no operation does.
const PAGE: &str = "Settings > Permissions > Private Links";

/// A change of a link, done by a person where no operation may be used.
fn planned(
    comparison: &Comparison<'_>,
    outline: Outline,
    steps: Vec<Rc<dyn Step>>,
    by_hand: impl FnOnce() -> ManualStep,
) -> Planned {
    let provenance = outline.operations.iter().map(|operation| operation.provenance).max();
    let mode = comparison.comparing.surface.mode(provenance.unwrap_or(Provenance::Undocumented));
    let takes_away = outline.impact != Impact::None;
    Planned::new(outline, mode, steps).taking_away(takes_away).by_hand(by_hand)
}

fn subject(resource: &ResourceId) -> String {
    format!("the private link to {resource}")
}

/// The steps that make a link, and what they let in.
fn making(comparison: &Comparison<'_>, link: &Link) -> (Vec<Rc<dyn Step>>, Option<uuid::Uuid>) {
    let instance = comparison.comparing.instance.clone();
    let resource = link.resource.clone();
    let held = matches!(comparison.observed.rights.get(&resource), Some(Ok(Right::Held)));
    let expected = endpoints::expected(&resource);
    let (then, subscription) = match link.approval {
        Approval::FromSubscription(subscription) if held => (None, Some(subscription)),
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

fn add_by_hand(link: &Link) -> ManualStep {
    let Link { resource, approval: _, consent, place: _ } = link;
    let values = [
        ("Subscription", resource.subscription().to_string()),
        ("Resource group", resource.resource_group().to_owned()),
        ("Resource", resource.name().to_owned()),
    ];
    ManualStep {
        place: PAGE.to_owned(),
        actions: vec![
            "choose Add Private Link".to_owned(),
            format!("agree to the data privacy terms, as {} did on {}", consent.agreed_by, consent.agreed_on),
        ],
        values: values.map(|(name, value)| (name.to_owned(), value)).into(),
        shown_by: format!("private endpoint connections of the link show on {}", resource.name()),
        record: None,
    }
}

fn remove_by_hand(resource: &ResourceId) -> ManualStep {
    ManualStep {
        place: PAGE.to_owned(),
        actions: vec![format!("select the link to {} and choose Delete", resource.name())],
        values: [("Resource".to_owned(), resource.to_string())].into(),
        shown_by: "the page no longer lists the link".to_owned(),
        record: None,
    }
}

/// The link isn't there.
pub(super) fn create(comparison: &mut Comparison<'_>, link: &Link, address: Address, _: &Resource) {
    if let Some(Err(unreadable)) = comparison.observed.rights.get(&link.resource) {
        comparison.findings.unknown.push(unreadable.at(address));
        return;
    }
    let (steps, subscription) = making(comparison, link);
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
            "declared, but missing; {} agreed on {} to its data privacy terms",
            link.consent.agreed_by, link.consent.agreed_on
        ),
        source: link.place.clone(),
        operations: vec![ADD_PRIVATE_LINK.facts()],
    };
    let planned = planned(comparison, outline, steps, || add_by_hand(link));
    comparison.findings.changes.push(planned);
}

/// A connection was rejected, which is final: the link goes and comes again. One change, so that the first half is never
/// carried out without the second one in view; a run that stops in between leaves a missing link, which the next one creates.
pub(super) fn recreate(
    comparison: &mut Comparison<'_>,
    sides: &Sides<'_>,
    live: &PrivateLink,
    ended: &[(String, Status)],
) {
    let link = sides.declared;
    let (making, subscription) = making(comparison, link);
    let remove = RemoveLink {
        instance: comparison.comparing.instance.clone(),
        resource: link.resource.clone(),
        link: live.id.clone(),
        look: false,
    };
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
    let steps = std::iter::once(Rc::new(remove) as Rc<dyn Step>).chain(making).collect();
    let by_hand = || {
        let (first, then) = (remove_by_hand(&link.resource), add_by_hand(link));
        ManualStep { actions: first.actions.into_iter().chain(then.actions.clone()).collect(), ..then }
    };
    let planned = planned(comparison, outline, steps, by_hand);
    comparison.findings.changes.push(planned);
}

/// The link isn't declared, and `match: exact` says that the list is complete.
pub(super) fn remove(comparison: &mut Comparison<'_>, live: &PrivateLink) {
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
    comparison.findings.notes.extend(notes::removal(&address, &live.resource, connections));
    let open = live.endpoints.iter().all(|endpoint| endpoint.status == Status::Approved);
    let status = if open { "Approved" } else { "Pending" };
    let step = RemoveLink {
        instance: comparison.comparing.instance.clone(),
        resource: live.resource.clone(),
        link: live.id.clone(),
        look: true,
    };
    let outline = Outline {
        address,
        setting: Block::KEY,
        subject: subject(&live.resource),
        action: Action::Delete,
        // A way to the resource is closed, for whoever loads data over it.
        direction: Direction::Hardens,
        risk: if only_way { risks::REMOVE_ONLY_WAY } else { risks::REMOVE },
        impact: Impact::Interrupts,
        before: json!({ "status": status, "resource": live.resource, "link": live.id }),
        after: Json::Null,
        reason: "not declared, and `match: exact` removes every other link".to_owned(),
        source: comparison.declared.place.clone(),
        operations: vec![DELETE_PRIVATE_LINK.facts()],
    };
    let steps: Vec<Rc<dyn Step>> = vec![Rc::new(step)];
    let planned = planned(comparison, outline, steps, || remove_by_hand(&live.resource)).removing(true);
    comparison.findings.changes.push(planned);
}
