//! A room: a scene whose configuration declares keys, an emulator that serves a world, and a clock for each of them.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use palisade::clock::Clock;
use palisade::emulator::{Application, CLIENT_ID, Client, Masked, Secret, SeenRequest, World};
use serde_json::json;
use uuid::Uuid;

use crate::live::Live;
use crate::process::Running;
use crate::support::{PROD, Run, Scene, TENANT};

/// The vault and the secret that consumers read.
pub(crate) const VAULT: &str = "kv-ci-prod";
pub(crate) const SECRET: &str = "ci-api-key";

/// One environment whose keys are rotated. What follows it adds to the block `keys`.
pub(crate) const DECLARED: &str = "\
version: 1
tenant: { id: 7b1f0c52-0000-4000-8000-0000000000aa }
environments:
  prod:
    instanceId: 6f2b1c34-0000-4000-8000-00000000a001
    environmentId: 1bd6bd98-0000-4000-8000-00000000e001
    name: Contoso prod
    apiAccess:
      enabled: true
      keys:
        publishTo:
          vault: /subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg-secrets/providers/Microsoft.KeyVault/vaults/kv-ci-prod
          secret: ci-api-key
";

/// The client with which a person works in the portal; the log tells it from palisade.
pub(crate) const PERSON: Uuid = Uuid::from_u128(0x9e50_0000_0000_4000_8000_0000_0000_0001);
const PERSON_SECRET: &str = "a-person-in-the-portal";

/// What consumers get who read the secret now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Held {
    Primary,
    Secondary,
    /// A value that is in neither slot.
    Dead,
    /// A refusal: the current version is disabled.
    Blocked,
    /// There is no secret.
    Nothing,
}

impl Held {
    pub(crate) fn is_live(self) -> bool {
        matches!(self, Held::Primary | Held::Secondary)
    }
}

/// Both keys; none while API access is off.
pub(crate) fn slots(world: &World) -> Option<[String; 2]> {
    let keys = &world.instances[&PROD].api_subscription;
    let text = |key: &Option<Masked>| key.as_ref().map(|key| key.expose().to_owned());
    text(&keys.primary_key).zip(text(&keys.secondary_key)).map(|(primary, secondary)| [primary, secondary])
}

pub(crate) fn secret(world: &World) -> Option<&Secret> {
    world.vaults[VAULT].secrets.get(SECRET)
}

pub(crate) fn secret_mut(world: &mut World) -> &mut Secret {
    world.vaults.get_mut(VAULT).unwrap().secrets.get_mut(SECRET).expect("a published key")
}

pub(crate) fn held(world: &World) -> Held {
    let Some(version) = secret(world).and_then(|secret| secret.current()) else { return Held::Nothing };
    if !version.attributes.enabled {
        return Held::Blocked;
    }
    let slots = slots(world).unwrap_or_default();
    match slots.iter().position(|key| key == version.value.expose()) {
        Some(0) => Held::Primary,
        Some(_) => Held::Secondary,
        None => Held::Dead,
    }
}

/// What was seen after each call that took effect.
#[derive(Debug, Default)]
struct Tally {
    regenerated: [usize; 2],
    dead: usize,
    values: BTreeSet<String>,
    before: Option<[String; 2]>,
}

impl Tally {
    fn note(&mut self, world: &World) {
        self.before = slots(world);
        self.values.extend(self.before.iter().flatten().cloned());
        let versions = secret(world).into_iter().flat_map(|secret| &secret.versions);
        self.values.extend(versions.map(|version| version.value.expose().to_owned()));
    }

    fn after(&mut self, request: &SeenRequest, world: &World) {
        let before = self.before.take();
        self.note(world);
        for (slot, end) in ["/regenerateprimarykey", "/regeneratesecondarykey"].into_iter().enumerate() {
            let key = |keys: &Option<[String; 2]>| keys.as_ref().map(|keys| keys[slot].clone());
            let took_effect = request.path.ends_with(end) && key(&before) != key(&self.before);
            self.regenerated[slot] += usize::from(took_effect && request.caller == Some(CLIENT_ID));
        }
        self.dead += usize::from(held(world) == Held::Dead);
    }
}

/// A running emulator, and a folder from which palisade works on it.
pub(crate) struct Room {
    pub(crate) scene: Scene,
    pub(crate) live: Live,
    /// What time the binary is told.
    pub(crate) now: Timestamp,
    /// The emulator's own.
    pub(crate) clock: Clock,
    tally: Arc<Mutex<Tally>>,
}

impl Room {
    /// Both clocks agree.
    pub(crate) fn at(now: &str, configuration: &str, world: World) -> Self {
        Self::faulty(now, configuration, world, "[]")
    }

