//! The published secret where nothing is known of the instance: how old it is, and whether consumers can read it.
//!
//! Invariants: no value is read, and nothing is planned: whether the published key works, only the instance tells.

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
pub(in crate::settings::api_access) fn compare_alone(
    keys: &Keys,
    secret: &Secret,
    comparing: &Comparing<'_>,
    address: &Address,
) -> Findings {
    let mut findings = Findings::default();
    let place = &keys.publish_to;
    let mut tell = |code, severity, message: String| {
        findings.notes.push(Note::finding(code, severity, address.clone(), message));
    };
    match secret {
        Secret::Unknown(reason) => findings.unknown.push(Unreadable::because(reason).at(address.clone())),
        Secret::Absent => tell(codes::ROTATION_SCHEDULE, Severity::Info, format!("no key is published as {place}")),
        Secret::SoftDeleted => {
            tell(codes::CONSUMERS_CUT_OFF, Severity::Warning, format!("the secret {place} was deleted"));
        }
        Secret::Present(published) => {
            let Published { current, history: _ } = &**published;
            if current.content == Content::Disabled {
                let message = format!("the current version of the secret {place} is disabled");
                tell(codes::CONSUMERS_CUT_OFF, Severity::Warning, message);
                return findings;
            }
            let issued = current.tags.issued.filter(|issued| *issued <= current.created).unwrap_or(current.created);
            let days = comparing.now.duration_since(issued).as_hours() / 24;
            let age = format!("the key published as {place} is {days} days old, as far as its vault tells");
            match issued.checked_add(keys.rotation.max_age) {
                Ok(end) if end <= comparing.now => {
                    let message = format!("{age}: older than `maxAge`; it is replaced once the instance can be read");
                    tell(codes::ROTATION_WARNING, Severity::Warning, message);
                }
                _ => tell(codes::ROTATION_SCHEDULE, Severity::Info, age),
            }
        }
    }
    findings
}
