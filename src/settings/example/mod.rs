//! For tests: the smallest setting that there can be, as `CONTRIBUTING.md` explains it. No program has it.
//!
//! `title`: the display name of an environment. Microsoft publishes no operation that renames one, so a person does it.
//!
//! Invariants: the code that the page shows is the code that stands here (a test compares them).

mod block;
pub mod codes;
mod risks;

use async_trait::async_trait;
use serde_json::json;

pub(crate) use self::block::{Block, Declared};
use super::block::Block as _;
use super::observation::Observation;
use super::setting::{Comparing, Need, Observing, Setting};
use crate::azure::operations::GET_INSTANCE;
use crate::config::Code;
use crate::plan::{
    Action, Address, Direction, Findings, Impact, ManualStep, Note, NoteCode, Outline, Planned, Rated, Severity, Work,
};
use crate::terms::Place;

/// The live title, or why it isn't known.
pub(crate) type Observed = Observation<Option<String>>;

#[async_trait(?Send)]
impl Setting for Block {
    type Observed = Observed;

    const RISKS: &'static [Rated] = risks::RISKS;
    const CODES: &'static [Code] = codes::CODES;
    const NOTES: &'static [NoteCode] = codes::NOTES;
    const NEEDS: &'static [Need] = &[Need::Instance];

    fn places(declared: &Declared) -> Vec<(String, Place)> {
        vec![(String::new(), declared.place.clone())]
    }

    async fn observe(_: Option<&Declared>, observing: &Observing<'_>) -> Observed {
        let instance = observing.instance.map_err(Clone::clone)?;
        let metadata = observing.look.instance(instance).await?;
        Ok(metadata.name.clone())
    }

    fn compare(declared: &Declared, observed: &Observed, comparing: &Comparing<'_>) -> Findings {
        let address = comparing.address(Block::KEY);
        let mut findings = Findings::default();
        match observed {
            Err(unreadable) => findings.unknown.push(unreadable.at(address)),
            Ok(Some(live)) if *live == declared.text => findings.settled(address),
            Ok(live) => {
                findings.notes.push(shown_everywhere(address.clone()));
                findings.changes.push(rename(declared, live.as_deref(), address));
            }
        }
        findings
    }
}

fn rename(declared: &Declared, live: Option<&str>, address: Address) -> Planned {
    let outline = Outline {
        address,
        setting: Block::KEY,
        subject: "the title of the environment".to_owned(),
        action: Action::Update,
        direction: Direction::Neutral,
        risk: risks::RENAME,
        impact: Impact::None,
        before: json!({ "text": live }),
        after: json!({ "text": declared.text }),
        reason: format!("declared `{}`, currently `{}`", declared.text, live.unwrap_or("none")),
        source: declared.place.clone(),
        operations: vec![GET_INSTANCE.facts()],
    };
    let by_hand = ManualStep {
        place: "Settings > System > General".to_owned(),
        actions: vec!["rename the environment".to_owned()],
        values: [("Name".to_owned(), declared.text.clone())].into(),
        shown_by: "the page shows the new name".to_owned(),
        record: None,
    };
    Planned::new(outline, Work::person(by_hand))
}

fn shown_everywhere(address: Address) -> Note {
    Note::finding(codes::TITLE_IS_SHOWN, Severity::Info, address, "everybody who signs in sees the title")
}
