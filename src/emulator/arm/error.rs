//! ARM's error envelope.

use http::StatusCode;
use http::header::{HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use serde_json::json;
use uuid::Uuid;

use crate::emulator::api_versions::{RESOURCES, Table};
use crate::emulator::call::{Answer, Call};
use crate::emulator::gate::{BearerFault, Caller};
use crate::emulator::store::StoreError;
use crate::emulator::unserved::{self, NotServed};

/// Tells who refused.
const FAILURE_CAUSE: HeaderName = HeaderName::from_static("x-ms-failure-cause");

/// An error of ARM or of a provider.
#[derive(Debug)]
pub(super) struct ArmError {
    status: StatusCode,
    code: &'static str,
    message: String,
    namespace: Option<&'static str>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl ArmError {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), namespace: None, headers: Vec::new() }
    }

    pub(super) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(super) fn bad_request(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// The full condition of real 401s isn't printed; the codes are the published ones.
    pub(super) fn unauthorized(fault: BearerFault, tenant: Option<Uuid>) -> Self {
        let (code, message) = match fault {
            BearerFault::Missing => {
                ("AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.")
            }
            BearerFault::Invalid => ("InvalidAuthenticationToken", "The access token is invalid."),
            BearerFault::Expired => ("ExpiredAuthenticationToken", "The access token expiry UTC time is in the past."),
            BearerFault::Tenant => (
                "InvalidAuthenticationTokenTenant",
                "The access token is from the wrong issuer. It must match the tenant associated with this subscription.",
            ),
            BearerFault::Audience => (
                "InvalidAuthenticationTokenAudience",
                "The access token has been obtained for wrong audience or resource.",
            ),
        };
        let error = Self::new(StatusCode::UNAUTHORIZED, code, message);
        let authority = format!("https://login.microsoftonline.com/{}", tenant.unwrap_or_default());
        let challenge = format!(
            "Bearer authorization_uri=\"{authority}\", error=\"invalid_token\", error_description=\"{message}\""
        );
        match HeaderValue::from_str(&challenge) {
            Ok(value) => error.with(WWW_AUTHENTICATE, value),
            Err(_) => error,
        }
    }

    pub(super) fn api_version_missing() -> Self {
        let message = "The api-version query parameter (?api-version=) is required for all requests.";
        Self::bad_request("MissingApiVersionParameter", message)
    }

    /// What ARM says about a version of a provider's type: the code is for dates, and what isn't one is refused like a version of
    /// ARM's own.
    pub(super) fn api_version_unknown(asked: &str, kind: &str, known: Table) -> Self {
        if asked.get(..10).is_none_or(|day| day.parse::<jiff::civil::Date>().is_err()) {
            return Self::own_api_version_unknown(asked, RESOURCES);
        }
        let known: Vec<&str> = known.versions().rev().collect();
        let message = format!(
            "No registered resource provider found for location 'westeurope' and API version '{asked}' for type '{kind}'. The \
             supported api-versions are '{}'.",
            known.join(", ")
        );
        Self::bad_request("NoRegisteredProviderFound", message)
    }

    /// What ARM says about a version of its own routes, as quoted in Azure/azure-sdk-for-net#3160 and others.
    pub(super) fn own_api_version_unknown(asked: &str, known: Table) -> Self {
        let known: Vec<&str> = known.versions().rev().collect();
        let message =
            format!("The api-version '{asked}' is invalid. The supported versions are '{}'.", known.join(","));
        Self::bad_request("InvalidApiVersionParameter", message)
    }

    pub(super) fn not_served(call: &Call) -> Self {
        NotServed::route(call).into()
    }

    pub(super) fn subscription_not_found(subscription: &str) -> Self {
        let message = format!("The subscription '{subscription}' could not be found.");
        Self::new(StatusCode::NOT_FOUND, "SubscriptionNotFound", message)
    }

    pub(super) fn group_not_found(group: &str) -> Self {
        let message = format!("Resource group '{group}' could not be found.");
        Self::new(StatusCode::NOT_FOUND, "ResourceGroupNotFound", message)
    }

    pub(super) fn resource_not_found(kind: &str, name: &str, group: &str) -> Self {
        let message = format!(
            "The Resource '{kind}/{name}' under resource group '{group}' was not found. For more details please go to \
             https://aka.ms/ARMResourceNotFoundFix"
        );
        Self::new(StatusCode::NOT_FOUND, "ResourceNotFound", message)
    }

    pub(super) fn throttled(seconds: i64) -> Self {
        let message = format!(
            "Number of requests for subscription exceeded the limit. Please try again after '{seconds}' seconds after \
             reviewing any ongoing operations."
        );
        Self::new(StatusCode::TOO_MANY_REQUESTS, "SubscriptionRequestsThrottled", message)
            .with(RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// What a provider says, not ARM.
    pub(super) fn by_provider(self) -> Self {
        self.with(FAILURE_CAUSE, HeaderValue::from_static("service"))
    }

    /// Names the part of the provider that refused, as one provider does.
    pub(super) fn in_namespace(self, namespace: &'static str) -> Self {
        Self { namespace: Some(namespace), ..self }
    }

    /// A value that can't be; the code is sourced, the words follow public reports of it.
    pub(super) fn invalid_value(member: &str) -> Self {
        let message = format!("Values for request parameters are invalid: {member}.");
        Self::bad_request("InvalidValuesForRequestParameters", message).by_provider()
    }

    pub(super) fn busy() -> Self {
        let message = "Another operation is in progress on this resource. Please try again when it has ended.";
        Self::new(StatusCode::CONFLICT, "AnotherOperationInProgress", message).by_provider()
    }

    /// A right that is needed on something other than what is written to.
    pub(super) fn not_linked(caller: Caller, action: &str, scope: &str) -> Self {
        let Caller { oid, app_id } = caller;
        let message = format!(
            "The client '{app_id}' with object id '{oid}' has permission to perform the request on the scope, but does not \
             have permission to perform action '{action}' on the linked scope(s) '{scope}' or the linked scope(s) are invalid."
        );
        Self::new(StatusCode::FORBIDDEN, "LinkedAuthorizationFailed", message)
    }

    pub(super) fn not_authorized(caller: Caller, action: &str, scope: &str) -> Self {
        let Caller { oid, app_id } = caller;
        let message = format!(
            "The client '{app_id}' with object id '{oid}' does not have authorization to perform action '{action}' over \
             scope '{scope}' or the scope is invalid. If access was recently granted, please refresh your credentials."
        );
        Self::new(StatusCode::FORBIDDEN, "AuthorizationFailed", message)
    }
}

impl From<NotServed> for ArmError {
    fn from(NotServed { message }: NotServed) -> Self {
        Self::new(unserved::STATUS, unserved::CODE, message)
    }
}

impl From<StoreError> for ArmError {
    fn from(error: StoreError) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", error.to_string())
    }
}

impl From<ArmError> for Answer {
    fn from(error: ArmError) -> Self {
        let ArmError { status, code, message, namespace, headers } = error;
        let mut body = json!({ "error": { "code": code, "message": message } });
        if let Some(namespace) = namespace {
            body["error"]["namespace"] = json!(namespace);
        }
        let answer = Self::json(status, body)
            // `gateway` and `service` tell ARM's own refusals from a provider's.
            .with(FAILURE_CAUSE, HeaderValue::from_static("gateway"));
        headers.into_iter().fold(answer, |answer, (name, value)| answer.with(name, value))
    }
}
