//! `ApiErrorResult`, the backend's error body.
//!
//! The status of an `rbac` refusal is UNDOCUMENTED; codes are from the published vocabulary,
//! chosen in the style of the product.

use http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Answer;
use crate::emulator::store::StoreError;
use crate::emulator::unserved::{self, NotServed};

/// An error of the backend.
#[derive(Debug)]
pub(super) struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
    params: Value,
}

impl ApiError {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), params: json!({}) }
    }

    pub(super) fn about(self, params: Value) -> Self {
        Self { params, ..self }
    }

    pub(super) fn instance_not_found(id: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "instanceNotFound", "No environment with this id.")
            .about(json!({ "instanceId": id }))
    }

    pub(super) fn not_administrator(caller: Uuid) -> Self {
        let message = "The caller is not an administrator of this environment.";
        Self::new(StatusCode::FORBIDDEN, "userIsNotInstanceAdministrator", message).about(json!({ "userId": caller }))
    }

    pub(super) fn user_not_found(principal: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "userNotFound", "No such principal.")
            .about(json!({ "principalId": principal }))
    }

    pub(super) fn invalid(parameter: &str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalidApiParameter", message).about(json!({ "parameter": parameter }))
    }
}

impl From<NotServed> for ApiError {
    fn from(NotServed { message }: NotServed) -> Self {
        Self::new(unserved::STATUS, unserved::CODE, message)
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internalServerError", error.to_string())
    }
}

impl From<ApiError> for Answer {
    fn from(error: ApiError) -> Self {
        let ApiError { status, code, message, params } = error;
        let culprit = if status.is_server_error() { "system" } else { "user" };
        Self::json(
            status,
            json!({
                "exception": null,
                "httpStatusCode": status_name(status),
                "exceptionCulprit": culprit,
                "errorCode": code,
                "resultSeverity": "error",
                "message": message,
                "params": params,
                "ciResults": [],
            }),
        )
    }
}

/// The .NET name of a status in camelCase: `notFound`, `unsupportedMediaType`.
fn status_name(status: StatusCode) -> String {
    let reason = status.canonical_reason().unwrap_or("unknown");
    let mut words = reason.split([' ', '-']);
    let first = words.next().unwrap_or_default().to_ascii_lowercase();
    first + &words.collect::<String>()
}
