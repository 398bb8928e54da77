//! Survey, plan and engine as a library, against an emulator in the same process: who is asked how often, in which order
//! things happen, and that a plan is only ever an approval.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

#[path = "engine/shared.rs"]
mod shared;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use palisade::apply::{Engine, Event, Fleet, Journal, Listener, Report, Status, Stop, Surveyed};
use palisade::azure::exchange::Http;
use palisade::azure::hosts::Hosts;
use palisade::azure::retry::Limits;
use palisade::azure::{ClientCredentials, Quiet, Reader, Settings, Transport, Writer};
use palisade::clock::{Clock, Ids};
use palisade::declared::{Configuration, load};
use palisade::emulator::{
    self, CLIENT_ID, CLIENT_SECRET, Emulator, Observer, Options, SeenRequest, Store, World, parse_rules, seed,
};
use palisade::guard;
use palisade::plan::{Approval, By, Derivation, ManualStep, Only, Plan, Target, clear, derive};
use palisade::settings::declaration::Declaration;
use palisade::settings::surface::Surface;
use palisade::settings::survey::Survey;
use palisade::terms::{Face, Scope};
use secrecy::SecretString;
use tempfile::TempDir;
use tokio::sync::Notify;

const NOW: &str = "2026-11-20T12:00:00Z";
const PER_HOST: usize = 8;

/// A configuration of `count` environments in which two people and palisade are Admin, and nobody else.
fn configuration(count: u32) -> String {
    let mut text = "version: 1\ntenant: { id: 7b1f0c52-0000-4000-8000-0000000000aa }\nbase:\n  users:\n    \
                    match: exact\n    assignments:\n      - { user: ada@contoso.com, role: Admin }\n      - { user: \
                    grace@contoso.com, role: Admin }\n      - { app: palisade, id: \
                    8f14e45f-0000-4000-8000-0000000000c1, role: Admin }\nenvironments:\n"
        .to_owned();
    for number in 1..=count {
        let _ = write!(
            text,
            "  e{number:02}:\n    instanceId: 6f2b1c34-0000-4000-8000-00000000{number:04}\n    environmentId: \
             1bd6bd98-0000-4000-8000-00000000{number:04}\n    apiAccess: {{ enabled: true }}\n"
        );
    }
    text
}

/// Everything that a run needs.
struct Run {
    configuration: Configuration,
    emulator: Emulator,
    transport: Rc<Transport>,
    clock: Clock,
    folder: TempDir,
}

impl Run {
    async fn new(environments: u32, faults: &str, observer: Option<Arc<dyn Observer>>) -> Self {
        Self::of(&configuration(environments), faults, observer).await
    }

    async fn of(configuration: &str, faults: &str, observer: Option<Arc<dyn Observer>>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("palisade.yaml");
        std::fs::write(&file, configuration).unwrap();
        let configuration = load(&[file]).configuration.unwrap();
        let clock = Clock::simulated(NOW.parse().unwrap());
        let mut world = World::new(None);
        seed(&mut world, &palisade::cli::wanted(&configuration), clock.now()).unwrap();
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
        let tenant = configuration.tenant.id.to_string();
        let secret = SecretString::from(CLIENT_SECRET);
        let transport = Rc::new(Transport::new(Settings {
            exchange: Rc::new(Http::new(&Hosts::emulator(emulator.http()).unwrap())),
            hosts: Hosts::emulator(emulator.http()).unwrap(),
            face: Face::ScaleUnit,
            subscription_key: None,
            tokens: Box::new(ClientCredentials::new(tenant, CLIENT_ID.to_string(), secret)),
            clock: clock.clone(),
            limits: Limits::default(),
            per_host: PER_HOST,
            notices: Rc::new(Quiet),
        }));
        Self { configuration, emulator, transport, clock, folder }
    }

    fn environments(&self) -> Vec<&Declaration> {
        self.configuration.environments.iter().collect()
    }

