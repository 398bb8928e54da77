//! Declared against observed, for customer-managed keys. Pure.

use serde_json::{Value as Json, json};

use super::block::{Block, Declared, Protection, Wanted};
use super::demands;
use super::link::{self, Ready};
use super::locked::{self, Locked};
use super::observe::{Chain, Observed};
use super::provision::{self, Goal, Losses, Provision, Scene};
use super::{codes, notes, retained, revert, steps, watch};
use crate::azure::power_platform::environments::{Environment, ProtectionLevel};
use crate::azure::power_platform::operations::Kind;
use crate::azure::power_platform::policies::{Policy, PolicyKind};
use crate::azure::power_platform::{Link, LinkStatus};
use crate::plan::{Address, Findings, Note, Waiting, WaitingFor};
use crate::settings::block::Block as _;
use crate::settings::encryption_keys::demands::Fault;
use crate::settings::lifecycle::Course;
use crate::settings::managed_environment;
use crate::settings::observation::Unreadable;
use crate::settings::setting::Comparing;
use crate::terms::text::brief;

/// Compares.
pub(super) fn compare(declared: &Declared, observed: &Observed, comparing: &Comparing<'_>) -> Findings {
    let address = comparing.address(Block::KEY);
    let mut findings = Findings::default();
    let live = match comparing.hosting {
        Ok(hosting) => &hosting.live,
        Err(unreadable) => {
            findings.unknown.push(unreadable.at(address));
            return findings;
        }
    };
    let linked = linked_chain(live, observed);
    if let Some(chain) = linked {
        findings.lifelines = vec![watch::lifeline(comparing.head.scope().to_string(), chain)];
    }
    let course = match &observed.course {
        Ok(course) => course,
        Err(unreadable) => {
            findings.unknown.push(unreadable.at(address));
            let left = linked.map(|chain| watch::left(chain, (live, None), comparing));
            return left.into_iter().fold(findings, Findings::and);
        }
    };
    // What the file wants is looked at below; until it is so, the environment lives on something else.
    let elsewhere = linked.filter(|chain| observed.wanted.as_ref().is_none_or(|wanted| !std::ptr::eq(wanted, *chain)));
    if let Some(chain) = elsewhere {
        findings = findings.and(watch::left(chain, (live, Some(course)), comparing));
    }
    // While it is being changed, it still lives on what it leaves.
    if let Course::UnderWay(operation) = course {
        findings = findings.and(watch::leaving(declared, observed, (live, operation), comparing));
    }
    let goes_on = under_way(live, course, &address, comparing, &mut findings);
    match &declared.wanted {
        Wanted::Microsoft => {
            if !goes_on {
                revert::compare(declared, observed, (live, course), comparing, &mut findings);
            }
        }
        Wanted::Customer(protection) => {
            findings.notes.push(notes::connections(&address, comparing));
            let customer = Customer { declared, protection, observed, live, course, comparing };
            findings = customer.compare(goes_on, findings);
        }
    }
    retained::compare(declared, observed, (live, course), comparing, &mut findings);
    findings
}

/// What the environment is linked to now, as far as its policy in Azure is told.
fn linked_chain<'a>(live: &Environment, observed: &'a Observed) -> Option<&'a Chain> {
    let policy = live.links.encryption.as_ref()?.policy.as_ref()?;
    // Of a policy with another key than the declared one, it is its own that counts.
    let mut chains = observed.former.iter().chain(&observed.wanted).chain(&observed.retained);
    chains.find(|chain| chain.id == *policy)
}

