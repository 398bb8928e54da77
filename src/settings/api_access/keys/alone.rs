//! The published secret where nothing is known of the instance: how old it is, and whether consumers can read it.
//!
//! Invariants: no value is read, and nothing is planned: whether the published key works, only the instance tells.

use jiff::Timestamp;

use super::block::Keys;
use super::look::Look;
use crate::azure::customer_insights::Instance;
use crate::plan::{Address, Findings, Note, Severity};
use crate::rotation::{Content, Published, Secret};
use crate::settings::api_access::codes;
use crate::settings::observation::Unreadable;
use crate::settings::setting::{Comparing, Observing};

/// Looks at dates and tags of the secret.
pub(in crate::settings::api_access) async fn secret_alone(keys: &Keys, observing: &Observing<'_>) -> Secret {
    // Only the vault is asked, which is addressed by the declaration.
    let instance = Instance { id: keys.rotation.instance.parse().unwrap_or_default(), scale_unit: None };
    Look::new(keys, &instance, observing).dates_alone(observing.look).await
}

/// What its dates tell.
pub(super) struct Alone {
    /// In words.
    pub(super) text: String,
    /// When the published key reaches `maxAge`; none if none is published.
    pub(super) due: Option<Timestamp>,
    /// Whether consumers can't read it.
    pub(super) cut_off: bool,
    /// Whether it could not be read.
    pub(super) unread: bool,
}

pub(super) fn alone(keys: &Keys, secret: &Secret, now: Timestamp) -> Alone {
    let place = &keys.publish_to;
    let told = |text: String| Alone { text, due: None, cut_off: false, unread: false };
    let published = match secret {
        Secret::Unknown(reason) => return Alone { unread: true, ..told(reason.clone()) },
        Secret::Absent => return told(format!("no key is published as {place}")),
        Secret::SoftDeleted => return Alone { cut_off: true, ..told(format!("the secret {place} was deleted")) },
        Secret::Present(published) => published,
    };
    let Published { current, history: _ } = &**published;
    if current.content == Content::Disabled {
        return Alone { cut_off: true, ..told(format!("the current version of the secret {place} is disabled")) };
    }
    let issued = current.tags.issued.filter(|issued| *issued <= current.created).unwrap_or(current.created);
    let days = match now.duration_since(issued).as_hours() / 24 {
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    };
    let age = told(format!("the key published as {place} is {days} old, as far as its vault tells"));
    Alone { due: issued.checked_add(keys.rotation.max_age).ok(), ..age }
}

/// The same as findings.
pub(in crate::settings::api_access) fn compare_alone(
    keys: &Keys,
    secret: &Secret,
    comparing: &Comparing<'_>,
    address: &Address,
) -> Findings {
    let mut findings = Findings::default();
    let Alone { text, due, cut_off, unread } = alone(keys, secret, comparing.now);
    if unread {
        findings.unknown.push(Unreadable::because(text).at(address.clone()));
        return findings;
    }
    let (code, severity, message) = match due {
        _ if cut_off => (codes::CONSUMERS_CUT_OFF, Severity::Warning, text),
        Some(due) if due <= comparing.now => {
            let message = format!("{text}: older than `maxAge`; it is replaced once the instance can be read");
            (codes::ROTATION_WARNING, Severity::Warning, message)
        }
        _ => (codes::ROTATION_SCHEDULE, Severity::Info, text),
    };
    findings.notes.push(Note::finding(code, severity, address.clone(), message));
    findings
}
