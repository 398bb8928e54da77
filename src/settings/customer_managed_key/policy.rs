//! The declared policy: whether it is there, is fit, or is to be created. Pure.

use std::rc::Rc;

use serde_json::{Value as Json, json};

use super::block::Block;
use super::demands;
use super::observe::{Chain, Creation};
use super::provision::{Goal, Provision, Scene, value};
use super::steps::CreatePolicy;
use super::{codes, notes, risks};
use crate::azure::operations::PUT_ENTERPRISE_POLICY;
use crate::azure::power_platform::policies::{Policy, Registered, Registration};
use crate::plan::{Action, Address, Direction, Impact, Outline, Planned, Waiting, WaitingFor, Work};
use crate::settings::block::Block as _;
use crate::settings::encryption_keys::demands::{Fault, Onset};
use crate::settings::observation::Unreadable;
use crate::terms::text::brief;
use crate::terms::{ObjectId, ResourceId};

/// How the policy stands, for what rests on its identity.
pub(super) enum Standing {
    /// It is there, with this identity.
    There(ObjectId),
    /// It is planned, or Azure doesn't name its identity yet: a later look does.
    Coming,
    /// It isn't there, and somebody or something has to see to that first.
    Waits(WaitingFor),
    /// It isn't known.
    Unread(Unreadable),
    /// It is refused, and nothing more needs to be said of its grants.
    Refused,
    /// The environment is on it, and it refers to another key: nothing of the declared one says anything.
    OtherKey,
}

impl Standing {
    pub(super) fn identity(&self) -> Option<ObjectId> {
        match self {
            Self::There(identity) => Some(*identity),
            _ => None,
        }
    }
}

/// The policy itself.
pub(super) fn compare(scene: &Scene<'_>, chain: &Chain, provision: &mut Provision) -> Standing {
    let address = scene.comparing.address(Block::KEY).part("policy");
    let policy = match &chain.policy {
        Ok(Some(policy)) => policy,
        Ok(None) if scene.goal == Goal::Link && scene.protection.provision => {
            return create(scene, &address, provision);
        }
        Ok(None) => {
            let (name, group) = (chain.id.name(), chain.id.resource_group());
            let what = format!("Azure has no enterprise policy {name} in the resource group {group}");
            let help = "correct `policy`, or write `provision: true` to have it created";
            let fault = Fault::new(codes::CMK_POLICY_NOT_FOUND, what, help).or_keep(demands::SUPPORT);
            let fault = fault.onset(Onset::Untold).of(Some(chain.id.clone()));
            provision.losses.lost(&fault, false, scene.comparing.now);
            provision.fault(scene, &address, fault);
            return Standing::Refused;
        }
        Err(unreadable) => {
            provision.unknown(&address, unreadable);
            return Standing::Unread(unreadable.clone());
        }
    };
    let faults = demands::of_policy(policy, Some(scene.live));
    let faults = faults.into_iter().chain(demands::of_policys_key(policy, scene.protection, scene.comparing.now));
    let faults: Vec<Fault> = faults.collect();
    if scene.goal == Goal::Keep {
        provision.findings.notes.extend(notes::health(&address, policy));
    }
    let fine = faults.is_empty();
    // The declared key isn't the one that the environment is encrypted with.
    let other_key = scene.goal == Goal::Keep && faults.iter().any(|fault| fault.code == codes::CMK_POLICY_KEY);
    for fault in faults {
        provision.losses.lost(&fault, false, scene.comparing.now);
        provision.fault(scene, &address, fault);
    }
    let Policy { principal, system_id, .. } = policy.as_ref();
    provision.system_id.clone_from(system_id);
    if fine && principal.is_some() && system_id.is_some() {
        provision.findings.in_effect.push(address);
    } else if fine {
        let what = if principal.is_none() { "identity" } else { "system id" };
        let detail = format!("Azure doesn't name the {what} of the policy {} yet", chain.id.name());
        provision.busy.get_or_insert_with(|| detail.clone());
        let waiting_for = WaitingFor::Service;
        provision.findings.waiting.push(Waiting { address, waiting_for, since: None, detail });
    }
    match principal {
        _ if other_key => Standing::OtherKey,
        Some(identity) => Standing::There(*identity),
        None if fine => Standing::Coming,
        None => Standing::Refused,
    }
}

