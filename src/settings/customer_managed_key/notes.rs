//! What comparing notices about customer-managed keys.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::{codes, retained};
use crate::azure::power_platform::environments::{Environment, Sku};
use crate::azure::power_platform::policies::{Health, Hint, Policy};
use crate::plan::{Address, Note, Severity};
use crate::settings::block::Block as _;
use crate::settings::encryption_keys::KeyRef;
use crate::settings::encryption_keys::demands::{Fault, Onset};
use crate::settings::key_vault;
use crate::settings::lifecycle::UnderWay;
use crate::settings::observation::Observation;
use crate::settings::setting::Comparing;
use crate::terms::ResourceId;
use crate::terms::text::brief;

/// For so long a change of the key may go on, as Microsoft documents.
pub(super) const LONGEST: SignedDuration = SignedDuration::from_hours(4 * 24);

/// What is wrong keeps the environment from being linked.
pub(super) fn refused(address: &Address, Fault { code, what, help, .. }: Fault) -> Note {
    Note::refusal(code, address.clone(), what).help(help)
}

/// What is wrong may shut a linked environment down.
pub(super) fn at_risk(address: &Address, fault: &Fault, live: &Environment, now: Timestamp) -> Note {
    let code = if fault.code == codes::CMK_KEY_EXPIRES { fault.code } else { codes::CMK_AT_RISK };
    // What is merely a sign of something else has no consequence of its own.
    let message = match (fault.code == codes::CMK_AT_RISK, fault.onset) {
        (true, Onset::Never) => fault.what.clone(),
        (_, onset) => format!("{}; {}", fault.what, consequence(onset, live, now)),
    };
    Note::finding(code, Severity::Error, address.clone(), message).help(fault.to_keep()).about(fault.about.clone())
}

/// For how many days an environment is kept after it was locked; none where that isn't documented.
fn days_locked(live: &Environment) -> Option<u8> {
    match &live.sku {
        Some(Sku::Production) => Some(30),
        Some(Sku::Sandbox) => Some(7),
        _ => None,
    }
}

/// When, where no number of days is known.
fn other_types(live: &Environment) -> &'static str {
    match live.sku {
        Some(_) => "when isn't documented for environments of its type",
        None => {
            "30 days after that if it is a production environment, 7 if it is a sandbox; for other types no time is documented"
        }
    }
}

/// When an environment that lost its key at `onset` is deleted, as far as a day can be told.
fn deleted(onset: Onset, days: u8, now: Timestamp) -> Option<String> {
    let end =
        |at: Timestamp| at.saturating_add(SignedDuration::from_hours(24 * i64::from(days))).unwrap_or(Timestamp::MAX);
    let day = |at: Timestamp| end(at).to_zoned(TimeZone::UTC).date();
    match onset {
        Onset::Never | Onset::Untold => None,
        Onset::At(at) | Onset::Within(at) if end(at) <= now => {
            Some(format!("deleted at any moment: the {days} days may be over"))
        }
        Onset::At(at) => Some(format!("deleted on {} at the earliest", day(at))),
        Onset::Within(at) => Some(format!("deleted on {}, or sooner: since when exactly isn't told", day(at))),
    }
}

/// When an environment is deleted that is locked since `onset`.
pub(super) fn deletion(onset: Onset, live: &Environment, now: Timestamp) -> String {
    let Some(days) = days_locked(live) else { return format!("it is deleted later ({})", other_types(live)) };
    // What was found need not be what locked it.
    let onset = match onset {
        Onset::At(at) => Onset::Within(at),
        onset => onset,
    };
    match deleted(onset, days, now) {
        Some(deleted) => format!("it is {deleted}"),
        None => format!(
            "it is deleted {days} days after it was locked (since when it is isn't told; the plan that told what was lost had the day)"
        ),
    }
}

/// What becomes of an environment that loses its key, and when at the earliest.
pub(super) fn consequence(onset: Onset, live: &Environment, now: Timestamp) -> String {
    let lost = "the environment can't reach its key: it is shut down, if it isn't yet, and";
    let Some(days) = days_locked(live) else {
        return format!(
            "an environment that can't reach its key is shut down, and deleted later ({})",
            other_types(live)
        );
    };
    match (onset, deleted(onset, days, now)) {
        (Onset::Never, _) => {
            format!("an environment that can't reach its key is shut down, and deleted {days} days after that")
        }
        (Onset::At(at), Some(deleted)) if at > now => format!("the environment is shut down then, and {deleted}"),
        (_, Some(deleted)) => format!("{lost} {deleted}"),
        (_, None) => format!("{lost} deleted {days} days after that (since when it can't isn't told)"),
    }
}

/// The linked environment isn't one any more that could be linked.
pub(super) fn no_longer_fit(address: &Address, fault: &Fault) -> Note {
    Note::finding(codes::CMK_NO_LONGER_FIT, Severity::Error, address.clone(), &fault.what).help(fault.to_keep())
}

