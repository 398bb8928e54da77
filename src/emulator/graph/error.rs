//! Graph's error envelope.

use http::StatusCode;
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use super::Key;
use crate::emulator::call::{Answer, Call};
use crate::emulator::unserved::{self, NotServed};

/// What an error repeats about its request.
pub(super) struct Trace {
    pub(super) now: Timestamp,
    pub(super) request_id: Uuid,
    pub(super) client_request_id: String,
}

/// An error of Graph.
#[derive(Debug)]
pub(super) struct GraphError {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl GraphError {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    pub(super) fn not_found(key: &Key) -> Self {
        let (Key::Id(key) | Key::AppId(key)) = key;
        let message = format!(
            "Resource '{key}' does not exist or one of its queried reference-property objects are not present."
        );
        Self::new(StatusCode::NOT_FOUND, "Request_ResourceNotFound", message)
    }

    /// What the emulator doesn't serve of a call.
    pub(super) fn unserved(call: &Call, part: &str) -> Self {
        NotServed::part(call, part).into()
    }

    pub(super) fn answer(&self, trace: &Trace) -> Answer {
        Answer::json(
            self.status,
            json!({
                "error": {
                    "code": self.code,
                    "message": self.message,
                    "innerError": {
                        "date": trace.now.strftime("%Y-%m-%dT%H:%M:%S").to_string(),
                        "request-id": trace.request_id,
                        "client-request-id": trace.client_request_id,
                    },
                },
            }),
        )
    }
}

impl From<NotServed> for GraphError {
    fn from(NotServed { message }: NotServed) -> Self {
        Self::new(unserved::STATUS, unserved::CODE, message)
    }
}
