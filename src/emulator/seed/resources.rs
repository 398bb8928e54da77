//! Seeding storage accounts and Synapse workspaces, without private links.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::azure::{add_group, own_group};
use super::{DEFAULTS, ResourceDefaults, derived_id};
use crate::emulator::call::guid;
use crate::emulator::world::{Application, StorageAccount, SynapseWorkspace, Tenant, World};

/// A storage account or a Synapse workspace with the subscription and the resource group around it, and the embedded client's
/// rights on the group. One whose name is taken stays as it is, wherever it lies: names are unique in all of Azure.
pub(super) fn add(world: &mut World, tenant: &Tenant, id: &str, now: Timestamp) {
    let segments: Vec<&str> = id.split('/').collect();
    let ["", s, subscription, g, group, p, namespace, kind, name] = segments.as_slice() else { return };
    let words = [(s, "subscriptions"), (g, "resourceGroups"), (p, "providers")];
    let Some(subscription) = guid(subscription).filter(|_| words.iter().all(|(f, w)| f.eq_ignore_ascii_case(w))) else {
        return;
    };
    let key = name.to_ascii_lowercase();
    let kind = format!("{namespace}/{kind}").to_ascii_lowercase();
    match kind.as_str() {
        "microsoft.storage/storageaccounts" if !world.storage_accounts.contains_key(&key) => {
            world.storage_accounts.insert(key, account(id, now));
        }
        "microsoft.synapse/workspaces" if !world.synapse_workspaces.contains_key(&key) => {
            let workspace = workspace(world, tenant, id, name);
            world.synapse_workspaces.insert(key, workspace);
        }
        _ => return,
    }
    add_group(world, subscription, group);
    own_group(world, tenant, (subscription, group), now);
}

fn account(id: &str, now: Timestamp) -> StorageAccount {
    let ResourceDefaults { kind, sku, public_network_access, minimum_tls_version, group_role: _ } = DEFAULTS.resource;
    let services = json!({ "enabled": true, "keyType": "Account", "lastEnabledTime": now.to_string() });
    let properties = [
        ("accessTier", json!("Hot")),
        ("allowBlobPublicAccess", json!(false)),
        ("allowCrossTenantReplication", json!(false)),
        ("allowSharedKeyAccess", json!(true)),
        ("encryption", json!({ "keySource": "Microsoft.Storage", "services": { "blob": services, "file": services } })),
        ("isHnsEnabled", json!(true)),
        ("minimumTlsVersion", json!(minimum_tls_version)),
        (
            "networkAcls",
            json!({ "bypass": "AzureServices", "defaultAction": "Allow", "ipRules": [], "virtualNetworkRules": [],
                    "resourceAccessRules": [] }),
        ),
        ("publicNetworkAccess", json!(public_network_access)),
        ("supportsHttpsTrafficOnly", json!(true)),
    ];
    StorageAccount {
        id: id.to_owned(),
        location: DEFAULTS.azure_region.to_owned(),
        kind: kind.to_owned(),
        sku: sku.to_owned(),
        tags: BTreeMap::new(),
        system_identity: None,
        user_identities: Vec::new(),
        created: now,
        properties: named(properties),
        connections: Vec::new(),
    }
}

/// Its identity is a principal of the directory, as every managed identity.
fn workspace(world: &mut World, tenant: &Tenant, id: &str, name: &str) -> SynapseWorkspace {
    let system_identity = derived_id(tenant.id, "synapse-identity", id);
    let app_id = derived_id(tenant.id, "synapse-identity-application", id);
    let application = Application { app_id, display_name: name.to_owned(), client: None };
    world.applications.get_or_insert_with(system_identity, || application);
    let properties = [
        ("managedResourceGroupName", json!(format!("synapseworkspace-managedrg-{}", short(system_identity)))),
        ("managedVirtualNetwork", json!("default")),
        ("publicNetworkAccess", json!(DEFAULTS.resource.public_network_access)),
        ("sqlAdministratorLogin", json!("sqladminuser")),
    ];
    SynapseWorkspace {
        id: id.to_owned(),
        location: DEFAULTS.azure_region.to_owned(),
        tags: BTreeMap::new(),
        system_identity,
        workspace_uid: derived_id(tenant.id, "synapse-workspace", id),
        properties: named(properties),
        connections: Vec::new(),
    }
}

fn short(id: Uuid) -> String {
    id.simple().to_string().chars().take(8).collect()
}

fn named<const N: usize>(properties: [(&str, Value); N]) -> BTreeMap<String, Value> {
    properties.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
