//! A made-up world: things that are declared, how they stand, and what happens when they are written.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::apply::{Looks, NoLook};
use crate::azure::operations::{Facts, GET_MY_ROLE, PUT_ASSIGNMENT};
use crate::azure::{Anew, CallError, Failure, Fresh, Reader, Writer};
use crate::plan::{
    Account, Action, Address, Administrators, Binds, Derivation, Direction, Findings, Hold, Impact, ManualStep,
    Observed, Only, Outline, Places, Plan, Planned, Rated, ReadBack, Risk, Sighting, Stake, Step, StepError, Target,
    Unknown, Waiting, WaitingFor, Work, derive,
};
use crate::terms::{EnvironmentHead, Head, Place, Scope, TenantHead};

pub(super) const NOW: &str = "2026-11-20T12:00:00Z";

pub(super) fn now() -> Timestamp {
    NOW.parse().unwrap()
}

/// What happens when something is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Does {
    Succeed,
    Fail,
    Refuse,
    /// It is written, and the last look at it can't be read.
    Vanish,
    /// It fails after a first write; a last step leaves things safe.
    FailHalfway,
    /// It is stopped before a first write.
    StopBefore,
    StartWork,
    NeedAPerson,
}

/// How something declared stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Missing,
    There,
    UnderWay,
    Unread,
}

/// One thing that is declared.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) address: Address,
    pub(super) requires: Vec<Address>,
    pub(super) holds: Vec<Hold>,
    pub(super) does: Does,
    pub(super) takes_away: bool,
    pub(super) action: Action,
    pub(super) impact: Impact,
}

pub(super) fn address(text: &str) -> Address {
    Address::written(text)
}

pub(super) fn item(text: &str) -> Item {
    Item {
        address: address(text),
        requires: Vec::new(),
        holds: Vec::new(),
        does: Does::Succeed,
        takes_away: false,
        action: Action::Create,
        impact: Impact::None,
    }
}

impl Item {
    pub(super) fn after(mut self, others: &[&str]) -> Self {
        self.requires.extend(others.iter().map(|other| address(other)));
        self
    }

    pub(super) fn taking_away(self) -> Self {
        Self { takes_away: true, ..self }
    }

    pub(super) fn cutting_off(self) -> Self {
        Self { impact: Impact::Outage, ..self }
    }

    pub(super) fn acting(self, action: Action) -> Self {
        Self { action, ..self }
    }

    pub(super) fn does(self, does: Does) -> Self {
        Self { does, ..self }
    }

    pub(super) fn holding(mut self, hold: &str) -> Self {
        self.holds.push(Hold::named(hold));
        self
    }

    pub(super) fn setting(&self) -> (&str, &str) {
        (scope_of(&self.address), self.address.setting_key().unwrap())
    }

    pub(super) fn manual() -> ManualStep {
        ManualStep {
            place: "Settings > Somewhere".into(),
            actions: vec!["choose it".into()],
            values: BTreeMap::from([("Name".to_owned(), "value".to_owned())]),
            shown_by: "the page shows it".into(),
            record: None,
        }
    }
}

/// What the made-up services hold, and what became of it.
pub(super) struct World {
    pub(super) items: Vec<Item>,
    pub(super) states: RefCell<BTreeMap<Address, State>>,
    /// What becomes of another thing with the first one's write.
    pub(super) along: RefCell<BTreeMap<Address, (Address, State)>>,
    /// What is being written, up to its last read-back.
    pub(super) writing: RefCell<BTreeSet<Address>>,
    pub(super) most_at_once: Cell<usize>,
    pub(super) log: RefCell<Vec<String>>,
    /// Who administers, before the first write and after it; no stake where nothing is said.
    pub(super) administrators: RefCell<[Option<Administrators>; 2]>,
    /// Whether looks fail after the first write.
    pub(super) blind_after_writes: Cell<bool>,
    /// What must never happen, and did.
    pub(super) wrongs: RefCell<Vec<String>>,
}

impl World {
    pub(super) fn of(items: Vec<Item>) -> Rc<Self> {
        let states = items.iter().map(|item| (item.address.clone(), State::Missing)).collect();
        Rc::new(Self {
            items,
            states: RefCell::new(states),
            along: RefCell::default(),
            writing: RefCell::default(),
            most_at_once: Cell::default(),
            log: RefCell::default(),
            administrators: RefCell::default(),
            blind_after_writes: Cell::default(),
            wrongs: RefCell::default(),
        })
    }

    pub(super) fn set(&self, text: &str, state: State) {
        self.states.borrow_mut().insert(address(text), state);
    }

    pub(super) fn state(&self, address: &Address) -> State {
        self.states.borrow().get(address).copied().unwrap_or(State::Unread)
    }

    pub(super) fn writes(&self) -> Vec<String> {
        self.log.borrow().iter().filter_map(|line| line.strip_prefix("write ")).map(str::to_owned).collect()
    }

