//! Former policies and their keys, for as long as backups need them. Pure.
//!
//! Invariants: nothing of them is ever taken away, and none is called no longer needed while it is linked, while a change is still to
//! come, or while something else in the configuration names it; what is declared of one is what its policy says.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::{Span, Timestamp, tz::TimeZone};

use super::block::{Block, Declared, Retained, Wanted};
use super::observe::{Chain, Observed, own_key};
use super::{codes, demands, notes, watch};
use crate::azure::power_platform::environments::Environment;
use crate::plan::{Address, Findings, Note, Severity};
use crate::settings::block::Block as _;
use crate::settings::encryption_keys::demands::Fault;
use crate::settings::encryption_keys::lifeline::Checked;
use crate::settings::encryption_keys::{KeyRef, same_key, upkeep};
use crate::settings::lifecycle::Course;
use crate::settings::setting::Comparing;
use crate::terms::ResourceId;

/// Days for which a former key or policy is needed, and those for a former version of the same key.
const KEY_DAYS: i64 = 30;
const VERSION_DAYS: i64 = 28;
/// Days that a change of the key may take.
const CHANGE_DAYS: i64 = 4;

/// The part of the setting's address that a former policy has: its name, and its group where two have one name.
pub(super) fn part(declared: &Declared, one: &Retained) -> String {
    let name = one.policy.name().to_lowercase();
    let same = |other: &&Retained| other.policy.name().eq_ignore_ascii_case(&name);
    match declared.retained.iter().filter(same).count() {
        1 => format!("retained/{name}"),
        _ => format!("retained/{}/{name}", one.policy.resource_group().to_lowercase()),
    }
}

/// How the file keeps a policy that is about to become a former one: for what the change may take, and for what backups need.
pub(super) fn entry(policy: &ResourceId, key: Option<&KeyRef>, now: Timestamp) -> String {
    let key = match key {
        Some(KeyRef { vault, name, version }) => {
            let version = version.as_ref().map(|it| format!(", version: '{it}'")).unwrap_or_default();
            format!("{{ vault: {vault}, name: {name}{version} }}")
        }
        None => "{ vault: …, name: … }".to_owned(),
    };
    let until = day(now).saturating_add(Span::new().days(CHANGE_DAYS + KEY_DAYS + 1));
    format!("`retained: [{{ policy: {policy}, key: {key}, until: {until} }}]`")
}

/// Where the policy that is about to become a former one isn't kept for as long as backups will need it.
pub(super) fn kept_too_short(
    declared: &Declared,
    over: &ResourceId,
    address: &Address,
    now: Timestamp,
) -> Option<Note> {
    let one = declared.retained.iter().find(|one| one.policy == *over)?;
    let needed = day(now).saturating_add(Span::new().days(CHANGE_DAYS + days_needed(declared, one)));
    (one.until < needed).then(|| too_short(address, one, needed))
}

/// Whether its last day is over. The policy that is linked now is needed whatever the file says.
pub(super) fn is_over(one: &Retained, live: &Environment, now: Timestamp) -> bool {
    day(now) > one.until && live.links.encryption.as_ref().and_then(|link| link.policy.as_ref()) != Some(&one.policy)
}

pub(super) fn compare(
    declared: &Declared,
    observed: &Observed,
    (live, course): (&Environment, &Course),
    comparing: &Comparing<'_>,
    findings: &mut Findings,
) {
    // As long as the environment isn't where it is to be, the change that makes a policy a former one is still to come.
    let settled = findings.in_effect.contains(&comparing.address(Block::KEY));
    for (one, chain) in declared.retained.iter().zip(&observed.retained) {
        let address = comparing.address(Block::KEY).part(&part(declared, one));
        // Nothing is known of what ended before this change, and it may have been taken away as it should.
        if is_over(one, live, comparing.now) && matches!(chain.policy, Ok(None)) {
            continue;
        }
        let needed = needed_until(declared, one, course).filter(|_| settled);
        let last = needed.map_or(one.until, |needed| needed.max(one.until));
        if settled && is_over(one, live, comparing.now) && day(comparing.now) > last {
            findings.notes.push(retirable(declared, &address, one, last, comparing));
            continue;
        }
        if let Some(needed) = needed.filter(|needed| *needed > one.until) {
            findings.notes.push(too_short(&address, one, needed));
        }
        // Of the one that it is linked to now, more is said where that is looked at.
        if live.links.encryption.as_ref().and_then(|link| link.policy.as_ref()) != Some(&one.policy) {
            kept(&address, one, chain, live, comparing, findings);
        } else if let Some(fault) = of_key(one, chain) {
            findings.notes.push(notes::refused(&address, fault));
        }
    }
}

