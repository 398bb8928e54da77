//! An emulator inside the test process, and palisade's own clients connected to it as a session connects them.
//!
//! Used by several test binaries (`#[path = "../support/mod.rs"] mod support;`), none of which needs all of it.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test helpers may fail loudly")]

use std::rc::Rc;

use jiff::Timestamp;
use palisade::azure::customer_insights::Instance;
use palisade::azure::exchange::Http;
use palisade::azure::hosts::Hosts;
use palisade::azure::key_vault::SecretAddress;
use palisade::azure::retry::Limits;
use palisade::azure::{ClientCredentials, Quiet, Reader, Settings, Transport, Writer};
use palisade::clock::{Clock, Ids};
use palisade::emulator::{
    Access, Application, AzurePrincipalType, CLIENT_ID, CLIENT_SECRET, Client, Emulator, Masked, Options,
    RoleAssignment, StartError, Store, Vault, Wanted, WantedEnvironment, WantedVault, World, parse_rules, seed, start,
};
use palisade::terms::Face;
use secrecy::SecretString;
use url::Url;
use uuid::Uuid;

pub(crate) const TENANT: Uuid = Uuid::from_u128(0x7b1f_0c52_0000_4000_8000_0000_0000_00aa);
pub(crate) const INSTANCE: Uuid = Uuid::from_u128(0x6f2b_1c34_0000_4000_8000_0000_0000_a001);
pub(crate) const VAULT: &str = "/subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg-secrets/providers/Microsoft.KeyVault/vaults/kv-ci-prod";
pub(crate) const LAKE: &str = "/subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg-lake/providers/Microsoft.Storage/storageAccounts/contosolake";
pub(crate) const WORKSPACE: &str = "/subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg-lake/providers/Microsoft.Synapse/workspaces/contoso-synapse";
/// A client that holds nothing until a test gives it something.
pub(crate) const STRANGER: Uuid = Uuid::from_u128(0xc0_0000_0003);
/// Its service principal.
pub(crate) const STRANGER_PRINCIPAL: Uuid = Uuid::from_u128(0x0b_0000_0003);
pub(crate) const STRANGER_SECRET: &str = "test";

/// When simulated clocks start.
pub(crate) fn start_of_time() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

/// One environment and one vault, as an empty world is given them for a configuration that names them.
pub(crate) fn world() -> World {
    let mut world = World::new(None);
    let environment = WantedEnvironment {
        key: "prod".into(),
        instance_id: Some(INSTANCE),
        environment_id: "1bd6bd98-0000-4000-8000-00000000e001".into(),
        name: Some("Contoso prod".into()),
        business_units: false,
        principals: Vec::new(),
    };
    let wanted = Wanted {
        tenant: TENANT,
        environments: vec![environment],
        vaults: vec![WantedVault { id: VAULT.into() }],
        resources: vec![LAKE.into(), WORKSPACE.into()],
        ..Wanted::default()
    };
    seed(&mut world, &wanted, start_of_time()).unwrap();
    let client = Some(Client { secret: Masked::new(STRANGER_SECRET), graph: Access::Denied });
    let application = Application { app_id: STRANGER, display_name: "stranger".into(), client };
    world.applications.insert(STRANGER_PRINCIPAL, application);
    world
}

/// The vault of [`world`].
pub(crate) fn vault_of(world: &mut World) -> &mut Vault {
    world.vaults.get_mut("kv-ci-prod").unwrap()
}

/// Gives a principal an Azure role.
pub(crate) fn grant(world: &mut World, principal_id: Uuid, role: &str, scope: &str) {
    world.role_assignments.push(RoleAssignment {
        name: Ids::random().new_id(),
        scope: scope.into(),
        role_definition: role.parse().unwrap(),
        principal_id,
        principal_type: AzurePrincipalType::ServicePrincipal,
        description: None,
        created_on: start_of_time(),
    });
}

/// An emulator in this process.
pub(crate) struct Services {
    pub(crate) emulator: Emulator,
    pub(crate) clock: Clock,
}

impl Services {
    /// Serves [`world`] after a change, with faults (the text of a rule file; empty for none).
    pub(crate) async fn with(change: impl FnOnce(&mut World), faults: &str) -> Self {
        let mut world = world();
        change(&mut world);
        Self::serve(world, faults).await
    }

    /// Serves a world.
    pub(crate) async fn serve(world: World, faults: &str) -> Self {
        Self::listen(world, faults, 0).await.unwrap()
    }

    /// Serves a world with faults that name the emulator's own port.
    pub(crate) async fn serve_knowing_its_port(world: World, faults: impl Fn(u16) -> String) -> Self {
        loop {
            let free = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
            // Somebody else may have taken it meanwhile.
            match Self::listen(world.clone(), &faults(free), free).await {
                Err(StartError::Bind { .. }) => {}
                other => return other.unwrap(),
            }
        }
    }

    async fn listen(world: World, faults: &str, port: u16) -> Result<Self, StartError> {
        let clock = Clock::simulated(start_of_time());
        let faults = if faults.is_empty() { Vec::new() } else { parse_rules(faults).unwrap() };
        let options = Options {
            http: ([127, 0, 0, 1], port).into(),
            https: None,
            certificate: None,
            world: Store::memory(world),
            faults,
            clock: clock.clone(),
            ids: Ids::seeded(1),
            observer: None,
        };
        Ok(Self { emulator: start(options).await?, clock })
    }

    /// A connection like the one of a session, on behalf of a client of the world.
    pub(crate) fn transport(&self, client: Uuid, secret: &str) -> Rc<Transport> {
        self.transport_at(self.emulator.http(), client, secret)
    }

    /// The same, at another address that leads to the emulator.
    pub(crate) fn transport_at(&self, origin: &Url, client: Uuid, secret: &str) -> Rc<Transport> {
        Rc::new(Transport::new(Settings {
            exchange: Rc::new(Http::new(&Hosts::emulator(origin).unwrap())),
            hosts: Hosts::emulator(origin).unwrap(),
            face: Face::ScaleUnit,
            subscription_key: None,
            tokens: Box::new(ClientCredentials::new(
                TENANT.to_string(),
                client.to_string(),
                SecretString::from(secret.to_owned()),
            )),
            clock: self.clock.clone(),
            limits: Limits::default(),
            per_host: 8,
            notices: Rc::new(Quiet),
        }))
    }

    /// Writes (and reads) as the client that seeding makes Admin.
    pub(crate) fn admin(&self) -> Writer {
        Writer::new(self.transport(CLIENT_ID, CLIENT_SECRET), "")
    }

    /// Reads as the client that holds nothing.
    pub(crate) fn stranger(&self) -> Reader {
        self.stranger_writer().reader().clone()
    }

    /// Writes as the client that holds nothing.
    pub(crate) fn stranger_writer(&self) -> Writer {
        Writer::new(self.transport(STRANGER, STRANGER_SECRET), "")
    }

    /// How many requests there were whose path fits.
    pub(crate) fn count(&self, method: &str, part: &str) -> usize {
        self.emulator.requests().iter().filter(|r| r.method == method && r.path.contains(part)).count()
    }
}

/// The environment of [`world`].
pub(crate) fn instance() -> Instance {
    Instance { id: INSTANCE, scale_unit: None }
}

/// A secret in the vault of [`world`].
pub(crate) fn secret() -> SecretAddress {
    SecretAddress { vault: "kv-ci-prod".into(), name: "ci-api-key".into() }
}
