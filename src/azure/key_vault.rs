//! Secrets in key vaults. The operation catalogue names the sources.
//!
//! Words: the *current* version is what consumers get who name none; it may be disabled, and then they get nothing, not an
//! older value. What must stay true: values are [`SecretString`]s from the wire on; only the service's own code proves an
//! absence, and a secret that can't be seen among the deleted ones isn't proven absent; a list is complete or an error, and
//! its order means nothing; an answer about another secret is refused.

use std::collections::BTreeMap;

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value as Json};
use url::Url;

use super::access::{Reader, Writer};
use super::call::{Answer, Call};
use super::error::CallError;
use super::operations::{
    GET_DELETED_SECRET, GET_SECRET, GET_SECRET_VERSION, LIST_SECRET_VERSIONS, Operation, RECOVER_SECRET, SET_SECRET,
    UPDATE_SECRET,
};
use super::pages;

/// The api-version: the newest whose published description this was written against.
pub(super) const API_VERSION: &str = "7.5";
pub(super) const JSON: &str = "application/json";
/// A list goes on for at most so many pages of 25; a longer one is a fault of the service, not data.
const MOST_PAGES: usize = 400;
/// The code that proves that there is no such secret, or version, or deleted secret.
const NOT_FOUND: &str = "SecretNotFound";

/// Where a secret is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretAddress {
    /// Name of the vault.
    pub vault: String,
    /// Name of the secret.
    pub name: String,
}

/// What asking for a secret's value brought.
#[derive(Debug, Clone)]
pub enum Lookup {
    /// The value with its properties.
    Found(Secret),
    /// The version that was asked for is disabled: consumers get nothing.
    Disabled,
    /// There is no such secret, nor a deleted one of this name.
    Absent,
    /// It was deleted and can be recovered; its name can't be used until then.
    SoftDeleted(DeletedSecret),
    /// The caller may not read it, or may not see whether it was deleted.
    Forbidden(CallError),
    /// The vault's network lets the caller not in.
    Firewall(CallError),
}

/// A version of a secret with its value.
#[derive(Debug, Clone)]
pub struct Secret {
    /// The value.
    pub value: SecretString,
    /// The rest.
    pub properties: Properties,
    /// The vault's clock when it answered, or why it didn't tell.
    pub served_at: Result<Timestamp, String>,
}

/// A version of a secret without its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Properties {
    /// The version's id: 32 hex digits.
    pub version: String,
    /// Whether its value can be read.
    pub enabled: bool,
    /// When it was made, in whole seconds.
    pub created: Timestamp,
    /// When its properties changed last, in whole seconds.
    pub updated: Option<Timestamp>,
    /// Not to be used before. The vault doesn't enforce it.
    pub not_before: Option<Timestamp>,
    /// Not to be used from then on. The vault doesn't enforce it.
    pub expires: Option<Timestamp>,
    /// What the value is, in its writer's words.
    pub content_type: Option<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// The version that it followed. The service tells it only of secrets that stand behind certificates.
    pub previous: Option<String>,
}

/// All versions of a secret, in no order. An empty list doesn't prove that there is no such secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versions {
    /// The versions.
    pub items: Vec<Properties>,
    /// The vault's clock when it answered, or why it didn't tell.
    pub served_at: Result<Timestamp, String>,
}

/// A deleted secret that can be recovered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletedSecret {
    /// When it was deleted.
    pub deleted: Option<Timestamp>,
    /// When the service purges it.
    pub scheduled_purge: Option<Timestamp>,
    /// The vault's clock when it answered, or why it didn't tell.
    pub served_at: Result<Timestamp, String>,
}

/// What a new version is to have besides its value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels {
    /// Tags; at most fifteen.
    pub tags: BTreeMap<String, String>,
    /// What the value is.
    pub content_type: Option<String>,
    /// Not to be used from then on.
    pub expires: Option<Timestamp>,
    /// Nobody can read its value.
    pub disabled: bool,
}

/// What is to change of a version; `None` stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// All tags: the old ones are replaced as a whole.
    pub tags: Option<BTreeMap<String, String>>,
    /// Whether its value can be read.
    pub enabled: Option<bool>,
    /// Not to be used from then on.
    pub expires: Option<Timestamp>,
}

/// Why a vault refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    /// The version is disabled.
    Disabled,
    /// The caller lacks the right.
    Right,
    /// The caller's network isn't let in.
    Network,
}

impl Denial {
    /// What a failed call to a vault says about rights, if that is what it failed for.
    pub fn of(error: &CallError) -> Option<Self> {
        match (error.status(), error.inner_code()) {
            (Some(403), Some("SecretDisabled")) => Some(Self::Disabled),
            (Some(403), Some("ForbiddenByFirewall" | "ForbiddenByConnection")) => Some(Self::Network),
            (Some(401 | 403), _) => Some(Self::Right),
            _ => None,
        }
    }
}

