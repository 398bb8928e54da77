//! A small fixed world, an emulator that serves it, and a client that speaks plain HTTP.

use std::collections::BTreeMap;

use jiff::Timestamp;
use palisade::clock::{Clock, Ids};
use palisade::emulator::{
    Access, Application, AzurePrincipalType, Client, Emulator, Group, Masked, Options, RoleAssignment, Rule, Store,
    User, Vault, Wanted, WantedEnvironment, WantedVault, World, seed, start,
};
use palisade::settings::users::PrincipalRef;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) const TENANT: Uuid = Uuid::from_u128(0x7b1f_0c52_0000_4000_8000_0000_0000_00aa);
pub(crate) const INSTANCE: Uuid = Uuid::from_u128(0x6f2b_1c34_0000_4000_8000_0000_0000_a001);
pub(crate) const GROUP: Uuid = Uuid::from_u128(0x3b0c_2c6e_0000_4000_8000_0000_0000_c001);
pub(crate) const OUTER_GROUP: Uuid = Uuid::from_u128(0x3b0c_2c6e_0000_4000_8000_0000_0000_c002);
pub(crate) const BARE: Uuid = Uuid::from_u128(0x9d1e_7a55_0000_4000_8000_0000_0000_d001);
pub(crate) const EXPORT_APP: Uuid = Uuid::from_u128(0x5e0c_9c1a_0000_4000_8000_0000_0000_b001);
pub(crate) const SUBSCRIPTION: &str = "11110000-0000-4000-8000-00000000aaaa";
pub(crate) const GROUP_SCOPE: &str = "/subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg-Lake";
pub(crate) const LAKE: &str = "/subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg-Lake/providers/Microsoft.Storage/storageAccounts/contosolake";
pub(crate) const WORKSPACE: &str = "/subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg-Lake/providers/Microsoft.Synapse/workspaces/contoso-Synapse";
pub(crate) const VAULT: &str = "/subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg-Secrets/providers/\
                                Microsoft.KeyVault/vaults/kv-CI-prod";
pub(crate) const ARM: &str = "https://management.azure.com";
pub(crate) const KEY_VAULT: &str = "https://vault.azure.net";
pub(crate) const CI: &str = "https://api.ci.ai.microsoft.com";
pub(crate) const GRAPH: &str = "https://graph.microsoft.com";

/// A client of the world: application id and service principal.
#[derive(Clone, Copy)]
pub(crate) struct Who {
    pub(crate) app_id: Uuid,
    pub(crate) object_id: Uuid,
}

const fn who(number: u128) -> Who {
    Who { app_id: Uuid::from_u128(0xc0_0000_0000 + number), object_id: Uuid::from_u128(0x0b_0000_0000 + number) }
}

/// Holds Viewer.
pub(crate) const VIEWER: Who = who(1);
/// Holds Contributor through a group in a group.
pub(crate) const NESTED: Who = who(2);
/// Holds nothing, and may not read the directory.
pub(crate) const STRANGER: Who = who(3);
const SECRET: &str = "test";

pub(crate) fn start_of_time() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

pub(crate) fn wanted() -> Wanted {
    Wanted {
        tenant: TENANT,
        environments: vec![WantedEnvironment {
            key: "prod".into(),
            instance_id: Some(INSTANCE),
            environment_id: "1bd6bd98-0000-4000-8000-00000000e001".into(),
            name: Some("Contoso prod".into()),
            business_units: false,
            principals: vec![
                PrincipalRef::User { upn: "ada@contoso.com".into(), id: None },
                PrincipalRef::Group { name: "CI Contributors".into(), id: GROUP },
                PrincipalRef::App { name: "nightly-export".into(), app_id: EXPORT_APP },
                PrincipalRef::Principal { id: BARE },
            ],
        }],
        vaults: vec![WantedVault { id: VAULT.into() }],
        resources: vec![LAKE.into(), WORKSPACE.into()],
        ..Wanted::default()
    }
}

pub(crate) fn world() -> World {
    let mut world = World::new(None);
    seed(&mut world, &wanted(), start_of_time()).unwrap();
    for (who, name, graph) in [
        (VIEWER, "viewer", Access::Allowed),
        (NESTED, "nested", Access::Allowed),
        (STRANGER, "stranger", Access::Denied),
    ] {
        let client = Some(Client { secret: Masked::new(SECRET), graph });
        let application = Application { app_id: who.app_id, display_name: name.into(), client };
        world.applications.insert(who.object_id, application);
    }
    let inner = world.groups.get_mut(&GROUP).unwrap();
    inner.members.insert(NESTED.object_id);
    world.groups.insert(OUTER_GROUP, Group { display_name: "Outer".into(), members: [GROUP].into() });
    let instance = world.instances.get_mut(&INSTANCE).unwrap();
    for (id, kind, role) in [(VIEWER.object_id, "app", "Viewer"), (OUTER_GROUP, "group", "Contributor")] {
        let assignment = json!({ "principalId": id, "principalType": kind, "roles": [role] });
        instance.assignments.push(serde_json::from_value(assignment).unwrap());
    }
    world
}

