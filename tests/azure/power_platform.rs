//! Power Platform: environments, links, operations that are left and found again, policies.

use std::time::Duration;

use jiff::SignedDuration;
use palisade::azure::authorization::{self, Grant, PrincipalType};
use palisade::azure::power_platform::environments::{self, ProtectionLevel, Runtime, Sku};
use palisade::azure::power_platform::operations::{self, Kind, Polled, Settled, State};
use palisade::azure::power_platform::policies::{self, Draft, Health, Hint, Policy, Registered};
use palisade::azure::power_platform::{EnvironmentId, LinkStatus, Started, may_be_hidden};
use palisade::azure::{Failure, Writer};
use palisade::emulator::{AdminApplication, Attributes, Key, KeyVersion, PlatformEnvironment, World};
use palisade::terms::{AzureScope, ResourceId};
use uuid::Uuid;

use crate::support::{STRANGER, Services, VAULT, start_of_time, vault_of};

const ENVIRONMENT: &str = "1bd6bd98-0000-4000-8000-00000000e001";
const POLICY: &str = "/subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg-secrets/providers/Microsoft.PowerPlatform/enterprisePolicies/cmk";
const ENCRYPTION_USER: Uuid = Uuid::from_u128(0xe147_488a_f6f5_4113_8e2d_b224_65e6_5bf6);

fn environment() -> EnvironmentId {
    EnvironmentId::new(ENVIRONMENT.to_uppercase()).unwrap()
}

fn id(text: &str) -> ResourceId {
    text.parse().unwrap()
}

