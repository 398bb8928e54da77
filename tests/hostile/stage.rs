//! One world: a plan, an approval, a run, and, when everything is quiet again, the next run.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use palisade::apply::{Engine, Event, Fleet, Journal, Listener, Remaining, Report, Stop, Surveyed};
use palisade::azure::hosts::Hosts;
use palisade::azure::retry::Limits;
use palisade::azure::{ClientCredentials, Quiet, Reader, Settings, Transport, Writer};
use palisade::cli::{Exit, wanted};
use palisade::clock::{Clock, Ids};
use palisade::declared::{Configuration, load};
use palisade::emulator::{CLIENT_ID, CLIENT_SECRET, Emulator, Store, World, seed, start_inside};
use palisade::guard;
use palisade::plan::{Approval, Derivation, Only, Plan, Target, clear, derive};
use palisade::report;
use palisade::report::plan::Purpose;
use palisade::settings::surface::Surface;
use palisade::settings::survey::Survey;
use palisade::terms::Face;
use secrecy::SecretString;
use tempfile::TempDir;

use crate::declared::Declared;
use crate::dice::Dice;
use crate::trouble;
use crate::wire::{End, Wire};
use crate::{account, cast, oracle};

const NOW: &str = "2026-11-20T12:00:00Z";
/// Longer than palisade waits for the effect of a write.
const ENDLESS: Duration = Duration::from_secs(20);

/// What came of a world.
#[derive(Debug, Default, Clone)]
pub(crate) struct Tally {
    pub(crate) worlds: usize,
    /// Files that weren't accepted.
    pub(crate) rejected: usize,
    pub(crate) requests: usize,
    pub(crate) writes: usize,
    pub(crate) events: usize,
    pub(crate) lies: usize,
    pub(crate) in_sync: usize,
    pub(crate) refused: usize,
    pub(crate) unknown: usize,
    pub(crate) done: usize,
    pub(crate) failed: usize,
    pub(crate) stopped: usize,
    /// What refused plans, and how often.
    pub(crate) codes: BTreeMap<String, usize>,
}

impl Tally {
    pub(crate) fn add(&mut self, other: &Self) {
        let Self {
            worlds,
            rejected,
            requests,
            writes,
            events,
            lies,
            in_sync,
            refused,
            unknown,
            done,
            failed,
            stopped,
            codes,
        } = other;
        self.worlds += worlds;
        self.rejected += rejected;
        self.requests += requests;
        self.writes += writes;
        self.events += events;
        self.lies += lies;
        self.in_sync += in_sync;
        self.refused += refused;
        self.unknown += unknown;
        self.done += done;
        self.failed += failed;
        self.stopped += stopped;
        for (code, count) in codes {
            *self.codes.entry(code.clone()).or_default() += count;
        }
    }
}

struct Silent;

impl Listener for Silent {
    fn hear(&self, _: &Event<'_>) {}
}

struct Stage {
    declared: Declared,
    configuration: Configuration,
    wire: Rc<Wire>,
    emulator: Rc<Emulator>,
    transport: Rc<Transport>,
    clock: Clock,
    folder: TempDir,
    budget: Option<usize>,
    tally: Tally,
    wrong: Vec<String>,
}

/// Plays one world; tells what is wrong, and what happened.
pub(crate) async fn play(seed: u64) -> (Tally, Vec<String>, String) {
    let dice = &mut Dice::seeded(seed);
    // Too much of the strange, and every plan is refused.
    let wild = dice.chance(35);
    let declared = Declared::generate(wild, dice);
    let yaml = declared.yaml();
    let Some(mut stage) = Stage::set(declared, &yaml, wild, dice) else {
        return (Tally { worlds: 1, rejected: 1, ..Tally::default() }, Vec::new(), yaml);
    };
    let before = stage.emulator.world();
    let saved = dice.chance(30);
    let approval = if saved { Approval::Saved(Box::new(stage.look().await.0)) } else { Approval::Seen };
    let mut texts = vec![stage.act(approval).await];
    stage.wire.calm();
    texts.push(stage.act(Approval::Seen).await);
    let (events, lies) = stage.wire.struck();
    let log = stage.wire.log();
    let writes = log.iter().filter(|one| one.kind.is_write()).count();
    let Stage { tally, wrong, .. } = stage;
    let requests = log.len();
    let tally = Tally { worlds: 1, requests, writes, events, lies, ..tally };
    let told: Vec<String> = log
        .iter()
        .enumerate()
        .map(|(index, one)| format!("{index:3} {:?} {:?} {:?} {:?}", one.kind, one.principal, one.status, one.lie))
        .collect();
    let directory =
        serde_json::json!({ "users": before.users, "groups": before.groups, "instances": before.instances });
    let story = format!("{yaml}\n{directory:#}\n{}\n{}", told.join("\n"), texts.join("\n"));
    (tally, wrong, story)
}

impl Stage {
    fn set(declared: Declared, yaml: &str, wild: bool, dice: &mut Dice) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("palisade.yaml");
        std::fs::write(&file, yaml).unwrap();
        let configuration = load(&[file]).configuration?;
        let clock = Clock::simulated(NOW.parse().unwrap());
        let mut world = World::new(None);
        seed(&mut world, &wanted(&configuration), clock.now()).unwrap();
        cast::furnish(&mut world, wild, dice);
        let troubles = trouble::generate(dice);
        let store = Store::memory(world);
        let emulator = Rc::new(start_inside(store, Vec::new(), clock.clone(), Ids::seeded(1), None).unwrap());
        let wire = Rc::new(Wire::new(emulator.clone(), troubles));
        let (tenant, secret) = (configuration.tenant.id.to_string(), SecretString::from(CLIENT_SECRET));
        let transport = Rc::new(Transport::new(Settings {
            exchange: Rc::new(End(wire.clone())),
            hosts: Hosts::emulator(emulator.http()).unwrap(),
            face: Face::ScaleUnit,
            subscription_key: None,
            tokens: Box::new(ClientCredentials::new(tenant, CLIENT_ID.to_string(), secret)),
            clock: clock.clone(),
            limits: Limits::default(),
            per_host: 8,
            notices: Rc::new(Quiet),
        }));
        let budget = dice.chance(90).then_some(1000);
        let (tally, wrong) = (Tally::default(), Vec::new());
        Some(Self { declared, configuration, wire, emulator, transport, clock, folder, budget, tally, wrong })
    }

