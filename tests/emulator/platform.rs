//! An environment of Power Platform with a key, and what its tests ask again and again.

use std::time::Duration;

use palisade::emulator::{Attributes, Key, KeyVersion, PlatformEnvironment, World};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{ARM, Ask, Fixture, Reply, VAULT, grant, options, start_of_time, vault_of, world};
use crate::support::{STRANGER, Who};

pub(crate) const ADMIN: &str = "https://service.powerapps.com";
pub(crate) const PLATFORM: &str = "https://api.powerplatform.com";
pub(crate) const ENVIRONMENT: &str = "1bd6bd98-0000-4000-8000-00000000e001";
pub(crate) const POLICIES: &str = "/subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg-Secrets/providers/Microsoft.PowerPlatform/enterprisePolicies";
pub(crate) const VERSION: &str = "?api-version=2020-10-30-preview";
/// Key Vault Crypto Service Encryption User.
pub(crate) const ENCRYPTION_USER: &str = "e147488a-f6f5-4113-8e2d-b22465e65bf6";

/// One version of a key.
pub(crate) fn key_version(number: u8, kty: &str, bits: u16) -> KeyVersion {
    let at = start_of_time();
    KeyVersion {
        version: format!("{number:032x}"),
        kty: kty.into(),
        key_size: Some(bits),
        crv: None,
        key_ops: vec!["wrapKey".into(), "unwrapKey".into()],
        attributes: Attributes { enabled: true, not_before: None, expires: None, created: at, updated: at },
        tags: None,
    }
}

pub(crate) fn key(name: &str) -> Key {
    Key { name: name.into(), versions: vec![key_version(1, "RSA", 2048)], deleted: None }
}

pub(crate) fn environment_of(world: &mut World) -> &mut PlatformEnvironment {
    world.power_platform_environments.get_mut(ENVIRONMENT).unwrap()
}

pub(crate) struct Scene {
    pub(crate) f: Fixture,
    pub(crate) admin: String,
    pub(crate) platform: String,
    pub(crate) arm: String,
}

impl Scene {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut World)) -> Self {
        let mut world = world();
        vault_of(&mut world).keys.insert("pp-key".into(), key("pp-key"));
        change(&mut world);
        let f = Fixture::with(options(world, Vec::new())).await;
        let (admin, platform, arm) = (f.admin(ADMIN).await, f.admin(PLATFORM).await, f.admin(ARM).await);
        Self { f, admin, platform, arm }
    }

    /// Asks administration; `path` is below its namespace.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Reply {
        let separator = if path.contains('?') { '&' } else { '?' };
        let path = format!("/providers/Microsoft.BusinessAppPlatform/{path}{separator}api-version=2019-10-01");
        let ask = Ask::token(&self.admin);
        self.f.ask(method, &path, body.map_or(ask.clone(), |body| ask.json(&body))).await
    }

    /// Asks the published service.
    pub(crate) async fn publicly(&self, method: &str, path: &str) -> Reply {
        let separator = if path.contains('?') { '&' } else { '?' };
        let path = format!("/environmentmanagement/{path}{separator}api-version=2024-10-01");
        self.f.ask(method, &path, Ask::token(&self.platform)).await
    }

    /// Creates an encryption policy.
    pub(crate) async fn policy(&self, name: &str, key: &str) -> Value {
        let body = policy_body(key);
        let reply = self.f.ask("PUT", &format!("{POLICIES}/{name}{VERSION}"), Ask::token(&self.arm).json(&body)).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        reply.json()
    }

    /// The same, with what its identity needs.
    pub(crate) async fn granted(&self, name: &str) -> Value {
        let policy = self.policy(name, "pp-key").await;
        self.grant(&policy);
        policy
    }

    pub(crate) fn grant(&self, policy: &Value) {
        let object_id: Uuid = policy["identity"]["principalId"].as_str().unwrap().parse().unwrap();
        let who = Who { app_id: STRANGER.app_id, object_id };
        self.change(|world| grant(world, who, ENCRYPTION_USER, VAULT));
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut World)) {
        self.f.emulator.change(change).unwrap();
    }

    pub(crate) async fn link(&self, policy: &Value) -> Reply {
        self.linking("link", policy).await
    }

    pub(crate) async fn linking(&self, verb: &str, policy: &Value) -> Reply {
        let body = json!({ "SystemId": policy["properties"]["systemId"] });
        self.ask("POST", &format!("environments/{ENVIRONMENT}/enterprisePolicies/Encryption/{verb}"), Some(body)).await
    }

    /// Links, and lets the operation end.
    pub(crate) async fn linked(&self, policy: &Value) {
        let reply = self.link(policy).await;
        assert_eq!(reply.status, 202, "{}", reply.text);
        self.advance(5);
        assert_eq!(self.standing().await, ("Linked".to_owned(), policy["id"].as_str().unwrap().to_owned()));
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.f.clock.advance(Duration::from_secs(seconds));
    }

    /// The environment's properties.
    pub(crate) async fn properties(&self) -> Value {
        let reply = self.ask("GET", &format!("scopes/admin/environments/{ENVIRONMENT}"), None).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.json()["properties"].clone()
    }

    /// Status and policy of the encryption link; empty without one.
    pub(crate) async fn standing(&self) -> (String, String) {
        let link = self.properties().await["enterprisePolicies"]["customerManagedKeys"].clone();
        let text = |member: &str| link[member].as_str().unwrap_or_default().to_owned();
        (text("linkStatus"), text("id"))
    }

    /// The latest operation.
    pub(crate) async fn operation(&self) -> Value {
        let path = format!("lifecycleOperations?$filter=environment%20eq%20'{ENVIRONMENT}'");
        let reply = self.ask("GET", &path, None).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.json()["value"][0].clone()
    }
}

pub(crate) fn policy_body(key: &str) -> Value {
    json!({ "location": "europe", "kind": "Encryption", "identity": { "type": "SystemAssigned" },
            "properties": { "lockbox": null, "networkInjection": null,
                            "encryption": { "state": "Enabled", "keyVault": { "id": VAULT, "key": { "name": key } } } } })
}

/// Status and code of a refusal, in any envelope.
pub(crate) fn refusal(reply: &Reply) -> (u16, String) {
    let body = reply.json();
    let code = body["error"]["code"].as_str().or(body["errorDetail"]["code"].as_str());
    (reply.status.as_u16(), code.unwrap_or_default().to_owned())
}
