//! The transport against a real server: retries, waits, tokens, hosts, requests in flight.
//!
//! The clock is simulated, so that a wait of minutes takes no time and can be measured exactly.

#![expect(clippy::unwrap_used, reason = "a failing test panics")]

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use futures_util::future::{BoxFuture, join_all};
use jiff::{SignedDuration, Timestamp};
use palisade::azure::customer_insights::{self as ci, Instance};
use palisade::azure::exchange::Http;
use palisade::azure::hosts::Hosts;
use palisade::azure::key_vault::{self as kv, Lookup, SecretAddress};
use palisade::azure::retry::Limits;
use palisade::azure::{
    Call, ClientCredentials, Failure, Quiet, Reader, Settings, Token, TokenError, TokenSource, Transport, Writer,
    operations,
};
use palisade::clock::{Clock, Ids};
use palisade::emulator::{
    self, Bucket, CLIENT_ID, CLIENT_SECRET, Emulator, Observer, Options, SeenRequest, Store, Wanted, WantedEnvironment,
    WantedVault, World,
};
use palisade::terms::Face;
use secrecy::SecretString;
use uuid::Uuid;

const TENANT: Uuid = Uuid::from_u128(0x7b1f_0c52_0000_4000_8000_0000_0000_00aa);
const VAULT: &str =
    "/subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv-ci";
const INSTANCE: Uuid = Uuid::from_u128(0x6f2b_1c34_0000_4000_8000_0000_0000_a001);

struct Scene {
    emulator: Emulator,
    clock: Clock,
    start: Timestamp,
    transport: Rc<Transport>,
}

async fn scene(faults: &str, observer: Option<Arc<dyn Observer>>) -> Scene {
    let secret = SecretString::from(CLIENT_SECRET.to_owned());
    let credentials = ClientCredentials::new(TENANT.to_string(), CLIENT_ID.to_string(), secret);
    signed_in(faults, observer, Box::new(credentials)).await
}

async fn signed_in(faults: &str, observer: Option<Arc<dyn Observer>>, tokens: Box<dyn TokenSource>) -> Scene {
    let start: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
    let clock = Clock::simulated(start);
    let mut world = World::new(None);
    let environment = WantedEnvironment {
        key: "prod".into(),
        instance_id: Some(INSTANCE),
        environment_id: "e".into(),
        name: None,
        business_units: false,
        principals: Vec::new(),
    };
    let (environments, vaults) = (vec![environment], vec![WantedVault { id: VAULT.into() }]);
    let wanted = Wanted { tenant: TENANT, environments, vaults, ..Wanted::default() };
    emulator::seed(&mut world, &wanted, start).unwrap();
    world.behaviour.vault_throttle = Some(Bucket { calls: 2, per: SignedDuration::from_secs(1) });
    let faults = if faults.is_empty() { Vec::new() } else { emulator::parse_rules(faults).unwrap() };
    let emulator = emulator::start(Options {
        http: ([127, 0, 0, 1], 0).into(),
        https: None,
        certificate: None,
        world: Store::memory(world),
        faults,
        clock: clock.clone(),
        ids: Ids::seeded(1),
        observer,
    })
    .await
    .unwrap();
    let transport = Transport::new(Settings {
        exchange: Rc::new(Http::new(&Hosts::emulator(emulator.http()).unwrap())),
        hosts: Hosts::emulator(emulator.http()).unwrap(),
        face: Face::ScaleUnit,
        subscription_key: None,
        tokens,
        clock: clock.clone(),
        limits: Limits::default(),
        per_host: 3,
        notices: Rc::new(Quiet),
    });
    Scene { emulator, clock, start, transport: Rc::new(transport) }
}

impl Scene {
    fn reader(&self) -> Reader {
        Reader::new(self.transport.clone())
    }

    fn waited(&self) -> i64 {
        self.clock.now().duration_since(self.start).as_secs()
    }