/// Connections stay on Microsoft's key, whatever the environment is on.
pub(super) fn connections(address: &Address, comparing: &Comparing<'_>) -> Note {
    let stay = "tokens of connections, of exports and enrichments as well, stay on a Microsoft-managed key, as for all connections of \
                Power Platform";
    let linked = comparing.beside.of::<key_vault::Block>().is_some();
    let message = match linked {
        true => format!("{stay}; the linked Key Vault covers only the connections that support it"),
        false => stay.to_owned(),
    };
    let note = Note::finding(codes::CMK_CONNECTIONS, Severity::Info, address.clone(), message);
    match linked {
        true => note,
        false => note.help(format!(
            "link a Key Vault of your own for the connections that support it: declare `{}`",
            key_vault::Block::KEY
        )),
    }
}

/// What isn't told of a linked environment.
pub(super) fn services(address: &Address) -> Note {
    let message = "whether every service of the environment uses the customer's key can't be read; the Power Platform admin center \
                   shows a warning if one doesn't";
    Note::finding(codes::CMK_SERVICES, Severity::Info, address.clone(), message)
}

/// What a policy says of its own health, short of `Unhealthy`, which is a fault.
pub(super) fn health(address: &Address, policy: &Policy) -> Option<Note> {
    let (word, severity) = match policy.health.as_ref()? {
        Health::Healthy | Health::Unhealthy => return None,
        Health::Undetermined => ("Undetermined", Severity::Info),
        Health::Warning => ("Warning", Severity::Warning),
        Health::Other(word) => (word.as_str(), Severity::Warning),
    };
    let (name, word) = (policy.id.name(), brief(word));
    let message = format!("Azure shows the health of the policy {name} as {word}, and doesn't say why");
    let note = Note::finding(codes::CMK_HEALTH, severity, address.clone(), message);
    Some(note.help("palisade reads key, vault and grant itself; nothing is wrong unless it says so"))
}

/// Power Platform doesn't show which policy an environment is leaving, and the file doesn't say.
pub(super) fn leaves_unseen(address: &Address) -> Note {
    let message = "the environment is being put on another policy, and which one it leaves isn't told: nothing watches that key, which it needs \
                   until the change is over";
    Note::finding(codes::CMK_UNWATCHED, Severity::Warning, address.clone(), message)
        .help("write the policy that it leaves under `retained`")
}

/// It goes on for longer than it may.
pub(super) fn overdue(address: &Address, operation: &UnderWay, comparing: &Comparing<'_>) -> Option<Note> {
    if !operation.overdue(LONGEST, comparing.now) {
        return None;
    }
    let message = format!("it goes on for longer than the documented four days: {}", operation.told(comparing.now));
    let note = Note::finding(codes::CMK_OVERDUE, Severity::Error, address.clone(), message);
    Some(note.help("look at the environment's history in the Power Platform admin center, and open a support request"))
}

/// A pinned version never moves.
pub(super) fn pinned(address: &Address, version: &str) -> Note {
    let message = format!("the key is pinned to the version {version}: new versions are never picked up");
    Note::finding(codes::CMK_PINNED, Severity::Warning, address.clone(), message)
        .help("leave `version` out, in a new policy, to follow the newest version without an outage")
}

/// The default environment may not take it.
pub(super) fn default_environment(address: &Address, hint: Option<&Observation<Hint>>) -> Note {
    let says = match hint {
        Some(Ok(Hint::Allowed)) => "Power Platform says beforehand that it would take it",
        Some(Ok(Hint::Disallowed(None))) => "Power Platform says beforehand that it wouldn't take it",
        Some(Ok(Hint::Disallowed(Some(why)))) => {
            &format!("Power Platform says beforehand that it wouldn't take it: {}", brief(why))
        }
        Some(Ok(Hint::Silent)) | None => "Power Platform says nothing clear about it beforehand",
        Some(Err(_)) => "what Power Platform says about it beforehand could not be read",
    };
    let message = format!(
        "it is disputed whether a default environment can have a customer-managed key; {says}, which is only a hint"
    );
    Note::finding(codes::CMK_DEFAULT_ENVIRONMENT, Severity::Warning, address.clone(), message)
}

/// The policy that is replaced isn't watched afterwards.
pub(super) fn former_unwatched(address: &Address, former: &ResourceId, key: Option<&KeyRef>, now: Timestamp) -> Note {
    let message = format!(
        "the policy {} that the environment leaves isn't under `retained`: nothing will watch its key, which backups need for 30 days",
        former.name()
    );
    Note::finding(codes::CMK_FORMER_UNWATCHED, Severity::Warning, address.clone(), message)
        .help(format!("write {}", retained::entry(former, key, now)))
}

/// Something is wrong with a key that only backups need.
pub(super) fn former_key(address: &Address, fault: &Fault) -> Note {
    let message = format!("{}; backups need the former key", fault.what);
    Note::finding(codes::CMK_RETAINED, Severity::Error, address.clone(), message).help(fault.to_keep())
}
