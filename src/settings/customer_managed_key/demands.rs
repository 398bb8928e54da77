//! What must be so before an environment is linked to a policy, and stay so while it is. Pure.
//!
//! The rules are those of Microsoft's page about customer-managed keys and of its module for enterprise policies. Invariants: what the
//! service doesn't say is no fault of what it is about, and what decides something and isn't said makes it unknown.

use jiff::Timestamp;

use super::block::Protection;
use super::codes;
use super::observe::own_key;
use super::retained;
use crate::azure::power_platform::environments::{Environment, Runtime, Sku};
use crate::azure::power_platform::policies::{Policy, PolicyKind};
use crate::settings::encryption_keys::demands::{Fault, Onset};
use crate::settings::encryption_keys::same_key;
use crate::settings::lifecycle::Course;
use crate::terms::text::brief;

/// Geographies of environments and of policies that fit although they differ.
const FITTING: [(&str, &str); 2] = [("unitedkingdom", "uk"), ("unitedstates", "unitedstateseuap")];
/// Bits of an RSA key.
pub(super) const SIZES: [u32; 2] = [2048, 3072];
/// Where nothing that a person can do brings it back.
pub(super) const SUPPORT: &str = "open a support request at once: it can't be created again as what it was";

/// Whether it is the tenant's default environment.
pub(super) fn is_default(live: &Environment) -> bool {
    live.is_default == Some(true) || live.sku == Some(Sku::Default)
}

/// The geography of a policy for an environment.
pub(super) fn policy_location(location: &str) -> String {
    let location = location.to_lowercase();
    if location == "unitedkingdom" { "uk".to_owned() } else { location }
}

/// Whether a policy in one geography is for environments of another.
fn fits(environment: &str, policy: &str) -> bool {
    let pair =
        |(one, other): &(&str, &str)| environment.eq_ignore_ascii_case(one) && policy.eq_ignore_ascii_case(other);
    environment.eq_ignore_ascii_case(policy) || FITTING.iter().any(pair)
}

/// What keeps the environment itself from being linked, besides that it may be disabled.
pub(super) fn of_environment(live: &Environment) -> Vec<Fault> {
    let code = codes::CMK_ENVIRONMENT;
    let mut faults = Vec::new();
    if let Some(sku @ (Sku::Trial | Sku::SubscriptionBasedTrial | Sku::Teams)) = &live.sku {
        let what = format!("environments of the type {} can't have a customer-managed key", sku.as_str());
        let help = "convert it to a production or sandbox environment, or leave the block out";
        faults.push(Fault::new(code, what, help).or_keep("convert it to a production or sandbox environment"));
    }
    if live.dataverse.is_none() {
        let help = "add Dataverse to it in the Power Platform admin center, or leave the block out";
        let what = "an environment without Dataverse can't have a customer-managed key";
        faults.push(Fault::new(code, what, help).or_keep("add Dataverse to it in the Power Platform admin center"));
    }
    faults
}

/// That the environment is disabled. While something goes on there, it may be disabled for that.
pub(super) fn disabled(live: &Environment, course: &Course) -> Option<Fault> {
    if matches!(course, Course::Elsewhere(_)) || live.runtime != Some(Runtime::Disabled) {
        return None;
    }
    let why = live.runtime_reason.as_deref().filter(|why| *why != "NotSpecified");
    let why = why.map(|why| format!(" ({})", brief(why))).unwrap_or_default();
    let what = format!("Power Platform shows the environment as disabled{why}, so it takes no operation");
    let help = "find out why in the Power Platform admin center; if its key can't be reached, restore the key and its grant first, \
                then enable the environment there";
    Some(Fault::new(codes::CMK_ENVIRONMENT, what, help))
}

/// Whether a policy has the identity that uses its key.
pub(super) fn has_identity(policy: &Policy) -> bool {
    policy.identity.as_deref().is_some_and(|identity| identity.eq_ignore_ascii_case("SystemAssigned"))
}

/// What keeps a policy from being linked: to this environment, or to any.
pub(super) fn of_policy(policy: &Policy, live: Option<&Environment>) -> Vec<Fault> {
    let mut faults = Vec::new();
    if policy.kind != PolicyKind::Encryption {
        let what =
            format!("the policy {} is of the kind {}, not Encryption", policy.id.name(), brief(policy.kind.as_str()));
        faults.push(Fault::new(codes::CMK_POLICY_UNFIT, what, "name another policy: a policy's kind can't be changed"));
        return faults;
    }
    if !has_identity(policy) {
        let what =
            format!("the policy {} has no system-assigned identity, so nothing can use the key", policy.id.name());
        let help = "name another policy, or let palisade create one (`provision: true`)";
        let fault = Fault::new(codes::CMK_POLICY_UNFIT, what, help).or_keep(SUPPORT);
        faults.push(fault.onset(Onset::Untold).of(Some(policy.id.clone())));
    }
    if let Some(state) = policy.key.as_ref().and_then(|key| key.state.as_deref())
        && !state.eq_ignore_ascii_case("Enabled")
    {
        let what = format!("the encryption of the policy {} is {}", policy.id.name(), brief(state));
        let fault = Fault::new(codes::CMK_POLICY_UNFIT, what, "name a policy whose encryption is enabled");
        faults.push(fault.or_keep(SUPPORT).onset(Onset::Untold).of(Some(policy.id.clone())));
    }
    let location = live.and_then(|live| live.location.as_deref());
    if let Some(location) = location.filter(|location| !fits(location, &policy.location)) {
        let what = format!(
            "the policy {} is in {}, the environment in {}",
            policy.id.name(),
            brief(&policy.location),
            brief(location)
        );
        let help = format!("name a policy in `{}`; a policy can't be moved", policy_location(location));
        faults.push(Fault::new(codes::CMK_LOCATION, what, help));
    }
    faults
}

/// Whether the policy refers to the declared key. If not, the file has to say how to get there.
pub(super) fn of_policys_key(policy: &Policy, wanted: &Protection, now: Timestamp) -> Option<Fault> {
    if policy.kind != PolicyKind::Encryption {
        return None;
    }
    let own = own_key(policy);
    if own.as_ref().is_some_and(|own| same_key(own, &wanted.key) && own.version == wanted.key.version) {
        return None;
    }
    let (what, former) = match own {
        Some(own) => {
            let retained = retained::entry(&policy.id, Some(&own), now);
            (format!("it refers to {own}"), format!(", and keep the former one with {retained}"))
        }
        None => {
            let vault = policy.key.as_ref().and_then(|key| key.vault.as_ref());
            let vault = vault.map_or("no key that palisade can tell".to_owned(), |id| {
                format!("a key of {} ({})", brief(id.name()), brief(&id.kind()))
            });
            (format!("it refers to {vault}"), String::new())
        }
    };
    let what =
        format!("the policy {} is declared with {}, but {what}; a policy keeps its key", policy.id.name(), wanted.key);
    let help = format!(
        "write the id of a new policy under `policy`, with `provision: true` to have it created{former}; it is then linked over the \
         old one, in place"
    );
    Some(Fault::new(codes::CMK_POLICY_KEY, what, help))
}