    fn sent(&self, method: &str, ending: &str) -> usize {
        self.emulator.requests().iter().filter(|seen| seen.method == method && seen.path.ends_with(ending)).count()
    }
}

fn instance() -> Instance {
    Instance { id: INSTANCE, scale_unit: None }
}

#[tokio::test]
async fn retry_after_in_seconds_and_as_a_date_is_honoured_in_full() {
    let scene = scene(
        r#"
        - { operation: GET /api/instances, nth: 1, action: { status: { code: 429, headers: { Retry-After: "17" } } } }
        - { operation: GET /api/instances, nth: 2, action: { status: { code: 503, headers: { Retry-After: "Fri, 20 Nov 2026 12:00:47 GMT" } } } }
        "#,
        None,
    )
    .await;
    assert_eq!(ci::list_instances(&scene.reader()).await.unwrap().len(), 1);
    assert_eq!(scene.waited(), 47);
    assert_eq!(scene.sent("GET", "/api/instances"), 3);
}

#[tokio::test]
async fn patience_ends() {
    let throttled = scene(
        r#"- { operation: GET /api/instances, action: { status: { code: 429, headers: { Retry-After: "900" } } } }"#,
        None,
    )
    .await;
    let error = ci::list_instances(&throttled.reader()).await.unwrap_err();
    assert!(matches!(error.failure, Failure::Throttled { seconds: 900, .. }), "{error}");
    assert_eq!((throttled.waited(), throttled.sent("GET", "/api/instances")), (0, 1));

    let broken = scene("- { operation: GET /api/instances, action: { status: { code: 500 } } }", None).await;
    let error = ci::list_instances(&broken.reader()).await.unwrap_err();
    assert_eq!((error.status(), error.attempts), (Some(500), 6));
    assert_eq!(broken.sent("GET", "/api/instances"), 6);
    assert!(broken.waited() < 120);
}

#[tokio::test]
async fn a_write_that_is_not_repeatable_is_sent_once_whatever_becomes_of_its_answer() {
    for action in ["loseAnswer", "reset", "truncate", "{ status: { code: 503, headers: { Retry-After: \"1\" } } }"] {
        let scene = scene(&format!("- {{ operation: PUT */activate, action: {action} }}"), None).await;
        let error = ci::activate_api_access(&Writer::new(scene.transport.clone(), ""), &instance()).await.unwrap_err();
        assert!(error.is_ambiguous(), "{action}: {error}");
        assert_eq!(scene.sent("PUT", "/activate"), 1, "{action}");
    }
}

#[tokio::test]
async fn a_repeatable_write_survives_a_lost_answer() {
    let scene = scene("- { operation: PUT */assignment, nth: 1, action: loseAnswer }", None).await;
    let creator = *scene.emulator.world().users.keys().next().unwrap();
    let writer = Writer::new(scene.transport.clone(), "");
    ci::put_assignment(&writer, &instance(), &creator.to_string(), "user", "Viewer").await.unwrap();
    assert_eq!(scene.sent("PUT", "/assignment"), 2);
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let scene = scene(
        "- { operation: GET /api/instances, action: { status: { code: 307, headers: { Location: /v1.0/users } } } }",
        None,
    )
    .await;
    assert_eq!(ci::list_instances(&scene.reader()).await.unwrap_err().status(), Some(307));
    assert_eq!(scene.sent("GET", "/v1.0/users"), 0);
}

#[tokio::test]
async fn a_truncated_answer_is_no_answer() {
    let scene = scene("- { operation: GET */rbac/assignments, action: truncate }", None).await;
    let error = ci::list_assignments(&scene.reader(), &instance()).await.unwrap_err();
    assert!(matches!(error.failure, Failure::NoAnswer { .. }), "{error}");
}

