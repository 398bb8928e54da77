//! What services say when they refuse: their error bodies, read into one [`Failure`].
//!
//! Invariants: a body of any other shape is no error of ours; then the status alone counts. Of an operation whose requests or
//! answers hold secrets only codes get out, and nothing counts as a code but a short word: a service may quote what it was
//! sent.

use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::error::Failure;
use super::operations::{Facts, Secrets};

/// The error bodies that can reach us: `ApiErrorResult`, the gateway's, Graph's, Entra's, Resource Manager's, Key Vault's and
/// Power Platform's, which has three. All members optional.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ErrorBody {
    error_code: Option<String>,
    message: Option<String>,
    error: Option<ErrorMember>,
    error_detail: Option<ErrorDetail>,
    code: Option<Json>,
    title: Option<String>,
    #[serde(rename = "error_description")]
    description: Option<String>,
}

/// What the Power Platform API says about an operation that it doesn't begin.
#[derive(Deserialize)]
struct ErrorDetail {
    code: Option<String>,
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
pub(super) fn status_failure(operation: &Facts, status: u16, body: &[u8]) -> Failure {
    let said = said(body);
    if operation.secrets == Secrets::None {
        let Said { code, inner, message } = said;
        return Failure::Status { status, code, inner, message };
    }
    let (code, inner) = said.codes();
    Failure::Status { status, code, inner, message: None }
}

/// An error body with nothing left in it but its codes, in the shape of Key Vault's.
pub(super) fn codes_only(body: &[u8]) -> String {
    let (code, inner) = said(body).codes();
    json!({ "error": { "code": code, "innererror": inner.map(|code| json!({ "code": code })) } }).to_string()
}

/// What an error body says.
struct Said {
    code: Option<String>,
    inner: Option<String>,
    message: Option<String>,
}

impl Said {
    /// The codes. Where a service puts its own into words, the words that are known make one.
    fn codes(self) -> (Option<String>, Option<String>) {
        let Self { code, inner, message } = self;
        let inner =
            inner.or_else(|| message.as_deref().and_then(|message| entra_code(message).or(gateway_code(message))));
        (code.and_then(word), inner.and_then(word))
    }
}

/// A code, if it is one: letters, digits and little else, and not much of it.
fn word(code: String) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    (code.len() <= 64 && code.chars().all(plain)).then_some(code)
}

/// The number by which Entra's documents name an error; its body has it only in the words.
fn entra_code(message: &str) -> Option<String> {
    let digits = message.strip_prefix("AADSTS")?.split(|c: char| !c.is_ascii_digit()).next()?;
    (!digits.is_empty()).then(|| format!("AADSTS{digits}"))
}

/// The code that stands for what the gateway says about a subscription key: it has words for that, and no code.
pub(super) const SUBSCRIPTION_KEY: &str = "SubscriptionKey";

fn gateway_code(message: &str) -> Option<String> {
    message.to_ascii_lowercase().contains("subscription key").then(|| SUBSCRIPTION_KEY.to_owned())
}

fn said(body: &[u8]) -> Said {
    let body: ErrorBody = serde_json::from_slice(body).unwrap_or_default();
    let (code, inner, message) = match body.error {
        Some(ErrorMember::Object { code, message, inner }) => {
            let inner = inner.and_then(|inner| inner["code"].as_str().map(str::to_owned));
            (code, inner, message)
        }
        Some(ErrorMember::Word(word)) => (Some(word), None, body.description),
        None => {
            let detail = body.error_detail.and_then(|detail| detail.code);
            let bare = body.code.and_then(|code| code.as_str().map(str::to_owned));
            (body.error_code.or(detail).or(bare).or(body.title), None, body.message)
        }
    };
    Said { code, inner, message }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::azure::operations::{ENTRA_TOKEN, GET_VAULT, SET_SECRET, TRY_API_KEY};

    #[test]
    fn of_an_operation_with_secrets_only_codes_get_out() {
        let vault =
            r#"{"error":{"code":"BadParameter","message":"value hunter2 is bad","innererror":{"code":"hunter 2"}}}"#;
        let gateway = r#"{"statusCode":401,"message":"Access denied due to invalid subscription key hunter2."}"#;
        let entra = r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret hunter2 provided."}"#;
        for (operation, body, code, inner) in [
            (SET_SECRET.facts(), vault, Some("BadParameter"), None),
            (ENTRA_TOKEN.facts(), entra, Some("invalid_client"), Some("AADSTS7000215")),
            (TRY_API_KEY.facts(), gateway, None, Some(SUBSCRIPTION_KEY)),
        ] {
            let (code, inner) = (code.map(str::to_owned), inner.map(str::to_owned));
            let expected = Failure::Status { status: 400, code, inner, message: None };
            assert_eq!(format!("{:?}", status_failure(operation, 400, body.as_bytes())), format!("{expected:?}"));
            let kept = codes_only(body.as_bytes());
            assert!(!kept.contains("unter"), "{kept}");
            assert_eq!(format!("{:?}", status_failure(operation, 400, kept.as_bytes())), format!("{expected:?}"));
        }
        let word = r#"{"error":{"code":"the secret is hunter2"}}"#;
        assert!(!format!("{:?}", status_failure(SET_SECRET.facts(), 400, word.as_bytes())).contains("hunter2"));
    }

    #[test]
    fn all_error_bodies_are_understood() {
        let vault = r#"{"error":{"code":"Forbidden","message":"m","innererror":{"code":"SecretDisabled"}}}"#;
        let expected = Failure::Status {
            status: 403,
            code: Some("Forbidden".into()),
            inner: Some("SecretDisabled".into()),
            message: Some("m".into()),
        };
        assert_eq!(format!("{:?}", status_failure(GET_VAULT.facts(), 403, vault.as_bytes())), format!("{expected:?}"));
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
            (
                r#"{"errorDetail":{"code":"OperationNotStartable","fieldErrors":{}}}"#,
                Some("OperationNotStartable"),
                None,
            ),
            (r#"{"code":"NotFound","message":"m"}"#, Some("NotFound"), Some("m")),
            (r#"{"code":7,"title":"Not Found","status":404}"#, Some("Not Found"), None),
            ("", None, None),
            ("<html>", None, None),
        ];
        for (body, code, message) in cases {
            let (code, message) = (code.map(str::to_owned), message.map(str::to_owned));
            let expected = Failure::Status { status: 400, code, inner: None, message };
            assert_eq!(
                format!("{:?}", status_failure(GET_VAULT.facts(), 400, body.as_bytes())),
                format!("{expected:?}"),
                "{body}"
            );
        }
    }
}
