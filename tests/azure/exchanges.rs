//! The exchanges: what goes through them means the same with sockets and without, recorded and played back.

use std::rc::Rc;

use palisade::azure::customer_insights as ci;
use palisade::azure::exchange::{Answered, Exchange, Http, Recorder, Recording, Replayer};
use palisade::azure::hosts::Hosts;
use palisade::azure::key_vault::{self as kv, Labels, Lookup};
use palisade::azure::operations::{ENTRA_TOKEN, GET_SECRET, SET_SECRET};
use palisade::azure::retry::Limits;
use palisade::azure::{ClientCredentials, Failure, Quiet, Settings, Transport, Writer};
use palisade::clock::{Clock, Ids};
use palisade::emulator::{CLIENT_ID, CLIENT_SECRET, Emulator, Options, Store, parse_rules, start, start_inside};
use palisade::terms::Face;
use secrecy::{ExposeSecret as _, SecretString};

use crate::support::{INSTANCE, TENANT, instance, secret, start_of_time, world};

/// Secrets officer on the vault of the world.
const OFFICER: &str = "b86a8fe4-44ce-4948-aee5-eccb2c155cd7";
const VALUE: &str = "a-value-that-nobody-may-see";

struct Stage {
    emulator: Emulator,
    clock: Clock,
    exchange: Rc<dyn Exchange>,
}

/// The same world, with the same faults, with sockets or without.
async fn stage(sockets: bool, faults: &str) -> Stage {
    let mut world = world();
    let client = world.applications.iter().find(|(_, app)| app.app_id == CLIENT_ID).map(|(id, _)| *id).unwrap();
    crate::support::grant(&mut world, client, OFFICER, crate::support::VAULT);
    let clock = Clock::simulated(start_of_time());
    let faults = if faults.is_empty() { Vec::new() } else { parse_rules(faults).unwrap() };
    let (world, ids) = (Store::memory(world), Ids::seeded(1));
    let emulator = if sockets {
        let http = ([127, 0, 0, 1], 0).into();
        let (https, certificate, observer, clock) = (None, None, None, clock.clone());
        start(Options { http, https, certificate, world, faults, clock, ids, observer }).await.unwrap()
    } else {
        start_inside(world, faults, clock.clone(), ids, None).unwrap()
    };
    let exchange: Rc<dyn Exchange> = match sockets {
        true => Rc::new(Http::new(&Hosts::emulator(emulator.http()).unwrap())),
        false => Rc::new(emulator.inside()),
    };
    Stage { emulator, clock, exchange }
}

impl Stage {
    fn writer(&self, exchange: Rc<dyn Exchange>) -> Writer {
        let secret = SecretString::from(CLIENT_SECRET);
        let transport = Transport::new(Settings {
            hosts: Hosts::emulator(self.emulator.http()).unwrap(),
            exchange,
            face: Face::ScaleUnit,
            subscription_key: None,
            tokens: Box::new(ClientCredentials::new(TENANT.to_string(), CLIENT_ID.to_string(), secret)),
            clock: self.clock.clone(),
            limits: Limits::default(),
            per_host: 8,
            notices: Rc::new(Quiet),
        });
        Writer::new(Rc::new(transport), "")
    }

    fn requests(&self) -> Vec<(String, String, Option<u16>)> {
        let seen = self.emulator.requests().into_iter();
        seen.map(|seen| (seen.method, seen.path, seen.status)).collect()
    }
}

#[tokio::test]
async fn an_emulator_answers_the_same_with_sockets_and_without() {
    // What strikes, what becomes of a write that can't be repeated and of a read, and how long it takes.
    for (fault, write_is_ambiguous) in [
        ("", None),
        ("- { operation: PUT */activate, action: reset }", Some(true)),
        ("- { operation: PUT */activate, action: loseAnswer }", Some(true)),
        ("- { operation: PUT */activate, action: truncate }", Some(true)),
        ("- { operation: PUT */activate, action: { delay: { by: PT30S } } }", None),
        ("- { operation: PUT */activate, action: { status: { code: 403 } } }", Some(false)),
        (
            "- { operation: PUT */activate, nth: 1, action: { status: { code: 429, headers: { Retry-After: '9' } } } }",
            None,
        ),
        ("- { operation: GET /api/instances, nth: 1, action: reset }", None),
    ] {
        let mut seen = Vec::new();
        for sockets in [true, false] {
            let stage = stage(sockets, fault).await;
            let writer = stage.writer(stage.exchange.clone());
            let listed = ci::list_instances(writer.reader()).await.unwrap();
            let written = ci::activate_api_access(&writer, &instance()).await;
            assert_eq!(
                written.as_ref().err().map(|error| error.is_ambiguous()),
                write_is_ambiguous,
                "{fault} {sockets}"
            );
            let vault = matches!(kv::get_current(writer.reader(), &secret()).await.unwrap(), Lookup::Absent);
            assert!(vault && listed.len() == 1 && listed[0].instance_id == Some(INSTANCE), "{fault} {sockets}");
            let waited = stage.clock.now().duration_since(start_of_time()).as_millis();
            seen.push((stage.requests(), waited));
            stage.emulator.stop().await;
        }
        assert_eq!(seen[0], seen[1], "{fault}");
    }
}

