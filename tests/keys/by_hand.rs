//! Revoking both keys, as a library: what the command does once a person has confirmed it.
//!
//! What must stay true: both keys that could have leaked are dead in the end; nothing is regenerated that couldn't be
//! published; whoever stops in between says what holds, and the next run ends well.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use jiff::SignedDuration;
use palisade::azure::exchange::Http;
use palisade::azure::hosts::Hosts;
use palisade::azure::operations::{REGENERATE_PRIMARY_KEY, REGENERATE_SECONDARY_KEY, SET_SECRET};
use palisade::azure::retry::Limits;
use palisade::azure::{ClientCredentials, Quiet, Reader, Settings, Transport, Writer};
use palisade::declared::load;
use palisade::emulator::{CLIENT_ID, CLIENT_SECRET, Masked, World};
use palisade::settings::api_access::keys::{Ended, Look, Witness};
use palisade::settings::surface::Surface;
use palisade::settings::survey::Survey;
use secrecy::SecretString;

use crate::live::Moment;
use crate::moves::{Case, DUE, in_use, published, rotated};
use crate::refused::policies;
use crate::room::{DECLARED, Held, Room, held, secret, secret_mut, slots};
use crate::support::TENANT;
use palisade::terms::Face;

const QUIET: &str = "2026-12-01T12:00:00Z";

