//! Microsoft Graph v1.0: who a principal is. The operation catalogue names the sources.
//!
//! Invariants: a look-up tells "there is nobody" apart from "could not look"; an answer that is about somebody else than
//! the one asked about is no answer; a list of members is whole or an error; twenty look-ups cost one request.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::access::Reader;
use super::call::{Answer, Call};
use super::error::CallError;
use super::operations::{
    GRAPH_BATCH, GRAPH_COUNT_MEMBERS, GRAPH_GET_BY_IDS, GRAPH_GET_SERVICE_PRINCIPAL, GRAPH_GET_USER, GRAPH_LIST_MEMBERS,
};
use super::pages;
use super::wait::{Pause, Seen, wait_until};
use crate::terms::{ObjectId, object_id, text::brief};

const JSON: &str = "application/json";
/// Graph takes at most so many requests in a batch.
pub(super) const BATCH: usize = 20;
/// Graph takes at most so many ids at once.
pub(super) const IDS: usize = 1000;
/// A throttled item of a batch is asked for again so often.
const ROUNDS: u32 = 4;
/// Graph gives at most so many members on a page.
const PAGE: &str = "999";
/// The most pages of one list of members; a larger group counts as unread.
const MOST_PAGES: usize = 100;
/// How long the throttled items of a batch are waited for in all; a longer wait leaves them unknown.
const PATIENCE: Duration = Duration::from_secs(120);

/// A look-up of one object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// A user by user principal name, in lower case.
    User(String),
    /// A user by object id, to learn what a look-up of many ids doesn't tell: whether the account is enabled.
    Account(ObjectId),
    /// A service principal by its application's id.
    App(Uuid),
}

/// A directory object.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DirectoryObject {
    /// Object id.
    pub id: ObjectId,
    /// `#microsoft.graph.user`, `…group`, `…servicePrincipal`; look-ups by type leave it out.
    #[serde(rename = "@odata.type")]
    pub odata_type: Option<String>,
    /// Display name.
    pub display_name: Option<String>,
    /// A user's name for signing in.
    pub user_principal_name: Option<String>,
    /// A service principal's application.
    #[serde(default, deserialize_with = "object_id::lenient")]
    pub app_id: Option<Uuid>,
    /// Whether a user, or an app, may sign in. Look-ups of many ids leave it out for users.
    pub account_enabled: Option<bool>,
}

/// What a look-up by key brought: the object, or nobody, or why it isn't known.
pub type Found = Result<Option<DirectoryObject>, String>;

#[derive(Deserialize)]
struct List<T> {
    value: Vec<T>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
}

#[derive(Deserialize)]
struct BatchAnswer {
    responses: Vec<BatchItem>,
}

#[derive(Deserialize)]
struct BatchItem {
    id: String,
    status: u16,
    #[serde(default)]
    headers: HashMap<String, String>,
    #[serde(default)]
    body: Json,
}

/// Looks principals up by key, twenty in one request. `POST /$batch`
///
/// Items that Graph throttles are asked for again; what stays without an answer is an `Err` with its reason.
pub async fn find(reader: &Reader, keys: &[Key]) -> Result<Vec<(Key, Found)>, CallError> {
    let mut found = Vec::with_capacity(keys.len());
    for chunk in keys.chunks(BATCH) {
        let (mut open, mut round) = (chunk.to_vec(), 0);
        let look = async || {
            let (settled, throttled, wait) = batch(reader, &open).await?;
            found.extend(settled);
            (open, round) = (throttled, round + 1);
            let ended = open.is_empty() || round == ROUNDS;
            Ok::<_, CallError>(if ended { Seen::Shown(()) } else { Seen::NotYet((), Pause::Asked(wait)) })
        };
        wait_until(reader, PATIENCE, look).await?;
        found.extend(open.into_iter().map(|key| (key, Err("Microsoft Graph is throttling".to_owned()))));
    }
    Ok(found)
}

