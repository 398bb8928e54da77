//! What the approval of each step hangs on.

use std::collections::BTreeSet;
use std::rc::Rc;

use uuid::Uuid;

use super::steps::{GiveRole, Subject, TakeRoles};
use crate::azure::operations::{DELETE_ASSIGNMENT, PUT_ASSIGNMENT};
use crate::plan::{Mode, Step};
use crate::settings::binding::{each_input_counts, instance};
use crate::settings::surface::Surface;
use crate::terms::ObjectId;

fn id(number: u128) -> ObjectId {
    Uuid::from_u128(number).into()
}

fn ada() -> Subject {
    Subject {
        id: id(1),
        listed_as: BTreeSet::from([id(1)]),
        spellings: BTreeSet::from([id(1).to_string()]),
        witnesses: BTreeSet::new(),
        label: "ada".into(),
    }
}

/// The same principal, seen otherwise.
fn seen_otherwise() -> [Subject; 4] {
    [
        Subject { label: "Ada Lovelace".into(), ..ada() },
        Subject { spellings: BTreeSet::from([format!("{{{}}}", id(1))]), ..ada() },
        Subject { listed_as: BTreeSet::from([id(1), id(9)]), ..ada() },
        Subject { witnesses: BTreeSet::from([id(8)]), ..ada() },
    ]
}

#[test]
fn giving_a_role() {
    let step = |number: u128, subject: Subject, kind: &'static str, role: &str| -> Rc<GiveRole> {
        Rc::new(GiveRole { instance: instance(number), subject, principal_type: kind, role: role.into(), reach: None })
    };
    let reaching = |reach: &str| {
        let (instance, subject) = (instance(1), ada());
        Rc::new(GiveRole {
            instance,
            subject,
            principal_type: "user",
            role: "Viewer".into(),
            reach: Some(reach.into()),
        })
    };
    let other = Subject { id: id(2), ..ada() };
    let otherwise = seen_otherwise().map(|subject| step(1, subject, "user", "Viewer"));
    each_input_counts(
        step(1, ada(), "user", "Viewer"),
        vec![
            ("instance", step(2, ada(), "user", "Viewer")),
            ("principal", step(1, other, "user", "Viewer")),
            ("kind of principal", step(1, ada(), "group", "Viewer")),
            ("role", step(1, ada(), "user", "Admin")),
            ("members", reaching("2 (sha256:1)")),
            ("other members", reaching("2 (sha256:2)")),
        ],
        otherwise.map(|step| step as Rc<dyn Step>).into(),
    );
}

#[test]
fn taking_roles_away() {
    let step = |number: u128, subject: Subject| Rc::new(TakeRoles { instance: instance(number), subject });
    let other = Subject { id: id(2), ..ada() };
    let otherwise = seen_otherwise().map(|subject| step(1, subject));
    each_input_counts(
        step(1, ada()),
        vec![("instance", step(2, ada())), ("principal", step(1, other))],
        otherwise.map(|step| step as Rc<dyn Step>).into(),
    );
}

/// No change of this setting has words for a person, so its operations must be published.
#[test]
fn whatever_may_be_used_palisade_has_steps() {
    for mode in [Mode::Automatic, Mode::Manual] {
        for operation in [PUT_ASSIGNMENT.facts(), DELETE_ASSIGNMENT.facts()] {
            assert_eq!(Surface::cloud(mode).mode(operation.provenance), Mode::Automatic, "{}", operation.name);
        }
    }
}
