//! What a person is told about an attested setting, and asked to look at.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Serialize;
use serde_json::{Value as Json, json};

use super::entry::{self as written, Attestation};
use super::judge::{Doubt, Evidence, Moment, last_day};
use crate::azure::operations::Facts;
use crate::config::words::Written as _;
use crate::plan::{
    Action, Address, Direction, Findings, Impact, ManualStep, Note, Outline, Planned, Rated, Risk, Severity, Work,
};
use crate::settings::attestation::codes;
use crate::settings::block::{Block, Saw};
use crate::settings::observation::Unreadable;
use crate::settings::setting::Comparing;
use crate::terms::{Place, ResourceId};

/// Looking changes nothing.
pub(in crate::settings) const LOOK: Rated =
    Rated { what: "look at what no operation can read, and record it", risk: Risk::Low };

/// How long an entry counts if no earlier one says otherwise.
const USUAL_VALIDITY: &str = "90d";

/// Something that a person has to look at.
pub(in crate::settings) struct Look<S> {
    pub(in crate::settings) address: Address,
    /// What it is about, in a person's words.
    pub(in crate::settings) subject: String,
    /// What isn't known: "whether API access is on".
    pub(in crate::settings) what: &'static str,
    /// What the page shows if everything is as declared, by the name that it shows.
    pub(in crate::settings) values: BTreeMap<String, String>,
    /// The declared value, as plans show it.
    pub(in crate::settings) declared: Json,
    /// What an entry says if everything is as declared, as far as that isn't ruled out.
    pub(in crate::settings) saw: S,
    /// Whether that is all that is declared.
    pub(in crate::settings) as_declared: bool,
    /// The operation that would read it.
    pub(in crate::settings) operation: &'static Facts,
    pub(in crate::settings) source: Place,
}

/// It isn't known: says why, and asks a person to look and to record what they see.
pub(in crate::settings) fn look<B: Block>(
    look: Look<B::Saw>,
    doubt: &Doubt<'_>,
    comparing: &Comparing<'_>,
) -> Findings {
    let Look { address, subject, what, values, declared, saw, as_declared, operation, source } = look;
    let beside = beside(&declared, &saw, doubt);
    let reason = format!("Microsoft publishes no operation that tells {what}; {}", doubt.sentence(&beside));
    let place = B::Saw::PLACE.unwrap_or_default();
    let outline = Outline {
        address: address.clone(),
        setting: B::KEY,
        subject,
        action: Action::Update,
        direction: Direction::Neutral,
        risk: LOOK,
        impact: Impact::None,
        before: json!({ "status": "unknown" }),
        after: declared,
        reason: format!("look and record: palisade can't tell {what}"),
        source,
        operations: vec![operation],
    };
    let manual = ManualStep {
        place: place.to_owned(),
        actions: vec![
            format!("look {what}; the values below are what is declared"),
            "record what you see under `attested`, even if it isn't as declared: the next plan then says what to change"
                .to_owned(),
        ],
        values,
        shown_by: match as_declared {
            true => "a valid entry says what you saw; the one below says that it is as declared",
            false => {
                "a valid entry says what you saw; the one below isn't ruled out by what palisade observes, which the declared \
                 value is"
            }
        }
        .to_owned(),
        record: Some(entry::<B>(&saw, comparing)),
    };
    Findings {
        changes: vec![Planned::new(outline, Work::person(manual))],
        notes: doubt.note(address.clone(), &beside).into_iter().collect(),
        unknown: vec![Unreadable::because(reason).at(address)],
        ..Findings::default()
    }
}

/// The entry that a person writes who sees this today, ready to be copied. Who looked last, and for how long that counted,
/// is taken from the newest entry about the setting.
pub(in crate::settings) fn entry<B: Block>(saw: &impl Serialize, comparing: &Comparing<'_>) -> String {
    let saw = serde_json::to_value(saw).map(|saw| written::flow(&saw)).unwrap_or_default();
    let former = comparing.attested.iter().filter(|one| one.setting == B::KEY).max_by_key(|one| one.on);
    let by = former.map_or(written::SOMEBODY, |former| former.by.as_str());
    let valid_for = former.map_or_else(|| USUAL_VALIDITY.to_owned(), |former| former.valid_for.written());
    let today = Moment::of(comparing).today.to_string();
    format!("- {}", written::text(B::KEY, &saw, by, &today, &valid_for))
}

/// Says what a setting rests on that wasn't read.
pub(in crate::settings) fn evidence(evidence: &Evidence<'_>, address: Address, moment: Moment) -> Note {
    let (code, message) = match evidence {
        Evidence::Attested(entry) => {
            let seen = seen(evidence, &[], moment);
            let message = format!("attested, not read: {seen}; valid until {}", last_day(entry));
            (codes::RESTS_ON_ATTESTATION, message)
        }
        Evidence::Inferred(_) => {
            (codes::RESTS_ON_INFERENCE, format!("inferred, not read: {}", seen(evidence, &[], moment)))
        }
    };
    Note::finding(code, Severity::Info, address, message)
}

