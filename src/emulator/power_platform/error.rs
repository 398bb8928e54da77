//! What Power Platform says when it refuses, in the envelopes of its two services.

use http::StatusCode;
use http::header::HeaderValue;
use http::header::WWW_AUTHENTICATE;
use serde_json::json;

use super::Face;
use crate::emulator::api_versions::Table;
use crate::emulator::call::{Answer, Call, Payload};
use crate::emulator::gate::BearerFault;
use crate::emulator::store::StoreError;
use crate::emulator::unserved::{self, NotServed};

/// A refusal.
#[derive(Debug)]
pub(super) struct PlatformError {
    status: StatusCode,
    code: &'static str,
    message: String,
    /// Whether it has no body at all.
    empty: bool,
    /// Whether the published service says it of an operation that it doesn't begin.
    of_an_operation: bool,
}

impl PlatformError {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), empty: false, of_an_operation: false }
    }

    pub(super) fn bad_request(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// The same about an operation that isn't begun.
    pub(super) fn of_an_operation(self) -> Self {
        Self { of_an_operation: true, ..self }
    }

    pub(super) fn unauthorized(fault: BearerFault) -> Self {
        let message = match fault {
            BearerFault::Missing => "The authorization header is missing.",
            BearerFault::Invalid => "The access token is invalid.",
            BearerFault::Expired => "The access token has expired.",
            BearerFault::Tenant => "The access token is from the wrong issuer.",
            BearerFault::Audience => "The access token has been obtained for the wrong audience.",
        };
        Self::new(StatusCode::UNAUTHORIZED, "AuthenticationFailed", message)
    }

    pub(super) fn api_version_missing() -> Self {
        let message = "The api-version query parameter (?api-version=) is required for all requests.";
        Self::bad_request("MissingApiVersionParameter", message)
    }

    pub(super) fn api_version_unknown(asked: &str, known: Table) -> Self {
        let known: Vec<&str> = known.versions().rev().collect();
        let message =
            format!("The api-version '{asked}' is invalid. The supported versions are '{}'.", known.join(","));
        Self::bad_request("InvalidApiVersionParameter", message)
    }

    /// There is no such environment, or the caller may not see it.
    pub(super) fn no_environment(id: &str) -> Self {
        let message = format!("The environment '{id}' could not be found in the tenant.");
        Self::new(StatusCode::NOT_FOUND, "EnvironmentNotFound", message)
    }

    /// What an application that isn't registered is told about lists; clients look for these words.
    pub(super) fn not_permitted(call: &Call) -> Self {
        let path = call.segments.join("/");
        let message = format!("The service principal does not have permission to access the path '/{path}'.");
        Self::new(StatusCode::FORBIDDEN, "Forbidden", message)
    }

    /// The service has no such route. The code is chosen.
    pub(super) fn no_route(call: &Call) -> Self {
        let message = format!("No HTTP resource was found that matches the request '/{}'.", call.segments.join("/"));
        Self::new(StatusCode::NOT_FOUND, "NotFound", message)
    }

    pub(super) fn media_type() -> Self {
        let message = "The request entity's media type is not supported for this resource.";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType", message)
    }

    /// Another operation is active. Sometimes the service says so without a body.
    pub(super) fn busy(empty: bool) -> Self {
        let message = "The operation could not be started since another operation is running on the environment. Please try \
                       again later.";
        Self { empty, ..Self::new(StatusCode::CONFLICT, "OperationNotStartable", message) }
    }

    /// The operation isn't for such an environment.
    pub(super) fn not_permitted_here(operation: &str, why: &str) -> Self {
        let message = format!("The operation '{operation}' is not permitted on the environment: {why}.");
        Self::bad_request("InvalidLifecycleOperationRequest", message)
    }

    pub(super) fn answer(self, face: Face) -> Answer {
        let Self { status, code, message, empty, of_an_operation } = self;
        if empty && face == Face::Admin {
            return Answer { body: Payload::Empty, ..Answer::empty(status) };
        }
        let body = match face {
            Face::Published if of_an_operation => json!({ "errorDetail": { "code": code, "fieldErrors": {} } }),
            _ => json!({ "error": { "code": code, "message": message } }),
        };
        let answer = Answer::json(status, body);
        match status {
            StatusCode::UNAUTHORIZED => answer.with(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
            _ => answer,
        }
    }
}

impl From<NotServed> for PlatformError {
    fn from(NotServed { message }: NotServed) -> Self {
        Self::new(unserved::STATUS, unserved::CODE, message)
    }
}

impl From<StoreError> for PlatformError {
    fn from(error: StoreError) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", error.to_string())
    }
}
