//! Instances, role assignments, API access: gates, shapes, refusals, knobs.

use std::time::Duration;

use jiff::SignedDuration;
use palisade::emulator::{CLIENT_ID, World};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    Ask, BARE, CI, EXPORT_APP, Fixture, GROUP, INSTANCE, NESTED, Reply, STRANGER, TENANT, VIEWER, options,
    principal_of, user_id, world,
};

fn api(rest: &str) -> String {
    format!("/api/instances/{INSTANCE}{rest}")
}

fn assignment(principal: impl std::fmt::Display) -> String {
    api(&format!("/rbac/principals/{principal}/assignment"))
}

fn error_code(reply: &Reply) -> (u16, String) {
    (reply.status.as_u16(), reply.json()["errorCode"].as_str().unwrap_or_default().to_owned())
}

async fn with(change: impl FnOnce(&mut World)) -> Fixture {
    let mut world = world();
    change(&mut world);
    Fixture::with(options(world, Vec::new())).await
}

/// Who holds what, from the list that Admins see.
async fn roles(f: &Fixture, token: &str, principal: Uuid) -> Value {
    let list = f.get(&api("/rbac/assignments"), token).await.json();
    let items = list.as_array().unwrap();
    items.iter().find(|a| a["principalId"] == principal.to_string()).map_or(Value::Null, |a| a["roles"].clone())
}

#[tokio::test]
async fn the_gateway_asks_for_the_key_before_the_token() {
    let f = Fixture::start().await;
    let token = f.admin(CI).await;
    let path = format!("/v1/instances/{INSTANCE}");
    let off = f.ask("GET", &path, Ask::token(&token).header("Ocp-Apim-Subscription-Key", &"0".repeat(32))).await;
    assert_eq!(off.status, 401);
    assert_eq!(f.ask("PUT", &api("/manage/apisubscription/activate"), Ask::token(&token)).await.text, "true");
    let subscription = f.emulator.world().instances[&INSTANCE].api_subscription.clone();
    let key = subscription.primary_key.unwrap().expose().to_owned();
    let secondary = subscription.secondary_key.unwrap().expose().to_owned();
    assert_ne!(key, secondary);
    for key in [&key, &secondary] {
        assert!(key.len() == 32 && key.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c)), "{key}");
    }
    let bare = Ask::default();
    let with_key = bare.clone().header("Ocp-Apim-Subscription-Key", &secondary);
    let cases = [
        ("no key", bare, 401, Some("Access denied due to missing subscription key.")),
        (
            "wrong key",
            Ask::token(&token).header("ocp-apim-subscription-key", "x"),
            401,
            Some("invalid subscription key"),
        ),
        ("no token", with_key.clone(), 401, None),
        ("both", Ask { token: Some(token.clone()), ..with_key }, 200, None),
    ];
    for (name, ask, status, message) in cases {
        let reply = f.ask("GET", &path, ask).await;
        assert_eq!(reply.status, status, "{name}");
        if let Some(message) = message {
            let body = reply.json();
            assert_eq!(body["statusCode"], 401, "{name}");
            assert!(body["message"].as_str().unwrap().contains(message), "{name}");
        } else if status == 401 {
            assert_eq!((reply.text.as_str(), reply.header("www-authenticate")), ("", Some("Bearer")), "{name}");
        }
    }
    assert_eq!(f.get(&format!("{path}?subscription-key={key}"), &token).await.status, 200);
    assert!(f.emulator.requests().iter().all(|r| !r.path.contains(&key)));
}

