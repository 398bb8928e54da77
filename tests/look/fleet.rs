//! Many environments in one observation: requests are counted, not seconds.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::{BoxFuture, join_all};
use palisade::azure::directory::{Directory, Name};
use palisade::azure::graph::Key;
use palisade::emulator::{Observer, SeenRequest, World};
use palisade::terms::ObjectId;
use serde_json::json;
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::scene::{LAKE, Scene, VAULT};

const HEAD: &str = "version: 1\ntenant: { id: 7b1f0c52-0000-4000-8000-0000000000aa }\nenvironments:\n";

/// Environments each of which has people of its own, declared and held.
fn fleet(count: u32, more: &str) -> String {
    let mut text = HEAD.to_owned();
    for n in 1..=count {
        let _ = write!(
            text,
            "  e{n:02}:\n    instanceId: 6f2b1c34-0000-4000-8000-00000000{n:04}\n    environmentId: \
             1bd6bd98-0000-4000-8000-00000000{n:04}\n    users:\n      assignments:\n        - {{ user: \
             owner{n}@contoso.com, role: Admin }}\n{more}"
        );
    }
    text
}

/// A person of its own for each environment, whom no file names.
fn with_strangers(world: &mut World) {
    let ids: Vec<Uuid> = world.instances.keys().copied().collect();
    for (n, id) in ids.into_iter().enumerate() {
        let user = Uuid::from_u128(0x77_0000 + n as u128);
        let name = format!("stranger{n}@contoso.com");
        let object = json!({ "displayName": name, "userPrincipalName": name, "accountEnabled": true });
        world.users.insert(user, serde_json::from_value(object).unwrap());
        let held = json!({ "principalId": user, "principalType": "user", "roles": ["Viewer"] });
        let instance = world.instances.get_mut(&id).unwrap();
        instance.assignments.push(serde_json::from_value(held).unwrap());
    }
}

/// Holds every request to the directory until it is let go, and counts what is under way meanwhile.
#[derive(Default)]
struct SlowDirectory {
    gate: Option<Semaphore>,
    now: AtomicUsize,
    most: AtomicUsize,
    lists: AtomicUsize,
}

impl SlowDirectory {
    fn closed() -> Arc<Self> {
        Arc::new(Self { gate: Some(Semaphore::new(0)), ..Self::default() })
    }

    fn open(&self) {
        self.gate.as_ref().unwrap().add_permits(1_000_000);
    }
}

impl Observer for SlowDirectory {
    fn before<'a>(&'a self, request: &'a SeenRequest) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            if request.path.starts_with("/v1.0/") {
                let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
                self.most.fetch_max(now, Ordering::SeqCst);
                drop(self.gate.as_ref().unwrap().acquire().await.unwrap());
            }
        })
    }

    fn after<'a>(&'a self, request: &'a SeenRequest, _: u16) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            if request.path.starts_with("/v1.0/") {
                self.now.fetch_sub(1, Ordering::SeqCst);
            }
            // As many environments as are looked at side by side: none of them waited for the directory before it asked.
            if request.path.ends_with("/rbac/assignments") && self.lists.fetch_add(1, Ordering::SeqCst) == 15 {
                self.open();
            }
        })
    }
}

/// With one request to the directory for each environment, one after the other, sixty environments took twelve seconds.
#[tokio::test]
async fn sixty_environments_share_their_questions_to_a_slow_directory() {
    let directory = SlowDirectory::closed();
    let scene = Scene::with(&fleet(60, ""), with_strangers, "[]", Some(directory.clone())).await;
    let plan = scene.plan().await;
    assert_eq!((plan.scopes.len(), plan.summary.unknown), (60, 0));
    for end in ["/rbac/assignments", "/rbac/roles", "/rbac/myrole"] {
        assert_eq!(scene.count("GET", end), 60, "{end}");
    }
    assert_eq!(scene.count("GET", "/api/instances"), 1);
    // 60 declared people in batches of twenty, and one more for the Admins who are there without being declared.
    let batches = scene.count("POST", "/$batch");
    assert!((3..=6).contains(&batches), "{batches} batches");
    let ids = scene.count("POST", "/getByIds");
    assert!(ids <= 30, "{ids} requests for ids");
    let most = directory.most.load(Ordering::SeqCst);
    assert!(most > 1, "the directory was asked one question at a time");
}

