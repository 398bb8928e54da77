//! Former policies and their keys, for as long as backups need them. Pure.
//!
//! Invariants: nothing of them is ever taken away; one that may be gone by now is told, and one that is needed and missing as well.

use jiff::civil::Date;
use jiff::{Span, Timestamp, tz::TimeZone};

use super::block::{Block, Declared, KeyRef, Retained, Wanted};
use super::codes;
use super::observe::{Chain, Observed};
use crate::plan::{Address, Findings, Note, Severity};
use crate::settings::block::Block as _;
use crate::settings::lifecycle::Course;
use crate::settings::setting::Comparing;

/// Days for which a former key or policy is needed, and those for a former version of the same key.
const KEY_DAYS: i64 = 30;
const VERSION_DAYS: i64 = 28;

/// The part of the setting's address that a former policy has.
pub(super) fn part(policy: &str) -> String {
    format!("retained/{}", policy.to_lowercase())
}

pub(super) fn compare(
    declared: &Declared,
    observed: &Observed,
    course: &Course,
    comparing: &Comparing<'_>,
    findings: &mut Findings,
) {
    for (one, chain) in declared.retained.iter().zip(&observed.retained) {
        let address = comparing.address(Block::KEY).part(&part(one.policy.name()));
        let needed = needed_until(declared, one, course);
        let last = needed.map_or(one.until, |needed| needed.max(one.until));
        if day(comparing.now) > last {
            findings.notes.push(retirable(&address, one, last));
            continue;
        }
        if let Some(needed) = needed.filter(|needed| *needed > one.until) {
            findings.notes.push(too_short(&address, one, needed));
        }
        kept(&address, one, chain, findings);
    }
}

fn day(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

/// The last day on which it is needed, if the change that made it a former one is the last that the environment's list tells of.
fn needed_until(declared: &Declared, one: &Retained, course: &Course) -> Option<Date> {
    let Course::Succeeded { what: _, at: Some(at) } = course else { return None };
    let same_key = |key: &KeyRef| key.vault == one.key.vault && key.name.eq_ignore_ascii_case(&one.key.name);
    let days = match &declared.wanted {
        Wanted::Customer(protection) if same_key(&protection.key) => VERSION_DAYS,
        Wanted::Customer(_) | Wanted::Microsoft => KEY_DAYS,
    };
    Some(day(*at).saturating_add(Span::new().days(days)))
}

fn retirable(address: &Address, one: &Retained, last: Date) -> Note {
    let Retained { policy, key, until: _, place: _ } = one;
    let message = format!("the policy {} and its key {key} have not been needed since {last}", policy.name());
    Note::finding(codes::CMK_RETIRABLE, Severity::Info, address.clone(), message).help(
        "make sure that no other environment is linked to the policy; then take the grant, the key and the policy away by hand, and \
         the entry out of `retained`",
    )
}

fn too_short(address: &Address, one: &Retained, needed: Date) -> Note {
    let message =
        format!("the policy {} is retained until {}, but backups need it until {needed}", one.policy.name(), one.until);
    Note::finding(codes::CMK_RETAINED, Severity::Warning, address.clone(), message)
        .help(format!("write `until: {needed}`, or a later day"))
}

/// Whether it is all still there.
fn kept(address: &Address, one: &Retained, chain: &Chain, findings: &mut Findings) {
    let mut gone = |what: String| {
        let message = format!("{what}, which backups need until {}", one.until);
        let note = Note::finding(codes::CMK_RETAINED, Severity::Error, address.clone(), message);
        findings.notes.push(note.help("recover it while it can be recovered; a key is kept by soft delete"));
    };
    match &chain.policy {
        Ok(None) => gone(format!("Azure has no policy {}", one.policy.name())),
        Ok(Some(_)) => {}
        Err(unreadable) => return findings.unknown.push(unreadable.at(address.clone())),
    }
    match (&chain.vault, &chain.version) {
        (Ok(None), _) => gone(format!("Azure has no vault {}", one.key.vault.name())),
        (_, Ok(None)) => gone(format!("there is no key {}", one.key)),
        (_, Ok(Some(version))) if version.enabled == Some(false) => gone(format!("the key {} is disabled", one.key)),
        (Ok(Some(_)), Ok(Some(_))) => {}
        (Err(unreadable), _) | (_, Err(unreadable)) => findings.unknown.push(unreadable.at(address.clone())),
    }
}