/// How something is known that wasn't read, as a sentence that stands beside these resources.
pub(in crate::settings) fn seen(evidence: &Evidence<'_>, beside: &[ResourceId], moment: Moment) -> String {
    match evidence {
        Evidence::Attested(entry) => {
            let Attestation { setting: _, saw, by, on, valid_for: _, place: _ } = entry;
            format!("{by} saw {} {} ({on})", quoted(saw, beside), age(*on, moment.today))
        }
        Evidence::Inferred(how) => how.clone(),
    }
}

impl Doubt<'_> {
    /// Why it isn't known, as the end of a sentence.
    fn sentence(&self, beside: &[ResourceId]) -> String {
        let named = |entry: &Attestation| named(entry, beside);
        match self {
            Self::Missing => "no entry under `attested` says what a person saw".to_owned(),
            Self::Expired(entry) => format!("{} expired on {} and is ignored", named(entry), last_day(entry)),
            Self::Void(entry, created) => {
                format!(
                    "{} is older than the environment, which was created on {created}, and is ignored",
                    named(entry)
                )
            }
            Self::Ahead(entry) => format!("{} is dated in the future and is ignored", named(entry)),
            Self::Disputed(one, other) => format!("{} and {} contradict each other", named(one), named(other)),
            Self::Contradicted(entry, how) => format!("{} can't be right: {how}", named(entry)),
        }
    }

    fn note(&self, address: Address, beside: &[ResourceId]) -> Option<Note> {
        let code = match self {
            Self::Missing => return None,
            Self::Expired(_) => codes::EXPIRED_ATTESTATION,
            Self::Void(..) => codes::VOID_ATTESTATION,
            Self::Ahead(_) => codes::ATTESTATION_AHEAD,
            Self::Disputed(..) => codes::ATTESTATIONS_DISAGREE,
            Self::Contradicted(..) => codes::ATTESTATION_CONTRADICTED,
        };
        Some(
            Note::finding(code, Severity::Warning, address, self.sentence(beside))
                .help("look again, and renew the entry"),
        )
    }
}

/// An entry, as a sentence speaks of it.
fn named(entry: &Attestation, beside: &[ResourceId]) -> String {
    let Attestation { setting: _, saw, by, on, valid_for: _, place: _ } = entry;
    format!("the entry of {by} of {on} ({})", quoted(saw, beside))
}

/// What was seen, with names in place of whole resource ids, unless a name would be taken for that of a resource `beside` it.
fn quoted(saw: &Json, beside: &[ResourceId]) -> String {
    format!("`{}`", written::flow(&short(saw, beside)))
}

fn short(saw: &Json, beside: &[ResourceId]) -> Json {
    let name = |id: ResourceId| {
        let namesake = |other: &&ResourceId| other.name().eq_ignore_ascii_case(id.name()) && **other != id;
        if beside.iter().any(|other| namesake(&other)) { saw.clone() } else { Json::from(id.name()) }
    };
    match saw {
        Json::Object(members) => members.iter().map(|(key, value)| (key.clone(), short(value, beside))).collect(),
        Json::Array(items) => items.iter().map(|item| short(item, beside)).collect(),
        Json::String(text) => text.parse().map_or_else(|_| saw.clone(), name),
        other => other.clone(),
    }
}

/// All resources that a doubt is about: what is declared, what may be seen, and what the entries say.
fn beside(declared: &Json, saw: &impl Serialize, doubt: &Doubt<'_>) -> Vec<ResourceId> {
    let mut ids = Vec::new();
    resources(declared, &mut ids);
    resources(&serde_json::to_value(saw).unwrap_or_default(), &mut ids);
    match doubt {
        Doubt::Missing => {}
        Doubt::Expired(entry) | Doubt::Void(entry, _) | Doubt::Ahead(entry) | Doubt::Contradicted(entry, _) => {
            resources(&entry.saw, &mut ids);
        }
        Doubt::Disputed(one, other) => [one, other].iter().for_each(|entry| resources(&entry.saw, &mut ids)),
    }
    ids
}

fn resources(json: &Json, ids: &mut Vec<ResourceId>) {
    match json {
        Json::Object(members) => members.values().for_each(|value| resources(value, ids)),
        Json::Array(items) => items.iter().for_each(|item| resources(item, ids)),
        Json::String(text) => ids.extend(text.parse::<ResourceId>().ok()),
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

fn age(on: Date, today: Date) -> String {
    match (today - on).get_days() {
        0 => "today".to_owned(),
        1 => "1 day ago".to_owned(),
        days => format!("{days} days ago"),
    }
}