    async fn survey(&self) -> Survey {
        let caller = self.transport.caller().await.unwrap().and_then(|caller| caller.object_id);
        let reader = Reader::new(self.transport.clone());
        Survey::new(reader, self.configuration.tenant.id, caller, Surface::EMULATOR)
    }

    async fn plan(&self, survey: &Survey) -> Plan {
        let accounts = survey.accounts(&self.environments(), self.clock.now()).await;
        let notes = guard::check(&accounts, None, &Only::default());
        let target = Target::Emulator { world: "w".into(), tenant: self.configuration.tenant.id.to_string() };
        let config_digest = self.configuration.digest.clone();
        derive(
            &Derivation { config_digest, target, now: self.clock.now(), allow_removals: None, only: Only::default() },
            &accounts,
            notes,
        )
    }

    async fn apply(&self, survey: &Survey, plan: &Plan, stop: Stop, listener: &dyn Listener) -> Report {
        let declarations = self.environments().into_iter().map(|it| (it.head.scope(), it)).collect();
        self.apply_to(declarations, survey, plan, stop, listener).await
    }

    async fn apply_to(
        &self,
        declarations: BTreeMap<Scope, &Declaration>,
        survey: &Survey,
        plan: &Plan,
        stop: Stop,
        listener: &dyn Listener,
    ) -> Report {
        let journal = Journal::open(&self.folder.path().join("journal.jsonl")).unwrap();
        let engine = Engine {
            looks: &Surveyed { survey, declarations },
            writer: &Writer::new(self.transport.clone(), ""),
            clock: &self.clock,
            patience: Duration::from_secs(60),
            patience_under_way: Duration::ZERO,
            fleet: Fleet::default(),
            stop,
            listener,
            journal: &journal,
            run: "test".into(),
        };
        engine.run(plan, &clear(&Approval::Seen, plan, self.clock.now()).unwrap()).await
    }

    fn count(&self, fits: impl Fn(&str, &str) -> bool) -> usize {
        self.emulator.requests().iter().filter(|seen| fits(&seen.method, &seen.path)).count()
    }

    fn writes(&self) -> usize {
        self.count(|method, _| matches!(method, "PUT" | "DELETE" | "PATCH"))
    }
}

/// Notes what it hears, and may ask to stop at the first write.
#[derive(Default)]
struct Notebook {
    lines: RefCell<Vec<String>>,
    stop_at_first_write: Option<Stop>,
}

impl Listener for Notebook {
    fn hear(&self, event: &Event<'_>) {
        let line = match event {
            Event::Started { address, .. } => {
                if let Some(stop) = &self.stop_at_first_write {
                    stop.request();
                }
                format!("started {address}")
            }
            Event::Waiting { address, .. } => format!("waiting {address}"),
            Event::Ended { address, outcome } => format!("{:?} {address}", outcome.status),
        };
        self.lines.borrow_mut().push(line);
    }
}

/// Counts what is under way.
#[derive(Default)]
struct Crowd {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Observer for Crowd {
    fn before<'a>(&'a self, _: &'a SeenRequest) -> BoxFuture<'a, ()> {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        // Lets whoever else wants to come in come in.
        Box::pin(async {
            for _ in 0..50 {
                tokio::task::yield_now().await;
            }
        })
    }

    fn after<'a>(&'a self, _: &'a SeenRequest, _: u16) -> BoxFuture<'a, ()> {
        self.now.fetch_sub(1, Ordering::SeqCst);
        Box::pin(async {})
    }
}

/// Lets the first environment's answer go only after the last one's.
#[derive(Default)]
struct Backwards {
    last: Notify,
    order: Mutex<Vec<String>>,
}

impl Observer for Backwards {
    fn before<'a>(&'a self, _: &'a SeenRequest) -> BoxFuture<'a, ()> {
        Box::pin(async {})
    }

    fn after<'a>(&'a self, request: &'a SeenRequest, _: u16) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            if !request.path.ends_with("/rbac/assignments") {
                return;
            }
            if request.path.contains("0001/") {
                self.last.notified().await;
            } else if request.path.contains("0003/") {
                self.last.notify_one();
            }
            self.order.lock().unwrap().push(request.path.clone());
        })
    }
}

