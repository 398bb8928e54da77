//! Comparing customer-managed keys: a table of what can be wrong, of how a link can stand, and of what is done about it.

mod going_on;
mod kept;
mod lifeline;
mod linked;
mod links;
mod steps;
mod unfit;

use std::rc::Rc;

use jiff::Timestamp;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::block::{Declared, Protection, Retained, Wanted};
use super::codes;
use super::compare::compare;
use super::observe::{Chain, Creation, Observed};
use crate::azure::authorization::RoleAssignment;
use crate::azure::power_platform::environments::{Dataverse, Environment, ProtectionLevel, Runtime, Sku};
use crate::azure::power_platform::policies::{Key, Policy, PolicyKind, Registered, Registration};
use crate::azure::power_platform::{EnvironmentId, Link, LinkStatus, Links, SystemId};
use crate::azure::rights::{Holding, roles};
use crate::azure::vault_keys::KeyVersion;
use crate::azure::vaults::Vault;
use crate::plan::{Findings, NoteCode, NoteKind};
use crate::settings::blocks::Blocks;
use crate::settings::encryption_keys::{Granted, KeyRef, Seen, Upkeep};
use crate::settings::hosting::Hosting;
use crate::settings::lifecycle::Course;
use crate::settings::observation::Unreadable;
use crate::settings::setting::{Comparing, Elsewhere};
use crate::settings::surface::Surface;
use crate::settings::{self, managed_environment, registry};
use crate::terms::{EnvironmentHead, Head, Place, ResourceId};

const GROUP: &str = "/subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg-cmk/providers";
const TENANT: Uuid = Uuid::from_u128(0x7b1f_0c52_0000_4000_8000_0000_0000_00aa);
const IDENTITY: Uuid = Uuid::from_u128(0x1d00_0000_0000_4000_8000_0000_0000_0001);
const VERSION: &str = "0123456789abcdef0123456789abcdef";

fn now() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

fn place() -> Place {
    Place { file: "palisade.yaml".into(), line: 1, column: 1 }
}

fn policy_id(name: &str) -> ResourceId {
    format!("{GROUP}/Microsoft.PowerPlatform/enterprisePolicies/{name}").parse().unwrap()
}

fn system_id(name: &str) -> SystemId {
    SystemId::new(format!("/regions/europe/providers/Microsoft.PowerPlatform/enterprisePolicies/{name}")).unwrap()
}

fn key(vault: &str, name: &str) -> KeyRef {
    let vault = format!("{GROUP}/Microsoft.KeyVault/vaults/{vault}").parse().unwrap();
    KeyRef { vault, name: name.into(), version: None }
}

fn policy(name: &str, key: &KeyRef) -> Policy {
    Policy {
        id: policy_id(name),
        location: "europe".into(),
        kind: PolicyKind::Encryption,
        identity: Some("SystemAssigned".into()),
        principal: Some(IDENTITY.into()),
        system_id: Some(system_id(name)),
        health: None,
        key: Some(Key {
            state: Some("Enabled".into()),
            vault: Some(key.vault.resource().clone()),
            name: Some(key.name.clone()),
            version: key.version.clone(),
        }),
        tags: Default::default(),
    }
}

fn vault(properties: &[(&str, Json)]) -> Vault {
    let mut vault = json!({ "location": "northeurope", "properties": {
        "tenantId": TENANT, "enableSoftDelete": true, "enablePurgeProtection": true, "enableRbacAuthorization": true,
        "publicNetworkAccess": "Enabled" } });
    for (name, value) in properties {
        match *name {
            "location" => vault["location"] = value.clone(),
            name => vault["properties"][name] = value.clone(),
        }
    }
    serde_json::from_value(vault).unwrap()
}

fn version() -> KeyVersion {
    KeyVersion {
        version: Some(VERSION.into()),
        kind: Some("RSA".into()),
        size: Some(3072),
        operations: Some(vec!["wrapKey".into(), "unwrapKey".into()]),
        enabled: Some(true),
        not_before: None,
        expires: None,
        created: Some(now() - jiff::SignedDuration::from_hours(2000)),
        updated: None,
    }
}

