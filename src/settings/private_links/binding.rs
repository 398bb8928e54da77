//! What the approval of each step hangs on.

use std::rc::Rc;

use uuid::Uuid;

use super::steps::{AddLink, Approve, ApproveNew, RemoveLink};
use crate::plan::{Hold, Step};
use crate::settings::binding::{each_input_counts, instance, resource};
use crate::terms::ResourceId;

fn account(name: &str) -> ResourceId {
    resource("Microsoft.Storage/storageAccounts", name)
}

fn endpoint(name: &str) -> ResourceId {
    resource("Microsoft.Network/privateEndpoints", name)
}

#[test]
fn adding_a_link() {
    let step = |number: u128, resource: ResourceId, then: Option<&str>| AddLink {
        instance: instance(number),
        resource,
        then: then.map(str::to_owned),
    };
    each_input_counts(
        Rc::new(step(1, account("one"), None)),
        vec![
            ("instance", Rc::new(step(2, account("one"), None))),
            ("resource", Rc::new(step(1, account("two"), None))),
        ],
        vec![Rc::new(step(1, account("one"), Some("others approve it")))],
    );
}

#[test]
fn removing_a_link() {
    let step = |number: u128, resource: ResourceId, link: &str, look: bool| RemoveLink {
        instance: instance(number),
        resource,
        link: link.to_owned(),
        look,
    };
    each_input_counts(
        Rc::new(step(1, account("one"), "a", false)),
        vec![
            ("instance", Rc::new(step(2, account("one"), "a", false))),
            ("resource", Rc::new(step(1, account("two"), "a", false))),
            ("link", Rc::new(step(1, account("one"), "b", false))),
        ],
        vec![Rc::new(step(1, account("one"), "a", true))],
    );
}

#[test]
fn approving_a_listed_connection() {
    let step = |resource: ResourceId, connection: &str, endpoint: ResourceId, words: &str| Approve {
        resource,
        connection: connection.to_owned(),
        endpoint,
        description: words.to_owned(),
    };
    each_input_counts(
        Rc::new(step(account("one"), "a", endpoint("pe"), "")),
        vec![
            ("resource", Rc::new(step(account("two"), "a", endpoint("pe"), ""))),
            ("connection", Rc::new(step(account("one"), "b", endpoint("pe"), ""))),
            ("endpoint", Rc::new(step(account("one"), "a", endpoint("other"), ""))),
        ],
        vec![Rc::new(step(account("one"), "a", endpoint("pe"), "for prod"))],
    );
}

#[test]
fn approving_new_connections() {
    let step = |number: u128, resource: ResourceId, subscription: u128, words: &str| ApproveNew {
        instance: instance(number),
        resource,
        subscription: Uuid::from_u128(subscription),
        description: words.to_owned(),
    };
    each_input_counts(
        Rc::new(step(1, account("one"), 1, "")),
        vec![
            ("instance", Rc::new(step(2, account("one"), 1, ""))),
            ("resource", Rc::new(step(1, account("two"), 1, ""))),
            ("subscription", Rc::new(step(1, account("one"), 2, ""))),
        ],
        vec![Rc::new(step(1, account("one"), 1, "for prod"))],
    );
}

/// Environments link to one resource: whatever makes, approves or removes connections has it to itself.
#[test]
fn connections_of_one_resource_are_written_one_after_the_other() {
    let (instance, resource, description) = (|| instance(1), || account("one"), String::new);
    let steps: [Box<dyn Step>; 4] = [
        Box::new(AddLink { instance: instance(), resource: resource(), then: None }),
        Box::new(RemoveLink { instance: instance(), resource: resource(), link: "a".into(), look: true }),
        Box::new(Approve {
            resource: resource(),
            connection: "c".into(),
            endpoint: endpoint("e"),
            description: description(),
        }),
        Box::new(ApproveNew {
            instance: instance(),
            resource: resource(),
            subscription: Uuid::from_u128(1),
            description: description(),
        }),
    ];
    for step in steps {
        assert_eq!(step.holds(), [Hold::resource(&account("one"))], "{}", step.title());
    }
}
