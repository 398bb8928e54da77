//! Drives palisade's own clients through every operation of a service that publishes documents.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::SignedDuration;
use palisade::azure::arm::{LongRunning, Progress};
use palisade::azure::authorization::{self, Grant, PrincipalType};
use palisade::azure::customer_insights as ci;
use palisade::azure::keys::{self, IsoDuration, KeyAddress, Trigger};
use palisade::azure::power_platform::policies::{self, Draft};
use palisade::azure::private_endpoints::{self as endpoints, Status, Target};
use palisade::azure::rights::{Action, roles};
use palisade::azure::vaults::{self, Permissions, PolicyEntry};
use palisade::azure::{Reader, Writer, key_vault, resource_graph, storage, synapse, vault_keys};
use palisade::emulator::{
    Attributes, CLIENT_ID, CLIENT_SECRET, Connection, ConnectionStatus, DeletedVault, Deletion, Key, KeyVersion,
};
use secrecy::SecretString;
use uuid::Uuid;

use super::Stage;
use super::recorder::Exchange;
use super::support::{LAKE, STRANGER_PRINCIPAL, TENANT, VAULT, WORKSPACE, grant, instance, secret, vault_of};
use palisade::terms::{AzureScope, ResourceId, VaultId, resource_kinds};

const KEY_VAULT_ADMINISTRATOR: &str = "00482a5a-887f-4fb3-b363-3b7fe8e74483";
const SUBSCRIPTION: Uuid = Uuid::from_u128(0x1111_0000_0000_4000_8000_0000_0000_aaaa);

fn id(text: &str) -> ResourceId {
    text.parse().unwrap()
}

pub(crate) fn pending(name: &str) -> Connection {
    let endpoint = "/subscriptions/22220000-0000-4000-8000-00000000bbbb/resourceGroups/rg/providers/Microsoft.Network/privateEndpoints/pe";
    Connection {
        name: name.into(),
        private_endpoint: endpoint.into(),
        status: ConnectionStatus::Pending,
        description: String::new(),
        decided: None,
        change: None,
    }
}

/// A key with one version.
fn key(name: &str) -> Key {
    let created = "2026-01-01T00:00:00Z".parse().unwrap();
    let attributes = Attributes { enabled: true, not_before: None, expires: None, created, updated: created };
    let version = KeyVersion {
        version: format!("{:032x}", 1),
        kty: "RSA".into(),
        key_size: Some(2048),
        crv: None,
        key_ops: vec!["wrapKey".into(), "unwrapKey".into()],
        attributes,
        tags: None,
    };
    Key { name: name.into(), versions: vec![version], deleted: None }
}

pub(crate) async fn run(exchanges: &Arc<Mutex<Vec<Exchange>>>) {
    for (work, empty_first_pages) in [(0, false), (45, true)] {
        let stage = Stage::with(exchanges, |world| {
            world.behaviour.connection_work = SignedDuration::from_secs(work);
            world.behaviour.empty_first_pages = empty_first_pages;
            let client = world.applications.iter().find(|(_, a)| a.app_id == CLIENT_ID).map(|(id, _)| *id).unwrap();
            grant(world, client, KEY_VAULT_ADMINISTRATOR, VAULT);
            vault_of(world).connections = vec![pending("kv.1"), pending("kv.2")];
            vault_of(world).keys.insert("pp-key".into(), key("pp-key"));
        })
        .await;
        let transport = stage.services.transport_at(&stage.address, CLIENT_ID, CLIENT_SECRET);
        let writer = Writer::new(transport, "");
        links(&writer).await;
        connections(&writer).await;
        accounts(&writer).await;
        rights(&writer).await;
        vault(&writer).await;
        secrets(&writer).await;
        policies(&writer).await;
        rotation(&writer, &stage).await;
        deleted_vault(&writer, &stage).await;
        assert!(!stage.exchanges.lock().unwrap().is_empty());
    }
}

/// Links a storage account and a workspace, which makes the connections that are approved next.
async fn links(writer: &Writer) {
    for resource in [LAKE, WORKSPACE] {
        let link = ci::add_private_link(writer, &instance(), &id(resource)).await.unwrap().unwrap();
        let found = ci::private_link(writer.reader(), &instance(), &link.id).await.unwrap().unwrap();
        assert_eq!(link, found);
        assert!(!ci::validate_private_link(writer, &instance(), &link.id).await.unwrap());
    }
    ci::link_key_vault(writer, &instance(), &VAULT.parse::<VaultId>().unwrap()).await.unwrap();
    assert!(ci::key_vault(writer.reader(), &instance()).await.unwrap().is_some());
}