// ---- shapes on the wire

/// `SecretBundle` and `SecretItem`. The value goes straight into a [`SecretString`].
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bundle {
    id: Option<String>,
    value: Option<SecretString>,
    content_type: Option<String>,
    attributes: Option<Attributes>,
    tags: Option<BTreeMap<String, String>>,
    previous_version: Option<String>,
    deleted_date: Option<i64>,
    scheduled_purge_date: Option<i64>,
}

#[derive(Deserialize)]
struct Attributes {
    enabled: Option<bool>,
    nbf: Option<i64>,
    exp: Option<i64>,
    created: Option<i64>,
    updated: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    value: Vec<Bundle>,
    next_link: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NewVersion<'a> {
    #[serde(serialize_with = "exposed")]
    value: &'a SecretString,
    tags: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_type: Option<&'a str>,
    attributes: Map<String, Json>,
}

fn exposed<S: Serializer>(value: &&SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(value.expose_secret())
}

impl Bundle {
    /// The properties, if this is a version of the secret that was asked for.
    fn properties(self, at: &SecretAddress) -> Result<(Properties, Option<SecretString>), &'static str> {
        let Self { id, value, content_type, attributes, tags, previous_version, .. } = self;
        let id: Url = id.and_then(|id| id.parse().ok()).ok_or("a version has no id")?;
        let segments: Vec<&str> = id.path_segments().into_iter().flatten().collect();
        let version = match segments.as_slice() {
            ["secrets", name, version] if name.eq_ignore_ascii_case(&at.name) && !version.is_empty() => *version,
            _ => return Err("it describes another secret"),
        };
        let Attributes { enabled, nbf, exp, created, updated } = attributes.ok_or("a version has no attributes")?;
        let properties = Properties {
            version: version.to_owned(),
            enabled: enabled.ok_or("`attributes.enabled` is missing")?,
            created: instant(created)?.ok_or("`attributes.created` is missing")?,
            updated: instant(updated)?,
            not_before: instant(nbf)?,
            expires: instant(exp)?,
            content_type,
            tags: tags.unwrap_or_default(),
            previous: previous_version,
        };
        Ok((properties, value))
    }
}

fn instant(seconds: Option<i64>) -> Result<Option<Timestamp>, &'static str> {
    seconds.map(|s| Timestamp::from_second(s).map_err(|_| "an instant is out of range")).transpose()
}

fn call<E>(operation: &'static Operation<E>, at: &SecretAddress) -> Call<E> {
    Call::of(operation).vault(&at.vault).path("secretName", &at.name).query("api-version", API_VERSION)
}

fn version_of(answer: &Answer, at: &SecretAddress) -> Result<(Properties, Option<SecretString>), CallError> {
    answer.json::<Bundle>()?.properties(at).map_err(|detail| answer.unreadable(detail))
}

fn is_not_found(error: &CallError) -> bool {
    error.status() == Some(404) && error.code() == Some(NOT_FOUND)
}

// ---- reads

/// What consumers get: the current version. `GET /secrets/{secretName}`
pub async fn get_current(reader: &Reader, at: &SecretAddress) -> Result<Lookup, CallError> {
    look_up(reader, at, reader.send(call(&GET_SECRET, at)).await, None).await
}

/// One version. `GET /secrets/{secretName}/{secretVersion}`
///
/// [`Lookup::Absent`] may mean that only the version isn't there.
pub async fn get_version(reader: &Reader, at: &SecretAddress, version: &str) -> Result<Lookup, CallError> {
    let answer = reader.send(call(&GET_SECRET_VERSION, at).path("secretVersion", version)).await;
    look_up(reader, at, answer, Some(version)).await
}

async fn look_up(
    reader: &Reader,
    at: &SecretAddress,
    answer: Result<Answer, CallError>,
    version: Option<&str>,
) -> Result<Lookup, CallError> {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) if is_not_found(&error) => {
            return match get_deleted(reader, at).await {
                Ok(None) => Ok(Lookup::Absent),
                Ok(Some(deleted)) => Ok(Lookup::SoftDeleted(deleted)),
                Err(error) => denied(error),
            };
        }
        Err(error) => return denied(error),
    };
    let (properties, value) = version_of(&answer, at)?;
    if version.is_some_and(|version| !version.eq_ignore_ascii_case(&properties.version)) {
        return Err(answer.unreadable("it is another version"));
    }
    let value = value.ok_or_else(|| answer.unreadable("it has no value"))?;
    Ok(Lookup::Found(Secret { value, properties, served_at: answer.served_at() }))
}

