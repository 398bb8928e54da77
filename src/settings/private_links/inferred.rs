//! Private links where Customer Insights can't be asked: what Azure shows of them, and what people attest. Pure.
//!
//! Invariants: what the connections show wins over what a person saw; a link counts only with its connections approved, as
//! anywhere else; connections that may be the link's are never called left behind, since no one said that they aren't.

use std::collections::BTreeSet;

use serde_json::json;

use super::block::{Approval, Block, Link, Match, Saw, same_resource};
use super::changes;
use super::compare::{Comparison, Sides};
use super::endpoints::{self, Shown};
use super::notes;
use super::observe::Resource;
use crate::azure::arm::ResourceId;
use crate::azure::operations::LIST_PRIVATE_LINKS;
use crate::azure::private_endpoints::{Connection, Status};
use crate::plan::{Address, WaitingFor};
use crate::settings::attestation::{self, Doubt, Evidence, Look, Moment, Statement, Trace, Verdict};
use crate::settings::blocks::Block as _;

impl<'a> Comparison<'a> {
    /// A declared link. What people say of it is the resource that the page lists under its name, if it lists one.
    pub(super) fn compare_inferred(&mut self, declared: &'a Link, address: Address, resource: &'a Resource) {
        let subscription = match declared.approval {
            Approval::FromSubscription(subscription) => Some(subscription),
            Approval::ByOthers | Approval::Listed => None,
        };
        let wanted = Some(declared.resource.clone());
        let name = declared.resource.name();
        let shown = endpoints::shown(&declared.resource, &resource.connections, subscription);
        let trace = match &shown {
            Shown::Endpoints(..) | Shown::Mixed(_) => {
                Trace::Shows(wanted.clone(), format!("connections on {name} are named like those of the link"))
            }
            Shown::Perhaps(_) => Trace::Nothing,
            Shown::Nothing => Trace::Shows(None, format!("{name} has no connection that could be the link's")),
        };
        let statements: Vec<Statement<'_, Option<ResourceId>>> =
            self.seen().iter().map(|statement| statement.about(|saw| listed(saw, &declared.resource))).collect();
        let moment = Moment::of(self.comparing);
        match attestation::judge(&wanted, &trace, &statements, moment) {
            Verdict::InSync(evidence) => self.there(declared, address, resource, shown, &evidence),
            Verdict::Differs { live: Some(other), evidence: _ } => {
                self.findings.notes.push(notes::leads_elsewhere(&address, &declared.resource, &other));
            }
            Verdict::Differs { live: None, evidence } => {
                let others: Vec<&Connection> = resource.connections.iter().collect();
                self.findings.notes.extend(notes::others(&address, &declared.resource, &others));
                changes::create(self, declared, address, Some(attestation::seen(&evidence, moment)));
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
                self.findings.notes.extend(notes::look_alike(&address, "of the link", &strangers));
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
                self.findings.notes.push(notes::ambiguous(&address, "of the link", &several));
            }
            Shown::Perhaps(perhaps) => self.perhaps(address, declared, &perhaps),
            // A link without connections isn't there; the rule never says otherwise.
            Shown::Nothing => {}
        }
    }

    /// A person saw the link, and its connections can't be told from others by their names.
    fn perhaps(&mut self, address: Address, declared: &Link, perhaps: &[&Connection]) {
        let open = |one: &&&Connection| one.status == Status::Approved && one.is_settled();
        let undecided = |one: &&&Connection| one.status == Status::Pending || !one.is_settled();
        if perhaps.iter().any(|one| open(&one)) && !perhaps.iter().any(|one| undecided(&one)) {
            self.findings.settled(address);
            return;
        }
        let name = declared.resource.name();
        let detail = format!(
            "the connections of the link on {name} can't be told by their names, and not all of those that it has are approved: \
             find out which are the link's, and approve them in Azure"
        );
        self.wait(address, WaitingFor::Person, detail);
    }

    fn look_at_link(&mut self, declared: &Link, address: Address, doubt: &Doubt<'_>) {
        let look = Look {
            address,
            subject: format!("the private link to {}", declared.resource),
            what: "whether the page lists the link",
            values: changes::values(&declared.resource),
            declared: json!({ "status": "listed", "resource": declared.resource }),
            saw: Saw::of(self.declared),
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
        let declared = &self.declared.links;
        let others = |saw: &Saw| -> BTreeSet<ResourceId> {
            let all = saw.links.iter().map(|link| link.resource.clone());
            all.filter(|seen| !declared.iter().any(|link| same_resource(&link.resource, seen))).collect()
        };
        let statements: Vec<Statement<'_, BTreeSet<ResourceId>>> =
            self.seen().iter().map(|statement| statement.about(others)).collect();
        let moment = Moment::of(self.comparing);
        match attestation::judge(&BTreeSet::new(), &Trace::Nothing, &statements, moment) {
            Verdict::InSync(evidence) => {
                let note = attestation::evidence(&evidence, self.setting.clone(), moment);
                self.findings.notes.push(note);
            }
            Verdict::Differs { live, evidence } => {
                self.findings.collection = Some(self.declared.links.len() + live.len());
                let seen = attestation::seen(&evidence, moment);
                for other in &live {
                    changes::remove_seen(self, other, &seen);
                }
            }
            Verdict::Unknown(doubt) => {
                let look = Look {
                    address: self.setting.clone(),
                    subject: "other private links than those declared".to_owned(),
                    what: "which other links the page lists",
                    values: [("Links".to_owned(), "only those declared".to_owned())].into(),
                    declared: json!({ "status": "no others" }),
                    saw: Saw::of(self.declared),
                    operation: LIST_PRIVATE_LINKS.facts(),
                    source: self.declared.place.clone(),
                };
                self.ask(look, &doubt);
            }
        }
    }

    fn seen(&self) -> Vec<Statement<'a, Saw>> {
        attestation::statements(self.comparing.attested, Block::KEY)
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
