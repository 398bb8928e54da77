//! What the approval of each step hangs on.

use std::rc::Rc;

use super::steps::LinkVault;
use crate::plan::Step as _;
use crate::settings::binding::{each_input_counts, instance, resource};
use crate::terms::{VaultId, resource_kinds};

fn vault(name: &str) -> VaultId {
    resource(resource_kinds::VAULT, name).try_into().unwrap()
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

#[test]
fn linking_writes_to_the_environment_alone() {
    let link = LinkVault { instance: instance(1), vault: vault("one"), instead_of: None };
    assert_eq!(link.holds(), []);
}
