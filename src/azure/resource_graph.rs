//! Azure Resource Graph: finding resources across subscriptions.
//!
//! It is behind the services by seconds to minutes, and property names may be spelled otherwise than there. What must stay
//! true: what is found is a hint of where to look, never the basis of a write or of "there is none".

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::access::Reader;
use super::arm;
use super::call::{self, Call};
use super::error::CallError;
use super::operations::QUERY_RESOURCE_GRAPH;
use super::pages;
use super::private_endpoints::Status;
use crate::terms::ResourceId;

/// Rows of a page, which is as many as there can be.
const PAGE: u32 = 1000;
/// The most pages; more are taken for a service that goes round in circles.
const MOST_PAGES: usize = 1000;

/// The connections of all three providers. Items inside a vault have no name, so ids are taken.
const CONNECTIONS: &str = "resources\
    | where type in~ ('microsoft.storage/storageaccounts', 'microsoft.synapse/workspaces', 'microsoft.keyvault/vaults')\
    | mv-expand connection = properties.privateEndpointConnections\
    | project id, connection = tostring(connection.id), endpoint = tostring(connection.properties.privateEndpoint.id), \
      status = tostring(connection.properties.privateLinkServiceConnectionState.status)\
    | order by id asc";

/// A private endpoint connection that was found.
#[derive(Debug, Clone, Deserialize)]
pub struct FoundConnection {
    /// The resource that it leads to.
    pub id: ResourceId,
    /// Its id; the last segment is its name.
    pub connection: String,
    /// The id of the endpoint that asked for it.
    pub endpoint: String,
    /// Where it stood.
    pub status: Status,
}

#[derive(Deserialize)]
struct Answer {
    data: Vec<Json>,
    #[serde(rename = "resultTruncated")]
    truncated: Option<String>,
    #[serde(rename = "$skipToken")]
    skip_token: Option<String>,
}

/// The ids of all resources of a type that the caller sees in these subscriptions.
/// `POST /providers/Microsoft.ResourceGraph/resources`
pub async fn find(reader: &Reader, subscriptions: &BTreeSet<Uuid>, kind: &str) -> Result<Vec<ResourceId>, CallError> {
    #[derive(Deserialize)]
    struct Row {
        id: ResourceId,
    }
    // A quote would end the text, and no type has one.
    let kind = kind.replace(['\'', '"', '\\'], "");
    let query = format!("resources | where type =~ '{kind}' | project id, name, location | order by id asc");
    Ok(rows::<Row>(reader, subscriptions, &query).await?.into_iter().map(|row| row.id).collect())
}

/// All private endpoint connections of storage accounts, Synapse workspaces and vaults that the caller sees in these
/// subscriptions. `POST /providers/Microsoft.ResourceGraph/resources`
pub async fn connections(reader: &Reader, subscriptions: &BTreeSet<Uuid>) -> Result<Vec<FoundConnection>, CallError> {
    rows(reader, subscriptions, CONNECTIONS).await
}

async fn rows<T: serde::de::DeserializeOwned>(
    reader: &Reader,
    subscriptions: &BTreeSet<Uuid>,
    query: &str,
) -> Result<Vec<T>, CallError> {
    let call = |token: Option<&str>| {
        let mut options = json!({ "resultFormat": "objectArray", "$top": PAGE });
        if let Some(token) = token {
            options["$skipToken"] = json!(token);
        }
        let body = json!({ "subscriptions": subscriptions, "query": query, "options": options });
        Call::of(&QUERY_RESOURCE_GRAPH).json(arm::JSON, &body)
    };
    let read = |answer: &call::Answer| {
        let Answer { data, truncated, skip_token: next } = answer.json()?;
        if truncated.as_deref() == Some("true") && next.as_deref().unwrap_or_default().is_empty() {
            return Err(answer.unreadable("it is cut off"));
        }
        let items = data.into_iter().map(serde_json::from_value).collect::<Result<Vec<T>, _>>();
        Ok(pages::Page { items: items.map_err(|_| answer.unreadable("a row lacks a column"))?, next })
    };
    Ok(pages::whole(reader, call(None), MOST_PAGES, |token| Ok(call(Some(token))), read).await?.0)
}