async fn batch(reader: &Reader, keys: &[Key]) -> Result<(Vec<(Key, Found)>, Vec<Key>, Duration), CallError> {
    let requests: Json = keys.iter().enumerate().map(|(index, key)| item_request(index, key)).collect();
    let call = Call::of(&GRAPH_BATCH).json(JSON, &json!({ "requests": requests }));
    let whole = reader.send(call).await?;
    let answer: BatchAnswer = whole.json()?;
    let mut items: HashMap<String, Vec<BatchItem>> = HashMap::new();
    for item in answer.responses {
        items.entry(item.id.clone()).or_default().push(item);
    }
    let (mut settled, mut throttled, mut wait) = (Vec::new(), Vec::new(), Duration::from_secs(1));
    for (index, key) in keys.iter().enumerate() {
        let mut answers = items.remove(&index.to_string()).unwrap_or_default();
        let answer = if answers.len() > 1 { Err("Microsoft Graph answered twice") } else { Ok(answers.pop()) };
        match answer {
            Ok(Some(item)) if matches!(item.status, 429 | 503) => {
                let header = item.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("retry-after"));
                let asked = header.and_then(|(_, value)| value.trim().parse().ok()).map(Duration::from_secs);
                wait = wait.max(asked.unwrap_or_default());
                throttled.push(key.clone());
            }
            Ok(Some(item)) => settled.push((key.clone(), settle(key, item, |text| whole.words(text)))),
            Ok(None) => settled.push((key.clone(), Err("Microsoft Graph left it out of its answer".to_owned()))),
            Err(reason) => settled.push((key.clone(), Err(reason.to_owned()))),
        }
    }
    Ok((settled, throttled, wait))
}

fn item_request(index: usize, key: &Key) -> Json {
    let user = |name: &str| {
        let path = Call::of(&GRAPH_GET_USER).path("userPrincipalName", name).path;
        format!("{path}?$select=id,displayName,userPrincipalName,accountEnabled")
    };
    let url = match key {
        Key::User(name) => user(name),
        Key::Account(id) => user(&id.to_string()),
        Key::App(app_id) => {
            let path = Call::of(&GRAPH_GET_SERVICE_PRINCIPAL).path("appId", &app_id.to_string()).path;
            format!("{path}?$select=id,displayName,appId")
        }
    };
    json!({ "id": index.to_string(), "method": "GET", "url": url })
}

/// Only Graph's own "not found" proves that there is nobody, and only an answer about the one asked for that there is
/// somebody.
fn settle(key: &Key, item: BatchItem, words: impl Fn(&str) -> String) -> Found {
    let error = |member: &str| item.body["error"][member].as_str().map(&words);
    match (item.status, error("code").as_deref()) {
        (200, _) => {
            let object: DirectoryObject = serde_json::from_value(item.body)
                .map_err(|_| "the answer of Microsoft Graph can't be understood".to_owned())?;
            subject(key, &object).map(|()| Some(object))
        }
        (404, Some("Request_ResourceNotFound")) => Ok(None),
        (status, code) => Err(format!(
            "Microsoft Graph answered {status} {}: {}",
            code.unwrap_or_default(),
            error("message").unwrap_or_default()
        )),
    }
}

/// Makes sure that an answer is about the object that was asked about.
fn subject(key: &Key, object: &DirectoryObject) -> Result<(), String> {
    let DirectoryObject { id, user_principal_name, app_id, .. } = object;
    let (fits, asked, answered) = match key {
        Key::User(name) => {
            let answered = user_principal_name.as_deref();
            let fits = answered.is_some_and(|answered| answered.to_lowercase() == name.to_lowercase());
            (fits, name.clone(), answered.map(brief))
        }
        Key::Account(asked) => (id == asked, asked.to_string(), Some(id.to_string())),
        Key::App(asked) => (*app_id == Some(*asked), asked.to_string(), app_id.map(|found| found.to_string())),
    };
    match fits {
        true => Ok(()),
        false => {
            let answered = answered.unwrap_or_else(|| format!("{id}, without saying whether it is the one"));
            Err(format!("the directory answered about {answered} when asked about {asked}"))
        }
    }
}

