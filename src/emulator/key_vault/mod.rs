//! Key Vault's data plane: secrets and keys.
//!
//! A vault is told by the host, `NAME.vault.localhost`. Words: an *object* is a secret or a key; its *current* version is the
//! last one made, enabled or not. What must stay true: the order of the gates is vault, token (with the challenge), network,
//! api-version, throttling, right, object; an answer with a secret value is never cached; no error tells a value.
//!
//! The layout: `objects` is what secrets and keys share, `secrets` and `keys` what each has of its own, `rotation` what makes new versions of keys; `access` decides who
//! may; `error` words the refusals; `page` makes lists; `public_part` is what a key shows; `throttle` counts.

mod access;
mod body;
mod error;
mod keys;
mod objects;
mod page;
mod public_part;
mod rotation;
mod secrets;
mod throttle;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::any;
use http::Method;
use http::header::{CACHE_CONTROL, HeaderName, HeaderValue, PRAGMA, STRICT_TRANSPORT_SECURITY};
use jiff::Timestamp;
use url::Url;

use super::Shared;
use super::api_versions::{KEYS, SECRETS, Table};
use super::call::{Answer, Call};
use super::gate::{self, Caller};
use super::rotating;
use super::unserved::{self, NotServed};
use super::world::{KeyVersion, SecretVersion, Vault, World};
use error::VaultError;
pub(crate) use keys::KEY_OPS;
pub(crate) use throttle::Throttle;

/// The name below which all vaults of the emulator lie. It resolves nowhere by itself.
pub(crate) const LOCAL_VAULTS: &str = "vault.localhost";

pub(crate) fn routes() -> Router<Arc<Shared>> {
    Router::new().fallback(any(serve))
}

/// The vault that a request is to: the one label before [`LOCAL_VAULTS`].
pub(crate) fn vault_of(origin: &Url) -> Option<&str> {
    let label = origin.host_str()?.strip_suffix(LOCAL_VAULTS)?.strip_suffix('.')?;
    (!label.is_empty() && !label.contains('.')).then_some(label)
}

/// The address of a vault, seen from where the client is: as Azure writes it, with a slash at the end.
pub(crate) fn address(origin: &Url, vault: &str) -> String {
    let port = origin.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}.{LOCAL_VAULTS}{port}/", origin.scheme(), vault.to_ascii_lowercase())
}

/// A request that has passed the gates that don't depend on the object.
struct Visit<'a> {
    shared: &'a Shared,
    call: &'a Call,
    caller: Caller,
    /// Name of the vault, in lower case.
    vault: &'a str,
    now: Timestamp,
}

impl Visit<'_> {
    fn read(&self, look: impl FnOnce(&World, &Vault) -> Result<Answer, VaultError>) -> Result<Answer, VaultError> {
        self.shared.store.read(|world| look(world, vault(world, self.vault)?))
    }

    /// Checks the right on one state of the world and changes that very state.
    fn change(
        &self,
        check: impl FnOnce(&World, &Vault) -> Result<(), VaultError>,
        change: impl FnOnce(&mut Vault) -> Result<Answer, VaultError>,
    ) -> Result<Answer, VaultError> {
        self.shared.store.change(|world| {
            check(world, vault(world, self.vault)?)?;
            world.vaults.get_mut(self.vault).ok_or_else(|| VaultError::no_vault(self.vault)).and_then(change)
        })
    }
}

fn vault<'w>(world: &'w World, name: &str) -> Result<&'w Vault, VaultError> {
    world.vaults.get(name).ok_or_else(|| VaultError::no_vault(name))
}

async fn serve(State(shared): State<Arc<Shared>>, call: Call) -> Answer {
    let name = vault_of(&call.origin).unwrap_or_default().to_ascii_lowercase();
    let answer = gated(&shared, &call, &name).unwrap_or_else(Answer::from);
    let (region, address) = shared.store.read(|world| {
        let region = world.vaults.get(&name).map_or_else(String::new, |v| v.location.clone());
        (region, world.behaviour.client_address)
    });
    let version = HeaderName::from_static("x-ms-keyvault-service-version");
    let answer = answer
        .with(CACHE_CONTROL, HeaderValue::from_static("no-cache"))
        .with(PRAGMA, HeaderValue::from_static("no-cache"))
        .with(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000;includeSubDomains"))
        .with(version, HeaderValue::from_static("1.9.0.0"));
    let network = format!("conn_type=Ipv4;addr={address};act_addr_fam=InterNetwork;");
    let named = [("x-ms-keyvault-region", region), ("x-ms-keyvault-network-info", network)];
    named.into_iter().fold(answer, |answer, (name, value)| match HeaderValue::from_str(&value) {
        Ok(value) => answer.with(HeaderName::from_static(name), value),
        Err(_) => answer,
    })
}

fn gated(shared: &Shared, call: &Call, name: &str) -> Result<Answer, VaultError> {
    let now = shared.clock.now();
    rotating::settle(shared, now)?;
    let (tenant, challenge) = shared.store.read(|world| {
        let vault = vault(world, name)?;
        Ok::<_, VaultError>((vault.tenant_id, world.behaviour.vault_challenge))
    })?;
    let refused = |fault| VaultError::unauthorized(fault, tenant, challenge, &call.origin);
    let caller = gate::bearer(shared, &call.headers, gate::KEY_VAULT).map_err(refused)?;
    // Tokens are of the world's tenant; a vault may be another's.
    if shared.store.read(|w| w.tenant.as_ref().map(|t| t.id)) != Some(tenant) {
        return Err(refused(gate::BearerFault::Tenant));
    }
    shared.store.read(|world| access::network(world, vault(world, name)?, caller))?;
    let route = Route::parse(call)?;
    let asked = call.parameter("api-version").filter(|v| !v.is_empty()).ok_or_else(VaultError::no_api_version)?;
    let known = route.kind.api_versions();
    if !known.takes(asked) {
        return Err(VaultError::unknown_api_version(asked, known));
    }
    if let Some(bucket) = shared.store.read(|w| w.behaviour.vault_throttle)
        && let Err(wait) = shared.throttle.take(name, bucket, now)
    {
        return Err(VaultError::throttled(wait));
    }
    unserved::heeding(call, || dispatch(&Visit { shared, call, caller, vault: name, now }, &route))
}

/// Which kind of object a path is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Secrets,
    Keys,
}

