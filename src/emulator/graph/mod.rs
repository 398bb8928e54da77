//! Microsoft Graph v1.0: directory look-ups.
//!
//! Words: an *object* is a user, a group or a service principal. What must stay true: nothing here writes; a batch item
//! meets the same rules as a request of its own; unknown ids are a 404 one by one, but silently missing from `getByIds`.

mod batch;
mod error;
mod object;
mod query;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::any;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, WWW_AUTHENTICATE};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::Shared;
use super::call::{Answer, Call, Payload, guid};
use super::gate::{self, BearerFault};
use super::unserved::{self, NotServed};
use super::world::{Access, World};
use error::GraphError;
use object::{Kind, Object};

/// The prefix of this version of the API.
const VERSION: &str = "/v1.0";

pub(crate) fn routes() -> Router<Arc<Shared>> {
    Router::new().route("/v1.0", any(serve)).route("/v1.0/{*rest}", any(serve))
}

async fn serve(State(shared): State<Arc<Shared>>, call: Call) -> Answer {
    let request_id = shared.ids.new_id();
    let trace = error::Trace {
        now: shared.clock.now(),
        request_id,
        client_request_id: call.header("client-request-id").map_or_else(|| request_id.to_string(), str::to_owned),
    };
    let mut answer = gated(&shared, &call, &trace);
    if matches!(answer.body, Payload::Json(_)) {
        const JSON: &str =
            "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8";
        answer = answer.with(CONTENT_TYPE, HeaderValue::from_static(JSON));
    }
    for (name, value) in [("request-id", request_id.to_string()), ("client-request-id", trace.client_request_id)] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            answer = answer.with(HeaderName::from_static(name), value);
        }
    }
    answer
}

fn gated(shared: &Shared, call: &Call, trace: &error::Trace) -> Answer {
    let caller = match gate::bearer(shared, &call.headers, gate::GRAPH) {
        Ok(caller) => caller,
        Err(fault) => return unauthorized(fault, trace),
    };
    shared.store.read(|world| {
        let access = world.application(caller.app_id).and_then(|(_, a)| a.client.as_ref()).map(|c| c.graph);
        let visit = Visit { world, allowed: access == Some(Access::Allowed), origin: &call.origin, trace };
        if call.segments.get(1).is_some_and(|s| s == "$batch") && call.segments.len() == 2 {
            batch::serve(&visit, call)
        } else {
            visit.answer(call)
        }
    })
}

fn unauthorized(fault: BearerFault, trace: &error::Trace) -> Answer {
    let message = match fault {
        BearerFault::Missing => "Access token is empty.",
        BearerFault::Invalid => "Access token validation failure.",
        BearerFault::Expired => "Lifetime validation failed, the token is expired.",
        BearerFault::Tenant => "Access token validation failure. Invalid tenant.",
        BearerFault::Audience => "Access token validation failure. Invalid audience.",
    };
    let challenge = "Bearer realm=\"\", authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\", \
                     client_id=\"00000003-0000-0000-c000-000000000000\"";
    let error = GraphError::new(StatusCode::UNAUTHORIZED, "InvalidAuthenticationToken", message);
    error.answer(trace).with(WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
}

/// A request that has passed the bearer gate.
struct Visit<'a> {
    world: &'a World,
    /// Whether the client may read the directory.
    allowed: bool,
    origin: &'a url::Url,
    trace: &'a error::Trace,
}

