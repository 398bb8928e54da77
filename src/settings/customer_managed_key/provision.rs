//! The declared policy, its key, and what its identity may do: what stands, what is missing, and what is made. Pure.
//!
//! Invariants: what is missing is made only where the file says so and the environment is yet to be linked; what is wrong with it then
//! refuses the scope, and of a linked environment it is a finding that people must act on.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Value as Json, json};

use super::block::{Block, KeyRef, Protection};
use super::demands::{self, Fault};
use super::observe::{Chain, Creation, Granted, Observed};
use super::steps::CreatePolicy;
use super::{codes, grants, notes, risks};
use crate::azure::operations::PUT_ENTERPRISE_POLICY;
use crate::azure::power_platform::SystemId;
use crate::azure::power_platform::environments::Environment;
use crate::azure::power_platform::policies::{Policy, Registered, Registration};
use crate::azure::rights::Holding;
use crate::azure::vaults::Vault;
use crate::plan::{Action, Address, Direction, Findings, Impact, Outline, Planned, Waiting, WaitingFor, Work};
use crate::settings::block::Block as _;
use crate::settings::observation::Unreadable;
use crate::settings::setting::Comparing;
use crate::terms::text::brief;
use crate::terms::{ObjectId, Place, VaultId};

/// Whether the environment is yet to be linked to the policy, or is, or is being.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Goal {
    /// It is to be linked.
    Link,
    /// Nothing is made: what stands is looked at.
    Keep,
}

/// What everything here looks at.
pub(super) struct Scene<'a> {
    pub(super) protection: &'a Protection,
    pub(super) observed: &'a Observed,
    pub(super) live: &'a Environment,
    pub(super) comparing: &'a Comparing<'a>,
    pub(super) source: &'a Place,
    pub(super) goal: Goal,
}

/// What came of it.
#[derive(Default)]
pub(super) struct Provision {
    pub(super) findings: Findings,
    /// The changes without which nothing is linked.
    pub(super) requires: Vec<Address>,
    /// Nothing can be linked, for a reason that is among the findings.
    pub(super) blocked: bool,
    /// Why linking has to wait.
    pub(super) busy: Option<String>,
    /// What Power Platform calls the policy.
    pub(super) system_id: Option<SystemId>,
}

impl Provision {
    /// Something isn't as it must be.
    fn fault(&mut self, scene: &Scene<'_>, address: &Address, fault: Fault) {
        self.blocked = true;
        self.findings.notes.push(match scene.goal {
            Goal::Link => notes::refused(address, fault),
            // Another key than the declared one isn't as declared, whatever keeps the environment alive.
            Goal::Keep if fault.code == codes::CMK_POLICY_KEY => notes::refused(address, fault),
            Goal::Keep => notes::at_risk(address, &fault, scene.live),
        });
    }

    fn unknown(&mut self, address: &Address, unreadable: &Unreadable) {
        self.blocked = true;
        self.findings.unknown.push(unreadable.at(address.clone()));
    }

    fn waits(&mut self, address: &Address, waiting_for: WaitingFor, detail: String) {
        self.blocked = true;
        self.findings.waiting.push(Waiting { address: address.clone(), waiting_for, since: None, detail });
    }

    /// Whether a change at this address is planned.
    fn makes(&self, address: &Address) -> bool {
        self.findings.changes.iter().any(|planned| planned.change.address == *address)
    }

    fn plan(&mut self, planned: Planned) {
        self.requires.push(planned.change.address.clone());
        self.findings.changes.push(planned);
    }
}

pub(super) fn compare(scene: &Scene<'_>, chain: &Chain) -> Provision {
    let mut provision = Provision::default();
    let identity = compare_policy(scene, chain, &mut provision);
    compare_key(scene, chain, &mut provision);
    compare_grants(scene, identity, &mut provision);
    provision
}

