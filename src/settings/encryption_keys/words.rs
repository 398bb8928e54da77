//! Words about keys in vaults.

use super::codes;
use crate::config::quoted;
use crate::config::texts::ENVIRONMENT;
use crate::config::words::{Wrong, words, wrong};

words! {
    /// The name of a key in a Key Vault: letters, digits and hyphens.
    KeyName(String), called "the name of a key",
        { "pattern": r"^([0-9A-Za-z-]|\$\{environment\}){1,127}$", "examples": ["pp-key"] }, parse_key_name;

    /// A version of a key: 32 hexadecimal digits.
    KeyVersionText(String), called "a version of a key",
        { "pattern": r"^[0-9A-Fa-f]{32}$", "examples": ["0123456789abcdef0123456789abcdef"] }, parse_version;
}

fn parse_key_name(text: &str) -> Result<String, Wrong> {
    if is_key_name(&text.replace(ENVIRONMENT, "env")) {
        return Ok(text.to_owned());
    }
    if let Some((name, version)) = key_in(text).filter(|(name, _)| is_key_name(name)) {
        let message = format!("must be the name of a key, not the id {}", quoted(text));
        let help = match version {
            Some(version) if is_version(version) => format!(
                "with `version: {version}` beside it, the key stays pinned to that version; without, the newest one is used"
            ),
            _ => String::new(),
        };
        return Err(Wrong::new(codes::BAD_KEY_NAME, message, help).meaning(name));
    }
    wrong(
        codes::BAD_KEY_NAME,
        format!("must be the name of a key, not {}", quoted(text)),
        "names of keys have 1 to 127 letters, digits and hyphens; a version goes into `version`",
    )
}

/// The name, and the version if there is one, in the id or the address of a key, or in `name/version`.
fn key_in(text: &str) -> Option<(&str, Option<&str>)> {
    let (_, rest) = text.rsplit_once("/keys/").or_else(|| text.contains('/').then_some(("", text)))?;
    let mut segments = rest.trim_matches('/').split('/');
    let name = segments.next()?;
    let version = match segments.next() {
        Some("versions") => segments.next(),
        other => other,
    };
    segments.next().is_none().then_some((name, version))
}

fn is_key_name(name: &str) -> bool {
    (1..=127).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

fn is_version(text: &str) -> bool {
    text.len() == 32 && text.chars().all(|c| c.is_ascii_hexdigit())
}

fn parse_version(text: &str) -> Result<String, Wrong> {
    if is_version(text) {
        return Ok(text.to_owned());
    }
    let last = text.rsplit('/').next().filter(|last| is_version(last));
    let wrong = Wrong::new(
        codes::BAD_KEY_VERSION,
        format!("must be a version of a key, not {}", quoted(text)),
        "a version has 32 hexadecimal digits; leave `version` out to follow the newest one",
    );
    Err(last.map_or(wrong.clone(), |last| wrong.meaning(last)))
}

impl KeyName {
    /// What is wrong with a name whose placeholders are filled in, if anything is.
    pub(super) fn check(text: &str) -> Option<Wrong> {
        parse_key_name(text).err()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pasted_in_place_of_a_name_is_understood() {
        const VERSION: &str = "0123456789abcdef0123456789abcdef";
        let meant = |text: String| parse_key_name(&text).unwrap_err();
        for text in [
            format!("https://kv-cmk.vault.azure.net/keys/pp-key/{VERSION}"),
            format!("pp-key/{VERSION}"),
            format!(
                "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v/keys/pp-key/versions/{VERSION}"
            ),
        ] {
            let wrong = meant(text.clone());
            assert_eq!(wrong.meant.as_deref(), Some("pp-key"), "{text}");
            assert!(wrong.help.contains(VERSION), "{text}: {}", wrong.help);
        }
        assert_eq!(meant("https://kv.vault.azure.net/keys/pp-key".into()).meant.as_deref(), Some("pp-key"));
        for text in ["a b", "", "a/b/c", "https://kv.vault.azure.net/"] {
            assert_eq!(meant(text.into()).meant, None, "{text}");
        }
        assert_eq!(parse_version(&format!("pp-key/{VERSION}")).unwrap_err().meant.as_deref(), Some(VERSION));
    }
}
