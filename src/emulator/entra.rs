//! Entra: the token endpoint and what clients read before they use it.
//!
//! Only the client credentials grant is served. What must stay true: errors carry the numbers that clients look at
//! (`error_codes`), and no answer says more about a wrong secret than the real service does.

use axum::Router;
use axum::extract::State;
use axum::routing::any;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;

use super::Shared;
use super::call::{Answer, Call, guid};
use super::gate;
use super::tokens::Claims;
use super::unserved::{self, NotServed};
use super::world::{Tenant, World};

pub(crate) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/{tenant}/oauth2/v2.0/token", any(token))
        .route("/{tenant}/v2.0/.well-known/openid-configuration", any(openid_configuration))
        .route("/{tenant}/discovery/v2.0/keys", any(keys))
        .route("/common/discovery/instance", any(discovery))
}

/// The grants that Entra knows and that aren't served: nobody signs in here, and no token is renewed.
const UNSERVED_GRANTS: &[&str] = &[
    "authorization_code",
    "device_code",
    "password",
    "refresh_token",
    "urn:ietf:params:oauth:grant-type:device_code",
    "urn:ietf:params:oauth:grant-type:jwt-bearer",
    "urn:ietf:params:oauth:grant-type:saml1_1-bearer",
    "urn:ietf:params:oauth:grant-type:saml2-bearer",
];

/// What isn't served, in the envelope of OAuth.
fn unserved(NotServed { message }: NotServed) -> Answer {
    Answer::json(unserved::STATUS, json!({ "error": unserved::CODE, "error_description": message, "error_codes": [] }))
}

/// The refusal of a call with another method.
fn unless(call: &Call, method: &Method) -> Option<Answer> {
    let other = call.method != *method;
    other.then(|| unserved(NotServed::method(call, std::slice::from_ref(method))))
}

/// An error of the token endpoint: HTTP status, OAuth error, AADSTS number, text.
struct Refusal(StatusCode, &'static str, u32, String);

async fn token(State(shared): State<Arc<Shared>>, call: Call) -> Answer {
    if let Some(answer) = unless(&call, &Method::POST) {
        return answer;
    }
    match issue(&shared, &call) {
        Ok(answer) => answer,
        Err(refusal) => refused(&shared, &call, &refusal),
    }
}

fn issue(shared: &Shared, call: &Call) -> Result<Answer, Refusal> {
    let bad_request = StatusCode::BAD_REQUEST;
    let form: Vec<(String, String)> = url::form_urlencoded::parse(&call.body).into_owned().collect();
    let field = |name: &str| form.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str()).filter(|v| !v.is_empty());
    let needed = |name: &'static str| {
        let text = format!("The request body must contain the following parameter: '{name}'.");
        field(name).ok_or(Refusal(bad_request, "invalid_request", 900_144, text))
    };
    let grant = needed("grant_type")?;
    let (tenant, lifetime) = shared.store.read(|w| (tenant_of(w, call).cloned(), w.behaviour.token_lifetime));
    let Some(tenant) = tenant else {
        let asked = call.segments.first().map_or("", String::as_str);
        let text = format!("Tenant '{asked}' not found. Check to make sure you have the correct tenant ID.");
        return Err(Refusal(bad_request, "invalid_request", 90002, text));
    };
    if UNSERVED_GRANTS.contains(&grant) {
        return Ok(unserved(NotServed::part(call, grant)));
    }
    if grant != "client_credentials" {
        let text = format!("The app requested an unsupported grant type '{grant}'.");
        return Err(Refusal(bad_request, "unsupported_grant_type", 70003, text));
    }
    let client_id = needed("client_id")?;
    let (oid, app_id) = authenticate(shared, &tenant, client_id, field("client_secret"), field("client_assertion"))?;
    let audience = resource(needed("scope")?, &tenant, call)?;
    let now = shared.clock.now().as_second();
    let issuer = format!("https://sts.windows.net/{}/", tenant.id);
    let claims = Claims {
        aud: audience.to_owned(),
        iss: issuer.clone(),
        tid: tenant.id,
        oid,
        appid: app_id,
        iat: now,
        nbf: now,
        exp: now.saturating_add(lifetime.as_secs()),
        sub: oid,
        idp: issuer,
        idtyp: "app".to_owned(),
        appidacr: "1".to_owned(),
        ver: "1.0".to_owned(),
        uti: shared.tokens.new_id(),
    };
    Ok(Answer::ok(json!({
        "token_type": "Bearer",
        "expires_in": lifetime.as_secs(),
        "ext_expires_in": lifetime.as_secs(),
        "access_token": shared.tokens.issue(&claims),
    })))
}

fn authenticate(
    shared: &Shared,
    tenant: &Tenant,
    client_id: &str,
    secret: Option<&str>,
    assertion: Option<&str>,
) -> Result<(Uuid, Uuid), Refusal> {
    let app_id = guid(client_id);
    let known = shared.store.read(|world| {
        let (oid, application) = world.application(app_id?)?;
        Some((oid, application.app_id, application.client.clone()?))
    });
    let Some((oid, app_id, client)) = known else {
        let text = format!(
            "Application with identifier '{client_id}' was not found in the directory '{}'. This can happen if the \
             application has not been installed by the administrator of the tenant or consented to by any user in the \
             tenant. You may have sent your authentication request to the wrong tenant.",
            tenant.name
        );
        return Err(Refusal(StatusCode::BAD_REQUEST, "unauthorized_client", 700_016, text));
    };
    match (secret, assertion) {
        (Some(secret), _) if secret == client.secret.expose() => Ok((oid, app_id)),
        (Some(_), _) => {
            let text = format!(
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, \
                 not the client secret ID, for a secret added to app '{app_id}'."
            );
            Err(Refusal(StatusCode::UNAUTHORIZED, "invalid_client", 7_000_215, text))
        }
        // A world knows no federated credentials, so none can match.
        (None, Some(_)) => {
            let text = "No matching federated identity record found for presented assertion.".to_owned();
            Err(Refusal(StatusCode::UNAUTHORIZED, "invalid_client", 700_213, text))
        }
        (None, None) => {
            let text = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";
            Err(Refusal(StatusCode::UNAUTHORIZED, "invalid_client", 7_000_218, text.to_owned()))
        }
    }
}

