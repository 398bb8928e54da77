//! `apiAccess`: whether an environment's API can be called at all.
//!
//! The product's own page does it (Settings > Permissions > APIs); Microsoft publishes no operation for it. The emulator
//! serves one in house style. Where no operation may be used, a published key that works shows that access is on; otherwise
//! what people attest counts.
//!
//! Invariants:
//!
//! - only the service's own word, or a person's, proves "off"; a key that is refused proves nothing;
//! - where keys are declared, API access is switched on only together with the publication of its keys, and only once the
//!   vault has taken a note of it.

#[cfg(test)]
mod binding;
mod block;
pub mod codes;
pub mod keys;
mod risks;
mod steps;

pub use block::{Block, Declared, Saw};

use std::collections::BTreeMap;
use std::rc::Rc;

use async_trait::async_trait;
use serde_json::json;

use self::keys::Look;
use super::attestation::{self, Moment, Statement, Trace, Verdict};
use super::block::Block as _;
use super::observation::{Observation, Unreadable};
use super::setting::{Comparing, Need, Observing, Setting};
use crate::azure::customer_insights::ApiAccess;
use crate::azure::operations::{ACTIVATE_API_SUBSCRIPTION, DEACTIVATE_API_SUBSCRIPTION, GET_API_SUBSCRIPTION};
use crate::config::Code;
use crate::config::Word;
use crate::plan::{
    Action, Address, Direction, Findings, Impact, ManualStep, Mode, Note, NoteCode, Outline, Planned, Rated, Severity,
    Step, Waiting, Work,
};
use crate::rotation::Secret;
use crate::terms::{Place, ResourceId};

const SUBJECT: &str = "API access for every client of the environment";

/// What a summary says where API access is turned on.
const OPENS: &str = "Opens";

/// What is known about API access.
#[derive(Debug, Clone)]
pub struct Observed {
    /// Whether it is on; `None` if no operation may be used to ask.
    pub access: Option<Observation<ApiAccess>>,
    /// The keys, if they are declared and may be looked at.
    pub keys: Option<Rc<keys::Observed>>,
    /// The published secret alone, if keys are declared and nothing is known of the instance.
    pub secret: Option<Secret>,
    /// Whether the published key works, tried where no operation may be used to ask.
    pub published_key_works: bool,
}

#[async_trait(?Send)]
impl Setting for Block {
    type Observed = Observed;

    const RISKS: &'static [Rated] = risks::RISKS;
    const CODES: &'static [Code] = codes::CODES;
    const NOTES: &'static [NoteCode] = codes::NOTES;
    const WORDS: &'static [Word] = keys::WORDS;

    fn places(declared: &Declared) -> Vec<(String, Place)> {
        let keys = declared.keys.iter().map(|keys| ("keys".to_owned(), keys.place.clone()));
        std::iter::once((String::new(), declared.place.clone())).chain(keys).collect()
    }

    fn resources(declared: &Declared) -> Vec<ResourceId> {
        declared.keys.iter().map(|keys| keys.publish_to.vault.resource().clone()).collect()
    }

    const NEEDS: &'static [Need] = &[Need::Instance];

    async fn observe(declared: Option<&Declared>, observing: &Observing<'_>) -> Observed {
        let nothing = Observed { access: None, keys: None, secret: None, published_key_works: false };
        let keys = declared.and_then(|declared| declared.keys.as_ref());
        let look = observing.look;
        let instance = match observing.instance {
            Ok(instance) => instance,
            Err(unreadable) => {
                let secret = match keys {
                    Some(keys) => Some(keys::secret_alone(keys, observing).await),
                    None => None,
                };
                return Observed { access: Some(Err(unreadable.clone())), secret, ..nothing };
            }
        };
        if observing.surface.mode(GET_API_SUBSCRIPTION.facts().provenance) == Mode::Manual {
            let published_key_works = match keys {
                Some(keys) => Look::new(keys, instance, observing).published_key_works(look).await,
                None => false,
            };
            return Observed { published_key_works, ..nothing };
        }
        let keys = async {
            match keys {
                Some(keys) => Some(Look::new(keys, instance, observing).observe(look).await),
                None => None,
            }
        };
        let (access, keys) = tokio::join!(look.api_subscription(instance), keys);
        let access = access.map(|(access, _)| access).map_err(Unreadable::from);
        Observed { access: Some(access), keys, ..nothing }
    }

