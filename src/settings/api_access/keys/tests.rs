//! Which vault is believed, and which key is let through.

use secrecy::SecretString;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{Keys, Look, SecretPlace, publish};
use crate::azure::Look as Services;
use crate::azure::customer_insights::{ApiKeys, Instance};
use crate::azure::testing::{Answers, reader_over};
use crate::config::Span;
use crate::rotation::{Access, Facts, Fingerprint, Rotation, Secret, Slots, VaultClock};
use crate::settings::api_access::codes;
use crate::settings::binding::resource;
use crate::settings::block::Claim;
use crate::terms::{Place, Slot, resource_kinds};

const TENANT: Uuid = Uuid::from_u128(0x7b1f_0c52_0000_4000_8000_0000_0000_00aa);
const INSTANCE: Uuid = Uuid::from_u128(0x6f2b_1c34_0000_4000_8000_0000_0000_a001);

/// Looks at keys that are published to the vault kv-prod.
pub(super) fn look() -> Look {
    let place = Place { file: "palisade.yaml".into(), line: 1, column: 1 };
    let claim = Claim {
        what: String::new(),
        called: String::new(),
        how: "published to",
        value: None,
        code: codes::SHARED_SECRET,
        help: "",
        span: Span::start_of(0),
    };
    let vault = resource(resource_kinds::VAULT, "kv-prod").try_into().unwrap();
    let publish_to = SecretPlace { vault, secret: "ci-api-key".into() };
    let keys = Keys { publish_to, rotation: Rotation::new(INSTANCE.to_string()), claim, place };
    Look::at(&keys, Instance { id: INSTANCE, scale_unit: None }, TENANT)
}

/// A key of 32 digits, and another one.
pub(super) fn key(digit: &str) -> SecretString {
    SecretString::from(digit.repeat(32))
}

pub(super) fn keys(primary: &str, secondary: &str) -> ApiKeys {
    ApiKeys { primary: key(primary), secondary: key(secondary) }
}

/// The gateway's answer to a key that it doesn't know.
pub(super) fn refusal() -> (u16, Json) {
    let message = "Access denied due to invalid subscription key. Make sure to provide a valid key.";
    (401, json!({ "statusCode": 401, "message": message }))
}

/// Facts of API access that is on, with these slots.
pub(super) fn facts(access: Access, slots: Slots) -> Facts {
    Facts { access, made: Vec::new(), slots, secret: Secret::Absent, clock: VaultClock::Agrees }
}

/// Names of vaults are global: one of another tenant, or a record that leads to another address, would get the key.
#[tokio::test]
async fn a_vault_is_the_declared_one_in_this_tenant_at_its_own_address() {
    let own = "https://kv-prod.vault.azure.net/";
    let table = [
        (json!({ "tenantId": TENANT, "vaultUri": own }), true),
        (json!({ "tenantId": TENANT, "vaultUri": "https://KV-PROD.vault.azure.net" }), true),
        (json!({ "tenantId": Uuid::from_u128(1), "vaultUri": own }), false),
        (json!({ "vaultUri": own }), false),
        (json!({ "tenantId": TENANT, "vaultUri": "https://kv-evil.vault.azure.net/" }), false),
        (json!({ "tenantId": TENANT, "vaultUri": "https://evil.net/kv-prod.vault.azure.net/" }), false),
        (json!({ "tenantId": TENANT }), false),
    ];
    let look = look();
    for (properties, right) in table {
        let id = look.keys.publish_to.vault.to_string();
        let body = json!({ "id": id, "name": "kv-prod", "location": "westeurope", "properties": properties.clone() });
        let reader = reader_over(Answers::by(move |_| (200, body.clone())));
        let vault = look.right_vault(&Services::begin(&reader, [])).await;
        assert_eq!(vault.is_ok(), right, "{properties}: {:?}", vault.err());
    }
    let gone = |_: &str| (404, json!({ "error": { "code": "ResourceNotFound", "message": "gone" } }));
    assert!(look.right_vault(&Services::begin(&reader_over(Answers::by(gone)), [])).await.is_err());
}

#[tokio::test]
async fn a_pasted_key_that_the_service_does_not_accept_is_not_published() {
    let accepted = reader_over(Answers::by(|_| (200, json!([]))));
    assert_eq!(publish::tried(&accepted, &key("a")).await, Ok(()));
    for answer in [refusal(), (401, json!({})), (403, json!({})), (404, json!({}))] {
        let body = answer.clone();
        let reader = reader_over(Answers::by(move |_| body.clone()));
        let ended = publish::tried(&reader, &key("a")).await.unwrap_err();
        assert!(ended.reason().contains("nothing was published"), "{answer:?}: {ended:?}");
    }
}

/// The service accepts the keys of every environment.
#[test]
fn a_pasted_key_is_the_one_in_the_slot_that_was_named() {
    let print = |digit: &str| -> Fingerprint { look().fingerprint(&key(digit)) };
    let read = || Slots::Read { primary: print("a"), secondary: print("b") };
    let is_in = |slot, digit: &str, access, slots| publish::is_in(slot, print(digit), &facts(access, slots)).is_ok();
    assert!(is_in(Slot::Primary, "a", Access::On, read()));
    assert!(is_in(Slot::Secondary, "b", Access::On, read()));
    for (slot, digit) in [(Slot::Primary, "b"), (Slot::Secondary, "a"), (Slot::Primary, "c")] {
        assert!(!is_in(slot, digit, Access::On, read()), "{digit} as {slot}");
    }
    assert!(!is_in(Slot::Primary, "a", Access::Off, read()));
    assert!(!is_in(Slot::Primary, "a", Access::Unknown("503".into()), read()));
    assert!(!is_in(Slot::Primary, "a", Access::On, Slots::NotRead));
    assert!(!is_in(Slot::Primary, "a", Access::On, Slots::Unknown("503".into())));
}
