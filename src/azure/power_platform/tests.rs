//! What answers are taken for, whatever words they use.

use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value as Json, json};

use super::environments::{self, ProtectionLevel, Sku};
use super::operations::{self, Kind, Polled, State};
use super::policies::{self, Hint};
use super::*;
use crate::azure::exchange::{Broken, Exchange, Request, Response};
use crate::azure::testing::{Answers, reader_over, writer_in_cloud, writer_over};

const ARM_ID: &str = "/subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg/providers/Microsoft.PowerPlatform/enterprisePolicies/cmk";
const SYSTEM: &str =
    "/regions/europe/providers/Microsoft.PowerPlatform/enterprisePolicies/5e0c9c1a-0000-4000-8000-000000000001";

fn id(text: &str) -> EnvironmentId {
    EnvironmentId::new(text).unwrap()
}

fn environment(policies: &Json) -> Json {
    json!({ "name": "E1", "id": "/providers/Microsoft.BusinessAppPlatform/scopes/admin/environments/E1", "location": "europe",
            "properties": { "environmentSku": "Galactic", "governanceConfiguration": { "protectionLevel": "standard" },
                            "enterprisePolicies": policies } })
}

async fn read(body: Json) -> Result<environments::Environment, CallError> {
    environments::get(&reader_over(Answers::by(move |_| (200, body.clone()))), &id("e1")).await
}

#[tokio::test]
async fn members_may_be_missing_or_unknown_and_are_found_in_any_case() {
    let link = json!({ "id": ARM_ID, "SystemId": SYSTEM, "linkStatus": "Pondering" });
    for name in ["customerManagedKeys", "CustomerManagedKeys", "customermanagedkeys"] {
        let found = read(environment(&json!({ name: link, "VNets": link, "unheard": 7 }))).await.unwrap();
        let Links { encryption, network_injection, identity } = found.links;
        let encryption = encryption.unwrap();
        assert_eq!(encryption.policy.unwrap().as_str(), ARM_ID);
        assert_eq!(encryption.system_id, Some(SystemId::new(SYSTEM.to_uppercase()).unwrap()));
        assert_eq!(encryption.status, Some(LinkStatus::Other("Pondering".into())));
        assert!(network_injection.is_some() && identity.is_none());
        assert_eq!(
            (found.sku, found.protection_level),
            (Some(Sku::Other("Galactic".into())), Some(ProtectionLevel::Standard))
        );
    }
    for none in [json!(null), json!({}), json!({ "customerManagedKeys": null })] {
        assert_eq!(read(environment(&none)).await.unwrap().links, Links::default());
    }
    // It tells neither that there is no link nor that there is no organisation.
    assert!(read(json!({ "name": "e1" })).await.is_err());
    let alone = read(json!({ "name": "e1", "properties": {} })).await.unwrap();
    assert_eq!(alone.dataverse, None);
}

#[tokio::test]
async fn a_link_that_can_not_be_read_is_not_taken_for_none() {
    let link = json!({ "id": ARM_ID });
    for broken in [
        json!({ "customerManagedKeys": {} }),
        json!({ "customerManagedKeys": "yes" }),
        json!({ "customerManagedKeys": { "id": ARM_ID, "linkStatus": 7 } }),
        json!({ "customerManagedKeys": link, "CustomerManagedKeys": link }),
        json!([]),
    ] {
        let error = read(environment(&broken)).await.unwrap_err();
        assert!(matches!(error.failure, Failure::Unreadable { .. }), "{broken}: {error}");
    }
}

#[tokio::test]
async fn an_answer_about_another_environment_is_refused() {
    for (name, path) in [("E2", "E1"), ("E1", "E2")] {
        let body = json!({ "name": name, "id": format!("/x/{path}") });
        assert!(read(body).await.unwrap_err().to_string().contains("was asked for"), "{name} {path}");
    }
    assert!(read(json!({})).await.is_err());
    // The other service shows the id alone.
    let published = |body: Json| async move {
        environments::get_published(&reader_over(Answers::by(move |_| (200, body.clone()))), &id("e1")).await
    };
    let links = json!({ "encryption": { "id": "5e0c9c1a-0000-4000-8000-000000000001", "resourceId": ARM_ID,
                                        "status": "Failed", "error": { "code": "C", "message": "no key" } } });
    let found = published(json!({ "id": "E1", "type": "Production", "enterprisePolicies": links })).await.unwrap();
    let link = found.links.encryption.unwrap();
    assert_eq!((link.status, link.error.as_deref()), (Some(LinkStatus::Failed), Some("no key")));
    assert_eq!((link.policy.unwrap().as_str(), link.policy_id.unwrap().len()), (ARM_ID, 36));
    assert!(published(json!({ "id": "e2" })).await.is_err());
}

