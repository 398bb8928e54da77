//! Private links where Customer Insights can't be asked: what Azure shows of them, and what people attest. Pure.
//!
//! Invariants: what the connections show wins over what a person saw; a link counts only with its connections approved, as
//! anywhere else; what shows on a resource that several environments declare proves no link of any of them; connections that may be the link's are never called left behind, since no one said that they aren't.

use std::collections::BTreeSet;

use serde_json::json;

use super::block::{Block, Link, Match, Saw, same_resource};
use super::changes;
use super::compare::{Comparison, Sides};
use super::endpoints::{self, Shown};
use super::notes;
use super::observe::Resource;
use crate::azure::operations::LIST_PRIVATE_LINKS;
use crate::azure::private_endpoints::{Connection, Status};
use crate::plan::{Address, WaitingFor};
use crate::settings::attestation::{self, Doubt, Evidence, Look, Moment, Statement, Trace, Verdict};
use crate::terms::ResourceId;

impl<'a> Comparison<'a> {
    /// Finds the entries that are wrong about a part of the page.
    pub(super) fn weigh_entries(&mut self) {
        let links = self.declared.links.iter();
        let about_links = links.map(|link| self.judge_link(link, &self.observed_trace(link)?).doubt());
        let doubts: Vec<Doubt<'a>> = about_links.chain([self.judge_others().doubt()]).flatten().collect();
        attestation::spread(&mut self.seen, doubts);
    }

    /// Whether another environment of the configuration declares the resource, too.
    pub(super) fn shared(&self, resource: &ResourceId) -> bool {
        self.comparing.elsewhere.iter().any(|other| same_resource(&other.resource, resource))
    }

    fn shown(&self, declared: &Link, resource: &'a Resource) -> Shown<'a> {
        endpoints::shown(&declared.resource, &resource.connections, declared.approval.subscription())
    }

    /// What the connections show of a link, if they were read.
    fn observed_trace(&self, declared: &Link) -> Option<Trace<Option<ResourceId>>> {
        let Some(Ok(Some(resource))) = self.observed.resources.get(&declared.resource) else { return None };
        Some(self.trace(declared, &self.shown(declared, resource)))
    }

    /// The declared links that the page may list.
    fn possible(&self) -> Vec<ResourceId> {
        let possible = self.declared.links.iter().filter_map(|link| {
            let wanted = Some(link.resource.clone());
            self.observed_trace(link).map_or(wanted.clone(), |trace| trace.possible(&wanted).flatten())
        });
        possible.collect()
    }

    /// What the connections show of a link.
    fn trace(&self, declared: &Link, shown: &Shown<'_>) -> Trace<Option<ResourceId>> {
        let namesake = |saw: &Saw| listed(saw, &declared.resource).is_some_and(|seen| seen != declared.resource);
        // Beside an entry about a resource of the same name, the name alone would hide what is wrong.
        let name = match self.seen.iter().any(|statement| namesake(&statement.saw)) {
            true => declared.resource.to_string(),
            false => declared.resource.name().to_owned(),
        };
        match shown {
            // They may be another environment's.
            Shown::Endpoints(..) | Shown::Mixed(_) if self.shared(&declared.resource) => Trace::Nothing,
            Shown::Endpoints(..) | Shown::Mixed(_) => Trace::Shows(
                Some(declared.resource.clone()),
                format!("connections on {name} are named like those of the link"),
            ),
            Shown::Perhaps(_) => Trace::Nothing,
            Shown::Nothing => {
                let from = declared.approval.subscription();
                let from = from.map(|from| format!(" from the subscription {from}")).unwrap_or_default();
                Trace::Shows(None, format!("{name} has no connection{from} that could be the link's"))
            }
        }
    }

    /// What people say of a link is the resource that the page lists under its name, if it lists one.
    fn judge_link(&self, declared: &Link, trace: &Trace<Option<ResourceId>>) -> Verdict<'a, Option<ResourceId>> {
        let statements: Vec<Statement<'a, Option<ResourceId>>> =
            self.seen.iter().map(|statement| statement.about(|saw| listed(saw, &declared.resource))).collect();
        attestation::judge(&Some(declared.resource.clone()), trace, &statements, Moment::of(self.comparing))
    }

