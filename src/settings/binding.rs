//! For tests: what the approval of a step hangs on.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::Value as Json;
use uuid::Uuid;

use crate::azure::customer_insights::Instance;
use crate::plan::{Action, Address, Direction, Impact, Outline, Planned, Rated, Risk, Step, Work};
use crate::terms::{Place, ResourceId, digest};

/// The digest of a change that is the same in everything but the step that carries it out.
fn digest(step: Rc<dyn Step>) -> String {
    let outline = Outline {
        address: Address::written("prod").part("setting"),
        setting: "setting",
        subject: "something".into(),
        action: Action::Update,
        direction: Direction::Neutral,
        risk: Rated { what: "change it", risk: Risk::Low },
        impact: Impact::None,
        before: Json::Null,
        after: Json::Null,
        reason: String::new(),
        source: Place { file: "palisade.yaml".into(), line: 1, column: 1 },
        operations: Vec::new(),
    };
    digest::of_json(&Planned::new(outline, Work::step(step)).change.intent())
}

/// Makes sure that a step whose inputs differ in one is another one to whoever approves it, and that words make no difference.
#[track_caller]
pub(super) fn each_input_counts(base: Rc<dyn Step>, inputs: Vec<(&str, Rc<dyn Step>)>, words: Vec<Rc<dyn Step>>) {
    let same = digest(base);
    let mut seen = BTreeMap::from([(same.clone(), "the step itself")]);
    for (what, step) in inputs {
        if let Some(other) = seen.insert(digest(step), what) {
            panic!("another {what} has the digest of {other}");
        }
    }
    for step in words {
        assert_eq!(digest(step), same, "words are no part of an approval");
    }
}

pub(super) fn instance(number: u128) -> Instance {
    Instance { id: Uuid::from_u128(number), scale_unit: None }
}

pub(super) fn resource(kind: &str, name: &str) -> ResourceId {
    let id = format!("/subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg/providers/{kind}/{name}");
    id.parse().unwrap()
}
