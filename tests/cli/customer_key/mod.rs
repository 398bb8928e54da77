//! Customer-managed keys, from the file to what the world holds then.

mod chain;
mod days;
mod failures;
mod killed;
mod lifeline;
mod rights;
mod rotation;
mod undeclared;
mod unfit;

use jiff::{SignedDuration, Timestamp};
use palisade::emulator::{EnterprisePolicy, LinkKind, World};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::support::{NOW, Run, Scene};

/// After the operations of a run have ended by the world's clock, which each run begins anew.
const LATER: &str = "2026-11-20T13:00:00Z";
const STILL_LATER: &str = "2026-11-20T14:00:00Z";
const MUCH_LATER: &str = "2026-11-20T15:00:00Z";

const ENVIRONMENT: &str = "1bd6bd98-0000-4000-8000-00000000e001";
const GROUP: &str = "/subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg-cmk";
/// Key Vault Crypto Service Encryption User.
const ENCRYPTION_USER: Uuid = Uuid::from_u128(0xe147_488a_f6f5_4113_8e2d_b224_65e6_5bf6);

/// Operations as the journal and the record of requests name them.
const PUT_POLICY: &str = "Microsoft.PowerPlatform/EnterprisePolicies_CreateOrUpdate";
const POST_LINK: &str = "POST environments-encryption-link";

fn policy(name: &str) -> String {
    format!("{GROUP}/providers/Microsoft.PowerPlatform/enterprisePolicies/{name}")
}

fn vault(name: &str) -> String {
    format!("{GROUP}/providers/Microsoft.KeyVault/vaults/{name}")
}

/// A file with the environment `prod` and these blocks.
fn prod(blocks: &str) -> String {
    format!(
        "\
version: 1
tenant: {{ id: 7b1f0c52-0000-4000-8000-0000000000aa }}
environments:
  prod:
    instanceId: 6f2b1c34-0000-4000-8000-00000000a001
    environmentId: {ENVIRONMENT}
    name: Contoso prod
{blocks}"
    )
}

/// A key as files name it: `NAME in VAULT`, with what else it has.
fn key(name: &str, vault_name: &str, more: &str) -> String {
    format!("{{ vault: {}, name: {name}{more} }}", vault(vault_name))
}

/// `prod` on a key, by a policy that palisade makes.
fn on(policy_name: &str, key: &str, more: &str) -> String {
    let policy = policy(policy_name);
    prod(&format!(
        "    customerManagedKey:\n      managedBy: customer\n      policy: {policy}\n      key: {key}\n      provision: true\n{more}"
    ))
}

/// `prod` on the newest version of a key.
fn plain() -> String {
    on("cmk-eu", &key("pp-key", "kv-cmk", ""), "")
}

fn retained(policy_name: &str, key: &str) -> String {
    format!("      retained: [{{ policy: {}, key: {key}, until: 2027-01-31 }}]\n", policy(policy_name))
}

/// A scene in a world that is changed further.
fn scene(configuration: &str, change: impl FnOnce(&mut World)) -> Scene {
    let scene = Scene::with(configuration);
    scene.change_world(change);
    scene
}

/// Plans and approves it all, outages as well.
#[track_caller]
fn planned(scene: &Scene, now: &str) -> Json {
    scene.emulated_at(now, &["plan", "--format", "json", "--out", "approved.plan"]).ended(0).json()
}

/// Applies what [`planned`] saved.
fn apply(scene: &Scene, now: &str) -> Run {
    scene.emulated_at(now, &["apply", "approved.plan"])
}

/// A scene whose environment was linked at [`NOW`].
#[track_caller]
fn linked(configuration: &str) -> Scene {
    let scene = Scene::with(configuration);
    planned(&scene, NOW);
    apply(&scene, NOW).ended(6);
    scene.emulated_at(LATER, &["plan", "--detailed-exitcode"]).ended(0);
    scene
}

/// A scene whose environment is linked, and whose world knows that the operation has ended.
fn settled(configuration: &str) -> Scene {
    let scene = linked(configuration);
    apply(&scene, LATER).ended(0);
    scene
}

/// The policy that the environment is linked to, how that stands, and whether that key is in force.
fn link(world: &World) -> Option<(String, String, bool)> {
    let link = world.power_platform_environments[ENVIRONMENT].links.get(&LinkKind::Encryption)?;
    Some((link.policy.rsplit('/').next().unwrap().to_owned(), link.status.clone(), link.in_force))
}

fn is(policy: &str, status: &str, in_force: bool) -> Option<(String, String, bool)> {
    Some((policy.to_owned(), status.to_owned(), in_force))
}

/// What was begun, oldest first.
fn operations(world: &World) -> Vec<String> {
    let mut all: Vec<_> = world.lifecycle_operations.values().collect();
    all.sort_by_key(|operation| operation.started);
    all.into_iter().map(|operation| operation.kind.clone()).collect()
}

/// The grants of the role for such keys: the name of each identity, and the vault.
fn grants(world: &World) -> Vec<(String, String)> {
    let held = world.role_assignments.iter().filter(|held| held.role_definition == ENCRYPTION_USER);
    let name = |id: &Uuid| world.applications.get(id).unwrap().display_name.clone();
    let mut grants: Vec<_> =
        held.map(|held| (name(&held.principal_id), held.scope.rsplit('/').next().unwrap().to_owned())).collect();
    grants.sort();
    grants
}

fn granted(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(policy, vault)| ((*policy).to_owned(), (*vault).to_owned())).collect()
}

fn policies(world: &World) -> Vec<&EnterprisePolicy> {
    world.enterprise_policies.values().collect()
}

/// The codes of a plan's notes.
fn codes(plan: &Json) -> Vec<String> {
    let notes = plan["notes"].as_array().unwrap().iter();
    notes.map(|note| note["code"].as_str().unwrap().to_owned()).collect()
}

/// How often a step with this operation was begun, whether or not it came to a request.
fn begun(scene: &Scene, operation: &str) -> usize {
    let journal = scene.journal();
    journal.iter().filter(|entry| entry["operation"] == operation && entry["moment"] == "started").count()
}

/// Makes sure that a run with `-vv` told of its requests, and sent none that links or unlinks.
#[track_caller]
fn sent_no_link(run: &Run) {
    assert!(run.stderr.contains("GET lifecycle-operations-list"), "{}", run.stderr);
    assert!(!run.stderr.contains("POST environments-encryption"), "{}", run.stderr);
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}