#[tokio::test]
async fn nothing_is_read_twice_and_the_host_is_not_overrun() {
    let crowd = Arc::new(Crowd::default());
    let run = Run::new(24, "[]", Some(crowd.clone())).await;
    let survey = run.survey().await;
    // A queue in which everybody waits for everybody else would never end.
    let plan = tokio::time::timeout(Duration::from_secs(60), run.plan(&survey)).await.unwrap();
    assert_eq!((plan.summary.changes, plan.summary.unknown), (24 * 4, 0));
    for end in ["/rbac/assignments", "/rbac/roles", "/rbac/myrole", "/manage/apisubscription"] {
        assert_eq!(run.count(|_, path| path.ends_with(end)), 24, "{end}");
    }
    assert_eq!(run.count(|_, path| path == "/api/instances"), 1, "one list for all");
    assert_eq!(run.count(|_, path| path.ends_with("/token")), 3, "one token for each audience");
    assert_eq!(run.count(|_, path| path == "/v1.0/$batch"), 1, "one look-up for all names");
    assert_eq!(run.count(|_, path| path == "/v1.0/directoryObjects/getByIds"), 1, "one look-up for all ids");
    let most = crowd.most.load(Ordering::SeqCst);
    assert!((2..=PER_HOST).contains(&most), "{most} requests were under way at once");
}

#[tokio::test]
async fn accounts_come_in_the_files_order_whichever_answer_came_first() {
    let backwards = Arc::new(Backwards::default());
    let run = Run::new(3, "[]", Some(backwards.clone())).await;
    let plan = run.plan(&run.survey().await).await;
    let order = backwards.order.lock().unwrap().clone();
    assert!(order.last().unwrap().contains("0001/"), "{order:?}");
    let scopes: Vec<_> = plan.scopes.iter().map(|scope| scope.scope.as_str()).collect();
    assert_eq!(scopes, ["e01", "e02", "e03"]);
}