fn day(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

/// The last day on which it is needed, if the change that made it a former one is the last that the environment's list tells of.
fn needed_until(declared: &Declared, one: &Retained, course: &Course) -> Option<Date> {
    let Course::Succeeded { what: _, at: Some(at) } = course else { return None };
    Some(day(*at).saturating_add(Span::new().days(days_needed(declared, one))))
}

/// For how many days after a change backups need what it replaced.
fn days_needed(declared: &Declared, one: &Retained) -> i64 {
    match &declared.wanted {
        Wanted::Customer(protection) if same_key(&protection.key, &one.key) => VERSION_DAYS,
        Wanted::Customer(_) | Wanted::Microsoft => KEY_DAYS,
    }
}

/// That nothing needs it any more, as far as this configuration and this environment tell.
fn retirable(declared: &Declared, address: &Address, one: &Retained, last: Date, comparing: &Comparing<'_>) -> Note {
    let Retained { policy, key, until: _, place: _ } = one;
    let named = comparing.elsewhere.iter().filter(|other| other.resource == *policy);
    let naming: BTreeSet<String> = named.map(|other| other.environment.to_string()).collect();
    let others = declared.policies().filter(|(other, _)| *other != policy);
    let in_use = others.into_iter().any(|(_, other)| same_key(other, key))
        || key.resource().is_some_and(|key| comparing.elsewhere.iter().any(|other| other.resource == key));
    let (what, how) = match in_use {
        true => (
            format!("the policy {} has", policy.name()),
            "take the policy away by hand, but keep its key, which is in use",
        ),
        false => (
            format!("the policy {} and its key {key} have", policy.name()),
            "take the grant, the key and the policy away by hand",
        ),
    };
    let message = format!("{what} not been needed by this environment since {last}");
    let note = Note::finding(codes::CMK_RETIRABLE, Severity::Info, address.clone(), message);
    if !naming.is_empty() {
        let naming: Vec<String> = naming.into_iter().collect();
        let help = format!(
            "take the entry out of `retained` here; the policy is named by {} as well, so take nothing away in Azure while it is needed there",
            naming.join(", ")
        );
        return note.help(help);
    }
    note.unless_needed(policy.clone()).help(format!(
        "make sure that no other environment is linked to the policy, and that nothing else uses the key; then {how}, and take the \
         entry out of `retained`"
    ))
}

fn too_short(address: &Address, one: &Retained, needed: Date) -> Note {
    let message =
        format!("the policy {} is retained until {}, but backups need it until {needed}", one.policy.name(), one.until);
    Note::finding(codes::CMK_RETAINED, Severity::Warning, address.clone(), message)
        .help(format!("write `until: {needed}`, or a later day"))
}

/// What is declared of it, where the policy itself says something else.
pub(super) fn of_key(one: &Retained, chain: &Chain) -> Option<Fault> {
    let policy = chain.policy.as_ref().ok()?.as_ref()?;
    let own = own_key(policy);
    if own.as_ref().is_some_and(|own| same_key(own, &one.key) && own.version == one.key.version) {
        return None;
    }
    let (refers, help) = match own {
        Some(KeyRef { vault, name, version }) => {
            let pinned = version.as_ref().map(|version| format!(", version: '{version}'")).unwrap_or_default();
            let help = format!(
                "write `key: {{ vault: {vault}, name: {name}{pinned} }}`: the new policy's identity is granted that key"
            );
            (format!("to {}", KeyRef { vault, name, version }), help)
        }
        None => ("to no key that palisade can tell".to_owned(), "look at the policy in Azure".to_owned()),
    };
    let what = format!("the former policy {} is declared with {}, but refers {refers}", policy.id.name(), one.key);
    Some(Fault::new(codes::CMK_POLICY_KEY, what, help))
}

/// Whether it is all still there, and can be used: the same as of the policy that is linked now.
fn kept(
    address: &Address,
    one: &Retained,
    chain: &Chain,
    live: &Environment,
    comparing: &Comparing<'_>,
    findings: &mut Findings,
) {
    if let Some(fault) = of_key(one, chain) {
        return findings.notes.push(notes::refused(address, fault));
    }
    if matches!(chain.policy, Ok(None)) {
        let what = format!("Azure has no policy {}", one.policy.name());
        let help = format!("correct `policy`, if it is misspelt; otherwise {}", demands::SUPPORT);
        let gone = Fault::new(codes::CMK_RETAINED, what, help);
        return findings.notes.push(notes::former_key(address, &gone));
    }
    // While the environment is being changed, what is wrong with it is told as of a key in use.
    if findings.under_way.is_some() {
        return;
    }
    let Checked { faults, unread, doubts } = watch::chain_in_use(chain, live, comparing);
    findings.notes.extend(upkeep::doubts(address, &doubts));
    findings.unknown.extend(unread.iter().map(|unreadable| unreadable.at(address.clone())));
    findings.notes.extend(faults.iter().map(|fault| notes::former_key(address, fault)));
}
