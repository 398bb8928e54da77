//! Seeding keys of vaults, enterprise policies, and resource groups that wait for some.

use jiff::SignedDuration;
use palisade::emulator::{Added, Thing, Wanted, WantedKey, WantedPolicy, World, seed};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::platform::{ENCRYPTION_USER, ENVIRONMENT, Scene, VERSION, environment_of, refusal};
use crate::support::{Ask, SUBSCRIPTION, VAULT, start_of_time, wanted, world};

const GROUP: &str = "/subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg-Keys";
const PINNED: &str = "0123456789abcdef0123456789abcdef";
const OWNER: &str = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635";

fn vault() -> String {
    format!("{GROUP}/providers/Microsoft.KeyVault/vaults/kv-Keys")
}

fn policy_id(name: &str) -> String {
    format!("{GROUP}/providers/Microsoft.PowerPlatform/enterprisePolicies/{name}")
}

fn key(vault: &str, name: &str, version: Option<&str>) -> WantedKey {
    WantedKey { vault: vault.into(), name: name.into(), version: version.map(str::to_owned) }
}

fn policy(name: &str, key: &str, version: Option<&str>) -> WantedPolicy {
    WantedPolicy {
        id: policy_id(name),
        environment_id: ENVIRONMENT.to_uppercase(),
        vault: vault(),
        key: key.into(),
        version: version.map(str::to_owned),
    }
}

/// A key alone, and two policies with keys of another vault.
fn more() -> Wanted {
    Wanted {
        keys: vec![key(VAULT, "Disk", None)],
        policies: vec![policy("cmk-EU", "pp", None), policy("cmk-pinned", "pp-pinned", Some(PINNED))],
        ..wanted()
    }
}

fn sow(world: &mut World, wanted: &Wanted) -> Added {
    seed(world, wanted, start_of_time()).unwrap()
}

fn versions(world: &World, vault: &str, key: &str) -> Vec<String> {
    world.vaults[vault].keys[key].versions.iter().map(|it| it.version.clone()).collect()
}

async fn read(s: &Scene, name: &str) -> Value {
    let reply = s.f.get(&format!("{}{VERSION}", policy_id(name)), &s.arm).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()
}

#[tokio::test]
async fn an_environment_can_be_linked_to_a_seeded_policy() {
    for (environment, geography) in [("europe", "europe"), ("unitedkingdom", "uk"), ("unitedstates", "unitedstates")] {
        let s = Scene::with(|world| {
            environment_of(world).location = environment.into();
            sow(world, &more());
        })
        .await;
        for name in ["cmk-EU", "cmk-pinned"] {
            let policy = read(&s, name).await;
            assert_eq!((&policy["kind"], &policy["location"]), (&json!("Encryption"), &json!(geography)));
            s.linked(&policy).await;
        }
        let policy = read(&s, "cmk-pinned").await;
        assert_eq!(policy["properties"]["healthStatus"], "Healthy");
        let key = &policy["properties"]["encryption"]["keyVault"]["key"];
        assert_eq!(*key, json!({ "name": "pp-pinned", "version": PINNED }));
        let shown = s.f.get(&format!("{}/keys/pp-pinned?api-version=2023-07-01", vault()), &s.arm).await.json();
        let properties = &shown["properties"];
        assert_eq!((&properties["kty"], &properties["keySize"]), (&json!("RSA"), &json!(3072)));
        assert!(properties["keyUriWithVersion"].as_str().unwrap().ends_with(PINNED), "{shown}");
    }
}

#[test]
fn a_key_is_made_with_every_version_that_is_wanted_of_it() {
    let other = "F".repeat(32);
    let mut wanted = wanted();
    wanted.keys = vec![
        key(VAULT, "a", None),
        key(VAULT, "b", None),
        key(&VAULT.to_uppercase(), "B", Some(PINNED)),
        key(VAULT, "b", Some(&other)),
        key(VAULT, "b", Some(&PINNED.to_uppercase())),
        key(VAULT, "c", Some("latest")),
    ];
    let mut one = world();
    sow(&mut one, &wanted);
    assert_eq!(versions(&one, "kv-ci-prod", "b"), [PINNED.to_owned(), other.to_lowercase()]);
    for name in ["a", "c"] {
        let made = versions(&one, "kv-ci-prod", name);
        assert!(
            made.len() == 1 && Uuid::try_parse(&made[0]).is_ok_and(|id| id.simple().to_string() == made[0]),
            "{name}"
        );
    }
    // Derived, so that two worlds agree.
    let mut two = world();
    sow(&mut two, &wanted);
    assert_eq!(one.vaults, two.vaults);
    let made = &one.vaults["kv-ci-prod"].keys["a"].versions[0].attributes;
    assert!(made.enabled && made.created < start_of_time() - SignedDuration::from_hours(24 * 300));
}

#[test]
fn a_policy_that_two_environments_name_lies_where_the_first_one_is() {
    let mut world = world();
    environment_of(&mut world).location = "canada".into();
    let first = policy("cmk", "pp", None);
    // One whose environment the world doesn't have lies where seeded environments are.
    let later = WantedPolicy { environment_id: "none".into(), ..first.clone() };
    let alone = WantedPolicy { id: policy_id("alone"), ..later.clone() };
    sow(&mut world, &Wanted { policies: vec![first, later, alone], ..wanted() });
    let location = |name: &str| world.enterprise_policies[&policy_id(name).to_lowercase()].location.clone();
    assert_eq!((location("cmk").as_str(), location("alone").as_str()), ("canada", "europe"));
}