#[tokio::test]
async fn an_address_that_an_answer_names_gets_no_token_unless_it_is_the_service() {
    let scene = scene("", None).await;
    for foreign in ["https://prod-weu-01.api.ci.ai.dynamics.com", "http://127.0.0.1:1", "http://localhost:80"] {
        let scale_unit = Some(foreign.parse().unwrap());
        let error = ci::list_roles(&scene.reader(), &Instance { id: INSTANCE, scale_unit }).await.unwrap_err();
        assert!(matches!(error.failure, Failure::HostRefused { .. }), "{error}");
    }
    assert_eq!(scene.emulator.requests().len(), 0, "not even a token was asked for");
}

#[tokio::test]
async fn one_token_serves_many_calls_until_shortly_before_its_end() {
    let scene = scene("", None).await;
    let reader = scene.reader();
    join_all((0..5).map(|_| ci::list_instances(&reader))).await;
    assert_eq!(scene.sent("POST", "/token"), 1);
    scene.clock.advance(std::time::Duration::from_secs(3599 - 301));
    ci::list_instances(&reader).await.unwrap();
    assert_eq!(scene.sent("POST", "/token"), 1);
    scene.clock.advance(std::time::Duration::from_secs(2));
    ci::list_instances(&reader).await.unwrap();
    assert_eq!(scene.sent("POST", "/token"), 2);
}

#[tokio::test]
async fn a_value_in_a_path_stays_a_value() {
    let scene = scene("", None).await;
    let call = Call::of(&operations::GRAPH_GET_USER).path("userPrincipalName", "../groups?x=#@contoso.com");
    let error = scene.reader().send(call).await.unwrap_err();
    assert_eq!(error.code(), Some("Request_ResourceNotFound"));
    let paths: Vec<String> = scene.emulator.requests().into_iter().map(|seen| seen.path).collect();
    assert!(paths.contains(&"/v1.0/users/..%2Fgroups%3Fx%3D%23@contoso.com".to_owned()), "{paths:?}");
}

/// Counts requests in flight, each held until as many others have had the chance to come as there are.
#[derive(Default)]
struct Crowd {
    present: AtomicUsize,
    most: AtomicUsize,
}

impl Observer for Crowd {
    fn before<'a>(&'a self, request: &'a SeenRequest) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            if request.path.ends_with("/instances") {
                let present = self.present.fetch_add(1, Ordering::SeqCst) + 1;
                self.most.fetch_max(present, Ordering::SeqCst);
                for _ in 0..1000 {
                    tokio::task::yield_now().await;
                }
            }
        })
    }

    fn after<'a>(&'a self, request: &'a SeenRequest, _: u16) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            if request.path.ends_with("/instances") {
                self.present.fetch_sub(1, Ordering::SeqCst);
            }
        })
    }
}

