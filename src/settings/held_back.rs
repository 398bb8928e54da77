//! What is kept out of a plan: everything, where the environment isn't known to be the one that is meant; new keys, while it is
//! being changed as a whole.
//!
//! Invariants: a service that could not be read is told once, for the environment, with the settings that it leaves unknown; what
//! another service showed stays; a change becomes unknown, or waits, never silence.

use super::blocks::Reviewed;
use super::hosting::Hosting;
use super::observation::{Observation, Unreadable};
use super::reach::Reached;
use super::setting::Need;
use crate::plan::{Account, Address, Findings, Planned, Unknown, Waiting, WaitingFor};
use crate::terms::{EnvironmentHead, Head};

/// Gives an account its findings, without what must not be planned.
pub(super) fn told(
    account: &mut Account,
    reviewed: Vec<Reviewed>,
    instance: &Observation<Reached>,
    hosting: &Observation<Hosting>,
) {
    let (needs, findings): (Vec<_>, Vec<_>) = reviewed.into_iter().map(|it| (it.needs, it.findings)).unzip();
    account.findings = findings;
    let Head::Environment(head) = account.head.clone() else { return };
    if let (Some(_), Err(unreadable)) = (head.instance_id, instance) {
        tell_once(account, &head, &concerned(&needs, Need::Instance), unreadable, "the instance can't be read");
    }
    let in_platform = concerned(&needs, Need::Environment);
    match hosting {
        Err(unreadable) if head.instance_id.is_none() || in_platform.contains(&true) => {
            tell_once(account, &head, &in_platform, unreadable, "the Power Platform environment can't be read");
        }
        _ => {
            let Some(why) = obstacle(hosting) else { return };
            hold(account, &in_platform, &why);
        }
    }
}

