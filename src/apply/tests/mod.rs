//! The engine over made-up settings: who waits for whom, what is written when, and what is told about it.

mod carry;
mod fleet;
mod holds;
mod preflight;
mod properties;
mod remaining;
mod requirements;
mod taking;
mod under_way;
mod world;

use std::rc::Rc;
use std::time::Duration;

use secrecy::SecretString;
use tempfile::TempDir;

use self::world::{Does, Item, Looking, State, World, address, item, now};
use super::*;
use crate::azure::exchange::Http;
use crate::azure::hosts::Hosts;
use crate::azure::retry::Limits;
use crate::azure::{ClientCredentials, Quiet, Settings, Transport, Writer};
use crate::clock::Clock;
use crate::plan::{Approval, Clearance, Only, Plan, WaitingFor, clear};
use crate::terms::Face;

struct Deaf;

impl Listener for Deaf {
    fn hear(&self, _: &Event<'_>) {}
}

/// Everything else that an engine needs.
struct Shop {
    clock: Clock,
    writer: Writer,
    folder: TempDir,
    fleet: Fleet,
}

impl Shop {
    fn new() -> Self {
        let clock = Clock::simulated(now());
        let secret = SecretString::from("never used");
        // No step here sends anything.
        let hosts = Hosts::emulator(&"http://127.0.0.1:9".parse().unwrap()).unwrap();
        let transport = Transport::new(Settings {
            exchange: Rc::new(Http::new(&hosts)),
            hosts,
            face: Face::ScaleUnit,
            subscription_key: None,
            tokens: Box::new(ClientCredentials::new("t", "c", secret)),
            clock: clock.clone(),
            limits: Limits::default(),
            per_host: 1,
            notices: Rc::new(Quiet),
        });
        let writer = Writer::new(Rc::new(transport), "");
        Self { clock, writer, folder: tempfile::tempdir().unwrap(), fleet: Fleet::default() }
    }

    fn with(fleet: Fleet) -> Self {
        Self { fleet, ..Self::new() }
    }

    async fn apply(&self, world: &Rc<World>, plan: &Plan, clearances: &[Clearance]) -> Report {
        let journal = Journal::open(&self.folder.path().join("journal.jsonl")).unwrap();
        let engine = Engine {
            looks: &Looking { world: world.clone(), reader: self.writer.reader().clone() },
            writer: &self.writer,
            clock: &self.clock,
            patience: Duration::from_secs(60),
            patience_under_way: Duration::ZERO,
            fleet: self.fleet.clone(),
            stop: Stop::default(),
            listener: &Deaf,
            journal: &journal,
            run: "test".into(),
        };
        // A wait that nothing ends would last for ever.
        tokio::time::timeout(Duration::from_secs(20), engine.run(plan, clearances))
            .await
            .expect("the run came to a stop")
    }

    /// Plans all scopes, and applies all of it.
    async fn run(&self, world: &Rc<World>) -> Report {
        let plan = world.plan(&world.scopes(), Only::default());
        self.apply(world, &plan, &seen(&plan)).await
    }

    fn journal(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("journal.jsonl")).unwrap()
    }
}

fn seen(plan: &Plan) -> Vec<Clearance> {
    clear(&Approval::Seen, plan, now()).unwrap()
}

/// How a change ended, and why.
fn of<'a>(report: &'a Report, text: &str) -> (Status, &'a str) {
    let found = report.changes.iter().find(|applied| applied.address == address(text)).unwrap();
    (found.status, found.reason.as_str())
}

fn statuses(report: &Report) -> Vec<(&str, Status)> {
    report.changes.iter().map(|applied| (applied.address.as_str(), applied.status)).collect()
}