/// The policy itself; whose identity is known then.
fn compare_policy(scene: &Scene<'_>, chain: &Chain, provision: &mut Provision) -> Option<ObjectId> {
    let address = scene.comparing.address(Block::KEY).part("policy");
    let policy = match &chain.policy {
        Ok(Some(policy)) => policy,
        Ok(None) if scene.goal == Goal::Link && scene.protection.provision => {
            create(scene, &address, provision);
            return None;
        }
        Ok(None) => {
            let (name, group) = (chain.id.name(), chain.id.resource_group());
            let what = format!("Azure has no enterprise policy {name} in the resource group {group}");
            let help = "correct `policy`, or write `provision: true` to have it created";
            provision.fault(scene, &address, Fault::new(codes::CMK_POLICY_NOT_FOUND, what, help));
            return None;
        }
        Err(unreadable) => {
            provision.unknown(&address, unreadable);
            return None;
        }
    };
    let faults = demands::of_policy(policy, scene.live);
    let faults = faults.into_iter().chain(demands::of_policys_key(policy, scene.protection, scene.comparing.now));
    let faults: Vec<Fault> = faults.collect();
    let fine = faults.is_empty();
    faults.into_iter().for_each(|fault| provision.fault(scene, &address, fault));
    let Policy { principal, system_id, .. } = policy.as_ref();
    match (principal, system_id) {
        (Some(_), Some(_)) if fine => provision.findings.in_effect.push(address),
        (Some(_), Some(_)) => {}
        (None, _) if fine => {
            let detail = format!("Azure doesn't name the identity of the policy {} yet", chain.id.name());
            provision.waits(&address, WaitingFor::Service, detail);
        }
        (_, None) if fine => {
            let detail = format!("Azure doesn't name the system id of the policy {} yet", chain.id.name());
            provision.waits(&address, WaitingFor::Service, detail);
        }
        _ => {}
    }
    provision.system_id.clone_from(system_id);
    *principal
}

/// The policy is to be created, if the subscription and the caller's rights let it.
fn create(scene: &Scene<'_>, address: &Address, provision: &mut Provision) {
    let Scene { protection, observed, live, .. } = scene;
    let Some(location) = live.location.as_deref().map(demands::policy_location) else {
        let reason = "Power Platform doesn't tell the environment's geography, in which the policy must be";
        return provision.unknown(address, &Unreadable::because(reason));
    };
    let Some(Creation { provider, creating }) = &observed.creation else {
        return provision.unknown(address, &Unreadable::because("whether it can be created was not read"));
    };
    let holding = match (provider, creating) {
        (Err(unreadable), _) | (_, Err(unreadable)) => return provision.unknown(address, unreadable),
        (Ok(provider), Ok(holding)) => {
            if !registered(scene, address, provider, &location, provision) {
                return;
            }
            holding
        }
    };
    if let Some(why) = holding.lacking() {
        let role = PUT_ENTERPRISE_POLICY.facts().needs.role().map(|role| format!(" with the role {role}"));
        let detail = format!(
            "an identity{} on the resource group {} has to create the policy {}; {why}",
            role.unwrap_or_default(),
            protection.policy.resource_group(),
            protection.policy.name()
        );
        return provision.waits(address, WaitingFor::Person, detail);
    }
    provision.plan(creation(scene, address, location).in_doubt(holding));
}

/// Whether policies can be created in the subscription, and in this geography.
fn registered(
    scene: &Scene<'_>,
    address: &Address,
    Registration { state, locations }: &Registration,
    location: &str,
    provision: &mut Provision,
) -> bool {
    let subscription = scene.protection.policy.subscription();
    match state {
        Registered::Yes => {}
        Registered::Registering => {
            let detail = format!("the subscription {subscription} is registering Microsoft.PowerPlatform");
            provision.waits(address, WaitingFor::Service, detail);
            return false;
        }
        Registered::No | Registered::Other(_) => {
            let what =
                format!("the subscription {subscription} hasn't registered the provider Microsoft.PowerPlatform");
            let help = format!(
                "register it, which takes minutes: `az provider register --namespace Microsoft.PowerPlatform --subscription \
                 {subscription}`"
            );
            provision.fault(scene, address, Fault::new(codes::CMK_PROVIDER, what, help));
            return false;
        }
    }
    if !locations.is_empty() && !locations.iter().any(|known| known.eq_ignore_ascii_case(location)) {
        let what = format!("enterprise policies can't be in `{location}`, where the environment is");
        let known: Vec<String> = locations.iter().map(|known| brief(known)).collect();
        let help = format!("Azure names these geographies: {}", known.join(", "));
        provision.fault(scene, address, Fault::new(codes::CMK_LOCATION, what, help));
        return false;
    }
    true
}

fn creation(scene: &Scene<'_>, address: &Address, location: String) -> Planned {
    let Protection { policy, key, provision: _ } = scene.protection;
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
    let step = CreatePolicy { policy: policy.clone(), location, key: key.clone() };
    Planned::new(outline, Work::step(Rc::new(step)))
}

/// A key as plans show it.
pub(super) fn value(key: &KeyRef) -> Json {
    let KeyRef { vault, name, version } = key;
    match version {
        Some(version) => json!({ "vault": vault, "name": name, "version": version }),
        None => json!({ "vault": vault, "name": name }),
    }
}