#[tokio::test]
async fn requests_in_flight_to_one_host_are_capped() {
    let crowd = Arc::new(Crowd::default());
    let scene = scene("", Some(crowd.clone())).await;
    let reader = scene.reader();
    let outcomes = join_all((0..20).map(|_| ci::list_instances(&reader))).await;
    assert!(outcomes.iter().all(Result::is_ok));
    assert_eq!(crowd.most.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_delay_is_waited_for_on_the_same_clock() {
    let scene = scene("- { operation: GET /api/instances, action: { delay: { by: PT30S } } }", None).await;
    ci::list_instances(&scene.reader()).await.expect("it comes late, and it comes");
    assert_eq!(scene.clock.now().duration_since(scene.start), SignedDuration::from_secs(30));
}

/// Tokens that name another principal, or another tenant, for each audience.
struct Disagreeing {
    customer_insights: String,
    graph: String,
}

#[async_trait::async_trait(?Send)]
impl TokenSource for Disagreeing {
    async fn token(&self, transport: &Transport, audience: &'static str) -> Result<Token, TokenError> {
        let token = if audience.contains("graph") { &self.graph } else { &self.customer_insights };
        Ok(Token::new(SecretString::from(token.clone()), transport.clock().now() + SignedDuration::from_hours(1)))
    }
}

/// What the tokens of a run say is known as soon as they were used, whatever the services made of them.
#[tokio::test]
async fn every_token_of_a_run_is_taken_note_of() {
    let token = |payload: serde_json::Value| {
        let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(payload.to_string());
        format!("e30.{payload}.c2lnbmF0dXJl")
    };
    let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let own = token(serde_json::json!({ "oid": one, "tid": TENANT }));
    let cases = [
        (own.clone(), true, false),
        (token(serde_json::json!({ "oid": two, "tid": TENANT })), false, false),
        (token(serde_json::json!({ "oid": one, "tid": two })), true, true),
        ("opaque".to_owned(), false, false),
    ];
    for (graph, known, stranger) in cases {
        let tokens = Disagreeing { customer_insights: own.clone(), graph };
        let scene = signed_in("", None, Box::new(tokens)).await;
        let reader = scene.reader();
        assert!(reader.bearers().identity().is_err(), "nothing was obtained yet");
        ci::list_instances(&reader).await.unwrap_err();
        assert_eq!(reader.bearers().identity().unwrap().object_id.uuid(), one);
        reader.send(Call::of(&operations::GRAPH_COUNT_MEMBERS).path("groupId", "x")).await.unwrap_err();
        assert_eq!(reader.bearers().identity().is_ok(), known);
        assert_eq!(reader.bearers().stranger(TENANT).is_some(), stranger);
    }
}

/// A vault that takes two calls a second, and forty callers at once: told to slow down again and again while others get through,
/// none of them fails, and a pause that one is asked for is kept by all.
#[tokio::test]
async fn a_pause_holds_for_all_calls_to_a_host_and_is_no_failed_try() {
    let scene = scene("", None).await;
    let reader = scene.reader();
    let at = SecretAddress { vault: "kv-ci".into(), name: "ci-api-key".into() };
    let answers = join_all((0..40).map(|_| kv::get_current(&reader, &at))).await;
    for answer in answers {
        assert!(matches!(answer, Ok(Lookup::Absent)), "{answer:?}");
    }
    // Each asks twice, since an absent secret may be a deleted one: the vault can't do that in less than 39 seconds.
    let waited = scene.waited();
    assert!((39..60).contains(&waited), "{waited} s");
    // Each pause costs the calls that were under way when it began, and no others.
    let sent = scene.sent("GET", "secrets/ci-api-key");
    assert!((80..130).contains(&sent), "{sent} requests in {waited} s");
}

/// What is asked has a deadline; what is written hasn't, since a write that was sent has to be seen through.
#[tokio::test]
async fn questions_end_with_the_runs_time_and_writes_do_not() {
    let scene = scene(
        "- { operation: GET /api/instances, action: { status: { code: 503, headers: { Retry-After: '50' } } } }",
        None,
    )
    .await;
    scene.transport.ask_until(Some(scene.start + SignedDuration::from_secs(60)));
    let error = ci::list_instances(&scene.reader()).await.unwrap_err();
    assert!(matches!(error.failure, Failure::OutOfTime), "{error}");
    assert_eq!(scene.waited(), 50);
    assert!(error.to_string().contains("--timeout"), "{error}");
    scene.clock.advance(std::time::Duration::from_secs(60));
    let sent = scene.sent("GET", "/api/instances");
    let again = ci::list_instances(&scene.reader()).await.unwrap_err();
    assert!(matches!(again.failure, Failure::OutOfTime), "{again}");
    assert_eq!(scene.sent("GET", "/api/instances"), sent, "it isn't even asked");
    ci::activate_api_access(&Writer::new(scene.transport.clone(), "test"), &instance()).await.unwrap();
    scene.transport.ask_until(None);
    assert_eq!(ci::list_instances(&scene.reader()).await.unwrap_err().status(), Some(503));
}
