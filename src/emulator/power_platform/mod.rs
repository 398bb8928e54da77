//! Power Platform: administration ("BusinessAppPlatform"), and the published Power Platform API over the same environments.
//!
//! Words: a *face* is one of the two services; they differ in routes, tokens, envelopes and paging. What must stay true: every
//! answer of administration names its correlation id; who doesn't administer is told that there is no such environment; one
//! operation at a time is active on an environment; what no public source says is chosen where the code says so, and codes of
//! our own begin with `Emulated`.
//!
//! The layout: `environments` shows them, `operations` shows what goes on, `links` and `governance` begin operations,
//! `lifecycle` knows how far they are and gives them their effect, `keys` knows whether a key can be used, `locks` what becomes
//! of an environment whose key can't.

mod environments;
mod error;
mod governance;
pub(crate) mod keys;
mod lifecycle;
mod links;
mod locks;
mod operations;
mod page;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::any;
use http::header::{HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use http::{Method, StatusCode};
use jiff::Timestamp;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::Shared;
use super::api_versions::{self, Table};
use super::call::{Answer, Call};
use super::gate::{self, Caller};
use super::unserved::{self, NotServed};
use super::world::{LifecycleFailure, LifecycleWork, PlatformEnvironment, World};
use error::PlatformError;

pub(crate) use environments::linked;
pub(crate) use lifecycle::settle;
pub(crate) use links::policy_geography;

const NAMESPACE: &str = "Microsoft.BusinessAppPlatform";
const PUBLISHED: &str = "environmentmanagement";
const CORRELATION: HeaderName = HeaderName::from_static("x-ms-correlation-id");
const OPERATION_LOCATION: HeaderName = HeaderName::from_static("operation-location");
/// The longest wait that is asked for between two looks at an operation. Chosen.
const LONGEST_WAIT: i64 = 60;

pub(crate) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/providers/Microsoft.BusinessAppPlatform/{*rest}", any(serve))
        .route("/environmentmanagement/{*rest}", any(serve))
}

/// Whether a path that no route fits is Power Platform's all the same, being spelled in another case.
pub(crate) fn is_ours(call: &Call) -> bool {
    Face::of(call).is_some()
}

/// One of the two services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Face {
    Admin,
    Published,
}

impl Face {
    /// The service that a path is of.
    fn of(call: &Call) -> Option<Self> {
        match call.segments.as_slice() {
            [first, namespace, ..]
                if first.eq_ignore_ascii_case("providers") && namespace.eq_ignore_ascii_case(NAMESPACE) =>
            {
                Some(Self::Admin)
            }
            [first, ..] if first.eq_ignore_ascii_case(PUBLISHED) => Some(Self::Published),
            _ => None,
        }
    }

    /// How many segments stand before what is asked for.
    const fn prefix(self) -> usize {
        match self {
            Self::Admin => 2,
            Self::Published => 1,
        }
    }

    const fn audience(self) -> &'static str {
        match self {
            Self::Admin => gate::PLATFORM_ADMIN,
            Self::Published => gate::PLATFORM,
        }
    }

    const fn api_versions(self) -> Table {
        match self {
            Self::Admin => api_versions::PLATFORM_ADMIN,
            Self::Published => api_versions::PLATFORM,
        }
    }
}

/// A request that has passed the gates.
struct Visit<'a> {
    shared: &'a Shared,
    call: &'a Call,
    face: Face,
    caller: Caller,
    administers: bool,
    now: Timestamp,
}

impl Visit<'_> {
    fn read(&self, look: impl FnOnce(&World) -> Result<Answer, PlatformError>) -> Result<Answer, PlatformError> {
        self.shared.store.read(look)
    }

    fn change(
        &self,
        change: impl FnOnce(&mut World) -> Result<Answer, PlatformError>,
    ) -> Result<Answer, PlatformError> {
        self.shared.store.change(change)
    }

    /// Where links in answers begin: administration's regional host is the emulator's own.
    fn origin(&self) -> &str {
        self.call.origin.as_str().trim_end_matches('/')
    }

    /// The body as a JSON object.
    fn body(&self) -> Result<Map<String, Value>, PlatformError> {
        serde_json::from_slice(&self.call.body).map_err(|error| {
            PlatformError::bad_request("InvalidRequestContent", format!("The request content is not valid: {error}."))
        })
    }

    /// The environment with this id, for those who administer. The others are told the same as if there were none.
    fn find<'w>(&self, world: &'w World, id: &str) -> Result<&'w PlatformEnvironment, PlatformError> {
        let by_alias = || world.power_platform_environments.values().find(|it| it.sku == "Default");
        let found = match id {
            "~default" => by_alias(),
            id => world.power_platform_environments.get(&id.to_lowercase()),
        };
        found.filter(|_| self.administers).ok_or_else(|| PlatformError::no_environment(id))
    }

    /// Refuses whatever would begin an operation beside the one that is active.
    fn require_idle(&self, world: &World, environment: &str) -> Result<(), PlatformError> {
        match lifecycle::active(world, environment, self.now) {
            Some(_) => Err(PlatformError::busy(world.behaviour.empty_conflicts)),
            None => Ok(()),
        }
    }

    /// Accepts an operation on an environment that has none, and says where it is told.
    fn accept(
        &self,
        world: &mut World,
        environment: &str,
        work: (&str, LifecycleWork),
        failure: Option<LifecycleFailure>,
    ) -> Result<Answer, PlatformError> {
        self.require_idle(world, environment)?;
        let id = lifecycle::begin(world, environment, work, failure, (self.caller.oid, self.now));
        Ok(self.announce(world, id))
    }

    /// 202 without a body, with the address of the operation in both headers. That the published service has the headers, too,
    /// is an assumption: nothing models them.
    fn announce(&self, world: &World, id: Uuid) -> Answer {
        let version = self.call.parameter("api-version").unwrap_or_default();
        let folder = match self.face {
            Face::Admin => "/providers/Microsoft.BusinessAppPlatform/lifecycleOperations",
            Face::Published => "/environmentmanagement/operations",
        };
        let address = format!("{}{folder}/{id}?api-version={version}", self.origin());
        let answer = Answer::empty(StatusCode::ACCEPTED);
        let answer = match HeaderValue::from_str(&address) {
            Ok(value) => answer.with(LOCATION, value.clone()).with(OPERATION_LOCATION, value),
            Err(_) => answer,
        };
        let ends = world.lifecycle_operations.get(&id).map_or(self.now, |operation| operation.ends);
        answer.with(RETRY_AFTER, HeaderValue::from(self.wait(ends)))
    }

    /// Whole seconds until it is worth asking again: what is really left, but no longer than a minute.
    fn wait(&self, ends: Timestamp) -> i64 {
        let left = ends.duration_since(self.now);
        (left.as_secs() + i64::from(left.subsec_nanos() > 0)).clamp(0, LONGEST_WAIT)
    }
}