fn chain(name: &str, key: &KeyRef) -> Chain {
    Chain {
        id: policy_id(name),
        policy: Ok(Some(Rc::new(policy(name, key)))),
        key: Some(key.clone()),
        seen: Seen {
            vault: Ok(Some(Rc::new(vault(&[])))),
            version: Ok(Some(version())),
            versions: Ok([version()].into()),
            rotation: None,
            kept: None,
        },
        own: Some(granted(key)),
    }
}

fn assignment() -> RoleAssignment {
    RoleAssignment {
        name: Uuid::nil(),
        scope: GROUP.into(),
        role: roles::KEY_VAULT_CRYPTO_ENCRYPTION_USER.id,
        principal_id: IDENTITY.into(),
        principal_type: None,
        description: None,
        condition: None,
        created: None,
    }
}

fn granted(key: &KeyRef) -> Granted {
    Granted {
        key: key.clone(),
        vault: Ok(Some(Rc::new(vault(&[])))),
        held: Ok([assignment()].into()),
        granting: Some(Ok(Holding::Held)),
    }
}

fn link(name: &str, status: Option<LinkStatus>) -> Link {
    Link { policy: Some(policy_id(name)), system_id: Some(system_id(name)), policy_id: None, status, error: None }
}

fn unreadable() -> Unreadable {
    Unreadable::because("it was refused")
}

struct Scene {
    declared: Declared,
    live: Environment,
    observed: Observed,
    surface: Surface,
    /// What `managedEnvironment` says beside it.
    managed: Option<bool>,
    /// What other environments declare.
    elsewhere: Vec<Elsewhere>,
}

impl Scene {
    /// On Microsoft's key; the policy `cmk-eu` stands, and its identity is granted the key.
    fn ready() -> Self {
        let key = key("kv-cmk", "pp-key");
        let wanted =
            Protection { policy: policy_id("cmk-eu"), key: key.clone(), upkeep: Upkeep::default(), provision: true };
        Self {
            declared: Declared {
                wanted: Wanted::Customer(wanted),
                retained: Vec::new(),
                claims: Vec::new(),
                place: place(),
                parts: [place(), place()],
            },
            live: Environment {
                id: EnvironmentId::new("e").unwrap(),
                tenant: Some(TENANT),
                display_name: None,
                location: Some("europe".into()),
                azure_region: Some("northeurope".into()),
                sku: Some(Sku::Production),
                is_default: Some(false),
                created: None,
                protection_level: Some(ProtectionLevel::Standard),
                extended_settings: None,
                group: None,
                dataverse: Some(Dataverse::default()),
                management: Some("Ready".into()),
                runtime: Some(Runtime::Enabled),
                runtime_reason: None,
                links: Links::default(),
            },
            observed: Observed {
                course: Ok(Course::Idle),
                error: None,
                wanted: Some(chain("cmk-eu", &key)),
                former: None,
                retained: Vec::new(),
                grants: vec![granted(&key)],
                rotation: None,
                creation: None,
                hint: None,
            },
            surface: Surface::EMULATOR,
            managed: Some(true),
            elsewhere: Vec::new(),
        }
    }

    /// Linked as declared.
    fn linked() -> Self {
        let mut scene = Self::ready();
        scene.live.links.encryption = Some(link("CMK-EU", Some(LinkStatus::Linked)));
        scene
    }

    /// Nothing of it is there but the vault and the key.
    fn bare() -> Self {
        let mut scene = Self::ready();
        scene.chain().policy = Ok(None);
        scene.observed.grants[0].held = Ok(Rc::default());
        let provider = Registration { state: Registered::Yes, locations: vec!["europe".into()] };
        scene.observed.creation = Some(Creation { provider: Ok(provider), creating: Ok(Some(Holding::Held)) });
        scene
    }