    fn compare(declared: &Declared, observed: &Observed, comparing: &Comparing<'_>) -> Findings {
        let setting = comparing.address(Block::KEY);
        if let Err(unreadable) = comparing.instance {
            let keys = declared.keys.as_ref().zip(observed.secret.as_ref());
            let keys = keys.map(|(keys, secret)| keys::compare_alone(keys, secret, comparing, &setting.part("keys")));
            return Findings { unknown: vec![unreadable.at(setting)], ..Findings::default() }
                .and(keys.unwrap_or_default());
        }
        let keys = observed.keys.as_ref().map(|keys| keys::compare(keys, comparing, &setting)).unwrap_or_default();
        // Turning API access on and publishing the key that works then is one change.
        let switched = keys.changes.iter().any(|planned| planned.change.address == setting);
        let access = match &observed.access {
            None => unread(declared, observed.published_key_works, comparing).and(unread_keys(declared, comparing)),
            Some(Err(unreadable)) => Findings { unknown: vec![unreadable.at(setting)], ..Findings::default() },
            Some(Ok(live)) if (*live == ApiAccess::On) == declared.enabled => {
                Findings { in_sync: 1, in_effect: vec![setting], ..Findings::default() }
            }
            Some(Ok(_)) if switched => Findings::default(),
            // Keys that are made and can't be published would look like those of people who were there before.
            Some(Ok(_)) if declared.enabled && declared.keys.is_some() => stays_off(&keys, setting),
            Some(Ok(_)) => switch(declared, None, comparing),
        };
        access.and(keys)
    }
}

/// API access is off, and no consumer could be given a key that works once it is on: it stays off for now.
fn stays_off(keys: &Findings, address: Address) -> Findings {
    let why = |reason: &str| format!("API access stays off until its keys can be published: {reason}");
    if !keys.changes.is_empty() {
        return Findings::default();
    }
    if let Some(Waiting { waiting_for, since, detail, .. }) = keys.waiting.first().cloned() {
        let waiting = Waiting { address, waiting_for, since, detail: why(&detail) };
        return Findings { waiting: vec![waiting], ..Findings::default() };
    }
    let reason = keys.unknown.first().map_or("they could not be looked at", |unknown| unknown.reason.as_str());
    Findings { unknown: vec![Unreadable::because(why(reason)).at(address)], ..Findings::default() }
}

/// The switch has to be thrown. `seen` says how that is known, where the service didn't say it.
fn switch(declared: &Declared, seen: Option<String>, comparing: &Comparing<'_>) -> Findings {
    let enable = declared.enabled;
    let address = comparing.address(Block::KEY);
    let instance = match comparing.instance {
        Ok(instance) => instance.clone(),
        Err(unreadable) => return Findings { unknown: vec![unreadable.at(address)], ..Findings::default() },
    };
    let operation = if enable { ACTIVATE_API_SUBSCRIPTION.facts() } else { DEACTIVATE_API_SUBSCRIPTION.facts() };
    let outline = Outline {
        address: address.clone(),
        setting: Block::KEY,
        subject: SUBJECT.to_owned(),
        action: if enable { Action::Enable } else { Action::Disable },
        direction: if enable { Direction::Weakens } else { Direction::Hardens },
        risk: if enable { risks::OPEN_ACCESS } else { risks::CLOSE_ACCESS },
        impact: if enable { Impact::None } else { Impact::Outage },
        before: json!({ "enabled": !enable }),
        after: json!({ "enabled": enable }),
        reason: match seen {
            Some(seen) => format!("declared {}, currently {}: {seen}", word(enable), word(!enable)),
            None => format!("declared {}, currently {}", word(enable), word(!enable)),
        },
        source: declared.place.clone(),
        operations: vec![operation],
    };
    let step: Rc<dyn Step> = Rc::new(steps::Switch { instance, enable });
    let notes = if enable { Vec::new() } else { vec![cuts_clients(address)] };
    let mode = comparing.surface.mode(operation.provenance);
    let work = Work::of(mode, vec![step], || by_hand(declared, comparing));
    let planned = Planned::new(outline, work).taking_away(!enable);
    let planned = if enable { planned.dangerous(OPENS, SUBJECT) } else { planned };
    Findings { changes: vec![planned], notes, ..Findings::default() }
}

