//! What steps do at the moment of their write, and what a read-back takes for done.

use serde_json::{Value as Json, json};

use crate::azure::testing::{Answers, reader_over, writer_over};
use crate::plan::{ReadBack, Step, StepError};
use crate::settings::binding::{instance, resource};
use crate::settings::private_links::steps::{AddLink, Approve, ApproveNew, RemoveLink};
use crate::terms::ResourceId;

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

const ENDS: [&str; 4] = ["blob", "blobForSynapse", "dfs", "dfsForSynapse"];

fn lake() -> ResourceId {
    resource("Microsoft.Storage/storageAccounts", "lake")
}

fn endpoint(name: &str) -> ResourceId {
    resource("Microsoft.Network/privateEndpoints", name)
}

/// A connection of the account, made by an endpoint of this name.
fn connection(name: &str, status: &str, state: &str) -> Json {
    json!({
        "id": format!("{}/privateEndpointConnections/{name}", lake()),
        "name": name,
        "properties": {
            "privateEndpoint": { "id": endpoint(name).as_str() },
            "privateLinkServiceConnectionState": { "status": status, "description": "" },
            "provisioningState": state,
        },
    })
}

fn account(connections: &[Json]) -> Json {
    json!({
        "id": lake().as_str(),
        "name": "lake",
        "location": "westeurope",
        "kind": "StorageV2",
        "properties": { "privateEndpointConnections": connections },
    })
}

/// The link with endpoints of these names.
fn link(id: &str, endpoints: &[&str]) -> Json {
    let endpoints: Vec<Json> = endpoints
        .iter()
        .map(|end| json!({ "name": format!("pe-lake-{}", end.to_lowercase()), "subResourceType": end, "status": "Pending" }))
        .collect();
    json!({
        "privateLinkId": id,
        "resourceType": "storageAccount",
        "resourceName": "lake",
        "subscriptionId": lake().subscription(),
        "resourceGroup": lake().resource_group(),
        "endpoints": endpoints,
    })
}

/// What the services show of links and connections.
fn services(links: &[Json], connections: &[Json]) -> impl Fn(&str) -> (u16, Json) + use<> {
    let (links, account) = (json!(links), account(connections));
    move |asked| if asked.contains("/privatelinks") { (200, links.clone()) } else { (200, account.clone()) }
}

async fn seen(step: &dyn Step, links: &[Json], connections: &[Json]) -> ReadBack {
    step.read_back(&reader_over(Answers::by(services(links, connections)))).await.unwrap()
}

fn asking(ends: &[&str], status: &str) -> Vec<Json> {
    ends.iter().map(|end| connection(&format!("pe-lake-{}", end.to_lowercase()), status, "Succeeded")).collect()
}

/// A link is there once it has all of its endpoints, and each of them asks on the other side.
#[tokio::test]
async fn a_link_is_added_once_all_of_its_endpoints_ask() {
    let step = |then: Option<&str>| AddLink { instance: instance(1), resource: lake(), then: then.map(str::to_owned) };
    let whole = [link("one", &ENDS)];
    assert_eq!(seen(&step(None), &whole, &asking(&ENDS, "Pending")).await, ReadBack::Shown);
    let then = ReadBack::LeftToOthers("a person approves".into());
    assert_eq!(seen(&step(Some("a person approves")), &whole, &asking(&ENDS, "Pending")).await, then);
    let elsewhere = Json::Object(
        link("one", &ENDS)
            .as_object()
            .unwrap()
            .clone()
            .into_iter()
            .map(|(key, value)| if key == "resourceName" { (key, json!("other")) } else { (key, value) })
            .collect(),
    );
    for (links, connections, why) in [
        (vec![], asking(&ENDS, "Pending"), "Customer Insights doesn't list it"),
        (vec![elsewhere], asking(&ENDS, "Pending"), "Customer Insights doesn't list it"),
        (vec![link("one", &ENDS[..3])], asking(&ENDS, "Pending"), "it has 3 of 4 endpoints"),
        (whole.to_vec(), asking(&ENDS[..3], "Pending"), "pe-lake-dfsforsynapse doesn't show on the Azure side"),
        (whole.to_vec(), Vec::new(), "pe-lake-blob doesn't show on the Azure side"),
    ] {
        assert_eq!(seen(&step(None), &links, &connections).await, ReadBack::NotYet(why.to_owned()));
    }
}

