//! API keys: read, regenerated, tried.

use palisade::azure::customer_insights::{
    ApiKeys, KeyCheck, activate_api_access, check_key, deactivate_api_access, list_keys, regenerate_key,
};
use secrecy::{ExposeSecret as _, SecretString};

use crate::support::{Services, instance};
use palisade::terms::Slot;

fn text(keys: &ApiKeys, slot: Slot) -> String {
    keys.get(slot).expose_secret().to_owned()
}

fn verdict(check: &KeyCheck) -> &'static str {
    match check {
        KeyCheck::Accepted => "accepted",
        KeyCheck::Refused => "refused",
        KeyCheck::Unknown(_) => "unknown",
    }
}

#[tokio::test]
async fn keys_are_read_regenerated_and_tried() {
    let services = Services::with(|_| {}, "").await;
    let writer = services.admin();
    let reader = writer.reader();
    assert!(list_keys(reader, &instance()).await.unwrap().is_none(), "off, as the service says");
    assert!(regenerate_key(&writer, &instance(), Slot::Primary).await.is_err());
    activate_api_access(&writer, &instance()).await.unwrap();
    for (slot, other) in [(Slot::Secondary, Slot::Primary), (Slot::Primary, Slot::Secondary)] {
        let before = list_keys(reader, &instance()).await.unwrap().unwrap();
        regenerate_key(&writer, &instance(), slot).await.unwrap();
        let after = list_keys(reader, &instance()).await.unwrap().unwrap();
        assert_eq!(text(&before, other), text(&after, other), "{slot:?}");
        assert_ne!(text(&before, slot), text(&after, slot), "{slot:?}");
        for (key, expected) in
            [(before.get(slot), "refused"), (after.get(slot), "accepted"), (after.get(other), "accepted")]
        {
            assert_eq!(verdict(&check_key(reader, key).await), expected, "{slot:?}");
        }
        assert!(!format!("{after:?}").contains(&text(&after, slot)));
    }
    let keys = list_keys(reader, &instance()).await.unwrap().unwrap();
    deactivate_api_access(&writer, &instance()).await.unwrap();
    assert_eq!(verdict(&check_key(reader, &keys.primary).await), "refused");
    assert!(list_keys(reader, &instance()).await.unwrap().is_none());
}

#[tokio::test]
async fn who_may_not_read_keys_is_told_so_and_not_that_there_are_none() {
    let services = Services::with(|_| {}, "").await;
    activate_api_access(&services.admin(), &instance()).await.unwrap();
    let error = list_keys(&services.stranger(), &instance()).await.unwrap_err();
    assert_eq!((error.status(), error.code()), (Some(404), Some("instanceNotFound")));
}

#[tokio::test]
async fn half_an_answer_is_no_answer() {
    let cases = [
        "- { operation: POST */listsecrets, action: { status: { code: 200, body: { primaryKey: a } } } }",
        "- { operation: POST */listsecrets, action: { status: { code: 200, body: { primaryKey: a, secondaryKey: '' } } } }",
        "- { operation: POST */listsecrets, action: { status: { code: 404 } } }",
        "- { operation: POST */listsecrets, action: truncate }",
        "- { operation: POST */listsecrets, action: { status: { code: 403 } } }",
    ];
    for faults in cases {
        let services = Services::with(|_| {}, faults).await;
        let writer = services.admin();
        activate_api_access(&writer, &instance()).await.unwrap();
        assert!(list_keys(writer.reader(), &instance()).await.is_err(), "{faults}");
    }
}

#[tokio::test]
async fn a_regeneration_whose_answer_is_lost_is_not_sent_again() {
    for (faults, calls) in [
        ("- { operation: POST */regenerateprimarykey, action: loseAnswer }", 1),
        ("- { operation: POST */regenerateprimarykey, action: { status: { code: 503 } } }", 1),
        // Nothing happened, says the service.
        (
            "- { operation: POST */regenerateprimarykey, nth: 1, action: { status: { code: 429, headers: { Retry-After: '1' } } } }",
            2,
        ),
    ] {
        let services = Services::with(|_| {}, faults).await;
        let writer = services.admin();
        activate_api_access(&writer, &instance()).await.unwrap();
        let outcome = regenerate_key(&writer, &instance(), Slot::Primary).await;
        assert_eq!(services.count("POST", "/regenerateprimarykey"), calls, "{faults}");
        assert_eq!(outcome.is_ok(), calls == 2, "{faults}");
        assert!(outcome.err().is_none_or(|error| error.is_ambiguous()), "{faults}");
    }
}

#[tokio::test]
async fn only_the_gateways_word_about_the_key_refuses_it() {
    let refusal =
        |body: &str| format!("- {{ operation: GET /v1/instances, action: {{ status: {{ code: 401{body} }} }} }}");
    let cases = [
        (refusal(", body: { statusCode: 401, message: Access denied due to invalid subscription key. }"), "refused"),
        (refusal(""), "unknown"),
        (refusal(", body: { statusCode: 401, message: The token has expired. }"), "unknown"),
        ("- { operation: GET /v1/instances, action: { status: { code: 403 } } }".to_owned(), "unknown"),
        ("- { operation: GET /v1/instances, action: { status: { code: 500 } } }".to_owned(), "unknown"),
        ("- { operation: GET /v1/instances, action: reset }".to_owned(), "unknown"),
    ];
    for (faults, expected) in cases {
        let services = Services::with(|_| {}, &faults).await;
        let writer = services.admin();
        activate_api_access(&writer, &instance()).await.unwrap();
        let keys = list_keys(writer.reader(), &instance()).await.unwrap().unwrap();
        assert_eq!(verdict(&check_key(writer.reader(), &keys.primary).await), expected, "{faults}");
    }
    let services = Services::with(|_| {}, "").await;
    let check = check_key(services.admin().reader(), &SecretString::from("no\nheader")).await;
    assert_eq!(verdict(&check), "unknown");
}
