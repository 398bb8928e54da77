//! How a client other than palisade gets at a running emulator.
//!
//! Invariants: what is told is worth something at this emulator only; a secret that isn't the built-in one isn't told.

use std::collections::BTreeMap;

use url::Url;
use uuid::Uuid;

use super::world::World;
use super::{CLIENT_ID, CLIENT_SECRET, gate, key_vault};

/// What a client needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    /// The tenant; none in a world that nothing was put into.
    pub tenant: Option<Uuid>,
    /// Application (client) id of the built-in client, if the world has it.
    pub client_id: Option<Uuid>,
    /// Its secret.
    pub client_secret: Option<&'static str>,
    /// Where Entra is served: the address without the tenant. https where there is any, since most clients insist on it.
    pub authority: Url,
    /// Where tokens are to be had.
    pub token_endpoint: Option<Url>,
    /// Addresses of the vaults by their names.
    pub vaults: BTreeMap<String, String>,
}

/// The scopes of the services, by the names under which the ready file has them.
pub const SCOPES: [(&str, &str); 6] = [
    ("resourceManager", gate::ARM),
    ("keyVault", gate::KEY_VAULT),
    ("graph", gate::GRAPH),
    ("customerInsights", gate::CUSTOMER_INSIGHTS),
    ("powerPlatformAdministration", gate::PLATFORM_ADMIN),
    ("powerPlatform", gate::PLATFORM),
];

impl SignIn {
    /// For a world that is served at `origin`.
    pub(super) fn of(world: &World, origin: &Url) -> Self {
        let tenant = world.tenant.as_ref().map(|tenant| tenant.id);
        let client = world.application(CLIENT_ID).and_then(|(_, application)| application.client.as_ref());
        let vaults = world.vaults.keys().map(|name| (name.clone(), key_vault::address(origin, name)));
        Self {
            tenant,
            client_id: client.map(|_| CLIENT_ID),
            client_secret: client.filter(|c| c.secret.expose() == CLIENT_SECRET).map(|_| CLIENT_SECRET),
            authority: origin.clone(),
            token_endpoint: tenant.and_then(|tenant| origin.join(&format!("{tenant}/oauth2/v2.0/token")).ok()),
            vaults: vaults.collect(),
        }
    }
}
