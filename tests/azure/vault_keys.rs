//! Keys of vaults by Azure Resource Manager.

use jiff::Timestamp;
use palisade::azure::{Reader, vault_keys};
use palisade::emulator::{Attributes, Deletion, KeyVersion, VaultObject, World};
use palisade::terms::VaultId;

use crate::support::{STRANGER_PRINCIPAL, Services, VAULT, grant, vault_of};

const READER: &str = "acdd72a7-3385-48ef-bd42-f606fba81ae7";
const FIRST: &str = "00000000000000000000000000000001";
const SECOND: &str = "00000000000000000000000000000002";

fn id() -> VaultId {
    VAULT.parse().unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn version(number: &str, enabled: bool) -> KeyVersion {
    let created = at("2026-01-01T00:00:00Z");
    KeyVersion {
        version: number.into(),
        kty: "RSA-HSM".into(),
        key_size: Some(3072),
        crv: None,
        key_ops: vec!["wrapKey".into(), "unwrapKey".into()],
        attributes: Attributes {
            enabled,
            not_before: None,
            expires: Some(at("2027-01-01T00:00:00Z")),
            created,
            updated: created,
        },
        tags: None,
    }
}

/// A vault with a key of two versions, the newer of which is disabled, and a deleted one.
fn with_keys(world: &mut World) {
    let vault = vault_of(world);
    let key = |name: &str, deleted: Option<Deletion>| VaultObject {
        name: name.into(),
        versions: vec![version(FIRST, true), version(SECOND, false)],
        deleted,
    };
    let deletion = Deletion { deleted: at("2026-02-01T00:00:00Z"), scheduled_purge: at("2026-12-31T00:00:00Z") };
    vault.keys.insert("pp-key".into(), key("pp-key", None));
    vault.keys.insert("gone".into(), key("gone", Some(deletion)));
    grant(world, STRANGER_PRINCIPAL, READER, VAULT);
}

async fn reader(rules: &str) -> (Services, Reader) {
    let services = Services::with(with_keys, rules).await;
    let reader = services.stranger();
    (services, reader)
}

#[tokio::test]
async fn a_key_is_read_by_whoever_reads_the_vault() {
    let (_services, reader) = reader("").await;
    let key = vault_keys::get(&reader, &id(), "PP-KEY").await.unwrap().unwrap();
    assert_eq!((key.version.as_deref(), key.enabled), (Some(SECOND), Some(false)), "the current one, enabled or not");
    assert_eq!((key.kind.as_deref(), key.size), (Some("RSA-HSM"), Some(3072)));
    assert_eq!(key.operations.unwrap(), ["wrapKey", "unwrapKey"]);
    assert_eq!((key.not_before, key.expires), (None, Some(at("2027-01-01T00:00:00Z"))));
    let versions = vault_keys::versions(&reader, &id(), "pp-key").await.unwrap();
    let told: Vec<_> = versions.iter().map(|one| (one.version.as_deref().unwrap(), one.enabled.unwrap())).collect();
    assert_eq!(told, [(FIRST, true), (SECOND, false)]);
}

#[tokio::test]
async fn only_resource_managers_word_proves_that_there_is_no_such_key() {
    let (services, reader) = reader("").await;
    for absent in ["none", "gone"] {
        assert_eq!(vault_keys::get(&reader, &id(), absent).await.unwrap(), None, "{absent}");
        assert_eq!(vault_keys::versions(&reader, &id(), absent).await.unwrap_err().code(), Some("ResourceNotFound"));
    }
    drop(services);
    let blind = Services::with(|world| vault_of(world).keys.clear(), "").await;
    assert_eq!(
        vault_keys::get(&blind.stranger(), &id(), "none").await.unwrap_err().code(),
        Some("AuthorizationFailed")
    );
}

/// Another key, another vault, two versions in one answer, half a list: none of them is an answer.
#[tokio::test]
async fn an_answer_about_another_key_is_no_answer() {
    let (other, key) = (VAULT.replace("kv-ci-prod", "kv-other"), format!("{VAULT}/keys/pp-key"));
    let address = "https://kv-ci-prod.vault.azure.net/keys";
    let bodies = [
        format!("{{ id: {other}/keys/pp-key, name: pp-key }}"),
        format!("{{ id: {VAULT}/keys/another, name: another }}"),
        format!("{{ id: {key}, name: pp-key, properties: {{ keyUriWithVersion: {address}/another/{FIRST} }} }}"),
        format!("{{ id: {key}, name: {SECOND}, properties: {{ keyUriWithVersion: {address}/pp-key/{FIRST} }} }}"),
        format!("{{ id: {key}, name: pp-key, properties: {{ keyUriWithVersion: no-address }} }}"),
        format!("{{ id: {key}, name: pp-key, properties: {{ attributes: {{ exp: soon }} }} }}"),
        format!("{{ id: {key}, name: pp-key, properties: {{ attributes: {{ exp: 99999999999999999 }} }} }}"),
    ];
    for body in bodies {
        let rule = format!("- {{ operation: GET */keys/pp-key, action: {{ status: {{ code: 200, body: {body} }} }} }}");
        let (_services, reader) = reader(&rule).await;
        assert!(vault_keys::get(&reader, &id(), "pp-key").await.is_err(), "{body}");
    }
    let twice = format!("{{ id: '{key}/versions/{FIRST}', name: '{FIRST}' }}");
    let rule = format!(
        "- {{ operation: GET */versions, action: {{ status: {{ code: 200, body: {{ value: [{twice}, {twice}] }} }} }} }}"
    );
    let (_services, reader) = reader(&rule).await;
    assert!(vault_keys::versions(&reader, &id(), "pp-key").await.is_err());
}

/// What isn't said is unknown, and no default.
#[tokio::test]
async fn what_an_answer_leaves_out_is_unknown() {
    let body = format!("{{ id: {VAULT}/keys/pp-key, name: pp-key }}");
    let rule = format!("- {{ operation: GET */keys/pp-key, action: {{ status: {{ code: 200, body: {body} }} }} }}");
    let (_services, reader) = reader(&rule).await;
    let key = vault_keys::get(&reader, &id(), "pp-key").await.unwrap().unwrap();
    assert_eq!((key.version, key.kind, key.size, key.operations), (None, None, None, None));
    assert_eq!((key.enabled, key.not_before, key.expires), (None, None, None));
}