async fn connections(writer: &Writer) {
    let reader = writer.reader();
    for resource in [LAKE, WORKSPACE, VAULT] {
        let target = Target::of(&id(resource)).unwrap();
        let all = endpoints::list(reader, &target).await.unwrap();
        assert!(all.len() >= 2, "{resource}");
        for connection in &all {
            let ours = connection.pending().unwrap();
            let mut accepted = endpoints::approve(writer, &target, ours, "palisade: prod").await.unwrap();
            finish(reader, &target, &connection.name, &mut accepted).await;
            let read = endpoints::get(reader, &target, &connection.name).await.unwrap().unwrap();
            assert_eq!((read.status, read.description.as_str()), (Status::Approved, "palisade: prod"));
            let again = endpoints::approve(writer, &target, ours, "again").await.unwrap_err();
            assert_eq!(again.status(), Some(400));
        }
        let first = &all[0].name;
        for _ in 0..2 {
            let mut accepted = endpoints::remove(writer, &target, first).await.unwrap();
            finish(reader, &target, first, &mut accepted).await;
        }
        assert_eq!(endpoints::get(reader, &target, first).await.unwrap(), None);
    }
    for link in ci::private_links(reader, &instance()).await.unwrap() {
        ci::validate_private_link(writer, &instance(), &link.id).await.unwrap();
        ci::remove_private_link(writer, &instance(), &link.id).await.unwrap();
    }
}

async fn finish(reader: &Reader, target: &Target, name: &str, accepted: &mut LongRunning) {
    let progress = endpoints::settle(reader, target, name, accepted, Duration::from_secs(600)).await.unwrap();
    assert_eq!(progress, Progress::Done);
}

async fn accounts(writer: &Writer) {
    let reader = writer.reader();
    let scopes = [AzureScope::Subscription(SUBSCRIPTION), id(LAKE).group()];
    // The embedded client owns the group, not the subscription.
    assert_eq!(storage::list(reader, &scopes[0]).await.unwrap_err().code(), Some("AuthorizationFailed"));
    assert_eq!(storage::list(reader, &scopes[1]).await.unwrap().len(), 1);
    assert_eq!(synapse::list(reader, &scopes[0]).await.unwrap_err().status(), Some(403));
    assert_eq!(synapse::list(reader, &scopes[1]).await.unwrap().len(), 1);
    assert!(synapse::get(reader, &id(WORKSPACE)).await.unwrap().is_some());
    assert!(storage::get(reader, &id(&LAKE.replace("contosolake", "nolake"))).await.unwrap().is_none());
    assert!(synapse::get(reader, &id(&WORKSPACE.replace("contoso-synapse", "none"))).await.unwrap().is_none());
    let account = storage::get(reader, &id(LAKE)).await.unwrap().unwrap();
    let change = storage::Change {
        public_network_access: Some(storage::PublicNetworkAccess::Disabled),
        network_acls: account.network_acls.map(|acls| storage::NetworkAcls { default_action: "Deny".into(), ..acls }),
        ..storage::Change::default()
    };
    let changed = storage::update(writer, &id(LAKE), &change).await.unwrap();
    assert_eq!(changed.public_network_access, storage::PublicNetworkAccess::Disabled);
    let own = storage::Change { identity: Some(account.identity.with_own()), ..storage::Change::default() };
    assert!(storage::update(writer, &id(LAKE), &own).await.unwrap().identity.has_own());
    // Its identity may not use the key; what is sent and what is answered is checked all the same.
    let uri = "https://kv-ci-prod.vault.azure.net/".parse().unwrap();
    let encryption = account.encryption.as_ref().unwrap().with_key(&uri, "lake-key", None);
    let keyed = storage::Change { encryption: Some(encryption), ..storage::Change::default() };
    assert_eq!(storage::update(writer, &id(LAKE), &keyed).await.unwrap_err().status(), Some(400));
    let microsofts = account.encryption.as_ref().unwrap().with_microsofts();
    let back = storage::Change { encryption: Some(microsofts), ..storage::Change::default() };
    storage::update(writer, &id(LAKE), &back).await.unwrap();
    let subscriptions = BTreeSet::from([SUBSCRIPTION]);
    assert_eq!(resource_graph::find(reader, &subscriptions, resource_kinds::STORAGE_ACCOUNT).await.unwrap().len(), 1);
    assert!(resource_graph::connections(reader, &subscriptions).await.is_ok());
}