impl Kind {
    const fn api_versions(self) -> Table {
        match self {
            Self::Secrets => SECRETS,
            Self::Keys => KEYS,
        }
    }
}

/// What is asked for. Texts are path segments as sent; a version that is missing is the current one.
#[derive(Debug)]
struct Route<'c> {
    kind: Kind,
    path: Path<'c>,
}

#[derive(Debug)]
enum Path<'c> {
    All,
    One(&'c str, Option<&'c str>),
    Versions(&'c str),
    Create(&'c str),
    RotationPolicy(&'c str),
    Rotate(&'c str),
    AllDeleted,
    Deleted(&'c str),
    Recover(&'c str),
}

impl<'c> Route<'c> {
    /// Empty segments are gone by now, so that the SDKs' `/secrets/NAME/` is `/secrets/NAME`.
    fn parse(call: &'c Call) -> Result<Self, VaultError> {
        let texts: Vec<&'c str> = call.segments.iter().map(String::as_str).collect();
        let lower: Vec<String> = texts.iter().map(|t| t.to_ascii_lowercase()).collect();
        let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
        let unserved = || VaultError::from(NotServed::route(call));
        let [head, rest @ ..] = lower.as_slice() else { return Err(unserved()) };
        let (kind, deleted) = match *head {
            "secrets" => (Kind::Secrets, false),
            "keys" => (Kind::Keys, false),
            "deletedsecrets" => (Kind::Secrets, true),
            "deletedkeys" => (Kind::Keys, true),
            _ => return Err(unserved()),
        };
        let name = texts.get(1).copied().unwrap_or_default();
        let path = match (rest, deleted) {
            ([], false) => Path::All,
            ([], true) => Path::AllDeleted,
            ([_], false) => Path::One(name, None),
            ([_], true) => Path::Deleted(name),
            ([_, "recover"], true) => Path::Recover(name),
            ([_, "versions"], false) => Path::Versions(name),
            ([_, "create"], false) if kind == Kind::Keys => Path::Create(name),
            ([_, "rotationpolicy"], false) if kind == Kind::Keys => Path::RotationPolicy(name),
            ([_, "rotate"], false) if kind == Kind::Keys => Path::Rotate(name),
            ([_, version], false) if is_version(version) => Path::One(name, texts.get(2).copied()),
            _ => return Err(unserved()),
        };
        Ok(Self { kind, path })
    }
}

/// Versions are 32 hex digits; what isn't one, below an object, is another kind of thing, such as `encrypt`.
fn is_version(segment: &str) -> bool {
    segment.len() == 32 && segment.chars().all(|digit| digit.is_ascii_hexdigit())
}

fn dispatch(visit: &Visit<'_>, route: &Route<'_>) -> Result<Answer, VaultError> {
    match (route.kind, &route.path, visit.call.method.clone()) {
        (Kind::Secrets, Path::One(name, None), Method::PUT) => secrets::set(visit, name),
        (Kind::Keys, Path::Create(name), Method::POST) => keys::create(visit, name),
        (Kind::Keys, Path::RotationPolicy(name), Method::GET) => rotation::get(visit, name),
        (Kind::Keys, Path::RotationPolicy(name), Method::PUT) => rotation::set(visit, name),
        (Kind::Keys, Path::Rotate(name), Method::POST) => rotation::rotate(visit, name),
        (Kind::Secrets, path, method) => shared_by_all::<SecretVersion>(visit, path, &method),
        (Kind::Keys, path, method) => shared_by_all::<KeyVersion>(visit, path, &method),
    }
}

fn shared_by_all<V: objects::Stored>(
    visit: &Visit<'_>,
    path: &Path<'_>,
    method: &Method,
) -> Result<Answer, VaultError> {
    match (path, method.as_str()) {
        (Path::All, "GET") => objects::list::<V>(visit),
        (Path::One(name, version), "GET") => objects::get::<V>(visit, name, *version),
        (Path::One(name, version), "PATCH") => objects::update::<V>(visit, name, *version),
        (Path::One(name, None), "DELETE") => objects::delete::<V>(visit, name),
        (Path::Versions(name), "GET") => objects::versions::<V>(visit, name),
        (Path::AllDeleted, "GET") => objects::list_deleted::<V>(visit),
        (Path::Deleted(name), "GET") => objects::get_deleted::<V>(visit, name),
        (Path::Deleted(name), "DELETE") => objects::purge::<V>(visit, name),
        (Path::Recover(name), "POST") => objects::recover::<V>(visit, name),
        _ => Err(NotServed::route(visit.call).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vault_is_one_label_before_the_suffix() {
        let vault = |address: &str| vault_of(&address.parse().unwrap()).map(str::to_owned);
        assert_eq!(vault("http://KV-1.vault.localhost:80/").as_deref(), Some("kv-1"));
        for other in [
            "http://vault.localhost/",
            "http://a.b.vault.localhost/",
            "http://evil-vault.localhost/",
            "http://127.0.0.1/",
        ] {
            assert_eq!(vault(other), None, "{other}");
        }
        assert_eq!(address(&"https://127.0.0.1:7/".parse().unwrap(), "KV"), "https://kv.vault.localhost:7/");
    }
}
