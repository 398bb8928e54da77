//! Comparing a data lake: tables of what is there, and of what is said and done about it.

mod block;
mod keys;
mod network;
mod written;

use std::rc::Rc;

use jiff::Timestamp;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::block::{Access, Declared, Wanted};
use super::compare::compare;
use super::observe::{Key, Observed, uses};
use crate::azure::authorization::RoleAssignment;
use crate::azure::customer_insights::Instance;
use crate::azure::private_endpoints::{Connection, Status};
use crate::azure::rights::{Holding, roles};
use crate::azure::storage::{Account, Encryption, Identity, PublicNetworkAccess, UserAssigned};
use crate::azure::vault_keys::KeyVersion;
use crate::plan::{Change, Findings, NoteKind, Severity};
use crate::settings::blocks::Blocks;
use crate::settings::encryption_keys::{Granted, KeyRef, Seen};
use crate::settings::observation::Unreadable;
use crate::settings::setting::{Comparing, Elsewhere};
use crate::settings::surface::Surface;
use crate::terms::{EnvironmentHead, Head, Place, ResourceId};

const GROUP: &str = "/subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg-lake/providers";
const TENANT: Uuid = Uuid::from_u128(0x7b1f_0c52_0000_4000_8000_0000_0000_00aa);
const OWN: Uuid = Uuid::from_u128(0x1d00_0000_0000_4000_8000_0000_0000_0001);
const GIVEN: Uuid = Uuid::from_u128(0x1d00_0000_0000_4000_8000_0000_0000_0002);
const MICROSOFT: Uuid = Uuid::from_u128(0x5b00_0000_0000_4000_8000_0000_0000_0001);
const STRANGER: Uuid = Uuid::from_u128(0x5b00_0000_0000_4000_8000_0000_0000_0002);
const VERSION: &str = "0123456789abcdef0123456789abcdef";

fn now() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

fn place() -> Place {
    Place { file: "palisade.yaml".into(), line: 1, column: 1 }
}

fn lake() -> ResourceId {
    format!("{GROUP}/Microsoft.Storage/storageAccounts/contosolake").parse().unwrap()
}

fn given() -> ResourceId {
    format!("{GROUP}/Microsoft.ManagedIdentity/userAssignedIdentities/id-lake").parse().unwrap()
}

fn key(vault: &str, name: &str) -> KeyRef {
    let vault = format!("{GROUP}/Microsoft.KeyVault/vaults/{vault}").parse().unwrap();
    KeyRef { vault, name: name.into(), version: None }
}

fn version(name: &str, created: &str) -> KeyVersion {
    KeyVersion {
        version: Some(name.into()),
        kind: Some("RSA".into()),
        size: Some(4096),
        operations: Some(vec!["wrapKey".into(), "unwrapKey".into()]),
        enabled: Some(true),
        not_before: None,
        expires: None,
        created: Some(created.parse().unwrap()),
        updated: None,
    }
}

fn vault(properties: &[(&str, Json)]) -> crate::azure::vaults::Vault {
    let mut vault = json!({ "location": "northeurope", "properties": {
        "tenantId": TENANT, "enableSoftDelete": true, "enablePurgeProtection": true, "enableRbacAuthorization": true,
        "vaultUri": "https://kv-cmk.vault.azure.net/", "publicNetworkAccess": "Enabled" } });
    for (name, value) in properties {
        vault["properties"][name] = value.clone();
    }
    serde_json::from_value(vault).unwrap()
}

fn assignment(principal: Uuid) -> RoleAssignment {
    RoleAssignment {
        name: Uuid::nil(),
        scope: GROUP.into(),
        role: roles::KEY_VAULT_CRYPTO_ENCRYPTION_USER.id,
        principal_id: principal.into(),
        principal_type: None,
        description: None,
        condition: None,
        created: None,
    }
}

fn microsofts() -> Encryption {
    serde_json::from_value(json!({ "keySource": "Microsoft.Storage", "services": { "blob": { "enabled": true } } }))
        .unwrap()
}

/// A key in a vault as the account shows it.
fn encrypted(vault: &str, name: &str, pinned: &str) -> Encryption {
    let current = format!("https://{vault}.vault.azure.net/keys/{name}/{VERSION}");
    let key = json!({ "keyvaulturi": format!("https://{vault}.vault.azure.net"), "keyname": name, "keyversion": pinned,
                      "currentVersionedKeyIdentifier": current });
    serde_json::from_value(json!({ "keySource": "Microsoft.Keyvault", "keyvaultproperties": key, "services": {} }))
        .unwrap()
}

