//! What a link does at the moment of its write.

use serde_json::{Value as Json, json};

use crate::azure::testing::{Answers, writer_over};
use crate::plan::{Step as _, StepError};
use crate::settings::binding::{instance, resource};
use crate::settings::key_vault::steps::LinkVault;
use crate::terms::{VaultId, resource_kinds};

fn vault(name: &str) -> VaultId {
    resource(resource_kinds::VAULT, name).try_into().unwrap()
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
