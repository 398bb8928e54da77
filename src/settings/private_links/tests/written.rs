//! What an approval does at the moment of its write.

use serde_json::json;

use crate::azure::testing::{Answers, writer_over};
use crate::plan::{Step as _, StepError};
use crate::settings::binding::resource;
use crate::settings::private_links::steps::Approve;

/// Names of connections can be made by anyone: the endpoint behind the name must be the one that the plan listed.
#[tokio::test]
async fn a_connection_that_leads_to_another_endpoint_by_now_is_not_approved() {
    let account = resource("Microsoft.Storage/storageAccounts", "lake");
    let endpoint = resource("Microsoft.Network/privateEndpoints", "listed");
    let other = resource("Microsoft.Network/privateEndpoints", "other");
    let table = [
        (Some(&endpoint), "Pending", "lake.1", true, true),
        (Some(&other), "Pending", "lake.1", false, false),
        (None, "Pending", "lake.1", false, false),
        (Some(&endpoint), "Pending", "lake.2", false, false),
        (Some(&endpoint), "Rejected", "lake.1", false, false),
        // Somebody was faster, which is no failure, and nothing to be sent.
        (Some(&endpoint), "Approved", "lake.1", false, true),
        (Some(&other), "Approved", "lake.1", false, false),
    ];
    for (live, status, name, written, fine) in table {
        let connection = json!({
            "id": format!("{account}/privateEndpointConnections/{name}"),
            "name": name,
            "properties": {
                "privateEndpoint": live.map(|id| json!({ "id": id.as_str() })),
                "privateLinkServiceConnectionState": { "status": status, "description": "" },
                "provisioningState": "Succeeded",
            },
        });
        let body = json!({
            "id": account.as_str(),
            "name": "lake",
            "location": "westeurope",
            "kind": "StorageV2",
            "properties": { "privateEndpointConnections": [connection.clone()] },
        });
        let service = Answers::by(move |asked| match asked.starts_with("GET ") {
            true => (200, body.clone()),
            false => (200, connection.clone()),
        });
        let step = Approve {
            resource: account.clone(),
            connection: "lake.1".into(),
            endpoint: endpoint.clone(),
            description: String::new(),
        };
        let outcome = step.write(&writer_over(service.clone())).await;
        let what = format!("{live:?}, {status}, {name}: {outcome:?}");
        assert_eq!(!service.writes().is_empty(), written, "{what}");
        assert_eq!(outcome.is_ok(), fine, "{what}");
        assert!(fine || matches!(outcome, Err(StepError::Stopped(_))), "{what}");
    }
}