    pub(super) fn findings(self: &Rc<Self>, scope: &str, setting: &str) -> Findings {
        let mut findings = Findings::default();
        let administrators = self.administrators.borrow()[usize::from(!self.writes().is_empty())].clone();
        findings.stakes.extend(administrators.map(Stake::Administrators));
        for item in self.items.iter().filter(|item| item.setting() == (scope, setting)) {
            let address = item.address.clone();
            match self.state(&address) {
                State::Missing => findings.changes.push(self.planned(item)),
                State::There => findings.settled(address),
                State::UnderWay => findings.waiting.push(Waiting {
                    address,
                    waiting_for: WaitingFor::Service,
                    since: Some(now()),
                    detail: "it is being made".into(),
                }),
                State::Unread => findings.unknown.push(Unknown {
                    address,
                    reason: "it answered 500".into(),
                    operation: String::new(),
                    source: None,
                }),
            }
        }
        findings
    }

    pub(super) fn planned(self: &Rc<Self>, item: &Item) -> Planned {
        let outline = Outline {
            address: item.address.clone(),
            setting: ["s", "t", "u"].into_iter().find(|key| *key == item.setting().1).unwrap(),
            subject: item.address.to_string(),
            action: item.action,
            direction: Direction::Neutral,
            risk: Rated { what: "make it", risk: Risk::Low },
            impact: item.impact,
            before: Json::Null,
            after: json!("there"),
            reason: "declared, but missing".into(),
            source: Place { file: "palisade.yaml".into(), line: 1, column: 1 },
            operations: Vec::new(),
        };
        let work = match item.does {
            Does::NeedAPerson => Work::person(Item::manual()),
            Does::FailHalfway | Does::StopBefore => Work::Steps(
                ["first", "second", "third", "closing"]
                    .map(|part| -> Rc<dyn Step> { Rc::new(Part { part, item: item.clone(), world: self.clone() }) })
                    .into(),
            ),
            _ => Work::step(Rc::new(Make { item: item.clone(), world: self.clone() })),
        };
        Planned::new(outline, work).requiring(item.requires.clone()).taking_away(item.takes_away)
    }

    /// What is wrong with writing this now.
    fn wrongs_of_writing(&self, item: &Item) -> Vec<String> {
        let early = item.requires.iter().filter(|required| self.state(required) != State::There);
        let early = early.map(|required| format!("{} was written before {required}", item.address));
        let writing = self.writing.borrow();
        let at_once = self.items.iter().filter(|other| writing.contains(&other.address));
        let at_once = at_once.filter(|other| other.holds.iter().any(|hold| item.holds.contains(hold)));
        early.chain(at_once.map(|other| format!("{} was written while {} was", item.address, other.address))).collect()
    }

    /// The plan for these scopes.
    pub(super) fn plan(self: &Rc<Self>, scopes: &[&str], only: Only) -> Plan {
        let accounts: Vec<Account> = scopes.iter().map(|scope| self.account(scope)).collect();
        let target = Target::Emulator { world: "w".into(), tenant: "t".into() };
        let derivation =
            Derivation { config_digest: "sha256:c".into(), target, now: now(), allow_removals: None, only };
        derive(&derivation, &accounts, Vec::new())
    }

    fn head(scope: &str) -> Head {
        let place = Place { file: "palisade.yaml".into(), line: 1, column: 1 };
        let id = Uuid::from_u128(1);
        match Scope::named(scope) {
            Scope::Tenant => Head::Tenant(TenantHead { id, place }),
            Scope::Environment(key) => Head::Environment(EnvironmentHead {
                key,
                instance_id: Some(id),
                environment_id: Some("e".into()),
                name: None,
                business_units: false,
                place,
            }),
        }
    }

    pub(super) fn account(self: &Rc<Self>, scope: &str) -> Account {
        let settings: BTreeSet<&str> =
            self.items.iter().map(Item::setting).filter(|(of, _)| *of == scope).map(|(_, setting)| setting).collect();
        Account {
            head: Self::head(scope),
            places: Places::default(),
            declaration: "sha256:d".into(),
            observed: Some(Observed::default()),
            unknown: Vec::new(),
            notes: Vec::new(),
            findings: settings.into_iter().map(|setting| self.findings(scope, setting)).collect(),
        }
    }

    /// Every scope that something is declared in, in the order of their names, the tenant first.
    pub(super) fn scopes(&self) -> Vec<&str> {
        let mut scopes: Vec<&str> = self.items.iter().map(|item| scope_of(&item.address)).collect();
        scopes.sort_by_key(|scope| (*scope != "tenant", *scope));
        scopes.dedup();
        scopes
    }
}

/// The scope of an address, as it is written.
pub(super) fn scope_of(address: &Address) -> &str {
    address.as_str().split('/').next().unwrap()
}

/// Looks at the world. Its reader reads nothing.
pub(super) struct Looking {
    pub(super) world: Rc<World>,
    pub(super) reader: Reader,
}