    pub(crate) fn faulty(now: &str, configuration: &str, world: World, rules: &str) -> Self {
        let scene = Scene::bare();
        scene.write("palisade.yaml", configuration);
        let now: Timestamp = now.parse().unwrap();
        let clock = Clock::simulated(now);
        let tally = Arc::new(Mutex::new(Tally::default()));
        tally.lock().unwrap().note(&world);
        let live = Live::start(world, rules, clock.clone());
        let kept = tally.clone();
        live.watch(move |request, world| kept.lock().unwrap().after(request, world));
        Self { scene, live, now, clock, tally }
    }

    /// The world that a configuration talks about, as it is before palisade ever ran, with a person who may use the portal.
    pub(crate) fn fresh_world(configuration: &str) -> World {
        let scene = Scene::bare();
        scene.write("palisade.yaml", configuration);
        let mut world = scene.fresh_world();
        world.behaviour.token_lifetime = "PT24H".parse().unwrap();
        let client = Client { secret: Masked::new(PERSON_SECRET), graph: palisade::emulator::Access::Denied };
        let person = Application { app_id: PERSON, display_name: "portal".into(), client: Some(client) };
        let object = Uuid::from_u128(PERSON.as_u128() + 1);
        world.applications.insert(object, person);
        let admin = json!({ "principalId": object, "principalType": "app", "roles": ["Admin"] });
        world.instances.get_mut(&PROD).unwrap().assignments.push(serde_json::from_value(admin).unwrap());
        world
    }

    /// The same with a world that somebody has changed.
    pub(crate) fn changed(self, change: impl FnOnce(&mut World)) -> Self {
        let mut world = self.live.world();
        change(&mut world);
        Self::at(&self.now.to_string(), &self.scene.read("palisade.yaml"), world)
    }

    /// Lets time pass, for everybody.
    pub(crate) fn later(&mut self, hours: u64) {
        let step = Duration::from_secs(hours * 3600);
        self.clock.advance(step);
        self.now += step;
    }

    fn arguments<'a>(&self, arguments: &[&'a str]) -> Vec<String> {
        let given = arguments.iter().map(|argument: &&'a str| (*argument).to_owned());
        given.chain(["--now".to_owned(), self.now.to_string(), self.live.argument()]).collect()
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        let arguments = self.arguments(arguments);
        self.scene.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Starts it, to be held or killed.
    pub(crate) fn begin(&self, arguments: &[&str]) -> Running {
        let arguments = self.arguments(arguments);
        Running::start(self.scene.command(&arguments.iter().map(String::as_str).collect::<Vec<_>>()))
    }

    pub(crate) fn plan(&self) -> Run {
        self.run(&["plan"])
    }

    pub(crate) fn apply(&self) -> Run {
        self.run(&["apply", "--yes"])
    }

    /// What a plan in JSON says that it would do.
    #[track_caller]
    pub(crate) fn planned(&self) -> Vec<String> {
        crate::support::changes(&self.run(&["plan", "--format", "json"]).ended(0).json())
    }

    pub(crate) fn held(&self) -> Held {
        held(&self.live.world())
    }

    /// How often palisade had each slot regenerated, primary first.
    pub(crate) fn regenerated(&self) -> [usize; 2] {
        self.tally.lock().unwrap().regenerated
    }

    /// After how many calls consumers held a key that doesn't work.
    pub(crate) fn dead(&self) -> usize {
        self.tally.lock().unwrap().dead
    }

    /// Every key that was ever alive or published.
    pub(crate) fn values(&self) -> BTreeSet<String> {
        self.tally.lock().unwrap().values.clone()
    }

    /// A person regenerates a slot in the portal.
    pub(crate) fn regenerate_by_hand(&self, slot: &str) {
        let origin = self.live.origin();
        let ask = async {
            // Fails if another test was first, which is fine.
            let _ = rustls::crypto::ring::default_provider().install_default();
            let client = reqwest::Client::builder().no_proxy().build().unwrap();
            let form = format!(
                "grant_type=client_credentials&client_id={PERSON}&client_secret={PERSON_SECRET}&\
                 scope=https%3A%2F%2Fapi.ci.ai.microsoft.com%2F.default"
            );
            let asked = client.post(format!("{origin}/{TENANT}/oauth2/v2.0/token"));
            let asked = asked.header("content-type", "application/x-www-form-urlencoded").body(form);
            let token: serde_json::Value =
                serde_json::from_str(&asked.send().await.unwrap().text().await.unwrap()).unwrap();
            let path = format!("{origin}/api/instances/{PROD}/manage/apisubscription/regenerate{slot}key");
            let token = token["access_token"].as_str().unwrap();
            client.post(path).header("authorization", format!("Bearer {token}")).send().await.unwrap().status()
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        assert_eq!(runtime.block_on(ask), 204);
    }
}

/// Small fixed-seed numbers, for sampling.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// Below `sides`.
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }
}
