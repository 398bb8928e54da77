//! Directory look-ups.

use palisade::emulator::{Group, User, World};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    Ask, BARE, CI, EXPORT_APP, Fixture, GRAPH, GROUP, NESTED, OUTER_GROUP, STRANGER, TENANT, VIEWER, options,
    principal_of, user_id, world,
};

/// A world with a second group of the same name, and a user with a quote in the name.
fn larger_world() -> World {
    let mut world = world();
    let twin = Group { display_name: "ci contributors".into(), members: [].into() };
    world.groups.insert(Uuid::from_u128(0xff), twin);
    let user = User::new("it's@contoso.com", "it's");
    world.users.insert(Uuid::from_u128(0xee), user);
    world
}

async fn start() -> (Fixture, String) {
    let f = Fixture::with(options(larger_world(), Vec::new())).await;
    let token = f.admin(GRAPH).await;
    (f, token)
}

#[tokio::test]
async fn objects_are_found_by_every_documented_key() {
    let (f, token) = start().await;
    let world = f.emulator.world();
    let ada = user_id(&world, "ada@contoso.com");
    let export = principal_of(&world, EXPORT_APP);
    let cases = [
        ("/v1.0/users/ada@contoso.com".to_owned(), ada),
        ("/v1.0/Users/ADA%40Contoso.com".to_owned(), ada),
        (format!("/v1.0/users/{}", ada.to_string().to_uppercase()), ada),
        ("/v1.0/users('ada@contoso.com')".to_owned(), ada),
        (format!("/v1.0/users('{ada}')"), ada),
        ("/v1.0/users('it''s@contoso.com')".to_owned(), Uuid::from_u128(0xee)),
        ("/v1.0/users/it's@contoso.com".to_owned(), Uuid::from_u128(0xee)),
        (format!("/v1.0/groups/{GROUP}"), GROUP),
        (format!("/v1.0/servicePrincipals/{export}"), export),
        (format!("/v1.0/servicePrincipals(appId='{EXPORT_APP}')"), export),
        (format!("/v1.0/servicePrincipals(appId='{}')", EXPORT_APP.to_string().to_uppercase()), export),
    ];
    for (path, id) in cases {
        let reply = f.get(&path, &token).await;
        assert_eq!((reply.status.as_u16(), &reply.json()["id"]), (200, &json!(id)), "{path}");
    }
    let selected = f.get("/v1.0/users/ada@contoso.com?$select=id,userPrincipalName", &token).await.json();
    let context = "https://graph.microsoft.com/v1.0/$metadata#users/$entity";
    assert_eq!(selected, json!({ "@odata.context": context, "id": ada, "userPrincipalName": "ada@contoso.com" }));
}

#[tokio::test]
async fn filters_find_none_one_or_several() {
    let (f, token) = start().await;
    let cases = [
        ("users?$filter=userPrincipalName eq 'Ada@contoso.com'", 1),
        ("users?$filter=userPrincipalName eq 'it''s@contoso.com'", 1),
        ("users?$filter=userPrincipalName%20eq%20%27nobody@contoso.com%27", 0),
        ("groups?$filter=displayName eq 'CI Contributors'&$select=id,displayName", 2),
        ("servicePrincipals?$filter=displayName eq 'nightly-export'", 1),
        ("servicePrincipals?$filter=appId eq '5e0c9c1a-0000-4000-8000-00000000b001'", 1),
    ];
    for (query, count) in cases {
        let reply = f.get(&format!("/v1.0/{query}"), &token).await;
        assert_eq!(reply.json()["value"].as_array().map(Vec::len), Some(count), "{query}: {}", reply.text);
    }
}

/// How Azure's command line looks for an application.
#[tokio::test]
async fn a_service_principal_is_found_by_one_of_its_names() {
    let (f, token) = start().await;
    let find = async |name: &str| {
        let path = format!("/v1.0/servicePrincipals?$filter=servicePrincipalNames/any(c:c eq '{name}')");
        f.get(&path, &token).await.json()["value"].clone()
    };
    assert_eq!(find(&VIEWER.app_id.to_string()).await[0]["id"], json!(VIEWER.object_id));
    assert_eq!(find("nobody").await, json!([]));
    let path = "/v1.0/servicePrincipals?$filter=servicePrincipalNames eq 'x'";
    assert_eq!(f.get(path, &token).await.status, 501);
}

