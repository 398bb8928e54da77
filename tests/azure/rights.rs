//! Role assignments, rights as data and as the services tell them, access policies, Resource Graph.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use palisade::azure::authorization::{self, Grant, PrincipalType};
use palisade::azure::operations::{ALL, CREATE_ROLE_ASSIGNMENT, RECOVER_SECRET, SET_SECRET, UPDATE_SECRET};
use palisade::azure::private_endpoints::Status;
use palisade::azure::resource_graph;
use palisade::azure::rights::{Action, Holding, Needs, Right, ask, by_list, roles};
use palisade::azure::vaults::{self, Permissions, PolicyEntry};
use palisade::emulator::{Connection, ConnectionStatus};
use uuid::Uuid;

use crate::support::{LAKE, STRANGER_PRINCIPAL, Services, TENANT, VAULT, grant, start_of_time};
use palisade::terms::{AzureScope, ResourceId, VaultId, resource_kinds};

const SUBSCRIPTION: Uuid = Uuid::from_u128(0x1111_0000_0000_4000_8000_0000_0000_aaaa);

fn id(text: &str) -> ResourceId {
    text.parse().unwrap()
}

fn wish() -> Grant {
    Grant {
        scope: AzureScope::Resource(id(VAULT)),
        role: roles::KEY_VAULT_READER.id,
        principal_id: STRANGER_PRINCIPAL.into(),
        principal_type: PrincipalType::ServicePrincipal,
    }
}

#[tokio::test]
async fn a_grant_is_made_once_and_found_by_its_name() {
    let services = Services::with(|_| {}, "").await;
    let writer = services.admin();
    for _ in 0..2 {
        authorization::grant(&writer, &wish(), "palisade: prod").await.unwrap();
    }
    let held = authorization::assigned_to(writer.reader(), &wish().scope, STRANGER_PRINCIPAL.into()).await.unwrap();
    assert_eq!((held.len(), held[0].role, held[0].description.as_deref()), (1, wish().role, Some("palisade: prod")));
    let one = authorization::get(writer.reader(), &wish().scope, wish().name()).await.unwrap().unwrap();
    assert_eq!(one, held[0]);
    authorization::revoke(&writer, &wish().scope, one.name).await.unwrap();
    assert_eq!(authorization::get(writer.reader(), &wish().scope, one.name).await.unwrap(), None);
    assert!(
        authorization::assigned_to(writer.reader(), &wish().scope, STRANGER_PRINCIPAL.into()).await.unwrap().is_empty()
    );
}

#[tokio::test]
async fn the_same_grant_under_another_name_is_a_success() {
    let services = Services::with(|w| grant(w, STRANGER_PRINCIPAL, &wish().role.to_string(), VAULT), "").await;
    authorization::grant(&services.admin(), &wish(), "palisade: prod").await.unwrap();
    assert_eq!(services.count("PUT", "/roleAssignments/"), 1);
}

#[tokio::test]
async fn a_principal_that_is_new_is_not_found_for_a_while() {
    let until = start_of_time() + SignedDuration::from_secs(60);
    let services = Services::with(
        |w| {
            w.replicating_principals.insert(STRANGER_PRINCIPAL, until);
        },
        "",
    )
    .await;
    let refused = authorization::grant(&services.admin(), &wish(), "d").await.unwrap_err();
    assert_eq!(refused.code(), Some("PrincipalNotFound"));
}

#[tokio::test]
async fn rights_are_the_callers_own() {
    let action = Action::STORAGE_APPROVE;
    let services =
        Services::with(|w| grant(w, STRANGER_PRINCIPAL, "acdd72a7-3385-48ef-bd42-f606fba81ae7", LAKE), "").await;
    let admin = services.admin();
    assert!(authorization::granted(admin.reader(), &id(LAKE)).await.unwrap().allows(action));
    let theirs = authorization::granted(&services.stranger(), &id(LAKE)).await.unwrap();
    assert!(!theirs.allows(action) && theirs.allows(Action::STORAGE_READ));
    let in_group = authorization::granted_in_group(&services.stranger(), SUBSCRIPTION, "rg-lake").await.unwrap();
    assert!(!in_group.allows(Action::STORAGE_READ));
    let owner = authorization::definitions(admin.reader(), &AzureScope::Resource(id(LAKE)), "Owner").await.unwrap();
    assert!(owner.len() == 1 && owner[0].properties.permissions.allows(action));
}