fn connection(number: usize, from: Uuid, name: &str, status: Status) -> Connection {
    let endpoint =
        format!("/subscriptions/{from}/resourceGroups/rg/providers/Microsoft.Network/privateEndpoints/{name}");
    Connection {
        name: format!("contosolake.{number}"),
        endpoint: Some(endpoint.parse().unwrap()),
        status,
        description: String::new(),
        provisioning_state: Some("Succeeded".into()),
    }
}

/// The four connections of a link.
fn set(from: Uuid, status: &Status) -> Vec<Connection> {
    let ends = ["blob", "dfs"].map(|end| format!("pe-contosolake-{end}"));
    let synapse = ["blobforsynapse", "dfsforsynapse"].map(|end| format!("prod-weu-01-synapse01.pe-contosolake-{end}"));
    let names = ends.into_iter().chain(synapse).enumerate();
    names.map(|(number, name)| connection(number, from, &name, status.clone())).collect()
}

struct Scene {
    declared: Declared,
    account: Account,
    key: Key,
    unread: Option<Unreadable>,
    elsewhere: Vec<Elsewhere>,
    beside: Blocks,
    region: Option<&'static str>,
    surface: Surface,
}

impl Scene {
    /// A customer's key is declared; nothing of it is there but the vault and the key.
    fn bare() -> Self {
        let wanted = key("kv-cmk", "lake-key");
        Self {
            declared: Declared {
                account: lake(),
                access: None,
                wanted: Some(Wanted::Customer(wanted.clone())),
                claims: Vec::new(),
                place: place(),
                parts: [place(), place()],
            },
            account: Account {
                id: lake(),
                location: "westeurope".into(),
                kind: Some("StorageV2".into()),
                tags: Default::default(),
                public_network_access: PublicNetworkAccess::Enabled,
                network_acls: None,
                is_hns_enabled: true,
                minimum_tls_version: Some("TLS1_2".into()),
                allow_shared_key_access: Some(false),
                allow_blob_public_access: Some(false),
                identity: Identity::default(),
                encryption: Some(microsofts()),
                connections: Vec::new(),
            },
            key: Key {
                seen: Seen {
                    vault: Ok(Some(Rc::new(vault(&[])))),
                    version: Ok(Some(version(VERSION, "2026-01-01T00:00:00Z"))),
                    versions: Ok([version(VERSION, "2026-01-01T00:00:00Z")].into()),
                    rotation: None,
                    kept: None,
                },
                granted: Granted {
                    key: wanted,
                    vault: Ok(Some(Rc::new(vault(&[])))),
                    held: Ok(Rc::default()),
                    granting: Some(Ok(Holding::Held)),
                },
            },
            unread: None,
            elsewhere: Vec::new(),
            beside: Blocks::default(),
            region: Some("westeurope"),
            surface: Surface::EMULATOR,
        }
    }

    /// The account has an identity of its own, which may use the key.
    fn granted() -> Self {
        Self::bare().with(|scene| {
            scene.account.identity =
                Identity { kind: Some("SystemAssigned".into()), principal_id: Some(OWN.into()), ..Identity::default() };
            scene.key.granted.held = Ok([assignment(OWN)].into());
        })
    }

    /// Encrypted as declared.
    fn in_force() -> Self {
        Self::granted().with(|scene| {
            scene.account.encryption = Some(encrypted("kv-cmk", "lake-key", ""));
            scene.key.seen.versions = Ok([version(VERSION, "2026-01-01T00:00:00Z")].into());
        })
    }

    /// The account uses its key as an identity that it was given.
    fn using_a_given_identity(mut self) -> Self {
        let known = UserAssigned { principal_id: Some(GIVEN.into()) };
        self.account.identity = Identity {
            kind: Some("UserAssigned".into()),
            principal_id: None,
            user_assigned_identities: [(given().to_string(), known)].into(),
        };
        let identity = json!({ "userAssignedIdentity": given().as_str().to_uppercase().replacen("/SUBSCRIPTIONS", "/subscriptions", 1) });
        self.account.encryption.as_mut().unwrap().identity = serde_json::from_value(identity).unwrap();
        self
    }

    /// Access is declared, and nothing of the key.
    fn access(declared: Access, live: PublicNetworkAccess) -> Self {
        Self::bare().with(|scene| {
            (scene.declared.wanted, scene.declared.access) = (None, Some(declared));
            scene.account.public_network_access = live;
        })
    }

    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    fn findings(&self) -> Findings {
        let head = Head::Environment(EnvironmentHead {
            key: "prod".into(),
            instance_id: Some(Uuid::from_u128(1)),
            environment_id: None,
            name: None,
            business_units: false,
            place: place(),
        });
        let instance = Instance { id: Uuid::from_u128(1), scale_unit: None };
        let comparing = Comparing {
            head: &head,
            instance: Ok(&instance),
            hosting: Err(&crate::settings::hosting::not_asked()),
            tenant: TENANT,
            region: self.region,
            created: None,
            attested: &[],
            elsewhere: &self.elsewhere,
            beside: &self.beside,
            surface: self.surface,
            now: now(),
        };
        let account = match &self.unread {
            Some(unread) => Err(unread.clone()),
            None => Ok(Some(Rc::new(self.account.clone()))),
        };
        let key = self.declared.key().map(|_| self.key.clone());
        compare(&self.declared, &Observed { account, key }, &comparing)
    }

