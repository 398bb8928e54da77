//! One world: a plan, an approval, a run, and, when everything is quiet again, the next run.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use palisade::apply::{Engine, Event, Fleet, Journal, Listener, Remaining, Report, Stop, Surveyed};
use palisade::azure::hosts::Hosts;
use palisade::azure::retry::Limits;
use palisade::azure::{ClientCredentials, Quiet, Reader, Settings, Transport, Writer};
use palisade::cli::{Exit, wanted};
use palisade::clock::{Clock, Ids};
use palisade::declared::{Configuration, load};
use palisade::emulator::{CLIENT_ID, CLIENT_SECRET, Emulator, Store, WantedVault, World, seed, start_inside};
use palisade::guard;
use palisade::plan::{Approval, Derivation, Only, Plan, Target, clear, derive};
use palisade::report;
use palisade::report::plan::Purpose;
use palisade::settings::surface::Surface;
use palisade::settings::survey::Survey;
use palisade::terms::Face;
use secrecy::SecretString;
use serde_json::Value;
use tempfile::TempDir;

use crate::account::{self, Run};
use crate::declared::Declared;
use crate::dice::Dice;
use crate::names::{VAULTS, account, accounts, vault};
use crate::resources::NOW;
use crate::tally::Tally;
use crate::wire::{End, Exchanged, Wire};
use crate::{cast, oracle, platform, trouble};

/// Longer than palisade waits for the effect of a write.
const ENDLESS: Duration = Duration::from_secs(20);

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
    fleet: Fleet,
    tally: Tally,
    wrong: Vec<String>,
}

/// Plays one world; tells what is wrong, and what happened.
pub(crate) async fn play(seed: u64) -> (Tally, Vec<String>, String) {
    let dice = &mut Dice::seeded(seed);
    // Too much of the strange, and every plan is refused.
    let wild = dice.chance(25);
    let mut declared = Declared::generate(wild, dice);
    // Dice of its own, so that all else is as it would be without it.
    let mut beyond = platform::is_in(seed).then(|| Dice::seeded(!seed));
    if let Some(beyond) = &mut beyond {
        declared.host(beyond);
    }
    let yaml = declared.yaml();
    let Some(mut stage) = Stage::set(declared, &yaml, wild, dice, beyond.as_mut()) else {
        return (Tally { worlds: 1, rejected: 1, ..Tally::default() }, Vec::new(), yaml);
    };
    let before = stage.emulator.world();
    let saved = dice.chance(30);
    let approval = if saved { Approval::Saved(Box::new(stage.look().await.0)) } else { Approval::Seen };
    let mut texts = vec![stage.act(approval).await];
    stage.wire.calm();
    if let Some(beyond) = &mut beyond
        && beyond.chance(60)
    {
        stage.clock.advance(Duration::from_secs(beyond.pick(&[40, 7200, 5 * 86400])));
    }
    if dice.chance(70) {
        for event in trouble::drift(&stage.declared, dice) {
            texts.push(format!("meanwhile: {event:?}"));
            stage.wire.happen(&event);
        }
    }
    texts.push(stage.act(Approval::Seen).await);
    let (events, lies) = stage.wire.struck();
    let Stage { mut tally, wrong, declared, wire, .. } = stage;
    let (log, happened) = (wire.log(), wire.happened());
    for one in log.iter().filter(|one| one.kind.is_write()) {
        *tally.writes.entry(format!("{:?}", one.kind)).or_default() += 1;
    }
    let (requests, environments) = (log.len(), declared.environments.len());
    let tally = Tally { worlds: 1, environments, requests, events, lies, ..tally };
    let told: Vec<String> = log.iter().enumerate().map(|(index, one)| line(index, one, &happened)).collect();
    let world = serde_json::json!({
        "users": before.users, "groups": before.groups, "instances": before.instances, "vaults": before.vaults,
        "accounts": before.storage_accounts, "behaviour": before.behaviour,
        "environments": before.power_platform_environments, "policies": before.enterprise_policies,
        "operations": before.lifecycle_operations, "roles": before.role_assignments,
    });
    let story = format!("{yaml}\n{world:#}\n{}\n{}", told.join("\n"), texts.join("\n"));
    (tally, wrong, story)
}

/// A request, and what happened around it.
fn line(index: usize, one: &Exchanged, happened: &[(usize, String)]) -> String {
    let around = happened.iter().filter(|(at, _)| *at == index).map(|(_, event)| format!("    <{event}>\n"));
    let path = one.path.replace("/subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups", "");
    let lie = one.lie.map(|lie| format!(" {lie:?}")).unwrap_or_default();
    format!(
        "{}{index:3} {:?} {}{path} {}{lie}",
        around.collect::<String>(),
        one.kind,
        one.host,
        one.status.unwrap_or(0)
    )
}

