//! The wire between palisade and the emulator: where troubles strike, and where everything that goes over is kept for the oracle.

use std::cell::{Ref, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use async_trait::async_trait;
use http::StatusCode;
use jiff::Timestamp;
use palisade::azure::exchange::{Broken, Exchange, Request, Response};
use palisade::clock::Clock;
use palisade::emulator::{Emulator, Inside, World};
use serde_json::Value;
use uuid::Uuid;

use crate::events::{Event, happen};
use crate::kind::{Kind, hosted, instance};
use crate::lies::{Lie, distort, echo, replace, response};
use crate::names::{OTHER_INSTANCE, OTHER_TENANT, TENANT};
use crate::platform::{self, OTHER_HOSTED};
use crate::told::Told;
use crate::trouble::{Trouble, What, When};

/// A request with its answer.
pub(crate) struct Exchanged {
    pub(crate) at: Timestamp,
    pub(crate) kind: Kind,
    /// The instance that the path names.
    pub(crate) instance: Option<Uuid>,
    /// The number of the Power Platform environment that the address names.
    pub(crate) hosted: Option<usize>,
    pub(crate) host: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) sent: Option<Value>,
    /// The body of a success, if it is JSON.
    pub(crate) answer: Option<Value>,
    /// The code of a failure.
    pub(crate) code: Option<String>,
    /// The API key that is tried.
    pub(crate) key: Option<String>,
    /// The principal of a write.
    pub(crate) principal: Option<Uuid>,
    /// Around the handling.
    pub(crate) before: Rc<World>,
    pub(crate) after: Rc<World>,
    /// Whether the service names another tenant.
    pub(crate) moved: bool,
    /// The list of roles that the answer told, if it told one.
    pub(crate) told: Option<Told>,
    pub(crate) lie: Option<Lie>,
    /// The world that a stale answer was true of.
    pub(crate) earlier: Option<Rc<World>>,
    /// None if there was no answer.
    pub(crate) status: Option<u16>,
}

impl Exchanged {
    /// The worlds that the answer may have shown.
    pub(crate) fn worlds(&self) -> impl Iterator<Item = &Rc<World>> {
        [Some(&self.before), Some(&self.after), self.earlier.as_ref()].into_iter().flatten()
    }

    /// The role that a write gives.
    pub(crate) fn role(&self) -> Option<&str> {
        self.sent.as_ref()?["roles"][0].as_str()
    }
}

type Answered = (StatusCode, Vec<u8>, Rc<World>);

#[derive(Default)]
struct State {
    log: Vec<Exchanged>,
    troubles: Vec<(Trouble, bool)>,
    happened: Vec<(usize, String)>,
    lies: usize,
    all: usize,
    of_kind: BTreeMap<Kind, usize>,
    /// The same since the last write; none before the first one.
    since_write: Option<BTreeMap<Kind, usize>>,
    /// The same since an environment's identity was last read; none while nothing is carried out.
    in_look: Option<BTreeMap<Kind, usize>>,
    moved: bool,
    answers: BTreeMap<String, Answered>,
    stale: Option<Rc<World>>,
    /// The world as it is; none if it may have changed since it was copied.
    last: Option<Rc<World>>,
    writing: usize,
    secrets: BTreeSet<String>,
}

pub(crate) struct Wire {
    emulator: Rc<Emulator>,
    inside: Inside,
    clock: Clock,
    state: RefCell<State>,
}

/// The end of the wire that palisade holds.
pub(crate) struct End(pub(crate) Rc<Wire>);

#[async_trait(?Send)]
impl Exchange for End {
    async fn exchange(&self, request: Request) -> Result<Response, Broken> {
        self.0.carry(request).await
    }
}

impl Wire {
    pub(crate) fn new(emulator: Rc<Emulator>, clock: Clock, troubles: Vec<Trouble>) -> Self {
        let troubles = troubles.into_iter().map(|trouble| (trouble, false)).collect();
        let inside = emulator.inside();
        Self { emulator, inside, clock, state: RefCell::new(State { troubles, ..State::default() }) }
    }

    /// From now on nothing goes wrong any more.
    pub(crate) fn calm(&self) {
        self.state.borrow_mut().troubles.clear();
    }

    /// From now on a plan is carried out, or no longer.
    pub(crate) fn act(&self, acts: bool) {
        self.state.borrow_mut().in_look = acts.then(BTreeMap::new);
    }

    /// How many requests there were.
    pub(crate) fn length(&self) -> usize {
        self.state.borrow().log.len()
    }