/// Whether the link is being changed, or may be, which is then told. Whatever it shows now isn't what it will be.
fn under_way(
    live: &Environment,
    course: &Course,
    address: &Address,
    comparing: &Comparing<'_>,
    findings: &mut Findings,
) -> bool {
    let status = live.links.encryption.as_ref().and_then(|link| link.status.as_ref());
    let (since, detail) = match course {
        Course::UnderWay(operation) => {
            findings.notes.extend(notes::overdue(address, operation, comparing));
            let told = operation.told(comparing.now);
            let own = [&steps::NEW, &Kind::RotateCustomerManagedKey, &Kind::RevertToMicrosoftKey];
            let detail = match own.iter().any(|kind| kind.as_str() == operation.what) {
                true if operation.overdue(notes::LONGEST, comparing.now) => format!("{told}; users are locked out"),
                true => format!("{told}; users are locked out, for up to four days"),
                false => told,
            };
            (operation.since, detail)
        }
        Course::Unclear(what) => {
            let reason = format!("{what}: whether that changes the environment's key can't be told");
            findings.unknown.push(Unreadable::because(reason).at(address.clone()));
            return true;
        }
        _ => match status.filter(|status| status.is_under_way()) {
            Some(status) => {
                let detail = format!("Power Platform says that the link is {status}, and lists no operation on it");
                (None, detail)
            }
            None => return false,
        },
    };
    findings.under_way = Some(detail.clone());
    findings.waiting.push(Waiting { address: address.clone(), waiting_for: WaitingFor::Service, since, detail });
    true
}

/// The customer's key is wanted.
struct Customer<'a> {
    declared: &'a Declared,
    protection: &'a Protection,
    observed: &'a Observed,
    live: &'a Environment,
    course: &'a Course,
    comparing: &'a Comparing<'a>,
}

impl Customer<'_> {
    /// The file wants both: a customer's key, and no Managed Environment.
    fn unmanaged_is_wanted(&self, address: &Address) -> Option<Note> {
        let declared = self.comparing.beside.of::<managed_environment::Block>()?;
        let message = "a customer-managed key needs a Managed Environment, and the file says that it is to be none";
        let key = managed_environment::Block::KEY;
        let note = Note::refusal(codes::CMK_NOT_MANAGED, address.clone(), message);
        (!declared.enabled).then(|| note.help(format!("write `{key}: {{ enabled: true }}`")))
    }

    /// What is no longer as it was when the environment was linked.
    fn fitness(&self, address: &Address) -> Vec<Note> {
        let mut faults = demands::of_environment(self.live);
        if self.live.protection_level == Some(ProtectionLevel::Basic) {
            let what =
                "the environment isn't a Managed Environment any more, in which alone customer-managed keys work";
            faults.push(Fault::new(codes::CMK_NOT_MANAGED, what, "make it one again"));
        }
        faults.iter().map(|fault| notes::no_longer_fit(address, fault)).collect()
    }

    fn compare(&self, goes_on: bool, findings: Findings) -> Findings {
        let address = self.comparing.address(Block::KEY);
        let Some(chain) = &self.observed.wanted else { return findings };
        let link = self.live.links.encryption.as_ref();
        let own = link.filter(|link| is_to(link, self.protection, chain));
        let in_force = own.filter(|link| link.status == Some(LinkStatus::Linked));
        let goal = match goes_on {
            _ if in_force.is_some() => Goal::Keep,
            true if own.is_some() => Goal::Keep,
            true => Goal::Wait,
            false => Goal::Link,
        };
        let Self { declared, protection, observed, live, comparing, .. } = self;
        let repairs = in_force.is_some() && !goes_on && protection.provision;
        let scene = Scene { declared, protection, observed, live, comparing, source: &declared.place, goal, repairs };
        let Provision { findings: made, requires, blocked, busy, system_id, losses } =
            provision::compare(&scene, chain);
        let doubtful = made.notes.iter().any(Note::refuses)
            || made.unknown.iter().any(|unknown| unknown.address == address.part("policy"));
        let mut findings = findings.and(made);
        findings.notes.extend(protection.key.version.iter().map(|version| notes::pinned(&address, version)));
        if goes_on {
            return findings;
        }
        findings = findings.and(self.upkeep(&scene, chain, in_force.is_some()));
        let away = steps::Link::Away.family().begun;
        let old = self.course.may_be_old(away, comparing.now, "putting it back on Microsoft's key");
        if let Some(detail) = old.filter(|_| link.is_some()) {
            findings.waiting.push(Waiting { address, waiting_for: WaitingFor::Service, since: None, detail });
        } else if let Some(link) = in_force {
            self.in_force(link, chain, (doubtful, &losses), &mut findings);
        } else if let Some(unreadable) = link.and_then(unclear) {
            findings.unknown.push(unreadable.at(address));
        } else {
            let ready = Ready { requires, busy, system_id, blocked };
            let course = self.course;
            link::plan(&link::Wanted { declared, protection, observed, live, course, comparing }, ready, &mut findings);
        }
        findings
    }

    /// The environment is linked to the declared policy. `doubtful` is whether the policy refers to the declared key.
    fn in_force(&self, link: &Link, chain: &Chain, (doubtful, losses): (bool, &Losses), findings: &mut Findings) {
        let address = self.comparing.address(Block::KEY);
        let refusals: Vec<Note> = earlier(link, chain)
            .map(|fault| notes::refused(&address, fault))
            .into_iter()
            .chain(self.unmanaged_is_wanted(&address))
            .collect();
        if !doubtful && refusals.is_empty() {
            findings.settled(address.clone());
            findings.notes.push(notes::services(&address));
        }
        findings.notes.extend(refusals);
        findings.notes.extend(self.fitness(&address));
        // Where the policy refers to another key, that one decides.
        if self.observed.former.as_ref().is_some_and(|former| former.id == self.protection.policy) {
            return;
        }
        locked::compare(
            &Locked { live: self.live, course: self.course, losses, declared: self.declared },
            self.comparing,
            findings,
        );
    }

    /// How the key is kept up, where it is known to be the policy's own.
    fn upkeep(&self, scene: &Scene<'_>, chain: &Chain, in_use: bool) -> Findings {
        let address = self.comparing.address(Block::KEY).part("key");
        let is_its = |policy: &Policy| {
            policy.kind == PolicyKind::Encryption
                && demands::of_policys_key(policy, self.protection, self.comparing.now).is_none()
        };
        // Of a policy that is to be created, the key is the declared one.
        if !matches!(&chain.policy, Ok(policy) if policy.as_deref().is_none_or(is_its)) {
            return Findings::default();
        }
        let Protection { key, upkeep, .. } = self.protection;
        let since = match self.course {
            Course::Succeeded { what, at } if steps::LINKED.contains(what) => *at,
            _ => None,
        };
        let rotation = self.observed.rotation.as_ref();
        scene.keeper(&address).rotation((key, upkeep), &chain.seen, rotation, (in_use, since))
    }
}