#[tokio::test]
async fn refusals_come_in_the_envelope() {
    let (f, token) = start().await;
    let cases = [
        ("/v1.0/users/nobody@contoso.com", 404, "Request_ResourceNotFound"),
        ("/v1.0/groups/7b1f0c52-0000-4000-8000-0000000000aa", 404, "Request_ResourceNotFound"),
        ("/v1.0/users?$top=1000", 400, "Request_UnsupportedQuery"),
    ];
    for (path, status, code) in cases {
        let reply = f.ask("GET", path, Ask::token(&token).header("client-request-id", "mine")).await;
        let error = &reply.json()["error"];
        assert_eq!((reply.status.as_u16(), &error["code"]), (status, &json!(code)), "{path}");
        assert_eq!(error["innerError"]["date"], "2026-11-20T12:00:00");
        assert_eq!(error["innerError"]["client-request-id"], "mine");
        assert_eq!(error["innerError"]["request-id"], reply.header("request-id").unwrap());
    }
}

#[tokio::test]
async fn only_allowed_clients_with_the_right_audience_may_look() {
    let (f, _) = start().await;
    let denied = f.get("/v1.0/users", &f.token(STRANGER, GRAPH).await).await;
    assert_eq!((denied.status.as_u16(), &denied.json()["error"]["code"]), (403, &json!("Authorization_RequestDenied")));
    for ask in [Ask::default(), Ask::token(&f.admin(CI).await)] {
        let reply = f.ask("GET", "/v1.0/users", ask).await;
        assert_eq!(
            (reply.status.as_u16(), &reply.json()["error"]["code"]),
            (401, &json!("InvalidAuthenticationToken"))
        );
        assert!(reply.header("www-authenticate").unwrap().starts_with("Bearer realm="));
    }
}

