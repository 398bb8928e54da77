//! Key Vault's error envelope: `{error:{code,message,innererror:{code}}}`.

use http::StatusCode;
use http::header::{HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use super::{LOCAL_VAULTS, access};
use crate::emulator::api_versions::Table;
use crate::emulator::call::Answer;
use crate::emulator::gate::{self, BearerFault, Caller};
use crate::emulator::store::StoreError;
use crate::emulator::unserved::{self, NotServed};
use crate::emulator::world::{ChallengeResource, Vault};

/// An error of a vault.
#[derive(Debug)]
pub(super) struct VaultError {
    status: StatusCode,
    code: &'static str,
    inner: Option<&'static str>,
    message: String,
    challenge: Option<String>,
    retry_after: Option<i64>,
}

impl VaultError {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, inner: None, message: message.into(), challenge: None, retry_after: None }
    }

    fn inner(self, code: &'static str) -> Self {
        Self { inner: Some(code), ..self }
    }

    pub(super) fn bad_parameter(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadParameter", message)
    }

    /// A real vault that doesn't exist has no host. Not one of the service's codes, so that nobody takes it for an absence
    /// of something in a vault.
    pub(super) fn no_vault(name: &str) -> Self {
        let message = format!("The emulator's world has no vault '{name}'.");
        Self::new(StatusCode::NOT_FOUND, "NoSuchHost", message)
    }

    /// The 401 with the challenge that official clients begin with. Only the first number is printed
    /// anywhere; the others are chosen from the same family.
    pub(super) fn unauthorized(fault: BearerFault, tenant: Uuid, resource: ChallengeResource, origin: &Url) -> Self {
        let resource = match (resource, origin.port()) {
            (ChallengeResource::Azure, _) => gate::KEY_VAULT.to_owned(),
            (ChallengeResource::Local, Some(port)) => format!("{}://{LOCAL_VAULTS}:{port}", origin.scheme()),
            (ChallengeResource::Local, None) => format!("{}://{LOCAL_VAULTS}", origin.scheme()),
        };
        let message = match fault {
            BearerFault::Missing => "AKV10000: Request is missing a Bearer or PoP token.".to_owned(),
            BearerFault::Invalid => "AKV10001: The token can't be validated.".to_owned(),
            BearerFault::Expired => "AKV10042: The token has expired.".to_owned(),
            BearerFault::Tenant => {
                format!("AKV10032: Invalid issuer. Expected one of https://sts.windows.net/{tenant}/.")
            }
            BearerFault::Audience => format!("AKV10022: Invalid audience. Expected {}.", gate::KEY_VAULT),
        };
        let challenge =
            format!("Bearer authorization=\"https://login.microsoftonline.com/{tenant}\", resource=\"{resource}\"");
        let error = Self::new(StatusCode::UNAUTHORIZED, "Unauthorized", message);
        Self { challenge: Some(challenge), ..error }
    }

    /// The text is chosen; that there is no default is documented.
    pub(super) fn no_api_version() -> Self {
        Self::bad_parameter("api-version must be specified")
    }

    /// As quoted in Azure/azure-sdk-for-python#28595.
    pub(super) fn unknown_api_version(asked: &str, known: Table) -> Self {
        Self::bad_parameter(format!(
            "The specified version ({asked}) is not recognized. Consider using the latest supported version ({}).",
            known.newest()
        ))
    }

    /// The text of the code varies.
    pub(super) fn throttled(seconds: i64) -> Self {
        let message = "Request was not processed because too many requests were received. Reason: \
                       VaultRequestTypeLimitReached";
        let error = Self::new(StatusCode::TOO_MANY_REQUESTS, "Throttled", message);
        Self { retry_after: Some(seconds), ..error }
    }

    fn forbidden(inner: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "Forbidden", message).inner(inner)
    }

    pub(super) fn by_rbac(caller: Caller, action: &str, resource: &str, vault: &Vault) -> Self {
        let message = format!(
            "Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or role \
             definitions were changed recently, please observe propagation time.\r\nCaller: {}\r\nAction: \
             '{action}'\r\nResource: '{}'\r\nAssignment: (not found)\r\nDenyAssignmentId: null\r\nDecisionReason: \
             null\r\nVault: {}\r\n",
            who(caller, vault),
            resource.to_ascii_lowercase(),
            place(vault)
        );
        Self::forbidden("ForbiddenByRbac", message)
    }

    pub(super) fn by_policy(caller: Caller, noun: &str, permission: &str, vault: &Vault) -> Self {
        let message = format!(
            "The user, group or application '{}' does not have {noun}s {permission} permission on key vault '{}'.",
            who(caller, vault),
            place(vault)
        );
        Self::forbidden("AccessDenied", message)
    }

    pub(super) fn by_firewall(caller: Caller, vault: &Vault, address: std::net::IpAddr) -> Self {
        let message = format!(
            "Client address is not authorized and caller is not a trusted service.\r\nClient address: \
             {address}\r\nCaller: {}\r\nVault: {}",
            who(caller, vault),
            place(vault)
        );
        Self::forbidden("ForbiddenByFirewall", message)
    }

    pub(super) fn by_connection(caller: Caller, vault: &Vault) -> Self {
        let message = format!(
            "Public network access is disabled and request is not from a trusted service nor via an approved private \
             link.\r\nCaller: {}\r\nVault: {}",
            who(caller, vault),
            place(vault)
        );
        Self::forbidden("ForbiddenByConnection", message)
    }

    pub(super) fn disabled(operation: &str, noun: &str, inner: &'static str) -> Self {
        Self::forbidden(inner, format!("Operation {operation} is not allowed on a disabled {noun}."))
    }

    /// Chosen: no document prints an inner code for this one.
    pub(super) fn purge_protected(noun: &str) -> Self {
        let message = format!("Operation purge is not allowed on a {noun} of a vault with purge protection.");
        Self::new(StatusCode::FORBIDDEN, "Forbidden", message)
    }

    pub(super) fn not_found(code: &'static str, noun: &str, name: &str) -> Self {
        let message = format!(
            "A {noun} with (name/id) {name} was not found in this key vault. If you recently deleted this {noun} you may be \
             able to recover it using the correct recovery command. For help resolving this issue, please see \
             https://go.microsoft.com/fwlink/?linkid=2125182"
        );
        Self::new(StatusCode::NOT_FOUND, code, message)
    }

    pub(super) fn deleted_not_found(code: &'static str, noun: &str, name: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, format!("Deleted {noun} not found: {name}"))
    }

    pub(super) fn recoverable(noun: &str, name: &str) -> Self {
        let message = format!(
            "{} {name} is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the \
             {noun} can only be recovered or purged.",
            capital(noun)
        );
        Self::new(StatusCode::CONFLICT, "Conflict", message).inner("ObjectIsDeletedButRecoverable")
    }

    pub(super) fn being_deleted(noun: &str, name: &str) -> Self {
        let message =
            format!("{} {name} is currently being deleted and cannot be re-created; retry later.", capital(noun));
        Self::new(StatusCode::CONFLICT, "Conflict", message).inner("ObjectIsBeingDeleted")
    }
}

