//! What people attest: entries of `attested`, read and checked.
//!
//! Invariants: only settings that no operation reads can be attested, each in its own scope; what was seen is in the words of
//! its setting; an entry that isn't taken was reported.

use super::codes;
use super::shape::{AttestationShape, AttestedSetting};
use crate::config::nearest::nearest;
use crate::config::tree::Value;
use crate::config::{self, Code, Diagnostic, Diagnostics, Located, quoted};
use crate::settings::attestation::{Attestation, entry};
use crate::settings::registry::{Blocks, Registry};

/// The entries of the environment at `environment`, which declares `blocks`.
pub(super) fn read(
    environment: Located<'_>,
    blocks: &Blocks,
    settings: Registry,
    diagnostics: &mut Diagnostics,
) -> Vec<Attestation> {
    entries(environment).filter_map(|item| attestation(item, blocks, settings, diagnostics)).collect()
}

/// Reports the entries of the tenant, which has no setting that could be attested.
pub(super) fn none(tenant: Located<'_>, settings: Registry, diagnostics: &mut Diagnostics) {
    for item in entries(tenant) {
        let Some(name) = setting(item) else { continue };
        let help = match settings.attestable().contains(&name) {
            true => "move the entry to the environment that it is about: `environments.NAME.attested`",
            false => "remove the entry: palisade has no tenant setting that is attested",
        };
        let why = match settings.names().contains(&name) {
            true => "that is a setting of environments, not of the tenant",
            false => "no tenant setting has that name",
        };
        let message = format!("`setting` can't be {}: {why}", quoted(name));
        let span = item.at(&["setting"]).span();
        diagnostics.push(Diagnostic::error(codes::NOT_ATTESTABLE, span, message).help(help));
    }
}

fn entries(scope: Located<'_>) -> impl Iterator<Item = Located<'_>> {
    let list = scope.node.entry("attested").map_or(&[][..], |entry| entry.value.items());
    list.iter().map(move |item| Located::new(item, scope.sources))
}

/// The setting that an entry names.
fn setting<'a>(item: Located<'a>) -> Option<&'a str> {
    match item.node.child("setting").map(|node| &node.value) {
        Some(Value::String(name)) => Some(name),
        _ => None,
    }
}

/// One entry, with what was seen in the words of its setting. None only together with an error.
fn attestation(
    item: Located<'_>,
    blocks: &Blocks,
    settings: Registry,
    diagnostics: &mut Diagnostics,
) -> Option<Attestation> {
    let named = setting(item).map(|name| (name, settings.named(name)));
    let look_at = named.and_then(|(_, setting)| setting?.look_at());
    if let Some((name, _)) = named
        && look_at.is_none()
    {
        diagnostics.push(not_attestable(item, name, settings));
        return None;
    }
    if let (Some((name, _)), Some((place, example))) = (named, look_at)
        && item.node.entry("saw").is_none()
    {
        let (saw, when) = match blocks.to_see(name) {
            Some(saw) => (entry::flow(&saw), "if it is as declared"),
            None => (example.to_owned(), "say"),
        };
        diagnostics.push(missing_saw(item, name, (place, &saw, when)));
        return None;
    }
    let AttestationShape { setting: AttestedSetting(setting), by, on, valid_for, .. } =
        config::typed(item, diagnostics)?;
    let saw = settings.named(&setting)?.check_saw(item.at(&["saw"]), diagnostics)?;
    Some(Attestation { setting, saw, by: by.0, on: on.0, valid_for: valid_for.0, place: item.place() })
}

fn not_attestable(item: Located<'_>, name: &str, settings: Registry) -> Diagnostic {
    let attestable = settings.attestable();
    let allowed = attestable.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let (code, message, help): (Code, String, String) = if settings.named(name).is_some() {
        let message = format!("can't be {}: palisade reads that setting from the service", quoted(name));
        (codes::NOT_ATTESTABLE, message, format!("remove the entry; what can be attested: {allowed}"))
    } else {
        let help = match nearest(name, &attestable) {
            Some(near) => format!("did you mean `{near}`? Allowed: {allowed}"),
            None => format!("allowed: {allowed}"),
        };
        (config::codes::UNKNOWN_VALUE, format!("can't be {}", quoted(name)), help)
    };
    Diagnostic::error(code, item.at(&["setting"]).span(), format!("`setting` {message}")).help(help)
}

fn missing_saw(item: Located<'_>, setting: &str, (place, saw, when): (&str, &str, &str)) -> Diagnostic {
    let written = |key: &str, usual: &str| match item.node.child(key).map(|node| &node.value) {
        Some(Value::String(text)) => text.clone(),
        _ => usual.to_owned(),
    };
    let entry = entry::text(
        setting,
        saw,
        &written("by", entry::SOMEBODY),
        &written("on", "2026-10-01"),
        &written("validFor", "90d"),
    );
    let message = format!("the entry about {} has no `saw`: it doesn't say what was seen", quoted(setting));
    Diagnostic::error(codes::MISSING_SAW, item.spot(), message)
        .help(format!("look under {place}, and write what you see there and on which day; {when}: `- {entry}`"))
}