fn draft() -> Draft {
    Draft { location: "europe".into(), vault: id(VAULT), key: "pp-key".into(), version: None }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn with_key(world: &mut World) {
    let (at, ops) = (start_of_time(), ["wrapKey", "unwrapKey"].map(str::to_owned).into());
    let attributes = Attributes { enabled: true, not_before: None, expires: None, created: at, updated: at };
    let version = KeyVersion {
        version: format!("{:032x}", 1),
        kty: "RSA".into(),
        key_size: Some(3072),
        crv: None,
        key_ops: ops,
        attributes,
        tags: None,
    };
    let key = Key { name: "pp-key".into(), versions: vec![version], deleted: None };
    vault_of(world).keys.insert("pp-key".into(), key);
}

async fn services(change: impl FnOnce(&mut World), faults: &str) -> Services {
    Services::with(
        |world| {
            with_key(world);
            change(world);
        },
        faults,
    )
    .await
}

/// Makes a policy that may use its key.
async fn granted(writer: &Writer, name: &str) -> Policy {
    let policy = policies::put(writer, &id(&POLICY.replace("cmk", name)), &draft()).await.unwrap();
    let grant = Grant {
        scope: AzureScope::Resource(id(VAULT)),
        role: ENCRYPTION_USER,
        principal_id: policy.principal.unwrap(),
        principal_type: PrincipalType::ServicePrincipal,
    };
    authorization::grant(writer, &grant, "palisade").await.unwrap();
    policy
}

async fn link(writer: &Writer, policy: &Policy) -> operations::Handle {
    match policies::link(writer, &environment(), policy.system_id.as_ref().unwrap()).await.unwrap() {
        Started::Accepted(handle) => handle,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_environment_is_read_from_both_services() {
    let services = services(|_| {}, "").await;
    let admin = services.admin();
    let reader = admin.reader();
    let found = environments::get(reader, &environment()).await.unwrap();
    assert_eq!((found.id.as_str(), found.id.clone()), (ENVIRONMENT, environment()));
    assert_eq!(
        (found.location.as_deref(), found.sku, found.is_default),
        (Some("europe"), Some(Sku::Production), Some(false))
    );
    assert_eq!((found.protection_level, found.runtime), (Some(ProtectionLevel::Standard), Some(Runtime::Enabled)));
    assert_eq!(found.extended_settings.unwrap()["limitSharingMode"], "noLimit");
    assert!(found.links.encryption.is_none() && found.group.is_none());
    let address = found.dataverse.unwrap().instance_url.unwrap();
    let published = environments::get_published(reader, &environment()).await.unwrap();
    assert_eq!((published.id, published.dataverse_url), (environment(), Some(address)));
    assert_eq!(environments::list(reader).await.unwrap().len(), 1);
    assert_eq!(environments::list_published(reader).await.unwrap().len(), 1);
    let hidden = environments::get(&services.stranger(), &environment()).await.unwrap_err();
    assert!(may_be_hidden(&hidden), "{hidden}");
    assert!(!may_be_hidden(&environments::list(&services.stranger()).await.unwrap_err()));
}

#[tokio::test]
async fn lists_are_read_to_their_last_page_or_not_at_all() {
    let many = |world: &mut World| {
        world.behaviour.power_platform_page = 2;
        world.behaviour.empty_first_pages = true;
        let first = world.power_platform_environments[ENVIRONMENT].clone();
        for number in 2..=7 {
            let id = format!("Default-00000000-0000-4000-8000-00000000000{number}");
            let other = PlatformEnvironment { id: id.clone(), ..first.clone() };
            world.power_platform_environments.insert(id.to_lowercase(), other);
        }
    };
    let services = services(many, "").await;
    let admin = services.admin();
    assert_eq!(environments::list(admin.reader()).await.unwrap().len(), 7);
    assert_eq!(environments::list_published(admin.reader()).await.unwrap().len(), 7);
    let id = EnvironmentId::new("DEFAULT-00000000-0000-4000-8000-000000000002").unwrap();
    assert_eq!(environments::get(admin.reader(), &id).await.unwrap().id, id);
    for verb in 0..3 {
        let started = match verb % 2 {
            0 => environments::disable_managed(&admin, &environment()).await.unwrap(),
            _ => environments::enable_managed(&admin, &environment()).await.unwrap(),
        };
        let Started::Accepted(mut handle) = started else { panic!("{started:?}") };
        let settled = operations::wait(admin.reader(), &mut handle, seconds(60)).await.unwrap();
        assert!(matches!(settled, Settled::Ended(operation) if operation.state == State::Succeeded));
    }
    let all = operations::list(admin.reader(), &environment()).await.unwrap();
    let kinds: Vec<Kind> = all.iter().filter_map(|one| one.kind.clone()).collect();
    let (on, off) = (Kind::EnableGovernanceConfiguration, Kind::DisableGovernanceConfiguration);
    assert_eq!(kinds, [off.clone(), on, off]);
    let ids = |all: Vec<operations::Operation>| all.into_iter().map(|one| one.id).collect::<Vec<_>>();
    let published = operations::list_published(admin.reader(), &environment()).await.unwrap();
    assert_eq!(ids(published), ids(all));
    // One page that doesn't come makes the whole list unread.
    let faults =
        "- { operation: GET /providers/Microsoft.BusinessAppPlatform/*, nth: 3, action: { status: { code: 403 } } }";
    let services = self::services(many, faults).await;
    assert!(environments::list(services.admin().reader()).await.is_err());
}

#[tokio::test]
async fn a_key_is_linked_swapped_and_given_up() {
    let services = services(|_| {}, "").await;
    let admin = services.admin();
    let reader = admin.reader();
    let registered = policies::registration(reader, id(POLICY).subscription()).await;
    // The embedded client owns a group, not the subscription, and sees it all the same.
    assert_eq!(registered.as_ref().unwrap().state, Registered::Yes);
    assert!(registered.unwrap().locations.contains(&"europe".to_owned()));
    assert_eq!(policies::get(reader, &id(POLICY)).await.unwrap(), None);
    let one = granted(&admin, "cmk").await;
    assert_eq!(policies::get(reader, &id(POLICY)).await.unwrap(), Some(one.clone()));
    let key = one.key.clone().unwrap();
    assert_eq!((key.vault, key.name.as_deref(), key.version), (Some(id(VAULT)), Some("pp-key"), None));
    let enforcement = policies::enforcement(reader, &environment()).await.unwrap();
    assert_eq!(enforcement.says(&Kind::NewCustomerManagedKey), Hint::Allowed);
    assert!(matches!(enforcement.says(&Kind::RevertToMicrosoftKey), Hint::Disallowed(Some(_))));
    let mut handle = link(&admin, &one).await;
    let settled = operations::wait(reader, &mut handle, seconds(60)).await.unwrap();
    let Settled::Ended(operation) = settled else { panic!("{settled:?}") };
    assert_eq!((operation.state, operation.kind), (State::Succeeded, Some(Kind::NewCustomerManagedKey)));
    assert_eq!(operation.environment, Some(environment()));
    let linked = environments::get(reader, &environment()).await.unwrap().links.encryption.unwrap();
    assert_eq!((linked.policy, linked.status), (Some(one.id.clone()), Some(LinkStatus::Linked)));
    assert_eq!(linked.system_id, one.system_id);
    assert_eq!(policies::get(reader, &id(POLICY)).await.unwrap().unwrap().health, Some(Health::Healthy));
    let refused = policies::put(&admin, &id(POLICY), &Draft { key: "other".into(), ..draft() }).await.unwrap_err();
    assert_eq!(refused.code(), Some("EnterprisePolicyUpdateNotAllowed"));
    let two = granted(&admin, "two").await;
    let mut handle = link(&admin, &two).await;
    assert!(matches!(operations::wait(reader, &mut handle, seconds(60)).await.unwrap(), Settled::Ended(_)));
    let group = id(POLICY);
    assert_eq!(policies::list(reader, group.subscription(), group.resource_group()).await.unwrap().len(), 2);
    let published = environments::get_published(reader, &environment()).await.unwrap().links.encryption.unwrap();
    assert_eq!((published.policy, published.status), (Some(two.id.clone()), Some(LinkStatus::Linked)));
    let unlinked = policies::unlink(&admin, &environment(), two.system_id.as_ref().unwrap()).await.unwrap();
    let Started::Accepted(mut handle) = unlinked else { panic!("{unlinked:?}") };
    assert!(
        environments::get(reader, &environment())
            .await
            .unwrap()
            .links
            .encryption
            .unwrap()
            .status
            .unwrap()
            .is_under_way()
    );
    assert!(matches!(operations::wait(reader, &mut handle, seconds(60)).await.unwrap(), Settled::Ended(_)));
    assert!(environments::get(reader, &environment()).await.unwrap().links.encryption.is_none());
}

#[tokio::test]
async fn an_operation_of_four_days_is_left_and_found_again() {
    let services =
        services(|world| world.behaviour.encryption_operation_time = SignedDuration::from_hours(96), "").await;
    let admin = services.admin();
    let reader = admin.reader();
    let policy = granted(&admin, "cmk").await;
    let mut handle = link(&admin, &policy).await;
    let settled = operations::wait(reader, &mut handle, seconds(120)).await.unwrap();
    assert!(matches!(settled, Settled::Running(Some(_))), "{settled:?}");
    // A handle outlives the run, and the list leads to the operation without one.
    let mut again: operations::Handle = serde_json::from_str(&serde_json::to_string(&handle).unwrap()).unwrap();
    services.clock.advance(Duration::from_secs(48 * 3600));
    let Polled::Seen(seen) = operations::poll(reader, &mut again).await.unwrap() else { panic!("not seen") };
    assert_eq!((seen.state.clone(), seen.stage().unwrap().name.as_str()), (State::Running, "Run"));
    let found = operations::list(reader, &environment()).await.unwrap();
    assert_eq!((found.len(), &found[0]), (1, &seen));
    let busy = policies::link(&admin, &environment(), policy.system_id.as_ref().unwrap()).await.unwrap();
    assert!(matches!(&busy, Started::Conflict(conflict) if conflict.is_busy()), "{busy:?}");
    services.clock.advance(Duration::from_secs(48 * 3600));
    assert_eq!(operations::get(reader, &seen.id).await.unwrap().state, State::Succeeded);
}

#[tokio::test]
async fn a_failed_operation_tells_the_stage_and_leaves_its_word_on_the_environment() {
    let services = services(|_| {}, "").await;
    let admin = services.admin();
    let policy = policies::put(&admin, &id(POLICY), &draft()).await.unwrap();
    let mut handle = link(&admin, &policy).await;
    let settled = operations::wait(admin.reader(), &mut handle, seconds(60)).await.unwrap();
    let Settled::Ended(operation) = settled else { panic!("{settled:?}") };
    assert_eq!((operation.state.clone(), operation.stage().unwrap().name.as_str()), (State::Failed, "Prepare"));
    let error = operation.error.unwrap();
    assert_eq!(error.code.as_deref(), Some("EmulatedKeyAccessDenied"));
    let link = environments::get_published(admin.reader(), &environment()).await.unwrap().links.encryption.unwrap();
    assert_eq!((link.status, link.error), (Some(LinkStatus::Failed), error.message));
}

#[tokio::test]
async fn a_conflict_is_told_with_and_without_a_body() {
    for empty in [false, true] {
        let services = services(|world| world.behaviour.empty_conflicts = empty, "").await;
        let admin = services.admin();
        let policy = granted(&admin, "cmk").await;
        link(&admin, &policy).await;
        let busy = policies::unlink(&admin, &environment(), policy.system_id.as_ref().unwrap()).await.unwrap();
        let Started::Conflict(conflict) = busy else { panic!("{busy:?}") };
        assert_eq!((conflict.is_busy(), conflict.code.is_none()), (!empty, empty));
    }
    // Already so: the same status, and only a fresh read tells the two apart.
    let services = services(|_| {}, "").await;
    let managed = environments::enable_managed(&services.admin(), &environment()).await.unwrap();
    assert!(matches!(&managed, Started::Conflict(conflict) if !conflict.is_busy()), "{managed:?}");
}

#[tokio::test]
async fn a_start_whose_answer_is_lost_is_not_sent_again() {
    let part = "POST /providers/Microsoft.BusinessAppPlatform/*";
    for (fault, begun) in [("loseAnswer", 1), ("reset", 0), ("{ status: { code: 502 } }", 0)] {
        let services = services(|_| {}, &format!("- {{ operation: '{part}', action: {fault} }}")).await;
        let admin = services.admin();
        let policy = granted(&admin, "cmk").await;
        let error = policies::link(&admin, &environment(), policy.system_id.as_ref().unwrap()).await.unwrap_err();
        assert!(error.is_ambiguous(), "{fault}: {error}");
        assert_eq!(services.count("POST", "/enterprisePolicies/Encryption/link"), 1, "{fault}");
        // What became of it, the list tells.
        assert_eq!(operations::list(admin.reader(), &environment()).await.unwrap().len(), begun, "{fault}");
    }
}

#[tokio::test]
async fn an_operation_that_is_not_found_or_lies_elsewhere_is_no_success() {
    let gone = "- { operation: GET /providers/Microsoft.BusinessAppPlatform/lifecycleOperations/*, action: { status: { code: 404 } } }";
    let services = services(|_| {}, gone).await;
    let admin = services.admin();
    let policy = granted(&admin, "cmk").await;
    let mut handle = link(&admin, &policy).await;
    assert_eq!(operations::wait(admin.reader(), &mut handle, seconds(60)).await.unwrap(), Settled::Lost);
    let elsewhere = "- { operation: POST /providers/Microsoft.BusinessAppPlatform/*, action: { status: { code: 202, headers: { location: 'https://evil.example/providers/Microsoft.BusinessAppPlatform/lifecycleOperations/1' } } } }";
    let services = self::services(|_| {}, elsewhere).await;
    let admin = services.admin();
    let policy = granted(&admin, "cmk").await;
    let mut handle = link(&admin, &policy).await;
    let refused = operations::poll(admin.reader(), &mut handle).await.unwrap_err();
    assert!(matches!(refused.failure, Failure::HostRefused { .. }), "{refused}");
    // Polls that are told to wait go on.
    let busy = "- { operation: GET /providers/Microsoft.BusinessAppPlatform/lifecycleOperations/*, nth: 1, action: { status: { code: 409 } } }";
    let services = self::services(|_| {}, busy).await;
    let admin = services.admin();
    let policy = granted(&admin, "cmk").await;
    let mut handle = link(&admin, &policy).await;
    assert!(matches!(operations::wait(admin.reader(), &mut handle, seconds(60)).await.unwrap(), Settled::Ended(_)));
}

#[tokio::test]
async fn linking_takes_the_right_to_read_the_policy_as_well() {
    let registered = |world: &mut World| {
        world.admin_applications.insert(STRANGER, AdminApplication { registered: start_of_time() });
    };
    let services = services(registered, "").await;
    let policy = granted(&services.admin(), "cmk").await;
    let stranger = services.stranger_writer();
    let refused = policies::link(&stranger, &environment(), policy.system_id.as_ref().unwrap()).await.unwrap_err();
    let words = refused.to_string();
    assert!(words.contains("Microsoft.PowerPlatform/enterprisePolicies/read: the role Reader has it"), "{words}");
    // It administers, though.
    assert_eq!(environments::list(stranger.reader()).await.unwrap().len(), 1);
}