#[async_trait(?Send)]
impl Looks for Looking {
    async fn setting(&self, scope: &Scope, setting: &str) -> Result<Fresh<Sighting>, NoLook> {
        let scope = scope.as_str();
        let Self { world, reader } = self;
        world.log.borrow_mut().push(format!("look {scope}/{setting}"));
        let fresh = Fresh::look(reader, async |_| {
            let sighting = Sighting { observed: Some(Observed::default()), findings: world.findings(scope, setting) };
            // Reading takes its time.
            tokio::task::yield_now().await;
            sighting
        });
        let fresh = fresh.await;
        if world.blind_after_writes.get() && !world.writes().is_empty() {
            return Err(NoLook::Unread("it answered 503".into()));
        }
        match world.items.iter().any(|item| item.setting() == (scope, setting)) {
            true => Ok(fresh),
            false => Err(NoLook::Undeclared("it isn't declared".into())),
        }
    }

    async fn addition(&self, scope: &Scope, setting: &str, _: &Address) -> Result<Anew<Sighting>, NoLook> {
        self.setting(scope, setting).await.map(Anew::All)
    }
}

/// The one step of a made-up change.
pub(super) struct Make {
    item: Item,
    world: Rc<World>,
}

#[async_trait(?Send)]
impl Step for Make {
    fn title(&self) -> String {
        format!("make {}", self.item.address)
    }

    fn operation(&self) -> &'static Facts {
        PUT_ASSIGNMENT.facts()
    }

    fn binds(&self) -> Binds {
        let Self { item, world: _ } = self;
        Binds::none().and("address", &item.address)
    }

    fn holds(&self) -> Vec<Hold> {
        self.item.holds.clone()
    }

    async fn write(&self, _: &Writer) -> Result<(), StepError> {
        let Self { item, world } = self;
        let address = &item.address;
        world.log.borrow_mut().push(format!("write {address}"));
        world.wrongs.borrow_mut().extend(world.wrongs_of_writing(item));
        world.writing.borrow_mut().insert(address.clone());
        world.most_at_once.set(world.most_at_once.get().max(world.writing.borrow().len()));
        for _ in 0..5 {
            tokio::task::yield_now().await;
        }
        let state = match item.does {
            Does::Succeed | Does::Vanish | Does::FailHalfway | Does::StopBefore => State::There,
            Does::StartWork => State::UnderWay,
            Does::Fail | Does::Refuse | Does::NeedAPerson => {
                world.writing.borrow_mut().remove(address);
                let reason = "it broke".to_owned();
                return Err(if item.does == Does::Fail {
                    StepError::Ended(reason)
                } else {
                    StepError::Stopped(reason)
                });
            }
        };
        world.states.borrow_mut().insert(address.clone(), state);
        if let Some((other, state)) = world.along.borrow().get(address) {
            world.states.borrow_mut().insert(other.clone(), *state);
        }
        Ok(())
    }

    async fn read_back(&self, _: &Reader) -> Result<ReadBack, CallError> {
        let Self { item, world } = self;
        world.log.borrow_mut().push(format!("read {}", item.address));
        tokio::task::yield_now().await;
        world.writing.borrow_mut().remove(&item.address);
        if item.does == Does::Vanish {
            let failure = Failure::NoAnswer { detail: "the connection was reset".into() };
            return Err(CallError { operation: GET_MY_ROLE.facts(), failure, attempts: 1, correlation: None });
        }
        Ok(match world.state(&item.address) {
            State::There => ReadBack::Shown,
            State::UnderWay => ReadBack::UnderWay { since: Some(now()), detail: "it is being made".into() },
            State::Missing | State::Unread => ReadBack::NotYet("it doesn't show".into()),
        })
    }
}

/// One of the steps of a change that fails halfway.
struct Part {
    part: &'static str,
    item: Item,
    world: Rc<World>,
}

#[async_trait(?Send)]
impl Step for Part {
    fn title(&self) -> String {
        self.part.to_owned()
    }

    fn operation(&self) -> &'static Facts {
        PUT_ASSIGNMENT.facts()
    }

    fn binds(&self) -> Binds {
        let Self { part, item, world: _ } = self;
        Binds::none().and("address", &item.address).and("part", part)
    }

    fn closes(&self) -> bool {
        self.part == "closing"
    }

    async fn write(&self, _: &Writer) -> Result<(), StepError> {
        let Self { part, item, world } = self;
        if item.does == Does::StopBefore {
            return Err(StepError::Stopped("it is another one by now".to_owned()));
        }
        world.log.borrow_mut().push(format!("write {} {part}", item.address));
        if *part == "second" { Err(StepError::Ended("it broke".to_owned())) } else { Ok(()) }
    }

    async fn read_back(&self, _: &Reader) -> Result<ReadBack, CallError> {
        Ok(ReadBack::Shown)
    }
}
