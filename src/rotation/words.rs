//! Decisions in words that a person understands.

use jiff::{SignedDuration, Timestamp};

use super::assessment::{Hold, Move, State, Why};
use super::decide::Decision;
use super::ledger::Issue;

/// Why, for a person.
pub(super) fn reason(decision: &Decision, now: Timestamp) -> String {
    let Decision { state, active, wanted, next, holds, due, retire_at, issue, unknown, .. } = decision;
    let standing = active.map(|active| {
        let age = issue.map(|issue| format!("; {}", age(&active.to_string(), issue, now))).unwrap_or_default();
        format!("{} is standby{age}", active.other())
    });
    let standing = standing.unwrap_or_default();
    let due_in = due.map(|due| format!(", due {}", when(due, now))).unwrap_or_default();
    let held: String = holds.iter().map(|hold| format!("; {}", held(*hold))).collect();
    // Where a person is asked, that is what they need to hear, whatever was wanted.
    if let Some(Move::AskPerson(why)) = next {
        return ask(*why).to_owned();
    }
    match (state, wanted) {
        (State::Unknown, _) => {
            format!("not known: {}; nothing is done", unknown.as_deref().unwrap_or("no reason given"))
        }
        (State::Settled, _) => format!("{standing}{due_in}; nothing to do"),
        (State::InGrace, _) => {
            let until =
                retire_at.map(|at| format!("; its former key may be retired {}", when(at, now))).unwrap_or_default();
            format!("{standing}{due_in}{until}; nothing to do")
        }
        (State::Due, _) => {
            let since = due.map(|due| format!(", due since {due}")).unwrap_or_default();
            format!("{standing}{since}{}", held_or(&held, "it is regenerated and published"))
        }
        (State::Retirable, _) => format!(
            "{standing}; the grace of its former key is over{}",
            held_or(&held, "it is regenerated, and stays standby")
        ),
        (State::Unfinished, Some(Move::FinishRotation { slot })) => {
            format!("a former run regenerated {slot} and did not publish it{}", held_or(&held, "it is published"))
        }
        (State::Unfinished, _) => format!("{standing}; a former run retired its key and did not note it; it is noted"),
        (State::Outage, Some(Move::Repair { slot })) => format!(
            "consumers hold a key that is in neither slot, so their calls fail: somebody regenerated the published key; \
             {slot} is published, nothing is regenerated"
        ),
        (State::Unpublished, _) => "nothing was published yet; primary is published, nothing is regenerated".to_owned(),
        (State::AccessOff, _) => {
            "API access is off, so no key works; once it is on, primary is published, whether or not the keys are new"
                .to_owned()
        }
        (State::SoftDeleted, _) => "the secret was deleted, so consumers can't read it; it is recovered".to_owned(),
        (State::Inconsistent, _) => {
            "both slots hold one key, so neither can be replaced without harm; nothing is done".to_owned()
        }
        (State::AgeOnly, _) => {
            let age = issue.map(|issue| age("the published key", issue, now)).unwrap_or_default();
            let then = match wanted {
                Some(_) => held_or(&held, "which slot is standby shows when applying"),
                None => "; nothing to do".to_owned(),
            };
            format!("{age}{due_in}{then}")
        }
        (State::Outage | State::ConsumersBlocked | State::Foreign, _) => "a person must look at the secret".to_owned(),
    }
}

fn held_or(held: &str, otherwise: &str) -> String {
    if held.is_empty() { format!("; {otherwise}") } else { held.to_owned() }
}

fn age(what: &str, issue: Issue, now: Timestamp) -> String {
    let days = ago(issue.counts_from(), now);
    match issue {
        Issue::NotBefore(_) => format!("{what} was issued {days}"),
        Issue::Unknown { .. } => format!("{what} was first published {days}, nobody knows when it was issued"),
    }
}

fn held(hold: Hold) -> String {
    match hold {
        Hold::Grace { until } => format!("held by grace until {until}"),
        Hold::Adoption { until: Some(until) } => format!("held until {until}, when `adoptedOn` and grace are over"),
        Hold::Adoption { until: None } => {
            "held until `adoptedOn` says since when no consumer has a key of its own".to_owned()
        }
        Hold::Gap { until } => format!("held until {until}, since the last regeneration was moments ago"),
        Hold::Window { opens: Some(opens) } => format!("held until a window opens at {opens}"),
        Hold::Clock => "held until the vault's clock is proved to agree with this machine's".to_owned(),
        Hold::Window { opens: None } => "held, since no window ever opens".to_owned(),
    }
}

fn ask(why: Why) -> &'static str {
    match why {
        Why::VersionDisabled => {
            "the current version of the secret is disabled, so consumers are refused; a person must enable it or say what is to follow"
        }
        Why::SecretForeign => {
            "the secret holds something that isn't a key of this environment; palisade doesn't publish over it"
        }
        Why::NoSuccessor => {
            "consumers hold a key that is in neither slot, and nothing tells which live key is to follow; a person must publish one"
        }
    }
}

fn when(instant: Timestamp, now: Timestamp) -> String {
    if instant <= now { "now".to_owned() } else { format!("in {}", span(instant.duration_since(now))) }
}

fn ago(instant: Timestamp, now: Timestamp) -> String {
    match now.duration_since(instant) {
        since if since < SignedDuration::from_mins(1) => "just now".to_owned(),
        since => format!("{} ago", span(since)),
    }
}

/// Rounded up when it is short, so that "in 1 day" never means now; days are what people plan with.
fn span(duration: SignedDuration) -> String {
    let minutes = duration.as_secs() / 60;
    let (count, unit) = match minutes {
        2880.. => (minutes / 1440, "day"),
        120.. => (minutes / 60, "hour"),
        _ => (minutes.max(1), "minute"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}
