//! Secrets: every answer that a vault can give, and what it is taken for.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::SignedDuration;
use palisade::azure::key_vault::{
    Changes, Denial, Labels, Lookup, SecretAddress, get_current, get_deleted, get_version, list_versions, recover,
    set_secret, update_properties,
};
use palisade::azure::{Failure, Writer};
use palisade::emulator::{Bucket, World};
use secrecy::{ExposeSecret as _, SecretString};

use crate::support::{STRANGER_PRINCIPAL, Services, VAULT, grant, secret, start_of_time, vault_of, world};

const METADATA_READER: &str = "21090545-7ca7-4776-b22c-e363652d74d2";

fn value(text: &str) -> SecretString {
    SecretString::from(text)
}

async fn set(writer: &Writer, text: &str) -> String {
    set_secret(writer, &secret(), &value(text), &Labels::default()).await.unwrap().version
}

fn shown(lookup: &Lookup) -> String {
    match lookup {
        Lookup::Found(secret) => secret.value.expose_secret().to_owned(),
        Lookup::Disabled => "disabled".into(),
        Lookup::Absent => "absent".into(),
        Lookup::SoftDeleted(_) => "deleted".into(),
        Lookup::Forbidden(_) => "forbidden".into(),
        Lookup::Firewall(_) => "firewall".into(),
    }
}

fn delete(world: &mut World) {
    let secret = vault_of(world).secrets.get_mut("ci-api-key").unwrap();
    secret.deleted = Some(palisade::emulator::Deletion {
        deleted: start_of_time(),
        scheduled_purge: start_of_time() + SignedDuration::from_hours(24 * 90),
    });
}

#[tokio::test]
async fn a_value_goes_in_and_comes_out_with_its_properties() {
    let services = Services::with(|_| {}, "").await;
    let writer = services.admin();
    let tags = BTreeMap::from([("slot".to_owned(), "primary".to_owned())]);
    let expires = start_of_time() + SignedDuration::from_hours(24);
    let content_type = Some("text/plain".into());
    let labels = Labels { tags: tags.clone(), content_type, expires: Some(expires), disabled: false };
    let odd = "a \"quoted\" \\ value\nwith ünïcode 🔑";
    let made = set_secret(&writer, &secret(), &value(odd), &labels).await.unwrap();
    let Lookup::Found(found) = get_current(writer.reader(), &secret()).await.unwrap() else { panic!() };
    assert_eq!(found.value.expose_secret(), odd);
    assert_eq!(found.properties, made);
    assert_eq!((found.properties.tags, found.properties.expires), (tags, Some(expires)));
    assert_eq!((found.properties.created, found.served_at), (start_of_time(), Ok(start_of_time())));
    assert_eq!(found.properties.previous, None);
    let second = set(&writer, "two").await;
    assert_eq!(shown(&get_current(writer.reader(), &secret()).await.unwrap()), "two");
    assert_eq!(shown(&get_version(writer.reader(), &secret(), &made.version).await.unwrap()), odd);
    let shouted = SecretAddress { vault: "KV-CI-PROD".into(), name: "CI-API-KEY".into() };
    assert_eq!(shown(&get_version(writer.reader(), &shouted, &second).await.unwrap()), "two");
}

#[tokio::test]
async fn properties_change_and_a_disabled_current_version_is_told() {
    let services = Services::with(|_| {}, "").await;
    let writer = services.admin();
    let first = set(&writer, "one").await;
    let second = set(&writer, "two").await;
    services.clock.advance(Duration::from_secs(60));
    let tags = BTreeMap::from([("intent".to_owned(), "x".to_owned())]);
    let changes = Changes { tags: Some(tags.clone()), ..Changes::default() };
    let tagged = update_properties(&writer, &secret(), &second, &changes).await.unwrap();
    assert_eq!((tagged.version.as_str(), &tagged.tags, tagged.enabled), (second.as_str(), &tags, true));
    assert_eq!(tagged.updated, Some(start_of_time() + SignedDuration::from_secs(60)));
    let off = Changes { enabled: Some(false), ..Changes::default() };
    let off = update_properties(&writer, &secret(), &second, &off).await.unwrap();
    assert_eq!((off.enabled, off.tags), (false, tags));
    assert_eq!(shown(&get_current(writer.reader(), &secret()).await.unwrap()), "disabled");
    assert_eq!(shown(&get_version(writer.reader(), &secret(), &first).await.unwrap()), "one");
    let on = Changes { enabled: Some(true), ..Changes::default() };
    update_properties(&writer, &secret(), &second, &on).await.unwrap();
    assert_eq!(shown(&get_current(writer.reader(), &secret()).await.unwrap()), "two");
}