async fn rights(writer: &Writer) {
    let reader = writer.reader();
    let wish = Grant {
        scope: AzureScope::Resource(id(VAULT)),
        role: roles::KEY_VAULT_SECRETS_USER.id,
        principal_id: STRANGER_PRINCIPAL.into(),
        principal_type: PrincipalType::ServicePrincipal,
    };
    for _ in 0..2 {
        authorization::grant(writer, &wish, "palisade: prod").await.unwrap();
    }
    let held = authorization::assigned_to(reader, &wish.scope, STRANGER_PRINCIPAL.into()).await.unwrap();
    assert_eq!((held.len(), held[0].name, held[0].role), (1, wish.name(), wish.role));
    assert!(authorization::get(reader, &wish.scope, wish.name()).await.unwrap().is_some());
    for _ in 0..2 {
        authorization::revoke(writer, &wish.scope, wish.name()).await.unwrap();
    }
    assert!(authorization::get(reader, &wish.scope, wish.name()).await.unwrap().is_none());
    assert_eq!(authorization::definitions(reader, &wish.scope, "Owner").await.unwrap().len(), 1);
    let mine = authorization::granted(reader, &id(LAKE)).await.unwrap();
    assert!(mine.allows(Action::STORAGE_APPROVE));
    assert!(authorization::granted_in_group(reader, SUBSCRIPTION, "rg-lake").await.unwrap().allows(Action::VAULT_READ));
}

async fn vault(writer: &Writer) {
    let reader = writer.reader();
    let vault: VaultId = VAULT.parse().unwrap();
    let permissions = Permissions {
        keys: vec!["get".into(), "list".into()],
        secrets: vec!["get".into(), "list".into()],
        certificates: vec!["get".into(), "list".into()],
    };
    let entry = PolicyEntry { tenant_id: TENANT, object_id: STRANGER_PRINCIPAL.into(), permissions };
    vaults::add_policy(writer, &vault, &entry).await.unwrap();
    assert_eq!(vaults::get(reader, &vault).await.unwrap().unwrap().properties.access_policies.len(), 1);
    let current = vault_keys::get(reader, &vault, "pp-key").await.unwrap().unwrap();
    assert_eq!(vault_keys::versions(reader, &vault, "pp-key").await.unwrap(), [current]);
    vaults::remove_policy(writer, &vault, &entry).await.unwrap();
    let open = vaults::NetworkAcls {
        default_action: Some("Allow".into()),
        bypass: Some("AzureServices".into()),
        ..Default::default()
    };
    let change = vaults::Change {
        public_network_access: Some("Enabled".into()),
        network_acls: Some(open),
        soft_delete: true,
        purge_protection: true,
    };
    vaults::update(writer, &vault, &change).await.unwrap();
    assert!(vaults::get(reader, &vault).await.unwrap().unwrap().properties.network_acls.is_some());
    let other: VaultId = VAULT.replace("kv-ci-prod", "kv-none").parse().unwrap();
    assert!(vaults::get(reader, &other).await.unwrap().is_none());
}

async fn secrets(writer: &Writer) {
    let reader = writer.reader();
    let at = secret();
    assert!(matches!(key_vault::get_current(reader, &at).await.unwrap(), key_vault::Lookup::Absent));
    let value = SecretString::from("text".to_owned());
    let labels = key_vault::Labels::default();
    let made = key_vault::set_secret(writer, &at, &value, &labels).await.unwrap();
    for _ in 0..26 {
        key_vault::set_secret(writer, &at, &value, &labels).await.unwrap();
    }
    key_vault::get_version(reader, &at, &made.version).await.unwrap();
    key_vault::list_versions(reader, &at).await.unwrap();
    let changes = key_vault::Changes { enabled: Some(false), ..key_vault::Changes::default() };
    key_vault::update_properties(writer, &at, &made.version, &changes).await.unwrap();
    assert!(key_vault::get_deleted(reader, &at).await.unwrap().is_none());
    key_vault::recover(writer, &at).await.unwrap_err();
}

