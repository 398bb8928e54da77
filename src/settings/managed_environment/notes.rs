//! What comparing notices about Managed Environments.

use super::codes;
use crate::azure::power_platform::Link;
use crate::azure::power_platform::environments::Environment;
use crate::plan::{Address, Note, Severity};
use crate::terms::text::brief;

/// Why a managed environment stays one.
pub(super) fn in_use(address: &Address, live: &Environment) -> Note {
    let named = |what: &str, link: &Option<Link>| {
        let policy =
            link.as_ref().map(|link| link.policy.as_ref().map_or("a policy", |policy| policy.name()).to_owned());
        policy.map(|policy| format!("{what} ({})", brief(&policy)))
    };
    let uses: Vec<String> = [
        named("a customer-managed key", &live.links.encryption),
        named("a virtual network", &live.links.network_injection),
    ]
    .into_iter()
    .flatten()
    .collect();
    let why = match uses.as_slice() {
        [] => "palisade can't read whether Customer Lockbox is in use, which needs a Managed Environment".to_owned(),
        uses => format!("it uses {}, which only Managed Environments have", uses.join(" and ")),
    };
    let message = format!("declared off, currently on, and it stays on: {why}");
    let first = match &live.links.encryption {
        Some(_) => {
            "put the environment back on Microsoft's key first (`customerManagedKey: { managedBy: microsoft }`), then switch it off"
        }
        None => "to switch it off, open the environment",
    };
    Note::refusal(codes::MANAGED_IN_USE, address.clone(), message).help(format!(
        "{first} in the Power Platform admin center; until then write `enabled: true`, or leave `managedEnvironment` out"
    ))
}

/// An environment group decides.
pub(super) fn by_group(address: &Address, group: &str) -> Note {
    let message = format!("the environment group {} owns the detailed settings", brief(group));
    Note::finding(codes::MANAGED_BY_GROUP, Severity::Info, address.clone(), message)
}
