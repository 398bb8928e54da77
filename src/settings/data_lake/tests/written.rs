//! What steps send, what they rest on, and what a read-back takes for done.

use super::*;
use crate::azure::testing::{Answers, reader_over, writer_over};
use crate::plan::{Hold, ReadBack, Step, StepError};
use crate::settings::binding::{each_input_counts, resource};
use crate::settings::data_lake::steps::{AssignIdentity, Former, SetAccess, SetEncryption, To};

fn other() -> ResourceId {
    resource("Microsoft.Storage/storageAccounts", "otherlake")
}

fn former(name: &str) -> Former {
    Former { vault: "kv-old".into(), name: name.into(), version: None }
}

fn to(key: KeyRef, uri: &str) -> To {
    To::Customer { key, uri: uri.parse().unwrap() }
}

fn encrypting(from: Option<Former>) -> SetEncryption {
    SetEncryption {
        account: lake(),
        to: to(key("kv-cmk", "lake-key"), "https://kv-cmk.vault.azure.net/"),
        from,
        acting: None,
        busy: None,
    }
}

#[test]
fn approvals_hang_on_what_the_writes_depend_on() {
    each_input_counts(
        Rc::new(AssignIdentity { account: lake() }),
        vec![("account", Rc::new(AssignIdentity { account: other() }))],
        vec![],
    );
    let access = |account, to| Rc::new(SetAccess { account, to });
    each_input_counts(
        access(lake(), Access::Disabled),
        vec![("account", access(other(), Access::Disabled)), ("access", access(lake(), Access::Enabled))],
        vec![],
    );
    let uri = "https://kv-cmk.vault.azure.net/";
    let pinned = KeyRef { version: Some(VERSION.into()), ..key("kv-cmk", "lake-key") };
    let step = |change: &dyn Fn(&mut SetEncryption)| {
        let mut step = encrypting(None);
        change(&mut step);
        Rc::new(step)
    };
    each_input_counts(
        step(&|_| {}),
        vec![
            ("account", step(&|step| step.account = other())),
            ("Microsoft's key", step(&|step| step.to = To::Microsoft)),
            ("vault", step(&|step| step.to = to(key("kv-two", "lake-key"), uri))),
            ("key", step(&|step| step.to = to(key("kv-cmk", "two"), uri))),
            ("version", step(&|step| step.to = to(pinned.clone(), uri))),
            ("replaced key", step(&|step| step.from = Some(former("old")))),
            ("identity", step(&|step| step.acting = Some("/a".into()))),
        ],
        vec![
            step(&|step| step.busy = Some("it waits".into())),
            step(&|step| step.to = to(key("kv-cmk", "lake-key"), "https://elsewhere/")),
        ],
    );
    let holds = vec![Hold::resource(&lake())];
    assert_eq!((encrypting(None).holds(), access(lake(), Access::Disabled).holds()), (holds.clone(), holds));
}

fn body(identity: Json, properties: Json) -> Json {
    json!({ "id": lake().as_str(), "name": "contosolake", "location": "westeurope", "identity": identity, "properties": properties })
}

/// Sends a step to an account like this; what was written, and how it ended.
async fn sent(step: &dyn Step, live: Json) -> (Vec<Json>, Result<(), StepError>) {
    let service = Answers::by(move |_| (200, live.clone()));
    let outcome = step.write(&writer_over(service.clone())).await;
    (service.bodies(), outcome)
}

#[tokio::test]
async fn identities_are_added_to_and_encryption_is_sent_whole() {
    let map = json!({ given().as_str(): { "principalId": GIVEN, "clientId": GIVEN } });
    let identity = json!({ "type": "UserAssigned", "userAssignedIdentities": map });
    let (bodies, outcome) = sent(&AssignIdentity { account: lake() }, body(identity, json!({}))).await;
    outcome.unwrap();
    let both = json!({ "type": "SystemAssigned,UserAssigned", "userAssignedIdentities": { given().as_str(): {} } });
    assert_eq!(bodies, [json!({ "identity": both })]);
    let own = json!({ "type": "SystemAssigned", "principalId": OWN });
    assert!(sent(&AssignIdentity { account: lake() }, body(own, json!({}))).await.0.is_empty());

    let services = json!({ "blob": { "enabled": true, "keyType": "Account" }, "table": { "enabled": true } });
    let live = json!({ "keySource": "Microsoft.Storage", "services": services, "requireInfrastructureEncryption": true,
                       "anythingNew": { "a": 1 } });
    let (bodies, outcome) = sent(&encrypting(None), body(Json::Null, json!({ "encryption": live }))).await;
    outcome.unwrap();
    let mut expected = live.clone();
    expected["keySource"] = json!("Microsoft.Keyvault");
    expected["keyvaultproperties"] =
        json!({ "keyvaulturi": "https://kv-cmk.vault.azure.net", "keyname": "lake-key", "keyversion": "" });
    assert_eq!(bodies, [json!({ "properties": { "encryption": expected } })]);

    let back = SetEncryption { to: To::Microsoft, ..encrypting(Some(former("lake-key"))) };
    let mut live = json!(encrypted("kv-old", "lake-key", ""));
    live["services"] = services.clone();
    let (bodies, outcome) = sent(&back, body(Json::Null, json!({ "encryption": live }))).await;
    outcome.unwrap();
    let expected = json!({ "keySource": "Microsoft.Storage", "keyvaultproperties": null, "services": services });
    assert_eq!(bodies, [json!({ "properties": { "encryption": expected } })]);

    let access = SetAccess { account: lake(), to: Access::Disabled };
    let acls = json!({ "defaultAction": "Deny", "ipRules": [{ "value": "203.0.113.7" }] });
    let (bodies, _) = sent(&access, body(Json::Null, json!({ "networkAcls": acls }))).await;
    assert_eq!(bodies, [json!({ "properties": { "publicNetworkAccess": "Disabled" } })]);
}