fn resource(scope: &str, tenant: &Tenant, call: &Call) -> Result<&'static str, Refusal> {
    let Some(asked) = scope.strip_suffix("/.default").filter(|s| !s.contains(' ')) else {
        let text = format!(
            "The provided value for scope {scope} is not valid. Client credential flows must have a scope value with \
             /.default suffixed to the resource identifier (application ID URI)."
        );
        return Err(Refusal(StatusCode::BAD_REQUEST, "invalid_scope", 1_002_012, text));
    };
    // The name under which the cloud's metadata knows Graph.
    let own = call.origin.as_str().trim_end_matches('/');
    let graph = asked.trim_end_matches('/').eq_ignore_ascii_case(own).then_some(gate::GRAPH);
    gate::audience(asked).or(graph).ok_or_else(|| {
        let text = format!(
            "The resource principal named {asked} was not found in the tenant named {}. This can happen if the application \
             has not been installed by the administrator of the tenant or consented to by any user in the tenant.",
            tenant.name
        );
        Refusal(StatusCode::BAD_REQUEST, "invalid_resource", 500_011, text)
    })
}

/// The world's tenant, if the first segment of the path names it, by id or domain.
fn tenant_of<'w>(world: &'w World, call: &Call) -> Option<&'w Tenant> {
    let asked = call.segments.first()?;
    let tenant = world.tenant.as_ref()?;
    let by_id = guid(asked) == Some(tenant.id);
    (by_id || asked.eq_ignore_ascii_case(&tenant.domain)).then_some(tenant)
}

fn refused(shared: &Shared, call: &Call, refusal: &Refusal) -> Answer {
    let Refusal(status, error, number, text) = refusal;
    let trace = shared.ids.new_id();
    let correlation = call.header("client-request-id").and_then(guid).unwrap_or_else(|| shared.ids.new_id());
    let timestamp = shared.clock.now().strftime("%Y-%m-%d %H:%M:%SZ").to_string();
    Answer::json(
        *status,
        json!({
            "error": error,
            "error_description":
                format!("AADSTS{number}: {text} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {timestamp}"),
            "error_codes": [number],
            "timestamp": timestamp,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": format!("https://login.microsoftonline.com/error?code={number}"),
        }),
    )
}

async fn openid_configuration(State(shared): State<Arc<Shared>>, call: Call) -> Answer {
    if let Some(answer) = unless(&call, &Method::GET) {
        return answer;
    }
    let tenant = shared.store.read(|w| tenant_of(w, &call).map(|t| t.id));
    let Some(tenant) = tenant else {
        let asked = call.segments.first().map_or("", String::as_str);
        let text = format!("Tenant '{asked}' not found. Check to make sure you have the correct tenant ID.");
        return refused(&shared, &call, &Refusal(StatusCode::BAD_REQUEST, "invalid_tenant", 90002, text));
    };
    // Everything under the origin that the client used: it validates that issuer and authority agree.
    let base = format!("{}{tenant}", call.origin);
    Answer::ok(json!({
        "token_endpoint": format!("{base}/oauth2/v2.0/token"),
        "token_endpoint_auth_methods_supported": ["client_secret_post"],
        "jwks_uri": format!("{base}/discovery/v2.0/keys"),
        "issuer": format!("{base}/v2.0"),
        "authorization_endpoint": format!("{base}/oauth2/v2.0/authorize"),
        "device_authorization_endpoint": format!("{base}/oauth2/v2.0/devicecode"),
        "response_modes_supported": ["query"],
        "response_types_supported": ["code"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid"],
        "tenant_region_scope": "EU",
    }))
}

/// Access tokens are signed with a symmetric key, so there is no public key to show.
async fn keys(call: Call) -> Answer {
    unless(&call, &Method::GET).unwrap_or_else(|| Answer::ok(json!({ "keys": [] })))
}

async fn discovery(call: Call) -> Answer {
    if let Some(answer) = unless(&call, &Method::GET) {
        return answer;
    }
    let host = call.origin.host_str().unwrap_or("localhost");
    let authority = call.origin.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let asked = call.parameter("authorization_endpoint").and_then(|e| url::Url::parse(e).ok());
    let tenant = asked.as_ref().and_then(|e| e.path_segments()?.next().map(str::to_owned));
    let tenant = tenant.unwrap_or_else(|| "common".to_owned());
    let metadata: Value =
        json!([{ "preferred_network": authority, "preferred_cache": authority, "aliases": [authority] }]);
    Answer::ok(json!({
        "tenant_discovery_endpoint": format!("{}{tenant}/v2.0/.well-known/openid-configuration", call.origin),
        "api-version": "1.1",
        "metadata": metadata,
    }))
}
