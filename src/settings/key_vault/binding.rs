//! What the approval of each step hangs on.

use std::rc::Rc;

use uuid::Uuid;

use super::steps::{AddPolicy, GrantRole, LinkVault};
use crate::azure::rights::roles::{self, Role};
use crate::plan::{Hold, Step as _};
use crate::settings::binding::{each_input_counts, instance, resource};
use crate::terms::{VaultId, resource_kinds};

fn vault(name: &str) -> VaultId {
    resource(resource_kinds::VAULT, name).try_into().unwrap()
}

#[test]
fn granting_a_role() {
    let step = |vault: VaultId, role: u128, service: u128, words: &str| GrantRole {
        vault,
        role: Role { id: Uuid::from_u128(role), ..roles::KEY_VAULT_READER },
        service: Uuid::from_u128(service).into(),
        description: words.into(),
    };
    each_input_counts(
        Rc::new(step(vault("one"), 1, 1, "")),
        vec![
            ("vault", Rc::new(step(vault("two"), 1, 1, ""))),
            ("role", Rc::new(step(vault("one"), 2, 1, ""))),
            ("service principal", Rc::new(step(vault("one"), 1, 2, ""))),
        ],
        vec![Rc::new(step(vault("one"), 1, 1, "for prod"))],
    );
}

#[test]
fn adding_an_access_policy() {
    let step = |vault: VaultId, tenant: u128, service: u128| AddPolicy {
        vault,
        tenant: Uuid::from_u128(tenant),
        service: Uuid::from_u128(service).into(),
    };
    each_input_counts(
        Rc::new(step(vault("one"), 1, 1)),
        vec![
            ("vault", Rc::new(step(vault("two"), 1, 1))),
            ("tenant", Rc::new(step(vault("one"), 2, 1))),
            ("service principal", Rc::new(step(vault("one"), 1, 2))),
        ],
        vec![],
    );
}

#[test]
fn linking_a_vault() {
    let step = |number: u128, vault: VaultId, instead_of: Option<VaultId>| LinkVault {
        instance: instance(number),
        vault,
        instead_of,
    };
    each_input_counts(
        Rc::new(step(1, vault("one"), None)),
        vec![
            ("instance", Rc::new(step(2, vault("one"), None))),
            ("vault", Rc::new(step(1, vault("two"), None))),
            ("replaced vault", Rc::new(step(1, vault("one"), Some(vault("two"))))),
            ("other replaced vault", Rc::new(step(1, vault("one"), Some(vault("three"))))),
        ],
        vec![],
    );
}

/// Environments share a vault: each that grants has it to itself, by whatever way, and however its id is spelt.
#[test]
fn grants_on_one_vault_are_made_one_after_the_other() {
    let role = GrantRole {
        vault: resource("microsoft.keyvault/vaults", "ONE").try_into().unwrap(),
        role: roles::KEY_VAULT_READER,
        service: Uuid::from_u128(1).into(),
        description: String::new(),
    };
    let policy = AddPolicy { vault: vault("one"), tenant: Uuid::from_u128(1), service: Uuid::from_u128(1).into() };
    assert_eq!((role.holds(), policy.holds()), (vec![Hold::resource(vault("one").resource())], role.holds()));
    let link = LinkVault { instance: instance(1), vault: vault("one"), instead_of: None };
    assert_eq!(link.holds(), [], "it writes to the environment alone");
}
