//! The changes on the side of Customer Insights: a link comes, goes, or is made anew. Pure.

use std::rc::Rc;

use serde_json::{Value as Json, json};

use super::approvals::{by_somebody, description};
use super::block::{Approval, Block, Link};
use super::compare::{Comparison, Sides, part};
use super::endpoints;
use super::notes;
use super::observe::{Resource, Right};
use super::steps::{AddLink, ApproveNew, RemoveLink};
use crate::azure::arm::ResourceId;
use crate::azure::customer_insights::PrivateLink;
use crate::azure::operations::{ADD_PRIVATE_LINK, DELETE_PRIVATE_LINK, Facts};
use crate::azure::private_endpoints::Status;
use crate::config::Place;
use crate::plan::{Action, Address, Change, Direction, Impact, Mode, Planned, Step};
use crate::settings::blocks::Block as _;

/// Where a person does what no operation does.
const PAGE: &str = "Settings > Permissions > Private Links";

/// What a change is, besides its address.
struct Outline {
    action: Action,
    direction: Direction,
    impact: Impact,
    before: Json,
    after: Json,
    reason: String,
    /// What a person does where no operation may be used.
    by_hand: String,
    operation: &'static Facts,
    place: Place,
}

fn planned(
    comparison: &Comparison<'_>,
    address: Address,
    resource: &ResourceId,
    outline: Outline,
    steps: Vec<Rc<dyn Step>>,
) -> Planned {
    let Outline { action, direction, impact, before, after, reason, by_hand, operation, place } = outline;
    let mode = comparison.comparing.surface.mode(operation.provenance);
    let change = Change {
        address,
        setting: Block::KEY.to_owned(),
        subject: format!("the private link to {resource}"),
        action,
        direction,
        impact,
        provenance: operation.provenance,
        mode,
        preimage: Change::preimage_of(&before),
        before,
        after,
        reason: if mode == Mode::Manual { format!("{reason}. {by_hand}") } else { reason },
        permissions: vec![operation.permission.to_owned()],
        source: place,
    };
    let steps = if mode == Mode::Manual { Vec::new() } else { steps };
    let takes_away = impact != Impact::None;
    Planned { change, takes_away, requires: None, steps }
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

fn add_by_hand(link: &Link) -> String {
    let resource = &link.resource;
    format!(
        "Microsoft publishes no operation for it: under {PAGE} choose Add Private Link, the subscription {}, the resource group \
         {} and {}, then agree to the data privacy terms, as {} did on {}",
        resource.subscription(),
        resource.resource_group(),
        resource.name(),
        link.consent.agreed_by,
        link.consent.agreed_on,
    )
}

/// The link isn't there.
pub(super) fn create(comparison: &mut Comparison<'_>, link: &Link, address: Address, _: &Resource) {
    if let Some(Err(unreadable)) = comparison.observed.rights.get(&link.resource) {
        comparison.findings.unknown.push(unreadable.at(address));
        return;
    }
    let (steps, subscription) = making(comparison, link);
    let outline = Outline {
        action: Action::Create,
        direction: making_direction(subscription),
        impact: Impact::None,
        before: Json::Null,
        after: declared_value(link, subscription),
        reason: format!(
            "declared, and not in the environment; {} agreed on {} to its data privacy terms",
            link.consent.agreed_by, link.consent.agreed_on
        ),
        by_hand: add_by_hand(link),
        operation: ADD_PRIVATE_LINK.facts(),
        place: link.place.clone(),
    };
    let planned = planned(comparison, address, &link.resource, outline, steps);
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
        action: Action::Update,
        direction: making_direction(subscription),
        // What of the link works stops until its new connections are approved.
        impact: Impact::Interrupts,
        before: json!({ "status": worst, "endpoints": states }),
        after: declared_value(link, subscription),
        reason: format!("{} can't be approved any more, so the link is removed and made anew", names.join(", ")),
        by_hand: format!("Under {PAGE} delete the link; then: {}", add_by_hand(link)),
        operation: ADD_PRIVATE_LINK.facts(),
        place: link.place.clone(),
    };
    let steps = std::iter::once(Rc::new(remove) as Rc<dyn Step>).chain(making).collect();
    let planned = planned(comparison, sides.address.clone(), &link.resource, outline, steps);
    comparison.findings.changes.push(planned);
}

/// The link isn't declared, and `match: exact` says that the list is complete.
pub(super) fn remove(comparison: &mut Comparison<'_>, live: &PrivateLink) {
    let address = comparison.setting.part(&part(&live.resource));
    let connections = match comparison.observed.resources.get(&live.resource) {
        Some(Ok(Some(found))) => {
            found.connections.iter().filter(|one| endpoints::looks_like_ours(&live.resource, one)).count()
        }
        _ => 0,
    };
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
        action: Action::Delete,
        // A way to the resource is closed, for whoever loads data over it.
        direction: Direction::Hardens,
        impact: Impact::Interrupts,
        before: json!({ "status": status, "resource": live.resource, "link": live.id }),
        after: Json::Null,
        reason: "not declared, and `match: exact` removes every other link".to_owned(),
        by_hand: format!("Under {PAGE} select it and choose Delete"),
        operation: DELETE_PRIVATE_LINK.facts(),
        place: comparison.declared.place.clone(),
    };
    let planned = planned(comparison, address, &live.resource, outline, vec![Rc::new(step)]);
    comparison.findings.changes.push(planned);
}