/// A link is gone once it isn't listed; what stays on the other side is said.
#[tokio::test]
async fn a_link_is_removed_once_it_is_not_listed() {
    let step = |look| RemoveLink { instance: instance(1), resource: lake(), link: "one".into(), look };
    let (ours, other) = ([link("one", &ENDS)], [link("two", &ENDS)]);
    let listed = ReadBack::NotYet("Customer Insights still lists it".to_owned());
    assert_eq!(seen(&step(true), &ours, &[]).await, listed);
    assert_eq!(seen(&step(true), &other, &[]).await, ReadBack::Shown);
    let strangers = [connection("backup", "Approved", "Succeeded")];
    assert_eq!(seen(&step(true), &[], &strangers).await, ReadBack::Shown, "not named like ours");
    let left = asking(&ENDS[..2], "Approved");
    assert_eq!(seen(&step(false), &[], &left).await, ReadBack::Shown, "nobody looks");
    let said = "2 of its connections are left behind on lake: remove there what nobody needs";
    assert_eq!(seen(&step(true), &[], &left).await, ReadBack::ShownBut(said.to_owned()));
    let blind = reader_over(Answers::by(|asked| match asked.contains("/privatelinks") {
        true => (200, json!([])),
        false => (403, json!({})),
    }));
    let told = step(true).read_back(&blind).await.unwrap();
    assert!(matches!(&told, ReadBack::ShownBut(why) if why.contains("could not be read")), "{told:?}");
}

/// Approved and at rest is done; what is rejected or gone stays so; whatever else is going on may come true.
#[tokio::test]
async fn an_approval_is_done_once_it_is_settled() {
    let name = "pe-lake-blob";
    let step = |asked: &str| Approve {
        resource: lake(),
        connection: asked.into(),
        endpoint: endpoint(name),
        description: String::new(),
    };
    for asked in [name, "PE-LAKE-Blob"] {
        let shown = seen(&step(asked), &[], &[connection(name, "Approved", "Succeeded")]).await;
        assert_eq!(shown, ReadBack::Shown, "{asked}");
    }
    for (status, state, expected) in [
        ("Approved", "Updating", ReadBack::NotYet("Azure is still at work on it".into())),
        ("Rejected", "Updating", ReadBack::NotYet("Azure is still at work on it".into())),
        ("Rejected", "Succeeded", ReadBack::Gone("it is Rejected".into())),
        ("Disconnected", "Succeeded", ReadBack::Gone("it is Disconnected".into())),
        ("Pending", "Succeeded", ReadBack::NotYet("it is Pending".into())),
    ] {
        let seen = seen(&step(name), &[], &[connection(name, status, state)]).await;
        assert_eq!(seen, expected, "{status}, {state}");
    }
    let gone = ReadBack::Gone("it is gone".into());
    assert_eq!(seen(&step(name), &[], &asking(&ENDS[1..], "Approved")).await, gone);
    assert_eq!(step(name).on(), Some(lake()));
}

fn approve_new() -> ApproveNew {
    ApproveNew {
        instance: instance(1),
        resource: lake(),
        subscription: lake().subscription(),
        description: String::new(),
    }
}