#[tokio::test]
async fn lists_show_each_faces_shape_to_members_only() {
    let f = with(|w| w.instances.get_mut(&INSTANCE).unwrap().metadata.name = None).await;
    let token = f.admin(CI).await;
    let origin = f.emulator.http().as_str().trim_end_matches('/').to_owned();
    let located = json!([{
        "instanceId": INSTANCE, "tenantId": TENANT, "tenantName": "contoso", "scaleUnitUri": origin, "name": null,
        "instanceType": "production", "region": "europe",
    }]);
    assert_eq!(f.get("/api/instances", &token).await.json(), located);
    assert_eq!(f.get("/api/instances", &f.token(STRANGER, CI).await).await.json(), json!([]));
    f.ask("PUT", &api("/manage/apisubscription/activate"), Ask::token(&token)).await;
    let key = f.emulator.world().instances[&INSTANCE].api_subscription.primary_key.clone().unwrap();
    let ask = Ask::token(&token).header("Ocp-Apim-Subscription-Key", key.expose());
    let info = f.ask("GET", "/v1/instances", ask).await.json();
    assert_eq!(info[0]["scaleUnitId"], "prod-weu-01");
    assert!(info[0].get("region").is_none() && info[0].get("provisioningState").is_none(), "{info}");
}

#[tokio::test]
async fn one_instance_shows_its_metadata() {
    let f = Fixture::start().await;
    let path = format!("/api/INSTANCES/{}", INSTANCE.to_string().to_uppercase());
    let body = f.get(&path, &f.token(VIEWER, CI).await).await.json();
    assert_eq!(body["instanceId"], INSTANCE.to_string());
    for (member, expected) in [
        ("name", "Contoso prod"),
        ("provisioningState", "active"),
        ("region", "europe"),
        ("azureRegion", "westeurope"),
        ("createdBy", "creator@contoso.com"),
        ("createdUtc", "2025-11-20T12:00:00Z"),
    ] {
        assert_eq!(body[member], expected, "{member}");
    }
    assert!(body["cdsOrgInfo"]["url"].as_str().unwrap().ends_with(".crm4.dynamics.com"));
    // The documented model has no way to the Power Platform environment, nor to the owner.
    assert!(body.get("environmentId").is_none() && body.get("owner").is_none());
}

#[tokio::test]
async fn rights_decide_what_is_answered() {
    let f = Fixture::start().await;
    let tokens = [
        ("admin", f.admin(CI).await),
        ("viewer", f.token(VIEWER, CI).await),
        ("nested", f.token(NESTED, CI).await),
        ("stranger", f.token(STRANGER, CI).await),
    ];
    let admin_only = |rest: &str| (api(rest), [200, 403, 403, 404]);
    let cases = [
        (api(""), [200, 200, 200, 404]),
        (api("/rbac/myrole"), [200, 200, 200, 404]),
        admin_only("/rbac/roles"),
        admin_only("/rbac/assignments"),
        (api("/manage/apisubscription"), [404, 403, 403, 404]),
        ("/api/instances/00000000-0000-4000-8000-000000000001".to_owned(), [404; 4]),
        ("/api/instances/not-an-id".to_owned(), [404; 4]),
    ];
    for (path, statuses) in cases {
        for ((who, token), status) in tokens.iter().zip(statuses) {
            let reply = f.get(&path, token).await;
            assert_eq!(reply.status, status, "{who} {path}");
            let expected = match status {
                200 => continue,
                403 => "userIsNotInstanceAdministrator",
                _ if path.ends_with("apisubscription") && *who == "admin" => "apiSubscriptionNotFound",
                _ => "instanceNotFound",
            };
            assert_eq!(error_code(&reply), (status, expected.to_owned()), "{who} {path}");
            let name = if status == 403 { "forbidden" } else { "notFound" };
            assert_eq!(reply.json()["httpStatusCode"], name);
        }
    }
    let mine = f.get(&api("/rbac/myrole"), &tokens[2].1).await.json();
    let expected = json!({ "principalId": NESTED.object_id, "principalType": "app", "roles": ["Contributor"],
                           "instanceId": INSTANCE });
    assert_eq!(mine, expected);
}