#[tokio::test]
async fn a_list_is_whole_whatever_its_pages_look_like() {
    for empty_first in [false, true] {
        let services = Services::with(|w| w.behaviour.empty_first_pages = empty_first, "").await;
        let writer = services.admin();
        let mut made = BTreeSet::new();
        for number in 0..60 {
            made.insert(set(&writer, &number.to_string()).await);
        }
        let versions = list_versions(writer.reader(), &secret()).await.unwrap();
        assert_eq!(versions.items.iter().map(|v| v.version.clone()).collect::<BTreeSet<_>>(), made);
        assert_eq!((versions.items.len(), versions.served_at), (60, Ok(start_of_time())));
        assert_eq!(services.count("GET", "/versions"), 3 + usize::from(empty_first));
    }
}

#[tokio::test]
async fn a_list_that_is_not_whole_is_an_error() {
    let page = |link: &str| {
        format!(
            "- {{ operation: GET */versions, action: {{ status: {{ code: 200, body: {{ value: [], nextLink: '{link}' }} }} }} }}"
        )
    };
    let cases = [
        ("- { operation: GET */versions, nth: 2, action: { status: { code: 403 } } }".to_owned(), None),
        (
            "- { operation: GET */versions, nth: 2, action: { status: { code: 200, body: { value: [{}] } } } }"
                .to_owned(),
            None,
        ),
        ("- { operation: GET */versions, nth: 2, action: { status: { code: 200, body: {} } } }".to_owned(), None),
        (page("https://evil.example/secrets/ci-api-key/versions"), Some(1)),
        (page("https://other.vault.azure.net/secrets/ci-api-key/versions"), Some(1)),
        (page("http://kv-other.vault.localhost:1/secrets/ci-api-key/versions"), Some(1)),
        (page("/secrets/ci-api-key/versions"), Some(1)),
    ];
    for (faults, calls) in cases {
        let services = Services::with(|_| {}, &faults).await;
        let writer = services.admin();
        for number in 0..26 {
            set(&writer, &number.to_string()).await;
        }
        let outcome = list_versions(writer.reader(), &secret()).await;
        assert!(outcome.is_err(), "{faults}: {outcome:?}");
        assert!(calls.is_none_or(|calls| calls == services.count("GET", "")), "{faults}");
    }
    // Pages that lead in a circle: the link of the page is the page.
    let circle = |port: u16| page(&format!("http://kv-ci-prod.vault.localhost:{port}/secrets/ci-api-key/versions?x=y"));
    let services = Services::serve_knowing_its_port(world(), circle).await;
    let error = list_versions(services.admin().reader(), &secret()).await.unwrap_err();
    assert!(matches!(error.failure, Failure::Unreadable { .. }), "{error}");
    assert_eq!(services.count("GET", "/versions"), 2);
    // Another vault would get the token, too, but a list of this one doesn't go on there.
    let elsewhere = |port: u16| page(&format!("http://kv-other.vault.localhost:{port}/secrets/ci-api-key/versions"));
    let services = Services::serve_knowing_its_port(world(), elsewhere).await;
    let error = list_versions(services.admin().reader(), &secret()).await.unwrap_err();
    assert!(matches!(error.failure, Failure::HostRefused { .. }), "{error}");
    assert_eq!(services.count("GET", ""), 1);
}

