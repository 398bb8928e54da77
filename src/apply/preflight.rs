//! A look at the caller's rights before the first write of a scope.
//!
//! A change whose last step lacks a right must not begin with its first one, and what requires it must not begin at all. So
//! the rights of all steps of all changes are asked about, freshly, while nothing is written yet.
//!
//! Invariants: nothing is asked where no step demands a right on an Azure resource; each resource is asked once; only rights
//! that are proved to be lacking hold a change back, and what can't be told is tried; what is held back waits for a person.

use std::collections::BTreeMap;

use futures_util::future::join_all;

use super::report::{Outcome, Status};
use crate::azure::Reader;
use crate::azure::rights::{Asked, Holding, Needs, ask};
use crate::plan::{Address, Change, Demand, Mode};
use crate::terms::ResourceId;

/// The changes that must not begin, each with what to tell about it.
pub(super) async fn held_back<'a>(
    reader: &Reader,
    changes: impl Iterator<Item = &'a Change> + Clone,
) -> BTreeMap<Address, Outcome> {
    let automatic = changes.filter(|change| change.mode() == Mode::Automatic);
    let mut by_resource: BTreeMap<&ResourceId, Vec<Needs>> = BTreeMap::new();
    for Demand { needs, on } in automatic.clone().flat_map(|change| &change.demands) {
        by_resource.entry(on).or_default().push(*needs);
    }
    let caller = reader.bearers().identity().ok().map(|identity| identity.object_id);
    let asked = by_resource.into_iter().map(async |(on, needs)| (on, ask(reader, caller, on, &needs).await));
    let asked: BTreeMap<&ResourceId, Asked> = join_all(asked).await.into_iter().collect();
    automatic.filter_map(|change| Some((change.address.clone(), refusal(&change.demands, &asked)?))).collect()
}

/// What keeps a change with these demands from beginning.
fn refusal(demands: &[Demand], asked: &BTreeMap<&ResourceId, Asked>) -> Option<Outcome> {
    let lacking = demands.iter().find_map(|Demand { needs, on }| match asked.get(on)?.holding(needs) {
        Holding::Lacking(rights) => Some((Holding::Lacking(rights).lacking()?, needs, on)),
        Holding::Held | Holding::Unproved(_) => None,
    });
    let (why, needs, on) = lacking?;
    let remedy = needs.remedy().map(|remedy| format!("; {remedy}")).unwrap_or_default();
    Some(Outcome::unsent(Status::Waiting, format!("not begun, since {why} on {on}{remedy}")))
}