#[tokio::test]
async fn pages_follow_next_links_to_the_end() {
    let (f, token) = start().await;
    let total = f.emulator.world().users.len();
    let mut link = f.url("/v1.0/users?$top=2&$select=id");
    let mut ids = Vec::new();
    loop {
        assert!(link.starts_with(f.emulator.http().as_str()));
        let page = f.get(&link, &token).await.json();
        ids.extend(page["value"].as_array().unwrap().iter().map(|u| u["id"].to_string()));
        match page["@odata.nextLink"].as_str() {
            Some(next) => link = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(ids.len(), total);
    ids.dedup();
    assert_eq!(ids.len(), total);
    let counted = Ask::token(&token).header("ConsistencyLevel", "eventual");
    let page = f.ask("GET", "/v1.0/users?$count=true&$top=1", counted).await.json();
    assert_eq!(page["@odata.count"], json!(total));
}

#[tokio::test]
async fn ids_become_objects_and_unknown_ones_are_missing() {
    let (f, token) = start().await;
    let export = principal_of(&f.emulator.world(), EXPORT_APP);
    let path = "/v1.0/directoryObjects/getByIds";
    let kinds = |body: &Value| -> Vec<(String, String)> {
        let items = body["value"].as_array().unwrap().iter();
        items.map(|o| (o["@odata.type"].as_str().unwrap().into(), o["id"].as_str().unwrap().into())).collect()
    };
    let ask = |body: Value| f.ask("POST", path, Ask::token(&token).json(&body));
    let all =
        ask(json!({ "ids": [BARE, TENANT, GROUP, export], "types": ["user", "group", "servicePrincipal"] })).await;
    let expected = [("user", BARE), ("group", GROUP), ("servicePrincipal", export)];
    let expected = expected.map(|(kind, id)| (format!("#microsoft.graph.{kind}"), id.to_string()));
    assert_eq!(kinds(&all.json()), expected);
    let users = ask(json!({ "ids": [BARE, GROUP], "types": ["user"] })).await;
    assert_eq!(kinds(&users.json()).len(), 1);
    assert_eq!(kinds(&ask(json!({ "ids": [BARE, GROUP] })).await.json()).len(), 2);
    let many: Vec<Uuid> = (0..1001).map(Uuid::from_u128).collect();
    for body in [json!({ "ids": many }), json!({ "ids": [] }), json!({ "ids": ["x"] }), json!({}), json!([])] {
        assert_eq!(ask(body).await.status, 400);
    }
    let full: Vec<Uuid> = (0..1000).map(Uuid::from_u128).collect();
    assert_eq!(ask(json!({ "ids": full })).await.status, 200);
}

#[tokio::test]
async fn members_are_counted_through_nested_groups() {
    let (f, token) = start().await;
    let eventual = || Ask::token(&token).header("ConsistencyLevel", "eventual");
    let path = |group: Uuid| format!("/v1.0/groups/{group}/transitiveMembers/$count");
    // Two seeded members and a service principal; the outer group has the inner one on top.
    for (group, count) in [(GROUP, "3"), (OUTER_GROUP, "4")] {
        let reply = f.ask("GET", &path(group), eventual()).await;
        assert_eq!((reply.status.as_u16(), reply.text.as_str()), (200, count));
        assert_eq!(reply.header("content-type"), Some("text/plain"));
    }
    let without = f.get(&path(GROUP), &token).await;
    assert_eq!((without.status.as_u16(), &without.json()["error"]["code"]), (400, &json!("Request_BadRequest")));
    assert_eq!(f.ask("GET", &path(TENANT), eventual()).await.status, 404);
    let held = f.get(&format!("/v1.0/servicePrincipals/{}/transitiveMemberOf", NESTED.object_id), &token).await.json();
    let ids: Vec<&Value> = held["value"].as_array().unwrap().iter().map(|g| &g["id"]).collect();
    assert_eq!(ids, [&json!(GROUP), &json!(OUTER_GROUP)]);
    assert_eq!(held["value"][0]["@odata.type"], "#microsoft.graph.group");
    let none = f.get("/v1.0/users/ada@contoso.com/transitiveMemberOf?$select=id", &token).await.json();
    assert_eq!(none["value"], json!([]));
}

#[tokio::test]
async fn a_batch_answers_each_item_on_its_own() {
    let (f, token) = start().await;
    let get = |id: &str, url: &str| json!({ "id": id, "method": "GET", "url": url });
    let requests = json!([
        get("a", "/users/ada@contoso.com?$select=id"),
        get("b", "/users/nobody@contoso.com"),
        { "id": "c", "method": "GET", "url": format!("/groups/{GROUP}/transitiveMembers/$count"),
          "headers": { "ConsistencyLevel": "eventual" } },
        { "id": "d", "method": "POST", "url": "/directoryObjects/getByIds", "body": { "ids": [BARE] } },
        { "id": "e", "method": "GET", "url": "/users", "dependsOn": ["b"] },
    ]);
    let ask = |token: &str, requests: &Value| Ask::token(token).json(&json!({ "requests": requests }));
    let body = f.ask("POST", "/v1.0/$batch", ask(&token, &requests)).await.json();
    let responses = body["responses"].as_array().unwrap();
    let of = |id: &str| responses.iter().find(|r| r["id"] == id).unwrap();
    let statuses = ["a", "b", "c", "d", "e"].map(|id| of(id)["status"].as_u64().unwrap());
    assert_eq!(statuses, [200, 404, 200, 200, 424]);
    assert_ne!(responses[0]["id"], "a", "the order of the requests must not be relied on");
    assert_eq!(of("c")["body"], "3");
    assert_eq!(of("d")["body"]["value"][0]["id"], json!(BARE));
    assert!(of("a")["headers"]["Content-Type"].as_str().unwrap().starts_with("application/json"));
    let denied = f.ask("POST", "/v1.0/$batch", ask(&f.token(STRANGER, GRAPH).await, &requests)).await;
    assert_eq!(denied.status, 200);
    let denied = denied.json();
    assert!(denied["responses"].as_array().unwrap().iter().all(|r| r["status"] == 403 || r["status"] == 424));
    let many: Vec<Value> = (0..21).map(|n| get(&n.to_string(), "/users")).collect();
    let twice = json!([get("a", "/users"), get("a", "/users")]);
    let dangling = json!([{ "id": "a", "method": "GET", "url": "/users", "dependsOn": ["z"] }]);
    for requests in [json!(many), json!([]), twice, dangling] {
        assert_eq!(f.ask("POST", "/v1.0/$batch", ask(&token, &requests)).await.status, 400);
    }
}

/// Whether an account is enabled is told of a user only where it is selected.
#[tokio::test]
async fn accounts_are_enabled_or_not_on_request() {
    let mut world = larger_world();
    let ada = user_id(&world, "ada@contoso.com");
    world.users.get_mut(&ada).unwrap().account_enabled = false;
    world.groups.get_mut(&GROUP).unwrap().members = [ada].into();
    let f = Fixture::with(options(world, Vec::new())).await;
    let token = f.admin(GRAPH).await;
    let selected = f.get(&format!("/v1.0/users/{ada}?$select=id,accountEnabled"), &token).await.json();
    assert_eq!(selected["accountEnabled"], json!(false));
    let path = format!("/v1.0/groups/{GROUP}/transitiveMembers");
    let members = f.get(&format!("{path}?$select=id,accountEnabled"), &token).await.json();
    assert_eq!(members["value"][0]["accountEnabled"], json!(false));
    for path in [path, format!("/v1.0/users/{ada}")] {
        let unselected = f.get(&path, &token).await.json();
        assert!(!unselected.to_string().contains("accountEnabled"), "{unselected}");
    }
}
