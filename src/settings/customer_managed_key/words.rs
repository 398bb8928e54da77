//! Words of `customerManagedKey`.

use super::codes;
use crate::config::quoted;
use crate::config::texts::ENVIRONMENT;
use crate::config::words::{Wrong, words, wrong};
use crate::settings::pasted::{Wanted, wrong as not_the_id};
use crate::settings::words::resource_id;
use crate::terms::{ResourceId, pasted, resource_kinds};

words! {
    /// The Azure resource id of an enterprise policy of Power Platform.
    PolicyText(ResourceId), called "the id of an enterprise policy",
        { "pattern": POLICY_ID, "examples": ["/subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg-cmk/providers/Microsoft.PowerPlatform/enterprisePolicies/cmk-eu"] }, parse_policy_id;

    /// The name of a key in a Key Vault: letters, digits and hyphens.
    KeyName(String), called "the name of a key",
        { "pattern": r"^([0-9A-Za-z-]|\$\{environment\}){1,127}$", "examples": ["pp-key"] }, parse_key_name;

    /// A version of a key: 32 hexadecimal digits.
    KeyVersionText(String), called "a version of a key",
        { "pattern": r"^[0-9A-Fa-f]{32}$", "examples": ["0123456789abcdef0123456789abcdef"] }, parse_version;
}

/// Ids of policies, in any spelling: patterns have no flag for that. `${environment}` may stand in names.
const POLICY_ID: &str = r"^/[Ss][Uu][Bb][Ss][Cc][Rr][Ii][Pp][Tt][Ii][Oo][Nn][Ss]/[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}/[Rr][Ee][Ss][Oo][Uu][Rr][Cc][Ee][Gg][Rr][Oo][Uu][Pp][Ss]/([0-9A-Za-z_(]|\$\{environment\})([0-9A-Za-z_.()-]|\$\{environment\})*/[Pp][Rr][Oo][Vv][Ii][Dd][Ee][Rr][Ss]/[Mm][Ii][Cc][Rr][Oo][Ss][Oo][Ff][Tt]\.[Pp][Oo][Ww][Ee][Rr][Pp][Ll][Aa][Tt][Ff][Oo][Rr][Mm]/[Ee][Nn][Tt][Ee][Rr][Pp][Rr][Ii][Ss][Ee][Pp][Oo][Ll][Ii][Cc][Ii][Ee][Ss]/([0-9A-Za-z_.-]|\$\{environment\})+$";

const POLICY: Wanted =
    Wanted { code: codes::BAD_POLICY_ID, kinds: &[resource_kinds::ENTERPRISE_POLICY], called: "an enterprise policy" };

fn parse_policy_id(text: &str) -> Result<ResourceId, Wrong> {
    match resource_id(text) {
        Some(id) if id.is_kind(resource_kinds::ENTERPRISE_POLICY) && is_policy_name(id.name()) => Ok(id),
        Some(id) if id.is_kind(resource_kinds::ENTERPRISE_POLICY) => wrong(
            codes::BAD_POLICY_ID,
            format!("names {}, which can't be the name of an enterprise policy", quoted(id.name())),
            "names of enterprise policies have letters, digits, hyphens, underscores and dots",
        ),
        Some(id) if pasted::resource_in(text, POLICY.kinds).is_none() => wrong(
            codes::BAD_POLICY_ID,
            format!("must be the id of an enterprise policy, not of {}", quoted(&id.kind())),
            "it ends in `/providers/Microsoft.PowerPlatform/enterprisePolicies/NAME`",
        ),
        None if text.to_ascii_lowercase().starts_with("/regions/") => wrong(
            codes::BAD_POLICY_ID,
            format!("must be the Azure resource id of an enterprise policy, not its system id {}", quoted(text)),
            "the system id is what Power Platform calls the policy; the Azure resource id begins with `/subscriptions/`",
        ),
        _ => Err(not_the_id(text, POLICY)),
    }
}

fn is_policy_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
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

    #[test]
    fn ids_of_policies_are_told_from_what_else_people_have() {
        const ID: &str = "/subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg/providers/Microsoft.PowerPlatform/enterprisePolicies/cmk_eu.1";
        assert!(parse_policy_id(ID).is_ok());
        assert_eq!(
            parse_policy_id(&ID.replace("cmk_eu", "${environment}")).unwrap().to_string(),
            ID.replace("cmk_eu", "env")
        );
        for (text, says) in [
            (
                ID.replace("Microsoft.PowerPlatform/enterprisePolicies", "Microsoft.KeyVault/vaults"),
                "not of `Microsoft.KeyVault/vaults`",
            ),
            ("/regions/europe/providers/Microsoft.PowerPlatform/enterprisePolicies/1".to_owned(), "not its system id"),
            (ID.replace("cmk_eu", "cmk~eu"), "can't be the name"),
            ("cmk-eu".to_owned(), "must be the Azure resource id"),
        ] {
            let message = parse_policy_id(&text).unwrap_err().message;
            assert!(message.contains(says), "{text}: {message}");
        }
    }
}