/// Answers by the query of what is asked.
struct Pages<F>(F);

#[async_trait::async_trait(?Send)]
impl<F: Fn(&str) -> Json> Exchange for Pages<F> {
    async fn exchange(&self, request: Request) -> Result<Response, Broken> {
        let body = (self.0)(request.url.query().unwrap_or_default()).to_string();
        let (status, headers) = (http::StatusCode::OK, http::HeaderMap::new());
        Ok(Response { status, headers, body: body.into_bytes().into() })
    }
}

#[tokio::test]
async fn lists_go_on_by_whichever_word_the_service_has() {
    let first = |link: &'static str| {
        Rc::new(Pages(move |query: &str| match query.contains("page=2") {
            true => json!({ "value": [{ "name": "e2", "id": "e2", "properties": {} }] }),
            false => {
                json!({ "value": [{ "name": "e1", "id": "e1", "properties": {} }], link: "http://localhost/x?page=2" })
            }
        }))
    };
    for link in ["nextLink", "@odata.nextlink", "@odata.nextLink"] {
        assert_eq!(environments::list(&reader_over(first(link))).await.unwrap().len(), 2, "{link}");
        assert_eq!(environments::list_published(&reader_over(first(link))).await.unwrap().len(), 2, "{link}");
    }
    // It would be a part taken for the whole.
    assert!(environments::list(&reader_over(first("continuationToken"))).await.is_err());
    let tokens = Rc::new(Pages(|query: &str| match query.contains("continuationToken=a%2Fb") {
        true => json!({ "collection": [{ "operationId": "1", "status": "NoOperation" }], "continuationToken": "" }),
        false => json!({ "collection": [{ "operationId": "2", "status": "Queued" }], "continuationToken": "a/b" }),
    }));
    let all = operations::list_published(&reader_over(tokens), &id("e1")).await.unwrap();
    assert_eq!(all.iter().map(|one| one.state.clone()).collect::<Vec<_>>(), [State::NotStarted, State::Succeeded]);
    for broken in [json!({}), json!({ "value": [], "collection": [] }), json!({ "value": null }), json!([])] {
        let shown = broken.to_string();
        let reader = reader_over(Rc::new(Pages(move |_: &str| broken.clone())));
        assert!(environments::list(&reader).await.is_err(), "{shown}");
    }
    let twice = reader_over(Rc::new(Pages(
        |_: &str| json!({ "value": [{ "name": "e1", "properties": {} }, { "name": "E1", "properties": {} }] }),
    )));
    assert!(environments::list(&twice).await.unwrap_err().to_string().contains("twice"));
}

fn operation(state: &str) -> Json {
    json!({ "id": "0001", "type": { "id": "NewCustomerManagedKey" }, "state": { "id": state },
            "links": { "environment": { "path": "/providers/Microsoft.BusinessAppPlatform/environments/E1" } },
            "createdDateTime": "2026-08-01T10:00:00.1234567Z" })
}

#[tokio::test]
async fn a_list_of_operations_is_about_its_environment() {
    let list = |all: Json| {
        let reader = reader_over(Rc::new(Pages(move |_: &str| json!({ "value": all }))));
        async move { operations::list(&reader, &id("e1")).await }
    };
    let mut later = operation("Running");
    later["id"] = json!("0002");
    later["createdDateTime"] = json!("2026-08-02T10:00:00Z");
    let found = list(json!([operation("Failed"), later])).await.unwrap();
    assert_eq!(found.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["0002", "0001"]);
    assert_eq!((found[0].kind.clone(), found[0].state.is_over()), (Some(Kind::NewCustomerManagedKey), false));
    let mut other = operation("Failed");
    other["links"]["environment"]["path"] = json!("/providers/x/environments/E2");
    assert!(list(json!([other])).await.unwrap_err().to_string().contains("another environment"));
    assert!(list(json!([operation("Failed"), operation("Running")])).await.unwrap_err().to_string().contains("twice"));
    assert!(!list(json!([operation("Dreaming")])).await.unwrap()[0].state.is_over());
}