#[tokio::test]
async fn what_happens_is_heard_in_order_and_accounted_for() {
    let run = Run::new(1, "[]", None).await;
    let survey = run.survey().await;
    let plan = run.plan(&survey).await;
    let notebook = Notebook::default();
    let report = run.apply(&survey, &plan, Stop::default(), &notebook).await;
    assert_eq!(report.summary.done, 4);
    let heard = notebook.lines.borrow().join("\n");
    insta::assert_snapshot!(heard, @r"
    started e01/apiAccess
    Done e01/apiAccess
    started e01/users/ada@contoso.com
    Done e01/users/ada@contoso.com
    started e01/users/grace@contoso.com
    Done e01/users/grace@contoso.com
    started e01/users/creator@contoso.com
    Done e01/users/creator@contoso.com
    ");
}

#[tokio::test]
async fn asked_to_stop_before_it_begins_it_sends_nothing() {
    let run = Run::new(2, "[]", None).await;
    let survey = run.survey().await;
    let plan = run.plan(&survey).await;
    let stop = Stop::default();
    stop.request();
    let report = run.apply(&survey, &plan, stop, &Notebook::default()).await;
    assert_eq!((report.summary.not_started, report.changes.len(), run.writes()), (8, 8, 0));
}

#[tokio::test]
async fn asked_to_stop_at_a_write_it_finishes_that_write() {
    let run = Run::new(1, "[]", None).await;
    let survey = run.survey().await;
    let plan = run.plan(&survey).await;
    let stop = Stop::default();
    let notebook = Notebook { stop_at_first_write: Some(stop.clone()), ..Notebook::default() };
    let report = run.apply(&survey, &plan, stop, &notebook).await;
    assert_eq!((report.summary.done, report.summary.not_started, run.writes()), (1, 3, 1));
}

/// A plan is an approval, not a program: whatever it says, only what the configuration asks for is done.
#[tokio::test]
async fn a_forged_plan_does_nothing_that_the_configuration_does_not_ask_for() {
    let run = Run::new(1, "[]", None).await;
    let survey = run.survey().await;
    let genuine = run.plan(&survey).await;
    let before = run.emulator.world();
    let ada = genuine.scopes[0].changes.iter().position(|change| change.address.as_str().contains("ada@")).unwrap();
    type Forgery = fn(&mut palisade::plan::Change);
    let forgeries: [Forgery; 3] = [
        |change| change.after = serde_json::json!({ "role": "Viewer" }),
        |change| change.before = serde_json::json!({ "role": "Viewer" }),
        |change| change.action = palisade::plan::Action::Delete,
    ];
    for forge in forgeries {
        let mut plan = genuine.clone();
        forge(&mut plan.scopes[0].changes[ada]);
        plan.scopes[0].changes = vec![plan.scopes[0].changes[ada].clone()];
        let report = run.apply(&survey, &plan, Stop::default(), &Notebook::default()).await;
        assert_eq!(report.changes[0].status, Status::Refused, "{}", report.changes[0].reason);
    }
    // Somebody whom the configuration wants to keep, and an environment that it doesn't have.
    let mut plan = genuine.clone();
    plan.scopes[0].changes.retain(|change| change.address.as_str().contains("creator@"));
    let text = serde_json::to_string(&plan.scopes[0].changes[0]).unwrap();
    let text = text.replace("creator@contoso.com", "app:8f14e45f-0000-4000-8000-0000000000c1");
    plan.scopes[0].changes = vec![serde_json::from_str(&text).unwrap()];
    run.apply(&survey, &plan, Stop::default(), &Notebook::default()).await;
    let report = run.apply_to(BTreeMap::new(), &survey, &genuine, Stop::default(), &Notebook::default()).await;
    assert_eq!(report.summary.refused, 4);
    assert_eq!((run.writes(), run.emulator.world()), (0, before));
}

#[tokio::test]
async fn what_a_person_has_to_do_is_waited_for_and_not_sent() {
    let run = Run::new(1, "[]", None).await;
    let survey = run.survey().await;
    let mut plan = run.plan(&survey).await;
    for change in &mut plan.scopes[0].changes {
        let step = ManualStep {
            place: "Settings".into(),
            actions: vec!["choose it".into()],
            values: BTreeMap::new(),
            shown_by: "the page shows it".into(),
            record: None,
        };
        change.by = By::Person { step: Box::new(step) };
    }
    let report = run.apply(&survey, &plan, Stop::default(), &Notebook::default()).await;
    assert_eq!((report.summary.waiting, run.writes()), (4, 0));
}

/// One that fails hides none of the others, for the fresh looks of the engine.
#[tokio::test]
async fn an_environment_that_stops_answering_leaves_the_others_alone() {
    let rules: String = (2..30)
        .map(|nth| {
            format!(
                "- {{ operation: GET *0002/rbac/assignments, nth: {nth}, action: {{ status: {{ code: 403 }} }} }}\n"
            )
        })
        .collect();
    let run = Run::new(3, &rules, None).await;
    let survey = run.survey().await;
    let plan = run.plan(&survey).await;
    let report = run.apply(&survey, &plan, Stop::default(), &Notebook::default()).await;
    let of = |scope: &str| -> Vec<Status> {
        report.changes.iter().filter(|applied| applied.scope.as_str() == scope).map(|applied| applied.status).collect()
    };
    assert_eq!(of("e01"), [Status::Done; 4]);
    assert_eq!(of("e03"), [Status::Done; 4]);
    let second = of("e02");
    let unread = report.changes.iter().filter(|applied| applied.scope.as_str() == "e02" && applied.unread);
    assert_eq!((unread.count(), report.summary.failed), (3, 0), "{second:?}");
    assert!(second.contains(&Status::Done), "API access doesn't need the list");
    let world = run.emulator.world();
    let unchanged = world.instances.values().filter(|instance| instance.assignments.len() == 2).count();
    assert_eq!(unchanged, 1, "nobody was added or removed where the list couldn't be read");
}
