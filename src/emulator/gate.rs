//! The gates in front of the services: bearer token and subscription key.
//!
//! What must stay true: a token counts only with our signature, before its expiry, for the world's tenant and for the
//! very audience of the service asked; each service words its own refusal.

use http::HeaderMap;
use url::Url;
use uuid::Uuid;

use super::Shared;
use super::call::Call;
use super::key_vault::LOCAL_VAULTS;
use super::tokens::Claims;

/// The audience of Customer Insights.
pub(crate) const CUSTOMER_INSIGHTS: &str = "https://api.ci.ai.microsoft.com";
/// The audience of Microsoft Graph.
pub(crate) const GRAPH: &str = "https://graph.microsoft.com";

/// The audience of Azure Resource Manager.
pub(crate) const ARM: &str = "https://management.azure.com";
/// The audience of Power Platform administration.
pub(crate) const PLATFORM_ADMIN: &str = "https://service.powerapps.com";
/// The audience of the Power Platform API.
pub(crate) const PLATFORM: &str = "https://api.powerplatform.com";
/// The audience of every key vault.
pub(crate) const KEY_VAULT: &str = "https://vault.azure.net";

/// The resources that tokens are issued for, with what the token then names as its audience. Azure's command line asks for
/// Resource Manager by its older name.
const RESOURCES: &[(&str, &str)] = &[
    (CUSTOMER_INSIGHTS, CUSTOMER_INSIGHTS),
    (GRAPH, GRAPH),
    (ARM, ARM),
    ("https://management.core.windows.net", ARM),
    (PLATFORM_ADMIN, PLATFORM_ADMIN),
    (PLATFORM, PLATFORM),
    (KEY_VAULT, KEY_VAULT),
];

/// The audience of tokens for a resource, if there is such a resource. `https://vault.localhost:PORT` is ours: what vaults
/// name where a client insists on a resource that lies above the vault's host.
pub(crate) fn audience(resource: &str) -> Option<&'static str> {
    let resource = resource.trim_end_matches('/');
    let known = RESOURCES.iter().find(|(name, _)| resource.eq_ignore_ascii_case(name)).map(|(_, audience)| *audience);
    let local = || Url::parse(resource).ok().filter(|url| url.host_str() == Some(LOCAL_VAULTS)).map(|_| KEY_VAULT);
    known.or_else(local)
}

/// Who is calling.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller {
    /// Object id of the service principal.
    pub(crate) oid: Uuid,
    /// Application id.
    pub(crate) app_id: Uuid,
}

/// Why a bearer token was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BearerFault {
    Missing,
    Invalid,
    Expired,
    Tenant,
    Audience,
}

/// Why a subscription key was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyFault {
    Missing,
    Invalid,
}

/// The token of an `Authorization: Bearer` header.
fn bearer_text(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(http::header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()).filter(|t| !t.is_empty())
}

/// The claims of a token that this emulator issued, for the request log: not a gate.
pub(crate) fn peek(shared: &Shared, headers: &HeaderMap) -> Option<Claims> {
    shared.tokens.verify(bearer_text(headers)?)
}

/// The bearer gate.
pub(crate) fn bearer(shared: &Shared, headers: &HeaderMap, audience: &str) -> Result<Caller, BearerFault> {
    let token = bearer_text(headers).ok_or(BearerFault::Missing)?;
    let claims = shared.tokens.verify(token).ok_or(BearerFault::Invalid)?;
    let Claims { aud, tid, oid, appid, exp, .. } = claims;
    if shared.clock.now().as_second() >= exp {
        return Err(BearerFault::Expired);
    }
    if shared.store.read(|w| w.tenant.as_ref().map(|t| t.id)) != Some(tid) {
        return Err(BearerFault::Tenant);
    }
    if aud != audience {
        return Err(BearerFault::Audience);
    }
    Ok(Caller { oid, app_id: appid })
}

/// The gateway's gate: any live key of any instance. The key says whose subscription is metered, the bearer who may see
/// what (an inference), so a key isn't bound to the instance in the path.
pub(crate) fn subscription_key(shared: &Shared, call: &Call) -> Result<(), KeyFault> {
    // The query name is API Management's default; the spec declares such a scheme without its name.
    let sent = call.header("ocp-apim-subscription-key").or(call.parameter("subscription-key"));
    let sent = sent.filter(|k| !k.is_empty()).ok_or(KeyFault::Missing)?;
    let now = shared.clock.now();
    let live = shared.store.read(|world| world.instances.values().any(|i| world.accepts_key(i, sent, now)));
    if live { Ok(()) } else { Err(KeyFault::Invalid) }
}
