//! What a read-back takes for done.

use serde_json::{Value as Json, json};

use super::*;
use crate::azure::testing::{Answers, reader_over};
use crate::plan::{ReadBack, Step};
use crate::settings::users::steps::{GiveRole, Subject, TakeRoles};

const NAMELESS: &str = "not an id";

fn subject() -> Subject {
    let listed_as = BTreeSet::from([object_id(ADA)]);
    Subject { id: object_id(ADA), listed_as, spellings: BTreeSet::from([id(ADA).to_string()]), label: "ada".into() }
}

fn instance() -> Instance {
    Instance { id: id(99), scale_unit: None }
}

/// What a step makes of a list of principals with their roles.
async fn seen(step: &dyn Step, list: &[(String, &[&str])]) -> ReadBack {
    let entries = list.iter().map(|(id, roles)| json!({ "principalId": id, "principalType": "user", "roles": roles }));
    let body: Json = entries.collect();
    step.read_back(&reader_over(Answers::by(move |_| (200, body.clone())))).await.unwrap()
}

/// An entry that can't be told to be of anybody may be of the one who was removed.
#[tokio::test]
async fn a_removal_is_done_if_a_list_without_nameless_entries_lacks_the_principal() {
    let step = TakeRoles { instance: instance(), subject: subject() };
    let admin: &[&str] = &["Admin"];
    let grace = || (id(GRACE).to_string(), admin);
    assert_eq!(seen(&step, &[grace()]).await, ReadBack::Shown);
    for more in [(NAMELESS.to_owned(), admin), (String::new(), admin), (id(ADA).to_string().to_uppercase(), admin)] {
        let seen = seen(&step, &[grace(), more.clone()]).await;
        assert!(matches!(seen, ReadBack::NotYet(_)), "{more:?}: {seen:?}");
    }
    let without_roles: &[&str] = &[];
    assert!(matches!(seen(&step, &[grace(), (id(ADA).to_string(), without_roles)]).await, ReadBack::NotYet(_)));
}

#[tokio::test]
async fn a_grant_is_done_if_the_principal_has_the_role_and_no_other() {
    let step =
        GiveRole { instance: instance(), subject: subject(), principal_type: "user", role: Role::Viewer.name().into() };
    let table: [(&[&str], bool); 5] =
        [(&["Viewer"], true), (&["VIEWER"], true), (&["Admin"], false), (&["Viewer", "Admin"], false), (&[], false)];
    for (roles, done) in table {
        let seen = seen(&step, &[(id(ADA).to_string(), roles), (NAMELESS.to_owned(), &["Admin"])]).await;
        assert_eq!(seen == ReadBack::Shown, done, "{roles:?}: {seen:?}");
    }
    let seen = seen(&step, &[(NAMELESS.to_owned(), &["Viewer"])]).await;
    assert!(matches!(seen, ReadBack::NotYet(_)), "{seen:?}");
}