#[tokio::test]
async fn an_emulator_that_stopped_or_is_elsewhere_is_not_reached() {
    let stage = stage(false, "").await;
    let (inside, writer) = (stage.emulator.inside(), stage.writer(stage.exchange.clone()));
    let mut request = palisade::azure::exchange::Request {
        operation: ENTRA_TOKEN.facts(),
        method: "GET".parse().unwrap(),
        url: "http://localhost:81/_emulator".parse().unwrap(),
        headers: Default::default(),
        body: None,
    };
    let broken = inside.exchange(request.clone()).await.unwrap_err();
    assert!(broken.to_string().contains("nothing listens at localhost:81"), "{broken}");
    request.url = "http://localhost/_emulator".parse().unwrap();
    assert_eq!(inside.exchange(request).await.unwrap().status, 200);
    stage.emulator.stop().await;
    let error = ci::list_instances(writer.reader()).await.unwrap_err();
    assert!(error.to_string().contains("nothing listens"), "{error}");
}

/// What is recorded, read from its JSON.
async fn recorded(faults: &str, work: impl AsyncFn(&Writer)) -> (Stage, Recording, String) {
    let stage = stage(false, faults).await;
    let recorder = Rc::new(Recorder::new(stage.exchange.clone()));
    work(&stage.writer(recorder.clone())).await;
    let text = recorder.recording().to_json();
    (stage, Recording::from_json(&text).unwrap(), text)
}

async fn everything(writer: &Writer) {
    let reader = writer.reader();
    ci::list_instances(reader).await.unwrap();
    let value = SecretString::from(VALUE);
    kv::set_secret(writer, &secret(), &value, &Labels::default()).await.unwrap();
    let found = kv::get_current(reader, &secret()).await.unwrap();
    assert!(matches!(found, Lookup::Found(found) if found.value.expose_secret() == VALUE));
    ci::activate_api_access(writer, &instance()).await.unwrap();
    let keys = ci::list_keys(reader, &instance()).await.unwrap().unwrap();
    ci::check_key(reader, keys.get(palisade::terms::Slot::Primary)).await;
}

#[tokio::test]
async fn a_recording_holds_no_secret() {
    let quoting = format!(
        "- {{ operation: PUT /secrets/*, nth: 1, action: {{ status: {{ code: 429, body: {{ error: {{ code: Throttled, message: '{VALUE}' }} }} }} }} }}"
    );
    let (stage, recording, text) = recorded(&quoting, everything).await;
    let world = stage.emulator.world();
    let keys = &world.instances[&INSTANCE].api_subscription;
    let keys = [&keys.primary_key, &keys.secondary_key].map(|key| key.as_ref().unwrap().expose().to_owned());
    let tokens = ["Bearer", "eyJ", "access_token"].map(str::to_owned);
    for hidden in keys.into_iter().chain(tokens).chain([VALUE.to_owned(), CLIENT_SECRET.to_owned()]) {
        assert!(!text.contains(&hidden), "{hidden} in {text}");
    }
    let of = |operation: &str| recording.exchanges.iter().filter(|one| one.operation == operation).collect::<Vec<_>>();
    assert!(matches!(&of(GET_SECRET.facts().name)[0].answered, Answered::Whole { status: 200, body: None, .. }));
    let refused = &of(SET_SECRET.facts().name)[0];
    let Answered::Whole { status: 429, body: Some(body), .. } = &refused.answered else { panic!("{refused:?}") };
    assert_eq!((body.contains("Throttled"), &refused.sent), (true, &None));
}

#[tokio::test]
async fn a_replayer_answers_what_was_recorded_and_nothing_else() {
    let (stage, recording, _) =
        recorded("- { operation: GET /api/instances, nth: 1, action: reset }", async |writer| {
            ci::list_instances(writer.reader()).await.unwrap();
            ci::list_assignments(writer.reader(), &instance()).await.unwrap();
        })
        .await;
    let before = stage.requests();
    let token = r#"{ "access_token": "replayed", "expires_in": 3599 }"#;
    let replayer = Rc::new(Replayer::new(recording.clone()).standing_in(ENTRA_TOKEN.facts(), token));
    let writer = stage.writer(replayer.clone());
    assert_eq!(ci::list_instances(writer.reader()).await.unwrap()[0].instance_id, Some(INSTANCE));
    assert!(!ci::list_assignments(writer.reader(), &instance()).await.unwrap().is_empty());
    assert_eq!((replayer.left(), stage.requests()), (Vec::new(), before), "nothing went further");
    let again = ci::list_instances(writer.reader()).await.unwrap_err();
    assert!(matches!(again.failure, Failure::Unsendable { .. }) && again.attempts == 1, "{again}");
    let without = stage.writer(Rc::new(Replayer::new(recording)));
    let error = ci::list_instances(without.reader()).await.unwrap_err();
    assert!(error.to_string().contains("may hold a secret"), "{error}");
}

#[test]
fn a_text_that_is_no_recording_is_refused() {
    assert!(Recording::from_json("{}").is_err());
    let error = Recording::from_json(r#"{ "format": "palisade.recording/9", "exchanges": [] }"#).unwrap_err();
    assert!(error.to_string().contains("palisade.recording/9"), "{error}");
}