#[tokio::test]
async fn an_access_policy_is_added_and_taken_away_without_touching_others() {
    let services = Services::with(|_| {}, "").await;
    let writer = services.admin();
    let vault: VaultId = VAULT.parse().unwrap();
    let entry = |object: u128, secrets: &[&str]| PolicyEntry {
        tenant_id: TENANT,
        object_id: Uuid::from_u128(object).into(),
        permissions: Permissions {
            secrets: secrets.iter().map(|s| (*s).to_owned()).collect(),
            ..Permissions::default()
        },
    };
    for (object, secrets) in [(1, ["get"].as_slice()), (2, &["get"]), (1, &["get", "list"])] {
        vaults::add_policy(&writer, &vault, &entry(object, secrets)).await.unwrap();
    }
    let policies = async || vaults::get(writer.reader(), &vault).await.unwrap().unwrap().properties.access_policies;
    assert_eq!(policies().await.iter().map(|p| p.permissions.secrets.len()).collect::<Vec<_>>(), [2, 1]);
    vaults::remove_policy(&writer, &vault, &entry(1, &["get", "list"])).await.unwrap();
    assert_eq!(policies().await.len(), 1);
    let change = vaults::Change { public_network_access: Some("Disabled".into()), ..vaults::Change::default() };
    vaults::update(&writer, &vault, &change).await.unwrap();
    let read = vaults::get(writer.reader(), &vault).await.unwrap().unwrap().properties;
    assert_eq!((read.public_network_access.as_deref(), read.access_policies.len()), (Some("Disabled"), 1));
}

#[tokio::test]
async fn resource_graph_finds_connections_of_all_kinds_or_says_that_it_could_not() {
    let services = Services::with(
        |world| {
            let connection = |name: &str| Connection {
                name: name.into(),
                private_endpoint: "/subscriptions/e".into(),
                status: ConnectionStatus::Pending,
                description: String::new(),
                decided: None,
                change: None,
            };
            world.vaults.get_mut("kv-ci-prod").unwrap().connections = vec![connection("kv.1")];
            world.storage_accounts.get_mut("contosolake").unwrap().connections = vec![connection("lake.1")];
        },
        "",
    )
    .await;
    let admin = services.admin();
    let subscriptions = BTreeSet::from([SUBSCRIPTION]);
    let found = resource_graph::connections(admin.reader(), &subscriptions).await.unwrap();
    let names: Vec<&str> = found.iter().map(|f| f.connection.rsplit('/').next().unwrap()).collect();
    assert_eq!((names, &found[0].status), (vec!["lake.1", "kv.1"], &Status::Pending));
    assert_eq!(
        resource_graph::find(admin.reader(), &subscriptions, resource_kinds::STORAGE_ACCOUNT).await.unwrap(),
        [id(LAKE)]
    );
    assert!(resource_graph::connections(&services.stranger(), &subscriptions).await.unwrap().is_empty());
    for answer in ["{ data: [], resultTruncated: 'true' }", "{ data: [ {} ] }", "{ data: [], $skipToken: same }"] {
        let faults =
            format!("- {{ operation: POST /providers/*, action: {{ status: {{ code: 200, body: {answer} }} }} }}");
        let services = Services::with(|_| {}, &faults).await;
        let refused = resource_graph::connections(services.admin().reader(), &subscriptions).await;
        assert!(refused.is_err(), "{answer}");
    }
}

/// Each right of the catalogue stands with a role; the role's definition, which palisade doesn't write, must have it.
#[tokio::test]
async fn the_role_that_is_named_with_a_right_has_it() {
    let services = Services::with(|_| {}, "").await;
    let admin = services.admin();
    let scope = AzureScope::Resource(id(LAKE));
    let mut rights: Vec<Right> = ALL.iter().flat_map(|facts| facts.needs.rights()).collect();
    rights.sort_unstable();
    rights.dedup();
    let mut seen = 0;
    for right in rights {
        let Some(role) = right.role() else { continue };
        let found = authorization::definitions(admin.reader(), &scope, role.name).await.unwrap();
        assert_eq!(found.iter().map(|one| one.name).collect::<Vec<_>>(), [role.id], "{role}");
        let holding = by_list(&Needs::One(right), &found[0].properties.permissions, None);
        assert_eq!(holding, Holding::Held, "{role} has {right}");
        seen += 1;
    }
    assert!(seen > 20, "{seen}");
}

