//! ARM ids.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;
use uuid::Uuid;

/// The id of a resource in a resource group: `/subscriptions/{guid}/resourceGroups/{name}/providers/{namespace}/{type}/{name}`,
/// with more types and names below. Compared without regard to case; shown as it was written.
#[derive(Clone)]
pub struct ResourceId {
    text: String,
    subscription: Uuid,
}

/// Why a text is no [`ResourceId`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BadId {
    /// It has another form.
    #[error("it doesn't have the form /subscriptions/…/resourceGroups/…/providers/NAMESPACE/TYPE/NAME")]
    Form,
    /// The subscription isn't a GUID.
    #[error("`{0}` is no subscription id")]
    Subscription(String),
    /// A segment can't be part of a path.
    #[error("`{0}` can't be a name in an ARM id")]
    Segment(String),
}

/// How many segments stand before the first type: subscription, resource group and namespace, each with its word.
const HEAD: usize = 6;

impl ResourceId {
    /// The subscription.
    pub fn subscription(&self) -> Uuid {
        self.subscription
    }

    /// The resource group's name.
    pub fn resource_group(&self) -> &str {
        self.segment(3)
    }

    /// The provider's namespace, such as `Microsoft.Storage`.
    pub fn namespace(&self) -> &str {
        self.segment(5)
    }

    /// The resource's own name: the last segment.
    pub fn name(&self) -> &str {
        self.text.rsplit('/').next().unwrap_or_default()
    }

    /// The full type, such as `Microsoft.Storage/storageAccounts`, as it was written.
    pub fn kind(&self) -> String {
        let types = self.segments().skip(HEAD).step_by(2);
        std::iter::once(self.namespace()).chain(types).collect::<Vec<_>>().join("/")
    }

    /// Whether the full type is this one.
    pub fn is_kind(&self, kind: &str) -> bool {
        self.kind().eq_ignore_ascii_case(kind)
    }

    /// The scope of its resource group.
    pub fn group(&self) -> AzureScope {
        AzureScope::Group { subscription: self.subscription, group: self.resource_group().to_owned() }
    }

    /// The text as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The id of a resource directly in a resource group.
    pub fn in_group(subscription: Uuid, group: &str, kind: &str, name: &str) -> Result<Self, BadId> {
        format!("/subscriptions/{subscription}/resourceGroups/{group}/providers/{kind}/{name}").parse()
    }

    fn segments(&self) -> impl Iterator<Item = &str> {
        self.text.split('/').skip(1)
    }

    fn segment(&self, index: usize) -> &str {
        self.segments().nth(index).unwrap_or_default()
    }

    /// The letters that are compared.
    fn folded(&self) -> impl Iterator<Item = char> {
        self.text.chars().flat_map(char::to_lowercase)
    }
}

impl FromStr for ResourceId {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let segments: Vec<&str> = text.strip_prefix('/').ok_or(BadId::Form)?.split('/').collect();
        let words = [(0, "subscriptions"), (2, "resourceGroups"), (4, "providers")];
        let fits = words.iter().all(|(at, word)| segments.get(*at).is_some_and(|s| s.eq_ignore_ascii_case(word)));
        if !fits || segments.len() < HEAD + 2 || !segments.len().is_multiple_of(2) {
            return Err(BadId::Form);
        }
        if let Some(bad) = segments.iter().find(|segment| !is_name(segment)) {
            return Err(BadId::Segment((*bad).to_owned()));
        }
        let named = segments.get(1).copied().unwrap_or_default();
        let subscription = Uuid::parse_str(named).ok().filter(|id| id.to_string().eq_ignore_ascii_case(named));
        let subscription = subscription.ok_or_else(|| BadId::Subscription(named.to_owned()))?;
        Ok(Self { text: text.to_owned(), subscription })
    }
}

/// Whether a text can be a segment. Nothing that a URL would read as a step, a query or an escape.
fn is_name(segment: &str) -> bool {
    let harmless = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '(' | ')' | '~' | '@' | '+' | ',');
    !segment.is_empty() && segment != "." && segment != ".." && segment.chars().all(harmless)
}

impl PartialEq for ResourceId {
    fn eq(&self, other: &Self) -> bool {
        self.folded().eq(other.folded())
    }
}

impl Eq for ResourceId {}

impl PartialOrd for ResourceId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ResourceId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.folded().cmp(other.folded())
    }
}

impl Hash for ResourceId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.folded().for_each(|letter| letter.hash(state));
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text)
    }
}

impl Serialize for ResourceId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for ResourceId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Where a list is taken or a role is granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AzureScope {
    /// A subscription.
    Subscription(Uuid),
    /// A resource group.
    Group {
        /// Its subscription.
        subscription: Uuid,
        /// Its name.
        group: String,
    },
    /// A resource.
    Resource(ResourceId),
}

impl fmt::Display for AzureScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Subscription(subscription) => write!(f, "/subscriptions/{subscription}"),
            Self::Group { subscription, group } => write!(f, "/subscriptions/{subscription}/resourceGroups/{group}"),
            Self::Resource(id) => write!(f, "{id}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAKE: &str = "/subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg-lake/providers/Microsoft.Storage/storageAccounts/contosolake";

    #[test]
    fn an_id_is_taken_apart_and_keeps_its_spelling() {
        let id: ResourceId = LAKE.parse().unwrap();
        assert_eq!((id.resource_group(), id.namespace(), id.name()), ("rg-lake", "Microsoft.Storage", "contosolake"));
        assert!(id.is_kind("microsoft.storage/STORAGEACCOUNTS"));
        assert_eq!(id.to_string(), LAKE);
        let child: ResourceId = format!("{LAKE}/privateEndpointConnections/c.1").parse().unwrap();
        assert_eq!(child.kind(), "Microsoft.Storage/storageAccounts/privateEndpointConnections");
        let shouted: ResourceId = LAKE.to_uppercase().parse().unwrap();
        assert_eq!(shouted, id);
        assert_eq!(shouted.cmp(&id), Ordering::Equal);
        assert_eq!(
            id.group().to_string(),
            "/subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg-lake"
        );
    }

    #[test]
    fn what_could_become_another_path_is_no_id() {
        let bad = [
            "",
            "/",
            "lake",
            &LAKE[1..],
            &format!("{LAKE}/"),
            &format!("{LAKE}/more"),
            &LAKE.replace("rg-lake", ".."),
            &LAKE.replace("rg-lake", "a%2fb"),
            &LAKE.replace("rg-lake", "a b"),
            &LAKE.replace("contosolake", "x?y"),
            &LAKE.replace("contosolake", "x#y"),
            &LAKE.replace("rg-lake", ""),
            &LAKE.replace("1111", "zzzz"),
            &LAKE.replace("resourceGroups", "groups"),
        ];
        for text in bad {
            assert!(text.parse::<ResourceId>().is_err(), "{text}");
        }
    }
}