impl Visit<'_> {
    /// Answers one request: of its own, or an item of a batch.
    fn answer(&self, call: &Call) -> Answer {
        let Some(route) = Route::parse(call.segments.get(1..).unwrap_or_default()) else {
            return GraphError::from(NotServed::route(call)).answer(self.trace);
        };
        let method = if matches!(route, Route::GetByIds) { Method::POST } else { Method::GET };
        if call.method != method {
            return GraphError::from(NotServed::method(call, &[method])).answer(self.trace);
        }
        if !self.allowed {
            let message = "Insufficient privileges to complete the operation.";
            let error = GraphError::new(StatusCode::FORBIDDEN, "Authorization_RequestDenied", message);
            return error.answer(self.trace);
        }
        unserved::heeding(call, || self.dispatch(call, &route)).unwrap_or_else(|e: GraphError| e.answer(self.trace))
    }

    fn dispatch(&self, call: &Call, route: &Route) -> Result<Answer, GraphError> {
        match route {
            Route::List(kind) => {
                let objects = object::all(self.world, *kind);
                query::page(self, call, kind.collection(), objects, false)
            }
            Route::One(kind, key) => {
                let found = object::find(self.world, *kind, key).ok_or_else(|| GraphError::not_found(key))?;
                query::one(call, &found)
            }
            Route::Related(kind, key, relation) => {
                let found = object::find(self.world, *kind, key).ok_or_else(|| GraphError::not_found(key))?;
                query::page(self, call, "directoryObjects", self.related(&found, *relation), true)
            }
            Route::Count(kind, key, relation) => {
                let found = object::find(self.world, *kind, key).ok_or_else(|| GraphError::not_found(key))?;
                if !query::is_eventual(call) {
                    let message = "$count is not currently supported without the header ConsistencyLevel: eventual.";
                    return Err(GraphError::new(StatusCode::BAD_REQUEST, "Request_BadRequest", message));
                }
                Ok(Answer::text(StatusCode::OK, self.related(&found, *relation).len().to_string()))
            }
            Route::GetByIds => self.get_by_ids(call),
        }
    }

    fn related(&self, object: &Object<'_>, relation: Relation) -> Vec<Object<'_>> {
        let ids = match relation {
            Relation::TransitiveMembers => self.world.members_of(object.id()),
            Relation::TransitiveMemberOf => self.world.groups_of(object.id()),
        };
        ids.into_iter().filter_map(|id| object::by_id(self.world, id)).collect()
    }

    fn get_by_ids(&self, call: &Call) -> Result<Answer, GraphError> {
        let bad = |message: &str| GraphError::new(StatusCode::BAD_REQUEST, "Request_BadRequest", message);
        let body: Value =
            serde_json::from_slice(&call.body).map_err(|_| bad("Unable to read JSON request payload."))?;
        let ids = body.get("ids").and_then(Value::as_array).ok_or_else(|| bad("The ids are missing."))?;
        if ids.is_empty() || ids.len() > 1000 {
            return Err(bad("The number of ids must be between 1 and 1000."));
        }
        let mut wanted = Vec::new();
        for id in ids {
            let id = id.as_str().and_then(guid);
            wanted.push(id.ok_or_else(|| bad("Invalid object identifier."))?);
        }
        let types = body.get("types").and_then(Value::as_array);
        let type_wanted = |kind: Kind| {
            types.is_none_or(|t| {
                t.iter()
                    .filter_map(Value::as_str)
                    .any(|t| t.eq_ignore_ascii_case(kind.type_name()) || t.eq_ignore_ascii_case("directoryObject"))
            })
        };
        let found = wanted.into_iter().filter_map(|id| object::by_id(self.world, id)).filter(|o| type_wanted(o.kind()));
        let value: Vec<Value> = found.map(|o| Value::Object(object::unselected(o.json_with_type()))).collect();
        Ok(Answer::ok(json!({ "@odata.context": object::context("directoryObjects"), "value": value })))
    }
}

/// A to-many relation of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    TransitiveMembers,
    TransitiveMemberOf,
}

/// What is asked for.
#[derive(Debug)]
enum Route {
    List(Kind),
    One(Kind, Key),
    Related(Kind, Key, Relation),
    Count(Kind, Key, Relation),
    GetByIds,
}

/// How one object is named: by id (a user also by user principal name), or by an alternate key as in `(appId='…')`.
#[derive(Debug, Clone)]
enum Key {
    Id(String),
    AppId(String),
}

impl Route {
    fn parse(segments: &[String]) -> Option<Self> {
        let (head, rest) = segments.split_first()?;
        let (collection, bracket) = match head.split_once('(') {
            Some((collection, key)) => (collection, Some(key.strip_suffix(')')?)),
            None => (head.as_str(), None),
        };
        if collection.eq_ignore_ascii_case("directoryObjects") {
            let last = [rest.first()?.as_str()];
            return (rest.len() == 1 && last[0].eq_ignore_ascii_case("getByIds")).then_some(Self::GetByIds);
        }
        let kind = Kind::from_collection(collection)?;
        let (key, rest) = match (bracket, rest) {
            (Some(key), rest) => (Key::from_bracket(kind, key)?, rest),
            (None, []) => return Some(Self::List(kind)),
            (None, [id, rest @ ..]) => (Key::Id(id.clone()), rest),
        };
        let rest: Vec<String> = rest.iter().map(|s| s.to_ascii_lowercase()).collect();
        let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
        let relation = |name: &str| match (kind, name) {
            (Kind::Group, "transitivemembers") => Some(Relation::TransitiveMembers),
            (_, "transitivememberof") => Some(Relation::TransitiveMemberOf),
            _ => None,
        };
        match rest.as_slice() {
            [] => Some(Self::One(kind, key)),
            [name] => Some(Self::Related(kind, key, relation(name)?)),
            [name, "$count"] => Some(Self::Count(kind, key, relation(name)?)),
            _ => None,
        }
    }
}

impl Key {
    fn from_bracket(kind: Kind, text: &str) -> Option<Self> {
        // Quotes inside are doubled.
        let unquoted = |text: &str| Some(text.strip_prefix('\'')?.strip_suffix('\'')?.replace("''", "'"));
        match text.split_once('=') {
            Some((name, value)) if kind == Kind::ServicePrincipal && name.eq_ignore_ascii_case("appId") => {
                Some(Self::AppId(unquoted(value)?))
            }
            _ => Some(Self::Id(unquoted(text)?)),
        }
    }
}
