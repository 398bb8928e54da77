//! What a person reads about the keys besides changes: what holds, what is due, what is odd. Pure.

use jiff::Timestamp;

use super::compare::held;
use crate::azure::operations::SET_SECRET;
use crate::azure::rights::Holding;
use crate::plan::{Address, Note, NoteCode, Severity};
use crate::rotation::{Assessment, Facts, Move, Secret, State, VaultClock, Warning};
use crate::settings::api_access::codes;

/// What a person reads about the keys besides changes: what holds, what is due, what is odd.
pub(super) fn notes(assessment: &Assessment, address: &Address) -> Vec<Note> {
    let mut notes = Vec::new();
    if assessment.critical {
        let message = match assessment.state {
            State::Unknown | State::Inconsistent => assessment.reason.clone(),
            _ => "whoever uses the published key is cut off until then".to_owned(),
        };
        notes.push(note(codes::CONSUMERS_CUT_OFF, Severity::Warning, address, message));
    } else if assessment.state != State::Unknown && assessment.next.is_none() && held(assessment).is_none() {
        notes.push(note(codes::ROTATION_SCHEDULE, Severity::Info, address, schedule(assessment)));
    }
    notes.extend(assessment.warnings.iter().map(|found| warning(found, address)));
    notes
}

pub(super) fn schedule(assessment: &Assessment) -> String {
    let mut text = assessment.reason.clone();
    let ahead = |instant: &Option<Timestamp>| instant.filter(|_| assessment.wanted.is_none());
    let instants = [("next rotation due", ahead(&assessment.due)), ("retirement due", ahead(&assessment.retire_at))];
    for (what, instant) in instants {
        if let Some(instant) = instant {
            text += &format!("; {what} {}", seconds(instant));
        }
    }
    text
}

fn seconds(instant: Timestamp) -> Timestamp {
    Timestamp::from_second(instant.as_second()).unwrap_or(instant)
}

fn warning(found: &Warning, address: &Address) -> Note {
    let message = match found {
        Warning::TagDisagrees { tagged, live } => {
            format!("the secret's tag says {tagged}, its value is that of {live}; the value counts")
        }
        Warning::TagsUnintelligible(names) => {
            format!("tags of the secret can't be understood and count for nothing: {}", names.join(", "))
        }
        Warning::IssueUnknown => "nobody knows when the published key was issued; its age counts from its publication".to_owned(),
        Warning::Overdue { since } => format!("the published key is older than `maxAge` since {}", seconds(*since)),
        Warning::DeadInGrace { until } => format!(
            "a former key stopped working before its grace was over at {}: whoever hasn't read the secret since it was \
             replaced is cut off",
            seconds(*until)
        ),
        Warning::AdoptionUndeclared => {
            "keys were in use before palisade published one: before the first replacement, write under `adoptedOn` since \
             when all consumers read the secret"
                .to_owned()
        }
        Warning::ValuesNotLookedAt => {
            "`verify: metadata`: whether consumers hold a key that works was not looked at".to_owned()
        }
        Warning::StaleIntent(intent) => {
            format!("a former run noted at {} that it would regenerate {}, and didn't", intent.at, intent.slot)
        }
    };
    let code = match found {
        Warning::ValuesNotLookedAt => codes::VALUES_NOT_LOOKED_AT,
        _ => codes::ROTATION_WARNING,
    };
    note(code, Severity::Warning, address, message)
}

/// Whether what the move makes could be stored.
pub(super) fn store_right(holding: &Holding, next: Move, address: &Address) -> Option<Note> {
    let stores = !matches!(next, Move::Retire { .. } | Move::FinishRetirement { .. } | Move::RecoverSecret);
    let note = match holding {
        Holding::Held => return None,
        _ if !stores => return None,
        Holding::Lacking(_) => {
            let message = "the identity that runs palisade may not store secrets in the vault";
            Note::refusal(codes::STORE_RIGHT, address.clone(), message)
        }
        Holding::Unproved(doubt) => {
            let message = format!("whether a new key can be stored is unproved: {}", doubt.why);
            note(codes::STORE_RIGHT_UNPROVED, Severity::Warning, address, message)
        }
    };
    let needs = &SET_SECRET.facts().needs;
    let role = needs.role().map(|role| format!(", as in the role {role}")).unwrap_or_default();
    Some(note.help(format!("it needs {needs}{role}")))
}

/// Ages are counted from instants of two clocks; they must agree. Where nothing is published, nothing has an age.
pub(super) fn clock(facts: &Facts, address: &Address) -> Option<Note> {
    let Secret::Present(_) = facts.secret else { return None };
    let message = format!("{}; nothing is regenerated", facts.clock.objection()?);
    let help = match facts.clock {
        VaultClock::Unproved(_) => "see what changes the vault's answers on their way here, such as a proxy",
        VaultClock::Agrees | VaultClock::Apart { .. } => "set this machine's clock",
    };
    Some(note(codes::CLOCK_SKEW, Severity::Warning, address, message).help(help))
}

pub(super) fn note(code: NoteCode, severity: Severity, address: &Address, message: String) -> Note {
    Note::finding(code, severity, address.clone(), message)
}