/// Whatever is there by now and isn't what the plan saw is left alone.
#[tokio::test]
async fn a_step_writes_only_over_what_the_plan_saw() {
    let at = |encryption: Encryption| {
        let current = encryption.key.as_ref().and_then(|key| key.current.clone());
        let mut live = json!(encryption);
        if let Some(current) = current {
            live["keyvaultproperties"]["currentVersionedKeyIdentifier"] = json!(current);
        }
        body(Json::Null, json!({ "encryption": live }))
    };
    let mut acting = microsofts();
    acting.identity = serde_json::from_value(json!({ "userAssignedIdentity": given().as_str() })).unwrap();
    for (step, live) in [
        (encrypting(None), at(encrypted("kv-third", "k", ""))),
        (encrypting(Some(former("old"))), at(microsofts())),
        (encrypting(None), at(acting)),
    ] {
        let (bodies, outcome) = sent(&step, live).await;
        assert!(bodies.is_empty() && matches!(outcome, Err(StepError::Stopped(_))), "{outcome:?}");
    }
    let (bodies, outcome) = sent(&encrypting(None), at(encrypted("kv-cmk", "lake-key", ""))).await;
    assert!(bodies.is_empty() && outcome.is_ok(), "another run was faster");
    let busy = SetEncryption { busy: Some("it waits".into()), ..encrypting(None) };
    let (bodies, outcome) = sent(&busy, at(microsofts())).await;
    assert!(bodies.is_empty() && matches!(outcome, Err(StepError::Late { wrote: false, .. })));
    let access = SetAccess { account: lake(), to: Access::Disabled };
    for (word, stops) in [("SecuredByPerimeter", true), ("Sometimes", true), ("Disabled", false)] {
        let (bodies, outcome) = sent(&access, body(Json::Null, json!({ "publicNetworkAccess": word }))).await;
        assert_eq!((bodies.len(), outcome.is_err()), (0, stops), "{word}");
    }
}

#[tokio::test]
async fn done_is_what_shows() {
    let read = async |step: &dyn Step, live: Json| {
        step.read_back(&reader_over(Answers::by(move |_| (200, live.clone())))).await.unwrap()
    };
    let shown = json!({ "keySource": "Microsoft.Keyvault", "keyvaultproperties": {
        "keyvaulturi": "https://kv-cmk.vault.azure.net/", "keyname": "lake-key",
        "currentVersionedKeyIdentifier": format!("https://kv-cmk.vault.azure.net/keys/lake-key/{VERSION}") } });
    let at = |encryption: &Json| body(Json::Null, json!({ "encryption": encryption }));
    assert_eq!(read(&encrypting(None), at(&shown)).await, ReadBack::Shown);
    let mut nameless = shown.clone();
    nameless["keyvaultproperties"].as_object_mut().unwrap().remove("currentVersionedKeyIdentifier");
    for not_yet in [nameless, json!({ "keySource": "Microsoft.Storage" })] {
        assert!(matches!(read(&encrypting(None), at(&not_yet)).await, ReadBack::NotYet(_)), "{not_yet}");
    }
    assert!(matches!(read(&encrypting(None), body(Json::Null, json!({}))).await, ReadBack::Unread(_)));
    let assign = AssignIdentity { account: lake() };
    let own = json!({ "type": "SystemAssigned", "principalId": OWN });
    assert_eq!(read(&assign, body(own, json!({}))).await, ReadBack::Shown);
    for identity in [json!({ "type": "SystemAssigned" }), Json::Null] {
        assert!(matches!(read(&assign, body(identity, json!({}))).await, ReadBack::NotYet(_)));
    }
    let access = SetAccess { account: lake(), to: Access::Enabled };
    assert_eq!(read(&access, body(Json::Null, json!({}))).await, ReadBack::Shown);
    let closed = body(Json::Null, json!({ "publicNetworkAccess": "Disabled" }));
    assert!(matches!(read(&access, closed).await, ReadBack::NotYet(_)));
}

/// A grant that Azure shows may be unknown to storage for a while.
#[tokio::test]
async fn a_grant_that_does_not_count_yet_is_waited_for() {
    let live = body(Json::Null, json!({ "encryption": microsofts() }));
    let refused = json!({ "error": { "code": "KeyVaultAuthenticationFailure", "message": "no" } });
    let service = Answers::by(move |asked| match asked.starts_with("GET ") {
        true => (200, live.clone()),
        false => (400, refused.clone()),
    });
    let outcome = encrypting(None).write(&writer_over(service)).await;
    assert!(matches!(outcome, Err(StepError::Late { wrote: false, .. })), "{outcome:?}");
}
