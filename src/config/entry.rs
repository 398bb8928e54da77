//! An entry of `attested`: its words, and how it is written for a person to copy.
//!
//! Invariants: what is written here is read back as it went in, whatever was seen; only settings that no operation reads can be
//! attested, each in its own scope, and no entry counts for more than 180 days.

use jiff::SignedDuration;
use serde_json::Value as Json;

use super::codes::Code;
use super::diagnostic::quoted;
use super::nearest::nearest;
use super::words::{Wrong, parse_duration, wrong};
use crate::settings::blocks;

/// Stands for the person who looks, where palisade doesn't know one.
pub(crate) const SOMEBODY: &str = "you@example.com";

/// An entry on one line: `{ setting: apiAccess, saw: { enabled: true }, … }`.
pub(crate) fn text(setting: &str, saw: &str, by: &str, on: &str, valid_for: &str) -> String {
    format!("{{ setting: {setting}, saw: {saw}, by: {}, on: {on}, validFor: {valid_for} }}", scalar(by))
}

/// A length of time in the words of the file.
pub(crate) fn duration(length: SignedDuration) -> String {
    match length.as_mins() {
        minutes if minutes % (24 * 60) == 0 => format!("{}d", minutes / (24 * 60)),
        minutes if minutes % 60 == 0 => format!("{}h", minutes / 60),
        minutes => format!("{minutes}m"),
    }
}

/// Data as YAML on one line.
pub(crate) fn flow(data: &Json) -> String {
    match data {
        Json::Object(members) if members.is_empty() => "{}".to_owned(),
        Json::Object(members) => {
            let members: Vec<String> = members.iter().map(|(key, value)| format!("{key}: {}", flow(value))).collect();
            format!("{{ {} }}", members.join(", "))
        }
        Json::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Json::String(text) => scalar(text),
        other => other.to_string(),
    }
}

/// A text without quotes where every reader of YAML takes it for that text.
fn scalar(text: &str) -> String {
    let harmless = |c: char| c.is_ascii_alphanumeric() || "/._-@()+".contains(c);
    let starts = text.starts_with(|c: char| c == '/' || c.is_ascii_alphabetic());
    let word =
        ["true", "false", "yes", "no", "on", "off", "null", "y", "n"].contains(&text.to_ascii_lowercase().as_str());
    if starts && !word && text.chars().all(harmless) { text.to_owned() } else { Json::from(text).to_string() }
}

/// The longest time for which a person's word counts.
const LONGEST_WORD: SignedDuration = SignedDuration::from_hours(180 * 24);

pub(super) fn parse_valid_for(text: &str) -> Result<SignedDuration, Wrong> {
    let length = parse_duration(text)?;
    if length <= LONGEST_WORD {
        return Ok(length);
    }
    wrong(
        Code::ValidTooLong,
        format!("must be at most 180 days, not {}", quoted(text)),
        "write `180d` or less: an attestation is the only thing that palisade has to go by, so somebody has to look again",
    )
}

pub(super) fn parse_setting(text: &str) -> Result<String, Wrong> {
    let attestable = blocks::attestable();
    if attestable.contains(&text) {
        return Ok(text.to_owned());
    }
    let allowed = attestable.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if blocks::NAMES.contains(&text) {
        return wrong(
            Code::NotAttestable,
            format!("can't be {}: palisade reads that setting from the service", quoted(text)),
            format!("remove the entry; what can be attested: {allowed}"),
        );
    }
    let help = match nearest(text, &attestable) {
        Some(near) => format!("did you mean `{near}`? Allowed: {allowed}"),
        None => format!("allowed: {allowed}"),
    };
    wrong(Code::UnknownValue, format!("can't be {}", quoted(text)), help)
}

pub(super) fn parse_tenant_setting(text: &str) -> Result<String, Wrong> {
    let help = match blocks::attestable().contains(&text) {
        true => "move the entry to the environment that it is about: `environments.NAME.attested`",
        false => "remove the entry: palisade has no tenant setting that is attested",
    };
    let message = match blocks::NAMES.contains(&text) {
        true => format!("can't be {}: that is a setting of environments, not of the tenant", quoted(text)),
        false => format!("can't be {}: no tenant setting has that name", quoted(text)),
    };
    wrong(Code::NotAttestable, message, help)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_seen_is_written_on_one_line_and_quoted_where_readers_could_differ() {
        let vault = "/subscriptions/1/resourceGroups/rg-(a)/providers/Microsoft.KeyVault/vaults/kv";
        for (data, expected) in [
            (json!({ "enabled": true }), "{ enabled: true }".to_owned()),
            (json!({ "id": vault }), format!("{{ id: {vault} }}")),
            (json!({ "links": [] }), "{ links: [] }".to_owned()),
            (json!({ "links": [{ "resource": "/a/b,c" }] }), "{ links: [{ resource: \"/a/b,c\" }] }".to_owned()),
            (json!("no"), "\"no\"".to_owned()),
        ] {
            assert_eq!(flow(&data), expected);
        }
    }

    #[test]
    fn lengths_are_written_in_the_largest_unit_that_fits() {
        for (minutes, expected) in [(90 * 24 * 60, "90d"), (36 * 60, "36h"), (90, "90m")] {
            assert_eq!(duration(SignedDuration::from_mins(minutes)), expected);
        }
    }
}