fn denied(error: CallError) -> Result<Lookup, CallError> {
    match Denial::of(&error) {
        Some(Denial::Disabled) => Ok(Lookup::Disabled),
        Some(Denial::Right) => Ok(Lookup::Forbidden(error)),
        Some(Denial::Network) => Ok(Lookup::Firewall(error)),
        None => Err(error),
    }
}

/// All versions, or an error. `GET /secrets/{secretName}/versions`, page by page.
///
/// A page may be empty and still lead on. Links are followed verbatim, but only on the vault's own host.
pub async fn list_versions(reader: &Reader, at: &SecretAddress) -> Result<Versions, CallError> {
    let first = call(&LIST_SECRET_VERSIONS, at);
    let turn = pages::by_link(&first);
    let read = |answer: &Answer| {
        let Page { value, next_link: next } = answer.json()?;
        let items = value.into_iter().map(|bundle| bundle.properties(at)).collect::<Result<Vec<_>, _>>();
        Ok(pages::Page { items: items.map_err(|detail| answer.unreadable(detail))?, next })
    };
    let (items, last) = pages::whole(reader, first, MOST_PAGES, turn, read).await?;
    // A version that moved to another page while the list was read is there twice.
    let mut versions: BTreeMap<String, Properties> = BTreeMap::new();
    for (item, _) in items {
        let version = item.version.to_lowercase();
        if versions.get(&version).is_some_and(|known| *known != item) {
            return Err(last.unreadable(&format!("it lists the version {version} twice and contradicts itself")));
        }
        versions.insert(version, item);
    }
    Ok(Versions { items: versions.into_values().collect(), served_at: last.served_at() })
}

/// A deleted secret; `None` if the vault says that there is none of this name. `GET /deletedsecrets/{secretName}`
///
/// For seconds after a deletion there is none either.
pub async fn get_deleted(reader: &Reader, at: &SecretAddress) -> Result<Option<DeletedSecret>, CallError> {
    let answer = match reader.send(call(&GET_DELETED_SECRET, at)).await {
        Err(error) if is_not_found(&error) => return Ok(None),
        other => other?,
    };
    let Bundle { deleted_date, scheduled_purge_date, .. } = answer.json()?;
    let deleted = instant(deleted_date).map_err(|detail| answer.unreadable(detail))?;
    let scheduled_purge = instant(scheduled_purge_date).map_err(|detail| answer.unreadable(detail))?;
    Ok(Some(DeletedSecret { deleted, scheduled_purge, served_at: answer.served_at() }))
}

// ---- writes

/// Makes a new version, which is then the current one, and tells its properties. `PUT /secrets/{secretName}`
pub async fn set_secret(
    writer: &Writer,
    at: &SecretAddress,
    value: &SecretString,
    labels: &Labels,
) -> Result<Properties, CallError> {
    let Labels { tags, content_type, expires, disabled } = labels;
    let mut attributes = Map::from_iter([("enabled".to_owned(), Json::Bool(!disabled))]);
    attributes.extend(expires.map(|at| ("exp".to_owned(), Json::from(at.as_second()))));
    let body = NewVersion { value, tags, content_type: content_type.as_deref(), attributes };
    let answer = writer.send(call(&SET_SECRET, at).secret_json(JSON, &body)?).await?;
    Ok(version_of(&answer, at)?.0)
}

/// Changes tags and attributes of a version, and tells its properties. `PATCH /secrets/{secretName}/{secretVersion}`
pub async fn update_properties(
    writer: &Writer,
    at: &SecretAddress,
    version: &str,
    changes: &Changes,
) -> Result<Properties, CallError> {
    let Changes { tags, enabled, expires } = changes;
    let mut attributes = Map::new();
    attributes.extend(enabled.map(|enabled| ("enabled".to_owned(), Json::Bool(enabled))));
    attributes.extend(expires.map(|at| ("exp".to_owned(), Json::from(at.as_second()))));
    let mut body = Map::new();
    if !attributes.is_empty() {
        body.insert("attributes".to_owned(), Json::Object(attributes));
    }
    body.extend(
        tags.as_ref()
            .map(|tags| ("tags".to_owned(), tags.iter().map(|(k, v)| (k.clone(), Json::from(v.as_str()))).collect())),
    );
    let call = call(&UPDATE_SECRET, at).path("secretVersion", version).json(JSON, &Json::Object(body));
    let answer = writer.send(call).await?;
    Ok(version_of(&answer, at)?.0)
}

/// Brings a deleted secret back with all its versions. `POST /deletedsecrets/{secretName}/recover`
///
/// For seconds afterwards it may not be there yet: read back.
pub async fn recover(writer: &Writer, at: &SecretAddress) -> Result<(), CallError> {
    writer.send(call(&RECOVER_SECRET, at)).await?;
    Ok(())
}
