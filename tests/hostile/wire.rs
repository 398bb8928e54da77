//! The wire between palisade and the emulator: where troubles strike, and where everything that goes over is kept for the oracle.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use async_trait::async_trait;
use http::StatusCode;
use palisade::azure::exchange::{Broken, Exchange, Request, Response};
use palisade::emulator::{Emulator, Inside, World};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::declared::{OTHER_INSTANCE, TENANT};
use crate::told::Told;
use crate::trouble::{Event, Kind, Lie, Trouble, What, When, happen};

const OTHER_TENANT: &str = "99999999-0000-4000-8000-0000000000aa";

/// A request with its answer.
#[derive(Clone)]
pub(crate) struct Exchanged {
    pub(crate) kind: Kind,
    /// The principal of a write.
    pub(crate) principal: Option<Uuid>,
    /// The role that it gives.
    pub(crate) role: Option<String>,
    /// Around the handling.
    pub(crate) before: Rc<World>,
    pub(crate) after: Rc<World>,
    /// The tenant that the service names.
    pub(crate) moved: bool,
    /// The list of roles that the answer told, if it told one.
    pub(crate) told: Option<Told>,
    /// Whether API access was told to be on.
    pub(crate) api: Option<bool>,
    pub(crate) lie: Option<Lie>,
    /// The world that a stale answer was true of.
    pub(crate) earlier: Option<Rc<World>>,
    /// None if there was no answer.
    pub(crate) status: Option<u16>,
}

#[derive(Default)]
struct State {
    log: Vec<Exchanged>,
    troubles: Vec<(Trouble, bool)>,
    events: usize,
    lies: usize,
    all: usize,
    of_kind: BTreeMap<Kind, usize>,
    moved: bool,
    answers: BTreeMap<String, (StatusCode, Vec<u8>, Rc<World>)>,
    stale: Option<Rc<World>>,
    last: Option<Rc<World>>,
    writing: usize,
    secrets: BTreeSet<String>,
}

pub(crate) struct Wire {
    emulator: Rc<Emulator>,
    inside: Inside,
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
    pub(crate) fn new(emulator: Rc<Emulator>, troubles: Vec<Trouble>) -> Self {
        let troubles = troubles.into_iter().map(|trouble| (trouble, false)).collect();
        let inside = emulator.inside();
        Self { emulator, inside, state: RefCell::new(State { troubles, ..State::default() }) }
    }

    /// From now on nothing goes wrong any more.
    pub(crate) fn calm(&self) {
        self.state.borrow_mut().troubles.clear();
    }

    /// How many requests there were.
    pub(crate) fn length(&self) -> usize {
        self.state.borrow().log.len()
    }

    pub(crate) fn log(&self) -> Vec<Exchanged> {
        self.state.borrow().log.clone()
    }

    /// How many events happened, and how many lies were told.
    pub(crate) fn struck(&self) -> (usize, usize) {
        let state = self.state.borrow();
        (state.events, state.lies)
    }

    pub(crate) fn secrets(&self) -> BTreeSet<String> {
        self.state.borrow().secrets.clone()
    }

    fn world(&self) -> Rc<World> {
        let now = self.emulator.world();
        let mut state = self.state.borrow_mut();
        match &state.last {
            Some(last) if **last == now => last.clone(),
            _ => state.last.insert(Rc::new(now)).clone(),
        }
    }

    async fn carry(&self, request: Request) -> Result<Response, Broken> {
        let path = request.url.path().to_owned();
        let kind = Kind::of(request.method.as_str(), &path);
        let (all, nth) = {
            let state = &mut *self.state.borrow_mut();
            state.all += 1;
            let nth = state.of_kind.entry(kind).or_default();
            *nth += 1;
            (state.all, *nth)
        };
        let request_body = request.body.as_ref().map(|body| body.to_vec());
        self.events(false, kind, all, nth);
        let lie = self.lie(kind, all, nth);
        let before = self.world();
        self.state.borrow_mut().writing += usize::from(kind.is_write());
        let answer = self.answer(&request, kind, lie).await;
        self.state.borrow_mut().writing -= usize::from(kind.is_write());
        let after = self.world();
        let moved = self.state.borrow().moved;
        self.events(true, kind, all, nth);
        let body = answer.as_ref().ok().filter(|answer| answer.status.is_success());
        let body: Option<Value> = body.and_then(|answer| serde_json::from_slice(&answer.body).ok());
        let principal = path.strip_suffix("/assignment").and_then(|path| path.rsplit('/').next());
        let principal = principal.and_then(|text| Uuid::parse_str(&text.replace("%7B", "").replace("%7D", "")).ok());
        let sent: Option<Value> = request_body.and_then(|body| serde_json::from_slice(&body).ok());
        let role = sent.and_then(|body| Some(body["roles"][0].as_str()?.to_owned()));
        let told = body.as_ref().filter(|_| kind == Kind::List).and_then(Told::read);
        let api = body.as_ref().filter(|_| kind == Kind::Api).and_then(|body| body["isSubscribed"].as_bool());
        let off = kind == Kind::Api && answer.as_ref().is_ok_and(|answer| answer.status == StatusCode::NOT_FOUND);
        let api = api.or(off.then_some(false));
        let status = answer.as_ref().ok().map(|answer| answer.status.as_u16());
        let mut state = self.state.borrow_mut();
        let earlier = state.stale.take();
        if let Some(token) = body.as_ref().and_then(|body| body["access_token"].as_str()) {
            state.secrets.insert(token.to_owned());
        }
        state.log.push(Exchanged { kind, principal, role, before, after, moved, told, api, lie, earlier, status });
        answer
    }