#[test]
fn keys_and_policies_that_are_there_stay_as_they_are() {
    let mut world = world();
    sow(&mut world, &more());
    let once = world.clone();
    seed(&mut world, &more(), start_of_time() + SignedDuration::from_hours(24)).unwrap();
    assert_eq!(world, once);
    // Whatever has become of them.
    let keys = &mut world.vaults.get_mut("kv-keys").unwrap().keys;
    keys.get_mut("pp").unwrap().versions[0].attributes.enabled = false;
    keys.remove("pp-pinned").unwrap();
    let lower = policy_id("cmk-EU").to_lowercase();
    world.enterprise_policies.get_mut(&lower).unwrap().encryption.as_mut().unwrap().name = "other".into();
    world.role_assignments.retain(|it| it.scope != vault() && it.scope != GROUP);
    let before = world.clone();
    let mut again = more();
    again.keys.push(key(&vault(), "pp", Some(PINNED)));
    again.policies[0].id = again.policies[0].id.to_uppercase();
    again.policies.push(WantedPolicy { id: policy_id("cmk/more"), ..policy("x", "unmade", None) });
    again.policies.push(WantedPolicy { vault: vault().replace("vaults", "managedHSMs"), ..policy("hsm", "pp", None) });
    again.keys.push(key(&vault().replace("rg-Keys", "rg-Lake"), "elsewhere", None));
    again.keys.push(key("kv-Keys", "short", None));
    again.resource_groups = vec![GROUP.replace("rg-Keys", "RG-KEYS"), format!("{GROUP}/x"), "rg".into()];
    assert_eq!(sow(&mut world, &again).things().count(), 0);
    assert_eq!(world, before);
}

#[test]
fn what_was_added_is_told_and_identities_come_with_their_policies() {
    let mut world = world();
    let mut wanted = more();
    wanted.policies[1].id = policy_id("cmk-pinned").replace("rg-Keys", "rg-Policies");
    wanted.resource_groups = vec![format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-Later")];
    let added = sow(&mut world, &wanted);
    let told: Vec<(Thing, Vec<String>)> = added.things().map(|(thing, names)| (thing, names.to_vec())).collect();
    let texts = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let user = "Key Vault Crypto Service Encryption User on kv-Keys to the identity of";
    assert_eq!(
        told,
        [
            (Thing::ResourceGroup, texts(&["rg-Keys", "rg-Later", "rg-Policies"])),
            (Thing::Vault, texts(&["kv-Keys"])),
            (Thing::Key, texts(&["Disk in kv-CI-prod", "pp in kv-Keys", "pp-pinned in kv-Keys"])),
            (Thing::EnterprisePolicy, texts(&["cmk-EU", "cmk-pinned"])),
            (
                Thing::Role,
                texts(&[
                    "Owner on rg-Later",
                    "Key Vault Crypto Officer on kv-CI-prod",
                    "Reader on 11110000-0000-4000-8000-00000000aaaa",
                    "Reader on kv-Keys",
                    "Key Vault Secrets Officer on kv-Keys",
                    "Owner on rg-Keys",
                    "Key Vault Crypto Officer on kv-Keys",
                    "Owner on rg-Policies",
                ])
            ),
            (Thing::IdentityRole, vec![format!("{user} cmk-EU"), format!("{user} cmk-pinned")]),
        ]
    );
}

#[tokio::test]
async fn the_client_can_create_a_policy_in_a_seeded_group_and_grant_its_identity_a_role_on_the_key() {
    let s = Scene::with(|world| {
        let wanted = Wanted {
            keys: vec![key(&vault(), "pp", None)],
            resource_groups: vec![GROUP.replace("rg-Keys", "rg-Later")],
            ..wanted()
        };
        sow(world, &wanted);
    })
    .await;
    let path = policy_id("cmk").replace("rg-Keys", "rg-Later");
    let body = json!({
        "location": "europe", "kind": "Encryption", "identity": { "type": "SystemAssigned" },
        "properties": { "encryption": { "state": "Enabled", "keyVault": { "id": vault(), "key": { "name": "pp" } } } },
    });
    let made = s.f.ask("PUT", &format!("{path}{VERSION}"), Ask::token(&s.arm).json(&body)).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let policy = made.json();
    let grant = json!({ "properties": {
        "roleDefinitionId": format!("/providers/Microsoft.Authorization/roleDefinitions/{ENCRYPTION_USER}"),
        "principalId": policy["identity"]["principalId"], "principalType": "ServicePrincipal",
    } });
    for scope in [vault(), format!("{}/keys/pp", vault())] {
        let name = Uuid::from_u128(1);
        let path = format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{name}?api-version=2022-04-01");
        let granted = s.f.ask("PUT", &path, Ask::token(&s.arm).json(&grant)).await;
        assert_eq!(granted.status, 201, "{}", granted.text);
        s.linked(&policy).await;
        assert_eq!(s.f.ask("DELETE", &path, Ask::token(&s.arm)).await.status, 200);
    }
    // A group that the world had keeps the rights that it had.
    let owners = |world: &World, scope: &str| {
        let owner: Uuid = OWNER.parse().unwrap();
        world.role_assignments.iter().filter(|it| it.scope == scope && it.role_definition == owner).count()
    };
    s.change(|world| {
        world.role_assignments.retain(|it| it.scope != GROUP);
        sow(world, &Wanted { resource_groups: vec![GROUP.into()], ..wanted() });
        assert_eq!((owners(world, GROUP), owners(world, &GROUP.replace("rg-Keys", "rg-Later"))), (0, 1));
    });
    let refused = s.f.ask("PUT", &format!("{}{VERSION}", policy_id("x")), Ask::token(&s.arm).json(&body)).await;
    assert_eq!(refusal(&refused), (403, "AuthorizationFailed".into()));
}