#[tokio::test]
async fn roles_follow_business_units() {
    for (business_units, expected) in [(false, 3), (true, 4)] {
        let f = with(|w| w.instances.get_mut(&INSTANCE).unwrap().business_units = business_units).await;
        let token = f.admin(CI).await;
        let roles = f.get(&api("/rbac/roles"), &token).await.json();
        assert_eq!(roles.as_array().unwrap().len(), expected);
        let status = if business_units { 200 } else { 400 };
        let ask = Ask::token(&token).json(&json!({ "roles": ["Marketing Contributor"] }));
        assert_eq!(f.ask("PUT", &assignment(BARE), ask).await.status, status);
    }
}

#[tokio::test]
async fn an_assignment_is_written_listed_and_removed() {
    let f = Fixture::start().await;
    let token = f.admin(CI).await;
    let before = f.get(&api("/rbac/assignments"), &token).await.json();
    let body = json!({ "principalId": BARE.to_string().to_uppercase(), "principalType": "user", "roles": ["Viewer"],
                       "instanceId": TENANT, "surplus": { "a": 1 } });
    let patch_type = "application/json-patch+json; charset=utf-8";
    let ask = Ask::token(&token).json(&body).header("content-type", patch_type);
    let answer = f.ask("PUT", &assignment(BARE), ask).await;
    assert_eq!(answer.status, 200);
    let list = f.get(&api("/rbac/assignments"), &token).await.json();
    assert_eq!(answer.json(), list);
    let expected = json!({ "principalId": BARE, "principalType": "user", "roles": ["Viewer"], "instanceId": INSTANCE });
    assert_eq!(list.as_array().unwrap().last().unwrap(), &expected);
    let update = Ask::token(&token).json(&json!({ "roles": ["Contributor", "Viewer", "Viewer"] }));
    assert_eq!(f.ask("PUT", &assignment(BARE.to_string().to_uppercase()), update).await.status, 200);
    assert_eq!(roles(&f, &token, BARE).await, json!(["Contributor", "Viewer"]));
    let removed = f.ask("DELETE", &assignment(BARE), Ask::token(&token)).await;
    assert_eq!((removed.status.as_u16(), removed.text.as_str()), (200, ""));
    assert_eq!(f.get(&api("/rbac/assignments"), &token).await.json(), before);
    let again = f.ask("DELETE", &assignment(BARE), Ask::token(&token)).await;
    assert_eq!(error_code(&again), (404, "userNotFound".into()));
}

#[tokio::test]
async fn kinds_come_from_the_directory() {
    let f = Fixture::start().await;
    let token = f.admin(CI).await;
    let world = f.emulator.world();
    let cases =
        [(user_id(&world, "ada@contoso.com"), "user"), (GROUP, "group"), (principal_of(&world, EXPORT_APP), "app")];
    for (principal, kind) in cases {
        let ask = Ask::token(&token).json(&json!({ "roles": ["Viewer"] }));
        let list = f.ask("PUT", &assignment(principal), ask).await.json();
        assert_eq!(list.as_array().unwrap().last().unwrap()["principalType"], kind);
    }
}