    /// Lets happen what is due. Nothing else happens while a write is handled, so that its effect can be told.
    fn events(&self, after: bool, kind: Kind, all: usize, nth: usize) {
        let due: Vec<Event> = {
            let state = &mut *self.state.borrow_mut();
            if state.writing > 0 {
                return;
            }
            let due = state
                .troubles
                .iter_mut()
                .filter(|(trouble, spent)| !spent && trouble.after == after && strikes(trouble.when, kind, all, nth));
            let due: Vec<Event> = due
                .filter_map(|(trouble, spent)| match &trouble.what {
                    What::Event(event) => {
                        *spent = true;
                        Some(event.clone())
                    }
                    What::Lie(_) => None,
                })
                .collect();
            state.events += due.len();
            state.moved |= due.iter().any(|event| matches!(event, Event::Tenant));
            due
        };
        for event in due {
            self.emulator.change(|world| happen(&event, world)).unwrap();
        }
    }

    fn lie(&self, kind: Kind, all: usize, nth: usize) -> Option<Lie> {
        let state = &mut *self.state.borrow_mut();
        let lie = state.troubles.iter().find_map(|(trouble, _)| match trouble.what {
            What::Lie(lie) if strikes(trouble.when, kind, all, nth) => Some(lie),
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
        let key = format!("{} {}", request.method, request.url);
        let key =
            key + &request.body.as_ref().map(|body| String::from_utf8_lossy(body).into_owned()).unwrap_or_default();
        let mut answer = self.inside.exchange(request.clone()).await?;
        match lie {
            Some(Lie::LoseAnswer) => return Err(Broken::Reset("no answer".to_owned())),
            Some(Lie::Truncate) => return Err(Broken::Truncated("cut".to_owned())),
            Some(Lie::StatusAfter(code)) => return Ok(response(code, br#"{"error":{"code":"no"}}"#.to_vec())),
            _ => {}
        }
        let earlier = self.state.borrow().answers.get(&key).cloned();
        let kept = (answer.status, answer.body.to_vec(), self.world());
        self.state.borrow_mut().answers.entry(key).or_insert(kept);
        if let (Some(Lie::Stale), Some((status, body, world))) = (lie, earlier) {
            (answer.status, answer.body) = (status, body.into());
            self.state.borrow_mut().stale = Some(world);
        }
        if self.state.borrow().moved && kind == Kind::Instances {
            replace(&mut answer, &TENANT.to_string(), OTHER_TENANT);
        }
        match lie {
            Some(Lie::OtherInstance) => {
                replace(&mut answer, &crate::declared::INSTANCE.to_string(), &OTHER_INSTANCE.to_string());
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

fn strikes(when: When, kind: Kind, all: usize, nth: usize) -> bool {
    match when {
        When::Nth(wanted) => wanted == all,
        When::OfKind(wanted, number) => wanted == kind && number == nth,
        When::From(wanted, number) => wanted == kind && number <= nth,
    }
}

fn response(code: u16, body: Vec<u8>) -> Response {
    let status = StatusCode::from_u16(code).unwrap();
    let mut headers = http::HeaderMap::new();
    headers.insert("content-type", "application/json".parse().unwrap());
    Response { status, headers, body: body.into() }
}

/// An error that quotes headers and body of its request.
fn echo(request: &Request) -> Vec<u8> {
    let headers = request.headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap_or_default()));
    let headers: Vec<String> = headers.collect();
    let body = request.body.as_ref().map(|body| String::from_utf8_lossy(body).into_owned()).unwrap_or_default();
    let message = format!("refused: {} {}", headers.join("; "), body);
    json!({ "error": { "code": "bad", "message": message }, "message": message, "error_description": message })
        .to_string()
        .into()
}

fn replace(answer: &mut Response, this: &str, by: &str) {
    let text = String::from_utf8_lossy(&answer.body).replace(this, by);
    answer.body = text.into_bytes().into();
}

fn distort(lie: Lie, body: &mut Value) {
    let elsewhere = "http://localhost/v1.0/groups/elsewhere";
    match (lie, body) {
        (Lie::NoRoles, Value::Array(list)) => {
            if let Some(last) = list.last_mut() {
                last["roles"] = Value::Null;
            }
        }
        (Lie::NoId, Value::Array(list)) => {
            if let Some(first) = list.first_mut() {
                first["principalId"] = Value::Null;
            }
        }
        (Lie::Twice, Value::Array(list)) => {
            if let Some(mut first) = list.first().cloned() {
                first["roles"] = json!(["Marketing Contributor"]);
                list.push(first);
            }
        }
        (Lie::Elsewhere, Value::Object(object)) => {
            if let Some(Value::Array(list)) = object.get_mut("value") {
                list.pop();
                object.insert("@odata.nextLink".to_owned(), json!(elsewhere));
            }
        }
        (Lie::LessAMember, body) => less(body),
        (Lie::Swapped, body) => {
            if let Some(list) = body["responses"].as_array_mut().filter(|list| list.len() > 1) {
                let first = list[0]["body"].take();
                list[0]["body"] = list[1]["body"].take();
                list[1]["body"] = first;
            }
        }
        _ => {}
    }
}

/// Takes the last member of the innermost last object.
fn less(body: &mut Value) {
    match body {
        Value::Array(list) => {
            if let Some(last) = list.last_mut() {
                less(last);
            }
        }
        Value::Object(object) => {
            let inner =
                object.iter().find(|(_, value)| value.is_array() || value.is_object()).map(|(name, _)| name.clone());
            match inner {
                Some(name) if object[&name].as_array().is_none_or(|list| list.iter().any(Value::is_object)) => {
                    less(&mut object[&name])
                }
                _ => {
                    if let Some(last) = object.keys().next_back().cloned() {
                        object.remove(&last);
                    }
                }
            }
        }
        _ => {}
    }
}
