//! The outcome of an approved change that its setting no longer asks for when it is read afresh. Pure.
//!
//! Invariants: only what is in effect counts as done.

use super::report::{Outcome, Status};
use crate::plan::{Change, Findings, ScopePlan, Seen, Vanished, vanished_among};

/// The outcome of `change`, which its setting's `findings` don't ask for.
pub(super) fn outcome(change: &Change, planned: &ScopePlan, findings: &Findings) -> Outcome {
    let changes: Vec<&Change> = findings.changes.iter().map(|planned| &planned.change).collect();
    let Findings { unknown, waiting, in_effect, complete, listed, behind, .. } = findings;
    let seen = Seen { changes: &changes, unknown, waiting, in_effect, complete, listed, behind };
    match vanished_among(change, planned, seen) {
        Vanished::InEffect => Outcome::unsent(Status::Done, "already in effect; nothing was sent"),
        Vanished::Unread(reason) => Outcome::unread(format!("not sent: {reason}")),
        Vanished::Waits(held) => Outcome::held(&held),
        Vanished::Instead(other) => {
            let reason = format!(
                "it changed since it was approved: it isn't asked for any more, but `{}` of {} is: {} to {}",
                other.action, other.address, other.before, other.after
            );
            Outcome::unsent(Status::Refused, reason)
        }
        Vanished::Unseen => {
            let reason = "not sent: it is no longer asked for, and doesn't show to be in effect; it isn't due now, or is held back";
            let status = if change.action.comes_with_time() { Status::Waiting } else { Status::Refused };
            Outcome::unsent(status, reason)
        }
        Vanished::Next(next) => {
            let reason =
                format!("another run or a person did it; `{}` of {} comes next: plan again", next.action, next.address);
            Outcome { left_to_others: true, ..Outcome::unsent(Status::Waiting, reason) }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plan::{
        Action, Address, Binds, Direction, Identity, Impact, Outline, Planned, Rated, Risk, Unknown, Waiting,
        WaitingFor, Work,
    };
    use crate::terms::{Place, Scope};

    fn change(address: &Address, subject: &str, action: Action) -> Change {
        planned(address, subject, action).change
    }

    fn planned(address: &Address, subject: &str, action: Action) -> Planned {
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
        Planned::new(outline, Work::Steps(Vec::new()))
    }

    fn unknown(address: Address) -> Findings {
        let unknown = Unknown { address, reason: "refused".into(), operation: String::new(), source: None };
        Findings { unknown: vec![unknown], ..Findings::default() }
    }

    fn waiting(address: Address) -> Findings {
        let waiting =
            Waiting { address, waiting_for: WaitingFor::Person, since: None, detail: "somebody must look".into() };
        Findings { waiting: vec![waiting], ..Findings::default() }
    }

    fn asks(change: Change) -> Findings {
        let mut planned = planned(&change.address, "", change.action);
        planned.change = change;
        Findings { changes: vec![planned], ..Findings::default() }
    }

    /// An environment in which `other` was unknown, and waited, when the plan was made.
    fn approved(changes: Vec<Change>) -> ScopePlan {
        let other = Address::written("prod/apiAccess").part("other");
        ScopePlan {
            scope: Scope::environment("prod"),
            identity: Identity::Environment {
                instance_id: None,
                environment_id: None,
                name: None,
                region: None,
                dataverse: None,
            },
            declaration: String::new(),
            in_sync: 0,
            in_effect: Vec::new(),
            complete: Vec::new(),
            listed: Vec::new(),
            behind: Vec::new(),
            changes,
            unknown: unknown(other.clone()).unknown,
            waiting: waiting(other).waiting,
        }
    }

    #[test]
    fn only_what_is_in_effect_is_done() {
        let setting = Address::written("prod/apiAccess");
        let keys = setting.part("keys");
        let primary = change(&keys.part("primary"), "API keys", Action::Publish);
        let secondary = change(&keys.part("secondary"), "API keys", Action::Rotate);
        let instead = change(&keys, "API keys", Action::Update);
        let switch = change(&setting, "API access", Action::Enable);
        let stranger = change(&Address::written("prod/users").part("eve"), "eve (user)", Action::Delete);
        let beneath = change(&primary.address.part("endpoint"), "an endpoint", Action::Approve);
        let shown = |findings: Findings| Findings { in_effect: vec![primary.address.clone()], ..findings };
        let table = [
            ("it shows", shown(Findings::default()), Status::Done),
            ("nothing asks for it, and nothing shows it", Findings::default(), Status::Refused),
            ("the setting can't be read", unknown(setting.clone()), Status::NotStarted),
            ("a part of it can't be read", unknown(primary.address.part("version")), Status::NotStarted),
            ("something beside it can't be read", shown(unknown(keys.part("secondary"))), Status::Done),
            ("the keys wait for a person", waiting(keys.clone()), Status::Waiting),
            ("something beside it waits", shown(waiting(keys.part("rights"))), Status::Done),
            ("the other slot is due", shown(asks(secondary)), Status::Done),
            ("something else is to be done with it", shown(asks(instead.clone())), Status::Refused),
            ("the whole setting is to be switched on", shown(asks(switch)), Status::Refused),
            ("another principal is to be removed", shown(asks(stranger)), Status::Done),
            ("what comes after it is to be done", shown(asks(beneath)), Status::Waiting),
        ];
        for (what, findings, expected) in table {
            let outcome = outcome(&primary, &approved(vec![primary.clone()]), &findings);
            assert_eq!(outcome.status, expected, "{what}: {}", outcome.reason);
            assert!(!outcome.wrote);
            assert_eq!(outcome.unread, expected == Status::NotStarted, "{what}");
        }
        let both = approved(vec![primary.clone(), instead.clone()]);
        let outcome_of_one = outcome(&primary, &both, &shown(asks(instead)));
        assert_eq!(outcome_of_one.status, Status::Done, "the other one was approved too");
        let mut gone = change(&setting.part("extra"), "an extra", Action::Delete);
        gone.binds = Binds::none().and("principal", "an id");
        let whole = || Findings { complete: vec![setting.clone()], ..Findings::default() };
        assert_eq!(outcome(&gone, &approved(vec![gone.clone()]), &whole()).status, Status::Done);
        assert_eq!(outcome(&gone, &approved(vec![gone.clone()]), &Findings::default()).status, Status::Refused);
        // Renamed meanwhile, so that it has another address and another subject.
        let there = Findings { listed: vec![gone.binds.clone()], ..whole() };
        assert_eq!(outcome(&gone, &approved(vec![gone.clone()]), &there).status, Status::Refused);
        let mut renamed = planned(&setting.part("renamed"), "renamed", Action::Delete);
        renamed.change.binds = gone.binds.clone();
        let asked = Findings { changes: vec![renamed], ..there };
        let refused = outcome(&gone, &approved(vec![gone.clone()]), &asked);
        assert_eq!(refused.status, Status::Refused);
        assert!(refused.reason.contains("`delete` of prod/apiAccess/renamed"), "{}", refused.reason);
        // A name that leads to somebody else by now, who has what was approved for the other.
        let mut granted = change(&setting.part("ada"), "ada (user)", Action::Create);
        granted.binds = Binds::none().and("principal", "an id").and("role", "Admin");
        let behind = |id: &str| Findings {
            in_effect: vec![granted.address.clone()],
            behind: vec![(granted.address.clone(), Binds::none().and("principal", id))],
            ..Findings::default()
        };
        let of = |id: &str| outcome(&granted, &approved(vec![granted.clone()]), &behind(id)).status;
        assert_eq!((of("an id"), of("another id")), (Status::Done, Status::Refused));
        let due = change(&setting.part("key"), "a key", Action::Rotate);
        assert_eq!(
            outcome(&due, &approved(vec![due.clone()]), &Findings::default()).status,
            Status::Waiting,
            "held back"
        );
    }
}
