//! Services that quote what they were sent: nothing of a secret gets into an error.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use palisade::azure::customer_insights as ci;
use palisade::azure::exchange::{Exchange as _, Http, Recorder};
use palisade::azure::graph::{self, Key};
use palisade::azure::hosts::Hosts;
use palisade::azure::key_vault::{Labels, set_secret};
use palisade::azure::{CallError, Writer, authorization, vaults};
use palisade::emulator::{CLIENT_ID, CLIENT_SECRET};
use palisade::terms::AzureScope;
use secrecy::SecretString;
use serde_json::{Value as Json, json};

use crate::support::{STRANGER_PRINCIPAL, Services, VAULT, grant, instance, secret};

const VALUE: &str = "k\"3y/with+odd&parts=é";
const OFFICER: &str = "b86a8fe4-44ce-4948-aee5-eccb2c155cd7";

/// A value as a service may quote it.
fn quoted(value: &str) -> String {
    let json = serde_json::to_string(value).unwrap();
    let form: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
    let basic = STANDARD.encode(format!("user:{value}"));
    let url_safe = URL_SAFE_NO_PAD.encode(format!("a{value}"));
    format!("{value} | {json} | value={form}&x | Basic {basic} | {url_safe}")
}

/// Each form of a value whose appearance would give it away.
fn forms(value: &str) -> Vec<String> {
    let quoted = quoted(value);
    let parts = quoted.split(" | ").map(|part| part.trim_start_matches("Basic ").trim_matches('"').to_owned());
    let mut forms: Vec<String> = parts.collect();
    // What stands before and after isn't secret.
    forms[2] = forms[2].trim_start_matches("value=").trim_end_matches("&x").to_owned();
    forms.iter().map(|form| form.chars().skip(8).take(10).collect()).collect()
}

fn rule(operation: &str, status: u16, body: &Json) -> Json {
    json!({ "operation": operation, "action": { "status": { "code": status, "body": body } } })
}

async fn echoing() -> Services {
    let words = format!("refused: {} | {}", quoted(VALUE), quoted(CLIENT_SECRET));
    let arm = json!({ "error": { "code": "Forbidden", "message": words } });
    let batch = json!({ "responses": [
        { "id": "0", "status": 403, "body": { "error": { "code": CLIENT_SECRET, "message": words } } },
    ] });
    let rules = json!([
        rule("GET */vaults/kv-ci-prod", 403, &arm),
        rule("GET */roleAssignments", 403, &json!({ "error": { "code": VALUE, "message": words } })),
        rule("GET */instances", 403, &json!({ "statusCode": 403, "message": words })),
        rule(
            "GET */rbac/assignments",
            200,
            &json!([{ "principalId": STRANGER_PRINCIPAL, "roles": [VALUE] },
            { "principalId": STRANGER_PRINCIPAL, "roles": [CLIENT_SECRET] }])
        ),
        rule("POST */$batch", 200, &batch),
    ]);
    let officer = |world: &mut palisade::emulator::World| {
        let client = world.applications.iter().find(|(_, app)| app.app_id == CLIENT_ID).map(|(id, _)| *id).unwrap();
        grant(world, client, OFFICER, VAULT);
    };
    Services::with(officer, &rules.to_string()).await
}

/// What every call says.
async fn said(writer: &Writer) -> Vec<(&'static str, String)> {
    let reader = writer.reader();
    let scope = AzureScope::Resource(VAULT.parse().unwrap());
    let told = |error: CallError| format!("{error} {error:?}");
    let batch = graph::find(reader, &[Key::User("ada@contoso.com".into())]).await.unwrap();
    vec![
        ("vault", told(vaults::get(reader, &VAULT.parse().unwrap()).await.unwrap_err())),
        ("roles", told(authorization::assigned_to(reader, &scope, STRANGER_PRINCIPAL.into()).await.unwrap_err())),
        ("instances", told(ci::list_instances(reader).await.unwrap_err())),
        ("assignments", told(ci::list_assignments(reader, &instance()).await.unwrap_err())),
        ("batch", batch[0].1.clone().unwrap_err()),
    ]
}

#[tokio::test]
async fn nothing_that_a_service_echoes_shows_what_it_was_sent() {
    let services = echoing().await;
    let writer = services.admin();
    set_secret(&writer, &secret(), &SecretString::from(VALUE), &Labels::default()).await.unwrap();
    for (call, text) in said(&writer).await {
        for hidden in [VALUE, CLIENT_SECRET].iter().flat_map(|value| forms(value)) {
            assert!(!text.contains(&hidden), "{call}: `{hidden}` in {text}");
        }
        assert!(text.contains("***"), "{call}: {text}");
    }
}

/// A vault that quotes the request, a gateway that quotes the key, and Entra that quotes the form: of these only codes get
/// out, whether or not the secret can be recognised.
#[tokio::test]
async fn of_what_carries_secrets_only_codes_are_told() {
    let words = format!("AADSTS7000215: {} | {}", quoted(VALUE), quoted(CLIENT_SECRET));
    for (operation, body) in [
        ("PUT /secrets/*", json!({ "error": { "code": "BadParameter", "message": words } })),
        ("GET /v1/instances", json!({ "statusCode": 403, "message": words })),
        ("POST */token", json!({ "error": "invalid_client", "error_description": words })),
    ] {
        let services = Services::with(|_| {}, &json!([rule(operation, 400, &body)]).to_string()).await;
        let (writer, value) = (services.admin(), SecretString::from(VALUE));
        let set = set_secret(&writer, &secret(), &value, &Labels::default()).await;
        let tried = ci::check_key(writer.reader(), &value).await;
        let text = format!("{set:?} {} {tried:?}", set.as_ref().err().map(ToString::to_string).unwrap_or_default());
        assert!(text.contains("Status") || text.contains("Token"), "{operation}: {text}");
        for hidden in [VALUE, CLIENT_SECRET].iter().flat_map(|value| forms(value)) {
            assert!(!text.contains(&hidden), "{operation}: `{hidden}` in {text}");
        }
    }
}

/// A recording is scrubbed as well: it stands below what scrubs errors.
#[tokio::test]
async fn a_recording_shows_nothing_that_a_service_echoes() {
    let services = echoing().await;
    let hosts = Hosts::emulator(services.emulator.http()).unwrap();
    let recorder = Recorder::new(std::rc::Rc::new(Http::new(&hosts)));
    let request = |method: &str, path: &str, operation, token: Option<&str>| {
        let mut headers = http::HeaderMap::new();
        if let Some(token) = token {
            let mut value = http::HeaderValue::from_str(&format!("Bearer {token}")).unwrap();
            value.set_sensitive(true);
            headers.insert(http::header::AUTHORIZATION, value);
        }
        palisade::azure::exchange::Request {
            operation,
            method: method.parse().unwrap(),
            url: services.emulator.http().join(path).unwrap(),
            headers,
            body: None,
        }
    };
    let operation = palisade::azure::operations::LIST_INSTANCES.facts();
    recorder.exchange(request("GET", "/api/instances", operation, Some(CLIENT_SECRET))).await.unwrap();
    let text = recorder.recording().to_json();
    for hidden in forms(CLIENT_SECRET) {
        assert!(!text.contains(&hidden), "`{hidden}` in {text}");
    }
    assert!(text.contains("***"), "{text}");
}
