//! A configuration, an emulator in the same process that serves what it talks about, and a connection to it.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use palisade::apply::{Engine, Event, Fleet, Journal, Listener, Report, Stop, Surveyed};
use palisade::azure::exchange::Http;
use palisade::azure::hosts::Hosts;
use palisade::azure::retry::Limits;
use palisade::azure::{ClientCredentials, Quiet, Reader, Settings, Transport, Writer};
use palisade::cli::wanted;
use palisade::clock::{Clock, Ids};
use palisade::declared::{Configuration, load};
use palisade::emulator::{
    self, CLIENT_ID, CLIENT_SECRET, Emulator, Observer, Options, Store, World, parse_rules, seed,
};
use palisade::guard;
use palisade::plan::{Approval, Derivation, Only, Plan, Target, clear, derive};
use palisade::settings::declaration::Declaration;
use palisade::settings::surface::Surface;
use palisade::settings::survey::Survey;
use palisade::terms::Face;
use secrecy::SecretString;
use tempfile::TempDir;

pub(crate) const PROD: &str = "6f2b1c34-0000-4000-8000-00000000a001";
pub(crate) const VAULT: &str = "/subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg-ci/providers/Microsoft.KeyVault/vaults/kv-ci";
pub(crate) const LAKE: &str = "/subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg-lake/providers/Microsoft.Storage/storageAccounts/contosolake";
const NOW: &str = "2026-11-20T12:00:00Z";

/// One environment that declares every setting.
pub(crate) fn everything() -> String {
    let consent = "dataPrivacyConsent: { agreedBy: ada@contoso.com, agreedOn: 2026-03-02 }";
    format!(
        "\
version: 1
tenant: {{ id: 7b1f0c52-0000-4000-8000-0000000000aa }}
environments:
  prod:
    instanceId: {PROD}
    environmentId: 1bd6bd98-0000-4000-8000-00000000e001
    users:
      match: exact
      assignments:
        - {{ user: ada@contoso.com, role: Admin }}
        - {{ user: grace@contoso.com, role: Admin }}
        - {{ app: palisade, id: 8f14e45f-0000-4000-8000-0000000000c1, role: Admin }}
    apiAccess:
      enabled: true
      keys: {{ publishTo: {{ vault: {VAULT}, secret: ci-api-key }} }}
    keyVault: {{ id: {VAULT}, {consent} }}
    privateLinks:
      match: exact
      links: [{{ resource: {LAKE}, approve: true, {consent} }}]
"
    )
}

pub(crate) struct Scene {
    pub(crate) configuration: Configuration,
    pub(crate) emulator: Emulator,
    pub(crate) transport: Rc<Transport>,
    pub(crate) clock: Clock,
    folder: TempDir,
}

/// Hears nothing.
struct Silent;

impl Listener for Silent {
    fn hear(&self, _: &Event<'_>) {}
}

impl Scene {
    pub(crate) async fn of(text: &str) -> Self {
        Self::with(text, |_| {}, "[]", None).await
    }

    pub(crate) async fn with(
        text: &str,
        change: impl FnOnce(&mut World),
        faults: &str,
        observer: Option<Arc<dyn Observer>>,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("palisade.yaml");
        std::fs::write(&file, text).unwrap();
        let configuration = load(&[file]).configuration.unwrap();
        let clock = Clock::simulated(NOW.parse().unwrap());
        let mut world = World::new(None);
        seed(&mut world, &wanted(&configuration), clock.now()).unwrap();
        change(&mut world);
        let options = Options {
            http: ([127, 0, 0, 1], 0).into(),
            https: None,
            certificate: None,
            world: Store::memory(world),
            faults: parse_rules(faults).unwrap(),
            clock: clock.clone(),
            ids: Ids::seeded(1),
            observer,
        };
        let emulator = emulator::start(options).await.unwrap();
        let (tenant, secret) = (configuration.tenant.id.to_string(), SecretString::from(CLIENT_SECRET));
        let transport = Rc::new(Transport::new(Settings {
            exchange: Rc::new(Http::new(&Hosts::emulator(emulator.http()).unwrap())),
            hosts: Hosts::emulator(emulator.http()).unwrap(),
            face: Face::ScaleUnit,
            subscription_key: None,
            tokens: Box::new(ClientCredentials::new(tenant, CLIENT_ID.to_string(), secret)),
            clock: clock.clone(),
            limits: Limits::default(),
            per_host: 8,
            notices: Rc::new(Quiet),
        }));
        Self { configuration, emulator, transport, clock, folder }
    }

    pub(crate) fn reader(&self) -> Reader {
        Reader::new(self.transport.clone())
    }

    pub(crate) fn environments(&self) -> Vec<&Declaration> {
        self.configuration.environments.iter().collect()
    }

    pub(crate) async fn survey(&self) -> Survey {
        let caller = self.transport.caller().await.unwrap().and_then(|caller| caller.object_id);
        Survey::new(self.reader(), self.configuration.tenant.id, caller, Surface::EMULATOR)
    }

    pub(crate) async fn plan(&self) -> Plan {
        let accounts = self.survey().await.accounts(&self.environments(), self.clock.now()).await;
        let notes = guard::check(&accounts, None, &Only::default());
        let target = Target::Emulator { world: "w".into(), tenant: self.configuration.tenant.id.to_string() };
        let config_digest = self.configuration.digest.clone();
        let now = self.clock.now();
        let derivation = Derivation { config_digest, target, now, allow_removals: None, only: Only::default() };
        derive(&derivation, &accounts, notes)
    }

    pub(crate) async fn apply(&self, plan: &Plan) -> Report {
        let journal = Journal::open(&self.folder.path().join("journal.jsonl")).unwrap();
        let declarations = self.environments().into_iter().map(|it| (it.head.scope(), it)).collect();
        let engine = Engine {
            looks: &Surveyed { survey: &self.survey().await, declarations },
            writer: &Writer::new(self.transport.clone(), ""),
            clock: &self.clock,
            patience: Duration::from_secs(1800),
            patience_under_way: Duration::ZERO,
            fleet: Fleet::default(),
            stop: Stop::default(),
            listener: &Silent,
            journal: &journal,
            run: "test".into(),
        };
        engine.run(plan, &clear(&Approval::Seen, plan, self.clock.now()).unwrap()).await
    }

    pub(crate) fn count(&self, method: &str, end: &str) -> usize {
        self.emulator.requests().iter().filter(|seen| seen.method == method && seen.path.ends_with(end)).count()
    }

    /// Every request but those for tokens, with the number of times that it was sent.
    pub(crate) fn repeated(&self) -> Vec<(String, usize)> {
        let mut counts = std::collections::BTreeMap::<String, usize>::new();
        for seen in self.emulator.requests().iter().filter(|seen| !seen.path.ends_with("/token")) {
            *counts.entry(format!("{} {}", seen.method, seen.path)).or_default() += 1;
        }
        counts.into_iter().filter(|(_, count)| *count > 1).collect()
    }
}