/// One resource is asked once, by which of the two a vault goes decides, and nothing that can't be read counts as lacking.
#[tokio::test]
async fn what_a_caller_holds_is_asked_once_per_resource() {
    const READER: &str = "acdd72a7-3385-48ef-bd42-f606fba81ae7";
    let services = Services::with(|world| grant(world, STRANGER_PRINCIPAL, READER, VAULT), "").await;
    let needs = [SET_SECRET.facts().needs, UPDATE_SECRET.facts().needs, CREATE_ROLE_ASSIGNMENT.facts().needs];
    let stranger = services.stranger();
    let asked = ask(&stranger, Some(STRANGER_PRINCIPAL.into()), &id(VAULT), &needs).await;
    for one in &needs {
        assert!(asked.holding(one).lacking().is_some(), "{one}: {asked:?}");
    }
    assert_eq!(
        (services.count("GET", "/permissions"), services.count("GET", "/vaults/")),
        (1, 2),
        "the list is below it"
    );

    let by_policies = Services::with(
        |world| {
            grant(world, STRANGER_PRINCIPAL, READER, VAULT);
            let vault = world.vaults.get_mut("kv-ci-prod").unwrap();
            vault.enable_rbac_authorization = Some(false);
            let policy = serde_json::json!({ "tenantId": TENANT, "objectId": STRANGER_PRINCIPAL,
                "permissions": { "keys": [], "secrets": ["Set"], "certificates": [], "storage": [] } });
            vault.access_policies = vec![serde_json::from_value(policy).unwrap()];
        },
        "",
    )
    .await;
    let asked = ask(&by_policies.stranger(), Some(STRANGER_PRINCIPAL.into()), &id(VAULT), &needs).await;
    assert_eq!((asked.holding(&needs[0]), asked.holding(&needs[1])), (Holding::Held, Holding::Held));
    assert!(asked.holding(&needs[2]).lacking().is_some(), "Azure's own right is asked of Azure");
    assert!(asked.holding(&RECOVER_SECRET.facts().needs).doubt().is_some(), "a policy may name a group");

    for rule in [
        "- { operation: GET */permissions, action: { status: { code: 403 } } }",
        "- { operation: GET */permissions, action: { status: { code: 500 } } }",
        "- { operation: GET */vaults/kv-ci-prod, action: { status: { code: 403 } } }",
    ] {
        let services = Services::with(|_| {}, rule).await;
        let asked = ask(services.admin().reader(), None, &id(VAULT), &needs).await;
        assert!(needs.iter().all(|one| asked.holding(one).doubt().is_some()), "{rule}: {asked:?}");
    }
}

/// Nothing outside of the room of rights spells an action, or a role that has one: the emulator apart, which must not share our
/// mistakes.
#[test]
fn actions_and_roles_are_spelled_in_one_room() {
    fn look(folder: &std::path::Path, found: &mut Vec<String>, spellings: &[String]) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let shown = path.to_string_lossy().into_owned();
            // The words that people write for palisade's roles are names of Azure's roles, and grant nothing.
            let words = shown.ends_with("src/settings/aliases.rs");
            if shown.ends_with("src/emulator")
                || shown.ends_with("src/azure/rights")
                || shown.ends_with("/tests")
                || words
            {
                continue;
            }
            if path.is_dir() {
                look(&path, found, spellings);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            // What tests inside of a file say about what is printed is theirs, and so are words for people in the docs.
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
            let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
            let literals = lines.filter(|line| spellings.iter().any(|spelling| line.contains(spelling.as_str())));
            found.extend(literals.map(|line| format!("{shown}: {}", line.trim())));
        }
    }
    let rights: Vec<Right> = ALL.iter().flat_map(|facts| facts.needs.rights()).collect();
    let azure = rights.iter().filter(|right| right.role().is_some());
    let actions = azure.clone().map(|right| right.id());
    // Role names of one word are words of other things, too.
    let roles =
        azure.filter_map(|right| right.role()).map(|role| role.name.to_owned()).filter(|name| name.contains(' '));
    let endings = ["/action\"", "roleAssignments/write", "accessPolicies/write"].map(str::to_owned);
    let spellings: Vec<String> = actions.chain(roles).chain(endings).collect();
    let mut found = Vec::new();
    look(std::path::Path::new("src"), &mut found, &spellings);
    assert!(found.is_empty(), "{}", found.join("\n"));
}