#[tokio::test]
async fn absent_deleted_forbidden_and_shut_out_are_told_apart() {
    let services = Services::with(|_| {}, "").await;
    let writer = services.admin();
    assert_eq!(shown(&get_current(writer.reader(), &secret()).await.unwrap()), "absent");
    assert_eq!(get_deleted(writer.reader(), &secret()).await.unwrap(), None);
    assert!(list_versions(writer.reader(), &secret()).await.unwrap().items.is_empty());
    let first = set(&writer, "one").await;
    let none = "0".repeat(32);
    assert_eq!(shown(&get_version(writer.reader(), &secret(), &none).await.unwrap()), "absent");
    for lookup in
        [get_current(&services.stranger(), &secret()).await, get_version(&services.stranger(), &secret(), &first).await]
    {
        let Lookup::Forbidden(error) = lookup.unwrap() else { panic!() };
        assert_eq!(error.inner_code(), Some("ForbiddenByRbac"));
        assert!(error.to_string().contains("Microsoft.KeyVault/vaults/secrets/getSecret/action"), "{error}");
    }
    let listed = list_versions(&services.stranger(), &secret()).await.unwrap_err();
    assert_eq!(Denial::of(&listed), Some(Denial::Right));

    let mut world = services.emulator.world();
    delete(&mut world);
    grant(&mut world, STRANGER_PRINCIPAL, METADATA_READER, VAULT);
    let deleted = Services::serve(world.clone(), "").await;
    let writer = deleted.admin();
    let Lookup::SoftDeleted(found) = get_current(writer.reader(), &secret()).await.unwrap() else { panic!() };
    assert_eq!(found.deleted, Some(start_of_time()));
    let refused = set_secret(&writer, &secret(), &value("two"), &Labels::default()).await.unwrap_err();
    assert_eq!((refused.status(), refused.inner_code()), (Some(409), Some("ObjectIsDeletedButRecoverable")));
    recover(&writer, &secret()).await.unwrap();
    assert_eq!(shown(&get_current(writer.reader(), &secret()).await.unwrap()), "one");
    assert_eq!(recover(&writer, &secret()).await.unwrap_err().code(), Some("SecretNotFound"));

    for (public, acls) in [(Some("Disabled"), false), (None, true)] {
        let mut world = world.clone();
        let vault = vault_of(&mut world);
        vault.public_network_access = public.map(str::to_owned);
        vault.network_acls = acls.then(|| palisade::emulator::NetworkAcls {
            bypass: "None".into(),
            default_action: palisade::emulator::DefaultAction::Deny,
            ip_rules: Vec::new(),
            virtual_network_rules: Vec::new(),
        });
        let shut = Services::serve(world, "").await;
        assert_eq!(shown(&get_current(shut.admin().reader(), &secret()).await.unwrap()), "firewall");
    }
}

