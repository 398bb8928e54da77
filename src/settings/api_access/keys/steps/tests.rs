//! What a move publishes, and what it takes for a key that works.

use serde_json::json;

use super::*;
use crate::azure::testing::{Answers, reader_over, writer_over};
use crate::rotation::{Access, Slots, Tags};
use crate::settings::api_access::keys::tests::{facts, key, keys, look, refusal};

/// What a look brought whose slots hold these keys.
fn live(primary: &str, secondary: &str) -> Live {
    let print = |digit: &str| look().fingerprint(&key(digit));
    let slots = Slots::Read { primary: print(primary), secondary: print(secondary) };
    Live::of(facts(Access::On, slots), keys(primary, secondary))
}

/// The check named a value: one that isn't in the slot any more, or never was, is not what was decided about.
#[tokio::test]
async fn a_key_whose_fingerprint_is_another_one_is_not_published() {
    let carrier = Carrier::new(&look());
    let live = live("a", "b");
    for (slot, digit, published) in [
        (Slot::Primary, "a", true),
        (Slot::Secondary, "b", true),
        (Slot::Primary, "b", false),
        (Slot::Secondary, "a", false),
        (Slot::Secondary, "c", false),
    ] {
        let service = Answers::by(|_| {
            (200, json!({ "value": "stored", "id": "https://kv-prod.vault.azure.net/secrets/ci-api-key/1" }))
        });
        let value = look().fingerprint(&key(digit));
        let request = Request::Publish { slot, value, tags: Tags::default() };
        let outcome = carrier.send(&writer_over(service.clone()), request, &live).await;
        assert_eq!(!service.writes().is_empty(), published, "{digit} of {slot}: {outcome:?}");
        assert!(published || matches!(outcome, Err(StepError::Unread(_))), "{outcome:?}");
    }
}

#[tokio::test]
async fn a_new_key_works_once_the_service_accepts_it() {
    let carrier = Carrier::new(&look());
    let probe = |digit: &str| Request::Probe { slot: Slot::Primary, value: look().fingerprint(&key(digit)) };
    let tried = async |answer: (u16, serde_json::Value), digit: &str| {
        let reader = reader_over(Answers::by(move |_| answer.clone()));
        carrier.tried(&reader, &probe(digit), &live("a", "b")).await
    };
    assert_eq!(tried((200, json!([])), "a").await, ReadBack::Shown);
    assert!(matches!(tried(refusal(), "a").await, ReadBack::NotYet(_)));
    assert!(matches!(tried((401, json!({})), "a").await, ReadBack::Unread(_)));
    assert!(matches!(tried((200, json!([])), "b").await, ReadBack::Unread(_)), "another value than the slot's");
}