/// The policy is to be created, if the subscription and the caller's rights let it.
fn create(scene: &Scene<'_>, address: &Address, provision: &mut Provision) -> Standing {
    let Scene { protection, observed, live, .. } = scene;
    let unread = |provision: &mut Provision, unreadable: Unreadable| {
        provision.unknown(address, &unreadable);
        Standing::Unread(unreadable)
    };
    let Some(location) = live.location.as_deref().map(demands::policy_location) else {
        let reason = "Power Platform doesn't tell the environment's geography, in which the policy must be";
        return unread(provision, Unreadable::because(reason));
    };
    let Some(Creation { provider, creating }) = &observed.creation else {
        return unread(provision, Unreadable::because("whether it can be created was not read"));
    };
    let holding = match (provider, creating) {
        (Err(unreadable), _) | (_, Err(unreadable)) => return unread(provision, unreadable.clone()),
        (Ok(provider), Ok(holding)) => match registered(scene, address, provider, &location, provision) {
            Some(obstacle) => return obstacle,
            None => holding,
        },
    };
    let Some(holding) = holding else {
        provision.fault(scene, address, no_group(&protection.policy, live.azure_region.as_deref()));
        return Standing::Refused;
    };
    let step = CreatePolicy { policy: protection.policy.clone(), location, key: protection.key.clone() };
    if let Some(why) = holding.lacking() {
        let role = PUT_ENTERPRISE_POLICY.facts().needs.role().map(|role| format!(" with the role {role}"));
        let detail = format!(
            "an identity{} on the resource group {} has to create the policy {}; {why}; create it: {}",
            role.unwrap_or_default(),
            protection.policy.resource_group(),
            protection.policy.name(),
            step.by_hand()
        );
        provision.waits(address, WaitingFor::Person, detail);
        return Standing::Waits(WaitingFor::Person);
    }
    provision.plan(creation(scene, address, step).in_doubt(holding));
    Standing::Coming
}

fn no_group(policy: &ResourceId, region: Option<&str>) -> Fault {
    let (group, subscription) = (policy.resource_group(), policy.subscription());
    let what = format!("Azure has no resource group {group}, in which the policy {} is to be created", policy.name());
    let help = format!(
        "correct `policy`, or create the group: `az group create --name {group} --subscription {subscription} --location {}`",
        region.map_or("REGION".to_owned(), brief)
    );
    Fault::new(codes::CMK_POLICY_NOT_FOUND, what, help)
}

/// Why policies can't be created in the subscription, or in this geography, if so.
fn registered(
    scene: &Scene<'_>,
    address: &Address,
    Registration { state, locations }: &Registration,
    location: &str,
    provision: &mut Provision,
) -> Option<Standing> {
    let subscription = scene.protection.policy.subscription();
    match state {
        Registered::Yes => {}
        Registered::Registering => {
            let detail = format!("the subscription {subscription} is registering Microsoft.PowerPlatform");
            provision.waits(address, WaitingFor::Service, detail);
            return Some(Standing::Waits(WaitingFor::Service));
        }
        Registered::No | Registered::Other(_) => {
            let what =
                format!("the subscription {subscription} hasn't registered the provider Microsoft.PowerPlatform");
            let help = format!(
                "register it, which takes minutes: `az provider register --namespace Microsoft.PowerPlatform --subscription \
                 {subscription}`"
            );
            provision.fault(scene, address, Fault::new(codes::CMK_PROVIDER, what, help));
            return Some(Standing::Refused);
        }
    }
    if !locations.is_empty() && !locations.iter().any(|known| known.eq_ignore_ascii_case(location)) {
        let what = format!("enterprise policies can't be in `{location}`, where the environment is");
        let known: Vec<String> = locations.iter().map(|known| brief(known)).collect();
        let help = format!("Azure names these geographies: {}", known.join(", "));
        provision.fault(scene, address, Fault::new(codes::CMK_LOCATION, what, help));
        return Some(Standing::Refused);
    }
    None
}

fn creation(scene: &Scene<'_>, address: &Address, step: CreatePolicy) -> Planned {
    let CreatePolicy { policy, location, key } = &step;
    let outline = Outline {
        address: address.clone(),
        setting: Block::KEY,
        subject: format!("the enterprise policy {}", policy.name()),
        action: Action::Create,
        direction: Direction::Neutral,
        risk: risks::CREATE,
        impact: Impact::None,
        before: Json::Null,
        after: json!({ "status": key.to_string(), "policy": policy, "location": location, "key": value(key) }),
        reason: "declared, but missing; it changes nothing until an environment is linked to it".to_owned(),
        source: scene.source.clone(),
        operations: vec![PUT_ENTERPRISE_POLICY.facts()],
    };
    Planned::new(outline, Work::step(Rc::new(step)))
}