/// A key that rotates, is enabled, and comes back after it was deleted.
async fn rotation(writer: &Writer, stage: &Stage) {
    let reader = writer.reader();
    let (vault, at) = (VAULT.parse().unwrap(), KeyAddress { vault: "kv-ci-prod".into(), name: "pp-key".into() });
    let mut policy = keys::rotation_policy(reader, &at).await.unwrap();
    assert_eq!((policy.rotate.as_ref(), policy.others.len()), (None, 1));
    policy.rotate = Some(Trigger::AfterCreation(IsoDuration::of_days(90)));
    policy.expiry = Some(IsoDuration::of_days(120));
    keys::set_rotation_policy(writer, &at, &policy).await.unwrap();
    let read = keys::rotation_policy(reader, &at).await.unwrap();
    assert_eq!((read.rotate, read.expiry, read.others), (policy.rotate, policy.expiry, policy.others));
    keys::rotate(writer, &at).await.unwrap();
    let versions = vault_keys::versions(reader, &vault, "pp-key").await.unwrap();
    assert!(versions.len() >= 2 && vault_keys::get(reader, &vault, "pp-key").await.unwrap().is_some());
    keys::enable(writer, &at, versions[0].version.as_deref().unwrap()).await.unwrap();
    assert_eq!(keys::get_deleted(reader, &at).await.unwrap(), None);
    let deletion = deletion(stage);
    let delete = |world: &mut palisade::emulator::World| {
        vault_of(world).keys.get_mut("pp-key").unwrap().deleted = Some(deletion);
    };
    stage.services.emulator.change(delete).unwrap();
    assert!(keys::get_deleted(reader, &at).await.unwrap().unwrap().purged.is_some());
    keys::recover(writer, &at).await.unwrap();
    assert_eq!(keys::get_deleted(reader, &at).await.unwrap(), None);
}

fn deletion(stage: &Stage) -> Deletion {
    let deleted = stage.services.clock.now();
    Deletion { deleted, scheduled_purge: deleted + SignedDuration::from_hours(24 * 90) }
}

async fn deleted_vault(writer: &Writer, stage: &Stage) {
    let (reader, vault) = (writer.reader(), VAULT.parse::<VaultId>().unwrap());
    assert_eq!(vaults::deleted(reader, &vault).await.unwrap_err().status(), Some(403));
    let deletion = deletion(stage);
    let delete = |world: &mut palisade::emulator::World| {
        let client = world.applications.iter().find(|(_, a)| a.app_id == CLIENT_ID).map(|(id, _)| *id).unwrap();
        grant(world, client, "acdd72a7-3385-48ef-bd42-f606fba81ae7", &format!("/subscriptions/{SUBSCRIPTION}"));
        let vault = world.vaults.remove("kv-ci-prod").unwrap();
        world.deleted_vaults.insert("kv-ci-prod".into(), DeletedVault { vault, deletion });
    };
    stage.services.emulator.change(delete).unwrap();
    let gone = vaults::deleted(reader, &vault).await.unwrap().unwrap();
    assert_eq!((gone.deleted, gone.purge_protected), (Some(deletion.deleted), Some(true)));
    vaults::recover(writer, &vault, &gone.location, TENANT).await.unwrap();
    assert!(vaults::get(reader, &vault).await.unwrap().is_some());
}

async fn policies(writer: &Writer) {
    let reader = writer.reader();
    let name = |name: &str| -> ResourceId {
        let group = id(VAULT).group();
        format!("{group}/providers/Microsoft.PowerPlatform/enterprisePolicies/{name}").parse().unwrap()
    };
    policies::registration(reader, SUBSCRIPTION).await.unwrap();
    assert!(policies::get(reader, &name("cmk")).await.unwrap().is_none());
    for version in [None, Some("0123456789abcdef0123456789abcdef".to_owned())] {
        let draft = Draft { location: "europe".into(), vault: id(VAULT), key: "pp-key".into(), version };
        let made = policies::put(writer, &name("cmk"), &draft).await.unwrap();
        assert_eq!(policies::get(reader, &name("cmk")).await.unwrap(), Some(made));
    }
    assert_eq!(policies::list(reader, SUBSCRIPTION, "rg-secrets").await.unwrap().len(), 1);
}
