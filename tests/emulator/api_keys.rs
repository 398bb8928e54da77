//! The two keys of the API subscription: shown, regenerated one at a time, dead with the subscription.

use std::time::Duration;

use jiff::SignedDuration;
use palisade::emulator::World;
use serde_json::{Value, json};

use crate::support::{Ask, CI, Fixture, INSTANCE, NESTED, Reply, STRANGER, VIEWER, options, world};

fn api(rest: &str) -> String {
    format!("/api/instances/{INSTANCE}/manage/apisubscription/{rest}")
}

async fn with(change: impl FnOnce(&mut World)) -> Fixture {
    let mut world = world();
    change(&mut world);
    Fixture::with(options(world, Vec::new())).await
}

async fn post(f: &Fixture, rest: &str, token: &str) -> Reply {
    f.ask("POST", &api(rest), Ask::token(token)).await
}

async fn keys(f: &Fixture, token: &str) -> [String; 2] {
    let shown = post(f, "listsecrets", token).await;
    assert_eq!(shown.status, 200, "{}", shown.text);
    let body = shown.json();
    assert_eq!(body.as_object().unwrap().len(), 2, "{body}");
    ["primaryKey", "secondaryKey"].map(|slot| body[slot].as_str().unwrap().to_owned())
}

async fn works(f: &Fixture, token: &str, key: &str) -> bool {
    let ask = Ask::token(token).header("Ocp-Apim-Subscription-Key", key);
    match f.ask("GET", "/v1/instances", ask).await.status.as_u16() {
        200 => true,
        401 => false,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn regenerating_changes_one_slot_at_once() {
    let f = Fixture::start().await;
    let token = f.admin(CI).await;
    f.ask("PUT", &api("activate"), Ask::token(&token)).await;
    let before = keys(&f, &token).await;
    f.clock.advance(Duration::from_secs(60));
    for (rest, slot, member) in [
        ("regeneratesecondarykey", 1, "secondaryKeyRegeneratedUtc"),
        ("RegeneratePrimaryKey", 0, "primaryKeyRegeneratedUtc"),
    ] {
        let was = keys(&f, &token).await;
        let reply = post(&f, rest, &token).await;
        assert_eq!((reply.status.as_u16(), reply.text.as_str()), (204, ""), "{rest}");
        assert_eq!(reply.header("x-emulated-surface"), Some("undocumented"));
        let now = keys(&f, &token).await;
        assert_eq!(now[1 - slot], was[1 - slot], "{rest}: the other slot");
        assert_ne!(now[slot], was[slot], "{rest}");
        assert!(!works(&f, &token, &was[slot]).await && works(&f, &token, &now[slot]).await, "{rest}");
        assert!(works(&f, &token, &now[1 - slot]).await, "{rest}");
        let state = f.get(&format!("/api/instances/{INSTANCE}/manage/apisubscription"), &token).await.json();
        assert_eq!(state[member], "2026-11-20T12:01:00Z");
    }
    let after = keys(&f, &token).await;
    assert!(before.iter().all(|key| !after.contains(key)));
    let state = f.get(&format!("/api/instances/{INSTANCE}/manage/apisubscription"), &token).await.json();
    assert_eq!(state["version"], 3);
}

#[tokio::test]
async fn keys_are_for_admins_and_only_while_access_is_on() {
    let f = Fixture::start().await;
    let admin = f.admin(CI).await;
    let calls = ["listsecrets", "regenerateprimarykey", "regeneratesecondarykey"];
    for call in calls {
        let off = post(&f, call, &admin).await;
        assert_eq!((off.status.as_u16(), &off.json()["errorCode"]), (404, &json!("apiSubscriptionNotFound")), "{call}");
    }
    f.ask("PUT", &api("activate"), Ask::token(&admin)).await;
    let before = f.emulator.world();
    for (who, status, code) in [
        (VIEWER, 403, "userIsNotInstanceAdministrator"),
        (NESTED, 403, "userIsNotInstanceAdministrator"),
        (STRANGER, 404, "instanceNotFound"),
    ] {
        let token = f.token(who, CI).await;
        for call in calls {
            let reply = post(&f, call, &token).await;
            assert_eq!((reply.status.as_u16(), reply.json()["errorCode"].clone()), (status, code.into()), "{call}");
        }
    }
    assert_eq!(f.emulator.world(), before);
    let old = keys(&f, &admin).await;
    f.ask("PUT", &api("deactivate"), Ask::token(&admin)).await;
    f.ask("PUT", &api("activate"), Ask::token(&admin)).await;
    let new = keys(&f, &admin).await;
    assert!(old.iter().all(|key| !new.contains(key)));
    assert_eq!(
        f.ask("POST", &format!("/v1/instances/{INSTANCE}/manage/apisubscription/listsecrets"), Ask::token(&admin))
            .await
            .status,
        501
    );
}

#[tokio::test]
async fn a_key_may_take_its_time_to_count_and_to_show() {
    let f = with(|w| {
        w.behaviour.api_key_propagation = SignedDuration::from_mins(5);
        w.behaviour.stale_reads = SignedDuration::from_secs(30);
    })
    .await;
    let token = f.admin(CI).await;
    f.ask("PUT", &api("activate"), Ask::token(&token)).await;
    f.clock.advance(Duration::from_secs(600));
    let old = keys(&f, &token).await;
    post(&f, "regenerateprimarykey", &token).await;
    assert_eq!(keys(&f, &token).await, old, "listed later");
    f.clock.advance(Duration::from_secs(30));
    let new = keys(&f, &token).await;
    assert_ne!(new[0], old[0]);
    for (seconds, expected) in [(0, [true, false]), (269, [true, false]), (1, [false, true])] {
        f.clock.advance(Duration::from_secs(seconds));
        let found = [works(&f, &token, &old[0]).await, works(&f, &token, &new[0]).await];
        assert_eq!(found, expected, "after {seconds} s more");
    }
    // Switching off works at once, and no earlier key comes back with the next switching on.
    f.ask("PUT", &api("deactivate"), Ask::token(&token)).await;
    assert!(!works(&f, &token, &new[0]).await);
    f.ask("PUT", &api("activate"), Ask::token(&token)).await;
    for key in new.iter().chain(&old) {
        assert!(!works(&f, &token, key).await);
    }
}

#[tokio::test]
async fn keys_are_not_in_the_request_log() {
    let f = Fixture::start().await;
    let token = f.admin(CI).await;
    f.ask("PUT", &api("activate"), Ask::token(&token)).await;
    let [primary, secondary] = keys(&f, &token).await;
    let log = f.ask("GET", "/_emulator/requests", Ask::default()).await.text;
    assert!(!log.contains(&primary) && !log.contains(&secondary));
    let shown: Value = serde_json::from_str(&log).unwrap();
    assert!(shown.as_array().unwrap().iter().any(|r| r["path"].as_str().unwrap().ends_with("/listsecrets")));
}