    /// The changes, the codes of notes that are more than informative, and how the rest stands, on one line.
    fn told(&self) -> String {
        let findings = self.findings();
        let changes = findings.changes.iter().map(|one| {
            let after: Vec<String> = one.change.requires.iter().map(|it| it.within_scope().to_owned()).collect();
            let after = if after.is_empty() { String::new() } else { format!(" after {}", after.join(", ")) };
            format!("{} {}{after}", one.change.action, part(one.change.address.within_scope()))
        });
        let notes = findings.notes.iter().filter(|note| note.severity != Severity::Info).map(|note| {
            let how = match (note.kind, note.severity) {
                (NoteKind::Refusal, _) => "refused",
                (_, Severity::Error) => "error",
                _ => "warning",
            };
            format!("{how} {}", note.code)
        });
        let unknown = findings.unknown.iter().map(|one| format!("unknown {}", part(one.address.within_scope())));
        let waiting = findings.waiting.iter().map(|one| format!("waits {}", part(one.address.within_scope())));
        let synced = (findings.in_sync > 0).then(|| "in sync".to_owned());
        changes.chain(notes).chain(unknown).chain(waiting).chain(synced).collect::<Vec<_>>().join("; ")
    }

    fn change(&self, named: &str) -> Change {
        let findings = self.findings();
        let found = findings.changes.iter().find(|one| one.change.address.within_scope().ends_with(named));
        found.map(|one| one.change.clone()).unwrap()
    }
}

fn part(address: &str) -> &str {
    address.strip_prefix("dataLake/").unwrap_or(address)
}

fn unreadable() -> Unreadable {
    Unreadable::because("it was refused")
}

#[test]
fn what_is_observed_is_told_and_never_changed() {
    let plain = || Scene::bare().with(|scene| scene.declared.wanted = None);
    assert_eq!(plain().told(), "in sync");
    type Change = fn(&mut Scene);
    let table: [(Change, &str); 8] = [
        (|scene| scene.account.is_hns_enabled = false, "error lake-not-hierarchical; in sync"),
        (|scene| scene.account.minimum_tls_version = Some("TLS1_1".into()), "warning lake-weak-tls; in sync"),
        (|scene| scene.account.minimum_tls_version = None, "warning lake-weak-tls; in sync"),
        (|scene| scene.account.minimum_tls_version = Some("TLS1_3".into()), "in sync"),
        (|scene| scene.account.location = "eastus".into(), "warning region-mismatch; in sync"),
        (|scene| scene.region = None, "warning region-mismatch; in sync"),
        (|scene| scene.unread = Some(unreadable()), "unknown dataLake"),
        (
            |scene| scene.account.public_network_access = PublicNetworkAccess::Disabled,
            "error lake-without-path; in sync",
        ),
    ];
    for (change, expected) in table {
        assert_eq!(plain().with(change).told(), expected);
    }
    let open = plain().with(|scene| {
        (scene.account.allow_shared_key_access, scene.account.allow_blob_public_access) = (None, Some(true));
    });
    let codes: Vec<String> = open.findings().notes.iter().map(|note| note.code.to_string()).collect();
    assert_eq!(codes, ["lake-shared-keys", "lake-blob-access", "lake-unreadable"]);
    assert!(uses(&encrypted("KV-cmk", "Lake-Key", ""), &key("kv-cmk", "lake-key")));
}

#[test]
fn an_account_that_is_gone_is_a_refusal() {
    let observed = Observed { account: Ok(None), key: None };
    let scene = Scene::bare();
    let head = crate::terms::Head::Environment(EnvironmentHead {
        key: "prod".into(),
        instance_id: None,
        environment_id: None,
        name: None,
        business_units: false,
        place: place(),
    });
    let comparing = Comparing {
        head: &head,
        instance: Err(&unreadable()),
        hosting: Err(&unreadable()),
        tenant: TENANT,
        region: None,
        created: None,
        attested: &[],
        elsewhere: &[],
        beside: &Blocks::default(),
        surface: Surface::EMULATOR,
        now: now(),
    };
    let findings = compare(&scene.declared, &observed, &comparing);
    assert_eq!((findings.changes.len(), findings.notes.len(), findings.in_sync), (0, 1, 0));
    assert!(findings.notes[0].refuses() && findings.notes[0].code == super::codes::LAKE_NOT_FOUND);
}