#[tokio::test]
async fn wrong_writes_are_refused_and_change_nothing() {
    let f = Fixture::start().await;
    let token = f.admin(CI).await;
    let before = f.emulator.world();
    let viewer = json!({ "roles": ["Viewer"] });
    let ask = |body: &Value| Ask::token(&token).json(body);
    let typed = |media: &str| ask(&viewer).header("content-type", media);
    let bad = "invalidApiParameter";
    let empty = Ask::token(&token).header("content-type", "application/json");
    let not_json = Ask { body: Some("{".into()), ..empty.clone() };
    let cases: Vec<(&str, String, Ask, u16, &str)> = vec![
        ("unknown principal", assignment(TENANT), ask(&viewer), 404, "userNotFound"),
        ("an application id", assignment(EXPORT_APP), ask(&viewer), 404, "userNotFound"),
        ("no id", assignment("ada%40contoso.com"), ask(&viewer), 404, "userNotFound"),
        ("an id without dashes", assignment(BARE.simple()), ask(&viewer), 404, "userNotFound"),
        ("unknown role", assignment(BARE), ask(&json!({ "roles": ["Owner"] })), 400, bad),
        ("another case", assignment(BARE), ask(&json!({ "roles": ["admin"] })), 400, bad),
        ("no roles", assignment(BARE), ask(&json!({ "roles": [] })), 400, bad),
        ("roles missing", assignment(BARE), ask(&json!({})), 400, bad),
        ("role of a wrong type", assignment(BARE), ask(&json!({ "roles": [1] })), 400, bad),
        ("other id", assignment(BARE), ask(&json!({ "principalId": TENANT, "roles": ["Viewer"] })), 400, bad),
        ("other kind", assignment(BARE), ask(&json!({ "principalType": "group", "roles": ["Viewer"] })), 400, bad),
        ("a JSON patch", assignment(BARE), ask(&json!([{ "op": "add" }])), 400, bad),
        ("not JSON", assignment(BARE), not_json, 400, bad),
        ("no body", assignment(BARE), empty, 400, "inputPayloadNotFound"),
        ("a form", assignment(BARE), typed("application/x-www-form-urlencoded"), 415, bad),
        ("plain text", assignment(BARE), typed("text/plain"), 415, bad),
    ];
    for (name, path, ask, status, code) in cases {
        let reply = f.ask("PUT", &path, ask).await;
        assert_eq!(error_code(&reply), (status, code.to_owned()), "{name}");
    }
    for (who, status, code) in [(VIEWER, 403, "userIsNotInstanceAdministrator"), (STRANGER, 404, "instanceNotFound")] {
        let token = f.token(who, CI).await;
        for method in ["PUT", "DELETE"] {
            let reply = f.ask(method, &assignment(BARE), Ask::token(&token).json(&viewer)).await;
            assert_eq!(error_code(&reply), (status, code.to_owned()), "{method}");
        }
    }
    assert_eq!(f.emulator.world(), before);
}

#[tokio::test]
async fn the_last_admin_and_the_owner_are_kept_only_where_the_world_says_so() {
    for refuse in [false, true] {
        let f = with(|w| {
            w.behaviour.refuse_last_admin = refuse;
            w.behaviour.refuse_owner_removal = refuse;
        })
        .await;
        let token = f.admin(CI).await;
        let world = f.emulator.world();
        let owner = world.instances[&INSTANCE].owner;
        let status = if refuse { 409 } else { 200 };
        let downgrade = Ask::token(&token).json(&json!({ "roles": ["Viewer"] }));
        assert_eq!(f.ask("PUT", &assignment(owner), downgrade.clone()).await.status, status, "owner");
        assert_eq!(f.ask("DELETE", &assignment(owner), Ask::token(&token)).await.status, status, "owner");
    }
    let f = with(|w| w.behaviour.refuse_last_admin = true).await;
    let token = f.admin(CI).await;
    let world = f.emulator.world();
    let owner = world.instances[&INSTANCE].owner;
    assert_eq!(f.ask("DELETE", &assignment(owner), Ask::token(&token)).await.status, 200);
    let me = principal_of(&world, CLIENT_ID);
    let refused = f.ask("DELETE", &assignment(me), Ask::token(&token)).await;
    assert_eq!(error_code(&refused), (409, "instanceOperationNotAllowed".into()));
}

