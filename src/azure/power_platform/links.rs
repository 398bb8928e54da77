//! The policies that an environment is linked to, as both services write them.
//!
//! Invariants: an object that isn't there is no link, one that can't be read makes the environment unread; of two members
//! that differ only in case, neither is believed; only [`LinkStatus::Linked`] is linked.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value as Json;

use super::SystemId;
use super::ids::optional;
use super::words::words;
use crate::azure::call::Answer;
use crate::terms::ResourceId;

words! {
    /// How a link stands.
    LinkStatus {
        /// It is being made.
        Linking = "Linking",
        /// It is being made while the environment can be used.
        LinkingOnline = "LinkingOnline",
        /// It is being taken away.
        Unlinking = "Unlinking",
        /// It is being taken away while the environment can be used.
        UnlinkingOnline = "UnlinkingOnline",
        /// It is made. Nothing else is.
        Linked = "Linked",
        /// An operation on it failed; the error says why, where there is one.
        Failed = "Failed",
    }
}

impl LinkStatus {
    /// Whether an operation on it is going on.
    pub fn is_under_way(&self) -> bool {
        matches!(self, Self::Linking | Self::LinkingOnline | Self::Unlinking | Self::UnlinkingOnline)
    }
}

/// A policy that an environment is linked to, or is being.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its id in Azure; none if what stands there is none.
    pub policy: Option<ResourceId>,
    /// What Power Platform calls it. The Power Platform API doesn't tell.
    pub system_id: Option<SystemId>,
    /// The GUID at the end of that.
    pub policy_id: Option<String>,
    /// How the link stands; none if the service doesn't say, which is unknown.
    pub status: Option<LinkStatus>,
    /// Why it failed; only the Power Platform API tells.
    pub error: Option<String>,
}

/// The policies of an environment, at most one of each kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Links {
    /// The customer-managed key. None: the key is Microsoft's.
    pub encryption: Option<Link>,
    /// The virtual network.
    pub network_injection: Option<Link>,
    /// The identity.
    pub identity: Option<Link>,
}

/// A link as both services write it: `id` is the id in Azure for the one, and the policy's GUID for the other.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireLink {
    id: Option<String>,
    resource_id: Option<String>,
    policy_id: Option<String>,
    #[serde(default, alias = "SystemId", deserialize_with = "optional")]
    system_id: Option<SystemId>,
    link_status: Option<LinkStatus>,
    status: Option<LinkStatus>,
    #[serde(default, deserialize_with = "words_of")]
    error: Option<String>,
}

/// What went wrong: a text, or an object with a message or a code.
fn words_of<'de, D: Deserializer<'de>>(member: D) -> Result<Option<String>, D::Error> {
    let text = |value: &Json| value.as_str().map(str::to_owned);
    Ok(Option::<Json>::deserialize(member)?.and_then(|value| match &value {
        Json::Null => None,
        Json::Object(members) => {
            let members = ["message", "code"].iter().filter_map(|name| members.get(*name).and_then(text));
            members.into_iter().next().or_else(|| Some(value.to_string()))
        }
        other => text(other).or_else(|| Some(other.to_string())),
    }))
}

impl Links {
    /// Reads them by the names that the two services have for them.
    pub(super) fn read(policies: Option<BTreeMap<String, Json>>) -> Result<Self, String> {
        let policies = policies.unwrap_or_default();
        let one = |names: &[&str]| -> Result<Option<Link>, String> {
            let named = |key: &&String| names.iter().any(|name| key.eq_ignore_ascii_case(name));
            let mut found =
                policies.keys().filter(named).filter_map(|key| policies.get(key)).filter(|it| !it.is_null());
            match (found.next(), found.next()) {
                (None, _) => Ok(None),
                (Some(_), Some(_)) => Err(format!("it has more than one `enterprisePolicies.{}`", names[0])),
                (Some(link), None) => {
                    let wire: WireLink = serde_json::from_value(link.clone())
                        .map_err(|error| format!("`enterprisePolicies.{}`: {error}", names[0]))?;
                    wire.read(names[0]).map(Some)
                }
            }
        };
        Ok(Self {
            encryption: one(&["customerManagedKeys", "encryption"])?,
            network_injection: one(&["vNets", "networkInjection"])?,
            identity: one(&["identity"])?,
        })
    }

    /// Takes what is secret out of the words of the service.
    pub(super) fn scrub(&mut self, answer: &Answer) {
        let Self { encryption, network_injection, identity } = self;
        for link in [encryption, network_injection, identity].into_iter().flatten() {
            link.error = link.error.take().map(|words| answer.words(&words));
        }
    }
}

impl WireLink {
    fn read(self, name: &str) -> Result<Link, String> {
        let Self { id, resource_id, policy_id, system_id, link_status, status, error } = self;
        let (policy, guid) = match (resource_id, id) {
            (Some(resource), guid) => (Some(resource), guid),
            (None, Some(id)) if id.starts_with('/') => (Some(id), None),
            (None, guid) => (None, guid),
        };
        let policy = policy.and_then(|text| text.parse().ok());
        let policy_id = policy_id.or(guid);
        if policy.is_none() && system_id.is_none() && policy_id.is_none() {
            return Err(format!("`enterprisePolicies.{name}` names no policy"));
        }
        Ok(Link { policy, system_id, policy_id, status: link_status.or(status), error })
    }
}
