//! Customer Insights - Data: instances, roles and their assignments as published; API access, the Key Vault link
//! and private links in the style of these.
//!
//! Words: the *gateway* (`/v1`) asks for a subscription key, then for a bearer token, and serves documented operations
//! only; a *scale unit* (`/api`) asks for the token only and serves the undocumented ones as well. What must stay true:
//! the order of the gates (operation known, key, token, member, Admin, body), and every undocumented answer carries
//! `x-emulated-surface`.

mod api_subscription;
mod error;
mod instances;
mod key_vault;
mod private_links;
mod rbac;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::any;
use http::header::{HeaderName, HeaderValue, WWW_AUTHENTICATE};
use http::{Method, StatusCode};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::Shared;
use super::arm::remembering;
use super::call::{Answer, Call, guid};
use super::gate::{self, Caller, KeyFault};
use super::unserved::{self, NotServed};
use super::views::Principal;
use super::world::{Instance, World};
use api_subscription::Slot;
use error::ApiError;

/// The role that may see and change permissions.
const ADMIN: &str = "Admin";

pub(crate) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/v1", any(gateway))
        .route("/v1/{*rest}", any(gateway))
        .route("/api", any(scale_unit))
        .route("/api/{*rest}", any(scale_unit))
}

/// The two ways in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Face {
    Gateway,
    ScaleUnit,
}