    async fn survey(&self) -> Survey {
        let caller = self.transport.caller().await.ok().flatten().and_then(|caller| caller.object_id);
        Survey::new(Reader::new(self.transport.clone()), self.configuration.tenant.id, caller, Surface::EMULATOR)
    }

    /// Makes a plan, and judges it.
    async fn look(&mut self) -> (Plan, Survey) {
        let from = self.wire.length();
        let survey = self.survey().await;
        let scopes: Vec<_> = self.configuration.environments.iter().collect();
        let accounts = survey.accounts(&scopes, self.clock.now()).await;
        let mut notes = guard::check(&accounts, self.budget, &Only::default());
        notes.extend(survey.caller_notes());
        let target = Target::Emulator { world: "w".into(), tenant: self.configuration.tenant.id.to_string() };
        let (config_digest, now) = (self.configuration.digest.clone(), self.clock.now());
        let derivation = Derivation { config_digest, target, now, allow_removals: self.budget, only: Only::default() };
        let plan = derive(&derivation, &accounts, notes);
        self.wrong.extend(account::plan(&plan, &self.wire.log()[from..], &self.declared));
        (plan, survey)
    }

    /// Plans, applies, looks again; gives what was printed.
    async fn act(&mut self, approval: Approval) -> String {
        let (plan, survey) = self.look().await;
        let ends = Exit::of_plan(&plan, true);
        self.tally.in_sync += usize::from(ends == Exit::Done);
        self.tally.refused += usize::from(ends == Exit::Refused);
        self.tally.unknown += usize::from(ends == Exit::Unknown);
        for note in plan.refusals() {
            *self.tally.codes.entry(note.code.to_string()).or_default() += 1;
        }
        let shown = report::plan::text(&plan, Purpose::Plan);
        let Ok(clearances) = clear(&approval, &plan, self.clock.now()) else { return shown };
        let from = self.wire.length();
        let read = |one: &crate::wire::Exchanged| one.kind == trouble::Kind::Instance;
        let planned = self.wire.log().iter().rfind(|one| read(one)).and_then(|one| oracle::identity(&one.before));
        let file = self.folder.path().join("journal.jsonl");
        let journal = Journal::open(&file).unwrap();
        let scopes = self.configuration.environments.iter();
        let engine = Engine {
            looks: &Surveyed { survey: &survey, declarations: scopes.map(|one| (one.head.scope(), one)).collect() },
            writer: &Writer::new(self.transport.clone(), ""),
            clock: &self.clock,
            patience: ENDLESS,
            fleet: Fleet::default(),
            stop: Stop::default(),
            listener: &Silent,
            journal: &journal,
            run: "test".into(),
        };
        let mut report = engine.run(&plan, &clearances).await;
        let log = self.wire.log();
        self.wrong.extend(oracle::writes(&log, from, &self.declared, planned.as_ref()));
        if report.wrote() {
            let (after, _) = self.look().await;
            report.remaining = Remaining::of(&after, &plan, &report);
        }
        let log = self.wire.log();
        self.wrong.extend(account::report(&plan, &report, &log, from, &self.declared));
        self.count(&report);
        let kept = std::fs::read_to_string(&file).unwrap();
        self.wrong.extend(account::journal(&kept, &report));
        let told = report::applied::text(&report);
        let programs = [serde_json::to_string(&plan).unwrap(), serde_json::to_string(&report).unwrap()];
        let mut texts = vec![shown, told, kept];
        texts.extend(programs);
        self.wrong.extend(account::secrets(&texts, &self.secrets()));
        texts.truncate(2);
        texts.join("\n")
    }

    fn count(&mut self, report: &Report) {
        self.tally.done += report.summary.done;
        self.tally.failed += report.summary.failed;
        self.tally.stopped += report.summary.refused + report.summary.not_started;
    }

    fn secrets(&self) -> BTreeSet<String> {
        let world = self.emulator.world();
        let keys = world
            .instances
            .values()
            .flat_map(|one| [&one.api_subscription.primary_key, &one.api_subscription.secondary_key]);
        let keys = keys.flatten().map(|key| key.expose().to_owned());
        self.wire.secrets().into_iter().chain(keys).chain([CLIENT_SECRET.to_owned()]).collect()
    }
}