/// Only once every endpoint of the link is open is nothing left to approve.
#[tokio::test]
async fn the_connections_of_a_new_link_are_approved_once_all_are_open() {
    let open = |ends: &[&str]| -> Json {
        let mut link = link("one", ends);
        for endpoint in link["endpoints"].as_array_mut().unwrap() {
            endpoint["status"] = json!("Approved");
        }
        link
    };
    let step = approve_new();
    assert_eq!(seen(&step, &[open(&ENDS)], &asking(&ENDS, "Approved")).await, ReadBack::Shown);
    let incomplete = ReadBack::NotYet("the link doesn't show with all of its endpoints".to_owned());
    assert_eq!(seen(&step, &[open(&ENDS[..3])], &asking(&ENDS, "Approved")).await, incomplete);
    assert_eq!(seen(&step, &[], &asking(&ENDS, "Approved")).await, incomplete);
    let pending = ReadBack::NotYet("pe-lake-blob is still pending".to_owned());
    assert_eq!(seen(&step, &[link("one", &ENDS)], &asking(&ENDS, "Pending")).await, pending);
    let elsewhere = ApproveNew { subscription: uuid::Uuid::from_u128(7), ..approve_new() };
    let told = seen(&elsewhere, &[link("one", &ENDS)], &asking(&ENDS, "Pending")).await;
    assert!(matches!(&told, ReadBack::NotYet(why) if why.contains("isn't from the subscription")), "{told:?}");
    assert_eq!(step.on(), Some(lake()));
}

/// An answer that got lost leaves the others to be approved; what is refused ends the step, part-way once one was sent.
#[tokio::test]
async fn one_approval_that_goes_wrong_is_told_by_what_was_sent_before_it() {
    /// What becomes of the write whose answers come in this order.
    async fn written(answers: &'static [u16]) -> (usize, Result<(), StepError>) {
        written_until(answers, usize::MAX).await
    }
    /// The same where nothing can be read any more after so many writes.
    async fn written_until(answers: &'static [u16], blind: usize) -> (usize, Result<(), StepError>) {
        let (shows, sent) = (services(&[link("one", &ENDS)], &asking(&ENDS, "Pending")), std::cell::Cell::new(0));
        let service = Answers::by(move |asked| {
            if asked.starts_with("GET ") {
                return if sent.get() < blind { shows(asked) } else { (500, json!({})) };
            }
            let status = answers[sent.get().min(answers.len() - 1)];
            sent.set(sent.get() + 1);
            let name = asked.rsplit('/').next().unwrap();
            (status, if status == 200 { connection(name, "Approved", "Succeeded") } else { json!({}) })
        });
        let outcome = approve_new().write(&writer_over(service.clone())).await;
        (service.writes().len(), outcome)
    }
    let (sent, outcome) = written(&[200]).await;
    assert_eq!((sent, outcome.is_ok()), (4, true), "{outcome:?}");
    let (sent, outcome) = written(&[500, 200]).await;
    assert!(
        sent == 4 && matches!(&outcome, Err(StepError::Call(error)) if error.is_ambiguous()),
        "{sent}, {outcome:?}"
    );
    let (sent, outcome) = written(&[400]).await;
    assert!(sent == 1 && matches!(&outcome, Err(StepError::Call(_))), "nothing was approved: {sent}, {outcome:?}");
    for answers in [&[200, 400][..], &[500, 400]] {
        let (sent, outcome) = written(answers).await;
        assert!(sent == 2 && matches!(&outcome, Err(StepError::Ended(_))), "{answers:?}: {sent}, {outcome:?}");
    }
    let (sent, outcome) = written_until(&[200], 1).await;
    assert!(
        sent == 1 && matches!(&outcome, Err(StepError::Ended(_))),
        "what can't be read isn't sent: {sent}, {outcome:?}"
    );
}

/// What a step is about is said by its title.
#[test]
fn steps_are_called_by_what_they_are_about() {
    let add = AddLink { instance: instance(1), resource: lake(), then: None };
    let remove = RemoveLink { instance: instance(1), resource: lake(), link: "one".into(), look: true };
    assert_eq!(
        (add.title().as_str(), remove.title().as_str()),
        ("add a private link to lake", "remove the private link to lake")
    );
    let subscription = lake().subscription();
    assert_eq!(approve_new().title(), format!("approve its connections from the subscription {subscription}"));
}