/// Who asks while requests are under way gathers behind them; nobody is asked about twice.
#[tokio::test]
async fn names_that_come_while_the_directory_is_busy_go_out_together() {
    let gate = SlowDirectory::closed();
    let scene = Scene::with(&fleet(40, ""), with_strangers, "[]", Some(gate.clone())).await;
    let directory = Directory::expecting(scene.reader(), []);
    let everybody: Vec<ObjectId> = (0..40_u128).map(|n| Uuid::from_u128(0x77_0000 + n).into()).collect();
    let ask = |n: usize| {
        let (directory, everybody) = (&directory, &everybody);
        async move {
            for _ in 0..n * 4 {
                tokio::task::yield_now().await;
            }
            // Each asks about somebody of its own, and about the first one as well.
            let names = [everybody[n], everybody[0]].map(Name::Id);
            directory.load(names.clone()).await;
            names.map(|name| directory.get(&name).unwrap().unwrap().id)
        }
    };
    let open = async {
        while gate.now.load(Ordering::SeqCst) < 4 {
            tokio::task::yield_now().await;
        }
        for _ in 0..400 {
            tokio::task::yield_now().await;
        }
        gate.open();
    };
    let (answers, ()) = tokio::join!(join_all((0..40).map(ask)), open);
    for (n, answer) in answers.iter().enumerate() {
        assert_eq!(*answer, [everybody[n], everybody[0]]);
    }
    assert_eq!(scene.count("POST", "/getByIds"), 5, "four under way, and one for all who came meanwhile");
    assert_eq!(gate.most.load(Ordering::SeqCst), 4);
    // What is known isn't asked again.
    directory.load(everybody.iter().copied().map(Name::Id)).await;
    assert_eq!(scene.count("POST", "/getByIds"), 5);
}

/// A look-up that fails leaves its own names unknown, never absent, and others known.
#[tokio::test]
async fn a_batch_that_fails_takes_no_other_with_it() {
    let faults = "- { operation: POST /v1.0/$batch, nth: 1, action: { status: { code: 403 } } }";
    let scene = Scene::with(&fleet(40, ""), |_| {}, faults, None).await;
    let names: Vec<Name> = (1..=40).map(|n| Name::Key(Key::User(format!("owner{n}@contoso.com")))).collect();
    let directory = Directory::expecting(scene.reader(), []);
    directory.load(names.clone()).await;
    assert_eq!(scene.count("POST", "/$batch"), 2);
    let found: Vec<_> = names.iter().map(|name| directory.get(name)).collect();
    assert_eq!(found.iter().filter(|found| found.is_err()).count(), 20);
    assert_eq!(found.iter().filter(|found| matches!(found, Ok(Some(_)))).count(), 20);
    assert!(directory.get(&Name::Key(Key::User("nobody@contoso.com".into()))).is_err(), "not looked up isn't absent");
}

/// Two environments that name one vault and one storage account read each of them once.
#[tokio::test]
async fn environments_that_share_resources_share_their_reads() {
    let consent = "dataPrivacyConsent: { agreedBy: ada@contoso.com, agreedOn: 2026-03-02 }";
    let more = format!(
        "    keyVault: {{ id: {VAULT}, {consent} }}\n    privateLinks: {{ links: [{{ resource: {LAKE}, {consent} }}] }}\n"
    );
    let scene = Scene::of(&fleet(5, &more)).await;
    let plan = scene.plan().await;
    assert_eq!(plan.summary.unknown, 0);
    // `$batch` is one path for many questions: those that the file names, then whether listed Admins may sign in.
    let batches = ("POST /v1.0/$batch".to_owned(), 2);
    assert_eq!(scene.repeated(), [batches], "nothing is read twice");
    assert_eq!(scene.count("GET", "/vaults/kv-ci"), 1);
    assert_eq!(scene.count("GET", "/storageAccounts/contosolake"), 1);
}
