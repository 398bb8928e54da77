//! What a person must know about a comparison of private links.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::endpoints::Asking;
use crate::azure::customer_insights::LinkEndpoint;
use crate::azure::private_endpoints::{Connection, Status};
use crate::azure::storage::PublicNetworkAccess;
use crate::guard;
use crate::plan::{Address, Note, NoteCode, Severity};
use crate::settings;
use crate::settings::geography::{self, Agreement};
use crate::settings::private_links::codes;
use crate::terms::{ResourceId, resource_kinds};

fn note(code: NoteCode, severity: Severity, address: &Address, message: String, help: &str) -> Note {
    let note = Note::finding(code, severity, address.clone(), message);
    if help.is_empty() { note } else { note.help(help) }
}

pub(super) fn target_missing(address: &Address, resource: &ResourceId) -> Note {
    let message = format!("Azure has no {} in the resource group {}", resource.name(), resource.resource_group());
    let help = "correct `resource`, or create the resource first";
    note(codes::LINK_TARGET_MISSING, Severity::Error, address, message, help)
}

/// Names are unique in all of Azure, so one of the two ids is wrong, or the resource was moved.
pub(super) fn leads_elsewhere(address: &Address, declared: &ResourceId, live: &ResourceId) -> Note {
    let message = format!("the live link of that name leads to {live}, the file says {declared}");
    let help = "find out which of the two is meant; a resource that was moved needs a new link";
    note(codes::LINK_LEADS_ELSEWHERE, Severity::Error, address, message, help)
}

pub(super) fn ambiguous(address: &Address, endpoint: &str, several: &[&Connection], others: &[String]) -> Note {
    let shown: Vec<String> = several.iter().map(|one| shown(one)).collect();
    let message = format!(
        "{} connections could be the endpoint {endpoint}, and names can be made by anyone, so palisade approves none: {}",
        several.len(),
        shown.join("; ")
    );
    let help = match others {
        [] => "find out whose each of them is before you touch any. Where several environments use one resource, all of them may be Customer \
               Insights' own: then remove none, and approve by hand; palisade can't tell them apart. What is a stranger's, remove in Azure. \
               Where the endpoints of this link come from one subscription, `approveFromSubscription` settles it"
            .to_owned(),
        others => format!(
            "{} {} the resource as well, so all of them may be Customer Insights' own, and palisade can't tell them apart: make sure that each \
             is one of yours, approve them by hand in Azure, and remove none",
            others.join(", "),
            if others.len() == 1 { "uses" } else { "use" }
        ),
    };
    note(codes::AMBIGUOUS_CONNECTION, Severity::Error, address, message, &help)
}

fn shown(connection: &Connection) -> String {
    let endpoint =
        connection.endpoint.as_ref().map_or_else(|| "an endpoint without an id".to_owned(), ResourceId::to_string);
    format!("{} ({}, {endpoint})", connection.name, connection.status)
}

