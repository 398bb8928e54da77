//! What a link does at the moment of its write, and what a read-back takes for done.

use serde_json::{Value as Json, json};

use crate::azure::rights::roles;
use crate::azure::testing::{Answers, reader_over, writer_over};
use crate::azure::vaults::Permissions;
use crate::plan::{ReadBack, Step, StepError};
use crate::settings::binding::{instance, resource};
use crate::settings::key_vault::steps::LinkVault;
use crate::settings::vault_grants::{AddPolicy, GrantRole, Grantee};
use crate::terms::{ObjectId, VaultId, resource_kinds};

fn vault(name: &str) -> VaultId {
    resource(resource_kinds::VAULT, name).try_into().unwrap()
}

fn to() -> Grantee {
    Grantee { id: Some(service()), bound: service().to_string(), called: "Customer Insights".into() }
}

fn add_policy() -> AddPolicy {
    let all = || vec!["get".to_owned(), "list".to_owned()];
    let permissions = Permissions { keys: all(), secrets: all(), certificates: all() };
    AddPolicy { vault: vault("wanted"), tenant: uuid::Uuid::from_u128(1), to: to(), permissions }
}

fn linked(vault: &VaultId) -> Json {
    json!({
        "keyVaultName": vault.name(),
        "subscriptionId": vault.subscription(),
        "resourceGroup": vault.resource_group(),
        "accessState": "accessible",
    })
}

/// A link replaces the one before it: what somebody linked since the plan was made stays.
#[tokio::test]
async fn a_vault_that_was_linked_meanwhile_is_not_replaced() {
    let (wanted, former, stranger) = (vault("wanted"), vault("former"), vault("stranger"));
    let table = [
        (&wanted, None, true),
        (&former, Some(&former), true),
        (&former, None, false),
        (&stranger, None, false),
        (&stranger, Some(&former), false),
    ];
    for (live, instead_of, written) in table {
        let body = linked(live);
        let service = Answers::by(move |_| (200, body.clone()));
        let step = LinkVault { instance: instance(1), vault: wanted.clone(), instead_of: instead_of.cloned() };
        let outcome = step.write(&writer_over(service.clone())).await;
        assert_eq!(!service.writes().is_empty(), written, "{live} instead of {instead_of:?}");
        assert_eq!(outcome.is_ok(), written, "{outcome:?}");
        assert!(written || matches!(outcome, Err(StepError::Stopped(_))), "{outcome:?}");
    }
    // What can't be read may be another one.
    let service = Answers::by(|_| (403, json!({})));
    let step = LinkVault { instance: instance(1), vault: wanted, instead_of: None };
    assert!(step.write(&writer_over(service.clone())).await.is_err());
    assert_eq!(service.writes(), [""; 0]);
}

async fn seen(step: &dyn Step, status: u16, body: Json) -> ReadBack {
    step.read_back(&reader_over(Answers::by(move |_| (status, body.clone())))).await.unwrap()
}

/// A link counts once the very vault is linked, and Customer Insights can use it.
#[tokio::test]
async fn a_vault_is_linked_once_it_can_be_used() {
    let step = LinkVault { instance: instance(1), vault: vault("wanted"), instead_of: None };
    assert_eq!(step.title(), "link the vault wanted");
    assert_eq!(seen(&step, 200, linked(&vault("wanted"))).await, ReadBack::Shown);
    let mut blocked = linked(&vault("wanted"));
    blocked["accessState"] = json!("firewallEnabled");
    let told = ReadBack::NotYet("Customer Insights can't use it: the vault's firewall is on".into());
    assert_eq!(seen(&step, 200, blocked).await, told);
    assert_eq!(seen(&step, 200, linked(&vault("other"))).await, ReadBack::NotYet("other is linked".into()));
    let none = json!({ "errorCode": "resourceNotFound", "message": "none" });
    let seen = seen(&step, 404, none).await;
    assert_eq!(seen, ReadBack::NotYet("Customer Insights shows no linked vault".into()));
}

fn service() -> ObjectId {
    ObjectId::from(uuid::Uuid::from_u128(0xc1))
}

/// The policies of a vault: for whom, and what they allow on keys, secrets and certificates.
fn with_policies(policies: &[(ObjectId, [&[&str]; 3])]) -> Json {
    let entries: Vec<Json> = policies
        .iter()
        .map(|(who, [keys, secrets, certificates])| {
            let permissions = json!({ "keys": keys, "secrets": secrets, "certificates": certificates });
            json!({ "tenantId": uuid::Uuid::from_u128(1), "objectId": who, "permissions": permissions })
        })
        .collect();
    json!({ "id": vault("wanted").to_string(), "properties": { "accessPolicies": entries } })
}

/// A policy counts once it allows the service all that is needed, on all three kinds.
#[tokio::test]
async fn a_policy_is_added_once_it_allows_all_that_is_needed() {
    let step = add_policy();
    assert_eq!(step.title(), "add an access policy for Customer Insights to wanted");
    assert_eq!(step.on().as_ref(), Some(vault("wanted").resource()));
    let (all, half): (&[&str], &[&str]) = (&["Get", "list"], &["get"]);
    let other = ObjectId::from(uuid::Uuid::from_u128(2));
    for (policies, done) in [
        (vec![(service(), [all, all, all])], true),
        (vec![(service(), [all, all, half])], false),
        (vec![(service(), [all, &[], all])], false),
        (vec![(other, [all, all, all])], false),
        (vec![], false),
    ] {
        let seen = seen(&step, 200, with_policies(&policies)).await;
        assert_eq!(seen == ReadBack::Shown, done, "{policies:?}: {seen:?}");
    }
    let gone = json!({ "error": { "code": "ResourceNotFound", "message": "gone" } });
    assert!(matches!(seen(&step, 404, gone).await, ReadBack::NotYet(_)));
}

/// Grants and policies are sent, and sent for the vault.
#[tokio::test]
async fn what_is_granted_is_written_on_the_vault() {
    let wanted = vault("wanted");
    let role = roles::KEY_VAULT_SECRETS_USER;
    let grant = GrantRole {
        vault: wanted.clone(),
        role,
        covered_by: &[],
        to: to(),
        description: String::new(),
        counts_after: jiff::SignedDuration::ZERO,
    };
    let policy = add_policy();
    assert_eq!(grant.title(), format!("grant {role} on wanted to Customer Insights"));
    assert_eq!(grant.on().as_ref(), Some(wanted.resource()));
    for step in [&grant as &dyn Step, &policy] {
        let services = Answers::by(|_| (200, json!({})));
        step.write(&writer_over(services.clone())).await.unwrap();
        let writes = services.writes();
        assert!(
            matches!(writes.as_slice(), [one] if one.starts_with("PUT ") && one.contains("/vaults/wanted/")),
            "{writes:?}"
        );
    }
}
