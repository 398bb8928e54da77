//! Who approves the pending connections of a link. Pure.
//!
//! What must stay true: each approval carries the full id of the endpoint in its intent, so that
//! a plan that somebody approved says exactly whom it lets in.

use std::rc::Rc;

use serde_json::json;

use super::block::{Approval, Block};
use super::compare::{Comparison, Sides};
use super::endpoints::Asking;
use super::observe;
use super::risks;
use super::steps::Approve;
use crate::azure::customer_insights::LinkEndpoint;
use crate::plan::{Action, Direction, Impact, Outline, Planned, WaitingFor, Work};
use crate::settings::block::Block as _;
use crate::terms::{Head, ResourceId};

/// What an approval says on the Azure side.
pub(super) fn description(head: &Head) -> String {
    format!("Approved by palisade for {}", head.label())
}

/// Plans the approvals, or says who has to make them.
pub(super) fn decide(comparison: &mut Comparison<'_>, sides: &Sides<'_>, asking: &[(&LinkEndpoint, Asking<'_>)]) {
    if asking.is_empty() {
        return;
    }
    let resource = &sides.declared.resource;
    if sides.declared.approval == Approval::ByOthers {
        return others(comparison, sides, asking, "`approve` isn't on");
    }
    match comparison.observed.rights.get(resource) {
        Some(Ok(holding)) => match holding.lacking() {
            Some(why) => others(comparison, sides, asking, &why),
            None => {
                for (endpoint, asking) in asking {
                    let planned = approve(comparison, sides, endpoint, *asking);
                    comparison.findings.changes.push(planned.in_doubt(holding));
                }
            }
        },
        Some(Err(unreadable)) => comparison.findings.unknown.push(unreadable.at(sides.address.clone())),
        None => others(comparison, sides, asking, "this identity's rights were not read"),
    }
}

fn others(comparison: &mut Comparison<'_>, sides: &Sides<'_>, asking: &[(&LinkEndpoint, Asking<'_>)], why: &str) {
    let resource = &sides.declared.resource;
    let list: Vec<String> =
        asking.iter().map(|(_, one)| format!("{} from {}", one.connection.name, one.endpoint)).collect();
    let detail = format!("{}, since {why}: {}", by_somebody(resource, asking.len()), list.join("; "));
    comparison.wait(sides.address.clone(), WaitingFor::Person, detail);
}

/// Who has to approve, as a person reads it.
pub(super) fn by_somebody(resource: &ResourceId, count: usize) -> String {
    let connections = if count == 1 { "1 connection".to_owned() } else { format!("{count} connections") };
    let role = observe::approval_operation(resource).needs.role().map(|role| format!(" with the role {role}"));
    format!("{connections} to be approved by somebody{} on {resource}", role.unwrap_or_default())
}

fn approve(comparison: &Comparison<'_>, sides: &Sides<'_>, endpoint: &LinkEndpoint, asking: Asking<'_>) -> Planned {
    let resource = &sides.declared.resource;
    let Asking { connection, endpoint: id } = asking;
    let outline = Outline {
        address: sides.address.part(&endpoint.name),
        setting: Block::KEY,
        subject: format!("the private endpoint {id}"),
        action: Action::Approve,
        // One more network gets through to the resource, however private. What hardens is closing public access afterwards.
        direction: Direction::Weakens,
        risk: risks::APPROVE,
        impact: Impact::None,
        before: json!({ "status": "Pending", "endpoint": id, "connection": connection.name }),
        after: json!({ "status": "Approved", "endpoint": id }),
        reason: format!("it asks for {} on {}, and `approve` is on", endpoint.sub_resource_type, resource.name()),
        source: sides.declared.place.clone(),
        operations: vec![observe::approval_operation(resource)],
    };
    let step = Approve {
        resource: resource.clone(),
        connection: connection.name.clone(),
        endpoint: id.clone(),
        description: description(comparison.comparing.head),
    };
    let about = format!("{} on {}", endpoint.sub_resource_type, resource.name());
    Planned::new(outline, Work::step(Rc::new(step))).dangerous("Approves private endpoint connections", about)
}
