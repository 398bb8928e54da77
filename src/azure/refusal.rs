//! What services say when they refuse: their error bodies, read into one [`Failure`].
//!
//! What must stay true: a body of any other shape is no error of ours; then the status alone counts.

use serde::Deserialize;
use serde_json::Value as Json;

use super::error::Failure;

/// The error bodies that can reach us: `ApiErrorResult`, the gateway's, Graph's, Entra's, Resource Manager's and Key Vault's.
/// All members optional.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ErrorBody {
    error_code: Option<String>,
    message: Option<String>,
    error: Option<ErrorMember>,
    #[serde(rename = "error_description")]
    description: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ErrorMember {
    Object {
        code: Option<String>,
        message: Option<String>,
        #[serde(rename = "innererror")]
        inner: Option<Json>,
    },
    Word(String),
}

/// The failure that an answer with another status than 2xx stands for.
pub(super) fn status_failure(status: u16, body: &[u8]) -> Failure {
    let body: ErrorBody = serde_json::from_slice(body).unwrap_or_default();
    let (code, inner, message) = match body.error {
        Some(ErrorMember::Object { code, message, inner }) => {
            let inner = inner.and_then(|inner| inner["code"].as_str().map(str::to_owned));
            (code, inner, message)
        }
        Some(ErrorMember::Word(word)) => (Some(word), None, body.description),
        None => (body.error_code, None, body.message),
    };
    Failure::Status { status, code, inner, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_error_bodies_are_understood() {
        let vault = r#"{"error":{"code":"Forbidden","message":"m","innererror":{"code":"SecretDisabled"}}}"#;
        let expected = Failure::Status {
            status: 403,
            code: Some("Forbidden".into()),
            inner: Some("SecretDisabled".into()),
            message: Some("m".into()),
        };
        assert_eq!(format!("{:?}", status_failure(403, vault.as_bytes())), format!("{expected:?}"));
        let cases = [
            (r#"{"errorCode":"instanceNotFound","message":"No."}"#, Some("instanceNotFound"), Some("No.")),
            (r#"{"statusCode":401,"message":"Access denied"}"#, None, Some("Access denied")),
            (
                r#"{"error":{"code":"Request_ResourceNotFound","message":"m"}}"#,
                Some("Request_ResourceNotFound"),
                Some("m"),
            ),
            (
                r#"{"error":"invalid_client","error_description":"AADSTS7000215"}"#,
                Some("invalid_client"),
                Some("AADSTS7000215"),
            ),
            ("", None, None),
            ("<html>", None, None),
        ];
        for (body, code, message) in cases {
            let (code, message) = (code.map(str::to_owned), message.map(str::to_owned));
            let expected = Failure::Status { status: 400, code, inner: None, message };
            assert_eq!(format!("{:?}", status_failure(400, body.as_bytes())), format!("{expected:?}"), "{body}");
        }
    }
}
