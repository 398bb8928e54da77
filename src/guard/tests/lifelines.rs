//! What a living environment needs is taken by no change of any scope.

use std::rc::Rc;

use async_trait::async_trait;

use super::*;
use crate::azure::operations::{Facts, VAULT_REMOVE_ACCESS_POLICY};
use crate::azure::{CallError, Reader, Writer};
use crate::plan::{Binds, Lifeline, ReadBack, Step, StepError};
use crate::terms::ResourceId;

/// A write that takes the grant on a key from a policy's identity, say.
struct Taking(ResourceId);

#[async_trait(?Send)]
impl Step for Taking {
    fn title(&self) -> String {
        "revoke a role".into()
    }

    fn operation(&self) -> &'static Facts {
        VAULT_REMOVE_ACCESS_POLICY.facts()
    }

    fn binds(&self) -> Binds {
        Binds::none()
    }

    fn takes(&self) -> Vec<ResourceId> {
        vec![self.0.clone()]
    }

    async fn write(&self, _: &Writer) -> Result<(), StepError> {
        unreachable!("it is refused")
    }

    async fn read_back(&self, _: &Reader) -> Result<ReadBack, CallError> {
        unreachable!("it is refused")
    }
}

fn vault(name: &str) -> ResourceId {
    let group = "/subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg";
    format!("{group}/providers/Microsoft.KeyVault/vaults/{name}").parse().unwrap()
}

#[test]
fn nothing_is_taken_that_an_environment_lives_on_whichever_scope_would_do_it() {
    let living = |scope: &str, on: &str| {
        let mut account = account(scope, 0, 0);
        account.findings[0].lifelines = vec![Lifeline { of: scope.to_owned(), needs: vec![vault(on)] }];
        account
    };
    let taking = |scope: &str, what: &str| {
        let mut account = account(scope, 0, 0);
        let work = Work::step(Rc::new(Taking(vault(what))));
        account.findings[0].changes = vec![change(scope, 0, false, work)];
        account
    };
    let accounts =
        [living("prod", "kv-cmk"), living("test", "KV-CMK"), living("dev", "kv-dev"), taking("tools", "kv-cmk")];
    let notes = check(&accounts, None, &everything());
    let refused = notes.iter().find(|note| note.code == codes::WOULD_GO_DARK).unwrap();
    assert_eq!(refused.address.as_str(), "tools/users/0");
    assert!(refused.message.contains("kv-cmk from prod, test, which"), "{}", refused.message);
    // What nobody lives on may go, and a limit that leaves the change out has nothing to refuse.
    let free = [living("prod", "kv-cmk"), taking("tools", "kv-other")];
    assert!(check(&free, None, &everything()).iter().all(|note| note.code != codes::WOULD_GO_DARK));
}
