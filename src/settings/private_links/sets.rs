//! How far the private links to a storage account are, by its connections alone. Pure.
//!
//! Words: a *set* is one endpoint of each kind that a link to a storage account has, all of one subscription. Whose a set is can't be told.
//!
//! Invariants: only what is approved and at rest counts; what is named like an endpoint of Customer Insights and isn't, is told, whoever
//! made it.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::endpoints::{looks_like_ours, usual};
use crate::azure::private_endpoints::{Connection, Status};
use crate::terms::ResourceId;

/// The sets of private endpoints that lead to a storage account.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sets {
    /// How many complete ones are approved, by the subscription that their endpoints lie in.
    pub by_subscription: BTreeMap<Uuid, usize>,
    /// The connections by such names that aren't approved, in words.
    pub open: Vec<String>,
}

impl Sets {
    /// What the connections of an account show.
    pub fn of(account: &ResourceId, connections: &[Connection]) -> Self {
        // What leads to an endpoint that Azure doesn't name may be anybody's.
        let ours = connections.iter().filter(|one| one.endpoint.is_none() || looks_like_ours(account, one));
        let (approved, open): (Vec<&Connection>, Vec<&Connection>) =
            ours.partition(|one| one.status == Status::Approved && one.is_settled());
        let mut by_subscription: BTreeMap<Uuid, usize> = BTreeMap::new();
        let endpoints = || approved.iter().filter_map(|one| one.endpoint.as_ref());
        for subscription in endpoints().map(ResourceId::subscription) {
            let count = |named: &crate::azure::customer_insights::LinkEndpoint| {
                endpoints().filter(|id| id.subscription() == subscription && named.could_be(id)).count()
            };
            let complete = usual(account).iter().map(count).min().unwrap_or_default();
            if complete > 0 {
                by_subscription.insert(subscription, complete);
            }
        }
        let open = open.iter().map(|one| {
            let endpoint = one.endpoint.as_ref().map_or(one.name.as_str(), |id| id.name());
            let state =
                if one.status == Status::Approved { "being changed".to_owned() } else { one.status.to_string() };
            format!("{endpoint} ({state})")
        });
        Self { by_subscription, open: open.collect() }
    }
}

/// The endpoints of connections that are named like those of Customer Insights, however they stand.
pub fn named_like_ours(account: &ResourceId, connections: &[Connection]) -> Vec<String> {
    let ours = connections.iter().filter(|one| looks_like_ours(account, one));
    ours.map(|one| {
        let endpoint = one.endpoint.as_ref().map_or(one.name.as_str(), |id| id.name());
        format!("{endpoint} ({})", one.status)
    })
    .collect()
}
