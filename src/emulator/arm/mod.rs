//! Azure Resource Manager: what all resource providers share.
//!
//! Words: a *scope* is what stands before the last `/providers/` of a path (a subscription, a resource group, a resource);
//! a *provider* serves the paths below its namespace, and stands in [`PROVIDERS`]. What must stay true: ids and names are
//! compared without regard to case and shown as their creator spelled them; the order of the gates is token, api-version,
//! subscription, right, resource group, resource; every answer carries the correlation headers; every refusal has the
//! `error` envelope; calls are counted by subscription and principal, and refused only where a knob says so.
//!
//! A provider is a file with a `PROVIDER` constant: its namespace, the api-versions that it takes, and a function that gets
//! a [`Visit`] and a [`Target`]. [`Visit::require`] is the right check, [`Visit::group`] the one for the resource group,
//! [`page::page`] makes lists.

mod authorization;
mod connections;
mod deleted_vaults;
mod enterprise_policies;
mod error;
mod long_running;
mod metadata;
mod page;
mod resource_graph;
mod role_assignments;
mod storage;
mod storage_encryption;
mod storage_identity;
mod subscriptions;
mod synapse;
mod throttle;
mod vault_keys;
mod vault_writes;
mod vaults;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::any;
use http::header::{ALLOW, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use jiff::Timestamp;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::Shared;
use super::api_versions::{RESOURCES, Table};
use super::call::{Answer, Call, guid};
use super::gate::{self, Caller};
use super::rights::Plane;
use super::unserved::{self, NotServed};
use super::world::{ResourceGroup, World};
use error::ArmError;

pub(super) use resource_graph::remembering;
pub(crate) use throttle::Throttle;

/// Who serves what.
const PROVIDERS: &[&Provider] = &[
    &authorization::PROVIDER,
    &enterprise_policies::PROVIDER,
    &resource_graph::PROVIDER,
    &storage::PROVIDER,
    &synapse::PROVIDER,
    &vaults::PROVIDER,
];

pub(crate) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/metadata/endpoints", any(metadata::serve))
        .route("/tenants", any(serve))
        .route("/subscriptions", any(serve))
        .route("/subscriptions/{*rest}", any(serve))
        // What isn't about a subscription. Other services have namespaces of their own under `/providers`.
        .route("/providers/Microsoft.ResourceGraph/{*rest}", any(serve))
        .route("/providers/Microsoft.Authorization/{*rest}", any(serve))
}

/// Whether a path that no route fits is ARM's all the same, being spelled in another case.
pub(crate) fn is_ours(call: &Call) -> bool {
    match call.segments.as_slice() {
        [first] if first.eq_ignore_ascii_case("tenants") => true,
        [first, ..] if first.eq_ignore_ascii_case("subscriptions") => true,
        [first, namespace, ..] if first.eq_ignore_ascii_case("providers") => {
            [&authorization::PROVIDER, &resource_graph::PROVIDER]
                .iter()
                .any(|provider| provider.namespace.eq_ignore_ascii_case(namespace))
        }
        _ => false,
    }
}

/// A resource provider.
struct Provider {
    /// Its namespace as Microsoft spells it.
    namespace: &'static str,
    /// The types below it of which anything is served.
    types: &'static [&'static str],
    /// Where these can be, as far as the emulator knows.
    locations: &'static [&'static str],
    /// The api-versions that it takes.
    api_versions: Table,
    /// Answers what is asked below it.
    serve: fn(&Visit<'_>, &Target<'_>) -> Result<Answer, ArmError>,
}

/// What a path names.
struct Target<'c> {
    /// The subscription, if there is one of that id; nil for what isn't about one.
    subscription: Uuid,
    /// The resource group, as asked for.
    group: Option<&'c str>,
    /// What stands before the last `/providers/`, as asked for; empty for the whole tenant.
    scope: String,
    /// The namespace after it.
    namespace: &'c str,
    /// What follows: types and names by turns.
    rest: Vec<&'c str>,
}

