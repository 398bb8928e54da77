//! Declared against observed, for private links. Pure.
//!
//! A link is in sync once every one of its endpoints is approved, on both sides.

use super::approvals;
use super::block::{Approval, Block, Declared, Link, Match, Saw, same_resource};
use super::changes;
use super::endpoints::{self, Standing};
use super::notes;
use super::observe::{Links, Observed, Resource};
use super::unreached;
use crate::azure::customer_insights::{Instance, LinkEndpoint, PrivateLink};
use crate::azure::operations::LIST_PRIVATE_LINKS;
use crate::azure::private_endpoints::{Connection, Status};
use crate::plan::{Address, Findings, Waiting, WaitingFor};
use crate::settings::attestation::{self, Statement};
use crate::settings::block::Block as _;
use crate::settings::observation::Unreadable;
use crate::settings::setting::Comparing;
use crate::terms::{ResourceId, resource_kinds, text::brief};

/// What is known so far, and what was found.
pub(super) struct Comparison<'a> {
    pub(super) declared: &'a Declared,
    pub(super) observed: &'a Observed,
    pub(super) comparing: &'a Comparing<'a>,
    /// How to reach the environment, for the steps.
    pub(super) instance: &'a Instance,
    pub(super) setting: Address,
    /// What people say of the page. Where one of them is wrong about one link, that counts for all.
    pub(super) seen: Vec<Statement<'a, Saw>>,
    pub(super) findings: Findings,
}

/// A declared link with what is known about both of its sides.
pub(super) struct Sides<'a> {
    pub(super) declared: &'a Link,
    pub(super) address: Address,
    /// The link as Customer Insights lists it; none where it wasn't asked.
    pub(super) live: Option<&'a PrivateLink>,
    pub(super) endpoints: Vec<LinkEndpoint>,
    pub(super) connections: &'a [Connection],
}

/// Compares.
pub(super) fn compare(declared: &Declared, observed: &Observed, comparing: &Comparing<'_>) -> Findings {
    let setting = comparing.address(Block::KEY);
    let instance = match comparing.instance {
        Ok(instance) => instance,
        Err(unreadable) => return unreached::compare(declared, observed, comparing, unreadable),
    };
    let seen = attestation::statements(comparing.attested, Block::KEY);
    let findings = Findings::default();
    let mut comparison = Comparison { declared, observed, comparing, instance, setting, seen, findings };
    if matches!(observed.links, Links::NotAsked) {
        comparison.weigh_entries();
    }
    for link in &declared.links {
        comparison.compare_link(link);
    }
    comparison.compare_others();
    comparison.findings
}

/// The part of an address that names a resource. A storage account and a workspace may have the same name.
pub(super) fn part(resource: &ResourceId) -> String {
    match resource.is_kind(resource_kinds::SYNAPSE_WORKSPACE) {
        true => format!("synapse:{}", resource.name().to_lowercase()),
        false => resource.name().to_lowercase(),
    }
}

impl<'a> Comparison<'a> {
    fn compare_link(&mut self, declared: &'a Link) {
        let address = self.setting.part(&part(&declared.resource));
        self.findings.notes.extend(notes::undocumented_type(&address, &declared.resource));
        self.findings.notes.extend(declared.consent.check(&address, self.comparing.now));
        let resource = match self.observed.resources.get(&declared.resource) {
            Some(Ok(Some(resource))) => resource,
            Some(Ok(None)) => {
                self.findings.notes.push(notes::target_missing(&address, &declared.resource));
                return;
            }
            Some(Err(unreadable)) => {
                self.findings.unknown.push(unreadable.at(address));
                return;
            }
            None => {
                self.findings.unknown.push(Unreadable::because("the resource was not read").at(address));
                return;
            }
        };
        let name = declared.resource.name();
        self.findings.notes.extend(notes::region(&address, name, &resource.location, self.comparing.region));
        match &self.observed.links {
            Links::Read(Err(unreadable)) => self.findings.unknown.push(unreadable.at(address)),
            Links::Read(Ok(listed)) => self.compare_listed(declared, address, resource, listed),
            Links::NotAsked => self.compare_inferred(declared, address, resource),
        }
    }