#[tokio::test]
async fn the_stage_that_matters_is_the_one_that_failed_or_goes_on() {
    let stages = |states: &[(&str, &str)]| -> Json {
        states.iter().map(|(name, state)| json!({ "id": name, "state": { "id": state } })).collect()
    };
    for (state, states, expected) in [
        ("Failed", &[("Validate", "Succeeded"), ("Prepare", "Failed")][..], Some("Prepare")),
        ("Failed", &[("Validate", "Succeeded"), ("Prepare", "Odd")], Some("Prepare")),
        ("Running", &[("Validate", "Succeeded"), ("Run", "Running"), ("Finalize", "NotStarted")], Some("Run")),
        ("Running", &[("Validate", "Succeeded"), ("Prepare", "NotStarted")], Some("Prepare")),
        ("NotStarted", &[], None),
    ] {
        let mut body = operation(state);
        body["stages"] = stages(states);
        let found = operations::get(&reader_over(Answers::by(move |_| (200, body.clone()))), "0001").await.unwrap();
        assert_eq!(found.stage().map(|stage| stage.name.as_str()), expected, "{state} {states:?}");
    }
}

/// One status and headers for everything, and a count of the requests.
struct Always(u16, Vec<(&'static str, String)>, Json, std::cell::Cell<u32>);

#[async_trait::async_trait(?Send)]
impl Exchange for Always {
    async fn exchange(&self, _: Request) -> Result<Response, Broken> {
        self.3.set(self.3.get() + 1);
        let mut headers = http::HeaderMap::new();
        for (name, value) in &self.1 {
            headers.insert(*name, value.parse().unwrap());
        }
        let body = if self.2.is_null() { Vec::new() } else { self.2.to_string().into_bytes() };
        Ok(Response { status: http::StatusCode::from_u16(self.0).unwrap(), headers, body: body.into() })
    }
}

async fn started(status: u16, headers: Vec<(&'static str, String)>, body: Json) -> (Result<Started, CallError>, u32) {
    let service = Rc::new(Always(status, headers, body, std::cell::Cell::default()));
    let outcome = policies::link(&writer_over(service.clone()), &id("e1"), &SystemId::new(SYSTEM).unwrap()).await;
    (outcome, service.3.get())
}

#[tokio::test]
async fn a_conflict_is_an_answer_and_a_start_is_sent_once() {
    let busy = json!({ "error": { "code": "OperationNotStartable", "message": "m" } });
    let (Ok(Started::Conflict(conflict)), 1) = started(409, Vec::new(), busy).await else { panic!("no conflict") };
    assert!(conflict.is_busy() && conflict.message.as_deref() == Some("m"));
    let (Ok(Started::Conflict(conflict)), 1) = started(409, Vec::new(), Json::Null).await else {
        panic!("no conflict")
    };
    assert_eq!((conflict.is_busy(), conflict.code), (false, None));
    assert_eq!(started(204, Vec::new(), Json::Null).await.0.unwrap(), Started::Nothing);
    for ambiguous in [500, 502, 503, 504, 408] {
        let (outcome, sent) = started(ambiguous, vec![("retry-after", "1".into())], Json::Null).await;
        assert!(outcome.unwrap_err().is_ambiguous() && sent == 1, "{ambiguous}");
    }
    let (outcome, sent) =
        started(400, Vec::new(), json!({ "error": { "code": "InvalidLifecycleOperationRequest" } })).await;
    assert_eq!((outcome.unwrap_err().code(), sent), (Some("InvalidLifecycleOperationRequest"), 1));
}

/// What others created under that name meanwhile would be replaced.
#[tokio::test]
async fn a_policy_is_sent_once_whatever_becomes_of_the_answer() {
    let vault =
        "/subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv";
    for ambiguous in [500, 502, 503, 504, 408] {
        let service =
            Rc::new(Always(ambiguous, vec![("retry-after", "1".into())], Json::Null, std::cell::Cell::default()));
        let draft = policies::Draft {
            location: "europe".into(),
            vault: vault.parse().unwrap(),
            key: "k".into(),
            version: None,
        };
        let outcome = policies::put(&writer_over(service.clone()), &ARM_ID.parse().unwrap(), &draft).await;
        assert!(outcome.unwrap_err().is_ambiguous() && service.3.get() == 1, "{ambiguous}");
    }
}

#[tokio::test]
async fn either_header_leads_to_the_operation_and_no_other_place_sees_a_token() {
    let path = "providers/Microsoft.BusinessAppPlatform/lifecycleOperations/0001?api-version=2019-10-01";
    let accepted = |name: &'static str, address: String| async move {
        match started(202, vec![(name, address), ("retry-after", "7".into())], Json::Null).await.0.unwrap() {
            Started::Accepted(handle) => handle,
            other => panic!("{other:?}"),
        }
    };
    for header in ["location", "operation-location"] {
        let mut handle = accepted(header, format!("http://localhost/{path}")).await;
        assert_eq!((handle.operation_id().as_deref(), handle.wait()), (Some("0001"), Duration::from_secs(7)));
        // It outlives the run.
        handle = serde_json::from_str(&serde_json::to_string(&handle).unwrap()).unwrap();
        for (status, body, expected) in
            [(202, Json::Null, Polled::Running), (409, Json::Null, Polled::Running), (404, Json::Null, Polled::Gone)]
        {
            let service = Rc::new(Always(status, Vec::new(), body, std::cell::Cell::default()));
            assert_eq!(operations::poll(&reader_over(service), &mut handle).await.unwrap(), expected, "{status}");
        }
        let reader = reader_over(Rc::new(Always(200, Vec::new(), operation("Failed"), std::cell::Cell::default())));
        let Ok(Polled::Seen(seen)) = operations::poll(&reader, &mut handle).await else { panic!("not seen") };
        assert_eq!(seen.state, State::Failed);
        let mut other = operation("Succeeded");
        other["id"] = json!("0002");
        let reader = reader_over(Rc::new(Always(200, Vec::new(), other, std::cell::Cell::default())));
        assert!(operations::poll(&reader, &mut handle).await.is_err());
    }
    let mut foreign = accepted("location", format!("https://evil.example/{path}")).await;
    let service = Rc::new(Always(200, Vec::new(), operation("Succeeded"), std::cell::Cell::default()));
    let refused = operations::poll(&reader_over(service.clone()), &mut foreign).await.unwrap_err();
    assert!(matches!(refused.failure, Failure::HostRefused { .. }) && service.3.get() == 0);
    let mut nowhere = accepted("x-other", "1".into()).await;
    assert_eq!(operations::poll(&reader_over(service), &mut nowhere).await.unwrap(), Polled::NoAddress);
}

/// Accepts what is started, telling a place for it; notes the addresses that are asked.
struct Regional(String, std::cell::RefCell<Vec<String>>);

#[async_trait::async_trait(?Send)]
impl Exchange for Regional {
    async fn exchange(&self, request: Request) -> Result<Response, Broken> {
        self.1.borrow_mut().push(request.url.to_string());
        let (mut headers, accepts) = (http::HeaderMap::new(), request.method == http::Method::POST);
        headers.insert("location", self.0.parse().unwrap());
        let body = if accepts { Vec::new() } else { operation("Running").to_string().into_bytes() };
        let status = if accepts { http::StatusCode::ACCEPTED } else { http::StatusCode::OK };
        Ok(Response { status, headers, body: body.into() })
    }
}

#[tokio::test]
async fn an_operation_is_followed_to_the_regions_host_and_no_further() {
    let path = "/providers/Microsoft.BusinessAppPlatform/lifecycleOperations/0001?api-version=2019-10-01";
    for (host, followed) in [
        ("https://europe.api.bap.microsoft.com", true),
        ("https://api.bap.microsoft.com", true),
        ("https://europe.api.bap.microsoft.us", false),
        ("https://evilapi.bap.microsoft.com", false),
        ("http://europe.api.bap.microsoft.com", false),
        ("https://api.powerplatform.com", false),
    ] {
        let service = Rc::new(Regional(format!("{host}{path}"), std::cell::RefCell::default()));
        let writer = writer_in_cloud(service.clone());
        let started = policies::link(&writer, &id("e1"), &SystemId::new(SYSTEM).unwrap()).await.unwrap();
        let Started::Accepted(mut handle) = started else { panic!("{started:?}") };
        let polled = operations::poll(writer.reader(), &mut handle).await;
        let asked = service.1.borrow();
        assert!(asked[0].starts_with("https://api.bap.microsoft.com/providers/"), "{asked:?}");
        match followed {
            true => assert_eq!((polled.is_ok(), asked[1].as_str()), (true, format!("{host}{path}").as_str()), "{host}"),
            false => {
                assert!(matches!(polled.unwrap_err().failure, Failure::HostRefused { .. }), "{host}");
                assert_eq!(asked.len(), 1, "{host}");
            }
        }
    }
}

fn policy(identity: &Json) -> Json {
    json!({ "id": ARM_ID.to_uppercase(), "name": "cmk", "location": "europe", "kind": "Encryption", "identity": identity,
            "properties": { "systemId": SYSTEM, "healthStatus": "Running",
                            "encryption": { "keyVault": { "id": "not an id", "key": { "name": "k", "version": "" } } } } })
}

#[tokio::test]
async fn an_identity_has_two_names_and_one_value() {
    let read = |identity: Json| async move {
        policies::get(&reader_over(Answers::by(move |_| (200, policy(&identity)))), &ARM_ID.parse().unwrap()).await
    };
    let (one, two) = ("9d1e7a55-0000-4000-8000-00000000d001", "9d1e7a55-0000-4000-8000-00000000d002");
    for identity in [
        json!({ "type": "SystemAssigned", "principalId": one }),
        json!({ "type": "SystemAssigned", "systemAssignedIdentityPrincipalId": one }),
        json!({ "principalId": one, "systemAssignedIdentityPrincipalId": one }),
    ] {
        let found = read(identity).await.unwrap().unwrap();
        assert_eq!(found.principal.unwrap().to_string(), one);
        let key = found.key.unwrap();
        assert_eq!((key.vault, key.name.as_deref(), key.version), (None, Some("k"), None));
        assert_eq!(found.health, Some(policies::Health::Other("Running".into())));
    }
    for none in [json!(null), json!({ "type": "SystemAssigned" }), json!({ "principalId": null })] {
        assert_eq!(read(none).await.unwrap().unwrap().principal, None);
    }
    let both = read(json!({ "principalId": one, "systemAssignedIdentityPrincipalId": two })).await;
    assert!(both.unwrap_err().to_string().contains("two identities"));
}

#[tokio::test]
async fn only_arms_word_proves_that_a_policy_is_not_there_and_no_word_that_an_environment_is_not() {
    let get = |status, code: &'static str| async move {
        let reader = reader_over(Answers::by(move |_| (status, json!({ "error": { "code": code } }))));
        policies::get(&reader, &ARM_ID.parse().unwrap()).await
    };
    assert_eq!(get(404, "ResourceNotFound").await.unwrap(), None);
    assert!(get(404, "SubscriptionNotFound").await.is_err() && get(404, "NotServedByEmulator").await.is_err());
    let hidden = |status, code: &'static str| async move {
        let reader = reader_over(Answers::by(move |_| (status, json!({ "error": { "code": code } }))));
        may_be_hidden(&environments::get(&reader, &id("e1")).await.unwrap_err())
    };
    assert!(hidden(404, "EnvironmentNotFound").await);
    assert!(!hidden(403, "EnvironmentNotFound").await && !hidden(404, "Other").await);
}

