//! What answers told, as far as they can be believed: an answer about something else, or one that says nothing, told nothing.

use serde_json::Value;
use uuid::Uuid;

use crate::kind::Kind;
use crate::names::last;
use crate::wire::Exchanged;

/// Whether an answer is about the environment that was asked about, or says of none.
fn is_about(answer: &Value, instance: Option<Uuid>) -> bool {
    answer["instanceId"].as_str().is_none_or(|id| Uuid::parse_str(id).ok() == instance)
}

fn says(one: &Exchanged, code: &str) -> bool {
    one.status == Some(404) && one.code.as_deref() == Some(code)
}

/// Whether API access was told to be on.
pub(crate) fn api(one: &Exchanged) -> Option<bool> {
    if one.kind != Kind::Api {
        return None;
    }
    if says(one, "apiSubscriptionNotFound") {
        return Some(false);
    }
    let answer = one.answer.as_ref().filter(|answer| is_about(answer, one.instance))?;
    answer["isSubscribed"].as_bool()
}

/// Both keys; none told is `None`.
pub(crate) fn keys(one: &Exchanged) -> Option<[String; 2]> {
    let answer = one.answer.as_ref().filter(|_| one.kind == Kind::Keys)?;
    let key = |name: &str| answer[name].as_str().filter(|key| !key.is_empty()).map(str::to_owned);
    Some([key("primaryKey")?, key("secondaryKey")?])
}

/// The value that consumers get.
pub(crate) fn published(one: &Exchanged) -> Option<&str> {
    let answer = one.answer.as_ref().filter(|_| one.kind == Kind::Secret)?;
    answer["value"].as_str().filter(|_| answer["id"].as_str().is_some_and(|id| names(id, &one.path)))
}

/// Whether a version's id is of the secret at a path.
fn names(id: &str, path: &str) -> bool {
    let mut segments = id.split('/').skip(3);
    let mut asked = path.split('/').skip(1);
    segments.next() == asked.next() && segments.next() == asked.next()
}

/// The linked vault, and whether it can be used; the inner `None` is that none is linked.
pub(crate) fn linked(one: &Exchanged) -> Option<Option<(String, bool)>> {
    if one.kind != Kind::Linked {
        return None;
    }
    if says(one, "resourceNotFound") {
        return Some(None);
    }
    let answer = one.answer.as_ref().filter(|answer| is_about(answer, one.instance))?;
    let text = |name: &str| answer[name].as_str();
    let vault = format!(
        "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.KeyVault/vaults/{}",
        text("subscriptionId")?,
        text("resourceGroup")?,
        text("keyVaultName")?
    );
    Some(Some((vault, text("accessState")? == "accessible")))
}

/// A private link as Customer Insights told it.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub(crate) id: String,
    /// The name of the storage account.
    pub(crate) account: String,
    /// Endpoints by name, each with its status.
    pub(crate) endpoints: Vec<(String, String)>,
}

/// The private links; none told is `None`.
pub(crate) fn links(one: &Exchanged) -> Option<Vec<Link>> {
    let list = one.answer.as_ref().filter(|_| one.kind == Kind::Links)?.as_array()?;
    let link = |link: &Value| {
        let endpoint = |one: &Value| Some((one["name"].as_str()?.to_owned(), one["status"].as_str()?.to_lowercase()));
        is_about(link, one.instance).then_some(Link {
            id: link["privateLinkId"].as_str()?.to_owned(),
            account: link["resourceName"].as_str()?.to_lowercase(),
            endpoints: link["endpoints"].as_array()?.iter().map(endpoint).collect::<Option<_>>()?,
        })
    };
    list.iter().map(link).collect()
}

/// A private endpoint connection as Azure told it.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    pub(crate) name: String,
    pub(crate) endpoint: String,
    pub(crate) status: String,
}

/// The connections of a storage account, with its name; none told is `None`.
pub(crate) fn connections(one: &Exchanged) -> Option<(String, Vec<Connection>)> {
    let answer = one.answer.as_ref().filter(|_| one.kind == Kind::Account)?;
    let id = answer["id"].as_str().filter(|id| id.eq_ignore_ascii_case(&one.path))?;
    let read = |item: &Value| {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let properties = &item["properties"];
        let status = text(&properties["privateLinkServiceConnectionState"]["status"]);
        Connection { name: text(&item["name"]), endpoint: text(&properties["privateEndpoint"]["id"]), status }
    };
    // A resource that has none may leave the member out.
    let list = answer["properties"]["privateEndpointConnections"].as_array();
    Some((last(id).to_lowercase(), list.into_iter().flatten().map(read).collect()))
}

/// Whether a batch told whom a name means, or that it means nobody.
pub(crate) fn looked_up(one: &Exchanged, name: &str) -> bool {
    let requests = one.sent.as_ref().and_then(|sent| sent["requests"].as_array());
    let responses = one.answer.as_ref().and_then(|answer| answer["responses"].as_array());
    let (Some(requests), Some(responses)) = (requests, responses) else { return false };
    let asks = |request: &&Value| {
        request["url"].as_str().is_some_and(|url| url.replace("%40", "@").to_lowercase().contains(name))
    };
    requests.iter().filter(asks).any(|request| {
        let mut own = responses.iter().filter(|response| response["id"] == request["id"]);
        let answer = own.next().filter(|_| own.next().is_none());
        answer.is_some_and(|answer| match answer["status"].as_u64() {
            Some(200) => ["userPrincipalName", "appId"]
                .iter()
                .any(|member| answer["body"][*member].as_str().is_some_and(|found| found.eq_ignore_ascii_case(name))),
            Some(404) => answer["body"]["error"]["code"] == "Request_ResourceNotFound",
            _ => false,
        })
    })
}