    pub(crate) fn log(&self) -> Ref<'_, Vec<Exchanged>> {
        Ref::map(self.state.borrow(), |state| &state.log)
    }

    /// What happened, each event with the number of requests before it.
    pub(crate) fn happened(&self) -> Vec<(usize, String)> {
        self.state.borrow().happened.clone()
    }

    /// How many events happened, and how many lies were told.
    pub(crate) fn struck(&self) -> (usize, usize) {
        let state = self.state.borrow();
        (state.happened.len(), state.lies)
    }

    pub(crate) fn secrets(&self) -> BTreeSet<String> {
        self.state.borrow().secrets.clone()
    }

    /// Others change something.
    pub(crate) fn happen(&self, event: &Event) {
        self.emulator.change(|world| happen(event, world, self.clock.now())).unwrap();
        let state = &mut *self.state.borrow_mut();
        state.happened.push((state.log.len(), format!("{event:?}")));
        state.moved |= matches!(event, Event::Tenant);
        state.last = None;
    }

    pub(crate) fn world(&self) -> Rc<World> {
        let state = &mut *self.state.borrow_mut();
        if let Some(last) = state.last.as_ref().filter(|_| state.writing == 0) {
            return last.clone();
        }
        let now = Rc::new(self.emulator.world());
        let keys = now.instances.values().map(|one| &one.api_subscription);
        let keys = keys.flat_map(|api| [&api.primary_key, &api.secondary_key]).flatten();
        state.secrets.extend(keys.map(|key| key.expose().to_owned()));
        state.last.insert(now).clone()
    }

    /// Counts a request.
    fn turn(&self, kind: Kind) -> Turn {
        let state = &mut *self.state.borrow_mut();
        state.all += 1;
        let nth = state.of_kind.entry(kind).or_default();
        *nth += 1;
        let of_kind = *nth;
        if matches!(kind, Kind::Instance | Kind::Hosted) {
            state.in_look.iter_mut().for_each(BTreeMap::clear);
        }
        let next = |counts: Option<&mut BTreeMap<Kind, usize>>| {
            counts.map_or(0, |counts| {
                *counts.entry(kind).or_default() += 1;
                counts[&kind]
            })
        };
        let (since_write, in_look) = (next(state.since_write.as_mut()), next(state.in_look.as_mut()));
        Turn { kind, all: state.all, of_kind, since_write, in_look }
    }

    async fn carry(&self, request: Request) -> Result<Response, Broken> {
        let (host, path) = (request.url.host_str().unwrap_or_default().to_owned(), request.url.path().to_owned());
        let at = self.clock.now();
        let kind = Kind::of(request.method.as_str(), &host, &path);
        let turn = self.turn(kind);
        let sent = request.body.as_ref().and_then(|body| serde_json::from_slice::<Value>(body).ok());
        let key = request.headers.get("ocp-apim-subscription-key").and_then(|key| key.to_str().ok()).map(str::to_owned);
        self.events(false, turn);
        let lie = self.lie(turn);
        let before = self.world();
        self.state.borrow_mut().writing += usize::from(kind.is_write());
        let answer = self.answer(&request, kind, lie).await;
        let after = self.world();
        {
            let state = &mut *self.state.borrow_mut();
            state.writing -= usize::from(kind.is_write());
            if kind.is_write() {
                state.since_write = Some(BTreeMap::new());
            }
        }
        let moved = self.state.borrow().moved;
        self.events(true, turn);
        let body: Option<Value> = answer.as_ref().ok().and_then(|answer| serde_json::from_slice(&answer.body).ok());
        let well = answer.as_ref().is_ok_and(|answer| answer.status.is_success());
        let code = body.as_ref().filter(|_| !well).and_then(code);
        let body = body.filter(|_| well);
        let principal = path.strip_suffix("/assignment").and_then(|path| path.rsplit('/').next());
        let principal = principal.and_then(|text| Uuid::parse_str(&text.replace("%7B", "").replace("%7D", "")).ok());
        let (instance, hosted) = (instance(&path), hosted(request.url.as_str()));
        let told = body.as_ref().filter(|_| kind == Kind::List).zip(instance);
        let told = told.and_then(|(body, instance)| Told::read(body, instance));
        let status = answer.as_ref().ok().map(|answer| answer.status.as_u16());
        let state = &mut *self.state.borrow_mut();
        let earlier = state.stale.take();
        if let Some(token) = body.as_ref().and_then(|body| body["access_token"].as_str()) {
            state.secrets.insert(token.to_owned());
        }
        state.log.push(Exchanged {
            at,
            kind,
            instance,
            hosted,
            host,
            path,
            query: request.url.query().unwrap_or_default().to_owned(),
            sent,
            answer: body,
            code,
            key,
            principal,
            before,
            after,
            moved,
            told,
            lie,
            earlier,
            status,
        });
        answer
    }

    /// Lets happen what is due. Nothing else happens while a write is handled, so that its effect can be told.
    fn events(&self, after: bool, turn: Turn) {
        let due: Vec<Event> = {
            let state = &mut *self.state.borrow_mut();
            if state.writing > 0 {
                return;
            }
            let due = state
                .troubles
                .iter_mut()
                .filter(|(trouble, spent)| !spent && trouble.after == after && strikes(trouble.when, turn));
            due.filter_map(|(trouble, spent)| match &trouble.what {
                What::Event(event) => {
                    *spent = true;
                    Some(event.clone())
                }
                What::Lie(_) => None,
            })
            .collect()
        };
        due.iter().for_each(|event| self.happen(event));
    }

    fn lie(&self, turn: Turn) -> Option<Lie> {
        let state = &mut *self.state.borrow_mut();
        let lie = state.troubles.iter().find_map(|(trouble, _)| match trouble.what {
            What::Lie(lie) if strikes(trouble.when, turn) => Some(lie),
            _ => None,
        });
        state.lies += usize::from(lie.is_some());
        lie
    }

    async fn answer(&self, request: &Request, kind: Kind, lie: Option<Lie>) -> Result<Response, Broken> {
        match lie {
            Some(Lie::Status(code)) => {
                return Ok(response(code, br#"{"error":{"code":"no","message":"no"}}"#.to_vec()));
            }
            Some(Lie::Pretend) => return Ok(response(200, Vec::new())),
            Some(Lie::Reset) => return Err(Broken::Reset("no answer".to_owned())),
            Some(Lie::Echo(code)) => return Ok(response(code, echo(request))),
            _ => {}
        }
        let body = request.body.as_ref().map(|body| String::from_utf8_lossy(body).into_owned()).unwrap_or_default();
        let key = format!("{} {}{body}", request.method, request.url);
        let mut asked = request.clone();
        if lie == Some(Lie::OtherInstance) {
            others(request).iter().for_each(|(own, other)| {
                asked.url = asked.url.as_str().replace(own, other).parse().unwrap();
            });
        }
        let answered = self.inside.exchange(asked).await;
        self.state.borrow_mut().last.take_if(|_| kind.is_in_platform());
        let mut answer = answered?;
        match lie {
            Some(Lie::LoseAnswer) => return Err(Broken::Reset("no answer".to_owned())),
            Some(Lie::Truncate) => return Err(Broken::Truncated("cut".to_owned())),
            Some(Lie::StatusAfter(code)) => return Ok(response(code, br#"{"error":{"code":"no"}}"#.to_vec())),
            _ => {}
        }
        let earlier = self.state.borrow().answers.get(&key).cloned();
        if !kind.is_write() {
            let kept = (answer.status, answer.body.to_vec(), self.world());
            self.state.borrow_mut().answers.entry(key).or_insert(kept);
        }
        if let (Some(Lie::Stale), Some((status, body, world))) = (lie, earlier) {
            (answer.status, answer.body) = (status, body.into());
            self.state.borrow_mut().stale = Some(world);
        }
        if self.state.borrow().moved && kind == Kind::Instances {
            replace(&mut answer, &TENANT.to_string(), &OTHER_TENANT.to_string());
        }
        match lie {
            Some(Lie::Renamed) => {
                others(request).iter().for_each(|(own, other)| replace(&mut answer, own, other));
            }
            Some(Lie::Empty) => answer.body = b"[]".to_vec().into(),
            Some(Lie::Null) => answer.body = b"null".to_vec().into(),
            Some(Lie::Html) => answer.body = b"<html>".to_vec().into(),
            Some(lie) => {
                if let Ok(mut body) = serde_json::from_slice::<Value>(&answer.body) {
                    distort(lie, &mut body);
                    answer.body = body.to_string().into_bytes().into();
                }
            }
            None => {}
        }
        Ok(answer)
    }
}

/// The environments that a request names, each with another one of its kind.
fn others(request: &Request) -> Vec<(String, String)> {
    let instance = instance(request.url.path()).map(|id| (id.to_string(), OTHER_INSTANCE.to_string()));
    let other = |number| (platform::hosted(number), platform::hosted(OTHER_HOSTED));
    instance.into_iter().chain(hosted(request.url.as_str()).map(other)).collect()
}

fn code(body: &Value) -> Option<String> {
    let found = [&body["error"]["code"], &body["code"], &body["errorCode"]];
    found.into_iter().find_map(Value::as_str).map(str::to_owned)
}

/// Which one a request is.
#[derive(Clone, Copy)]
struct Turn {
    kind: Kind,
    all: usize,
    of_kind: usize,
    /// Of its kind; nothing before the first write.
    since_write: usize,
    /// Of its kind; nothing while nothing is carried out.
    in_look: usize,
}

fn strikes(when: When, turn: Turn) -> bool {
    let Turn { kind, all, of_kind, since_write, in_look } = turn;
    match when {
        When::Nth(wanted) => wanted == all,
        When::OfKind(wanted, number) => wanted == kind && number == of_kind,
        When::From(wanted, number) => wanted == kind && number <= of_kind,
        When::SinceWrite(wanted, number) => wanted == kind && number == since_write,
        When::InLook(wanted, number) => wanted == kind && number == in_look,
    }
}
