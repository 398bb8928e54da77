//! `privateLinks` in the file: the resources that the environment reaches over private links.
//!
//! What must stay true: two entries for one resource are found whatever their spelling; a link without consent is never
//! accepted; endpoints are approved only where the file says so.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::words::LinkResource;
use crate::config::words::Guid;
use crate::config::{Diagnostic, Diagnostics, Located, Span, quoted};
use crate::settings::block;
use crate::settings::consent::{Consent, ConsentBlock};
use crate::settings::names;
use crate::settings::private_links::codes;
use crate::terms::{Head, Place, ResourceId};

/// Private links from the environment to storage accounts and Synapse workspaces. Without this block, palisade leaves private
/// links as they are.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "PrivateLinks")]
pub struct Block {
    /// Whether other links may be there as well.
    #[serde(rename = "match", default)]
    matching: Match,
    /// The links. Required.
    #[serde(skip_serializing_if = "Option::is_none")]
    links: Option<Vec<LinkBlock>>,
}

/// Whether other private links than those listed may be there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "LinkMatch")]
pub enum Match {
    /// The list is complete: every other link is removed, and a link with a rejected connection is made anew.
    Exact,
    /// Those listed are there; others are left alone.
    #[default]
    AtLeast,
}

/// One private link.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "PrivateLink")]
pub(crate) struct LinkBlock {
    /// The Azure resource id of the storage account or the Synapse workspace. Required.
    resource: LinkResource,
    /// Whether palisade approves the link's connections on the Azure side, in a plan that lists the full id of each
    /// endpoint: `true` or `false`, without quotes. Otherwise a person does, and palisade says who can.
    #[serde(default)]
    approve: bool,
    /// Approves connections already in the run that creates the link, but only those whose endpoint lies in this Azure
    /// subscription; those from elsewhere are never approved then. Needs `approve: true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    approve_from_subscription: Option<Guid>,
    /// Who agreed to the data privacy terms of this link, and when. Required.
    #[serde(skip_serializing_if = "Option::is_none")]
    data_privacy_consent: Option<ConsentBlock>,
}

/// What a person sees of private links: all that the page lists.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "PrivateLinksSaw")]
pub struct Saw {
    /// Every link that the page lists, declared or not; `[]` if it lists none. Required.
    pub(super) links: Vec<SeenLink>,
}

/// A private link that the page lists.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "SeenPrivateLink")]
pub(super) struct SeenLink {
    /// The Azure resource id of the storage account or the Synapse workspace. Required.
    #[schemars(with = "LinkResource")]
    pub(super) resource: ResourceId,
}

impl Saw {
    /// What a look shows if the declared links are there, and no others.
    pub(super) fn of(declared: &Declared) -> Self {
        Self::of_links(declared.links.iter().map(|link| link.resource.clone()))
    }

    /// What a look shows if links lead to these resources, and there are no others.
    pub(super) fn of_links(resources: impl IntoIterator<Item = ResourceId>) -> Self {
        Self { links: resources.into_iter().map(|resource| SeenLink { resource }).collect() }
    }
}

impl block::Saw for Saw {
    const PLACE: Option<&'static str> = Some("Settings > Permissions > Private Links");
    const EXAMPLE: &'static str = "{ links: [] }";

    fn check(&self, at: Located<'_>, diagnostics: &mut Diagnostics) {
        let list = at.at(&["links"]);
        let mut seen = Vec::new();
        for (index, link) in self.links.iter().enumerate() {
            check_resource(&link.resource, list.at(&[&index.to_string(), "resource"]).span(), &mut seen, diagnostics);
        }
    }
}

/// Which connections palisade approves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approval {
    /// None: a person does it.
    ByOthers,
    /// Those that a plan listed.
    Listed,
    /// Those with an endpoint in this subscription, already in the run that creates the link; no others.
    FromSubscription(Uuid),
}