/// Looks principals up by object id. `POST /directoryObjects/getByIds`. Ids that aren't in the answer aren't in the
/// directory.
pub async fn by_ids(reader: &Reader, ids: &[ObjectId]) -> Result<Vec<DirectoryObject>, CallError> {
    let mut objects = Vec::with_capacity(ids.len());
    let mut asked: BTreeSet<ObjectId> = ids.iter().copied().collect();
    for chunk in ids.chunks(IDS) {
        let body = json!({ "ids": chunk, "types": ["user", "group", "servicePrincipal"] });
        let answer = reader.send(Call::of(&GRAPH_GET_BY_IDS).json(JSON, &body)).await?;
        let list: List<DirectoryObject> = answer.json()?;
        if list.next.is_some() {
            return Err(answer.unreadable("it goes on on another page, which this operation doesn't document"));
        }
        for object in list.value {
            if !asked.remove(&object.id) {
                return Err(answer.unreadable(&format!("it is about {}, which wasn't asked for, or twice", object.id)));
            }
            objects.push(object);
        }
    }
    Ok(objects)
}

/// What a group holds, nested groups included: the whole list or an error. `GET /groups/{id}/transitiveMembers`
///
/// Where the caller may not read a kind of member, Graph gives its id and nothing else: whether such an account is enabled
/// isn't known.
pub async fn members(reader: &Reader, group: ObjectId) -> Result<Vec<DirectoryObject>, CallError> {
    let first = Call::of(&GRAPH_LIST_MEMBERS)
        .path("groupId", &group.to_string())
        .query("$select", "id,displayName,userPrincipalName,accountEnabled")
        .query("$top", PAGE);
    let turn = pages::by_link(&first);
    let read = |answer: &Answer| {
        let List::<DirectoryObject> { value: items, next } = answer.json()?;
        Ok(pages::Page { items, next })
    };
    let (items, last) = pages::whole(reader, first, MOST_PAGES, turn, read).await?;
    let mut members: BTreeMap<ObjectId, DirectoryObject> = BTreeMap::new();
    for item in items {
        let id = item.id;
        // Through two groups a member is there twice; as two different accounts it isn't.
        if members.insert(id, item.clone()).is_some_and(|known| known != item) {
            return Err(last.unreadable(&format!("it lists {id} twice and contradicts itself")));
        }
    }
    Ok(members.into_values().collect())
}

/// How many principals a group reaches, nested groups included. `GET /groups/{id}/transitiveMembers/$count`
pub async fn count_members(reader: &Reader, group: ObjectId) -> Result<u64, CallError> {
    let call =
        Call::of(&GRAPH_COUNT_MEMBERS).path("groupId", &group.to_string()).header("ConsistencyLevel", "eventual");
    let answer = reader.send(call).await?;
    answer.text()?.trim_start_matches('\u{feff}').trim().parse().map_err(|_| answer.unreadable("it isn't a number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A proxy, a wrong path or a gate that hides what it protects answers 404 as well.
    #[test]
    fn only_graphs_own_not_found_says_that_there_is_nobody() {
        let table = [
            (json!({ "error": { "code": "Request_ResourceNotFound", "message": "no such user" } }), true),
            (json!({ "error": { "code": "ResourceNotFound", "message": "no such path" } }), false),
            (json!({ "error": { "message": "no code" } }), false),
            (json!("<html>"), false),
            (Json::Null, false),
        ];
        for (body, nobody) in table {
            let item = BatchItem { id: "0".into(), status: 404, headers: HashMap::new(), body: body.clone() };
            assert_eq!(settle(&Key::User("ada@contoso.com".into()), item, brief) == Ok(None), nobody, "{body}");
        }
    }
}
