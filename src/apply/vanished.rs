//! What it means that an approved change isn't asked for any more when its setting is read afresh. Pure.
//!
//! Somebody may have made it meanwhile; or what it was derived from can't be read any more, or leads to something else.
//! What must stay true: only the first counts as done.

use super::report::{Outcome, Status};
use crate::plan::{Address, Change, Findings, ScopePlan};

/// The outcome of `change`, which its setting's `findings` don't ask for. What is unknown or waits anywhere in the setting
/// may be why, unless it already was when the plan was made and is beside the point.
pub(super) fn outcome(change: &Change, planned: &ScopePlan, findings: &Findings) -> Outcome {
    let concerns = |address: &Address| one_in_the_other(address, &change.address);
    let was_unknown = |address: &Address| planned.unknown.iter().any(|unknown| unknown.address == *address);
    let was_waiting = |address: &Address| planned.waiting.iter().any(|waiting| waiting.address == *address);
    let unknown = findings.unknown.iter().find(|one| concerns(&one.address) || !was_unknown(&one.address));
    if let Some(unknown) = unknown {
        let reason = format!("not sent: {} can't be read any more: {}", unknown.address, unknown.reason);
        return Outcome::unsent(Status::Failed, reason);
    }
    let new = |other: &&Change| !planned.changes.iter().any(|one| one.intent() == other.intent());
    let mut others = findings.changes.iter().map(|planned| &planned.change).filter(new);
    let instead = |other: &&Change| other.subject == change.subject || change.address.is_in(other.address.as_str());
    if let Some(other) = others.clone().find(instead) {
        let reason = format!(
            "it changed since it was approved: it isn't asked for any more, but `{}` of {} is: {} to {}",
            other.action, other.address, other.before, other.after
        );
        return Outcome::unsent(Status::Refused, reason);
    }
    let waiting = findings.waiting.iter().find(|one| concerns(&one.address) || !was_waiting(&one.address));
    if let Some(waiting) = waiting {
        return Outcome::unsent(Status::Waiting, format!("not sent: {}", waiting.detail));
    }
    if let Some(next) = others.find(|other| concerns(&other.address)) {
        let reason = format!("somebody else did it; `{}` of {} comes next: plan again", next.action, next.address);
        return Outcome { left_to_others: true, ..Outcome::unsent(Status::Waiting, reason) };
    }
    Outcome::unsent(Status::Done, "it was already so when looked at again; nothing was sent")
}

fn one_in_the_other(one: &Address, other: &Address) -> bool {
    one.is_in(other.as_str()) || other.is_in(one.as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::Place;
    use crate::plan::{
        Action, Direction, Identity, Impact, Mode, Outline, Planned, Rated, Risk, Unknown, Waiting, WaitingFor,
    };

    fn change(address: &Address, subject: &str, action: Action) -> Change {
        let outline = Outline {
            address: address.clone(),
            setting: "s",
            subject: subject.into(),
            action,
            direction: Direction::Neutral,
            risk: Rated { what: "change it", risk: Risk::Low },
            impact: Impact::None,
            before: json!(null),
            after: json!("x"),
            reason: String::new(),
            source: Place { file: "palisade.yaml".into(), line: 1, column: 1 },
            operations: Vec::new(),
        };
        Planned::new(outline, Mode::Automatic, Vec::new()).change
    }

    fn unknown(address: Address) -> Findings {
        let unknown = Unknown { address, reason: "refused".into(), operation: String::new() };
        Findings { unknown: vec![unknown], ..Findings::default() }
    }

    fn waiting(address: Address) -> Findings {
        let waiting =
            Waiting { address, waiting_for: WaitingFor::Person, since: None, detail: "somebody must look".into() };
        Findings { waiting: vec![waiting], ..Findings::default() }
    }

    fn asks(change: Change) -> Findings {
        let planned = Planned { change, takes_away: false, removes: false, requires: Vec::new(), steps: Vec::new() };
        Findings { changes: vec![planned], ..Findings::default() }
    }

    /// An environment in which `other` was unknown, and waited, when the plan was made.
    fn planned(changes: Vec<Change>) -> ScopePlan {
        let other = Address::setting("prod", "apiAccess").part("other");
        ScopePlan {
            scope: "prod".into(),
            identity: Identity::Environment {
                instance_id: String::new(),
                environment_id: String::new(),
                name: None,
                region: None,
                dataverse: None,
            },
            declaration: String::new(),
            in_sync: 0,
            changes,
            unknown: unknown(other.clone()).unknown,
            waiting: waiting(other).waiting,
        }
    }

    #[test]
    fn only_what_somebody_else_did_is_done() {
        let setting = Address::setting("prod", "apiAccess");
        let keys = setting.part("keys");
        let primary = change(&keys.part("primary"), "API keys", Action::Rotate);
        let secondary = change(&keys.part("secondary"), "API keys", Action::Rotate);
        let switch = change(&setting, "API access", Action::Enable);
        let stranger = change(&Address::setting("prod", "users").part("eve"), "eve (user)", Action::Delete);
        let beneath = change(&primary.address.part("endpoint"), "an endpoint", Action::Approve);
        let table = [
            ("nothing is asked for", Findings::default(), Status::Done),
            ("the setting can't be read", unknown(setting.clone()), Status::Failed),
            ("a part of it can't be read", unknown(primary.address.part("version")), Status::Failed),
            ("something beside it can't be read any more", unknown(keys.part("secondary")), Status::Failed),
            ("something beside it can't be read, as before", unknown(setting.part("other")), Status::Done),
            ("the keys wait for a person", waiting(keys.clone()), Status::Waiting),
            ("something beside it waits, as before", waiting(setting.part("other")), Status::Done),
            ("something beside it waits now", waiting(keys.part("rights")), Status::Waiting),
            ("the other slot is to be rotated", asks(secondary.clone()), Status::Refused),
            ("the whole setting is to be switched on", asks(switch), Status::Refused),
            ("somebody else is to be removed", asks(stranger), Status::Done),
            ("what comes after it is to be done", asks(beneath), Status::Waiting),
        ];
        for (what, findings, expected) in table {
            let outcome = outcome(&primary, &planned(vec![primary.clone()]), &findings);
            assert_eq!(outcome.status, expected, "{what}: {}", outcome.reason);
            assert!(!outcome.wrote);
        }
        let both = planned(vec![primary.clone(), secondary.clone()]);
        assert_eq!(outcome(&primary, &both, &asks(secondary)).status, Status::Done, "the other one was approved too");
    }
}