fn capital(noun: &str) -> String {
    let mut letters = noun.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

fn who(caller: Caller, vault: &Vault) -> String {
    let Caller { oid, app_id } = caller;
    format!("appid={app_id};oid={oid};iss=https://sts.windows.net/{}/", vault.tenant_id)
}

fn place(vault: &Vault) -> String {
    format!("{};location={}", access::name_of(vault), vault.location)
}

impl From<NotServed> for VaultError {
    fn from(NotServed { message }: NotServed) -> Self {
        Self::new(unserved::STATUS, unserved::CODE, message)
    }
}

impl From<StoreError> for VaultError {
    fn from(error: StoreError) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", error.to_string())
    }
}

impl From<VaultError> for Answer {
    fn from(error: VaultError) -> Self {
        let VaultError { status, code, inner, message, challenge, retry_after } = error;
        let mut body = json!({ "code": code, "message": message });
        if let (Some(inner), Some(members)) = (inner, body.as_object_mut()) {
            members.insert("innererror".to_owned(), json!({ "code": inner }));
        }
        let mut answer = Self::json(status, Value::from_iter([("error", body)]));
        if let Some(value) = challenge.and_then(|text| HeaderValue::from_str(&text).ok()) {
            answer = answer.with(WWW_AUTHENTICATE, value);
        }
        match retry_after {
            Some(seconds) => answer.with(RETRY_AFTER, HeaderValue::from(seconds)),
            None => answer,
        }
    }
}