impl<'c> Target<'c> {
    fn parse(segments: &'c [String]) -> Option<Self> {
        let texts: Vec<&'c str> = segments.iter().map(String::as_str).collect();
        let last = texts.iter().rposition(|s| s.eq_ignore_ascii_case("providers"))?;
        let namespace = texts.get(last + 1)?;
        let scope = texts.get(..last)?;
        let rest = texts.get(last + 2..).unwrap_or_default().to_vec();
        if scope.is_empty() {
            return Some(Self { subscription: Uuid::nil(), group: None, scope: String::new(), namespace, rest });
        }
        let [subscriptions, subscription, below @ ..] = scope else { return None };
        if !subscriptions.eq_ignore_ascii_case("subscriptions") {
            return None;
        }
        let group = match below {
            [word, name, ..] if word.eq_ignore_ascii_case("resourceGroups") => Some(*name),
            _ => None,
        };
        Some(Self {
            // An id that is none names no subscription, which is what it gets told then.
            subscription: guid(subscription).unwrap_or_default(),
            group,
            scope: format!("/{}", scope.join("/")),
            namespace,
            rest,
        })
    }

    /// The id of the resource with this name of this type of the target's provider.
    fn resource(&self, kind: &str, name: &str) -> String {
        format!("{}/providers/{kind}/{name}", self.scope)
    }

    /// The id of what is asked for.
    fn id(&self) -> String {
        format!("{}/providers/{}/{}", self.scope, self.namespace, self.rest.join("/"))
    }
}

/// A request that has passed the gates that don't depend on the provider.
struct Visit<'a> {
    shared: &'a Shared,
    call: &'a Call,
    caller: Caller,
    now: Timestamp,
}

impl Visit<'_> {
    fn read(&self, look: impl FnOnce(&World) -> Result<Answer, ArmError>) -> Result<Answer, ArmError> {
        self.shared.store.read(look)
    }

    fn change(&self, change: impl FnOnce(&mut World) -> Result<Answer, ArmError>) -> Result<Answer, ArmError> {
        self.shared.store.change(|world| remembering(world, &self.call.origin, self.now, change))
    }

    /// The body as a JSON object.
    fn body(&self) -> Result<Map<String, Value>, ArmError> {
        serde_json::from_slice(&self.call.body).map_err(|error| {
            let message = format!("The request content was invalid and could not be deserialized: '{error}'.");
            ArmError::bad_request("InvalidRequestContent", message)
        })
    }

    /// Whether the caller may do `action` on `scope`. Asked before anything is said about what exists there, but for the
    /// subscription.
    fn require(&self, world: &World, action: &str, scope: &str) -> Result<(), ArmError> {
        if world.azure_allows(self.caller.oid, Plane::Management, action, scope, self.now) {
            Ok(())
        } else {
            Err(ArmError::not_authorized(self.caller, action, scope))
        }
    }

    /// The resource group of the target.
    fn group<'w>(&self, world: &'w World, target: &Target<'_>) -> Result<&'w ResourceGroup, ArmError> {
        let name = target.group.unwrap_or_default();
        let groups = world.subscriptions.get(&target.subscription).map(|s| &s.resource_groups);
        groups.and_then(|g| g.get(&name.to_ascii_lowercase())).ok_or_else(|| ArmError::group_not_found(name))
    }
}

pub(crate) async fn serve(State(shared): State<Arc<Shared>>, call: Call) -> Answer {
    let now = shared.clock.now();
    let answer = gated(&shared, &call, now);
    let correlation =
        call.header("x-ms-correlation-request-id").map_or_else(|| shared.ids.new_id().to_string(), str::to_owned);
    let routing = format!("WESTEUROPE:{}:{correlation}", now.strftime("%Y%m%dT%H%M%SZ"));
    let named = [
        ("x-ms-correlation-request-id", correlation),
        ("x-ms-routing-request-id", routing),
        ("cache-control", "no-cache".to_owned()),
        ("strict-transport-security", "max-age=31536000; includeSubDomains".to_owned()),
    ];
    named.into_iter().fold(answer, |answer, (name, value)| match HeaderValue::from_str(&value) {
        Ok(value) => answer.with(HeaderName::from_static(name), value),
        Err(_) => answer,
    })
}

