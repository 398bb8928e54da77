//! What the approval of each step hangs on.

use std::rc::Rc;

use super::steps::{GiveRole, TakeRoles};
use crate::settings::binding::{each_input_counts, instance};

#[test]
fn giving_a_role() {
    let step = |number: u128, id: &str, kind: &'static str, role: &str, label: &str| GiveRole {
        instance: instance(number),
        principal_id: id.into(),
        principal_type: kind,
        role: role.into(),
        label: label.into(),
    };
    each_input_counts(
        Rc::new(step(1, "a", "user", "Viewer", "ada")),
        vec![
            ("instance", Rc::new(step(2, "a", "user", "Viewer", "ada"))),
            ("principal", Rc::new(step(1, "b", "user", "Viewer", "ada"))),
            ("kind of principal", Rc::new(step(1, "a", "group", "Viewer", "ada"))),
            ("role", Rc::new(step(1, "a", "user", "Admin", "ada"))),
        ],
        vec![Rc::new(step(1, "a", "user", "Viewer", "Ada Lovelace"))],
    );
}

#[test]
fn taking_roles_away() {
    let step = |number: u128, id: &str, label: &str| TakeRoles {
        instance: instance(number),
        principal_id: id.into(),
        label: label.into(),
    };
    each_input_counts(
        Rc::new(step(1, "a", "ada")),
        vec![("instance", Rc::new(step(2, "a", "ada"))), ("principal", Rc::new(step(1, "b", "ada")))],
        vec![Rc::new(step(1, "a", "Ada Lovelace"))],
    );
}
