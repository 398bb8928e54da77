//! An entry of `attested`: what it says, and how it is written for a person to copy.
//!
//! Invariants: what is written here is read back as it went in, whatever was seen.

use jiff::SignedDuration;
use jiff::civil::Date;
use serde_json::Value as Json;

use crate::terms::Place;

/// What a person saw of a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attestation {
    /// The setting's name, as in files.
    pub setting: String,
    /// What was seen, in the words of the setting's block, which checked it.
    pub saw: Json,
    /// Who looked.
    pub by: String,
    /// When they looked.
    pub on: Date,
    /// How long it holds.
    pub valid_for: SignedDuration,
    /// Where it is written.
    pub place: Place,
}

/// Stands for the person who looks, where palisade doesn't know one.
pub(crate) const SOMEBODY: &str = "you@example.com";

/// An entry on one line: `{ setting: apiAccess, saw: { enabled: true }, … }`.
pub(crate) fn text(setting: &str, saw: &str, by: &str, on: &str, valid_for: &str) -> String {
    format!("{{ setting: {setting}, saw: {saw}, by: {}, on: {on}, validFor: {valid_for} }}", scalar(by))
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
}