#[tokio::test]
async fn role_writes_count_only_after_their_propagation() {
    let f = with(|w| w.behaviour.role_write_propagation = SignedDuration::from_mins(15)).await;
    let (admin, viewer) = (f.admin(CI).await, f.token(VIEWER, CI).await);
    let me = principal_of(&f.emulator.world(), CLIENT_ID);
    let promote = Ask::token(&admin).json(&json!({ "roles": ["Admin"] }));
    f.ask("PUT", &assignment(VIEWER.object_id), promote).await;
    assert_eq!(roles(&f, &admin, VIEWER.object_id).await, json!(["Admin"]));
    let mine = f.get(&api("/rbac/myrole"), &viewer).await.json();
    assert_eq!(mine["roles"], json!(["Viewer"]));
    f.clock.advance(Duration::from_secs(600));
    assert_eq!(f.ask("DELETE", &assignment(me), Ask::token(&admin)).await.status, 200);
    f.clock.advance(Duration::from_secs(299));
    assert_eq!(f.get(&api("/rbac/roles"), &viewer).await.status, 403);
    f.clock.advance(Duration::from_secs(1));
    assert_eq!(f.get(&api("/rbac/roles"), &viewer).await.status, 200);
    // The removal of ten minutes later still has ten minutes to go.
    assert_eq!(f.get(&api("/rbac/roles"), &admin).await.status, 200);
    f.clock.advance(Duration::from_secs(600));
    assert_eq!(f.get(&api("/rbac/roles"), &admin).await.status, 404);
}

#[tokio::test]
async fn stale_reads_show_the_earlier_state_for_a_while() {
    let f = with(|w| w.behaviour.stale_reads = SignedDuration::from_secs(30)).await;
    let token = f.admin(CI).await;
    let ask = Ask::token(&token).json(&json!({ "roles": ["Viewer"] }));
    let written = f.ask("PUT", &assignment(BARE), ask).await.json();
    f.ask("PUT", &api("/manage/apisubscription/activate"), Ask::token(&token)).await;
    assert!(written.to_string().contains(&BARE.to_string()));
    f.clock.advance(Duration::from_secs(29));
    assert_eq!(roles(&f, &token, BARE).await, Value::Null);
    assert_eq!(f.get(&api("/manage/apisubscription"), &token).await.status, 404);
    f.clock.advance(Duration::from_secs(1));
    assert_eq!(roles(&f, &token, BARE).await, json!(["Viewer"]));
    assert_eq!(f.get(&api("/manage/apisubscription"), &token).await.status, 200);
}

#[tokio::test]
async fn api_access_makes_new_keys_each_time_it_is_switched_on() {
    let f = Fixture::start().await;
    let token = f.admin(CI).await;
    let mut keys = Vec::new();
    for round in 0..2 {
        for _ in 0..2 {
            let on = f.ask("PUT", &api("/manage/apisubscription/activate"), Ask::token(&token)).await;
            assert_eq!((on.status.as_u16(), on.text.as_str()), (200, "true"));
            assert_eq!(on.header("x-emulated-surface"), Some("undocumented"));
        }
        let state = f.get(&api("/manage/apisubscription"), &token).await;
        assert_eq!(state.header("x-emulated-surface"), Some("undocumented"));
        let expected = json!({ "instanceId": INSTANCE, "isSubscribed": true, "version": 1 + 2 * round,
            "primaryKeyRegeneratedUtc": "2026-11-20T12:00:00Z", "secondaryKeyRegeneratedUtc": "2026-11-20T12:00:00Z" });
        assert_eq!(state.json(), expected);
        let key = f.emulator.world().instances[&INSTANCE].api_subscription.primary_key.clone().unwrap();
        keys.push(key.expose().to_owned());
        let off = f.ask("PUT", &api("/manage/apisubscription/deactivate"), Ask::token(&token)).await;
        assert_eq!((off.status.as_u16(), off.text.as_str()), (200, "true"));
        let dead = Ask::token(&token).header("Ocp-Apim-Subscription-Key", &keys[round]);
        assert_eq!(f.ask("GET", "/v1/instances", dead).await.status, 401);
        let again = f.ask("PUT", &api("/manage/apisubscription/deactivate"), Ask::token(&token)).await;
        assert_eq!(error_code(&again), (404, "apiSubscriptionNotFound".into()));
    }
    assert_ne!(keys[0], keys[1]);
}