impl Stage {
    fn set(declared: Declared, yaml: &str, wild: bool, dice: &mut Dice, beyond: Option<&mut Dice>) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("palisade.yaml");
        std::fs::write(&file, yaml).unwrap();
        let configuration = load(&[file]).configuration?;
        let clock = Clock::simulated(NOW.parse().unwrap());
        let mut world = World::new(None);
        let mut all = wanted(&configuration);
        all.vaults = (0..VAULTS.len()).map(|number| WantedVault { id: vault(number) }).collect();
        let of = |number: usize| accounts(number).map(|name| account(&name));
        all.resources = declared.environments.iter().flat_map(|one| of(one.number)).collect();
        if beyond.is_some() {
            platform::furnish::want(&mut all, &declared);
        }
        seed(&mut world, &all, clock.now()).unwrap();
        cast::furnish(&mut world, &declared, wild, dice);
        if let Some(beyond) = beyond {
            platform::furnish::furnish(&mut world, &declared, beyond);
        }
        let troubles = trouble::generate(&declared, dice);
        let store = Store::memory(world);
        let emulator = Rc::new(start_inside(store, Vec::new(), clock.clone(), Ids::seeded(1), None).unwrap());
        let wire = Rc::new(Wire::new(emulator.clone(), clock.clone(), troubles));
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
        let side_by_side = if dice.chance(50) { 1 } else { 8 };
        // More than there are, so that a failed environment stops none of the others.
        let fleet = Fleet { side_by_side, stop_after: 9, ..Fleet::default() };
        let (tally, wrong) = (Tally::default(), Vec::new());
        Some(Self { declared, configuration, wire, emulator, transport, clock, folder, budget, fleet, tally, wrong })
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
        let printed = serde_json::to_value(&plan).unwrap();
        let exit = code(Exit::of_plan(&plan, true));
        self.wrong.extend(account::plan(&printed, exit, &self.wire.log()[from..], &self.declared));
        (plan, survey)
    }

    /// Plans, applies, looks again; gives what was printed.
    async fn act(&mut self, approval: Approval) -> String {
        let looked = self.wire.length();
        let (plan, survey) = self.look().await;
        let shown = report::plan::text(&plan, Purpose::Plan);
        let printed = serde_json::to_value(&plan).unwrap();
        self.count_plan(&plan);
        let Ok(clearances) = clear(&approval, &plan, self.clock.now()) else { return shown };
        let from = self.wire.length();
        let planned = oracle::identities(&self.wire.log());
        let file = self.folder.path().join("journal.jsonl");
        let journal = Journal::open(&file).unwrap();
        let scopes = self.configuration.environments.iter();
        let engine = Engine {
            looks: &Surveyed { survey: &survey, declarations: scopes.map(|one| (one.head.scope(), one)).collect() },
            writer: &Writer::new(self.transport.clone(), ""),
            clock: &self.clock,
            patience: ENDLESS,
            patience_under_way: Duration::ZERO,
            fleet: self.fleet.clone(),
            stop: Stop::default(),
            listener: &Silent,
            journal: &journal,
            run: "test".into(),
        };
        self.wire.act(true);
        let mut report = engine.run(&plan, &clearances).await;
        self.wire.act(false);
        self.wrong.extend(oracle::writes(&self.wire.log(), from, &self.declared, &planned, &printed));
        if report.wrote() {
            let (after, _) = self.look().await;
            report.look_after(Remaining::of(&after, &plan, &report));
        }
        self.count_report(&report);
        let told = serde_json::to_value(&report).unwrap();
        let exit = code(Exit::of_report(&plan, &report, false));
        let saved = matches!(approval, Approval::Saved(_));
        let (plan, declared) = (&printed, &self.declared);
        let judged = {
            let log = &self.wire.log();
            account::report(&Run { plan, report: &told, exit, declared, log, looked, from, saved })
        };
        self.wrong.extend(judged);
        let kept = std::fs::read_to_string(&file).unwrap();
        self.wrong.extend(account::journal(&kept, &told));
        let mut texts = vec![shown, report::applied::text(&report), kept];
        texts.extend([printed, told].map(|document: Value| document.to_string()));
        self.wrong.extend(account::secrets(&texts, &self.secrets()));
        texts.truncate(2);
        texts.join("\n")
    }

    fn count_plan(&mut self, plan: &Plan) {
        let exit = Exit::of_plan(plan, true);
        let tally = &mut self.tally;
        tally.plans += 1;
        tally.in_sync += usize::from(exit == Exit::Done);
        tally.unknown += usize::from(exit == Exit::Unknown);
        tally.waiting += usize::from(exit == Exit::Waiting);
        let refused = plan.scopes.iter().filter(|scope| plan.refusals_of(&scope.scope).next().is_some()).count();
        tally.refused += usize::from(refused == plan.scopes.len());
        tally.refused_in_part += usize::from(refused > 0 && refused < plan.scopes.len());
        for note in plan.refusals() {
            *tally.codes.entry(note.code.to_string()).or_default() += 1;
        }
    }

    fn count_report(&mut self, report: &Report) {
        self.tally.wrote += usize::from(report.wrote());
        self.tally.done += report.summary.done;
        self.tally.failed += report.summary.failed;
        self.tally.stopped += report.summary.refused + report.summary.not_started;
        self.tally.left += report.summary.waiting;
    }

    fn secrets(&self) -> BTreeSet<String> {
        self.wire.world();
        self.wire.secrets().into_iter().chain([CLIENT_SECRET.to_owned()]).collect()
    }
}

/// What a process that ends so tells who started it.
fn code(exit: Exit) -> u8 {
    match exit {
        Exit::Done => 0,
        Exit::Error => 1,
        Exit::Changes => 2,
        Exit::Unknown => 3,
        Exit::Refused => 4,
        Exit::Partial => 5,
        Exit::Waiting => 6,
    }
}