#[tokio::test]
async fn a_hint_that_contradicts_itself_is_none() {
    let rule = |kind: &str| json!({ "type": { "id": kind }, "reason": { "message": "m", "type": "GovernanceConfig" } });
    let body = json!({ "allowedOperations": [rule("Enable"), rule("NewCustomerManagedKey")],
                       "disallowedOperations": [rule("NewCustomerManagedKey"), rule("RevertToMicrosoftKey")] });
    let reader = reader_over(Answers::by(move |_| (200, body.clone())));
    let hints = policies::enforcement(&reader, &id("e1")).await.unwrap();
    assert_eq!(hints.says(&Kind::Enable), Hint::Allowed);
    assert_eq!(hints.says(&Kind::RevertToMicrosoftKey), Hint::Disallowed(Some("m".into())));
    assert_eq!(hints.says(&Kind::NewCustomerManagedKey), Hint::Silent);
    assert_eq!(hints.says(&Kind::RotateCustomerManagedKey), Hint::Silent);
}

#[tokio::test]
async fn an_id_is_a_text_that_stays_in_its_segment() {
    let service = Answers::by(|_| (404, json!({})));
    let reader = reader_over(service.clone());
    for text in ["Default-7b1f0c52-0000-4000-8000-0000000000aa", "a/../b?c", "ünï"] {
        let _ = environments::get(&reader, &id(text)).await;
    }
    let front = "GET /providers/Microsoft.BusinessAppPlatform/scopes/admin/environments";
    assert_eq!(
        *service.asked.borrow(),
        [
            format!("{front}/Default-7b1f0c52-0000-4000-8000-0000000000aa"),
            format!("{front}/a%2F..%2Fb%3Fc"),
            format!("{front}/%C3%BCn%C3%AF"),
        ]
    );
    assert!(EnvironmentId::new("").is_err() && EnvironmentId::new(" ").is_err());
    assert!(environments::get(&reader, &id("..")).await.is_err());
    assert_eq!(id("DEFAULT-a"), id("Default-A"));
}