pub(super) fn look_alike(
    address: &Address,
    endpoint: &str,
    strangers: &[Asking<'_>],
    others: &[String],
) -> Option<Note> {
    if strangers.is_empty() {
        return None;
    }
    let ids: Vec<String> = strangers.iter().map(|one| one.endpoint.to_string()).collect();
    let message =
        format!("named like the endpoint {endpoint}, but not the link's, so never approved: {}", ids.join(", "));
    let help = match others {
        [] => "find out who asks for it, and remove it in Azure".to_owned(),
        others => format!(
            "find out who asks for it: it may be a link of {}; remove in Azure only what is known to be nobody's",
            others.join(", ")
        ),
    };
    Some(note(codes::LOOK_ALIKE_CONNECTION, Severity::Warning, address, message, &help))
}

/// Whether Customer Insights makes all endpoints of a link in one subscription isn't published; where they aren't, a reviewer
/// should know before letting all of them in.
pub(super) fn apart(address: &Address, asking: &[(&LinkEndpoint, Asking<'_>)]) -> Option<Note> {
    let mut by_subscription: BTreeMap<Uuid, Vec<&str>> = BTreeMap::new();
    for (endpoint, one) in asking {
        by_subscription.entry(one.endpoint.subscription()).or_default().push(&endpoint.name);
    }
    if by_subscription.len() < 2 {
        return None;
    }
    let list: Vec<String> = by_subscription
        .iter()
        .map(|(subscription, names)| format!("{} from {subscription}", names.join(", ")))
        .collect();
    let message = format!("the endpoints that ask are of {} subscriptions: {}", list.len(), list.join("; "));
    let help = "one of them may be somebody else's under a familiar name: compare the full ids before you approve, or name the \
                right subscription with `approveFromSubscription`";
    Some(note(codes::ENDPOINTS_APART, Severity::Warning, address, message, help))
}

pub(super) fn ended(address: &Address, endpoints: &[(String, Status)], exact: bool) -> Note {
    let list: Vec<String> = endpoints.iter().map(|(name, status)| format!("{name} is {status}")).collect();
    let message = format!("{}, which is final: the link must be removed and made anew", list.join(", "));
    let help = if exact {
        "`match: exact` does that; find out first who rejected it, and why"
    } else {
        "find out who rejected it, and why; then remove the link under Settings > Permissions > Private Links, and apply \
         again. Under `match: exact` palisade does both"
    };
    note(codes::CONNECTION_ENDED, Severity::Warning, address, message, help)
}

/// Private links work only while public access is off (rule R16); closing it is a setting of its own, and comes last.
pub(super) fn public_access(address: &Address, resource: &ResourceId, public: &PublicNetworkAccess) -> Option<Note> {
    if *public != PublicNetworkAccess::Enabled {
        return None;
    }
    let message = format!("{} has a private link, and public network access is still on", resource.name());
    let help =
        "a private link works only while public access is off: close it once all connections are approved (`dataLake`)";
    Some(note(codes::PUBLIC_BESIDE_PRIVATE_LINK, Severity::Warning, address, message, help))
}

pub(super) fn others(address: &Address, resource: &ResourceId, others: &[&Connection]) -> Option<Note> {
    if others.is_empty() {
        return None;
    }
    let pending = others.iter().filter(|one| one.status == Status::Pending).count();
    let message = format!(
        "{} has {} that isn't the link's, {pending} of them pending; palisade never touches them",
        resource.name(),
        if others.len() == 1 {
            "1 other private endpoint connection".to_owned()
        } else {
            format!("{} other private endpoint connections", others.len())
        },
    );
    let help = "with any private endpoint on it, the account is reached by Customer Insights over a private link only";
    Some(note(codes::OTHER_PRIVATE_ENDPOINTS, Severity::Info, address, message, help))
}

/// Without the links, whose a connection is isn't known.
pub(super) fn unattributed(address: &Address, resource: &ResourceId, connections: &[Connection]) -> Option<Note> {
    if connections.is_empty() {
        return None;
    }
    let pending: Vec<String> = connections.iter().filter(|one| one.status == Status::Pending).map(shown).collect();
    let name = resource.name();
    let all = match connections.len() {
        1 => format!("{name} has 1 private endpoint connection"),
        several => format!("{name} has {several} private endpoint connections"),
    };
    let (severity, message) = match pending.len() {
        0 => (Severity::Info, format!("{all}, none of them pending")),
        several => (Severity::Warning, format!("{all}, {several} of them pending: {}", pending.join("; "))),
    };
    let message = format!("{message}. Which of them are the link's isn't known while the instance can't be read");
    Some(note(codes::CONNECTIONS_UNATTRIBUTED, severity, address, message, "palisade approves none of them for now"))
}

pub(super) fn left_behind(
    address: &Address,
    resource: &ResourceId,
    behind: &[&Connection],
    others: &[String],
) -> Option<Note> {
    if behind.is_empty() {
        return None;
    }
    let list: Vec<String> = behind.iter().map(|one| shown(one)).collect();
    let message = format!(
        "{} on {} named like those of Customer Insights, and no link of this environment has them: {}",
        if behind.len() == 1 { "1 connection".to_owned() } else { format!("{} connections", behind.len()) },
        resource.name(),
        list.join("; ")
    );
    let help = match others {
        [] => {
            "left behind by a former link, or of another environment: find out, and remove in Azure what nobody needs"
                .to_owned()
        }
        others => {
            format!("they may be links of {}: remove in Azure only what is known to be nobody's", others.join(", "))
        }
    };
    Some(note(codes::CONNECTIONS_LEFT_BEHIND, Severity::Warning, address, message, &help))
}

pub(super) fn removal(address: &Address, resource: &ResourceId, connections: usize, others: &[String]) -> Option<Note> {
    if connections == 0 {
        return None;
    }
    let message = format!(
        "whether the {connections} connections on {} go with the link isn't published; they are looked for afterwards",
        resource.name()
    );
    let help = match others {
        [] => "remove in Azure what stays behind".to_owned(),
        others => {
            format!("some may be those of {}: remove in Azure only what is known to be nobody's", others.join(", "))
        }
    };
    Some(note(codes::CONNECTIONS_LEFT_BEHIND, Severity::Info, address, message, &help))
}

/// The environment that keeps its data there would lose its only way to it.
pub(super) fn only_way_to_the_lake(address: &Address, resource: &ResourceId, others: &[String]) -> Note {
    let message = format!(
        "`match: exact` would remove the private link to {0}, which `dataLake` names and which isn't known to be open to the internet: \
         the environment would lose its only way to its data",
        resource.name()
    );
    let help = match others {
        [] => "list the link under `privateLinks`; to go back to public access, write `publicNetworkAccess: enabled` under `dataLake`: the \
               link goes first, and then the account is opened"
            .to_owned(),
        others => format!(
            "list the link under `privateLinks`; the account is shared with {}, whose private links work only while it is closed. To go back to \
             public access, first take the account and its link out of the other environments, one after the other",
            others.join(", ")
        ),
    };
    Note::refusal(guard::codes::WOULD_GO_DARK, address.clone(), message).help(help)
}

/// Rule R18: the type was only ever seen in a pull request. The plan says so and goes on.
pub(super) fn undocumented_type(address: &Address, resource: &ResourceId) -> Option<Note> {
    if !resource.is_kind(resource_kinds::SYNAPSE_WORKSPACE) {
        return None;
    }
    let message = "the current product documentation doesn't offer private links to Synapse workspaces, and says that \
                   workspaces behind a firewall aren't supported"
        .to_owned();
    let help = "make sure in the product that the type can be chosen, or link the storage account behind the workspace";
    Some(note(codes::UNDOCUMENTED_RESOURCE_TYPE, Severity::Warning, address, message, help))
}

/// Whether storage is where the environment is.
pub(in crate::settings) fn region(
    address: &Address,
    resource: &str,
    location: &str,
    environment: Option<&str>,
) -> Option<Note> {
    let (message, help) = match geography::agreement(location, environment) {
        Agreement::Same => return None,
        Agreement::Other { resource: there, environment: here } => (
            format!("{resource} is in {location} ({there}), the environment in {here}"),
            "storage of Customer Insights must be in the environment's region; make sure that the link is meant",
        ),
        Agreement::Unknown(why) => (
            format!("whether {resource} is where the environment is can't be told: {why}"),
            "compare the regions yourself",
        ),
    };
    Some(note(settings::codes::REGION_MISMATCH, Severity::Warning, address, message, help))
}

pub(super) fn left_alone(setting: &Address, others: usize) -> Option<Note> {
    let message = match others {
        0 => return None,
        1 => "1 other private link isn't declared; `match: atLeast` leaves it alone".to_owned(),
        _ => format!("{others} other private links aren't declared; `match: atLeast` leaves them alone"),
    };
    Some(note(codes::LINKS_LEFT_ALONE, Severity::Info, setting, message, ""))
}
