//! Words of `customerManagedKey`.

use super::codes;
use crate::config::quoted;
use crate::config::words::{Wrong, words, wrong};
use crate::settings::pasted::{Wanted, wrong as not_the_id};
use crate::settings::words::resource_id;
use crate::terms::{ResourceId, pasted, resource_kinds};

words! {
    /// The Azure resource id of an enterprise policy of Power Platform.
    PolicyText(ResourceId), called "the id of an enterprise policy",
        { "pattern": POLICY_ID, "examples": ["/subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg-cmk/providers/Microsoft.PowerPlatform/enterprisePolicies/cmk-eu"] }, parse_policy_id;
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

#[cfg(test)]
mod tests {
    use super::*;

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