/// What a person does where no operation may be used.
fn by_hand(declared: &Declared, comparing: &Comparing<'_>) -> ManualStep {
    let word = word(declared.enabled);
    ManualStep {
        place: <Saw as super::block::Saw>::PLACE.unwrap_or_default().to_owned(),
        actions: vec![format!("switch API access {word}"), "record under `attested` that you saw it so".to_owned()],
        values: values(declared),
        shown_by: format!("the page shows API access {word}, and the entry says so"),
        record: Some(attestation::entry::<Block>(&Saw { enabled: declared.enabled }, comparing)),
    }
}

/// What the page shows if everything is as declared.
fn values(declared: &Declared) -> BTreeMap<String, String> {
    BTreeMap::from([("API access".to_owned(), word(declared.enabled).to_owned())])
}

fn word(enabled: bool) -> &'static str {
    if enabled { "on" } else { "off" }
}

fn cuts_clients(address: Address) -> Note {
    let message = "cuts off every API client of the environment: neither key works while API access is off";
    Note::finding(codes::CUTS_API_CLIENTS, Severity::Warning, address, message).help(
        "whether the keys outlive that isn't published; expect new keys, which every client must be given, once access is \
         switched on again",
    )
}

/// Where no operation may ask: what shows elsewhere, and what people attest.
fn unread(declared: &Declared, published_key_works: bool, comparing: &Comparing<'_>) -> Findings {
    let address = comparing.address(Block::KEY);
    let moment = Moment::of(comparing);
    let trace = match published_key_works {
        true => Trace::Shows(true, "the published key works, so API access is on".to_owned()),
        false => Trace::Nothing,
    };
    let statements: Vec<Statement<'_, bool>> = attestation::statements::<Saw>(comparing.attested, Block::KEY)
        .iter()
        .map(|statement| statement.about(|saw| saw.enabled))
        .collect();
    match attestation::judge(&declared.enabled, &trace, &statements, moment) {
        Verdict::InSync(evidence) => {
            let notes = vec![attestation::evidence(&evidence, address.clone(), moment)];
            Findings { in_sync: 1, in_effect: vec![address], notes, ..Findings::default() }
        }
        Verdict::Differs { live: _, evidence } => {
            switch(declared, Some(attestation::seen(&evidence, &[], moment)), comparing)
        }
        Verdict::Unknown(doubt) => {
            let enabled = trace.possible(&declared.enabled).unwrap_or(!declared.enabled);
            let look = attestation::Look {
                address,
                subject: SUBJECT.to_owned(),
                what: "whether API access is on",
                values: values(declared),
                declared: json!({ "enabled": declared.enabled }),
                saw: Saw { enabled },
                as_declared: enabled == declared.enabled,
                operation: GET_API_SUBSCRIPTION.facts(),
                source: declared.place.clone(),
            };
            attestation::look::<Block>(look, &doubt, comparing)
        }
    }
}

/// The keys that no operation may show.
fn unread_keys(declared: &Declared, comparing: &Comparing<'_>) -> Findings {
    let address = comparing.address(Block::KEY).part("keys");
    let unreadable = declared.keys.iter().map(|_| {
        Unreadable::because(
            "Microsoft publishes no operation that shows the keys: copy the key in force from Settings > Permissions > APIs \
             with `palisade keys publish`",
        )
        .at(address.clone())
    });
    Findings { unknown: unreadable.collect(), ..Findings::default() }
}