/// Which settings can't do without an id.
fn concerned(needs: &[&'static [Need]], need: Need) -> Vec<bool> {
    needs.iter().map(|needs| needs.contains(&need)).collect()
}

/// Why nothing may be changed in Power Platform, if so.
pub(super) fn obstacle(hosting: &Observation<Hosting>) -> Option<String> {
    match hosting {
        Err(unreadable) => Some(unreadable.reason.clone()),
        Ok(Hosting { unbound: Some(why), .. }) => Some(why.clone()),
        Ok(Hosting { unbound: None, .. }) => None,
    }
}

/// What could not be read is told for the environment, with the settings that it leaves unknown. What else was seen stays; but
/// nothing is planned in them for an environment that may be another one than the file means.
fn tell_once(account: &mut Account, head: &EnvironmentHead, concerned: &[bool], unreadable: &Unreadable, why: &str) {
    let is_cause = |unknown: &Unknown| unknown.reason == unreadable.reason && unknown.operation == unreadable.operation;
    let mut settings: Vec<String> = Vec::new();
    for (findings, _) in account.findings.iter_mut().zip(concerned).filter(|(_, concerned)| **concerned) {
        let (same, others): (Vec<_>, _) = std::mem::take(&mut findings.unknown).into_iter().partition(is_cause);
        let name = |unknown: &Unknown| unknown.address.within_scope().split('/').next().map(str::to_owned);
        settings.extend(same.iter().filter_map(name));
        findings.unknown = others;
    }
    hold(account, concerned, why);
    settings.dedup();
    if account.notes.is_empty() {
        let mut whole = unreadable.at(Address::scope(&head.scope()));
        if !settings.is_empty() {
            whole.reason = format!("{} (not read for this reason: {})", whole.reason, settings.join(", "));
        }
        account.unknown.push(whole);
    }
}

/// The changes of these settings become unknown.
fn hold(account: &mut Account, concerned: &[bool], why: &str) {
    for (findings, _) in account.findings.iter_mut().zip(concerned).filter(|(_, concerned)| **concerned) {
        let planned = std::mem::take(&mut findings.changes).into_iter();
        findings.unknown.extend(planned.map(|planned| held_back(planned, why)));
    }
}

fn held_back(planned: Planned, why: &str) -> Unknown {
    let change = planned.change;
    let reason = format!("nothing is planned while {why}; seen elsewhere: {}", change.reason);
    Unreadable::because(reason).at(change.address)
}

/// While one of the settings of a scope reports that the scope as a whole is being changed, no change of any of them that ends a
/// key is planned. Whatever puts right what consumers read goes on.
pub(super) fn freeze(findings: &mut [Findings]) {
    let mut going_on: Vec<&str> = findings.iter().filter_map(|findings| findings.under_way.as_deref()).collect();
    going_on.dedup();
    if going_on.is_empty() {
        return;
    }
    let going_on = going_on.join("; ");
    let detail = format!(
        "no key is rotated or retired while the environment is being changed: {going_on}; repairs of published keys go on"
    );
    for findings in findings {
        let planned = std::mem::take(&mut findings.changes).into_iter();
        let (frozen, others): (Vec<_>, _) = planned.partition(|planned| planned.change.action.ends_a_key());
        findings.changes = others;
        findings.waiting.extend(frozen.into_iter().map(|planned| Waiting {
            address: planned.change.address,
            waiting_for: WaitingFor::Service,
            since: None,
            detail: detail.clone(),
        }));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plan::{Action, Direction, Impact, Outline, Rated, Risk, Work};
    use crate::terms::Place;

    const ACTIONS: [Action; 15] = [
        Action::Recover,
        Action::Create,
        Action::Update,
        Action::Delete,
        Action::Enable,
        Action::Disable,
        Action::Rotate,
        Action::Retire,
        Action::Publish,
        Action::Resume,
        Action::Link,
        Action::Unlink,
        Action::Approve,
        Action::Grant,
        Action::Revoke,
    ];

    fn planned(action: Action) -> Planned {
        let outline = Outline {
            address: Address::written("prod/apiAccess/keys").part(&action.to_string()),
            setting: "apiAccess",
            subject: "API keys".into(),
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

    fn keys() -> Findings {
        Findings { changes: ACTIONS.map(planned).into(), ..Findings::default() }
    }

    fn busy(words: &str) -> Findings {
        Findings { under_way: Some(words.to_owned()), ..Findings::default() }
    }

    #[test]
    fn no_key_is_rotated_or_retired_while_another_setting_says_that_the_environment_is_being_changed() {
        let mut free = [keys(), Findings::default()];
        freeze(&mut free);
        assert_eq!((free[0].changes.len(), free[0].waiting.len()), (ACTIONS.len(), 0));

        // In whichever order the settings come, and by which of them it is said.
        for mut findings in [[keys(), busy("its key is replaced")], [keys().and(busy("its key is replaced")), keys()]] {
            freeze(&mut findings);
            let [keys, _] = &findings;
            let left: Vec<Action> = keys.changes.iter().map(|planned| planned.change.action).collect();
            let expected: Vec<Action> =
                ACTIONS.into_iter().filter(|action| ![Action::Rotate, Action::Retire].contains(action)).collect();
            assert_eq!(left, expected);
            let waiting: Vec<&str> = keys.waiting.iter().map(|waiting| waiting.address.within_scope()).collect();
            assert_eq!(waiting, ["apiAccess/keys/rotate", "apiAccess/keys/retire"]);
            assert_eq!((keys.waiting[0].waiting_for, keys.waiting[0].since), (WaitingFor::Service, None));
            assert_eq!(
                keys.waiting[0].detail,
                "no key is rotated or retired while the environment is being changed: its key is replaced; repairs of \
                 published keys go on"
            );
        }
    }

    #[test]
    fn what_goes_on_is_told_once_each() {
        let mut findings = [busy("one"), busy("one"), keys(), busy("two")];
        freeze(&mut findings);
        assert!(
            findings[2].waiting[0].detail.contains("being changed: one; two; "),
            "{}",
            findings[2].waiting[0].detail
        );
    }
}