#[tokio::test]
async fn what_cannot_be_proven_is_not_absent() {
    let not_found = "{ error: { code: SecretNotFound, message: m } }";
    let cases = [
        // Something else answers 404.
        ("- { operation: GET /secrets/*, action: { status: { code: 404 } } }".to_owned(), "error"),
        ("- { operation: GET /secrets/*, action: { status: { code: 404, body: { error: { code: NoSuchHost } } } } }".to_owned(), "error"),
        // Whether it was deleted can't be seen.
        ("- { operation: GET /deletedsecrets/*, action: { status: { code: 403 } } }".to_owned(), "forbidden"),
        ("- { operation: GET /deletedsecrets/*, action: { status: { code: 500 } } }".to_owned(), "error"),
        ("- { operation: GET /deletedsecrets/*, action: { status: { code: 404 } } }".to_owned(), "error"),
        (format!("- {{ operation: GET /secrets/*, action: {{ status: {{ code: 404, body: {not_found} }} }} }}"), "absent"),
        // A whole answer that isn't about this secret, or isn't whole.
        ("- { operation: GET /secrets/*, action: { status: { code: 200, body: { value: x } } } }".to_owned(), "error"),
        (
            "- { operation: GET /secrets/*, action: { status: { code: 200, body: { value: x, id: 'https://kv/secrets/other/1', attributes: { enabled: true, created: 1 } } } } }".to_owned(),
            "error",
        ),
        (
            "- { operation: GET /secrets/*, action: { status: { code: 200, body: { id: 'https://kv/secrets/ci-api-key/1', attributes: { enabled: true, created: 1 } } } } }".to_owned(),
            "error",
        ),
    ];
    for (faults, expected) in cases {
        let services = Services::with(|_| {}, &faults).await;
        let outcome = get_current(services.admin().reader(), &secret()).await;
        let found = outcome.as_ref().map_or("error".to_owned(), shown);
        assert_eq!(found, expected, "{faults}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_set_whose_answer_is_lost_is_not_sent_again_and_an_update_is() {
    let services = Services::with(|_| {}, "- { operation: PUT /secrets/*, action: loseAnswer }").await;
    let writer = services.admin();
    let error = set_secret(&writer, &secret(), &value("one"), &Labels::default()).await.unwrap_err();
    assert!(error.is_ambiguous(), "{error}");
    assert_eq!(services.count("PUT", "/secrets/"), 1);
    assert_eq!(shown(&get_current(writer.reader(), &secret()).await.unwrap()), "one");
    let services = Services::with(|_| {}, "- { operation: PATCH, nth: 1, action: loseAnswer }").await;
    let writer = services.admin();
    let version = set(&writer, "one").await;
    let changes = Changes { tags: Some(BTreeMap::new()), ..Changes::default() };
    update_properties(&writer, &secret(), &version, &changes).await.unwrap();
    assert_eq!(services.count("PATCH", "/secrets/"), 2);
}

#[tokio::test]
async fn a_throttled_vault_is_waited_for() {
    let bucket = Bucket { calls: 2, per: SignedDuration::from_secs(10) };
    let services = Services::with(|w| w.behaviour.vault_throttle = Some(bucket), "").await;
    let writer = services.admin();
    for number in 0..5 {
        set(&writer, &number.to_string()).await;
    }
    let waited = services.clock.now().duration_since(start_of_time());
    // After a pause, calls keep a small distance.
    assert_eq!(waited.as_secs(), 20);
}

#[tokio::test]
async fn names_lead_nowhere_else() {
    let services = Services::with(|_| {}, "").await;
    let writer = services.admin();
    set(&writer, "one").await;
    let before = services.emulator.requests().len();
    let address = |vault: &str, name: &str| SecretAddress { vault: vault.into(), name: name.into() };
    for at in [
        address("kv-ci-prod", ""),
        address("kv-ci-prod", ".."),
        address("kv-ci-prod", "."),
        address("kv.evil.example", "x"),
        address("", "x"),
        address("kv-ci-prod@evil", "x"),
    ] {
        let error = get_current(writer.reader(), &at).await.unwrap_err();
        assert!(matches!(error.failure, Failure::HostRefused { .. }), "{at:?}: {error}");
    }
    assert!(get_version(writer.reader(), &secret(), "").await.is_err());
    let changes = Changes { enabled: Some(false), ..Changes::default() };
    assert!(update_properties(&writer, &secret(), "", &changes).await.is_err());
    assert_eq!(services.emulator.requests().len(), before);
}

#[tokio::test]
async fn values_show_nowhere() {
    let services = Services::with(|_| {}, "").await;
    let writer = services.admin();
    set(&writer, "hidden-value").await;
    let found = get_current(writer.reader(), &secret()).await.unwrap();
    assert!(matches!(found, Lookup::Found(_)));
    assert!(!format!("{found:?}").contains("hidden"), "{found:?}");
    let cut = Services::serve(services.emulator.world(), "- { operation: GET /secrets/*, action: truncate }").await;
    let error = get_current(cut.admin().reader(), &secret()).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hidden"), "{error:?}");
    // A value of the wrong shape isn't quoted either.
    let odd = "- { operation: GET /secrets/*, action: { status: { code: 200, body: { value: [hidden] } } } }";
    let odd = Services::with(|_| {}, odd).await;
    let error = get_current(odd.admin().reader(), &secret()).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hidden"), "{error:?}");
}
