//! What an answer is about, and whose id it names.

use serde_json::{Value as Json, json};

use super::*;
use crate::azure::testing::{Answers, reader_over};
use crate::terms::ObjectId;

const PROD: Uuid = Uuid::from_u128(0x6f2b_1c34_0000_4000_8000_0000_0000_a001);
const TEST: Uuid = Uuid::from_u128(0x6f2b_1c34_0000_4000_8000_0000_0000_b00b);

fn instance() -> Instance {
    Instance { id: PROD, scale_unit: None }
}

/// A service that gives one answer to everything.
fn reader(body: &Json) -> Reader {
    let body = body.clone();
    reader_over(Answers::by(move |_| (200, body.clone())))
}

#[tokio::test]
async fn metadata_that_names_another_environment_or_none_is_no_answer() {
    let table = [
        (json!({ "instanceId": PROD, "name": "prod" }), true),
        (json!({ "instanceId": PROD.to_string().to_uppercase(), "name": "prod" }), true),
        (json!({ "instanceId": TEST, "name": "prod" }), false),
        (json!({ "instanceId": null, "name": "prod" }), false),
        (json!({ "name": "prod" }), false),
    ];
    for (body, readable) in table {
        assert_eq!(get_instance(&reader(&body), &instance()).await.is_ok(), readable, "{body}");
    }
}

#[tokio::test]
async fn the_caller_is_one_principal_in_all_spellings_of_its_id() {
    let id = Uuid::from_u128(0x9d1e_7a55_0000_4000_8000_0000_0000_d001);
    for text in [id.to_string(), id.to_string().to_uppercase(), format!("{{{id:X}}}"), id.simple().to_string()] {
        let body = json!({ "principalId": text, "principalType": "user", "roles": ["Admin"] });
        let named = my_principal(&reader(&body), &instance()).await.unwrap();
        assert_eq!(named, Ok(ObjectId::from(id)), "{text}");
    }
}