fn compare_key(scene: &Scene<'_>, chain: &Chain, provision: &mut Provision) {
    let Scene { protection, live, comparing, .. } = scene;
    let key = &protection.key;
    let address = comparing.address(Block::KEY).part("key");
    let vault = match &chain.vault {
        Ok(Some(vault)) => vault,
        Ok(None) => {
            let what =
                format!("Azure has no vault {} in the resource group {}", key.vault.name(), key.vault.resource_group());
            let help = format!(
                "correct `key.vault`, recover the vault if it was deleted, or create it: {}",
                demands::create_vault(&key.vault, live)
            );
            return provision.fault(scene, &address, Fault::new(codes::CMK_VAULT_NOT_FOUND, what, help));
        }
        Err(unreadable) => return provision.unknown(&address, unreadable),
    };
    let mut faults = demands::of_vault(&key.vault, vault, comparing.tenant, live);
    match &chain.version {
        Ok(Some(version)) => faults.extend(demands::of_key(key, version, comparing.now)),
        Ok(None) => {
            let what = match &key.version {
                Some(version) => format!("the key {} in {} has no version {version}", key.name, key.vault.name()),
                None => format!("the vault {} has no key {}", key.vault.name(), key.name),
            };
            let help =
                format!("correct `key`, recover the key if it was deleted, or create it: {}", demands::create_key(key));
            faults.push(Fault::new(codes::CMK_KEY_NOT_FOUND, what, help));
        }
        Err(unreadable) => provision.unknown(&address, unreadable),
    }
    faults.into_iter().for_each(|fault| provision.fault(scene, &address, fault));
}

/// The grants, vault by vault: what one of its keys lacks, the vault's grant gives to all.
fn compare_grants(scene: &Scene<'_>, identity: Option<ObjectId>, provision: &mut Provision) {
    let mut vaults: BTreeMap<&VaultId, Vec<&Granted>> = BTreeMap::new();
    for granted in &scene.observed.grants {
        vaults.entry(&granted.key.vault).or_default().push(granted);
    }
    for (id, of_vault) in vaults {
        let address = grants::address(id, scene.comparing);
        match of_vault.first().map(|granted| &granted.vault) {
            Some(Ok(Some(vault))) => compare_grant(scene, (id, vault, &of_vault), identity, &address, provision),
            Some(Err(unreadable)) => provision.unknown(&address, unreadable),
            // Of the vault of the declared key that is told elsewhere; in one that is gone, nothing can be granted.
            Some(Ok(None)) | None => {}
        }
    }
}

fn compare_grant(
    scene: &Scene<'_>,
    (id, vault, of_vault): (&VaultId, &Vault, &[&Granted]),
    identity: Option<ObjectId>,
    address: &Address,
    provision: &mut Provision,
) {
    if let Some(unreadable) = of_vault.iter().find_map(|granted| granted.held.as_ref().err()) {
        return provision.unknown(address, unreadable);
    }
    if of_vault.iter().all(|granted| grants::suffice(vault, identity, &granted.held)) {
        if let Some(at) = of_vault.iter().filter_map(|granted| grants::counts_late(granted, scene.comparing)).max() {
            let reason = format!("the grant on {} may take until {at:.0} to count everywhere", id.name());
            provision.busy.get_or_insert(reason);
        }
        provision.findings.in_effect.push(address.clone());
        return;
    }
    let missing = || grants::missing(vault, id, &scene.protection.policy, identity);
    if scene.goal == Goal::Keep || !scene.protection.provision {
        // Of a policy that isn't there or isn't fit, nothing more needs to be said.
        match identity {
            None => {}
            Some(_) if scene.goal == Goal::Keep && *id != scene.protection.key.vault => {
                provision.findings.notes.push(notes::former_key(address, &missing()));
            }
            Some(_) => provision.fault(scene, address, missing()),
        }
        return;
    }
    // Neither there nor planned: whose right would it be?
    if identity.is_none() && !provision.makes(&scene.comparing.address(Block::KEY).part("policy")) {
        return;
    }
    match of_vault.iter().find_map(|granted| granted.granting.as_ref()) {
        Some(Ok(holding)) => grant(scene, (id, vault, of_vault), identity, (address, holding), provision),
        Some(Err(unreadable)) => provision.unknown(address, unreadable),
        None => provision.unknown(address, &Unreadable::because("this identity's rights on the vault were not read")),
    }
}

fn grant(
    scene: &Scene<'_>,
    (id, vault, keys): (&VaultId, &Vault, &[&Granted]),
    identity: Option<ObjectId>,
    (address, holding): (&Address, &Holding),
    provision: &mut Provision,
) {
    let Scene { protection, comparing, source, .. } = scene;
    if let Some(why) = holding.lacking() {
        let Fault { what, help, .. } = grants::missing(vault, id, &protection.policy, identity);
        return provision.waits(address, WaitingFor::Person, format!("{what}, and {why}; {help}"));
    }
    let created = Some(comparing.address(Block::KEY).part("policy")).filter(|policy| provision.makes(policy));
    let planned = grants::plan(protection, (id, vault, keys), identity, comparing, source);
    provision.plan(planned.requiring(created).in_doubt(holding));
}