    /// No connection tells which other links there are.
    fn judge_others(&self) -> Verdict<'a, BTreeSet<ResourceId>> {
        let declared = &self.declared.links;
        let others = |saw: &Saw| -> BTreeSet<ResourceId> {
            let all = saw.links.iter().map(|link| link.resource.clone());
            all.filter(|seen| !declared.iter().any(|link| same_resource(&link.resource, seen))).collect()
        };
        let statements: Vec<Statement<'a, BTreeSet<ResourceId>>> =
            self.seen.iter().map(|statement| statement.about(others)).collect();
        attestation::judge(&BTreeSet::new(), &Trace::Nothing, &statements, Moment::of(self.comparing))
    }

    /// A declared link.
    pub(super) fn compare_inferred(&mut self, declared: &'a Link, address: Address, resource: &'a Resource) {
        let shown = self.shown(declared, resource);
        let trace = self.trace(declared, &shown);
        let moment = Moment::of(self.comparing);
        match self.judge_link(declared, &trace) {
            Verdict::InSync(evidence) => self.there(declared, address, resource, shown, &evidence),
            Verdict::Differs { live: Some(other), evidence: _ } => {
                self.findings.notes.push(notes::leads_elsewhere(&address, &declared.resource, &other));
            }
            Verdict::Differs { live: None, evidence } => {
                let others: Vec<&Connection> = resource.connections.iter().collect();
                self.findings.notes.extend(notes::others(&address, &declared.resource, &others));
                changes::create(self, declared, address, Some(attestation::seen(&evidence, &[], moment)));
            }
            Verdict::Unknown(doubt) => self.look_at_link(declared, address, &doubt),
        }
    }

    /// The link is there; whether it works, its connections say.
    fn there(
        &mut self,
        declared: &'a Link,
        address: Address,
        resource: &'a Resource,
        shown: Shown<'a>,
        evidence: &Evidence<'_>,
    ) {
        let id = &declared.resource;
        self.findings.notes.push(attestation::evidence(evidence, address.clone(), Moment::of(self.comparing)));
        self.findings.notes.extend(notes::public_access(&address, id, &resource.public));
        let connections = &resource.connections;
        match shown {
            Shown::Endpoints(endpoints, strangers) => {
                let other = changes::others(self, id);
                self.findings.notes.extend(notes::look_alike(&address, "of the link", &strangers, &other));
                let of_link = |one: &&Connection| {
                    let endpoint = one.endpoint.as_ref();
                    endpoints.iter().any(|listed| endpoint.is_some_and(|endpoint| listed.could_be(endpoint)))
                };
                let others: Vec<&Connection> = connections.iter().filter(|one| !of_link(one)).collect();
                self.findings.notes.extend(notes::others(&address, id, &others));
                if endpoints.is_empty() {
                    let detail = "no connection of the link comes from the subscription that the file names".to_owned();
                    self.wait(address, WaitingFor::Service, detail);
                    return;
                }
                self.compare_endpoints(&Sides { declared, address, live: None, endpoints, connections });
            }
            Shown::Mixed(several) => {
                let others = changes::others(self, id);
                self.findings.notes.push(notes::ambiguous(&address, "of the link", &several, &others));
            }
            Shown::Perhaps(perhaps) => self.perhaps(address, declared, &perhaps),
            // A link without connections isn't there; the rule never says otherwise.
            Shown::Nothing => {}
        }
    }

    /// A person saw the link, and its connections can't be told from others by their names.
    fn perhaps(&mut self, address: Address, declared: &Link, perhaps: &[&Connection]) {
        if !endpoints::from_one_source(perhaps) {
            let others = changes::others(self, &declared.resource);
            self.findings.notes.push(notes::ambiguous(&address, "of the link", perhaps, &others));
            return;
        }
        if perhaps.iter().all(|one| one.status == Status::Approved && one.is_settled()) {
            self.findings.settled(address);
            return;
        }
        let name = declared.resource.name();
        let detail = format!(
            "the connections of the link on {name} can't be told by their names, and not all of those that it has are approved: \
             find out which are the link's, approve them in Azure, and remove there what isn't used any more"
        );
        self.wait(address, WaitingFor::Person, detail);
    }

    fn look_at_link(&mut self, declared: &Link, address: Address, doubt: &Doubt<'_>) {
        let possible = self.possible();
        let look = Look {
            address,
            subject: format!("the private link to {}", declared.resource),
            what: "whether the page lists the link",
            values: changes::values(&declared.resource),
            declared: json!({ "status": "listed", "resource": declared.resource }),
            as_declared: possible.len() == self.declared.links.len(),
            saw: Saw::of_links(possible),
            operation: LIST_PRIVATE_LINKS.facts(),
            source: declared.place.clone(),
        };
        self.ask(look, doubt);
    }

    /// No operation may list the links, so only a person can say that there are no others.
    pub(super) fn others_unread(&mut self) {
        if self.declared.matching == Match::AtLeast {
            return;
        }
        let moment = Moment::of(self.comparing);
        match self.judge_others() {
            Verdict::InSync(evidence) => {
                let note = attestation::evidence(&evidence, self.setting.clone(), moment);
                self.findings.notes.push(note);
            }
            Verdict::Differs { live, evidence } => {
                self.findings.collection = Some(self.declared.links.len() + live.len());
                let seen = attestation::seen(&evidence, &[], moment);
                for other in &live {
                    changes::remove_seen(self, other, &seen);
                }
            }
            Verdict::Unknown(doubt) => {
                let possible = self.possible();
                let look = Look {
                    address: self.setting.clone(),
                    subject: "other private links than those declared".to_owned(),
                    what: "which other links the page lists",
                    values: [("Links".to_owned(), "only those declared".to_owned())].into(),
                    declared: json!({ "status": "no others" }),
                    as_declared: possible.len() == self.declared.links.len(),
                    saw: Saw::of_links(possible),
                    operation: LIST_PRIVATE_LINKS.facts(),
                    source: self.declared.place.clone(),
                };
                self.ask(look, &doubt);
            }
        }
    }

    fn ask(&mut self, look: Look<Saw>, doubt: &Doubt<'_>) {
        let asked = attestation::look::<Block>(look, doubt, self.comparing);
        self.findings = std::mem::take(&mut self.findings).and(asked);
    }
}

/// The resource of this name that the page lists.
fn listed(saw: &Saw, wanted: &ResourceId) -> Option<ResourceId> {
    saw.links.iter().map(|link| &link.resource).find(|seen| same_resource(seen, wanted)).cloned()
}
