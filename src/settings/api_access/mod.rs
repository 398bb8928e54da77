//! `apiAccess`: whether an environment's API can be called at all.
//!
//! The product's own page does it (Settings > Permissions > APIs); Microsoft publishes no operation for it. The emulator serves one in house style. Where no operation may be used, what people attest counts.
//! What must stay true: only the service's own word proves "off"; an attestation that has run out proves nothing.

#[cfg(test)]
mod binding;
mod block;
pub mod keys;
mod risks;
mod steps;

pub use block::{Block, Declared};

use std::collections::BTreeMap;
use std::rc::Rc;

use async_trait::async_trait;
use serde_json::json;

use self::keys::Look;
use super::attestation;
use super::blocks::Block as _;
use super::observation::{Observation, Unreadable};
use super::setting::{Comparing, Observing, Setting};
use crate::azure::arm::ResourceId;
use crate::azure::customer_insights::{self as ci, ApiAccess};
use crate::azure::operations::{ACTIVATE_API_SUBSCRIPTION, DEACTIVATE_API_SUBSCRIPTION, GET_API_SUBSCRIPTION};
use crate::plan::{
    Action, Direction, Findings, Impact, ManualStep, Mode, Note, NoteCode, Outline, Planned, Rated, Severity, Step,
};

/// What is known about API access.
#[derive(Debug, Clone)]
pub struct Observed {
    /// Whether it is on; `None` if no operation may be used to ask.
    pub access: Option<Observation<ApiAccess>>,
    /// The keys, if they are declared and may be looked at.
    pub keys: Option<Rc<keys::Observed>>,
}

#[async_trait(?Send)]
impl Setting for Block {
    type Observed = Observed;

    const RISKS: &'static [Rated] = risks::RISKS;

    fn resources(declared: &Declared) -> Vec<ResourceId> {
        declared.keys.iter().filter_map(|keys| keys.publish_to.vault.resource().ok()).collect()
    }

    async fn observe(declared: &Declared, observing: &Observing<'_>) -> Observed {
        if observing.surface.mode(GET_API_SUBSCRIPTION.facts().provenance) == Mode::Manual {
            return Observed { access: None, keys: None };
        }
        let keys = async {
            match &declared.keys {
                Some(keys) => Some(Look::new(keys, observing).observe(observing.reader).await),
                None => None,
            }
        };
        let (access, keys) = tokio::join!(ci::api_access(observing.reader, observing.instance), keys);
        Observed { access: Some(access.map_err(Unreadable::from)), keys }
    }

    fn compare(declared: &Declared, observed: &Observed, comparing: &Comparing<'_>) -> Findings {
        let setting = comparing.address(Block::KEY);
        let keys = observed.keys.as_ref().map(|keys| keys::compare(keys, comparing, &setting)).unwrap_or_default();
        // Turning API access on and publishing the keys that come with it is one change.
        let switched = keys.changes.iter().any(|planned| planned.change.address == setting);
        let access = match &observed.access {
            None => by_attestation(declared, comparing),
            Some(Err(unreadable)) => Findings { unknown: vec![unreadable.at(setting)], ..Findings::default() },
            Some(Ok(live)) if (*live == ApiAccess::On) == declared.enabled => {
                Findings { in_sync: 1, ..Findings::default() }
            }
            Some(Ok(_)) if switched => Findings::default(),
            Some(Ok(_)) => switch(declared, comparing),
        };
        access.and(keys)
    }
}

/// The switch has to be thrown.
fn switch(declared: &Declared, comparing: &Comparing<'_>) -> Findings {
    let enable = declared.enabled;
    let address = comparing.address(Block::KEY);
    let operation = if enable { ACTIVATE_API_SUBSCRIPTION.facts() } else { DEACTIVATE_API_SUBSCRIPTION.facts() };
    let outline = Outline {
        address: address.clone(),
        setting: Block::KEY,
        subject: "API access for every client of the environment".to_owned(),
        action: if enable { Action::Enable } else { Action::Disable },
        direction: if enable { Direction::Weakens } else { Direction::Hardens },
        risk: if enable { risks::OPEN_ACCESS } else { risks::CLOSE_ACCESS },
        impact: if enable { Impact::None } else { Impact::Outage },
        before: json!({ "enabled": !enable }),
        after: json!({ "enabled": enable }),
        reason: if enable { "declared on, currently off" } else { "declared off, currently on" }.to_owned(),
        source: declared.place.clone(),
        operations: vec![operation],
    };
    let step: Rc<dyn Step> = Rc::new(steps::Switch { instance: comparing.instance.clone(), enable });
    let notes = if enable { Vec::new() } else { vec![cuts_clients(address)] };
    let mode = comparing.surface.mode(operation.provenance);
    let planned = Planned::new(outline, mode, vec![step]).taking_away(!enable).by_hand(|| by_hand(enable));
    Findings { changes: vec![planned], notes, ..Findings::default() }
}

/// What a person does where no operation may be used.
fn by_hand(enable: bool) -> ManualStep {
    let word = if enable { "on" } else { "off" };
    ManualStep {
        place: "Settings > Permissions > APIs".to_owned(),
        actions: vec![format!("switch API access {word}")],
        values: BTreeMap::from([("API access".to_owned(), word.to_owned())]),
        shown_by: format!("the page shows API access {word}; record it under `attested`"),
        record: None,
    }
}

fn cuts_clients(address: crate::plan::Address) -> Note {
    let message = "cuts off every API client of the environment: neither key works while API access is off";
    Note::finding(NoteCode::CutsApiClients, Severity::Warning, address, message).help(
        "whether the keys survive until access is switched on again isn't published; expect new keys that every client must \
         be given",
    )
}

/// What people attest, where nothing may be asked.
fn by_attestation(declared: &Declared, comparing: &Comparing<'_>) -> Findings {
    let address = comparing.address(Block::KEY);
    let unreadable_keys = declared.keys.iter().map(|_| {
        Unreadable::because(
            "Microsoft publishes no operation that shows the keys: copy the key in force from Settings > Permissions > APIs \
             with `palisade keys publish`",
        )
        .at(address.part("keys"))
    });
    let keys = Findings { unknown: unreadable_keys.collect(), ..Findings::default() };
    if let Some(attestation) = attestation::valid(comparing.attested, Block::KEY, comparing.now) {
        let notes = vec![attestation::note(attestation, address, comparing.now)];
        return Findings { in_sync: 1, notes, ..Findings::default() }.and(keys);
    }
    let state = if declared.enabled { "on" } else { "off" };
    let reason = format!(
        "Microsoft publishes no operation that reads it: look under Settings > Permissions > APIs, make sure that API \
         access is {state}, and write down under `attested` who saw it and when"
    );
    let notes = attestation::lapsed(comparing.attested, Block::KEY, address.clone(), comparing.now);
    let unknown = vec![Unreadable::because(reason).at(address)];
    Findings { unknown, notes: notes.into_iter().collect(), ..Findings::default() }.and(keys)
}