/// What is asked for. Texts are path segments as sent.
#[derive(Debug)]
enum Route<'c> {
    Instances,
    Instance(&'c str),
    Roles(&'c str),
    MyRole(&'c str),
    Assignments(&'c str),
    Assignment(&'c str, &'c str),
    ApiSubscription(&'c str),
    Activate(&'c str),
    Deactivate(&'c str),
    ListSecrets(&'c str),
    Regenerate(&'c str, Slot),
    KeyVault(&'c str),
    PrivateLinks(&'c str),
    PrivateLink(&'c str, &'c str),
    Validate(&'c str, &'c str),
}

impl<'c> Route<'c> {
    /// Paths are compared without regard to case, as ASP.NET and API Management do.
    fn parse(face: Face, segments: &'c [String]) -> Option<Self> {
        let texts: Vec<&'c str> = segments.iter().map(String::as_str).collect();
        let lower: Vec<String> = texts.iter().map(|t| t.to_ascii_lowercase()).collect();
        let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
        let undocumented = face == Face::ScaleUnit;
        let id = texts.get(2).copied().unwrap_or_default();
        match lower.get(1..)? {
            ["instances"] => Some(Self::Instances),
            ["instances", _] => Some(Self::Instance(id)),
            ["instances", _, "rbac", "roles"] => Some(Self::Roles(id)),
            ["instances", _, "rbac", "myrole"] => Some(Self::MyRole(id)),
            ["instances", _, "rbac", "assignments"] => Some(Self::Assignments(id)),
            ["instances", _, "rbac", "principals", _, "assignment"] => Some(Self::Assignment(id, texts.get(5)?)),
            ["instances", _, "manage", "apisubscription", rest @ ..] if undocumented => match rest {
                [] => Some(Self::ApiSubscription(id)),
                ["activate"] => Some(Self::Activate(id)),
                ["deactivate"] => Some(Self::Deactivate(id)),
                ["listsecrets"] => Some(Self::ListSecrets(id)),
                ["regenerateprimarykey"] => Some(Self::Regenerate(id, Slot::Primary)),
                ["regeneratesecondarykey"] => Some(Self::Regenerate(id, Slot::Secondary)),
                _ => None,
            },
            ["instances", _, "manage", "keyvault"] if undocumented => Some(Self::KeyVault(id)),
            ["instances", _, "manage", "privatelinks", rest @ ..] if undocumented => {
                let link = texts.get(5).copied().unwrap_or_default();
                match rest {
                    [] => Some(Self::PrivateLinks(id)),
                    [_] => Some(Self::PrivateLink(id, link)),
                    [_, "validate"] => Some(Self::Validate(id, link)),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn methods(&self) -> &'static [Method] {
        match self {
            Self::Assignment(..) => &[Method::PUT, Method::DELETE],
            Self::Activate(_) | Self::Deactivate(_) => &[Method::PUT],
            Self::ListSecrets(_) | Self::Regenerate(..) | Self::Validate(..) => &[Method::POST],
            Self::KeyVault(_) => &[Method::GET, Method::PUT, Method::DELETE],
            Self::PrivateLinks(_) => &[Method::GET, Method::POST],
            Self::PrivateLink(..) => &[Method::GET, Method::DELETE],
            _ => &[Method::GET],
        }
    }

    fn documented(&self) -> bool {
        match self {
            Self::Instances
            | Self::Instance(_)
            | Self::Roles(_)
            | Self::MyRole(_)
            | Self::Assignments(_)
            | Self::Assignment(..) => true,
            Self::ApiSubscription(_)
            | Self::Activate(_)
            | Self::Deactivate(_)
            | Self::ListSecrets(_)
            | Self::Regenerate(..)
            | Self::KeyVault(_)
            | Self::PrivateLinks(_)
            | Self::PrivateLink(..)
            | Self::Validate(..) => false,
        }
    }
}

/// A request that has passed the gates.
struct Visit<'a> {
    shared: &'a Shared,
    call: &'a Call,
    caller: Caller,
    face: Face,
    now: Timestamp,
}

impl Visit<'_> {
    /// The instance, if the caller is a member. To anybody else it doesn't exist: UNDOCUMENTED for these operations, chosen in the style of the product.
    fn member<'w>(&self, world: &'w World, id: &str) -> Result<(Uuid, &'w Instance), ApiError> {
        let found = guid(id).and_then(|id| Some((id, world.instances.get(&id)?)));
        found
            .filter(|(_, i)| !world.effective_roles(i, self.caller.oid, self.now).is_empty())
            .ok_or_else(|| ApiError::instance_not_found(id))
    }

    /// The instance, if the caller is Admin.
    fn admin<'w>(&self, world: &'w World, id: &str) -> Result<(Uuid, &'w Instance), ApiError> {
        let (id, instance) = self.member(world, id)?;
        if world.effective_roles(instance, self.caller.oid, self.now).contains(ADMIN) {
            Ok((id, instance))
        } else {
            Err(ApiError::not_administrator(self.caller.oid))
        }
    }

    fn read(&self, look: impl FnOnce(&World) -> Result<Answer, ApiError>) -> Result<Answer, ApiError> {
        self.shared.store.read(look)
    }

    fn change(&self, change: impl FnOnce(&mut World) -> Result<Answer, ApiError>) -> Result<Answer, ApiError> {
        self.shared.store.change(|world| remembering(world, &self.call.origin, self.now, change))
    }

    /// What the product would show as the author of something. A service principal has no UPN; chosen: its display name.
    fn caller_name(&self, world: &World) -> String {
        match world.principal(self.caller.oid) {
            Some(Principal::User(_, user)) => user.user_principal_name.clone(),
            Some(Principal::Application(_, application)) => application.display_name.clone(),
            _ => self.caller.oid.to_string(),
        }
    }

    /// The body as an object. Both content types of the product are fine; a JSON patch document isn't, whatever the official
    /// clients' content type says.
    fn body(&self) -> Result<Map<String, Value>, ApiError> {
        let accepted = ["application/json-patch+json", "application/json"];
        if !self.call.media_type().is_some_and(|m| accepted.contains(&m.as_str())) {
            let message = "The content type must be application/json-patch+json or application/json.";
            return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "invalidApiParameter", message));
        }
        if self.call.body.is_empty() {
            return Err(ApiError::new(StatusCode::BAD_REQUEST, "inputPayloadNotFound", "The request has no body."));
        }
        match serde_json::from_slice(&self.call.body) {
            Ok(Value::Object(body)) => Ok(body),
            Ok(_) => Err(ApiError::invalid("body", "The body must be an object.")),
            Err(error) => Err(ApiError::invalid("body", format!("The body is not JSON: {error}."))),
        }
    }
}

async fn gateway(State(shared): State<Arc<Shared>>, call: Call) -> Answer {
    serve(Face::Gateway, &shared, &call)
}

async fn scale_unit(State(shared): State<Arc<Shared>>, call: Call) -> Answer {
    serve(Face::ScaleUnit, &shared, &call)
}

fn serve(face: Face, shared: &Shared, call: &Call) -> Answer {
    let Some(route) = Route::parse(face, &call.segments) else {
        return ApiError::from(NotServed::route(call)).into();
    };
    let allowed = route.methods();
    if !allowed.contains(&call.method) {
        return ApiError::from(NotServed::method(call, allowed)).into();
    }
    if face == Face::Gateway
        && let Err(fault) = gate::subscription_key(shared, call)
    {
        return key_refused(fault);
    }
    let answer = match gate::bearer(shared, &call.headers, gate::CUSTOMER_INSIGHTS) {
        Ok(caller) => {
            let visit = Visit { shared, call, caller, face, now: shared.clock.now() };
            unserved::heeding(call, || dispatch(&visit, &route)).unwrap_or_else(Answer::from)
        }
        // The backend's 401 has no body. The header is declared on every status of every operation, but a challenge has a meaning only here.
        Err(_) => Answer::empty(StatusCode::UNAUTHORIZED).with(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
    };
    if route.documented() {
        answer
    } else {
        answer.with(HeaderName::from_static("x-emulated-surface"), HeaderValue::from_static("undocumented"))
    }
}

fn dispatch(visit: &Visit<'_>, route: &Route<'_>) -> Result<Answer, ApiError> {
    match route {
        Route::Instances => instances::list(visit),
        Route::Instance(id) => instances::get(visit, id),
        Route::Roles(id) => rbac::roles(visit, id),
        Route::MyRole(id) => rbac::my_role(visit, id),
        Route::Assignments(id) => rbac::assignments(visit, id),
        Route::Assignment(id, principal) if visit.call.method == Method::DELETE => rbac::remove(visit, id, principal),
        Route::Assignment(id, principal) => rbac::assign(visit, id, principal),
        Route::ApiSubscription(id) => api_subscription::get(visit, id),
        Route::Activate(id) => api_subscription::activate(visit, id),
        Route::Deactivate(id) => api_subscription::deactivate(visit, id),
        Route::ListSecrets(id) => api_subscription::list_secrets(visit, id),
        Route::KeyVault(id) => match visit.call.method {
            Method::PUT => key_vault::put(visit, id),
            Method::DELETE => key_vault::delete(visit, id),
            _ => key_vault::get(visit, id),
        },
        Route::PrivateLinks(id) if visit.call.method == Method::POST => private_links::add(visit, id),
        Route::PrivateLinks(id) => private_links::list(visit, id),
        Route::PrivateLink(id, link) if visit.call.method == Method::DELETE => private_links::remove(visit, id, link),
        Route::PrivateLink(id, link) => private_links::get(visit, id, link),
        Route::Validate(id, link) => private_links::validate(visit, id, link),
        Route::Regenerate(id, slot) => api_subscription::regenerate(visit, id, *slot),
    }
}

/// The gateway's own error body: two members.
fn gateway_error(status: StatusCode, message: &str) -> Answer {
    Answer::json(status, json!({ "statusCode": status.as_u16(), "message": message }))
}

fn key_refused(fault: KeyFault) -> Answer {
    let message = match fault {
        KeyFault::Missing => {
            "Access denied due to missing subscription key. Make sure to include subscription key when making requests to \
             an API."
        }
        KeyFault::Invalid => {
            "Access denied due to invalid subscription key. Make sure to provide a valid key for an active subscription."
        }
    };
    gateway_error(StatusCode::UNAUTHORIZED, message)
}
