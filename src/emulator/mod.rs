//! The services that palisade talks to, served on loopback.
//!
//! One port for http and one for https speak the real routes of Entra, Microsoft Graph, Customer Insights, Azure Resource
//! Manager and Power Platform, told apart by path, and of key vaults, told apart by host (`NAME.vault.localhost`). Words: the [`World`] is what is served, the [`Store`] is where it is kept, a [`Rule`] makes calls fail on purpose,
//! an [`Observer`] lets a test hold a call. What must stay true: where the emulator and the published documents disagree,
//! the documents win; what no document says is chosen where the code says so; the emulator listens on loopback only; a
//! write is complete and on disk before its answer leaves; the clock is the only source of instants.
//!
//! The layout: `server` takes calls from the wire and strikes `faults`; `inside` brings it calls without a wire; a service per file or folder (`entra`, `graph`,
//! `customer_insights`, `arm`, `power_platform`, `key_vault`, `control`) brings its routes; `gate` checks tokens and keys; `rights` knows Azure's
//! roles; `rotating` makes the versions of keys that are due; `call` is a request as they see it; `sign_in` tells other clients how to get in; `unserved` says what has no answer, `encryption_keys` whether a key can be used, `api_versions` which versions are taken; `views` asks the world.

mod api_versions;
mod arm;
mod built_in_roles;
mod call;
mod control;
mod customer_insights;
mod encryption_keys;
mod entra;
mod faults;
mod gate;
mod graph;
mod inside;
mod key_vault;
mod log;
mod power_platform;
mod rights;
mod rotating;
pub mod seed;
mod server;
mod sign_in;
mod store;
mod tls;
mod tokens;
mod unserved;
mod views;
mod world;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use url::Url;
use uuid::Uuid;

use crate::clock::{Clock, Ids};

pub use faults::{Action, Rule, parse_rules};
pub use inside::Inside;
pub use log::Seen;
pub use seed::{Added, SeedError, Thing, Wanted, WantedEnvironment, WantedKey, WantedPolicy, WantedVault, bind, seed};
pub use sign_in::{SCOPES, SignIn};
pub use store::{Store, StoreError};
pub use world::{
    Access, AccessPolicy, AdminApplication, ApiSubscription, Application, ArmOperation, Assignment, Attributes,
    AzurePrincipalType, Behaviour, Bucket, CdsOrgInfo, ChallengeResource, Client, Connection, ConnectionChange,
    ConnectionStatus, CustomRole, Decision, DefaultAction, DeletedVault, Deletion, Earlier, EnterprisePolicy, FORMAT,
    Group, Instance, InstanceMetadata, Key, KeyVaultLink, KeyVersion, LifecycleFailure, LifecycleOperation,
    LifecycleWork, LinkEndpoint, LinkKind, List, Masked, NetworkAcls, Permission, PlatformDataverse,
    PlatformEnvironment, PolicyKey, PolicyLink, PolicyPermissions, PrincipalType, PrivateLink, ResourceGroup,
    RoleAssignment, RotationPolicy, RotationTrigger, Secret, SecretVersion, StaleReads, StorageAccount, Subscription,
    SynapseWorkspace, Table, Tenant, User, UserAssignedIdentity, Vault, VaultObject, VaultSku, Versioned, World,
};

/// Application (client) id of the client that seeded worlds know.
pub const CLIENT_ID: Uuid = Uuid::from_u128(0x8f14_e45f_0000_4000_8000_0000_0000_00c1);

/// Its secret. Worth nothing anywhere else, so it may stand here.
pub const CLIENT_SECRET: &str = "palisade-emulator-only";

/// Application id of Customer Insights itself, which reads linked vaults.
pub const SERVICE_APP: Uuid = Uuid::from_u128(0x0bfc_4568_a4ba_4c58_bd3e_5d3e_76bd_7fff);

/// How to run the emulator.
pub struct Options {
    /// Where to listen for http; port 0 takes a free one.
    pub http: SocketAddr,
    /// Where to listen for https, if at all.
    pub https: Option<SocketAddr>,
    /// Where to write the self-signed certificate (PEM).
    pub certificate: Option<PathBuf>,
    /// What to serve.
    pub world: Store,
    /// What goes wrong on purpose.
    pub faults: Vec<Rule>,
    /// What time it is.
    pub clock: Clock,
    /// Where the ids of requests come from.
    pub ids: Ids,
    /// Who may hold calls.
    pub observer: Option<Arc<dyn Observer>>,
}

/// A request as an [`Observer`] sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenRequest {
    /// Method.
    pub method: String,
    /// The vault, if the request is to one.
    pub vault: Option<String>,
    /// Path, without the query.
    pub path: String,
    /// Query, undecoded.
    pub query: Option<String>,
    /// Application id of the caller, if it sent a token of ours.
    pub caller: Option<Uuid>,
}

/// Is told about every call and may hold it, so that a test can arrange an order of events without sleeping.
pub trait Observer: Send + Sync {
    /// Awaited before the request is handled, and before faults strike.
    fn before<'a>(&'a self, request: &'a SeenRequest) -> BoxFuture<'a, ()>;

    /// Awaited after the request took effect, before its answer is sent. Not called if the request isn't handled.
    fn after<'a>(&'a self, request: &'a SeenRequest, status: u16) -> BoxFuture<'a, ()>;
}