/// The token, then the bucket, then everything else.
fn gated(shared: &Shared, call: &Call, now: Timestamp) -> Answer {
    let (tenant, limited) = shared.store.read(|w| (w.tenant.as_ref().map(|t| t.id), w.behaviour.arm_throttling));
    let caller = match gate::bearer(shared, &call.headers, gate::ARM) {
        Ok(caller) => caller,
        Err(fault) => return ArmError::unauthorized(fault, tenant).into(),
    };
    let taken = shared.arm_throttle.take(call, caller.oid, now);
    let answer = match taken.wait.filter(|_| limited) {
        Some(seconds) => ArmError::throttled(seconds).into(),
        None => answered(shared, call, caller, now).unwrap_or_else(Answer::from),
    };
    taken.headers.into_iter().fold(answer, |answer, (name, value)| answer.with(name, value))
}

fn answered(shared: &Shared, call: &Call, caller: Caller, now: Timestamp) -> Result<Answer, ArmError> {
    if let Some(place) = subscriptions::Place::parse(call) {
        let asked =
            call.parameter("api-version").filter(|v| !v.is_empty()).ok_or_else(ArmError::api_version_missing)?;
        if !RESOURCES.takes(asked) {
            return Err(ArmError::own_api_version_unknown(asked, RESOURCES));
        }
        return unserved::heeding(call, || subscriptions::serve(&Visit { shared, call, caller, now }, place));
    }
    let target = Target::parse(&call.segments);
    let provider = target.as_ref().and_then(|t| {
        PROVIDERS.iter().find(|p| p.namespace.eq_ignore_ascii_case(t.namespace)).map(|provider| (provider, t))
    });
    let Some(asked) = call.parameter("api-version").filter(|v| !v.is_empty()) else {
        return Err(ArmError::api_version_missing());
    };
    // Not one of ARM's own "not found" codes: nobody should take "the emulator doesn't serve this" for "there is none".
    let Some((provider, target)) = provider else { return Err(ArmError::not_served(call)) };
    // A type that isn't served has other versions.
    let kind = target.rest.first().copied().unwrap_or_default();
    if !provider.types.iter().any(|known| known.eq_ignore_ascii_case(kind)) {
        return Err(ArmError::not_served(call));
    }
    if !provider.api_versions.takes(asked) {
        return Err(ArmError::api_version_unknown(asked, kind, provider.api_versions));
    }
    let known = |w: &World| w.subscriptions.contains_key(&target.subscription);
    if !target.scope.is_empty() && !shared.store.read(known) {
        let named = call.segments.get(1).map_or("", String::as_str);
        return Err(ArmError::subscription_not_found(named));
    }
    unserved::heeding(call, || (provider.serve)(&Visit { shared, call, caller, now }, target))
}

/// Lets no other methods through than these, which are the served ones.
fn only(call: &Call, served: &[Method]) -> Result<(), ArmError> {
    if served.contains(&call.method) { Ok(()) } else { Err(NotServed::method(call, served).into()) }
}

/// Refuses every method but these, as the service itself does.
fn offered(call: &Call, allowed: &[Method]) -> Result<(), ArmError> {
    if allowed.contains(&call.method) {
        return Ok(());
    }
    let names: Vec<&str> = allowed.iter().map(Method::as_str).collect();
    let message = format!("The requested resource does not support http method '{}'.", call.method);
    let error = ArmError::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", message);
    Err(match HeaderValue::from_str(&names.join(", ")) {
        Ok(value) => error.with(ALLOW, value),
        Err(_) => error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_read_by_its_last_provider() {
        let subscription = "11110000-0000-4000-8000-00000000aaaa";
        let path = format!(
            "/subscriptions/{subscription}/resourcegroups/rg/providers/Microsoft.KeyVault/vaults/kv/providers/Microsoft.Authorization/roleAssignments/x"
        );
        let (segments, _) = Call::split(&path);
        let target = Target::parse(&segments).unwrap();
        assert_eq!(target.subscription.to_string(), subscription);
        assert_eq!((target.group, target.namespace), (Some("rg"), "Microsoft.Authorization"));
        assert!(target.scope.ends_with("/vaults/kv"), "{}", target.scope);
        assert_eq!((target.rest.as_slice(), target.id()), (["roleAssignments", "x"].as_slice(), path));
        for other in ["/subscriptions", "/subscriptions/x/resourceGroups/rg", "/groups/g/providers/Microsoft.X/y"] {
            assert!(Target::parse(&Call::split(other).0).is_none(), "{other}");
        }
    }
}