    /// Linked to the policy `cmk-old`, whose key is another one in another vault.
    fn swapping() -> Self {
        let mut scene = Self::ready();
        let old = key("kv-old", "old-key");
        scene.live.links.encryption = Some(link("cmk-old", Some(LinkStatus::Linked)));
        scene.observed.former = Some(chain("cmk-old", &old));
        scene.observed.grants.push(granted(&old));
        scene
    }

    fn chain(&mut self) -> &mut Chain {
        self.observed.wanted.as_mut().unwrap()
    }

    fn protection(&mut self) -> &mut Protection {
        match &mut self.declared.wanted {
            Wanted::Customer(protection) => protection,
            Wanted::Microsoft => panic!("Microsoft's key is wanted"),
        }
    }

    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// The former policy is declared as such.
    fn retaining(mut self, until: &str) -> Self {
        let key = key("kv-old", "old-key");
        let until = until.parse().unwrap();
        self.declared.retained =
            vec![Retained { policy: policy_id("cmk-old"), key: key.clone(), until, place: place() }];
        self.observed.former = None;
        self.observed.retained = vec![chain("cmk-old", &key)];
        if self.observed.grants.iter().all(|granted| granted.key != key) {
            self.observed.grants.push(granted(&key));
        }
        self
    }

    fn findings(&self) -> Findings {
        self.comparing(|comparing| compare(&self.declared, &self.observed, comparing))
    }

    fn comparing<T>(&self, ask: impl FnOnce(&Comparing<'_>) -> T) -> T {
        let head = Head::Environment(EnvironmentHead {
            key: "prod".into(),
            instance_id: None,
            environment_id: Some("e".into()),
            name: None,
            business_units: false,
            place: place(),
        });
        let hosting = Hosting { live: Rc::new(self.live.clone()), unbound: None };
        let beside = self.managed.map_or_else(Blocks::default, managed);
        let comparing = Comparing {
            head: &head,
            instance: Err(&settings::hosting::not_asked()),
            hosting: Ok(&hosting),
            tenant: TENANT,
            region: None,
            created: None,
            attested: &[],
            elsewhere: &self.elsewhere,
            beside: &beside,
            surface: self.surface,
            now: now(),
        };
        ask(&comparing)
    }

    /// The changes, the codes of refusals and of findings that are wrong, and how the rest stands, on one line.
    fn told(&self) -> String {
        let findings = self.findings();
        let changes = findings.changes.iter().map(|one| {
            let after: Vec<String> = one.change.requires.iter().map(|it| it.within_scope().to_owned()).collect();
            let after = if after.is_empty() { String::new() } else { format!(" after {}", after.join(", ")) };
            format!("{} {}{after}", one.change.action, one.change.address.within_scope())
        });
        let notes = findings.notes.iter().filter(|note| note.severity == crate::plan::Severity::Error).map(|note| {
            let refuses = if note.kind == NoteKind::Refusal { "refused" } else { "finding" };
            format!("{refuses} {} at {}", note.code, note.address.within_scope())
        });
        let unknown = findings.unknown.iter().map(|one| format!("unknown {}", one.address.within_scope()));
        let waiting =
            findings.waiting.iter().map(|one| format!("waits {} {:?}", one.address.within_scope(), one.waiting_for));
        let synced = (findings.in_sync > 0).then(|| "in sync".to_owned());
        changes.chain(notes).chain(unknown).chain(waiting).chain(synced).collect::<Vec<_>>().join("; ")
    }

    fn codes(&self) -> Vec<NoteCode> {
        self.findings().notes.iter().map(settings::codes::of).collect()
    }
}

/// A scope that declares whether it is a Managed Environment.
fn managed(enabled: bool) -> Blocks {
    let declared = managed_environment::Declared { enabled, place: place() };
    Blocks::of_scope([registry::block::<managed_environment::Block>(declared)].into_iter())
}