/// What is told, and what then happens.
type Meanwhile = (&'static str, Box<dyn FnOnce()>);

/// Hears everything, and may refuse to record a write.
#[derive(Default)]
struct Heard {
    told: RefCell<Vec<String>>,
    records: RefCell<Vec<(String, &'static str)>>,
    ends: RefCell<Vec<bool>>,
    /// So many writes can be recorded.
    room: Cell<Option<usize>>,
    /// What happens when this is told.
    meanwhile: RefCell<Option<Meanwhile>>,
}

impl Witness for Heard {
    fn tell(&self, what: &str) {
        self.told.borrow_mut().push(what.to_owned());
        if let Some((_, act)) = self.meanwhile.borrow_mut().take_if(|(words, _)| what.contains(*words)) {
            act();
        }
    }

    fn begins(&self, step: &str, operation: &'static str) -> Result<(), String> {
        if self.room.get() == Some(self.records.borrow().len()) {
            return Err("the disk is full".to_owned());
        }
        self.records.borrow_mut().push((step.to_owned(), operation));
        Ok(())
    }

    fn ended(&self, _: &str, _: &'static str, outcome: Result<(), &str>) {
        self.ends.borrow_mut().push(outcome.is_ok());
    }
}

fn transport(room: &Room) -> Rc<Transport> {
    let secret = SecretString::from(CLIENT_SECRET);
    Rc::new(Transport::new(Settings {
        exchange: Rc::new(Http::new(&Hosts::emulator(&room.live.origin().parse().unwrap()).unwrap())),
        hosts: Hosts::emulator(&room.live.origin().parse().unwrap()).unwrap(),
        face: Face::ScaleUnit,
        subscription_key: None,
        tokens: Box::new(ClientCredentials::new(TENANT.to_string(), CLIENT_ID.to_string(), secret)),
        clock: room.clock.clone(),
        limits: Limits::default(),
        per_host: 8,
        notices: Rc::new(Quiet),
    }))
}

fn revoke_heard_by(room: &Room, heard: &Heard) -> Result<(), Ended> {
    // Fails if another test was first, which is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let configuration = load(&[room.scene.path("palisade.yaml")]).configuration.unwrap();
    let environment = &configuration.environments[0];
    let keys = environment.blocks.of::<palisade::settings::api_access::Block>().unwrap().keys.as_ref().unwrap();
    let work = async {
        let transport = transport(room);
        let caller = transport.caller().await.unwrap().and_then(|caller| caller.object_id);
        let reader = Reader::new(transport.clone());
        let survey = Survey::new(reader, TENANT, caller, Surface::EMULATOR);
        let instance = survey.reach(environment).await.into_value().instance.unwrap().instance;
        let look = Look::at(keys, instance, TENANT).as_caller(caller);
        look.revoke(&Writer::new(transport, "revoke both keys"), heard).await
    };
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn revoke(room: &Room) -> (Result<(), Ended>, Heard) {
    let heard = Heard::default();
    (revoke_heard_by(room, &heard), heard)
}

/// Both former keys are dead, and consumers hold one of the new ones.
#[track_caller]
fn well(room: &Room, old: &[String; 2]) {
    let new = slots(&room.live.world()).unwrap();
    assert!(new.iter().all(|key| !old.contains(key)), "a former key is alive");
    assert!(room.held().is_live());
}

fn tagged(mut world: World) -> World {
    let versions = &mut secret_mut(&mut world).versions;
    for version in versions {
        version.tags.get_or_insert_default().insert("cost-center".into(), "42".into());
    }
    world
}

#[test]
fn both_keys_die_and_the_published_one_works() {
    let (primary, secondary) = (REGENERATE_PRIMARY_KEY.facts().name, REGENERATE_SECONDARY_KEY.facts().name);
    for (now, world, first) in [
        (QUIET, tagged(published()), Held::Secondary),
        (DUE, tagged(rotated()), Held::Primary),
        (QUIET, in_use(), Held::Secondary),
    ] {
        let mut world = world;
        world.behaviour.api_key_propagation = SignedDuration::from_mins(5);
        let (old, tags) = (slots(&world).unwrap(), secret(&world).is_some());
        let room = Room::at(now, DECLARED, world);
        let (done, heard) = revoke(&room);
        assert_eq!(done, Ok(()));
        well(&room, &old);
        assert_eq!((room.held(), room.regenerated(), room.dead()), (first, [1, 1], 0));
        let (one, other) = if first == Held::Primary { (primary, secondary) } else { (secondary, primary) };
        let operations: Vec<_> = heard.records.borrow().iter().map(|(_, operation)| *operation).collect();
        assert_eq!(operations, [one, SET_SECRET.facts().name, other]);
        assert_eq!(*heard.ends.borrow(), [true; 3]);
        let told = heard.told.borrow().join("\n");
        assert!(room.values().iter().all(|value| !told.contains(value)), "{told}");
        let world = room.live.world();
        let current = secret(&world).unwrap().current().unwrap().tags.clone().unwrap();
        assert_eq!(current.get("cost-center").map(String::as_str), tags.then_some("42"));
        // Nothing is left for a plan to repair.
        let mut room = room;
        room.now = room.clock.now();
        let writes = room.live.writes();
        room.apply().ended(0).says("No changes");
        assert_eq!(room.live.writes(), writes);
    }
}

/// A right that is known to be missing ends it before anything dies.
#[test]
fn without_the_right_to_store_nothing_is_regenerated() {
    const SECRETS_USER: &str = "4633458b-17de-408a-b874-0445c86b69e6";
    let mut world = published();
    for assignment in world.role_assignments.iter_mut().filter(|it| it.scope.contains("/vaults/")) {
        assignment.role_definition = SECRETS_USER.parse().unwrap();
    }
    let room = Room::at(QUIET, DECLARED, world);
    let (done, heard) = revoke(&room);
    let Err(Ended::Refused(reason)) = done else { panic!("{done:?}") };
    assert!(reason.contains("may not store secrets in the vault kv-ci-prod"), "{reason}");
    assert!(heard.records.borrow().is_empty());
    let none: [String; 0] = [];
    assert_eq!((room.live.writes(), room.held()), (none.to_vec(), Held::Primary));
}

/// Where nobody could tell, a person hears it; an emergency doesn't wait for proof.
#[test]
fn a_right_that_is_not_proved_is_told() {
    let mut world = published();
    policies(&mut world, &["get", "list"]);
    let old = slots(&world).unwrap();
    let room = Room::at(QUIET, DECLARED, world);
    let (done, heard) = revoke(&room);
    assert!(heard.told.borrow()[0].contains("isn't proved: no access policy"), "{:?}", heard.told);
    let Err(Ended::PartWay(reason)) = done else { panic!("{done:?}") };
    assert!(reason.contains("403 Forbidden/AccessDenied to PUT"), "{reason}");
    assert!(reason.contains("secondary is new, primary still works"), "{reason}");
    assert_eq!((room.held(), room.regenerated()), (Held::Primary, [0, 1]));
    let room = room.changed(|world| policies(world, &["get", "list", "set"]));
    assert_eq!(revoke(&room).0, Ok(()));
    well(&room, &old);
}

#[test]
fn a_secret_that_is_not_ours_or_that_somebody_closed_ends_it_before_anything_dies() {
    type Change = fn(&mut World);
    let foreign = |world: &mut World| {
        let version = secret_mut(world).versions.last_mut().unwrap();
        version.value = Masked::new("somebody's password");
        version.tags = None;
    };
    let deleted = Case::recovery().world;
    let cases: [(World, Change, &str); 4] = [
        (published(), foreign, "isn't known to be a key of this environment"),
        (published(), |world| secret_mut(world).versions.last_mut().unwrap().attributes.enabled = false, "is disabled"),
        (deleted, |_| {}, "the secret was deleted; recover it first"),
        (
            published(),
            |world| world.vaults.get_mut("kv-ci-prod").unwrap().public_network_access = Some("Disabled".to_owned()),
            "the secret can't be read",
        ),
    ];
    for (mut world, change, words) in cases {
        change(&mut world);
        let (keys, before) = (slots(&world), held(&world));
        let room = Room::at(QUIET, DECLARED, world);
        let (done, heard) = revoke(&room);
        let Err(Ended::Refused(reason)) = done else { panic!("{words}: {done:?}") };
        assert!(reason.contains(words), "{reason}");
        assert!(heard.records.borrow().is_empty());
        assert_eq!((slots(&room.live.world()), room.held()), (keys, before));
        let none: [String; 0] = [];
        assert_eq!(room.live.writes(), none.to_vec());
    }
}

/// How far a run gets, by what it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    Nothing,
    PartWay,
    Done,
}

#[test]
fn whatever_fails_is_told_and_the_next_run_ends_well() {
    let cases = [
        ("POST */regeneratesecondarykey", "{ status: { code: 403 } }", Left::Nothing, "secondary was not regenerated"),
        ("POST */regeneratesecondarykey", "{ status: { code: 500 } }", Left::PartWay, "isn't known"),
        ("POST */regeneratesecondarykey", "loseAnswer", Left::Done, ""),
        ("GET /v1/instances", "{ status: { code: 500 } }", Left::PartWay, "it was not published; secondary is new"),
        (
            "PUT /secrets/ci-api-key",
            "{ status: { code: 403 } }",
            Left::PartWay,
            "secondary is new, primary still works",
        ),
        ("PUT /secrets/ci-api-key", "loseAnswer", Left::Done, ""),
        ("POST */regenerateprimarykey", "{ status: { code: 403 } }", Left::PartWay, "the new secondary was published"),
        ("POST */regenerateprimarykey", "loseAnswer", Left::Done, ""),
    ];
    for (operation, action, left, words) in cases {
        let old = slots(&published()).unwrap();
        let rules = format!("- {{ operation: \"{operation}\", action: {action} }}");
        let room = Room::faulty(QUIET, DECLARED, published(), &rules);
        let (done, _) = revoke(&room);
        let how = match &done {
            Ok(()) => Left::Done,
            Err(Ended::Refused(_) | Ended::Failed(_)) => Left::Nothing,
            Err(Ended::PartWay(_)) => Left::PartWay,
        };
        let reason = done.err().map(|ended| ended.reason().to_owned()).unwrap_or_default();
        assert_eq!(how, left, "{operation} {action}: {reason}");
        assert!(reason.contains(words), "{operation} {action}: {reason}");
        assert!(room.held().is_live() && room.dead() == 0, "{operation} {action}");
        assert!(room.values().iter().all(|value| !reason.contains(value)), "{reason}");
        if left != Left::Done {
            let room = Room::at(&room.clock.now().to_string(), DECLARED, room.live.world());
            assert_eq!(revoke(&room).0, Ok(()), "{operation} {action}");
            well(&room, &old);
        }
    }
}

#[test]
fn what_cannot_be_recorded_is_not_done() {
    for (room_for, regenerated) in [(0, [0, 0]), (1, [0, 1]), (2, [0, 1])] {
        let room = Room::at(QUIET, DECLARED, published());
        let heard = Heard::default();
        heard.room.set(Some(room_for));
        let ended = revoke_heard_by(&room, &heard).unwrap_err();
        assert!(ended.reason().contains("the disk is full"), "{ended:?}");
        assert_eq!(matches!(ended, Ended::Failed(_)), room_for == 0, "{ended:?}");
        assert_eq!((room.regenerated(), room.live.writes().len()), (regenerated, room_for));
    }
}

/// What a further write would rest on is looked at again before it.
#[test]
fn nothing_more_dies_after_somebody_else_changed_something() {
    for (method, path, words) in [
        (
            "GET",
            "/v1/instances",
            "somebody else is changing the keys or the secret; the new secondary was not published",
        ),
        ("PUT", "/secrets/ci-api-key", "the new secondary was published, primary may still work"),
    ] {
        let room = Room::at(QUIET, DECLARED, published());
        let old = slots(&room.live.world()).unwrap();
        let hold = room.live.hold(Moment::After, method, path);
        let done = std::thread::scope(|scope| {
            let run = scope.spawn(|| revoke(&room).0);
            hold.arrived();
            room.regenerate_by_hand("secondary");
            hold.release();
            run.join().unwrap()
        });
        let Err(Ended::PartWay(reason)) = done else { panic!("{done:?}") };
        assert!(reason.contains(words), "{reason}");
        assert_eq!((room.regenerated(), &slots(&room.live.world()).unwrap()[0]), ([0, 1], &old[0]));
        assert_eq!(revoke(&room).0, Ok(()));
        well(&room, &old);
    }
}

/// Somebody else published meanwhile: their key isn't written over, and what consumers hold doesn't die.
#[test]
fn nothing_more_is_done_after_somebody_else_published() {
    for (moment, slot, held) in
        [("trying the new secondary", 1, Held::Secondary), ("regenerating primary", 0, Held::Primary)]
    {
        let room = Rc::new(Room::at(QUIET, DECLARED, published()));
        let heard = Heard::default();
        let other = room.clone();
        let publish = move || publish_by_hand(&other, slot);
        *heard.meanwhile.borrow_mut() = Some((moment, Box::new(publish)));
        let ended = revoke_heard_by(&room, &heard).unwrap_err();
        assert_eq!((room.regenerated(), room.held()), ([0, 1], held), "{ended:?}");
        assert!(matches!(&ended, Ended::PartWay(reason) if reason.contains("somebody else is changing")), "{ended:?}");
    }
}

/// Another run of palisade publishes a slot's key.
fn publish_by_hand(room: &Room, slot: usize) {
    use std::io::Write as _;
    let (now, emulator) = (room.clock.now().to_string(), room.live.argument());
    let key = slots(&room.live.world()).unwrap()[slot].clone();
    let name = ["primary", "secondary"][slot];
    let mut command = room.scene.command(&["keys", "publish", "prod", name, "--now", &now, &emulator]);
    command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::null());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(key.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}
