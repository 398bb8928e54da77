//! What is told of environments that no file declares. Pure.

use super::observe::{Observed, Undeclared};
use crate::azure::power_platform::environments::Environment;
use crate::plan::{Address, Findings, Note, Severity};
use crate::settings::customer_managed_key::{Watched, codes};
use crate::settings::observation::Unreadable;
use crate::settings::setting::Comparing;
use crate::terms::text::brief;

pub(super) fn compare(address: &Address, observed: &Observed, comparing: &Comparing<'_>) -> Findings {
    let mut findings = Findings::default();
    let undeclared = match observed {
        Ok(undeclared) => undeclared,
        Err(unreadable) => {
            findings.notes.push(unlisted(address, unreadable));
            return findings;
        }
    };
    for Undeclared { hosting, observed } in undeclared {
        let live = &*hosting.live;
        let of = name(live);
        let address = address.part(live.id.as_str());
        let Findings { notes, lifelines, .. } = Watched { live, of: of.clone(), address }.compare(observed, comparing);
        findings.lifelines.extend(lifelines);
        // The address has only an id.
        findings.notes.extend(notes.into_iter().map(|note| note.of_one_called(&of).aside()));
    }
    findings.settled(address.clone());
    findings
}

/// What people call an environment that has no key in the file.
fn name(live: &Environment) -> String {
    live.display_name.as_deref().map_or_else(|| live.id.to_string(), brief)
}

fn unlisted(address: &Address, unreadable: &Unreadable) -> Note {
    let message = format!(
        "the environments of the tenant could not be listed, so nothing watches those that the file doesn't declare: {}",
        unreadable.reason
    );
    Note::finding(codes::CMK_UNWATCHED, Severity::Error, address.clone(), message)
        .help("let this identity administer Power Platform, or leave `customerManagedKeys` out")
        .aside()
}