/// Gives a client an Azure role.
pub(crate) fn grant(world: &mut World, who: Who, role: &str, scope: &str) {
    world.role_assignments.push(RoleAssignment {
        name: Ids::random().new_id(),
        scope: scope.into(),
        role_definition: role.parse().unwrap(),
        principal_id: who.object_id,
        principal_type: AzurePrincipalType::ServicePrincipal,
        description: None,
        created_on: start_of_time(),
    });
}

/// The seeded vault.
pub(crate) fn vault_of(world: &mut World) -> &mut Vault {
    world.vaults.get_mut("kv-ci-prod").unwrap()
}

/// The object id that seeding gave a user.
pub(crate) fn user_id(world: &World, upn: &str) -> Uuid {
    let named = |user: &User| user.user_principal_name == upn;
    *world.users.iter().find(|(_, user)| named(user)).unwrap().0
}

/// The object id of an application's service principal.
pub(crate) fn principal_of(world: &World, app_id: Uuid) -> Uuid {
    *world.applications.iter().find(|(_, a)| a.app_id == app_id).unwrap().0
}

pub(crate) struct Fixture {
    pub(crate) emulator: Emulator,
    pub(crate) clock: Clock,
    pub(crate) http: reqwest::Client,
}

pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|v| v.to_str().ok())
    }
}

/// What a test sends besides method and path.
#[derive(Default, Clone)]
pub(crate) struct Ask {
    pub(crate) token: Option<String>,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Option<String>,
}

impl Ask {
    pub(crate) fn token(token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..Self::default() }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        Self { body: Some(body.to_string()), ..self }.header("content-type", "application/json")
    }
}

pub(crate) fn plain_client() -> reqwest::Client {
    // Fails if another test was first, which is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // Vaults' names resolve nowhere; the port of the address doesn't count.
    let builder = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    let vaults = ["kv-ci-prod", "kv-old", "nowhere"].map(|name| format!("{name}.vault.localhost"));
    let builder = vaults.iter().fold(builder, |builder, host| builder.resolve(host, ([127, 0, 0, 1], 0).into()));
    builder.build().unwrap()
}

pub(crate) fn options(world: World, faults: Vec<Rule>) -> Options {
    Options {
        http: ([127, 0, 0, 1], 0).into(),
        https: None,
        certificate: None,
        world: Store::memory(world),
        faults,
        clock: Clock::simulated(start_of_time()),
        ids: Ids::seeded(1),
        observer: None,
    }
}

impl Fixture {
    pub(crate) async fn start() -> Self {
        Self::with(options(world(), Vec::new())).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        let clock = options.clock.clone();
        let emulator = start(options).await.unwrap();
        Self { emulator, clock, http: plain_client() }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.emulator.http().as_str().trim_end_matches('/'))
    }

    /// The address of a path of a vault.
    pub(crate) fn vault_url(&self, vault: &str, path: &str) -> String {
        format!("http://{vault}.vault.localhost:{}{path}", self.emulator.http().port().unwrap())
    }

    pub(crate) async fn try_ask(&self, method: &str, path: &str, ask: Ask) -> reqwest::Result<Reply> {
        let Ask { token, headers, body } = ask;
        let method: Method = method.parse().unwrap();
        let url = if path.starts_with("http") { path.to_owned() } else { self.url(path) };
        let mut request = self.http.request(method, url);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        for (name, value) in headers {
            request = request.header(name, value);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        let response = request.send().await?;
        Ok(Reply { status: response.status(), headers: response.headers().clone(), text: response.text().await? })
    }

    pub(crate) async fn ask(&self, method: &str, path: &str, ask: Ask) -> Reply {
        self.try_ask(method, path, ask).await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Reply {
        self.ask("GET", path, Ask::token(token)).await
    }

    pub(crate) async fn token_reply(&self, tenant: &str, form: &[(&str, &str)]) -> Reply {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let ask = Ask { body: Some(body), ..Ask::default() };
        let ask = ask.header("content-type", "application/x-www-form-urlencoded");
        self.ask("POST", &format!("/{tenant}/oauth2/v2.0/token"), ask).await
    }

    async fn token_for(&self, client: Uuid, secret: &str, resource: &str) -> String {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", &client.to_string()),
            ("client_secret", secret),
            ("scope", &format!("{resource}/.default")),
        ];
        let reply = self.token_reply(&TENANT.to_string(), &form).await;
        reply.json()["access_token"].as_str().unwrap_or_else(|| panic!("{}", reply.text)).to_owned()
    }

    /// A token of the embedded client, which is Admin.
    pub(crate) async fn admin(&self, resource: &str) -> String {
        self.token_for(palisade::emulator::CLIENT_ID, palisade::emulator::CLIENT_SECRET, resource).await
    }

    pub(crate) async fn token(&self, who: Who, resource: &str) -> String {
        self.token_for(who.app_id, SECRET, resource).await
    }
}
