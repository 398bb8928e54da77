//! Data lakes, from the file to what the world holds then.

mod access;
mod chain;
mod killed;

use palisade::emulator::{ConnectionStatus, StorageAccount, UserAssignedIdentity, World};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::support::{NOW, Run, Scene, changes};

const GROUP: &str = "/subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg-lake/providers";
const VAULTS: &str =
    "/subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg-cmk/providers/Microsoft.KeyVault/vaults";
/// Key Vault Crypto Service Encryption User.
const ENCRYPTION_USER: Uuid = Uuid::from_u128(0xe147_488a_f6f5_4113_8e2d_b224_65e6_5bf6);
const ENDS: [&str; 4] = ["blob", "blobforsynapse", "dfs", "dfsforsynapse"];
const UPDATE: &str = "Microsoft.Storage/StorageAccounts_Update";

/// An environment with these blocks, by its number.
fn environment(name: &str, number: u8, blocks: &str) -> String {
    format!("  {name}:\n    instanceId: 6f2b1c34-0000-4000-8000-00000000a00{number}\n{blocks}")
}

fn file(environments: &[String]) -> String {
    let head = "version: 1\ntenant: { id: 7b1f0c52-0000-4000-8000-0000000000aa }\nenvironments:\n";
    format!("{head}{}", environments.concat())
}

/// The lake with what else is said of it.
fn block(more: &str) -> String {
    format!("    dataLake:\n      storageAccount: {GROUP}/Microsoft.Storage/storageAccounts/contosolake\n{more}")
}

fn link() -> String {
    let consent = "dataPrivacyConsent: { agreedBy: ada@contoso.com, agreedOn: 2026-03-02 }";
    let resource = format!("{GROUP}/Microsoft.Storage/storageAccounts/contosolake");
    format!("    privateLinks:\n      links:\n        - {{ resource: {resource}, approve: true, {consent} }}\n")
}

fn on(vault: &str, name: &str, more: &str) -> String {
    block(&format!(
        "      customerManagedKey: {{ managedBy: customer, key: {{ vault: {VAULTS}/{vault}, name: {name}{more} }} }}\n"
    ))
}

fn prod(blocks: &str) -> String {
    file(&[environment("prod", 1, blocks)])
}

/// Plans, and approves it all.
#[track_caller]
fn planned(scene: &Scene) -> Json {
    scene.emulated(&["plan", "--format", "json", "--out", "approved.plan"]).ended(0).json()
}

fn apply(scene: &Scene) -> Run {
    scene.emulated(&["apply", "approved.plan"])
}

/// Plans and applies until nothing more is planned.
#[track_caller]
fn settled(scene: &Scene) {
    for _ in 0..4 {
        if changes(&planned(scene)).is_empty() {
            return;
        }
        apply(scene);
    }
    panic!("there is always something to be done");
}

#[track_caller]
fn in_sync(scene: &Scene) {
    scene.emulated(&["plan", "--detailed-exitcode"]).ended(0).says("No changes");
}

fn account(world: &World) -> &StorageAccount {
    &world.storage_accounts["contosolake"]
}

fn encryption(world: &World) -> &Json {
    &account(world).properties["encryption"]
}

/// The key that the lake is encrypted with: its source, the vault, the name, and the version if it is pinned.
fn key(world: &World) -> (String, String) {
    let encryption = encryption(world);
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let key = &encryption["keyvaultproperties"];
    let vault = text(&key["keyvaulturi"]);
    let vault = vault.rsplit('/').next().unwrap().split('.').next().unwrap().to_owned();
    let version = text(&key["keyversion"]);
    (text(&encryption["keySource"]), [vault, text(&key["keyname"]), version].join(" ").trim().to_owned())
}

fn is(source: &str, key: &str) -> (String, String) {
    (source.to_owned(), key.to_owned())
}

/// Who holds the role for such keys, by name, and on which vault.
fn grants(world: &World) -> Vec<(String, String)> {
    let held = world.role_assignments.iter().filter(|held| held.role_definition == ENCRYPTION_USER);
    let name = |id: &Uuid| world.applications.get(id).unwrap().display_name.clone();
    let mut grants: Vec<_> =
        held.map(|held| (name(&held.principal_id), held.scope.rsplit('/').next().unwrap().to_owned())).collect();
    grants.sort();
    grants
}

fn access(world: &World) -> &str {
    account(world).properties["publicNetworkAccess"].as_str().unwrap()
}

/// An identity of the world, which the lake is given.
fn given(world: &mut World) -> UserAssignedIdentity {
    let identity = UserAssignedIdentity {
        id: format!("{GROUP}/Microsoft.ManagedIdentity/userAssignedIdentities/id-lake"),
        principal_id: Uuid::from_u128(0x1de0_0001),
        client_id: Uuid::from_u128(0x1de0_0002),
    };
    let application = json!({ "appId": identity.client_id, "displayName": "id-lake" });
    world.applications.insert(identity.principal_id, serde_json::from_value(application).unwrap());
    world.user_assigned_identities.insert(identity.id.to_lowercase(), identity.clone());
    let lake = world.storage_accounts.get_mut("contosolake").unwrap();
    lake.user_identities = vec![identity.id.clone()];
    identity
}

fn codes(plan: &Json) -> Vec<String> {
    let notes = plan["notes"].as_array().unwrap().iter();
    notes.map(|note| note["code"].as_str().unwrap().to_owned()).collect()
}