/// That the environment is linked to a policy of the same name that was there before: Azure makes another one under an old name.
fn earlier(link: &Link, chain: &Chain) -> Option<Fault> {
    let (linked, present) = (link.system_id.as_ref()?, chain.policy.as_ref().ok()?.as_ref()?.system_id.as_ref()?);
    let what = format!(
        "the environment is linked to an earlier policy of the name {}, which is gone: Power Platform calls it {linked}, and the one \
         that is there {present}",
        chain.id.name()
    );
    let fault = || Fault::new(codes::CMK_POLICY_UNFIT, what, demands::SUPPORT).of(Some(chain.id.clone()));
    (linked != present).then(fault)
}

/// Whether a link leads to the declared policy, by its id in Azure, or by what Power Platform calls it.
fn is_to(link: &Link, protection: &Protection, chain: &Chain) -> bool {
    match (&link.policy, &link.system_id, &chain.policy) {
        (Some(policy), _, _) => *policy == protection.policy,
        (None, Some(linked), Ok(Some(policy))) => policy.system_id.as_ref() == Some(linked),
        _ => false,
    }
}

/// Why it can't be told how a link stands, if so.
fn unclear(link: &Link) -> Option<Unreadable> {
    match &link.status {
        None => Some(Unreadable::because("Power Platform doesn't say how the link to the policy stands")),
        Some(LinkStatus::Other(word)) => Some(Unreadable::because(format!(
            "Power Platform says that the link to the policy is `{}`, which isn't known here",
            brief(word)
        ))),
        Some(_) if link.policy.is_none() => {
            Some(Unreadable::because("Power Platform doesn't tell which policy in Azure the environment is linked to"))
        }
        Some(_) => None,
    }
}

/// A link as plans show it.
pub(super) fn shown(link: Option<&Link>) -> Json {
    let Some(link) = link else { return json!({ "status": "Microsoft's key", "managedBy": "microsoft" }) };
    let name = link.policy.as_ref().map_or("a policy", |policy| policy.name());
    let status = match &link.status {
        Some(LinkStatus::Linked) | None => format!("policy {name}"),
        Some(other) => format!("policy {name}, {other}"),
    };
    json!({ "status": status, "managedBy": "customer", "policy": link.policy })
}