pub(crate) async fn serve(State(shared): State<Arc<Shared>>, call: Call) -> Answer {
    let Some(face) = Face::of(&call) else { return Answer::empty(StatusCode::NOT_FOUND) };
    let answer = gated(&shared, &call, face).unwrap_or_else(|error| error.answer(face));
    match HeaderValue::from_str(&shared.ids.new_id().to_string()) {
        Ok(value) => answer.with(CORRELATION, value),
        Err(_) => answer,
    }
}

/// Token, api-version, then everything else.
fn gated(shared: &Shared, call: &Call, face: Face) -> Result<Answer, PlatformError> {
    let now = shared.clock.now();
    let caller = gate::bearer(shared, &call.headers, face.audience()).map_err(PlatformError::unauthorized)?;
    let version = call.parameter("api-version").filter(|version| !version.is_empty());
    let version = version.ok_or_else(PlatformError::api_version_missing)?;
    if !face.api_versions().takes(version) {
        return Err(PlatformError::api_version_unknown(version, face.api_versions()));
    }
    settle(shared, now)?;
    let administers = shared.store.read(|world| world.admin_applications.contains_key(&caller.app_id));
    let visit = Visit { shared, call, face, caller, administers, now };
    unserved::heeding(call, || routed(&visit))
}

fn routed(visit: &Visit<'_>) -> Result<Answer, PlatformError> {
    let asked = visit.call.segments.get(visit.face.prefix()..).unwrap_or_default();
    let lower: Vec<String> = asked.iter().map(|segment| segment.to_lowercase()).collect();
    let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
    let at = |index: usize| asked.get(index).map_or("", String::as_str);
    match (visit.face, lower.as_slice()) {
        (Face::Admin, ["scopes", "admin", "environments"] | ["environments"]) | (Face::Published, ["environments"]) => {
            environments::list(visit)
        }
        (Face::Admin, ["scopes", "admin", "environments", _]) => environments::get(visit, at(3)),
        (_, ["environments", _]) => environments::get(visit, at(1)),
        // With `scopes/admin` there is no such route, and what an environment is linked to is told by the environment alone.
        (Face::Admin, ["scopes", "admin", "environments", _, "enterprisepolicies", ..])
        | (Face::Admin, ["environments", _, "enterprisepolicies", _]) => Err(PlatformError::no_route(visit.call)),
        (Face::Admin, ["environments", _, "enterprisepolicies", kind, verb @ ("link" | "unlink")]) => {
            links::change(visit, at(1), kind, verb)
        }
        (Face::Admin, ["environments", _, "lifecycleoperationsenforcement"]) => links::enforcement(visit, at(1)),
        (Face::Admin, ["environments", _, "governanceconfiguration"]) => governance::configure(visit, at(1)),
        (Face::Admin, ["scopes", "admin", "environments", _, "enable"]) => governance::enable(visit, at(3)),
        (Face::Admin, ["lifecycleoperations"]) => operations::list_by_filter(visit),
        (Face::Admin, ["lifecycleoperations", _]) | (Face::Published, ["operations", _]) => {
            operations::get(visit, None, at(1))
        }
        (Face::Published, ["environments", _, "operations"]) => operations::list_of(visit, at(1)),
        (Face::Published, ["environments", _, "operations", _]) => operations::get(visit, Some(at(1)), at(3)),
        (Face::Published, ["environments", _, "governancesetting", verb @ ("enablemanaged" | "disablemanaged")]) => {
            governance::switch(visit, at(1), *verb == "enablemanaged")
        }
        _ => Err(NotServed::route(visit.call).into()),
    }
}

/// Lets no other methods through than these, which are the served ones.
fn only(call: &Call, served: &[Method]) -> Result<(), PlatformError> {
    if served.contains(&call.method) { Ok(()) } else { Err(NotServed::method(call, served).into()) }
}