/// Why the emulator couldn't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Not a loopback address.
    #[error("the emulator listens on loopback only, not on {0}")]
    NotLoopback(SocketAddr),
    /// The port can't be had.
    #[error("cannot listen on {address}")]
    Bind {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The certificate couldn't be made.
    #[error("cannot make a certificate for https: {0}")]
    Tls(String),
    /// The certificate couldn't be written.
    #[error("cannot write the certificate {}", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// An address came out malformed.
    #[error("the address {0} makes no URL")]
    Url(SocketAddr),
}

/// What all services share.
pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) ids: Ids,
    pub(crate) tokens: tokens::Tokens,
    pub(crate) log: log::Log,
    pub(crate) throttle: key_vault::Throttle,
    pub(crate) arm_throttle: arm::Throttle,
}

/// A running emulator. Dropping it stops it as well, without waiting.
pub struct Emulator {
    http: Url,
    https: Option<Url>,
    certificate: Option<PathBuf>,
    shared: Arc<Shared>,
    server: Arc<server::Server>,
    stop: watch::Sender<bool>,
    listeners: Vec<JoinHandle<()>>,
    ended: mpsc::Receiver<()>,
}

/// Starts the emulator on the current tokio runtime.
pub async fn start(options: Options) -> Result<Emulator, StartError> {
    let Options { http, https, certificate, world, faults, clock, ids, observer } = options;
    let vaults: Vec<String> = world.read(|w| w.vaults.keys().cloned().collect());
    let (http_listener, http) = server::listen(http, "http").await?;
    let https = match https {
        Some(address) => {
            Some((server::listen(address, "https").await?, tls::acceptor(certificate.as_deref(), &vaults)?))
        }
        None => None,
    };
    let mut emulator = serve(world, faults, clock, ids, observer, http.clone());
    let server = Arc::clone(&emulator.server);
    emulator.listeners.push(tokio::spawn(Arc::clone(&server).accept(http_listener, None, http)));
    if let Some(((listener, url), acceptor)) = https {
        emulator.listeners.push(tokio::spawn(server.accept(listener, Some(acceptor), url.clone())));
        emulator.https = Some(url);
    }
    emulator.certificate = certificate.filter(|_| emulator.https.is_some());
    Ok(emulator)
}

/// Starts an emulator that listens nowhere and is reached through [`Emulator::inside`]; its addresses begin with the
/// address that [`Emulator::http`] names all the same.
pub fn start_inside(
    world: Store,
    faults: Vec<Rule>,
    clock: Clock,
    ids: Ids,
    observer: Option<Arc<dyn Observer>>,
) -> Result<Emulator, StartError> {
    let origin = Url::parse("http://localhost/").map_err(|_| StartError::Url(([127, 0, 0, 1], 80).into()))?;
    Ok(serve(world, faults, clock, ids, observer, origin))
}

fn serve(
    world: Store,
    faults: Vec<Rule>,
    clock: Clock,
    ids: Ids,
    observer: Option<Arc<dyn Observer>>,
    origin: Url,
) -> Emulator {
    let shared = Arc::new(Shared {
        store: world,
        clock,
        ids,
        tokens: tokens::Tokens::new(),
        log: log::Log::default(),
        throttle: key_vault::Throttle::default(),
        arm_throttle: arm::Throttle::default(),
    });
    let (stop, stopped) = watch::channel(false);
    let (alive, ended) = mpsc::channel(1);
    let server = Arc::new(server::Server::new(Arc::clone(&shared), faults, observer, stopped, alive));
    let (https, certificate, listeners) = (None, None, Vec::new());
    Emulator { http: origin, https, certificate, shared, server, stop, listeners, ended }
}

impl Emulator {
    /// The http origin.
    pub fn http(&self) -> &Url {
        &self.http
    }

    /// The https origin.
    pub fn https(&self) -> Option<&Url> {
        self.https.as_ref()
    }

    /// Where the certificate was written.
    pub fn certificate(&self) -> Option<&Path> {
        self.certificate.as_deref()
    }

    /// The way in without a socket. For the thread, and the runtime, that uses it.
    pub fn inside(&self) -> Inside {
        Inside::new(&self.server, self.http.clone())
    }

    /// How another client signs in, over https if that is served.
    pub fn sign_in(&self) -> SignIn {
        let origin = self.https.as_ref().unwrap_or(&self.http);
        self.shared.store.read(|world| SignIn::of(world, origin))
    }

    /// The world as it is now.
    pub fn world(&self) -> World {
        self.shared.store.read(World::clone)
    }

    /// Changes the world from outside, as a portal or another client of the services would.
    pub fn change(&self, change: impl FnOnce(&mut World)) -> Result<(), StoreError> {
        self.shared.store.change(|world| {
            change(world);
            Ok(())
        })
    }

    /// The requests so far, in order of arrival (the latest ten thousand).
    pub fn requests(&self) -> Vec<Seen> {
        self.shared.log.all()
    }

    /// Stops listening, drops what is under way, and lets go of the world file.
    pub async fn stop(self) {
        let Self { shared, server, stop, listeners, mut ended, .. } = self;
        stop.send_replace(true);
        drop(server);
        for listener in listeners {
            // A listener that panicked has ended, too.
            let _ = listener.await;
        }
        // Ends when the last connection and the last request under way are gone.
        let _ = ended.recv().await;
        drop(shared);
    }
}