    fn compare_listed(
        &mut self,
        declared: &'a Link,
        address: Address,
        resource: &'a Resource,
        listed: &'a [PrivateLink],
    ) {
        let found: Vec<&PrivateLink> =
            listed.iter().filter(|link| same_resource(&link.resource, &declared.resource)).collect();
        let live = match found.as_slice() {
            [] => {
                self.stray_connections(&address, declared, resource, &[]);
                changes::create(self, declared, address, None);
                return;
            }
            [live] => *live,
            several => return self.findings.unknown.push(one_of(several).at(address)),
        };
        if live.resource != declared.resource {
            self.findings.notes.push(notes::leads_elsewhere(&address, &declared.resource, &live.resource));
            return;
        }
        self.stray_connections(&address, declared, resource, &live.endpoints);
        self.findings.notes.extend(notes::public_access(&address, &declared.resource, &resource.public));
        let connections = &resource.connections;
        let sides = Sides { declared, address, live: Some(live), endpoints: live.endpoints.clone(), connections };
        self.compare_endpoints(&sides);
    }

    /// Connections that are named like Customer Insights' but are no link's, and all others that aren't this link's.
    /// `listed` is what Customer Insights itself says; where it can't be asked, nobody knows what is left behind.
    fn stray_connections(&mut self, address: &Address, declared: &Link, resource: &Resource, listed: &[LinkEndpoint]) {
        let id = &declared.resource;
        let of_link = |connection: &&Connection| {
            let endpoint = connection.endpoint.as_ref();
            listed.iter().any(|listed| endpoint.is_some_and(|endpoint| listed.could_be(endpoint)))
        };
        let strays: Vec<&Connection> = resource.connections.iter().filter(|one| !of_link(one)).collect();
        let (behind, others): (Vec<_>, Vec<_>) =
            strays.into_iter().partition(|one| endpoints::looks_like_ours(id, one));
        let shared = changes::others(self, id);
        self.findings.notes.extend(notes::left_behind(address, id, &behind, &shared));
        self.findings.notes.extend(notes::others(address, id, &others));
    }

    pub(super) fn compare_endpoints(&mut self, sides: &Sides<'a>) {
        let Sides { declared, address, live, endpoints, connections } = sides;
        let subscription = declared.approval.subscription();
        let (mut settling, mut asking, mut ended, mut open) = (Vec::new(), Vec::new(), Vec::new(), 0);
        for endpoint in endpoints {
            let (ours, elsewhere) = endpoints::candidates(endpoint, connections, subscription);
            let standing = endpoints::standing(endpoint, live.is_some(), connections, subscription);
            let sure = matches!(standing, Standing::Open) && ours.len() > 1;
            let strangers = if sure { doubtful(&ours) } else { elsewhere };
            let others = changes::others(self, &declared.resource);
            self.findings.notes.extend(notes::look_alike(address, &endpoint.name, &strangers, &others));
            match standing {
                Standing::Open => {
                    self.findings.in_effect.push(address.part(&endpoint.name));
                    open += 1;
                }
                Standing::Settling(detail) => settling.push(format!("{} {detail}", endpoint.name)),
                Standing::Asks(one) => asking.push((endpoint, one)),
                Standing::Ended(status) => ended.push((endpoint.name.clone(), status)),
                Standing::Ambiguous(several) => {
                    let address = address.part(&endpoint.name);
                    let others = changes::others(self, &declared.resource);
                    self.findings.notes.push(notes::ambiguous(&address, &endpoint.name, &several, &others));
                }
                Standing::Elsewhere => settling.push(format!("{} has no connection of its own yet", endpoint.name)),
            }
        }
        self.findings.notes.extend(notes::apart(address, &asking));
        let expected = endpoints::expected(&declared.resource);
        if endpoints.len() < expected {
            settling.push(format!("Customer Insights lists {} of {expected} endpoints", endpoints.len()));
        }
        if open == endpoints.len() && settling.is_empty() {
            self.findings.in_sync += 1;
            self.findings.in_effect.push(address.clone());
        }
        // A link that is there and asks for approval is what adding it was to bring about, unless the same change approves.
        let asks_only =
            settling.is_empty() && ended.is_empty() && !matches!(declared.approval, Approval::FromSubscription(_));
        if live.is_some() && asks_only {
            self.findings.in_effect.push(address.clone());
        }
        if ended.is_empty() {
            approvals::decide(self, sides, &asking);
        } else {
            self.start_again(sides, &ended);
        }
        if !settling.is_empty() {
            self.wait(address.clone(), WaitingFor::Service, settling.join("; "));
        }
    }

