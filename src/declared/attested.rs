//! What people attest: entries of `attested`, read and checked.
//!
//! Invariants: only settings that no operation reads can be attested, each in its own scope; what was seen is in the words of
//! its setting; an entry that isn't taken was reported.

use serde::de::DeserializeOwned;

use super::codes;
use super::shape::{AttestationShape, AttestedSetting};
use super::words::AttestedFor;
use crate::config::nearest::nearest;
use crate::config::tree::Value;
use crate::config::words::{Day, UserName};
use crate::config::{self, Code, Diagnostic, Diagnostics, Located, quoted};
use crate::settings::attestation::{Attestation, entry};
use crate::settings::blocks::Blocks;
use crate::settings::registry::Registry;
use crate::terms::ScopeKind;

/// The entries of the scope at `scope`, which declares `blocks`.
pub(super) fn read(
    scope: Located<'_>,
    kind: ScopeKind,
    blocks: &Blocks,
    settings: Registry,
    diagnostics: &mut Diagnostics,
) -> Vec<Attestation> {
    entries(scope).filter_map(|item| attestation(item, kind, blocks, settings, diagnostics)).collect()
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
    kind: ScopeKind,
    blocks: &Blocks,
    settings: Registry,
    diagnostics: &mut Diagnostics,
) -> Option<Attestation> {
    let named = setting(item).map(|name| (name, settings.named(kind, name)));
    let refused = named.filter(|(_, setting)| setting.and_then(|setting| setting.look_at()).is_none());
    if let Some((name, _)) = refused {
        diagnostics.push(not_attestable(item, name, kind, settings));
    }
    // A name that is misspelt tells which setting is meant.
    let meant = named.and_then(|(name, setting)| match setting {
        None => nearest(name, &settings.attestable(kind)),
        Some(_) => Some(name),
    });
    let look_at = meant.and_then(|name| settings.named(kind, name)?.look_at());
    if let (Some(name), Some((place, example))) = (meant, look_at)
        && item.node.entry("saw").is_none()
    {
        if diagnostics.lost_in(item.span(), &["saw"]) {
            return None;
        }
        let (saw, when) = match blocks.to_see(name) {
            Some(saw) => (entry::flow(&saw), "if it is as declared"),
            None => (example.to_owned(), "say"),
        };
        diagnostics.push(missing_saw(item, name, (place, &saw, when)));
        return None;
    }
    if refused.is_some() {
        return None;
    }
    let AttestationShape { setting: AttestedSetting(setting), by, on, valid_for, .. } =
        config::typed(item, diagnostics)?;
    let saw = settings.named(kind, &setting)?.check_saw(item.at(&["saw"]), diagnostics)?;
    Some(Attestation { setting, saw, by: by.0, on: on.0, valid_for: valid_for.0, place: item.place() })
}

fn not_attestable(item: Located<'_>, name: &str, kind: ScopeKind, settings: Registry) -> Diagnostic {
    let attestable = settings.attestable(kind);
    let allowed = attestable.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let (here, elsewhere, other) = match kind {
        ScopeKind::Tenant => ("tenant settings", "environments", ScopeKind::Environment),
        ScopeKind::Environment => ("settings", "the tenant", ScopeKind::Tenant),
    };
    let what_can_be = match allowed.as_str() {
        "" => format!("no {here} are attested"),
        allowed => format!("what can be attested: {allowed}"),
    };
    let (code, why, help): (Code, String, String) = if settings.named(kind, name).is_some() {
        let why = ": palisade reads that setting from the service".to_owned();
        (codes::NOT_ATTESTABLE, why, format!("remove the entry; {what_can_be}"))
    } else if settings.named(other, name).is_some() {
        let why = format!(": that is a setting of {elsewhere}");
        let help = match (settings.attestable(other).contains(&name), other) {
            (true, ScopeKind::Environment) => {
                "move the entry to the environment that it is about: `environments.NAME.attested`".to_owned()
            }
            (true, ScopeKind::Tenant) => "move the entry to `tenant.attested`".to_owned(),
            (false, _) => format!("remove the entry; {what_can_be}"),
        };
        (codes::NOT_ATTESTABLE, why, help)
    } else {
        let help = match nearest(name, &attestable) {
            Some(near) => format!("did you mean `{near}`? Allowed: {allowed}"),
            None => what_can_be,
        };
        (config::codes::UNKNOWN_VALUE, String::new(), help)
    };
    let message = format!("`setting` can't be {}{why}", quoted(name));
    Diagnostic::error(code, item.at(&["setting"]).span(), message).help(help)
}

fn missing_saw(item: Located<'_>, setting: &str, (place, saw, when): (&str, &str, &str)) -> Diagnostic {
    let entry = entry::text(
        setting,
        saw,
        &written::<UserName>(item, "by", entry::SOMEBODY),
        &written::<Day>(item, "on", "2026-10-01"),
        &written::<AttestedFor>(item, "validFor", "90d"),
    );
    let message = format!("the entry about {} has no `saw`: it doesn't say what was seen", quoted(setting));
    Diagnostic::error(codes::MISSING_SAW, item.spot(), message)
        .help(format!("look under {place}, and write what you see there and on which day; {when}: `- {entry}`"))
}

/// What an entry says under a key, if it is a word of this kind: the entry to write must be one that is taken.
fn written<W: DeserializeOwned>(item: Located<'_>, key: &str, usual: &str) -> String {
    let text = match item.node.child(key).map(|node| &node.value) {
        Some(Value::String(text)) if serde_json::from_value::<W>(text.as_str().into()).is_ok() => text,
        _ => usual,
    };
    text.to_owned()
}
