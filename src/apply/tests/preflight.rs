//! What the caller may not do isn't begun.

use serde_json::{Value as Json, json};

use super::*;
use crate::apply::preflight::held_back;
use crate::azure::operations::CREATE_ROLE_ASSIGNMENT;
use crate::azure::testing::{Answers, reader_over};
use crate::plan::{By, Change, Demand};

const LAKE: &str = "/subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/contosolake";

/// What two changes that demand the same right there are told, if `by` makes the first, and what was asked.
async fn held(by: By, answer: (u16, Json)) -> (Vec<(String, Status, String)>, usize) {
    let world = World::of(vec![item("a/s/one"), item("a/s/two"), item("a/s/three")]);
    let plan = world.plan(&["a"], Only::default());
    let mut changes: Vec<Change> = plan.changes().cloned().collect();
    let needs = CREATE_ROLE_ASSIGNMENT.facts().needs;
    let of = |text: &str| changes.iter().position(|change| change.address.as_str() == text).unwrap();
    let (one, two) = (of("a/s/one"), of("a/s/two"));
    for index in [one, two] {
        changes[index].demands.push(Demand { needs, on: LAKE.parse().unwrap() });
    }
    changes[one].by = by;
    let services = Answers::by(move |_| answer.clone());
    let held = held_back(&reader_over(services.clone()), changes.iter()).await;
    let told = held.into_iter().map(|(address, outcome)| (address.to_string(), outcome.status, outcome.reason));
    (told.collect(), services.asked.borrow().len())
}

fn list(actions: &[&str]) -> (u16, Json) {
    (200, json!({ "value": [{ "actions": actions, "notActions": [] }] }))
}

/// Only a right that a complete list doesn't show holds back, and only what palisade itself would write.
#[tokio::test]
async fn what_surely_lacks_a_right_is_not_begun() {
    let (told, asked) = held(By::Palisade, list(&["*/read"])).await;
    assert_eq!((told.len(), asked), (2, 1), "{told:?}");
    for (_, status, reason) in &told {
        assert_eq!(*status, Status::Waiting);
        let names = reason.contains("lacks Microsoft.Authorization/roleAssignments/write") && reason.contains(LAKE);
        assert!(reason.starts_with("not begun, since this identity") && names, "{reason}");
    }
    let step = Item::manual();
    let (told, _) = held(By::Person { step: Box::new(step) }, list(&["*/read"])).await;
    assert_eq!(told.iter().map(|(address, ..)| address.as_str()).collect::<Vec<_>>(), ["a/s/two"]);
    for answer in [list(&["*"]), (403, json!({})), (400, json!({})), list(&[])] {
        assert_eq!(held(By::Palisade, answer.clone()).await.0, [], "{answer:?}");
    }
}