    /// Rejected is final. Somebody with rights on the resource said no, so palisade asks again only where the file says that it
    /// alone decides what is there; elsewhere a person has to remove the link.
    fn start_again(&mut self, sides: &Sides<'a>, ended: &[(String, Status)]) {
        let exact = self.declared.matching == Match::Exact;
        self.findings.notes.push(notes::ended(&sides.address, ended, exact));
        if exact {
            changes::recreate(self, sides, ended);
            return;
        }
        let names: Vec<&str> = ended.iter().map(|(name, _)| name.as_str()).collect();
        let detail = format!(
            "a person with the role Admin has to remove the link, since {} can't be approved any more",
            names.join(", ")
        );
        self.wait(sides.address.clone(), WaitingFor::Person, detail);
    }

    pub(super) fn wait(&mut self, address: Address, waiting_for: WaitingFor, detail: String) {
        self.findings.waiting.push(Waiting { address, waiting_for, since: None, detail });
    }

    /// Links that are there and aren't declared.
    fn compare_others(&mut self) {
        let listed = match &self.observed.links {
            Links::Read(Ok(listed)) => listed,
            Links::Read(Err(unreadable)) => {
                if self.declared.matching == Match::Exact {
                    self.findings.unknown.push(unreadable.at(self.setting.clone()));
                }
                return;
            }
            Links::NotAsked => return self.others_unread(),
        };
        self.findings.complete.push(self.setting.clone());
        let is_declared =
            |link: &&PrivateLink| self.declared.links.iter().any(|one| same_resource(&one.resource, &link.resource));
        let others: Vec<&PrivateLink> = listed.iter().filter(|link| !is_declared(link)).collect();
        if self.declared.matching == Match::AtLeast {
            self.findings.notes.extend(notes::left_alone(&self.setting, others.len()));
            return;
        }
        self.findings.collection = Some(listed.len());
        let mut by_resource: Vec<Vec<&PrivateLink>> = Vec::new();
        for link in others {
            match by_resource.iter_mut().find(|links| same_resource(&links[0].resource, &link.resource)) {
                Some(links) => links.push(link),
                None => by_resource.push(vec![link]),
            }
        }
        for links in by_resource {
            changes::remove(self, &links);
        }
    }
}

/// Which of several links to one resource is the one that works can't be told.
fn one_of(several: &[&PrivateLink]) -> Unreadable {
    let ids: Vec<String> = several.iter().map(|link| brief(&link.id)).collect();
    let reason = format!(
        "Customer Insights lists {} private links to it, {}: remove all but one under Settings > Permissions > Private Links",
        several.len(),
        ids.join(" and ")
    );
    Unreadable::from_operation(LIST_PRIVATE_LINKS.facts(), reason)
}

/// Of several connections by one name, of which Customer Insights says that its own is open: those that aren't open.
fn doubtful<'a>(candidates: &[endpoints::Asking<'a>]) -> Vec<endpoints::Asking<'a>> {
    candidates.iter().filter(|one| one.connection.status == Status::Pending).copied().collect()
}