impl Approval {
    /// The subscription that endpoints must come from, if the file names it.
    pub(in crate::settings) fn subscription(self) -> Option<Uuid> {
        match self {
            Self::FromSubscription(subscription) => Some(subscription),
            Self::ByOthers | Self::Listed => None,
        }
    }
}

/// A declared link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Where it leads to.
    pub resource: ResourceId,
    /// Which connections palisade approves.
    pub approval: Approval,
    /// Who agreed.
    pub consent: Consent,
    /// Where it is written.
    pub place: Place,
}

/// What the file says about private links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// Whether others may be there.
    pub matching: Match,
    /// The links, in the file's order.
    pub links: Vec<Link>,
    /// Where the block is written.
    pub place: Place,
}

impl block::Block for Block {
    const KEY: &'static str = "privateLinks";
    type Declared = Declared;
    type Saw = Saw;

    fn declare(self, at: Located<'_>, _: &Head, diagnostics: &mut Diagnostics) -> Declared {
        if self.links.is_none() {
            let help = "list them: `links: [{ resource: /subscriptions/…, dataPrivacyConsent: … }]`; an empty list under \
                        `match: exact` removes all";
            block::missing(at, Self::KEY, "links", help, diagnostics);
        }
        let list = at.at(&["links"]);
        let mut links = Vec::new();
        let mut seen: Vec<(ResourceId, Span)> = Vec::new();
        for (index, written) in self.links.unwrap_or_default().into_iter().enumerate() {
            let item = list.at(&[&index.to_string()]);
            let resource = written.resource.0.clone();
            let span = item.at(&["resource"]).span();
            check_resource(&resource, span, &mut seen, diagnostics);
            links.extend(written.declare(item, diagnostics));
        }
        Declared { matching: self.matching, links, place: at.place() }
    }

    fn to_see(declared: &Declared) -> Option<Saw> {
        Some(Saw::of(declared))
    }
}

impl LinkBlock {
    fn declare(self, item: Located<'_>, diagnostics: &mut Diagnostics) -> Option<Link> {
        let Self { resource, approve, approve_from_subscription, data_privacy_consent } = self;
        let approval = match (approve, approve_from_subscription) {
            (true, Some(subscription)) => Approval::FromSubscription(subscription.0),
            (true, None) => Approval::Listed,
            (false, None) => Approval::ByOthers,
            (false, Some(_)) => {
                let message = "`approveFromSubscription` does nothing without `approve: true`";
                let span = item.key_span("approveFromSubscription");
                diagnostics.push(
                    Diagnostic::error(codes::SUBSCRIPTION_WITHOUT_APPROVAL, span, message)
                        .help("write `approve: true` beside it, or remove it"),
                );
                Approval::ByOthers
            }
        };
        let name = format!("the private link to {}", quoted(resource.0.name()));
        let consent = Consent::declare(data_privacy_consent, ("links", &name), item, diagnostics)?;
        Some(Link { resource: resource.0, approval, consent, place: item.place() })
    }
}

/// Whether two ids lead to one resource: names of these resources are unique in all of Azure.
pub(in crate::settings) fn same_resource(one: &ResourceId, other: &ResourceId) -> bool {
    one.is_kind(&other.kind()) && one.name().eq_ignore_ascii_case(other.name())
}

/// Checks one of several resources, each of which may be named once.
fn check_resource(
    resource: &ResourceId,
    span: Span,
    seen: &mut Vec<(ResourceId, Span)>,
    diagnostics: &mut Diagnostics,
) {
    names::check(resource, span, diagnostics);
    match seen.iter().find(|(other, _)| same_resource(other, resource)) {
        Some((_, first)) => diagnostics.push(duplicate(resource, span, *first)),
        None => seen.push((resource.clone(), span)),
    }
}

fn duplicate(resource: &ResourceId, span: Span, first: Span) -> Diagnostic {
    let message = format!("two private links lead to {}", quoted(resource.name()));
    Diagnostic::error(codes::DUPLICATE_LINK, span, message)
        .related(first, "first here")
        .help("letter case makes no difference, and names are unique in all of Azure; keep one of the two")
}
